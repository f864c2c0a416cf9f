/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet addresses as people write them: 52:54:00:12:34:56.
 */
#ifndef VMBUSD_COMMON_MAC_H
#define VMBUSD_COMMON_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_TEXT 18u /* bytes of the text, its end included */

/* Six bytes from `text`, which is nothing else. False, and *ret_mac as it was, if it is no address.
 */
bool mac_parse(const char *text, uint8_t ret_mac[6]);

/* The address of one station: neither a group's nor all zeroes. */
bool mac_is_station(const uint8_t mac[6]);

/* Lower case. */
void mac_print(const uint8_t mac[6], char text[MAC_TEXT]);

#endif
