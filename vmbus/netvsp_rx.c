/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the port to the guest: frames become RNDIS messages in suballocations of its receive buffer.
 *
 * Each frame lies in one suballocation of its own; a batch of them goes as one transfer-page
 * packet, as long as the guest is known to take that. A guest that asks for receive side coalescing
 * gets a large segment whole, over many suballocations of one packet. Frames that the guest's table
 * has for another channel go there, see netvsp_rss.c. What else is larger than the guest's MTU or
 * lacks its checksum goes through the segmenter first. When suballocations or ring room run out,
 * reading stops until the guest completes something; the port ring then fills up and the switch
 * drops. A guest that wants nothing (no driver, filter 0, buffer revoked) has its frames taken and
 * dropped at once.
 */
#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"
#include "vswitch/wire.h"

#define PUMP_FRAMES 256u /* then the lane's others have a turn */

/* --- View */

void net_view_publish(struct netvsp *netvsp)
{
    const struct rndis *rndis = &netvsp->rndis;
    uint64_t words[NET_VIEW_WORDS] = {0}, mac = 0;
    struct net_view view = {
        .filter = rndis->filter,
        .rss = rndis->rss,
        .offload = rndis->offload,
        .hash = rndis->rss.enabled && atomic_load(&netvsp->ndis) >= (6u << 16 | 30u),
    };

    memcpy(words, &view, sizeof(view));
    atomic_fetch_add(&netvsp->view_sequence, 1);
    for (unsigned i = 0; i < NET_VIEW_WORDS; i++)
        atomic_store_explicit(&netvsp->view[i], words[i], memory_order_release);
    atomic_fetch_add(&netvsp->view_sequence, 1);
    memcpy(&mac, rndis->filter.mac, 6);
    atomic_store(&netvsp->mac, mac);
    atomic_store(&netvsp->filter, rndis->initialised ? rndis->filter.bits : 0);
}

/* A view that is being changed is read again; the writer is never long. */
static void look(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    uint64_t words[NET_VIEW_WORDS];
    uint32_t sequence = atomic_load(&netvsp->view_sequence);

    while (sequence != chan->viewed) {
        for (unsigned i = 0; i < NET_VIEW_WORDS; i++)
            words[i] = atomic_load_explicit(&netvsp->view[i], memory_order_acquire);
        uint32_t after = atomic_load(&netvsp->view_sequence);
        if (after == sequence && sequence % 2 == 0) {
            memcpy(&chan->view, words, sizeof(chan->view));
            rss_key_set(&chan->key, chan->view.rss.key);
            chan->viewed = sequence;
        }
        sequence = after;
    }
}

/* --- Batches */

/* Send what has been gathered. 0; -EAGAIN no room, it stays; else it is forgotten. */
static int send_batch(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    struct net_batch *batch = &chan->batch;
    const struct nvsp_message message = {
        .type = NVSP_RNDIS,
        .rndis = {.channel = NVSP_CHANNEL_DATA, .section = NVSP_NO_SECTION},
    };
    struct iovec iov = {(void *)(uintptr_t)&message, net_message_size(netvsp)};

    if (!batch->ranges)
        return 0;
    int error = vmbus_channel_send_pages(chan->channel, net_transaction(chan, batch->chain.first),
                                         netvsp->buffer[NET_RECEIVE].id, batch->range,
                                         batch->ranges, &iov, 1);
    if (error == -EAGAIN)
        return error;
    netvsp->head[batch->chain.first] = true;
    batch->ranges = 0;
    batch->chain = (struct net_chain){NET_NONE, NET_NONE, 0};
    return error;
}

static unsigned batch_max(const struct netvsp *netvsp)
{
    return atomic_load(&netvsp->version) == NVSP_VERSION_1 ? 1 : NET_BATCH;
}

/* Put a message into the batch, which has room. */
static void gather(struct net_channel *chan, uint32_t sub, uint32_t length)
{
    struct net_batch *batch = &chan->batch;

    batch->range[batch->ranges++] = (struct vmbus_page_range){length, sub * chan->netvsp->sub_size};
    net_chain_add(chan->netvsp, &batch->chain, sub);
}

/* True if the batch has room, or could be sent. */
static bool make_room(struct net_channel *chan)
{
    return chan->batch.ranges < batch_max(chan->netvsp) || send_batch(chan) != -EAGAIN;
}

