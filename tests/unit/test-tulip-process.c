/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter: filters, loopback, its processes starting and stopping, interrupts, and whole
 * drivers' ways with it.
 */
#include <string.h>
#include <unistd.h>

#include "src/pc/tulip_priv.h"
#include "tests/unit/tulip_fixture.h"

typedef struct tulip_fixture fixture;

/* --- Filters --- */

static void test_filter_perfect(fixture *f, gconstpointer data)
{
    uint8_t setup[192] = {0};

    (void)data;
    tlf_start(f, 1, 1536);
    g_assert_true(tlf_comes(f, tlf_mac) && tlf_comes(f, tlf_broadcast));
    g_assert_false(tlf_comes(f, tlf_other) || tlf_comes(f, tlf_multicast));
    g_assert_cmphex(tlf_in(f, 6) & 0x55, ==, 0);
    for (unsigned i = 0; i < 16; i++)
        tlf_setup_address(setup, i, i == 15 ? tlf_multicast : tlf_other);
    tlf_setup(f, setup, 0);
    g_assert_true(tlf_comes(f, tlf_other) && tlf_comes(f, tlf_multicast) &&
                  tlf_comes(f, tlf_broadcast));
    g_assert_false(tlf_comes(f, tlf_mac));
    tlf_setup(f, setup, 0x10000000); /* inverse */
    g_assert_cmphex(tlf_in(f, 6) & 0x55, ==, 0x10);
    g_assert_true(tlf_comes(f, tlf_mac) && tlf_comes(f, tlf_broadcast));
    g_assert_false(tlf_comes(f, tlf_other) || tlf_comes(f, tlf_multicast));
}

static void test_filter_hash(fixture *f, gconstpointer data)
{
    uint8_t setup[192] = {0};
    uint32_t bit = tulip_crc(tlf_multicast, 6) & 0x1ff, unicast = tulip_crc(tlf_other, 6) & 0x1ff;

    (void)data;
    g_assert_cmphex(tulip_crc(tlf_broadcast, 6) & 0x1ff, ==, 0xff);
    tlf_start(f, 1, 1536);
    setup[bit / 16 * 4 + bit % 16 / 8] |= (uint8_t)(1 << bit % 8);
    setup[unicast / 16 * 4 + unicast % 16 / 8] |= (uint8_t)(1 << unicast % 8);
    tlf_setup_address(setup, 13, tlf_mac);
    tlf_setup(f, setup, 0x00400000);
    g_assert_cmphex(tlf_in(f, 6) & 0x55, ==, 0x01);
    g_assert_true(tlf_comes(f, tlf_multicast) && tlf_comes(f, tlf_broadcast) &&
                  tlf_comes(f, tlf_mac));
    g_assert_false(tlf_comes(f, tlf_other));
    tlf_setup(f, setup, 0x10400000); /* stations by hash, too */
    g_assert_cmphex(tlf_in(f, 6) & 0x55, ==, 0x05);
    g_assert_true(tlf_comes(f, tlf_multicast) && tlf_comes(f, tlf_broadcast) &&
                  tlf_comes(f, tlf_other));
    g_assert_false(tlf_comes(f, tlf_mac));
}

static void test_filter_modes(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_start(f, 1, 1536);
    tlf_out(f, 6, 0x42082);
    g_assert_true(tlf_comes(f, tlf_multicast) && tlf_comes(f, tlf_mac));
    g_assert_false(tlf_comes(f, tlf_other));
    tlf_out(f, 6, 0x42042);
    g_assert_true(tlf_comes(f, tlf_multicast) && tlf_comes(f, tlf_other));
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0x40000000, ==, 0);
    tlf_out(f, 6, 0x40042002);
    g_assert_true(tlf_comes(f, tlf_other));
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0x40000000, ==, 0x40000000);
    g_assert_true(tlf_comes(f, tlf_mac));
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0x40000000, ==, 0);
    tlf_out(f, 6, 0x42000);
    g_assert_false(tlf_comes(f, tlf_mac));
}

/* A setup frame that is too short changes nothing, and one without an interrupt makes none. */
static void test_filter_short(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_start(f, 1, 1536);
    tlf_put(f, TLF_TX, TLF_OWN, TLF_SETUP | 0x10000000 | 191, TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX), ==, 0x7fffffff);
    g_assert_cmphex(tlf_in(f, 5) & 1, ==, 0);
    g_assert_cmphex(tlf_in(f, 6) & 0x55, ==, 0);
    g_assert_true(tlf_comes(f, tlf_mac));
    tlf_put(f, TLF_TX + 16, TLF_OWN, TLF_IC | TLF_SETUP | 191, TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_in(f, 5) & 1, ==, 1);
}

/* --- Processes and interrupts --- */

