/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI command set of a disk and of a CD/DVD drive, whatever carries the commands (storvsp;
 * ATAPI).
 *
 * A carrier fills in a struct scsi_task (embedded in its own request), calls scsi_execute(), and
 * gets done() once: at once for what needs no disk, later for the rest.
 *
 * Facts: SPC-3, SBC-3, MMC-6, and what Linux's sd and sr and Windows' disk.sys ask. Identity
 * strings are those of Hyper-V's disks, so that a guest that moves here does not find new hardware.
 */
#ifndef VMBUSD_DISK_SCSI_H
#define VMBUSD_DISK_SCSI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "src/disk/disk.h"

#define SCSI_CDB_MAX    16u
#define SCSI_SENSE_SIZE 18u /* fixed format */

#define SCSI_GOOD            0x00u
#define SCSI_CHECK_CONDITION 0x02u

/* A logical unit. */
struct scsi_unit {
    bool dvd;
    struct disk *disk; /* NULL: a drive without a disc */
    char serial[37];
    /* A drive whose carrier moves its tray: */
    bool tray, tray_open;
    uint8_t event; /* what GET EVENT STATUS NOTIFICATION has to tell next */
};

#define SCSI_EVENT_NEW     0x02u /* a disc has come */
#define SCSI_EVENT_REMOVED 0x03u

struct scsi_task {
    /* The carrier's, before scsi_execute(). */
    const struct scsi_unit *unit; /* NULL: nothing at this address */
    struct disk_queue *queue;     /* of unit->disk on this lane; NULL if that is NULL */
    uint64_t lun_map;             /* for REPORT LUNS: bit n = the target has LUN n */
    uint8_t cdb[SCSI_CDB_MAX];    /* a private copy, zeroes behind its end */
    uint8_t cdb_len;
    struct iovec *iov; /* the guest's buffer, leased; shortened if the command needs less */
    unsigned iovs;
    uint32_t length;                      /* bytes of the buffer */
    void (*done)(struct scsi_task *task); /* on the queue's lane; maybe from scsi_execute() */

    /* The answer. */
    uint8_t status; /* SCSI_GOOD or SCSI_CHECK_CONDITION with sense */
    uint8_t sense[SCSI_SENSE_SIZE];
    uint32_t moved; /* bytes moved to or from the buffer */
    bool no_unit;   /* failed because unit is NULL */
    bool overrun;   /* failed because the buffer is too small; nothing was moved */
    bool filled;    /* the buffer may have been written to */
    bool used_disk; /* request.op says for what */

    /* scsi.c's own. */
    struct disk_request request;
    uint32_t descriptor;  /* UNMAP: the next one */
    uint32_t descriptors; /* UNMAP: how many */
    uint32_t blocks;      /* UNMAP: sectors named so far */
};

/* Run task->cdb. On the lane of task->queue. */
void scsi_execute(struct scsi_task *task);

#endif
