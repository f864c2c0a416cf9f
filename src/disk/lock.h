/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image locks that QEMU's tools see, and that see QEMU's.
 *
 * QEMU's file driver (block/file-posix.c) keeps open-file-description locks on single bytes: byte
 * 100 + n says that its holder uses permission n, byte 200 + n that its holder does not share
 * permission n. All are read locks, so that any number of holders may say the same; a conflict is
 * found by asking whether a write lock on the opposite byte would be refused.
 *
 * Locks end with the open file description. They reach other hosts only as far as the file system
 * carries locks; on a block device they never leave this host.
 */
#ifndef VMBUSD_DISK_LOCK_H
#define VMBUSD_DISK_LOCK_H

#include <stdbool.h>

/* Lock the image open at `fd` for reading, or for writing and alone. 0; -EBUSY if somebody uses it
 * in a way that excludes us, then *ret_permission is QEMU's word for the permission in dispute;
 * another -errno if the file system takes no locks. After an error nothing is held. */
int disk_lock(int fd, bool write, const char **ret_permission);

/* Give the locks back now: a dying io_uring keeps the file description open for a while longer than
 * we do. */
void disk_unlock(int fd);

#endif
