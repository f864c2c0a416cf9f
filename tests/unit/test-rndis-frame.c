/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What data messages ask of their frames: checksums that come out right, large sends, tags, and
 * requests that do not fit the frame.
 */
#include "vmbus/rndis.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/rndis_frames.h"
#include "vmbus/rndis_wire.h"
#include "vswitch/wire.h"

#define MTU       1500u
#define L2        FRAME_ETHERNET
#define FRAME_MAX 70000u

static uint8_t frame[FRAME_MAX];
static struct frame_meta meta;

static struct rndis_packet request(uint8_t info, uint32_t csum, uint32_t lso, uint32_t length)
{
    return (struct rndis_packet){
        .length = RNDIS_MIN_HEADER + length,
        .data_offset = RNDIS_MIN_HEADER,
        .data_length = length,
        .info = info,
        .csum = csum,
        .lso = lso,
    };
}

/* rndis_to_meta() on an exact copy of the head; what it edits goes back into `frame`, which then
 * holds the frame as the switch gets it. */
static int to_meta(const struct rndis_packet *packet)
{
    uint32_t head_len = MIN(packet->data_length, RNDIS_FRAME_HEAD);
    g_autofree uint8_t *head = g_memdup2(frame, head_len ? head_len : 1);
    int skip = rndis_to_meta(packet, MTU, head, head_len, &meta);

    if (skip < 0)
        return skip;
    memcpy(frame, head, head_len);
    memmove(frame, frame + skip, packet->data_length - (uint32_t)skip);
    g_assert_true(frame_meta_check(&meta));
    g_assert_cmpuint(meta.hash, ==, frame_hash(frame, MIN(head_len - (uint32_t)skip, meta.length)));
    return skip;
}

static int csum_meta(uint32_t csum, uint32_t length)
{
    struct rndis_packet packet = request(RNDIS_INFO_CSUM, csum, 0, length);

    return to_meta(&packet);
}

static int lso_meta(uint32_t lso, uint32_t length)
{
    struct rndis_packet packet = request(RNDIS_INFO_LSO, 0, lso, length);

    return to_meta(&packet);
}

/* Finish the partial checksum as hardware does, and check it as a receiver does, who knows nothing
 * of metadata: sum over pseudo header and packet. */
static void finish_and_check(void)
{
    bool ip4 = wire_get16(frame + 12) == ETHERTYPE_IP4;
    uint32_t start = meta.csum_start, length = meta.length - start, sum;
    uint8_t protocol = ip4 ? frame[L2 + 9] : meta.csum_offset == 16 ? IP_TCP : IP_UDP;

    g_assert_cmphex(meta.flags & FRAME_CSUM_PARTIAL, ==, FRAME_CSUM_PARTIAL);
    sum = ones_sum(0, frame + start, length);
    wire_put16(frame + start + meta.csum_offset, ~sum);
    sum = ip4 ? ones_sum(0, frame + L2 + 12, 8) : ones_sum(0, frame + L2 + 8, 32);
    for (uint32_t word = length + protocol; word; word = word >> 16)
        sum += word & 0xffff;
    g_assert_cmphex(ones_sum(sum, frame + start, length), ==, 0xffff);
}

static void test_no_request(void)
{
    struct rndis_packet packet;

    start_frame(frame, 0x88b5, 60);
    packet = request(0, 0xffffffff, 0xffffffff, 60);
    g_assert_cmpint(to_meta(&packet), ==, 0);
    g_assert_cmpuint(meta.length, ==, 60);
    g_assert_cmpuint(meta.flags, ==, 0);
    g_assert_cmpuint(meta.gso, ==, FRAME_GSO_NONE);
}

/* A family alone asks for nothing, and may be said of anything. */
static void test_no_work(void)
{
    start_frame(frame, ETHERTYPE_ARP, 42);
    g_assert_cmpint(csum_meta(RNDIS_TX_CSUM_IP4, 42), ==, 0);
    g_assert_cmpuint(meta.flags, ==, 0);
}

