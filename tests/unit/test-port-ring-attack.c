/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port ring against a hostile peer: what it hands over as a ring, and what it writes into one.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/port_ring_fixture.h"

#define CELLS     64u
#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* --- The memfd -------------------------------------------------------------------------------- */

static void test_create_refused(void)
{
    static const struct port_ring_geometry bad[] = {
        {0, 64},          {LIMIT_PORT_QUEUES + 1, 64},
        {UINT32_MAX, 64}, {1, 0},
        {1, 1},           {1, 32},
        {1, 63},          {1, 96},
        {1, 16384},       {1, 1u << 31},
    };
    struct port_ring_fds fds;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(port_ring_create(&bad[i], &fds), ==, -EINVAL);
}

static void test_largest(void)
{
    struct prf *prf = prf_new(LIMIT_PORT_QUEUES, LIMIT_PORT_CELLS_MAX);

    for (uint32_t pair = 0; pair < LIMIT_PORT_QUEUES; pair++) {
        struct prf_way way = prf_way_of(prf, pair, pair % 2);
        g_assert_cmpint(prf_push(way.from, 5000, pair), ==, 1);
        port_queue_commit(way.from);
        g_assert_cmpint(prf_pull(way.to, 5000, pair), ==, 1);
    }
    prf_free(prf);
}

static int map_fd(int memory)
{
    struct port_ring_fds fds = {.memory = memory};
    struct port_ring ring;
    int error;

    memset(&fds.queue, 0xff, sizeof(fds.queue)); /* a failure rings nothing */
    error = port_ring_map(&ring, &fds, PORT_RING_WORKER);
    if (error)
        g_assert_null(ring.map);
    else
        port_ring_unmap(&ring);
    return error;
}

/* What port_ring_map() says to a memfd that begins with these words. */
static int map_header(uint32_t which, uint32_t value)
{
    uint32_t header[PRF_HEADER_WORDS] = {0x676e6952, 1, 2048, 1, CELLS, 0};

    header[which] = value;
    int fd = prf_memory(header, prf_size(1, CELLS), ALL_SEALS);
    int error = map_fd(fd);
    close(fd);
    return error;
}

static void test_header(void)
{
    g_assert_cmpint(map_header(PRF_FEATURES, 0), ==, 0);
    g_assert_cmpint(map_header(PRF_MAGIC, 0), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_CELL, 0), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_CELL, 4096), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_FEATURES, 1), ==, -EPROTO);
}

static void test_version(void)
{
    g_assert_cmpint(map_header(PRF_VERSION, 2), ==, -EPROTONOSUPPORT);
    g_assert_cmpint(map_header(PRF_VERSION, UINT32_MAX), ==, -EPROTONOSUPPORT);
    g_assert_cmpint(map_header(PRF_VERSION, 0), ==, -EPROTO);
}

static void test_geometry_zero(void)
{
    g_assert_cmpint(map_header(PRF_QUEUES, 0), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_CELLS, 0), ==, -EPROTO);
}

static void test_geometry_no_power_of_two(void)
{
    g_assert_cmpint(map_header(PRF_CELLS, 63), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_CELLS, 96), ==, -EPROTO);
}

static void test_geometry_too_large(void)
{
    g_assert_cmpint(map_header(PRF_CELLS, 128), ==, -EBADF);
    g_assert_cmpint(map_header(PRF_QUEUES, 2), ==, -EBADF);
    g_assert_cmpint(map_header(PRF_CELLS, LIMIT_PORT_CELLS_MAX), ==, -EBADF);
    g_assert_cmpint(map_header(PRF_CELLS, LIMIT_PORT_CELLS_MAX * 2), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_CELLS, 1u << 31), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_QUEUES, LIMIT_PORT_QUEUES + 1), ==, -EPROTO);
    g_assert_cmpint(map_header(PRF_QUEUES, UINT32_MAX), ==, -EPROTO);
}

