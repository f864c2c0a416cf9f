/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port on a veth pair, in a network namespace: a0 is the adapter, b0 the other end of
 * its cable.
 */
#include "vswitch/port_packet.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/netns_fixture.h"
#include "tests/unit/port_drive.h"
#include "vswitch/port_packet_priv.h"
#include "vswitch/port_tap.h"

#define MTU 9000u

static const uint32_t sizes[] = {14,   15,   17,   18,   59,   60,   61,  64,
                                 1500, 1514, 1515, 2048, 4096, 9000, 9014};

static void pair(const char *adapter, const char *peer)
{
    netns_sh("ip link add %s mtu %u type veth peer name %s mtu %u && ip link set %s up && "
             "ip link set %s up",
             adapter, MTU, peer, MTU, adapter, peer);
    netns_sh("sysctl -qw net.ipv6.conf.%s.disable_ipv6=1", adapter);
}

static struct port *packet_make(const char *adapter, struct lane *lane)
{
    GError *error = NULL;
    struct port_packet_fds fds;
    struct port *port;

    g_assert_true(port_packet_open(adapter, &fds, &error));
    g_assert_no_error(error);
    port = port_packet_new(&fds, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(port->mtu, ==, MTU);
    drive_start(port, lane);
    port->class->filter(port, &(struct port_filter){true, true});
    return port;
}

static void packet_end(struct port *port)
{
    drive_stop(port);
    port_packet_free(port);
}

/* One adapter port, and a raw station on the cable's other end. */
struct cable {
    struct lane *lane;
    struct port *port;
    int raw;
};

/* An interface that is up drops what it is given until the kernel's own work queue has made its
 * carrier known: send until something comes out at the other end, both ways. */
static void cable_wait(struct cable *cable)
{
    static struct drive_frame caught;
    uint8_t bytes[60], back[64];
    unsigned tries = 0;

    raw_make(bytes, sizeof(bytes), NULL, -1, 0);
    do {
        g_assert_cmpuint(tries++, <, 100);
        raw_send(cable->raw, bytes, sizeof(bytes));
    } while (!drive_receive(cable->port, &caught, 50));
    do {
        g_assert_cmpuint(tries++, <, 200);
        drive_send(cable->port, bytes, sizeof(bytes), NULL);
    } while (!raw_receive(cable->raw, back, sizeof(back), 50));
    drive_drain(cable->port, 20);
    while (raw_receive(cable->raw, back, sizeof(back), 20) > 0)
        ;
}

static struct cable cable_new(void)
{
    struct cable cable = {.lane = lane_new("test")};

    pair("a0", "b0");
    cable.port = packet_make("a0", cable.lane);
    cable.raw = raw_open("b0");
    cable_wait(&cable);
    return cable;
}

static void cable_end(struct cable *cable)
{
    close(cable->raw);
    packet_end(cable->port);
    lane_free(cable->lane);
}

static struct port_packet *inside(struct port *port)
{
    return (struct port_packet *)port;
}

static struct drive_frame caught;

static void both_ways(struct cable *cable)
{
    static uint8_t bytes[MTU + 14], back[MTU + 64];

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        raw_make(bytes, sizes[i], NULL, -1, i);
        raw_send(cable->raw, bytes, sizes[i]);
        g_assert_true(drive_receive(cable->port, &caught, 2000));
        g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, sizes[i]);
        g_assert_cmpuint(caught.meta.gso, ==, FRAME_GSO_NONE);

        g_assert_true(drive_send(cable->port, bytes, sizes[i], NULL));
        g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, sizes[i]);
    }
    g_assert_cmpuint(raw_receive(cable->raw, back, sizeof(back), 50), ==, 0);
    g_assert_cmpuint(drive_drain(cable->port, 50), ==, 0); /* nothing of what we sent */
}

static void test_sizes(void)
{
    struct cable cable = cable_new();

    both_ways(&cable);
    cable_end(&cable);
}

