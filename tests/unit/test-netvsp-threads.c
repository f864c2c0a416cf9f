/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp on two threads: a subchannel whose lane runs by itself, while its queue changes hands, the
 * port comes and goes and the receive buffer is taken away. Of most use under ThreadSanitizer.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"

#define PATIENCE_NS 5000000000ull

struct two {
    struct net_guest net;
    struct lane *lane;
    struct sg_channel sub;
    unsigned seen[2]; /* frames by channel */
};

static void open_sub(struct two *two)
{
    const struct nvsp_message message = {.type = NVSP_SUBCHANNEL, .subchannel = {NVSP_ALLOCATE, 1}};
    struct net_guest *net = &two->net;
    uint8_t table[104];

    sg_drop(net->guest);
    g_assert_cmpuint(net_ask(net, &message, sizeof(message)), ==, NVSP_SUBCHANNEL);
    g_assert_cmpint(sg_wait(&net->channel, NULL, NULL, table, sizeof(table)), ==, 104);
    sg_run(net->guest, 5);
    g_assert_true(
        sg_find_offer(net->guest, &netvsp_vsp(net->netvsp)->class->interface, 1, &two->sub));
    g_assert_cmpuint(sg_open(&two->sub, NET_RING_PAGES, NULL, 0), ==, 0);
}

static void begin(struct two *two)
{
    memset(two, 0, sizeof(*two));
    two->lane = lane_new("second");
    net_guest_init_two(&two->net, two->lane);
    g_assert_cmpint(lane_start(two->lane, NULL, NULL), ==, 0);
    net_attach(&two->net, 2);
    net_up(&two->net, NVSP_VERSION_6_1);
    open_sub(two);
}

static void end(struct two *two)
{
    struct net_guest *net = &two->net;

    g_assert_cmpuint(net_faults(net), ==, 0);
    sg_stop(net->guest);
    net_detach(net);
    lane_end(two->lane);
    net_guest_free(net);
    lane_free(two->lane);
}

/* Take and complete what is there, on both channels; frames that came. */
static unsigned drain(struct two *two)
{
    struct sg_channel *channels[] = {&two->net.channel, &two->sub};
    struct net_pages pages;
    uint8_t frame[200];
    unsigned got = 0;

    for (unsigned i = 0; i < 2; i++) {
        while (net_take(&two->net, channels[i], &pages)) {
            for (unsigned n = 0; n < pages.ranges; n++)
                g_assert_cmpuint(net_frame_of(&two->net, &pages, n, frame, sizeof(frame)), ==, 100);
            net_complete_pages(&two->net, channels[i], pages.id);
            two->seen[i] += pages.ranges;
            got += pages.ranges;
        }
    }
    return got;
}

static void drain_until(struct two *two, unsigned frames)
{
    uint64_t end = lane_now() + PATIENCE_NS;

    while (two->seen[0] + two->seen[1] < frames) {
        drain(two);
        g_assert_cmpuint(lane_now(), <, end);
    }
}

static void send(struct two *two, unsigned queue, unsigned count)
{
    uint8_t frame[100];

    net_make_frame(frame, sizeof(frame), 1);
    while (count--)
        g_assert_true(net_switch_send(&two->net, queue, frame, sizeof(frame)));
}

static void transmit(struct two *two, struct sg_channel *channel, unsigned queue)
{
    struct net_guest *net = &two->net;
    uint8_t frame[100], got[200];

    net_make_frame(frame, sizeof(frame), 1);
    uint32_t bytes = net_wrap(net, net->data, frame, sizeof(frame));
    g_assert_cmpuint(net_done(net, channel, net_send_at(net, channel, 0, net->data, bytes)), ==,
                     NVSP_SUCCESS);
    while (!net_switch_take(net, queue, got, NULL))
        ;
}

static void test_traffic(void)
{
    struct two two;

    begin(&two);
    for (unsigned round = 1; round <= 200; round++) {
        send(&two, 0, 3);
        send(&two, 1, 5);
        drain_until(&two, 8 * round);
        transmit(&two, &two.net.channel, 0);
        transmit(&two, &two.sub, 1);
    }
    g_assert_cmpuint(two.seen[0] + two.seen[1], ==, 1600);
    g_assert_cmpuint(two.seen[1], >=, 900);
    end(&two);
}

