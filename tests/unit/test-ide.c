/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE controller at its registers, as SeaBIOS, Linux' ata_piix and NT's atapi use them, and as
 * nobody should. Disks are in memory; the lane turns when the test says so.
 */
#include "src/pc/ide.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/fake_pc.h"
#include "tests/unit/memory_disk.h"

#define RAM     (1u << 20)
#define SECTORS 4096u
#define BLOCKS  512u
#define PRI     0x1f0
#define SEC     0x170
#define BM      0xc000
#define PRDT    0x1000u
#define INTO    0x8000u

struct fixture {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct ide ide;
    struct memory_disk *disk, *disc;
    unsigned drained;
};

static void point(struct fixture *f, unsigned offset)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | IDE_DEVFN << 8 | offset);
}

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(gmem_init_pc(&f->gmem, RAM), ==, 0);
    f->disk = memory_disk_new(SECTORS * 512, false, false);
    f->disc = memory_disk_new(BLOCKS * 2048, true, false);
    for (unsigned i = 0; i < SECTORS * 512; i++)
        f->disk->bytes[i] = (uint8_t)(i / 512 * 3 + i);
    for (unsigned i = 0; i < BLOCKS * 2048; i++)
        f->disc->bytes[i] = (uint8_t)(i / 2048 * 5 + i);
    struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES] = {
        {{.present = true, .disk = &f->disk->disk, .serial = "serial-0"}},
        {{.present = true, .cd = true, .disk = &f->disc->disk},
         {.present = true, .cd = true}} /* no disc */
    };
    struct pio *pio = &f->pc.pio;
    g_assert_cmpint(reset_ports_init_port92(&f->ports, &f->pc.host, pio), ==, 0);
    g_assert_cmpint(pci_init(&f->pci, &f->pc.host, pio, &f->mmio, &f->ports), ==, 0);
    g_assert_cmpint(ide_init(&f->ide, &f->pc.host, pio, &f->pci, &f->gmem, f->pc.host.lane, drive),
                    ==, 0);
    point(f, 0x20);
    fake_pc_out(&f->pc, 0xcfc, 4, BM);
    point(f, 0x04);
    fake_pc_out(&f->pc, 0xcfc, 2, 5);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    memory_disk_release(f->disk, UINT32_MAX);
    lane_end(f->pc.host.lane);
    ide_fini(&f->ide);
    memory_disk_free(f->disk);
    memory_disk_free(f->disc);
    gmem_free(&f->gmem);
    fake_pc_fini(&f->pc);
}

static uint8_t in(struct fixture *f, unsigned port)
{
    return fake_pc_inb(&f->pc, (uint16_t)port);
}

static void out(struct fixture *f, unsigned port, uint8_t value)
{
    fake_pc_outb(&f->pc, (uint16_t)port, value);
}

/* Let the disk's lane do all that it has to do. */
static void turn(struct fixture *f)
{
    while (lane_turn(f->pc.host.lane, 0))
        ;
}

static void command28(struct fixture *f, uint8_t number, uint32_t lba, uint8_t count)
{
    out(f, PRI + 6, (uint8_t)(0xe0 | lba >> 24));
    out(f, PRI + 2, count);
    out(f, PRI + 3, (uint8_t)lba);
    out(f, PRI + 4, (uint8_t)(lba >> 8));
    out(f, PRI + 5, (uint8_t)(lba >> 16));
    out(f, PRI + 7, number);
    turn(f);
}

static void command48(struct fixture *f, uint8_t number, uint64_t lba, uint16_t count)
{
    out(f, PRI + 6, 0xe0);
    for (int half = 1; half >= 0; half--) {
        out(f, PRI + 2, (uint8_t)(count >> 8 * half));
        out(f, PRI + 3, (uint8_t)(lba >> 24 * half));
        out(f, PRI + 4, (uint8_t)(lba >> (24 * half + 8)));
        out(f, PRI + 5, (uint8_t)(lba >> (24 * half + 16)));
    }
    out(f, PRI + 7, number);
    turn(f);
}

