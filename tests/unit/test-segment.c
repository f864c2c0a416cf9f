/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of cutting segments and putting in checksums and tags. Checksums are verified here word by
 * word in network order, not with the code under test.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/packet_maker.h"
#include "vswitch/segment.h"
#include "vswitch/wire.h"

#define ALL_CAPS (PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN)
#define FIN      0x01u
#define PSH      0x08u
#define ACK      0x10u
#define CWR      0x80u
#define SEQUENCE 0xfffff000u /* wraps on the way */

static struct maker maker;
static uint8_t out[SEGMENT_BUFFER];

/* What was made, and where. */
static struct {
    uint32_t l3, l4, header;
    bool ip6;
} shape;

/* --- Making ----------------------------------------------------------------------------------- */

static void tcp(uint8_t options, uint8_t flags, uint32_t payload)
{
    uint8_t header[20] = {0x30, 0x39, 0x00, 0x50};

    shape.l4 = maker.length;
    wire_put32(header + 4, SEQUENCE);
    header[12] = (uint8_t)((5 + options / 4) << 4);
    header[13] = flags;
    wire_put16(header + 16, 0xbeef); /* whatever the sender had there */
    make_bytes(&maker, header, sizeof(header));
    for (unsigned i = 0; i < options; i++)
        make_bytes(&maker, &(uint8_t){1}, 1);
    shape.header = maker.length;
    for (uint32_t i = 0; i < payload; i++)
        make_bytes(&maker, &(uint8_t){(uint8_t)(i * 31 + (i >> 8))}, 1);
}

static void make_tcp4(uint8_t ip_options, uint8_t options, uint32_t payload)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_TCP, 0x4000, ip_options);
    shape.l3 = 14;
    shape.ip6 = false;
    tcp(options, ACK | PSH | FIN | CWR, payload);
    maker.lying = maker.length > 60000; /* no length says that much */
}

static void make_tcp6(unsigned extensions, uint8_t options, uint32_t payload)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, ETHERTYPE_IP6);
    make_ip6(&maker, extensions ? IP6_DESTINATION : IP_TCP);
    for (unsigned i = 0; i < extensions; i++)
        make_extension(&maker, i + 1 < extensions ? IP6_DESTINATION : IP_TCP, (uint8_t)i);
    shape.l3 = 14;
    shape.ip6 = true;
    tcp(options, ACK | PSH | FIN | CWR, payload);
    maker.lying = maker.length > 60000;
}

static struct frame *large(uint32_t split, uint16_t size)
{
    struct frame *frame = make_frame(&maker, split);

    frame->meta.hash = 77;
    frame->meta.flags = FRAME_CSUM_PARTIAL;
    frame->meta.csum_start = (uint16_t)shape.l4;
    frame->meta.csum_offset = 16;
    frame->meta.gso = shape.ip6 ? FRAME_GSO_TCPV6 : FRAME_GSO_TCPV4;
    frame->meta.gso_size = size;
    frame->meta.header = (uint16_t)shape.header;
    g_assert_true(frame_meta_check(&frame->meta));
    return frame;
}

/* --- Checking --------------------------------------------------------------------------------- */

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void check_ip(const uint8_t *ip, uint32_t length, unsigned nth)
{
    uint32_t header = shape.l4 - shape.l3;
    uint32_t sum = IP_TCP + length - header;

    if (shape.ip6) {
        g_assert_cmpuint(wire_get16(ip + 4), ==, length - 40);
        sum = sum16(sum, ip + 8, 32);
    } else {
        g_assert_cmpuint(wire_get16(ip + 2), ==, length);
        g_assert_cmpuint(wire_get16(ip + 4), ==, 0x1234 + nth);
        g_assert_cmphex(sum16(0, ip, header), ==, 0xffff);
        sum = sum16(sum, ip + 12, 8);
    }
    g_assert_cmphex(sum16(sum, ip + header, length - header), ==, 0xffff);
}

/* One cut frame of `part` bytes, `at` bytes into the payload. */
static void check_segment(const uint8_t *bytes, uint32_t at, uint32_t part, unsigned nth)
{
    uint32_t payload = maker.length - shape.header, l4 = shape.l4;
    bool last = at + part == payload;

    check_ip(bytes + shape.l3, shape.header - shape.l3 + part, nth);
    g_assert_cmpuint(wire_get32(bytes + l4 + 4), ==, SEQUENCE + at);
    g_assert_cmphex(bytes[l4 + 13], ==, ACK | (last ? FIN | PSH : 0) | (nth ? 0 : CWR));
    g_assert_cmpmem(bytes + l4 + 20, shape.header - l4 - 20, maker.bytes + l4 + 20,
                    shape.header - l4 - 20);
    g_assert_cmpmem(bytes + shape.header, part, maker.bytes + shape.header + at, part);
}

