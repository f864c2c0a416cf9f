/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel on its own lane: from the guest's signal to the device's packets and back.
 *
 * The guest's signals arrive on the channel's eventfd. A burst then reads packets, masked, until
 * the ring is empty or the burst is long enough for other channels of the lane to have a turn;
 * indices are published and the guest is signalled once per burst. What a device sends at other
 * times is published by a task of the same lane, which the first send of a turn posts (not by a
 * turn-end hook: a device's own hook may come after it, and the lane would go to sleep on what that
 * one sent).
 *
 * A guest that breaks a ring's or a device's format loses the channel: the device is closed, the
 * guest finds the channel dead until it closes and opens it again.
 */
#include "vmbus/vsp.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

#define BURST_PACKETS 256u

/* How often to look for room in the host->guest ring while something waits for it: for guests that
 * say when there is room, a safety net; for others (all below 2.4, Linux before 3.11, some
 * FreeBSDs) the only way to learn of it. */
#define ROOM_POLL_NS      2000000ull
#define ROOM_POLL_SLOW_NS 50000000ull

/* Counters have one writer; the bus's lane only reads. */
static void count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* --- Signals to the guest */

static void signal_guest(struct vmbus_channel *channel)
{
    struct vmbus_bus *bus = channel->bus;
    uint32_t vp = atomic_load(&channel->target_vp);
    uint16_t flag = (uint16_t)channel->relid;

    if (channel->version < VMBUS_V2_4) {
        /* The bit says which channel; flag 0 of VP 0 says that there is a bit. */
        gmem_or64(bus->gmem, channel->interrupt_page + flag / 64 * 8, 1ull << flag % 64);
        vp = flag = 0;
    }
    if (vp == VMBUS_VP_NONE)
        return;
    bus->transport->signal(bus->context, vp, flag);
    count(&channel->interrupts_out, 1);
}

/* Make what was written visible. True if the guest must be signalled. */
static bool commit(struct vmbus_channel *channel)
{
    bool any = channel->unpublished;

    channel->unpublished = false;
    channel->spoken |= any;
    return any && ring_write_commit(&channel->out);
}

static void publish(struct vmbus_channel *channel)
{
    if (commit(channel))
        signal_guest(channel);
}

static void on_flush(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, flush);

    if (channel->life == LIFE_LIVE)
        publish(channel);
}

static void written(struct vmbus_channel *channel)
{
    count(&channel->packets_out, 1);
    if (!channel->unpublished && !channel->bursting)
        lane_post(channel->lane, &channel->flush);
    channel->unpublished = true;
}

/* --- Closing */

/* Nothing of ours is queued on this lane behind this task, so the bus may give the channel away. */
static void on_drained(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, drained);

    lane_post(channel->bus->lane, channel->open_error ? &channel->opened : &channel->closed);
}

static void hand_back(struct vmbus_channel *channel)
{
    channel->life = LIFE_IDLE;
    lane_post(channel->lane, &channel->drained);
}

/* Nothing calls us any more. */
static void disarm(struct vmbus_channel *channel)
{
    channel->held = channel->quiet = channel->want_reserve = channel->want_write = false;
    lane_unwatch(channel->lane, &channel->source);
    lane_timer_cancel(channel->lane, &channel->room);
}

static void stop(struct vmbus_channel *channel)
{
    channel->life = LIFE_STOPPING;
    disarm(channel);
    channel->vsp->class->close(channel->vsp, channel);
}

void vmbus_channel_closed(struct vmbus_channel *channel)
{
    if (channel->life != LIFE_STOPPING)
        return;
    if (channel->close_asked)
        hand_back(channel);
    else
        channel->life = LIFE_DEAD;
}

static void on_close(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, close);

    channel->close_asked = true;
    if (channel->life == LIFE_LIVE)
        stop(channel);
    else if (channel->life == LIFE_DEAD)
        hand_back(channel);
}

/* The guest broke something: close the device as soon as it is not in a call of its own. */
static void break_channel(struct vmbus_channel *channel, int error)
{
    if (channel->broken)
        return;
    channel->broken = -error;
    lane_post(channel->lane, &channel->fault);
}

static void on_fault(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, fault);

    if (channel->life != LIFE_LIVE || !channel->broken)
        return;
    count(&channel->faults, 1);
    log_guest(&channel->bus->log_limit,
              "%s, channel %u: closed, the guest broke the protocol (error %d)",
              channel->vsp->class->name, channel->relid, channel->broken);
    stop(channel);
}

/* --- Room in the host->guest ring */

static bool guest_tells_room(const struct vmbus_channel *channel)
{
    uint32_t features = 0;

    return channel->version >= VMBUS_V2_4 &&
           gmem_read(channel->bus->gmem, channel->in_features, &features, sizeof(features)) &&
           features & 1;
}

