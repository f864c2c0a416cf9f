/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers: devices that hold GPADLs.
 *
 * `hold` and `release` run on the bus's lane in the order of posting, so a buffer may be asked for
 * again while its release is still on the way, and a release that was posted before the channel was
 * given back comes before the bus forgets the GPADLs.
 */
#include "vmbus/buffer.h"

#include <errno.h>

#include "src/common/container.h"
#include "vmbus/bus_priv.h"

static void on_hold(struct lane_task *task)
{
    struct vmbus_buffer *buffer = container_of(task, struct vmbus_buffer, hold);
    struct vmbus_channel *channel = buffer->channel;
    struct gpadl *gpadl = gpadl_find(&channel->bus->gpadls, buffer->id);

    buffer->page =
        gpadl ? gpadl_buffer_pages(gpadl, channel->relid, &buffer->size, &buffer->offset) : NULL;
    buffer->error = buffer->page ? 0 : -EINVAL;
    buffer->gpadl = buffer->page ? gpadl : NULL;
    if (buffer->gpadl)
        buffer->gpadl->users++;
    lane_post(channel->lane, &buffer->held);
}

static void on_release(struct lane_task *task)
{
    struct vmbus_buffer *buffer = container_of(task, struct vmbus_buffer, release);

    gpadl_release(buffer->channel->bus, buffer->gpadl);
    buffer->gpadl = NULL;
}

static void on_held(struct lane_task *task)
{
    struct vmbus_buffer *buffer = container_of(task, struct vmbus_buffer, held);

    buffer->answer(buffer, buffer->error);
}

void vmbus_buffer_hold(struct vmbus_buffer *buffer, struct vmbus_channel *channel, uint32_t id,
                       void (*answer)(struct vmbus_buffer *buffer, int error))
{
    buffer->channel = channel;
    buffer->id = id;
    buffer->answer = answer;
    buffer->hold.run = on_hold;
    buffer->release.run = on_release;
    buffer->held.run = on_held;
    lane_post(channel->bus->lane, &buffer->hold);
}

void vmbus_buffer_release(struct vmbus_buffer *buffer)
{
    lane_post(buffer->channel->bus->lane, &buffer->release);
}

int vmbus_buffer_lease(const struct vmbus_buffer *buffer, uint32_t offset, uint32_t length,
                       struct iovec *iov, unsigned max)
{
    if (!length || offset > buffer->size || length > buffer->size - offset)
        return -EINVAL;
    uint64_t first = (uint64_t)buffer->offset + offset;
    struct gpa_range range = {
        .length = length,
        .offset = (uint32_t)(first % GMEM_PAGE),
        .pfn = buffer->page + first / GMEM_PAGE,
    };
    range.pages = (uint32_t)(((uint64_t)range.offset + length + GMEM_PAGE - 1) / GMEM_PAGE);
    return gmem_lease(buffer->channel->bus->gmem, &range, iov, max);
}
