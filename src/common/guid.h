/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GUIDs as VMBus carries them: the first three fields little-endian, the last eight bytes in order.
 */
#ifndef VMBUSD_COMMON_GUID_H
#define VMBUSD_COMMON_GUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct guid {
    uint8_t b[16]; /* wire order */
};

_Static_assert(sizeof(struct guid) == 16, "wire size");

/* Initialiser from the fields of the usual text form aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee. */
#define GUID_INIT(a, b_, c, d0, d1, d2, d3, d4, d5, d6, d7)                                     \
    {                                                                                           \
        {                                                                                       \
            (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16), (uint8_t)((a) >> 24),      \
                (uint8_t)(b_), (uint8_t)((b_) >> 8), (uint8_t)(c), (uint8_t)((c) >> 8), d0, d1, \
                d2, d3, d4, d5, d6, d7                                                          \
        }                                                                                       \
    }

#define GUID_TEXT_SIZE 37 /* 36 characters and the NUL */

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Order of memcmp() on the wire bytes: total, stable over restarts. */
static inline int guid_compare(const struct guid *a, const struct guid *b)
{
    return memcmp(a, b, sizeof(*a));
}

/* Write the lower-case text form with its NUL. */
void guid_format(const struct guid *guid, char text[GUID_TEXT_SIZE]);

/* Parse the text form, either case, with or without braces. False (and *ret_guid as it was) if it
 * is not one. */
bool guid_parse(const char *text, struct guid *ret_guid);

#endif
