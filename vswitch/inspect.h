/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a frame says about itself, read from a private copy of its first bytes.
 *
 * The bytes of a frame may change while they are looked at (a port ring is shared memory), so each
 * is copied out once, on demand, and never looked at again in its place. A parser asks for the
 * bytes up to an offset before it touches one of them, which is the idea of passt's packet pool:
 * what was not asked for, and granted, does not exist. inspect_settle() then makes the judged copy
 * the start of the frame that is forwarded.
 *
 * Two depths: inspect_frame() costs 18 bytes and knows addresses and tags; inspect_deep() goes on
 * through inner tags, SNAP, IPv4, IPv6 and its extension headers to what guards and snooping judge.
 *
 * Facts: IEEE 802.1Q-2018 clause 9 and RFC 1042 (SNAP), RFC 791, RFC 826, RFC 8200, RFC 4861,
 * RFC 6980, RFC 7112. Left out: tunnels (what is inside one is of another network).
 */
#ifndef VMBUSD_VSWITCH_INSPECT_H
#define VMBUSD_VSWITCH_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vswitch/frame.h"

#define INSPECT_BYTES   256u /* headers that do not end within these cannot be judged */
#define INSPECT_TAGS    2u   /* tags looked through behind the outer one */
#define INSPECT_HEADERS 8u   /* extension headers looked through */

/* frame_info.flags; the first line is known after inspect_frame() */
#define INFO_TAGGED    0x0001u /* `tci` is its outer tag's, from the metadata or the bytes */
#define INFO_INNER     0x0002u /* behind the outer tag (or none) the bytes have one more */
#define INFO_BROADCAST 0x0004u
#define INFO_MULTICAST 0x0008u /* and not broadcast */
#define INFO_RESERVED  0x0010u /* to 01:80:c2:00:00:0x */
#define INFO_DEEP      0x0020u /* inspect_deep() was here */
#define INFO_OPAQUE    0x0040u /* headers that contradict themselves, or too many of them */
#define INFO_IP4       0x0080u
#define INFO_IP6       0x0100u
#define INFO_ARP       0x0200u
#define INFO_FRAGMENT  0x0400u /* of an IP packet: any */
#define INFO_LATER     0x0800u /* of an IP packet: not the first, `protocol` is not to be seen */
#define INFO_L4        0x1000u /* `protocol`, `l4` and the fields that belong to it are valid */
#define INFO_CLAIM     0x2000u /* `claim` is valid: an ARP sender, a link-layer option of ND */
#define INFO_CLAIMS    0x4000u /* it makes several claims that differ */
#define INFO_PIN       0x8000u /* inspect_settle() shall put the copy in place of the bytes */

/* About 300 bytes, of which a frame without guards touches the first 64. Must live as long as the
 * frame once settled. */
struct frame_info {
    uint16_t flags;        /* INFO_* */
    uint16_t have;         /* bytes copied so far */
    uint16_t cut;          /* 4 if a tag was taken out behind the MAC addresses, else 0 */
    uint16_t tci;          /* with INFO_TAGGED */
    uint16_t vlan;         /* inside the switch, 0 = none; set by policy_ingress() */
    uint16_t ethertype;    /* behind the outer tag; after inspect_deep() behind all, SNAP too */
    uint16_t l3, l4;       /* offsets in `bytes` */
    uint16_t l4_length;    /* bytes from l4 to the end of the IP packet */
    uint16_t sport, dport; /* UDP */
    uint8_t protocol;      /* of IP, behind the extension headers */
    uint8_t icmp_type;     /* ICMP or ICMPv6 */
    uint8_t claim[6];      /* a MAC address that the frame's payload calls the sender's */
    uint8_t bytes[INSPECT_BYTES] __attribute__((aligned(8))); /* with the outer tag taken out */
};

static inline const uint8_t *info_destination(const struct frame_info *info)
{
    return info->bytes;
}

static inline const uint8_t *info_source(const struct frame_info *info)
{
    return info->bytes + 6;
}

/* Room for the frames of one burst whose judged copy and remaining bytes would be three ranges: one
 * per queue of a port may wrap. Owned by a switch thread; `used` is set to 0 before each burst. */
struct inspect_bounce {
    uint8_t *bytes;
    size_t size; /* LIMIT_PORT_QUEUES * (LIMIT_FRAME) is always enough for a guest port */
    size_t used;
};

/* Addresses, outer tag, ethertype. `ret_info` needs no initialisation. False: malformed (a tag cut
 * short, a multicast source, metadata that points into the tag). Any thread. */
bool inspect_frame(const struct frame *frame, struct frame_info *ret_info);

/* The rest; does nothing the second time. What it cannot follow it marks INFO_OPAQUE. */
void inspect_deep(const struct frame *frame, struct frame_info *info);

/* Make the copy longer, to `length` bytes; false if the frame or the copy has not so many. */
bool inspect_need(const struct frame *frame, struct frame_info *info, uint32_t length);

/* Give the frame the form it has inside the switch: tag of info->vlan in the metadata (none if 0),
 * none for it in the bytes and, where a guard judged it (INFO_PIN), its first bytes those of the
 * copy. To be called once, after policy_ingress(). False: the bounce buffer is full (drop it,
 * DROP_NO_ROOM). */
bool inspect_settle(struct frame *frame, struct frame_info *info, struct inspect_bounce *bounce);

#endif
