/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multicast frames for tests: see the header.
 */
#include "tests/unit/group_maker.h"

#include <string.h>

#include "vswitch/checksum.h"
#include "vswitch/wire.h"

static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 1, 2, 3};

void make_multicast4(struct maker *maker, uint8_t protocol, const uint8_t *to)
{
    make(maker, multicast, maker_guest);
    make_type(maker, ETHERTYPE_IP4);
    make_ip4(maker, protocol, 0, protocol == IP_IGMP ? 4 : 0);
    memcpy(maker->bytes + maker->ip4 + 16, to, 4);
}

void make_igmp(struct maker *maker, uint8_t type, const uint8_t *group)
{
    const uint8_t head[4] = {type};

    make_multicast4(maker, IP_IGMP, group);
    make_bytes(maker, head, 4);
    make_bytes(maker, group, 4);
}

void make_igmp3(struct maker *maker)
{
    static const uint8_t head[8] = {0x22}, to[4] = {224, 0, 0, 22};

    make_multicast4(maker, IP_IGMP, to);
    make_bytes(maker, head, sizeof(head));
}

static void ip6(struct maker *maker, uint8_t next, const uint8_t *to, uint8_t hops)
{
    make(maker, multicast, maker_guest);
    make_type(maker, ETHERTYPE_IP6);
    make_ip6(maker, next);
    maker->bytes[maker->ip6 + 7] = hops;
    memcpy(maker->bytes + maker->ip6 + 24, to, 16);
}

void make_mld(struct maker *maker, uint8_t type, const uint8_t *group)
{
    const uint8_t head[8] = {type};

    ip6(maker, IP6_HOPS, group, 1);
    make_extension(maker, IP_ICMP6, 0);
    make_bytes(maker, head, sizeof(head));
    make_bytes(maker, group, 16);
}

void make_mld2(struct maker *maker)
{
    static const uint8_t head[8] = {143}, to[16] = {0xff, 0x02, [15] = 0x16};

    ip6(maker, IP6_HOPS, to, 1);
    make_extension(maker, IP_ICMP6, 0);
    make_bytes(maker, head, sizeof(head));
}

/* One more record of an IGMPv3 or MLDv2 report. */
void make_record(struct maker *maker, uint8_t type, uint16_t sources, uint8_t words,
                 const void *group, unsigned length)
{
    uint8_t *count = maker->bytes + (maker->ip4 ? 14 + 24 : 14 + 48) + 6;
    uint8_t head[4] = {type, words};

    wire_put16(count, wire_get16(count) + 1u);
    wire_put16(head + 2, sources);
    make_bytes(maker, head, sizeof(head));
    make_bytes(maker, group, length);
    make_zero(maker, sources * length + words * 4u);
}

/* Put the checksum of the message at `at` right; `sum` is of what else belongs to it. */
static void finish(struct maker *maker, uint32_t at, uint64_t sum)
{
    uint8_t *message = maker->bytes + at;

    checksum_put(message + 2, checksum_add(sum, message, maker->length - at));
}

void make_ask4(struct maker *maker, const uint8_t *to, const uint8_t *group, uint8_t code)
{
    const uint8_t head[4] = {0x11, code};

    make_multicast4(maker, IP_IGMP, to);
    uint32_t at = maker->length;
    make_bytes(maker, head, 4);
    make_bytes(maker, group, 4);
    finish(maker, at, 0);
}

void make_ask6(struct maker *maker, const uint8_t *to, const uint8_t *group, uint16_t code)
{
    uint8_t head[8] = {130}, rest[8] = {0, 0, 0, 24, 0, 0, 0, IP_ICMP6};

    wire_put16(head + 4, code);
    ip6(maker, IP6_HOPS, to, 1);
    make_extension(maker, IP_ICMP6, 0);
    uint32_t at = maker->length;
    make_bytes(maker, head, sizeof(head));
    make_bytes(maker, group, 16);
    finish(maker, at,
           checksum_add(checksum_add(0, maker->bytes + maker->ip6 + 8, 32), rest, sizeof(rest)));
}

void make_query4(struct maker *maker)
{
    static const uint8_t all[4] = {224, 0, 0, 1}, none[4] = {0};

    make_ask4(maker, all, none, 100);
}

void make_query6(struct maker *maker)
{
    static const uint8_t all[16] = {0xff, 0x02, [15] = 1}, none[16] = {0};

    make_ask6(maker, all, none, 10000);
}

void make_data4(struct maker *maker, const uint8_t *group)
{
    make_multicast4(maker, IP_UDP, group);
    make_udp(maker, 1, 2);
}

void make_data6(struct maker *maker, const uint8_t *group)
{
    ip6(maker, IP_UDP, group, 8);
    make_udp(maker, 1, 2);
}
