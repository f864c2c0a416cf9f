/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OIDs about offloads: what there is, what is on, what a guest wants on.
 *
 * Linux takes TCP only with TCP options (IPv4), and options and extension headers (IPv6), so all
 * are announced; rndis_frame.c drops the frames whose headers are longer than it looks.
 */
#include <string.h>

#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

/* --- Telling */

static struct ndis_checksum describe(bool ip, bool tcp, bool udp)
{
    struct ndis_checksum ret = {0};

    if (ip)
        ret.flags |= NDIS_CSUM_IP;
    if (tcp)
        ret.flags |= NDIS_CSUM_TCP | NDIS_CSUM_TCP_OPTIONS | NDIS_CSUM_IP_OPTIONS;
    if (udp)
        ret.flags |= NDIS_CSUM_UDP;
    if (ret.flags)
        ret.encapsulation = NDIS_ETHERNET;
    return ret;
}

static struct ndis_lso describe_lso(bool on)
{
    if (!on)
        return (struct ndis_lso){0};
    return (struct ndis_lso){NDIS_ETHERNET, NDIS_LSO_MAX_SIZE, NDIS_LSO_MIN_SEGMENTS};
}

uint32_t rndis_offload_describe(uint32_t offload, unsigned revision, struct rndis_answer *answer)
{
    static const uint16_t sizes[] = {NDIS_OFFLOAD_SIZE_1, NDIS_OFFLOAD_SIZE_2, NDIS_OFFLOAD_SIZE_3};
    const struct ndis_offload ret = {
        .header = {NDIS_TYPE_OFFLOAD, (uint8_t)revision, sizes[revision - 1]},
        .tx4 = describe(offload & RNDIS_OFFLOAD_TX_IP4, offload & RNDIS_OFFLOAD_TX_TCP4,
                        offload & RNDIS_OFFLOAD_TX_UDP4),
        .rx4 = describe(offload & RNDIS_OFFLOAD_RX_IP4, offload & RNDIS_OFFLOAD_RX_TCP4,
                        offload & RNDIS_OFFLOAD_RX_UDP4),
        .tx6 = describe(false, offload & RNDIS_OFFLOAD_TX_TCP6, offload & RNDIS_OFFLOAD_TX_UDP6),
        .rx6 = describe(false, offload & RNDIS_OFFLOAD_RX_TCP6, offload & RNDIS_OFFLOAD_RX_UDP6),
        .lso4 = describe_lso(offload & RNDIS_OFFLOAD_LSO4),
        .lso6 = describe_lso(offload & RNDIS_OFFLOAD_LSO6),
        .rsc4 = (offload & RNDIS_OFFLOAD_RSC4) != 0,
        .rsc6 = (offload & RNDIS_OFFLOAD_RSC6) != 0,
        .lso6_flags = offload & RNDIS_OFFLOAD_LSO6 ? NDIS_LSO_EXTENSIONS | NDIS_LSO_TCP_OPTIONS : 0,
    };

    return rndis_answer_put(answer, &ret, sizes[revision - 1]);
}

unsigned rndis_offload_revision(uint32_t ndis)
{
    return ndis >= NDIS_6_30 ? 3 : ndis >= NDIS_6_1 ? 2 : 1;
}

/* Linux sends the structure's header with the query, and takes no newer revision than it says. */
static unsigned asked_revision(const struct rndis *rndis, const struct rndis_info *info)
{
    unsigned revision = rndis_offload_revision(rndis->ndis);
    struct ndis_header header;

    if (rndis_info_take(info, &header, sizeof(header)) == RNDIS_SUCCESS &&
        header.type == NDIS_TYPE_OFFLOAD && header.revision >= 1 && header.revision < revision)
        revision = header.revision;
    return revision;
}

uint32_t rndis_query_offload(struct rndis *rndis, const struct rndis_oid *oid,
                             const struct rndis_info *info, struct rndis_answer *answer)
{
    (void)oid;
    return rndis_offload_describe(rndis->offload, asked_revision(rndis, info), answer);
}

uint32_t rndis_query_capabilities(struct rndis *rndis, const struct rndis_oid *oid,
                                  const struct rndis_info *info, struct rndis_answer *answer)
{
    (void)oid;
    return rndis_offload_describe(rndis->can, asked_revision(rndis, info), answer);
}

/* --- Setting */

void rndis_offload_apply(struct rndis *rndis, uint32_t offload)
{
    offload &= rndis->can;
    if (offload != rndis->offload)
        rndis->changed |= RNDIS_CHANGED_OFFLOAD;
    rndis->offload = offload;
}

