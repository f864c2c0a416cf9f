/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data of an IDE channel: between guest and buffer, piece by piece, and between buffer and disk, on
 * the disks' lane.
 *
 * A request that is with the disk owns the buffer, also when the guest has reset the drive
 * meanwhile: then its result is stale, and a command that has come in the meantime begins when it
 * has landed.
 */
#include "src/pc/ide_priv.h"

#include "src/common/container.h"

static void open_block(struct ide_channel *channel, bool interrupt)
{
    uint32_t left = channel->end - channel->at;

    channel->block_end = channel->at + (channel->block < left ? channel->block : left);
    channel->phase = channel->write ? IDE_DATA_OUT : IDE_DATA_IN;
    channel->opened = true;
    ide_active(channel)->status = STATUS_GOOD | STATUS_DRQ;
    if (interrupt)
        ide_interrupt(channel);
}

void ide_give(struct ide_channel *channel, uint32_t length)
{
    channel->write = channel->dma = channel->flush = channel->packet = false;
    channel->left = channel->piece = 0;
    channel->at = 0;
    channel->end = channel->block = length;
    open_block(channel, true);
}

void ide_launch(struct ide_channel *channel)
{
    channel->phase = IDE_DISK;
    channel->flying = true;
    channel->scsi_next = channel->packet;
    channel->queue = ide_active(channel)->queue;
    ide_active(channel)->status = STATUS_BSY;
    lane_post(channel->ide->lane, &channel->task);
}

/* The request for the piece: whole before the lane sees it. */
static void launch_piece(struct ide_channel *channel)
{
    channel->iov = (struct iovec){channel->buffer, (size_t)channel->piece * ATA_SECTOR};
    channel->request = (struct disk_request){
        .op = channel->flush   ? DISK_FLUSH
              : channel->write ? DISK_WRITE
                               : DISK_READ,
        .fua = channel->fua,
        .offset = channel->flush ? 0 : channel->lba * ATA_SECTOR,
        .length = channel->flush ? 0 : channel->iov.iov_len,
        .iov = &channel->iov,
        .iovs = channel->flush ? 0 : 1,
        .done = channel->request.done,
    };
    ide_launch(channel);
}

/* --- Pieces --- */

static void begin_dma_piece(struct ide_channel *channel)
{
    if (!ide_dma_started(channel)) {
        channel->phase = IDE_DMA_WAIT;
        ide_active(channel)->status = STATUS_BSY;
    } else if (channel->write && !ide_dma_copy(channel, channel->piece * ATA_SECTOR, false)) {
        ide_end(channel, ERROR_ABRT);
    } else {
        launch_piece(channel);
    }
}

static void begin_piece(struct ide_channel *channel)
{
    const uint32_t most = IDE_BUFFER / ATA_SECTOR;

    channel->piece = channel->left < most ? channel->left : most;
    channel->at = 0;
    channel->end = channel->piece * ATA_SECTOR;
    if (channel->dma)
        begin_dma_piece(channel);
    else if (channel->write)
        open_block(channel, channel->opened);
    else
        launch_piece(channel);
}

void ide_transfer(struct ide_channel *channel)
{
    channel->opened = false;
    if (channel->flush) {
        channel->piece = 0;
        launch_piece(channel);
    } else {
        begin_piece(channel);
    }
}

/* The piece has reached its goal. A read by PIO ends in silence, with the guest's last access. */
static void piece_done(struct ide_channel *channel, bool silent)
{
    channel->lba += channel->piece;
    channel->left -= channel->piece;
    if (channel->left) {
        begin_piece(channel);
    } else if (silent) {
        channel->phase = IDE_IDLE;
        ide_active(channel)->status = STATUS_GOOD;
    } else {
        if (channel->dma)
            ide_dma_finish(channel);
        ide_end(channel, 0);
    }
}

void ide_dma_go(struct ide_channel *channel)
{
    if (channel->phase != IDE_DMA_WAIT)
        return;
    if (channel->packet)
        ide_atapi_dma(channel);
    else
        begin_dma_piece(channel);
}

void ide_block_done(struct ide_channel *channel)
{
    if (channel->phase == IDE_PACKET)
        ide_atapi_packet(channel);
    else if (channel->packet)
        ide_atapi_block_done(channel);
    else if (channel->at < channel->end)
        open_block(channel, true);
    else if (channel->write)
        launch_piece(channel);
    else
        piece_done(channel, true);
}

/* --- To the disk and back --- */

static void landed_piece(struct ide_channel *channel, int result)
{
    uint32_t bytes = channel->piece * ATA_SECTOR;

    if (result < 0)
        ide_end(channel, channel->flush ? ERROR_ABRT : ERROR_UNC);
    else if (channel->flush)
        ide_end(channel, 0);
    else if (channel->dma && !ide_dma_started(channel))
        ide_end(channel, ERROR_ABRT); /* stopped in the middle */
    else if (channel->dma && !channel->write && !ide_dma_copy(channel, bytes, true))
        ide_end(channel, ERROR_ABRT);
    else if (channel->dma || channel->write)
        piece_done(channel, false);
    else
        open_block(channel, true);
}

static void drained(struct ide *ide)
{
    for (unsigned i = 0; i < IDE_CHANNELS; i++)
        if (ide->channel[i].flying)
            return;
    if (ide->drained)
        lane_post(ide->host->lane, &ide->drained_task);
}

/* On the lane: what was with the disk is back. */
static void landed(struct ide_channel *channel, int result, bool packet)
{
    struct ide *ide = channel->ide;

    pthread_mutex_lock(ide->host->lock);
    bool stale = channel->stale, again = channel->again;
    channel->flying = channel->stale = channel->again = false;
    if (stale && again)
        ide_ata_command(channel, channel->again_command);
    else if (!stale && packet)
        ide_atapi_done(channel);
    else if (!stale)
        landed_piece(channel, result);
    ide_tray_idle(channel);
    drained(ide);
    pthread_mutex_unlock(ide->host->lock);
}

static void request_done(struct disk_request *request, int result)
{
    landed(container_of(request, struct ide_channel, request), result, false);
}

static void task_done(struct scsi_task *task)
{
    landed(container_of(task, struct ide_channel, scsi), 0, true);
}

static void run(struct lane_task *task)
{
    struct ide_channel *channel = container_of(task, struct ide_channel, task);

    if (channel->scsi_next)
        scsi_execute(&channel->scsi);
    else
        disk_submit(channel->queue, &channel->request);
}

void ide_forget(struct ide_channel *channel)
{
    channel->stale = channel->flying;
    channel->again = false;
    channel->phase = IDE_IDLE;
}

void ide_transfer_init(struct ide_channel *channel)
{
    channel->task.run = run;
    channel->request.done = request_done;
    channel->scsi.done = task_done;
}
