/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O of raw images: one io_uring per queue, sealed (uring.h), with the image as its one registered
 * file.
 *
 * The lane watches the ring's own descriptor, which is readable while completions wait; there is
 * nothing to read from it, so a completion costs no system call beyond epoll_wait(). Requests
 * gather in the submission queue and go to the kernel once per turn.
 *
 * The fast path hands the guest's pages to the kernel. What O_DIRECT's alignment does not allow,
 * and the rest of a transfer that the kernel cut short, goes piecewise through a bounce buffer; a
 * write that covers a block in part reads the block first. Two such writes at once could each put
 * back what the other has just replaced, so where blocks are larger than sectors all writes that
 * share a block run one after another, also across lanes; and so do they where the disk asks for
 * it.
 */
#include "src/disk/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "src/common/container.h"
#include "src/disk/uring.h"
#include "src/kvm/gmem.h"

#define FILE_INDEX 0 /* of the image among the ring's registered files */

/* What a request's entry in the ring is doing (disk_request.step). */
enum raw_step {
    STEP_DIRECT,   /* moves data between the guest's pages and the image */
    STEP_READ,     /* reads a piece into the bounce buffer */
    STEP_MERGE,    /* the same, for a write that covers it in part */
    STEP_WRITE,    /* writes a piece from the bounce buffer */
    STEP_SYNC,     /* flushes */
    STEP_ALLOCATE, /* punches a hole or zeroes a range */
};

struct fifo {
    struct disk_request *first;
    struct disk_request **last;
};

struct raw_queue {
    struct disk_queue queue;
    struct io_uring ring;
    struct lane_source source; /* the ring's descriptor */
    struct lane_hook hook;
    struct lane_task wake;  /* a write of another queue has ended */
    struct raw_queue *next; /* in raw_disk.queues */
    struct fifo waiting;    /* for a bounce buffer or a ring entry */
    struct fifo blocked;    /* by overlapping writes */
    bool blocked_any;       /* `blocked` is not empty; for other lanes, under the disk's lock */
    uint8_t *bounce;        /* all bounce buffers */
    void *idle[RAW_BOUNCE_COUNT];
    unsigned idle_count;
};

/* The part of a transfer that one pass of the bounce buffer covers, in bytes of the image. */
struct piece {
    uint64_t start; /* aligned */
    uint32_t len;   /* aligned, at most RAW_BOUNCE_BYTES */
    uint32_t skip;  /* bytes before those that were asked for */
    uint32_t body;  /* bytes that were asked for */
};

static struct raw_disk *raw_of(const struct raw_queue *raw_queue)
{
    return container_of(raw_queue->queue.disk, struct raw_disk, disk);
}

static void fifo_init(struct fifo *fifo)
{
    fifo->first = NULL;
    fifo->last = &fifo->first;
}

static void fifo_put(struct fifo *fifo, struct disk_request *request)
{
    request->next = NULL;
    *fifo->last = request;
    fifo->last = &request->next;
}

static struct disk_request *fifo_take(struct fifo *fifo)
{
    struct disk_request *request = fifo->first;

    if (request) {
        fifo->first = request->next;
        if (!fifo->first)
            fifo->last = &fifo->first;
    }
    return request;
}

/* --- Writes that share a block --- */

static bool orders_writes(const struct disk *disk)
{
    return disk->ordered || disk->offset_alignment > DISK_SECTOR;
}

static bool changes_data(const struct disk_request *request)
{
    return request->op != DISK_READ && request->op != DISK_FLUSH;
}

static bool overlap(const struct disk_request *a, const struct disk_request *b, uint64_t align)
{
    return a->offset / align <= (b->offset + b->length - 1) / align &&
           b->offset / align <= (a->offset + a->length - 1) / align;
}

/* Enter `request` among the writes under way; false (and it is kept) if one is in its way. */
static bool claim_blocks(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct raw_disk *raw = raw_of(raw_queue);
    const struct disk_request *other;

    pthread_mutex_lock(&raw->lock);
    for (other = raw->writing; other; other = other->next_writing)
        if (overlap(request, other, raw->disk.offset_alignment))
            break;
    if (other) {
        fifo_put(&raw_queue->blocked, request);
        raw_queue->blocked_any = true;
    } else {
        request->next_writing = raw->writing;
        raw->writing = request;
    }
    pthread_mutex_unlock(&raw->lock);
    return !other;
}

