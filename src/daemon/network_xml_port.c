/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network's XML says of its ports: <vlan>, <bandwidth>, <portgroup>, and our own elements in
 * <metadata>.
 *
 * libvirt counts bandwidth in kilobytes (of 1000) a second and bursts in kibibytes; "inbound" is
 * what comes to the guest. Left out: peak and floor (the switch has a token bucket, with no second
 * rate and no reservation), and nativeMode="tagged".
 */
#include "src/daemon/network_xml_parts.h"

#include <string.h>

#include "src/common/json.h"

#define RATE_MAX_KB  100000000ull /* 800 Gbit/s */
#define BURST_MAX_KB (1u << 20)
#define VLAN_MAX     4094u

static const struct xml_child no_children[] = {{.name = NULL}};

/* --- <vlan> ----------------------------------------------------------------------------------- */

/* What <tag> elements add up to. */
struct tags {
    uint64_t bits[FRAME_VLANS / 64];
    unsigned count;
    uint16_t last, native;
};

static bool read_tag(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct tags *tags = into;
    const char *id = NULL, *native = NULL;
    const struct xml_attribute table[] = {
        {"id", true, &id}, {"nativeMode", false, &native}, {.name = NULL}};
    uint64_t vid;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !xml_number(xml, node, "id", id, 1, VLAN_MAX, &vid, error))
        return false;
    if (tags->bits[vid / 64] >> (vid % 64) & 1)
        return xml_fail(xml, node, "id", error, XML_ERROR_VALUE, "%s stands twice; remove one", id);
    if (native && strcmp(native, "untagged") != 0)
        return xml_fail(xml, node, "nativeMode", error, XML_ERROR_VALUE,
                        "only \"untagged\" is taken");
    if (native && tags->native)
        return xml_fail(xml, node, "nativeMode", error, XML_ERROR_VALUE,
                        "only one VLAN can be the native one");
    if (native)
        tags->native = (uint16_t)vid;
    tags->bits[vid / 64] |= 1ull << (vid % 64);
    tags->last = (uint16_t)vid;
    tags->count++;
    return true;
}

static bool read_vlan(struct xml *xml, xmlNode *node, struct port_policy *policy, GError **error)
{
    const char *trunk = NULL;
    const struct xml_attribute attributes[] = {{"trunk", false, &trunk}, {.name = NULL}};
    static const struct xml_child children[] = {{"tag", true, read_tag, NULL}, {.name = NULL}};
    struct tags tags = {0};
    bool is_trunk = false;

    if (!xml_attributes(xml, node, attributes, error) ||
        !xml_children(xml, node, children, &tags, error) ||
        (trunk && !xml_yes(xml, node, "trunk", trunk, &is_trunk, error)))
        return false;
    if (!tags.count)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "give at least one <tag id=>");
    /* As libvirt: several tags make a trunk unasked. */
    if (!is_trunk && trunk && (tags.count > 1 || tags.native))
        return xml_fail(xml, node, "trunk", error, XML_ERROR_VALUE,
                        "\"no\" goes with one <tag> and no nativeMode");
    is_trunk = is_trunk || tags.count > 1 || tags.native;
    policy->vlan_mode = is_trunk ? VLAN_TRUNK : VLAN_ACCESS;
    policy->vlan = is_trunk ? tags.native : tags.last;
    if (is_trunk)
        memcpy(policy->trunk, tags.bits, sizeof(policy->trunk));
    return true;
}

bool network_xml_vlan(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;

    config->has_vlan = true;
    return read_vlan(xml, node, &config->vlan, error);
}

static bool read_group_vlan(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_portgroup *group = into;

    group->has_vlan = true;
    return read_vlan(xml, node, &group->policy, error);
}

/* --- <bandwidth> ------------------------------------------------------------------------------ */

static bool read_rate(struct xml *xml, xmlNode *node, uint64_t *ret_rate, uint64_t *ret_burst,
                      GError **error)
{
    const char *average = NULL, *burst = NULL;
    const struct xml_attribute table[] = {
        {"average", true, &average}, {"burst", false, &burst}, {.name = NULL}};
    uint64_t kilobytes, kibibytes = 0;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        !xml_number(xml, node, "average", average, 1, RATE_MAX_KB, &kilobytes, error) ||
        (burst && !xml_number(xml, node, "burst", burst, 1, BURST_MAX_KB, &kibibytes, error)))
        return false;
    *ret_rate = kilobytes * 8000;
    *ret_burst = kibibytes * 1024;
    return true;
}

