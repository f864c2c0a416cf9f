/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of IGMP and MLD snooping: who gets a group's frames, and what hostile reports can and
 * cannot do.
 */
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/unit/group_maker.h"
#include "vswitch/snoop.h"
#include "vswitch/wire.h"

#define SECOND   1000000000ull
#define START    (1000 * SECOND)
#define SETTLED  (START + SNOOP_SETTLE_NS)
#define ROUTER   1u /* ports */
#define MEMBER   2u
#define STRANGER 3u
#define SENDER   200u
#define STATION  (SNOOP_ROUTER | SNOOP_FAST_LEAVE)

static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 1, 2, 3};
static const uint8_t group4[4] = {239, 1, 2, 3}, other4[4] = {239, 1, 2, 4};
static const uint8_t group6[16] = {0xff, 0x05, [15] = 9}, other6[16] = {0xff, 0x05, [15] = 8};
static const uint8_t local6[16] = {0xff, 0x02, [12] = 0, [15] = 0xfb};

static struct maker maker;
static struct snoop *snoop;

/* What one frame does; like snoop_frame(). */
static bool goes(unsigned port, unsigned flags, uint16_t vlan, uint64_t now, struct port_set *set)
{
    struct frame_info info;
    struct frame *frame = make_frame(&maker, 0);

    g_assert_true(inspect_frame(frame, &info));
    info.vlan = vlan;
    return snoop_frame(snoop, frame, &info, port, flags, now, set);
}

static void send(unsigned port, unsigned flags, uint64_t now)
{
    struct port_set set;

    goes(port, flags, 0, now, &set);
}

/* --- Expectations ----------------------------------------------------------------------------- */

static void expect(uint64_t now, bool router, bool member)
{
    struct port_set set;

    g_assert_true(goes(SENDER, 0, 0, now, &set));
    g_assert_cmpuint(port_set_has(&set, ROUTER), ==, router);
    g_assert_cmpuint(port_set_has(&set, MEMBER), ==, member);
    g_assert_false(port_set_has(&set, STRANGER));
    g_assert_false(port_set_has(&set, SENDER));
}

static void expect_flood(uint64_t now)
{
    struct port_set set;

    g_assert_false(goes(SENDER, 0, 0, now, &set));
}

static void begin(void)
{
    snoop_free(snoop);
    snoop = snoop_new();
    snoop_age(snoop, START);
}

static void begin_with_routers(void)
{
    begin();
    make_query4(&maker);
    send(ROUTER, STATION, START);
    make_query6(&maker);
    send(ROUTER, STATION, START);
}

/* --- Learning --------------------------------------------------------------------------------- */

static void test_no_querier(void)
{
    begin();
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, STATION, START);
    make_data4(&maker, group4);
    expect_flood(SETTLED);
    make_data4(&maker, other4);
    expect_flood(SETTLED);
}

/* Members have had no time to answer yet. */
static void test_settling(void)
{
    begin_with_routers();
    make_data4(&maker, group4);
    expect_flood(START);
    expect_flood(SETTLED - 1);
    expect(SETTLED, true, false);
}

static void test_igmp(void)
{
    static const uint8_t reports[] = {0x12, 0x16};

    for (unsigned i = 0; i < G_N_ELEMENTS(reports); i++) {
        begin_with_routers();
        make_igmp(&maker, reports[i], group4);
        send(MEMBER, STATION, START);
        g_assert_cmpuint(snoop_groups(snoop), ==, 1);
        make_data4(&maker, group4);
        expect(SETTLED, true, true);
        make_data4(&maker, other4);
        expect(SETTLED, true, false);
        make_igmp(&maker, 0x17, group4);
        send(MEMBER, STATION, SETTLED);
        make_data4(&maker, group4);
        expect(SETTLED, true, false);
        g_assert_cmpuint(snoop_groups(snoop), ==, 0);
    }
}

static void test_mld(void)
{
    begin_with_routers();
    make_mld(&maker, 131, group6);
    send(MEMBER, STATION, START);
    make_data6(&maker, group6);
    expect(SETTLED, true, true);
    make_data6(&maker, other6);
    expect(SETTLED, true, false);
    make_mld(&maker, 132, group6);
    send(MEMBER, STATION, SETTLED);
    make_data6(&maker, group6);
    expect(SETTLED, true, false);
}

