/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: netvsp behind a real bus, real rings and a real port ring, against a guest that does
 * anything in any order.
 *
 * The input is a script: handshakes, NVSP and RNDIS messages with any body, packets of any type,
 * frames from the switch on every queue, completions right and wrong, revokes, close and open,
 * subchannels that open and close, hash keys and tables, ports that come and go. Beyond what the
 * sanitizers see it checks that no two packets which the guest has not completed carry the same id,
 * and that every GPADL is let go of in the end.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/log.h"
#include "tests/fuzz/script.h"
#include "tests/unit/net_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define STEPS    200u
#define IDS      256u
#define CHANNELS 3u

enum step {
    STEP_NEGOTIATE,
    STEP_RNDIS_INIT,
    STEP_NVSP,
    STEP_CONTROL,
    STEP_DATA,
    STEP_SECTION,
    STEP_PACKET,
    STEP_COMPLETE,
    STEP_BAD_COMPLETE,
    STEP_FRAME,
    STEP_SWITCH_READS,
    STEP_TURN,
    STEP_REVOKE,
    STEP_PORT,
    STEP_SUBCHANNELS,
    STEP_SUBCHANNEL,
    STEP_RSS,
    STEP_REOPEN,
    STEP_COUNT,
};

/* Packets that the guest has and has not completed. */
static uint64_t outstanding[IDS];
static uint8_t outstanding_on[IDS]; /* the channel */
static unsigned outstandings;
static uint16_t buffer_id;

/* Offered in this open of the primary; `gpadl` 0: not open. */
static struct sg_channel sub[CHANNELS - 1];
static unsigned subs;

static struct sg_channel *channel_of(struct net_guest *net, unsigned index)
{
    return index ? &sub[index - 1] : &net->channel;
}

/* The packets of a channel are gone with it. */
static void forget(unsigned index)
{
    for (unsigned i = outstandings; i-- > 0;) {
        if (outstanding_on[i] != index)
            continue;
        outstanding[i] = outstanding[--outstandings];
        outstanding_on[i] = outstanding_on[outstandings];
    }
}

/* Take what the host sent, as far as the ring makes sense. */
static void read_ring(struct net_guest *net, unsigned index)
{
    uint8_t payload[128];
    uint64_t id;
    uint16_t type;
    int len;

    while ((len = sg_receive(channel_of(net, index), &type, &id, payload, sizeof(payload))) >= 0) {
        CHECK(type == VMBUS_PACKET_IN_BAND || type == VMBUS_PACKET_COMPLETION ||
              type == VMBUS_PACKET_TRANSFER_PAGES);
        if (type != VMBUS_PACKET_TRANSFER_PAGES)
            continue;
        CHECK(len >= 28);
        for (unsigned i = 0; i < outstandings; i++)
            CHECK(outstanding[i] != id);
        if (outstandings == IDS)
            continue;
        outstanding_on[outstandings] = (uint8_t)index;
        outstanding[outstandings++] = id;
    }
}

static void read_rings(struct net_guest *net)
{
    for (unsigned index = 0; index <= subs; index++)
        if (!index || sub[index - 1].gpadl)
            read_ring(net, index);
}

static void say(struct net_guest *net, const struct nvsp_message *message, unsigned flags)
{
    sg_send(&net->channel, VMBUS_PACKET_IN_BAND, (uint16_t)flags, net->next_id++, NULL, 0, message,
            sizeof(*message));
}

static void negotiate(struct net_guest *net, struct script *script)
{
    static const uint32_t versions[] = {NVSP_VERSION_1, NVSP_VERSION_2, NVSP_VERSION_4,
                                        NVSP_VERSION_5, NVSP_VERSION_6, NVSP_VERSION_6_1};
    uint32_t version = versions[script_next(script) % 6];
    uint8_t choice = script_next(script);
    const struct nvsp_message messages[] = {
        {.type = NVSP_INIT, .init = {version, version}},
        {.type = NVSP_NDIS_CONFIG, .ndis_config = {.mtu = choice & 1 ? 1514 : 82u + choice * 40u}},
        {.type = NVSP_NDIS_VERSION, .ndis_version = {6, choice & 2 ? 30 : 1}},
        {.type = NVSP_RECEIVE_BUFFER, .buffer = {net->receive_gpadl, buffer_id}},
        {.type = NVSP_SEND_BUFFER, .buffer = {net->send_gpadl, 0}},
    };

    for (unsigned i = 0; i < 5; i++) {
        if (i == 1 && version < NVSP_VERSION_2)
            continue;
        say(net, &messages[i], 1);
        sg_run(net->guest, 0);
    }
}

