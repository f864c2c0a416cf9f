/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPADLs: lists of guest pages that a guest announces under an id, for rings and buffers.
 *
 * A list arrives in pieces (one header, then bodies that name only the id) and is usable once the
 * last byte is there and has been checked: it parses into the announced number of ranges and every
 * page is RAM. Ids are unique in a connection. Facts: section 3; OpenVMM's channels.rs for which
 * mistakes get an answer. All on the bus's lane.
 */
#ifndef VMBUSD_VMBUS_GPADL_H
#define VMBUSD_VMBUS_GPADL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/kvm/gmem.h"

#define GPADL_BUCKETS 256u

struct gpadl {
    struct gpadl *next; /* of its bucket */
    uint32_t id;
    uint32_t relid;    /* of the channel that it was made for */
    uint16_t ranges;   /* announced */
    uint16_t bytes;    /* announced: of the list */
    uint16_t filled;   /* arrived; == bytes: complete */
    bool tearing_down; /* TORNDOWN is owed when the last user is done */
    unsigned users;    /* open rings that lie on it, and devices that hold it as a buffer */
    uint64_t list[];   /* {u32 bytes, u32 offset}, PFNs, and again */
};

struct gpadl_table {
    struct gpadl *bucket[GPADL_BUCKETS];
    unsigned count;
    uint32_t words; /* 64-bit words of all lists: a bound on the pages */
};

/* Begin a list with `len` bytes of it (more than announced is ignored). 0: complete and good. 1:
 * bodies are to come. Else there is no such GPADL: -EINVAL (length, ranges), -EEXIST, -ENOSPC,
 * -EFAULT (not RAM), -ENOMEM. */
int gpadl_begin(struct gpadl_table *table, const struct gmem *gmem, uint32_t relid, uint32_t id,
                uint16_t ranges, uint16_t bytes, const void *data, size_t len);

/* Go on with it. As gpadl_begin(); -ENOENT if no list with this id is incomplete. *ret_relid is set
 * unless -ENOENT. */
int gpadl_continue(struct gpadl_table *table, const struct gmem *gmem, uint32_t id,
                   const void *data, size_t len, uint32_t *ret_relid);

/* Complete or not, NULL if unknown. */
struct gpadl *gpadl_find(const struct gpadl_table *table, uint32_t id);

/* The pages of a complete GPADL of channel `relid` that is one range; NULL if it is anything else.
 * They stay while it has users. *ret_bytes long, beginning at byte *ret_offset of the first page.
 */
const uint64_t *gpadl_buffer_pages(const struct gpadl *gpadl, uint32_t relid, uint32_t *ret_bytes,
                                   uint32_t *ret_offset);

/* The pages of a complete GPADL of channel `relid` that is one page-aligned range; NULL if it is
 * anything else. *ret_pages is how many whole ones. */
const uint64_t *gpadl_ring_pages(const struct gpadl *gpadl, uint32_t relid, uint32_t *ret_pages);

/* Remove it; it has no users. */
void gpadl_remove(struct gpadl_table *table, struct gpadl *gpadl);

/* Remove those of one channel, or all. They have no users. */
void gpadl_remove_channel(struct gpadl_table *table, uint32_t relid);
void gpadl_remove_all(struct gpadl_table *table);

#endif
