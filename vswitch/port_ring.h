/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port ring: how frames cross between a worker's NIC and the switch.
 *
 * One memfd per NIC, made by vmbusd, sealed against shrinking, growing and further seals, and
 * mapped by both. It holds a header and `queues` pairs of one-way queues: 0 = from the worker to
 * the switch, 1 = from the switch to the worker. A queue is a ring of `cells` cells of 2 KiB, an
 * array of one 32-byte descriptor per cell, and two index lines. A frame takes as many neighbouring
 * cells as it needs and the descriptor of the first; the cells being neighbours, its bytes are one
 * range, or two where the ring wraps. The producer owns the cells from its index on, the consumer
 * those before it: nothing else is shared, and nobody locks.
 *
 * Neither side believes the other: each keeps its geometry and its own index in private memory,
 * reads the peer's index once per use and checks it, and copies a descriptor before it looks at it.
 * A peer that lies ends the ring with -EPROTO, and that costs its own port only. A consumer that
 * reads nothing makes the producer's -EAGAIN, which is a drop for a switch and back-pressure for a
 * guest. Frame bytes may change under the reader: whoever decides on them copies them first.
 *
 * Doorbells are eventfds, one per queue and direction of waking: a consumer that is about to sleep
 * arms, a producer that commits rings only then; a producer that waits for room arms the same way.
 * That they do not block is a property of the eventfd and so of both sides: the worker's sandbox
 * keeps a worker from changing it.
 *
 * Version 1. A side that finds a newer version in the header refuses; a newer program keeps reading
 * the version before its own, because workers outlive the daemon that made them.
 *
 * Left out: descriptors that point elsewhere (zero copy between guests would let them share
 * memory).
 */
#ifndef VMBUSD_VSWITCH_PORT_RING_H
#define VMBUSD_VSWITCH_PORT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "src/common/limits.h"
#include "vswitch/frame.h"

#define PORT_RING_VERSION 1u
#define PORT_RING_CELL    2048u

/* What one NIC's rings look like. */
struct port_ring_geometry {
    uint32_t queues; /* pairs, 1 to LIMIT_PORT_QUEUES */
    uint32_t cells;  /* per queue, a power of two, LIMIT_PORT_CELLS_MIN to LIMIT_PORT_CELLS_MAX */
};

/* The descriptors that make up a port ring, in the order in which they are sent to a worker: the
 * memfd, then per queue pair four eventfds. */
struct port_ring_fds {
    int memory;
    struct {
        int to_switch_data; /* the worker rings: frames for the switch */
        int to_switch_room; /* the switch rings: room for the worker's frames */
        int to_worker_data; /* the switch rings: frames for the worker */
        int to_worker_room; /* the worker rings: room for the switch's frames */
    } queue[LIMIT_PORT_QUEUES];
};

enum port_ring_side { PORT_RING_SWITCH, PORT_RING_WORKER };

struct port_ring_lines;      /* a queue's indices and flags in shared memory */
struct port_ring_descriptor; /* in shared memory */

/* One end of one queue. Private to port_ring.c; owned by one lane (a producer that several threads
 * share is locked by its user). */
struct port_queue {
    struct port_ring_lines *lines;
    struct port_ring_descriptor *descriptor;
    uint8_t *cell;
    uint32_t cells;
    uint32_t index;     /* ours, running free: cells produced or consumed so far */
    uint32_t published; /* as the peer may see it */
    uint32_t peer;      /* the peer's, as last read and checked */
    uint32_t missed;    /* consumer: as it has been told */
    int data;           /* doorbell: frames */
    int room;           /* doorbell: room */
    bool broken;        /* the peer lied: every further call gives -EPROTO, or nothing */
};

/* One side's mapping. */
struct port_ring {
    struct port_ring_geometry geometry;
    void *map;
    size_t size;
    struct port_queue in[LIMIT_PORT_QUEUES];  /* this side consumes */
    struct port_queue out[LIMIT_PORT_QUEUES]; /* this side produces */
};

