/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From registers and memory to a picture: see vga_picture.h.
 */
#include "src/pc/vga_picture.h"

#include <string.h>

#include "src/pc/vga_priv.h"

#define COUNTER_WRAP 0xffffu /* the CRT controller counts 16 bits */
#define SPARE        64u     /* dots that a line may be longer while it is panned */
#define GLYPH        32u     /* bytes */

/* --- What the registers say --- */

static uint32_t colour_of(const struct vga_registers *r, unsigned index)
{
    const uint8_t *c = r->dac[index];
    uint32_t colour = 0;

    for (unsigned i = 0; i < 3; i++) {
        bool eight = r->dispi[DISPI_ENABLE] & DISPI_DAC8;
        uint32_t part = eight ? c[i] : (c[i] & 0x3fu) << 2 | (c[i] & 0x3fu) >> 4;
        colour = colour << 8 | part;
    }
    return colour;
}

static void take_colours(struct vga_picture *p)
{
    const struct vga_registers *r = &p->r;

    for (unsigned i = 0; i < 256; i++)
        p->colour[i] = colour_of(r, i & r->pel_mask);
    for (unsigned i = 0; i < 16; i++) {
        unsigned index = r->ar[i];
        if (r->ar[AR_MODE] & AMODE_COLOURS)
            index = (index & 0x0f) | (r->ar[AR_COLOURS] & 3u) << 4;
        p->palette[i] = p->colour[(index | (r->ar[AR_COLOURS] & 0x0cu) << 4) & 0xff];
    }
}

static unsigned word(const struct vga_registers *r, unsigned index)
{
    return (unsigned)r->cr[index] << 8 | r->cr[index + 1];
}

