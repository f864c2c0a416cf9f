/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port policies as the switch core applies them: VLANs, guards, isolation, mirror, rates, storms,
 * snooping. What each judge thinks of single frames is in the tests of policy.c and its like.
 */
#include "vswitch/switch.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/packet_maker.h"
#include "tests/unit/switch_fixture.h"
#include "vswitch/wire.h"

static void allow(struct port_policy *policy, uint16_t vlan)
{
    policy->trunk[vlan / 64] |= 1ull << vlan % 64;
}

/* Ports 0 and 1 in VLAN 10, 2 in VLAN 20, 3 a trunk of both. */
static struct sf_net *vlan_net(void)
{
    struct sf_net *net = sf_new(0);
    struct port_policy trunk = {.vlan_mode = VLAN_TRUNK};

    for (unsigned i = 0; i < 3; i++)
        sf_add(net, SF_ALL_CAPS, false,
               &(struct port_policy){.vlan_mode = VLAN_ACCESS, .vlan = i < 2 ? 10 : 20});
    allow(&trunk, 10);
    allow(&trunk, 20);
    sf_add(net, SF_ALL_CAPS, false, &trunk);
    return net;
}

static void test_vlan_isolation(void)
{
    struct sf_net *net = vlan_net();

    sf_send(net, 0, 1, SF_BROADCAST);
    g_assert_cmpuint(sf_taken(net, 3, 0)->meta.vlan_tci, ==, 10);
    g_assert_cmpuint(sf_taken(net, 3, 0)->meta.flags, ==, FRAME_VLAN);
    g_assert_cmpuint(sf_taken(net, 1, 0)->meta.flags, ==, 0);
    g_assert_cmpstr(sf_receivers(net), ==, "13");

    /* The same address in the other VLAN is another station. */
    sf_send(net, 2, 1, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "3");
    sf_send(net, 1, 2, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_send_vlan(net, 3, 3, 1, 20);
    g_assert_cmpuint(sf_taken(net, 2, 0)->meta.flags, ==, 0);
    g_assert_cmpstr(sf_receivers(net), ==, "2");
    sf_send_vlan(net, 3, 3, 1, 10);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_free(net);
}

static void test_attack_vlan(void)
{
    struct sf_net *net = vlan_net();

    sf_send_vlan(net, 3, 3, SF_BROADCAST, 30); /* not of the trunk */
    sf_send(net, 3, 3, SF_BROADCAST);          /* no native VLAN: nobody else is untagged */
    sf_send_vlan(net, 0, 1, SF_BROADCAST, 20); /* a tag on an access port */
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 3).drops_in[DROP_VLAN], ==, 1);
    g_assert_cmpuint(sf_stats(net, 0).drops_in[DROP_VLAN], ==, 1);
    sf_free(net);
}

/* What comes to an uplink, kept only if it still lies in the sender's memory. */
static void note_borrowed(struct port_dummy *dummy, const struct frame *frame)
{
    const uint8_t *bytes = dummy->context, *at = frame->data[0].iov_base;

    g_assert_false(at >= bytes && at < bytes + 60);
}

/* A port without VLANs (1 and 2) beside a trunk (0) and an uplink (3): no tag in, none out. */
static void test_untagged(void)
{
    struct sf_net *net = sf_new(0);
    struct port_policy trunk = {.vlan_mode = VLAN_TRUNK}, none = {0};

    allow(&trunk, 10);
    sf_add(net, SF_ALL_CAPS, false, &trunk);
    sf_add(net, SF_ALL_CAPS, false, &none);
    sf_add(net, SF_ALL_CAPS, false, &none);
    sf_add(net, SF_ALL_CAPS, true, &(struct port_policy){.vlan_mode = VLAN_ALL});
    sf_send_vlan(net, 1, 1, SF_BROADCAST, 10);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 1).drops_in[DROP_VLAN], ==, 1);
    sf_send(net, 1, 1, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "023");
    sf_send_vlan(net, 3, 3, SF_BROADCAST, 10);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_send_vlan(net, 3, 3, SF_BROADCAST, 11);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    sf_free(net);
}

/* A guest that may not send tags writes one into its frame once it was judged: what goes to the
 * uplink must not lie in its memory any more. All ways: to a known station, and to all. */