static void test_frame_lengths(void)
{
    struct rndis_packet packet;

    start_frame(frame, 0x88b5, 2000);
    for (uint32_t length = 0; length < 14; length++) {
        packet = request(0, 0, 0, length);
        g_assert_cmpint(to_meta(&packet), ==, -EBADMSG);
    }
    packet = request(0, 0, 0, 14);
    g_assert_cmpint(to_meta(&packet), ==, 0);
    packet = request(0, 0, 0, 1514);
    g_assert_cmpint(to_meta(&packet), ==, 0);
    packet = request(0, 0, 0, 1515);
    g_assert_cmpint(to_meta(&packet), ==, -EMSGSIZE);
    packet = request(0, 0, 0, LIMIT_FRAME + 1);
    g_assert_cmpint(to_meta(&packet), ==, -EBADMSG);
}

/* The caller copied less than it should: refused, not read. */
static void test_short_head(void)
{
    struct rndis_packet packet = request(0, 0, 0, 100);
    uint8_t head[15] = {0};

    g_assert_cmpint(rndis_to_meta(&packet, MTU, head, 14, &meta), ==, -EBADMSG);
    packet.data_length = 14; /* or more than there is */
    g_assert_cmpint(rndis_to_meta(&packet, MTU, head, 15, &meta), ==, -EBADMSG);
}

static void test_tag_in_bytes(void)
{
    struct rndis_packet packet;

    start_frame(frame, ETHERTYPE_VLAN, 64);
    wire_put16(frame + 14, 0xb123);
    wire_put16(frame + 16, 0x88b5);
    packet = request(0, 0, 0, 64);
    g_assert_cmpint(to_meta(&packet), ==, 4);
    g_assert_cmpuint(meta.length, ==, 60);
    g_assert_cmphex(meta.vlan_tci, ==, 0xb123);
    g_assert_cmphex(meta.flags, ==, FRAME_VLAN);
    g_assert_cmpmem(frame, 14, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
    g_assert_cmphex(frame[14], ==, (uint8_t)(18 * 7 + 1));
}

/* Two tags: the outer one goes to the metadata, wherever it was; the inner one stays. */
static void test_double_tags(void)
{
    struct rndis_packet packet;

    start_frame(frame, ETHERTYPE_VLAN, 1522);
    wire_put16(frame + 14, 5);
    wire_put16(frame + 16, ETHERTYPE_VLAN);
    wire_put16(frame + 18, 6);
    packet = request(0, 0, 0, 1522);
    g_assert_cmpint(to_meta(&packet), ==, 4);
    g_assert_cmpuint(meta.length, ==, 1518);
    g_assert_cmphex(meta.vlan_tci, ==, 5);
    g_assert_cmphex(wire_get16(frame + 12), ==, ETHERTYPE_VLAN);

    packet = request(RNDIS_INFO_VLAN, 0, 0, 1518); /* what is there now, and a third */
    packet.vlan_tci = 7;
    g_assert_cmpint(to_meta(&packet), ==, 0);
    g_assert_cmphex(meta.vlan_tci, ==, 7);
    g_assert_cmphex(wire_get16(frame + 14), ==, 6);
    packet.data_length = 1519;
    g_assert_cmpint(to_meta(&packet), ==, -EMSGSIZE);
}

static void test_bad_tags(void)
{
    struct rndis_packet packet = request(RNDIS_INFO_VLAN, 0, 0, 60);

    start_frame(frame, 0x88b5, 60);
    packet.vlan_tci = 0xefff;
    g_assert_cmpint(to_meta(&packet), ==, -EBADMSG);
    start_frame(frame, ETHERTYPE_VLAN, 60);
    wire_put16(frame + 14, 0x0fff);
    packet = request(0, 0, 0, 60);
    g_assert_cmpint(to_meta(&packet), ==, -EBADMSG);
    wire_put16(frame + 14, 1);
    for (uint32_t length = 14; length < 18; length++) { /* ends inside the tag */
        packet = request(0, 0, 0, length);
        g_assert_cmpint(to_meta(&packet), ==, -EBADMSG);
    }
}

/* --- Checksum requests */

static uint32_t csum_request(bool ip4, bool tcp, uint32_t l4)
{
    return (ip4 ? RNDIS_TX_CSUM_IP4 : RNDIS_TX_CSUM_IP6) |
           (tcp ? RNDIS_TX_CSUM_TCP : RNDIS_TX_CSUM_UDP) | l4 << 16;
}

static void test_checksum(void)
{
    for (unsigned i = 0; i < 4; i++) {
        bool ip4 = i & 1, tcp = i & 2;
        for (uint32_t payload = 0; payload < 1400; payload += 1 + payload / 3) {
            uint32_t l4 = ip_frame(frame, ip4, tcp ? IP_TCP : IP_UDP, tcp ? 32 : 8, payload);
            uint32_t length = l4 + (tcp ? 32 : 8) + payload;

            g_assert_cmpint(csum_meta(csum_request(ip4, tcp, l4), length), ==, 0);
            g_assert_cmpuint(meta.length, ==, length);
            g_assert_cmpuint(meta.csum_start, ==, l4);
            g_assert_cmpuint(meta.csum_offset, ==, tcp ? 16 : 6);
            g_assert_cmpuint(meta.gso, ==, FRAME_GSO_NONE);
            finish_and_check();
        }
    }
}

/* A tag in the bytes moves everything, the guest's offset does not know. */
static void test_checksum_tagged(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 100), length = l4 + 120;

    memmove(frame + 16, frame + 12, length - 12);
    wire_put16(frame + 12, ETHERTYPE_VLAN);
    wire_put16(frame + 14, 9);
    g_assert_cmpint(csum_meta(csum_request(true, true, l4 + 4), length + 4), ==, 4);
    g_assert_cmpuint(meta.csum_start, ==, l4);
    finish_and_check();
}

