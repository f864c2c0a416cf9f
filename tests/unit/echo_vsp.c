/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus tests' device (see echo_vsp.h).
 */
#include "tests/unit/echo_vsp.h"

#include <glib.h>
#include <string.h>

#include "src/common/container.h"

static int echo_open(struct vsp *vsp, struct vmbus_channel *channel,
                     const uint8_t user_data[VMBUS_USER_DATA])
{
    struct echo *echo = container_of(vsp, struct echo, vsp);
    uint16_t index = vmbus_channel_index(channel);
    struct iovec hello = {.iov_base = (void *)(uintptr_t) "hello", .iov_len = 5};

    if (echo->talk_in_open) /* the ring may be full from the start: then it is not said */
        vmbus_channel_send(channel, VMBUS_PACKET_IN_BAND, 0, 7, &hello, 1);
    if (echo->open_error)
        return echo->open_error;
    g_assert_cmpuint(index, <, ECHO_CHANNELS);
    g_assert_null(echo->channel[index]);
    g_assert_null(vmbus_channel_private(channel));
    vmbus_channel_set_private(channel, echo);
    echo->channel[index] = channel;
    echo->opens++;
    memcpy(echo->user_data, user_data, VMBUS_USER_DATA);
    return 0;
}

static int echo_packet(struct vsp *vsp, struct vmbus_channel *channel,
                       const struct vmbus_packet *packet)
{
    struct echo *echo = container_of(vsp, struct echo, vsp);
    struct lane *lanes[LIMIT_VCPUS];

    g_assert_true(vmbus_channel_private(channel) == echo);
    if (echo->packet_error)
        return echo->packet_error;
    if (packet->completion_requested) {
        int error = vmbus_channel_reserve(channel, packet->payload_len);
        if (error)
            return error;
        vmbus_channel_complete(channel, packet->transaction_id, packet->payload,
                               packet->payload_len);
    }
    echo->packets++;
    echo->completions += packet->type == VMBUS_PACKET_COMPLETION;
    if (echo->subchannels && packet->payload_len && packet->payload[0] == 'S') {
        for (unsigned i = 0; i < LIMIT_VCPUS; i++)
            lanes[i] = vsp->lane;
        echo->subchannels_result = vsp_make_subchannels(vsp, echo->subchannels, lanes);
    }
    return 0;
}

static void echo_burst_end(struct vsp *vsp, struct vmbus_channel *channel)
{
    (void)channel;
    container_of(vsp, struct echo, vsp)->bursts++;
}

static void echo_writable(struct vsp *vsp, struct vmbus_channel *channel)
{
    (void)channel;
    container_of(vsp, struct echo, vsp)->writables++;
}

static void echo_close(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct echo *echo = container_of(vsp, struct echo, vsp);
    uint16_t index = vmbus_channel_index(channel);

    g_assert_true(echo->channel[index] == channel);
    echo->channel[index] = NULL;
    echo->closes++;
    if (echo->hold_close)
        echo->held[index] = channel;
    else
        vmbus_channel_closed(channel);
}

static void echo_reset(struct vsp *vsp)
{
    struct echo *echo = container_of(vsp, struct echo, vsp);

    for (unsigned i = 0; i < ECHO_CHANNELS; i++) {
        g_assert_null(echo->channel[i]);
        g_assert_null(echo->held[i]);
    }
    echo->resets++;
}

const struct vsp_class echo_class = {
    .name = "echo",
    .interface = GUID_INIT(0x10203040, 0x5060, 0x7080, 1, 2, 3, 4, 5, 6, 7, 8),
    .offer_flags = VMBUS_OFFER_ENUMERATE,
    .mmio_mib = 3,
    .open = echo_open,
    .packet = echo_packet,
    .burst_end = echo_burst_end,
    .writable = echo_writable,
    .close = echo_close,
    .reset = echo_reset,
};

const struct vsp_class pipe_class = {
    .name = "pipe",
    .interface = GUID_INIT(0x01020304, 0x5060, 0x7080, 1, 2, 3, 4, 5, 6, 7, 8),
    .offer_flags = VMBUS_OFFER_NAMED_PIPE,
    .open = echo_open,
    .packet = echo_packet,
    .close = echo_close,
};

void echo_init(struct echo *echo, const struct vsp_class *class, unsigned instance,
               struct lane *lane)
{
    memset(echo, 0, sizeof(*echo));
    echo->vsp.class = class;
    echo->vsp.lane = lane;
    echo->vsp.instance.b[14] = (uint8_t)(instance >> 8);
    echo->vsp.instance.b[15] = (uint8_t)instance;
}

int echo_send(struct echo *echo, unsigned index, const void *payload, size_t len)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)payload, .iov_len = len};

    return vmbus_channel_send(echo->channel[index], VMBUS_PACKET_IN_BAND, 0, 7, &iov, 1);
}

void echo_let_go(struct echo *echo)
{
    for (unsigned i = 0; i < ECHO_CHANNELS; i++) {
        struct vmbus_channel *channel = echo->held[i];
        echo->held[i] = NULL;
        if (channel)
            vmbus_channel_closed(channel);
    }
}
