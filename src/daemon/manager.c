/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager: see manager.h.
 */
#include "src/daemon/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/log.h"
#include "src/common/send_fds.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define MAX_FDS  4096

/* `fd` -1: none. */
static void tell(const char *state, int fd)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;

    if (len < 2 || len >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = '\0';
    len += offsetof(struct sockaddr_un, sun_path);
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || connect(sock, (struct sockaddr *)&address, (socklen_t)len) < 0 ||
        send_fds(sock, state, strlen(state), &fd, fd >= 0) < 0)
        log_warning("the service manager cannot be told: %s", g_strerror(errno));
    if (sock >= 0)
        close(sock);
}

void manager_notify(const char *state)
{
    tell(state, -1);
}

void manager_store(const char *name, int fd)
{
    g_autofree char *state = g_strdup_printf("FDSTORE=1\nFDNAME=%s", name);

    tell(state, fd);
}

void manager_forget(const char *name)
{
    g_autofree char *state = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);

    tell(state, -1);
}

void manager_restore(bool (*take)(void *context, const char *name, int fd), void *context)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"),
               *names = getenv("LISTEN_FDNAMES");
    long fds = count ? strtol(count, NULL, 10) : 0;

    if (pid && strtol(pid, NULL, 10) == getpid() && fds > 0 && fds <= MAX_FDS) {
        g_auto(GStrv) name = g_strsplit(names ? names : "", ":", -1);
        guint named = g_strv_length(name);

        for (int i = 0; i < fds; i++) {
            fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
            if (!take(context, (guint)i < named ? name[i] : "", FIRST_FD + i))
                close(FIRST_FD + i);
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}
