/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a network external: see external.h. Which adapter is vswitch/adapter_select.h's
 * question, how it is taken adapter_takeover.h's.
 *
 * Left out: keeping the host's interface over a restart of vmbusd (the adapter is given back and
 * taken again).
 */
#include "src/daemon/external.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "src/common/log.h"
#include "src/common/mac.h"
#include "src/daemon/event.h"
#include "src/daemon/privileged.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_select.h"
#include "vswitch/adapter_takeover.h"
#include "vswitch/port_packet.h"
#include "vswitch/port_tap.h"

#define SETTLE_MS 200  /* one change comes as several messages */
#define RETRY_MS  5000 /* after a takeover that failed */
#define GUARD_S   2    /* how often to see whether others have undone something */

struct external {
    const struct network_config *config;
    struct vswitch *vswitch;
    char *journals;
    struct nl_sock *events;
    guint source, timer, guard; /* GLib sources, 0: none */
    int index;                  /* of the adapter, 0: not bound */
    char adapter[IFNAMSIZ];
    struct adapter seen; /* the adapter as it was when last looked at */
    struct port *host, *uplink;
    uint32_t host_number, uplink_number;
    bool taken;
    bool lost; /* the adapter has gone; one of the same number is another, or has forgotten all */
    char *complaint;
};

static void complain(struct external *external, const char *why)
{
    if (why && g_strcmp0(external->complaint, why) != 0)
        log_warning("network %s: %s", external->config->name, why);
    g_free(external->complaint);
    external->complaint = g_strdup(why);
}

/* --- Binding ---------------------------------------------------------------------------------- */

static struct adapter_takeover takeover(const struct external *external)
{
    return (struct adapter_takeover){.folder = external->journals,
                                     .root = "/",
                                     .vswitch = external->config->name,
                                     .adapter = external->adapter,
                                     .host_port = external->config->bridge,
                                     .veth = external->config->forward_dev != NULL,
                                     .force = external->config->adapter_force};
}

static void unbind(struct external *external)
{
    struct adapter_takeover request = takeover(external);
    g_autoptr(GError) error = NULL;

    if (external->uplink)
        vswitch_port_remove(external->vswitch, external->uplink);
    port_packet_free(external->uplink);
    external->uplink = NULL;
    if (external->taken && !privileged_give_back(&request, &error))
        log_error("network %s: %s", external->config->name, error->message);
    external->taken = false;
    if (external->host)
        vswitch_port_remove(external->vswitch, external->host);
    port_tap_free(external->host);
    external->host = NULL;
    external->index = 0;
    external->lost = false;
}

static bool add_port(struct external *external, struct port *port, struct port_policy policy,
                     uint32_t *ret_number, GError **error)
{
    int result = vswitch_port_add(external->vswitch, port, &policy, ret_number);

    if (result < 0)
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                    "the switch takes no port: %s", g_strerror(-result));
    return result == 0;
}

/* The TAP; owned by external->host. */
static bool make_host(struct external *external, const struct adapter *adapter, GError **error)
{
    int fd;

    if (!privileged_tap(external->config->bridge, adapter->mac, adapter->mtu, &fd, error))
        return false;
    struct port *port = port_tap_new(fd, adapter->mtu, error);
    if (!port) {
        close(fd);
        return false;
    }
    if (!add_port(external, port, network_config_host_policy(external->config),
                  &external->host_number, error)) {
        port_tap_free(port);
        return false;
    }
    external->host = port;
    return true;
}

static bool make_uplink(struct external *external, GError **error)
{
    struct port_packet_fds fds;

    if (!privileged_packet(external->adapter, &fds, error))
        return false;
    struct port *port = port_packet_new(&fds, error);
    if (!port) {
        close(fds.queue);
        if (fds.ring >= 0)
            close(fds.ring);
        return false;
    }
    if (!add_port(external, port, network_config_uplink_policy(external->config),
                  &external->uplink_number, error)) {
        port_packet_free(port);
        return false;
    }
    external->uplink = port;
    return true;
}

static bool bind_adapter(struct external *external, const struct adapter *adapter,
                         const GArray *list, GError **error)
{
    struct adapter_takeover request;
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);

    external->index = adapter->index;
    external->seen = *adapter;
    g_strlcpy(external->adapter, adapter->name, sizeof(external->adapter));
    request = takeover(external);
    /* Looked at before there is anything to undo: a refusal leaves no trace. */
    if (!adapter_fit(adapter, list, request.veth, request.force, error) ||
        !make_host(external, adapter, error) || !privileged_take(&request, reports, error))
        return false;
    external->taken = true;
    for (guint i = 0; i < reports->len; i++)
        log_warning("network %s: %s", external->config->name,
                    (const char *)g_ptr_array_index(reports, i));
    return make_uplink(external, error);
}

