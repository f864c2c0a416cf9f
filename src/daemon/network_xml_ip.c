/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * <ip> with its <dhcp>, and <dns>: the addresses of a network and what dnsmasq is told of it.
 *
 * Left out: <tftp> and <bootp> (network boot comes with the firmware), <lease>, <srv>, and MAC
 * addresses in DHCPv6 (it has none).
 */
#include "src/daemon/network_xml_parts.h"

#include <string.h>

#include "src/common/json.h"

static const struct xml_child no_children[] = {{.name = NULL}};

bool network_xml_address(struct xml *xml, xmlNode *node, const char *what, const char *text,
                         struct address *ret_address, GError **error)
{
    if (address_parse(text, ret_address))
        return true;
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE, "%s is not an IP address", quoted);
}

/* --- <dhcp> ----------------------------------------------------------------------------------- */

/* An address that the DHCP server of `ip` may give out. */
static bool read_lease(struct xml *xml, xmlNode *node, const char *what, const char *text,
                       const struct network_ip *ip, struct address *ret_address, GError **error)
{
    char first[ADDRESS_TEXT], own[ADDRESS_TEXT];

    if (!network_xml_address(xml, node, what, text, ret_address, error))
        return false;
    struct address net = address_first(&ip->address, ip->prefix);
    address_format(&net, first);
    address_format(&ip->address, own);
    if (!address_is_host(ret_address, &ip->address, ip->prefix))
        return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                        "%s is outside the network; give a host's address of %s/%u", text, first,
                        ip->prefix);
    if (address_equal(ret_address, &ip->address))
        return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                        "%s is the host's own address; choose another", own);
    return true;
}

static bool read_range(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_ip *ip = into;
    const char *start = NULL, *end = NULL;
    const struct xml_attribute table[] = {
        {"start", true, &start}, {"end", true, &end}, {.name = NULL}};
    struct network_range range;

    if (ip->ranges == LIMIT_NETWORK_RANGES)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "too many; give at most %u",
                        LIMIT_NETWORK_RANGES);
    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !read_lease(xml, node, "start", start, ip, &range.start, error) ||
        !read_lease(xml, node, "end", end, ip, &range.end, error))
        return false;
    if (address_compare(&range.start, &range.end) > 0)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "ends (%s) before it begins (%s)",
                        end, start);
    if (address_compare(&range.start, &ip->address) < 0 &&
        address_compare(&range.end, &ip->address) > 0)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                        "holds the host's own address; make two ranges around it");
    for (unsigned i = 0; i < ip->ranges; i++)
        if (address_compare(&range.start, &ip->range[i].end) <= 0 &&
            address_compare(&ip->range[i].start, &range.end) <= 0)
            return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                            "overlaps an earlier range; join them");
    ip->range[ip->ranges++] = range;
    return true;
}

/* False with `error` if an earlier <host> has the same MAC, name or address. */
static bool unique_host(struct xml *xml, xmlNode *node, const struct network_ip *ip,
                        const struct network_host *host, GError **error)
{
    for (guint i = 0; i < ip->host->len; i++) {
        const struct network_host *other = &g_array_index(ip->host, struct network_host, i);
        const char *same = host->has_mac && other->has_mac && !memcmp(host->mac, other->mac, 6)
                               ? "mac"
                           : host->name && !g_strcmp0(host->name, other->name) ? "name"
                           : address_equal(&host->address, &other->address)    ? "ip"
                                                                               : NULL;

        if (same)
            return xml_fail(xml, node, same, error, XML_ERROR_VALUE,
                            "an earlier <host> has the same; remove one");
    }
    return true;
}

static bool fill_host(struct xml *xml, xmlNode *node, const struct network_ip *ip,
                      struct network_host *host, GError **error)
{
    const char *mac = NULL, *name = NULL, *address = NULL;
    const struct xml_attribute table[] = {
        {"mac", false, &mac}, {"name", false, &name}, {"ip", true, &address}, {.name = NULL}};

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        (mac && !xml_mac(xml, node, "mac", mac, host->mac, error)) ||
        (name && !network_xml_word(xml, node, "name", name, &host->name, error)) ||
        !read_lease(xml, node, "ip", address, ip, &host->address, error))
        return false;
    host->has_mac = mac != NULL;
    if (mac && ip->address.family == AF_INET6)
        return xml_fail(xml, node, "mac", error, XML_ERROR_VALUE,
                        "DHCPv6 knows no MAC addresses; give a name");
    if (!mac && !name)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "give a mac or a name");
    return unique_host(xml, node, ip, host, error);
}

