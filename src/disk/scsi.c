/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI commands: dispatch, and those that move, flush or forget blocks.
 *
 * Every number of a CDB is checked against the disk before anything is asked of it. UNMAP's
 * descriptors are in guest memory: each is copied out once, when its turn comes, and the copy is
 * checked.
 *
 * Left out, and answered as unknown: reservations, MODE SELECT, FORMAT UNIT, logs; unit attentions
 * (of a drive with a tray, its carrier tells them: src/pc/ide_tray.c).
 */
#include "src/disk/scsi.h"

#include <errno.h>

#include "src/common/container.h"
#include "src/disk/scsi_parts.h"
#include "src/kvm/gmem.h"

#define CDB1_FUA        0x08u /* READ, WRITE */
#define CDB1_NDOB       0x01u /* WRITE SAME 16: no data-out buffer */
#define CDB1_UNMAP      0x08u /* WRITE SAME */
#define CDB1_PROTECT    0xe0u
#define CDB1_BYTE_CHECK 0x06u /* VERIFY */

#define UNMAP_HEADER     8u
#define UNMAP_DESCRIPTOR 16u

/* --- Ends --- */

void scsi_good(struct scsi_task *task)
{
    task->status = SCSI_GOOD;
    task->done(task);
}

void scsi_fail(struct scsi_task *task, enum scsi_sense sense)
{
    memset(task->sense, 0, sizeof(task->sense));
    task->sense[0] = 0x70; /* current error, fixed format */
    task->sense[2] = (uint8_t)(sense >> 16);
    task->sense[7] = SCSI_SENSE_SIZE - 8;
    task->sense[12] = (uint8_t)(sense >> 8);
    task->sense[13] = (uint8_t)sense;
    task->status = SCSI_CHECK_CONDITION;
    task->moved = 0;
    task->done(task);
}

static void fail_overrun(struct scsi_task *task)
{
    task->overrun = true;
    scsi_fail(task, SENSE_PARAMETER_LENGTH);
}

void scsi_reply(struct scsi_task *task, const void *data, uint32_t len, uint32_t allocation)
{
    uint32_t room = allocation < task->length ? allocation : task->length;

    if (len > room)
        len = room;
    task->moved = (uint32_t)gmem_iov_write(task->iov, task->iovs, 0, data, len);
    task->filled = task->moved > 0;
    scsi_good(task);
}

static enum scsi_sense sense_of(enum disk_op op, int error)
{
    if (error == -ENOSPC || error == -EDQUOT)
        return SENSE_SPACE_EXHAUSTED;
    if (error == -EROFS || error == -EPERM)
        return SENSE_WRITE_PROTECTED;
    return op == DISK_READ ? SENSE_READ_ERROR : SENSE_WRITE_ERROR;
}

/* --- To the disk --- */

static void disk_done(struct disk_request *request, int result)
{
    struct scsi_task *task = container_of(request, struct scsi_task, request);

    if (result < 0) {
        scsi_fail(task, sense_of(request->op, result));
        return;
    }
    if (request->op == DISK_READ || request->op == DISK_WRITE)
        task->moved = (uint32_t)request->length;
    scsi_good(task);
}

/* `bytes` from byte `offset`; a read's or write's buffer is the task's. */
static void submit(struct scsi_task *task, enum disk_op op, uint64_t offset, uint64_t bytes,
                   bool fua)
{
    struct disk_request *request = &task->request;

    request->op = op;
    request->fua = fua;
    request->offset = offset;
    request->length = bytes;
    request->iov = task->iov;
    request->iovs = task->iovs;
    request->done = disk_done;
    task->used_disk = true;
    disk_submit(task->queue, request);
}

/* --- Ranges of blocks --- */

struct block_range {
    uint64_t lba;
    uint64_t count;
};

/* The block range of a 6, 10, 12 or 16 byte CDB; the group code is in the opcode's upper bits. */
static struct block_range cdb_range(const uint8_t *cdb)
{
    switch (cdb[0] >> 5) {
    case 0:
        return (struct block_range){get_be32(cdb) & 0x1fffff, cdb[4] ? cdb[4] : 256};
    case 4:
        return (struct block_range){get_be64(cdb + 2), get_be32(cdb + 10)};
    case 5:
        return (struct block_range){get_be32(cdb + 2), get_be32(cdb + 6)};
    default:
        return (struct block_range){get_be32(cdb + 2), get_be16(cdb + 7)};
    }
}

