/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What netvsp's own files share:
 *
 *   netvsp.c            the class, open and close, packets, completions
 *   netvsp_handshake.c  versions, NDIS parameters, subchannels
 *   netvsp_buffers.c    receive and send buffer, suballocations
 *   netvsp_control.c    RNDIS control messages and link events
 *   netvsp_tx.c         from the guest to the port ring
 *   netvsp_rx.c         from the port ring to the guest
 *   netvsp_rss.c        to which of the guest's channels
 *   netvsp_port.c       attaching and detaching a port; who has which of its queues
 *   netvsp_new.c        making and freeing, statistics
 *
 * Every channel has its lane. What belongs to the adapter belongs to the primary's lane; the few
 * members that the others read are atomic, and the buffers have a rule of their own, see
 * net_enter().
 */
#ifndef VMBUSD_VMBUS_NETVSP_PRIV_H
#define VMBUSD_VMBUS_NETVSP_PRIV_H

#include <stdatomic.h>

#include "src/common/log.h"
#include "src/kvm/gmem.h"
#include "vmbus/buffer.h"
#include "vmbus/netvsp.h"
#include "vmbus/netvsp_wire.h"
#include "vmbus/rndis.h"
#include "vmbus/rss.h"
#include "vswitch/segment.h"

#define NET_NONE 0xffffffffu
#define NET_SUBALLOCATIONS                                                 \
    20480u /* more of a receive buffer is not used: 32 MiB of the smallest \
            */
#define NET_SUBALLOCATION_MIN 1728u /* what Linux asks for when it may choose */
#define NET_CONTROL_RESERVE   16u   /* suballocations that only control messages use */
#define NET_CONTROL_SPARE     4u    /* of those, left alone by what the guest has not asked for */
#define NET_ON_ITS_WAY        0xffu /* between two holders */
#define NET_SECTION           6144u
#define NET_MESSAGES          8u /* RNDIS messages in one packet of the guest's, as RNDIS INIT says */
#define NET_BATCH             64u
#define NET_TX_IOVECS         (LIMIT_RANGE_PAGES + 24u)
#define NET_SUB_IOVECS        8u /* of one suballocation */
#define NET_VLAN_TAG          4u
#define NET_MTU_MIN           68u           /* IPv4's own */
#define NET_SILENCE_NS        1000000000ull /* of a full port: then it drops, as a wire would */
#define NET_BULK              16u /* cells' worth of frames: a large segment's, less its headers */
#define NET_LINK_REST_NS      2500000000ull /* between changes of the link: Linux merges closer ones */

_Static_assert(NET_BATCH <= VMBUS_PAGE_RANGES_MAX, "one packet");

enum net_buffer_kind { NET_RECEIVE, NET_SEND, NET_BUFFERS };

enum net_buffer_state {
    BUFFER_NONE,
    BUFFER_ASKED,   /* the bus is looking for the GPADL; the guest's message is held */
    BUFFER_REFUSED, /* it has looked, and the message is still held */
    BUFFER_FOUND,
    BUFFER_READY,
};

/* Of subchannels: the guest's message is held while the bus makes them. */
enum net_making { MAKING_NONE, MAKING_ASKED, MAKING_DONE };

struct net_buffer {
    struct vmbus_buffer memory;
    enum net_buffer_state state;
    uint16_t id;         /* the guest's name for it */
    _Atomic bool usable; /* READY and not being revoked: any lane, between net_enter() and leave */
};

/* Suballocations that are free, or that one packet carries, are chained by netvsp->next. */
struct net_chain {
    uint32_t first, last; /* NET_NONE */
    uint32_t count;
};

/* A packet to the guest that is being gathered. */
struct net_batch {
    struct vmbus_page_range range[NET_BATCH];
    unsigned ranges;
    struct net_chain chain; /* their suballocations */
};

/* What the guest has asked for about the frames it gets: copied to each channel when it changes. */
struct net_view {
    struct rndis_filter filter;
    struct rndis_rss rss;
    uint32_t offload; /* RNDIS_OFFLOAD_* */
    uint32_t hash;    /* 1: it wants to see hashes */
};
#define NET_VIEW_WORDS ((sizeof(struct net_view) + 7) / 8)

