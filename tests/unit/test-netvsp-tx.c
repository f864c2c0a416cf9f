/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames through netvsp from the guest: every layout of the guest's bytes, back-pressure, and when
 * the guest need not signal.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"

static void test_transmit(void)
{
    uint8_t frame[1514], got[1600];
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    for (uint32_t length = 14; length <= 1514; length += 75) {
        struct frame_meta meta;
        net_make_frame(frame, length, (uint8_t)length);
        g_assert_cmpuint(net_transmit(&net, frame, length), ==, NVSP_SUCCESS);
        g_assert_cmpuint(net_switch_take(&net, 0, got, &meta), ==, length);
        g_assert_cmpmem(got, length, frame, length);
    }
    g_assert_cmpuint(net_stats(&net).frames_out, ==, 21);
    g_assert_cmpuint(net_stats(&net).bad_out, ==, 0);
    net_guest_free(&net);
}

static void test_transmit_without_port(void)
{
    uint8_t frame[100];
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 1);
    g_assert_cmpuint(net_transmit(&net, frame, sizeof(frame)), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_stats(&net).dropped_out, ==, 1);
    net_guest_free(&net);
}

/* Send `bytes` bytes at net.data as `n` ranges cut at `cut[]`, the first of which lies in the send
 * buffer if `section` says so. */
static uint32_t transmit_cut(struct net_guest *net, uint32_t bytes, uint32_t cut, bool section)
{
    struct nvsp_message message = {
        .type = NVSP_RNDIS,
        .rndis = {.section = section ? 1 : NVSP_NO_SECTION, .size = section ? cut : 0}};
    struct {
        uint32_t reserved, ranges;
        struct {
            uint32_t length, offset;
            uint64_t pfn[2];
        } range[2];
    } extension = {.reserved = 0xdeadbeef};
    uint64_t id = net->next_id++, at = net->data;
    uint8_t *ext = (uint8_t *)&extension + 8;
    uint32_t from = 0;

    if (section) {
        memcpy(sg_mem(net->guest, net->send + 6144), sg_mem(net->guest, at), cut);
        from = cut;
    }
    while (from < bytes) {
        uint32_t length = from < cut ? cut - from : bytes - from;
        uint32_t offset = (uint32_t)((at + from) % GMEM_PAGE);
        uint32_t pages = (offset + length + GMEM_PAGE - 1) / GMEM_PAGE;
        memcpy(ext, &length, 4);
        memcpy(ext + 4, &offset, 4);
        for (uint32_t i = 0; i < pages; i++) {
            uint64_t pfn = (at + from) / GMEM_PAGE + i;
            memcpy(ext + 8 + 8 * i, &pfn, 8);
        }
        ext += 8 + 8 * pages;
        from += length;
        extension.ranges++;
    }
    if (extension.ranges)
        g_assert_true(sg_send(&net->channel, VMBUS_PACKET_GPA_DIRECT, 1, id, &extension,
                              (size_t)(ext - (uint8_t *)&extension), &message, sizeof(message)));
    else
        g_assert_true(sg_send_inband(&net->channel, id, &message, sizeof(message)));
    return net_done(net, &net->channel, id);
}

/* The border of send buffer and ranges, of ranges, of pages, at every byte of the headers. */
static void test_headers_across_borders(void)
{
    uint8_t frame[200], got[200];
    struct net_guest net;
    uint64_t data;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    data = net.data;
    net_make_frame(frame, sizeof(frame), 3);
    for (uint32_t cut = 1; cut <= 244; cut++) {
        for (unsigned section = 0; section < 2; section++) {
            net.data = data + GMEM_PAGE - 64;
            net_wrap(&net, net.data, frame, sizeof(frame));
            g_assert_cmpuint(transmit_cut(&net, 244, cut, section), ==, NVSP_SUCCESS);
            g_assert_cmpuint(net_switch_take(&net, 0, got, NULL), ==, sizeof(frame));
            g_assert_cmpmem(got, sizeof(got), frame, sizeof(frame));
        }
    }
    net_guest_free(&net);
}

static void test_several_messages(void)
{
    uint8_t frame[3][120], got[200];
    struct net_guest net;
    uint32_t at = 0;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    for (unsigned i = 0; i < 3; i++) {
        net_make_frame(frame[i], 120, (uint8_t)i);
        uint32_t bytes = net_wrap(&net, net.data + at, frame[i], 120);
        uint32_t padded = (bytes + 7) & ~7u;
        memcpy(sg_mem(net.guest, net.data + at + 4), &padded, 4);
        at += padded;
    }
    g_assert_cmpuint(net_done(&net, &net.channel, net_send_at(&net, &net.channel, 0, net.data, at)),
                     ==, NVSP_SUCCESS);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(net_switch_take(&net, 0, got, NULL), ==, 120);
        g_assert_cmpmem(got, 120, frame[i], 120);
    }
    net_guest_free(&net);
}

/* A switch that does not read: the guest waits, and nothing is lost. */
static void test_back_pressure(void)
{
    uint8_t frame[1500], got[1600];
    struct net_guest net;
    uint64_t first;
    unsigned sent = 0;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    first = net.next_id;
    for (; sent < NET_CELLS + 20; sent++) {
        net_make_frame(frame, sizeof(frame), (uint8_t)sent);
        uint64_t at = net.data + (sent % 32) * 2048;
        g_assert_true(net_send_at(&net, &net.channel, 0, at,
                                  net_wrap(&net, at, frame, sizeof(frame))) == first + sent);
        sg_run(net.guest, 0);
        if (net_stats(&net).stalls_out)
            break;
    }
    g_assert_cmpuint(net_stats(&net).stalls_out, ==, 1);
    g_assert_cmpuint(sent, >=, NET_CELLS / 2);
    for (unsigned i = 0; i <= sent; i++) {
        net_make_frame(frame, sizeof(frame), (uint8_t)i);
        g_assert_cmpuint(net_switch_take(&net, 0, got, NULL), ==, sizeof(frame));
        g_assert_cmpmem(got, sizeof(frame), frame, sizeof(frame));
        sg_run(net.guest, 0);
        g_assert_cmpuint(net_done(&net, &net.channel, first + i), ==, NVSP_SUCCESS);
    }
    g_assert_cmpuint(net_switch_take(&net, 0, got, NULL), ==, 0);
    net_guest_free(&net);
}

