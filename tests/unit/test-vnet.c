/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-net headers to and from frame metadata: what agrees goes through both ways, what does not
 * is refused, tags move between bytes and metadata.
 */
#include "vswitch/vnet.h"

#include <glib.h>
#include <string.h>

#define TCP_AT (14u + 20u) /* behind Ethernet and IPv4 */

struct buffer {
    uint8_t room[VNET_HEADROOM];
    uint8_t bytes[LIMIT_FRAME + 64];
};

static struct buffer buffer, sent;

static void fill(uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        buffer.bytes[i] = (uint8_t)(i * 7 + 3);
    buffer.bytes[12] = 0x08;
    buffer.bytes[13] = 0x00;
    memcpy(&sent, &buffer, sizeof(sent));
}

/* A TCP segment of `length` bytes with a header of 32. */
static struct virtio_net_hdr segment(uint32_t length)
{
    fill(length);
    buffer.bytes[TCP_AT + 12] = 0x80;
    memcpy(&sent, &buffer, sizeof(sent));
    return (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                   .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                   .hdr_len = 128,
                                   .gso_size = 1448,
                                   .csum_start = TCP_AT,
                                   .csum_offset = 16};
}

static void test_plain(void)
{
    const struct virtio_net_hdr header = {0};
    struct frame frame;

    fill(60);
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 60));
    g_assert_cmpuint(frame.meta.length, ==, 60);
    g_assert_cmpuint(frame.meta.flags, ==, 0);
    g_assert_true(frame.data[0].iov_base == buffer.bytes);
    g_assert_cmpuint(frame.data[0].iov_len, ==, 60);
    g_assert_cmpuint(frame.data[1].iov_len, ==, 0);
}

static void test_checksums(void)
{
    struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
    struct frame frame;
    struct vnet_out out;

    fill(60);
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 60));
    g_assert_cmpuint(frame.meta.flags, ==, FRAME_CSUM_VALID);
    vnet_frame_out(&out, &frame);
    g_assert_cmpmem(&out.header, sizeof(out.header), &header, sizeof(header));

    header = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = TCP_AT, .csum_offset = 6};
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 60));
    g_assert_cmpuint(frame.meta.flags, ==, FRAME_CSUM_PARTIAL);
    g_assert_cmpuint(frame.meta.csum_start, ==, TCP_AT);
    g_assert_cmpuint(frame.meta.csum_offset, ==, 6);
    vnet_frame_out(&out, &frame);
    g_assert_cmpmem(&out.header, sizeof(out.header), &header, sizeof(header));
}

static void test_segment(void)
{
    struct virtio_net_hdr header = segment(LIMIT_FRAME);
    struct frame frame;
    struct vnet_out out;

    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, LIMIT_FRAME));
    g_assert_cmpuint(frame.meta.gso, ==, FRAME_GSO_TCPV4);
    g_assert_cmpuint(frame.meta.gso_size, ==, 1448);
    g_assert_cmpuint(frame.meta.header, ==, TCP_AT + 32); /* not the hint */
    vnet_frame_out(&out, &frame);
    header.hdr_len = TCP_AT + 32;
    g_assert_cmpmem(&out.header, sizeof(out.header), &header, sizeof(header));

    header.gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN;
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 2000));
    g_assert_cmpuint(frame.meta.gso, ==, FRAME_GSO_TCPV6);
}

/* The frame that the ranges of `out` make, behind the header. */
static uint32_t gather(const struct vnet_out *out, uint8_t *bytes)
{
    uint32_t length = 0;

    g_assert_true(out->iov[0].iov_base == &out->header);
    g_assert_cmpuint(out->count, <=, G_N_ELEMENTS(out->iov));
    for (unsigned i = 1; i < out->count; i++) {
        memcpy(bytes + length, out->iov[i].iov_base, out->iov[i].iov_len);
        length += (uint32_t)out->iov[i].iov_len;
    }
    return length;
}

