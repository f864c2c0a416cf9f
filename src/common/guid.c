/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text form of GUIDs. Unlike libuuid's, it follows the wire order of guid.h and never allocates.
 */
#include "src/common/guid.h"

#include <glib.h>

/* Wire position of each byte, in the order in which the text shows them. */
static const uint8_t text_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool dash_before(unsigned byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void guid_format(const struct guid *guid, char text[GUID_TEXT_SIZE])
{
    static const char digit[] = "0123456789abcdef";

    for (unsigned i = 0; i < 16; i++) {
        if (dash_before(i))
            *text++ = '-';
        *text++ = digit[guid->b[text_order[i]] >> 4];
        *text++ = digit[guid->b[text_order[i]] & 15];
    }
    *text = 0;
}

bool guid_parse(const char *text, struct guid *ret_guid)
{
    struct guid guid;
    bool braces = *text == '{';

    text += braces;
    for (unsigned i = 0; i < 16; i++) {
        if (dash_before(i) && *text++ != '-')
            return false;
        int high = g_ascii_xdigit_value(text[0]);
        if (high < 0)
            return false;
        int low = g_ascii_xdigit_value(text[1]);
        if (low < 0)
            return false;
        guid.b[text_order[i]] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (braces && *text++ != '}')
        return false;
    if (*text)
        return false;
    *ret_guid = guid;
    return true;
}
