/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus ring buffers, host side.
 *
 * Layout and signalling as Linux (include/linux/hyperv.h, drivers/hv/ring_buffer.c) and OpenVMM
 * (vmbus_ring) have them, restated. How the hostile guest is met:
 *
 *   - the guest's index is loaded, checked and kept in `peer`; all arithmetic uses the kept one. It
 *     may only move forward, over bytes that are its to move over, so that free room never shrinks
 *     and a promise of room holds;
 *   - the first word of a packet is loaded once and checked; the packet is then copied whole and
 *     that word put over its copy, so what was checked is what is used;
 *   - our own indices are never read back from the control page.
 *
 * Store-load pairs (index, then the other side's mask or pending size) need a full barrier: acquire
 * and release would let the load pass the store and lose a wake-up.
 *
 * Left out: the guest's 64-bit interrupt counter in the last bytes of the control page.
 */
#include "vmbus/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The bench's bare variant shows what validation costs: with RING_UNCHECKED every test of something
 * that the guest could have got wrong is compiled out. */
#ifdef RING_UNCHECKED
#define guest_broke(condition) (false && (condition))
#else
#define guest_broke(condition) __builtin_expect(!!(condition), 0)
#endif

#define RING_FEATURE_PENDING_SEND_SIZE 1u

struct ring_control {
    uint32_t write_index; /* byte offsets into the data, multiples of 8 */
    uint32_t read_index;
    uint32_t interrupt_mask;    /* reader's: 1 = do not signal new data */
    uint32_t pending_send_size; /* writer's: bytes that it waits for, 0 = does not wait */
    uint8_t reserved0[48];
    uint32_t feature_bits; /* writer's: bit 0 = it uses pending_send_size */
    uint8_t reserved1[4028];
};
_Static_assert(sizeof(struct ring_control) == GMEM_PAGE, "wire size");
_Static_assert(offsetof(struct ring_control, pending_send_size) == 12, "wire offset");
_Static_assert(offsetof(struct ring_control, feature_bits) == 64, "wire offset");

struct ring_descriptor {
    uint16_t type;
    uint16_t header8; /* descriptor and extension, in units of 8 bytes */
    uint16_t total8;  /* header and payload, in units of 8 bytes; not the trailer */
    uint16_t flags;
    uint64_t transaction_id;
};
_Static_assert(sizeof(struct ring_descriptor) == 16, "wire size");
_Static_assert(offsetof(struct ring_descriptor, transaction_id) == 8, "wire offset");

#define RING_TRAILER 8u /* u32 0, u32 index where the packet began */

/* What follows the descriptor of GPA-direct and transfer-page packets, before the ranges. */
struct ring_extension {
    uint16_t pageset; /* transfer pages; may be garbage otherwise */
    uint16_t reserved;
    uint32_t range_count;
};
_Static_assert(sizeof(struct ring_extension) == 8, "wire size");

#define GPA_DIRECT_RANGE    16u /* u32 byte count, u32 byte offset, at least one u64 PFN */
#define TRANSFER_PAGE_RANGE 8u  /* u32 byte count, u32 byte offset */

/* --- Shared words ---------------------------------------------------------------------------- */

static inline uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void full_barrier(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static inline void control_store(const struct ring *ring, uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    gmem_mark(ring->gmem, ring->control_pfn);
}

/* --- Index arithmetic ------------------------------------------------------------------------ */

static inline bool index_valid(const struct ring *ring, uint32_t index)
{
    return index < ring->size && index % 8 == 0;
}

/* Bytes from one index forward to another. */
static inline uint32_t distance(const struct ring *ring, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + ring->size - from;
}

/* `bytes` is at most the ring's size. */
static inline uint32_t advance(const struct ring *ring, uint32_t index, uint32_t bytes)
{
    uint32_t next = index + bytes;

    return next >= ring->size ? next - ring->size : next;
}

/* Most bytes that a ring can hold: equal indices mean empty, so 8 always stay free. */
static inline uint32_t capacity(const struct ring *ring)
{
    return ring->size - 8;
}

/* --- Data ------------------------------------------------------------------------------------ */

/* Where the byte at `index` lies, and how many bytes follow without a gap. */
static inline uint8_t *data_at(const struct ring *ring, uint32_t index, uint32_t *ret_run)
{
    if (ring->linear) {
        *ret_run = ring->size - index;
        return ring->linear + index;
    }
    *ret_run = GMEM_PAGE - index % GMEM_PAGE;
    return ring->page[index / GMEM_PAGE] + index % GMEM_PAGE;
}

/* get() and put() of what does not lie in one run. */
static __attribute__((noinline)) void get_pieces(const struct ring *ring, uint32_t index,
                                                 uint8_t *dst, uint32_t len)
{
    for (uint32_t run; len; len -= run, dst += run, index = advance(ring, index, run)) {
        const uint8_t *at = data_at(ring, index, &run);
        run = run < len ? run : len;
        memcpy(dst, at, run);
    }
}

static __attribute__((noinline)) void put_pieces(const struct ring *ring, uint32_t index,
                                                 const uint8_t *src, uint32_t len)
{
    for (uint32_t run; len; len -= run, src += run, index = advance(ring, index, run)) {
        uint8_t *at = data_at(ring, index, &run);
        run = run < len ? run : len;
        memcpy(at, src, run);
    }
}

static inline void get(const struct ring *ring, uint32_t index, void *dst, uint32_t len)
{
    uint32_t run;
    const uint8_t *at = data_at(ring, index, &run);

    if (__builtin_expect(len <= run, 1))
        memcpy(dst, at, len);
    else
        get_pieces(ring, index, dst, len);
}

/* Returns the index behind what was put. */
static inline uint32_t put(const struct ring *ring, uint32_t index, const void *src, uint32_t len)
{
    uint32_t run;
    uint8_t *at = data_at(ring, index, &run);

    if (__builtin_expect(len <= run, 1))
        memcpy(at, src, len);
    else
        put_pieces(ring, index, src, len);
    return advance(ring, index, len);
}

/* --- Open and close -------------------------------------------------------------------------- */

/* Look the pages up. The host addresses stay good as long as the guest's RAM does. */
static int map_pages(struct ring *ring, const uint64_t *pfn, uint32_t data_pages)
{
    bool neighbours = true;

    ring->control_pfn = pfn[0];
    ring->control = gmem_page(ring->gmem, pfn[0]);
    if (!ring->control)
        return -EFAULT;
    for (uint32_t i = 0; i < data_pages; i++) {
        ring->pfn[i] = pfn[1 + i];
        ring->page[i] = gmem_page(ring->gmem, pfn[1 + i]);
        if (!ring->page[i] || (void *)ring->page[i] == (void *)ring->control)
            return -EFAULT;
        neighbours = neighbours && ring->page[i] == ring->page[0] + (size_t)i * GMEM_PAGE;
    }
    ring->linear = neighbours ? ring->page[0] : NULL;
    return 0;
}

/* Take the indices over as the control page has them. */
static int adopt_indices(struct ring *ring, bool reader)
{
    uint32_t read_index = load(&ring->control->read_index);
    uint32_t write_index = load(&ring->control->write_index);

    ring->index = ring->published = reader ? read_index : write_index;
    ring->peer = reader ? write_index : read_index;
    return index_valid(ring, read_index) && index_valid(ring, write_index) ? 0 : -EPROTO;
}

static int ring_open(struct ring *ring, struct gmem *gmem, const uint64_t *pfn, uint32_t pages,
                     bool reader)
{
    memset(ring, 0, sizeof(*ring));
    if (pages < 2 || pages > LIMIT_GPADL_PAGES)
        return -EINVAL;
    ring->gmem = gmem;
    ring->size = (pages - 1) * GMEM_PAGE;
    ring->page = calloc(pages - 1, sizeof(*ring->page));
    ring->pfn = calloc(pages - 1, sizeof(*ring->pfn));
    ring->buffer = reader ? aligned_alloc(64, LIMIT_PACKET) : NULL;

    int err = ring->page && ring->pfn && (ring->buffer || !reader) ? 0 : -ENOMEM;
    if (!err)
        err = map_pages(ring, pfn, pages - 1);
    if (!err)
        err = adopt_indices(ring, reader);
    if (err)
        ring_close(ring);
    return err;
}

int ring_open_reader(struct ring *ring, struct gmem *gmem, const uint64_t *pfn, uint32_t pages)
{
    int err = ring_open(ring, gmem, pfn, pages, true);

    if (!err)
        control_store(ring, &ring->control->interrupt_mask, 0);
    return err;
}

int ring_open_writer(struct ring *ring, struct gmem *gmem, const uint64_t *pfn, uint32_t pages)
{
    int err = ring_open(ring, gmem, pfn, pages, false);

    if (!err) {
        __atomic_fetch_or(&ring->control->feature_bits, RING_FEATURE_PENDING_SEND_SIZE,
                          __ATOMIC_SEQ_CST);
        control_store(ring, &ring->control->pending_send_size, 0);
    }
    return err;
}

void ring_close(struct ring *ring)
{
    free(ring->page);
    free(ring->pfn);
    free(ring->buffer);
    memset(ring, 0, sizeof(*ring));
}

/* --- Reader ---------------------------------------------------------------------------------- */

/* Load the write index. It may have moved on since we saw it, up to our published read index. */
static inline int refresh_write_index(struct ring *ring)
{
    uint32_t write_index = load(&ring->control->write_index);

    if (guest_broke(!index_valid(ring, write_index)) ||
        guest_broke(distance(ring, ring->published, write_index) <
                    distance(ring, ring->published, ring->peer)))
        return -EPROTO;
    ring->peer = write_index;
    return 0;
}

static inline bool type_has_ranges(uint16_t type)
{
    return type == VMBUS_PACKET_TRANSFER_PAGES || type == VMBUS_PACKET_GPA_DIRECT;
}

static inline bool type_known(uint16_t type)
{
    return type == VMBUS_PACKET_IN_BAND || type == VMBUS_PACKET_COMPLETION ||
           type == VMBUS_PACKET_CANCEL || type_has_ranges(type);
}

/* Is this descriptor possible with `available` bytes in the ring? */
static inline int descriptor_check(const struct ring_descriptor *descriptor, uint32_t available)
{
    uint32_t total = descriptor->total8 * 8u;
    uint32_t header_min = sizeof(struct ring_descriptor);

    if (type_has_ranges(descriptor->type))
        header_min += sizeof(struct ring_extension);
    if (guest_broke(descriptor->header8 * 8u < header_min) ||
        guest_broke(descriptor->total8 < descriptor->header8) ||
        guest_broke(total + RING_TRAILER > available) ||
        guest_broke(!type_known(descriptor->type)) ||
        guest_broke(descriptor->flags & ~VMBUS_PACKET_COMPLETION_REQUESTED))
        return -EPROTO;
    return guest_broke(total > LIMIT_PACKET) ? -EMSGSIZE : 0;
}

/* Find the ranges in the copy. That the list fits the header is checked with the shortest possible
 * range; vmbus_packet_range() sees to the rest. */
static int packet_ranges(struct vmbus_packet *packet, const uint8_t *buffer, uint32_t header)
{
    const uint32_t start = sizeof(struct ring_descriptor) + sizeof(struct ring_extension);
    bool gpa_direct = packet->type == VMBUS_PACKET_GPA_DIRECT;
    uint64_t shortest = gpa_direct ? GPA_DIRECT_RANGE : TRANSFER_PAGE_RANGE;
    struct ring_extension extension;

    memcpy(&extension, buffer + sizeof(struct ring_descriptor), sizeof(extension));
    packet->pageset = gpa_direct ? 0 : extension.pageset;
    packet->range_count = extension.range_count;
    packet->ranges = buffer + start;
    packet->ranges_len = header - start;
    if (guest_broke(gpa_direct && packet->range_count == 0) ||
        guest_broke(packet->range_count * shortest > packet->ranges_len))
        return -EPROTO;
    return 0;
}

/* Check the packet's first word and copy the packet to our buffer; *descriptor is what both say. */
static inline int take_copy(struct ring *ring, struct ring_descriptor *descriptor,
                            uint32_t available)
{
    uint32_t run;
    void *first = data_at(ring, ring->index, &run);
    uint64_t word = __atomic_load_n((const uint64_t *)first, __ATOMIC_RELAXED);

    memcpy(descriptor, &word, sizeof(word));
    int err = descriptor_check(descriptor, available);
    if (err)
        return err;
    get(ring, ring->index, ring->buffer, descriptor->total8 * 8u);
    memcpy(ring->buffer, &word, sizeof(word));
    memcpy(descriptor, ring->buffer, sizeof(*descriptor));
    return 0;
}

int ring_read(struct ring *ring, struct vmbus_packet *packet)
{
    struct ring_descriptor descriptor;
    /* The control page is looked at only when all that is known of has been read. */
    int err = ring->index == ring->peer ? refresh_write_index(ring) : 0;

    if (err || ring->index == ring->peer)
        return err;
    err = take_copy(ring, &descriptor, distance(ring, ring->index, ring->peer));
    if (err)
        return err;
    uint32_t header = descriptor.header8 * 8u, total = descriptor.total8 * 8u;

    *packet = (struct vmbus_packet){
        .type = descriptor.type,
        .completion_requested = descriptor.flags & VMBUS_PACKET_COMPLETION_REQUESTED,
        .transaction_id = descriptor.transaction_id,
        .payload = ring->buffer + header,
        .payload_len = total - header,
    };
    if (type_has_ranges(descriptor.type)) {
        err = packet_ranges(packet, ring->buffer, header);
        if (err)
            return err;
    }
    ring->index = advance(ring, ring->index, total + RING_TRAILER);
    return 1;
}

bool ring_read_commit(struct ring *ring)
{
    uint32_t before = ring->published;

    if (ring->index == before)
        return false;
    ring->published = ring->index;
    control_store(ring, &ring->control->read_index, ring->index);
    full_barrier();

    /* Some guests ask for size - 1 to be woken at empty; rounded down it can be reached. */
    uint32_t wanted = load(&ring->control->pending_send_size) & ~7u;
    if (wanted == 0)
        return false;
    uint32_t write_index = load(&ring->control->write_index);
    if (guest_broke(!index_valid(ring, write_index)))
        return false;
    return capacity(ring) - distance(ring, before, write_index) < wanted &&
           capacity(ring) - distance(ring, ring->index, write_index) >= wanted;
}

void ring_mask(struct ring *ring)
{
    control_store(ring, &ring->control->interrupt_mask, 1);
}

bool ring_unmask(struct ring *ring)
{
    control_store(ring, &ring->control->interrupt_mask, 0);
    full_barrier();
    return ring_readable(ring);
}

bool ring_readable(struct ring *ring)
{
    return ring->index != ring->peer || load(&ring->control->write_index) != ring->index;
}

/* --- Writer ---------------------------------------------------------------------------------- */

/* Load the read index. It may have moved on since we saw it, up to our published write index. */
static inline int refresh_read_index(struct ring *ring)
{
    uint32_t read_index = load(&ring->control->read_index);

    if (guest_broke(!index_valid(ring, read_index)) ||
        guest_broke(distance(ring, read_index, ring->published) >
                    distance(ring, ring->peer, ring->published)))
        return -EPROTO;
    ring->peer = read_index;
    return 0;
}

/* Free bytes as far as we know, promises not taken off. */
static inline uint32_t room(const struct ring *ring)
{
    return capacity(ring) - distance(ring, ring->peer, ring->index);
}

/* Mark the data pages from one index up to another. */
static void mark_data(const struct ring *ring, uint32_t from, uint32_t to)
{
    uint32_t pages = ring->size / GMEM_PAGE, i = from / GMEM_PAGE;
    uint32_t count = (from % GMEM_PAGE + distance(ring, from, to) + GMEM_PAGE - 1) / GMEM_PAGE;

    for (uint32_t n = count < pages ? count : pages; n > 0; n--) {
        gmem_mark(ring->gmem, ring->pfn[i]);
        i = i + 1 < pages ? i + 1 : 0;
    }
}

/* Show the guest what was written. True if it must be signalled. */
static bool publish(struct ring *ring)
{
    uint32_t before = ring->published;

    if (ring->index == before)
        return false;
    mark_data(ring, before, ring->index);
    ring->published = ring->index;
    control_store(ring, &ring->control->write_index, ring->index);
    full_barrier();

    if (load(&ring->control->interrupt_mask))
        return false;
    /* The guest is idle only if it has consumed everything older than this batch. */
    return load(&ring->control->read_index) == before;
}

/* Ask the guest to signal when `need` bytes are free, and look once more: it may have made room
 * before it could see the question. The guest counts free bytes by the published index, so that
 * must be up to date first, or the guest passes `need` by its count before it does by ours. */
static int ask_for_room(struct ring *ring, uint32_t bytes, uint32_t need)
{
    uint32_t reachable = need < capacity(ring) ? need : capacity(ring);

    ring->signal_due |= publish(ring);
    control_store(ring, &ring->control->pending_send_size, reachable);
    ring->wanted = bytes;
    full_barrier();
    int err = refresh_read_index(ring);
    return err ? err : room(ring) >= need ? 0 : -EAGAIN;
}

/* Make sure of `bytes` while `promised` others stay free. */
static inline int need_room(struct ring *ring, uint32_t bytes, uint32_t promised)
{
    uint32_t need = bytes + promised;
    int err;

    if (__builtin_expect(room(ring) < need, 0)) {
        err = refresh_read_index(ring);
        if (!err && room(ring) < need)
            err = ask_for_room(ring, bytes, need);
        if (err)
            return err;
    }
    /* Somebody else's smaller packet does not end the wait of the one that asked. */
    if (__builtin_expect(ring->wanted != 0, 0) && bytes >= ring->wanted) {
        control_store(ring, &ring->control->pending_send_size, 0);
        ring->wanted = 0;
    }
    return 0;
}

uint32_t ring_packet_size(uint32_t extension, uint32_t payload)
{
    uint64_t total = sizeof(struct ring_descriptor) + (uint64_t)extension + payload;

    total = ((total + 7) & ~7ull) + RING_TRAILER;
    return total < UINT32_MAX ? (uint32_t)total : UINT32_MAX;
}

int ring_reserve(struct ring *ring, uint32_t bytes)
{
    if (bytes > capacity(ring))
        return -EMSGSIZE;
    int err = need_room(ring, bytes, ring->reserved);
    if (!err)
        ring->reserved += bytes;
    return err;
}

void ring_unreserve(struct ring *ring, uint32_t bytes)
{
    ring->reserved -= bytes < ring->reserved ? bytes : ring->reserved;
}

/* Total of the iovecs, or UINT32_MAX if that is not less. */
static inline uint32_t iov_length(const struct iovec *iov, unsigned iovs)
{
    size_t sum = 0;

    for (unsigned i = 0; i < iovs; i++) {
        if (iov[i].iov_len >= UINT32_MAX - sum)
            return UINT32_MAX;
        sum += iov[i].iov_len;
    }
    return (uint32_t)sum;
}

/* Lay the packet down behind the last one. */
static inline void append(struct ring *ring, const struct ring_descriptor *descriptor,
                          const void *extension, const struct iovec *iov, unsigned iovs)
{
    const uint64_t padding = 0, trailer = (uint64_t)ring->index << 32;
    uint32_t extension_len = descriptor->header8 * 8u - (uint32_t)sizeof(*descriptor);
    uint32_t end = advance(ring, ring->index, descriptor->total8 * 8u);

    /* The last word first: the payload may leave some of it as padding. */
    put(ring, end >= 8 ? end - 8 : ring->size - 8, &padding, sizeof(padding));
    uint32_t at = put(ring, ring->index, descriptor, sizeof(*descriptor));
    if (extension_len)
        at = put(ring, at, extension, extension_len);
    for (unsigned i = 0; i < iovs; i++)
        if (iov[i].iov_len)
            at = put(ring, at, iov[i].iov_base, (uint32_t)iov[i].iov_len);
    ring->index = put(ring, end, &trailer, sizeof(trailer));
}

int ring_write(struct ring *ring, uint16_t type, uint16_t flags, uint64_t transaction_id,
               const void *extension, uint32_t extension_len, const struct iovec *iov,
               unsigned iovs, bool reserved)
{
    uint32_t bytes = ring_packet_size(extension_len, iov_length(iov, iovs));
    uint32_t total8 = (bytes - RING_TRAILER) / 8;

    if (extension_len % 8 != 0)
        return -EINVAL;
    if (bytes > capacity(ring) || total8 > UINT16_MAX)
        return -EMSGSIZE;
    uint32_t promise = !reserved ? 0 : bytes < ring->reserved ? bytes : ring->reserved;
    int err = need_room(ring, bytes, ring->reserved - promise);
    if (err)
        return err;
    ring->reserved -= promise;
    const struct ring_descriptor descriptor = {
        .type = type,
        .header8 = (uint16_t)((sizeof(descriptor) + extension_len) / 8),
        .total8 = (uint16_t)total8,
        .flags = flags,
        .transaction_id = transaction_id,
    };
    append(ring, &descriptor, extension, iov, iovs);
    return 0;
}

bool ring_write_commit(struct ring *ring)
{
    bool signal = publish(ring) || ring->signal_due;

    ring->signal_due = false;
    return signal;
}

uint32_t ring_writable(struct ring *ring)
{
    if (refresh_read_index(ring))
        return 0;
    return room(ring) > ring->reserved ? room(ring) - ring->reserved : 0;
}
