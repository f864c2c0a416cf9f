/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of inspecting frames: what is read and how much, what comes out, and the form that a frame
 * gets inside the switch.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/packet_maker.h"
#include "vswitch/inspect.h"
#include "vswitch/wire.h"

static struct maker maker;

static void tcp_frame(uint16_t tag)
{
    make(&maker, maker_other, maker_guest);
    if (tag)
        make_tag(&maker, ETHERTYPE_VLAN, tag);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_TCP, 0, 0);
    for (unsigned i = 0; i < 1000; i++)
        make_bytes(&maker, &(uint8_t){(uint8_t)i}, 1);
}

/* --- Ethernet --------------------------------------------------------------------------------- */

static void test_addresses(void)
{
    struct frame_info info;

    tcp_frame(0);
    for (unsigned split = 0; split < 40; split++) {
        g_assert_true(inspect_frame(make_frame(&maker, split), &info));
        g_assert_cmpmem(info_destination(&info), 6, maker_other, 6);
        g_assert_cmpmem(info_source(&info), 6, maker_guest, 6);
        g_assert_cmpuint(info.ethertype, ==, ETHERTYPE_IP4);
        g_assert_cmpuint(info.flags, ==, 0);
    }
}

/* A port without policy pays for no more than this. */
static void test_cheap(void)
{
    struct frame_info info;

    tcp_frame(0);
    g_assert_true(inspect_frame(make_frame(&maker, 0), &info));
    g_assert_cmpuint(info.have, <=, 18);
    maker.length = 14;
    g_assert_true(inspect_frame(make_frame(&maker, 0), &info));
    g_assert_cmpuint(info.have, ==, 14);
}

static void test_destinations(void)
{
    static const struct {
        uint8_t mac[6];
        uint16_t flags;
    } cases[] = {{{0, 1, 2, 3, 4, 5}, 0},
                 {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, INFO_BROADCAST},
                 {{0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}, INFO_MULTICAST},
                 {{0x01, 0x00, 0x5e, 1, 2, 3}, INFO_MULTICAST},
                 {{0x01, 0x80, 0xc2, 0, 0, 0x0e}, INFO_MULTICAST | INFO_RESERVED},
                 {{0x01, 0x80, 0xc2, 0, 1, 0x0e}, INFO_MULTICAST}};
    struct frame_info info;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        make(&maker, cases[i].mac, maker_guest);
        make_type(&maker, 0x88b5);
        g_assert_true(inspect_frame(make_frame(&maker, 0), &info));
        g_assert_cmpuint(info.flags, ==, cases[i].flags);
    }
}

static void test_tag(void)
{
    struct frame_info info;

    for (unsigned split = 0; split < 40; split++) {
        tcp_frame(0x6014);
        g_assert_true(inspect_frame(make_frame(&maker, split), &info));
        g_assert_cmpuint(info.flags, ==, INFO_TAGGED);
        g_assert_cmpuint(info.tci, ==, 0x6014);
        g_assert_cmpuint(info.cut, ==, 4);
        g_assert_cmpuint(info.ethertype, ==, ETHERTYPE_IP4);
        g_assert_cmpmem(info_source(&info), 6, maker_guest, 6);
    }
}

/* Group 7: a checksum that begins within the tag. */
static void test_checksum_in_tag(void)
{
    struct frame_info info;
    struct frame *frame;

    tcp_frame(20);
    frame = make_frame(&maker, 0);
    frame->meta.flags = FRAME_CSUM_PARTIAL;
    frame->meta.csum_start = 16;
    g_assert_false(inspect_frame(frame, &info));
    frame->meta.csum_start = 18;
    g_assert_true(inspect_frame(frame, &info));
}

/* --- Deeper ----------------------------------------------------------------------------------- */

static void test_need(void)
{
    struct frame_info info;
    struct frame *frame;

    tcp_frame(0x6014);
    for (unsigned split = 0; split < 300; split += 7) {
        frame = make_frame(&maker, split);
        g_assert_true(inspect_frame(frame, &info));
        g_assert_true(inspect_need(frame, &info, 15));
        g_assert_cmpmem(info.bytes + 14, info.have - 14u, maker.bytes + 18, info.have - 14u);
        g_assert_true(inspect_need(frame, &info, INSPECT_BYTES));
        g_assert_cmpuint(info.have, ==, INSPECT_BYTES);
        g_assert_cmpmem(info.bytes + 14, INSPECT_BYTES - 14, maker.bytes + 18, INSPECT_BYTES - 14);
        g_assert_false(inspect_need(frame, &info, INSPECT_BYTES + 1));
    }
    maker.length = 100;
    frame = make_frame(&maker, 0);
    g_assert_true(inspect_frame(frame, &info));
    g_assert_true(inspect_need(frame, &info, 96));
    g_assert_false(inspect_need(frame, &info, 97)); /* the tag is gone */
}

