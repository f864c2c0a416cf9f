/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit and its commands.
 */
#include "tests/unit/scsi_fixture.h"

#include <string.h>

#include "src/common/container.h"

void scsi_set_up_size(struct scsi_fixture *f, enum scsi_fixture_kind kind, uint64_t size)
{
    memset(f, 0, sizeof(*f));
    f->memory = memory_disk_new(size, kind == DISK_READONLY || kind == DVD, kind == DISK_DISCARDS);
    f->unit.dvd = kind == DVD || kind == DVD_EMPTY;
    f->unit.disk = kind == DVD_EMPTY ? NULL : &f->memory->disk;
    strcpy(f->unit.serial, "0123456789abcdef");
    f->queue = f->memory->disk.class->queue_new(&f->memory->disk, NULL);
    f->task.unit = kind == ABSENT ? NULL : &f->unit;
    f->task.queue = f->unit.disk ? f->queue : NULL;
    f->task.lun_map = 0x8000000000000005ull; /* 0, 2 and 63 */
    for (size_t i = 0; i < size; i++)
        f->memory->bytes[i] = (uint8_t)(i / 512 * 3 + i);
}

void scsi_set_up(struct scsi_fixture *f, enum scsi_fixture_kind kind)
{
    scsi_set_up_size(f, kind, SCSI_DISK_BYTES);
}

void scsi_tear_down(struct scsi_fixture *f)
{
    f->queue->disk->class->queue_free(f->queue);
    memory_disk_free(f->memory);
}

static void on_done(struct scsi_task *task)
{
    container_of(task, struct scsi_fixture, task)->done++;
}

void scsi_send(struct scsi_fixture *f, const uint8_t *cdb, uint8_t cdb_len, uint32_t length)
{
    unsigned before = f->done;

    memset(f->task.cdb, 0, sizeof(f->task.cdb));
    memcpy(f->task.cdb, cdb, cdb_len);
    f->task.cdb_len = cdb_len;
    /* Two pieces, so that nothing counts on a flat buffer. */
    uint32_t first = length > 5 ? 5 : length;
    f->iov[0] = (struct iovec){f->buffer, first};
    f->iov[1] = (struct iovec){f->buffer + first, length - first};
    f->task.iov = f->iov;
    f->task.iovs = length > first ? 2 : length > 0;
    f->task.length = length;
    f->task.done = on_done;
    memset(f->task.sense, 0xee, sizeof(f->task.sense));
    scsi_execute(&f->task);
    if (!f->memory->hold)
        g_assert_cmpuint(f->done, ==, before + 1);
}

void scsi_expect_good(const struct scsi_fixture *f, uint32_t moved)
{
    g_assert_cmpuint(f->task.status, ==, SCSI_GOOD);
    g_assert_cmpuint(f->task.moved, ==, moved);
}

void scsi_expect_sense(const struct scsi_fixture *f, uint8_t key, uint8_t code, uint8_t qualifier)
{
    g_assert_cmpuint(f->task.status, ==, SCSI_CHECK_CONDITION);
    g_assert_cmpuint(f->task.moved, ==, 0);
    g_assert_cmphex(f->task.sense[0], ==, 0x70);
    g_assert_cmphex(f->task.sense[2], ==, key);
    g_assert_cmpuint(f->task.sense[7], ==, 10);
    g_assert_cmphex(f->task.sense[12], ==, code);
    g_assert_cmphex(f->task.sense[13], ==, qualifier);
}

void scsi_expect_untouched(const struct scsi_fixture *f)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(f->memory->count); i++)
        g_assert_cmpuint(f->memory->count[i], ==, 0);
}

uint32_t scsi_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
