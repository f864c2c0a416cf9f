/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forwarding table: learning, moves, ageing, ceilings, flushing, and readers that race with
 * writers.
 */
#include "vswitch/fdb.h"

#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

#define AGE 300u

static uint64_t station(uint32_t n)
{
    return fdb_key(0x020000000000ull + n, 0);
}

static struct fdb *make(void)
{
    struct fdb *fdb = aligned_alloc(64, sizeof(*fdb));

    g_assert_cmpint(fdb_init(fdb, AGE), ==, 0);
    return fdb;
}

static void drop(struct fdb *fdb)
{
    fdb_finish(fdb);
    free(fdb);
}

static void test_learn(void)
{
    struct fdb *fdb = make();

    g_assert_cmpuint(fdb_lookup(fdb, station(1), 0), ==, FDB_UNKNOWN);
    fdb_learn(fdb, station(1), 7, 10, 0);
    fdb_learn(fdb, station(2), LIMIT_SWITCH_PORTS, 10, 0);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 0), ==, 7);
    g_assert_cmpuint(fdb_lookup(fdb, station(2), 0), ==, LIMIT_SWITCH_PORTS);
    g_assert_cmpuint(fdb_lookup(fdb, station(3), 0), ==, FDB_UNKNOWN);
    g_assert_cmpuint(fdb_count(fdb, 7), ==, 1);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, 2);
    fdb_learn(fdb, station(1), 7, 10, 0); /* known already */
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, 2);
    drop(fdb);
}

/* The same address in two VLANs is two stations; the all-zero address is one like any other. */
static void test_vlan(void)
{
    struct fdb *fdb = make();

    fdb_learn(fdb, fdb_key(0, 0), 1, 10, 0);
    fdb_learn(fdb, fdb_key(0, 1), 2, 10, 0);
    fdb_learn(fdb, fdb_key(0, 4095), 3, 10, 0);
    g_assert_cmpuint(fdb_lookup(fdb, fdb_key(0, 0), 0), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, fdb_key(0, 1), 0), ==, 2);
    g_assert_cmpuint(fdb_lookup(fdb, fdb_key(0, 4095), 0), ==, 3);
    g_assert_cmpuint(fdb_lookup(fdb, fdb_key(0, 2), 0), ==, FDB_UNKNOWN);
    /* What a load of eight bytes brings along beside the address does not matter. */
    g_assert_cmpuint(fdb_key(0xabcd000000000001ull, 5), ==, fdb_key(1, 5));
    drop(fdb);
}

static void test_move(void)
{
    struct fdb *fdb = make();

    fdb_learn(fdb, station(1), 1, 10, 0);
    fdb_learn(fdb, station(1), 2, 10, 0);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 0), ==, 2);
    g_assert_cmpuint(fdb_count(fdb, 1), ==, 0);
    g_assert_cmpuint(fdb_count(fdb, 2), ==, 1);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, 1);
    drop(fdb);
}

static void test_age(void)
{
    struct fdb *fdb = make();

    fdb_learn(fdb, station(1), 1, 10, 1000);
    fdb_learn(fdb, station(2), 1, 10, 1000);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 1000 + AGE), ==, 1);
    fdb_learn(fdb, station(1), 1, 10, 1200); /* used */
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 1001 + AGE), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(2), 1001 + AGE), ==, FDB_UNKNOWN);
    g_assert_cmpuint(fdb_count(fdb, 1), ==, 2);
    fdb_sweep(fdb, 1001 + AGE);
    g_assert_cmpuint(fdb_count(fdb, 1), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 1200 + AGE), ==, 1);
    fdb_sweep(fdb, 1201 + AGE);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, 0);
    drop(fdb);
}

/* Seconds wrap after 136 years; a thread's clock may be a second behind another's. */
static void test_clock(void)
{
    struct fdb *fdb = make();

    fdb_learn(fdb, station(1), 1, 10, UINT32_MAX - 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), 10), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), UINT32_MAX - 3), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(1), AGE), ==, FDB_UNKNOWN);
    drop(fdb);
}

/* A guest that invents addresses fills its own share and nobody else's. */
static void test_attack_port_ceiling(void)
{
    struct fdb *fdb = make();

    for (uint32_t i = 0; i < 5000; i++)
        fdb_learn(fdb, station(i), 1, LIMIT_FDB_PORT, 0);
    g_assert_cmpuint(fdb_count(fdb, 1), ==, LIMIT_FDB_PORT);
    g_assert_cmpuint(fdb_lookup(fdb, station(LIMIT_FDB_PORT - 1), 0), ==, 1);
    g_assert_cmpuint(fdb_lookup(fdb, station(LIMIT_FDB_PORT), 0), ==, FDB_UNKNOWN);
    fdb_learn(fdb, station(9999), 2, LIMIT_FDB_PORT, 0);
    g_assert_cmpuint(fdb_lookup(fdb, station(9999), 0), ==, 2);

    /* What the full port takes over is unknown from then on, and not kept where it was. */
    fdb_learn(fdb, station(9999), 1, LIMIT_FDB_PORT, 0);
    g_assert_cmpuint(fdb_lookup(fdb, station(9999), 0), ==, FDB_UNKNOWN);
    g_assert_cmpuint(fdb_count(fdb, 2), ==, 0);
    g_assert_cmpuint(fdb_count(fdb, 1), ==, LIMIT_FDB_PORT);
    drop(fdb);
}

