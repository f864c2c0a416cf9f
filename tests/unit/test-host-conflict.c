/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/host_conflict.c and nat.c: networks beside what the host has, in network namespaces
 * with real addresses, routes, forwarding and packet filters.
 */
#include "src/daemon/host_conflict.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "src/common/log.h"
#include "src/daemon/nat.h"
#include "src/daemon/networks.h"
#include "tests/unit/netns_fixture.h"
#include "tests/unit/parent_fixture.h"

static struct network_config *parse(const char *text)
{
    struct network_config *config = network_config_parse("lan.xml", text, strlen(text), NULL);

    g_assert_nonnull(config);
    return config;
}

static struct network_config *nat(const char *attributes)
{
    g_autofree char *text =
        g_strdup_printf("<network><name>lan</name><forward mode='nat'><nat%s/></forward>"
                        "<ip address='192.168.7.1' prefix='24'/>"
                        "<ip family='ipv6' address='fd00:7::1' prefix='64'/></network>",
                        attributes);

    return parse(text);
}

/* --- Subnets ---------------------------------------------------------------------------------- */

static void assert_subnet(const char *ip, const char *message)
{
    static const char *const ours[] = {"vs-lan", NULL};
    g_autofree char *text = g_strdup_printf("<network><name>lan</name><ip %s/></network>", ip);
    struct network_config *config = parse(text);
    g_autoptr(GArray) host = host_conflict_addresses();
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(host_conflict_subnets(config, host, ours, &error), ==, !message);
    g_assert_cmpstr(error ? error->message : NULL, ==, message);
    network_config_free(config);
}

static void test_subnets(void)
{
    netns_sh("ip link add d0 type veth peer name e0 && ip addr add 192.168.7.9/24 dev d0 && "
             "ip addr add fd00:7::9/64 dev d0 && ip link set d0 up && "
             "ip link add vs-lan type veth peer name e1 && ip addr add 192.168.9.1/24 dev vs-lan");
    assert_subnet("address='192.168.7.1' prefix='24'",
                  "network lan: its subnet 192.168.7.0/24 overlaps that of the host's interface d0 "
                  "(192.168.7.9/24); choose another subnet");
    assert_subnet(
        "address='192.168.7.130' prefix='25'",
        "network lan: its subnet 192.168.7.128/25 overlaps that of the host's interface d0 "
        "(192.168.7.9/24); choose another subnet");
    assert_subnet("address='192.168.200.1' prefix='16'",
                  "network lan: its subnet 192.168.0.0/16 overlaps that of the host's interface d0 "
                  "(192.168.7.9/24); choose another subnet");
    assert_subnet("family='ipv6' address='fd00:7::1' prefix='80'",
                  "network lan: its subnet fd00:7::/80 overlaps that of the host's interface d0 "
                  "(fd00:7::9/64); choose another subnet");
    assert_subnet("address='192.168.8.1' prefix='24'", NULL);
    assert_subnet("address='192.168.9.1' prefix='24'", NULL); /* its own interface, from before */
    assert_subnet("family='ipv6' address='fd00:8::1' prefix='64'", NULL);
}

static void write_network(const char *folder, const char *file, const char *address)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *text = g_strdup_printf("<network><name>%.3s</name><dns enable='no'/>"
                                            "<ip address='%s' prefix='24'/></network>",
                                            file, address);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_address(const char *interface, const char *address)
{
    netns_sh("ip -4 -o addr show dev %s | grep -qF ' %s/'", interface, address);
}

/* A file that asks for what the host or another network has is refused, and its network, which
 * worked, works on as it was. */
