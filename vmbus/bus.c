/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus: its devices, which come and go, the way in for the guest's messages and signals, the way
 * out, dispatch.
 *
 * vCPU threads put posted messages into a bounded queue; when it is full the guest is told to try
 * again (status 19), which every guest does. The bus's lane takes one at a time, and none while
 * anything that it has said is still on its way: one message can cause many answers, and so the
 * guest pays for them by reading.
 */
#include "vmbus/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

/* --- Dispatch */

struct handler {
    uint32_t min_len;
    uint32_t min_version; /* 0: also while disconnected */
    void (*handle)(struct vmbus_bus *bus, const struct bus_message *message);
};

/* What a guest may send. Both TL_CONNECT sizes occur, so the shorter one counts. */
static const struct handler handlers[VMBUS_MSG_TYPES] = {
    [VMBUS_MSG_REQUEST_OFFERS] = {sizeof(struct vmbus_header), VMBUS_V0_13, offer_handle_request},
    [VMBUS_MSG_OPEN] = {sizeof(struct vmbus_msg_open), VMBUS_V0_13, lifecycle_handle_open},
    [VMBUS_MSG_CLOSE] = {sizeof(struct vmbus_msg_relid), VMBUS_V0_13, lifecycle_handle_close},
    [VMBUS_MSG_GPADL_HEADER] = {sizeof(struct vmbus_msg_gpadl_header), VMBUS_V0_13,
                                gpadl_handle_header},
    [VMBUS_MSG_GPADL_BODY] = {sizeof(struct vmbus_msg_gpadl_body), VMBUS_V0_13, gpadl_handle_body},
    [VMBUS_MSG_GPADL_TEARDOWN] = {sizeof(struct vmbus_msg_gpadl_teardown), VMBUS_V0_13,
                                  gpadl_handle_teardown},
    [VMBUS_MSG_RELID_RELEASED] = {sizeof(struct vmbus_msg_relid), VMBUS_V0_13,
                                  offer_handle_relid_released},
    [VMBUS_MSG_INITIATE_CONTACT] = {sizeof(struct vmbus_msg_initiate_contact), 0,
                                    connection_handle_initiate_contact},
    [VMBUS_MSG_UNLOAD] = {sizeof(struct vmbus_header), VMBUS_V0_13, connection_handle_unload},
    [VMBUS_MSG_OPEN_RESERVED] = {VMBUS_OPEN_RESERVED_SIZE, VMBUS_V4_0, absent_handle_open_reserved},
    [VMBUS_MSG_CLOSE_RESERVED] = {sizeof(struct vmbus_msg_reserved), 0,
                                  absent_handle_close_reserved},
    [VMBUS_MSG_TL_CONNECT] = {sizeof(struct vmbus_msg_tl_connect), VMBUS_V4_0,
                              absent_handle_tl_connect},
    [VMBUS_MSG_MODIFY_CHANNEL] = {sizeof(struct vmbus_msg_modify_channel), VMBUS_V4_1,
                                  lifecycle_handle_modify},
};

static uint32_t message_type(const struct bus_message *message)
{
    return ((const struct vmbus_header *)(const void *)message->data)->type;
}

void bus_bad(struct vmbus_bus *bus, const struct bus_message *message, const char *why)
{
    bus->stats.messages_bad++;
    log_guest(&bus->log_limit, "VMBus message of type %u, %u bytes: %s", message_type(message),
              message->len, why);
}

static void dispatch(struct vmbus_bus *bus, const struct bus_message *message)
{
    uint32_t type = message_type(message);
    const struct handler *handler = type < VMBUS_MSG_TYPES ? &handlers[type] : NULL;

    bus->stats.messages_in++;
    if (message->len < sizeof(struct vmbus_header))
        bus_bad(bus, message, "no header");
    else if (!handler || !handler->handle)
        bus_bad(bus, message, "unknown type");
    else if (message->len < handler->min_len)
        bus_bad(bus, message, "too short");
    else if (bus->version < handler->min_version)
        bus_bad(bus, message, "not in this version or state");
    else
        handler->handle(bus, message);
}

/* --- The way out */

int bus_transmit(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len)
{
    int error = bus->outbox_count ? -EAGAIN : bus->transport->post(bus->context, vp, message, len);

    if (!error)
        bus->stats.messages_out++;
    return error;
}

