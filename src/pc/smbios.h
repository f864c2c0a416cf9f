/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables (DMTF DSP0134, version 2.3, as Hyper-V's generation 1 has): who made the machine,
 * and which it is.
 *
 * The least that guests look at: BIOS, system, chassis, one memory array, end. Processor and memory
 * device structures are left out.
 *
 * The maker is Microsoft where the VMBus offers the disks of the emulated IDE too: when Linux's
 * ata_piix reads that and "Virtual Machine", it leaves these disks (not the CD-ROM drives) to
 * hv_storvsc. Where there are no such twins the maker must be another, or nobody drives the disks.
 */
#ifndef VMBUSD_PC_SMBIOS_H
#define VMBUSD_PC_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/guid.h"

#define SMBIOS_ANCHOR_FILE "etc/smbios/smbios-anchor"
#define SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"

#define SMBIOS_ANCHOR 31u
#define SMBIOS_TABLES 512u

struct smbios {
    uint8_t anchor[SMBIOS_ANCHOR]; /* SeaBIOS fills in the address and the checksums */
    uint8_t tables[SMBIOS_TABLES];
    size_t tables_size;
};

/* Build both. `name` has at most 63 characters; `twins`: IDE disks are on the VMBus as well. */
void smbios_build(struct smbios *smbios, const char *name, const struct guid *uuid, bool twins,
                  uint64_t ram_size);

#endif
