/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host port: a TAP, through which the host itself is a station of the switch.
 *
 * To the host it is a NIC with checksum and segmentation offloads that gives and takes tagged
 * frames. One read or write per frame is what TAP offers; a 64 KiB segment is one frame.
 */
#ifndef VMBUSD_VSWITCH_PORT_TAP_H
#define VMBUSD_VSWITCH_PORT_TAP_H

#include <glib.h>
#include <stdint.h>

#include "vswitch/port.h"

/* Create the TAP `name` in the caller's network namespace, set its MAC and MTU and bring it up; the
 * descriptor (close-on-exec, non-blocking) in *ret_fd. The TAP lives as long as the descriptor.
 * Needs CAP_NET_ADMIN. */
bool port_tap_open(const char *name, const uint8_t mac[6], uint32_t mtu, int *ret_fd,
                   GError **error);

/* Attach to the TAP `name` that there is, made as above and kept (TUNSETPERSIST) although nobody
 * had it open; as it is. */
bool port_tap_attach(const char *name, int *ret_fd, GError **error);

/* A port on such a descriptor, however it came here; owned by the port from now on if the call
 * succeeds. `mtu` is the TAP's. NULL with an error if it is no TAP with virtio-net headers. */
struct port *port_tap_new(int fd, uint32_t mtu, GError **error);

/* Close and free, after vswitch_port_remove(). NULL is fine. */
void port_tap_free(struct port *port);

#endif
