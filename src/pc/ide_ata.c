/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATA commands (ATA/ATAPI-7, chapter 6): what to do is in one table, where on the disk is worked
 * out and checked against its size before anything is done.
 */
#include "src/pc/ide_priv.h"

#include <string.h>

enum {
    ATA_WRITE = 0x01, /* else read */
    ATA_DMA = 0x02,
    ATA_EXT = 0x04, /* 48-bit */
    ATA_MULTIPLE = 0x08,
    ATA_FUA = 0x10,
    ATA_VERIFY = 0x20, /* no data */
    ATA_DISK_ONLY = 0x40,
};

struct command {
    void (*run)(struct ide_channel *channel, unsigned flags);
    unsigned flags;
};

/* --- Where --- */

static uint64_t lba48(const struct ide_drive *drive)
{
    return drive->low.now | (uint64_t)drive->mid.now << 8 | (uint64_t)drive->high.now << 16 |
           (uint64_t)drive->low.before << 24 | (uint64_t)drive->mid.before << 32 |
           (uint64_t)drive->high.before << 40;
}

/* False if there is no such sector. */
static bool address(const struct ide_drive *drive, unsigned flags, uint64_t *ret_lba)
{
    uint32_t head = drive->device & 0x0f, sector = drive->low.now;
    uint32_t cylinder = drive->mid.now | (uint32_t)drive->high.now << 8;

    if (flags & ATA_EXT) {
        *ret_lba = lba48(drive);
        return drive->device & DEVICE_LBA;
    }
    if (drive->device & DEVICE_LBA) {
        *ret_lba = sector | cylinder << 8 | head << 24;
        return true;
    }
    *ret_lba = ((uint64_t)cylinder * drive->heads + head) * drive->spt + sector - 1;
    return sector >= 1 && sector <= drive->spt && head < drive->heads;
}

static uint32_t sector_count(const struct ide_drive *drive, unsigned flags)
{
    uint32_t count = drive->count.now;

    if (!(flags & ATA_EXT))
        return count ? count : 256;
    count |= (uint32_t)drive->count.before << 8;
    return count ? count : 65536;
}

/* --- Commands --- */

static void run_transfer(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);
    uint32_t count = sector_count(drive, flags);
    uint64_t lba;

    if (flags & ATA_MULTIPLE && !drive->multiple) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    if (!address(drive, flags, &lba) || lba >= drive->sectors || count > drive->sectors - lba) {
        ide_end(channel, ERROR_IDNF | ERROR_ABRT);
        return;
    }
    if (flags & ATA_VERIFY) {
        ide_end(channel, 0);
        return;
    }
    if (flags & ATA_WRITE && drive->unit.disk->readonly) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    channel->write = flags & ATA_WRITE;
    channel->dma = flags & ATA_DMA;
    channel->flush = channel->packet = false;
    channel->fua = channel->write && (flags & ATA_FUA || !drive->write_cache);
    channel->lba = lba;
    channel->left = count;
    channel->block = (flags & ATA_MULTIPLE ? drive->multiple : 1) * ATA_SECTOR;
    ide_transfer(channel);
}

static void run_flush(struct ide_channel *channel, unsigned flags)
{
    (void)flags;
    if (ide_selected(channel)->unit.disk->readonly) {
        ide_end(channel, 0);
        return;
    }
    channel->flush = true;
    channel->packet = channel->write = channel->dma = false;
    channel->left = 0;
    ide_transfer(channel);
}

static void run_identify(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);

    (void)flags;
    if (drive->cd) {
        ide_signature(drive);
        ide_end(channel, ERROR_ABRT);
        return;
    }
    ide_identify(drive, channel->buffer);
    ide_give(channel, ATA_SECTOR);
}

static void run_identify_packet(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);

    (void)flags;
    if (!drive->cd) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    ide_identify(drive, channel->buffer);
    ide_give(channel, ATA_SECTOR);
}

static void run_packet(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);

    (void)flags;
    if (!drive->cd) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    channel->dma = drive->features.now & 1;
    channel->packet = true;
    channel->write = channel->flush = false;
    channel->block = drive->mid.now | (uint32_t)drive->high.now << 8;
    channel->phase = IDE_PACKET;
    channel->at = 0;
    channel->block_end = channel->end = sizeof(channel->cdb);
    drive->count.now = 1; /* a command, from the host */
    drive->status = STATUS_GOOD | STATUS_DRQ;
}

static void run_nothing(struct ide_channel *channel, unsigned flags)
{
    (void)flags;
    ide_end(channel, 0);
}

static void run_device_reset(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);

    (void)flags;
    if (!drive->cd) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    ide_signature(drive); /* without an interrupt */
}

/* Both drives report; the answer is the first one's. */
static void run_diagnose(struct ide_channel *channel, unsigned flags)
{
    (void)flags;
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        ide_signature(&channel->drive[i]);
    channel->selected = 0;
    ide_interrupt(channel);
}

static void run_geometry(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);

    (void)flags;
    if (!drive->count.now) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    drive->heads = (drive->device & 0x0fu) + 1;
    drive->spt = drive->count.now;
    ide_end(channel, 0);
}

static void run_multiple(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);
    uint8_t count = drive->count.now;

    (void)flags;
    if (count > ATA_MULTIPLE_MAX || count & (count - 1)) {
        ide_end(channel, ERROR_ABRT);
        return;
    }
    drive->multiple = count;
    ide_end(channel, 0);
}

