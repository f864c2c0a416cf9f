/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root file system's server: from the mount table, or from the iSCSI initiator.
 */
#include "vswitch/adapter_root.h"

#include <arpa/inet.h>
#include <string.h>

#include <glib.h>

#include "vswitch/adapter_netlink.h"

static const char *const network_types[] = {"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", NULL};

/* "addr=192.0.2.1" of comma-separated options, or what stands before the path in the source
 * ("192.0.2.1:/export", "[2001:db8::1]:/export", "//192.0.2.1/share"). */
static bool server_of(const char *source, const char *options, char *ret_address, unsigned size)
{
    g_auto(GStrv) option = g_strsplit(options, ",", -1);

    for (unsigned i = 0; option[i]; i++)
        if (g_str_has_prefix(option[i], "addr=")) {
            g_strlcpy(ret_address, option[i] + strlen("addr="), size);
            return true;
        }
    bool bracketed = source[0] == '[';
    g_strlcpy(ret_address, source + strspn(source, "/["), size);
    ret_address[strcspn(ret_address, bracketed ? "]" : ":/,")] = '\0';
    return ret_address[0] != '\0';
}

bool adapter_root_server(const char *mountinfo, char *ret_address, unsigned size)
{
    g_auto(GStrv) line = g_strsplit(mountinfo, "\n", -1);
    bool found = false;

    /* The last mount on "/" is the one that is seen. */
    for (unsigned i = 0; line[i]; i++) {
        g_auto(GStrv) side = g_strsplit(line[i], " - ", 2);
        g_auto(GStrv) left = g_strsplit(side[0] ? side[0] : "", " ", -1);

        if (g_strv_length(side) != 2 || g_strv_length(left) < 5 || strcmp(left[4], "/") != 0)
            continue;
        g_auto(GStrv) right = g_strsplit(side[1], " ", 3);
        found = g_strv_length(right) == 3 && g_strv_contains(network_types, right[0]) &&
                server_of(right[1], right[2], ret_address, size);
    }
    return found;
}

/* Portal of the first iSCSI session. */
static bool iscsi_portal(char *ret_address, unsigned size)
{
    const char *folder = "/sys/class/iscsi_connection";
    g_autoptr(GDir) connections = g_dir_open(folder, 0, NULL);
    const char *name = connections ? g_dir_read_name(connections) : NULL;
    g_autofree char *text = NULL;

    if (!name)
        return false;
    g_autofree char *path = g_build_filename(folder, name, "persistent_address", NULL);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_strlcpy(ret_address, g_strchomp(text), size);
    return true;
}

int adapter_root_link(struct nl_sock *sock)
{
    g_autofree char *mountinfo = NULL;
    char text[64];
    uint8_t address[16];

    if (!(g_file_get_contents("/proc/1/mountinfo", &mountinfo, NULL, NULL) &&
          adapter_root_server(mountinfo, text, sizeof(text))) &&
        !iscsi_portal(text, sizeof(text)))
        return 0;
    if (inet_pton(AF_INET, text, address) == 1)
        return adapter_netlink_way_to(sock, AF_INET, address);
    if (inet_pton(AF_INET6, text, address) == 1)
        return adapter_netlink_way_to(sock, AF_INET6, address);
    return 0;
}
