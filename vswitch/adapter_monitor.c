/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor. A notice only says that something has changed; what, is seen by comparing lists, so
 * that a lost notice, a repeated one and a burst all come to the same. Of one thing the lists know
 * nothing: a link that has gone may be back with the same index before anybody looks.
 */
#include "vswitch/adapter_monitor.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "src/common/log.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_owner.h"

struct adapter_monitor {
    struct adapter_monitor_config config;
    char *root;
    struct nl_sock *notices;
    struct nl_sock *requests; /* for dumps */
    GArray *links;
    GArray *deleted; /* of int: indices of links that have gone, since they were last compared */
    bool heard;      /* a notice, in this dispatch */
};

const char *adapter_event_name(enum adapter_event event)
{
    static const char *const name[] = {"appeared", "gone", "link-up", "link-down", "changed"};

    return name[event];
}

static bool was_deleted(const struct adapter_monitor *monitor, int index)
{
    for (unsigned i = 0; i < monitor->deleted->len; i++)
        if (g_array_index(monitor->deleted, int, i) == index)
            return true;
    return false;
}

/* --- Comparing -------------------------------------------------------------------------------- */

static void tell(struct adapter_monitor *monitor, enum adapter_event event,
                 const struct adapter *link)
{
    if (link->kind == ADAPTER_PHYSICAL || link->kind == ADAPTER_WIRELESS ||
        (monitor->config.veth && link->kind == ADAPTER_VETH))
        log_info("%s: %s, MTU %u%s", link->name, adapter_event_name(event), link->mtu,
                 link->carrier ? "" : ", no link");
    if (monitor->config.event)
        monitor->config.event(event, link, monitor->config.context);
}

static bool changed(const struct adapter *then, const struct adapter *now)
{
    return strcmp(then->name, now->name) != 0 || memcmp(then->mac, now->mac, 6) != 0 ||
           then->mtu != now->mtu || then->master != now->master || then->up != now->up;
}

/* What has become of a link that was there. */
static void compare_link(struct adapter_monitor *monitor, const struct adapter *then,
                         const struct adapter *now)
{
    if (!now || was_deleted(monitor, then->index)) {
        tell(monitor, ADAPTER_GONE, then);
        if (now)
            tell(monitor, ADAPTER_APPEARED, now);
        return;
    }
    if (changed(then, now))
        tell(monitor, ADAPTER_CHANGED, now);
    if (then->carrier != now->carrier)
        tell(monitor, now->carrier ? ADAPTER_LINK_UP : ADAPTER_LINK_DOWN, now);
}

static void compare(struct adapter_monitor *monitor, const GArray *then, const GArray *now)
{
    for (unsigned i = 0; i < then->len; i++) {
        const struct adapter *link = &g_array_index(then, struct adapter, i);

        compare_link(monitor, link, adapter_by_index(now, link->index));
    }
    for (unsigned i = 0; i < now->len; i++) {
        const struct adapter *link = &g_array_index(now, struct adapter, i);

        if (!adapter_by_index(then, link->index))
            tell(monitor, ADAPTER_APPEARED, link);
    }
}

/* --- Raising ---------------------------------------------------------------------------------- */

/* Up, and without the link-local address that IPv6 would give it. */
static void raise_link(struct adapter_monitor *monitor, const struct adapter *link)
{
    int result = adapter_sysctl_write(link->name, "ipv6/addr_gen_mode", "1");

    if (result == 0 || result == -ENOENT) /* a kernel without IPv6 */
        result = adapter_netlink_set_up(monitor->requests, link->index, true);
    if (result < 0)
        log_warning("%s: cannot be set up to see its link: %s", link->name, g_strerror(-result));
}

static void raise_all(struct adapter_monitor *monitor, const GArray *before)
{
    for (unsigned i = 0; i < monitor->links->len; i++) {
        const struct adapter *link = &g_array_index(monitor->links, struct adapter, i);

        /* One that was up when last seen was set down by somebody who meant it. */
        bool seen =
            before && adapter_by_index(before, link->index) && !was_deleted(monitor, link->index);
        if (!link->up && !seen &&
            adapter_fit(link, monitor->links, monitor->config.veth, false, NULL) &&
            adapter_owner_agrees(monitor->root, link->index, link->name, NULL))
            raise_link(monitor, link);
    }
}

/* --- Notices ---------------------------------------------------------------------------------- */

static void look_again(struct adapter_monitor *monitor)
{
    g_autoptr(GError) error = NULL;
    GArray *now = adapter_list(monitor->requests, &error);
    g_autoptr(GArray) then = monitor->links;

    if (!now) {
        log_error("%s", error->message);
        g_steal_pointer(&then);
        return;
    }
    monitor->links = now;
    if (monitor->config.raise)
        raise_all(monitor, then);
    compare(monitor, then, now);
    g_array_set_size(monitor->deleted, 0);
}

/* What it says is not taken from it, but for one thing. */
static void read_notice(struct nlmsghdr *notice, void *context)
{
    struct adapter_monitor *monitor = context;
    const struct ifinfomsg *link = nlmsg_data(notice);

    monitor->heard = true;
    /* Of another family: it has left a bridge. */
    if (notice->nlmsg_type == RTM_DELLINK && nlmsg_valid_hdr(notice, sizeof(*link)) &&
        link->ifi_family == AF_UNSPEC)
        g_array_append_val(monitor->deleted, link->ifi_index);
}

void adapter_monitor_dispatch(struct adapter_monitor *monitor)
{
    monitor->heard = false;
    if (adapter_netlink_notices(monitor->notices, read_notice, monitor) || monitor->heard)
        look_again(monitor);
}

int adapter_monitor_fd(const struct adapter_monitor *monitor)
{
    return nl_socket_get_fd(monitor->notices);
}

const GArray *adapter_monitor_list(const struct adapter_monitor *monitor)
{
    return monitor->links;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct adapter_monitor *adapter_monitor_new(const struct adapter_monitor_config *config,
                                            GError **error)
{
    static const int groups[] = {RTNLGRP_LINK, 0};
    struct adapter_monitor *monitor = g_new0(struct adapter_monitor, 1);

    monitor->config = *config;
    monitor->root = g_strdup(config->root ? config->root : "/");
    monitor->deleted = g_array_new(FALSE, FALSE, sizeof(int));
    monitor->requests = adapter_netlink_open(NETLINK_ROUTE, error);
    /* Joined before the dump: what changes in between is seen twice, not never. */
    if (!monitor->requests || !(monitor->notices = adapter_netlink_listen(groups, error)) ||
        !(monitor->links = adapter_list(monitor->requests, error))) {
        adapter_monitor_free(monitor);
        return NULL;
    }
    if (config->raise)
        raise_all(monitor, NULL);
    return monitor;
}

void adapter_monitor_free(struct adapter_monitor *monitor)
{
    if (!monitor)
        return;
    nl_socket_free(monitor->notices);
    nl_socket_free(monitor->requests);
    g_clear_pointer(&monitor->links, g_array_unref);
    g_array_unref(monitor->deleted);
    g_free(monitor->root);
    g_free(monitor);
}
