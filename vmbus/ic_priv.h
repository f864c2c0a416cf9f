/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the integration services share: the pipe frame, the version negotiation, one outstanding
 * request, one timer. A service is a const struct ic_service and a state that begins where ic.c
 * ends: negotiated versions, and replies that are of its type and of the length they claim.
 *
 * The frame is Hyper-V's, as Linux (include/linux/hyperv.h, drivers/hv/channel_mgmt.c) and OpenVMM
 * (hyperv_ic_protocol) write it: the host asks, the guest answers with an in-band packet of its
 * own; ring completions play no part.
 *
 * Left out: pipe frames other than data, guest requests (no service has any).
 */
#ifndef VMBUSD_VMBUS_IC_PRIV_H
#define VMBUSD_VMBUS_IC_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/container.h"
#include "src/common/guid.h"
#include "src/common/lane.h"
#include "vmbus/ic.h"
#include "vmbus/vsp.h"

/* --- Wire */

enum ic_message_type {
    IC_NEGOTIATE = 0,
    IC_HEARTBEAT = 1,
    IC_KVP = 2,
    IC_SHUTDOWN = 3,
    IC_TIMESYNC = 4,
};

#define IC_FLAG_TRANSACTION 1u
#define IC_FLAG_REQUEST     2u
#define IC_FLAG_RESPONSE    4u

#define IC_STATUS_OK            0u
#define IC_STATUS_FAIL          0x80004005u
#define IC_STATUS_NO_MORE_ITEMS 0x80070103u

#define IC_PIPE_DATA 1u

struct ic_version {
    uint16_t major, minor;
} __attribute__((packed));

/* In front of every message on a pipe channel. */
struct ic_pipe {
    uint32_t type;   /* IC_PIPE_DATA */
    uint32_t length; /* of what follows; the ring packet may be longer */
} __attribute__((packed));

struct ic_header {
    struct ic_version framework;
    uint16_t type; /* enum ic_message_type */
    struct ic_version message;
    uint16_t size; /* of the data behind this header */
    uint32_t status;
    uint8_t transaction; /* always 0: there is one request at a time */
    uint8_t flags;
    uint16_t reserved;
} __attribute__((packed));

_Static_assert(sizeof(struct ic_pipe) == 8, "wire size");
_Static_assert(sizeof(struct ic_header) == 20, "wire size");
_Static_assert(offsetof(struct ic_header, size) == 10, "wire offset");
_Static_assert(offsetof(struct ic_header, flags) == 17, "wire offset");

/* --- Service */

struct ic;

/* What tells one service from another. Every callback runs on the channel's lane. */
struct ic_service {
    const struct vsp_class *class; /* with IC_CLASS_MEMBERS in it */
    struct guid instance;
    enum ic_message_type type;
    const struct ic_version *versions; /* message versions offered, oldest first */
    unsigned version_count;            /* at most IC_VERSIONS_MAX */

    /* Versions are agreed on: requests may be sent. */
    void (*ready)(struct ic *ic);

    /* The answer to the request. `data` is private and good only during the call. The next request
     * may be sent from here. False if it makes no sense (counted, otherwise ignored). */
    bool (*reply)(struct ic *ic, uint32_t status, const uint8_t *data, uint32_t len);

    /* The service's own timer, armed with ic_arm(), has run out. May be NULL. */
    void (*tick)(struct ic *ic);

    /* There is room again after ic_request() gave -EAGAIN. May be NULL. */
    void (*writable)(struct ic *ic);

    /* The channel closes; the timer is stopped, an unanswered request never will be answered. May
     * be NULL. */
    void (*stopped)(struct ic *ic);

    /* Forget the guest: it starts again from nothing. May be NULL. */
    void (*reset)(struct ic *ic);
};

#define IC_VERSIONS_MAX 4

enum ic_state { IC_CLOSED, IC_NEGOTIATING, IC_READY, IC_REFUSED };

/* The shared part of a service's state. Fields are ic.c's; a service may read `message`. */
struct ic {
    struct vsp vsp;
    const struct ic_service *service;
    struct vmbus_channel *channel; /* NULL while closed */
    struct lane_timer timer;
    enum ic_state state;
    bool waiting;                         /* a request is unanswered */
    struct ic_version framework, message; /* agreed on, while IC_READY */
    uint64_t ignored;                     /* packets that were not an answer to anything */
};

void ic_init(struct ic *ic, const struct ic_service *service, struct lane *lane);

/* For struct vsp_class. */
int ic_open(struct vsp *vsp, struct vmbus_channel *channel,
            const uint8_t user_data[VMBUS_USER_DATA]);
int ic_packet(struct vsp *vsp, struct vmbus_channel *channel, const struct vmbus_packet *packet);
void ic_writable(struct vsp *vsp, struct vmbus_channel *channel);
void ic_close(struct vsp *vsp, struct vmbus_channel *channel);
void ic_reset(struct vsp *vsp);

/* What the vsp_class of every service says alike. */
#define IC_CLASS_MEMBERS                                                            \
    .offer_flags = VMBUS_OFFER_ENUMERATE | VMBUS_OFFER_NAMED_PIPE, .open = ic_open, \
    .packet = ic_packet, .writable = ic_writable, .close = ic_close, .reset = ic_reset

/* Send a request. 0; -ENOTCONN (versions not agreed on), -EBUSY (one is unanswered), -EAGAIN (ring
 * full: `writable` follows), -EMSGSIZE (this ring will never take it), -ECONNRESET. */
int ic_request(struct ic *ic, const void *data, uint32_t len);

/* True if a request could be sent now, ring permitting. */
bool ic_idle(const struct ic *ic);

/* Call `tick` once, after `after_ns`, unless the channel closes first. Replaces an earlier call. */
void ic_arm(struct ic *ic, uint64_t after_ns);

void ic_status(const struct ic *ic, struct ic_status *ret_status);

#endif
