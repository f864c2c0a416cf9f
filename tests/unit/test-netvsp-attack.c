/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile guest sends to netvsp beside data, one test per attack: handshake, buffers,
 * completions, control messages. A message that is wrong costs its channel, and nothing costs more.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"

/* --- Buffers and handshake */

static void test_receive_buffer_too_small(void)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate_ndis(&net, NVSP_VERSION_6_1);
    net.receive_pages = 0;
    for (unsigned pages = 0; pages < 3; pages++) {
        net.receive_pages = pages ? pages : 1;
        uint32_t status = net_make_receive(&net);
        if (status == NVSP_SUCCESS) {
            g_assert_cmpuint(net.subs, >=, 2);
            break;
        }
    }
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
    /* With large frames one page holds none. */
    net_guest_init(&net, 1, 9000);
    net_init(&net, NVSP_VERSION_1);
    const struct nvsp_message ndis = {.type = NVSP_NDIS_VERSION, .ndis_version = {6, 1}};
    net_say(&net, &ndis, sizeof(ndis));
    net.receive_pages = 1;
    g_assert_cmpuint(net_make_receive(&net), ==, NVSP_FAILURE);
    net.receive_pages = NET_RECEIVE_PAGES;
    g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

static void test_unknown_gpadl(void)
{
    struct nvsp_message message = {.type = NVSP_RECEIVE_BUFFER};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate_ndis(&net, NVSP_VERSION_6_1);
    message.buffer.gpadl = 0x12345;
    g_assert_cmpuint(net_ask(&net, &message, sizeof(message)), ==, NVSP_RECEIVE_BUFFER_COMPLETE);
    g_assert_cmpuint(net.reply.receive_buffer_complete.status, ==, NVSP_FAILURE);
    g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_make_send(&net), ==, NVSP_SUCCESS);
    net_guest_free(&net);
}

/* Close by hand: the GPADLs' TORNDOWNs come in any order. */
static void close_with(struct net_guest *net, uint32_t gpadl)
{
    sg_tell_words(net->guest, VMBUS_MSG_CLOSE, 1, net->channel.relid, 0);
    sg_run(net->guest, 0);
    if (gpadl)
        sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net->channel.relid, gpadl);
    sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net->channel.relid, net->channel.gpadl);
    sg_pick(net->guest, VMBUS_MSG_GPADL_TORNDOWN);
    sg_pick(net->guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(sg_open(&net->channel, NET_RING_PAGES, NULL, 0), ==, 0);
    net_up(net, NVSP_VERSION_6_1);
    g_assert_cmpuint(net_faults(net), ==, 0);
}

/* The GPADL goes away while the bus is being asked for it. */
static void test_gpadl_torn_down_at_once(void)
{
    struct nvsp_message message = {.type = NVSP_RECEIVE_BUFFER};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate_ndis(&net, NVSP_VERSION_6_1);
    sg_drop(net.guest);
    g_assert_cmpuint(sg_gpadl(net.guest, net.channel.relid, 0x777, net.receive / GMEM_PAGE, 64), ==,
                     0);
    message.buffer.gpadl = 0x777;
    g_assert_true(sg_send_inband(&net.channel, 5, &message, sizeof(message)));
    sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, 0x777);
    close_with(&net, 0);
    net_guest_free(&net);
}

/* The channel is closed while the bus is being asked. */
static void test_close_while_asking(void)
{
    struct nvsp_message message = {.type = NVSP_RECEIVE_BUFFER};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate_ndis(&net, NVSP_VERSION_6_1);
    g_assert_cmpuint(sg_gpadl(net.guest, net.channel.relid, 0x777, net.receive / GMEM_PAGE, 64), ==,
                     0);
    message.buffer.gpadl = 0x777;
    g_assert_true(sg_send_inband(&net.channel, 5, &message, sizeof(message)));
    close_with(&net, 0x777);
    net_guest_free(&net);
}

