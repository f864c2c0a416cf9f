/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's data message asks for, held against the frame itself.
 *
 * NDIS tells where the TCP header is and which checksums are missing; here the frame's own headers
 * decide, and the frame is dropped where the two disagree. What NDIS leaves to the hardware is then
 * done in the copied head: pseudo-header sums, the IPv4 header's checksum, and for a large send
 * the length fields (RFC 791, 793, 8200; virtio 1.2, 5.1.6.2).
 *
 * Left out: offloads behind a second VLAN tag or an IPv6 routing header, where Linux and Windows
 * do not ask for any.
 */
#include "vmbus/rndis.h"

#include <errno.h>
#include <string.h>

#include "vmbus/rndis_wire.h"
#include "vswitch/checksum.h"
#include "vswitch/wire.h"

#define TAG_BYTES      4u
#define MACS           12u /* bytes before the Ethernet type */
#define TCP_CSUM       16u
#define UDP_BYTES      8u
#define UDP_CSUM       6u
#define IP4_CSUM       10u
#define IP4_ADDRESSES  12u
#define IP6_ADDRESSES  8u
#define GSO_MIN        8u /* frame_meta_check()'s */
#define SEGMENT_MAX_IP 65535u

/* An IP packet, as far as its headers lie in the head. Offsets are from the start of the frame. */
struct ip_packet {
    bool ip4;
    bool fragment;
    uint8_t protocol;
    uint32_t l4;
    uint32_t length; /* of the packet, as the header says it */
};

static bool parse_ip4(const uint8_t *head, uint32_t len, struct ip_packet *ret)
{
    const uint8_t *ip = head + FRAME_ETHERNET;

    if (len < FRAME_ETHERNET + IP4_BYTES || ip[0] >> 4 != 4)
        return false;
    *ret = (struct ip_packet){
        .ip4 = true,
        .fragment = wire_get16(ip + 6) & (IP4_MORE | IP4_OFFSET),
        .protocol = ip[9],
        .l4 = FRAME_ETHERNET + (ip[0] & 15u) * 4,
        .length = wire_get16(ip + 2),
    };
    return ret->l4 >= FRAME_ETHERNET + IP4_BYTES && ret->l4 <= len;
}

/* Hop-by-hop and destination options are stepped over; each takes 8 bytes at least, so the walk
 * ends. */
static bool parse_ip6(const uint8_t *head, uint32_t len, struct ip_packet *ret)
{
    const uint8_t *ip = head + FRAME_ETHERNET;

    if (len < FRAME_ETHERNET + IP6_BYTES || ip[0] >> 4 != 6)
        return false;
    *ret = (struct ip_packet){
        .protocol = ip[6],
        .l4 = FRAME_ETHERNET + IP6_BYTES,
        .length = IP6_BYTES + wire_get16(ip + 4),
    };
    while (ret->protocol == IP6_HOPS || ret->protocol == IP6_DESTINATION) {
        if (len - ret->l4 < 8)
            return false;
        ret->protocol = head[ret->l4];
        ret->l4 += (head[ret->l4 + 1] + 1u) * 8;
        if (ret->l4 > len)
            return false;
    }
    ret->fragment = ret->protocol == IP6_FRAGMENT;
    return true;
}

/* `head` has an Ethernet header at least. */
static bool parse_ip(const uint8_t *head, uint32_t len, struct ip_packet *ret)
{
    switch (wire_get16(head + MACS)) {
    case ETHERTYPE_IP4:
        return parse_ip4(head, len, ret);
    case ETHERTYPE_IP6:
        return parse_ip6(head, len, ret);
    default:
        return false;
    }
}

/* --- Sums */

static void put_ip4_checksum(uint8_t *head, const struct ip_packet *ip)
{
    uint8_t *header = head + FRAME_ETHERNET;

    wire_put16(header + IP4_CSUM, 0);
    checksum_put(header + IP4_CSUM, checksum_add(0, header, ip->l4 - FRAME_ETHERNET));
}

