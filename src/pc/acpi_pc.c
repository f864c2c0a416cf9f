/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of the generation-1 PC: see acpi_pc.h. Facts: ACPI 1.0b; what SeaBIOS' table loader
 * understands; where Hyper-V's generation 1 has which device.
 *
 * The VMBus sits below the ISA bridge; guests take its MMIO from the PCI root's window. PCI's
 * interrupts are acpi_pci.c's.
 *
 * Left out: the switch between legacy and ACPI mode (it is always ACPI mode), sleep states but off,
 * WAET, SRAT.
 */
#include "src/pc/acpi_pc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "src/common/limits.h"
#include "src/kvm/gmem.h"
#include "src/pc/acpi_pci.h"
#include "src/pc/acpi_wire.h"
#include "src/pc/aml.h"
#include "src/pc/pm.h"
#include "src/pc/rtc.h"
#include "src/pc/uart.h"

#define FADT_SIZE      129u
#define AFTER_DSDT     0x600u /* room for FADT, MADT and RSDT, with their alignment */
#define WINDOW_LAST    0xfebfffffu
#define GUEST_IRQS_1   5u /* of the VMBus: what Server 2003's driver connects to */
#define GUEST_IRQS_2   7u
#define NOTIFY_CHANGED 0x80u /* the first of a device's own; what the specification says */

/* One step of the loader's script; what follows the names differs by command. */
struct step {
    uint32_t command;
    union {
        struct {
            char file[56];
            uint32_t align;
            uint8_t zone; /* 1: high memory; 2: the F segment */
        } __attribute__((packed)) allocate;
        struct {
            char at[56], to[56];
            uint32_t offset;
            uint8_t size;
        } __attribute__((packed)) pointer;
        struct {
            char file[56];
            uint32_t offset, start, length;
        } __attribute__((packed)) checksum;
        uint8_t bytes[ACPI_PC_COMMAND - 4];
    };
} __attribute__((packed));
_Static_assert(sizeof(struct step) == ACPI_PC_COMMAND, "wire size");
_Static_assert(offsetof(struct step, allocate.align) == 60, "wire offset");
_Static_assert(offsetof(struct step, pointer.offset) == 116, "wire offset");
_Static_assert(offsetof(struct step, checksum.offset) == 60, "wire offset");

enum { STEP_ALLOCATE = 1, STEP_POINTER = 2, STEP_CHECKSUM = 3 };

/* --- The script --- */

/* There are fewer steps than room for them: what acpi_pc_build() adds is fixed. */
static void add_step(struct acpi_pc *acpi, const struct step *step)
{
    memcpy(acpi->loader + acpi->loader_size, step, sizeof(*step));
    acpi->loader_size += sizeof(*step);
}

static void allocate(struct acpi_pc *acpi, const char *file, uint32_t align, uint8_t zone)
{
    struct step step = {.command = STEP_ALLOCATE, .allocate = {.align = align, .zone = zone}};

    memcpy(step.allocate.file, file, strlen(file));
    add_step(acpi, &step);
}

/* The 32-bit word at `offset` of `at` holds an offset into the tables: make it an address. */
static void pointer(struct acpi_pc *acpi, const char *at, size_t offset)
{
    struct step step = {.command = STEP_POINTER,
                        .pointer = {.offset = (uint32_t)offset, .size = sizeof(uint32_t)}};

    memcpy(step.pointer.at, at, strlen(at));
    memcpy(step.pointer.to, ACPI_PC_TABLES_FILE, sizeof(ACPI_PC_TABLES_FILE));
    add_step(acpi, &step);
}

static void sum(struct acpi_pc *acpi, const char *file, size_t offset, size_t start, size_t length)
{
    struct step step = {.command = STEP_CHECKSUM,
                        .checksum = {.offset = (uint32_t)offset,
                                     .start = (uint32_t)start,
                                     .length = (uint32_t)length}};

    memcpy(step.checksum.file, file, strlen(file));
    add_step(acpi, &step);
}

/* --- Tables --- */

/* Append bytes; there is room for LIMIT_VCPUS, which acpi_pc_build() has checked. */
static void append(struct acpi_pc *acpi, const void *bytes, size_t length)
{
    memcpy(acpi->tables + acpi->tables_size, bytes, length);
    acpi->tables_size += length;
}

/* The table that began at `start` is complete: its length; the next begins on 64 bytes. The
 * checksum is ours if the loader changes nothing in it, else the loader's. */
