/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk in memory for tests of what is above disks: counts what is asked of it, holds requests
 * back or fails them when told to, and keeps the order in which they came.
 */
#ifndef VMBUSD_TESTS_MEMORY_DISK_H
#define VMBUSD_TESTS_MEMORY_DISK_H

#include "src/disk/disk.h"

#define MEMORY_DISK_TRACE 64

struct memory_disk {
    struct disk disk;
    uint8_t *bytes;
    bool hold; /* keep requests until memory_disk_release() */
    int fail;  /* -errno for every request; 0 = none */
    unsigned count[DISK_WRITE_ZEROES + 1];
    unsigned fua;                          /* writes that asked for it */
    enum disk_op trace[MEMORY_DISK_TRACE]; /* the first requests, in order */
    unsigned traced;
    struct disk_request *first, **last; /* held ones */
    unsigned queues;
};

struct memory_disk *memory_disk_new(uint64_t size, bool readonly, bool discard);
void memory_disk_free(struct memory_disk *disk);

/* Complete up to `count` held requests, oldest first; returns how many there were. */
unsigned memory_disk_release(struct memory_disk *disk, unsigned count);

#endif
