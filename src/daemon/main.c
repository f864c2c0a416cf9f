/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd: networks and workers of one host. See vmbusd(8).
 *
 * Two processes: a root parent (parent.h), and its unprivileged, sandboxed child (service.h), which
 * is all the rest.
 */
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/daemon/parent.h"
#include "src/daemon/service.h"

#define CONFIG_DIR "/etc/vmbusd"
#define RUN_DIR    "/run/vmbusd"

enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: vmbusd [--config-dir DIR] [--run-dir DIR] [--worker PROGRAM] [--keep] [--debug]\n"
    "       vmbusd --give-back [--run-dir DIR]\n"
    "       vmbusd --version | --help\n"
    "\n"
    "Runs the networks and machines that files describe (vmbusd(8)).\n"
    "  --config-dir DIR   holds networks/*.xml and machines/*.json; default " CONFIG_DIR "\n"
    "  --run-dir DIR      sockets and state; default " RUN_DIR "\n"
    "  --worker PROGRAM   default: the vmbusd-worker beside this program\n"
    "  --keep             when ended, leave adapters and networks as they are for the next vmbusd\n"
    "  --give-back        undo what an ended vmbusd has left: adapters, interfaces, NAT\n"
    "  --debug            more log lines\n";

/* Port rings are 5 descriptors each, at least. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The user that packaging has made, or one that nobody else is. */
static void find_user(struct daemon_settings *settings)
{
    const struct passwd *user = getpwnam(SERVICE_USER);

    settings->owner = geteuid();
    settings->uid = user ? user->pw_uid : SERVICE_UID_FALLBACK;
    settings->gid = user ? user->pw_gid : SERVICE_UID_FALLBACK;
}

static int run(const struct daemon_settings *settings, bool give_back)
{
    g_autoptr(GError) error = NULL;
    struct parent *parent;
    int status;

    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    parent = parent_new(settings, &error);
    if (!parent) {
        log_error("%s", error->message);
        return EXIT_FAILED;
    }
    if (give_back)
        status = parent_undo(parent) ? EXIT_OK : EXIT_FAILED;
    else
        status = parent_run(parent);
    parent_free(parent);
    return status;
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
        {"keep", no_argument, NULL, 'k'},
        {"give-back", no_argument, NULL, 'b'},
        {"debug", no_argument, NULL, 'd'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *environment = getenv("VMBUSD_RUN_DIR");
    g_autofree char *worker = worker_beside();
    struct daemon_settings settings = {
        .config_dir = CONFIG_DIR, .run_dir = environment ? environment : RUN_DIR, .worker = worker};
    bool give_back = false;
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
        case 'k':
            settings.keep = true;
            break;
        case 'b':
            give_back = true;
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
    g_autofree char *config_dir = g_canonicalize_filename(settings.config_dir, NULL);
    g_autofree char *run_dir = g_canonicalize_filename(settings.run_dir, NULL);
    settings.config_dir = config_dir;
    settings.run_dir = run_dir;
    find_user(&settings);
    return run(&settings, give_back);
}
