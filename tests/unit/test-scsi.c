/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What SCSI units say of themselves, as Linux's sd and sr ask it; addresses and CDBs that are not
 * there.
 */
#include "src/disk/scsi.h"

#include <string.h>

#include "tests/unit/scsi_fixture.h"

/* --- What a unit says of itself --- */

static void test_inquiry(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 255, 0x12, 0, 0, 0, 255, 0);
    scsi_expect_good(&f, 36);
    g_assert_true(f.task.filled);
    g_assert_cmpmem(f.buffer, 8, "\0\0\5\x12\x1f\0\0\2", 8);
    g_assert_cmpmem(f.buffer + 8, 28, "Msft    Virtual Disk    1.0 ", 28);
    SEND(&f, 255, 0x12, 0, 0, 0, 5, 0); /* Windows asks for the head first */
    scsi_expect_good(&f, 5);
    SEND(&f, 3, 0x12, 0, 0, 0, 255, 0); /* less buffer than allocation */
    scsi_expect_good(&f, 3);
    SEND(&f, 0, 0x12, 0, 0, 0, 255, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 255, 0x12, 0, 0x80, 0, 255, 0); /* page without EVPD */
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_tear_down(&f);
    scsi_set_up(&f, DVD_EMPTY);
    SEND(&f, 255, 0x12, 0, 0, 0, 255, 0);
    g_assert_cmpmem(f.buffer, 2, "\x05\x80", 2);
    g_assert_cmpmem(f.buffer + 16, 16, "Virtual DVD-ROM ", 16);
    scsi_tear_down(&f);
}

