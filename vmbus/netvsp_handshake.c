/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVSP's handshake: versions, NDIS parameters, subchannels, and what this host refuses.
 *
 * Guests come down from their newest version, each as an INIT of its own, so a refusal changes
 * nothing. After that the order is INIT, NDIS_CONFIG (from version 2), NDIS_VERSION, buffers; what
 * comes out of order or twice ends the channel, as with OpenVMM. All of it is on the primary
 * channel. Facts: section 6.2.
 */
#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/netvsp_priv.h"

static uint32_t best_version(uint32_t min, uint32_t max)
{
    static const uint32_t known[] = {NVSP_VERSION_6_1, NVSP_VERSION_6, NVSP_VERSION_5,
                                     NVSP_VERSION_4,   NVSP_VERSION_2, NVSP_VERSION_1};

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] >= min && known[i] <= max)
            return known[i];
    return 0;
}

static int handle_init(struct netvsp *netvsp, const struct nvsp_message *message,
                       struct nvsp_message *answer)
{
    if (atomic_load(&netvsp->version))
        return -EPROTO;
    uint32_t version = best_version(message->init.min, message->init.max);
    answer->type = NVSP_INIT_COMPLETE;
    answer->init_complete.mdl_chain = NVSP_MDL_CHAIN;
    answer->init_complete.version = version ? version : NVSP_VERSION_6_1;
    answer->init_complete.status = version                                ? NVSP_SUCCESS
                                   : message->init.min > NVSP_VERSION_6_1 ? NVSP_TOO_NEW
                                                                          : NVSP_TOO_OLD;
    atomic_store(&netvsp->version, version);
    return 0;
}

static int handle_ndis_config(struct netvsp *netvsp, const struct nvsp_message *message)
{
    uint32_t version = atomic_load(&netvsp->version), mtu = message->ndis_config.mtu;

    if (version < NVSP_VERSION_2 || netvsp->configured || atomic_load(&netvsp->ndis) ||
        mtu < NET_MTU_MIN + NVSP_ETHERNET)
        return -EPROTO;
    netvsp->configured = true;
    mtu -= NVSP_ETHERNET;
    atomic_store(&netvsp->mtu, mtu < netvsp->max_mtu ? mtu : netvsp->max_mtu);
    if (version >= NVSP_VERSION_6_1 && message->ndis_config.capabilities & NVSP_CAPABILITY_RSC)
        netvsp->rndis.can |= RNDIS_OFFLOAD_RSC;
    return 0;
}

static int handle_ndis_version(struct netvsp *netvsp, const struct nvsp_message *message)
{
    uint32_t version = atomic_load(&netvsp->version);
    uint32_t major = message->ndis_version.major, minor = message->ndis_version.minor;

    if (!version || (version >= NVSP_VERSION_2 && !netvsp->configured) ||
        atomic_load(&netvsp->ndis) || !major || major > UINT16_MAX || minor > UINT16_MAX)
        return -EPROTO;
    atomic_store(&netvsp->ndis, major << 16 | minor);
    return 0;
}

/* How the guest should spread what it sends: evenly. Sent again from `writable` if there is no
 * room. */
void net_send_table(struct netvsp *netvsp)
{
    struct nvsp_indirection_table table = {
        .message = {.type = NVSP_INDIRECTION_TABLE,
                    .indirection = {NVSP_INDIRECTIONS,
                                    offsetof(struct nvsp_indirection_table, channel)}},
    };
    struct iovec iov = {&table, sizeof(table)};

    if (!netvsp->table_due)
        return;
    for (uint32_t i = 0; i < NVSP_INDIRECTIONS; i++)
        table.channel[i] = i % (netvsp->subchannels + 1);
    netvsp->table_due = vmbus_channel_send(netvsp->channel[0].channel, VMBUS_PACKET_IN_BAND, 0, 0,
                                           &iov, 1) == -EAGAIN;
}

