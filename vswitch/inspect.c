/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames inspected: see the header.
 *
 * Every parser below gets its bytes from look(), which copies what is not copied yet; none has
 * another way to them. Encapsulations that some stack strips are looked through as well, or they
 * would hide from a guard what the receiver sees: stacked tags, also with VID 0, and SNAP with any
 * value of the length field (CVE-2021-27853, -27854, -27861, -27862).
 */
#include "vswitch/inspect.h"

#include <string.h>

#include "vswitch/wire.h"

#define TYPE_AT     12u
#define TAG_BYTES   4u
#define FIRST_BYTES (FRAME_ETHERNET + TAG_BYTES)
#define CHUNK       64u /* what is not copied yet is copied in whole cache lines */

#define ND_OPTION_SOURCE 1u
#define ND_OPTION_TARGET 2u

/* --- Copying ---------------------------------------------------------------------------------- */

static uint32_t settled_length(const struct frame *frame, const struct frame_info *info)
{
    return frame->meta.length - info->cut;
}

bool inspect_need(const struct frame *frame, struct frame_info *info, uint32_t length)
{
    uint32_t total = settled_length(frame, info), have = info->have;

    if (length <= have)
        return true;
    if (length > total || length > INSPECT_BYTES)
        return false;
    uint32_t want = (length + CHUNK - 1) / CHUNK * CHUNK;
    want = want < total ? want : total;
    if (!frame_read(frame, have + info->cut, info->bytes + have, want - have))
        return false;
    info->have = (uint16_t)want;
    return true;
}

static const uint8_t *look(const struct frame *frame, struct frame_info *info, uint32_t at,
                           uint32_t length)
{
    return inspect_need(frame, info, at + length) ? info->bytes + at : NULL;
}

/* --- Ethernet --------------------------------------------------------------------------------- */

static bool is_tag(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE || type == ETHERTYPE_QINQ;
}

static uint16_t destination_flags(const uint8_t *mac)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t reserved[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

    if (!(mac[0] & 1))
        return 0;
    if (memcmp(mac, broadcast, sizeof(broadcast)) == 0)
        return INFO_BROADCAST;
    if (memcmp(mac, reserved, sizeof(reserved)) == 0 && mac[5] < 0x10)
        return INFO_MULTICAST | INFO_RESERVED;
    return INFO_MULTICAST;
}

/* A tag in the bytes of a frame that has none beside them: take it out of the copy. */
static bool take_tag(const struct frame *frame, struct frame_info *info)
{
    const struct frame_meta *meta = &frame->meta;

    if (meta->length < FIRST_BYTES)
        return false;
    if (meta->flags & FRAME_CSUM_PARTIAL && meta->csum_start < FIRST_BYTES)
        return false;
    info->flags |= INFO_TAGGED;
    info->tci = wire_get16(info->bytes + TYPE_AT + 2);
    info->cut = TAG_BYTES;
    info->have = FRAME_ETHERNET;
    memmove(info->bytes + TYPE_AT, info->bytes + TYPE_AT + TAG_BYTES, 2);
    return true;
}

bool inspect_frame(const struct frame *frame, struct frame_info *ret_info)
{
    struct frame_info *info = ret_info;
    uint32_t length = frame->meta.length;

    if (length < FRAME_ETHERNET)
        return false;
    memset(info, 0, offsetof(struct frame_info, bytes));
    info->have = length < FIRST_BYTES ? (uint16_t)length : FIRST_BYTES;
    if (frame->data[0].iov_len >= FIRST_BYTES && length >= FIRST_BYTES)
        memcpy(info->bytes, frame->data[0].iov_base, FIRST_BYTES);
    else if (!frame_read(frame, 0, info->bytes, info->have))
        return false;

    info->flags = destination_flags(info->bytes);
    if (frame->meta.flags & FRAME_VLAN) {
        info->flags |= INFO_TAGGED;
        info->tci = frame->meta.vlan_tci;
    } else if (wire_get16(info->bytes + TYPE_AT) == ETHERTYPE_VLAN && !take_tag(frame, info)) {
        return false;
    }
    info->ethertype = wire_get16(info->bytes + TYPE_AT);
    if (is_tag(info->ethertype))
        info->flags |= INFO_INNER;
    return !(info_source(info)[0] & 1);
}

/* Through inner tags and SNAP to what the frame carries. */
static bool walk_link(const struct frame *frame, struct frame_info *info)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00};
    unsigned tags = 0, snaps = 0;
    uint16_t type = info->ethertype;
    uint32_t at = FRAME_ETHERNET;
    const uint8_t *bytes;

    for (;;) {
        if (is_tag(type)) {
            bytes = look(frame, info, at, TAG_BYTES);
            if (!bytes || tags++ == INSPECT_TAGS)
                return false;
            type = wire_get16(bytes + 2);
            at += TAG_BYTES;
        } else if (type < ETHERTYPE_FIRST) {
            bytes = look(frame, info, at, sizeof(snap) + 2);
            if (!bytes || memcmp(bytes, snap, sizeof(snap)) != 0)
                break;
            if (snaps++)
                return false;
            type = wire_get16(bytes + sizeof(snap));
            at += sizeof(snap) + 2;
        } else {
            break;
        }
    }
    info->ethertype = type;
    info->l3 = (uint16_t)at;
    return true;
}