/* A switch that takes nothing has gone away: after a second its full port is a silent wire, and the
 * guest's packets are done with. When it takes frames again, they go out again. */
static void test_silent_switch(void)
{
    uint8_t frame[1500], got[1600];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    uint32_t bytes = net_wrap(&net, net.data, frame, sizeof(frame));
    while (!net_stats(&net).stalls_out) {
        uint64_t id = net_send_at(&net, &net.channel, 0, net.data, bytes);
        sg_run(net.guest, 0);
        if (!net_stats(&net).stalls_out)
            g_assert_cmpuint(net_done(&net, &net.channel, id), ==, NVSP_SUCCESS);
    }
    /* Turns, not time: a busy machine may spend seconds in one. */
    for (unsigned turn = 0; turn < 300 && !net_stats(&net).dropped_out; turn++)
        sg_run(net.guest, 10);
    g_assert_cmpuint(net_stats(&net).dropped_out, ==, 1);
    g_assert_cmpuint(net_done(&net, &net.channel, net.next_id - 1), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_transmit(&net, frame, sizeof(frame)), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_stats(&net).dropped_out, ==, 2);
    while (net_switch_take(&net, 0, got, NULL))
        ;
    net_expect_alive(&net);
    g_assert_cmpuint(net_stats(&net).stalls_out, ==, 1);
    net_guest_free(&net);
}

static void test_detach_lets_go_of_waiting(void)
{
    uint8_t frame[1500];
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 1);
    uint32_t bytes = net_wrap(&net, net.data, frame, sizeof(frame));
    uint64_t id = 0;
    while (!net_stats(&net).stalls_out) {
        if (id)
            g_assert_cmpuint(net_done(&net, &net.channel, id), ==, NVSP_SUCCESS);
        id = net_send_at(&net, &net.channel, 0, net.data, bytes);
        sg_run(net.guest, 0);
    }
    net_detach(&net);
    g_assert_cmpuint(net_done(&net, &net.channel, id), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_stats(&net).dropped_out, ==, 1);
    net_guest_free(&net);
}

/* The guest's writer is told not to signal. */
static bool quiet(const struct net_guest *net)
{
    uint32_t mask;

    memcpy(&mask, net->channel.out + 8, sizeof(mask));
    return mask;
}

/* So many frames in one burst. */
static void send_burst(struct net_guest *net, unsigned frames)
{
    uint8_t frame[1500];
    uint64_t id = 0;

    net_make_frame(frame, sizeof(frame), 1);
    uint32_t bytes = net_wrap(net, net->data, frame, sizeof(frame));
    for (unsigned i = 0; i < frames; i++)
        id = net_send_at(net, &net->channel, 0, net->data, bytes);
    for (unsigned i = frames; i-- > 0;)
        g_assert_cmpuint(net_done(net, &net->channel, id - i), ==, NVSP_SUCCESS);
}

/* A guest that sends in bulk need not signal until the switch has taken what was sent. */
static void test_quiet_while_switch_works(void)
{
    uint8_t got[1600];
    struct net_guest net;

    net_begin(&net);
    send_burst(&net, 15);
    g_assert_false(quiet(&net)); /* few: the next one may be long in coming */
    send_burst(&net, 16);
    g_assert_true(quiet(&net));
    send_burst(&net, 1);
    g_assert_false(quiet(&net));
    send_burst(&net, 16);
    g_assert_true(quiet(&net));
    while (net_switch_take(&net, 0, got, NULL))
        ;
    sg_run(net.guest, 0);
    g_assert_false(quiet(&net));
    net_guest_free(&net);
}

/* A switch that says nothing for a second leaves the guest's signals on, as does one that goes. */
static void test_quiet_ends(void)
{
    struct net_guest net;

    net_begin(&net);
    send_burst(&net, 16);
    g_assert_true(quiet(&net));
    for (unsigned turn = 0; turn < 300 && quiet(&net); turn++)
        sg_run(net.guest, 10);
    g_assert_false(quiet(&net));
    send_burst(&net, 16);
    g_assert_true(quiet(&net));
    net_detach(&net);
    sg_run(net.guest, 0);
    g_assert_false(quiet(&net));
    net_guest_free(&net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp-tx/lengths", test_transmit);
    g_test_add_func("/netvsp-tx/without-port", test_transmit_without_port);
    g_test_add_func("/netvsp-tx/headers-across-borders", test_headers_across_borders);
    g_test_add_func("/netvsp-tx/several-messages", test_several_messages);
    g_test_add_func("/netvsp-tx/back-pressure", test_back_pressure);
    g_test_add_func("/netvsp-tx/silent-switch", test_silent_switch);
    g_test_add_func("/netvsp-tx/detach-while-waiting", test_detach_lets_go_of_waiting);
    g_test_add_func("/netvsp-tx/quiet-while-switch-works", test_quiet_while_switch_works);
    g_test_add_func("/netvsp-tx/quiet-ends", test_quiet_ends);
    return g_test_run();
}
