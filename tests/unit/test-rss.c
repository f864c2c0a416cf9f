/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Toeplitz hash against Microsoft's published vectors, and which frames get which hash.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "vmbus/rss.h"

#define ALL (RSS_TOEPLITZ | RSS_IP4 | RSS_TCP4 | RSS_IP6 | RSS_TCP6)

static const uint8_t microsoft[RSS_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* "Verifying the RSS Hash Calculation". */
static const struct {
    const char *from, *to;
    uint16_t from_port, to_port;
    uint32_t addresses, ports; /* the hashes */
} vectors[] = {
    {"66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178}, /* IPv4 */
    {"199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea},
    {"24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
    {"38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f},
    {"153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2},
    {"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d},
    {"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf},
    {"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x4b61e985,
     0x02d1feef},
};

static void put_ports(uint8_t *at, unsigned n)
{
    const uint16_t ports[2] = {htons(vectors[n].from_port), htons(vectors[n].to_port)};

    memcpy(at, ports, sizeof(ports));
}

/* The headers of vector `n` as a packet of `protocol`; their length. */
static uint32_t make(uint8_t frame[RSS_HEAD_BYTES], unsigned n, uint8_t protocol)
{
    bool ip6 = strchr(vectors[n].from, ':');
    uint8_t *ip = frame + 14;

    memset(frame, 0, RSS_HEAD_BYTES);
    if (ip6) {
        memcpy(frame + 12, "\x86\xdd\x60", 3);
        ip[6] = protocol;
        g_assert_cmpint(inet_pton(AF_INET6, vectors[n].from, ip + 8), ==, 1);
        g_assert_cmpint(inet_pton(AF_INET6, vectors[n].to, ip + 24), ==, 1);
        put_ports(ip + 40, n);
        return 14 + 40 + 20;
    }
    memcpy(frame + 12, "\x08\x00\x45", 3);
    ip[9] = protocol;
    g_assert_cmpint(inet_pton(AF_INET, vectors[n].from, ip + 12), ==, 1);
    g_assert_cmpint(inet_pton(AF_INET, vectors[n].to, ip + 16), ==, 1);
    put_ports(ip + 20, n);
    return 14 + 20 + 20;
}

static uint32_t hash_of(const uint8_t *frame, uint32_t length, uint32_t info)
{
    struct rss_key key;
    uint32_t hash = 0;

    rss_key_set(&key, microsoft);
    g_assert_true(rss_hash(&key, info, frame, length, &hash));
    return hash;
}

static bool is_hashed(const uint8_t *frame, uint32_t length, uint32_t info)
{
    struct rss_key key;
    uint32_t hash;

    rss_key_set(&key, microsoft);
    return rss_hash(&key, info, frame, length, &hash);
}

static void test_vectors(void)
{
    uint8_t frame[RSS_HEAD_BYTES];

    for (unsigned n = 0; n < G_N_ELEMENTS(vectors); n++) {
        uint32_t length = make(frame, n, 6);
        g_assert_cmphex(hash_of(frame, length, ALL), ==, vectors[n].ports);
        g_assert_cmphex(hash_of(frame, length, RSS_TOEPLITZ | RSS_IP4 | RSS_IP6), ==,
                        vectors[n].addresses);
        length = make(frame, n, 17);
        g_assert_cmphex(hash_of(frame, length, ALL), ==, vectors[n].addresses);
        g_assert_cmphex(hash_of(frame, length, ALL | RSS_UDP4 | RSS_UDP6), ==, vectors[n].ports);
        length = make(frame, n, 1);
        g_assert_cmphex(hash_of(frame, length, ALL), ==, vectors[n].addresses);
    }
}

/* What the guest has not asked for is not hashed. */
static void test_types(void)
{
    uint8_t frame[RSS_HEAD_BYTES];
    uint32_t length = make(frame, 0, 6);

    g_assert_true(is_hashed(frame, length, RSS_TOEPLITZ | RSS_TCP4));
    g_assert_false(is_hashed(frame, length, RSS_TOEPLITZ | RSS_UDP4));
    g_assert_false(is_hashed(frame, length, RSS_TOEPLITZ | RSS_IP6 | RSS_TCP6));
    g_assert_false(is_hashed(frame, length, RSS_TOEPLITZ));
    g_assert_false(is_hashed(frame, length, 2 | RSS_IP4)); /* no function that we have */
    g_assert_false(is_hashed(frame, length, 0));
    memcpy(frame + 12, "\x08\x06", 2); /* ARP */
    g_assert_false(is_hashed(frame, length, ALL));
}

/* Fragments have no ports, or only the first has: all of a packet go the same way. */
static void test_fragments(void)
{
    static const uint8_t offsets[][2] = {{0x20, 0}, {0x20, 9}, {0, 9}};
    uint8_t frame[RSS_HEAD_BYTES];

    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        uint32_t length = make(frame, 0, 6);
        memcpy(frame + 14 + 6, offsets[i], 2);
        g_assert_cmphex(hash_of(frame, length, ALL), ==, vectors[0].addresses);
        g_assert_false(is_hashed(frame, length, RSS_TOEPLITZ | RSS_TCP4));
    }
    uint32_t length = make(frame, 5, 44);
    g_assert_cmphex(hash_of(frame, length, ALL), ==, vectors[5].addresses);
}

/* Ports are behind the options. */
static void test_options(void)
{
    uint8_t frame[RSS_HEAD_BYTES];

    make(frame, 0, 6);
    memset(frame + 34, 0xff, 8);
    frame[14] = 0x47;
    put_ports(frame + 14 + 28, 0);
    g_assert_cmphex(hash_of(frame, 14 + 28 + 20, ALL), ==, vectors[0].ports);
}

/* Frames that end anywhere, headers that lie about their length. The bytes end where the frame
 * does, for the sanitizer to see. */
static void test_short(void)
{
    uint8_t frame[RSS_HEAD_BYTES];
    struct rss_key key;
    uint32_t hash;

    rss_key_set(&key, microsoft);
    for (unsigned n = 0; n < G_N_ELEMENTS(vectors); n += 5) {
        uint32_t full = make(frame, n, 6);
        for (uint32_t length = 0; length <= full; length++) {
            for (unsigned ihl = 0; ihl < 16; ihl++) {
                g_autofree uint8_t *copy = g_memdup2(frame, length);
                if (n == 0 && length > 14)
                    copy[14] = (uint8_t)(0x40 | ihl);
                rss_hash(&key, ALL, copy, length, &hash);
            }
        }
    }
    make(frame, 0, 6);
    frame[14] = 0x44; /* shorter than a header */
    g_assert_cmphex(hash_of(frame, 54, ALL), ==, vectors[0].addresses);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rss/vectors", test_vectors);
    g_test_add_func("/rss/types", test_types);
    g_test_add_func("/rss/fragments", test_fragments);
    g_test_add_func("/rss/options", test_options);
    g_test_add_func("/rss/attack/short", test_short);
    return g_test_run();
}
