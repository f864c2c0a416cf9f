/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-16LE to and from UTF-8 (RFC 3629, RFC 2781).
 *
 * Left out: byte order marks (VMBus has one byte order), normalisation.
 */
#include "src/common/utf16.h"

#include <errno.h>
#include <stdbool.h>

#define REPLACEMENT 0xfffdu
#define INVALID     UINT32_MAX

static bool is_surrogate(uint32_t c)
{
    return c >= 0xd800 && c <= 0xdfff;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* The character at *text, and *text behind it; INVALID if there is none. */
static uint32_t utf8_take(const uint8_t **text)
{
    static const uint32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
    uint32_t c = *(*text)++;
    unsigned more;

    if (c < 0x80)
        return c;
    if (c >= 0xc2 && c < 0xe0)
        more = 1, c &= 0x1f;
    else if (c >= 0xe0 && c < 0xf0)
        more = 2, c &= 0xf;
    else if (c >= 0xf0 && c < 0xf5)
        more = 3, c &= 7;
    else
        return INVALID;
    for (unsigned i = 0; i < more; i++) {
        if ((**text & 0xc0) != 0x80) /* also stops at the NUL */
            return INVALID;
        c = c << 6 | (*(*text)++ & 0x3f);
    }
    if (c < smallest[more] || c > 0x10ffff || is_surrogate(c))
        return INVALID;
    return c;
}

static void put_unit(uint8_t *out, size_t unit, uint32_t value)
{
    out[2 * unit] = (uint8_t)value;
    out[2 * unit + 1] = (uint8_t)(value >> 8);
}

int utf16_from_utf8(uint8_t *out, size_t units, const char *text)
{
    const uint8_t *in = (const uint8_t *)text;
    size_t n = 0;
    int ret = 0;

    while (*in != 0) {
        uint32_t c = utf8_take(&in);

        if (c == INVALID) {
            ret = -EINVAL;
            break;
        }
        if (n + (c > 0xffff ? 2 : 1) >= units) {
            ret = -EMSGSIZE;
            break;
        }
        if (c > 0xffff) {
            c -= 0x10000;
            put_unit(out, n++, 0xd800 | c >> 10);
            c = 0xdc00 | (c & 0x3ff);
        }
        put_unit(out, n++, c);
    }
    put_unit(out, n, 0);
    return ret < 0 ? ret : (int)n;
}

/* Bytes of the UTF-8 form of `c`, written to `out`. */
static size_t utf8_put(uint8_t out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static uint32_t get_unit(const uint8_t *in, size_t unit)
{
    return in[2 * unit] | (uint32_t)in[2 * unit + 1] << 8;
}

size_t utf16_to_utf8(char *out, size_t size, const uint8_t *in, size_t bytes)
{
    size_t units = bytes / 2, n = 0;

    for (size_t i = 0; i < units; i++) {
        uint32_t c = get_unit(in, i);
        uint8_t utf8[4];
        size_t len;

        if (c == 0)
            break;
        if (is_surrogate(c)) {
            uint32_t low = i + 1 < units ? get_unit(in, i + 1) : 0;

            if (c < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
                c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
                i++;
            } else {
                c = REPLACEMENT;
            }
        }
        len = utf8_put(utf8, is_control(c) ? REPLACEMENT : c);
        if (n + len >= size)
            break;
        for (size_t j = 0; j < len; j++)
            out[n++] = (char)utf8[j];
    }
    out[n] = '\0';
    return n;
}