static void send_rndis(struct net_guest *net, uint32_t kind, uint64_t gpa, uint32_t length)
{
    const struct nvsp_message message = {.type = NVSP_RNDIS,
                                         .rndis = {.channel = kind, .section = NVSP_NO_SECTION}};

    if (length)
        sg_send_gpa(&net->channel, net->next_id++, gpa, length, &message, sizeof(message));
}

static void rndis_init(struct net_guest *net, uint8_t filter)
{
    const uint32_t init[6] = {2, 24, 1, 1, 0, 0x4000};
    const uint32_t set[8] = {5, 32, 2, 0x1010e, 4, 20, 0, filter};

    memcpy(sg_mem(net->guest, net->data), init, sizeof(init));
    memcpy(sg_mem(net->guest, net->data + 64), set, sizeof(set));
    send_rndis(net, NVSP_CHANNEL_CONTROL, net->data, sizeof(init));
    send_rndis(net, NVSP_CHANNEL_CONTROL, net->data + 64, sizeof(set));
    sg_run(net->guest, 0);
}

static void nvsp(struct net_guest *net, struct script *script)
{
    struct nvsp_message message = {0};
    uint8_t type = script_next(script);

    script_take(script, message.bytes, script_next(script) % sizeof(message.bytes));
    message.type = type % 8 ? 100u + type % 40u : type;
    say(net, &message, script_next(script) & 1);
}

/* A control message of a right kind with any body. */
static void control(struct net_guest *net, struct script *script)
{
    uint32_t words[3] = {script_next(script) % 10u, 0, script_next(script)};
    uint32_t length = 8 + script_next(script);
    uint8_t *at = sg_mem(net->guest, net->data + 256);

    words[1] = length;
    memset(at, 0, length);
    script_take(script, at, length);
    if (words[2] & 1) {
        static const uint32_t oids[] = {0x1010e,   0x10204,    0x1021b,    0x1010103,
                                        0x1010101, 0xfc01020c, 0xfc01020d, 0x10101};
        uint32_t oid = oids[words[2] / 2 % 8];
        memcpy(at + 12, &oid, 4);
    }
    memcpy(at, words, 8);
    send_rndis(net, NVSP_CHANNEL_CONTROL, net->data + 256, length);
}

/* Data messages, more or less. */
static void data_message(struct net_guest *net, struct script *script)
{
    uint8_t frame[256];
    uint32_t length = 14 + script_next(script) % 200u, bytes = 0;
    uint64_t gpa = net->data + 4096u - script_next(script);

    net_make_frame(frame, sizeof(frame), 1);
    script_take(script, frame + 12, script_next(script) % 100u);
    for (unsigned n = script_next(script) % 4u + 1; n; n--)
        bytes += net_wrap(net, gpa + bytes, frame, length & ~3u);
    for (unsigned n = script_next(script) % 4u; n; n--)
        *(uint8_t *)sg_mem(net->guest, gpa + script_next(script) % bytes) = script_next(script);
    send_rndis(net, NVSP_CHANNEL_DATA, gpa, bytes - script_next(script) % 4u);
}

static void section(struct net_guest *net, struct script *script)
{
    struct nvsp_message message = {.type = NVSP_RNDIS};
    uint8_t frame[128];
    uint32_t at = script_next(script) % 12u;

    net_make_frame(frame, sizeof(frame), 2);
    uint32_t bytes = at < 10 ? net_wrap(net, net->send + at * 6144, frame, 100) : 100;
    message.rndis.section = at;
    message.rndis.size = bytes + (script_next(script) % 16u ? 0 : script_next(script) * 256u);
    say(net, &message, 1);
}

static void packet(struct net_guest *net, struct script *script)
{
    uint8_t extension[128] = {0}, body[96] = {0};
    uint16_t type = script_next(script) % 16u, flags = script_next(script) & 1;
    size_t extension_len = script_next(script) % (sizeof(extension) / 8) * 8u;
    size_t body_len = script_next(script) % sizeof(body);

    script_take(script, extension, extension_len);
    script_take(script, body, body_len);
    sg_send(&net->channel, type, flags, net->next_id++, extension, extension_len, body, body_len);
}

