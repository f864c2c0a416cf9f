/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of the IDE controller: a PC with a disk (primary master), a CD-ROM drive with a
 * disc and one without (secondary), both in memory. The disks' lane turns when the test says so.
 */
#ifndef VMBUSD_TESTS_UNIT_IDE_FIXTURE_H
#define VMBUSD_TESTS_UNIT_IDE_FIXTURE_H

#include <glib.h>

#include "src/pc/ide.h"
#include "tests/unit/fake_pc.h"
#include "tests/unit/memory_disk.h"

#define IDF_RAM     (1u << 20)
#define IDF_SECTORS 4096u
#define IDF_BLOCKS  512u
#define IDF_PRI     0x1f0
#define IDF_SEC     0x170
#define IDF_BM      0xc000
#define IDF_PRDT    0x1000u
#define IDF_INTO    0x8000u

struct ide_fixture {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct ide ide;
    struct memory_disk *disk, *disc;
    unsigned drained;
};

void idf_set_up(struct ide_fixture *f, gconstpointer data);
void idf_tear_down(struct ide_fixture *f, gconstpointer data);

/* One byte from or to a port. */
uint8_t idf_in(struct ide_fixture *f, unsigned port);
void idf_out(struct ide_fixture *f, unsigned port, uint8_t value);

/* Point PCI's address register at a register of the controller. */
void idf_point(struct ide_fixture *f, unsigned offset);

/* Let the disks' lane do all that it has to do. */
void idf_turn(struct ide_fixture *f);

/* A command to the disk, and the lane's turn. */
void idf_command28(struct ide_fixture *f, uint8_t number, uint32_t lba, uint8_t count);
void idf_command48(struct ide_fixture *f, uint8_t number, uint64_t lba, uint16_t count);

/* Data of the channel at `base`, two bytes at a time, and the lane's turn. */
void idf_take(struct ide_fixture *f, unsigned base, uint8_t *into, unsigned bytes);
void idf_give(struct ide_fixture *f, unsigned base, const uint8_t *from, unsigned bytes);

/* The command has ended with this error register. */
void idf_expect_error(struct ide_fixture *f, unsigned base, uint8_t error);

/* Descriptor `index` of the bus master's table. */
void idf_prd(struct ide_fixture *f, unsigned index, uint32_t base, uint32_t count);

#endif
