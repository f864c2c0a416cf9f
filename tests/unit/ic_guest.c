/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of an integration service (see ic_guest.h).
 */
#include "tests/unit/ic_guest.h"

#include <glib.h>
#include <string.h>

#include "vmbus/ring.h"

#define NEGOTIATE_HEAD 8 /* two counts and a reserved word */

void ic_guest_init(struct ic_guest *g, struct vsp *vsp, uint32_t version, unsigned pages)
{
    memset(g, 0, sizeof(*g));
    g->guest = sg_new(4u << 20, 1, version);
    vsp->lane = g->guest->lane;
    g_assert_cmpint(vmbus_bus_add(g->guest->bus, vsp), ==, 0);
    g_assert_true(sg_connect(g->guest, version));
    g_assert_true(sg_find_offer(g->guest, &vsp->class->interface, 0, &g->channel));
    g_assert_cmpuint(sg_open(&g->channel, pages, NULL, 0), ==, 0);
}

void ic_guest_clear(struct ic_guest *g)
{
    sg_free(g->guest);
}

void ic_guest_reopen(struct ic_guest *g, unsigned pages)
{
    sg_close(&g->channel);
    sg_run(g->guest, 0);
    g_assert_cmpuint(sg_open(&g->channel, pages, NULL, 0), ==, 0);
}

bool ic_guest_poll(struct ic_guest *g, unsigned ms)
{
    uint64_t end = lane_now() + ms * 1000000ull, transaction_id;
    uint16_t type;

    for (;;) {
        int len = sg_receive(&g->channel, &type, &transaction_id, g->buffer, sizeof(g->buffer));

        if (len >= 0) {
            g_assert_cmpuint(type, ==, VMBUS_PACKET_IN_BAND);
            g_assert_cmpint(len, >=, (int)IC_GUEST_DATA);
            g->len = (uint32_t)len;
            return true;
        }
        if (lane_now() >= end)
            return false;
        sg_run(g->guest, 1);
    }
}

struct ic_header *ic_guest_expect(struct ic_guest *g, uint16_t type)
{
    struct ic_header *header = (struct ic_header *)(g->buffer + sizeof(struct ic_pipe));
    const struct ic_pipe *pipe = (const struct ic_pipe *)g->buffer;

    g_assert_true(ic_guest_poll(g, 1000));
    g_assert_cmpuint(pipe->type, ==, IC_PIPE_DATA);
    g_assert_cmpuint(pipe->length, ==, sizeof(*header) + header->size);
    g_assert_cmpuint(g->len, ==, (sizeof(*pipe) + pipe->length + 7) & ~7u);
    g_assert_cmpuint(header->type, ==, type);
    g_assert_cmpuint(header->flags, ==, IC_FLAG_TRANSACTION | IC_FLAG_REQUEST);
    g_assert_cmpuint(header->transaction, ==, 0);
    g_assert_cmpuint(header->status, ==, 0);
    return header;
}

uint8_t *ic_guest_data(struct ic_guest *g)
{
    return g->buffer + IC_GUEST_DATA;
}

void ic_guest_send(struct ic_guest *g)
{
    g_assert_true(sg_send(&g->channel, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, g->buffer, g->len));
    sg_run(g->guest, 0);
}

void ic_guest_answer(struct ic_guest *g, uint32_t status)
{
    struct ic_header *header = (struct ic_header *)(g->buffer + sizeof(struct ic_pipe));

    header->flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
    header->status = status;
    ic_guest_send(g);
}

/* The guest's favourite among `count` offered versions. */
static const struct ic_version *choose(const struct ic_version *known, unsigned knowns,
                                       const struct ic_version *offer, unsigned count)
{
    for (unsigned i = 0; i < knowns; i++) {
        for (unsigned j = 0; j < count; j++) {
            if (offer[j].major == known[i].major && offer[j].minor == known[i].minor)
                return &known[i];
        }
    }
    return NULL;
}

bool ic_guest_negotiate(struct ic_guest *g, const struct ic_version *framework, unsigned frameworks,
                        const struct ic_version *message, unsigned messages)
{
    struct ic_header *header = ic_guest_expect(g, IC_NEGOTIATE);
    uint16_t *count = (uint16_t *)(void *)ic_guest_data(g);
    struct ic_version *offer = (struct ic_version *)(ic_guest_data(g) + NEGOTIATE_HEAD);
    const struct ic_version *chosen[2];

    g_assert_cmpuint(header->size, ==, NEGOTIATE_HEAD + 4u * (count[0] + count[1]));
    chosen[0] = choose(framework, frameworks, offer, count[0]);
    chosen[1] = choose(message, messages, offer + count[0], count[1]);
    header->size = 16;
    if (!chosen[0] || !chosen[1]) {
        offer[0] = (struct ic_version){count[0], 0};
        offer[1] = (struct ic_version){count[1], 0};
        count[0] = count[1] = 0;
    } else {
        offer[0] = *chosen[0];
        offer[1] = *chosen[1];
        count[0] = count[1] = 1;
    }
    ic_guest_answer(g, 0);
    return count[0] == 1;
}

void ic_guest_agree(struct ic_guest *g, uint16_t major, uint16_t minor)
{
    struct ic_version framework = {major == 1 ? 1 : 3, 0}, message = {major, minor};

    g_assert_true(ic_guest_negotiate(g, &framework, 1, &message, 1));
}

static void add_faults(const struct vmbus_channel_info *info, void *context)
{
    *(uint64_t *)context += info->faults;
}

uint64_t ic_guest_faults(struct ic_guest *g)
{
    uint64_t faults = 0;

    vmbus_bus_channels(g->guest->bus, add_faults, &faults);
    return faults;
}
