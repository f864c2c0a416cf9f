/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subchannels: offered, rescinded, released; and the same with lanes on threads of their own.
 */
#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "src/common/container.h"
#include "tests/unit/bus_fixture.h"

struct subs {
    struct fixture f;
    struct sg_channel sub[3];
};

static void ask(struct subs *s, uint16_t count)
{
    s->f.echo.subchannels = count;
    g_assert_true(sg_send(&s->f.channel, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, "S", 1));
    sg_run(s->f.guest, 0);
}

/* An open primary with three subchannels, all offered and open. */
static void begin_subs(struct subs *s)
{
    begin(&s->f);
    connect_and_open(&s->f, VMBUS_V5_2);
    ask(s, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(sg_find_offer(s->f.guest, &echo_class.interface, i + 1, &s->sub[i]));
        g_assert_cmpuint(sg_open(&s->sub[i], 2, NULL, 0), ==, 0);
    }
    sg_drop(s->f.guest);
}

static void post_close(struct sg_channel *channel)
{
    sg_tell_words(channel->guest, VMBUS_MSG_CLOSE, 1, channel->relid, 0);
}

static void release(struct sg_channel *channel)
{
    sg_tell_words(channel->guest, VMBUS_MSG_RELID_RELEASED, 1, channel->relid, 0);
}

static uint32_t expect_rescind(struct subs *s)
{
    return ((const struct vmbus_msg_relid *)sg_expect(s->f.guest, VMBUS_MSG_RESCIND))->relid;
}

static void count_channel(const struct vmbus_channel_info *info, void *context)
{
    (void)info;
    ++*(unsigned *)context;
}

static unsigned channels(const struct subs *s)
{
    unsigned count = 0;

    vmbus_bus_channels(s->f.guest->bus, count_channel, &count);
    return count;
}

static void test_offered(void)
{
    struct subs s;
    char buffer[16];

    begin_subs(&s);
    for (unsigned i = 0; i < 3; i++) {
        struct vmbus_msg_offer offer;
        memcpy(&offer, s.sub[i].offer, sizeof(offer));
        g_assert_cmpmem(&offer.interface, 32, s.f.channel.offer + 8, 32);
        g_assert_cmpuint(offer.index, ==, i + 1);
        g_assert_cmpuint(offer.relid, ==, 3 + i);
        g_assert_cmpuint(offer.connection, ==, 0x2003 + i);
        g_assert_true(sg_send_inband(&s.sub[i], i, "12345678", 8));
        g_assert_cmpint(sg_wait(&s.sub[i], NULL, NULL, buffer, sizeof(buffer)), ==, 8);
        g_assert_true(sg_interrupt_take(&s.sub[i]));
    }
    g_assert_cmpuint(s.f.echo.opens, ==, 4);
    g_assert_cmpuint(channels(&s), ==, 5);
    /* A second request in the same open: nothing. */
    ask(&s, 3);
    g_assert_cmpuint(channels(&s), ==, 5);
    assert_silence(&s.f);
    end(&s.f);
}

/* As Linux does it: subchannels closed, then the primary; then the host takes them back. */
static void test_orderly(void)
{
    struct subs s;

    begin_subs(&s);
    for (unsigned i = 0; i < 3; i++)
        sg_close(&s.sub[i]);
    sg_close(&s.f.channel);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(expect_rescind(&s), ==, s.sub[i].relid);
        release(&s.sub[i]);
    }
    assert_silence(&s.f);
    g_assert_cmpuint(channels(&s), ==, 2);
    g_assert_cmpuint(stats(&s.f).messages_bad, ==, 0);
    /* And from the start; relids that were free for longest first. */
    g_assert_cmpuint(sg_open(&s.f.channel, 2, NULL, 0), ==, 0);
    ask(&s, 2);
    g_assert_true(sg_find_offer(s.f.guest, &echo_class.interface, 4, &s.sub[0]));
    g_assert_cmpuint(s.sub[0].relid, ==, 6);
    g_assert_cmpuint(sg_open(&s.sub[0], 2, NULL, 0), ==, 0);
    end(&s.f);
}

/* The primary is closed under open subchannels with I/O in flight: they close first, and TORNDOWN
 * of the primary's rings waits for all. */
