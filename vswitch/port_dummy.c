/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct port_class over two pointers of the caller's.
 */
#include "vswitch/port_dummy.h"

#include <limits.h>

#include "src/common/container.h"

static struct port_dummy *dummy_of(struct port *port)
{
    return container_of(port, struct port_dummy, port);
}

static int dummy_start(struct port *port)
{
    struct port_dummy *dummy = dummy_of(port);

    dummy->running = !dummy->start_error;
    vswitch_port_ready(port);
    return dummy->start_error;
}

static void dummy_stop(struct port *port)
{
    dummy_of(port)->running = false;
}

static unsigned dummy_receive(struct port *port, struct frame *frames, unsigned max)
{
    struct port_dummy *dummy = dummy_of(port);
    unsigned count = 0;

    if (!dummy->running)
        atomic_fetch_add(&dummy->late, 1);
    if (atomic_load(&dummy->failing)) {
        vswitch_port_failed(port, "it was told to fail");
        return 0;
    }
    while (count < max && dummy->next < dummy->count) {
        frames[count++] = dummy->in[dummy->next++];
        if (dummy->next == dummy->count && dummy->again) {
            dummy->again--;
            dummy->next = 0;
        }
    }
    return count;
}

static unsigned dummy_transmit(struct port *port, const struct frame *const *frames, unsigned count)
{
    struct port_dummy *dummy = dummy_of(port);
    unsigned room = atomic_load_explicit(&dummy->room, memory_order_relaxed);
    unsigned taken = count < room ? count : room;
    uint64_t bytes = 0;

    if (!dummy->running)
        atomic_fetch_add(&dummy->late, 1);
    if (room != UINT_MAX)
        atomic_fetch_sub(&dummy->room, taken);
    for (unsigned i = 0; i < taken; i++) {
        bytes += frames[i]->meta.length;
        if (dummy->sink)
            dummy->sink(dummy, frames[i]);
    }
    atomic_fetch_add_explicit(&dummy->frames, taken, memory_order_relaxed);
    atomic_fetch_add_explicit(&dummy->bytes, bytes, memory_order_relaxed);
    return taken;
}

static void dummy_flush(struct port *port)
{
    struct port_dummy *dummy = dummy_of(port);

    if (!dummy->running)
        atomic_fetch_add(&dummy->late, 1);
    atomic_fetch_add_explicit(&dummy->flushes, 1, memory_order_relaxed);
}

static void dummy_filter(struct port *port, const struct port_filter *filter)
{
    struct port_dummy *dummy = dummy_of(port);

    dummy->filter = *filter;
    dummy->filters++;
}

static const struct port_class dummy_class = {
    .name = "dummy",
    .start = dummy_start,
    .stop = dummy_stop,
    .receive = dummy_receive,
    .transmit = dummy_transmit,
    .flush = dummy_flush,
    .filter = dummy_filter,
};

static const struct port_class dummy_uplink_class = {
    .name = "dummy uplink",
    .uplink = true,
    .start = dummy_start,
    .stop = dummy_stop,
    .receive = dummy_receive,
    .transmit = dummy_transmit,
    .flush = dummy_flush,
    .filter = dummy_filter,
};

void port_dummy_init(struct port_dummy *dummy, uint32_t caps, uint32_t mtu, bool uplink)
{
    *dummy = (struct port_dummy){
        .port = {.class = uplink ? &dummy_uplink_class : &dummy_class, .caps = caps, .mtu = mtu}};
    atomic_init(&dummy->room, UINT_MAX);
}

struct give {
    struct port_dummy *dummy;
    const struct frame *frames;
    unsigned count;
    uint64_t times;
};

static void give(void *context)
{
    const struct give *gift = context;
    struct port_dummy *dummy = gift->dummy;

    dummy->in = gift->frames;
    dummy->count = gift->count;
    dummy->next = 0;
    dummy->again = gift->times - 1;
    vswitch_port_ready(&dummy->port);
}

void port_dummy_give(struct port_dummy *dummy, const struct frame *frames, unsigned count,
                     uint64_t times)
{
    struct give gift = {dummy, frames, count, times};

    if (count && times)
        lane_call(dummy->port.lane, give, &gift);
}

struct idle {
    const struct port_dummy *dummy;
    bool idle;
};

static void look(void *context)
{
    struct idle *idle = context;

    idle->idle = idle->dummy->next == idle->dummy->count;
}

bool port_dummy_idle(struct port_dummy *dummy)
{
    struct idle idle = {.dummy = dummy};

    /* Between two turns, so what was handed in has been dealt with. */
    lane_call(dummy->port.lane, look, &idle);
    return idle.idle;
}