/* --- Looking ---------------------------------------------------------------------------------- */

static struct adapter_wish make_wish(const struct external *external)
{
    const struct network_config *config = external->config;
    struct adapter_wish wish = {.kind = config->forward_dev      ? ADAPTER_NAMED
                                        : config->adapter_by_mac ? ADAPTER_BY_MAC
                                                                 : ADAPTER_AUTOMATIC,
                                .veth = config->forward_dev != NULL,
                                .present = external->index};

    g_strlcpy(wish.name, config->forward_dev ? config->forward_dev : "", sizeof(wish.name));
    memcpy(wish.mac, config->adapter_mac, sizeof(wish.mac));
    return wish;
}

/* Indices of the adapters that other switches have. */
static GArray *find_busy(const struct external *external, const GArray *list)
{
    GArray *busy = g_array_new(FALSE, FALSE, sizeof(int));

    for (guint i = 0; i < list->len; i++) {
        const struct adapter *adapter = &g_array_index(list, struct adapter, i);
        g_autofree char *owner = adapter_taken_by(external->journals, adapter->name);

        if (owner && strcmp(owner, external->config->name) != 0)
            g_array_append_val(busy, adapter->index);
    }
    return busy;
}

static gboolean on_timer(void *context);

static void look_in(struct external *external, guint after_ms)
{
    if (external->timer)
        g_source_remove(external->timer);
    external->timer = g_timeout_add(after_ms, on_timer, external);
}

static bool is_wanted(const struct network_config *config, const struct adapter *adapter)
{
    if (config->forward_dev)
        return !strcmp(adapter->name, config->forward_dev);
    return config->adapter_by_mac &&
           (!memcmp(adapter->permanent_mac, config->adapter_mac, sizeof(config->adapter_mac)) ||
            !memcmp(adapter->mac, config->adapter_mac, sizeof(config->adapter_mac)));
}

/* Why the network waits, while no adapter is to be had. */
static char *why_none(const struct external *external, const GArray *list)
{
    const struct network_config *config = external->config;

    if (!config->forward_dev && !config->adapter_by_mac)
        return g_strdup("no adapter that could be taken has a link; the network waits for one");
    for (guint i = 0; i < list->len; i++) {
        const struct adapter *adapter = &g_array_index(list, struct adapter, i);
        g_autofree char *owner = NULL;

        if (!is_wanted(config, adapter))
            continue;
        owner = adapter_taken_by(external->journals, adapter->name);
        if (owner && strcmp(owner, config->name) != 0)
            return g_strdup_printf("its adapter %s is network %s's; the network waits for it",
                                   adapter->name, owner);
        return g_strdup_printf("its adapter %s is %s, which cannot be taken", adapter->name,
                               adapter_kind_text(adapter->kind));
    }
    if (config->forward_dev)
        return g_strdup_printf("its adapter %s is not there; the network waits for it",
                               config->forward_dev);
    return g_strdup("no adapter has the MAC address; the network waits for one");
}

/* Tell once what has happened to the adapter, and let the host's interface follow it. */
static void follow(struct external *external, const struct adapter *adapter)
{
    const struct adapter *then = &external->seen;
    struct adapter_takeover request = takeover(external);
    g_autoptr(GError) error = NULL;
    char mac[MAC_TEXT];

    mac_print(adapter->mac, mac);
    if (adapter->carrier != then->carrier) {
        log_info("network %s: adapter %s: link %s", external->config->name, adapter->name,
                 adapter->carrier ? "up" : "down");
        event_emit("link", "network", external->config->name, "adapter", adapter->name, "state",
                   adapter->carrier ? "up" : "down", NULL);
    }
    if (adapter->mtu != then->mtu)
        log_info("network %s: adapter %s: MTU %u", external->config->name, adapter->name,
                 adapter->mtu);
    if (memcmp(adapter->mac, then->mac, sizeof(adapter->mac)) != 0)
        log_info("network %s: adapter %s: MAC %s", external->config->name, adapter->name, mac);
    external->seen = *adapter;
    if (!privileged_follow(&request, &error))
        log_error("network %s: %s", external->config->name, error->message);
}

static void choose(struct external *external, const GArray *list)
{
    struct adapter_wish wish = make_wish(external);
    g_autoptr(GArray) busy = find_busy(external, list);
    g_autoptr(GError) error = NULL;

    wish.busy = (const int *)(void *)busy->data;
    wish.busy_count = busy->len;
    const struct adapter *adapter = adapter_select(list, &wish);
    if (external->index && (!adapter || adapter->index != external->index || external->lost)) {
        log_info("network %s lets go of adapter %s", external->config->name, external->adapter);
        unbind(external);
        event_emit("adapter-released", "network", external->config->name, "adapter",
                   external->adapter, NULL);
    }
    if (!adapter) {
        g_autofree char *why = why_none(external, list);

        complain(external, why);
    } else if (external->index) {
        follow(external, adapter);
    } else {
        if (bind_adapter(external, adapter, list, &error)) {
            log_info("network %s is bound to adapter %s", external->config->name,
                     external->adapter);
            event_emit("adapter-bound", "network", external->config->name, "adapter",
                       external->adapter, NULL);
            complain(external, NULL);
        } else {
            unbind(external);
            complain(external, error->message);
            look_in(external, RETRY_MS);
        }
    }
}