static void check_tag(const uint8_t *bytes, uint16_t tci)
{
    g_assert_cmpmem(bytes, 12, maker.bytes, 12);
    g_assert_cmphex(wire_get16(bytes + 12), ==, ETHERTYPE_VLAN);
    g_assert_cmphex(wire_get16(bytes + 14), ==, tci);
}

/* Cut and check everything; returns the number of frames. */
static unsigned cut(const struct frame *frame, uint32_t caps, uint32_t mtu)
{
    uint32_t payload = maker.length - shape.header, at = 0, fit = mtu + 14 - shape.header;
    uint32_t tag = frame->meta.flags & FRAME_VLAN && !(caps & PORT_CAP_VLAN) ? 4 : 0;
    uint32_t each = frame->meta.gso_size < fit ? frame->meta.gso_size : fit;
    struct segmenter segmenter;
    struct frame_meta meta;
    unsigned nth = 0;

    g_assert_true(segment_needed(&frame->meta, caps, mtu));
    g_assert_cmpint(segment_begin(&segmenter, frame, caps, mtu), ==, 0);
    for (;; nth++) {
        uint8_t *exact = g_malloc(mtu + 18);
        int length = segment_next(&segmenter, exact, mtu + 18, &meta);
        uint32_t part = payload - at < each ? payload - at : each;

        if (length > 0) {
            g_assert_cmpuint(length, ==, shape.header + part + tag);
            g_assert_cmpuint(meta.length, ==, length);
            g_assert_true(frame_meta_check(&meta));
            g_assert_cmpuint(meta.hash, ==, 77);
            g_assert_cmpuint(meta.flags, ==,
                             FRAME_CSUM_VALID |
                                 (frame->meta.flags & FRAME_VLAN && !tag ? FRAME_VLAN : 0));
            if (tag)
                check_tag(exact, frame->meta.vlan_tci);
            check_segment(exact + tag, at, part, nth);
            at += part;
        }
        g_free(exact);
        if (length <= 0) {
            g_assert_cmpint(length, ==, 0);
            break;
        }
    }
    g_assert_cmpuint(at, ==, payload);
    return nth;
}

/* --- Cutting ---------------------------------------------------------------------------------- */

static void test_tcp4(void)
{
    make_tcp4(0, 12, 64000);
    g_assert_cmpuint(cut(large(0, 1448), 0, 1500), ==, 45);
    g_assert_cmpuint(cut(large(0, 1448), PORT_CAP_CSUM | PORT_CAP_GSO6, 1500), ==, 45);
    g_assert_cmpuint(cut(large(0, 536), 0, 1500), ==, 120);
    make_tcp4(0, 0, 65535 - 40);
    g_assert_cmpuint(cut(large(0, 8960), 0, 9000), ==, 8);
}

static void test_tcp6(void)
{
    make_tcp6(0, 12, 64000);
    g_assert_cmpuint(cut(large(0, 1428), 0, 1500), ==, 45);
    g_assert_cmpuint(cut(large(0, 1428), PORT_CAP_CSUM | PORT_CAP_GSO4, 1500), ==, 45);
}

static void test_options(void)
{
    for (uint8_t ip = 0; ip <= 40; ip += 4) {
        for (uint8_t options = 0; options <= 40; options += 4) {
            make_tcp4(ip, options, 3001);
            cut(large(0, 1001), 0, 1500);
        }
    }
    for (unsigned extensions = 1; extensions <= 5; extensions++) {
        make_tcp6(extensions, 12, 3001);
        cut(large(0, 999), 0, 1500);
    }
}

static void test_pieces(void)
{
    make_tcp4(4, 12, 2000);
    for (unsigned split = 1; split < 2000; split += split < 100 ? 1 : 97)
        g_assert_cmpuint(cut(large(split, 700), 0, 1500), ==, 3);
}

static void test_sizes(void)
{
    for (uint32_t payload = 1; payload <= 40; payload++) {
        make_tcp4(0, 0, payload);
        for (uint16_t size = 8; size <= 24; size++)
            g_assert_cmpuint(cut(large(0, size), 0, 1500), ==, (payload + size - 1) / size);
    }
}

