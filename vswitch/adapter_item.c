/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items: putting them on a link, taking them off, telling them apart (rtnetlink(7);
 * linux/if_addr.h, linux/rtnetlink.h, linux/neighbour.h).
 */
#include "vswitch/adapter_item.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "vswitch/adapter_netlink.h"

#define LIFETIME_SLACK 2u /* seconds: clocks that tick apart */

static const size_t header_size[] = {[ADAPTER_ADDRESS] = sizeof(struct ifaddrmsg),
                                     [ADAPTER_ROUTE] = sizeof(struct rtmsg),
                                     [ADAPTER_NEIGHBOUR] = sizeof(struct ndmsg)};
static const char *const kind_name[] = {"address", "route", "neighbour"};

struct adapter_item *adapter_item_new(enum adapter_item_kind kind, GBytes *message)
{
    struct adapter_item *item = g_rc_box_new0(struct adapter_item);

    item->kind = kind;
    item->valid = item->preferred = ADAPTER_FOREVER;
    item->message = message;
    return item;
}

struct adapter_item *adapter_item_ref(struct adapter_item *item)
{
    return g_rc_box_acquire(item);
}

static void item_clear(void *item)
{
    g_bytes_unref(((struct adapter_item *)item)->message);
}

void adapter_item_unref(struct adapter_item *item)
{
    if (item)
        g_rc_box_release_full(item, item_clear);
}

GPtrArray *adapter_items_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)adapter_item_unref);
}

bool adapter_item_equal(const struct adapter_item *a, const struct adapter_item *b)
{
    return a->kind == b->kind && strcmp(a->label, b->label) == 0 &&
           g_bytes_equal(a->message, b->message);
}

static uint32_t left_of(uint32_t seconds, uint32_t age)
{
    if (seconds == ADAPTER_FOREVER)
        return seconds;
    return seconds > age ? seconds - age : 0;
}

static bool close_by(uint32_t a, uint32_t b)
{
    return a > b ? a - b <= LIFETIME_SLACK : b - a <= LIFETIME_SLACK;
}

bool adapter_item_same_end(const struct adapter_item *then, const struct adapter_item *now,
                           uint32_t age)
{
    return close_by(left_of(then->valid, age), now->valid) &&
           close_by(left_of(then->preferred, age), now->preferred);
}

/* The item's attribute of that type, or NULL. */
static struct nlattr *attribute_of(const struct adapter_item *item, int type)
{
    size_t length, header = NLMSG_ALIGN(header_size[item->kind]);
    const uint8_t *data = g_bytes_get_data(item->message, &length);

    return nla_find((const struct nlattr *)(const void *)(data + header), (int)(length - header),
                    type);
}

bool adapter_item_link_local(const struct adapter_item *item)
{
    const uint8_t *header = g_bytes_get_data(item->message, NULL); /* begins with the family */
    struct nlattr *address = item->kind == ADAPTER_ADDRESS ? attribute_of(item, IFA_ADDRESS)
                             : item->kind == ADAPTER_ROUTE ? attribute_of(item, RTA_DST)
                                                           : NULL;
    const uint8_t *bytes = address ? nla_data(address) : NULL;

    return *header == AF_INET6 && bytes && nla_len(address) == 16 && bytes[0] == 0xfe &&
           (bytes[1] & 0xc0) == 0x80;
}

/* --- To the kernel ---------------------------------------------------------------------------- */

/* A request with the item's bytes in it. */
static struct nl_msg *request_new(const struct adapter_item *item, int type, int flags)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);
    size_t length;
    const void *data = g_bytes_get_data(item->message, &length);

    nlmsg_append(message, (void *)(uintptr_t)data, length, NLMSG_ALIGNTO);
    return message;
}