/* Keep the port on its ring, or off it. */
static void force(struct port *port, unsigned which)
{
    g_assert_nonnull(inside(port)->which);
    inside(port)->window = UINT64_MAX / 2; /* the time of its own choice never comes */
    atomic_store(inside(port)->which, which);
}

/* What the host itself sends on the adapter has not come in from there. */
static void test_outgoing(void)
{
    struct cable cable = cable_new();
    int host = raw_open("a0");
    uint8_t bytes[60], back[128];

    for (unsigned which = 0; which < 2; which++) {
        force(cable.port, which);
        raw_make(bytes, sizeof(bytes), NULL, -1, which);
        raw_send(host, bytes, sizeof(bytes));
        g_assert_cmpmem(back, raw_receive(cable.raw, back, sizeof(back), 2000), bytes,
                        sizeof(bytes));
        g_assert_cmpuint(drive_drain(cable.port, 100), ==, 0);
    }
    close(host);
    cable_end(&cable);
}

static void test_sizes_ring(void)
{
    struct cable cable = cable_new();

    force(cable.port, 1);
    both_ways(&cable);
    cable_end(&cable);
}

/* A kernel without BPF gives no ring, and all goes on as before. */
static void test_sizes_no_ring(void)
{
    struct cable cable = {.lane = lane_new("test")};
    struct port_packet_fds fds;
    GError *error = NULL;

    pair("a0", "b0");
    g_assert_true(port_packet_open("a0", &fds, &error));
    g_assert_cmpint(fds.ring, >=, 0);
    close(fds.ring);
    close(fds.which);
    fds.ring = fds.which = -1;
    cable.port = port_packet_new(&fds, &error);
    g_assert_no_error(error);
    drive_start(cable.port, cable.lane);
    cable.port->class->filter(cable.port, &(struct port_filter){true, true});
    cable.raw = raw_open("b0");
    cable_wait(&cable);
    both_ways(&cable);
    cable_end(&cable);
}

static void vlan(struct cable *cable)
{
    static uint8_t bytes[MTU + 18], back[MTU + 64], plain[MTU + 14];
    const struct frame_meta meta = {.flags = FRAME_VLAN, .vlan_tci = 0x6123};

    for (unsigned length = 20; length <= sizeof(bytes); length += 818) {
        raw_make(bytes, length, NULL, 0x6123, length);
        memcpy(plain, bytes, 12);
        memcpy(plain + 12, bytes + 16, length - 16);
        raw_send(cable->raw, bytes, length);
        g_assert_true(drive_receive(cable->port, &caught, 2000));
        g_assert_cmpuint(caught.meta.flags & FRAME_VLAN, !=, 0);
        g_assert_cmpuint(caught.meta.vlan_tci, ==, 0x6123);
        g_assert_cmpmem(caught.bytes, caught.meta.length, plain, length - 4);

        g_assert_true(drive_send(cable->port, plain, length - 4, &meta));
        g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, length);
    }
    /* A service tag is bytes, and so is the customer's tag behind it. */
    raw_make(bytes, 200, NULL, 0x0042, 1);
    memcpy(bytes + 12, "\x88\xa8", 2);
    raw_send(cable->raw, bytes, 200);
    g_assert_true(drive_receive(cable->port, &caught, 2000));
    g_assert_cmpuint(caught.meta.flags & FRAME_VLAN, ==, 0);
    g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, 200);
    g_assert_true(drive_send(cable->port, bytes, 200, NULL));
    g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, 200);
}

static void test_vlan(void)
{
    struct cable cable = cable_new();

    vlan(&cable);
    force(cable.port, 1);
    vlan(&cable);
    cable_end(&cable);
}

/* --- Order, and each frame once --------------------------------------------------------------- */

struct sequence {
    uint32_t next, total, lost;
    bool in_order;
};

