/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a channel as the bus's lane sees it: OPEN, CLOSE, MODIFYCHANNEL.
 *
 *   CLOSED --OPEN--> OPENING --opened--> OPEN --CLOSE--> CLOSING --closed--> CLOSED
 *
 * Rings and the guest's way to signal are made before the device hears of the open; the guest hears
 * of it after the device. CLOSE has no answer: what the guest waits for is the TORNDOWN of the
 * rings' GPADL, which is not sent before the device has let go. A CLOSE while OPENING waits for
 * `opened`, an OPEN while CLOSING for `closed`. Subchannels are closed before their primary. Facts:
 * sections 2.4, 2.5; OpenVMM channels.rs.
 */
#include <errno.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

/* --- OPEN */

/* `kick` is the channel whose guest is signalled once more when the answer is out, or NULL. */
static void send_open_result(struct vmbus_bus *bus, uint32_t relid, uint32_t open_id,
                             uint32_t status, struct vmbus_channel *kick)
{
    struct vmbus_msg_open_result result = {
        .header = BUS_HEADER(VMBUS_MSG_OPEN_RESULT),
        .relid = relid,
        .open_id = open_id,
        .status = status,
    };

    bus_send_kick(bus, &result, sizeof(result), kick);
}

static void send_open_failed(struct vmbus_channel *channel, const struct open_request *request)
{
    send_open_result(channel->bus, channel->relid, request->open_id, VMBUS_STATUS_FAILURE, NULL);
}

static void refuse_open(struct vmbus_bus *bus, const struct bus_message *message, const char *why)
{
    const struct vmbus_msg_open *open = (const void *)message->data;

    bus_bad(bus, message, why);
    send_open_result(bus, open->relid, open->open_id, VMBUS_STATUS_FAILURE, NULL);
}

static bool target_vp_good(const struct vmbus_bus *bus, uint32_t vp)
{
    return bus->version < VMBUS_V2_4 || vp < bus->vps || vp == VMBUS_VP_NONE;
}

static int open_rings(struct vmbus_channel *channel, const uint64_t *pfn, uint32_t pages)
{
    struct gmem *gmem = channel->bus->gmem;
    uint32_t split = channel->request.downstream_page;

    if (split < 2 || pages < 2 || split > pages - 2)
        return -EINVAL;
    int error = ring_open_reader(&channel->in, gmem, pfn, split);
    if (error)
        return error;
    error = ring_open_writer(&channel->out, gmem, pfn + split, pages - split);
    if (error)
        ring_close(&channel->in);
    channel->in_features = (pfn[0] << GMEM_PAGE_SHIFT) + VMBUS_RING_FEATURES_OFFSET;
    return error;
}

/* Check the request, make all that the device will need. 0, or -errno and nothing is kept. */
static int prepare(struct vmbus_channel *channel)
{
    struct vmbus_bus *bus = channel->bus;
    struct gpadl *gpadl = gpadl_find(&bus->gpadls, channel->request.gpadl);
    uint32_t pages;
    const uint64_t *pfn = gpadl ? gpadl_ring_pages(gpadl, channel->relid, &pages) : NULL;

    if (!pfn || !target_vp_good(bus, channel->request.target_vp))
        return -EINVAL;
    int error = open_rings(channel, pfn, pages);
    if (error)
        return error;
    error = bus_connect(bus, channel->relid, channel->eventfd);
    if (error) {
        ring_close(&channel->in);
        ring_close(&channel->out);
        return error;
    }
    channel->gpadl = gpadl;
    gpadl->users++;
    channel->version = bus->version;
    channel->interrupt_page = bus->interrupt_page;
    return 0;
}

/* The device uses nothing of the guest's any more. */
static void let_go(struct vmbus_channel *channel)
{
    bus_disconnect(channel->bus, channel->relid, channel->eventfd);
    ring_close(&channel->in);
    ring_close(&channel->out);
    gpadl_release(channel->bus, channel->gpadl);
    channel->gpadl = NULL;
    channel->state = CHANNEL_CLOSED;
    channel->bus->busy--;
}

static void begin_open(struct vmbus_channel *channel)
{
    int error = prepare(channel);

    if (error) {
        log_guest(&channel->bus->log_limit, "%s: the guest's OPEN is no good (error %d)",
                  channel->vsp->class->name, -error);
        send_open_failed(channel, &channel->request);
        return;
    }
    channel->state = CHANNEL_OPENING;
    channel->bus->busy++;
    channel->close_wanted = false;
    atomic_store(&channel->target_vp, channel->request.target_vp);
    lane_post(channel->lane, &channel->open);
}

static void read_request(struct open_request *request, const struct vmbus_msg_open *open)
{
    request->open_id = open->open_id;
    request->gpadl = open->gpadl;
    request->target_vp = open->target_vp;
    request->downstream_page = open->downstream_page;
    memcpy(request->user_data, open->user_data, sizeof(request->user_data));
}

static bool going_away(const struct vmbus_channel *channel)
{
    return channel->state == CHANNEL_CLOSING ||
           (channel->state == CHANNEL_OPENING && channel->close_wanted);
}

void lifecycle_handle_open(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_open *open = (const void *)message->data;
    struct vmbus_channel *channel = offer_find(bus, open->relid);

    if (!channel || channel->rescinded) {
        refuse_open(bus, message, "OPEN of no channel");
    } else if (channel->state == CHANNEL_CLOSED) {
        read_request(&channel->request, open);
        begin_open(channel);
    } else if (going_away(channel) && !channel->reopen) {
        read_request(&channel->queued, open);
        channel->reopen = true;
    } else {
        refuse_open(bus, message, "OPEN of an open channel");
    }
}

