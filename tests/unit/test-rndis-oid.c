/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every OID: its answer, who knows it, what changes, and what a hostile guest sends with it.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/rndis_guest.h"

#define NONE 0xffffffffu /* cannot be queried */

/* --- The list --- */

/* Size of the answer, first NDIS version that knows it, and the value of those with 32 bits. */
static const struct {
    uint32_t oid, size, ndis, value;
} oids[] = {
    {0x00010102, 4, NDIS_5, 0},
    {0x00010103, 4, NDIS_5, 0},
    {0x00010104, 4, NDIS_5, 0},
    {0x00010105, 4, NDIS_5, 1500},
    {0x00010106, 4, NDIS_5, 1500},
    {0x00010107, 4, NDIS_5, 100000000},
    {0x00010108, 4, NDIS_5, 262144},
    {0x00010109, 4, NDIS_5, 262144},
    {0x0001010a, 4, NDIS_5, 1514},
    {0x0001010b, 4, NDIS_5, 1514},
    {0x0001010c, 4, NDIS_5, 0x155d},
    {0x0001010d, 33, NDIS_5, 0},
    {0x0001010e, 4, NDIS_5, 0},
    {0x0001010f, 4, NDIS_5, 1500},
    {0x00010110, 2, NDIS_5, 0},
    {0x00010111, 4, NDIS_5, 1514},
    {0x00010112, NONE, NDIS_5, 0},
    {0x00010113, 4, NDIS_5, 0x24d},
    {0x00010114, 4, NDIS_5, 0},
    {0x00010115, 4, NDIS_5, 0xffffffff},
    {0x00010116, 4, NDIS_5, 0x0100},
    {0x00010118, NONE, NDIS_5, 0},
    {0x0001021b, NONE, NDIS_5, 0},
    {0x00020101, 4, NDIS_5, 3},
    {0x00020102, 4, NDIS_5, 1},
    {0x00020103, 4, NDIS_5, 6},
    {0x00020104, 4, NDIS_5, 5},
    {0x00020105, 4, NDIS_5, 7},
    {0x00020106, 152, NDIS_6, 0}, /* all counters */
    {0x00020216, 512, NDIS_5, 0},
    {0x00020219, 8, NDIS_6, 0},
    {0x0002021a, 8, NDIS_6, 0},
    {0x01010101, 6, NDIS_5, 0},
    {0x01010102, 6, NDIS_5, 0},
    {0x01010103, 0, NDIS_5, 0},
    {0x01010104, 4, NDIS_5, LIMIT_NIC_MULTICAST},
    {0x01020101, 4, NDIS_5, 0},
    {0x01020102, 4, NDIS_5, 0},
    {0x01020103, 4, NDIS_5, 0},
    {0x00010206, 16, NDIS_6, 0},
    {0x00010207, 40, NDIS_6, 0},
    {0x00010208, NONE, NDIS_6, 0},
    {0x0101010a, 28, NDIS_6, 0},
    {0xfc01020b, 156, NDIS_6, 0},
    {0xfc01020c, NONE, NDIS_6, 0},
    {0xfc01020d, 156, NDIS_6, 0},
    {0x00010203, 18, NDIS_6_30, 0},
    {0x00010204, NONE, NDIS_6_30, 0},
};

static const uint32_t versions[] = {NDIS_5, 0x00050001u, NDIS_6, NDIS_6_1, NDIS_6_30, 0x00060055u};

static void count_stats(void *context, struct rndis_stats *ret)
{
    g_assert_cmpstr(context, ==, "context");
    *ret = (struct rndis_stats){
        .frames_in = 0x100000001ull,
        .bytes_in = 0x200000002ull,
        .frames_out = 3,
        .bytes_out = 0x400000004ull,
        .errors_in = 5,
        .errors_out = 6,
        .no_buffer_in = 7,
        .discards_out = 8,
        .in = {{10, 11, 12}, {13, 14, 15}},
        .out = {{16, 17, 18}, {19, 20, 21}},
    };
}

static void set_up(struct rndis_guest *guest, uint32_t ndis)
{
    rndis_guest_init(guest, ndis);
    guest->rndis.stats = count_stats;
    guest->rndis.context = (void *)(uintptr_t) "context";
}

