/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O of raw images: what is written is in the file, whatever the alignment and whoever else
 * writes; errors reach the caller.
 */
#include "src/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/container.h"
#include "tests/unit/raw_fixture.h"

/* --- Data --- */

static void check_reads_and_writes(uint32_t align)
{
    static const struct {
        uint64_t offset;
        uint32_t length;
        uint32_t skew; /* of the buffer against its page */
    } cases[] = {
        {0, 4096, 0},
        {512, 512, 0},
        {512, 512, 512},
        {3584, 1024, 0},
        {4096, 65536, 0},
        {4608, 66048, 1},
        {512, 131072, 3},
        {RAW_IMAGE_BYTES - 512, 512, 7},
        {0, RAW_IMAGE_BYTES, 0},
        {512, RAW_IMAGE_BYTES - 1024, 0},
        {65024, 1024, 0},
        {61440, 8192, 5},
    };
    struct raw_fixture f;
    g_autofree uint8_t *expected = g_malloc(RAW_IMAGE_BYTES);

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, align);
    raw_pattern(expected, RAW_IMAGE_BYTES, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t *p = f.memory + cases[i].skew;
        g_assert_cmpint(raw_run_flat(&f, DISK_READ, cases[i].offset, cases[i].length, p), ==, 0);
        g_assert_cmpmem(p, cases[i].length, expected + cases[i].offset, cases[i].length);
        raw_pattern(p, cases[i].length, 100 + i);
        memcpy(expected + cases[i].offset, p, cases[i].length);
        g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, cases[i].offset, cases[i].length, p), ==, 0);
        size_t len;
        g_autofree uint8_t *now = raw_contents(&f, &len);
        g_assert_cmpmem(now, len, expected, RAW_IMAGE_BYTES);
    }
    raw_tear_down(&f);
}

static void test_read_write(void)
{
    check_reads_and_writes(0);
}

static void test_read_write_4kn(void)
{
    check_reads_and_writes(4096);
}

static void test_scattered_buffer(void)
{
    struct raw_fixture f;
    struct iovec iov[3];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    /* Aligned pages go straight to the kernel, the others through a bounce buffer. */
    for (unsigned skew = 0; skew <= 24; skew += 24) {
        for (unsigned i = 0; i < 3; i++) {
            iov[i] = (struct iovec){f.memory + i * 3 * GMEM_PAGE + skew, GMEM_PAGE};
            raw_pattern(iov[i].iov_base, GMEM_PAGE, 40 + i + skew);
        }
        g_assert_cmpint(raw_run(&f, DISK_WRITE, GMEM_PAGE, 3 * GMEM_PAGE, iov, 3, false), ==, 0);
        size_t len;
        g_autofree uint8_t *now = raw_contents(&f, &len);
        for (unsigned i = 0; i < 3; i++)
            g_assert_cmpmem(now + GMEM_PAGE + i * GMEM_PAGE, GMEM_PAGE, iov[i].iov_base, GMEM_PAGE);
        for (unsigned i = 0; i < 3; i++)
            memset(iov[i].iov_base, 0, GMEM_PAGE);
        g_assert_cmpint(raw_run(&f, DISK_READ, GMEM_PAGE, 3 * GMEM_PAGE, iov, 3, false), ==, 0);
        for (unsigned i = 0; i < 3; i++)
            g_assert_cmpmem(iov[i].iov_base, GMEM_PAGE, now + GMEM_PAGE + i * GMEM_PAGE, GMEM_PAGE);
    }
    raw_tear_down(&f);
}

/* Eight neighbours of one block, written at once: none may put back what another has replaced. */
static void test_4kn_neighbours(void)
{
    struct raw_fixture f;
    struct raw_op op[64];
    struct iovec iov[64];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 4096);
    for (unsigned i = 0; i < 64; i++) {
        iov[i] = (struct iovec){f.memory + i * DISK_SECTOR, DISK_SECTOR};
        memset(iov[i].iov_base, (int)(0x80 + i), DISK_SECTOR);
        op[i] = (struct raw_op){.request = {.op = DISK_WRITE,
                                            .offset = (uint64_t)i * DISK_SECTOR,
                                            .length = DISK_SECTOR,
                                            .iov = &iov[i],
                                            .iovs = 1}};
    }
    for (unsigned i = 0; i < 64; i++)
        raw_start(&f, &op[i]);
    for (unsigned i = 0; i < 64; i++) {
        raw_wait(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
    }
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpmem(now, 64 * DISK_SECTOR, f.memory, 64 * DISK_SECTOR);
    raw_tear_down(&f);
}

