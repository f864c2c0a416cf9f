/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's own control socket: newline-delimited JSON, in the manner of a worker's
 * (vmbusd-control(7)), on the main loop.
 *
 * A worker's server lives on a lane and must run sealed, this one in GLib's loop; they share
 * src/common/json.h and the form of requests and answers. Clients are root, or who started vmbusd;
 * input lines and unread output are bounded, and nothing waits for a client.
 */
#ifndef VMBUSD_DAEMON_SERVER_H
#define VMBUSD_DAEMON_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>
#include <json-c/json.h>

struct server;

/* Carry out the command `name`; `arguments` is an object or NULL. Returns what to answer, or NULL
 * with `error`. */
typedef struct json_object *(*server_execute)(void *context, const char *name,
                                              struct json_object *arguments, GError **error);

/* Bind `path` (mode 0600), replacing the socket of a dead vmbusd, and listen. -1 with `error`, also
 * if one answers there. */
int server_listen(const char *path, GError **error);

/* Serve a listening socket, which is ours from now on. Clients are root, or `owner`. */
struct server *server_new(int listener, uid_t owner, server_execute execute, void *context);

/* Send an event to the clients that have asked for them with the command "events". One that does
 * not read is dropped when LIMIT_CONTROL_OUTPUT bytes wait for it. */
void server_event(struct server *server, struct json_object *event);

/* Close every client. NULL is fine. */
void server_free(struct server *server);

/* The code of an error is its class for programs. */
#define SERVER_ERROR (server_error_quark())
GQuark server_error_quark(void);
enum server_error {
    SERVER_ERROR_SYNTAX,
    SERVER_ERROR_REQUEST,
    SERVER_ERROR_UNKNOWN_COMMAND,
    SERVER_ERROR_LIMIT,
    SERVER_ERROR_RUNNING /* server_listen() only */
};

#endif
