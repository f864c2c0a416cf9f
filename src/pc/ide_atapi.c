/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATAPI: packets to the SCSI command set, data and sense back (ATA/ATAPI-7, 6.21 and 9.10).
 *
 * Reads are cut into pieces of the buffer. Sense stays with the drive until it is asked for,
 * because a packet has no room for it.
 */
#include "src/pc/ide_priv.h"

#include <string.h>

#include "src/common/big_endian.h"

#define PHASE_TO_HOST 2u /* in the count register: data for the host */
#define PHASE_STATUS  3u

#define OP_REQUEST_SENSE 0x03u
#define OP_READ_10       0x28u
#define OP_READ_12       0xa8u

static void end_status(struct ide_channel *channel, uint8_t error)
{
    ide_active(channel)->count.now = PHASE_STATUS;
    ide_end(channel, error);
}

void ide_atapi_good(struct ide_channel *channel)
{
    memset(ide_active(channel)->sense, 0, SCSI_SENSE_SIZE);
    end_status(channel, 0);
}

void ide_atapi_fail(struct ide_channel *channel, uint32_t sense)
{
    uint8_t *to = ide_active(channel)->sense;

    memset(to, 0, SCSI_SENSE_SIZE);
    to[0] = 0x70; /* current error, fixed format */
    to[2] = (uint8_t)(sense >> 16);
    to[7] = SCSI_SENSE_SIZE - 8;
    to[12] = (uint8_t)(sense >> 8);
    to[13] = (uint8_t)sense;
    end_status(channel, (uint8_t)(to[2] << 4 | ERROR_ABRT));
}

/* --- Data --- */

/* Offer the next block: as much as the guest said that it takes at once, and even, but for the
 * last.
 */
static void open_block(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    uint32_t left = channel->end - channel->at, size = channel->block;

    if (!size) {
        end_status(channel, ERROR_ABRT);
        return;
    }
    if (size == 0xffff)
        size--;
    if (size > 1 && size < left)
        size &= ~1u;
    if (size > left)
        size = left;
    channel->block_end = channel->at + size;
    channel->phase = IDE_DATA_IN;
    drive->mid.now = (uint8_t)size;
    drive->high.now = (uint8_t)(size >> 8);
    drive->count.now = PHASE_TO_HOST;
    drive->status = STATUS_GOOD | STATUS_DRQ;
    ide_interrupt(channel);
}

/* The task for the next piece of a read: always with 32-bit numbers. */
static void launch_read(struct ide_channel *channel)
{
    const uint32_t most = IDE_BUFFER / ATAPI_BLOCK;
    uint8_t *cdb = channel->scsi.cdb;

    if (ide_tray_changed(channel))
        return;
    channel->scsi.queue = ide_active(channel)->queue;
    channel->piece = channel->left < most ? channel->left : most;
    cdb[0] = OP_READ_12;
    cdb[1] = channel->cdb[1];
    put_be32(cdb + 2, (uint32_t)channel->lba);
    put_be32(cdb + 6, channel->piece);
    channel->iov = (struct iovec){channel->buffer, (size_t)channel->piece * ATAPI_BLOCK};
    channel->scsi.iovs = 1;
    channel->scsi.length = (uint32_t)channel->iov.iov_len;
    ide_launch(channel);
}

/* All of the buffer has reached the guest. */
static void piece_done(struct ide_channel *channel)
{
    channel->lba += channel->piece;
    channel->left -= channel->piece;
    if (channel->left) {
        launch_read(channel);
        return;
    }
    if (channel->dma)
        ide_dma_finish(channel);
    ide_atapi_good(channel);
}

void ide_atapi_block_done(struct ide_channel *channel)
{
    if (channel->at < channel->end)
        open_block(channel);
    else
        piece_done(channel);
}

void ide_atapi_dma(struct ide_channel *channel)
{
    if (ide_dma_copy(channel, channel->end, true))
        piece_done(channel);
    else
        end_status(channel, ERROR_ABRT);
}

/* `length` bytes of the buffer are for the guest. */
static void offer(struct ide_channel *channel, uint32_t length)
{
    channel->at = 0;
    channel->end = length;
    if (!length) {
        piece_done(channel);
    } else if (!channel->dma) {
        open_block(channel);
    } else if (ide_dma_started(channel)) {
        ide_atapi_dma(channel);
    } else {
        channel->phase = IDE_DMA_WAIT;
        ide_active(channel)->status = STATUS_BSY;
    }
}

void ide_atapi_done(struct ide_channel *channel)
{
    const struct scsi_task *task = &channel->scsi;
    struct ide_drive *drive = ide_active(channel);

    if (task->status == SCSI_GOOD) {
        ide_tray_told(channel);
        offer(channel, task->moved);
        return;
    }
    memcpy(drive->sense, task->sense, sizeof(drive->sense));
    end_status(channel, (uint8_t)(task->sense[2] << 4 | ERROR_ABRT));
}

/* --- Packets --- */

static void request_sense(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    uint8_t wanted = channel->cdb[4];

    memcpy(channel->buffer, drive->sense, SCSI_SENSE_SIZE);
    channel->buffer[0] = 0x70;
    channel->buffer[7] = SCSI_SENSE_SIZE - 8;
    offer(channel, wanted < SCSI_SENSE_SIZE ? wanted : SCSI_SENSE_SIZE);
}

/* True if the packet reads blocks that are there, whatever its form. */
static bool is_read(struct ide_channel *channel)
{
    const struct ide_drive *drive = ide_active(channel);
    const uint8_t *cdb = channel->cdb;

    if (cdb[0] == OP_READ_12)
        channel->left = get_be32(cdb + 6);
    else if (cdb[0] == OP_READ_10)
        channel->left = get_be16(cdb + 7);
    else
        return false;
    channel->lba = get_be32(cdb + 2);
    uint64_t blocks = drive->unit.disk ? drive->unit.disk->size / ATAPI_BLOCK : 0;
    return channel->left && channel->lba < blocks && channel->left <= blocks - channel->lba;
}

void ide_atapi_packet(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    struct scsi_task *task = &channel->scsi;

    channel->lba = 0;
    channel->left = channel->piece = 0;
    if (channel->cdb[0] == OP_REQUEST_SENSE) {
        request_sense(channel);
        return;
    }
    if (ide_tray_packet(channel))
        return;
    *task = (struct scsi_task){.unit = &drive->unit,
                               .queue = drive->queue,
                               .lun_map = 1,
                               .cdb_len = sizeof(channel->cdb),
                               .iov = &channel->iov,
                               .iovs = 1,
                               .length = IDE_BUFFER,
                               .done = task->done};
    if (is_read(channel)) {
        launch_read(channel);
        return;
    }
    /* Anything else moves little; a read of what is not there moves nothing. */
    memcpy(task->cdb, channel->cdb, sizeof(channel->cdb));
    channel->left = 0;
    channel->iov = (struct iovec){channel->buffer, IDE_BUFFER};
    ide_launch(channel);
}