static void await_room(struct vmbus_channel *channel)
{
    if (!channel->room.deadline)
        lane_timer_arm(channel->lane, &channel->room,
                       guest_tells_room(channel) ? ROOM_POLL_SLOW_NS : ROOM_POLL_NS);
}

/* There may be room: let those who wait for it try again. */
static void try_again(struct vmbus_channel *channel)
{
    bool reserve = channel->want_reserve, write = channel->want_write;

    if (channel->life != LIFE_LIVE)
        return;
    channel->want_reserve = channel->want_write = false;
    if (write && channel->vsp->class->writable)
        channel->vsp->class->writable(channel->vsp, channel);
    if (reserve)
        lane_post(channel->lane, &channel->more);
}

static void on_room_timer(struct lane_timer *timer)
{
    try_again(container_of(timer, struct vmbus_channel, room));
}

/* --- Reading */

/* Hand packets over. 1: more is there; 0: the ring is empty; -EAGAIN: the device holds the last one
 * off; else the guest broke the format. */
static int hand_over(struct vmbus_channel *channel)
{
    for (unsigned left = BURST_PACKETS; left && !channel->broken; left--) {
        if (!channel->held) {
            int got = ring_read(&channel->in, &channel->packet);
            if (got <= 0)
                return got;
            count(&channel->packets_in, 1);
            if (channel->packet.type == VMBUS_PACKET_CANCEL)
                continue; /* of something that we have not kept */
        }
        int error = channel->vsp->class->packet(channel->vsp, channel, &channel->packet);
        channel->held = error == -EAGAIN;
        if (error)
            return error;
    }
    return 1;
}

/* The ring is empty: listen to signals again. True if something has come meanwhile. */
static bool listen_again(struct vmbus_channel *channel)
{
    const struct vsp_class *class = channel->vsp->class;

    channel->quiet = class->expects_more && class->expects_more(channel->vsp, channel);
    return !channel->quiet && ring_unmask(&channel->in);
}

static void burst(struct vmbus_channel *channel)
{
    if (channel->life != LIFE_LIVE || channel->broken)
        return;
    channel->bursting = true;
    ring_mask(&channel->in);
    int result = hand_over(channel);
    if (channel->vsp->class->burst_end)
        channel->vsp->class->burst_end(channel->vsp, channel);
    channel->bursting = false;

    bool waits_for_room = ring_read_commit(&channel->in);
    if (commit(channel) || waits_for_room)
        signal_guest(channel);
    if (result < 0 && result != -EAGAIN)
        break_channel(channel, result);
    else if (result == 1 || (result == 0 && listen_again(channel)))
        lane_post(channel->lane, &channel->more);
}

static void on_more(struct lane_task *task)
{
    burst(container_of(task, struct vmbus_channel, more));
}

/* A signal says that there are packets, or room, or both. */
static void on_signal(struct lane_source *source, uint32_t events)
{
    struct vmbus_channel *channel = container_of(source, struct vmbus_channel, source);
    uint64_t signals;

    (void)events;
    if (read(source->fd, &signals, sizeof(signals)) == (ssize_t)sizeof(signals))
        count(&channel->interrupts_in, signals);
    try_again(channel);
    if (!channel->held)
        burst(channel);
}

/* --- From the bus's lane */

static int open_device(struct vmbus_channel *channel)
{
    const struct vsp_class *class = channel->vsp->class;
    int error = lane_watch(channel->lane, &channel->source, EPOLLIN);

    if (!error && class->open)
        error = class->open(channel->vsp, channel, channel->request.user_data);
    return error;
}

static void on_open(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, open);

    channel->life = LIFE_LIVE;
    channel->close_asked = channel->unpublished = channel->spoken = false;
    channel->broken = 0;
    channel->private_data = NULL;
    channel->open_error = open_device(channel);
    if (channel->open_error) {
        disarm(channel);
        hand_back(channel);
    } else {
        lane_post(channel->bus->lane, &channel->opened);
    }
}

/* OPEN_RESULT is out. What was said before it has gone unheard (Linux's netvsc does not look at its
 * ring before), and the guest may have put packets into its own ring before it could signal. */
static void on_kick(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, kick);

    if (channel->life != LIFE_LIVE)
        return;
    if (channel->spoken)
        signal_guest(channel);
    if (!channel->held)
        burst(channel);
}

static void on_modify(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, modify);

    atomic_store(&channel->target_vp, channel->modify_vp);
    lane_post(channel->bus->lane, &channel->modified);
}

static void on_made(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, subchannels.made);

    if (channel->life == LIFE_LIVE)
        channel->vsp->class->subchannels(channel->vsp, channel, channel->subchannels.count);
}

