/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables as they stand in memory (ACPI 4.0a, chapter 5), for the two files that make them:
 * acpi.c (a machine without PCI) and acpi_pc.c (the generation-1 PC).
 */
#ifndef VMBUSD_PC_ACPI_WIRE_H
#define VMBUSD_PC_ACPI_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum; /* makes all bytes of the table sum to 0 */
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_header) == 36, "wire size");

struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum; /* of all bytes */
    uint8_t reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_rsdp) == 36, "wire size");

struct acpi_facs {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version;
    uint8_t reserved[31];
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_facs) == 64, "wire size");

/* Generic address: a register in some address space. */
struct acpi_address {
    uint8_t space; /* 1: I/O ports */
    uint8_t bits;
    uint8_t bit_offset;
    uint8_t access; /* width of an access: 1 byte, 2 word, 3 dword */
    uint64_t address;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_address) == 12, "wire size");

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs, dsdt;
    uint8_t reserved_int_model, preferred_profile;
    uint16_t sci_irq;
    uint32_t smi_command; /* 0: always in ACPI mode */
    uint8_t acpi_enable, acpi_disable, s4bios_request, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cst_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_architecture;
    uint8_t reserved;
    uint32_t flags;
    struct acpi_address reset;
    uint8_t reset_value;
    uint8_t reserved_arm[3];
    uint64_t x_facs, x_dsdt;
    struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer, x_gpe0, x_gpe1;
} __attribute__((packed));
_Static_assert(offsetof(struct acpi_fadt, pm1a_event) == 56, "wire offset");
_Static_assert(offsetof(struct acpi_fadt, boot_architecture) == 109, "wire offset");
_Static_assert(offsetof(struct acpi_fadt, reset) == 116, "wire offset");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "wire offset");
_Static_assert(sizeof(struct acpi_fadt) == 244, "wire size");

#define FADT_PROFILE_ENTERPRISE_SERVER 4
#define FADT_BOOT_LEGACY_DEVICES       0x01u /* COM1; no bit 1: no keyboard controller */
#define FADT_BOOT_NO_VGA               0x04u
#define FADT_WBINVD                    (1u << 0)
#define FADT_C1                        (1u << 2)
#define FADT_NO_FIXED_SLEEP_BUTTON     (1u << 5)
#define FADT_NO_FIXED_RTC              (1u << 6)
#define FADT_RESET                     (1u << 10)
#define FADT_NO_C_STATE                0xfffu /* latency that says there is none */

struct madt {
    struct acpi_header header;
    uint32_t local_apic;
    uint32_t flags; /* 1: 8259s are there too */
} __attribute__((packed));

struct madt_local_apic {
    uint8_t type, length, processor, apic_id;
    uint32_t flags;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_local_apic) == 8, "wire size");

struct madt_io_apic {
    uint8_t type, length, id, reserved;
    uint32_t address, gsi_base;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_io_apic) == 12, "wire size");

struct madt_override {
    uint8_t type, length, bus, irq;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_override) == 10, "wire size");

struct madt_nmi {
    uint8_t type, length, processor;
    uint16_t flags;
    uint8_t lint;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_nmi) == 6, "wire size");

struct madt_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t apic_id, flags, processor;
} __attribute__((packed));
_Static_assert(sizeof(struct madt_x2apic) == 16, "wire size");

#define MADT_ENABLED        1u
#define MADT_LEVEL_HIGH     0x0du
#define MADT_XAPIC_LAST     254u /* ids above need an x2APIC entry */
#define MADT_ALL_PROCESSORS 0xffu

/* What makes the bytes sum to 0. */
static inline uint8_t acpi_checksum(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + at[i]);
    return (uint8_t)-sum;
}

#define ACPI_SEGMENT 5u /* bytes of a name of the name space, its end included */

/* "P000", "P001", ... */
static inline void acpi_processor_name(char name[ACPI_SEGMENT], unsigned index)
{
    snprintf(name, ACPI_SEGMENT, "P0%02X", index & 0xff);
}

/* The head of a table, under Hyper-V's ids; length and checksum come last. */
static inline struct acpi_header acpi_header(const char *signature, uint8_t revision)
{
    struct acpi_header header = {.revision = revision, .oem_revision = 1, .creator_revision = 1};

    memcpy(header.signature, signature, sizeof(header.signature));
    memcpy(header.oem_id, "VRTUAL", sizeof(header.oem_id));
    memcpy(header.oem_table_id, "MICROSFT", sizeof(header.oem_table_id));
    memcpy(header.creator_id, "VMBD", sizeof(header.creator_id));
    return header;
}

#endif