/* Segments larger than the port's MTU are cut to fit, by a port that cuts as well. */
static void test_mtu(void)
{
    make_tcp4(0, 12, 30000);
    g_assert_false(segment_needed(&large(0, 1448)->meta, ALL_CAPS, 1500));
    g_assert_cmpuint(cut(large(0, 8948), ALL_CAPS, 1500), ==, 21);
    g_assert_cmpuint(cut(large(0, 8948), 0, 576), ==, 58);
}

static void test_tag(void)
{
    struct frame *frame;

    make_tcp6(0, 0, 5000);
    frame = large(0, 1440);
    frame->meta.flags |= FRAME_VLAN;
    frame->meta.vlan_tci = 0x6123;
    g_assert_cmpuint(cut(frame, PORT_CAP_VLAN, 1500), ==, 4);
    g_assert_cmpuint(cut(frame, 0, 1500), ==, 4);
}

static void test_inner_tags(void)
{
    make(&maker, maker_other, maker_guest);
    make_tag(&maker, ETHERTYPE_SERVICE, 5);
    make_tag(&maker, ETHERTYPE_VLAN, 6);
    make_type(&maker, ETHERTYPE_IP4);
    make_ip4(&maker, IP_TCP, 0, 0);
    shape.l3 = 22;
    shape.ip6 = false;
    tcp(0, ACK | PSH | FIN | CWR, 5000);
    g_assert_cmpuint(cut(large(0, 1400), 0, 1500), ==, 4);
}

static void test_small_buffer(void)
{
    struct segmenter segmenter;
    struct frame_meta meta;

    make_tcp4(0, 0, 2000);
    g_assert_cmpint(segment_begin(&segmenter, large(0, 1000), 0, 1500), ==, 0);
    g_assert_cmpint(segment_next(&segmenter, out, 1053, &meta), ==, -ENOBUFS);
    g_assert_cmpint(segment_next(&segmenter, out, 1054, &meta), ==, 1054);
    check_segment(out, 0, 1000, 0);
    g_assert_cmpint(segment_next(&segmenter, out, 1054, &meta), ==, 1054);
    check_segment(out, 1000, 1000, 1);
    g_assert_cmpint(segment_next(&segmenter, out, 0, &meta), ==, 0);
}

/* --- Whole frames ----------------------------------------------------------------------------- */

/* A partial checksum as virtio has it: the field holds the pseudo header's sum. */
static struct frame *partial(uint32_t split)
{
    struct frame *frame;
    uint8_t *field = maker.bytes + shape.l4 + 16;
    uint32_t sum = IP_TCP + maker.length - shape.l4;

    sum = shape.ip6 ? sum16(sum, maker.bytes + shape.l3 + 8, 32)
                    : sum16(sum, maker.bytes + shape.l3 + 12, 8);
    wire_put16(field, sum);
    frame = make_frame(&maker, split);
    frame->meta.flags = FRAME_CSUM_PARTIAL;
    frame->meta.csum_start = (uint16_t)shape.l4;
    frame->meta.csum_offset = 16;
    return frame;
}

static void whole(const struct frame *frame, uint32_t caps, uint32_t tag)
{
    struct segmenter segmenter;
    struct frame_meta meta;

    g_assert_true(segment_needed(&frame->meta, caps, 1500));
    g_assert_cmpint(segment_begin(&segmenter, frame, caps, 1500), ==, 0);
    g_assert_cmpint(segment_next(&segmenter, out, maker.length + tag, &meta), ==,
                    maker.length + tag);
    g_assert_cmpuint(meta.length, ==, maker.length + tag);
    g_assert_true(frame_meta_check(&meta));
    g_assert_cmpint(segment_next(&segmenter, out, sizeof(out), &(struct frame_meta){0}), ==, 0);
    if (tag)
        check_tag(out, frame->meta.vlan_tci);
    g_assert_cmpuint(meta.flags & FRAME_VLAN, ==, tag ? 0 : frame->meta.flags & FRAME_VLAN);
    if (caps & PORT_CAP_CSUM) {
        g_assert_cmpuint(meta.flags & FRAME_CSUM_PARTIAL, ==, FRAME_CSUM_PARTIAL);
        g_assert_cmpuint(meta.csum_start, ==, frame->meta.csum_start + tag);
        return;
    }
    g_assert_cmpuint(meta.flags & (FRAME_CSUM_PARTIAL | FRAME_CSUM_VALID), ==, FRAME_CSUM_VALID);
    uint8_t *ip = out + tag + shape.l3;
    uint32_t sum =
        sum16(IP_TCP + maker.length - shape.l4, ip + (shape.ip6 ? 8 : 12), shape.ip6 ? 32 : 8);
    g_assert_cmphex(sum16(sum, out + tag + shape.l4, maker.length - shape.l4), ==, 0xffff);
}

