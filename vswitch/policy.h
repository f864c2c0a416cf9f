/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port's policy, applied to one frame.
 *
 * It mimics Hyper-V's port settings (VLAN modes of Set-VMNetworkAdapterVlan, MacAddressSpoofing,
 * DhcpGuard, RouterGuard) and isolation as of Linux' bridge ports. VLAN_NONE is Hyper-V's
 * untagged mode: a port that is told of no VLAN is in none, and neither sends nor gets a tag.
 * VLAN_ALL is for what is the network's own (the adapter): tags go through it as they are.
 *
 * Inside the switch a frame has a VLAN, 0 for untagged, and carries a tag exactly if that is not 0.
 * A tag with VID 0 (priority only) is no tag: its priority goes into the tag that an access or
 * native VLAN adds, and else is lost. Never does a tag that lies deeper come to the surface: who
 * may not send it may not hide it beneath one that the switch takes off.
 *
 * A guard drops what it cannot judge: headers too long, too many, short or contradicting, IPv6
 * first fragments whose upper layer does not follow directly (RFC 7112, RFC 7113), neighbour
 * discovery in fragments (RFC 6980). Later fragments pass: without their first they are nothing.
 *
 * Pure functions; any thread. Rates, storm limit, mirror and the number of addresses are the
 * core's.
 */
#ifndef VMBUSD_VSWITCH_POLICY_H
#define VMBUSD_VSWITCH_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "vswitch/inspect.h"
#include "vswitch/switch.h"

/* What the judges below return beside an enum port_drop. */
#define POLICY_PASS  ((int)DROPS)     /* as it is */
#define POLICY_STRIP ((int)DROPS + 1) /* egress: without its tag (clear FRAME_VLAN) */

/* A frame comes from the port. `info` is from inspect_frame(); sets info->vlan, and INFO_PIN if the
 * verdict rests on the bytes. Looks deeper only if the policy has a guard. An enum port_drop or
 * POLICY_PASS; call inspect_settle() then. */
int policy_ingress(const struct port_policy *policy, const struct frame *frame,
                   struct frame_info *info);

/* A frame that passed policy_ingress() and was settled shall go out of the port; `isolated` is its
 * source's. An enum port_drop, POLICY_PASS or POLICY_STRIP. */
int policy_egress(const struct port_policy *policy, const struct frame_info *info, bool isolated);

/* True if frames of the VLAN (0 = untagged) may go out of the port. */
bool policy_member(const struct port_policy *policy, uint16_t vlan);

#endif