static void test_vital_product_data(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    SEND(&f, 255, 0x12, 1, 0x00, 0, 255, 0);
    scsi_expect_good(&f, 10);
    g_assert_cmpmem(f.buffer, 10, "\0\0\0\6\0\x80\x83\xb0\xb1\xb2", 10);
    SEND(&f, 255, 0x12, 1, 0x80, 0, 255, 0);
    scsi_expect_good(&f, 20);
    g_assert_cmpmem(f.buffer, 20,
                    "\0\x80\0\x10"
                    "0123456789abcdef",
                    20);
    SEND(&f, 255, 0x12, 1, 0x83, 0, 255, 0);
    scsi_expect_good(&f, 32);
    g_assert_cmpmem(f.buffer, 32, "\0\x83\0\x1c\x02\x01\0\x18Msft    0123456789abcdef", 32);
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    scsi_expect_good(&f, 64);
    g_assert_cmpuint(scsi_be32(f.buffer + 8), ==, LIMIT_DISK_TRANSFER / 512);
    g_assert_cmpuint(scsi_be32(f.buffer + 20), ==, LIMIT_UNMAP_BLOCKS);
    g_assert_cmpuint(scsi_be32(f.buffer + 24), ==, LIMIT_UNMAP_DESCRIPTORS);
    g_assert_cmpuint(scsi_be32(f.buffer + 28), ==, 8);
    SEND(&f, 255, 0x12, 1, 0xb1, 0, 255, 0);
    scsi_expect_good(&f, 64);
    g_assert_cmpuint(f.buffer[5], ==, 1);
    SEND(&f, 255, 0x12, 1, 0xb2, 0, 255, 0);
    scsi_expect_good(&f, 8);
    g_assert_cmphex(f.buffer[5], ==, 0xc0);
    SEND(&f, 255, 0x12, 1, 0xb3, 0, 255, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_tear_down(&f);
    scsi_set_up(&f, DISK);
    SEND(&f, 255, 0x12, 1, 0xb2, 0, 255, 0);
    g_assert_cmphex(f.buffer[5], ==, 0);
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    g_assert_cmpuint(scsi_be32(f.buffer + 20), ==, 0);
    scsi_tear_down(&f);
    scsi_set_up(&f, DVD_EMPTY); /* no disk to ask about its limits */
    SEND(&f, 255, 0x12, 1, 0xb0, 0, 255, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 255, 0x12, 1, 0x00, 0, 255, 0);
    scsi_expect_good(&f, 7);
    scsi_tear_down(&f);
}

static void test_serial_without_end(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    memset(f.unit.serial, 'x', sizeof(f.unit.serial));
    SEND(&f, 255, 0x12, 1, 0x83, 0, 255, 0);
    scsi_expect_good(&f, 4 + 12 + sizeof(f.unit.serial));
    scsi_tear_down(&f);
}

static void test_capacity(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK_DISCARDS);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    scsi_expect_good(&f, 8);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, SCSI_DISK_BYTES / 512 - 1);
    g_assert_cmpuint(scsi_be32(f.buffer + 4), ==, 512);
    SEND(&f, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    scsi_expect_good(&f, 32);
    g_assert_cmpuint(scsi_be32(f.buffer + 4), ==, SCSI_DISK_BYTES / 512 - 1);
    g_assert_cmpuint(f.buffer[13], ==, 3);
    g_assert_cmphex(f.buffer[14], ==, 0x80);
    SEND(&f, 32, 0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_tear_down(&f);

    scsi_set_up(&f, DISK);
    f.memory->disk.size = 4ull << 40; /* only asked about */
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmphex(scsi_be32(f.buffer), ==, 0xffffffff);
    SEND(&f, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    g_assert_cmphex(scsi_be32(f.buffer), ==, 1);
    g_assert_cmphex(scsi_be32(f.buffer + 4), ==, 0xffffffff);
    scsi_tear_down(&f);

    scsi_set_up(&f, DVD);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, SCSI_DISK_BYTES / 2048 - 1);
    g_assert_cmpuint(scsi_be32(f.buffer + 4), ==, 2048);
    scsi_tear_down(&f);

    scsi_set_up_size(&f, DVD, 1024); /* less than one block */
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, 0);
    SEND(&f, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_sense(&f, 5, 0x21, 0);
    scsi_tear_down(&f);
}

/* Linux's sd reads the cache type, FUA and write protection here. */
static void test_mode_sense(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 192, 0x1a, 0, 0x3f, 0, 192, 0);
    scsi_expect_good(&f, 4 + 8 + 20);
    g_assert_cmphex(f.buffer[2], ==, 0x10); /* DPO and FUA, not protected */
    g_assert_cmpuint(f.buffer[3], ==, 8);
    g_assert_cmpuint(scsi_be32(f.buffer + 4), ==, SCSI_DISK_BYTES / 512);
    g_assert_cmpuint(scsi_be32(f.buffer + 8), ==, 512);
    SEND(&f, 192, 0x1a, 8, 0x08, 0, 192, 0);
    scsi_expect_good(&f, 4 + 20);
    g_assert_cmpmem(f.buffer + 4, 3, "\x08\x12\x04", 3); /* write cache enabled */
    SEND(&f, 192, 0x5a, 8, 0x08, 0, 0, 0, 0, 0, 192, 0);
    scsi_expect_good(&f, 8 + 20);
    g_assert_cmpuint(f.buffer[1], ==, 26);
    SEND(&f, 192, 0x1a, 8, 0x48, 0, 192, 0); /* changeable: nothing */
    g_assert_cmpmem(f.buffer + 4, 3, "\x08\x12\x00", 3);
    SEND(&f, 192, 0x1a, 8, 0xc8, 0, 192, 0); /* saved */
    scsi_expect_sense(&f, 5, 0x39, 0);
    SEND(&f, 192, 0x1a, 8, 0x2a, 0, 192, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 192, 0x1a, 8, 0x08, 1, 192, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_tear_down(&f);
    scsi_set_up(&f, DISK_READONLY);
    SEND(&f, 192, 0x1a, 8, 0x3f, 0, 192, 0);
    g_assert_cmphex(f.buffer[2], ==, 0x90);
    g_assert_cmphex(f.buffer[6], ==, 0); /* and nothing to cache */
    scsi_tear_down(&f);
    scsi_set_up(&f, DVD_EMPTY);
    SEND(&f, 192, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 192, 0);
    scsi_expect_good(&f, 8 + 20);
    g_assert_cmphex(f.buffer[8], ==, 0x2a);
    scsi_tear_down(&f);
}

static void test_report_luns(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 1024, 0xa0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    scsi_expect_good(&f, 8 + 3 * 8);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, 24);
    g_assert_cmpuint(f.buffer[9], ==, 0);
    g_assert_cmpuint(f.buffer[17], ==, 2);
    g_assert_cmpuint(f.buffer[25], ==, 63);
    SEND(&f, 1024, 0xa0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    scsi_expect_good(&f, 8);
    SEND(&f, 1024, 0xa0, 0, 3, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    f.task.lun_map = UINT64_MAX;
    SEND(&f, 1024, 0xa0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0);
    scsi_expect_good(&f, 8 + 64 * 8);
    scsi_tear_down(&f);
}

static void test_small_commands(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 18, 0x03, 0, 0, 0, 18, 0);
    scsi_expect_good(&f, 18);
    g_assert_cmphex(f.buffer[2], ==, 0);
    SEND(&f, 18, 0x03, 1, 0, 0, 18, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 0, 0x1b, 0, 0, 0, 1, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 0, 0x1e, 0, 0, 0, 1, 0);
    scsi_expect_good(&f, 0);
    SEND(&f, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_good(&f, 0);
    scsi_tear_down(&f);
}

/* --- Hostile --- */

static void test_unknown_ops(void)
{
    static const enum scsi_fixture_kind kinds[] = {DISK, DISK_READONLY, DISK_DISCARDS,
                                                   DVD,  DVD_EMPTY,     ABSENT};

    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        struct scsi_fixture f;
        scsi_set_up(&f, kinds[k]);
        for (unsigned op = 0; op < 256; op++)
            for (unsigned fill = 0; fill <= 0xff; fill += 0xff) {
                uint8_t cdb[16];
                memset(cdb, (int)fill, sizeof(cdb));
                cdb[0] = (uint8_t)op;
                memset(f.buffer, (int)fill, 4096);
                scsi_send(&f, cdb, sizeof(cdb), 4096);
                g_assert_true(f.task.status == SCSI_GOOD || f.task.status == SCSI_CHECK_CONDITION);
            }
        SEND(&f, 0, 0x1d, 0, 0, 0, 0, 0);
        if (kinds[k] == ABSENT)
            scsi_expect_sense(&f, 5, 0x25, 0);
        else
            scsi_expect_sense(&f, 5, 0x20, 0);
        scsi_tear_down(&f);
    }
}

static void test_short_cdb(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DISK);
    SEND(&f, 512, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x88);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 512, 0x08, 0, 0, 0, 1);
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);
}

