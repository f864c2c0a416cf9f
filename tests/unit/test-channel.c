/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel's life and data path: order of open and close, bursts, room, signals, retargeting.
 * Attacks are in test-channel-attack.c, subchannels in test-subchannel.c.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"

/* Connected, the channel offered but not open. */
static void begin_closed(struct fixture *f, uint32_t version)
{
    begin(f);
    g_assert_true(sg_connect(f->guest, version));
    g_assert_true(sg_find_offer(f->guest, &echo_class.interface, 0, &f->channel));
}

static void expect_open_result(struct fixture *f, uint32_t status)
{
    struct vmbus_msg_open_result result;

    memcpy(&result, sg_pick(f->guest, VMBUS_MSG_OPEN_RESULT), sizeof(result));
    g_assert_cmpuint(result.relid, ==, f->channel.relid);
    g_assert_cmphex(result.status, ==, status);
}

/* --- Opening */

static void test_device_refuses(void)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V5_2);
    f.echo.open_error = -ENOMEM;
    g_assert_cmphex(sg_open(&f.channel, 2, NULL, 0), ==, VMBUS_STATUS_FAILURE);
    g_assert_cmpuint(f.guest->connection_fd[f.channel.connection], ==, 0);
    g_assert_false(channel_info(&f, 0).open);
    g_assert_cmpuint(f.echo.closes, ==, 0);
    /* The GPADL is free again, and the channel may be opened. */
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    sg_pick(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    f.echo.open_error = 0;
    g_assert_cmpuint(sg_open(&f.channel, 2, NULL, 0), ==, 0);
    echo_once(&f, "second try");
    end(&f);
}

/* The hypervisor cannot route the guest's signals: the device never hears of the open. An old
 * guest, which cannot do without the shared event, gets no connection. */
static void test_no_event_path(void)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V5_2);
    f.guest->connect_error = -ENOSPC;
    g_assert_cmphex(sg_open(&f.channel, 2, NULL, 0), ==, VMBUS_STATUS_FAILURE);
    g_assert_cmpuint(f.echo.opens, ==, 0);
    g_assert_false(sg_connect(f.guest, VMBUS_V1_1));
    f.guest->connect_error = 0;
    connect_and_open(&f, VMBUS_V1_1);
    echo_once(&f, "second try");
    end(&f);
}

/* What a device says before OPEN_RESULT goes unheard, so the guest is signalled once more. */
static void test_talk_in_open(gconstpointer version)
{
    struct fixture f;
    char buffer[16];

    begin_closed(&f, GPOINTER_TO_UINT(version));
    f.echo.talk_in_open = true;
    sg_rings(&f.channel, 2);
    uint64_t before = f.guest->signals;
    sg_open_post(&f.channel, NULL, 0);
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.guest->signals - before, ==, 2);
    g_assert_true(sg_interrupt_take(&f.channel));
    sg_pick(f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmpint(sg_receive(&f.channel, NULL, NULL, buffer, sizeof(buffer)), ==, 8);
    end(&f);
}

/* The rings that the guest brings may be full of older packets; the device then waits for room, or
 * gives up and is as if it had never been asked. */
static void test_full_from_the_start(gconstpointer fails)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V5_2);
    sg_rings(&f.channel, 2);
    *sg_ring_word(f.channel.in, SG_WRITE) = f.channel.ring_bytes - 8;
    f.echo.talk_in_open = true;
    f.echo.open_error = fails ? -EBUSY : 0;
    sg_open_post(&f.channel, NULL, 0);
    sg_run(f.guest, 0);
    g_assert_cmpuint(*sg_ring_word(f.channel.in, SG_PENDING), ==, 32);
    expect_open_result(&f, fails ? VMBUS_STATUS_FAILURE : VMBUS_STATUS_SUCCESS);
    *sg_ring_word(f.channel.in, SG_READ) = f.channel.ring_bytes - 8;
    sg_run(f.guest, 60);
    g_assert_cmpuint(f.echo.writables, ==, fails ? 0 : 1);
    end(&f);
}

