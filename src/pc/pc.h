/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the PC's devices need from the machine and give to it. One header per device beside its .c
 * file.
 */
#ifndef VMBUSD_PC_PC_H
#define VMBUSD_PC_PC_H

#include <pthread.h>
#include <stdint.h>

struct lane;

/* Ways out of a PC device, on the thread and under the lock that called it. */
struct pc_host {
    /* Level of an ISA interrupt line (0..15) or of a GSI. */
    void (*irq)(void *context, unsigned gsi, int level);
    /* The guest asked for a reset or for power-off (S5). Returns at once; the vCPU stops soon
     * after. */
    void (*reset)(void *context, const char *source);
    void (*poweroff)(void *context);
    void *context;
    /* The PC lock. Port handlers are called with it held; what a device does on the main lane takes
     * it. */
    pthread_mutex_t *lock;
    struct lane *lane; /* main lane: the devices' timers */
};

#endif
