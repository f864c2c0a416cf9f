/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners: a look at processes and at the state files of two daemons.
 */
#include "vswitch/adapter_owner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vswitch/adapter.h"

/* --- Processes -------------------------------------------------------------------------------- */

static bool same_network(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "ns", "net", NULL);
    char theirs[64] = "", ours[64] = "";

    if (readlink(path, theirs, sizeof(theirs) - 1) < 0)
        return true;
    return readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) < 0 || strcmp(theirs, ours) == 0;
}

/* Is `argument` among the words of the process' command line? A client that names no link at all
 * (dhcpcd) serves every link. */
static bool has_argument(const char *folder, const char *argument, bool or_none)
{
    g_autofree char *path = g_build_filename(folder, "cmdline", NULL);
    g_autofree char *line = NULL;
    size_t length;

    if (!g_file_get_contents(path, &line, &length, NULL))
        return false;
    bool none = true;
    for (const char *word = line; word < line + length; word += strlen(word) + 1) {
        if (strcmp(word, argument) == 0)
            return true;
        if (word != line && *word != '-')
            none = false;
    }
    return or_none && none;
}

/* Process of that name in our network namespace, about that link if `link` is not NULL; 0: none. */
static int find_process(const char *root, const char *comm, const char *link, bool or_none)
{
    g_autofree char *proc = g_build_filename(root, "proc", NULL);
    g_autoptr(GDir) entries = g_dir_open(proc, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *folder = g_build_filename(proc, name, NULL);
        g_autofree char *path = g_build_filename(folder, "comm", NULL);
        g_autofree char *text = NULL;

        if (!g_ascii_isdigit(*name) || !g_file_get_contents(path, &text, NULL, NULL) ||
            strcmp(g_strchomp(text), comm) != 0 || !same_network(folder))
            continue;
        if (!link || has_argument(folder, link, or_none))
            return atoi(name);
    }
    return 0;
}

/* --- Daemons ---------------------------------------------------------------------------------- */

static bool network_manager_has(const char *root, int index)
{
    g_autofree char *path = g_strdup_printf("%s/run/NetworkManager/devices/%d", root, index);
    g_autoptr(GKeyFile) file = g_key_file_new();

    return g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL) &&
           g_key_file_get_boolean(file, "device", "managed", NULL) &&
           find_process(root, "NetworkManager", NULL, false);
}

static bool networkd_has(const char *root, int index)
{
    g_autofree char *path = g_strdup_printf("%s/run/systemd/netif/links/%d", root, index);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *state = strstr(text, "ADMIN_STATE=");
    return state && !g_str_has_prefix(state, "ADMIN_STATE=unmanaged") &&
           !g_str_has_prefix(state, "ADMIN_STATE=linger") &&
           find_process(root, "systemd-network", NULL, false); /* 15 bytes of the name */
}

enum adapter_owner adapter_owner_find(const char *root, int index, const char *name,
                                      int *ret_process)
{
    static const struct {
        const char *comm;
        enum adapter_owner owner;
        bool or_none;
    } clients[] = {{"dhclient", ADAPTER_OWNER_DHCLIENT, false},
                   {"dhcpcd", ADAPTER_OWNER_DHCPCD, true},
                   {"udhcpc", ADAPTER_OWNER_UDHCPC, false}};

    *ret_process = 0;
    if (network_manager_has(root, index))
        return ADAPTER_OWNER_NETWORK_MANAGER;
    if (networkd_has(root, index))
        return ADAPTER_OWNER_NETWORKD;
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++) {
        *ret_process = find_process(root, clients[i].comm, name, clients[i].or_none);
        if (*ret_process)
            return clients[i].owner;
    }
    return ADAPTER_OWNER_NONE;
}

/* --- The answer ------------------------------------------------------------------------------- */

/* How a process was called; NULL-terminated, empty if it has gone. */
static char **words_of(const char *root, int process)
{
    g_autofree char *path = g_strdup_printf("%s/proc/%d/cmdline", root, process);
    g_autofree char *line = NULL;
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    size_t length = 0;

    g_file_get_contents(path, &line, &length, NULL);
    for (const char *word = line; word && word < line + length; word += strlen(word) + 1)
        g_strv_builder_add(words, word);
    return g_strv_builder_end(words);
}

/* dhclient looks for the one to end in a pid file: that of its -pf argument, or the usual one. */
static char *end_dhclient(const char *const *words, const char *name)
{
    for (; *words; words++)
        if (strcmp(*words, "-pf") == 0 && words[1])
            return g_strdup_printf("dhclient -x -pf %s %s", words[1], name);
    return g_strdup_printf("dhclient -x -pf /run/dhclient.%s.pid %s", name, name);
}

/* dhcpcd only finds another of the same families. */
static char *end_dhcpcd(const char *const *words, const char *name)
{
    const char *family = g_strv_contains(words, "-4")   ? " -4"
                         : g_strv_contains(words, "-6") ? " -6"
                                                        : "";

    return g_strdup_printf("dhcpcd%s --exit %s", family, name);
}

/* What makes the owner let go. */
static char *command_for(enum adapter_owner owner, const char *root, int process, const char *name)
{
    g_auto(GStrv) words = words_of(root, process);

    switch (owner) {
    case ADAPTER_OWNER_NETWORK_MANAGER:
        return g_strdup_printf("nmcli device set %s managed no", name);
    case ADAPTER_OWNER_NETWORKD:
        return g_strdup_printf("printf '[Match]\\nName=%s\\n[Link]\\nUnmanaged=yes\\n' "
                               "> /etc/systemd/network/00-%s.network && networkctl reload",
                               name, name);
    case ADAPTER_OWNER_DHCLIENT:
        return end_dhclient((const char *const *)words, name);
    case ADAPTER_OWNER_DHCPCD:
        return end_dhcpcd((const char *const *)words, name);
    default:
        return g_strdup_printf("kill %d", process);
    }
}

bool adapter_owner_agrees(const char *root, int index, const char *name, GError **error)
{
    static const char *const who[ADAPTER_OWNERS] = {
        [ADAPTER_OWNER_NETWORK_MANAGER] = "NetworkManager",
        [ADAPTER_OWNER_NETWORKD] = "systemd-networkd",
        [ADAPTER_OWNER_DHCLIENT] = "dhclient",
        [ADAPTER_OWNER_DHCPCD] = "dhcpcd",
        [ADAPTER_OWNER_UDHCPC] = "udhcpc",
    };
    int process;
    enum adapter_owner owner = adapter_owner_find(root, index, name, &process);

    if (owner == ADAPTER_OWNER_NONE)
        return true;
    g_autofree char *command = command_for(owner, root, process, name);
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_OWNED,
                "%s configures %s and would take it back; make it let go with: %s (then let it "
                "configure the switch's host port instead)",
                who[owner], name, command);
    return false;
}