static void test_unsealed(void)
{
    static const uint32_t header[] = {0x676e6952, 1, 2048, 1, CELLS, 0};
    static const int seals[] = {0,
                                F_SEAL_SHRINK,
                                F_SEAL_GROW,
                                F_SEAL_SHRINK | F_SEAL_GROW,
                                F_SEAL_GROW | F_SEAL_SEAL,
                                F_SEAL_SHRINK | F_SEAL_SEAL};

    for (size_t i = 0; i < G_N_ELEMENTS(seals); i++) {
        int fd = prf_memory(header, prf_size(1, CELLS), seals[i]);
        g_assert_cmpint(map_fd(fd), ==, -EBADF);
        close(fd);
    }
}

/* Sealed against writing, or open for reading only. */
static void test_not_writable(void)
{
    static const uint32_t header[] = {0x676e6952, 1, 2048, 1, CELLS, 0};
    int fd = prf_memory(header, prf_size(1, CELLS), ALL_SEALS | F_SEAL_WRITE);
    g_autofree char *path = NULL;

    g_assert_cmpint(map_fd(fd), ==, -EBADF);
    close(fd);
    fd = prf_memory(header, prf_size(1, CELLS), ALL_SEALS);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    int readonly = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(readonly, >=, 0);
    g_assert_cmpint(map_fd(readonly), ==, -EBADF);
    close(readonly);
    close(fd);
}

static void test_truncated(void)
{
    static const uint32_t header[] = {0x676e6952, 1, 2048, 1, CELLS, 0};
    const uint64_t whole = prf_size(1, CELLS);
    const uint64_t sizes[] = {0, 1, 24, 4095, 4096, whole - 4096, whole - 1, whole + 1, 1ull << 40};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        int fd = prf_memory(header, sizes[i], ALL_SEALS);
        g_assert_cmpint(map_fd(fd), ==, -EBADF);
        close(fd);
    }
}

/* Who has the descriptor cannot take memory away from under the other side. */
static void test_truncate_later(void)
{
    struct prf *prf = prf_new(1, CELLS);

    g_assert_cmpint(ftruncate(prf->fds.memory, 0), ==, -1);
    g_assert_cmpint(ftruncate(prf->fds.memory, 1 << 30), ==, -1);
    g_assert_cmpint(fcntl(prf->fds.memory, F_ADD_SEALS, F_SEAL_WRITE), ==, -1);
    prf_free(prf);
}

/* Punching holes is not forbidden by those seals: it writes zeros, which are a lie as any other. */
static void test_hole_punched(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);

    g_assert_cmpint(prf_push(way.from, 60, 0), ==, 1);
    port_queue_commit(way.from);
    g_assert_cmpint(fallocate(prf->fds.memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                              (off_t)prf_size(1, CELLS)),
                    ==, 0);
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, 0);
    prf_set(way.shared, PRF_HEAD, 1);
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, -EPROTO); /* descriptor of zeros */
    prf_free(prf);
}

static void test_no_memfd(void)
{
    int event = eventfd(0, EFD_CLOEXEC), null = open("/dev/zero", O_RDWR | O_CLOEXEC);

    g_assert_cmpint(map_fd(-1), ==, -EBADF);
    g_assert_cmpint(map_fd(event), ==, -EBADF);
    g_assert_cmpint(map_fd(null), ==, -EBADF);
    close(event);
    close(null);
}

/* --- A peer that lies ------------------------------------------------------------------------- */

/* Once broken, always broken, whatever the peer writes then. */
static void consumer_broken(struct prf_way *way)
{
    g_assert_cmpint(prf_pull(way->to, 0, 0), ==, -EPROTO);
    prf_set(way->shared, PRF_HEAD, way->to->published);
    g_assert_cmpint(prf_pull(way->to, 0, 0), ==, -EPROTO);
    g_assert_false(port_queue_release(way->to));
    g_assert_true(port_queue_arm(way->to));
}