static void test_attack_late_tag(void)
{
    struct sf_net *net = sf_new(2);
    const struct port_policy untagged = {0};
    struct port_dummy *uplink =
        &sf_add(net, SF_ALL_CAPS, true, &(struct port_policy){.vlan_mode = VLAN_ALL})->dummy;
    uint8_t bytes[60];
    struct frame frame;

    sf_policy(net, 0, &untagged);
    sf_send(net, 2, 9, SF_BROADCAST);
    uplink->sink = note_borrowed;
    uplink->context = bytes;
    frame = sf_frame(bytes, sizeof(bytes), 1, 9);
    sf_give(net, 0, &frame, 1);
    frame = sf_frame(bytes, sizeof(bytes), 1, SF_BROADCAST);
    sf_give(net, 0, &frame, 1);
    g_assert_cmpuint(sf_stats(net, 2).frames_out, ==, 2);
    sf_free(net);
}

/* A change of VLAN forgets who was there. */
static void test_vlan_change(void)
{
    struct sf_net *net = vlan_net();

    sf_send(net, 0, 1, SF_BROADCAST);
    sf_receivers(net);
    sf_policy(net, 0, &(struct port_policy){.vlan_mode = VLAN_ACCESS, .vlan = 20});
    sf_send(net, 1, 2, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "3");
    sf_send(net, 2, 2, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "03");
    sf_free(net);
}

static void test_isolation(void)
{
    struct sf_net *net = sf_new(3);

    sf_policy(net, 0, &(struct port_policy){.isolated = true});
    sf_policy(net, 1, &(struct port_policy){.isolated = true});
    sf_send(net, 0, 1, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "2");
    sf_send(net, 1, 2, 1); /* known, and yet not reached */
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 0).drops_out[DROP_ISOLATED], ==, 1);
    sf_send(net, 2, 3, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_free(net);
}

static void test_attack_mac_guard(void)
{
    struct sf_net *net = sf_new(2);

    sf_policy(net, 0, &(struct port_policy){.mac_guard = true, .mac = {2, 0, 0, 0, 0, 1}});
    sf_send(net, 0, 5, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "");
    g_assert_cmpuint(sf_stats(net, 0).drops_in[DROP_MAC_GUARD], ==, 1);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 0);
    sf_send(net, 0, 1, SF_BROADCAST);
    g_assert_cmpstr(sf_receivers(net), ==, "1");
    sf_free(net);
}

/* The source rewrites its frame after it was judged, when the first target is served. */
static void spoil(struct port_dummy *dummy, const struct frame *frame)
{
    memset(dummy->context, 0x5a, 12);
    (void)frame;
}

static void test_attack_rewritten(void)
{
    struct sf_net *net = sf_new(3);
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, SF_BROADCAST);

    sf_policy(net, 0, &(struct port_policy){.mac_guard = true, .mac = {2, 0, 0, 0, 0, 1}});
    net->port[1].dummy.sink = spoil;
    net->port[1].dummy.context = bytes;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpuint(bytes[6], ==, 0x5a);
    static const uint8_t judged[] = {2, 0, 0, 0, 0, 1};
    g_assert_cmpmem(sf_taken(net, 2, 0)->bytes + 6, 6, judged, 6);
    sf_free(net);
}

static void test_mirror(void)
{
    struct sf_net *net = sf_new(4);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_send(net, 2, 3, SF_BROADCAST);
    sf_receivers(net);
    sf_policy(net, 0, &(struct port_policy){.mirror_to = net->port[3].number});
    sf_send(net, 0, 1, 2); /* from it */
    g_assert_cmpstr(sf_receivers(net), ==, "13");
    sf_send(net, 1, 2, 1); /* to it */
    g_assert_cmpstr(sf_receivers(net), ==, "03");
    sf_send(net, 1, 2, 3); /* not its business */
    g_assert_cmpstr(sf_receivers(net), ==, "2");
    sf_send(net, 3, 9, 1); /* its own frames do not come back to the mirror */
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    vswitch_port_remove(net->vswitch, &net->port[3].dummy.port);
    sf_add(net, SF_ALL_CAPS, false, &(struct port_policy){.vlan_mode = VLAN_NONE});
    sf_send(net, 1, 2, 1); /* the slot's next owner is not the mirror */
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    sf_free(net);
}

