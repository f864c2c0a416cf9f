/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See packet_fixture.h.
 */
#include "tests/unit/packet_fixture.h"

#include <string.h>
#include <unistd.h>

static const uint32_t sizes[] = {14,   15,   17,   18,   59,   60,   61,  64,
                                 1500, 1514, 1515, 2048, 4096, 9000, 9014};

void packet_pair(const char *adapter, const char *peer)
{
    netns_sh("ip link add %s mtu %u type veth peer name %s mtu %u && ip link set %s up && "
             "ip link set %s up",
             adapter, PACKET_MTU, peer, PACKET_MTU, adapter, peer);
    netns_sh("sysctl -qw net.ipv6.conf.%s.disable_ipv6=1", adapter);
}

struct port *packet_make(const char *adapter, struct lane *lane)
{
    GError *error = NULL;
    struct port_packet_fds fds;
    struct port *port;

    g_assert_true(port_packet_open(adapter, &fds, &error));
    g_assert_no_error(error);
    port = port_packet_new(&fds, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(port->mtu, ==, PACKET_MTU);
    drive_start(port, lane);
    port->class->filter(port, &(struct port_filter){true, true});
    return port;
}

void packet_end(struct port *port)
{
    drive_stop(port);
    port_packet_free(port);
}

void cable_wait(struct cable *cable)
{
    static struct drive_frame caught;
    uint8_t bytes[60], back[64];
    unsigned tries = 0;

    raw_make(bytes, sizeof(bytes), NULL, -1, 0);
    do {
        g_assert_cmpuint(tries++, <, 100);
        raw_send(cable->raw, bytes, sizeof(bytes));
    } while (!drive_receive(cable->port, &caught, 50));
    do {
        g_assert_cmpuint(tries++, <, 200);
        drive_send(cable->port, bytes, sizeof(bytes), NULL);
    } while (!raw_receive(cable->raw, back, sizeof(back), 50));
    drive_drain(cable->port, 20);
    while (raw_receive(cable->raw, back, sizeof(back), 20) > 0)
        ;
}

struct cable cable_new(void)
{
    struct cable cable = {.lane = lane_new("test")};

    packet_pair("a0", "b0");
    cable.port = packet_make("a0", cable.lane);
    cable.raw = raw_open("b0");
    cable_wait(&cable);
    return cable;
}

void cable_end(struct cable *cable)
{
    close(cable->raw);
    packet_end(cable->port);
    lane_free(cable->lane);
}

struct port_packet *packet_inside(struct port *port)
{
    return (struct port_packet *)port;
}

void cable_both_ways(struct cable *cable)
{
    static struct drive_frame caught;
    static uint8_t bytes[PACKET_MTU + 14], back[PACKET_MTU + 64];

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        raw_make(bytes, sizes[i], NULL, -1, i);
        raw_send(cable->raw, bytes, sizes[i]);
        g_assert_true(drive_receive(cable->port, &caught, 2000));
        g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, sizes[i]);
        g_assert_cmpuint(caught.meta.gso, ==, FRAME_GSO_NONE);

        g_assert_true(drive_send(cable->port, bytes, sizes[i], NULL));
        g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, sizes[i]);
    }
    g_assert_cmpuint(raw_receive(cable->raw, back, sizeof(back), 50), ==, 0);
    g_assert_cmpuint(drive_drain(cable->port, 50), ==, 0); /* nothing of what we sent */
}

void packet_force(struct port *port, unsigned which)
{
    g_assert_nonnull(packet_inside(port)->which);
    packet_inside(port)->window = UINT64_MAX / 2; /* the time of its own choice never comes */
    atomic_store(packet_inside(port)->which, which);
}
