/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT for a network: see nat.h.
 *
 * The table has a name by which a restarted vmbusd knows it again, and is replaced in one
 * transaction. It translates what leaves the network and lets only answers in. It cannot overrule
 * other tables: where firewalld or Docker drop forwarded packets, they must be told to let the
 * interface through (vmbusd-network(5) says how).
 *
 * Left out: IPv6 (forwarding it would end the host's own autoconfiguration), port forwarding.
 */
#include "src/daemon/nat.h"

#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/daemon/privileged.h"

#define TABLE "vmbusd-"

/* In the run directory, behind a network's name: it has a table. */
#define NOTE ".nat"

/* In the run directory while vmbusd has forwarding switched on that was off. */
#define JOURNAL "ip_forward-was-off"

static void add_subnet(GString *nat, GString *forward, const struct network_config *config,
                       const struct network_ip *ip)
{
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
                               "    %sip saddr %s/%u ip daddr != %s/%u meta l4proto %s "
                               "masquerade%s\n",
                               out, text, ip->prefix, text, ip->prefix, i ? "udp" : "tcp", ports);
    g_string_append_printf(nat, "    %sip saddr %s/%u ip daddr != %s/%u masquerade\n", out, text,
                           ip->prefix, text, ip->prefix);
    g_string_append_printf(forward, "    iifname \"%s\" %sip saddr %s/%u accept\n", config->bridge,
                           out, text, ip->prefix);
    g_string_append_printf(forward,
                           "    oifname \"%s\" ip daddr %s/%u ct state established,related "
                           "accept\n",
                           config->bridge, text, ip->prefix);
}

char *nat_script(const struct network_config *config)
{
    g_autoptr(GString) nat = g_string_new(NULL), forward = g_string_new(NULL);

    for (unsigned i = 0; i < config->ips; i++)
        if (config->ip[i].address.family == AF_INET)
            add_subnet(nat, forward, config, &config->ip[i]);
    return g_strdup_printf("table ip " TABLE "%s\n"
                           "delete table ip " TABLE "%s\n"
                           "table ip " TABLE "%s {\n"
                           "  chain postrouting {\n"
                           "    type nat hook postrouting priority 100;\n"
                           "    ip daddr { 224.0.0.0/24, 255.255.255.255 } return\n"
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

static bool forwarding_on(const char *directory, GError **error)
{
    g_autofree char *journal = g_build_filename(directory, JOURNAL, NULL);
    int now = privileged_forwarding(error);

    if (now != 0)
        return now > 0;
    return g_file_set_contents(journal, "", 0, error) && privileged_set_forwarding(true, error);
}

static void forwarding_restore(const char *directory)
{
    g_autofree char *journal = g_build_filename(directory, JOURNAL, NULL);
    g_autoptr(GError) error = NULL;

    if (!g_file_test(journal, G_FILE_TEST_EXISTS))
        return;
    if (!privileged_set_forwarding(false, &error))
        log_warning("forwarding stays on: %s", error->message);
    unlink(journal);
}

/* --- Life ------------------------------------------------------------------------------------- */

/* Notes that the network has a table, so that it is removed in a later life if not in this one. */
static char *note_of(const char *name, const char *directory)
{
    return g_strdup_printf("%s/%s" NOTE, directory, name);
}

static bool remove_table(const char *name, const char *directory, GError **error)
{
    g_autofree char *note = note_of(name, directory);
    g_autofree char *script =
        g_strdup_printf("table ip " TABLE "%s\ndelete table ip " TABLE "%s\n", name, name);

    if (!privileged_nft(script, error))
        return false;
    unlink(note);
    return true;
}

bool nat_start(const struct network_config *config, const char *directory, GError **error)
{
    g_autofree char *script = nat_script(config);
    g_autofree char *note = note_of(config->name, directory);

    if (g_file_set_contents(note, "", 0, error) && privileged_nft(script, error) &&
        forwarding_on(directory, error))
        return true;
    remove_table(config->name, directory, NULL);
    return false;
}

/* Remove the tables that are noted for networks other than those of `names`; how many stay. */
static unsigned sweep(const char *const *names, const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *file;
    unsigned stay = 0;

    while (dir && (file = g_dir_read_name(dir))) {
        g_autofree char *name = g_strndup(file, strlen(file) - MIN(strlen(file), strlen(NOTE)));
        g_autoptr(GError) error = NULL;

        if (!g_str_has_suffix(file, NOTE))
            continue;
        if (g_strv_contains(names, name)) {
            stay++;
            continue;
        }
        log_info("removing the NAT table of network %s, which a former vmbusd left behind", name);
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

static bool any_left(const char *directory)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    const char *file;
    bool any = false;

    while (dir && (file = g_dir_read_name(dir)))
        any |= g_str_has_suffix(file, NOTE);
    if (dir)
        g_dir_close(dir);
    return any;
}

void nat_stop(const struct network_config *config, const char *directory)
{
    g_autoptr(GError) error = NULL;

    if (!remove_table(config->name, directory, &error))
        log_warning("network %s: %s", config->name, error->message);
    if (!any_left(directory))
        forwarding_restore(directory);
}
