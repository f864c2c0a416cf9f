/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does in software what a port's far side cannot: cuts a large TCP segment into frames, puts a
 * partial checksum in, puts the VLAN tag into the bytes.
 *
 * It mimics Linux' GSO: the IPv4 identification counts up, FIN and PSH are only on the last frame,
 * CWR only on the first (RFC 3168), checksums are computed anew. Headers are parsed here, from one
 * copy; of the metadata only the kind of frame and the segment size are believed. Facts: RFC 791,
 * 8200, 9293, virtio 1.2 5.1.6.2, IEEE 802.1Q.
 *
 * Left out: UDP (no port offers it), IPv4 source routes and IPv6 routing headers that still have a
 * way to go (-EINVAL: the checksum's destination is not the header's), tunnels.
 */
#ifndef VMBUSD_VSWITCH_SEGMENT_H
#define VMBUSD_VSWITCH_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/limits.h"
#include "vswitch/frame.h"
#include "vswitch/port.h"

#define SEGMENT_HEADER 256u               /* headers of a segment, from Ethernet to TCP, at most */
#define SEGMENT_BUFFER (LIMIT_FRAME + 4u) /* always enough for one output frame */

/* The work on one frame; on the caller's stack, private to segment.c. */
struct segmenter {
    const struct frame *frame;
    uint32_t at;      /* offset in the frame of the first byte that was not given out */
    uint32_t payload; /* bytes per frame; 0 = not cut: one frame and done */
    uint32_t header;  /* bytes before the payload */
    uint32_t sequence;
    uint16_t l3, l4;
    uint16_t id;
    uint16_t tag;  /* bytes to insert: 0 or 4 */
    bool checksum; /* to be put in */
    bool first;
    uint8_t bytes[SEGMENT_HEADER];
};

/* True if the frame cannot be handed to a port of these capabilities and MTU as it is. */
bool segment_needed(const struct frame_meta *meta, uint32_t caps, uint32_t mtu);

/* Begin on a frame that passed frame_meta_check(), for a port with these capabilities and MTU
 * (frame bytes behind the Ethernet header and a tag). The frame stays borrowed until the last
 * segment_next(). 0; -EINVAL headers that contradict themselves (DROP_MALFORMED); -EMSGSIZE too
 * large and not to be cut (DROP_OVERSIZE). Any thread. */
int segment_begin(struct segmenter *segmenter, const struct frame *frame, uint32_t caps,
                  uint32_t mtu);

/* The next frame: bytes to `dst`, which has room for `size`, metadata to `ret_meta`. Its length; 0
 * at the end; -ENOBUFS too small (mtu + 18 is enough for what is cut, SEGMENT_BUFFER always;
 * nothing is lost by trying again). */
int segment_next(struct segmenter *segmenter, uint8_t *dst, uint32_t size,
                 struct frame_meta *ret_meta);

#endif
