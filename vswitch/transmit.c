/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the switch to a target port: batches, the target's lock, rate limit out, and what the core
 * does in software for a port that lacks a capability.
 *
 * What has to be made (segments, frames with another header) lies in the thread's arena until the
 * batches are sent; an arena that is full sends them early.
 */
#include "vswitch/switch_priv.h"

#include <errno.h>

#include "vswitch/segment.h"

#define MISSES 16u /* frames without room, after which the port is taken to be full */

/* Take out of the batch what the rate limit does not let pass. Under the target's lock. */
static void police(const struct switch_thread *thread, struct vswitch_port *target,
                   struct switch_batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        if (rate_pass(&target->rate_out, batch->frame[i]->meta.length, thread->now_ns))
            batch->frame[kept++] = batch->frame[i];
    }
    if (kept < batch->count)
        drop_out(target, DROP_RATE_OUT, batch->count - kept);
    batch->count = kept;
}

/* Hand a batch over. What the port has no room for is dropped, but not what comes behind it: one of
 * its queues may be full, or a large segment not fit. Under the target's lock. */
static void hand_over(struct vswitch_port *target, const struct switch_batch *batch)
{
    struct port *port = target->port;
    unsigned next = 0, missed = 0;
    uint64_t bytes = 0;

    while (next < batch->count && missed < MISSES) {
        unsigned taken = port->class->transmit(port, batch->frame + next, batch->count - next);
        for (unsigned i = 0; i < taken; i++)
            bytes += batch->frame[next + i]->meta.length;
        next += taken;
        if (next < batch->count) {
            next++;
            missed++;
        }
    }
    missed += batch->count - next;
    stat_add(&target->out.frames_out, batch->count - missed);
    stat_add(&target->out.bytes_out, bytes);
    if (!missed)
        return;
    drop_out(target, DROP_NO_ROOM, missed);
    if (port->class->missed)
        port->class->missed(port, missed);
}

void switch_transmit(struct switch_thread *thread, struct vswitch_port *target)
{
    struct switch_batch *batch = &thread->batch[target->slot];

    pthread_mutex_lock(&target->tx);
    if (target->rate_out.unit)
        police(thread, target, batch);
    if (!atomic_load_explicit(&target->failed, memory_order_relaxed))
        hand_over(target, batch);
    else
        drop_out(target, DROP_NO_ROOM, batch->count);
    pthread_mutex_unlock(&target->tx);

    batch->count = 0;
    if (!batch->dirty) {
        batch->dirty = true;
        thread->dirty[thread->dirty_count++] = target;
    }
}

void switch_transmit_all(struct switch_thread *thread)
{
    for (unsigned i = 0; i < thread->touched_count; i++) {
        struct vswitch_port *target = thread->touched[i];
        struct switch_batch *batch = &thread->batch[target->slot];
        batch->touched = false;
        if (batch->count)
            switch_transmit(thread, target);
    }
    thread->touched_count = 0;
    thread->arena_used = 0;
}

void switch_flush(struct switch_thread *thread)
{
    for (unsigned i = 0; i < thread->dirty_count; i++) {
        struct vswitch_port *target = thread->dirty[i];
        thread->batch[target->slot].dirty = false;
        if (!target->port->class->flush)
            continue;
        pthread_mutex_lock(&target->tx);
        if (!atomic_load_explicit(&target->failed, memory_order_relaxed))
            target->port->class->flush(target->port);
        pthread_mutex_unlock(&target->tx);
    }
    thread->dirty_count = 0;
    thread->since_flush = 0;
}

/* Room for `size` bytes until the batches are sent, which may be now. */
static void *reserve(struct switch_thread *thread, size_t size)
{
    if (SWITCH_ARENA - thread->arena_used < size)
        switch_transmit_all(thread);
    return thread->arena + thread->arena_used;
}

static void commit(struct switch_thread *thread, size_t size)
{
    thread->arena_used += (size + 15) & ~(size_t)15;
}

static uint32_t port_caps(const struct vswitch_port *core)
{
    return __atomic_load_n(&core->port->caps, __ATOMIC_RELAXED);
}

static uint32_t port_mtu(const struct vswitch_port *core)
{
    return __atomic_load_n(&core->port->mtu, __ATOMIC_RELAXED);
}

bool switch_takes_special(const struct vswitch_port *target, const struct frame_meta *meta)
{
    return !segment_needed(meta, port_caps(target), port_mtu(target));
}

/* Give out what the segmenter makes, frame by frame. */
static void send_segments(struct switch_thread *thread, struct vswitch_port *target,
                          struct segmenter *segmenter, uint32_t size)
{
    for (;;) {
        struct frame *made = reserve(thread, sizeof(*made) + size);
        uint8_t *bytes = (uint8_t *)(made + 1);
        int length = segment_next(segmenter, bytes, size, &made->meta);
        if (length == -ENOBUFS && size < SEGMENT_BUFFER) {
            size = SEGMENT_BUFFER;
            continue;
        }
        if (length <= 0)
            return;
        made->data[0] = (struct iovec){bytes, (size_t)length};
        made->data[1] = (struct iovec){NULL, 0};
        commit(thread, sizeof(*made) + (size_t)length);
        switch_append(thread, target, made);
    }
}

static void send_cut(struct switch_thread *thread, struct vswitch_port *target,
                     const struct frame *frame)
{
    const struct frame_meta *meta = &frame->meta;
    struct segmenter segmenter;
    int error = -EMSGSIZE;

    if (!meta->gso || meta->length / meta->gso_size <= LIMIT_SEGMENTS)
        error = segment_begin(&segmenter, frame, port_caps(target), port_mtu(target));
    if (error)
        drop_out(target, error == -EMSGSIZE ? DROP_OVERSIZE : DROP_MALFORMED, 1);
    else
        send_segments(thread, target, &segmenter, port_mtu(target) + FRAME_ETHERNET + 4);
}

void switch_send(struct switch_thread *thread, struct vswitch_port *target,
                 const struct frame *frame, bool stays)
{
    if (!switch_takes(target, &frame->meta)) {
        send_cut(thread, target, frame);
        return;
    }
    if (!stays) {
        struct frame *copy = reserve(thread, sizeof(*copy));
        *copy = *frame;
        commit(thread, sizeof(*copy));
        frame = copy;
    }
    switch_append(thread, target, frame);
}