static void producer_broken(struct prf_way *way)
{
    struct iovec data[2];

    g_assert_cmpint(port_queue_room(way->from, LIMIT_FRAME, data), ==, -EPROTO);
    prf_set(way->shared, PRF_TAIL, way->from->published);
    g_assert_cmpint(port_queue_room(way->from, 60, data), ==, -EPROTO);
    g_assert_false(port_queue_commit(way->from));
    g_assert_true(port_queue_await_room(way->from));
}

/* `offset` from where the honest index is, with `used` cells in the queue. */
static void bad_head(uint32_t used, uint32_t offset)
{
    for (unsigned to_worker = 0; to_worker < 2; to_worker++) {
        struct prf *prf = prf_new(1, CELLS);
        struct prf_way way = prf_way_of(prf, 0, to_worker);

        for (uint32_t n = 0; n < used; n++)
            prf_push(way.from, 60, n);
        port_queue_commit(way.from);
        for (uint32_t n = 0; n < used; n++)
            g_assert_cmpint(prf_pull(way.to, 60, n), ==, 1);
        prf_set(way.shared, PRF_HEAD, used + offset);
        consumer_broken(&way);
        prf_free(prf);
    }
}

static void test_head_beyond(void)
{
    bad_head(0, CELLS + 1);
    bad_head(0, 1u << 31);
    bad_head(10, CELLS + 1 - 10); /* nothing has been released */
}

static void test_head_moved_back(void)
{
    bad_head(0, UINT32_MAX);
    bad_head(10, UINT32_MAX);
    bad_head(10, UINT32_MAX - 9);
}

/* The whole ring at once is honest. */
static void test_head_at_end(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);

    for (uint32_t n = 0; n < CELLS; n++)
        prf_push(way.from, 60, n);
    port_queue_commit(way.from);
    for (uint32_t n = 0; n < CELLS; n++)
        g_assert_cmpint(prf_pull(way.to, 60, n), ==, 1);
    g_assert_cmpint(prf_pull(way.to, 60, 0), ==, 0);
    prf_free(prf);
}

/* Ten cells are produced and five consumed; then the tail is put where it cannot be. */
static void bad_tail(uint32_t tail)
{
    for (unsigned to_worker = 0; to_worker < 2; to_worker++) {
        struct prf *prf = prf_new(1, CELLS);
        struct prf_way way = prf_way_of(prf, 0, to_worker);
        struct iovec data[2];

        for (uint32_t n = 0; n < 10; n++)
            prf_push(way.from, 60, n);
        port_queue_commit(way.from);
        prf_set(way.shared, PRF_TAIL, 5);
        for (uint32_t n = 0; n < CELLS - 5; n++)
            prf_push(way.from, 60, n); /* the last of them looks at the tail */
        g_assert_cmpint(port_queue_room(way.from, 60, data), ==, -EAGAIN);
        prf_set(way.shared, PRF_TAIL, tail);
        producer_broken(&way);
        prf_free(prf);
    }
}

static void test_tail_beyond(void)
{
    bad_tail(11); /* pushed, but not published */
    bad_tail(CELLS);
    bad_tail(1u << 31);
}

static void test_tail_moved_back(void)
{
    bad_tail(4);
    bad_tail(0);
    bad_tail(UINT32_MAX);
}

static void test_await_room_of_liar(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);

    while (prf_push(way.from, 60, 0) > 0)
        ;
    port_queue_commit(way.from);
    prf_set(way.shared, PRF_TAIL, CELLS + 1);
    g_assert_true(port_queue_await_room(way.from));
    producer_broken(&way);
    prf_free(prf);
}

/* Three cells are produced, the first descriptor says what `meta` says. */
static void bad_descriptor(const struct frame_meta *meta, unsigned tail_byte)
{
    for (unsigned to_worker = 0; to_worker < 2; to_worker++) {
        struct prf *prf = prf_new(1, CELLS);
        struct prf_way way = prf_way_of(prf, 0, to_worker);
        uint8_t *descriptor = prf_descriptor(way.shared, 0);

        prf_push(way.from, 3 * 2048, 0);
        port_queue_commit(way.from);
        memcpy(descriptor, meta, sizeof(*meta));
        if (tail_byte)
            descriptor[tail_byte] = 1;
        consumer_broken(&way);
        prf_free(prf);
    }
}

