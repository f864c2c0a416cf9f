/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments cut, checksums and tags put in: see the header.
 */
#include "vswitch/segment.h"

#include <errno.h>
#include <string.h>

#include "vswitch/checksum.h"
#include "vswitch/inspect.h"
#include "vswitch/wire.h"

#define MACS_BYTES 12u
#define TAG_BYTES  4u

#define IP4_LENGTH     2u /* offsets */
#define IP4_ID         4u
#define IP4_FRAGMENT   6u
#define IP4_PROTOCOL   9u
#define IP4_CHECKSUM   10u
#define IP4_ADDRESSES  12u
#define IP4_OPTION_END 0u
#define IP4_OPTION_NOP 1u
#define IP4_LOOSE      131u /* source routes */
#define IP4_STRICT     137u

#define IP6_LENGTH    4u
#define IP6_NEXT      6u
#define IP6_ADDRESSES 8u

#define TCP_SEQUENCE 4u
#define TCP_OFFSET   12u
#define TCP_FLAGS    13u
#define TCP_CHECKSUM 16u
#define TCP_FIN      0x01u
#define TCP_PSH      0x08u
#define TCP_CWR      0x80u

/* --- What is to be done ----------------------------------------------------------------------- */

static uint32_t frame_limit(uint32_t mtu)
{
    return FRAME_ETHERNET + mtu;
}

static bool must_cut(const struct frame_meta *meta, uint32_t caps, uint32_t mtu)
{
    uint32_t want = PORT_CAP_CSUM;

    if (meta->gso == FRAME_GSO_NONE)
        return false;
    want |= meta->gso == FRAME_GSO_TCPV4 ? PORT_CAP_GSO4 : PORT_CAP_GSO6;
    return (caps & want) != want || (uint32_t)meta->header + meta->gso_size > frame_limit(mtu);
}

static bool must_tag(const struct frame_meta *meta, uint32_t caps)
{
    return meta->flags & FRAME_VLAN && !(caps & PORT_CAP_VLAN);
}

bool segment_needed(const struct frame_meta *meta, uint32_t caps, uint32_t mtu)
{
    if (must_tag(meta, caps) || must_cut(meta, caps, mtu))
        return true;
    if (meta->gso != FRAME_GSO_NONE)
        return false;
    return meta->length > frame_limit(mtu) ||
           (meta->flags & FRAME_CSUM_PARTIAL && !(caps & PORT_CAP_CSUM));
}

/* --- Headers ---------------------------------------------------------------------------------- */

/* Behind tags that lie in the bytes: the IP header of the kind that the metadata says. */
static bool find_ip(struct segmenter *s, uint32_t have)
{
    uint16_t want = s->frame->meta.gso == FRAME_GSO_TCPV4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
    uint32_t at = MACS_BYTES;

    for (unsigned tags = 0; at + 2 <= have; tags++, at += TAG_BYTES) {
        uint16_t type = wire_get16(s->bytes + at);

        if (type == want) {
            s->l3 = (uint16_t)(at + 2);
            return true;
        }
        if ((type != ETHERTYPE_VLAN && type != ETHERTYPE_SERVICE) || tags == INSPECT_TAGS)
            return false;
    }
    return false;
}

/* No option that names another destination than the header does. */
static bool options_plain(const uint8_t *options, uint32_t length)
{
    uint32_t at = 0;

    while (at < length && options[at] != IP4_OPTION_END) {
        if (options[at] == IP4_OPTION_NOP) {
            at++;
            continue;
        }
        if (at + 2 > length || options[at + 1] < 2 || options[at] == IP4_LOOSE ||
            options[at] == IP4_STRICT)
            return false;
        at += options[at + 1];
    }
    return at <= length;
}

static bool parse_ip4(struct segmenter *s, uint32_t have)
{
    const uint8_t *ip = s->bytes + s->l3;
    uint32_t length;

    if (s->l3 + IP4_BYTES > have || ip[0] >> 4 != 4)
        return false;
    length = (ip[0] & 15u) * 4;
    if (length < IP4_BYTES || s->l3 + length > have || ip[IP4_PROTOCOL] != IP_TCP ||
        wire_get16(ip + IP4_FRAGMENT) & (IP4_MORE | IP4_OFFSET) ||
        !options_plain(ip + IP4_BYTES, length - IP4_BYTES))
        return false;
    s->id = wire_get16(ip + IP4_ID);
    s->l4 = (uint16_t)(s->l3 + length);
    return true;
}

