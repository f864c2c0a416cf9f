/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IDE drives say of themselves: IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA/ATAPI-7, 6.17
 * and 6.18). Models are those of Hyper-V's drives.
 */
#include "src/pc/ide_priv.h"

#include <string.h>

#define LBA28_MAX 0x0fffffffull

static void put(uint8_t *data, unsigned word, uint32_t value)
{
    data[2 * word] = (uint8_t)value;
    data[2 * word + 1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *data, unsigned word, uint32_t value)
{
    put(data, word, value);
    put(data, word + 1, value >> 16);
}

/* Two characters a word, the first in the upper byte. */
static void put_text(uint8_t *data, unsigned word, unsigned words, const char *text)
{
    size_t length = strnlen(text, (size_t)words * 2);

    for (unsigned i = 0; i < words * 2; i++)
        data[2 * word + (i ^ 1)] = i < length ? (uint8_t)text[i] : ' ';
}

/* Which modes there are, and which is on (upper byte). */
static uint32_t modes(const struct ide_drive *drive, uint8_t kind, uint32_t have)
{
    return have | (drive->dma_mode & kind ? 1u << (8 + (drive->dma_mode & 7)) : 0);
}

static void put_timing(const struct ide_drive *drive, uint8_t *data)
{
    put(data, 53, 7); /* words 54 to 58, 64 to 70 and 88 are valid */
    put(data, 63, modes(drive, 0x20, 0x07));
    put(data, 64, 3); /* PIO modes 3 and 4 */
    for (unsigned word = 65; word <= 68; word++)
        put(data, word, 120);
    put(data, 88, modes(drive, 0x40, 0x07)); /* Ultra DMA up to 33 MB/s: needs no cable */
}

static void identify_cd(const struct ide_drive *drive, uint8_t *data)
{
    put(data, 0, 0x85c0); /* ATAPI, CD-ROM, removable, 12-byte packets, DRQ at once */
    put_text(data, 27, 20, "Virtual CD");
    put(data, 49, 0x0f00);
    put_timing(drive, data);
    put(data, 80, 0x001e);
    put(data, 82, 0x4210); /* NOP, DEVICE RESET, packets */
    put(data, 83, 0x4000);
    put(data, 84, 0x4000);
    put(data, 85, 0x4210);
    put(data, 87, 0x4000);
}

static void identify_geometry(const struct ide_drive *drive, uint8_t *data)
{
    uint32_t per_cylinder = drive->heads * drive->spt;
    uint64_t cylinders = drive->sectors / per_cylinder;
    uint32_t current = cylinders < UINT16_MAX ? (uint32_t)cylinders : UINT16_MAX;

    put(data, 1, drive->cylinders);
    put(data, 3, drive->heads_max);
    put(data, 6, drive->spt_max);
    put(data, 54, current);
    put(data, 55, drive->heads);
    put(data, 56, drive->spt);
    put32(data, 57, current * per_cylinder);
}

static void identify_disk(const struct ide_drive *drive, uint8_t *data)
{
    uint64_t sectors = drive->sectors;

    put(data, 0, 0x0040);
    identify_geometry(drive, data);
    put_text(data, 27, 20, "Virtual HD");
    put(data, 47, 0x8000 | ATA_MULTIPLE_MAX);
    put(data, 49, 0x0f00); /* LBA, DMA, IORDY */
    put(data, 50, 0x4000);
    put(data, 59, drive->multiple ? 0x0100u | drive->multiple : 0);
    put32(data, 60, (uint32_t)(sectors < LBA28_MAX ? sectors : LBA28_MAX));
    put_timing(drive, data);
    put(data, 80, 0x00f0); /* ATA-4 to ATA-7 */
    put(data, 82, 0x4020); /* NOP, write cache */
    put(data, 83, 0x7400); /* flush, flush ext, 48 bits */
    put(data, 84, 0x4040); /* FUA */
    put(data, 85, 0x4000u | (drive->write_cache ? 0x20 : 0));
    put(data, 86, 0x3400);
    put(data, 87, 0x4040);
    put(data, 93, 0x6001);
    put32(data, 100, (uint32_t)sectors);
    put32(data, 102, (uint32_t)(sectors >> 32));
}

void ide_identify(const struct ide_drive *drive, uint8_t data[ATA_SECTOR])
{
    memset(data, 0, ATA_SECTOR);
    put_text(data, 10, 10, drive->unit.serial);
    put_text(data, 23, 4, "1.0");
    if (drive->cd)
        identify_cd(drive, data);
    else
        identify_disk(drive, data);
}