/* Wherever the two ranges of a frame part, out comes the frame with its tag. */
static void test_tag_out(void)
{
    static uint8_t bytes[256];

    for (uint32_t split = 0; split <= 64; split++) {
        struct virtio_net_hdr header = segment(64 + 100);
        struct frame frame;
        struct vnet_out out;

        g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 164));
        frame.meta.flags |= FRAME_VLAN;
        frame.meta.vlan_tci = 0xa123;
        frame.data[0].iov_len = split;
        frame.data[1] = (struct iovec){buffer.bytes + split, 164 - split};
        vnet_frame_out(&out, &frame);
        g_assert_cmpuint(gather(&out, bytes), ==, 168);
        g_assert_cmpmem(bytes, 12, sent.bytes, 12);
        g_assert_cmpmem(bytes + 12, 4, "\x81\x00\xa1\x23", 4);
        g_assert_cmpmem(bytes + 16, 152, sent.bytes + 12, 152);
        g_assert_cmpuint(out.header.csum_start, ==, TCP_AT + 4);
        g_assert_cmpuint(out.header.hdr_len, ==, TCP_AT + 32 + 4);
    }
}

static void test_tag_in_bytes(void)
{
    struct virtio_net_hdr header = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = TCP_AT + 4, .csum_offset = 16};
    struct frame frame;

    fill(100);
    memcpy(buffer.bytes + 12, "\x81\x00\x6f\xff\x81\x00\x00\x07", 8);
    memcpy(&sent, &buffer, sizeof(sent));
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, 100));
    g_assert_cmpuint(frame.meta.length, ==, 96);
    g_assert_cmpuint(frame.meta.flags, ==, FRAME_VLAN | FRAME_CSUM_PARTIAL);
    g_assert_cmpuint(frame.meta.vlan_tci, ==, 0x6fff);
    g_assert_cmpuint(frame.meta.csum_start, ==, TCP_AT);
    g_assert_cmpmem(frame.data[0].iov_base, 12, sent.bytes, 12);
    g_assert_cmpmem((uint8_t *)frame.data[0].iov_base + 12, 84, sent.bytes + 16, 84);
}

/* A tag that the kernel took out: 802.1Q is metadata (and one in the bytes is then the second);
 * a service tag goes back to where it was. */
static void test_tag_beside(void)
{
    const struct vnet_tag customer = {0x8100, 0x0fa1}, service = {0x88a8, 0x0123};
    struct virtio_net_hdr header = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = TCP_AT, .csum_offset = 16};
    struct frame frame;

    fill(100);
    memcpy(buffer.bytes + 12, "\x81\x00\x00\x07", 4);
    memcpy(&sent, &buffer, sizeof(sent));
    g_assert_true(vnet_frame_in(&frame, &header, &customer, buffer.bytes, 100));
    g_assert_cmpuint(frame.meta.vlan_tci, ==, 0x0fa1);
    g_assert_cmpmem(frame.data[0].iov_base, frame.data[0].iov_len, sent.bytes, 100);

    g_assert_true(vnet_frame_in(&frame, &header, &service, buffer.bytes, 100));
    g_assert_cmpuint(frame.meta.flags, ==, FRAME_CSUM_PARTIAL);
    g_assert_cmpuint(frame.meta.csum_start, ==, TCP_AT + 4);
    g_assert_cmpuint(frame.meta.length, ==, 104);
    g_assert_cmpmem(frame.data[0].iov_base, 12, sent.bytes, 12);
    g_assert_cmpmem((uint8_t *)frame.data[0].iov_base + 12, 4, "\x88\xa8\x01\x23", 4);
    g_assert_cmpmem((uint8_t *)frame.data[0].iov_base + 16, 88, sent.bytes + 12, 88);
}

static void refuse(const struct virtio_net_hdr *header, uint32_t length)
{
    struct frame frame;

    g_assert_false(vnet_frame_in(&frame, header, NULL, buffer.bytes, length));
}

static void test_lengths(void)
{
    const struct virtio_net_hdr header = {0};
    const struct vnet_tag service = {0x88a8, 1};
    struct frame frame;

    fill(60);
    for (uint32_t length = 0; length < FRAME_ETHERNET; length++)
        refuse(&header, length);
    refuse(&header, LIMIT_FRAME + 1);
    refuse(&header, UINT32_MAX);
    g_assert_true(vnet_frame_in(&frame, &header, NULL, buffer.bytes, FRAME_ETHERNET));
    g_assert_false(vnet_frame_in(&frame, &header, &service, buffer.bytes, LIMIT_FRAME));
    memcpy(buffer.bytes + 12, "\x81\x00", 2); /* half a tag */
    for (uint32_t length = FRAME_ETHERNET; length < FRAME_ETHERNET + VNET_TAG; length++)
        refuse(&header, length);
}

static void test_hostile_flags(void)
{
    struct virtio_net_hdr header;

    fill(200);
    for (unsigned flags = 4; flags < 256; flags++) {
        header = (struct virtio_net_hdr){
            .flags = (uint8_t)flags, .csum_start = TCP_AT, .csum_offset = 16};
        if (flags & ~3u)
            refuse(&header, 200);
    }
}

