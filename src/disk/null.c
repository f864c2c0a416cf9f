/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The null backend: reads zeroes, forgets writes, completes inside submit. For benches, which want
 * to see the cost of everything above the disk, and for tests.
 *
 * Its "path" is null:SIZE, in bytes or with one of the suffixes K, M, G, T (powers of 1024).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/disk/disk.h"

#define NULL_PREFIX "null:"

/* Bytes that `text` names, or 0. */
static uint64_t parse_size(const char *text)
{
    static const char suffixes[] = "KMGT";
    char *end;

    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    uint64_t size = strtoull(text, &end, 10);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;
    unsigned shift = suffix ? 10u * (unsigned)(suffix - suffixes + 1) : 0;
    if (errno || (*end && (!suffix || end[1])) || size > UINT64_MAX >> shift)
        return 0;
    return size << shift;
}

static bool null_open(struct disk *disk, const struct disk_params *params, GError **error)
{
    const char *path = params->path;

    if (g_str_has_prefix(path, NULL_PREFIX))
        disk->size = parse_size(path + strlen(NULL_PREFIX)) / DISK_SECTOR * DISK_SECTOR;
    if (!disk->size) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_FORMAT,
                    "%s: not a null disk; write null:SIZE, such as null:16G", path);
        return false;
    }
    disk->can_discard = params->discard && !params->readonly;
    return true;
}

static void null_close(struct disk *disk)
{
    (void)disk;
}

static struct disk_queue *null_queue_new(struct disk *disk, struct lane *lane)
{
    struct disk_queue *queue = calloc(1, sizeof(*queue));

    if (queue)
        *queue = (struct disk_queue){.disk = disk, .lane = lane};
    return queue;
}

static void null_queue_free(struct disk_queue *queue)
{
    free(queue);
}

static void null_submit(struct disk_queue *queue, struct disk_request *request)
{
    const struct disk *disk = queue->disk;
    int result = 0;

    if (request->length > disk->size || request->offset > disk->size - request->length)
        result = -EINVAL;
    else if (request->op == DISK_READ)
        for (unsigned i = 0; i < request->iovs; i++)
            memset(request->iov[i].iov_base, 0, request->iov[i].iov_len);
    else if (request->op != DISK_FLUSH && disk->readonly)
        result = -EROFS;
    request->done(request, result);
}

static void null_flush_submissions(struct disk_queue *queue)
{
    (void)queue;
}

const struct disk_class disk_null_class = {
    .name = "null",
    .state_size = sizeof(struct disk),
    .open = null_open,
    .close = null_close,
    .queue_new = null_queue_new,
    .queue_free = null_queue_free,
    .submit = null_submit,
    .flush_submissions = null_flush_submissions,
};
