/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile guest posts and signals to the bus: groups 5 and 6 of the hostile inputs. Attacks
 * on channels are in test-channel-attack.c, on GPADLs in test-gpadl.c.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/bus_fixture.h"

/* Each type, too short by one byte: nothing happens, all are counted. */
static void test_attack_short(void)
{
    static const uint8_t least[VMBUS_MSG_TYPES] = {
        [VMBUS_MSG_REQUEST_OFFERS] = 8,  [VMBUS_MSG_OPEN] = 148,
        [VMBUS_MSG_CLOSE] = 12,          [VMBUS_MSG_GPADL_HEADER] = 20,
        [VMBUS_MSG_GPADL_BODY] = 16,     [VMBUS_MSG_GPADL_TEARDOWN] = 16,
        [VMBUS_MSG_RELID_RELEASED] = 12, [VMBUS_MSG_INITIATE_CONTACT] = 40,
        [VMBUS_MSG_UNLOAD] = 8,          [VMBUS_MSG_OPEN_RESERVED] = 28,
        [VMBUS_MSG_CLOSE_RESERVED] = 20, [VMBUS_MSG_TL_CONNECT] = 40,
        [VMBUS_MSG_MODIFY_CHANNEL] = 16,
    };
    struct fixture f;
    uint8_t message[240] = {0};
    uint64_t bad;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    bad = stats(&f).messages_bad;
    for (uint8_t type = 0; type < VMBUS_MSG_TYPES; type++) {
        message[0] = type;
        for (uint32_t len = 0; len < least[type]; len++, bad++)
            sg_tell(f.guest, message, len);
    }
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, bad);
    echo_once(&f, "unharmed");
    end(&f);
}

static void test_attack_unknown_type(void)
{
    static const uint32_t types[] = {0,  1,  2,  4,  6,  10, 12,         15,
                                     17, 20, 23, 24, 25, 29, 0x7fffffff, 0xffffffff};
    struct fixture f;
    uint32_t message[60] = {0};

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        message[0] = types[i];
        sg_tell(f.guest, message, sizeof(message));
    }
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, G_N_ELEMENTS(types));
    echo_once(&f, "unharmed");
    end(&f);
}

