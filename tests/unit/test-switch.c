/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch core on one lane: learning, flooding, moves, ageing, bursts, ports that come, go,
 * stall and fail, and what the core does in software for a port. Policies are in
 * test-switch-policy.c, threads in test-switch-threads.c.
 */
#include "vswitch/switch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/switch_fixture.h"

static const struct port_policy open_policy = {.vlan_mode = VLAN_ALL};

/* --- Learning --------------------------------------------------------------------------------- */

static void test_learn(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 0, 1, 2); /* unknown: to all others */
    g_assert_cmpstr(sf_receivers(net), ==, "12");
    sf_send(net, 1, 2, 1); /* known, and teaches 2 */
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_send(net, 0, 1, 2);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    sf_send(net, 0, 1, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "12");
    g_assert_cmpuint(sf_stats(net, 0).flooded_in, ==, 1);
    g_assert_cmpuint(sf_stats(net, 0).broadcast_in, ==, 1);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 1);
    sf_free(net);
}

/* A frame for a station on the same port has reached it already. */
static void test_same_port(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 0, 1, SF_BROADCAST);
    sf_send(net, 0, 2, SF_BROADCAST);
    sf_receivers(net);
    sf_send(net, 0, 1, 2);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    sf_free(net);
}

static void test_move(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 0, 1, SF_BROADCAST);
    sf_send(net, 1, 1, SF_BROADCAST);
    sf_receivers(net);
    sf_send(net, 2, 3, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 0);
    g_assert_cmpuint(sf_stats(net, 1).addresses, ==, 1);
    sf_free(net);
}

static void test_age(void)
{
    struct sf_net *net = sf_new_with(&(struct vswitch_config){.name = "test", .age_s = 1}, 3);

    sf_send(net, 0, 1, SF_BROADCAST);
    sf_receivers(net);
    sf_send(net, 1, 2, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    g_usleep(2100000);
    sf_send(net, 1, 2, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "02");
    sf_free(net);
}

static void list(const struct fdb_entry *entry, void *context)
{
    g_string_append_printf(context, "%02x-%u@%u ", entry->mac[5], entry->vlan, entry->port);
    g_assert_cmpuint(entry->mac[0], ==, 2);
    g_assert_cmpuint(entry->age_s, <=, 2);
}

static void test_flush(void)
{
    struct sf_net *net = sf_new(3);
    g_autoptr(GString) listed = g_string_new(NULL);

    sf_send(net, 0, 1, SF_BROADCAST);
    sf_send_vlan(net, 1, 2, SF_BROADCAST, 9);
    sf_receivers(net);
    vswitch_fdb_each(net->vswitch, list, listed);
    g_assert_nonnull(strstr(listed->str, "01-0@1 "));
    g_assert_nonnull(strstr(listed->str, "02-9@2 "));
    vswitch_fdb_flush(net->vswitch, &net->port[0].dummy.port);
    sf_send(net, 2, 3, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "01");
    sf_send_vlan(net, 2, 3, 2, 9);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    vswitch_fdb_flush(net->vswitch, NULL);
    sf_send_vlan(net, 2, 3, 2, 9);
    g_assert_cmpstr(sf_receivers(net), ==, "01");
    sf_free(net);
}

/* Invented addresses fill their own port's share; an uplink has as many stations as there are. */
static void test_attack_addresses(void)
{
    struct sf_net *net = sf_new(2);
    g_autofree struct frame *frames = g_new(struct frame, 3000);
    g_autofree uint8_t *bytes = g_malloc(3000 * 60);

    sf_add(net, SF_ALL_CAPS, true, &open_policy);
    sf_add(net, SF_ALL_CAPS, false, &(struct port_policy){.fdb_max = 3});
    for (unsigned i = 0; i < 3000; i++) {
        frames[i] = sf_frame(bytes + i * 60, 60, 0, SF_BROADCAST);
        bytes[i * 60 + 10] = (uint8_t)(i >> 8);
        bytes[i * 60 + 11] = (uint8_t)i;
    }
    sf_send(net, 1, 200, SF_BROADCAST);
    sf_give(net, 0, frames, 3000);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, LIMIT_FDB_PORT);
    sf_receivers(net);
    sf_give(net, 2, frames, 3000);
    g_assert_cmpuint(sf_stats(net, 2).addresses, ==, 3000);
    vswitch_fdb_flush(net->vswitch, NULL);
    sf_give(net, 3, frames, 3000);
    g_assert_cmpuint(sf_stats(net, 3).addresses, ==, 3);
    sf_free(net);
}