struct writer {
    struct raw_fixture *f;
    struct lane *lane;
    struct disk_queue *queue;
    struct lane_task task;
    struct raw_op op;
    struct iovec iov;
    unsigned sector, left;
    atomic_bool finished;
};

static void writer_next(struct lane_task *task)
{
    struct writer *w = container_of(task, struct writer, task);

    memset(w->iov.iov_base, (int)(w->left + w->sector), DISK_SECTOR);
    disk_submit(w->queue, &w->op.request);
}

static void writer_done(struct disk_request *request, int result)
{
    struct writer *w = container_of(request, struct writer, op.request);

    g_assert_cmpint(result, ==, 0);
    if (--w->left)
        lane_post(w->lane, &w->task);
    else
        atomic_store(&w->finished, true);
}

static void writer_free(void *context)
{
    struct writer *w = context;

    w->queue->disk->class->queue_free(w->queue);
}

/* Two lanes write the two halves of one block, over and over. */
static void test_4kn_two_lanes(void)
{
    struct raw_fixture f;
    struct writer w[2];
    uint8_t sector[2][DISK_SECTOR];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 4096);
    for (unsigned i = 0; i < 2; i++) {
        w[i] = (struct writer){.f = &f, .sector = i, .left = 200, .task = {.run = writer_next}};
        w[i].lane = lane_new("writer");
        w[i].queue = f.disk->class->queue_new(f.disk, w[i].lane);
        w[i].iov = (struct iovec){sector[i], DISK_SECTOR};
        w[i].op.request = (struct disk_request){.op = DISK_WRITE,
                                                .offset = i * DISK_SECTOR,
                                                .length = DISK_SECTOR,
                                                .iov = &w[i].iov,
                                                .iovs = 1,
                                                .done = writer_done};
        g_assert_cmpint(lane_start(w[i].lane, NULL, NULL), ==, 0);
    }
    for (unsigned i = 0; i < 2; i++)
        lane_post(w[i].lane, &w[i].task);
    for (unsigned i = 0; i < 2; i++)
        while (!atomic_load(&w[i].finished))
            g_usleep(1000);
    for (unsigned i = 0; i < 2; i++) {
        lane_call(w[i].lane, writer_free, &w[i]);
        lane_free(w[i].lane);
    }
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < DISK_SECTOR; j++)
            g_assert_cmpuint(now[i * DISK_SECTOR + j], ==, 1 + i);
    raw_tear_down(&f);
}

static struct raw_op *ended_first;

static void note_first(struct disk_request *request, int result)
{
    struct raw_op *op = container_of(request, struct raw_op, request);

    op->finished = true;
    op->result = result;
    ended_first = ended_first ? ended_first : op;
}

/* Of two writes that overlap, in two queues of a disk that a guest sees twice, the later one waits
 * for the earlier. */
static void test_ordered_queues(void)
{
    struct raw_fixture f;
    struct raw_op op[2] = {0};
    struct iovec iov[2];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    f.disk->ordered = true;
    struct disk_queue *twin = f.disk->class->queue_new(f.disk, f.lane);
    memset(f.memory, 1, RAW_IMAGE_BYTES);
    memset(f.memory + RAW_IMAGE_BYTES, 2, DISK_SECTOR);
    iov[0] = (struct iovec){f.memory, RAW_IMAGE_BYTES};
    iov[1] = (struct iovec){f.memory + RAW_IMAGE_BYTES, DISK_SECTOR};
    for (unsigned i = 0; i < 2; i++) {
        op[i].request = (struct disk_request){.op = DISK_WRITE,
                                              .offset = i ? RAW_IMAGE_BYTES - DISK_SECTOR : 0,
                                              .length = iov[i].iov_len,
                                              .iov = &iov[i],
                                              .iovs = 1,
                                              .done = note_first};
        disk_submit(i ? twin : f.queue, &op[i].request);
    }
    f.disk->class->flush_submissions(twin); /* it would come first otherwise */
    for (unsigned i = 0; i < 2; i++)
        raw_wait(&f, &op[i]);
    g_assert_true(ended_first == &op[0] && !op[0].result && !op[1].result);
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpuint(now[RAW_IMAGE_BYTES - DISK_SECTOR - 1], ==, 1);
    g_assert_cmpuint(now[RAW_IMAGE_BYTES - DISK_SECTOR], ==, 2);
    f.disk->class->queue_free(twin);
    raw_tear_down(&f);
}

/* Text that a command prints, without the newline; NULL if it fails. */
static char *output_of(const char *command)
{
    char *text = NULL;
    int status = -1;

    g_spawn_command_line_sync(command, &text, NULL, &status, NULL);
    if (status == 0 && text)
        return g_strchomp(text);
    g_free(text);
    return NULL;
}

