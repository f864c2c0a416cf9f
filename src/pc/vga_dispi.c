/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bochs' display interface: see vga.h. Facts: Bochs' "VBE DISPI" description; SeaBIOS'
 * vgasrc/bochsvga.c for what a VGA BIOS does with it. Two 16-bit ports, side by side at odd
 * distance: 0x1CE has the index, 0x1CF the value.
 *
 * Whatever a guest writes is brought into what memory can hold at once, so that every reader may
 * rely on it.
 */
#include <string.h>

#include "src/pc/vga_priv.h"

#define INDEX_PORT 0x1ceu
#define PORTS      4u /* a word at 0x1CF, and those who think that it is at 0x1D0 */
#define ID_FIRST   0xb0c0u
#define ID_LAST    0xb0c5u
#define BANK       0x10000u

static bool depth_good(unsigned depth)
{
    return depth == 4 || depth == 8 || depth == 15 || depth == 16 || depth == 24 || depth == 32;
}

/* Bytes of memory that `dots` side by side take; of a planar mode, all four planes. */
static uint32_t line_bytes(unsigned depth, uint32_t dots)
{
    return depth == 4 ? dots / 8 * 4 : dots * ((depth + 7) / 8);
}

uint32_t vga_dispi_pitch(const struct vga_registers *r)
{
    return line_bytes(r->dispi[DISPI_DEPTH], r->dispi[DISPI_VIRTUAL_WIDTH]);
}

static uint16_t at_most(uint32_t value, uint32_t limit)
{
    return (uint16_t)(value < limit ? value : limit);
}

/* The picture lies in memory, what is shown lies in the picture. */
static void fit(struct vga_registers *r)
{
    uint16_t *d = r->dispi;
    unsigned depth = d[DISPI_DEPTH];

    if (!depth_good(depth))
        depth = d[DISPI_DEPTH] = 8;
    d[DISPI_WIDTH] = at_most(d[DISPI_WIDTH] & ~7u, VGA_WIDTH_MAX);
    if (!d[DISPI_WIDTH])
        d[DISPI_WIDTH] = 8;
    d[DISPI_HEIGHT] = at_most(d[DISPI_HEIGHT], VGA_HEIGHT_MAX);
    if (!d[DISPI_HEIGHT])
        d[DISPI_HEIGHT] = 1;
    d[DISPI_VIRTUAL_WIDTH] &= (uint16_t)~7u;
    if (d[DISPI_VIRTUAL_WIDTH] < d[DISPI_WIDTH] ||
        line_bytes(depth, d[DISPI_VIRTUAL_WIDTH]) > VGA_MEMORY / d[DISPI_HEIGHT])
        d[DISPI_VIRTUAL_WIDTH] = d[DISPI_WIDTH];
    d[DISPI_VIRTUAL_HEIGHT] = at_most(VGA_MEMORY / vga_dispi_pitch(r), UINT16_MAX);
    d[DISPI_X] = at_most(d[DISPI_X], (uint32_t)d[DISPI_VIRTUAL_WIDTH] - d[DISPI_WIDTH]);
    d[DISPI_Y] = at_most(d[DISPI_Y], (uint32_t)d[DISPI_VIRTUAL_HEIGHT] - d[DISPI_HEIGHT]);
}

static void enable(struct vga *vga, uint16_t value)
{
    struct vga_registers *r = &vga->r;
    bool was_on = vga_dispi_on(r);

    r->dispi[DISPI_ENABLE] = value;
    r->dispi[DISPI_BANK] = 0;
    if (!(value & DISPI_ON) || was_on)
        return;
    r->dispi[DISPI_VIRTUAL_WIDTH] = r->dispi[DISPI_X] = r->dispi[DISPI_Y] = 0;
    fit(r);
    vga_fast_changed(vga); /* first what text mode has left behind */
    if (!(value & DISPI_KEEP))
        memset(vga->memory, 0, (size_t)vga_dispi_pitch(r) * r->dispi[DISPI_HEIGHT]);
}

static void dispi_write(struct vga *vga, uint16_t value)
{
    struct vga_registers *r = &vga->r;
    unsigned index = r->dispi_index;

    switch (index) {
    case DISPI_ID:
        if (value >= ID_FIRST && value <= ID_LAST)
            r->dispi[DISPI_ID] = value;
        return;
    case DISPI_WIDTH:
    case DISPI_HEIGHT:
    case DISPI_DEPTH:
    case DISPI_VIRTUAL_WIDTH:
    case DISPI_X:
    case DISPI_Y:
        r->dispi[index] = value;
        if (vga_dispi_on(r))
            fit(r);
        break;
    case DISPI_BANK:
        r->dispi[DISPI_BANK] = value & (VGA_MEMORY / BANK - 1);
        break;
    case DISPI_ENABLE:
        enable(vga, value);
        break;
    default:
        return;
    }
    vga_fast_changed(vga);
}

static uint16_t dispi_read(const struct vga_registers *r)
{
    static const uint16_t maxima[] = {
        [DISPI_WIDTH] = VGA_WIDTH_MAX, [DISPI_HEIGHT] = VGA_HEIGHT_MAX, [DISPI_DEPTH] = 32};
    unsigned index = r->dispi_index;

    if (index == DISPI_MEMORY)
        return VGA_MEMORY / BANK;
    if (index >= VGA_DISPI_COUNT)
        return 0;
    if (r->dispi[DISPI_ENABLE] & DISPI_MAXIMA && index >= DISPI_WIDTH && index <= DISPI_DEPTH)
        return maxima[index];
    return r->dispi[index];
}

static uint32_t port_read(void *context, uint16_t offset, unsigned size)
{
    const struct vga *vga = context;

    if (size != 2)
        return UINT32_MAX;
    return offset ? dispi_read(&vga->r) : vga->r.dispi_index;
}

static void port_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct vga *vga = context;

    if (size != 2)
        return;
    if (offset)
        dispi_write(vga, (uint16_t)value);
    else
        vga->r.dispi_index = (uint16_t)value;
}

int vga_dispi_init(struct vga *vga, struct pio *pio)
{
    const struct pio_region region = {INDEX_PORT, PORTS, port_read, port_write, vga};

    return pio_add(pio, &region);
}
