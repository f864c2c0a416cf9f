/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers for what this bus does not have: reserved channels (a kernel debugger's, opened without
 * an offer) and hvsock connections.
 *
 * A guest that asks must hear that it cannot have them, else it waits. CLOSE_RESERVED is answered
 * even while disconnected, because a debugger does not know about connections (OpenVMM found this
 * out). The guest may name another SINT for these answers; we only have SINT 2.
 */
#include "vmbus/bus_priv.h"

/* The VP that a reserved channel's owner listens on. */
static uint32_t reserved_vp(const struct vmbus_bus *bus, const struct vmbus_msg_reserved *request)
{
    return request->target_vp < bus->vps ? request->target_vp : bus->message_vp;
}

void absent_handle_open_reserved(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_reserved *request = (const void *)message->data;
    struct vmbus_msg_open_result result = {
        .header = BUS_HEADER(VMBUS_MSG_OPEN_RESULT),
        .relid = request->relid,
        .status = VMBUS_STATUS_FAILURE,
    };

    bus_send_vp(bus, reserved_vp(bus, request), &result, sizeof(result));
}

void absent_handle_close_reserved(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_reserved *request = (const void *)message->data;
    struct vmbus_msg_relid response = {
        .header = BUS_HEADER(VMBUS_MSG_CLOSE_RESERVED_RESPONSE),
        .relid = request->relid,
    };

    bus_send_vp(bus, reserved_vp(bus, request), &response, sizeof(response));
}

void absent_handle_tl_connect(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_tl_connect *request = (const void *)message->data;
    struct vmbus_msg_tl_connect_result result = {
        .header = BUS_HEADER(VMBUS_MSG_TL_CONNECT_RESULT),
        .endpoint = request->endpoint,
        .service = request->service,
        .status = VMBUS_STATUS_CONNECTION_REFUSED,
    };

    if (bus->version >= VMBUS_V4_1) /* 4.0 has no such answer */
        bus_send(bus, &result, sizeof(result));
}
