/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP and DNS of an internal or NAT network: a dnsmasq.
 */
#ifndef VMBUSD_DAEMON_DNSMASQ_H
#define VMBUSD_DAEMON_DNSMASQ_H

#include "src/daemon/network_xml.h"

struct dnsmasq;

/* True if the network has something for dnsmasq to do. */
bool dnsmasq_wanted(const struct network_config *config);

/* Its configuration, without interface and files, which are the parent's to choose. g_free() it. */
char *dnsmasq_configuration(const struct network_config *config);

/* End one that a former life left, start and keep running. The interface has its addresses;
 * `config` must outlive it. NULL with `error`. */
struct dnsmasq *dnsmasq_new(const struct network_config *config, GError **error);

/* End it. NULL is fine. */
void dnsmasq_free(struct dnsmasq *dnsmasq);

/* Process, 0 while it is down. */
GPid dnsmasq_pid(const struct dnsmasq *dnsmasq);

#endif
