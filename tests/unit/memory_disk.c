/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk in memory.
 */
#include "tests/unit/memory_disk.h"

#include <stdlib.h>
#include <string.h>

#include "src/common/container.h"
#include "src/kvm/gmem.h"

static struct disk_queue *queue_new(struct disk *disk, struct lane *lane)
{
    struct disk_queue *queue = g_new0(struct disk_queue, 1);

    container_of(disk, struct memory_disk, disk)->queues++;
    *queue = (struct disk_queue){.disk = disk, .lane = lane};
    return queue;
}

static void queue_free(struct disk_queue *queue)
{
    container_of(queue->disk, struct memory_disk, disk)->queues--;
    g_free(queue);
}

static void perform(struct memory_disk *memory, struct disk_request *request)
{
    int result = memory->fail;

    /* What backends are promised. */
    if (request->op != DISK_FLUSH) {
        g_assert_cmpuint(request->length, >, 0);
        g_assert_cmpuint(request->offset % DISK_SECTOR, ==, 0);
        g_assert_cmpuint(request->length % DISK_SECTOR, ==, 0);
        g_assert_cmpuint(request->length, <=, memory->disk.size);
        g_assert_cmpuint(request->offset, <=, memory->disk.size - request->length);
        g_assert_true(request->op == DISK_READ || !memory->disk.readonly);
    }
    uint8_t *at = memory->bytes + request->offset;
    if (result == 0 && request->op == DISK_READ)
        g_assert_cmpuint(gmem_iov_write(request->iov, request->iovs, 0, at, request->length), ==,
                         request->length);
    else if (result == 0 && request->op == DISK_WRITE)
        g_assert_cmpuint(gmem_iov_read(request->iov, request->iovs, 0, at, request->length), ==,
                         request->length);
    else if (result == 0 && request->op != DISK_FLUSH)
        memset(at, 0, request->length);
    request->done(request, result);
}

static void submit(struct disk_queue *queue, struct disk_request *request)
{
    struct memory_disk *memory = container_of(queue->disk, struct memory_disk, disk);

    memory->count[request->op]++;
    memory->fua += request->op == DISK_WRITE && request->fua;
    if (memory->traced < MEMORY_DISK_TRACE)
        memory->trace[memory->traced++] = request->op;
    if (!memory->hold) {
        perform(memory, request);
        return;
    }
    request->next = NULL;
    *memory->last = request;
    memory->last = &request->next;
}

static void flush_submissions(struct disk_queue *queue)
{
    (void)queue;
}

unsigned memory_disk_release(struct memory_disk *disk, unsigned count)
{
    unsigned released = 0;

    while (disk->first && released < count) {
        struct disk_request *request = disk->first;
        disk->first = request->next;
        if (!disk->first)
            disk->last = &disk->first;
        perform(disk, request);
        released++;
    }
    return released;
}

static const struct disk_class memory_disk_class = {
    .name = "memory",
    .state_size = sizeof(struct memory_disk),
    .queue_new = queue_new,
    .queue_free = queue_free,
    .submit = submit,
    .flush_submissions = flush_submissions,
};

struct memory_disk *memory_disk_new(uint64_t size, bool readonly, bool discard)
{
    struct memory_disk *memory = g_new0(struct memory_disk, 1);

    memory->disk = (struct disk){
        .class = &memory_disk_class,
        .size = size,
        .physical_sector = 4096,
        .memory_alignment = 1,
        .offset_alignment = 1,
        .readonly = readonly,
        .can_discard = discard,
    };
    memory->bytes = g_malloc0(size);
    memory->last = &memory->first;
    return memory;
}

void memory_disk_free(struct memory_disk *disk)
{
    g_assert_null(disk->first);
    g_assert_cmpuint(disk->queues, ==, 0);
    g_free(disk->bytes);
    g_free(disk);
}
