/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS as netvsp speaks it: data messages to and from frame metadata, control messages and OIDs.
 *
 * Everything here is a pure function of its arguments, or works on one struct rndis. Nothing looks
 * at guest memory: the caller copies bytes out of it once and passes the copy. rndis_data.c has the
 * data messages, rndis_frame.c what they ask of the frame, rndis_control.c the control messages,
 * rndis_oid*.c the OIDs; wire facts are in rndis_wire.h and rndis_oid_wire.h.
 *
 * Left out: receive segment coalescing (the switch hands out single segments), IPsec, chimney,
 * LSO version 1, encapsulated offloads; none of them is ever announced.
 */
#ifndef VMBUSD_VMBUS_RNDIS_H
#define VMBUSD_VMBUS_RNDIS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "src/common/limits.h"
#include "vswitch/frame.h"

/* --- Data, guest to host -------------------------------------------------------------------------
 */

/* Header and per-packet info lie in the first RNDIS_MAX_HEADER bytes of a message, and have
 * RNDIS_MIN_HEADER at least; all headers that an offload needs in RNDIS_FRAME_HEAD of a frame. */
#define RNDIS_MAX_HEADER 256u
#define RNDIS_MIN_HEADER 44u
#define RNDIS_FRAME_HEAD 192u

#define RNDIS_INFO_CSUM 0x1u
#define RNDIS_INFO_LSO  0x2u
#define RNDIS_INFO_VLAN 0x4u

/* One data message, taken apart. */
struct rndis_packet {
    uint32_t length;      /* of the message; the next one of the same packet begins behind it */
    uint32_t data_offset; /* of the frame, from the start of the message */
    uint32_t data_length; /* inside the message; whether it is a frame, rndis_to_meta() says */
    uint32_t csum;        /* as on the wire, with RNDIS_INFO_CSUM */
    uint32_t lso;         /* as on the wire, with RNDIS_INFO_LSO */
    uint16_t vlan_tci;    /* in 802.1Q's order, with RNDIS_INFO_VLAN */
    uint8_t info;         /* RNDIS_INFO_* */
};

/* Take apart the message that begins at `header`, of which the first `copied` bytes are there: all
 * `available` bytes of what the guest sent from there on, or RNDIS_MAX_HEADER of them. 0; -EBADMSG
 * for anything wrong, and no further message of that packet can be found then. */
int rndis_parse_packet(const uint8_t *header, uint32_t copied, uint32_t available,
                       struct rndis_packet *ret_packet);

/* What the switch shall know of the frame, its flow's hash included. `head` is a copy of the first
 * `head_len` bytes of the frame: all of it or RNDIS_FRAME_HEAD of it. It is edited: checksums and
 * lengths that the guest left to the hardware are put in, a tag at the outside goes into the
 * metadata (unless the per-packet info has one: then it is the inner one, and stays). `mtu` is
 * without the Ethernet header.
 *
 * The bytes at the beginning of `head` that are no part of the frame any more, 0 or 4; the frame,
 * ret_meta->length bytes, is the rest of `head` and what followed it in the guest's memory (less
 * than that where the guest padded it). -EBADMSG what the guest asks for does not hold for this
 * frame; -EMSGSIZE larger than the MTU. Such a frame is dropped and counted, the channel goes on.
 */
int rndis_to_meta(const struct rndis_packet *packet, uint32_t mtu, uint8_t *head, uint32_t head_len,
                  struct frame_meta *ret_meta);

/* --- Data, host to guest -------------------------------------------------------------------------
 */

#define RNDIS_BUILD_MAX 108u /* most bytes that the functions here write */

/* Write the header and the per-packet info of a data message, which the frame's meta->length bytes
 * follow. `head` is the first `head_len` bytes of the frame (it only tells TCP from UDP; fewer than
 * RNDIS_FRAME_HEAD may lose the checksum's "good"), `offload` the guest's rndis->offload, `hash`
 * whether the guest wants to see meta->hash (NDIS 6.30). The length written; -EINVAL frame still
 * to be segmented; -ENOSPC.
 *
 * FRAME_CSUM_PARTIAL is told to the guest as a good checksum: the caller puts the checksum into the
 * bytes, because RNDIS has no way to say "not there yet" to a guest that forwards the frame. */
