/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bus's own files share: the structures of bus and channel, and the calls between
 *
 *   bus.c         the bus's making, the way in (posts, signals) and the way out (outbox), dispatch
 *   connection.c  version negotiation, reset, unload, the interrupt page of old guests
 *   offer.c       relids, offers, rescinds
 *   subchannel.c  more channels of an open device
 *   gpadl.c       guest memory descriptor lists
 *   lifecycle.c   open, close, retarget: a channel as the bus's lane sees it
 *   channel.c     a channel on its own lane: rings, packets, signals
 *   absent.c      answers for what this bus does not have
 *
 * A channel is used by two lanes, which never touch the same member at the same time: the bus's
 * lane hands the channel over by posting `open`, and has it back when `closed` arrives. The few
 * members that both read while the channel is open are constant then, or atomic.
 *
 * There are no generation numbers: tasks run in the order of posting, a channel's lane posts
 * `closed` last, and no connection begins before every channel is closed. So whatever arrives from
 * a lane belongs to the present connection, or finds a reset under way, which sends nothing.
 */
#ifndef VMBUSD_VMBUS_BUS_PRIV_H
#define VMBUSD_VMBUS_BUS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/common/limits.h"
#include "src/common/log.h"
#include "vmbus/bus.h"
#include "vmbus/gpadl.h"
#include "vmbus/protocol.h"
#include "vmbus/ring.h"

/* --- Channel */

/* As the bus's lane sees it. */
enum channel_state {
    CHANNEL_CLOSED,
    CHANNEL_OPENING, /* handed to its lane; `opened` will arrive */
    CHANNEL_OPEN,
    CHANNEL_CLOSING, /* `closed` will arrive */
};

/* As its own lane sees it. */
enum channel_life {
    LIFE_IDLE,     /* the bus's lane has it */
    LIFE_LIVE,     /* the device sends and receives */
    LIFE_STOPPING, /* the device was told to close */
    LIFE_DEAD,     /* the device has let go because the guest broke the format */
};

/* What an OPEN asks for. */
struct open_request {
    uint32_t open_id;
    uint32_t gpadl;
    uint32_t target_vp;
    uint32_t downstream_page;
    uint8_t user_data[VMBUS_USER_DATA];
};

struct vmbus_channel {
    struct vmbus_bus *bus;
    struct vsp *vsp;
    struct lane *lane;
    struct vmbus_channel *next; /* the bus's list, or its spare ones */
    uint16_t index;             /* subchannel index */
    int eventfd;                /* the guest's signal; made once, kept for the channel's life */

    /* Bus's lane: the offer. */
    uint32_t relid; /* 0 = none */
    bool offer_due; /* an OFFER is to be sent */
    bool offered;   /* the guest has been sent one */
    bool rescinded; /* RESCIND sent or, not offered yet, not needed */
    bool released;  /* RELID_RELEASED came; the channel ends when it is closed */

    /* Bus's lane: the life cycle. */
    enum channel_state state;
    bool close_wanted; /* OPENING: close as soon as it is open */
    bool close_posted; /* CLOSING: the lane knows (it waits for subchannels before) */
    bool reopen;       /* an OPEN came while closing: `queued` */
    struct open_request request, queued;
    struct gpadl *gpadl; /* of the rings; referenced */

    /* Bus's lane: MODIFYCHANNEL under way. */
    bool modifying;
    bool modify_again; /* a newer one came, below 5.3 */
    uint32_t modify_vp, modify_next_vp;

    /* Written by the bus's lane before `open`, constant while the channel is open. */
    uint32_t version;
    uint64_t interrupt_page; /* GPA; below 2.4 */
    uint64_t in_features;    /* GPA of the feature bits that the guest sets in its own ring */

    _Atomic uint32_t target_vp;

    struct lane_task open, close, kick, modify;   /* bus -> channel */
    struct lane_task opened, closed, modified;    /* channel -> bus */
    struct lane_task more, flush, fault, drained; /* channel -> itself */

    /* Channel's lane. */
    enum channel_life life;
    bool close_asked; /* the bus waits for `closed` */
    int open_error; /* what the device's `open` said; the bus reads it when it has the channel back
                     */
    struct ring in, out;
    struct lane_source source; /* on `eventfd` */
    struct lane_timer room;    /* guests that do not say when there is room */
    struct vmbus_packet packet;
    bool held;         /* `packet` was refused with -EAGAIN and is offered again */
    bool quiet;        /* the ring is empty and the guest does not signal: `expects_more` */
    bool want_reserve; /* a reservation failed: offer the held packet when there is room */
    bool want_write;   /* a send failed: call `writable` when there is room */
    bool bursting;     /* packets are being handed over; what is sent is published at its end */
    bool unpublished;  /* something was written since the last commit */
    bool spoken;       /* something was published since the open */
    int broken;        /* errno of what the guest broke; the fault task is on its way */
    void *private_data;

