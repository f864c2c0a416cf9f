/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp: the synthetic network adapter, as netvsc of Linux, iPXE and Windows knows it from
 * Hyper-V.
 *
 * The primary channel carries NVSP's handshake, RNDIS control messages and data; subchannels carry
 * data only. Room for a packet's completion is reserved before anything is done with it. What each
 * completion looks like matters to guests: NVSP's own answer where there is one, nothing for the
 * others, and never nothing for RNDIS (Linux would lose a transmit slot). Facts: section 6.2.
 *
 * Left out: virtual functions.
 */
#include "vmbus/netvsp.h"

#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"

static struct netvsp *netvsp_of(struct vsp *vsp)
{
    return container_of(vsp, struct netvsp, vsp);
}

uint32_t net_message_size(const struct netvsp *netvsp)
{
    return atomic_load(&netvsp->version) == NVSP_VERSION_6_1 ? (uint32_t)sizeof(struct nvsp_message)
                                                             : NVSP_SIZE_OLD;
}

/* --- Packets */

/* Bytes of the completion of a message, known before it is handled so that room can be reserved. */
static uint32_t answer_size(const struct netvsp *netvsp, const struct nvsp_message *message)
{
    switch (message->type) {
    case NVSP_INIT:
        return message->init.max >= NVSP_VERSION_6_1 ? sizeof(*message) : NVSP_SIZE_OLD;
    case NVSP_RECEIVE_BUFFER:
    case NVSP_SEND_BUFFER:
    case NVSP_RNDIS:
    case NVSP_OID_QUERY:
    case NVSP_SUBCHANNEL:
        return net_message_size(netvsp);
    default: /* no answer exists */
        return 0;
    }
}

static int take_rndis(struct net_channel *chan, const struct nvsp_message *message,
                      const struct vmbus_packet *packet, struct nvsp_message *answer)
{
    net_enter(chan);
    int status = net_tx_packet(chan, message, packet);
    net_leave(chan);
    answer->type = NVSP_RNDIS_COMPLETE;
    answer->status = (uint32_t)status;
    return status < 0 ? status : 0;
}

static int take_other(struct net_channel *chan, const struct nvsp_message *message,
                      const struct vmbus_packet *packet, struct nvsp_message *answer)
{
    if (chan->index || packet->type != VMBUS_PACKET_IN_BAND)
        return -EPROTO;
    return net_handshake(chan->netvsp, message, packet->payload_len, answer);
}

/* A message with its answer. */
static int take(struct net_channel *chan, const struct nvsp_message *message,
                const struct vmbus_packet *packet)
{
    struct nvsp_message answer = {0};
    uint32_t size = answer_size(chan->netvsp, message);
    int error = packet->completion_requested ? vmbus_channel_reserve(chan->channel, size) : 0;

    if (error)
        return error;
    error = message->type == NVSP_RNDIS ? take_rndis(chan, message, packet, &answer)
                                        : take_other(chan, message, packet, &answer);
    if (error && packet->completion_requested)
        vmbus_channel_unreserve(chan->channel, size);
    if (error)
        return error;
    if (packet->completion_requested)
        vmbus_channel_complete(chan->channel, packet->transaction_id, &answer, size);
    if (!chan->index)
        net_after_answer(chan->netvsp);
    return 0;
}

static int take_completion(struct net_channel *chan, const struct vmbus_packet *packet)
{
    net_enter(chan);
    int error = net_complete(chan, packet->transaction_id);
    net_leave(chan);
    if (!error && chan->stalled)
        lane_post(chan->lane, &chan->pump);
    return error;
}

static int net_packet(struct vsp *vsp, struct vmbus_channel *channel,
                      const struct vmbus_packet *packet)
{
    struct net_channel *chan = vmbus_channel_private(channel);
    struct nvsp_message message = {0};
    uint32_t len = packet->payload_len;

    (void)vsp;
    if (packet->type == VMBUS_PACKET_COMPLETION)
        return take_completion(chan, packet);
    if (packet->type == VMBUS_PACKET_TRANSFER_PAGES || len < sizeof(message.type))
        return -EPROTO;
    memcpy(&message, packet->payload, len < sizeof(message) ? len : sizeof(message));
    return take(chan, &message, packet);
}

