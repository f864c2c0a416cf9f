/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest port: several queue pairs, doorbells through a lane, a worker that lies or goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests/unit/port_drive.h"
#include "tests/unit/port_ring_fixture.h"
#include "vswitch/port_guest.h"

#define CELLS  64u
#define QUEUES 3u

/* A guest port started on a lane, and the worker's side of its ring. */
struct fixture {
    struct prf *prf;
    struct lane *lane;
    struct port_guest *guest;
    struct port *port;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->prf = prf_new(QUEUES, CELLS);
    fixture->lane = lane_new("test");
    fixture->guest = port_guest_new(&fixture->prf->fds, 1500);
    g_assert_nonnull(fixture->guest);
    fixture->port = port_guest_port(fixture->guest);
    for (unsigned i = 0; i < QUEUES; i++) { /* a new side rings once */
        g_assert_true(prf_rung(fixture->prf->fds.queue[i].to_worker_data));
        g_assert_true(prf_rung(fixture->prf->fds.queue[i].to_switch_room));
    }
    drive_start(fixture->port, fixture->lane);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    drive_stop(fixture->port);
    port_guest_free(fixture->guest);
    lane_free(fixture->lane);
    prf_free(fixture->prf);
}

/* The worker sends, as netvsp does. */
static void worker_sends(struct fixture *fixture, unsigned queue, uint32_t length, uint32_t seed)
{
    struct port_queue *out = &fixture->prf->worker.out[queue];

    g_assert_cmpint(prf_push(out, length, seed), >, 0);
    if (port_queue_commit(out))
        port_queue_ring_data(out);
}

static unsigned receive(struct fixture *fixture, struct frame *frames, unsigned max)
{
    unsigned count = fixture->port->class->receive(fixture->port, frames, max);

    g_assert_cmpuint(count, <=, max);
    return count;
}

/* Nothing is there, and the port has gone to sleep. */
static void drain(struct fixture *fixture)
{
    struct frame frames[PORT_BURST];

    while (lane_turn(fixture->lane, 0))
        ;
    do {
        fixture->port->core->ready = false;
        receive(fixture, frames, PORT_BURST);
        fixture->port->class->done(fixture->port);
    } while (fixture->port->core->ready);
}

/* --- From the guest --------------------------------------------------------------------------- */

static void test_receive(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    g_assert_true(fixture->port->core->ready); /* there may be frames from before */
    drain(fixture);
    for (uint32_t n = 0; n < 300; n++) {
        unsigned queue = n % QUEUES;
        uint32_t length = 14 + n * 211 % 60000;

        worker_sends(fixture, queue, length, n);
        g_assert_true(lane_turn(fixture->lane, 0)); /* it slept, and was woken */
        g_assert_true(fixture->port->core->ready);
        fixture->port->core->ready = false;
        g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 1);
        g_assert_cmpuint(frames[0].meta.length, ==, length);
        g_assert_cmpuint(frames[0].meta.hash, ==, n);
        for (uint32_t at = 0; at < length; at += 97) {
            uint8_t byte;

            g_assert_true(frame_read(&frames[0], at, &byte, 1));
            g_assert_cmpuint(byte, ==, (uint8_t)(n + at));
        }
        fixture->port->class->done(fixture->port);
        g_assert_cmpuint(port_queue_used(&fixture->prf->worker.out[queue]), ==, 0);
        drain(fixture);
    }
    g_assert_cmpuint(fixture->port->core->failures, ==, 0);
}