static bool in_range(const struct scsi_unit *unit, struct block_range range)
{
    uint64_t blocks = scsi_blocks(unit);

    return range.lba <= blocks && range.count <= blocks - range.lba;
}

/* Cut the buffer to `bytes`, which it has. */
static void shorten(struct scsi_task *task, uint64_t bytes)
{
    uint64_t left = bytes;

    for (unsigned i = 0; i < task->iovs; i++) {
        if (task->iov[i].iov_len >= left) {
            task->iov[i].iov_len = left;
            task->iovs = i + 1;
            return;
        }
        left -= task->iov[i].iov_len;
    }
}

/* --- Commands --- */

/* A forced read must come from the medium: what is cached goes there first. */
static void forced_read_flushed(struct disk_request *request, int result)
{
    struct scsi_task *task = container_of(request, struct scsi_task, request);
    struct block_range range = cdb_range(task->cdb);
    uint32_t size = scsi_block_size(task->unit);

    if (result < 0)
        scsi_fail(task, SENSE_READ_ERROR);
    else
        submit(task, DISK_READ, range.lba * size, range.count * size, false);
}

static void forced_read(struct scsi_task *task)
{
    task->request.op = DISK_FLUSH;
    task->request.done = forced_read_flushed;
    task->used_disk = true;
    disk_submit(task->queue, &task->request);
}

static void transfer(struct scsi_task *task, enum disk_op op)
{
    const uint8_t *cdb = task->cdb;
    struct block_range range = cdb_range(cdb);
    uint32_t size = scsi_block_size(task->unit);
    bool six = cdb[0] >> 5 == 0; /* there byte 1 holds LBA bits */
    bool fua = !six && cdb[1] & CDB1_FUA;

    if (!six && cdb[1] & CDB1_PROTECT) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    if (!in_range(task->unit, range)) {
        scsi_fail(task, SENSE_LBA_RANGE);
        return;
    }
    uint64_t bytes = range.count * size;
    if (!bytes) {
        scsi_good(task);
        return;
    }
    if (bytes > task->length) {
        fail_overrun(task);
        return;
    }
    if (bytes < task->length)
        shorten(task, bytes);
    task->filled = op == DISK_READ;
    if (op == DISK_READ && fua && !task->unit->disk->readonly)
        forced_read(task);
    else
        submit(task, op, range.lba * size, bytes, fua);
}

static void read_blocks(struct scsi_task *task)
{
    transfer(task, DISK_READ);
}

/* True if the unit takes writes; else the task has been failed. */
static bool writable(struct scsi_task *task)
{
    if (!task->unit->disk->readonly && !task->unit->dvd)
        return true;
    scsi_fail(task, SENSE_WRITE_PROTECTED);
    return false;
}

static void write_blocks(struct scsi_task *task)
{
    if (writable(task))
        transfer(task, DISK_WRITE);
}

static void verify(struct scsi_task *task)
{
    if (task->cdb[1] & (CDB1_BYTE_CHECK | CDB1_PROTECT))
        scsi_fail(task, SENSE_INVALID_FIELD);
    else if (!in_range(task->unit, cdb_range(task->cdb)))
        scsi_fail(task, SENSE_LBA_RANGE);
    else
        scsi_good(task);
}

/* The whole cache, whatever range is named. */
static void synchronize_cache(struct scsi_task *task)
{
    if (!in_range(task->unit, cdb_range(task->cdb)))
        scsi_fail(task, SENSE_LBA_RANGE);
    else if (task->unit->disk->readonly || task->unit->dvd)
        scsi_good(task);
    else
        submit(task, DISK_FLUSH, 0, 0, false);
}

