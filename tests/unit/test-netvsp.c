/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp as its guests use it: handshakes of every version, buffers, link, subchannels.
 */
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/net_guest.h"

static const uint32_t versions[] = {NVSP_VERSION_1, NVSP_VERSION_2, NVSP_VERSION_4,
                                    NVSP_VERSION_5, NVSP_VERSION_6, NVSP_VERSION_6_1};

/* --- Handshake */

static void test_init_down_loop(void)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    g_assert_cmpuint(net_init(&net, 0x00070000), ==, NVSP_TOO_NEW);
    g_assert_cmpuint(net_init(&net, 0x00060002), ==, NVSP_TOO_NEW);
    g_assert_cmpuint(net_init(&net, 0x00030001), ==, NVSP_TOO_OLD);
    g_assert_cmpuint(net_info(&net).nvsp, ==, 0);
    g_assert_cmpuint(net_init(&net, NVSP_VERSION_5), ==, NVSP_SUCCESS);
    g_assert_cmphex(net.reply.init_complete.version, ==, NVSP_VERSION_5);
    g_assert_cmpuint(net.reply.init_complete.mdl_chain, ==, 34);
    g_assert_cmphex(net_info(&net).nvsp, ==, NVSP_VERSION_5);
    net_guest_free(&net);
}

static void test_init_range(void)
{
    const struct nvsp_message init = {.type = NVSP_INIT, .init = {NVSP_VERSION_1, NVSP_VERSION_6}};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_ask(&net, &init, 28);
    g_assert_cmphex(net_info(&net).nvsp, ==, NVSP_VERSION_6);
    net_guest_free(&net);
}

static void test_message_sizes(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        int size = versions[i] == NVSP_VERSION_6_1 ? 40 : 32; /* 28, as the ring rounds it */
        struct net_guest net;
        net_guest_init(&net, 1, 0);
        net_negotiate_ndis(&net, versions[i]);
        g_assert_cmpint(net.reply_len, ==, size);
        g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
        g_assert_cmpint(net.reply_len, ==, size);
        g_assert_cmpuint(net_make_send(&net), ==, NVSP_SUCCESS);
        g_assert_cmpint(net.reply_len, ==, size);
        g_assert_cmpuint(net_faults(&net), ==, 0);
        net_guest_free(&net);
    }
}

/* What iPXE waits for, and what a flagged revoke must not lack. */
static void test_empty_completions(void)
{
    const struct nvsp_message ndis = {.type = NVSP_NDIS_VERSION, .ndis_version = {6, 1}};
    const struct nvsp_message path = {.type = NVSP_SWITCH_DATA_PATH};
    struct nvsp_message revoke = {.type = NVSP_REVOKE_RECEIVE_BUFFER, .revoke = {NET_RECEIVE_ID}};
    const struct nvsp_message config = {.type = NVSP_NDIS_CONFIG, .ndis_config = {.mtu = 1514}};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_init(&net, NVSP_VERSION_4);
    net_ask(&net, &config, sizeof(config));
    g_assert_cmpint(net.reply_len, ==, 0);
    net_ask(&net, &ndis, sizeof(ndis));
    g_assert_cmpint(net.reply_len, ==, 0);
    net_make_receive(&net);
    net_make_send(&net);
    net_ask(&net, &path, sizeof(path));
    g_assert_cmpint(net.reply_len, ==, 0);
    net_ask(&net, &revoke, sizeof(revoke));
    g_assert_cmpint(net.reply_len, ==, 0);
    revoke.type = NVSP_REVOKE_SEND_BUFFER;
    revoke.revoke.id = 0;
    net_ask(&net, &revoke, sizeof(revoke));
    g_assert_cmpint(net.reply_len, ==, 0);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

static void test_oid_query_refused(void)
{
    const struct nvsp_message query = {.type = NVSP_OID_QUERY};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate(&net, NVSP_VERSION_6);
    g_assert_cmpuint(net_ask(&net, &query, sizeof(query)), ==, NVSP_OID_QUERY_COMPLETE);
    g_assert_cmpuint(net.reply.status, ==, NVSP_UNSUPPORTED);
    net_guest_free(&net);
}

static void test_mtu(void)
{
    struct nvsp_message config = {.type = NVSP_NDIS_CONFIG, .ndis_config = {.mtu = 1014}};
    struct net_guest net;

    net_guest_init(&net, 1, 9000);
    net_init(&net, NVSP_VERSION_5);
    net_say(&net, &config, sizeof(config));
    g_assert_cmpuint(net_info(&net).mtu, ==, 1000);
    net_reopen(&net);
    net_init(&net, NVSP_VERSION_5);
    config.ndis_config.mtu = 0xffffffff;
    net_say(&net, &config, sizeof(config));
    g_assert_cmpuint(net_info(&net).mtu, ==, 9000);
    net_guest_free(&net);
}

static void test_rndis_init(void)
{
    struct net_guest net;

    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        net_guest_init(&net, 1, 0);
        net_up(&net, versions[i]);
        g_assert_cmphex(net_info(&net).filter, ==, 0xd);
        g_assert_cmphex(net_info(&net).nvsp, ==, versions[i]);
        g_assert_cmpuint(net_faults(&net), ==, 0);
        net_guest_free(&net);
    }
}

