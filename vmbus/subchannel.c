/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subchannels: more channels of a device whose primary is open, for a guest with several VPs.
 *
 * They are offered with the device's own GUIDs and index 1..n once its protocol has asked for them,
 * and go when the primary closes: rescinded and closed before it, because a guest does not open a
 * primary again whose subchannels still live. Structures are kept and used again.
 *
 * Making one can fail (no memory, no descriptor, no channel id), and a guest that was promised so
 * many waits for them without end: Linux' netvsc does, in its probe. So a device whose protocol
 * names a number has them made first, says how many there are, and then has them offered.
 * Facts: section 2.5; OpenVMM 61e8208c for the order.
 */
#include <errno.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

static void append(struct vmbus_bus *bus, struct vmbus_channel *channel)
{
    struct vmbus_channel **link = &bus->channels;

    while (*link)
        link = &(*link)->next;
    channel->next = NULL;
    *link = channel;
}

static bool add_subchannel(struct vmbus_channel *primary, struct lane *lane, uint16_t index)
{
    struct vmbus_bus *bus = primary->bus;
    struct vmbus_channel *channel;

    if (bus->alive == LIMIT_CHANNELS)
        return false;
    channel = offer_channel_new(bus, primary->vsp);
    if (!channel)
        return false;
    channel->lane = lane;
    channel->index = index;
    append(bus, channel);
    bus->alive++;
    if (offer_prepare(channel))
        return true;
    offer_retire(channel);
    return false;
}

static bool is_subchannel_of(const struct vmbus_channel *channel,
                             const struct vmbus_channel *primary)
{
    return channel->index && channel->vsp == primary->vsp;
}

static void offer_all(const struct vmbus_channel *primary)
{
    for (struct vmbus_channel *channel = primary->bus->channels; channel; channel = channel->next)
        if (is_subchannel_of(channel, primary) && !channel->offered && !channel->offer_due)
            offer_make_due(channel);
    bus_wake(primary->bus);
}

/* The primary may have been closed since the device asked: then nobody waits for an answer. */
static void on_make(struct lane_task *task)
{
    struct vmbus_channel *primary = container_of(task, struct vmbus_channel, subchannels.make);
    uint16_t count = primary->subchannels.count, made = 0;
    bool open = primary->state == CHANNEL_OPEN;

    if (open && !primary->subchannels.exist && !primary->vsp->leaving)
        while (made < count && add_subchannel(primary, primary->subchannels.lane[made], made + 1))
            made++;
    primary->subchannels.exist |= made > 0;
    primary->subchannels.count = made;
    atomic_store(&primary->subchannels.asked, false);
    if (!open)
        return;
    if (primary->vsp->class->subchannels)
        lane_post(primary->lane, &primary->subchannels.made);
    else
        offer_all(primary);
}

static void on_offer(struct lane_task *task)
{
    struct vmbus_channel *primary = container_of(task, struct vmbus_channel, subchannels.offer);

    if (primary->state == CHANNEL_OPEN)
        offer_all(primary);
}

int vsp_make_subchannels(struct vsp *vsp, uint16_t count, struct lane *const lane[])
{
    struct vmbus_channel *primary = vsp->primary;

    if (count > LIMIT_VCPUS)
        return -ENOSPC;
    if (atomic_exchange(&primary->subchannels.asked, true))
        return -EBUSY;
    for (uint16_t i = 0; i < count; i++)
        primary->subchannels.lane[i] = lane[i];
    primary->subchannels.count = count;
    lane_post(vsp->bus->lane, &primary->subchannels.make);
    return 0;
}

void vsp_offer_subchannels(struct vsp *vsp)
{
    lane_post(vsp->bus->lane, &vsp->primary->subchannels.offer);
}

bool subchannel_busy(const struct vmbus_channel *primary)
{
    for (struct vmbus_channel *channel = primary->bus->channels; channel; channel = channel->next)
        if (is_subchannel_of(channel, primary) && channel->state != CHANNEL_CLOSED)
            return true;
    return false;
}

void subchannel_rescind(struct vmbus_channel *primary)
{
    struct vmbus_channel *next;

    for (struct vmbus_channel *channel = primary->bus->channels; channel; channel = next) {
        next = channel->next;
        if (is_subchannel_of(channel, primary))
            offer_rescind(channel);
    }
    primary->subchannels.exist = false;
}

void subchannel_take_back(struct vmbus_channel *primary)
{
    subchannel_rescind(primary);
    for (struct vmbus_channel *channel = primary->bus->channels; channel; channel = channel->next)
        if (is_subchannel_of(channel, primary))
            lifecycle_close(channel);
}

void subchannel_init(struct vmbus_channel *channel)
{
    channel->subchannels.make.run = on_make;
    channel->subchannels.offer.run = on_offer;
}
