/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter's port: attached and detached from the main lane, its queues shared out to lanes.
 *
 * A port that takes the place of another (vmbusd has come back) is no news for the guest; and a
 * switch that takes nothing for a while has gone away, which is a silent wire and not a full one:
 * a guest that waits for its frames to go out cannot even take its interface down.
 *
 * A channel sends into the queue of its own number. The other way, queue n belongs to channel n
 * while that is open, and else to the primary, because the switch spreads flows over all of them. A
 * queue goes from lane to lane by tasks: the channel that opens asks (`take`), the primary lets go
 * and says so (`given`); the channel that closes lets go and says so (`back`). In between the queue
 * has no owner, and nobody looks at it.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"

/* --- Doorbells */

static void on_data(struct lane_source *source, uint32_t events)
{
    struct net_queue *queue = container_of(source, struct net_queue, data);
    struct net_channel *owner = atomic_load(&queue->owner);

    (void)events;
    port_ring_hear(source->fd);
    if (owner && !owner->stalled)
        net_rx_pump(owner);
}

static void on_out_room(struct lane_source *source, uint32_t events)
{
    struct net_channel *chan = container_of(source, struct net_channel, out_room);

    (void)events;
    port_ring_hear(source->fd);
    if ((chan->tx.waiting || chan->tx.quiet) && chan->channel)
        vmbus_channel_resume(chan->channel);
}

/* --- Who has a queue */

static void own(struct net_channel *chan, struct net_queue *queue)
{
    atomic_store(&queue->owner, chan);
    queue->data.fd = chan->netvsp->fds.queue[queue - chan->netvsp->queue].to_worker_data;
    queue->data.ready = on_data;
    if (lane_watch(chan->lane, &queue->data, EPOLLIN))
        log_error("netvsp: a queue of the port cannot be watched");
    lane_post(chan->lane, &chan->pump);
}

static void disown(struct net_channel *chan, struct net_queue *queue)
{
    lane_unwatch(chan->lane, &queue->data);
    if (queue->pending)
        net_count(&chan->count.dropped_in, 1);
    net_rx_drop(queue);
    if (!queue->broken && port_queue_release(queue->in))
        port_queue_ring_room(queue->in);
    atomic_store(&queue->owner, NULL);
}

/* Primary's lane. */
static void on_take(struct lane_task *task)
{
    struct net_queue *queue = container_of(task, struct net_queue, take);
    struct net_channel *home = queue->home, *primary = &home->netvsp->channel[0];

    if (!atomic_load(&home->netvsp->attached) || atomic_load(&queue->owner) != primary)
        return;
    disown(primary, queue);
    lane_post(home->lane, &queue->given);
}

/* Home's lane. */
static void on_given(struct lane_task *task)
{
    struct net_queue *queue = container_of(task, struct net_queue, given);
    struct netvsp *netvsp = queue->home->netvsp;

    if (!atomic_load(&netvsp->attached))
        return;
    if (queue->home->channel)
        own(queue->home, queue);
    else
        lane_post(netvsp->lane[0], &queue->back);
}

/* Primary's lane. */
static void on_back(struct lane_task *task)
{
    struct net_queue *queue = container_of(task, struct net_queue, back);
    struct netvsp *netvsp = queue->home->netvsp;

    if (atomic_load(&netvsp->attached))
        own(&netvsp->channel[0], queue);
}

/* Nobody has taken a frame for so long that the wire counts as silent: what waits is dropped. */
static void on_silence(struct lane_timer *timer)
{
    struct net_channel *chan = container_of(timer, struct net_channel, silence);

    if (!chan->channel || (!chan->tx.waiting && !chan->tx.quiet))
        return;
    chan->tx.silent = chan->tx.waiting;
    chan->moved = 0;
    vmbus_channel_resume(chan->channel);
}

static void on_pump(struct lane_task *task)
{
    net_rx_pump(container_of(task, struct net_channel, pump));
}

void net_port_init(struct netvsp *netvsp)
{
    for (unsigned i = 0; i < netvsp->channels; i++) {
        netvsp->channel[i].pump.run = on_pump;
        netvsp->channel[i].silence.fire = on_silence;
        netvsp->channel[i].out_room.ready = on_out_room;
    }
    for (unsigned i = 0; i < LIMIT_PORT_QUEUES; i++) {
        struct net_queue *queue = &netvsp->queue[i];
        queue->home = &netvsp->channel[i < netvsp->channels ? i : 0];
        queue->take.run = on_take;
        queue->given.run = on_given;
        queue->back.run = on_back;
    }
}

