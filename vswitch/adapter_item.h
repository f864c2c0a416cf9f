/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host has on a link: addresses, routes, neighbours; read from one link, put on another.
 *
 * An item is the kernel's own message, cut down to what the kernel also takes (no index, no state,
 * no counters), so that a route's metrics, encapsulation or preference come back although nothing
 * here knows them. Lifetimes and an IPv4 label are kept beside it, since they change.
 *
 * Not taken along, and why: what the kernel makes by itself from addresses (local, broadcast,
 * anycast routes); routes with several ways out and routes by nexthop object, which belong to more
 * links than one (reported); rules, which stay; the mark of temporary IPv6 addresses (RFC 8981),
 * which the kernel lets nobody set.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_ITEM_H
#define VMBUSD_VSWITCH_ADAPTER_ITEM_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct adapter;
struct json_object;
struct nl_sock;
struct nlmsghdr;

#define ADAPTER_FOREVER UINT32_MAX

enum adapter_item_kind { ADAPTER_ADDRESS, ADAPTER_ROUTE, ADAPTER_NEIGHBOUR };

struct adapter_item {
    enum adapter_item_kind kind;
    uint32_t valid;          /* seconds from when it was read, or ADAPTER_FOREVER */
    uint32_t preferred;      /* addresses only */
    char label[IF_NAMESIZE]; /* what follows the link's name in an IPv4 label (":1"), or "" */
    GBytes *message;         /* fixed header and attributes */
};

/* Items are never changed and may be shared; NULL is fine for the latter. */
struct adapter_item *adapter_item_new(enum adapter_item_kind kind, GBytes *message);
struct adapter_item *adapter_item_ref(struct adapter_item *item);
void adapter_item_unref(struct adapter_item *item);

/* An empty array of pointers to items, which it owns. */
GPtrArray *adapter_items_new(void);

/* Everything that can be moved off the link, in the order in which it can be put on another one
 * (addresses, routes without a gateway, routes with one, neighbours): an array of struct
 * adapter_item pointers that owns them. What cannot be moved is told in `reports`, one line each
 * (may be NULL). NULL with `error`. */
GPtrArray *adapter_items_read(struct nl_sock *sock, const struct adapter *link, GPtrArray *reports,
                              GError **error);

/* What one notice of rtnetlink (something has come, or gone) speaks of, put behind `items`; nothing
 * if that is not on the link, or cannot be moved. The message is changed. */
void adapter_item_parse(const struct adapter *link, struct nlmsghdr *message, GPtrArray *items);

/* Put the item on a link, `age` seconds after it was read; an item that has run out since is left
 * out. There already: 0. -errno of the kernel. */
int adapter_item_add(struct nl_sock *sock, const struct adapter_item *item, int index,
                     const char *name, uint32_t age);

/* Take it off a link. Not there, or no such link: 0. */
int adapter_item_delete(struct nl_sock *sock, const struct adapter_item *item, int index);

/* Tell link `to` what `from` has learned of its neighbours' MAC addresses, as something to be
 * confirmed: the host's first frame need not wait for an answer that may be lost during the move. A
 * cache: not journalled, failures do not matter. */
void adapter_neighbours_teach(struct nl_sock *sock, int from, int to);

/* The same thing, lifetimes aside. */
bool adapter_item_equal(const struct adapter_item *a, const struct adapter_item *b);

/* Is it an IPv6 address that is for this link only (fe80::/10), or the route to such? */
bool adapter_item_link_local(const struct adapter_item *item);

/* Do both end at the same time, give or take some seconds, `now` having been read `age` seconds
 * after `then`? */
bool adapter_item_same_end(const struct adapter_item *then, const struct adapter_item *now,
                           uint32_t age);

/* "address 192.0.2.1/24", "route 0.0.0.0/0 via 192.0.2.254 table 254", for people; g_free() it. */
char *adapter_item_text(const struct adapter_item *item);

struct json_object *adapter_item_to_json(const struct adapter_item *item);
struct adapter_item *adapter_item_from_json(struct json_object *object); /* NULL: not one */

#endif
