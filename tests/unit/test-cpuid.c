/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: APIC ids and the leaves that show them. What KVM adds is seen by the guests of the lab.
 */
#include <glib.h>
#include <stdint.h>

#include "src/kvm/cpuid.h"

static void test_apic_id(void)
{
    static const struct {
        struct cpuid_topology topology;
        unsigned vp;
        uint32_t id;
    } rows[] = {
        {{1, 1, 1}, 0, 0}, {{4, 1, 1}, 3, 3},   {{1, 4, 2}, 7, 7},
        {{2, 3, 1}, 3, 4}, /* three cores take two bits: the second socket begins at 4 */
        {{2, 3, 2}, 6, 8}, {{2, 3, 2}, 11, 13}, {{1, 1, 64}, 63, 63},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(cpuid_apic_id(&rows[i].topology, rows[i].vp), ==, rows[i].id);
}

static void test_apic_ids_differ(void)
{
    struct cpuid_topology topology = {3, 5, 3};
    uint64_t seen[4] = {0};
    for (unsigned vp = 0; vp < 45; vp++) {
        uint32_t id = cpuid_apic_id(&topology, vp);
        g_assert_cmpuint(id, <, 256);
        g_assert_false(seen[id / 64] >> id % 64 & 1);
        seen[id / 64] |= 1ull << id % 64;
    }
}

static void test_leaves_of_a_vp(void)
{
    struct cpuid_topology topology = {1, 4, 2};
    static struct cpuid_table table = {
        .head.nent = 4,
        .entry = {{.function = 1, .ebx = 0x12345678},
                  {.function = 0xb, .index = 0},
                  {.function = 0xb, .index = 1},
                  {.function = 0x8000001e}},
    };
    cpuid_for_vp(&table, &topology, 5);
    g_assert_cmphex(table.entry[0].ebx, ==, 0x05345678);
    g_assert_cmpuint(table.entry[1].eax, ==, 1);
    g_assert_cmpuint(table.entry[1].ebx, ==, 2);
    g_assert_cmpuint(table.entry[1].edx, ==, 5);
    g_assert_cmpuint(table.entry[2].eax, ==, 3);
    g_assert_cmpuint(table.entry[2].ebx, ==, 8);
    g_assert_cmpuint(table.entry[2].ecx, ==, 0x201);
    g_assert_cmpuint(table.entry[3].eax, ==, 5);
    g_assert_cmphex(table.entry[3].ebx, ==, 0x102);
    cpuid_for_vp(&table, &topology, 0);
    g_assert_cmphex(table.entry[0].ebx, ==, 0x00345678);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid/apic-id", test_apic_id);
    g_test_add_func("/cpuid/apic-ids-differ", test_apic_ids_differ);
    g_test_add_func("/cpuid/leaves-of-a-vp", test_leaves_of_a_vp);
    return g_test_run();
}
