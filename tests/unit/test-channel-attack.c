/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile OPEN, CLOSE and MODIFYCHANNEL, and rings that break: group 5 of the hostile inputs, and
 * what the bus makes of groups 1 and 2 (the formats themselves are test-ring.c's).
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"

/* Connected, with a good GPADL of 3 + 3 pages for the channel. */
static void begin_rings(struct fixture *f)
{
    begin(f);
    g_assert_true(sg_connect(f->guest, VMBUS_V5_3));
    g_assert_true(sg_find_offer(f->guest, &echo_class.interface, 0, &f->channel));
    sg_rings(&f->channel, 2);
    sg_drop(f->guest);
}

static uint32_t open_with(struct fixture *f, uint32_t relid, uint32_t gpadl, uint32_t vp,
                          uint32_t downstream)
{
    struct vmbus_msg_open open = {
        .header.type = VMBUS_MSG_OPEN,
        .relid = relid,
        .open_id = 31,
        .gpadl = gpadl,
        .target_vp = vp,
        .downstream_page = downstream,
    };
    struct vmbus_msg_open_result result;

    sg_tell(f->guest, &open, sizeof(open));
    memcpy(&result, sg_expect(f->guest, VMBUS_MSG_OPEN_RESULT), sizeof(result));
    g_assert_cmpuint(result.relid, ==, relid);
    g_assert_cmpuint(result.open_id, ==, 31);
    return result.status;
}

/* The OPEN is refused, nothing is left over, and the good one goes through. */
static void assert_refused(struct fixture *f, uint32_t relid, uint32_t gpadl, uint32_t vp,
                           uint32_t downstream)
{
    g_assert_cmphex(open_with(f, relid, gpadl, vp, downstream), ==, VMBUS_STATUS_FAILURE);
    assert_silence(f);
    g_assert_cmpuint(f->echo.opens, ==, 0);
    g_assert_cmpuint(f->guest->connection_fd[f->channel.connection], ==, 0);
}

static void end_with_good_open(struct fixture *f)
{
    g_assert_cmphex(open_with(f, f->channel.relid, f->channel.gpadl, 0, 3), ==, 0);
    echo_once(f, "unharmed");
    sg_close(&f->channel);
    end(f);
}

static void test_open_relid(void)
{
    static const uint32_t relids[] = {0, 3, 255, 2047, 2048, 0x10002, 0x80000000, 0xffffffff};
    struct fixture f;

    begin_rings(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(relids); i++)
        assert_refused(&f, relids[i], f.channel.gpadl, 0, 3);
    end_with_good_open(&f);
}

/* No GPADL, somebody else's, one that is not complete, one that is going. */
static void test_open_gpadl(void)
{
    struct fixture f;

    begin_rings(&f);
    uint64_t pfn = sg_pages(f.guest, 64);
    assert_refused(&f, f.channel.relid, 0, 0, 3);
    assert_refused(&f, f.channel.relid, 0xffffffff, 0, 3);
    g_assert_cmpuint(sg_gpadl(f.guest, 1, 50, pfn, 6), ==, 0); /* the pipe's */
    assert_refused(&f, f.channel.relid, 50, 0, 3);
    struct vmbus_msg_gpadl_header begun = {
        .header.type = VMBUS_MSG_GPADL_HEADER,
        .relid = f.channel.relid,
        .gpadl = 51,
        .bytes = 8 + 64 * 8,
        .ranges = 1,
    };
    sg_tell(f.guest, &begun, sizeof(begun));
    assert_refused(&f, f.channel.relid, 51, 0, 3);
    end_with_good_open(&f);
}

static void test_open_downstream(void)
{
    static const uint32_t pages[] = {0, 1, 5, 6, 7, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    struct fixture f;

    begin_rings(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++)
        assert_refused(&f, f.channel.relid, f.channel.gpadl, 0, pages[i]);
    end_with_good_open(&f);
}

static void test_open_vp(void)
{
    static const uint32_t vps[] = {FIXTURE_VPS, 63, 64, 0x7fffffff, 0xfffffffe};
    struct fixture f;

    begin_rings(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(vps); i++)
        assert_refused(&f, f.channel.relid, f.channel.gpadl, vps[i], 3);
    end_with_good_open(&f);
}

/* GPADLs that are no rings: unaligned, two ranges, too short, control page among the data. */
static void test_open_shape(void)
{
    struct fixture f;
    struct {
        struct vmbus_msg_gpadl_header header;
        uint64_t list[20];
    } __attribute__((packed)) message = {.header.header.type = VMBUS_MSG_GPADL_HEADER};

    begin_rings(&f);
    uint64_t pfn = sg_pages(f.guest, 8);
    const uint64_t lists[][9] = {
        /* words, ranges, list */
        {7, 1, 5 * GMEM_PAGE | 8ull << 32, pfn, pfn + 1, pfn + 2, pfn + 3, pfn + 4, pfn + 5},
        {6, 2, 2 * GMEM_PAGE, pfn, pfn + 1, 2 * GMEM_PAGE, pfn + 2, pfn + 3},
        {4, 1, 3 * GMEM_PAGE, pfn, pfn + 1, pfn + 2},
        {5, 1, 4 * GMEM_PAGE, pfn, pfn + 1, pfn, pfn + 1},
        {5, 1, 4 * GMEM_PAGE, pfn, pfn, pfn + 2, pfn + 3},
        {5, 1, 4 * GMEM_PAGE, pfn, pfn + 1, pfn + 2, pfn + 2},
    };
    static const bool ring[] = {false, false, false, true, false, false};
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        message.header.relid = f.channel.relid;
        message.header.gpadl = 60 + i;
        message.header.bytes = (uint16_t)(lists[i][0] * 8);
        message.header.ranges = (uint16_t)lists[i][1];
        memcpy(message.list, &lists[i][2], lists[i][0] * 8);
        sg_tell(f.guest, &message, (uint32_t)(sizeof(message.header) + lists[i][0] * 8));
        const uint8_t *created = sg_expect(f.guest, VMBUS_MSG_GPADL_CREATED);
        g_assert_cmpuint(((const struct vmbus_msg_gpadl_created *)created)->status, ==, 0);
        /* Both rings on the same pages are the guest's own loss, and no harm to us. */
        if (!ring[i])
            assert_refused(&f, f.channel.relid, 60 + i, 0, 2);
    }
    g_assert_cmphex(open_with(&f, f.channel.relid, 63, 0, 2), ==, 0);
    memset(sg_mem(f.guest, pfn * GMEM_PAGE), 0xff, 2 * GMEM_PAGE);
    sg_signal(&f.channel);
    sg_run(f.guest, 0);
    g_assert_cmpuint(channel_info(&f, 0).faults, ==, 1);
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
    g_assert_cmphex(open_with(&f, f.channel.relid, f.channel.gpadl, 0, 3), ==, 0);
    end(&f);
}

/* Rings whose indices are impossible from the start. */
static void test_open_indices(void)
{
    struct fixture f;

    begin_rings(&f);
    *sg_ring_word(f.channel.out, SG_WRITE) = 8192;
    assert_refused(&f, f.channel.relid, f.channel.gpadl, 0, 3);
    *sg_ring_word(f.channel.out, SG_WRITE) = 0;
    *sg_ring_word(f.channel.in, SG_READ) = 4;
    assert_refused(&f, f.channel.relid, f.channel.gpadl, 0, 3);
    *sg_ring_word(f.channel.in, SG_READ) = 0;
    end_with_good_open(&f);
}

static void test_open_of_open(void)
{
    struct fixture f;

    begin_rings(&f);
    g_assert_cmphex(open_with(&f, f.channel.relid, f.channel.gpadl, 0, 3), ==, 0);
    g_assert_cmphex(open_with(&f, f.channel.relid, f.channel.gpadl, 0, 3), ==,
                    VMBUS_STATUS_FAILURE);
    g_assert_cmpuint(f.echo.opens, ==, 1);
    echo_once(&f, "the first is not disturbed");
    end(&f);
}

static void test_close(void)
{
    static const uint32_t relids[] = {0, 1, 3, 2047, 2048, 0xffffffff};
    struct fixture f;

    begin_rings(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(relids); i++)
        sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, relids[i], 0);
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0); /* not open */
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, G_N_ELEMENTS(relids) + 1);
    g_assert_cmphex(open_with(&f, f.channel.relid, f.channel.gpadl, 0, 3), ==, 0);
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0); /* twice */
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.echo.closes, ==, 1);
    end_with_good_open(&f);
}

