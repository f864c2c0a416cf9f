/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPADL_HEADER, GPADL_BODY, GPADL_TEARDOWN.
 *
 * A guest that gets no answer waits for ever, so every list that cannot be had is refused with a
 * status, and every teardown is answered as soon as nobody uses the pages: also one of an unknown
 * id (it is gone), of an incomplete list (given up), and with a relid that does not fit. Only a
 * body that belongs to nothing stays without an answer: its list has been refused already.
 * Rescinded channels are served like others; the guest may not have seen the rescind yet.
 */
#include "vmbus/bus_priv.h"

static void send_created(struct vmbus_bus *bus, uint32_t relid, uint32_t id, uint32_t status)
{
    struct vmbus_msg_gpadl_created created = {
        .header = BUS_HEADER(VMBUS_MSG_GPADL_CREATED),
        .relid = relid,
        .gpadl = id,
        .status = status,
    };

    bus_send(bus, &created, sizeof(created));
}

static void send_torndown(struct vmbus_bus *bus, uint32_t id)
{
    struct vmbus_msg_gpadl_torndown torndown = {
        .header = BUS_HEADER(VMBUS_MSG_GPADL_TORNDOWN),
        .gpadl = id,
    };

    bus_send(bus, &torndown, sizeof(torndown));
}

/* `result` is what gpadl_begin() or gpadl_continue() said. */
static void answer(struct vmbus_bus *bus, const struct bus_message *message, uint32_t relid,
                   uint32_t id, int result)
{
    if (result < 0)
        bus_bad(bus, message, "bad GPADL");
    if (result <= 0)
        send_created(bus, relid, id, result ? VMBUS_STATUS_FAILURE : VMBUS_STATUS_SUCCESS);
}

void gpadl_handle_header(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_gpadl_header *header = (const void *)message->data;
    int result = -1;

    if (offer_find(bus, header->relid))
        result = gpadl_begin(&bus->gpadls, bus->gmem, header->relid, header->gpadl, header->ranges,
                             header->bytes, header + 1, message->len - sizeof(*header));
    answer(bus, message, header->relid, header->gpadl, result);
}

void gpadl_handle_body(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_gpadl_body *body = (const void *)message->data;
    uint32_t relid = 0;
    int result = gpadl_continue(&bus->gpadls, bus->gmem, body->gpadl, body + 1,
                                message->len - sizeof(*body), &relid);

    if (relid)
        answer(bus, message, relid, body->gpadl, result);
    else
        bus_bad(bus, message, "GPADL body without a header");
}

/* A guest that takes its memory off a channel that it has lost may leave the CLOSE out. */
static void close_rescinded(struct vmbus_bus *bus, uint32_t relid)
{
    struct vmbus_channel *channel = offer_find(bus, relid);

    if (channel && channel->rescinded)
        lifecycle_close(channel);
}

void gpadl_handle_teardown(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_gpadl_teardown *teardown = (const void *)message->data;
    struct gpadl *gpadl = gpadl_find(&bus->gpadls, teardown->gpadl);

    if (!gpadl || gpadl->relid != teardown->relid || gpadl->tearing_down)
        bus_bad(bus, message, "bad GPADL teardown");
    if (gpadl && gpadl->users) {
        gpadl->tearing_down = true;
        close_rescinded(bus, gpadl->relid);
        return;
    }
    if (gpadl)
        gpadl_remove(&bus->gpadls, gpadl);
    send_torndown(bus, teardown->gpadl);
}

void gpadl_release(struct vmbus_bus *bus, struct gpadl *gpadl)
{
    if (--gpadl->users || !gpadl->tearing_down)
        return;
    send_torndown(bus, gpadl->id);
    gpadl_remove(&bus->gpadls, gpadl);
}
