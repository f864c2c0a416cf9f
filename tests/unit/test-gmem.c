/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the map, copies at every edge, leases, dirty pages, and each attack on a GPA range.
 *
 * The guest here has pages 16 to 19 and 20 to 23 in two slots that touch in guest space but not in
 * ours, and pages 64 to 65 in a third that follows the second in ours but not in guest space.
 */
#include "src/kvm/gmem.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "src/common/limits.h"

#define PAGE GMEM_PAGE

struct guest {
    struct gmem gmem;
    uint8_t *host; /* slot 0 at +0, a guard page, slot 1, slot 2 */
    unsigned long dirty[3];
};

#define HOST_PAGES 11

static void guest_setup(struct guest *guest, gconstpointer unused)
{
    (void)unused;
    memset(guest, 0, sizeof(*guest));
    guest->host = g_aligned_alloc(HOST_PAGES, PAGE, PAGE);
    memset(guest->host, 0xee, HOST_PAGES * PAGE);
    g_assert_cmpint(gmem_add(&guest->gmem, 16 * PAGE, 4 * PAGE, guest->host), ==, 0);
    g_assert_cmpint(gmem_add(&guest->gmem, 20 * PAGE, 4 * PAGE, guest->host + 5 * PAGE), ==, 0);
    g_assert_cmpint(gmem_add(&guest->gmem, 64 * PAGE, 2 * PAGE, guest->host + 9 * PAGE), ==, 0);
}

static void guest_track(struct guest *guest)
{
    for (unsigned i = 0; i < 3; i++)
        guest->gmem.dirty[i] = &guest->dirty[i];
}

static void guest_teardown(struct guest *guest, gconstpointer unused)
{
    (void)unused;
    /* Whatever a test did, nobody wrote between the slots. */
    for (unsigned i = 0; i < PAGE; i++)
        g_assert_cmphex(guest->host[4 * PAGE + i], ==, 0xee);
    gmem_free(&guest->gmem);
    g_aligned_free(guest->host);
}

/* Map. */

static void test_init_low(void)
{
    struct gmem gmem;
    uint8_t byte = 1;

    g_assert_cmpint(gmem_init(&gmem, 64 << 20), ==, 0);
    g_assert_cmpuint(gmem.slots, ==, 1);
    g_assert_cmpuint((uintptr_t)gmem.slot[0].host % (2 << 20), ==, 0);
    g_assert_true(gmem_read(&gmem, (64 << 20) - 1, &byte, 1));
    g_assert_cmpuint(byte, ==, 0);
    g_assert_false(gmem_read(&gmem, 64 << 20, &byte, 1));
    gmem_free(&gmem);
    g_assert_cmpuint(gmem.slots, ==, 0);
}

static void test_init_split(void)
{
    struct gmem gmem;
    uint64_t value = 0x1122334455667788;

    g_assert_cmpint(gmem_init(&gmem, 5ull << 30), ==, 0);
    g_assert_cmpuint(gmem.slots, ==, 2);
    g_assert_cmphex(gmem.slot[0].size, ==, GMEM_LOW_END);
    g_assert_cmphex(gmem.slot[1].gpa, ==, GMEM_HIGH_BASE);
    g_assert_cmphex(gmem.slot[1].size, ==, 2ull << 30);
    g_assert_true(gmem_write(&gmem, GMEM_HIGH_BASE, &value, 8));
    g_assert_false(gmem_write(&gmem, GMEM_LOW_END - 4, &value, 8));
    g_assert_null(gmem_page(&gmem, GMEM_LOW_END >> GMEM_PAGE_SHIFT));
    g_assert_null(gmem_page(&gmem, GMEM_LAPIC >> GMEM_PAGE_SHIFT));
    g_assert_nonnull(gmem_page(&gmem, (GMEM_HIGH_BASE + (2ull << 30) - 1) >> GMEM_PAGE_SHIFT));
    gmem_free(&gmem);
}

