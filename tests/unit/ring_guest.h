/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's end of one ring, and the memory it lies in.
 *
 * A second implementation of the ring, written from the Linux driver's point of view (its free
 * count has no 8 bytes taken off, its comparisons are strict), so that ring.c is not tested against
 * itself. Shared words are C11 atomics, so that it may run on a thread of its own under TSan.
 */
#ifndef VMBUSD_TESTS_RING_GUEST_H
#define VMBUSD_TESTS_RING_GUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/kvm/gmem.h"
#include "vmbus/ring.h"

#define RG_PAGES_MAX 1100u /* of one ring */

/* The control page, as 32-bit words. */
enum {
    RG_WRITE = 0,
    RG_READ = 1,
    RG_MASK = 2,
    RG_PENDING = 3,
    RG_FEATURES = 16,
};

enum rg_layout {
    RG_NEIGHBOURS, /* data pages in a row */
    RG_SCATTERED,  /* no two neighbours */
};

struct ring_guest {
    struct gmem gmem; /* one slot: spare pages, the ring's pages, spare pages */
    uint8_t *ram;
    uint64_t ram_pages;
    uint64_t pfn[RG_PAGES_MAX]; /* the ring: control page, then data */
    uint32_t pages;
    _Atomic uint32_t *control;
    uint8_t *page[RG_PAGES_MAX]; /* data pages */
    bool linear;
    uint32_t size;      /* bytes of data */
    uint32_t index;     /* ours, not yet published */
    uint32_t published; /* ours, as the host sees it */
};

/* Memory with a ring of `data_pages`, zeroed; both our indices at 0. */
struct ring_guest *rg_new(uint32_t data_pages, enum rg_layout layout);
void rg_free(struct ring_guest *guest);

/* Open the host's end of it; fails the test unless that works. */
void rg_open_reader(struct ring_guest *guest, struct ring *ring);
void rg_open_writer(struct ring_guest *guest, struct ring *ring);

/* Start both indices at `index` (before the ring is opened). */
void rg_start_at(struct ring_guest *guest, uint32_t index);

/* Raw bytes of the data area, wrapping. */
void rg_put(struct ring_guest *guest, uint32_t index, const void *src, uint32_t len);
void rg_get(const struct ring_guest *guest, uint32_t index, void *dst, uint32_t len);

/* --- The guest as writer of the ring --------------------------------------------------------- */

/* Append raw packet bytes (descriptor to payload, whole words) and their trailer. False if full. */
bool rg_append(struct ring_guest *guest, const void *packet, uint32_t len);

/* Build a packet from its parts and append it. */
bool rg_send(struct ring_guest *guest, uint16_t type, uint16_t flags, uint64_t transaction_id,
             const void *extension, uint32_t extension_len, const void *payload, uint32_t len);

/* Ask to be woken when a packet of `len` bytes fits; true if it fits already. */
bool rg_want_room(struct ring_guest *guest, uint32_t len);
void rg_room_found(struct ring_guest *guest);

/* Publish. True if the host must be signalled. */
bool rg_write_commit(struct ring_guest *guest);

/* --- The guest as reader of the ring --------------------------------------------------------- */

/* Take a packet (descriptor to payload); its length, or 0 if the ring is empty. Fails the test on a
 * packet that a real guest could not read. */
uint32_t rg_receive(struct ring_guest *guest, void *packet, uint32_t max);

/* Publish. True if the host must be signalled. */
bool rg_read_commit(struct ring_guest *guest);

void rg_mask(struct ring_guest *guest);
/* True if something came meanwhile. */
bool rg_unmask(struct ring_guest *guest);

/* --- Packets --------------------------------------------------------------------------------- */

/* The descriptor's first word. */
static inline uint64_t rg_word(uint16_t type, uint16_t header8, uint16_t total8, uint16_t flags)
{
    return type | (uint64_t)header8 << 16 | (uint64_t)total8 << 32 | (uint64_t)flags << 48;
}

#endif
