/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct port_class over the switch's side of a port ring.
 *
 * Receiving goes round the queue pairs, a few frames from each, so that a guest's busy flow does
 * not hold up its others. Sending picks the queue by the flow's hash, so that flows stay in order.
 * What a worker does wrong in its ring ends the port; found while sending, which may happen on any
 * switch thread, it is told on the port's own lane, woken by the port's own doorbell.
 */
#include "vswitch/port_guest.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"

#define GUEST_SHARE 8u  /* frames from one queue before the next one's turn */
#define GUEST_BULK  64u /* frames since the doorbells rang that make it worth while to linger */
#define LINGER_NS   20000u

/* The doorbell of one incoming queue. */
struct guest_bell {
    struct lane_source source;
    struct port_guest *guest;
};

struct port_guest {
    struct port port;
    struct port_ring ring; /* `out` is under the port's transmit lock */
    struct guest_bell bell[LIMIT_PORT_QUEUES];
    uint32_t turn;       /* queue to begin the next `receive` with */
    bool armed;          /* the worker rings when it has frames */
    bool failed;         /* told to the core */
    uint32_t recent;     /* frames since the doorbells were armed */
    uint64_t idle_since; /* lane_now(), 0: frames came last time */
    atomic_bool broken_out;
};

static struct port_guest *guest_of(struct port *port)
{
    return container_of(port, struct port_guest, port);
}

static void guest_fail(struct port_guest *guest)
{
    if (guest->failed)
        return;
    guest->failed = true;
    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        lane_unwatch(guest->port.lane, &guest->bell[i].source);
    vswitch_port_failed(&guest->port, "what the worker wrote into its port ring is wrong");
}