static void test_attack_table_full(void)
{
    struct fdb *fdb = make();

    for (uint32_t i = 0; i < 2 * LIMIT_FDB; i++)
        fdb_learn(fdb, station(i), 1 + i % 3, LIMIT_FDB, 0);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, LIMIT_FDB);
    for (uint32_t i = 0; i < LIMIT_FDB; i++)
        g_assert_cmpuint(fdb_lookup(fdb, station(i), 0), ==, 1 + i % 3);
    g_assert_cmpuint(fdb_lookup(fdb, station(LIMIT_FDB), 0), ==, FDB_UNKNOWN);
    fdb_learn(fdb, station(0), 9, LIMIT_FDB, 0); /* a move needs no room */
    g_assert_cmpuint(fdb_lookup(fdb, station(0), 0), ==, 9);
    fdb_flush(fdb, 2);
    g_assert_cmpuint(fdb_count(fdb, 2), ==, 0);
    for (uint32_t i = 1; i < LIMIT_FDB; i++)
        g_assert_cmpuint(fdb_lookup(fdb, station(i), 0), ==, i % 3 == 1 ? 0 : 1 + i % 3);
    fdb_flush(fdb, FDB_UNKNOWN);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, 0);
    drop(fdb);
}

struct tally {
    unsigned entries;
    uint64_t keys;
};

static void add_up(uint64_t key, unsigned slot, uint32_t age_s, void *context)
{
    struct tally *tally = context;

    g_assert_cmpuint(slot, ==, 4);
    g_assert_cmpuint(age_s, ==, 20);
    tally->entries++;
    tally->keys += key;
}

static void test_each(void)
{
    struct fdb *fdb = make();
    struct tally tally = {0, 0};

    fdb_learn(fdb, station(3), 4, 10, 0); /* too old to be told */
    fdb_learn(fdb, station(1), 4, 10, AGE);
    fdb_learn(fdb, station(2), 4, 10, AGE);
    fdb_each(fdb, AGE + 20, add_up, &tally);
    g_assert_cmpuint(tally.entries, ==, 2);
    g_assert_cmpuint(tally.keys, ==, station(1) + station(2));
    drop(fdb);
}

/* A model with one slot per station says what the table must say, whatever came before. */
static void test_model(void)
{
    enum { STATIONS = 12000 };
    struct fdb *fdb = make();
    g_autofree uint8_t *model = g_new0(uint8_t, STATIONS);
    g_autoptr(GRand) rand = g_rand_new_with_seed(42);
    unsigned known = 0;

    for (unsigned step = 0; step < 200000; step++) {
        uint32_t n = g_rand_int(rand) % STATIONS;
        uint8_t slot = (uint8_t)(1 + g_rand_int(rand) % 5);
        if (g_rand_int(rand) % 20000 == 0) {
            fdb_flush(fdb, slot);
            for (uint32_t i = 0; i < STATIONS; i++) {
                known -= model[i] == slot;
                model[i] = model[i] == slot ? 0 : model[i];
            }
        }
        fdb_learn(fdb, station(n), slot, LIMIT_FDB, 0);
        if (model[n] || known < LIMIT_FDB) {
            known += !model[n];
            model[n] = slot;
        }
        g_assert_cmpuint(fdb_lookup(fdb, station(n), 0), ==, model[n]);
    }
    for (uint32_t i = 0; i < STATIONS; i++)
        g_assert_cmpuint(fdb_lookup(fdb, station(i), 0), ==, model[i]);
    g_assert_cmpuint(fdb_count(fdb, FDB_UNKNOWN), ==, known);
    drop(fdb);
}

/* --- Threads ---------------------------------------------------------------------------------- */

struct race {
    struct fdb *fdb;
    atomic_bool stop;
    atomic_uint wrong, found;
};

#define RACE_STATIONS 3000u

/* Station n is only ever behind port 1 + n % 7: a reader sees that or nothing. */
static gpointer read_race(gpointer data)
{
    struct race *race = data;

    while (!atomic_load(&race->stop)) {
        for (uint32_t n = 0; n < RACE_STATIONS; n++) {
            unsigned slot = fdb_lookup(race->fdb, station(n), 0);
            if (slot != FDB_UNKNOWN && slot != 1 + n % 7)
                atomic_fetch_add(&race->wrong, 1);
            if (slot != FDB_UNKNOWN)
                atomic_fetch_add(&race->found, 1);
        }
    }
    return NULL;
}

static void test_race(void)
{
    struct race race = {.fdb = make()};
    GThread *reader = g_thread_new("reader", read_race, &race);

    for (unsigned round = 0; round < 30 || !atomic_load(&race.found); round++) {
        for (uint32_t n = 0; n < RACE_STATIONS; n++)
            fdb_learn(race.fdb, station(n), 1 + n % 7, LIMIT_FDB, round % 2);
        fdb_flush(race.fdb, 1 + round % 7);
    }
    atomic_store(&race.stop, true);
    g_thread_join(reader);
    g_assert_cmpuint(race.wrong, ==, 0);
    fdb_flush(race.fdb, FDB_UNKNOWN);
    for (unsigned slot = 0; slot <= 7; slot++)
        g_assert_cmpuint(fdb_count(race.fdb, slot), ==, 0);
    drop(race.fdb);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdb/learn", test_learn);
    g_test_add_func("/fdb/vlan", test_vlan);
    g_test_add_func("/fdb/move", test_move);
    g_test_add_func("/fdb/age", test_age);
    g_test_add_func("/fdb/clock", test_clock);
    g_test_add_func("/fdb/each", test_each);
    g_test_add_func("/fdb/model", test_model);
    g_test_add_func("/fdb/race", test_race);
    g_test_add_func("/fdb/attack/port-ceiling", test_attack_port_ceiling);
    g_test_add_func("/fdb/attack/table-full", test_attack_table_full);
    return g_test_run();
}
