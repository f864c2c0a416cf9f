/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snooping, the table: see the header.
 *
 * Open addressing, twice as many slots as entries. All that readers see is atomic: a slot's first
 * key word is written last and makes it visible. Writers hold the mutex.
 */
#include "vswitch/snoop_table.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SLOTS       (2 * LIMIT_SNOOPING_GROUPS)
#define WORDS       (LIMIT_SWITCH_PORTS / 64)
#define GENERATIONS 3u
#define TRIES       4u /* of a lookup; ageings are minutes apart */
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a hash is cut with a mask");

/* Ports by when they last said so: in this generation, the one before, the one before that. */
struct aged_set {
    _Atomic uint64_t word[GENERATIONS][WORDS];
};

struct slot {
    _Atomic uint64_t key[SNOOP_KEY_WORDS]; /* [0] is 0: free */
    _Atomic uint64_t since_ns;             /* when its first port came */
    struct aged_set ports;
};

struct table {
    struct slot slot[SLOTS];
};

struct snoop {
    pthread_mutex_t mutex;
    _Atomic(struct table *) table; /* one of `tables` */
    atomic_uint turns;             /* ageings begun */
    struct aged_set refused;       /* ports whose report found no room */
    unsigned used;                 /* slots taken, also by groups that have no port any more */
    uint16_t charged[LIMIT_SWITCH_PORTS]; /* sets a port came into in the life of this table */
    uint64_t turned_ns;                   /* when this generation began */
    struct table tables[2];
};

/* --- Words ------------------------------------------------------------------------------------ */

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void put(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static uint64_t any_generation(const struct aged_set *set, unsigned word)
{
    return get(&set->word[0][word]) | get(&set->word[1][word]) | get(&set->word[2][word]);
}

static bool is_empty(const struct aged_set *set)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < WORDS; i++)
        all |= any_generation(set, i);
    return all == 0;
}

static bool has(const struct aged_set *set, unsigned port)
{
    return any_generation(set, port / 64) >> (port % 64) & 1;
}

static void add(struct aged_set *set, unsigned port)
{
    _Atomic uint64_t *word = &set->word[0][port / 64];

    put(word, get(word) | 1ull << port % 64);
}

static void take(struct aged_set *set, unsigned port)
{
    for (unsigned i = 0; i < GENERATIONS; i++) {
        _Atomic uint64_t *word = &set->word[i][port / 64];

        put(word, get(word) & ~(1ull << port % 64));
    }
}

static void age(struct aged_set *to, const struct aged_set *from)
{
    for (unsigned i = GENERATIONS; i-- > 0;) {
        for (unsigned j = 0; j < WORDS; j++)
            put(&to->word[i][j], i ? get(&from->word[i - 1][j]) : 0);
    }
}

static void collect(struct port_set *ports, const struct aged_set *set)
{
    for (unsigned i = 0; i < WORDS; i++)
        ports->word[i] |= any_generation(set, i);
}

/* --- Slots ------------------------------------------------------------------------------------ */

void snoop_key(struct snoop_key *ret_key, uint16_t vlan, const uint8_t *address, unsigned length)
{
    *ret_key = (struct snoop_key){{(uint64_t)vlan << 8 | length, 0, 0}};
    if (address)
        memcpy(&ret_key->word[1], address, length);
}

static unsigned hash(const struct snoop_key *key)
{
    uint64_t state = 0;

    for (unsigned i = 0; i < SNOOP_KEY_WORDS; i++) {
        state = (state ^ key->word[i]) * 0x9e3779b97f4a7c15ull; /* 2^64 over the golden ratio */
        state ^= state >> 32;
    }
    return (unsigned)state % SLOTS;
}

static bool matches(const struct slot *slot, const struct snoop_key *key)
{
    return get(&slot->key[1]) == key->word[1] && get(&slot->key[2]) == key->word[2];
}