static void test_init_exactly_low(void)
{
    struct gmem gmem;

    g_assert_cmpint(gmem_init(&gmem, GMEM_LOW_END), ==, 0);
    g_assert_cmpuint(gmem.slots, ==, 1);
    gmem_free(&gmem);
}

static void test_init_bad(void)
{
    struct gmem gmem;

    g_assert_cmpint(gmem_init(&gmem, 0), ==, -EINVAL);
    g_assert_cmpint(gmem_init(&gmem, PAGE + 1), ==, -EINVAL);
    g_assert_cmpint(gmem_init(&gmem, LIMIT_MEMORY_MAX + PAGE), ==, -EINVAL);
    g_assert_cmpint(gmem_init(&gmem, UINT64_MAX - PAGE + 1), ==, -EINVAL);
}

/* The largest guest's RAM ends below the first window above it. */
static void test_init_largest(void)
{
    g_assert_cmphex(GMEM_HIGH_BASE + LIMIT_MEMORY_MAX - GMEM_LOW_END, <=, GMEM_PCI64_BASE);
    g_assert_cmphex(GMEM_PCI64_BASE + GMEM_PCI64_SIZE, ==, GMEM_VMBUS64_BASE);
    g_assert_cmphex(GMEM_PCI_BASE + GMEM_PCI_SIZE, ==, GMEM_VMBUS_BASE);
    g_assert_cmphex(GMEM_VMBUS_BASE + GMEM_VMBUS_SIZE, ==, GMEM_IOAPIC);
}

static void test_add_bad(void)
{
    struct gmem gmem = {0};
    static _Alignas(GMEM_PAGE) uint8_t host[GMEM_PAGE]; /* never looked into */

    g_assert_cmpint(gmem_add(&gmem, 8 * PAGE, 4 * PAGE, host), ==, 0);
    g_assert_cmpint(gmem_add(&gmem, 11 * PAGE, PAGE, host), ==, -EINVAL); /* overlap */
    g_assert_cmpint(gmem_add(&gmem, 0, PAGE, host), ==, -EINVAL);         /* disorder */
    g_assert_cmpint(gmem_add(&gmem, 16 * PAGE, 0, host), ==, -EINVAL);
    g_assert_cmpint(gmem_add(&gmem, 16 * PAGE, PAGE, host + 8), ==, -EINVAL);
    g_assert_cmpint(gmem_add(&gmem, 16 * PAGE + 1, PAGE, host), ==, -EINVAL);
    g_assert_cmpint(gmem_add(&gmem, 16 * PAGE, PAGE + 1, host), ==, -EINVAL);
    g_assert_cmpint(gmem_add(&gmem, UINT64_MAX - PAGE + 1, PAGE, host), ==, -EINVAL); /* wraps */
    for (unsigned i = 1; i < GMEM_SLOTS; i++)
        g_assert_cmpint(gmem_add(&gmem, (16 + i) * PAGE, PAGE, host), ==, 0);
    g_assert_cmpint(gmem_add(&gmem, 64 * PAGE, PAGE, host), ==, -EINVAL); /* no room */
}

/* Copies. */

static void test_copy(struct guest *guest, gconstpointer unused)
{
    uint8_t out[PAGE], in[PAGE];

    (void)unused;
    memset(out, 0x5a, sizeof(out));
    g_assert_true(gmem_write(&guest->gmem, 17 * PAGE + 100, out, sizeof(out)));
    g_assert_cmphex(guest->host[PAGE + 99], ==, 0xee);
    g_assert_cmphex(guest->host[PAGE + 100], ==, 0x5a);
    g_assert_cmphex(guest->host[2 * PAGE + 99], ==, 0x5a);
    g_assert_cmphex(guest->host[2 * PAGE + 100], ==, 0xee);
    g_assert_true(gmem_read(&guest->gmem, 17 * PAGE + 100, in, sizeof(in)));
    g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
    g_assert_true(gmem_fill(&guest->gmem, 17 * PAGE + 100, 0xee, sizeof(out)));
    g_assert_cmphex(guest->host[PAGE + 100], ==, 0xee);
}

