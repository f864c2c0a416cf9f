/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl set-ip: addresses for a guest's network adapter, set by the guest itself, asked over
 * KVP.
 *
 *   set-ip VM NIC dhcp | dhcp6
 *   set-ip VM NIC ADDRESS/PREFIX... [gateway ADDRESS...] [dns ADDRESS...]
 *
 * One request of KVP is about one family: all addresses are IPv4, or all are IPv6. Guests expect an
 * IPv4 netmask in dots and an IPv6 one as a number (tools/hv/hv_kvp_daemon.c of Linux), lists with
 * semicolons.
 */
#include <arpa/inet.h>
#include <string.h>

#include <glib.h>

#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

#define FIRST_WORD 2 /* behind VM and NIC */

enum list { ADDRESSES, NETMASKS, GATEWAYS, SERVERS, LISTS };

struct wish {
    bool dhcp, ipv6;
    char *text[LISTS];
};

static void wish_clear(struct wish *wish)
{
    for (unsigned i = 0; i < LISTS; i++)
        g_free(wish->text[i]);
}

static int usage(const char *word, const char *why)
{
    fprintf(stderr, "vmbusctl: set-ip: %s: %s; vmbusctl(8) has examples\n", word, why);
    return VMBUSCTL_USAGE;
}

static void append(struct wish *wish, enum list list, const char *text)
{
    char *before = wish->text[list];

    wish->text[list] = before ? g_strconcat(before, ";", text, NULL) : g_strdup(text);
    g_free(before);
}

/* The address at the beginning of `word`, up to `end`, if it is of the family of those before it.
 */
static bool take_address(struct wish *wish, enum list list, const char *word, const char *end)
{
    g_autofree char *text = g_strndup(word, (gsize)(end - word));
    bool ipv6 = strchr(text, ':'), first = !wish->text[ADDRESSES];
    struct in6_addr address;

    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, &address) != 1)
        return false;
    if (!first && ipv6 != wish->ipv6)
        return false;
    wish->ipv6 = ipv6;
    append(wish, list, text);
    return true;
}

static bool take_prefix(struct wish *wish, const char *text)
{
    g_autofree char *number = NULL;
    char mask[INET_ADDRSTRLEN];
    guint64 prefix;

    if (!g_ascii_string_to_unsigned(text, 10, 1, wish->ipv6 ? 128 : 32, &prefix, NULL))
        return false;
    if (wish->ipv6) {
        number = g_strdup_printf("%u", (unsigned)prefix);
    } else {
        uint32_t bits = htonl(UINT32_MAX << (32 - prefix));

        number = g_strdup(inet_ntop(AF_INET, &bits, mask, sizeof(mask)));
    }
    append(wish, NETMASKS, number);
    return true;
}

/* From the command line into `wish`: VMBUSCTL_OK, or VMBUSCTL_USAGE after the complaint. */
static int read_words(struct wish *wish, char **word, int count)
{
    enum list list = ADDRESSES;

    if (count == 1 && g_str_has_prefix(*word, "dhcp")) {
        wish->dhcp = true;
        wish->ipv6 = strcmp(*word, "dhcp6") == 0;
        return wish->ipv6 || strcmp(*word, "dhcp") == 0 ? VMBUSCTL_OK
                                                        : usage(*word, "dhcp or dhcp6 is meant");
    }
    for (int i = 0; i < count; i++) {
        const char *slash = strchrnul(word[i], '/');

        if (i && strcmp(word[i], "gateway") == 0)
            list = GATEWAYS;
        else if (i && strcmp(word[i], "dns") == 0)
            list = SERVERS;
        else if ((list == ADDRESSES) != (*slash == '/'))
            return usage(word[i], list == ADDRESSES ? "give an address as ADDRESS/PREFIX"
                                                    : "a prefix belongs to addresses only");
        else if (!take_address(wish, list, word[i], slash))
            return usage(word[i], "not an address, or not of the same family as the first");
        else if (list == ADDRESSES && !take_prefix(wish, slash + 1))
            return usage(word[i], "such a prefix there is not");
    }
    return VMBUSCTL_OK;
}

/* The entry of NIC `number` in the list; NULL if there is none. */
static struct json_object *find_nic(struct json_object *nics, guint64 number)
{
    for (size_t i = 0; nics && i < json_object_array_length(nics); i++) {
        struct json_object *nic = json_object_array_get_idx(nics, i), *is;

        if (json_object_object_get_ex(nic, "nic", &is)
                ? (guint64)json_object_get_int64(is) == number
                : i == number) /* an older worker */
            return nic;
    }
    return NULL;
}

/* The instance GUID of NIC `number`, in braces as guests write it. */
static char *instance_of(struct vm_client *client, const char *number, GError **error)
{
    struct json_object *report =
        vm_client_call(client, "integration", NULL, VMBUSCTL_CALL_S, error);
    struct json_object *nics = NULL, *nic = NULL, *guid = NULL;
    char *instance = NULL;
    guint64 index;

    if (!report)
        return NULL;
    json_object_object_get_ex(report, "nics", &nics);
    if (g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT32, &index, NULL))
        nic = find_nic(nics, index);
    if (!nic)
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "there is no NIC %s: vmbusctl nic list tells which there are", number);
    else if (json_object_object_get_ex(nic, "instance", &guid))
        instance = g_strdup_printf("{%s}", json_object_get_string(guid));
    else
        g_set_error(error, VM_CLIENT_ERROR, VM_CLIENT_ERROR_FAILED,
                    "NIC %s is a legacy adapter, which the guest's services do not know; set its "
                    "addresses in the guest",
                    number);
    json_object_put(report);
    return instance;
}

static struct json_object *make_arguments(const struct wish *wish, const char *adapter)
{
    static const char *const keys[LISTS] = {"address", "netmask", "gateway", "dns"};
    struct json_object *arguments = json_object_new_object();

    json_object_object_add(arguments, "adapter", json_object_new_string(adapter));
    json_object_object_add(arguments, "ipv6", json_object_new_boolean(wish->ipv6));
    json_object_object_add(arguments, "dhcp", json_object_new_boolean(wish->dhcp));
    for (unsigned i = 0; i < LISTS; i++)
        if (wish->text[i])
            json_object_object_add(arguments, keys[i], json_object_new_string(wish->text[i]));
    return arguments;
}

int vmbusctl_set_ip(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    struct wish wish = {0};

    if (options->args <= FIRST_WORD)
        return usage("what is missing", "VM NIC dhcp, or VM NIC ADDRESS/PREFIX");
    int status = read_words(&wish, options->arg + FIRST_WORD, options->args - FIRST_WORD);
    if (status != VMBUSCTL_OK) {
        wish_clear(&wish);
        return status;
    }
    struct vm_client *client = vm_client_open(options->run_dir, options->arg[0], &error);
    g_autofree char *adapter = client ? instance_of(client, options->arg[1], &error) : NULL;
    if (adapter)
        json_object_put(vm_client_call(client, "set-ip", make_arguments(&wish, adapter),
                                       VMBUSCTL_GUEST_S, &error));
    vm_client_free(client);
    wish_clear(&wish);
    return error ? vmbusctl_fail(error) : VMBUSCTL_OK;
}
