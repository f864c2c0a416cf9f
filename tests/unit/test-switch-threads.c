/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch with real threads: traffic between ports of different lanes, ports that come and go
 * and policies that change meanwhile. Run it under -fsanitize=thread too.
 */
#include "vswitch/switch.h"

#include <string.h>

#include <glib.h>

#include "vswitch/port_dummy.h"

#define THREADS 4u
#define PORTS   8u
#define CAPS    (PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN)

struct member {
    struct port_dummy dummy;
    uint32_t number;
    uint8_t bytes[PORTS][60]; /* a frame to each port's station */
    struct frame frames[PORTS];
    uint64_t next[PORTS]; /* by source: see in_order() */
    bool disorder;
};

struct net {
    struct vswitch *vswitch;
    struct member member[PORTS];
};

static const struct port_policy open_policy = {.vlan_mode = VLAN_NONE};

static void wait_idle(struct member *member)
{
    while (!port_dummy_idle(&member->dummy))
        g_usleep(100);
}

static void add(struct net *net, unsigned n)
{
    struct member *member = &net->member[n];

    port_dummy_init(&member->dummy, CAPS, 1500, n == 0);
    for (unsigned to = 0; to < PORTS; to++) {
        uint8_t *bytes = member->bytes[to];
        memset(bytes, 0, sizeof(member->bytes[to]));
        bytes[0] = bytes[6] = 2;
        bytes[5] = (uint8_t)to;
        bytes[11] = (uint8_t)n;
        member->frames[to] = (struct frame){.meta.length = 60, .data[0] = {bytes, 60}};
    }
    g_assert_cmpint(
        vswitch_port_add(net->vswitch, &member->dummy.port, &open_policy, &member->number), ==, 0);
}

static struct net *make(void)
{
    struct net *net = g_new0(struct net, 1);

    net->vswitch = vswitch_new(&(struct vswitch_config){.name = "threads", .threads = THREADS});
    g_assert_nonnull(net->vswitch);
    for (unsigned i = 0; i < PORTS; i++)
        add(net, i);
    return net;
}

static void drop(struct net *net)
{
    for (unsigned i = 0; i < PORTS; i++) {
        vswitch_port_remove(net->vswitch, &net->member[i].dummy.port);
        g_assert_cmpuint(net->member[i].dummy.late, ==, 0);
    }
    vswitch_free(net->vswitch);
    g_free(net);
}

/* Each station says hello, so that all are known. */
static void introduce(struct net *net)
{
    for (unsigned i = 0; i < PORTS; i++) {
        struct member *member = &net->member[i];
        /* A station may be left out if the table was busy: say it until it is heard. */
        for (struct port_stats stats = {0}; !stats.addresses;) {
            port_dummy_give(&member->dummy, &member->frames[(i + 1) % PORTS], 1, 1);
            wait_idle(member);
            vswitch_port_stats(&member->dummy.port, &stats);
        }
    }
}

static struct port_stats stats_of(struct net *net, unsigned n)
{
    struct port_stats stats;

    vswitch_port_stats(&net->member[n].dummy.port, &stats);
    return stats;
}

/* --- Exact counts ----------------------------------------------------------------------------- */

/* Ports on different lanes. */
static void test_spread(void)
{
    struct net *net = make();

    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned k = 0; k < i; k++)
            g_assert_true(net->member[i].dummy.port.lane != net->member[k].dummy.port.lane);
    drop(net);
}

/* Everybody to everybody at once: every frame is counted where it came in and where it went out. */
static void test_exact(void)
{
    enum { TIMES = 1000 };
    struct net *net = make();
    uint64_t before_in[PORTS], before_out[PORTS];

    introduce(net);
    for (unsigned i = 0; i < PORTS; i++) {
        before_in[i] = stats_of(net, i).frames_in;
        before_out[i] = net->member[i].dummy.frames;
    }
    for (unsigned i = 0; i < PORTS; i++)
        port_dummy_give(&net->member[i].dummy, net->member[i].frames, PORTS, TIMES);
    for (unsigned i = 0; i < PORTS; i++)
        wait_idle(&net->member[i]);
    for (unsigned i = 0; i < PORTS; i++) {
        struct port_stats stats = stats_of(net, i);
        g_assert_cmpuint(stats.frames_in - before_in[i], ==, (uint64_t)PORTS * TIMES);
        g_assert_cmpuint(net->member[i].dummy.frames - before_out[i], ==,
                         (uint64_t)(PORTS - 1) * TIMES);
        g_assert_cmpuint(stats.frames_out, ==, net->member[i].dummy.frames);
        g_assert_cmpuint(stats.bytes_out, ==, 60 * stats.frames_out);
        g_assert_cmpuint(stats.drops_out[DROP_NO_ROOM], ==, 0);
    }
    drop(net);
}

/* Frames of one source come in the order in which they were sent. */
static void in_order(struct port_dummy *dummy, const struct frame *frame)
{
    struct member *member = dummy->context;
    const uint8_t *bytes = frame->data[0].iov_base;
    uint64_t number;

    memcpy(&number, bytes + 16, sizeof(number));
    member->disorder |= number < member->next[bytes[11]];
    member->next[bytes[11]] = number + 1;
}