static void test_refused(void)
{
    struct sf_net *net = sf_new(2);
    struct port *port = &net->port[0].dummy.port;
    const struct port_policy bad[] = {
        {.vlan_mode = VLAN_ACCESS, .vlan = 4095},
        {.vlan_mode = VLAN_ACCESS, .vlan = 0},
        {.vlan_mode = VLAN_ACCESS, .vlan = 5000},
        {.rate_in = 7999},
        {.rate_out = 1},
        {.mirror_to = 1},
        {.mirror_to = 77},
    };
    struct port_dummy dummy;
    uint32_t number = 0;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        g_assert_cmpint(vswitch_port_set_policy(net->vswitch, port, &bad[i]), ==, -EINVAL);
    port_dummy_init(&dummy, 0, SF_MTU, false);
    g_assert_cmpint(vswitch_port_add(net->vswitch, &dummy.port, &bad[0], &number), ==, -EINVAL);
    sf_free(net);
}

static void send_many(struct sf_net *net, unsigned port, unsigned from, unsigned to, unsigned count)
{
    uint8_t bytes[1000];
    g_autofree struct frame *frames = g_new(struct frame, count);

    for (unsigned i = 0; i < count; i++)
        frames[i] = sf_frame(bytes, sizeof(bytes), from, to);
    sf_give(net, port, frames, count);
}

/* 8 kbit/s and a burst of 5000 bytes: five frames of 1000 bytes, or six if one leaks out. */
static void test_rates(void)
{
    struct sf_net *net = sf_new(2);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    sf_policy(net, 0, &(struct port_policy){.rate_in = 8000, .burst_in = 5000});
    send_many(net, 0, 1, 2, 40);
    g_assert_cmpuint(net->port[1].taken->len, >=, 5);
    g_assert_cmpuint(net->port[1].taken->len, <=, 6);
    g_assert_cmpuint(sf_stats(net, 0).drops_in[DROP_RATE_IN], ==, 40 - sf_got(net, 1));

    sf_policy(net, 0, &(struct port_policy){.vlan_mode = VLAN_NONE});
    sf_policy(net, 1, &(struct port_policy){.rate_out = 8000, .burst_out = 5000});
    send_many(net, 0, 1, 2, 100);
    g_assert_cmpuint(net->port[1].taken->len, >=, 5);
    g_assert_cmpuint(net->port[1].taken->len, <=, 6);
    g_assert_cmpuint(sf_stats(net, 1).drops_out[DROP_RATE_OUT], ==, 100 - sf_got(net, 1));
    sf_free(net);
}

/* What goes to all is limited, what goes to one is not. */
static void test_attack_storm(void)
{
    struct sf_net *net = sf_new(3);

    sf_send(net, 1, 2, SF_BROADCAST);
    sf_receivers(net);
    sf_policy(net, 0, &(struct port_policy){.storm = 100});
    send_many(net, 0, 1, SF_BROADCAST, 500);
    g_assert_cmpuint(net->port[1].taken->len, >=, 16);
    g_assert_cmpuint(net->port[1].taken->len, <, 100);
    g_assert_cmpuint(sf_stats(net, 0).drops_in[DROP_STORM], ==, 500 - sf_got(net, 2));
    send_many(net, 0, 1, 77, 500); /* unknown */
    g_assert_cmpuint(sf_got(net, 2), <, 100);
    sf_got(net, 1);
    send_many(net, 0, 1, 2, 500);
    g_assert_cmpuint(sf_got(net, 1), ==, 500);
    sf_free(net);
}

/* Who floods pays: while it floods six ports, another port's frames do not wait six times as long.
 */