static void test_copy_over_slots(struct guest *guest, gconstpointer unused)
{
    uint8_t in[8];

    (void)unused;
    g_assert_true(gmem_write(&guest->gmem, 20 * PAGE - 3, "ABCDEFGH", 8));
    g_assert_cmpmem(guest->host + 4 * PAGE - 3, 3, "ABC", 3);
    g_assert_cmpmem(guest->host + 5 * PAGE, 5, "DEFGH", 5);
    g_assert_true(gmem_read(&guest->gmem, 20 * PAGE - 3, in, 8));
    g_assert_cmpmem(in, 8, "ABCDEFGH", 8);
    g_assert_true(gmem_fill(&guest->gmem, 16 * PAGE, 1, 8 * PAGE));
}

/* All or nothing at each edge of RAM. */
static void test_copy_outside(struct guest *guest, gconstpointer unused)
{
    static const struct {
        uint64_t gpa;
        size_t len;
    } bad[] = {{0, 1},
               {16 * PAGE - 1, 1},
               {16 * PAGE - 1, 2},
               {24 * PAGE, 1},
               {24 * PAGE - 1, 2},
               {16 * PAGE, 8 * PAGE + 1},
               {63 * PAGE, 2 * PAGE},
               {66 * PAGE - 8, 16},
               {UINT64_MAX, 1},
               {UINT64_MAX - 7, 16},
               {16 * PAGE, SIZE_MAX},
               {16 * PAGE, SIZE_MAX - 16 * PAGE + 1}};
    uint8_t buffer[16] = {0};

    (void)unused;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(gmem_fill(&guest->gmem, bad[i].gpa, 0, bad[i].len));
        /* Only sizes that the buffer has, should the check ever fail. */
        size_t len = MIN(bad[i].len, sizeof(buffer));
        if (len < bad[i].len)
            continue;
        g_assert_false(gmem_read(&guest->gmem, bad[i].gpa, buffer, len));
        g_assert_false(gmem_write(&guest->gmem, bad[i].gpa, buffer, len));
    }
    for (unsigned i = 0; i < HOST_PAGES * PAGE; i++)
        g_assert_cmphex(guest->host[i], ==, 0xee);
}

static void test_page(struct guest *guest, gconstpointer unused)
{
    (void)unused;
    g_assert_true(gmem_page(&guest->gmem, 16) == guest->host);
    g_assert_true(gmem_page(&guest->gmem, 21) == guest->host + 6 * PAGE);
    g_assert_true(gmem_page(&guest->gmem, 65) == guest->host + 10 * PAGE);
    g_assert_null(gmem_page(&guest->gmem, 15));
    g_assert_null(gmem_page(&guest->gmem, 24));
    g_assert_null(gmem_page(&guest->gmem, 66));
    g_assert_null(gmem_page(&guest->gmem, UINT64_MAX));
    g_assert_null(gmem_page(&guest->gmem, (1ull << 52) + 16)); /* << 12 would wrap into RAM */
}

/* Leases. */

static int lease(struct guest *guest, uint32_t offset, uint32_t length, uint32_t pages,
                 const uint64_t *pfn, struct iovec *iov, unsigned max)
{
    /* On the heap at its exact size, so that a look past the list is seen. */
    g_autofree uint64_t *list = g_memdup2(pfn, pages * sizeof(*pfn));
    struct gpa_range range = {.length = length, .offset = offset, .pages = pages, .pfn = list};

    return gmem_lease(&guest->gmem, &range, iov, max);
}

#define PFNS(...)      ((const uint64_t[]){__VA_ARGS__})
#define PFN_COUNT(...) ((uint32_t)(sizeof(PFNS(__VA_ARGS__)) / 8))
#define LEASE(guest, offset, length, iov, max, ...) \
    lease(guest, offset, length, PFN_COUNT(__VA_ARGS__), PFNS(__VA_ARGS__), iov, max)