/* --- CLOSE */

/* Tell the lane, unless subchannels have to be waited for. */
static void close_when_alone(struct vmbus_channel *channel)
{
    if (channel->state != CHANNEL_CLOSING || channel->close_posted ||
        (!channel->index && subchannel_busy(channel)))
        return;
    channel->close_posted = true;
    lane_post(channel->lane, &channel->close);
}

void lifecycle_no_reopen(struct vmbus_channel *channel)
{
    if (!channel->reopen)
        return;
    channel->reopen = false;
    send_open_failed(channel, &channel->queued);
}

void lifecycle_close(struct vmbus_channel *channel)
{
    if (channel->bus->reset.active)
        lifecycle_no_reopen(channel);
    if (channel->state == CHANNEL_OPENING)
        channel->close_wanted = true;
    if (channel->state != CHANNEL_OPEN)
        return;
    channel->state = CHANNEL_CLOSING;
    channel->close_posted = false;
    if (!channel->index)
        subchannel_take_back(channel);
    close_when_alone(channel);
}

void lifecycle_handle_close(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_relid *close = (const void *)message->data;
    struct vmbus_channel *channel = offer_find(bus, close->relid);

    if (channel && channel->reopen)
        lifecycle_no_reopen(channel);
    else if (channel && (channel->state == CHANNEL_OPEN || channel->state == CHANNEL_OPENING))
        lifecycle_close(channel);
    else if (!channel || !channel->rescinded) /* the host may have closed it first */
        bus_bad(bus, message, "CLOSE of a channel that is not open");
}

/* The channel is CLOSED: whoever waited for it goes on. */
static void settled(struct vmbus_channel *channel)
{
    struct vmbus_bus *bus = channel->bus;
    struct vmbus_channel *primary = channel->vsp->primary;

    if (offer_channel_settled(channel)) {
        /* it is no more */
    } else if (channel->reopen) {
        channel->reopen = false;
        channel->request = channel->queued;
        begin_open(channel);
    }
    close_when_alone(primary);
    connection_channel_closed(bus);
}

/* --- From the channel's lane */

static void on_opened(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, opened);

    if (channel->open_error) {
        send_open_failed(channel, &channel->request);
        let_go(channel);
        settled(channel);
        return;
    }
    channel->state = CHANNEL_OPEN;
    send_open_result(channel->bus, channel->relid, channel->request.open_id, VMBUS_STATUS_SUCCESS,
                     channel);
    if (channel->close_wanted)
        lifecycle_close(channel);
}

static void on_closed(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, closed);

    let_go(channel);
    settled(channel);
}

/* --- MODIFYCHANNEL */

static void send_modify_response(struct vmbus_bus *bus, uint32_t relid, bool good)
{
    struct vmbus_msg_modify_channel_response response = {
        .header = BUS_HEADER(VMBUS_MSG_MODIFY_CHANNEL_RESPONSE),
        .relid = relid,
        .status = good ? VMBUS_STATUS_SUCCESS : VMBUS_STATUS_FAILURE,
    };

    if (bus->version >= VMBUS_V5_3)
        bus_send(bus, &response, sizeof(response));
}

static void begin_modify(struct vmbus_channel *channel, uint32_t vp)
{
    channel->modifying = true;
    channel->modify_again = false;
    channel->modify_vp = vp;
    lane_post(channel->lane, &channel->modify);
}

static bool modify_good(const struct vmbus_bus *bus, const struct vmbus_channel *channel,
                        uint32_t vp)
{
    return channel && channel->state == CHANNEL_OPEN && vp < bus->vps &&
           atomic_load(&channel->target_vp) != VMBUS_VP_NONE;
}

/*
 * The change goes through the channel's lane, so that after the response no interrupt goes to the
 * old VP any more (Linux takes CPUs offline on that promise). While one is under way: below 5.3,
 * where nobody waits for an answer, the newest request is kept; from 5.3 a guest that does not wait
 * is refused.
 */
void lifecycle_handle_modify(struct vmbus_bus *bus, const struct bus_message *message)
{
    const struct vmbus_msg_modify_channel *modify = (const void *)message->data;
    struct vmbus_channel *channel = offer_find(bus, modify->relid);

    if (!modify_good(bus, channel, modify->target_vp)) {
        bus_bad(bus, message, "bad MODIFYCHANNEL");
        send_modify_response(bus, modify->relid, false);
    } else if (!channel->modifying) {
        begin_modify(channel, modify->target_vp);
    } else if (bus->version < VMBUS_V5_3) {
        channel->modify_again = true;
        channel->modify_next_vp = modify->target_vp;
    } else {
        bus_bad(bus, message, "MODIFYCHANNEL before the answer to the last one");
        send_modify_response(bus, modify->relid, false);
    }
}

static void on_modified(struct lane_task *task)
{
    struct vmbus_channel *channel = container_of(task, struct vmbus_channel, modified);

    channel->modifying = false;
    send_modify_response(channel->bus, channel->relid, true);
    if (channel->modify_again && channel->state == CHANNEL_OPEN)
        begin_modify(channel, channel->modify_next_vp);
}

void lifecycle_init(struct vmbus_channel *channel)
{
    channel->opened.run = on_opened;
    channel->closed.run = on_closed;
    channel->modified.run = on_modified;
}
