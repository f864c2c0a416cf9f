/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted guest's control plane: transport, messages, connection, offers, GPADLs.
 *
 * Messages are built from the wire facts as Linux's drivers/hv builds them, by offset rather than
 * with the host's structures where a wrong structure would hide itself.
 */
#include "tests/unit/scripted_guest.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS   2000000000ull
#define FIRST_PAGE    16u
#define HEADER_VALUES 26u /* PFNs of one range that fit into a GPADL_HEADER */
#define BODY_VALUES   28u

/* --- Transport */

static unsigned untaken(const struct scripted_guest *guest)
{
    return guest->messages - guest->taken;
}

static int transport_post(void *context, uint32_t vp, const void *message, uint32_t len)
{
    struct scripted_guest *guest = context;
    struct sg_message *slot = &guest->message[guest->messages % SG_MESSAGES];

    g_assert_cmpuint(len, <=, VMBUS_MESSAGE_MAX);
    if (vp >= guest->vps)
        return -EINVAL;
    if (untaken(guest) >= guest->fifo_limit)
        return -EAGAIN;
    slot->vp = vp;
    slot->len = len;
    memcpy(slot->data, message, len);
    guest->messages++;
    return 0;
}

static void transport_signal(void *context, uint32_t vp, uint16_t flag)
{
    struct scripted_guest *guest = context;

    /* From any lane, so also from any thread. */
    __atomic_fetch_add(&guest->signals, 1, __ATOMIC_RELAXED);
    if (vp >= guest->vps)
        return;
    g_assert_cmpuint(flag, <, 2048);
    uint64_t bit = 1ull << flag % 64;
    uint64_t old = __atomic_fetch_or(&guest->flags[vp][flag / 64], bit, __ATOMIC_SEQ_CST);
    if (!(old & bit))
        __atomic_fetch_add(&guest->raises, 1, __ATOMIC_RELAXED);
}

static int transport_connect(void *context, uint32_t connection, int eventfd)
{
    struct scripted_guest *guest = context;

    if (guest->connect_error)
        return guest->connect_error;
    g_assert_cmpuint(connection, <, SG_CONNECTIONS);
    g_assert_cmpint(guest->connection_fd[connection], ==, 0);
    guest->connection_fd[connection] = eventfd + 1;
    return 0;
}

static void transport_disconnect(void *context, uint32_t connection, int eventfd)
{
    struct scripted_guest *guest = context;

    g_assert_cmpuint(connection, <, SG_CONNECTIONS);
    g_assert_cmpint(guest->connection_fd[connection], ==, eventfd + 1);
    guest->connection_fd[connection] = 0;
}

static bool transport_congested(void *context)
{
    const struct scripted_guest *guest = context;

    return untaken(guest) >= guest->fifo_limit;
}

/* Messages of other VPs go too; no test has both. */
static void transport_forget(void *context, uint32_t vp)
{
    struct scripted_guest *guest = context;

    (void)vp;
    guest->taken = guest->messages;
}

static const struct vmbus_transport transport = {
    .post = transport_post,
    .signal = transport_signal,
    .connect = transport_connect,
    .disconnect = transport_disconnect,
    .congested = transport_congested,
    .forget = transport_forget,
};

/* --- The machine */

struct scripted_guest *sg_new(uint64_t ram, uint32_t vps, uint32_t max_version)
{
    struct scripted_guest *guest = calloc(1, sizeof(*guest));

    g_assert_nonnull(guest);
    g_assert_cmpuint(vps, <=, G_N_ELEMENTS(guest->flags));
    guest->ram_size = ram;
    guest->ram = aligned_alloc(GMEM_PAGE, ram);
    g_assert_nonnull(guest->ram);
    memset(guest->ram, 0, ram);
    g_assert_cmpint(gmem_add(&guest->gmem, 0, ram, guest->ram), ==, 0);
    guest->next_page = FIRST_PAGE;
    guest->fifo_limit = SG_MESSAGES;
    guest->vps = vps;
    guest->next_gpadl = 0xe1e10;
    guest->lane = lane_new("guest");
    g_assert_nonnull(guest->lane);
    guest->bus = vmbus_bus_new(guest->lane, &guest->gmem, &transport, guest, vps, max_version);
    g_assert_nonnull(guest->bus);
    return guest;
}

