/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port policies: see the header.
 */
#include "vswitch/policy.h"

#include <errno.h>
#include <string.h>

#include "vswitch/wire.h"

#define RATE_MIN 8000u /* bits/s: a byte per millisecond */

/* --- Checking --------------------------------------------------------------------------------- */

static bool vid_valid(uint16_t vid)
{
    return vid >= 1 && vid <= VLAN_LAST;
}

static bool vlan_valid(const struct port_policy *policy)
{
    const uint64_t reserved = 1ull << (FRAME_VLANS - 1) % 64;

    switch (policy->vlan_mode) {
    case VLAN_NONE:
    case VLAN_ALL:
        return policy->vlan == 0;
    case VLAN_ACCESS:
        return vid_valid(policy->vlan);
    case VLAN_TRUNK:
        return (policy->vlan == 0 || vid_valid(policy->vlan)) && !(policy->trunk[0] & 1) &&
               !(policy->trunk[FRAME_VLANS / 64 - 1] & reserved);
    }
    return false;
}

static bool mac_valid(const uint8_t mac[6])
{
    static const uint8_t zero[6];

    return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

static bool rate_valid(uint64_t rate)
{
    return rate == 0 || rate >= RATE_MIN;
}

int port_policy_check(const struct port_policy *policy)
{
    if (!vlan_valid(policy) || (policy->mac_guard && !mac_valid(policy->mac)) ||
        !rate_valid(policy->rate_in) || !rate_valid(policy->rate_out) ||
        policy->fdb_max > LIMIT_FDB)
        return -EINVAL;
    return 0;
}

const char *port_drop_name(enum port_drop drop)
{
    static const char *const names[DROPS] = {
        [DROP_MALFORMED] = "malformed",
        [DROP_OVERSIZE] = "oversize",
        [DROP_VLAN] = "vlan",
        [DROP_MAC_GUARD] = "mac-guard",
        [DROP_DHCP_GUARD] = "dhcp-guard",
        [DROP_ROUTER_GUARD] = "router-guard",
        [DROP_ISOLATED] = "isolated",
        [DROP_RATE_IN] = "rate-in",
        [DROP_RATE_OUT] = "rate-out",
        [DROP_STORM] = "storm",
        [DROP_NO_ROOM] = "no-room",
        [DROP_RESERVED] = "reserved",
    };

    return drop < DROPS ? names[drop] : "unknown";
}

/* --- VLAN ------------------------------------------------------------------------------------- */

bool policy_member(const struct port_policy *policy, uint16_t vlan)
{
    if (policy->vlan_mode == VLAN_ALL || vlan == policy->vlan)
        return true;
    return policy->vlan_mode == VLAN_TRUNK && policy->trunk[vlan / 64] >> (vlan % 64) & 1;
}

/* The VLAN of a frame from the port; false: it may not come. */
static bool classify(const struct port_policy *policy, const struct frame_info *info,
                     uint16_t *ret_vlan)
{
    uint16_t vid = info->flags & INFO_TAGGED ? info->tci & VLAN_VID : 0;

    if (vid == 0) {
        /* A deeper tag would be the outer one of an untagged frame. */
        if (info->flags & INFO_INNER &&
            (info->flags & INFO_TAGGED || policy->vlan_mode != VLAN_ALL))
            return false;
        *ret_vlan = policy->vlan;
        return true;
    }
    *ret_vlan = vid;
    if (policy->vlan_mode == VLAN_NONE || policy->vlan_mode == VLAN_ACCESS)
        return false;
    return vid <= VLAN_LAST && policy_member(policy, vid);
}

/* --- Guards ----------------------------------------------------------------------------------- */

static bool breaks_mac_guard(const struct port_policy *policy, const struct frame_info *info)
{
    if (memcmp(info_source(info), policy->mac, sizeof(policy->mac)) != 0)
        return true;
    if (info->flags & INFO_OPAQUE && info->ethertype != ETHERTYPE_IP4)
        return true;
    return info->flags & INFO_CLAIM && (info->flags & INFO_CLAIMS ||
                                        memcmp(info->claim, policy->mac, sizeof(policy->mac)) != 0);
}

/* ARP is not what this guard and the next one look for, even if it makes no sense. */
static bool cannot_judge_ip(const struct frame_info *info)
{
    return info->flags & INFO_OPAQUE && info->ethertype != ETHERTYPE_ARP &&
           info->ethertype != ETHERTYPE_RARP;
}

/* From a server (or a relay), or to a client: some clients take answers from any port. */
static bool breaks_dhcp_guard(const struct frame_info *info)
{
    if (cannot_judge_ip(info))
        return true;
    if (!(info->flags & INFO_L4) || info->protocol != IP_UDP)
        return false;
    if (info->flags & INFO_IP4)
        return info->sport == UDP_DHCP_SERVER || info->dport == UDP_DHCP_CLIENT;
    return info->sport == UDP_DHCP6_SERVER || info->dport == UDP_DHCP6_CLIENT;
}

static bool breaks_router_guard(const struct frame_info *info)
{
    uint8_t type = info->icmp_type;

    if (cannot_judge_ip(info))
        return true;
    if (!(info->flags & INFO_L4))
        return false;
    if (info->flags & INFO_IP4)
        return info->protocol == IP_ICMP && (type == ICMP_REDIRECT || type == ICMP_ROUTER_ADVERT);
    return info->protocol == IP_ICMP6 && (type == ICMP6_ROUTER_ADVERT || type == ICMP6_REDIRECT);
}

/* --- Verdicts --------------------------------------------------------------------------------- */

int policy_ingress(const struct port_policy *policy, const struct frame *frame,
                   struct frame_info *info)
{
    bool guarded = policy->mac_guard || policy->dhcp_guard || policy->router_guard;

    if (info->flags & INFO_RESERVED)
        return DROP_RESERVED;
    if (!classify(policy, info, &info->vlan))
        return DROP_VLAN;
    if (guarded || policy->vlan_mode != VLAN_ALL)
        info->flags |= INFO_PIN;
    if (!guarded)
        return POLICY_PASS;
    inspect_deep(frame, info);
    if (policy->mac_guard && breaks_mac_guard(policy, info))
        return DROP_MAC_GUARD;
    if (policy->dhcp_guard && breaks_dhcp_guard(info))
        return DROP_DHCP_GUARD;
    if (policy->router_guard && breaks_router_guard(info))
        return DROP_ROUTER_GUARD;
    return POLICY_PASS;
}

int policy_egress(const struct port_policy *policy, const struct frame_info *info, bool isolated)
{
    if (isolated && policy->isolated)
        return DROP_ISOLATED;
    if (!policy_member(policy, info->vlan))
        return DROP_VLAN;
    if (policy->vlan_mode == VLAN_ALL || info->vlan != policy->vlan)
        return POLICY_PASS;
    /* It leaves untagged: a deeper tag would be the outer one then. */
    if (info->flags & INFO_INNER)
        return DROP_VLAN;
    return info->vlan ? POLICY_STRIP : POLICY_PASS;
}
