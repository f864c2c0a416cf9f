/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The raw and null backends, and image locks: what is written is in the file, whatever the
 * alignment; errors reach the caller; QEMU's tools see our lock and we see theirs.
 */
#include "src/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/disk/lock.h"

#define IMAGE_BYTES (1u << 20)
#define PAGE        4096u

static char *folder;

/* --- A disk with its lane --- */

struct fixture {
    char *path;
    struct lane *lane;
    struct disk *disk;
    struct disk_queue *queue;
    uint8_t *memory; /* page aligned, 2 * IMAGE_BYTES */
};

struct op {
    struct disk_request request;
    int result;
    bool finished;
};

static void op_done(struct disk_request *request, int result)
{
    struct op *op = container_of(request, struct op, request);

    g_assert_false(op->finished);
    op->finished = true;
    op->result = result;
}

static void pattern(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)((i * 7 + i / 509 + seed) ^ (i >> 12));
}

static char *make_image(const char *name, size_t len)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autofree uint8_t *bytes = g_malloc(len + 1);

    pattern(bytes, len, 1);
    g_assert_true(g_file_set_contents(path, (char *)bytes, (gssize)len, NULL));
    return path;
}

static struct disk *open_disk(const char *path, bool readonly, bool discard, GError **error)
{
    const struct disk_params params = {
        .path = path, .fd = -1, .readonly = readonly, .direct = true, .discard = discard};

    return disk_open(&disk_raw_class, &params, error);
}