static void take_crtc(struct vga_picture *p)
{
    const struct vga_registers *r = &p->r;
    unsigned overflow = r->cr[CR_OVERFLOW], row = r->cr[CR_ROW];

    p->columns = r->cr[CR_COLUMNS] + 1u;
    p->height = (r->cr[CR_HEIGHT] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1u;
    p->row_lines = (row & 0x1f) + 1u;
    p->doubled = row & 0x80;
    p->split = (r->cr[CR_COMPARE] | (overflow & 0x10) << 4 | (row & 0x40) << 3) + 1u;
    p->start = word(r, CR_START) + (r->cr[CR_PRESET] >> 5 & 3);
    p->pitch = r->cr[CR_PITCH] * 2u;
    p->wrap = COUNTER_WRAP;
    p->wide = r->sr[SR_CLOCKING] & CLOCKING_HALF;
    p->dots = 8;
    if (!(r->gr[GR_MISC] & GMISC_GRAPHICS)) {
        p->kind = VGA_TEXT;
        p->dots = r->sr[SR_CLOCKING] & CLOCKING_8 ? 8 : 9;
    } else if (r->gr[GR_MODE] & MODE_256) {
        p->kind = VGA_PACKED;
        p->wide = false; /* each pixel is two dots by itself */
    } else {
        p->kind = r->gr[GR_MODE] & MODE_INTERLEAVE ? VGA_CGA : VGA_PLANAR;
    }
    unsigned character = p->dots << p->wide;
    if (p->columns > VGA_WIDTH_MAX / character)
        p->columns = VGA_WIDTH_MAX / character;
    p->width = p->columns * character;
    unsigned row_height = p->row_lines << p->doubled;
    p->rows = (p->height + row_height - 1) / row_height;
}

static void take_dispi(struct vga_picture *p)
{
    const struct vga_registers *r = &p->r;

    p->width = r->dispi[DISPI_WIDTH];
    p->height = r->dispi[DISPI_HEIGHT];
    p->depth = r->dispi[DISPI_DEPTH];
    p->pitch = vga_dispi_pitch(r);
    p->row_lines = 1;
    p->split = UINT32_MAX;
    p->wrap = VGA_MEMORY - 1;
    p->start = r->dispi[DISPI_Y] * p->pitch;
    p->kind = VGA_LINEAR;
    if (p->depth != 4) {
        p->start += r->dispi[DISPI_X] * ((p->depth + 7) / 8);
        return;
    }
    p->kind = VGA_PLANAR;
    p->dots = 8;
    p->columns = p->width / 8;
    p->start = p->start / 4 + r->dispi[DISPI_X] / 8;
    p->pitch /= 4;
    p->wrap = VGA_MEMORY / 4 - 1;
}

void vga_picture_take(struct vga *vga, struct vga_picture *p)
{
    memset(p, 0, sizeof(*p));
    vga_fast_gather(vga);
    p->r = vga->r;
    p->memory = vga->memory;
    take_colours(p);
    if (vga_dispi_on(&p->r))
        take_dispi(p);
    else
        take_crtc(p);
    if (!(p->r.ar_index & AR_SHOW) || (!vga_dispi_on(&p->r) && p->r.sr[SR_CLOCKING] & CLOCKING_OFF))
        p->kind = VGA_BLANK;
}

/* --- Where a line is --- */

struct line {
    uint32_t address; /* doubleword of its first character, not yet cut to the counter's bits */
    unsigned row, scan;
    unsigned pan; /* dots that are cut off at its left */
};

static unsigned pan_of(const struct vga_picture *p, bool below)
{
    unsigned pan = p->r.ar[AR_PAN] & 15;

    if (vga_dispi_on(&p->r) || (below && p->r.ar[AR_MODE] & AMODE_SPLIT))
        return 0;
    if (p->dots == 9) /* 8 means none, 0 one dot */
        return (pan >= 8 ? 0 : pan + 1) << p->wide;
    return (pan & 7) << p->wide;
}

static struct line find_line(const struct vga_picture *p, unsigned y)
{
    bool below = y >= p->split;
    unsigned preset = below || vga_dispi_on(&p->r) ? 0 : p->r.cr[CR_PRESET] & 0x1f;
    unsigned scan = ((below ? y - p->split : y) >> p->doubled) + preset;
    struct line line = {
        .row = scan / p->row_lines, .scan = scan % p->row_lines, .pan = pan_of(p, below)};

    line.address = (below ? 0 : p->start) + line.row * p->pitch;
    return line;
}

static uint32_t load(const struct vga_picture *p, uint32_t address)
{
    uint32_t value;

    memcpy(&value, p->memory + 4 * (size_t)(address & p->wrap), sizeof(value));
    return value;
}

static uint32_t *dot(const struct vga_picture *p, uint32_t *to, uint32_t colour)
{
    *to++ = colour;
    if (p->wide)
        *to++ = colour;
    return to;
}

/* --- Text --- */

/* The two of eight fonts in plane 2 between which bit 3 of an attribute chooses. */
static const uint8_t *font(const struct vga_picture *p, uint8_t attribute)
{
    unsigned select = p->r.sr[SR_FONTS];
    unsigned number =
        attribute & 8 ? (select >> 2 & 3) | (select >> 3 & 4) : (select & 3) | (select >> 2 & 4);
    unsigned offset = (number & 3) * 0x4000 + (number & 4) * 0x800;

    return p->memory + 4 * (size_t)offset + 2;
}

/* Is the cursor in the cell at `address`, on this scan line? */
static bool has_cursor(const struct vga_picture *p, uint32_t address, unsigned scan)
{
    unsigned first = p->r.cr[CR_CURSOR], last = p->r.cr[CR_CURSOR + 1] & 0x1f;

    return !(first & 0x20) && scan >= (first & 0x1f) && scan <= last &&
           (address & p->wrap) == word(&p->r, CR_CURSOR_AT);
}

static uint32_t *text_cell(const struct vga_picture *p, uint32_t address, unsigned scan,
                           uint32_t *to)
{
    uint32_t cell = load(p, address);
    uint8_t code = (uint8_t)cell, attribute = (uint8_t)(cell >> 8);
    uint8_t mode = p->r.ar[AR_MODE];
    uint32_t ink = p->palette[attribute & 15];
    uint32_t paper = p->palette[attribute >> 4 & (mode & AMODE_BLINK ? 7 : 15)];
    unsigned bits = (unsigned)font(p, attribute)[4 * (code * GLYPH + scan)] << 1;

    if (mode & AMODE_LINE && code >= 0xc0 && code <= 0xdf)
        bits |= bits >> 1 & 1;
    if (has_cursor(p, address, scan) ||
        ((attribute & 0x77) == 1 && scan == (p->r.cr[CR_UNDERLINE] & 0x1fu)))
        bits = 0x1ff;
    for (unsigned i = 0; i < p->dots; i++)
        to = dot(p, to, bits >> (8 - i) & 1 ? ink : paper);
    return to;
}

/* --- Graphics --- */

/* Without CRTC mode bits 0 and 1 the row's scan line takes the place of address bits, so that
 * CGA's and Hercules' interleaved lines come out right. */
static uint32_t interleave(const struct vga_picture *p, uint32_t address, unsigned scan)
{
    unsigned mode = p->r.cr[CR_MODE], bit = 12 + (mode >> 6 & 1);

    if (vga_dispi_on(&p->r))
        return address;
    if (!(mode & 1))
        address = (address & ~(1u << bit)) | (scan & 1) << bit;
    if (!(mode & 2))
        address = (address & ~(2u << bit)) | (scan >> 1 & 1) << (bit + 1);
    return address;
}

static uint32_t *planar_cell(const struct vga_picture *p, uint32_t planes, uint32_t *to)
{
    for (unsigned i = 0; i < 8; i++, planes <<= 1) {
        unsigned index =
            (planes >> 7 & 1) | (planes >> 14 & 2) | (planes >> 21 & 4) | (planes >> 28 & 8);
        to = dot(p, to, p->palette[index & p->r.ar[AR_PLANES]]);
    }
    return to;
}

/* Four dots from planes 0 and 2, four from 1 and 3. */
static uint32_t *cga_cell(const struct vga_picture *p, uint32_t planes, uint32_t *to)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned shift = 6 - 2 * (i % 4) + 8 * (i / 4);
        unsigned index = (planes >> shift & 3) | (planes >> (shift + 16) & 3) << 2;
        to = dot(p, to, p->palette[index & p->r.ar[AR_PLANES]]);
    }
    return to;
}

