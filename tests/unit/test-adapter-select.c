/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which adapter is bound, what is fit to be one, who owns it, where the root comes from: the pure
 * parts of the adapter manager.
 */
#include "vswitch/adapter_select.h"

#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <string.h>

#include <glib/gstdio.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "vswitch/adapter_owner.h"
#include "vswitch/adapter_root.h"
#include "vswitch/adapter_wireless.h"

/* A card of that index: "eth1", MAC 02:00:00:00:00:01, up, with no cable. */
static struct adapter *add(GArray *list, int index)
{
    struct adapter adapter = {.index = index, .mtu = 1500, .up = true};

    g_snprintf(adapter.name, sizeof(adapter.name), "eth%d", index);
    adapter.mac[0] = adapter.permanent_mac[0] = 2;
    adapter.mac[5] = adapter.permanent_mac[5] = (uint8_t)index;
    g_array_append_val(list, adapter);
    return &g_array_index(list, struct adapter, list->len - 1);
}

static GArray *cards(int count)
{
    GArray *list = g_array_sized_new(FALSE, TRUE, sizeof(struct adapter), 16);

    for (int i = 1; i <= count; i++)
        add(list, i);
    return list;
}

static struct adapter *card(GArray *list, int index)
{
    return &g_array_index(list, struct adapter, index - 1);
}

/* Index of what is selected; 0: wait. */
static int selected(const GArray *list, const struct adapter_wish *wish)
{
    const struct adapter *adapter = adapter_select(list, wish);

    return adapter ? adapter->index : 0;
}

static void test_named(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {.kind = ADAPTER_NAMED, .name = "eth2"};

    card(list, 1)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 2);
    strcpy(wish.name, "eth3");
    g_assert_cmpint(selected(list, &wish), ==, 0);
}

static void test_mac(void)
{
    g_autoptr(GArray) list = cards(3);
    struct adapter_wish wish = {.kind = ADAPTER_BY_MAC, .mac = {2, 0, 0, 0, 0, 2}};

    g_assert_cmpint(selected(list, &wish), ==, 2);
    /* A card that borrows another's MAC is not the one; a host port that wears it is no card. */
    memcpy(card(list, 1)->mac, wish.mac, 6);
    g_assert_cmpint(selected(list, &wish), ==, 2);
    card(list, 2)->kind = ADAPTER_TUN;
    memset(card(list, 1)->mac, 1, 6);
    memcpy(card(list, 3)->mac, wish.mac, 6);
    g_assert_cmpint(selected(list, &wish), ==, 3);
}

static void test_automatic_cabled(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {0};

    card(list, 2)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 2);
}

static void test_automatic_waits(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {0};

    g_assert_cmpint(selected(list, &wish), ==, 0);
    card(list, 1)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 1);
}

static void test_automatic_stays(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {.present = 2};

    card(list, 1)->carrier = card(list, 2)->carrier = true;
    card(list, 1)->default_route = true;
    card(list, 1)->speed = 10000;
    g_assert_cmpint(selected(list, &wish), ==, 2);
}

static void test_automatic_follows(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {.present = 1};

    g_assert_cmpint(selected(list, &wish), ==, 1); /* the cable is out: stay and wait */
    card(list, 2)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 2); /* it is in the other one */
}

static void test_automatic_gone(void)
{
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {.present = 7};

    g_assert_cmpint(selected(list, &wish), ==, 0);
    card(list, 2)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 2);
}

static void test_automatic_several(void)
{
    g_autoptr(GArray) list = cards(3);
    struct adapter_wish wish = {0};

    for (int i = 1; i <= 3; i++)
        card(list, i)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 1);
    card(list, 3)->speed = 1000;
    g_assert_cmpint(selected(list, &wish), ==, 3);
    card(list, 2)->default_route = true;
    g_assert_cmpint(selected(list, &wish), ==, 2);
}

static void test_automatic_busy(void)
{
    static const int busy[] = {1};
    g_autoptr(GArray) list = cards(2);
    struct adapter_wish wish = {.busy = busy, .busy_count = 1};

    card(list, 1)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 0);
    card(list, 2)->carrier = true;
    g_assert_cmpint(selected(list, &wish), ==, 2);
}

static void test_automatic_unfit(void)
{
    g_autoptr(GArray) list = cards(8);
    struct adapter_wish wish = {0};

    for (int i = 1; i <= 8; i++)
        card(list, i)->carrier = true;
    card(list, 1)->kind = ADAPTER_BRIDGE;
    card(list, 2)->master = 1;
    card(list, 3)->kind = ADAPTER_WIRELESS;
    card(list, 4)->root = true;
    card(list, 5)->kind = ADAPTER_VETH;
    card(list, 6)->kind = ADAPTER_VLAN;
    card(list, 6)->lower = 7;
    g_assert_cmpint(selected(list, &wish), ==, 8);
    card(list, 8)->carrier = false;
    g_assert_cmpint(selected(list, &wish), ==, 0);
    wish.veth = true;
    g_assert_cmpint(selected(list, &wish), ==, 5);
    card(list, 3)->four_address = true;
    g_assert_cmpint(selected(list, &wish), ==, 3);
}

