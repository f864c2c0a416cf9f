/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS data messages: what guests send, what a hostile one sends, and what we send back, read the
 * way Linux reads it.
 */
#include "vmbus/rndis.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/rndis_frames.h"
#include "vmbus/rndis_wire.h"
#include "vswitch/wire.h"

#define L2 FRAME_ETHERNET

/* --- Messages */

struct message {
    struct rndis_data data;
    uint8_t rest[2048];
} __attribute__((packed));

/* A message of `elements` bytes of per-packet info and `length` bytes of frame. */
static struct message make(uint32_t elements, uint32_t length)
{
    struct message message = {.data = {
                                  .header = {RNDIS_PACKET, RNDIS_MIN_HEADER + elements + length},
                                  .data_offset = 36 + elements,
                                  .data_length = length,
                                  .info_offset = elements ? 36 : 0,
                                  .info_length = elements,
                              }};

    return message;
}

static void put_element(struct message *message, uint32_t at, uint32_t size, uint32_t type,
                        uint32_t offset, uint32_t value)
{
    const uint32_t words[4] = {size, type, offset, value};

    memcpy(message->rest + at, words, sizeof(words));
}

/* Parse from a copy that is exactly as long as what is said to be there. */
static int parse(const struct message *message, uint32_t available, struct rndis_packet *ret)
{
    uint32_t copied = MIN(available, RNDIS_MAX_HEADER);
    g_autofree uint8_t *exact = g_memdup2(message, copied);

    return rndis_parse_packet(exact, copied, available, ret);
}

static void expect_bad(const struct message *message, uint32_t available)
{
    struct rndis_packet packet;

    g_assert_cmpint(parse(message, available, &packet), ==, -EBADMSG);
}

static uint8_t *unhex(const char *text, uint32_t *ret_len)
{
    uint8_t *bytes = g_malloc(strlen(text) / 2 + 1);
    uint32_t len = 0;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        bytes[len++] =
            (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text++;
    }
    *ret_len = len;
    return bytes;
}

/* 2009's LIS and iPXE: no per-packet info at all. */
static void test_plain(void)
{
    uint32_t len;
    g_autofree uint8_t *bytes =
        unhex("01000000 3a000000 24000000 0e000000 00000000 00000000 00000000 00000000 00000000"
              "00000000 00000000 ffffffffffff 00155d000001 88b5",
              &len);
    struct rndis_packet packet;

    g_assert_cmpint(rndis_parse_packet(bytes, len, len, &packet), ==, 0);
    g_assert_cmpuint(packet.length, ==, 58);
    g_assert_cmpuint(packet.data_offset, ==, 44);
    g_assert_cmpuint(packet.data_length, ==, 14);
    g_assert_cmpuint(packet.info, ==, 0);
}

/* Linux 6.1: hash, tag and checksum, in its order. */
static void test_linux(void)
{
    uint32_t len;
    g_autofree uint8_t *bytes =
        unhex("01000000 a6000000 54000000 4a000000 00000000 00000000 00000000 24000000 30000000"
              "00000000 00000000 10000000 08000000 0c000000 78563412 10000000 06000000 0c000000"
              "53060000 10000000 00000000 0c000000 05002200",
              &len);
    struct rndis_packet packet;

    g_assert_cmpuint(len, ==, 92);
    g_assert_cmpint(rndis_parse_packet(bytes, len, 166, &packet), ==, 0);
    g_assert_cmpuint(packet.length, ==, 166);
    g_assert_cmpuint(packet.data_offset, ==, 92);
    g_assert_cmpuint(packet.data_length, ==, 74);
    g_assert_cmphex(packet.info, ==, RNDIS_INFO_CSUM | RNDIS_INFO_VLAN);
    g_assert_cmphex(packet.csum, ==, 34u << 16 | RNDIS_TX_CSUM_TCP | RNDIS_TX_CSUM_IP4);
    g_assert_cmphex(packet.vlan_tci, ==, 3 << 13 | 101);
}