/* The second queue goes to and fro; frames stay whole and in one of the channels. */
static void test_queue_changes_hands(void)
{
    struct two two;
    unsigned sent = 0;

    begin(&two);
    for (unsigned round = 0; round < 30; round++) {
        send(&two, 1, 4);
        sg_close(&two.sub);
        send(&two, 1, 4);
        g_assert_cmpuint(sg_open(&two.sub, NET_RING_PAGES, NULL, 0), ==, 0);
        sent += 8;
        /* What lay in the closed ring is gone with it. */
        sg_run(two.net.guest, 2);
        drain(&two);
    }
    g_assert_cmpuint(two.seen[0] + two.seen[1], <=, sent);
    two.seen[0] = two.seen[1] = 0;
    send(&two, 1, 10);
    drain_until(&two, 10);
    end(&two);
}

static void test_port_comes_and_goes(void)
{
    struct two two;

    begin(&two);
    for (unsigned round = 0; round < 30; round++) {
        send(&two, 0, 4);
        send(&two, 1, 4);
        if (round % 2)
            drain(&two);
        net_detach(&two.net);
        net_attach(&two.net, 2);
        drain(&two);
    }
    sg_run(two.net.guest, 5);
    drain(&two);
    two.seen[0] = two.seen[1] = 0;
    send(&two, 1, 10);
    drain_until(&two, 10);
    end(&two);
}

/* Once a revoke is answered, no byte of the buffer changes. */
static void test_revoke_in_use(void)
{
    const struct nvsp_message revoke = {.type = NVSP_REVOKE_RECEIVE_BUFFER,
                                        .revoke = {NET_RECEIVE_ID}};

    for (unsigned round = 0; round < 10; round++) {
        struct two two;
        begin(&two);
        struct net_guest *net = &two.net;
        uint8_t *buffer = sg_mem(net->guest, net->receive);
        uint64_t id = net->next_id++;
        send(&two, 1, 60);
        g_assert_true(sg_send_inband(&net->channel, id, &revoke, sizeof(revoke)));
        send(&two, 1, 30);
        uint64_t got;
        uint16_t type;
        g_assert_cmpint(sg_wait(&net->channel, &type, &got, buffer, 0), ==, 0);
        g_assert_cmphex(got, ==, id);
        memset(buffer, 0xa5, NET_RECEIVE_PAGES * GMEM_PAGE);
        send(&two, 1, 30);
        sg_run(net->guest, 10);
        for (unsigned i = 0; i < NET_RECEIVE_PAGES * GMEM_PAGE; i++)
            g_assert_cmphex(buffer[i], ==, 0xa5);
        end(&two);
    }
}

static void on_gone(void *context)
{
    struct net_guest *net = context;

    /* As the machine does: on the bus's lane, with tasks on the others' perhaps. */
    netvsp_free(net->netvsp);
    net->netvsp = NULL;
    port_ring_unmap(&net->far);
    net->attached = false;
}

/* Taken away under traffic both ways, with packets that nobody completes: the guest's pages are let
 * go of before it is told so, and nothing is touched after. */
static void test_removed(void)
{
    for (unsigned round = 0; round < 20; round++) {
        struct two two;
        begin(&two);
        struct net_guest *net = &two.net;
        uint8_t *buffer = sg_mem(net->guest, net->receive);
        send(&two, 0, 20);
        send(&two, 1, 60);
        g_assert_cmpint(vmbus_bus_remove(net->guest->bus, netvsp_vsp(net->netvsp), on_gone, net),
                        ==, 0);
        send(&two, 1, 30);
        sg_close(&two.sub);
        sg_close(&net->channel);
        sg_tell_words(net->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, net->channel.relid,
                      net->receive_gpadl);
        sg_pick(net->guest, VMBUS_MSG_GPADL_TORNDOWN);
        memset(buffer, 0xa5, NET_RECEIVE_PAGES * GMEM_PAGE);
        send(&two, 0, 5);
        sg_run(net->guest, 2);
        for (unsigned i = 0; i < NET_RECEIVE_PAGES * GMEM_PAGE; i++)
            g_assert_cmphex(buffer[i], ==, 0xa5);
        sg_tell_words(net->guest, VMBUS_MSG_RELID_RELEASED, 1, two.sub.relid, 0);
        sg_tell_words(net->guest, VMBUS_MSG_RELID_RELEASED, 1, net->channel.relid, 0);
        sg_run(net->guest, 2);
        g_assert_null(net->netvsp);
        sg_stop(net->guest);
        lane_end(two.lane);
        net_guest_free(net);
        lane_free(two.lane);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp-threads/traffic", test_traffic);
    g_test_add_func("/netvsp-threads/queue-changes-hands", test_queue_changes_hands);
    g_test_add_func("/netvsp-threads/port-comes-and-goes", test_port_comes_and_goes);
    g_test_add_func("/netvsp-threads/removed", test_removed);
    g_test_add_func("/netvsp/attack/buffers/revoke-in-use", test_revoke_in_use);
    return g_test_run();
}