static void outbox_append(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len,
                          struct vmbus_channel *kick)
{
    unsigned at = (bus->outbox_head + bus->outbox_count) % OUTBOX_ENTRIES;
    struct outbox_entry *entry = &bus->outbox[at];

    if (bus->outbox_count == OUTBOX_ENTRIES || len > sizeof(entry->data)) {
        log_error("VMBus: a message to the guest is lost"); /* see OUTBOX_ENTRIES: cannot be */
        return;
    }
    *entry = (struct outbox_entry){.kick = kick, .vp = vp, .len = len};
    memcpy(entry->data, message, len);
    bus->outbox_count++;
}

static void kick_channel(struct vmbus_channel *channel)
{
    if (channel && channel->state == CHANNEL_OPEN)
        lane_post(channel->lane, &channel->kick);
}

static void send_all(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len,
                     struct vmbus_channel *kick)
{
    if (bus->reset.active)
        return;
    if (bus_transmit(bus, vp, message, len) == -EAGAIN)
        outbox_append(bus, vp, message, len, kick);
    else
        kick_channel(kick);
}

void bus_send(struct vmbus_bus *bus, const void *message, uint32_t len)
{
    send_all(bus, bus->message_vp, message, len, NULL);
}

void bus_send_vp(struct vmbus_bus *bus, uint32_t vp, const void *message, uint32_t len)
{
    send_all(bus, vp, message, len, NULL);
}

void bus_send_kick(struct vmbus_bus *bus, const void *message, uint32_t len,
                   struct vmbus_channel *kick)
{
    send_all(bus, bus->message_vp, message, len, kick);
}

void bus_outbox_clear(struct vmbus_bus *bus)
{
    bus->outbox_count = 0;
}

/* True if nothing is left to be sent. */
static bool pump(struct vmbus_bus *bus)
{
    while (bus->outbox_count) {
        const struct outbox_entry *entry = &bus->outbox[bus->outbox_head];
        if (bus->transport->post(bus->context, entry->vp, entry->data, entry->len) == -EAGAIN)
            return false;
        bus->stats.messages_out++;
        kick_channel(entry->kick);
        bus->outbox_head = (bus->outbox_head + 1) % OUTBOX_ENTRIES;
        bus->outbox_count--;
    }
    return offer_pump(bus);
}

/* --- The way in */

static bool inbound_take(struct vmbus_bus *bus, struct bus_message *message)
{
    pthread_mutex_lock(&bus->inbound_lock);
    bool any = bus->inbound_count;
    if (any) {
        *message = bus->inbound[bus->inbound_head];
        bus->inbound_head = (bus->inbound_head + 1) % LIMIT_INBOUND_MSGS;
        bus->inbound_count--;
    }
    pthread_mutex_unlock(&bus->inbound_lock);
    return any;
}

static bool inbound_append(struct vmbus_bus *bus, uint32_t connection, const uint8_t *payload,
                           uint32_t len)
{
    pthread_mutex_lock(&bus->inbound_lock);
    bool room = bus->inbound_count < LIMIT_INBOUND_MSGS;
    if (room) {
        unsigned at = (bus->inbound_head + bus->inbound_count++) % LIMIT_INBOUND_MSGS;
        struct bus_message *message = &bus->inbound[at];
        message->connection = connection;
        message->len = len;
        memcpy(message->data, payload, len);
        memset(message->data + len, 0, sizeof(message->data) - len);
    }
    pthread_mutex_unlock(&bus->inbound_lock);
    return room;
}

void bus_inbound_clear(struct vmbus_bus *bus)
{
    pthread_mutex_lock(&bus->inbound_lock);
    bus->inbound_count = 0;
    pthread_mutex_unlock(&bus->inbound_lock);
}

/* Is the next post the first word of a successor: INITIATE_CONTACT for another VP than the one that
 * does not read its messages? So a kdump kernel speaks after a crash that nobody could clean up. */
static bool successor_waits(struct vmbus_bus *bus)
{
    struct vmbus_msg_initiate_contact contact = {0};

    pthread_mutex_lock(&bus->inbound_lock);
    const struct bus_message *next = &bus->inbound[bus->inbound_head];
    if (bus->inbound_count && next->len >= sizeof(contact))
        memcpy(&contact, next->data, sizeof(contact));
    pthread_mutex_unlock(&bus->inbound_lock);
    return contact.header.type == VMBUS_MSG_INITIATE_CONTACT && contact.version >= VMBUS_V3_0 &&
           contact.target_vp != bus->message_vp;
}

