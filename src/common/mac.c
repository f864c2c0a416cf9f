/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet addresses as text: see mac.h. */
#include "src/common/mac.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

bool mac_parse(const char *text, uint8_t ret_mac[6])
{
    uint8_t mac[6];

    for (unsigned i = 0; i < 6; i++, text += 3) {
        int high = g_ascii_xdigit_value(text[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);

        if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_mac, mac, sizeof(mac));
    return true;
}

bool mac_is_station(const uint8_t mac[6])
{
    static const uint8_t zero[6];

    return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

void mac_print(const uint8_t mac[6], char text[MAC_TEXT])
{
    snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
}