static bool read_host(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_ip *ip = into;
    struct network_host host = {0};

    if (ip->host->len == LIMIT_NETWORK_HOSTS)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "too many; give at most %u",
                        LIMIT_NETWORK_HOSTS);
    bool good = fill_host(xml, node, ip, &host, error);
    if (good)
        g_array_append_val(ip->host, host);
    else
        g_free(host.name);
    return good;
}

static bool read_dhcp(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    static const struct xml_attribute no_attributes[] = {{.name = NULL}};
    static const struct xml_child table[] = {
        {"range", true, read_range, NULL}, {"host", true, read_host, NULL}, {.name = NULL}};

    return xml_attributes(xml, node, no_attributes, error) &&
           xml_children(xml, node, table, into, error);
}

/* --- <ip> ------------------------------------------------------------------------------------- */

static void host_clear(void *data)
{
    g_free(((struct network_host *)data)->name);
}

void network_ip_clear(struct network_ip *ip)
{
    if (ip->host)
        g_array_unref(ip->host);
}

/* The prefix from `prefix`, `netmask` or (as libvirt) the address's class. */
static bool read_prefix(struct xml *xml, xmlNode *node, struct network_ip *ip, const char *prefix,
                        const char *netmask, GError **error)
{
    unsigned bits = address_bits(ip->address.family);
    struct address mask;
    uint64_t number = 0;
    int from_mask;

    if (prefix && netmask)
        return xml_fail(xml, node, "netmask", error, XML_ERROR_VALUE,
                        "of no use beside prefix; remove one");
    if (prefix) {
        if (!xml_number(xml, node, "prefix", prefix, 1, bits, &number, error))
            return false;
        ip->prefix = (unsigned)number;
        return true;
    }
    if (!netmask) {
        uint8_t high = ip->address.b[0];

        ip->prefix = bits == 128 ? 64 : high < 128 ? 8 : high < 192 ? 16 : 24;
        return true;
    }
    if (ip->address.family == AF_INET6)
        return xml_fail(xml, node, "netmask", error, XML_ERROR_VALUE, "IPv6 has prefixes only");
    if (!network_xml_address(xml, node, "netmask", netmask, &mask, error))
        return false;
    from_mask = mask.family == AF_INET ? address_mask_prefix(&mask) : -1;
    ip->prefix = (unsigned)from_mask;
    return from_mask > 0 || xml_fail(xml, node, "netmask", error, XML_ERROR_VALUE,
                                     "%s is no netmask; give one such as 255.255.255.0", netmask);
}

static bool fill_ip(struct xml *xml, xmlNode *node, struct network_ip *ip, GError **error)
{
    const char *address = NULL, *prefix = NULL, *netmask = NULL, *family = NULL;
    const struct xml_attribute attributes[] = {{"address", true, &address},
                                               {"prefix", false, &prefix},
                                               {"netmask", false, &netmask},
                                               {"family", false, &family},
                                               {.name = NULL}};
    static const struct xml_child children[] = {{"dhcp", false, read_dhcp, NULL}, {.name = NULL}};

    if (!xml_attributes(xml, node, attributes, error) ||
        !network_xml_address(xml, node, "address", address, &ip->address, error) ||
        !read_prefix(xml, node, ip, prefix, netmask, error))
        return false;
    bool v6 = ip->address.family == AF_INET6;
    if (family ? strcmp(family, v6 ? "ipv6" : "ipv4") != 0 : v6)
        return xml_fail(xml, node, "family", error, XML_ERROR_VALUE, "%s has the family \"%s\"",
                        address, v6 ? "ipv6" : "ipv4");
    if (!address_is_unicast(&ip->address) ||
        !address_is_host(&ip->address, &ip->address, ip->prefix))
        return xml_fail(xml, node, "address", error, XML_ERROR_VALUE,
                        "%s/%u is no address for a host; give one inside the network", address,
                        ip->prefix);
    return xml_children(xml, node, children, ip, error);
}

