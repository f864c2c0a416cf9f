/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter's rings: frames out and in.
 */
#include <string.h>
#include <unistd.h>

#include "src/pc/tulip_priv.h"
#include "tests/unit/tulip_fixture.h"

typedef struct tulip_fixture fixture;

/* --- Out --- */

/* One frame each way the ring can go: through it twice, with a list that ends. */
static void test_transmit_ring(fixture *f, gconstpointer data)
{
    uint8_t frame[1514];

    (void)data;
    tlf_start(f, 1, 1536);
    for (unsigned round = 0; round < 10; round++) {
        uint32_t at = TLF_TX + 16 * (round % 4), length = 60 + 161 * round;
        tlf_frame(frame, length, tlf_other, (uint8_t)round);
        tlf_fill(f, TLF_FROM, frame, length);
        tlf_put(f, TLF_TX + 16 * ((round + 1) % 4), 0, 0, 0, 0);
        tlf_put(f, at, TLF_OWN, TLF_IC | TLF_FRAME | (round % 4 == 3 ? TLF_END : 0) | length,
                TLF_FROM, 0);
        tlf_poll_tx(f);
        g_assert_cmphex(tlf_status(f, at), ==, 0);
        g_assert_cmphex(tlf_in(f, 5) & 0x71ffff, ==, 0x610005);
        g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
        tlf_out(f, 5, 0x10005);
        g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
        tlf_expect_sent(f, frame, length);
    }
    tlf_expect_silence(f);
}

/* A chain whose descriptors lie anywhere, and one with gaps between its descriptors. */
static void test_transmit_lists(fixture *f, gconstpointer data)
{
    static const uint32_t chain[] = {TLF_TX, 0x5000, 0x3330, 0x4440};
    uint8_t frame[200];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 5);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    for (unsigned i = 0; i < 4; i++)
        tlf_put(f, chain[i], TLF_OWN, TLF_FRAME | TLF_CHAIN | sizeof(frame), TLF_FROM,
                chain[(i + 1) % 4]);
    tlf_poll_tx(f);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(tlf_status(f, chain[i]), ==, 0);
        tlf_expect_sent(f, frame, sizeof(frame));
    }
    tlf_out(f, 6, 0x40002);
    tlf_out(f, 0, 3 << 2); /* three longwords between descriptors */
    tlf_out(f, 4, TLF_TX);
    for (unsigned i = 0; i < 3; i++)
        tlf_put(f, TLF_TX + 28 * i, TLF_OWN, TLF_FRAME | (i == 2 ? TLF_END : 0) | sizeof(frame),
                TLF_FROM, 0);
    tlf_out(f, 6, 0x42002);
    for (unsigned i = 0; i < 3; i++)
        tlf_expect_sent(f, frame, sizeof(frame));
    tlf_expect_silence(f);
}

/* Two buffers a descriptor, several descriptors a frame; nothing goes before the last is there. */
static void test_transmit_pieces(fixture *f, gconstpointer data)
{
    uint8_t frame[1000];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 77);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, 0x20000000 | 13 << 11 | 1, TLF_FROM, TLF_FROM + 1);
    tlf_put(f, TLF_TX + 16, TLF_OWN, 0 << 11 | 486, TLF_FROM + 14, 0);
    tlf_put(f, TLF_TX + 32, 0, 0, 0, 0);
    tlf_poll_tx(f);
    tlf_expect_silence(f);
    g_assert_cmphex(tlf_status(f, TLF_TX), ==, TLF_OWN);
    tlf_put(f, TLF_TX + 32, TLF_OWN, TLF_IC | 0x40000000 | TLF_END | 499 << 11 | 1, TLF_FROM + 500,
            TLF_FROM + 501);
    tlf_poll_tx(f);
    tlf_expect_sent(f, frame, sizeof(frame));
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(tlf_status(f, TLF_TX + 16 * i), ==, 0);
    g_assert_cmphex(tlf_in(f, 5) & 1, ==, 1);
}

