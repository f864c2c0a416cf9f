/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive side scaling through netvsp: frames on the channel that the guest's table names, in
 * order, with suballocations that come home; and what a guest does to upset that.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"
#include "vmbus/netvsp_priv.h"
#include "vmbus/rndis_oid_wire.h"

#define CHANNELS 3u
#define MOST     LIMIT_PORT_QUEUES
#define HEAD     40u /* bytes of parameters before the table */
#define ENTRIES  16u

struct rss_net {
    struct net_guest net;
    struct lane *lane; /* of the subchannels, if not the guest's own */
    struct sg_channel sub[MOST - 1];
    unsigned channels;
};

static uint8_t hash_key[RSS_KEY_BYTES];

static struct sg_channel *channel_of(struct rss_net *rss, unsigned index)
{
    return index ? &rss->sub[index - 1] : &rss->net.channel;
}

/* Set the table to `entries` of `table`, all types, the key. The status. */
static uint32_t set_rss(struct rss_net *rss, const uint32_t *table, unsigned entries,
                        uint16_t flags)
{
    struct {
        struct ndis_rss_parameters head;
        uint32_t table[ENTRIES];
        uint8_t key[RSS_KEY_BYTES];
    } set = {.head = {.header = {NDIS_TYPE_RSS_PARAMETERS, 2, HEAD},
                      .flags = flags,
                      .hash = RSS_TOEPLITZ | RSS_IP4 | RSS_TCP4 | RSS_IP6 | RSS_TCP6,
                      .table_size = (uint16_t)(4 * entries),
                      .table_offset = HEAD,
                      .key_size = RSS_KEY_BYTES,
                      .key_offset = HEAD + 4 * ENTRIES}};

    memcpy(set.table, table, 4 * entries);
    memcpy(set.key, hash_key, sizeof(set.key));
    return net_set(&rss->net, OID_RECEIVE_SCALE_PARAMETERS, &set, sizeof(set));
}

static void open_subs(struct rss_net *rss)
{
    const unsigned subs = rss->channels - 1;
    const struct nvsp_message message = {.type = NVSP_SUBCHANNEL,
                                         .subchannel = {NVSP_ALLOCATE, subs}};
    struct net_guest *net = &rss->net;
    uint8_t table[104];

    sg_drop(net->guest);
    g_assert_cmpuint(net_ask(net, &message, sizeof(message)), ==, NVSP_SUBCHANNEL);
    g_assert_cmpint(sg_wait(&net->channel, NULL, NULL, table, sizeof(table)), ==, 104);
    sg_run(net->guest, rss->lane ? 5 : 0);
    for (unsigned i = 0; i < subs; i++) {
        g_assert_true(sg_find_offer(net->guest, &netvsp_vsp(net->netvsp)->class->interface, i + 1,
                                    &rss->sub[i]));
        g_assert_cmpuint(sg_open(&rss->sub[i], NET_RING_PAGES, NULL, 0), ==, 0);
    }
}

/* So many channels on one lane, ready for frames. */
static void begin_many(struct rss_net *rss, unsigned channels)
{
    *rss = (struct rss_net){.channels = channels};
    for (unsigned i = 0; i < sizeof(hash_key); i++)
        hash_key[i] = (uint8_t)(i * 37 + 11);
    net_guest_init(&rss->net, channels, 0);
    net_attach(&rss->net, channels);
    net_up(&rss->net, NVSP_VERSION_6_1);
    open_subs(rss);
}

static void begin(struct rss_net *rss)
{
    begin_many(rss, CHANNELS);
}

