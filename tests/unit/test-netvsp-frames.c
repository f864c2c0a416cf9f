/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames through netvsp to the guest: batches, back-pressure, filters, and what is cut or dropped
 * on the way.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"
#include "vmbus/rndis.h"

static void receive_at(uint32_t version, bool empty_completions)
{
    uint8_t frame[1514], got[1600];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net.empty_completions = empty_completions;
    net_up(&net, version);
    for (unsigned round = 0; round < 3 * net.subs; round++) {
        uint32_t length = 14 + round * 37 % 1500;
        net_make_frame(frame, length, (uint8_t)round);
        g_assert_true(net_switch_send(&net, 0, frame, length));
        g_assert_true(net_take(&net, &net.channel, &pages));
        g_assert_cmpuint(pages.ranges, ==, 1);
        g_assert_cmpuint(net_frame_of(&net, &pages, 0, got, sizeof(got)), ==, length);
        g_assert_cmpmem(got, length, frame, length);
        net_complete_pages(&net, &net.channel, pages.id);
    }
    g_assert_cmpuint(net_faults(&net), ==, 0);
    g_assert_cmpuint(net_stats(&net).frames_in, ==, 3 * net.subs);
    net_guest_free(&net);
}

static void test_receive_linux(void)
{
    receive_at(NVSP_VERSION_6_1, false);
}

static void test_receive_ipxe(void)
{
    receive_at(NVSP_VERSION_1, true);
}

/* Frames that wait are put into one packet, as many as the guest is known to take. */
static void batch_at(uint32_t version, uint32_t want)
{
    uint8_t frame[100], got[200];
    struct net_guest net;
    struct net_pages pages;
    unsigned n = 0;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, version);
    for (unsigned i = 0; i < 80; i++) {
        net_make_frame(frame, sizeof(frame), (uint8_t)i);
        g_assert_true(net_switch_send(&net, 0, frame, sizeof(frame)));
    }
    while (net_take(&net, &net.channel, &pages)) {
        g_assert_cmpuint(pages.ranges, ==, 80 - n < want ? 80 - n : want);
        for (unsigned i = 0; i < pages.ranges; i++) {
            net_make_frame(frame, sizeof(frame), (uint8_t)n++);
            g_assert_cmpuint(net_frame_of(&net, &pages, i, got, sizeof(got)), ==, 100);
            g_assert_cmpmem(got, 100, frame, 100);
        }
        net_complete_pages(&net, &net.channel, pages.id);
    }
    g_assert_cmpuint(n, ==, 80);
    net_guest_free(&net);
}

static void test_batch(void)
{
    batch_at(NVSP_VERSION_6_1, 64);
}

static void test_batch_of_one(void)
{
    batch_at(NVSP_VERSION_1, 1);
}

/* The guest completes nothing: reading stops, and goes on where it stopped. */
static void test_out_of_suballocations(void)
{
    uint8_t frame[100], got[200];
    struct net_guest net;
    struct net_pages pages[200];
    unsigned packets = 0, sent = 0, seen = 0;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_1);
    for (;; sent++) {
        net_make_frame(frame, sizeof(frame), (uint8_t)sent);
        if (!net_switch_send(&net, 0, frame, sizeof(frame)))
            break;
        sg_run(net.guest, 0);
        while (net_take(&net, &net.channel, &pages[packets]))
            packets++;
        g_assert_cmpuint(packets, <, G_N_ELEMENTS(pages));
    }
    g_assert_cmpuint(packets, ==, net.subs - 16);
    g_assert_cmpuint(net_stats(&net).stalls_in, >=, 1);
    port_queue_missed(&net.far.out[0], 3); /* what the switch had for it meanwhile */
    while (seen < sent) {
        g_assert_cmpuint(packets, >, seen);
        struct net_pages *next = &pages[seen % 200];
        net_make_frame(frame, sizeof(frame), (uint8_t)seen);
        g_assert_cmpuint(net_frame_of(&net, next, 0, got, sizeof(got)), ==, 100);
        g_assert_cmpmem(got, 100, frame, 100);
        net_complete_pages(&net, &net.channel, next->id);
        seen++;
        while (net_take(&net, &net.channel, &pages[packets % 200]))
            packets++;
    }
    g_assert_cmpuint(net_stats(&net).no_buffer_in, ==, 3);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

