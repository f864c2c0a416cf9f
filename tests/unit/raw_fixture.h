/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A raw image with a lane and a queue, and requests for it: shared by the tests of raw disks.
 */
#ifndef VMBUSD_TESTS_RAW_FIXTURE_H
#define VMBUSD_TESTS_RAW_FIXTURE_H

#include "src/disk/disk.h"
#include "src/kvm/gmem.h"

#define RAW_IMAGE_BYTES (1u << 20)

struct raw_fixture {
    char *path;
    struct lane *lane;
    struct disk *disk;
    struct disk_queue *queue;
    uint8_t *memory; /* page aligned, 2 * RAW_IMAGE_BYTES */
};

struct raw_op {
    struct disk_request request;
    int result;
    bool finished;
};

/* Where images are made; set by raw_test_run(). */
extern char *raw_folder;

/* g_test_run() with a folder of its own. */
int raw_test_run(void);

/* `len` bytes that differ by `seed`. */
void raw_pattern(uint8_t *p, size_t len, unsigned seed);

/* Make an image of `len` patterned bytes; returns its path. */
char *raw_image(const char *name, size_t len);

struct disk *raw_open_disk(const char *path, bool readonly, bool discard, GError **error);

/* `align` overrides the image's alignment, as a 4Kn disk has it; 0 leaves it. */
void raw_set_up(struct raw_fixture *f, size_t len, bool readonly, bool discard, uint32_t align);
void raw_tear_down(struct raw_fixture *f);

/* Submit op->request, and turn the lane until it has finished. */
void raw_start(struct raw_fixture *f, struct raw_op *op);
void raw_wait(struct raw_fixture *f, const struct raw_op *op);

/* Both, with a buffer of pieces or in one piece; returns the result. */
int raw_run(struct raw_fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
            struct iovec *iov, unsigned iovs, bool fua);
int raw_run_flat(struct raw_fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
                 void *base);

/* The image as it is on disk now. */
uint8_t *raw_contents(const struct raw_fixture *f, size_t *len);

#endif
