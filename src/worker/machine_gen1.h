/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generation-1 PC of a machine that boots from firmware: PCI, chipset, firmware interface,
 * generation counter, second serial port, keyboard controller, VGA, IDE, legacy network adapters. A
 * machine that boots a kernel directly has none of it.
 */
#ifndef VMBUSD_WORKER_MACHINE_GEN1_H
#define VMBUSD_WORKER_MACHINE_GEN1_H

#include "src/pc/chipset.h"
#include "src/pc/console.h"
#include "src/pc/debug_port.h"
#include "src/pc/firmware.h"
#include "src/pc/fw_cfg.h"
#include "src/pc/generation.h"
#include "src/pc/i8042.h"
#include "src/pc/ide.h"
#include "src/pc/mmio.h"
#include "src/pc/pci.h"
#include "src/pc/screen.h"
#include "src/pc/tulip.h"
#include "src/pc/typist.h"
#include "src/pc/uart.h"
#include "src/pc/vga.h"
#include "vmbus/storvsp.h"

struct machine;

struct machine_gen1 {
    struct mmio mmio;
    struct pci pci;
    struct chipset chipset;
    struct generation generation;
    struct uart com2;
    struct console *console_2; /* of `com2` */
    struct i8042 i8042;
    struct typist typist;
    struct vga vga;
    struct screen *screen;
    struct debug_port debug_port;
    struct ide ide;
    struct disk *disk[IDE_CHANNELS * IDE_DRIVES];
    struct tulip *nic[LIMIT_NICS]; /* by its place in the description; NULL: not a legacy one */
    struct disk *disc;             /* on its way into drive `disc_unit` */
    unsigned disc_unit;
    void (*disc_done)(void *context);
    void *disc_context;
    struct storvsp *twin[IDE_CHANNELS * IDE_DRIVES]; /* of the disks, on the VMBus; or NULL */
    struct fw_cfg fw_cfg;
    struct firmware firmware;
};

/* Build it all and give the machine's VM its ROM. False with `error`. */
bool machine_gen1_new(struct machine *machine, GError **error);

/* Offer the IDE disks on the VMBus too, if the description wants it. False with `error`. */
bool machine_gen1_offer(struct machine *machine, GError **error);

/* Every device as after power-on. PC lock held. */
void machine_gen1_reset(struct machine_gen1 *gen1);

/* Firmware into a fresh VM's memory; VP 0 begins in it by itself. False with `error`. */
bool machine_gen1_load(struct machine *machine, GError **error);

/* NICs, queues and disks go: the lanes have ended and are not yet freed. NULL is fine. */
void machine_gen1_close(struct machine_gen1 *gen1);

/* NULL is fine. */
void machine_gen1_free(struct machine_gen1 *gen1);

#endif