static void test_loopback(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_out(f, 6, 0x42402);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    tlf_expect_silence(f);
    tlf_expect_received(f, 0, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0x3000, ==, 0x1000);
    g_assert_false(tlf_comes(f, tlf_mac)); /* from outside */
}

static void test_stop(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 2, 1536);
    tlf_out(f, 3, 0x8000); /* not while it runs */
    g_assert_cmphex(tlf_in(f, 3), ==, TLF_RX);
    tlf_out(f, 6, 0x40000);
    g_assert_cmphex(tlf_in(f, 5) & 0x7e0102, ==, 0x000102);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | TLF_END | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    tlf_arrive(f, frame, sizeof(frame));
    tlf_expect_silence(f);
    g_assert_cmphex(tlf_status(f, TLF_RX), ==, TLF_OWN);
    tlf_out(f, 6, 0x42002);
    tlf_expect_sent(f, frame, sizeof(frame));
    tlf_arrive(f, frame, sizeof(frame));
    tlf_expect_received(f, 0, frame, sizeof(frame));
}

/* The line follows what is enabled of both kinds, each with its own summary. */
static void test_interrupts(fixture *f, gconstpointer data)
{
    uint8_t frame[60];

    (void)data;
    tlf_start(f, 2, 1536);
    tlf_out(f, 7, 0);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_in(f, 5) & 0x1ffff, ==, 0x40);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 7, 0x40);
    g_assert_cmphex(tlf_in(f, 5) & 0x1ffff, ==, 0x10040);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 7, 0x10040);
    g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 7, 0x10100);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 6, 0x42000); /* the receiver stops: abnormal */
    g_assert_cmphex(tlf_in(f, 5) & 0x1ffff, ==, 0x8140);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 7, 0x8100);
    g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 5, 0x100);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    g_assert_cmpuint(f->pc.edges[TLF_LINE], ==, 2);
}

static void test_byte_order(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_out(f, 0, 0x100000);
    tlf_frame(frame, sizeof(frame), tlf_other, 1);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, GUINT32_SWAP_LE_BE(TLF_OWN),
            GUINT32_SWAP_LE_BE(TLF_FRAME | TLF_END | sizeof(frame)), GUINT32_SWAP_LE_BE(TLF_FROM),
            0);
    tlf_poll_tx(f);
    tlf_expect_sent(f, frame, sizeof(frame));
}

/* Not before the guest lets it. */
static void test_bus_master(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_set_config(f, 0x04, 2, 3);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    tlf_arrive(f, frame, sizeof(frame));
    tlf_expect_silence(f);
    g_assert_cmphex(tlf_status(f, TLF_RX), ==, TLF_OWN);
    tlf_set_config(f, 0x04, 2, 7);
    tlf_turn(f);
    tlf_expect_sent(f, frame, sizeof(frame));
}

/* --- Drivers --- */

/* As iPXE: two transmit descriptors of which the second is never used, the transmitter started and
 * the list written anew for each frame, no interrupts, and receive descriptors given back without
 * a poll demand. */
static void test_driver_ipxe(fixture *f, gconstpointer data)
{
    uint8_t setup[192], frame[60];

    (void)data;
    tlf_out(f, 7, 0);
    tlf_out(f, 6, tlf_in(f, 6) & ~0x2002u);
    tlf_out(f, 6, 0x814c0000);
    tlf_out(f, 0, 1);
    tlf_out(f, 0, 0x01a00000 | 0x4800);
    for (unsigned i = 0; i < 4; i++)
        tlf_put(f, TLF_RX + 16 * i, TLF_OWN, (i == 3 ? TLF_END : 0) | 1536, TLF_INTO + 2048 * i,
                TLF_RX + 16 * ((i + 1) % 4));
    memset(setup, 0xff, sizeof(setup));
    tlf_setup_address(setup, 0, tlf_mac);
    tlf_fill(f, TLF_FROM, setup, sizeof(setup));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_SETUP | 192, TLF_FROM, TLF_TX + 16);
    tlf_put(f, TLF_TX + 16, 0, TLF_END | 1536, TLF_FROM, TLF_TX);
    tlf_out(f, 3, TLF_RX);
    tlf_out(f, 4, TLF_TX);
    tlf_out(f, 6, 0x020e0200);
    tlf_out(f, 6, 0x020e2200);
    tlf_out(f, 1, 0);
    g_assert_cmphex(tlf_status(f, TLF_TX), ==, 0x7fffffff);
    tlf_out(f, 6, (tlf_in(f, 6) & ~0xd5u) | 0x80);
    tlf_out(f, 6, 0x020e2282);
    for (unsigned round = 0; round < 6; round++) {
        uint32_t mode = tlf_in(f, 6), at = TLF_RX + 16 * (round % 4);
        tlf_out(f, 6, mode & ~0x2000u);
        tlf_frame(frame, sizeof(frame), tlf_other, (uint8_t)round);
        tlf_fill(f, TLF_FROM, frame, sizeof(frame));
        tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, TLF_TX + 16);
        tlf_out(f, 4, TLF_TX);
        tlf_out(f, 6, mode | 0x2000);
        tlf_out(f, 1, 0);
        g_assert_cmphex(tlf_status(f, TLF_TX), ==, 0);
        tlf_expect_sent(f, frame, sizeof(frame));
        tlf_out(f, 6, mode & ~0x2000u);
        tlf_frame(frame, sizeof(frame), tlf_mac, (uint8_t)round);
        tlf_arrive(f, frame, sizeof(frame));
        tlf_expect_received(f, round % 4, frame, sizeof(frame));
        tlf_put(f, at, TLF_OWN, (round % 4 == 3 ? TLF_END : 0) | 1536,
                TLF_INTO + 2048 * (round % 4), TLF_RX + 16 * ((round + 1) % 4));
    }
    g_assert_cmpuint(f->pc.edges[TLF_LINE], ==, 0);
}