void net_port_opened(struct net_channel *chan)
{
    if (chan->index && atomic_load(&chan->netvsp->attached))
        lane_post(chan->netvsp->lane[0], &chan->netvsp->queue[chan->index].take);
}

void net_port_closed(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    struct net_queue *queue = &netvsp->queue[chan->index];

    chan->stalled = false;
    lane_timer_cancel(chan->lane, &chan->silence);
    if (!chan->index) {
        /* What is pulled was for the guest that goes. */
        for (unsigned i = 0; i < netvsp->queues; i++)
            if (atomic_load(&netvsp->queue[i].owner) == chan)
                net_rx_drop(&netvsp->queue[i]);
        lane_post(chan->lane, &chan->pump);
    } else if (atomic_load(&queue->owner) == chan) {
        disown(chan, queue);
        lane_post(netvsp->lane[0], &queue->back);
    }
}

/* --- Attaching */

/* On the channel's lane. */
static void attach_lane(void *context)
{
    struct net_channel *chan = context;
    struct netvsp *netvsp = chan->netvsp;

    chan->out = &netvsp->ring.out[chan->index];
    chan->tx.silent = false;
    chan->out_room.fd = netvsp->fds.queue[chan->index].to_switch_room;
    if (lane_watch(chan->lane, &chan->out_room, EPOLLIN))
        log_error("netvsp: a queue of the port cannot be watched");
    if (!chan->index) {
        for (unsigned i = 0; i < netvsp->queues; i++)
            own(chan, &netvsp->queue[i]);
    } else if (chan->channel) {
        net_port_opened(chan);
    }
}

static void detach_lane(void *context)
{
    struct net_channel *chan = context;
    struct netvsp *netvsp = chan->netvsp;

    net_tx_commit(chan);
    lane_timer_cancel(chan->lane, &chan->silence);
    lane_unwatch(chan->lane, &chan->out_room);
    for (unsigned i = 0; i < netvsp->queues; i++)
        if (atomic_load(&netvsp->queue[i].owner) == chan)
            disown(chan, &netvsp->queue[i]);
    chan->out = NULL;
    chan->stalled = false;
    if ((chan->tx.waiting || chan->tx.quiet) && chan->channel)
        vmbus_channel_resume(chan->channel);
}

static void link_lane(void *context)
{
    net_link_changed(context);
}

static void plug(struct netvsp *netvsp, bool in)
{
    if (atomic_exchange(&netvsp->plugged, in) != in)
        lane_call(netvsp->lane[0], link_lane, netvsp);
}

/* Take the port off every lane, whatever the guest is told of it. */
static void let_go(struct netvsp *netvsp)
{
    if (!atomic_exchange(&netvsp->attached, false))
        return;
    /* Twice: what was on its way between two lanes has arrived then, and was ignored. */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = netvsp->channels; i-- > 0;)
            lane_call(netvsp->lane[i], detach_lane, &netvsp->channel[i]);
    port_ring_unmap(&netvsp->ring);
    port_ring_close(&netvsp->fds, netvsp->queues);
    netvsp->queues = 0;
}

int netvsp_attach(struct netvsp *netvsp, const struct port_ring_fds *fds, unsigned queues)
{
    struct port_ring ring;

    if (queues < netvsp->channels || queues > LIMIT_PORT_QUEUES)
        return -EINVAL;
    int error = port_ring_map(&ring, fds, PORT_RING_WORKER);
    if (error)
        return error;
    if (ring.geometry.queues != queues) {
        port_ring_unmap(&ring);
        return -EINVAL;
    }
    let_go(netvsp);
    netvsp->ring = ring;
    netvsp->fds = *fds;
    netvsp->queues = queues;
    for (unsigned i = 0; i < queues; i++) {
        netvsp->queue[i].in = &netvsp->ring.in[i];
        netvsp->queue[i].broken = false;
        net_rx_drop(&netvsp->queue[i]);
    }
    atomic_store(&netvsp->attached, true);
    for (unsigned i = 0; i < netvsp->channels; i++)
        lane_call(netvsp->lane[i], attach_lane, &netvsp->channel[i]);
    plug(netvsp, true);
    return 0;
}

void netvsp_detach(struct netvsp *netvsp)
{
    let_go(netvsp);
    plug(netvsp, false);
}