/* Padding is no part of the sum. */
static void test_checksum_padded(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_UDP, 8, 3);

    memset(frame + l4 + 11, 0xee, 60);
    g_assert_cmpint(csum_meta(csum_request(true, false, l4), 60), ==, 0);
    g_assert_cmpuint(meta.length, ==, l4 + 11);
    finish_and_check();
}

static void test_header_checksum(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_UDP, 8, 10);

    wire_put16(frame + L2 + 10, 0xbeef);
    g_assert_cmpint(csum_meta(RNDIS_TX_CSUM_IP4 | RNDIS_TX_CSUM_HEADER, l4 + 18), ==, 0);
    g_assert_cmphex(ones_sum(0, frame + L2, 20), ==, 0xffff);
    g_assert_cmphex(meta.flags, ==, 0);
}

static void test_extension_headers(void)
{
    uint32_t l4 = ip_frame(frame, false, IP6_HOPS, 40, 30); /* 8 hop-by-hop, 12 options, 20 TCP */

    frame[l4] = IP6_DESTINATION;
    frame[l4 + 1] = 0;
    memmove(frame + l4 + 8, frame + l4, 2);
    frame[l4 + 8] = IP_TCP;
    frame[l4 + 9] = 0;
    l4 += 16;
    frame[l4 + 12] = 0x50;
    g_assert_cmpint(csum_meta(csum_request(false, true, l4), l4 + 54), ==, 0);
    g_assert_cmpuint(meta.csum_start, ==, l4);
    finish_and_check();
}

static void expect_csum_bad(uint32_t csum, uint32_t length)
{
    g_assert_cmpint(csum_meta(csum, length), ==, -EBADMSG);
}

