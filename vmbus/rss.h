/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive side scaling as NDIS defines it: the Toeplitz hash over what identifies a flow.
 *
 * The hash is linear: what one bit of the input adds depends on its place and the key alone. So a
 * key becomes a table of what each value of each half byte adds, and hashing is a look-up and an
 * exclusive or for each. Facts: Microsoft, "RSS Hashing Types", "Verifying the RSS Hash
 * Calculation".
 *
 * Left out: the IPv6 types with home address and routing header (no guest here asks for them).
 */
#ifndef VMBUSD_VMBUS_RSS_H
#define VMBUSD_VMBUS_RSS_H

#include <stdbool.h>
#include <stdint.h>

#define RSS_KEY_BYTES   40u
#define RSS_INPUT_BYTES 36u /* two IPv6 addresses, two ports */
#define RSS_HEAD_BYTES  80u /* of a frame: no more is looked at */

/* What NDIS calls hash information: the function in the low byte, types above it. */
#define RSS_FUNCTION(info) ((info)&0xffu)
#define RSS_TOEPLITZ       0x01u
#define RSS_IP4            0x0100u
#define RSS_TCP4           0x0200u
#define RSS_IP6            0x0400u
#define RSS_TCP6           0x1000u
#define RSS_UDP4           0x4000u
#define RSS_UDP6           0x8000u

struct rss_key {
    uint32_t adds[2 * RSS_INPUT_BYTES][16];
};

/* Make ready for a key. */
void rss_key_set(struct rss_key *key, const uint8_t bytes[RSS_KEY_BYTES]);

/* The hash of `length` bytes, at most RSS_INPUT_BYTES. */
uint32_t rss_toeplitz(const struct rss_key *key, const uint8_t *input, uint32_t length);

/* Hash the flow of a frame without tag, whose first `length` bytes are at `head` (all of it, or
 * RSS_HEAD_BYTES at least; with IPv4 options ports that lie behind that are not seen), by the types
 * in `info`: ports where the type is asked for and the packet is whole, else addresses. False if
 * nothing in `info` fits the frame. */
bool rss_hash(const struct rss_key *key, uint32_t info, const uint8_t *head, uint32_t length,
              uint32_t *ret_hash);

#endif