static void on_work(struct lane_task *task)
{
    struct vmbus_bus *bus = container_of(task, struct vmbus_bus, work);
    struct bus_message message;

    for (unsigned left = LIMIT_INBOUND_MSGS; left; left--) {
        if (bus->reset.active)
            return; /* closed channels will wake us */
        if (!pump(bus) || bus->transport->congested(bus->context)) {
            if (!successor_waits(bus))
                return; /* room will wake us */
            bus_outbox_clear(bus);
            bus->transport->forget(bus->context, bus->message_vp);
        }
        if (!inbound_take(bus, &message))
            return;
        dispatch(bus, &message);
    }
    bus_wake(bus); /* others on this lane first */
}

void bus_wake(struct vmbus_bus *bus)
{
    lane_post(bus->lane, &bus->work);
}

void vmbus_bus_room(struct vmbus_bus *bus)
{
    bus_wake(bus);
}

uint32_t vmbus_bus_post(struct vmbus_bus *bus, const uint8_t input[256])
{
    struct {
        uint32_t connection, reserved, type, len;
    } header;

    memcpy(&header, input, sizeof(header));
    header.connection &= 0xffffff;
    if (header.type != VMBUS_MESSAGE_TYPE || header.len > VMBUS_MESSAGE_MAX)
        return HV_STATUS_INVALID_PARAMETER;
    if (header.connection != VMBUS_CONNECTION_MESSAGE &&
        header.connection != VMBUS_CONNECTION_MESSAGE_5)
        return HV_STATUS_INVALID_CONNECTION_ID;
    if (!inbound_append(bus, header.connection, input + sizeof(header), header.len)) {
        atomic_fetch_add(&bus->posts_refused, 1);
        return HV_STATUS_INSUFFICIENT_BUFFERS;
    }
    bus_wake(bus);
    return HV_STATUS_SUCCESS;
}

static uint32_t slot_connection(uint32_t slot)
{
    return slot ? VMBUS_CONNECTION_CHANNEL(slot) : VMBUS_CONNECTION_EVENT;
}

uint32_t vmbus_bus_signal(struct vmbus_bus *bus, uint32_t connection, uint16_t flag)
{
    static const uint64_t one = 1;
    uint32_t slot = connection - VMBUS_CONNECTION_CHANNEL(0);

    if (connection == VMBUS_CONNECTION_EVENT)
        slot = 0;
    else if (!slot || slot > LIMIT_RELID)
        return HV_STATUS_INVALID_CONNECTION_ID;
    int fd = atomic_load(&bus->doorbell[slot]) - 1;
    if (fd < 0)
        return HV_STATUS_INVALID_CONNECTION_ID;
    if (flag)
        return HV_STATUS_INVALID_PARAMETER;
    /* Fails only when the counter is full, and then the lane will look anyway. */
    return write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN ? HV_STATUS_INVALID_CONNECTION_ID
                                                               : HV_STATUS_SUCCESS;
}

int bus_connect(struct vmbus_bus *bus, uint32_t slot, int eventfd)
{
    int error = bus->transport->connect(bus->context, slot_connection(slot), eventfd);

    if (!error)
        atomic_store(&bus->doorbell[slot], eventfd + 1);
    return error;
}

void bus_disconnect(struct vmbus_bus *bus, uint32_t slot, int eventfd)
{
    atomic_store(&bus->doorbell[slot], 0);
    bus->transport->disconnect(bus->context, slot_connection(slot), eventfd);
}

/* --- Making, devices, reports */

struct vmbus_bus *vmbus_bus_new(struct lane *lane, struct gmem *gmem,
                                const struct vmbus_transport *transport, void *context,
                                uint32_t vps, uint32_t max_version)
{
    struct vmbus_bus *bus = calloc(1, sizeof(*bus));

    if (!bus)
        return NULL;
    bus->lane = lane;
    bus->gmem = gmem;
    bus->transport = transport;
    bus->context = context;
    bus->vps = vps;
    bus->max_version = max_version;
    bus->work.run = on_work;
    pthread_mutex_init(&bus->inbound_lock, NULL);
    connection_init(bus);
    bus->shared_event.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bus->outbox = calloc(OUTBOX_ENTRIES, sizeof(bus->outbox[0]));
    if (bus->shared_event.fd < 0 || !bus->outbox) {
        vmbus_bus_free(bus);
        return NULL;
    }
    return bus;
}

