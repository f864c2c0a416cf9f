/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes frames for tests of the switch, right or wrong, header by header, and lays their bytes so
 * that a sanitizer sees whoever goes beyond them.
 */
#ifndef VMBUSD_TESTS_UNIT_PACKET_MAKER_H
#define VMBUSD_TESTS_UNIT_PACKET_MAKER_H

#include <stdint.h>

#include "vswitch/frame.h"
#include "vswitch/inspect.h"
#include "vswitch/policy.h"

#define MAKER_BYTES (LIMIT_FRAME + 64u)

struct maker {
    uint8_t bytes[MAKER_BYTES];
    uint32_t length;
    uint32_t ip4, ip6; /* where the last such header begins, 0 = none */
    bool lying;        /* do not put the IP length right */
    struct frame frame;
    uint8_t *piece[2]; /* exactly as large as the bytes in them */
};

extern const uint8_t maker_guest[6], maker_other[6], maker_all[6];

/* Begin anew with the MAC addresses; then what follows, in order. */
void make(struct maker *maker, const uint8_t *to, const uint8_t *from);
void make_type(struct maker *maker, uint16_t type);
void make_tag(struct maker *maker, uint16_t type, uint16_t tci); /* without the type behind it */
void make_snap(struct maker *maker, uint16_t type);              /* 802.3 length, LLC, SNAP */
void make_arp(struct maker *maker, const uint8_t *sender);
void make_ip4(struct maker *maker, uint8_t protocol, uint16_t fragment, uint8_t options);
void make_ip6(struct maker *maker, uint8_t next);
void make_extension(struct maker *maker, uint8_t next, uint8_t units); /* of 8 bytes, beside one */
void make_fragment(struct maker *maker, uint8_t next, uint16_t offset_and_more);
void make_udp(struct maker *maker, uint16_t sport, uint16_t dport);
void make_bytes(struct maker *maker, const void *bytes, uint32_t length);
void make_zero(struct maker *maker, uint32_t length);

/* A neighbour discovery message of `fixed` bytes, with a link-layer option unless `mac` is NULL. */
void make_nd(struct maker *maker, uint8_t type, uint32_t fixed, uint8_t option, const uint8_t *mac);

/* The frame, in one piece or cut at `split`; the metadata is otherwise zero. Valid until the next
 * call or make_free(). */
struct frame *make_frame(struct maker *maker, uint32_t split);

/* The ingress verdict of a policy, the same for the frame in one piece and cut at every offset;
 * with a tag beside the bytes unless `vid` is negative. */
int make_verdict(struct maker *maker, const struct port_policy *policy, int vid,
                 struct frame_info *ret_info);

void make_free(struct maker *maker);

#endif