/* Short frames are padded, but not if the driver says no; its own checksum is not sent twice. */
static void test_transmit_sizes(fixture *f, gconstpointer data)
{
    uint8_t frame[64];

    (void)data;
    tlf_start(f, 1, 1536);
    memset(frame, 0, sizeof(frame));
    tlf_frame(frame, 20, tlf_other, 1);
    tlf_fill(f, TLF_FROM, frame, 64);
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | 20, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 16, TLF_OWN, TLF_FRAME | 0x800000 | 20, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 32, TLF_OWN, TLF_FRAME | 0x4800000 | 24, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 48, TLF_OWN, TLF_END, 0, 0); /* neither first nor last: a gap */
    tlf_poll_tx(f);
    tlf_expect_sent(f, frame, 60);
    tlf_expect_sent(f, frame, 20);
    tlf_expect_sent(f, frame, 20);
    tlf_expect_silence(f);
    g_assert_cmphex(tlf_status(f, TLF_TX + 48), ==, 0);
}

static void test_transmit_tag(fixture *f, gconstpointer data)
{
    uint8_t frame[1518], bytes[2048];
    struct frame_meta meta;

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 3);
    memcpy(frame + 12, "\x81\x00\x20\x0a\x08\x00", 6);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | TLF_END | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmpuint(tlf_sent(f, bytes, &meta), ==, 1514);
    g_assert_cmphex(meta.flags, ==, FRAME_VLAN);
    g_assert_cmphex(meta.vlan_tci, ==, 0x200a);
    g_assert_cmphex(meta.hash, !=, 0);
    g_assert_cmpmem(bytes, 12, frame, 12);
    g_assert_cmpmem(bytes + 12, 1502, frame + 16, 1502);
}

/* Too long for the wire, with a tag and without; one more is as good as before. */
static void test_transmit_too_long(fixture *f, gconstpointer data)
{
    uint8_t frame[2047];
    struct tulip_stats stats;

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 3);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | 1515, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 16, TLF_OWN, TLF_FRAME | 1519, TLF_FROM, 0);
    tlf_put(f, TLF_TX + 32, TLF_OWN, TLF_FRAME | 2047 << 11 | 2047, TLF_FROM, TLF_FROM);
    tlf_put(f, TLF_TX + 48, TLF_OWN, TLF_FRAME | TLF_END | 1514, TLF_FROM, 0);
    tlf_poll_tx(f);
    tlf_expect_sent(f, frame, 1514);
    tlf_expect_silence(f);
    g_assert_cmphex(tlf_status(f, TLF_TX + 16), ==, 0xc000);
    g_assert_cmphex(tlf_status(f, TLF_TX + 32), ==, 0xc000);
    g_assert_cmphex(tlf_in(f, 5) & 8, ==, 8);
    tulip_stats(f->tulip, &stats);
    g_assert_cmpuint(stats.bad_out, ==, 3);
    g_assert_cmpuint(stats.frames_out, ==, 1);
}

/* The port is full: the frame waits and is not lost; without a port it is. */
static void test_transmit_full(fixture *f, gconstpointer data)
{
    uint8_t frame[1514], bytes[2048];
    struct tulip_stats stats;
    unsigned sent = 0;

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 9);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    for (unsigned i = 0; i < 100; i++)
        tlf_put(f, TLF_TX + 16 * i, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX + 99 * 16), ==, TLF_OWN);
    g_assert_cmphex(tlf_in(f, 5) >> 20 & 7, ==, 1);
    while (tlf_sent(f, bytes, NULL)) {
        sent++;
        tlf_turn(f);
    }
    g_assert_cmpuint(sent, ==, 100);
    tulip_stats(f->tulip, &stats);
    g_assert_cmpuint(stats.stalls_out, >, 0);
    g_assert_cmpuint(stats.dropped_out, ==, 0);
    tlf_unplug(f);
    tlf_put(f, TLF_TX + 100 * 16, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    g_assert_cmphex(tlf_status(f, TLF_TX + 100 * 16), ==, 0);
    tulip_stats(f->tulip, &stats);
    g_assert_cmpuint(stats.dropped_out, ==, 1);
}

