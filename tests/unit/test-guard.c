/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the guards of a port: each, and each way round it that we know of (see also
 * test-policy.c). Every frame is judged in one piece and cut in two at every offset.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/packet_maker.h"
#include "vswitch/policy.h"
#include "vswitch/wire.h"

#define TARGET   2u /* ND options */
#define SOURCE   1u
#define NS_BYTES 24u
#define RS_BYTES 8u

static struct maker maker;

static int judge(const struct port_policy *policy)
{
    struct frame_info info;

    return make_verdict(&maker, policy, -1, &info);
}

static struct port_policy mac_guard(void)
{
    struct port_policy policy = {.vlan_mode = VLAN_ALL, .mac_guard = true};

    memcpy(policy.mac, maker_guest, 6);
    return policy;
}

static const struct port_policy dhcp_guard = {.vlan_mode = VLAN_ALL, .dhcp_guard = true};
static const struct port_policy router_guard = {.vlan_mode = VLAN_ALL, .router_guard = true};
static const struct port_policy no_policy = {0};

static void ip4(uint8_t protocol, uint16_t fragment, uint8_t options)
{
    make(&maker, maker_all, maker_guest);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, protocol, fragment, options);
}

static void ip6(uint8_t next)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, ETHERTYPE_IP6);
    make_ip6(&maker, next);
}

static void plain(void)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
}

/* --- MAC guard -------------------------------------------------------------------------------- */

/* Group 7: source-MAC spoof. */
static void test_mac_source(void)
{
    struct port_policy policy = mac_guard();

    plain();
    g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
    make(&maker, maker_guest, maker_other);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    g_assert_cmpint(judge(&no_policy), ==, POLICY_PASS);
}

static void arp(const uint8_t *sender, unsigned tags, bool snap)
{
    make(&maker, maker_all, maker_guest);
    for (unsigned i = 0; i < tags; i++)
        make_tag(&maker, ETHERTYPE_VLAN, (uint16_t)(20 + i));
    if (snap)
        make_snap(&maker, ETHERTYPE_ARP);
    else
        make_type(&maker, ETHERTYPE_ARP);
    make_arp(&maker, sender);
}

static void test_mac_arp(void)
{
    struct port_policy policy = mac_guard();

    arp(maker_guest, 0, false);
    g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
    arp(maker_other, 0, false);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    wire_put16(maker.bytes + 12, ETHERTYPE_RARP);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
}

static void test_mac_arp_short(void)
{
    struct port_policy policy = mac_guard();

    arp(maker_guest, 0, false);
    maker.length--;
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    arp(maker_guest, 0, false);
    maker.bytes[14 + 4] = 7; /* hardware addresses of another length */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    maker.bytes[14 + 4] = 6;
    maker.bytes[14 + 5] = 16; /* and the others */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
}

static void test_mac_arp_hidden(void)
{
    struct port_policy policy = mac_guard();

    for (unsigned tags = 0; tags <= 3; tags++) {
        for (unsigned snap = 0; snap < 2; snap++) {
            arp(maker_other, tags, snap);
            g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
            arp(maker_guest, tags, snap);
            g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
        }
    }
    arp(maker_guest, 4, false); /* deeper than we look */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
}

static void nd(uint8_t type, uint32_t fixed, uint8_t option, const uint8_t *mac)
{
    ip6(IP_ICMP6);
    make_nd(&maker, type, fixed, option, mac);
}

static void test_mac_nd(void)
{
    static const struct {
        uint8_t type, fixed, option;
    } messages[] = {{133, 8, SOURCE},  {134, 16, SOURCE}, {135, 24, SOURCE},
                    {136, 24, TARGET}, {137, 40, TARGET}, {136, 24, SOURCE}};
    struct port_policy policy = mac_guard();

    for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
        nd(messages[i].type, messages[i].fixed, messages[i].option, maker_guest);
        g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
        nd(messages[i].type, messages[i].fixed, messages[i].option, maker_other);
        g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
        nd(messages[i].type, messages[i].fixed, 0, NULL); /* as DAD asks */
        g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
        maker.length--;
        g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    }
}

static void option(uint8_t type, uint8_t units, const uint8_t *mac)
{
    const uint8_t head[2] = {type, units};

    make_bytes(&maker, head, sizeof(head));
    make_bytes(&maker, mac, 6);
    make_zero(&maker, units ? units * 8u - 8 : 0);
}