/* Types: is-in, is-ex, to-in, to-ex, allow, block. */
static void records(bool six, uint8_t type, uint16_t sources, bool before, bool after)
{
    const void *group = six ? (const void *)group6 : group4;
    const void *other = six ? (const void *)other6 : other4;
    unsigned length = six ? 16 : 4;

    begin_with_routers();
    if (before) {
        six ? make_mld(&maker, 131, group6) : make_igmp(&maker, 0x16, group4);
        send(MEMBER, STATION, START);
    }
    six ? make_mld2(&maker) : make_igmp3(&maker);
    make_record(&maker, 4, 3, 2, other, length); /* one in front, with sources and auxiliary data */
    make_record(&maker, type, sources, 0, group, length);
    send(MEMBER, STATION, START);
    six ? make_data6(&maker, group) : make_data4(&maker, group);
    expect(SETTLED, true, after);
    six ? make_data6(&maker, other) : make_data4(&maker, other);
    expect(SETTLED, true, true);
}

static void test_records(void)
{
    for (unsigned six = 0; six < 2; six++) {
        records(six, 1, 0, false, false);
        records(six, 1, 0, true, true);
        records(six, 1, 2, false, true);
        records(six, 2, 0, false, true);
        records(six, 2, 2, false, true);
        records(six, 3, 0, false, false);
        records(six, 3, 0, true, false);
        records(six, 3, 1, false, true);
        records(six, 4, 0, false, true);
        records(six, 5, 1, false, true);
        records(six, 6, 1, false, false);
        records(six, 6, 1, true, true);
        records(six, 7, 1, false, false);
    }
}

static void test_local(void)
{
    static const uint8_t mdns[4] = {224, 0, 0, 251};

    begin_with_routers();
    make_igmp(&maker, 0x16, mdns);
    send(MEMBER, STATION, START);
    make_mld(&maker, 131, local6);
    send(MEMBER, STATION, START);
    g_assert_cmpuint(snoop_groups(snoop), ==, 0);
    make_data4(&maker, mdns);
    expect_flood(SETTLED);
    make_data6(&maker, local6);
    expect_flood(SETTLED);
}

/* Reports must not be heard by other members; queries must. */
static void test_messages_go(void)
{
    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, STATION, START);
    expect(SETTLED, true, false);
    make_mld(&maker, 131, group6);
    expect(SETTLED, true, false);
    make_igmp3(&maker);
    make_record(&maker, 4, 0, 0, group4, 4);
    expect(SETTLED, true, false);
    make_query4(&maker);
    expect_flood(SETTLED);
    make_query6(&maker);
    expect_flood(SETTLED);
}

static void test_not_ip(void)
{
    begin_with_routers();
    make(&maker, multicast, maker_guest);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
    expect_flood(SETTLED);
    make_data4(&maker, (const uint8_t[]){10, 0, 0, 1}); /* of IP it is unicast */
    expect_flood(SETTLED);
    make_data4(&maker, group4);
    maker.length = 30; /* a header cut short */
    expect_flood(SETTLED);
}

static void test_vlans(void)
{
    struct port_set set;

    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    g_assert_false(goes(MEMBER, STATION, 7, START, &set)); /* no querier in there */
    make_data4(&maker, group4);
    expect(SETTLED, true, false);
    make_query4(&maker);
    goes(STRANGER, STATION, 7, START, &set);
    make_data4(&maker, group4);
    g_assert_true(goes(SENDER, 0, 7, SETTLED, &set));
    g_assert_true(port_set_has(&set, MEMBER));
    g_assert_true(port_set_has(&set, STRANGER));
    g_assert_false(port_set_has(&set, ROUTER));
}

static void send_hello(unsigned port)
{
    static const uint8_t all[4] = {224, 0, 0, 13}, hello[4] = {0x20};

    make_multicast4(&maker, IP_PIM, all);
    make_bytes(&maker, hello, 4);
    send(port, STATION, START);
}

/* A router of PIM gets every group, if somebody else asks. */
static void test_pim(void)
{
    static const uint8_t all[4] = {224, 0, 0, 13}, join[4] = {0x23};

    begin();
    make_query4(&maker);
    send(ROUTER, STATION, START);
    make_multicast4(&maker, IP_PIM, all);
    make_bytes(&maker, join, 4);
    send(MEMBER, STATION, START);
    make_data4(&maker, group4);
    expect(SETTLED, true, false);
    send_hello(MEMBER);
    make_data4(&maker, group4);
    expect(SETTLED, true, true);
}

/* A router that does not ask: nobody reports to it, so nothing is known of who wants what. */
static void test_pim_without_querier(void)
{
    begin();
    send_hello(ROUTER);
    make_data4(&maker, group4);
    expect_flood(SETTLED);
}