/* HvPostMessage's own input. */
static void test_attack_post(void)
{
    static const struct {
        uint32_t connection, type, len, status;
    } posts[] = {
        {1, 1, 241, HV_STATUS_INVALID_PARAMETER},
        {1, 1, 0xffffffff, HV_STATUS_INVALID_PARAMETER},
        {1, 0, 8, HV_STATUS_INVALID_PARAMETER},
        {1, 0x80000010, 8, HV_STATUS_INVALID_PARAMETER},
        {0, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
        {2, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
        {3, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
        {0x2001, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
        {0x800074, 1, 8, HV_STATUS_INVALID_CONNECTION_ID},
        {4, 1, 240, HV_STATUS_SUCCESS},
    };
    struct fixture f;
    uint8_t input[256] = {0};

    begin(&f);
    for (unsigned i = 0; i < G_N_ELEMENTS(posts); i++) {
        memcpy(input, &posts[i].connection, 4);
        memcpy(input + 8, &posts[i].type, 4);
        memcpy(input + 12, &posts[i].len, 4);
        g_assert_cmpuint(vmbus_bus_post(f.guest->bus, input), ==, posts[i].status);
    }
    assert_silence(&f);
    end(&f);
}

/* Before INITIATE_CONTACT only that and CLOSE_RESERVED mean anything. */
static void test_attack_disconnected(void)
{
    struct fixture f;
    uint32_t message[60] = {0};

    begin(&f);
    for (uint32_t type = 0; type < 30; type++) {
        message[0] = type;
        if (type != VMBUS_MSG_INITIATE_CONTACT && type != VMBUS_MSG_CLOSE_RESERVED)
            sg_tell(f.guest, message, sizeof(message));
    }
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 28);
    end(&f);
}

/* Messages that the negotiated version does not have get no answer that it does not have. */
static void test_attack_newer_message(void)
{
    struct fixture f;
    uint32_t message[60] = {0};

    begin(&f);
    connect_and_open(&f, VMBUS_V2_4);
    message[0] = VMBUS_MSG_MODIFY_CHANNEL;
    message[2] = f.channel.relid;
    sg_tell(f.guest, message, 16);
    message[0] = VMBUS_MSG_TL_CONNECT;
    sg_tell(f.guest, message, 40);
    message[0] = VMBUS_MSG_OPEN_RESERVED;
    sg_tell(f.guest, message, 28);
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 3);
    end(&f);
}

static void test_attack_offers_twice(void)
{
    struct fixture f;

    begin(&f);
    g_assert_true(sg_connect(f.guest, VMBUS_V3_0));
    sg_drop(f.guest);
    sg_tell_words(f.guest, VMBUS_MSG_REQUEST_OFFERS, 0, 0, 0);
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 1);
    end(&f);
}

/* Every one is answered, and what is behind them works. */
static void test_attack_contact_flood(void)
{
    struct fixture f;
    unsigned posted = 0, answers = 0;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    for (unsigned i = 0; i < 2000; i++) {
        if (sg_initiate(f.guest, fixture_versions[i % FIXTURE_VERSIONS]) == HV_STATUS_SUCCESS)
            posted++;
        if (i % 100 == 99)
            sg_run(f.guest, 0);
    }
    sg_run(f.guest, 0);
    while (sg_take(f.guest))
        answers++;
    g_assert_cmpuint(answers, ==, posted);
    g_assert_cmpuint(posted, ==, 20 * LIMIT_INBOUND_MSGS);
    connect_and_open(&f, VMBUS_V5_3);
    echo_once(&f, "unharmed");
    end(&f);
}

/* A hundred thousand bad messages: the queue is bounded, all that got in are counted. */
static void test_attack_flood(void)
{
    struct fixture f;
    const uint32_t message[3] = {VMBUS_MSG_CLOSE, 0, 0xffffffff};
    uint64_t in = 0, refused = 0;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t status = sg_post(f.guest, 4, message, sizeof(message));
        in += status == HV_STATUS_SUCCESS;
        refused += status == HV_STATUS_INSUFFICIENT_BUFFERS;
        if (i % 200 == 0)
            lane_turn(f.guest->lane, 0);
    }
    sg_run(f.guest, 0);
    g_assert_cmpuint(in + refused, ==, 100000);
    g_assert_cmpuint(refused, >, 0);
    g_assert_cmpuint(stats(&f).messages_bad, ==, in);
    g_assert_cmpuint(stats(&f).posts_refused, ==, refused);
    echo_once(&f, "unharmed");
    end(&f);
}

/* VPs that do not exist, pages that are not RAM. */
static void test_attack_contact_fields(void)
{
    struct fixture f;
    uint32_t vp;

    begin(&f);
    struct vmbus_msg_initiate_contact contact = contact_for(&f, VMBUS_V3_0);
    contact.target_vp = 4;
    sg_post(f.guest, 1, &contact, sizeof(contact));
    g_assert_cmpuint(version_response(&f, &vp).supported, ==, 0);
    g_assert_cmpuint(vp, ==, 0);
    contact.target_vp = 0xffffffff;
    g_assert_cmpuint(try_contact(&f, 1, &contact).supported, ==, 0);

    static const uint64_t pages[] = {0,     0x10001,   FIXTURE_RAM, 0xfee00000,
                                     ~0ull, ~0xfffull, 1ull << 52};
    for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
        contact = contact_for(&f, i % 2 ? VMBUS_V0_13 : VMBUS_V1_1);
        contact.interrupt_page = pages[i];
        g_assert_cmpuint(try_contact(&f, 1, &contact).supported, ==, 0);
        contact.version = VMBUS_V2_4; /* which ignores it */
        g_assert_cmpuint(try_contact(&f, 1, &contact).supported, ==, 1);
    }
    end(&f);
}