static void test_hostile_checksum(void)
{
    struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};

    fill(200);
    refuse(&header, 200); /* in the Ethernet header */
    header.csum_start = 13;
    refuse(&header, 200);
    header.csum_start = 182;
    header.csum_offset = 17;
    refuse(&header, 200); /* half of it behind the end */
    header.csum_start = header.csum_offset = 0xffff;
    refuse(&header, 200);
    memcpy(buffer.bytes + 12, "\x81\x00\x00\x01", 4);
    header.csum_start = 14; /* in the tag */
    header.csum_offset = 0;
    refuse(&header, 200);
    header.csum_start = 0; /* below zero once the tag is out */
    refuse(&header, LIMIT_FRAME);
}

static void test_hostile_segments(void)
{
    struct virtio_net_hdr good = segment(3000), header = good;
    struct frame frame;

    g_assert_true(vnet_frame_in(&frame, &good, NULL, buffer.bytes, 3000));
    header.flags = 0; /* no checksum to put in */
    refuse(&header, 3000);
    for (unsigned type = 0; type < 256; type++) {
        unsigned plain = type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;

        header = good;
        header.gso_type = (uint8_t)type;
        if (plain != VIRTIO_NET_HDR_GSO_NONE && plain != VIRTIO_NET_HDR_GSO_TCPV4 &&
            plain != VIRTIO_NET_HDR_GSO_TCPV6)
            refuse(&header, 3000);
    }
    header = good;
    header.gso_size = 0;
    refuse(&header, 3000);
    header.gso_size = 7;
    refuse(&header, 3000);
    header = good;
    header.csum_offset = 6; /* UDP's */
    refuse(&header, 3000);
    header = good;
    refuse(&header, TCP_AT + 32);     /* headers only */
    refuse(&header, TCP_AT + 19);     /* not even those */
    buffer.bytes[TCP_AT + 12] = 0x40; /* a TCP header of 16 bytes */
    refuse(&header, 3000);
    header.csum_start = 0xfffe;
    refuse(&header, LIMIT_FRAME);
}

/* Whatever comes in: refused, or a frame inside the buffer that comes out again as it was. */
static void test_hostile_random(void)
{
    GRand *random = g_rand_new_with_seed(1);
    static uint8_t bytes[512];
    unsigned taken = 0;

    for (unsigned i = 0; i < 200000; i++) {
        uint32_t length = (uint32_t)g_rand_int_range(random, 0, 200);
        struct vnet_tag tag = {g_rand_boolean(random) ? 0x8100 : 0x88a8, 5};
        bool tagged = g_rand_int_range(random, 0, 4) == 0;
        struct virtio_net_hdr header = segment(200);
        struct frame frame;
        struct vnet_out out;

        if (g_rand_boolean(random))
            memcpy(buffer.bytes + 12, "\x81\x00", 2);
        for (unsigned k = 0; k < 3; k++)
            ((uint8_t *)&header)[g_rand_int_range(random, 0, sizeof(header))] =
                (uint8_t)g_rand_int_range(random, 0, 256);
        if (!vnet_frame_in(&frame, &header, tagged ? &tag : NULL, buffer.bytes, length))
            continue;
        taken++;
        g_assert_true(frame_meta_check(&frame.meta));
        g_assert_cmpuint(frame.data[0].iov_len, ==, frame.meta.length);
        vnet_frame_out(&out, &frame);
        g_assert_cmpuint(gather(&out, bytes), ==, length + (tagged ? VNET_TAG : 0));
    }
    g_assert_cmpuint(taken, >, 1000);
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vnet/plain", test_plain);
    g_test_add_func("/vnet/checksums", test_checksums);
    g_test_add_func("/vnet/segment", test_segment);
    g_test_add_func("/vnet/tag-out", test_tag_out);
    g_test_add_func("/vnet/tag-in-bytes", test_tag_in_bytes);
    g_test_add_func("/vnet/tag-beside", test_tag_beside);
    g_test_add_func("/vnet/lengths", test_lengths);
    g_test_add_func("/vnet/hostile/flags", test_hostile_flags);
    g_test_add_func("/vnet/hostile/checksum", test_hostile_checksum);
    g_test_add_func("/vnet/hostile/segments", test_hostile_segments);
    g_test_add_func("/vnet/hostile/random", test_hostile_random);
    return g_test_run();
}