/* --- Frames ----------------------------------------------------------------------------------- */

/* A burst with many targets reaches each in order and in one flush; nothing is lost or doubled. */
static void test_burst(void)
{
    struct sf_net *net = sf_new(5);
    uint8_t bytes[PORT_BURST][60];
    struct frame frames[PORT_BURST];

    for (unsigned i = 1; i < 5; i++)
        sf_send(net, i, i, SF_BROADCAST);
    sf_receivers(net);
    for (unsigned i = 0; i < PORT_BURST; i++) {
        frames[i] = sf_frame(bytes[i], 60, 100, i % 8 == 7 ? SF_BROADCAST : 1 + i % 3);
        bytes[i][20] = (uint8_t)i;
    }
    uint64_t flushes = net->port[1].dummy.flushes;
    sf_give(net, 0, frames, PORT_BURST);
    g_assert_cmpuint(net->port[1].dummy.flushes, ==, flushes + 1);
    for (unsigned i = 1; i < 5; i++) {
        GArray *taken = net->port[i].taken;
        for (unsigned n = 0, last = 0; n < taken->len; n++) {
            unsigned number = sf_taken(net, i, n)->bytes[20];
            g_assert_true(number % 8 == 7 || 1 + number % 3 == i);
            g_assert_true(!n || number > last);
            last = number;
        }
    }
    g_assert_cmpuint(net->port[4].taken->len, ==, 8);
    g_assert_cmpuint(net->port[1].taken->len + net->port[2].taken->len + net->port[3].taken->len,
                     ==, 56 + 3 * 8);
    sf_free(net);
}

static void test_bytes(void)
{
    struct sf_net *net = sf_new(2);
    uint8_t bytes[1514];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, 2);

    frame.data[0].iov_len = 100; /* in two pieces, as where a ring wraps */
    frame.data[1] = (struct iovec){bytes + 100, sizeof(bytes) - 100};
    frame.meta.hash = 0x12345;
    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    for (unsigned round = 0; round < 2; round++) {
        sf_give(net, 0, &frame, 1);
        g_assert_cmpmem(sf_taken(net, 1, 0)->bytes, sf_taken(net, 1, 0)->meta.length, bytes,
                        sizeof(bytes));
        g_assert_cmpmem(&sf_taken(net, 1, 0)->meta, sizeof(frame.meta), &frame.meta,
                        sizeof(frame.meta));
        g_assert_cmpuint(sf_got(net, 1), ==, 1);
    }
    sf_free(net);
}

static void expect_drop(struct sf_net *net, const struct frame *frame, enum port_drop why)
{
    uint64_t before = sf_stats(net, 0).drops_in[why];

    sf_give(net, 0, frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 0).drops_in[why], ==, before + 1);
}

