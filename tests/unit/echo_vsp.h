/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device for the bus's own tests: it completes every packet with the packet's payload, counts
 * what it is told, and does on demand what real devices do when they are slow or unwilling.
 */
#ifndef VMBUSD_TESTS_ECHO_VSP_H
#define VMBUSD_TESTS_ECHO_VSP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmbus/vsp.h"

#define ECHO_CHANNELS 8

extern const struct vsp_class echo_class; /* "echo" */
extern const struct vsp_class pipe_class; /* "pipe": offered as a named pipe, else the same */

struct echo {
    struct vsp vsp;
    int open_error;       /* what `open` says */
    int packet_error;     /* what `packet` says instead of taking the packet */
    bool hold_close;      /* I/O in flight: echo_let_go() answers `close` */
    bool talk_in_open;    /* send a packet from `open` */
    uint16_t subchannels; /* offer so many when a packet's first byte is 'S' */

    struct vmbus_channel *channel[ECHO_CHANNELS]; /* open ones, by subchannel index */
    struct vmbus_channel *held[ECHO_CHANNELS];    /* told to close, not answered */
    unsigned opens, closes, resets, packets, completions, bursts, writables;
    int subchannels_result;
    uint8_t user_data[VMBUS_USER_DATA];
};

/* A device of `class` with instance GUID 0..0`instance`, on `lane`. */
void echo_init(struct echo *echo, const struct vsp_class *class, unsigned instance,
               struct lane *lane);

/* In-band packet to the guest from the device's lane; vmbus_channel_send()'s result. */
int echo_send(struct echo *echo, unsigned index, const void *payload, size_t len);

/* The I/O in flight has ended: answer every `close`. */
void echo_let_go(struct echo *echo);

#endif
