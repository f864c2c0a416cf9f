/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of GPADLs: assembling, checking, finding. The messages are in gpadl_message.c.
 */
#include "vmbus/gpadl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/limits.h"
#include "vmbus/protocol.h"

#define WORD sizeof(uint64_t)

static struct gpadl **bucket_of(struct gpadl_table *table, uint32_t id)
{
    return &table->bucket[id % GPADL_BUCKETS];
}

struct gpadl *gpadl_find(const struct gpadl_table *table, uint32_t id)
{
    struct gpadl *gpadl = table->bucket[id % GPADL_BUCKETS];

    while (gpadl && gpadl->id != id)
        gpadl = gpadl->next;
    return gpadl;
}

static struct vmbus_gpa_range range_at(const struct gpadl *gpadl, size_t word)
{
    struct vmbus_gpa_range range;

    memcpy(&range, &gpadl->list[word], sizeof(range));
    return range;
}

/* How many pages a range touches. */
static uint64_t range_pages(const struct vmbus_gpa_range *range)
{
    return ((uint64_t)range->offset + range->bytes + GMEM_PAGE - 1) >> GMEM_PAGE_SHIFT;
}

/* Does the list hold the announced ranges, and is each page RAM? What follows the last range is
 * ignored. */
static int check(const struct gpadl *gpadl, const struct gmem *gmem)
{
    size_t words = gpadl->bytes / WORD, at = 0;

    for (unsigned i = 0; i < gpadl->ranges; i++) {
        if (at == words)
            return -EINVAL;
        struct vmbus_gpa_range range = range_at(gpadl, at++);
        uint64_t pages = range_pages(&range);
        if (!range.bytes || range.offset >= GMEM_PAGE || pages > words - at)
            return -EINVAL;
        for (; pages; pages--)
            if (!gmem_has_page(gmem, gpadl->list[at++]))
                return -EFAULT;
    }
    return 0;
}

/* Append what arrived. As gpadl_begin(). */
static int fill(struct gpadl_table *table, struct gpadl *gpadl, const struct gmem *gmem,
                const void *data, size_t len)
{
    size_t missing = (size_t)(gpadl->bytes - gpadl->filled);

    if (len > missing)
        len = missing;
    memcpy((uint8_t *)gpadl->list + gpadl->filled, data, len);
    gpadl->filled = (uint16_t)(gpadl->filled + len);
    if (gpadl->filled < gpadl->bytes)
        return 1;
    int error = check(gpadl, gmem);
    if (error)
        gpadl_remove(table, gpadl);
    return error;
}

int gpadl_begin(struct gpadl_table *table, const struct gmem *gmem, uint32_t relid, uint32_t id,
                uint16_t ranges, uint16_t bytes, const void *data, size_t len)
{
    uint32_t words = (uint32_t)(bytes / WORD);

    if (!ranges || !bytes || bytes % WORD)
        return -EINVAL;
    if (gpadl_find(table, id))
        return -EEXIST;
    if (table->count == LIMIT_GPADLS || words > LIMIT_GPADL_PAGES ||
        words > LIMIT_GPADL_PAGES_ALL - table->words)
        return -ENOSPC;

    struct gpadl *gpadl = calloc(1, sizeof(*gpadl) + bytes);
    if (!gpadl)
        return -ENOMEM;
    gpadl->id = id;
    gpadl->relid = relid;
    gpadl->ranges = ranges;
    gpadl->bytes = bytes;
    gpadl->next = *bucket_of(table, id);
    *bucket_of(table, id) = gpadl;
    table->count++;
    table->words += words;
    return fill(table, gpadl, gmem, data, len);
}

int gpadl_continue(struct gpadl_table *table, const struct gmem *gmem, uint32_t id,
                   const void *data, size_t len, uint32_t *ret_relid)
{
    struct gpadl *gpadl = gpadl_find(table, id);

    if (!gpadl || gpadl->filled == gpadl->bytes)
        return -ENOENT;
    *ret_relid = gpadl->relid;
    return fill(table, gpadl, gmem, data, len);
}

const uint64_t *gpadl_buffer_pages(const struct gpadl *gpadl, uint32_t relid, uint32_t *ret_bytes,
                                   uint32_t *ret_offset)
{
    if (gpadl->filled < gpadl->bytes || gpadl->relid != relid || gpadl->ranges != 1 ||
        gpadl->tearing_down)
        return NULL;
    struct vmbus_gpa_range range = range_at(gpadl, 0);
    *ret_bytes = range.bytes;
    *ret_offset = range.offset;
    return &gpadl->list[1];
}

const uint64_t *gpadl_ring_pages(const struct gpadl *gpadl, uint32_t relid, uint32_t *ret_pages)
{
    uint32_t bytes, offset;
    const uint64_t *pages = gpadl_buffer_pages(gpadl, relid, &bytes, &offset);

    if (!pages || offset)
        return NULL;
    *ret_pages = bytes >> GMEM_PAGE_SHIFT;
    return pages;
}

void gpadl_remove(struct gpadl_table *table, struct gpadl *gpadl)
{
    struct gpadl **link = bucket_of(table, gpadl->id);

    while (*link != gpadl)
        link = &(*link)->next;
    *link = gpadl->next;
    table->count--;
    table->words -= (uint32_t)(gpadl->bytes / WORD);
    free(gpadl);
}

static void remove_if(struct gpadl_table *table, bool all, uint32_t relid)
{
    for (unsigned i = 0; i < GPADL_BUCKETS; i++) {
        struct gpadl *gpadl = table->bucket[i];
        while (gpadl) {
            struct gpadl *next = gpadl->next;
            if (all || gpadl->relid == relid)
                gpadl_remove(table, gpadl);
            gpadl = next;
        }
    }
}

void gpadl_remove_channel(struct gpadl_table *table, uint32_t relid)
{
    remove_if(table, false, relid);
}

void gpadl_remove_all(struct gpadl_table *table)
{
    remove_if(table, true, 0);
}
