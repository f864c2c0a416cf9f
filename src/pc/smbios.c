/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: see smbios.h. Facts: DSP0134 3.x, chapter 7, as far as version 2.3 goes.
 */
#include "src/pc/smbios.h"

#include <stdio.h>
#include <string.h>

#define STRING_MAX 64u

struct smbios_anchor {
    char signature[4];
    uint8_t checksum, length, major, minor;
    uint16_t largest;
    uint8_t revision, formatted[5];
    char dmi[5];
    uint8_t dmi_checksum;
    uint16_t tables_length;
    uint32_t tables_address;
    uint16_t structures;
    uint8_t bcd;
} __attribute__((packed));
_Static_assert(sizeof(struct smbios_anchor) == SMBIOS_ANCHOR, "wire size");
_Static_assert(offsetof(struct smbios_anchor, tables_address) == 24, "wire offset");

struct smbios_header {
    uint8_t type, length;
    uint16_t handle;
} __attribute__((packed));

struct smbios_bios {
    struct smbios_header header;
    uint8_t vendor, version;
    uint16_t segment;
    uint8_t date, size;
    uint64_t characteristics;
    uint8_t extension[2];
} __attribute__((packed));
_Static_assert(sizeof(struct smbios_bios) == 20, "wire size");

struct smbios_system {
    struct smbios_header header;
    uint8_t manufacturer, product, version, serial;
    uint8_t uuid[16];
    uint8_t wake_up;
} __attribute__((packed));
_Static_assert(sizeof(struct smbios_system) == 25, "wire size");

struct smbios_chassis {
    struct smbios_header header;
    uint8_t manufacturer, type, version, serial, asset;
    uint8_t boot_up, power, thermal, security;
} __attribute__((packed));
_Static_assert(sizeof(struct smbios_chassis) == 13, "wire size");

struct smbios_array {
    struct smbios_header header;
    uint8_t location, use, correction;
    uint32_t capacity; /* KiB */
    uint16_t error_handle, devices;
} __attribute__((packed));
_Static_assert(sizeof(struct smbios_array) == 15, "wire size");

#define BIOS_CD_BOOT      (1ull << 15)
#define BIOS_SELECT_BOOT  (1ull << 16)
#define BIOS_ACPI         0x01u
#define BIOS_VM           0x10u /* second extension byte */
#define WAKE_POWER_SWITCH 6u
#define UNKNOWN           2u
#define SAFE              3u
#define NO_ERROR_HANDLE   0xfffeu
#define CAPACITY_MAX      0x7fffffffull

/* Append a structure and its strings, which are numbered from 1. All that smbios_build() makes
 * fits. */
static void append(struct smbios *smbios, const void *structure, size_t size,
                   const char *const *string, unsigned strings)
{
    uint8_t *to = smbios->tables + smbios->tables_size;

    memcpy(to, structure, size);
    to += size;
    for (unsigned i = 0; i < strings; i++) {
        size_t length = strnlen(string[i], STRING_MAX - 1);
        memcpy(to, string[i], length);
        to[length] = 0;
        to += length + 1;
    }
    *to++ = 0;
    if (!strings)
        *to++ = 0;
    smbios->tables_size = (size_t)(to - smbios->tables);
}

static void add_bios(struct smbios *smbios)
{
    static const char *const string[] = {"vmbusd", "1.0", "11/22/2026"};
    const struct smbios_bios bios = {
        .header = {0, sizeof(bios), 0},
        .vendor = 1,
        .version = 2,
        .segment = 0xe800,
        .date = 3,
        .characteristics = BIOS_CD_BOOT | BIOS_SELECT_BOOT,
        .extension = {BIOS_ACPI, BIOS_VM},
    };

    append(smbios, &bios, sizeof(bios), string, 3);
}

static const char *maker(bool twins)
{
    static const char own[STRING_MAX] = "vmbusd", microsoft[STRING_MAX] = "Microsoft Corporation";

    return twins ? microsoft : own;
}

static void add_system(struct smbios *smbios, const char *name, const struct guid *uuid, bool twins)
{
    const char *const string[] = {maker(twins), "Virtual Machine", "1.0", name};
    struct smbios_system system = {
        .header = {1, sizeof(system), 1},
        .manufacturer = 1,
        .product = 2,
        .version = 3,
        .serial = 4,
        .wake_up = WAKE_POWER_SWITCH,
    };

    memcpy(system.uuid, uuid->b, sizeof(system.uuid));
    append(smbios, &system, sizeof(system), string, 4);
}

static void add_chassis(struct smbios *smbios, bool twins)
{
    const char *const string[] = {maker(twins)};
    const struct smbios_chassis chassis = {.header = {3, sizeof(chassis), 3},
                                           .manufacturer = 1,
                                           .type = 3, /* desktop */
                                           .boot_up = SAFE,
                                           .power = SAFE,
                                           .thermal = SAFE,
                                           .security = UNKNOWN};

    append(smbios, &chassis, sizeof(chassis), string, 1);
}

static void add_memory(struct smbios *smbios, uint64_t ram_size)
{
    uint64_t kib = ram_size >> 10;
    const struct smbios_array array = {
        .header = {16, sizeof(array), 16},
        .location = 3, /* system board */
        .use = 3,      /* system memory */
        .correction = 3,
        .capacity = (uint32_t)(kib < CAPACITY_MAX ? kib : CAPACITY_MAX),
        .error_handle = NO_ERROR_HANDLE,
    };

    append(smbios, &array, sizeof(array), NULL, 0);
}

void smbios_build(struct smbios *smbios, const char *name, const struct guid *uuid, bool twins,
                  uint64_t ram_size)
{
    static const struct smbios_header end = {127, sizeof(end), 127};
    struct smbios_anchor anchor = {.signature = {'_', 'S', 'M', '_'},
                                   .length = sizeof(anchor),
                                   .major = 2,
                                   .minor = 3,
                                   .largest = SMBIOS_TABLES,
                                   .dmi = {'_', 'D', 'M', 'I', '_'},
                                   .structures = 5,
                                   .bcd = 0x23};

    memset(smbios, 0, sizeof(*smbios));
    add_bios(smbios);
    add_system(smbios, name, uuid, twins);
    add_chassis(smbios, twins);
    add_memory(smbios, ram_size);
    append(smbios, &end, sizeof(end), NULL, 0);
    anchor.tables_length = (uint16_t)smbios->tables_size;
    memcpy(smbios->anchor, &anchor, sizeof(anchor));
}