/* --- Who the payload says the sender is ------------------------------------------------------- */

static void claim(struct frame_info *info, const uint8_t *mac)
{
    if (!(info->flags & INFO_CLAIM))
        memcpy(info->claim, mac, sizeof(info->claim));
    else if (memcmp(info->claim, mac, sizeof(info->claim)) != 0)
        info->flags |= INFO_CLAIMS;
    info->flags |= INFO_CLAIM;
}

static bool take_arp(const struct frame *frame, struct frame_info *info)
{
    const uint8_t *arp = look(frame, info, info->l3, ARP_BYTES);

    if (!arp || arp[ARP_HARDWARE_LENGTH] != 6 || arp[ARP_PROTOCOL_LENGTH] != 4)
        return false;
    info->flags |= INFO_ARP;
    claim(info, arp + ARP_SENDER);
    return true;
}

/* Where the options of a neighbour discovery message begin; 0 = it is none. */
static uint32_t nd_options(uint8_t type)
{
    switch (type) {
    case ICMP6_ROUTER_SOLICIT:
        return 8;
    case ICMP6_ROUTER_ADVERT:
        return 16;
    case ICMP6_NEIGHBOUR_SOLICIT:
    case ICMP6_NEIGHBOUR_ADVERT:
        return 24;
    case ICMP6_REDIRECT:
        return 40;
    default:
        return 0;
    }
}

static bool take_nd(const struct frame *frame, struct frame_info *info)
{
    uint32_t start = nd_options(info->icmp_type);
    uint32_t at = info->l4 + start, end = (uint32_t)info->l4 + info->l4_length;

    if (!start)
        return true;
    if (info->flags & INFO_FRAGMENT || at > end)
        return false;
    while (at < end) {
        const uint8_t *option = look(frame, info, at, 2);
        uint32_t length = option ? option[1] * 8u : 0;

        if (!length || length > end - at)
            return false;
        if (option[0] == ND_OPTION_SOURCE || option[0] == ND_OPTION_TARGET) {
            option = look(frame, info, at, 8);
            if (!option)
                return false;
            claim(info, option + 2);
        }
        at += length;
    }
    return true;
}

/* --- IP --------------------------------------------------------------------------------------- */

/* The transport header at l4, of which l4_length bytes are in this packet. */
static bool take_l4(const struct frame *frame, struct frame_info *info, uint8_t icmp)
{
    const uint8_t *bytes;

    info->flags |= INFO_L4;
    if (info->protocol != IP_UDP && info->protocol != icmp)
        return true;
    bytes = info->l4_length >= 8 ? look(frame, info, info->l4, 8) : NULL;
    if (!bytes)
        return false;
    if (info->protocol == IP_UDP) {
        info->sport = wire_get16(bytes);
        info->dport = wire_get16(bytes + 2);
        return true;
    }
    info->icmp_type = bytes[0];
    return icmp == IP_ICMP || take_nd(frame, info);
}

static void set_l4(struct frame_info *info, uint32_t at, uint32_t end, uint8_t protocol)
{
    uint32_t length = end - at;

    info->protocol = protocol;
    info->l4 = (uint16_t)at;
    info->l4_length = length < UINT16_MAX ? (uint16_t)length : UINT16_MAX;
}

/* A frame to be cut has a length field that says nothing yet: it ends where the frame ends. */
static bool packet_end(const struct frame *frame, const struct frame_info *info, uint32_t at,
                       uint32_t length, uint32_t *ret_end)
{
    uint32_t room = settled_length(frame, info) - at;

    if (frame->meta.gso != FRAME_GSO_NONE)
        length = room;
    *ret_end = at + length;
    return length <= room;
}

static bool take_ip4(const struct frame *frame, struct frame_info *info)
{
    const uint8_t *ip = look(frame, info, info->l3, IP4_BYTES);
    uint32_t end;

    if (!ip || ip[0] >> 4 != 4)
        return false;
    info->flags |= INFO_IP4;
    uint32_t at = info->l3 + (ip[0] & 15u) * 4;
    if (!packet_end(frame, info, info->l3, wire_get16(ip + 2), &end) || at < info->l3 + IP4_BYTES ||
        at > end)
        return false;
    if (wire_get16(ip + 6) & (IP4_OFFSET | IP4_MORE))
        info->flags |= INFO_FRAGMENT;
    if (wire_get16(ip + 6) & IP4_OFFSET) {
        info->flags |= INFO_LATER;
        return true;
    }
    set_l4(info, at, end, ip[9]);
    return take_l4(frame, info, IP_ICMP);
}

