/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cutting the host's own stack off a link, for what comes in: a drop at nftables' netdev ingress
 * hook (nft(8), "netdev" family). Packet sockets see frames before that hook, so the switch's
 * adapter port receives everything and the host nothing, except through its host port.
 *
 * One table per adapter, named by its index, so that nobody's rules are touched and a rename does
 * not lose it. The work is done by Debian's nft, one transaction per call.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_CUT_H
#define VMBUSD_VSWITCH_ADAPTER_CUT_H

#include <stdbool.h>

#include <glib.h>

/* Cut, or heal. Cutting twice is like once; healing what is not cut is fine, and so is healing
 * after the link has gone. False with ADAPTER_ERROR_SYSTEM and what nft said. */
bool adapter_cut(int index, const char *name, GError **error);
bool adapter_heal(int index, GError **error);

/* Is it there? True where the kernel does not say. Whoever flushes nft's ruleset (a reload of
 * /etc/nftables.conf does) takes it away with the rest. */
bool adapter_cut_stands(int index);

#endif