static void take(struct fixture *f, unsigned base, uint8_t *into, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        uint32_t word = fake_pc_in(&f->pc, (uint16_t)base, 2);
        memcpy(into + i, &word, 2);
    }
    turn(f);
}

static void give(struct fixture *f, unsigned base, const uint8_t *from, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        uint16_t word;
        memcpy(&word, from + i, 2);
        fake_pc_out(&f->pc, (uint16_t)base, 2, word);
    }
    turn(f);
}

static void expect_error(struct fixture *f, unsigned base, uint8_t error)
{
    g_assert_cmphex(in(f, base + 7), ==, 0x51);
    g_assert_cmphex(in(f, base + 1), ==, error);
}

/* --- Finding drives --- */

static void test_presence(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, PRI + 6, 0xa0);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    out(f, PRI + 2, 0x55); /* what SeaBIOS looks for */
    out(f, PRI + 3, 0xaa);
    g_assert_cmphex(in(f, PRI + 2), ==, 0x55);
    g_assert_cmphex(in(f, PRI + 3), ==, 0xaa);
    g_assert_cmphex(in(f, PRI + 6), ==, 0xa0);
    out(f, PRI + 6, 0xb0);
    g_assert_cmphex(in(f, PRI + 6), ==, 0xb0);
    g_assert_cmphex(in(f, PRI + 7), ==, 0);
    out(f, PRI + 7, 0xec); /* nobody there */
    g_assert_cmphex(in(f, PRI + 7), ==, 0);
    g_assert_false(f->pc.level[14]);
}

static void test_soft_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, SEC + 6, 0xb0);
    out(f, SEC + 0x206, 0x04);
    g_assert_cmphex(in(f, SEC + 0x206), ==, 0x80);
    out(f, SEC + 0x206, 0x00);
    g_assert_cmphex(in(f, SEC + 4), ==, 0x14);
    g_assert_cmphex(in(f, SEC + 5), ==, 0xeb);
    g_assert_cmphex(in(f, SEC + 1), ==, 0x01);
    g_assert_cmphex(in(f, SEC + 7), ==, 0x00);
    out(f, PRI + 0x206, 0x04);
    out(f, PRI + 0x206, 0x00);
    g_assert_cmphex(in(f, PRI + 4), ==, 0x00);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
}

static void test_identify(struct fixture *f, gconstpointer data)
{
    uint8_t id[512];

    (void)data;
    out(f, PRI + 6, 0xa0);
    out(f, PRI + 7, 0xa1); /* not a packet device */
    expect_error(f, PRI, 0x04);
    out(f, PRI + 7, 0xec);
    g_assert_true(f->pc.level[14]);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
    g_assert_false(f->pc.level[14]);
    take(f, PRI, id, sizeof(id));
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmphex(id[0] | id[1] << 8, ==, 0x0040);
    g_assert_cmpuint(id[120] | id[121] << 8, ==, SECTORS);
    g_assert_cmpuint(id[200] | id[201] << 8, ==, SECTORS);
    g_assert_cmpmem(id + 20, 8, "esirla0-", 8);
    g_assert_cmpmem(id + 54, 10, "iVtrau lDH", 10);
    g_assert_cmphex(fake_pc_in(&f->pc, PRI, 2), ==, 0xffff); /* no more */
    out(f, SEC + 6, 0xa0);
    out(f, SEC + 7, 0xec); /* a packet device says so by its signature */
    expect_error(f, SEC, 0x04);
    g_assert_cmphex(in(f, SEC + 4), ==, 0x14);
    out(f, SEC + 7, 0xa1);
    take(f, SEC, id, sizeof(id));
    g_assert_cmphex(id[0] | id[1] << 8, ==, 0x85c0);
}

/* --- PIO --- */

static void test_read(struct fixture *f, gconstpointer data)
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
            command48(f, 0x24, 100, (uint16_t)kinds[i].count);
        else
            command28(f, kinds[i].number, 100, (uint8_t)kinds[i].count);
        for (unsigned s = 0; s < kinds[i].count; s++) {
            g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
            take(f, PRI, got + s * 512, 512);
        }
        g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
        g_assert_cmpuint(f->pc.edges[14] - irqs, ==, kinds[i].count); /* one for each sector */
        g_assert_cmpmem(got, kinds[i].count * 512, f->disk->bytes + 51200, kinds[i].count * 512);
    }
}

