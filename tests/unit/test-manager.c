/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/manager.c against a service manager that is a socket of the test's own: what it is
 * told, and what it gives back.
 */
#include "src/daemon/manager.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

static int manager;

/* The next datagram, and its descriptor or -1. */
static void hear(char text[256], int *fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {text, 255};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(manager, &message, MSG_DONTWAIT);

    g_assert_cmpint(got, >=, 0);
    text[got] = '\0';
    *fd = -1;
    if (CMSG_FIRSTHDR(&message))
        memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
}

static void test_notify(void)
{
    char text[256];
    int fd;

    manager_notify("READY=1");
    hear(text, &fd);
    g_assert_cmpstr(text, ==, "READY=1");
    g_assert_cmpint(fd, ==, -1);
}

static void test_store(void)
{
    char text[256];
    struct stat ours, theirs;
    int fd, pair[2];

    g_assert_cmpint(pipe(pair), ==, 0);
    manager_store("tap-vs-lan", pair[0]);
    hear(text, &fd);
    g_assert_cmpstr(text, ==, "FDSTORE=1\nFDNAME=tap-vs-lan");
    g_assert_cmpint(fstat(pair[0], &ours), ==, 0);
    g_assert_cmpint(fstat(fd, &theirs), ==, 0);
    g_assert_cmpuint(ours.st_ino, ==, theirs.st_ino);
    manager_forget("tap-vs-lan");
    hear(text, &fd);
    g_assert_cmpstr(text, ==, "FDSTOREREMOVE=1\nFDNAME=tap-vs-lan");
    g_assert_cmpint(fd, ==, -1);
}

static bool take(void *context, const char *name, int fd)
{
    GString *seen = context;

    g_string_append_printf(seen, "%d=%s ", fd, name);
    return fd == 3;
}

/* In a process that has three descriptors from its manager; exits with 0 if `want` was given. */
static void restore(const char *count, const char *names, long pid, const char *want)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autofree char *text = g_strdup_printf("%ld", pid ? pid : (long)getpid());

        for (int fd = 3; fd < 6; fd++)
            dup2(0, fd);
        g_setenv("LISTEN_PID", text, TRUE);
        g_setenv("LISTEN_FDS", count, TRUE);
        if (names)
            g_setenv("LISTEN_FDNAMES", names, TRUE);
        manager_restore(take, seen);
        /* What nobody takes is closed. */
        _exit(strcmp(seen->str, want) != 0 || getenv("LISTEN_FDS") ||
              (*want && (fcntl(3, F_GETFD) < 0 || fcntl(4, F_GETFD) >= 0)));
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void test_restore(void)
{
    restore("3", "control:tap-a:tap-b", 0, "3=control 4=tap-a 5=tap-b ");
    restore("3", "control", 0, "3=control 4= 5= ");
    restore("2", NULL, 0, "3= 4= ");
    restore("3", "a:b:c", 1, ""); /* meant for another process */
    restore("0", "a", 0, "");
    restore("-1", "a", 0, "");
    restore("99999999", "a", 0, "");
    restore("none", "a", 0, "");
}

/* Without a manager, or with one that has gone, nothing happens. */
static void test_nobody(void)
{
    g_setenv("NOTIFY_SOCKET", "/nonexistent/notify", TRUE);
    manager_notify("READY=1");
    g_unsetenv("NOTIFY_SOCKET");
    manager_notify("READY=1");
    manager_store("x", 0);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *folder = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    int status;

    g_test_init(&argc, &argv, NULL);
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", folder);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(manager, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_setenv("NOTIFY_SOCKET", address.sun_path, TRUE);
    g_test_add_func("/manager/notify", test_notify);
    g_test_add_func("/manager/store", test_store);
    g_test_add_func("/manager/restore", test_restore);
    g_test_add_func("/manager/nobody", test_nobody);
    status = g_test_run();
    unlink(address.sun_path);
    rmdir(folder);
    return status;
}