static void test_lease_joined(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 10, 3 * PAGE, iov, 4, 16, 17, 18, 19), ==, 1);
    g_assert_true(iov[0].iov_base == guest->host + 10);
    g_assert_cmpuint(iov[0].iov_len, ==, 3 * PAGE);
}

static void test_lease_scattered(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, PAGE - 1, PAGE + 3, iov, 4, 19, 17, 16), ==, 3);
    g_assert_true(iov[0].iov_base == guest->host + 4 * PAGE - 1);
    g_assert_cmpuint(iov[0].iov_len, ==, 1);
    g_assert_true(iov[1].iov_base == guest->host + PAGE);
    g_assert_cmpuint(iov[1].iov_len, ==, PAGE);
    g_assert_true(iov[2].iov_base == guest->host);
    g_assert_cmpuint(iov[2].iov_len, ==, 2);
}

/* Slots that touch on one side only are never joined. */
static void test_lease_slots(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, 2 * PAGE, iov, 4, 19, 20), ==, 2);
    g_assert_cmpint(LEASE(guest, 0, 2 * PAGE, iov, 4, 23, 64), ==, 2);
    g_assert_true((uint8_t *)iov[0].iov_base + PAGE == iov[1].iov_base);
}

/* Dirty pages. */

static void test_dirty(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    guest_track(guest);
    gmem_fill(&guest->gmem, 18 * PAGE - 1, 0, 2);
    g_assert_cmphex(guest->dirty[0], ==, 0x6);
    gmem_write(&guest->gmem, 20 * PAGE - 1, "xy", 2);
    g_assert_cmphex(guest->dirty[0], ==, 0xe);
    g_assert_cmphex(guest->dirty[1], ==, 0x1);
    gmem_mark(&guest->gmem, 65);
    g_assert_cmphex(guest->dirty[2], ==, 0x2);
    gmem_mark(&guest->gmem, 66);
    gmem_mark(&guest->gmem, UINT64_MAX);

    memset(guest->dirty, 0, sizeof(guest->dirty));
    int count = LEASE(guest, PAGE - 1, PAGE + 2, iov, 4, 16, 17, 23);
    g_assert_cmpint(count, ==, 2);
    g_assert_cmphex(guest->dirty[0] | guest->dirty[1] | guest->dirty[2], ==, 0);
    gmem_release_written(&guest->gmem, iov, (unsigned)count);
    g_assert_cmphex(guest->dirty[0], ==, 0x3);
    g_assert_cmphex(guest->dirty[1], ==, 0x8);
    g_assert_cmphex(guest->dirty[2], ==, 0);
}

static void test_dirty_refused(struct guest *guest, gconstpointer unused)
{
    (void)unused;
    guest_track(guest);
    g_assert_false(gmem_fill(&guest->gmem, 24 * PAGE - 1, 0, 2));
    g_assert_true(gmem_fill(&guest->gmem, 24 * PAGE - 1, 0, 0));
    g_assert_cmphex(guest->dirty[0] | guest->dirty[1] | guest->dirty[2], ==, 0);
}

/* Copies to and from a lease, at every split. */
static void test_iov(void)
{
    uint8_t a[3] = {0}, b[5] = {0}, text[9] = "12345678", got[9];
    struct iovec iov[] = {{a, 3}, {NULL, 0}, {b, 5}};

    g_assert_cmpuint(gmem_iov_write(iov, 3, 0, text, 9), ==, 8);
    for (size_t skip = 0; skip <= 10; skip++)
        for (size_t len = 0; len <= 9; len++) {
            size_t want = skip >= 8 ? 0 : MIN(len, 8 - skip);
            memset(got, 0, sizeof(got));
            g_assert_cmpuint(gmem_iov_read(iov, 3, skip, got, len), ==, want);
            g_assert_cmpmem(got, want, text + MIN(skip, 8), want);
            g_assert_cmpuint(got[want < 9 ? want : 8], ==, 0);
        }
    g_assert_cmpuint(gmem_iov_fill(iov, 3, 2, 'x', 3), ==, 3);
    g_assert_cmpmem(a, 3, "12x", 3);
    g_assert_cmpmem(b, 5, "xx678", 5);
    g_assert_cmpuint(gmem_iov_fill(iov, 3, SIZE_MAX, 'y', 1), ==, 0);
    g_assert_cmpuint(gmem_iov_write(iov, 0, 0, text, 1), ==, 0);
}

