/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SynIC: overlay pages, message slots and their hand-over, event flags; and what a guest may try
 * with them.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "src/common/limits.h"
#include "src/common/log.h"
#include "src/kvm/synic.h"

#define PAGE(n)   ((uint64_t)(n)*GMEM_PAGE)
#define ON(n)     (PAGE(n) | 1)
#define SINT2     512u /* 256-byte slot or flag area of SINT 2 */
#define RAM_PAGES 16u

struct fixture {
    uint8_t ram[RAM_PAGES * GMEM_PAGE] __attribute__((aligned(4096)));
    struct gmem gmem;
    struct synic *synic;
    unsigned kicks, raises, rooms;
    uint32_t last_raise;
};

static void count_kick(void *context, uint32_t vp)
{
    struct fixture *f = context;
    (void)vp;
    f->kicks++;
}

static void count_raise(void *context, uint32_t vp)
{
    struct fixture *f = context;
    f->raises++;
    f->last_raise = vp;
}

static void count_room(void *context)
{
    struct fixture *f = context;
    f->rooms++;
}

static const struct synic_ops ops = {.kick = count_kick, .raise = count_raise, .room = count_room};

static struct fixture *fixture_new(void)
{
    struct fixture *f = g_aligned_alloc0(1, sizeof(*f), 4096);
    g_assert_cmpint(gmem_add(&f->gmem, 0, sizeof(f->ram), f->ram), ==, 0);
    f->synic = synic_new(&f->gmem, 2, &ops, f);
    g_assert_nonnull(f->synic);
    return f;
}

static void fixture_free(struct fixture *f)
{
    synic_free(f->synic);
    g_aligned_free(f);
}

static uint32_t slot_type(const struct fixture *f, unsigned page)
{
    uint32_t type;
    memcpy(&type, f->ram + PAGE(page) + SINT2, sizeof(type));
    return type;
}

static void slot_clear(struct fixture *f, unsigned page)
{
    memset(f->ram + PAGE(page) + SINT2, 0, 4);
}

static void test_overlay(void)
{
    struct fixture *f = fixture_new();
    memset(f->ram, 0xaa, sizeof(f->ram));
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    for (unsigned i = 0; i < 2 * GMEM_PAGE; i++)
        g_assert_cmpuint(f->ram[PAGE(2) + i], ==, 0);
    /* Moved: contents go along, hidden RAM comes back. */
    f->ram[PAGE(3) + 7] = 0x55;
    synic_update(f->synic, 0, 1, ON(2), ON(5));
    g_assert_cmpuint(f->ram[PAGE(3) + 7], ==, 0xaa);
    g_assert_cmpuint(f->ram[PAGE(5) + 7], ==, 0x55);
    synic_update(f->synic, 0, 1, 0, 0);
    g_assert_cmpuint(f->ram[PAGE(5) + 7], ==, 0xaa);
    g_assert_cmpuint(f->ram[PAGE(2)], ==, 0xaa);
    fixture_free(f);
}

static void test_message(void)
{
    struct fixture *f = fixture_new();
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    g_assert_cmpint(synic_post(f->synic, 0, 1, "hello", 5), ==, 0);
    g_assert_cmpuint(f->kicks, ==, 1);
    g_assert_true(synic_congested(f->synic));
    synic_deliver(f->synic, 0);
    const uint8_t *slot = f->ram + PAGE(3) + SINT2;
    g_assert_cmpuint(slot_type(f, 3), ==, 1);
    g_assert_cmpuint(slot[4], ==, 5);
    g_assert_cmpuint(slot[5], ==, 0);
    g_assert_cmpmem(slot + 16, 5, "hello", 5);
    g_assert_cmpuint(f->raises, ==, 1);
    g_assert_cmpuint(f->rooms, ==, 1);
    g_assert_false(synic_congested(f->synic));
    fixture_free(f);
}

/* The slot is taken: say "pending", wait for EOM, deliver in order. */
static void test_busy_slot(void)
{
    struct fixture *f = fixture_new();
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    synic_post(f->synic, 0, 1, "a", 1);
    synic_deliver(f->synic, 0);
    synic_post(f->synic, 0, 1, "b", 1);
    synic_deliver(f->synic, 0);
    g_assert_cmpuint(f->raises, ==, 1);
    g_assert_cmpuint(f->ram[PAGE(3) + SINT2 + 5], ==, 1);
    g_assert_cmpuint(f->ram[PAGE(3) + SINT2 + 16], ==, 'a');
    slot_clear(f, 3);
    unsigned kicks = f->kicks;
    synic_eom(f->synic, 0);
    g_assert_cmpuint(f->kicks, ==, kicks + 1);
    synic_deliver(f->synic, 0);
    g_assert_cmpuint(f->ram[PAGE(3) + SINT2 + 16], ==, 'b');
    /* Nothing waits: an EOM more is harmless. */
    slot_clear(f, 3);
    synic_eom(f->synic, 0);
    g_assert_cmpuint(f->kicks, ==, kicks + 1);
    fixture_free(f);
}

/* Told, but its SINT was masked: the poll tells again, and says nothing when nothing waits. */
static void test_poll(void)
{
    struct fixture *f = fixture_new();
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    synic_poll(f->synic, 0);
    g_assert_cmpuint(f->raises, ==, 0);
    synic_post(f->synic, 0, 1, "a", 1);
    synic_deliver(f->synic, 0);
    synic_post(f->synic, 0, 1, "b", 1);
    synic_deliver(f->synic, 0);
    unsigned raises = f->raises, kicks = f->kicks;
    synic_poll(f->synic, 0);
    synic_poll(f->synic, 7); /* no such VP */
    g_assert_cmpuint(f->raises, ==, raises + 1);
    g_assert_cmpuint(f->kicks, ==, kicks + 1);
    fixture_free(f);
}

