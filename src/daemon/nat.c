/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network's packet filter: see nat.h.
 *
 * The table has a name by which a restarted vmbusd knows it again, and is replaced in one
 * transaction. It translates what leaves the network and lets only answers in; of an internal
 * network, whose guests the host would route if it forwards for others, it lets nothing through. It
 * cannot overrule other tables: where firewalld or Docker drop forwarded packets, they must be told
 * to let the interface through (host_conflict.h notices, vmbusd-network(5) says how).
 *
 * Left out: port forwarding.
 */
#include "src/daemon/nat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/daemon/host_conflict.h"

#define TABLE "inet vmbusd-"

/* In the run directory, behind a network's name: it has a table; with NAT, or without. */
#define NOTE_NAT   ".nat"
#define NOTE_FENCE ".fence"

/* In the run directory while vmbusd has forwarding switched on that was off. */
static const struct forwarding {
    const char *file, *journal;
} forwardings[] = {{"/proc/sys/net/ipv4/ip_forward", "ip_forward-was-off"},
                   {"/proc/sys/net/ipv6/conf/all/forwarding", "ip6_forward-was-off"}};

/* --- The table -------------------------------------------------------------------------------- */

struct request_nat nat_request(const struct network_config *config)
{
    struct request_nat nat = {.translate = config->kind == NETWORK_NAT,
                              .ipv6 = config->nat_ipv6,
                              .ports = {config->nat_ports[0], config->nat_ports[1]}};

    g_strlcpy(nat.network, config->name, sizeof(nat.network));
    g_strlcpy(nat.bridge, config->bridge, sizeof(nat.bridge));
    g_strlcpy(nat.out, config->forward_dev ? config->forward_dev : "", sizeof(nat.out));
    for (unsigned i = 0; i < config->ips && nat.translate; i++)
        if (config->ip[i].address.family == AF_INET || nat.ipv6)
            nat.subnet[nat.subnets++] = (struct request_subnet){.address = config->ip[i].address,
                                                                .prefix = config->ip[i].prefix};
    return nat;
}

static void add_subnet(GString *post, GString *forward, const struct request_nat *nat,
                       const struct request_subnet *subnet)
{
    const char *family = subnet->address.family == AF_INET ? "ip" : "ip6";
    struct address net = address_first(&subnet->address, subnet->prefix);
    g_autofree char *out =
        nat->out[0] ? g_strdup_printf("oifname \"%s\" ", nat->out) : g_strdup("");
    g_autofree char *ports =
        nat->ports[0] ? g_strdup_printf(" to :%u-%u", nat->ports[0], nat->ports[1]) : g_strdup("");
    char address[ADDRESS_TEXT];

    address_format(&net, address);
    g_autofree char *text = g_strdup_printf("%s/%u", address, subnet->prefix);
    for (unsigned i = 0; i < 2 && *ports; i++)
        g_string_append_printf(post,
                               "    %s%s saddr %s %s daddr != %s meta l4proto %s masquerade%s\n",
                               out, family, text, family, text, i ? "udp" : "tcp", ports);
    g_string_append_printf(post, "    %s%s saddr %s %s daddr != %s masquerade\n", out, family, text,
                           family, text);
    g_string_append_printf(forward, "    iifname \"%s\" %s%s saddr %s accept\n", nat->bridge, out,
                           family, text);
    g_string_append_printf(forward,
                           "    oifname \"%s\" %s daddr %s ct state established,related accept\n",
                           nat->bridge, family, text);
}

char *nat_script(const struct request_nat *nat)
{
    g_autoptr(GString) post = g_string_new(NULL), forward = g_string_new(NULL);

    for (uint32_t i = 0; i < nat->subnets; i++)
        add_subnet(post, forward, nat, &nat->subnet[i]);
    return g_strdup_printf("table " TABLE "%s\n"
                           "delete table " TABLE "%s\n"
                           "table " TABLE "%s {\n"
                           "  chain postrouting {\n"
                           "    type nat hook postrouting priority 100;\n"
                           "    ip daddr { 224.0.0.0/24, 255.255.255.255 } return\n"
                           "    ip6 daddr ff00::/8 return\n"
                           "%s"
                           "  }\n"
                           "  chain forward {\n"
                           "    type filter hook forward priority 0;\n"
                           "%s"
                           "    iifname \"%s\" reject\n"
                           "    oifname \"%s\" reject\n"
                           "  }\n"
                           "}\n",
                           nat->network, nat->network, nat->network, post->str, forward->str,
                           nat->bridge, nat->bridge);
}