static void test_attack_malformed(void)
{
    struct sf_net *net = sf_new(2);
    uint8_t bytes[64];
    struct frame good = sf_frame(bytes, sizeof(bytes), 1, 2), bad;

    bad = good;
    bad.meta.length = bad.data[0].iov_len = 13;
    expect_drop(net, &bad, DROP_MALFORMED);
    bad = good;
    bad.meta.length = LIMIT_FRAME + 1;
    expect_drop(net, &bad, DROP_MALFORMED);
    bad = good;
    bad.meta.flags = 0x80;
    expect_drop(net, &bad, DROP_MALFORMED);
    bad = good;
    bad.meta.flags = FRAME_CSUM_PARTIAL;
    bad.meta.csum_start = 60;
    bad.meta.csum_offset = 3; /* its second byte is past the end */
    expect_drop(net, &bad, DROP_MALFORMED);
    bad = good;
    bad.meta.gso = FRAME_GSO_TCPV4; /* a segment size of 0 */
    bad.meta.flags = FRAME_CSUM_PARTIAL;
    expect_drop(net, &bad, DROP_MALFORMED);
    bytes[6] |= 1; /* from a group */
    expect_drop(net, &good, DROP_MALFORMED);
    g_assert_cmpuint(sf_stats(net, 0).frames_in, ==, 6);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 0);
    sf_free(net);
}

static void test_reserved(void)
{
    struct sf_net *net = sf_new(2);
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, 2);
    static const uint8_t group[] = {0x01, 0x80, 0xc2, 0x00, 0x00};

    memcpy(bytes, group, sizeof(group));
    for (unsigned last = 0; last < 16; last++) {
        bytes[5] = (uint8_t)last;
        expect_drop(net, &frame, DROP_RESERVED);
    }
    bytes[5] = 0x10;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    g_assert_cmpuint(sf_stats(net, 0).multicast_in, ==, 17);
    sf_free(net);
}

static void test_oversize(void)
{
    struct sf_net *net = sf_new(2);
    uint8_t bytes[SF_MTU + FRAME_ETHERNET + 1];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, 2);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    sf_give(net, 0, &frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 1).drops_out[DROP_OVERSIZE], ==, 1);
    frame.meta.length = --frame.data[0].iov_len;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    sf_free(net);
}

/* --- Software help ---------------------------------------------------------------------------- */

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

#define TCP_HEADERS (FRAME_ETHERNET + 20u + 20u)

/* An IPv4 TCP segment with `payload` bytes, its checksum to be put in. */
static struct frame tcp_frame(uint8_t *bytes, uint32_t payload, unsigned from, unsigned to)
{
    struct frame frame = sf_frame(bytes, TCP_HEADERS + payload, from, to);
    uint8_t *ip = bytes + FRAME_ETHERNET, *tcp = ip + 20;

    put16(bytes + 12, 0x0800);
    memset(ip, 0, 40);
    ip[0] = 0x45;
    put16(ip + 2, 40 + payload);
    ip[8] = 64;
    ip[9] = 6;
    ip[12] = ip[16] = 10;
    ip[15] = (uint8_t)from;
    ip[19] = (uint8_t)to;
    tcp[12] = 0x50;
    tcp[13] = 0x10;
    frame.meta.flags = FRAME_CSUM_PARTIAL;
    frame.meta.csum_start = FRAME_ETHERNET + 20;
    frame.meta.csum_offset = 16;
    return frame;
}

/* A segment is handed on whole to who can take it, and cut for who cannot. */
static void test_segments(void)
{
    struct sf_net *net = sf_new(2);
    g_autofree uint8_t *bytes = g_malloc(LIMIT_FRAME);
    struct frame frame = tcp_frame(bytes, 60000, 1, SF_BROADCAST);

    sf_add(net, 0, false, &open_policy);
    frame.meta.gso = FRAME_GSO_TCPV4;
    frame.meta.gso_size = 1448;
    frame.meta.header = TCP_HEADERS;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpuint(sf_taken(net, 1, 0)->meta.length, ==, 60000 + TCP_HEADERS);
    g_assert_cmpuint(sf_got(net, 1), ==, 1);
    uint32_t at = 0;
    for (unsigned i = 0; i < net->port[2].taken->len; i++) {
        const struct sf_taken *taken = sf_taken(net, 2, i);
        uint32_t size = taken->meta.length - TCP_HEADERS;
        g_assert_false(taken->meta.flags & FRAME_CSUM_PARTIAL);
        g_assert_cmpmem(taken->bytes + TCP_HEADERS, size, bytes + TCP_HEADERS + at, size);
        at += size;
    }
    g_assert_cmpuint(at, ==, 60000);
    g_assert_cmpuint(sf_got(net, 2), ==, (60000 + 1447) / 1448);
    sf_free(net);
}