static void test_family_lies(void)
{
    uint32_t l4 = ip_frame(frame, false, IP_TCP, 20, 40);

    expect_csum_bad(csum_request(true, true, l4), l4 + 60);
    expect_csum_bad(RNDIS_TX_CSUM_HEADER, l4 + 60);
    expect_csum_bad(RNDIS_TX_CSUM_IP6 | RNDIS_TX_CSUM_HEADER, l4 + 60);
    l4 = ip_frame(frame, true, IP_TCP, 20, 40);
    expect_csum_bad(csum_request(false, true, l4), l4 + 60);
    expect_csum_bad(csum_request(true, true, l4) | RNDIS_TX_CSUM_IP6, l4 + 60);
    wire_put16(frame + 12, ETHERTYPE_ARP);
    expect_csum_bad(RNDIS_TX_CSUM_IP4 | RNDIS_TX_CSUM_HEADER, l4 + 60);
    expect_csum_bad(csum_request(true, true, l4), l4 + 60);
}

static void test_protocol_lies(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_UDP, 20, 40);

    expect_csum_bad(csum_request(true, true, l4), l4 + 60);
    expect_csum_bad(csum_request(true, false, l4) | RNDIS_TX_CSUM_TCP, l4 + 60);
    ip_frame(frame, true, IP_ICMP, 20, 40);
    expect_csum_bad(csum_request(true, false, l4), l4 + 60);
    l4 = ip_frame(frame, false, IP6_ROUTING, 40, 40);
    expect_csum_bad(csum_request(false, true, l4), l4 + 80);
    ip_frame(frame, false, IP6_FRAGMENT, 40, 40);
    expect_csum_bad(csum_request(false, true, l4), l4 + 80);
}

static void test_fragments(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_UDP, 8, 40);

    wire_put16(frame + L2 + 6, 0x2000);
    expect_csum_bad(csum_request(true, false, l4), l4 + 48);
    wire_put16(frame + L2 + 6, 0x0001);
    expect_csum_bad(csum_request(true, false, l4), l4 + 48);
    wire_put16(frame + L2 + 6, 0x4000); /* do not */
    g_assert_cmpint(csum_meta(csum_request(true, false, l4), l4 + 48), ==, 0);
}

static void test_checksum_offset_lies(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 40);

    for (uint32_t offset = 1; offset < 1024; offset++)
        if (offset != l4)
            expect_csum_bad(csum_request(true, true, offset), l4 + 60);
    g_assert_cmpint(csum_meta(csum_request(true, true, 0), l4 + 60), ==, 0);
}

/* The checksum field, or the headers on the way to it, lie past the end. */
static void test_checksum_past_end(void)
{
    for (unsigned i = 0; i < 4; i++) {
        bool ip4 = i & 1, tcp = i & 2;
        uint32_t l4 = ip_frame(frame, ip4, tcp ? IP_TCP : IP_UDP, tcp ? 20 : 8, 0);

        for (uint32_t length = 14; length < l4 + (tcp ? 20 : 8); length++) {
            expect_csum_bad(csum_request(ip4, tcp, l4), length);
            if (ip4 && length >= L2 + 20)
                wire_put16(frame + L2 + 2, length - L2);
            if (!ip4 && length >= L2 + 40)
                wire_put16(frame + L2 + 4, length - L2 - 40);
            expect_csum_bad(csum_request(ip4, tcp, l4), length);
        }
    }
}

static void test_ip_lengths_lie(void)
{
    static const uint32_t wrong[] = {0, 19, 20, 39, 81, 65535};
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 40);

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        wire_put16(frame + L2 + 2, wrong[i]);
        expect_csum_bad(csum_request(true, true, l4), l4 + 60);
    }
    for (unsigned header = 0; header < 16; header++) {
        ip_frame(frame, true, IP_TCP, 20, 40);
        frame[L2] = (uint8_t)(0x40 | header);
        if (header != 5)
            expect_csum_bad(csum_request(true, true, l4), l4 + 60);
    }
    ip_frame(frame, true, IP_TCP, 20, 40);
    frame[L2] = 0x65;
    expect_csum_bad(csum_request(true, true, l4), l4 + 60);
}

/* Extension headers that go on beyond what is looked at, or beyond the frame. */
static void test_extension_headers_long(void)
{
    uint32_t l4 = ip_frame(frame, false, IP6_HOPS, 1000, 40);

    for (unsigned units = 0; units < 256; units++) {
        frame[l4] = IP6_HOPS;
        frame[l4 + 1] = (uint8_t)units;
        memset(frame + l4 + 8, 0, 992); /* hop-by-hop of 8 bytes, again and again */
        expect_csum_bad(csum_request(false, true, 0), l4 + 1040);
    }
}

