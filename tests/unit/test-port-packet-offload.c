/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port: segments and checksums that cross it whole, and adapters that can do neither.
 */
#include "vswitch/port_packet.h"

#include <linux/ethtool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/packet_fixture.h"
#include "vswitch/port_tap.h"

static struct drive_frame caught;

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
    g_assert_cmpuint(wire->longest, >, 2 * PACKET_MTU); /* how long is for TCP to say */
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

    packet_pair("a0", "b0");
    packet_pair("a1", "b1");
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
    packet_force(wire->ends[0], 0);
    packet_force(wire->ends[1], 0);
}

static void on_ring(struct drive_wire *wire)
{
    packet_force(wire->ends[0], 1);
    packet_force(wire->ends[1], 1);
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

    packet_pair("a0", "b0");
    one = packet_make("a0", lane);
    other = packet_make("b0", lane);
    for (unsigned which = 0; which < 2; which++) {
        packet_force(one, which);
        packet_force(other, which);
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

    g_assert_true(
        port_tap_open("t0", (const uint8_t[6]){2, 0, 0, 0, 0, 1}, PACKET_MTU, &fd, &error));
    tap = port_tap_new(fd, PACKET_MTU, &error);
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

    packet_pair("a0", "a1");
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(0x10 + i)};
        GError *error = NULL;
        int fd;

        netns_enter(ns[i]);
        g_assert_true(port_tap_open("t0", mac, PACKET_MTU, &fd, &error));
        netns_sh("ip address add %s%s dev t0", addresses[i], suffix);
        netns_enter(here);
        wires[i].ends[0] = port_tap_new(fd, PACKET_MTU, &error);
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
        g_assert_cmpuint(wires[0].longest, ==, PACKET_MTU + 14);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
    return g_test_run();
}
