/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OIDs about the adapter itself: sizes, link, addresses, what it receives, counters.
 *
 * Answers have exactly the sizes that Linux, iPXE and Windows check for.
 */
#include <string.h>

#include "src/common/utf16.h"
#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

#define ADDRESS 6u

static const char vendor[] = "vmbusd synthetic network adapter";

/* Every query has these; few want them all. */
#define UNUSED_QUERY() ((void)rndis, (void)oid, (void)info)

static uint32_t put32(struct rndis_answer *answer, uint32_t value)
{
    return rndis_answer_put(answer, &value, sizeof(value));
}

uint32_t rndis_query_value(struct rndis *rndis, const struct rndis_oid *oid,
                           const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return put32(answer, oid->value);
}

uint32_t rndis_query_u16(struct rndis *rndis, const struct rndis_oid *oid,
                         const struct rndis_info *info, struct rndis_answer *answer)
{
    uint16_t value = (uint16_t)oid->value;

    UNUSED_QUERY();
    return rndis_answer_put(answer, &value, sizeof(value));
}

/* oid->value: what is counted besides. */
uint32_t rndis_query_mtu(struct rndis *rndis, const struct rndis_oid *oid,
                         const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return put32(answer, rndis->mtu + oid->value);
}

uint32_t rndis_query_vendor(struct rndis *rndis, const struct rndis_oid *oid,
                            const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return rndis_answer_put(answer, vendor, sizeof(vendor));
}

uint32_t rndis_query_name(struct rndis *rndis, const struct rndis_oid *oid,
                          const struct rndis_info *info, struct rndis_answer *answer)
{
    uint8_t name[NDIS_NAME_UNITS * 2] = {0};

    UNUSED_QUERY();
    utf16_from_utf8(name, NDIS_NAME_UNITS, rndis->name); /* what is no text ends it */
    return rndis_answer_put(answer, name, sizeof(name));
}

/* --- Link */

uint32_t rndis_speed_100(const struct rndis *rndis)
{
    uint64_t speed = rndis->speed / 100;

    return speed < UINT32_MAX ? (uint32_t)speed : UINT32_MAX;
}

uint32_t rndis_query_link(struct rndis *rndis, const struct rndis_oid *oid,
                          const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return put32(answer, rndis->link ? NDIS_CONNECTED : NDIS_DISCONNECTED);
}

uint32_t rndis_query_speed(struct rndis *rndis, const struct rndis_oid *oid,
                           const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return put32(answer, rndis_speed_100(rndis));
}

uint32_t rndis_query_max_speed(struct rndis *rndis, const struct rndis_oid *oid,
                               const struct rndis_info *info, struct rndis_answer *answer)
{
    const uint64_t speed[2] = {rndis->speed, rndis->speed}; /* out, in */

    UNUSED_QUERY();
    return rndis_answer_put(answer, speed, sizeof(speed));
}

uint32_t rndis_query_link_state(struct rndis *rndis, const struct rndis_oid *oid,
                                const struct rndis_info *info, struct rndis_answer *answer)
{
    const struct ndis_link_state state = {
        .header = {NDIS_TYPE_DEFAULT, 1, sizeof(state)},
        .connected = rndis->link ? NDIS_LINK_UP : NDIS_LINK_DOWN,
        .duplex = NDIS_FULL_DUPLEX,
        .xmit_speed = rndis->speed,
        .rcv_speed = rndis->speed,
    };

    UNUSED_QUERY();
    return rndis_answer_put(answer, &state, sizeof(state));
}

/* --- Addresses and filter */

uint32_t rndis_query_permanent(struct rndis *rndis, const struct rndis_oid *oid,
                               const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return rndis_answer_put(answer, rndis->filter.permanent, ADDRESS);
}

uint32_t rndis_query_current(struct rndis *rndis, const struct rndis_oid *oid,
                             const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return rndis_answer_put(answer, rndis->filter.mac, ADDRESS);
}

uint32_t rndis_query_filter(struct rndis *rndis, const struct rndis_oid *oid,
                            const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return put32(answer, rndis->filter.bits);
}

