/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp: the synthetic SCSI controller as the machine sees it. The device is in storvsp.c.
 */
#ifndef VMBUSD_VMBUS_STORVSP_H
#define VMBUSD_VMBUS_STORVSP_H

#include "src/common/guid.h"
#include "src/common/lane.h"
#include "src/common/limits.h"
#include "src/disk/disk.h"
#include "vmbus/vsp.h"

struct storvsp;

/* One logical unit. `disk` NULL with type DVD is a drive without a disc. */
struct storvsp_lun {
    bool present;
    bool dvd;
    struct disk *disk; /* borrowed; outlives the controller */
    char serial[37];   /* VPD 0x80 and 0x83; the disk's id */
};

struct storvsp_config {
    struct guid instance;
    /* The twin of the IDE disk at this place, instead of a controller: LUN 0 and no other, one
     * lane; `instance` follows from the place. */
    bool ide;
    uint8_t ide_channel, ide_drive;
    struct lane *lane[LIMIT_LANES]; /* lane[0] has the primary channel; the others subchannels */
    unsigned lanes;                 /* at least 1 */
    struct storvsp_lun lun[LIMIT_SCSI_LUNS];
};

struct storvsp_stats {
    uint64_t reads, writes, flushes, discards, other, errors;
    uint64_t bytes_read, bytes_written;
};

/* A controller, queues made for every disk on every lane (so: before the sandbox closes). NULL with
 * errno. */
struct storvsp *storvsp_new(const struct storvsp_config *config);

/* All channels are closed and the lanes stopped. NULL is fine. */
void storvsp_free(struct storvsp *storvsp);

/* For vmbus_bus_add(). */
struct vsp *storvsp_vsp(struct storvsp *storvsp);

/* Sum over channels; any lane, values may be a moment old. */
void storvsp_stats(const struct storvsp *storvsp, struct storvsp_stats *ret_stats);

/* Negotiated storage protocol (0x0600 = 6.0), 0 before. */
uint16_t storvsp_version(const struct storvsp *storvsp);

#endif
