/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What storvsp.c (the device and its commands) and storvsp_handshake.c share. Nobody else includes
 * it.
 */
#ifndef VMBUSD_VMBUS_STORVSP_PRIV_H
#define VMBUSD_VMBUS_STORVSP_PRIV_H

#include <stdatomic.h>

#include "src/disk/scsi.h"
#include "src/kvm/gmem.h"
#include "vmbus/storvsp.h"
#include "vmbus/storvsp_wire.h"

struct stor_channel;

struct stor_request {
    struct scsi_task task;
    struct stor_channel *channel;
    struct stor_request *next; /* free list */
    uint64_t transaction_id;
    uint32_t reply_len;
    struct stor_packet packet; /* the question, then the answer */
};

/* Statistics have one writer, the channel's lane, and readers anywhere. */
struct stor_counters {
    _Atomic uint64_t op[DISK_WRITE_ZEROES + 1], other, errors;
    _Atomic uint64_t bytes_read, bytes_written;
};

struct stor_channel {
    struct storvsp *storvsp;
    struct lane *lane;
    struct vmbus_channel *channel; /* NULL while closed */
    struct gmem *gmem;
    struct stor_request *request; /* LIMIT_DISK_INFLIGHT; those never used are still zero pages */
    struct iovec (*iov)[LIMIT_IOVECS]; /* the same number */
    struct stor_request *free;
    unsigned used; /* requests taken from the array so far; after that the free list has them */
    unsigned inflight;
    bool starved; /* a packet was refused because no request was free */
    bool closing;
    struct disk_queue *queue[LIMIT_SCSI_LUNS];
    struct stor_counters count;
};

enum stor_state {
    STATE_CLOSED, /* BEGIN_INITIALIZATION comes next */
    STATE_BEGUN,  /* QUERY_PROTOCOL_VERSION, until one is agreed */
    STATE_VERSION,
    STATE_PROPERTIES, /* END_INITIALIZATION, or CREATE_SUB_CHANNELS before it */
    STATE_READY,
};

struct storvsp {
    struct vsp vsp;
    bool ide;       /* the twin of an IDE disk: any path is its channel's */
    uint8_t target; /* the only one */
    struct scsi_unit unit[LIMIT_SCSI_LUNS];
    uint64_t lun_map; /* bit n: unit[n] is there */
    unsigned channels;
    struct lane *lane[LIMIT_LANES];
    struct stor_channel channel[LIMIT_LANES];
    /* Of the handshake: written on the primary's lane. */
    _Atomic int state; /* enum stor_state */
    _Atomic uint16_t version;
    uint16_t subchannels; /* that the guest asked for; 0 = not yet */
};

/* storvsp_handshake.c: handle everything that is not a command on an open controller. Returns the
 * status of the answer, whose body is then in `packet`. */
uint32_t stor_control(struct stor_channel *chan, struct stor_packet *packet);

/* Begin again from nothing. */
void stor_handshake_reset(struct storvsp *storvsp);

#endif
