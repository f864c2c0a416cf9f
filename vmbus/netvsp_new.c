/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making and freeing a netvsp, and what is told about one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmbus/netvsp_priv.h"

#define MTU_DEFAULT 1500u

static bool config_good(const struct netvsp_config *config)
{
    static const uint8_t zero[6];

    return config->lanes >= 1 && config->lanes <= LIMIT_PORT_QUEUES &&
           config->lanes <= LIMIT_LANES && config->mtu <= LIMIT_MTU &&
           (!config->mtu || config->mtu >= NET_MTU_MIN) && !(config->mac[0] & 1) &&
           memcmp(config->mac, zero, sizeof(zero)) != 0;
}

struct netvsp *netvsp_new(const struct netvsp_config *config)
{
    struct netvsp *netvsp;

    if (!config_good(config)) {
        errno = EINVAL;
        return NULL;
    }
    netvsp = calloc(1, sizeof(*netvsp));
    if (!netvsp)
        return NULL;
    netvsp->vsp.class = &net_class;
    netvsp->vsp.instance = config->instance;
    netvsp->vsp.lane = config->lane[0];
    netvsp->channels = config->lanes;
    memcpy(netvsp->lane, config->lane, sizeof(netvsp->lane));
    netvsp->max_mtu = config->mtu ? config->mtu : MTU_DEFAULT;
    atomic_store(&netvsp->mtu, netvsp->max_mtu);
    for (unsigned i = 0; i < netvsp->channels; i++) {
        struct net_channel *chan = &netvsp->channel[i];
        chan->netvsp = netvsp;
        chan->lane = config->lane[i];
        chan->index = i;
    }
    net_buffers_init(netvsp);
    net_port_init(netvsp);
    net_control_init(netvsp, config);
    return netvsp;
}

static void nothing(void *context)
{
    (void)context;
}

void netvsp_free(struct netvsp *netvsp)
{
    if (!netvsp)
        return;
    netvsp_detach(netvsp);
    /* Twice: a task of ours that waits on one lane may post one to another. */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < netvsp->channels; i++)
            lane_call(netvsp->lane[i], nothing, NULL);
    free(netvsp);
}

struct vsp *netvsp_vsp(struct netvsp *netvsp)
{
    return &netvsp->vsp;
}

static uint64_t value(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_traffic(struct rndis_traffic *sum, const struct net_traffic *traffic)
{
    for (unsigned i = 0; i < RNDIS_CASTS; i++) {
        sum->frames[i] += value(&traffic->frames[i]);
        sum->bytes[i] += value(&traffic->bytes[i]);
    }
}

static uint64_t total(const uint64_t by[RNDIS_CASTS])
{
    return by[RNDIS_UNICAST] + by[RNDIS_MULTICAST] + by[RNDIS_BROADCAST];
}

void netvsp_stats(const struct netvsp *netvsp, struct netvsp_stats *ret_stats)
{
    struct rndis_traffic in = {0}, out = {0};

    *ret_stats = (struct netvsp_stats){0};
    for (unsigned i = 0; i < netvsp->channels; i++) {
        const struct net_counters *from = &netvsp->channel[i].count;
        add_traffic(&in, &from->in);
        add_traffic(&out, &from->out);
        ret_stats->no_buffer_in += value(&from->no_buffer_in);
        ret_stats->filtered_in += value(&from->filtered_in);
        ret_stats->dropped_in += value(&from->dropped_in);
        ret_stats->dropped_out += value(&from->dropped_out);
        ret_stats->bad_out += value(&from->bad_out);
        ret_stats->ignored_out += value(&from->ignored_out);
        ret_stats->stalls_in += value(&from->stalls_in);
        ret_stats->stalls_out += value(&from->stalls_out);
    }
    ret_stats->frames_in = total(in.frames);
    ret_stats->bytes_in = total(in.bytes);
    ret_stats->frames_out = total(out.frames);
    ret_stats->bytes_out = total(out.bytes);
}

void net_rndis_stats(void *context, struct rndis_stats *ret_stats)
{
    const struct netvsp *netvsp = context;
    struct netvsp_stats stats;

    netvsp_stats(netvsp, &stats);
    *ret_stats = (struct rndis_stats){
        .frames_in = stats.frames_in,
        .bytes_in = stats.bytes_in,
        .frames_out = stats.frames_out,
        .bytes_out = stats.bytes_out,
        .errors_in = stats.dropped_in,
        .errors_out = stats.bad_out,
        .no_buffer_in = stats.no_buffer_in,
        .discards_out = stats.dropped_out,
    };
    for (unsigned i = 0; i < netvsp->channels; i++) {
        add_traffic(&ret_stats->in, &netvsp->channel[i].count.in);
        add_traffic(&ret_stats->out, &netvsp->channel[i].count.out);
    }
}

void netvsp_info(const struct netvsp *netvsp, struct netvsp_info *ret_info)
{
    uint64_t mac = atomic_load(&netvsp->mac);

    *ret_info = (struct netvsp_info){
        .nvsp = atomic_load(&netvsp->version),
        .ndis = atomic_load(&netvsp->ndis),
        .attached = atomic_load(&netvsp->attached),
        .link = atomic_load(&netvsp->link),
        .filter = atomic_load(&netvsp->filter),
        .mtu = atomic_load(&netvsp->mtu),
        .channels = atomic_load(&netvsp->open_channels),
    };
    memcpy(ret_info->mac, &mac, sizeof(ret_info->mac));
}
