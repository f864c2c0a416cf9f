/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI command set: what Linux's sd and sr ask, and what a hostile guest sends.
 */
#include "src/disk/scsi.h"

#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "tests/unit/memory_disk.h"

#define DISK_BYTES (1u << 20)
#define BUFFER     (1u << 16)

struct fixture {
    struct memory_disk *memory;
    struct scsi_unit unit;
    struct disk_queue *queue;
    struct scsi_task task;
    uint8_t buffer[BUFFER];
    struct iovec iov[2];
    unsigned done;
};

enum kind { DISK, DISK_READONLY, DISK_DISCARDS, DVD, DVD_EMPTY, ABSENT };

static void set_up_size(struct fixture *f, enum kind kind, uint64_t size)
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

static void set_up(struct fixture *f, enum kind kind)
{
    set_up_size(f, kind, DISK_BYTES);
}

static void tear_down(struct fixture *f)
{
    f->queue->disk->class->queue_free(f->queue);
    memory_disk_free(f->memory);
}

static void on_done(struct scsi_task *task)
{
    container_of(task, struct fixture, task)->done++;
}

static void send_cdb(struct fixture *f, const uint8_t *cdb, uint8_t cdb_len, uint32_t length)
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

#define SEND(f, length, ...)                                            \
    do {                                                                \
        const uint8_t cdb_[] = {__VA_ARGS__};                           \
        send_cdb((f), cdb_, (uint8_t)sizeof(cdb_), (uint32_t)(length)); \
    } while (0)

static void expect_good(const struct fixture *f, uint32_t moved)
{
    g_assert_cmpuint(f->task.status, ==, SCSI_GOOD);
    g_assert_cmpuint(f->task.moved, ==, moved);
}

static void expect_sense(const struct fixture *f, uint8_t key, uint8_t code, uint8_t qualifier)
{
    g_assert_cmpuint(f->task.status, ==, SCSI_CHECK_CONDITION);
    g_assert_cmpuint(f->task.moved, ==, 0);
    g_assert_cmphex(f->task.sense[0], ==, 0x70);
    g_assert_cmphex(f->task.sense[2], ==, key);
    g_assert_cmpuint(f->task.sense[7], ==, 10);
    g_assert_cmphex(f->task.sense[12], ==, code);
    g_assert_cmphex(f->task.sense[13], ==, qualifier);
}

static void expect_untouched(const struct fixture *f)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(f->memory->count); i++)
        g_assert_cmpuint(f->memory->count[i], ==, 0);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- What a unit says of itself --- */

static void test_inquiry(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 255, 0x12, 0, 0, 0, 255, 0);
    expect_good(&f, 36);
    g_assert_true(f.task.filled);
    g_assert_cmpmem(f.buffer, 8, "\0\0\5\x12\x1f\0\0\2", 8);
    g_assert_cmpmem(f.buffer + 8, 28, "Msft    Virtual Disk    1.0 ", 28);
    SEND(&f, 255, 0x12, 0, 0, 0, 5, 0); /* Windows asks for the head first */
    expect_good(&f, 5);
    SEND(&f, 3, 0x12, 0, 0, 0, 255, 0); /* less buffer than allocation */
    expect_good(&f, 3);
    SEND(&f, 0, 0x12, 0, 0, 0, 255, 0);
    expect_good(&f, 0);
    SEND(&f, 255, 0x12, 0, 0x80, 0, 255, 0); /* page without EVPD */
    expect_sense(&f, 5, 0x24, 0);
    tear_down(&f);
    set_up(&f, DVD_EMPTY);
    SEND(&f, 255, 0x12, 0, 0, 0, 255, 0);
    g_assert_cmpmem(f.buffer, 2, "\x05\x80", 2);
    g_assert_cmpmem(f.buffer + 16, 16, "Virtual DVD-ROM ", 16);
    tear_down(&f);
}

