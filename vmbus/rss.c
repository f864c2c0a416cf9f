/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Toeplitz hash and what of a frame goes into it: see rss.h.
 */
#include "vmbus/rss.h"

#include <string.h>

#include "vswitch/frame.h"
#include "vswitch/wire.h"

#define IP4_ADDRESSES 12u /* in the header */
#define IP6_ADDRESSES 8u
#define PORTS         4u /* bytes of both */

/* --- Key */

/* The 32 bits of the key from bit `at` on. */
static uint32_t window(const uint8_t bytes[RSS_KEY_BYTES], uint32_t at)
{
    uint64_t bits = 0;

    for (uint32_t i = at / 8; i < at / 8 + 5; i++)
        bits = bits << 8 | (i < RSS_KEY_BYTES ? bytes[i] : 0);
    return (uint32_t)(bits >> (8 - at % 8));
}

void rss_key_set(struct rss_key *key, const uint8_t bytes[RSS_KEY_BYTES])
{
    for (uint32_t half = 0; half < 2 * RSS_INPUT_BYTES; half++) {
        for (uint32_t value = 0; value < 16; value++) {
            uint32_t adds = 0;

            for (uint32_t bit = 0; bit < 4; bit++)
                if (value & 8u >> bit)
                    adds ^= window(bytes, 4 * half + bit);
            key->adds[half][value] = adds;
        }
    }
}

uint32_t rss_toeplitz(const struct rss_key *key, const uint8_t *input, uint32_t length)
{
    uint32_t hash = 0;

    for (uint32_t i = 0; i < length; i++)
        hash ^= key->adds[2 * i][input[i] >> 4] ^ key->adds[2 * i + 1][input[i] & 15];
    return hash;
}

/* --- Frames */

/* Each gives the bytes of `input` that identify the flow, 0 for a packet that is not hashed. */
static uint32_t collect_ip4(uint32_t info, const uint8_t *ip, uint32_t length,
                            uint8_t input[RSS_INPUT_BYTES])
{
    uint32_t header;

    if (length < IP4_BYTES || ip[0] >> 4 != 4)
        return 0;
    header = (ip[0] & 15u) * 4;
    memcpy(input, ip + IP4_ADDRESSES, 8);
    bool ports = (ip[9] == IP_TCP && info & RSS_TCP4) || (ip[9] == IP_UDP && info & RSS_UDP4);
    bool whole = !(wire_get16(ip + 6) & (IP4_MORE | IP4_OFFSET)) && header >= IP4_BYTES &&
                 header + PORTS <= length;
    if (!ports || !whole)
        return info & RSS_IP4 ? 8 : 0;
    memcpy(input + 8, ip + header, PORTS);
    return 8 + PORTS;
}

static uint32_t collect_ip6(uint32_t info, const uint8_t *ip, uint32_t length,
                            uint8_t input[RSS_INPUT_BYTES])
{
    if (length < IP6_BYTES || ip[0] >> 4 != 6)
        return 0;
    memcpy(input, ip + IP6_ADDRESSES, 32);
    bool ports = (ip[6] == IP_TCP && info & RSS_TCP6) || (ip[6] == IP_UDP && info & RSS_UDP6);
    if (!ports || length < IP6_BYTES + PORTS)
        return info & RSS_IP6 ? 32 : 0;
    memcpy(input + 32, ip + IP6_BYTES, PORTS);
    return 32 + PORTS;
}

bool rss_hash(const struct rss_key *key, uint32_t info, const uint8_t *head, uint32_t length,
              uint32_t *ret_hash)
{
    uint8_t input[RSS_INPUT_BYTES];
    uint32_t bytes = 0;

    if (RSS_FUNCTION(info) != RSS_TOEPLITZ || length < FRAME_ETHERNET)
        return false;
    if (wire_get16(head + 12) == ETHERTYPE_IP4)
        bytes = collect_ip4(info, head + FRAME_ETHERNET, length - FRAME_ETHERNET, input);
    else if (wire_get16(head + 12) == ETHERTYPE_IP6)
        bytes = collect_ip6(info, head + FRAME_ETHERNET, length - FRAME_ETHERNET, input);
    *ret_hash = rss_toeplitz(key, input, bytes);
    return bytes;
}
