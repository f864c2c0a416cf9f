/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of port policies: settings, VLANs, isolation, each way round them that we know of. The
 * guards are in test-guard.c.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/packet_maker.h"
#include "vswitch/policy.h"
#include "vswitch/wire.h"

static struct maker maker;

static int judge(const struct port_policy *policy)
{
    struct frame_info info;

    return make_verdict(&maker, policy, -1, &info);
}

static void allow(struct port_policy *policy, unsigned vid)
{
    policy->trunk[vid / 64] |= 1ull << vid % 64;
}

static struct port_policy mac_guard(void)
{
    struct port_policy policy = {.mac_guard = true};

    memcpy(policy.mac, maker_guest, 6);
    return policy;
}

static const struct port_policy no_policy = {0}, all_vlans = {.vlan_mode = VLAN_ALL};

/* --- Settings --------------------------------------------------------------------------------- */

static void test_check(void)
{
    struct port_policy policy = {0};

    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    policy = (struct port_policy){.vlan_mode = VLAN_ACCESS, .vlan = 4094};
    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    policy.vlan = 4095;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy.vlan = 5000;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy.vlan = 0;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.vlan_mode = VLAN_NONE, .vlan = 1};
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.vlan_mode = VLAN_ALL, .vlan = 1};
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.vlan_mode = (enum vlan_mode)(VLAN_ALL + 1)};
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
}

static void test_check_trunk(void)
{
    struct port_policy policy = {.vlan_mode = VLAN_TRUNK};

    allow(&policy, 1);
    allow(&policy, 4094);
    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    policy.vlan = 4095;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy.vlan = 10;
    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    allow(&policy, 4095);
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.vlan_mode = VLAN_TRUNK};
    allow(&policy, 0);
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
}

static void test_check_numbers(void)
{
    struct port_policy policy = mac_guard();

    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    policy.mac[0] |= 1;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    memset(policy.mac, 0, 6);
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.rate_in = 8000, .rate_out = UINT64_MAX};
    g_assert_cmpint(port_policy_check(&policy), ==, 0);
    policy.rate_in = 7999;
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.rate_out = 1};
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
    policy = (struct port_policy){.fdb_max = LIMIT_FDB + 1};
    g_assert_cmpint(port_policy_check(&policy), ==, -EINVAL);
}

static void test_names(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < DROPS; i++) {
        const char *name = port_drop_name((enum port_drop)i);

        g_assert_nonnull(name);
        g_assert_true(g_hash_table_add(seen, (void *)(uintptr_t)name));
    }
    g_assert_cmpstr(port_drop_name(DROPS), ==, "unknown");
}

/* --- VLANs ------------------------------------------------------------------------------------ */

static void plain(void)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
}

static void in_band(uint16_t tci)
{
    make(&maker, maker_other, maker_guest);
    make_tag(&maker, ETHERTYPE_VLAN, tci);
    make_type(&maker, 0x88b5);
    make_zero(&maker, 46);
}

static void expect_vlan(const struct port_policy *policy, int vid, unsigned vlan)
{
    struct frame_info info;

    g_assert_cmpint(make_verdict(&maker, policy, vid, &info), ==, POLICY_PASS);
    g_assert_cmpuint(info.vlan, ==, vlan);
}

static void expect_drop(const struct port_policy *policy, int vid, int drop)
{
    struct frame_info info;

    g_assert_cmpint(make_verdict(&maker, policy, vid, &info), ==, drop);
}

/* A port that is told of no VLAN is in none. */
static void test_vlan_none(void)
{
    plain();
    expect_vlan(&no_policy, -1, 0);
    expect_vlan(&no_policy, 0x6000, 0); /* priority only */
    expect_drop(&no_policy, 0x6014, DROP_VLAN);
    expect_drop(&no_policy, 0x0fff, DROP_VLAN);
    in_band(20);
    expect_drop(&no_policy, -1, DROP_VLAN);
    in_band(0);
    expect_vlan(&no_policy, -1, 0);
}

static void test_vlan_all(void)
{
    plain();
    expect_vlan(&all_vlans, -1, 0);
    expect_vlan(&all_vlans, 0x6000, 0);
    expect_vlan(&all_vlans, 0x6014, 20);
    expect_drop(&all_vlans, 0x0fff, DROP_VLAN);
    in_band(20);
    expect_vlan(&all_vlans, -1, 20);
    in_band(4095);
    expect_drop(&all_vlans, -1, DROP_VLAN);
}