static void deep(struct frame_info *ret_info)
{
    struct frame *frame = make_frame(&maker, 0);

    g_assert_true(inspect_frame(frame, ret_info));
    inspect_deep(frame, ret_info);
}

static void test_deep_ip4(void)
{
    struct frame_info info;

    make(&maker, maker_other, maker_guest);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_UDP, 0, 8);
    make_udp(&maker, 1000, 2000);
    make_zero(&maker, 3);
    deep(&info);
    g_assert_cmpuint(info.flags, ==, INFO_DEEP | INFO_IP4 | INFO_L4);
    g_assert_cmpuint(info.l3, ==, 14);
    g_assert_cmpuint(info.l4, ==, 42);
    g_assert_cmpuint(info.l4_length, ==, 11);
    g_assert_cmpuint(info.sport, ==, 1000);
    g_assert_cmpuint(info.dport, ==, 2000);
}

static void test_deep_ip6(void)
{
    struct frame_info info;

    make(&maker, maker_other, maker_guest);
    make_tag(&maker, ETHERTYPE_VLAN, 1);
    make_tag(&maker, ETHERTYPE_VLAN, 2);
    make_snap(&maker, ETHERTYPE_IP6);
    make_ip6(&maker, IP6_HOPS);
    make_extension(&maker, IP_ICMP6, 1);
    make_nd(&maker, ICMP6_NEIGHBOUR_SOLICIT, 24, 1, maker_guest);
    deep(&info);
    g_assert_cmpuint(info.flags, ==,
                     INFO_DEEP | INFO_TAGGED | INFO_INNER | INFO_IP6 | INFO_L4 | INFO_CLAIM);
    g_assert_cmpuint(info.ethertype, ==, ETHERTYPE_IP6);
    g_assert_cmpuint(info.l3, ==, 14 + 4 + 8);
    g_assert_cmpuint(info.l4, ==, 14 + 4 + 8 + 40 + 16);
    g_assert_cmpuint(info.icmp_type, ==, ICMP6_NEIGHBOUR_SOLICIT);
    g_assert_cmpmem(info.claim, 6, maker_guest, 6);
}

static void test_deep_other(void)
{
    static const uint8_t bpdu[8] = {0, 38, 0x42, 0x42, 3};
    struct frame_info info;

    make(&maker, maker_other, maker_guest);
    make_bytes(&maker, bpdu, sizeof(bpdu));
    deep(&info);
    g_assert_cmpuint(info.flags, ==, INFO_DEEP);
    maker.length = 16; /* too short for LLC, and still nothing to hide */
    deep(&info);
    g_assert_cmpuint(info.flags, ==, INFO_DEEP);
}

/* --- Settling --------------------------------------------------------------------------------- */

/* The settled frame holds what was made, without the tag in its bytes. */
static void check_settled(const struct frame *frame, uint16_t tag)
{
    static uint8_t bytes[MAKER_BYTES];
    uint32_t skip = tag ? 4 : 0;

    g_assert_cmpuint(frame->meta.length, ==, maker.length - skip);
    g_assert_cmpuint(frame->data[0].iov_len + frame->data[1].iov_len, ==, frame->meta.length);
    g_assert_true(frame_read(frame, 0, bytes, frame->meta.length));
    g_assert_cmpmem(bytes, 12, maker.bytes, 12);
    g_assert_cmpmem(bytes + 12, frame->meta.length - 12, maker.bytes + 12 + skip,
                    frame->meta.length - 12);
}

static void settle(uint16_t tag, unsigned split, uint32_t need, bool pin)
{
    static uint8_t room[MAKER_BYTES];
    struct inspect_bounce bounce = {room, sizeof(room), 0};
    struct frame_info info;

    tcp_frame(tag);
    struct frame *frame = make_frame(&maker, split);
    g_assert_true(inspect_frame(frame, &info));
    g_assert_true(inspect_need(frame, &info, need));
    info.vlan = tag & VLAN_VID;
    info.flags |= pin ? INFO_PIN : 0;
    g_assert_true(inspect_settle(frame, &info, &bounce));
    check_settled(frame, tag);
    g_assert_cmpuint(frame->meta.flags, ==, tag ? FRAME_VLAN : 0);
    g_assert_cmpuint(frame->meta.vlan_tci, ==, tag);
    if (pin)
        g_assert_true(frame->data[0].iov_base == info.bytes || bounce.used);
    g_assert_true(inspect_need(frame, &info, INSPECT_BYTES)); /* still right afterwards */
    g_assert_cmpmem(info.bytes + 14, 200, maker.bytes + (tag ? 18 : 14), 200);
}