static void release_blocks(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct raw_disk *raw = raw_of(raw_queue);
    struct disk_request **link = &raw->writing;

    pthread_mutex_lock(&raw->lock);
    while (*link != request)
        link = &(*link)->next_writing;
    *link = request->next_writing;
    for (struct raw_queue *other = raw->queues; other; other = other->next)
        if (other->blocked_any)
            lane_post(other->queue.lane, &other->wake);
    pthread_mutex_unlock(&raw->lock);
}

/* --- Ring entries --- */

static void finish(struct raw_queue *raw_queue, struct disk_request *request, int result)
{
    if (request->bounce) {
        raw_queue->idle[raw_queue->idle_count++] = request->bounce;
        request->bounce = NULL;
    }
    if (changes_data(request) && orders_writes(raw_queue->queue.disk))
        release_blocks(raw_queue, request);
    raw_queue->queue.inflight--;
    request->done(request, result);
}

/* An entry for `request`, or NULL: then it waits for the next turn. */
static struct io_uring_sqe *get_entry(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&raw_queue->ring);

    if (!sqe) {
        io_uring_submit(&raw_queue->ring);
        sqe = io_uring_get_sqe(&raw_queue->ring);
    }
    if (!sqe)
        fifo_put(&raw_queue->waiting, request);
    return sqe;
}

static void finish_entry(struct io_uring_sqe *sqe, struct disk_request *request, enum raw_step step)
{
    request->step = step;
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data(sqe, request);
}

/* --- The bounce buffer --- */

static struct piece next_piece(const struct raw_queue *raw_queue,
                               const struct disk_request *request)
{
    uint64_t align = raw_queue->queue.disk->offset_alignment;
    uint64_t position = request->offset + request->progress;
    uint64_t end = request->offset + request->length;
    struct piece piece = {.start = position / align * align};

    uint64_t limit = piece.start + RAW_BOUNCE_BYTES / align * align;
    uint64_t aligned_end = (end + align - 1) / align * align;
    piece.len = (uint32_t)((aligned_end < limit ? aligned_end : limit) - piece.start);
    piece.skip = (uint32_t)(position - piece.start);
    piece.body = (uint32_t)((end < limit ? end : limit) - position);
    return piece;
}

static void transfer_piece(struct raw_queue *raw_queue, struct disk_request *request,
                           enum raw_step step)
{
    struct piece piece = next_piece(raw_queue, request);
    struct io_uring_sqe *sqe = get_entry(raw_queue, request);

    if (!sqe)
        return;
    if (step == STEP_WRITE) {
        io_uring_prep_write(sqe, FILE_INDEX, request->bounce, piece.len, piece.start);
        sqe->rw_flags = request->fua ? RWF_DSYNC : 0;
    } else {
        io_uring_prep_read(sqe, FILE_INDEX, request->bounce, piece.len, piece.start);
    }
    finish_entry(sqe, request, step);
}

/* Put the guest's bytes (or zeroes) where they belong in the bounce buffer, and write it. */
static void write_piece(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct piece piece = next_piece(raw_queue, request);
    uint8_t *body = (uint8_t *)request->bounce + piece.skip;

    if (request->op == DISK_WRITE)
        gmem_iov_read(request->iov, request->iovs, request->progress, body, piece.body);
    else
        memset(body, 0, piece.body);
    transfer_piece(raw_queue, request, STEP_WRITE);
}

/* Begin the next piece: there is something left to do. */
static void bounce(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct piece piece = next_piece(raw_queue, request);

    if (!request->bounce) {
        if (!raw_queue->idle_count) {
            fifo_put(&raw_queue->waiting, request);
            return;
        }
        request->bounce = raw_queue->idle[--raw_queue->idle_count];
    }
    if (request->op == DISK_READ)
        transfer_piece(raw_queue, request, STEP_READ);
    else if (piece.body != piece.len)
        transfer_piece(raw_queue, request, STEP_MERGE);
    else
        write_piece(raw_queue, request);
}