static void test_large_send(void)
{
    struct message message = make(16, 60000);
    struct rndis_packet packet;

    put_element(&message, 0, 16, RNDIS_PPI_LSO, 12, 34u << 20 | RNDIS_LSO_V2 | 1448);
    g_assert_cmpint(parse(&message, 60060, &packet), ==, 0);
    g_assert_cmphex(packet.info, ==, RNDIS_INFO_LSO);
    g_assert_cmpuint(RNDIS_LSO_MSS(packet.lso), ==, 1448);
}

/* Windows and Linux have elements of their own kind, of any size; some have padding. */
static void test_other_elements(void)
{
    struct message message = make(16 + 20 + 16, 60);
    struct rndis_packet packet;

    put_element(&message, 0, 16, 0x80000001u, 12, 1);
    put_element(&message, 16, 20, RNDIS_PPI_TAG, 16, 0);
    memcpy(message.rest + 16 + 16, &(uint32_t){7 << 4 | 8}, 4);
    put_element(&message, 36, 16, 12345, 0, 0xffffffff);
    g_assert_cmpint(parse(&message, message.data.header.length, &packet), ==, 0);
    g_assert_cmphex(packet.info, ==, RNDIS_INFO_VLAN);
    g_assert_cmphex(packet.vlan_tci, ==, 0x1007);
}

static void test_several(void)
{
    struct message first = make(0, 60), second = make(0, 61);
    struct rndis_packet packet;

    first.data.header.length = 104; /* as it is: 44 + 60 */
    g_assert_cmpint(parse(&first, 104 + 105, &packet), ==, 0);
    g_assert_cmpuint(packet.length, ==, 104);
    g_assert_cmpint(parse(&second, 105, &packet), ==, 0);
    g_assert_cmpuint(packet.length, ==, 105);
    second.data.header.length = 112; /* padded, because another follows */
    g_assert_cmpint(parse(&second, 112 + 104, &packet), ==, 0);
    g_assert_cmpuint(packet.data_length, ==, 61);
}

/* --- Messages that lie */

static void test_message_length(void)
{
    static const uint32_t lengths[] = {0, 1, 7, 8, 43, 105, 0x80000000u, UINT32_MAX};
    struct message message = make(0, 60);

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        message.data.header.length = lengths[i];
        expect_bad(&message, 104);
    }
    message = make(0, 60);
    for (uint32_t available = 0; available < 104; available++) {
        struct rndis_packet packet;

        expect_bad(&message, available);
        g_assert_cmpint(rndis_parse_packet((const uint8_t *)&message, 256, available, &packet), ==,
                        -EBADMSG);
    }
}

static void test_message_type(void)
{
    static const uint32_t types[] = {0, 2, 4, 9, 0x80000001u, UINT32_MAX};
    struct message message = make(0, 60);

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        message.data.header.type = types[i];
        expect_bad(&message, 104);
    }
}

static void test_misaligned_second(void)
{
    struct message message = make(0, 61);

    expect_bad(&message, 105 + 104);
}

static void test_data_overflow(void)
{
    static const uint32_t pairs[][2] = {{UINT32_MAX, 1},
                                        {UINT32_MAX - 7, 60},
                                        {UINT32_MAX, UINT32_MAX},
                                        {36, UINT32_MAX},
                                        {36, 61},
                                        {37, 60},
                                        {96, 1},
                                        {0x80000000u, 0x80000000u},
                                        {36, 0xffffffdcu}};
    struct message message = make(0, 60);

    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        message.data.data_offset = pairs[i][0];
        message.data.data_length = pairs[i][1];
        expect_bad(&message, 104);
    }
}

static void test_data_in_header(void)
{
    struct message message = make(0, 60);

    for (uint32_t offset = 0; offset < 36; offset++) {
        message.data.data_offset = offset;
        expect_bad(&message, 104);
    }
}

static void test_oob_length(void)
{
    static const uint32_t pairs[][2] = {
        {36, UINT32_MAX}, {UINT32_MAX, 36}, {0, 8}, {90, 7}, {36, 61}};
    struct message message = make(0, 60);

    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        message.data.oob_offset = pairs[i][0];
        message.data.oob_length = pairs[i][1];
        message.data.oob_count = UINT32_MAX;
        expect_bad(&message, 104);
    }
}