static void test_descriptor_length(void)
{
    static const uint32_t lengths[] = {
        0, 1, 13, LIMIT_FRAME + 1, 1u << 31, UINT32_MAX - 2046, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        bad_descriptor(&(struct frame_meta){.length = lengths[i]}, 0);
}

static void test_descriptor_longer_than_produced(void)
{
    bad_descriptor(&(struct frame_meta){.length = 3 * 2048 + 1}, 0);
    bad_descriptor(&(struct frame_meta){.length = LIMIT_FRAME}, 0);
}

static void test_descriptor_gso_size(void)
{
    struct frame_meta meta = {.length = 4000,
                              .csum_start = 34,
                              .csum_offset = 16,
                              .header = 54,
                              .gso = FRAME_GSO_TCPV4,
                              .flags = FRAME_CSUM_PARTIAL};

    bad_descriptor(&meta, 0);
    meta.gso_size = 7;
    bad_descriptor(&meta, 0);
}

static void test_descriptor_checksum(void)
{
    bad_descriptor(
        &(struct frame_meta){
            .length = 60, .csum_start = 50, .csum_offset = 9, .flags = FRAME_CSUM_PARTIAL},
        0);
    bad_descriptor(&(struct frame_meta){.length = 60,
                                        .csum_start = UINT16_MAX,
                                        .csum_offset = UINT16_MAX,
                                        .flags = FRAME_CSUM_PARTIAL},
                   0);
}

static void test_descriptor_reserved(void)
{
    for (unsigned i = 20; i < 32; i++)
        bad_descriptor(&(struct frame_meta){.length = 60}, i);
}

/* A peer that reads nothing costs no more than the ring. */
static void test_never_reads(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, true);
    unsigned rings = 0, sent = 0;

    prf_set(way.shared, PRF_DATA_WANTED, 1);
    for (unsigned n = 0; n < 100000; n++) {
        sent += prf_push(way.from, 1514, n) > 0;
        rings += port_queue_commit(way.from);
    }
    g_assert_cmpuint(sent, ==, CELLS);
    g_assert_cmpuint(rings, ==, 1);
    prf_free(prf);
}

/* Who fills a doorbell up stops nobody. */
static void test_doorbell_full(void)
{
    static const uint64_t most = UINT64_MAX - 1;
    struct prf *prf = prf_new(1, CELLS);

    g_assert_cmpint(write(prf->fds.queue[0].to_worker_data, &most, 8), ==, 8);
    port_queue_ring_data(&prf->here.out[0]);
    g_assert_true(prf_rung(prf->fds.queue[0].to_worker_data));
    prf_free(prf);
}

/* --- A peer that writes while we read --------------------------------------------------------- */

struct racer {
    uint8_t *descriptor;
    atomic_bool stop;
};

/* Between a good descriptor of one cell, one of three, and bad ones. */
static void *race(void *context)
{
    static const uint32_t lengths[] = {60, 5000, LIMIT_FRAME, 0};
    struct racer *racer = context;

    for (unsigned n = 0; !atomic_load(&racer->stop); n++)
        __atomic_store_n((uint32_t *)(void *)racer->descriptor, lengths[n % 4], __ATOMIC_RELAXED);
    return NULL;
}

/* A fresh start for the switch's side: three cells produced, none consumed. 0 refused, 1 the short
 * frame, 2 the long one. */
static unsigned pull_in_race(struct prf *prf, uint8_t *shared)
{
    struct frame_meta meta;
    struct iovec data[2];

    prf_set(shared, PRF_HEAD, 0);
    port_ring_unmap(&prf->here);
    g_assert_cmpint(port_ring_map(&prf->here, &prf->fds, PORT_RING_SWITCH), ==, 0);
    prf_set(shared, PRF_HEAD, 3);
    int got = port_queue_pull(&prf->here.in[0], &meta, data);
    g_assert_true(got == 1 || got == -EPROTO);
    if (got < 0)
        return 0;
    g_assert_true(meta.length == 60 || meta.length == 5000);
    g_assert_cmpuint(data[0].iov_len, ==, meta.length);
    g_assert_cmpuint(prf->here.in[0].index, ==, meta.length == 60 ? 1 : 3);
    return meta.length == 60 ? 1 : 2;
}

