/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the switch core share: the switch, its threads, the core's side of a port.
 *
 * switch.c is the control plane (make, add, remove, report), switch_thread.c the loop of a switch
 * thread, forward.c decides where a frame goes, transmit.c takes it there. A thread collects the
 * frames of one burst per target, so that a target's lock is taken once per burst.
 *
 * A thread sees ports through vswitch.slot[]. Who takes a port out of there waits until every
 * thread has been between two turns, and then nobody has it any more; rules go the same way.
 */
#ifndef VMBUSD_VSWITCH_SWITCH_PRIV_H
#define VMBUSD_VSWITCH_SWITCH_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/common/log.h"
#include "vswitch/fdb.h"
#include "vswitch/inspect.h"
#include "vswitch/policy.h"
#include "vswitch/rate.h"
#include "vswitch/snoop.h"
#include "vswitch/switch.h"

#define SWITCH_SLOTS       (LIMIT_SWITCH_PORTS + 1) /* [0] stays empty: FDB_UNKNOWN */
#define SWITCH_TURN_FRAMES 1024u                    /* then the lane looks after other things */
#define SWITCH_FLUSH_AFTER 128u /* frames and 2 KiB, at most, before targets see theirs */
#define SWITCH_ARENA       (256u << 10)

/* A policy made ready. Never changes; replaced as a whole. */
struct port_rules {
    struct port_policy policy;
    uint32_t ceiling; /* addresses that may be learned */
    unsigned snoop;   /* SNOOP_* */
    bool plain_in;    /* what is untagged and for one station needs no further look */
    bool plain_out;
    bool tags; /* in its bytes would mean something: what may not send them goes the long way */
};

/* The core's side of a port. */
struct vswitch_port {
    struct port *port;
    struct switch_thread *thread;
    _Atomic(struct port_rules *) rules;
    _Atomic uint32_t mirror; /* slot of the port that gets a copy, 0 = none */
    uint32_t slot, number;
    atomic_bool failed;

    /* The port's thread. */
    struct vswitch_port *next; /* in the thread's ready list */
    bool ready;                /* is in it */
    uint32_t debt;             /* frames sent for it beyond what it handed in: it waits for them */
    struct rate rate_in, storm;

    _Alignas(64) struct port_stats in; /* written by the port's thread */
    _Alignas(64) pthread_mutex_t tx;   /* held around transmit and flush */
    struct rate rate_out;              /* under tx */
    struct port_stats out;             /* under tx, but for drops_out, which are added atomically */
};

/* Frames of this burst for one target. */
struct switch_batch {
    uint32_t count;
    bool touched; /* in the thread's touched list */
    bool dirty;   /* transmitted to since the last flush: in the thread's dirty list */
    const struct frame *frame[PORT_BURST];
};

struct switch_thread {
    struct vswitch *vswitch;
    struct lane *lane;
    struct lane_hook hook;
    unsigned ports; /* owner's thread: to spread them */

    struct vswitch_port *ready, **ready_end;
    uint64_t now_ns;
    uint32_t sent;          /* frames put into batches in this burst */
    uint32_t since_flush;   /* frames and 2 KiB received since */
    unsigned touched_count; /* targets that this burst has sent to */
    unsigned dirty_count;   /* targets that have not been flushed */
    struct vswitch_port *touched[SWITCH_SLOTS];
    struct vswitch_port *dirty[SWITCH_SLOTS];

    uint8_t *arena; /* headers, segments and changed frames, until the batches are sent */
    size_t arena_used;
    struct inspect_bounce bounce;
    uint64_t destination[PORT_BURST], source[PORT_BURST]; /* keys; 0: take the long way */
    struct frame frame[PORT_BURST];
    struct frame_info info[PORT_BURST];
    struct switch_batch batch[SWITCH_SLOTS];
};

struct vswitch {
    char name[64];
    unsigned threads; /* lanes */
    uint32_t last_number;
    struct snoop *snoop; /* NULL: multicast floods */
    struct lane_timer age;
    uint32_t swept; /* second of the last fdb_sweep() */
    struct log_limit log;
    struct fdb fdb;
    _Atomic uint32_t top; /* highest slot that was ever used */
    _Atomic(struct vswitch_port *) slot[SWITCH_SLOTS];
    struct switch_thread *thread[LIMIT_SWITCH_THREADS];
};

static inline void stat_add(uint64_t *stat, uint64_t n)
{
    /* One writer: needs no locked instruction, only to be whole for readers. */
    __atomic_store_n(stat, *stat + n, __ATOMIC_RELAXED);
}

static inline void drop_out(struct vswitch_port *target, enum port_drop why, uint64_t n)
{
    __atomic_fetch_add(&target->out.drops_out[why], n, __ATOMIC_RELAXED);
}

static inline struct vswitch_port *switch_slot(struct vswitch *vswitch, uint32_t slot)
{
    return atomic_load_explicit(&vswitch->slot[slot], memory_order_acquire);
}

static inline const struct port_rules *port_rules(const struct vswitch_port *core)
{
    return atomic_load_explicit(&core->rules, memory_order_acquire);
}

static inline uint32_t switch_seconds(uint64_t now_ns)
{
    return (uint32_t)(now_ns / 1000000000u);
}

/* switch_thread.c: everything of a thread but its lane. NULL with errno. */
struct switch_thread *switch_thread_new(struct vswitch *vswitch, struct lane *lane);
void switch_thread_free(struct switch_thread *thread);

/* Take the port off the ready list. Its lane. */
void switch_thread_forget(struct vswitch_port *core);

/* forward.c: decide on thread->frame[0 .. count - 1], which came from `source`. */
void switch_forward(struct switch_thread *thread, struct vswitch_port *source, unsigned count);

/* transmit.c: send a frame to the target in a form that it can take. `frame` itself (not its bytes)
 * may go when this returns, unless `stays`. */
void switch_send(struct switch_thread *thread, struct vswitch_port *target,
                 const struct frame *frame, bool stays);

/* Transmit one target's batch; transmit all batches and empty the arena; make everything sent
 * visible to the targets. */
void switch_transmit(struct switch_thread *thread, struct vswitch_port *target);
void switch_transmit_all(struct switch_thread *thread);
void switch_flush(struct switch_thread *thread);

/* True if the target takes the frame as it is. The first line is what small frames need. */
bool switch_takes_special(const struct vswitch_port *target, const struct frame_meta *meta);

static inline bool switch_takes(const struct vswitch_port *target, const struct frame_meta *meta)
{
    uint32_t mtu = __atomic_load_n(&target->port->mtu, __ATOMIC_RELAXED);

    if (!meta->gso && !(meta->flags & ~FRAME_CSUM_VALID) && meta->length <= mtu + FRAME_ETHERNET)
        return true;
    return switch_takes_special(target, meta);
}

/* Append a frame to the target's batch. It and its bytes stay until the batches are sent. */
static inline void switch_append(struct switch_thread *thread, struct vswitch_port *target,
                                 const struct frame *frame)
{
    struct switch_batch *batch = &thread->batch[target->slot];

    if (!batch->touched) {
        batch->touched = true;
        thread->touched[thread->touched_count++] = target;
    }
    batch->frame[batch->count++] = frame;
    thread->sent++;
    if (batch->count == PORT_BURST)
        switch_transmit(thread, target);
}

#endif