/* --- Large sends */

#define MSS 1448u

static uint32_t lso_request(bool ip4, uint32_t l4, uint32_t mss)
{
    return mss | l4 << 20 | RNDIS_LSO_V2 | (ip4 ? 0 : RNDIS_LSO_IP6);
}

static void test_lso(void)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t payload = 60000, l4 = ip_frame(frame, i == 0, IP_TCP, 32, payload);
        uint32_t length = l4 + 32 + payload, mss = i == 0 ? MSS : 1428;

        /* As Linux leaves it. */
        wire_put16(frame + L2 + (i == 0 ? 2 : 4), 0);
        g_assert_cmpint(lso_meta(lso_request(i == 0, l4, mss), length), ==, 0);
        g_assert_cmpuint(meta.length, ==, length);
        g_assert_cmpuint(meta.gso, ==, i == 0 ? FRAME_GSO_TCPV4 : FRAME_GSO_TCPV6);
        g_assert_cmpuint(meta.gso_size, ==, mss);
        g_assert_cmpuint(meta.header, ==, l4 + 32);
        g_assert_cmpuint(meta.csum_start, ==, l4);
        if (i == 0) {
            g_assert_cmpuint(wire_get16(frame + L2 + 2), ==, length - L2);
            g_assert_cmphex(ones_sum(0, frame + L2, 20), ==, 0xffff);
        } else {
            g_assert_cmpuint(wire_get16(frame + L2 + 4), ==, length - L2 - 40);
        }
        finish_and_check();
    }
}

/* What fits into one segment is no large send. */
static void test_lso_one_segment(void)
{
    static const uint32_t payloads[] = {0, 1, MSS};

    for (unsigned i = 0; i < G_N_ELEMENTS(payloads); i++) {
        uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, payloads[i]);

        g_assert_cmpint(lso_meta(lso_request(true, l4, MSS), l4 + 20 + payloads[i]), ==, 0);
        g_assert_cmpuint(meta.gso, ==, FRAME_GSO_NONE);
        finish_and_check();
    }
}

static void expect_lso_bad(uint32_t lso, uint32_t length)
{
    g_assert_cmpint(lso_meta(lso, length), ==, -EBADMSG);
}

static void test_lso_mss(void)
{
    static const uint32_t bad[] = {0, 1, 7, 65536, 0xfffff};
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 5000);

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        expect_lso_bad(lso_request(true, l4, bad[i]), l4 + 5020);
    g_assert_cmpint(lso_meta(lso_request(true, l4, 1461), l4 + 5020), ==, -EMSGSIZE);
    g_assert_cmpint(lso_meta(lso_request(true, l4, 4999), l4 + 5020), ==, -EMSGSIZE);
    g_assert_cmpint(lso_meta(lso_request(true, l4, 65535), l4 + 5020), ==, -EMSGSIZE);
    g_assert_cmpint(lso_meta(lso_request(true, l4, 1460), l4 + 5020), ==, 0);
    ip_frame(frame, true, IP_TCP, 20, 5000);
    g_assert_cmpint(lso_meta(lso_request(true, l4, 8), l4 + 5020), ==, 0);
}

static void test_lso_lies(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 5000), length = l4 + 5020;

    expect_lso_bad(lso_request(true, l4, MSS) & ~RNDIS_LSO_V2, length);
    expect_lso_bad(lso_request(false, l4, MSS), length);
    for (uint32_t offset = 0; offset < 1024; offset++)
        if (offset != l4)
            expect_lso_bad(lso_request(true, offset, MSS), length);
    frame[L2 + 9] = IP_UDP;
    expect_lso_bad(lso_request(true, l4, MSS), length);
    frame[L2 + 9] = IP_TCP;
    wire_put16(frame + L2 + 6, 0x2000);
    expect_lso_bad(lso_request(true, l4, MSS), length);
    ip_frame(frame, false, IP6_ROUTING, 28, 5000);
    expect_lso_bad(lso_request(false, L2 + 48, MSS), L2 + 40 + 28 + 5000);
    start_frame(frame, 0x88b5, length);
    expect_lso_bad(lso_request(true, l4, MSS), length);
    expect_lso_bad(lso_request(false, l4, MSS), length);
}