static void net_burst_end(struct vsp *vsp, struct vmbus_channel *channel)
{
    (void)vsp;
    net_tx_commit(vmbus_channel_private(channel));
}

static void net_writable(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct net_channel *chan = vmbus_channel_private(channel);

    if (!chan->index) {
        net_send_table(netvsp_of(vsp));
        net_control_writable(netvsp_of(vsp));
    }
    net_rx_pump(chan);
}

/* --- Life */

/* The guest of this open is forgotten. */
static void forget(struct netvsp *netvsp)
{
    atomic_store(&netvsp->version, 0);
    atomic_store(&netvsp->ndis, 0);
    atomic_store(&netvsp->mtu, netvsp->max_mtu);
    atomic_store(&netvsp->revoking, false);
    netvsp->rndis.can = RNDIS_OFFLOAD_ALL;
    netvsp->configured = netvsp->offer_due = netvsp->table_due = false;
    netvsp->subchannels = 0;
    netvsp->making = MAKING_NONE;
    net_control_reset(netvsp);
}

static int net_open(struct vsp *vsp, struct vmbus_channel *channel,
                    const uint8_t user_data[VMBUS_USER_DATA])
{
    struct netvsp *netvsp = netvsp_of(vsp);
    uint16_t index = vmbus_channel_index(channel);

    (void)user_data;
    if (index >= netvsp->channels || vmbus_channel_lane(channel) != netvsp->lane[index])
        return -EINVAL;
    struct net_channel *chan = &netvsp->channel[index];
    if (!index)
        forget(netvsp);
    chan->channel = channel;
    chan->gmem = vmbus_channel_gmem(channel);
    chan->generation = 0;
    chan->batch.ranges = 0;
    chan->tx.pushed = 0;
    chan->tx.waiting = chan->tx.silent = chan->tx.quiet = chan->stalled = false;
    chan->moved = 0;
    atomic_fetch_add(&netvsp->open_channels, 1);
    vmbus_channel_set_private(channel, chan);
    net_port_opened(chan);
    atomic_store(&chan->open, true);
    return 0;
}

void net_closed(struct netvsp *netvsp)
{
    struct net_channel *primary = &netvsp->channel[0];
    struct vmbus_channel *channel = primary->channel;

    netvsp->closing = !net_buffers_close(netvsp);
    if (netvsp->closing)
        return;
    primary->channel = NULL;
    forget(netvsp);
    vmbus_channel_closed(channel);
}

static void net_close(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct net_channel *chan = vmbus_channel_private(channel);

    net_tx_commit(chan);
    net_port_closed(chan);
    atomic_fetch_sub(&netvsp_of(vsp)->open_channels, 1);
    if (!chan->index) {
        atomic_store(&chan->open, false);
        net_closed(netvsp_of(vsp));
        return;
    }
    chan->channel = NULL;
    net_rss_closed(chan);
    vmbus_channel_closed(channel);
}

/* A guest that starts again has the permanent address; the primary's lane sees to it when that
 * guest comes. */
static void net_reset(struct vsp *vsp)
{
    atomic_store(&netvsp_of(vsp)->restarted, true);
}

/* f8615163-df3e-46c5-913f-f2d2f965ed0e */
const struct vsp_class net_class = {
    .name = "netvsp",
    .interface =
        GUID_INIT(0xf8615163, 0xdf3e, 0x46c5, 0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e),
    .open = net_open,
    .packet = net_packet,
    .burst_end = net_burst_end,
    .expects_more = net_tx_expects_more,
    .writable = net_writable,
    .close = net_close,
    .subchannels = net_subchannels_made,
    .reset = net_reset,
};