/* What one byte of the parameters does to `offload`. */
static bool set_checksum(uint8_t code, uint32_t tx, uint32_t rx, uint32_t *offload)
{
    if (code > NDIS_CSUM_SET_BOTH)
        return false;
    if (code == NDIS_CSUM_SET_KEEP)
        return true;
    *offload &= ~(tx | rx);
    if (code == NDIS_CSUM_SET_TX || code == NDIS_CSUM_SET_BOTH)
        *offload |= tx;
    if (code == NDIS_CSUM_SET_RX || code == NDIS_CSUM_SET_BOTH)
        *offload |= rx;
    return true;
}

static bool set_simple(uint8_t code, uint32_t bit, uint32_t *offload)
{
    if (code > NDIS_SET_ON)
        return false;
    if (code == NDIS_SET_OFF)
        *offload &= ~bit;
    if (code == NDIS_SET_ON)
        *offload |= bit;
    return true;
}

uint32_t rndis_set_offload(struct rndis *rndis, const struct rndis_info *info)
{
    struct ndis_offload_parameters want;
    struct ndis_offload_more more = {0};
    uint32_t offload = rndis->offload;
    const uint8_t *behind = rndis_info_at(info, sizeof(want), sizeof(more));

    if (rndis_info_take(info, &want, sizeof(want)) != RNDIS_SUCCESS)
        return RNDIS_BUFFER_TOO_SHORT;
    if (behind)
        memcpy(&more, behind, sizeof(more));
    if (want.header.type != NDIS_TYPE_DEFAULT ||
        !set_checksum(want.ip4, RNDIS_OFFLOAD_TX_IP4, RNDIS_OFFLOAD_RX_IP4, &offload) ||
        !set_checksum(want.tcp4, RNDIS_OFFLOAD_TX_TCP4, RNDIS_OFFLOAD_RX_TCP4, &offload) ||
        !set_checksum(want.udp4, RNDIS_OFFLOAD_TX_UDP4, RNDIS_OFFLOAD_RX_UDP4, &offload) ||
        !set_checksum(want.tcp6, RNDIS_OFFLOAD_TX_TCP6, RNDIS_OFFLOAD_RX_TCP6, &offload) ||
        !set_checksum(want.udp6, RNDIS_OFFLOAD_TX_UDP6, RNDIS_OFFLOAD_RX_UDP6, &offload) ||
        !set_simple(want.lso4, RNDIS_OFFLOAD_LSO4, &offload) ||
        !set_simple(want.lso6, RNDIS_OFFLOAD_LSO6, &offload) ||
        !set_simple(more.rsc4, RNDIS_OFFLOAD_RSC4, &offload) ||
        !set_simple(more.rsc6, RNDIS_OFFLOAD_RSC6, &offload))
        return RNDIS_INVALID_DATA;
    rndis_offload_apply(rndis, offload);
    return RNDIS_SUCCESS;
}

/* --- Encapsulation */

#define ENCAPSULATION_ON 1u

/* There is only Ethernet. */
uint32_t rndis_query_encapsulation(struct rndis *rndis, const struct rndis_oid *oid,
                                   const struct rndis_info *info, struct rndis_answer *answer)
{
    const struct ndis_encapsulation ret = {
        .header = {NDIS_TYPE_ENCAPSULATION, 1, sizeof(ret)},
        .enabled4 = ENCAPSULATION_ON,
        .encapsulation4 = NDIS_ETHERNET,
        .header4 = FRAME_ETHERNET,
        .enabled6 = ENCAPSULATION_ON,
        .encapsulation6 = NDIS_ETHERNET,
        .header6 = FRAME_ETHERNET,
    };

    (void)rndis;
    (void)oid;
    (void)info;
    return rndis_answer_put(answer, &ret, sizeof(ret));
}

uint32_t rndis_set_encapsulation(struct rndis *rndis, const struct rndis_info *info)
{
    struct ndis_encapsulation want;

    (void)rndis;
    if (rndis_info_take(info, &want, sizeof(want)) != RNDIS_SUCCESS)
        return RNDIS_BUFFER_TOO_SHORT;
    if (want.header.type != NDIS_TYPE_ENCAPSULATION ||
        (want.enabled4 == ENCAPSULATION_ON && !(want.encapsulation4 & NDIS_ETHERNET)) ||
        (want.enabled6 == ENCAPSULATION_ON && !(want.encapsulation6 & NDIS_ETHERNET)))
        return RNDIS_INVALID_DATA;
    return RNDIS_SUCCESS;
}
