/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host has already: see host_conflict.h.
 *
 * An accept in one table does not undo the drop of another, so a firewall that drops forwarded
 * packets has to be told, by whoever runs it: firewalld by zone, Docker in its chain DOCKER-USER,
 * any other in the chain itself. Rules of iptables-legacy are not seen.
 */
#include "src/daemon/host_conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ifaddrs.h>
#include <json-c/json.h>

#include "src/daemon/xml.h"

/* --- Subnets ---------------------------------------------------------------------------------- */

static bool read_address(const struct ifaddrs *entry, struct address *ret_address,
                         uint32_t *ret_prefix)
{
    struct address mask = {0};

    if (!entry->ifa_addr || !entry->ifa_netmask)
        return false;
    *ret_address = (struct address){.family = entry->ifa_addr->sa_family};
    mask.family = ret_address->family;
    if (mask.family == AF_INET) {
        memcpy(ret_address->b, &((struct sockaddr_in *)(void *)entry->ifa_addr)->sin_addr, 4);
        memcpy(mask.b, &((struct sockaddr_in *)(void *)entry->ifa_netmask)->sin_addr, 4);
    } else if (mask.family == AF_INET6) {
        memcpy(ret_address->b, &((struct sockaddr_in6 *)(void *)entry->ifa_addr)->sin6_addr, 16);
        memcpy(mask.b, &((struct sockaddr_in6 *)(void *)entry->ifa_netmask)->sin6_addr, 16);
    } else {
        return false;
    }
    int prefix = address_mask_prefix(&mask);
    *ret_prefix = prefix < 0 ? 0 : (uint32_t)prefix;
    return prefix > 0 && !(mask.family == AF_INET6 && ret_address->b[0] == 0xfe &&
                           (ret_address->b[1] & 0xc0) == 0x80);
}

GArray *host_conflict_addresses(void)
{
    GArray *host = g_array_new(FALSE, TRUE, sizeof(struct request_address));
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        return host; /* the kernel will say what it thinks of the addresses */
    for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
        struct request_address item = {0};

        if (!read_address(entry, &item.address, &item.prefix))
            continue;
        g_strlcpy(item.interface, entry->ifa_name, sizeof(item.interface));
        g_array_append_val(host, item);
    }
    freeifaddrs(all);
    return host;
}

static bool clear_of(const struct network_config *config, const struct request_address *host,
                     GError **error)
{
    for (unsigned i = 0; i < config->ips; i++) {
        const struct network_ip *ip = &config->ip[i];
        struct address net = address_first(&ip->address, ip->prefix);
        char subnet[ADDRESS_TEXT], theirs[ADDRESS_TEXT];

        if (!address_same_net(&net, &host->address, MIN(ip->prefix, host->prefix)))
            continue;
        address_format(&net, subnet);
        address_format(&host->address, theirs);
        g_set_error(
            error, XML_ERROR, XML_ERROR_VALUE,
            "network %s: its subnet %s/%u overlaps that of the host's interface %s (%s/%u); "
            "choose another subnet",
            config->name, subnet, ip->prefix, host->interface, theirs, host->prefix);
        return false;
    }
    return true;
}

bool host_conflict_subnets(const struct network_config *config, const GArray *host,
                           const char *const *ours, GError **error)
{
    for (guint i = 0; i < host->len; i++) {
        const struct request_address *item = &g_array_index(host, struct request_address, i);

        if (!g_strv_contains(ours, item->interface) && !clear_of(config, item, error))
            return false;
    }
    return true;
}

/* --- Router advertisements -------------------------------------------------------------------- */

#define ROUTES6     "/proc/net/ipv6_route"
#define BY_ROUTER   0x00040000u /* RTF_ADDRCONF: by a router advertisement */
#define ACCEPT_EVEN 2           /* accept_ra: although this host forwards */

static bool lives_on_adverts(const char *interface)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/ipv6/conf/%s/accept_ra", interface);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && atoi(text) != ACCEPT_EVEN;
}