static bool catch_sequence(const struct frame *frame, void *context)
{
    struct sequence *sequence = context;
    uint32_t number;
    uint8_t type[2];

    if (!frame_read(frame, 12, type, 2) || memcmp(type, "\x88\xb5", 2) != 0)
        return false;
    g_assert_true(frame_read(frame, 14, &number, sizeof(number)));
    g_assert_cmpuint(number, >=, sequence->next); /* never twice, never overtaken */
    sequence->lost += number - sequence->next;
    sequence->next = number + 1;
    return sequence->next == sequence->total;
}

struct flood {
    int raw;
    uint32_t total;
    uint32_t sent; /* what the sending socket accepted */
};

#define FLOOD_BATCH 64u

/* Send numbered frames as fast as the machine can. */
static void *flood(void *context)
{
    static uint8_t bytes[FLOOD_BATCH][60];
    static struct mmsghdr messages[FLOOD_BATCH];
    static struct iovec iov[FLOOD_BATCH];
    struct flood *flood = context;
    cpu_set_t here;

    /* veth has a queue per processor: a sender that moves overtakes itself. */
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof(here), &here);
    while (flood->sent < flood->total) {
        unsigned count = MIN(FLOOD_BATCH, flood->total - flood->sent);

        for (unsigned i = 0; i < count; i++) {
            uint32_t number = flood->sent + i;

            raw_make(bytes[i], sizeof(bytes[i]), NULL, -1, 0);
            memcpy(bytes[i] + 14, &number, sizeof(number));
            iov[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
        }
        g_assert_cmpint(sendmmsg(flood->raw, messages, count, 0), ==, (int)count);
        flood->sent += count;
    }
    return NULL;
}

static unsigned statistic_drops(int fd)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof(stats);

    g_assert_cmpint(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size), ==, 0);
    return stats.tp_drops;
}

/* What is lost, the kernel counted: it came faster than it was read. */
static void sequence_check(struct cable *cable, const struct sequence *sequence)
{
    unsigned drops = statistic_drops(inside(cable->port)->fds.queue) +
                     statistic_drops(inside(cable->port)->fds.ring);

    g_test_message("%u frames, %u lost, %u dropped by the kernel", sequence->next, sequence->lost,
                   drops);
    g_assert_cmpuint(sequence->lost, <=, drops);
}

/* One flood, read to its end. True if the port went to its ring meanwhile. */
static bool flood_once(struct cable *cable)
{
    struct sequence sequence = {.total = 200000};
    struct flood load = {cable->raw, 200000, 0};
    bool by_ring = false;
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, flood, &load), ==, 0);
    while (sequence.next < sequence.total && !by_ring) {
        drive_until(cable->port, catch_sequence, &sequence, 1);
        by_ring = atomic_load(inside(cable->port)->which) == PACKET_BY_RING;
    }
    if (sequence.next < sequence.total)
        g_assert_true(drive_until(cable->port, catch_sequence, &sequence, 20000));
    pthread_join(thread, NULL);
    sequence_check(cable, &sequence);
    return by_ring;
}

/* Slow, a flood, slow again: the port goes to its ring and back by itself. */
static void test_changes_over(void)
{
    struct cable cable = cable_new();
    struct sequence sequence = {.total = 100};
    struct flood load = {cable.raw, 100, 0};
    unsigned floods = 1;

    g_assert_cmpuint(atomic_load(inside(cable.port)->which), ==, PACKET_BY_QUEUE);
    while (!flood_once(&cable)) /* a machine with better things to do is not fast enough */
        g_assert_cmpuint(++floods, <, 20);

    drive_drain(cable.port, 600);
    g_assert_cmpuint(atomic_load(inside(cable.port)->which), ==, PACKET_BY_QUEUE);
    flood(&load);
    g_assert_true(drive_until(cable.port, catch_sequence, &sequence, 2000));
    g_assert_cmpuint(sequence.lost, ==, 0);
    cable_end(&cable);
}

