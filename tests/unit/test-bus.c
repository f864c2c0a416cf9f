/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus: versions, offers, reset, back-pressure. Its attacks are in test-bus-attack.c.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"

/* --- Versions */

/* Everything a driver does, at one version: connect, open, talk, close, open again, unload. */
static void test_version(gconstpointer data)
{
    uint32_t version = GPOINTER_TO_UINT(data);
    struct fixture f;

    begin(&f);
    connect_and_open(&f, version);
    g_assert_cmpuint(vmbus_bus_version(f.guest->bus), ==, version);
    g_assert_cmpmem(f.echo.user_data, 4, "user", 4);
    g_assert_cmpuint(vmbus_channel_version(f.echo.channel[0]), ==, version);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 300; i++)
            echo_once(&f, "over the wrap of the ring and back");
        sg_close(&f.channel);
        g_assert_cmpuint(f.echo.closes, ==, round + 1);
        g_assert_cmpuint(sg_open(&f.channel, 2, NULL, 0), ==, 0);
    }
    sg_tell_words(f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
    if (version >= VMBUS_V1_1)
        sg_expect(f.guest, VMBUS_MSG_UNLOAD_RESPONSE);
    assert_silence(&f);
    g_assert_cmpuint(vmbus_bus_version(f.guest->bus), ==, 0);
    g_assert_cmpuint(f.echo.closes, ==, 4);
    g_assert_cmpuint(f.guest->connection_fd[f.channel.connection], ==, 0);
    g_assert_cmpuint(f.guest->connection_fd[VMBUS_CONNECTION_EVENT], ==, 0);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 0);
    end(&f);
}

static void test_version_response(void)
{
    struct fixture f;
    uint32_t vp;

    begin(&f);
    f.guest->target_vp = 3;
    for (unsigned i = 0; i < FIXTURE_VERSIONS; i++) {
        g_assert_cmpuint(sg_initiate(f.guest, fixture_versions[i]), ==, HV_STATUS_SUCCESS);
        struct vmbus_msg_version_response response = version_response(&f, &vp);
        g_assert_cmpuint(response.supported, ==, 1);
        g_assert_cmpuint(response.state, ==, VMBUS_STATE_OK);
        /* Where a 5.0 guest posts from now on: a zero there would kill the bus. */
        g_assert_cmpuint(response.connection, ==,
                         fixture_versions[i] >= VMBUS_V5_0 ? VMBUS_CONNECTION_MESSAGE_5
                                                           : fixture_versions[i]);
        g_assert_cmpuint(vp, ==, fixture_versions[i] >= VMBUS_V3_0 ? 3 : 0);
    }
    g_assert_cmpuint(stats(&f).connects, ==, FIXTURE_VERSIONS);
    end(&f);
}

/* A driver newer than us, or than the machine's cap, steps down; each step is answered. */
static void test_step_down(void)
{
    static const uint32_t asked[] = {0x00060000, VMBUS_V5_3, VMBUS_V5_2, 0x00050009,
                                     VMBUS_V4_1, 0x0003ffff, VMBUS_V3_0};
    struct fixture f;

    begin_with(&f, 1, VMBUS_V4_0);
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++)
        g_assert_cmpuint(sg_initiate(f.guest, asked[i]), ==, HV_STATUS_SUCCESS);
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        struct vmbus_msg_version_response response = version_response(&f, NULL);
        bool good = asked[i] == VMBUS_V3_0;
        g_assert_cmpuint(response.supported, ==, good);
        g_assert_cmpuint(response.state, ==, 0);
        g_assert_cmpuint(response.connection, ==, good ? VMBUS_V3_0 : 0);
    }
    g_assert_cmpuint(vmbus_bus_version(f.guest->bus), ==, VMBUS_V3_0);
    end(&f);
}

/* iPXE: 3.0, UNLOAD, 0.13; then a kernel that knows nothing of it. */
static void test_handover(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V3_0);
    sg_tell_words(f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
    sg_expect(f.guest, VMBUS_MSG_UNLOAD_RESPONSE);
    connect_and_open(&f, VMBUS_V0_13);
    echo_once(&f, "boot loader");
    connect_and_open(&f, VMBUS_V5_2);
    echo_once(&f, "kernel");
    g_assert_cmpuint(f.echo.opens, ==, 3);
    g_assert_cmpuint(f.echo.resets, ==, 4);
    end(&f);
}