static void test_checksum(void)
{
    for (uint32_t payload = 0; payload < 70; payload++) {
        for (unsigned split = 0; split < 80; split += 13) {
            make_tcp4(0, 0, payload);
            whole(partial(split), PORT_CAP_VLAN, 0);
            make_tcp6(0, 0, payload);
            whole(partial(split), PORT_CAP_VLAN, 0);
        }
    }
    g_assert_false(segment_needed(&partial(0)->meta, PORT_CAP_CSUM, 1500));
}

static void test_checksum_and_tag(void)
{
    struct frame *frame;

    make_tcp4(0, 0, 61);
    for (unsigned split = 0; split < 80; split++) {
        frame = partial(split);
        frame->meta.flags |= FRAME_VLAN;
        frame->meta.vlan_tci = 0xe00a;
        whole(frame, 0, 4);
        whole(frame, PORT_CAP_CSUM, 4);
        whole(frame, PORT_CAP_VLAN, 0);
    }
}

/* UDP says with 0 that there is no checksum. */
static void test_checksum_zero(void)
{
    static const uint8_t zero_sum[8] = {0, 1, 0, 2, 0, 8, 0xff, 0xf4};
    struct segmenter segmenter;
    struct frame_meta meta;
    struct frame *frame;

    make(&maker, maker_other, maker_guest);
    make_type(&maker, 0x88b5);
    make_bytes(&maker, zero_sum, sizeof(zero_sum));
    frame = make_frame(&maker, 0);
    frame->meta.flags = FRAME_CSUM_PARTIAL;
    frame->meta.csum_start = 14;
    frame->meta.csum_offset = 6;
    g_assert_cmpint(segment_begin(&segmenter, frame, 0, 1500), ==, 0);
    g_assert_cmpint(segment_next(&segmenter, out, sizeof(out), &meta), ==, 22);
    g_assert_cmphex(wire_get16(out + 20), ==, 0xffff);
}

/* A tag into the bytes of a large segment, which stays whole. */
static void test_whole_segment(void)
{
    struct segmenter segmenter;
    struct frame_meta meta;
    struct frame *frame;

    make_tcp4(0, 0, 60000);
    frame = large(0, 1460);
    frame->meta.flags |= FRAME_VLAN;
    frame->meta.vlan_tci = 9;
    g_assert_cmpint(segment_begin(&segmenter, frame, PORT_CAP_CSUM | PORT_CAP_GSO4, 1500), ==, 0);
    g_assert_cmpint(segment_next(&segmenter, out, sizeof(out), &meta), ==, maker.length + 4);
    check_tag(out, 9);
    g_assert_cmpmem(out + 16, maker.length - 12, maker.bytes + 12, maker.length - 12);
    g_assert_cmpuint(meta.gso, ==, FRAME_GSO_TCPV4);
    g_assert_cmpuint(meta.header, ==, shape.header + 4);
    g_assert_cmpuint(meta.csum_start, ==, shape.l4 + 4);
    g_assert_true(frame_meta_check(&meta));
}

static void test_too_large(void)
{
    struct segmenter segmenter;

    make_tcp4(0, 0, 1460);
    g_assert_false(segment_needed(&make_frame(&maker, 0)->meta, 0, 1500));
    make_tcp4(0, 0, 1461);
    g_assert_true(segment_needed(&make_frame(&maker, 0)->meta, ALL_CAPS, 1500));
    g_assert_cmpint(segment_begin(&segmenter, make_frame(&maker, 0), ALL_CAPS, 1500), ==,
                    -EMSGSIZE);
    g_assert_cmpint(segment_begin(&segmenter, large(0, 100), 0, 40), ==, -EMSGSIZE);
    make_tcp4(0, 0, 500);
    g_assert_cmpuint(cut(large(0, 100), 0, 42), ==, 250); /* two bytes each */
}

/* --- Lies ------------------------------------------------------------------------------------- */

static int begin(struct frame *frame)
{
    struct segmenter segmenter;

    return segment_begin(&segmenter, frame, 0, 1500);
}

/* Group 7: TSO with MSS 0, or so small that one frame makes a flood. */
static void test_mss(void)
{
    struct frame *frame;

    make_tcp4(0, 0, 64000);
    frame = large(0, 8);
    g_assert_cmpint(begin(frame), ==, -EINVAL);
    frame->meta.gso_size = 0;
    g_assert_cmpint(begin(frame), ==, -EINVAL);
    frame->meta.gso_size = 249;
    g_assert_cmpint(begin(frame), ==, -EINVAL);
    frame->meta.gso_size = 250;
    g_assert_cmpint(begin(frame), ==, 0);
}

