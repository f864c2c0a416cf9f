/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames for the RNDIS tests.
 */
#include "tests/unit/rndis_frames.h"

#include <string.h>

#include "vswitch/frame.h"
#include "vswitch/wire.h"

#define L2 FRAME_ETHERNET

void start_frame(uint8_t *frame, uint16_t type, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        frame[i] = (uint8_t)(i * 7 + 1);
    memcpy(frame, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
    wire_put16(frame + 12, type);
}

uint32_t ip_frame(uint8_t *frame, bool ip4, uint8_t protocol, uint32_t l4, uint32_t payload)
{
    uint8_t *ip = frame + L2;
    uint32_t header = ip4 ? 20 : 40;

    start_frame(frame, ip4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6, L2 + header + l4 + payload);
    memset(ip, 0, header + l4);
    ip[0] = ip4 ? 0x45 : 0x60;
    if (ip4) {
        wire_put16(ip + 2, header + l4 + payload);
        ip[8] = 64;
        ip[9] = protocol;
        memcpy(ip + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
    } else {
        wire_put16(ip + 4, l4 + payload);
        ip[6] = protocol;
        memcpy(ip + 8, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2",
               32);
    }
    memset(ip + header, 0x11, l4);
    if (protocol == IP_TCP)
        ip[header + 12] = (uint8_t)(l4 / 4 << 4);
    return L2 + header;
}

uint32_t ones_sum(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}
