/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: virtio-net headers of TAP and AF_PACKET to frame metadata and back.
 *
 * The input is whether and which tag the kernel took out, the ten bytes of header, the frame. What
 * is taken must be a frame that the switch takes, and go out again as the bytes that came in with
 * their tag in place, and with the same words about checksum and segments.
 */
#include <stdlib.h>
#include <string.h>

#include "vswitch/vnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define TAG_GIVEN 1u

struct input {
    uint8_t flags;
    struct vnet_tag tag;
    struct virtio_net_hdr header;
} __attribute__((packed));

/* The bytes that went in, the tag back in its place. Length. */
static uint32_t expected(const struct input *input, const uint8_t *frame, uint32_t length,
                         uint8_t *ret_bytes)
{
    uint16_t words[2] = {__builtin_bswap16(input->tag.tpid), __builtin_bswap16(input->tag.tci)};

    if (!(input->flags & TAG_GIVEN)) {
        memcpy(ret_bytes, frame, length);
        return length;
    }
    memcpy(ret_bytes, frame, 12);
    memcpy(ret_bytes + 12, words, VNET_TAG);
    memcpy(ret_bytes + 12 + VNET_TAG, frame + 12, length - 12);
    return length + VNET_TAG;
}

static void check_out(const struct vnet_out *out, const uint8_t *bytes, uint32_t length)
{
    uint32_t at = 0;

    CHECK(out->iov[0].iov_len == sizeof(out->header));
    for (unsigned i = 1; i < out->count; i++) {
        CHECK(at + out->iov[i].iov_len <= length);
        CHECK(memcmp(out->iov[i].iov_base, bytes + at, out->iov[i].iov_len) == 0);
        at += (uint32_t)out->iov[i].iov_len;
    }
    CHECK(at == length);
}

static void check_header(const struct virtio_net_hdr *in, const struct virtio_net_hdr *out,
                         uint32_t shift)
{
    CHECK((in->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == out->gso_type);
    if (in->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        CHECK(out->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
        CHECK(out->csum_start == in->csum_start + shift && out->csum_offset == in->csum_offset);
    }
    if (out->gso_type != VIRTIO_NET_HDR_GSO_NONE)
        CHECK(out->gso_size == in->gso_size && out->hdr_len >= out->csum_start + 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buffer[VNET_BUFFER], bytes[VNET_BUFFER];
    struct input input;
    struct vnet_tag tag;
    struct virtio_net_hdr header;
    struct frame frame;
    struct vnet_out out;
    uint32_t length, whole;

    if (size < sizeof(input) || size - sizeof(input) > LIMIT_FRAME)
        return 0;
    memcpy(&input, data, sizeof(input));
    length = (uint32_t)(size - sizeof(input));
    memcpy(buffer + VNET_HEADROOM, data + sizeof(input), length);
    tag = input.tag;
    header = input.header;
    if (!vnet_frame_in(&frame, &header, input.flags & TAG_GIVEN ? &tag : NULL,
                       buffer + VNET_HEADROOM, length))
        return 0;
    CHECK(frame_meta_check(&frame.meta));
    whole = expected(&input, data + sizeof(input), length, bytes);
    vnet_frame_out(&out, &frame);
    check_out(&out, bytes, whole);
    check_header(&header, &out.header, whole - length);
    return 0;
}