static void test_version_text(void)
{
    char text[16];

    g_assert_cmpstr(vmbus_version_text(VMBUS_V5_2, text), ==, "5.2");
    g_assert_cmpstr(vmbus_version_text(VMBUS_V0_13, text), ==, "0.13");
    g_assert_cmpstr(vmbus_version_text(0xffffffff, text), ==, "65535.65535");
    g_assert_cmpstr(vmbus_version_text(0, text), ==, "none");
}

static void test_monitor_pages(void)
{
    struct fixture f;

    begin(&f);
    for (unsigned i = 0; i < FIXTURE_VERSIONS; i++) {
        struct vmbus_msg_initiate_contact contact = contact_for(&f, fixture_versions[i]);
        uint32_t connection = fixture_versions[i] >= VMBUS_V5_0 ? VMBUS_CONNECTION_MESSAGE_5 : 1;

        g_assert_cmpuint(try_contact(&f, connection, &contact).supported, ==, 1);
        for (unsigned bad = 0; bad < 2; bad++) {
            contact.monitor_out = bad ? 0x7008 : 0x7000;
            contact.monitor_in = bad ? 0x8000 : 0;
            struct vmbus_msg_version_response response = try_contact(&f, connection, &contact);
            bool new = fixture_versions[i] >= VMBUS_V2_4;
            g_assert_cmpuint(response.supported, ==, new);
            g_assert_cmpuint(response.state, ==, new ? VMBUS_STATE_FAILURE : 0);
            g_assert_cmpuint(response.connection, ==, 0);
            g_assert_cmpuint(vmbus_bus_version(f.guest->bus), ==, 0);
        }
    }
    end(&f);
}

static void test_sint_and_vtl(void)
{
    struct fixture f;

    begin(&f);
    struct vmbus_msg_initiate_contact contact = contact_for(&f, VMBUS_V5_2);
    contact.sint = 5;
    g_assert_cmpuint(try_contact(&f, 4, &contact).supported, ==, 0);
    contact.sint = VMBUS_SINT;
    contact.vtl = 1;
    g_assert_cmpuint(try_contact(&f, 4, &contact).supported, ==, 0);
    /* On connection 1 the bytes mean nothing. */
    contact.sint = 9;
    g_assert_cmpuint(try_contact(&f, 1, &contact).supported, ==, 1);
    end(&f);
}

/* --- Offers */

static const struct vmbus_msg_offer *expect_offer(struct fixture *f)
{
    return (const void *)sg_expect(f->guest, VMBUS_MSG_OFFER);
}

static void test_offer_fields(void)
{
    struct fixture f;
    uint32_t pipe_type;

    begin(&f);
    g_assert_true(sg_connect(f.guest, VMBUS_V5_2));
    /* Added second, offered first: interface GUIDs decide. */
    struct vmbus_msg_offer offer = *expect_offer(&f);
    g_assert_cmpmem(&offer.interface, 16, &pipe_class.interface, 16);
    memcpy(&pipe_type, offer.user_data, 4);
    g_assert_cmpuint(pipe_type, ==, VMBUS_PIPE_MESSAGE);
    g_assert_cmpuint(offer.relid, ==, 1);
    offer = *expect_offer(&f);
    g_assert_cmpmem(&offer.interface, 16, &echo_class.interface, 16);
    g_assert_cmpmem(&offer.instance, 16, &f.echo.vsp.instance, 16);
    g_assert_cmpuint(offer.flags, ==, VMBUS_OFFER_ENUMERATE);
    g_assert_cmpuint(offer.mmio_mib, ==, 3);
    g_assert_cmpuint(offer.user_data[0], ==, 0);
    g_assert_cmpuint(offer.index, ==, 0);
    g_assert_cmpuint(offer.relid, ==, 2);
    g_assert_cmpuint(offer.monitor_id, ==, 0xff);
    g_assert_cmpuint(offer.monitor_allocated, ==, 0);
    g_assert_cmpuint(offer.dedicated, ==, 1);
    g_assert_cmpuint(offer.connection, ==, 0x2002);
    sg_expect(f.guest, VMBUS_MSG_ALL_OFFERS_DELIVERED);
    assert_silence(&f);
    end(&f);
}

