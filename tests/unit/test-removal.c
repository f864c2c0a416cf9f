/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that come and go while the guest runs: offers, rescinds, releases, and guests that do not
 * play along.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"

struct hot {
    struct fixture f;
    struct sg_channel sub[3];
    unsigned gone;
};

static void on_gone(void *context)
{
    ++*(unsigned *)context;
}

static int take_away(struct hot *h)
{
    return vmbus_bus_remove(h->f.guest->bus, &h->f.echo.vsp, on_gone, &h->gone);
}

static int add(struct hot *h)
{
    return vmbus_bus_add(h->f.guest->bus, &h->f.echo.vsp);
}

static void post_close(struct sg_channel *channel)
{
    sg_tell_words(channel->guest, VMBUS_MSG_CLOSE, 1, channel->relid, 0);
}

static void release(struct sg_channel *channel)
{
    sg_tell_words(channel->guest, VMBUS_MSG_RELID_RELEASED, 1, channel->relid, 0);
    sg_run(channel->guest, 0);
}

static void teardown(struct sg_channel *channel)
{
    sg_tell_words(channel->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, channel->relid, channel->gpadl);
    sg_expect(channel->guest, VMBUS_MSG_GPADL_TORNDOWN);
}

static void expect_rescind(struct hot *h, uint32_t relid)
{
    const uint8_t *message = sg_expect(h->f.guest, VMBUS_MSG_RESCIND);

    g_assert_cmpuint(((const struct vmbus_msg_relid *)message)->relid, ==, relid);
}

static void count_channel(const struct vmbus_channel_info *info, void *context)
{
    (void)info;
    ++*(unsigned *)context;
}

static unsigned channels(const struct hot *h)
{
    unsigned count = 0;

    vmbus_bus_channels(h->f.guest->bus, count_channel, &count);
    return count;
}

static void begin_hot(struct hot *h)
{
    memset(h, 0, sizeof(*h));
    begin(&h->f);
}

static void begin_open(struct hot *h)
{
    begin_hot(h);
    connect_and_open(&h->f, VMBUS_V5_2);
}

/* With three subchannels, all open. */
static void begin_subs(struct hot *h)
{
    begin_open(h);
    h->f.echo.subchannels = 3;
    g_assert_true(sg_send(&h->f.channel, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, "S", 1));
    sg_run(h->f.guest, 0);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(sg_find_offer(h->f.guest, &echo_class.interface, i + 1, &h->sub[i]));
        g_assert_cmpuint(sg_open(&h->sub[i], 2, NULL, 0), ==, 0);
    }
    sg_drop(h->f.guest);
}

/* Away and back twenty times, in every version that can: nothing is left over, and channel ids are
 * not given out again at once. */
static void test_rounds(const void *data)
{
    uint32_t version = (uint32_t)GPOINTER_TO_UINT(data), last;
    struct hot h;

    begin_hot(&h);
    connect_and_open(&h.f, version);
    if (version < VMBUS_V2_4) {
        g_assert_cmpint(take_away(&h), ==, -EOPNOTSUPP);
        assert_silence(&h.f);
        echo_once(&h.f, "as if nothing had been");
        end(&h.f);
        return;
    }
    for (unsigned round = 1; round <= 20; round++) {
        last = h.f.channel.relid;
        g_assert_cmpint(take_away(&h), ==, 0);
        g_assert_cmpint(take_away(&h), ==, -EALREADY);
        expect_rescind(&h, last);
        echo_once(&h.f, "served until it closes");
        post_close(&h.f.channel);
        teardown(&h.f.channel);
        g_assert_cmpuint(h.f.echo.closes, ==, round);
        g_assert_cmpint(add(&h), ==, -EEXIST);
        g_assert_cmpuint(h.gone, ==, round - 1);
        release(&h.f.channel);
        g_assert_cmpuint(h.gone, ==, round);
        g_assert_cmpuint(channels(&h), ==, 1);
        assert_silence(&h.f);
        g_assert_cmpint(add(&h), ==, 0);
        g_assert_true(sg_find_offer(h.f.guest, &echo_class.interface, round, &h.f.channel));
        g_assert_cmpuint(h.f.channel.relid, ==, last == 1 ? 3 : last + 1);
        g_assert_cmpuint(sg_open(&h.f.channel, 2, NULL, 0), ==, 0);
        sg_drop(h.f.guest);
        echo_once(&h.f, "back");
    }
    g_assert_cmpuint(stats(&h.f).messages_bad, ==, 0);
    end(&h.f);
}

