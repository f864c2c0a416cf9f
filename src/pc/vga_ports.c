/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA registers behind ports 0x3B4 to 0x3DA: see vga.h. Each has the bits that an IBM VGA has;
 * what it has not reads 0.
 */
#include <string.h>

#include "src/pc/pio_bytes.h"
#include "src/pc/vga_priv.h"

#define MONO_BASE   0x3b4u
#define COMMON_BASE 0x3c0u
#define COLOUR_BASE 0x3d4u
#define CRTC_PORTS  8u
#define STATUS_1    6u /* from MONO_BASE or COLOUR_BASE */

#define RETRACE_BITS 0x09u /* display disabled, vertical retrace */
#define DAC_READING  3u

static const uint8_t sr_bits[8] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
static const uint8_t gr_bits[16] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
static const uint8_t ar_bits[32] = {0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
                                    0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f};

void vga_registers_reset(struct vga_registers *r)
{
    memset(r, 0, sizeof(*r));
    r->misc = MISC_COLOUR;
    r->pel_mask = 0xff;
    r->dispi[DISPI_ID] = 0xb0c5;
}

/* --- CRT controller --- */

static void cr_write(struct vga_registers *r, uint8_t value)
{
    unsigned index = r->cr_index;

    if (index >= CR_COUNT)
        return;
    if (index <= CR_OVERFLOW && r->cr[CR_PROTECT] & PROTECT_LOW) {
        if (index == CR_OVERFLOW)
            r->cr[index] = (uint8_t)((r->cr[index] & ~OVERFLOW_SPLIT) | (value & OVERFLOW_SPLIT));
        return;
    }
    r->cr[index] = value;
}

static uint8_t crtc_read(struct vga *vga, uint16_t offset)
{
    struct vga_registers *r = &vga->r;

    switch (offset) {
    case 0:
        return r->cr_index;
    case 1:
        return r->cr[r->cr_index];
    case STATUS_1:
        r->ar_data = false;
        r->retrace ^= RETRACE_BITS;
        return r->retrace;
    default:
        return 0xff;
    }
}

static void crtc_write(struct vga *vga, uint16_t offset, uint8_t value)
{
    struct vga_registers *r = &vga->r;

    if (offset == 0)
        r->cr_index = value & 0x1f;
    else if (offset == 1)
        cr_write(r, value);
    else if (offset == STATUS_1)
        r->feature = value;
}

/* Only one of the two places answers. */
static uint8_t mono_read(void *context, uint16_t offset)
{
    struct vga *vga = context;

    return vga->r.misc & MISC_COLOUR ? 0xff : crtc_read(vga, offset);
}

static void mono_write(void *context, uint16_t offset, uint8_t value)
{
    struct vga *vga = context;

    if (!(vga->r.misc & MISC_COLOUR))
        crtc_write(vga, offset, value);
}

static uint8_t colour_read(void *context, uint16_t offset)
{
    struct vga *vga = context;

    return vga->r.misc & MISC_COLOUR ? crtc_read(vga, offset) : 0xff;
}

static void colour_write(void *context, uint16_t offset, uint8_t value)
{
    struct vga *vga = context;

    if (vga->r.misc & MISC_COLOUR)
        crtc_write(vga, offset, value);
}

/* --- The others --- */

static void attribute_write(struct vga_registers *r, uint8_t value)
{
    unsigned index = r->ar_index & 0x1f;

    if (!r->ar_data)
        r->ar_index = value & 0x3f;
    else
        r->ar[index] = value & ar_bits[index];
    r->ar_data = !r->ar_data;
}

/* Three accesses a colour; then the index goes on by itself. */
static uint8_t *dac_next(struct vga_registers *r, uint8_t *index)
{
    uint8_t *byte = &r->dac[*index][r->dac_component];

    if (++r->dac_component == 3) {
        r->dac_component = 0;
        ++*index;
    }
    return byte;
}

static uint8_t common_read(void *context, uint16_t offset)
{
    struct vga_registers *r = &((struct vga *)context)->r;

    switch (offset) {
    case 0x0:
        return r->ar_index;
    case 0x1:
        return r->ar[r->ar_index & 0x1f];
    case 0x4:
        return r->sr_index;
    case 0x5:
        return r->sr[r->sr_index];
    case 0x6:
        return r->pel_mask;
    case 0x7:
        return r->dac_state;
    case 0x8:
        return r->dac_write;
    case 0x9:
        return *dac_next(r, &r->dac_read);
    case 0xa:
        return r->feature;
    case 0xc:
        return r->misc;
    case 0xe:
        return r->gr_index;
    case 0xf:
        return r->gr[r->gr_index];
    default:
        return 0; /* 0x3C2, input status 0, among them */
    }
}

static void dac_write(struct vga_registers *r, uint16_t offset, uint8_t value)
{
    bool eight = r->dispi[DISPI_ENABLE] & DISPI_DAC8;

    if (offset == 0x9) {
        *dac_next(r, &r->dac_write) = eight ? value : value & 0x3f;
        return;
    }
    r->dac_component = 0;
    r->dac_state = offset == 0x7 ? DAC_READING : 0;
    if (offset == 0x7)
        r->dac_read = value;
    else
        r->dac_write = value;
}

static void common_write(void *context, uint16_t offset, uint8_t value)
{
    struct vga *vga = context;
    struct vga_registers *r = &vga->r;

    switch (offset) {
    case 0x0:
        attribute_write(r, value);
        break;
    case 0x2:
        r->misc = value;
        break;
    case 0x4:
        r->sr_index = value & 7;
        break;
    case 0x5:
        r->sr[r->sr_index] = value & sr_bits[r->sr_index];
        vga_fast_changed(vga);
        break;
    case 0x6:
        r->pel_mask = value;
        break;
    case 0x7:
    case 0x8:
    case 0x9:
        dac_write(r, offset, value);
        break;
    case 0xe:
        r->gr_index = value & 15;
        break;
    case 0xf:
        r->gr[r->gr_index] = value & gr_bits[r->gr_index];
        vga_fast_changed(vga);
        break;
    default:
        break;
    }
}

/* --- Accesses of any width --- */

#define WIDE(name)                                                                        \
    static uint32_t name##_in(void *context, uint16_t offset, unsigned size)              \
    {                                                                                     \
        return pio_read_bytes(name##_read, context, offset, size);                        \
    }                                                                                     \
    static void name##_out(void *context, uint16_t offset, unsigned size, uint32_t value) \
    {                                                                                     \
        pio_write_bytes(name##_write, context, offset, size, value);                      \
    }

WIDE(mono)
WIDE(colour)
WIDE(common)

int vga_ports_init(struct vga *vga, struct pio *pio)
{
    const struct pio_region regions[] = {{MONO_BASE, CRTC_PORTS, mono_in, mono_out, vga},
                                         {COMMON_BASE, 16, common_in, common_out, vga},
                                         {COLOUR_BASE, CRTC_PORTS, colour_in, colour_out, vga}};
    int error = 0;

    for (unsigned i = 0; i < sizeof(regions) / sizeof(regions[0]) && !error; i++)
        error = pio_add(pio, &regions[i]);
    return error;
}