/* Frame number `n` of TCP flow `flow`, 100 bytes. */
static void make_frame(uint8_t frame[100], uint32_t flow, uint32_t n)
{
    net_make_frame(frame, 100, 0);
    memcpy(frame + 12, "\x08\x00\x45\x00\x00\x56\x00\x00\x00\x00\x40\x06", 12);
    memcpy(frame + 26, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
    frame[34] = (uint8_t)(flow >> 8);
    frame[35] = (uint8_t)flow;
    memcpy(frame + 60, &flow, 4);
    memcpy(frame + 64, &n, 4);
}

static uint32_t hash_of(uint32_t flow)
{
    struct rss_key key;
    uint8_t frame[100];
    uint32_t hash = 0;

    make_frame(frame, flow, 0);
    rss_key_set(&key, hash_key);
    g_assert_true(rss_hash(&key, RSS_TOEPLITZ | RSS_TCP4, frame, sizeof(frame), &hash));
    return hash;
}

static void send(struct rss_net *rss, unsigned queue, uint32_t flow, uint32_t n)
{
    uint8_t frame[100];

    make_frame(frame, flow, n);
    g_assert_true(net_switch_send(&rss->net, queue, frame, sizeof(frame)));
}

/* The hash value that came with range `n`, 0 if none did. */
static uint32_t told_hash(struct rss_net *rss, const struct net_pages *pages, uint32_t n)
{
    const uint8_t *message = sg_mem(rss->net.guest, rss->net.receive + pages->offset[n]);
    uint32_t at, length, element[4];

    memcpy(&at, message + 28, 4);
    memcpy(&length, message + 32, 4);
    for (at += 8; length >= sizeof(element); at += element[0], length -= element[0]) {
        memcpy(element, message + at, sizeof(element));
        g_assert_cmpuint(element[0], >=, 16);
        if (element[1] == 8)
            return element[3];
    }
    return 0;
}

/* Take what has come on a channel, completing it: `flow` gets the flow of each frame, `number` its
 * number. How many. */
static unsigned take(struct rss_net *rss, unsigned index, uint32_t *flow, uint32_t *number,
                     unsigned max)
{
    struct net_pages pages;
    uint8_t frame[200];
    unsigned got = 0;

    while (net_take(&rss->net, channel_of(rss, index), &pages)) {
        for (uint32_t n = 0; n < pages.ranges; n++, got++) {
            g_assert_cmpuint(got, <, max);
            g_assert_cmpuint(net_frame_of(&rss->net, &pages, n, frame, sizeof(frame)), ==, 100);
            memcpy(&flow[got], frame + 60, 4);
            memcpy(&number[got], frame + 64, 4);
            g_assert_cmphex(told_hash(rss, &pages, n), ==, hash_of(flow[got]));
        }
        net_complete_pages(&rss->net, channel_of(rss, index), pages.id);
    }
    return got;
}

/* 64 flows, from every queue, land where the table says, and know their hash. */
static void test_spread(void)
{
    uint32_t table[16], flow[300], number[300];
    unsigned seen[CHANNELS] = {0};
    struct rss_net rss;

    begin(&rss);
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        table[i] = (i * 7 / 2) % CHANNELS;
    g_assert_cmphex(set_rss(&rss, table, G_N_ELEMENTS(table), 0), ==, 0);
    for (uint32_t i = 0; i < 192; i++)
        send(&rss, i % CHANNELS, i / 3, i % 3);
    for (unsigned index = 0; index < CHANNELS; index++) {
        seen[index] = take(&rss, index, flow, number, G_N_ELEMENTS(flow));
        for (unsigned i = 0; i < seen[index]; i++)
            g_assert_cmpuint(table[hash_of(flow[i]) % 16], ==, index);
        g_assert_cmpuint(seen[index], >=, 30);
    }
    g_assert_cmpuint(seen[0] + seen[1] + seen[2], ==, 192);
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    net_guest_free(&rss.net);
}

/* Far more frames of one flow than there are suballocations: in order, and none is lost with its
 * suballocation, in which direction ever they go. */
static void test_order(void)
{
    uint32_t flow[64], number[64];
    struct rss_net rss;

    begin(&rss);
    for (uint32_t to = 0; to < CHANNELS; to++) {
        uint32_t expected = 0;
        g_assert_cmphex(set_rss(&rss, &to, 1, 0), ==, 0);
        for (uint32_t sent = 0; sent < 600;) {
            for (unsigned i = 0; i < 20; i++)
                send(&rss, to ? 0 : 1, 5, sent++);
            unsigned got = take(&rss, to, flow, number, G_N_ELEMENTS(flow));
            for (unsigned i = 0; i < got; i++)
                g_assert_cmpuint(number[i], ==, expected++);
        }
        g_assert_cmpuint(expected, ==, 600);
    }
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    net_guest_free(&rss.net);
}

/* Off again: frames stay on their queue's channel, and nothing is told. */
static void test_disabled(void)
{
    const uint32_t table[1] = {2};
    struct net_pages pages;
    struct rss_net rss;

    begin(&rss);
    g_assert_cmphex(set_rss(&rss, table, 1, 0), ==, 0);
    g_assert_cmphex(set_rss(&rss, table, 1, NDIS_RSS_DISABLE), ==, 0);
    send(&rss, 1, 1, 0);
    g_assert_true(net_take(&rss.net, &rss.sub[0], &pages));
    g_assert_cmphex(told_hash(&rss, &pages, 0), ==, 0);
    net_guest_free(&rss.net);
}

/* The table's channel is closed: its frames come on their queue's own; what it held is not lost,
 * and after a while of closing and opening all suballocations are still there. */
static void test_close(void)
{
    const uint32_t table[1] = {1};
    uint32_t flow[64], number[64];
    struct rss_net rss;

    begin(&rss);
    g_assert_cmphex(set_rss(&rss, table, 1, 0), ==, 0);
    for (unsigned round = 0; round < 40; round++) {
        for (uint32_t i = 0; i < 8; i++)
            send(&rss, 0, 9, i);
        sg_run(rss.net.guest, 0);
        sg_close(&rss.sub[0]); /* with frames that nobody completes */
        send(&rss, 0, 9, 8);
        g_assert_cmpuint(take(&rss, 0, flow, number, 64), ==, 1);
        g_assert_cmpuint(number[0], ==, 8);
        g_assert_cmpuint(sg_open(&rss.sub[0], NET_RING_PAGES, NULL, 0), ==, 0);
        sg_run(rss.net.guest, 0);
        take(&rss, 1, flow, number, 64);
    }
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    net_guest_free(&rss.net);
}

/* The most channels, among which the suballocations do not divide evenly: what is left over is
 * nobody's, whoever closes. */
static void test_left_over(void)
{
    uint32_t flow[64], number[64], table[MOST];
    struct rss_net rss;

    begin_many(&rss, MOST);
    const struct netvsp *netvsp = rss.net.netvsp;
    const uint32_t end = netvsp->control_subs + netvsp->shares * netvsp->share;
    g_assert_cmpuint(end, <, netvsp->subs);
    for (uint32_t sub = end; sub < netvsp->subs; sub++)
        g_assert_cmpuint(netvsp->holder[sub], ==, NET_ON_ITS_WAY);
    for (unsigned i = 0; i < MOST; i++)
        table[i] = i;
    g_assert_cmphex(set_rss(&rss, table, MOST, 0), ==, 0);
    for (unsigned round = 0; round < 10; round++) {
        unsigned seen = 0;

        for (unsigned i = 1; i < MOST; i++) {
            sg_close(channel_of(&rss, i));
            g_assert_cmpuint(sg_open(channel_of(&rss, i), NET_RING_PAGES, NULL, 0), ==, 0);
        }
        for (uint32_t i = 0; i < 64; i++)
            send(&rss, i % MOST, i, 0);
        for (unsigned index = 0; index < MOST; index++)
            seen += take(&rss, index, flow, number, 64);
        g_assert_cmpuint(seen, ==, 64);
    }
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    net_guest_free(&rss.net);
}

/* Completions by the wrong channel, of frames that were steered. */
static void test_foreign_completion(void)
{
    const uint32_t table[1] = {1};
    struct net_pages pages;
    struct rss_net rss;

    begin(&rss);
    g_assert_cmphex(set_rss(&rss, table, 1, 0), ==, 0);
    send(&rss, 0, 9, 0);
    g_assert_true(net_take(&rss.net, &rss.sub[0], &pages));
    net_complete_pages(&rss.net, &rss.sub[1], pages.id);
    g_assert_cmpuint(net_faults(&rss.net), ==, 1);
    net_complete_pages(&rss.net, &rss.sub[0], pages.id);
    g_assert_cmpuint(net_faults(&rss.net), ==, 1);
    net_complete_pages(&rss.net, &rss.sub[0], pages.id);
    g_assert_cmpuint(net_faults(&rss.net), ==, 2);
    net_guest_free(&rss.net);
}

/* Entries beyond the channels, tables and keys of no size: refused, and the old ones hold. */
static void test_bad_parameters(void)
{
    const uint32_t good[2] = {1, 1}, bad[2] = {1, CHANNELS}, wild[2] = {0xffffffff, 0x80000001};
    uint32_t flow[4], number[4];
    struct rss_net rss;

    begin(&rss);
    g_assert_cmphex(set_rss(&rss, good, 2, 0), ==, 0);
    g_assert_cmphex(set_rss(&rss, bad, 2, 0), !=, 0);
    g_assert_cmphex(set_rss(&rss, wild, 2, 0), !=, 0);
    g_assert_cmphex(set_rss(&rss, bad, 0, 0), !=, 0);
    send(&rss, 2, 3, 0);
    g_assert_cmpuint(take(&rss, 1, flow, number, 4), ==, 1);
    net_guest_free(&rss.net);
}

/* --- Subchannels on a lane of their own */

static void begin_threads(struct rss_net *rss)
{
    *rss = (struct rss_net){.channels = 2, .lane = lane_new("second")};
    net_guest_init_two(&rss->net, rss->lane);
    g_assert_cmpint(lane_start(rss->lane, NULL, NULL), ==, 0);
    net_attach(&rss->net, 2);
    net_up(&rss->net, NVSP_VERSION_6_1);
    open_subs(rss);
}

static void end_threads(struct rss_net *rss)
{
    sg_stop(rss->net.guest);
    net_detach(&rss->net);
    lane_end(rss->lane);
    net_guest_free(&rss->net);
    lane_free(rss->lane);
}

/* Eight flows from both queues to both channels: each in order, none lost. */
static void test_threads(void)
{
    const uint32_t table[4] = {0, 1, 1, 0};
    uint32_t flow[512], number[512], expected[8] = {0}, sent = 0, seen = 0;
    uint64_t end = lane_now() + 20000000000ull;
    struct rss_net rss;

    begin_threads(&rss);
    g_assert_cmphex(set_rss(&rss, table, 4, 0), ==, 0);
    while (seen < 8000) {
        for (unsigned i = 0; i < 16 && sent < 8000 && sent < seen + 64; i++, sent++)
            send(&rss, sent % 2, sent % 8, sent / 8);
        for (unsigned index = 0; index < 2; index++) {
            unsigned got = take(&rss, index, flow, number, G_N_ELEMENTS(flow));
            for (unsigned i = 0; i < got; i++) {
                g_assert_cmpuint(table[hash_of(flow[i]) % 4], ==, index);
                g_assert_cmpuint(number[i], ==, expected[flow[i]]++);
            }
            seen += got;
        }
        g_assert_cmpuint(lane_now(), <, end);
    }
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    end_threads(&rss);
}

/* The channel that frames are steered to comes and goes, and so does the table. */
static void test_threads_changes(void)
{
    uint32_t flow[512], number[512], table[1] = {1}, seen = 0;
    struct rss_net rss;

    begin_threads(&rss);
    for (unsigned round = 0; round < 60; round++) {
        table[0] = round % 3 != 0;
        g_assert_cmphex(set_rss(&rss, table, 1, 0), ==, 0);
        for (uint32_t i = 0; i < 12; i++)
            send(&rss, i % 2, 7, i);
        sg_close(&rss.sub[0]);
        sg_run(rss.net.guest, 1);
        take(&rss, 0, flow, number, G_N_ELEMENTS(flow));
        g_assert_cmpuint(sg_open(&rss.sub[0], NET_RING_PAGES, NULL, 0), ==, 0);
        take(&rss, 1, flow, number, G_N_ELEMENTS(flow));
    }
    sg_run(rss.net.guest, 5);
    for (unsigned index = 0; index < 2; index++)
        take(&rss, index, flow, number, G_N_ELEMENTS(flow));
    table[0] = 1;
    g_assert_cmphex(set_rss(&rss, table, 1, 0), ==, 0);
    uint64_t end = lane_now() + 5000000000ull;
    for (uint32_t i = 0; i < 40; i++)
        send(&rss, 0, 7, i);
    while (seen < 40) {
        seen += take(&rss, 1, flow, number, G_N_ELEMENTS(flow));
        g_assert_cmpuint(lane_now(), <, end);
    }
    g_assert_cmpuint(net_faults(&rss.net), ==, 0);
    end_threads(&rss);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp-rss/spread", test_spread);
    g_test_add_func("/netvsp-rss/order", test_order);
    g_test_add_func("/netvsp-rss/disabled", test_disabled);
    g_test_add_func("/netvsp-rss/close", test_close);
    g_test_add_func("/netvsp-rss/left-over", test_left_over);
    g_test_add_func("/netvsp-rss/threads", test_threads);
    g_test_add_func("/netvsp-rss/threads-changes", test_threads_changes);
    g_test_add_func("/netvsp/attack/rss/foreign-completion", test_foreign_completion);
    g_test_add_func("/netvsp/attack/rss/bad-parameters", test_bad_parameters);
    return g_test_run();
}
