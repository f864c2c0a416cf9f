/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the heartbeat service against a guest that answers as Linux's hv_util, late, wrong or
 * not at all.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/ic_guest.h"
#include "vmbus/ic.h"

struct fixture {
    struct heartbeat *heartbeat;
    struct ic_guest g;
};

static void setup(struct fixture *f, const void *data)
{
    (void)data;
    f->heartbeat = heartbeat_new(NULL);
    ic_guest_init(&f->g, heartbeat_vsp(f->heartbeat), VMBUS_V5_3, IC_GUEST_PAGES);
    ic_guest_agree(&f->g, 3, 0);
}

static void teardown(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_clear(&f->g);
    heartbeat_free(f->heartbeat);
}

static struct heartbeat_status status(struct fixture *f)
{
    struct heartbeat_status s;

    heartbeat_status(f->heartbeat, &s);
    return s;
}

static uint64_t sequence(struct fixture *f)
{
    uint64_t value;

    memcpy(&value, ic_guest_data(&f->g), sizeof(value));
    return value;
}

/* Linux adds one to the sequence and leaves the rest. */
static void beat(struct fixture *f)
{
    uint64_t next = sequence(f) + 1;

    memcpy(ic_guest_data(&f->g), &next, sizeof(next));
    ic_guest_answer(&f->g, 0);
}

static void test_beats(struct fixture *f, const void *data)
{
    uint64_t start = lane_now(), first;

    (void)data;
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_HEARTBEAT)->size, ==, 40);
    g_assert_cmpuint(status(f).last_seen_ns, ==, 0);
    first = sequence(f);
    beat(f);
    g_assert_cmpuint(status(f).sequence, ==, first);
    g_assert_cmpuint(status(f).last_seen_ns, >=, start);
    g_assert_cmpuint(status(f).state, ==, 0);

    g_assert_false(ic_guest_poll(&f->g, 1500));
    g_assert_true(ic_guest_poll(&f->g, 1500));
    g_assert_cmpuint(lane_now() - start, >=, 1990000000u);
    g_assert_cmpuint(sequence(f), >, first);
    ic_guest_data(&f->g)[8] = 2; /* Windows says how it is */
    beat(f);
    g_assert_cmpuint(status(f).sequence, ==, first + 1);
    g_assert_cmpuint(status(f).state, ==, 2);
    g_assert_cmpuint(status(f).missed, ==, 0);
}

/* A guest that is stopped for two periods finds one beat in its ring. */
static void test_unanswered(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    g_assert_false(ic_guest_poll(&f->g, 4200));
    g_assert_cmpuint(status(f).missed, ==, 2);
    g_assert_cmpuint(status(f).last_seen_ns, ==, 0);
    beat(f);
    g_assert_cmpuint(status(f).last_seen_ns, !=, 0);
    g_assert_true(ic_guest_poll(&f->g, 2200));
    g_assert_cmpuint(status(f).missed, ==, 2);
}

static void test_short_answer(struct fixture *f, const void *data)
{
    struct ic_header *header = ic_guest_expect(&f->g, IC_HEARTBEAT);

    (void)data;
    header->size = 8; /* enough: a sequence */
    beat(f);
    g_assert_cmpuint(status(f).sequence, ==, 1);
}

static void test_stops_at_close(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    beat(f);
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 2200);
    g_assert_cmpuint(status(f).missed, ==, 0);
    g_assert_false(status(f).ic.open);
    g_assert_cmpuint(status(f).sequence, ==, 1); /* what it said last is still known */
}

static void reset_done(void *context)
{
    (void)context;
}

static void test_reset(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    beat(f);
    vmbus_bus_reset(f->g.guest->bus, reset_done, NULL);
    sg_run(f->g.guest, 5);
    g_assert_cmpuint(status(f).sequence, ==, 0);
    g_assert_cmpuint(status(f).last_seen_ns, ==, 0);
}

/* The answer is no sign of life, but it is the answer: the next beat comes. */
static void assert_not_alive(struct fixture *f)
{
    g_assert_cmpuint(status(f).last_seen_ns, ==, 0);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
    g_assert_true(ic_guest_poll(&f->g, 2200));
    beat(f);
    g_assert_cmpuint(status(f).last_seen_ns, !=, 0);
}

static void attack_sequence(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    memset(ic_guest_data(&f->g), 0xff, 8);
    ic_guest_answer(&f->g, 0);
    assert_not_alive(f);
}

static void attack_cut(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT)->size = 7;
    beat(f);
    assert_not_alive(f);
}

static void attack_replayed(struct fixture *f, const void *data)
{
    uint64_t seen;

    (void)data;
    ic_guest_expect(&f->g, IC_HEARTBEAT);
    beat(f);
    seen = status(f).last_seen_ns;
    sg_run(f->g.guest, 2);
    ic_guest_send(&f->g);
    g_assert_cmpuint(status(f).last_seen_ns, ==, seen);
}

static void add(const char *name, void (*test)(struct fixture *f, const void *data))
{
    g_test_add(name, struct fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/heartbeat/beats", test_beats);
    add("/heartbeat/unanswered", test_unanswered);
    add("/heartbeat/short-answer", test_short_answer);
    add("/heartbeat/stops-at-close", test_stops_at_close);
    add("/heartbeat/reset", test_reset);
    add("/heartbeat/attack/sequence", attack_sequence);
    add("/heartbeat/attack/cut", attack_cut);
    add("/heartbeat/attack/replayed", attack_replayed);
    return g_test_run();
}