/* What Linux' handler does until nothing is left; the events that it saw. */
static uint32_t serve(fixture *f)
{
    uint32_t seen = 0, status;

    for (unsigned rounds = 0; (status = tlf_in(f, 5)) & 0x18000; rounds++) {
        g_assert_cmpuint(rounds, <, 25);
        tlf_out(f, 5, status & 0x0001ffff);
        seen |= status & 0x7fff;
    }
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    return seen;
}

/* As Linux: an empty descriptor before the setup frame, everything of CSR7 that it knows. */
static void test_driver_linux(fixture *f, gconstpointer data)
{
    uint8_t setup[192], frame[1514];

    (void)data;
    tlf_out(f, 0, 1);
    tlf_out(f, 0, 0x01a08000);
    for (unsigned i = 0; i < 8; i++)
        tlf_put(f, TLF_RX + 16 * i, TLF_OWN, (i == 7 ? TLF_END : 0) | 1536, TLF_INTO + 2048 * i,
                TLF_RX + 16 * ((i + 1) % 8));
    tlf_out(f, 3, TLF_RX);
    tlf_out(f, 4, TLF_TX);
    for (unsigned i = 0; i < 16; i++)
        tlf_setup_address(setup, i, i == 15 ? tlf_mac : tlf_broadcast);
    tlf_fill(f, TLF_FROM, setup, sizeof(setup));
    tlf_put(f, TLF_TX, TLF_OWN, 0, 0, 0);
    tlf_put(f, TLF_TX + 16, TLF_OWN, TLF_SETUP | TLF_IC | 192, TLF_FROM, 0);
    tlf_out(f, 12, 0x100);
    tlf_out(f, 6, 0x820e2200);
    tlf_out(f, 5, 0x1ebef);
    tlf_out(f, 7, 0x1ebef);
    tlf_out(f, 6, 0x820e2202);
    tlf_out(f, 2, 0);
    g_assert_cmphex(tlf_status(f, TLF_TX + 16), ==, 0x7fffffff);
    g_assert_cmphex(serve(f) & ~0x5u, ==, 0);
    for (unsigned i = 2; i < 10; i++) {
        tlf_frame(frame, sizeof(frame), tlf_other, (uint8_t)i);
        tlf_fill(f, TLF_FROM, frame, sizeof(frame));
        tlf_put(f, TLF_TX + 16 * i, TLF_OWN, TLF_FRAME | TLF_IC | sizeof(frame), TLF_FROM, 0);
        tlf_out(f, 1, 0);
        g_assert_cmphex(serve(f), ==, 0x5);
        tlf_expect_sent(f, frame, sizeof(frame));
        tlf_frame(frame, sizeof(frame), tlf_mac, (uint8_t)i);
        tlf_arrive(f, frame, sizeof(frame));
        g_assert_cmphex(serve(f), ==, 0x40);
        tlf_expect_received(f, i - 2, frame, sizeof(frame));
    }
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(serve(f), ==, 0x80);
    tlf_out(f, 6, 0x820e0200);
    g_assert_cmphex(tlf_in(f, 5) & 0x7e0000, ==, 0);
    g_assert_cmphex(serve(f), ==, 0x102);
}

int main(int argc, char **argv)
{
#define TEST(name, function) \
    g_test_add("/tulip/" name, fixture, NULL, tlf_set_up, function, tlf_tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("filter/perfect", test_filter_perfect);
    TEST("filter/hash", test_filter_hash);
    TEST("filter/modes", test_filter_modes);
    TEST("filter/short", test_filter_short);
    TEST("loopback", test_loopback);
    TEST("stop", test_stop);
    TEST("interrupts", test_interrupts);
    TEST("byte-order", test_byte_order);
    TEST("bus-master", test_bus_master);
    TEST("driver/ipxe", test_driver_ipxe);
    TEST("driver/linux", test_driver_linux);
    return g_test_run();
}
