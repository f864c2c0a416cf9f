/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP and DNS of an internal or NAT network: a dnsmasq, told by files under the run directory.
 */
#ifndef VMBUSD_DAEMON_DNSMASQ_H
#define VMBUSD_DAEMON_DNSMASQ_H

#include "src/daemon/network_xml.h"

struct dnsmasq;

/* True if the network has something for dnsmasq to do. */
bool dnsmasq_wanted(const struct network_config *config);

/* The text of the configuration file. `directory` holds its other files. g_free() it. */
char *dnsmasq_configuration(const struct network_config *config, const char *directory);

/* Write the files into `directory`, end one that a former life left, start and keep running. The
 * interface has its addresses. NULL with `error`. */
struct dnsmasq *dnsmasq_new(const struct network_config *config, const char *directory,
                            GError **error);

/* End it and remove its files but the leases. NULL is fine. */
void dnsmasq_free(struct dnsmasq *dnsmasq);

/* End those that a former life left and no network of `names` (NULL-terminated) has. */
void dnsmasq_sweep(const char *const *names, const char *directory);

/* Process, 0 while it is down. */
GPid dnsmasq_pid(const struct dnsmasq *dnsmasq);

#endif