bool host_conflict_forwarding6(GError **error)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(ROUTES6, &text, NULL, NULL))
        return true; /* no IPv6 */
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char interface[IFNAMSIZ];
        unsigned flags;

        if (sscanf(*line, "%*s %*s %*s %*s %*s %*s %*s %*s %x %15s", &flags, interface) != 2 ||
            !(flags & BY_ROUTER) || !lives_on_adverts(interface))
            continue;
        g_set_error(error, XML_ERROR, XML_ERROR_VALUE,
                    "%s has its IPv6 routes from router advertisements, which forwarding would "
                    "end; first do: sysctl -w net.ipv6.conf.%s.accept_ra=2",
                    interface, interface);
        return false;
    }
    return true;
}

/* --- Firewalls -------------------------------------------------------------------------------- */

static const char *text_of(struct json_object *object, const char *key)
{
    struct json_object *value;

    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

/* True if the chain sees packets that the network would have forwarded, and is not ours. */
static bool concerns(const struct network_config *config, struct json_object *chain)
{
    const char *family = text_of(chain, "family");

    return !strcmp(text_of(chain, "hook"), "forward") &&
           (!strcmp(family, "ip") || !strcmp(family, "inet") ||
            (config->nat_ipv6 && !strcmp(family, "ip6"))) &&
           !g_str_has_prefix(text_of(chain, "table"), "vmbusd-");
}

/* True if a rule of the chain's table names the network's interface. */
static bool is_told(const struct network_config *config, struct json_object *list,
                    struct json_object *chain)
{
    g_autofree char *quoted = g_strdup_printf("\"%s\"", config->bridge);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *rule;

        if (json_object_object_get_ex(json_object_array_get_idx(list, i), "rule", &rule) &&
            !strcmp(text_of(rule, "family"), text_of(chain, "family")) &&
            !strcmp(text_of(rule, "table"), text_of(chain, "table")) &&
            strstr(json_object_to_json_string_ext(rule, JSON_C_TO_STRING_PLAIN), quoted))
            return true;
    }
    return false;
}

static bool has_chain(struct json_object *list, const char *family, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *chain;

        if (json_object_object_get_ex(json_object_array_get_idx(list, i), "chain", &chain) &&
            !strcmp(text_of(chain, "family"), family) && !strcmp(text_of(chain, "name"), name))
            return true;
    }
    return false;
}

/* What to do about a chain. */
static char *advise(const struct network_config *config, struct json_object *list,
                    struct json_object *chain)
{
    const char *family = text_of(chain, "family"), *table = text_of(chain, "table"),
               *name = text_of(chain, "name"), *bridge = config->bridge;

    if (!strcmp(table, "firewalld"))
        return g_strdup_printf("firewalld refuses what is forwarded from %s; do: firewall-cmd "
                               "--permanent --zone=trusted --add-interface=%s, and "
                               "firewall-cmd --reload",
                               bridge, bridge);
    if (has_chain(list, family, "DOCKER-USER"))
        return g_strdup_printf("Docker drops what is forwarded from and to %s; do: "
                               "%stables -I DOCKER-USER -i %s -j ACCEPT, and the same with -o",
                               bridge, strcmp(family, "ip6") ? "ip" : "ip6", bridge);
    return g_strdup_printf("chain %s of table %s %s drops what is forwarded from and to %s; do: "
                           "nft insert rule %s %s %s iifname %s accept, and the same with oifname",
                           name, family, table, bridge, family, table, name, bridge);
}

char *host_conflict_firewall(const struct network_config *config, const char *ruleset)
{
    struct json_object *document = json_tokener_parse(ruleset), *list, *chain;
    char *advice = NULL;

    if (!document || !json_object_object_get_ex(document, "nftables", &list) ||
        !json_object_is_type(list, json_type_array)) {
        json_object_put(document);
        return NULL;
    }
    for (size_t i = 0; i < json_object_array_length(list) && !advice; i++) {
        if (!json_object_object_get_ex(json_object_array_get_idx(list, i), "chain", &chain) ||
            !concerns(config, chain) ||
            (strcmp(text_of(chain, "policy"), "drop") != 0 &&
             strcmp(text_of(chain, "table"), "firewalld") != 0))
            continue;
        if (!is_told(config, list, chain))
            advice = advise(config, list, chain);
    }
    json_object_put(document);
    return advice;
}
