/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One NIC of a running machine on a network's switch: the port ring that vmbusd made for it and
 * the guest port on it.
 */
#ifndef VMBUSD_DAEMON_NIC_PORT_H
#define VMBUSD_DAEMON_NIC_PORT_H

#include "src/daemon/machine_file.h"
#include "src/daemon/network.h"
#include "vswitch/port_ring.h"

struct nic_port;

/* Make the ring and put the port on the network, which is started. NULL with `error`. */
struct nic_port *nic_port_new(const struct machine_nic *nic, struct network *network,
                              GError **error);

/* Take it off the network, which is still there. NULL is fine. */
void nic_port_free(struct nic_port *port);

/* Its far side has lied or gone; only a new one helps. */
bool nic_port_failed(const struct nic_port *port);

uint32_t nic_port_number(const struct nic_port *port);

/* Mirroring: what its policy says, and (of a source) the number of the port that gets copies, 0 for
 * none. */
enum network_mirror nic_port_mirror(const struct nic_port *port);
void nic_port_set_mirror(struct nic_port *port, uint32_t number);

struct network *nic_port_network(const struct nic_port *port);

/* The descriptors to hand to the worker, and how many. */
const int *nic_port_fds(const struct nic_port *port, unsigned *ret_count);

/* Its number, port group, MAC and counters. */
struct json_object *nic_port_report(const struct nic_port *port);

#endif
