/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the PC's devices need from the machine and give to it. One header per device beside its .c
 * file.
 */
#ifndef VMBUSD_PC_PC_H
#define VMBUSD_PC_PC_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct lane;

/* Memory of devices that a guest may reach without an exit. Each is in one place at a time. */
enum pc_map {
    PC_MAP_VGA,        /* frame buffer */
    PC_MAP_VGA_WINDOW, /* what of it shows at 0xA0000 */
    PC_MAP_VGA_ROM,
    PC_MAP_GENERATION, /* the generation counter's page */
    PC_MAPS
};

struct pc_mapping {
    enum pc_map map;
    uint64_t address, size; /* whole pages; size 0: nowhere */
    void *memory;
    bool readonly; /* writes come to mmio.h */
};

/* Ways out of a PC device, on the thread and under the lock that called it. */
struct pc_host {
    /* Level of an ISA interrupt line (0..15) or of a GSI. */
    void (*irq)(void *context, unsigned gsi, int level);
    /* The guest asked for a reset or for power-off (S5). Returns at once; the vCPU stops soon
     * after. */
    void (*reset)(void *context, const char *source);
    void (*poweroff)(void *context);
    /* Put a device's memory into the guest's address space, in place of where it was. -errno if
     * something else is there, or NULL here: accesses then come to mmio.h one by one. */
    int (*map)(void *context, const struct pc_mapping *mapping);
    /* Writes to devices that have been made and not told yet are told now; NULL: there are none. */
    void (*gather)(void *context);
    void *context;
    /* The PC lock. Port handlers are called with it held; what a device does on the main lane takes
     * it. */
    pthread_mutex_t *lock;
    struct lane *lane; /* main lane: the devices' timers */
};

static inline int pc_map(const struct pc_host *host, const struct pc_mapping *mapping)
{
    return host->map ? host->map(host->context, mapping) : -ENOSYS;
}

#endif