struct net_tx {
    unsigned pushed;  /* messages of the held packet that are in the port ring already */
    bool waiting;     /* for room in it */
    bool silent;      /* nobody makes any: frames that do not fit are dropped */
    bool uncommitted; /* something was pushed */
    bool quiet; /* the guest does not signal: looks again when the switch has taken something */
    struct iovec iov[NET_TX_IOVECS];
    unsigned iovs;
    uint32_t length; /* bytes of the RNDIS messages */
    unsigned messages;
    uint32_t at[NET_MESSAGES]; /* where each begins */
    struct rndis_packet message[NET_MESSAGES];
};

/* One queue of the port, on the lane of the channel that has it. */
struct net_queue {
    _Atomic(struct net_channel *) owner; /* NULL: on its way from one lane to another, or no port */
    struct net_channel *home;            /* whose queue it is while that channel is open */
    struct port_queue *in;
    struct lane_source data;
    bool broken;
    bool pending; /* `frame` has been pulled and not dealt with */
    struct frame frame;
    bool cutting; /* it goes through the segmenter, whose output is in `bytes` when `cut` */
    bool cut;
    struct segmenter segmenter;
    struct frame_meta piece;
    uint8_t bytes[LIMIT_MTU + NVSP_ETHERNET + NET_VLAN_TAG];
    struct lane_task take, given, back; /* home -> primary, primary -> home, home -> primary */
};

/* One writer, the channel's lane; readers anywhere. */
struct net_traffic {
    _Atomic uint64_t frames[RNDIS_CASTS], bytes[RNDIS_CASTS];
};

struct net_counters {
    struct net_traffic in, out;
    _Atomic uint64_t no_buffer_in, filtered_in, dropped_in, dropped_out, bad_out, stalls_in,
        stalls_out;
    _Atomic uint64_t ignored_out;
};

struct net_channel {
    struct netvsp *netvsp;
    struct lane *lane;
    unsigned index;                /* of the channel, and of its queue pair of the port */
    struct vmbus_channel *channel; /* NULL while closed */
    struct gmem *gmem;
    _Atomic bool inside; /* net_enter() */

    /* Steering, see netvsp_rss.c: lists that any lane pushes to. */
    _Atomic bool open;         /* frames may be steered here */
    _Atomic bool starved;      /* to be woken when something is returned */
    _Atomic uint32_t arrived;  /* frames that others have taken off their queues */
    _Atomic uint32_t returned; /* its own suballocations that others are done with */
    struct net_chain backlog;  /* arrived, and not in a batch yet */
    uint32_t steered;          /* bits: channels that have to look what has arrived */
    struct rss_key key;        /* of the view */

    /* To the guest. */
    uint32_t generation; /* of the receive buffer that `data` is of */
    struct net_chain data;
    struct net_batch batch;
    bool stalled; /* waits for the guest: suballocations or ring room */
    struct lane_task pump;
    struct net_view view;
    uint32_t viewed; /* netvsp->view_sequence of it */

    /* From the guest. */
    struct net_tx tx;
    struct port_queue *out; /* NULL: no port */
    struct lane_source out_room;
    struct lane_timer silence;
    uint16_t piece_id; /* of the next frame that goes in pieces */
    uint32_t moved;    /* cells' worth of frames, both ways, since the guest was last listened to */

    struct net_counters count;
};

struct netvsp {
    struct vsp vsp;
    struct rndis rndis;
    unsigned channels;
    struct lane *lane[LIMIT_LANES];
    struct net_channel channel[LIMIT_PORT_QUEUES];
    _Atomic unsigned open_channels;
    uint8_t permanent_mac[6];
    uint32_t max_mtu;
    struct log_limit log_limit;

    /* Of the handshake: written on the primary's lane. */
    _Atomic uint32_t version; /* 0 = INIT comes next */
    _Atomic uint32_t ndis;    /* 0 = not yet told */
    _Atomic uint32_t mtu;
    bool configured;      /* NDIS_CONFIG came */
    uint16_t subchannels; /* made, and so granted */
    enum net_making making;
    bool offer_due, table_due;
    bool closing;           /* `close` waits for a buffer's answer */
    _Atomic bool restarted; /* another guest comes next, or the same one from nothing */