static uint32_t *packed_cell(const struct vga_picture *p, uint32_t pixels, uint32_t *to)
{
    for (unsigned i = 0; i < 4; i++, pixels >>= 8) {
        *to++ = p->colour[pixels & 0xff];
        *to++ = p->colour[pixels & 0xff];
    }
    return to;
}

/* Five or six bits to eight. */
static uint32_t widen(uint32_t value, unsigned bits)
{
    value &= (1u << bits) - 1;
    return value << (8 - bits) | value >> (2 * bits - 8);
}

static uint32_t linear_dot(const struct vga_picture *p, const uint8_t *at)
{
    uint32_t v = at[0];

    switch (p->depth) {
    case 8:
        return p->colour[v];
    case 15:
        v |= (uint32_t)at[1] << 8;
        return widen(v >> 10, 5) << 16 | widen(v >> 5, 5) << 8 | widen(v, 5);
    case 16:
        v |= (uint32_t)at[1] << 8;
        return widen(v >> 11, 5) << 16 | widen(v >> 5, 6) << 8 | widen(v, 5);
    default:
        return v | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    }
}

static void linear_line(const struct vga_picture *p, unsigned y, uint32_t *line)
{
    size_t bytes = (p->depth + 7) / 8, offset = p->start + (size_t)y * p->pitch;

    if (offset > VGA_MEMORY - p->width * bytes) {
        memset(line, 0, p->width * sizeof(*line));
        return;
    }
    for (unsigned x = 0; x < p->width; x++)
        line[x] = linear_dot(p, p->memory + offset + x * bytes);
}

/* --- Lines --- */

static uint32_t *cell(const struct vga_picture *p, const struct line *at, unsigned column,
                      uint32_t *to)
{
    uint32_t address = at->address + column;

    if (p->kind == VGA_TEXT)
        return text_cell(p, address, at->scan, to);
    uint32_t value = load(p, interleave(p, address, at->scan));
    if (p->kind == VGA_PACKED)
        return packed_cell(p, value, to);
    return p->kind == VGA_CGA ? cga_cell(p, value, to) : planar_cell(p, value, to);
}

void vga_picture_line(const struct vga_picture *p, unsigned y, uint32_t *line)
{
    uint32_t dots[VGA_WIDTH_MAX + SPARE], *to = dots;

    if (p->kind == VGA_BLANK) {
        memset(line, 0, p->width * sizeof(*line));
        return;
    }
    if (p->kind == VGA_LINEAR) {
        linear_line(p, y, line);
        return;
    }
    struct line at = find_line(p, y);
    for (unsigned column = 0; (unsigned)(to - dots) < p->width + at.pan; column++)
        to = cell(p, &at, column, to);
    memcpy(line, dots + at.pan, p->width * sizeof(*line));
}

/* --- Characters --- */

static uint32_t row_address(const struct vga_picture *p, unsigned row)
{
    return find_line(p, (row * p->row_lines) << p->doubled).address;
}

uint8_t vga_picture_cell(const struct vga_picture *p, unsigned row, unsigned column,
                         uint8_t *ret_attribute)
{
    uint32_t value = load(p, row_address(p, row) + column);

    *ret_attribute = (uint8_t)(value >> 8);
    return (uint8_t)value;
}

bool vga_picture_cursor(const struct vga_picture *p, unsigned *ret_row, unsigned *ret_column)
{
    uint32_t at = word(&p->r, CR_CURSOR_AT);

    for (unsigned row = 0; row < p->rows && !(p->r.cr[CR_CURSOR] & 0x20); row++) {
        uint32_t column = (at - row_address(p, row)) & p->wrap;
        if (column < p->columns) {
            *ret_row = row;
            *ret_column = column;
            return true;
        }
    }
    return false;
}