static void free_channels(struct vmbus_channel *channel)
{
    while (channel) {
        struct vmbus_channel *next = channel->next;
        offer_channel_free(channel);
        channel = next;
    }
}

void vmbus_bus_free(struct vmbus_bus *bus)
{
    if (!bus)
        return;
    free_channels(bus->channels);
    free_channels(bus->spare);
    gpadl_remove_all(&bus->gpadls);
    if (bus->shared_event.fd >= 0)
        close(bus->shared_event.fd);
    pthread_mutex_destroy(&bus->inbound_lock);
    free(bus->outbox);
    free(bus);
}

static int vsp_compare(const struct vsp *a, const struct vsp *b)
{
    int order = guid_compare(&a->class->interface, &b->class->interface);

    return order ? order : guid_compare(&a->instance, &b->instance);
}

/* The primary that is to come before which, or is, the device's: leaving ones count too, because a
 * guest that still has one takes no second of the same name. */
static struct vmbus_channel **place_of(struct vmbus_bus *bus, const struct vsp *vsp)
{
    struct vmbus_channel **link = &bus->channels;

    while (*link && !(*link)->index && vsp_compare((*link)->vsp, vsp) < 0)
        link = &(*link)->next;
    return link;
}

int vmbus_bus_add(struct vmbus_bus *bus, struct vsp *vsp)
{
    struct vmbus_channel **place = place_of(bus, vsp), *primary;
    struct vsp **link = &bus->vsps;

    if (*place && !(*place)->index && vsp_compare((*place)->vsp, vsp) == 0)
        return -EEXIST;
    if (bus->alive == LIMIT_CHANNELS)
        return -ENOSPC;
    primary = offer_channel_new(bus, vsp);
    if (!primary)
        return -errno;
    primary->lane = vsp->lane;
    primary->next = *place;
    *place = primary;
    bus->alive++;
    while (*link && vsp_compare(*link, vsp) < 0)
        link = &(*link)->next;
    vsp->bus = bus;
    vsp->primary = primary;
    vsp->leaving = false;
    vsp->next = *link;
    *link = vsp;
    if (bus->offers_requested && offer_prepare(primary)) {
        offer_make_due(primary);
        bus_wake(bus);
    }
    return 0;
}

int vmbus_bus_remove(struct vmbus_bus *bus, struct vsp *vsp, void (*gone)(void *context),
                     void *context)
{
    struct vmbus_channel *primary = vsp->primary;
    struct vsp **link = &bus->vsps;

    if (vsp->leaving)
        return -EALREADY;
    if (primary->offered && bus->version && bus->version < VMBUS_V2_4)
        return -EOPNOTSUPP;
    while (*link != vsp)
        link = &(*link)->next;
    *link = vsp->next;
    vsp->leaving = true;
    vsp->gone = gone;
    vsp->gone_context = context;
    subchannel_rescind(primary);
    offer_rescind(primary);
    return 0;
}

uint32_t vmbus_bus_version(const struct vmbus_bus *bus)
{
    return bus->version;
}

void vmbus_bus_channels(const struct vmbus_bus *bus,
                        void (*each)(const struct vmbus_channel_info *, void *), void *context)
{
    for (struct vmbus_channel *channel = bus->channels; channel; channel = channel->next) {
        struct vmbus_channel_info info = {
            .vsp = channel->vsp,
            .relid = channel->offered ? channel->relid : 0,
            .index = channel->index,
            .offered = channel->offered,
            .open = channel->state == CHANNEL_OPEN,
            .target_vp = atomic_load(&channel->target_vp),
            .packets_in = atomic_load(&channel->packets_in),
            .packets_out = atomic_load(&channel->packets_out),
            .interrupts_in = atomic_load(&channel->interrupts_in),
            .interrupts_out = atomic_load(&channel->interrupts_out),
            .faults = atomic_load(&channel->faults),
        };
        each(&info, context);
    }
}

void vmbus_bus_stats(const struct vmbus_bus *bus, struct vmbus_bus_stats *ret_stats)
{
    *ret_stats = bus->stats;
    ret_stats->posts_refused = atomic_load(&bus->posts_refused);
}