/* The extra signal comes behind an OPEN_RESULT that had to wait for room, not before it. */
static void test_kick_waits(void)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V5_2);
    sg_rings(&f.channel, 2);
    sg_drop(f.guest);
    f.echo.talk_in_open = true;
    f.guest->fifo_limit = 1;
    sg_open_post(&f.channel, NULL, 0);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, 1,
                  4711); /* answered first: takes the room */
    sg_run(f.guest, 0);
    g_assert_true(sg_flag_take(f.guest, 0, (uint16_t)f.channel.relid));
    g_assert_false(sg_flag_take(f.guest, 0, (uint16_t)f.channel.relid));
    sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    sg_expect(f.guest, VMBUS_MSG_OPEN_RESULT);
    sg_run(f.guest, 0);
    g_assert_true(sg_flag_take(f.guest, 0, (uint16_t)f.channel.relid));
    f.guest->fifo_limit = SG_MESSAGES;
    end(&f);
}

/* A guest may fill its ring before it opens the channel, and then has nobody to signal. */
static void test_packets_before_open(void)
{
    struct fixture f;
    char buffer[16];
    uint64_t id;

    begin_closed(&f, VMBUS_V3_0);
    sg_rings(&f.channel, 2);
    g_assert_true(sg_send_inband(&f.channel, 42, "early", 5));
    sg_open_post(&f.channel, NULL, 0);
    g_assert_cmpint(sg_wait(&f.channel, NULL, &id, buffer, sizeof(buffer)), ==, 8);
    g_assert_cmpuint(id, ==, 42);
    end(&f);
}

/* The rings need not be of one size. */
static void test_unequal_rings(void)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V3_0);
    sg_rings(&f.channel, 2); /* 3 + 3 pages */
    struct vmbus_msg_open open = {
        .header.type = VMBUS_MSG_OPEN,
        .relid = f.channel.relid,
        .open_id = 0xabcd,
        .gpadl = f.channel.gpadl,
        .downstream_page = 2,
    };
    sg_tell(f.guest, &open, sizeof(open));
    const uint8_t *message = sg_pick(f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmpuint(((const struct vmbus_msg_open_result *)message)->open_id, ==, 0xabcd);
    g_assert_cmpuint(((const struct vmbus_msg_open_result *)message)->status, ==, 0);
    /* The host->guest ring has three data pages. */
    f.channel.in = sg_mem(f.guest, (f.channel.out_pfn + 2) * GMEM_PAGE);
    f.channel.ring_bytes = 3 * GMEM_PAGE;
    char big[9000], back[9000];
    memset(big, 0x5a, sizeof(big));
    g_assert_cmpint(echo_send(&f.echo, 0, big, sizeof(big)), ==, 0);
    g_assert_cmpint(sg_wait(&f.channel, NULL, NULL, back, sizeof(back)), ==, sizeof(back));
    g_assert_cmpmem(big, sizeof(big), back, sizeof(back));
    end(&f);
}

/* --- Closing */

static void post_close(struct fixture *f)
{
    sg_tell_words(f->guest, VMBUS_MSG_CLOSE, 1, f->channel.relid, 0);
}

static void test_torndown_waits(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.hold_close = true;
    post_close(&f);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    sg_run(f.guest, 2);
    assert_silence(&f); /* the device still has I/O on the pages */
    echo_let_go(&f.echo);
    sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    assert_silence(&f);
    g_assert_cmpuint(f.guest->connection_fd[f.channel.connection], ==, 0);
    end(&f);
}

/* CLOSE right behind OPEN, before the device has answered. */
static void test_close_while_opening(void)
{
    struct fixture f;

    begin_closed(&f, VMBUS_V5_2);
    sg_rings(&f.channel, 2);
    sg_open_post(&f.channel, NULL, 0);
    sg_close(&f.channel);
    g_assert_cmpuint(f.echo.opens, ==, 1);
    g_assert_cmpuint(f.echo.closes, ==, 1);
    sg_pick(f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmpuint(sg_open(&f.channel, 2, NULL, 0), ==, 0);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 0);
    end(&f);
}

/* OPEN while the device is still closing is honoured when it has. */
static void test_open_while_closing(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.hold_close = true;
    post_close(&f);
    sg_open_post(&f.channel, "again", 5);
    sg_run(f.guest, 2);
    assert_silence(&f);
    f.echo.hold_close = false;
    echo_let_go(&f.echo);
    expect_open_result(&f, 0);
    g_assert_cmpmem(f.echo.user_data, 5, "again", 5);
    echo_once(&f, "on the same rings");
    end(&f);
}

