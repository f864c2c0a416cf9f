/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The OIDs that there are: one line each. What is not in the list does not exist for a guest, and
 * what a guest's NDIS version does not know is not in its list.
 *
 * A vmswitch once crashed on an OID whose structure held a pointer that it believed
 * (CVE-2021-28476), hence a list of what is let in, and no OID here has a pointer.
 */
#include <string.h>

#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

static rndis_query query_list;

#define COUNTER(field) ((uint32_t)offsetof(struct rndis_stats, field))

static const struct rndis_oid oids[] = {
    {OID_SUPPORTED_LIST, NDIS_5, query_list, NULL, 0},
    {OID_HARDWARE_STATUS, NDIS_5, rndis_query_value, NULL, 0},
    {OID_MEDIA_SUPPORTED, NDIS_5, rndis_query_value, NULL, RNDIS_MEDIUM_ETHERNET},
    {OID_MEDIA_IN_USE, NDIS_5, rndis_query_value, NULL, RNDIS_MEDIUM_ETHERNET},
    {OID_MAXIMUM_LOOKAHEAD, NDIS_5, rndis_query_mtu, NULL, 0},
    {OID_MAXIMUM_FRAME_SIZE, NDIS_5, rndis_query_mtu, NULL, 0},
    {OID_LINK_SPEED, NDIS_5, rndis_query_speed, NULL, 0},
    {OID_TRANSMIT_BUFFER_SPACE, NDIS_5, rndis_query_value, NULL, NDIS_BUFFER_SPACE},
    {OID_RECEIVE_BUFFER_SPACE, NDIS_5, rndis_query_value, NULL, NDIS_BUFFER_SPACE},
    {OID_TRANSMIT_BLOCK_SIZE, NDIS_5, rndis_query_mtu, NULL, FRAME_ETHERNET},
    {OID_RECEIVE_BLOCK_SIZE, NDIS_5, rndis_query_mtu, NULL, FRAME_ETHERNET},
    {OID_VENDOR_ID, NDIS_5, rndis_query_value, NULL, NDIS_VENDOR},
    {OID_VENDOR_DESCRIPTION, NDIS_5, rndis_query_vendor, NULL, 0},
    {OID_CURRENT_PACKET_FILTER, NDIS_5, rndis_query_filter, rndis_set_filter, 0},
    {OID_CURRENT_LOOKAHEAD, NDIS_5, rndis_query_mtu, rndis_set_u32, 0},
    {OID_DRIVER_VERSION, NDIS_5, rndis_query_u16, NULL, NDIS_DRIVER_VERSION},
    {OID_MAXIMUM_TOTAL_SIZE, NDIS_5, rndis_query_mtu, NULL, FRAME_ETHERNET},
    {OID_PROTOCOL_OPTIONS, NDIS_5, NULL, rndis_set_u32, 0},
    {OID_MAC_OPTIONS, NDIS_5, rndis_query_value, NULL, NDIS_MAC_OPTIONS},
    {OID_MEDIA_CONNECT_STATUS, NDIS_5, rndis_query_link, NULL, 0},
    {OID_MAXIMUM_SEND_PACKETS, NDIS_5, rndis_query_value, NULL, UINT32_MAX},
    {OID_VENDOR_DRIVER_VERSION, NDIS_5, rndis_query_value, NULL, NDIS_DRIVER_VERSION},
    {OID_NETWORK_LAYER_ADDRESSES, NDIS_5, NULL, rndis_set_anything, 0},
    {OID_RNDIS_CONFIG_PARAMETER, NDIS_5, NULL, rndis_set_config, 0},
    {OID_XMIT_OK, NDIS_5, rndis_query_counter, NULL, COUNTER(frames_out)},
    {OID_RCV_OK, NDIS_5, rndis_query_counter, NULL, COUNTER(frames_in)},
    {OID_XMIT_ERROR, NDIS_5, rndis_query_counter, NULL, COUNTER(errors_out)},
    {OID_RCV_ERROR, NDIS_5, rndis_query_counter, NULL, COUNTER(errors_in)},
    {OID_RCV_NO_BUFFER, NDIS_5, rndis_query_counter, NULL, COUNTER(no_buffer_in)},
    {OID_STATISTICS, NDIS_6, rndis_query_statistics, NULL, 0},
    {OID_FRIENDLY_NAME, NDIS_5, rndis_query_name, NULL, 0},
    {OID_BYTES_RCV, NDIS_6, rndis_query_counter, NULL, COUNTER(bytes_in)},
    {OID_BYTES_XMIT, NDIS_6, rndis_query_counter, NULL, COUNTER(bytes_out)},
    {OID_PERMANENT_ADDRESS, NDIS_5, rndis_query_permanent, NULL, 0},
    {OID_CURRENT_ADDRESS, NDIS_5, rndis_query_current, NULL, 0},
    {OID_MULTICAST_LIST, NDIS_5, rndis_query_multicast, rndis_set_multicast, 0},
    {OID_MAXIMUM_LIST_SIZE, NDIS_5, rndis_query_value, NULL, LIMIT_NIC_MULTICAST},
    {OID_RCV_ERROR_ALIGNMENT, NDIS_5, rndis_query_value, NULL, 0},
    {OID_XMIT_ONE_COLLISION, NDIS_5, rndis_query_value, NULL, 0},
    {OID_XMIT_MORE_COLLISIONS, NDIS_5, rndis_query_value, NULL, 0},
    {OID_MAX_LINK_SPEED, NDIS_6, rndis_query_max_speed, NULL, 0},
    {OID_LINK_STATE, NDIS_6, rndis_query_link_state, NULL, 0},
    {OID_LINK_PARAMETERS, NDIS_6, NULL, rndis_set_anything, 0},
    {OID_OFFLOAD_ENCAPSULATION, NDIS_6, rndis_query_encapsulation, rndis_set_encapsulation, 0},
    {OID_OFFLOAD_CURRENT_CONFIG, NDIS_6, rndis_query_offload, NULL, 0},
    {OID_OFFLOAD_PARAMETERS, NDIS_6, NULL, rndis_set_offload, 0},
    {OID_OFFLOAD_HARDWARE_CAPABILITIES, NDIS_6, rndis_query_capabilities, NULL, 0},
    {OID_RECEIVE_SCALE_CAPABILITIES, NDIS_6_30, rndis_query_rss, NULL, 0},
    {OID_RECEIVE_SCALE_PARAMETERS, NDIS_6_30, NULL, rndis_set_rss, 0},
};

