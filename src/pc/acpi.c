/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables: see acpi.h. Facts: ACPI 4.0a, chapter 5 (tables), 6.4 and 19 (AML).
 *
 * The VMBus sits as on a generation-2 machine: its parent \_SB.VMOD (a module device) holds the two
 * windows from which guests take VMBus MMIO, as producer ranges, because Linux and FreeBSD look for
 * them on the VMBus device's ancestors. 16-bit and 32-bit copies of addresses in the FADT are given
 * with their 64-bit forms, alike.
 *
 * Left out: _S1 to _S4 (the machine has no sleep states but off), GPEs, HPET, PCI, WAET, SRAT. The
 * PM timer too, which ACPI allows: who boots here has Hyper-V's clocks, and a kernel that is shown
 * the timer reads it for its own assurance, at an exit each time. And LINT1 as an NMI line: nothing
 * is wired to it, KVM delivers an NMI without it.
 */
#include "src/pc/acpi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "src/common/limits.h"
#include "src/pc/acpi_wire.h"
#include "src/pc/aml.h"
#include "src/pc/pm.h"
#include "src/pc/rtc.h"
#include "src/pc/uart.h"

#define AREA_SIZE  0x4000u /* all tables; what 64 vCPUs need is about a third */
#define AFTER_DSDT 0x400u  /* of which FADT, RSDT and XSDT need this at most */
#define VMBUS_IRQ  7u      /* x86 Linux does not look at it; Hyper-V shows 5 and 7 */

/* The tables as they grow; offset 0 goes to ACPI_RSDP. */
struct area {
    uint8_t bytes[AREA_SIZE];
    size_t length;
};

static uint64_t address_of(size_t offset)
{
    return ACPI_RSDP + offset;
}

/* Append bytes. The area is large enough for LIMIT_VCPUS, which acpi_build() has checked. */
static void append(struct area *area, const void *bytes, size_t length)
{
    memcpy(area->bytes + area->length, bytes, length);
    area->length += length;
}

/* Give the table that began at `start` its length and checksum; the next begins on 64 bytes. */
static void finish(struct area *area, size_t start)
{
    struct acpi_header head;
    uint8_t *table = area->bytes + start;

    memcpy(&head, table, sizeof(head));
    head.length = (uint32_t)(area->length - start);
    memcpy(table, &head, sizeof(head));
    table[offsetof(struct acpi_header, checksum)] = acpi_checksum(table, head.length);
    area->length = (area->length + 63) & ~(size_t)63;
}

static void aml_processors(struct aml *aml, unsigned vcpus)
{
    for (unsigned i = 0; i < vcpus; i++) {
        char name[ACPI_SEGMENT];
        acpi_processor_name(name, i);
        struct aml_mark device = aml_device_open(aml, name);
        aml_name_string(aml, "_HID", "ACPI0007");
        aml_name_integer(aml, "_UID", i);
        aml_close(aml, device);
    }
}

static void aml_isa_device(struct aml *aml, const char *name, const char *id, uint16_t port,
                           uint8_t ports, unsigned irq)
{
    struct aml_mark device = aml_device_open(aml, name);

    aml_name_eisa_id(aml, "_HID", id);
    aml_name(aml, "_CRS");
    struct aml_mark resources = aml_template_open(aml);
    aml_io(aml, port, ports);
    aml_irq(aml, irq);
    aml_template_close(aml, resources);
    aml_close(aml, device);
}

/* The VMBus device as Hyper-V shows it: it can be "disabled", which changes what _STA says. */
static void aml_vmbus(struct aml *aml)
{
    struct aml_mark device = aml_device_open(aml, "VMBS"), method;

    aml_name_integer(aml, "STA", 15);
    aml_name_string(aml, "_HID", "VMBus");
    aml_name_integer(aml, "_UID", 0);
    aml_name_string(aml, "_DDN", "VMBUS");
    method = aml_method_open(aml, "_DIS", 0);
    aml_and(aml, "STA", 13);
    aml_close(aml, method);
    method = aml_method_open(aml, "_PS0", 0);
    aml_or(aml, "STA", 15);
    aml_close(aml, method);
    method = aml_method_open(aml, "_PS3", 0);
    aml_store(aml, "STA", 0);
    aml_close(aml, method);
    method = aml_method_open(aml, "_STA", 0);
    aml_return(aml, "STA");
    aml_close(aml, method);
    aml_name(aml, "_CRS");
    struct aml_mark resources = aml_template_open(aml);
    aml_irq(aml, VMBUS_IRQ);
    aml_template_close(aml, resources);
    aml_close(aml, device);
}

