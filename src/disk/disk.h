/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct disk_class: a disk backend (raw file or device, null, later qcow2 through
 * qemu-storage-daemon).
 *
 * A disk is opened on the control side, before the sandbox closes. Each lane that uses it has its
 * own submission context (struct disk_queue), so that no lock is needed; requests of one queue are
 * submitted and completed on its lane only. Requests are embedded in the device's own request and
 * never allocated.
 */
#ifndef VMBUSD_DISK_DISK_H
#define VMBUSD_DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <glib.h>

#include "src/common/lane.h"
#include "src/common/limits.h"

#define DISK_SECTOR 512u

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_WRITE_ZEROES };

struct disk;
struct disk_queue;

struct disk_request {
    enum disk_op op;
    bool fua;                /* write: durable before it completes */
    uint64_t offset;         /* bytes, multiple of DISK_SECTOR */
    uint64_t length;         /* bytes; equals the iovecs' sum for read and write */
    const struct iovec *iov; /* stays valid until completion */
    unsigned iovs;
    /* Called once on the queue's lane: 0 or -errno. May be called from inside disk_submit(). */
    void (*done)(struct disk_request *request, int result);
    /* The backend's own. */
    struct disk_queue *queue;
    struct disk_request *next;         /* in a list of those that wait */
    struct disk_request *next_writing; /* in the disk's list of writes under way */
    void *bounce;
    uint64_t progress; /* bytes done, for short transfers */
    unsigned step;
};

struct disk_params {
    const char *path;
    int fd; /* an open descriptor to use instead of opening `path`, or -1; ownership passes to the
               disk */
    bool readonly;
    bool direct;  /* O_DIRECT where the file system allows it (falls back with a log line) */
    bool discard; /* discard punches holes; else it is accepted and ignored */
    bool shared;  /* no exclusive lock (cluster file systems); stated by the administrator */
};

struct disk_class {
    const char *name;
    size_t state_size; /* of the backend's state, which begins with struct disk */

    /* Make *disk ready: size, geometry, read-only, locks. Control side. False with `error` naming
     * path and remedy. */
    bool (*open)(struct disk *disk, const struct disk_params *params, GError **error);

    /* Free what `open` took. All queues are gone. */
    void (*close)(struct disk *disk);

    /* A submission context for `lane`, up to LIMIT_DISK_INFLIGHT requests. Before the sandbox
     * closes. NULL with errno. */
    struct disk_queue *(*queue_new)(struct disk *disk, struct lane *lane);
    void (*queue_free)(struct disk_queue *queue);

    /* Queue one request. Lane only. Never fails synchronously: errors come through done(). */
    void (*submit)(struct disk_queue *queue, struct disk_request *request);

    /* Pass what has been queued to the kernel. Lane only; called at the end of a burst (and by the
     * lane's hook). */
    void (*flush_submissions)(struct disk_queue *queue);
};

/* Common head of every backend's state. */
struct disk {
    const struct disk_class *class;
    uint64_t size; /* bytes, multiple of 512 (a partial last sector is not shown) */
    uint32_t
        physical_sector; /* 512 or 4096: what INQUIRY VPD B0 and READ CAPACITY 16 tell the guest */
    uint32_t memory_alignment; /* O_DIRECT needs; 1 if none */
    uint32_t offset_alignment;
    bool readonly;
    bool can_discard;
    bool ordered; /* overlapping writes run one after another, in whichever queues they are: for a
                     disk that a guest sees twice */
    char *path;   /* for logs */
};

struct disk_queue {
    struct disk *disk;
    struct lane *lane;
    unsigned inflight;
};

/* Backends. */
extern const struct disk_class disk_raw_class;  /* raw file or block device through io_uring */
extern const struct disk_class disk_null_class; /* reads zeroes, forgets writes, completes at once;
                                                   benches and tests. `path` is "null:SIZE" */

extern const struct disk_class disk_disc_class; /* `fd` only: made and read by a sealed worker */

/* Open by class: allocates the backend's state. NULL with `error` set. */
struct disk *disk_open(const struct disk_class *class, const struct disk_params *params,
                       GError **error);
void disk_close(struct disk *disk);

static inline void disk_submit(struct disk_queue *queue, struct disk_request *request)
{
    queue->disk->class->submit(queue, request);
}

#define DISK_ERROR (disk_error_quark())
GQuark disk_error_quark(void);
enum disk_error { DISK_ERROR_OPEN, DISK_ERROR_LOCKED, DISK_ERROR_FORMAT, DISK_ERROR_IO };

#endif
