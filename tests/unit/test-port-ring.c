/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port ring: frames across it, sleeping and waking, sides that go away and come back.
 */
#include <errno.h>
#include <glib.h>

#include "tests/unit/port_ring_fixture.h"

#define CELLS 64u

/* --- Frames ----------------------------------------------------------------------------------- */

static void test_sizes(void)
{
    static const uint32_t lengths[] = {14,   60,   1514, 2047, 2048,  2049,
                                       4096, 4097, 9014, 9018, 65550, LIMIT_FRAME};
    struct prf *prf = prf_new(2, CELLS);
    uint32_t wraps = 0;

    for (uint32_t n = 0; n < 600; n++) {
        struct prf_way way = prf_way_of(prf, n / 2 % 2, n % 2);
        uint32_t length = lengths[n / 4 % G_N_ELEMENTS(lengths)];
        int pushed = prf_push(way.from, length, n);

        g_assert_cmpint(pushed, >, 0);
        wraps += pushed == 2;
        g_assert_cmpint(prf_pull(way.to, length, n), ==, 0); /* not yet */
        g_assert_false(port_queue_commit(way.from));
        g_assert_cmpuint(port_queue_used(way.from), ==, (length + 2047) / 2048);
        g_assert_cmpint(prf_pull(way.to, length, n), ==, pushed);
        g_assert_cmpint(prf_pull(way.to, length, n), ==, 0);
        g_assert_false(port_queue_release(way.to));
        g_assert_cmpuint(port_queue_used(way.to), ==, 0);
    }
    g_assert_cmpuint(wraps, >, 20);
    prf_free(prf);
}

static void test_metadata(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);
    struct frame_meta meta = {.length = 3000,
                              .hash = 0x12345678,
                              .vlan_tci = 0xe00a,
                              .csum_start = 34,
                              .csum_offset = 16,
                              .gso_size = 1000,
                              .header = 54,
                              .gso = FRAME_GSO_TCPV6,
                              .flags = FRAME_CSUM_PARTIAL | FRAME_VLAN},
                      got;
    struct iovec data[2];

    g_assert_cmpint(port_queue_room(way.from, meta.length, data), ==, 1);
    port_queue_push(way.from, &meta);
    port_queue_commit(way.from);
    g_assert_cmpint(port_queue_pull(way.to, &got, data), ==, 1);
    g_assert_cmpmem(&got, sizeof(got), &meta, sizeof(meta));
    prf_free(prf);
}

static void test_lengths_refused(void)
{
    static const uint32_t lengths[] = {0, 1, 13, LIMIT_FRAME + 1, 1u << 31, UINT32_MAX};
    struct prf *prf = prf_new(1, CELLS);
    struct iovec data[2];

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        g_assert_cmpint(port_queue_room(&prf->here.out[0], lengths[i], data), ==, -EMSGSIZE);
    prf_free(prf);
}

/* Asked twice without a push, the same cells; pushed, they are not given again until released. */
static void test_full(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, true);
    struct iovec data[2], again[2];

    for (uint32_t n = 0; n < CELLS; n++) {
        g_assert_cmpint(port_queue_room(way.from, 60, data), ==, 1);
        g_assert_cmpint(port_queue_room(way.from, 60, again), ==, 1);
        g_assert_true(data[0].iov_base == again[0].iov_base);
        g_assert_cmpint(prf_push(way.from, 60, n), ==, 1);
    }
    g_assert_cmpint(port_queue_room(way.from, 60, data), ==, -EAGAIN);
    port_queue_commit(way.from);
    g_assert_cmpuint(port_queue_used(way.from), ==, CELLS);
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, 1);
    g_assert_cmpint(port_queue_room(way.from, 60, data), ==, -EAGAIN); /* pulled is not released */
    port_queue_release(way.to);
    g_assert_cmpint(port_queue_room(way.from, 2049, data), ==, -EAGAIN);
    g_assert_cmpint(port_queue_room(way.from, 2048, data), ==, 1);
    prf_free(prf);
}

/* --- Sleeping and waking ---------------------------------------------------------------------- */