static void on_stopped(void *context)
{
    ((struct scripted_guest *)context)->stopped = true;
}

void sg_stop(struct scripted_guest *guest)
{
    uint64_t end = lane_now() + PATIENCE_NS;

    vmbus_bus_reset(guest->bus, on_stopped, guest);
    while (!guest->stopped && lane_now() < end)
        lane_turn(guest->lane, 1);
    g_assert_true(guest->stopped);
    sg_run(guest, 0);
}

void sg_free(struct scripted_guest *guest)
{
    if (!guest->stopped)
        sg_stop(guest);
    vmbus_bus_free(guest->bus);
    lane_free(guest->lane);
    gmem_free(&guest->gmem);
    free(guest->ram);
    free(guest);
}

void sg_run(struct scripted_guest *guest, unsigned ms)
{
    uint64_t now = lane_now(), end = now + ms * 1000000ull;
    unsigned turns = 0;

    while (lane_turn(guest->lane, (int)((end - now + 999999) / 1000000))) {
        now = lane_now();
        if (now >= end) {
            now = end;
            /* A lane that polls never says that it is done. */
            if (++turns == 1000)
                return;
        }
    }
}

uint64_t sg_pages(struct scripted_guest *guest, unsigned count)
{
    uint64_t pfn = guest->next_page;

    guest->next_page += count;
    g_assert_cmpuint(guest->next_page * GMEM_PAGE, <=, guest->ram_size);
    memset(guest->ram + pfn * GMEM_PAGE, 0, (size_t)count * GMEM_PAGE);
    return pfn;
}

void *sg_mem(struct scripted_guest *guest, uint64_t gpa)
{
    g_assert_cmpuint(gpa, <, guest->ram_size);
    return guest->ram + gpa;
}

/* --- Messages */

uint32_t sg_post(struct scripted_guest *guest, uint32_t connection, const void *message,
                 uint32_t len)
{
    uint8_t input[256] = {0};
    uint32_t type = VMBUS_MESSAGE_TYPE;

    memcpy(input, &connection, 4);
    memcpy(input + 8, &type, 4);
    memcpy(input + 12, &len, 4);
    memcpy(input + 16, message, len < VMBUS_MESSAGE_MAX ? len : VMBUS_MESSAGE_MAX);
    return vmbus_bus_post(guest->bus, input);
}

void sg_tell(struct scripted_guest *guest, const void *message, uint32_t len)
{
    uint32_t connection =
        guest->version >= VMBUS_V5_0 ? VMBUS_CONNECTION_MESSAGE_5 : VMBUS_CONNECTION_MESSAGE;
    uint32_t status = sg_post(guest, connection, message, len);

    /* As drivers do: let the host work, then try again. */
    for (int i = 0; status == HV_STATUS_INSUFFICIENT_BUFFERS && i < 100; i++) {
        sg_run(guest, 0);
        status = sg_post(guest, connection, message, len);
    }
    g_assert_cmpuint(status, ==, HV_STATUS_SUCCESS);
}

void sg_tell_words(struct scripted_guest *guest, uint32_t type, unsigned words, uint32_t first,
                   uint32_t second)
{
    const uint32_t message[4] = {type, 0, first, second};

    sg_tell(guest, message, 8 + 4 * words);
}

uint32_t sg_message_type(const struct sg_message *message)
{
    uint32_t type;

    memcpy(&type, message->data, sizeof(type));
    return type;
}

static const struct sg_message *take_one(struct scripted_guest *guest)
{
    bool full = transport_congested(guest);

    if (!untaken(guest))
        return NULL;
    const struct sg_message *message = &guest->message[guest->taken++ % SG_MESSAGES];
    if (full)
        vmbus_bus_room(guest->bus);
    return message;
}

const struct sg_message *sg_take(struct scripted_guest *guest)
{
    sg_run(guest, 0);
    return take_one(guest);
}

const uint8_t *sg_expect(struct scripted_guest *guest, uint32_t type)
{
    uint64_t end = lane_now() + PATIENCE_NS;
    const struct sg_message *message = sg_take(guest);

    while (!message && lane_now() < end) {
        lane_turn(guest->lane, 1);
        message = take_one(guest);
    }
    g_assert_nonnull(message);
    g_assert_cmpuint(sg_message_type(message), ==, type);
    return message->data;
}