int rndis_build_packet(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len,
                       uint32_t offload, bool hash, uint8_t *out, uint32_t max);

/* True if the guest is told that the TCP checksum is good. */
bool rndis_vouches(const struct frame_meta *meta, const uint8_t *head, uint32_t head_len,
                   uint32_t offload);

/* A piece of a frame that goes to the guest in several messages, all of one packet: receive side
 * coalescing. */
struct rndis_piece {
    uint32_t at, length; /* bytes of the frame */
    uint16_t id;         /* the frame's */
};

/* As rndis_build_packet(), for a frame that is still to be segmented and a piece of it. */
int rndis_build_piece(const struct frame_meta *meta, const struct rndis_piece *piece,
                      const uint8_t *head, uint32_t head_len, uint32_t offload, bool hash,
                      uint8_t *out, uint32_t max);

/* --- Control -------------------------------------------------------------------------------------
 */

#define RNDIS_MAX_CONTROL 4096u /* of a control message either way; every reply fits */

/* What a guest can leave to us: bits of rndis->can and rndis->offload. */
#define RNDIS_OFFLOAD_TX_IP4  0x0001u
#define RNDIS_OFFLOAD_TX_TCP4 0x0002u
#define RNDIS_OFFLOAD_TX_UDP4 0x0004u
#define RNDIS_OFFLOAD_TX_TCP6 0x0008u
#define RNDIS_OFFLOAD_TX_UDP6 0x0010u
#define RNDIS_OFFLOAD_RX_IP4  0x0020u
#define RNDIS_OFFLOAD_RX_TCP4 0x0040u
#define RNDIS_OFFLOAD_RX_UDP4 0x0080u
#define RNDIS_OFFLOAD_RX_TCP6 0x0100u
#define RNDIS_OFFLOAD_RX_UDP6 0x0200u
#define RNDIS_OFFLOAD_LSO4    0x0400u
#define RNDIS_OFFLOAD_LSO6    0x0800u
#define RNDIS_OFFLOAD_ALL     0x0fffu
/* Large segments in pieces: only if the guest says that it can, and only while it asks for it. */
#define RNDIS_OFFLOAD_RSC4 0x1000u
#define RNDIS_OFFLOAD_RSC6 0x2000u
#define RNDIS_OFFLOAD_RSC  (RNDIS_OFFLOAD_RSC4 | RNDIS_OFFLOAD_RSC6)

/* rndis->filter.bits, as on the wire; others are never set. */
#define RNDIS_FILTER_DIRECTED      0x01u
#define RNDIS_FILTER_MULTICAST     0x02u
#define RNDIS_FILTER_ALL_MULTICAST 0x04u
#define RNDIS_FILTER_BROADCAST     0x08u
#define RNDIS_FILTER_PROMISCUOUS   0x20u

/* rndis->changed */
#define RNDIS_CHANGED_STATE   0x01u /* initialised, or no longer */
#define RNDIS_CHANGED_FILTER  0x02u /* bits, addresses */
#define RNDIS_CHANGED_MAC     0x04u
#define RNDIS_CHANGED_OFFLOAD 0x08u /* send rndis_indicate_offload() after the reply */
#define RNDIS_CHANGED_RSS     0x10u
#define RNDIS_CHANGED_RESET \
    0x20u /* the guest asked for a reset: what is in flight may be dropped */

#define RNDIS_RSS_ENTRIES 128u
#define RNDIS_RSS_KEY     40u

struct rndis_filter {
    uint32_t bits;        /* RNDIS_FILTER_*; 0 = receive nothing */
    uint8_t mac[6];       /* in use */
    uint8_t permanent[6]; /* also answered to: a driver that was loaded again goes back to it */
    uint32_t multicasts;
    uint8_t multicast[LIMIT_NIC_MULTICAST][6];
};

