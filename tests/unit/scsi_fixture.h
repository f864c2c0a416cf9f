/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One SCSI unit over a disk in memory, and commands for it: shared by the tests of the command set.
 */
#ifndef VMBUSD_TESTS_SCSI_FIXTURE_H
#define VMBUSD_TESTS_SCSI_FIXTURE_H

#include "src/disk/scsi.h"
#include "tests/unit/memory_disk.h"

#define SCSI_DISK_BYTES (1u << 20)
#define SCSI_BUFFER     (1u << 16)

struct scsi_fixture {
    struct memory_disk *memory;
    struct scsi_unit unit;
    struct disk_queue *queue;
    struct scsi_task task;
    uint8_t buffer[SCSI_BUFFER];
    struct iovec iov[2];
    unsigned done;
};

enum scsi_fixture_kind { DISK, DISK_READONLY, DISK_DISCARDS, DVD, DVD_EMPTY, ABSENT };

void scsi_set_up(struct scsi_fixture *f, enum scsi_fixture_kind kind);
void scsi_set_up_size(struct scsi_fixture *f, enum scsi_fixture_kind kind, uint64_t size);
void scsi_tear_down(struct scsi_fixture *f);

/* Run a CDB with a buffer of `length` bytes (f->buffer, in two pieces); checks that it is answered
 * once, unless the disk holds it. */
void scsi_send(struct scsi_fixture *f, const uint8_t *cdb, uint8_t cdb_len, uint32_t length);

#define SEND(f, length, ...)                                             \
    do {                                                                 \
        const uint8_t cdb_[] = {__VA_ARGS__};                            \
        scsi_send((f), cdb_, (uint8_t)sizeof(cdb_), (uint32_t)(length)); \
    } while (0)

/* What the last command's answer must be. */
void scsi_expect_good(const struct scsi_fixture *f, uint32_t moved);
void scsi_expect_sense(const struct scsi_fixture *f, uint8_t key, uint8_t code, uint8_t qualifier);

/* The disk has been asked for nothing. */
void scsi_expect_untouched(const struct scsi_fixture *f);

uint32_t scsi_be32(const uint8_t *p);

#endif