/* For a guest: "inbound" is what it receives, which goes out of its port. */
static bool read_inbound(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct port_policy *policy = into;

    return read_rate(xml, node, &policy->rate_out, &policy->burst_out, error);
}

static bool read_outbound(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct port_policy *policy = into;

    return read_rate(xml, node, &policy->rate_in, &policy->burst_in, error);
}

static bool read_bandwidth(struct xml *xml, xmlNode *node, struct port_policy *policy,
                           GError **error)
{
    static const struct xml_attribute no_attributes[] = {{.name = NULL}};
    static const struct xml_child children[] = {{"inbound", false, read_inbound, NULL},
                                                {"outbound", false, read_outbound, NULL},
                                                {.name = NULL}};

    return xml_attributes(xml, node, no_attributes, error) &&
           xml_children(xml, node, children, policy, error);
}

/* For a network: "inbound" is what comes to its guests from the host's port (or the uplink). */
bool network_xml_bandwidth(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    struct port_policy policy = {0};

    if (!read_bandwidth(xml, node, &policy, error))
        return false;
    config->rate_in = policy.rate_out;
    config->burst_in = policy.burst_out;
    config->rate_out = policy.rate_in;
    config->burst_out = policy.burst_in;
    return true;
}

static bool read_group_bandwidth(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_portgroup *group = into;

    group->has_bandwidth = true;
    return read_bandwidth(xml, node, &group->policy, error);
}

/* --- <portgroup> ------------------------------------------------------------------------------ */

bool network_xml_portgroup(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    struct network_portgroup *group = &config->portgroup[config->portgroups];
    const char *name = NULL, *is_default = NULL;
    const struct xml_attribute attributes[] = {
        {"name", true, &name}, {"default", false, &is_default}, {.name = NULL}};
    static const struct xml_child children[] = {{"vlan", false, read_group_vlan, NULL},
                                                {"bandwidth", false, read_group_bandwidth, NULL},
                                                {.name = NULL}};

    if (config->portgroups == LIMIT_NETWORK_PORTGROUPS)
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "too many; give at most %u",
                        LIMIT_NETWORK_PORTGROUPS);
    if (!xml_attributes(xml, node, attributes, error) ||
        (is_default && !xml_yes(xml, node, "default", is_default, &group->is_default, error)) ||
        !network_xml_name(xml, node, "name", name, &group->name, error))
        return false;
    config->portgroups++;
    for (const struct network_portgroup *other = config->portgroup; other < group; other++) {
        if (!strcmp(other->name, group->name))
            return xml_fail(xml, node, "name", error, XML_ERROR_VALUE,
                            "an earlier <portgroup> is called %s too; rename one", name);
        if (other->is_default && group->is_default)
            return xml_fail(xml, node, "default", error, XML_ERROR_VALUE,
                            "%s is the default already; only one can be", other->name);
    }
    return xml_children(xml, node, children, group, error);
}

/* --- <metadata> ------------------------------------------------------------------------------- */

static bool read_adapter(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    const char *mac = NULL, *force = NULL;
    const struct xml_attribute table[] = {
        {"mac", false, &mac}, {"force", false, &force}, {.name = NULL}};

    config->adapter_by_mac = false;
    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        (mac && !xml_mac(xml, node, "mac", mac, config->adapter_mac, error)) ||
        (force && !xml_yes(xml, node, "force", force, &config->adapter_force, error)))
        return false;
    config->adapter_by_mac = mac != NULL;
    return mac || force || xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "give mac or force");
}

static bool read_mirror(struct xml *xml, xmlNode *node, const char *text,
                        enum network_mirror *ret_mirror, GError **error)
{
    *ret_mirror = !strcmp(text, "source")        ? NETWORK_MIRROR_SOURCE
                  : !strcmp(text, "destination") ? NETWORK_MIRROR_DESTINATION
                                                 : NETWORK_MIRROR_NONE;
    return *ret_mirror || xml_fail(xml, node, "mirror", error, XML_ERROR_VALUE,
                                   "give source or destination, or leave it out");
}

