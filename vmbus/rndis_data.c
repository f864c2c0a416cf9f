/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS data messages: taking a guest's apart, writing ours.
 *
 * Of the per-packet info the checksum, the segment size and the tag are read; the rest, vmswitch's
 * internal kinds included, is stepped over, but has to lie where it says. What we write is exact to
 * the byte: Linux walks the elements until their sizes have used up the length of them all, and
 * never ends if they do not.
 */
#include "vmbus/rndis.h"

#include <errno.h>
#include <string.h>

#include "vmbus/rndis_wire.h"
#include "vswitch/checksum.h"
#include "vswitch/wire.h"

_Static_assert(RNDIS_MIN_HEADER == sizeof(struct rndis_data), "wire size");

/* --- From the guest */

/* True if `length` bytes at `offset` (from behind the header) lie in the first `end` bytes of the
 * message; 0 bytes lie anywhere. */
static bool lies_in(uint32_t offset, uint32_t length, uint32_t end)
{
    uint64_t from = (uint64_t)sizeof(struct rndis_header) + offset;

    return length == 0 || (from >= RNDIS_MIN_HEADER && from + length <= end);
}

static void take_element(struct rndis_packet *packet, uint32_t type, uint32_t value)
{
    switch (type) {
    case RNDIS_PPI_CHECKSUM:
        packet->csum = value;
        packet->info |= RNDIS_INFO_CSUM;
        break;
    case RNDIS_PPI_LSO:
        packet->lso = value;
        packet->info |= RNDIS_INFO_LSO;
        break;
    case RNDIS_PPI_TAG:
        packet->vlan_tci = (uint16_t)(RNDIS_TAG_PRIORITY(value) << 13 | RNDIS_TAG_CFI(value) << 12 |
                                      RNDIS_TAG_VID(value));
        packet->info |= RNDIS_INFO_VLAN;
        break;
    default:
        break;
    }
}

static bool is_known(uint32_t type)
{
    return type == RNDIS_PPI_CHECKSUM || type == RNDIS_PPI_LSO || type == RNDIS_PPI_TAG;
}

/* Each element takes at least its own header, so the walk ends. */
static int take_elements(struct rndis_packet *packet, const uint8_t *info, uint32_t length)
{
    while (length > 0) {
        struct rndis_element element;
        uint32_t value;

        if (length < sizeof(element))
            return -EBADMSG;
        memcpy(&element, info, sizeof(element));
        if (element.size < sizeof(element) || element.size > length)
            return -EBADMSG;
        if (is_known(element.type)) {
            if (element.offset < sizeof(element) || element.offset > element.size ||
                element.size - element.offset < sizeof(value))
                return -EBADMSG;
            memcpy(&value, info + element.offset, sizeof(value));
            take_element(packet, element.type, value);
        }
        info += element.size;
        length -= element.size;
    }
    return 0;
}

int rndis_parse_packet(const uint8_t *header, uint32_t copied, uint32_t available,
                       struct rndis_packet *ret_packet)
{
    struct rndis_data data;

    *ret_packet = (struct rndis_packet){0};
    if (copied > available)
        copied = available;
    if (copied < sizeof(data))
        return -EBADMSG;
    memcpy(&data, header, sizeof(data));
    if (data.header.type != RNDIS_PACKET || data.header.length < sizeof(data) ||
        data.header.length > available)
        return -EBADMSG;
    if (data.header.length < available && data.header.length % (1u << RNDIS_ALIGNMENT_SHIFT) != 0)
        return -EBADMSG;
    if (copied > data.header.length)
        copied = data.header.length;
    if (!lies_in(data.data_offset, data.data_length, data.header.length) ||
        !lies_in(data.oob_offset, data.oob_length, data.header.length) ||
        !lies_in(data.info_offset, data.info_length, copied))
        return -EBADMSG;
    ret_packet->length = data.header.length;
    ret_packet->data_offset =
        data.data_length ? (uint32_t)sizeof(data.header) + data.data_offset : data.header.length;
    ret_packet->data_length = data.data_length;
    if (data.info_length == 0)
        return 0;
    return take_elements(ret_packet, header + sizeof(data.header) + data.info_offset,
                         data.info_length);
}

/* --- To the guest */

/* What of an IP packet decides on "checksum good". */
struct rx_ip {
    bool ip4;
    bool header_good; /* of IPv4 */
    uint8_t protocol; /* 0 for a fragment, which has no checksum of its own */
};

