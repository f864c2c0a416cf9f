/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes multicast frames and the messages of IGMP and MLD, for tests of snooping.
 */
#ifndef VMBUSD_TESTS_UNIT_GROUP_MAKER_H
#define VMBUSD_TESTS_UNIT_GROUP_MAKER_H

#include "tests/unit/packet_maker.h"

/* An IPv4 header, with the router alert's room if it is IGMP's. */
void make_multicast4(struct maker *maker, uint8_t protocol, const uint8_t *to);

/* A message of a type, about a group (4 or 16 bytes) and to it. */
void make_igmp(struct maker *maker, uint8_t type, const uint8_t *group);
void make_mld(struct maker *maker, uint8_t type, const uint8_t *group);

/* An empty report of IGMPv3 or MLDv2, and one more record of it, with `sources` sources and `words`
 * words of auxiliary data. `length` is that of an address. */
void make_igmp3(struct maker *maker);
void make_mld2(struct maker *maker);
void make_record(struct maker *maker, uint8_t type, uint16_t sources, uint8_t words,
                 const void *group, unsigned length);

/* A query to an address and about a group, with a response time in the wire's unit. */
void make_ask4(struct maker *maker, const uint8_t *to, const uint8_t *group, uint8_t code);
void make_ask6(struct maker *maker, const uint8_t *to, const uint8_t *group, uint16_t code);

/* A general query from a router. */
void make_query4(struct maker *maker);
void make_query6(struct maker *maker);

/* UDP to a group. */
void make_data4(struct maker *maker, const uint8_t *group);
void make_data6(struct maker *maker, const uint8_t *group);

#endif
