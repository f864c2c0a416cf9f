/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted guest's rings and signals, step by step as Linux's drivers/hv/ring_buffer.c has
 * them.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/scripted_guest.h"
#include "vmbus/ring.h"

#define PATIENCE_NS 2000000000ull
#define DESCRIPTOR  16u
#define TRAILER     8u

uint32_t *sg_ring_word(uint8_t *ring, enum sg_ring_word word)
{
    return (uint32_t *)(void *)ring + word;
}

/* The words that both sides use while both run, perhaps on two threads. */
static uint32_t load(uint8_t *ring, enum sg_ring_word word)
{
    return __atomic_load_n(sg_ring_word(ring, word), __ATOMIC_SEQ_CST);
}

static void store(uint8_t *ring, enum sg_ring_word word, uint32_t value)
{
    __atomic_store_n(sg_ring_word(ring, word), value, __ATOMIC_SEQ_CST);
}

/* Bytes that may still be written, as Linux counts them: a packet must be smaller than this. */
static uint32_t room(const struct sg_channel *channel, uint32_t write, uint32_t read)
{
    return write >= read ? channel->ring_bytes - (write - read) : read - write;
}

static uint32_t put(const struct sg_channel *channel, uint32_t at, const void *src, size_t len)
{
    const uint8_t *from = src;

    for (size_t i = 0; i < len; i++, at = (at + 1) % channel->ring_bytes)
        channel->out[GMEM_PAGE + at] = from[i];
    return at;
}

static uint32_t get(const struct sg_channel *channel, uint32_t at, void *dst, size_t len)
{
    uint8_t *to = dst;

    for (size_t i = 0; i < len; i++, at = (at + 1) % channel->ring_bytes)
        to[i] = channel->in[GMEM_PAGE + at];
    return at;
}

/* --- Signals */

static void ring_connection(struct scripted_guest *guest, uint32_t connection)
{
    static const uint64_t one = 1;
    int fd = guest->connection_fd[connection] - 1;

    if (fd >= 0)
        g_assert_cmpint(write(fd, &one, sizeof(one)), ==, sizeof(one));
    else /* what KVM does not know it hands to the worker */
        vmbus_bus_signal(guest->bus, connection, 0);
}

void sg_signal(struct sg_channel *channel)
{
    struct scripted_guest *guest = channel->guest;
    uint8_t *page = sg_mem(guest, guest->interrupt_page_pfn * GMEM_PAGE);

    if (guest->version >= VMBUS_V1_1) {
        ring_connection(guest, channel->connection);
        return;
    }
    __atomic_fetch_or(&page[VMBUS_INTERRUPT_PAGE_HALF + channel->relid / 8],
                      (uint8_t)(1u << channel->relid % 8), __ATOMIC_SEQ_CST);
    ring_connection(guest, VMBUS_CONNECTION_EVENT);
}

