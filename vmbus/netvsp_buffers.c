/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp's receive and send buffers: made, revoked, and accounted for to the last suballocation.
 *
 * A buffer is a GPADL of the primary's. Taking one means to ask the bus, so the guest's message is
 * held meanwhile; revoking one means to wait until no other channel is at it, so that message is
 * held too. A suballocation is free, or in the batch that is being gathered, or in exactly one
 * packet that the guest has not completed; it comes back by the packet's transaction id, whatever
 * the completion says (Linux sends a status, iPXE nothing). The first ones are kept for control
 * messages, the rest is shared out among the channels; those of one may be in use by another
 * meanwhile, see netvsp_rss.c. Facts: section 6.2.
 */
#include <errno.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"

/* --- Entering and leaving */

void net_enter(struct net_channel *chan)
{
    if (chan->index)
        atomic_store(&chan->inside, true);
}

void net_leave(struct net_channel *chan)
{
    if (!chan->index)
        return;
    atomic_store(&chan->inside, false);
    if (atomic_load(&chan->netvsp->revoking))
        lane_post(chan->netvsp->lane[0], &chan->netvsp->revoke);
}

static bool anyone_inside(const struct netvsp *netvsp)
{
    for (unsigned i = 1; i < netvsp->channels; i++)
        if (atomic_load(&netvsp->channel[i].inside))
            return true;
    return false;
}

/* --- Suballocations */

uint32_t net_chain_take(struct netvsp *netvsp, struct net_chain *chain)
{
    uint32_t sub = chain->first;

    if (sub != NET_NONE) {
        chain->first = netvsp->next[sub];
        chain->count--;
    }
    return sub;
}

void net_chain_add(struct netvsp *netvsp, struct net_chain *chain, uint32_t sub)
{
    netvsp->next[sub] = NET_NONE;
    if (chain->first == NET_NONE)
        chain->first = sub;
    else
        netvsp->next[chain->last] = sub;
    chain->last = sub;
    chain->count++;
}

static const struct net_chain nothing = {NET_NONE, NET_NONE, 0};

/* The receive buffer is a new one, or the channel was opened again: all of its share is free that
 * is not with others. */
static void renew(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    uint32_t from = netvsp->control_subs + chan->index * netvsp->share;
    uint32_t to = chan->index < netvsp->shares ? from + netvsp->share : from;

    chan->generation = atomic_load(&netvsp->generation);
    chan->data = chan->backlog = chan->batch.chain = nothing;
    chan->batch.ranges = 0;
    for (uint32_t sub = from; sub < to; sub++) {
        if (atomic_load_explicit(&netvsp->holder[sub], memory_order_relaxed) != chan->index)
            continue;
        netvsp->head[sub] = false;
        net_chain_add(netvsp, &chan->data, sub);
    }
    if (chan->index)
        return;
    netvsp->control = nothing;
    for (uint32_t sub = 0; sub < netvsp->control_subs; sub++)
        net_chain_add(netvsp, &netvsp->control, sub);
}

bool net_receivable(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;

    if (!atomic_load(&netvsp->buffer[NET_RECEIVE].usable))
        return false;
    if (chan->generation != atomic_load(&netvsp->generation))
        renew(chan);
    return true;
}

int net_sub_lease(const struct netvsp *netvsp, uint32_t sub, uint32_t length, struct iovec *iov)
{
    return vmbus_buffer_lease(&netvsp->buffer[NET_RECEIVE].memory, sub * netvsp->sub_size, length,
                              iov, NET_SUB_IOVECS);
}

uint64_t net_transaction(const struct net_channel *chan, uint32_t sub)
{
    return (uint64_t)chan->generation << 32 | (sub + 1);
}

int net_complete(struct net_channel *chan, uint64_t transaction_id)
{
    struct netvsp *netvsp = chan->netvsp;
    uint32_t generation = (uint32_t)(transaction_id >> 32), sub = (uint32_t)transaction_id - 1;
    uint32_t next;

    if (!generation || generation > atomic_load(&netvsp->generation))
        return -EPROTO;
    if (!net_receivable(chan) || generation != chan->generation)
        return 0; /* late, of a buffer that has been revoked */
    bool control = !chan->index && sub < netvsp->control_subs;
    if (sub >= netvsp->subs || !(control || atomic_load(&netvsp->holder[sub]) == chan->index) ||
        !netvsp->head[sub])
        return -EPROTO;
    netvsp->head[sub] = false;
    for (; sub != NET_NONE; sub = next) {
        next = netvsp->next[sub];
        if (control)
            net_chain_add(netvsp, &netvsp->control, sub);
        else
            net_rss_free(chan, sub);
    }
    return 0;
}

/* --- Taking */

static void on_answer(struct vmbus_buffer *memory, int error)
{
    struct net_buffer *buffer = container_of(memory, struct net_buffer, memory);
    struct net_channel *primary = vmbus_channel_private(memory->channel);

    buffer->state = error ? BUFFER_REFUSED : BUFFER_FOUND;
    if (primary->netvsp->closing)
        net_closed(primary->netvsp);
    else
        vmbus_channel_resume(memory->channel);
}