/* Bring the first untaken message of `type` to the front of the queue. */
static bool bring_forward(struct scripted_guest *guest, uint32_t type)
{
    for (unsigned i = guest->taken; i != guest->messages; i++) {
        struct sg_message found = guest->message[i % SG_MESSAGES];
        if (sg_message_type(&found) != type)
            continue;
        for (; i != guest->taken; i--)
            guest->message[i % SG_MESSAGES] = guest->message[(i - 1) % SG_MESSAGES];
        guest->message[i % SG_MESSAGES] = found;
        return true;
    }
    return false;
}

const uint8_t *sg_pick(struct scripted_guest *guest, uint32_t type)
{
    uint64_t end = lane_now() + PATIENCE_NS;

    sg_run(guest, 0);
    while (!bring_forward(guest, type)) {
        g_assert_cmpuint(lane_now(), <, end);
        lane_turn(guest->lane, 1);
    }
    return take_one(guest)->data;
}

void sg_drop(struct scripted_guest *guest)
{
    while (sg_take(guest))
        ;
}

/* --- Connection */

uint32_t sg_initiate(struct scripted_guest *guest, uint32_t version)
{
    struct vmbus_msg_initiate_contact contact = {
        .header.type = VMBUS_MSG_INITIATE_CONTACT,
        .version = version,
        .target_vp = version >= VMBUS_V3_0 ? guest->target_vp : 0,
    };
    bool new = version >= VMBUS_V5_0;

    if (!guest->interrupt_page_pfn) {
        guest->interrupt_page_pfn = sg_pages(guest, 1);
        guest->monitor_pfn = sg_pages(guest, 2);
    }
    memset(sg_mem(guest, guest->interrupt_page_pfn * GMEM_PAGE), 0, GMEM_PAGE);
    if (new)
        contact.sint = VMBUS_SINT;
    else
        contact.interrupt_page = guest->interrupt_page_pfn * GMEM_PAGE;
    contact.monitor_out = guest->monitor_pfn * GMEM_PAGE;
    contact.monitor_in = (guest->monitor_pfn + 1) * GMEM_PAGE;
    return sg_post(guest, new ? VMBUS_CONNECTION_MESSAGE_5 : VMBUS_CONNECTION_MESSAGE, &contact,
                   sizeof(contact));
}

bool sg_connect(struct scripted_guest *guest, uint32_t version)
{
    sg_drop(guest);
    guest->version = 0;
    guest->first_offer = guest->messages;
    g_assert_cmpuint(sg_initiate(guest, version), ==, HV_STATUS_SUCCESS);
    /* Answers to the last connection may come before. */
    const uint8_t *response = sg_pick(guest, VMBUS_MSG_VERSION_RESPONSE);
    if (!response[8] || response[9])
        return false;
    guest->version = version;
    sg_tell_words(guest, VMBUS_MSG_REQUEST_OFFERS, 0, 0, 0);
    sg_run(guest, 0);
    return true;
}

bool sg_find_offer(struct scripted_guest *guest, const struct guid *interface, unsigned index,
                   struct sg_channel *channel)
{
    unsigned i = guest->first_offer;

    sg_run(guest, 0);
    if (guest->messages - i > SG_MESSAGES)
        i = guest->messages - SG_MESSAGES;
    for (; i != guest->messages; i++) {
        const struct sg_message *message = &guest->message[i % SG_MESSAGES];
        if (sg_message_type(message) != VMBUS_MSG_OFFER || message->len != sizeof(channel->offer) ||
            memcmp(message->data + 8, interface, sizeof(*interface)) || index--)
            continue;
        memset(channel, 0, sizeof(*channel));
        channel->guest = guest;
        memcpy(channel->offer, message->data, sizeof(channel->offer));
        memcpy(&channel->relid, message->data + 184, 4);
        memcpy(&channel->connection, message->data + 192, 4);
        return true;
    }
    return false;
}

/* --- GPADLs */

