/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd-worker: one running VM. See vmbusd-worker(8).
 *
 * In order: read the description; find KVM; take a place in the host's memory and a uid; open and
 * assemble everything; close the sandbox around the process; start the threads, each of which
 * closes its own; run the main lane until the machine has stopped. Until the sandbox closes every
 * failure is one line on standard error and an exit status of exit.h.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/disk/disk.h"
#include "src/kvm/host.h"
#include "src/pc/screen.h"
#include "src/worker/admission.h"
#include "src/worker/config.h"
#include "src/worker/control.h"
#include "src/worker/exit.h"
#include "src/worker/machine.h"
#include "src/worker/machine_build.h"
#include "src/worker/sandbox.h"

/* Everything that lives as long as the process, in the order of its making. */
struct worker {
    struct config *config;
    char *run_dir, *control_path;
    struct kvm_host host;
    struct admission *admission;
    struct sandbox *sandbox;
    struct machine *machine;
    struct control *control;
    struct lane_source signals;
};

static const char usage[] =
    "usage: vmbusd-worker --config FILE [--debug]\n"
    "       vmbusd-worker --check FILE | --version | --help\n"
    "\n"
    "Runs one virtual machine, described by a JSON file (vmbusd-worker.json(5)).\n"
    "  --config FILE   the description; - reads standard input\n"
    "  --check FILE    say whether the description is right, and do nothing\n"
    "  --debug         more log lines\n";

/* SIGTERM and SIGINT: the plug is pulled, as virsh destroy does; I/O in flight still finishes. A
 * second one does not wait for I/O that hangs. */