/* A real block device whose blocks are larger than the guest's. */
static void test_block_device_4kn(void)
{
    struct raw_fixture f = {.path = raw_image("loop.img", RAW_IMAGE_BYTES)};
    g_autofree char *attach =
        g_strdup_printf("losetup --find --show --sector-size 4096 %s", f.path);
    g_autofree char *device = output_of(attach);
    g_autoptr(GError) error = NULL;
    uint8_t expected[3 * DISK_SECTOR];
    size_t len;

    if (!device) {
        g_test_skip("cannot make a loop device");
        g_unlink(f.path);
        g_free(f.path);
        return;
    }
    f.lane = lane_new("test");
    f.disk = raw_open_disk(device, false, true, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(f.disk->size, ==, RAW_IMAGE_BYTES);
    g_assert_cmpuint(f.disk->offset_alignment, ==, 4096);
    g_assert_cmpuint(f.disk->physical_sector, ==, 4096);
    f.queue = f.disk->class->queue_new(f.disk, f.lane);
    g_assert_nonnull(f.queue);
    f.memory = g_malloc(65536);
    g_autofree uint8_t *before = raw_contents(&f, &len);
    raw_pattern(expected, sizeof(expected), 3);
    memcpy(f.memory, expected, sizeof(expected));
    g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, 7 * DISK_SECTOR, sizeof(expected), f.memory), ==,
                    0);
    g_assert_cmpint(raw_run(&f, DISK_DISCARD, 65536, 65536, NULL, 0, false), ==, 0);
    g_assert_cmpint(raw_run(&f, DISK_WRITE_ZEROES, 32768 - 512, 5120, NULL, 0, false), ==, 0);
    g_assert_cmpint(raw_run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    memcpy(before + 7 * DISK_SECTOR, expected, sizeof(expected));
    memset(before + 32768 - 512, 0, 5120);
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpmem(now, 65536, before, 65536);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 7 * DISK_SECTOR, sizeof(expected), f.memory), ==,
                    0);
    g_assert_cmpmem(f.memory, sizeof(expected), expected, sizeof(expected));
    f.disk->class->queue_free(f.queue);
    disk_close(f.disk);
    lane_free(f.lane);
    g_autofree char *detach = g_strdup_printf("losetup --detach %s", device);
    g_free(output_of(detach));
    g_free(f.memory);
    g_unlink(f.path);
    g_free(f.path);
}