/* Under load, the way in changes all the time. */
static void test_changes_often(void)
{
    struct cable cable = cable_new();
    struct sequence sequence = {.total = 300000};
    struct flood load = {cable.raw, 300000, 0};
    unsigned which = 0, changes = 0, turns = 0;
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, flood, &load), ==, 0);
    while (sequence.next < sequence.total && turns++ < 10000) {
        if (inside(cable.port)->way == which) { /* the last change is complete */
            which = !which;
            changes++;
            force(cable.port, which);
        }
        if (drive_until(cable.port, catch_sequence, &sequence, 2))
            break;
    }
    pthread_join(thread, NULL);
    g_test_message("%u changes", changes);
    g_assert_cmpuint(sequence.next, ==, sequence.total);
    sequence_check(&cable, &sequence);
    g_assert_cmpuint(drive_drain(cable.port, 50), ==, 0);
    cable_end(&cable);
}

/* --- Offloads --------------------------------------------------------------------------------- */

static void wire_report(const struct drive_wire *wire)
{
    g_test_message(
        "%" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT " segments, %" G_GUINT64_FORMAT
        " partial, longest %u, tagged %" G_GUINT64_FORMAT ", waited %" G_GUINT64_FORMAT,
        wire->frames, wire->segments, wire->partial, wire->longest, wire->tagged, wire->refused);
}

static void whole_segments(const struct drive_wire *wire)
{
    g_assert_cmpuint(wire->segments, >, 100);
    g_assert_cmpuint(wire->longest, >, 2 * MTU); /* how long is for TCP to say */
    g_assert_cmpuint(wire->partial, >=, wire->segments);
}

/* A checked stream from station 1 to station 0 over the wires. */
static void stream(const int ns[2], const char *address, struct drive_wire *wires, unsigned count)
{
    struct tcp_side side = {.address = address, .bytes = 24 << 20};
    pid_t server, client;
    int ready[2];
    char byte;

    g_assert_cmpint(pipe(ready), ==, 0);
    side.ready = ready[1];
    server = netns_spawn(ns[0], tcp_server, &side);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    client = netns_spawn(ns[1], tcp_client, &side);
    drive_wires_until(wires, count, client);
    netns_wait(server);
    for (unsigned i = 0; i < count; i++)
        wire_report(&wires[i]);
}

/* TCP between two stations behind two adapters; this process is the wire between the adapters. */
static void transfer(const char *const addresses[2], const char *suffix,
                     void (*prepare)(struct drive_wire *wire))
{
    struct lane *lane = lane_new("test");
    struct drive_wire wire = {0};
    int ns[2] = {netns_new(), netns_new()}, here = netns_current();

    pair("a0", "b0");
    pair("a1", "b1");
    for (unsigned i = 0; i < 2; i++) {
        netns_sh("ip link set b%u netns /proc/%d/fd/%d", i, getpid(), ns[i]);
        netns_enter(ns[i]);
        netns_sh("ip link set b%u up && ip address add %s%s dev b%u", i, addresses[i], suffix, i);
        netns_enter(here);
        wire.ends[i] = packet_make(i ? "a1" : "a0", lane);
    }
    prepare(&wire);
    stream(ns, addresses[0], &wire, 1);
    whole_segments(&wire);
    packet_end(wire.ends[0]);
    packet_end(wire.ends[1]);
    lane_free(lane);
}

static const char *const ipv4[] = {"10.9.0.1", "10.9.0.2"};
static const char *const ipv6[] = {"fd00::1", "fd00::2"};

static void on_queue(struct drive_wire *wire)
{
    force(wire->ends[0], 0);
    force(wire->ends[1], 0);
}

static void on_ring(struct drive_wire *wire)
{
    force(wire->ends[0], 1);
    force(wire->ends[1], 1);
}

/* Adapters that can do nothing: the kernel cuts and sums what we send. */
static void no_offloads(struct drive_wire *wire)
{
    (void)wire;
    for (unsigned i = 0; i < 2; i++) {
        netns_ethtool(i ? "a1" : "a0", ETHTOOL_STSO, 0);
        netns_ethtool(i ? "a1" : "a0", ETHTOOL_SGSO, 0);
        netns_ethtool(i ? "a1" : "a0", ETHTOOL_STXCSUM, 0);
    }
}

