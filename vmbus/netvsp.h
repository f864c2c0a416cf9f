/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp: the synthetic network adapter as the machine sees it. The device is in netvsp.c.
 *
 * It needs no switch to exist: without a port attached its link is down and what the guest sends is
 * dropped. A port can come and go while the guest runs.
 */
#ifndef VMBUSD_VMBUS_NETVSP_H
#define VMBUSD_VMBUS_NETVSP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/guid.h"
#include "src/common/lane.h"
#include "src/common/limits.h"
#include "vmbus/vsp.h"
#include "vswitch/port_ring.h"

struct netvsp;

struct netvsp_config {
    struct guid instance;
    uint8_t mac[6];                 /* permanent address; unicast, not zero */
    bool mac_change;                /* the guest may take another one */
    uint32_t mtu;                   /* without the Ethernet header, 68 to LIMIT_MTU; 0 = 1500 */
    uint64_t speed;                 /* of the link, bit/s, as the guest is told; 0 = 10 Gbit/s */
    char name[64];                  /* friendly name, UTF-8; empty = "Network Adapter" */
    struct lane *lane[LIMIT_LANES]; /* lane[0] has the primary channel; the others subchannels */
    unsigned lanes;                 /* 1 to LIMIT_PORT_QUEUES */
};

struct netvsp_stats {
    uint64_t frames_in, bytes_in;   /* from the switch to the guest */
    uint64_t frames_out, bytes_out; /* from the guest to the switch */
    uint64_t no_buffer_in;          /* dropped by the switch while the guest took too few */
    uint64_t filtered_in;           /* for other stations, or while the guest's filter is 0 */
    uint64_t dropped_in;            /* too large for the guest's buffers, and not to be cut */
    uint64_t dropped_out;           /* no port attached, or its switch is gone */
    uint64_t bad_out;               /* frames that the guest got wrong */
    uint64_t ignored_out;           /* control messages of a type that does not exist */
    uint64_t stalls_in;             /* times that reading stopped for want of guest buffers */
    uint64_t stalls_out;            /* times that the guest waited for room in the port ring */
};

/* What the guest and the adapter have agreed on. */
struct netvsp_info {
    uint32_t nvsp;   /* 0x00060001 = 6.1; 0 before the handshake */
    uint32_t ndis;   /* major << 16 | minor; 0 before */
    bool attached;   /* a port is there */
    bool link;       /* what the guest was told last */
    uint32_t filter; /* packet filter of the guest, 0 = receives nothing */
    uint8_t mac[6];  /* in use */
    uint32_t mtu;    /* without the Ethernet header; never more than configured */
    unsigned channels;
};

/* An adapter; everything is allocated here. NULL with errno (EINVAL: config). */
struct netvsp *netvsp_new(const struct netvsp_config *config);

/* All channels are closed: the lanes have ended, or the bus has let go of it (vmbus_bus_remove()).
 * A port that is still attached is detached. Main lane, or the last thread. NULL is fine. */
void netvsp_free(struct netvsp *netvsp);

/* For vmbus_bus_add(). */
struct vsp *netvsp_vsp(struct netvsp *netvsp);

/* Attach the port ring behind `fds`, which holds at least config.lanes queue pairs, and the guest's
 * link comes up; a port that is attached already is let go of, and the guest does not notice. The
 * descriptors become the adapter's, which closes them at detach; after an error they are still the
 * caller's, and all is as before. Main lane (it waits for the adapter's lanes). 0; -EINVAL fewer
 * queues than lanes; what port_ring_map() said. */
int netvsp_attach(struct netvsp *netvsp, const struct port_ring_fds *fds, unsigned queues);

/* Let go of the port, and the guest's link goes down. What the guest has sent and the switch has
 * not taken stays in the ring. Nothing if no port is attached. Main lane. */
void netvsp_detach(struct netvsp *netvsp);

/* Sum over channels; any lane, values may be a moment old. */
void netvsp_stats(const struct netvsp *netvsp, struct netvsp_stats *ret_stats);

/* Any lane, values may be a moment old. */
void netvsp_info(const struct netvsp *netvsp, struct netvsp_info *ret_info);

#endif
