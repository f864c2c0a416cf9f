/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole way: two hosts on TAPs and one beyond an adapter, each with a network stack of its own,
 * joined by a switch with threads.
 */
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/netns_fixture.h"
#include "vswitch/port_packet.h"
#include "vswitch/port_tap.h"
#include "vswitch/switch.h"

#define STATIONS 3u
#define BEYOND   2u /* the station behind the adapter */
#define BYTES    ((size_t)8 << 20)

static const char *const ipv4[STATIONS] = {"10.9.0.1", "10.9.0.2", "10.9.0.3"};
static const char *const ipv6[STATIONS] = {"fd00::1", "fd00::2", "fd00::3"};
static const struct port_policy open_policy = {.vlan_mode = VLAN_NONE};

struct network {
    struct vswitch *vswitch;
    int ns[STATIONS];
    struct port *port[STATIONS];
};

static void station_address(unsigned number, const char *ifname)
{
    netns_sh("ip address add %s/24 dev %s", ipv4[number], ifname);
    netns_sh("ip address add %s/64 dev %s nodad", ipv6[number], ifname);
}

static struct port *tap_station(unsigned number, unsigned mtu)
{
    const uint8_t mac[6] = {0x02, 0, 0, 0, 0, (uint8_t)(0x10 + number)};
    GError *error = NULL;
    struct port *port;
    int fd;

    g_assert_true(port_tap_open("tap0", mac, mtu, &fd, &error));
    g_assert_no_error(error);
    station_address(number, "tap0");
    port = port_tap_new(fd, mtu, &error);
    g_assert_no_error(error);
    return port;
}

/* The station behind a cable, whose near end is the adapter. */
static struct port *far_station(int here, int there, unsigned mtu)
{
    struct port_packet_fds fds;
    GError *error = NULL;
    struct port *port;

    netns_sh("ip link add a0 mtu %u type veth peer name b0 mtu %u netns /proc/%d/fd/%d", mtu, mtu,
             getpid(), there);
    netns_sh("ip link set a0 up && sysctl -qw net.ipv6.conf.a0.disable_ipv6=1");
    netns_enter(there);
    netns_sh("ip link set b0 up");
    station_address(BEYOND, "b0");
    netns_enter(here);
    g_assert_true(port_packet_open("a0", &fds, &error));
    g_assert_no_error(error);
    port = port_packet_new(&fds, &error);
    g_assert_no_error(error);
    return port;
}

static struct network network_new(unsigned threads, unsigned mtu)
{
    const struct vswitch_config config = {.name = "test", .threads = threads, .snooping = true};
    struct network network = {.vswitch = vswitch_new(&config)};
    int here = netns_current();

    g_assert_nonnull(network.vswitch);
    for (unsigned i = 0; i < STATIONS; i++) {
        uint32_t number;

        network.ns[i] = netns_new();
        if (i == BEYOND) {
            network.port[i] = far_station(here, network.ns[i], mtu);
        } else {
            netns_enter(network.ns[i]);
            network.port[i] = tap_station(i, mtu);
            netns_enter(here);
        }
        g_assert_cmpint(vswitch_port_add(network.vswitch, network.port[i], &open_policy, &number),
                        ==, 0);
    }
    return network;
}

static void network_free(struct network *network)
{
    for (unsigned i = 0; i < STATIONS; i++) {
        struct port_stats stats;

        vswitch_port_stats(network->port[i], &stats);
        g_test_message("station %u: in %" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT
                       " bytes; out %" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT
                       " bytes, no room %" G_GUINT64_FORMAT,
                       i, stats.frames_in, stats.bytes_in, stats.frames_out, stats.bytes_out,
                       stats.drops_out[DROP_NO_ROOM]);
        vswitch_port_remove(network->vswitch, network->port[i]);
        close(network->ns[i]);
    }
    port_tap_free(network->port[0]);
    port_tap_free(network->port[1]);
    port_packet_free(network->port[BEYOND]);
    vswitch_free(network->vswitch);
}

static void ping_all(struct network *network, const char *const *address, size_t payload)
{
    for (unsigned from = 0; from < STATIONS; from++)
        for (unsigned to = 0; to < STATIONS; to++) {
            struct ping_side side = {address[to], 200, payload};

            if (from != to)
                netns_wait(netns_spawn(network->ns[from], ping_client, &side));
        }
}

static void transfer(struct network *network, const char *const *address, unsigned from,
                     unsigned to)
{
    struct tcp_side side = {.address = address[to], .bytes = BYTES};
    int ready[2];
    pid_t server, client;
    char byte;

    g_assert_cmpint(pipe(ready), ==, 0);
    side.ready = ready[1];
    server = netns_spawn(network->ns[to], tcp_server, &side);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    client = netns_spawn(network->ns[from], tcp_client, &side);
    netns_wait(client);
    netns_wait(server);
    close(ready[0]);
    close(ready[1]);
}

static void transfer_all(struct network *network, const char *const *address)
{
    for (unsigned from = 0; from < STATIONS; from++)
        for (unsigned to = 0; to < STATIONS; to++)
            if (from != to)
                transfer(network, address, from, to);
}

static void all(unsigned threads, unsigned mtu)
{
    struct network network = network_new(threads, mtu);

    ping_all(&network, ipv4, 56);
    ping_all(&network, ipv6, 56);
    ping_all(&network, ipv4, mtu - 28); /* the longest frame, in both directions */
    transfer_all(&network, ipv4);
    transfer_all(&network, ipv6);
    network_free(&network);
}

static void test_one_thread(void)
{
    all(1, 1500);
}

static void test_two_threads(void)
{
    all(2, 1500);
}

static void test_jumbo(void)
{
    all(1, 9000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-e2e/one-thread", test_one_thread);
    netns_test_add("/port-e2e/two-threads", test_two_threads);
    netns_test_add("/port-e2e/jumbo", test_jumbo);
    return g_test_run();
}