static void test_every_oid(void)
{
    struct rndis_guest guest;

    for (unsigned v = 0; v < G_N_ELEMENTS(versions); v++) {
        set_up(&guest, versions[v]);
        for (unsigned i = 0; i < G_N_ELEMENTS(oids); i++) {
            uint32_t status = rndis_guest_query(&guest, oids[i].oid), value;

            if (oids[i].size == NONE || versions[v] < oids[i].ndis) {
                g_assert_cmphex(status, ==, RNDIS_NOT_SUPPORTED);
                continue;
            }
            g_assert_cmphex(status, ==, RNDIS_SUCCESS);
            if (oids[i].size != 156 || versions[v] >= NDIS_6_30)
                g_assert_cmpuint(guest.answer_len, ==, oids[i].size);
            if (oids[i].size != 4)
                continue;
            memcpy(&value, guest.answer, sizeof(value));
            g_assert_cmphex(value, ==, oids[i].value);
        }
        g_assert_cmphex(guest.rndis.changed, ==, 0);
    }
}

/* The list says what there is, and no more. */
static void test_supported_list(void)
{
    struct rndis_guest guest;
    uint32_t list[128];

    for (unsigned v = 0; v < G_N_ELEMENTS(versions); v++) {
        unsigned expected = 1, count;

        set_up(&guest, versions[v]);
        g_assert_cmphex(rndis_guest_query(&guest, OID_SUPPORTED_LIST), ==, RNDIS_SUCCESS);
        g_assert_cmpuint(guest.answer_len, <=, sizeof(list));
        memcpy(list, guest.answer, guest.answer_len);
        count = guest.answer_len / 4;
        g_assert_cmphex(list[0], ==, OID_SUPPORTED_LIST);
        for (unsigned i = 0; i < G_N_ELEMENTS(oids); i++) {
            unsigned found = 0;

            for (unsigned j = 0; j < count; j++)
                found += list[j] == oids[i].oid;
            g_assert_cmpuint(found, ==, versions[v] >= oids[i].ndis);
            expected += found;
        }
        g_assert_cmpuint(count, ==, expected);
    }
}

static void test_unknown_oids(void)
{
    static const uint32_t unknown[] = {0,          0x00010100, 0x00010117, 0x00010209, 0x0001021a,
                                       0x00020200, 0x01010105, 0xfc010201, 0xfc01020e, 0xffffffff};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_assert_cmphex(rndis_guest_query(&guest, unknown[i]), ==, RNDIS_NOT_SUPPORTED);
        g_assert_cmphex(rndis_guest_set32(&guest, unknown[i], 0), ==, RNDIS_NOT_SUPPORTED);
    }
    g_assert_cmphex(rndis_guest_set32(&guest, OID_PERMANENT_ADDRESS, 0), ==, RNDIS_NOT_SUPPORTED);
    g_assert_cmphex(rndis_guest_set32(&guest, OID_SUPPORTED_LIST, 0), ==, RNDIS_NOT_SUPPORTED);
}

static void test_unknown_version(void)
{
    static const uint32_t bad[] = {0, 0x00040000, NDIS_7, 0xffffffff};
    struct rndis_guest guest;

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        set_up(&guest, bad[i]);
        g_assert_cmphex(rndis_guest_query(&guest, OID_SUPPORTED_LIST), ==, RNDIS_BAD_VERSION);
        g_assert_cmphex(rndis_guest_set32(&guest, OID_CURRENT_PACKET_FILTER, 1), ==,
                        RNDIS_BAD_VERSION);
        g_assert_cmphex(guest.rndis.filter.bits, ==, 0);
    }
}