/* Is the one block of data that WRITE SAME brings all zeroes? Other patterns are not served. */
static bool pattern_is_zero(const struct scsi_task *task)
{
    static const uint8_t zeroes[DISK_SECTOR];
    uint8_t block[DISK_SECTOR];

    return gmem_iov_read(task->iov, task->iovs, 0, block, sizeof(block)) == sizeof(block) &&
           memcmp(block, zeroes, sizeof(block)) == 0;
}

static void write_same(struct scsi_task *task)
{
    struct block_range range = cdb_range(task->cdb);
    bool sixteen = task->cdb[0] >> 5 == 4;
    bool no_data = sixteen && task->cdb[1] & CDB1_NDOB;

    if (!writable(task))
        return;
    if (task->cdb[1] & ~(CDB1_UNMAP | (sixteen ? CDB1_NDOB : 0)) || !range.count ||
        range.count > LIMIT_UNMAP_BLOCKS)
        scsi_fail(task, SENSE_INVALID_FIELD);
    else if (!in_range(task->unit, range))
        scsi_fail(task, SENSE_LBA_RANGE);
    else if (!no_data && task->length < DISK_SECTOR)
        fail_overrun(task);
    else if (!no_data && !pattern_is_zero(task))
        scsi_fail(task, SENSE_INVALID_FIELD);
    else
        submit(task, DISK_WRITE_ZEROES, range.lba * DISK_SECTOR, range.count * DISK_SECTOR, false);
}

static void unmap_next(struct scsi_task *task);

static void unmap_done(struct disk_request *request, int result)
{
    struct scsi_task *task = container_of(request, struct scsi_task, request);

    if (result < 0)
        scsi_fail(task, sense_of(DISK_DISCARD, result));
    else
        unmap_next(task);
}

/* Forget the blocks of the next descriptor that names any; end the task after the last one. */
static void unmap_next(struct scsi_task *task)
{
    while (task->descriptor < task->descriptors) {
        uint8_t copy[UNMAP_DESCRIPTOR];
        size_t skip = UNMAP_HEADER + (size_t)task->descriptor++ * UNMAP_DESCRIPTOR;
        gmem_iov_read(task->iov, task->iovs, skip, copy, sizeof(copy));
        struct block_range range = {get_be64(copy), get_be32(copy + 8)};
        if (!in_range(task->unit, range)) {
            scsi_fail(task, SENSE_LBA_RANGE);
            return;
        }
        if (range.count > LIMIT_UNMAP_BLOCKS - task->blocks) {
            scsi_fail(task, SENSE_PARAMETER_FIELD);
            return;
        }
        task->blocks += (uint32_t)range.count;
        if (!range.count)
            continue;
        task->request.op = DISK_DISCARD;
        task->request.offset = range.lba * DISK_SECTOR;
        task->request.length = range.count * DISK_SECTOR;
        task->request.done = unmap_done;
        task->used_disk = true;
        disk_submit(task->queue, &task->request);
        return;
    }
    task->moved = get_be16(task->cdb + 7);
    scsi_good(task);
}