static void test_modify(void)
{
    static const struct {
        bool known;
        uint32_t vp;
    } requests[] = {{false, 0}, {true, FIXTURE_VPS}, {true, 64}, {true, 0xffffffff}};
    struct fixture f;

    begin_rings(&f);
    sg_tell_words(f.guest, VMBUS_MSG_MODIFY_CHANNEL, 2, f.channel.relid, 0); /* not open */
    sg_expect(f.guest, VMBUS_MSG_MODIFY_CHANNEL_RESPONSE);
    g_assert_cmphex(open_with(&f, f.channel.relid, f.channel.gpadl, 1, 3), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        struct vmbus_msg_modify_channel_response response;
        uint32_t relid = requests[i].known ? f.channel.relid : 2048;
        sg_tell_words(f.guest, VMBUS_MSG_MODIFY_CHANNEL, 2, relid, requests[i].vp);
        memcpy(&response, sg_expect(f.guest, VMBUS_MSG_MODIFY_CHANNEL_RESPONSE), sizeof(response));
        g_assert_cmpuint(response.relid, ==, relid);
        g_assert_cmphex(response.status, ==, VMBUS_STATUS_FAILURE);
    }
    g_assert_cmpuint(channel_info(&f, 0).target_vp, ==, 1);
    end(&f);
}

