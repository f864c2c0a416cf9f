/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links are wireless, from nl80211 (linux/nl80211.h, generic netlink).
 *
 * rtnetlink shows a wireless link like a cable's. A station may send frames with its own address
 * only, unless it talks with four addresses; an access point forwards for its stations anyway.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_WIRELESS_H
#define VMBUSD_VSWITCH_ADAPTER_WIRELESS_H

#include <glib.h>

struct nlmsghdr;

/* Set `kind` and `four_address` of the wireless links in an array of struct adapter. A host without
 * nl80211 has none. */
void adapter_wireless_mark(GArray *list);

/* The same from one NL80211_CMD_NEW_INTERFACE message. */
void adapter_wireless_apply(GArray *list, struct nlmsghdr *message);

#endif