static void test_rewritten(void)
{
    struct prf *prf = prf_new(1, CELLS);
    uint8_t *shared = prf_queue(prf, 0, false);
    struct racer racer = {.descriptor = prf_descriptor(shared, 0)};
    unsigned seen[3] = {0};
    pthread_t thread;

    g_assert_cmpint(pthread_create(&thread, NULL, race, &racer), ==, 0);
    /* On one core the racer must get its turn. */
    for (unsigned n = 0; n < 20000 || (n < 1000000 && !(seen[0] && seen[1] && seen[2])); n++)
        seen[pull_in_race(prf, shared)]++;
    atomic_store(&racer.stop, true);
    pthread_join(thread, NULL);
    g_test_message("refused %u, short %u, long %u", seen[0], seen[1], seen[2]);
    g_assert_true(seen[0] && seen[1] && seen[2]);
    prf_free(prf);
}

/* Pulled metadata is a copy. */
static void test_rewritten_after(void)
{
    struct prf *prf = prf_new(1, CELLS);
    struct prf_way way = prf_way_of(prf, 0, false);
    struct frame_meta meta;
    struct iovec data[2];

    prf_push(way.from, 60, 7);
    prf_push(way.from, 60, 8);
    port_queue_commit(way.from);
    g_assert_cmpint(port_queue_pull(way.to, &meta, data), ==, 1);
    memset(prf_descriptor(way.shared, 0), 0xff, 32);
    g_assert_cmpuint(meta.length, ==, 60);
    g_assert_cmpint(prf_pull(way.to, 60, 8), ==, 1); /* where the next one is was decided, too */
    g_assert_false(port_queue_release(way.to));
    g_assert_cmpuint(prf_get(way.shared, PRF_TAIL), ==, 2);
    prf_free(prf);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func("/port-ring/" name, function)
    ADD("memory/create-refused", test_create_refused);
    ADD("memory/largest", test_largest);
    ADD("memory/header", test_header);
    ADD("memory/version", test_version);
    ADD("memory/geometry-zero", test_geometry_zero);
    ADD("memory/geometry-no-power-of-two", test_geometry_no_power_of_two);
    ADD("memory/geometry-too-large", test_geometry_too_large);
    ADD("memory/unsealed", test_unsealed);
    ADD("memory/not-writable", test_not_writable);
    ADD("memory/truncated", test_truncated);
    ADD("memory/truncate-later", test_truncate_later);
    ADD("memory/hole-punched", test_hole_punched);
    ADD("memory/no-memfd", test_no_memfd);
    ADD("attack/head-beyond", test_head_beyond);
    ADD("attack/head-moved-back", test_head_moved_back);
    ADD("attack/head-at-end", test_head_at_end);
    ADD("attack/tail-beyond", test_tail_beyond);
    ADD("attack/tail-moved-back", test_tail_moved_back);
    ADD("attack/await-room-of-liar", test_await_room_of_liar);
    ADD("attack/descriptor-length", test_descriptor_length);
    ADD("attack/descriptor-longer-than-produced", test_descriptor_longer_than_produced);
    ADD("attack/descriptor-gso-size", test_descriptor_gso_size);
    ADD("attack/descriptor-checksum", test_descriptor_checksum);
    ADD("attack/descriptor-reserved", test_descriptor_reserved);
    ADD("attack/never-reads", test_never_reads);
    ADD("attack/doorbell-full", test_doorbell_full);
    ADD("attack/rewritten", test_rewritten);
    ADD("attack/rewritten-after", test_rewritten_after);
    return g_test_run();
}
