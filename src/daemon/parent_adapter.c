/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's links and adapters, for the child: what there is (vswitch/adapter_monitor.h), taking
 * over and giving back (vswitch/adapter_takeover.h), packet sockets.
 *
 * Left out: keeping packet sockets while no child reads them. What comes in is lost with the rest
 * of that second, the host's own stack being cut off all the same; a new socket is there sooner
 * than an old one's ring could be read up.
 */
#include "src/daemon/parent_priv.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "src/common/log.h"
#include "vswitch/adapter_journal.h"
#include "vswitch/adapter_monitor.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_takeover.h"
#include "vswitch/port_packet.h"

#define GUARD_MS 2000 /* how often to see whether others have undone something */

/* --- Links ------------------------------------------------------------------------------------ */

static void on_link(enum adapter_event event, const struct adapter *link, void *context)
{
    static const struct request_event links = {.kind = REQUEST_EVENT_LINKS};
    struct parent *parent = context;

    for (guint i = 0; event == ADAPTER_GONE && i < parent->take->len; i++) {
        struct parent_take *take = &g_array_index(parent->take, struct parent_take, i);

        take->lost |= take->index == link->index;
    }
    parent_tell(parent, &links);
}

/* The child's takeover of the adapter of that index, or NULL. */
static const struct parent_take *find_index(const struct parent *parent, int index)
{
    for (guint i = 0; i < parent->take->len; i++) {
        const struct parent_take *take = &g_array_index(parent->take, struct parent_take, i);

        if (take->index == index)
            return take;
    }
    return NULL;
}

/* Addresses, and routes over an adapter that is taken: what is put on it belongs to the host's
 * interface. Routes of others come in their thousands. */
static bool concerns(const struct parent *parent, struct nlmsghdr *message)
{
    struct nlattr *out = NULL;

    if (message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_DELADDR)
        return true;
    if (message->nlmsg_type == RTM_NEWROUTE)
        out = nlmsg_find_attr(message, sizeof(struct rtmsg), RTA_OIF);
    return out && find_index(parent, (int)nla_get_u32(out));
}

struct notices {
    const struct parent *parent;
    bool any; /* that concerns us */
};

static void read_notice(struct nlmsghdr *message, void *context)
{
    struct notices *notices = context;

    notices->any |= concerns(notices->parent, message);
}

void parent_notices(struct parent *parent)
{
    static const struct request_event links = {.kind = REQUEST_EVENT_LINKS};
    struct notices notices = {.parent = parent};
    bool lost = adapter_netlink_notices(parent->notices, read_notice, &notices);

    if ((lost || notices.any) && parent->take->len)
        parent_tell(parent, &links);
}

bool parent_watch(struct parent *parent, const struct request_watch *request, GError **error)
{
    static const int groups[] = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                 RTNLGRP_IPV6_ROUTE, 0};
    struct request_watch watch = {.raise = parent->watch.raise || request->raise,
                                  .veth = parent->watch.veth || request->veth};
    struct adapter_monitor_config config = {
        .event = on_link, .context = parent, .raise = watch.raise, .veth = watch.veth};

    if (parent->monitor && watch.raise == parent->watch.raise && watch.veth == parent->watch.veth)
        return true;
    if (!parent->notices && !(parent->notices = adapter_netlink_listen(groups, error)))
        return false;
    struct adapter_monitor *monitor = adapter_monitor_new(&config, error);
    if (!monitor)
        return false;
    if (parent->monitor)
        adapter_monitor_dispatch(parent->monitor); /* what it has heard and not told */
    adapter_monitor_free(parent->monitor);
    parent->monitor = monitor;
    parent->watch = watch;
    return true;
}

bool parent_link(struct parent *parent, int after, struct request_reply *reply, GError **error)
{
    if (!parent->monitor) {
        g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "links are not followed");
        return false;
    }
    const GArray *links = adapter_monitor_list(parent->monitor);
    for (guint i = 0; i < links->len; i++) {
        const struct adapter *link = &g_array_index(links, struct adapter, i);

        if (link->index <= after)
            continue;
        g_autofree char *owner = adapter_taken_by(parent->journals, link->name);
        reply->link = *link;
        g_strlcpy(reply->state.taken_by, owner ? owner : "", sizeof(reply->state.taken_by));
        const struct parent_take *take = find_index(parent, link->index);
        reply->state.lost = take && take->lost;
        break;
    }
    return true;
}

/* --- Takeovers -------------------------------------------------------------------------------- */

