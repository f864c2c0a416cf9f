/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port table. An access that lies wholly in one region goes to its handler as it is; any other
 * is cut into bytes, as the ISA bus cuts what its devices cannot take.
 */
#include "src/pc/pio.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PIO_PORTS 0x10000u

int pio_add(struct pio *pio, const struct pio_region *region)
{
    uint32_t end = (uint32_t)region->base + region->count;
    unsigned at = 0;

    if (!region->count || end > PIO_PORTS)
        return -EINVAL;
    while (at < pio->regions && pio->region[at].base < region->base)
        at++;
    if (at > 0 && (uint32_t)pio->region[at - 1].base + pio->region[at - 1].count > region->base)
        return -EEXIST;
    if (at < pio->regions && end > pio->region[at].base)
        return -EEXIST;
    if (pio->regions == PIO_REGIONS)
        return -ENOSPC;
    memmove(&pio->region[at + 1], &pio->region[at], (pio->regions - at) * sizeof(*region));
    pio->region[at] = *region;
    pio->regions++;
    return 0;
}

void pio_remove(struct pio *pio, uint16_t base, const void *context)
{
    for (unsigned i = 0; i < pio->regions; i++) {
        if (pio->region[i].base != base || pio->region[i].context != context)
            continue;
        pio->regions--;
        memmove(&pio->region[i], &pio->region[i + 1], (pio->regions - i) * sizeof(pio->region[0]));
        return;
    }
}

/* The region that holds all of [port, port + size), or NULL. */
static const struct pio_region *find(const struct pio *pio, uint32_t port, unsigned size)
{
    for (unsigned i = 0; i < pio->regions; i++) {
        const struct pio_region *region = &pio->region[i];
        if (port >= region->base && port + size <= (uint32_t)region->base + region->count)
            return region;
    }
    return NULL;
}

static uint32_t mask(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

uint32_t pio_read(const struct pio *pio, uint16_t port, unsigned size)
{
    const struct pio_region *region = find(pio, port, size);

    if (region && region->read)
        return region->read(region->context, port - region->base, size) & mask(size);
    uint32_t value = mask(size);
    if (region || size == 1)
        return value;
    for (unsigned i = 0; i < size && port + i < PIO_PORTS; i++) {
        uint32_t byte = pio_read(pio, (uint16_t)(port + i), 1);
        value = (value & ~(0xffu << 8 * i)) | byte << 8 * i;
    }
    return value;
}

void pio_write(const struct pio *pio, uint16_t port, unsigned size, uint32_t value)
{
    const struct pio_region *region = find(pio, port, size);

    if (region) {
        if (region->write)
            region->write(region->context, port - region->base, size, value & mask(size));
        return;
    }
    for (unsigned i = 0; size > 1 && i < size && port + i < PIO_PORTS; i++)
        pio_write(pio, (uint16_t)(port + i), 1, value >> 8 * i);
}