/* Many devices, added in no order. */
struct crowd {
    struct scripted_guest *guest;
    struct echo echo[LIMIT_CHANNELS];
};

static struct crowd *crowd_new(unsigned count)
{
    struct crowd *crowd = g_new0(struct crowd, 1);

    crowd->guest = sg_new(FIXTURE_RAM, 1, VMBUS_V5_3);
    for (unsigned i = 0; i < count; i++) {
        /* 257 is prime to every count used here, so each instance comes once. */
        echo_init(&crowd->echo[i], &echo_class, i * 257 % count, crowd->guest->lane);
        g_assert_cmpint(vmbus_bus_add(crowd->guest->bus, &crowd->echo[i].vsp), ==, 0);
    }
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    sg_free(crowd->guest);
    g_free(crowd);
}

/* Take offers up to ALL_OFFERS_DELIVERED: sorted, relids 1, 2, 3... Returns how many. */
static unsigned take_offers(struct scripted_guest *guest)
{
    unsigned count = 0;

    for (;;) {
        const struct sg_message *message = sg_take(guest);
        g_assert_nonnull(message);
        if (sg_message_type(message) == VMBUS_MSG_ALL_OFFERS_DELIVERED)
            return count;
        const struct vmbus_msg_offer *offer = (const void *)message->data;
        g_assert_cmpuint(offer->header.type, ==, VMBUS_MSG_OFFER);
        g_assert_cmpuint(offer->instance.b[14] << 8 | offer->instance.b[15], ==, count);
        g_assert_cmpuint(offer->relid, ==, ++count);
    }
}

static void test_offers_stable(void)
{
    struct crowd *crowd = crowd_new(300);

    for (unsigned round = 0; round < 3; round++) {
        g_assert_true(sg_connect(crowd->guest, VMBUS_V3_0));
        g_assert_cmpuint(take_offers(crowd->guest), ==, 300);
    }
    crowd_free(crowd);
}

/* Guests below 2.4 have room for 255 relids. */
static void test_offers_old(void)
{
    struct crowd *crowd = crowd_new(300);

    g_assert_true(sg_connect(crowd->guest, VMBUS_V1_1));
    g_assert_cmpuint(take_offers(crowd->guest), ==, 255);
    crowd_free(crowd);
}

static void test_add_limits(void)
{
    struct crowd *crowd = crowd_new(LIMIT_CHANNELS);
    struct echo echo;

    echo_init(&echo, &echo_class, 5, crowd->guest->lane);
    g_assert_cmpint(vmbus_bus_add(crowd->guest->bus, &echo.vsp), ==, -EEXIST);
    echo_init(&echo, &echo_class, 60000, crowd->guest->lane);
    g_assert_cmpint(vmbus_bus_add(crowd->guest->bus, &echo.vsp), ==, -ENOSPC);
    crowd_free(crowd);
}

/* Three messages of room: offers come as the guest reads, in order, none lost; posts wait, and when
 * the queue is full the guest is told to try again. */