static void test_order(void)
{
    enum { COUNT = 20000 };
    struct net *net = make();
    g_autofree struct frame *frames = g_new(struct frame, 3 * COUNT);
    g_autofree uint8_t *bytes = g_malloc(3 * COUNT * 60);

    introduce(net);
    net->member[0].dummy.context = &net->member[0];
    net->member[0].dummy.sink = in_order;
    for (uint64_t i = 0; i < 3 * COUNT; i++) {
        uint8_t *own = bytes + i * 60;
        memcpy(own, net->member[1 + i / COUNT].bytes[0], 60);
        memcpy(own + 16, &i, sizeof(i));
        frames[i] = (struct frame){.meta.length = 60, .data[0] = {own, 60}};
    }
    for (unsigned n = 0; n < 3; n++)
        port_dummy_give(&net->member[1 + n].dummy, frames + n * COUNT, COUNT, 1);
    for (unsigned n = 0; n < 3; n++) {
        wait_idle(&net->member[1 + n]);
        g_assert_cmpuint(net->member[0].next[1 + n], ==, (n + 1) * COUNT);
    }
    g_assert_false(net->member[0].disorder);
    drop(net);
}

/* --- Changes under traffic -------------------------------------------------------------------- */

/* Ports leave and come back while others send to them without end. */
static void test_remove_under_traffic(void)
{
    struct net *net = make();

    for (unsigned i = 0; i < 4; i++)
        port_dummy_give(&net->member[i].dummy, net->member[i].frames, PORTS, UINT64_MAX);
    for (unsigned round = 0; round < 40; round++) {
        unsigned n = 4 + round % 4;
        vswitch_port_remove(net->vswitch, &net->member[n].dummy.port);
        g_assert_cmpuint(net->member[n].dummy.late, ==, 0);
        memset(&net->member[n].dummy, 0xa5, sizeof(net->member[n].dummy));
        add(net, n);
    }
    /* Senders may go as well, in the middle of a burst for all that we know. */
    drop(net);
}

static void test_policy_under_traffic(void)
{
    struct net *net = make();
    struct port_policy policies[] = {
        {.isolated = true},
        {.vlan_mode = VLAN_ACCESS, .vlan = 7},
        {.mac_guard = true, .mac = {2, 0, 0, 0, 0, 1}},
        {.mirror_to = net->member[7].number},
        {.rate_in = 1000000, .rate_out = 1000000, .storm = 1000},
        {.vlan_mode = VLAN_NONE},
    };

    for (unsigned i = 0; i < 4; i++)
        port_dummy_give(&net->member[i].dummy, net->member[i].frames, PORTS, UINT64_MAX);
    for (unsigned round = 0; round < 36; round++) {
        g_assert_cmpint(vswitch_port_set_policy(net->vswitch,
                                                &net->member[1 + round % 5].dummy.port,
                                                &policies[round % 6]),
                        ==, 0);
        vswitch_fdb_flush(net->vswitch, round % 3 ? NULL : &net->member[2].dummy.port);
    }
    drop(net);
}

static void count_entry(const struct fdb_entry *entry, void *context)
{
    unsigned *count = context;

    g_assert_cmpuint(entry->mac[0], ==, 2);
    (*count)++;
}

static void test_report_under_traffic(void)
{
    struct net *net = make();
    unsigned count = 0;
    uint64_t last = 0;

    introduce(net);
    for (unsigned i = 0; i < PORTS; i++)
        port_dummy_give(&net->member[i].dummy, net->member[i].frames, PORTS, UINT64_MAX);
    for (unsigned round = 0; round < 30; round++) {
        uint64_t now = stats_of(net, 3).frames_out;
        g_assert_cmpuint(now, >=, last);
        last = now;
        count = 0;
        vswitch_fdb_each(net->vswitch, count_entry, &count);
        g_assert_cmpuint(count, ==, PORTS);
    }
    drop(net);
}

static void test_fail_under_traffic(void)
{
    struct net *net = make();

    introduce(net);
    for (unsigned i = 0; i < PORTS; i++)
        port_dummy_give(&net->member[i].dummy, net->member[i].frames, PORTS, UINT64_MAX);
    for (unsigned i = 0; i < 4; i++)
        net->member[i].dummy.failing = true;
    for (unsigned i = 0; i < 4; i++)
        for (uint32_t left = 1; left; left = stats_of(net, i).addresses)
            g_usleep(100);
    drop(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/switch-threads/spread", test_spread);
    g_test_add_func("/switch-threads/exact", test_exact);
    g_test_add_func("/switch-threads/order", test_order);
    g_test_add_func("/switch-threads/remove", test_remove_under_traffic);
    g_test_add_func("/switch-threads/policy", test_policy_under_traffic);
    g_test_add_func("/switch-threads/report", test_report_under_traffic);
    g_test_add_func("/switch-threads/attack/fail", test_fail_under_traffic);
    return g_test_run();
}