/* A switch that takes nothing for a second is a wire that leads nowhere. */
static void test_transmit_silence(fixture *f, gconstpointer data)
{
    uint8_t frame[1514];
    int64_t end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 9);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    for (unsigned i = 0; i < 100; i++)
        tlf_put(f, TLF_TX + 16 * i, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    tlf_poll_tx(f);
    while (tlf_status(f, TLF_TX + 99 * 16) && g_get_monotonic_time() < end)
        lane_turn(f->pc.host.lane, 100);
    g_assert_cmphex(tlf_status(f, TLF_TX + 99 * 16), ==, 0);
}

/* A driver that relies on the chip's own polling. */
static void test_transmit_auto_poll(fixture *f, gconstpointer data)
{
    uint8_t frame[60];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_frame(frame, sizeof(frame), tlf_other, 9);
    tlf_fill(f, TLF_FROM, frame, sizeof(frame));
    tlf_out(f, 0, 1 << 17);
    tlf_out(f, 5, UINT32_MAX);
    tlf_put(f, TLF_TX, TLF_OWN, TLF_FRAME | sizeof(frame), TLF_FROM, 0);
    for (unsigned i = 0; i < 200 && tlf_status(f, TLF_TX); i++)
        lane_turn(f->pc.host.lane, 10);
    tlf_expect_sent(f, frame, sizeof(frame));
    tlf_out(f, 5, UINT32_MAX);
    for (unsigned i = 0; i < 3; i++)
        lane_turn(f->pc.host.lane, 10);
    g_assert_cmphex(tlf_in(f, 5) & 0x1ffff, ==, 0); /* polling in vain is no event */
}

/* --- In --- */

static void test_receive_ring(fixture *f, gconstpointer data)
{
    uint8_t frame[1514];

    (void)data;
    tlf_start(f, 3, 1536);
    for (unsigned round = 0; round < 8; round++) {
        uint32_t length = round == 0 ? 14 : 42 + 210 * round;
        tlf_frame(frame, length, round % 2 ? tlf_mac : tlf_broadcast, (uint8_t)round);
        tlf_arrive(f, frame, length);
        tlf_expect_received(f, round % 3, frame, length);
        g_assert_cmphex(tlf_status(f, TLF_RX + 16 * (round % 3)) & 0x420, ==,
                        round % 2 ? 0x20 : 0x420);
        g_assert_cmphex(tlf_in(f, 5) & 0x7fffff, ==, 0x670040);
        g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
        tlf_out(f, 5, 0x10040);
        tlf_put(f, TLF_RX + 16 * (round % 3), TLF_OWN, (round % 3 == 2 ? TLF_END : 0) | 1536,
                TLF_INTO + 2048 * (round % 3), 0);
    }
}

/* A frame over several descriptors with two buffers each, some of them empty. */
static void test_receive_pieces(fixture *f, gconstpointer data)
{
    uint8_t frame[500], bytes[504];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_out(f, 6, 0x42000);
    tlf_out(f, 3, TLF_RX);
    tlf_put(f, TLF_RX, TLF_OWN, 100 << 11 | 100, TLF_INTO, TLF_INTO + 100);
    tlf_put(f, TLF_RX + 16, TLF_OWN, 0, 0, 0);
    tlf_put(f, TLF_RX + 32, TLF_OWN, TLF_CHAIN | 200, TLF_INTO + 200, TLF_RX + 0x100);
    tlf_put(f, TLF_RX + 0x100, TLF_OWN, TLF_END | 200 << 11, 0, TLF_INTO + 400);
    tlf_out(f, 6, 0x42002);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX), ==, 0x200);
    g_assert_cmphex(tlf_status(f, TLF_RX + 16), ==, 0);
    g_assert_cmphex(tlf_status(f, TLF_RX + 32), ==, 0);
    g_assert_cmphex(tlf_status(f, TLF_RX + 0x100), ==, 504u << 16 | 0x120);
    g_assert_true(gmem_read(&f->gmem, TLF_INTO, bytes, sizeof(bytes)));
    g_assert_cmpmem(bytes, 500, frame, 500);
}