static void test_info_bounds(void)
{
    static const uint32_t pairs[][2] = {
        {36, UINT32_MAX}, {UINT32_MAX - 3, 16},
        {0, 16},          {35, 16},
        {36, 13},         {36, 11},
        {36, 1},          {36, 17},
        {95, 16},         {200, 60},
    };
    struct message message = make(16, 1000);

    put_element(&message, 0, 16, RNDIS_PPI_CHECKSUM, 12, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        message.data.info_offset = pairs[i][0];
        message.data.info_length = pairs[i][1];
        expect_bad(&message, message.data.header.length);
    }
    message.data.info_offset = 248; /* beyond what is copied, though inside the message */
    message.data.info_length = 16;
    expect_bad(&message, message.data.header.length);
}

static void test_element_size(void)
{
    static const uint32_t sizes[] = {0, 1, 11, 17, 28, 0x80000000u, UINT32_MAX};
    struct message message = make(32, 60);

    put_element(&message, 16, 16, RNDIS_PPI_CHECKSUM, 12, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        put_element(&message, 0, sizes[i], RNDIS_PPI_CHECKSUM, 12, 0);
        if (sizes[i] == 17) /* the next one then is off, and wrong by chance */
            memset(message.rest + 17, 0, 4);
        expect_bad(&message, message.data.header.length);
    }
}

/* One of 4 bytes, whose own header is the beginning of the next one. */
static void test_elements_overlap(void)
{
    static const uint32_t words[] = {4, 16, 77, 12, 0};
    struct message message = make(sizeof(words), 60);

    memcpy(message.rest, words, sizeof(words));
    expect_bad(&message, message.data.header.length);
}

static void test_element_offset(void)
{
    static const uint32_t offsets[] = {0, 11, 13, 16, 17, 0x7fffffff, UINT32_MAX};
    static const uint32_t types[] = {RNDIS_PPI_CHECKSUM, RNDIS_PPI_LSO, RNDIS_PPI_TAG};
    struct message message = make(16, 60);

    for (unsigned type = 0; type < G_N_ELEMENTS(types); type++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
            put_element(&message, 0, 16, types[type], offsets[i], 0);
            expect_bad(&message, message.data.header.length);
        }
    }
}

static void test_element_too_small(void)
{
    struct message message = make(12, 60);

    put_element(&message, 0, 12, RNDIS_PPI_CHECKSUM, 12, 0);
    expect_bad(&message, message.data.header.length);
}

/* As many elements as fit, none of any use: taken, and the walk ends. */
static void test_many_elements(void)
{
    struct message message = make(204, 60);
    struct rndis_packet packet;

    for (uint32_t at = 0; at < 204; at += 12)
        put_element(&message, at, 12, 77, 0, 12);
    g_assert_cmpint(parse(&message, message.data.header.length, &packet), ==, 0);
    g_assert_cmpuint(packet.info, ==, 0);
}

/* --- To the guest */

static uint8_t frame[2048];

/* Find an element the way Linux 6.1 does, but for its endlessness, which fails the test. NULL if
 * there is none. */
static const uint8_t *linux_find(const uint8_t *message, uint32_t type)
{
    struct rndis_data data;
    const uint8_t *info;
    int left;

    memcpy(&data, message, sizeof(data));
    if (data.info_offset == 0)
        return NULL;
    info = message + sizeof(data.header) + data.info_offset;
    for (left = (int)data.info_length; left > 0;) {
        struct rndis_element element;

        memcpy(&element, info, sizeof(element));
        g_assert_cmpuint(element.size, >=, 16);
        g_assert_cmpuint(element.offset, <, element.size);
        if (element.type == type)
            return info + element.offset;
        left -= (int)element.size;
        info += element.size;
    }
    g_assert_cmpint(left, ==, 0);
    return NULL;
}

