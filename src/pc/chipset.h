/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chipset of the generation-1 PC as PCI shows it: host bridge (00:00.0), ISA bridge (00:01.0)
 * and power management (00:01.3). IDE, at 00:01.1, is ide.h's.
 *
 * The host bridge is an i440FX (Intel 290549) with the subsystem id by which SeaBIOS knows that it
 * may ask for fw_cfg's files; the others are of PIIX4 (Intel 290562), as Hyper-V shows. What of
 * them does something: the routing of PCI's interrupt pins to ISA lines.
 *
 * Left out: PAM, whose registers are kept and have no effect (0xC0000 to 0xFFFFF is RAM that
 * firmware_load() fills, never read-only); SMRAM and SMM, which SeaBIOS leaves alone because the
 * register that switches it off reads as if it were done; the base register of the power management
 * ports, which are where SeaBIOS would put them (pm.h); SMBus.
 */
#ifndef VMBUSD_PC_CHIPSET_H
#define VMBUSD_PC_CHIPSET_H

#include "src/pc/pc.h"
#include "src/pc/pci.h"

#define CHIPSET_PIRQS 4u

struct chipset {
    const struct pc_host *host;
    struct pci_function bridge, isa, pm;
    unsigned raised[CHIPSET_PIRQS]; /* devices that hold the pin */
    uint16_t lines;                 /* ISA lines that host->irq was told are high */
};

/* Zero `chipset` first. Adds its functions to `pci`; 0 or pci_add()'s error. */
int chipset_init(struct chipset *chipset, const struct pc_host *host, struct pci *pci);

/* No device holds an interrupt pin any more; after pci_reset(). PC lock held. */
void chipset_reset(struct chipset *chipset);

/* A device raises or lowers its interrupt pin (1 to 4); to be called at a change only. PC lock
 * held. */
void chipset_intx(struct chipset *chipset, uint8_t devfn, unsigned pin, bool level);

#endif
