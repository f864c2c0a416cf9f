/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network at work: its switch, the host's port with its addresses, dnsmasq, NAT, adapter.
 *
 * Started and stopped whole, on the main loop's thread. What a former life left (an interface, a
 * dnsmasq, a table) is recognised by its name by the parent, which replaces it or has it back.
 */
#ifndef VMBUSD_DAEMON_NETWORK_H
#define VMBUSD_DAEMON_NETWORK_H

#include <json-c/json.h>

#include "src/daemon/network_xml.h"

struct network;

/* Takes `config`. Starts nothing. */
struct network *network_new(struct network_config *config);

/* Make it work. False with `error`, everything undone, if it cannot be. */
bool network_start(struct network *network, GError **error);

/* Undo it all. The guests' ports have been removed. */
void network_stop(struct network *network);

/* Stop, and free. NULL is fine. */
void network_free(struct network *network);

const struct network_config *network_config(const struct network *network);

/* NULL while it is not started. */
struct vswitch *network_switch(const struct network *network);

/* Without the Ethernet header. */
uint32_t network_mtu(const struct network *network);

/* Why it could not be started, NULL if it could. */
const char *network_failure(const struct network *network);

/* What `switch list` and `switch show` tell of it. */
struct json_object *network_report(const struct network *network);

/* Append the ports that are no guests', as `switch ports` shows them. */
void network_ports(const struct network *network, struct json_object *array);

/* Append every known station to the array: mac, vlan, port, age_s. */
void network_stations(const struct network *network, struct json_object *array);

/* What a port may do, as `switch ports` shows it. */
struct json_object *network_port_policy(const struct port_policy *policy);

/* The counters of a port. */
struct json_object *network_port_stats(struct port *port);

#endif