/* ...unless the guest closes again, or asks twice. */
static void test_open_while_closing_cancelled(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.hold_close = true;
    post_close(&f);
    sg_open_post(&f.channel, NULL, 0);
    sg_open_post(&f.channel, NULL, 0);
    expect_open_result(&f, 0x8000ffff);
    assert_silence(&f);
    post_close(&f);
    expect_open_result(&f, 0x8000ffff);
    echo_let_go(&f.echo);
    assert_silence(&f);
    g_assert_cmpuint(f.echo.opens, ==, 1);
    g_assert_false(channel_info(&f, 0).open);
    end(&f);
}

/* The GPADL goes before the OPEN that waits is honoured: a failed OPEN_RESULT. */
static void test_open_while_closing_gpadl_gone(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.hold_close = true;
    post_close(&f);
    sg_open_post(&f.channel, NULL, 0);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    sg_run(f.guest, 0);
    echo_let_go(&f.echo);
    sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    expect_open_result(&f, 0x8000ffff);
    end(&f);
}

/* --- Packets */

/* Long queues are taken in bursts; one signal to the guest for all of one burst. */
static void test_bursts(void)
{
    struct fixture f;
    unsigned sent = 0, received = 0;
    char buffer[16];

    begin_closed(&f, VMBUS_V5_2);
    g_assert_cmpuint(sg_open(&f.channel, 16, NULL, 0), ==, 0);
    uint64_t before = f.guest->signals;
    unsigned bursts = f.echo.bursts;
    while (sg_send_inband(&f.channel, sent, "12345678", 8))
        sent++;
    g_assert_cmpuint(sent, >, 1500);
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.echo.packets, ==, sent);
    g_assert_cmpuint(f.echo.bursts - bursts, ==, sent / 256 + 1);
    g_assert_cmpuint(f.guest->signals - before, ==, 1); /* nobody read: it was empty once */
    while (sg_receive(&f.channel, NULL, NULL, buffer, sizeof(buffer)) == 8)
        received++;
    g_assert_cmpuint(received, ==, sent);
    g_assert_cmpuint(channel_info(&f, 0).packets_in, ==, sent);
    g_assert_cmpuint(channel_info(&f, 0).packets_out, ==, sent);
    g_assert_cmpuint(channel_info(&f, 0).interrupts_in, ==, 1);
    g_assert_cmpuint(channel_info(&f, 0).interrupts_out, ==, 1);
    end(&f);
}

/* The device holds a packet off; it comes again, first and once, when the device says so. */
static void test_hold(void)
{
    struct fixture f;
    char buffer[16];
    uint64_t id;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.packet_error = -EAGAIN;
    g_assert_true(sg_send_inband(&f.channel, 1, "a", 1));
    g_assert_true(sg_send_inband(&f.channel, 2, "b", 1));
    sg_run(f.guest, 2);
    sg_signal(&f.channel); /* means nothing to a device that waits for something else */
    sg_run(f.guest, 2);
    g_assert_cmpuint(channel_info(&f, 0).packets_in, ==, 1);
    f.echo.packet_error = 0;
    vmbus_channel_resume(f.echo.channel[0]);
    g_assert_cmpint(sg_wait(&f.channel, NULL, &id, buffer, sizeof(buffer)), ==, 8);
    g_assert_cmpuint(id, ==, 1);
    g_assert_cmpint(sg_wait(&f.channel, NULL, &id, buffer, sizeof(buffer)), ==, 8);
    g_assert_cmpuint(id, ==, 2);
    g_assert_cmpuint(channel_info(&f, 0).packets_in, ==, 2);
    g_assert_cmpuint(channel_info(&f, 0).faults, ==, 0);
    end(&f);
}

static void test_packet_types(void)
{
    struct fixture f;
    char buffer[16];

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    g_assert_true(sg_send(&f.channel, VMBUS_PACKET_CANCEL, 0, 9, NULL, 0, NULL, 0));
    g_assert_true(sg_send(&f.channel, VMBUS_PACKET_COMPLETION, 0, 9, NULL, 0, "done", 4));
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.echo.packets, ==, 1);
    g_assert_cmpuint(f.echo.completions, ==, 1);
    g_assert_cmpint(sg_receive(&f.channel, NULL, NULL, buffer, sizeof(buffer)), ==, -1);
    echo_once(&f, "goes on");
    end(&f);
}

/* --- Room */

/* Fill the host->guest ring with completions until the device has to hold packets off; then read
 * all. Nothing is lost. With a guest that `tells` there is no waiting for a timer. */
