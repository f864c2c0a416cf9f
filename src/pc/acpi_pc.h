/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of the generation-1 PC (ACPI 1.0b), and the script by which SeaBIOS puts them into
 * memory.
 *
 * RSDP (revision 0), RSDT, FADT (revision 2, 129 bytes), FACS, MADT and DSDT (both revision 1), as
 * Hyper-V's generation 1 shows them. The three parts become files of fw_cfg.
 */
#ifndef VMBUSD_PC_ACPI_PC_H
#define VMBUSD_PC_ACPI_PC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_PC_RSDP_FILE   "etc/acpi/rsdp"
#define ACPI_PC_TABLES_FILE "etc/acpi/tables"
#define ACPI_PC_LOADER_FILE "etc/table-loader"

#define ACPI_PC_RSDP    20u
#define ACPI_PC_TABLES  0x4000u
#define ACPI_PC_COMMAND 128u /* one step of the script */
#define ACPI_PC_STEPS   16u

struct acpi_pc {
    uint8_t rsdp[ACPI_PC_RSDP];
    uint8_t tables[ACPI_PC_TABLES];
    uint8_t loader[ACPI_PC_STEPS * ACPI_PC_COMMAND];
    size_t tables_size, loader_size;
};

struct acpi_pc_params {
    unsigned vcpus;          /* 1 to LIMIT_VCPUS */
    const uint32_t *apic_id; /* one per vCPU, VP 0 first; each below 255 */
    bool generation;         /* there is a VM generation counter (generation.h) */
    uint32_t low_memory;     /* bytes of RAM below 3 GiB: where SeaBIOS begins the PCI window */
};

/* Build all three. 0; -EINVAL on vCPUs that an ACPI 1.0 table cannot name. */
int acpi_pc_build(struct acpi_pc *acpi, const struct acpi_pc_params *params);

#endif