/* The key's slot, or the free one that it would take. There is always one: half of them are. */
static struct slot *probe(struct table *table, const struct snoop_key *key)
{
    unsigned at = hash(key);

    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &table->slot[(at + i) % SLOTS];
        uint64_t first = get(&slot->key[0]);

        if (!first || (first == key->word[0] && matches(slot, key)))
            return slot;
    }
    return &table->slot[at];
}

static bool is_free(const struct slot *slot)
{
    return get(&slot->key[0]) == 0;
}

static void occupy(struct slot *slot, const struct snoop_key *key)
{
    put(&slot->key[1], key->word[1]);
    put(&slot->key[2], key->word[2]);
    put(&slot->key[0], key->word[0]);
}

static struct table *current(struct snoop *snoop)
{
    return atomic_load_explicit(&snoop->table, memory_order_acquire);
}

struct snoop *snoop_new(void)
{
    struct snoop *snoop = g_new0(struct snoop, 1);

    pthread_mutex_init(&snoop->mutex, NULL);
    atomic_init(&snoop->table, &snoop->tables[0]);
    return snoop;
}

void snoop_free(struct snoop *snoop)
{
    if (snoop)
        pthread_mutex_destroy(&snoop->mutex);
    g_free(snoop);
}

/* --- Changes ---------------------------------------------------------------------------------- */

static bool may_join(const struct snoop *snoop, const struct slot *slot, unsigned port, bool uplink)
{
    if (is_free(slot) && snoop->used >= LIMIT_SNOOPING_GROUPS)
        return false;
    return uplink || snoop->charged[port] < LIMIT_SNOOPING_PORT;
}

static void join(struct snoop *snoop, const struct snoop_key *key, unsigned port, bool uplink,
                 uint64_t now_ns)
{
    struct slot *slot = probe(current(snoop), key);

    if (!has(&slot->ports, port)) {
        if (!may_join(snoop, slot, port, uplink)) {
            add(&snoop->refused, port);
            return;
        }
        snoop->charged[port]++;
        if (is_empty(&slot->ports))
            put(&slot->since_ns, now_ns);
        if (is_free(slot)) {
            snoop->used++;
            occupy(slot, key);
        }
    }
    add(&slot->ports, port);
}

void snoop_table_join(struct snoop *snoop, const struct snoop_key *key, unsigned port, bool uplink,
                      uint64_t now_ns)
{
    const struct slot *slot = probe(current(snoop), key);

    /* What is known already, which is most of what reports say, takes no lock. */
    if (!is_free(slot) && get(&slot->ports.word[0][port / 64]) >> (port % 64) & 1)
        return;
    pthread_mutex_lock(&snoop->mutex);
    join(snoop, key, port, uplink, now_ns);
    pthread_mutex_unlock(&snoop->mutex);
}

void snoop_table_refuse(struct snoop *snoop, unsigned port)
{
    pthread_mutex_lock(&snoop->mutex);
    add(&snoop->refused, port);
    pthread_mutex_unlock(&snoop->mutex);
}

void snoop_table_leave(struct snoop *snoop, const struct snoop_key *key, unsigned port)
{
    pthread_mutex_lock(&snoop->mutex);
    struct slot *slot = probe(current(snoop), key);
    if (!is_free(slot))
        take(&slot->ports, port);
    pthread_mutex_unlock(&snoop->mutex);
}

void snoop_forget(struct snoop *snoop, unsigned port)
{
    pthread_mutex_lock(&snoop->mutex);
    struct table *table = current(snoop);
    for (unsigned i = 0; i < SLOTS; i++)
        take(&table->slot[i].ports, port);
    take(&snoop->refused, port);
    snoop->charged[port] = 0;
    pthread_mutex_unlock(&snoop->mutex);
}

/* --- Ageing ----------------------------------------------------------------------------------- */

static void charge(struct snoop *snoop, const struct slot *slot)
{
    for (unsigned i = 0; i < WORDS; i++) {
        for (uint64_t left = any_generation(&slot->ports, i); left; left &= left - 1)
            snoop->charged[i * 64 + (unsigned)__builtin_ctzll(left)]++;
    }
}