/* What other channels took off their queues for this one. False if it has to wait. */
static bool gather_arrived(struct net_channel *chan)
{
    while (chan->backlog.first != NET_NONE) {
        if (!make_room(chan))
            return false;
        uint32_t sub = net_chain_take(chan->netvsp, &chan->backlog);
        gather(chan, sub, chan->netvsp->length[sub]);
    }
    return true;
}

/* --- One frame */

/* What goes into one suballocation. */
struct message {
    uint8_t header[RNDIS_BUILD_MAX];
    uint32_t header_len;
    const uint8_t *head; /* the frame's first bytes, as they were looked at */
    uint32_t head_len;
    const struct iovec *data; /* all of the frame's bytes, two ranges */
    uint32_t at, length;      /* what of them; the head is no longer if it is in */
};

static bool fill(struct net_channel *chan, uint32_t sub, const struct message *message)
{
    uint32_t done = message->at ? 0 : message->head_len;
    struct iovec iov[NET_SUB_IOVECS];
    int got = net_sub_lease(chan->netvsp, sub, message->header_len + message->length, iov);
    unsigned iovs = (unsigned)got;
    size_t at = message->header_len + done, skip = message->at + done;
    size_t left = message->length - done;

    if (got < 0)
        return false;
    gmem_iov_write(iov, iovs, 0, message->header, message->header_len);
    gmem_iov_write(iov, iovs, message->header_len, message->head, done);
    for (unsigned i = 0; i < 2; i++) {
        size_t len = message->data[i].iov_len;
        if (skip >= len) {
            skip -= len;
            continue;
        }
        len = len - skip < left ? len - skip : left;
        at += gmem_iov_write(iov, iovs, at, (const uint8_t *)message->data[i].iov_base + skip, len);
        left -= len;
        skip = 0;
    }
    gmem_release_written(chan->gmem, iov, iovs);
    return true;
}

/* Put one frame that needs no more work into the batch, or hand it to the channel that it is for. 0
 * also for one that is dropped; -EAGAIN. */
static int deliver(struct net_channel *chan, const struct frame_meta *frame,
                   const struct iovec data[2])
{
    struct netvsp *netvsp = chan->netvsp;
    struct frame_meta told = *frame, *meta = &told;
    uint8_t head[RNDIS_FRAME_HEAD];
    uint32_t head_len = meta->length < sizeof(head) ? meta->length : (uint32_t)sizeof(head);
    struct message message = {
        .head = head, .head_len = head_len, .data = data, .length = meta->length};

    gmem_iov_read(data, 2, 0, head, head_len);
    if (!rndis_filter_pass(&chan->view.filter, head)) {
        net_count(&chan->count.filtered_in, 1);
        return 0;
    }
    struct net_channel *to = net_rss_choose(chan, head, head_len, &meta->hash);
    if (to == chan && !make_room(chan))
        return -EAGAIN;
    int len = rndis_build_packet(meta, head, head_len, chan->view.offload, chan->view.hash,
                                 message.header, sizeof(message.header));
    if (len < 0 || (uint32_t)len + meta->length > netvsp->sub_size) {
        net_count(&chan->count.dropped_in, 1);
        return 0;
    }
    message.header_len = (uint32_t)len;
    uint32_t sub = net_chain_take(netvsp, &chan->data);
    if (sub == NET_NONE)
        return -EAGAIN;
    if (!fill(chan, sub, &message)) {
        net_chain_add(netvsp, &chan->data, sub);
        net_count(&chan->count.dropped_in, 1);
        return 0;
    }
    if (to == chan)
        gather(chan, sub, (uint32_t)len + meta->length);
    else
        net_rss_steer(chan, to, sub, (uint32_t)len + meta->length);
    net_count_moved(chan, &chan->count.in, head, meta->length);
    return 0;
}

/* --- A large segment in pieces */

/* Bytes of a frame that one piece carries. */
static uint32_t piece_bytes(const struct netvsp *netvsp)
{
    return netvsp->sub_size - RNDIS_BUILD_MAX;
}

/* Pieces of a frame, at most. */
static uint32_t pieces_of(const struct netvsp *netvsp, const struct frame_meta *meta)
{
    return meta->length / piece_bytes(netvsp) + 1;
}

/* The guest has asked for it, the segment is made of frames that it could take, and there is room
 * for it when all suballocations are free. */
