/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames the legacy adapter takes in: setup frames (DECchip 21140, 4.2.3) and what follows
 * from them.
 *
 * A setup frame has 48 longwords of which only the lower halves count. Perfect and inverse: sixteen
 * addresses of three longwords. Hashing: 512 bits in the first 32 longwords, one address in
 * longwords 39 to 41; the hash is the lower 9 bits of the address' CRC, and for a table of both
 * kinds it is looked up for stations too. Broadcasts are taken without being asked for: a driver of
 * Hyper-V's adapter has never seen it otherwise.
 */
#include "src/pc/tulip_priv.h"

#include <string.h>

#define CONTROL_HASH      0x00400000u /* of the setup descriptor */
#define CONTROL_INVERSE   0x10000000u
#define HASH_WORDS        32u
#define HASH_ADDRESS_WORD 39u
#define HASH_MASK         0x1ffu

uint32_t tulip_crc(const uint8_t *bytes, size_t length)
{
    static const uint32_t step[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                      0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = UINT32_MAX;

    while (length--) {
        crc ^= *bytes++;
        crc = crc >> 4 ^ step[crc & 15];
        crc = crc >> 4 ^ step[crc & 15];
    }
    return crc;
}

/* The lower half of longword `n`. */
static const uint8_t *half(const uint8_t *setup, unsigned n)
{
    return setup + (size_t)4 * n;
}

static void take_address(uint8_t *mac, const uint8_t *setup, unsigned first)
{
    for (unsigned i = 0; i < 3; i++)
        memcpy(mac + (size_t)2 * i, half(setup, first + i), 2);
}

void tulip_filter_set(struct tulip_filter *filter, uint32_t control, const uint8_t *setup)
{
    bool hash = control & CONTROL_HASH, second = control & CONTROL_INVERSE;

    *filter = (struct tulip_filter){
        .hash = hash, .hash_only = hash && second, .inverse = !hash && second};
    if (!hash) {
        for (unsigned i = 0; i < TULIP_ADDRESSES; i++)
            take_address(filter->address[i], setup, 3 * i);
        return;
    }
    for (unsigned i = 0; i < HASH_WORDS; i++)
        filter->bits[i] = (uint16_t)(half(setup, i)[0] | half(setup, i)[1] << 8);
    take_address(filter->address[0], setup, HASH_ADDRESS_WORD);
}

static bool hashed(const struct tulip_filter *filter, const uint8_t *mac)
{
    uint32_t bit = tulip_crc(mac, 6) & HASH_MASK;

    return filter->bits[bit / 16] >> bit % 16 & 1;
}

static bool listed(const struct tulip_filter *filter, const uint8_t *mac)
{
    for (unsigned i = 0; i < TULIP_ADDRESSES; i++)
        if (!memcmp(filter->address[i], mac, 6))
            return true;
    return false;
}

bool tulip_filter_match(const struct tulip_filter *filter, const uint8_t *mac)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (filter->inverse)
        return !listed(filter, mac);
    if (!memcmp(mac, broadcast, 6))
        return true;
    if (!filter->hash)
        return listed(filter, mac);
    if (mac[0] & 1 || filter->hash_only)
        return hashed(filter, mac);
    return !memcmp(filter->address[0], mac, 6);
}
