/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network's configuration as libvirt's XML, in the order of libvirt's own printer.
 *
 * <title> and <description> of networks came into libvirt's schema with 9.7; printed in <metadata>,
 * older ones take them too.
 */
#include "src/daemon/network_xml_parts.h"

#include <inttypes.h>

#include "src/common/mac.h"

/* Append ` name='text'`, escaped. */
static void attribute(GString *out, const char *name, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append_printf(out, " %s='%s'", name, escaped);
}

static void address_attribute(GString *out, const char *name, const struct address *address)
{
    char text[ADDRESS_TEXT];

    address_format(address, text);
    attribute(out, name, text);
}

static void mac_attribute(GString *out, const char *name, const uint8_t mac[6])
{
    char text[MAC_TEXT];

    mac_print(mac, text);
    attribute(out, name, text);
}

static void element(GString *out, const char *indent, const char *name, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (text)
        g_string_append_printf(out, "%s<%s>%s</%s>\n", indent, name, escaped, name);
}

/* --- Ports ------------------------------------------------------------------------------------ */

static void print_vlan(GString *out, const char *indent, const struct port_policy *policy)
{
    bool trunk = policy->vlan_mode == VLAN_TRUNK;

    g_string_append_printf(out, "%s<vlan%s>\n", indent, trunk ? " trunk='yes'" : "");
    for (unsigned vid = 1; vid < FRAME_VLANS; vid++) {
        bool member = trunk ? policy->trunk[vid / 64] >> (vid % 64) & 1 : vid == policy->vlan;

        if (member)
            g_string_append_printf(out, "%s  <tag id='%u'%s/>\n", indent, vid,
                                   trunk && vid == policy->vlan ? " nativeMode='untagged'" : "");
    }
    g_string_append_printf(out, "%s</vlan>\n", indent);
}

static void print_rate(GString *out, const char *indent, const char *name, uint64_t rate,
                       uint64_t burst)
{
    if (!rate)
        return;
    g_string_append_printf(out, "%s  <%s average='%" PRIu64 "'", indent, name, rate / 8000);
    if (burst)
        g_string_append_printf(out, " burst='%" PRIu64 "'", burst / 1024);
    g_string_append(out, "/>\n");
}

static void print_group(GString *out, const struct network_portgroup *group)
{
    const struct port_policy *policy = &group->policy;

    g_string_append(out, "  <portgroup");
    attribute(out, "name", group->name);
    g_string_append(out, group->is_default ? " default='yes'>\n" : ">\n");
    if (group->has_vlan)
        print_vlan(out, "    ", policy);
    if (group->has_bandwidth) {
        g_string_append(out, "    <bandwidth>\n");
        print_rate(out, "    ", "inbound", policy->rate_out, policy->burst_out);
        print_rate(out, "    ", "outbound", policy->rate_in, policy->burst_in);
        g_string_append(out, "    </bandwidth>\n");
    }
    g_string_append(out, "  </portgroup>\n");
}

/* --- <metadata> ------------------------------------------------------------------------------- */

static void print_guards(GString *out, const struct network_guards *guards)
{
    g_string_append(out, "      <vmbusd:policy");
    if (guards->portgroup)
        attribute(out, "portgroup", guards->portgroup);
    if (guards->mac_guard)
        attribute(out, "mac-guard", "yes");
    if (guards->dhcp_guard)
        attribute(out, "dhcp-guard", "yes");
    if (guards->router_guard)
        attribute(out, "router-guard", "yes");
    if (guards->isolated)
        attribute(out, "isolated", "yes");
    if (guards->storm)
        g_string_append_printf(out, " storm='%u'", guards->storm);
    if (guards->addresses)
        g_string_append_printf(out, " addresses='%u'", guards->addresses);
    if (guards->mirror)
        attribute(out, "mirror",
                  guards->mirror == NETWORK_MIRROR_SOURCE ? "source" : "destination");
    g_string_append(out, "/>\n");
}

static void print_metadata(GString *out, const struct network_config *config)
{
    bool adapter = config->adapter_by_mac || config->adapter_force;
    bool ours = adapter || config->guards_count || config->title || config->description;

    if (!ours && !config->foreign)
        return;
    g_string_append(out, "  <metadata>\n");
    if (ours)
        g_string_append(out, "    <vmbusd:switch xmlns:vmbusd='" NETWORK_XML_SPACE "'>\n");
    element(out, "      ", "vmbusd:title", config->title);
    element(out, "      ", "vmbusd:description", config->description);
    if (adapter) {
        g_string_append(out, "      <vmbusd:adapter");
        if (config->adapter_by_mac)
            mac_attribute(out, "mac", config->adapter_mac);
        g_string_append(out, config->adapter_force ? " force='yes'/>\n" : "/>\n");
    }
    for (unsigned i = 0; i < config->guards_count; i++)
        print_guards(out, &config->guards[i]);
    if (ours)
        g_string_append(out, "    </vmbusd:switch>\n");
    if (config->foreign)
        g_string_append_printf(out, "    %s\n", config->foreign);
    g_string_append(out, "  </metadata>\n");
}

/* --- Addresses -------------------------------------------------------------------------------- */

