/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's three ways of being asked about links: rtnetlink, ethtool, and the files under
 * /proc/sys/net. Control plane; each call waits for the kernel's answer.
 *
 * libnl-3 carries the messages. Its route library's objects are not used: they keep only the
 * attributes that the library knows, and what is taken from a host must come back whole.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_NETLINK_H
#define VMBUSD_VSWITCH_ADAPTER_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct nl_msg;
struct nl_sock;
struct nlmsghdr;

/* A socket of NETLINK_ROUTE or NETLINK_GENERIC in the caller's network namespace. Free with
 * nl_socket_free(). NULL with `error`. */
struct nl_sock *adapter_netlink_open(int protocol, GError **error);

/* Send a dump request with the fixed header `header` and collect the answers, each a copied struct
 * nlmsghdr. Asks again when the kernel says that the table changed under the dump. NULL with
 * `error`. */
GPtrArray *adapter_netlink_dump(struct nl_sock *sock, int type, const void *header, size_t length,
                                GError **error);

/* Send `message`, which is freed, and wait for the acknowledgement. 0 or -errno of the kernel. */
int adapter_netlink_do(struct nl_sock *sock, struct nl_msg *message);

/* A socket that hears what the kernel tells in the groups RTNLGRP_*, the last of which is 0. Free
 * with nl_socket_free(). NULL with `error`. */
struct nl_sock *adapter_netlink_listen(const int *groups, GError **error);

/* Read all that it has heard away, without waiting, each notice with a call. True if some were
 * lost, because nobody read for too long: then what they told has to be looked up. */
bool adapter_netlink_notices(struct nl_sock *sock,
                             void (*each)(struct nlmsghdr *notice, void *context), void *context);

/* RTM_NEWLINK for one link: admin state, MAC, MTU. 0 or -errno. */
int adapter_netlink_set_up(struct nl_sock *sock, int index, bool up);
int adapter_netlink_set_mac(struct nl_sock *sock, int index, const uint8_t mac[6]);
int adapter_netlink_set_mtu(struct nl_sock *sock, int index, uint32_t mtu);

/* Index of the link that an address is reached over, 0 if there is no way. `family` is AF_INET or
 * AF_INET6. */
int adapter_netlink_way_to(struct nl_sock *sock, int family, const void *address);

/* Mbit/s, 0 if the link does not know. */
uint32_t adapter_ethtool_speed(const char *name);

/* A feature by ethtool's name ("rx-gro-hw"): 1 on, 0 off, -errno; -ENOENT if the kernel has no such
 * feature, -EPERM if it is fixed. */
int adapter_ethtool_feature(const char *name, const char *feature);
int adapter_ethtool_set_feature(const char *name, const char *feature, bool on);

/* /proc/sys/net/<family>/conf/<link>/<key>; `setting` is "ipv6/accept_ra". The value without its
 * newline, or NULL with errno. */
char *adapter_sysctl_read(const char *link, const char *setting);
int adapter_sysctl_write(const char *link, const char *setting, const char *value);

/* Names of all settings of a link that can be written, both families, as above; free the array. */
GPtrArray *adapter_sysctl_list(const char *link);

#endif
