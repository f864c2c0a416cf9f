/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch whose one lane the test turns by hand, with dummy ports that keep what they are sent.
 *
 * Ports count from 0 here, and station n has the address 02:00:00:00:00:n.
 */
#ifndef VMBUSD_TESTS_UNIT_SWITCH_FIXTURE_H
#define VMBUSD_TESTS_UNIT_SWITCH_FIXTURE_H

#include <glib.h>

#include "vswitch/port_dummy.h"
#include "vswitch/switch.h"

#define SF_PORTS     8u
#define SF_BROADCAST 0xffu
#define SF_ALL_CAPS  (PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN)
#define SF_MTU       1500u

/* What a port was sent. */
struct sf_taken {
    struct frame_meta meta;
    uint8_t *bytes;
};

struct sf_port {
    struct port_dummy dummy;
    uint32_t number;
    GArray *taken; /* struct sf_taken */
};

struct sf_net {
    struct vswitch *vswitch;
    struct lane *lane;
    unsigned ports;
    struct sf_port port[SF_PORTS];
};

/* Ports that can everything, without policies. */
struct sf_net *sf_new(unsigned ports);
struct sf_net *sf_new_with(const struct vswitch_config *config, unsigned ports);
void sf_free(struct sf_net *net);

/* Add one more. */
struct sf_port *sf_add(struct sf_net *net, uint32_t caps, bool uplink,
                       const struct port_policy *policy);
void sf_policy(struct sf_net *net, unsigned port, const struct port_policy *policy);

/* Turn until nothing is left to do. */
void sf_settle(struct sf_net *net);

/* An Ethernet header and a pattern, in `bytes`, of `length` bytes in all. `to` may be
 * SF_BROADCAST. */
struct frame sf_frame(uint8_t *bytes, uint32_t length, unsigned from, unsigned to);

/* Hand frames in and settle. */
void sf_give(struct sf_net *net, unsigned port, const struct frame *frames, unsigned count);

/* One frame of 60 bytes from station `from` on `port` to station `to`, untagged or in `vlan`. */
void sf_send(struct sf_net *net, unsigned port, unsigned from, unsigned to);
void sf_send_vlan(struct sf_net *net, unsigned port, unsigned from, unsigned to, uint16_t vlan);

/* Frames that the port has got since the last time it was asked. */
unsigned sf_got(struct sf_net *net, unsigned port);

/* The ports that got exactly one frame, as digits ("02"), and forget it; a port that got more makes
 * it "many". */
const char *sf_receivers(struct sf_net *net);

/* Frame `n` of those that the port has got and was not asked about. */
const struct sf_taken *sf_taken(struct sf_net *net, unsigned port, unsigned n);

struct port_stats sf_stats(struct sf_net *net, unsigned port);

#endif
