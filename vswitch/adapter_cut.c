/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ingress drop, as one line for nft. "add" before "delete" makes both ways of the line work
 * whether the table is there or not.
 */
#include "vswitch/adapter_cut.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/netfilter.h, which would bring its own */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "vswitch/adapter.h"
#include "vswitch/adapter_netlink.h"

#define NFT "/usr/sbin/nft"

static bool nft_run(char *rules, GError **error)
{
    char program[] = NFT;
    char *command[] = {program, rules, NULL};
    g_autofree char *said = NULL;
    g_autoptr(GError) cause = NULL;
    int status;

    if (g_spawn_sync(NULL, command, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
                     &status, &cause) &&
        g_spawn_check_wait_status(status, &cause))
        return true;
    if (said)
        said[strcspn(said, "\n")] = '\0';
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "nft: %s",
                said && *said ? said : cause->message);
    return false;
}

bool adapter_cut(int index, const char *name, GError **error)
{
    g_autofree char *rules = NULL;

    if (strpbrk(name, "\"\\;{}")) {
        g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_UNFIT,
                    "%s: nft takes no name with such characters; rename the link", name);
        return false;
    }
    rules = g_strdup_printf(
        "add table netdev vmbusd_%d; delete table netdev vmbusd_%d; add table netdev vmbusd_%d; "
        "add chain netdev vmbusd_%d ingress "
        "{ type filter hook ingress device \"%s\" priority -500; policy drop; }",
        index, index, index, index, name);
    return nft_run(rules, error);
}

bool adapter_heal(int index, GError **error)
{
    g_autofree char *rules =
        g_strdup_printf("add table netdev vmbusd_%d; delete table netdev vmbusd_%d", index, index);

    return nft_run(rules, error);
}

bool adapter_cut_stands(int index)
{
    struct nl_sock *sock = adapter_netlink_open(NETLINK_NETFILTER, NULL);
    struct nfgenmsg header = {.nfgen_family = NFPROTO_NETDEV, .version = NFNETLINK_V0};
    g_autofree char *table = g_strdup_printf("vmbusd_%d", index);

    if (!sock)
        return true;
    struct nl_msg *message = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0);
    nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
    nla_put_string(message, NFTA_TABLE_NAME, table);
    int result = adapter_netlink_do(sock, message);
    nl_socket_free(sock);
    return result != -ENOENT;
}