/* Put the pseudo header's sum into the field of the checksum, and have the rest done. `end` is
 * where the packet ends in the frame. */
static void leave_l4(uint8_t *head, const struct ip_packet *ip, uint32_t field, uint32_t end,
                     struct frame_meta *meta)
{
    uint8_t *at = head + ip->l4 + field, rest[4] = {0, ip->protocol};
    uint64_t sum;

    wire_put16(rest + 2, end - ip->l4);
    sum = checksum_add(0, rest, sizeof(rest));
    if (ip->ip4)
        sum = checksum_add(sum, head + FRAME_ETHERNET + IP4_ADDRESSES, 8);
    else
        sum = checksum_add(sum, head + FRAME_ETHERNET + IP6_ADDRESSES, 32);
    checksum_put(at, sum);
    at[0] ^= 0xff; /* the sum itself, not its complement */
    at[1] ^= 0xff;
    meta->csum_start = (uint16_t)ip->l4;
    meta->csum_offset = (uint16_t)field;
    meta->flags |= FRAME_CSUM_PARTIAL;
}

/* --- Requests */

/* A plain checksum request. What lies behind the IP packet is padding, and goes: it is no part of
 * the sum. `moved` is how far the frame's bytes moved up since the guest wrote the request. */
static int do_checksum(uint32_t csum, uint32_t moved, uint8_t *head, uint32_t len,
                       struct frame_meta *meta)
{
    bool tcp = csum & RNDIS_TX_CSUM_TCP, udp = csum & RNDIS_TX_CSUM_UDP;
    uint32_t needed = tcp ? TCP_BYTES : udp ? UDP_BYTES : 0, end;
    struct ip_packet ip;

    if (!(csum & RNDIS_TX_CSUM_WORK))
        return 0;
    if (!parse_ip(head, len, &ip) || csum & (ip.ip4 ? RNDIS_TX_CSUM_IP6 : RNDIS_TX_CSUM_IP4))
        return -EBADMSG;
    end = FRAME_ETHERNET + ip.length;
    if (end < ip.l4 + needed || end > meta->length || len < ip.l4 + needed)
        return -EBADMSG;
    if (csum & RNDIS_TX_CSUM_HEADER) {
        if (!ip.ip4)
            return -EBADMSG;
        put_ip4_checksum(head, &ip);
    }
    if (!tcp && !udp)
        return 0;
    if ((tcp && udp) || ip.fragment || ip.protocol != (tcp ? IP_TCP : IP_UDP))
        return -EBADMSG;
    if (tcp && RNDIS_TX_CSUM_L4(csum) && RNDIS_TX_CSUM_L4(csum) != ip.l4 + moved)
        return -EBADMSG;
    meta->length = end;
    leave_l4(head, &ip, tcp ? TCP_CSUM : UDP_CSUM, end, meta);
    return 0;
}

static bool lso_holds(uint32_t lso, uint32_t moved, const uint8_t *head, uint32_t len,
                      struct ip_packet *ip)
{
    uint32_t mss = RNDIS_LSO_MSS(lso);

    return lso & RNDIS_LSO_V2 && mss >= GSO_MIN && mss <= UINT16_MAX && parse_ip(head, len, ip) &&
           ip->ip4 == !(lso & RNDIS_LSO_IP6) && !ip->fragment && ip->protocol == IP_TCP &&
           RNDIS_LSO_L4(lso) == ip->l4 + moved && len >= ip->l4 + TCP_BYTES;
}

/* The lengths that the guest leaves to the hardware. */
static void put_ip_length(uint8_t *head, const struct ip_packet *ip, uint32_t length)
{
    if (!ip->ip4) {
        wire_put16(head + FRAME_ETHERNET + 4, length - IP6_BYTES);
        return;
    }
    wire_put16(head + FRAME_ETHERNET + 2, length);
    put_ip4_checksum(head, ip);
}

