/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile driver puts into the legacy adapter's descriptors (group 11: every address,
 * loops).
 */
#include <string.h>
#include <unistd.h>

#include "src/pc/tulip_priv.h"
#include "tests/unit/tulip_fixture.h"

typedef struct tulip_fixture fixture;

/* --- What a hostile driver does --- */

static void expect_bus_error(fixture *f)
{
    g_assert_cmphex(tlf_in(f, 5) & 0x3fe2000, ==, 0x802000);
    tlf_out(f, 6, 0);
    tlf_out(f, 6, 0x42002);
    g_assert_cmphex(tlf_in(f, 5) & 0x7e0000, ==, 0); /* still until a reset */
    tlf_start(f, 2, 1536);
    g_assert_true(tlf_comes(f, tlf_mac));
}

/* Rings and buffers outside RAM: at its end, in the chip's own window, at the end of space. */
static void test_attack_addresses(fixture *f, gconstpointer data)
{
    static const uint32_t bad[] = {TLF_RAM, TLF_RAM - 12, TLF_WINDOW, 0xfffffff0, 0xa0000000};
    uint8_t frame[100];

    (void)data;
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        tlf_start(f, 1, 1536);
        if (bad[i] == TLF_RAM - 12)
            g_assert_true(gmem_write(&f->gmem, bad[i], &(uint32_t){TLF_OWN}, 4));
        tlf_out(f, 6, 0x40000);
        tlf_out(f, 4, bad[i]);
        tlf_out(f, 6, 0x42000);
        expect_bus_error(f);
        tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | 100, bad[i], 0);
        tlf_poll_tx(f);
        expect_bus_error(f);
        tlf_put(f, TLF_RX, TLF_OWN, TLF_END | 1536, bad[i], 0);
        tlf_arrive(f, frame, sizeof(frame));
        if (bad[i] != TLF_RAM - 12)
            expect_bus_error(f);
        tlf_start(f, 1, 1536);
        tlf_out(f, 6, 0x42000);
        tlf_out(f, 3, bad[i]);
        tlf_out(f, 6, 0x42002);
        tlf_arrive(f, frame, sizeof(frame));
        expect_bus_error(f);
    }
    tlf_expect_silence(f);
}

/* Rings that bite their tails, with no end, no size, no frame in them. */
static void test_attack_loops(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_start(f, 1, 1536);
    tlf_put(f, TLF_TX, TLF_OWN, 0x20000000 | TLF_CHAIN, 0, TLF_TX); /* first, never last */
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX) & TLF_OWN, ==, 0);
    tlf_start(f, 1, 1536);
    tlf_put(f, TLF_TX, TLF_OWN, TLF_CHAIN, 0, TLF_TX); /* neither */
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX) & TLF_OWN, ==, 0);
    tlf_start(f, 1, 0); /* no room in the whole ring */
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0xc300, ==, 0xc300);
    tlf_start(f, 1, 1536);
    tlf_out(f, 6, 0x42000);
    tlf_out(f, 3, TLF_RX);
    tlf_put(f, TLF_RX, TLF_OWN, TLF_CHAIN, 0, TLF_RX + 16); /* never back to the first */
    tlf_put(f, TLF_RX + 16, TLF_OWN, TLF_CHAIN, 0, TLF_RX + 16);
    tlf_out(f, 6, 0x42002);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX) & TLF_OWN, ==, 0);
    g_assert_cmphex(tlf_status(f, TLF_RX + 16) & TLF_OWN, ==, 0);
}

/* A receive buffer over its own ring: every write makes a new descriptor, and it still ends. */
static void test_attack_self(fixture *f, gconstpointer data)
{
    uint8_t frame[1514];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_put(f, TLF_RX, TLF_OWN, 1536, TLF_RX - 64, 0);
    memcpy(frame, tlf_mac, 6);
    memset(frame + 6, 0xff, sizeof(frame) - 6);
    for (unsigned i = 0; i < 10; i++)
        tlf_arrive(f, frame, sizeof(frame));
    tlf_start(f, 1, 1536);
    g_assert_true(tlf_comes(f, tlf_mac));
}

/* Frames within frames, setup within a frame, more pieces than any frame has. */
static void test_attack_frames(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 1);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, 0x20000000 | 50, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 16, TLF_OWN, TLF_FRAME | 100, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 32, TLF_OWN, 0x20000000 | 50, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 48, TLF_OWN, TLF_SETUP | 192, TLF_FROM, 0);
    for (unsigned i = 4; i < 104; i++)
        tlf_put(f, TLF_TX + 16 * i, TLF_OWN, i == 4 ? 0x20000000 : 0, TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX), ==, 0x8002);
    tlf_expect_sent(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_TX + 32), ==, 0x8002);
    g_assert_cmphex(tlf_status(f, TLF_TX + 48), ==, 0x7fffffff);
    g_assert_cmphex(tlf_status(f, TLF_TX + 16 * 67), ==, 0x8002);
    g_assert_cmphex(tlf_status(f, TLF_TX + 16 * 103), ==, 0);
    tlf_expect_silence(f);
}

/* One turn of the lane is bounded, however long the ring is. */
static void test_attack_long_ring(fixture *f, gconstpointer data)
{
    unsigned turns = 0;

    (void)data;
    tlf_start(f, 1, 1536);
    for (unsigned i = 0; i < 2000; i++)
        tlf_put(f, 0x80000 + 16 * i, TLF_OWN, TLF_IC, 0, 0);
    tlf_out(f, 6, 0x40002);
    tlf_out(f, 4, 0x80000);
    fake_pc_out(&f->pc, TLF_IO + 8 * 6, 4, 0x42002);
    while (lane_turn(f->pc.host.lane, 0))
        turns++;
    g_assert_cmpuint(turns, >=, 2000 / TULIP_TURN);
    g_assert_cmphex(tlf_status(f, 0x80000 + 16 * 1999), ==, 0);
}

int main(int argc, char **argv)
{
#define TEST(name, function) \
    g_test_add("/tulip/" name, fixture, NULL, tlf_set_up, function, tlf_tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("attack/addresses", test_attack_addresses);
    TEST("attack/loops", test_attack_loops);
    TEST("attack/self", test_attack_self);
    TEST("attack/frames", test_attack_frames);
    TEST("attack/long-ring", test_attack_long_ring);
    return g_test_run();
}
