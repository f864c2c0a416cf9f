/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unprivileged process has done by its root parent: interfaces, addresses, adapters,
 * packet filter, programs, and files to be read. Each call is one request (request.h) that waits
 * for its reply; main thread only. If the parent has gone, so does this process.
 */
#ifndef VMBUSD_DAEMON_PRIVILEGED_H
#define VMBUSD_DAEMON_PRIVILEGED_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/daemon/address.h"
#include "src/daemon/request.h"

struct port_packet_fds;

#define PRIVILEGED_ERROR (privileged_error_quark())
GQuark privileged_error_quark(void);
enum privileged_error { PRIVILEGED_ERROR_SYSTEM };

/* What the parent tells unasked, from the main loop. Any member may be NULL. */
struct privileged_events {
    void (*reload)(void *context);
    void (*stop)(void *context);
    void *context;
};

/* The sockets to the parent, ours from now on. `events` is copied. */
void privileged_connect(int requests, int events, const struct privileged_events *told);
void privileged_disconnect(void);

/* The configuration has been read. */
void privileged_ready(void);

/* Everything that the configuration asks for has been asked for: what a former life left beyond
 * that can go. */
void privileged_settled(void);

/* --- Files ------------------------------------------------------------------------------------ */

/* Open a folder of the configuration, or a file of it, to be read. -1 with `error`. */
int privileged_folder(enum request_folder folder, GError **error);
int privileged_file(enum request_folder folder, const char *name, GError **error);

/* Connect to the socket of that name in the run directory. The descriptor, or -errno: -ENOENT and
 * -ECONNREFUSED say that nobody is there. */
int privileged_dial(const char *name);

/* --- Interfaces ------------------------------------------------------------------------------- */

/* Create the host's interface of a switch: a TAP, up; its descriptor in *ret_fd. Or have back the
 * one that is there. It hears no router advertisements. `persistent` if the host's own addresses
 * will be on it. */
bool privileged_tap(const char *name, const uint8_t mac[6], uint32_t mtu, bool persistent,
                    int *ret_fd, GError **error);

/* Nobody uses it any more: closing the descriptor alone leaves it. */
void privileged_tap_drop(const char *name);

/* Give such an interface an address; that it has it already is fine. */
bool privileged_address(const char *interface, const struct address *address, unsigned prefix,
                        GError **error);

/* Addresses of the host's interfaces: an array of struct request_address; host_conflict.h. */
GArray *privileged_host(void);

/* --- Links and adapters ----------------------------------------------------------------------- */

/* Have links followed from now on; `changed` is called from the main loop whenever some link may be
 * another than it was. One entry per `context`. */
bool privileged_watch(bool raise, bool veth, void (*changed)(void *context), void *context,
                      GError **error);
void privileged_unwatch(void *context);

/* All links as they are, by rising index: an array of struct adapter. *ret_states has a struct
 * request_state beside each. NULL with `error`. */
GArray *privileged_links(GArray **ret_states, GError **error);

/* vswitch/adapter_takeover.h. Finding its own complete takeover it leaves that alone. */
bool privileged_take(const struct request_take *take, GPtrArray *reports, GError **error);
bool privileged_follow(const struct request_take *take, GError **error);
bool privileged_give_back(const struct request_take *take, GError **error);

/* Packet sockets on an adapter that has been taken. */
bool privileged_packet(const char *interface, struct port_packet_fds *ret_fds, GError **error);

/* --- Packet filter ---------------------------------------------------------------------------- */

/* nat.h */
bool privileged_nat(const struct request_nat *nat, GError **error);
void privileged_nat_stop(const char *network);

/* All rules of the host as nft's JSON, or NULL; g_free() it. */
char *privileged_rules(void);

/* --- Programs --------------------------------------------------------------------------------- */

/* Start the worker of a machine's file, or dnsmasq with these lines of configuration beside those
 * that name the interface and its files. */
bool privileged_worker(const char *file, GPid *ret_pid, GError **error);
bool privileged_dnsmasq(const char *network, const char *interface, const char *lines,
                        GPid *ret_pid, GError **error);

/* Call ended(context, pid, waitpid()'s status) when a process has ended, from the main loop; once.
 * NULL: forget that. */
void privileged_on_ended(GPid pid, void (*ended)(void *context, GPid pid, int status),
                         void *context);

/* End a dnsmasq and wait until it has gone, a second at most. */
void privileged_end(GPid pid);

#endif
