/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offers: what the guest sees of the devices.
 *
 * Devices are offered in the order of interface GUID and instance GUID, and get relids in that
 * order, so that a guest finds each of them where it was before a reboot. Subchannels, and devices
 * that come later, get the relids after those, each the one that has been free for longest. A
 * channel that is taken back is rescinded; its relid is used again only when the guest has released
 * it, and its structure then, too. A rescinded channel works on until the guest closes or releases
 * it: the guest's driver waits for what it has sent (Linux' netvsc for ever, rndis_filter.c:
 * netvsc_device_idle()), and may send more before it looks at the rescind.
 *
 * Offers are too many and too long for the outbox: each channel remembers that its offer is due.
 * Facts: sections 2.4, 2.5, 8.2.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmbus/bus_priv.h"

/* --- Relids */

static uint32_t relid_limit(const struct vmbus_bus *bus)
{
    return bus->version < VMBUS_V2_4 ? LIMIT_RELID_OLD : LIMIT_RELID;
}

/* The next free relid after the last one given out; 0 if there is none. */
static uint32_t relid_take(struct vmbus_bus *bus, struct vmbus_channel *channel)
{
    uint32_t limit = relid_limit(bus);

    for (uint32_t i = 0; i < limit; i++) {
        uint32_t relid = (bus->last_relid + i) % limit + 1;
        if (bus->by_relid[relid])
            continue;
        bus->by_relid[relid] = channel;
        bus->last_relid = relid;
        return relid;
    }
    return 0;
}

struct vmbus_channel *offer_find(const struct vmbus_bus *bus, uint32_t relid)
{
    struct vmbus_channel *channel = relid <= LIMIT_RELID ? bus->by_relid[relid] : NULL;

    return channel && channel->offered ? channel : NULL;
}

/* --- Sending */

static int send_offer(struct vmbus_channel *channel)
{
    const struct vsp *vsp = channel->vsp;
    struct vmbus_msg_offer offer = {
        .header = BUS_HEADER(VMBUS_MSG_OFFER),
        .interface = vsp->class->interface,
        .instance = vsp->instance,
        .flags = vsp->class->offer_flags,
        .mmio_mib = vsp->class->mmio_mib,
        .index = channel->index,
        .relid = channel->relid,
        .monitor_id = VMBUS_MONITOR_NONE,
        .dedicated = 1,
        .connection = VMBUS_CONNECTION_CHANNEL(channel->relid),
    };
    uint32_t pipe_type = VMBUS_PIPE_MESSAGE;

    if (vsp->class->offer_flags & VMBUS_OFFER_NAMED_PIPE)
        memcpy(offer.user_data, &pipe_type, sizeof(pipe_type));
    else
        memcpy(offer.user_data, vsp->offer_data, sizeof(vsp->offer_data));
    return bus_transmit(channel->bus, channel->bus->message_vp, &offer, sizeof(offer));
}

bool offer_pump(struct vmbus_bus *bus)
{
    struct vmbus_header end = BUS_HEADER(VMBUS_MSG_ALL_OFFERS_DELIVERED);

    for (struct vmbus_channel *channel = bus->channels; channel && bus->offers_due;
         channel = channel->next) {
        if (!channel->offer_due)
            continue;
        if (send_offer(channel) < 0)
            return false;
        channel->offer_due = false;
        channel->offered = true;
        bus->offers_due--;
    }
    if (bus->offers_end_due && bus_transmit(bus, bus->message_vp, &end, sizeof(end)) < 0)
        return false;
    bus->offers_end_due = false;
    return true;
}

bool offer_prepare(struct vmbus_channel *channel)
{
    channel->relid = relid_take(channel->bus, channel);
    if (!channel->relid)
        log_guest(&channel->bus->log_limit, "%s is not offered: no channel id left",
                  channel->vsp->class->name);
    return channel->relid;
}

void offer_make_due(struct vmbus_channel *channel)
{
    channel->offer_due = true;
    channel->bus->offers_due++;
}

static void make_undue(struct vmbus_channel *channel)
{
    if (!channel->offer_due)
        return;
    channel->offer_due = false;
    channel->bus->offers_due--;
}