/* A large send. One that fits into a single segment is a plain frame. */
static int do_lso(uint32_t lso, uint32_t moved, uint32_t mtu, uint8_t *head, uint32_t len,
                  struct frame_meta *meta)
{
    uint32_t length = meta->length - FRAME_ETHERNET, mss = RNDIS_LSO_MSS(lso), header;
    struct ip_packet ip;

    if (!lso_holds(lso, moved, head, len, &ip))
        return -EBADMSG;
    header = ip.l4 + (head[ip.l4 + 12] >> 4) * 4u;
    if (header < ip.l4 + TCP_BYTES || header > meta->length ||
        length > SEGMENT_MAX_IP + (ip.ip4 ? 0 : IP6_BYTES))
        return -EBADMSG;
    put_ip_length(head, &ip, length);
    leave_l4(head, &ip, TCP_CSUM, meta->length, meta);
    if (meta->length - header <= mss)
        return 0;
    if (header - FRAME_ETHERNET + mss > mtu)
        return -EMSGSIZE;
    meta->gso = ip.ip4 ? FRAME_GSO_TCPV4 : FRAME_GSO_TCPV6;
    meta->gso_size = (uint16_t)mss;
    meta->header = (uint16_t)header;
    return 0;
}

/* --- Frame */

static bool is_tagged(const uint8_t *head, uint32_t len)
{
    return len >= FRAME_ETHERNET && wire_get16(head + MACS) == ETHERTYPE_VLAN;
}

/* Move the tag from the bytes to the metadata: the addresses go up over it. 0, 4 or -EBADMSG. */
static int take_tag(const struct rndis_packet *packet, uint8_t *head, uint32_t len,
                    struct frame_meta *meta)
{
    int skip = 0;

    if (packet->info & RNDIS_INFO_VLAN) {
        meta->vlan_tci = packet->vlan_tci;
    } else if (is_tagged(head, len)) {
        if (len < FRAME_ETHERNET + TAG_BYTES)
            return -EBADMSG;
        meta->vlan_tci = wire_get16(head + FRAME_ETHERNET);
        memmove(head + TAG_BYTES, head, MACS);
        meta->length -= TAG_BYTES;
        skip = TAG_BYTES;
    } else {
        return 0;
    }
    meta->flags |= FRAME_VLAN;
    return (meta->vlan_tci & VLAN_VID) > VLAN_LAST ? -EBADMSG : skip;
}

/* The largest frame that is not to be cut; a second tag does not count. */
static uint32_t frame_max(uint32_t mtu, const uint8_t *head, uint32_t len)
{
    uint16_t type = wire_get16(head + MACS);
    bool tagged =
        len >= FRAME_ETHERNET + TAG_BYTES && (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE);

    return mtu + FRAME_ETHERNET + (tagged ? TAG_BYTES : 0);
}

int rndis_to_meta(const struct rndis_packet *packet, uint32_t mtu, uint8_t *head, uint32_t head_len,
                  struct frame_meta *ret_meta)
{
    uint32_t whole = packet->data_length, moved;
    int skip, ret = 0;

    *ret_meta = (struct frame_meta){.length = whole};
    if (whole < FRAME_ETHERNET || whole > LIMIT_FRAME || head_len > whole ||
        (head_len < whole && head_len < RNDIS_FRAME_HEAD))
        return -EBADMSG;
    skip = take_tag(packet, head, head_len, ret_meta);
    if (skip < 0)
        return skip;
    moved = (uint32_t)skip;
    head += moved;
    head_len -= moved;
    if (packet->info & RNDIS_INFO_LSO)
        ret = do_lso(packet->lso, moved, mtu, head, head_len, ret_meta);
    else if (packet->info & RNDIS_INFO_CSUM)
        ret = do_checksum(packet->csum, moved, head, head_len, ret_meta);
    if (ret < 0)
        return ret;
    if (ret_meta->gso == FRAME_GSO_NONE && ret_meta->length > frame_max(mtu, head, head_len))
        return -EMSGSIZE;
    ret_meta->hash = frame_hash(head, head_len < ret_meta->length ? head_len : ret_meta->length);
    return skip;
}
