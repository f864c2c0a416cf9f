/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's end of one ring. Follows drivers/hv/ring_buffer.c of Linux 6.1 step by step in its
 * own words; nothing of ring.c is used.
 */
#include "tests/unit/ring_guest.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_PAGES 8u

/* Place of the n-th data page; scattered ones go backwards, every second page. */
static uint64_t data_pfn(enum rg_layout layout, uint32_t n, uint32_t data_pages)
{
    uint64_t first = SPARE_PAGES + 1;

    if (layout == RG_NEIGHBOURS)
        return first + n;
    return first + 2 * (uint64_t)(data_pages - 1 - n);
}

struct ring_guest *rg_new(uint32_t data_pages, enum rg_layout layout)
{
    struct ring_guest *guest = calloc(1, sizeof(*guest));

    g_assert_nonnull(guest);
    g_assert_cmpuint(data_pages, <, RG_PAGES_MAX);
    guest->ram_pages = 2 * data_pages + 2 * SPARE_PAGES;
    guest->ram = aligned_alloc(GMEM_PAGE, guest->ram_pages * GMEM_PAGE);
    g_assert_nonnull(guest->ram);
    memset(guest->ram, 0, guest->ram_pages * GMEM_PAGE);
    g_assert_cmpint(gmem_add(&guest->gmem, 0, guest->ram_pages * GMEM_PAGE, guest->ram), ==, 0);

    guest->pages = data_pages + 1;
    guest->size = data_pages * GMEM_PAGE;
    guest->pfn[0] = SPARE_PAGES;
    guest->control = (_Atomic uint32_t *)(void *)(guest->ram + guest->pfn[0] * GMEM_PAGE);
    for (uint32_t i = 0; i < data_pages; i++) {
        guest->pfn[1 + i] = data_pfn(layout, i, data_pages);
        guest->page[i] = guest->ram + guest->pfn[1 + i] * GMEM_PAGE;
    }
    guest->linear = layout == RG_NEIGHBOURS;
    guest->control[RG_FEATURES] = 1;
    return guest;
}

void rg_free(struct ring_guest *guest)
{
    gmem_free(&guest->gmem);
    free(guest->ram);
    free(guest);
}

void rg_open_reader(struct ring_guest *guest, struct ring *ring)
{
    g_assert_cmpint(ring_open_reader(ring, &guest->gmem, guest->pfn, guest->pages), ==, 0);
}

void rg_open_writer(struct ring_guest *guest, struct ring *ring)
{
    g_assert_cmpint(ring_open_writer(ring, &guest->gmem, guest->pfn, guest->pages), ==, 0);
}

void rg_start_at(struct ring_guest *guest, uint32_t index)
{
    guest->index = guest->published = index;
    guest->control[RG_WRITE] = guest->control[RG_READ] = index;
}

/* --- Data ------------------------------------------------------------------------------------ */

/* Bytes until the next gap in our mapping of the ring. */
static uint32_t run_at(const struct ring_guest *guest, uint32_t index, uint32_t len)
{
    uint32_t run = guest->linear ? guest->size - index : GMEM_PAGE - index % GMEM_PAGE;

    return run < len ? run : len;
}

void rg_put(struct ring_guest *guest, uint32_t index, const void *src, uint32_t len)
{
    const uint8_t *from = src;

    while (len) {
        uint32_t n = run_at(guest, index, len);
        memcpy(guest->page[index / GMEM_PAGE] + index % GMEM_PAGE, from, n);
        from += n;
        len -= n;
        index = (index + n) % guest->size;
    }
}

void rg_get(const struct ring_guest *guest, uint32_t index, void *dst, uint32_t len)
{
    uint8_t *to = dst;

    while (len) {
        uint32_t n = run_at(guest, index, len);
        memcpy(to, guest->page[index / GMEM_PAGE] + index % GMEM_PAGE, n);
        to += n;
        len -= n;
        index = (index + n) % guest->size;
    }
}

/* --- Writer ---------------------------------------------------------------------------------- */

/* Bytes not used, as Linux counts them: a packet must be smaller than this. */
static uint32_t bytes_to_write(const struct ring_guest *guest, uint32_t write_at, uint32_t read_at)
{
    return write_at >= read_at ? guest->size - (write_at - read_at) : read_at - write_at;
}

