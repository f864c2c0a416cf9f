/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's hold on a buffer that its guest has announced as a GPADL (netvsc's receive and send
 * buffers).
 *
 * GPADLs belong to the bus's lane, so taking hold of one is a question with a later answer. While a
 * buffer is held its pages stay as they were checked, and the guest's teardown of the GPADL waits
 * for the release. Every access is an offset and a length inside the buffer, which gmem checks
 * again.
 *
 * Left out: GPADLs of several ranges, which no known guest makes for a buffer.
 */
#ifndef VMBUSD_VMBUS_BUFFER_H
#define VMBUSD_VMBUS_BUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "src/common/lane.h"
#include "src/kvm/gmem.h"

struct gpadl;
struct vmbus_channel;

/* Embed it; zeroed is ready. One channel at a time. */
struct vmbus_buffer {
    uint32_t size; /* bytes; constant while held */

    struct vmbus_channel *channel;
    uint32_t id;
    void (*answer)(struct vmbus_buffer *buffer, int error);
    int error;
    struct gpadl *gpadl;  /* bus's lane: held */
    const uint64_t *page; /* of the GPADL */
    uint32_t offset;      /* of the buffer in the first page */
    struct lane_task hold, release, held;
};

/* Ask for GPADL `id` of `channel`. `answer` comes later on the channel's lane: 0 and the buffer is
 * held, or -EINVAL (unknown, incomplete, another channel's, several ranges, being torn down). The
 * device must not call vmbus_channel_closed() before the answer. Lane: the channel's. */
void vmbus_buffer_hold(struct vmbus_buffer *buffer, struct vmbus_channel *channel, uint32_t id,
                       void (*answer)(struct vmbus_buffer *buffer, int error));

/* Let go of a held buffer; no byte of it may be touched after this. It may be held again at once.
 * Lane: the channel's. */
void vmbus_buffer_release(struct vmbus_buffer *buffer);

/* Lease `length` bytes at `offset` of a held buffer, as gmem_lease(): how many iovecs, -EINVAL
 * beyond the buffer's end or nothing, -E2BIG. Any lane that knows the buffer to be held. */
int vmbus_buffer_lease(const struct vmbus_buffer *buffer, uint32_t offset, uint32_t length,
                       struct iovec *iov, unsigned max);

#endif
