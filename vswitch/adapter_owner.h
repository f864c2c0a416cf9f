/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who configures an adapter on this host, and whether it may be taken from under them.
 *
 * NetworkManager says so in /run/NetworkManager/devices/INDEX ("managed" in the group [device]),
 * systemd-networkd in /run/systemd/netif/links/INDEX (ADMIN_STATE, what networkctl shows as SETUP),
 * a DHCP client by being a process with the link's name among its arguments. All three put back
 * what is taken from them (on a carrier change, on a renewed lease), so they are refused with the
 * command that makes them let go. ifupdown with fixed addresses has nothing running: it is taken
 * without asking. A program that is not running owns nothing, whatever files it has left.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_OWNER_H
#define VMBUSD_VSWITCH_ADAPTER_OWNER_H

#include <stdbool.h>

#include <glib.h>

enum adapter_owner {
    ADAPTER_OWNER_NONE, /* nobody, or ifupdown with fixed addresses */
    ADAPTER_OWNER_NETWORK_MANAGER,
    ADAPTER_OWNER_NETWORKD,
    ADAPTER_OWNER_DHCLIENT,
    ADAPTER_OWNER_DHCPCD,
    ADAPTER_OWNER_UDHCPC,
    ADAPTER_OWNERS
};

/* Who configures the link. `root` is "/" but for tests. *ret_process: of a DHCP client; 0. */
enum adapter_owner adapter_owner_find(const char *root, int index, const char *name,
                                      int *ret_process);

/* True if nobody minds; else ADAPTER_ERROR_OWNED with the command to run. */
bool adapter_owner_agrees(const char *root, int index, const char *name, GError **error);

#endif