static void test_mac_nd_options(void)
{
    struct port_policy policy = mac_guard();

    nd(135, NS_BYTES, SOURCE, maker_guest);
    option(14, 1, maker_other); /* a nonce */
    g_assert_cmpint(judge(&policy), ==, POLICY_PASS);
    option(SOURCE, 1, maker_other); /* a second one, and another */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    nd(135, NS_BYTES, 14, maker_guest);
    option(SOURCE, 0, maker_guest); /* of no length */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    nd(135, NS_BYTES, SOURCE, maker_guest);
    maker.bytes[maker.length - 7] = 2; /* longer than the packet */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    nd(135, NS_BYTES, 0, NULL);
    option(14, 20, maker_guest); /* longer than we look */
    option(SOURCE, 1, maker_other);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
}

static void test_mac_nd_fragment(void)
{
    struct port_policy policy = mac_guard();

    ip6(IP6_FRAGMENT);
    make_fragment(&maker, IP_ICMP6, 1);
    make_nd(&maker, 136, NS_BYTES, 0, NULL); /* the option comes later */
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
    ip6(IP6_FRAGMENT);
    make_fragment(&maker, IP_ICMP6, 0);
    make_nd(&maker, 136, NS_BYTES, TARGET, maker_guest);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
}

static void test_mac_nd_extensions(void)
{
    struct port_policy policy = mac_guard();

    ip6(IP6_DESTINATION);
    make_extension(&maker, IP6_HOPS, 2);
    make_extension(&maker, IP_ICMP6, 0);
    make_nd(&maker, 136, NS_BYTES, TARGET, maker_other);
    g_assert_cmpint(judge(&policy), ==, DROP_MAC_GUARD);
}

/* --- DHCP guard ------------------------------------------------------------------------------- */

static void test_dhcp(void)
{
    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&no_policy), ==, POLICY_PASS);
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 1067, 68); /* clients do not look at the server's port */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 67, 67); /* to a relay */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 68, 67); /* a client */
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
    ip4(IP_TCP, 0, 0);
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
}

static void test_dhcp6(void)
{
    ip6(IP_UDP);
    make_udp(&maker, 547, 546);
    g_assert_cmpint(judge(&no_policy), ==, POLICY_PASS);
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip6(IP_UDP);
    make_udp(&maker, 7000, 546);
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip6(IP_UDP);
    make_udp(&maker, 546, 547);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
    ip6(IP_UDP);
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
}

static void test_dhcp_options(void)
{
    for (uint8_t options = 4; options <= 40; options += 4) {
        ip4(IP_UDP, 0, options);
        make_udp(&maker, 67, 68);
        g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
        ip4(IP_UDP, 0, options);
        make_udp(&maker, 68, 67);
        g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
    }
}

static void test_dhcp_fragment(void)
{
    ip4(IP_UDP, IP4_MORE, 0);
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip4(IP_UDP, IP4_MORE, 0);
    make_zero(&maker, 7); /* of a header of 8 */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    ip4(IP_UDP, IP4_MORE, 0);
    make_udp(&maker, 4000, 4001);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
    ip4(IP_UDP, 1, 0); /* a later one: without its first it is nothing */
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
}

static void test_dhcp_hidden(void)
{
    make(&maker, maker_all, maker_guest);
    make_tag(&maker, ETHERTYPE_VLAN, 20);
    make_tag(&maker, ETHERTYPE_VLAN, 0);
    make_tag(&maker, ETHERTYPE_SERVICE, 0);
    make_snap(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_UDP, 0, 0);
    make_udp(&maker, 67, 68);
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    wire_put16(maker.bytes + 24, 0); /* 802.3's length is of no consequence */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    make(&maker, maker_all, maker_guest);
    make_snap(&maker, 100); /* SNAP in SNAP */
    maker.length -= 2;
    make_snap(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_UDP, 0, 0);
    make_udp(&maker, 68, 67); /* harmless, and more than we look through */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
}

static void test_dhcp_short(void)
{
    for (unsigned length = 14; length < 14 + 20 + 8; length++) {
        ip4(IP_UDP, 0, 0);
        make_udp(&maker, 68, 67);
        maker.length = length;
        g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    }
    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 68, 67);
    maker.lying = true;
    wire_put16(maker.bytes + 16, 29); /* more than there is */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    wire_put16(maker.bytes + 16, 27); /* ends within the UDP header */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    wire_put16(maker.bytes + 16, 28);
    make_zero(&maker, 18); /* padding */
    g_assert_cmpint(judge(&dhcp_guard), ==, POLICY_PASS);
    maker.bytes[14] = 0x44; /* a header shorter than the least */
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
    maker.bytes[14] = 0x55;
    g_assert_cmpint(judge(&dhcp_guard), ==, DROP_DHCP_GUARD);
}