/* HvSignalEvent on what is not this guest's to signal. */
static void test_attack_signal(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V2_4);
    struct vmbus_bus *bus = f.guest->bus;
    uint32_t mine = f.channel.connection;
    g_assert_cmpuint(vmbus_bus_signal(bus, mine, 0), ==, HV_STATUS_SUCCESS);
    g_assert_cmpuint(vmbus_bus_signal(bus, mine, 1), ==, HV_STATUS_INVALID_PARAMETER);
    g_assert_cmpuint(vmbus_bus_signal(bus, mine, 0xffff), ==, HV_STATUS_INVALID_PARAMETER);
    static const uint32_t foreign[] = {0,      1,      2,      3,        4,         0x2000,
                                       0x2001, 0x27ff, 0x2800, 0xffffff, 0xffffffff};
    for (unsigned i = 0; i < G_N_ELEMENTS(foreign); i++)
        g_assert_cmpuint(vmbus_bus_signal(bus, foreign[i], 0), ==, HV_STATUS_INVALID_CONNECTION_ID);
    sg_close(&f.channel);
    g_assert_cmpuint(vmbus_bus_signal(bus, mine, 0), ==, HV_STATUS_INVALID_CONNECTION_ID);
    end(&f);
}

/* All bits of the shared page, for channels that are not there or not open. */
static void test_attack_event_page(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V0_13);
    uint8_t *page = sg_mem(f.guest, f.guest->interrupt_page_pfn * GMEM_PAGE);
    memset(page + 2048, 0xff, 2048);
    g_assert_cmpuint(vmbus_bus_signal(f.guest->bus, VMBUS_CONNECTION_EVENT, 0), ==,
                     HV_STATUS_SUCCESS);
    sg_run(f.guest, 0);
    for (unsigned i = 2048; i < 4096; i++)
        g_assert_cmpuint(page[i], ==, 0); /* scanned and cleared */
    for (unsigned i = 0; i < 2048; i++)
        g_assert_cmpuint(page[i], ==, 0); /* the guest's own half is not touched for it */
    echo_once(&f, "unharmed");
    end(&f);
}

static void test_attack_relid_released(void)
{
    static const uint32_t relids[] = {0, 1, 2, 3, 2047, 2048, 0xffffffff};
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    for (unsigned i = 0; i < G_N_ELEMENTS(relids); i++)
        sg_tell_words(f.guest, VMBUS_MSG_RELID_RELEASED, 1, relids[i], 0);
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, G_N_ELEMENTS(relids));
    echo_once(&f, "unharmed");
    end(&f);
}

static void test_attack_unload_twice(void)
{
    struct fixture f;

    begin(&f);
    connect_and_open(&f, VMBUS_V5_3);
    sg_tell_words(f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
    sg_tell_words(f.guest, VMBUS_MSG_UNLOAD, 0, 0, 0);
    sg_expect(f.guest, VMBUS_MSG_UNLOAD_RESPONSE);
    assert_silence(&f);
    g_assert_cmpuint(stats(&f).messages_bad, ==, 1);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/attack/short", test_attack_short);
    g_test_add_func("/bus/attack/unknown-type", test_attack_unknown_type);
    g_test_add_func("/bus/attack/post", test_attack_post);
    g_test_add_func("/bus/attack/disconnected", test_attack_disconnected);
    g_test_add_func("/bus/attack/newer-message", test_attack_newer_message);
    g_test_add_func("/bus/attack/offers-twice", test_attack_offers_twice);
    g_test_add_func("/bus/attack/contact-flood", test_attack_contact_flood);
    g_test_add_func("/bus/attack/flood", test_attack_flood);
    g_test_add_func("/bus/attack/contact-fields", test_attack_contact_fields);
    g_test_add_func("/bus/attack/signal", test_attack_signal);
    g_test_add_func("/bus/attack/event-page", test_attack_event_page);
    g_test_add_func("/bus/attack/relid-released", test_attack_relid_released);
    g_test_add_func("/bus/attack/unload-twice", test_attack_unload_twice);
    return g_test_run();
}