static void test_write(struct fixture *f, gconstpointer data)
{
    g_autofree uint8_t *bytes = g_malloc(300 * 512);

    (void)data;
    for (unsigned i = 0; i < 300 * 512; i++)
        bytes[i] = (uint8_t)(i * 11 + i / 512);
    command48(f, 0x34, 7, 300); /* more than the buffer holds at once */
    for (unsigned s = 0; s < 300; s++) {
        g_assert_cmpuint(f->pc.edges[14], ==, s);
        g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
        give(f, PRI, bytes + s * 512, 512);
    }
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->pc.edges[14], ==, 300);
    g_assert_cmpmem(f->disk->bytes + 7 * 512, 300 * 512, bytes, 300 * 512);
    g_assert_cmpuint(f->disk->count[DISK_FLUSH], ==, 0);
}

static void test_multiple(struct fixture *f, gconstpointer data)
{
    uint8_t got[6 * 512];

    (void)data;
    command28(f, 0xc4, 0, 6);
    expect_error(f, PRI, 0x04); /* not set up */
    command28(f, 0xc6, 0, 3);
    expect_error(f, PRI, 0x04); /* no power of two */
    command28(f, 0xc6, 0, 4);
    unsigned irqs = f->pc.edges[14];
    in(f, PRI + 7);
    command28(f, 0xc4, 9, 6);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
    take(f, PRI, got, 4 * 512);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
    take(f, PRI, got + 4 * 512, 2 * 512);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->pc.edges[14] - irqs, ==, 2);
    g_assert_cmpmem(got, sizeof(got), f->disk->bytes + 9 * 512, sizeof(got));
}

static void test_chs(struct fixture *f, gconstpointer data)
{
    uint8_t got[512];

    (void)data;
    out(f, PRI + 2, 1);
    out(f, PRI + 3, 5); /* sector 5, cylinder 2, head 3 of 16, 63 a track */
    out(f, PRI + 4, 2);
    out(f, PRI + 5, 0);
    out(f, PRI + 6, 0xa3);
    out(f, PRI + 7, 0x20);
    turn(f);
    take(f, PRI, got, 512);
    g_assert_cmpmem(got, 512, f->disk->bytes + ((2 * 16 + 3) * 63 + 4) * 512, 512);
    out(f, PRI + 3, 0); /* sectors begin at 1 */
    out(f, PRI + 7, 0x20);
    turn(f);
    expect_error(f, PRI, 0x14);
}

static void test_flush(struct fixture *f, gconstpointer data)
{
    uint8_t sector[512] = {1};

    (void)data;
    f->disk->hold = true;
    command28(f, 0xe7, 0, 0);
    g_assert_cmphex(in(f, PRI + 0x206), ==, 0x80); /* not before the disk has done it */
    g_assert_false(f->pc.level[14]);
    memory_disk_release(f->disk, 1);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->disk->count[DISK_FLUSH], ==, 1);
    f->disk->hold = false;
    out(f, PRI + 1, 0x82); /* write cache off: writes are durable */
    out(f, PRI + 7, 0xef);
    command28(f, 0x30, 0, 1);
    give(f, PRI, sector, 512);
    g_assert_cmpuint(f->disk->fua, ==, 1);
    f->disk->fail = -EIO;
    command28(f, 0xe7, 0, 0);
    expect_error(f, PRI, 0x04);
    command28(f, 0x20, 0, 1);
    expect_error(f, PRI, 0x40);
}

static void test_no_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, PRI + 0x206, 0x02);
    command28(f, 0x20, 0, 1);
    g_assert_false(f->pc.level[14]);
    out(f, PRI + 0x206, 0x00);
    g_assert_true(f->pc.level[14]);
}

/* --- DMA --- */

static void prd(struct fixture *f, unsigned index, uint32_t base, uint32_t count)
{
    uint32_t entry[] = {base, count};

    g_assert_true(gmem_write(&f->gmem, PRDT + index * 8, entry, sizeof(entry)));
}