/* Descriptors run out: said once, the frame waits, and comes when there is one without a word. */
static void test_receive_suspended(fixture *f, gconstpointer data)
{
    uint8_t frame[3][100];
    struct tulip_stats stats;

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_out(f, 7, 0x180c0);
    for (unsigned i = 0; i < 3; i++)
        tlf_frame(frame[i], 100, tlf_mac, (uint8_t)(i * 50));
    tlf_arrive(f, frame[0], 100);
    tlf_out(f, 5, UINT32_MAX);
    tlf_arrive(f, frame[1], 100);
    g_assert_cmphex(tlf_in(f, 5) & 0x8ffff, ==, 0x88080);
    g_assert_cmpuint(tlf_in(f, 5) >> 17 & 7, ==, 4);
    tlf_out(f, 5, UINT32_MAX);
    tlf_arrive(f, frame[2], 100);
    g_assert_cmphex(tlf_in(f, 5) & 0x80, ==, 0); /* not again */
    tlf_put(f, TLF_RX, TLF_OWN, TLF_END | 1536, TLF_INTO, 0);
    for (unsigned i = 0; i < 100 && tlf_status(f, TLF_RX) & TLF_OWN; i++)
        lane_turn(f->pc.host.lane, 10);
    tlf_expect_received(f, 0, frame[1], 100);
    tlf_put(f, TLF_RX, TLF_OWN, TLF_END | 1536, TLF_INTO, 0);
    tlf_out(f, 2, 0); /* poll demand: at once */
    tlf_expect_received(f, 0, frame[2], 100);
    tulip_stats(f->tulip, &stats);
    g_assert_cmpuint(stats.dropped_in, ==, 0);
    g_assert_cmpuint(stats.stalls_in, ==, 2);
    g_assert_cmphex(tlf_in(f, 8), ==, 0xe0000000);
}

/* No descriptor for long: frames are missed and counted, and the counter is read once. */
static void test_receive_missed(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 1, 1536);
    tlf_put(f, TLF_RX, 0, TLF_END | 1536, TLF_INTO, 0);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    for (unsigned i = 0; i < 3; i++)
        tlf_arrive(f, frame, sizeof(frame));
    usleep(TULIP_HOLD_NS / 1000);
    for (unsigned i = 0; i < 3; i++)
        lane_turn(f->pc.host.lane, 10);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_in(f, 8), ==, 0xe0000004);
    g_assert_cmphex(tlf_in(f, 8), ==, 0xe0000000);
    tlf_out(f, 6, 0x42000); /* a receiver that starts anew waits anew */
    tlf_out(f, 6, 0x42002);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_in(f, 8), ==, 0xe0000000);
    tlf_put(f, TLF_RX, TLF_OWN, TLF_END | 1536, TLF_INTO, 0);
    tlf_out(f, 2, 0);
    tlf_expect_received(f, 0, frame, sizeof(frame));
}

/* A ring that could never hold the frame gets its begin, with the error. */
static void test_receive_truncated(fixture *f, gconstpointer data)
{
    uint8_t frame[400], bytes[200];

    (void)data;
    tlf_start(f, 2, 100);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX), ==, 0x200);
    g_assert_cmphex(tlf_status(f, TLF_RX + 16) & 0xffffc300, ==, 404u << 16 | 0xc100);
    g_assert_true(gmem_read(&f->gmem, TLF_INTO + 2048, bytes, 100));
    g_assert_cmpmem(bytes, 100, frame + 100, 100);
    g_assert_true(gmem_read(&f->gmem, TLF_INTO + 2048 + 100, bytes, 1));
    g_assert_cmpuint(bytes[0], ==, 0);
}

