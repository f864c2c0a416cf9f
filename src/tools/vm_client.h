/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of a worker's control socket (vmbusd-control(7)), or of vmbusd's, for tools: one request
 * at a time, every wait with a deadline.
 */
#ifndef VMBUSD_TOOLS_VM_CLIENT_H
#define VMBUSD_TOOLS_VM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <json-c/json.h>

#define VM_CLIENT_ERROR (vm_client_error_quark())
GQuark vm_client_error_quark(void);
enum vm_client_error {
    VM_CLIENT_ERROR_FAILED,   /* the worker refused, or does not answer */
    VM_CLIENT_ERROR_NOT_THERE /* no such VM, or it does not run */
};

struct vm_client;

/* The directory to look names up in: `given`, else what vmbusd-worker(8) says. g_free() it. */
char *vm_client_run_dir(const char *given);

/* Connect to `vm`, a name or (with a slash) a socket's path. NULL with `error`. */
struct vm_client *vm_client_open(const char *run_dir, const char *vm, GError **error);

/* Connect to the daemon of the run directory instead. */
struct vm_client *vm_client_open_daemon(const char *run_dir, GError **error);
void vm_client_free(struct vm_client *client);

/* Carry out `command` and return what it returns (to be json_object_put(); JSON null is NULL
 * without `error`). Takes `arguments`, which may be NULL. Events that come meanwhile are passed
 * over. */
struct json_object *vm_client_call(struct vm_client *client, const char *command,
                                   struct json_object *arguments, int timeout_s, GError **error);

/* Send `fd` along with the next call, which closes it. */
void vm_client_give_fd(struct vm_client *client, int fd);

/* The descriptor that came with the last answer that had one; -1: none did. The caller's. */
int vm_client_take_fd(struct vm_client *client);

/* The next document, or NULL: with `error` when `timeout_s` seconds (-1: none) have passed or the
 * stream is no JSON, without when the worker has ended. */
struct json_object *vm_client_next(struct vm_client *client, int timeout_s, GError **error);

#endif