static void complete(struct net_guest *net, uint8_t which)
{
    static const uint32_t status[2] = {NVSP_RNDIS_COMPLETE, NVSP_SUCCESS};

    if (!outstandings)
        return;
    unsigned i = which % outstandings;
    if (!sg_send(channel_of(net, outstanding_on[i]), VMBUS_PACKET_COMPLETION, 0, outstanding[i],
                 NULL, 0, status, which & 0x80 ? 0 : sizeof(status)))
        return;
    outstanding[i] = outstanding[--outstandings];
    outstanding_on[i] = outstanding_on[outstandings];
}

static void bad_complete(struct net_guest *net, struct script *script)
{
    uint64_t id = 0;

    script_take(script, &id, 8);
    sg_send(&net->channel, VMBUS_PACKET_COMPLETION, 0, id, NULL, 0, &id, script_next(script) % 9u);
}

static void frame_for_guest(struct net_guest *net, struct script *script)
{
    static uint8_t frame[8192];
    struct frame_meta meta = {.length = 14u + script_next(script) * 24u};

    if (!net->attached)
        return;
    uint8_t kind = script_next(script);
    net_make_frame(frame, sizeof(frame), kind);
    if (kind & 1) /* something to be hashed, by its source port */
        memcpy(frame + 12, "\x08\x00\x45\x00\x00\x56\x00\x00\x00\x00\x40\x06", 12);
    frame[34] = kind;
    script_take(script, frame + 12, script_next(script) % 80u);
    script_take(script, &meta.hash, script_next(script) % 20u);
    net_switch_push(net, kind / 2 % CHANNELS, frame, &meta);
}

static void switch_reads(struct net_guest *net)
{
    static uint8_t frame[LIMIT_FRAME];

    for (unsigned queue = 0; net->attached && queue < CHANNELS; queue++)
        while (net_switch_take(net, queue, frame, NULL))
            ;
}

static void port(struct net_guest *net)
{
    if (net->attached)
        net_detach(net);
    else
        net_attach(net, CHANNELS);
}

/* --- Subchannels */

/* Ask for them, and see what is offered. */
static void ask_subchannels(struct net_guest *net, uint8_t count)
{
    const struct nvsp_message message = {.type = NVSP_SUBCHANNEL,
                                         .subchannel = {NVSP_ALLOCATE, count}};
    const struct sg_message *got;

    say(net, &message, 1);
    while ((got = sg_take(net->guest))) {
        struct vmbus_msg_offer offer;

        if (sg_message_type(got) != VMBUS_MSG_OFFER)
            continue;
        memcpy(&offer, got->data, sizeof(offer));
        CHECK(offer.index == subs + 1 && subs < CHANNELS - 1);
        sub[subs++] = (struct sg_channel){
            .guest = net->guest, .relid = offer.relid, .connection = offer.connection};
    }
}

static void close_subchannel(struct net_guest *net, struct sg_channel *channel)
{
    if (!channel->gpadl)
        return;
    sg_tell_words(net->guest, VMBUS_MSG_CLOSE, 1, channel->relid, 0);
    sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, channel->relid, channel->gpadl);
    sg_pick(net->guest, VMBUS_MSG_GPADL_TORNDOWN);
    channel->gpadl = 0;
    forget((unsigned)(channel - sub) + 1);
}

static void turn_subchannel(struct net_guest *net, uint8_t which)
{
    struct sg_channel *channel = &sub[which % (CHANNELS - 1)];

    if (!(which % (CHANNELS - 1) < subs))
        return;
    if (channel->gpadl)
        close_subchannel(net, channel);
    else
        CHECK(sg_open(channel, 1, NULL, 0) == 0);
}

/* Key and table of the script's; indices right and wrong. */
static void rss(struct net_guest *net, struct script *script)
{
    struct {
        uint32_t set[7];
        uint32_t head[10];
        uint32_t table[4];
        uint8_t key[40];
    } message = {
        .set = {5, sizeof(message), 3, 0x10204, sizeof(message) - 28, 20, 0},
        .head = {0x289 | 40u << 16, (script_next(script) & 0x1fu), 0x1701, 16, 40, 40, 56},
    };

    for (unsigned i = 0; i < 4; i++)
        message.table[i] = script_next(script) % (CHANNELS + 1);
    script_take(script, message.key, script_next(script) % 41u);
    memcpy(sg_mem(net->guest, net->data + 512), &message, sizeof(message));
    send_rndis(net, NVSP_CHANNEL_CONTROL, net->data + 512, sizeof(message));
}

