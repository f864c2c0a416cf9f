/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link of the host as rtnetlink describes it, and what makes it fit to be a switch's adapter.
 *
 * Facts come from RTM_NEWLINK messages, from the speed that ethtool tells, and from nl80211 for
 * wireless links; never from /sys, which shows the network namespace of whoever mounted it.
 *
 * What can be an adapter: a physical Ethernet card. Links of a kind (bridge, bond, VLAN, TAP) are
 * told apart and refused: a switch on top of them would send the host's own frames in a circle.
 * veth counts as physical where the caller says so, which is what the tests do.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_H
#define VMBUSD_VSWITCH_ADAPTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct nl_sock;
struct nlmsghdr;

#define ADAPTER_ERROR (adapter_error_quark())
GQuark adapter_error_quark(void);
enum adapter_error {
    ADAPTER_ERROR_NOT_FOUND, /* no such link */
    ADAPTER_ERROR_UNFIT,     /* no adapter, enslaved, below others, wireless */
    ADAPTER_ERROR_ROOT,      /* the root file system comes over it */
    ADAPTER_ERROR_OWNED,     /* another program configures it; the text has the command to run */
    ADAPTER_ERROR_TAKEN,     /* another switch has it */
    ADAPTER_ERROR_SYSTEM     /* the kernel or a file refused */
};

enum adapter_kind {
    ADAPTER_PHYSICAL,
    ADAPTER_VETH,
    ADAPTER_BRIDGE,
    ADAPTER_BOND,
    ADAPTER_VLAN,
    ADAPTER_TUN,
    ADAPTER_WIRELESS,
    ADAPTER_OTHER /* loopback, tunnels, macvlan, not Ethernet ... */
};

struct adapter {
    int index;
    char name[IF_NAMESIZE];
    uint8_t mac[6];
    uint8_t permanent_mac[6]; /* `mac` where the kernel knows none */
    uint32_t mtu;
    uint32_t speed; /* Mbit/s, 0 = not known */
    enum adapter_kind kind;
    bool up;      /* set up by the administrator; the carrier is not known of one that is down */
    bool carrier; /* a cable with somebody at its other end */
    bool running; /* up with a carrier for long enough that IPv6 has given it its own address */
    bool four_address;             /* a wireless link that may carry others' addresses */
    int master;                    /* index of the bridge or bond that has it, 0 = none */
    char master_name[IF_NAMESIZE]; /* "" if none, or if not known here */
    int lower;                     /* index of the link that this one stands on, 0 = none */
    bool default_route;            /* a default route goes over it */
    bool root;                     /* the root file system comes over it */
};

/* "a bridge", "a wireless link" */
const char *adapter_kind_text(enum adapter_kind kind);

/* Fill in what an RTM_NEWLINK message says. False if it is not about a link of ours (a bridge
 * port's notice, a message without a name). Speed, wireless, routes and root stay 0. */
bool adapter_parse(const struct nlmsghdr *message, struct adapter *ret_adapter);

/* All links, with everything filled in, by rising index: an array of struct adapter. NULL with
 * ADAPTER_ERROR_SYSTEM. */
GArray *adapter_list(struct nl_sock *sock, GError **error);

/* The link of that name in such a list, or NULL. */
const struct adapter *adapter_by_name(const GArray *list, const char *name);
const struct adapter *adapter_by_index(const GArray *list, int index);

/* Why this link cannot be an adapter at all, as an error of the kind above; true if it can. `list`
 * holds all links: one that others stand on (VLANs of the host) is refused too. Who configures it
 * is adapter_owner.h's question. `force` overrides enslaved, wireless and root, but not the kind.
 */
bool adapter_fit(const struct adapter *adapter, const GArray *list, bool veth, bool force,
                 GError **error);

#endif