/* --- Router guard ----------------------------------------------------------------------------- */

static void test_router(void)
{
    nd(134, 16, SOURCE, maker_guest);
    g_assert_cmpint(judge(&no_policy), ==, POLICY_PASS);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    nd(137, 40, TARGET, maker_guest);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    nd(133, RS_BYTES, SOURCE, maker_guest);
    g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
    nd(135, NS_BYTES, SOURCE, maker_guest);
    g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
}

static void test_router_ip4(void)
{
    static const uint8_t redirect[8] = {5}, advert[8] = {9}, echo[8] = {8};

    ip4(IP_ICMP, 0, 4);
    make_bytes(&maker, redirect, 8);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip4(IP_ICMP, IP4_MORE, 0);
    make_bytes(&maker, advert, 8);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip4(IP_ICMP, 0, 0);
    make_bytes(&maker, echo, 8);
    g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
}

static void test_router_extensions(void)
{
    static const uint8_t kinds[] = {IP6_HOPS,     IP6_ROUTING, IP6_DESTINATION,
                                    IP6_MOBILITY, IP6_HIP,     IP6_SHIM6};

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (uint8_t units = 0; units < 4; units++) {
            ip6(kinds[i]);
            make_extension(&maker, kinds[i], units);
            make_extension(&maker, IP_ICMP6, units);
            make_nd(&maker, 134, 16, 0, NULL);
            g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
            maker.bytes[maker.length - 16] = 128; /* an echo, as deep */
            g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
        }
    }
    ip6(IP6_AUTH);
    make_extension(&maker, IP_ICMP6, 1); /* its length is in words: 12 bytes */
    maker.length -= 4;
    make_nd(&maker, 134, 16, 0, NULL);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
}

static void test_router_chain(void)
{
    for (unsigned headers = 0; headers <= 12; headers++) {
        ip6(headers ? IP6_DESTINATION : IP_ICMP6);
        for (unsigned i = 0; i < headers; i++)
            make_extension(&maker, i + 1 < headers ? IP6_DESTINATION : IP_ICMP6, 0);
        make_nd(&maker, 128, 8, 0, NULL);
        g_assert_cmpint(judge(&router_guard), ==,
                        headers <= INSPECT_HEADERS ? POLICY_PASS : (int)DROP_ROUTER_GUARD);
    }
    ip6(IP6_DESTINATION);
    make_extension(&maker, IP_ICMP6, 30); /* longer than we look */
    make_nd(&maker, 128, 8, 0, NULL);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip6(IP6_DESTINATION);
    make_extension(&maker, IP_ICMP6, 255); /* longer than the packet */
    maker.length = 14 + 40 + 8;
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip6(IP6_DESTINATION);
    make_extension(&maker, IP_TCP, 1); /* longer than the packet, not than the frame */
    make_zero(&maker, 20);
    maker.lying = true;
    wire_put16(maker.bytes + 18, 8);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
}

static void test_router_fragment(void)
{
    ip6(IP6_FRAGMENT);
    make_fragment(&maker, IP_ICMP6, 1);
    make_nd(&maker, 134, 16, 0, NULL);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip6(IP6_FRAGMENT); /* the upper layer is in the second */
    make_fragment(&maker, IP6_DESTINATION, 1);
    make_extension(&maker, IP_ICMP6, 0);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip6(IP6_FRAGMENT); /* a fragment in a fragment */
    make_fragment(&maker, IP6_FRAGMENT, 0);
    make_fragment(&maker, IP_ICMP6, 8);
    make_zero(&maker, 8);
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    ip6(IP6_FRAGMENT); /* a later one */
    make_fragment(&maker, IP_ICMP6, 8 | 1);
    make_nd(&maker, 134, 16, 0, NULL);
    g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
    ip6(IP6_FRAGMENT);
    make_fragment(&maker, IP_UDP, 1);
    make_udp(&maker, 5000, 5001);
    g_assert_cmpint(judge(&router_guard), ==, POLICY_PASS);
}

