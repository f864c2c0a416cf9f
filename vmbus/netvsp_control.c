/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS control messages through netvsp, and link events.
 *
 * What rndis.h answers goes into a suballocation kept for control messages and waits there, in
 * order, for room in the ring. A guest that asks for more answers than there are suballocations has
 * not taken the last sixteen, and loses its channel.
 *
 * Guests take the link as up until told otherwise, and Linux merges changes that follow each other
 * closely, so the link rests between changes. Facts: section 6.2.
 */
#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"

/* --- To the guest */

void net_control_writable(struct netvsp *netvsp)
{
    struct net_channel *primary = &netvsp->channel[0];
    const struct nvsp_message message = {
        .type = NVSP_RNDIS,
        .rndis = {.channel = NVSP_CHANNEL_CONTROL, .section = NVSP_NO_SECTION},
    };
    struct iovec iov = {(void *)(uintptr_t)&message, net_message_size(netvsp)};

    while (netvsp->unsents) {
        const struct vmbus_page_range *range = &netvsp->unsent[netvsp->unsent_first];
        uint32_t sub = range->offset / netvsp->sub_size;
        if (vmbus_channel_send_pages(primary->channel, net_transaction(primary, sub),
                                     netvsp->buffer[NET_RECEIVE].id, range, 1, &iov, 1))
            return;
        netvsp->next[sub] = NET_NONE;
        netvsp->head[sub] = true;
        netvsp->unsent_first = (netvsp->unsent_first + 1) % NET_CONTROL_RESERVE;
        netvsp->unsents--;
    }
}

/* Queue netvsp->reply; it goes out behind the completion of the packet that asked for it. 0, or
 * -EPROTO: the guest has left no room. */
static int send_reply(struct netvsp *netvsp, uint32_t len)
{
    struct net_channel *primary = &netvsp->channel[0];
    struct iovec iov[NET_SUB_IOVECS];

    if (!net_receivable(primary) || len > netvsp->sub_size)
        return -EPROTO;
    uint32_t sub = net_chain_take(netvsp, &netvsp->control);
    if (sub == NET_NONE)
        return -EPROTO;
    int iovs = net_sub_lease(netvsp, sub, len, iov);
    if (iovs < 0)
        return -EPROTO;
    gmem_iov_write(iov, (unsigned)iovs, 0, netvsp->reply, len);
    gmem_release_written(primary->gmem, iov, (unsigned)iovs);
    unsigned at = (netvsp->unsent_first + netvsp->unsents++) % NET_CONTROL_RESERVE;
    netvsp->unsent[at] = (struct vmbus_page_range){len, sub * netvsp->sub_size};
    return 0;
}

/* May something be said that the guest has not asked for? */
static bool may_indicate(struct netvsp *netvsp)
{
    return netvsp->channel[0].channel && !netvsp->closing && netvsp->rndis.initialised &&
           net_receivable(&netvsp->channel[0]) && netvsp->control.count > NET_CONTROL_SPARE;
}

/* --- Link */

void net_link_update(struct netvsp *netvsp)
{
    bool link = atomic_load(&netvsp->plugged);
    uint64_t now = lane_now(), next = netvsp->link_told + NET_LINK_REST_NS;

    netvsp->rndis.link = link;
    if (!netvsp->rndis.initialised || (link == atomic_load(&netvsp->link) && !netvsp->link_due))
        return;
    if (now < next || !may_indicate(netvsp)) {
        lane_timer_arm(netvsp->lane[0], &netvsp->link_timer,
                       now < next ? next - now : NET_LINK_REST_NS);
        return;
    }
    int len = rndis_indicate_link(&netvsp->rndis, netvsp->reply, sizeof(netvsp->reply));
    if (len > 0)
        send_reply(netvsp, (uint32_t)len);
    atomic_store(&netvsp->link, link);
    netvsp->link_told = now;
    netvsp->link_sure = true;
    netvsp->link_due = false;
    net_control_writable(netvsp);
}

void net_link_changed(struct netvsp *netvsp)
{
    netvsp->link_due = !netvsp->link_sure;
    net_link_update(netvsp);
}

static void on_link_timer(struct lane_timer *timer)
{
    net_link_update(container_of(timer, struct netvsp, link_timer));
}

/* --- From the guest */

static void act_on(struct netvsp *netvsp, uint32_t changed)
{
    struct rndis *rndis = &netvsp->rndis;

    net_view_publish(netvsp);
    if (changed & RNDIS_CHANGED_STATE) {
        /* A guest that is new takes the link as up, or asks; from the first change on it is told.
         */
        netvsp->link_sure = netvsp->link_due = false;
        atomic_store(&netvsp->link, rndis->initialised);
        netvsp->link_told = lane_now();
        net_link_update(netvsp);
    }
    if (changed & RNDIS_CHANGED_OFFLOAD && may_indicate(netvsp)) {
        int len = rndis_indicate_offload(rndis, netvsp->reply, sizeof(netvsp->reply));
        if (len > 0)
            send_reply(netvsp, (uint32_t)len);
    }
}

int net_control(struct netvsp *netvsp, uint32_t len)
{
    struct rndis *rndis = &netvsp->rndis;

    rndis->mtu = atomic_load(&netvsp->mtu);
    rndis->ndis = atomic_load(&netvsp->ndis);
    rndis->queues = atomic_load(&netvsp->version) < NVSP_VERSION_5 ? 1 : netvsp->channels;
    rndis->channels = netvsp->subchannels + 1u;
    rndis->link = atomic_load(&netvsp->plugged);
    rndis->changed = 0;
    int reply = rndis_control(rndis, netvsp->request, len, netvsp->reply, sizeof(netvsp->reply));
    if (reply == -EOPNOTSUPP) {
        /* Nobody waits for an answer that the protocol does not have. */
        net_count(&netvsp->channel[0].count.ignored_out, 1);
        log_guest(&netvsp->log_limit, "netvsp: an RNDIS control message of no known type");
        return 0;
    }
    if (reply < 0)
        return -EPROTO;
    int error = reply ? send_reply(netvsp, (uint32_t)reply) : 0;
    if (!error && rndis->changed)
        act_on(netvsp, rndis->changed);
    return error;
}

void net_control_reset(struct netvsp *netvsp)
{
    lane_timer_cancel(netvsp->lane[0], &netvsp->link_timer);
    netvsp->unsents = 0;
    if (atomic_exchange(&netvsp->restarted, false))
        rndis_init(&netvsp->rndis, netvsp->permanent_mac);
    else
        rndis_halt(&netvsp->rndis);
    net_view_publish(netvsp);
    atomic_store(&netvsp->link, false);
}

void net_control_init(struct netvsp *netvsp, const struct netvsp_config *config)
{
    struct rndis *rndis = &netvsp->rndis;

    netvsp->link_timer.fire = on_link_timer;
    rndis->mac_change = config->mac_change;
    rndis->can = RNDIS_OFFLOAD_ALL;
    rndis->mtu = netvsp->max_mtu;
    rndis->speed = config->speed ? config->speed : 10000000000ull;
    rndis->queues = rndis->channels = 1;
    memcpy(rndis->name, config->name, sizeof(rndis->name));
    rndis->name[sizeof(rndis->name) - 1] = '\0';
    if (!rndis->name[0])
        strcpy(rndis->name, "Network Adapter");
    rndis->context = netvsp;
    rndis->stats = net_rndis_stats;
    memcpy(netvsp->permanent_mac, config->mac, sizeof(netvsp->permanent_mac));
    rndis_init(rndis, config->mac);
    net_view_publish(netvsp);
}