static void test_disabled(void)
{
    struct fixture *f = fixture_new();
    synic_post(f->synic, 0, 1, "x", 1);
    synic_deliver(f->synic, 0);
    synic_update(f->synic, 0, 0, ON(2), ON(3));
    g_assert_cmpuint(f->raises, ==, 0);
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    g_assert_cmpuint(f->raises, ==, 1);
    g_assert_cmpuint(slot_type(f, 3), ==, 1);
    fixture_free(f);
}

static void test_flags(void)
{
    struct fixture *f = fixture_new();
    synic_signal(f->synic, 1, 77); /* no page: nothing */
    g_assert_cmpuint(f->raises, ==, 0);
    synic_update(f->synic, 1, 1, ON(2), 0);
    synic_signal(f->synic, 1, 77);
    synic_signal(f->synic, 1, 77);
    g_assert_cmpuint(f->raises, ==, 1);
    g_assert_cmpuint(f->last_raise, ==, 1);
    g_assert_cmpuint(f->ram[PAGE(2) + SINT2 + 77 / 8], ==, 1u << 77 % 8);
    synic_signal(f->synic, 1, 2047);
    g_assert_cmpuint(f->raises, ==, 2);
    g_assert_cmpuint(f->ram[PAGE(2) + SINT2 + 255], ==, 0x80);
    fixture_free(f);
}

static void test_reset(void)
{
    struct fixture *f = fixture_new();
    memset(f->ram, 0xaa, sizeof(f->ram));
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    synic_post(f->synic, 0, 1, "x", 1);
    synic_reset(f->synic);
    g_assert_false(synic_congested(f->synic));
    g_assert_cmpuint(f->ram[PAGE(3) + SINT2], ==, 0xaa);
    synic_signal(f->synic, 0, 5);
    synic_deliver(f->synic, 0);
    g_assert_cmpuint(f->raises, ==, 0);
    fixture_free(f);
}

static void test_attack_page_outside_ram(void)
{
    struct fixture *f = fixture_new();
    synic_update(f->synic, 0, 1, ON(RAM_PAGES), ~0ull);
    synic_post(f->synic, 0, 1, "x", 1);
    synic_deliver(f->synic, 0);
    synic_signal(f->synic, 0, 1);
    g_assert_cmpuint(f->raises, ==, 0);
    fixture_free(f);
}

static void test_attack_both_pages_same(void)
{
    struct fixture *f = fixture_new();
    memset(f->ram, 0xaa, sizeof(f->ram));
    synic_update(f->synic, 0, 1, ON(4), ON(4));
    synic_signal(f->synic, 0, 9);
    synic_post(f->synic, 0, 1, "x", 1);
    synic_deliver(f->synic, 0);
    synic_reset(f->synic); /* bytes outside the page are untouched whatever it did */
    g_assert_cmpuint(f->ram[PAGE(3) + 4095], ==, 0xaa);
    g_assert_cmpuint(f->ram[PAGE(5)], ==, 0xaa);
    fixture_free(f);
}

static void test_attack_numbers(void)
{
    struct fixture *f = fixture_new();
    uint8_t big[241] = {0};
    synic_update(f->synic, 2, 1, ON(2), ON(3));
    synic_update(f->synic, 0xffffffff, 1, ON(2), ON(3));
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    synic_signal(f->synic, 0, 2048);
    synic_signal(f->synic, 0, 0xffff);
    synic_signal(f->synic, 0xffffffff, 1);
    g_assert_cmpuint(f->raises, ==, 0);
    g_assert_cmpint(synic_post(f->synic, 2, 1, big, 8), ==, -EINVAL);
    g_assert_cmpint(synic_post(f->synic, 0, 1, big, sizeof(big)), ==, -EINVAL);
    fixture_free(f);
}

static void test_attack_never_reads(void)
{
    struct fixture *f = fixture_new();
    synic_update(f->synic, 0, 1, ON(2), ON(3));
    for (unsigned i = 0; i < LIMIT_SYNIC_FIFO; i++)
        g_assert_cmpint(synic_post(f->synic, 0, 1, &i, sizeof(i)), ==, 0);
    g_assert_cmpint(synic_post(f->synic, 0, 1, "x", 1), ==, -EAGAIN);
    g_assert_cmpint(synic_post(f->synic, 1, 1, "x", 1), ==, 0); /* the other VP is not harmed */
    fixture_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_LEVEL_ERROR);
    g_test_add_func("/synic/overlay", test_overlay);
    g_test_add_func("/synic/message", test_message);
    g_test_add_func("/synic/busy-slot", test_busy_slot);
    g_test_add_func("/synic/poll", test_poll);
    g_test_add_func("/synic/disabled", test_disabled);
    g_test_add_func("/synic/flags", test_flags);
    g_test_add_func("/synic/reset", test_reset);
    g_test_add_func("/synic/attack/page-outside-ram", test_attack_page_outside_ram);
    g_test_add_func("/synic/attack/both-pages-same", test_attack_both_pages_same);
    g_test_add_func("/synic/attack/numbers", test_attack_numbers);
    g_test_add_func("/synic/attack/never-reads", test_attack_never_reads);
    return g_test_run();
}
