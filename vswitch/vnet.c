/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vnet.h.
 */
#include "vswitch/vnet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(struct virtio_net_hdr) == 10, "TAP and AF_PACKET default to ten bytes");

#define ADDRESSES (2u * ETH_ALEN) /* bytes before the tag */

/* Bytes before the payload of a TCP segment, 0 if it has no whole TCP header. */
static uint16_t tcp_headers(const struct virtio_net_hdr *header, const uint8_t *bytes,
                            uint32_t length)
{
    uint32_t size;

    if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        header->csum_offset != offsetof(struct tcphdr, check) ||
        header->csum_start + sizeof(struct tcphdr) > length)
        return 0;
    size = (bytes[header->csum_start + 12u] >> 4) * 4u;
    size += header->csum_start;
    return size > UINT16_MAX || size < header->csum_start + sizeof(struct tcphdr) ? 0
                                                                                  : (uint16_t)size;
}

static bool header_to_meta(const struct virtio_net_hdr *header, const uint8_t *bytes,
                           struct frame_meta *meta)
{
    if (header->flags & ~(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
        return false;
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        meta->flags |= FRAME_CSUM_PARTIAL;
        meta->csum_start = header->csum_start;
        meta->csum_offset = header->csum_offset;
    } else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        meta->flags |= FRAME_CSUM_VALID;
    }

    switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return frame_meta_check(meta);
    case VIRTIO_NET_HDR_GSO_TCPV4:
        meta->gso = FRAME_GSO_TCPV4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        meta->gso = FRAME_GSO_TCPV6;
        break;
    default:
        return false;
    }
    meta->gso_size = header->gso_size;
    meta->header = tcp_headers(header, bytes, meta->length);
    return meta->header && frame_meta_check(meta);
}

static bool shift_checksum(struct virtio_net_hdr *header, int by)
{
    int start = header->csum_start + by;

    if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return true;
    header->csum_start = (uint16_t)start;
    return start >= (int)FRAME_ETHERNET && start <= UINT16_MAX;
}

bool vnet_frame_in(struct frame *ret_frame, const struct virtio_net_hdr *header,
                   const struct vnet_tag *tag, uint8_t *bytes, uint32_t length)
{
    struct virtio_net_hdr adjusted = *header;
    struct frame_meta *meta = &ret_frame->meta;

    if (length < FRAME_ETHERNET || length > LIMIT_FRAME)
        return false;
    *meta = (struct frame_meta){.length = length};
    if (tag && tag->tpid == ETH_P_8021Q) {
        meta->flags = FRAME_VLAN;
        meta->vlan_tci = tag->tci;
    } else if (tag) {
        uint16_t words[2] = {htons(tag->tpid), htons(tag->tci)};

        bytes -= VNET_TAG;
        memmove(bytes, bytes + VNET_TAG, ADDRESSES);
        memcpy(bytes + ADDRESSES, words, sizeof(words));
        meta->length += VNET_TAG;
        if (!shift_checksum(&adjusted, VNET_TAG))
            return false;
    } else if (bytes[ADDRESSES] == ETH_P_8021Q >> 8 &&
               bytes[ADDRESSES + 1] == (ETH_P_8021Q & 0xff)) {
        if (length < FRAME_ETHERNET + VNET_TAG || !shift_checksum(&adjusted, -(int)VNET_TAG))
            return false;
        meta->flags = FRAME_VLAN;
        meta->vlan_tci = (uint16_t)(bytes[ADDRESSES + 2] << 8 | bytes[ADDRESSES + 3]);
        memmove(bytes + VNET_TAG, bytes, ADDRESSES);
        bytes += VNET_TAG;
        meta->length -= VNET_TAG;
    }
    ret_frame->data[0] = (struct iovec){bytes, meta->length};
    ret_frame->data[1] = (struct iovec){NULL, 0};
    return header_to_meta(&adjusted, bytes, meta);
}

/* The ranges of the frame that hold `length` bytes from `skip` on. Number of ranges. */
static unsigned slice(const struct frame *frame, size_t skip, size_t length, struct iovec *iov)
{
    unsigned count = 0;

    for (unsigned i = 0; i < 2 && length; i++) {
        const struct iovec *data = &frame->data[i];
        size_t part;

        if (skip >= data->iov_len) {
            skip -= data->iov_len;
            continue;
        }
        part = data->iov_len - skip < length ? data->iov_len - skip : length;
        iov[count++] = (struct iovec){(uint8_t *)data->iov_base + skip, part};
        length -= part;
        skip = 0;
    }
    return count;
}

static void meta_to_header(const struct frame_meta *meta, struct virtio_net_hdr *header)
{
    uint16_t shift = meta->flags & FRAME_VLAN ? VNET_TAG : 0;

    *header = (struct virtio_net_hdr){0};
    if (meta->flags & FRAME_CSUM_PARTIAL) {
        header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header->csum_start = (uint16_t)(meta->csum_start + shift);
        header->csum_offset = meta->csum_offset;
    } else if (meta->flags & FRAME_CSUM_VALID) {
        header->flags = VIRTIO_NET_HDR_F_DATA_VALID;
    }
    if (meta->gso == FRAME_GSO_NONE)
        return;
    header->gso_type =
        meta->gso == FRAME_GSO_TCPV4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    header->gso_size = meta->gso_size;
    header->hdr_len = (uint16_t)(meta->header + shift);
}

void vnet_frame_out(struct vnet_out *ret_out, const struct frame *frame)
{
    const struct frame_meta *meta = &frame->meta;
    uint32_t skip = 0;

    meta_to_header(meta, &ret_out->header);
    ret_out->iov[0] = (struct iovec){&ret_out->header, sizeof(ret_out->header)};
    ret_out->count = 1;
    if (meta->flags & FRAME_VLAN) {
        uint16_t words[2] = {htons(ETH_P_8021Q), htons(meta->vlan_tci)};

        memcpy(ret_out->tag, words, sizeof(words));
        ret_out->count += slice(frame, 0, ADDRESSES, &ret_out->iov[ret_out->count]);
        ret_out->iov[ret_out->count++] = (struct iovec){ret_out->tag, sizeof(ret_out->tag)};
        skip = ADDRESSES;
    }
    ret_out->count += slice(frame, skip, meta->length - skip, &ret_out->iov[ret_out->count]);
}