/* The guest reads nothing: the ring fills, and goes on when it does. */
static void test_out_of_ring(void)
{
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;
    unsigned seen = 0, sent = 0;

    net_guest_init(&net, 1, 0);
    sg_close(&net.channel);
    g_assert_cmpuint(sg_open(&net.channel, 1, NULL, 0), ==, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_1);
    net_make_frame(frame, sizeof(frame), 0);
    for (; sent < 100; sent++) {
        g_assert_true(net_switch_send(&net, 0, frame, sizeof(frame)));
        sg_run(net.guest, 0);
    }
    g_assert_cmpuint(net_stats(&net).stalls_in, >=, 1);
    while (seen < sent) {
        g_assert_true(net_take(&net, &net.channel, &pages));
        net_complete_pages(&net, &net.channel, pages.id);
        seen += pages.ranges;
        sg_run(net.guest, 60);
    }
    g_assert_cmpuint(seen, ==, sent);
    g_assert_cmpuint(net_faults(&net), ==, 0);
    net_guest_free(&net);
}

static void test_filter_zero_stops(void)
{
    const uint32_t none = 0, all = 0xd;
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 0);
    g_assert_cmphex(net_set(&net, 0x1010e, &none, 4), ==, 0);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_false(net_take(&net, &net.channel, &pages));
    g_assert_cmpuint(net_stats(&net).filtered_in, ==, 1);
    g_assert_cmphex(net_set(&net, 0x1010e, &all, 4), ==, 0);
    g_assert_false(net_take(&net, &net.channel, &pages));
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_guest_free(&net);
}

static void test_filter_by_address(void)
{
    const uint32_t directed = 1, promiscuous = 0x20;
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 0);
    frame[5] ^= 1;
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_false(net_take(&net, &net.channel, &pages));
    memset(frame, 0xff, 6);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_set(&net, 0x1010e, &directed, 4);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_false(net_take(&net, &net.channel, &pages));
    net_set(&net, 0x1010e, &promiscuous, 4);
    frame[0] = 2;
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_true(net_take(&net, &net.channel, &pages));
    net_guest_free(&net);
}

/* Nothing of the time without a driver comes to the driver. */
static void test_frames_without_driver(void)
{
    uint8_t frame[100];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_make_frame(frame, sizeof(frame), 0);
    for (unsigned i = 0; i < 3 * NET_CELLS; i++) {
        g_assert_true(net_switch_send(&net, 0, frame, sizeof(frame)));
        sg_run(net.guest, 0);
    }
    g_assert_cmpuint(net_stats(&net).filtered_in, ==, 3 * NET_CELLS);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_false(net_take(&net, &net.channel, &pages));
    net_guest_free(&net);
}

/* A TCP frame of `payload` bytes behind its headers. */
static uint32_t make_tcp(uint8_t *frame, uint32_t payload)
{
    uint32_t length = 54 + payload;
    uint16_t total = (uint16_t)(length - 14);

    net_make_frame(frame, length, 9);
    memset(frame + 12, 0, 42);
    frame[12] = 8;
    frame[14] = 0x45;
    frame[16] = (uint8_t)(total >> 8);
    frame[17] = (uint8_t)total;
    frame[22] = 64;
    frame[23] = 6;
    frame[26] = frame[30] = 10;
    frame[29] = 1;
    frame[33] = 2;
    frame[35] = frame[37] = 80;
    frame[46] = 0x50;
    frame[47] = 0x10;
    return length;
}

