/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port rings in long random runs: two threads that sleep on doorbells which only the protocol
 * rings. Order and every byte are checked; a wake-up that is lost shows as a sleep that does not
 * end.
 */
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "tests/unit/port_ring_fixture.h"

#define LONGEST     65550u
#define PATTERN     65536u /* bytes before it repeats: a power of two */
#define PATIENCE_MS 20000  /* a sleep this long means that a wake-up was lost */

/* What a run is: `bytes` most of a frame; small ones are about the protocol, large ones about
 * wrapping. */
struct stress {
    struct port_queue *from, *to;
    int data, room; /* doorbells */
    uint32_t frames, bytes;
    const uint8_t *pattern; /* PATTERN + LONGEST bytes */
    uint64_t data_rings, room_rings, producer_sleeps, consumer_sleeps;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* The n-th frame: both threads compute it. */
static struct frame_meta nth_frame(const struct stress *stress, uint32_t n)
{
    uint32_t state = n * 2654435761u + 1;

    return (struct frame_meta){
        .length = 14 + next_random(&state) % (stress->bytes - 14 + 1),
        .hash = next_random(&state) % PATTERN, /* where in the pattern it begins */
    };
}

static void doze(int doorbell, const char *who)
{
    struct pollfd wait = {.fd = doorbell, .events = POLLIN};

    if (poll(&wait, 1, PATIENCE_MS) != 1)
        g_error("%s: nobody woke it", who);
    prf_rung(doorbell);
}

/* --- Producer --------------------------------------------------------------------------------- */

static void commit(struct stress *stress)
{
    if (port_queue_commit(stress->from)) {
        stress->data_rings++;
        port_queue_ring_data(stress->from);
    }
}

static void produce_one(struct stress *stress, uint32_t n)
{
    struct frame_meta meta = nth_frame(stress, n);
    const uint8_t *bytes = stress->pattern + meta.hash;
    struct iovec data[2];
    int count;

    while ((count = port_queue_room(stress->from, meta.length, data)) == -EAGAIN) {
        commit(stress);
        if (!port_queue_await_room(stress->from)) {
            stress->producer_sleeps++;
            doze(stress->room, "producer");
        }
    }
    g_assert_cmpint(count, >, 0);
    for (int i = 0; i < count; bytes += data[i++].iov_len)
        memcpy(data[i].iov_base, bytes, data[i].iov_len);
    port_queue_push(stress->from, &meta);
}

static void *produce(void *context)
{
    struct stress *stress = context;
    uint32_t state = 7, batch = 0;

    for (uint32_t n = 0; n < stress->frames; n++) {
        produce_one(stress, n);
        if (batch-- == 0) {
            batch = next_random(&state) % 8;
            commit(stress);
        }
    }
    commit(stress);
    return NULL;
}

/* --- Consumer --------------------------------------------------------------------------------- */

static void release(struct stress *stress)
{
    if (port_queue_release(stress->to)) {
        stress->room_rings++;
        port_queue_ring_room(stress->to);
    }
}

/* False if there is none. */
static bool consume_one(struct stress *stress, uint32_t n)
{
    struct frame_meta meta, expect = nth_frame(stress, n);
    struct iovec data[2];
    int count = port_queue_pull(stress->to, &meta, data);
    const uint8_t *bytes = stress->pattern + expect.hash;

    if (count == 0)
        return false;
    g_assert_cmpint(count, >, 0);
    g_assert_cmpmem(&meta, sizeof(meta), &expect, sizeof(expect));
    for (int i = 0; i < count; bytes += data[i++].iov_len)
        g_assert_true(memcmp(data[i].iov_base, bytes, data[i].iov_len) == 0);
    return true;
}

static void consume(struct stress *stress)
{
    uint32_t n = 0;

    while (n < stress->frames) {
        while (n < stress->frames && consume_one(stress, n))
            if (++n % 8 == 0)
                release(stress);
        release(stress);
        if (n < stress->frames && !port_queue_arm(stress->to)) {
            stress->consumer_sleeps++;
            doze(stress->data, "consumer");
        }
        port_queue_disarm(stress->to);
    }
}

static void run(bool to_worker, uint32_t cells, uint32_t bytes, uint32_t frames)
{
    struct prf *prf = prf_new(1, cells);
    struct prf_way way = prf_way_of(prf, 0, to_worker);
    g_autofree uint8_t *pattern = g_malloc(PATTERN + LONGEST);
    struct stress stress = {
        .from = way.from,
        .to = way.to,
        .data = to_worker ? prf->fds.queue[0].to_worker_data : prf->fds.queue[0].to_switch_data,
        .room = to_worker ? prf->fds.queue[0].to_worker_room : prf->fds.queue[0].to_switch_room,
        .frames = frames,
        .bytes = bytes,
        .pattern = pattern,
    };
    uint32_t state = 1;
    pthread_t thread;

    for (uint32_t i = 0; i < PATTERN + LONGEST; i++)
        pattern[i] = i < PATTERN ? (uint8_t)next_random(&state) : pattern[i - PATTERN];
    g_assert_cmpint(pthread_create(&thread, NULL, produce, &stress), ==, 0);
    consume(&stress);
    pthread_join(thread, NULL);
    g_test_message("rings: data %" G_GUINT64_FORMAT ", room %" G_GUINT64_FORMAT
                   "; sleeps: producer %" G_GUINT64_FORMAT ", consumer %" G_GUINT64_FORMAT,
                   stress.data_rings, stress.room_rings, stress.producer_sleeps,
                   stress.consumer_sleeps);
    g_assert_cmpuint(stress.producer_sleeps + stress.consumer_sleeps, >, 0);
    g_assert_cmpuint(port_queue_used(way.to), ==, 0);
    prf_free(prf);
}

/* --- Duels ------------------------------------------------------------------------------------ */

#define DUEL_CELLS 64u

static void dawdle(uint32_t *state, uint32_t most)
{
    for (volatile uint32_t n = next_random(state) % most; n; n--)
        ;
}

/* The one that wakes spins until it is its turn; where there is one core, the other must run. */
static void spin_until(struct port_queue *queue, uint32_t used)
{
    for (unsigned n = 1; port_queue_used(queue) != used; n++)
        if (n % 1024 == 0)
            g_thread_yield();
}

static void *duel_produce(void *context)
{
    struct stress *stress = context;
    uint32_t state = 3;

    for (uint32_t n = 0; n < stress->frames; n++) {
        spin_until(stress->from, 0);
        dawdle(&state, 64);
        prf_push(stress->from, 14, n);
        commit(stress);
    }
    return NULL;
}

/* A frame comes just when the consumer, having released the last one, falls asleep. */
static void duel_for_data(struct stress *stress)
{
    uint32_t n = 0, state = 9;

    while (n < stress->frames) {
        if (prf_pull(stress->to, 14, n) == 1) {
            n++;
            port_queue_release(stress->to);
            dawdle(&state, 400);
        } else if (!port_queue_arm(stress->to)) {
            stress->consumer_sleeps++;
            doze(stress->data, "consumer");
        }
    }
}

static void *duel_fill(void *context)
{
    struct stress *stress = context;
    uint32_t state = 3;

    for (uint32_t n = 0; n < stress->frames; n += DUEL_CELLS) {
        for (uint32_t i = 0; i < DUEL_CELLS; i++)
            g_assert_cmpint(prf_push(stress->from, 14, n + i), ==, 1);
        port_queue_commit(stress->from);
        dawdle(&state, 4000);
        while (!port_queue_await_room(stress->from)) {
            stress->producer_sleeps++;
            doze(stress->room, "producer");
        }
        while (port_queue_used(stress->from))
            g_thread_yield();
    }
    return NULL;
}

/* All room comes at once, just when the producer, having filled the ring, falls asleep. */
static void duel_for_room(struct stress *stress)
{
    uint32_t state = 5;

    for (uint32_t n = 0; n < stress->frames; n += DUEL_CELLS) {
        spin_until(stress->to, DUEL_CELLS);
        for (uint32_t i = 0; i < DUEL_CELLS; i++)
            g_assert_cmpint(prf_pull(stress->to, 14, n + i), ==, 1);
        dawdle(&state, 64);
        release(stress);
    }
}

static void duel(void *(*other)(void *), void (*one)(struct stress *), uint32_t frames)
{
    struct prf *prf = prf_new(1, DUEL_CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);
    struct stress stress = {.from = way.from,
                            .to = way.to,
                            .data = prf->fds.queue[0].to_switch_data,
                            .room = prf->fds.queue[0].to_switch_room,
                            .frames = frames};
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, other, &stress), ==, 0);
    one(&stress);
    pthread_join(thread, NULL);
    g_test_message("sleeps: producer %" G_GUINT64_FORMAT ", consumer %" G_GUINT64_FORMAT,
                   stress.producer_sleeps, stress.consumer_sleeps);
    prf_free(prf);
}

static void test_duel_data(void)
{
    duel(duel_produce, duel_for_data, 500000);
}

static void test_duel_room(void)
{
    duel(duel_fill, duel_for_room, 64 * 50000);
}

static void test_small(void)
{
    run(false, 64, 1514, 300000);
    run(true, 64, 1514, 300000);
}

static void test_large(void)
{
    run(false, 64, LONGEST, 20000);
    run(true, 256, LONGEST, 20000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/port-ring/stress/small", test_small);
    g_test_add_func("/port-ring/stress/large", test_large);
    g_test_add_func("/port-ring/stress/duel-data", test_duel_data);
    g_test_add_func("/port-ring/stress/duel-room", test_duel_room);
    return g_test_run();
}
