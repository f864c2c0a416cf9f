/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw images: a file or a block device whose bytes are the disk's. This file opens and measures
 * them; their I/O is in raw_queue.c.
 *
 * O_DIRECT's needs come from statx(STATX_DIOALIGN) (Linux 6.1), else from the device's sector size,
 * else from trying. An image that O_DIRECT could not serve to its last byte goes through the page
 * cache, which is honest too, since flush and FUA are, and is said in the log.
 *
 * Left out: growing a disk while it is in use; image formats (a qcow2 file opened here is its own
 * bytes).
 */
#include "src/disk/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/disk/lock.h"

#define PAGE         4096u
#define PROBE_LENGTH 4096u

/* One line: what is wrong with the path, and what to do about it. */
static void set_open_error(GError **error, const struct disk_params *params, int code)
{
    const char *remedy = "see the system's log";

    if (code == ENOENT)
        remedy = "correct the path, or make the image with 'qemu-img create -f raw'";
    else if (code == EACCES || code == EPERM)
        remedy = params->readonly
                     ? "let the worker's user read it"
                     : "let the worker's user read and write it, or attach it read-only";
    else if (code == EROFS)
        remedy = "attach it read-only, or mount its file system writable";
    else if (code == EISDIR)
        remedy = "give an image file or a block device";
    else if (code == EBUSY || code == ETXTBSY)
        remedy = "stop what uses it";
    g_set_error(error, DISK_ERROR, DISK_ERROR_OPEN, "%s: cannot open disk: %s; %s", params->path,
                g_strerror(code), remedy);
}

static bool open_image(struct raw_disk *raw, const struct disk_params *params, GError **error)
{
    int access = params->readonly ? O_RDONLY : O_RDWR;

    raw->fd = params->fd;
    if (raw->fd < 0) {
        /* O_NONBLOCK: so that the open of a FIFO returns, and is refused below. */
        raw->fd = open(params->path, access | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (raw->fd < 0) {
            set_open_error(error, params, errno);
            return false;
        }
    }
    int flags = fcntl(raw->fd, F_GETFL);
    if (flags < 0 || (!params->readonly && (flags & O_ACCMODE) != O_RDWR) ||
        (flags & O_ACCMODE) == O_WRONLY) {
        set_open_error(error, params, flags < 0 ? errno : EACCES);
        return false;
    }
    fcntl(raw->fd, F_SETFL, flags & ~(O_NONBLOCK | O_APPEND));
    return true;
}

/* Size and sector size by the kind of file. */
static bool measure(struct raw_disk *raw, const struct disk_params *params, GError **error)
{
    struct disk *disk = &raw->disk;
    struct stat st;
    uint64_t bytes = 0;
    unsigned physical = DISK_SECTOR;

    if (fstat(raw->fd, &st) < 0 || (S_ISDIR(st.st_mode) && (errno = EISDIR))) {
        set_open_error(error, params, errno);
        return false;
    }
    if (S_ISREG(st.st_mode)) {
        bytes = (uint64_t)st.st_size;
        physical = (unsigned)st.st_blksize;
    } else if (!S_ISBLK(st.st_mode)) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_FORMAT,
                    "%s: neither a file nor a block device; give one of these", params->path);
        return false;
    } else if (ioctl(raw->fd, BLKGETSIZE64, &bytes) < 0 ||
               ioctl(raw->fd, BLKPBSZGET, &physical) < 0) {
        set_open_error(error, params, errno);
        return false;
    }
    disk->size = bytes / DISK_SECTOR * DISK_SECTOR;
    disk->physical_sector = physical >= PAGE ? PAGE : DISK_SECTOR;
    if (disk->size)
        return true;
    g_set_error(error, DISK_ERROR, DISK_ERROR_FORMAT,
                "%s: disk is empty (less than one sector); give it a size with 'truncate -s'",
                params->path);
    return false;
}