static void test_vlan_access(void)
{
    const struct port_policy policy = {.vlan_mode = VLAN_ACCESS, .vlan = 10};

    plain();
    expect_vlan(&policy, -1, 10);
    expect_vlan(&policy, 0xe000, 10);
    expect_drop(&policy, 10, DROP_VLAN);
    expect_drop(&policy, 20, DROP_VLAN);
    in_band(20);
    expect_drop(&policy, -1, DROP_VLAN);
    in_band(0);
    expect_vlan(&policy, -1, 10);
}

static void test_vlan_trunk(void)
{
    struct port_policy policy = {.vlan_mode = VLAN_TRUNK};

    allow(&policy, 20);
    allow(&policy, 4094);
    plain();
    expect_vlan(&policy, -1, 0);
    expect_vlan(&policy, 20, 20);
    expect_vlan(&policy, 0xf000 | 4094, 4094);
    expect_drop(&policy, 21, DROP_VLAN);
    in_band(20);
    expect_vlan(&policy, -1, 20);
    in_band(84); /* the same bit of another word */
    expect_drop(&policy, -1, DROP_VLAN);
}

static void test_vlan_native(void)
{
    struct port_policy policy = {.vlan_mode = VLAN_TRUNK, .vlan = 5};

    allow(&policy, 20);
    plain();
    expect_vlan(&policy, -1, 5);
    expect_vlan(&policy, 5, 5);
    expect_vlan(&policy, 20, 20);
    expect_drop(&policy, 6, DROP_VLAN);
}

static int egress(const struct port_policy *policy, uint16_t vlan, uint16_t flags)
{
    const struct frame_info info = {.vlan = vlan, .flags = flags};

    return policy_egress(policy, &info, false);
}

static void test_vlan_egress(void)
{
    const struct port_policy access = {.vlan_mode = VLAN_ACCESS, .vlan = 10};
    struct port_policy trunk = {.vlan_mode = VLAN_TRUNK, .vlan = 5};

    allow(&trunk, 20);
    g_assert_cmpint(egress(&no_policy, 0, 0), ==, POLICY_PASS);
    g_assert_cmpint(egress(&no_policy, 0, INFO_INNER), ==, DROP_VLAN);
    g_assert_cmpint(egress(&no_policy, 20, 0), ==, DROP_VLAN);
    g_assert_cmpint(egress(&all_vlans, 0, 0), ==, POLICY_PASS);
    g_assert_cmpint(egress(&all_vlans, 0, INFO_INNER), ==, POLICY_PASS);
    g_assert_cmpint(egress(&all_vlans, 20, INFO_INNER), ==, POLICY_PASS);
    g_assert_cmpint(egress(&access, 0, 0), ==, DROP_VLAN);
    g_assert_cmpint(egress(&access, 10, 0), ==, POLICY_STRIP);
    g_assert_cmpint(egress(&access, 20, 0), ==, DROP_VLAN);
    g_assert_cmpint(egress(&trunk, 0, 0), ==, DROP_VLAN);
    g_assert_cmpint(egress(&trunk, 5, 0), ==, POLICY_STRIP);
    g_assert_cmpint(egress(&trunk, 20, INFO_INNER), ==, POLICY_PASS);
    g_assert_cmpint(egress(&trunk, 21, 0), ==, DROP_VLAN);
    trunk.vlan = 0;
    g_assert_cmpint(egress(&trunk, 0, 0), ==, POLICY_PASS);
}