/* A guest that has not asked for offers hears nothing, whichever way. */
static void test_before_offers(void)
{
    struct hot h;

    begin_hot(&h);
    g_assert_cmpint(take_away(&h), ==, 0);
    g_assert_cmpuint(h.gone, ==, 1);
    g_assert_true(sg_connect(h.f.guest, VMBUS_V1_1));
    g_assert_false(sg_find_offer(h.f.guest, &echo_class.interface, 0, &h.f.channel));
    sg_drop(h.f.guest);
    /* One that comes later is offered to old guests, too. */
    g_assert_cmpint(add(&h), ==, 0);
    g_assert_true(sg_find_offer(h.f.guest, &echo_class.interface, 0, &h.f.channel));
    g_assert_cmpuint(sg_open(&h.f.channel, 2, NULL, 0), ==, 0);
    sg_drop(h.f.guest);
    echo_once(&h.f, "hot");
    end(&h.f);
}

/* Subchannels are taken back first; the device is gone when the last one is released, in whatever
 * order. */
static void test_subchannels(void)
{
    struct hot h;

    begin_subs(&h);
    g_assert_cmpint(take_away(&h), ==, 0);
    for (unsigned i = 0; i < 3; i++)
        expect_rescind(&h, h.sub[i].relid);
    expect_rescind(&h, h.f.channel.relid);
    assert_silence(&h.f);
    g_assert_cmpuint(h.f.echo.closes, ==, 0);
    for (unsigned i = 0; i < 3; i++) {
        post_close(&h.sub[i]);
        teardown(&h.sub[i]);
    }
    post_close(&h.f.channel);
    teardown(&h.f.channel);
    release(&h.sub[1]);
    release(&h.f.channel);
    release(&h.sub[2]);
    g_assert_cmpuint(h.gone, ==, 0);
    release(&h.sub[0]);
    g_assert_cmpuint(h.gone, ==, 1);
    g_assert_cmpuint(channels(&h), ==, 1);
    g_assert_cmpuint(stats(&h.f).messages_bad, ==, 0);
    end(&h.f);
}

