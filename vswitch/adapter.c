/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: reading RTM_NEWLINK (rtnetlink(7), linux/if_link.h), and what is fit to be an adapter.
 */
#include "vswitch/adapter.h"

#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_root.h"
#include "vswitch/adapter_wireless.h"

GQuark adapter_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-adapter");
}

const char *adapter_kind_text(enum adapter_kind kind)
{
    static const char *const text[] = {
        [ADAPTER_PHYSICAL] = "a network card",
        [ADAPTER_VETH] = "a veth link",
        [ADAPTER_BRIDGE] = "a bridge",
        [ADAPTER_BOND] = "a bond",
        [ADAPTER_VLAN] = "a VLAN",
        [ADAPTER_TUN] = "a TUN or TAP link",
        [ADAPTER_WIRELESS] = "a wireless link",
        [ADAPTER_OTHER] = "no Ethernet card",
    };

    return text[kind];
}

/* --- RTM_NEWLINK ------------------------------------------------------------------------------ */

static enum adapter_kind kind_of(const struct ifinfomsg *info, struct nlattr *linkinfo)
{
    static const struct {
        const char *kernel;
        enum adapter_kind kind;
    } known[] = {
        {"veth", ADAPTER_VETH}, {"bridge", ADAPTER_BRIDGE}, {"bond", ADAPTER_BOND},
        {"team", ADAPTER_BOND}, {"vlan", ADAPTER_VLAN},     {"tun", ADAPTER_TUN},
    };
    struct nlattr *name =
        linkinfo ? nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_KIND) : NULL;

    if (info->ifi_type != ARPHRD_ETHER)
        return ADAPTER_OTHER;
    if (!name)
        return ADAPTER_PHYSICAL;
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(nla_get_string(name), known[i].kernel) == 0)
            return known[i].kind;
    return ADAPTER_OTHER;
}

static void parse_mac(struct nlattr *attribute, uint8_t mac[6])
{
    if (attribute && nla_len(attribute) == 6)
        memcpy(mac, nla_data(attribute), 6);
}

static int parse_index(struct nlattr *attribute)
{
    return attribute ? (int)nla_get_u32(attribute) : 0;
}

bool adapter_parse(const struct nlmsghdr *message, struct adapter *ret_adapter)
{
    const struct ifinfomsg *info = NLMSG_DATA(message);
    struct nlattr *attribute[IFLA_MAX + 1];

    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) || info->ifi_family != AF_UNSPEC ||
        nlmsg_parse((struct nlmsghdr *)(uintptr_t)message, sizeof(*info), attribute, IFLA_MAX,
                    NULL) < 0 ||
        !attribute[IFLA_IFNAME])
        return false;
    *ret_adapter = (struct adapter){
        .index = info->ifi_index,
        .kind = kind_of(info, attribute[IFLA_LINKINFO]),
        .up = (info->ifi_flags & IFF_UP) != 0,
        .carrier = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP),
        .running = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING),
        .mtu = attribute[IFLA_MTU] ? nla_get_u32(attribute[IFLA_MTU]) : 0,
        .master = parse_index(attribute[IFLA_MASTER]),
        .lower = parse_index(attribute[IFLA_LINK]),
    };
    /* A veth's peer, or a link that stands on another namespace's, is nothing that we see below. */
    if (ret_adapter->kind == ADAPTER_VETH || attribute[IFLA_LINK_NETNSID])
        ret_adapter->lower = 0;
    g_strlcpy(ret_adapter->name, nla_get_string(attribute[IFLA_IFNAME]), IF_NAMESIZE);
    parse_mac(attribute[IFLA_ADDRESS], ret_adapter->mac);
    memcpy(ret_adapter->permanent_mac, ret_adapter->mac, 6);
    parse_mac(attribute[IFLA_PERM_ADDRESS], ret_adapter->permanent_mac);
    return true;
}

/* --- All links -------------------------------------------------------------------------------- */

static int by_index(const void *a, const void *b)
{
    return ((const struct adapter *)a)->index - ((const struct adapter *)b)->index;
}

static struct adapter *find(const GArray *list, int index)
{
    for (unsigned i = 0; i < list->len; i++)
        if (g_array_index(list, struct adapter, i).index == index)
            return &g_array_index(list, struct adapter, i);
    return NULL;
}

const struct adapter *adapter_by_index(const GArray *list, int index)
{
    return find(list, index);
}

const struct adapter *adapter_by_name(const GArray *list, const char *name)
{
    for (unsigned i = 0; i < list->len; i++)
        if (strcmp(g_array_index(list, struct adapter, i).name, name) == 0)
            return &g_array_index(list, struct adapter, i);
    return NULL;
}

