/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forwarding table: open addressing with linear probing, two atomic words per cell.
 *
 * A writer stores a cell's value before its key, so a reader that finds its key and then reads the
 * value may see the value of a later key (the cell was given to another entry in between), never
 * garbage: the tag in the value, 16 bits of the key's hash that the cell's number does not use,
 * tells. Deleting moves the entries behind the gap forward, copy first, so that no probe ends
 * early. Refreshing is a compare-and-swap of the value, which fails if the cell has changed hands.
 */
#include "vswitch/fdb.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FDB_MASK  (FDB_CELLS - 1)
#define TAG_SHIFT (FDB_CELL_SHIFT - 16)

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static uint64_t make_value(uint64_t hash, unsigned slot, uint32_t now)
{
    return (hash >> TAG_SHIFT) << 48 | (uint64_t)slot << 32 | now;
}

static bool tag_fits(uint64_t value, uint64_t hash)
{
    return value >> 48 == (hash >> TAG_SHIFT & 0xffff);
}

static unsigned value_slot(uint64_t value)
{
    return value >> 32 & 0xffff;
}

static bool too_old(const struct fdb *fdb, uint64_t value, uint32_t now)
{
    return (int32_t)(now - (uint32_t)value) > (int64_t)fdb->age_s;
}

int fdb_init(struct fdb *fdb, uint32_t age_s)
{
    uint64_t seed[2];

    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return -EIO;
    fdb->multiplier = seed[0] | 1;
    fdb->addend = seed[1];
    fdb->age_s = age_s;
    fdb->cells = aligned_alloc(64, FDB_CELLS * sizeof(*fdb->cells));
    if (!fdb->cells)
        return -ENOMEM;
    memset(fdb->cells, 0, FDB_CELLS * sizeof(*fdb->cells));
    for (unsigned i = 0; i <= LIMIT_SWITCH_PORTS; i++)
        atomic_init(&fdb->count[i], 0);
    pthread_mutex_init(&fdb->mutex, NULL);
    return 0;
}

void fdb_finish(struct fdb *fdb)
{
    pthread_mutex_destroy(&fdb->mutex);
    free(fdb->cells);
}

/* The cell that holds `key`, its value in *ret_value; NULL if there is none. */
static struct fdb_cell *find(const struct fdb *fdb, uint64_t key, uint64_t hash,
                             uint64_t *ret_value)
{
    for (uint64_t i = hash >> FDB_CELL_SHIFT;; i = (i + 1) & FDB_MASK) {
        struct fdb_cell *cell = &fdb->cells[i];
        uint64_t have = load(&cell->key);
        if (!have)
            return NULL;
        if (have != key)
            continue;
        *ret_value = load(&cell->value);
        return tag_fits(*ret_value, hash) ? cell : NULL;
    }
}

unsigned fdb_lookup(const struct fdb *fdb, uint64_t key, uint32_t now)
{
    uint64_t value;

    if (!find(fdb, key, fdb_hash(fdb, key), &value) || too_old(fdb, value, now))
        return FDB_UNKNOWN;
    return value_slot(value);
}

static void count(struct fdb *fdb, unsigned slot, uint32_t change)
{
    atomic_fetch_add_explicit(&fdb->count[slot], change, memory_order_relaxed);
    atomic_fetch_add_explicit(&fdb->count[FDB_UNKNOWN], change, memory_order_relaxed);
}

/* Empty a cell and close the gap. Under the lock. */
static void erase(struct fdb *fdb, uint64_t gap)
{
    count(fdb, value_slot(load(&fdb->cells[gap].value)), (uint32_t)-1);
    for (uint64_t i = (gap + 1) & FDB_MASK;; i = (i + 1) & FDB_MASK) {
        uint64_t key = load(&fdb->cells[i].key);
        if (!key)
            break;
        uint64_t home = fdb_hash(fdb, key) >> FDB_CELL_SHIFT;
        if (((i - home) & FDB_MASK) < ((i - gap) & FDB_MASK))
            continue; /* a probe for it starts behind the gap */
        store(&fdb->cells[gap].value, load(&fdb->cells[i].value));
        store(&fdb->cells[gap].key, key);
        gap = i;
    }
    store(&fdb->cells[gap].key, 0);
}