/* `align` overrides the image's alignment, as a 4Kn disk has it; 0 leaves it. */
static void set_up(struct fixture *f, size_t len, bool readonly, bool discard, uint32_t align)
{
    g_autoptr(GError) error = NULL;

    f->path = make_image("disk.img", len);
    f->lane = lane_new("test");
    f->disk = open_disk(f->path, readonly, discard, &error);
    g_assert_no_error(error);
    if (align)
        f->disk->offset_alignment = align;
    f->queue = f->disk->class->queue_new(f->disk, f->lane);
    g_assert_nonnull(f->queue);
    f->memory =
        mmap(NULL, 2 * IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(f->memory != MAP_FAILED);
}

static void tear_down(struct fixture *f)
{
    g_assert_cmpuint(f->queue->inflight, ==, 0);
    f->disk->class->queue_free(f->queue);
    disk_close(f->disk);
    lane_free(f->lane);
    munmap(f->memory, 2 * IMAGE_BYTES);
    g_unlink(f->path);
    g_free(f->path);
}

static void submit(struct fixture *f, struct op *op)
{
    op->finished = false;
    op->request.done = op_done;
    disk_submit(f->queue, &op->request);
}

static void wait_for(struct fixture *f, const struct op *op)
{
    uint64_t end = lane_now() + 10000000000ull;

    f->disk->class->flush_submissions(f->queue); /* we are not inside a turn, which would do it */
    while (!op->finished) {
        g_assert_cmpuint(lane_now(), <, end);
        lane_turn(f->lane, 1000);
    }
}

static int run(struct fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
               struct iovec *iov, unsigned iovs, bool fua)
{
    struct op op = {
        .request = {
            .op = what, .offset = offset, .length = length, .iov = iov, .iovs = iovs, .fua = fua}};

    submit(f, &op);
    wait_for(f, &op);
    return op.result;
}

static int run_flat(struct fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
                    void *base)
{
    struct iovec iov = {base, length};

    return run(f, what, offset, length, &iov, 1, false);
}

/* The image as it is on disk now. */
static uint8_t *image(const struct fixture *f, size_t *len)
{
    char *bytes;

    g_assert_true(g_file_get_contents(f->path, &bytes, len, NULL));
    return (uint8_t *)bytes;
}

/* --- Data --- */

static void check_reads_and_writes(uint32_t align)
{
    static const struct {
        uint64_t offset;
        uint32_t length;
        uint32_t skew; /* of the buffer against its page */
    } cases[] = {
        {0, 4096, 0},        {512, 512, 0},
        {512, 512, 512},     {3584, 1024, 0},
        {4096, 65536, 0},    {4608, 66048, 1},
        {512, 131072, 3},    {IMAGE_BYTES - 512, 512, 7},
        {0, IMAGE_BYTES, 0}, {512, IMAGE_BYTES - 1024, 0},
        {65024, 1024, 0},    {61440, 8192, 5},
    };
    struct fixture f;
    g_autofree uint8_t *expected = g_malloc(IMAGE_BYTES);

    set_up(&f, IMAGE_BYTES, false, false, align);
    pattern(expected, IMAGE_BYTES, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t *p = f.memory + cases[i].skew;
        g_assert_cmpint(run_flat(&f, DISK_READ, cases[i].offset, cases[i].length, p), ==, 0);
        g_assert_cmpmem(p, cases[i].length, expected + cases[i].offset, cases[i].length);
        pattern(p, cases[i].length, 100 + i);
        memcpy(expected + cases[i].offset, p, cases[i].length);
        g_assert_cmpint(run_flat(&f, DISK_WRITE, cases[i].offset, cases[i].length, p), ==, 0);
        size_t len;
        g_autofree uint8_t *now = image(&f, &len);
        g_assert_cmpmem(now, len, expected, IMAGE_BYTES);
    }
    tear_down(&f);
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
    struct fixture f;
    struct iovec iov[3];

    set_up(&f, IMAGE_BYTES, false, false, 0);
    /* Aligned pages go straight to the kernel, the others through a bounce buffer. */
    for (unsigned skew = 0; skew <= 24; skew += 24) {
        for (unsigned i = 0; i < 3; i++) {
            iov[i] = (struct iovec){f.memory + i * 3 * PAGE + skew, PAGE};
            pattern(iov[i].iov_base, PAGE, 40 + i + skew);
        }
        g_assert_cmpint(run(&f, DISK_WRITE, PAGE, 3 * PAGE, iov, 3, false), ==, 0);
        size_t len;
        g_autofree uint8_t *now = image(&f, &len);
        for (unsigned i = 0; i < 3; i++)
            g_assert_cmpmem(now + PAGE + i * PAGE, PAGE, iov[i].iov_base, PAGE);
        for (unsigned i = 0; i < 3; i++)
            memset(iov[i].iov_base, 0, PAGE);
        g_assert_cmpint(run(&f, DISK_READ, PAGE, 3 * PAGE, iov, 3, false), ==, 0);
        for (unsigned i = 0; i < 3; i++)
            g_assert_cmpmem(iov[i].iov_base, PAGE, now + PAGE + i * PAGE, PAGE);
    }
    tear_down(&f);
}

/* Eight neighbours of one block, written at once: none may put back what another has replaced. */
static void test_4kn_neighbours(void)
{
    struct fixture f;
    struct op op[64];
    struct iovec iov[64];

    set_up(&f, IMAGE_BYTES, false, false, 4096);
    for (unsigned i = 0; i < 64; i++) {
        iov[i] = (struct iovec){f.memory + i * DISK_SECTOR, DISK_SECTOR};
        memset(iov[i].iov_base, (int)(0x80 + i), DISK_SECTOR);
        op[i] = (struct op){.request = {.op = DISK_WRITE,
                                        .offset = (uint64_t)i * DISK_SECTOR,
                                        .length = DISK_SECTOR,
                                        .iov = &iov[i],
                                        .iovs = 1}};
    }
    for (unsigned i = 0; i < 64; i++)
        submit(&f, &op[i]);
    for (unsigned i = 0; i < 64; i++) {
        wait_for(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
    }
    size_t len;
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpmem(now, 64 * DISK_SECTOR, f.memory, 64 * DISK_SECTOR);
    tear_down(&f);
}

struct writer {
    struct fixture *f;
    struct lane *lane;
    struct disk_queue *queue;
    struct lane_task task;
    struct op op;
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
    struct fixture f;
    struct writer w[2];
    uint8_t sector[2][DISK_SECTOR];

    set_up(&f, IMAGE_BYTES, false, false, 4096);
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
    g_autofree uint8_t *now = image(&f, &len);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < DISK_SECTOR; j++)
            g_assert_cmpuint(now[i * DISK_SECTOR + j], ==, 1 + i);
    tear_down(&f);
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
    struct fixture f = {.path = make_image("loop.img", IMAGE_BYTES)};
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
    f.disk = open_disk(device, false, true, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(f.disk->size, ==, IMAGE_BYTES);
    g_assert_cmpuint(f.disk->offset_alignment, ==, 4096);
    g_assert_cmpuint(f.disk->physical_sector, ==, 4096);
    f.queue = f.disk->class->queue_new(f.disk, f.lane);
    g_assert_nonnull(f.queue);
    f.memory = g_malloc(65536);
    g_autofree uint8_t *before = image(&f, &len);
    pattern(expected, sizeof(expected), 3);
    memcpy(f.memory, expected, sizeof(expected));
    g_assert_cmpint(run_flat(&f, DISK_WRITE, 7 * DISK_SECTOR, sizeof(expected), f.memory), ==, 0);
    g_assert_cmpint(run(&f, DISK_DISCARD, 65536, 65536, NULL, 0, false), ==, 0);
    g_assert_cmpint(run(&f, DISK_WRITE_ZEROES, 32768 - 512, 5120, NULL, 0, false), ==, 0);
    g_assert_cmpint(run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    memcpy(before + 7 * DISK_SECTOR, expected, sizeof(expected));
    memset(before + 32768 - 512, 0, 5120);
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpmem(now, 65536, before, 65536);
    g_assert_cmpint(run_flat(&f, DISK_READ, 7 * DISK_SECTOR, sizeof(expected), f.memory), ==, 0);
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
    struct fixture f;
    struct op op[200];
    struct iovec iov[200];

    set_up(&f, IMAGE_BYTES, false, false, 0);
    for (unsigned i = 0; i < 200; i++) {
        iov[i] = (struct iovec){f.memory + i * (DISK_SECTOR + 1) + 1, DISK_SECTOR};
        op[i] = (struct op){.request = {.op = DISK_READ,
                                        .offset = (uint64_t)i * DISK_SECTOR,
                                        .length = DISK_SECTOR,
                                        .iov = &iov[i],
                                        .iovs = 1}};
        submit(&f, &op[i]);
    }
    size_t len;
    g_autofree uint8_t *now = image(&f, &len);
    for (unsigned i = 0; i < 200; i++) {
        wait_for(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
        g_assert_cmpmem(iov[i].iov_base, DISK_SECTOR, now + i * DISK_SECTOR, DISK_SECTOR);
    }
    tear_down(&f);
}

static void test_full_queue(void)
{
    struct fixture f;
    static struct op op[LIMIT_DISK_INFLIGHT + 50];
    static struct iovec iov[LIMIT_DISK_INFLIGHT + 50];

    set_up(&f, IMAGE_BYTES, false, false, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(op); i++) {
        iov[i] = (struct iovec){f.memory + i % 200 * PAGE, PAGE};
        op[i] = (struct op){.request = {.op = DISK_READ,
                                        .offset = (uint64_t)(i % 200) * PAGE,
                                        .length = PAGE,
                                        .iov = &iov[i],
                                        .iovs = 1}};
        submit(&f, &op[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(op); i++) {
        wait_for(&f, &op[i]);
        g_assert_cmpint(op[i].result, ==, 0);
    }
    tear_down(&f);
}

/* --- Flush, FUA, discard --- */

static void test_flush_and_fua(void)
{
    struct fixture f;
    struct iovec iov;

    set_up(&f, IMAGE_BYTES, false, false, 0);
    iov = (struct iovec){f.memory, PAGE};
    pattern(f.memory, PAGE, 9);
    g_assert_cmpint(run(&f, DISK_WRITE, 0, PAGE, &iov, 1, true), ==, 0);
    iov.iov_base = f.memory + 1; /* bounced */
    g_assert_cmpint(run(&f, DISK_WRITE, PAGE, PAGE, &iov, 1, true), ==, 0);
    g_assert_cmpint(run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    tear_down(&f);
}

static blkcnt_t blocks_of(const char *path)
{
    struct stat st;

    g_assert_cmpint(stat(path, &st), ==, 0);
    return st.st_blocks;
}

static void test_discard(void)
{
    struct fixture f;
    static const uint8_t zeroes[65536];

    set_up(&f, IMAGE_BYTES, false, true, 0);
    g_assert_true(f.disk->can_discard);
    g_assert_cmpint(run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    blkcnt_t before = blocks_of(f.path);
    g_assert_cmpint(run(&f, DISK_DISCARD, 65536, 65536, NULL, 0, false), ==, 0);
    g_assert_cmpint(blocks_of(f.path), ==, before - 128);
    g_assert_cmpint(run_flat(&f, DISK_READ, 65536, 65536, f.memory), ==, 0);
    g_assert_cmpmem(f.memory, 65536, zeroes, 65536);
    size_t len;
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpuint(len, ==, IMAGE_BYTES);
    tear_down(&f);

    /* Where it is not wanted it changes nothing. */
    set_up(&f, IMAGE_BYTES, false, false, 0);
    g_autofree uint8_t *old = image(&f, &len);
    g_assert_cmpint(run(&f, DISK_DISCARD, 0, 65536, NULL, 0, false), ==, 0);
    g_autofree uint8_t *same = image(&f, &len);
    g_assert_cmpmem(same, len, old, IMAGE_BYTES);
    tear_down(&f);
}

static void check_write_zeroes(uint32_t align, bool discard)
{
    struct fixture f;
    size_t len;

    set_up(&f, IMAGE_BYTES, false, discard, align);
    g_autofree uint8_t *expected = image(&f, &len);
    g_assert_cmpint(run(&f, DISK_WRITE_ZEROES, 1536, 200192, NULL, 0, false), ==, 0);
    memset(expected + 1536, 0, 200192);
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpmem(now, len, expected, IMAGE_BYTES);
    tear_down(&f);
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
    struct fixture f;

    set_up(&f, IMAGE_BYTES, true, true, 0);
    g_assert_true(f.disk->readonly);
    g_assert_false(f.disk->can_discard);
    g_assert_cmpint(run_flat(&f, DISK_WRITE, 0, PAGE, f.memory), ==, -EROFS);
    g_assert_cmpint(run(&f, DISK_DISCARD, 0, PAGE, NULL, 0, false), ==, -EROFS);
    g_assert_cmpint(run(&f, DISK_WRITE_ZEROES, 0, PAGE, NULL, 0, false), ==, -EROFS);
    g_assert_cmpint(run_flat(&f, DISK_READ, 0, PAGE, f.memory), ==, 0);
    g_assert_cmpint(run(&f, DISK_FLUSH, 0, 0, NULL, 0, false), ==, 0);
    tear_down(&f);
}

static void test_out_of_range(void)
{
    struct fixture f;

    set_up(&f, IMAGE_BYTES, false, false, 0);
    g_assert_cmpint(run_flat(&f, DISK_READ, IMAGE_BYTES, 512, f.memory), ==, -EINVAL);
    g_assert_cmpint(run_flat(&f, DISK_READ, IMAGE_BYTES - 512, 1024, f.memory), ==, -EINVAL);
    g_assert_cmpint(run_flat(&f, DISK_WRITE, UINT64_MAX - 511, 1024, f.memory), ==, -EINVAL);
    g_assert_cmpint(run(&f, DISK_DISCARD, 512, UINT64_MAX, NULL, 0, false), ==, -EINVAL);
    tear_down(&f);
}

/* A size that is no multiple of a sector, or of O_DIRECT's alignment: the rest is not shown and
 * does not change. */
static void test_odd_size(void)
{
    struct fixture f;
    size_t len;

    set_up(&f, 5 * DISK_SECTOR + 100, false, false, 0);
    g_assert_cmpuint(f.disk->size, ==, 5 * DISK_SECTOR);
    pattern(f.memory, DISK_SECTOR, 77);
    g_assert_cmpint(run_flat(&f, DISK_WRITE, 4 * DISK_SECTOR, DISK_SECTOR, f.memory), ==, 0);
    g_assert_cmpint(run_flat(&f, DISK_READ, 4 * DISK_SECTOR, 2 * DISK_SECTOR, f.memory), ==,
                    -EINVAL);
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpuint(len, ==, 5 * DISK_SECTOR + 100);
    pattern(f.memory, DISK_SECTOR, 77);
    g_assert_cmpmem(now + 4 * DISK_SECTOR, DISK_SECTOR, f.memory, DISK_SECTOR);
    tear_down(&f);
}

/* Somebody cuts the image while it is in use: an error, not a hang and not zeroes. */
static void test_shrunk_image(void)
{
    struct fixture f;

    set_up(&f, IMAGE_BYTES, false, false, 0);
    g_assert_cmpint(truncate(f.path, 8192), ==, 0);
    g_assert_cmpint(run_flat(&f, DISK_READ, 65536, PAGE, f.memory), ==, -EIO);
    g_assert_cmpint(run_flat(&f, DISK_READ, 65536, PAGE, f.memory + 1), ==, -EIO);
    g_assert_cmpint(run_flat(&f, DISK_READ, 4096, 3 * PAGE, f.memory), ==, -EIO);
    g_assert_cmpint(run_flat(&f, DISK_READ, 4096, PAGE, f.memory), ==, 0);
    tear_down(&f);
}

/* The kernel cuts a write short (here at the file size limit), and refuses the rest: the error is
 * not lost. */
static void test_write_error(void)
{
    struct fixture f;
    struct rlimit limit = {65536, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};

    set_up(&f, IMAGE_BYTES, false, false, 0);
    pattern(f.memory, 4 * PAGE, 5);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    int result = run_flat(&f, DISK_WRITE, 65536 - PAGE, 4 * PAGE, f.memory);
    int beyond = run_flat(&f, DISK_WRITE, 65536, PAGE, f.memory);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
    g_assert_cmpint(result, ==, -EFBIG);
    g_assert_cmpint(beyond, ==, -EFBIG);
    size_t len;
    g_autofree uint8_t *now = image(&f, &len);
    g_assert_cmpmem(now + 65536 - PAGE, PAGE, f.memory, PAGE);
    tear_down(&f);
}

static void test_no_space(void)
{
    g_autofree char *mount_point = g_build_filename(folder, "small", NULL);
    g_autofree char *command = g_strdup_printf(
        "mkdir %s && mount -t tmpfs -o size=256k none %s 2>/dev/null", mount_point, mount_point);
    if (system(command) != 0) {
        g_test_skip("no right to mount a small file system");
        return;
    }
    g_autofree char *path = g_build_filename(mount_point, "disk.img", NULL);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    g_assert_cmpint(ftruncate(fd, IMAGE_BYTES), ==, 0);
    close(fd);

    struct fixture f = {.path = path, .lane = lane_new("test")};
    g_autoptr(GError) error = NULL;
    f.disk = open_disk(path, false, false, &error);
    g_assert_no_error(error);
    f.queue = f.disk->class->queue_new(f.disk, f.lane);
    g_autofree uint8_t *bytes = g_malloc0(IMAGE_BYTES);
    g_assert_cmpint(run_flat(&f, DISK_WRITE, 0, IMAGE_BYTES, bytes), ==, -ENOSPC);
    f.disk->class->queue_free(f.queue);
    disk_close(f.disk);
    lane_free(f.lane);
    g_autofree char *undo = g_strdup_printf("umount -l %s && rmdir %s", mount_point, mount_point);
    g_assert_cmpint(system(undo), ==, 0);
}

static void expect_open_error(const char *path, bool readonly, int code, const char *word)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(open_disk(path, readonly, false, &error));
    g_assert_error(error, DISK_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, word));
    g_assert_null(strchr(error->message, '\n'));
    g_test_message("%s", error->message);
}

static void test_open_errors(void)
{
    g_autofree char *empty = make_image("empty.img", 0);
    g_autofree char *missing = g_build_filename(folder, "missing.img", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);

    expect_open_error(missing, false, DISK_ERROR_OPEN, "qemu-img create");
    expect_open_error(folder, true, DISK_ERROR_OPEN, "give an image file");
    expect_open_error(folder, false, DISK_ERROR_OPEN, "give an image file");
    expect_open_error(empty, false, DISK_ERROR_FORMAT, "empty");
    expect_open_error("/dev/null", false, DISK_ERROR_FORMAT, "neither");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    expect_open_error(fifo, false, DISK_ERROR_FORMAT, "neither");
    g_unlink(fifo);
    g_unlink(empty);
}

static void test_permission(void)
{
    g_autofree char *path = make_image("private.img", IMAGE_BYTES);

    g_assert_cmpint(chmod(path, 0), ==, 0);
    if (geteuid() == 0 && seteuid(65534) != 0) {
        g_test_skip("cannot become an unprivileged user");
        return;
    }
    if (chmod(folder, 0755) == 0 || geteuid() == 65534)
        expect_open_error(path, false, DISK_ERROR_OPEN, "user");
    if (getuid() == 0)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_unlink(path);
}

/* A descriptor that was opened for us, but not for writing. */
static void test_given_descriptor(void)
{
    g_autofree char *path = make_image("given.img", IMAGE_BYTES);
    g_autoptr(GError) error = NULL;
    struct disk_params params = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};

    g_assert_null(disk_open(&disk_raw_class, &params, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
    params.fd = open(path, O_RDONLY | O_CLOEXEC);
    params.readonly = true;
    struct disk *disk = disk_open(&disk_raw_class, &params, NULL);
    g_assert_nonnull(disk);
    g_assert_cmpuint(disk->size, ==, IMAGE_BYTES);
    disk_close(disk);
    g_unlink(path);
}

/* --- Locks --- */

static void test_locks(void)
{
    g_autofree char *path = make_image("locked.img", IMAGE_BYTES);
    struct disk *writer = open_disk(path, false, false, NULL);

    g_assert_nonnull(writer);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    expect_open_error(path, true, DISK_ERROR_LOCKED, "in use");
    const struct disk_params shared = {.path = path, .fd = -1, .shared = true};
    struct disk *other = disk_open(&disk_raw_class, &shared, NULL);
    g_assert_nonnull(other);
    disk_close(other);
    disk_close(writer);

    struct disk *reader = open_disk(path, true, false, NULL);
    other = open_disk(path, true, false, NULL);
    g_assert_nonnull(reader);
    g_assert_nonnull(other);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    disk_close(reader);
    disk_close(other);
    writer = open_disk(path, false, false, NULL);
    g_assert_nonnull(writer);
    disk_close(writer);
    g_unlink(path);
}

/* The lock ends with the disk, though the kernel takes its time to end a ring. */
static void test_lock_ends(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct fixture f;
        set_up(&f, IMAGE_BYTES, false, false, 0);
        g_assert_cmpint(run_flat(&f, DISK_READ, 0, PAGE, f.memory), ==, 0);
        f.disk->class->queue_free(f.queue);
        disk_close(f.disk);
        f.disk = open_disk(f.path, false, false, NULL);
        g_assert_nonnull(f.disk);
        f.queue = f.disk->class->queue_new(f.disk, f.lane);
        tear_down(&f);
    }
}

/* Exit status of qemu-io on the image, its messages in *ret_text. */
static int qemu_io(const char *path, const char *option, const char *command, char **ret_text)
{
    const char *const argv[] = {"qemu-io", "-f", "raw", option, "-c", command, path, NULL};
    int status = -1;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               ret_text, &status, NULL));
    return status;
}

static void test_locks_qemu_sees(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-io");
    g_autofree char *path = make_image("qemu.img", IMAGE_BYTES);

    if (!program) {
        g_test_skip("qemu-io is not installed");
        return;
    }
    struct disk *disk = open_disk(path, false, false, NULL);
    g_autofree char *text = NULL;
    qemu_io(path, "-n", "write 0 512", &text);
    g_assert_nonnull(strstr(text, "lock"));
    disk_close(disk);

    disk = open_disk(path, true, false, NULL);
    g_autofree char *shared_text = NULL;
    g_assert_cmpint(qemu_io(path, "-r", "read 0 512", &shared_text), ==, 0);
    g_assert_null(strstr(shared_text, "lock"));
    g_autofree char *write_text = NULL;
    qemu_io(path, "-n", "write 0 512", &write_text);
    g_assert_nonnull(strstr(write_text, "lock"));
    disk_close(disk);
    g_unlink(path);
}

/* Is `byte` of the image locked by anybody? */
static bool byte_locked(const char *path, long byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = byte, .l_len = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(fcntl(fd, F_OFD_GETLK, &lock), ==, 0);
    close(fd);
    return lock.l_type != F_UNLCK;
}

/* Keep qemu-io open on the image, for writing; it sleeps in its own command. */
static GPid start_qemu_io(const char *path)
{
    const char *const argv[] = {"qemu-io", "-f", "raw", "-c", "sleep 20000", path, NULL};
    uint64_t end = lane_now() + 10000000000ull;
    GPid pid;

    g_assert_true(g_spawn_async(NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                NULL));
    while (!byte_locked(path, 101)) {
        g_assert_cmpuint(lane_now(), <, end);
        g_usleep(10000);
    }
    return pid;
}

static void stop(GPid pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_spawn_close_pid(pid);
}

static void test_locks_of_qemu(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-io");
    g_autofree char *path = make_image("qemu.img", IMAGE_BYTES);

    if (!program) {
        g_test_skip("qemu-io is not installed");
        return;
    }
    GPid pid = start_qemu_io(path);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    expect_open_error(path, true, DISK_ERROR_LOCKED, "in use");
    stop(pid);
    struct disk *disk = open_disk(path, false, false, NULL);
    g_assert_nonnull(disk);
    disk_close(disk);
    g_unlink(path);
}

/* A reader that holds what a read-only drive of a QEMU machine holds: it reads (byte 100) and does
 * not share writing (byte 201). */
static void test_lock_bytes(void)
{
    static const long bytes[] = {100, 201};
    g_autofree char *path = make_image("bytes.img", IMAGE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    for (unsigned i = 0; i < G_N_ELEMENTS(bytes); i++) {
        struct flock lock = {.l_type = F_RDLCK, .l_start = bytes[i], .l_len = 1};
        g_assert_cmpint(fcntl(fd, F_OFD_SETLK, &lock), ==, 0);
    }
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    struct disk *disk = open_disk(path, true, false, NULL);
    g_assert_nonnull(disk);
    disk_close(disk);
    close(fd);

    /* And what we hold, seen from outside. */
    disk = open_disk(path, false, false, NULL);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    for (long byte = 96; byte < 208; byte++) {
        struct flock lock = {.l_type = F_WRLCK, .l_start = byte, .l_len = 1};
        bool ours = byte == 100 || byte == 101 || byte == 103 || byte == 201 || byte == 203;
        g_assert_cmpint(fcntl(fd, F_OFD_GETLK, &lock), ==, 0);
        g_assert_cmpint(lock.l_type, ==, ours ? F_RDLCK : F_UNLCK);
    }
    close(fd);
    disk_close(disk);
    g_unlink(path);
}

/* --- Null --- */

static void test_null(void)
{
    static const struct {
        const char *path;
        uint64_t size;
    } cases[] = {
        {"null:512", 512},       {"null:1000", 512},
        {"null:4K", 4096},       {"null:16G", 16ull << 30},
        {"null:2T", 2ull << 40}, {"null:", 0},
        {"null:0", 0},           {"null:511", 0},
        {"null:-1", 0},          {"null:1X", 0},
        {"null:1KK", 0},         {"null:99999999999999999999", 0},
        {"null:16777216T", 0},   {"16G", 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct disk_params params = {.path = cases[i].path, .fd = -1};
        struct disk *disk = disk_open(&disk_null_class, &params, NULL);
        g_assert_cmpuint(disk ? disk->size : 0, ==, cases[i].size);
        disk_close(disk);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGXFSZ, SIG_IGN);
    folder = g_dir_make_tmp("test-raw-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/raw/read-write", test_read_write);
    g_test_add_func("/raw/read-write-4kn", test_read_write_4kn);
    g_test_add_func("/raw/scattered-buffer", test_scattered_buffer);
    g_test_add_func("/raw/4kn-neighbours", test_4kn_neighbours);
    g_test_add_func("/raw/4kn-two-lanes", test_4kn_two_lanes);
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
    g_test_add_func("/raw/open-errors", test_open_errors);
    g_test_add_func("/raw/permission", test_permission);
    g_test_add_func("/raw/given-descriptor", test_given_descriptor);
    g_test_add_func("/lock/ours", test_locks);
    g_test_add_func("/lock/ends-with-disk", test_lock_ends);
    g_test_add_func("/lock/qemu-sees-ours", test_locks_qemu_sees);
    g_test_add_func("/lock/we-see-qemu's", test_locks_of_qemu);
    g_test_add_func("/lock/bytes", test_lock_bytes);
    g_test_add_func("/null/sizes", test_null);
    int result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