static void gpadls(struct net_guest *net)
{
    net->receive_gpadl = net->guest->next_gpadl++;
    net->send_gpadl = net->guest->next_gpadl++;
    CHECK(sg_gpadl(net->guest, net->channel.relid, net->receive_gpadl, net->receive / GMEM_PAGE,
                   NET_RECEIVE_PAGES) == 0);
    CHECK(sg_gpadl(net->guest, net->channel.relid, net->send_gpadl, net->send / GMEM_PAGE,
                   NET_SEND_PAGES) == 0);
}

/* Closed, all torn down in an order of the script's, and open again. */
static void reopen(struct net_guest *net, uint8_t order)
{
    const uint32_t ids[] = {net->receive_gpadl, net->send_gpadl, net->channel.gpadl};

    for (unsigned i = 0; i < subs; i++)
        close_subchannel(net, &sub[i]);
    if (order & 8)
        sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net->channel.relid, ids[order % 2]);
    sg_tell_words(net->guest, VMBUS_MSG_CLOSE, 1, net->channel.relid, 0);
    for (unsigned i = 0; i < 3; i++)
        if (!(order & 8) || i != order % 2)
            sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net->channel.relid, ids[i]);
    for (unsigned i = 0; i < 3; i++)
        sg_pick(net->guest, VMBUS_MSG_GPADL_TORNDOWN);
    for (; subs; subs--)
        sg_tell_words(net->guest, VMBUS_MSG_RELID_RELEASED, 1, sub[subs - 1].relid, 0);
    sg_run(net->guest, 0);
    sg_drop(net->guest);
    outstandings = 0;
    CHECK(sg_open(&net->channel, NET_RING_PAGES, NULL, 0) == 0);
    gpadls(net);
}

static void run_step(struct net_guest *net, struct script *script)
{
    switch (script_next(script) % STEP_COUNT) {
    case STEP_NEGOTIATE:
        negotiate(net, script);
        break;
    case STEP_RNDIS_INIT:
        rndis_init(net, script_next(script) & 0x2f);
        break;
    case STEP_NVSP:
        nvsp(net, script);
        break;
    case STEP_CONTROL:
        control(net, script);
        break;
    case STEP_DATA:
        data_message(net, script);
        break;
    case STEP_SECTION:
        section(net, script);
        break;
    case STEP_PACKET:
        packet(net, script);
        break;
    case STEP_COMPLETE:
        complete(net, script_next(script));
        break;
    case STEP_BAD_COMPLETE:
        bad_complete(net, script);
        break;
    case STEP_FRAME:
        frame_for_guest(net, script);
        break;
    case STEP_SWITCH_READS:
        switch_reads(net);
        break;
    case STEP_TURN:
        sg_run(net->guest, 0);
        read_rings(net);
        break;
    case STEP_REVOKE: {
        bool send = script_next(script) & 1;
        const struct nvsp_message revoke = {.type = send ? NVSP_REVOKE_SEND_BUFFER
                                                         : NVSP_REVOKE_RECEIVE_BUFFER,
                                            .revoke = {send ? 0 : buffer_id}};
        say(net, &revoke, 1);
        break;
    }
    case STEP_PORT:
        port(net);
        break;
    case STEP_SUBCHANNELS:
        ask_subchannels(net, script_next(script) % 4u);
        break;
    case STEP_SUBCHANNEL:
        turn_subchannel(net, script_next(script));
        break;
    case STEP_RSS:
        rss(net, script);
        break;
    default:
        reopen(net, script_next(script));
        break;
    }
}

/* The machine is made once; every input begins with an open channel of which nothing is known. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct net_guest net;
    static uint64_t first_page;
    struct script script = {data, size};

    if (!net.guest) {
        log_set_level(LOG_LEVEL_ERROR);
        net_guest_init(&net, CHANNELS, 1500);
        gpadls(&net);
        first_page = net.guest->next_page;
        buffer_id = NET_RECEIVE_ID;
    }
    net.guest->next_page = first_page;
    if (!net.attached)
        net_attach(&net, CHANNELS);
    reopen(&net, 0);
    for (unsigned i = 0; i < STEPS && script.size; i++)
        run_step(&net, &script);
    sg_run(net.guest, 0);
    switch_reads(&net);
    return 0;
}