/* More unaligned requests than there are bounce buffers. */
static void test_bounce_pool_empty(void)
{
    struct raw_fixture f;
    struct raw_op op[200];
    struct iovec iov[200];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    for (unsigned i = 0; i < 200; i++) {
        iov[i] = (struct iovec){f.memory + i * (DISK_SECTOR + 1) + 1, DISK_SECTOR};
        op[i] = (struct raw_op){.request = {.op = DISK_READ,
                                            .offset = (uint64_t)i * DISK_SECTOR,
                                            .length = DISK_SECTOR,
                                            .iov = &iov[i],
                                            .iovs = 1}};
        raw_start(&f, &op[i]);
    }
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    for (unsigned i = 0; i < 200; i++) {
        raw_wait(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
        g_assert_cmpmem(iov[i].iov_base, DISK_SECTOR, now + i * DISK_SECTOR, DISK_SECTOR);
    }
    raw_tear_down(&f);
}

static void test_full_queue(void)
{
    struct raw_fixture f;
    static struct raw_op op[LIMIT_DISK_INFLIGHT + 50];
    static struct iovec iov[LIMIT_DISK_INFLIGHT + 50];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(op); i++) {
        iov[i] = (struct iovec){f.memory + i % 200 * GMEM_PAGE, GMEM_PAGE};
        op[i] = (struct raw_op){.request = {.op = DISK_READ,
                                            .offset = (uint64_t)(i % 200) * GMEM_PAGE,
                                            .length = GMEM_PAGE,
                                            .iov = &iov[i],
                                            .iovs = 1}};
        raw_start(&f, &op[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(op); i++) {
        raw_wait(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
    }
    raw_tear_down(&f);
}

/* --- Flush, FUA, discard --- */

static void test_flush_and_fua(void)
{
    struct raw_fixture f;
    struct iovec iov;

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    iov = (struct iovec){f.memory, GMEM_PAGE};
    raw_pattern(f.memory, GMEM_PAGE, 9);
    g_assert_cmpint(raw_run(&f, DISK_WRITE, 0, GMEM_PAGE, &iov, 1, true), ==, 0);
    iov.iov_base = f.memory + 1; /* bounced */
    g_assert_cmpint(raw_run(&f, DISK_WRITE, GMEM_PAGE, GMEM_PAGE, &iov, 1, true), ==, 0);
    g_assert_cmpint(raw_run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    raw_tear_down(&f);
}

static blkcnt_t blocks_of(const char *path)
{
    struct stat st;

    g_assert_cmpint(stat(path, &st), ==, 0);
    return st.st_blocks;
}

static void test_discard(void)
{
    struct raw_fixture f;
    static const uint8_t zeroes[65536];

    raw_set_up(&f, RAW_IMAGE_BYTES, false, true, 0);
    g_assert_true(f.disk->can_discard);
    g_assert_cmpint(raw_run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    blkcnt_t before = blocks_of(f.path);
    g_assert_cmpint(raw_run(&f, DISK_DISCARD, 65536, 65536, NULL, 0, false), ==, 0);
    g_assert_cmpint(blocks_of(f.path), ==, before - 128);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 65536, 65536, f.memory), ==, 0);
    g_assert_cmpmem(f.memory, 65536, zeroes, 65536);
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpuint(len, ==, RAW_IMAGE_BYTES);
    g_assert_cmpmem(now + 65536, 65536, zeroes, 65536);
    raw_tear_down(&f);

    /* Where it is not wanted it changes nothing. */
    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    g_autofree uint8_t *old = raw_contents(&f, &len);
    g_assert_cmpint(raw_run(&f, DISK_DISCARD, 0, 65536, NULL, 0, false), ==, 0);
    g_autofree uint8_t *same = raw_contents(&f, &len);
    g_assert_cmpmem(same, len, old, RAW_IMAGE_BYTES);
    raw_tear_down(&f);
}

static void check_write_zeroes(uint32_t align, bool discard)
{
    struct raw_fixture f;
    size_t len;

    raw_set_up(&f, RAW_IMAGE_BYTES, false, discard, align);
    g_autofree uint8_t *expected = raw_contents(&f, &len);
    g_assert_cmpint(raw_run(&f, DISK_WRITE_ZEROES, 1536, 200192, NULL, 0, false), ==, 0);
    memset(expected + 1536, 0, 200192);
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpmem(now, len, expected, RAW_IMAGE_BYTES);
    raw_tear_down(&f);
}

static void test_write_zeroes(void)
{
    check_write_zeroes(0, false);
    check_write_zeroes(0, true);
    check_write_zeroes(4096, true); /* ends that share a block are written */
}

/* --- Errors --- */

static void test_readonly(void)
{
    struct raw_fixture f;

    raw_set_up(&f, RAW_IMAGE_BYTES, true, true, 0);
    g_assert_true(f.disk->readonly);
    g_assert_false(f.disk->can_discard);
    g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, 0, GMEM_PAGE, f.memory), ==, -EROFS);
    g_assert_cmpint(raw_run(&f, DISK_DISCARD, 0, GMEM_PAGE, NULL, 0, false), ==, -EROFS);
    g_assert_cmpint(raw_run(&f, DISK_WRITE_ZEROES, 0, GMEM_PAGE, NULL, 0, false), ==, -EROFS);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 0, GMEM_PAGE, f.memory), ==, 0);
    g_assert_cmpint(raw_run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    raw_tear_down(&f);
}

static void test_out_of_range(void)
{
    struct raw_fixture f;

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, RAW_IMAGE_BYTES, 512, f.memory), ==, -EINVAL);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, RAW_IMAGE_BYTES - 512, 1024, f.memory), ==,
                    -EINVAL);
    g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, UINT64_MAX - 511, 1024, f.memory), ==, -EINVAL);
    g_assert_cmpint(raw_run(&f, DISK_DISCARD, 512, UINT64_MAX, NULL, 0, false), ==, -EINVAL);
    raw_tear_down(&f);
}

/* A size that is no multiple of a sector, or of O_DIRECT's alignment: the rest is not shown and
 * does not change. */
static void test_odd_size(void)
{
    struct raw_fixture f;
    size_t len;

    raw_set_up(&f, 5 * DISK_SECTOR + 100, false, false, 0);
    g_assert_cmpuint(f.disk->size, ==, 5 * DISK_SECTOR);
    raw_pattern(f.memory, DISK_SECTOR, 77);
    g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, 4 * DISK_SECTOR, DISK_SECTOR, f.memory), ==, 0);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 4 * DISK_SECTOR, 2 * DISK_SECTOR, f.memory), ==,
                    -EINVAL);
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpuint(len, ==, 5 * DISK_SECTOR + 100);
    raw_pattern(f.memory, DISK_SECTOR, 77);
    g_assert_cmpmem(now + 4 * DISK_SECTOR, DISK_SECTOR, f.memory, DISK_SECTOR);
    raw_tear_down(&f);
}

