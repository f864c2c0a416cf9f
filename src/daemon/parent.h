/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's root process. It carries out the requests of one unprivileged child (request.h), keeps
 * what must not be lost when that dies (the host's interfaces, adapters, programs), starts it
 * again, and undoes everything at the end.
 *
 * One thread, one poll() loop. It parses nothing that comes from a guest, a client or a
 * configuration file: only fixed-size requests, and what the kernel says of its links.
 */
#ifndef VMBUSD_DAEMON_PARENT_H
#define VMBUSD_DAEMON_PARENT_H

#include <glib.h>

#include "src/daemon/daemon.h"

struct parent;

/* Find what a former life has left under the run directory, which is made. NULL with `error` if the
 * directories cannot be used. */
struct parent *parent_new(const struct daemon_settings *settings, GError **error);

/* Close everything, undo nothing. NULL is fine. */
void parent_free(struct parent *parent);

/* Undo whatever this life or a former one did to the host; workers run on. False if something could
 * not be undone; the log tells what. */
bool parent_undo(struct parent *parent);

/* Be the parent: start the child and serve it until a signal says to end. The exit status. */
int parent_run(struct parent *parent);

/* Carry out one request if there is one on the socket, and reply. False if the other side has gone,
 * or has sent what is none. For parent_run() and for tests. */
bool parent_serve(struct parent *parent, int requests, int events);

/* Tell the child of its programs that have ended. */
void parent_reap(struct parent *parent);

#endif
