/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Internet checksum (RFC 1071).
 *
 * Words are added as this machine reads them: a one's complement sum comes out in the order in
 * which its words went in, so the result is stored as read and no byte is swapped (section 2B
 * there).
 */
#ifndef VMBUSD_VSWITCH_CHECKSUM_H
#define VMBUSD_VSWITCH_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Add `length` bytes, which begin at an even offset of what is summed, to a sum (0 to begin). A sum
 * holds at least 16 GiB. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, uint32_t length)
{
    uint32_t at = 0;

    for (; at + 4 <= length; at += 4) {
        uint32_t word;

        memcpy(&word, bytes + at, sizeof(word));
        sum += word;
    }
    uint8_t rest[4] = {0};
    memcpy(rest, bytes + at, length - at);
    uint32_t word;
    memcpy(&word, rest, sizeof(word));
    return sum + word;
}

/* True if a sum over everything, the checksum included, says that nothing has changed. */
static inline bool checksum_good(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* Store the checksum of a sum; never 0, which to UDP would say that there is none. */
static inline void checksum_put(uint8_t *field, uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    uint16_t value = (uint16_t)~sum;
    value = value ? value : 0xffff;
    memcpy(field, &value, sizeof(value));
}

#endif
