/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See port_drive.h.
 */
#include "tests/unit/port_drive.h"

#include <glib.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/netns_fixture.h"

void vswitch_port_ready(struct port *port)
{
    port->core->ready = true;
}

void vswitch_port_failed(struct port *port, const char *why)
{
    port->core->failures++;
    g_strlcpy(port->core->why, why, sizeof(port->core->why));
}

void drive_start(struct port *port, struct lane *lane)
{
    port->lane = lane;
    port->core = g_new0(struct vswitch_port, 1);
    g_assert_cmpint(port->class->start(port), ==, 0);
}

void drive_stop(struct port *port)
{
    port->class->stop(port);
    g_free(port->core);
    port->core = NULL;
}

static void check_frame(const struct frame *frame)
{
    g_assert_true(frame_meta_check(&frame->meta));
    g_assert_cmpuint(frame->data[0].iov_len + frame->data[1].iov_len, ==, frame->meta.length);
}

/* All bursts that there are now. True if `received` has enough. */
static bool receive_all(struct port *port, bool (*received)(const struct frame *, void *),
                        void *context)
{
    struct frame frames[PORT_BURST];
    bool enough = false;
    unsigned count;

    port->core->ready = false;
    do {
        count = port->class->receive(port, frames, PORT_BURST);
        g_assert_cmpuint(count, <=, PORT_BURST);
        for (unsigned i = 0; i < count; i++) {
            check_frame(&frames[i]);
            enough |= received(&frames[i], context);
        }
        if (port->class->done)
            port->class->done(port);
    } while (count == PORT_BURST && !enough);
    if (count == PORT_BURST)
        port->core->ready = true;
    return enough;
}

bool drive_until(struct port *port, bool (*received)(const struct frame *frame, void *context),
                 void *context, int ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000ll;

    do {
        lane_turn(port->lane, port->core->ready ? 0 : 5);
        if (port->core->ready && receive_all(port, received, context))
            return true;
    } while (g_get_monotonic_time() < end);
    return false;
}

/* A copy of one of the tests' frames; false for any other. */
static bool copy_ours(const struct frame *frame, struct drive_frame *ret_frame)
{
    static uint8_t bytes[LIMIT_FRAME];
    struct iovec all = {bytes, sizeof(bytes)};

    frame_copy(frame, &all, 1);
    if (!raw_is_ours(bytes, frame->meta.length))
        return false;
    ret_frame->meta = frame->meta;
    memcpy(ret_frame->bytes, bytes, frame->meta.length);
    return true;
}

struct waiting {
    struct drive_frame *frame;
    unsigned count;
};

static bool take_one(const struct frame *frame, void *context)
{
    struct waiting *waiting = context;

    if (!copy_ours(frame, waiting->frame))
        return false;
    g_assert_cmpuint(++waiting->count, ==, 1);
    return true;
}

bool drive_receive(struct port *port, struct drive_frame *ret_frame, int ms)
{
    struct waiting waiting = {.frame = ret_frame};

    return drive_until(port, take_one, &waiting, ms);
}

static bool count_frame(const struct frame *frame, void *context)
{
    static struct drive_frame copy;

    *(unsigned *)context += copy_ours(frame, &copy);
    return false;
}

unsigned drive_drain(struct port *port, int ms)
{
    unsigned count = 0;

    drive_until(port, count_frame, &count, ms);
    return count;
}

bool drive_send(struct port *port, const uint8_t *bytes, uint32_t length,
                const struct frame_meta *meta)
{
    struct frame frame = {.meta = meta ? *meta : (struct frame_meta){0},
                          .data = {{(void *)bytes, length}}};
    const struct frame *list = &frame;
    unsigned taken;

    frame.meta.length = length;
    taken = port->class->transmit(port, &list, 1);
    if (port->class->flush)
        port->class->flush(port);
    return taken == 1;
}

static void wire_count(struct drive_wire *wire, const struct frame *frame)
{
    check_frame(frame);
    wire->frames++;
    wire->partial += frame->meta.flags & FRAME_CSUM_PARTIAL ? 1 : 0;
    wire->tagged += frame->meta.flags & FRAME_VLAN ? 1 : 0;
    wire->segments += frame->meta.gso != FRAME_GSO_NONE;
    wire->longest = MAX(wire->longest, frame->meta.length);
}

/* What a trunk's end does to a frame; false if it is not for this wire. */
static bool wire_tag(const struct drive_wire *wire, unsigned from, struct frame *frame)
{
    if (!wire->tag)
        return true;
    if (from == 0) {
        g_assert_cmpuint(frame->meta.flags & FRAME_VLAN, ==, 0);
        frame->meta.flags |= FRAME_VLAN;
        frame->meta.vlan_tci = wire->tag;
        return true;
    }
    if (!(frame->meta.flags & FRAME_VLAN))
        return false; /* the interface's own chatter */
    g_assert_cmpuint(frame->meta.vlan_tci, ==, wire->tag);
    frame->meta.flags &= (uint8_t)~FRAME_VLAN;
    frame->meta.vlan_tci = 0;
    return true;
}

static void wire_carry(struct drive_wire *wire, unsigned end)
{
    struct port *from = wire->ends[end], *to = wire->ends[!end];
    struct frame frames[PORT_BURST];
    const struct frame *list[PORT_BURST];
    unsigned count, listed = 0, taken = 0, tries = 0;

    from->core->ready = false;
    count = from->class->receive(from, frames, PORT_BURST);
    for (unsigned i = 0; i < count; i++) {
        wire_count(wire, &frames[i]);
        if (wire_tag(wire, end, &frames[i]))
            list[listed++] = &frames[i];
    }
    while (taken < listed && tries++ < 1000) {
        taken += to->class->transmit(to, list + taken, listed - taken);
        if (taken < listed) {
            wire->refused++;
            sched_yield();
        }
    }
    if (from->class->done)
        from->class->done(from);
    if (count == PORT_BURST)
        from->core->ready = true;
}

static bool wires_ready(const struct drive_wire *wires, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (wires[i].ends[0]->core->ready || wires[i].ends[1]->core->ready)
            return true;
    return false;
}

void drive_wires_until(struct drive_wire *wires, unsigned count, int pid)
{
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        lane_turn(wires[0].ends[0]->lane, wires_ready(wires, count) ? 0 : 5);
        for (unsigned i = 0; i < 2 * count; i++)
            if (wires[i / 2].ends[i % 2]->core->ready)
                wire_carry(&wires[i / 2], i % 2);
    }
    g_assert_cmpint(status, ==, 0);
}
