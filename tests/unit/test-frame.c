/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: what metadata is refused, that the hash spreads and keeps flows together, copying across
 * every split.
 */
#include <glib.h>
#include <string.h>

#include "vswitch/frame.h"

/* A TCP segment of IPv4 without options, to be cut. */
static const struct frame_meta good = {.length = 4000,
                                       .csum_start = 34,
                                       .csum_offset = 16,
                                       .gso_size = 1448,
                                       .header = 54,
                                       .gso = FRAME_GSO_TCPV4,
                                       .flags = FRAME_CSUM_PARTIAL};

#define REFUSED(member, value)                    \
    do {                                          \
        struct frame_meta meta_ = good;           \
        meta_.member = (value);                   \
        g_assert_false(frame_meta_check(&meta_)); \
    } while (0)

#define TAKEN(member, value)                     \
    do {                                         \
        struct frame_meta meta_ = good;          \
        meta_.member = (value);                  \
        g_assert_true(frame_meta_check(&meta_)); \
    } while (0)

static void test_good(void)
{
    struct frame_meta least = {.length = 14}, most = {.length = LIMIT_FRAME};

    g_assert_true(frame_meta_check(&good));
    g_assert_true(frame_meta_check(&least));
    g_assert_true(frame_meta_check(&most));
    TAKEN(gso, FRAME_GSO_TCPV6);
    TAKEN(gso_size, 8);
    TAKEN(gso_size, UINT16_MAX); /* one segment: nothing to cut */
    TAKEN(flags, FRAME_FLAGS);
    TAKEN(length, 55);
    TAKEN(vlan_tci, UINT16_MAX);
    TAKEN(hash, UINT32_MAX);
}

static void test_length(void)
{
    struct frame_meta meta = {.length = 0};

    static const uint32_t bad[] = {0, 13, LIMIT_FRAME + 1, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        meta.length = bad[i];
        g_assert_false(frame_meta_check(&meta));
    }
}

static void test_checksum_outside(void)
{
    struct frame_meta meta = {
        .length = 60, .csum_start = 34, .csum_offset = 24, .flags = FRAME_CSUM_PARTIAL};

    g_assert_true(frame_meta_check(&meta)); /* the last two bytes */
    meta.csum_offset = 25;
    g_assert_false(frame_meta_check(&meta));
    meta.csum_offset = UINT16_MAX;
    g_assert_false(frame_meta_check(&meta));
    meta.csum_start = UINT16_MAX; /* a sum of 16 bits would come round to 60 - 2 */
    meta.csum_offset = 59;
    g_assert_false(frame_meta_check(&meta));
    meta.csum_start = 13; /* in the Ethernet header */
    meta.csum_offset = 16;
    g_assert_false(frame_meta_check(&meta));
    meta.flags = 0; /* nobody looks at it */
    g_assert_true(frame_meta_check(&meta));
}

static void test_gso_size(void)
{
    REFUSED(gso_size, 0);
    REFUSED(gso_size, 7);
}

static void test_gso_headers(void)
{
    REFUSED(header, 0);
    REFUSED(header, 34);   /* no L4 header */
    REFUSED(header, 53);   /* shorter than TCP's */
    REFUSED(header, 4000); /* no payload */
    REFUSED(header, UINT16_MAX);
    REFUSED(length, 54);
    REFUSED(csum_offset, 19); /* in the payload */
}

static void test_gso_without_checksum(void)
{
    REFUSED(flags, 0);
    REFUSED(flags, FRAME_CSUM_VALID);
}

static void test_unknown(void)
{
    REFUSED(gso, FRAME_GSO_TCPV6 + 1);
    REFUSED(gso, UINT8_MAX);
    REFUSED(flags, FRAME_CSUM_PARTIAL | 0x08);
    REFUSED(flags, FRAME_CSUM_PARTIAL | 0x80);
}

static void test_reserved(void)
{
    for (unsigned i = 0; i < sizeof(good.reserved); i++)
        REFUSED(reserved[i], 1);
}

/* --- Hash ------------------------------------------------------------------------------------- */

static void make_ipv4(uint8_t frame[64], uint32_t address, uint16_t port, uint8_t protocol)
{
    memset(frame, 0, 64);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[23] = protocol;
    memcpy(frame + 26, &address, 4);
    frame[30] = 10;
    memcpy(frame + 34, &port, 2);
}