/* While the port is being received from, nobody rings. */
static void test_awake(struct fixture *fixture, gconstpointer data)
{
    struct port_queue *out = fixture->prf->worker.out;
    struct frame frames[4];

    (void)data;
    drain(fixture);
    for (unsigned n = 0; n < 6; n++)
        worker_sends(fixture, n % QUEUES, 60, n);
    while (lane_turn(fixture->lane, 0))
        ;
    g_assert_cmpuint(receive(fixture, frames, 4), ==, 4); /* full: there may be more */
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        g_assert_cmpint(prf_push(&out[queue], 60, 0), ==, 1);
        g_assert_false(port_queue_commit(&out[queue]));
    }
    g_assert_cmpuint(receive(fixture, frames, 4), ==, 4);
    fixture->port->core->ready = false;
    g_assert_cmpuint(receive(fixture, frames, 4), ==, 1); /* not full: but only an empty turn ... */
    g_assert_true(fixture->port->core->ready);
    fixture->port->core->ready = false;
    g_assert_cmpuint(receive(fixture, frames, 4), ==, 0); /* ... puts it to sleep, on every queue */
    g_assert_false(fixture->port->core->ready);
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        g_assert_cmpint(prf_push(&out[queue], 60, 0), ==, 1);
        g_assert_true(port_queue_commit(&out[queue]));
    }
}

/* After a bulk the port looks again for a while, without sleeping, and then sleeps. */
static void test_lingers(struct fixture *fixture, gconstpointer data)
{
    struct port_queue *out = fixture->prf->worker.out;
    struct frame frames[PORT_BURST];
    gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

    (void)data;
    drain(fixture);
    for (unsigned n = 0; n < PORT_BURST; n++)
        worker_sends(fixture, n % QUEUES, 60, n);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, PORT_BURST);
    fixture->port->class->done(fixture->port);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
    g_assert_cmpint(prf_push(&out[0], 60, 0), ==, 1);
    g_assert_false(port_queue_commit(&out[0])); /* still awake */
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 1);
    do {
        fixture->port->core->ready = false;
        g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    } while (fixture->port->core->ready);
    g_assert_cmpint(prf_push(&out[0], 60, 0), ==, 1);
    g_assert_true(port_queue_commit(&out[0]));
}

/* A queue that is full does not hold up one that has a little. */
static void test_fair(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[32];
    unsigned seen = 0;

    (void)data;
    for (uint32_t n = 0; n < CELLS; n++)
        worker_sends(fixture, 0, 60, 1000 + n);
    worker_sends(fixture, 1, 60, 1);
    worker_sends(fixture, 2, 60, 2);
    g_assert_cmpuint(receive(fixture, frames, 32), ==, 32);
    for (unsigned i = 0; i < 32; i++)
        seen += frames[i].meta.hash < 1000;
    g_assert_cmpuint(seen, ==, 2);
}

/* A worker that waits for room is woken when its frames are dealt with. */
static void test_room(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    for (uint32_t n = 0; n < CELLS; n++)
        worker_sends(fixture, 1, 60, n);
    g_assert_false(port_queue_await_room(&fixture->prf->worker.out[1]));
    g_assert_false(prf_rung(fixture->prf->fds.queue[1].to_switch_room));
    drain(fixture);
    g_assert_true(prf_rung(fixture->prf->fds.queue[1].to_switch_room));
}

/* --- To the guest ----------------------------------------------------------------------------- */

static bool send_frame(struct fixture *fixture, uint32_t hash, uint32_t length)
{
    g_autofree uint8_t *bytes = g_malloc0(length);
    struct frame_meta meta = {.hash = hash};

    bytes[0] = (uint8_t)hash;
    return drive_send(fixture->port, bytes, length, &meta);
}

static void test_transmit(struct fixture *fixture, gconstpointer data)
{
    struct frame_meta meta;
    struct iovec pieces[2];

    (void)data;
    for (unsigned queue = 0; queue < QUEUES; queue++)
        g_assert_false(port_queue_arm(&fixture->prf->worker.in[queue]));
    for (uint32_t hash = 1; hash <= 30; hash++)
        g_assert_true(send_frame(fixture, hash, 14 + hash));
    for (unsigned queue = 0; queue < QUEUES; queue++) {
        g_assert_true(prf_rung(fixture->prf->fds.queue[queue].to_worker_data));
        for (uint32_t hash = queue ? queue : QUEUES; hash <= 30; hash += QUEUES) {
            g_assert_cmpint(port_queue_pull(&fixture->prf->worker.in[queue], &meta, pieces), ==, 1);
            g_assert_cmpuint(meta.hash, ==, hash);
            g_assert_cmpuint(meta.length, ==, 14 + hash);
            g_assert_cmpuint(*(const uint8_t *)pieces[0].iov_base, ==, hash);
        }
        g_assert_cmpint(port_queue_pull(&fixture->prf->worker.in[queue], &meta, pieces), ==, 0);
    }
}

