/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network at work: see network.h.
 *
 * Order of making: switch, host's interface, its port, addresses, NAT, dnsmasq; undone in reverse.
 */
#include "src/daemon/network.h"

#include <string.h>
#include <unistd.h>

#include "src/common/json_add.h"
#include "src/common/log.h"
#include "src/common/mac.h"
#include "src/daemon/dnsmasq.h"
#include "src/daemon/external.h"
#include "src/daemon/host_conflict.h"
#include "src/daemon/nat.h"
#include "src/daemon/privileged.h"
#include "vswitch/port_tap.h"

#define MTU_DEFAULT 1500u

struct network {
    struct network_config *config;
    char *failure;
    struct vswitch *vswitch;
    struct port *host; /* NULL: none */
    uint32_t host_number;
    bool tap;      /* the host's interface is there */
    bool nat;      /* its packet filter is in place */
    char *warning; /* what keeps NAT from working; NULL: nothing that we know */
    struct dnsmasq *dnsmasq;
    struct external *external; /* NULL: of another kind */
};

struct network *network_new(struct network_config *config)
{
    struct network *network = g_new0(struct network, 1);

    network->config = config;
    return network;
}

/* --- Start and stop --------------------------------------------------------------------------- */

/* Half of the processors at most, so that the guests have the other half. */
static unsigned switch_threads(void)
{
    return CLAMP(g_get_num_processors() / 2, 1, 4);
}

static bool start_host(struct network *network, GError **error)
{
    const struct network_config *config = network->config;
    struct port_policy policy = network_config_host_policy(config);
    int fd;

    if (!privileged_tap(config->bridge, config->mac, network_mtu(network), false, &fd, error))
        return false;
    network->tap = true;
    network->host = port_tap_new(fd, network_mtu(network), error);
    if (!network->host) {
        close(fd);
        return false;
    }
    int result = vswitch_port_add(network->vswitch, network->host, &policy, &network->host_number);
    if (result < 0) {
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                    "%s: cannot become a port of the switch: %s", config->bridge,
                    g_strerror(-result));
        port_tap_free(network->host);
        network->host = NULL;
        return false;
    }
    for (unsigned i = 0; i < config->ips; i++)
        if (!privileged_address(config->bridge, &config->ip[i].address, config->ip[i].prefix,
                                error))
            return false;
    return true;
}

/* What of the host's other rules keeps NAT from working, and what to do; NULL: nothing is known. */
static char *find_obstacle(const struct network_config *config)
{
    g_autofree char *rules = config->kind == NETWORK_NAT ? privileged_rules() : NULL;

    return rules ? host_conflict_firewall(config, rules) : NULL;
}

static bool start_services(struct network *network, GError **error)
{
    const struct network_config *config = network->config;

    struct request_nat nat = nat_request(config);

    if (!privileged_nat(&nat, error))
        return false;
    network->nat = true;
    network->warning = find_obstacle(config);
    if (network->warning)
        log_warning("network %s: %s", config->name, network->warning);
    if (dnsmasq_wanted(config))
        network->dnsmasq = dnsmasq_new(config, error);
    return network->dnsmasq || !dnsmasq_wanted(config);
}

static bool start_all(struct network *network, GError **error)
{
    const struct network_config *config = network->config;
    struct vswitch_config settings = {
        .name = config->name, .threads = switch_threads(), .snooping = true};

    network->vswitch = vswitch_new(&settings);
    if (!network->vswitch) {
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                    "the switch cannot be made: no threads or memory");
        return false;
    }
    if (config->kind == NETWORK_PRIVATE)
        return true;
    if (config->kind == NETWORK_EXTERNAL) {
        network->external = external_new(config, network->vswitch, error);
        return network->external != NULL;
    }
    return start_host(network, error) && start_services(network, error);
}

