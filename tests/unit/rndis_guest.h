/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of RNDIS control, for tests: an adapter, and requests to it.
 */
#ifndef VMBUSD_TESTS_UNIT_RNDIS_GUEST_H
#define VMBUSD_TESTS_UNIT_RNDIS_GUEST_H

#include <stdint.h>

#include "vmbus/rndis.h"
#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_wire.h"

struct rndis_guest {
    struct rndis rndis;
    uint8_t reply[RNDIS_MAX_CONTROL];
    uint32_t reply_len;
    const uint8_t *answer; /* of the last query, inside the reply */
    uint32_t answer_len;
};

#define GUEST_MAC "\x00\x15\x5d\x01\x02\x03"

/* A new adapter: MTU 1500, 10 Gbit/s, link up, four queues and channels, for a guest of that NDIS
 * version. */
void rndis_guest_init(struct rndis_guest *guest, uint32_t ndis);

/* Send a message, from a copy that is exactly as long. What rndis_control() gave. */
int rndis_guest_send(struct rndis_guest *guest, const void *message, uint32_t len);

/* A whole exchange in hexadecimal; an empty reply stands for none. */
void rndis_guest_exchange(struct rndis_guest *guest, const char *request, const char *reply);

/* Query or set an OID; the reply is checked for its form. The status. */
uint32_t rndis_guest_query(struct rndis_guest *guest, uint32_t oid);
uint32_t rndis_guest_set(struct rndis_guest *guest, uint32_t oid, const void *info, uint32_t len);

/* Set an OID that is 32 bits. The status. */
uint32_t rndis_guest_set32(struct rndis_guest *guest, uint32_t oid, uint32_t value);

/* Query an OID that is 32 bits; fails the test if it is not. */
uint32_t rndis_guest_get32(struct rndis_guest *guest, uint32_t oid);

#endif