/* Without a hash the bytes decide, and one flow stays in one queue. */
static void test_transmit_without_hash(struct fixture *fixture, gconstpointer data)
{
    uint8_t bytes[64] = {[12] = 0x08, [14] = 0x45, [23] = 17, [26] = 10};
    unsigned used[QUEUES] = {0};

    (void)data;
    for (unsigned port = 0; port < 60; port++)
        for (unsigned n = 0; n < 2; n++) {
            uint32_t before[QUEUES];
            unsigned queue = frame_hash((bytes[35] = (uint8_t)port, bytes), 64) % QUEUES;

            for (unsigned i = 0; i < QUEUES; i++)
                before[i] = port_queue_used(&fixture->prf->worker.in[i]);
            g_assert_true(drive_send(fixture->port, bytes, 64, NULL));
            for (unsigned i = 0; i < QUEUES; i++)
                g_assert_cmpuint(port_queue_used(&fixture->prf->worker.in[i]), ==,
                                 before[i] + (i == queue));
            used[queue]++;
        }
    for (unsigned i = 0; i < QUEUES; i++)
        g_assert_cmpuint(used[i], >, 20);
}

/* A guest that reads nothing: what does not fit is not taken, and other queues go on. */
static void test_never_reads(struct fixture *fixture, gconstpointer data)
{
    unsigned taken = 0;

    (void)data;
    for (unsigned n = 0; n < 10 * CELLS; n++)
        taken += send_frame(fixture, 2 * QUEUES, 60);
    g_assert_cmpuint(taken, ==, CELLS);
    g_assert_true(send_frame(fixture, QUEUES + 1, 60));
    g_assert_cmpuint(fixture->port->core->failures, ==, 0);
    /* Its NIC is told how many it missed, once. */
    fixture->port->class->missed(fixture->port, 9 * CELLS);
    g_assert_cmpuint(port_queue_take_missed(&fixture->prf->worker.in[0]), ==, 9 * CELLS);
    g_assert_cmpuint(port_queue_take_missed(&fixture->prf->worker.in[0]), ==, 0);
}

/* More broadcasts than the guest reads: what is for it alone still gets through. */
static void test_storm(struct fixture *fixture, gconstpointer data)
{
    unsigned taken = 0;

    (void)data;
    for (unsigned n = 0; n < 10 * CELLS; n++)
        taken += send_frame(fixture, QUEUES, 60);
    g_assert_cmpuint(taken, ==, CELLS / 2);
    for (unsigned n = 0; n < CELLS / 2; n++)
        g_assert_true(send_frame(fixture, 2 * QUEUES, 60));
    g_assert_false(send_frame(fixture, 2 * QUEUES, 60));
}

/* --- Workers that lie, flood, or go ----------------------------------------------------------- */

static void assert_failed(struct fixture *fixture)
{
    struct frame frames[PORT_BURST];

    g_assert_cmpuint(fixture->port->core->failures, ==, 1);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
    fixture->port->core->ready = false;
    port_queue_ring_data(&fixture->prf->worker.out[0]);
    lane_turn(fixture->lane, 0);
    g_assert_false(fixture->port->core->ready); /* nobody listens any more */
    g_assert_cmpuint(fixture->port->core->failures, ==, 1);
}

static void test_bad_descriptor(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    worker_sends(fixture, 2, 60, 0);
    memset(prf_descriptor(prf_queue(fixture->prf, 2, false), 0), 0xff, 4);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
    assert_failed(fixture);
}

static void test_bad_head(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    prf_set(prf_queue(fixture->prf, 1, false), PRF_HEAD, CELLS + 1);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
    assert_failed(fixture);
}