static void bell_ready(struct lane_source *source, uint32_t events)
{
    struct guest_bell *bell = container_of(source, struct guest_bell, source);
    uint64_t count;

    (void)events;
    /* Only to reset it. What there is, the queues say. */
    if (read(source->fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        guest_fail(bell->guest);
    else
        vswitch_port_ready(&bell->guest->port);
}

static int guest_start(struct port *port)
{
    struct port_guest *guest = guest_of(port);

    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++) {
        int error = lane_watch(port->lane, &guest->bell[i].source, EPOLLIN);

        if (error) {
            while (i-- > 0)
                lane_unwatch(port->lane, &guest->bell[i].source);
            return error;
        }
    }
    vswitch_port_ready(port);
    return 0;
}

static void guest_stop(struct port *port)
{
    struct port_guest *guest = guest_of(port);

    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        lane_unwatch(port->lane, &guest->bell[i].source);
}

/* --- From the guest --------------------------------------------------------------------------- */

static void disarm(struct port_guest *guest)
{
    for (uint32_t i = 0; guest->armed && i < guest->ring.geometry.queues; i++)
        port_queue_disarm(&guest->ring.in[i]);
    guest->armed = false;
}

/* False if there are frames after all. */
static bool arm(struct port_guest *guest)
{
    bool any = false;

    guest->armed = true;
    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        any |= port_queue_arm(&guest->ring.in[i]);
    if (any)
        disarm(guest);
    return !any;
}

/* Up to `max` frames of one queue. */
static int pull(struct port_queue *queue, struct frame *frames, unsigned max)
{
    unsigned count = 0;

    while (count < max) {
        int got = port_queue_pull(queue, &frames[count].meta, frames[count].data);

        if (got < 0)
            return got;
        if (got == 0)
            break;
        count++;
    }
    return (int)count;
}

/* Go round the queues until there are `max` frames or none is left. The number, or -EPROTO. */
static int pull_round(struct port_guest *guest, struct frame *frames, unsigned max)
{
    uint32_t queues = guest->ring.geometry.queues;
    unsigned count = 0, empty = 0;

    while (count < max && empty < queues) {
        unsigned share = max - count < GUEST_SHARE ? max - count : GUEST_SHARE;
        int got = pull(&guest->ring.in[guest->turn], frames + count, share);

        if (got < 0)
            return got;
        count += (unsigned)got;
        empty = got ? 0 : empty + 1;
        guest->turn = (guest->turn + 1) % queues;
    }
    return (int)count;
}

/* A worker that sends in bulk is about to send again, and a doorbell costs it a system call: look
 * for a while before asking for one. */
static bool lingers(struct port_guest *guest)
{
    uint64_t now;

    if (guest->recent < GUEST_BULK)
        return false;
    now = lane_now();
    if (!guest->idle_since)
        guest->idle_since = now;
    return now - guest->idle_since < LINGER_NS;
}

static unsigned guest_receive(struct port *port, struct frame *frames, unsigned max)
{
    struct port_guest *guest = guest_of(port);
    int count;

    if (guest->failed)
        return 0;
    disarm(guest);
    do {
        count = pull_round(guest, frames, max);
        if (count < 0 || atomic_load_explicit(&guest->broken_out, memory_order_relaxed)) {
            guest_fail(guest);
            return 0;
        }
    } while (!count && !lingers(guest) && !arm(guest));
    if (count || guest->armed)
        guest->idle_since = 0;
    guest->recent = guest->armed ? 0 : guest->recent + (unsigned)count;
    if (!guest->armed)
        vswitch_port_ready(port);
    return (unsigned)count;
}

static void guest_done(struct port *port)
{
    struct port_guest *guest = guest_of(port);

    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        if (port_queue_release(&guest->ring.in[i]))
            port_queue_ring_room(&guest->ring.in[i]);
}

/* --- To the guest ----------------------------------------------------------------------------- */

/* Bytes of another guest may change while they are looked at: hash a copy. */
static uint32_t hash_of(const struct frame *frame)
{
    uint32_t length = frame->meta.length < FRAME_HASH_BYTES ? frame->meta.length : FRAME_HASH_BYTES;
    uint8_t bytes[FRAME_HASH_BYTES];

    if (frame->meta.hash)
        return frame->meta.hash;
    return frame_read(frame, 0, bytes, length) ? frame_hash(bytes, length) : 0;
}

/* Half of a queue is for what is meant for this guest alone: a storm of broadcasts with which it
 * does not keep up must not take its own frames' room. */
static bool crowded(struct port_guest *guest, struct port_queue *queue, const struct frame *frame)
{
    const struct iovec *first = &frame->data[0];

    return first->iov_len && *(const uint8_t *)first->iov_base & 1 &&
           port_queue_used(queue) >= guest->ring.geometry.cells / 2;
}

static int send_one(struct port_guest *guest, const struct frame *frame)
{
    uint32_t queues = guest->ring.geometry.queues;
    struct port_queue *queue = &guest->ring.out[queues > 1 ? hash_of(frame) % queues : 0];
    struct iovec data[2];
    int count = port_queue_room(queue, frame->meta.length, data);

    if (count < 0)
        return count;
    if (crowded(guest, queue, frame))
        return -EAGAIN;
    frame_copy(frame, data, (unsigned)count);
    port_queue_push(queue, &frame->meta);
    return 0;
}

static unsigned guest_transmit(struct port *port, const struct frame *const *frames, unsigned count)
{
    struct port_guest *guest = guest_of(port);

    for (unsigned i = 0; i < count; i++) {
        int error = send_one(guest, frames[i]);

        if (error == -EPROTO && !atomic_exchange(&guest->broken_out, true))
            port_queue_ring_data(&guest->ring.in[0]); /* ours to hear: see bell_ready() */
        if (error)
            return i;
    }
    return count;
}

/* Told in one queue for all of them. */
static void guest_missed(struct port *port, unsigned count)
{
    port_queue_missed(&guest_of(port)->ring.out[0], count);
}

static void guest_flush(struct port *port)
{
    struct port_guest *guest = guest_of(port);

    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        if (port_queue_commit(&guest->ring.out[i]))
            port_queue_ring_data(&guest->ring.out[i]);
}

/* --- Life ------------------------------------------------------------------------------------- */

static const struct port_class guest_class = {
    .name = "guest",
    .start = guest_start,
    .stop = guest_stop,
    .receive = guest_receive,
    .done = guest_done,
    .transmit = guest_transmit,
    .missed = guest_missed,
    .flush = guest_flush,
};

struct port_guest *port_guest_new(const struct port_ring_fds *fds, uint32_t mtu)
{
    struct port_guest *guest = calloc(1, sizeof(*guest));

    if (!guest)
        return NULL;
    int error = port_ring_map(&guest->ring, fds, PORT_RING_SWITCH);
    if (error) {
        free(guest);
        errno = -error;
        return NULL;
    }
    guest->port.class = &guest_class;
    guest->port.caps = PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN;
    guest->port.mtu = mtu;
    for (uint32_t i = 0; i < guest->ring.geometry.queues; i++)
        guest->bell[i] = (struct guest_bell){
            .source = {.fd = fds->queue[i].to_switch_data, .ready = bell_ready}, .guest = guest};
    return guest;
}

struct port *port_guest_port(struct port_guest *guest)
{
    return &guest->port;
}

void port_guest_free(struct port_guest *guest)
{
    if (!guest)
        return;
    port_ring_unmap(&guest->ring);
    free(guest);
}
