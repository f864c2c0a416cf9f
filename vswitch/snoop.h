/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IGMP and MLD snooping: which ports want a multicast group.
 *
 * It mimics Linux' bridge and follows RFC 4541: a group's frames go to its members and to ports
 * with a router behind them, reports go to router ports only, and everything floods while no
 * querier is known in the VLAN, or less than SNOOP_SETTLE_NS. 224.0.0.x and IPv6 groups of
 * link-local scope or less always flood. Groups are told apart by IP address, per VLAN.
 *
 * Snooping saves frames, it guards nothing. So whenever it is in doubt it sends more: a lookup that
 * meets a change floods, and a port whose report found no room gets every group.
 *
 * Lookups take no lock and never wait; reports that change something take a mutex. Ages are three
 * generations of SNOOP_GENERATION_NS each: a member is forgotten after two to three of them without
 * a report, a router likewise (RFC 3376: 260 s; RFC 2236: 255 s).
 *
 * A station that lies well enough to be taken for a querier can still make others lose groups; a
 * router guard keeps it from that.
 *
 * Left out: sources of IGMPv3 and MLDv2 (any source is all of them), sending queries, proxying.
 */
#ifndef VMBUSD_VSWITCH_SNOOP_H
#define VMBUSD_VSWITCH_SNOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/limits.h"
#include "vswitch/frame.h"
#include "vswitch/inspect.h"

#define SNOOP_GENERATION_NS (130ull * 1000 * 1000 * 1000)
#define SNOOP_SETTLE_NS     (12ull * 1000 * 1000 * 1000) /* members have 10 s to answer a query */

/* What snoop_frame() may conclude from a port's frames. */
#define SNOOP_ROUTER     0x1u /* queries and PIM hellos count: not with a router guard */
#define SNOOP_FAST_LEAVE 0x2u /* one station is behind it: it leaves, the port leaves */

/* Ports by place in the switch, 0 to LIMIT_SWITCH_PORTS - 1 (not by number). */
struct port_set {
    uint64_t word[LIMIT_SWITCH_PORTS / 64];
};

static inline bool port_set_has(const struct port_set *set, unsigned port)
{
    return set->word[port / 64] >> (port % 64) & 1;
}

struct snoop;

/* Takes 512 KiB. */
struct snoop *snoop_new(void);

/* NULL is fine. */
void snoop_free(struct snoop *snoop);

/* Learn from a multicast frame (not broadcast) that came in through `port`, and find where it goes.
 * `info` has passed policy_ingress() and may be looked at deeper. True: to the ports of *ret_ports
 * (which may hold `port` itself) and no others; false: flood. Any switch thread. */
bool snoop_frame(struct snoop *snoop, const struct frame *frame, struct frame_info *info,
                 unsigned port, unsigned flags, uint64_t now_ns, struct port_set *ret_ports);

/* Forget what is too old. Call every second or so, from one thread. */
void snoop_age(struct snoop *snoop, uint64_t now_ns);

/* The port has gone, or its VLANs have changed. Any thread. */
void snoop_forget(struct snoop *snoop, unsigned port);

/* Groups known now, routers not counted. Any thread. */
unsigned snoop_groups(struct snoop *snoop);

#endif
