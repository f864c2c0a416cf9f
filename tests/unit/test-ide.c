/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE controller at its registers, as SeaBIOS, Linux' ata_piix and NT's atapi use them, and as
 * nobody should. Disks are in memory; the lane turns when the test says so.
 */
#include "tests/unit/ide_fixture.h"

#include <errno.h>
#include <string.h>

/* --- Finding drives --- */

static void test_presence(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    idf_out(f, IDF_PRI + 6, 0xa0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    idf_out(f, IDF_PRI + 2, 0x55); /* what SeaBIOS looks for */
    idf_out(f, IDF_PRI + 3, 0xaa);
    g_assert_cmphex(idf_in(f, IDF_PRI + 2), ==, 0x55);
    g_assert_cmphex(idf_in(f, IDF_PRI + 3), ==, 0xaa);
    g_assert_cmphex(idf_in(f, IDF_PRI + 6), ==, 0xa0);
    idf_out(f, IDF_PRI + 6, 0xb0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 6), ==, 0xb0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0);
    idf_out(f, IDF_PRI + 7, 0xec); /* nobody there */
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0);
    g_assert_false(f->pc.level[14]);
}

static void test_soft_reset(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    idf_out(f, IDF_SEC + 6, 0xb0);
    idf_out(f, IDF_SEC + 0x206, 0x04);
    g_assert_cmphex(idf_in(f, IDF_SEC + 0x206), ==, 0x80);
    idf_out(f, IDF_SEC + 0x206, 0x00);
    g_assert_cmphex(idf_in(f, IDF_SEC + 4), ==, 0x14);
    g_assert_cmphex(idf_in(f, IDF_SEC + 5), ==, 0xeb);
    g_assert_cmphex(idf_in(f, IDF_SEC + 1), ==, 0x01);
    g_assert_cmphex(idf_in(f, IDF_SEC + 7), ==, 0x00);
    idf_out(f, IDF_PRI + 0x206, 0x04);
    idf_out(f, IDF_PRI + 0x206, 0x00);
    g_assert_cmphex(idf_in(f, IDF_PRI + 4), ==, 0x00);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
}

static void test_identify(struct ide_fixture *f, gconstpointer data)
{
    uint8_t id[512];

    (void)data;
    idf_out(f, IDF_PRI + 6, 0xa0);
    idf_out(f, IDF_PRI + 7, 0xa1); /* not a packet device */
    idf_expect_error(f, IDF_PRI, 0x04);
    idf_out(f, IDF_PRI + 7, 0xec);
    g_assert_true(f->pc.level[14]);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
    g_assert_false(f->pc.level[14]);
    idf_take(f, IDF_PRI, id, sizeof(id));
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmphex(id[0] | id[1] << 8, ==, 0x0040);
    g_assert_cmpuint(id[120] | id[121] << 8, ==, IDF_SECTORS);
    g_assert_cmpuint(id[200] | id[201] << 8, ==, IDF_SECTORS);
    g_assert_cmpmem(id + 20, 8, "esirla0-", 8);
    g_assert_cmpmem(id + 54, 10, "iVtrau lDH", 10);
    g_assert_cmphex(fake_pc_in(&f->pc, IDF_PRI, 2), ==, 0xffff); /* no more */
    idf_out(f, IDF_SEC + 6, 0xa0);
    idf_out(f, IDF_SEC + 7, 0xec); /* a packet device says so by its signature */
    idf_expect_error(f, IDF_SEC, 0x04);
    g_assert_cmphex(idf_in(f, IDF_SEC + 4), ==, 0x14);
    idf_out(f, IDF_SEC + 7, 0xa1);
    idf_take(f, IDF_SEC, id, sizeof(id));
    g_assert_cmphex(id[0] | id[1] << 8, ==, 0x85c0);
}

/* --- PIO --- */

static void test_read(struct ide_fixture *f, gconstpointer data)
{
    static const struct {
        uint8_t number;
        unsigned count;
    } kinds[] = {{0x20, 1}, {0x20, 3}, {0x24, 5}, {0x20, 256}};
    g_autofree uint8_t *got = g_malloc(256 * 512);

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        unsigned irqs = f->pc.edges[14];
        if (kinds[i].number == 0x24)
            idf_command48(f, 0x24, 100, (uint16_t)kinds[i].count);
        else
            idf_command28(f, kinds[i].number, 100, (uint8_t)kinds[i].count);
        for (unsigned s = 0; s < kinds[i].count; s++) {
            g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
            idf_take(f, IDF_PRI, got + s * 512, 512);
        }
        g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
        g_assert_cmpuint(f->pc.edges[14] - irqs, ==, kinds[i].count); /* one for each sector */
        g_assert_cmpmem(got, kinds[i].count * 512, f->disk->bytes + 51200, kinds[i].count * 512);
    }
}

