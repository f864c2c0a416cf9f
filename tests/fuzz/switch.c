/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the whole switch core on one lane, with ports of all capabilities and policies,
 * against frames of any bytes and metadata.
 *
 * The input is a script: frames in bursts, policies, ports that go, come back and stall. What a
 * port is sent must be a frame that it can take and may have.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/log.h"
#include "vswitch/port_dummy.h"
#include "vswitch/switch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define PORTS 5u
#define STEPS 64u
#define BURST 4u
#define MTU   1500u

struct script {
    const uint8_t *data;
    size_t size;
};

struct fuzz_port {
    struct port_dummy dummy;
    struct port_policy policy;
    uint32_t number;
    uint64_t given;
};

struct net {
    struct vswitch *vswitch;
    struct fuzz_port port[PORTS];
    struct fuzz_port *source; /* whose frames are under way */
    uint8_t bytes[BURST][LIMIT_FRAME];
    struct frame frames[BURST];
};

enum step { STEP_FRAMES, STEP_POLICY, STEP_REPLACE, STEP_STALL, STEP_FLUSH, STEPS_KNOWN };

/* What no capability tells apart is left out; the last lacks all. */
static const uint32_t caps[PORTS] = {
    PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN,
    PORT_CAP_CSUM | PORT_CAP_VLAN,
    PORT_CAP_CSUM | PORT_CAP_GSO4,
    PORT_CAP_VLAN,
    0,
};

static uint8_t next(struct script *script)
{
    if (!script->size)
        return 0;
    script->size--;
    return *script->data++;
}

static uint16_t next16(struct script *script)
{
    uint16_t low = next(script);

    return (uint16_t)(low | next(script) << 8);
}

static size_t take(struct script *script, void *to, size_t length)
{
    size_t have = length < script->size ? length : script->size;

    memcpy(to, script->data, have);
    script->data += have;
    script->size -= have;
    return have;
}

static bool mirrors(const struct net *net, const struct fuzz_port *target)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (net->port[i].policy.mirror_to == target->number)
            return true;
    }
    return false;
}

static void sink(struct port_dummy *dummy, const struct frame *frame)
{
    struct net *net = dummy->context;
    struct fuzz_port *port = (struct fuzz_port *)(void *)dummy; /* its first member */
    const struct frame_meta *meta = &frame->meta;
    uint32_t needs = meta->flags & FRAME_CSUM_PARTIAL ? PORT_CAP_CSUM : 0;

    needs |= meta->gso == FRAME_GSO_TCPV4 ? PORT_CAP_GSO4 : 0;
    needs |= meta->gso == FRAME_GSO_TCPV6 ? PORT_CAP_GSO6 : 0;
    needs |= meta->flags & FRAME_VLAN ? PORT_CAP_VLAN : 0;
    CHECK(frame_meta_check(meta));
    CHECK(frame->data[0].iov_len + frame->data[1].iov_len == meta->length);
    CHECK(!(needs & ~dummy->port.caps));
    CHECK(meta->gso || meta->length <= MTU + FRAME_ETHERNET + 4);
    static uint8_t copy[LIMIT_FRAME];
    CHECK(frame_read(frame, 0, copy, meta->length));
    if (mirrors(net, port))
        return; /* gets copies of what is not for it */
    CHECK(port != net->source);
    CHECK(!(port->policy.isolated && net->source->policy.isolated));
    CHECK(!(port->policy.vlan_mode < VLAN_TRUNK && meta->flags & FRAME_VLAN));
    if (net->source->policy.mac_guard)
        CHECK(!memcmp(copy + 6, net->source->policy.mac, 6));
}

static void settle(struct net *net)
{
    while (lane_turn(net->port[0].dummy.port.lane, 0))
        ;
}

static void add(struct net *net, unsigned n)
{
    struct fuzz_port *port = &net->port[n];

    memset(&port->policy, 0, sizeof(port->policy));
    port_dummy_init(&port->dummy, caps[n], MTU, n == 1);
    port->dummy.sink = sink;
    port->dummy.context = net;
    port->given = 0;
    CHECK(!vswitch_port_add(net->vswitch, &port->dummy.port, &port->policy, &port->number));
}

static void forget(struct net *net, unsigned n)
{
    vswitch_port_remove(net->vswitch, &net->port[n].dummy.port);
    CHECK(!net->port[n].dummy.late);
    for (unsigned i = 0; i < PORTS; i++) {
        if (net->port[i].policy.mirror_to == net->port[n].number)
            net->port[i].policy.mirror_to = 0;
    }
    net->port[n].number = 0;
}