/* Queries that stations do not answer, or not soon, must not make members lose their groups. */
static void test_unanswered_queries(void)
{
    static const uint8_t all[4] = {224, 0, 0, 1}, none[4] = {0};
    static const uint8_t all6[16] = {0xff, 0x02, [15] = 1}, none6[16] = {0};

    for (unsigned kind = 0; kind < 9; kind++) {
        begin();
        switch (kind) {
        case 0: /* of one group */
            make_ask4(&maker, group4, group4, 100);
            break;
        case 1: /* to nobody */
            make_ask4(&maker, group4, none, 100);
            break;
        case 2: /* in 53 minutes */
            make_ask4(&maker, all, none, 0xff);
            break;
        case 3: /* its checksum is wrong */
            make_query4(&maker);
            maker.bytes[maker.length - 6] ^= 1;
            break;
        case 4: /* its header's */
            make_query4(&maker);
            make_free(&maker);
            make_frame(&maker, 0);
            maker.bytes[maker.ip4 + 10] ^= 1;
            maker.lying = true;
            break;
        case 5:
            make_ask6(&maker, group6, group6, 10000);
            break;
        case 6:
            make_ask6(&maker, group6, none6, 10000);
            break;
        case 7:
            make_ask6(&maker, all6, none6, 0xffff);
            break;
        case 8:
            make_query6(&maker);
            maker.bytes[maker.length - 22] ^= 1;
            break;
        }
        send(ROUTER, STATION, START);
        maker.lying = false;
        kind < 5 ? make_data4(&maker, group4) : make_data6(&maker, group6);
        expect_flood(SETTLED);
    }
}

/* Beneath one more tag it is another network's, which nobody here answers. */
static void test_wrapped_query(void)
{
    begin();
    make_query4(&maker);
    memmove(maker.bytes + 16, maker.bytes + 12, maker.length - 12);
    wire_put16(maker.bytes + 12, ETHERTYPE_SERVICE);
    wire_put16(maker.bytes + 14, 7);
    maker.length += 4;
    maker.ip4 += 4;
    send(ROUTER, STATION, START);
    make_data4(&maker, group4);
    expect_flood(SETTLED);
}

/* A report of more groups than are looked at: the port gets all. */
static void test_long_report(void)
{
    uint8_t group[4] = {239, 9};

    begin_with_routers();
    make_igmp3(&maker);
    for (unsigned i = 0; i < 300; i++) {
        wire_put16(group + 2, i);
        make_record(&maker, 4, 0, 0, group, sizeof(group));
    }
    send(MEMBER, SNOOP_ROUTER, START);
    make_data4(&maker, group);
    expect(SETTLED, true, true);
}

/* --- Time and ports --------------------------------------------------------------------------- */

/* Turn the generations from `from` on, as often as `count`, with a query in each. */
static uint64_t turns(uint64_t from, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        from += SNOOP_GENERATION_NS;
        snoop_age(snoop, from);
        make_query4(&maker);
        send(ROUTER, STATION, from);
    }
    return from;
}

static void test_ageing(void)
{
    uint64_t now;

    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, STATION, START);
    snoop_age(snoop, START + SNOOP_GENERATION_NS - 1);
    now = turns(START, 2);
    make_data4(&maker, group4);
    expect(now, true, true);
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, STATION, now); /* again */
    now = turns(now, 2);
    make_data4(&maker, group4);
    expect(now, true, true);
    now = turns(now, 1);
    make_data4(&maker, group4);
    expect(now, true, false);
    g_assert_cmpuint(snoop_groups(snoop), ==, 0);
}

static void test_router_ages(void)
{
    begin_with_routers();
    for (unsigned i = 1; i <= 3; i++) {
        snoop_age(snoop, START + i * SNOOP_GENERATION_NS);
        make_data4(&maker, group4);
        if (i < 3)
            expect(START + i * SNOOP_GENERATION_NS, true, false);
        else
            expect_flood(START + i * SNOOP_GENERATION_NS);
    }
    make_query4(&maker); /* the next one must settle again */
    send(ROUTER, STATION, START + 4 * SNOOP_GENERATION_NS);
    make_data4(&maker, group4);
    expect_flood(START + 4 * SNOOP_GENERATION_NS + 1);
}

static void test_forget(void)
{
    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, STATION, START);
    snoop_forget(snoop, MEMBER);
    make_data4(&maker, group4);
    expect(SETTLED, true, false);
    snoop_forget(snoop, ROUTER);
    expect_flood(SETTLED);
    make_query4(&maker); /* a new one: must settle */
    send(ROUTER, STATION, SETTLED);
    make_data4(&maker, group4);
    expect_flood(SETTLED);
    expect(SETTLED + SNOOP_SETTLE_NS, true, false);
}

