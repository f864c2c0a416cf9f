/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATAPI at the IDE controller's registers: packets, data and sense, and packets that are wrong. */
#include <errno.h>

#include "tests/unit/ide_fixture.h"

static const uint8_t eject[12] = {0x1b, [4] = 2}, load_tray[12] = {0x1b, [4] = 3};
static const uint8_t lock[12] = {0x1e, [4] = 1}, unlock[12] = {0x1e}, ready[12] = {0};

/* A packet by PIO with a byte count limit; data phases are left to the test. */
static void packet(struct ide_fixture *f, uint8_t unit, const uint8_t cdb[12], uint16_t limit,
                   uint8_t features)
{
    idf_out(f, IDF_SEC + 6, (uint8_t)(unit ? 0xb0 : 0xa0));
    idf_out(f, IDF_SEC + 1, features);
    idf_out(f, IDF_SEC + 4, (uint8_t)limit);
    idf_out(f, IDF_SEC + 5, (uint8_t)(limit >> 8));
    idf_out(f, IDF_SEC + 7, 0xa0);
    g_assert_cmphex(idf_in(f, IDF_SEC + 7) & 0x88, ==, 0x08);
    g_assert_cmphex(idf_in(f, IDF_SEC + 2) & 3, ==, 1);
    idf_give(f, IDF_SEC, cdb, 12);
}

static unsigned offered(struct ide_fixture *f)
{
    g_assert_cmphex(idf_in(f, IDF_SEC + 7), ==, 0x58);
    g_assert_cmphex(idf_in(f, IDF_SEC + 2) & 3, ==, 2);
    return idf_in(f, IDF_SEC + 4) | (unsigned)idf_in(f, IDF_SEC + 5) << 8;
}

static void expect_good(struct ide_fixture *f)
{
    g_assert_cmphex(idf_in(f, IDF_SEC + 2) & 3, ==, 3);
    g_assert_cmphex(idf_in(f, IDF_SEC + 7), ==, 0x50);
}

static void expect_sense(struct ide_fixture *f, uint8_t unit, unsigned wanted)
{
    static const uint8_t ask[12] = {0x03, [4] = 18};
    uint8_t sense[18];

    idf_expect_error(f, IDF_SEC, (uint8_t)(wanted >> 16 << 4 | 4));
    packet(f, unit, ask, 0xfffe, 0);
    g_assert_cmpuint(offered(f), ==, 18);
    idf_take(f, IDF_SEC, sense, 18);
    expect_good(f);
    g_assert_cmphex(sense[0], ==, 0x70);
    g_assert_cmphex(sense[2] << 16 | sense[12] << 8 | sense[13], ==, wanted);
}

static void test_atapi_read(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0x28, [5] = 20, [8] = 100}; /* more than one buffer */
    g_autofree uint8_t *got = g_malloc(100 * 2048);

    (void)data;
    packet(f, 0, read, 2048, 0);
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpuint(offered(f), ==, 2048);
        idf_take(f, IDF_SEC, got + i * 2048, 2048);
    }
    expect_good(f);
    g_assert_cmpmem(got, 100 * 2048, f->disc->bytes + 20 * 2048, 100 * 2048);
}

static void test_atapi_dma(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0xa8, [5] = 1, [9] = 2};
    uint8_t got[4096];

    (void)data;
    idf_prd(f, 0, IDF_INTO, 0x80000000 | 4096);
    packet(f, 0, read, 0, 1);
    fake_pc_out(&f->pc, IDF_BM + 12, 4, IDF_PRDT);
    idf_out(f, IDF_BM + 8, 9);
    idf_turn(f);
    expect_good(f);
    g_assert_cmphex(idf_in(f, IDF_BM + 10) & 7, ==, 4);
    g_assert_true(gmem_read(&f->gmem, IDF_INTO, got, sizeof(got)));
    g_assert_cmpmem(got, sizeof(got), f->disc->bytes + 2048, sizeof(got));
}

static void test_atapi_inquiry(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t inquiry[12] = {0x12, [4] = 36}, capacity[12] = {0x25};
    uint8_t got[36];

    (void)data;
    packet(f, 1, inquiry, 15, 0); /* odd limits are even but for the last */
    g_assert_cmpuint(offered(f), ==, 14);
    idf_take(f, IDF_SEC, got, 14);
    g_assert_cmpuint(offered(f), ==, 14);
    idf_take(f, IDF_SEC, got + 14, 14);
    g_assert_cmpuint(offered(f), ==, 8);
    idf_take(f, IDF_SEC, got + 28, 8);
    expect_good(f);
    g_assert_cmphex(got[0], ==, 0x05);
    g_assert_cmphex(got[1], ==, 0x80);
    packet(f, 0, ready, 0, 0);
    expect_good(f);
    packet(f, 1, ready, 0, 0);
    expect_sense(f, 1, 0x023a00);
    packet(f, 0, capacity, 8, 0);
    idf_take(f, IDF_SEC, got, 8);
    expect_good(f);
    g_assert_cmpuint(got[2] << 8 | got[3], ==, IDF_BLOCKS - 1);
    g_assert_cmpuint(got[6] << 8 | got[7], ==, 2048);
}