static void test_absent_unit(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, ABSENT);
    SEND(&f, 36, 0x12, 0, 0, 0, 36, 0);
    scsi_expect_good(&f, 36);
    g_assert_cmphex(f.buffer[0], ==, 0x7f);
    SEND(&f, 36, 0x12, 1, 0x80, 0, 36, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    g_assert_false(f.task.no_unit);
    f.task.lun_map = 0;
    SEND(&f, 64, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0);
    scsi_expect_good(&f, 8);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, 0);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    scsi_expect_sense(&f, 5, 0x25, 0);
    g_assert_true(f.task.no_unit);
    SEND(&f, 512, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_sense(&f, 5, 0x25, 0);
    scsi_expect_untouched(&f);
    scsi_tear_down(&f);
}

/* --- CD and DVD --- */

static void test_no_medium(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DVD_EMPTY);
    SEND(&f, 0, 0x00, 0, 0, 0, 0, 0);
    scsi_expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    scsi_expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    scsi_expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 20, 0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0);
    scsi_expect_sense(&f, 2, 0x3a, 0);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0);
    scsi_expect_good(&f, 8);
    g_assert_cmpmem(f.buffer, 8, "\0\x06\x04\x10\0\0\0\0", 8);
    SEND(&f, 8, 0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    scsi_expect_good(&f, 8);
    g_assert_cmpmem(f.buffer + 6, 2, "\0\0", 2);
    scsi_tear_down(&f);
}