static void unmap(struct scsi_task *task)
{
    uint32_t len = get_be16(task->cdb + 7);
    uint8_t header[UNMAP_HEADER];

    if (!task->unit->disk->can_discard) {
        scsi_fail(task, SENSE_INVALID_OPCODE);
        return;
    }
    if (task->cdb[1] & 1) { /* anchor */
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    if (!len) {
        scsi_good(task);
        return;
    }
    if (len < UNMAP_HEADER) {
        scsi_fail(task, SENSE_PARAMETER_LENGTH);
        return;
    }
    if (len > task->length) {
        fail_overrun(task);
        return;
    }
    gmem_iov_read(task->iov, task->iovs, 0, header, sizeof(header));
    uint32_t list = get_be16(header + 2);
    task->descriptors = (list < len - UNMAP_HEADER ? list : len - UNMAP_HEADER) / UNMAP_DESCRIPTOR;
    task->descriptor = 0;
    task->blocks = 0;
    if (task->descriptors > LIMIT_UNMAP_DESCRIPTORS)
        scsi_fail(task, SENSE_PARAMETER_FIELD);
    else
        unmap_next(task);
}

static void service_action_in(struct scsi_task *task)
{
    if ((task->cdb[1] & 0x1f) == 0x10)
        scsi_read_capacity_16(task);
    else
        scsi_fail(task, SENSE_INVALID_FIELD);
}

/* --- Dispatch --- */

#define ON_DISK   0x1u
#define ON_CD     0x2u
#define ON_BOTH   (ON_DISK | ON_CD)
#define ON_ABSENT 0x4u /* answered even where there is no unit */
#define MEDIUM    0x8u /* needs a medium */

static const struct {
    void (*run)(struct scsi_task *task);
    unsigned flags;
} commands[256] = {
    [0x00] = {scsi_good, ON_BOTH | MEDIUM}, /* TEST UNIT READY */
    [0x03] = {scsi_request_sense, ON_BOTH},
    [0x08] = {read_blocks, ON_BOTH | MEDIUM},
    [0x0a] = {write_blocks, ON_BOTH | MEDIUM},
    [0x12] = {scsi_inquiry, ON_BOTH | ON_ABSENT},
    [0x1a] = {scsi_mode_sense, ON_BOTH},
    [0x1b] = {scsi_good, ON_BOTH}, /* START STOP UNIT: always spinning; the host ejects */
    [0x1e] = {scsi_good, ON_BOTH}, /* PREVENT ALLOW MEDIUM REMOVAL */
    [0x25] = {scsi_read_capacity_10, ON_BOTH | MEDIUM},
    [0x28] = {read_blocks, ON_BOTH | MEDIUM},
    [0x2a] = {write_blocks, ON_BOTH | MEDIUM},
    [0x2f] = {verify, ON_BOTH | MEDIUM},
    [0x35] = {synchronize_cache, ON_BOTH | MEDIUM},
    [0x41] = {write_same, ON_DISK | MEDIUM},
    [0x42] = {unmap, ON_DISK | MEDIUM},
    [0x43] = {scsi_cd_read_toc, ON_CD | MEDIUM},
    [0x46] = {scsi_cd_get_configuration, ON_CD},
    [0x4a] = {scsi_cd_get_event_status, ON_CD},
    [0x51] = {scsi_cd_read_disc_information, ON_CD | MEDIUM},
    [0x5a] = {scsi_mode_sense, ON_BOTH},
    [0x88] = {read_blocks, ON_BOTH | MEDIUM},
    [0x8a] = {write_blocks, ON_BOTH | MEDIUM},
    [0x8f] = {verify, ON_BOTH | MEDIUM},
    [0x91] = {synchronize_cache, ON_BOTH | MEDIUM},
    [0x93] = {write_same, ON_DISK | MEDIUM},
    [0x9e] = {service_action_in, ON_BOTH | MEDIUM},
    [0xa0] = {scsi_report_luns, ON_BOTH | ON_ABSENT},
    [0xa8] = {read_blocks, ON_BOTH | MEDIUM},
    [0xaa] = {write_blocks, ON_BOTH | MEDIUM},
    [0xaf] = {verify, ON_BOTH | MEDIUM},
    [0xbd] = {scsi_cd_mechanism_status, ON_CD},
};

/* Length of a CDB by its group code; commands[] has none of the groups that have no length. */
static const uint8_t cdb_lengths[8] = {6, 10, 10, 0, 16, 12, 0, 0};

void scsi_execute(struct scsi_task *task)
{
    const struct scsi_unit *unit = task->unit;
    uint8_t opcode = task->cdb[0];
    unsigned flags = commands[opcode].flags;

    task->moved = 0;
    task->no_unit = !unit && !(flags & ON_ABSENT);
    task->overrun = false;
    task->filled = false;
    task->used_disk = false;
    if (task->no_unit)
        scsi_fail(task, SENSE_NO_UNIT);
    else if (unit && !(flags & (unit->dvd ? ON_CD : ON_DISK)))
        scsi_fail(task, SENSE_INVALID_OPCODE);
    else if (task->cdb_len < cdb_lengths[opcode >> 5])
        scsi_fail(task, SENSE_INVALID_FIELD);
    else if (flags & MEDIUM && !(unit && unit->disk))
        scsi_fail(task, SENSE_NO_MEDIUM);
    else
        commands[opcode].run(task);
}
