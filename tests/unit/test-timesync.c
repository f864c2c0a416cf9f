/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the time synchronisation service: what is sent, when, and that nothing the guest answers
 * matters.
 */
#include <glib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/ic_guest.h"
#include "vmbus/ic.h"

#define SYNC   1u
#define SAMPLE 2u

struct fixture {
    struct timesync *timesync;
    struct ic_guest g;
    uint64_t reference;
};

static uint64_t reference_time(void *context)
{
    return ((struct fixture *)context)->reference;
}

static void setup(struct fixture *f, const void *data)
{
    (void)data;
    f->timesync = timesync_new(NULL, reference_time, f);
    f->reference = 0x1122334455667788;
    ic_guest_init(&f->g, timesync_vsp(f->timesync), VMBUS_V5_3, IC_GUEST_PAGES);
}

static void teardown(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_clear(&f->g);
    timesync_free(f->timesync);
}

/* What Linux makes of a host time: nanoseconds since 1970. */
static int64_t unix_ns(struct fixture *f)
{
    uint64_t host;

    memcpy(&host, ic_guest_data(&f->g), sizeof(host));
    return ((int64_t)host - 116444736000000000) * 100;
}

static void assert_now(struct fixture *f)
{
    struct timespec now;
    int64_t age;

    clock_gettime(CLOCK_REALTIME, &now);
    age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - unix_ns(f);
    g_assert_cmpint(age, >=, 0);
    g_assert_cmpint(age, <, 1000000000);
}

static unsigned flags(struct fixture *f, unsigned offset)
{
    return ic_guest_data(&f->g)[offset];
}

static void test_version_4(struct fixture *f, const void *data)
{
    uint64_t reference;

    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_TIMESYNC)->size, ==, 24);
    assert_now(f);
    memcpy(&reference, ic_guest_data(&f->g) + 8, sizeof(reference));
    g_assert_cmphex(reference, ==, f->reference);
    g_assert_cmpuint(flags(f, 16), ==, SYNC);
    ic_guest_answer(&f->g, 0);

    g_assert_false(ic_guest_poll(&f->g, 4500));
    g_assert_true(ic_guest_poll(&f->g, 1000));
    assert_now(f);
    g_assert_cmpuint(flags(f, 16), ==, SAMPLE);
}

static void test_version_3(struct fixture *f, const void *data)
{
    const uint16_t *version = data;

    ic_guest_agree(&f->g, version ? *version : 3, 0);
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_TIMESYNC)->size, ==, 28);
    assert_now(f);
    for (unsigned i = 8; i < 24; i++)
        g_assert_cmpuint(ic_guest_data(&f->g)[i], ==, 0);
    g_assert_cmpuint(flags(f, 24), ==, SYNC);
    ic_guest_answer(&f->g, 0);
    timesync_step(f->timesync);
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_TIMESYNC)->size, ==, 28);
    g_assert_cmpuint(flags(f, 24), ==, SYNC);
}

static void test_step(struct fixture *f, const void *data)
{
    (void)data;
    timesync_step(f->timesync); /* nobody there: nothing */
    ic_guest_agree(&f->g, 4, 0);
    ic_guest_expect(&f->g, IC_TIMESYNC);
    timesync_step(f->timesync); /* the guest still owes an answer */
    g_assert_false(ic_guest_poll(&f->g, 20));
    ic_guest_answer(&f->g, 0);
    ic_guest_expect(&f->g, IC_TIMESYNC);
    g_assert_cmpuint(flags(f, 16), ==, SYNC);
    ic_guest_answer(&f->g, 0);
    g_assert_false(ic_guest_poll(&f->g, 20));
    timesync_step(f->timesync);
    ic_guest_expect(&f->g, IC_TIMESYNC);
    g_assert_cmpuint(flags(f, 16), ==, SYNC);
}

/* A guest that is stopped for a while finds one message, not one per period. */
static void test_unanswered(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    ic_guest_expect(&f->g, IC_TIMESYNC);
    g_assert_false(ic_guest_poll(&f->g, 5200));
    ic_guest_answer(&f->g, 0);
    g_assert_false(ic_guest_poll(&f->g, 20));
    sg_close(&f->g.channel);
    timesync_step(f->timesync);
    sg_run(f->g.guest, 10);
}

static void attack_wild(struct fixture *f, const void *data)
{
    struct ic_header *header;

    (void)data;
    ic_guest_agree(&f->g, 4, 0);
    header = ic_guest_expect(&f->g, IC_TIMESYNC);
    memset(ic_guest_data(&f->g), 0xff, header->size);
    ic_guest_answer(&f->g, UINT32_MAX);
    timesync_step(f->timesync);
    header = ic_guest_expect(&f->g, IC_TIMESYNC);
    assert_now(f);
    header->size = 0;
    ic_guest_answer(&f->g, 0);
    timesync_step(f->timesync);
    ic_guest_expect(&f->g, IC_TIMESYNC);
    assert_now(f);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
}

static void add(const char *name, const void *data,
                void (*test)(struct fixture *f, const void *data))
{
    g_test_add(name, struct fixture, data, setup, test, teardown);
}

int main(int argc, char **argv)
{
    static const uint16_t one = 1;

    g_test_init(&argc, &argv, NULL);
    add("/timesync/version-4.0", NULL, test_version_4);
    add("/timesync/version-3.0", NULL, test_version_3);
    add("/timesync/version-1.0", &one, test_version_3);
    add("/timesync/step", NULL, test_step);
    add("/timesync/unanswered", NULL, test_unanswered);
    add("/timesync/attack/wild", NULL, attack_wild);
    return g_test_run();
}