static void make_ipv6(uint8_t frame[64], uint32_t address, uint16_t port)
{
    memset(frame, 0, 64);
    frame[12] = 0x86;
    frame[13] = 0xdd;
    frame[14] = 0x60;
    frame[20] = 6;
    memcpy(frame + 34, &address, 4);
    memcpy(frame + 54, &port, 2);
}

#define FLOWS 8192u

/* No queue of eight gets a share that differs from an eighth by more than a fifth of it. */
static void spreads(void (*make)(uint8_t frame[64], unsigned n))
{
    unsigned count[8] = {0};
    uint8_t frame[64];

    for (unsigned n = 0; n < FLOWS; n++) {
        make(frame, n);
        uint32_t hash = frame_hash(frame, sizeof(frame));
        g_assert_cmpuint(hash, !=, 0);
        count[hash % 8]++;
    }
    for (unsigned i = 0; i < 8; i++) {
        g_assert_cmpuint(count[i], >, FLOWS / 8 * 4 / 5);
        g_assert_cmpuint(count[i], <, FLOWS / 8 * 6 / 5);
    }
}

static void ports_differ(uint8_t frame[64], unsigned n)
{
    make_ipv4(frame, 1, GUINT16_TO_BE((uint16_t)(n + 1024)), 6);
}

static void addresses_differ(uint8_t frame[64], unsigned n)
{
    make_ipv4(frame, GUINT32_TO_BE(0xc0a80000 + n), 80, 17);
}

static void ipv6_ports_differ(uint8_t frame[64], unsigned n)
{
    make_ipv6(frame, 1, GUINT16_TO_BE((uint16_t)(n + 1024)));
}

static void macs_differ(uint8_t frame[64], unsigned n)
{
    memset(frame, 0, 64);
    frame[6] = 2;
    frame[10] = (uint8_t)(n >> 8);
    frame[11] = (uint8_t)n;
    frame[12] = 0x88; /* LLDP */
    frame[13] = 0xcc;
}

static void test_hash_spreads(void)
{
    spreads(ports_differ);
    spreads(addresses_differ);
    spreads(ipv6_ports_differ);
    spreads(macs_differ);
}

/* What is not addresses, protocol or ports does not move a flow to another queue. */
static void test_hash_keeps_flow(void)
{
    uint8_t frame[64];

    make_ipv4(frame, 1, 2, 6);
    uint32_t hash = frame_hash(frame, 64);
    memset(frame, 0x55, 12);   /* MACs */
    frame[15] = 0xb8;          /* DSCP */
    memset(frame + 16, 7, 4);  /* length, id */
    frame[20] = 0x40;          /* don't fragment */
    frame[22] = 9;             /* TTL */
    memset(frame + 38, 3, 26); /* beyond the ports */
    g_assert_cmpuint(frame_hash(frame, 64), ==, hash);
    g_assert_cmpuint(frame_hash(frame, 38), ==, hash);
    frame[34]++;
    g_assert_cmpuint(frame_hash(frame, 64), !=, hash);
}

static void test_hash_fragments(void)
{
    uint8_t first[64], second[64];

    make_ipv4(first, 1, 2, 17);
    memcpy(second, first, 64);
    first[20] = 0x20; /* more fragments */
    second[21] = 185; /* offset */
    memset(second + 34, 0xaa, 30);
    g_assert_cmpuint(frame_hash(first, 64), ==, frame_hash(second, 64));
}

/* Options move the ports; protocols without ports have none. */
static void test_hash_headers(void)
{
    uint8_t frame[64], other[64];

    make_ipv4(frame, 1, 0, 6);
    frame[14] = 0x46;
    memcpy(other, frame, 64);
    other[35] = 1; /* in the option */
    g_assert_cmpuint(frame_hash(frame, 64), ==, frame_hash(other, 64));
    other[38] = 1;
    g_assert_cmpuint(frame_hash(frame, 64), !=, frame_hash(other, 64));
    make_ipv4(frame, 1, 0, 1); /* ICMP */
    make_ipv4(other, 1, 5, 1);
    g_assert_cmpuint(frame_hash(frame, 64), ==, frame_hash(other, 64));
}

