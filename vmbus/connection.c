/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection: INITIATE_CONTACT, UNLOAD, reset.
 *
 * Each of the three first takes everything back to the beginning, because that is how a boot loader
 * hands over to a kernel, and a kernel to the next (kexec), without a word of farewell: every
 * channel is closed, and only when no device uses a guest page any more is the answer sent. No
 * message is taken from the guest meanwhile, so several INITIATE_CONTACTs in a row are answered one
 * after the other.
 *
 * Monitor pages are not used (no offer allots a monitor id), but their addresses are checked, as
 * guests may probe for the answer. Facts: sections 2.2, 2.4, 2.5, 4; OpenVMM channels.rs.
 */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

static const uint32_t versions[] = {
    VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0, VMBUS_V4_0,
    VMBUS_V4_1,  VMBUS_V5_0, VMBUS_V5_1, VMBUS_V5_2, VMBUS_V5_3,
};

const char *vmbus_version_text(uint32_t version, char text[16])
{
    if (!version)
        return "none";
    snprintf(text, 16, "%u.%u", version >> 16, version & 0xffff);
    return text;
}

static bool version_known(const struct vmbus_bus *bus, uint32_t version)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (versions[i] == version)
            return version <= bus->max_version;
    return false;
}

/* --- The interrupt page of guests below 2.4 */

static void ring_doorbells(struct vmbus_bus *bus, uint32_t first, uint64_t bits)
{
    static const uint64_t one = 1;

    for (; bits; bits &= bits - 1) {
        uint32_t relid = first + (uint32_t)__builtin_ctzll(bits);
        int fd = relid && relid <= LIMIT_RELID_OLD ? atomic_load(&bus->doorbell[relid]) - 1 : -1;
        /* Full or not, the channel's lane will look at its ring. */
        if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
            continue;
    }
}

/* The guest has set its channels' bits in the second half of the page, then signalled. */
static void on_shared_event(struct lane_source *source, uint32_t events)
{
    struct vmbus_bus *bus = container_of(source, struct vmbus_bus, shared_event);
    uint64_t count, bits;

    (void)events;
    if (read(source->fd, &count, sizeof(count)) < 0)
        return;
    for (uint32_t at = 0; at < VMBUS_INTERRUPT_PAGE_HALF; at += sizeof(bits))
        if (gmem_take64(bus->gmem, bus->interrupt_page + VMBUS_INTERRUPT_PAGE_HALF + at, &bits))
            ring_doorbells(bus, at * 8, bits);
}

static bool interrupt_page_on(struct vmbus_bus *bus, uint64_t gpa)
{
    if (!gpa || gpa % GMEM_PAGE || !gmem_has_page(bus->gmem, gpa >> GMEM_PAGE_SHIFT))
        return false;
    if (lane_watch(bus->lane, &bus->shared_event, EPOLLIN) < 0)
        return false;
    if (bus_connect(bus, 0, bus->shared_event.fd) < 0) {
        lane_unwatch(bus->lane, &bus->shared_event);
        return false;
    }
    bus->interrupt_page = gpa;
    return true;
}

static void interrupt_page_off(struct vmbus_bus *bus)
{
    if (!bus->interrupt_page)
        return;
    bus_disconnect(bus, 0, bus->shared_event.fd);
    lane_unwatch(bus->lane, &bus->shared_event);
    bus->interrupt_page = 0;
}

/* --- Negotiation */

static bool monitor_pages_good(const struct vmbus_msg_initiate_contact *contact)
{
    return !contact->monitor_out == !contact->monitor_in && !(contact->monitor_out % GMEM_PAGE) &&
           !(contact->monitor_in % GMEM_PAGE);
}

/* The SINT and VTL are named since 5.0, and only in messages on the newer connection. */
static bool target_good(const struct vmbus_bus *bus,
                        const struct vmbus_msg_initiate_contact *contact)
{
    if (contact->version >= VMBUS_V3_0 && contact->target_vp >= bus->vps)
        return false;
    if (contact->version < VMBUS_V5_0 ||
        bus->reset.contact_connection != VMBUS_CONNECTION_MESSAGE_5)
        return true;
    return contact->sint == VMBUS_SINT && !contact->vtl;
}