void net_subchannels_made(struct vsp *vsp, struct vmbus_channel *primary, uint16_t made)
{
    struct netvsp *netvsp = container_of(vsp, struct netvsp, vsp);

    netvsp->subchannels = made;
    netvsp->making = MAKING_DONE;
    vmbus_channel_resume(primary);
}

/* Have the subchannels made that the guest asks for: it is told a number that holds, because it
 * waits for every one of them. -EAGAIN while that lasts; else 0, and how many are in
 * netvsp->subchannels. */
static int make_subchannels(struct netvsp *netvsp, uint32_t count)
{
    if (netvsp->making == MAKING_NONE) {
        if (count > netvsp->channels - 1)
            count = netvsp->channels - 1;
        if (vsp_make_subchannels(&netvsp->vsp, (uint16_t)count, netvsp->lane + 1))
            return 0;
        netvsp->making = MAKING_ASKED;
    }
    if (netvsp->making == MAKING_ASKED)
        return -EAGAIN;
    netvsp->making = MAKING_NONE;
    return 0;
}

static int handle_subchannel(struct netvsp *netvsp, const struct nvsp_message *message,
                             struct nvsp_message *answer)
{
    bool good = message->subchannel.operation == NVSP_ALLOCATE && message->subchannel.count &&
                netvsp->channels > 1 && (!netvsp->subchannels || netvsp->making == MAKING_DONE);

    if (atomic_load(&netvsp->version) < NVSP_VERSION_5 || !atomic_load(&netvsp->ndis))
        return -EPROTO;
    if (good && make_subchannels(netvsp, message->subchannel.count))
        return -EAGAIN;
    good = good && netvsp->subchannels;
    answer->type = NVSP_SUBCHANNEL;
    answer->subchannel_complete.status = good ? NVSP_SUCCESS : NVSP_FAILURE;
    answer->subchannel_complete.count = good ? netvsp->subchannels : 0;
    if (good)
        netvsp->offer_due = netvsp->table_due = true;
    return 0;
}

void net_after_answer(struct netvsp *netvsp)
{
    net_control_writable(netvsp);
    if (!netvsp->offer_due)
        return;
    /* The guest learns how many there are before it sees them. */
    vmbus_channel_flush(netvsp->channel[0].channel);
    netvsp->offer_due = false;
    vsp_offer_subchannels(&netvsp->vsp);
    net_send_table(netvsp);
}

static int refuse(struct nvsp_message *answer, uint32_t type)
{
    answer->type = type;
    answer->status = NVSP_UNSUPPORTED;
    return 0;
}

/* Enough of each message to read what is read. */
static uint32_t needed(uint32_t type)
{
    switch (type) {
    case NVSP_INIT:
    case NVSP_NDIS_VERSION:
    case NVSP_SUBCHANNEL:
        return 12;
    case NVSP_NDIS_CONFIG:
        return 20;
    case NVSP_RECEIVE_BUFFER:
    case NVSP_SEND_BUFFER:
        return 10;
    default:
        return 6;
    }
}

int net_handshake(struct netvsp *netvsp, const struct nvsp_message *message, uint32_t len,
                  struct nvsp_message *answer)
{
    if (len < needed(message->type))
        return -EPROTO;
    switch (message->type) {
    case NVSP_INIT:
        return handle_init(netvsp, message, answer);
    case NVSP_NDIS_CONFIG:
        return handle_ndis_config(netvsp, message);
    case NVSP_NDIS_VERSION:
        return handle_ndis_version(netvsp, message);
    case NVSP_RECEIVE_BUFFER:
    case NVSP_SEND_BUFFER:
        return net_buffer_take(netvsp, message, answer);
    case NVSP_REVOKE_RECEIVE_BUFFER:
    case NVSP_REVOKE_SEND_BUFFER:
        return net_buffer_revoke(netvsp, message);
    case NVSP_SWITCH_DATA_PATH: /* there is no other one */
        return 0;
    case NVSP_OID_QUERY:
        return refuse(answer, NVSP_OID_QUERY_COMPLETE);
    case NVSP_SUBCHANNEL:
        return handle_subchannel(netvsp, message, answer);
    default:
        return -EPROTO;
    }
}
