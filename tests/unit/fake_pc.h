/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC with no processor: ports, interrupt lines that remember their level, and counters for what
 * ends a machine. For tests and fuzz targets of the PC's devices.
 */
#ifndef VMBUSD_TESTS_UNIT_FAKE_PC_H
#define VMBUSD_TESTS_UNIT_FAKE_PC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/pc/pc.h"
#include "src/pc/pio.h"

#define FAKE_PC_LINES 24

struct fake_pc {
    struct pc_host host;
    struct pio pio;
    pthread_mutex_t lock;
    bool level[FAKE_PC_LINES];
    unsigned edges[FAKE_PC_LINES]; /* from low to high */
    unsigned resets, poweroffs;
    const char *reset_source; /* of the last reset */
};

/* With a lane that has no thread yet: lane_start(pc->host.lane, ...) lets timers fire. */
void fake_pc_init(struct fake_pc *pc);
void fake_pc_fini(struct fake_pc *pc);

/* Port accesses as a vCPU makes them, under the PC lock. */
uint32_t fake_pc_in(struct fake_pc *pc, uint16_t port, unsigned size);
void fake_pc_out(struct fake_pc *pc, uint16_t port, unsigned size, uint32_t value);
uint8_t fake_pc_inb(struct fake_pc *pc, uint16_t port);
void fake_pc_outb(struct fake_pc *pc, uint16_t port, uint8_t value);

bool fake_pc_level(struct fake_pc *pc, unsigned line);

/* True if the line goes high within `ms`. */
bool fake_pc_wait_high(struct fake_pc *pc, unsigned line, unsigned ms);

#endif
