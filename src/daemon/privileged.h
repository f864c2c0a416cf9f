/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that vmbusd does as root, and the only file of src/daemon that may do it: interfaces,
 * addresses, packet filter, forwarding, and programs.
 *
 * Each call is one request with plain values, so that it can become a message to a root parent: the
 * caller of today runs it in its own process. None parses anything that a guest wrote.
 */
#ifndef VMBUSD_DAEMON_PRIVILEGED_H
#define VMBUSD_DAEMON_PRIVILEGED_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/daemon/address.h"

struct adapter_takeover;
struct port_packet_fds;

#define PRIVILEGED_ERROR (privileged_error_quark())
GQuark privileged_error_quark(void);
enum privileged_error { PRIVILEGED_ERROR_SYSTEM, PRIVILEGED_ERROR_PROGRAM };

/* Create the host's interface of a switch: a TAP, up; its descriptor in *ret_fd. It hears no router
 * advertisements: those on it would be the guests'. */
bool privileged_tap(const char *name, const uint8_t mac[6], uint32_t mtu, int *ret_fd,
                    GError **error);

/* Packet sockets on an adapter. */
bool privileged_packet(const char *interface, struct port_packet_fds *ret_fds, GError **error);

/* Take an adapter over and give it back; see vswitch/adapter_takeover.h. The journals' folder is
 * made. */
bool privileged_take(const struct adapter_takeover *takeover, GPtrArray *reports, GError **error);
bool privileged_give_back(const struct adapter_takeover *takeover, GError **error);
bool privileged_follow(const struct adapter_takeover *takeover, GError **error);
void privileged_guard(const struct adapter_takeover *takeover);

/* Give back what a former life left taken, or half taken. */
void privileged_recover_adapters(const char *journals);

/* Give the interface an address; that it has it already is fine. IPv6 without duplicate address
 * detection, because dnsmasq wants to use it at once. */
bool privileged_address(const char *interface, const struct address *address, unsigned prefix,
                        GError **error);

/* Have nft carry out a script, which it does wholly or not at all. */
bool privileged_nft(const char *script, GError **error);

/* All rules of this host as nft's JSON, or NULL. g_free() it. */
char *privileged_nft_list(void);

/* Read and set forwarding of a family (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding). -1 with
 * `error` if it cannot be read. */
int privileged_forwarding(int family, GError **error);
bool privileged_set_forwarding(int family, bool on, GError **error);

/* Start a program, found in PATH unless there is a slash in its name, with our standard input and
 * standard output on standard error; a session of its own, so that it outlives this process. To be
 * watched with g_child_watch_add(). `environment` (NULL-terminated, may be NULL) is added to ours.
 */
bool privileged_spawn(const char *const *argv, const char *const *environment, GPid *ret_pid,
                      GError **error);

/* End the process whose id is in the file, if the command line of that process has `word` in it:
 * what a former life left behind. Waits until it is gone, a second at most. */
void privileged_end_leftover(const char *pid_file, const char *word);

/* Signal a child that was started here. */
void privileged_signal(GPid pid, int signal_number);

#endif