static bool header_sum_good(const uint8_t *header, uint32_t length)
{
    uint64_t sum = checksum_add(0, header, length);

    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* False if the frame is no IP packet, or none that can be judged. IPv6 extension headers are not
 * walked: the guest then sums up by itself. */
static bool look_at_ip(const uint8_t *head, uint32_t length, struct rx_ip *ret)
{
    const uint8_t *ip = head + FRAME_ETHERNET;

    if (length < FRAME_ETHERNET + IP4_BYTES)
        return false;
    if (wire_get16(head + 12) == ETHERTYPE_IP4) {
        uint32_t bytes = (ip[0] & 15u) * 4;

        if (ip[0] >> 4 != 4 || bytes < IP4_BYTES || FRAME_ETHERNET + bytes > length)
            return false;
        ret->ip4 = true;
        ret->header_good = header_sum_good(ip, bytes);
        ret->protocol = wire_get16(ip + 6) & (IP4_MORE | IP4_OFFSET) ? 0 : ip[9];
        return true;
    }
    if (wire_get16(head + 12) != ETHERTYPE_IP6 || ip[0] >> 4 != 6 ||
        length < FRAME_ETHERNET + IP6_BYTES)
        return false;
    *ret = (struct rx_ip){.protocol = ip[6]};
    return true;
}

static uint32_t rx_checksum(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len,
                            uint32_t offload)
{
    const uint32_t any = RNDIS_OFFLOAD_RX_IP4 | RNDIS_OFFLOAD_RX_TCP4 | RNDIS_OFFLOAD_RX_UDP4 |
                         RNDIS_OFFLOAD_RX_TCP6 | RNDIS_OFFLOAD_RX_UDP6;
    struct rx_ip ip;
    uint32_t value = 0;

    if (!(offload & any) || !look_at_ip(head, head_len, &ip))
        return 0;
    if (ip.ip4 && offload & RNDIS_OFFLOAD_RX_IP4)
        value |= ip.header_good ? RNDIS_RX_CSUM_IP_GOOD : RNDIS_RX_CSUM_IP_BAD;
    if (!(meta->flags & (FRAME_CSUM_VALID | FRAME_CSUM_PARTIAL)))
        return value;
    if (ip.protocol == IP_TCP && offload & (ip.ip4 ? RNDIS_OFFLOAD_RX_TCP4 : RNDIS_OFFLOAD_RX_TCP6))
        value |= RNDIS_RX_CSUM_TCP_GOOD;
    if (ip.protocol == IP_UDP && offload & (ip.ip4 ? RNDIS_OFFLOAD_RX_UDP4 : RNDIS_OFFLOAD_RX_UDP6))
        value |= RNDIS_RX_CSUM_UDP_GOOD;
    return value;
}

bool rndis_vouches(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len,
                   uint32_t offload)
{
    return rx_checksum(meta, head, head_len, offload) & RNDIS_RX_CSUM_TCP_GOOD;
}

static uint32_t put_element(uint8_t *out, uint32_t type, uint32_t value)
{
    const struct rndis_element element = {
        .size = sizeof(element) + sizeof(value),
        .type = type,
        .offset = sizeof(element),
    };

    memcpy(out, &element, sizeof(element));
    memcpy(out + sizeof(element), &value, sizeof(value));
    return element.size;
}

static uint32_t put_elements(const struct frame_meta *meta, uint32_t csum, bool hash, uint8_t *out)
{
    uint32_t tci = meta->vlan_tci, len = 0;

    if (csum)
        len += put_element(out + len, RNDIS_PPI_CHECKSUM, csum);
    if (meta->flags & FRAME_VLAN)
        len += put_element(out + len, RNDIS_PPI_TAG,
                           tci >> 13 | (tci >> 12 & 1) << 3 | (tci & VLAN_VID) << 4);
    if (hash && meta->hash)
        len += put_element(out + len, RNDIS_PPI_HASH, meta->hash);
    return len;
}

/* Put the header before `info` bytes of elements and `length` bytes of a frame. */
static int put_header(uint8_t *out, uint32_t info, uint32_t length)
{
    const uint32_t whole = (uint32_t)sizeof(struct rndis_data) + info;
    const struct rndis_data data = {
        .header = {RNDIS_PACKET, whole + length},
        .info_offset = info ? RNDIS_BEHIND(struct rndis_data) : 0,
        .info_length = info,
        .data_offset = RNDIS_BEHIND(struct rndis_data) + info,
        .data_length = length,
    };

    memcpy(out, &data, sizeof(data));
    return (int)whole;
}

int rndis_build_packet(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len,
                       uint32_t offload, bool hash, uint8_t *out, uint32_t max)
{
    if (meta->gso != FRAME_GSO_NONE)
        return -EINVAL;
    if (max < RNDIS_BUILD_MAX)
        return -ENOSPC;
    uint32_t info = put_elements(meta, rx_checksum(meta, head, head_len, offload), hash,
                                 out + sizeof(struct rndis_data));
    return put_header(out, info, meta->length);
}

int rndis_build_piece(const struct frame_meta *meta, const struct rndis_piece *piece,
                      const uint8_t *head, uint32_t head_len, uint32_t offload, bool hash,
                      uint8_t *out, uint32_t max)
{
    uint32_t info = 0, flags = RNDIS_PIECE_ONE;
    uint8_t *elements = out + sizeof(struct rndis_data);

    if (max < RNDIS_BUILD_MAX)
        return -ENOSPC;
    if (!piece->at) {
        flags |= RNDIS_PIECE_FIRST;
        info = put_elements(meta, rx_checksum(meta, head, head_len, offload), hash, elements);
    }
    if (piece->at + piece->length == meta->length)
        flags |= RNDIS_PIECE_LAST;
    info += put_element(elements + info, RNDIS_PPI_PIECE, RNDIS_PIECE(piece->id, flags));
    return put_header(out, info, piece->length);
}
