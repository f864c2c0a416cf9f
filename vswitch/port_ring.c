/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port ring, both sides: see port_ring.h.
 *
 * Layout: a header page; then for each pair its queue to the switch and its queue to the worker,
 * each of them an area of whole pages (lines, descriptors) followed by its cells. Indices run free:
 * cell = index modulo cells.
 *
 * Why no wake-up is lost. A sleeper stores its flag and then reads the other side's index; the
 * other side stores its index and then reads the flag. With acquire and release alone each load may
 * overtake the store before it, both sides see the old value, and the sleeper sleeps on. These four
 * accesses are sequentially consistent, so in their single order one of the stores comes first, and
 * whoever stored second sees the other's. Who finds the flag takes it by an exchange and owes one
 * ring of the doorbell: a burst of commits costs one write.
 *
 * A side that dies may owe a ring, or leave its own flag behind; so port_ring_map() takes back the
 * flags of its side and rings every doorbell that is its to ring. A spurious ring costs one look.
 */
#include "vswitch/port_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PORT_RING_MAGIC 0x676e6952u /* "Ring" */
#define PORT_RING_PAGE  4096u
#define PORT_RING_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define LINE            128u /* a cache line, and the one that prefetchers fetch with it */

#define FRAME_CELLS ((LIMIT_FRAME + PORT_RING_CELL - 1) / PORT_RING_CELL) /* of the largest */

_Static_assert(LIMIT_PORT_CELLS_MIN >= FRAME_CELLS, "the largest frame fits in every ring");
_Static_assert(LIMIT_PORT_CELLS_MIN *PORT_RING_CELL % PORT_RING_PAGE == 0,
               "a queue is whole pages");
_Static_assert(LIMIT_PORT_CELLS_MAX <= 1u << 31, "distances of free-running indices are exact");

/* The first page. Written once, before the worker has it. */
struct port_ring_header {
    uint32_t magic;
    uint32_t version;
    uint32_t cell; /* bytes: PORT_RING_CELL */
    uint32_t queues;
    uint32_t cells;
    uint32_t features; /* none yet: 0 */
};
_Static_assert(sizeof(struct port_ring_header) == 24, "shared format");

/* What each side writes of a queue lies in lines of its own. */
struct port_ring_lines {
    alignas(LINE) _Atomic uint32_t head; /* the producer's index */
    _Atomic uint32_t room_wanted;        /* the producer sleeps */
    _Atomic uint32_t missed;             /* frames that it had to drop, running free */
    alignas(LINE) _Atomic uint32_t tail; /* the consumer's index */
    _Atomic uint32_t data_wanted;        /* the consumer sleeps */
};
_Static_assert(sizeof(struct port_ring_lines) == 2 * LINE, "shared format");
_Static_assert(offsetof(struct port_ring_lines, tail) == LINE, "shared format");
_Static_assert(sizeof(_Atomic uint32_t) == 4 && ATOMIC_INT_LOCK_FREE == 2, "shared with a process");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "the same");

/* struct frame_meta, then 8 bytes of zero. As words, so that a copy reads each byte once. */
#define DESCRIPTOR_WORDS 4u

struct port_ring_descriptor {
    _Atomic uint64_t word[DESCRIPTOR_WORDS];
};
_Static_assert(sizeof(struct port_ring_descriptor) == 32, "shared format");

union descriptor_copy {
    struct {
        struct frame_meta meta;
        uint64_t reserved;
    };
    uint64_t word[DESCRIPTOR_WORDS];
};
_Static_assert(sizeof(union descriptor_copy) == sizeof(struct port_ring_descriptor), "one format");

/* --- Layout ----------------------------------------------------------------------------------- */

/* Bytes of a queue's lines and descriptors. */
static size_t control_bytes(uint32_t cells)
{
    size_t bytes = sizeof(struct port_ring_lines) + cells * sizeof(struct port_ring_descriptor);

    return (bytes + PORT_RING_PAGE - 1) & ~(size_t)(PORT_RING_PAGE - 1);
}

static size_t queue_bytes(uint32_t cells)
{
    return control_bytes(cells) + (size_t)cells * PORT_RING_CELL;
}

static size_t ring_bytes(const struct port_ring_geometry *geometry)
{
    return PORT_RING_PAGE + (size_t)geometry->queues * 2 * queue_bytes(geometry->cells);
}

static bool geometry_valid(const struct port_ring_geometry *geometry)
{
    return geometry->queues >= 1 && geometry->queues <= LIMIT_PORT_QUEUES &&
           geometry->cells >= LIMIT_PORT_CELLS_MIN && geometry->cells <= LIMIT_PORT_CELLS_MAX &&
           (geometry->cells & (geometry->cells - 1)) == 0;
}

/* --- Making ----------------------------------------------------------------------------------- */