static void test_back_pressure(void)
{
    struct crowd *crowd = crowd_new(300);
    struct scripted_guest *guest = crowd->guest;
    const uint32_t close[3] = {VMBUS_MSG_CLOSE, 0, 9};
    struct vmbus_bus_stats stats;

    guest->fifo_limit = 3;
    g_assert_true(sg_connect(guest, VMBUS_V4_0));
    sg_run(guest, 0);
    g_assert_cmpuint(guest->messages - guest->taken, ==, 3);
    for (unsigned i = 0; i < LIMIT_INBOUND_MSGS; i++)
        g_assert_cmpuint(sg_post(guest, 1, close, sizeof(close)), ==, HV_STATUS_SUCCESS);
    g_assert_cmpuint(sg_post(guest, 1, close, sizeof(close)), ==, HV_STATUS_INSUFFICIENT_BUFFERS);
    sg_run(guest, 0);
    g_assert_cmpuint(sg_post(guest, 1, close, sizeof(close)), ==, HV_STATUS_INSUFFICIENT_BUFFERS);
    vmbus_bus_stats(guest->bus, &stats);
    g_assert_cmpuint(stats.posts_refused, ==, 2);
    g_assert_cmpuint(stats.messages_in, ==, 2);
    g_assert_cmpuint(take_offers(guest), ==, 300);
    sg_run(guest, 0);
    vmbus_bus_stats(guest->bus, &stats);
    g_assert_cmpuint(stats.messages_in, ==, 2 + LIMIT_INBOUND_MSGS);
    crowd_free(crowd);
}

/* What the bus owes while the guest does not read is kept, in order. */
static void test_outbox(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    f.echo.hold_close = true;
    f.guest->fifo_limit = 1;
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, 12345);
    sg_run(f.guest, 0); /* TORNDOWN of 12345 fills the only place */
    echo_let_go(&f.echo);
    sg_run(f.guest, 0);
    g_assert_cmpuint(f.guest->messages - f.guest->taken, ==, 1);
    const uint8_t *message = sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(((const struct vmbus_msg_gpadl_torndown *)message)->gpadl, ==, 12345);
    message = sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(((const struct vmbus_msg_gpadl_torndown *)message)->gpadl, ==,
                     f.channel.gpadl);
    f.guest->fifo_limit = SG_MESSAGES;
    end(&f);
}

/* Nothing is taken from a guest that has not read the last answer, even if there is nothing to add
 * to it yet. */
static void test_congested(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    f.guest->fifo_limit = 1;
    for (uint32_t id = 1; id <= 3; id++)
        sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, id);
    uint64_t before = stats(&f).messages_in;
    for (uint32_t id = 1; id <= 3; id++) {
        sg_run(f.guest, 0);
        g_assert_cmpuint(stats(&f).messages_in - before, ==, id);
        sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    }
    f.guest->fifo_limit = SG_MESSAGES;
    end(&f);
}

static uint32_t version_response_vp(struct scripted_guest *guest)
{
    const struct sg_message *message = sg_take(guest);

    g_assert_nonnull(message);
    g_assert_cmpuint(sg_message_type(message), ==, VMBUS_MSG_VERSION_RESPONSE);
    return message->vp;
}

/* A crashed kernel never reads the answer that is in its way; the one that it started for its dump
 * speaks from another VP and must be heard. The same words from the VP that does not read wait
 * their turn. */
static void test_successor(void)
{
    struct fixture f;
    struct vmbus_msg_initiate_contact contact = {
        .header.type = VMBUS_MSG_INITIATE_CONTACT, .version = VMBUS_V5_3, .target_vp = 0};

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    f.guest->fifo_limit = 1;
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, 1);
    sg_run(f.guest, 0);
    contact.sint = VMBUS_SINT;
    sg_post(f.guest, VMBUS_CONNECTION_MESSAGE_5, &contact, sizeof(contact));
    sg_run(f.guest, 0);
    sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(version_response_vp(f.guest), ==, 0);

    contact.target_vp = 1;
    sg_post(f.guest, VMBUS_CONNECTION_MESSAGE_5, &contact,
            sizeof(contact)); /* answered to VP 1, unread */
    sg_run(f.guest, 0);
    contact.target_vp = 0;
    sg_post(f.guest, VMBUS_CONNECTION_MESSAGE_5, &contact, sizeof(contact));
    g_assert_cmpuint(version_response_vp(f.guest), ==, 0);
    f.guest->fifo_limit = SG_MESSAGES;
    end(&f);
}

/* --- Reset */

static void on_done(void *context)
{
    ++*(unsigned *)context;
}

static void test_reset_idle(void)
{
    struct fixture f;
    unsigned done = 0;

    begin(&f);
    vmbus_bus_reset(f.guest->bus, on_done, &done);
    sg_run(f.guest, 0);
    g_assert_cmpuint(done, ==, 1);
    connect_and_open(&f, VMBUS_V2_4);
    end(&f);
}