static void start(struct fixture *f, uint8_t direction)
{
    fake_pc_out(&f->pc, BM + 4, 4, PRDT);
    out(f, BM + 2, 0x06);
    out(f, BM, direction | 1);
    turn(f);
}

static void test_dma_read(struct fixture *f, gconstpointer data)
{
    uint8_t got[1024];

    (void)data;
    prd(f, 0, INTO, 510); /* regions need not end where sectors do */
    prd(f, 1, INTO + 4096, 0x80000000 | 514);
    command28(f, 0xc8, 3, 2);
    g_assert_cmphex(in(f, PRI + 0x206), ==, 0x80); /* waits for the bus master */
    start(f, 8);
    g_assert_true(f->pc.level[14]);
    g_assert_cmphex(in(f, BM + 2) & 7, ==, 4);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_true(gmem_read(&f->gmem, INTO, got, 510));
    g_assert_true(gmem_read(&f->gmem, INTO + 4096, got + 510, 514));
    g_assert_cmpmem(got, 1024, f->disk->bytes + 3 * 512, 1024);
    out(f, BM, 0);
    out(f, BM + 2, 4);
    g_assert_cmphex(in(f, BM + 2) & 7, ==, 0);
}

static void test_dma_write(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 6; i++)
        prd(f, i, 0x10000 + i % 2 * 0x10000, i == 5 ? 0x80000000 : 0); /* 64 KiB each */
    gmem_fill(&f->gmem, 0x10000, 0x11, 0x10000);
    gmem_fill(&f->gmem, 0x20000, 0x22, 0x10000);
    command48(f, 0x35, 1000, 768);
    start(f, 0);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmphex(in(f, BM + 2) & 7, ==, 4);
    for (unsigned i = 0; i < 768; i++)
        g_assert_cmphex(f->disk->bytes[(1000 + i) * 512 + i % 512], ==, i / 128 % 2 ? 0x22 : 0x11);
    g_assert_cmphex(f->disk->bytes[1768 * 512], ==, (uint8_t)(1768 * 3));
}

static void test_dma_longer_table(struct fixture *f, gconstpointer data)
{
    (void)data;
    prd(f, 0, INTO, 0x80000000 | 2048);
    command28(f, 0xc8, 0, 1);
    start(f, 8);
    g_assert_cmphex(in(f, BM + 2) & 7, ==, 5); /* active, and an interrupt */
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
}

static void test_attack_prdt(struct fixture *f, gconstpointer data)
{
    static const uint32_t bad[][2] = {
        {INTO, 0x80000000 | 510},            /* too short */
        {RAM - 100, 0x80000000 | 512},       /* runs out of RAM */
        {GMEM_HOLE - 100, 0x80000000 | 512}, /* into the hole */
        {0xfffffffe, 0x80000000 | 512},      /* wraps */
        {0xfee00000, 0x80000000 | 512},      /* at the APIC */
    };

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        prd(f, 0, bad[i][0], bad[i][1]);
        command28(f, i % 2 ? 0xca : 0xc8, 0, 1);
        start(f, i % 2 ? 0 : 8);
        g_assert_cmphex(in(f, BM + 2) & 7, ==, 6);
        expect_error(f, PRI, 0x04);
        out(f, BM, 0);
    }
    g_assert_cmphex(f->disk->bytes[0], ==, 0);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 0);
}

/* A table without RAM under it, one without end, one with odd addresses and lengths. */
static void test_attack_prdt_place(struct fixture *f, gconstpointer data)
{
    uint8_t got[512];

    (void)data;
    command28(f, 0xc8, 0, 1);
    fake_pc_out(&f->pc, BM + 4, 4, 0xfffffffc);
    out(f, BM, 9);
    turn(f);
    expect_error(f, PRI, 0x04);
    out(f, BM, 0);
    for (unsigned i = 0; i < 8192; i++)
        prd(f, i, INTO + 0x20000, 2); /* 8192 * 2 bytes are 32 sectors, then there are no more */
    command28(f, 0xc8, 0, 64);
    start(f, 8);
    expect_error(f, PRI, 0x04);
    out(f, BM, 0);
    prd(f, 0, INTO + 1, 0x80000000 | 513); /* low bits are not there */
    command28(f, 0xc8, 0, 1);
    start(f, 8);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_true(gmem_read(&f->gmem, INTO, got, 512));
    g_assert_cmpmem(got, 512, f->disk->bytes, 512);
}