static int make_memory(const struct port_ring_geometry *geometry)
{
    struct port_ring_header header = {.magic = PORT_RING_MAGIC,
                                      .version = PORT_RING_VERSION,
                                      .cell = PORT_RING_CELL,
                                      .queues = geometry->queues,
                                      .cells = geometry->cells};
    int fd = memfd_create("vmbusd-port", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)ring_bytes(geometry)) == 0 &&
        pwrite(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
        fcntl(fd, F_ADD_SEALS, PORT_RING_SEALS) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* Non-blocking is a property of the eventfd, not of a process: the worker's sandbox must not let it
 * be taken away (no F_SETFL), or a full counter would stop the switch. */
static int make_doorbell(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

static int make_doorbells(struct port_ring_fds *fds, uint32_t queues)
{
    for (uint32_t i = 0; i < queues; i++) {
        int *const bell[] = {&fds->queue[i].to_switch_data, &fds->queue[i].to_switch_room,
                             &fds->queue[i].to_worker_data, &fds->queue[i].to_worker_room};

        for (size_t j = 0; j < sizeof(bell) / sizeof(*bell); j++) {
            int fd = make_doorbell();

            if (fd < 0)
                return fd;
            *bell[j] = fd;
        }
    }
    return 0;
}

int port_ring_create(const struct port_ring_geometry *geometry, struct port_ring_fds *ret_fds)
{
    if (!geometry_valid(geometry))
        return -EINVAL;
    memset(ret_fds, 0xff, sizeof(*ret_fds)); /* -1 everywhere */
    int fd = make_memory(geometry);
    if (fd < 0)
        return fd;
    ret_fds->memory = fd;
    int error = make_doorbells(ret_fds, geometry->queues);
    if (error)
        port_ring_close(ret_fds, geometry->queues);
    return error;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void port_ring_close(struct port_ring_fds *fds, uint32_t queues)
{
    close_one(&fds->memory);
    for (uint32_t i = 0; i < queues; i++) {
        close_one(&fds->queue[i].to_switch_data);
        close_one(&fds->queue[i].to_switch_room);
        close_one(&fds->queue[i].to_worker_data);
        close_one(&fds->queue[i].to_worker_room);
    }
}

/* --- Mapping ---------------------------------------------------------------------------------- */

/* Map what is behind `fd` if it cannot change its size, and has one that a ring may have. (Asked by
 * lseek(): glibc's fstat() is a call by path, which the worker's sandbox has no reason to let
 * through.) */
static int map_memory(struct port_ring *ring, int fd)
{
    static const struct port_ring_geometry largest = {LIMIT_PORT_QUEUES, LIMIT_PORT_CELLS_MAX};
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & PORT_RING_SEALS) != PORT_RING_SEALS)
        return -EBADF;
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < (off_t)PORT_RING_PAGE || size > (off_t)ring_bytes(&largest))
        return -EBADF;
    ring->size = (size_t)size;
    void *map = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        int error = errno;
        return error == EPERM || error == EACCES ? -EBADF : -error; /* not for writing */
    }
    ring->map = map;
    return 0;
}

static uint32_t header_word(const uint32_t *word)
{
    return atomic_load_explicit((const _Atomic uint32_t *)word, memory_order_relaxed);
}

static int read_header(struct port_ring *ring)
{
    const struct port_ring_header *header = ring->map;

    if (header_word(&header->magic) != PORT_RING_MAGIC)
        return -EPROTO;
    uint32_t version = header_word(&header->version);
    if (version != PORT_RING_VERSION)
        return version > PORT_RING_VERSION ? -EPROTONOSUPPORT : -EPROTO;
    ring->geometry.queues = header_word(&header->queues);
    ring->geometry.cells = header_word(&header->cells);
    if (!geometry_valid(&ring->geometry) || header_word(&header->cell) != PORT_RING_CELL ||
        header_word(&header->features) != 0)
        return -EPROTO;
    return ring->size == ring_bytes(&ring->geometry) ? 0 : -EBADF;
}

/* One end of the queue that begins at `at`. */
static int open_queue(struct port_queue *queue, uint8_t *at, uint32_t cells, bool producer)
{
    struct port_ring_lines *lines = (struct port_ring_lines *)at;
    uint32_t head = atomic_load(&lines->head), tail = atomic_load(&lines->tail);

    if (head - tail > cells)
        return -EPROTO;
    queue->lines = lines;
    queue->descriptor = (struct port_ring_descriptor *)(lines + 1);
    queue->cell = at + control_bytes(cells);
    queue->cells = cells;
    queue->index = queue->published = producer ? head : tail;
    queue->peer = producer ? tail : head;
    queue->missed = atomic_load(&lines->missed);
    atomic_store(producer ? &lines->room_wanted : &lines->data_wanted, 0);
    return 0;
}