/* The media event and status that the drive tells. */
static unsigned event(struct ide_fixture *f, uint8_t unit)
{
    static const uint8_t ask[12] = {0x4a, 1, [4] = 0x10, [8] = 8};
    uint8_t got[8];

    packet(f, unit, ask, 8, 0);
    g_assert_cmpuint(offered(f), ==, 8);
    idf_take(f, IDF_SEC, got, 8);
    expect_good(f);
    g_assert_cmphex(got[2], ==, 0x04);
    return (unsigned)got[4] << 8 | got[5];
}

/* Out and in again: told once in each of the two ways, and what may come first does. */
static void test_atapi_tray(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0x28, [8] = 1}, inquiry[12] = {0x12, [4] = 36};
    uint8_t got[2048];

    (void)data;
    g_assert_cmphex(event(f, 0), ==, 0x0002);
    packet(f, 0, eject, 0, 0);
    expect_good(f);
    packet(f, 0, ready, 0, 0);
    expect_sense(f, 0, 0x023a00);
    packet(f, 0, read, 2048, 0);
    expect_sense(f, 0, 0x023a00);
    g_assert_cmphex(event(f, 0), ==, 0x0301);
    g_assert_cmphex(event(f, 0), ==, 0x0001);
    packet(f, 0, load_tray, 0, 0);
    expect_good(f);
    packet(f, 0, inquiry, 36, 0);
    idf_take(f, IDF_SEC, got, 36);
    expect_good(f);
    g_assert_cmphex(event(f, 0), ==, 0x0202);
    g_assert_cmphex(event(f, 0), ==, 0x0002);
    packet(f, 0, read, 2048, 0);
    expect_sense(f, 0, 0x062800);
    packet(f, 0, read, 2048, 0);
    idf_take(f, IDF_SEC, got, 2048);
    expect_good(f);
    g_assert_cmpmem(got, 2048, f->disc->bytes, 2048);
    packet(f, 0, load_tray, 0, 0); /* nothing new */
    expect_good(f);
    packet(f, 0, ready, 0, 0);
    expect_good(f);
}

static void test_atapi_lock(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    packet(f, 0, lock, 0, 0);
    expect_good(f);
    packet(f, 0, eject, 0, 0);
    expect_sense(f, 0, 0x055302);
    packet(f, 0, ready, 0, 0);
    expect_good(f);
    packet(f, 0, unlock, 0, 0);
    expect_good(f);
    packet(f, 0, eject, 0, 0);
    expect_good(f);
    packet(f, 0, ready, 0, 0);
    expect_sense(f, 0, 0x023a00);
    ide_reset(&f->ide); /* the machine's: it may boot from the disc again */
    g_assert_cmphex(event(f, 0), ==, 0x0002);
    packet(f, 0, ready, 0, 0);
    expect_good(f);
}

/* A drive without a disc has a tray too, and nothing to tell. */
static void test_atapi_empty_tray(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    packet(f, 1, eject, 0, 0);
    expect_good(f);
    g_assert_cmphex(event(f, 1), ==, 0x0001);
    packet(f, 1, load_tray, 0, 0);
    expect_good(f);
    g_assert_cmphex(event(f, 1), ==, 0x0000);
    packet(f, 1, ready, 0, 0);
    expect_sense(f, 1, 0x023a00);
}

/* Ejected while a read of it is under way and reset away: the read's buffer and disc stay its own.
 */
static void test_attack_eject_in_flight(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0xa8, [9] = 60};

    (void)data;
    f->disc->hold = true;
    packet(f, 0, read, 2048, 0);
    g_assert_cmphex(idf_in(f, IDF_SEC + 7), ==, 0x80);
    idf_out(f, IDF_SEC + 0x206, 0x04);
    idf_out(f, IDF_SEC + 0x206, 0x00);
    g_assert_cmphex(idf_in(f, IDF_SEC + 7), ==, 0x80);
    idf_out(f, IDF_SEC + 7, 0xa0); /* waits: the drive is busy */
    idf_give(f, IDF_SEC, eject, 12);
    g_assert_nonnull(f->ide.channel[1].drive[0].unit.disk);
    f->disc->hold = false;
    memory_disk_release(f->disc, 1);
    idf_turn(f);
    idf_give(f, IDF_SEC, eject, 12);
    expect_good(f);
    g_assert_null(f->ide.channel[1].drive[0].unit.disk);
}