static void test_no_bus_master(struct fixture *f, gconstpointer data)
{
    (void)data;
    point(f, 0x04);
    fake_pc_out(&f->pc, 0xcfc, 2, 1);
    prd(f, 0, INTO, 0x80000000 | 512);
    command28(f, 0xc8, 0, 1);
    start(f, 8);
    expect_error(f, PRI, 0x04);
}

/* --- What is cancelled --- */

/* A drive reset while the disk works: the result is thrown away, the buffer is not given to the
 * next command before. (The class of CVE-2015-5154 and of buffers used again.) */
static void test_attack_reset_in_flight(struct fixture *f, gconstpointer data)
{
    uint8_t sector[512], id[512];

    (void)data;
    memset(sector, 0x77, sizeof(sector));
    f->disk->hold = true;
    command28(f, 0x20, 50, 8);
    out(f, PRI + 0x206, 0x04);
    out(f, PRI + 0x206, 0x00);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    out(f, PRI + 7, 0xec);
    g_assert_cmphex(in(f, PRI + 0x206), ==, 0x80); /* waits for the buffer */
    g_assert_cmphex(fake_pc_in(&f->pc, PRI, 2), ==, 0xffff);
    f->disk->hold = false;
    memory_disk_release(f->disk, 1);
    turn(f);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
    take(f, PRI, id, sizeof(id));
    g_assert_cmphex(id[0], ==, 0x40);
    command28(f, 0x30, 50, 1);
    give(f, PRI, sector, 512);
    g_assert_cmpmem(f->disk->bytes + 50 * 512, 512, sector, 512);
}

static void test_attack_stop_in_flight(struct fixture *f, gconstpointer data)
{
    uint8_t before[512] = {0}, after[512];

    (void)data;
    prd(f, 0, INTO, 0x80000000 | 512);
    g_assert_true(gmem_write(&f->gmem, INTO, before, 512));
    f->disk->hold = true;
    command28(f, 0xc8, 60, 1);
    start(f, 8);
    out(f, BM, 0);
    memory_disk_release(f->disk, 1);
    turn(f);
    expect_error(f, PRI, 0x04);
    g_assert_true(gmem_read(&f->gmem, INTO, after, 512));
    g_assert_cmpmem(before, 512, after, 512);
}

static void count_drained(void *context)
{
    ((struct fixture *)context)->drained++;
}

static void test_drain(struct fixture *f, gconstpointer data)
{
    (void)data;
    ide_drain(&f->ide, count_drained, f);
    g_assert_cmpuint(f->drained, ==, 1);
    f->disk->hold = true;
    command28(f, 0xe7, 0, 0);
    ide_drain(&f->ide, count_drained, f);
    turn(f);
    g_assert_cmpuint(f->drained, ==, 1);
    memory_disk_release(f->disk, 1);
    turn(f);
    g_assert_cmpuint(f->drained, ==, 2);
    ide_reset(&f->ide);
    g_assert_false(f->pc.level[14]);
    f->disk->hold = false;
    command28(f, 0x20, 0, 1);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x58);
}

/* The other drive is selected in the middle of a transfer. */
static void test_attack_select_in_transfer(struct fixture *f, gconstpointer data)
{
    uint8_t sector[512] = {0};

    (void)data;
    command28(f, 0x30, 70, 1);
    give(f, PRI, sector, 256);
    out(f, PRI + 6, 0xf0);
    give(f, PRI, sector, 512);
    out(f, PRI + 7, 0x20);
    turn(f);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 0);
    out(f, PRI + 6, 0xe0);
    give(f, PRI, sector, 256);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
    g_assert_cmpuint(f->disk->count[DISK_WRITE], ==, 1);
}

