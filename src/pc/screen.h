/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen: what a VGA shows, as pixels in shared memory and as text.
 *
 * The shared memory is a memfd, sealed so that it keeps its size and nobody but this process may
 * write it: a header (struct screen_header), then the pixels. Whoever looks at it maps it
 * read-only, asks for a refresh over the control socket (vmbusd-control(7)) and finds in the header
 * which parts have changed since it last looked. Nothing is drawn unless somebody asks.
 *
 * A reader goes by this:
 *   1. read `sequence`; if it is odd, a refresh is under way: begin again;
 *   2. read width, height, pitch and `damages`; for each number n from the `damages` it had before
 *      to the new one, damage[n % SCREEN_DAMAGES] is a rectangle to be copied from the pixels; if
 *      there are more than SCREEN_DAMAGES of them, or `size_changes` is another, all is to be
 *      copied;
 *   3. read `sequence` again; if it has changed, begin again.
 */
#ifndef VMBUSD_PC_SCREEN_H
#define VMBUSD_PC_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "src/pc/vga_picture.h"

#define SCREEN_MAGIC   0x52435356u /* "VSCR" */
#define SCREEN_VERSION 1u
#define SCREEN_PIXELS  4096u /* where they begin */
#define SCREEN_SIZE    (SCREEN_PIXELS + VGA_WIDTH_MAX * VGA_HEIGHT_MAX * 4u)
#define SCREEN_DAMAGES 256u
#define SCREEN_FORMAT  0x34325258u /* DRM's "XR24": 32 bits a pixel, blue in the lowest byte */

struct screen_rectangle {
    uint16_t x, y, width, height;
};

struct screen_header {
    uint32_t magic, version;
    uint32_t pixels;        /* offset of the first */
    uint32_t format;        /* SCREEN_FORMAT */
    uint32_t sequence;      /* odd while the rest and the pixels change */
    uint32_t size_changes;  /* how often width or height have changed */
    uint32_t width, height; /* pixels; 0 before the first refresh */
    uint32_t pitch;         /* bytes from a line to the next */
    uint32_t reserved;
    uint64_t damages; /* rectangles that there have been */
    struct screen_rectangle damage[SCREEN_DAMAGES];
};
_Static_assert(sizeof(struct screen_header) <= SCREEN_PIXELS, "the header has a page");
_Static_assert(offsetof(struct screen_header, damage) == 48, "fixed for readers");

struct screen_text {
    unsigned columns, rows;
    bool cursor; /* it is on the screen, at: */
    unsigned cursor_row, cursor_column;
    char *text; /* UTF-8; each row with a newline, without the spaces at its end. g_free() it */
};

struct screen;

/* The screen of `vga`, which outlives it. NULL with errno. Start-up. */
struct screen *screen_new(struct vga *vga);
void screen_free(struct screen *screen);

/* Bring the shared memory up to date. Takes the PC lock for a moment. Main lane. */
void screen_refresh(struct screen *screen);

/* Its descriptor, to be sent to readers; stays the screen's. */
int screen_fd(const struct screen *screen);

/* What readers see, after the last refresh. */
const struct screen_header *screen_header(const struct screen *screen);

/* False if the screen shows no text now. Takes the PC lock for a moment. Main lane. */
bool screen_text(struct screen *screen, struct screen_text *ret_text);

#endif
