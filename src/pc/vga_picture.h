/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VGA shows: line by line as dots, or in text mode as characters.
 *
 * A picture is a copy of the registers, taken under the PC lock, with what follows from them; then
 * the memory is read without a lock while the guest may go on writing it, as a monitor does. A
 * monitor's dots are meant: modes whose dots or lines VGA doubles come out doubled (320x200 in 256
 * colours has 640 by 400 dots). What blinks is shown.
 */
#ifndef VMBUSD_PC_VGA_PICTURE_H
#define VMBUSD_PC_VGA_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/pc/vga.h"

enum vga_kind {
    VGA_BLANK,
    VGA_TEXT,
    VGA_PLANAR, /* 16 colours */
    VGA_CGA,    /* two bits a dot, interleaved */
    VGA_PACKED, /* 256 colours by the CRT controller: mode 0x13 and its like */
    VGA_LINEAR  /* DISPI's */
};

struct vga_picture {
    enum vga_kind kind;
    unsigned width, height; /* dots; at most VGA_WIDTH_MAX and VGA_HEIGHT_MAX */
    unsigned columns, rows; /* characters; in text mode */
    unsigned row_lines;     /* scan lines that show the same row of memory or of characters */
    bool doubled;           /* each of them twice */
    unsigned dots;          /* per character */
    bool wide;              /* a dot is two dots wide */
    uint32_t start, pitch;  /* in doublewords of memory; VGA_LINEAR: bytes */
    uint32_t wrap;          /* mask of such an address */
    unsigned depth;         /* VGA_LINEAR: bits */
    unsigned split;         /* from this line on memory begins again */
    const uint8_t *memory;
    struct vga_registers r;
    uint32_t colour[256]; /* XRGB of the DAC */
    uint32_t palette[16]; /* and of what the attribute controller makes of four planes */
};

/* What `vga` shows now. PC lock held. */
void vga_picture_take(struct vga *vga, struct vga_picture *ret_picture);

/* The dots of line `y` < height, as XRGB; `line` has room for VGA_WIDTH_MAX. Any thread. */
void vga_picture_line(const struct vga_picture *picture, unsigned y, uint32_t *line);

/* VGA_TEXT only. Character (of the font, usually code page 437) and attribute at a place on the
 * screen. */
uint8_t vga_picture_cell(const struct vga_picture *picture, unsigned row, unsigned column,
                         uint8_t *ret_attribute);

/* True if the cursor is on the screen. */
bool vga_picture_cursor(const struct vga_picture *picture, unsigned *ret_row, unsigned *ret_column);

#endif
