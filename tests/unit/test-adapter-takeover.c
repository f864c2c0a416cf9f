/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takeover and return of an adapter, in network namespaces: whatever happens, the host gets back
 * what it had. Each test compares what iproute2 shows before and after.
 */
#include "vswitch/adapter_takeover.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/common/log.h"
#include "tests/unit/adapter_fixture.h"
#include "tests/unit/netns_fixture.h"
#include "vswitch/adapter.h"

static char folder[] = "/dev/shm/vmbusd-adapter-XXXXXX";

/* Addresses of every sort, routes that stand on each other, a rule, neighbours, and a route that
 * cannot be moved. */
static void host_configure(void)
{
    static const char script[] =
        "ip link add eth1 type veth peer name peer1 && ip link set eth1 up && ip link set peer1 up\n"
        "ip addr add 10.99.0.1/24 dev eth1\n"
        "ip addr add 192.0.2.1/24 brd + dev eth0\n"
        "ip addr add 192.0.2.2/24 dev eth0\n"
        "ip addr add 198.51.100.1/24 dev eth0 label eth0:1 valid_lft 3600 preferred_lft 1800\n"
        "ip addr add 203.0.113.5 peer 203.0.113.6 dev eth0 scope link\n"
        "ip addr add 10.9.0.1/16 dev eth0 noprefixroute\n"
        "ip addr add 10.10.0.1/16 dev eth0 metric 77\n"
        "ip route del 198.51.100.0/24 dev eth0\n"
        "ip addr add 2001:db8::1/64 dev eth0\n"
        "ip addr add 2001:db8::2/64 dev eth0 preferred_lft 0 valid_lft 3000\n"
        "ip addr add 2001:db8:1::1/64 dev eth0 valid_lft 3600 preferred_lft 1800\n"
        "ip addr add 2001:db8:2::1/128 dev eth0 noprefixroute nodad\n"
        "ip route add default via 192.0.2.254 metric 100\n"
        "ip route add default via 192.0.2.253 metric 200 proto dhcp\n"
        "ip route add 10.20.0.0/16 via 192.0.2.253 src 192.0.2.2 mtu 1400 advmss 1300\n"
        "ip route add 169.254.1.1 dev eth0 scope link\n"
        "ip route add 10.1.0.0/16 via 169.254.1.1 dev eth0\n"
        "ip route add 10.30.0.0/16 via 172.31.0.1 dev eth0 onlink\n"
        "ip route add 10.40.0.0/16 via 192.0.2.254 table 77\n"
        "ip route add default dev eth0 table 78\n"
        "ip route add local 10.41.0.0/16 dev eth0\n"
        "ip route add 10.50.0.0/16 nexthop via 192.0.2.254 nexthop via 10.99.0.2 dev eth1\n"
        "ip rule add from 192.0.2.2 table 77 && ip rule add iif eth0 table 78\n"
        "ip -6 route add default via 2001:db8::ff\n"
        "ip -6 route add 2001:db8:77::/48 via 2001:db8::fe metric 50 pref high\n"
        "ip -6 route add 2001:db8:78::/48 via fe80::1 dev eth0 expires 3000\n"
        "ip -6 route add 2001:db8:79::/48 dev eth0 table 77\n"
        "ip -6 rule add from 2001:db8::2 table 77\n"
        "ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent\n"
        "ip neigh add 2001:db8::77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent router\n"
        "ip neigh add proxy 192.0.2.78 dev eth0\n";

    netns_sh("set -e\n%s", script);
}

/* The same, less of each: for the tests that stop at every step. */
static void host_configure_small(void)
{
    netns_sh("set -e\n"
             "ip addr add 192.0.2.1/24 brd + dev eth0\n"
             "ip addr add 192.0.2.2/24 dev eth0 label eth0:1 valid_lft 3600 preferred_lft 1800\n"
             "ip addr add 198.51.100.1/24 dev eth0 && ip route del 198.51.100.0/24 dev eth0\n"
             "ip addr add 2001:db8::1/64 dev eth0 valid_lft 3600 preferred_lft 1800\n"
             "ip route add default via 192.0.2.254 metric 100\n"
             "ip route add 169.254.1.1 dev eth0 scope link\n"
             "ip route add 10.1.0.0/16 via 169.254.1.1 dev eth0 table 77\n"
             "ip rule add from 192.0.2.2 table 77\n"
             "ip -6 route add default via 2001:db8::ff\n"
             "ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent\n");
}