static void aml_module(struct aml *aml, bool vmbus64)
{
    struct aml_mark device = aml_device_open(aml, "VMOD");

    aml_name_string(aml, "_HID", "ACPI0004");
    aml_name_integer(aml, "_UID", 0);
    aml_name(aml, "_CRS");
    struct aml_mark resources = aml_template_open(aml);
    aml_qword_memory(aml, GMEM_VMBUS_BASE, GMEM_VMBUS_SIZE);
    if (vmbus64)
        aml_qword_memory(aml, GMEM_VMBUS64_BASE, GMEM_VMBUS64_SIZE);
    aml_template_close(aml, resources);
    aml_vmbus(aml);
    aml_close(aml, device);
}

/* Offset of the DSDT, or 0 if it does not fit. */
static size_t add_dsdt(struct area *area, const struct acpi_params *params)
{
    static const uint32_t s5[] = {PM_SLP_TYP_S5, PM_SLP_TYP_S5, 0, 0};
    struct acpi_header head = acpi_header("DSDT", 1); /* 1: 32-bit integers, for NT5 */
    size_t start = area->length;

    append(area, &head, sizeof(head));
    struct aml aml = {.bytes = area->bytes + area->length,
                      .capacity = AREA_SIZE - AFTER_DSDT - area->length};
    aml_name(&aml, "_S5");
    aml_package(&aml, s5, 4);
    struct aml_mark scope = aml_scope_open(&aml, "_SB");
    aml_processors(&aml, params->vcpus);
    aml_isa_device(&aml, "COM1", "PNP0501", UART_COM1, UART_PORTS, UART_COM1_IRQ);
    aml_isa_device(&aml, "RTC", "PNP0B00", RTC_BASE, RTC_PORTS, RTC_IRQ);
    aml_module(&aml, params->vmbus64);
    aml_close(&aml, scope);
    if (aml.overflow)
        return 0;
    area->length += aml.length;
    finish(area, start);
    return start;
}

static size_t add_facs(struct area *area)
{
    struct acpi_facs facs = {
        .signature = {'F', 'A', 'C', 'S'}, .length = sizeof(facs), .version = 2};
    size_t start = area->length;

    append(area, &facs, sizeof(facs));
    return start;
}

static struct acpi_address port(unsigned number, unsigned bytes)
{
    return (struct acpi_address){.space = 1,
                                 .bits = (uint8_t)(8 * bytes),
                                 .access = bytes == 4 ? 3 : (uint8_t)bytes,
                                 .address = number};
}

static size_t add_fadt(struct area *area, size_t facs, size_t dsdt)
{
    size_t start = area->length;
    const struct acpi_fadt fadt = {
        .header = acpi_header("FACP", 4),
        .facs = (uint32_t)address_of(facs),
        .dsdt = (uint32_t)address_of(dsdt),
        .preferred_profile = FADT_PROFILE_ENTERPRISE_SERVER,
        .sci_irq = PM_SCI,
        .pm1a_event = PM_BASE + PM_EVENT,
        .pm1a_control = PM_BASE + PM_CONTROL,
        .pm1_event_length = 4,
        .pm1_control_length = 2,
        .c2_latency = FADT_NO_C_STATE,
        .c3_latency = FADT_NO_C_STATE,
        .century = RTC_CENTURY,
        .boot_architecture = FADT_BOOT_LEGACY_DEVICES | FADT_BOOT_NO_VGA,
        .flags =
            FADT_WBINVD | FADT_C1 | FADT_NO_FIXED_SLEEP_BUTTON | FADT_NO_FIXED_RTC | FADT_RESET,
        .reset = port(PM_BASE + PM_RESET, 1),
        .reset_value = PM_RESET_VALUE,
        .x_dsdt = address_of(dsdt),
        .x_pm1a_event = port(PM_BASE + PM_EVENT, 4),
        .x_pm1a_control = port(PM_BASE + PM_CONTROL, 2),
    };

    append(area, &fadt, sizeof(fadt));
    finish(area, start);
    return start;
}

