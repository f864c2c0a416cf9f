/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPA-direct range lists: the second half of checking a packet.
 *
 * ring_read() has copied the packet and checked its lengths; this walks the ranges of the copy. The
 * layout is Linux's struct vmbus_packet_mpb_array: per range a u32 byte count, a u32 byte offset
 * into the first page, and as many u64 PFNs as the bytes touch pages.
 *
 * Left out: whether a PFN is RAM (gmem_lease() refuses what is not), transfer-page ranges (their
 * device knows the buffer they lie in).
 */
#include "vmbus/ring.h"

#include <errno.h>
#include <string.h>

struct range_header {
    uint32_t byte_count;
    uint32_t byte_offset;
};
_Static_assert(sizeof(struct range_header) == 8, "wire size");

#define RANGE_WORDS_MIN 2u /* header and one PFN, in units of 8 bytes */

/* The cursor holds the ranges walked so far in its upper half, their 8-byte words in its lower:
 * words less ranges is pages. Both fit, because a packet is at most LIMIT_PACKET. */
_Static_assert(LIMIT_PACKET / 8 <= UINT16_MAX, "cursor");

int vmbus_packet_range(const struct vmbus_packet *packet, uint32_t *cursor, struct gpa_range *range,
                       uint64_t pfn[LIMIT_RANGE_PAGES])
{
    uint32_t walked = *cursor >> 16, word = *cursor & UINT16_MAX;
    struct range_header header;

    if (packet->type != VMBUS_PACKET_GPA_DIRECT || walked == packet->range_count)
        return 0;
    uint32_t left = packet->ranges_len / 8 - word;
    const uint8_t *at = packet->ranges + word * 8;
    if (left < RANGE_WORDS_MIN)
        return -EPROTO;
    memcpy(&header, at, sizeof(header));
    uint64_t pages = ((uint64_t)header.byte_offset + header.byte_count + GMEM_PAGE - 1) / GMEM_PAGE;
    if (header.byte_count == 0 || header.byte_offset >= GMEM_PAGE || pages > left - 1 ||
        word - walked + pages > LIMIT_RANGE_PAGES)
        return -EPROTO;
    memcpy(pfn, at + sizeof(header), pages * sizeof(*pfn));
    *range = (struct gpa_range){
        .length = header.byte_count,
        .offset = header.byte_offset,
        .pages = (uint32_t)pages,
        .pfn = pfn,
    };
    *cursor = (walked + 1) << 16 | (word + 1 + (uint32_t)pages);
    return 1;
}
