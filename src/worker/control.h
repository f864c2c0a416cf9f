/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: newline-delimited JSON over a UNIX stream socket, vmbusd-control(7).
 *
 * Lives on the machine's main lane. After the sandbox has closed it uses accept4, getsockopt, recv,
 * send, epoll_ctl and close only. Clients are few (LIMIT_CONTROL_CLIENTS) and trusted to command
 * the VM (root, or the user who started it), but not to be well-behaved: input lines and unread
 * output are bounded, and nothing waits for a client.
 */
#ifndef VMBUSD_WORKER_CONTROL_H
#define VMBUSD_WORKER_CONTROL_H

#include <glib.h>

#include "src/worker/machine.h"

#define CONTROL_PROTOCOL 1

#define CONTROL_ERROR (control_error_quark())
GQuark control_error_quark(void);
enum control_error {
    CONTROL_ERROR_PATH,   /* the path cannot hold a socket */
    CONTROL_ERROR_RUNNING /* somebody answers there: EXIT_STATUS_REFUSED */
};

struct control;

/* Bind `path` (mode 0600; a dead worker's socket is replaced), listen, and watch it on the
 * machine's main lane; registers a machine listener. Before the sandbox closes. NULL with `error`.
 */
struct control *control_new(struct machine *machine, const char *path, GError **error);

/* The sandbox has closed: control_free() must not touch the file system any more. */
void control_sealed(struct control *control);

/* Close every client and, unless sealed, remove the socket's file. A sealed worker leaves it
 * behind; the next start and vmbusctl see that nobody answers. The machine sends no events after
 * this, so: when the main lane has ended. NULL is fine. */
void control_free(struct control *control);

#endif