static int open_queues(struct port_ring *ring, enum port_ring_side side)
{
    size_t bytes = queue_bytes(ring->geometry.cells);
    uint8_t *at = (uint8_t *)ring->map + PORT_RING_PAGE;
    bool worker = side == PORT_RING_WORKER;

    for (uint32_t i = 0; i < ring->geometry.queues; i++, at += 2 * bytes) {
        struct port_queue *to_switch = worker ? &ring->out[i] : &ring->in[i];
        struct port_queue *to_worker = worker ? &ring->in[i] : &ring->out[i];
        int error = open_queue(to_switch, at, ring->geometry.cells, worker);

        if (!error)
            error = open_queue(to_worker, at + bytes, ring->geometry.cells, !worker);
        if (error)
            return error;
    }
    return 0;
}

/* Give the queues their doorbells, and ring what a predecessor of ours may have owed. */
static void take_doorbells(struct port_ring *ring, const struct port_ring_fds *fds,
                           enum port_ring_side side)
{
    for (uint32_t i = 0; i < ring->geometry.queues; i++) {
        struct port_queue *to_switch = side == PORT_RING_WORKER ? &ring->out[i] : &ring->in[i];
        struct port_queue *to_worker = side == PORT_RING_WORKER ? &ring->in[i] : &ring->out[i];

        to_switch->data = fds->queue[i].to_switch_data;
        to_switch->room = fds->queue[i].to_switch_room;
        to_worker->data = fds->queue[i].to_worker_data;
        to_worker->room = fds->queue[i].to_worker_room;
        port_queue_ring_data(&ring->out[i]);
        port_queue_ring_room(&ring->in[i]);
    }
}

int port_ring_map(struct port_ring *ret_ring, const struct port_ring_fds *fds,
                  enum port_ring_side side)
{
    memset(ret_ring, 0, sizeof(*ret_ring));
    int error = map_memory(ret_ring, fds->memory);
    if (!error)
        error = read_header(ret_ring);
    if (!error)
        error = open_queues(ret_ring, side);
    if (error)
        port_ring_unmap(ret_ring);
    else
        take_doorbells(ret_ring, fds, side);
    return error;
}

void port_ring_unmap(struct port_ring *ring)
{
    if (ring->map)
        munmap(ring->map, ring->size);
    memset(ring, 0, sizeof(*ring));
}

/* --- Both ends -------------------------------------------------------------------------------- */

static uint32_t cells_of(uint32_t length)
{
    return (length + PORT_RING_CELL - 1) / PORT_RING_CELL;
}

/* Take the peer's index over if it has moved forward by at most `most` cells. */
static bool take_peer(struct port_queue *queue, uint32_t index, uint32_t most)
{
    if (index - queue->peer > most)
        queue->broken = true;
    else
        queue->peer = index;
    return !queue->broken;
}

/* The consumer cannot be further than what it has been given. */
static bool read_tail(struct port_queue *queue)
{
    return take_peer(queue, atomic_load(&queue->lines->tail), queue->published - queue->peer);
}

/* The producer owns only the cells that it has been given back. */
static bool read_head(struct port_queue *queue)
{
    return take_peer(queue, atomic_load(&queue->lines->head),
                     queue->published + queue->cells - queue->peer);
}

/* The `length` bytes from cell `index` on. */
static int ranges(const struct port_queue *queue, uint32_t index, uint32_t length,
                  struct iovec ret_data[2])
{
    uint32_t cell = index & (queue->cells - 1);
    size_t first = (size_t)(queue->cells - cell) * PORT_RING_CELL;

    if (first > length)
        first = length;
    ret_data[0] = (struct iovec){queue->cell + (size_t)cell * PORT_RING_CELL, first};
    ret_data[1] = (struct iovec){queue->cell, length - first};
    return first < length ? 2 : 1;
}

/* True if the peer sleeps; waking it is then up to us. The plain load keeps the line shared. */
static bool take_flag(_Atomic uint32_t *flag)
{
    return atomic_load(flag) && atomic_exchange(flag, 0);
}