/* --- Rings that break */

/* The device has lost the channel, the guest finds it dead, closes and opens it again. */
static void assert_dead_then_reopen(struct fixture *f)
{
    char buffer[16];

    sg_run(f->guest, 0);
    g_assert_cmpuint(channel_info(f, 0).faults, ==, 1);
    g_assert_true(channel_info(f, 0).open); /* as far as the guest has said */
    g_assert_cmpuint(f->echo.closes, ==, 1);
    g_assert_null(f->echo.channel[0]);
    sg_signal(&f->channel);
    sg_run(f->guest, 0);
    assert_silence(f);
    g_assert_cmpuint(f->echo.packets, ==, 0);
    g_assert_cmpint(sg_receive(&f->channel, NULL, NULL, buffer, sizeof(buffer)), ==, -1);
    sg_close(&f->channel);
    g_assert_cmpuint(f->echo.closes, ==, 1);
    f->echo.packet_error = 0;
    g_assert_cmpuint(sg_open(&f->channel, 2, NULL, 0), ==, 0);
    echo_once(f, "a new life");
    g_assert_cmpuint(channel_info(f, 0).faults, ==, 1);
    end(f);
}

static void test_ring_packet(void)
{
    static const uint64_t packets[] = {0,
                                       ~0ull,
                                       6 | 2ull << 16 | 1ull << 32, /* total < header */
                                       6 | 2ull << 16 | 0xffffull << 32,
                                       9 | 2ull << 16 | 2ull << 32, /* no room for the ranges */
                                       1 | 2ull << 16 | 2ull << 32,
                                       6 | 2ull << 16 | 2ull << 32 | 2ull << 48};

    for (unsigned i = 0; i < G_N_ELEMENTS(packets); i++) {
        uint64_t bytes[3] = {packets[i], 0, 0};
        struct fixture f;
        begin(&f);
        connect_and_open(&f, VMBUS_V5_2);
        sg_send_raw(&f.channel, bytes, sizeof(bytes));
        assert_dead_then_reopen(&f);
    }
}