static struct adapter_takeover takeover(const struct parent *parent,
                                        const struct request_take *request)
{
    return (struct adapter_takeover){.folder = parent->journals,
                                     .root = "/",
                                     .vswitch = request->vswitch,
                                     .adapter = request->adapter,
                                     .host_port = request->host_port,
                                     .veth = request->veth,
                                     .force = request->force};
}

/* Where the takeover stands among the child's, -1 if it is not there. */
static int position(const struct parent *parent, const char *vswitch, const char *adapter)
{
    for (guint i = 0; i < parent->take->len; i++) {
        const struct request_take *take =
            &g_array_index(parent->take, struct parent_take, i).request;

        if (!strcmp(take->adapter, adapter) && (!vswitch || !strcmp(take->vswitch, vswitch)))
            return (int)i;
    }
    return -1;
}

static bool refuse(GError **error, const char *adapter)
{
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "%s: it was not taken here", adapter);
    return false;
}

bool parent_take(struct parent *parent, const struct request_take *request, GPtrArray *reports,
                 GError **error)
{
    struct adapter_takeover take = takeover(parent, request);
    struct parent_take taken = {.request = *request};
    bool adopted;

    if (!parent_tap_ours(parent, request->host_port, error) ||
        !adapter_take(&take, reports, &adopted, error))
        return false;
    if (adopted)
        log_info("%s: still taken by switch %s, the host is on %s", request->adapter,
                 request->vswitch, request->host_port);
    taken.index = (int)if_nametoindex(request->adapter);
    int at = position(parent, request->vswitch, request->adapter);
    if (at < 0)
        g_array_append_val(parent->take, taken);
    else
        g_array_index(parent->take, struct parent_take, at) = taken;
    return true;
}

bool parent_follow(struct parent *parent, const struct request_take *request, GError **error)
{
    struct adapter_takeover take = takeover(parent, request);

    if (position(parent, request->vswitch, request->adapter) < 0)
        return refuse(error, request->adapter);
    return adapter_follow(&take, error);
}

bool parent_give_back(struct parent *parent, const struct request_take *request, GError **error)
{
    struct adapter_takeover take = takeover(parent, request);
    int at = position(parent, request->vswitch, request->adapter);

    if (at < 0)
        return refuse(error, request->adapter);
    g_array_remove_index_fast(parent->take, (guint)at);
    return adapter_give_back(&take, error);
}

bool parent_taken_onto(const struct parent *parent, const char *host_port)
{
    for (guint i = 0; i < parent->take->len; i++)
        if (!strcmp(g_array_index(parent->take, struct parent_take, i).request.host_port,
                    host_port))
            return true;
    return false;
}

bool parent_packet(struct parent *parent, const char *interface, int fds[REQUEST_FDS],
                   unsigned *ret_count, GError **error)
{
    struct port_packet_fds opened;

    if (position(parent, NULL, interface) < 0)
        return refuse(error, interface);
    if (!port_packet_open(interface, &opened, error))
        return false;
    fds[0] = opened.queue;
    fds[1] = opened.ring;
    fds[2] = opened.which;
    *ret_count = opened.ring < 0 ? 1 : 3;
    return true;
}

int parent_adapter_guard(struct parent *parent)
{
    struct adapter_takeover takeover = {.folder = parent->journals};
    gint64 now = g_get_monotonic_time();

    if (!parent->take->len)
        return -1;
    if (now >= parent->guard) {
        adapter_guard(&takeover);
        parent->guard = now + GUARD_MS * 1000;
    }
    return (int)((parent->guard - now) / 1000) + 1;
}

/* --- What was left ---------------------------------------------------------------------------- */

bool parent_adapter_recover(struct parent *parent, bool all)
{
    struct adapter_takeover takeover = {.folder = parent->journals, .root = "/"};
    g_autoptr(GError) error = NULL;

    if (adapter_recover(&takeover, all, &error))
        return true;
    log_error("adapters: %s", error->message);
    return false;
}

void parent_adapter_sweep(struct parent *parent)
{
    g_autoptr(GPtrArray) journals = adapter_journal_load_all(parent->journals);

    for (guint i = 0; i < journals->len; i++) {
        const struct adapter_journal *journal = g_ptr_array_index(journals, i);
        struct adapter_takeover left = {
            .folder = parent->journals, .root = "/", .adapter = journal->adapter.name};
        g_autoptr(GError) error = NULL;

        if (position(parent, journal->vswitch, journal->adapter.name) >= 0)
            continue;
        log_info("%s: no switch wants it any more", journal->adapter.name);
        if (!adapter_give_back(&left, &error))
            log_error("adapters: %s", error->message);
    }
}