bool sg_flag_take(struct scripted_guest *guest, uint32_t vp, uint16_t flag)
{
    uint64_t bit = 1ull << flag % 64;

    return __atomic_fetch_and(&guest->flags[vp][flag / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

bool sg_interrupt_take(struct sg_channel *channel)
{
    struct scripted_guest *guest = channel->guest;
    uint8_t *byte = sg_mem(guest, guest->interrupt_page_pfn * GMEM_PAGE + channel->relid / 8);
    uint8_t bit = (uint8_t)(1u << channel->relid % 8);

    if (guest->version >= VMBUS_V2_4)
        return sg_flag_take(guest, guest->target_vp, (uint16_t)channel->relid);
    /* A bit without flag 0 is an interrupt that no old guest looks for. */
    bool set = __atomic_fetch_and(byte, (uint8_t)~bit, __ATOMIC_SEQ_CST) & bit;
    return sg_flag_take(guest, 0, 0) && set;
}

/* --- Sending */

bool sg_send(struct sg_channel *channel, uint16_t type, uint16_t flags, uint64_t transaction_id,
             const void *extension, size_t extension_len, const void *payload, size_t payload_len)
{
    uint32_t old = load(channel->out, SG_WRITE), read = load(channel->out, SG_READ);
    uint32_t header = DESCRIPTOR + (uint32_t)extension_len;
    uint32_t total = (header + (uint32_t)payload_len + 7) & ~7u;
    const uint16_t descriptor[4] = {type, (uint16_t)(header / 8), (uint16_t)(total / 8), flags};
    const uint32_t trailer[2] = {0, old};
    const uint64_t padding = 0;

    if (total + TRAILER >= room(channel, old, read))
        return false;
    uint32_t at = put(channel, old, descriptor, sizeof(descriptor));
    at = put(channel, at, &transaction_id, sizeof(transaction_id));
    at = put(channel, at, extension, extension_len);
    at = put(channel, at, payload, payload_len);
    at = put(channel, at, &padding, total - header - payload_len);
    at = put(channel, at, trailer, sizeof(trailer));
    store(channel->out, SG_WRITE, at);
    /* Signal only a host that is not reading and had caught up. */
    if (!load(channel->out, SG_MASK) && load(channel->out, SG_READ) == old)
        sg_signal(channel);
    return true;
}

bool sg_send_inband(struct sg_channel *channel, uint64_t transaction_id, const void *payload,
                    size_t len)
{
    return sg_send(channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_COMPLETION_REQUESTED, transaction_id,
                   NULL, 0, payload, len);
}

bool sg_send_gpa(struct sg_channel *channel, uint64_t transaction_id, uint64_t gpa, uint32_t length,
                 const void *payload, size_t len)
{
    struct {
        uint32_t reserved, ranges;
        uint32_t length, offset;
        uint64_t pfn[LIMIT_RANGE_PAGES];
    } extension = {.ranges = 1, .length = length, .offset = gpa % GMEM_PAGE};
    uint32_t pages = (extension.offset + length + GMEM_PAGE - 1) / GMEM_PAGE;

    g_assert_cmpuint(pages, <=, LIMIT_RANGE_PAGES);
    for (uint32_t i = 0; i < pages; i++)
        extension.pfn[i] = gpa / GMEM_PAGE + i;
    return sg_send(channel, VMBUS_PACKET_GPA_DIRECT, VMBUS_PACKET_COMPLETION_REQUESTED,
                   transaction_id, &extension, 16 + 8 * pages, payload, len);
}

void sg_send_raw(struct sg_channel *channel, const void *bytes, size_t len)
{
    store(channel->out, SG_WRITE, put(channel, load(channel->out, SG_WRITE), bytes, len));
    sg_signal(channel);
}

/* --- Receiving */

/* Move the read index and tell a host that waits for room, as Linux does when it closes its packet
 * iterator. */
static void consumed(struct sg_channel *channel, uint32_t read, uint32_t bytes)
{
    store(channel->in, SG_READ, read);
    uint32_t pending = load(channel->in, SG_PENDING);
    uint32_t free_now = room(channel, load(channel->in, SG_WRITE), read);
    if (channel->guest->version < VMBUS_V2_4 || !load(channel->in, SG_FEATURES))
        return;
    if (pending && free_now > pending && free_now - bytes <= pending)
        sg_signal(channel);
}

int sg_receive(struct sg_channel *channel, uint16_t *type, uint64_t *transaction_id, void *payload,
               size_t max)
{
    uint32_t read = load(channel->in, SG_READ);
    uint16_t descriptor[4];
    uint64_t id;

    if (read == load(channel->in, SG_WRITE))
        return -1;
    uint32_t at = get(channel, read, descriptor, sizeof(descriptor));
    get(channel, at, &id, sizeof(id));
    uint32_t header = descriptor[1] * 8u, total = descriptor[2] * 8u;
    g_assert_cmpuint(header, >=, DESCRIPTOR);
    g_assert_cmpuint(total, >=, header);
    g_assert_cmpuint(total + TRAILER, <, channel->ring_bytes);
    uint32_t len = total - header;
    get(channel, (read + header) % channel->ring_bytes, payload, len < max ? len : max);
    if (type)
        *type = descriptor[0];
    if (transaction_id)
        *transaction_id = id;
    channel->rx_packets++;
    consumed(channel, (read + total + TRAILER) % channel->ring_bytes, total + TRAILER);
    return (int)len;
}

int sg_wait(struct sg_channel *channel, uint16_t *type, uint64_t *transaction_id, void *payload,
            size_t max)
{
    uint64_t end = lane_now() + PATIENCE_NS;
    int len = sg_receive(channel, type, transaction_id, payload, max);

    while (len < 0) {
        g_assert_cmpuint(lane_now(), <, end);
        lane_turn(channel->guest->lane, 1);
        len = sg_receive(channel, type, transaction_id, payload, max);
    }
    return len;
}
