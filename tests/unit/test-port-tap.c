/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host port on a real TAP, in a network namespace.
 */
#include "vswitch/port_tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/netns_fixture.h"
#include "tests/unit/port_drive.h"

#define MTU 9000u

static const uint8_t mac[2][6] = {{0x02, 0, 0, 0, 0, 0x10}, {0x02, 0, 0, 0, 0, 0x11}};
static const uint32_t sizes[] = {14,   15,   17,   18,   59,   60,   61,  64,
                                 1500, 1514, 1515, 2048, 4096, 9000, 9014};

static struct port *tap_make(const char *name, unsigned number, struct lane *lane)
{
    GError *error = NULL;
    struct port *port;
    int fd = -1;

    netns_sh("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    g_assert_true(port_tap_open(name, mac[number], MTU, &fd, &error));
    g_assert_no_error(error);
    port = port_tap_new(fd, MTU, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(port->mtu, ==, MTU);
    drive_start(port, lane);
    return port;
}

static void tap_end(struct port *port)
{
    drive_stop(port);
    port_tap_free(port);
}

static struct drive_frame caught;

static void test_sizes(void)
{
    static uint8_t bytes[MTU + 14], back[MTU + 64];
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    int raw = raw_open("t0");

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        raw_make(bytes, sizes[i], NULL, -1, i);
        raw_send(raw, bytes, sizes[i]);
        g_assert_true(drive_receive(port, &caught, 2000));
        g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, sizes[i]);
        g_assert_cmpuint(caught.meta.gso, ==, FRAME_GSO_NONE);

        g_assert_true(drive_send(port, bytes, sizes[i], NULL));
        g_assert_cmpmem(back, raw_receive(raw, back, sizeof(back), 2000), bytes, sizes[i]);
    }
    g_assert_cmpuint(raw_receive(raw, back, sizeof(back), 50), ==, 0);
    close(raw);
    tap_end(port);
    lane_free(lane);
}

static void test_two_ranges(void)
{
    static uint8_t bytes[1514], back[1600];
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    int raw = raw_open("t0");

    raw_make(bytes, sizeof(bytes), NULL, -1, 7);
    for (unsigned split = 1; split < 40; split++) {
        struct frame frame = {.meta = {.length = sizeof(bytes)},
                              .data = {{bytes, split}, {bytes + split, sizeof(bytes) - split}}};
        const struct frame *list = &frame;

        g_assert_cmpuint(port->class->transmit(port, &list, 1), ==, 1);
        g_assert_cmpmem(back, raw_receive(raw, back, sizeof(back), 2000), bytes, sizeof(bytes));
    }
    close(raw);
    tap_end(port);
    lane_free(lane);
}

/* The host gives tagged frames with the tag in the metadata, and gets them with the tag in place;
 * a second tag is payload. */
static void test_vlan(void)
{
    static uint8_t bytes[MTU + 18], back[MTU + 64], plain[MTU + 14];
    const struct frame_meta meta = {.flags = FRAME_VLAN, .vlan_tci = 0x6123};
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    int raw = raw_open("t0");

    /* (Of a tagged frame Linux wants two bytes of payload.) */
    for (unsigned length = 20; length <= sizeof(bytes); length += 818) {
        raw_make(bytes, length, NULL, 0x6123, length);
        memcpy(plain, bytes, 12);
        memcpy(plain + 12, bytes + 16, length - 16);
        raw_send(raw, bytes, length);
        g_assert_true(drive_receive(port, &caught, 2000));
        g_assert_cmpuint(caught.meta.flags & FRAME_VLAN, !=, 0);
        g_assert_cmpuint(caught.meta.vlan_tci, ==, 0x6123);
        g_assert_cmpmem(caught.bytes, caught.meta.length, plain, length - 4);

        g_assert_true(drive_send(port, plain, length - 4, &meta));
        g_assert_cmpmem(back, raw_receive(raw, back, sizeof(back), 2000), bytes, length);
    }
    raw_make(plain, 100, NULL, 0x0042, 1); /* a tag in the bytes of a tagged frame */
    g_assert_true(drive_send(port, plain, 100, &meta));
    g_assert_cmpuint(raw_receive(raw, back, sizeof(back), 2000), ==, 104);
    g_assert_cmpmem(back + 12, 8, "\x81\x00\x61\x23\x81\x00\x00\x42", 8);
    raw_send(raw, back, 104);
    g_assert_true(drive_receive(port, &caught, 2000));
    g_assert_cmpuint(caught.meta.vlan_tci, ==, 0x6123);
    g_assert_cmpmem(caught.bytes, caught.meta.length, plain, 100);
    close(raw);
    tap_end(port);
    lane_free(lane);
}

struct sequence {
    uint32_t next, total;
};

/* Numbered frames: each once, in order. */
static bool catch_sequence(const struct frame *frame, void *context)
{
    struct sequence *sequence = context;
    uint32_t number;
    uint8_t type[2];

    if (!frame_read(frame, 12, type, 2) || memcmp(type, "\x88\xb5", 2) != 0)
        return false;
    g_assert_true(frame_read(frame, 14, &number, sizeof(number)));
    g_assert_cmpuint(number, ==, sequence->next);
    return ++sequence->next == sequence->total;
}

