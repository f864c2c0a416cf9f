/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network's packet filter: an nftables table of our own, with NAT and the host's forwarding or,
 * of an internal network, without. The parent's, but for nat_request().
 */
#ifndef VMBUSD_DAEMON_NAT_H
#define VMBUSD_DAEMON_NAT_H

#include "src/daemon/network_xml.h"
#include "src/daemon/request.h"

/* What the network wants of it. */
struct request_nat nat_request(const struct network_config *config);

/* The script that puts the network's table in place, whatever was there. g_free() it. */
char *nat_script(const struct request_nat *nat);

/* Put the table in place and, for NAT, switch forwarding on; `directory` keeps what forwarding was.
 * False with `error`, nothing changed. */
bool nat_start(const struct request_nat *nat, const char *directory, GError **error);

/* Remove the table; the last one also restores forwarding. */
void nat_stop(const char *network, const char *directory);

/* Remove tables that a former life left and no network of `names` (NULL-terminated) has, and
 * restore forwarding if there is none left. */
void nat_sweep(const char *const *names, const char *directory);

#endif