static void spoil(uint32_t at, uint8_t value)
{
    struct frame *frame = large(0, 500);

    g_assert_cmpint(begin(frame), ==, 0);
    maker.piece[0][at] = value;
    g_assert_cmpint(begin(frame), ==, -EINVAL);
}

static void test_bad_ip4(void)
{
    make_tcp4(8, 12, 2000);
    spoil(12, 0x86);          /* another type */
    spoil(14, 0x44);          /* headers too short */
    spoil(14, 0x64);          /* another version */
    spoil(14 + 6, 0x20);      /* a fragment */
    spoil(14 + 7, 1);         /* a later one */
    spoil(14 + 9, IP_UDP);    /* no TCP */
    spoil(14 + 27, 7);        /* an option cut short */
    maker.bytes[14 + 20] = 7; /* record route... */
    maker.bytes[14 + 21] = 8;
    spoil(14 + 21, 0);   /* of no length */
    spoil(14 + 20, 131); /* source routes */
    spoil(14 + 20, 137);
}

static void test_bad_ip6(void)
{
    make_tcp6(2, 12, 2000);
    spoil(14, 0x40);
    spoil(14 + 6, IP6_FRAGMENT);
    spoil(14 + 6, IP_UDP);
    spoil(14 + 40, IP6_AUTH);
    spoil(14 + 41, 255); /* a header beyond the frame */
    maker.bytes[14 + 6] = IP6_ROUTING;
    maker.bytes[14 + 43] = 0;
    spoil(14 + 43, 1); /* with a way to go */
    make_tcp6(9, 0, 2000);
    g_assert_cmpint(begin(large(0, 500)), ==, -EINVAL);
}

static void test_bad_tcp(void)
{
    make_tcp4(0, 0, 2000);
    spoil(shape.l4 + 12, 0x40); /* data offset < 5 */
    make_tcp4(0, 0, 20);
    struct frame *frame = large(0, 8);
    maker.piece[0][shape.l4 + 12] = 0xf0; /* headers beyond the frame */
    g_assert_cmpint(begin(frame), ==, -EINVAL);
    maker.piece[0][shape.l4 + 12] = 0xa0; /* headers and nothing else */
    g_assert_cmpint(begin(frame), ==, -EINVAL);
}

static void test_short(void)
{
    make_tcp6(1, 12, 100);
    for (uint32_t length = 14; length <= shape.header; length++) {
        struct frame *frame = large(0, 50);

        frame->meta.length = length;
        frame->data[0].iov_len = length;
        g_assert_cmpint(begin(frame), ==, -EINVAL);
    }
}

static void test_long_headers(void)
{
    make(&maker, maker_other, maker_guest);
    make_type(&maker, ETHERTYPE_IP6);
    make_ip6(&maker, IP6_DESTINATION);
    make_extension(&maker, IP_TCP, 25);
    tcp(0, ACK, 1000);
    g_assert_cmpint(begin(large(0, 500)), ==, -EINVAL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/tcp4", test_tcp4);
    g_test_add_func("/segment/tcp6", test_tcp6);
    g_test_add_func("/segment/options", test_options);
    g_test_add_func("/segment/pieces", test_pieces);
    g_test_add_func("/segment/sizes", test_sizes);
    g_test_add_func("/segment/mtu", test_mtu);
    g_test_add_func("/segment/tag", test_tag);
    g_test_add_func("/segment/inner-tags", test_inner_tags);
    g_test_add_func("/segment/small-buffer", test_small_buffer);
    g_test_add_func("/segment/checksum", test_checksum);
    g_test_add_func("/segment/checksum-and-tag", test_checksum_and_tag);
    g_test_add_func("/segment/checksum-zero", test_checksum_zero);
    g_test_add_func("/segment/whole-segment", test_whole_segment);
    g_test_add_func("/segment/too-large", test_too_large);
    g_test_add_func("/segment/mss", test_mss);
    g_test_add_func("/segment/bad-ip4", test_bad_ip4);
    g_test_add_func("/segment/bad-ip6", test_bad_ip6);
    g_test_add_func("/segment/bad-tcp", test_bad_tcp);
    g_test_add_func("/segment/short", test_short);
    g_test_add_func("/segment/long-headers", test_long_headers);
    int result = g_test_run();
    make_free(&maker);
    return result;
}
