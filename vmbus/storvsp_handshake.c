/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp's handshake: versions, properties, subchannels, resets.
 *
 * The order is fixed (facts 6.1); what comes out of order is refused and changes nothing. It is all
 * on the primary channel; subchannels get no handshake.
 */
#include "vmbus/storvsp_priv.h"

static bool known_version(uint16_t version)
{
    return version == STOR_VERSION_2_0 || version == STOR_VERSION_4_2 ||
           version == STOR_VERSION_5_1 || version == STOR_VERSION_6_0;
}

static unsigned max_subchannels(const struct storvsp *storvsp)
{
    return atomic_load(&storvsp->version) >= STOR_VERSION_5_1 ? storvsp->channels - 1 : 0;
}

static uint32_t query_version(struct storvsp *storvsp, struct stor_packet *packet)
{
    if (atomic_load(&storvsp->state) != STATE_BEGUN)
        return STOR_INVALID_DEVICE_STATE;
    if (!known_version(packet->version))
        return STOR_REVISION_MISMATCH;
    atomic_store(&storvsp->version, packet->version);
    atomic_store(&storvsp->state, STATE_VERSION);
    return STOR_SUCCESS;
}

static uint32_t query_properties(struct storvsp *storvsp, struct stor_packet *packet)
{
    unsigned subchannels = max_subchannels(storvsp);

    if (atomic_load(&storvsp->state) != STATE_VERSION)
        return STOR_INVALID_DEVICE_STATE;
    packet->properties = (struct stor_properties){
        .max_subchannels = (uint16_t)subchannels,
        .flags = subchannels ? STOR_PROPERTY_MULTI_CHANNEL : 0,
        .max_transfer = LIMIT_DISK_TRANSFER,
    };
    atomic_store(&storvsp->state, STATE_PROPERTIES);
    return STOR_SUCCESS;
}

/* Offer what was asked for. A subchannel is ready the moment it is open, so not before the primary
 * is. */
static void offer_subchannels(struct storvsp *storvsp)
{
    if (storvsp->subchannels && atomic_load(&storvsp->state) == STATE_READY)
        vsp_make_subchannels(&storvsp->vsp, storvsp->subchannels, storvsp->lane + 1);
}

static uint32_t create_subchannels(struct storvsp *storvsp, const struct stor_packet *packet)
{
    int state = atomic_load(&storvsp->state);

    if ((state != STATE_PROPERTIES && state != STATE_READY) || storvsp->subchannels)
        return STOR_INVALID_DEVICE_STATE;
    if (packet->subchannels == 0 || packet->subchannels > max_subchannels(storvsp))
        return STOR_INVALID_PARAMETER;
    storvsp->subchannels = packet->subchannels;
    offer_subchannels(storvsp);
    return STOR_SUCCESS;
}

static uint32_t begin(struct storvsp *storvsp)
{
    if (atomic_load(&storvsp->state) != STATE_CLOSED)
        return STOR_INVALID_DEVICE_STATE;
    atomic_store(&storvsp->state, STATE_BEGUN);
    return STOR_SUCCESS;
}

static uint32_t end(struct storvsp *storvsp)
{
    if (atomic_load(&storvsp->state) != STATE_PROPERTIES)
        return STOR_INVALID_DEVICE_STATE;
    atomic_store(&storvsp->state, STATE_READY);
    offer_subchannels(storvsp);
    return STOR_SUCCESS;
}

static uint32_t handshake(struct storvsp *storvsp, struct stor_packet *packet)
{
    switch (packet->operation) {
    case STOR_BEGIN_INITIALIZATION:
        return begin(storvsp);
    case STOR_QUERY_PROTOCOL_VERSION:
        return query_version(storvsp, packet);
    case STOR_QUERY_PROPERTIES:
        return query_properties(storvsp, packet);
    case STOR_CREATE_SUB_CHANNELS:
        return create_subchannels(storvsp, packet);
    case STOR_END_INITIALIZATION:
        return end(storvsp);
    default:
        return STOR_INVALID_REQUEST;
    }
}

static bool is_reset(uint32_t operation)
{
    return operation == STOR_RESET_LUN || operation == STOR_RESET_ADAPTER ||
           operation == STOR_RESET_BUS;
}

uint32_t stor_control(struct stor_channel *chan, struct stor_packet *packet)
{
    struct storvsp *storvsp = chan->storvsp;
    bool ready = atomic_load(&storvsp->state) == STATE_READY;

    if (is_reset(packet->operation)) /* what runs comes to its end */
        return ready ? STOR_SUCCESS : STOR_INVALID_DEVICE_STATE;
    if (packet->operation == STOR_EXECUTE_SRB || chan != &storvsp->channel[0])
        return STOR_INVALID_DEVICE_STATE;
    return handshake(storvsp, packet);
}

void stor_handshake_reset(struct storvsp *storvsp)
{
    atomic_store(&storvsp->version, 0);
    atomic_store(&storvsp->state, STATE_CLOSED);
    storvsp->subchannels = 0;
}
