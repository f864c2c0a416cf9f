/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network driver for the scripted guest, and the switch's end of the port: what a netvsc says and
 * expects to hear. Written from the driver's point of view, with its own idea of the layouts.
 * Shared by the unit tests and the fuzz target of netvsp.
 */
#ifndef VMBUSD_TESTS_NET_GUEST_H
#define VMBUSD_TESTS_NET_GUEST_H

#include "tests/unit/scripted_guest.h"
#include "vmbus/netvsp.h"
#include "vmbus/netvsp_wire.h"
#include "vswitch/port_ring.h"

#define NET_RING_PAGES    8u
#define NET_RECEIVE_PAGES 64u
#define NET_SEND_PAGES    16u
#define NET_RECEIVE_ID    0xcafeu
#define NET_CELLS         128u
#define NET_RANGES        64u

/* A transfer-page packet as the guest takes it off its ring. */
struct net_pages {
    uint64_t id;
    uint16_t pageset;
    uint32_t ranges;
    uint32_t length[NET_RANGES], offset[NET_RANGES];
    uint32_t channel; /* of the NVSP message */
};

struct net_guest {
    struct scripted_guest *guest;
    struct netvsp *netvsp;
    struct sg_channel channel;    /* the primary */
    uint64_t receive, send, data; /* addresses: the buffers, and pages for GPA ranges */
    uint32_t receive_gpadl, send_gpadl;
    unsigned receive_pages;
    uint32_t nvsp;             /* negotiated */
    uint64_t next_id;          /* of the next packet */
    struct nvsp_message reply; /* of the last completion */
    int reply_len;
    uint32_t sub_size, subs;
    uint8_t control[2048];  /* the last RNDIS control message from the host */
    bool empty_completions; /* as iPXE */
    uint64_t capabilities;  /* of NDIS_CONFIG */
    bool attached;
    struct port_ring_fds fds;
    struct port_ring far; /* the switch's side */
};

/* Connected at the newest VMBus, with `lanes` times the guest's own lane; the channel is open and
 * nothing said on it. No port. */
void net_guest_init(struct net_guest *net, unsigned lanes, uint32_t mtu);
/* The same with two lanes, of which the second is not the guest's own. */
void net_guest_init_two(struct net_guest *net, struct lane *second);
void net_guest_free(struct net_guest *net);

/* The primary closed, and opened again. */
void net_reopen(struct net_guest *net);

/* Make, map and attach a port of `queues` pairs; and take it away. */
void net_attach(struct net_guest *net, unsigned queues);
void net_detach(struct net_guest *net);

/* Send an NVSP message of `len` bytes. `ask` wants and awaits the completion; its type. */
void net_say(struct net_guest *net, const struct nvsp_message *message, uint32_t len);
uint32_t net_ask(struct net_guest *net, const struct nvsp_message *message, uint32_t len);

/* INIT at one version; the status of the answer. */
uint32_t net_init(struct net_guest *net, uint32_t version);
/* INIT to NDIS version. */
void net_negotiate_ndis(struct net_guest *net, uint32_t version);
/* A buffer: GPADL and message, the status of the answer. */
uint32_t net_make_receive(struct net_guest *net);
uint32_t net_make_send(struct net_guest *net);
/* All of it. */
void net_negotiate(struct net_guest *net, uint32_t version);

/* Send bytes that lie at `gpa` as an RNDIS packet (channel 0 data, 1 control); the id. */
uint64_t net_send_at(struct net_guest *net, struct sg_channel *channel, uint32_t kind, uint64_t gpa,
                     uint32_t length);
/* The completion of packet `id` of RNDIS; its status. */
uint32_t net_done(struct net_guest *net, struct sg_channel *channel, uint64_t id);

/* A control message with a reply, which is then in net->control; its length. */
uint32_t net_rndis(struct net_guest *net, const void *message, uint32_t len);
/* RNDIS INIT, and the packet filter. */
void net_rndis_init(struct net_guest *net);
uint32_t net_set(struct net_guest *net, uint32_t oid, const void *value, uint32_t len);
/* Handshake, RNDIS INIT, filter: ready for frames. */
void net_up(struct net_guest *net, uint32_t version);

/* The next packet to the guest, if there is one, which must be of transfer pages. It is not
 * completed. */
bool net_take(struct net_guest *net, struct sg_channel *channel, struct net_pages *ret_pages);
void net_complete_pages(struct net_guest *net, struct sg_channel *channel, uint64_t id);

/* The frame in range `n`; its length. The RNDIS header is checked. */
uint32_t net_frame_of(struct net_guest *net, const struct net_pages *pages, uint32_t n,
                      uint8_t *frame, uint32_t max);

/* A frame of `length` bytes for the guest (or whoever `last` says is the last byte of), with a
 * pattern. */
void net_make_frame(uint8_t *frame, uint32_t length, uint8_t seed);

/* Write an RNDIS message around a frame to `gpa`; bytes of it. */
uint32_t net_wrap(struct net_guest *net, uint64_t gpa, const uint8_t *frame, uint32_t length);
/* Send one frame, await the completion; its status. */
uint32_t net_transmit(struct net_guest *net, const uint8_t *frame, uint32_t length);

/* The switch's side. */
bool net_switch_send(struct net_guest *net, unsigned queue, const uint8_t *frame, uint32_t length);
bool net_switch_push(struct net_guest *net, unsigned queue, const uint8_t *frame,
                     const struct frame_meta *meta);
/* Length of the next frame from the guest, 0 for none. */
uint32_t net_switch_take(struct net_guest *net, unsigned queue, uint8_t *frame,
                         struct frame_meta *ret_meta);

/* How many channels were ended because the guest broke the protocol. */
uint64_t net_faults(const struct net_guest *net);
struct netvsp_stats net_stats(const struct net_guest *net);
struct netvsp_info net_info(const struct net_guest *net);

/* One channel, a port, ready for frames at the newest version. */
void net_begin(struct net_guest *net);

/* The channel works, frames go both ways, and none was ended. */
void net_expect_alive(struct net_guest *net);

/* The channel has been ended, and a fresh open brings it to life. */
void net_expect_ended(struct net_guest *net);

#endif