/* Sum of the TCP segment with its pseudo header, 0xffff when right. */
static uint32_t tcp_sum(const uint8_t *frame, uint32_t length)
{
    uint32_t sum = 6 + (length - 34);

    for (uint32_t i = 26; i < length; i++)
        sum += i % 2 ? frame[i] : (uint32_t)frame[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* A large segment for a guest whose suballocations hold one frame: cut, in order, checksums right.
 */
/* A large segment of 10 frames; its bytes are in `frame`. */
static struct frame_meta make_large(uint8_t *frame)
{
    return (struct frame_meta){.length = make_tcp(frame, 14480),
                               .hash = 1,
                               .csum_start = 34,
                               .csum_offset = 16,
                               .gso_size = 1448,
                               .header = 54,
                               .gso = FRAME_GSO_TCPV4,
                               .flags = FRAME_CSUM_PARTIAL};
}

/* Push a large segment, and see that it comes in frames of the guest's MTU. */
static void expect_cut(struct net_guest *net)
{
    static uint8_t frame[20000], got[1600];
    const struct frame_meta meta = make_large(frame);
    struct net_pages pages;
    uint32_t seen = 0;

    g_assert_true(net_switch_push(net, 0, frame, &meta));
    while (net_take(net, &net->channel, &pages)) {
        for (unsigned i = 0; i < pages.ranges; i++) {
            uint32_t len = net_frame_of(net, &pages, i, got, sizeof(got));
            g_assert_cmpuint(len, <=, 1514);
            g_assert_cmpmem(got + 54, len - 54, frame + 54 + seen, len - 54);
            g_assert_cmphex(tcp_sum(got, len), ==, 0xffff);
            seen += len - 54;
        }
        net_complete_pages(net, &net->channel, pages.id);
    }
    g_assert_cmpuint(seen, ==, 14480);
    g_assert_cmpuint(net_stats(net).dropped_in, ==, 0);
}

static void test_gso_is_cut(void)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    expect_cut(&net);
    net_guest_free(&net);
}

/* --- Receive side coalescing */

static void set_offloads(struct net_guest *net, const uint8_t parameters[28])
{
    struct net_pages pages;

    g_assert_cmpuint(net_set(net, 0xfc01020c, parameters, 28), ==, 0);
    while (net_take(net, &net->channel, &pages)) { /* the guest is told what has changed */
        g_assert_cmpuint(pages.channel, ==, NVSP_CHANNEL_CONTROL);
        net_complete_pages(net, &net->channel, pages.id);
    }
}

static void set_rsc(struct net_guest *net, uint8_t rsc4, uint8_t rsc6)
{
    const uint8_t parameters[28] = {0x80, 3, 28, [22] = rsc4, [23] = rsc6};

    set_offloads(net, parameters);
}

/* A guest that can take pieces; they are still off. */
static void coalescing_begin(struct net_guest *net)
{
    net_guest_init(net, 1, 0);
    net->capabilities = 0x80;
    net_attach(net, 1);
    net_up(net, NVSP_VERSION_6_1);
}

/* Flags of the piece that range `n` is, and the frame's id. As Linux looks for it. */
static uint32_t piece_flags(struct net_guest *net, const struct net_pages *pages, uint32_t n,
                            uint32_t *ret_id)
{
    const uint8_t *message = sg_mem(net->guest, net->receive + pages->offset[n]);
    uint32_t header[11], element[4];

    memcpy(header, message, sizeof(header));
    for (uint32_t at = 8 + header[7], end = at + header[8]; at < end; at += element[0]) {
        memcpy(element, message + at, sizeof(element));
        if (element[1] != 0x80000001u)
            continue;
        g_assert_cmpuint(element[3] & 0xff, ==, 1);
        *ret_id = element[3] >> 16;
        return element[3] >> 8 & 0xff;
    }
    g_assert_not_reached();
}

/* Linux takes the pieces of a frame out of one packet, and drops what goes beyond it. */
static void expect_whole(struct net_guest *net)
{
    static uint8_t frame[20000], got[20000];
    const struct frame_meta meta = make_large(frame);
    struct net_pages pages;
    uint32_t seen = 0, id, first_id = 0;

    g_assert_true(net_switch_push(net, 0, frame, &meta));
    g_assert_true(net_take(net, &net->channel, &pages));
    g_assert_cmpuint(pages.ranges, ==, meta.length / (net->sub_size - RNDIS_BUILD_MAX) + 1);
    for (unsigned i = 0; i < pages.ranges; i++) {
        uint32_t flags = piece_flags(net, &pages, i, i ? &id : &first_id);
        g_assert_cmphex(flags, ==, 1u | (i ? 0 : 2u) | (i + 1 < pages.ranges ? 0 : 4u));
        g_assert_true(!i || id == first_id);
        seen += net_frame_of(net, &pages, i, got + seen, (uint32_t)sizeof(got) - seen);
    }
    g_assert_cmpmem(got, seen, frame, meta.length);
    net_complete_pages(net, &net->channel, pages.id);
    g_assert_false(net_take(net, &net->channel, &pages));
}

static void test_whole_if_asked_for(void)
{
    struct net_guest net;

    coalescing_begin(&net);
    expect_cut(&net); /* not asked for yet */
    set_rsc(&net, 2, 2);
    for (unsigned i = 0; i < 50; i++) /* more than the buffer holds: all of it comes back */
        expect_whole(&net);
    set_rsc(&net, 0, 0);
    expect_whole(&net);
    set_rsc(&net, 1, 2);
    expect_cut(&net);
    set_rsc(&net, 2, 1);
    expect_whole(&net);
    g_assert_cmpuint(net_stats(&net).dropped_in, ==, 0);
    net_guest_free(&net);
}

/* Whoever has not said that it can take pieces gets none, whatever it asks for. */
static void test_whole_not_offered(void)
{
    struct net_guest net;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    set_rsc(&net, 2, 2);
    expect_cut(&net);
    net_guest_free(&net);
}

/* A guest that sums up by itself must find a sum, and none is put into a large segment. */
static void test_whole_without_checksums(void)
{
    const uint8_t parameters[28] = {0x80, 3, 28, [5] = 1, [22] = 2, [23] = 2};
    struct net_guest net;

    coalescing_begin(&net);
    set_offloads(&net, parameters);
    expect_cut(&net);
    net_guest_free(&net);
}

/* A segment that needs more suballocations than are free waits for them. */
static void test_whole_waits(void)
{
    static uint8_t frame[20000];
    const struct frame_meta meta = make_large(frame);
    struct net_guest net;
    struct net_pages pages[40];
    unsigned pushed = 0, taken = 0;

    coalescing_begin(&net);
    set_rsc(&net, 2, 2);
    while (net_switch_push(&net, 0, frame, &meta) && pushed < G_N_ELEMENTS(pages)) {
        pushed++;
        while (taken < pushed && net_take(&net, &net.channel, &pages[taken]))
            taken++;
    }
    g_assert_cmpuint(net_stats(&net).stalls_in, ==, 1);
    g_assert_cmpuint(taken, <, pushed);
    for (unsigned done = 0; done < pushed; done++) {
        if (done == taken && net_take(&net, &net.channel, &pages[taken]))
            taken++;
        g_assert_cmpuint(done, <, taken);
        net_complete_pages(&net, &net.channel, pages[done].id);
    }
    g_assert_cmpuint(net_stats(&net).dropped_in, ==, 0);
    net_guest_free(&net);
}

static void test_partial_checksum_is_put_in(void)
{
    uint8_t frame[600], got[700];
    struct net_guest net;
    struct net_pages pages;
    uint32_t length = make_tcp(frame, 400), sum;
    const struct frame_meta meta = {.length = length,
                                    .hash = 1,
                                    .csum_start = 34,
                                    .csum_offset = 16,
                                    .flags = FRAME_CSUM_PARTIAL};

    /* The pseudo header's sum is there already. */
    sum = 0x0a00 + 1 + 0x0a00 + 2 + 6 + (length - 34);
    sum = (sum & 0xffff) + (sum >> 16);
    frame[50] = (uint8_t)(sum >> 8);
    frame[51] = (uint8_t)sum;
    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    g_assert_true(net_switch_push(&net, 0, frame, &meta));
    g_assert_true(net_take(&net, &net.channel, &pages));
    g_assert_cmpuint(net_frame_of(&net, &pages, 0, got, sizeof(got)), ==, length);
    g_assert_cmphex(tcp_sum(got, length), ==, 0xffff);
    net_guest_free(&net);
}

static void test_oversize_dropped(void)
{
    uint8_t frame[3000];
    struct net_guest net;
    struct net_pages pages;

    net_guest_init(&net, 1, 0);
    net_attach(&net, 1);
    net_up(&net, NVSP_VERSION_6_1);
    net_make_frame(frame, sizeof(frame), 0);
    net_switch_send(&net, 0, frame, sizeof(frame));
    g_assert_false(net_take(&net, &net.channel, &pages));
    g_assert_cmpuint(net_stats(&net).dropped_in, ==, 1);
    net_guest_free(&net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp-frames/rx/linux", test_receive_linux);
    g_test_add_func("/netvsp-frames/rx/ipxe", test_receive_ipxe);
    g_test_add_func("/netvsp-frames/rx/batch", test_batch);
    g_test_add_func("/netvsp-frames/rx/batch-of-one", test_batch_of_one);
    g_test_add_func("/netvsp-frames/rx/out-of-suballocations", test_out_of_suballocations);
    g_test_add_func("/netvsp-frames/rx/out-of-ring", test_out_of_ring);
    g_test_add_func("/netvsp-frames/rx/filter-zero", test_filter_zero_stops);
    g_test_add_func("/netvsp-frames/rx/filter-address", test_filter_by_address);
    g_test_add_func("/netvsp-frames/rx/without-driver", test_frames_without_driver);
    g_test_add_func("/netvsp-frames/rx/gso-cut", test_gso_is_cut);
    g_test_add_func("/netvsp-frames/rsc/asked-for", test_whole_if_asked_for);
    g_test_add_func("/netvsp-frames/rsc/not-offered", test_whole_not_offered);
    g_test_add_func("/netvsp-frames/rsc/without-checksums", test_whole_without_checksums);
    g_test_add_func("/netvsp-frames/rsc/waits", test_whole_waits);
    g_test_add_func("/netvsp-frames/rx/partial-checksum", test_partial_checksum_is_put_in);
    g_test_add_func("/netvsp-frames/rx/oversize", test_oversize_dropped);
    return g_test_run();
}