static bool parse_ip6(struct segmenter *s, uint32_t have)
{
    const uint8_t *ip = s->bytes + s->l3;
    uint32_t at = s->l3 + IP6_BYTES;
    uint8_t next;

    if (at > have || ip[0] >> 4 != 6)
        return false;
    next = ip[IP6_NEXT];
    for (unsigned i = 0; next != IP_TCP; i++) {
        if (i == INSPECT_HEADERS || at + 8 > have)
            return false;
        const uint8_t *header = s->bytes + at;
        if ((next != IP6_HOPS && next != IP6_DESTINATION && next != IP6_ROUTING) ||
            (next == IP6_ROUTING && header[3] != 0))
            return false;
        next = header[0];
        at += (header[1] + 1u) * 8;
    }
    s->l4 = (uint16_t)at;
    return true;
}

static bool parse_tcp(struct segmenter *s, uint32_t have)
{
    if (s->l4 + TCP_BYTES > have)
        return false;
    const uint8_t *tcp = s->bytes + s->l4;
    uint32_t length = (tcp[TCP_OFFSET] >> 4) * 4u;
    if (length < TCP_BYTES || s->l4 + length > have)
        return false;
    s->sequence = wire_get32(tcp + TCP_SEQUENCE);
    s->header = s->l4 + length;
    return true;
}

static bool parse_headers(struct segmenter *s)
{
    uint32_t length = s->frame->meta.length;
    uint32_t have = length < SEGMENT_HEADER ? length : SEGMENT_HEADER;

    if (!frame_read(s->frame, 0, s->bytes, have) || !find_ip(s, have))
        return false;
    if (!(s->frame->meta.gso == FRAME_GSO_TCPV4 ? parse_ip4(s, have) : parse_ip6(s, have)))
        return false;
    return parse_tcp(s, have) && s->header < length;
}

static int begin_cut(struct segmenter *s, uint32_t mtu)
{
    const struct frame_meta *meta = &s->frame->meta;
    uint32_t limit = frame_limit(mtu);

    if (!meta->gso_size || !parse_headers(s))
        return -EINVAL;
    if (s->header >= limit)
        return -EMSGSIZE;
    s->payload = limit - s->header;
    s->payload = s->payload < meta->gso_size ? s->payload : meta->gso_size;
    if ((meta->length - s->header + s->payload - 1) / s->payload > LIMIT_SEGMENTS)
        return -EINVAL;
    s->at = s->header;
    return 0;
}

int segment_begin(struct segmenter *segmenter, const struct frame *frame, uint32_t caps,
                  uint32_t mtu)
{
    const struct frame_meta *meta = &frame->meta;
    struct segmenter *s = segmenter;

    s->frame = frame;
    s->at = 0;
    s->payload = 0;
    s->first = true;
    s->tag = must_tag(meta, caps) ? TAG_BYTES : 0;
    if (must_cut(meta, caps, mtu))
        return begin_cut(s, mtu);
    s->checksum =
        meta->gso == FRAME_GSO_NONE && meta->flags & FRAME_CSUM_PARTIAL && !(caps & PORT_CAP_CSUM);
    if (meta->gso == FRAME_GSO_NONE)
        return meta->length > frame_limit(mtu) ? -EMSGSIZE : 0;
    return meta->header > UINT16_MAX - TAG_BYTES ? -EINVAL : 0;
}

/* --- Frames ----------------------------------------------------------------------------------- */

/* The tag behind the MAC addresses, which are in place. Returns where the type goes. */
static uint8_t *put_tag(const struct segmenter *s, uint8_t *dst, struct frame_meta *ret_meta)
{
    uint8_t *at = dst + MACS_BYTES;

    if (!s->tag)
        return at;
    wire_put16(at, ETHERTYPE_VLAN);
    wire_put16(at + 2, ret_meta->vlan_tci);
    ret_meta->flags &= (uint8_t)~FRAME_VLAN;
    ret_meta->vlan_tci = 0;
    return at + TAG_BYTES;
}