/* Each OID that can be set, with every length that is too short and with the longest message. */
static void test_set_lengths(void)
{
    static const struct {
        uint32_t oid, least;
    } settable[] = {
        {OID_CURRENT_PACKET_FILTER, 4},     {OID_CURRENT_LOOKAHEAD, 4},
        {OID_PROTOCOL_OPTIONS, 4},          {OID_RNDIS_CONFIG_PARAMETER, 20},
        {OID_OFFLOAD_ENCAPSULATION, 28},    {(uint32_t)OID_OFFLOAD_PARAMETERS, 20},
        {OID_RECEIVE_SCALE_PARAMETERS, 40},
    };
    uint8_t huge[RNDIS_MAX_CONTROL - 28] = {0};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(settable); i++)
        for (uint32_t len = 0; len < settable[i].least; len++)
            g_assert_cmphex(rndis_guest_set(&guest, settable[i].oid, huge, len), ==,
                            RNDIS_BUFFER_TOO_SHORT);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
    for (unsigned byte = 0; byte < 256; byte += 51) {
        memset(huge, (int)byte, sizeof(huge));
        for (unsigned i = 0; i < G_N_ELEMENTS(oids); i++)
            rndis_guest_set(&guest, oids[i].oid, huge, sizeof(huge));
    }
    g_assert_cmphex(rndis_guest_set(&guest, OID_CURRENT_LOOKAHEAD, huge, 4), ==, RNDIS_SUCCESS);
    g_assert_cmphex(rndis_guest_set(&guest, OID_NETWORK_LAYER_ADDRESSES, huge, 0), ==,
                    RNDIS_SUCCESS);
    g_assert_cmphex(rndis_guest_set(&guest, OID_LINK_PARAMETERS, huge, 40), ==, RNDIS_SUCCESS);
}

/* --- Values --- */

static void test_counters(void)
{
    struct rndis_guest guest;
    uint64_t value;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_query(&guest, OID_BYTES_RCV), ==, RNDIS_SUCCESS);
    memcpy(&value, guest.answer, sizeof(value));
    g_assert_cmphex(value, ==, 0x200000002ull);
    g_assert_cmphex(rndis_guest_query(&guest, OID_BYTES_XMIT), ==, RNDIS_SUCCESS);
    memcpy(&value, guest.answer, sizeof(value));
    g_assert_cmphex(value, ==, 0x400000004ull);
    guest.rndis.stats = NULL;
    g_assert_cmphex(rndis_guest_get32(&guest, OID_XMIT_OK), ==, 0);
}

/* All of NDIS_STATISTICS_INFO, in its order. */
static void test_statistics(void)
{
    static const uint64_t expected[] = {
        7, 5, 0x200000002ull, 10, 11, 12, 0x400000004ull, 16, 17, 18, 6, 8, 13, 14, 15, 19, 20, 21};
    struct rndis_guest guest;
    uint32_t valid;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_query(&guest, OID_STATISTICS), ==, RNDIS_SUCCESS);
    g_assert_cmpuint(guest.answer_len, ==, 152);
    g_assert_cmpmem(guest.answer, 4, "\x80\x01\x98\x00", 4);
    memcpy(&valid, guest.answer + 4, sizeof(valid));
    g_assert_cmphex(valid, ==, 0x3f87ff);
    g_assert_cmpmem(guest.answer + 8, 144, expected, sizeof(expected));
    /* NDIS 5 asks for its counters one by one. */
    set_up(&guest, NDIS_5);
    g_assert_cmphex(rndis_guest_query(&guest, OID_STATISTICS), ==, RNDIS_NOT_SUPPORTED);
}

static void test_link(void)
{
    struct ndis_link_state state;
    struct rndis_guest guest;
    uint64_t speeds[2];

    set_up(&guest, NDIS_6_30);
    guest.rndis.link = false;
    guest.rndis.speed = 1000000000000ull; /* more than 32 bits of 100 bit/s */
    g_assert_cmphex(rndis_guest_get32(&guest, OID_MEDIA_CONNECT_STATUS), ==, 1);
    g_assert_cmphex(rndis_guest_get32(&guest, OID_LINK_SPEED), ==, UINT32_MAX);
    g_assert_cmphex(rndis_guest_query(&guest, OID_LINK_STATE), ==, RNDIS_SUCCESS);
    memcpy(&state, guest.answer, sizeof(state));
    g_assert_cmpmem(&state.header, 4, "\x80\x01\x28\x00", 4);
    g_assert_cmpuint(state.connected, ==, 2);
    g_assert_cmpuint(state.duplex, ==, 2);
    g_assert_true(state.xmit_speed == 1000000000000ull && state.rcv_speed == state.xmit_speed);
    g_assert_cmphex(rndis_guest_query(&guest, OID_MAX_LINK_SPEED), ==, RNDIS_SUCCESS);
    memcpy(speeds, guest.answer, sizeof(speeds));
    g_assert_true(speeds[0] == 1000000000000ull && speeds[1] == speeds[0]);
}