void channel_init(struct vmbus_channel *channel)
{
    channel->subchannels.made.run = on_made;
    channel->open.run = on_open;
    channel->close.run = on_close;
    channel->kick.run = on_kick;
    channel->modify.run = on_modify;
    channel->more.run = on_more;
    channel->flush.run = on_flush;
    channel->fault.run = on_fault;
    channel->drained.run = on_drained;
    channel->source.fd = channel->eventfd;
    channel->source.ready = on_signal;
    channel->room.fire = on_room_timer;
}

/* --- What devices call */

/* A ring operation of the device's failed with `error`: what it is to be told. */
static int tell(struct vmbus_channel *channel, int error, bool *want)
{
    if (error == -EAGAIN) {
        *want = true;
        await_room(channel);
        return error;
    }
    if (error == -EPROTO) {
        break_channel(channel, error);
        return -ECONNRESET;
    }
    return error;
}

/* `extension` is what follows the descriptor. */
static int send_packet(struct vmbus_channel *channel, uint16_t type, uint16_t flags,
                       uint64_t transaction_id, const void *extension, uint32_t extension_len,
                       const struct iovec *iov, unsigned iovs)
{
    if (channel->life != LIFE_LIVE || channel->broken)
        return -ECONNRESET;
    int error = ring_write(&channel->out, type, flags, transaction_id, extension, extension_len,
                           iov, iovs, false);
    if (error)
        return tell(channel, error, &channel->want_write);
    written(channel);
    return 0;
}

int vmbus_channel_send(struct vmbus_channel *channel, uint16_t type, uint16_t flags,
                       uint64_t transaction_id, const struct iovec *iov, unsigned iovs)
{
    return send_packet(channel, type, flags, transaction_id, NULL, 0, iov, iovs);
}

int vmbus_channel_send_pages(struct vmbus_channel *channel, uint64_t transaction_id,
                             uint16_t pageset, const struct vmbus_page_range *ranges,
                             unsigned count, const struct iovec *iov, unsigned iovs)
{
    struct {
        uint16_t pageset;
        uint16_t sender_owns;
        uint32_t count;
        struct vmbus_page_range range[VMBUS_PAGE_RANGES_MAX];
    } extension = {.pageset = pageset, .count = count};

    if (count > VMBUS_PAGE_RANGES_MAX)
        return -EINVAL;
    memcpy(extension.range, ranges, count * sizeof(*ranges));
    return send_packet(channel, VMBUS_PACKET_TRANSFER_PAGES, VMBUS_PACKET_COMPLETION_REQUESTED,
                       transaction_id, &extension, 8 + count * (uint32_t)sizeof(*ranges), iov,
                       iovs);
}

int vmbus_channel_reserve(struct vmbus_channel *channel, uint32_t payload)
{
    if (channel->life != LIFE_LIVE || channel->broken)
        return -ECONNRESET;
    int error = ring_reserve(&channel->out, ring_packet_size(0, payload));
    return error ? tell(channel, error, &channel->want_reserve) : 0;
}

void vmbus_channel_unreserve(struct vmbus_channel *channel, uint32_t payload)
{
    if (channel->life != LIFE_LIVE)
        return;
    ring_unreserve(&channel->out, ring_packet_size(0, payload));
    /* The guest does not know that there is room now: whoever waits for it looks at once. */
    if (channel->want_reserve || channel->want_write)
        lane_timer_arm(channel->lane, &channel->room, 0);
}

void vmbus_channel_complete(struct vmbus_channel *channel, uint64_t transaction_id,
                            const void *payload, uint32_t len)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)payload, .iov_len = len};

    if (channel->life != LIFE_LIVE || channel->broken)
        return;
    int error = ring_write(&channel->out, VMBUS_PACKET_COMPLETION, 0, transaction_id, NULL, 0, &iov,
                           1, true);
    if (error)
        break_channel(channel, error);
    else
        written(channel);
}

void vmbus_channel_resume(struct vmbus_channel *channel)
{
    /* Also from inside `packet`, before it has said that it refuses. */
    if (channel->life == LIFE_LIVE && (channel->held || channel->quiet || channel->bursting))
        lane_post(channel->lane, &channel->more);
}

void vmbus_channel_flush(struct vmbus_channel *channel)
{
    if (channel->life == LIFE_LIVE)
        publish(channel);
}

struct gmem *vmbus_channel_gmem(const struct vmbus_channel *channel)
{
    return channel->bus->gmem;
}

struct lane *vmbus_channel_lane(const struct vmbus_channel *channel)
{
    return channel->lane;
}

uint32_t vmbus_channel_relid(const struct vmbus_channel *channel)
{
    return channel->relid;
}

uint32_t vmbus_channel_version(const struct vmbus_channel *channel)
{
    return channel->version;
}

uint16_t vmbus_channel_index(const struct vmbus_channel *channel)
{
    return channel->index;
}

void vmbus_channel_set_private(struct vmbus_channel *channel, void *private_data)
{
    channel->private_data = private_data;
}

void *vmbus_channel_private(const struct vmbus_channel *channel)
{
    return channel->private_data;
}
