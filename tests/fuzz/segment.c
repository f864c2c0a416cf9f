/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: frames cut and finished for ports that can take less.
 *
 * The input is a port (capabilities, MTU), the metadata as a port ring has it, and the frame's
 * bytes, which repeat up to the length that the metadata say. Checked is what a port relies on:
 * every output is within the MTU, its metadata agree, its payloads are those of the input in order,
 * and there are not too many.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vswitch/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define HEADER (4u + sizeof(struct frame_meta)) /* capabilities, split, MTU (u16) */

static uint8_t *fill(const uint8_t *data, size_t size, uint32_t length)
{
    uint8_t *bytes = malloc(length);

    CHECK(bytes);
    for (uint32_t at = 0; at < length; at++)
        bytes[at] = at < size ? data[at] : (uint8_t)(at * 7 + (at >> 8));
    return bytes;
}

static void check_output(const struct frame *frame, uint32_t caps, uint32_t mtu,
                         const struct frame_meta *meta, int length)
{
    uint32_t tag = frame->meta.flags & FRAME_VLAN && !(caps & PORT_CAP_VLAN) ? 4 : 0;

    CHECK(meta->length == (uint32_t)length);
    CHECK(meta->length <= LIMIT_FRAME ? frame_meta_check(meta) : tag);
    CHECK(!(tag && meta->flags & FRAME_VLAN));
    if (meta->gso == FRAME_GSO_NONE) {
        CHECK(meta->length <= mtu + FRAME_ETHERNET + tag);
        CHECK(!(meta->flags & FRAME_CSUM_PARTIAL) || caps & PORT_CAP_CSUM);
        CHECK(tag || !segment_needed(meta, caps, mtu));
    }
}

static void run(const struct frame *frame, uint32_t caps, uint32_t mtu, const uint8_t *bytes)
{
    static uint8_t out[SEGMENT_BUFFER];
    struct segmenter segmenter;
    struct frame_meta meta;
    uint32_t at, count = 0;
    int length;

    if (segment_begin(&segmenter, frame, caps, mtu) != 0)
        return;
    at = segmenter.payload ? segmenter.header : 0;
    while ((length = segment_next(&segmenter, out, sizeof(out), &meta)) > 0) {
        check_output(frame, caps, mtu, &meta, length);
        if (segmenter.payload) {
            uint32_t header = segmenter.header + segmenter.tag;

            CHECK(memcmp(out + header, bytes + at, (uint32_t)length - header) == 0);
            at += (uint32_t)length - header;
        } else {
            at = frame->meta.length;
        }
        CHECK(++count <= LIMIT_SEGMENTS);
    }
    CHECK(length == 0 && at == frame->meta.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame = {0};

    if (size < HEADER)
        return 0;
    uint32_t mtu = 28 + (data[2] | (uint32_t)data[3] << 8) % LIMIT_MTU;
    memcpy(&frame.meta, data + 4, sizeof(frame.meta));
    if (!frame_meta_check(&frame.meta))
        return 0;
    uint32_t length = frame.meta.length, split = data[1] && data[1] < length ? data[1] : length;
    uint8_t *bytes = fill(data + HEADER, size - HEADER, length);
    frame.data[0] = (struct iovec){bytes, split};
    frame.data[1] = (struct iovec){bytes + split, length - split};
    for (uint32_t caps = data[0] & 15u; caps < 16; caps += 5)
        run(&frame, caps, mtu, bytes);
    free(bytes);
    return 0;
}
