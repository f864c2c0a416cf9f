/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks beside each other on one host, and the policy of a network's port.
 */
#include "src/daemon/network_xml_parts.h"

#include <string.h>

static bool conflict(const struct network_config *config, const struct network_config *other,
                     GError **error, const char *what, const char *value)
{
    g_set_error(error, XML_ERROR, XML_ERROR_VALUE,
                "network %s: %s %s is that of network %s too; change one of them", config->name,
                what, value, other->name);
    return false;
}

static bool check_subnets(const struct network_config *config, const struct network_config *other,
                          GError **error)
{
    for (unsigned i = 0; i < config->ips; i++) {
        for (unsigned j = 0; j < other->ips; j++) {
            const struct network_ip *a = &config->ip[i], *b = &other->ip[j];
            struct address left = address_first(&a->address, a->prefix);
            struct address right = address_first(&b->address, b->prefix);
            char ours[ADDRESS_TEXT], theirs[ADDRESS_TEXT];

            if (!address_same_net(&left, &right, MIN(a->prefix, b->prefix)))
                continue;
            address_format(&left, ours);
            address_format(&right, theirs);
            g_set_error(error, XML_ERROR, XML_ERROR_VALUE,
                        "network %s: its subnet %s/%u overlaps %s/%u of network %s; change one of "
                        "them",
                        config->name, ours, a->prefix, theirs, b->prefix, other->name);
            return false;
        }
    }
    return true;
}

bool network_config_compatible(const struct network_config *config,
                               const struct network_config *other, GError **error)
{
    char text[GUID_TEXT_SIZE];
    bool external = config->kind == NETWORK_EXTERNAL && other->kind == NETWORK_EXTERNAL;

    guid_format(&config->uuid, text);
    if (!strcmp(config->name, other->name))
        return conflict(config, other, error, "the name", config->name);
    if (guid_equal(&config->uuid, &other->uuid))
        return conflict(config, other, error, "the UUID", text);
    if (!strcmp(config->bridge, other->bridge))
        return conflict(config, other, error, "the interface", config->bridge);
    if (!memcmp(config->mac, other->mac, sizeof(config->mac)))
        return conflict(config, other, error, "the MAC address", "of the host's interface");
    if (external && config->forward_dev && !g_strcmp0(config->forward_dev, other->forward_dev))
        return conflict(config, other, error, "the adapter", config->forward_dev);
    if (external && config->adapter_by_mac && other->adapter_by_mac &&
        !memcmp(config->adapter_mac, other->adapter_mac, sizeof(config->adapter_mac)))
        return conflict(config, other, error, "the adapter", "named by its MAC");
    return check_subnets(config, other, error);
}

/* The port group of that name, or the default one. NULL with `error` set or not. */
static const struct network_portgroup *find_group(const struct network_config *config,
                                                  const char *name, GError **error)
{
    for (unsigned i = 0; i < config->portgroups; i++) {
        const struct network_portgroup *group = &config->portgroup[i];

        if (name ? !strcmp(group->name, name) : group->is_default)
            return group;
    }
    if (name)
        g_set_error(error, XML_ERROR, XML_ERROR_VALUE,
                    "network %s has no port group \"%s\"; add it, or name another", config->name,
                    name);
    return NULL;
}

static void set_bandwidth(const struct network_config *config, struct port_policy *policy)
{
    policy->rate_in = config->rate_in;
    policy->rate_out = config->rate_out;
    policy->burst_in = config->burst_in;
    policy->burst_out = config->burst_out;
}

struct port_policy network_config_host_policy(const struct network_config *config)
{
    struct port_policy policy = config->vlan;

    if (config->kind == NETWORK_EXTERNAL)
        policy = (struct port_policy){.vlan_mode = VLAN_ALL};
    else
        set_bandwidth(config, &policy);
    return policy;
}

struct port_policy network_config_uplink_policy(const struct network_config *config)
{
    struct port_policy policy = {.vlan_mode = VLAN_ALL};

    set_bandwidth(config, &policy);
    return policy;
}

/* The guards of the group, else those of the network, else none. */
static const struct network_guards *find_guards(const struct network_config *config,
                                                const struct network_portgroup *group)
{
    const struct network_guards *general = NULL;

    for (unsigned i = 0; i < config->guards_count; i++) {
        const struct network_guards *guards = &config->guards[i];

        if (group && !g_strcmp0(guards->portgroup, group->name))
            return guards;
        if (!guards->portgroup)
            general = guards;
    }
    return general;
}

enum network_mirror network_config_mirror(const struct network_config *config,
                                          const char *portgroup)
{
    const struct network_guards *guards = find_guards(config, find_group(config, portgroup, NULL));

    return guards ? guards->mirror : NETWORK_MIRROR_NONE;
}

bool network_config_policy(const struct network_config *config, const char *portgroup,
                           const uint8_t *mac, struct port_policy *ret_policy, GError **error)
{
    g_autoptr(GError) missing = NULL;
    const struct network_portgroup *group = find_group(config, portgroup, &missing);
    const struct network_guards *guards = find_guards(config, group);
    struct port_policy policy = config->vlan;

    if (missing) {
        g_propagate_error(error, g_steal_pointer(&missing));
        return false;
    }
    if (group && group->has_vlan) {
        policy = group->policy;
    } else if (group) {
        policy.rate_in = group->policy.rate_in;
        policy.rate_out = group->policy.rate_out;
        policy.burst_in = group->policy.burst_in;
        policy.burst_out = group->policy.burst_out;
    }
    if (guards) {
        policy.mac_guard = guards->mac_guard && mac;
        policy.dhcp_guard = guards->dhcp_guard;
        policy.router_guard = guards->router_guard;
        policy.isolated = guards->isolated;
        policy.storm = guards->storm;
        policy.fdb_max = guards->addresses;
    }
    policy.isolated |= config->isolated;
    if (mac)
        memcpy(policy.mac, mac, sizeof(policy.mac));
    *ret_policy = policy;
    return true;
}
