/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a switch thread: ports that may have frames wait in a list, and each in its turn
 * hands in one burst.
 *
 * A port that gave a whole burst goes to the end of the list, so none is served twice before
 * all others. A port whose frames became many more (floods, segments cut here) owes that work: it
 * passes its next turns while others wait.
 */
#include "vswitch/switch_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "src/common/container.h"

static void append_ready(struct switch_thread *thread, struct vswitch_port *core)
{
    core->ready = true;
    core->next = NULL;
    *thread->ready_end = core;
    thread->ready_end = &core->next;
}

static struct vswitch_port *take_ready(struct switch_thread *thread)
{
    struct vswitch_port *core = thread->ready;

    thread->ready = core->next;
    if (!thread->ready)
        thread->ready_end = &thread->ready;
    core->ready = false;
    return core;
}

void switch_thread_forget(struct vswitch_port *core)
{
    struct switch_thread *thread = core->thread;
    struct vswitch_port **link = &thread->ready;

    while (*link && *link != core)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = core->next;
    if (!*link)
        thread->ready_end = link;
    core->ready = false;
}

void vswitch_port_ready(struct port *port)
{
    struct vswitch_port *core = port->core;

    if (!core->ready && !atomic_load_explicit(&core->failed, memory_order_relaxed))
        append_ready(core->thread, core);
}

void vswitch_port_failed(struct port *port, const char *why)
{
    struct vswitch_port *core = port->core;
    struct vswitch *vswitch = port->vswitch;

    if (atomic_exchange(&core->failed, true))
        return;
    switch_thread_forget(core);
    fdb_flush(&vswitch->fdb, core->slot);
    log_guest(&vswitch->log, "switch %s: port %u (%s) is silent from now on: %s", vswitch->name,
              core->number, port->class->name, why);
}

/* One burst of one port. Returns the frames received. */
static unsigned serve(struct switch_thread *thread, struct vswitch_port *core)
{
    struct port *port = core->port;
    unsigned count = port->class->receive(port, thread->frame, PORT_BURST);

    thread->sent = 0;
    thread->bounce.used = 0;
    if (count) {
        switch_forward(thread, core, count);
        switch_transmit_all(thread);
    }
    if (port->class->done)
        port->class->done(port);
    if (thread->sent > count)
        core->debt += thread->sent - count;
    if (count == PORT_BURST)
        vswitch_port_ready(port);
    return count;
}

/* True if the port has to let others go first. */
static bool pays(struct switch_thread *thread, struct vswitch_port *core)
{
    if (core->debt < PORT_BURST || !thread->ready) {
        core->debt = 0;
        return false;
    }
    core->debt -= PORT_BURST;
    append_ready(thread, core);
    return true;
}

static bool turn_end(struct lane_hook *hook)
{
    struct switch_thread *thread = container_of(hook, struct switch_thread, hook);
    unsigned total = 0;

    if (!thread->ready)
        return false;
    thread->now_ns = lane_now();
    while (thread->ready && total < SWITCH_TURN_FRAMES) {
        struct vswitch_port *core = take_ready(thread);
        if (pays(thread, core)) {
            total++; /* so that debtors alone cannot keep us here */
            continue;
        }
        unsigned count = serve(thread, core);
        total += count + 1;
        /* While a port lingers, its targets have what it sent. */
        if (!count || thread->since_flush >= SWITCH_FLUSH_AFTER)
            switch_flush(thread);
    }
    switch_flush(thread);
    return thread->ready;
}

struct switch_thread *switch_thread_new(struct vswitch *vswitch, struct lane *lane)
{
    struct switch_thread *thread = calloc(1, sizeof(*thread));

    if (!thread)
        return NULL;
    thread->vswitch = vswitch;
    thread->lane = lane;
    thread->ready_end = &thread->ready;
    thread->arena = malloc(SWITCH_ARENA);
    thread->bounce.size = LIMIT_PORT_QUEUES * LIMIT_FRAME;
    thread->bounce.bytes = malloc(thread->bounce.size);
    if (!thread->arena || !thread->bounce.bytes) {
        thread->lane = NULL;
        switch_thread_free(thread);
        errno = ENOMEM;
        return NULL;
    }
    thread->hook.turn_end = turn_end;
    lane_hook_add(lane, &thread->hook);
    return thread;
}

void switch_thread_free(struct switch_thread *thread)
{
    if (!thread)
        return;
    if (thread->lane)
        lane_hook_remove(thread->lane, &thread->hook);
    free(thread->arena);
    free(thread->bounce.bytes);
    free(thread);
}
