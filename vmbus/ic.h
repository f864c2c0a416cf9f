/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integration services (heartbeat, shutdown, time synchronisation, KVP): the frame and negotiation
 * they share (ic.c) and what the machine sees of each. All of them live on the bus's lane.
 */
#ifndef VMBUSD_VMBUS_IC_H
#define VMBUSD_VMBUS_IC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/guid.h"
#include "src/common/lane.h"
#include "src/common/limits.h"
#include "vmbus/vsp.h"

/* What every service can say of itself. */
struct ic_status {
    bool open;       /* the guest's driver has the channel open */
    bool negotiated; /* and has agreed on versions */
    uint16_t framework_major, framework_minor;
    uint16_t message_major, message_minor;
};

/* --- Heartbeat
 * ------------------------------------------------------------------------------------------------
 */
struct heartbeat;

struct heartbeat_status {
    struct ic_status ic;
    uint64_t sequence;     /* last one answered */
    uint64_t last_seen_ns; /* CLOCK_MONOTONIC of the last answer; 0 = never */
    uint32_t state;        /* the guest's own word: 0 unknown, 1 healthy, 2 critical, 3 stopped */
    uint64_t missed;       /* beats that were due while one was unanswered */
};

struct heartbeat *heartbeat_new(struct lane *lane);
void heartbeat_free(struct heartbeat *heartbeat);
struct vsp *heartbeat_vsp(struct heartbeat *heartbeat);
void heartbeat_status(const struct heartbeat *heartbeat, struct heartbeat_status *ret_status);

/* --- Shutdown
 * -------------------------------------------------------------------------------------------------
 */
enum shutdown_action { SHUTDOWN_POWER_OFF, SHUTDOWN_RESTART, SHUTDOWN_HIBERNATE };

struct shutdown;

struct shutdown *shutdown_new(struct lane *lane);
void shutdown_free(struct shutdown *shutdown);
struct vsp *shutdown_vsp(struct shutdown *shutdown);
void shutdown_status(const struct shutdown *shutdown, struct ic_status *ret_status);

/* Ask the guest. `done` gets the guest's status (0 accepted), or -ECONNRESET if the channel closes
 * first. 0, -ENOTCONN if no guest driver has negotiated, -EBUSY if a request is unanswered,
 * -EOPNOTSUPP if the guest's version does not know the action, -EINVAL if `reason` is not UTF-8.
 * Lane: bus. `reason` (may be NULL) is shown by Windows, cut at 1023 characters. */
int shutdown_request(struct shutdown *shutdown, enum shutdown_action action, bool force,
                     const char *reason, void (*done)(void *context, int64_t status),
                     void *context);

/* --- Time synchronisation
 * -------------------------------------------------------------------------------------- */
struct timesync;

/* `reference_time` gives the partition reference counter (100 ns), as the guest reads it from its
 * MSR. */
struct timesync *timesync_new(struct lane *lane, uint64_t (*reference_time)(void *context),
                              void *context);
void timesync_free(struct timesync *timesync);
struct vsp *timesync_vsp(struct timesync *timesync);
void timesync_status(const struct timesync *timesync, struct ic_status *ret_status);

/* Step the guest's clock with the next message (after a resume). Lane: bus. */
void timesync_step(struct timesync *timesync);

/* --- KVP
 * --------------------------------------------------------------------------------------------------------
 */
struct kvp;

struct kvp *kvp_new(struct lane *lane);
void kvp_free(struct kvp *kvp);
struct vsp *kvp_vsp(struct kvp *kvp);
void kvp_status(const struct kvp *kvp, struct ic_status *ret_status);

/* The guest's own facts (pool auto), UTF-8, as last read. Calls `each` per pair. Lane: bus. */
void kvp_guest_values(const struct kvp *kvp,
                      void (*each)(const char *key, const char *value, void *context),
                      void *context);

/* Put a pair into the host's pool (external); sent to the guest now and after each new connection.
 * 0, -EINVAL (not UTF-8, empty key), -EMSGSIZE, -ENOSPC, -ENOMEM. Deleting: 0 or -ENOENT. */
int kvp_host_set(struct kvp *kvp, const char *key, const char *value);
int kvp_host_delete(struct kvp *kvp, const char *key);

/* Set a NIC's addresses in the guest. Strings are lists separated by ';', NULL is none; `adapter`
 * is the NIC's instance GUID, lower case in braces (Linux compares it with the device_id in sysfs).
 */
struct kvp_ip {
    const char *adapter;
    bool ipv6, dhcp;
    const char *address, *netmask, *gateway, *dns;
};
/* `done` gets the guest's status (0 done), or -errno (-ECONNRESET if the channel closes first). 0;
 * -ENOTCONN, -EBUSY (one is queued or unanswered: the guest may take minutes), -EOPNOTSUPP (the
 * guest's version has no addresses), -EINVAL, -EMSGSIZE. If 0, `done` is called once, perhaps
 * before this returns. Lane: bus. */
int kvp_set_ip(struct kvp *kvp, const struct kvp_ip *ip,
               void (*done)(void *context, int64_t status), void *context);

#endif
