/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames for tests: see the header.
 */
#include "tests/unit/packet_maker.h"

#include <glib.h>
#include <string.h>

#include "vswitch/checksum.h"
#include "vswitch/wire.h"

#define SPLITS 100u

const uint8_t maker_guest[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};
const uint8_t maker_other[6] = {0x00, 0x15, 0x5d, 0x0a, 0x0b, 0x0c};
const uint8_t maker_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void make_bytes(struct maker *maker, const void *bytes, uint32_t length)
{
    g_assert_cmpuint(maker->length + length, <=, MAKER_BYTES);
    memcpy(maker->bytes + maker->length, bytes, length);
    maker->length += length;
}

void make_zero(struct maker *maker, uint32_t length)
{
    g_assert_cmpuint(maker->length + length, <=, MAKER_BYTES);
    memset(maker->bytes + maker->length, 0, length);
    maker->length += length;
}

static void put8(struct maker *maker, uint8_t value)
{
    make_bytes(maker, &value, 1);
}

static void put16(struct maker *maker, uint16_t value)
{
    uint8_t bytes[2];

    wire_put16(bytes, value);
    make_bytes(maker, bytes, sizeof(bytes));
}

void make(struct maker *maker, const uint8_t *to, const uint8_t *from)
{
    maker->length = maker->ip4 = maker->ip6 = 0;
    maker->lying = false;
    make_bytes(maker, to, 6);
    make_bytes(maker, from, 6);
}

void make_type(struct maker *maker, uint16_t type)
{
    put16(maker, type);
}

void make_tag(struct maker *maker, uint16_t type, uint16_t tci)
{
    put16(maker, type);
    put16(maker, tci);
}

void make_snap(struct maker *maker, uint16_t type)
{
    static const uint8_t llc[6] = {0xaa, 0xaa, 0x03};

    put16(maker, 100);
    make_bytes(maker, llc, sizeof(llc));
    put16(maker, type);
}

void make_arp(struct maker *maker, const uint8_t *sender)
{
    static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 2};
    static const uint8_t addresses[14] = {10, 0, 0, 1};

    make_bytes(maker, head, sizeof(head));
    make_bytes(maker, sender, 6);
    make_bytes(maker, addresses, sizeof(addresses));
}

void make_ip4(struct maker *maker, uint8_t protocol, uint16_t fragment, uint8_t options)
{
    static const uint8_t addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};

    maker->ip4 = maker->length;
    put8(maker, (uint8_t)(0x45 + options / 4));
    make_zero(maker, 3);
    put16(maker, 0x1234);
    put16(maker, fragment);
    put8(maker, 64);
    put8(maker, protocol);
    make_zero(maker, 2);
    make_bytes(maker, addresses, sizeof(addresses));
    for (unsigned i = 0; i < options; i++)
        put8(maker, 1); /* no operation */
}

void make_ip6(struct maker *maker, uint8_t next)
{
    static const uint8_t from[16] = {0xfe, 0x80, [15] = 1}, to[16] = {0xff, 0x02, [15] = 1};

    maker->ip6 = maker->length;
    put8(maker, 0x60);
    make_zero(maker, 5);
    put8(maker, next);
    put8(maker, 255);
    make_bytes(maker, from, sizeof(from));
    make_bytes(maker, to, sizeof(to));
}

void make_extension(struct maker *maker, uint8_t next, uint8_t units)
{
    static const uint8_t padding[6] = {1, 4};

    put8(maker, next);
    put8(maker, units);
    make_bytes(maker, padding, sizeof(padding));
    make_zero(maker, units * 8u);
}

void make_fragment(struct maker *maker, uint8_t next, uint16_t offset_and_more)
{
    put16(maker, (uint16_t)(next << 8));
    put16(maker, offset_and_more);
    make_zero(maker, 4);
}

void make_udp(struct maker *maker, uint16_t sport, uint16_t dport)
{
    put16(maker, sport);
    put16(maker, dport);
    make_zero(maker, 4);
}

void make_nd(struct maker *maker, uint8_t type, uint32_t fixed, uint8_t option, const uint8_t *mac)
{
    put8(maker, type);
    make_zero(maker, fixed - 1);
    if (!mac)
        return;
    put8(maker, option);
    put8(maker, 1);
    make_bytes(maker, mac, 6);
}

static uint8_t *exact(const uint8_t *bytes, uint32_t length)
{
    return memcpy(g_malloc(length + !length), bytes, length);
}

static void finish_ip4(struct maker *maker)
{
    uint8_t *ip = maker->bytes + maker->ip4;

    wire_put16(ip + 2, maker->length - maker->ip4);
    memset(ip + 10, 0, 2);
    checksum_put(ip + 10, checksum_add(0, ip, (ip[0] & 15u) * 4));
}

struct frame *make_frame(struct maker *maker, uint32_t split)
{
    uint32_t length = maker->length;

    if (maker->ip4 && !maker->lying)
        finish_ip4(maker);
    if (maker->ip6 && !maker->lying)
        wire_put16(maker->bytes + maker->ip6 + 4, length - maker->ip6 - IP6_BYTES);
    make_free(maker);
    split = split && split < length ? split : length;
    maker->piece[0] = exact(maker->bytes, split);
    maker->piece[1] = exact(maker->bytes + split, length - split);
    maker->frame =
        (struct frame){.meta.length = length,
                       .data = {{maker->piece[0], split}, {maker->piece[1], length - split}}};
    return &maker->frame;
}

int make_verdict(struct maker *maker, const struct port_policy *policy, int vid,
                 struct frame_info *ret_info)
{
    int verdict = -1;

    for (unsigned split = 0; split < SPLITS; split++) {
        struct frame *frame = make_frame(maker, split);
        int again = DROP_MALFORMED;

        if (vid >= 0) {
            frame->meta.flags |= FRAME_VLAN;
            frame->meta.vlan_tci = (uint16_t)vid;
        }
        if (inspect_frame(frame, ret_info))
            again = policy_ingress(policy, frame, ret_info);
        g_assert_true(split == 0 || verdict == again);
        verdict = again;
    }
    return verdict;
}

void make_free(struct maker *maker)
{
    for (unsigned i = 0; i < 2; i++)
        g_clear_pointer(&maker->piece[i], g_free);
}
