/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that vmbusd keeps running: started, watched, and started again when it dies, with a
 * growing pause. Main loop only.
 */
#ifndef VMBUSD_DAEMON_CHILD_H
#define VMBUSD_DAEMON_CHILD_H

#include <stdbool.h>

#include <glib.h>

struct child;

struct child_spec {
    const char *name; /* for the log */
    bool restart;     /* when it ends, however it does */

    /* Have it started (privileged.h); its process in *ret_pid. */
    bool (*start)(void *context, GPid *ret_pid, GError **error);

    /* It has ended; `status` is waitpid()'s. Before a restart. May be NULL. The callback may free
     * the child. */
    void (*ended)(void *context, int status);
    void *context;
};

/* Start it. NULL with `error` if it cannot even be started. */
struct child *child_new(const struct child_spec *spec, GError **error);

/* Its process, 0 while it pauses. */
GPid child_pid(const struct child *child);

/* Times that it was started again. */
unsigned child_restarts(const struct child *child);

/* End it (SIGTERM) and wait for it, SIGKILL after a second. NULL is fine. */
void child_end(struct child *child);

/* Leave it running and forget it. NULL is fine. */
void child_forget(struct child *child);

#endif