static bool coalesces(const struct net_channel *chan, const struct frame_meta *meta)
{
    const struct netvsp *netvsp = chan->netvsp;
    uint32_t asked = meta->gso == FRAME_GSO_TCPV4   ? RNDIS_OFFLOAD_RSC4
                     : meta->gso == FRAME_GSO_TCPV6 ? RNDIS_OFFLOAD_RSC6
                                                    : 0;
    uint32_t headers = meta->gso == FRAME_GSO_TCPV4 ? IP4_BYTES : IP6_BYTES;
    uint32_t pieces = pieces_of(netvsp, meta);

    return chan->view.offload & asked && pieces <= batch_max(netvsp) &&
           pieces <= netvsp->share / 2 &&
           headers + TCP_BYTES + meta->gso_size <= atomic_load(&netvsp->mtu);
}

/* Fill suballocations with all pieces. False if the buffer does not take them: then they are free
 * again. */
static bool fill_pieces(struct net_channel *chan, const struct frame_meta *meta,
                        struct message *message, struct net_chain *ret_chain)
{
    struct netvsp *netvsp = chan->netvsp;
    struct rndis_piece piece = {.id = chan->piece_id++};
    bool good = true;
    uint32_t sub;

    for (; good && piece.at < meta->length; piece.at += piece.length) {
        uint32_t left = meta->length - piece.at, most = piece_bytes(netvsp);
        piece.length = left < most ? left : most;
        message->header_len = (uint32_t)rndis_build_piece(
            meta, &piece, message->head, message->head_len, chan->view.offload, chan->view.hash,
            message->header, sizeof(message->header));
        message->at = piece.at;
        message->length = piece.length;
        sub = net_chain_take(netvsp, &chan->data);
        good = fill(chan, sub, message);
        netvsp->length[sub] = message->header_len + piece.length;
        net_chain_add(netvsp, ret_chain, sub);
    }
    while (!good && (sub = net_chain_take(netvsp, ret_chain)) != NET_NONE)
        net_chain_add(netvsp, &chan->data, sub);
    return good;
}

/* Deliver a frame that coalesces() whole, in one packet: the guest puts it together again, and has
 * the work of one frame with it instead of forty. Its checksum is said to be good and is not put
 * in: a guest that passes frames on does not ask for this. 0 also for one that is dropped; -EAGAIN;
 * -EXDEV: it has to be cut after all, being another channel's, or one whose checksum nobody vouches
 * for. */
static int deliver_coalesced(struct net_channel *chan, const struct frame *frame)
{
    struct netvsp *netvsp = chan->netvsp;
    struct frame_meta meta = frame->meta;
    struct net_chain chain = {NET_NONE, NET_NONE, 0};
    uint8_t head[RNDIS_FRAME_HEAD];
    struct message message = {.head = head, .head_len = sizeof(head), .data = frame->data};
    uint32_t pieces = pieces_of(netvsp, &meta), sub;

    if (meta.length < sizeof(head))
        return -EXDEV; /* no large segment, whatever it says */
    gmem_iov_read(frame->data, 2, 0, head, sizeof(head));
    if (!rndis_vouches(&meta, head, sizeof(head), chan->view.offload))
        return -EXDEV;
    if (!rndis_filter_pass(&chan->view.filter, head)) {
        net_count(&chan->count.filtered_in, 1);
        return 0;
    }
    if (net_rss_choose(chan, head, sizeof(head), &meta.hash) != chan)
        return -EXDEV;
    if (chan->data.count < pieces ||
        (chan->batch.ranges + pieces > batch_max(netvsp) && send_batch(chan) == -EAGAIN))
        return -EAGAIN;
    if (!fill_pieces(chan, &meta, &message, &chain)) {
        net_count(&chan->count.dropped_in, 1);
        return 0;
    }
    while ((sub = net_chain_take(netvsp, &chain)) != NET_NONE)
        gather(chan, sub, netvsp->length[sub]);
    net_count_moved(chan, &chan->count.in, head, meta.length);
    return 0;
}

/* --- Queues */

static void stall(struct net_channel *chan)
{
    if (!chan->stalled)
        net_count(&chan->count.stalls_in, 1);
    chan->stalled = true;
    net_rss_starve(chan);
}

void net_rx_drop(struct net_queue *queue)
{
    queue->pending = queue->cutting = queue->cut = false;
}

