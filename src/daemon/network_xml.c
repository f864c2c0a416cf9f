/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The document: <network> and its plain elements, and what no single element can say. See
 * network_xml.h.
 *
 * Taken and not used, because libvirt writes them: the bridge's stp, delay and macTableManager (the
 * switch makes no loops), "connections".
 */
#include "src/daemon/network_xml.h"

#include <stdio.h>
#include <string.h>

#include "src/common/json.h"
#include "src/common/name.h"
#include "src/daemon/network_xml_parts.h"

static const struct xml_child no_children[] = {{.name = NULL}};
static const struct xml_attribute no_attributes[] = {{.name = NULL}};

const char *network_kind_name(enum network_kind kind)
{
    static const char *const names[] = {[NETWORK_PRIVATE] = "private",
                                        [NETWORK_INTERNAL] = "internal",
                                        [NETWORK_NAT] = "nat",
                                        [NETWORK_EXTERNAL] = "external"};

    return names[kind];
}

/* --- Words ------------------------------------------------------------------------------------ */

bool network_xml_name(struct xml *xml, xmlNode *node, const char *what, const char *text,
                      char **ret_name, GError **error)
{
    if (name_valid(text, LIMIT_NAME)) {
        g_free(*ret_name);
        *ret_name = g_strdup(text);
        return true;
    }
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                    "%s is no name; give 1 to %u letters, digits, dots, underlines and hyphens",
                    quoted, LIMIT_NAME);
}

bool network_xml_word(struct xml *xml, xmlNode *node, const char *what, const char *text,
                      char **ret_word, GError **error)
{
    if (name_valid(text, LIMIT_NETWORK_WORD)) {
        g_free(*ret_word);
        *ret_word = g_strdup(text);
        return true;
    }
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                    "%s is no DNS name; give letters, digits, dots, underlines and hyphens",
                    quoted);
}

bool network_xml_interface(struct xml *xml, xmlNode *node, const char *what, const char *text,
                           GError **error)
{
    bool good =
        *text && strlen(text) < IFNAMSIZ && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;

    for (const char *c = text; good && *c; c++)
        good = g_ascii_isalnum(*c) || strchr("._-@", *c);
    if (good)
        return true;
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, what, error, XML_ERROR_VALUE,
                    "%s is no interface's name; give 1 to %u letters, digits, dots, underlines "
                    "and hyphens",
                    quoted, IFNAMSIZ - 1);
}

/* --- Elements --------------------------------------------------------------------------------- */

static bool read_name(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *text = xml_text(xml, node, error);

    return text && xml_attributes(xml, node, no_attributes, error) &&
           network_xml_name(xml, node, NULL, text, &config->name, error);
}

static bool read_uuid(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    static const struct guid zero;
    struct network_config *config = into;
    const char *text = xml_text(xml, node, error);

    if (!text || !xml_attributes(xml, node, no_attributes, error))
        return false;
    if (guid_parse(text, &config->uuid) && !guid_equal(&config->uuid, &zero))
        return true;
    g_autofree char *quoted = json_quote(text);
    return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                    "%s is no UUID; give one as uuidgen prints it", quoted);
}

/* Also called for the same elements of our own name space. */
bool network_xml_prose(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *text = xml_text(xml, node, error);
    char **target =
        !strcmp((const char *)node->name, "title") ? &config->title : &config->description;

    if (!text || !xml_attributes(xml, node, no_attributes, error))
        return false;
    if (*target)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE,
                        "stands twice, here and in <metadata>; remove one");
    *target = g_strdup(text);
    return true;
}

static bool read_ports(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *start = NULL, *end = NULL;
    const struct xml_attribute table[] = {
        {"start", true, &start}, {"end", true, &end}, {.name = NULL}};
    uint64_t first, last;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !xml_number(xml, node, "start", start, 1, UINT16_MAX, &first, error) ||
        !xml_number(xml, node, "end", end, first, UINT16_MAX, &last, error))
        return false;
    config->nat_ports[0] = (uint16_t)first;
    config->nat_ports[1] = (uint16_t)last;
    return true;
}