static void test_write(struct ide_fixture *f, gconstpointer data)
{
    g_autofree uint8_t *bytes = g_malloc(300 * 512);

    (void)data;
    for (unsigned i = 0; i < 300 * 512; i++)
        bytes[i] = (uint8_t)(i * 11 + i / 512);
    idf_command48(f, 0x34, 7, 300); /* more than the buffer holds at once */
    for (unsigned s = 0; s < 300; s++) {
        g_assert_cmpuint(f->pc.edges[14], ==, s);
        g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
        idf_give(f, IDF_PRI, bytes + s * 512, 512);
    }
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->pc.edges[14], ==, 300);
    g_assert_cmpmem(f->disk->bytes + 7 * 512, 300 * 512, bytes, 300 * 512);
    g_assert_cmpuint(f->disk->count[DISK_FLUSH], ==, 0);
}

static void test_multiple(struct ide_fixture *f, gconstpointer data)
{
    uint8_t got[6 * 512];

    (void)data;
    idf_command28(f, 0xc4, 0, 6);
    idf_expect_error(f, IDF_PRI, 0x04); /* not set up */
    idf_command28(f, 0xc6, 0, 3);
    idf_expect_error(f, IDF_PRI, 0x04); /* no power of two */
    idf_command28(f, 0xc6, 0, 4);
    unsigned irqs = f->pc.edges[14];
    idf_in(f, IDF_PRI + 7);
    idf_command28(f, 0xc4, 9, 6);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
    idf_take(f, IDF_PRI, got, 4 * 512);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
    idf_take(f, IDF_PRI, got + 4 * 512, 2 * 512);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->pc.edges[14] - irqs, ==, 2);
    g_assert_cmpmem(got, sizeof(got), f->disk->bytes + 9 * 512, sizeof(got));
}

static void test_chs(struct ide_fixture *f, gconstpointer data)
{
    uint8_t got[512];

    (void)data;
    idf_out(f, IDF_PRI + 2, 1);
    idf_out(f, IDF_PRI + 3, 5); /* sector 5, cylinder 2, head 3 of 16, 63 a track */
    idf_out(f, IDF_PRI + 4, 2);
    idf_out(f, IDF_PRI + 5, 0);
    idf_out(f, IDF_PRI + 6, 0xa3);
    idf_out(f, IDF_PRI + 7, 0x20);
    idf_turn(f);
    idf_take(f, IDF_PRI, got, 512);
    g_assert_cmpmem(got, 512, f->disk->bytes + ((2 * 16 + 3) * 63 + 4) * 512, 512);
    idf_out(f, IDF_PRI + 3, 0); /* sectors begin at 1 */
    idf_out(f, IDF_PRI + 7, 0x20);
    idf_turn(f);
    idf_expect_error(f, IDF_PRI, 0x14);
}

static void test_flush(struct ide_fixture *f, gconstpointer data)
{
    uint8_t sector[512] = {1};

    (void)data;
    f->disk->hold = true;
    idf_command28(f, 0xe7, 0, 0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 0x206), ==, 0x80); /* not before the disk has done it */
    g_assert_false(f->pc.level[14]);
    memory_disk_release(f->disk, 1);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->disk->count[DISK_FLUSH], ==, 1);
    f->disk->hold = false;
    idf_out(f, IDF_PRI + 1, 0x82); /* write cache off: writes are durable */
    idf_out(f, IDF_PRI + 7, 0xef);
    idf_command28(f, 0x30, 0, 1);
    idf_give(f, IDF_PRI, sector, 512);
    g_assert_cmpuint(f->disk->fua, ==, 1);
    f->disk->fail = -EIO;
    idf_command28(f, 0xe7, 0, 0);
    idf_expect_error(f, IDF_PRI, 0x04);
    idf_command28(f, 0x20, 0, 1);
    idf_expect_error(f, IDF_PRI, 0x40);
}

static void test_no_interrupt(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    idf_out(f, IDF_PRI + 0x206, 0x02);
    idf_command28(f, 0x20, 0, 1);
    g_assert_false(f->pc.level[14]);
    idf_out(f, IDF_PRI + 0x206, 0x00);
    g_assert_true(f->pc.level[14]);
}

/* --- DMA --- */

static void start(struct ide_fixture *f, uint8_t direction)
{
    fake_pc_out(&f->pc, IDF_BM + 4, 4, IDF_PRDT);
    idf_out(f, IDF_BM + 2, 0x06);
    idf_out(f, IDF_BM, direction | 1);
    idf_turn(f);
}