/* Behind an uplink are several stations: one that leaves does not speak for all. */
static void test_uplink_leaves(void)
{
    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    send(MEMBER, SNOOP_ROUTER, START);
    make_igmp(&maker, 0x17, group4);
    send(MEMBER, SNOOP_ROUTER, START);
    make_data4(&maker, group4);
    expect(SETTLED, true, true);
}

/* --- Hostile ---------------------------------------------------------------------------------- */

static void test_false_router(void)
{
    begin();
    make_query4(&maker);
    send(ROUTER, SNOOP_FAST_LEAVE, START); /* has a router guard */
    make_data4(&maker, group4);
    expect_flood(SETTLED);
    make_query4(&maker);
    memset(maker.bytes + maker.ip4 + 12, 0, 4); /* from 0.0.0.0 */
    send(ROUTER, STATION, START);
    make_data4(&maker, group4);
    expect_flood(SETTLED);
    make_query6(&maker);
    maker.bytes[maker.ip6 + 7] = 2; /* from afar */
    send(ROUTER, STATION, START);
    make_query6(&maker);
    maker.bytes[maker.ip6 + 8] = 0x20; /* not link-local */
    send(ROUTER, STATION, START);
    maker.bytes[maker.ip6 + 8] = 0xfe;
    maker.bytes[maker.ip6 + 9] = 0xc0; /* site-local */
    send(ROUTER, STATION, START);
    make_data6(&maker, group6);
    expect_flood(SETTLED);
}

static void test_fragment(void)
{
    begin_with_routers();
    make_igmp(&maker, 0x16, group4);
    wire_put16(maker.bytes + maker.ip4 + 6, IP4_MORE);
    send(MEMBER, STATION, START);
    g_assert_cmpuint(snoop_groups(snoop), ==, 0);
}

/* Reports cut short at every length, and counts that promise more than there is. */
static void test_short_reports(void)
{
    begin_with_routers();
    make_igmp3(&maker);
    make_record(&maker, 4, 1, 0, group4, 4);
    make_record(&maker, 4, 0, 0, other4, 4);
    wire_put16(maker.bytes + maker.length - 6, 0xffff); /* sources */
    maker.bytes[maker.length - 7] = 0xff;               /* auxiliary words */
    wire_put16(maker.bytes + 14 + 24 + 6, 0xffff);      /* records */
    for (; maker.length > 14; maker.length--)
        send(MEMBER, STATION, START);
    g_assert_cmpuint(snoop_groups(snoop), ==, 2);
    make_data4(&maker, group4);
    expect(SETTLED, true, true);
    make_mld2(&maker);
    make_record(&maker, 4, 0, 0, group6, 16);
    wire_put16(maker.bytes + 14 + 48 + 6, 0xffff);
    for (; maker.length > 14; maker.length--)
        send(MEMBER, STATION, START);
    g_assert_cmpuint(snoop_groups(snoop), ==, 3);
}

static void join_many(unsigned port, unsigned flags, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        const uint8_t group[4] = {239, 9, (uint8_t)(i >> 8), (uint8_t)i};

        make_igmp(&maker, 0x16, group);
        send(port, flags, START);
    }
}

/* One port cannot take the table for itself, also not by leaving what it joined. */
static void test_port_ceiling(void)
{
    struct port_set set;

    begin_with_routers();
    join_many(MEMBER, STATION, 0, LIMIT_SNOOPING_PORT + 100);
    g_assert_cmpuint(snoop_groups(snoop), ==, LIMIT_SNOOPING_PORT);
    make_data4(&maker, group4); /* what it asked for in vain, it gets: everything */
    expect(SETTLED, true, true);
    for (unsigned i = 0; i < LIMIT_SNOOPING_PORT; i++) {
        const uint8_t group[4] = {239, 9, (uint8_t)(i >> 8), (uint8_t)i};

        make_igmp(&maker, 0x17, group);
        send(MEMBER, STATION, START);
    }
    join_many(MEMBER, STATION, 4096, 100);
    g_assert_cmpuint(snoop_groups(snoop), ==, 0);
    snoop_forget(snoop, MEMBER);
    make_data4(&maker, group4);
    expect(SETTLED, true, false);
    make_igmp(&maker, 0x16, group4);
    send(STRANGER, STATION, START);
    make_data4(&maker, group4);
    g_assert_true(goes(SENDER, 0, 0, SETTLED, &set));
    g_assert_true(port_set_has(&set, STRANGER));
}

