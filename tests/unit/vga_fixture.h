/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VGA on a PCI bus without a processor, for tests and fuzz targets: memory accesses go where KVM
 * would let them go.
 */
#ifndef VMBUSD_TESTS_UNIT_VGA_FIXTURE_H
#define VMBUSD_TESTS_UNIT_VGA_FIXTURE_H

#include "src/pc/screen.h"
#include "src/pc/vga.h"
#include "tests/unit/fake_pc.h"

struct vga_fixture {
    struct fake_pc pc;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct vga vga;
    struct screen *screen;
    struct pc_mapping mapped[PC_MAPS]; /* size 0: not */
    unsigned maps;                     /* mappings made */
    int map_result;                    /* of the next ones */
};

/* A standard mode's registers. */
struct vga_mode {
    uint8_t misc, sr[5], cr[25], gr[9], ar[21];
};
extern const struct vga_mode vga_mode_3;  /* text, 80 by 25 characters of 9 by 16 dots */
extern const struct vga_mode vga_mode_12; /* 640 by 480, planar */
extern const struct vga_mode vga_mode_13; /* 320 by 200 in 256 colours */

/* A descriptor with the smallest VGA BIOS that is one, to be closed. */
int vga_fixture_rom(void);

void vga_fixture_init(struct vga_fixture *f);
void vga_fixture_fini(struct vga_fixture *f);

/* Ports. `port` of an indexed register is its index port. */
void vga_out(struct vga_fixture *f, uint16_t port, uint8_t value);
uint8_t vga_in(struct vga_fixture *f, uint16_t port);
void vga_set(struct vga_fixture *f, uint16_t port, uint8_t index, uint8_t value);
uint8_t vga_get(struct vga_fixture *f, uint16_t port, uint8_t index);
void vga_set_attribute(struct vga_fixture *f, uint8_t index, uint8_t value); /* and shows it */
void vga_set_dispi(struct vga_fixture *f, uint16_t index, uint16_t value);
uint16_t vga_get_dispi(struct vga_fixture *f, uint16_t index);
void vga_set_colour(struct vga_fixture *f, uint8_t index, uint8_t r, uint8_t g, uint8_t b);
void vga_set_mode(struct vga_fixture *f, const struct vga_mode *mode);

/* Guest physical memory. */
void vga_poke(struct vga_fixture *f, uint64_t address, uint8_t value);
uint8_t vga_peek(struct vga_fixture *f, uint64_t address);

/* What a viewer sees. */
void vga_look(struct vga_fixture *f);
uint32_t vga_pixel(const struct vga_fixture *f, unsigned x, unsigned y); /* after vga_look() */

#endif