uint32_t rndis_set_filter(struct rndis *rndis, const struct rndis_info *info)
{
    const uint32_t known = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_MULTICAST |
                           RNDIS_FILTER_ALL_MULTICAST | RNDIS_FILTER_BROADCAST |
                           RNDIS_FILTER_PROMISCUOUS;
    uint32_t bits, status = rndis_info_take(info, &bits, sizeof(bits));

    if (status != RNDIS_SUCCESS)
        return status;
    if ((bits & known) != rndis->filter.bits)
        rndis->changed |= RNDIS_CHANGED_FILTER;
    rndis->filter.bits = bits & known;
    return RNDIS_SUCCESS;
}

uint32_t rndis_query_multicast(struct rndis *rndis, const struct rndis_oid *oid,
                               const struct rndis_info *info, struct rndis_answer *answer)
{
    UNUSED_QUERY();
    return rndis_answer_put(answer, rndis->filter.multicast, rndis->filter.multicasts * ADDRESS);
}

uint32_t rndis_set_multicast(struct rndis *rndis, const struct rndis_info *info)
{
    uint32_t count = info->length / ADDRESS;

    if (info->length % ADDRESS != 0)
        return RNDIS_INVALID_DATA;
    if (count > LIMIT_NIC_MULTICAST)
        return RNDIS_MULTICAST_FULL;
    for (uint32_t i = 0; i < count; i++)
        if (!(info->bytes[i * ADDRESS] & 1))
            return RNDIS_INVALID_DATA;
    memcpy(rndis->filter.multicast, info->bytes, info->length);
    rndis->filter.multicasts = count;
    rndis->changed |= RNDIS_CHANGED_FILTER;
    return RNDIS_SUCCESS;
}

/* --- Taken note of */

/* Nothing in this adapter depends on the lookahead or the protocol's options. */
uint32_t rndis_set_u32(struct rndis *rndis, const struct rndis_info *info)
{
    uint32_t value;

    (void)rndis;
    return rndis_info_take(info, &value, sizeof(value));
}

/* Hints about addresses of the layer above, settings of a link that has none. */
uint32_t rndis_set_anything(struct rndis *rndis, const struct rndis_info *info)
{
    (void)rndis;
    (void)info;
    return RNDIS_SUCCESS;
}

/* --- Counters */

static void take_stats(struct rndis *rndis, struct rndis_stats *ret_stats)
{
    *ret_stats = (struct rndis_stats){0};
    if (rndis->stats)
        rndis->stats(rndis->context, ret_stats);
}

uint32_t rndis_query_statistics(struct rndis *rndis, const struct rndis_oid *oid,
                                const struct rndis_info *info, struct rndis_answer *answer)
{
    struct ndis_statistics ret = {
        .header = {NDIS_TYPE_DEFAULT, 1, sizeof(ret)},
        .valid = NDIS_STATISTICS_ALL,
    };
    struct rndis_stats stats;

    UNUSED_QUERY();
    take_stats(rndis, &stats);
    ret.in_discards = stats.no_buffer_in;
    ret.in_errors = stats.errors_in;
    ret.in_bytes = stats.bytes_in;
    ret.out_bytes = stats.bytes_out;
    ret.out_errors = stats.errors_out;
    ret.out_discards = stats.discards_out;
    for (unsigned i = 0; i < RNDIS_CASTS; i++) {
        ret.in_frames[i] = stats.in.frames[i];
        ret.in_bytes_by[i] = stats.in.bytes[i];
        ret.out_frames[i] = stats.out.frames[i];
        ret.out_bytes_by[i] = stats.out.bytes[i];
    }
    return rndis_answer_put(answer, &ret, sizeof(ret));
}

/* oid->value: where in struct rndis_stats. Bytes are 64 bits wide, the rest is cut to 32. */
uint32_t rndis_query_counter(struct rndis *rndis, const struct rndis_oid *oid,
                             const struct rndis_info *info, struct rndis_answer *answer)
{
    bool bytes = oid->oid == OID_BYTES_RCV || oid->oid == OID_BYTES_XMIT;
    struct rndis_stats stats;
    uint64_t value;

    (void)info;
    take_stats(rndis, &stats);
    memcpy(&value, (const uint8_t *)&stats + oid->value, sizeof(value));
    return rndis_answer_put(answer, &value, bytes ? sizeof(uint64_t) : sizeof(uint32_t));
}