static void finish(struct acpi_pc *acpi, size_t start, bool loaded)
{
    uint8_t *table = acpi->tables + start;
    uint32_t length = (uint32_t)(acpi->tables_size - start);
    size_t at = offsetof(struct acpi_header, checksum);

    memcpy(table + offsetof(struct acpi_header, length), &length, sizeof(length));
    if (loaded)
        sum(acpi, ACPI_PC_TABLES_FILE, start + at, start, length);
    else
        table[at] = acpi_checksum(table, length);
    acpi->tables_size = (acpi->tables_size + 63) & ~(size_t)63;
}

/* Open a device of the ISA bus with its _CRS open too. */
struct isa_device {
    struct aml_mark device, resources;
};

static struct isa_device isa_open(struct aml *aml, const char *name, const char *id)
{
    struct isa_device isa = {.device = aml_device_open(aml, name)};

    aml_name_eisa_id(aml, "_HID", id);
    aml_name(aml, "_CRS");
    isa.resources = aml_template_open(aml);
    return isa;
}

static void isa_close(struct aml *aml, struct isa_device isa)
{
    aml_template_close(aml, isa.resources);
    aml_close(aml, isa.device);
}

static void isa_simple(struct aml *aml, const char *name, const char *id, uint16_t port,
                       uint8_t ports, unsigned irq)
{
    struct isa_device isa = isa_open(aml, name, id);

    aml_io(aml, port, ports);
    aml_irq(aml, irq);
    isa_close(aml, isa);
}

/* Ports of one _HID are told apart by _UID. */
static void isa_serial(struct aml *aml, const char *name, uint32_t number, uint16_t port,
                       unsigned irq)
{
    struct isa_device isa = isa_open(aml, name, "PNP0501");

    aml_io(aml, port, UART_PORTS);
    aml_irq(aml, irq);
    aml_template_close(aml, isa.resources);
    aml_name_integer(aml, "_UID", number);
    aml_close(aml, isa.device);
}

/* SeaBIOS drives a keyboard only if there is a PNP0303 here. */
static void isa_keyboard(struct aml *aml)
{
    struct isa_device isa = isa_open(aml, "PS2K", "PNP0303");

    aml_io(aml, 0x60, 1);
    aml_io(aml, 0x64, 1);
    aml_irq(aml, 1);
    isa_close(aml, isa);
    isa = isa_open(aml, "PS2M", "PNP0F03");
    aml_irq(aml, 12);
    isa_close(aml, isa);
}

/* What is in the way of other devices and belongs to none. */
static void isa_board(struct aml *aml)
{
    struct isa_device isa = isa_open(aml, "SYSR", "PNP0C02");

    aml_io(aml, 0x92, 1);
    aml_io(aml, 0x4d0, 2);
    aml_io(aml, PM_BASE, PM_SIZE);
    isa_close(aml, isa);
}

static void isa_vmbus(struct aml *aml)
{
    struct aml_mark device = aml_device_open(aml, "VMBS");

    aml_name_string(aml, "_HID", "VMBus");
    aml_name_integer(aml, "_UID", 0);
    aml_name_string(aml, "_DDN", "VMBUS");
    aml_name_integer(aml, "_STA", 15);
    aml_name(aml, "_CRS");
    struct aml_mark resources = aml_template_open(aml);
    aml_irq(aml, GUEST_IRQS_1);
    aml_irq(aml, GUEST_IRQS_2);
    aml_template_close(aml, resources);
    aml_close(aml, device);
}

static void isa_bridge(struct aml *aml)
{
    struct aml_mark device = aml_device_open(aml, "SBRG");

    aml_name_integer(aml, "_ADR", 0x00010000);
    acpi_pci_router(aml);
    isa_keyboard(aml);
    isa_simple(aml, "RTC", "PNP0B00", RTC_BASE, RTC_PORTS, RTC_IRQ);
    isa_serial(aml, "COM1", 1, UART_COM1, UART_COM1_IRQ);
    isa_serial(aml, "COM2", 2, UART_COM2, UART_COM2_IRQ);
    isa_simple(aml, "PIT", "PNP0100", 0x40, 4, 0);
    isa_board(aml);
    isa_vmbus(aml);
    aml_close(aml, device);
}

