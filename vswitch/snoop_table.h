/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table behind snooping: sets of ports by VLAN and group. Private to snoop*.c.
 *
 * A set of routers or of queriers is an entry like a group's, with no address. An entry never moves
 * or goes within a table, so that a lookup needs no lock; ageing copies what is alive into the
 * second table and swaps them. Ageings are counted, and a reader beside which one began reads
 * again.
 */
#ifndef VMBUSD_VSWITCH_SNOOP_TABLE_H
#define VMBUSD_VSWITCH_SNOOP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "vswitch/snoop.h"

#define SNOOP_KEY_WORDS 3u

struct snoop_key {
    uint64_t word[SNOOP_KEY_WORDS]; /* the first is never 0 */
};

/* What a lookup asks for. */
struct snoop_query {
    struct snoop_key queriers, routers, group;
    bool has_group;
};

/* `address` is of `length` bytes (4 or 16), NULL for the family's routers; with SNOOP_QUERIERS in
 * `length` its queriers. */
#define SNOOP_QUERIERS 0x80u
void snoop_key(struct snoop_key *ret_key, uint16_t vlan, const uint8_t *address, unsigned length);

/* Lost count of what the port wants: it gets all groups. Any thread. */
void snoop_table_refuse(struct snoop *snoop, unsigned port);

/* The port is in the set from now on. If there is no room for it, it gets all groups; one that is
 * no uplink may have LIMIT_SNOOPING_PORT. Any thread. */
void snoop_table_join(struct snoop *snoop, const struct snoop_key *key, unsigned port, bool uplink,
                      uint64_t now_ns);

/* No more. Any thread. */
void snoop_table_leave(struct snoop *snoop, const struct snoop_key *key, unsigned port);

/* The queriers, the routers, and the group's ports unless it is NULL. False if there are no
 * queriers, or not for long. Any thread, no lock. */
bool snoop_table_find(struct snoop *snoop, const struct snoop_query *query, uint64_t now_ns,
                      struct port_set *ret_ports);

#endif
