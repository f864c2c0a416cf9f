/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS data messages as a hostile guest sends them to netvsp, one test per attack. A frame that is
 * wrong costs itself, a message that is wrong its packet, and nothing costs more.
 */
#include <glib.h>
#include <string.h>

#include "tests/unit/net_guest.h"

/* Send an RNDIS data packet of `bytes` as it lies at net->data; it must be completed exactly once,
 * as bad if `bad`, and leave no frame behind. */
static void send_bad(struct net_guest *net, uint32_t bytes, bool bad)
{
    uint8_t got[LIMIT_FRAME / 8];
    uint64_t id = net_send_at(net, &net->channel, 0, net->data, bytes);
    uint32_t status = net_done(net, &net->channel, id);

    g_assert_cmpuint(status, ==, bad ? NVSP_INVALID_RNDIS : NVSP_SUCCESS);
    g_assert_cmpint(sg_receive(&net->channel, NULL, NULL, got, 8), ==, -1);
    g_assert_cmpuint(net_switch_take(net, 0, got, NULL), ==, 0);
}

/* A good message with word `at` changed to `value`. */
static void bend(struct net_guest *net, unsigned word, uint32_t value, bool bad)
{
    uint8_t frame[100];

    net_make_frame(frame, sizeof(frame), 1);
    uint32_t bytes = net_wrap(net, net->data, frame, sizeof(frame));
    memcpy(sg_mem(net->guest, net->data + 4 * word), &value, 4);
    send_bad(net, bytes, bad);
}

/* --- Data messages */