/* Answer the INITIATE_CONTACT that the reset was for. */
static void negotiate(struct vmbus_bus *bus)
{
    const struct vmbus_msg_initiate_contact *contact = &bus->reset.contact;
    uint32_t version = contact->version;
    struct vmbus_msg_version_response response = {.header = BUS_HEADER(VMBUS_MSG_VERSION_RESPONSE)};
    char text[16];

    bus->message_vp =
        version >= VMBUS_V3_0 && contact->target_vp < bus->vps ? contact->target_vp : 0;
    if (!version_known(bus, version) || !target_good(bus, contact)) {
        /* all zero: not supported */
    } else if (!monitor_pages_good(contact)) {
        response.supported = version >= VMBUS_V2_4;
        response.state = response.supported ? VMBUS_STATE_FAILURE : VMBUS_STATE_OK;
    } else if (version >= VMBUS_V2_4 || interrupt_page_on(bus, contact->interrupt_page)) {
        bus->version = version;
        bus->stats.connects++;
        response.supported = 1;
        response.connection = version >= VMBUS_V5_0 ? VMBUS_CONNECTION_MESSAGE_5 : version;
    }
    log_debug("VMBus %s requested by the guest: %s", vmbus_version_text(version, text),
              bus->version ? "accepted" : "refused");
    bus_send(bus, &response, sizeof(response));
}

/* --- Reset */

static void answer_unload(struct vmbus_bus *bus)
{
    struct vmbus_header response = BUS_HEADER(VMBUS_MSG_UNLOAD_RESPONSE);

    if (bus->reset.version >= VMBUS_V1_1) /* 0.13 has no such answer */
        bus_send_vp(bus, bus->reset.vp, &response, sizeof(response));
}

static void reset_devices(struct vmbus_bus *bus)
{
    for (struct vsp *vsp = bus->vsps; vsp; vsp = vsp->next)
        if (vsp->class->reset)
            vsp->class->reset(vsp);
}

/* If the last channel is closed: forget the guest, then do what the reset was for. */
static void reset_advance(struct vmbus_bus *bus)
{
    if (!bus->reset.active || bus->busy)
        return;
    offer_forget(bus);
    gpadl_remove_all(&bus->gpadls);
    interrupt_page_off(bus);
    bus->message_vp = 0;
    reset_devices(bus);
    bus->reset.active = false;

    void (*done)(void *context) = bus->reset.done;
    bus->reset.done = NULL;
    if (done) {
        bus_inbound_clear(bus); /* of the guest that is gone */
        done(bus->reset.context);
        return;
    }
    if (bus->reset.then == RESET_THEN_CONTACT)
        negotiate(bus);
    else if (bus->reset.then == RESET_THEN_UNLOAD)
        answer_unload(bus);
    bus_wake(bus);
}

static void reset_begin(struct vmbus_bus *bus, enum reset_then then)
{
    bus->reset.active = true;
    bus->reset.then = then;
    bus->reset.version = bus->version;
    bus->reset.vp = bus->message_vp;
    bus->version = 0;
    bus->offers_requested = false;
    bus->offers_end_due = false;
    bus_outbox_clear(bus);
    for (struct vmbus_channel *channel = bus->channels; channel; channel = channel->next)
        if (!channel->index) /* which closes its subchannels; devices that leave have one, too */
            lifecycle_close(channel);
    reset_advance(bus);
}

void connection_channel_closed(struct vmbus_bus *bus)
{
    reset_advance(bus);
}

void connection_handle_initiate_contact(struct vmbus_bus *bus, const struct bus_message *message)
{
    memcpy(&bus->reset.contact, message->data, sizeof(bus->reset.contact));
    bus->reset.contact_connection = message->connection;
    reset_begin(bus, RESET_THEN_CONTACT);
}

void connection_handle_unload(struct vmbus_bus *bus, const struct bus_message *message)
{
    (void)message;
    reset_begin(bus, RESET_THEN_UNLOAD);
}

void vmbus_bus_reset(struct vmbus_bus *bus, void (*done)(void *context), void *context)
{
    bus_inbound_clear(bus);
    bus->reset.done = done;
    bus->reset.context = context;
    reset_begin(bus, RESET_THEN_NOTHING);
}

void connection_init(struct vmbus_bus *bus)
{
    bus->shared_event.ready = on_shared_event;
}