/* --- Reasons ---------------------------------------------------------------------------------- */

static void assert_unfit(const GArray *list, int index, enum adapter_error code, const char *text)
{
    g_autoptr(GError) error = NULL;
    const struct adapter *adapter = adapter_by_index(list, index);

    g_assert_false(adapter_fit(adapter, list, false, false, &error));
    g_assert_error(error, ADAPTER_ERROR, (int)code);
    g_assert_cmpstr(error->message, ==, text);
}

static void test_unfit(void)
{
    g_autoptr(GArray) list = cards(6);

    card(list, 1)->master = 6;
    strcpy(card(list, 1)->master_name, "br0");
    card(list, 2)->kind = ADAPTER_WIRELESS;
    card(list, 3)->root = true;
    card(list, 4)->kind = ADAPTER_VLAN;
    card(list, 4)->lower = 5;
    assert_unfit(list, 1, ADAPTER_ERROR_UNFIT,
                 "eth1 is enslaved to br0; release it with: ip link set eth1 nomaster");
    assert_unfit(
        list, 2, ADAPTER_ERROR_UNFIT,
        "eth2 is wireless without 4-address mode: the access point takes frames from its own "
        "MAC only; use a nat network");
    assert_unfit(list, 3, ADAPTER_ERROR_ROOT,
                 "the root file system comes over eth3; while vmbusd is away it would hang");
    assert_unfit(list, 4, ADAPTER_ERROR_UNFIT,
                 "eth4 is a VLAN; an external switch needs a network card");
    assert_unfit(
        list, 5, ADAPTER_ERROR_UNFIT,
        "eth4 stands on eth5 and would lose its frames; delete it with: ip link delete eth4");
    g_assert_true(adapter_fit(adapter_by_index(list, 6), list, false, false, NULL));
    for (int i = 1; i <= 3; i++)
        g_assert_true(adapter_fit(adapter_by_index(list, i), list, false, true, NULL));
    g_assert_false(adapter_fit(adapter_by_index(list, 4), list, false, true, NULL));
}

static void test_wireless(void)
{
    g_autoptr(GArray) list = cards(2);
    struct genlmsghdr header = {.cmd = NL80211_CMD_NEW_INTERFACE};
    struct nl_msg *message = nlmsg_alloc_simple(0x20, 0);

    nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
    nla_put_u32(message, NL80211_ATTR_IFINDEX, 2);
    nla_put_u32(message, NL80211_ATTR_IFTYPE, NL80211_IFTYPE_STATION);
    adapter_wireless_apply(list, nlmsg_hdr(message));
    g_assert_cmpint(card(list, 1)->kind, ==, ADAPTER_PHYSICAL);
    g_assert_cmpint(card(list, 2)->kind, ==, ADAPTER_WIRELESS);
    g_assert_false(card(list, 2)->four_address);
    nla_put_u8(message, NL80211_ATTR_4ADDR, 1);
    adapter_wireless_apply(list, nlmsg_hdr(message));
    g_assert_true(card(list, 2)->four_address);
    nlmsg_free(message);
}

static void test_root(void)
{
    static const struct {
        const char *line, *server;
    } mounts[] = {
        {"22 1 0:20 / / rw shared:1 - nfs4 192.0.2.1:/root rw,vers=4.2,addr=192.0.2.9\n",
         "192.0.2.9"},
        {"22 1 0:20 / / rw - nfs 192.0.2.1:/root rw,nolock\n", "192.0.2.1"},
        {"22 1 0:20 / / rw - nfs [2001:db8::1]:/root rw,nolock\n", "2001:db8::1"},
        {"22 1 0:20 / / rw - cifs //192.0.2.3/root rw\n", "192.0.2.3"},
        {"22 1 0:20 / / rw - nfs 192.0.2.1:/root rw\n23 1 8:1 / / rw - ext4 /dev/sda1 rw\n", NULL},
        {"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:20 / /home rw - nfs 192.0.2.1:/h rw\n",
         NULL},
        {"rubbish\n22 1 0:20 / / - nfs\n", NULL},
        {"", NULL},
    };
    char address[64];

    for (unsigned i = 0; i < G_N_ELEMENTS(mounts); i++) {
        bool remote = adapter_root_server(mounts[i].line, address, sizeof(address));

        g_assert_cmpint(remote, ==, mounts[i].server != NULL);
        if (remote)
            g_assert_cmpstr(address, ==, mounts[i].server);
    }
}