    /* One writer each (the channel's lane), read by the bus's. */
    _Atomic uint64_t packets_in, packets_out, interrupts_in, interrupts_out, faults;

    /* vsp_make_subchannels(), primaries only. */
    struct {
        struct lane_task make, offer;   /* channel -> bus */
        struct lane_task made;          /* bus -> channel */
        atomic_bool asked;              /* `make` has not run yet */
        bool exist;                     /* bus's lane: they have been made for this open */
        uint16_t count;                 /* asked for; then made */
        struct lane *lane[LIMIT_VCPUS]; /* more channels than VPs are of no use */
    } subchannels;
};

/* --- Bus */

/* A message that the guest posted, a private copy; bytes beyond `len` are 0. */
struct bus_message {
    uint32_t connection;
    uint32_t len;
    uint8_t data[VMBUS_MESSAGE_MAX] __attribute__((aligned(8)));
};

/* A message that the transport had no room for. The longest that goes this way is
 * TL_CONNECT_RESULT. */
struct outbox_entry {
    struct vmbus_channel *kick; /* its guest is signalled once more when this has been sent */
    uint32_t vp;
    uint32_t len;
    uint8_t data[sizeof(struct vmbus_msg_tl_connect_result)];
};

/* Nothing is taken from the guest while the outbox holds anything, so it never holds more than one
 * answer per message, plus what devices finish meanwhile: an OPEN_RESULT, a RESCIND and a
 * MODIFYCHANNEL_RESPONSE per channel, a TORNDOWN per GPADL. */
#define OUTBOX_ENTRIES 4096u
_Static_assert(OUTBOX_ENTRIES > 3 * LIMIT_CHANNELS + LIMIT_GPADLS + LIMIT_INBOUND_MSGS,
               "the outbox holds all that can be owed");

/* What happens when every channel is closed. */
enum reset_then { RESET_THEN_NOTHING, RESET_THEN_CONTACT, RESET_THEN_UNLOAD };

struct vmbus_bus {
    struct lane *lane;
    struct gmem *gmem;
    const struct vmbus_transport *transport;
    void *context;
    uint32_t vps, max_version;

    /* The connection. */
    uint32_t version;        /* 0 = disconnected */
    uint32_t message_vp;     /* where messages to the guest go */
    uint64_t interrupt_page; /* GPA; below 2.4 */
    bool offers_requested;
    bool offers_end_due; /* ALL_OFFERS_DELIVERED is to be sent */

    struct {
        bool active;
        enum reset_then then;
        struct vmbus_msg_initiate_contact contact; /* RESET_THEN_CONTACT */
        uint32_t contact_connection;               /* connection id that it came on */
        uint32_t version, vp;                      /* RESET_THEN_UNLOAD: whom to answer */
        void (*done)(void *context);
        void *context;
    } reset;

    /* Devices and channels. */
    struct vsp *vsps;               /* by interface GUID, then instance GUID */
    struct vmbus_channel *channels; /* primaries in that order, then subchannels */
    struct vmbus_channel *spare;    /* channels that were, to be used again */
    uint32_t alive;                 /* channels, against LIMIT_CHANNELS */
    uint32_t busy;                  /* channels that are not CLOSED */
    uint32_t last_relid;            /* given out last */
    uint32_t offers_due;            /* channels whose offer_due is set */
    struct vmbus_channel *by_relid[LIMIT_RELID + 1];
    struct gpadl_table gpadls;

    /* Shared event of old guests (slot 0), and channels' eventfds by relid; fd + 1, 0 = none. Any
     * thread. */
    _Atomic int doorbell[LIMIT_RELID + 1];
    struct lane_source shared_event;

    /* Way in. */
    pthread_mutex_t inbound_lock;
    struct bus_message inbound[LIMIT_INBOUND_MSGS];
    unsigned inbound_head, inbound_count;
    struct lane_task work;

    /* Way out. */
    struct outbox_entry *outbox;
    unsigned outbox_head, outbox_count;

    struct vmbus_bus_stats stats; /* without posts_refused */
    _Atomic uint64_t posts_refused;
    struct log_limit log_limit; /* of all that this guest can provoke */
};

/* --- bus.c */

/* Send to the VP that the guest chose, or to `vp`; queued while there is no room, dropped while a
 * reset is under way. `kick` may be NULL. */
void bus_send(struct vmbus_bus *bus, const void *message, uint32_t len);
void bus_send_vp(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len);
void bus_send_kick(struct vmbus_bus *bus, const void *message, uint32_t len,
                   struct vmbus_channel *kick);

/* Past the outbox, for what can wait in a shorter form than its message: 0, -EAGAIN. */
int bus_transmit(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len);

