/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forwarding database: behind which port is the station with this MAC address in this VLAN?
 *
 * It mimics the learning table of Linux' bridge: ageing by time of last use, a station that moves
 * takes its entry along. Switch threads read it without a lock; they write under one mutex that
 * they never wait for: what cannot be learned now is learned from the next frame. Ports are named
 * by their slot, 1 to LIMIT_SWITCH_PORTS. Times are seconds of any clock that only goes forward.
 *
 * Left out: static entries, more than one port per address.
 */
#ifndef VMBUSD_VSWITCH_FDB_H
#define VMBUSD_VSWITCH_FDB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "src/common/limits.h"

/* 16 bytes per cell, so that a probe seldom leaves its cache line; half of the cells stay empty. */
#define FDB_CELLS      16384u
#define FDB_CELL_SHIFT 50u /* hash bits 63:50 */
_Static_assert(FDB_CELLS >= 2 * LIMIT_FDB && 1ull << (64 - FDB_CELL_SHIFT) == FDB_CELLS,
               "the table is at most half full, and the hash covers it");

#define FDB_UNKNOWN 0u /* no port has this slot */

struct fdb_cell {
    _Atomic uint64_t key;   /* fdb_key(), 0 = empty */
    _Atomic uint64_t value; /* tag of the key 63:48, slot 47:32, second of last use 31:0 */
};

/* Private to fdb.c, but for the inline functions below. */
struct fdb {
    struct fdb_cell *cells;
    uint64_t multiplier, addend; /* secret: nobody outside can aim at one cell */
    uint32_t age_s;
    _Alignas(64) pthread_mutex_t mutex; /* of all writers; on other lines than the above */
    _Atomic uint32_t count[LIMIT_SWITCH_PORTS + 1]; /* by slot; [0] = all */
};

/* An empty table whose entries are forgotten `age_s` seconds after their last use. 0 or -errno. */
int fdb_init(struct fdb *fdb, uint32_t age_s);
void fdb_finish(struct fdb *fdb);

/* The key of a station; `mac` is the address' six bytes as the lower 48 bits of a little-endian
 * load. */
static inline uint64_t fdb_key(uint64_t mac, uint16_t vlan)
{
    return 1ull << 63 | (uint64_t)vlan << 48 | (mac & 0xffffffffffffull);
}

static inline uint64_t fdb_hash(const struct fdb *fdb, uint64_t key)
{
    return key * fdb->multiplier + fdb->addend;
}

/* Start to fetch what fdb_lookup() or fdb_learn() of this key will read. */
static inline void fdb_prefetch(const struct fdb *fdb, uint64_t key)
{
    __builtin_prefetch(&fdb->cells[fdb_hash(fdb, key) >> FDB_CELL_SHIFT]);
}

/* Slot of the port behind which the station is, or FDB_UNKNOWN. Any thread, no lock. An entry that
 * is being moved at this moment may be missed: the frame is flooded then. */
unsigned fdb_lookup(const struct fdb *fdb, uint64_t key, uint32_t now);

/* A frame from this station came from the port `slot`, which may have `ceiling` addresses. Any
 * thread, never waits. A station that was elsewhere moves; if the port is full, a new station stays
 * unknown and one from elsewhere becomes so (it is surely not where it was). */
void fdb_learn(struct fdb *fdb, uint64_t key, unsigned slot, uint32_t ceiling, uint32_t now);

/* Forget what is behind the port `slot`, or everything (FDB_UNKNOWN). Any thread. */
void fdb_flush(struct fdb *fdb, unsigned slot);

/* Free the cells of entries that are too old. Any thread, now and then. */
void fdb_sweep(struct fdb *fdb, uint32_t now);

/* Entries behind a port, or all (FDB_UNKNOWN); those that are too old count until swept. */
uint32_t fdb_count(const struct fdb *fdb, unsigned slot);

/* Call `each` for every entry that is not too old. Nothing is learned meanwhile, and `each` may not
 * call the table. */
void fdb_each(struct fdb *fdb, uint32_t now,
              void (*each)(uint64_t key, unsigned slot, uint32_t age_s, void *context),
              void *context);

#endif
