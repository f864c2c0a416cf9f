/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of the protocols that the switch looks into, and big-endian fields.
 *
 * Headers are read by offset from private copies, not through structures: they lie at any address.
 * Facts: IANA's registries, IEEE 802.1Q, RFC 791, 792, 826, 1256, 2236, 2710, 3376, 3810, 4861,
 * 7761, 8200.
 */
#ifndef VMBUSD_VSWITCH_WIRE_H
#define VMBUSD_VSWITCH_WIRE_H

#include <stdint.h>

#define ETHERTYPE_FIRST   0x0600u /* below: the length of an IEEE 802.3 frame */
#define ETHERTYPE_IP4     0x0800u
#define ETHERTYPE_ARP     0x0806u
#define ETHERTYPE_RARP    0x8035u
#define ETHERTYPE_VLAN    0x8100u
#define ETHERTYPE_IP6     0x86ddu
#define ETHERTYPE_SERVICE 0x88a8u /* 802.1ad */
#define ETHERTYPE_QINQ    0x9100u /* before it had a number */

#define VLAN_VID      0x0fffu
#define VLAN_PRIORITY 0xf000u /* with DEI */
#define VLAN_LAST     4094u   /* 4095 is reserved, 0 says priority only */

#define ARP_BYTES           28u
#define ARP_HARDWARE_LENGTH 4u /* offsets */
#define ARP_PROTOCOL_LENGTH 5u
#define ARP_SENDER          8u

#define IP4_BYTES  20u
#define IP4_MORE   0x2000u
#define IP4_OFFSET 0x1fffu
#define IP6_BYTES  40u
#define IP6_OFFSET 0xfff8u

#define IP_ICMP   1u
#define IP_IGMP   2u
#define TCP_BYTES 20u
#define IP_TCP    6u
#define IP_UDP    17u
#define IP_ICMP6  58u
#define IP_PIM    103u

#define IP6_HOPS        0u
#define IP6_ROUTING     43u
#define IP6_FRAGMENT    44u
#define IP6_AUTH        51u
#define IP6_DESTINATION 60u
#define IP6_MOBILITY    135u
#define IP6_HIP         139u
#define IP6_SHIM6       140u

#define ICMP_REDIRECT      5u
#define ICMP_ROUTER_ADVERT 9u

#define ICMP6_MLD_QUERY         130u
#define ICMP6_MLD_REPORT        131u
#define ICMP6_MLD_DONE          132u
#define ICMP6_ROUTER_SOLICIT    133u
#define ICMP6_ROUTER_ADVERT     134u
#define ICMP6_NEIGHBOUR_SOLICIT 135u
#define ICMP6_NEIGHBOUR_ADVERT  136u
#define ICMP6_REDIRECT          137u
#define ICMP6_MLD2_REPORT       143u

#define UDP_DHCP_SERVER  67u
#define UDP_DHCP_CLIENT  68u
#define UDP_DHCP6_CLIENT 546u
#define UDP_DHCP6_SERVER 547u

static inline uint16_t wire_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t wire_get32(const uint8_t *bytes)
{
    return (uint32_t)wire_get16(bytes) << 16 | wire_get16(bytes + 2);
}

static inline void wire_put16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *bytes, uint32_t value)
{
    wire_put16(bytes, value >> 16);
    wire_put16(bytes + 2, value);
}

#endif
