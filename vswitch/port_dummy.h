/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port for tests and benches: frames come from the caller's array and go to the caller's sink.
 *
 * It mimics nothing. It can be made to stall, to refuse and to fail.
 */
#ifndef VMBUSD_VSWITCH_PORT_DUMMY_H
#define VMBUSD_VSWITCH_PORT_DUMMY_H

#include <stdatomic.h>

#include "vswitch/port.h"

struct port_dummy {
    struct port port;

    /* The caller's, before vswitch_port_add(); NULL and 0 are fine. */
    void (*sink)(struct port_dummy *dummy, const struct frame *frame); /* under the transmit lock */
    void *context;
    int start_error; /* `start` returns it */

    /* The caller's at any time. */
    atomic_uint room;    /* frames that it takes until it stalls; port_dummy_init(): all */
    atomic_bool failing; /* the next `receive` ends the port */

    /* To be read when the switch is quiet. */
    _Atomic uint64_t frames, bytes, flushes; /* sent out of the port */
    struct port_filter filter;
    unsigned filters; /* times that it was set */
    bool running;     /* between start and stop */
    atomic_uint late; /* calls while it was not */

    /* Lane only: what port_dummy_give() gave. */
    const struct frame *in;
    unsigned count, next;
    uint64_t again; /* times to start over */
};

/* Zero everything, take everything. `uplink` as in struct port_class. */
void port_dummy_init(struct port_dummy *dummy, uint32_t caps, uint32_t mtu, bool uplink);

/* Hand in `count` frames, and that `times` over. They stay the caller's and must live until
 * port_dummy_idle(). Any thread that may lane_call() the port's lane; the port is idle and on a
 * switch. */
void port_dummy_give(struct port_dummy *dummy, const struct frame *frames, unsigned count,
                     uint64_t times);

/* True if all frames have been handed in and dealt with. Same threads. */
bool port_dummy_idle(struct port_dummy *dummy);

#endif