static void test_reset_waits(void)
{
    struct fixture f;
    unsigned done = 0;

    begin(&f);
    connect_and_open(&f, VMBUS_V4_1);
    f.echo.hold_close = true;
    vmbus_bus_reset(f.guest->bus, on_done, &done);
    sg_run(f.guest, 2);
    g_assert_cmpuint(f.echo.closes, ==, 1);
    g_assert_cmpuint(done, ==, 0);
    g_assert_cmpuint(f.echo.resets, ==, 1); /* the one of sg_connect() */
    echo_let_go(&f.echo);
    sg_run(f.guest, 0);
    g_assert_cmpuint(done, ==, 1);
    g_assert_cmpuint(f.echo.resets, ==, 2);
    assert_silence(&f);
    f.echo.hold_close = false;
    connect_and_open(&f, VMBUS_V4_1);
    echo_once(&f, "as new");
    end(&f);
}

/* What was owed to the guest is not told to its successor. */
static void test_reset_outbox(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    f.echo.hold_close = true;
    f.guest->fifo_limit = 1;
    sg_tell_words(f.guest, VMBUS_MSG_CLOSE, 1, f.channel.relid, 0);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, f.channel.gpadl);
    sg_tell_words(f.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, f.channel.relid, 12345);
    sg_run(f.guest, 0); /* TORNDOWN of 12345 fills the only place */
    echo_let_go(&f.echo);
    sg_run(f.guest, 0); /* the other one waits in the outbox */
    sg_stop(f.guest);
    sg_expect(f.guest, VMBUS_MSG_GPADL_TORNDOWN);
    assert_silence(&f);
    end(&f);
}

/* The machine resets while the guest's own reset waits: the guest's is not answered. */
static void test_reset_during_contact(void)
{
    struct fixture f;
    unsigned done = 0;

    begin(&f);
    connect_and_open(&f, VMBUS_V4_1);
    f.echo.hold_close = true;
    sg_initiate(f.guest, VMBUS_V4_1);
    sg_initiate(f.guest, VMBUS_V4_1);
    sg_run(f.guest, 0);
    vmbus_bus_reset(f.guest->bus, on_done, &done);
    echo_let_go(&f.echo);
    sg_run(f.guest, 0);
    g_assert_cmpuint(done, ==, 1);
    assert_silence(&f);
    g_assert_cmpuint(vmbus_bus_version(f.guest->bus), ==, 0);
    f.echo.hold_close = false;
    end(&f);
}

/* Renegotiation while I/O is in flight is answered when the device has let go. */
static void test_contact_waits(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V0_13);
    f.echo.hold_close = true;
    sg_initiate(f.guest, VMBUS_V5_0);
    sg_initiate(f.guest, VMBUS_V3_0);
    sg_run(f.guest, 2);
    assert_silence(&f);
    echo_let_go(&f.echo);
    g_assert_cmpuint(version_response(&f, NULL).connection, ==, VMBUS_CONNECTION_MESSAGE_5);
    g_assert_cmpuint(version_response(&f, NULL).connection, ==, VMBUS_V3_0);
    f.echo.hold_close = false;
    end(&f);
}

