/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a network external: the adapter that it is bound to, found, taken over and given back,
 * as cables, adapters and addresses come and go.
 *
 * Main loop only. It looks whenever the parent says that a link has changed, and follows the
 * adapter's MAC and MTU. Bound, the switch has two ports more: the adapter, and the host's
 * interface with what the host had on the adapter.
 */
#ifndef VMBUSD_DAEMON_EXTERNAL_H
#define VMBUSD_DAEMON_EXTERNAL_H

#include "src/daemon/network_xml.h"

struct external;

/* Start looking; binding may be at once or later. `config` and `vswitch` must outlive it.
 * NULL with `error`. */
struct external *external_new(const struct network_config *config, struct vswitch *vswitch,
                              GError **error);

/* Give the adapter back. NULL is fine. */
void external_free(struct external *external);

/* The adapter that is bound, or NULL. */
const char *external_adapter(const struct external *external);

/* Why none is bound; NULL if one is. */
const char *external_complaint(const struct external *external);

/* The ports, NULL while not bound, with their numbers. */
struct port *external_host(const struct external *external, uint32_t *ret_number);
struct port *external_uplink(const struct external *external, uint32_t *ret_number);

#endif