static void test_dma_read(struct ide_fixture *f, gconstpointer data)
{
    uint8_t got[1024];

    (void)data;
    idf_prd(f, 0, IDF_INTO, 510); /* regions need not end where sectors do */
    idf_prd(f, 1, IDF_INTO + 4096, 0x80000000 | 514);
    idf_command28(f, 0xc8, 3, 2);
    g_assert_cmphex(idf_in(f, IDF_PRI + 0x206), ==, 0x80); /* waits for the bus master */
    start(f, 8);
    g_assert_true(f->pc.level[14]);
    g_assert_cmphex(idf_in(f, IDF_BM + 2) & 7, ==, 4);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_true(gmem_read(&f->gmem, IDF_INTO, got, 510));
    g_assert_true(gmem_read(&f->gmem, IDF_INTO + 4096, got + 510, 514));
    g_assert_cmpmem(got, 1024, f->disk->bytes + 3 * 512, 1024);
    idf_out(f, IDF_BM, 0);
    idf_out(f, IDF_BM + 2, 4);
    g_assert_cmphex(idf_in(f, IDF_BM + 2) & 7, ==, 0);
}

static void test_dma_write(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 6; i++)
        idf_prd(f, i, 0x10000 + i % 2 * 0x10000, i == 5 ? 0x80000000 : 0); /* 64 KiB each */
    gmem_fill(&f->gmem, 0x10000, 0x11, 0x10000);
    gmem_fill(&f->gmem, 0x20000, 0x22, 0x10000);
    idf_command48(f, 0x35, 1000, 768);
    start(f, 0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmphex(idf_in(f, IDF_BM + 2) & 7, ==, 4);
    for (unsigned i = 0; i < 768; i++)
        g_assert_cmphex(f->disk->bytes[(1000 + i) * 512 + i % 512], ==, i / 128 % 2 ? 0x22 : 0x11);
    g_assert_cmphex(f->disk->bytes[1768 * 512], ==, (uint8_t)(1768 * 3));
}

static void test_dma_longer_table(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    idf_prd(f, 0, IDF_INTO, 0x80000000 | 2048);
    idf_command28(f, 0xc8, 0, 1);
    start(f, 8);
    g_assert_cmphex(idf_in(f, IDF_BM + 2) & 7, ==, 5); /* active, and an interrupt */
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
}

static void test_attack_prdt(struct ide_fixture *f, gconstpointer data)
{
    static const uint32_t bad[][2] = {
        {IDF_INTO, 0x80000000 | 510},        /* too short */
        {IDF_RAM - 100, 0x80000000 | 512},   /* runs out of IDF_RAM */
        {GMEM_HOLE - 100, 0x80000000 | 512}, /* into the hole */
        {0xfffffffe, 0x80000000 | 512},      /* wraps */
        {0xfee00000, 0x80000000 | 512},      /* at the APIC */
    };

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        idf_prd(f, 0, bad[i][0], bad[i][1]);
        idf_command28(f, i % 2 ? 0xca : 0xc8, 0, 1);
        start(f, i % 2 ? 0 : 8);
        g_assert_cmphex(idf_in(f, IDF_BM + 2) & 7, ==, 6);
        idf_expect_error(f, IDF_PRI, 0x04);
        idf_out(f, IDF_BM, 0);
    }
    g_assert_cmphex(f->disk->bytes[0], ==, 0);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 0);
}

/* A table without IDF_RAM under it, one without end, one with odd addresses and lengths. */
static void test_attack_prdt_place(struct ide_fixture *f, gconstpointer data)
{
    uint8_t got[512];

    (void)data;
    idf_command28(f, 0xc8, 0, 1);
    fake_pc_out(&f->pc, IDF_BM + 4, 4, 0xfffffffc);
    idf_out(f, IDF_BM, 9);
    idf_turn(f);
    idf_expect_error(f, IDF_PRI, 0x04);
    idf_out(f, IDF_BM, 0);
    for (unsigned i = 0; i < 8192; i++)
        idf_prd(f, i, IDF_INTO + 0x20000,
                2); /* 8192 * 2 bytes are 32 sectors, then there are no more */
    idf_command28(f, 0xc8, 0, 64);
    start(f, 8);
    idf_expect_error(f, IDF_PRI, 0x04);
    idf_out(f, IDF_BM, 0);
    idf_prd(f, 0, IDF_INTO + 1, 0x80000000 | 513); /* low bits are not there */
    idf_command28(f, 0xc8, 0, 1);
    start(f, 8);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_true(gmem_read(&f->gmem, IDF_INTO, got, 512));
    g_assert_cmpmem(got, 512, f->disk->bytes, 512);
}