static void test_tcp4(void)
{
    transfer(ipv4, "/24", on_queue);
}

static void test_tcp6(void)
{
    transfer(ipv6, "/64 nodad", on_queue);
}

static void test_tcp_ring(void)
{
    transfer(ipv4, "/24", on_ring);
}

static void test_tcp4_no_offloads(void)
{
    transfer(ipv4, "/24", no_offloads);
}

static void test_tcp6_no_offloads(void)
{
    transfer(ipv6, "/64 nodad", no_offloads);
}

#define SEGMENT 65500u /* frame that holds it; interfaces take less than 64 KiB at once */

/* A large TCP segment, not yet cut, its checksum not yet put in. */
static struct frame_meta segment_make(uint8_t *bytes, bool version6)
{
    uint16_t start = version6 ? 54 : 34;

    raw_make(bytes, SEGMENT, NULL, -1, start);
    if (version6) {
        memcpy(bytes + 12, "\x86\xdd\x60\0\0\0", 6);
        bytes[18] = (uint8_t)((SEGMENT - 54) >> 8);
        bytes[19] = (uint8_t)(SEGMENT - 54);
        bytes[20] = 6;
    } else {
        memcpy(bytes + 12, "\x08\0\x45\0", 4);
        bytes[16] = (uint8_t)((SEGMENT - 14) >> 8);
        bytes[17] = (uint8_t)(SEGMENT - 14);
        memcpy(bytes + 20, "\0\0\x40\x06", 4);
    }
    bytes[start + 12] = 0x50;
    bytes[start + 13] = 0x10;
    return (struct frame_meta){
        .flags = FRAME_CSUM_PARTIAL,
        .csum_start = start,
        .csum_offset = 16,
        .gso = version6 ? FRAME_GSO_TCPV6 : FRAME_GSO_TCPV4,
        .gso_size = 1448,
        .header = (uint16_t)(start + 20),
    };
}

static bool catch_segment(const struct frame *frame, void *context)
{
    struct iovec all = {caught.bytes, sizeof(caught.bytes)};

    (void)context;
    if (frame->meta.length != SEGMENT)
        return false;
    caught.meta = frame->meta;
    frame_copy(frame, &all, 1);
    return true;
}

/* One segment from port to port, as it is. */
static void segment_send(struct port *from, struct port *to, bool version6)
{
    static uint8_t bytes[SEGMENT];
    struct frame_meta meta = segment_make(bytes, version6);

    g_assert_true(drive_send(from, bytes, SEGMENT, &meta));
    g_assert_true(drive_until(to, catch_segment, NULL, 2000));
    meta.length = SEGMENT;
    g_assert_cmpmem(&caught.meta, sizeof(meta), &meta, sizeof(meta));
    g_assert_cmpmem(caught.bytes, SEGMENT, bytes, SEGMENT);
}

static void segments_both_ways(struct port *one, struct port *other)
{
    for (unsigned i = 0; i < 2; i++) {
        segment_send(one, other, i);
        segment_send(other, one, i);
    }
}

/* 64 KiB segments cross a cable whole, byte for byte, on either way in. */
static void test_segments(void)
{
    struct lane *lane = lane_new("test");
    struct port *one, *other;

    pair("a0", "b0");
    one = packet_make("a0", lane);
    other = packet_make("b0", lane);
    for (unsigned which = 0; which < 2; which++) {
        force(one, which);
        force(other, which);
        segments_both_ways(one, other);
    }
    packet_end(one);
    packet_end(other);
    lane_free(lane);
}