static bool read_nat(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    static const struct xml_child table[] = {{"port", false, read_ports, NULL}, {.name = NULL}};
    struct network_config *config = into;
    const char *ipv6 = NULL;
    const struct xml_attribute attributes[] = {{"ipv6", false, &ipv6}, {.name = NULL}};

    return xml_attributes(xml, node, attributes, error) &&
           (!ipv6 || xml_yes(xml, node, "ipv6", ipv6, &config->nat_ipv6, error)) &&
           xml_children(xml, node, table, into, error);
}

/* libvirt prints forward's dev a second time as <interface>. */
static bool read_forward_interface(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *dev = NULL, *connections = NULL;
    const struct xml_attribute table[] = {
        {"dev", true, &dev}, {"connections", false, &connections}, {.name = NULL}};

    if (!xml_attributes(xml, node, table, error) ||
        !network_xml_interface(xml, node, "dev", dev, error))
        return false;
    if (config->forward_dev && strcmp(config->forward_dev, dev) != 0)
        return xml_fail(xml, node, "dev", error, XML_ERROR_VALUE,
                        "differs from <forward dev=\"%s\">; a switch has one adapter",
                        config->forward_dev);
    g_free(config->forward_dev);
    config->forward_dev = g_strdup(dev);
    return true;
}

static bool read_forward(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *mode = "nat", *dev = NULL; /* libvirt's default */
    const struct xml_attribute attributes[] = {
        {"mode", false, &mode}, {"dev", false, &dev}, {.name = NULL}};
    static const struct xml_child children[] = {{"nat", false, read_nat, NULL},
                                                {"interface", true, read_forward_interface, NULL},
                                                {.name = NULL}};

    if (!xml_attributes(xml, node, attributes, error) ||
        (dev && !network_xml_interface(xml, node, "dev", dev, error)))
        return false;
    config->forward_dev = g_strdup(dev);
    if (!strcmp(mode, "bridge")) {
        config->kind = NETWORK_EXTERNAL;
    } else if (!strcmp(mode, "nat")) {
        config->kind = NETWORK_NAT;
    } else {
        g_autofree char *quoted = json_quote(mode);

        return xml_fail(xml, node, "mode", error, XML_ERROR_VALUE,
                        "%s is not taken; give bridge or nat, or leave <forward> out", quoted);
    }
    if (!xml_children(xml, node, children, config, error))
        return false;
    return config->kind == NETWORK_NAT || (!config->nat_ports[0] && !config->nat_ipv6) ||
           xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "<nat> goes with mode=\"nat\" only");
}

static bool read_bridge(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *name = NULL, *unused = NULL;
    const struct xml_attribute table[] = {{"name", false, &name},
                                          {"stp", false, &unused},
                                          {"delay", false, &unused},
                                          {"macTableManager", false, &unused},
                                          {.name = NULL}};

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        (name && !network_xml_interface(xml, node, "name", name, error)))
        return false;
    config->bridge_given = name != NULL;
    g_strlcpy(config->bridge, name ? name : "", sizeof(config->bridge));
    return true;
}

static bool read_mac(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *text = NULL;
    const struct xml_attribute table[] = {{"address", true, &text}, {.name = NULL}};

    config->mac_given = true;
    return xml_attributes(xml, node, table, error) &&
           xml_children(xml, node, no_children, NULL, error) &&
           xml_mac(xml, node, "address", text, config->mac, error);
}

static bool read_mtu(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *text = NULL;
    const struct xml_attribute table[] = {{"size", true, &text}, {.name = NULL}};
    uint64_t size;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !xml_number(xml, node, "size", text, 576, LIMIT_MTU, &size, error))
        return false;
    config->mtu = (uint32_t)size;
    return true;
}

