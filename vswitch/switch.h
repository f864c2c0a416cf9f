/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual switch: a learning Ethernet bridge in user space, frames in bursts, on several
 * threads.
 *
 * It mimics Linux' bridge (forwarding table with ageing, flooding, IGMP and MLD snooping) and
 * Hyper-V's switch (port policies, VLAN modes, mirroring). One lane per switch thread; a port
 * belongs to one. The control calls below come from the owner's thread (main lane) and return when
 * the switch threads have seen the change.
 *
 * Left out: spanning tree (a switch has one uplink and cannot make a loop), QinQ, multicast
 * routing.
 */
#ifndef VMBUSD_VSWITCH_SWITCH_H
#define VMBUSD_VSWITCH_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/common/limits.h"
#include "vswitch/port.h"

struct vswitch;

struct vswitch_config {
    const char *name; /* for thread names and logs; copied */
    unsigned threads; /* 1 to LIMIT_SWITCH_THREADS; 0: none, the tests turn lane 0 themselves */
    uint32_t age_s;   /* of a forwarding entry, 0 = 300 s as Linux */
    bool snooping;    /* IGMP and MLD */
};

/* VLAN_NONE: untagged frames only. VLAN_ALL: all that there are, for an uplink. */
enum vlan_mode { VLAN_NONE, VLAN_ACCESS, VLAN_TRUNK, VLAN_ALL };

/* What a port may do. All zero: everything, but untagged. */
struct port_policy {
    enum vlan_mode vlan_mode;
    uint16_t vlan; /* ACCESS: its VID; TRUNK: the untagged ("native") VID, or 0 */
    uint64_t trunk[FRAME_VLANS / 64]; /* TRUNK: VIDs that may pass */
    bool mac_guard;                   /* only frames from `mac` (and ARP and ND that say so) */
    uint8_t mac[6];
    bool dhcp_guard;              /* no DHCP or DHCPv6 answers from this port */
    bool router_guard;            /* no router advertisements or redirects from this port */
    bool isolated;                /* talks to ports that are not isolated, only */
    uint32_t mirror_to;           /* port number that gets a copy of both directions, 0 = none */
    uint64_t rate_in, rate_out;   /* bits/s from the port, to the port; 0 = no limit */
    uint64_t burst_in, burst_out; /* bytes; 0 = 1/100 s of the rate, at least 64 KiB */
    uint32_t storm;               /* broadcast, multicast and unknown frames/s from the port */
    uint32_t fdb_max;             /* addresses learned on the port; 0 = LIMIT_FDB_PORT */
};

/* Why a frame went no further, or did. Index of port_stats.drops. */
enum port_drop {
    DROP_MALFORMED, /* shorter than its headers, metadata that contradicts itself */
    DROP_OVERSIZE,  /* larger than the port's MTU, with no way to cut it */
    DROP_VLAN,
    DROP_MAC_GUARD,
    DROP_DHCP_GUARD,
    DROP_ROUTER_GUARD,
    DROP_ISOLATED,
    DROP_RATE_IN,
    DROP_RATE_OUT,
    DROP_STORM,
    DROP_NO_ROOM,  /* the port's far side does not keep up */
    DROP_RESERVED, /* 01:80:c2:00:00:0x, never forwarded */
    DROPS
};

struct port_stats {
    uint64_t frames_in, bytes_in, frames_out, bytes_out;
    uint64_t broadcast_in, multicast_in, flooded_in;
    uint64_t drops_in[DROPS], drops_out[DROPS];
    uint32_t addresses; /* learned now */
};

struct vswitch *vswitch_new(const struct vswitch_config *config);

/* All ports have been removed. NULL is fine. */
void vswitch_free(struct vswitch *vswitch);

/* Add a port; its number (from 1) in *ret_number, never given out twice. 0; -ENOSPC beyond
 * LIMIT_SWITCH_PORTS; what `start` gave. */
int vswitch_port_add(struct vswitch *vswitch, struct port *port, const struct port_policy *policy,
                     uint32_t *ret_number);

/* Remove it; its addresses are forgotten. Returns when no thread touches it any more. */
void vswitch_port_remove(struct vswitch *vswitch, struct port *port);

/* 0 or -EINVAL (VID 0 or 4095, a rate below 8 kbit/s, a mirror to itself or to no port). */
int port_policy_check(const struct port_policy *policy);
int vswitch_port_set_policy(struct vswitch *vswitch, struct port *port,
                            const struct port_policy *policy);

/* True once vswitch_port_failed() was called for it. Any thread. */
bool vswitch_port_is_failed(const struct port *port);

void vswitch_port_stats(struct port *port, struct port_stats *ret_stats);
const char *port_drop_name(enum port_drop drop);

/* Call `each` for every forwarding entry. */
struct fdb_entry {
    uint8_t mac[6];
    uint16_t vlan;
    uint32_t port;
    uint32_t age_s;
};
void vswitch_fdb_each(struct vswitch *vswitch, void (*each)(const struct fdb_entry *, void *),
                      void *context);

/* Forget what was learned on a port, or on all (NULL). */
void vswitch_fdb_flush(struct vswitch *vswitch, const struct port *port);

#endif
