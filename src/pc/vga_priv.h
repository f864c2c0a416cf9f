/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's inside:
 *   vga.c          PCI function, memory, reset
 *   vga_rom.c      the VGA BIOS
 *   vga_ports.c    ports 0x3B4 to 0x3DA
 *   vga_dispi.c    ports 0x1CE and 0x1CF
 *   vga_memory.c   the window at 0xA0000: planes, latches, logic
 *   vga_fast.c     when KVM serves that window
 *   vga_picture.c  what the registers and the memory show
 */
#ifndef VMBUSD_PC_VGA_PRIV_H
#define VMBUSD_PC_VGA_PRIV_H

#include "src/pc/vga.h"

#define MISC_COLOUR 0x01u /* the CRT controller is at 0x3D4, not 0x3B4 */

/* Sequencer. */
#define SR_CLOCKING   1u
#define SR_PLANES     2u
#define SR_FONTS      3u
#define SR_MEMORY     4u
#define CLOCKING_8    0x01u /* 8 dots a character */
#define CLOCKING_HALF 0x08u /* a dot is two dots wide */
#define CLOCKING_OFF  0x20u
#define MEMORY_PLAIN  0x04u /* not odd/even */
#define MEMORY_CHAIN4 0x08u

/* Graphics controller. */
#define GR_SET            0u
#define GR_SET_ENABLE     1u
#define GR_COMPARE        2u
#define GR_FUNCTION       3u
#define GR_READ_PLANE     4u
#define GR_MODE           5u
#define GR_MISC           6u
#define GR_CARE           7u
#define GR_MASK           8u
#define MODE_WRITE        0x03u
#define MODE_READ_COMPARE 0x08u
#define MODE_ODD_EVEN     0x10u
#define MODE_INTERLEAVE   0x20u
#define MODE_256          0x40u
#define GMISC_GRAPHICS    0x01u

/* CRT controller. */
#define CR_COLUMNS     0x01u
#define CR_OVERFLOW    0x07u
#define CR_PRESET      0x08u
#define CR_ROW         0x09u
#define CR_CURSOR      0x0au /* first scan line, then last */
#define CR_START       0x0cu
#define CR_CURSOR_AT   0x0eu
#define CR_PROTECT     0x11u
#define CR_HEIGHT      0x12u
#define CR_PITCH       0x13u
#define CR_UNDERLINE   0x14u
#define CR_MODE        0x17u
#define CR_COMPARE     0x18u
#define CR_COUNT       0x19u
#define PROTECT_LOW    0x80u
#define OVERFLOW_SPLIT 0x10u

/* Attribute controller. */
#define AR_MODE       0x10u
#define AR_PLANES     0x12u
#define AR_PAN        0x13u
#define AR_COLOURS    0x14u
#define AR_COUNT      0x15u
#define AR_SHOW       0x20u
#define AMODE_LINE    0x04u /* line drawing characters have a ninth dot */
#define AMODE_BLINK   0x08u
#define AMODE_SPLIT   0x20u /* below the split nothing is panned */
#define AMODE_COLOURS 0x80u

/* DISPI. */
enum vga_dispi {
    DISPI_ID,
    DISPI_WIDTH,
    DISPI_HEIGHT,
    DISPI_DEPTH,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRTUAL_WIDTH,
    DISPI_VIRTUAL_HEIGHT,
    DISPI_X,
    DISPI_Y,
    DISPI_MEMORY
};
#define DISPI_ON     0x01u
#define DISPI_MAXIMA 0x02u
#define DISPI_DAC8   0x20u
#define DISPI_LINEAR 0x40u
#define DISPI_KEEP   0x80u

/* A linear or planar mode of DISPI's is on. */
static inline bool vga_dispi_on(const struct vga_registers *r)
{
    return r->dispi[DISPI_ENABLE] & DISPI_ON;
}

/* It is a linear one: memory holds whole pixels. */
static inline bool vga_dispi_linear(const struct vga_registers *r)
{
    return vga_dispi_on(r) && r->dispi[DISPI_DEPTH] != 4;
}

/* Bytes between two lines of a DISPI mode. */
uint32_t vga_dispi_pitch(const struct vga_registers *r);

/* A picture without an error in it, or NULL with `error`: the image at `rom` is VGA_ROM_SIZE bytes
 * afterwards, padded, with our PCI ids. */
bool vga_rom_read(uint8_t *rom, int fd, const char *path, GError **error);

int vga_ports_init(struct vga *vga, struct pio *pio);
void vga_registers_reset(struct vga_registers *r);
int vga_dispi_init(struct vga *vga, struct pio *pio);

/* Accesses to the window; `offset` is from VGA_WINDOW. */
uint64_t vga_window_read(void *context, uint64_t offset, unsigned size);
void vga_window_write(void *context, uint64_t offset, unsigned size, uint64_t value);

/* Something has changed that decides how the window works. */
void vga_fast_changed(struct vga *vga);
/* An access to the window has come to us; after several of a kind KVM shall serve them. */
void vga_fast_tried(struct vga *vga);
/* What a guest has written into `text` goes to the planes. */
void vga_fast_gather(struct vga *vga);

#endif
