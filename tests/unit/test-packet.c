/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Range lists of GPA-direct packets: good ones, and one test per attack.
 */
#include <errno.h>
#include <glib.h>

#include "tests/unit/ring_guest.h"
#include "vmbus/ring.h"

static void test_ranges(void)
{
    uint64_t list[] = {3ull << 32, 1 | 4095ull << 32, 11, 2 | 4095ull << 32, 21, 22, 4096, 31};
    struct vmbus_packet packet = {.type = VMBUS_PACKET_GPA_DIRECT,
                                  .range_count = 3,
                                  .ranges = (uint8_t *)(list + 1),
                                  .ranges_len = sizeof(list) - 8};
    static const uint32_t expect[][3] = {{1, 4095, 1}, {2, 4095, 2}, {4096, 0, 1}};
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    uint32_t cursor = 0;

    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(vmbus_packet_range(&packet, &cursor, &range, pfn), ==, 1);
        g_assert_cmpuint(range.length, ==, expect[i][0]);
        g_assert_cmpuint(range.offset, ==, expect[i][1]);
        g_assert_cmpuint(range.pages, ==, expect[i][2]);
        g_assert_true(range.pfn == pfn);
        g_assert_cmpuint(pfn[0], ==, 11 + 10 * i);
        if (i == 1)
            g_assert_cmpuint(pfn[1], ==, 22);
    }
    g_assert_cmpint(vmbus_packet_range(&packet, &cursor, &range, pfn), ==, 0);
    g_assert_cmpint(vmbus_packet_range(&packet, &cursor, &range, pfn), ==, 0);
}

/* Outcome of walking `count` ranges in `words`; *ret_range is the first. */
static int walk(const uint64_t *words, uint32_t len, uint32_t count, struct gpa_range *ret_range)
{
    static uint64_t pfn[LIMIT_RANGE_PAGES];
    struct vmbus_packet packet = {
        .type = VMBUS_PACKET_GPA_DIRECT, .range_count = count, .ranges_len = len};
    uint8_t *exact = g_memdup2(words, len); /* the sanitizer watches its end */
    struct gpa_range range;
    uint32_t cursor = 0, walked = 0;
    int got;

    packet.ranges = exact;
    while ((got = vmbus_packet_range(&packet, &cursor, &range, pfn)) == 1)
        if (walked++ == 0 && ret_range)
            *ret_range = range;
    g_free(exact);
    return got ? got : (int)walked;
}

static uint64_t range_head(uint32_t bytes, uint32_t offset)
{
    return bytes | (uint64_t)offset << 32;
}

static void test_fields(void)
{
    static const struct {
        uint32_t bytes, offset;
    } row[] = {
        {0, 0},
        {0, 4095},
        {1, 4096},
        {1, 0x80000000},
        {1, UINT32_MAX},
        {8193, 0},
        {8192, 1},
        {UINT32_MAX, 0},
        {UINT32_MAX, 4095},
        {1u << 31, 0},
        {UINT32_MAX - 4094, 4095},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(row); i++) {
        uint64_t words[] = {range_head(row[i].bytes, row[i].offset), 1, 2};
        g_assert_cmpint(walk(words, sizeof(words), 1, NULL), ==, -EPROTO);
    }
}

static void test_list_short(void)
{
    uint64_t words[] = {range_head(4097, 0), 1, 2, range_head(1, 0), 3};

    g_assert_cmpint(walk(words, 40, 2, NULL), ==, 2);
    g_assert_cmpint(walk(words, 32, 2, NULL), ==, -EPROTO); /* ends before the PFN */
    g_assert_cmpint(walk(words, 24, 2, NULL), ==, -EPROTO); /* ends before the second */
    g_assert_cmpint(walk(words, 40, 3, NULL), ==, -EPROTO);
    g_assert_cmpint(walk(words, 40, 1, NULL), ==, 1); /* slack behind is not ours */
    g_assert_cmpint(walk(words, 0, 1, NULL), ==, -EPROTO);
}

/* Each range is possible, all together are too much. */
static void test_page_limit(void)
{
    static uint64_t words[2 + LIMIT_RANGE_PAGES + 1];

    words[0] = range_head(LIMIT_RANGE_PAGES * GMEM_PAGE, 0);
    words[1 + LIMIT_RANGE_PAGES] = range_head(1, 0);
    g_assert_cmpint(walk(words, sizeof(words), 1, NULL), ==, 1);
    g_assert_cmpint(walk(words, sizeof(words), 2, NULL), ==, -EPROTO);
    words[0]++;
    g_assert_cmpint(walk(words, sizeof(words), 1, NULL), ==, -EPROTO);
}

/* PFNs go through the walk as they are; the lease refuses those that are not RAM. */
static void test_pfns(void)
{
    static const uint64_t bad[] = {GMEM_PCI_BASE >> 12, GMEM_VMBUS_BASE >> 12,   0xfffc0,
                                   GMEM_LAPIC >> 12,    GMEM_VMBUS64_BASE >> 12, 1ull << 52,
                                   (1ull << 52) + 1,    UINT64_MAX >> 12,        UINT64_MAX};
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    struct iovec iov[2];

    for (size_t i = 0; i <= G_N_ELEMENTS(bad); i++) {
        uint64_t pfn = i < G_N_ELEMENTS(bad) ? bad[i] : guest->ram_pages;
        uint64_t words[] = {range_head(8192, 0), 1, pfn};
        struct gpa_range range;
        g_assert_cmpint(walk(words, sizeof(words), 1, &range), ==, 1);
        g_assert_cmpuint(range.pfn[1], ==, pfn);
        g_assert_cmpint(gmem_lease(&guest->gmem, &range, iov, 2), ==, -EFAULT);
    }
    rg_free(guest);
}

/* A lease of the ring's own pages, taken twice, written through while the ring is in use. */
static void test_is_the_ring(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    uint64_t words[] = {range_head(8192, 0), guest->pfn[0], guest->pfn[1],
                        range_head(8192, 0), guest->pfn[0], guest->pfn[1]};
    struct vmbus_packet packet;
    struct gpa_range range;
    struct iovec iov[2];
    struct ring ring;

    rg_open_reader(guest, &ring);
    g_assert_cmpint(walk(words, sizeof(words), 2, &range), ==, 2);
    int count = gmem_lease(&guest->gmem, &range, iov, 2);
    g_assert_cmpint(count, ==, 1);
    g_assert_cmpuint(gmem_iov_fill(iov, (unsigned)count, 0, 0xff, 8192), ==, 8192);
    g_assert_cmpint(ring_read(&ring, &packet), ==, -EPROTO);
    gmem_iov_fill(iov, (unsigned)count, 0, 0x08, 8192); /* index 0x08080808 */
    g_assert_cmpint(ring_read(&ring, &packet), ==, -EPROTO);
    ring_close(&ring);
    rg_free(guest);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/ranges", test_ranges);
    g_test_add_func("/packet/attack/fields", test_fields);
    g_test_add_func("/packet/attack/list-short", test_list_short);
    g_test_add_func("/packet/attack/page-limit", test_page_limit);
    g_test_add_func("/packet/attack/pfns", test_pfns);
    g_test_add_func("/packet/attack/is-the-ring", test_is_the_ring);
    return g_test_run();
}
