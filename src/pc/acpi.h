/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of the machine (ACPI 4.0), written straight into guest memory.
 *
 * RSDP, RSDT, XSDT, FADT, FACS, MADT and a DSDT with the processors, COM1, the RTC and the VMBus,
 * all under the OEM ids that Hyper-V shows. The RSDP is where a scan of the BIOS area finds it.
 */
#ifndef VMBUSD_PC_ACPI_H
#define VMBUSD_PC_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kvm/gmem.h"

#define ACPI_RSDP 0x0E0000ull /* address of the RSDP; the other tables follow it */
#define ACPI_END  0x100000ull /* nothing is written from here on */

struct acpi_params {
    unsigned vcpus;          /* 1 to LIMIT_VCPUS */
    const uint32_t *apic_id; /* one per vCPU, VP 0 first */
    /* Show the 64-bit VMBus window. Not to a 32-bit kernel without PAE: Linux there cuts the
     * window's addresses to 32 bits and takes all of low memory for VMBus MMIO. */
    bool vmbus64;
};

/* Build the tables. 0; -EINVAL on a number of vCPUs out of range; -EFAULT if the guest has no RAM
 * there. Main lane, vCPUs stopped; call it again at each reset, because the guest may have
 * overwritten them. */
int acpi_build(struct gmem *gmem, const struct acpi_params *params);

#endif
