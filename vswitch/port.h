/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct port_class: what a kind of port is to the switch.
 *
 * A file per kind (guest, host, adapter, dummy) ends with its const class. A port belongs to one
 * switch thread (a lane), which receives from it and pumps it; any switch thread may transmit to
 * it, and the core then holds the port's transmit lock. Frames are borrowed, never kept: a port
 * that must keep one copies it. Life:
 *
 *   vswitch_port_add()    `start` on the port's lane: watch descriptors, call vswitch_port_ready()
 *                         whenever there may be frames
 *   per turn              `receive` one burst, then `done`
 *   per burst and target  `transmit` once, `flush` once at the end of the sender's turn
 *   vswitch_port_remove() `stop` on the port's lane; nothing is called after it
 */
#ifndef VMBUSD_VSWITCH_PORT_H
#define VMBUSD_VSWITCH_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "vswitch/frame.h"

#define PORT_BURST 64u

struct port;
struct vswitch;

/* What a port's far side can take; what it cannot, the core does for it in software (segments, puts
 * the checksum in, puts the tag into the bytes). */
#define PORT_CAP_CSUM 0x1u /* FRAME_CSUM_PARTIAL */
#define PORT_CAP_GSO4 0x2u
#define PORT_CAP_GSO6 0x4u
#define PORT_CAP_VLAN 0x8u /* FRAME_VLAN in the metadata */

/* Which frames the far side of an adapter wants to hand in. */
struct port_filter {
    bool promiscuous;
    bool all_multicast;
};

struct port_class {
    const char *name; /* "guest"; for reports */
    bool uplink;      /* leads to a network with stations of its own: not the place of one MAC */

    /* Begin, on the port's lane. 0 or -errno. Never NULL. */
    int (*start)(struct port *port);

    /* End, on the port's lane: unwatch, free nothing that the owner made. Never NULL. */
    void (*stop)(struct port *port);

    /* Up to `max` (at most PORT_BURST) frames from the port into the switch; their bytes stay valid
     * until `done`. Lane: the port's. After fewer than `max` the port comes to its turn again when
     * it calls vswitch_port_ready(): from in here, or from what it has armed. Never NULL. */
    unsigned (*receive)(struct port *port, struct frame *frames, unsigned max);

    /* The frames of the last `receive` are dealt with. Lane: the port's. May be NULL. */
    void (*done)(struct port *port);

    /* Send frames out of the port, as far as there is room; returns how many were taken, from the
     * first on. The core counts the one that was not as dropped for want of room, and may call
     * again with what is behind it. Any switch thread, under the port's transmit lock. Never NULL.
     */
    unsigned (*transmit)(struct port *port, const struct frame *const *frames, unsigned count);

    /* `count` frames were dropped for want of room. As `transmit`. May be NULL. */
    void (*missed)(struct port *port, unsigned count);

    /* The sender's turn ends: publish, ring doorbells. As `transmit`. May be NULL. */
    void (*flush)(struct port *port);

    /* Take the filter over. Lane: the port's. May be NULL. */
    void (*filter)(struct port *port, const struct port_filter *filter);
};

/* Embedded in the kind's own state. Zero it, then set what is marked. The rest is the core's. */
struct port {
    const struct port_class *class; /* set by the kind */
    uint32_t caps;                  /* set by the kind, PORT_CAP_* */
    uint32_t mtu;                   /* set by the kind: largest frame without GSO, minus 14 */
    struct lane *lane;              /* set by vswitch_port_add(), before `start` */
    struct vswitch *vswitch;
    struct vswitch_port *core; /* the core's own side: policy, counters, lock */
};

/* There may be frames to receive. The port's lane. */
void vswitch_port_ready(struct port *port);

/* The far side has gone or lied (`why` for the log): the port stays, silent, until its owner
 * removes it. The port's lane. */
void vswitch_port_failed(struct port *port, const char *why);

#endif
