/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host has already that a network would collide with. Looked at when a network starts;
 * nothing here changes anything.
 */
#ifndef VMBUSD_DAEMON_HOST_CONFLICT_H
#define VMBUSD_DAEMON_HOST_CONFLICT_H

#include "src/daemon/network_xml.h"
#include "src/daemon/request.h"

/* The addresses of the host that have a subnet, link-local ones of IPv6 aside: an array of struct
 * request_address. The parent's. */
GArray *host_conflict_addresses(void);

/* False with `error` if a subnet of the network overlaps one that an interface of the host is in;
 * those of `ours` (NULL-terminated) do not count. `host` is as above. */
bool host_conflict_subnets(const struct network_config *config, const GArray *host,
                           const char *const *ours, GError **error);

/* The parent's too: false with `error` if an interface lives on router advertisements in a way that
 * forwarding of IPv6 would end. */
bool host_conflict_forwarding6(GError **error);

/* What in a ruleset (of "nft -j list ruleset") keeps packets of a NAT network from being forwarded,
 * and what to do: one line, g_free() it. NULL: nothing that is known to. A firewall whose rules
 * name the network's interface is taken to have been told. */
char *host_conflict_firewall(const struct network_config *config, const char *ruleset);

#endif
