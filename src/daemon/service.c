/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unprivileged process: see service.h.
 */
#include "src/daemon/service.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "src/common/confine.h"
#include "src/common/confine_filter.h"
#include "src/common/log.h"
#include "src/daemon/privileged.h"
#include "src/daemon/service_filter.h"

struct service {
    GMainLoop *loop;
    struct daemon *daemon;
};

/* --- Sandbox ---------------------------------------------------------------------------------- */

static bool enter_filter(GError **error)
{
    struct sock_fprog program;
    int result = confine_filter_build(&service_filter, &program);

    if (result == 0)
        result = confine_filter_enter(&program);
    if (result == 0)
        free(program.filter);
    else
        g_set_error(error, CONFINE_ERROR, CONFINE_ERROR_SYSTEM, "sandbox: seccomp: %s",
                    g_strerror(-result));
    return result == 0;
}

static bool enter_sandbox(const struct daemon_settings *settings, GError **error)
{
    bool root = geteuid() == 0;
    int landlock;

    if (!confine_single_threaded(error) ||
        (root && (!confine_namespaces(settings->run_dir, error) ||
                  !confine_uid(settings->uid, settings->gid, error))) ||
        !confine_capabilities(error) || !confine_landlock(&landlock, error))
        return false;
    /* Not before: a change of uid takes it back. A parent that died before is noticed at the first
     * request. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!enter_filter(error))
        return false;
    if (root)
        log_info("sandbox: uid %u, empty root, own namespaces, Landlock ABI %d, seccomp",
                 settings->uid, landlock);
    else
        log_warning("sandbox: not root, so neither a uid of its own nor namespaces; Landlock ABI "
                    "%d, seccomp",
                    landlock);
    return true;
}

/* --- Serving ---------------------------------------------------------------------------------- */

static void on_reload(void *context)
{
    struct service *service = context;

    log_info("reading the configuration again");
    daemon_reload(service->daemon);
    privileged_ready();
}

static void on_stop(void *context)
{
    struct service *service = context;

    g_main_loop_quit(service->loop);
}

/* The parent's signals are not ours, nor is its way of looking at them. */
static void forget_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a terminal sends it to both of us; the parent says what to do */
}

_Noreturn void service_run(const struct daemon_settings *settings, const struct service_fds *fds)
{
    struct service service = {.loop = g_main_loop_new(NULL, FALSE)};
    const struct privileged_events events = {
        .reload = on_reload, .stop = on_stop, .context = &service};
    g_autoptr(GError) error = NULL;

    forget_signals();
    prctl(PR_SET_NAME, "vmbusd-service");
    if (!enter_sandbox(settings, &error)) {
        log_error("%s", error->message);
        _exit(1);
    }
    privileged_connect(fds->requests, fds->events, &events);
    service.daemon = daemon_new(settings, fds->listener);
    log_info("ready; control socket %s/vmbusd.sock", settings->run_dir);
    privileged_ready();
    g_main_loop_run(service.loop);
    daemon_free(service.daemon);
    _exit(0);
}
