/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus ring buffers, host side: the reader of the guest->host ring and the writer of the
 * host->guest ring.
 *
 * A ring is one control page and N data pages of guest memory; the indices in the control page
 * belong half to the guest and are never trusted: each is read once per use, checked, and an
 * impossible one ends the ring with -EPROTO. A packet is copied out whole before it is looked at.
 * Signalling is exact: the other side is signalled only where the protocol says that it waits
 * (Linux include/linux/hyperv.h and OpenVMM's vmbus_ring agree on where that is).
 *
 * One lane owns a ring; nothing here locks. Compiled with RING_UNCHECKED (the bench's bare variant)
 * the checks are gone.
 *
 * Left out: host->guest transfer of ring ownership, monitor pages, the interrupt counter at 0xFF8.
 */
#ifndef VMBUSD_VMBUS_RING_H
#define VMBUSD_VMBUS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "src/common/limits.h"
#include "src/kvm/gmem.h"

enum vmbus_packet_type {
    VMBUS_PACKET_IN_BAND = 6,
    VMBUS_PACKET_TRANSFER_PAGES = 7,
    VMBUS_PACKET_GPA_DIRECT = 9,
    VMBUS_PACKET_CANCEL = 10,
    VMBUS_PACKET_COMPLETION = 11,
};

#define VMBUS_PACKET_COMPLETION_REQUESTED 1u /* flag bit 0; any other flag is corruption */

/* A packet, copied out of the ring and checked. The pointers are into the reader's own buffer and
 * good until the next ring_read(). */
struct vmbus_packet {
    uint16_t type; /* enum vmbus_packet_type, nothing else gets through */
    bool completion_requested;
    uint64_t transaction_id;
    const uint8_t *payload;
    uint32_t payload_len; /* multiple of 8: the sender's rounding is part of it */
    uint16_t pageset;     /* transfer pages only */
    uint32_t range_count; /* GPA direct: at least 1; transfer pages: any; else 0 */
    const uint8_t *ranges;
    uint32_t ranges_len;
};

/* One end of a channel's ring pair. Fields are private to ring.c. */
struct ring {
    struct ring_control *control; /* in guest memory: each field is loaded once per use */
    uint8_t *linear;              /* data start if all pages are neighbours here, else NULL */
    uint8_t **page;               /* data pages, in order; same as linear says if that is set */
    uint8_t *buffer;              /* reader: LIMIT_PACKET bytes, the private copy */
    uint32_t size;                /* bytes of data */
    uint32_t index;     /* our own index: read index of a reader, write index of a writer */
    uint32_t published; /* our index as the guest last saw it */
    uint32_t peer;      /* the guest's index as we last saw and checked it */
    uint32_t reserved;  /* writer: bytes promised by ring_reserve() */
    uint32_t wanted;    /* writer: bytes that the pending send size was set for, 0 = not set */
    bool signal_due;    /* writer: published early, and the next commit must say so */
    struct gmem *gmem;
    uint64_t *pfn; /* of the data pages, for dirty marks */
    uint64_t control_pfn;
};

/* Open the ring that lies on `pages` guest pages (control page first). Takes its own copies of what
 * it needs. A reader starts unmasked; a writer says in the feature bits that it uses the pending
 * send size; both go on from the indices they find. 0, -EINVAL (fewer than two pages, more than
 * LIMIT_GPADL_PAGES), -EFAULT (a page is not RAM, or the control page is also a data page), -EPROTO
 * (impossible index), -ENOMEM. After an error *ring is as after ring_close(). Not on the data path.
 */
int ring_open_reader(struct ring *ring, struct gmem *gmem, const uint64_t *pfn, uint32_t pages);
int ring_open_writer(struct ring *ring, struct gmem *gmem, const uint64_t *pfn, uint32_t pages);

/* Forget the pages. Idempotent; a zeroed ring is fine. */
void ring_close(struct ring *ring);

/* --- Reader ---------------------------------------------------------------------------------- */

/* Take the next packet. 1 and *packet filled; 0 if the ring is empty; -EPROTO if the guest broke
 * the format (the ring is then of no further use); -EMSGSIZE if the packet exceeds LIMIT_PACKET.
 * The read index is not published. */
int ring_read(struct ring *ring, struct vmbus_packet *packet);

/* Publish the read index. Returns true if the guest waits for room and must be signalled now. */
bool ring_read_commit(struct ring *ring);

/* Set the interrupt mask (1 while the lane is consuming). Unmasking returns true if data arrived
 * meanwhile, or the guest's index is bad: mask again and go on reading, ring_read() will tell. */
void ring_mask(struct ring *ring);
bool ring_unmask(struct ring *ring);

/* True if ring_read() would return anything but 0. */
bool ring_readable(struct ring *ring);

/* --- Writer ---------------------------------------------------------------------------------- */

/* Bytes on the ring of a packet with `payload` bytes and `extension` bytes of header behind the
 * 16-byte descriptor. UINT32_MAX if that does not fit 32 bits (fits no ring either). */
uint32_t ring_packet_size(uint32_t extension, uint32_t payload);

/* Promise `bytes` of room (ring_packet_size()) for a later ring_write() that passes reserved =
 * true, so that a completion always fits. -EAGAIN if there is not that much; then the guest is
 * asked to signal when there is, and has been shown what is written so far (the next
 * ring_write_commit() tells whether it must be signalled, so commit before waiting). -EPROTO: bad
 * index. -EMSGSIZE: could never fit. Giving room back signals nobody: try again whatever got
 * -EAGAIN. */
int ring_reserve(struct ring *ring, uint32_t bytes);
void ring_unreserve(struct ring *ring, uint32_t bytes);

/* Append a packet; published by ring_write_commit(), or earlier if the ring gets full. `extension`
 * (multiple of 8 bytes) may be NULL. The payload is gathered from `iov`. `reserved` says that
 * ring_reserve() was called for it (and uses the promise up). 0, -EAGAIN (full; pending send size
 * is set), -EPROTO, -EMSGSIZE (could never fit), -EINVAL (extension_len is not a multiple of 8). */
int ring_write(struct ring *ring, uint16_t type, uint16_t flags, uint64_t transaction_id,
               const void *extension, uint32_t extension_len, const struct iovec *iov,
               unsigned iovs, bool reserved);

/* Publish what was written. Returns true if the guest must be signalled (it had consumed all that
 * was there before). */
bool ring_write_commit(struct ring *ring);

/* Room for new packets beyond the promises, in bytes; 0 when the guest's index is bad. */
uint32_t ring_writable(struct ring *ring);

/* --- Packets (packet.c) ---------------------------------------------------------------------- */

/* Walk the ranges of a GPA-direct packet: *cursor starts at 0 and is opaque. `pfn` (room for
 * LIMIT_RANGE_PAGES) receives the PFNs, and range->pfn points at it. The PFNs are not checked here:
 * gmem_lease() does that. 1 a range, 0 no more (other packet types have none), -EPROTO (list ends
 * early, offset > 4095, empty range, all ranges together more pages than the limit). */
int vmbus_packet_range(const struct vmbus_packet *packet, uint32_t *cursor, struct gpa_range *range,
                       uint64_t pfn[LIMIT_RANGE_PAGES]);

#endif