static void test_refused_leaves_all(void)
{
    g_autofree char *top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    g_autofree char *folder = g_build_filename(top, "networks", NULL);
    g_autofree char *run_dir = g_build_filename(top, "run", NULL);
    struct parent_fixture *parent = parent_fixture_new(top, run_dir);
    struct networks *networks = networks_new(folder);

    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    netns_sh("ip link add d0 type veth peer name e0 && ip addr add 192.168.7.9/24 dev d0");
    write_network(folder, "aaa.xml", "10.1.0.1");
    write_network(folder, "bbb.xml", "10.2.0.1");
    g_assert_cmpuint(networks_load(networks), ==, 0);
    assert_address("vs-aaa", "10.1.0.1");
    write_network(folder, "aaa.xml", "192.168.7.1");
    g_assert_cmpuint(networks_load(networks), ==, 1);
    assert_address("vs-aaa", "10.1.0.1");
    write_network(folder, "aaa.xml", "10.1.0.1");
    write_network(folder, "bbb.xml", "10.1.0.2");
    g_assert_cmpuint(networks_load(networks), ==, 1);
    assert_address("vs-aaa", "10.1.0.1");
    assert_address("vs-bbb", "10.2.0.1");
    /* The host gets into a network's way later: what runs is not touched. */
    write_network(folder, "bbb.xml", "10.2.0.1");
    netns_sh("ip addr add 10.2.0.9/24 dev d0");
    g_assert_cmpuint(networks_load(networks), ==, 0);
    assert_address("vs-bbb", "10.2.0.1");
    networks_free(networks);
    parent_fixture_free(parent);
    netns_sh("rm -rf %s", top);
}

/* --- Packet filter ---------------------------------------------------------------------------- */

static void assert_forwarding(int v4, int v6)
{
    netns_sh("test $(cat /proc/sys/net/ipv4/ip_forward) = %d", v4);
    netns_sh("test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = %d", v6);
}

static void start_nat(const struct network_config *config, const char *top)
{
    struct request_nat request = nat_request(config);

    g_assert_cmpstr(request_check(&(struct request){.op = REQUEST_NAT, .nat = request},
                                  sizeof(struct request), 0),
                    ==, NULL);
    g_assert_true(nat_start(&request, top, NULL));
}

static void test_nat(void)
{
    g_autofree char *top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    struct network_config *four = nat(""), *both = nat(" ipv6='yes'"),
                          *internal = parse("<network><name>in</name>"
                                            "<ip address='10.9.0.1' prefix='24'/></network>");
    static const char *const nobody[] = {NULL};

    start_nat(four, top);
    assert_forwarding(1, 0);
    netns_sh("nft list table inet vmbusd-lan | grep -q 'ip saddr 192.168.7.0/24.*masquerade'");
    netns_sh("! nft list table inet vmbusd-lan | grep -q 'ip6 saddr'");
    start_nat(both, top);
    assert_forwarding(1, 1);
    netns_sh("nft list table inet vmbusd-lan | grep -q 'ip6 saddr fd00:7::/64.*masquerade'");
    start_nat(internal, top);
    netns_sh("nft list table inet vmbusd-in | grep -q 'iifname \"vs-in\" reject'");
    netns_sh("! nft list table inet vmbusd-in | grep -q masquerade");
    nat_stop(both->name, top);
    assert_forwarding(0, 0);
    netns_sh("! nft list table inet vmbusd-lan 2>/dev/null");
    netns_sh("nft list table inet vmbusd-in >/dev/null");

    start_nat(four, top);
    nat_sweep(nobody, top); /* the next life, with neither */
    assert_forwarding(0, 0);
    netns_sh("test -z \"$(nft list ruleset)\"");
    g_assert_cmpint(g_rmdir(top), ==, 0);
    network_config_free(four);
    network_config_free(both);
    network_config_free(internal);
}

/* What was forwarding before stays so. */
static void test_nat_forwarding_kept(void)
{
    g_autofree char *top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    struct network_config *config = nat("");

    netns_sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
    start_nat(config, top);
    nat_stop(config->name, top);
    assert_forwarding(1, 0);
    g_assert_cmpint(g_rmdir(top), ==, 0);
    network_config_free(config);
}

/* A namespace with 10.N.0.2 on gN, whose other end vN in this one has 10.N.0.1. */
static int station(unsigned n)
{
    int home = netns_current(), ns = netns_new();

    netns_sh("ip link add v%u type veth peer name g%u && ip addr add 10.%u.0.1/24 dev v%u && "
             "ip link set v%u up && ip link set g%u netns /proc/%d/fd/%d",
             n, n, n, n, n, n, (int)getpid(), ns);
    netns_enter(ns);
    netns_sh("ip addr add 10.%u.0.2/24 dev g%u && ip link set g%u up && "
             "ip route add default via 10.%u.0.1",
             n, n, n, n);
    netns_enter(home);
    return ns;
}

