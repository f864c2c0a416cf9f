/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening to a link: a list of what has come and not gone, which a departing IPv4 address turns
 * into a list of what may have gone with it.
 */
#include "vswitch/adapter_hearing.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "vswitch/adapter.h"
#include "vswitch/adapter_item.h"
#include "vswitch/adapter_netlink.h"

struct adapter_hearing {
    struct adapter link;
    struct nl_sock *notices;
    GPtrArray *there; /* came, and has not gone */
    GPtrArray *gone;  /* was there when an IPv4 address went */
};

struct adapter_hearing *adapter_hearing_new(const struct adapter *link, GError **error)
{
    static const int groups[] = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_NEIGH, 0};
    struct nl_sock *notices = adapter_netlink_listen(groups, error);
    struct adapter_hearing *hearing;

    if (!notices)
        return NULL;
    hearing = g_new0(struct adapter_hearing, 1);
    hearing->link = *link;
    hearing->notices = notices;
    hearing->there = adapter_items_new();
    hearing->gone = adapter_items_new();
    return hearing;
}

void adapter_hearing_free(struct adapter_hearing *hearing)
{
    if (!hearing)
        return;
    nl_socket_free(hearing->notices);
    g_ptr_array_unref(hearing->there);
    g_ptr_array_unref(hearing->gone);
    g_free(hearing);
}

static void forget(GPtrArray *items, const struct adapter_item *item)
{
    for (unsigned i = items->len; i-- > 0;)
        if (adapter_item_equal(items->pdata[i], item))
            g_ptr_array_remove_index(items, i);
}

static void hear(struct nlmsghdr *message, void *context)
{
    struct adapter_hearing *hearing = context;
    g_autoptr(GPtrArray) parsed = adapter_items_new();
    const struct ifaddrmsg *address = nlmsg_data(message);

    if (message->nlmsg_type == RTM_DELADDR && nlmsg_valid_hdr(message, sizeof(*address)) &&
        (int)address->ifa_index == hearing->link.index) {
        g_ptr_array_extend_and_steal(hearing->gone, hearing->there);
        hearing->there = adapter_items_new();
        return;
    }
    adapter_item_parse(&hearing->link, message, parsed);
    for (unsigned i = 0; i < parsed->len; i++) {
        struct adapter_item *item = parsed->pdata[i];

        forget(hearing->there, item);
        if (message->nlmsg_type == RTM_NEWROUTE || message->nlmsg_type == RTM_NEWNEIGH)
            g_ptr_array_add(hearing->there, adapter_item_ref(item));
    }
}

GPtrArray *adapter_hearing_take(struct adapter_hearing *hearing)
{
    GPtrArray *gone;

    adapter_netlink_notices(hearing->notices, hear, hearing);
    gone = hearing->gone;
    hearing->gone = adapter_items_new();
    return gone;
}