static void set_policy(struct net *net, struct script *script)
{
    struct fuzz_port *port = &net->port[next(script) % PORTS];
    uint8_t bits = next(script), more = next(script);
    struct port_policy policy = {
        .vlan_mode = bits & 3,
        .vlan = more & 1 ? next16(script) : 0,
        .mac_guard = bits & 4,
        .mac = {2, 0, 0, 0, 0, next(script)},
        .dhcp_guard = bits & 8,
        .router_guard = bits & 16,
        .isolated = bits & 32,
        .mirror_to = bits & 64 ? net->port[next(script) % PORTS].number : 0,
        .rate_in = more & 2 ? 8000u * next16(script) : 0,
        .rate_out = more & 4 ? 8000u * next16(script) : 0,
        .storm = more & 8 ? next16(script) : 0,
        .fdb_max = more & 16 ? next(script) : 0,
    };

    for (unsigned i = 0; more & 32 && i < 4; i++) {
        uint16_t vlan = next16(script) % FRAME_VLANS;
        policy.trunk[vlan / 64] |= 1ull << vlan % 64;
    }
    if (!vswitch_port_set_policy(net->vswitch, &port->dummy.port, &policy))
        port->policy = policy;
}

/* A frame of the script's bytes, the rest a pattern; in one piece or two. */
static void make_frame(struct script *script, struct frame *frame, uint8_t *bytes)
{
    uint8_t kind = next(script);
    uint32_t length = kind & 1 ? next16(script) : next(script);
    uint32_t written;

    memset(frame, 0, sizeof(*frame));
    if (kind & 2)
        take(script, &frame->meta, sizeof(frame->meta));
    if (kind & 4) {
        /* Often enough sound: a segment that any header fits. */
        frame->meta = (struct frame_meta){.flags = FRAME_CSUM_PARTIAL,
                                          .gso = kind & 8 ? FRAME_GSO_TCPV4 : FRAME_GSO_TCPV6,
                                          .gso_size = (uint16_t)(256 + next16(script) % 2048)};
        frame->meta.csum_start = kind & 8 ? 34 : 54;
        frame->meta.csum_offset = 16;
        frame->meta.header = (uint16_t)(frame->meta.csum_start + 20);
    }
    if (!(kind & 16))
        memset(frame->meta.reserved, 0, sizeof(frame->meta.reserved));
    frame->meta.length = length;
    memset(bytes, 0x11, length);
    written = next(script);
    take(script, bytes, written < length ? written : length);
    if (kind & 32 && length >= 12) {
        memcpy(bytes, "\2\0\0\0\0", 5);
        memcpy(bytes + 6, "\2\0\0\0\0", 5);
    }
    uint32_t cut = kind & 64 ? next16(script) : length;
    cut = cut < length ? cut : length;
    frame->data[0] = (struct iovec){bytes, cut};
    frame->data[1] = (struct iovec){bytes + cut, length - cut};
}

static void send_frames(struct net *net, struct script *script)
{
    struct fuzz_port *port = &net->port[next(script) % PORTS];
    unsigned count = 1 + next(script) % BURST;

    for (unsigned i = 0; i < count; i++)
        make_frame(script, &net->frames[i], net->bytes[i]);
    net->source = port;
    port_dummy_give(&port->dummy, net->frames, count, 1);
    settle(net);
    port->given += count;
    struct port_stats stats;
    vswitch_port_stats(&port->dummy.port, &stats);
    CHECK(stats.frames_in == port->given);
    vswitch_port_stats(&net->port[0].dummy.port, &stats);
    CHECK(stats.frames_out == net->port[0].dummy.frames);
    CHECK(stats.bytes_out == net->port[0].dummy.bytes);
}

static void run_step(struct net *net, struct script *script)
{
    unsigned n;

    switch ((enum step)(next(script) % STEPS_KNOWN)) {
    case STEP_FRAMES:
        send_frames(net, script);
        break;
    case STEP_POLICY:
        set_policy(net, script);
        break;
    case STEP_REPLACE:
        n = next(script) % PORTS;
        forget(net, n);
        add(net, n);
        break;
    case STEP_STALL:
        n = next(script) % PORTS;
        atomic_store(&net->port[n].dummy.room, next(script));
        break;
    case STEP_FLUSH:
        vswitch_fdb_flush(net->vswitch, NULL);
        break;
    case STEPS_KNOWN:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct net net;
    struct script script = {data, size};

    log_set_level(LOG_LEVEL_ERROR);
    net.vswitch = vswitch_new(&(struct vswitch_config){.name = "fuzz", .snooping = true});
    CHECK(net.vswitch);
    for (unsigned i = 0; i < PORTS; i++)
        add(&net, i);
    for (unsigned step = 0; step < STEPS && script.size; step++)
        run_step(&net, &script);
    for (unsigned i = 0; i < PORTS; i++)
        forget(&net, i);
    vswitch_free(net.vswitch);
    return 0;
}