/* A name that is no text, or too long, still gives 512 bytes with an end. */
static void test_names(void)
{
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    memset(guest.rndis.name, 'x', sizeof(guest.rndis.name) - 1);
    g_assert_cmphex(rndis_guest_query(&guest, OID_FRIENDLY_NAME), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer + 2 * 62, 4, "x\0\0\0", 4);
    memcpy(guest.rndis.name, "a\xff", 3);
    g_assert_cmphex(rndis_guest_query(&guest, OID_FRIENDLY_NAME), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer, 4, "a\0\0\0", 4);
    g_assert_cmpuint(guest.answer_len, ==, 512);
}

/* --- Filter and multicast list --- */

static const uint8_t own[6] = {0, 0x15, 0x5d, 1, 2, 3}, other[6] = {0, 0x15, 0x5d, 1, 2, 4};
static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1}, group2[6] = {1, 0, 0x5e, 0, 0, 2};
static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static unsigned passes(const struct rndis_guest *guest)
{
    const struct rndis_filter *filter = &guest->rndis.filter;

    return rndis_filter_pass(filter, own) | rndis_filter_pass(filter, other) << 1 |
           rndis_filter_pass(filter, group) << 2 | rndis_filter_pass(filter, group2) << 3 |
           rndis_filter_pass(filter, all) << 4;
}

static void test_filter(void)
{
    static const struct {
        uint32_t bits, kept, passes;
    } cases[] = {
        {0, 0, 0},          {1, 1, 1},
        {2, 2, 4},          {3, 3, 5},
        {4, 4, 12},         {8, 8, 16},
        {0xd, 0xd, 29},     {0x20, 0x20, 31},
        {0xffffffd0, 0, 0}, {0xffffffdf, 15, 29},
        {0x2f, 0x2f, 31},
    };
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, group, 6), ==, RNDIS_SUCCESS);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmphex(rndis_guest_set32(&guest, OID_CURRENT_PACKET_FILTER, cases[i].bits), ==,
                        RNDIS_SUCCESS);
        g_assert_cmphex(rndis_guest_get32(&guest, OID_CURRENT_PACKET_FILTER), ==, cases[i].kept);
        g_assert_cmphex(passes(&guest), ==, cases[i].passes);
    }
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_FILTER);
    guest.rndis.changed = 0;
    rndis_guest_set32(&guest, OID_CURRENT_PACKET_FILTER, 0x2f); /* the same again */
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

static void test_multicast_list(void)
{
    uint8_t list[(LIMIT_NIC_MULTICAST + 1) * 6];
    struct rndis_guest guest;

    for (unsigned i = 0; i < sizeof(list); i++)
        list[i] = i % 6 ? (uint8_t)i : 0x01;
    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, list, LIMIT_NIC_MULTICAST * 6), ==,
                    RNDIS_SUCCESS);
    g_assert_cmpuint(guest.rndis.filter.multicasts, ==, LIMIT_NIC_MULTICAST);
    g_assert_cmphex(rndis_guest_query(&guest, OID_MULTICAST_LIST), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer, guest.answer_len, list, LIMIT_NIC_MULTICAST * 6);
    g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, list, sizeof(list)), ==,
                    RNDIS_MULTICAST_FULL);
    for (uint32_t len = 1; len < 6; len++)
        g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, list, len), ==,
                        RNDIS_INVALID_DATA);
    g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, other, 6), ==, RNDIS_INVALID_DATA);
    g_assert_cmpuint(guest.rndis.filter.multicasts, ==, LIMIT_NIC_MULTICAST);
    g_assert_cmphex(rndis_guest_set(&guest, OID_MULTICAST_LIST, list, 0), ==, RNDIS_SUCCESS);
    g_assert_cmpuint(guest.rndis.filter.multicasts, ==, 0);
}

