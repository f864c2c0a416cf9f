/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what is on a link: three dumps, each message cut down to what may be said back.
 */
#include "vswitch/adapter_item.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "vswitch/adapter.h"
#include "vswitch/adapter_netlink.h"

/* What RTM_NEWADDR takes; the rest is state (tentative, secondary, permanent ...). */
#define ADDRESS_FLAGS                                                            \
    (IFA_F_NODAD | IFA_F_OPTIMISTIC | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | \
     IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

struct reading {
    struct nl_sock *sock;
    const struct adapter *link;
    GPtrArray *reports; /* may be NULL */
    GPtrArray *items;
};

static const int address_attributes[] = {
    IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO, 0};
static const int neighbour_attributes[] = {NDA_DST, NDA_LLADDR, NDA_PROTOCOL, NDA_FLAGS_EXT, 0};
/* Everything else of a route is taken as it is. */
static const int route_leave_out[] = {RTA_OIF, RTA_CACHEINFO, RTA_EXPIRES, RTA_MFC_STATS, 0};

static bool listed(const int *types, int type)
{
    while (*types && *types != type)
        types++;
    return *types != 0;
}

/* Header and attributes (of `types`, or all but those) as one range of bytes. */
static GBytes *cut_down(struct nlmsghdr *message, const void *header, size_t size, const int *types,
                        bool keep)
{
    GByteArray *bytes = g_byte_array_new();
    static const uint8_t zero[NLMSG_ALIGNTO];
    struct nlattr *attribute;
    int left;

    g_byte_array_append(bytes, header, (unsigned)size);
    g_byte_array_append(bytes, zero, (unsigned)(NLMSG_ALIGN(size) - size));
    nlmsg_for_each_attr(attribute, message, (int)size, left)
    {
        if (listed(types, nla_type(attribute)) != keep)
            continue;
        g_byte_array_append(bytes, (uint8_t *)attribute, attribute->nla_len);
        g_byte_array_append(bytes, zero,
                            (unsigned)(NLA_ALIGN(attribute->nla_len) - attribute->nla_len));
    }
    return g_byte_array_free_to_bytes(bytes);
}

/* --- Addresses -------------------------------------------------------------------------------- */

/* "eth0:1" on eth0 is ":1": it follows the address to a link of another name. */
static void read_label(struct adapter_item *item, struct nlattr *label, const char *name)
{
    const char *text = label ? nla_get_string(label) : "";
    size_t length = strlen(name);

    if (strncmp(text, name, length) == 0 && text[length] == ':')
        g_strlcpy(item->label, text + length, sizeof(item->label));
}

static void read_address(struct reading *reading, struct nlmsghdr *message)
{
    struct ifaddrmsg header = *(struct ifaddrmsg *)nlmsg_data(message);
    struct nlattr *flags = nlmsg_find_attr(message, sizeof(header), IFA_FLAGS);
    struct nlattr *lifetime = nlmsg_find_attr(message, sizeof(header), IFA_CACHEINFO);
    struct nlattr *label = nlmsg_find_attr(message, sizeof(header), IFA_LABEL);

    if ((int)header.ifa_index != reading->link->index ||
        (header.ifa_family != AF_INET && header.ifa_family != AF_INET6))
        return;
    if (flags)
        *(uint32_t *)nla_data(flags) &= ADDRESS_FLAGS;
    header.ifa_flags &= (uint8_t)ADDRESS_FLAGS;
    header.ifa_index = 0;
    struct adapter_item *item = adapter_item_new(
        ADAPTER_ADDRESS, cut_down(message, &header, sizeof(header), address_attributes, true));
    if (lifetime) {
        struct ifa_cacheinfo *info = nla_data(lifetime);

        item->valid = info->ifa_valid;
        item->preferred = info->ifa_prefered;
    }
    read_label(item, label, reading->link->name);
    g_ptr_array_add(reading->items, item);
}

/* --- Routes ----------------------------------------------------------------------------------- */

static void report(struct reading *reading, const struct adapter_item *item, const char *why)
{
    g_autofree char *text = adapter_item_text(item);

    if (reading->reports)
        g_ptr_array_add(reading->reports, g_strdup_printf("%s stays: %s", text, why));
}

static bool has_leg(struct nlattr *legs, int index)
{
    int left = nla_len(legs);

    for (struct rtnexthop *leg = nla_data(legs); left >= (int)sizeof(*leg) && RTNH_OK(leg, left);
         leg = RTNH_NEXT(leg)) {
        if (leg->rtnh_ifindex == index)
            return true;
        left -= (int)RTNH_ALIGN(leg->rtnh_len);
    }
    return false;
}

/* Made by the kernel from an address or for the link itself: another link gets its own. */
static bool kernel_made(const struct rtmsg *header, struct nlattr *table)
{
    return header->rtm_protocol == RTPROT_KERNEL &&
           (table ? nla_get_u32(table) : header->rtm_table) == RT_TABLE_LOCAL;
}

static void read_route(struct reading *reading, struct nlmsghdr *message)
{
    struct rtmsg header = *(struct rtmsg *)nlmsg_data(message);
    struct nlattr *out = nlmsg_find_attr(message, sizeof(header), RTA_OIF);
    struct nlattr *legs = nlmsg_find_attr(message, sizeof(header), RTA_MULTIPATH);
    struct nlattr *cache = nlmsg_find_attr(message, sizeof(header), RTA_CACHEINFO);
    bool shared = legs && has_leg(legs, reading->link->index);
    bool named = nlmsg_find_attr(message, sizeof(header), RTA_NH_ID) != NULL;

    if ((header.rtm_family != AF_INET && header.rtm_family != AF_INET6) ||
        (header.rtm_flags & RTM_F_CLONED) ||
        kernel_made(&header, nlmsg_find_attr(message, sizeof(header), RTA_TABLE)) ||
        (!shared && (!out || (int)nla_get_u32(out) != reading->link->index)))
        return;
    header.rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
    struct adapter_item *item = adapter_item_new(
        ADAPTER_ROUTE, cut_down(message, &header, sizeof(header), route_leave_out, false));
    if (cache) {
        /* rta_expires is in ticks of 1/100 s, 0 for ever. */
        const struct rta_cacheinfo *info = nla_data(cache);

        if (info->rta_expires > 0)
            item->valid = (uint32_t)(info->rta_expires + 99) / 100;
    }
    if (shared || named) {
        report(reading, item, shared ? "it has several ways out" : "it uses a nexthop object");
        adapter_item_unref(item);
        return;
    }
    g_ptr_array_add(reading->items, item);
}

/* Routes without a gateway first: the gateways of the others are reached over them. */
static bool by_gateway(const struct adapter_item *item)
{
    size_t length, header = NLMSG_ALIGN(sizeof(struct rtmsg));
    const uint8_t *data = g_bytes_get_data(item->message, &length);
    const struct nlattr *first = (const struct nlattr *)(const void *)(data + header);

    return item->kind == ADAPTER_ROUTE && (nla_find(first, (int)(length - header), RTA_GATEWAY) ||
                                           nla_find(first, (int)(length - header), RTA_VIA));
}

/* Move the items that go by a gateway, from `first` on, behind the others; both keep their order.
 */
static void gateways_last(GPtrArray *items, unsigned first)
{
    g_autoptr(GPtrArray) later = g_ptr_array_new();
    unsigned kept = first;

    for (unsigned i = first; i < items->len; i++) {
        if (by_gateway(items->pdata[i]))
            g_ptr_array_add(later, items->pdata[i]);
        else
            items->pdata[kept++] = items->pdata[i];
    }
    for (unsigned i = 0; i < later->len; i++)
        items->pdata[kept++] = later->pdata[i];
}

/* The kernel puts a new IPv6 address before the older ones: from the back to the front they come
 * out in the same order again. */
static void newest_last(GPtrArray *items)
{
    unsigned low = 0, high = items->len;

    while (low < high) {
        const struct adapter_item *item = items->pdata[low];
        const struct ifaddrmsg *header = g_bytes_get_data(item->message, NULL);

        if (header->ifa_family == AF_INET6)
            break;
        low++;
    }
    for (; low + 1 < high; low++, high--) {
        void *first = items->pdata[low];

        items->pdata[low] = items->pdata[high - 1];
        items->pdata[high - 1] = first;
    }
}

/* --- Neighbours ------------------------------------------------------------------------------- */

static void read_neighbour(struct reading *reading, struct nlmsghdr *message)
{
    struct ndmsg header = *(struct ndmsg *)nlmsg_data(message);

    if (header.ndm_ifindex != reading->link->index ||
        (header.ndm_family != AF_INET && header.ndm_family != AF_INET6) ||
        !((header.ndm_state & NUD_PERMANENT) || (header.ndm_flags & NTF_PROXY)))
        return;
    header.ndm_ifindex = 0;
    g_ptr_array_add(reading->items,
                    adapter_item_new(ADAPTER_NEIGHBOUR, cut_down(message, &header, sizeof(header),
                                                                 neighbour_attributes, true)));
}

static void teach(struct nl_sock *sock, struct nlmsghdr *learned, int to)
{
    struct ndmsg header = *(struct ndmsg *)nlmsg_data(learned);
    struct nlattr *address = nlmsg_find_attr(learned, sizeof(header), NDA_DST);
    struct nlattr *mac = nlmsg_find_attr(learned, sizeof(header), NDA_LLADDR);
    struct nl_msg *message;

    if (!address || !mac)
        return;
    message = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    header.ndm_ifindex = to;
    header.ndm_state = NUD_STALE;
    header.ndm_flags &= NTF_ROUTER;
    nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
    nla_put(message, NDA_DST, nla_len(address), nla_data(address));
    nla_put(message, NDA_LLADDR, nla_len(mac), nla_data(mac));
    adapter_netlink_do(sock, message);
}

void adapter_neighbours_teach(struct nl_sock *sock, int from, int to)
{
    struct ndmsg all = {.ndm_family = AF_UNSPEC};
    g_autoptr(GPtrArray) learned =
        adapter_netlink_dump(sock, RTM_GETNEIGH, &all, sizeof(all), NULL);

    for (unsigned i = 0; learned && i < learned->len; i++) {
        const struct ndmsg *header = nlmsg_data(learned->pdata[i]);

        if (header->ndm_ifindex == from &&
            (header->ndm_family == AF_INET || header->ndm_family == AF_INET6) &&
            (header->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)))
            teach(sock, learned->pdata[i], to);
    }
}

