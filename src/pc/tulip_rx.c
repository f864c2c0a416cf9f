/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter's receiver (DECchip 21140, 4.2.1 and 4.3.4).
 *
 * A frame comes out of the port ring into a buffer of the adapter's own, cut, summed and tagged
 * where its metadata asks for it, and then goes into as many descriptors as it needs: bytes first,
 * then every status, that of the first descriptor last. If the list ends too early the frame stays
 * and the list is looked at now and then; if that goes on for TULIP_HOLD_NS, frames are missed, as
 * by a chip whose FIFO is full, until there is a descriptor again. A whole ring that has no room
 * for one frame gets a part of it, with the error that says so.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "src/pc/tulip_priv.h"

#define RX_FIRST      0x00000200u
#define RX_LAST       0x00000100u
#define RX_MULTICAST  0x00000400u
#define RX_TYPE       0x00000020u /* not a length: Ethernet II */
#define RX_TOO_LONG   0x00000080u
#define RX_TRUNCATED  0x00004000u
#define RX_NOT_OURS   0x40000000u
#define RX_LOOP_SHIFT 12
#define RX_LENGTH     16
#define TYPE_AT       12u
#define LENGTH_MAX    1500u /* what a type field may hold as a length */
#define WIRE_MAX      1518u /* with FCS; longer only with a tag */

/* --- Into the guest --- */

static bool wanted(const struct tulip *tulip)
{
    uint32_t mode = tulip->csr[CSR_MODE];

    return mode & (MODE_PROMISC | MODE_ALL) || (mode & MODE_MULTICAST && tulip->rx_bytes[0] & 1) ||
           tulip_filter_match(&tulip->filter, tulip->rx_bytes);
}

/* Status of the last descriptor. */
static uint32_t describe(const struct tulip *tulip, uint32_t whole, bool truncated)
{
    const uint8_t *bytes = tulip->rx_bytes;
    uint32_t mode = tulip->csr[CSR_MODE], type = (uint32_t)bytes[TYPE_AT] << 8 | bytes[TYPE_AT + 1];

    return whole << RX_LENGTH | RX_LAST | (bytes[0] & 1 ? RX_MULTICAST : 0) |
           (type > LENGTH_MAX ? RX_TYPE : 0) | (whole > WIRE_MAX ? RX_TOO_LONG : 0) |
           (mode & MODE_LOOP) >> MODE_LOOP_SHIFT << RX_LOOP_SHIFT |
           (truncated ? RX_TRUNCATED | DESC_ERRORS : 0) |
           (mode & MODE_ALL && !tulip_filter_match(&tulip->filter, bytes) ? RX_NOT_OURS : 0);
}

/* Pad the frame and put its checksum behind it; bytes in all. */
static uint32_t complete(struct tulip *tulip)
{
    uint32_t length = tulip->rx_length;

    if (length < TULIP_SHORTEST) {
        memset(tulip->rx_bytes + length, 0, TULIP_SHORTEST - length);
        length = TULIP_SHORTEST;
    }
    uint32_t fcs = htole32(~tulip_crc(tulip->rx_bytes, length));
    memcpy(tulip->rx_bytes + length, &fcs, sizeof(fcs));
    return length + TULIP_FCS;
}

struct room {
    struct {
        uint32_t at;
        struct tulip_descriptor descriptor;
    } piece[TULIP_PIECES];
    unsigned pieces;
    uint32_t bytes, next;
};

/* Descriptors for `whole` bytes. 0 also if the ring as a whole has too few; -EAGAIN; -EFAULT. */
static int find_room(struct tulip *tulip, uint32_t whole, struct room *room)
{
    room->pieces = 0;
    room->bytes = 0;
    room->next = tulip->rx_at;
    while (room->bytes < whole && room->pieces < TULIP_PIECES &&
           (!room->pieces || room->next != tulip->rx_at)) {
        struct tulip_descriptor *descriptor = &room->piece[room->pieces].descriptor;
        uint32_t at = room->next;
        if (!tulip_fetch(tulip, at, descriptor))
            return -EFAULT;
        if (!(descriptor->status & DESC_OWN))
            return -EAGAIN;
        room->piece[room->pieces++].at = at;
        room->bytes += tulip_buffer(descriptor, 0) + tulip_buffer(descriptor, 1);
        room->next = tulip_next(tulip, at, tulip->csr[CSR_RX_LIST], descriptor);
    }
    return 0;
}

static bool write_bytes(struct tulip *tulip, const struct room *room, uint32_t whole)
{
    uint32_t done = 0;

    for (unsigned i = 0; i < 2 * room->pieces; i++) {
        const struct tulip_descriptor *descriptor = &room->piece[i / 2].descriptor;
        uint32_t length = tulip_buffer(descriptor, i % 2);
        if (length > whole - done)
            length = whole - done;
        if (!gmem_write(tulip->gmem, descriptor->buffer[i % 2], tulip->rx_bytes + done, length)) {
            tulip_bus_error(tulip);
            return false;
        }
        done += length;
    }
    return true;
}