    /* Buffers. */
    struct net_buffer buffer[NET_BUFFERS];
    uint32_t sub_size, subs; /* of the receive buffer: constant while it is usable */
    uint32_t control_subs;   /* the first of them */
    uint32_t share;          /* how many of the others each of `shares` channels has */
    unsigned shares;
    _Atomic uint32_t generation; /* of the receive buffer; counts from 1 */
    _Atomic bool revoking;       /* whoever leaves wakes the primary */
    struct lane_task revoke;
    struct net_chain control;
    uint32_t next[NET_SUBALLOCATIONS];
    uint32_t length[NET_SUBALLOCATIONS];        /* of the message in one that has arrived */
    _Atomic uint8_t holder[NET_SUBALLOCATIONS]; /* whose lane may touch it: a channel's index */
    bool head[NET_SUBALLOCATIONS]; /* begins a packet that the guest has not completed */

    /* Control messages to the guest that wait for room in the ring, and link events. */
    struct vmbus_page_range unsent[NET_CONTROL_RESERVE];
    unsigned unsent_first, unsents;
    uint8_t request[RNDIS_MAX_CONTROL], reply[RNDIS_MAX_CONTROL];
    _Atomic bool link;  /* as the guest was told */
    uint64_t link_told; /* when */
    bool link_sure;     /* it was told in so many words, and has not drawn its own conclusions */
    bool link_due;      /* the link changed while it was not sure: tell, whatever `link` says */
    struct lane_timer link_timer;

    /* Read by every channel. The view is a sequence lock: odd while it is written. */
    _Atomic uint32_t filter; /* RNDIS_FILTER_*; 0 = receive nothing, at once */
    _Atomic uint64_t mac;    /* in use; byte 0 of the address lowest */
    _Atomic uint32_t view_sequence;
    _Atomic uint64_t view[NET_VIEW_WORDS];

    /* The port: written by the main lane while no other lane has it. */
    _Atomic bool plugged;  /* the link: stays while one port takes another's place */
    _Atomic bool attached; /* there is a ring */
    struct port_ring ring;
    struct port_ring_fds fds;
    unsigned queues;
    struct net_queue queue[LIMIT_PORT_QUEUES];
};

/* --- netvsp.c */

/* Bytes of every message at the negotiated version. */
uint32_t net_message_size(const struct netvsp *netvsp);

static inline void net_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* A frame has gone through the channel, in the direction of `traffic`. */
static inline void net_count_moved(struct net_channel *chan, struct net_traffic *traffic,
                                   const uint8_t *destination, uint32_t length)
{
    enum rndis_cast cast = rndis_cast_of(destination);

    net_count(&traffic->frames[cast], 1);
    net_count(&traffic->bytes[cast], length);
    chan->moved += length / PORT_RING_CELL + 1;
}

/* --- netvsp_handshake.c */

/* A message that is not RNDIS. 0 and its answer, if there is one, in *answer, which is zeroed
 * before; -EAGAIN hold the packet; -EPROTO. */
int net_handshake(struct netvsp *netvsp, const struct nvsp_message *message, uint32_t len,
                  struct nvsp_message *answer);

/* The answer is on the ring: what comes after it. */
void net_after_answer(struct netvsp *netvsp);

/* For struct vsp_class. */
void net_subchannels_made(struct vsp *vsp, struct vmbus_channel *primary, uint16_t made);

void net_send_table(struct netvsp *netvsp);

/* --- netvsp_buffers.c */

int net_buffer_take(struct netvsp *netvsp, const struct nvsp_message *message,
                    struct nvsp_message *answer);
int net_buffer_revoke(struct netvsp *netvsp, const struct nvsp_message *message);

/* The primary closes: release what is held. False if an answer of the bus's has to be waited for;
 * then net_closed() is called when it is there. */
bool net_buffers_close(struct netvsp *netvsp);
void net_buffers_init(struct netvsp *netvsp);
void net_closed(struct netvsp *netvsp);

/*
 * The buffers' rule: between net_enter() and net_leave(), which enclose everything that a channel's
 * lane does to a buffer or to its suballocations, a buffer that is `usable` stays. The primary
 * revokes by taking `usable` away and then waiting until no channel is inside.
 */
