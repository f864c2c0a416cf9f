/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the shutdown service against a guest that answers as Linux's hv_util, late, or with
 * nothing to answer.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/ic_guest.h"
#include "vmbus/ic.h"

#define NOT_YET INT64_MIN

struct fixture {
    struct shutdown *shutdown;
    struct ic_guest g;
    int64_t status; /* of the last `done` */
    unsigned dones;
};

static void setup(struct fixture *f, const void *data)
{
    (void)data;
    f->shutdown = shutdown_new(NULL);
    f->status = NOT_YET;
    ic_guest_init(&f->g, shutdown_vsp(f->shutdown), VMBUS_V5_3, IC_GUEST_PAGES);
}

static void teardown(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_clear(&f->g);
    shutdown_free(f->shutdown);
}

static void done(void *context, int64_t status)
{
    struct fixture *f = context;

    f->status = status;
    f->dones++;
}

static int request(struct fixture *f, enum shutdown_action action, bool force, const char *reason)
{
    return shutdown_request(f->shutdown, action, force, reason, done, f);
}

static uint32_t word(struct fixture *f, unsigned offset)
{
    uint32_t value;

    memcpy(&value, ic_guest_data(&f->g) + offset, sizeof(value));
    return value;
}

static void test_request(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_false(ic_guest_poll(&f->g, 20));
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, "h\xc3\xa9"), ==, 0);
    g_assert_cmpuint(ic_guest_expect(&f->g, IC_SHUTDOWN)->size, ==, 2060);
    g_assert_cmphex(word(f, 0), ==, 0x80000000);
    g_assert_cmpuint(word(f, 4), ==, 0);
    g_assert_cmpuint(word(f, 8), ==, 0);
    g_assert_cmpmem(ic_guest_data(&f->g) + 12, 6, "h\0\xe9\0\0\0", 6);
    g_assert_cmpint(request(f, SHUTDOWN_RESTART, false, NULL), ==, -EBUSY);
    g_assert_cmpuint(f->dones, ==, 0);
    ic_guest_answer(&f->g, 0);
    g_assert_cmpint(f->status, ==, 0);
    g_assert_cmpuint(f->dones, ==, 1);
}

static void test_actions(struct fixture *f, const void *data)
{
    static const uint32_t flags[] = {0, 2, 4};

    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmpint(request(f, i / 2, i & 1, NULL), ==, 0);
        ic_guest_expect(&f->g, IC_SHUTDOWN);
        g_assert_cmpuint(word(f, 8), ==, flags[i / 2] | (i & 1));
        g_assert_cmpuint(word(f, 12), ==, 0);
        ic_guest_answer(&f->g, i == 5 ? IC_STATUS_FAIL : 0); /* Linux that cannot hibernate */
    }
    g_assert_cmpint(f->status, ==, 0x80004005);
    g_assert_cmpuint(f->dones, ==, 6);
}

static void test_versions(struct fixture *f, const void *data)
{
    static const struct {
        uint16_t major, minor;
        int restart, hibernate;
    } cases[] = {
        {1, 0, -EOPNOTSUPP, -EOPNOTSUPP},
        {3, 0, -EOPNOTSUPP, -EOPNOTSUPP},
        {3, 1, 0, -EOPNOTSUPP},
        {3, 2, 0, 0},
    };

    (void)data;
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, -ENOTCONN);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (i > 0)
            ic_guest_reopen(&f->g, IC_GUEST_PAGES);
        ic_guest_agree(&f->g, cases[i].major, cases[i].minor);
        g_assert_cmpint(request(f, SHUTDOWN_RESTART, false, NULL), ==, cases[i].restart);
        if (cases[i].restart == 0) {
            ic_guest_expect(&f->g, IC_SHUTDOWN);
            ic_guest_answer(&f->g, 0);
        }
        g_assert_cmpint(request(f, SHUTDOWN_HIBERNATE, false, NULL), ==, cases[i].hibernate);
        if (cases[i].hibernate == 0) {
            ic_guest_expect(&f->g, IC_SHUTDOWN);
            ic_guest_answer(&f->g, 0);
        }
        g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
        ic_guest_expect(&f->g, IC_SHUTDOWN);
        ic_guest_answer(&f->g, 0);
    }
}

static void test_reason(struct fixture *f, const void *data)
{
    char reason[2000];

    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, "\xff"), ==, -EINVAL);
    g_assert_cmpuint(f->dones, ==, 0);
    memset(reason, 'x', sizeof(reason));
    memcpy(reason + 1022, "\xf0\x9f\x98\x80",
           5); /* its pair would need the last place and one more */
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, reason), ==, 0);
    ic_guest_expect(&f->g, IC_SHUTDOWN);
    g_assert_cmpmem(ic_guest_data(&f->g) + 12 + 2 * 1021, 6, "x\0\0\0\0\0", 6);
}

static void test_close(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
    sg_close(&f->g.channel);
    sg_run(f->g.guest, 0);
    g_assert_cmpint(f->status, ==, -ECONNRESET);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, -ENOTCONN);
}

/* The answer of before the close comes when nothing, then when something else, is awaited. */
static void attack_late(struct fixture *f, const void *data)
{
    uint8_t late[IC_GUEST_BUFFER];
    uint32_t len;

    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
    ic_guest_expect(&f->g, IC_SHUTDOWN)->flags = 5;
    memcpy(late, f->g.buffer, len = f->g.len);
    ic_guest_reopen(&f->g, IC_GUEST_PAGES);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_true(sg_send(&f->g.channel, 6, 0, 0, NULL, 0, late, len));
    ic_guest_agree(&f->g, 3, 2);
    g_assert_true(sg_send(&f->g.channel, 6, 0, 0, NULL, 0, late, len));
    sg_run(f->g.guest, 0);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 0);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
}

static void attack_twice(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
    ic_guest_expect(&f->g, IC_SHUTDOWN);
    ic_guest_answer(&f->g, 0);
    ic_guest_answer(&f->g, IC_STATUS_FAIL);
    g_assert_cmpuint(f->dones, ==, 1);
    g_assert_cmpint(f->status, ==, 0);
}

static void attack_breaks_while_asked(struct fixture *f, const void *data)
{
    (void)data;
    ic_guest_agree(&f->g, 3, 2);
    g_assert_cmpint(request(f, SHUTDOWN_POWER_OFF, false, NULL), ==, 0);
    ic_guest_expect(&f->g, IC_SHUTDOWN)->size = UINT16_MAX;
    ic_guest_send(&f->g);
    sg_run(f->g.guest, 5);
    g_assert_cmpuint(ic_guest_faults(&f->g), ==, 1);
    g_assert_cmpint(f->status, ==, -ECONNRESET);
    g_assert_cmpuint(f->dones, ==, 1);
}

static void add(const char *name, void (*test)(struct fixture *f, const void *data))
{
    g_test_add(name, struct fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/shutdown/request", test_request);
    add("/shutdown/actions", test_actions);
    add("/shutdown/versions", test_versions);
    add("/shutdown/reason", test_reason);
    add("/shutdown/close", test_close);
    add("/shutdown/attack/late", attack_late);
    add("/shutdown/attack/twice", attack_twice);
    add("/shutdown/attack/breaks-while-asked", attack_breaks_while_asked);
    return g_test_run();
}