static void worker_signalled(struct lane_source *source, uint32_t events)
{
    struct worker *worker = container_of(source, struct worker, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(source->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (machine_state(worker->machine) == MACHINE_STOPPED)
        _exit(EXIT_STATUS_FAILED);
    machine_stop(worker->machine);
}

static int worker_signals(struct worker *worker)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    worker->signals = (struct lane_source){.ready = worker_signalled};
    worker->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (worker->signals.fd < 0)
        return -errno;
    return lane_watch(machine_lane(worker->machine), &worker->signals, EPOLLIN);
}

/* Print the one line and choose the exit status by what kind of error it is. */
static int worker_fail(const GError *error, int status)
{
    if (error->domain == DISK_ERROR && error->code == DISK_ERROR_LOCKED)
        status = EXIT_STATUS_REFUSED;
    else if (error->domain == CONTROL_ERROR && error->code == CONTROL_ERROR_RUNNING)
        status = EXIT_STATUS_REFUSED;
    else if (error->domain == ADMISSION_ERROR && error->code == ADMISSION_ERROR_SYSTEM)
        status = EXIT_STATUS_FAILED;
    log_error("%s", error->message);
    return status;
}

/* Event descriptors of 64 vCPUs and 512 channels are more than the usual soft limit. */
static void worker_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void worker_paths(struct worker *worker)
{
    const char *environment = getenv("VMBUSD_RUN_DIR");
    const char *user = getenv("XDG_RUNTIME_DIR");
    if (worker->config->run_dir)
        worker->run_dir = g_strdup(worker->config->run_dir);
    else if (environment)
        worker->run_dir = g_strdup(environment);
    else if (geteuid() == 0 || !user)
        worker->run_dir = g_strdup("/run/vmbusd");
    else
        worker->run_dir = g_strdup_printf("%s/vmbusd", user);
    if (worker->config->control)
        worker->control_path = g_strdup(worker->config->control);
    else
        worker->control_path = g_strdup_printf("%s/%s.sock", worker->run_dir, worker->config->name);
}

/* Up to the sandbox: whatever needs a path or a privilege. 0 or an exit status. */
static int worker_prepare(struct worker *worker)
{
    const struct config *config = worker->config;
    g_autoptr(GError) error = NULL;
    int status;

    worker_descriptors();
    worker_paths(worker);
    if (g_mkdir_with_parents(worker->run_dir, 0755) < 0) {
        log_error("%s: %s; make it, or name another run_dir", worker->run_dir, g_strerror(errno));
        return EXIT_STATUS_FAILED;
    }
    if (!kvm_host_open(&worker->host, &error))
        return worker_fail(error, EXIT_STATUS_HOST);

    struct admission_request request = {
        .run_dir = worker->run_dir,
        .name = config->name,
        .memory = config->memory,
        .vcpus = config->vcpus,
        .devices = config->firmware ? VGA_MEMORY + SCREEN_SIZE : 0,
        .overcommit = config->overcommit,
    };
    worker->admission = admission_take(&request, &error);
    if (!worker->admission)
        return worker_fail(error, EXIT_STATUS_REFUSED);
    if (config->sandbox) {
        struct sandbox_params params = {.run_dir = worker->run_dir, .uid = config->uid};
        worker->sandbox = sandbox_prepare(&params, &error);
        if (!worker->sandbox)
            return worker_fail(error, EXIT_STATUS_FAILED);
    } else {
        log_warning("the sandbox is off: a guest that breaks out has all that this user has");
    }
    worker->machine = machine_new(config, &worker->host, &error, &status);
    if (!worker->machine)
        return worker_fail(error, status);
    worker->control = control_new(worker->machine, worker->control_path, &error);
    if (!worker->control)
        return worker_fail(error, EXIT_STATUS_FAILED);
    int result = worker_signals(worker);
    if (result < 0) {
        log_error("signals: %s", g_strerror(-result));
        return EXIT_STATUS_FAILED;
    }
    return EXIT_STATUS_OK;
}

static int worker_run(struct worker *worker)
{
    g_autoptr(GError) error = NULL;
    int status = worker_prepare(worker);
    if (status != EXIT_STATUS_OK)
        return status;
    if (worker->sandbox) {
        control_sealed(worker->control);
        admission_sealed(worker->admission);
        machine_sealed(worker->machine);
        if (!sandbox_enter_process(worker->sandbox, &error))
            return worker_fail(error, EXIT_STATUS_FAILED);
    }
    if (!machine_start(worker->machine, worker->sandbox, &error))
        return worker_fail(error, EXIT_STATUS_FAILED);
    log_info("running; control socket %s", worker->control_path);
    for (unsigned i = 0; i < 2; i++)
        if (machine_console(worker->machine, i))
            log_info("console%s on %s", i ? " of COM2" : "", machine_console(worker->machine, i));
    return machine_main(worker->machine);
}

static void worker_free(struct worker *worker)
{
    control_free(worker->control);
    machine_free(worker->machine);
    kvm_host_close(&worker->host);
    admission_free(worker->admission);
    sandbox_free(worker->sandbox);
    config_free(worker->config);
    g_free(worker->run_dir);
    g_free(worker->control_path);
}

static int worker_main(const char *path, bool check)
{
    struct worker worker = {.host.fd = -1};
    g_autoptr(GError) error = NULL;
    int status = EXIT_STATUS_OK;
    worker.config = config_load(path, &error);
    if (!worker.config)
        return worker_fail(error, EXIT_STATUS_USAGE);
    if (check) {
        printf("%s: machine \"%s\" is described right\n", path, worker.config->name);
    } else {
        g_autofree char *name = g_strdup_printf("vmbusd-worker[%s]", worker.config->name);
        log_set_name(name);
        status = worker_run(&worker);
    }
    worker_free(&worker);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", required_argument, NULL, 'k'},
        {"debug", no_argument, NULL, 'd'},        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    bool check = false;
    int option;
    log_set_name("vmbusd-worker");
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'k':
            check = true;
            path = optarg;
            break;
        case 'c':
            path = optarg;
            break;
        case 'd':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'v':
            puts("vmbusd-worker " VERSION);
            return EXIT_STATUS_OK;
        case 'h':
            fputs(usage, stdout);
            return EXIT_STATUS_OK;
        default:
            fputs(usage, stderr);
            return EXIT_STATUS_USAGE;
        }
    }
    if (!path || optind != argc) {
        fputs(usage, stderr);
        return EXIT_STATUS_USAGE;
    }
    return worker_main(path, check);
}