static void test_attack_flood_fairness(void)
{
    struct sf_net *net = sf_new(8);
    uint8_t bytes[2][60];
    g_autofree struct frame *frames = g_new(struct frame, 2 * 640);

    sf_send(net, 7, 7, SF_BROADCAST);
    sf_receivers(net);
    for (unsigned i = 0; i < 640; i++) {
        frames[i] = sf_frame(bytes[0], 60, 1, SF_BROADCAST);
        frames[640 + i] = sf_frame(bytes[1], 60, 2, 7);
    }
    port_dummy_give(&net->port[0].dummy, frames, 640, 1);
    port_dummy_give(&net->port[1].dummy, frames + 640, 640, 1);
    sf_settle(net);
    unsigned flooded = 0, mine = 0;
    for (unsigned i = 0; mine < 640; i++) {
        bool flood = sf_taken(net, 7, i)->bytes[11] == 1;
        flooded += flood;
        mine += !flood;
    }
    g_assert_cmpuint(flooded, <=, 3 * PORT_BURST);
    g_assert_cmpuint(sf_got(net, 7), ==, 1280);
    sf_free(net);
}

/* What a port invented before it was guarded is forgotten, and draws no more frames to it. */
static void test_attack_learned_before(void)
{
    struct port_policy policy = {.vlan_mode = VLAN_ALL};
    struct sf_net *net = sf_new(3);

    sf_send(net, 0, 9, SF_BROADCAST);
    sf_receivers(net);
    sf_send(net, 1, 2, 9);
    g_assert_cmpstr(sf_receivers(net), ==, "0");
    policy.mac_guard = true;
    policy.mac[0] = 2;
    policy.mac[5] = 1;
    sf_policy(net, 0, &policy);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 0);
    sf_send(net, 1, 2, 9);
    g_assert_cmpstr(sf_receivers(net), ==, "02");

    sf_send(net, 0, 1, SF_BROADCAST);
    policy.fdb_max = 1;
    sf_policy(net, 0, &policy);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 0);
    sf_send(net, 0, 1, SF_BROADCAST);
    policy.storm = 10;
    sf_policy(net, 0, &policy);
    g_assert_cmpuint(sf_stats(net, 0).addresses, ==, 1); /* a limit is no reason to forget */
    sf_free(net);
}

/* --- Counters --------------------------------------------------------------------------------- */

static const uint8_t one[6] = {2, [5] = 1}, two[6] = {2, [5] = 2};
static struct maker maker;

static void plain(void)
{
    make(&maker, two, one);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
}

static void malformed(void)
{
    make(&maker, two, maker_all);
    make_type(&maker, 0x88b5);
}

static void oversize(void)
{
    plain();
    make_zero(&maker, SF_MTU);
}

static void tagged(void)
{
    make(&maker, two, one);
    make_tag(&maker, ETHERTYPE_VLAN, 20);
    make_type(&maker, 0x88b5);
}

static void dhcp_offer(void)
{
    make(&maker, two, one);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_UDP, 0, 0);
    make_udp(&maker, UDP_DHCP_SERVER, UDP_DHCP_CLIENT);
}

static void router_advert(void)
{
    make(&maker, two, one);
    make_type(&maker, ETHERTYPE_IP6);
    make_ip6(&maker, IP_ICMP6);
    make_nd(&maker, ICMP6_ROUTER_ADVERT, 16, 1, one);
}

static void broadcast(void)
{
    make(&maker, maker_all, one);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
}

static void reserved(void)
{
    static const uint8_t bpdu[6] = {0x01, 0x80, 0xc2};

    make(&maker, bpdu, one);
    make_type(&maker, 0x88b5);
}

/* A frame from port 0 (policy `from`) to a station on port 1 (policy `to`), `count` times; the last
 * one is dropped on the way in, or out. */
static const struct {
    enum port_drop why;
    void (*make)(void);
    bool out;
    unsigned count;
    struct port_policy from, to;
} causes[] = {
    {DROP_MALFORMED, malformed, false, 1, {0}, {0}},
    {DROP_OVERSIZE, oversize, true, 1, {0}, {0}},
    {DROP_VLAN, tagged, false, 1, {0}, {0}},
    {DROP_MAC_GUARD, plain, false, 1, {.mac_guard = true, .mac = {2, [5] = 9}}, {0}},
    {DROP_DHCP_GUARD, dhcp_offer, false, 1, {.dhcp_guard = true}, {0}},
    {DROP_ROUTER_GUARD, router_advert, false, 1, {.router_guard = true}, {0}},
    {DROP_ISOLATED, plain, true, 1, {.isolated = true}, {.isolated = true}},
    {DROP_RATE_IN, plain, false, 2, {.rate_in = 8000, .burst_in = 1}, {0}},
    {DROP_RATE_OUT, plain, true, 2, {0}, {.rate_out = 8000, .burst_out = 1}},
    {DROP_STORM, broadcast, false, 17, {.storm = 1}, {0}},
    {DROP_NO_ROOM, plain, true, 1, {0}, {0}},
    {DROP_RESERVED, reserved, false, 1, {0}, {0}},
};