/* Attacks on the range (hostile inputs, group 3). */

static void attack_no_bytes(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, 0, iov, 4, 16), ==, -EINVAL);
    g_assert_cmpint(lease(guest, 0, 0, 0, NULL, iov, 4), ==, -EINVAL);
}

static void attack_no_pages(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(lease(guest, 0, 1, 0, NULL, iov, 4), ==, -EINVAL);
}

static void attack_too_few_pages(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, 2 * PAGE + 1, iov, 4, 16, 17), ==, -EINVAL);
    g_assert_cmpint(LEASE(guest, 1, 2 * PAGE, iov, 4, 16, 17), ==, -EINVAL);
    g_assert_cmpint(LEASE(guest, 1, 2 * PAGE - 1, iov, 4, 16, 17), ==, 1);
}

static void attack_offset_past_page(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, PAGE, 1, iov, 4, 16, 17), ==, -EINVAL);
    g_assert_cmpint(LEASE(guest, UINT32_MAX, 1, iov, 4, 16, 17), ==, -EINVAL);
    g_assert_cmpint(LEASE(guest, PAGE - 1, 1, iov, 4, 16), ==, 1);
}

/* offset + length wraps 32 bits: a sum of that width would say 4095 bytes of one page. */
static void attack_length_overflow(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, PAGE - 1, UINT32_MAX, iov, 4, 16), ==, -EINVAL);
    g_assert_cmpint(LEASE(guest, 1, UINT32_MAX, iov, 4, 16, 17), ==, -EINVAL);
}

/* pages * 4096 wraps 32 bits to 0 and to one page; only 64-bit arithmetic sees a large range. */
static void attack_page_count_overflow(struct guest *guest, gconstpointer unused)
{
    uint64_t pfn[] = {16};
    struct gpa_range range = {.length = PAGE, .pages = (1u << 20) + 1, .pfn = pfn};
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(gmem_lease(&guest->gmem, &range, iov, 4), ==, 1);
    range.pages = 1u << 20;
    g_assert_cmpint(gmem_lease(&guest->gmem, &range, iov, 4), ==, 1);
}

static void attack_outside_ram(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, 1, iov, 4, 15), ==, -EFAULT);
    g_assert_cmpint(LEASE(guest, 0, 1, iov, 4, 24), ==, -EFAULT);
    g_assert_cmpint(LEASE(guest, 0, 3 * PAGE, iov, 4, 16, 17, 30), ==, -EFAULT);
    g_assert_cmpint(LEASE(guest, 0, 2 * PAGE, iov, 4, 65, 66), ==, -EFAULT);
}

static void attack_mmio(void)
{
    static const uint64_t hole[] = {GMEM_PCI_BASE,   GMEM_VMBUS_BASE,   GMEM_IOAPIC, GMEM_LAPIC,
                                    GMEM_PCI64_BASE, GMEM_VMBUS64_BASE, GMEM_TSS,    0xfffff000};
    struct gmem gmem;
    struct iovec iov;

    g_assert_cmpint(gmem_init(&gmem, 5ull << 30), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(hole); i++) {
        uint64_t pfn = hole[i] >> GMEM_PAGE_SHIFT;
        struct gpa_range range = {.length = 1, .pages = 1, .pfn = &pfn};
        g_assert_cmpint(gmem_lease(&gmem, &range, &iov, 1), ==, -EFAULT);
    }
    gmem_free(&gmem);
}