bool network_start(struct network *network, GError **error)
{
    g_autoptr(GError) reason = NULL;

    g_clear_pointer(&network->failure, g_free);
    if (start_all(network, &reason)) {
        log_info("network %s (%s) works%s%s", network->config->name,
                 network_kind_name(network->config->kind), network->host ? " on " : "",
                 network->host ? network->config->bridge : "");
        return true;
    }
    network_stop(network);
    network->failure = g_strdup(reason->message);
    g_propagate_prefixed_error(error, g_steal_pointer(&reason),
                               "network %s: ", network->config->name);
    return false;
}

void network_stop(struct network *network)
{
    external_free(network->external);
    network->external = NULL;
    dnsmasq_free(network->dnsmasq);
    network->dnsmasq = NULL;
    if (network->nat)
        privileged_nat_stop(network->config->name);
    network->nat = false;
    g_clear_pointer(&network->warning, g_free);
    if (network->host) {
        vswitch_port_remove(network->vswitch, network->host);
        port_tap_free(network->host);
        network->host = NULL;
    }
    if (network->tap)
        privileged_tap_drop(network->config->bridge);
    network->tap = false;
    vswitch_free(network->vswitch);
    network->vswitch = NULL;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network_stop(network);
    network_config_free(network->config);
    g_free(network->failure);
    g_free(network);
}

/* --- Questions -------------------------------------------------------------------------------- */

const struct network_config *network_config(const struct network *network)
{
    return network->config;
}

struct vswitch *network_switch(const struct network *network)
{
    return network->vswitch;
}

uint32_t network_mtu(const struct network *network)
{
    return network->config->mtu ? network->config->mtu : MTU_DEFAULT;
}

const char *network_failure(const struct network *network)
{
    return network->failure;
}

/* --- Reports ---------------------------------------------------------------------------------- */

static struct json_object *addresses(const struct network_config *config)
{
    struct json_object *array = json_object_new_array();

    for (unsigned i = 0; i < config->ips; i++) {
        char text[ADDRESS_TEXT];

        address_format(&config->ip[i].address, text);
        g_autofree char *item = g_strdup_printf("%s/%u", text, config->ip[i].prefix);
        json_object_array_add(array, json_object_new_string(item));
    }
    return array;
}

/* What an external network lacks to work, NULL if nothing. */
static const char *waits_for(const struct network *network)
{
    return network->external ? external_complaint(network->external) : NULL;
}

struct json_object *network_report(const struct network *network)
{
    const struct network_config *config = network->config;
    struct json_object *object = json_object_new_object();
    char uuid[GUID_TEXT_SIZE];
    GPid dnsmasq = dnsmasq_pid(network->dnsmasq);
    const char *waits = waits_for(network);
    const char *adapter =
        network->external ? external_adapter(network->external) : config->forward_dev;
    bool host = network->host || (network->external && external_adapter(network->external));

    guid_format(&config->uuid, uuid);
    json_add_text(object, "name", config->name);
    json_add_text(object, "uuid", uuid);
    json_add_text(object, "kind", network_kind_name(config->kind));
    json_add_text(object, "state", !network->vswitch ? "failed" : waits ? "waiting" : "running");
    json_add_text(object, "failure", waits ? waits : network->failure);
    json_add_text(object, "warning", network->warning);
    json_add_text(object, "interface", host ? config->bridge : NULL);
    json_add_text(object, "adapter", adapter);
    json_add_number(object, "mtu", network_mtu(network));
    json_object_object_add(object, "addresses", addresses(config));
    json_object_object_add(object, "dnsmasq_pid", dnsmasq ? json_object_new_int(dnsmasq) : NULL);
    return object;
}

static void add_port(struct json_object *array, struct port *port, uint32_t number,
                     const char *name)
{
    if (!port)
        return;
    struct json_object *object = json_object_new_object();
    json_add_number(object, "port", number);
    json_add_text(object, "kind", port->class->name);
    json_add_text(object, "name", name);
    json_add_text(object, "state", vswitch_port_is_failed(port) ? "failed" : "up");
    json_object_object_add(object, "stats", network_port_stats(port));
    json_object_array_add(array, object);
}