/* Always active or idle: nothing here sleeps. */
static void run_power_mode(struct ide_channel *channel, unsigned flags)
{
    (void)flags;
    ide_selected(channel)->count.now = 0xff;
    ide_end(channel, 0);
}

static bool set_transfer_mode(struct ide_drive *drive, uint8_t mode)
{
    if (mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c))
        return true; /* PIO: beside a DMA mode */
    if ((mode & 0xf8) != 0x20 && (mode & 0xf8) != 0x40)
        return false;
    if ((mode & 7) > 2)
        return false;
    drive->dma_mode = mode;
    return true;
}

static void run_set_features(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);
    bool known = true;

    (void)flags;
    switch (drive->features.now) {
    case 0x02:
    case 0x82:
        known = !drive->cd;
        drive->write_cache = drive->features.now == 0x02;
        break;
    case 0x03:
        known = set_transfer_mode(drive, drive->count.now);
        break;
    case 0x55: /* read look-ahead off and on; keep settings over a reset or not */
    case 0xaa:
    case 0x66:
    case 0xcc:
        break;
    default:
        known = false;
    }
    ide_end(channel, known ? 0 : ERROR_ABRT);
}

static void run_native_max(struct ide_channel *channel, unsigned flags)
{
    struct ide_drive *drive = ide_selected(channel);
    uint64_t last = drive->sectors - 1;

    if (!(flags & ATA_EXT) && last > 0x0ffffffe)
        last = 0x0ffffffe;
    drive->low = (struct ide_register){(uint8_t)last, (uint8_t)(last >> 24)};
    drive->mid = (struct ide_register){(uint8_t)(last >> 8), (uint8_t)(last >> 32)};
    drive->high = (struct ide_register){(uint8_t)(last >> 16), (uint8_t)(last >> 40)};
    if (!(flags & ATA_EXT))
        drive->device = (uint8_t)((drive->device & 0xf0) | (last >> 24 & 0x0f));
    ide_end(channel, 0);
}

#define DISK(run, flags)             \
    {                                \
        run, (flags) | ATA_DISK_ONLY \
    }

static const struct command commands[256] = {
    [0x08] = {run_device_reset, 0},
    [0x10] = DISK(run_nothing, 0), /* RECALIBRATE */
    [0x20] = DISK(run_transfer, 0),
    [0x21] = DISK(run_transfer, 0),
    [0x24] = DISK(run_transfer, ATA_EXT),
    [0x25] = DISK(run_transfer, ATA_EXT | ATA_DMA),
    [0x27] = DISK(run_native_max, ATA_EXT),
    [0x29] = DISK(run_transfer, ATA_EXT | ATA_MULTIPLE),
    [0x30] = DISK(run_transfer, ATA_WRITE),
    [0x31] = DISK(run_transfer, ATA_WRITE),
    [0x34] = DISK(run_transfer, ATA_WRITE | ATA_EXT),
    [0x35] = DISK(run_transfer, ATA_WRITE | ATA_EXT | ATA_DMA),
    [0x39] = DISK(run_transfer, ATA_WRITE | ATA_EXT | ATA_MULTIPLE),
    [0x3d] = DISK(run_transfer, ATA_WRITE | ATA_EXT | ATA_DMA | ATA_FUA),
    [0x40] = DISK(run_transfer, ATA_VERIFY),
    [0x41] = DISK(run_transfer, ATA_VERIFY),
    [0x42] = DISK(run_transfer, ATA_VERIFY | ATA_EXT),
    [0x70] = DISK(run_nothing, 0), /* SEEK */
    [0x90] = {run_diagnose, 0},
    [0x91] = DISK(run_geometry, 0),
    [0x94] = {run_nothing, 0}, /* power management, old numbers and new */
    [0x95] = {run_nothing, 0},
    [0x96] = {run_nothing, 0},
    [0x97] = {run_nothing, 0},
    [0x98] = {run_power_mode, 0},
    [0x99] = {run_nothing, 0},
    [0xa0] = {run_packet, 0},
    [0xa1] = {run_identify_packet, 0},
    [0xc4] = DISK(run_transfer, ATA_MULTIPLE),
    [0xc5] = DISK(run_transfer, ATA_WRITE | ATA_MULTIPLE),
    [0xc6] = DISK(run_multiple, 0),
    [0xc8] = DISK(run_transfer, ATA_DMA),
    [0xc9] = DISK(run_transfer, ATA_DMA),
    [0xca] = DISK(run_transfer, ATA_WRITE | ATA_DMA),
    [0xcb] = DISK(run_transfer, ATA_WRITE | ATA_DMA),
    [0xce] = DISK(run_transfer, ATA_WRITE | ATA_EXT | ATA_MULTIPLE | ATA_FUA),
    [0xe0] = {run_nothing, 0},
    [0xe1] = {run_nothing, 0},
    [0xe2] = {run_nothing, 0},
    [0xe3] = {run_nothing, 0},
    [0xe5] = {run_power_mode, 0},
    [0xe6] = {run_nothing, 0},
    [0xe7] = DISK(run_flush, 0),
    [0xea] = DISK(run_flush, 0),
    [0xec] = {run_identify, 0},
    [0xef] = {run_set_features, 0},
    [0xf8] = DISK(run_native_max, 0),
};

void ide_ata_command(struct ide_channel *channel, uint8_t number)
{
    struct ide_drive *drive = ide_selected(channel);
    const struct command *command = &commands[number];

    drive->error = 0;
    if (!command->run || (command->flags & ATA_DISK_ONLY && drive->cd))
        ide_end(channel, ERROR_ABRT);
    else
        command->run(channel, command->flags);
}
