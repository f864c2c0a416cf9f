/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of RNDIS control share. Nothing outside vmbus/rndis*.c includes this.
 */
#ifndef VMBUSD_VMBUS_RNDIS_PRIV_H
#define VMBUSD_VMBUS_RNDIS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "vmbus/rndis.h"

#define RNDIS_MAX_ANSWER 512u /* of one OID: the friendly name is the longest */

/* What a guest sent with an OID. */
struct rndis_info {
    const uint8_t *bytes;
    uint32_t length;
};

/* What it gets back. */
struct rndis_answer {
    uint32_t length;
    uint8_t bytes[RNDIS_MAX_ANSWER];
};

struct rndis_oid;

/* One OID's code. All return a status of rndis_wire.h, and change nothing unless it is
 * RNDIS_SUCCESS. */
typedef uint32_t rndis_query(struct rndis *rndis, const struct rndis_oid *oid,
                             const struct rndis_info *info, struct rndis_answer *answer);
typedef uint32_t rndis_set(struct rndis *rndis, const struct rndis_info *info);

/* A line of the list of what we know. */
struct rndis_oid {
    uint32_t oid;       /* enum oid */
    uint32_t ndis;      /* known to guests from this version on */
    rndis_query *query; /* NULL: cannot be queried */
    rndis_set *set;     /* NULL: cannot be set */
    uint32_t value;     /* the code's, as it likes */
};

/* --- rndis_oid.c */

/* Answer any OID: those we do not know are refused. */
uint32_t rndis_oid_query(struct rndis *rndis, uint32_t oid, const struct rndis_info *info,
                         struct rndis_answer *answer);
uint32_t rndis_oid_set(struct rndis *rndis, uint32_t oid, const struct rndis_info *info);

/* Copy a structure of `size` bytes from the front of what came. 0 or RNDIS_BUFFER_TOO_SHORT. */
uint32_t rndis_info_take(const struct rndis_info *info, void *dst, uint32_t size);

/* Bytes at an offset within what came; NULL if they are not all there. */
const uint8_t *rndis_info_at(const struct rndis_info *info, uint32_t offset, uint32_t length);

/* Append to an answer; the caller knows that it fits. Gives RNDIS_SUCCESS. */
uint32_t rndis_answer_put(struct rndis_answer *answer, const void *bytes, uint32_t size);

/* --- rndis_oid_general.c */

rndis_query rndis_query_value, rndis_query_mtu, rndis_query_u16, rndis_query_vendor,
    rndis_query_filter, rndis_query_speed, rndis_query_max_speed, rndis_query_link,
    rndis_query_link_state, rndis_query_counter, rndis_query_statistics, rndis_query_name,
    rndis_query_permanent, rndis_query_current, rndis_query_multicast;
rndis_set rndis_set_filter, rndis_set_multicast, rndis_set_u32, rndis_set_anything;

/* Of the link, in 100 bit/s; the most that the field takes if it is faster. */
uint32_t rndis_speed_100(const struct rndis *rndis);

/* --- rndis_oid_offload.c */

rndis_query rndis_query_offload, rndis_query_capabilities, rndis_query_encapsulation;
rndis_set rndis_set_offload, rndis_set_encapsulation;

/* Answer with the offload structure of revision 1 to 3 that says `offload`. */
uint32_t rndis_offload_describe(uint32_t offload, unsigned revision, struct rndis_answer *answer);

/* The revision that a guest of this NDIS version knows. */
unsigned rndis_offload_revision(uint32_t ndis);

/* Put new offloads in force, as far as they can be. */
void rndis_offload_apply(struct rndis *rndis, uint32_t offload);

/* --- rndis_oid_config.c, rndis_oid_rss.c */

rndis_set rndis_set_config, rndis_set_rss;
rndis_query rndis_query_rss;

#endif