static bool lay_out(struct netvsp *netvsp, struct nvsp_message *answer)
{
    uint32_t bytes = netvsp->buffer[NET_RECEIVE].memory.size;
    uint32_t size = RNDIS_BUILD_MAX + NVSP_ETHERNET + NET_VLAN_TAG + atomic_load(&netvsp->mtu);

    size = (size + 7) & ~7u;
    netvsp->sub_size = size < NET_SUBALLOCATION_MIN ? NET_SUBALLOCATION_MIN : size;
    netvsp->subs = bytes / netvsp->sub_size;
    if (netvsp->subs > NET_SUBALLOCATIONS)
        netvsp->subs = NET_SUBALLOCATIONS;
    netvsp->control_subs = netvsp->subs / 2;
    if (netvsp->control_subs > NET_CONTROL_RESERVE)
        netvsp->control_subs = NET_CONTROL_RESERVE;
    netvsp->shares = atomic_load(&netvsp->version) < NVSP_VERSION_5 ? 1 : netvsp->channels;
    netvsp->share = (netvsp->subs - netvsp->control_subs) / netvsp->shares;
    if (!netvsp->share) {
        netvsp->shares = 1;
        netvsp->share = netvsp->subs - netvsp->control_subs;
    }
    answer->receive_buffer_complete.sections = 1;
    answer->receive_buffer_complete.size = netvsp->sub_size;
    answer->receive_buffer_complete.count = netvsp->subs;
    answer->receive_buffer_complete.end = netvsp->subs * netvsp->sub_size;
    return netvsp->control_subs;
}

/* The bus has found it: say what it is used as. */
static int found(struct netvsp *netvsp, enum net_buffer_kind kind, struct nvsp_message *answer)
{
    struct net_buffer *buffer = &netvsp->buffer[kind];
    bool good;

    if (kind == NET_RECEIVE) {
        good = lay_out(netvsp, answer);
    } else {
        good = buffer->memory.size >= NET_SECTION;
        answer->send_buffer_complete.section_size = NET_SECTION;
    }
    if (!good) {
        vmbus_buffer_release(&buffer->memory);
        buffer->state = BUFFER_NONE;
        answer->status = NVSP_FAILURE;
        return 0;
    }
    if (kind == NET_RECEIVE) {
        net_rss_renew(netvsp);
        atomic_fetch_add(&netvsp->generation, 1);
    }
    buffer->state = BUFFER_READY;
    atomic_store(&buffer->usable, true);
    answer->status = NVSP_SUCCESS;
    return 0;
}

int net_buffer_take(struct netvsp *netvsp, const struct nvsp_message *message,
                    struct nvsp_message *answer)
{
    enum net_buffer_kind kind = message->type == NVSP_SEND_BUFFER ? NET_SEND : NET_RECEIVE;
    struct net_buffer *buffer = &netvsp->buffer[kind];

    answer->type = message->type + 1;
    switch (buffer->state) {
    case BUFFER_NONE:
        if (!atomic_load(&netvsp->ndis))
            return -EPROTO;
        buffer->id = message->buffer.id;
        buffer->state = BUFFER_ASKED;
        vmbus_buffer_hold(&buffer->memory, netvsp->channel[0].channel, message->buffer.gpadl,
                          on_answer);
        return -EAGAIN;
    case BUFFER_ASKED:
        return -EAGAIN;
    case BUFFER_REFUSED:
        buffer->state = BUFFER_NONE;
        answer->status = NVSP_FAILURE;
        return 0;
    case BUFFER_FOUND:
        return found(netvsp, kind, answer);
    case BUFFER_READY:
        break;
    }
    return -EPROTO; /* twice */
}

/* --- Revoking */

static void let_go(struct net_buffer *buffer)
{
    atomic_store(&buffer->usable, false);
    if (buffer->state == BUFFER_FOUND || buffer->state == BUFFER_READY)
        vmbus_buffer_release(&buffer->memory);
    buffer->state = BUFFER_NONE;
}

int net_buffer_revoke(struct netvsp *netvsp, const struct nvsp_message *message)
{
    struct net_buffer *buffer =
        &netvsp->buffer[message->type == NVSP_REVOKE_SEND_BUFFER ? NET_SEND : NET_RECEIVE];

    if (buffer->state != BUFFER_READY || message->revoke.id != buffer->id)
        return -EPROTO;
    atomic_store(&buffer->usable, false);
    atomic_store(&netvsp->revoking, true);
    if (anyone_inside(netvsp))
        return -EAGAIN;
    atomic_store(&netvsp->revoking, false);
    if (buffer == &netvsp->buffer[NET_RECEIVE])
        netvsp->unsents = 0;
    let_go(buffer);
    return 0;
}

bool net_buffers_close(struct netvsp *netvsp)
{
    bool asked = false;

    /* The other channels are closed: nobody is inside. */
    for (unsigned kind = 0; kind < NET_BUFFERS; kind++) {
        if (netvsp->buffer[kind].state == BUFFER_ASKED)
            asked = true;
        else
            let_go(&netvsp->buffer[kind]);
    }
    return !asked;
}

static void on_revoke(struct lane_task *task)
{
    struct netvsp *netvsp = container_of(task, struct netvsp, revoke);

    if (netvsp->channel[0].channel)
        vmbus_channel_resume(netvsp->channel[0].channel);
}

void net_buffers_init(struct netvsp *netvsp)
{
    netvsp->revoke.run = on_revoke;
}
