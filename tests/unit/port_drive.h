/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives a port as the switch would, one lane turned by the test; takes the place of the switch
 * core.
 */
#ifndef VMBUSD_TESTS_UNIT_PORT_DRIVE_H
#define VMBUSD_TESTS_UNIT_PORT_DRIVE_H

#include "vswitch/port.h"

/* What the core would keep; port->core. */
struct vswitch_port {
    bool ready;
    unsigned failures;
    char why[128];
};

/* Start the port on `lane`; stop it. */
void drive_start(struct port *port, struct lane *lane);
void drive_stop(struct port *port);

/* Turn the lane until `received` has been called with frames for `ms` at most, or said that it has
 * enough (true). Every frame of each burst is passed on, then `done`. */
bool drive_until(struct port *port, bool (*received)(const struct frame *frame, void *context),
                 void *context, int ms);

/* Turn the lane until one of the tests' frames (raw_is_ours()) is in, and keep a copy; false if
 * none comes in `ms`. More than one at once is a failure. */
struct drive_frame {
    struct frame_meta meta;
    uint8_t bytes[LIMIT_FRAME];
};
bool drive_receive(struct port *port, struct drive_frame *ret_frame, int ms);

/* Turn the lane for so long, receive what there is and throw it away. Number of the tests' frames.
 */
unsigned drive_drain(struct port *port, int ms);

/* Send one frame of `length` bytes. True if the port took it. */
bool drive_send(struct port *port, const uint8_t *bytes, uint32_t length,
                const struct frame_meta *meta);

/* --- Two ports as one wire ------------------------------------------------------------------ */

struct drive_wire {
    struct port *ends[2];
    uint16_t tag; /* put on what goes to ends[1], taken off what comes from there; 0 = none */
    uint64_t frames, partial, segments, tagged; /* that came in, both ways */
    uint32_t longest;
    uint64_t refused; /* not taken at once; they are tried again, as a guest would wait */
};

/* Carry frames both ways until child `pid` has ended; demands that it returned. */
void drive_wires_until(struct drive_wire *wires, unsigned count, int pid);

#endif
