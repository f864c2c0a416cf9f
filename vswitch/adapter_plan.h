/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a takeover, in their order, and why it is this one:
 *
 *   1 host port: down; MAC, MTU and settings of the adapter
 *   2 the adapter's ingress is cut, before the host port can receive: no frame arrives twice
 *   3 host port up; addresses, routes, neighbours put on it beside those of the adapter, so that at
 *     no time an address or a route of the host is missing and its connections live on
 *   4 the adapter's IPv6 autoconfiguration and ARP off, before it loses what they would renew
 *   5 routes, neighbours, addresses off the adapter, last first
 *   6 the adapter up; receive offloads that join frames for a host, not for a switch, off
 *
 * Undone in reverse this is as gentle: the adapter has everything again before the host port loses
 * it, and is healed when the host port is down.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_PLAN_H
#define VMBUSD_VSWITCH_ADAPTER_PLAN_H

#include <glib.h>

struct adapter;
struct nl_sock;

/* All steps: an array of struct adapter_step that owns them. `items` is what adapter_items_read()
 * found on the adapter. */
GPtrArray *adapter_plan(const struct adapter *adapter, const struct adapter *host,
                        GPtrArray *items);

/* Undone, these steps leave the adapter up, whatever it was. Before adapter_plan_with_items(). */
void adapter_plan_keep_up(GPtrArray *steps);

/* The same steps with other items; the old array is freed. */
GPtrArray *adapter_plan_with_items(GPtrArray *steps, GPtrArray *items);

#endif