/* --- Buffers */

static void test_receive_layout(void)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_negotiate(&net, NVSP_VERSION_6_1);
    g_assert_cmpuint(net.sub_size, >=, 1728);
    g_assert_cmpuint(net.sub_size % 8, ==, 0);
    g_assert_cmpuint(net.subs, ==, NET_RECEIVE_PAGES * GMEM_PAGE / net.sub_size);
    net_guest_free(&net);
    net_guest_init(&net, 1, 9000);
    net_negotiate_ndis(&net, NVSP_VERSION_1);
    g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net.sub_size, >=, 9000 + 18 + 44);
    net_guest_free(&net);
}

static void revoke_in_order(uint32_t first, uint32_t second, bool before_close)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    if (before_close) {
        struct nvsp_message revoke = {.type = first};
        revoke.revoke.id = first == NVSP_REVOKE_RECEIVE_BUFFER ? NET_RECEIVE_ID : 0;
        net_ask(&net, &revoke, sizeof(revoke));
        revoke.type = second;
        revoke.revoke.id = second == NVSP_REVOKE_RECEIVE_BUFFER ? NET_RECEIVE_ID : 0;
        net_ask(&net, &revoke, sizeof(revoke));
        sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, net.send_gpadl);
        sg_pick(net.guest, VMBUS_MSG_GPADL_TORNDOWN);
        sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, net.receive_gpadl);
        sg_pick(net.guest, VMBUS_MSG_GPADL_TORNDOWN);
        sg_close(&net.channel);
    } else {
        sg_close(&net.channel);
        sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, net.receive_gpadl);
        sg_pick(net.guest, VMBUS_MSG_GPADL_TORNDOWN);
    }
    g_assert_cmpuint(net_faults(&net), ==, 0);
    g_assert_cmpuint(sg_open(&net.channel, NET_RING_PAGES, NULL, 0), ==, 0);
    net_up(&net, NVSP_VERSION_6_1);
    net_guest_free(&net);
}

static void test_revoke_receive_first(void)
{
    revoke_in_order(NVSP_REVOKE_RECEIVE_BUFFER, NVSP_REVOKE_SEND_BUFFER, true);
}

static void test_revoke_send_first(void)
{
    revoke_in_order(NVSP_REVOKE_SEND_BUFFER, NVSP_REVOKE_RECEIVE_BUFFER, true);
}

static void test_close_without_revoke(void)
{
    revoke_in_order(0, 0, false);
}

/* The pages stay the host's until it has let go, whatever the guest says. */
static void test_teardown_waits_for_revoke(void)
{
    const struct nvsp_message revoke = {.type = NVSP_REVOKE_RECEIVE_BUFFER,
                                        .revoke = {NET_RECEIVE_ID}};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    sg_drop(net.guest);
    sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, net.receive_gpadl);
    g_assert_null(sg_take(net.guest));
    net_say(&net, &revoke, sizeof(revoke));
    sg_expect(net.guest, VMBUS_MSG_GPADL_TORNDOWN);
    net_guest_free(&net);
}

/* A buffer that was revoked can be made again; completions of the old one come late. */
static void test_make_again(void)
{
    const struct nvsp_message revoke = {.type = NVSP_REVOKE_RECEIVE_BUFFER,
                                        .revoke = {NET_RECEIVE_ID}};
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 1);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_ask(&net, &revoke, sizeof(revoke));
    net_complete_pages(&net, &net.channel, pages.id);
    g_assert_cmpuint(net_make_receive(&net), ==, NVSP_SUCCESS);
    net_complete_pages(&net, &net.channel, pages.id);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_complete_pages(&net, &net.channel, pages.id);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

/* --- Link */

