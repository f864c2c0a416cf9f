/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that vmbusd keeps running: see child.h.
 */
#include "src/daemon/child.h"

#include <sys/wait.h>

#include "src/common/log.h"
#include "src/daemon/privileged.h"

#define PAUSE_FIRST 1u /* seconds */
#define PAUSE_MOST  60u
#define STEADY      60 /* seconds after which the pause is short again */

struct child {
    struct child_spec spec; /* without its name */
    char *name;
    GPid pid;    /* 0: none */
    guint timer; /* a GLib source, 0: none */
    unsigned pause, restarts;
    gint64 started;
};

static bool start(struct child *child, GError **error);

static gboolean on_pause_over(void *context)
{
    struct child *child = context;
    g_autoptr(GError) error = NULL;

    child->timer = 0;
    child->restarts++;
    if (!start(child, &error)) {
        log_error("%s: cannot be started again: %s", child->name, error->message);
        child->timer = g_timeout_add_seconds(PAUSE_MOST, on_pause_over, child);
    }
    return G_SOURCE_REMOVE;
}

static void tell(const struct child *child, int status)
{
    if (WIFSIGNALED(status))
        log_warning("%s (process %d) was ended by signal %d", child->name, (int)child->pid,
                    WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_warning("%s (process %d) ended with status %d", child->name, (int)child->pid,
                    WEXITSTATUS(status));
    else
        log_info("%s (process %d) has ended", child->name, (int)child->pid);
}

static void on_exit_of(void *context, GPid pid, int status)
{
    struct child *child = context;
    bool again = child->spec.restart;

    (void)pid;
    tell(child, status);
    child->pid = 0;
    if (again) {
        bool steady = g_get_monotonic_time() - child->started > STEADY * G_TIME_SPAN_SECOND;

        child->pause = steady ? PAUSE_FIRST : child->pause;
        log_info("%s starts again in %u s", child->name, child->pause);
        child->timer = g_timeout_add_seconds(child->pause, on_pause_over, child);
        child->pause = MIN(child->pause * 2, PAUSE_MOST);
    }
    if (child->spec.ended)
        child->spec.ended(child->spec.context, status);
}

static bool start(struct child *child, GError **error)
{
    if (!child->spec.start(child->spec.context, &child->pid, error)) {
        child->pid = 0;
        return false;
    }
    child->started = g_get_monotonic_time();
    privileged_on_ended(child->pid, on_exit_of, child);
    return true;
}

struct child *child_new(const struct child_spec *spec, GError **error)
{
    struct child *child = g_new0(struct child, 1);

    child->spec = *spec;
    child->name = g_strdup(spec->name);
    child->pause = PAUSE_FIRST;
    if (start(child, error))
        return child;
    child_forget(child);
    return NULL;
}

GPid child_pid(const struct child *child)
{
    return child->pid;
}

unsigned child_restarts(const struct child *child)
{
    return child->restarts;
}

void child_forget(struct child *child)
{
    if (!child)
        return;
    if (child->pid)
        privileged_on_ended(child->pid, NULL, NULL);
    if (child->timer)
        g_source_remove(child->timer);
    g_free(child->name);
    g_free(child);
}

void child_end(struct child *child)
{
    if (child && child->pid)
        privileged_end(child->pid);
    child_forget(child);
}