static void mark_default_leg(const GArray *list, int index)
{
    struct adapter *adapter = find(list, index);

    if (adapter)
        adapter->default_route = true;
}

/* A default route may have one way out, or several in RTA_MULTIPATH. */
static void mark_default_route(const GArray *list, struct nlmsghdr *message)
{
    const struct rtmsg *route = nlmsg_data(message);
    struct nlattr *out = nlmsg_find_attr(message, sizeof(*route), RTA_OIF);
    struct nlattr *legs = nlmsg_find_attr(message, sizeof(*route), RTA_MULTIPATH);

    if (route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST)
        return;
    if (out)
        mark_default_leg(list, (int)nla_get_u32(out));
    if (!legs)
        return;
    int left = nla_len(legs);
    for (struct rtnexthop *leg = nla_data(legs); left >= (int)sizeof(*leg) && RTNH_OK(leg, left);
         leg = RTNH_NEXT(leg)) {
        mark_default_leg(list, leg->rtnh_ifindex);
        left -= (int)RTNH_ALIGN(leg->rtnh_len);
    }
}

/* Read all links as the kernel lists them, into `list`. */
static bool read_links(struct nl_sock *sock, GArray *list, GError **error)
{
    struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
    g_autoptr(GPtrArray) links = adapter_netlink_dump(sock, RTM_GETLINK, &all, sizeof(all), error);

    for (unsigned i = 0; links && i < links->len; i++) {
        struct adapter adapter;

        if (!adapter_parse(links->pdata[i], &adapter))
            continue;
        adapter.speed = adapter.carrier ? adapter_ethtool_speed(adapter.name) : 0;
        g_array_append_val(list, adapter);
    }
    return links != NULL;
}

GArray *adapter_list(struct nl_sock *sock, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(struct adapter));
    struct rtmsg every = {.rtm_family = AF_UNSPEC};

    if (!read_links(sock, list, error))
        return NULL;
    g_autoptr(GPtrArray) routes =
        adapter_netlink_dump(sock, RTM_GETROUTE, &every, sizeof(every), error);
    if (!routes)
        return NULL;
    for (unsigned i = 0; i < routes->len; i++)
        mark_default_route(list, routes->pdata[i]);
    g_array_sort(list, by_index);
    for (unsigned i = 0; i < list->len; i++) {
        struct adapter *adapter = &g_array_index(list, struct adapter, i);
        const struct adapter *master = adapter->master ? find(list, adapter->master) : NULL;

        if (master)
            memcpy(adapter->master_name, master->name, IF_NAMESIZE);
    }
    adapter_wireless_mark(list);
    struct adapter *root = find(list, adapter_root_link(sock));
    if (root)
        root->root = true;
    return g_steal_pointer(&list);
}

/* --- Fit? ------------------------------------------------------------------------------------- */

static bool refuse(GError **error, enum adapter_error code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(GError **error, enum adapter_error code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, ADAPTER_ERROR, (int)code, text);
    return false;
}

/* The link that stands on this one (a VLAN of the host), or NULL. */
static const struct adapter *upper_of(const struct adapter *adapter, const GArray *list)
{
    for (unsigned i = 0; i < list->len; i++)
        if (g_array_index(list, struct adapter, i).lower == adapter->index)
            return &g_array_index(list, struct adapter, i);
    return NULL;
}

bool adapter_fit(const struct adapter *adapter, const GArray *list, bool veth, bool force,
                 GError **error)
{
    const char *name = adapter->name;
    const struct adapter *upper = upper_of(adapter, list);

    if (adapter->kind != ADAPTER_PHYSICAL && adapter->kind != ADAPTER_WIRELESS &&
        !(veth && adapter->kind == ADAPTER_VETH))
        return refuse(error, ADAPTER_ERROR_UNFIT,
                      "%s is %s; an external switch needs a network card", name,
                      adapter_kind_text(adapter->kind));
    if (force)
        return true;
    if (adapter->kind == ADAPTER_WIRELESS && !adapter->four_address)
        return refuse(
            error, ADAPTER_ERROR_UNFIT,
            "%s is wireless without 4-address mode: the access point takes frames from its "
            "own MAC only; use a nat network",
            name);
    if (adapter->master)
        return refuse(error, ADAPTER_ERROR_UNFIT,
                      "%s is enslaved to %s; release it with: ip link set %s nomaster", name,
                      adapter->master_name[0] ? adapter->master_name : "another link", name);
    if (upper)
        return refuse(
            error, ADAPTER_ERROR_UNFIT,
            "%s stands on %s and would lose its frames; delete it with: ip link delete %s",
            upper->name, name, upper->name);
    if (adapter->root)
        return refuse(error, ADAPTER_ERROR_ROOT,
                      "the root file system comes over %s; while vmbusd is away it would hang",
                      name);
    return true;
}