/* Look at the queues again soon. */
void bus_wake(struct vmbus_bus *bus);

/* Drop all that was queued for the guest, or came from it. */
void bus_outbox_clear(struct vmbus_bus *bus);
void bus_inbound_clear(struct vmbus_bus *bus);

/* Count (and, rate-limited, log) a message that the guest should not have sent. */
void bus_bad(struct vmbus_bus *bus, const struct bus_message *message, const char *why);

/* Route a connection id's signals to an eventfd, both in the hypervisor and in vmbus_bus_signal().
 * `slot` is the relid, 0 for the shared event. 0 or -errno. */
int bus_connect(struct vmbus_bus *bus, uint32_t slot, int eventfd);
void bus_disconnect(struct vmbus_bus *bus, uint32_t slot, int eventfd);

/* --- connection.c */
void connection_handle_initiate_contact(struct vmbus_bus *bus, const struct bus_message *message);
void connection_handle_unload(struct vmbus_bus *bus, const struct bus_message *message);
void connection_init(struct vmbus_bus *bus);

/* A channel was closed: a reset that waited for it may be complete. */
void connection_channel_closed(struct vmbus_bus *bus);

/* --- offer.c */
void offer_handle_request(struct vmbus_bus *bus, const struct bus_message *message);
void offer_handle_relid_released(struct vmbus_bus *bus, const struct bus_message *message);

/* Send what offers are due. True if none is left. */
bool offer_pump(struct vmbus_bus *bus);

/* Forget all offers; every subchannel ceases to be. All channels are closed. */
void offer_forget(struct vmbus_bus *bus);

/* Give the channel a relid; false if none is left. Then let its offer be sent. */
bool offer_prepare(struct vmbus_channel *channel);
void offer_make_due(struct vmbus_channel *channel);

/* Tell the guest that the channel is no more. An open one serves the guest until that closes,
 * unmaps or releases it, and ceases to be when its relid is released; at once if the guest has
 * never been told of it. */
void offer_rescind(struct vmbus_channel *channel);

/* A closed channel ceases to be; its structure is kept for the next one. It is a subchannel, or the
 * primary of a device that leaves. */
void offer_retire(struct vmbus_channel *channel);

/* A channel is closed: if it was rescinded and the guest has released its relid, it ceases to be.
 * True if it did. */
bool offer_channel_settled(struct vmbus_channel *channel);

/* The channel that the guest means by `relid`, if it has been offered; else NULL. */
struct vmbus_channel *offer_find(const struct vmbus_bus *bus, uint32_t relid);

/* Make a channel, or end it. */
struct vmbus_channel *offer_channel_new(struct vmbus_bus *bus, struct vsp *vsp);
void offer_channel_free(struct vmbus_channel *channel);

/* --- subchannel.c */
void subchannel_init(struct vmbus_channel *channel);

/* The device leaves: its subchannels are rescinded. */
void subchannel_rescind(struct vmbus_channel *primary);

/* The primary is closing: rescind its subchannels and close them. */
void subchannel_take_back(struct vmbus_channel *primary);

/* Is any of them not yet closed? */
bool subchannel_busy(const struct vmbus_channel *primary);

/* --- gpadl.c's messages, in gpadl_message.c */
void gpadl_handle_header(struct vmbus_bus *bus, const struct bus_message *message);
void gpadl_handle_body(struct vmbus_bus *bus, const struct bus_message *message);
void gpadl_handle_teardown(struct vmbus_bus *bus, const struct bus_message *message);

/* A user of the GPADL is done with it; sends the TORNDOWN that may have waited for this. */
void gpadl_release(struct vmbus_bus *bus, struct gpadl *gpadl);

/* --- lifecycle.c */
void lifecycle_init(struct vmbus_channel *channel);
void lifecycle_handle_open(struct vmbus_bus *bus, const struct bus_message *message);
void lifecycle_handle_close(struct vmbus_bus *bus, const struct bus_message *message);
void lifecycle_handle_modify(struct vmbus_bus *bus, const struct bus_message *message);

/* Close, whatever state it is in; subchannels of a primary first. */
void lifecycle_close(struct vmbus_channel *channel);

/* An OPEN that waits for the channel to be closed is refused. */
void lifecycle_no_reopen(struct vmbus_channel *channel);

/* --- channel.c */
void channel_init(struct vmbus_channel *channel);

/* --- absent.c */
void absent_handle_open_reserved(struct vmbus_bus *bus, const struct bus_message *message);
void absent_handle_close_reserved(struct vmbus_bus *bus, const struct bus_message *message);
void absent_handle_tl_connect(struct vmbus_bus *bus, const struct bus_message *message);

/* Begin a message of type `type_`. */
#define BUS_HEADER(type_)              \
    {                                  \
        .type = (type_), .reserved = 0 \
    }

#endif