static void add_processor(struct area *area, unsigned index, uint32_t apic_id)
{
    const struct madt_local_apic small = {.type = 0,
                                          .length = sizeof(small),
                                          .processor = (uint8_t)index,
                                          .apic_id = (uint8_t)apic_id,
                                          .flags = MADT_ENABLED};
    const struct madt_x2apic large = {.type = 9,
                                      .length = sizeof(large),
                                      .apic_id = apic_id,
                                      .flags = MADT_ENABLED,
                                      .processor = index};

    if (apic_id <= MADT_XAPIC_LAST)
        append(area, &small, sizeof(small));
    else
        append(area, &large, sizeof(large));
}

static size_t add_madt(struct area *area, const struct acpi_params *params)
{
    const struct madt madt = {
        .header = acpi_header("APIC", 3), .local_apic = GMEM_LAPIC, .flags = 1};
    const struct madt_io_apic io = {.type = 1, .length = sizeof(io), .address = GMEM_IOAPIC};
    /* KVM's routes lead IRQ 0 to pin 2; the SCI is level-triggered. */
    const struct madt_override pit = {.type = 2, .length = sizeof(pit), .irq = 0, .gsi = 2};
    const struct madt_override sci = {
        .type = 2, .length = sizeof(sci), .irq = PM_SCI, .gsi = PM_SCI, .flags = MADT_LEVEL_HIGH};
    size_t start = area->length;

    append(area, &madt, sizeof(madt));
    for (unsigned i = 0; i < params->vcpus; i++)
        add_processor(area, i, params->apic_id[i]);
    append(area, &io, sizeof(io));
    append(area, &pit, sizeof(pit));
    append(area, &sci, sizeof(sci));
    finish(area, start);
    return start;
}

/* RSDT and XSDT: the same two tables, as 32-bit and as 64-bit addresses. */
static void add_roots(struct area *area, struct acpi_rsdp *rsdp, size_t fadt, size_t madt)
{
    const struct acpi_header rsdt_head = acpi_header("RSDT", 1), xsdt_head = acpi_header("XSDT", 1);
    const uint64_t wide[] = {address_of(fadt), address_of(madt)};
    const uint32_t narrow[] = {(uint32_t)wide[0], (uint32_t)wide[1]};
    size_t start = area->length;

    rsdp->rsdt = (uint32_t)address_of(start);
    append(area, &rsdt_head, sizeof(rsdt_head));
    append(area, narrow, sizeof(narrow));
    finish(area, start);
    start = area->length;
    rsdp->xsdt = address_of(start);
    append(area, &xsdt_head, sizeof(xsdt_head));
    append(area, wide, sizeof(wide));
    finish(area, start);
}

int acpi_build(struct gmem *gmem, const struct acpi_params *params)
{
    struct area area = {.length = 64}; /* the RSDP comes first and is filled in last */
    struct acpi_rsdp rsdp = {.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
                             .oem_id = {'V', 'R', 'T', 'U', 'A', 'L'},
                             .revision = 2,
                             .length = sizeof(rsdp)};

    if (params->vcpus < 1 || params->vcpus > LIMIT_VCPUS)
        return -EINVAL;
    size_t madt = add_madt(&area, params);
    size_t facs = add_facs(&area);
    size_t dsdt = add_dsdt(&area, params);
    if (!dsdt)
        return -ENOSPC;
    size_t fadt = add_fadt(&area, facs, dsdt);
    add_roots(&area, &rsdp, fadt, madt);
    rsdp.checksum = acpi_checksum(&rsdp, offsetof(struct acpi_rsdp, length));
    rsdp.extended_checksum = acpi_checksum(&rsdp, sizeof(rsdp));
    memcpy(area.bytes, &rsdp, sizeof(rsdp));
    return gmem_write(gmem, ACPI_RSDP, area.bytes, area.length) ? 0 : -EFAULT;
}