/* `count` more bytes of the request are done. */
static void advance(struct raw_queue *raw_queue, struct disk_request *request, uint64_t count)
{
    request->progress += count;
    if (request->progress >= request->length)
        finish(raw_queue, request, 0);
    else
        bounce(raw_queue, request);
}

/* --- Starting --- */

/* May the guest's pages go to the kernel as they are? */
static bool fits_directly(const struct disk *disk, const struct disk_request *request)
{
    uint64_t mask = disk->offset_alignment - 1;

    if ((request->offset | request->length) & mask)
        return false;
    for (unsigned i = 0; i < request->iovs; i++)
        if ((uintptr_t)request->iov[i].iov_base & (disk->memory_alignment - 1) ||
            request->iov[i].iov_len & mask)
            return false;
    return true;
}

static void transfer(struct raw_queue *raw_queue, struct disk_request *request)
{
    const struct iovec *iov = request->iov;
    struct io_uring_sqe *sqe;

    if (request->progress || !fits_directly(raw_queue->queue.disk, request)) {
        bounce(raw_queue, request);
        return;
    }
    sqe = get_entry(raw_queue, request);
    if (!sqe)
        return;
    if (request->iovs == 1)
        io_uring_prep_rw(request->op == DISK_READ ? IORING_OP_READ : IORING_OP_WRITE, sqe,
                         FILE_INDEX, iov->iov_base, (unsigned)iov->iov_len, request->offset);
    else
        io_uring_prep_rw(request->op == DISK_READ ? IORING_OP_READV : IORING_OP_WRITEV, sqe,
                         FILE_INDEX, iov, request->iovs, request->offset);
    if (request->op == DISK_WRITE && request->fua)
        sqe->rw_flags = RWF_DSYNC;
    finish_entry(sqe, request, STEP_DIRECT);
}

static void synchronise(struct raw_queue *raw_queue, struct disk_request *request)
{
    struct io_uring_sqe *sqe = get_entry(raw_queue, request);

    if (!sqe)
        return;
    io_uring_prep_fsync(sqe, FILE_INDEX, IORING_FSYNC_DATASYNC);
    finish_entry(sqe, request, STEP_SYNC);
}

/* Discard and write zeroes: a hole if the administrator wants holes. A discard forgets the ends
 * that do not fill a block. */
static void allocate(struct raw_queue *raw_queue, struct disk_request *request)
{
    const struct disk *disk = raw_queue->queue.disk;
    uint64_t align = disk->offset_alignment;
    uint64_t first = (request->offset + align - 1) / align * align;
    uint64_t end = (request->offset + request->length) / align * align;
    int mode = disk->can_discard ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

    if (request->op == DISK_DISCARD && (!disk->can_discard || first >= end)) {
        finish(raw_queue, request, 0);
        return;
    }
    if (request->op == DISK_WRITE_ZEROES && end - first != request->length) {
        bounce(raw_queue, request);
        return;
    }
    struct io_uring_sqe *sqe = get_entry(raw_queue, request);
    if (!sqe)
        return;
    io_uring_prep_fallocate(sqe, FILE_INDEX, mode | FALLOC_FL_KEEP_SIZE, (off_t)first,
                            (off_t)(end - first));
    finish_entry(sqe, request, STEP_ALLOCATE);
}

/* Begin, or go on after waiting. */
static void start(struct raw_queue *raw_queue, struct disk_request *request)
{
    if (request->op == DISK_READ || request->op == DISK_WRITE)
        transfer(raw_queue, request);
    else if (request->op == DISK_FLUSH)
        synchronise(raw_queue, request);
    else if (request->progress || request->step != STEP_ALLOCATE)
        bounce(raw_queue, request);
    else
        allocate(raw_queue, request);
}

static int check(const struct disk *disk, const struct disk_request *request)
{
    if (request->op == DISK_FLUSH)
        return 0;
    if (!request->length || request->length > disk->size ||
        request->offset > disk->size - request->length)
        return -EINVAL;
    return changes_data(request) && disk->readonly ? -EROFS : 0;
}