/* Group 7: double tags. The inner tag must not come to the surface, in nor out. */
static void test_double_tag(void)
{
    const struct port_policy access = {.vlan_mode = VLAN_ACCESS, .vlan = 10};
    struct port_policy trunk = {.vlan_mode = VLAN_TRUNK, .vlan = 5};
    struct frame_info info;

    allow(&trunk, 20);
    in_band(30);
    expect_drop(&no_policy, 0, DROP_VLAN); /* beneath a tag of no VLAN */
    expect_drop(&all_vlans, 0, DROP_VLAN);
    expect_drop(&access, 0xe000, DROP_VLAN);
    expect_drop(&trunk, 0, DROP_VLAN);
    g_assert_cmpint(make_verdict(&maker, &trunk, 5, &info), ==, POLICY_PASS);
    g_assert_cmpuint(info.flags & INFO_INNER, ==, INFO_INNER);
    g_assert_cmpint(policy_egress(&trunk, &info, false), ==, DROP_VLAN);
    expect_vlan(&trunk, 20, 20); /* the guest's own affair */

    make(&maker, maker_other, maker_guest);
    make_tag(&maker, ETHERTYPE_VLAN, 5);
    make_tag(&maker, ETHERTYPE_VLAN, 30);
    make_type(&maker, 0x88b5);
    g_assert_cmpint(make_verdict(&maker, &trunk, -1, &info), ==, POLICY_PASS);
    g_assert_cmpint(policy_egress(&trunk, &info, false), ==, DROP_VLAN);
}

static void test_service_tag(void)
{
    static const uint16_t types[] = {ETHERTYPE_SERVICE, ETHERTYPE_QINQ};
    const struct port_policy access = {.vlan_mode = VLAN_ACCESS, .vlan = 10};
    const struct port_policy trunk = {.vlan_mode = VLAN_TRUNK};

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        make(&maker, maker_other, maker_guest);
        make_tag(&maker, types[i], 20);
        make_type(&maker, 0x88b5);
        expect_drop(&access, -1, DROP_VLAN);
        expect_drop(&trunk, -1, DROP_VLAN);
        expect_drop(&no_policy, -1, DROP_VLAN);
        expect_vlan(&all_vlans, -1, 0);
    }
}

static void test_isolated(void)
{
    const struct port_policy isolated = {.isolated = true};
    const struct frame_info info = {0};

    g_assert_cmpint(policy_egress(&isolated, &info, true), ==, DROP_ISOLATED);
    g_assert_cmpint(policy_egress(&isolated, &info, false), ==, POLICY_PASS);
    g_assert_cmpint(policy_egress(&no_policy, &info, true), ==, POLICY_PASS);
}

/* --- Ethernet --------------------------------------------------------------------------------- */

static void test_reserved(void)
{
    uint8_t to[6] = {0x01, 0x80, 0xc2};

    make(&maker, to, maker_guest);
    make_type(&maker, 0x88b5);
    g_assert_cmpint(judge(&no_policy), ==, DROP_RESERVED);
    to[5] = 0x0f;
    make(&maker, to, maker_guest);
    make_type(&maker, 0x88b5);
    g_assert_cmpint(judge(&no_policy), ==, DROP_RESERVED);
    to[5] = 0x10;
    make(&maker, to, maker_guest);
    make_type(&maker, 0x88b5);
    g_assert_cmpint(judge(&no_policy), ==, POLICY_PASS);
}

/* Group 7: frames < 14, and tags cut short. */
static void test_short(void)
{
    in_band(20);
    maker.length = 13;
    g_assert_cmpint(judge(&all_vlans), ==, DROP_MALFORMED);
    maker.length = 17;
    g_assert_cmpint(judge(&all_vlans), ==, DROP_MALFORMED);
    maker.length = 18;
    g_assert_cmpint(judge(&all_vlans), ==, POLICY_PASS);
    make(&maker, maker_other, maker_all);
    make_type(&maker, 0x88b5);
    g_assert_cmpint(judge(&no_policy), ==, DROP_MALFORMED); /* from a group */
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"/policy/check", test_check},
    {"/policy/check-trunk", test_check_trunk},
    {"/policy/check-numbers", test_check_numbers},
    {"/policy/names", test_names},
    {"/policy/vlan/none", test_vlan_none},
    {"/policy/vlan/all", test_vlan_all},
    {"/policy/vlan/access", test_vlan_access},
    {"/policy/vlan/trunk", test_vlan_trunk},
    {"/policy/vlan/native", test_vlan_native},
    {"/policy/vlan/egress", test_vlan_egress},
    {"/policy/vlan/double-tag", test_double_tag},
    {"/policy/vlan/service-tag", test_service_tag},
    {"/policy/isolated", test_isolated},
    {"/policy/reserved", test_reserved},
    {"/policy/short", test_short},
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