/* --- Owners ----------------------------------------------------------------------------------- */

static void put(const char *root, const char *path, const char *bytes, gssize length)
{
    g_autofree char *file = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, bytes, length, NULL));
}

static void assert_owned(const char *root, const char *command)
{
    g_autoptr(GError) error = NULL;
    bool agrees = adapter_owner_agrees(root, 3, "eth3", &error);

    g_assert_cmpint(agrees, ==, command == NULL);
    if (!command)
        return;
    g_assert_error(error, ADAPTER_ERROR, ADAPTER_ERROR_OWNED);
    g_assert_nonnull(strstr(error->message, command));
}

static char *root_new(void)
{
    char *root = g_dir_make_tmp("vmbusd-owner-XXXXXX", NULL);

    g_assert_nonnull(root);
    put(root, "proc/1/comm", "systemd\n", -1);
    return root;
}

static void root_remove(char *root)
{
    const char *argv[] = {"rm", "-r", root, NULL};

    g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                 NULL, NULL);
    g_free(root);
}

static void test_owner_daemons(void)
{
    char *root = root_new();

    assert_owned(root, NULL);
    put(root, "run/NetworkManager/devices/3", "[device]\nmanaged=true\n", -1);
    assert_owned(root, NULL); /* left by one that no longer runs */
    put(root, "proc/400/comm", "NetworkManager\n", -1);
    assert_owned(root, "with: nmcli device set eth3 managed no (");
    put(root, "run/NetworkManager/devices/3", "[device]\nmanaged=false\n", -1);
    assert_owned(root, NULL);
    put(root, "run/systemd/netif/links/3", "# private\nADMIN_STATE=configured\n", -1);
    put(root, "proc/401/comm", "systemd-network\n", -1);
    assert_owned(root, "> /etc/systemd/network/00-eth3.network && networkctl reload (");
    put(root, "run/systemd/netif/links/3", "# private\nADMIN_STATE=unmanaged\n", -1);
    assert_owned(root, NULL);
    root_remove(root);
}

static void test_owner_clients(void)
{
    static const char other[] = "dhclient\0-pf\0/run/dhclient.eth4.pid\0eth4";
    static const char ours[] = "dhclient\0-4\0-pf\0/run/dhclient.eth3.pid\0eth3";
    static const char every[] = "dhcpcd\0-q";
    static const char one[] = "dhcpcd\0-4\0eth3";
    char *root = root_new();

    put(root, "proc/500/comm", "dhclient\n", -1);
    put(root, "proc/500/cmdline", other, sizeof(other));
    assert_owned(root, NULL);
    put(root, "proc/501/comm", "dhclient\n", -1);
    put(root, "proc/501/cmdline", ours, sizeof(ours));
    assert_owned(root, "with: dhclient -x -pf /run/dhclient.eth3.pid eth3 (");
    put(root, "proc/501/comm", "udhcpc\n", -1);
    assert_owned(root, "with: kill 501 (");
    put(root, "proc/501/comm", "dhcpcd\n", -1);
    put(root, "proc/501/cmdline", every, sizeof(every));
    assert_owned(root, "with: dhcpcd --exit eth3 (");
    put(root, "proc/501/cmdline", one, sizeof(one));
    assert_owned(root, "with: dhcpcd -4 --exit eth3 (");
    root_remove(root);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/adapter/select/named", test_named);
    g_test_add_func("/adapter/select/mac", test_mac);
    g_test_add_func("/adapter/select/automatic/cabled", test_automatic_cabled);
    g_test_add_func("/adapter/select/automatic/waits", test_automatic_waits);
    g_test_add_func("/adapter/select/automatic/stays", test_automatic_stays);
    g_test_add_func("/adapter/select/automatic/follows", test_automatic_follows);
    g_test_add_func("/adapter/select/automatic/gone", test_automatic_gone);
    g_test_add_func("/adapter/select/automatic/several", test_automatic_several);
    g_test_add_func("/adapter/select/automatic/busy", test_automatic_busy);
    g_test_add_func("/adapter/select/automatic/unfit", test_automatic_unfit);
    g_test_add_func("/adapter/fit/reasons", test_unfit);
    g_test_add_func("/adapter/fit/wireless", test_wireless);
    g_test_add_func("/adapter/fit/root", test_root);
    g_test_add_func("/adapter/owner/daemons", test_owner_daemons);
    g_test_add_func("/adapter/owner/clients", test_owner_clients);
    return g_test_run();
}