static void assert_reach(int ns, unsigned to, bool yes)
{
    int home = netns_current();

    netns_enter(ns);
    netns_sh("%s busybox ping -c 1 -W 1 10.%u.0.2 >/dev/null", yes ? "" : "!", to);
    netns_enter(home);
}

/* On a host that forwards (Docker switches it on) an internal network (1) is no way to others, not
 * even if they all have routes; a nat network's guests (2) get out (3), and nobody gets in. */
static void test_nat_traffic(void)
{
    g_autofree char *top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    struct network_config *internal = parse("<network><name>a</name><bridge name='v1'/>"
                                            "<ip address='10.1.0.1' prefix='24'/></network>");
    struct network_config *nated =
        parse("<network><name>b</name><bridge name='v2'/><forward mode='nat'/>"
              "<ip address='10.2.0.1' prefix='24'/></network>");
    int one = station(1), two = station(2), three = station(3);

    netns_sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
    assert_reach(one, 3, true);
    start_nat(internal, top);
    start_nat(nated, top);
    assert_reach(one, 3, false);
    assert_reach(three, 1, false);
    assert_reach(one, 2, false);
    assert_reach(two, 1, false);
    assert_reach(three, 2, false);
    assert_reach(two, 3, true);
    netns_enter(three);
    netns_sh("ip route del default"); /* it sees the host only */
    netns_enter(two);
    netns_sh("busybox ping -c 1 -W 1 10.3.0.2 >/dev/null");
    network_config_free(internal);
    network_config_free(nated);
    netns_sh("rm -r %s", top);
}

/* --- Other firewalls -------------------------------------------------------------------------- */

static char *ruleset(void)
{
    char *text = NULL;

    g_assert_true(g_spawn_command_line_sync("nft -j list ruleset", &text, NULL, NULL, NULL));
    return text;
}

static void assert_obstacle(const struct network_config *config, const char *message)
{
    g_autofree char *rules = ruleset(), *obstacle = host_conflict_firewall(config, rules);

    g_assert_cmpstr(obstacle, ==, message);
}

static void test_firewall(void)
{
    struct network_config *four = nat(""), *both = nat(" ipv6='yes'");

    assert_obstacle(four, NULL);
    netns_sh("nft 'add table ip6 f; add chain ip6 f FWD { type filter hook forward priority 0; "
             "policy drop; }'");
    assert_obstacle(four, NULL);
    assert_obstacle(both,
                    "chain FWD of table ip6 f drops what is forwarded from and to vs-lan; do: "
                    "nft insert rule ip6 f FWD iifname vs-lan accept, and the same with "
                    "oifname");
    netns_sh("nft insert rule ip6 f FWD iifname vs-lan accept");
    assert_obstacle(both, NULL);
    netns_sh("nft 'add table ip filter; add chain ip filter DOCKER-USER; "
             "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'");
    assert_obstacle(four, "Docker drops what is forwarded from and to vs-lan; do: "
                          "iptables -I DOCKER-USER -i vs-lan -j ACCEPT, and the same with -o");
    netns_sh("nft 'delete table ip filter; add table inet firewalld; add chain inet firewalld "
             "filter_FORWARD { type filter hook forward priority 10; }'");
    assert_obstacle(four, "firewalld refuses what is forwarded from vs-lan; do: firewall-cmd "
                          "--permanent --zone=trusted --add-interface=vs-lan, and firewall-cmd "
                          "--reload");
    network_config_free(four);
    network_config_free(both);
}

static void test_firewall_nonsense(void)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{\"nftables\":7}",
                                        "{\"nftables\":[7,{\"chain\":7},{\"rule\":[]},{}]}",
                                        "{\"nftables\":[{\"chain\":{\"hook\":\"forward\"}}]}"};
    struct network_config *config = nat("");

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_null(host_conflict_firewall(config, texts[i]));
    network_config_free(config);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_LEVEL_ERROR);
    netns_test_add("/host-conflict/subnets", test_subnets);
    netns_test_add("/host-conflict/refused-leaves-all", test_refused_leaves_all);
    netns_test_add("/nat/table", test_nat);
    netns_test_add("/nat/forwarding-kept", test_nat_forwarding_kept);
    netns_test_add("/nat/traffic", test_nat_traffic);
    netns_test_add("/host-conflict/firewall", test_firewall);
    g_test_add_func("/host-conflict/firewall-nonsense", test_firewall_nonsense);
    return g_test_run();
}
