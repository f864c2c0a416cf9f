/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window at 0xA0000, as the graphics controller and the sequencer have it: see vga.h.
 *
 * All four planes of an address are one doubleword, and so are the latches; a plane mask of four
 * bits becomes one of 32. Every index is cut to the memory's size, which is a power of two.
 */
#include <string.h>

#include "src/pc/vga_priv.h"

#define OPEN_BUS 0xffu
#define DWORDS   (VGA_MEMORY / 4)

/* A byte in each plane whose bit is set. */
static const uint32_t planes32[16] = {
    0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff, 0x00ffff00, 0x00ffffff,
    0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff, 0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff};

static uint32_t spread(uint8_t byte)
{
    return byte * 0x01010101u;
}

static uint32_t load(const struct vga *vga, uint32_t dword)
{
    uint32_t value;

    memcpy(&value, vga->memory + 4 * (size_t)(dword % DWORDS), sizeof(value));
    return value;
}

static void store(struct vga *vga, uint32_t dword, uint32_t value)
{
    memcpy(vga->memory + 4 * (size_t)(dword % DWORDS), &value, sizeof(value));
}

/* The address that the window shows at `offset`, bank and all; false if the window is elsewhere. */
static bool decode(const struct vga_registers *r, uint32_t offset, uint32_t *ret_address)
{
    static const struct {
        uint32_t base, size;
    } maps[] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned map = r->gr[GR_MISC] >> 2 & 3;

    if (offset - maps[map].base >= maps[map].size)
        return false;
    *ret_address = offset - maps[map].base;
    if (vga_dispi_on(r))
        *ret_address += (uint32_t)r->dispi[DISPI_BANK] << 16;
    return true;
}

/* --- Reading --- */

/* Read mode 1: a bit for each dot, set where the planes that matter have the colour. */
static uint8_t compare(const struct vga_registers *r)
{
    uint32_t differs =
        (r->latch ^ planes32[r->gr[GR_COMPARE] & 15]) & planes32[r->gr[GR_CARE] & 15];

    differs |= differs >> 16;
    return (uint8_t) ~(differs | differs >> 8);
}

static uint8_t read_byte(struct vga *vga, uint32_t offset)
{
    struct vga_registers *r = &vga->r;
    unsigned plane = r->gr[GR_READ_PLANE] & 3;
    uint32_t address;

    if (!decode(r, offset, &address))
        return OPEN_BUS;
    if (vga->fast.kind == VGA_FAST_TEXT) /* an access that was under way when KVM took over */
        return vga->text[address % VGA_TEXT_SIZE];
    if (vga_dispi_linear(r))
        return vga->memory[address % VGA_MEMORY];
    if (r->sr[SR_MEMORY] & MEMORY_CHAIN4) {
        plane = address & 3;
        address >>= 2;
    } else if (r->gr[GR_MODE] & MODE_ODD_EVEN) {
        plane = (plane & 2) | (address & 1);
        address >>= 1;
    }
    r->latch = load(vga, address);
    if (r->gr[GR_MODE] & MODE_READ_COMPARE)
        return compare(r);
    return (uint8_t)(r->latch >> 8 * plane);
}

/* --- Writing --- */

static uint32_t combine(unsigned function, uint32_t value, uint32_t latch)
{
    switch (function >> 3 & 3) {
    case 1:
        return value & latch;
    case 2:
        return value | latch;
    case 3:
        return value ^ latch;
    default:
        return value;
    }
}

/* What goes to the planes for the byte `data`. */
static uint32_t logic(const struct vga_registers *r, uint8_t data)
{
    unsigned rotate = r->gr[GR_FUNCTION] & 7;
    uint8_t rotated = (uint8_t)(data >> rotate | data << (8 - rotate));
    uint8_t mask = r->gr[GR_MASK];
    uint32_t set = planes32[r->gr[GR_SET] & 15], value;

    switch (r->gr[GR_MODE] & MODE_WRITE) {
    case 1:
        return r->latch;
    case 2:
        value = planes32[data & 15];
        break;
    case 3:
        mask &= rotated;
        value = set;
        break;
    default: {
        uint32_t enable = planes32[r->gr[GR_SET_ENABLE] & 15];
        value = (spread(rotated) & ~enable) | (set & enable);
    }
    }
    value = combine(r->gr[GR_FUNCTION], value, r->latch);
    return (value & spread(mask)) | (r->latch & ~spread(mask));
}

static void write_byte(struct vga *vga, uint32_t offset, uint8_t data)
{
    const struct vga_registers *r = &vga->r;
    unsigned planes = r->sr[SR_PLANES];
    uint32_t address;

    if (!decode(r, offset, &address))
        return;
    if (vga->fast.kind == VGA_FAST_TEXT) {
        vga->text[address % VGA_TEXT_SIZE] = data;
        return;
    }
    if (vga_dispi_linear(r)) {
        vga->memory[address % VGA_MEMORY] = data;
        return;
    }
    if (r->sr[SR_MEMORY] & MEMORY_CHAIN4) {
        planes &= 1u << (address & 3);
        address >>= 2;
    } else if (!(r->sr[SR_MEMORY] & MEMORY_PLAIN)) {
        planes &= address & 1 ? 0xau : 0x5u;
        address >>= 1;
    }
    uint32_t written = planes32[planes & 15];
    store(vga, address, (load(vga, address) & ~written) | (logic(r, data) & written));
}

/* --- Accesses of any width, lowest byte first --- */

uint64_t vga_window_read(void *context, uint64_t offset, unsigned size)
{
    struct vga *vga = context;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_byte(vga, (uint32_t)offset + i) << 8 * i;
    vga_fast_tried(vga);
    return value;
}

void vga_window_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    struct vga *vga = context;

    for (unsigned i = 0; i < size; i++)
        write_byte(vga, (uint32_t)offset + i, (uint8_t)(value >> 8 * i));
    vga_fast_tried(vga);
}
