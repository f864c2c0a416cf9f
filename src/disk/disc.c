/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disc that is put into a drive while the machine runs: a file, or a block device, that came as a
 * descriptor; only read.
 *
 * A sealed worker makes no io_uring, so this reads with pread() on the lane, which waits for the
 * host's storage as long as it takes: right for an installer's disc, and why disks that are there
 * from the start go another way (raw.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/disk/disk.h"
#include "src/disk/lock.h"

struct disc {
    struct disk disk;
    int fd;
};

static bool refuse(struct disc *disc, enum disk_error code, const char *why, GError **error)
{
    g_set_error(error, DISK_ERROR, (int)code, "%s: %s", disc->disk.path, why);
    close(disc->fd);
    return false;
}

/* glibc's fstat() is a call by path, which the worker's sandbox has no reason to let through. */
static bool is_disc(int fd)
{
    struct stat st;

    return syscall(SYS_fstat, fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

static bool disc_open(struct disk *disk, const struct disk_params *params, GError **error)
{
    struct disc *disc = container_of(disk, struct disc, disk);
    const char *permission;

    disc->fd = params->fd;
    int flags = fcntl(disc->fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || flags & (O_DIRECT | O_PATH))
        return refuse(disc, DISK_ERROR_OPEN, "cannot be read", error);
    if (!is_disc(disc->fd))
        return refuse(disc, DISK_ERROR_FORMAT, "neither a file nor a block device", error);
    off_t size = lseek(disc->fd, 0, SEEK_END); /* ioctl() of a device is not for the sealed */
    if (size < (off_t)DISK_SECTOR)
        return refuse(disc, DISK_ERROR_FORMAT, "empty", error);
    if (!params->shared && disk_lock(disc->fd, false, &permission) < 0)
        return refuse(disc, DISK_ERROR_LOCKED, "in use for writing, or cannot be locked", error);
    disk->size = (uint64_t)size / DISK_SECTOR * DISK_SECTOR;
    disk->readonly = true;
    return true;
}

static void disc_close(struct disk *disk)
{
    struct disc *disc = container_of(disk, struct disc, disk);

    disk_unlock(disc->fd);
    close(disc->fd);
}

static struct disk_queue *disc_queue_new(struct disk *disk, struct lane *lane)
{
    struct disk_queue *queue = calloc(1, sizeof(*queue));

    if (queue)
        *queue = (struct disk_queue){.disk = disk, .lane = lane};
    return queue;
}

static void disc_queue_free(struct disk_queue *queue)
{
    free(queue);
}

/* 0, or -errno; -EIO where the file has become shorter. */
static int read_all(int fd, uint8_t *to, size_t length, uint64_t offset)
{
    while (length) {
        ssize_t got = pread(fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        to += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

static void disc_submit(struct disk_queue *queue, struct disk_request *request)
{
    const struct disc *disc = container_of(queue->disk, struct disc, disk);
    uint64_t offset = request->offset;
    int result = 0;

    if (request->op != DISK_READ)
        result = request->op == DISK_FLUSH ? 0 : -EROFS;
    for (unsigned i = 0; request->op == DISK_READ && i < request->iovs && !result; i++) {
        result = read_all(disc->fd, request->iov[i].iov_base, request->iov[i].iov_len, offset);
        offset += request->iov[i].iov_len;
    }
    request->done(request, result);
}

static void disc_flush_submissions(struct disk_queue *queue)
{
    (void)queue;
}

const struct disk_class disk_disc_class = {
    .name = "disc",
    .state_size = sizeof(struct disc),
    .open = disc_open,
    .close = disc_close,
    .queue_new = disc_queue_new,
    .queue_free = disc_queue_free,
    .submit = disc_submit,
    .flush_submissions = disc_flush_submissions,
};
