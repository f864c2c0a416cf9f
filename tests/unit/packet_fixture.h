/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of the adapter port: a veth pair in a network namespace, a0 the adapter, b0 the
 * other end of its cable.
 */
#ifndef VMBUSD_TESTS_UNIT_PACKET_FIXTURE_H
#define VMBUSD_TESTS_UNIT_PACKET_FIXTURE_H

#include <stdint.h>

#include "tests/unit/netns_fixture.h"
#include "tests/unit/port_drive.h"
#include "vswitch/port_packet_priv.h"

#define PACKET_MTU 9000u

/* A veth pair, both ends up. */
void packet_pair(const char *adapter, const char *peer);

/* An adapter port that takes every frame, started on `lane`; its end. */
struct port *packet_make(const char *adapter, struct lane *lane);
void packet_end(struct port *port);

/* One adapter port, and a raw station on the cable's other end. */
struct cable {
    struct lane *lane;
    struct port *port;
    int raw;
};
struct cable cable_new(void);
void cable_end(struct cable *cable);

/* An interface that is up drops what it is given until the kernel's own work queue has made its
 * carrier known: send until something comes out at the other end, both ways. */
void cable_wait(struct cable *cable);

/* Frames of every size both ways, whole, and no others. */
void cable_both_ways(struct cable *cable);

struct port_packet *packet_inside(struct port *port);

/* Keep the port on its ring (1), or off it (0). */
void packet_force(struct port *port, unsigned which);

#endif