bool network_xml_ip(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    struct network_ip *ip = &config->ip[config->ips];

    if (config->ips == LIMIT_NETWORK_ADDRESSES)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "too many; give at most %u",
                        LIMIT_NETWORK_ADDRESSES);
    config->ips++;
    ip->host = g_array_new(FALSE, FALSE, sizeof(struct network_host));
    g_array_set_clear_func(ip->host, host_clear);
    if (!fill_ip(xml, node, ip, error))
        return false;
    bool dhcp = ip->ranges || ip->host->len;
    for (unsigned i = 0; i + 1 < config->ips; i++) {
        const struct network_ip *other = &config->ip[i];
        unsigned prefix = MIN(ip->prefix, other->prefix);

        if (address_same_net(&ip->address, &other->address, prefix))
            return xml_fail(xml, node, "address", error, XML_ERROR_VALUE,
                            "in the same subnet as an earlier <ip>; remove one");
        if (dhcp && (other->ranges || other->host->len) &&
            other->address.family == ip->address.family)
            return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                            "only one <ip> of each family may have <dhcp>");
    }
    return true;
}

/* --- <dns> ------------------------------------------------------------------------------------ */

static void dns_host_clear(void *data)
{
    g_ptr_array_unref(((struct network_dns_host *)data)->name);
}

void network_dns_init(struct network_dns *dns)
{
    dns->enable = true;
    dns->forwarder = g_ptr_array_new_with_free_func(g_free);
    dns->txt_name = g_ptr_array_new_with_free_func(g_free);
    dns->txt_value = g_ptr_array_new_with_free_func(g_free);
    dns->host = g_array_new(FALSE, FALSE, sizeof(struct network_dns_host));
    g_array_set_clear_func(dns->host, dns_host_clear);
}

void network_dns_clear(struct network_dns *dns)
{
    g_ptr_array_unref(dns->forwarder);
    g_ptr_array_unref(dns->txt_name);
    g_ptr_array_unref(dns->txt_value);
    g_array_unref(dns->host);
}

static bool read_forwarder(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_dns *dns = into;
    const char *text = NULL;
    const struct xml_attribute table[] = {{"addr", true, &text}, {.name = NULL}};
    struct address address;
    char plain[ADDRESS_TEXT];

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !network_xml_address(xml, node, "addr", text, &address, error))
        return false;
    address_format(&address, plain);
    g_ptr_array_add(dns->forwarder, g_strdup(plain));
    return true;
}

static bool read_txt(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_dns *dns = into;
    const char *name = NULL, *value = NULL;
    const struct xml_attribute table[] = {
        {"name", true, &name}, {"value", true, &value}, {.name = NULL}};
    char *word = NULL;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error))
        return false;
    for (const char *c = value; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\' || strlen(value) > LIMIT_NETWORK_WORD)
            return xml_fail(xml, node, "value", error, XML_ERROR_VALUE,
                            "give at most %u printable ASCII characters without quotes and "
                            "backslashes",
                            LIMIT_NETWORK_WORD);
    if (!network_xml_word(xml, node, "name", name, &word, error))
        return false;
    g_ptr_array_add(dns->txt_name, word);
    g_ptr_array_add(dns->txt_value, g_strdup(value));
    return true;
}

static bool read_hostname(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_dns_host *host = into;
    const char *text = xml_text(xml, node, error);
    char *word = NULL;

    if (!text || !network_xml_word(xml, node, NULL, text, &word, error))
        return false;
    g_ptr_array_add(host->name, word);
    return true;
}

static bool read_dns_host(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_dns *dns = into;
    const char *text = NULL;
    const struct xml_attribute attributes[] = {{"ip", true, &text}, {.name = NULL}};
    static const struct xml_child children[] = {{"hostname", true, read_hostname, NULL},
                                                {.name = NULL}};
    struct network_dns_host host = {.name = g_ptr_array_new_with_free_func(g_free)};

    if (!xml_attributes(xml, node, attributes, error) ||
        !network_xml_address(xml, node, "ip", text, &host.address, error) ||
        !xml_children(xml, node, children, &host, error)) {
        dns_host_clear(&host);
        return false;
    }
    guint names = host.name->len;
    g_array_append_val(dns->host, host);
    return names > 0 ||
           xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "give at least one <hostname>");
}

bool network_xml_dns(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *enable = NULL;
    const struct xml_attribute attributes[] = {{"enable", false, &enable}, {.name = NULL}};
    static const struct xml_child children[] = {{"forwarder", true, read_forwarder, NULL},
                                                {"txt", true, read_txt, NULL},
                                                {"host", true, read_dns_host, NULL},
                                                {.name = NULL}};

    return xml_attributes(xml, node, attributes, error) &&
           (!enable || xml_yes(xml, node, "enable", enable, &config->dns.enable, error)) &&
           xml_children(xml, node, children, &config->dns, error);
}