static void test_router_short(void)
{
    for (unsigned length = 14; length < 14 + 40 + 8; length++) {
        ip6(IP_ICMP6);
        make_nd(&maker, 128, 8, 0, NULL);
        maker.lying = true;
        wire_put16(maker.bytes + 18, 8);
        maker.length = length;
        g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
    }
    ip6(IP_ICMP6);
    make_nd(&maker, 134, 16, 0, NULL);
    maker.lying = true; /* payload length 0: a jumbo packet or nothing */
    g_assert_cmpint(judge(&router_guard), ==, DROP_ROUTER_GUARD);
}

/* A segment to be cut has no length yet: an honest one passes. */
static void test_gso(void)
{
    struct frame_info info;
    struct frame *frame;

    ip4(IP_TCP, 0, 0);
    make_zero(&maker, 3000);
    maker.lying = true;
    frame = make_frame(&maker, 0);
    frame->meta.gso = FRAME_GSO_TCPV4;
    g_assert_true(inspect_frame(frame, &info));
    g_assert_cmpint(policy_ingress(&dhcp_guard, frame, &info), ==, POLICY_PASS);
    frame->meta.gso = FRAME_GSO_NONE;
    g_assert_true(inspect_frame(frame, &info));
    g_assert_cmpint(policy_ingress(&dhcp_guard, frame, &info), ==, DROP_DHCP_GUARD);
}

/* A lying GSO type changes nothing for a guard. */
static void test_gso_is_no_way_round(void)
{
    struct frame_info info;
    struct frame *frame;

    ip4(IP_UDP, 0, 0);
    make_udp(&maker, 67, 68);
    make_zero(&maker, 300);
    maker.lying = true;
    wire_put16(maker.bytes + 16, 0);
    frame = make_frame(&maker, 0);
    frame->meta.gso = FRAME_GSO_TCPV4;
    g_assert_true(inspect_frame(frame, &info));
    g_assert_cmpint(policy_ingress(&dhcp_guard, frame, &info), ==, DROP_DHCP_GUARD);
}

/* What was judged is what is forwarded, whatever the peer writes meanwhile. */
static void test_bytes_change(void)
{
    struct port_policy policy = mac_guard();
    struct frame_info info;
    uint8_t sent[42];

    arp(maker_guest, 0, false);
    struct frame *frame = make_frame(&maker, 0);
    g_assert_true(inspect_frame(frame, &info));
    memcpy(maker.piece[0] + 6, maker_other, 6);
    g_assert_cmpint(policy_ingress(&policy, frame, &info), ==, POLICY_PASS);
    memcpy(maker.piece[0] + 22, maker_other, 6);
    g_assert_true(inspect_settle(frame, &info, NULL));
    g_assert_true(frame_read(frame, 0, sent, sizeof(sent)));
    g_assert_cmpmem(sent, sizeof(sent), maker.bytes, sizeof(sent));
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"/guard/mac/source", test_mac_source},
    {"/guard/mac/arp", test_mac_arp},
    {"/guard/mac/arp-short", test_mac_arp_short},
    {"/guard/mac/arp-hidden", test_mac_arp_hidden},
    {"/guard/mac/nd", test_mac_nd},
    {"/guard/mac/nd-options", test_mac_nd_options},
    {"/guard/mac/nd-fragment", test_mac_nd_fragment},
    {"/guard/mac/nd-extensions", test_mac_nd_extensions},
    {"/guard/dhcp/answers", test_dhcp},
    {"/guard/dhcp/answers6", test_dhcp6},
    {"/guard/dhcp/options", test_dhcp_options},
    {"/guard/dhcp/fragment", test_dhcp_fragment},
    {"/guard/dhcp/hidden", test_dhcp_hidden},
    {"/guard/dhcp/short", test_dhcp_short},
    {"/guard/router/adverts", test_router},
    {"/guard/router/ip4", test_router_ip4},
    {"/guard/router/extensions", test_router_extensions},
    {"/guard/router/chain", test_router_chain},
    {"/guard/router/fragment", test_router_fragment},
    {"/guard/router/short", test_router_short},
    {"/guard/gso", test_gso},
    {"/guard/gso-is-no-way-round", test_gso_is_no_way_round},
    {"/guard/bytes-change", test_bytes_change},
};

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].name, tests[i].run);
    int result = g_test_run();
    make_free(&maker);
    return result;
}
