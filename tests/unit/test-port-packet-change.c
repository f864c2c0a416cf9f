/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port: its adapter goes down, away, or gets another PACKET_MTU; the port itself begins
 * anew.
 */
#include "vswitch/port_packet.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/packet_fixture.h"

static void test_down_and_up(void)
{
    struct cable cable = cable_new();
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned which = 0; which < 2; which++) {
        packet_force(cable.port, which);
        netns_sh("ip link set a0 down");
        g_assert_false(drive_send(cable.port, bytes, sizeof(bytes), NULL));
        drive_drain(cable.port, 600);
        g_assert_cmpuint(cable.port->core->failures, ==, 0);
        netns_sh("ip link set a0 up");
        cable_wait(&cable);
        cable_both_ways(&cable);
    }
    cable_end(&cable);
}

static void check_gone(struct port *port)
{
    uint8_t bytes[60];
    unsigned turns = 0;

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned i = 0; i < 200 && !port->core->failures; i++) {
        drive_send(port, bytes, sizeof(bytes), NULL);
        drive_drain(port, 50);
    }
    g_assert_cmpuint(port->core->failures, ==, 1);
    g_assert_cmpstr(port->core->why, ==, "the adapter a0 is gone");
    while (lane_turn(port->lane, 0) && turns < 100)
        turns++;
    g_assert_cmpuint(turns, <, 3);
    g_assert_false(drive_send(port, bytes, sizeof(bytes), NULL));
    port->class->filter(port, &(struct port_filter){false, false});
    g_assert_cmpuint(port->core->failures, ==, 1);
}

static void test_deleted(void)
{
    struct cable cable = cable_new();

    netns_sh("ip link delete a0");
    check_gone(cable.port);
    cable_end(&cable);
}

static void test_deleted_while_down(void)
{
    struct cable cable = cable_new();

    netns_sh("ip link set a0 down");
    drive_drain(cable.port, 300);
    netns_sh("ip link delete a0");
    check_gone(cable.port);
    cable_end(&cable);
}

static void test_moved_away(void)
{
    struct cable cable = cable_new();
    int ns = netns_new();

    netns_sh("ip link set a0 netns /proc/%d/fd/%d", getpid(), ns);
    check_gone(cable.port);
    cable_end(&cable);
}

static atomic_bool stop_traffic;

static void *traffic(void *context)
{
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    while (!stop_traffic)
        if (send(*(int *)context, bytes, sizeof(bytes), 0) < 0)
            usleep(1000);
    return NULL;
}

static void test_deleted_under_traffic(void)
{
    for (unsigned which = 0; which < 2; which++) {
        struct cable cable = cable_new();
        unsigned frames = 0;
        pthread_t thread;

        packet_force(cable.port, which);
        stop_traffic = false;
        g_assert_cmpint(pthread_create(&thread, NULL, traffic, &cable.raw), ==, 0);
        while (frames < 100)
            frames += drive_drain(cable.port, 20);
        netns_sh("ip link delete a0");
        check_gone(cable.port);
        stop_traffic = true;
        pthread_join(thread, NULL);
        cable_end(&cable);
    }
}

/* Descriptors that a former life of the daemon used are taken up again. */
static void test_taken_up_again(void)
{
    struct port_packet_fds fds, kept;
    struct cable cable = {.lane = lane_new("test")};
    GError *error = NULL;

    packet_pair("a0", "b0");
    cable.raw = raw_open("b0");
    g_assert_true(port_packet_open("a0", &fds, &error));
    for (unsigned life = 0; life < 3; life++) {
        kept = (struct port_packet_fds){dup(fds.queue), dup(fds.ring), dup(fds.which)};
        cable.port = port_packet_new(&fds, &error);
        g_assert_no_error(error);
        drive_start(cable.port, cable.lane);
        cable_wait(&cable);
        cable_both_ways(&cable);
        packet_force(cable.port, 1);
        cable_both_ways(&cable);
        packet_end(cable.port);
        fds = kept;
    }
    close(fds.queue);
    close(fds.ring);
    close(fds.which);
    close(cable.raw);
    lane_free(cable.lane);
}

/* The switch cuts by the adapter's PACKET_MTU, which may change at any time; so may its name. */
static void test_mtu(void)
{
    static const unsigned mtus[] = {1500, 576, 9000};
    struct cable cable = cable_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(mtus); i++) {
        netns_sh("ip link set a0 mtu %u", mtus[i]);
        for (unsigned turn = 0; turn < 20 && cable.port->mtu != mtus[i]; turn++)
            drive_drain(cable.port, 50);
        g_assert_cmpuint(cable.port->mtu, ==, mtus[i]);
    }
    netns_sh("ip link set a0 down && ip link set a0 name wan && ip link delete wan");
    for (unsigned i = 0; i < 20 && !cable.port->core->failures; i++)
        drive_drain(cable.port, 50);
    g_assert_cmpuint(cable.port->core->failures, ==, 1);
    cable_end(&cable);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-packet/down-and-up", test_down_and_up);
    netns_test_add("/port-packet/deleted", test_deleted);
    netns_test_add("/port-packet/deleted-while-down", test_deleted_while_down);
    netns_test_add("/port-packet/deleted-under-traffic", test_deleted_under_traffic);
    netns_test_add("/port-packet/moved-away", test_moved_away);
    netns_test_add("/port-packet/taken-up-again", test_taken_up_again);
    netns_test_add("/port-packet/mtu", test_mtu);
    return g_test_run();
}
