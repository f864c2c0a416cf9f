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

#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/daemon/host_conflict.h"
#include "src/daemon/privileged.h"

#define TABLE "inet vmbusd-"

/* In the run directory, behind a network's name: it has a table; with NAT, or without. */
#define NOTE_NAT   ".nat"
#define NOTE_FENCE ".fence"

/* In the run directory while vmbusd has forwarding switched on that was off. */
static const struct forwarding {
    int family;
    const char *journal;
} forwardings[] = {{AF_INET, "ip_forward-was-off"}, {AF_INET6, "ip6_forward-was-off"}};

/* --- The table -------------------------------------------------------------------------------- */

static void add_subnet(GString *nat, GString *forward, const struct network_config *config,
                       const struct network_ip *ip)
{
    const char *family = ip->address.family == AF_INET ? "ip" : "ip6";
    struct address net = address_first(&ip->address, ip->prefix);
    g_autofree char *out = config->forward_dev
                               ? g_strdup_printf("oifname \"%s\" ", config->forward_dev)
                               : g_strdup("");
    g_autofree char *ports =
        config->nat_ports[0]
            ? g_strdup_printf(" to :%u-%u", config->nat_ports[0], config->nat_ports[1])
            : g_strdup("");
    char text[ADDRESS_TEXT];

    address_format(&net, text);
    for (unsigned i = 0; i < 2 && *ports; i++)
        g_string_append_printf(nat,
                               "    %s%s saddr %s/%u %s daddr != %s/%u meta l4proto %s "
                               "masquerade%s\n",
                               out, family, text, ip->prefix, family, text, ip->prefix,
                               i ? "udp" : "tcp", ports);
    g_string_append_printf(nat, "    %s%s saddr %s/%u %s daddr != %s/%u masquerade\n", out, family,
                           text, ip->prefix, family, text, ip->prefix);
    g_string_append_printf(forward, "    iifname \"%s\" %s%s saddr %s/%u accept\n", config->bridge,
                           out, family, text, ip->prefix);
    g_string_append_printf(forward,
                           "    oifname \"%s\" %s daddr %s/%u ct state established,related "
                           "accept\n",
                           config->bridge, family, text, ip->prefix);
}

char *nat_script(const struct network_config *config)
{
    g_autoptr(GString) nat = g_string_new(NULL), forward = g_string_new(NULL);

    for (unsigned i = 0; i < config->ips && config->kind == NETWORK_NAT; i++)
        if (config->ip[i].address.family == AF_INET || config->nat_ipv6)
            add_subnet(nat, forward, config, &config->ip[i]);
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
                           config->name, config->name, config->name, nat->str, forward->str,
                           config->bridge, config->bridge);
}

/* --- Forwarding ------------------------------------------------------------------------------- */

static bool forwarding_on(const struct forwarding *forwarding, const char *directory,
                          GError **error)
{
    g_autofree char *journal = g_build_filename(directory, forwarding->journal, NULL);
    int now = privileged_forwarding(forwarding->family, error);

    if (now != 0)
        return now > 0;
    if (forwarding->family == AF_INET6 && !host_conflict_forwarding6(error))
        return false;
    return g_file_set_contents(journal, "", 0, error) &&
           privileged_set_forwarding(forwarding->family, true, error);
}

static void forwarding_restore(const char *directory)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(forwardings); i++) {
        g_autofree char *journal = g_build_filename(directory, forwardings[i].journal, NULL);
        g_autoptr(GError) error = NULL;

        if (!g_file_test(journal, G_FILE_TEST_EXISTS))
            continue;
        if (!privileged_set_forwarding(forwardings[i].family, false, &error))
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

    if (!privileged_nft(script, error))
        return false;
    unlink(nat);
    unlink(fence);
    return true;
}

bool nat_start(const struct network_config *config, const char *directory, GError **error)
{
    bool nat = config->kind == NETWORK_NAT;
    g_autofree char *script = nat_script(config);
    g_autofree char *note = note_of(config->name, directory, nat);

    if (g_file_set_contents(note, "", 0, error) && privileged_nft(script, error) &&
        (!nat || forwarding_on(&forwardings[0], directory, error)) &&
        (!config->nat_ipv6 || forwarding_on(&forwardings[1], directory, error)))
        return true;
    nat_stop(config, directory);
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

void nat_stop(const struct network_config *config, const char *directory)
{
    g_autoptr(GError) error = NULL;

    if (!remove_table(config->name, directory, &error))
        log_warning("network %s: %s", config->name, error->message);
    if (!sweep(NULL, directory))
        forwarding_restore(directory);
}

char *nat_obstacle(const struct network_config *config)
{
    g_autofree char *ruleset = config->kind == NETWORK_NAT ? privileged_nft_list() : NULL;

    return ruleset ? host_conflict_firewall(config, ruleset) : NULL;
}
