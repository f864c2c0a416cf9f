/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host has already that a network would collide with. Looked at when a network starts;
 * nothing here changes anything.
 */
#ifndef VMBUSD_DAEMON_HOST_CONFLICT_H
#define VMBUSD_DAEMON_HOST_CONFLICT_H

#include "src/daemon/network_xml.h"

/* False with `error` if a subnet of the network overlaps one that an interface of the host is in;
 * those of `ours` (NULL-terminated) do not count. */
bool host_conflict_subnets(const struct network_config *config, const char *const *ours,
                           GError **error);

/* False with `error` if an interface lives on router advertisements in a way that forwarding of
 * IPv6 would end. */
bool host_conflict_forwarding6(GError **error);

/* What in a ruleset (of "nft -j list ruleset") keeps packets of a NAT network from being forwarded,
 * and what to do: one line, g_free() it. NULL: nothing that is known to. A firewall whose rules
 * name the network's interface is taken to have been told. */
char *host_conflict_firewall(const struct network_config *config, const char *ruleset);

#endif