void net_enter(struct net_channel *chan);
void net_leave(struct net_channel *chan);

/* Inside: may the receive buffer be written? */
bool net_receivable(struct net_channel *chan);

/* Take a suballocation off a chain (NET_NONE if it is empty), or append one. */
uint32_t net_chain_take(struct netvsp *netvsp, struct net_chain *chain);
void net_chain_add(struct netvsp *netvsp, struct net_chain *chain, uint32_t sub);

/* Whose share data suballocation `sub` is of. */
static inline struct net_channel *net_home(struct netvsp *netvsp, uint32_t sub)
{
    return &netvsp->channel[(sub - netvsp->control_subs) / netvsp->share];
}

/* Lease suballocation `sub` for writing `length` bytes; number of iovecs or -errno. */
int net_sub_lease(const struct netvsp *netvsp, uint32_t sub, uint32_t length, struct iovec *iov);

/* The transaction id of a packet whose first suballocation is `sub`. */
uint64_t net_transaction(const struct net_channel *chan, uint32_t sub);

/* The guest has completed a packet: its suballocations are free again. 0, -EPROTO if there is no
 * such packet. Inside. */
int net_complete(struct net_channel *chan, uint64_t transaction_id);

/* --- netvsp_control.c */

/* Handle the control message in netvsp->request. 0, -EPROTO. */
int net_control(struct netvsp *netvsp, uint32_t len);

/* Send what waited for room. */
void net_control_writable(struct netvsp *netvsp);

/* The link may have changed, or may be told now. */
void net_link_update(struct netvsp *netvsp);

/* A port was attached or detached. */
void net_link_changed(struct netvsp *netvsp);
void net_control_init(struct netvsp *netvsp, const struct netvsp_config *config);
void net_control_reset(struct netvsp *netvsp);

/* --- netvsp_tx.c */

/* An RNDIS packet of the guest's, from its NVSP message on. The status of the completion; -EAGAIN,
 * -EPROTO. */
int net_tx_packet(struct net_channel *chan, const struct nvsp_message *message,
                  const struct vmbus_packet *packet);

/* Let the switch see what was pushed. */
void net_tx_commit(struct net_channel *chan);

/* For struct vsp_class. */
bool net_tx_expects_more(struct vsp *vsp, struct vmbus_channel *channel);

/* --- netvsp_rx.c */

/* Move frames from the channel's queues to the guest as far as possible. */
void net_rx_pump(struct net_channel *chan);

/* Give up what has been pulled from a queue. */
void net_rx_drop(struct net_queue *queue);

/* Show every channel what is in netvsp->rndis now. */
void net_view_publish(struct netvsp *netvsp);

/* --- netvsp_rss.c: all inside, but for net_rss_flush() and net_rss_closed() */

/* A new receive buffer: each suballocation is at home. On the primary's lane, nobody is inside. */
void net_rss_renew(struct netvsp *netvsp);

/* Who gets a frame of the channel's queue; the hash that says so, 0 if none does. */
struct net_channel *net_rss_choose(struct net_channel *chan, const uint8_t *head, uint32_t length,
                                   uint32_t *ret_hash);

/* Hand the frame in `sub`, a message of `length` bytes, to another channel; and wake those that
 * have got some. */
void net_rss_steer(struct net_channel *chan, struct net_channel *to, uint32_t sub, uint32_t length);
void net_rss_flush(struct net_channel *chan);

/* Take in what others have pushed. */
void net_rss_collect(struct net_channel *chan);

/* The channel that holds `sub` is done with it. */
void net_rss_free(struct net_channel *chan, uint32_t sub);

/* The channel waits for suballocations: its own may be with others. */
void net_rss_starve(struct net_channel *chan);

/* The channel was closed: what is not its own goes home. */
void net_rss_closed(struct net_channel *chan);

/* --- netvsp_port.c */

/* The channel was opened, or is being closed: take its queue over, or give it back. */
void net_port_opened(struct net_channel *chan);
void net_port_closed(struct net_channel *chan);
void net_port_init(struct netvsp *netvsp);

/* --- netvsp_new.c */

/* For struct rndis. */
void net_rndis_stats(void *context, struct rndis_stats *ret_stats);

/* --- netvsp.c */
extern const struct vsp_class net_class;

#endif