/* --- Rules -------------------------------------------------------------------------------------
 */

/* A rule that names the link no longer matches what comes in over another. */
static void read_rule(struct reading *reading, struct nlmsghdr *message)
{
    static const struct {
        int type;
        const char *word;
    } names[] = {{FRA_IIFNAME, "iif"}, {FRA_OIFNAME, "oif"}};
    struct nlattr *priority = nlmsg_find_attr(message, sizeof(struct fib_rule_hdr), FRA_PRIORITY);

    for (unsigned i = 0; reading->reports && i < G_N_ELEMENTS(names); i++) {
        struct nlattr *name = nlmsg_find_attr(message, sizeof(struct fib_rule_hdr), names[i].type);

        if (name && strcmp(nla_get_string(name), reading->link->name) == 0)
            g_ptr_array_add(reading->reports,
                            g_strdup_printf("rule %u stays: %s %s does not match the host port",
                                            priority ? nla_get_u32(priority) : 0, names[i].word,
                                            reading->link->name));
    }
}

/* --- All -------------------------------------------------------------------------------------- */

void adapter_item_parse(const struct adapter *link, struct nlmsghdr *message, GPtrArray *items)
{
    struct reading reading = {.link = link, .items = items};

    switch (message->nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (nlmsg_valid_hdr(message, sizeof(struct ifaddrmsg)))
            read_address(&reading, message);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        if (nlmsg_valid_hdr(message, sizeof(struct rtmsg)))
            read_route(&reading, message);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        if (nlmsg_valid_hdr(message, sizeof(struct ndmsg)))
            read_neighbour(&reading, message);
        break;
    }
}