bool rg_append(struct ring_guest *guest, const void *packet, uint32_t len)
{
    uint32_t read_at = atomic_load_explicit(&guest->control[RG_READ], memory_order_acquire);
    uint32_t trailer[2] = {0, guest->index};

    g_assert_cmpuint(len % 8, ==, 0);
    if (bytes_to_write(guest, guest->index, read_at) <= len + 8)
        return false;
    rg_put(guest, guest->index, packet, len);
    rg_put(guest, (guest->index + len) % guest->size, trailer, sizeof(trailer));
    guest->index = (guest->index + len + 8) % guest->size;
    return true;
}

bool rg_send(struct ring_guest *guest, uint16_t type, uint16_t flags, uint64_t transaction_id,
             const void *extension, uint32_t extension_len, const void *payload, uint32_t len)
{
    static _Thread_local uint8_t packet[64 << 10];
    uint32_t header = 16 + extension_len, total = (header + len + 7) & ~7u;
    uint64_t word = rg_word(type, (uint16_t)(header / 8), (uint16_t)(total / 8), flags);

    g_assert_cmpuint(total, <=, sizeof(packet));
    memcpy(packet, &word, 8);
    memcpy(packet + 8, &transaction_id, 8);
    if (extension_len)
        memcpy(packet + 16, extension, extension_len);
    memset(packet + total - 8, 0, total > header ? 8 : 0);
    if (len)
        memcpy(packet + header, payload, len);
    return rg_append(guest, packet, total);
}

bool rg_want_room(struct ring_guest *guest, uint32_t len)
{
    atomic_store_explicit(&guest->control[RG_PENDING], len + 8, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t read_at = atomic_load_explicit(&guest->control[RG_READ], memory_order_acquire);
    return bytes_to_write(guest, guest->index, read_at) > len + 8;
}

void rg_room_found(struct ring_guest *guest)
{
    atomic_store_explicit(&guest->control[RG_PENDING], 0, memory_order_relaxed);
}

bool rg_write_commit(struct ring_guest *guest)
{
    uint32_t old = guest->published;

    if (guest->index == old)
        return false;
    guest->published = guest->index;
    atomic_store_explicit(&guest->control[RG_WRITE], guest->index, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&guest->control[RG_MASK], memory_order_acquire))
        return false;
    return atomic_load_explicit(&guest->control[RG_READ], memory_order_relaxed) == old;
}

/* --- Reader ---------------------------------------------------------------------------------- */

uint32_t rg_receive(struct ring_guest *guest, void *packet, uint32_t max)
{
    uint32_t write_at = atomic_load_explicit(&guest->control[RG_WRITE], memory_order_acquire);
    uint32_t used = (write_at + guest->size - guest->index) % guest->size;
    uint16_t word[4];

    if (used == 0)
        return 0;
    rg_get(guest, guest->index, word, sizeof(word));
    uint32_t len = word[2] * 8u;
    g_assert_cmpuint(word[1], >=, 2);
    g_assert_cmpuint(word[2], >=, word[1]);
    g_assert_cmpuint(len + 8, <=, used);
    g_assert_cmpuint(len, <=, max);
    rg_get(guest, guest->index, packet, len);
    guest->index = (guest->index + len + 8) % guest->size;
    return len;
}

bool rg_read_commit(struct ring_guest *guest)
{
    uint32_t bytes = (guest->index + guest->size - guest->published) % guest->size;

    guest->published = guest->index;
    atomic_store_explicit(&guest->control[RG_READ], guest->index, memory_order_release);
    if (!atomic_load_explicit(&guest->control[RG_FEATURES], memory_order_relaxed))
        return false;
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t pending = atomic_load_explicit(&guest->control[RG_PENDING], memory_order_acquire);
    if (!pending)
        return false;
    uint32_t write_at = atomic_load_explicit(&guest->control[RG_WRITE], memory_order_relaxed);
    uint32_t now = bytes_to_write(guest, write_at, guest->index);
    return now > pending && now - bytes <= pending;
}

void rg_mask(struct ring_guest *guest)
{
    atomic_store_explicit(&guest->control[RG_MASK], 1, memory_order_relaxed);
}

bool rg_unmask(struct ring_guest *guest)
{
    atomic_store_explicit(&guest->control[RG_MASK], 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&guest->control[RG_WRITE], memory_order_acquire) != guest->index;
}