static bool fill_guards(struct xml *xml, xmlNode *node, struct network_guards *guards,
                        GError **error)
{
    const char *group = NULL, *mac = NULL, *dhcp = NULL, *router = NULL, *isolated = NULL,
               *storm = NULL, *addresses = NULL, *mirror = NULL;
    const struct xml_attribute table[] = {{"portgroup", false, &group},
                                          {"mac-guard", false, &mac},
                                          {"dhcp-guard", false, &dhcp},
                                          {"router-guard", false, &router},
                                          {"isolated", false, &isolated},
                                          {"storm", false, &storm},
                                          {"addresses", false, &addresses},
                                          {"mirror", false, &mirror},
                                          {.name = NULL}};
    uint64_t frames = 0, count = 0;

    if (!xml_attributes(xml, node, table, error) ||
        !xml_children(xml, node, no_children, NULL, error) ||
        (mac && !xml_yes(xml, node, "mac-guard", mac, &guards->mac_guard, error)) ||
        (dhcp && !xml_yes(xml, node, "dhcp-guard", dhcp, &guards->dhcp_guard, error)) ||
        (router && !xml_yes(xml, node, "router-guard", router, &guards->router_guard, error)) ||
        (isolated && !xml_yes(xml, node, "isolated", isolated, &guards->isolated, error)) ||
        (storm && !xml_number(xml, node, "storm", storm, 1, UINT32_MAX, &frames, error)) ||
        (addresses &&
         !xml_number(xml, node, "addresses", addresses, 1, LIMIT_FDB, &count, error)) ||
        (mirror && !read_mirror(xml, node, mirror, &guards->mirror, error)) ||
        (group && !network_xml_name(xml, node, "portgroup", group, &guards->portgroup, error)))
        return false;
    guards->storm = (uint32_t)frames;
    guards->addresses = (uint32_t)count;
    return true;
}

static bool read_policy(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    struct network_config *config = into;
    struct network_guards *guards = &config->guards[config->guards_count];

    if (config->guards_count == G_N_ELEMENTS(config->guards))
        return xml_fail(xml, node, NULL, error, XML_ERROR_VALUE, "too many; give at most %zu",
                        G_N_ELEMENTS(config->guards));
    config->guards_count++;
    if (!fill_guards(xml, node, guards, error))
        return false;
    for (const struct network_guards *other = config->guards; other < guards; other++)
        if (!g_strcmp0(other->portgroup, guards->portgroup))
            return xml_fail(xml, node, "portgroup", error, XML_ERROR_VALUE,
                            "an earlier <policy> is of the same ports; join them");
    return true;
}

/* Another program's element: kept as it stands, its name spaces declared in it. */
static void keep_foreign(xmlNode *node, struct network_config *config)
{
    g_autoptr(GString) all = g_string_new(config->foreign);
    xmlNode *copy = xmlDocCopyNode(node, node->doc, 1);
    xmlBuffer *buffer = xmlBufferCreate();

    if (copy && xmlNodeDump(buffer, node->doc, copy, 0, 0) >= 0)
        g_string_append(all, (const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    xmlFreeNode(copy);
    g_free(config->foreign);
    config->foreign = g_string_free(g_steal_pointer(&all), FALSE);
}

bool network_xml_metadata(struct xml *xml, xmlNode *node, void *into, GError **error)
{
    static const struct xml_attribute no_attributes[] = {{.name = NULL}};
    static const struct xml_child ours[] = {
        {"adapter", false, read_adapter, NETWORK_XML_SPACE},
        {"policy", true, read_policy, NETWORK_XML_SPACE},
        {"title", false, network_xml_prose, NETWORK_XML_SPACE},
        {"description", false, network_xml_prose, NETWORK_XML_SPACE},
        {.name = NULL}};
    bool seen = false;

    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE)
            continue;
        if (!child->ns)
            return xml_fail(xml, child, NULL, error, XML_ERROR_UNKNOWN,
                            "elements of <metadata> have a name space; ours is " NETWORK_XML_SPACE);
        if (strcmp((const char *)child->ns->href, NETWORK_XML_SPACE) != 0) {
            keep_foreign(child, into);
            continue;
        }
        if (strcmp((const char *)child->name, "switch") != 0 || seen)
            return xml_fail(xml, child, NULL, error, XML_ERROR_UNKNOWN,
                            "of our name space one element <switch> is taken here");
        seen = true;
        if (!xml_attributes(xml, child, no_attributes, error) ||
            !xml_children(xml, child, ours, into, error))
            return false;
    }
    return true;
}
