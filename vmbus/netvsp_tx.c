/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the guest to the port: RNDIS packets.
 *
 * The bytes of a packet are a piece of the send buffer, or the packet's GPA ranges, or the one
 * followed by the other; headers may lie across any of the borders, so they are copied out before
 * they are looked at. All messages of a packet are taken apart before the first frame is sent: one
 * bad message drops the packet, which is completed once. A frame is copied once, into the port
 * ring, and the packet completed at once. A full ring holds the packet off until the switch makes
 * room; without a port, or if the switch makes none for NET_SILENCE_NS, frames are counted and
 * dropped.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vmbus/netvsp_priv.h"

/* --- The packet's bytes */

static int gather_section(struct net_channel *chan, const struct nvsp_message *message)
{
    const struct net_buffer *buffer = &chan->netvsp->buffer[NET_SEND];
    struct net_tx *tx = &chan->tx;
    uint32_t section = message->rndis.section, size = message->rndis.size;

    if (section == NVSP_NO_SECTION || !size)
        return 0;
    if (!atomic_load(&buffer->usable) || section >= buffer->memory.size / NET_SECTION)
        return -EPROTO;
    int iovs =
        vmbus_buffer_lease(&buffer->memory, section * NET_SECTION, size, tx->iov, NET_TX_IOVECS);
    if (iovs < 0)
        return -EPROTO;
    tx->iovs = (unsigned)iovs;
    tx->length = size;
    return 0;
}

static int gather_ranges(struct net_channel *chan, const struct vmbus_packet *packet)
{
    struct net_tx *tx = &chan->tx;
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    uint32_t cursor = 0;
    int got;

    while ((got = vmbus_packet_range(packet, &cursor, &range, pfn)) == 1) {
        int iovs = gmem_lease(chan->gmem, &range, tx->iov + tx->iovs, NET_TX_IOVECS - tx->iovs);
        if (iovs < 0)
            return -EPROTO;
        tx->iovs += (unsigned)iovs;
        tx->length += range.length; /* LIMIT_RANGE_PAGES bounds the sum */
    }
    return got;
}

static int gather(struct net_channel *chan, const struct nvsp_message *message,
                  const struct vmbus_packet *packet)
{
    chan->tx.iovs = 0;
    chan->tx.length = 0;
    int error = gather_section(chan, message);
    return error ? error : gather_ranges(chan, packet);
}

/* --- Frames */

/* Find all messages. 0 or -EBADMSG. */
static int take_apart(struct net_tx *tx)
{
    uint8_t header[RNDIS_MAX_HEADER];
    uint32_t at = 0;

    for (tx->messages = 0; at < tx->length; tx->messages++) {
        struct rndis_packet *message = &tx->message[tx->messages];
        if (tx->messages == NET_MESSAGES)
            return -EBADMSG;
        uint32_t copied = (uint32_t)gmem_iov_read(tx->iov, tx->iovs, at, header, sizeof(header));
        if (rndis_parse_packet(header, copied, tx->length - at, message))
            return -EBADMSG;
        tx->at[tx->messages] = at;
        at += message->length;
    }
    return tx->messages ? 0 : -EBADMSG;
}

/* Copy the frame: `head` to begin with, the rest of the guest's bytes from `from` on. */
static void copy_frame(const struct net_tx *tx, const struct iovec room[2], const uint8_t *head,
                       uint32_t head_len, uint32_t from)
{
    uint32_t done = 0;

    for (unsigned i = 0; i < 2; i++) {
        uint8_t *dst = room[i].iov_base;
        size_t len = room[i].iov_len, first = 0;
        if (done < head_len) {
            first = head_len - done < len ? head_len - done : len;
            memcpy(dst, head + done, first);
        }
        if (len > first)
            gmem_iov_read(tx->iov, tx->iovs, from + (uint32_t)(done + first - head_len),
                          dst + first, len - first);
        done += (uint32_t)len;
    }
}