static void test_toc(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DVD);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0); /* Linux: header, then each track */
    scsi_expect_good(&f, 12);
    g_assert_cmpmem(f.buffer, 4, "\0\x12\1\1", 4);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0xaa, 0, 12, 0);
    scsi_expect_good(&f, 12);
    g_assert_cmpmem(f.buffer + 4, 8, "\0\x14\xaa\0\0\0\2\0", 8);
    SEND(&f, 12, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12, 0); /* 512 + 150 frames: 8 s and 62 */
    g_assert_cmpmem(f.buffer + 8, 4, "\0\0\x08\x3e", 4);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40); /* sessions, as sr asks */
    scsi_expect_good(&f, 12);
    g_assert_cmpmem(f.buffer, 12, "\0\x0a\1\1\0\x14\1\0\0\0\0\0", 12);
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 2, 0, 12, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 12, 0x43, 0, 2, 0, 0, 0, 0, 0, 12, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    scsi_tear_down(&f);
}

static void test_disc(void)
{
    struct scsi_fixture f;

    scsi_set_up(&f, DVD);
    SEND(&f, 4096, 0x28, 0, 0, 0, 0, 16, 0, 0, 2, 0);
    scsi_expect_good(&f, 4096);
    g_assert_cmpmem(f.buffer, 4096, f.memory->bytes + 16 * 2048, 4096);
    SEND(&f, 34, 0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0);
    scsi_expect_good(&f, 34);
    g_assert_cmpmem(f.buffer, 8, "\0\x20\x0e\1\1\1\1\x20", 8);
    SEND(&f, 255, 0x46, 0, 0, 0, 0, 0, 0, 0, 255, 0);
    scsi_expect_good(&f, 8 + 12 + 8 + 8);
    g_assert_cmpuint(scsi_be32(f.buffer), ==, 4 + 12 + 8 + 8);
    g_assert_cmphex(f.buffer[7], ==, 0x08); /* small: a CD */
    SEND(&f, 255, 0x46, 2, 0, 3, 0, 0, 0, 0, 255, 0);
    scsi_expect_good(&f, 8 + 8);
    SEND(&f, 255, 0x46, 3, 0, 3, 0, 0, 0, 0, 255, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0);
    g_assert_cmphex(f.buffer[5], ==, 2);
    SEND(&f, 8, 0x4a, 1, 0, 0, 0x40, 0, 0, 0, 8, 0);
    scsi_expect_good(&f, 4);
    g_assert_cmphex(f.buffer[2], ==, 0x80);
    SEND(&f, 8, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0);
    scsi_expect_sense(&f, 5, 0x24, 0);
    f.memory->disk.size = 4700000000ull / 2048 * 2048;
    SEND(&f, 8, 0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    g_assert_cmphex(f.buffer[7], ==, 0x10);
    scsi_tear_down(&f);
    scsi_set_up(&f, DISK); /* a disk has none of it */
    SEND(&f, 12, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0);
    scsi_expect_sense(&f, 5, 0x20, 0);
    scsi_tear_down(&f);
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
    g_test_add_func("/scsi/unknown-ops", test_unknown_ops);
    g_test_add_func("/scsi/short-cdb", test_short_cdb);
    g_test_add_func("/scsi/absent-unit", test_absent_unit);
    g_test_add_func("/scsi/no-medium", test_no_medium);
    g_test_add_func("/scsi/toc", test_toc);
    g_test_add_func("/scsi/disc", test_disc);
    return g_test_run();
}
