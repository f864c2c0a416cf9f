/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of a CD or DVD drive: one data track in one finished session, as an ISO image is.
 *
 * Facts: MMC-6. Left out: raw sectors (READ CD), audio, subchannels, copy protection, DVD
 * structures.
 */
#include "src/disk/scsi_parts.h"

#define TRACK_LEAD_OUT 0xaa
#define TRACK_DATA     0x14 /* position in the address bits, data track in the control bits */

#define PROFILE_CD_ROM  0x0008
#define PROFILE_DVD_ROM 0x0010
#define CD_MAX_BLOCKS   405000u /* 90 minutes; a larger image cannot be a CD */

/* An address: block number, or minute, second, frame (with the 2 s before block 0). */
static void put_address(uint8_t *p, uint64_t block, bool msf)
{
    uint32_t frames = (uint32_t)block + 150;

    if (!msf) {
        put_be32(p, (uint32_t)block);
        return;
    }
    p[1] = (uint8_t)(frames / (75 * 60));
    p[2] = (uint8_t)(frames / 75 % 60);
    p[3] = (uint8_t)(frames % 75);
}

static uint32_t put_track(uint8_t *p, uint8_t track, uint64_t block, bool msf)
{
    p[1] = TRACK_DATA;
    p[2] = track;
    put_address(p + 4, block, msf);
    return 8;
}

void scsi_cd_read_toc(struct scsi_task *task)
{
    const uint8_t *cdb = task->cdb;
    bool msf = cdb[1] & 0x02;
    uint8_t first = cdb[6];
    uint8_t data[20] = {[2] = 1, [3] = 1}; /* first and last track, or session */
    uint32_t len = 4;
    /* Before MMC the format was in the last byte. */
    unsigned format = cdb[2] & 0x0f ? cdb[2] & 0x0fu : cdb[9] >> 6;

    if (format > 1 || (format == 0 && first > 1 && first != TRACK_LEAD_OUT)) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    if (format == 1 || first <= 1)
        len += put_track(data + len, 1, 0, msf);
    if (format == 0)
        len += put_track(data + len, TRACK_LEAD_OUT, scsi_blocks(task->unit), msf);
    put_be16(data, (uint16_t)(len - 2));
    scsi_reply(task, data, len, get_be16(cdb + 7));
}

static uint16_t current_profile(const struct scsi_unit *unit)
{
    if (!unit->disk)
        return 0;
    return scsi_blocks(unit) > CD_MAX_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

struct feature {
    uint16_t code;
    uint8_t len;
    uint8_t data[8];
};

/* Append what is asked for of the features, all of which are always there. */
static uint32_t put_features(uint8_t *p, uint16_t start, unsigned wanted, uint16_t profile)
{
    const struct feature features[] = {
        {0x0000,
         8,
         {PROFILE_DVD_ROM >> 8, PROFILE_DVD_ROM & 0xff, profile == PROFILE_DVD_ROM, 0,
          PROFILE_CD_ROM >> 8, PROFILE_CD_ROM & 0xff, profile == PROFILE_CD_ROM, 0}},
        {0x0001, 4, {0, 0, 0, 1}},    /* core: a SCSI interface */
        {0x0003, 4, {0x29, 0, 0, 0}}, /* removable medium: tray, ejects, can be locked */
    };
    uint32_t len = 0;

    for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const struct feature *feature = &features[i];
        if (feature->code < start || (wanted == 2 && feature->code != start))
            continue;
        put_be16(p + len, feature->code);
        p[len + 2] = 0x03; /* persistent and current */
        p[len + 3] = feature->len;
        memcpy(p + len + 4, feature->data, feature->len);
        len += 4u + feature->len;
    }
    return len;
}

void scsi_cd_get_configuration(struct scsi_task *task)
{
    const uint8_t *cdb = task->cdb;
    unsigned wanted = cdb[1] & 3; /* 0 all, 1 current, 2 one */
    uint16_t profile = current_profile(task->unit);
    uint8_t data[64] = {0};

    if (wanted == 3) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    uint32_t len = 8 + put_features(data + 8, get_be16(cdb + 2), wanted, profile);
    put_be32(data, len - 4);
    put_be16(data + 6, profile);
    scsi_reply(task, data, len, get_be16(cdb + 7));
}

void scsi_cd_get_event_status(struct scsi_task *task)
{
    const uint8_t *cdb = task->cdb;
    uint8_t data[8] = {[3] = 0x10}; /* the class we have: media */
    uint32_t len = 4;

    if (!(cdb[1] & 1)) { /* only polling */
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    if (cdb[4] & 0x10) {
        data[2] = 0x04;
        data[4] = task->unit->event;
        data[5] = (task->unit->disk ? 0x02 : 0) | (task->unit->tray_open ? 0x01 : 0);
        len = 8;
    } else {
        data[2] = 0x80; /* none of the classes asked for */
    }
    put_be16(data, (uint16_t)(len - 2));
    scsi_reply(task, data, len, get_be16(cdb + 7));
}

void scsi_cd_read_disc_information(struct scsi_task *task)
{
    uint8_t data[34] = {
        [1] = 32,   [2] = 0x0e, /* finished disc, finished last session */
        [3] = 1,                /* first track */
        [4] = 1,                /* sessions */
        [5] = 1,    [6] = 1,    /* first and last track of the last session */
        [7] = 0x20,             /* unrestricted use */
    };

    if (task->cdb[1] & 7) /* track and POW resources: of recorders */
        scsi_fail(task, SENSE_INVALID_FIELD);
    else
        scsi_reply(task, data, sizeof(data), get_be16(task->cdb + 7));
}

void scsi_cd_mechanism_status(struct scsi_task *task)
{
    uint8_t data[8] = {0}; /* idle, no changer */

    scsi_reply(task, data, sizeof(data), get_be16(task->cdb + 8));
}