static void test_unload_waits(void)
{
    struct fixture f;

    begin(&f);
    f.guest->target_vp = 2;
    connect_and_open(&f, VMBUS_V3_0);
    f.echo.hold_close = true;
    sg_tell_words(f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
    sg_run(f.guest, 2);
    assert_silence(&f);
    echo_let_go(&f.echo);
    const struct sg_message *message = sg_take(f.guest);
    g_assert_nonnull(message);
    g_assert_cmpuint(sg_message_type(message), ==, VMBUS_MSG_UNLOAD_RESPONSE);
    g_assert_cmpuint(message->vp, ==, 2); /* the one that connected */
    assert_silence(&f);
    f.echo.hold_close = false;
    end(&f);
}

/* --- What this bus does not have */

static void test_reserved(void)
{
    struct fixture f;
    const uint32_t open[7] = {VMBUS_MSG_OPEN_RESERVED, 0, 77, 1, 2, 0, 1};
    const uint32_t close[5] = {VMBUS_MSG_CLOSE_RESERVED, 0, 77, 3, 2};

    begin(&f);
    sg_tell(f.guest, close, sizeof(close)); /* disconnected */
    const struct sg_message *message = sg_take(f.guest);
    g_assert_nonnull(message);
    g_assert_cmpuint(sg_message_type(message), ==, VMBUS_MSG_CLOSE_RESERVED_RESPONSE);
    g_assert_cmpuint(message->len, ==, 12);
    g_assert_cmpuint(message->data[8], ==, 77);
    g_assert_cmpuint(message->vp, ==, 3);
    sg_tell(f.guest, open, sizeof(open));
    assert_silence(&f);

    g_assert_true(sg_connect(f.guest, VMBUS_V4_0));
    sg_drop(f.guest);
    sg_tell(f.guest, open, sizeof(open));
    const uint8_t *result = sg_expect(f.guest, VMBUS_MSG_OPEN_RESULT);
    g_assert_cmpuint(((const struct vmbus_msg_open_result *)result)->relid, ==, 77);
    g_assert_cmphex(((const struct vmbus_msg_open_result *)result)->status, ==, 0x8000ffff);
    sg_tell(f.guest, close, sizeof(close));
    sg_expect(f.guest, VMBUS_MSG_CLOSE_RESERVED_RESPONSE);
    end(&f);
}

static void test_tl_connect(void)
{
    struct fixture f;
    uint8_t request[56] = {VMBUS_MSG_TL_CONNECT};

    for (unsigned i = 8; i < sizeof(request); i++)
        request[i] = (uint8_t)i;
    begin(&f);
    g_assert_true(sg_connect(f.guest, VMBUS_V4_0));
    sg_drop(f.guest);
    sg_tell(f.guest, request, 40);
    assert_silence(&f); /* 4.0 knows no such answer */
    g_assert_true(sg_connect(f.guest, VMBUS_V5_2));
    sg_drop(f.guest);
    for (uint32_t len = 40; len <= 56; len += 16) {
        sg_tell(f.guest, request, len);
        const uint8_t *result = sg_expect(f.guest, VMBUS_MSG_TL_CONNECT_RESULT);
        g_assert_cmpmem(result + 8, 32, request + 8, 32);
        g_assert_cmphex(((const struct vmbus_msg_tl_connect_result *)result)->status, ==,
                        0xc0000236);
    }
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_add_versions("/bus/version", test_version);
    g_test_add_func("/bus/version/response", test_version_response);
    g_test_add_func("/bus/version/step-down", test_step_down);
    g_test_add_func("/bus/version/handover", test_handover);
    g_test_add_func("/bus/version/text", test_version_text);
    g_test_add_func("/bus/version/monitor-pages", test_monitor_pages);
    g_test_add_func("/bus/version/sint-and-vtl", test_sint_and_vtl);
    g_test_add_func("/bus/offers/fields", test_offer_fields);
    g_test_add_func("/bus/offers/stable", test_offers_stable);
    g_test_add_func("/bus/offers/old", test_offers_old);
    g_test_add_func("/bus/offers/limits", test_add_limits);
    g_test_add_func("/bus/back-pressure", test_back_pressure);
    g_test_add_func("/bus/outbox", test_outbox);
    g_test_add_func("/bus/congested", test_congested);
    g_test_add_func("/bus/successor", test_successor);
    g_test_add_func("/bus/reset/idle", test_reset_idle);
    g_test_add_func("/bus/reset/outbox", test_reset_outbox);
    g_test_add_func("/bus/reset/waits", test_reset_waits);
    g_test_add_func("/bus/reset/during-contact", test_reset_during_contact);
    g_test_add_func("/bus/reset/contact-waits", test_contact_waits);
    g_test_add_func("/bus/reset/unload-waits", test_unload_waits);
    g_test_add_func("/bus/reserved", test_reserved);
    g_test_add_func("/bus/tl-connect", test_tl_connect);
    return g_test_run();
}