static uint64_t dropped(struct sf_net *net, unsigned port)
{
    struct port_stats stats = sf_stats(net, port);
    uint64_t sum = 0;

    for (unsigned i = 0; i < DROPS; i++)
        sum += stats.drops_in[i] + stats.drops_out[i];
    return sum;
}

static void count_cause(unsigned n)
{
    struct sf_net *net = sf_new(2);
    unsigned at = causes[n].out;

    sf_send(net, 1, 2, SF_BROADCAST); /* where station 2 is: in the VLAN that is none */
    sf_policy(net, 0, &causes[n].from);
    sf_policy(net, 1, &causes[n].to);
    sf_send(net, 1, 2, SF_BROADCAST);
    if (causes[n].why == DROP_NO_ROOM)
        net->port[1].dummy.room = 0;
    for (unsigned i = 0; i < causes[n].count; i++) {
        causes[n].make();
        sf_give(net, 0, make_frame(&maker, 0), 1);
    }
    struct port_stats stats = sf_stats(net, at);
    g_assert_cmpuint((at ? stats.drops_out : stats.drops_in)[causes[n].why], ==, 1);
    g_assert_cmpuint(dropped(net, 0) + dropped(net, 1), ==, 1);
    sf_free(net);
}

/* Every cause is counted, once, at the port that it is about, and as nothing else. */
static void test_counters(void)
{
    bool seen[DROPS] = {false};

    for (unsigned n = 0; n < G_N_ELEMENTS(causes); n++) {
        seen[causes[n].why] = true;
        count_cause(n);
    }
    for (unsigned i = 0; i < DROPS; i++)
        g_assert_true(seen[i]);
    make_free(&maker);
}

/* --- Snooping --------------------------------------------------------------------------------- */

/* With snooping on, a group whose fate nobody has told floods; the rest is in test-snoop.c. */
static void test_snooping_floods(void)
{
    struct sf_net *net = sf_new_with(&(struct vswitch_config){.name = "test", .snooping = true}, 3);
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), 1, 2);

    bytes[0] = 0x01;
    bytes[1] = 0x00;
    bytes[2] = 0x5e;
    bytes[3] = 0x01;
    sf_give(net, 0, &frame, 1);
    g_assert_cmpstr(sf_receivers(net), ==, "12");
    g_assert_cmpuint(sf_stats(net, 0).multicast_in, ==, 1);
    sf_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/switch-policy/vlan-isolation", test_vlan_isolation);
    g_test_add_func("/switch-policy/untagged", test_untagged);
    g_test_add_func("/switch-policy/attack/late-tag", test_attack_late_tag);
    g_test_add_func("/switch-policy/vlan-change", test_vlan_change);
    g_test_add_func("/switch-policy/isolation", test_isolation);
    g_test_add_func("/switch-policy/mirror", test_mirror);
    g_test_add_func("/switch-policy/refused", test_refused);
    g_test_add_func("/switch-policy/rates", test_rates);
    g_test_add_func("/switch-policy/counters", test_counters);
    g_test_add_func("/switch-policy/snooping-floods", test_snooping_floods);
    g_test_add_func("/switch-policy/attack/vlan", test_attack_vlan);
    g_test_add_func("/switch-policy/attack/mac-guard", test_attack_mac_guard);
    g_test_add_func("/switch-policy/attack/learned-before", test_attack_learned_before);
    g_test_add_func("/switch-policy/attack/rewritten", test_attack_rewritten);
    g_test_add_func("/switch-policy/attack/storm", test_attack_storm);
    g_test_add_func("/switch-policy/attack/flood-fairness", test_attack_flood_fairness);
    return g_test_run();
}