/* The same through a TAP, at whose host's end an adapter port looks on. */
static void test_segments_tap(void)
{
    struct lane *lane = lane_new("test");
    struct port *tap, *host;
    GError *error = NULL;
    int fd;

    g_assert_true(port_tap_open("t0", (const uint8_t[6]){2, 0, 0, 0, 0, 1}, MTU, &fd, &error));
    tap = port_tap_new(fd, MTU, &error);
    g_assert_no_error(error);
    drive_start(tap, lane);
    host = packet_make("t0", lane);
    segments_both_ways(tap, host);
    packet_end(host);
    drive_stop(tap);
    port_tap_free(tap);
    lane_free(lane);
}

/* Two hosts on TAPs, between them a cable with adapter ports on both ends, on which their frames
 * are tagged: segments keep their checksums and sizes while tags come and go. */
static void trunk(const char *const addresses[2], const char *suffix, bool offloads)
{
    struct lane *lane = lane_new("test");
    struct drive_wire wires[2] = {{.tag = 0x2123}, {.tag = 0x2123}};
    int ns[2] = {netns_new(), netns_new()}, here = netns_current();

    pair("a0", "a1");
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(0x10 + i)};
        GError *error = NULL;
        int fd;

        netns_enter(ns[i]);
        g_assert_true(port_tap_open("t0", mac, MTU, &fd, &error));
        netns_sh("ip address add %s%s dev t0", addresses[i], suffix);
        netns_enter(here);
        wires[i].ends[0] = port_tap_new(fd, MTU, &error);
        g_assert_no_error(error);
        drive_start(wires[i].ends[0], lane);
        wires[i].ends[1] = packet_make(i ? "a1" : "a0", lane);
    }
    if (!offloads)
        no_offloads(wires);
    stream(ns, addresses[0], wires, 2);
    whole_segments(&wires[1]);
    if (offloads) {
        whole_segments(&wires[0]);
    } else { /* cut on the cable */
        g_assert_cmpuint(wires[0].segments, ==, 0);
        g_assert_cmpuint(wires[0].longest, ==, MTU + 14);
    }
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(wires[i].tagged, >, 10);
        drive_stop(wires[i].ends[0]);
        port_tap_free(wires[i].ends[0]);
        packet_end(wires[i].ends[1]);
    }
    lane_free(lane);
}

static void test_trunk4(void)
{
    trunk(ipv4, "/24", true);
}

static void test_trunk6(void)
{
    trunk(ipv6, "/64 nodad", true);
}

static void test_trunk_no_offloads(void)
{
    trunk(ipv4, "/24", false);
}

/* --- Filter ----------------------------------------------------------------------------------- */

static unsigned promiscuity(const char *ifname)
{
    g_autofree char *command = g_strdup_printf("ip -d link show %s", ifname);
    FILE *pipe = popen(command, "r");
    char text[4096] = "";
    const char *at;
    unsigned value = 77;

    g_assert_cmpuint(fread(text, 1, sizeof(text) - 1, pipe), >, 0);
    pclose(pipe);
    at = strstr(text, "promiscuity ");
    g_assert_nonnull(at);
    g_assert_cmpint(sscanf(at, "promiscuity %u", &value), ==, 1);
    return value;
}

/* True if a frame to `to` comes in within `ms`. */
static bool comes_in(struct cable *cable, const uint8_t *to, int ms)
{
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), to, -1, 5);
    raw_send(cable->raw, bytes, sizeof(bytes));
    return drive_receive(cable->port, &caught, ms);
}

