/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image and its requests.
 */
#include "tests/unit/raw_fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>

#include "src/common/container.h"

char *raw_folder;

int raw_test_run(void)
{
    raw_folder = g_dir_make_tmp("test-raw-XXXXXX", NULL);
    g_assert_nonnull(raw_folder);
    int result = g_test_run();
    g_rmdir(raw_folder);
    g_free(raw_folder);
    return result;
}

static void op_done(struct disk_request *request, int result)
{
    struct raw_op *op = container_of(request, struct raw_op, request);

    g_assert_false(op->finished);
    op->finished = true;
    op->result = result;
}

void raw_pattern(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)((i * 7 + i / 509 + seed) ^ (i >> 12));
}

char *raw_image(const char *name, size_t len)
{
    char *path = g_build_filename(raw_folder, name, NULL);
    g_autofree uint8_t *bytes = g_malloc(len + 1);

    raw_pattern(bytes, len, 1);
    g_assert_true(g_file_set_contents(path, (char *)bytes, (gssize)len, NULL));
    return path;
}

struct disk *raw_open_disk(const char *path, bool readonly, bool discard, GError **error)
{
    const struct disk_params params = {
        .path = path, .fd = -1, .readonly = readonly, .direct = true, .discard = discard};

    return disk_open(&disk_raw_class, &params, error);
}

void raw_set_up(struct raw_fixture *f, size_t len, bool readonly, bool discard, uint32_t align)
{
    g_autoptr(GError) error = NULL;

    f->path = raw_image("disk.img", len);
    f->lane = lane_new("test");
    f->disk = raw_open_disk(f->path, readonly, discard, &error);
    g_assert_no_error(error);
    if (align)
        f->disk->offset_alignment = align;
    f->queue = f->disk->class->queue_new(f->disk, f->lane);
    g_assert_nonnull(f->queue);
    f->memory =
        mmap(NULL, 2 * RAW_IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(f->memory != MAP_FAILED);
}

void raw_tear_down(struct raw_fixture *f)
{
    g_assert_cmpuint(f->queue->inflight, ==, 0);
    f->disk->class->queue_free(f->queue);
    disk_close(f->disk);
    lane_free(f->lane);
    munmap(f->memory, 2 * RAW_IMAGE_BYTES);
    g_unlink(f->path);
    g_free(f->path);
}

void raw_start(struct raw_fixture *f, struct raw_op *op)
{
    op->finished = false;
    op->request.done = op_done;
    disk_submit(f->queue, &op->request);
}

void raw_wait(struct raw_fixture *f, const struct raw_op *op)
{
    uint64_t end = lane_now() + 10000000000ull;

    f->disk->class->flush_submissions(f->queue); /* we are not inside a turn, which would do it */
    while (!op->finished) {
        g_assert_cmpuint(lane_now(), <, end);
        lane_turn(f->lane, 1000);
    }
}

int raw_run(struct raw_fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
            struct iovec *iov, unsigned iovs, bool fua)
{
    struct raw_op op = {
        .request = {
            .op = what, .offset = offset, .length = length, .iov = iov, .iovs = iovs, .fua = fua}};

    raw_start(f, &op);
    raw_wait(f, &op);
    return op.result;
}

int raw_run_flat(struct raw_fixture *f, enum disk_op what, uint64_t offset, uint64_t length,
                 void *base)
{
    struct iovec iov = {base, length};

    return raw_run(f, what, offset, length, &iov, 1, false);
}

uint8_t *raw_contents(const struct raw_fixture *f, size_t *len)
{
    char *bytes;

    g_assert_true(g_file_get_contents(f->path, &bytes, len, NULL));
    return (uint8_t *)bytes;
}