static void pci_root(struct aml *aml, uint32_t window)
{
    struct aml_mark device = aml_device_open(aml, "PCI0");

    aml_name_eisa_id(aml, "_HID", "PNP0A03");
    aml_name_integer(aml, "_ADR", 0);
    aml_name_integer(aml, "_UID", 0);
    aml_name_integer(aml, "_BBN", 0);
    aml_name(aml, "_CRS");
    struct aml_mark resources = aml_template_open(aml);
    aml_bus_numbers(aml, 0, 0xff);
    aml_io(aml, 0xcf8, 8);
    aml_bus_ports(aml, 0, 0xcf7);
    aml_bus_ports(aml, 0xd00, 0xffff);
    aml_bus_memory(aml, 0xa0000, 0xbffff);
    aml_bus_memory(aml, window, WINDOW_LAST);
    aml_template_close(aml, resources);
    acpi_pci_routes(aml);
    isa_bridge(aml);
    aml_close(aml, device);
}

/* The VM generation counter as Hyper-V shows it: ADDR has the id's address, low and high half. */
static void generation_counter(struct aml *aml)
{
    static const uint32_t address[] = {(uint32_t)GMEM_GENERATION, GMEM_GENERATION >> 32};
    struct aml_mark device = aml_device_open(aml, "GENC");

    aml_name_string(aml, "_HID", "HYPER_V_GEN_COUNTER_V1");
    aml_name_string(aml, "_CID", "VM_GEN_COUNTER");
    aml_name_string(aml, "_DDN", "VM_Gen_Counter");
    aml_name(aml, "ADDR");
    aml_package(aml, address, 2);
    aml_close(aml, device);
}

/* Its event: an edge, which the guest clears before it calls this. */
static void generation_changed(struct aml *aml)
{
    _Static_assert(PM_GPE_GENERATION == 0x01, "_E01");
    struct aml_mark scope = aml_scope_open(aml, "_GPE"), method = aml_method_open(aml, "_E01", 0);

    aml_op(aml, AML_OP_NOTIFY);
    aml_reference(aml, "\\_SB.GENC");
    aml_integer(aml, NOTIFY_CHANGED);
    aml_close(aml, method);
    aml_close(aml, scope);
}

/* Where SeaBIOS begins to place what PCI devices want. */
static uint32_t window_of(uint32_t low_memory)
{
    return low_memory <= 0x80000000u ? 0x80000000u : 0xc0000000u;
}

static bool add_dsdt(struct acpi_pc *acpi, const struct acpi_pc_params *params)
{
    static const uint32_t s5[] = {PM_SLP_TYP_S5, PM_SLP_TYP_S5, 0, 0};
    struct acpi_header head = acpi_header("DSDT", 1);
    size_t start = acpi->tables_size;

    append(acpi, &head, sizeof(head));
    struct aml aml = {.bytes = acpi->tables + acpi->tables_size,
                      .capacity = ACPI_PC_TABLES - AFTER_DSDT - acpi->tables_size};
    aml_name(&aml, "_S5");
    aml_package(&aml, s5, 4);
    acpi_pci_mode(&aml);
    struct aml_mark scope = aml_scope_open(&aml, "_SB");
    for (unsigned i = 0; i < params->vcpus; i++) {
        char name[ACPI_SEGMENT];
        acpi_processor_name(name, i);
        aml_processor(&aml, name, (uint8_t)(i + 1));
    }
    acpi_pci_links(&aml);
    pci_root(&aml, window_of(params->low_memory));
    acpi_pci_registers(&aml, "PCI0.SBRG." ACPI_PCI_ROUTER);
    if (params->generation)
        generation_counter(&aml);
    aml_close(&aml, scope);
    if (params->generation)
        generation_changed(&aml);
    acpi->tables_size += aml.length;
    finish(acpi, start, false);
    return !aml.overflow;
}

static size_t add_facs(struct acpi_pc *acpi)
{
    struct acpi_facs facs = {.signature = {'F', 'A', 'C', 'S'}, .length = sizeof(facs)};
    size_t start = acpi->tables_size;

    append(acpi, &facs, sizeof(facs));
    return start;
}

static void add_fadt(struct acpi_pc *acpi, size_t facs, size_t dsdt)
{
    size_t start = acpi->tables_size;
    const struct acpi_fadt fadt = {
        .header = acpi_header("FACP", 2),
        .facs = (uint32_t)facs,
        .dsdt = (uint32_t)dsdt,
        .reserved_int_model = 1, /* I/O APIC beside the 8259s */
        .sci_irq = PM_SCI,
        .pm1a_event = PM_BASE + PM_EVENT,
        .pm1a_control = PM_BASE + PM_CONTROL,
        .pm_timer = PM_BASE + PM_TIMER,
        .gpe0 = PM_BASE + PM_GPE,
        .pm1_event_length = 4,
        .pm1_control_length = 2,
        .pm_timer_length = 4,
        .gpe0_length = PM_GPE_SIZE,
        .c2_latency = FADT_NO_C_STATE,
        .c3_latency = FADT_NO_C_STATE,
        .century = RTC_CENTURY,
        .flags =
            FADT_WBINVD | FADT_C1 | FADT_NO_FIXED_SLEEP_BUTTON | FADT_NO_FIXED_RTC | FADT_RESET,
        .reset = {.space = 1, .bits = 8, .address = PM_BASE + PM_RESET},
        .reset_value = PM_RESET_VALUE,
    };

    append(acpi, &fadt, FADT_SIZE);
    pointer(acpi, ACPI_PC_TABLES_FILE, start + offsetof(struct acpi_fadt, facs));
    pointer(acpi, ACPI_PC_TABLES_FILE, start + offsetof(struct acpi_fadt, dsdt));
    finish(acpi, start, true);
}