static void test_promiscuous(void)
{
    static const uint8_t stranger[6] = {0x02, 0, 0, 0, 0x99, 0x99}, own[6] = {2, 0, 0, 0, 0, 0xa0};
    const struct port_class *class;
    struct cable cable = cable_new();

    netns_sh("ip link set a0 address 02:00:00:00:00:a0");
    class = cable.port->class;
    for (unsigned which = 0; which < 2; which++) {
        force(cable.port, which);
        class->filter(cable.port, &(struct port_filter){true, false});
        g_assert_cmpuint(promiscuity("a0"), ==, 1);
        g_assert_true(comes_in(&cable, stranger, 5000));
        class->filter(cable.port, &(struct port_filter){true, true});
        g_assert_cmpuint(promiscuity("a0"), ==, 1); /* not counted twice */
        class->filter(cable.port, &(struct port_filter){false, true});
        g_assert_cmpuint(promiscuity("a0"), ==, 0);
        g_assert_false(comes_in(&cable, stranger, 100));
        g_assert_true(comes_in(&cable, own, 5000));
        g_assert_true(comes_in(&cable, NULL, 5000));
    }
    class->filter(cable.port, &(struct port_filter){true, false});
    cable_end(&cable);
    g_assert_cmpuint(promiscuity("a0"), ==, 0); /* goes with the port */
}

/* --- The adapter changes ---------------------------------------------------------------------- */

static void test_down_and_up(void)
{
    struct cable cable = cable_new();
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned which = 0; which < 2; which++) {
        force(cable.port, which);
        netns_sh("ip link set a0 down");
        g_assert_false(drive_send(cable.port, bytes, sizeof(bytes), NULL));
        drive_drain(cable.port, 600);
        g_assert_cmpuint(cable.port->core->failures, ==, 0);
        netns_sh("ip link set a0 up");
        cable_wait(&cable);
        both_ways(&cable);
    }
    cable_end(&cable);
}

static void check_gone(struct port *port)
{
    uint8_t bytes[60];
    unsigned turns = 0;

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned i = 0; i < 200 && !port->core->failures; i++) {
        drive_send(port, bytes, sizeof(bytes), NULL);
        drive_drain(port, 50);
    }
    g_assert_cmpuint(port->core->failures, ==, 1);
    g_assert_cmpstr(port->core->why, ==, "the adapter a0 is gone");
    while (lane_turn(port->lane, 0) && turns < 100)
        turns++;
    g_assert_cmpuint(turns, <, 3);
    g_assert_false(drive_send(port, bytes, sizeof(bytes), NULL));
    port->class->filter(port, &(struct port_filter){false, false});
    g_assert_cmpuint(port->core->failures, ==, 1);
}

static void test_deleted(void)
{
    struct cable cable = cable_new();

    netns_sh("ip link delete a0");
    check_gone(cable.port);
    cable_end(&cable);
}

static void test_deleted_while_down(void)
{
    struct cable cable = cable_new();

    netns_sh("ip link set a0 down");
    drive_drain(cable.port, 300);
    netns_sh("ip link delete a0");
    check_gone(cable.port);
    cable_end(&cable);
}

static void test_moved_away(void)
{
    struct cable cable = cable_new();
    int ns = netns_new();

    netns_sh("ip link set a0 netns /proc/%d/fd/%d", getpid(), ns);
    check_gone(cable.port);
    cable_end(&cable);
}

static atomic_bool stop_traffic;

static void *traffic(void *context)
{
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    while (!stop_traffic)
        if (send(*(int *)context, bytes, sizeof(bytes), 0) < 0)
            usleep(1000);
    return NULL;
}

static void test_deleted_under_traffic(void)
{
    for (unsigned which = 0; which < 2; which++) {
        struct cable cable = cable_new();
        unsigned frames = 0;
        pthread_t thread;

        force(cable.port, which);
        stop_traffic = false;
        g_assert_cmpint(pthread_create(&thread, NULL, traffic, &cable.raw), ==, 0);
        while (frames < 100)
            frames += drive_drain(cable.port, 20);
        netns_sh("ip link delete a0");
        check_gone(cable.port);
        stop_traffic = true;
        pthread_join(thread, NULL);
        cable_end(&cable);
    }
}

