/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step of a takeover: something that is done to the adapter or to the host port, and can be
 * undone knowing nothing but the step. Doing or undoing twice is like once, because a process may
 * be killed between a step and the note that it is done.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_STEP_H
#define VMBUSD_VSWITCH_ADAPTER_STEP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vswitch/adapter_item.h"

struct json_object;
struct nl_sock;

enum adapter_op {
    ADAPTER_OP_MAC,     /* `value`, `old`: "02:00:00:00:00:01" */
    ADAPTER_OP_MTU,     /* decimal */
    ADAPTER_OP_SYSCTL,  /* `key`: "ipv6/accept_ra" */
    ADAPTER_OP_FEATURE, /* `key`: ethtool's name; "1" or "0" */
    ADAPTER_OP_UP,      /* "1" or "0" */
    ADAPTER_OP_CUT,     /* no values */
    ADAPTER_OP_ADD,     /* `item` */
    ADAPTER_OP_DELETE,  /* `item` */
    ADAPTER_OPS
};

struct adapter_step {
    enum adapter_op op;
    bool host; /* on the host port, not on the adapter */
    char *key, *value, *old;
    struct adapter_item *item;
};

/* The two links as they are now; index 0: gone. */
struct adapter_end {
    int index;
    char name[IF_NAMESIZE];
};

struct adapter_ends {
    struct nl_sock *sock;
    struct adapter_end adapter, host;
    uint32_t age; /* seconds since the items were read */
};

/* A step with copies of the texts and a reference to the item; each may be NULL. */
struct adapter_step *adapter_step_new(enum adapter_op op, bool host, const char *key,
                                      const char *value, const char *old,
                                      struct adapter_item *item);
void adapter_step_free(struct adapter_step *step);

/* False with ADAPTER_ERROR_SYSTEM: "address 192.0.2.1/24 on eth0: ...". Undoing on a link that has
 * gone is fine. */
bool adapter_step_do(const struct adapter_step *step, const struct adapter_ends *ends,
                     GError **error);
bool adapter_step_undo(const struct adapter_step *step, const struct adapter_ends *ends,
                       GError **error);

struct json_object *adapter_step_to_json(const struct adapter_step *step);
struct adapter_step *adapter_step_from_json(struct json_object *object); /* NULL: not one */

#endif