/* More segments than a thread's arena holds, for several ports at once, in one burst. */
static void test_many_segments(void)
{
    struct sf_net *net = sf_new(1);
    g_autofree uint8_t *bytes = g_malloc(LIMIT_FRAME);
    struct frame frames[20];

    for (unsigned i = 0; i < 3; i++)
        sf_add(net, 0, false, &open_policy);
    frames[0] = tcp_frame(bytes, 60000, 1, SF_BROADCAST);
    frames[0].meta.gso = FRAME_GSO_TCPV4;
    frames[0].meta.gso_size = 1000;
    frames[0].meta.header = TCP_HEADERS;
    for (unsigned i = 1; i < 20; i++)
        frames[i] = frames[0];
    sf_give(net, 0, frames, 20);
    for (unsigned port = 1; port < 4; port++) {
        for (unsigned i = 0; i < 20 * 60; i++) {
            const struct sf_taken *taken = sf_taken(net, port, i);
            g_assert_cmpmem(taken->bytes + TCP_HEADERS, 1000, bytes + TCP_HEADERS + i % 60 * 1000,
                            1000);
        }
        g_assert_cmpuint(sf_got(net, port), ==, 20 * 60);
        g_assert_cmpuint(sf_stats(net, port).frames_out, ==, 20 * 60);
    }
    sf_free(net);
}

/* Eight bytes per segment would make one frame thousands. */
static void test_attack_tiny_segments(void)
{
    struct sf_net *net = sf_new(1);
    g_autofree uint8_t *bytes = g_malloc(LIMIT_FRAME);
    struct frame frame = tcp_frame(bytes, 60000, 1, SF_BROADCAST);

    sf_add(net, 0, false, &open_policy);
    frame.meta.gso = FRAME_GSO_TCPV4;
    frame.meta.gso_size = 8;
    frame.meta.header = TCP_HEADERS;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 1).drops_out[DROP_OVERSIZE], ==, 1);
    sf_free(net);
}

static void test_tag_into_bytes(void)
{
    struct sf_net *net = sf_new(1);

    sf_add(net, PORT_CAP_CSUM, false, &open_policy);
    sf_send_vlan(net, 0, 1, SF_BROADCAST, 0x6123);
    const struct sf_taken *taken = sf_taken(net, 1, 0);
    g_assert_cmpuint(taken->meta.length, ==, 64);
    g_assert_cmpuint(taken->meta.flags & FRAME_VLAN, ==, 0);
    static const uint8_t tag[] = {0x81, 0x00, 0x61, 0x23, 0x88, 0xb5};
    g_assert_cmpmem(taken->bytes + 12, sizeof(tag), tag, sizeof(tag));
    sf_free(net);
}

/* --- Ports ------------------------------------------------------------------------------------ */

static void test_port_numbers(void)
{
    struct sf_net *net = sf_new(2);
    struct port_dummy dummy;
    uint32_t number = 0;

    g_assert_cmpuint(net->port[1].number, ==, 2);
    vswitch_port_remove(net->vswitch, &net->port[1].dummy.port);
    port_dummy_init(&dummy, 0, SF_MTU, false);
    dummy.start_error = -EBUSY;
    g_assert_cmpint(vswitch_port_add(net->vswitch, &dummy.port, &open_policy, &number), ==, -EBUSY);
    sf_settle(net); /* it had called vswitch_port_ready() */
    dummy.start_error = 0;
    g_assert_cmpint(vswitch_port_add(net->vswitch, &dummy.port, &open_policy, &number), ==, 0);
    g_assert_cmpuint(number, >, 2);
    vswitch_port_remove(net->vswitch, &dummy.port);
    g_assert_cmpuint(dummy.late, ==, 0);
    sf_free(net);
}

