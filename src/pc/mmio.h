/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory-mapped I/O: who answers which address outside RAM.
 *
 * As pio.h for memory space. RAM and ROM never come here: KVM serves them before anybody is asked,
 * so that a window that a guest moves over its RAM is simply not seen. Under the PC lock.
 */
#ifndef VMBUSD_PC_MMIO_H
#define VMBUSD_PC_MMIO_H

#include <stdint.h>

#define MMIO_REGIONS 16

struct mmio_region {
    uint64_t base, size;
    /* `offset` is from base; `size` is 1, 2, 4 or 8 and stays inside the region. NULL: reads all
     * ones, ignores writes. */
    uint64_t (*read)(void *context, uint64_t offset, unsigned size);
    void (*write)(void *context, uint64_t offset, unsigned size, uint64_t value);
    void *context;
};

struct mmio {
    struct mmio_region region[MMIO_REGIONS];
    unsigned regions;
};

/* 0; -EEXIST if an address is taken; -ENOSPC; -EINVAL for a region that is empty or wraps. */
int mmio_add(struct mmio *mmio, const struct mmio_region *region);

/* The region of `context` that begins at `base` goes; nothing if there is none. */
void mmio_remove(struct mmio *mmio, uint64_t base, const void *context);

/* One access of 1 to 8 bytes; nobody answers one that is not wholly in a region. PC lock held. */
uint64_t mmio_read(const struct mmio *mmio, uint64_t address, unsigned size);
void mmio_write(const struct mmio *mmio, uint64_t address, unsigned size, uint64_t value);

#endif