/* --- Offloads --- */

static uint32_t set_offload(struct rndis_guest *guest, const char *codes)
{
    uint8_t parameters[28] = {NDIS_TYPE_DEFAULT, 3, 28};

    memcpy(parameters + 4, codes, 9);
    return rndis_guest_set(guest, (uint32_t)OID_OFFLOAD_PARAMETERS, parameters, 28);
}

static void test_offload_codes(void)
{
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(guest.rndis.offload, ==, RNDIS_OFFLOAD_ALL);
    g_assert_cmphex(set_offload(&guest, "\0\0\0\0\0\0\0\0\0"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
    g_assert_cmphex(set_offload(&guest, "\1\2\3\4\1\0\0\1\2"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.offload, ==,
                    RNDIS_OFFLOAD_TX_TCP4 | RNDIS_OFFLOAD_RX_UDP4 | RNDIS_OFFLOAD_TX_TCP6 |
                        RNDIS_OFFLOAD_RX_TCP6 | RNDIS_OFFLOAD_LSO6);
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_OFFLOAD);
    g_assert_cmphex(set_offload(&guest, "\4\4\4\4\4\2\2\2\2"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.offload, ==, RNDIS_OFFLOAD_ALL);
}

static void test_offload_mask(void)
{
    struct ndis_offload config;
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    guest.rndis.can = RNDIS_OFFLOAD_TX_TCP4 | RNDIS_OFFLOAD_RX_UDP6;
    rndis_init(&guest.rndis, own);
    g_assert_cmphex(guest.rndis.offload, ==, guest.rndis.can);
    set_offload(&guest, "\4\4\4\4\4\2\2\2\2");
    g_assert_cmphex(guest.rndis.offload, ==, guest.rndis.can);
    set_offload(&guest, "\0\1\0\0\0\0\0\0\0");
    g_assert_cmphex(rndis_guest_query(&guest, (uint32_t)OID_OFFLOAD_CURRENT_CONFIG), ==,
                    RNDIS_SUCCESS);
    memcpy(&config, guest.answer, sizeof(config));
    g_assert_cmphex(config.tx4.encapsulation | config.tx4.flags, ==, 0);
    g_assert_cmphex(config.rx6.encapsulation, ==, NDIS_ETHERNET);
    g_assert_cmphex(config.rx6.flags, ==, NDIS_CSUM_UDP);
    g_assert_cmphex(config.lso4.max_size | config.lso6_flags, ==, 0);
    g_assert_cmphex(rndis_guest_query(&guest, (uint32_t)OID_OFFLOAD_HARDWARE_CAPABILITIES), ==,
                    RNDIS_SUCCESS);
    memcpy(&config, guest.answer, sizeof(config));
    g_assert_cmphex(config.tx4.flags, ==, 0x15);
}

static void test_offload_bad_codes(void)
{
    uint8_t parameters[28] = {NDIS_TYPE_OFFLOAD, 3, 28};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_set(&guest, (uint32_t)OID_OFFLOAD_PARAMETERS, parameters, 28), ==,
                    RNDIS_INVALID_DATA);
    for (unsigned at = 0; at < 9; at++) {
        char codes[9] = "\1\1\1\1\1\1\1\1\1";

        if (at == 5 || at == 6) /* LSO version 1, IPsec: whatever they say */
            continue;
        codes[at] = at < 5 ? 5 : 3;
        g_assert_cmphex(set_offload(&guest, codes), ==, RNDIS_INVALID_DATA);
        codes[at] = (char)0xff;
        g_assert_cmphex(set_offload(&guest, codes), ==, RNDIS_INVALID_DATA);
    }
    g_assert_cmphex(guest.rndis.offload, ==, RNDIS_OFFLOAD_ALL); /* nothing by halves */
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

/* Sizes by NDIS version and by what the guest says it knows. */
static void test_offload_revisions(void)
{
    static const struct {
        uint32_t ndis, size;
    } cases[] = {{NDIS_6, 112}, {NDIS_6_1, 144}, {NDIS_6_30, 156}, {0x00060055u, 156}};
    struct rndis_guest guest;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        set_up(&guest, cases[i].ndis);
        g_assert_cmphex(rndis_guest_query(&guest, (uint32_t)OID_OFFLOAD_HARDWARE_CAPABILITIES), ==,
                        RNDIS_SUCCESS);
        g_assert_cmpuint(guest.answer_len, ==, cases[i].size);
        g_assert_cmpuint(guest.answer[1], ==, MIN(i + 1, 3));
        g_assert_cmpuint(guest.answer[2], ==, cases[i].size);
    }
}

static void test_encapsulation(void)
{
    struct ndis_encapsulation want = {.header = {NDIS_TYPE_ENCAPSULATION, 1, sizeof(want)}};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    g_assert_cmphex(rndis_guest_query(&guest, OID_OFFLOAD_ENCAPSULATION), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer, 8, "\xa8\x01\x1c\x00\x01\x00\x00\x00", 8);
    g_assert_cmphex(rndis_guest_set(&guest, OID_OFFLOAD_ENCAPSULATION, &want, sizeof(want)), ==,
                    RNDIS_SUCCESS);
    want.enabled4 = 1;
    want.encapsulation4 = 1;
    g_assert_cmphex(rndis_guest_set(&guest, OID_OFFLOAD_ENCAPSULATION, &want, sizeof(want)), ==,
                    RNDIS_INVALID_DATA);
    want.encapsulation4 = NDIS_ETHERNET;
    g_assert_cmphex(rndis_guest_set(&guest, OID_OFFLOAD_ENCAPSULATION, &want, sizeof(want)), ==,
                    RNDIS_SUCCESS);
}

/* --- RSS --- */

struct rss_message {
    struct ndis_rss_parameters fixed;
    uint32_t table[RNDIS_RSS_ENTRIES + 1];
    uint8_t key[RNDIS_RSS_KEY];
} __attribute__((packed));

/* What Linux sends. */
static struct rss_message rss_message(void)
{
    struct rss_message message = {
        .fixed = {.header = {NDIS_TYPE_RSS_PARAMETERS, 2, sizeof(message.fixed)},
                  .hash = 0x1701,
                  .table_size = 512,
                  .table_offset = 40,
                  .key_size = 40,
                  .key_offset = offsetof(struct rss_message, key)}};

    for (unsigned i = 0; i < RNDIS_RSS_ENTRIES; i++)
        message.table[i] = i % 4;
    memset(message.key, 0x5a, sizeof(message.key));
    return message;
}

static uint32_t set_rss(struct rndis_guest *guest, const struct rss_message *message)
{
    return rndis_guest_set(guest, OID_RECEIVE_SCALE_PARAMETERS, message, sizeof(*message));
}

/* Linux: first disabled, then real. */
static void test_rss(void)
{
    struct rss_message message = rss_message();
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    message.fixed.flags = NDIS_RSS_DISABLE;
    g_assert_cmphex(set_rss(&guest, &message), ==, RNDIS_SUCCESS);
    g_assert_false(guest.rndis.rss.enabled);
    message.fixed.flags = 0;
    g_assert_cmphex(set_rss(&guest, &message), ==, RNDIS_SUCCESS);
    g_assert_true(guest.rndis.rss.enabled);
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_RSS);
    g_assert_cmpuint(guest.rndis.rss.entries, ==, 128);
    g_assert_cmphex(guest.rndis.rss.hash, ==, 0x1701);
    for (unsigned i = 0; i < 128; i++)
        g_assert_cmpuint(guest.rndis.rss.table[i], ==, i % 4);
    g_assert_cmpmem(guest.rndis.rss.key, 40, message.key, 40);
    message.fixed.flags = NDIS_RSS_DISABLE;
    g_assert_cmphex(set_rss(&guest, &message), ==, RNDIS_SUCCESS);
    g_assert_false(guest.rndis.rss.enabled);
}

static void test_rss_keep(void)
{
    struct rss_message message = rss_message();
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    message.fixed.flags = NDIS_RSS_KEEP_TABLE; /* there is none */
    g_assert_cmphex(set_rss(&guest, &message), ==, RNDIS_INVALID_DATA);
    message.fixed.flags = 0;
    set_rss(&guest, &message);
    message.fixed = (struct ndis_rss_parameters){.flags = NDIS_RSS_KEEP_HASH | NDIS_RSS_KEEP_TABLE |
                                                          NDIS_RSS_KEEP_KEY};
    g_assert_cmphex(set_rss(&guest, &message), ==, RNDIS_SUCCESS);
    g_assert_true(guest.rndis.rss.enabled);
    g_assert_cmpuint(guest.rndis.rss.entries, ==, 128);
}

static void expect_rss_refused(struct rndis_guest *guest, const struct rss_message *message)
{
    g_assert_cmphex(set_rss(guest, message), !=, RNDIS_SUCCESS);
    g_assert_false(guest->rndis.rss.enabled);
    g_assert_cmpuint(guest->rndis.rss.entries, ==, 0);
    g_assert_cmphex(guest->rndis.changed, ==, 0);
}

static void test_rss_table(void)
{
    static const uint16_t sizes[] = {0, 1, 2, 3, 5, 12, 510, 516, 65535, 65532};
    static const uint32_t offsets[] = {0, 39, 600, 0x80000000u, UINT32_MAX, UINT32_MAX - 511};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct rss_message message = rss_message();

        message.fixed.table_size = sizes[i];
        expect_rss_refused(&guest, &message);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        struct rss_message message = rss_message();

        message.fixed.table_offset = offsets[i];
        expect_rss_refused(&guest, &message);
    }
}

