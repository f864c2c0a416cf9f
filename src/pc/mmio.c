/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of memory-mapped I/O: see mmio.h. It is short and its windows are far apart, so a
 * straddling access is not cut up.
 */
#include "src/pc/mmio.h"

#include <errno.h>
#include <stddef.h>

int mmio_add(struct mmio *mmio, const struct mmio_region *region)
{
    if (!region->size || region->size - 1 > UINT64_MAX - region->base)
        return -EINVAL;
    for (unsigned i = 0; i < mmio->regions; i++) {
        const struct mmio_region *other = &mmio->region[i];
        if (region->base - other->base < other->size || other->base - region->base < region->size)
            return -EEXIST;
    }
    if (mmio->regions == MMIO_REGIONS)
        return -ENOSPC;
    mmio->region[mmio->regions++] = *region;
    return 0;
}

void mmio_remove(struct mmio *mmio, uint64_t base, const void *context)
{
    for (unsigned i = 0; i < mmio->regions; i++) {
        if (mmio->region[i].base == base && mmio->region[i].context == context) {
            mmio->region[i] = mmio->region[--mmio->regions];
            return;
        }
    }
}

static const struct mmio_region *find(const struct mmio *mmio, uint64_t address, unsigned size)
{
    for (unsigned i = 0; i < mmio->regions; i++) {
        const struct mmio_region *region = &mmio->region[i];
        uint64_t offset = address - region->base;
        if (offset < region->size && size <= region->size - offset)
            return region;
    }
    return NULL;
}

uint64_t mmio_read(const struct mmio *mmio, uint64_t address, unsigned size)
{
    const struct mmio_region *region = find(mmio, address, size);

    if (!region || !region->read)
        return UINT64_MAX;
    return region->read(region->context, address - region->base, size);
}

void mmio_write(const struct mmio *mmio, uint64_t address, unsigned size, uint64_t value)
{
    const struct mmio_region *region = find(mmio, address, size);

    if (region && region->write)
        region->write(region->context, address - region->base, size, value);
}
