/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root process: see parent.h.
 */
#include "src/daemon/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/socket.h>

#include "src/common/log.h"
#include "src/daemon/manager.h"
#include "src/daemon/nat.h"
#include "src/daemon/server.h"
#include "src/daemon/service.h"
#include "vswitch/adapter_monitor.h"

#define STORED_SOCKET "control"

#define DEATHS_MOST     5  /* of the child, within ... */
#define DEATHS_WINDOW   60 /* seconds; more than that, and we give up */
#define LISTEN_PATIENCE 1  /* seconds */
#define STOP_SECONDS    10 /* for the child to undo everything in order */

enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1 };

/* --- The child -------------------------------------------------------------------------------- */

void parent_tell(struct parent *parent, const struct request_event *event)
{
    if (parent->events >= 0 &&
        send(parent->events, event, sizeof(*event), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_warning("the unprivileged process does not listen: %s", g_strerror(errno));
}

/* In the new process: keep nothing of the parent's but these, at fixed places. */
static _Noreturn void become_child(const struct parent *parent, int requests, int events)
{
    const int keep[] = {requests, events, parent->listener};
    struct service_fds fds = {.requests = 3, .events = 4, .listener = 5};
    int high[G_N_ELEMENTS(keep)];

    for (unsigned i = 0; i < G_N_ELEMENTS(keep); i++)
        high[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, 64);
    for (unsigned i = 0; i < G_N_ELEMENTS(keep); i++)
        dup3(high[i], 3 + (int)i, O_CLOEXEC);
    syscall(SYS_close_range, 3 + (unsigned)G_N_ELEMENTS(keep), ~0u, 0);
    service_run(&parent->settings, &fds);
}

static void close_child(struct parent *parent)
{
    if (parent->requests >= 0)
        close(parent->requests);
    if (parent->events >= 0)
        close(parent->events);
    parent->requests = parent->events = -1;
}

static bool start_child(struct parent *parent)
{
    int requests[2], events[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, requests) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events) < 0 ||
        (parent->child = fork()) < 0) {
        log_error("the unprivileged process cannot be started: %s", g_strerror(errno));
        parent->child = 0;
        return false;
    }
    if (parent->child == 0)
        become_child(parent, requests[1], events[1]);
    close(requests[1]);
    close(events[1]);
    parent->requests = requests[0];
    parent->events = events[0];
    return true;
}

/* Nothing is the child's any more; what there is waits for the next one to ask. */
static void disown(struct parent *parent)
{
    for (guint i = 0; i < parent->tap->len; i++)
        g_array_index(parent->tap, struct parent_tap, i).wanted = false;
    for (guint i = 0; i < parent->process->len; i++)
        g_array_index(parent->process, struct parent_process, i).wanted = false;
    g_array_set_size(parent->take, 0);
    g_ptr_array_set_size(parent->nat, 0);
}

/* --- Life ------------------------------------------------------------------------------------- */

static bool make_folder(const char *path, int mode, GError **error)
{
    return g_mkdir_with_parents(path, mode) == 0 || parent_system_error(error, path);
}

static bool restore(void *context, const char *name, int fd)
{
    struct parent *parent = context;

    if (strcmp(name, STORED_SOCKET) != 0)
        return parent_tap_restore(parent, name, fd);
    if (parent->listener >= 0)
        return false;
    parent->listener = fd;
    return true;
}

struct parent *parent_new(const struct daemon_settings *settings, GError **error)
{
    struct parent *parent = g_new0(struct parent, 1);

    parent->settings = *settings;
    parent->networks = g_build_filename(settings->run_dir, "networks", NULL);
    parent->journals = g_build_filename(settings->run_dir, "adapters", NULL);
    parent->notes = g_build_filename(settings->run_dir, "taps", NULL);
    parent->socket = g_build_filename(settings->run_dir, "vmbusd.sock", NULL);
    parent->listener = parent->requests = parent->events = -1;
    parent->tap = g_array_new(FALSE, FALSE, sizeof(struct parent_tap));
    parent->process = g_array_new(FALSE, FALSE, sizeof(struct parent_process));
    parent->take = g_array_new(FALSE, FALSE, sizeof(struct parent_take));
    parent->nat = g_ptr_array_new_with_free_func(g_free);
    if (!make_folder(parent->networks, 0755, error) ||
        !make_folder(parent->journals, 0700, error) || !make_folder(parent->notes, 0700, error)) {
        parent_free(parent);
        return NULL;
    }
    return parent;
}

void parent_free(struct parent *parent)
{
    if (!parent)
        return;
    close_child(parent);
    adapter_monitor_free(parent->monitor);
    nl_socket_free(parent->notices);
    for (guint i = 0; i < parent->tap->len; i++)
        close(g_array_index(parent->tap, struct parent_tap, i).fd);
    if (parent->listener >= 0)
        close(parent->listener);
    g_array_unref(parent->tap);
    g_array_unref(parent->process);
    g_array_unref(parent->take);
    g_ptr_array_unref(parent->nat);
    g_free(parent->networks);
    g_free(parent->journals);
    g_free(parent->notes);
    g_free(parent->socket);
    g_free(parent);
}

/* A vmbusd that was killed a moment ago still answers, until its unprivileged process has followed
 * it. */
