/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp: the synthetic SCSI controller, as storvsc of Linux and of Windows knows it from Hyper-V.
 *
 * One primary channel, and from protocol 5.1 on a subchannel for every further lane. The primary
 * does the handshake (storvsp_handshake.c); commands run on any channel, each wholly on its
 * channel's lane, with that lane's submission context of the disk. Requests are preallocated per
 * channel; room for the completion is reserved before a command starts, so a completion never
 * waits.
 *
 * The twin of an IDE disk is the same device with one disk, offered under IDE's interface: a driver
 * finds out from the instance GUID (older ones: from the offer's user data) which of the four disks
 * of the emulated controller it is, and takes that one over. What this asks of the disk below is in
 * src/pc/ide.h.
 *
 * Path and target must be 0, of a twin the target its place on the IDE channel (Linux sends path 0
 * whatever the channel); nothing is at other addresses. Answers are as long as their questions
 * (facts: Windows wants exactly the size of its version, Linux at least 64 bytes, and both send
 * what they expect).
 *
 * Left out: fibre channel offers, adding and removing units while the guest runs, protocol
 * 6.2 (no guest needs it), aborting commands (a reset answers at once, what runs comes to its end).
 */
#include "vmbus/storvsp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/container.h"
#include "vmbus/storvsp_priv.h"

static struct storvsp *storvsp_of(struct vsp *vsp)
{
    return container_of(vsp, struct storvsp, vsp);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* --- Requests --- */

static struct stor_request *take_request(struct stor_channel *chan)
{
    struct stor_request *request = chan->free;

    if (request) {
        chan->free = request->next;
    } else if (chan->used < LIMIT_DISK_INFLIGHT) {
        request = &chan->request[chan->used];
        request->channel = chan;
        request->task.iov = chan->iov[chan->used++];
    } else {
        return NULL;
    }
    chan->inflight++;
    return request;
}

static void give_request(struct stor_request *request)
{
    struct stor_channel *chan = request->channel;

    request->task.iov = chan->iov[request - chan->request];
    request->next = chan->free;
    chan->free = request;
    chan->inflight--;
    if (chan->closing && !chan->inflight) {
        struct vmbus_channel *channel = chan->channel;
        chan->channel = NULL;
        chan->closing = false;
        vmbus_channel_closed(channel);
    } else if (chan->starved && !chan->closing) {
        chan->starved = false;
        vmbus_channel_resume(chan->channel);
    }
}

static void answer(struct stor_request *request, uint32_t status)
{
    request->packet.operation = STOR_COMPLETE_IO;
    request->packet.flags = 0;
    request->packet.status = status;
    vmbus_channel_complete(request->channel->channel, request->transaction_id, &request->packet,
                           request->reply_len);
    give_request(request);
}

/* --- Commands --- */

/* Fill in the outcome fields of an SRB's answer. */
static void set_outcome(struct stor_srb *srb, const struct scsi_task *task, uint8_t srb_status)
{
    uint8_t room = srb->sense_length;

    srb->length = sizeof(*srb);
    srb->cdb_length = STOR_CDB_SIZE;
    srb->scsi_status = task->status;
    srb->transfer_length = task->moved;
    srb->sense_length = 0;
    if (task->status == SCSI_CHECK_CONDITION) {
        srb->sense_length = room < SCSI_SENSE_SIZE ? room : SCSI_SENSE_SIZE;
        memset(srb->sense, 0, sizeof(srb->sense));
        memcpy(srb->sense, task->sense, srb->sense_length);
        srb_status |= srb->sense_length ? SRB_SENSE_VALID : 0;
    }
    srb->srb_status = srb_status;
}

static void count_task(struct stor_counters *counters, const struct scsi_task *task)
{
    count(task->used_disk ? &counters->op[task->request.op] : &counters->other, 1);
    if (task->status != SCSI_GOOD)
        count(&counters->errors, 1);
    else if (task->used_disk && task->request.op == DISK_READ)
        count(&counters->bytes_read, task->moved);
    else if (task->used_disk && task->request.op == DISK_WRITE)
        count(&counters->bytes_written, task->moved);
}

static void task_done(struct scsi_task *task)
{
    struct stor_request *request = container_of(task, struct stor_request, task);
    struct stor_srb *srb = &request->packet.srb;
    uint32_t status = STOR_SUCCESS;
    uint8_t srb_status = SRB_SUCCESS;

    if (task->no_unit) {
        status = STOR_NO_SUCH_DEVICE;
        srb_status = SRB_INVALID_LUN;
    } else if (task->overrun) {
        status = STOR_BUFFER_OVERFLOW;
        srb_status = SRB_OVERRUN;
    } else if (task->status != SCSI_GOOD) {
        status = STOR_IO_ERROR;
        srb_status = SRB_ERROR;
    }
    if (task->filled)
        gmem_release_written(request->channel->gmem, task->iov, task->iovs);
    count_task(&request->channel->count, task);
    set_outcome(srb, task, srb_status);
    answer(request, status);
}

/* An SRB that is no command: CHECK CONDITION too, since Linux looks at the sense of every error. */
static void refuse(struct stor_request *request, uint32_t status)
{
    struct scsi_task *task = &request->task;

    static const uint8_t sense[SCSI_SENSE_SIZE] = {
        0x70, [2] = 0x05, [7] = SCSI_SENSE_SIZE - 8, [12] = 0x24}; /* invalid field in CDB */

    task->status = SCSI_CHECK_CONDITION;
    task->moved = 0;
    memcpy(task->sense, sense, sizeof(task->sense));
    count(&request->channel->count.errors, 1);
    set_outcome(&request->packet.srb, task, SRB_INVALID_REQUEST);
    answer(request, status);
}

/* Lease the guest's buffer. 0; -EPROTO if the range list is malformed; another -errno if it is
 * well-formed and cannot be served. */
static int lease(struct stor_request *request, const struct vmbus_packet *packet)
{
    struct scsi_task *task = &request->task;
    uint32_t length = request->packet.srb.transfer_length;
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct gpa_range range = {0};
    uint32_t cursor = 0;

    if (packet->type == VMBUS_PACKET_GPA_DIRECT &&
        vmbus_packet_range(packet, &cursor, &range, pfn) != 1)
        return -EPROTO;
    task->iovs = 0;
    task->length = length;
    if (length > range.length)
        return -EINVAL;
    if (!length)
        return 0;
    range.length = length;
    int iovs = gmem_lease(request->channel->gmem, &range, task->iov, LIMIT_IOVECS);
    if (iovs < 0)
        return iovs;
    task->iovs = (unsigned)iovs;
    return 0;
}

/* Find the addressed unit, if there is one. */
static void address(struct stor_request *request)
{
    struct stor_channel *chan = request->channel;
    struct storvsp *storvsp = chan->storvsp;
    const struct stor_srb *srb = &request->packet.srb;
    struct scsi_task *task = &request->task;
    bool target = (storvsp->ide || srb->path == 0) && srb->target == storvsp->target;
    bool unit = target && srb->lun < LIMIT_SCSI_LUNS && storvsp->lun_map & 1ull << srb->lun;

    task->lun_map = target ? storvsp->lun_map : 0;
    task->unit = unit ? &storvsp->unit[srb->lun] : NULL;
    task->queue = unit ? chan->queue[srb->lun] : NULL;
}

static int execute_srb(struct stor_request *request, const struct vmbus_packet *packet)
{
    const struct stor_srb *srb = &request->packet.srb;
    struct scsi_task *task = &request->task;

    int error = lease(request, packet);
    if (error == -EPROTO)
        return error;
    if (error || srb->cdb_length == 0 || srb->cdb_length > STOR_CDB_SIZE) {
        refuse(request, STOR_INVALID_PARAMETER);
        return 0;
    }
    address(request);
    memset(task->cdb, 0, sizeof(task->cdb));
    memcpy(task->cdb, srb->cdb, srb->cdb_length);
    task->cdb_len = srb->cdb_length;
    task->done = task_done;
    scsi_execute(task);
    return 0;
}

/* --- Device --- */

static bool well_formed(const struct vmbus_packet *packet)
{
    if (!packet->completion_requested || packet->payload_len < STOR_PACKET_OLD)
        return false;
    return packet->type == VMBUS_PACKET_IN_BAND ||
           (packet->type == VMBUS_PACKET_GPA_DIRECT && packet->range_count == 1);
}

static int stor_packet(struct vsp *vsp, struct vmbus_channel *channel,
                       const struct vmbus_packet *packet)
{
    struct stor_channel *chan = vmbus_channel_private(channel);
    uint32_t len = packet->payload_len;

    if (len > sizeof(struct stor_packet))
        len = sizeof(struct stor_packet);
    if (!well_formed(packet))
        return -EPROTO;
    int error = vmbus_channel_reserve(channel, len);
    if (error)
        return error;
    struct stor_request *request = take_request(chan);
    if (!request) {
        vmbus_channel_unreserve(channel, len);
        chan->starved = true;
        return -EAGAIN;
    }
    memset(&request->packet, 0, sizeof(request->packet));
    memcpy(&request->packet, packet->payload, len);
    request->transaction_id = packet->transaction_id;
    request->reply_len = len;
    if (request->packet.operation != STOR_EXECUTE_SRB ||
        atomic_load_explicit(&storvsp_of(vsp)->state, memory_order_acquire) != STATE_READY) {
        answer(request, stor_control(chan, &request->packet));
        return 0;
    }
    error = execute_srb(request, packet);
    if (error) {
        vmbus_channel_unreserve(channel, len);
        give_request(request);
    }
    return error;
}

static int stor_open(struct vsp *vsp, struct vmbus_channel *channel,
                     const uint8_t user_data[VMBUS_USER_DATA])
{
    struct storvsp *storvsp = storvsp_of(vsp);
    uint16_t index = vmbus_channel_index(channel);

    (void)user_data;
    if (index >= storvsp->channels || vmbus_channel_lane(channel) != storvsp->lane[index])
        return -EINVAL;
    struct stor_channel *chan = &storvsp->channel[index];
    if (index == 0)
        stor_handshake_reset(storvsp);
    else if (atomic_load(&storvsp->state) != STATE_READY)
        return -EBUSY;
    chan->channel = channel;
    chan->gmem = vmbus_channel_gmem(channel);
    chan->starved = false;
    vmbus_channel_set_private(channel, chan);
    return 0;
}

static void stor_close(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct storvsp *storvsp = storvsp_of(vsp);
    struct stor_channel *chan = vmbus_channel_private(channel);

    if (chan == &storvsp->channel[0])
        atomic_store(&storvsp->state, STATE_CLOSED);
    if (chan->inflight) {
        chan->closing = true;
        return;
    }
    chan->channel = NULL;
    vmbus_channel_closed(channel);
}

static void stor_reset(struct vsp *vsp)
{
    stor_handshake_reset(storvsp_of(vsp));
}

/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f */
static const struct vsp_class storvsp_class = {
    .name = "storvsp",
    .interface =
        GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f),
    .open = stor_open,
    .packet = stor_packet,
    .close = stor_close,
    .reset = stor_reset,
};

/* 32412632-86cb-44a2-9b5c-50d1417354f5 */
static const struct vsp_class storvsp_ide_class = {
    .name = "storvsp-ide",
    .interface =
        GUID_INIT(0x32412632, 0x86cb, 0x44a2, 0x9b, 0x5c, 0x50, 0xd1, 0x41, 0x73, 0x54, 0xf5),
    .offer_flags = VMBUS_OFFER_ENUMERATE,
    .open = stor_open,
    .packet = stor_packet,
    .close = stor_close,
    .reset = stor_reset,
};

/* --- Making and freeing --- */

static void be_twin(struct storvsp *storvsp, const struct storvsp_config *config)
{
    const struct stor_offer offer = {
        .path = config->ide_channel, .target = config->ide_drive, .flags = STOR_OFFER_IDE};

    storvsp->ide = true;
    storvsp->target = config->ide_drive;
    storvsp->vsp.class = &storvsp_ide_class;
    storvsp->vsp.instance = (struct guid)GUID_INIT(config->ide_channel, config->ide_drive, 0x8899,
                                                   0, 0, 0, 0, 0, 0, 0, 0);
    _Static_assert(sizeof(offer) == sizeof(storvsp->vsp.offer_data), "it is the whole of it");
    memcpy(storvsp->vsp.offer_data, &offer, sizeof(offer));
}

static bool make_channel(struct storvsp *storvsp, struct stor_channel *chan, struct lane *lane)
{
    chan->storvsp = storvsp;
    chan->lane = lane;
    chan->request = calloc(LIMIT_DISK_INFLIGHT, sizeof(*chan->request));
    chan->iov = calloc(LIMIT_DISK_INFLIGHT, sizeof(*chan->iov));
    if (!chan->request || !chan->iov)
        return false;
    for (unsigned lun = 0; lun < LIMIT_SCSI_LUNS; lun++) {
        struct disk *disk = storvsp->unit[lun].disk;
        if (!disk)
            continue;
        chan->queue[lun] = disk->class->queue_new(disk, lane);
        if (!chan->queue[lun])
            return false;
    }
    return true;
}

static void free_channel(struct stor_channel *chan)
{
    for (unsigned lun = 0; lun < LIMIT_SCSI_LUNS; lun++)
        if (chan->queue[lun])
            chan->queue[lun]->disk->class->queue_free(chan->queue[lun]);
    free(chan->iov);
    free(chan->request);
}

struct storvsp *storvsp_new(const struct storvsp_config *config)
{
    struct storvsp *storvsp;

    if (config->lanes < 1 || config->lanes > LIMIT_LANES) {
        errno = EINVAL;
        return NULL;
    }
    storvsp = calloc(1, sizeof(*storvsp));
    if (!storvsp)
        return NULL;
    storvsp->vsp.class = &storvsp_class;
    storvsp->vsp.instance = config->instance;
    storvsp->vsp.lane = config->lane[0];
    if (config->ide)
        be_twin(storvsp, config);
    storvsp->channels = config->lanes;
    memcpy(storvsp->lane, config->lane, sizeof(storvsp->lane));
    for (unsigned lun = 0; lun < LIMIT_SCSI_LUNS; lun++) {
        const struct storvsp_lun *from = &config->lun[lun];
        if (!from->present)
            continue;
        if (!from->disk && !from->dvd) {
            storvsp_free(storvsp);
            errno = EINVAL;
            return NULL;
        }
        storvsp->lun_map |= 1ull << lun;
        storvsp->unit[lun] = (struct scsi_unit){.dvd = from->dvd, .disk = from->disk};
        memcpy(storvsp->unit[lun].serial, from->serial, sizeof(from->serial));
    }
    for (unsigned i = 0; i < config->lanes; i++) {
        if (make_channel(storvsp, &storvsp->channel[i], config->lane[i]))
            continue;
        int error = errno;
        storvsp_free(storvsp);
        errno = error;
        return NULL;
    }
    return storvsp;
}

void storvsp_free(struct storvsp *storvsp)
{
    if (!storvsp)
        return;
    for (unsigned i = 0; i < LIMIT_LANES; i++)
        free_channel(&storvsp->channel[i]);
    free(storvsp);
}

struct vsp *storvsp_vsp(struct storvsp *storvsp)
{
    return &storvsp->vsp;
}

uint16_t storvsp_version(const struct storvsp *storvsp)
{
    return atomic_load(&storvsp->version);
}

static uint64_t value(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void storvsp_stats(const struct storvsp *storvsp, struct storvsp_stats *ret_stats)
{
    *ret_stats = (struct storvsp_stats){0};
    for (unsigned i = 0; i < storvsp->channels; i++) {
        const struct stor_counters *from = &storvsp->channel[i].count;
        ret_stats->reads += value(&from->op[DISK_READ]);
        ret_stats->writes += value(&from->op[DISK_WRITE]);
        ret_stats->flushes += value(&from->op[DISK_FLUSH]);
        ret_stats->discards += value(&from->op[DISK_DISCARD]) + value(&from->op[DISK_WRITE_ZEROES]);
        ret_stats->other += value(&from->other);
        ret_stats->errors += value(&from->errors);
        ret_stats->bytes_read += value(&from->bytes_read);
        ret_stats->bytes_written += value(&from->bytes_written);
    }
}