static void look(struct external *external)
{
    struct nl_sock *sock = nl_socket_alloc();
    g_autoptr(GError) error = NULL;
    GArray *list = nl_connect(sock, NETLINK_ROUTE) == 0 ? adapter_list(sock, &error) : NULL;

    if (list) {
        choose(external, list);
        g_array_unref(list);
    } else {
        complain(external, error ? error->message : "the kernel does not list its links");
        look_in(external, RETRY_MS);
    }
    nl_socket_free(sock);
}

static gboolean on_timer(void *context)
{
    struct external *external = context;

    external->timer = 0;
    look(external);
    return G_SOURCE_REMOVE;
}

/* Is it something to look at? Routes of others come in their thousands. */
static bool take_event(struct external *external, struct nlmsghdr *message)
{
    const struct ifinfomsg *link = nlmsg_data(message);
    struct nlattr *out;

    switch (message->nlmsg_type) {
    case RTM_DELLINK:
        external->lost |= link->ifi_family == AF_UNSPEC && link->ifi_index == external->index;
        return true;
    case RTM_NEWROUTE:
        out = nlmsg_find_attr(message, sizeof(struct rtmsg), RTA_OIF);
        return out && external->index && (int)nla_get_u32(out) == external->index;
    default:
        return message->nlmsg_type != RTM_DELROUTE;
    }
}

/* What has changed is not read: everything is looked at anew, unless a retry is due anyway. */
static gboolean on_event(gint fd, GIOCondition condition, gpointer context)
{
    struct external *external = context;
    char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool any = false;
    ssize_t length;

    (void)condition;
    while ((length = read(fd, buffer, sizeof(buffer))) > 0 || errno == ENOBUFS) {
        struct nlmsghdr *message = (struct nlmsghdr *)(void *)buffer;

        any |= length < 0; /* some were lost */
        for (int left = (int)length; nlmsg_ok(message, left); message = nlmsg_next(message, &left))
            any |= take_event(external, message);
    }
    if (any && !external->timer)
        look_in(external, SETTLE_MS);
    return G_SOURCE_CONTINUE;
}

static gboolean on_guard(void *context)
{
    struct external *external = context;
    struct adapter_takeover request = takeover(external);

    if (external->taken)
        privileged_guard(&request);
    return G_SOURCE_CONTINUE;
}

/* --- Life ------------------------------------------------------------------------------------- */

struct external *external_new(const struct network_config *config, struct vswitch *vswitch,
                              const char *journals, GError **error)
{
    struct external *external = g_new0(struct external, 1);
    int result;

    external->config = config;
    external->vswitch = vswitch;
    external->journals = g_strdup(journals);
    external->events = nl_socket_alloc();
    result = nl_connect(external->events, NETLINK_ROUTE);
    if (result == 0)
        result = nl_socket_add_memberships(external->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                           RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                                           RTNLGRP_IPV6_ROUTE, 0);
    if (result == 0)
        result = nl_socket_set_nonblocking(external->events);
    if (result < 0) {
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                    "changes of links cannot be followed: %s", nl_geterror(result));
        external_free(external);
        return NULL;
    }
    external->source =
        g_unix_fd_add(nl_socket_get_fd(external->events), G_IO_IN, on_event, external);
    external->guard = g_timeout_add_seconds(GUARD_S, on_guard, external);
    look(external);
    return external;
}

void external_free(struct external *external)
{
    if (!external)
        return;
    if (external->source)
        g_source_remove(external->source);
    if (external->timer)
        g_source_remove(external->timer);
    if (external->guard)
        g_source_remove(external->guard);
    unbind(external);
    nl_socket_free(external->events);
    g_free(external->journals);
    g_free(external->complaint);
    g_free(external);
}

const char *external_adapter(const struct external *external)
{
    return external->index ? external->adapter : NULL;
}

const char *external_complaint(const struct external *external)
{
    return external->complaint;
}

struct port *external_host(const struct external *external, uint32_t *ret_number)
{
    *ret_number = external->host_number;
    return external->host;
}

struct port *external_uplink(const struct external *external, uint32_t *ret_number)
{
    *ret_number = external->uplink_number;
    return external->uplink;
}