static void test_port_limit(void)
{
    struct sf_net *net = sf_new(0);
    g_autofree struct port_dummy *dummies = g_new(struct port_dummy, LIMIT_SWITCH_PORTS + 1);
    uint32_t number;

    for (unsigned i = 0; i <= LIMIT_SWITCH_PORTS; i++) {
        port_dummy_init(&dummies[i], 0, SF_MTU, false);
        int error = vswitch_port_add(net->vswitch, &dummies[i].port, &open_policy, &number);
        g_assert_cmpint(error, ==, i < LIMIT_SWITCH_PORTS ? 0 : -ENOSPC);
    }
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, SF_BROADCAST);
    port_dummy_give(&dummies[0], &frame, 1, 1000);
    while (lane_turn(dummies[0].port.lane, 0))
        ;
    for (unsigned i = 0; i < LIMIT_SWITCH_PORTS; i++)
        g_assert_cmpuint(dummies[i].frames, ==, i ? 1000 : 0);
    for (unsigned i = 0; i < LIMIT_SWITCH_PORTS; i++)
        vswitch_port_remove(net->vswitch, &dummies[i].port);
    sf_free(net);
}

/* What a port that went had learned is gone with it, also for its successor in the same slot. */
static void test_remove(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    vswitch_port_remove(net->vswitch, &net->port[1].dummy.port);
    sf_send(net, 0, 1, 2);
    g_assert_cmpstr(sf_receivers(net), ==, "2");
    sf_add(net, SF_ALL_CAPS, false, &open_policy);
    sf_send(net, 0, 1, 2);
    g_assert_cmpstr(sf_receivers(net), ==, "23");
    sf_free(net);
}

/* A port with no room costs its own frames, not those of others. */
static void test_attack_stalled(void)
{
    struct sf_net *net = sf_new(3);
    uint8_t bytes[2][60];
    struct frame frames[100];

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_send(net, 2, 3, SF_BROADCAST);
    sf_receivers(net);
    struct frame to[2] = {sf_frame(bytes[0], 60, 1, 2), sf_frame(bytes[1], 60, 1, 3)};
    for (unsigned i = 0; i < 100; i++)
        frames[i] = to[i % 2];
    net->port[1].dummy.room = 7;
    uint64_t before = sf_stats(net, 1).frames_out;
    sf_give(net, 0, frames, 100);
    g_assert_cmpuint(sf_got(net, 1), ==, 7);
    g_assert_cmpuint(sf_got(net, 2), ==, 50);
    g_assert_cmpuint(sf_stats(net, 1).frames_out, ==, before + 7);
    g_assert_cmpuint(sf_stats(net, 1).drops_out[DROP_NO_ROOM], ==, 43);
    g_assert_cmpuint(sf_stats(net, 2).drops_out[DROP_NO_ROOM], ==, 0);
    sf_free(net);
}

static void test_attack_failed(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    net->port[1].dummy.failing = true;
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 9, 1);
    port_dummy_give(&net->port[1].dummy, &frame, 1, 1);
    sf_settle(net);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    sf_send(net, 0, 1, 2); /* forgotten */
    g_assert_cmpstr(sf_receivers(net), ==, "2");
    g_assert_cmpuint(sf_stats(net, 1).addresses, ==, 0);
    g_assert_cmpuint(sf_stats(net, 1).drops_out[DROP_NO_ROOM], ==, 1);
    sf_free(net);
}