static void test_each_once(void)
{
    static uint8_t bytes[60], back[128];
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    struct sequence sequence = {.total = 20000};
    int raw = raw_open("t0");

    raw_make(bytes, sizeof(bytes), NULL, -1, 0);
    for (uint32_t i = 0; i < sequence.total;) {
        for (unsigned k = 0; k < 200; k++, i++) {
            memcpy(bytes + 14, &i, sizeof(i));
            raw_send(raw, bytes, sizeof(bytes));
        }
        if (i < sequence.total)
            drive_until(port, catch_sequence, &sequence, 0);
    }
    g_assert_true(drive_until(port, catch_sequence, &sequence, 5000));
    g_assert_cmpuint(drive_drain(port, 50), ==, 0);

    for (uint32_t i = 0; i < 1000; i++) {
        memcpy(bytes + 14, &i, sizeof(i));
        g_assert_true(drive_send(port, bytes, sizeof(bytes), NULL));
    }
    for (uint32_t i = 0; i < 1000; i++) {
        g_assert_cmpuint(raw_receive(raw, back, sizeof(back), 2000), ==, sizeof(bytes));
        g_assert_cmpmem(back + 14, 4, &i, 4);
    }
    g_assert_cmpuint(raw_receive(raw, back, sizeof(back), 50), ==, 0);
    close(raw);
    tap_end(port);
    lane_free(lane);
}

/* TCP between two namespaces over two TAPs: 64 KiB segments with partial checksums cross whole,
 * every byte arrives. */
static void transfer(const char *const addresses[2], const char *suffix)
{
    struct lane *lane = lane_new("test");
    struct drive_wire wire = {0};
    struct tcp_side side = {.address = addresses[0], .bytes = 32 << 20};
    int here = netns_current(), there = netns_new(), ready[2];
    pid_t server, client;
    char byte;

    wire.ends[0] = tap_make("t0", 0, lane);
    netns_sh("ip address add %s%s dev t0", addresses[0], suffix);
    netns_enter(there);
    wire.ends[1] = tap_make("t1", 1, lane);
    netns_sh("ip address add %s%s dev t1", addresses[1], suffix);
    netns_enter(here);
    g_assert_cmpint(pipe(ready), ==, 0);
    side.ready = ready[1];
    server = netns_spawn(here, tcp_server, &side);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    client = netns_spawn(there, tcp_client, &side);
    drive_wires_until(&wire, 1, client);
    netns_wait(server);
    g_test_message("%" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT
                   " segments, %" G_GUINT64_FORMAT " partial, longest %u",
                   wire.frames, wire.segments, wire.partial, wire.longest);
    g_assert_cmpuint(wire.segments, >, 100);
    g_assert_cmpuint(wire.longest, >, 2 * MTU); /* how long is for TCP to say */
    g_assert_cmpuint(wire.partial, >=, wire.segments);
    tap_end(wire.ends[0]);
    tap_end(wire.ends[1]);
    lane_free(lane);
}

static void test_tcp4(void)
{
    transfer((const char *const[]){"10.9.0.1", "10.9.0.2"}, "/24");
}

static void test_tcp6(void)
{
    transfer((const char *const[]){"fd00::1", "fd00::2"}, "/64 nodad");
}

/* What a peer port says about a frame does not hurt the host, nor the frames behind it. */
static void test_hostile_metadata(void)
{
    static uint8_t bytes[3000], back[3100];
    const struct frame_meta bad[] = {
        /* Checked by the switch, but no TCP at all: */
        {.flags = FRAME_CSUM_PARTIAL,
         .csum_start = 40,
         .csum_offset = 16,
         .gso = FRAME_GSO_TCPV4,
         .gso_size = 8,
         .header = 60},
        {.flags = FRAME_CSUM_PARTIAL,
         .csum_start = 34,
         .csum_offset = 16,
         .gso = FRAME_GSO_TCPV6,
         .gso_size = 0xffff,
         .header = 2900},
        {.flags = FRAME_CSUM_PARTIAL, .csum_start = 2990, .csum_offset = 8},
        /* Not checked by anybody: */
        {.flags = FRAME_CSUM_PARTIAL, .csum_start = 0xffff, .csum_offset = 0xffff},
        {.flags = 0xff, .vlan_tci = 0xffff, .gso = 77, .gso_size = 1, .header = 0xffff},
        {.gso = FRAME_GSO_TCPV4},
    };
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    int raw = raw_open("t0");

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        raw_make(bytes, sizeof(bytes), NULL, -1, 100 + i);
        drive_send(port, bytes, sizeof(bytes), &bad[i]);
        raw_make(bytes, 200, NULL, -1, i);
        g_assert_true(drive_send(port, bytes, 200, NULL));
        for (;;) {
            size_t length = raw_receive(raw, back, sizeof(back), 2000);

            g_assert_cmpuint(length, >, 0);
            if (length == 200 && memcmp(back, bytes, length) == 0)
                break;
        }
    }
    close(raw);
    tap_end(port);
    lane_free(lane);
}