static bool read_port(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *isolated = NULL;
    const struct xml_attribute table[] = {{"isolated", false, &isolated}, {.name = NULL}};

    return xml_attributes(xml, node, table, error) &&
           xml_children(xml, node, no_children, NULL, error) &&
           (!isolated || xml_yes(xml, node, "isolated", isolated, &config->isolated, error));
}

static bool read_domain(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *name = NULL, *local = NULL;
    const struct xml_attribute table[] = {
        {"name", true, &name}, {"localOnly", false, &local}, {.name = NULL}};

    return xml_attributes(xml, node, table, error) &&
           xml_children(xml, node, no_children, NULL, error) &&
           network_xml_word(xml, node, "name", name, &config->domain, error) &&
           (!local || xml_yes(xml, node, "localOnly", local, &config->domain_local, error));
}

static const struct xml_child network_children[] = {
    {"name", false, read_name, NULL},
    {"uuid", false, read_uuid, NULL},
    {"title", false, network_xml_prose, NULL},
    {"description", false, network_xml_prose, NULL},
    {"metadata", false, network_xml_metadata, NULL},
    {"forward", false, read_forward, NULL},
    {"bridge", false, read_bridge, NULL},
    {"mac", false, read_mac, NULL},
    {"mtu", false, read_mtu, NULL},
    {"domain", false, read_domain, NULL},
    {"dns", false, network_xml_dns, NULL},
    {"ip", true, network_xml_ip, NULL},
    {"bandwidth", false, network_xml_bandwidth, NULL},
    {"vlan", false, network_xml_vlan, NULL},
    {"port", false, read_port, NULL},
    {"portgroup", true, network_xml_portgroup, NULL},
    {.name = NULL}};

/* --- What no single element can say ----------------------------------------------------------- */

/* The first bytes of SHA-1 over a name space and a name. */
static void digest(const void *space, size_t len, const char *name, uint8_t *ret, size_t want)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 bytes[20];
    gsize size = sizeof(bytes);

    g_checksum_update(sum, space, (gssize)len);
    g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name));
    g_checksum_get_digest(sum, bytes, &size);
    memcpy(ret, bytes, want);
}

/* A UUID of version 5 (RFC 4122, 4.3) from the network's name. */
static struct guid derive_uuid(const char *name)
{
    static const uint8_t space[16] = {0x3d, 0x0b, 0x6f, 0x2e, 0x6a, 0x4c, 0x4f, 0x0d,
                                      0xa7, 0x4e, 0x5c, 0x12, 0x90, 0xd7, 0x1b, 0x44};
    char text[GUID_TEXT_SIZE];
    struct guid guid;
    uint8_t b[16];

    digest(space, sizeof(space), name, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x50);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    guid_parse(text, &guid);
    return guid;
}

/* Identity, interface and MAC, where they are not given: always the same, so that a restarted
 * daemon knows its own interfaces again. */
static void derive(struct network_config *config)
{
    static const struct guid zero;
    uint8_t hash[4];

    if (guid_equal(&config->uuid, &zero))
        config->uuid = derive_uuid(config->name);
    digest(config->uuid.b, sizeof(config->uuid.b), "host", hash, sizeof(hash));
    if (!config->mac_given)
        memcpy(config->mac, (uint8_t[]){0x52, 0x54, 0x00, hash[0], hash[1], hash[2]}, 6);
    if (config->bridge_given)
        return;
    if (strlen(config->name) <= 12)
        snprintf(config->bridge, sizeof(config->bridge), "vs-%s", config->name);
    else
        snprintf(config->bridge, sizeof(config->bridge), "vs-%.3s-%02x%02x%02x%02x", config->name,
                 hash[0], hash[1], hash[2], hash[3]);
}

static bool finish_groups(struct xml *xml, xmlNode *root, const struct network_config *config,
                          GError **error)
{
    for (unsigned i = 0; i < config->guards_count; i++) {
        const char *wanted = config->guards[i].portgroup;
        unsigned group = 0;

        while (wanted && group < config->portgroups &&
               strcmp(config->portgroup[group].name, wanted) != 0)
            group++;
        if (wanted && group == config->portgroups)
            return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                            "a policy in <metadata> is of port group \"%s\", which there is not",
                            wanted);
    }
    return true;
}