/* Somebody cuts the image while it is in use: an error, not a hang and not zeroes. */
static void test_shrunk_image(void)
{
    struct raw_fixture f;

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    g_assert_cmpint(truncate(f.path, 8192), ==, 0);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 65536, GMEM_PAGE, f.memory), ==, -EIO);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 65536, GMEM_PAGE, f.memory + 1), ==, -EIO);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 4096, 3 * GMEM_PAGE, f.memory), ==, -EIO);
    g_assert_cmpint(raw_run_flat(&f, DISK_READ, 4096, GMEM_PAGE, f.memory), ==, 0);
    raw_tear_down(&f);
}

/* The kernel cuts a write short (here at the file size limit), and refuses the rest: the error is
 * not lost. */
static void test_write_error(void)
{
    struct raw_fixture f;
    struct rlimit limit = {65536, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};

    raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
    raw_pattern(f.memory, 4 * GMEM_PAGE, 5);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    int result = raw_run_flat(&f, DISK_WRITE, 65536 - GMEM_PAGE, 4 * GMEM_PAGE, f.memory);
    int beyond = raw_run_flat(&f, DISK_WRITE, 65536, GMEM_PAGE, f.memory);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
    g_assert_cmpint(result, ==, -EFBIG);
    g_assert_cmpint(beyond, ==, -EFBIG);
    size_t len;
    g_autofree uint8_t *now = raw_contents(&f, &len);
    g_assert_cmpmem(now + 65536 - GMEM_PAGE, GMEM_PAGE, f.memory, GMEM_PAGE);
    raw_tear_down(&f);
}

static void test_no_space(void)
{
    g_autofree char *mount_point = g_build_filename(raw_folder, "small", NULL);
    g_autofree char *command = g_strdup_printf(
        "mkdir %s && mount -t tmpfs -o size=256k none %s 2>/dev/null", mount_point, mount_point);
    if (system(command) != 0) {
        g_test_skip("no right to mount a small file system");
        return;
    }
    g_autofree char *path = g_build_filename(mount_point, "disk.img", NULL);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    g_assert_cmpint(ftruncate(fd, RAW_IMAGE_BYTES), ==, 0);
    close(fd);

    struct raw_fixture f = {.path = path, .lane = lane_new("test")};
    g_autoptr(GError) error = NULL;
    f.disk = raw_open_disk(path, false, false, &error);
    g_assert_no_error(error);
    f.queue = f.disk->class->queue_new(f.disk, f.lane);
    g_autofree uint8_t *bytes = g_malloc0(RAW_IMAGE_BYTES);
    g_assert_cmpint(raw_run_flat(&f, DISK_WRITE, 0, RAW_IMAGE_BYTES, bytes), ==, -ENOSPC);
    f.disk->class->queue_free(f.queue);
    disk_close(f.disk);
    lane_free(f.lane);
    g_autofree char *undo = g_strdup_printf("umount -l %s && rmdir %s", mount_point, mount_point);
    g_assert_cmpint(system(undo), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_func("/raw/read-write", test_read_write);
    g_test_add_func("/raw/read-write-4kn", test_read_write_4kn);
    g_test_add_func("/raw/scattered-buffer", test_scattered_buffer);
    g_test_add_func("/raw/4kn-neighbours", test_4kn_neighbours);
    g_test_add_func("/raw/4kn-two-lanes", test_4kn_two_lanes);
    g_test_add_func("/raw/ordered-queues", test_ordered_queues);
    g_test_add_func("/raw/block-device-4kn", test_block_device_4kn);
    g_test_add_func("/raw/bounce-pool-empty", test_bounce_pool_empty);
    g_test_add_func("/raw/full-queue", test_full_queue);
    g_test_add_func("/raw/flush-and-fua", test_flush_and_fua);
    g_test_add_func("/raw/discard", test_discard);
    g_test_add_func("/raw/write-zeroes", test_write_zeroes);
    g_test_add_func("/raw/readonly", test_readonly);
    g_test_add_func("/raw/out-of-range", test_out_of_range);
    g_test_add_func("/raw/odd-size", test_odd_size);
    g_test_add_func("/raw/shrunk-image", test_shrunk_image);
    g_test_add_func("/raw/write-error", test_write_error);
    g_test_add_func("/raw/no-space", test_no_space);
    return raw_test_run();
}