static void test_down_and_up(void)
{
    static uint8_t bytes[60], back[128];
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    int raw;

    raw_make(bytes, sizeof(bytes), NULL, -1, 3);
    netns_sh("ip link set t0 down");
    g_assert_false(drive_send(port, bytes, sizeof(bytes), NULL));
    drive_drain(port, 50);
    g_assert_cmpuint(port->core->failures, ==, 0);
    netns_sh("ip link set t0 up");
    raw = raw_open("t0");
    g_assert_true(drive_send(port, bytes, sizeof(bytes), NULL));
    g_assert_cmpuint(raw_receive(raw, back, sizeof(back), 2000), ==, sizeof(bytes));
    raw_send(raw, bytes, sizeof(bytes));
    g_assert_true(drive_receive(port, &caught, 2000));
    close(raw);
    tap_end(port);
    lane_free(lane);
}

/* A read that fails for a while (no memory, say; here the descriptor is of something that has only
 * EIO to give) does not cost the host its port, nor spin. */
static void test_read_error(void)
{
    static uint8_t bytes[60];
    struct lane *lane = lane_new("test");
    GError *error = NULL;
    int fd = -1, kept, broken, raw;

    g_assert_true(port_tap_open("t0", mac[0], MTU, &fd, &error));
    struct port *port = port_tap_new(fd, MTU, &error);
    drive_start(port, lane);
    kept = dup(fd); /* epoll goes on with it */
    broken = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(dup2(broken, fd), ==, fd);
    raw = raw_open("t0");
    raw_make(bytes, sizeof(bytes), NULL, -1, 4);
    raw_send(raw, bytes, sizeof(bytes));
    unsigned turns = 0;
    for (int64_t end = g_get_monotonic_time() + 100000; g_get_monotonic_time() < end; turns++)
        drive_drain(port, 1);
    g_assert_cmpuint(port->core->failures, ==, 0);
    g_assert_cmpuint(turns, <, 200);

    g_assert_cmpint(dup2(kept, fd), ==, fd);
    g_assert_true(drive_receive(port, &caught, 2000));
    g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, sizeof(bytes));
    close(raw);
    close(broken);
    close(kept);
    tap_end(port);
    lane_free(lane);
}

static void test_deleted(void)
{
    static uint8_t bytes[60];
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    unsigned turns = 0;

    netns_sh("ip link delete t0");
    raw_make(bytes, sizeof(bytes), NULL, -1, 3);
    g_assert_false(drive_send(port, bytes, sizeof(bytes), NULL));
    drive_drain(port, 100);
    g_assert_cmpuint(port->core->failures, ==, 1);
    g_assert_cmpstr(port->core->why, ==, "the TAP has been deleted");
    while (lane_turn(lane, 0) && turns < 100)
        turns++;
    g_assert_cmpuint(turns, <, 3); /* the dead descriptor does not spin */
    g_assert_cmpuint(drive_drain(port, 0), ==, 0);
    tap_end(port);
    lane_free(lane);
}

static void test_open_refuses(void)
{
    struct lane *lane = lane_new("test");
    struct port *port = tap_make("t0", 0, lane);
    GError *error = NULL;
    int fd = -1, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    static const char *const names[] = {"", "a%d", "a-name-that-is-too-long", "t0", "a/b"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_false(port_tap_open(names[i], mac[1], MTU, &fd, &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_clear_error(&error);
        g_assert_cmpint(fd, ==, -1);
    }
    g_assert_false(port_tap_open("t1", (const uint8_t[6]){1, 2, 3, 4, 5, 6}, MTU, &fd, &error));
    g_test_message("%s", error->message); /* a multicast address */
    g_clear_error(&error);
    g_assert_false(port_tap_open("t1", mac[1], 1u << 20, &fd, &error));
    g_test_message("%s", error->message);
    g_clear_error(&error);
    g_assert_null(port_tap_new(null, MTU, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    close(null);
    tap_end(port);
    port_tap_free(NULL);
    lane_free(lane);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-tap/sizes", test_sizes);
    netns_test_add("/port-tap/two-ranges", test_two_ranges);
    netns_test_add("/port-tap/vlan", test_vlan);
    netns_test_add("/port-tap/each-once", test_each_once);
    netns_test_add("/port-tap/tcp4", test_tcp4);
    netns_test_add("/port-tap/tcp6", test_tcp6);
    netns_test_add("/port-tap/hostile-metadata", test_hostile_metadata);
    netns_test_add("/port-tap/down-and-up", test_down_and_up);
    netns_test_add("/port-tap/read-error", test_read_error);
    netns_test_add("/port-tap/deleted", test_deleted);
    netns_test_add("/port-tap/open-refuses", test_open_refuses);
    return g_test_run();
}
