/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tray of an ATAPI drive: START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL (MMC-6, 6.42 and
 * 6.15), and how the guest is told that a disc has come: once by UNIT ATTENTION, once by GET EVENT
 * STATUS NOTIFICATION, so that one that polls in either way notices.
 *
 * A disc that the guest ejects stays on the tray, where the guest can take it in again.
 */
#include "src/pc/ide_priv.h"

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

bool ide_tray_packet(struct ide_channel *channel)
{
    struct ide_drive *drive = ide_active(channel);
    uint8_t opcode = channel->cdb[0];

    if (drive->attention && !comes_first(opcode)) {
        drive->attention = false;
        ide_atapi_fail(channel, SENSE_MAY_HAVE_CHANGED);
    } else if (opcode == OP_START_STOP) {
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
