/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: checking metadata, hashing flows, copying bytes.
 *
 * The hash is our own; it only has to spread. It is not keyed: a guest that makes its flows collide
 * slows down its own queue.
 */
#include "vswitch/frame.h"

#include <string.h>

#define TCP_HEADER_MIN 20u
#define GSO_SIZE_MIN   8u
#define CHECKSUM_BYTES 2u

/* --- Metadata --------------------------------------------------------------------------------- */

static bool checksum_inside(const struct frame_meta *meta, uint32_t end)
{
    uint32_t field = (uint32_t)meta->csum_start + meta->csum_offset;

    return meta->csum_start >= FRAME_ETHERNET && field + CHECKSUM_BYTES <= end;
}

static bool gso_check(const struct frame_meta *meta)
{
    if (meta->gso == FRAME_GSO_NONE)
        return true;
    return meta->gso <= FRAME_GSO_TCPV6 && meta->flags & FRAME_CSUM_PARTIAL &&
           meta->gso_size >= GSO_SIZE_MIN && meta->header < meta->length &&
           meta->header >= meta->csum_start + TCP_HEADER_MIN && checksum_inside(meta, meta->header);
}

bool frame_meta_check_offloads(const struct frame_meta *meta)
{
    if (meta->flags & ~FRAME_FLAGS)
        return false;
    if (meta->flags & FRAME_CSUM_PARTIAL && !checksum_inside(meta, meta->length))
        return false;
    return gso_check(meta);
}

/* --- Hash ------------------------------------------------------------------------------------- */

#define ETHERTYPE_AT 12u
#define TYPE_IPV4    0x0800u
#define TYPE_IPV6    0x86ddu

#define IPV4_FRAGMENT 0x3fffu /* more fragments, or an offset */
#define IPV6_HEADER   40u
#define ADDRESSES_MAX 32u /* both of IPv6 */

/* What makes a flow: zero where the frame has no such thing. */
struct flow {
    uint8_t addresses[ADDRESSES_MAX];
    uint8_t ports[4];
    uint8_t protocol;
};

static uint32_t read16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static bool has_ports(uint8_t protocol)
{
    static const uint8_t known[] = {6, 17, 33, 132, 136}; /* TCP, UDP, DCCP, SCTP, UDP-Lite */

    return memchr(known, protocol, sizeof(known)) != NULL;
}

static void take_ports(struct flow *flow, const uint8_t *bytes, uint32_t length, uint32_t at)
{
    if (has_ports(flow->protocol) && at + sizeof(flow->ports) <= length)
        memcpy(flow->ports, bytes + at, sizeof(flow->ports));
}

/* A fragment has no ports, except the first: all go by their addresses, to stay in order. */
static bool take_ipv4(struct flow *flow, const uint8_t *bytes, uint32_t length)
{
    const uint8_t *ip = bytes + FRAME_ETHERNET;

    if (length < FRAME_ETHERNET + 20 || ip[0] >> 4 != 4)
        return false;
    memcpy(flow->addresses, ip + 12, 8);
    flow->protocol = ip[9];
    if (!(read16(ip + 6) & IPV4_FRAGMENT))
        take_ports(flow, bytes, length, FRAME_ETHERNET + (ip[0] & 15u) * 4);
    return true;
}

/* Extension headers are not walked: such flows go by their addresses. */
static bool take_ipv6(struct flow *flow, const uint8_t *bytes, uint32_t length)
{
    const uint8_t *ip = bytes + FRAME_ETHERNET;

    if (length < FRAME_ETHERNET + IPV6_HEADER || ip[0] >> 4 != 6)
        return false;
    memcpy(flow->addresses, ip + 8, 32);
    flow->protocol = ip[6];
    take_ports(flow, bytes, length, FRAME_ETHERNET + IPV6_HEADER);
    return true;
}

static uint64_t mix(uint64_t state, uint64_t value)
{
    state = (state ^ value) * 0x9e3779b97f4a7c15ull; /* 2^64 over the golden ratio */
    return state ^ state >> 32;
}

static uint32_t flow_hash(const struct flow *flow)
{
    uint64_t word[ADDRESSES_MAX / 8], state = flow->protocol;
    uint32_t ports;

    memcpy(word, flow->addresses, sizeof(word));
    memcpy(&ports, flow->ports, sizeof(ports));
    state = mix(state, ports);
    for (unsigned i = 0; i < ADDRESSES_MAX / 8; i++)
        state = mix(state, word[i]);
    uint32_t hash = (uint32_t)(mix(state, 0) >> 16);
    return hash ? hash : 1;
}

uint32_t frame_hash(const uint8_t *bytes, uint32_t length)
{
    uint32_t type = read16(bytes + ETHERTYPE_AT);
    struct flow flow = {.protocol = 0};

    if (!(type == TYPE_IPV4 && take_ipv4(&flow, bytes, length)) &&
        !(type == TYPE_IPV6 && take_ipv6(&flow, bytes, length)))
        memcpy(flow.addresses, bytes, ETHERTYPE_AT);
    return flow_hash(&flow);
}

/* --- Bytes ------------------------------------------------------------------------------------ */

bool frame_read(const struct frame *frame, uint32_t skip, void *dst, uint32_t length)
{
    const struct iovec *data = frame->data;
    uint8_t *to = dst;

    if (skip > frame->meta.length || length > frame->meta.length - skip)
        return false;
    if (skip < data[0].iov_len) {
        size_t part = data[0].iov_len - skip;

        part = part < length ? part : length;
        memcpy(to, (const uint8_t *)data[0].iov_base + skip, part);
        to += part;
        length -= (uint32_t)part;
        skip += (uint32_t)part;
    }
    if (length)
        memcpy(to, (const uint8_t *)data[1].iov_base + (skip - data[0].iov_len), length);
    return true;
}

void frame_copy_pieces(const struct frame *frame, const struct iovec *dst, unsigned count)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < count && at < frame->meta.length; i++) {
        uint32_t left = frame->meta.length - at;
        uint32_t part = dst[i].iov_len < left ? (uint32_t)dst[i].iov_len : left;

        frame_read(frame, at, dst[i].iov_base, part);
        at += part;
    }
}
