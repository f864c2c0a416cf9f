/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI commands that move, flush or forget blocks: every form, and every number that lies.
 */
#include "src/disk/scsi.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/scsi_fixture.h"

/* --- Blocks --- */

static void test_read_forms(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 1024, 0x08, 0, 0, 3, 2, 0);
    scsi_expect_good(&f, 1024);
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
    scsi_expect_good(&f, 512);
    g_assert_cmphex(f.buffer[512], ==, 0xaa);
    scsi_tear_down(&f);
}

static void test_write_forms(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    memset(f.buffer, 0x11, sizeof(f.buffer));
    SEND(&f, 512, 0x0a, 0, 0, 1, 1, 0);
    SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
    SEND(&f, 512, 0xaa, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0);
    SEND(&f, 512, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
    scsi_expect_good(&f, 512);
    g_assert_false(f.task.filled);
    for (unsigned i = 512; i < 5 * 512; i++)
        g_assert_cmphex(f.memory->bytes[i], ==, 0x11);
    g_assert_cmphex(f.memory->bytes[511], ==, (uint8_t)511);
    g_assert_cmphex(f.memory->bytes[5 * 512], ==, (uint8_t)15);
    scsi_tear_down(&f);
}

static void test_fua_and_flush(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_cmpuint(f.memory->fua, ==, 0);
    SEND(&f, 512, 0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1, 0);
    SEND(&f, 512, 0x8a, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    g_assert_cmpuint(f.memory->fua, ==, 2);
    SEND(&f, 512, 0x0a, 0x08, 0, 0, 1, 0); /* there the bit is of the LBA */
    scsi_expect_sense(&f, 5, 0x21, 0);
    g_assert_cmpuint(f.memory->fua, ==, 2);
    SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 0, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(f.memory->count[DISK_FLUSH], ==, 2);
    /* A forced read is preceded by a flush. */
    SEND(&f, 512, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_good(&f, 512);
    g_assert_cmpint(f.memory->trace[f.memory->traced - 2], ==, DISK_FLUSH);
    g_assert_cmpint(f.memory->trace[f.memory->traced - 1], ==, DISK_READ);
    scsi_tear_down(&f);
    /* A flush completes no sooner than the disk's. */
    scsi_set_up(&f, DISK);
    f.memory->hold = true;
    SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(f.done, ==, 0);
    g_assert_cmpuint(memory_disk_release(f.memory, 1), ==, 1);
    g_assert_cmpuint(f.done, ==, 1);
    scsi_tear_down(&f);
}

static void test_read6_count_zero_is_256(void)
{
    struct scsi_fixture f;

    scsi_set_up_size(&f, DISK, 512 * 300);
    SEND(&f, SCSI_BUFFER, 0x08, 0, 0, 0, 0, 0);
    g_assert_true(f.task.overrun); /* 128 KiB do not fit in the buffer */
    SEND(&f, 0, 0x08, 0, 0, 44, 0, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 0, 0x08, 0, 0, 45, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    scsi_expect_untouched(&f);
    SEND(&f, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* but 0 is 0 in the others */
    scsi_expect_good(&f, 0);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);
}

static void test_lba_overflow(void)
{
    struct scsi_fixture f;
    uint8_t last = SCSI_DISK_BYTES / 512 / 256 - 1;

    scsi_set_up(&f, DISK);
    SEND(&f, 1024, 0x28, 0, 0, 0, last, 0xff, 0, 0, 1, 0);
    scsi_expect_good(&f, 512);
    f.memory->count[DISK_READ] = 0;
    SEND(&f, 1024, 0x28, 0, 0, 0, last, 0xff, 0, 0, 2, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    /* 2^55 blocks of 512 bytes wrap to byte 0. */
    SEND(&f, 1024, 0x8a, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 1024, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 0, 0x91, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);
}

static void test_buffer_too_small(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 511, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_sense(&f, 5, 0x1a, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    g_assert_true(f.task.overrun);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);
}

static void test_write_protected(void)
{
    static const enum scsi_fixture_kind kinds[] = {DISK_READONLY, DVD};

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct scsi_fixture f;
        scsi_set_up(&f, kinds[i]);
        SEND(&f, 512, 0x0a, 0, 0, 1, 1, 0);
        scsi_expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        scsi_expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
        scsi_expect_sense(&f, 7, 0x27, 0);
        SEND(&f, 512, 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0);
        g_assert_cmpuint(f.task.status, ==, SCSI_CHECK_CONDITION);
        SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
        g_assert_cmpuint(f.task.status, ==, SCSI_CHECK_CONDITION);
        SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        scsi_expect_good(&f, 0);
        scsi_expect_untouched(&f);
        scsi_tear_down(&f);
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
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        f.memory->fail = cases[i].error;
        SEND(&f, 512, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        scsi_expect_sense(&f, cases[i].write[0], cases[i].write[1], cases[i].write[2]);
        SEND(&f, 512, 0x28, 0, 0, 0, 0, 2, 0, 0, 1, 0);
        scsi_expect_sense(&f, cases[i].read[0], cases[i].read[1], cases[i].read[2]);
        SEND(&f, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        scsi_expect_sense(&f, cases[i].write[0], cases[i].write[1], cases[i].write[2]);
    }
    f.memory->fail = -EIO;
    SEND(&f, 512, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1, 0); /* the flush of a forced read fails */
    scsi_expect_sense(&f, 3, 0x11, 0);
    scsi_tear_down(&f);
}

/* --- UNMAP and WRITE SAME --- */

static void put_descriptor(uint8_t *p, uint64_t lba, uint32_t count)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(lba >> (56 - 8 * i));
    for (unsigned i = 0; i < 4; i++)
        p[8 + i] = (uint8_t)(count >> (24 - 8 * i));
}

static void put_list(struct scsi_fixture *f, unsigned descriptors)
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
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    put_list(&f, 3);
    put_descriptor(f.buffer + 8, 8, 8);
    put_descriptor(f.buffer + 24, 0, 0);
    put_descriptor(f.buffer + 40, 100, 1);
    SEND(&f, 56, 0x42, 0, 0, 0, 0, 0, 0, 0, 56, 0);
    scsi_expect_good(&f, 56);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, 2);
    g_assert_cmphex(f.memory->bytes[8 * 512 + 1], ==, 0);
    g_assert_cmphex(f.memory->bytes[16 * 512 + 1], ==, 49);
    g_assert_cmphex(f.memory->bytes[100 * 512 + 1], ==, 0);
    SEND(&f, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    scsi_expect_good(&f, 0);
    scsi_tear_down(&f);
    scsi_set_up(&f, DISK); /* not claimed, not served */
    SEND(&f, 56, 0x42, 0, 0, 0, 0, 0, 0, 0, 56, 0);
    scsi_expect_sense(&f, 5, 0x20, 0);
    scsi_tear_down(&f);
}

static void test_unmap_descriptor_lies(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    SEND(&f, 7, 0x42, 0, 0, 0, 0, 0, 0, 0, 7, 0);
    scsi_expect_sense(&f, 5, 0x1a, 0);
    SEND(&f, 8, 0x42, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0); /* more than there is */
    g_assert_true(f.task.overrun);
    SEND(&f, 24, 0x42, 1, 0, 0, 0, 0, 0, 0, 24, 0); /* anchor */
    scsi_expect_sense(&f, 5, 0x24, 0);
    put_list(&f, 1);
    put_descriptor(f.buffer + 8, SCSI_DISK_BYTES / 512, 1);
    SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    put_descriptor(f.buffer + 8, UINT64_MAX, UINT32_MAX);
    SEND(&f, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    /* The list says that it is longer than the parameters: those count. */
    memset(f.buffer, 0xff, 8);
    put_descriptor(f.buffer + 8, 0, 1);
    SEND(&f, 24 + 15, 0x42, 0, 0, 0, 0, 0, 0, 0, 24 + 15, 0);
    scsi_expect_good(&f, 39);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, 1);
    f.memory->count[DISK_DISCARD] = 0;
    put_list(&f, LIMIT_UNMAP_DESCRIPTORS + 1);
    SEND(&f, 8 + 257 * 16, 0x42, 0, 0, 0, 0, 0, 0, 0x10, 0x18, 0);
    scsi_expect_sense(&f, 5, 0x26, 0);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);

    /* Each descriptor is in range, their sum is over the ceiling. */
    scsi_set_up(&f, DISK_DISCARDS);
    f.memory->disk.size = 1ull << 40;
    f.memory->hold = true;
    put_list(&f, 2);
    put_descriptor(f.buffer + 8, 0, 1);
    put_descriptor(f.buffer + 24, 0, LIMIT_UNMAP_BLOCKS);
    SEND(&f, 40, 0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0);
    g_assert_cmpuint(f.done, ==, 0);
    memory_disk_release(f.memory, 1);
    g_assert_cmpuint(f.done, ==, 1);
    scsi_expect_sense(&f, 5, 0x26, 0);
    scsi_tear_down(&f);
}

static void test_unmap_many(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    put_list(&f, LIMIT_UNMAP_DESCRIPTORS);
    for (unsigned i = 0; i < LIMIT_UNMAP_DESCRIPTORS; i++)
        put_descriptor(f.buffer + 8 + 16 * i, i, 1);
    SEND(&f, 8 + 256 * 16, 0x42, 0, 0, 0, 0, 0, 0, 0x10, 0x08, 0);
    scsi_expect_good(&f, 8 + 256 * 16);
    g_assert_cmpuint(f.memory->count[DISK_DISCARD], ==, LIMIT_UNMAP_DESCRIPTORS);
    scsi_tear_down(&f);
}

static void test_write_same(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    memset(f.buffer, 0, 512);
    SEND(&f, 512, 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0);
    scsi_expect_good(&f, 0);
    g_assert_cmpuint(f.memory->count[DISK_WRITE_ZEROES], ==, 1);
    g_assert_cmphex(f.memory->bytes[4 * 512], ==, 0);
    g_assert_cmphex(f.memory->bytes[7 * 512], ==, 21);
    SEND(&f, 0, 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0); /* without data */
    scsi_expect_good(&f, 0);
    g_assert_cmphex(f.memory->bytes[7 * 512], ==, 0);
    SEND(&f, 512, 0x41, 0, 0, 0, 0, 8, 0, 0, 1, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 511, 0x41, 0, 0, 0, 0, 8, 0, 0, 1, 0);
    g_assert_true(f.task.overrun);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* "to the end" */
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 1, 0, 0); /* over the ceiling */
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    SEND(&f, 512, 0x93, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    f.buffer[300] = 1; /* another pattern */
    SEND(&f, 512, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    g_assert_cmpuint(f.memory->count[DISK_WRITE_ZEROES], ==, 3);
    scsi_tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scsi-blocks/read-forms", test_read_forms);
    g_test_add_func("/scsi-blocks/write-forms", test_write_forms);
    g_test_add_func("/scsi-blocks/fua-and-flush", test_fua_and_flush);
    g_test_add_func("/scsi-blocks/read6-count-zero-is-256", test_read6_count_zero_is_256);
    g_test_add_func("/scsi-blocks/lba-overflow", test_lba_overflow);
    g_test_add_func("/scsi-blocks/buffer-too-small", test_buffer_too_small);
    g_test_add_func("/scsi-blocks/write-protected", test_write_protected);
    g_test_add_func("/scsi-blocks/disk-errors", test_disk_errors);
    g_test_add_func("/scsi-blocks/unmap", test_unmap);
    g_test_add_func("/scsi-blocks/unmap-descriptor-lies", test_unmap_descriptor_lies);
    g_test_add_func("/scsi-blocks/unmap-many", test_unmap_many);
    g_test_add_func("/scsi-blocks/write-same", test_write_same);
    return g_test_run();
}
