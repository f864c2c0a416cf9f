/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame as the switch and all its ports see it: Ethernet bytes without FCS, and what offloads
 * need to know beside them.
 *
 * The metadata says what virtio's net header says (virtio 1.2, 5.1.6), which is what TAP and
 * AF_PACKET take, and what netvsp translates RNDIS' per-packet info to and from. A VLAN tag is
 * always in the metadata and never in the bytes; a second tag stays in the bytes. 802.1Q's order of
 * bits: priority 15:13, DEI 12, VID 11:0.
 */
#ifndef VMBUSD_VSWITCH_FRAME_H
#define VMBUSD_VSWITCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "src/common/limits.h"

#define FRAME_ETHERNET 14u /* bytes of header; nothing shorter is a frame */
#define FRAME_VLANS    4096u

/* frame_meta.flags */
#define FRAME_CSUM_PARTIAL                                                     \
    0x01u /* checksum to be put in at csum_start + csum_offset, over the bytes \
             from csum_start; the pseudo header's sum is there already */
#define FRAME_CSUM_VALID 0x02u /* L4 checksum is right, or both ends are on this host */
#define FRAME_VLAN       0x04u /* vlan_tci is valid */
#define FRAME_FLAGS      0x07u

enum frame_gso { FRAME_GSO_NONE, FRAME_GSO_TCPV4, FRAME_GSO_TCPV6 };

/* 24 bytes, the same in memory and in a port ring's descriptor. */
struct frame_meta {
    uint32_t length; /* bytes, FRAME_ETHERNET to LIMIT_FRAME */
    uint32_t hash;   /* of the flow (any even spread), 0 = not computed */
    uint16_t vlan_tci;
    uint16_t csum_start, csum_offset;
    uint16_t gso_size; /* L4 payload per segment */
    uint16_t header;   /* with GSO: bytes before the L4 payload, Ethernet included */
    uint8_t gso;       /* enum frame_gso */
    uint8_t flags;     /* FRAME_* */
    uint8_t reserved[4];
};
_Static_assert(sizeof(struct frame_meta) == 24, "frame_meta is part of the port ring's format");

/* A frame on its way through the switch. The bytes are borrowed from its source port. */
struct frame {
    struct frame_meta meta;
    struct iovec data[2]; /* data[1].iov_len is 0 for a frame in one piece */
};

bool frame_meta_check_offloads(const struct frame_meta *meta); /* of frame_meta_check() */

/* True if the fields agree with each other and with the length: length in bounds, checksum field
 * inside the frame, GSO only with a partial checksum, a size of at least 8 and headers that leave
 * payload, known flags and types, reserved bytes zero. Asked for every frame, and nearly all have
 * neither flags nor GSO. */
static inline bool frame_meta_check(const struct frame_meta *meta)
{
    uint32_t reserved;

    memcpy(&reserved, meta->reserved, sizeof(reserved));
    if (meta->length < FRAME_ETHERNET || meta->length > LIMIT_FRAME || reserved)
        return false;
    return !(meta->flags | meta->gso) || frame_meta_check_offloads(meta);
}

/* Flow hash over addresses, protocol and ports of an IPv4 or IPv6 frame, of the MAC addresses
 * otherwise; never 0. `bytes` are the first `length` bytes of the frame, at least 14, in private
 * memory: a peer must not change them meanwhile. */
#define FRAME_HASH_BYTES 80u /* it looks at no more */
uint32_t frame_hash(const uint8_t *bytes, uint32_t length);

/* Copy `length` bytes from offset `skip` of the frame; false if there are not so many. */
bool frame_read(const struct frame *frame, uint32_t skip, void *dst, uint32_t length);

void frame_copy_pieces(const struct frame *frame, const struct iovec *dst, unsigned count);

/* Copy the whole frame into `dst` ranges that together hold meta.length bytes. */
static inline void frame_copy(const struct frame *frame, const struct iovec *dst, unsigned count)
{
    if (count == 1 && !frame->data[1].iov_len)
        memcpy(dst->iov_base, frame->data[0].iov_base, frame->meta.length);
    else
        frame_copy_pieces(frame, dst, count);
}

#endif