/* Send message `n`. 0 also for a frame that is dropped; -EAGAIN. */
static int push(struct net_channel *chan, unsigned n)
{
    const struct rndis_packet *message = &chan->tx.message[n];
    struct net_tx *tx = &chan->tx;
    uint8_t head[RNDIS_FRAME_HEAD];
    struct iovec room[2];
    struct frame_meta meta;
    uint32_t from = tx->at[n] + message->data_offset, head_len = message->data_length;

    if (head_len > sizeof(head))
        head_len = sizeof(head);
    gmem_iov_read(tx->iov, tx->iovs, from, head, head_len);
    int skip = rndis_to_meta(message, chan->netvsp->max_mtu, head, head_len, &meta);
    if (skip < 0) {
        net_count(&chan->count.bad_out, 1);
        return 0;
    }
    int ranges = chan->out ? port_queue_room(chan->out, meta.length, room) : -ENOTCONN;
    if (ranges == -EAGAIN && !tx->silent)
        return ranges;
    if (ranges < 0) {
        net_count(&chan->count.dropped_out, 1);
        return 0;
    }
    tx->silent = false;
    uint32_t headed = head_len - (uint32_t)skip;
    if (ranges == 1)
        room[1].iov_len = 0;
    copy_frame(tx, room, head + skip, headed < meta.length ? headed : meta.length, from + head_len);
    port_queue_push(chan->out, &meta);
    tx->uncommitted = true;
    net_count_moved(chan, &chan->count.out, head + skip, meta.length);
    return 0;
}

void net_tx_commit(struct net_channel *chan)
{
    if (!chan->tx.uncommitted)
        return;
    chan->tx.uncommitted = false;
    if (chan->out && port_queue_commit(chan->out))
        port_queue_ring_data(chan->out);
}

/* A signal costs the guest an exit. While much moves and the switch is still at work on what was
 * sent, the guest need not give one: what it sends meanwhile goes out when the switch is done. */
bool net_tx_expects_more(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct net_channel *chan = vmbus_channel_private(channel);

    (void)vsp;
    chan->tx.quiet = chan->moved >= NET_BULK && chan->out && !port_queue_await_release(chan->out);
    if (chan->tx.quiet && !chan->silence.deadline)
        lane_timer_arm(chan->lane, &chan->silence, NET_SILENCE_NS);
    chan->moved = 0;
    return chan->tx.quiet;
}

/* The port ring is full. True if there is room by now after all. */
static bool await_room(struct net_channel *chan)
{
    net_tx_commit(chan);
    if (port_queue_await_room(chan->out))
        return true;
    if (!chan->tx.waiting) {
        net_count(&chan->count.stalls_out, 1);
        lane_timer_arm(chan->lane, &chan->silence, NET_SILENCE_NS);
    }
    chan->tx.waiting = true;
    return false;
}

static int take_data(struct net_channel *chan)
{
    struct net_tx *tx = &chan->tx;

    if (take_apart(tx)) {
        net_count(&chan->count.bad_out, 1);
        tx->pushed = 0;
        tx->waiting = false;
        return NVSP_INVALID_RNDIS;
    }
    while (tx->pushed < tx->messages) {
        if (push(chan, tx->pushed) == 0)
            tx->pushed++;
        else if (!await_room(chan))
            return -EAGAIN;
    }
    tx->pushed = 0;
    tx->waiting = false;
    return NVSP_SUCCESS;
}

static int take_control(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    struct net_tx *tx = &chan->tx;

    if (chan->index || tx->length > sizeof(netvsp->request))
        return -EPROTO;
    gmem_iov_read(tx->iov, tx->iovs, 0, netvsp->request, tx->length);
    int error = net_control(netvsp, tx->length);
    return error ? error : NVSP_SUCCESS;
}

int net_tx_packet(struct net_channel *chan, const struct nvsp_message *message,
                  const struct vmbus_packet *packet)
{
    if (packet->payload_len < 16 || !atomic_load(&chan->netvsp->ndis) ||
        message->rndis.channel > NVSP_CHANNEL_CONTROL)
        return -EPROTO;
    int error = gather(chan, message, packet);
    if (error)
        return error;
    return message->rndis.channel == NVSP_CHANNEL_DATA ? take_data(chan) : take_control(chan);
}