void sg_gpadl_post(struct scripted_guest *guest, uint32_t relid, uint32_t gpadl, uint64_t pfn,
                   unsigned pages)
{
    struct {
        uint32_t type, reserved, relid, gpadl;
        uint16_t bytes, ranges;
        uint32_t byte_count, byte_offset; /* 20 bytes before, so packed by itself */
        uint64_t pfn[HEADER_VALUES];
    } __attribute__((packed))
    header = {VMBUS_MSG_GPADL_HEADER, 0, relid, gpadl, (uint16_t)(8 + 8 * pages), 1,
              pages * GMEM_PAGE,      0, {0}};
    struct {
        uint32_t type, reserved, number, gpadl;
        uint64_t pfn[BODY_VALUES];
    } __attribute__((packed)) body = {VMBUS_MSG_GPADL_BODY, 0, 0, gpadl, {0}};
    unsigned n, done;

    for (done = 0; done < pages && done < HEADER_VALUES; done++)
        header.pfn[done] = pfn + done;
    sg_tell(guest, &header, 28 + 8 * done);
    while (done < pages) {
        for (n = 0; n < BODY_VALUES && done < pages; n++)
            body.pfn[n] = pfn + done++;
        sg_tell(guest, &body, 16 + 8 * n);
    }
}

uint32_t sg_gpadl(struct scripted_guest *guest, uint32_t relid, uint32_t gpadl, uint64_t pfn,
                  unsigned pages)
{
    uint32_t created[5];

    sg_gpadl_post(guest, relid, gpadl, pfn, pages);
    memcpy(created, sg_pick(guest, VMBUS_MSG_GPADL_CREATED), sizeof(created));
    g_assert_cmpuint(created[2], ==, relid);
    g_assert_cmpuint(created[3], ==, gpadl);
    return created[4];
}

/* --- Channels */

void sg_rings(struct sg_channel *channel, unsigned pages)
{
    struct scripted_guest *guest = channel->guest;
    unsigned each = pages + 1;

    if (!channel->out || channel->ring_bytes != pages * GMEM_PAGE)
        channel->out_pfn = sg_pages(guest, 2 * each);
    channel->in_pfn = channel->out_pfn + each;
    channel->out = sg_mem(guest, channel->out_pfn * GMEM_PAGE);
    channel->in = sg_mem(guest, channel->in_pfn * GMEM_PAGE);
    channel->ring_bytes = pages * GMEM_PAGE;
    memset(channel->out, 0, 2 * each * GMEM_PAGE);
    *sg_ring_word(channel->out, SG_FEATURES) = 1; /* Linux sets it in both */
    *sg_ring_word(channel->in, SG_FEATURES) = 1;
    channel->gpadl = guest->next_gpadl++;
    g_assert_cmpuint(sg_gpadl(guest, channel->relid, channel->gpadl, channel->out_pfn, 2 * each),
                     ==, VMBUS_STATUS_SUCCESS);
}

void sg_open_post(struct sg_channel *channel, const void *user_data, size_t user_len)
{
    struct vmbus_msg_open open = {
        .header.type = VMBUS_MSG_OPEN,
        .relid = channel->relid,
        .open_id = channel->relid,
        .gpadl = channel->gpadl,
        .target_vp = channel->guest->target_vp,
        .downstream_page = channel->ring_bytes / GMEM_PAGE + 1,
    };

    g_assert_cmpuint(user_len, <=, sizeof(open.user_data));
    if (user_len)
        memcpy(open.user_data, user_data, user_len);
    sg_tell(channel->guest, &open, sizeof(open));
}

uint32_t sg_open(struct sg_channel *channel, unsigned pages, const void *user_data, size_t user_len)
{
    uint32_t result[5];

    sg_rings(channel, pages);
    sg_open_post(channel, user_data, user_len);
    memcpy(result, sg_pick(channel->guest, VMBUS_MSG_OPEN_RESULT), sizeof(result));
    g_assert_cmpuint(result[2], ==, channel->relid);
    g_assert_cmpuint(result[3], ==, channel->relid);
    return result[4];
}

void sg_close(struct sg_channel *channel)
{
    uint32_t torndown[3];

    sg_tell_words(channel->guest, VMBUS_MSG_CLOSE, 1, channel->relid, 0);
    sg_tell_words(channel->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, channel->relid, channel->gpadl);
    memcpy(torndown, sg_pick(channel->guest, VMBUS_MSG_GPADL_TORNDOWN), sizeof(torndown));
    g_assert_cmpuint(torndown[2], ==, channel->gpadl);
}
