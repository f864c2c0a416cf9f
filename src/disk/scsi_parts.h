/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the SCSI command set share: scsi.c (dispatch, commands that move blocks),
 * scsi_info.c (what a unit says of itself), scsi_cd.c (commands of CD and DVD drives). Nobody else
 * includes it.
 */
#ifndef VMBUSD_DISK_SCSI_PARTS_H
#define VMBUSD_DISK_SCSI_PARTS_H

#include "src/common/big_endian.h"
#include "src/disk/scsi.h"

#define CD_BLOCK 2048u

/* Sense key << 16 | additional sense code << 8 | qualifier. */
enum scsi_sense {
    SENSE_NO_MEDIUM = 0x023a00,
    SENSE_WRITE_ERROR = 0x030c00,
    SENSE_READ_ERROR = 0x031100,
    SENSE_PARAMETER_LENGTH = 0x051a00,
    SENSE_INVALID_OPCODE = 0x052000,
    SENSE_LBA_RANGE = 0x052100,
    SENSE_INVALID_FIELD = 0x052400,
    SENSE_NO_UNIT = 0x052500,
    SENSE_PARAMETER_FIELD = 0x052600,
    SENSE_NO_SAVED_PAGES = 0x053900,
    SENSE_WRITE_PROTECTED = 0x072700,
    SENSE_SPACE_EXHAUSTED = 0x072707,
};

/* The guest's block size and how many blocks there are. */
static inline uint32_t scsi_block_size(const struct scsi_unit *unit)
{
    return unit->dvd ? CD_BLOCK : DISK_SECTOR;
}

static inline uint64_t scsi_blocks(const struct scsi_unit *unit)
{
    return unit->disk->size / scsi_block_size(unit);
}

/* End the task well, having moved nothing. */
void scsi_good(struct scsi_task *task);

/* End the task with CHECK CONDITION. */
void scsi_fail(struct scsi_task *task, enum scsi_sense sense);

/* End the task well with `len` bytes of answer, cut at the `allocation` that the CDB names and at
 * the buffer. */
void scsi_reply(struct scsi_task *task, const void *data, uint32_t len, uint32_t allocation);

/* scsi_info.c */
void scsi_inquiry(struct scsi_task *task);
void scsi_mode_sense(struct scsi_task *task);
void scsi_read_capacity_10(struct scsi_task *task);
void scsi_read_capacity_16(struct scsi_task *task);
void scsi_report_luns(struct scsi_task *task);
void scsi_request_sense(struct scsi_task *task);

/* scsi_cd.c */
void scsi_cd_read_toc(struct scsi_task *task);
void scsi_cd_get_configuration(struct scsi_task *task);
void scsi_cd_get_event_status(struct scsi_task *task);
void scsi_cd_read_disc_information(struct scsi_task *task);
void scsi_cd_mechanism_status(struct scsi_task *task);

#endif