static uint32_t value_of(const uint8_t *message, uint32_t type)
{
    const uint8_t *at = linux_find(message, type);
    uint32_t value = 0;

    g_assert_nonnull(at);
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint8_t built[RNDIS_BUILD_MAX];

static uint32_t build(const struct frame_meta *what, uint32_t offload, bool hash)
{
    uint32_t head_len = MIN(what->length, RNDIS_FRAME_HEAD);
    g_autofree uint8_t *head = g_memdup2(frame, head_len);
    int len = rndis_build_packet(what, head, head_len, offload, hash, built, sizeof(built));
    struct rndis_data data;

    g_assert_cmpint(len, >=, RNDIS_MIN_HEADER);
    memcpy(&data, built, sizeof(data));
    g_assert_cmpuint(data.header.length, ==, (uint32_t)len + what->length);
    g_assert_cmpuint(data.data_offset + 8, ==, len);
    g_assert_cmpuint(data.data_length, ==, what->length);
    g_assert_cmpuint(data.info_length, ==, (uint32_t)len - RNDIS_MIN_HEADER);
    linux_find(built, 0xffff);
    return (uint32_t)len;
}

static void test_build_plain(void)
{
    static const uint8_t expected[44] = {1, 0, 0, 0, 104, 0, 0, 0, 36, 0, 0, 0, 60};
    const struct frame_meta what = {.length = 60, .hash = 5};

    start_frame(frame, 0x88b5, 60);
    g_assert_cmpuint(build(&what, RNDIS_OFFLOAD_ALL, false), ==, 44);
    g_assert_cmpmem(built, 44, expected, 44);
}

static void test_build_all(void)
{
    uint32_t len, l4 = ip_frame(frame, true, IP_TCP, 20, 40);
    const struct frame_meta what = {
        .length = l4 + 60,
        .hash = 0x12345678,
        .vlan_tci = 0x7065,
        .flags = FRAME_VLAN | FRAME_CSUM_VALID,
    };
    g_autofree uint8_t *expected =
        unhex("01000000 ba000000 54000000 5e000000 00000000 00000000 00000000 24000000 30000000"
              "00000000 00000000 10000000 00000000 0c000000 08000000 10000000 06000000 0c000000"
              "5b060000 10000000 08000000 0c000000 78563412",
              &len);

    g_assert_cmpuint(build(&what, RNDIS_OFFLOAD_ALL & ~RNDIS_OFFLOAD_RX_IP4, true), ==, 92);
    g_assert_cmpmem(built, 92, expected, len);
}

static void test_build_checksum(void)
{
    static const uint32_t bits[4] = {RNDIS_OFFLOAD_RX_UDP6, RNDIS_OFFLOAD_RX_UDP4,
                                     RNDIS_OFFLOAD_RX_TCP6, RNDIS_OFFLOAD_RX_TCP4};

    for (unsigned i = 0; i < 4; i++) {
        bool ip4 = i & 1, tcp = i & 2;
        uint32_t l4 = ip_frame(frame, ip4, tcp ? IP_TCP : IP_UDP, 20, 40);
        struct frame_meta what = {.length = l4 + 60, .flags = FRAME_CSUM_PARTIAL};

        what.csum_start = (uint16_t)l4;
        what.csum_offset = tcp ? 16 : 6;
        g_assert_cmpuint(build(&what, bits[i], false), ==, 60);
        g_assert_cmphex(value_of(built, RNDIS_PPI_CHECKSUM), ==,
                        tcp ? RNDIS_RX_CSUM_TCP_GOOD : RNDIS_RX_CSUM_UDP_GOOD);
        what.flags = FRAME_CSUM_VALID;
        g_assert_cmpuint(build(&what, bits[i], false), ==, 60);
        g_assert_cmpuint(build(&what, RNDIS_OFFLOAD_ALL & ~bits[i] & ~RNDIS_OFFLOAD_RX_IP4, false),
                         ==, 44);
        what.flags = 0;
        g_assert_cmpuint(build(&what, bits[i], false), ==, 44);
    }
}

static void test_build_header_checksum(void)
{
    const struct frame_meta what = {.length = 74};

    ip_frame(frame, true, IP_UDP, 8, 32);
    g_assert_cmpuint(build(&what, RNDIS_OFFLOAD_RX_IP4, false), ==, 60);
    g_assert_cmphex(value_of(built, RNDIS_PPI_CHECKSUM), ==, RNDIS_RX_CSUM_IP_BAD);
    wire_put16(frame + L2 + 10, ~ones_sum(0, frame + L2, 20));
    build(&what, RNDIS_OFFLOAD_RX_IP4, false);
    g_assert_cmphex(value_of(built, RNDIS_PPI_CHECKSUM), ==, RNDIS_RX_CSUM_IP_GOOD);
}

/* Of a fragment "the L4 checksum is right" means nothing. */
static void test_build_fragment(void)
{
    const struct frame_meta what = {.length = 74, .flags = FRAME_CSUM_VALID};

    ip_frame(frame, true, IP_UDP, 8, 32);
    wire_put16(frame + L2 + 6, 0x2000);
    g_assert_cmpuint(build(&what, RNDIS_OFFLOAD_RX_UDP4, false), ==, 44);
}

/* Frames from other ports may be anything: nothing is read past their end. */
static void test_build_strange_frames(void)
{
    struct frame_meta what = {.flags = FRAME_CSUM_VALID};

    for (unsigned ip4 = 0; ip4 < 2; ip4++) {
        ip_frame(frame, ip4, IP_TCP, 20, 40);
        for (what.length = 14; what.length < 80; what.length++)
            build(&what, RNDIS_OFFLOAD_ALL, true);
    }
    ip_frame(frame, true, IP_TCP, 20, 40);
    what.length = 40;
    for (unsigned byte = 0; byte < 256; byte++) {
        frame[L2] = (uint8_t)byte;
        build(&what, RNDIS_OFFLOAD_ALL, true);
    }
}

static void test_build_refused(void)
{
    struct frame_meta what = {.length = 3000, .gso = FRAME_GSO_TCPV4};
    uint8_t out[RNDIS_BUILD_MAX];

    g_assert_cmpint(rndis_build_packet(&what, frame, 100, 0, true, out, sizeof(out)), ==, -EINVAL);
    what = (struct frame_meta){.length = 60};
    g_assert_cmpint(rndis_build_packet(&what, frame, 60, 0, true, out, sizeof(out) - 1), ==,
                    -ENOSPC);
}

/* What the host writes, the host can read. */
static void test_round_trip(void)
{
    struct frame_meta what = {.length = 74, .vlan_tci = 0xbfed, .flags = FRAME_VLAN, .hash = 9};
    struct rndis_packet packet;
    uint32_t len;

    ip_frame(frame, true, IP_UDP, 8, 32);
    len = build(&what, 0, true);
    g_assert_cmpint(rndis_parse_packet(built, len, len + 74, &packet), ==, 0);
    g_assert_cmpuint(packet.data_offset, ==, len);
    g_assert_cmpuint(packet.data_length, ==, 74);
    g_assert_cmphex(packet.vlan_tci, ==, 0xbfed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rndis/parse/plain", test_plain);
    g_test_add_func("/rndis/parse/linux", test_linux);
    g_test_add_func("/rndis/parse/large-send", test_large_send);
    g_test_add_func("/rndis/parse/other-elements", test_other_elements);
    g_test_add_func("/rndis/parse/several", test_several);
    g_test_add_func("/rndis/attack/message-length", test_message_length);
    g_test_add_func("/rndis/attack/message-type", test_message_type);
    g_test_add_func("/rndis/attack/misaligned-second", test_misaligned_second);
    g_test_add_func("/rndis/attack/data-overflow", test_data_overflow);
    g_test_add_func("/rndis/attack/data-in-header", test_data_in_header);
    g_test_add_func("/rndis/attack/oob-length", test_oob_length);
    g_test_add_func("/rndis/attack/info-bounds", test_info_bounds);
    g_test_add_func("/rndis/attack/element-size", test_element_size);
    g_test_add_func("/rndis/attack/elements-overlap", test_elements_overlap);
    g_test_add_func("/rndis/attack/element-offset", test_element_offset);
    g_test_add_func("/rndis/attack/element-too-small", test_element_too_small);
    g_test_add_func("/rndis/attack/many-elements", test_many_elements);
    g_test_add_func("/rndis/build/plain", test_build_plain);
    g_test_add_func("/rndis/build/all", test_build_all);
    g_test_add_func("/rndis/build/checksum", test_build_checksum);
    g_test_add_func("/rndis/build/header-checksum", test_build_header_checksum);
    g_test_add_func("/rndis/build/fragment", test_build_fragment);
    g_test_add_func("/rndis/build/strange-frames", test_build_strange_frames);
    g_test_add_func("/rndis/build/refused", test_build_refused);
    g_test_add_func("/rndis/build/round-trip", test_round_trip);
    return g_test_run();
}
