/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net headers to and from frame metadata, for the two kernel interfaces that speak them: TAP
 * (linux/if_tun.h, IFF_VNET_HDR) and AF_PACKET (linux/if_packet.h, PACKET_VNET_HDR).
 *
 * The header is virtio's legacy one of ten bytes in native order (virtio 1.2, 5.1.6.1). Its hdr_len
 * is only a hint from Linux, so that the length of a segment's headers is read from the TCP header.
 * A tag that the metadata has is put into the bytes on the way out, and the outer 802.1Q tag of the
 * bytes goes to the metadata on the way in.
 *
 * Left out: UDP segments and UDP fragments (the metadata has no word for them: refused), the ECN
 * flag (a segmenter that does not know it clears CWR behind the first segment by itself).
 */
#ifndef VMBUSD_VSWITCH_VNET_H
#define VMBUSD_VSWITCH_VNET_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vswitch/frame.h"

#define VNET_TAG      4u /* bytes of an 802.1Q tag */
#define VNET_HEADROOM 64u
/* A receive buffer: headroom, then the frame; a frame too long for the switch still fits, so that
 * its length shows. */
#define VNET_BUFFER (VNET_HEADROOM + LIMIT_FRAME + 64u)

/* A tag that the kernel took out of the bytes. */
struct vnet_tag {
    uint16_t tpid, tci;
};

/* What the kernel gave, as a frame. `tag` is NULL if the kernel took none out. `bytes` may be
 * rearranged, VNET_TAG bytes before them included; the frame borrows them. False for a header that
 * contradicts the frame, and for kinds that the metadata cannot tell of. */
bool vnet_frame_in(struct frame *ret_frame, const struct virtio_net_hdr *header,
                   const struct vnet_tag *tag, uint8_t *bytes, uint32_t length);

/* What the kernel takes for a frame: ranges to write as one. Borrows the frame's bytes; must not
 * be moved. */
struct vnet_out {
    struct virtio_net_hdr header;
    uint8_t tag[VNET_TAG];
    unsigned count;
    struct iovec iov[6]; /* header, addresses in two ranges, tag, the rest in two */
};
void vnet_frame_out(struct vnet_out *ret_out, const struct frame *frame);

#endif
