/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image locks on the bytes that QEMU uses.
 *
 * First our bytes are locked, then the others' are looked at: of two who start at once, at least
 * one sees the other.
 */
#include "src/disk/lock.h"

#include <errno.h>
#include <fcntl.h>

#define LOCK_USED_BASE     100
#define LOCK_UNSHARED_BASE 200

/* QEMU's BLK_PERM_* bits. */
#define PERMISSION_CONSISTENT_READ 0x1u
#define PERMISSION_WRITE           0x2u
#define PERMISSION_RESIZE          0x8u
#define PERMISSIONS                4

static const char *const permission_name[PERMISSIONS] = {"consistent read", "write",
                                                         "write unchanged", "resize"};

static struct flock byte_lock(short type, long byte)
{
    /* l_pid must be 0 for open-file-description locks. */
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

/* Read-lock each byte of `base` whose bit is set. */
static int take(int fd, long base, unsigned bits)
{
    for (unsigned n = 0; n < PERMISSIONS; n++) {
        struct flock lock = byte_lock(F_RDLCK, base + (long)n);
        if (bits & 1u << n && fcntl(fd, F_OFD_SETLK, &lock) < 0)
            return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    }
    return 0;
}

/* Does anybody else hold a byte of `base` whose bit is set? */
static int look(int fd, long base, unsigned bits, const char **ret_permission)
{
    for (unsigned n = 0; n < PERMISSIONS; n++) {
        struct flock lock = byte_lock(F_WRLCK, base + (long)n);
        if (!(bits & 1u << n))
            continue;
        if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
            return -errno;
        if (lock.l_type != F_UNLCK) {
            *ret_permission = permission_name[n];
            return -EBUSY;
        }
    }
    return 0;
}

void disk_unlock(int fd)
{
    struct flock used = byte_lock(F_UNLCK, LOCK_USED_BASE);
    struct flock unshared = byte_lock(F_UNLCK, LOCK_UNSHARED_BASE);

    used.l_len = PERMISSIONS;
    unshared.l_len = PERMISSIONS;
    fcntl(fd, F_OFD_SETLK, &used);
    fcntl(fd, F_OFD_SETLK, &unshared);
}

int disk_lock(int fd, bool write, const char **ret_permission)
{
    unsigned used = PERMISSION_CONSISTENT_READ;
    /* A reader does not share writing either: what it reads must hold still. */
    unsigned unshared = PERMISSION_WRITE | PERMISSION_RESIZE;

    if (write)
        used |= PERMISSION_WRITE | PERMISSION_RESIZE;
    *ret_permission = "image";
    int error = take(fd, LOCK_USED_BASE, used);
    if (!error)
        error = take(fd, LOCK_UNSHARED_BASE, unshared);
    if (!error)
        error = look(fd, LOCK_UNSHARED_BASE, used, ret_permission);
    if (!error)
        error = look(fd, LOCK_USED_BASE, unshared, ret_permission);
    if (error)
        disk_unlock(fd);
    return error;
}
