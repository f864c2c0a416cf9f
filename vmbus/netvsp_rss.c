/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive side scaling: frames go to the channel that the guest's own hash key and table name.
 *
 * The switch chooses a queue of the port by a hash of its own, and the queue's channel takes the
 * frame off and writes it into one of its suballocations; if the table names another channel, the
 * suballocation changes hands: it goes to that channel's `arrived`, is sent on that channel's ring,
 * and when the guest has completed it, to `returned` of the channel whose it is. A flow comes out
 * of one queue, and a list keeps the order of what one lane puts in, so flows stay in order.
 *
 * The two lists are heads of chains by netvsp->next that any lane pushes to and one lane takes
 * whole. Each suballocation has a holder, written by the holder alone: to give it away, it first
 * says that it is on its way. All of this happens inside net_enter(); the lists are emptied when a
 * new receive buffer comes, while nobody is inside.
 */
#include <string.h>

#include "vmbus/netvsp_priv.h"

/* --- Lists */

static void push(struct netvsp *netvsp, _Atomic uint32_t *list, uint32_t sub)
{
    uint32_t first = atomic_load(list);

    atomic_store(&netvsp->holder[sub], NET_ON_ITS_WAY);
    do
        netvsp->next[sub] = first;
    while (!atomic_compare_exchange_weak(list, &first, sub));
}

/* All that is in the list, oldest first. */
static uint32_t take_all(struct netvsp *netvsp, _Atomic uint32_t *list)
{
    uint32_t oldest = NET_NONE, next;

    if (atomic_load(list) == NET_NONE)
        return NET_NONE;
    for (uint32_t sub = atomic_exchange(list, NET_NONE); sub != NET_NONE; sub = next) {
        next = netvsp->next[sub];
        netvsp->next[sub] = oldest;
        oldest = sub;
    }
    return oldest;
}

/* Those for control messages have no home, and what is left over when all have their share has
 * none either. */
void net_rss_renew(struct netvsp *netvsp)
{
    uint32_t end = netvsp->control_subs + netvsp->shares * netvsp->share;

    for (uint32_t sub = 0; sub < netvsp->subs; sub++) {
        bool shared = sub >= netvsp->control_subs && sub < end;

        netvsp->head[sub] = false;
        atomic_store_explicit(&netvsp->holder[sub],
                              shared ? (uint8_t)net_home(netvsp, sub)->index : NET_ON_ITS_WAY,
                              memory_order_relaxed);
    }
    for (unsigned i = 0; i < netvsp->channels; i++) {
        atomic_store(&netvsp->channel[i].arrived, NET_NONE);
        atomic_store(&netvsp->channel[i].returned, NET_NONE);
    }
}

/* --- Out and home */

struct net_channel *net_rss_choose(struct net_channel *chan, const uint8_t *head, uint32_t length,
                                   uint32_t *ret_hash)
{
    const struct rndis_rss *rss = &chan->view.rss;
    struct netvsp *netvsp = chan->netvsp;

    *ret_hash = 0;
    if (!rss->enabled || !rss_hash(&chan->key, rss->hash, head, length, ret_hash))
        return chan;
    unsigned index = rss->table[*ret_hash & (rss->entries - 1)];
    if (index >= netvsp->channels || !atomic_load(&netvsp->channel[index].open))
        return chan;
    return &netvsp->channel[index];
}

void net_rss_steer(struct net_channel *chan, struct net_channel *to, uint32_t sub, uint32_t length)
{
    chan->netvsp->length[sub] = length;
    push(chan->netvsp, &to->arrived, sub);
    chan->steered |= 1u << to->index;
}

void net_rss_flush(struct net_channel *chan)
{
    for (; chan->steered; chan->steered &= chan->steered - 1) {
        struct net_channel *to = &chan->netvsp->channel[__builtin_ctz(chan->steered)];
        lane_post(to->lane, &to->pump);
    }
}

void net_rss_free(struct net_channel *chan, uint32_t sub)
{
    struct net_channel *home = net_home(chan->netvsp, sub);

    if (home == chan) {
        net_chain_add(chan->netvsp, &chan->data, sub);
        return;
    }
    push(chan->netvsp, &home->returned, sub);
    if (atomic_load(&home->starved) && atomic_exchange(&home->starved, false))
        lane_post(home->lane, &home->pump);
}

void net_rss_starve(struct net_channel *chan)
{
    atomic_store(&chan->starved, true);
    if (atomic_load(&chan->returned) != NET_NONE)
        lane_post(chan->lane, &chan->pump);
}

/* --- In */

void net_rss_collect(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;
    bool wanted = chan->channel && atomic_load(&netvsp->filter);
    uint32_t next;

    for (uint32_t sub = take_all(netvsp, &chan->returned); sub != NET_NONE; sub = next) {
        next = netvsp->next[sub];
        atomic_store(&netvsp->holder[sub], (uint8_t)chan->index);
        netvsp->head[sub] = false;
        net_chain_add(netvsp, &chan->data, sub);
    }
    for (uint32_t sub = take_all(netvsp, &chan->arrived); sub != NET_NONE; sub = next) {
        next = netvsp->next[sub];
        atomic_store(&netvsp->holder[sub], (uint8_t)chan->index);
        if (wanted)
            net_chain_add(netvsp, &chan->backlog, sub);
        else
            net_rss_free(chan, sub);
    }
}

void net_rss_closed(struct net_channel *chan)
{
    struct netvsp *netvsp = chan->netvsp;

    atomic_store(&chan->open, false);
    net_enter(chan);
    if (net_receivable(chan)) {
        net_rss_collect(chan);
        for (uint32_t sub = netvsp->control_subs; sub < netvsp->subs; sub++)
            if (atomic_load_explicit(&netvsp->holder[sub], memory_order_relaxed) == chan->index &&
                net_home(netvsp, sub) != chan)
                net_rss_free(chan, sub);
    }
    chan->backlog = (struct net_chain){NET_NONE, NET_NONE, 0};
    net_leave(chan);
}