static void test_arm(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);

    prf_push(way.from, 60, 0);
    g_assert_false(port_queue_commit(way.from)); /* awake */
    g_assert_true(port_queue_arm(way.to));       /* there is one already */
    port_queue_disarm(way.to);
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, 1);
    port_queue_release(way.to);
    g_assert_false(port_queue_arm(way.to));
    g_assert_false(port_queue_commit(way.from)); /* nothing new */
    prf_push(way.from, 60, 1);
    g_assert_true(port_queue_commit(way.from));
    prf_push(way.from, 60, 2);
    g_assert_false(port_queue_commit(way.from)); /* one ring is enough */
    g_assert_false(prf_rung(prf->fds.queue[0].to_switch_data));
    port_queue_ring_data(way.from);
    g_assert_true(prf_rung(prf->fds.queue[0].to_switch_data));
    prf_free(prf);
}

/* The doorbells are the queue's own. */
static void test_doorbells(void)
{
    struct prf *prf = prf_new(2, CELLS);
    const int bell[] = {prf->fds.queue[1].to_switch_data, prf->fds.queue[1].to_switch_room,
                        prf->fds.queue[1].to_worker_data, prf->fds.queue[1].to_worker_room};
    struct port_queue *const ringer[] = {&prf->worker.out[1], &prf->here.in[1], &prf->here.out[1],
                                         &prf->worker.in[1]};

    for (unsigned i = 0; i < 4; i++) {
        if (i % 2)
            port_queue_ring_room(ringer[i]);
        else
            port_queue_ring_data(ringer[i]);
        for (unsigned j = 0; j < 4; j++)
            g_assert_true(prf_rung(bell[j]) == (i == j));
    }
    prf_free(prf);
}

/* Fill, wait, and be woken when the larger of half the ring and a largest frame is free. */
static void await_room(uint32_t cells, uint32_t wake_at)
{
    struct prf *prf = prf_new(1, cells);
    struct prf_way way = prf_way_of(prf, 0, false);

    g_assert_true(port_queue_await_room(way.from)); /* empty: no need */
    for (uint32_t n = 0; n < cells; n++)
        g_assert_cmpint(prf_push(way.from, 60, n), ==, 1);
    port_queue_commit(way.from);
    g_assert_false(port_queue_await_room(way.from));
    for (uint32_t n = 1; n < wake_at; n++) {
        g_assert_cmpint(prf_pull(way.to, 60, n - 1), ==, 1);
        g_assert_false(port_queue_release(way.to));
    }
    g_assert_cmpint(prf_pull(way.to, 60, wake_at - 1), ==, 1);
    g_assert_true(port_queue_release(way.to));
    g_assert_cmpint(prf_pull(way.to, 60, wake_at), ==, 1);
    g_assert_false(port_queue_release(way.to)); /* once */
    g_assert_true(port_queue_await_room(way.from));
    g_assert_cmpint(prf_push(way.from, LIMIT_FRAME, 0), >, 0);
    prf_free(prf);
}

static void test_await_room(void)
{
    await_room(64, 33);
    await_room(128, 64);
}

static void test_await_release(void)
{
    struct prf *prf = prf_new(1, 64);
    struct prf_way way = prf_way_of(prf, 0, false);

    g_assert_true(port_queue_await_release(way.from)); /* nothing to be given back */
    for (uint32_t n = 0; n < 2; n++)
        g_assert_cmpint(prf_push(way.from, 60, n), ==, 1);
    port_queue_commit(way.from);
    g_assert_false(port_queue_await_release(way.from));
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, 1);
    g_assert_true(port_queue_release(way.to));
    g_assert_false(port_queue_await_release(way.from));
    g_assert_cmpint(prf_pull(way.to, 60, 1), ==, 1);
    g_assert_true(port_queue_release(way.to));
    g_assert_true(port_queue_await_release(way.from));
    prf_free(prf);
}

/* --- Going away and coming back --------------------------------------------------------------- */

static void come_back(struct prf *prf, enum port_ring_side side)
{
    struct port_ring *ring = side == PORT_RING_SWITCH ? &prf->here : &prf->worker;

    port_ring_unmap(ring);
    g_assert_cmpint(port_ring_map(ring, &prf->fds, side), ==, 0);
}

