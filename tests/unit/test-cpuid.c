/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: APIC ids and the leaves that show them. What KVM adds is seen by the guests of the lab.
 */
#include <glib.h>
#include <stdint.h>

#include "src/common/limits.h"
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

/* Core ids count inside the socket, which leaf 0x8000001E names in ECX. */
static void test_core_id_of_second_socket(void)
{
    struct cpuid_topology topology = {2, 3, 2};
    static struct cpuid_table table = {.head.nent = 1, .entry = {{.function = 0x8000001e}}};
    cpuid_for_vp(&table, &topology, 9);
    g_assert_cmpuint(table.entry[0].eax, ==, 11);
    g_assert_cmphex(table.entry[0].ebx, ==, 0x101);
    g_assert_cmpuint(table.entry[0].ecx, ==, 1);
}

/* Caches are shared as the guest's topology says, not as the host's: L2 by 2 ids, L3 by 8. */
static void test_caches(void)
{
    struct cpuid_topology topology = {1, 3, 2};
    static struct cpuid_table table = {
        .head.nent = 5,
        .entry = {{.function = 4, .index = 0, .eax = 0xfc1fc000 | 2 << 5 | 1},
                  {.function = 4, .index = 1, .eax = 0xfc1fc000 | 3 << 5 | 3},
                  {.function = 4, .index = 2, .eax = 0},
                  {.function = 0x8000001d, .index = 0, .eax = 0x3ffc000 | 1 << 8 | 2 << 5 | 3},
                  {.function = 0x8000001d, .index = 1, .eax = 0x3ffc000 | 1 << 8 | 3 << 5 | 3}},
    };
    cpuid_apply_topology(&table, &topology);
    g_assert_cmphex(table.entry[0].eax, ==, 3u << 26 | 1u << 14 | 2 << 5 | 1);
    g_assert_cmphex(table.entry[1].eax, ==, 3u << 26 | 7u << 14 | 3 << 5 | 3);
    g_assert_cmphex(table.entry[2].eax, ==, 0);
    g_assert_cmphex(table.entry[3].eax, ==, 1u << 14 | 1 << 8 | 2 << 5 | 3);
    g_assert_cmphex(table.entry[4].eax, ==, 7u << 14 | 1 << 8 | 3 << 5 | 3);
}

/* No VP of an allowed topology needs x2APIC: ids stay below 255, the broadcast. */
static void test_apic_ids_fit(void)
{
    for (unsigned sockets = 1; sockets <= LIMIT_VCPUS; sockets++)
        for (unsigned cores = 1; sockets * cores <= LIMIT_VCPUS; cores++)
            for (unsigned threads = 1; sockets * cores * threads <= LIMIT_VCPUS; threads++) {
                struct cpuid_topology topology = {sockets, cores, threads};
                unsigned last = sockets * cores * threads - 1;
                g_assert_cmpuint(cpuid_apic_id(&topology, last), <, 255);
            }
}

/* Who the host says it is; what it can do stays. */
static void test_host_version(void)
{
    static const struct {
        bool host_2008_r2;
        uint32_t build, version;
    } rows[] = {{false, 0x3839, 0x000a0000}, {true, 7601, 0x00060001}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        static struct cpuid_table table;
        struct cpuid_hyperv hyperv = {.host_2008_r2 = rows[i].host_2008_r2, .vps = 1};
        table.head.nent = 0;
        g_assert_true(cpuid_apply_hyperv(&table, &hyperv));
        g_assert_cmpuint(table.head.nent, ==, 6);
        g_assert_cmphex(table.entry[2].function, ==, 0x40000002);
        g_assert_cmphex(table.entry[2].eax, ==, rows[i].build);
        g_assert_cmphex(table.entry[2].ebx, ==, rows[i].version);
        g_assert_cmphex(table.entry[3].edx & 1u << 19, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid/apic-id", test_apic_id);
    g_test_add_func("/cpuid/apic-ids-differ", test_apic_ids_differ);
    g_test_add_func("/cpuid/leaves-of-a-vp", test_leaves_of_a_vp);
    g_test_add_func("/cpuid/core-id-of-second-socket", test_core_id_of_second_socket);
    g_test_add_func("/cpuid/caches", test_caches);
    g_test_add_func("/cpuid/apic-ids-fit", test_apic_ids_fit);
    g_test_add_func("/cpuid/host-version", test_host_version);
    return g_test_run();
}