static bool finish_mtu(struct xml *xml, xmlNode *root, const struct network_config *config,
                       GError **error)
{
    for (unsigned i = 0; i < config->ips; i++)
        if (config->ip[i].address.family == AF_INET6 && config->mtu && config->mtu < 1280)
            return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                            "IPv6 needs an MTU of at least 1280");
    return true;
}

bool network_xml_finish(struct xml *xml, xmlNode *root, struct network_config *config,
                        GError **error)
{
    bool v4 = false, v6 = false;

    for (unsigned i = 0; i < config->ips; i++) {
        v4 |= config->ip[i].address.family == AF_INET;
        v6 |= config->ip[i].address.family == AF_INET6;
    }
    if (!config->name)
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE, "<name> is missing");
    if (config->kind == NETWORK_PRIVATE && config->ips)
        config->kind = NETWORK_INTERNAL;
    if (config->kind == NETWORK_EXTERNAL && config->ips)
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "<ip> does not go with <forward mode=\"bridge\">: the host keeps the "
                        "adapter's addresses");
    if (config->kind == NETWORK_NAT && !v4)
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "<forward mode=\"nat\"> needs an <ip> with an IPv4 address");
    if (config->nat_ipv6 && !v6)
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "<nat ipv6=\"yes\"> needs an <ip family=\"ipv6\">");
    if (config->kind == NETWORK_PRIVATE && (config->rate_in || config->rate_out))
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "<bandwidth> is the host's, which has no port on a private network; give "
                        "it to a <portgroup>");
    if (config->kind != NETWORK_EXTERNAL && (config->adapter_by_mac || config->adapter_force))
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "an <adapter> goes with <forward mode=\"bridge\"> only");
    if (config->adapter_by_mac && config->forward_dev)
        return xml_fail(xml, root, NULL, error, XML_ERROR_VALUE,
                        "the adapter is named twice: by <forward dev=> and by its MAC; remove one");
    derive(config);
    return finish_groups(xml, root, config, error) && finish_mtu(xml, root, config, error);
}

/* --- Entry points ----------------------------------------------------------------------------- */

static bool read_root(struct xml *xml, struct network_config *config, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(xml->doc);
    const char *unused = NULL;
    const struct xml_attribute attributes[] = {
        {"connections", false, &unused}, {"ipv6", false, &unused}, {.name = NULL}};

    if (strcmp((const char *)root->name, "network") != 0 || root->ns)
        return xml_fail(xml, root, NULL, error, XML_ERROR_UNKNOWN,
                        "the document must be a <network>");
    return xml_attributes(xml, root, attributes, error) &&
           xml_children(xml, root, network_children, config, error) &&
           network_xml_finish(xml, root, config, error);
}

struct network_config *network_config_parse(const char *name, const char *text, size_t len,
                                            GError **error)
{
    struct xml *xml = xml_new(name, text, len, error);
    struct network_config *config;

    if (!xml)
        return NULL;
    config = g_new0(struct network_config, 1);
    network_dns_init(&config->dns);
    if (!read_root(xml, config, error)) {
        network_config_free(config);
        config = NULL;
    }
    xml_free(xml);
    return config;
}

void network_config_free(struct network_config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(config->ip); i++)
        network_ip_clear(&config->ip[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(config->portgroup); i++)
        g_free(config->portgroup[i].name);
    for (unsigned i = 0; i < G_N_ELEMENTS(config->guards); i++)
        g_free(config->guards[i].portgroup);
    network_dns_clear(&config->dns);
    g_free(config->name);
    g_free(config->forward_dev);
    g_free(config->domain);
    g_free(config->foreign);
    g_free(config->title);
    g_free(config->description);
    g_free(config);
}
