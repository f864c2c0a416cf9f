/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O: who answers which port.
 *
 * The table is built at start; only PCI windows move later. Handlers run on vCPU threads under the
 * PC lock (nothing fast lives in port space), so that the PC's devices need no locks of their own.
 * A port that nobody has reads all ones, as on a bus with nothing there.
 */
#ifndef VMBUSD_PC_PIO_H
#define VMBUSD_PC_PIO_H

#include <stdint.h>

#define PIO_REGIONS 48

struct pio_region {
    uint16_t base, count;
    /* `offset` is from base; `size` is 1, 2 or 4 and stays inside the region (pio cuts accesses
     * that straddle its ends into bytes). NULL: reads all ones, ignores writes. */
    uint32_t (*read)(void *context, uint16_t offset, unsigned size);
    void (*write)(void *context, uint16_t offset, unsigned size, uint32_t value);
    void *context;
};

struct pio {
    struct pio_region region[PIO_REGIONS]; /* ascending, disjoint */
    unsigned regions;
};

/* 0; -EEXIST if a port is taken; -ENOSPC; -EINVAL for a region that is empty or leaves port space.
 * At start-up, or with the PC lock held. */
int pio_add(struct pio *pio, const struct pio_region *region);

/* The region of `context` that begins at `base` goes (a window that moves); nothing if there is
 * none. PC lock held. */
void pio_remove(struct pio *pio, uint16_t base, const void *context);

/* One access of 1, 2 or 4 bytes at any port, straddling included; nothing answers past port 0xffff.
 * Caller holds the PC lock. */
uint32_t pio_read(const struct pio *pio, uint16_t port, unsigned size);
void pio_write(const struct pio *pio, uint16_t port, unsigned size, uint32_t value);

#endif