static void test_primary_closed_first(void)
{
    struct subs s;

    begin_subs(&s);
    s.f.echo.hold_close = true;
    post_close(&s.f.channel);
    sg_tell_words(s.f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, s.f.channel.relid, s.f.channel.gpadl);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(expect_rescind(&s), ==, s.sub[i].relid);
    assert_silence(&s.f);
    g_assert_cmpuint(s.f.echo.closes, ==, 3);
    g_assert_nonnull(s.f.echo.channel[0]); /* the device still has the primary */
    s.f.echo.hold_close = false;
    echo_let_go(&s.f.echo);
    sg_expect(s.f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(s.f.echo.closes, ==, 4);
    /* The guest catches up: all that it may still send about them is served. */
    for (unsigned i = 0; i < 3; i++) {
        post_close(&s.sub[i]);
        sg_tell_words(s.f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, s.sub[i].relid, s.sub[i].gpadl);
        sg_expect(s.f.guest, VMBUS_MSG_GPADL_TORNDOWN);
        release(&s.sub[i]);
    }
    assert_silence(&s.f);
    g_assert_cmpuint(stats(&s.f).messages_bad, ==, 0);
    g_assert_cmpuint(channels(&s), ==, 2);
    end(&s.f);
}

/* RELID_RELEASED before the device has let go: the channel ends when it has. */
static void test_released_early(void)
{
    struct subs s;

    begin_subs(&s);
    s.f.echo.hold_close = true;
    post_close(&s.f.channel);
    for (unsigned i = 0; i < 3; i++)
        release(&s.sub[i]);
    sg_run(s.f.guest, 0);
    g_assert_cmpuint(channels(&s), ==, 5);
    s.f.echo.hold_close = false;
    echo_let_go(&s.f.echo);
    sg_run(s.f.guest, 0);
    g_assert_cmpuint(channels(&s), ==, 2);
    end(&s.f);
}

/* What a guest may send about a rescinded channel before it has seen the rescind. */
static void test_rescinded(void)
{
    struct subs s;
    uint64_t pages;

    begin_subs(&s);
    pages = sg_pages(s.f.guest, 4);
    sg_close(&s.sub[1]);
    post_close(&s.f.channel);
    sg_run(s.f.guest, 0);
    sg_drop(s.f.guest);
    g_assert_cmpuint(sg_gpadl(s.f.guest, s.sub[1].relid, 99, pages, 4), ==, 0);
    s.sub[1].gpadl = 99;
    sg_open_post(&s.sub[1], NULL, 0);
    const uint8_t *message = sg_expect(s.f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmphex(((const struct vmbus_msg_open_result *)message)->status, ==, 0x8000ffff);
    sg_tell_words(s.f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, s.sub[1].relid, 99);
    sg_expect(s.f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    /* Released, its GPADLs go too; released twice, nothing. */
    g_assert_cmpuint(sg_gpadl(s.f.guest, s.sub[1].relid, 99, pages, 4), ==, 0);
    release(&s.sub[1]);
    release(&s.sub[1]);
    g_assert_cmpuint(sg_gpadl(s.f.guest, s.f.channel.relid, 99, pages, 4), ==, 0);
    end(&s.f);
}

/* A new connection: they vanish without a word. */
static void test_reset(void)
{
    struct subs s;

    begin_subs(&s);
    sg_initiate(s.f.guest, VMBUS_V5_3);
    sg_expect(s.f.guest, VMBUS_MSG_VERSION_RESPONSE);
    assert_silence(&s.f);
    g_assert_cmpuint(channels(&s), ==, 2);
    g_assert_cmpuint(s.f.echo.closes, ==, 4);
    connect_and_open(&s.f, VMBUS_V5_3);
    ask(&s, 3);
    g_assert_true(sg_find_offer(s.f.guest, &echo_class.interface, 1, &s.sub[0]));
    g_assert_cmpuint(s.sub[0].relid, ==, 3);
    end(&s.f);
}

/* The guest has no room for the offers: its CLOSE is taken when it has read them, and they are
 * rescinded like others. */
static void test_congested(void)
{
    struct subs s;

    begin(&s.f);
    connect_and_open(&s.f, VMBUS_V5_2);
    s.f.guest->fifo_limit = 2;
    ask(&s, 5);
    post_close(&s.f.channel);
    for (unsigned i = 0; i < 5; i++)
        sg_expect(s.f.guest, VMBUS_MSG_OFFER);
    for (unsigned i = 0; i < 5; i++)
        expect_rescind(&s);
    assert_silence(&s.f);
    s.f.guest->fifo_limit = SG_MESSAGES;
    end(&s.f);
}

/* The machine resets before the guest has been told of all of them. */
static void test_reset_congested(void)
{
    struct subs s;

    begin(&s.f);
    connect_and_open(&s.f, VMBUS_V5_2);
    s.f.guest->fifo_limit = 2;
    ask(&s, 5);
    g_assert_cmpuint(channels(&s), ==, 7);
    sg_stop(s.f.guest);
    sg_expect(s.f.guest, VMBUS_MSG_OFFER);
    sg_expect(s.f.guest, VMBUS_MSG_OFFER);
    assert_silence(&s.f);
    g_assert_cmpuint(channels(&s), ==, 2);
    end(&s.f);
}

/* A request that the bus gets to only after the primary was closed is for nobody. */
static void test_late_request(void)
{
    struct subs s;
    struct lane *lanes[LIMIT_VCPUS] = {NULL};

    begin(&s.f);
    connect_and_open(&s.f, VMBUS_V5_2);
    s.f.echo.hold_close = true;
    post_close(&s.f.channel);
    sg_open_post(&s.f.channel, NULL, 0);
    sg_run(s.f.guest, 0);
    lanes[0] = lanes[1] = s.f.guest->lane;
    g_assert_cmpint(vsp_make_subchannels(&s.f.echo.vsp, 2, lanes), ==, 0);
    g_assert_cmpint(vsp_make_subchannels(&s.f.echo.vsp, 2, lanes), ==, -EBUSY);
    s.f.echo.hold_close = false;
    echo_let_go(&s.f.echo); /* and it is opened again */
    sg_expect(s.f.guest, VMBUS_MSG_OPEN_RESULT);
    assert_silence(&s.f);
    g_assert_cmpuint(channels(&s), ==, 2);
    end(&s.f);
}

static void test_limits(void)
{
    struct subs s;
    struct lane *lanes[LIMIT_VCPUS + 1] = {NULL};

    begin(&s.f);
    connect_and_open(&s.f, VMBUS_V5_2);
    g_assert_cmpint(vsp_make_subchannels(&s.f.echo.vsp, LIMIT_VCPUS + 1, lanes), ==, -ENOSPC);
    /* A guest that never releases a relid: the ceiling holds, the primary goes on working. */
    for (unsigned rounds = 1; rounds < LIMIT_CHANNELS / LIMIT_VCPUS + 3; rounds++) {
        ask(&s, LIMIT_VCPUS);
        g_assert_cmpint(s.f.echo.subchannels_result, ==, 0);
        g_assert_cmpuint(channels(&s), ==, MIN(2 + rounds * LIMIT_VCPUS, LIMIT_CHANNELS));
        sg_close(&s.f.channel);
        g_assert_cmpuint(sg_open(&s.f.channel, 2, NULL, 0), ==, 0);
        sg_drop(s.f.guest);
    }
    echo_once(&s.f, "still there");
    end(&s.f);
}

/* --- The device's lane on a thread */

struct threaded {
    struct fixture f;
    struct lane *lane;
};

static void close_and_reset(struct threaded *t, unsigned i)
{
    if (i % 3 == 0) {
        sg_close(&t->f.channel);
    } else if (i % 3 == 1) {
        sg_initiate(t->f.guest, VMBUS_V5_3); /* packets in flight, no CLOSE */
        sg_pick(t->f.guest, VMBUS_MSG_VERSION_RESPONSE);
    }
}

/* Open, send, modify, close, reset as fast as possible while another thread serves the channel. */
static void test_threads(void)
{
    struct threaded t;
    char buffer[64];

    t.lane = lane_new("device");
    t.f.guest = sg_new(64u << 20, FIXTURE_VPS, VMBUS_V5_3);
    echo_init(&t.f.echo, &echo_class, 1, t.lane);
    g_assert_cmpint(vmbus_bus_add(t.f.guest->bus, &t.f.echo.vsp), ==, 0);
    g_assert_cmpint(lane_start(t.lane, NULL, NULL), ==, 0);
    for (unsigned i = 0; i < 200; i++) {
        connect_and_open(&t.f, i % 2 ? VMBUS_V5_3 : VMBUS_V1_1);
        for (unsigned n = 0; n < 20; n++) {
            g_assert_true(sg_send_inband(&t.f.channel, n, "over there", 10));
            if (n % 2)
                g_assert_cmpint(sg_wait(&t.f.channel, NULL, NULL, buffer, sizeof(buffer)), ==, 16);
            if (t.f.guest->version == VMBUS_V5_3)
                sg_tell_words(t.f.guest, VMBUS_MSG_MODIFY_CHANNEL, 2, t.f.channel.relid, n % 4);
        }
        close_and_reset(&t, i);
    }
    sg_stop(t.f.guest);
    g_assert_cmpuint(t.f.echo.opens, ==, 200);
    g_assert_cmpuint(t.f.echo.closes, ==, 200);
    lane_free(t.lane);
    sg_free(t.f.guest);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/subchannel/offered", test_offered);
    g_test_add_func("/subchannel/orderly", test_orderly);
    g_test_add_func("/subchannel/primary-closed-first", test_primary_closed_first);
    g_test_add_func("/subchannel/released-early", test_released_early);
    g_test_add_func("/subchannel/rescinded", test_rescinded);
    g_test_add_func("/subchannel/reset", test_reset);
    g_test_add_func("/subchannel/congested", test_congested);
    g_test_add_func("/subchannel/reset-congested", test_reset_congested);
    g_test_add_func("/subchannel/late-request", test_late_request);
    g_test_add_func("/subchannel/limits", test_limits);
    g_test_add_func("/channel/threads", test_threads);
    return g_test_run();
}