#define OIDS (sizeof(oids) / sizeof(oids[0]))

_Static_assert(OIDS * sizeof(uint32_t) <= RNDIS_MAX_ANSWER, "the list of OIDs is an answer");

/* --- Helpers */

uint32_t rndis_info_take(const struct rndis_info *info, void *dst, uint32_t size)
{
    if (info->length < size)
        return RNDIS_BUFFER_TOO_SHORT;
    memcpy(dst, info->bytes, size);
    return RNDIS_SUCCESS;
}

const uint8_t *rndis_info_at(const struct rndis_info *info, uint32_t offset, uint32_t length)
{
    if (offset > info->length || length > info->length - offset)
        return NULL;
    return info->bytes + offset;
}

uint32_t rndis_answer_put(struct rndis_answer *answer, const void *bytes, uint32_t size)
{
    memcpy(answer->bytes + answer->length, bytes, size);
    answer->length += size;
    return RNDIS_SUCCESS;
}

/* --- Dispatch */

static bool knows(const struct rndis *rndis, const struct rndis_oid *oid)
{
    return rndis->ndis >= oid->ndis;
}

static uint32_t query_list(struct rndis *rndis, const struct rndis_oid *oid,
                           const struct rndis_info *info, struct rndis_answer *answer)
{
    (void)oid;
    (void)info;
    for (unsigned i = 0; i < OIDS; i++)
        if (knows(rndis, &oids[i]))
            rndis_answer_put(answer, &oids[i].oid, sizeof(oids[i].oid));
    return RNDIS_SUCCESS;
}

/* The line of an OID; NULL if the guest has no such. */
static const struct rndis_oid *find(const struct rndis *rndis, uint32_t oid)
{
    for (unsigned i = 0; i < OIDS; i++)
        if (oids[i].oid == oid)
            return knows(rndis, &oids[i]) ? &oids[i] : NULL;
    return NULL;
}

static bool bad_version(const struct rndis *rndis)
{
    return rndis->ndis < NDIS_5 || rndis->ndis >= NDIS_7;
}

uint32_t rndis_oid_query(struct rndis *rndis, uint32_t oid, const struct rndis_info *info,
                         struct rndis_answer *answer)
{
    const struct rndis_oid *found = find(rndis, oid);

    if (bad_version(rndis))
        return RNDIS_BAD_VERSION;
    return found && found->query ? found->query(rndis, found, info, answer) : RNDIS_NOT_SUPPORTED;
}

uint32_t rndis_oid_set(struct rndis *rndis, uint32_t oid, const struct rndis_info *info)
{
    const struct rndis_oid *found = find(rndis, oid);

    if (bad_version(rndis))
        return RNDIS_BAD_VERSION;
    return found && found->set ? found->set(rndis, info) : RNDIS_NOT_SUPPORTED;
}
