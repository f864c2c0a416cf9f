/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port of a guest: the switch's side of a port ring. See port_ring.h.
 *
 * It can do everything that the metadata can say; what the guest itself cannot take, its netvsp
 * does for it.
 */
#ifndef VMBUSD_VSWITCH_PORT_GUEST_H
#define VMBUSD_VSWITCH_PORT_GUEST_H

#include <stdint.h>

#include "vswitch/port.h"
#include "vswitch/port_ring.h"

struct port_guest;

/* The port over the ring behind `fds`, which are borrowed and must outlive it; `mtu` is struct
 * port's. NULL with errno: what port_ring_map() said, ENOMEM. */
struct port_guest *port_guest_new(const struct port_ring_fds *fds, uint32_t mtu);

/* For vswitch_port_add(). */
struct port *port_guest_port(struct port_guest *guest);

/* It has been removed from its switch. NULL is fine. */
void port_guest_free(struct port_guest *guest);

#endif