static void fill_and_drain(struct fixture *f, bool tells)
{
    unsigned sent = 0, received = 0;
    char payload[200] = {0}, buffer[200];

    /* Two ring fulls. */
    for (unsigned round = 0; round < 2; round++) {
        while (sg_send_inband(&f->channel, sent, payload, sizeof(payload)))
            sent++;
        sg_run(f->guest, 0);
    }
    g_assert_cmpuint(f->echo.packets, <, sent);
    while (received < sent) {
        uint64_t id;
        int len = tells ? sg_receive(&f->channel, NULL, &id, buffer, sizeof(buffer))
                        : sg_wait(&f->channel, NULL, &id, buffer, sizeof(buffer));
        g_assert_cmpint(len, ==, sizeof(buffer));
        g_assert_cmpuint(id, ==, received++);
        sg_run(f->guest, 0);
    }
    g_assert_cmpuint(f->echo.packets, ==, sent);
}

static void test_room(gconstpointer version)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, GPOINTER_TO_UINT(version));
    fill_and_drain(&f, f.guest->version >= VMBUS_V2_4);
    end(&f);
}

/* A guest of 2.4 that has never set the feature bit, and does not signal. */
static void test_room_untold(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V2_4);
    *sg_ring_word(f.channel.out, SG_FEATURES) = 0;
    *sg_ring_word(f.channel.in, SG_FEATURES) = 0;
    fill_and_drain(&f, false);
    end(&f);
}

static void test_writable(void)
{
    struct fixture f;
    char payload[1000] = {0};
    int error;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    do
        error = echo_send(&f.echo, 0, payload, sizeof(payload));
    while (!error);
    g_assert_cmpint(error, ==, -EAGAIN);
    sg_run(f.guest, 5);
    g_assert_cmpuint(f.echo.writables, ==, 0);
    while (sg_receive(&f.channel, NULL, NULL, payload, sizeof(payload)) >= 0)
        ;
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.echo.writables, ==, 1);
    sg_run(f.guest, 60);
    g_assert_cmpuint(f.echo.writables, ==, 1);
    end(&f);
}

/* Room that a reservation gives back is told to whom it was refused; the guest cannot know it. */
static void test_unreserve(void)
{
    struct fixture f;
    char buffer[16];

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(vmbus_channel_reserve(f.echo.channel[0], 2016), ==, 0);
    g_assert_true(sg_send_inband(&f.channel, 1, "12345678", 8));
    sg_run(f.guest, 5);
    g_assert_cmpuint(f.echo.packets, ==, 0);
    vmbus_channel_unreserve(f.echo.channel[0], 2016);
    sg_run(f.guest, 5);
    g_assert_cmpuint(f.echo.packets, ==, 1);
    g_assert_cmpint(sg_receive(&f.channel, NULL, NULL, buffer, sizeof(buffer)), ==, 8);
    end(&f);
}

/* --- Signals */

static void test_target_vp(void)
{
    struct fixture f;

    begin(&f);
    f.guest->target_vp = 3;
    connect_and_open(&f, VMBUS_V2_4);
    echo_once(&f, "on VP 3");
    g_assert_cmpuint(channel_info(&f, 0).target_vp, ==, 3);
    for (uint32_t vp = 0; vp < 3; vp++)
        for (unsigned i = 0; i < 32; i++)
            g_assert_cmphex(f.guest->flags[vp][i], ==, 0);
    end(&f);
}

/* VP 0xffffffff: the channel never interrupts. */
static void test_no_vp(void)
{
    struct fixture f;
    char buffer[16];

    begin_closed(&f, VMBUS_V5_3);
    f.guest->target_vp = VMBUS_VP_NONE;
    g_assert_cmpuint(sg_open(&f.channel, 2, NULL, 0), ==, 0);
    g_assert_true(sg_send_inband(&f.channel, 1, "12345678", 8));
    g_assert_cmpint(sg_wait(&f.channel, NULL, NULL, buffer, sizeof(buffer)), ==, 8);
    g_assert_cmpuint(f.guest->signals, ==, 0);
    sg_tell_words(f.guest, VMBUS_MSG_MODIFY_CHANNEL, 2, f.channel.relid, 0);
    const uint8_t *message = sg_pick(f.guest, VMBUS_MSG_MODIFY_CHANNEL_RESPONSE);
    g_assert_cmphex(((const struct vmbus_msg_modify_channel_response *)message)->status, ==,
                    0x8000ffff);
    g_assert_cmphex(channel_info(&f, 0).target_vp, ==, VMBUS_VP_NONE);
    end(&f);
}