static const struct adapter_takeover lan = {.folder = folder,
                                            .root = "/nonexistent",
                                            .vswitch = "lan",
                                            .adapter = "eth0",
                                            .host_port = "vmh0",
                                            .veth = true};

/* A fresh host; the namespace at the wire's far end. */
static int begin(void)
{
    int far = host_build();

    g_assert_nonnull(g_mkdtemp(strcpy(folder, "/dev/shm/vmbusd-adapter-XXXXXX")));
    return far;
}

/* Only the lock may be left. */
static void folder_check_and_remove(void)
{
    g_autofree char *left = g_strdup_printf("ls %s", folder);
    g_autofree char *files = host_output(left);

    g_assert_cmpstr(files, ==, "lock\n");
    netns_sh("rm -r %s", folder);
}

static void take(void)
{
    g_autoptr(GError) error = NULL;

    adapter_take(&lan, NULL, NULL, &error);
    g_assert_no_error(error);
}

static void give_back(void)
{
    g_autoptr(GError) error = NULL;

    adapter_give_back(&lan, &error);
    g_assert_no_error(error);
}

/* --- There and back --------------------------------------------------------------------------- */

static void body_return(void)
{
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    g_autofree char *before = host_dump();
    g_autofree char *addresses = host_look("ip -o addr show dev eth0 | sed 's/.*eth0 *inet/inet/'");
    adapter_take(&lan, reports, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(reports->len, ==, 2);
    g_assert_cmpstr(reports->pdata[1], ==,
                    "rule 32764 stays: iif eth0 does not match the host port");
    g_assert_cmpstr(reports->pdata[0], ==,
                    "route 10.50.0.0/16 table 254 stays: it has several ways out");
    host_assert_output("ip -o addr show dev eth0", "");
    host_assert_output("ip route show table all dev eth0 | grep -v -e 10.50 -e ff00::", "");
    host_assert_output(
        "cat /proc/sys/net/ipv6/conf/eth0/accept_ra /proc/sys/net/ipv4/conf/eth0/arp_ignore",
        "0\n8\n");
    host_assert_output("nft list tables | wc -l", "1\n");
    host_assert_output(
        "ip -o link | grep -e eth0 -e vmh0 | sed 's/.*ether //;s/ .*//' | uniq | wc -l",
        "1\n"); /* one MAC */
    g_autofree char *moved =
        host_look("ip -o addr show dev vmh0 | sed 's/.*vmh0 *inet/inet/;s/vmh0/eth0/g'");
    host_assert_equal(addresses, moved);
    give_back();
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

static void body_down(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    netns_sh("ip link set eth0 down && ip addr add 192.0.2.1/24 dev eth0");
    g_autofree char *before = host_dump();
    take();
    host_assert_output("ip -o link show up dev eth0 | wc -l", "1\n");
    give_back();
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

/* A host port that is up, with an address that it made itself: port_tap_open() leaves it so. */
static void body_up(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    g_autofree char *mac = host_output("ip -o link show eth0 | sed 's/.*ether //;s/ .*//'");
    netns_sh("ip link set vmh0 address %s ip link set vmh0 up", mac); /* `mac` ends its line */
    netns_sh("ip link set vmh0 down");
    g_autofree char *before = host_dump();
    netns_sh("ip link set vmh0 up");
    take();
    host_assert_output("ip -o link show up dev vmh0 | wc -l; "
                       "ip -o -6 addr show dev vmh0 scope link | wc -l",
                       "1\n1\n");
    give_back();
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

static void body_changed(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    take();
    netns_sh("ip addr add 192.0.2.9/24 dev vmh0 && ip addr del 10.9.0.1/16 dev vmh0 && "
             "ip addr change 198.51.100.1/24 dev vmh0 valid_lft 7200 preferred_lft 7200 && "
             "ip route add 10.60.0.0/16 via 192.0.2.254");
    give_back();
    host_assert_output("ip -o addr show dev eth0 to 192.0.2.9 | wc -l", "1\n");
    host_assert_output("ip -o addr show dev eth0 to 10.9.0.1 | wc -l", "0\n");
    host_assert_output(
        "ip -o addr show dev eth0 to 198.51.100.1 | grep -c 'eth0:1.*\\(7200\\|719.\\)sec'", "1\n");
    host_assert_output("ip route show 10.60.0.0/16", "10.60.0.0/16 via 192.0.2.254 dev eth0 \n");
    folder_check_and_remove();
    close(tap);
}

static void body_follow(void)
{
    g_autoptr(GError) error = NULL;
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    take();
    netns_sh("ip link set eth0 mtu 9000 address 02:00:00:00:00:55");
    adapter_follow(&lan, &error);
    g_assert_no_error(error);
    host_assert_output("ip -o link show vmh0 | grep -c 'mtu 9000.*02:00:00:00:00:55'", "1\n");
    host_assert_output("ip -o addr show dev vmh0 to 192.0.2.1 | wc -l", "1\n");
    give_back();
    host_assert_output("ip -o link show eth0 | grep -c 'mtu 9000.*02:00:00:00:00:55'", "1\n");
    folder_check_and_remove();
    close(tap);
}

static void follow(void)
{
    g_autoptr(GError) error = NULL;

    adapter_follow(&lan, &error);
    g_assert_no_error(error);
}

static void add_late(void)
{
    netns_sh("ip addr add 192.0.2.44/24 dev eth0 && ip addr add 2001:db8:9::1/64 dev eth0 && "
             "ip route add 10.70.0.0/16 via 192.0.2.253 dev eth0 onlink && "
             "ip neigh add 192.0.2.79 lladdr 02:00:00:00:00:79 dev eth0 nud permanent");
}

/* What somebody puts on an adapter that is taken goes to the host port, and comes back; from a
 * journal too, when the host port has gone. */
static void body_late(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    take();
    add_late();
    follow();
    host_assert_output("ip -o addr show dev eth0", "");
    host_assert_output("ip -o addr show dev vmh0 | grep -c -e 192.0.2.44 -e 2001:db8:9::1", "2\n");
    host_assert_output("ip route show 10.70.0.0/16",
                       "10.70.0.0/16 via 192.0.2.253 dev vmh0 onlink \n");
    netns_sh("ip addr add 192.0.2.45/24 dev vmh0"); /* and what comes to the host port itself */
    follow();
    g_autofree char *wanted = host_look("ip -o addr show dev vmh0 | sed 's/.*vmh0 *inet/inet/;"
                                        "s/vmh0/eth0/g'");
    close(tap);
    adapter_recover(&lan, false, NULL);
    g_autofree char *got = host_look("ip -o addr show dev eth0 | sed 's/.*eth0 *inet/inet/'");
    host_assert_equal(wanted, got);
    host_assert_output("ip route show 10.70.0.0/16",
                       "10.70.0.0/16 via 192.0.2.253 dev eth0 onlink \n");
    host_assert_output("ip neigh show 192.0.2.79",
                       "192.0.2.79 dev eth0 lladdr 02:00:00:00:00:79 PERMANENT \n");
    folder_check_and_remove();
}

/* Taken while it is down, then configured as ifup does: it comes back up, with all of that. */
static void body_down_late(void)
{
    int tap;

    begin();
    netns_sh("ip link set eth0 down");
    tap = host_tap("vmh0");
    netns_sh("ip link set eth0 up");
    add_late();
    g_autofree char *before = host_dump();
    netns_sh("ip addr flush dev eth0 && ip link set eth0 down");
    take();
    host_assert_output("ip -o -6 addr show dev vmh0 scope link | wc -l", "1\n");
    netns_sh("ip link set eth0 up");
    add_late();
    follow();
    give_back();
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

/* --- Interrupted ------------------------------------------------------------------------------ */

struct interruption {
    unsigned at, passed;
    bool kill; /* else the step fails */
    bool back; /* of a return, else of a takeover */
    bool own_tap;
};

static bool interrupt(void *context)
{
    struct interruption *interruption = context;

    if (interruption->passed++ != interruption->at)
        return true;
    if (interruption->kill)
        raise(SIGKILL);
    return false;
}

static void interrupted_child(void *context)
{
    struct interruption *interruption = context;
    struct adapter_takeover takeover = lan;

    if (interruption->own_tap)
        host_tap("vmh0");
    if (interruption->back)
        take();
    takeover.point = interrupt;
    takeover.context = interruption;
    if (interruption->back)
        adapter_give_back(&takeover, NULL);
    else
        adapter_take(&takeover, NULL, NULL, NULL);
}

static void recover_child(void *context)
{
    g_autoptr(GError) error = NULL;

    (void)context;
    adapter_recover(&lan, true, &error);
    g_assert_no_error(error);
}

/* Every step takes about a second: all of them with -m slow (./run-tests --full), else every
 * eighth. */
static unsigned stride(void)
{
    return g_test_slow() ? 1 : 8;
}

/* Kill at the journal's first, second ... point, until the child comes through. */
static unsigned kill_everywhere(bool back, bool own_tap)
{
    g_autofree char *before = host_dump();

    for (unsigned at = 0;; at += stride()) {
        struct interruption interruption = {
            .at = at, .kill = true, .back = back, .own_tap = own_tap};
        int status = host_child(interrupted_child, &interruption);

        if (status != 0)
            g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        g_assert_cmpint(host_child(recover_child, NULL), ==, 0);
        char *after = host_dump();
        host_assert_equal(before, after);
        g_free(before);
        before = after;
        if (status == 0)
            return at;
    }
}

static void body_kill(bool back, bool own_tap)
{
    int tap;

    begin();
    tap = own_tap ? -1 : host_tap("vmh0");
    host_configure_small();
    log_set_level(LOG_LEVEL_WARNING);
    unsigned points = kill_everywhere(back, own_tap);
    g_assert_cmpuint(points, >, 40);
    folder_check_and_remove();
    close(tap);
}

static void body_kill_take(void)
{
    body_kill(false, false);
}

static void body_kill_take_tap(void)
{
    body_kill(false, true);
}

static void body_kill_return(void)
{
    body_kill(true, false);
}

static void body_kill_return_tap(void)
{
    body_kill(true, true);
}

/* Undoes add_late() on the adapter. */
static void remove_late(void)
{
    netns_sh("ip neigh del 192.0.2.79 dev eth0 && ip route del 10.70.0.0/16 && "
             "ip addr del 2001:db8:9::1/64 dev eth0 && ip addr del 192.0.2.44/24 dev eth0");
}

static void interrupted_follow_child(void *context)
{
    struct interruption *interruption = context;
    struct adapter_takeover takeover = lan;

    take();
    add_late();
    takeover.point = interrupt;
    takeover.context = interruption;
    adapter_follow(&takeover, NULL);
}

/* What a restarted vmbusd does: it adopts the takeover and follows; then it stops. */
static void adopting_child(void *context)
{
    (void)context;
    take();
    follow();
    host_assert_output("ip -o addr show dev vmh0 | grep -c -e 192.0.2.44 -e 2001:db8:9::1", "2\n");
    give_back();
}

/* Killed at each point of following what somebody has put on the adapter: all of it is on the
 * adapter again when it is given back, at once or after the next life has followed. */
static void body_kill_follow(bool adopt)
{
    int tap, status = -1;
    unsigned at;

    begin();
    tap = host_tap("vmh0");
    host_configure_small();
    log_set_level(LOG_LEVEL_WARNING);
    add_late();
    char *wanted = host_dump();
    for (at = 0; status != 0; at++) {
        struct interruption interruption = {.at = at, .kill = true};

        remove_late();
        status = host_child(interrupted_follow_child, &interruption);
        if (status != 0)
            g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        g_assert_cmpint(host_child(adopt ? adopting_child : recover_child, NULL), ==, 0);
        char *after = host_dump();
        host_assert_equal(wanted, after);
        g_free(wanted);
        wanted = after;
    }
    g_free(wanted);
    g_assert_cmpuint(at, >, 10);
    folder_check_and_remove();
    close(tap);
}

static void body_kill_follow_recover(void)
{
    body_kill_follow(false);
}

static void body_kill_follow_adopt(void)
{
    body_kill_follow(true);
}

static void body_fail(void)
{
    struct interruption interruption = {0};
    struct adapter_takeover takeover = lan;
    int tap;
    bool taken = false;

    begin();
    tap = host_tap("vmh0");
    host_configure_small();
    takeover.point = interrupt;
    takeover.context = &interruption;
    g_autofree char *before = host_dump();
    for (; !taken; interruption.at += stride()) {
        g_autoptr(GError) error = NULL;

        interruption.passed = 0;
        taken = adapter_take(&takeover, NULL, NULL, &error);
        if (taken)
            give_back();
        else
            g_assert_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM);
        char *after = host_dump();
        host_assert_equal(before, after);
        g_free(before);
        before = after;
    }
    g_assert_cmpuint(interruption.at, >, 40);
    folder_check_and_remove();
    close(tap);
}

/* A step that cannot be undone is tried again by whoever comes next. */
static void body_retry(void)
{
    struct interruption interruption = {.at = 20};
    struct adapter_takeover takeover = lan;
    g_autoptr(GError) error = NULL;
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure_small();
    g_autofree char *before = host_dump();
    take();
    takeover.point = interrupt;
    takeover.context = &interruption;
    g_assert_false(adapter_give_back(&takeover, &error));
    g_assert_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM);
    g_clear_error(&error);
    adapter_recover(&lan, false, &error);
    g_assert_no_error(error);
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

/* `nft flush ruleset` takes the cut with it. */
static void body_flushed(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure_small();
    take();
    g_autofree char *before = host_dump();
    netns_sh("nft flush ruleset");
    adapter_guard(&lan);
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    give_back();
    folder_check_and_remove();
    close(tap);
}

/* --- Restarts, removals, refusals ------------------------------------------------------------- */

static void body_adopt(void)
{
    static const char everything[] = "ip addr; ip route show table all; ip -6 route show table all";
    g_autoptr(GError) error = NULL;
    int tap;
    bool adopted;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    g_autofree char *before = host_dump();
    g_assert_true(adapter_take(&lan, NULL, &adopted, NULL));
    g_assert_false(adopted);
    g_autofree char *taken = host_look(everything);
    netns_sh("ip monitor all >%s/changes & echo $! >%s/monitor; sleep 0.3", folder, folder);
    adapter_recover(&lan, false, &error); /* what a restarted vmbusd does first */
    g_assert_no_error(error);
    g_assert_true(adapter_take(&lan, NULL, &adopted, NULL));
    g_assert_true(adopted);
    netns_sh("kill $(cat %s/monitor)", folder);
    g_autofree char *changes = g_strdup_printf("cat %s/changes", folder);
    host_assert_output(changes, "");
    netns_sh("rm %s/changes %s/monitor", folder, folder);
    g_autofree char *still = host_look(everything);
    host_assert_equal(taken, still);
    give_back();
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
    close(tap);
}

static void body_host_port_gone(void)
{
    g_autoptr(GError) error = NULL;
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    g_autofree char *before = host_dump();
    take();
    close(tap);
    adapter_recover(&lan, false, &error);
    g_assert_no_error(error);
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
    folder_check_and_remove();
}

static void body_adapter_gone(void)
{
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    take();
    netns_sh("ip link delete eth0");
    give_back();
    host_assert_output("ip -o addr show dev vmh0", "");
    host_assert_output("nft list ruleset", "");
    folder_check_and_remove();
    close(tap);
}

static void assert_refused(const struct adapter_takeover *takeover, enum adapter_error code,
                           const char *text)
{
    g_autofree char *before = host_dump();
    g_autoptr(GError) error = NULL;

    g_assert_false(adapter_take(takeover, NULL, NULL, &error));
    g_assert_error(error, ADAPTER_ERROR, (int)code);
    g_assert_cmpstr(error->message, ==, text);
    g_autofree char *after = host_dump();
    host_assert_equal(before, after);
}

static void body_two_switches(void)
{
    struct adapter_takeover other = lan;
    int tap, second;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    second = host_tap("vmh1");
    take();
    other.vswitch = "dmz";
    other.host_port = "vmh1";
    assert_refused(&other, ADAPTER_ERROR_TAKEN, "eth0 is already taken by switch lan");
    other.adapter = "eth1";
    other.host_port = "vmh0";
    assert_refused(&other, ADAPTER_ERROR_TAKEN, "vmh0 is already taken by switch lan");
    g_autofree char *owner = adapter_taken_by(folder, "eth0");
    g_assert_cmpstr(owner, ==, "lan");
    give_back();
    folder_check_and_remove();
    close(tap);
    close(second);
}

static void body_refused(void)
{
    struct adapter_takeover takeover = lan;
    int tap;

    begin();
    tap = host_tap("vmh0");
    host_configure();
    takeover.adapter = "eth7";
    assert_refused(&takeover, ADAPTER_ERROR_NOT_FOUND,
                   "eth7 does not exist; see the links with: ip link");
    takeover.adapter = "lo";
    assert_refused(&takeover, ADAPTER_ERROR_UNFIT,
                   "lo is no Ethernet card; an external switch needs a network card");
    takeover.adapter = "eth1";
    netns_sh("ip link add br0 type bridge && ip link set eth1 master br0");
    assert_refused(&takeover, ADAPTER_ERROR_UNFIT,
                   "eth1 is enslaved to br0; release it with: ip link set eth1 nomaster");
    takeover.adapter = "br0";
    assert_refused(&takeover, ADAPTER_ERROR_UNFIT,
                   "br0 is a bridge; an external switch needs a network card");
    takeover.veth = false;
    takeover.adapter = "eth0";
    assert_refused(&takeover, ADAPTER_ERROR_UNFIT,
                   "eth0 is a veth link; an external switch needs a network card");
    folder_check_and_remove();
    close(tap);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!host_possible()) {
        g_print("1..0 # SKIP needs root, nft and /dev/net/tun\n");
        return 0;
    }
    netns_test_add("/adapter/takeover/return", body_return);
    netns_test_add("/adapter/takeover/down", body_down);
    netns_test_add("/adapter/takeover/host-port-up", body_up);
    netns_test_add("/adapter/takeover/changed", body_changed);
    netns_test_add("/adapter/takeover/follow", body_follow);
    netns_test_add("/adapter/takeover/late", body_late);
    netns_test_add("/adapter/takeover/down-late", body_down_late);
    netns_test_add("/adapter/takeover/fail", body_fail);
    netns_test_add("/adapter/takeover/kill/take", body_kill_take);
    netns_test_add("/adapter/takeover/kill/take-with-tap", body_kill_take_tap);
    netns_test_add("/adapter/takeover/kill/return", body_kill_return);
    netns_test_add("/adapter/takeover/kill/return-with-tap", body_kill_return_tap);
    netns_test_add("/adapter/takeover/kill/follow", body_kill_follow_recover);
    netns_test_add("/adapter/takeover/kill/follow-adopt", body_kill_follow_adopt);
    netns_test_add("/adapter/takeover/retry", body_retry);
    netns_test_add("/adapter/takeover/flushed", body_flushed);
    netns_test_add("/adapter/takeover/adopt", body_adopt);
    netns_test_add("/adapter/takeover/host-port-gone", body_host_port_gone);
    netns_test_add("/adapter/takeover/adapter-gone", body_adapter_gone);
    netns_test_add("/adapter/takeover/two-switches", body_two_switches);
    netns_test_add("/adapter/takeover/refused", body_refused);
    return g_test_run();
}
