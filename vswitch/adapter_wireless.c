/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl80211: find the family's number at the generic netlink controller, then dump its interfaces.
 */
#include "vswitch/adapter_wireless.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nl80211.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "vswitch/adapter.h"
#include "vswitch/adapter_netlink.h"

void adapter_wireless_apply(GArray *list, struct nlmsghdr *message)
{
    struct nlattr *index = nlmsg_find_attr(message, GENL_HDRLEN, NL80211_ATTR_IFINDEX);
    struct nlattr *type = nlmsg_find_attr(message, GENL_HDRLEN, NL80211_ATTR_IFTYPE);
    struct nlattr *four = nlmsg_find_attr(message, GENL_HDRLEN, NL80211_ATTR_4ADDR);

    for (unsigned i = 0; index && i < list->len; i++) {
        struct adapter *adapter = &g_array_index(list, struct adapter, i);

        if (adapter->index != (int)nla_get_u32(index))
            continue;
        adapter->kind = ADAPTER_WIRELESS;
        adapter->four_address =
            (four && nla_get_u8(four)) || (type && nla_get_u32(type) == NL80211_IFTYPE_AP);
    }
}

/* Number of the family; 0 if the kernel has no wireless. */
static int family_number(struct nl_sock *sock)
{
    struct genlmsghdr header = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
    g_autoptr(GPtrArray) families =
        adapter_netlink_dump(sock, GENL_ID_CTRL, &header, sizeof(header), NULL);

    for (unsigned i = 0; families && i < families->len; i++) {
        struct nlattr *name =
            nlmsg_find_attr(families->pdata[i], GENL_HDRLEN, CTRL_ATTR_FAMILY_NAME);
        struct nlattr *id = nlmsg_find_attr(families->pdata[i], GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);

        if (name && id && g_str_equal(nla_get_string(name), NL80211_GENL_NAME))
            return nla_get_u16(id);
    }
    return 0;
}

void adapter_wireless_mark(GArray *list)
{
    struct genlmsghdr header = {.cmd = NL80211_CMD_GET_INTERFACE};
    struct nl_sock *sock = adapter_netlink_open(NETLINK_GENERIC, NULL);
    int family = sock ? family_number(sock) : 0;

    if (family) {
        g_autoptr(GPtrArray) links =
            adapter_netlink_dump(sock, family, &header, sizeof(header), NULL);

        for (unsigned i = 0; links && i < links->len; i++)
            adapter_wireless_apply(list, links->pdata[i]);
    }
    nl_socket_free(sock);
}
