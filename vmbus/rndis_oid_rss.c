/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OIDs about receive side scaling: which channel gets which flow.
 *
 * Table entries are channel indices, as Linux and vmswitch use them. What is set here, netvsp_rss.c
 * goes by.
 */
#include <string.h>

#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

uint32_t rndis_query_rss(struct rndis *rndis, const struct rndis_oid *oid,
                         const struct rndis_info *info, struct rndis_answer *answer)
{
    const struct ndis_rss_capabilities ret = {
        .header = {NDIS_TYPE_RSS_CAPABILITIES, 2, sizeof(ret)},
        .flags = NDIS_RSS_TOEPLITZ | NDIS_RSS_TCP4 | NDIS_RSS_TCP6,
        .interrupts = rndis->queues,
        .queues = rndis->queues,
        .entries = RNDIS_RSS_ENTRIES,
    };

    (void)oid;
    (void)info;
    return rndis_answer_put(answer, &ret, sizeof(ret));
}

static uint32_t take_table(const struct rndis *rndis, const struct rndis_info *info,
                           const struct ndis_rss_parameters *want, struct rndis_rss *rss)
{
    const uint8_t *table = rndis_info_at(info, want->table_offset, want->table_size);
    uint32_t entries = want->table_size / 4, index;

    if (!table)
        return RNDIS_BUFFER_TOO_SHORT;
    if (want->table_size % 4 != 0 || entries == 0 || entries > RNDIS_RSS_ENTRIES ||
        (entries & (entries - 1)) != 0 || want->table_offset < sizeof(*want))
        return RNDIS_INVALID_DATA;
    for (uint32_t i = 0; i < entries; i++) {
        memcpy(&index, table + i * 4, sizeof(index));
        if (index >= rndis->channels || index > UINT8_MAX)
            return RNDIS_INVALID_DATA;
        rss->table[i] = (uint8_t)index;
    }
    rss->entries = entries;
    return RNDIS_SUCCESS;
}

static uint32_t take_key(const struct rndis_info *info, const struct ndis_rss_parameters *want,
                         struct rndis_rss *rss)
{
    const uint8_t *key = rndis_info_at(info, want->key_offset, want->key_size);

    if (!key)
        return RNDIS_BUFFER_TOO_SHORT;
    if (want->key_size != RNDIS_RSS_KEY || want->key_offset < sizeof(*want))
        return RNDIS_INVALID_DATA;
    memcpy(rss->key, key, RNDIS_RSS_KEY);
    return RNDIS_SUCCESS;
}

/* Disabling asks for nothing else. What is "kept" must have been there. */
static uint32_t take_rss(const struct rndis *rndis, const struct rndis_info *info,
                         const struct ndis_rss_parameters *want, struct rndis_rss *rss)
{
    uint32_t status = RNDIS_SUCCESS;

    if (want->flags & NDIS_RSS_DISABLE) {
        rss->enabled = false;
        return RNDIS_SUCCESS;
    }
    if (!(want->flags & NDIS_RSS_KEEP_HASH))
        rss->hash = want->hash;
    if (!(want->flags & NDIS_RSS_KEEP_TABLE))
        status = take_table(rndis, info, want, rss);
    if (status == RNDIS_SUCCESS && !(want->flags & NDIS_RSS_KEEP_KEY))
        status = take_key(info, want, rss);
    if (status == RNDIS_SUCCESS && rss->entries == 0)
        status = RNDIS_INVALID_DATA;
    rss->enabled = true;
    return status;
}

uint32_t rndis_set_rss(struct rndis *rndis, const struct rndis_info *info)
{
    struct rndis_rss rss = rndis->rss;
    struct ndis_rss_parameters want;
    uint32_t status = rndis_info_take(info, &want, sizeof(want));

    if (status == RNDIS_SUCCESS)
        status = take_rss(rndis, info, &want, &rss);
    if (status != RNDIS_SUCCESS)
        return status;
    rndis->rss = rss;
    rndis->changed |= RNDIS_CHANGED_RSS;
    return RNDIS_SUCCESS;
}