static void changed(void *context, struct disk *old)
{
    *(struct disk **)context = old;
}

static void change(struct ide_fixture *f, unsigned place, struct disk *disc, struct disk **ret_old)
{
    g_assert_cmpint(ide_change_disc(&f->ide, place, disc, changed, ret_old), ==, 0);
    g_assert_cmpint(ide_change_disc(&f->ide, place, disc, changed, ret_old), ==, -EBUSY);
    idf_turn(f);
}

/* The host's change: out, in, another one, into a drive that was empty. */
static void test_atapi_change(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t capacity[12] = {0x25};
    struct memory_disk *other = memory_disk_new(100 * 2048, true, false);
    struct disk *old = NULL;
    uint8_t got[8];

    (void)data;
    packet(f, 0, lock, 0, 0); /* does not hinder the host */
    expect_good(f);
    change(f, 2, NULL, &old);
    g_assert_true(old == &f->disc->disk);
    g_assert_cmpuint(f->disc->queues, ==, 0);
    g_assert_cmphex(event(f, 0), ==, 0x0300);
    packet(f, 0, ready, 0, 0);
    expect_sense(f, 0, 0x023a00);
    change(f, 2, &other->disk, &old);
    g_assert_null(old);
    packet(f, 0, ready, 0, 0);
    expect_sense(f, 0, 0x062800);
    packet(f, 0, capacity, 8, 0);
    idf_take(f, IDF_SEC, got, 8);
    expect_good(f);
    g_assert_cmpuint(got[3], ==, 99);
    change(f, 3, &f->disc->disk, &old);
    g_assert_cmphex(event(f, 1), ==, 0x0202);
    change(f, 3, NULL, &old);
    change(f, 2, &f->disc->disk, &old);
    g_assert_true(old == &other->disk);
    g_assert_cmpint(ide_change_disc(&f->ide, 0, NULL, changed, &old), ==, -ENODEV);
    g_assert_cmpint(ide_change_disc(&f->ide, 1, NULL, changed, &old), ==, -ENODEV);
    g_assert_cmpint(ide_change_disc(&f->ide, 4, NULL, changed, &old), ==, -ENODEV);
    memory_disk_free(other);
}

/* Changed under a read: the request under way is waited for, and the rest of the read fails rather
 * than going on with another disc, or none. */
static void test_attack_change_in_flight(struct ide_fixture *f, gconstpointer data)
{
    static const uint8_t read[12] = {0xa8, [9] = 100}; /* more than one buffer */
    struct memory_disk *other = memory_disk_new(100 * 2048, true, false);
    struct disk *old = NULL;
    uint8_t got[2048];

    (void)data;
    for (unsigned round = 0; round < 2; round++) {
        f->disc->hold = true;
        packet(f, 0, read, 2048, 0);
        change(f, 2, round ? NULL : &other->disk, &old);
        g_assert_null(old);
        f->disc->hold = false;
        memory_disk_release(f->disc, 1);
        idf_turn(f);
        g_assert_true(old == &f->disc->disk);
        for (unsigned i = 0; i < 64; i++)
            idf_take(f, IDF_SEC, got, 2048);
        g_assert_cmpmem(got, 2048, f->disc->bytes + 63 * 2048, 2048);
        expect_sense(f, 0, round ? 0x023a00 : 0x062800);
        change(f, 2, &f->disc->disk, &old);
        packet(f, 0, ready, 0, 0);
        expect_sense(f, 0, 0x062800);
        old = NULL;
    }
    memory_disk_free(other);
}

/* Past the end, LBA -1, counts that overflow (CVE-2020-29443), unknown packets, no room. */
static void test_attack_atapi(struct ide_fixture *f, gconstpointer data)
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
    idf_expect_error(f, IDF_SEC, 0x04);
    packet(f, 0, none, 2048, 0); /* no blocks */
    expect_good(f);
    g_assert_cmpuint(f->disc->count[DISK_READ], ==, 0);
}

static void add(const char *path, void (*test)(struct ide_fixture *, gconstpointer))
{
    g_test_add(path, struct ide_fixture, NULL, idf_set_up, test, idf_tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/atapi/read", test_atapi_read);
    add("/atapi/dma", test_atapi_dma);
    add("/atapi/inquiry", test_atapi_inquiry);
    add("/atapi/tray", test_atapi_tray);
    add("/atapi/lock", test_atapi_lock);
    add("/atapi/empty-tray", test_atapi_empty_tray);
    add("/atapi/change", test_atapi_change);
    add("/atapi/attack/change-in-flight", test_attack_change_in_flight);
    add("/atapi/attack/packets", test_attack_atapi);
    add("/atapi/attack/eject-in-flight", test_attack_eject_in_flight);
    return g_test_run();
}