static void print_dns(GString *out, const struct network_dns *dns)
{
    if (dns->enable && !dns->forwarder->len && !dns->txt_name->len && !dns->host->len)
        return;
    g_string_append(out, dns->enable ? "  <dns>\n" : "  <dns enable='no'>\n");
    for (guint i = 0; i < dns->forwarder->len; i++) {
        g_string_append(out, "    <forwarder");
        attribute(out, "addr", g_ptr_array_index(dns->forwarder, i));
        g_string_append(out, "/>\n");
    }
    for (guint i = 0; i < dns->txt_name->len; i++) {
        g_string_append(out, "    <txt");
        attribute(out, "name", g_ptr_array_index(dns->txt_name, i));
        attribute(out, "value", g_ptr_array_index(dns->txt_value, i));
        g_string_append(out, "/>\n");
    }
    for (guint i = 0; i < dns->host->len; i++) {
        const struct network_dns_host *host = &g_array_index(dns->host, struct network_dns_host, i);

        g_string_append(out, "    <host");
        address_attribute(out, "ip", &host->address);
        g_string_append(out, ">\n");
        for (guint j = 0; j < host->name->len; j++)
            element(out, "      ", "hostname", g_ptr_array_index(host->name, j));
        g_string_append(out, "    </host>\n");
    }
    g_string_append(out, "  </dns>\n");
}

static void print_host(GString *out, const struct network_host *host)
{
    g_string_append(out, "      <host");
    if (host->has_mac)
        mac_attribute(out, "mac", host->mac);
    if (host->name)
        attribute(out, "name", host->name);
    address_attribute(out, "ip", &host->address);
    g_string_append(out, "/>\n");
}

static void print_ip(GString *out, const struct network_ip *ip)
{
    g_string_append(out, "  <ip");
    if (ip->address.family == AF_INET6)
        attribute(out, "family", "ipv6");
    address_attribute(out, "address", &ip->address);
    g_string_append_printf(out, " prefix='%u'", ip->prefix);
    if (!ip->ranges && !ip->host->len) {
        g_string_append(out, "/>\n");
        return;
    }
    g_string_append(out, ">\n    <dhcp>\n");
    for (unsigned i = 0; i < ip->ranges; i++) {
        g_string_append(out, "      <range");
        address_attribute(out, "start", &ip->range[i].start);
        address_attribute(out, "end", &ip->range[i].end);
        g_string_append(out, "/>\n");
    }
    for (guint i = 0; i < ip->host->len; i++)
        print_host(out, &g_array_index(ip->host, struct network_host, i));
    g_string_append(out, "    </dhcp>\n  </ip>\n");
}

/* --- The document ----------------------------------------------------------------------------- */

static void print_forward(GString *out, const struct network_config *config)
{
    if (config->kind != NETWORK_NAT && config->kind != NETWORK_EXTERNAL)
        return;
    g_string_append(out, "  <forward");
    if (config->forward_dev)
        attribute(out, "dev", config->forward_dev);
    attribute(out, "mode", config->kind == NETWORK_NAT ? "nat" : "bridge");
    if (!config->nat_ports[0] && !config->nat_ipv6 && !config->forward_dev) {
        g_string_append(out, "/>\n");
        return;
    }
    g_string_append(out, ">\n");
    if (config->nat_ports[0] || config->nat_ipv6) {
        g_string_append(out, config->nat_ipv6 ? "    <nat ipv6='yes'" : "    <nat");
        if (config->nat_ports[0])
            g_string_append_printf(out, ">\n      <port start='%u' end='%u'/>\n    </nat>\n",
                                   config->nat_ports[0], config->nat_ports[1]);
        else
            g_string_append(out, "/>\n");
    }
    if (config->forward_dev) {
        g_string_append(out, "    <interface");
        attribute(out, "dev", config->forward_dev);
        g_string_append(out, "/>\n");
    }
    g_string_append(out, "  </forward>\n");
}

static void print_bandwidth(GString *out, const struct network_config *config)
{
    if (!config->rate_in && !config->rate_out)
        return;
    g_string_append(out, "  <bandwidth>\n");
    print_rate(out, "  ", "inbound", config->rate_in, config->burst_in);
    print_rate(out, "  ", "outbound", config->rate_out, config->burst_out);
    g_string_append(out, "  </bandwidth>\n");
}

char *network_config_print(const struct network_config *config)
{
    g_autoptr(GString) out = g_string_new("<network>\n");
    char uuid[GUID_TEXT_SIZE];

    guid_format(&config->uuid, uuid);
    element(out, "  ", "name", config->name);
    element(out, "  ", "uuid", uuid);
    print_metadata(out, config);
    print_forward(out, config);
    if (config->kind != NETWORK_PRIVATE) {
        g_string_append(out, "  <bridge");
        attribute(out, "name", config->bridge);
        g_string_append(out, "/>\n");
    }
    if (config->mtu)
        g_string_append_printf(out, "  <mtu size='%u'/>\n", config->mtu);
    g_string_append(out, "  <mac");
    mac_attribute(out, "address", config->mac);
    g_string_append(out, "/>\n");
    if (config->domain) {
        g_string_append(out, "  <domain");
        attribute(out, "name", config->domain);
        g_string_append(out, config->domain_local ? " localOnly='yes'/>\n" : "/>\n");
    }
    print_dns(out, &config->dns);
    if (config->has_vlan)
        print_vlan(out, "  ", &config->vlan);
    if (config->isolated)
        g_string_append(out, "  <port isolated='yes'/>\n");
    print_bandwidth(out, config);
    for (unsigned i = 0; i < config->portgroups; i++)
        print_group(out, &config->portgroup[i]);
    for (unsigned i = 0; i < config->ips; i++)
        print_ip(out, &config->ip[i]);
    g_string_append(out, "</network>\n");
    return g_string_free(g_steal_pointer(&out), FALSE);
}
