/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd: networks and workers of one host. See vmbusd(8).
 *
 * One process, as root. The design divides it into a root parent that carries out fixed-size
 * requests and an unprivileged, sandboxed child that does everything else; that division is the
 * next step. What needs root is behind src/daemon/privileged.h already, so that its functions
 * become those requests.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>

#include "src/common/log.h"
#include "src/daemon/daemon.h"

#define CONFIG_DIR "/etc/vmbusd"
#define RUN_DIR    "/run/vmbusd"

enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: vmbusd [--config-dir DIR] [--run-dir DIR] [--worker PROGRAM] [--debug]\n"
    "       vmbusd --version | --help\n"
    "\n"
    "Runs the networks and machines that files describe (vmbusd(8)).\n"
    "  --config-dir DIR   holds networks/*.xml and machines/*.json; default " CONFIG_DIR "\n"
    "  --run-dir DIR      sockets and state; default " RUN_DIR "\n"
    "  --worker PROGRAM   default: the vmbusd-worker beside this program\n"
    "  --debug            more log lines\n";

struct running {
    GMainLoop *loop;
    struct daemon *daemon;
};

/* --- systemd ---------------------------------------------------------------------------------- */

/* Tell the service manager, if there is one (sd_notify(3)). */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;

    if (len < 2 || len >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    if (sent < 0)
        log_warning("the service manager cannot be told: %s", g_strerror(errno));
    close(fd);
}

/* --- Running ---------------------------------------------------------------------------------- */

static gboolean on_end(void *context)
{
    struct running *running = context;

    g_main_loop_quit(running->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_reload(void *context)
{
    struct running *running = context;

    g_autofree char *state =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    notify(state);
    log_info("reading the configuration again");
    daemon_reload(running->daemon);
    notify("READY=1");
    return G_SOURCE_CONTINUE;
}

/* Port rings are 5 descriptors each, at least. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(const struct daemon_settings *settings)
{
    struct running running = {0};
    g_autoptr(GError) error = NULL;

    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    running.loop = g_main_loop_new(NULL, FALSE);
    /* Caught from here on, handled when the loop runs: a start is never left half done. */
    g_unix_signal_add(SIGTERM, on_end, &running);
    g_unix_signal_add(SIGINT, on_end, &running);
    g_unix_signal_add(SIGHUP, on_reload, &running);
    running.daemon = daemon_new(settings, &error);
    if (!running.daemon) {
        log_error("%s", error->message);
        g_main_loop_unref(running.loop);
        return EXIT_FAILED;
    }
    log_info("ready; control socket %s/vmbusd.sock", settings->run_dir);
    notify("READY=1");
    g_main_loop_run(running.loop);
    notify("STOPPING=1");
    daemon_free(running.daemon);
    g_main_loop_unref(running.loop);
    return EXIT_OK;
}

/* The vmbusd-worker in the folder of this program. */
static char *worker_beside(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *beside = folder ? g_build_filename(folder, "vmbusd-worker", NULL) : NULL;

    if (beside && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&beside);
    return g_strdup("vmbusd-worker");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config-dir", required_argument, NULL, 'c'},
        {"run-dir", required_argument, NULL, 'r'},
        {"worker", required_argument, NULL, 'w'},
        {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *environment = getenv("VMBUSD_RUN_DIR");
    g_autofree char *worker = worker_beside();
    struct daemon_settings settings = {
        .config_dir = CONFIG_DIR, .run_dir = environment ? environment : RUN_DIR, .worker = worker};
    int option;

    log_set_name("vmbusd");
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            settings.config_dir = optarg;
            break;
        case 'r':
            settings.run_dir = optarg;
            break;
        case 'w':
            settings.worker = optarg;
            break;
        case 'd':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'v':
            puts("vmbusd " VERSION);
            return EXIT_OK;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(&settings);
}