static void test_message_length(void)
{
    static const uint32_t lengths[] = {0, 1, 7, 8, 43, 145, 0x7fffffff, 0xffffffff};
    struct net_guest net;

    net_begin(&net);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++)
        bend(&net, 1, lengths[i], true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_data_offset_and_length(void)
{
    static const uint32_t values[] = {137, 0x7fffffff, 0xffffffd8, 0xfffffff8, 0xffffffff};
    struct net_guest net;

    net_begin(&net);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        bend(&net, 2, values[i], true);
        bend(&net, 3, values[i], true);
    }
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* A message with `ppi` bytes of per-packet info, whose words are given. */
static uint32_t wrap_info(struct net_guest *net, const uint32_t *info, uint32_t ppi,
                          const uint8_t *frame, uint32_t length)
{
    uint32_t header[11] = {1, 44 + ppi + length, 36 + ppi, length, 0, 0, 0, 36, ppi};
    uint8_t *at = sg_mem(net->guest, net->data);

    memcpy(at, header, sizeof(header));
    memcpy(at + 44, info, ppi);
    memcpy(at + 44 + ppi, frame, length);
    return header[1];
}

static void test_info_loops(void)
{
    static const uint32_t infos[][4] = {
        {0, 6, 12, 5},          /* size 0 */
        {4, 6, 12, 5},          /* smaller than its header */
        {0xffffffff, 6, 12, 5}, /* larger than all */
        {20, 6, 12, 5},         /* larger than what is there */
        {16, 6, 16, 5},         /* data behind its end */
        {16, 6, 0xfffffffc, 5}, {15, 6, 12, 5},
    };
    uint8_t frame[100];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(infos); i++)
        send_bad(&net, wrap_info(&net, infos[i], 16, frame, sizeof(frame)), true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_info_offset_and_length(void)
{
    static const uint32_t values[] = {1, 137, 0x7fffffff, 0xfffffff8, 0xffffffff};
    struct net_guest net;

    net_begin(&net);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        bend(&net, 8, values[i], true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* More elements than any driver has. */
static void test_info_count(void)
{
    uint32_t info[64 * 3];
    uint8_t frame[100];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    for (unsigned i = 0; i < 64; i++) {
        info[3 * i] = 12;
        info[3 * i + 1] = 99;
        info[3 * i + 2] = 12;
    }
    send_bad(&net, wrap_info(&net, info, sizeof(info), frame, sizeof(frame)), true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* The second message begins where no message can, or is bad itself: the first is dropped too, and
 * the packet completed once. */
static void test_second_message(void)
{
    uint8_t frame[101];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    uint32_t first = net_wrap(&net, net.data, frame, sizeof(frame));
    uint32_t second = net_wrap(&net, net.data + first, frame, sizeof(frame));
    send_bad(&net, first + second, true); /* not a multiple of 8 */
    first = net_wrap(&net, net.data, frame, 100);
    second = net_wrap(&net, net.data + first, frame, 100);
    *(uint32_t *)sg_mem(net.guest, net.data + first + 4) = 0xfffffff0;
    send_bad(&net, first + second, true);
    send_bad(&net, first + 4, true); /* it is cut short */
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_too_many_messages(void)
{
    uint8_t frame[100];
    struct net_guest net;
    uint32_t at = 0;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    for (unsigned i = 0; i < 9; i++)
        at += net_wrap(&net, net.data + at, frame, sizeof(frame));
    send_bad(&net, at, true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_control_as_data(void)
{
    struct net_guest net;

    net_begin(&net);
    for (uint32_t type = 0; type < 12; type++)
        if (type != 1)
            bend(&net, 0, type, true);
    bend(&net, 0, 0x80000002, true);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_frame_lengths(void)
{
    uint8_t frame[1600];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    for (uint32_t length = 0; length < 14; length++)
        send_bad(&net, net_wrap(&net, net.data, frame, length), false);
    send_bad(&net, net_wrap(&net, net.data, frame, 1519), false);
    g_assert_cmpuint(net_stats(&net).bad_out, ==, 15);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_tso_without_mss(void)
{
    const uint32_t info[4] = {16, 2, 12, 1u << 30 | 34u << 20};
    uint8_t frame[1400];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    send_bad(&net, wrap_info(&net, info, sizeof(info), frame, sizeof(frame)), false);
    g_assert_cmpuint(net_stats(&net).bad_out, ==, 1);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_checksum_past_end(void)
{
    const uint32_t info[4] = {16, 0, 12, 1 | 4 | 0x3ffu << 16};
    uint8_t frame[100];
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    frame[12] = 8;
    frame[13] = 0;
    frame[14] = 0x45;
    send_bad(&net, wrap_info(&net, info, sizeof(info), frame, sizeof(frame)), false);
    g_assert_cmpuint(net_stats(&net).bad_out, ==, 1);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* The outer tag goes into the metadata, the inner one stays. */
static void test_double_tag(void)
{
    uint8_t frame[100], got[200];
    struct frame_meta meta;
    struct net_guest net;

    net_begin(&net);
    net_make_frame(frame, sizeof(frame), 1);
    memcpy(frame + 12, "\x81\x00\x20\x05\x81\x00\x00\x07", 8);
    g_assert_cmpuint(net_transmit(&net, frame, sizeof(frame)), ==, NVSP_SUCCESS);
    g_assert_cmpuint(net_switch_take(&net, 0, got, &meta), ==, 96);
    g_assert_cmphex(meta.flags & FRAME_VLAN, ==, FRAME_VLAN);
    g_assert_cmphex(meta.vlan_tci, ==, 0x2005);
    g_assert_cmpmem(got, 12, frame, 12);
    g_assert_cmpmem(got + 12, 84, frame + 16, 84);
    net_expect_alive(&net);
    net_guest_free(&net);
}

/* --- The send buffer */

static void send_section(struct net_guest *net, uint32_t section, uint32_t size)
{
    const struct nvsp_message message = {.type = NVSP_RNDIS, .rndis = {0, section, size}};

    g_assert_true(sg_send_inband(&net->channel, net->next_id++, &message, sizeof(message)));
}

static void test_section_index(void)
{
    static const uint32_t sections[] = {NET_SEND_PAGES * GMEM_PAGE / 6144, 0x7fffffff, 0xfffffffe,
                                        0x100000000ull / 6144 + 1};
    struct net_guest net;

    for (unsigned i = 0; i < G_N_ELEMENTS(sections); i++) {
        net_begin(&net);
        send_section(&net, sections[i], 100);
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

static void test_section_size(void)
{
    static const uint32_t sizes[] = {NET_SEND_PAGES * GMEM_PAGE + 1, 0x7fffffff, 0xffffffff};
    struct net_guest net;

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        net_begin(&net);
        send_section(&net, 0, sizes[i]);
        net_expect_ended(&net);
        net_guest_free(&net);
    }
}

/* Nothing at all is no message. */
static void test_section_size_zero(void)
{
    struct net_guest net;

    net_begin(&net);
    send_section(&net, 0, 0);
    g_assert_cmpuint(net_done(&net, &net.channel, net.next_id - 1), ==, NVSP_INVALID_RNDIS);
    net_expect_alive(&net);
    net_guest_free(&net);
}

static void test_section_without_buffer(void)
{
    const struct nvsp_message revoke = {.type = NVSP_REVOKE_SEND_BUFFER};
    struct net_guest net;

    net_begin(&net);
    net_say(&net, &revoke, sizeof(revoke));
    send_section(&net, 0, 100);
    net_expect_ended(&net);
    net_guest_free(&net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/netvsp/attack/data/message-length", test_message_length);
    g_test_add_func("/netvsp/attack/data/offset-and-length", test_data_offset_and_length);
    g_test_add_func("/netvsp/attack/data/info-loops", test_info_loops);
    g_test_add_func("/netvsp/attack/data/info-offset-and-length", test_info_offset_and_length);
    g_test_add_func("/netvsp/attack/data/info-count", test_info_count);
    g_test_add_func("/netvsp/attack/data/second-message", test_second_message);
    g_test_add_func("/netvsp/attack/data/too-many-messages", test_too_many_messages);
    g_test_add_func("/netvsp/attack/data/control-as-data", test_control_as_data);
    g_test_add_func("/netvsp/attack/data/frame-lengths", test_frame_lengths);
    g_test_add_func("/netvsp/attack/data/tso-without-mss", test_tso_without_mss);
    g_test_add_func("/netvsp/attack/data/checksum-past-end", test_checksum_past_end);
    g_test_add_func("/netvsp/attack/data/double-tag", test_double_tag);
    g_test_add_func("/netvsp/attack/send-buffer/section-index", test_section_index);
    g_test_add_func("/netvsp/attack/send-buffer/section-size", test_section_size);
    g_test_add_func("/netvsp/attack/send-buffer/section-size-zero", test_section_size_zero);
    g_test_add_func("/netvsp/attack/send-buffer/without", test_section_without_buffer);
    return g_test_run();
}