static void test_settle(void)
{
    for (unsigned split = 0; split < 300; split++) {
        for (uint32_t need = 14; need < 256; need += 60) {
            settle(0, split, need, false);
            settle(0, split, need, true);
            settle(0xe014, split, need, false);
            settle(0xe014, split, need, true);
        }
    }
}

static void test_settle_untouched(void)
{
    struct frame_info info;

    tcp_frame(0);
    struct frame *frame = make_frame(&maker, 100), before = *frame;
    g_assert_true(inspect_frame(frame, &info));
    g_assert_true(inspect_settle(frame, &info, NULL));
    g_assert_cmpmem(frame, sizeof(*frame), &before, sizeof(before));
}

static void test_settle_offsets(void)
{
    struct frame_info info;
    struct frame *frame;

    tcp_frame(20);
    frame = make_frame(&maker, 0);
    frame->meta.flags = FRAME_CSUM_PARTIAL;
    frame->meta.csum_start = 38;
    frame->meta.gso = FRAME_GSO_TCPV4;
    frame->meta.header = 58;
    g_assert_true(inspect_frame(frame, &info));
    info.vlan = 20;
    g_assert_true(inspect_settle(frame, &info, NULL));
    g_assert_cmpuint(frame->meta.csum_start, ==, 34);
    g_assert_cmpuint(frame->meta.header, ==, 54);
}

static void test_settle_tag(void)
{
    struct frame_info info;
    struct frame *frame;

    tcp_frame(0);
    frame = make_frame(&maker, 0);
    frame->meta.flags = FRAME_VLAN;
    frame->meta.vlan_tci = 0xa000;
    g_assert_true(inspect_frame(frame, &info));
    info.vlan = 7; /* the access VLAN: the priority stays */
    g_assert_true(inspect_settle(frame, &info, NULL));
    g_assert_cmpuint(frame->meta.vlan_tci, ==, 0xa007);
    info.vlan = 0;
    g_assert_true(inspect_settle(frame, &info, NULL));
    g_assert_cmpuint(frame->meta.flags, ==, 0);
    g_assert_cmpuint(frame->meta.vlan_tci, ==, 0);
}

static void test_bounce_full(void)
{
    uint8_t room[64];
    struct inspect_bounce bounce = {room, sizeof(room), 0};
    struct frame_info info;
    struct frame *frame;

    tcp_frame(20);
    frame = make_frame(&maker, 65); /* 14 of the copy and 47 of the rest */
    g_assert_true(inspect_frame(frame, &info));
    g_assert_true(inspect_settle(frame, &info, &bounce));
    g_assert_cmpuint(bounce.used, ==, 61);
    frame = make_frame(&maker, 65);
    g_assert_true(inspect_frame(frame, &info));
    g_assert_false(inspect_settle(frame, &info, &bounce));
    g_assert_false(inspect_settle(frame, &info, NULL));
    g_assert_cmpuint(bounce.used, ==, 61);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inspect/addresses", test_addresses);
    g_test_add_func("/inspect/cheap", test_cheap);
    g_test_add_func("/inspect/destinations", test_destinations);
    g_test_add_func("/inspect/tag", test_tag);
    g_test_add_func("/inspect/checksum-in-tag", test_checksum_in_tag);
    g_test_add_func("/inspect/need", test_need);
    g_test_add_func("/inspect/deep-ip4", test_deep_ip4);
    g_test_add_func("/inspect/deep-ip6", test_deep_ip6);
    g_test_add_func("/inspect/deep-other", test_deep_other);
    g_test_add_func("/inspect/settle", test_settle);
    g_test_add_func("/inspect/settle-untouched", test_settle_untouched);
    g_test_add_func("/inspect/settle-offsets", test_settle_offsets);
    g_test_add_func("/inspect/settle-tag", test_settle_tag);
    g_test_add_func("/inspect/bounce-full", test_bounce_full);
    int result = g_test_run();
    make_free(&maker);
    return result;
}
