/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT for a network: an nftables table of our own, and the host's IPv4 forwarding.
 */
#ifndef VMBUSD_DAEMON_NAT_H
#define VMBUSD_DAEMON_NAT_H

#include "src/daemon/network_xml.h"

/* The script that puts the network's table in place, whatever was there. g_free() it. */
char *nat_script(const struct network_config *config);

/* Put the table in place and switch forwarding on; `directory` keeps what forwarding was. */
bool nat_start(const struct network_config *config, const char *directory, GError **error);

/* Remove the table; the last one also restores forwarding. */
void nat_stop(const struct network_config *config, const char *directory);

/* Remove tables that a former life left and no network of `names` (NULL-terminated) has, and
 * restore forwarding if there is none left. */
void nat_sweep(const char *const *names, const char *directory);

#endif