/* Every length and every header length: the sanitizer sees a read beyond the end. */
static void test_hash_short(void)
{
    static const uint8_t types[][2] = {{0x08, 0}, {0x86, 0xdd}, {0x08, 6}};

    for (uint32_t length = FRAME_ETHERNET; length <= FRAME_HASH_BYTES; length++)
        for (unsigned type = 0; type < G_N_ELEMENTS(types); type++)
            for (unsigned byte = 0; byte < 256; byte++) {
                g_autofree uint8_t *frame = g_malloc0(length);

                memcpy(frame + 12, types[type], 2);
                if (length > 14)
                    frame[14] = (uint8_t)byte;
                if (length > 23)
                    frame[20] = frame[23] = 6;
                g_assert_cmpuint(frame_hash(frame, length), !=, 0);
            }
}

/* --- Bytes ------------------------------------------------------------------------------------ */

#define BYTES 20u

/* A frame of BYTES bytes in two heap blocks. */
static struct frame split_frame(uint32_t split)
{
    struct frame frame = {
        .meta.length = BYTES,
        .data = {{g_malloc(split), split}, {g_malloc(BYTES - split), BYTES - split}}};

    for (uint32_t i = 0; i < BYTES; i++)
        ((uint8_t *)frame.data[i >= split].iov_base)[i >= split ? i - split : i] = (uint8_t)i;
    return frame;
}

static void free_frame(struct frame *frame)
{
    g_free(frame->data[0].iov_base);
    g_free(frame->data[1].iov_base);
}

static void test_read(void)
{
    for (uint32_t split = 1; split <= BYTES; split++) {
        struct frame frame = split_frame(split);

        for (uint32_t skip = 0; skip <= BYTES; skip++)
            for (uint32_t length = 0; length <= BYTES - skip; length++) {
                uint8_t got[BYTES] = {0};

                g_assert_true(frame_read(&frame, skip, got, length));
                for (uint32_t i = 0; i < length; i++)
                    g_assert_cmpuint(got[i], ==, skip + i);
            }
        free_frame(&frame);
    }
}

static void test_read_beyond(void)
{
    struct frame frame = split_frame(8);
    uint8_t got[BYTES + 1];

    g_assert_false(frame_read(&frame, 0, got, BYTES + 1));
    g_assert_false(frame_read(&frame, 1, got, BYTES));
    g_assert_false(frame_read(&frame, BYTES, got, 1));
    g_assert_false(frame_read(&frame, BYTES + 1, got, 0));
    g_assert_false(frame_read(&frame, 2, got, UINT32_MAX));
    g_assert_false(frame_read(&frame, UINT32_MAX, got, 2));
    free_frame(&frame);
}

static void test_copy(void)
{
    for (uint32_t from = 1; from <= BYTES; from++)
        for (uint32_t to = 0; to <= BYTES; to++) {
            struct frame frame = split_frame(from);
            uint8_t got[BYTES + 2] = {0};
            struct iovec dst[] = {{got + 1, to}, {got + 1 + to, BYTES - to}};

            frame_copy(&frame, dst, 2);
            for (uint32_t i = 0; i < BYTES; i++)
                g_assert_cmpuint(got[1 + i], ==, i);
            g_assert_cmpuint(got[0] | got[BYTES + 1], ==, 0);
            free_frame(&frame);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/meta/good", test_good);
    g_test_add_func("/frame/meta/length", test_length);
    g_test_add_func("/frame/meta/checksum-outside", test_checksum_outside);
    g_test_add_func("/frame/meta/gso-size", test_gso_size);
    g_test_add_func("/frame/meta/gso-headers", test_gso_headers);
    g_test_add_func("/frame/meta/gso-without-checksum", test_gso_without_checksum);
    g_test_add_func("/frame/meta/unknown", test_unknown);
    g_test_add_func("/frame/meta/reserved", test_reserved);
    g_test_add_func("/frame/hash/spreads", test_hash_spreads);
    g_test_add_func("/frame/hash/keeps-flow", test_hash_keeps_flow);
    g_test_add_func("/frame/hash/fragments", test_hash_fragments);
    g_test_add_func("/frame/hash/headers", test_hash_headers);
    g_test_add_func("/frame/hash/short", test_hash_short);
    g_test_add_func("/frame/read", test_read);
    g_test_add_func("/frame/read-beyond", test_read_beyond);
    g_test_add_func("/frame/copy", test_copy);
    return g_test_run();
}
