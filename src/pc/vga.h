/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA of the generation-1 PC (IBM PS/2 Hardware Interface Technical Reference, Video
 * Subsystem), with the linear modes of Bochs' display interface (DISPI), as SeaBIOS' VGA BIOS for
 * "stdvga" drives it. As a PCI function it has the ids of Hyper-V's emulated adapter (1414:5353):
 * a frame buffer in BAR 0 and the VGA BIOS in its expansion ROM.
 *
 * Memory is 16 MiB; four planes lie interleaved, so that byte p of doubleword n is byte n of plane
 * p. Chained (chain 4, odd/even) addresses are packed: address a of chain 4 is byte a of memory. A
 * real VGA spreads them over its planes and gathers them again in the CRTC (byte, word, doubleword
 * mode); guests see the difference only where they write in one mode and show in another.
 *
 * Where an access needs nothing but a store, guests reach memory without an exit: the frame buffer
 * always, the window at 0xA0000 in linear modes, and that at 0xB8000 in text mode, where KVM maps a
 * page of characters and attributes that we spread into planes 0 and 1 when somebody looks.
 *
 * Nobody draws unless somebody looks: see vga_picture.h. The memory is the guest's as well; what is
 * read from it is a picture and decides nothing.
 *
 * Left out: VGA's timing (the retrace bits change with every look), interrupts at retrace, the
 * light pen, blanking by the CRTC's skews, byte and doubleword mode as above, EDID.
 */
#ifndef VMBUSD_PC_VGA_H
#define VMBUSD_PC_VGA_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/pc/pc.h"
#include "src/pc/pci.h"

#define VGA_MEMORY      (16u << 20)
#define VGA_WINDOW      0xa0000u /* and 128 KiB from there */
#define VGA_WINDOW_SIZE 0x20000u
#define VGA_TEXT_SIZE   0x8000u /* of the window at 0xB0000 or 0xB8000 */
#define VGA_ROM_SIZE    0x10000u
#define VGA_DISPI_COUNT 11u
#define VGA_WIDTH_MAX   2560u /* dots of any mode: 2560 by 1600 fit the memory at 32 bits */
#define VGA_HEIGHT_MAX  1600u
#define VGA_DEVFN       PCI_DEVFN(8, 0)
#define VGA_VENDOR      0x1414u
#define VGA_DEVICE      0x5353u

/* All that makes a picture, but the memory. */
struct vga_registers {
    uint8_t misc, feature;
    uint8_t sr_index, sr[8];  /* sequencer */
    uint8_t gr_index, gr[16]; /* graphics controller */
    uint8_t cr_index, cr[32]; /* CRT controller */
    uint8_t ar_index, ar[32]; /* attribute controller; bit 5 of the index lets it show anything */
    bool ar_data;             /* the flip-flop: port 0x3C0 takes data next */
    uint8_t dac[256][3];
    uint8_t dac_read, dac_write, dac_component, dac_state;
    uint8_t pel_mask;
    uint8_t retrace; /* what the last read of input status 1 said */
    uint32_t latch;
    uint16_t dispi_index, dispi[VGA_DISPI_COUNT];
};

/* What of the window at 0xA0000 KVM serves. */
enum vga_fast {
    VGA_FAST_NONE,
    VGA_FAST_LINEAR, /* memory itself */
    VGA_FAST_TEXT    /* `text` */
};

struct vga_fast_map {
    enum vga_fast kind;
    uint64_t address, size;
    uint8_t *memory;
};

struct vga {
    const struct pc_host *host;
    struct pci_function function;
    uint8_t *memory; /* VGA_MEMORY bytes, then VGA_TEXT_SIZE, then VGA_ROM_SIZE */
    uint8_t *text;   /* the window as a guest sees it while VGA_FAST_TEXT is mapped */
    uint8_t *rom;
    struct vga_registers r;
    struct vga_fast_map fast; /* mapped now */
    unsigned tries;           /* accesses that came to us since the window last changed */
};

/* Zero `vga` first. `rom` is a VGA BIOS, to be closed by the caller; `path` is its name in errors.
 * Memory is mapped, the function added, ports and window taken. False with `error`; vga_fini() is
 * fine in either case. Start-up. */
bool vga_init(struct vga *vga, const struct pc_host *host, struct pci *pci, int rom,
              const char *path, GError **error);
void vga_fini(struct vga *vga);

/* As after power-on. After pci_reset(). PC lock held. */
void vga_reset(struct vga *vga);

#define VGA_ERROR (vga_error_quark())
GQuark vga_error_quark(void);
enum vga_error { VGA_ERROR_ROM, VGA_ERROR_SYSTEM };

#endif