static void test_lso_tcp_header(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 30);

    for (unsigned words = 0; words < 16; words++) {
        ip_frame(frame, true, IP_TCP, 20, 30);
        frame[l4 + 12] = (uint8_t)(words << 4);
        int ret = lso_meta(lso_request(true, l4, 8), l4 + 50);
        g_assert_cmpint(ret, ==, words >= 5 && words <= 12 ? 0 : -EBADMSG);
    }
    for (uint32_t length = 14; length < l4 + 20; length++)
        expect_lso_bad(lso_request(true, l4, MSS), length);
}

static void test_lso_too_long(void)
{
    uint32_t l4 = ip_frame(frame, true, IP_TCP, 20, 65535 - 40);

    g_assert_cmpint(lso_meta(lso_request(true, l4, MSS), l4 + 65535 - 20), ==, 0);
    ip_frame(frame, true, IP_TCP, 20, 65535 - 39);
    expect_lso_bad(lso_request(true, l4, MSS), l4 + 65535 - 19);
    l4 = ip_frame(frame, false, IP_TCP, 20, 65535 - 20);
    g_assert_cmpint(lso_meta(lso_request(false, l4, 1440), l4 + 65535), ==, 0);
    ip_frame(frame, false, IP_TCP, 20, 65535 - 19);
    expect_lso_bad(lso_request(false, l4, 1440), l4 + 65536);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rndis-frame/frame/no-request", test_no_request);
    g_test_add_func("/rndis-frame/frame/no-work", test_no_work);
    g_test_add_func("/rndis/attack/frame/frame-lengths", test_frame_lengths);
    g_test_add_func("/rndis-frame/frame/short-head", test_short_head);
    g_test_add_func("/rndis-frame/frame/tag-in-bytes", test_tag_in_bytes);
    g_test_add_func("/rndis/attack/frame/double-tags", test_double_tags);
    g_test_add_func("/rndis/attack/frame/bad-tags", test_bad_tags);
    g_test_add_func("/rndis-frame/checksum/all", test_checksum);
    g_test_add_func("/rndis-frame/checksum/tagged", test_checksum_tagged);
    g_test_add_func("/rndis-frame/checksum/padded", test_checksum_padded);
    g_test_add_func("/rndis-frame/checksum/header", test_header_checksum);
    g_test_add_func("/rndis-frame/checksum/extension-headers", test_extension_headers);
    g_test_add_func("/rndis/attack/frame/family-lies", test_family_lies);
    g_test_add_func("/rndis/attack/frame/protocol-lies", test_protocol_lies);
    g_test_add_func("/rndis/attack/frame/fragments", test_fragments);
    g_test_add_func("/rndis/attack/frame/checksum-offset-lies", test_checksum_offset_lies);
    g_test_add_func("/rndis/attack/frame/checksum-past-end", test_checksum_past_end);
    g_test_add_func("/rndis/attack/frame/ip-lengths-lie", test_ip_lengths_lie);
    g_test_add_func("/rndis/attack/frame/extension-headers-long", test_extension_headers_long);
    g_test_add_func("/rndis-frame/lso/both", test_lso);
    g_test_add_func("/rndis-frame/lso/one-segment", test_lso_one_segment);
    g_test_add_func("/rndis/attack/frame/lso-mss", test_lso_mss);
    g_test_add_func("/rndis/attack/frame/lso-lies", test_lso_lies);
    g_test_add_func("/rndis/attack/frame/lso-tcp-header", test_lso_tcp_header);
    g_test_add_func("/rndis/attack/frame/lso-too-long", test_lso_too_long);
    return g_test_run();
}
