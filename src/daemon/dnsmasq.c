/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP and DNS of a network: see dnsmasq.h, and dnsmasq(8) for what the words mean.
 *
 * What may stand in a name or text was decided in network_xml.c, so that no value here can be a
 * second line or a second option. The parent checks the lines once more and writes the file
 * (parent_process.c). Leases survive in theirs.
 */
#include "src/daemon/dnsmasq.h"

#include "src/common/mac.h"
#include "src/daemon/child.h"
#include "src/daemon/privileged.h"

struct dnsmasq {
    const struct network_config *config;
    struct child *child;
};

static bool has_dhcp(const struct network_ip *ip)
{
    return ip->ranges || ip->host->len;
}

bool dnsmasq_wanted(const struct network_config *config)
{
    bool dhcp = false;

    for (unsigned i = 0; i < config->ips; i++)
        dhcp |= has_dhcp(&config->ip[i]);
    return config->ips && (dhcp || config->dns.enable);
}

/* --- Configuration ---------------------------------------------------------------------------- */

static void add_dns(GString *out, const struct network_config *config)
{
    const struct network_dns *dns = &config->dns;

    if (!dns->enable) {
        g_string_append(out, "port=0\n");
        return;
    }
    if (config->kind == NETWORK_INTERNAL || dns->forwarder->len)
        g_string_append(out, "no-resolv\n");
    for (guint i = 0; i < dns->forwarder->len; i++)
        g_string_append_printf(out, "server=%s\n", (char *)g_ptr_array_index(dns->forwarder, i));
    for (guint i = 0; i < dns->txt_name->len; i++)
        g_string_append_printf(out, "txt-record=%s,\"%s\"\n",
                               (char *)g_ptr_array_index(dns->txt_name, i),
                               (char *)g_ptr_array_index(dns->txt_value, i));
    for (guint i = 0; i < dns->host->len; i++) {
        const struct network_dns_host *host = &g_array_index(dns->host, struct network_dns_host, i);
        char text[ADDRESS_TEXT];

        address_format(&host->address, text);
        g_string_append(out, "host-record=");
        for (guint j = 0; j < host->name->len; j++)
            g_string_append_printf(out, "%s,", (char *)g_ptr_array_index(host->name, j));
        g_string_append_printf(out, "%s\n", text);
    }
    if (config->domain)
        g_string_append_printf(out, "domain=%s\nexpand-hosts\n", config->domain);
    if (config->domain && config->domain_local)
        g_string_append_printf(out, "local=/%s/\n", config->domain);
}

static void add_host(GString *out, const struct network_host *host)
{
    bool v6 = host->address.family == AF_INET6;
    char text[ADDRESS_TEXT], mac[MAC_TEXT];

    address_format(&host->address, text);
    g_string_append(out, "dhcp-host=");
    if (host->has_mac) {
        mac_print(host->mac, mac);
        g_string_append_printf(out, "%s,", mac);
    }
    if (host->name)
        g_string_append_printf(out, "%s,", host->name);
    g_string_append_printf(out, v6 ? "[%s]\n" : "%s\n", text);
}

static void add_ip(GString *out, const struct network_ip *ip)
{
    bool v6 = ip->address.family == AF_INET6;
    struct address net = address_first(&ip->address, ip->prefix);
    struct address zero = {.family = AF_INET}, mask;
    char first[ADDRESS_TEXT], netmask[ADDRESS_TEXT];

    mask = address_last(&zero, 0);
    mask = address_first(&mask, v6 ? 32 : ip->prefix);
    address_format(&net, first);
    address_format(&mask, netmask);
    for (unsigned i = 0; i < ip->ranges; i++) {
        char start[ADDRESS_TEXT], end[ADDRESS_TEXT];

        address_format(&ip->range[i].start, start);
        address_format(&ip->range[i].end, end);
        if (v6)
            g_string_append_printf(out, "dhcp-range=%s,%s,%u\n", start, end, ip->prefix);
        else
            g_string_append_printf(out, "dhcp-range=%s,%s,%s\n", start, end, netmask);
    }
    if (!ip->ranges && ip->host->len)
        g_string_append_printf(out, v6 ? "dhcp-range=%s,static,%u\n" : "dhcp-range=%s,static\n",
                               first, ip->prefix);
    else if (!ip->ranges && v6)
        g_string_append_printf(out, "dhcp-range=%s,ra-only\n", first);
    for (guint i = 0; i < ip->host->len; i++)
        add_host(out, &g_array_index(ip->host, struct network_host, i));
}

char *dnsmasq_configuration(const struct network_config *config)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bool v6 = false;

    add_dns(out, config);
    g_string_append(out, "dhcp-no-override\ndhcp-authoritative\n");
    /* What is behind the host cannot be reached: do not make guests try. */
    if (config->kind == NETWORK_INTERNAL)
        g_string_append(out, "dhcp-option=option:router\n");
    if (config->mtu)
        g_string_append_printf(out, "dhcp-option=option:mtu,%u\n", config->mtu);
    for (unsigned i = 0; i < config->ips; i++) {
        v6 |= config->ip[i].address.family == AF_INET6;
        add_ip(out, &config->ip[i]);
    }
    if (v6)
        g_string_append(out, "enable-ra\n");
    if (v6 && (config->kind == NETWORK_INTERNAL || !config->nat_ipv6))
        g_string_append_printf(out, "ra-param=%s,0,0\n", config->bridge);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* --- Life ------------------------------------------------------------------------------------- */

static bool start(void *context, GPid *ret_pid, GError **error)
{
    struct dnsmasq *dnsmasq = context;
    const struct network_config *config = dnsmasq->config;
    g_autofree char *lines = dnsmasq_configuration(config);

    if (privileged_dnsmasq(config->name, config->bridge, lines, ret_pid, error))
        return true;
    g_prefix_error(error, "dnsmasq (package dnsmasq-base): ");
    return false;
}

struct dnsmasq *dnsmasq_new(const struct network_config *config, GError **error)
{
    struct dnsmasq *dnsmasq = g_new0(struct dnsmasq, 1);
    g_autofree char *name = g_strdup_printf("dnsmasq of network %s", config->name);
    struct child_spec spec = {.name = name, .restart = true, .start = start, .context = dnsmasq};

    dnsmasq->config = config;
    dnsmasq->child = child_new(&spec, error);
    if (dnsmasq->child)
        return dnsmasq;
    g_free(dnsmasq);
    return NULL;
}

void dnsmasq_free(struct dnsmasq *dnsmasq)
{
    if (!dnsmasq)
        return;
    child_end(dnsmasq->child);
    g_free(dnsmasq);
}

GPid dnsmasq_pid(const struct dnsmasq *dnsmasq)
{
    return dnsmasq ? child_pid(dnsmasq->child) : 0;
}