static void test_vital_product_data(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    SEND(&f, 255, 0x12, 1, 0x00, 0, 255, 0);
    expect_good(&f, 10);
    g_assert_cmpmem(f.buffer, 10, "\0\0\0\6\0\x80\x83\xb0\xb1\xb2", 10);
    SEND(&f, 255, 0x12, 1, 0x80, 0, 255, 0);
    expect_good(&f, 20);
    g_assert_cmpmem(f.buffer, 20,
                    "\0\x80\0\x10"
                    "0123456789abcdef",
                    20);
    SEND(&f, 255, 0x12, 1, 0x83, 0, 255, 0);
    expect_good(&f, 32);
    g_assert_cmpmem(f.buffer, 32, "\0\x83\0\x1c\x02\x01\0\x18Msft    0123456789abcdef", 32);
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    expect_good(&f, 64);
    g_assert_cmpuint(be32(f.buffer + 8), ==, LIMIT_DISK_TRANSFER / 512);
    g_assert_cmpuint(be32(f.buffer + 20), ==, LIMIT_UNMAP_BLOCKS);
    g_assert_cmpuint(be32(f.buffer + 24), ==, LIMIT_UNMAP_DESCRIPTORS);
    g_assert_cmpuint(be32(f.buffer + 28), ==, 8);
    SEND(&f, 255, 0x12, 1, 0xb1, 0, 255, 0);
    expect_good(&f, 64);
    g_assert_cmpuint(f.buffer[5], ==, 1);
    SEND(&f, 255, 0x12, 1, 0xb2, 0, 255, 0);
    expect_good(&f, 8);
    g_assert_cmphex(f.buffer[5], ==, 0xc0);
    SEND(&f, 255, 0x12, 1, 0xb3, 0, 255, 0);
    expect_sense(&f, 5, 0x24, 0);
    tear_down(&f);
    set_up(&f, DISK);
    SEND(&f, 255, 0x12, 1, 0xb2, 0, 255, 0);
    g_assert_cmphex(f.buffer[5], ==, 0);
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    g_assert_cmpuint(be32(f.buffer + 20), ==, 0);
    tear_down(&f);
    set_up(&f, DVD_EMPTY); /* no disk to ask about its limits */
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 255, 0x12, 1, 0x00, 0, 255, 0);
    expect_good(&f, 7);
    tear_down(&f);
}

static void test_serial_without_end(void)
{
    struct fixture f;

    set_up(&f, DISK);
    memset(f.unit.serial, 'x', sizeof(f.unit.serial));
    SEND(&f, 255, 0x12, 1, 0x83, 0, 255, 0);
    expect_good(&f, 4 + 12 + sizeof(f.unit.serial));
    tear_down(&f);
}