static void test_ring_index(void)
{
    static const uint32_t indices[] = {4, 8192, 8191, 0x80000000, 0xfffffff8, 0xffffffff};

    for (unsigned i = 0; i < G_N_ELEMENTS(indices); i++) {
        struct fixture f;
        begin(&f);
        connect_and_open(&f, VMBUS_V5_2);
        *sg_ring_word(f.channel.out, SG_WRITE) = indices[i];
        sg_signal(&f.channel);
        assert_dead_then_reopen(&f);
    }
}

/* The host->guest ring's read index breaks while the device sends. */
static void test_ring_peer_index(void)
{
    char payload[3000] = {0};
    struct fixture f;
    int error = 0;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    *sg_ring_word(f.channel.in, SG_READ) = 12;
    for (unsigned i = 0; i < 10 && !error; i++)
        error = echo_send(&f.echo, 0, payload, sizeof(payload));
    g_assert_cmpint(error, ==, -ECONNRESET);
    g_assert_cmpint(echo_send(&f.echo, 0, payload, 1), ==, -ECONNRESET);
    g_assert_cmpint(vmbus_channel_reserve(f.echo.channel[0], 1), ==, -ECONNRESET);
    sg_run(f.guest, 0);
    *sg_ring_word(f.channel.in, SG_READ) = *sg_ring_word(f.channel.in, SG_WRITE);
    assert_dead_then_reopen(&f);
}

/* The device does not like the packet. */
static void test_packet_refused(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.packet_error = -EPROTO;
    g_assert_true(sg_send_inband(&f.channel, 1, "what", 4));
    g_assert_true(sg_send_inband(&f.channel, 2, "ever", 4));
    assert_dead_then_reopen(&f);
}

/* A dead channel whose device still has I/O: CLOSE waits for it, and so does a reset. */
static void test_dead_with_io(gconstpointer reset)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    f.echo.hold_close = true;
    sg_send_raw(&f.channel, "bad", 3);
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.echo.closes, ==, 1);
    if (reset) {
        sg_initiate(f.guest, VMBUS_V5_2);
    } else {
        sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
        sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    }
    assert_silence(&f);
    echo_let_go(&f.echo);
    sg_expect(f.guest, reset ? VMBUS_MSG_VERSION_RESPONSE : VMBUS_MSG_GPADL_TORNDOWN);
    assert_silence(&f);
    end(&f);
}

/* A signal storm on an idle channel costs turns, nothing else. */
static void test_signal_storm(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_2);
    for (unsigned i = 0; i < 10000; i++) {
        sg_signal(&f.channel);
        if (i % 10 == 0)
            lane_turn(f.guest->lane, 0);
    }
    sg_run(f.guest, 0);
    g_assert_cmpuint(channel_info(&f, 0).interrupts_in, ==, 10000);
    g_assert_cmpuint(channel_info(&f, 0).interrupts_out, ==, 0);
    echo_once(&f, "unharmed");
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/attack/open-relid", test_open_relid);
    g_test_add_func("/channel/attack/open-gpadl", test_open_gpadl);
    g_test_add_func("/channel/attack/open-downstream", test_open_downstream);
    g_test_add_func("/channel/attack/open-vp", test_open_vp);
    g_test_add_func("/channel/attack/open-shape", test_open_shape);
    g_test_add_func("/channel/attack/open-indices", test_open_indices);
    g_test_add_func("/channel/attack/open-of-open", test_open_of_open);
    g_test_add_func("/channel/attack/close", test_close);
    g_test_add_func("/channel/attack/modify", test_modify);
    g_test_add_func("/channel/attack/ring-packet", test_ring_packet);
    g_test_add_func("/channel/attack/ring-index", test_ring_index);
    g_test_add_func("/channel/attack/ring-peer-index", test_ring_peer_index);
    g_test_add_func("/channel/attack/packet-refused", test_packet_refused);
    g_test_add_data_func("/channel/attack/dead-with-io/close", NULL, test_dead_with_io);
    g_test_add_data_func("/channel/attack/dead-with-io/reset", "", test_dead_with_io);
    g_test_add_func("/channel/attack/signal-storm", test_signal_storm);
    return g_test_run();
}