static void test_rss_indices(void)
{
    static const uint32_t bad[] = {4, 255, 256, 0x10000, 0x80000000u, UINT32_MAX};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct rss_message message = rss_message();

        message.table[127] = bad[i];
        expect_rss_refused(&guest, &message);
    }
    guest.rndis.channels = 3;
    struct rss_message message = rss_message();
    expect_rss_refused(&guest, &message);
}

static void test_rss_key(void)
{
    static const uint16_t sizes[] = {0, 1, 39, 41, 65535};
    static const uint32_t offsets[] = {0, 39, 560, UINT32_MAX, UINT32_MAX - 39};
    struct rndis_guest guest;

    set_up(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct rss_message message = rss_message();

        message.fixed.key_size = sizes[i];
        expect_rss_refused(&guest, &message);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        struct rss_message message = rss_message();

        message.fixed.key_offset = offsets[i];
        expect_rss_refused(&guest, &message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rndis-oid/every", test_every_oid);
    g_test_add_func("/rndis-oid/supported-list", test_supported_list);
    g_test_add_func("/rndis/attack/oid/unknown-oids", test_unknown_oids);
    g_test_add_func("/rndis/attack/oid/unknown-version", test_unknown_version);
    g_test_add_func("/rndis/attack/oid/set-lengths", test_set_lengths);
    g_test_add_func("/rndis-oid/counters", test_counters);
    g_test_add_func("/rndis-oid/statistics", test_statistics);
    g_test_add_func("/rndis-oid/link", test_link);
    g_test_add_func("/rndis-oid/names", test_names);
    g_test_add_func("/rndis-oid/filter", test_filter);
    g_test_add_func("/rndis/attack/oid/multicast-list", test_multicast_list);
    g_test_add_func("/rndis-oid/offload/codes", test_offload_codes);
    g_test_add_func("/rndis-oid/offload/mask", test_offload_mask);
    g_test_add_func("/rndis/attack/oid/offload-codes", test_offload_bad_codes);
    g_test_add_func("/rndis-oid/offload/revisions", test_offload_revisions);
    g_test_add_func("/rndis-oid/offload/encapsulation", test_encapsulation);
    g_test_add_func("/rndis-oid/rss/linux", test_rss);
    g_test_add_func("/rndis-oid/rss/keep", test_rss_keep);
    g_test_add_func("/rndis/attack/oid/rss-table", test_rss_table);
    g_test_add_func("/rndis/attack/oid/rss-indices", test_rss_indices);
    g_test_add_func("/rndis/attack/oid/rss-key", test_rss_key);
    return g_test_run();
}