/* The next packet is an INDICATE; its status. */
static uint32_t indication(struct net_guest *net, unsigned ms)
{
    struct net_pages pages;
    uint32_t message[3];

    sg_run(net->guest, ms);
    g_assert_true(net_take(net, &net->channel, &pages));
    g_assert_cmpuint(pages.channel, ==, NVSP_CHANNEL_CONTROL);
    memcpy(message, sg_mem(net->guest, net->receive + pages.offset[0]), sizeof(message));
    g_assert_cmpuint(message[0], ==, 7);
    net_complete_pages(net, &net->channel, pages.id);
    return message[2];
}

static void test_link(void)
{
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_cmphex(indication(&net, 2700), ==, 0x4001000c);
    g_assert_false(net_info(&net).link);
    net_attach(&net, 1);
    g_assert_false(net_take(&net, &net.channel, &pages));
    g_assert_cmphex(indication(&net, 2700), ==, 0x4001000b);
    g_assert_true(net_info(&net).link);
    /* Away and back within the rest: the guest need not know. */
    net_detach(&net);
    net_attach(&net, 1);
    sg_run(net.guest, 2700);
    g_assert_false(net_take(&net, &net.channel, &pages));
    net_guest_free(&net);
}

/* vmbusd comes back with another port long after the last change: the guest notices nothing. */
static void test_port_replaced(void)
{
    struct net_guest net;
    struct net_pages pages;

    net_begin(&net);
    sg_run(net.guest, 2700);
    port_ring_unmap(&net.far);
    net_attach(&net, 1);
    sg_run(net.guest, 2700);
    g_assert_false(net_take(&net, &net.channel, &pages));
    g_assert_true(net_info(&net).link);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* A guest that found the link down by asking hears of it although nobody had told it so. */
static void test_link_after_query(void)
{
    const uint32_t query[7] = {4, 28, 9, 0x10114, 0, 20, 0};
    uint32_t state;
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_cmpuint(net_rndis(&net, query, sizeof(query)), ==, 28);
    memcpy(&state, net.control + 24, 4);
    g_assert_cmpuint(state, ==, 1);
    net_attach(&net, 1);
    g_assert_cmphex(indication(&net, 2700), ==, 0x4001000b);
    net_guest_free(&net);
}

/* --- Address */

static uint32_t set_address(struct net_guest *net, const char *digits)
{
    uint32_t header[5] = {20, 28, 2, 48, 24};
    uint8_t value[72] = {0};
    const char *name = "NetworkAddress";

    memcpy(value, header, sizeof(header));
    for (unsigned i = 0; i < 14; i++)
        value[20 + 2 * i] = (uint8_t)name[i];
    for (unsigned i = 0; i < 12; i++)
        value[48 + 2 * i] = (uint8_t)digits[i];
    return net_set(net, 0x1021b, value, sizeof(value));
}

/* The guest's own address, until it starts again from nothing. */
static void test_address(void)
{
    static const uint8_t own[6] = {2, 0, 0, 0, 0, 9}, permanent[6] = {0, 0x15, 0x5d, 1, 2, 3};
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_cmpmem(net_info(&net).mac, 6, permanent, 6);
    g_assert_cmphex(set_address(&net, "020000000009"), ==, 0);
    g_assert_cmpmem(net_info(&net).mac, 6, own, 6);
    g_assert_cmphex(set_address(&net, "030000000009"), !=, 0);
    net_reopen(&net);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_cmpmem(net_info(&net).mac, 6, own, 6);
    g_assert_true(sg_connect(net.guest, VMBUS_V5_2));
    g_assert_true(
        sg_find_offer(net.guest, &netvsp_vsp(net.netvsp)->class->interface, 0, &net.channel));
    g_assert_cmpuint(sg_open(&net.channel, NET_RING_PAGES, NULL, 0), ==, 0);
    g_assert_cmpmem(net_info(&net).mac, 6, permanent, 6);
    net_guest_free(&net);
}

/* --- Subchannels */

static void subchannels(struct net_guest *net, uint32_t count, struct sg_channel *sub)
{
    const struct nvsp_message message = {.type = NVSP_SUBCHANNEL,
                                         .subchannel = {NVSP_ALLOCATE, count}};
    struct nvsp_indirection_table table;
    uint16_t type;

    sg_drop(net->guest);
    g_assert_cmpuint(net_ask(net, &message, sizeof(message)), ==, NVSP_SUBCHANNEL);
    g_assert_cmpuint(net->reply.subchannel_complete.status, ==, NVSP_SUCCESS);
    g_assert_cmpuint(net->reply.subchannel_complete.count, ==, count);
    g_assert_cmpint(sg_wait(&net->channel, &type, NULL, &table, sizeof(table)), ==, 104);
    g_assert_cmpuint(type, ==, VMBUS_PACKET_IN_BAND);
    g_assert_cmpuint(table.message.type, ==, NVSP_INDIRECTION_TABLE);
    g_assert_cmpuint(table.message.indirection.count, ==, 16);
    g_assert_cmpuint(table.message.indirection.offset, ==, 40);
    for (unsigned i = 0; i < 16; i++)
        g_assert_cmpuint(table.channel[i], ==, i % (count + 1));
    for (unsigned i = 0; i < count; i++) {
        g_assert_true(
            sg_find_offer(net->guest, &netvsp_vsp(net->netvsp)->class->interface, i + 1, &sub[i]));
        g_assert_cmpuint(sg_open(&sub[i], NET_RING_PAGES, NULL, 0), ==, 0);
    }
}

static void test_subchannels(void)
{
    uint8_t frame[100], got[200];
    struct net_guest net;
    struct net_pages pages;
    struct sg_channel sub[2];

    net_guest_init(&net, 3, 0);
    net_attach(&net, 3);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 1);
    /* Before they are open, the primary has all queues. */
    net_switch_send(&net, 2, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_complete_pages(&net, &net.channel, pages.id);
    subchannels(&net, 2, sub);
    g_assert_cmpuint(net_info(&net).channels, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct sg_channel *channel = i ? &sub[i - 1] : &net.channel;
        for (unsigned round = 0; round < 100; round++) {
            net_switch_send(&net, i, frame, sizeof(frame));
            g_assert_true(net_take(&net, channel, &pages));
            g_assert_cmpuint(net_frame_of(&net, &pages, 0, got, sizeof(got)), ==, 100);
            net_complete_pages(&net, channel, pages.id);
        }
        uint32_t bytes = net_wrap(&net, net.data, frame, sizeof(frame));
        g_assert_cmpuint(net_done(&net, channel, net_send_at(&net, channel, 0, net.data, bytes)),
                         ==, NVSP_SUCCESS);
        g_assert_cmpuint(net_switch_take(&net, i, got, NULL), ==, 100);
    }
    /* A port that comes later finds them open. */
    net_detach(&net);
    net_attach(&net, 3);
    net_switch_send(&net, 1, frame, sizeof(frame));
    g_assert_true(net_take(&net, &sub[0], &pages));
    net_complete_pages(&net, &sub[0], pages.id);
    sg_close(&sub[0]);
    net_switch_send(&net, 1, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

/* A primary that closes takes its subchannels along, and they can come again. */
static void test_subchannels_again(void)
{
    struct net_guest net;
    struct sg_channel sub[1];

    net_guest_init(&net, 2, 0);
    net_attach(&net, 2);
    net_up(&net, NVSP_VERSION_5);
    subchannels(&net, 1, sub);
    sg_tell_words(net.guest, VMBUS_MSG_CLOSE, 1, net.channel.relid, 0);
    sg_pick(net.guest, VMBUS_MSG_RESCIND);
    sg_close(&sub[0]);
    sg_tell_words(net.guest, VMBUS_MSG_RELID_RELEASED, 1, sub[0].relid, 0);
    sg_tell_words(net.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net.channel.relid, net.channel.gpadl);
    sg_pick(net.guest, VMBUS_MSG_GPADL_TORNDOWN);
    g_assert_cmpuint(sg_open(&net.channel, NET_RING_PAGES, NULL, 0), ==, 0);
    net_up(&net, NVSP_VERSION_5);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

/* Leave this process room for `count` more descriptors; what was allowed before. */
static struct rlimit allow_descriptors(unsigned count)
{
    struct rlimit before, now;
    int lowest = dup(STDERR_FILENO);

    g_assert_cmpint(lowest, >=, 0);
    close(lowest);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
    now = (struct rlimit){(rlim_t)lowest + count, before.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &now), ==, 0);
    return before;
}

/* A guest waits for every subchannel that it was granted (Linux: without end, in its probe), so
 * what cannot be made is not granted. */
static void test_subchannels_fewer(void)
{
    const struct nvsp_message message = {.type = NVSP_SUBCHANNEL, .subchannel = {NVSP_ALLOCATE, 3}};
    const struct guid *interface;
    uint32_t table[26];
    struct sg_channel sub;
    struct net_guest net;

    net_guest_init(&net, 4, 0);
    interface = &netvsp_vsp(net.netvsp)->class->interface;
    net_attach(&net, 4);
    net_up(&net, NVSP_VERSION_6_1);
    struct rlimit before = allow_descriptors(0);
    net_ask(&net, &message, sizeof(message));
    g_assert_cmpuint(net.reply.subchannel_complete.status, ==, NVSP_FAILURE);
    g_assert_cmpuint(net.reply.subchannel_complete.count, ==, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    allow_descriptors(1);
    net_ask(&net, &message, sizeof(message));
    setrlimit(RLIMIT_NOFILE, &before);
    g_assert_cmpuint(net.reply.subchannel_complete.status, ==, NVSP_SUCCESS);
    g_assert_cmpuint(net.reply.subchannel_complete.count, ==, 1);
    g_assert_cmpint(sg_wait(&net.channel, NULL, NULL, table, sizeof(table)), ==, 104);
    for (unsigned i = 0; i < 16; i++)
        g_assert_cmpuint(table[10 + i], ==, i % 2);
    g_assert_false(sg_find_offer(net.guest, interface, 2, &sub));
    g_assert_true(sg_find_offer(net.guest, interface, 1, &sub));
    g_assert_cmpuint(sg_open(&sub, NET_RING_PAGES, NULL, 0), ==, 0);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_attach_errors(void)
{
    const struct port_ring_geometry geometry = {1, NET_CELLS};
    struct port_ring_fds fds;
    struct net_guest net;

    net_guest_init(&net, 2, 0);
    g_assert_cmpint(port_ring_create(&geometry, &fds), ==, 0);
    g_assert_cmpint(netvsp_attach(net.netvsp, &fds, 1), ==, -EINVAL);
    port_ring_close(&fds, 1);
    net_attach(&net, 2);
    /* A new port that is no good leaves the old one in its place. */
    g_assert_cmpint(port_ring_create(&geometry, &fds), ==, 0);
    g_assert_cmpint(netvsp_attach(net.netvsp, &fds, 2), <, 0);
    g_assert_cmpint(netvsp_attach(net.netvsp, &fds, 1), ==, -EINVAL);
    port_ring_close(&fds, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_bad_config(void)
{
    struct lane *lane = lane_new("test");
    struct netvsp_config good = {.mac = {2, 0, 0, 0, 0, 1}, .lane = {lane}, .lanes = 1}, bad;

    netvsp_free(netvsp_new(&good));
    bad = good;
    bad.mac[0] = 1;
    g_assert_null(netvsp_new(&bad));
    bad = good;
    memset(bad.mac, 0, 6);
    g_assert_null(netvsp_new(&bad));
    bad = good;
    bad.mtu = 67;
    g_assert_null(netvsp_new(&bad));
    bad.mtu = LIMIT_MTU + 1;
    g_assert_null(netvsp_new(&bad));
    bad = good;
    bad.lanes = 0;
    g_assert_null(netvsp_new(&bad));
    bad.lanes = LIMIT_PORT_QUEUES + 1;
    g_assert_null(netvsp_new(&bad));
    lane_free(lane);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp/init/down-loop", test_init_down_loop);
    g_test_add_func("/netvsp/init/range", test_init_range);
    g_test_add_func("/netvsp/handshake/message-sizes", test_message_sizes);
    g_test_add_func("/netvsp/handshake/empty-completions", test_empty_completions);
    g_test_add_func("/netvsp/handshake/oid-query-refused", test_oid_query_refused);
    g_test_add_func("/netvsp/handshake/mtu", test_mtu);
    g_test_add_func("/netvsp/handshake/rndis-init", test_rndis_init);
    g_test_add_func("/netvsp/buffers/receive-layout", test_receive_layout);
    g_test_add_func("/netvsp/buffers/revoke-receive-first", test_revoke_receive_first);
    g_test_add_func("/netvsp/buffers/revoke-send-first", test_revoke_send_first);
    g_test_add_func("/netvsp/buffers/close-without-revoke", test_close_without_revoke);
    g_test_add_func("/netvsp/buffers/teardown-waits", test_teardown_waits_for_revoke);
    g_test_add_func("/netvsp/buffers/make-again", test_make_again);
    g_test_add_func("/netvsp/link/rests", test_link);
    g_test_add_func("/netvsp/link/port-replaced", test_port_replaced);
    g_test_add_func("/netvsp/link/after-query", test_link_after_query);
    g_test_add_func("/netvsp/address", test_address);
    g_test_add_func("/netvsp/subchannels/traffic", test_subchannels);
    g_test_add_func("/netvsp/subchannels/again", test_subchannels_again);
    g_test_add_func("/netvsp/subchannels/fewer", test_subchannels_fewer);
    g_test_add_func("/netvsp/attach/errors", test_attach_errors);
    g_test_add_func("/netvsp/config", test_bad_config);
    return g_test_run();
}
