/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generator and sink of the switch bench: the far sides of all port rings, on one core.
 *
 * Port n's station sends to port n ^ 1's without end. Every byte of a frame is written by the
 * generator and read by the sink. What carries the frames from ring to ring, on another core, is
 * bench-switch's switch or bench-switch-ceiling's bare loop.
 */
#ifndef VMBUSD_TESTS_BENCH_SWITCH_LOAD_H
#define VMBUSD_TESTS_BENCH_SWITCH_LOAD_H

#include <stdint.h>

#include "vswitch/port_ring.h"

#define LOAD_PORTS 64u

struct load {
    unsigned ports;  /* even */
    uint32_t length; /* of a frame */
    double seconds;
    struct frame_meta meta;
    struct port_ring_fds fds[LOAD_PORTS];
    struct port_ring ring[LOAD_PORTS]; /* the workers' side */
    uint8_t *frame[LOAD_PORTS];        /* what a port's station sends */
    uint64_t sent, received, digest;
};

/* Read "PORTS LENGTH SECONDS" and make the rings, or exit. */
struct load *load_new(int argc, char **argv);
void load_free(struct load *load);

/* The MAC address of a port's station. */
void load_mac(uint8_t mac[6], unsigned port);

/* Run the calling thread on the core `cpu`, if there are so many. */
void load_pin(unsigned cpu);

/* Generate and sink; then print a line: who, ports, bytes, million frames and Gbit of frames per
 * second that arrived, percent that did not. */
void load_run(struct load *load, const char *who);

void load_fail(const char *what) __attribute__((noreturn));

#endif