static void test_table_full(void)
{
    struct port_set set;
    uint64_t now;

    begin_with_routers();
    join_many(50, SNOOP_ROUTER, 0, LIMIT_SNOOPING_GROUPS + 100);
    g_assert_cmpuint(snoop_groups(snoop), ==, LIMIT_SNOOPING_GROUPS - 2); /* two of routers */
    make_data4(&maker, other4);
    expect(SETTLED, true, false);
    make_igmp(&maker, 0x16, other4);
    send(MEMBER, STATION, START); /* the victim: finds no room, and misses nothing */
    make_data4(&maker, other4);
    expect(SETTLED, true, true);
    now = turns(START, 3);
    g_assert_cmpuint(snoop_groups(snoop), ==, 0);
    make_igmp(&maker, 0x16, other4);
    send(MEMBER, STATION, now);
    g_assert_cmpuint(snoop_groups(snoop), ==, 1);
    make_data4(&maker, group4);
    g_assert_true(goes(SENDER, 0, 0, now, &set));
    g_assert_false(port_set_has(&set, MEMBER)); /* and is as others again */
}

/* --- Threads ---------------------------------------------------------------------------------- */

static _Atomic bool stop;

static void *report_and_age(void *context)
{
    static struct maker own;
    struct port_set set;
    uint64_t now = SETTLED;

    (void)context;
    for (unsigned i = 0; !atomic_load(&stop); i++) {
        const uint8_t head[4] = {i & 1 ? 0x17 : 0x16}, group[4] = {239, 7, 0, (uint8_t)(i >> 1)};
        struct frame_info info;

        make(&own, multicast, maker_guest);
        make_type(&own, ETHERTYPE_IP4);
        make_ip4(&own, IP_IGMP, 0, 0);
        memcpy(own.bytes + own.ip4 + 16, group, 4);
        make_bytes(&own, head, 4);
        make_bytes(&own, group, 4);
        struct frame *frame = make_frame(&own, 0);
        g_assert_true(inspect_frame(frame, &info));
        snoop_frame(snoop, frame, &info, STRANGER, STATION, now, &set);
        if (i % 64 == 0)
            snoop_age(snoop, now += SNOOP_GENERATION_NS / 2);
    }
    make_free(&own);
    return NULL;
}

/* A lookup beside changes finds the router, or floods. */
static void test_threads(void)
{
    GThread *thread;
    uint64_t end = (uint64_t)g_get_monotonic_time() + 300000;

    begin_with_routers();
    atomic_store(&stop, false);
    thread = g_thread_new("reports", report_and_age, NULL);
    while ((uint64_t)g_get_monotonic_time() < end) {
        struct port_set set;

        make_query4(&maker);
        send(ROUTER, STATION, START);
        make_igmp(&maker, 0x16, group4);
        send(MEMBER, STATION, START);
        make_data4(&maker, group4);
        if (goes(SENDER, 0, 0, UINT64_MAX / 2, &set))
            g_assert_true(port_set_has(&set, ROUTER));
    }
    atomic_store(&stop, true);
    g_thread_join(thread);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snoop/no-querier", test_no_querier);
    g_test_add_func("/snoop/settling", test_settling);
    g_test_add_func("/snoop/igmp", test_igmp);
    g_test_add_func("/snoop/mld", test_mld);
    g_test_add_func("/snoop/records", test_records);
    g_test_add_func("/snoop/local", test_local);
    g_test_add_func("/snoop/messages-go", test_messages_go);
    g_test_add_func("/snoop/not-ip", test_not_ip);
    g_test_add_func("/snoop/vlans", test_vlans);
    g_test_add_func("/snoop/pim", test_pim);
    g_test_add_func("/snoop/pim-without-querier", test_pim_without_querier);
    g_test_add_func("/snoop/attack/unanswered-queries", test_unanswered_queries);
    g_test_add_func("/snoop/attack/wrapped-query", test_wrapped_query);
    g_test_add_func("/snoop/long-report", test_long_report);
    g_test_add_func("/snoop/ageing", test_ageing);
    g_test_add_func("/snoop/router-ages", test_router_ages);
    g_test_add_func("/snoop/forget", test_forget);
    g_test_add_func("/snoop/uplink-leaves", test_uplink_leaves);
    g_test_add_func("/snoop/false-router", test_false_router);
    g_test_add_func("/snoop/fragment", test_fragment);
    g_test_add_func("/snoop/short-reports", test_short_reports);
    g_test_add_func("/snoop/port-ceiling", test_port_ceiling);
    g_test_add_func("/snoop/table-full", test_table_full);
    g_test_add_func("/snoop/threads", test_threads);
    int result = g_test_run();
    snoop_free(snoop);
    make_free(&maker);
    return result;
}