/* The switch's metadata becomes bytes: tag, checksum, segments. */
static void test_receive_tag(fixture *f, gconstpointer data)
{
    uint8_t frame[1514], expected[1518];
    struct frame_meta meta = {.length = 1514, .flags = FRAME_VLAN, .vlan_tci = 0x600a};

    (void)data;
    tlf_start(f, 2, 1536);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    memcpy(expected, frame, 12);
    memcpy(expected + 12, "\x81\x00\x60\x0a", 4);
    memcpy(expected + 16, frame + 12, 1502);
    tlf_arrive_meta(f, frame, &meta);
    tlf_expect_received(f, 0, expected, 1518);
    g_assert_cmphex(tlf_status(f, TLF_RX) & 0x80, ==, 0x80);
}

static uint16_t sum16(uint32_t sum, const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* A TCP segment of 4000 bytes with a checksum to be put in becomes three frames, each right. */
static void test_receive_segment(fixture *f, gconstpointer data)
{
    uint8_t frame[54 + 4000], bytes[2048], pseudo[12] = {10, 0, 0, 1, 10, 0, 0, 2, 0, 6};
    struct frame_meta meta = {.length = sizeof(frame),
                              .flags = FRAME_CSUM_PARTIAL,
                              .csum_start = 34,
                              .csum_offset = 16,
                              .gso = FRAME_GSO_TCPV4,
                              .gso_size = 1460,
                              .header = 54};
    uint32_t payload = 0;

    (void)data;
    tlf_start(f, 4, 1536);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    memcpy(frame + 12, "\x08\x00\x45\x00\x0f\xc8\x00\x01\x40\x00\x40\x06\x00\x00", 14);
    memcpy(frame + 26, pseudo, 8);
    frame[46] = 0x50;
    frame[47] = 0x10;
    memset(frame + 50, 0, 4);
    tlf_arrive_meta(f, frame, &meta);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t length = (tlf_status(f, TLF_RX + 16 * i) >> 16 & 0x3fff) - 4, tcp = length - 34;
        g_assert_cmpuint(length, ==, i < 2 ? 1514 : 54 + 1080);
        g_assert_true(gmem_read(&f->gmem, TLF_INTO + 2048 * i, bytes, length));
        g_assert_cmphex(sum16(0, bytes + 14, 20), ==, 0xffff);
        pseudo[10] = (uint8_t)(tcp >> 8);
        pseudo[11] = (uint8_t)tcp;
        g_assert_cmphex(sum16(sum16(0, pseudo, 12), bytes + 34, tcp), ==, 0xffff);
        g_assert_cmpmem(bytes + 54, length - 54, frame + 54 + payload, length - 54);
        payload += length - 54;
    }
    g_assert_cmpuint(payload, ==, 4000);
}

int main(int argc, char **argv)
{
#define TEST(name, function) \
    g_test_add("/tulip/" name, fixture, NULL, tlf_set_up, function, tlf_tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("transmit/ring", test_transmit_ring);
    TEST("transmit/lists", test_transmit_lists);
    TEST("transmit/pieces", test_transmit_pieces);
    TEST("transmit/sizes", test_transmit_sizes);
    TEST("transmit/tag", test_transmit_tag);
    TEST("transmit/too-long", test_transmit_too_long);
    TEST("transmit/full", test_transmit_full);
    TEST("transmit/silence", test_transmit_silence);
    TEST("transmit/auto-poll", test_transmit_auto_poll);
    TEST("receive/ring", test_receive_ring);
    TEST("receive/pieces", test_receive_pieces);
    TEST("receive/suspended", test_receive_suspended);
    TEST("receive/missed", test_receive_missed);
    TEST("receive/truncated", test_receive_truncated);
    TEST("receive/tag", test_receive_tag);
    TEST("receive/segment", test_receive_segment);
    return g_test_run();
}