/* --- MODIFYCHANNEL */

static void modify(struct fixture *f, uint32_t relid, uint32_t vp)
{
    sg_tell_words(f->guest, VMBUS_MSG_MODIFY_CHANNEL, 2, relid, vp);
}

static void expect_modified(struct fixture *f, uint32_t status)
{
    struct vmbus_msg_modify_channel_response response;

    memcpy(&response, sg_expect(f->guest, VMBUS_MSG_MODIFY_CHANNEL_RESPONSE), sizeof(response));
    g_assert_cmphex(response.status, ==, status);
}

static void test_modify(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    for (uint32_t vp = FIXTURE_VPS; vp-- > 0;) {
        modify(&f, f.channel.relid, vp);
        expect_modified(&f, VMBUS_STATUS_SUCCESS);
        f.guest->target_vp = vp;
        echo_once(&f, "moved");
    }
    end(&f);
}

/* No answer below 5.3; of several at once the newest counts. */
static void test_modify_silent(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V4_1);
    modify(&f, f.channel.relid, 1);
    modify(&f, f.channel.relid, 2);
    modify(&f, f.channel.relid, 3);
    assert_silence(&f);
    g_assert_cmpuint(channel_info(&f, 0).target_vp, ==, 3);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 0);
    end(&f);
}

/* A guest of 5.3 that does not wait gets an answer to each, and the first counts. */
static void test_modify_impatient(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    modify(&f, f.channel.relid, 1);
    modify(&f, f.channel.relid, 2);
    expect_modified(&f, VMBUS_STATUS_FAILURE);
    expect_modified(&f, VMBUS_STATUS_SUCCESS);
    g_assert_cmpuint(channel_info(&f, 0).target_vp, ==, 1);
    end(&f);
}

/* The answer to a guest that is gone is not given to its successor, nor is its VP. */
static void test_modify_stale(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    modify(&f, f.channel.relid, 1);
    sg_initiate(f.guest, VMBUS_V5_3);
    sg_expect(f.guest, VMBUS_MSG_VERSION_RESPONSE);
    assert_silence(&f);
    connect_and_open(&f, VMBUS_V5_3);
    g_assert_cmpuint(channel_info(&f, 0).target_vp, ==, 0);
    modify(&f, f.channel.relid, 2);
    expect_modified(&f, VMBUS_STATUS_SUCCESS);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/open/device-refuses", test_device_refuses);
    g_test_add_func("/channel/open/no-event-path", test_no_event_path);
    fixture_add_versions("/channel/open/device-talks", test_talk_in_open);
    g_test_add_data_func("/channel/open/full-from-the-start/waits", NULL, test_full_from_the_start);
    g_test_add_data_func("/channel/open/full-from-the-start/fails", "", test_full_from_the_start);
    g_test_add_func("/channel/open/kick-waits", test_kick_waits);
    g_test_add_func("/channel/open/packets-before", test_packets_before_open);
    g_test_add_func("/channel/open/unequal-rings", test_unequal_rings);
    g_test_add_func("/channel/close/torndown-waits", test_torndown_waits);
    g_test_add_func("/channel/close/while-opening", test_close_while_opening);
    g_test_add_func("/channel/close/reopened", test_open_while_closing);
    g_test_add_func("/channel/close/reopen-cancelled", test_open_while_closing_cancelled);
    g_test_add_func("/channel/close/reopen-gpadl-gone", test_open_while_closing_gpadl_gone);
    g_test_add_func("/channel/packet/bursts", test_bursts);
    g_test_add_func("/channel/packet/hold", test_hold);
    g_test_add_func("/channel/packet/types", test_packet_types);
    fixture_add_versions("/channel/room", test_room);
    g_test_add_func("/channel/room/untold", test_room_untold);
    g_test_add_func("/channel/room/writable", test_writable);
    g_test_add_func("/channel/room/unreserve", test_unreserve);
    g_test_add_func("/channel/signal/target-vp", test_target_vp);
    g_test_add_func("/channel/signal/no-vp", test_no_vp);
    g_test_add_func("/channel/modify/answered", test_modify);
    g_test_add_func("/channel/modify/silent", test_modify_silent);
    g_test_add_func("/channel/modify/impatient", test_modify_impatient);
    g_test_add_func("/channel/modify/stale", test_modify_stale);
    return g_test_run();
}