/* Deliver the pending frame piece by piece. */
static int deliver_pieces(struct net_channel *chan, struct net_queue *queue)
{
    for (;;) {
        if (!queue->cut) {
            int len =
                segment_next(&queue->segmenter, queue->bytes, sizeof(queue->bytes), &queue->piece);
            if (len < 0)
                net_count(&chan->count.dropped_in, 1);
            if (len <= 0)
                return 0;
            queue->cut = true;
        }
        const struct iovec data[2] = {{queue->bytes, queue->piece.length}, {NULL, 0}};
        int error = deliver(chan, &queue->piece, data);
        if (error)
            return error;
        queue->cut = false;
    }
}

/* Deliver the pending frame. */
static int deliver_pending(struct net_channel *chan, struct net_queue *queue)
{
    const struct netvsp *netvsp = chan->netvsp;
    uint32_t mtu = atomic_load(&netvsp->mtu);

    if (!atomic_load(&netvsp->filter) || !net_receivable(chan)) {
        net_count(&chan->count.filtered_in, 1);
        return 0;
    }
    if (!queue->cutting && coalesces(chan, &queue->frame.meta)) {
        int error = deliver_coalesced(chan, &queue->frame);
        if (error != -EXDEV)
            return error;
    }
    if (!queue->cutting && segment_needed(&queue->frame.meta, PORT_CAP_VLAN, mtu)) {
        if (segment_begin(&queue->segmenter, &queue->frame, PORT_CAP_VLAN, mtu)) {
            net_count(&chan->count.dropped_in, 1);
            return 0;
        }
        queue->cutting = true;
    }
    return queue->cutting ? deliver_pieces(chan, queue)
                          : deliver(chan, &queue->frame.meta, queue->frame.data);
}

static void broken(struct net_channel *chan, struct net_queue *queue)
{
    queue->broken = true;
    lane_unwatch(chan->lane, &queue->data);
    log_guest(&chan->netvsp->log_limit, "netvsp: the switch broke queue %u of the port ring",
              (unsigned)(queue - chan->netvsp->queue));
}

/* Move up to `max` frames. How many; the queue is empty when it is less; -EAGAIN stalled. */
static int move(struct net_channel *chan, struct net_queue *queue, int max)
{
    int moved = 0;

    for (; moved < max; moved++) {
        if (!queue->pending) {
            int ranges = port_queue_pull(queue->in, &queue->frame.meta, queue->frame.data);
            if (ranges < 0)
                broken(chan, queue);
            if (ranges <= 0)
                return moved;
            if (ranges == 1)
                queue->frame.data[1] = (struct iovec){NULL, 0};
            queue->pending = true;
        }
        if (deliver_pending(chan, queue))
            return -EAGAIN;
        net_rx_drop(queue);
    }
    return moved;
}

/* True if the queue has more and nothing stands in the way. */
static bool pump_queue(struct net_channel *chan, struct net_queue *queue)
{
    int moved = move(chan, queue, PUMP_FRAMES);

    net_count(&chan->count.no_buffer_in, port_queue_take_missed(queue->in));
    if (!queue->pending && port_queue_release(queue->in))
        port_queue_ring_room(queue->in);
    if (moved == -EAGAIN) {
        stall(chan);
        return false;
    }
    if (queue->broken)
        return false;
    if (moved == PUMP_FRAMES)
        return true;
    if (!port_queue_arm(queue->in))
        return false;
    port_queue_disarm(queue->in);
    return true;
}

void net_rx_pump(struct net_channel *chan)
{
    bool more = false;

    chan->stalled = false;
    net_enter(chan);
    look(chan);
    if (net_receivable(chan)) {
        net_rss_collect(chan);
        if (chan->channel && !gather_arrived(chan))
            stall(chan);
    }
    for (unsigned i = 0; i < chan->netvsp->queues && !chan->stalled; i++)
        if (chan->netvsp->queue[i].owner == chan && !chan->netvsp->queue[i].broken)
            more |= pump_queue(chan, &chan->netvsp->queue[i]);
    if (chan->channel && net_receivable(chan) && send_batch(chan) == -EAGAIN)
        stall(chan);
    net_leave(chan);
    net_rss_flush(chan);
    if (more && !chan->stalled)
        lane_post(chan->lane, &chan->pump);
}