static int listen_alone(const char *path, GError **error)
{
    gint64 end = g_get_monotonic_time() + LISTEN_PATIENCE * G_TIME_SPAN_SECOND;

    for (;;) {
        g_autoptr(GError) refused = NULL;
        int fd = server_listen(path, &refused);

        if (fd >= 0)
            return fd;
        if (!g_error_matches(refused, SERVER_ERROR, SERVER_ERROR_RUNNING) ||
            g_get_monotonic_time() >= end) {
            g_propagate_error(error, g_steal_pointer(&refused));
            return -1;
        }
        g_usleep(G_USEC_PER_SEC / 50);
    }
}

/* Find what was left, before anybody asks for it. False with `error` if another vmbusd runs. */
static bool take_over(struct parent *parent, GError **error)
{
    manager_restore(restore, parent);
    if (parent->listener < 0) {
        parent->listener = listen_alone(parent->socket, error);
        if (parent->listener < 0)
            return false;
        manager_store(STORED_SOCKET, parent->listener);
    }
    parent_tap_restore_noted(parent);
    return true;
}

bool parent_undo(struct parent *parent)
{
    static const char *const none[] = {NULL};
    bool good;

    g_autoptr(GError) error = NULL;
    if (parent->listener < 0 && !take_over(parent, &error)) {
        log_error("%s", error->message);
        return false;
    }
    disown(parent);
    parent_process_sweep(parent, true);
    nat_sweep(none, parent->networks);
    good = parent_adapter_recover(parent, true);
    parent_tap_sweep(parent, true);
    manager_forget(STORED_SOCKET);
    unlink(parent->socket);
    return good;
}

/* --- Running ---------------------------------------------------------------------------------- */

struct run {
    struct parent *parent;
    int signals;
    bool ending;                /* the child has been told to stop */
    gint64 deadline;            /* ... and is killed then */
    gint64 deaths[DEATHS_MOST]; /* when the child died, a ring */
    unsigned died;
    int status; /* -1: go on */
};

static void on_end(struct run *run)
{
    static const struct request_event stop = {.kind = REQUEST_EVENT_STOP};
    struct parent *parent = run->parent;

    manager_notify("STOPPING=1");
    run->deadline = g_get_monotonic_time() + STOP_SECONDS * G_TIME_SPAN_SECOND;
    run->ending = true;
    if (parent->settings.keep)
        kill(parent->child, SIGKILL);
    else
        parent_tell(parent, &stop);
}

static void on_hangup(struct parent *parent)
{
    static const struct request_event reload = {.kind = REQUEST_EVENT_RELOAD};
    g_autofree char *state =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());

    manager_notify(state);
    parent_tell(parent, &reload);
}

/* True if it may be started once more. */
static bool may_restart(struct run *run)
{
    gint64 now = g_get_monotonic_time();
    gint64 *oldest = &run->deaths[run->died++ % DEATHS_MOST];
    bool often = run->died > DEATHS_MOST && now - *oldest < DEATHS_WINDOW * G_TIME_SPAN_SECOND;

    *oldest = now;
    return !often;
}

static void on_child_dead(struct run *run, int status)
{
    struct parent *parent = run->parent;

    parent->child = 0;
    close_child(parent);
    disown(parent);
    if (run->ending) {
        run->status = EXIT_OK;
        return;
    }
    if (WIFSIGNALED(status))
        log_error("the unprivileged process was ended by signal %d", WTERMSIG(status));
    else
        log_error("the unprivileged process ended with status %d", WEXITSTATUS(status));
    if (!may_restart(run) || !start_child(parent)) {
        log_error("it is not started again");
        run->status = EXIT_FAILED;
    }
}

static void on_signals(struct run *run)
{
    struct parent *parent = run->parent;
    struct signalfd_siginfo info;
    int status;

    while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            on_hangup(parent);
        else if (info.ssi_signo != SIGCHLD && !run->ending)
            on_end(run);
    }
    parent_reap(parent);
    if (parent->child && waitpid(parent->child, &status, WNOHANG) == parent->child)
        on_child_dead(run, status);
}

/* Milliseconds until the child's time is up. */
static int patience(const struct run *run)
{
    gint64 left = run->deadline - g_get_monotonic_time();

    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

static void serve(struct run *run)
{
    struct parent *parent = run->parent;
    struct pollfd fds[] = {
        {.fd = run->signals, .events = POLLIN},
        {.fd = parent->requests, .events = POLLIN},
        {.fd = parent->monitor ? adapter_monitor_fd(parent->monitor) : -1, .events = POLLIN},
        {.fd = parent->notices ? nl_socket_get_fd(parent->notices) : -1, .events = POLLIN}};

    int wait = run->ending ? patience(run) : parent_adapter_guard(parent);
    if (poll(fds, G_N_ELEMENTS(fds), wait) == 0 && run->ending && parent->child)
        kill(parent->child, SIGKILL);
    if (fds[2].revents)
        adapter_monitor_dispatch(parent->monitor);
    if (fds[3].revents)
        parent_notices(parent);
    if (fds[1].revents && !parent_serve(parent, parent->requests, parent->events)) {
        /* Whatever it has become, it is no use any more; SIGCHLD comes for it. */
        kill(parent->child, SIGKILL);
        close_child(parent);
    }
    if (fds[0].revents)
        on_signals(run);
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int parent_run(struct parent *parent)
{
    struct run run = {.parent = parent, .signals = open_signals(), .status = -1};
    g_autoptr(GError) error = NULL;

    if (!take_over(parent, &error)) {
        log_error("%s", error->message);
        return EXIT_FAILED;
    }
    parent_adapter_recover(parent, false);
    if (!start_child(parent))
        run.status = EXIT_FAILED;
    while (run.status < 0)
        serve(&run);
    if (!parent->settings.keep)
        parent_undo(parent);
    close(run.signals);
    return run.status;
}