/* I/O in flight: TORNDOWN and the end wait for it. */
static void test_in_flight(void)
{
    struct hot h;

    begin_open(&h);
    h.f.echo.hold_close = true;
    g_assert_cmpint(take_away(&h), ==, 0);
    expect_rescind(&h, h.f.channel.relid);
    post_close(&h.f.channel);
    sg_tell_words(h.f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, h.f.channel.relid, h.f.channel.gpadl);
    release(&h.f.channel);
    assert_silence(&h.f);
    g_assert_cmpuint(h.gone, ==, 0);
    h.f.echo.hold_close = false;
    echo_let_go(&h.f.echo);
    sg_expect(h.f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(h.gone, ==, 1);
    end(&h.f);
}

/* Guests that leave out a CLOSE: of the subchannels, or of all. */
static void test_unclosed(void)
{
    for (unsigned all = 0; all < 2; all++) {
        struct hot h;

        begin_subs(&h);
        g_assert_cmpint(take_away(&h), ==, 0);
        sg_run(h.f.guest, 0);
        sg_drop(h.f.guest);
        if (!all)
            post_close(&h.f.channel);
        teardown(&h.f.channel);
        g_assert_cmpuint(h.f.echo.closes, ==, 4);
        for (unsigned i = 0; i < 3; i++) {
            teardown(&h.sub[i]);
            release(&h.sub[i]);
        }
        release(&h.f.channel);
        g_assert_cmpuint(h.gone, ==, 1);
        g_assert_cmpuint(stats(&h.f).messages_bad, ==, 0);
        end(&h.f);
    }
}

/* Removed while the guest's OPEN is on its way to the device, and while a CLOSE is. */
static void test_while_changing(void)
{
    for (unsigned closing = 0; closing < 2; closing++) {
        struct hot h;

        begin_hot(&h);
        g_assert_true(sg_connect(h.f.guest, VMBUS_V5_3));
        g_assert_true(sg_find_offer(h.f.guest, &echo_class.interface, 0, &h.f.channel));
        sg_rings(&h.f.channel, 2);
        sg_drop(h.f.guest);
        sg_open_post(&h.f.channel, NULL, 0);
        if (closing) {
            sg_run(h.f.guest, 0);
            post_close(&h.f.channel);
            sg_open_post(&h.f.channel, NULL, 0); /* and this waits for it */
        }
        lane_turn(h.f.guest->lane, 0);
        g_assert_cmpint(take_away(&h), ==, 0);
        sg_pick(h.f.guest, VMBUS_MSG_RESCIND);
        sg_drop(h.f.guest);
        teardown(&h.f.channel);
        release(&h.f.channel);
        g_assert_cmpuint(h.gone, ==, 1);
        g_assert_cmpuint(h.f.echo.opens, ==, h.f.echo.closes);
        end(&h.f);
    }
}

/* A guest that releases nothing: its channel ids stay in use, and go with it. */
static void test_never_released(void)
{
    struct hot h;

    begin_subs(&h);
    g_assert_cmpint(take_away(&h), ==, 0);
    sg_run(h.f.guest, 0);
    g_assert_cmpuint(channels(&h), ==, 5);
    g_assert_cmpuint(h.gone, ==, 0);
    g_assert_true(sg_connect(h.f.guest, VMBUS_V5_2));
    g_assert_cmpuint(h.gone, ==, 1);
    g_assert_cmpuint(channels(&h), ==, 1);
    g_assert_false(sg_find_offer(h.f.guest, &echo_class.interface, 0, &h.f.channel));
    end(&h.f);
}

/* What a guest may still send about it, or should not. */
static void test_attack_rescinded(void)
{
    struct hot h;
    uint64_t pages;

    begin_open(&h);
    pages = sg_pages(h.f.guest, 4);
    release(&h.f.channel); /* nobody asked for it */
    g_assert_cmpuint(stats(&h.f).messages_bad, ==, 1);
    g_assert_cmpint(take_away(&h), ==, 0);
    expect_rescind(&h, h.f.channel.relid);
    g_assert_cmpuint(sg_gpadl(h.f.guest, h.f.channel.relid, 99, pages, 4), ==, 0);
    sg_open_post(&h.f.channel, NULL, 0);
    const uint8_t *message = sg_expect(h.f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmphex(((const struct vmbus_msg_open_result *)message)->status, ==, 0x8000ffff);
    sg_tell_words(h.f.guest, VMBUS_MSG_MODIFY_CHANNEL, 2, h.f.channel.relid, 1);
    sg_signal(&h.f.channel);
    post_close(&h.f.channel);
    post_close(&h.f.channel);
    release(&h.f.channel); /* GPADLs not torn down: they go along */
    g_assert_cmpuint(h.gone, ==, 1);
    release(&h.f.channel);
    post_close(&h.f.channel);
    sg_tell_words(h.f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, h.f.channel.relid, 99);
    sg_expect(h.f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    assert_silence(&h.f);
    g_assert_cmpint(add(&h), ==, 0);
    end(&h.f);
}

/* A new connection, a reset, an unload while it is on its way out. */
static void test_attack_reset(void)
{
    for (unsigned way = 0; way < 2; way++) {
        struct hot h;

        begin_subs(&h);
        h.f.echo.hold_close = true;
        g_assert_cmpint(take_away(&h), ==, 0);
        sg_run(h.f.guest, 0);
        if (way)
            sg_initiate(h.f.guest, VMBUS_V3_0);
        else
            sg_tell_words(h.f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
        sg_run(h.f.guest, 0);
        g_assert_cmpuint(h.gone, ==, 0);
        h.f.echo.hold_close = false;
        echo_let_go(&h.f.echo);
        sg_pick(h.f.guest, way ? VMBUS_MSG_VERSION_RESPONSE : VMBUS_MSG_UNLOAD_RESPONSE);
        g_assert_cmpuint(h.gone, ==, 1);
        g_assert_cmpuint(channels(&h), ==, 1);
        end(&h.f);
    }
}

/* Offers that the guest does not take off its slot: a device that comes and goes meanwhile was
 * never there. */
static void test_attack_slow_guest(void)
{
    struct hot h;

    begin_open(&h);
    g_assert_cmpint(take_away(&h), ==, 0);
    expect_rescind(&h, h.f.channel.relid);
    release(&h.f.channel);
    h.f.guest->fifo_limit = 0;
    for (unsigned round = 1; round < 50; round++) {
        g_assert_cmpint(add(&h), ==, 0);
        sg_run(h.f.guest, 0);
        g_assert_cmpint(take_away(&h), ==, 0);
        g_assert_cmpuint(h.gone, ==, round + 1);
    }
    h.f.guest->fifo_limit = SG_MESSAGES;
    vmbus_bus_room(h.f.guest->bus);
    assert_silence(&h.f);
    end(&h.f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_add_versions("/removal/rounds", test_rounds);
    g_test_add_func("/removal/before-offers", test_before_offers);
    g_test_add_func("/removal/subchannels", test_subchannels);
    g_test_add_func("/removal/in-flight", test_in_flight);
    g_test_add_func("/removal/unclosed", test_unclosed);
    g_test_add_func("/removal/while-changing", test_while_changing);
    g_test_add_func("/removal/never-released", test_never_released);
    g_test_add_func("/removal/attack/rescinded", test_attack_rescinded);
    g_test_add_func("/removal/attack/reset", test_attack_reset);
    g_test_add_func("/removal/attack/slow-guest", test_attack_slow_guest);
    return g_test_run();
}
