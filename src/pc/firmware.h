/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware: SeaBIOS' image, where it lies, and what it is told through fw_cfg.
 *
 * The image is at the top of 4 GiB, which guests cannot write, and (a copy, in RAM) up to 1 MiB:
 * SeaBIOS takes a fresh copy of itself from the one to start again from the other.
 */
#ifndef VMBUSD_PC_FIRMWARE_H
#define VMBUSD_PC_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/common/guid.h"
#include "src/kvm/gmem.h"
#include "src/pc/acpi_pc.h"
#include "src/pc/fw_cfg.h"
#include "src/pc/smbios.h"

#define FIRMWARE_BOOT_ORDER 512u /* bytes of the list */

struct firmware_params {
    const char *path; /* of the image, for messages */
    int fd;           /* the image, open; stays the caller's */
    unsigned vcpus;
    const uint32_t *apic_id; /* one per vCPU */
    const char *name;        /* of the machine, for SMBIOS */
    const struct guid *uuid;
    bool generation;        /* there is a VM generation counter */
    bool twins;             /* the VMBus offers the IDE disks too (smbios.h) */
    const char *boot_order; /* SeaBIOS' device paths, each ended by a newline; may be "" */
};

struct firmware_e820 {
    uint64_t address, length;
    uint32_t type; /* 1: RAM; 2: reserved */
} __attribute__((packed));
_Static_assert(sizeof(struct firmware_e820) == 20, "wire size");

struct firmware {
    struct gmem_slot image; /* mapped here read-only by whoever makes the VM */
    /* What fw_cfg hands out. */
    struct firmware_e820 e820[GMEM_SLOTS + 1];
    uint64_t ram_size;
    uint16_t cpus;
    uint8_t uuid[16];
    uint32_t fail_wait;
    char boot_order[FIRMWARE_BOOT_ORDER];
    struct acpi_pc acpi;
    struct smbios smbios;
};

#define FIRMWARE_ERROR (firmware_error_quark())
GQuark firmware_error_quark(void);
enum firmware_error { FIRMWARE_ERROR_READ, FIRMWARE_ERROR_FORMAT };

/* Zero `firmware` first. Read the image and add everything to `fw_cfg`, which keeps pointers into
 * `firmware`. False with one line that names the file and the remedy. Start-up. */
bool firmware_init(struct firmware *firmware, const struct firmware_params *params,
                   const struct gmem *gmem, struct fw_cfg *fw_cfg, GError **error);

/* Copy the image to where the processor finds it below 1 MiB: at the start and at each reset. False
 * if the guest has no RAM there. Main lane, vCPUs stopped. */
bool firmware_load(const struct firmware *firmware, struct gmem *gmem);

void firmware_free(struct firmware *firmware);

#endif