static void add_madt(struct acpi_pc *acpi, const struct acpi_pc_params *params)
{
    const struct madt madt = {
        .header = acpi_header("APIC", 1), .local_apic = GMEM_LAPIC, .flags = 1};
    const struct madt_io_apic io = {.type = 1, .length = sizeof(io), .address = GMEM_IOAPIC};
    const struct madt_override override[] = {
        {.type = 2, .length = sizeof(override[0]), .irq = 0, .gsi = 2},
        {.type = 2,
         .length = sizeof(override[0]),
         .irq = PM_SCI,
         .gsi = PM_SCI,
         .flags = MADT_LEVEL_HIGH},
        {.type = 2, .length = sizeof(override[0]), .irq = 10, .gsi = 10, .flags = MADT_LEVEL_HIGH},
        {.type = 2, .length = sizeof(override[0]), .irq = 11, .gsi = 11, .flags = MADT_LEVEL_HIGH}};
    const struct madt_nmi nmi = {
        .type = 4, .length = sizeof(nmi), .processor = MADT_ALL_PROCESSORS, .lint = 1};
    size_t start = acpi->tables_size;

    append(acpi, &madt, sizeof(madt));
    for (unsigned i = 0; i < params->vcpus; i++) {
        const struct madt_local_apic processor = {.type = 0,
                                                  .length = sizeof(processor),
                                                  .processor = (uint8_t)(i + 1),
                                                  .apic_id = (uint8_t)params->apic_id[i],
                                                  .flags = MADT_ENABLED};
        append(acpi, &processor, sizeof(processor));
    }
    append(acpi, &io, sizeof(io));
    append(acpi, override, sizeof(override));
    append(acpi, &nmi, sizeof(nmi));
    finish(acpi, start, false);
}

static void add_roots(struct acpi_pc *acpi, size_t fadt, size_t madt)
{
    const struct acpi_header head = acpi_header("RSDT", 1);
    const uint32_t entry[] = {(uint32_t)fadt, (uint32_t)madt};
    size_t start = acpi->tables_size;
    struct acpi_rsdp rsdp = {.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
                             .oem_id = {'V', 'R', 'T', 'U', 'A', 'L'},
                             .rsdt = (uint32_t)start};

    append(acpi, &head, sizeof(head));
    append(acpi, entry, sizeof(entry));
    for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++)
        pointer(acpi, ACPI_PC_TABLES_FILE, start + sizeof(head) + i * sizeof(entry[0]));
    finish(acpi, start, true);
    memcpy(acpi->rsdp, &rsdp, sizeof(acpi->rsdp));
    pointer(acpi, ACPI_PC_RSDP_FILE, offsetof(struct acpi_rsdp, rsdt));
    sum(acpi, ACPI_PC_RSDP_FILE, offsetof(struct acpi_rsdp, checksum), 0, sizeof(acpi->rsdp));
}

int acpi_pc_build(struct acpi_pc *acpi, const struct acpi_pc_params *params)
{
    memset(acpi, 0, sizeof(*acpi));
    if (params->vcpus < 1 || params->vcpus > LIMIT_VCPUS)
        return -EINVAL;
    for (unsigned i = 0; i < params->vcpus; i++)
        if (params->apic_id[i] > MADT_XAPIC_LAST)
            return -EINVAL;
    allocate(acpi, ACPI_PC_RSDP_FILE, 16, 2);
    allocate(acpi, ACPI_PC_TABLES_FILE, 64, 1);
    size_t facs = add_facs(acpi), dsdt = acpi->tables_size;
    if (!add_dsdt(acpi, params))
        return -ENOSPC;
    size_t fadt = acpi->tables_size;
    add_fadt(acpi, facs, dsdt);
    size_t madt = acpi->tables_size;
    add_madt(acpi, params);
    add_roots(acpi, fadt, madt);
    return 0;
}