void raw_submit(struct disk_queue *queue, struct disk_request *request)
{
    struct raw_queue *raw_queue = container_of(queue, struct raw_queue, queue);
    int error = check(queue->disk, request);

    if (error) {
        request->done(request, error);
        return;
    }
    request->queue = queue;
    request->bounce = NULL;
    request->progress = 0;
    request->step = STEP_ALLOCATE;
    queue->inflight++;
    if (!changes_data(request) || !orders_writes(queue->disk) || claim_blocks(raw_queue, request))
        start(raw_queue, request);
}

/* --- Completing --- */

static void complete_bounced(struct raw_queue *raw_queue, struct disk_request *request,
                             uint32_t moved)
{
    struct piece piece = next_piece(raw_queue, request);
    uint8_t *buffer = request->bounce;

    if (request->step == STEP_MERGE && moved == piece.len) {
        write_piece(raw_queue, request);
        return;
    }
    /* A merge that came up short has nothing to put back: the image has shrunk. So has one that
     * moves none of the bytes that were asked for. */
    if (request->step == STEP_MERGE || moved <= piece.skip) {
        finish(raw_queue, request, -EIO);
        return;
    }
    uint32_t count = moved - piece.skip < piece.body ? moved - piece.skip : piece.body;
    if (request->step == STEP_READ)
        gmem_iov_write(request->iov, request->iovs, request->progress, buffer + piece.skip, count);
    advance(raw_queue, request, count);
}

/* Does `result` say that this image has no such operation? */
static bool cannot_allocate(int result)
{
    return result == -EOPNOTSUPP || result == -EINVAL || result == -ENOSYS;
}

static void complete(struct raw_queue *raw_queue, struct disk_request *request, int result)
{
    if (result == -EINTR || result == -EAGAIN) {
        start(raw_queue, request);
        return;
    }
    if (request->step == STEP_ALLOCATE && cannot_allocate(result)) {
        if (request->op == DISK_WRITE_ZEROES) {
            bounce(raw_queue, request);
            return;
        }
        result = 0; /* a discard is advice */
    }
    if (result < 0 || request->step == STEP_SYNC || request->step == STEP_ALLOCATE)
        finish(raw_queue, request, result);
    else if (request->step == STEP_DIRECT && !result)
        finish(raw_queue, request, -EIO); /* the image has shrunk under us */
    else if (request->step == STEP_DIRECT)
        advance(raw_queue, request, (uint64_t)result);
    else
        complete_bounced(raw_queue, request, (uint32_t)result);
}

static void reap(struct raw_queue *raw_queue)
{
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe(&raw_queue->ring, head, cqe)
    {
        complete(raw_queue, io_uring_cqe_get_data(cqe), cqe->res);
        count++;
    }
    io_uring_cq_advance(&raw_queue->ring, count);
}

static void ring_ready(struct lane_source *source, uint32_t events)
{
    struct raw_queue *raw_queue = container_of(source, struct raw_queue, source);

    (void)events;
    reap(raw_queue);
}

/* Try those again that waited; those that must still wait go to the end of a list. */
static void retry(struct raw_queue *raw_queue, struct fifo *fifo)
{
    struct fifo again = *fifo;
    struct disk_request *request;

    if (!fifo->first)
        return;
    fifo_init(fifo);
    while ((request = fifo_take(&again)))
        start(raw_queue, request);
}

static void on_wake(struct lane_task *task)
{
    struct raw_queue *raw_queue = container_of(task, struct raw_queue, wake);
    struct raw_disk *raw = raw_of(raw_queue);
    struct fifo again = raw_queue->blocked;
    struct disk_request *request;

    fifo_init(&raw_queue->blocked);
    pthread_mutex_lock(&raw->lock);
    raw_queue->blocked_any = false;
    pthread_mutex_unlock(&raw->lock);
    while ((request = fifo_take(&again)))
        if (claim_blocks(raw_queue, request))
            start(raw_queue, request);
}

void raw_flush_submissions(struct disk_queue *queue)
{
    struct raw_queue *raw_queue = container_of(queue, struct raw_queue, queue);

    if (io_uring_sq_ready(&raw_queue->ring))
        io_uring_submit(&raw_queue->ring);
}