int tulip_rx_deliver(struct tulip *tulip)
{
    struct room room;

    if (!wanted(tulip)) {
        tulip->count.filtered_in++;
        return 0;
    }
    uint32_t whole = complete(tulip);
    int error = find_room(tulip, whole, &room);
    if (error)
        return error;
    if (!write_bytes(tulip, &room, whole))
        return -EFAULT;
    for (unsigned i = room.pieces; i-- > 0;) {
        uint32_t status = i == room.pieces - 1 ? describe(tulip, whole, room.bytes < whole) : 0;
        if (!tulip_give_back(tulip, room.piece[i].at, status | (i ? 0 : RX_FIRST)))
            return -EFAULT;
    }
    tulip->rx_at = room.next;
    tulip->count.frames_in++;
    tulip->count.bytes_in += tulip->rx_length;
    tulip_raise(tulip, STATUS_RI);
    return 1;
}

/* --- Out of the port --- */

void tulip_rx_forget(struct tulip *tulip)
{
    tulip->rx_have = tulip->rx_cutting = false;
    tulip->rx_since = 0;
}

/* The next frame of the ring becomes rx_bytes, or the segmenter's. False if there is none. */
static bool pull(struct tulip *tulip)
{
    struct frame *frame = &tulip->rx_frame;
    int ranges = tulip->broken ? 0 : port_queue_pull(tulip->ring.in, &frame->meta, frame->data);

    if (ranges < 0) {
        tulip->broken = true;
        log_guest(&tulip->log_limit, "legacy NIC: the switch broke its port ring");
    }
    if (ranges <= 0)
        return false;
    if (ranges == 1)
        frame->data[1] = (struct iovec){NULL, 0};
    if (segment_needed(&frame->meta, 0, TULIP_MTU)) {
        tulip->rx_cutting = segment_begin(&tulip->segmenter, frame, 0, TULIP_MTU) == 0;
        if (!tulip->rx_cutting)
            tulip->count.dropped_in++;
        return true;
    }
    const struct iovec into = {tulip->rx_bytes, sizeof(tulip->rx_bytes)};
    frame_copy(frame, &into, 1);
    tulip->rx_length = frame->meta.length;
    tulip->rx_have = true;
    return true;
}

/* See that there is a frame in rx_bytes; false if the ring is empty. */
static bool have_frame(struct tulip *tulip)
{
    struct frame_meta meta;

    while (!tulip->rx_have) {
        if (!tulip->rx_cutting) {
            if (!pull(tulip))
                return false;
            continue;
        }
        int length = segment_next(&tulip->segmenter, tulip->rx_bytes,
                                  sizeof(tulip->rx_bytes) - TULIP_FCS, &meta);
        if (length < 0)
            tulip->count.dropped_in++;
        tulip->rx_cutting = tulip->rx_have = length > 0;
        tulip->rx_length = length > 0 ? (uint32_t)length : 0;
    }
    return true;
}

/* No descriptor for the frame in rx_bytes: true if it is to be kept for a while. */
static bool hold(struct tulip *tulip)
{
    uint64_t now = lane_now();

    if (tulip->rx_state != RX_SUSPENDED) {
        tulip->rx_state = RX_SUSPENDED;
        tulip_raise(tulip, STATUS_RU);
    }
    if (!tulip->rx_since) {
        tulip->rx_since = now;
        tulip->count.stalls_in++;
    }
    if (now - tulip->rx_since < TULIP_HOLD_NS)
        return true;
    tulip->count.dropped_in++;
    tulip->missed++;
    return false;
}

/* One frame. True if it is dealt with. */
static bool take_one(struct tulip *tulip)
{
    if (tulip->rx_state == RX_STOPPED || !tulip_is_master(tulip) ||
        tulip->csr[CSR_MODE] & MODE_LOOP) {
        tulip->count.filtered_in++;
        return true;
    }
    if (tulip->rx_length > TULIP_FRAME) {
        tulip->count.dropped_in++;
        return true;
    }
    int result = tulip_rx_deliver(tulip);
    if (result == -EAGAIN)
        return !hold(tulip);
    if (result > 0) {
        tulip->rx_since = 0;
        tulip->rx_state = RX_WAITING;
    }
    return true;
}

bool tulip_rx_run(struct tulip *tulip)
{
    unsigned taken = 0;

    if (!tulip->attached)
        return false;
    for (; taken < TULIP_TURN && have_frame(tulip); taken++) {
        if (!take_one(tulip))
            return false;
        tulip->rx_have = false;
    }
    if (tulip->broken)
        return false;
    /* A frame that is being cut still lies in the ring. */
    if (!tulip->rx_cutting && port_queue_release(tulip->ring.in))
        port_queue_ring_room(tulip->ring.in);
    if (taken == TULIP_TURN)
        return true;
    if (!port_queue_arm(tulip->ring.in))
        return false;
    port_queue_disarm(tulip->ring.in);
    return true;
}