static void carry_over(struct snoop *snoop, struct table *to, const struct slot *slot)
{
    struct snoop_key key;
    struct aged_set ports;

    age(&ports, &slot->ports);
    if (is_free(slot) || is_empty(&ports))
        return;
    for (unsigned i = 0; i < SNOOP_KEY_WORDS; i++)
        key.word[i] = get(&slot->key[i]);
    struct slot *place = probe(to, &key);
    age(&place->ports, &slot->ports);
    put(&place->since_ns, get(&slot->since_ns));
    occupy(place, &key);
    snoop->used++;
    charge(snoop, place);
}

static void wipe(struct table *table)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &table->slot[i];

        for (unsigned j = 0; j < SNOOP_KEY_WORDS; j++)
            put(&slot->key[j], 0);
        for (unsigned j = 0; j < GENERATIONS; j++) {
            for (unsigned k = 0; k < WORDS; k++)
                put(&slot->ports.word[j][k], 0);
        }
    }
}

static void turn(struct snoop *snoop)
{
    struct table *from = current(snoop), *to = &snoop->tables[from == &snoop->tables[0]];

    /* Before any write below: who reads beside it sees the count change. */
    atomic_fetch_add_explicit(&snoop->turns, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    wipe(to);
    memset(snoop->charged, 0, sizeof(snoop->charged));
    snoop->used = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        carry_over(snoop, to, &from->slot[i]);
    age(&snoop->refused, &snoop->refused);
    atomic_store_explicit(&snoop->table, to, memory_order_release);
}

void snoop_age(struct snoop *snoop, uint64_t now_ns)
{
    pthread_mutex_lock(&snoop->mutex);
    if (!snoop->turned_ns)
        snoop->turned_ns = now_ns;
    if (now_ns > snoop->turned_ns && now_ns - snoop->turned_ns >= SNOOP_GENERATION_NS) {
        snoop->turned_ns = now_ns;
        turn(snoop);
    }
    pthread_mutex_unlock(&snoop->mutex);
}

/* --- Lookup ----------------------------------------------------------------------------------- */

static void collect_key(struct port_set *ports, struct table *table, const struct snoop_key *key)
{
    const struct slot *slot = probe(table, key);

    if (!is_free(slot))
        collect(ports, &slot->ports);
}

static bool find_once(struct snoop *snoop, const struct snoop_query *query, uint64_t now_ns,
                      struct port_set *ret_ports)
{
    struct table *table = current(snoop);
    const struct slot *slot = probe(table, &query->queriers);

    *ret_ports = (struct port_set){{0}};
    if (is_free(slot) || is_empty(&slot->ports) || now_ns - get(&slot->since_ns) < SNOOP_SETTLE_NS)
        return false;
    collect(ret_ports, &slot->ports);
    collect_key(ret_ports, table, &query->routers);
    if (!query->has_group)
        return true;
    collect_key(ret_ports, table, &query->group);
    collect(ret_ports, &snoop->refused);
    return true;
}

unsigned snoop_groups(struct snoop *snoop)
{
    const struct table *table = current(snoop);
    unsigned groups = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *slot = &table->slot[i];

        groups += (get(&slot->key[1]) || get(&slot->key[2])) && !is_empty(&slot->ports);
    }
    return groups;
}

bool snoop_table_find(struct snoop *snoop, const struct snoop_query *query, uint64_t now_ns,
                      struct port_set *ret_ports)
{
    for (unsigned i = 0; i < TRIES; i++) {
        unsigned turns = atomic_load_explicit(&snoop->turns, memory_order_acquire);
        bool found = find_once(snoop, query, now_ns, ret_ports);

        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&snoop->turns, memory_order_relaxed) == turns)
            return found;
    }
    return false; /* flooding is never wrong */
}