static bool turn_end(struct lane_hook *hook)
{
    struct raw_queue *raw_queue = container_of(hook, struct raw_queue, hook);

    if (!raw_queue->queue.inflight)
        return false;
    retry(raw_queue, &raw_queue->waiting);
    raw_flush_submissions(&raw_queue->queue);
    return io_uring_cq_ready(&raw_queue->ring) || io_uring_sq_ready(&raw_queue->ring);
}

/* --- Making and freeing --- */

static int make_ring(struct raw_queue *raw_queue, int fd)
{
    struct io_uring *ring = &raw_queue->ring;
    struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN};

    int error = io_uring_queue_init_params(LIMIT_DISK_INFLIGHT, ring, &params);
    if (error)
        return error;
    error = io_uring_register_files(ring, &fd, 1);
    if (!error)
        error = uring_seal(ring);
    if (!error) {
        raw_queue->source = (struct lane_source){.fd = ring->ring_fd, .ready = ring_ready};
        error = lane_watch(raw_queue->queue.lane, &raw_queue->source, EPOLLIN);
    }
    if (error)
        io_uring_queue_exit(ring);
    return error;
}

static int make_bounce(struct raw_queue *raw_queue)
{
    raw_queue->bounce = mmap(NULL, RAW_BOUNCE_COUNT * RAW_BOUNCE_BYTES, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw_queue->bounce == MAP_FAILED)
        return -errno;
    /* Seldom used: no byte of it shall bring a huge page with it. */
    madvise(raw_queue->bounce, RAW_BOUNCE_COUNT * RAW_BOUNCE_BYTES, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < RAW_BOUNCE_COUNT; i++)
        raw_queue->idle[i] = raw_queue->bounce + i * RAW_BOUNCE_BYTES;
    raw_queue->idle_count = RAW_BOUNCE_COUNT;
    return 0;
}

static void join_disk(struct raw_queue *raw_queue)
{
    struct raw_disk *raw = raw_of(raw_queue);

    pthread_mutex_lock(&raw->lock);
    raw_queue->next = raw->queues;
    raw->queues = raw_queue;
    pthread_mutex_unlock(&raw->lock);
}

static void leave_disk(struct raw_queue *raw_queue)
{
    struct raw_disk *raw = raw_of(raw_queue);
    struct raw_queue **link = &raw->queues;

    pthread_mutex_lock(&raw->lock);
    while (*link != raw_queue)
        link = &(*link)->next;
    *link = raw_queue->next;
    pthread_mutex_unlock(&raw->lock);
}

struct disk_queue *raw_queue_new(struct disk *disk, struct lane *lane)
{
    struct raw_queue *raw_queue = calloc(1, sizeof(*raw_queue));

    if (!raw_queue)
        return NULL;
    raw_queue->queue = (struct disk_queue){.disk = disk, .lane = lane};
    raw_queue->wake.run = on_wake;
    raw_queue->hook.turn_end = turn_end;
    fifo_init(&raw_queue->waiting);
    fifo_init(&raw_queue->blocked);
    int error = make_bounce(raw_queue);
    if (!error)
        error = make_ring(raw_queue, raw_of(raw_queue)->fd);
    if (error) {
        if (raw_queue->bounce != MAP_FAILED)
            munmap(raw_queue->bounce, RAW_BOUNCE_COUNT * RAW_BOUNCE_BYTES);
        free(raw_queue);
        errno = -error;
        return NULL;
    }
    lane_hook_add(lane, &raw_queue->hook);
    join_disk(raw_queue);
    return &raw_queue->queue;
}

void raw_queue_free(struct disk_queue *queue)
{
    struct raw_queue *raw_queue = container_of(queue, struct raw_queue, queue);

    leave_disk(raw_queue);
    lane_hook_remove(queue->lane, &raw_queue->hook);
    lane_unwatch(queue->lane, &raw_queue->source);
    io_uring_queue_exit(&raw_queue->ring);
    munmap(raw_queue->bounce, RAW_BOUNCE_COUNT * RAW_BOUNCE_BYTES);
    free(raw_queue);
}