/* Found while sending, on whatever thread: told on the port's own lane. */
static void test_bad_tail(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    drain(fixture);
    for (unsigned n = 0; n < CELLS; n++)
        g_assert_true(send_frame(fixture, 2 * QUEUES, 60));
    prf_set(prf_queue(fixture->prf, 0, true), PRF_TAIL, CELLS + 1);
    g_assert_false(send_frame(fixture, 2 * QUEUES, 60));
    g_assert_false(send_frame(fixture, 2 * QUEUES, 60));
    g_assert_cmpuint(fixture->port->core->failures, ==, 0);
    g_assert_true(lane_turn(fixture->lane, 0));
    g_assert_true(fixture->port->core->ready);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
    assert_failed(fixture);
}

/* Doorbells without frames, full to the brim. */
static void test_bell_flood(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    drain(fixture);
    for (unsigned n = 0; n < 100; n++) {
        eventfd_write(fixture->prf->fds.queue[n % QUEUES].to_switch_data, UINT64_MAX - 1);
        g_assert_true(lane_turn(fixture->lane, 0));
        g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 0);
        fixture->port->core->ready = false;
        g_assert_false(lane_turn(fixture->lane, 0));
    }
    g_assert_cmpuint(fixture->port->core->failures, ==, 0);
}

/* The worker's side goes and comes; so does the switch's. */
static void test_come_back(struct fixture *fixture, gconstpointer data)
{
    struct frame frames[PORT_BURST];

    (void)data;
    drain(fixture);
    worker_sends(fixture, 1, 60, 5);
    port_ring_unmap(&fixture->prf->worker);
    drive_stop(fixture->port);
    port_guest_free(fixture->guest);
    g_assert_cmpint(port_ring_map(&fixture->prf->worker, &fixture->prf->fds, PORT_RING_WORKER), ==,
                    0);
    fixture->guest = port_guest_new(&fixture->prf->fds, 1500);
    fixture->port = port_guest_port(fixture->guest);
    drive_start(fixture->port, fixture->lane);
    g_assert_true(fixture->port->core->ready);
    g_assert_cmpuint(receive(fixture, frames, PORT_BURST), ==, 1);
    g_assert_cmpuint(frames[0].meta.hash, ==, 5);
    g_assert_true(send_frame(fixture, 1, 60));
    g_assert_cmpuint(port_queue_used(&fixture->prf->worker.in[1]), ==, 1);
}

static void test_new_refused(void)
{
    static const uint32_t header[PRF_HEADER_WORDS] = {0x676e6952, 2, 2048, 1, CELLS, 0};
    struct port_ring_fds fds = {.memory = -1};

    g_assert_null(port_guest_new(&fds, 1500));
    g_assert_cmpint(errno, ==, EBADF);
    fds.memory = prf_memory(header, prf_size(1, CELLS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    g_assert_null(port_guest_new(&fds, 1500));
    g_assert_cmpint(errno, ==, EPROTONOSUPPORT);
    fds.queue[0].to_switch_data = fds.queue[0].to_switch_room = -1;
    fds.queue[0].to_worker_data = fds.queue[0].to_worker_room = -1;
    port_ring_close(&fds, 1);
    port_guest_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
    g_test_add("/port-guest/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("receive", test_receive);
    ADD("awake", test_awake);
    ADD("lingers", test_lingers);
    ADD("fair", test_fair);
    ADD("room", test_room);
    ADD("transmit", test_transmit);
    ADD("transmit-without-hash", test_transmit_without_hash);
    ADD("attack/never-reads", test_never_reads);
    ADD("attack/storm", test_storm);
    ADD("attack/bad-descriptor", test_bad_descriptor);
    ADD("attack/bad-head", test_bad_head);
    ADD("attack/bad-tail", test_bad_tail);
    ADD("attack/bell-flood", test_bell_flood);
    ADD("come-back", test_come_back);
    g_test_add_func("/port-guest/new-refused", test_new_refused);
    return g_test_run();
}