static void test_attack_range(struct fixture *f, gconstpointer data)
{
    (void)data;
    static const uint8_t commands[] = {0x20, 0x30, 0xc8, 0xca, 0x40};
    for (unsigned i = 0; i < sizeof(commands); i++) {
        command28(f, commands[i], SECTORS, 1);
        expect_error(f, PRI, 0x14);
        command28(f, commands[i], SECTORS - 1, 2);
        expect_error(f, PRI, 0x14);
        command28(f, commands[i], SECTORS - 255, 0); /* 256 of them */
        expect_error(f, PRI, 0x14);
        command28(f, commands[i], 0x0fffffff, 0);
        expect_error(f, PRI, 0x14);
    }
    command48(f, 0x24, 0xffffffffffff, 0);
    expect_error(f, PRI, 0x14);
    command48(f, 0x35, 0, 0); /* 65536 */
    expect_error(f, PRI, 0x14);
    g_assert_cmpuint(f->disk->count[DISK_READ] + f->disk->count[DISK_WRITE], ==, 0);
}

/* Every command on every drive, with all widths at every port, and nothing else lost. */
static void test_attack_everything(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned number = 0; number < 256; number++) {
        for (unsigned unit = 0; unit < 4; unit++) {
            unsigned base = unit & 2 ? SEC : PRI;
            out(f, base + 6, (uint8_t)(unit & 1 ? 0xf0 : 0xe0));
            for (unsigned reg = 1; reg < 6; reg++)
                out(f, base + reg, (uint8_t)number);
            out(f, base + 7, (uint8_t)number);
            turn(f);
            for (unsigned port = base - 3; port < base + 11; port++) {
                for (unsigned size = 1; size <= 4; size *= 2) {
                    fake_pc_in(&f->pc, (uint16_t)port, size);
                    if (port < base || port > base + 4)
                        continue;
                    fake_pc_out(&f->pc, (uint16_t)port, size, 0x5a5a5a5a);
                }
            }
            for (unsigned port = BM - 2; port < BM + 20; port++)
                fake_pc_out(&f->pc, (uint16_t)port, 1u << number % 3, number);
            turn(f);
        }
    }
    out(f, PRI + 0x206, 4);
    out(f, PRI + 0x206, 0);
    out(f, PRI + 6, 0xa0);
    g_assert_cmphex(in(f, PRI + 7), ==, 0x50);
}

/* --- ATAPI --- */

/* A packet by PIO with a byte count limit; data phases are left to the test. */
static void packet(struct fixture *f, uint8_t unit, const uint8_t cdb[12], uint16_t limit,
                   uint8_t features)
{
    out(f, SEC + 6, (uint8_t)(unit ? 0xb0 : 0xa0));
    out(f, SEC + 1, features);
    out(f, SEC + 4, (uint8_t)limit);
    out(f, SEC + 5, (uint8_t)(limit >> 8));
    out(f, SEC + 7, 0xa0);
    g_assert_cmphex(in(f, SEC + 7) & 0x88, ==, 0x08);
    g_assert_cmphex(in(f, SEC + 2) & 3, ==, 1);
    give(f, SEC, cdb, 12);
}

static unsigned offered(struct fixture *f)
{
    g_assert_cmphex(in(f, SEC + 7), ==, 0x58);
    g_assert_cmphex(in(f, SEC + 2) & 3, ==, 2);
    return in(f, SEC + 4) | (unsigned)in(f, SEC + 5) << 8;
}

static void expect_good(struct fixture *f)
{
    g_assert_cmphex(in(f, SEC + 2) & 3, ==, 3);
    g_assert_cmphex(in(f, SEC + 7), ==, 0x50);
}

static void expect_sense(struct fixture *f, uint8_t unit, unsigned wanted)
{
    static const uint8_t ask[12] = {0x03, [4] = 18};
    uint8_t sense[18];

    expect_error(f, SEC, (uint8_t)(wanted >> 16 << 4 | 4));
    packet(f, unit, ask, 0xfffe, 0);
    g_assert_cmpuint(offered(f), ==, 18);
    take(f, SEC, sense, 18);
    expect_good(f);
    g_assert_cmphex(sense[0], ==, 0x70);
    g_assert_cmphex(sense[2] << 16 | sense[12] << 8 | sense[13], ==, wanted);
}

