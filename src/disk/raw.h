/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What raw.c (the disk) and raw_queue.c (its submission contexts) share. Nobody else includes it.
 */
#ifndef VMBUSD_DISK_RAW_H
#define VMBUSD_DISK_RAW_H

#include <pthread.h>

#include "src/disk/disk.h"

/* Bounce buffers: how many one queue has, and their size. A longer transfer goes in pieces of it,
 * so this is also the largest alignment that we can serve. */
#define RAW_BOUNCE_COUNT 16u
#define RAW_BOUNCE_BYTES 65536u

struct raw_queue;

struct raw_disk {
    struct disk disk;
    int fd;
    pthread_mutex_t lock;         /* of the two lists below and raw_queue.blocked_any */
    struct disk_request *writing; /* writes under way, if sectors share blocks (see raw_queue.c) */
    struct raw_queue *queues;
};

/* The members of disk_raw_class that raw_queue.c has. */
struct disk_queue *raw_queue_new(struct disk *disk, struct lane *lane);
void raw_queue_free(struct disk_queue *queue);
void raw_submit(struct disk_queue *queue, struct disk_request *request);
void raw_flush_submissions(struct disk_queue *queue);

#endif