/* Whole bursts of one port do not keep the others waiting: after every burst it is their turn. */
static void test_fairness(void)
{
    struct sf_net *net = sf_new(4);
    uint8_t bytes[4][60];
    struct frame frames[4][PORT_BURST];

    sf_send(net, 3, 3, SF_BROADCAST);
    sf_receivers(net);
    for (unsigned port = 0; port < 3; port++) {
        for (unsigned i = 0; i < PORT_BURST; i++)
            frames[port][i] = sf_frame(bytes[port], 60, 10 + port, 3);
        port_dummy_give(&net->port[port].dummy, frames[port], PORT_BURST, port ? 1 : 100);
    }
    sf_settle(net);
    unsigned last[3] = {0, 0, 0};
    for (unsigned i = 0; i < net->port[3].taken->len; i++)
        last[sf_taken(net, 3, i)->bytes[11] - 10] = i;
    g_assert_cmpuint(last[1], <, 3 * PORT_BURST);
    g_assert_cmpuint(last[2], <, 3 * PORT_BURST);
    g_assert_cmpuint(sf_got(net, 3), ==, 102 * PORT_BURST);
    sf_free(net);
}

static void test_filter(void)
{
    struct sf_net *net = sf_new(0);
    struct port_dummy *uplink = &sf_add(net, SF_ALL_CAPS, true, &open_policy)->dummy;

    g_assert_cmpuint(uplink->filters, >, 0);
    g_assert_false(uplink->filter.promiscuous);
    sf_add(net, SF_ALL_CAPS, false, &open_policy);
    g_assert_true(uplink->filter.promiscuous && uplink->filter.all_multicast);
    vswitch_port_remove(net->vswitch, &net->port[1].dummy.port);
    g_assert_false(uplink->filter.promiscuous);
    sf_free(net);
}

static void test_stats(void)
{
    struct sf_net *net = sf_new(3);

    for (unsigned i = 0; i < 10; i++)
        sf_send(net, 0, 1, 2);
    for (unsigned i = 0; i < 5; i++)
        sf_send(net, 1, 2, 1);
    struct port_stats stats[3] = {sf_stats(net, 0), sf_stats(net, 1), sf_stats(net, 2)};
    g_assert_cmpuint(stats[0].frames_in, ==, 10);
    g_assert_cmpuint(stats[0].bytes_in, ==, 600);
    g_assert_cmpuint(stats[0].flooded_in, ==, 10);
    g_assert_cmpuint(stats[0].frames_out, ==, 5);
    g_assert_cmpuint(stats[0].bytes_out, ==, 300);
    g_assert_cmpuint(stats[1].frames_out, ==, 10);
    g_assert_cmpuint(stats[2].frames_out, ==, 10);
    g_assert_cmpuint(stats[2].frames_in, ==, 0);
    sf_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/switch/learn", test_learn);
    g_test_add_func("/switch/same-port", test_same_port);
    g_test_add_func("/switch/move", test_move);
    g_test_add_func("/switch/age", test_age);
    g_test_add_func("/switch/flush", test_flush);
    g_test_add_func("/switch/burst", test_burst);
    g_test_add_func("/switch/bytes", test_bytes);
    g_test_add_func("/switch/reserved", test_reserved);
    g_test_add_func("/switch/oversize", test_oversize);
    g_test_add_func("/switch/segments", test_segments);
    g_test_add_func("/switch/many-segments", test_many_segments);
    g_test_add_func("/switch/tag-into-bytes", test_tag_into_bytes);
    g_test_add_func("/switch/port-numbers", test_port_numbers);
    g_test_add_func("/switch/port-limit", test_port_limit);
    g_test_add_func("/switch/remove", test_remove);
    g_test_add_func("/switch/fairness", test_fairness);
    g_test_add_func("/switch/filter", test_filter);
    g_test_add_func("/switch/stats", test_stats);
    g_test_add_func("/switch/attack/addresses", test_attack_addresses);
    g_test_add_func("/switch/attack/malformed", test_attack_malformed);
    g_test_add_func("/switch/attack/tiny-segments", test_attack_tiny_segments);
    g_test_add_func("/switch/attack/stalled", test_attack_stalled);
    g_test_add_func("/switch/attack/failed", test_attack_failed);
    return g_test_run();
}