static void test_capacity(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect_good(&f, 8);
    g_assert_cmpuint(be32(f.buffer), ==, DISK_BYTES / 512 - 1);
    g_assert_cmpuint(be32(f.buffer + 4), ==, 512);
    SEND(&f, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    expect_good(&f, 32);
    g_assert_cmpuint(be32(f.buffer + 4), ==, DISK_BYTES / 512 - 1);
    g_assert_cmpuint(f.buffer[13], ==, 3);
    g_assert_cmphex(f.buffer[14], ==, 0x80);
    SEND(&f, 32, 0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    expect_sense(&f, 5, 0x24, 0);
    tear_down(&f);

    set_up(&f, DISK);
    f.memory->disk.size = 4ull << 40; /* only asked about */
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmphex(be32(f.buffer), ==, 0xffffffff);
    SEND(&f, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    g_assert_cmphex(be32(f.buffer), ==, 1);
    g_assert_cmphex(be32(f.buffer + 4), ==, 0xffffffff);
    tear_down(&f);

    set_up(&f, DVD);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(be32(f.buffer), ==, DISK_BYTES / 2048 - 1);
    g_assert_cmpuint(be32(f.buffer + 4), ==, 2048);
    tear_down(&f);

    set_up_size(&f, DVD, 1024); /* less than one block */
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(be32(f.buffer), ==, 0);
    SEND(&f, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_sense(&f, 5, 0x21, 0);
    tear_down(&f);
}

/* Linux's sd reads the cache type, FUA and write protection here. */
static void test_mode_sense(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 192, 0x1a, 0, 0x3f, 0, 192, 0);
    expect_good(&f, 4 + 8 + 20);
    g_assert_cmphex(f.buffer[2], ==, 0x10); /* DPO and FUA, not protected */
    g_assert_cmpuint(f.buffer[3], ==, 8);
    g_assert_cmpuint(be32(f.buffer + 4), ==, DISK_BYTES / 512);
    g_assert_cmpuint(be32(f.buffer + 8), ==, 512);
    SEND(&f, 192, 0x1a, 8, 0x08, 0, 192, 0);
    expect_good(&f, 4 + 20);
    g_assert_cmpmem(f.buffer + 4, 3, "\x08\x12\x04", 3); /* write cache enabled */
    SEND(&f, 192, 0x5a, 8, 0x08, 0, 0, 0, 0, 0, 192, 0);
    expect_good(&f, 8 + 20);
    g_assert_cmpuint(f.buffer[1], ==, 26);
    SEND(&f, 192, 0x1a, 8, 0x48, 0, 192, 0); /* changeable: nothing */
    g_assert_cmpmem(f.buffer + 4, 3, "\x08\x12\x00", 3);
    SEND(&f, 192, 0x1a, 8, 0xc8, 0, 192, 0); /* saved */
    expect_sense(&f, 5, 0x39, 0);
    SEND(&f, 192, 0x1a, 8, 0x2a, 0, 192, 0);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 192, 0x1a, 8, 0x08, 1, 192, 0);
    expect_sense(&f, 5, 0x24, 0);
    tear_down(&f);
    set_up(&f, DISK_READONLY);
    SEND(&f, 192, 0x1a, 8, 0x3f, 0, 192, 0);
    g_assert_cmphex(f.buffer[2], ==, 0x90);
    g_assert_cmphex(f.buffer[6], ==, 0); /* and nothing to cache */
    tear_down(&f);
    set_up(&f, DVD_EMPTY);
    SEND(&f, 192, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 192, 0);
    expect_good(&f, 8 + 20);
    g_assert_cmphex(f.buffer[8], ==, 0x2a);
    tear_down(&f);
}

static void test_report_luns(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 1024, 0xa0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    expect_good(&f, 8 + 3 * 8);
    g_assert_cmpuint(be32(f.buffer), ==, 24);
    g_assert_cmpuint(f.buffer[9], ==, 0);
    g_assert_cmpuint(f.buffer[17], ==, 2);
    g_assert_cmpuint(f.buffer[25], ==, 63);
    SEND(&f, 1024, 0xa0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    expect_good(&f, 8);
    SEND(&f, 1024, 0xa0, 0, 3, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    expect_sense(&f, 5, 0x24, 0);
    f.task.lun_map = UINT64_MAX;
    SEND(&f, 1024, 0xa0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    expect_good(&f, 8 + 64 * 8);
    tear_down(&f);
}

static void test_small_commands(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    expect_good(&f, 0);
    SEND(&f, 18, 0x03, 0, 0, 0, 18, 0);
    expect_good(&f, 18);
    g_assert_cmphex(f.buffer[2], ==, 0);
    SEND(&f, 18, 0x03, 1, 0, 0, 18, 0);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 0, 0x1b, 0, 0, 0, 1, 0);
    expect_good(&f, 0);
    SEND(&f, 0, 0x1e, 0, 0, 0, 1, 0);
    expect_good(&f, 0);
    SEND(&f, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_good(&f, 0);
    tear_down(&f);
}

/* --- Blocks --- */

static void test_read_forms(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 1024, 0x08, 0, 0, 3, 2, 0);
    expect_good(&f, 1024);
    g_assert_cmpmem(f.buffer, 1024, f.memory->bytes + 3 * 512, 1024);
    SEND(&f, 1024, 0x28, 0, 0, 0, 0, 4, 0, 0, 2, 0);
    g_assert_cmpmem(f.buffer, 1024, f.memory->bytes + 4 * 512, 1024);
    SEND(&f, 1024, 0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0);
    g_assert_cmpmem(f.buffer, 1024, f.memory->bytes + 5 * 512, 1024);
    SEND(&f, 1024, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0);
    g_assert_cmpmem(f.buffer, 1024, f.memory->bytes + 6 * 512, 1024);
    g_assert_cmpuint(f.memory->count[DISK_READ], ==, 4);
    /* A buffer that is larger than what is asked for keeps its end. */
    memset(f.buffer, 0xaa, sizeof(f.buffer));
    SEND(&f, 4096, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_good(&f, 512);
    g_assert_cmphex(f.buffer[512], ==, 0xaa);
    tear_down(&f);
}

static void test_write_forms(void)
{
    struct fixture f;

    set_up(&f, DISK);
    memset(f.buffer, 0x11, sizeof(f.buffer));
    SEND(&f, 512, 0x0a, 0, 0, 1, 1, 0);
    SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
    SEND(&f, 512, 0xaa, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0);
    SEND(&f, 512, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
    expect_good(&f, 512);
    g_assert_false(f.task.filled);
    for (unsigned i = 512; i < 5 * 512; i++)
        g_assert_cmphex(f.memory->bytes[i], ==, 0x11);
    g_assert_cmphex(f.memory->bytes[511], ==, (uint8_t)511);
    g_assert_cmphex(f.memory->bytes[5 * 512], ==, (uint8_t)15);
    tear_down(&f);
}

static void test_fua_and_flush(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_cmpuint(f.memory->fua, ==, 0);
    SEND(&f, 512, 0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1, 0);
    SEND(&f, 512, 0x8a, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    g_assert_cmpuint(f.memory->fua, ==, 2);
    SEND(&f, 512, 0x0a, 0x08, 0, 0, 1, 0); /* there the bit is of the LBA */
    expect_sense(&f, 5, 0x21, 0);
    g_assert_cmpuint(f.memory->fua, ==, 2);
    SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect_good(&f, 0);
    SEND(&f, 0, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(f.memory->count[DISK_FLUSH], ==, 2);
    /* A forced read is preceded by a flush. */
    SEND(&f, 512, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_good(&f, 512);
    g_assert_cmpint(f.memory->trace[f.memory->traced - 2], ==, DISK_FLUSH);
    g_assert_cmpint(f.memory->trace[f.memory->traced - 1], ==, DISK_READ);
    tear_down(&f);
    /* A flush completes no sooner than the disk's. */
    set_up(&f, DISK);
    f.memory->hold = true;
    SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(f.done, ==, 0);
    g_assert_cmpuint(memory_disk_release(f.memory, 1), ==, 1);
    g_assert_cmpuint(f.done, ==, 1);
    tear_down(&f);
}

static void test_read6_count_zero_is_256(void)
{
    struct fixture f;

    set_up_size(&f, DISK, 512 * 300);
    SEND(&f, BUFFER, 0x08, 0, 0, 0, 0, 0);
    g_assert_true(f.task.overrun); /* 128 KiB do not fit in the buffer */
    SEND(&f, 0, 0x08, 0, 0, 44, 0, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 0, 0x08, 0, 0, 45, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    expect_untouched(&f);
    SEND(&f, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* but 0 is 0 in the others */
    expect_good(&f, 0);
    expect_untouched(&f);
    tear_down(&f);
}

static void test_lba_overflow(void)
{
    struct fixture f;
    uint8_t last = DISK_BYTES / 512 / 256 - 1;

    set_up(&f, DISK);
    SEND(&f, 1024, 0x28, 0, 0, 0, last, 0xff, 0, 0, 1, 0);
    expect_good(&f, 512);
    f.memory->count[DISK_READ] = 0;
    SEND(&f, 1024, 0x28, 0, 0, 0, last, 0xff, 0, 0, 2, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    /* 2^55 blocks of 512 bytes wrap to byte 0. */
    SEND(&f, 1024, 0x8a, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 0, 0x91, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    expect_untouched(&f);
    tear_down(&f);
}

static void test_buffer_too_small(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 511, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_sense(&f, 5, 0x1a, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_true(f.task.overrun);
    expect_untouched(&f);
    tear_down(&f);
}

static void test_write_protected(void)
{
    static const enum kind kinds[] = {DISK_READONLY, DVD};

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct fixture f;
        set_up(&f, kinds[i]);
        SEND(&f, 512, 0x0a, 0, 0, 1, 1, 0);
        expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
        expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
        g_assert_cmpuint(f.task.status, ==, SCSI_CHECK_CONDITION);
        SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
        g_assert_cmpuint(f.task.status, ==, SCSI_CHECK_CONDITION);
        SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        expect_good(&f, 0);
        expect_untouched(&f);
        tear_down(&f);
    }
}

static void test_disk_errors(void)
{
    static const struct {
        int error;
        uint8_t write[3], read[3];
    } cases[] = {
        {-EIO, {3, 0x0c, 0}, {3, 0x11, 0}},
        {-ENOSPC, {7, 0x27, 7}, {7, 0x27, 7}},
        {-EROFS, {7, 0x27, 0}, {7, 0x27, 0}},
    };
    struct fixture f;

    set_up(&f, DISK);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        f.memory->fail = cases[i].error;
        SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        expect_sense(&f, cases[i].write[0], cases[i].write[1], cases[i].write[2]);
        SEND(&f, 512, 0x28, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        expect_sense(&f, cases[i].read[0], cases[i].read[1], cases[i].read[2]);
        SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        expect_sense(&f, cases[i].write[0], cases[i].write[1], cases[i].write[2]);
    }
    f.memory->fail = -EIO;
    SEND(&f, 512, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1, 0); /* the flush of a forced read fails */
    expect_sense(&f, 3, 0x11, 0);
    tear_down(&f);
}

/* --- UNMAP and WRITE SAME --- */

static void put_descriptor(uint8_t *p, uint64_t lba, uint32_t count)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(lba >> (56 - 8 * i));
    for (unsigned i = 0; i < 4; i++)
        p[8 + i] = (uint8_t)(count >> (24 - 8 * i));
}

static void put_list(struct fixture *f, unsigned descriptors)
{
    unsigned len = descriptors * 16;

    memset(f->buffer, 0, 8);
    f->buffer[0] = (uint8_t)((len + 6) >> 8);
    f->buffer[1] = (uint8_t)(len + 6);
    f->buffer[2] = (uint8_t)(len >> 8);
    f->buffer[3] = (uint8_t)len;
}

static void test_unmap(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    put_list(&f, 3);
    put_descriptor(f.buffer + 8, 8, 8);
    put_descriptor(f.buffer + 24, 0, 0);
    put_descriptor(f.buffer + 40, 100, 1);
    SEND(&f, 56, 0x42, 0, 0, 0, 0, 0, 0, 0, 56, 0);
    expect_good(&f, 56);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, 2);
    g_assert_cmphex(f.memory->bytes[8 * 512 + 1], ==, 0);
    g_assert_cmphex(f.memory->bytes[16 * 512 + 1], ==, 49);
    g_assert_cmphex(f.memory->bytes[100 * 512 + 1], ==, 0);
    SEND(&f, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect_good(&f, 0);
    tear_down(&f);
    set_up(&f, DISK); /* not claimed, not served */
    SEND(&f, 56, 0x42, 0, 0, 0, 0, 0, 0, 0, 56, 0);
    expect_sense(&f, 5, 0x20, 0);
    tear_down(&f);
}

static void test_unmap_descriptor_lies(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    SEND(&f, 7, 0x42, 0, 0, 0, 0, 0, 0, 0, 7, 0);
    expect_sense(&f, 5, 0x1a, 0);
    SEND(&f, 8, 0x42, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0); /* more than there is */
    g_assert_true(f.task.overrun);
    SEND(&f, 24, 0x42, 1, 0, 0, 0, 0, 0, 0, 24, 0); /* anchor */
    expect_sense(&f, 5, 0x24, 0);
    put_list(&f, 1);
    put_descriptor(f.buffer + 8, DISK_BYTES / 512, 1);
    SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    expect_sense(&f, 5, 0x21, 0);
    put_descriptor(f.buffer + 8, UINT64_MAX, UINT32_MAX);
    SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    expect_sense(&f, 5, 0x21, 0);
    /* The list says that it is longer than the parameters: those count. */
    memset(f.buffer, 0xff, 8);
    put_descriptor(f.buffer + 8, 0, 1);
    SEND(&f, 24 + 15, 0x42, 0, 0, 0, 0, 0, 0, 0, 24 + 15, 0);
    expect_good(&f, 39);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, 1);
    f.memory->count[DISK_DISCARD] = 0;
    put_list(&f, LIMIT_UNMAP_DESCRIPTORS + 1);
    SEND(&f, 8 + 257 * 16, 0x42, 0, 0, 0, 0, 0, 0, 0x10, 0x18, 0);
    expect_sense(&f, 5, 0x26, 0);
    expect_untouched(&f);
    tear_down(&f);

    /* Each descriptor is in range, their sum is over the ceiling. */
    set_up(&f, DISK_DISCARDS);
    f.memory->disk.size = 1ull << 40;
    f.memory->hold = true;
    put_list(&f, 2);
    put_descriptor(f.buffer + 8, 0, 1);
    put_descriptor(f.buffer + 24, 0, LIMIT_UNMAP_BLOCKS);
    SEND(&f, 40, 0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0);
    g_assert_cmpuint(f.done, ==, 0);
    memory_disk_release(f.memory, 1);
    g_assert_cmpuint(f.done, ==, 1);
    expect_sense(&f, 5, 0x26, 0);
    tear_down(&f);
}

static void test_unmap_many(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    put_list(&f, LIMIT_UNMAP_DESCRIPTORS);
    for (unsigned i = 0; i < LIMIT_UNMAP_DESCRIPTORS; i++)
        put_descriptor(f.buffer + 8 + 16 * i, i, 1);
    SEND(&f, 8 + 256 * 16, 0x42, 0, 0, 0, 0, 0, 0, 0x10, 0x08, 0);
    expect_good(&f, 8 + 256 * 16);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, LIMIT_UNMAP_DESCRIPTORS);
    tear_down(&f);
}

static void test_write_same(void)
{
    struct fixture f;

    set_up(&f, DISK_DISCARDS);
    memset(f.buffer, 0, 512);
    SEND(&f, 512, 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0);
    expect_good(&f, 0);
    g_assert_cmpuint(f.memory->count[DISK_WRITE_ZEROES], ==, 1);
    g_assert_cmphex(f.memory->bytes[4 * 512], ==, 0);
    g_assert_cmphex(f.memory->bytes[7 * 512], ==, 21);
    SEND(&f, 0, 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0); /* without data */
    expect_good(&f, 0);
    g_assert_cmphex(f.memory->bytes[7 * 512], ==, 0);
    SEND(&f, 512, 0x41, 0, 0, 0, 0, 8, 0, 0, 1, 0);
    expect_good(&f, 0);
    SEND(&f, 511, 0x41, 0, 0, 0, 0, 8, 0, 0, 1, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* "to the end" */
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 1, 0, 0); /* over the ceiling */
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0);
    expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 512, 0x93, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    expect_sense(&f, 5, 0x24, 0);
    f.buffer[300] = 1; /* another pattern */
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    expect_sense(&f, 5, 0x24, 0);
    g_assert_cmpuint(f.memory->count[DISK_WRITE_ZEROES], ==, 3);
    tear_down(&f);
}

/* --- Hostile --- */

static void test_unknown_ops(void)
{
    static const enum kind kinds[] = {DISK, DISK_READONLY, DISK_DISCARDS, DVD, DVD_EMPTY, ABSENT};

    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        struct fixture f;
        set_up(&f, kinds[k]);
        for (unsigned op = 0; op < 256; op++)
            for (unsigned fill = 0; fill <= 0xff; fill += 0xff) {
                uint8_t cdb[16];
                memset(cdb, (int)fill, sizeof(cdb));
                cdb[0] = (uint8_t)op;
                memset(f.buffer, (int)fill, 4096);
                send_cdb(&f, cdb, sizeof(cdb), 4096);
                g_assert_true(f.task.status == SCSI_GOOD || f.task.status == SCSI_CHECK_CONDITION);
            }
        SEND(&f, 0, 0x1d, 0, 0, 0, 0, 0);
        if (kinds[k] == ABSENT)
            expect_sense(&f, 5, 0x25, 0);
        else
            expect_sense(&f, 5, 0x20, 0);
        tear_down(&f);
    }
}

static void test_short_cdb(void)
{
    struct fixture f;

    set_up(&f, DISK);
    SEND(&f, 512, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x88);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x08, 0, 0, 0, 1);
    expect_sense(&f, 5, 0x24, 0);
    expect_untouched(&f);
    tear_down(&f);
}

static void test_absent_unit(void)
{
    struct fixture f;

    set_up(&f, ABSENT);
    SEND(&f, 36, 0x12, 0, 0, 0, 36, 0);
    expect_good(&f, 36);
    g_assert_cmphex(f.buffer[0], ==, 0x7f);
    SEND(&f, 36, 0x12, 1, 0x80, 0, 36, 0);
    expect_sense(&f, 5, 0x24, 0);
    g_assert_false(f.task.no_unit);
    f.task.lun_map = 0;
    SEND(&f, 64, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    expect_good(&f, 8);
    g_assert_cmpuint(be32(f.buffer), ==, 0);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    expect_sense(&f, 5, 0x25, 0);
    g_assert_true(f.task.no_unit);
    SEND(&f, 512, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_sense(&f, 5, 0x25, 0);
    expect_untouched(&f);
    tear_down(&f);
}

/* --- CD and DVD --- */

static void test_no_medium(void)
{
    struct fixture f;

    set_up(&f, DVD_EMPTY);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 20, 0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0);
    expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0);
    expect_good(&f, 8);
    g_assert_cmpmem(f.buffer, 8, "\0\x06\x04\x10\0\0\0\0", 8);
    SEND(&f, 8, 0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    expect_good(&f, 8);
    g_assert_cmpmem(f.buffer + 6, 2, "\0\0", 2);
    tear_down(&f);
}

static void test_toc(void)
{
    struct fixture f;

    set_up(&f, DVD);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0); /* Linux: header, then each track */
    expect_good(&f, 12);
    g_assert_cmpmem(f.buffer, 4, "\0\x12\1\1", 4);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0xaa, 0, 12, 0);
    expect_good(&f, 12);
    g_assert_cmpmem(f.buffer + 4, 8, "\0\x14\xaa\0\0\0\2\0", 8);
    SEND(&f, 12, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12, 0); /* 512 + 150 frames: 8 s and 62 */
    g_assert_cmpmem(f.buffer + 8, 4, "\0\0\x08\x3e", 4);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40); /* sessions, as sr asks */
    expect_good(&f, 12);
    g_assert_cmpmem(f.buffer, 12, "\0\x0a\1\1\0\x14\1\0\0\0\0\0", 12);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 2, 0, 12, 0);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 12, 0x43, 0, 2, 0, 0, 0, 0, 0, 12, 0);
    expect_sense(&f, 5, 0x24, 0);
    tear_down(&f);
}

static void test_disc(void)
{
    struct fixture f;

    set_up(&f, DVD);
    SEND(&f, 4096, 0x28, 0, 0, 0, 0, 16, 0, 0, 2, 0);
    expect_good(&f, 4096);
    g_assert_cmpmem(f.buffer, 4096, f.memory->bytes + 16 * 2048, 4096);
    SEND(&f, 34, 0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0);
    expect_good(&f, 34);
    g_assert_cmpmem(f.buffer, 8, "\0\x20\x0e\1\1\1\1\x20", 8);
    SEND(&f, 255, 0x46, 0, 0, 0, 0, 0, 0, 0, 255, 0);
    expect_good(&f, 8 + 12 + 8 + 8);
    g_assert_cmpuint(be32(f.buffer), ==, 4 + 12 + 8 + 8);
    g_assert_cmphex(f.buffer[7], ==, 0x08); /* small: a CD */
    SEND(&f, 255, 0x46, 2, 0, 3, 0, 0, 0, 0, 255, 0);
    expect_good(&f, 8 + 8);
    SEND(&f, 255, 0x46, 3, 0, 3, 0, 0, 0, 0, 255, 0);
    expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0);
    g_assert_cmphex(f.buffer[5], ==, 2);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x40, 0, 0, 0, 8, 0);
    expect_good(&f, 4);
    g_assert_cmphex(f.buffer[2], ==, 0x80);
    SEND(&f, 8, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0);
    expect_sense(&f, 5, 0x24, 0);
    f.memory->disk.size = 4700000000ull / 2048 * 2048;
    SEND(&f, 8, 0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    g_assert_cmphex(f.buffer[7], ==, 0x10);
    tear_down(&f);
    set_up(&f, DISK); /* a disk has none of it */
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0);
    expect_sense(&f, 5, 0x20, 0);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scsi/inquiry", test_inquiry);
    g_test_add_func("/scsi/vital-product-data", test_vital_product_data);
    g_test_add_func("/scsi/serial-without-end", test_serial_without_end);
    g_test_add_func("/scsi/capacity", test_capacity);
    g_test_add_func("/scsi/mode-sense", test_mode_sense);
    g_test_add_func("/scsi/report-luns", test_report_luns);
    g_test_add_func("/scsi/small-commands", test_small_commands);
    g_test_add_func("/scsi/read-forms", test_read_forms);
    g_test_add_func("/scsi/write-forms", test_write_forms);
    g_test_add_func("/scsi/fua-and-flush", test_fua_and_flush);
    g_test_add_func("/scsi/read6-count-zero-is-256", test_read6_count_zero_is_256);
    g_test_add_func("/scsi/lba-overflow", test_lba_overflow);
    g_test_add_func("/scsi/buffer-too-small", test_buffer_too_small);
    g_test_add_func("/scsi/write-protected", test_write_protected);
    g_test_add_func("/scsi/disk-errors", test_disk_errors);
    g_test_add_func("/scsi/unmap", test_unmap);
    g_test_add_func("/scsi/unmap-descriptor-lies", test_unmap_descriptor_lies);
    g_test_add_func("/scsi/unmap-many", test_unmap_many);
    g_test_add_func("/scsi/write-same", test_write_same);
    g_test_add_func("/scsi/unknown-ops", test_unknown_ops);
    g_test_add_func("/scsi/short-cdb", test_short_cdb);
    g_test_add_func("/scsi/absent-unit", test_absent_unit);
    g_test_add_func("/scsi/no-medium", test_no_medium);
    g_test_add_func("/scsi/toc", test_toc);
    g_test_add_func("/scsi/disc", test_disc);
    return g_test_run();
}