/* Descriptors that a former life of the daemon used are taken up again. */
static void test_taken_up_again(void)
{
    struct port_packet_fds fds, kept;
    struct cable cable = {.lane = lane_new("test")};
    GError *error = NULL;

    pair("a0", "b0");
    cable.raw = raw_open("b0");
    g_assert_true(port_packet_open("a0", &fds, &error));
    for (unsigned life = 0; life < 3; life++) {
        kept = (struct port_packet_fds){dup(fds.queue), dup(fds.ring), dup(fds.which)};
        cable.port = port_packet_new(&fds, &error);
        g_assert_no_error(error);
        drive_start(cable.port, cable.lane);
        cable_wait(&cable);
        both_ways(&cable);
        force(cable.port, 1);
        both_ways(&cable);
        packet_end(cable.port);
        fds = kept;
    }
    close(fds.queue);
    close(fds.ring);
    close(fds.which);
    close(cable.raw);
    lane_free(cable.lane);
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void test_open_refuses(void)
{
    static const char *const names[] = {"", "nosuch0", "a-name-that-is-too-long", "lo"};
    struct port_packet_fds fds = {-1, -1, -1};
    GError *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_false(port_packet_open(names[i], &fds, &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_clear_error(&error);
        g_assert_cmpint(fds.queue, ==, -1);
        g_assert_cmpint(fds.ring, ==, -1);
    }
    fds.queue = open("/dev/null", O_RDWR | O_CLOEXEC);
    g_assert_null(port_packet_new(&fds, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    close(fds.queue);
    port_packet_free(NULL);
}

/* A frame larger than the adapter's MTU is refused by the kernel, and those behind it go out. */
static void test_too_long(void)
{
    static uint8_t bytes[LIMIT_FRAME], back[128];
    struct cable cable = cable_new();
    struct frame frames[3];
    const struct frame *list[3];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned i = 0; i < 3; i++) {
        frames[i] = (struct frame){.meta = {.length = i == 1 ? sizeof(bytes) : 60}};
        frames[i].data[0] = (struct iovec){bytes, frames[i].meta.length};
        list[i] = &frames[i];
    }
    g_assert_cmpuint(cable.port->class->transmit(cable.port, list, 3), ==, 3);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 2000), ==, 60);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 2000), ==, 60);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 50), ==, 0);
    cable_end(&cable);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-packet/sizes", test_sizes);
    netns_test_add("/port-packet/sizes-ring", test_sizes_ring);
    netns_test_add("/port-packet/sizes-no-ring", test_sizes_no_ring);
    netns_test_add("/port-packet/outgoing", test_outgoing);
    netns_test_add("/port-packet/vlan", test_vlan);
    netns_test_add("/port-packet/changes-over", test_changes_over);
    netns_test_add("/port-packet/changes-often", test_changes_often);
    netns_test_add("/port-packet/tcp4", test_tcp4);
    netns_test_add("/port-packet/tcp6", test_tcp6);
    netns_test_add("/port-packet/tcp-ring", test_tcp_ring);
    netns_test_add("/port-packet/tcp4-no-offloads", test_tcp4_no_offloads);
    netns_test_add("/port-packet/tcp6-no-offloads", test_tcp6_no_offloads);
    netns_test_add("/port-packet/segments", test_segments);
    netns_test_add("/port-packet/segments-tap", test_segments_tap);
    netns_test_add("/port-packet/trunk4", test_trunk4);
    netns_test_add("/port-packet/trunk6", test_trunk6);
    netns_test_add("/port-packet/trunk-no-offloads", test_trunk_no_offloads);
    netns_test_add("/port-packet/promiscuous", test_promiscuous);
    netns_test_add("/port-packet/down-and-up", test_down_and_up);
    netns_test_add("/port-packet/deleted", test_deleted);
    netns_test_add("/port-packet/deleted-while-down", test_deleted_while_down);
    netns_test_add("/port-packet/deleted-under-traffic", test_deleted_under_traffic);
    netns_test_add("/port-packet/moved-away", test_moved_away);
    netns_test_add("/port-packet/taken-up-again", test_taken_up_again);
    netns_test_add("/port-packet/open-refuses", test_open_refuses);
    netns_test_add("/port-packet/too-long", test_too_long);
    return g_test_run();
}