/* Each of these, said to a guest that is up, ends its channel. */
static void test_out_of_order(void)
{
    static const struct nvsp_message messages[] = {
        {.type = NVSP_INIT, .init = {NVSP_VERSION_5, NVSP_VERSION_5}},
        {.type = NVSP_NDIS_CONFIG, .ndis_config = {.mtu = 1514}},
        {.type = NVSP_NDIS_VERSION, .ndis_version = {6, 30}},
        {.type = NVSP_RECEIVE_BUFFER, .buffer = {.gpadl = 1}},
        {.type = NVSP_SEND_BUFFER, .buffer = {.gpadl = 1}},
        {.type = NVSP_REVOKE_RECEIVE_BUFFER, .revoke = {0xbeef}},
        {.type = NVSP_REVOKE_SEND_BUFFER, .revoke = {0xbeef}},
        {.type = NVSP_INIT_COMPLETE},
        {.type = NVSP_RNDIS_COMPLETE},
        {.type = NVSP_RNDIS, .rndis = {.channel = 2, .section = NVSP_NO_SECTION}},
        {.type = 0},
        {.type = 0xffffffff},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
        struct net_guest net;
        net_begin(&net);
        g_assert_true(sg_send_inband(&net.channel, 1, &messages[i], sizeof(messages[i])));
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

/* Each of these, said first, ends the channel; so does a message that is too short. */
static void test_too_early(void)
{
    static const uint32_t types[] = {NVSP_NDIS_VERSION,   NVSP_NDIS_CONFIG,
                                     NVSP_RECEIVE_BUFFER, NVSP_SEND_BUFFER,
                                     NVSP_SUBCHANNEL,     NVSP_REVOKE_SEND_BUFFER,
                                     NVSP_RNDIS,          NVSP_REVOKE_RECEIVE_BUFFER};

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        for (unsigned len = 8; len <= 40; len += 32) {
            const struct nvsp_message message = {.type = types[i]};
            struct net_guest net;
            net_guest_init(&net, 1, 0);
            g_assert_true(sg_send_inband(&net.channel, 1, &message, len));
            net_expect_ended(&net);
            net_guest_free(&net);
        }
    }
}

static void test_mtu_zero(void)
{
    static const uint32_t mtus[] = {0, 13, 14, 81};

    for (unsigned i = 0; i < G_N_ELEMENTS(mtus); i++) {
        const struct nvsp_message config = {.type = NVSP_NDIS_CONFIG,
                                            .ndis_config = {.mtu = mtus[i]}};
        struct net_guest net;
        net_guest_init(&net, 1, 0);
        net_init(&net, NVSP_VERSION_6_1);
        g_assert_true(sg_send_inband(&net.channel, 1, &config, sizeof(config)));
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

/* More than the adapter can do is cut to what it can; 9000 stays 9000. */
static void test_mtu_huge(void)
{
    static const uint32_t mtus[] = {9015, 0x7fffffff, 0x80000000, 0xffffffff};
    const struct nvsp_message ndis = {.type = NVSP_NDIS_VERSION, .ndis_version = {6, 30}};

    for (unsigned i = 0; i < G_N_ELEMENTS(mtus); i++) {
        const struct nvsp_message config = {.type = NVSP_NDIS_CONFIG,
                                            .ndis_config = {.mtu = mtus[i]}};
        struct net_guest net;
        net_guest_init(&net, 1, 9000);
        net_attach(&net, 1);
        net_init(&net, NVSP_VERSION_6_1);
        net_say(&net, &config, sizeof(config));
        net_say(&net, &ndis, sizeof(ndis));
        g_assert_cmpuint(net_info(&net).mtu, ==, 9000);
        g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
        g_assert_cmpuint(net.sub_size, >=, 9000 + 14);
        g_assert_cmpuint(net.sub_size, <, 9400);
        net_rndis_init(&net);
        net_expect_alive(&net);
        net_guest_free(&net);
    }
}

/* A second INIT after one that was agreed on; one after a refusal is what every guest does. */
static void test_init_twice(void)
{
    const struct nvsp_message init = {.type = NVSP_INIT,
                                      .init = {NVSP_VERSION_6_1, NVSP_VERSION_6_1}};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    g_assert_cmpuint(net_init(&net, 0x70000), !=, NVSP_SUCCESS);
    g_assert_cmpuint(net_init(&net, NVSP_VERSION_6_1), ==, NVSP_SUCCESS);
    g_assert_true(sg_send_inband(&net.channel, 1, &init, sizeof(init)));
    net_expect_ended(&net);
    net_guest_free(&net);
}

static void test_subchannel_counts(void)
{
    static const uint32_t asked[][2] = {{1, 0}, {0, 1}, {2, 1}, {0xffffffff, 1}};
    struct net_guest net;
    struct nvsp_message message = {.type = NVSP_SUBCHANNEL};

    net_guest_init(&net, 2, 0);
    net_attach(&net, 2);
    net_up(&net, NVSP_VERSION_5);
    for (unsigned i = 0; i < G_N_ELEMENTS(asked); i++) {
        message.subchannel.operation = asked[i][0];
        message.subchannel.count = asked[i][1];
        net_ask(&net, &message, sizeof(message));
        g_assert_cmpuint(net.reply.subchannel_complete.status, ==, NVSP_FAILURE);
        g_assert_cmpuint(net.reply.subchannel_complete.count, ==, 0);
    }
    message.subchannel.operation = NVSP_ALLOCATE;
    message.subchannel.count = 0xffffffff;
    net_ask(&net, &message, sizeof(message));
    g_assert_cmpuint(net.reply.subchannel_complete.status, ==, NVSP_SUCCESS);
    g_assert_cmpuint(net.reply.subchannel_complete.count, ==, 1);
    g_assert_cmpint(sg_receive(&net.channel, NULL, NULL, &net.reply, 40), ==, 104);
    net_ask(&net, &message, sizeof(message));
    g_assert_cmpuint(net.reply.subchannel_complete.status, ==, NVSP_FAILURE);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

/* --- Completions */

static void test_unknown_completion(void)
{
    static const uint64_t ids[] = {
        0, 1, 0x100000000, 0x100000011, 0x1ffffffff, 0xffffffff00000001, 0x200000001};

    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        struct net_guest net;
        net_begin(&net);
        net_complete_pages(&net, &net.channel, ids[i]);
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

static void test_duplicate_completion(void)
{
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_complete_pages(&net, &net.channel, pages.id);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_complete_pages(&net, &net.channel, pages.id);
    net_expect_ended(&net);
    net_guest_free(&net);
}

/* An id of the middle of a packet is none. */
static void test_completion_of_a_part(void)
{
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    net_switch_send(&net, 0, frame, sizeof(frame));
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    g_assert_cmpuint(pages.ranges, ==, 2);
    net_complete_pages(&net, &net.channel, pages.id + 1);
    net_expect_ended(&net);
    net_guest_free(&net);
}

/* --- Control messages */

static void test_control_flood(void)
{
    const uint32_t query[7] = {4, 28, 1, 0x10106, 0, 20, 0};
    struct net_guest net;

    net_begin(&net);
    memcpy(sg_mem(net.guest, net.data), query, sizeof(query));
    for (unsigned i = 0; i < 17; i++)
        net_send_at(&net, &net.channel, NVSP_CHANNEL_CONTROL, net.data, sizeof(query));
    net_expect_ended(&net);
    net_guest_free(&net);
}

static void test_control_lengths(void)
{
    static const uint32_t lengths[] = {0, 4, 7, 8, 29, 0x7fffffff, 0xffffffff};

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        uint32_t query[7] = {4, lengths[i], 1, 0x10106, 0, 20, 0};
        struct net_guest net;
        net_begin(&net);
        memcpy(sg_mem(net.guest, net.data), query, sizeof(query));
        net_send_at(&net, &net.channel, NVSP_CHANNEL_CONTROL, net.data, sizeof(query));
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

static void test_control_too_long(void)
{
    const uint32_t query[7] = {4, 5000, 1, 0x10106, 0, 20, 0};
    struct net_guest net;

    net_begin(&net);
    memcpy(sg_mem(net.guest, net.data), query, sizeof(query));
    net_send_at(&net, &net.channel, NVSP_CHANNEL_CONTROL, net.data, 5000);
    net_expect_ended(&net);
    net_guest_free(&net);
}

/* Types that no host knows: passed over and counted, and the requests behind them are answered. */
static void test_control_unknown(void)
{
    static const uint32_t types[] = {0, 1, 7, 10, 0x80000004, 0x80000008, 0xffffffff};
    struct net_guest net;

    net_begin(&net);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        const uint32_t message[3] = {types[i], sizeof(message), 1};
        memcpy(sg_mem(net.guest, net.data), message, sizeof(message));
        uint64_t id =
            net_send_at(&net, &net.channel, NVSP_CHANNEL_CONTROL, net.data, sizeof(message));
        g_assert_cmpuint(net_done(&net, &net.channel, id), ==, NVSP_SUCCESS);
    }
    g_assert_cmpuint(net_stats(&net).ignored_out, ==, G_N_ELEMENTS(types));
    g_assert_cmphex(net_set(&net, 0x1010e, &(uint32_t){0xd}, 4), ==, 0);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* Values that no OID takes: an answer with an error, and the adapter as before. */
static void test_oid_values(void)
{
    static const uint32_t oids[] = {0x1010e, 0x10204, 0x1021b, 0x1010103, 0xfc01020c};
    uint8_t value[256];
    struct net_guest net;

    net_begin(&net);
    memset(value, 0xff, sizeof(value));
    for (unsigned i = 0; i < G_N_ELEMENTS(oids); i++)
        for (uint32_t len = 0; len < 4; len++)
            net_set(&net, oids[i], value, len);
    for (unsigned i = 1; i < G_N_ELEMENTS(oids); i++)
        net_set(&net, oids[i], value, sizeof(value));
    for (unsigned i = 1; i < G_N_ELEMENTS(oids); i++) {
        memset(value, 0, sizeof(value));
        net_set(&net, oids[i], value, sizeof(value));
    }
    g_assert_cmphex(net_info(&net).filter, ==, 0xd);
    net_expect_alive(&net);
    net_guest_free(&net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp/attack/buffers/receive-too-small", test_receive_buffer_too_small);
    g_test_add_func("/netvsp/attack/buffers/unknown-gpadl", test_unknown_gpadl);
    g_test_add_func("/netvsp/attack/buffers/torn-down-at-once", test_gpadl_torn_down_at_once);
    g_test_add_func("/netvsp/attack/buffers/close-while-asking", test_close_while_asking);
    g_test_add_func("/netvsp/attack/handshake/out-of-order", test_out_of_order);
    g_test_add_func("/netvsp/attack/handshake/too-early", test_too_early);
    g_test_add_func("/netvsp/attack/handshake/mtu-zero", test_mtu_zero);
    g_test_add_func("/netvsp/attack/handshake/mtu-huge", test_mtu_huge);
    g_test_add_func("/netvsp/attack/handshake/init-twice", test_init_twice);
    g_test_add_func("/netvsp/attack/handshake/subchannel-counts", test_subchannel_counts);
    g_test_add_func("/netvsp/attack/completion/unknown", test_unknown_completion);
    g_test_add_func("/netvsp/attack/completion/duplicate", test_duplicate_completion);
    g_test_add_func("/netvsp/attack/completion/part", test_completion_of_a_part);
    g_test_add_func("/netvsp/attack/control/flood", test_control_flood);
    g_test_add_func("/netvsp/attack/control/lengths", test_control_lengths);
    g_test_add_func("/netvsp/attack/control/too-long", test_control_too_long);
    g_test_add_func("/netvsp/attack/control/unknown", test_control_unknown);
    g_test_add_func("/netvsp/attack/control/oid-values", test_oid_values);
    return g_test_run();
}