/* A full counter (EAGAIN) is a doorbell that has rung. */
static void ring_bell(int fd)
{
    static const uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

void port_ring_hear(int doorbell)
{
    uint64_t count;

    (void)!read(doorbell, &count, sizeof(count));
}

/* Enough free cells to wake a producer: half of the ring, and the largest frame. */
static bool roomy(const struct port_queue *queue, uint32_t used)
{
    uint32_t wanted = queue->cells / 2 > FRAME_CELLS ? queue->cells / 2 : FRAME_CELLS;

    return used <= queue->cells - wanted;
}

uint32_t port_queue_used(struct port_queue *queue)
{
    uint32_t tail = atomic_load(&queue->lines->tail); /* first: it only comes nearer to the head */
    uint32_t used = atomic_load(&queue->lines->head) - tail;

    return used < queue->cells ? used : queue->cells;
}

/* --- Producer --------------------------------------------------------------------------------- */

int port_queue_room(struct port_queue *queue, uint32_t length, struct iovec ret_data[2])
{
    uint32_t need = cells_of(length);

    if (queue->broken)
        return -EPROTO;
    if (length < FRAME_ETHERNET || length > LIMIT_FRAME)
        return -EMSGSIZE;
    if (queue->index - queue->peer + need > queue->cells) {
        if (!read_tail(queue))
            return -EPROTO;
        if (queue->index - queue->peer + need > queue->cells)
            return -EAGAIN;
    }
    return ranges(queue, queue->index, length, ret_data);
}

void port_queue_push(struct port_queue *queue, const struct frame_meta *meta)
{
    union descriptor_copy copy = {.meta = *meta};
    struct port_ring_descriptor *descriptor = &queue->descriptor[queue->index & (queue->cells - 1)];

    for (unsigned i = 0; i < DESCRIPTOR_WORDS; i++)
        atomic_store_explicit(&descriptor->word[i], copy.word[i], memory_order_relaxed);
    queue->index += cells_of(meta->length);
}

bool port_queue_commit(struct port_queue *queue)
{
    if (queue->broken || queue->published == queue->index)
        return false;
    atomic_store(&queue->lines->head, queue->index);
    queue->published = queue->index;
    return take_flag(&queue->lines->data_wanted);
}

void port_queue_ring_data(struct port_queue *queue)
{
    ring_bell(queue->data);
}

bool port_queue_await_room(struct port_queue *queue)
{
    atomic_store(&queue->lines->room_wanted, 1);
    if (!queue->broken && read_tail(queue) && !roomy(queue, queue->index - queue->peer))
        return false;
    atomic_store(&queue->lines->room_wanted, 0);
    return true;
}

bool port_queue_await_release(struct port_queue *queue)
{
    atomic_store(&queue->lines->room_wanted, 1);
    if (!queue->broken && read_tail(queue) && queue->peer != queue->index)
        return false;
    atomic_store(&queue->lines->room_wanted, 0);
    return true;
}

void port_queue_missed(struct port_queue *queue, uint32_t count)
{
    queue->missed += count;
    atomic_store_explicit(&queue->lines->missed, queue->missed, memory_order_relaxed);
}

/* --- Consumer --------------------------------------------------------------------------------- */

uint32_t port_queue_take_missed(struct port_queue *queue)
{
    uint32_t before = queue->missed;

    queue->missed = atomic_load_explicit(&queue->lines->missed, memory_order_relaxed);
    return queue->missed - before;
}

int port_queue_pull(struct port_queue *queue, struct frame_meta *ret_meta, struct iovec ret_data[2])
{
    const struct port_ring_descriptor *descriptor =
        &queue->descriptor[queue->index & (queue->cells - 1)];
    union descriptor_copy copy;

    if (queue->broken || (queue->index == queue->peer && !read_head(queue)))
        return -EPROTO;
    if (queue->index == queue->peer)
        return 0;
    for (unsigned i = 0; i < DESCRIPTOR_WORDS; i++)
        copy.word[i] = atomic_load_explicit(&descriptor->word[i], memory_order_relaxed);
    if (copy.reserved || !frame_meta_check(&copy.meta) ||
        cells_of(copy.meta.length) > queue->peer - queue->index) {
        queue->broken = true;
        return -EPROTO;
    }
    *ret_meta = copy.meta;
    int count = ranges(queue, queue->index, copy.meta.length, ret_data);
    queue->index += cells_of(copy.meta.length);
    return count;
}

/* The producer asked for a doorbell: is there enough room for one? Read after its flag, the head is
 * what it was when the producer fell asleep, or later. */
static bool wakes_producer(struct port_queue *queue)
{
    return atomic_load(&queue->lines->room_wanted) &&
           roomy(queue, atomic_load(&queue->lines->head) - queue->published) &&
           take_flag(&queue->lines->room_wanted);
}

bool port_queue_release(struct port_queue *queue)
{
    if (queue->broken || queue->published == queue->index)
        return false;
    atomic_store(&queue->lines->tail, queue->index);
    queue->published = queue->index;
    return wakes_producer(queue);
}

void port_queue_ring_room(struct port_queue *queue)
{
    ring_bell(queue->room);
}

bool port_queue_arm(struct port_queue *queue)
{
    atomic_store(&queue->lines->data_wanted, 1);
    return queue->broken || !read_head(queue) || queue->peer != queue->index;
}

void port_queue_disarm(struct port_queue *queue)
{
    atomic_store_explicit(&queue->lines->data_wanted, 0, memory_order_relaxed);
}