static void test_atapi_read(struct fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0x28, [5] = 20, [8] = 100}; /* more than one buffer */
    g_autofree uint8_t *got = g_malloc(100 * 2048);

    (void)data;
    packet(f, 0, read, 2048, 0);
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpuint(offered(f), ==, 2048);
        take(f, SEC, got + i * 2048, 2048);
    }
    expect_good(f);
    g_assert_cmpmem(got, 100 * 2048, f->disc->bytes + 20 * 2048, 100 * 2048);
}

static void test_atapi_dma(struct fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0xa8, [5] = 1, [9] = 2};
    uint8_t got[4096];

    (void)data;
    prd(f, 0, INTO, 0x80000000 | 4096);
    packet(f, 0, read, 0, 1);
    fake_pc_out(&f->pc, BM + 12, 4, PRDT);
    out(f, BM + 8, 9);
    turn(f);
    expect_good(f);
    g_assert_cmphex(in(f, BM + 10) & 7, ==, 4);
    g_assert_true(gmem_read(&f->gmem, INTO, got, sizeof(got)));
    g_assert_cmpmem(got, sizeof(got), f->disc->bytes + 2048, sizeof(got));
}

static void test_atapi_inquiry(struct fixture *f, gconstpointer data)
{
    static const uint8_t inquiry[12] = {0x12, [4] = 36}, ready[12] = {0}, capacity[12] = {0x25};
    uint8_t got[36];

    (void)data;
    packet(f, 1, inquiry, 15, 0); /* odd limits are even but for the last */
    g_assert_cmpuint(offered(f), ==, 14);
    take(f, SEC, got, 14);
    g_assert_cmpuint(offered(f), ==, 14);
    take(f, SEC, got + 14, 14);
    g_assert_cmpuint(offered(f), ==, 8);
    take(f, SEC, got + 28, 8);
    expect_good(f);
    g_assert_cmphex(got[0], ==, 0x05);
    g_assert_cmphex(got[1], ==, 0x80);
    packet(f, 0, ready, 0, 0);
    expect_good(f);
    packet(f, 1, ready, 0, 0);
    expect_sense(f, 1, 0x023a00);
    packet(f, 0, capacity, 8, 0);
    take(f, SEC, got, 8);
    expect_good(f);
    g_assert_cmpuint(got[2] << 8 | got[3], ==, BLOCKS - 1);
    g_assert_cmpuint(got[6] << 8 | got[7], ==, 2048);
}

/* Past the end, LBA -1, counts that overflow (CVE-2020-29443), unknown packets, no room. */
static void test_attack_atapi(struct fixture *f, gconstpointer data)
{
    static const struct {
        uint8_t cdb[12];
        unsigned sense;
    } bad[] = {
        {{0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1}, 0x052100},
        {{0x28, 0, 0, 0, 1, 0xff, 0, 0, 2}, 0x052100},
        {{0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, 0x052100},
        {{0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0x052100},
        {{0xff}, 0x052000},
        {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, 0x072700},
    };
    static const uint8_t inquiry[12] = {0x12, [4] = 36}, none[12] = {0x28};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        packet(f, 0, bad[i].cdb, 0xfffe, 0);
        expect_sense(f, 0, bad[i].sense);
    }
    packet(f, 0, inquiry, 0, 0); /* data, and a limit of 0 */
    expect_error(f, SEC, 0x04);
    packet(f, 0, none, 2048, 0); /* no blocks */
    expect_good(f);
    g_assert_cmpuint(f->disc->count[DISK_READ], ==, 0);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
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
    add("/ide/attack/stop-in-flight", test_attack_stop_in_flight);
    add("/ide/attack/select-in-transfer", test_attack_select_in_transfer);
    add("/ide/attack/range", test_attack_range);
    add("/ide/attack/everything", test_attack_everything);
    add("/atapi/read", test_atapi_read);
    add("/atapi/dma", test_atapi_dma);
    add("/atapi/inquiry", test_atapi_inquiry);
    add("/atapi/attack/packets", test_attack_atapi);
    return g_test_run();
}