static void test_no_bus_master(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    idf_point(f, 0x04);
    fake_pc_out(&f->pc, 0xcfc, 2, 1);
    idf_prd(f, 0, IDF_INTO, 0x80000000 | 512);
    idf_command28(f, 0xc8, 0, 1);
    start(f, 8);
    idf_expect_error(f, IDF_PRI, 0x04);
}

/* --- What is cancelled --- */

/* A drive reset while the disk works: the result is thrown away, the buffer is not given to the
 * next command before. (The class of CVE-2015-5154 and of buffers used again.) */
static void test_attack_reset_in_flight(struct ide_fixture *f, gconstpointer data)
{
    uint8_t sector[512], id[512];

    (void)data;
    memset(sector, 0x77, sizeof(sector));
    f->disk->hold = true;
    idf_command28(f, 0x20, 50, 8);
    idf_out(f, IDF_PRI + 0x206, 0x04);
    idf_out(f, IDF_PRI + 0x206, 0x00);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x80);
    idf_out(f, IDF_PRI + 7, 0xec);
    g_assert_cmphex(idf_in(f, IDF_PRI + 0x206), ==, 0x80); /* waits for the buffer */
    g_assert_cmphex(fake_pc_in(&f->pc, IDF_PRI, 2), ==, 0xffff);
    f->disk->hold = false;
    memory_disk_release(f->disk, 1);
    idf_turn(f);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
    idf_take(f, IDF_PRI, id, sizeof(id));
    g_assert_cmphex(id[0], ==, 0x40);
    idf_command28(f, 0x30, 50, 1);
    idf_give(f, IDF_PRI, sector, 512);
    g_assert_cmpmem(f->disk->bytes + 50 * 512, 512, sector, 512);
}

/* A write that is cancelled is busy until the disk has it: whoever then writes elsewhere (through
 * the twin) comes later. */
static void test_attack_cancelled_write(struct ide_fixture *f, gconstpointer data)
{
    uint8_t sector[512];

    (void)data;
    memset(sector, 0x78, sizeof(sector));
    f->disk->hold = true;
    idf_command28(f, 0x30, 51, 1);
    idf_give(f, IDF_PRI, sector, 512);
    idf_out(f, IDF_PRI + 0x206, 0x04);
    idf_out(f, IDF_PRI + 0x206, 0x00);
    idf_turn(f);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x80);
    g_assert_cmphex(idf_in(f, IDF_PRI + 0x206), ==, 0x80);
    memory_disk_release(f->disk, 1);
    g_assert_cmpmem(f->disk->bytes + 51 * 512, 512, sector, 512);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmphex(idf_in(f, IDF_PRI + 1), ==, 0x01);
    g_assert_false(f->pc.level[14]);
}

static void test_attack_stop_in_flight(struct ide_fixture *f, gconstpointer data)
{
    uint8_t before[512] = {0}, after[512];

    (void)data;
    idf_prd(f, 0, IDF_INTO, 0x80000000 | 512);
    g_assert_true(gmem_write(&f->gmem, IDF_INTO, before, 512));
    f->disk->hold = true;
    idf_command28(f, 0xc8, 60, 1);
    start(f, 8);
    idf_out(f, IDF_BM, 0);
    memory_disk_release(f->disk, 1);
    idf_turn(f);
    idf_expect_error(f, IDF_PRI, 0x04);
    g_assert_true(gmem_read(&f->gmem, IDF_INTO, after, 512));
    g_assert_cmpmem(before, 512, after, 512);
}

static void count_drained(void *context)
{
    ((struct ide_fixture *)context)->drained++;
}

static void test_drain(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    ide_drain(&f->ide, count_drained, f);
    g_assert_cmpuint(f->drained, ==, 1);
    f->disk->hold = true;
    idf_command28(f, 0xe7, 0, 0);
    ide_drain(&f->ide, count_drained, f);
    idf_turn(f);
    g_assert_cmpuint(f->drained, ==, 1);
    memory_disk_release(f->disk, 1);
    idf_turn(f);
    g_assert_cmpuint(f->drained, ==, 2);
    ide_reset(&f->ide);
    g_assert_false(f->pc.level[14]);
    f->disk->hold = false;
    idf_command28(f, 0x20, 0, 1);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x58);
}

