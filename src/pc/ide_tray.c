/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tray of an ATAPI drive: START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL (MMC-6, 6.42 and
 * 6.15), and how the guest is told that a disc has come: once by UNIT ATTENTION, once by GET EVENT
 * STATUS NOTIFICATION, so that one that polls in either way notices.
 *
 * A disc that the guest ejects stays on the tray, where the guest can take it in again. The host's
 * change comes by the disks' lane, between two requests of the channel; the old disc's queue ends
 * there.
 */
#include "src/pc/ide_priv.h"

#include <errno.h>

#include "src/common/container.h"

#define OP_INQUIRY           0x12u
#define OP_START_STOP        0x1bu
#define OP_PREVENT_ALLOW     0x1eu
#define OP_GET_CONFIGURATION 0x46u
#define OP_GET_EVENT_STATUS  0x4au

#define START_STOP_START 0x01u
#define START_STOP_LOEJ  0x02u /* load or eject */
#define PREVENT          0x01u
#define EVENT_MEDIA      0x10u /* class of events */

#define SENSE_MAY_HAVE_CHANGED 0x062800u
#define SENSE_PREVENTED        0x055302u

/* Those that a drive answers before it tells of a new disc (SPC-3, MMC-6). */
static bool comes_first(uint8_t opcode)
{
    return opcode == OP_INQUIRY || opcode == OP_GET_CONFIGURATION || opcode == OP_GET_EVENT_STATUS;
}

static void move(struct ide_drive *drive, bool open)
{
    struct scsi_unit *unit = &drive->unit;

    if (unit->tray_open == open)
        return;
    unit->tray_open = open;
    unit->disk = open ? NULL : drive->disc;
    drive->attention = !open && drive->disc;
    if (drive->disc)
        unit->event = open ? SCSI_EVENT_REMOVED : SCSI_EVENT_NEW;
}

static void start_stop(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    bool open = !(channel->cdb[4] & START_STOP_START);

    if (channel->cdb[4] & START_STOP_LOEJ) {
        if (open && drive->locked) {
            ide_atapi_fail(channel, SENSE_PREVENTED);
            return;
        }
        move(drive, open);
    }
    ide_atapi_good(channel); /* otherwise it is about spinning, and nothing spins */
}

bool ide_tray_changed(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);

    if (!drive->attention)
        return false;
    drive->attention = false;
    ide_atapi_fail(channel, SENSE_MAY_HAVE_CHANGED);
    return true;
}

bool ide_tray_packet(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    uint8_t opcode = channel->cdb[0];

    if (!comes_first(opcode) && ide_tray_changed(channel))
        return true;
    if (opcode == OP_START_STOP) {
        start_stop(channel);
    } else if (opcode == OP_PREVENT_ALLOW) {
        drive->locked = channel->cdb[4] & PREVENT;
        ide_atapi_good(channel);
    } else {
        return false;
    }
    return true;
}

void ide_tray_told(struct ide_channel *channel)
{
    if (channel->cdb[0] == OP_GET_EVENT_STATUS && channel->cdb[4] & EVENT_MEDIA)
        ide_active(channel)->unit.event = 0;
}

void ide_tray_reset(struct ide_drive *drive)
{
    if (!drive->cd)
        return;
    move(drive, false);
    drive->locked = drive->attention = false;
    drive->unit.event = 0;
}

/* --- The host's change --- */

/* On the disks' lane, PC lock held. */
static void exchange(struct ide_change *change)
{
    struct ide_drive *drive = change->drive;
    struct disk_queue *queue = drive->queue;
    struct disk *old = drive->disc;

    drive->disc = change->disc;
    drive->queue = change->queue;
    drive->unit.disk = change->disc;
    drive->unit.tray_open = drive->locked = false;
    drive->attention = change->disc;
    drive->unit.event = change->disc ? SCSI_EVENT_NEW : SCSI_EVENT_REMOVED;
    change->waiting = false;
    change->disc = old;
    change->queue = NULL;
    if (queue)
        queue->disk->class->queue_free(queue);
    lane_post(change->channel->ide->host->lane, &change->done_task);
}

static void change_run(struct lane_task *task)
{
    struct ide_change *change = container_of(task, struct ide_change, task);
    struct ide *ide = change->channel->ide;

    pthread_mutex_lock(ide->host->lock);
    change->waiting = true;
    ide_tray_idle(change->channel);
    pthread_mutex_unlock(ide->host->lock);
}

void ide_tray_idle(struct ide_channel *channel)
{
    struct ide_change *change = &channel->ide->change;

    if (change->waiting && change->channel == channel && !channel->flying)
        exchange(change);
}

static void change_done(struct lane_task *task)
{
    struct ide_change *change = container_of(task, struct ide_change, done_task);

    change->under_way = false;
    change->done(change->context, change->disc);
}

int ide_change_disc(struct ide *ide, unsigned place, struct disk *disc,
                    void (*done)(void *context, struct disk *old), void *context)
{
    struct ide_change *change = &ide->change;

    if (place >= IDE_CHANNELS * IDE_DRIVES ||
        !ide->channel[place / IDE_DRIVES].drive[place % IDE_DRIVES].cd)
        return -ENODEV;
    if (change->under_way)
        return -EBUSY;
    change->channel = &ide->channel[place / IDE_DRIVES];
    change->drive = &change->channel->drive[place % IDE_DRIVES];
    change->disc = disc;
    change->queue = disc ? disc->class->queue_new(disc, ide->lane) : NULL;
    if (disc && !change->queue)
        return -ENOMEM;
    change->done = done;
    change->context = context;
    change->under_way = true;
    lane_post(ide->lane, &change->task);
    return 0;
}

void ide_tray_init(struct ide *ide)
{
    ide->change.task.run = change_run;
    ide->change.done_task.run = change_done;
}

void ide_tray_fini(struct ide *ide)
{
    struct disk_queue *queue = ide->change.queue;

    if (queue)
        queue->disk->class->queue_free(queue);
}