void network_ports(const struct network *network, struct json_object *array)
{
    uint32_t number;

    add_port(array, network->host, network->host_number, network->config->bridge);
    if (!network->external)
        return;
    struct port *port = external_host(network->external, &number);
    add_port(array, port, number, network->config->bridge);
    port = external_uplink(network->external, &number);
    add_port(array, port, number, external_adapter(network->external));
}

static void add_station(const struct fdb_entry *entry, void *context)
{
    struct json_object *object = json_object_new_object();
    char mac[MAC_TEXT];

    mac_print(entry->mac, mac);
    json_add_text(object, "mac", mac);
    json_add_number(object, "vlan", entry->vlan);
    json_add_number(object, "port", entry->port);
    json_add_number(object, "age_s", entry->age_s);
    json_object_array_add(context, object);
}

void network_stations(const struct network *network, struct json_object *array)
{
    if (network->vswitch)
        vswitch_fdb_each(network->vswitch, add_station, array);
}

static struct json_object *drops(const uint64_t count[DROPS])
{
    struct json_object *object = json_object_new_object();

    for (unsigned i = 0; i < DROPS; i++)
        if (count[i])
            json_add_number(object, port_drop_name((enum port_drop)i), count[i]);
    return object;
}

/* "none", "10", "all", "trunk 20,30-39 untagged 5" */
static char *vlan_text(const struct port_policy *policy)
{
    g_autoptr(GString) text = g_string_new("trunk ");
    const char *comma = "";

    if (policy->vlan_mode != VLAN_TRUNK)
        return policy->vlan_mode == VLAN_ACCESS ? g_strdup_printf("%u", policy->vlan)
                                                : g_strdup(policy->vlan_mode ? "all" : "none");
    for (unsigned vid = 1; vid < FRAME_VLANS; vid++) {
        unsigned last = vid;

        while (last < FRAME_VLANS && policy->trunk[last / 64] >> (last % 64) & 1)
            last++;
        if (last == vid)
            continue;
        g_string_append_printf(text, "%s%u", comma, vid);
        if (last > vid + 1)
            g_string_append_printf(text, "-%u", last - 1);
        comma = ",";
        vid = last;
    }
    if (policy->vlan)
        g_string_append_printf(text, " untagged %u", policy->vlan);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

struct json_object *network_port_policy(const struct port_policy *policy)
{
    struct json_object *object = json_object_new_object();
    g_autofree char *vlan = vlan_text(policy);

    json_add_text(object, "vlan", vlan);
    json_add_bool(object, "mac_guard", policy->mac_guard);
    json_add_bool(object, "dhcp_guard", policy->dhcp_guard);
    json_add_bool(object, "router_guard", policy->router_guard);
    json_add_bool(object, "isolated", policy->isolated);
    json_add_number(object, "mirror_to", policy->mirror_to);
    json_add_number(object, "rate_in", policy->rate_in);
    json_add_number(object, "rate_out", policy->rate_out);
    json_add_number(object, "storm", policy->storm);
    json_add_number(object, "addresses_max", policy->fdb_max ? policy->fdb_max : LIMIT_FDB_PORT);
    return object;
}

struct json_object *network_port_stats(struct port *port)
{
    struct json_object *object = json_object_new_object();
    struct port_stats stats;

    vswitch_port_stats(port, &stats);
    json_add_number(object, "frames_in", stats.frames_in);
    json_add_number(object, "bytes_in", stats.bytes_in);
    json_add_number(object, "frames_out", stats.frames_out);
    json_add_number(object, "bytes_out", stats.bytes_out);
    json_add_number(object, "broadcast_in", stats.broadcast_in);
    json_add_number(object, "multicast_in", stats.multicast_in);
    json_add_number(object, "flooded_in", stats.flooded_in);
    json_add_number(object, "addresses", stats.addresses);
    json_object_object_add(object, "drops_in", drops(stats.drops_in));
    json_object_object_add(object, "drops_out", drops(stats.drops_out));
    return object;
}