/* The other drive is selected in the middle of a transfer. */
static void test_attack_select_in_transfer(struct ide_fixture *f, gconstpointer data)
{
    uint8_t sector[512] = {0};

    (void)data;
    idf_command28(f, 0x30, 70, 1);
    idf_give(f, IDF_PRI, sector, 256);
    idf_out(f, IDF_PRI + 6, 0xf0);
    idf_give(f, IDF_PRI, sector, 512);
    idf_out(f, IDF_PRI + 7, 0x20);
    idf_turn(f);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 0);
    idf_out(f, IDF_PRI + 6, 0xe0);
    idf_give(f, IDF_PRI, sector, 256);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 1);
}

static void test_attack_range(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    static const uint8_t commands[] = {0x20, 0x30, 0xc8, 0xca, 0x40};
    for (unsigned i = 0; i < sizeof(commands); i++) {
        idf_command28(f, commands[i], IDF_SECTORS, 1);
        idf_expect_error(f, IDF_PRI, 0x14);
        idf_command28(f, commands[i], IDF_SECTORS - 1, 2);
        idf_expect_error(f, IDF_PRI, 0x14);
        idf_command28(f, commands[i], IDF_SECTORS - 255, 0); /* 256 of them */
        idf_expect_error(f, IDF_PRI, 0x14);
        idf_command28(f, commands[i], 0x0fffffff, 0);
        idf_expect_error(f, IDF_PRI, 0x14);
    }
    idf_command48(f, 0x24, 0xffffffffffff, 0);
    idf_expect_error(f, IDF_PRI, 0x14);
    idf_command48(f, 0x35, 0, 0); /* 65536 */
    idf_expect_error(f, IDF_PRI, 0x14);
    g_assert_cmpuint(f->disk->count[DISK_READ] + f->disk->count[DISK_WRITE], ==, 0);
}

/* Every command on every drive, with all widths at every port, and nothing else lost. */
static void test_attack_everything(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned number = 0; number < 256; number++) {
        for (unsigned unit = 0; unit < 4; unit++) {
            unsigned base = unit & 2 ? IDF_SEC : IDF_PRI;
            idf_out(f, base + 6, (uint8_t)(unit & 1 ? 0xf0 : 0xe0));
            for (unsigned reg = 1; reg < 6; reg++)
                idf_out(f, base + reg, (uint8_t)number);
            idf_out(f, base + 7, (uint8_t)number);
            idf_turn(f);
            for (unsigned port = base - 3; port < base + 11; port++) {
                for (unsigned size = 1; size <= 4; size *= 2) {
                    fake_pc_in(&f->pc, (uint16_t)port, size);
                    if (port < base || port > base + 4)
                        continue;
                    fake_pc_out(&f->pc, (uint16_t)port, size, 0x5a5a5a5a);
                }
            }
            for (unsigned port = IDF_BM - 2; port < IDF_BM + 20; port++)
                fake_pc_out(&f->pc, (uint16_t)port, 1u << number % 3, number);
            idf_turn(f);
        }
    }
    idf_out(f, IDF_PRI + 0x206, 4);
    idf_out(f, IDF_PRI + 0x206, 0);
    idf_out(f, IDF_PRI + 6, 0xa0);
    g_assert_cmphex(idf_in(f, IDF_PRI + 7), ==, 0x50);
}

static void add(const char *path, void (*test)(struct ide_fixture *, gconstpointer))
{
    g_test_add(path, struct ide_fixture, NULL, idf_set_up, test, idf_tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/ide/presence", test_presence);
    add("/ide/soft-reset", test_soft_reset);
    add("/ide/identify", test_identify);
    add("/ide/read", test_read);
    add("/ide/write", test_write);
    add("/ide/multiple", test_multiple);
    add("/ide/chs", test_chs);
    add("/ide/flush", test_flush);
    add("/ide/no-interrupt", test_no_interrupt);
    add("/ide/dma-read", test_dma_read);
    add("/ide/dma-write", test_dma_write);
    add("/ide/dma-longer-table", test_dma_longer_table);
    add("/ide/no-bus-master", test_no_bus_master);
    add("/ide/drain", test_drain);
    add("/ide/attack/prdt", test_attack_prdt);
    add("/ide/attack/prdt-place", test_attack_prdt_place);
    add("/ide/attack/reset-in-flight", test_attack_reset_in_flight);
    add("/ide/attack/cancelled-write", test_attack_cancelled_write);
    add("/ide/attack/stop-in-flight", test_attack_stop_in_flight);
    add("/ide/attack/select-in-transfer", test_attack_select_in_transfer);
    add("/ide/attack/range", test_attack_range);
    add("/ide/attack/everything", test_attack_everything);
    return g_test_run();
}