/* One RTM_NEWADDR. `more` are flags that only this request has. */
static int address_send(struct nl_sock *sock, const struct adapter_item *item, int index,
                        const char *name, uint32_t age, int request, uint32_t more)
{
    struct ifa_cacheinfo lifetime = {.ifa_valid = left_of(item->valid, age),
                                     .ifa_prefered = left_of(item->preferred, age)};
    struct nl_msg *message = request_new(item, RTM_NEWADDR, request);
    struct ifaddrmsg *header = nlmsg_data(nlmsg_hdr(message));
    struct nlattr *flags = nlmsg_find_attr(nlmsg_hdr(message), sizeof(*header), IFA_FLAGS);

    header->ifa_index = (unsigned)index;
    if (flags)
        *(uint32_t *)nla_data(flags) |= more;
    nla_put(message, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
    if (header->ifa_family == AF_INET) {
        char label[2 * IF_NAMESIZE];

        g_snprintf(label, sizeof(label), "%s%s", name, item->label);
        nla_put_string(message, IFA_LABEL, strlen(label) < IF_NAMESIZE ? label : name);
    }
    return adapter_netlink_do(sock, message);
}

/* An IPv6 address would have to prove for a second that nobody else has it, although the host had
 * it a moment ago: it is added as proven, and then loses that mark. */
static int address_add(struct nl_sock *sock, const struct adapter_item *item, int index,
                       const char *name, uint32_t age)
{
    const struct ifaddrmsg *header = g_bytes_get_data(item->message, NULL);
    bool six = header->ifa_family == AF_INET6;
    int result;

    if (left_of(item->valid, age) == 0)
        return 0;
    result = address_send(sock, item, index, name, age, NLM_F_CREATE | NLM_F_EXCL,
                          six ? IFA_F_NODAD : 0);
    if (result == 0 && six)
        result = address_send(sock, item, index, name, age, NLM_F_REPLACE, 0);
    return result;
}

static int route_add(struct nl_sock *sock, const struct adapter_item *item, int index, uint32_t age)
{
    const struct rtmsg *header = g_bytes_get_data(item->message, NULL);
    /* IPv4 keeps equal routes over two links side by side only if told to append; for IPv6
     * appending would mean something else. */
    int flags = NLM_F_CREATE | (header->rtm_family == AF_INET ? NLM_F_APPEND : 0);

    if (left_of(item->valid, age) == 0)
        return 0;
    struct nl_msg *message = request_new(item, RTM_NEWROUTE, flags);
    nla_put_u32(message, RTA_OIF, (uint32_t)index);
    if (item->valid != ADAPTER_FOREVER)
        nla_put_u32(message, RTA_EXPIRES, left_of(item->valid, age));
    return adapter_netlink_do(sock, message);
}

static struct nl_msg *neighbour_request(const struct adapter_item *item, int type, int flags,
                                        int index)
{
    struct nl_msg *message = request_new(item, type, flags);
    struct ndmsg *header = nlmsg_data(nlmsg_hdr(message));

    header->ndm_ifindex = index;
    return message;
}

int adapter_item_add(struct nl_sock *sock, const struct adapter_item *item, int index,
                     const char *name, uint32_t age)
{
    int result;

    if (item->kind == ADAPTER_ADDRESS)
        result = address_add(sock, item, index, name, age);
    else if (item->kind == ADAPTER_ROUTE)
        result = route_add(sock, item, index, age);
    else
        result = adapter_netlink_do(
            sock, neighbour_request(item, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index));
    return result == -EEXIST ? 0 : result;
}

int adapter_item_delete(struct nl_sock *sock, const struct adapter_item *item, int index)
{
    struct nl_msg *message;

    if (item->kind == ADAPTER_ADDRESS) {
        message = request_new(item, RTM_DELADDR, 0);
        ((struct ifaddrmsg *)nlmsg_data(nlmsg_hdr(message)))->ifa_index = (unsigned)index;
    } else if (item->kind == ADAPTER_ROUTE) {
        message = request_new(item, RTM_DELROUTE, 0);
        nla_put_u32(message, RTA_OIF, (uint32_t)index);
    } else {
        message = neighbour_request(item, RTM_DELNEIGH, 0, index);
    }
    int result = adapter_netlink_do(sock, message);
    bool absent = result == -EADDRNOTAVAIL || result == -ESRCH || result == -ENOENT ||
                  result == -ENODEV || result == -ENXIO;
    return absent ? 0 : result;
}

/* --- For people ------------------------------------------------------------------------------- */

static void text_append(GString *text, const char *word, int family, struct nlattr *address)
{
    char buffer[INET6_ADDRSTRLEN];
    int wanted = family == AF_INET ? 4 : 16;

    if (address && nla_len(address) == wanted &&
        inet_ntop(family, nla_data(address), buffer, sizeof(buffer)))
        g_string_append_printf(text, " %s%s", word, buffer);
}

char *adapter_item_text(const struct adapter_item *item)
{
    const void *data = g_bytes_get_data(item->message, NULL);
    GString *text = g_string_new(kind_name[item->kind]);

    if (item->kind == ADAPTER_ADDRESS) {
        const struct ifaddrmsg *header = data;
        struct nlattr *local = attribute_of(item, IFA_LOCAL);

        text_append(text, "", header->ifa_family, local ? local : attribute_of(item, IFA_ADDRESS));
        g_string_append_printf(text, "/%u", header->ifa_prefixlen);
    } else if (item->kind == ADAPTER_ROUTE) {
        const struct rtmsg *header = data;
        struct nlattr *table = attribute_of(item, RTA_TABLE);

        if (header->rtm_dst_len == 0)
            g_string_append(text, " default");
        text_append(text, "", header->rtm_family, attribute_of(item, RTA_DST));
        if (header->rtm_dst_len)
            g_string_append_printf(text, "/%u", header->rtm_dst_len);
        text_append(text, "via ", header->rtm_family, attribute_of(item, RTA_GATEWAY));
        g_string_append_printf(text, " table %u", table ? nla_get_u32(table) : header->rtm_table);
    } else {
        text_append(text, "", ((const struct ndmsg *)data)->ndm_family,
                    attribute_of(item, NDA_DST));
    }
    return g_string_free(text, FALSE);
}

/* --- JSON ------------------------------------------------------------------------------------- */

struct json_object *adapter_item_to_json(const struct adapter_item *item)
{
    struct json_object *object = json_object_new_object();
    g_autofree char *text = adapter_item_text(item);
    g_autoptr(GString) hex = g_string_new(NULL);
    size_t length;
    const uint8_t *data = g_bytes_get_data(item->message, &length);

    for (size_t i = 0; i < length; i++)
        g_string_append_printf(hex, "%02x", data[i]);
    json_object_object_add(object, "kind", json_object_new_string(kind_name[item->kind]));
    json_object_object_add(object, "text", json_object_new_string(text));
    json_object_object_add(object, "valid", json_object_new_int64(item->valid));
    json_object_object_add(object, "preferred", json_object_new_int64(item->preferred));
    json_object_object_add(object, "label", json_object_new_string(item->label));
    json_object_object_add(object, "message", json_object_new_string(hex->str));
    return object;
}

static const char *text_of(struct json_object *object, const char *key)
{
    const char *text = json_object_get_string(json_object_object_get(object, key));

    return text ? text : "";
}

/* Bytes of a hexadecimal text; NULL if it is none. */
static GBytes *hex_decode(const char *hex)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    if (strlen(hex) % 2)
        return NULL;
    for (size_t i = 0; hex[2 * i]; i++) {
        int high = g_ascii_xdigit_value(hex[2 * i]), low = g_ascii_xdigit_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return NULL;
        uint8_t byte = (uint8_t)(high << 4 | low);
        g_byte_array_append(data, &byte, 1);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&data));
}

struct adapter_item *adapter_item_from_json(struct json_object *object)
{
    g_autoptr(GBytes) message = hex_decode(text_of(object, "message"));
    unsigned kind = 0;

    while (kind < G_N_ELEMENTS(kind_name) && strcmp(text_of(object, "kind"), kind_name[kind]) != 0)
        kind++;
    if (!message || kind == G_N_ELEMENTS(kind_name) ||
        g_bytes_get_size(message) < NLMSG_ALIGN(header_size[kind]))
        return NULL;
    struct adapter_item *item =
        adapter_item_new((enum adapter_item_kind)kind, g_steal_pointer(&message));
    item->valid = (uint32_t)json_object_get_int64(json_object_object_get(object, "valid"));
    item->preferred = (uint32_t)json_object_get_int64(json_object_object_get(object, "preferred"));
    g_strlcpy(item->label, text_of(object, "label"), sizeof(item->label));
    return item;
}