struct rndis_rss {
    bool enabled;
    uint32_t hash;                    /* NDIS hash function and types, as the guest wants them */
    uint32_t entries;                 /* a power of two up to RNDIS_RSS_ENTRIES */
    uint8_t table[RNDIS_RSS_ENTRIES]; /* channel indices, below rndis->channels when set */
    uint8_t key[RNDIS_RSS_KEY];
};

/* By destination. */
enum rndis_cast { RNDIS_UNICAST, RNDIS_MULTICAST, RNDIS_BROADCAST, RNDIS_CASTS };

struct rndis_traffic {
    uint64_t frames[RNDIS_CASTS], bytes[RNDIS_CASTS];
};

struct rndis_stats {
    uint64_t frames_in, bytes_in;   /* to the guest */
    uint64_t frames_out, bytes_out; /* from the guest */
    struct rndis_traffic in, out;   /* the same, by destination */
    uint64_t errors_in, errors_out;
    uint64_t no_buffer_in; /* dropped for want of guest buffers */
    uint64_t discards_out; /* no port to send them to */
};

/* An adapter's RNDIS state. Owned by the primary channel's lane. */
struct rndis {
    /* Set by the owner before rndis_init(), and whenever they change. */
    bool mac_change;   /* the guest may take another address */
    uint32_t can;      /* RNDIS_OFFLOAD_* */
    uint32_t mtu;      /* without the Ethernet header */
    uint64_t speed;    /* bit/s */
    bool link;         /* up */
    uint32_t ndis;     /* major << 16 | minor, as the guest said; 0 before */
    unsigned queues;   /* channels that the guest can have, 1 to LIMIT_PORT_QUEUES */
    unsigned channels; /* it has now; RSS indices are below this */
    char name[64];     /* friendly name, UTF-8 */
    void (*stats)(void *context, struct rndis_stats *ret_stats); /* NULL: all 0 */
    void *context;

    /* Set here; the owner reads. */
    bool initialised;
    uint32_t offload; /* in force: never more than `can` */
    struct rndis_filter filter;
    struct rndis_rss rss;
    uint32_t changed; /* RNDIS_CHANGED_*; the owner clears */
};

/* The machine was reset, or this is a new adapter: permanent address, nothing received, no RSS,
 * all offloads of `can` but RSC, none for an NDIS 5 guest, which has no say in them. */
void rndis_init(struct rndis *rndis, const uint8_t permanent[6]);

/* The channel was closed or the guest sent HALT: as rndis_init(), but for an address that the guest
 * has set, which Linux takes for granted when it comes back with another MTU. */
void rndis_halt(struct rndis *rndis);

/* Handle one control message of `len` bytes. The length of the reply in `reply`, which has `max`
 * bytes (RNDIS_MAX_CONTROL is always enough); 0 for none; -EBADMSG a message that cannot be
 * answered (header or request id missing, length that lies); -EOPNOTSUPP no control message, or an
 * unknown one; -ENOSPC. What the owner must act on is then in rndis->changed. */
int rndis_control(struct rndis *rndis, const uint8_t *message, uint32_t len, uint8_t *reply,
                  uint32_t max);

/* Messages on our own account, at most RNDIS_MAX_CONTROL bytes. Length or -ENOSPC. */
int rndis_indicate_link(const struct rndis *rndis, uint8_t *out, uint32_t max);
int rndis_indicate_speed(const struct rndis *rndis, uint8_t *out, uint32_t max);
int rndis_indicate_offload(const struct rndis *rndis, uint8_t *out, uint32_t max);

/* Of a frame's destination. */
static inline enum rndis_cast rndis_cast_of(const uint8_t destination[6])
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (!(destination[0] & 1))
        return RNDIS_UNICAST;
    return memcmp(destination, broadcast, sizeof(broadcast)) ? RNDIS_MULTICAST : RNDIS_BROADCAST;
}

/* True if the guest wants to see a frame for that destination. Any lane, on a copy. */
bool rndis_filter_pass(const struct rndis_filter *filter, const uint8_t destination[6]);

#endif