/* Frames that were committed are there for whoever comes, those that were not are gone. */
static void test_come_back(void)
{
    struct prf *prf = prf_new(2, CELLS);
    uint32_t n = 0;

    for (unsigned round = 0; round < 40; round++)
        for (unsigned side = 0; side < 2; side++) {
            struct prf_way way = prf_way_of(prf, 1, round % 2);

            g_assert_cmpint(prf_push(way.from, 9000, n), >, 0);
            g_assert_cmpint(prf_push(way.from, 60, n + 1), ==, 1);
            port_queue_commit(way.from);
            g_assert_cmpint(prf_push(way.from, 60, 99), ==, 1);
            come_back(prf, side ? PORT_RING_SWITCH : PORT_RING_WORKER);
            come_back(prf, side ? PORT_RING_WORKER : PORT_RING_SWITCH);
            way = prf_way_of(prf, 1, round % 2);
            g_assert_cmpint(prf_pull(way.to, 9000, n), >, 0);
            port_queue_release(way.to);
            g_assert_cmpint(prf_pull(way.to, 60, n + 1), ==, 1);
            come_back(prf, round % 2 ? PORT_RING_WORKER : PORT_RING_SWITCH);
            way = prf_way_of(prf, 1, round % 2);
            g_assert_cmpint(prf_pull(way.to, 60, n + 1), ==, 1); /* was not released */
            port_queue_release(way.to);
            g_assert_cmpint(prf_pull(way.to, 0, 0), ==, 0);
            n += 2;
        }
    prf_free(prf);
}

/* A predecessor that took a flag and died before it rang; one that died asleep. */
static void test_come_back_rings(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);

    g_assert_false(port_queue_arm(&prf->here.in[0]));
    prf_push(way.from, 60, 0);
    g_assert_true(port_queue_commit(way.from)); /* and no ring */
    g_assert_false(port_queue_arm(&prf->worker.in[0]));
    come_back(prf, PORT_RING_WORKER);
    g_assert_true(prf_rung(prf->fds.queue[0].to_switch_data));
    g_assert_true(prf_rung(prf->fds.queue[0].to_worker_room));
    g_assert_false(prf_rung(prf->fds.queue[0].to_worker_data));
    g_assert_cmpuint(prf_get(prf_queue(prf, 0, true), PRF_DATA_WANTED), ==, 0);
    prf_free(prf);
}

/* Whoever comes back does not believe the indices that it finds. */
static void test_come_back_to_lies(void)
{
    static const uint32_t heads[] = {CELLS + 1, 1u << 31, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        for (unsigned to_worker = 0; to_worker < 2; to_worker++) {
            struct prf *prf = prf_new(2, CELLS);

            prf_set(prf_queue(prf, 1, to_worker), PRF_HEAD, heads[i]);
            port_ring_unmap(&prf->here);
            g_assert_cmpint(port_ring_map(&prf->here, &prf->fds, PORT_RING_SWITCH), ==, -EPROTO);
            g_assert_null(prf->here.map);
            prf_free(prf);
        }
}

/* Indices go round at 2^32. */
static void test_indices_wrap(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, true);

    prf_set(way.shared, PRF_HEAD, UINT32_MAX - 20);
    prf_set(way.shared, PRF_TAIL, UINT32_MAX - 20);
    come_back(prf, PORT_RING_SWITCH);
    come_back(prf, PORT_RING_WORKER);
    way = prf_way_of(prf, 0, true);
    for (uint32_t n = 0; n < 60; n++) {
        g_assert_cmpint(prf_push(way.from, 4000, n), >, 0);
        port_queue_commit(way.from);
        g_assert_cmpuint(port_queue_used(way.from), ==, 2);
        g_assert_cmpint(prf_pull(way.to, 4000, n), >, 0);
        port_queue_release(way.to);
    }
    prf_free(prf);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func("/port-ring/" name, function)
    ADD("frames/sizes", test_sizes);
    ADD("frames/metadata", test_metadata);
    ADD("frames/lengths-refused", test_lengths_refused);
    ADD("frames/full", test_full);
    ADD("sleep/arm", test_arm);
    ADD("sleep/doorbells", test_doorbells);
    ADD("sleep/await-room", test_await_room);
    ADD("sleep/await-release", test_await_release);
    ADD("return/both-sides", test_come_back);
    ADD("return/rings", test_come_back_rings);
    ADD("return/lies", test_come_back_to_lies);
    ADD("return/indices-wrap", test_indices_wrap);
    return g_test_run();
}