static void attack_pfn_overflow(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    for (unsigned bit = 52; bit < 64; bit++)
        g_assert_cmpint(LEASE(guest, 0, 1, iov, 4, (1ull << bit) | 16), ==, -EFAULT);
    g_assert_cmpint(LEASE(guest, 0, 1, iov, 4, UINT64_MAX), ==, -EFAULT);
    g_assert_cmpint(LEASE(guest, PAGE - 1, 1, iov, 4, UINT64_MAX >> 12), ==, -EFAULT);
}

/* One page many times is the guest's own affair, but costs an entry each. */
static void attack_repeated_page(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, 3 * PAGE, iov, 4, 16, 16, 16), ==, 3);
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(iov[i].iov_base == guest->host);
}

static void attack_too_many_pieces(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[3];

    (void)unused;
    iov[2].iov_len = 77;
    g_assert_cmpint(LEASE(guest, 0, 3 * PAGE, iov, 2, 16, 18, 16), ==, -E2BIG);
    g_assert_cmpuint(iov[2].iov_len, ==, 77); /* nothing past `max` */
    g_assert_cmpint(LEASE(guest, 0, 1, iov, 0, 16), ==, -E2BIG);
}

/* PFNs beyond what the bytes need are not looked at, bad as they may be. */
static void attack_surplus_pages(struct guest *guest, gconstpointer unused)
{
    struct iovec iov[4];

    (void)unused;
    g_assert_cmpint(LEASE(guest, 0, PAGE, iov, 4, 16, UINT64_MAX, 0), ==, 1);
    g_assert_cmpuint(iov[0].iov_len, ==, PAGE);
}

#define GUEST_TEST(path, fn) g_test_add(path, struct guest, NULL, guest_setup, fn, guest_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gmem/init/low", test_init_low);
    g_test_add_func("/gmem/init/split", test_init_split);
    g_test_add_func("/gmem/init/exactly-low", test_init_exactly_low);
    g_test_add_func("/gmem/init/bad", test_init_bad);
    g_test_add_func("/gmem/init/largest", test_init_largest);
    g_test_add_func("/gmem/add-bad", test_add_bad);
    GUEST_TEST("/gmem/copy/inside", test_copy);
    GUEST_TEST("/gmem/copy/over-slots", test_copy_over_slots);
    GUEST_TEST("/gmem/copy/outside", test_copy_outside);
    GUEST_TEST("/gmem/page", test_page);
    GUEST_TEST("/gmem/lease/joined", test_lease_joined);
    GUEST_TEST("/gmem/lease/scattered", test_lease_scattered);
    GUEST_TEST("/gmem/lease/slots", test_lease_slots);
    GUEST_TEST("/gmem/dirty/marked", test_dirty);
    GUEST_TEST("/gmem/dirty/refused", test_dirty_refused);
    g_test_add_func("/gmem/iov", test_iov);
    GUEST_TEST("/gmem/attack/no-bytes", attack_no_bytes);
    GUEST_TEST("/gmem/attack/no-pages", attack_no_pages);
    GUEST_TEST("/gmem/attack/too-few-pages", attack_too_few_pages);
    GUEST_TEST("/gmem/attack/offset-past-page", attack_offset_past_page);
    GUEST_TEST("/gmem/attack/length-overflow", attack_length_overflow);
    GUEST_TEST("/gmem/attack/page-count-overflow", attack_page_count_overflow);
    GUEST_TEST("/gmem/attack/outside-ram", attack_outside_ram);
    g_test_add_func("/gmem/attack/mmio", attack_mmio);
    GUEST_TEST("/gmem/attack/pfn-overflow", attack_pfn_overflow);
    GUEST_TEST("/gmem/attack/repeated-page", attack_repeated_page);
    GUEST_TEST("/gmem/attack/too-many-pieces", attack_too_many_pieces);
    GUEST_TEST("/gmem/attack/surplus-pages", attack_surplus_pages);
    return g_test_run();
}