void offer_handle_request(struct vmbus_bus *bus, const struct bus_message *message)
{
    if (bus->offers_requested) {
        bus_bad(bus, message, "offers requested twice");
        return;
    }
    bus->offers_requested = true;
    for (struct vmbus_channel *channel = bus->channels; channel; channel = channel->next)
        if (offer_prepare(channel))
            offer_make_due(channel);
    bus->offers_end_due = true;
    offer_pump(bus);
}

/* --- Channels: made, forgotten, used again */

/* One that was, to be used again; NULL if there is none. */
static struct vmbus_channel *take_spare(struct vmbus_bus *bus, struct vsp *vsp)
{
    struct vmbus_channel *channel = bus->spare;

    if (!channel)
        return NULL;
    bus->spare = channel->next;
    channel->vsp = vsp;
    channel->index = 0;
    channel->packets_in = channel->packets_out = 0;
    channel->interrupts_in = channel->interrupts_out = channel->faults = 0;
    return channel;
}

struct vmbus_channel *offer_channel_new(struct vmbus_bus *bus, struct vsp *vsp)
{
    struct vmbus_channel *channel = take_spare(bus, vsp);

    if (channel)
        return channel;
    channel = calloc(1, sizeof(*channel));
    if (!channel)
        return NULL;
    channel->bus = bus;
    channel->vsp = vsp;
    channel->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (channel->eventfd < 0) {
        free(channel);
        return NULL;
    }
    subchannel_init(channel);
    lifecycle_init(channel);
    channel_init(channel);
    return channel;
}

void offer_channel_free(struct vmbus_channel *channel)
{
    ring_close(&channel->in);
    ring_close(&channel->out);
    close(channel->eventfd);
    free(channel);
}

static void withdraw(struct vmbus_channel *channel)
{
    make_undue(channel);
    if (channel->relid)
        channel->bus->by_relid[channel->relid] = NULL;
    channel->relid = 0;
    channel->offered = false;
    channel->rescinded = false;
    channel->released = false;
}

/* If the device leaves, and this was the last of its channels: it is its maker's again. */
static void vsp_settled(struct vmbus_bus *bus, struct vsp *vsp)
{
    if (!vsp->leaving)
        return;
    for (struct vmbus_channel *channel = bus->channels; channel; channel = channel->next)
        if (channel->vsp == vsp)
            return;
    vsp->primary = NULL;
    vsp->gone(vsp->gone_context);
}

void offer_retire(struct vmbus_channel *channel)
{
    struct vmbus_bus *bus = channel->bus;
    struct vmbus_channel **link = &bus->channels;

    withdraw(channel);
    while (*link != channel)
        link = &(*link)->next;
    *link = channel->next;
    channel->next = bus->spare;
    bus->spare = channel;
    bus->alive--;
    vsp_settled(bus, channel->vsp);
}

void offer_forget(struct vmbus_bus *bus)
{
    struct vmbus_channel *next;

    for (struct vmbus_channel *channel = bus->channels; channel; channel = next) {
        next = channel->next;
        channel->subchannels.exist = false;
        if (channel->index || channel->vsp->leaving)
            offer_retire(channel);
        else
            withdraw(channel);
    }
    bus->last_relid = 0;
}

/* --- Rescind and release */

void offer_rescind(struct vmbus_channel *channel)
{
    struct vmbus_msg_relid message = {
        .header = BUS_HEADER(VMBUS_MSG_RESCIND),
        .relid = channel->relid,
    };

    if (channel->rescinded)
        return;
    if (!channel->offered) {
        offer_retire(channel);
        return;
    }
    channel->rescinded = true;
    bus_send(channel->bus, &message, sizeof(message));
    lifecycle_no_reopen(channel);
    if (channel->state == CHANNEL_OPENING) /* the guest ignores the answer to its OPEN */
        lifecycle_close(channel);
}

bool offer_channel_settled(struct vmbus_channel *channel)
{
    if (!channel->released || channel->state != CHANNEL_CLOSED)
        return false;
    gpadl_remove_channel(&channel->bus->gpadls, channel->relid);
    offer_retire(channel);
    return true;
}

void offer_handle_relid_released(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_relid *released = (const void *)message->data;
    struct vmbus_channel *channel = offer_find(bus, released->relid);

    if (!channel || !channel->rescinded || channel->released) {
        bus_bad(bus, message, "a channel released that was not rescinded");
        return;
    }
    channel->released = true;
    lifecycle_close(channel); /* a guest that has not done so itself will not */
    offer_channel_settled(channel);
}