static uint32_t give_whole(struct segmenter *s, uint8_t *dst, struct frame_meta *ret_meta)
{
    uint32_t length = s->frame->meta.length;

    *ret_meta = s->frame->meta;
    frame_read(s->frame, 0, dst, MACS_BYTES);
    uint8_t *type = put_tag(s, dst, ret_meta);
    frame_read(s->frame, MACS_BYTES, type, length - MACS_BYTES);
    ret_meta->length = length + s->tag;
    if (ret_meta->gso != FRAME_GSO_NONE)
        ret_meta->header = (uint16_t)(ret_meta->header + s->tag);
    if (s->checksum) {
        uint32_t start = (uint32_t)ret_meta->csum_start + s->tag;

        checksum_put(dst + start + ret_meta->csum_offset,
                     checksum_add(0, dst + start, ret_meta->length - start));
        ret_meta->flags = (uint8_t)((ret_meta->flags & ~FRAME_CSUM_PARTIAL) | FRAME_CSUM_VALID);
        ret_meta->csum_start = ret_meta->csum_offset = 0;
    } else if (ret_meta->flags & FRAME_CSUM_PARTIAL) {
        ret_meta->csum_start = (uint16_t)(ret_meta->csum_start + s->tag);
    }
    s->at = length;
    return ret_meta->length;
}

/* The IP header of a frame that carries `length` bytes from the IP header on; the sum of TCP's
 * pseudo header. */
static uint64_t finish_ip(struct segmenter *s, uint8_t *ip, uint32_t length)
{
    uint32_t tcp = length - (uint32_t)(s->l4 - s->l3);
    const uint8_t pseudo[4] = {0, IP_TCP, (uint8_t)(tcp >> 8), (uint8_t)tcp};
    uint64_t sum = checksum_add(0, pseudo, sizeof(pseudo));

    if (s->frame->meta.gso == FRAME_GSO_TCPV6) {
        wire_put16(ip + IP6_LENGTH, length - IP6_BYTES);
        return checksum_add(sum, ip + IP6_ADDRESSES, 32);
    }
    wire_put16(ip + IP4_LENGTH, length);
    wire_put16(ip + IP4_ID, s->id++);
    wire_put16(ip + IP4_CHECKSUM, 0);
    checksum_put(ip + IP4_CHECKSUM, checksum_add(0, ip, (uint32_t)(s->l4 - s->l3)));
    return checksum_add(sum, ip + IP4_ADDRESSES, 8);
}

static void finish_tcp(const struct segmenter *s, uint8_t *tcp, uint32_t length, uint64_t sum,
                       bool last)
{
    wire_put32(tcp + TCP_SEQUENCE, s->sequence + (s->at - s->header));
    if (!s->first)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    if (!last)
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    wire_put16(tcp + TCP_CHECKSUM, 0);
    checksum_put(tcp + TCP_CHECKSUM, checksum_add(sum, tcp, length));
}

static uint32_t give_segment(struct segmenter *s, uint8_t *dst, uint32_t part,
                             struct frame_meta *ret_meta)
{
    const struct frame_meta *meta = &s->frame->meta;
    uint32_t length = s->header + part;

    *ret_meta = (struct frame_meta){.length = length + s->tag,
                                    .hash = meta->hash,
                                    .vlan_tci = meta->vlan_tci,
                                    .flags = (meta->flags & FRAME_VLAN) | FRAME_CSUM_VALID};
    memcpy(dst, s->bytes, MACS_BYTES);
    uint8_t *type = put_tag(s, dst, ret_meta);
    memcpy(type, s->bytes + MACS_BYTES, s->header - MACS_BYTES);
    uint8_t *bytes = dst + s->tag; /* offsets of the headers count from here */
    frame_read(s->frame, s->at, bytes + s->header, part);
    uint64_t sum = finish_ip(s, bytes + s->l3, length - s->l3);
    finish_tcp(s, bytes + s->l4, length - s->l4, sum, s->at + part == meta->length);
    s->at += part;
    s->first = false;
    return ret_meta->length;
}

int segment_next(struct segmenter *segmenter, uint8_t *dst, uint32_t size,
                 struct frame_meta *ret_meta)
{
    struct segmenter *s = segmenter;
    uint32_t left = s->frame->meta.length - s->at;
    uint32_t part = s->payload && s->payload < left ? s->payload : left;
    uint32_t header = s->payload ? s->header : 0;

    if (!left)
        return 0;
    if (header + part + s->tag > size)
        return -ENOBUFS;
    return (int)(s->payload ? give_segment(s, dst, part, ret_meta) : give_whole(s, dst, ret_meta));
}