static bool read_each(struct reading *reading, int type, const void *header, size_t size,
                      void (*read)(struct reading *, struct nlmsghdr *), GError **error)
{
    g_autoptr(GPtrArray) messages = adapter_netlink_dump(reading->sock, type, header, size, error);

    for (unsigned i = 0; messages && i < messages->len; i++)
        read(reading, messages->pdata[i]);
    return messages != NULL;
}

GPtrArray *adapter_items_read(struct nl_sock *sock, const struct adapter *link, GPtrArray *reports,
                              GError **error)
{
    g_autoptr(GPtrArray) items = adapter_items_new();
    struct reading reading = {.sock = sock, .link = link, .reports = reports, .items = items};
    struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
    struct rtmsg routes = {.rtm_family = AF_UNSPEC};
    struct ndmsg neighbours = {.ndm_family = AF_UNSPEC};
    struct fib_rule_hdr rules = {.family = AF_UNSPEC};
    struct ndmsg proxies = {.ndm_family = AF_UNSPEC, .ndm_flags = NTF_PROXY};

    if (!read_each(&reading, RTM_GETADDR, &addresses, sizeof(addresses), read_address, error))
        return NULL;
    newest_last(items);
    unsigned first_route = items->len;
    if (!read_each(&reading, RTM_GETROUTE, &routes, sizeof(routes), read_route, error))
        return NULL;
    gateways_last(items, first_route);
    if (!read_each(&reading, RTM_GETNEIGH, &neighbours, sizeof(neighbours), read_neighbour,
                   error) ||
        !read_each(&reading, RTM_GETNEIGH, &proxies, sizeof(proxies), read_neighbour, error) ||
        !read_each(&reading, RTM_GETRULE, &rules, sizeof(rules), read_rule, error))
        return NULL;
    return g_steal_pointer(&items);
}