/* Make the memfd and its eventfds (close-on-exec; eventfds non-blocking). 0; -EINVAL for a geometry
 * beyond the limits; -errno. */
int port_ring_create(const struct port_ring_geometry *geometry, struct port_ring_fds *ret_fds);

/* Map one side. The descriptors are borrowed and must outlive the mapping. The geometry is read
 * from the header once and checked; `ret_ring` needs no initialisation. Goes on from the indices
 * found, after checking them, so that either side may come back (a frame that was pulled and not
 * released is then seen twice), and rings the peer once. 0; -EBADF not a sealed memfd of
 * the right size; -EPROTO bad header or indices; -EPROTONOSUPPORT a newer version; -errno. */
int port_ring_map(struct port_ring *ret_ring, const struct port_ring_fds *fds,
                  enum port_ring_side side);

/* Unmap. A zeroed or already unmapped ring is fine. */
void port_ring_unmap(struct port_ring *ring);

/* Close all descriptors of `queues` pairs, and set them to -1. */
void port_ring_close(struct port_ring_fds *fds, uint32_t queues);

/* Take what has been rung on a doorbell, so that it can be waited for again. */
void port_ring_hear(int doorbell);

/* --- Producer ----------------------------------------------------------------------------------
 */

/* Room for a frame of `length` bytes: one or two ranges, written by the caller, in `ret_data` (the
 * second is empty unless the ring wraps). The number of ranges; -EAGAIN no room now; -EMSGSIZE no
 * frame's length; -EPROTO. Asking again before port_queue_push() gives the same cells. */
int port_queue_room(struct port_queue *queue, uint32_t length, struct iovec ret_data[2]);

/* Append the frame whose bytes lie in the ranges of port_queue_room(); meta->length is that length.
 */
void port_queue_push(struct port_queue *queue, const struct frame_meta *meta);

/* Publish what was pushed. True if the consumer sleeps: port_queue_ring_data() then. */
bool port_queue_commit(struct port_queue *queue);
void port_queue_ring_data(struct port_queue *queue);

/* Ask for a doorbell when half of the ring, and room for the largest frame, is free. True if it is
 * already (or the ring is broken): do not wait. After port_queue_commit(), or the consumer has
 * nothing to make room of. */
bool port_queue_await_room(struct port_queue *queue);

/* Ask for a doorbell when the consumer next gives cells back and half of the ring is free. True if
 * it has given back everything (or the ring is broken): there will be none. After
 * port_queue_commit(). */
bool port_queue_await_release(struct port_queue *queue);

/* Tell the consumer that `count` frames were dropped for want of room. */
void port_queue_missed(struct port_queue *queue, uint32_t count);

/* --- Consumer ----------------------------------------------------------------------------------
 */

/* Frames that the producer says it has dropped since the last call, or the mapping. A peer of an
 * older version, which says nothing: 0. */
uint32_t port_queue_take_missed(struct port_queue *queue);

/* The next frame, its metadata copied and checked (see frame_meta_check()), its bytes in one or two
 * ranges that stay valid until port_queue_release(). Number of ranges; 0 none; -EPROTO. Each call
 * goes one frame further. */
int port_queue_pull(struct port_queue *queue, struct frame_meta *ret_meta,
                    struct iovec ret_data[2]);

/* Give the cells of everything pulled back. True if the producer waits for room:
 * port_queue_ring_room() then. */
bool port_queue_release(struct port_queue *queue);
void port_queue_ring_room(struct port_queue *queue);

/* About to sleep, everything released: ask for the data doorbell. True if there are frames already
 * (or the ring is broken): go on, and disarm. */
bool port_queue_arm(struct port_queue *queue);
void port_queue_disarm(struct port_queue *queue);

/* Cells in use, from either side: for reports, the peer can make it anything up to the ring's size.
 */
uint32_t port_queue_used(struct port_queue *queue);

#endif