/* A header that another one follows, ESP not among them: behind it nothing can be seen. */
static bool is_extension(uint8_t next)
{
    static const uint8_t known[] = {IP6_HOPS,        IP6_ROUTING,  IP6_FRAGMENT, IP6_AUTH,
                                    IP6_DESTINATION, IP6_MOBILITY, IP6_HIP,      IP6_SHIM6};

    return memchr(known, next, sizeof(known)) != NULL;
}

static uint32_t extension_length(uint8_t next, const uint8_t *bytes)
{
    if (next == IP6_FRAGMENT)
        return 8;
    return next == IP6_AUTH ? (bytes[1] + 2u) * 4 : (bytes[1] + 1u) * 8;
}

/* Behind the extension headers from `at` on. A first fragment must show its upper layer at once:
 * what comes in between could be taken away by fragments that overlap. */
static bool walk_ip6(const struct frame *frame, struct frame_info *info, uint32_t at, uint32_t end,
                     uint8_t next)
{
    for (unsigned i = 0; is_extension(next); i++) {
        const uint8_t *bytes = look(frame, info, at, 8);
        uint32_t length = bytes ? extension_length(next, bytes) : 0;

        if (!bytes || i == INSPECT_HEADERS || length > end - at || info->flags & INFO_FRAGMENT)
            return false;
        if (next == IP6_FRAGMENT) {
            info->flags |= INFO_FRAGMENT;
            if (wire_get16(bytes + 2) & IP6_OFFSET) {
                info->flags |= INFO_LATER;
                return true;
            }
        }
        next = bytes[0];
        at += length;
    }
    set_l4(info, at, end, next);
    return take_l4(frame, info, IP_ICMP6);
}

static bool take_ip6(const struct frame *frame, struct frame_info *info)
{
    const uint8_t *ip = look(frame, info, info->l3, IP6_BYTES);
    uint32_t end;

    if (!ip || ip[0] >> 4 != 6)
        return false;
    info->flags |= INFO_IP6;
    if (!packet_end(frame, info, info->l3 + IP6_BYTES, wire_get16(ip + 4), &end))
        return false;
    return walk_ip6(frame, info, info->l3 + IP6_BYTES, end, ip[6]);
}

void inspect_deep(const struct frame *frame, struct frame_info *info)
{
    bool clear = true;

    if (info->flags & INFO_DEEP)
        return;
    info->flags |= INFO_DEEP;
    if (!walk_link(frame, info))
        clear = false;
    else if (info->ethertype == ETHERTYPE_ARP || info->ethertype == ETHERTYPE_RARP)
        clear = take_arp(frame, info);
    else if (info->ethertype == ETHERTYPE_IP4)
        clear = take_ip4(frame, info);
    else if (info->ethertype == ETHERTYPE_IP6)
        clear = take_ip6(frame, info);
    if (!clear)
        info->flags |= INFO_OPAQUE;
}

/* --- Into the switch -------------------------------------------------------------------------- */

static void settle_tag(struct frame_meta *meta, const struct frame_info *info)
{
    uint16_t priority = info->flags & INFO_TAGGED ? info->tci & VLAN_PRIORITY : 0;

    meta->flags = (uint8_t)(info->vlan ? meta->flags | FRAME_VLAN : meta->flags & ~FRAME_VLAN);
    meta->vlan_tci = info->vlan ? (uint16_t)(priority | info->vlan) : 0;
    meta->length -= info->cut;
    if (meta->flags & FRAME_CSUM_PARTIAL)
        meta->csum_start = (uint16_t)(meta->csum_start - info->cut);
    if (meta->gso != FRAME_GSO_NONE)
        meta->header = (uint16_t)(meta->header - info->cut);
}

/* The copy and what is left of the first range, in one piece. */
static bool settle_bounced(struct frame *frame, const struct frame_info *info, const uint8_t *rest,
                           size_t length, struct inspect_bounce *bounce)
{
    size_t need = info->have + length;

    if (!bounce || need > bounce->size - bounce->used)
        return false;
    uint8_t *to = bounce->bytes + bounce->used;
    memcpy(to, info->bytes, info->have);
    memcpy(to + info->have, rest, length);
    bounce->used += need;
    frame->data[0] = (struct iovec){to, need};
    return true;
}

bool inspect_settle(struct frame *frame, struct frame_info *info, struct inspect_bounce *bounce)
{
    size_t skip = (size_t)info->have + info->cut;
    struct iovec *data = frame->data;

    if (info->cut || info->flags & INFO_PIN) {
        if (skip < data[0].iov_len) {
            struct iovec rest = {(uint8_t *)data[0].iov_base + skip, data[0].iov_len - skip};

            if (!data[1].iov_len) {
                data[0] = (struct iovec){info->bytes, info->have};
                data[1] = rest;
            } else if (!settle_bounced(frame, info, rest.iov_base, rest.iov_len, bounce)) {
                return false;
            }
        } else {
            skip -= data[0].iov_len;
            data[0] = (struct iovec){info->bytes, info->have};
            if (skip)
                data[1] =
                    (struct iovec){(uint8_t *)data[1].iov_base + skip, data[1].iov_len - skip};
        }
    }
    settle_tag(&frame->meta, info);
    info->cut = 0;
    return true;
}
