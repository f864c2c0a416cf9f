/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the SCSI command set, over a disk, a read-only disk that discards, a DVD and an
 * empty drive.
 *
 * The input is a script of commands: a byte that picks the unit, CDB length, buffer length, CDB,
 * and the buffer's first bytes. The disk in memory checks what backends are promised; here it is
 * checked that each command is answered once, with status and sense that fit.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/container.h"
#include "src/disk/scsi.h"
#include "tests/unit/memory_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define UNITS      5u
#define DISK_BYTES 65536u
#define BUFFER     8192u
#define HEADER     5u /* unit, CDB length, buffer length (u16), how many bytes of it are given */
#define COMMANDS   64u

struct command {
    struct scsi_task task;
    unsigned done;
};

static void on_done(struct scsi_task *task)
{
    container_of(task, struct command, task)->done++;
}

static void check_answer(const struct command *command, uint32_t length)
{
    const struct scsi_task *task = &command->task;

    CHECK(command->done == 1);
    CHECK(task->moved <= length);
    CHECK(task->status == SCSI_GOOD || task->status == SCSI_CHECK_CONDITION);
    if (task->status == SCSI_GOOD)
        CHECK(!task->no_unit && !task->overrun);
    else
        CHECK(task->sense[0] == 0x70 && task->sense[2] && task->moved == 0);
}

/* Run one command; returns how much of the script it was, or 0 at the end. */
static size_t run(struct scsi_unit *units, struct disk_queue **queues, const uint8_t *data,
                  size_t size)
{
    static uint8_t buffer[BUFFER];
    struct command command = {0};
    struct iovec iov[2];

    if (size < HEADER + SCSI_CDB_MAX)
        return 0;
    unsigned unit = data[0] % UNITS;
    uint32_t length = (data[2] | (uint32_t)data[3] << 8) % (BUFFER + 1);
    size_t given = data[4], left = size - HEADER - SCSI_CDB_MAX;
    given = given < left ? given : left;

    memset(buffer, 0, sizeof(buffer));
    memcpy(buffer, data + HEADER + SCSI_CDB_MAX, given);
    command.task.unit = unit < UNITS - 1 ? &units[unit] : NULL;
    command.task.queue = unit < UNITS - 1 ? queues[unit] : NULL;
    command.task.lun_map = data[0];
    command.task.cdb_len = (uint8_t)(1 + data[1] % SCSI_CDB_MAX);
    memcpy(command.task.cdb, data + HEADER, command.task.cdb_len);
    uint32_t first = length < 100 ? length : 100;
    iov[0] = (struct iovec){buffer, first};
    iov[1] = (struct iovec){buffer + first, length - first};
    command.task.iov = iov;
    command.task.iovs = 2;
    command.task.length = length;
    command.task.done = on_done;
    scsi_execute(&command.task);
    check_answer(&command, length);
    return HEADER + SCSI_CDB_MAX + given;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_disk *disks[UNITS - 2];
    struct scsi_unit units[UNITS - 1];
    struct disk_queue *queues[UNITS - 1] = {NULL};
    size_t used;

    memset(units, 0, sizeof(units));
    for (unsigned i = 0; i < UNITS - 2; i++) {
        disks[i] = memory_disk_new(DISK_BYTES, i == 1, i != 1);
        units[i].disk = &disks[i]->disk;
        units[i].dvd = i == 2;
        memcpy(units[i].serial, "serial", 6);
        queues[i] = disks[i]->disk.class->queue_new(&disks[i]->disk, NULL);
    }
    units[UNITS - 2].dvd = true;
    for (unsigned i = 0; i < COMMANDS && (used = run(units, queues, data, size)); i++) {
        data += used;
        size -= used;
    }
    for (unsigned i = 0; i < UNITS - 2; i++) {
        queues[i]->disk->class->queue_free(queues[i]);
        memory_disk_free(disks[i]);
    }
    return 0;
}
