/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is put on an adapter in the middle of its takeover, when it loses its last IPv4 address and,
 * with it, every route and neighbour: all of that ends on the host port, whenever it came.
 */
#include "vswitch/adapter_hearing.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netlink/socket.h>

#include "src/common/log.h"
#include "tests/unit/adapter_fixture.h"
#include "tests/unit/netns_fixture.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_item.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_takeover.h"

static char folder[] = "/dev/shm/vmbusd-adapter-XXXXXX";

/* Does what ifup would, at one point of the takeover. */
struct meddler {
    unsigned at, passed;
    const char *script;
};

static bool meddle(void *context)
{
    struct meddler *meddler = context;

    if (meddler->passed++ == meddler->at)
        netns_sh("%s", meddler->script);
    return true;
}

static struct adapter_takeover lan(struct meddler *meddler)
{
    struct adapter_takeover takeover = {.folder = folder,
                                        .root = "/nonexistent",
                                        .vswitch = "lan",
                                        .adapter = "eth0",
                                        .host_port = "vmh0",
                                        .veth = true,
                                        .point = meddle,
                                        .context = meddler};

    return takeover;
}

/* One takeover with `script` at the given point, and what it leads to; false: it has fewer points.
 */
static bool take_meddled(unsigned at, const char *script)
{
    struct meddler meddler = {.at = at, .script = script};
    struct adapter_takeover takeover = lan(&meddler);
    g_autoptr(GError) error = NULL;

    netns_sh("ip addr add 192.0.2.1/24 dev eth0");
    adapter_take(&takeover, NULL, NULL, &error);
    g_assert_no_error(error);
    if (meddler.passed <= at)
        return false;
    adapter_follow(&takeover, &error); /* what came last is told by the kernel */
    g_assert_no_error(error);
    return true;
}

static void check_and_return(unsigned at)
{
    struct meddler none = {.at = UINT32_MAX};
    struct adapter_takeover takeover = lan(&none);
    g_autoptr(GError) error = NULL;
    g_autofree char *found = host_output("ip route show 198.51.100.0/24; ip route show default; "
                                         "ip neigh show nud permanent; ip -o addr show dev eth0");

    if (strcmp(found, "198.51.100.0/24 via 192.0.2.253 dev vmh0 metric 50 onlink \n"
                      "default via 192.0.2.254 dev vmh0 onlink \n"
                      "192.0.2.77 dev vmh0 lladdr 02:00:00:00:00:77 PERMANENT \n") != 0)
        g_error("at point %u: %s", at, found);
    adapter_give_back(&takeover, &error);
    g_assert_no_error(error);
    netns_sh("ip addr flush dev eth0");
}

static void body_everywhere(const char *script)
{
    unsigned at = 0;
    int tap;

    host_build();
    g_assert_nonnull(g_mkdtemp(strcpy(folder, "/dev/shm/vmbusd-adapter-XXXXXX")));
    log_set_level(LOG_LEVEL_WARNING);
    tap = host_tap("vmh0");
    while (take_meddled(at, script))
        check_and_return(at++);
    g_assert_cmpuint(at, >, 20);
    netns_sh("rm -r %s", folder);
    close(tap);
}

/* ifup's last words: the routes and neighbours behind the address. */
static void body_routes(void)
{
    body_everywhere("ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent && "
                    "ip route add 198.51.100.0/24 via 192.0.2.253 dev eth0 onlink metric 50 && "
                    "ip route add default via 192.0.2.254 dev eth0 onlink");
}

/* An address of its own with them, which is moved by following and takes them with it. */
static void body_address(void)
{
    body_everywhere("ip addr add 203.0.113.1/24 dev eth0 && "
                    "ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent && "
                    "ip route add 198.51.100.0/24 via 192.0.2.253 dev eth0 onlink metric 50 && "
                    "ip route add default via 192.0.2.254 dev eth0 onlink");
}

/* --- By itself -------------------------------------------------------------------------------- */

static void assert_taken(struct adapter_hearing *hearing, const char *wanted)
{
    g_autoptr(GPtrArray) gone = adapter_hearing_take(hearing);
    g_autoptr(GString) text = g_string_new("");

    for (unsigned i = 0; i < gone->len; i++) {
        g_autofree char *one = adapter_item_text(gone->pdata[i]);

        g_string_append_printf(text, "%s\n", one);
    }
    g_assert_cmpstr(text->str, ==, wanted);
}

static void body_hearing(void)
{
    g_autoptr(GError) error = NULL;
    struct nl_sock *sock;

    host_build();
    netns_sh("ip link add eth1 type veth peer name peer1 && ip link set eth1 up && "
             "ip addr add 192.0.2.1/24 dev eth0 && ip addr add 203.0.113.1/24 dev eth1");
    sock = adapter_netlink_open(NETLINK_ROUTE, &error);
    g_assert_no_error(error);
    g_autoptr(GArray) links = adapter_list(sock, &error);
    struct adapter_hearing *hearing = adapter_hearing_new(adapter_by_name(links, "eth0"), &error);
    g_assert_no_error(error);
    netns_sh("ip route add 10.1.0.0/16 via 192.0.2.254 && ip route add 10.2.0.0/16 dev eth0 && "
             "ip route add 10.3.0.0/16 dev lo && ip route del 10.2.0.0/16");
    assert_taken(hearing, ""); /* nothing has gone */
    netns_sh("ip addr del 203.0.113.1/24 dev eth1");
    assert_taken(hearing, ""); /* another link's */
    netns_sh("ip addr del 192.0.2.1/24 dev eth0 && ip addr add 192.0.2.1/24 dev eth0 && "
             "ip route add 10.4.0.0/16 via 192.0.2.254");
    assert_taken(hearing, "route 10.1.0.0/16 via 192.0.2.254 table 254\n");
    netns_sh("ip addr del 192.0.2.1/24 dev eth0");
    assert_taken(hearing,
                 "route 192.0.2.0/24 table 254\nroute 10.4.0.0/16 via 192.0.2.254 table 254\n");
    adapter_hearing_free(hearing);
    nl_socket_free(sock);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!host_possible()) {
        g_print("1..0 # SKIP needs root, nft and /dev/net/tun\n");
        return 0;
    }
    netns_test_add("/adapter/hearing/gone", body_hearing);
    netns_test_add("/adapter/hearing/routes-at-every-point", body_routes);
    netns_test_add("/adapter/hearing/address-at-every-point", body_address);
    return g_test_run();
}