static bool is_full(const struct fdb *fdb, unsigned slot, uint32_t ceiling)
{
    return fdb_count(fdb, slot) >= ceiling || fdb_count(fdb, FDB_UNKNOWN) >= LIMIT_FDB;
}

/* Under the lock. */
static void insert(struct fdb *fdb, uint64_t key, uint64_t hash, unsigned slot, uint32_t now)
{
    uint64_t i = hash >> FDB_CELL_SHIFT;

    while (load(&fdb->cells[i].key))
        i = (i + 1) & FDB_MASK;
    store(&fdb->cells[i].value, make_value(hash, slot, now));
    store(&fdb->cells[i].key, key);
    count(fdb, slot, 1);
}

/* Under the lock: learn a station that is not known behind this port. */
static void learn_locked(struct fdb *fdb, uint64_t key, uint64_t hash, unsigned slot,
                         uint32_t ceiling, uint32_t now)
{
    uint64_t value;
    struct fdb_cell *cell = find(fdb, key, hash, &value);

    if (cell && value_slot(value) == slot) /* another thread was first */
        return;
    if (cell && fdb_count(fdb, slot) >= ceiling) {
        erase(fdb, (uint64_t)(cell - fdb->cells));
    } else if (cell) {
        store(&cell->value, make_value(hash, slot, now));
        count(fdb, value_slot(value), (uint32_t)-1);
        count(fdb, slot, 1);
    } else if (!is_full(fdb, slot, ceiling)) {
        insert(fdb, key, hash, slot, now);
    }
}

void fdb_learn(struct fdb *fdb, uint64_t key, unsigned slot, uint32_t ceiling, uint32_t now)
{
    uint64_t hash = fdb_hash(fdb, key), value;
    struct fdb_cell *cell = find(fdb, key, hash, &value);

    if (cell && value_slot(value) == slot) {
        if ((uint32_t)value != now)
            atomic_compare_exchange_strong_explicit(&cell->value, &value,
                                                    make_value(hash, slot, now),
                                                    memory_order_acq_rel, memory_order_relaxed);
        return;
    }
    if (!cell && is_full(fdb, slot, ceiling))
        return; /* a flood of invented addresses must not reach the lock */
    if (pthread_mutex_trylock(&fdb->mutex))
        return;
    learn_locked(fdb, key, hash, slot, ceiling, now);
    pthread_mutex_unlock(&fdb->mutex);
}

void fdb_flush(struct fdb *fdb, unsigned slot)
{
    pthread_mutex_lock(&fdb->mutex);
    for (uint64_t i = 0; i < FDB_CELLS && fdb_count(fdb, slot); i++) {
        /* Closing the gap may bring the next victim into the same cell. */
        while (load(&fdb->cells[i].key) &&
               (slot == FDB_UNKNOWN || value_slot(load(&fdb->cells[i].value)) == slot))
            erase(fdb, i);
    }
    pthread_mutex_unlock(&fdb->mutex);
}

void fdb_sweep(struct fdb *fdb, uint32_t now)
{
    pthread_mutex_lock(&fdb->mutex);
    for (uint64_t i = 0; i < FDB_CELLS; i++) {
        while (load(&fdb->cells[i].key) && too_old(fdb, load(&fdb->cells[i].value), now))
            erase(fdb, i);
    }
    pthread_mutex_unlock(&fdb->mutex);
}

uint32_t fdb_count(const struct fdb *fdb, unsigned slot)
{
    return atomic_load_explicit(&fdb->count[slot], memory_order_relaxed);
}

void fdb_each(struct fdb *fdb, uint32_t now,
              void (*each)(uint64_t key, unsigned slot, uint32_t age_s, void *context),
              void *context)
{
    pthread_mutex_lock(&fdb->mutex);
    for (uint64_t i = 0; i < FDB_CELLS; i++) {
        uint64_t key = load(&fdb->cells[i].key), value = load(&fdb->cells[i].value);
        if (!key || too_old(fdb, value, now))
            continue;
        int32_t age = (int32_t)(now - (uint32_t)value);
        each(key, value_slot(value), age > 0 ? (uint32_t)age : 0, context);
    }
    pthread_mutex_unlock(&fdb->mutex);
}