static bool lock_image(struct raw_disk *raw, const struct disk_params *params, GError **error)
{
    const char *permission;

    int code = params->shared ? 0 : disk_lock(raw->fd, !params->readonly, &permission);
    if (!code)
        return true;
    if (code == -EBUSY)
        g_set_error(error, DISK_ERROR, DISK_ERROR_LOCKED,
                    "%s: image is in use (\"%s\" is locked); stop the VM or program that uses it",
                    params->path, permission);
    else
        g_set_error(error, DISK_ERROR, DISK_ERROR_LOCKED,
                    "%s: cannot lock image: %s; put it on a file system with locks, or mark the "
                    "disk shared",
                    params->path, g_strerror(-code));
    return false;
}

/* Find the alignment with which an O_DIRECT read is accepted. False if none is. */
static bool probe_alignment(struct disk *disk, int fd)
{
    static _Alignas(PAGE) uint8_t buffer[PROBE_LENGTH];

    for (unsigned align = DISK_SECTOR; align <= PROBE_LENGTH; align *= 2) {
        if (pread(fd, buffer, align, 0) <= 0)
            continue;
        disk->offset_alignment = align;
        disk->memory_alignment = align;
        return true;
    }
    return false;
}

/* What O_DIRECT asks of requests; false if the file does not take it. */
static bool direct_alignment(struct disk *disk, int fd)
{
    unsigned sector;
#ifdef STATX_DIOALIGN
    struct statx sx;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 && sx.stx_mask & STATX_DIOALIGN) {
        disk->memory_alignment = sx.stx_dio_mem_align;
        disk->offset_alignment = sx.stx_dio_offset_align;
        return sx.stx_dio_mem_align && sx.stx_dio_offset_align;
    }
#endif
    if (ioctl(fd, BLKSSZGET, &sector) == 0) {
        disk->memory_alignment = sector;
        disk->offset_alignment = sector;
        return true;
    }
    return probe_alignment(disk, fd);
}

/* Why this image cannot go through O_DIRECT; NULL if it can, and then it does. */
static const char *set_direct(struct raw_disk *raw)
{
    struct disk *disk = &raw->disk;
    int flags = fcntl(raw->fd, F_GETFL);

    if (fcntl(raw->fd, F_SETFL, flags | O_DIRECT) < 0)
        return "the file system does not allow it";
    if (!direct_alignment(disk, raw->fd))
        return "the file system does not do it for this file";
    if (disk->offset_alignment > RAW_BOUNCE_BYTES || disk->memory_alignment > PAGE ||
        disk->offset_alignment & (disk->offset_alignment - 1))
        return "its alignment is not one that we serve";
    /* Else the last block could not be written without growing the file. */
    if (disk->size % disk->offset_alignment)
        return "the size is not a multiple of its alignment";
    return NULL;
}

static void choose_cache(struct raw_disk *raw, const struct disk_params *params)
{
    struct disk *disk = &raw->disk;
    const char *obstacle = params->direct ? set_direct(raw) : NULL;

    if (params->direct && !obstacle)
        return;
    fcntl(raw->fd, F_SETFL, fcntl(raw->fd, F_GETFL) & ~O_DIRECT);
    disk->memory_alignment = 1;
    disk->offset_alignment = 1;
    if (obstacle)
        log_info("%s: using the page cache instead of O_DIRECT: %s", disk->path, obstacle);
}

static bool raw_open(struct disk *disk, const struct disk_params *params, GError **error)
{
    struct raw_disk *raw = container_of(disk, struct raw_disk, disk);

    if (!open_image(raw, params, error) || !measure(raw, params, error) ||
        !lock_image(raw, params, error)) {
        if (raw->fd >= 0)
            close(raw->fd);
        return false;
    }
    choose_cache(raw, params);
    disk->can_discard = params->discard && !params->readonly;
    pthread_mutex_init(&raw->lock, NULL);
    return true;
}

static void raw_close(struct disk *disk)
{
    struct raw_disk *raw = container_of(disk, struct raw_disk, disk);

    disk_unlock(raw->fd);
    close(raw->fd);
    pthread_mutex_destroy(&raw->lock);
}

const struct disk_class disk_raw_class = {
    .name = "raw",
    .state_size = sizeof(struct raw_disk),
    .open = raw_open,
    .close = raw_close,
    .queue_new = raw_queue_new,
    .queue_free = raw_queue_free,
    .submit = raw_submit,
    .flush_submissions = raw_flush_submissions,
};