/* Have nft carry out a script, which it does wholly or not at all. */
static bool nft(const char *script, GError **error)
{
    const char *const argv[] = {"nft", script, NULL};
    g_autofree char *complaint = NULL;
    int status;

    if (!g_spawn_sync("/", (char **)(uintptr_t)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                      &complaint, &status, error)) {
        g_prefix_error(error, "nft (package nftables): ");
        return false;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return true;
    g_strdelimit(g_strchomp(complaint), "\n", ' ');
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "nft: %s", complaint);
    return false;
}

/* --- Forwarding ------------------------------------------------------------------------------- */

static bool forwarding_set(const struct forwarding *forwarding, bool on, GError **error)
{
    int fd = open(forwarding->file, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, on ? "1\n" : "0\n", 2) == 2;
    int cause = errno;

    if (fd >= 0)
        close(fd);
    if (!good)
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(cause), "%s: %s",
                    forwarding->file, g_strerror(cause));
    return good;
}

static bool forwarding_on(const struct forwarding *forwarding, const char *directory,
                          GError **error)
{
    g_autofree char *journal = g_build_filename(directory, forwarding->journal, NULL), *now = NULL;

    if (!g_file_get_contents(forwarding->file, &now, NULL, error))
        return false;
    if (atoi(now) != 0)
        return true;
    if (forwarding == &forwardings[1] && !host_conflict_forwarding6(error))
        return false;
    return g_file_set_contents(journal, "", 0, error) && forwarding_set(forwarding, true, error);
}

static void forwarding_restore(const char *directory)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(forwardings); i++) {
        g_autofree char *journal = g_build_filename(directory, forwardings[i].journal, NULL);
        g_autoptr(GError) error = NULL;

        if (!g_file_test(journal, G_FILE_TEST_EXISTS))
            continue;
        if (!forwarding_set(&forwardings[i], false, &error))
            log_warning("forwarding stays on: %s", error->message);
        unlink(journal);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

/* Notes that the network has a table, so that it is removed in a later life if not in this one. */
static char *note_of(const char *name, const char *directory, bool nat)
{
    return g_strdup_printf("%s/%s%s", directory, name, nat ? NOTE_NAT : NOTE_FENCE);
}

static bool remove_table(const char *name, const char *directory, GError **error)
{
    g_autofree char *nat = note_of(name, directory, true), *fence = note_of(name, directory, false);
    g_autofree char *script =
        g_strdup_printf("table " TABLE "%s\ndelete table " TABLE "%s\n", name, name);

    if (!nft(script, error))
        return false;
    unlink(nat);
    unlink(fence);
    return true;
}

bool nat_start(const struct request_nat *nat, const char *directory, GError **error)
{
    g_autofree char *script = nat_script(nat);
    g_autofree char *note = note_of(nat->network, directory, nat->translate);

    if (g_file_set_contents(note, "", 0, error) && nft(script, error) &&
        (!nat->translate || forwarding_on(&forwardings[0], directory, error)) &&
        (!nat->ipv6 || forwarding_on(&forwardings[1], directory, error)))
        return true;
    nat_stop(nat->network, directory);
    return false;
}

/* The name of the network that a file notes, or NULL. g_free() it. */
static char *noted(const char *file, bool *ret_nat)
{
    const char *suffix = (*ret_nat = g_str_has_suffix(file, NOTE_NAT)) ? NOTE_NAT : NOTE_FENCE;

    return g_str_has_suffix(file, suffix) ? g_strndup(file, strlen(file) - strlen(suffix)) : NULL;
}

/* Remove the tables that are noted for networks other than those of `names` (NULL: remove none);
 * how many with NAT stay. */
static unsigned sweep(const char *const *names, const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *file;
    unsigned stay = 0;
    bool nat;

    while (dir && (file = g_dir_read_name(dir))) {
        g_autofree char *name = noted(file, &nat);
        g_autoptr(GError) error = NULL;

        if (!name)
            continue;
        if (!names || g_strv_contains(names, name)) {
            stay += nat;
            continue;
        }
        log_info("removing the packet filter of network %s, which a former vmbusd left behind",
                 name);
        if (!remove_table(name, directory, &error))
            log_warning("%s", error->message);
    }
    if (dir)
        g_dir_close(dir);
    return stay;
}

void nat_sweep(const char *const *names, const char *directory)
{
    if (!sweep(names, directory))
        forwarding_restore(directory);
}

void nat_stop(const char *network, const char *directory)
{
    g_autoptr(GError) error = NULL;

    if (!remove_table(network, directory, &error))
        log_warning("network %s: %s", network, error->message);
    if (!sweep(NULL, directory))
        forwarding_restore(directory);
}
