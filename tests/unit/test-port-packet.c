/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port: frames of every size and tag, its filter, its refusals.
 */
#include "vswitch/port_packet.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/packet_fixture.h"

static struct drive_frame caught;

static void test_sizes(void)
{
    struct cable cable = cable_new();

    cable_both_ways(&cable);
    cable_end(&cable);
}

/* What the host itself sends on the adapter has not come in from there. */
static void test_outgoing(void)
{
    struct cable cable = cable_new();
    int host = raw_open("a0");
    uint8_t bytes[60], back[128];

    for (unsigned which = 0; which < 2; which++) {
        packet_force(cable.port, which);
        raw_make(bytes, sizeof(bytes), NULL, -1, which);
        raw_send(host, bytes, sizeof(bytes));
        g_assert_cmpmem(back, raw_receive(cable.raw, back, sizeof(back), 2000), bytes,
                        sizeof(bytes));
        g_assert_cmpuint(drive_drain(cable.port, 100), ==, 0);
    }
    close(host);
    cable_end(&cable);
}

static void test_sizes_ring(void)
{
    struct cable cable = cable_new();

    packet_force(cable.port, 1);
    cable_both_ways(&cable);
    cable_end(&cable);
}

/* A kernel without BPF gives no ring, and all goes on as before. */
static void test_sizes_no_ring(void)
{
    struct cable cable = {.lane = lane_new("test")};
    struct port_packet_fds fds;
    GError *error = NULL;

    packet_pair("a0", "b0");
    g_assert_true(port_packet_open("a0", &fds, &error));
    g_assert_cmpint(fds.ring, >=, 0);
    close(fds.ring);
    close(fds.which);
    fds.ring = fds.which = -1;
    cable.port = port_packet_new(&fds, &error);
    g_assert_no_error(error);
    drive_start(cable.port, cable.lane);
    cable.port->class->filter(cable.port, &(struct port_filter){true, true});
    cable.raw = raw_open("b0");
    cable_wait(&cable);
    cable_both_ways(&cable);
    cable_end(&cable);
}

static void vlan(struct cable *cable)
{
    static uint8_t bytes[PACKET_MTU + 18], back[PACKET_MTU + 64], plain[PACKET_MTU + 14];
    const struct frame_meta meta = {.flags = FRAME_VLAN, .vlan_tci = 0x6123};

    for (unsigned length = 20; length <= sizeof(bytes); length += 818) {
        raw_make(bytes, length, NULL, 0x6123, length);
        memcpy(plain, bytes, 12);
        memcpy(plain + 12, bytes + 16, length - 16);
        raw_send(cable->raw, bytes, length);
        g_assert_true(drive_receive(cable->port, &caught, 2000));
        g_assert_cmpuint(caught.meta.flags & FRAME_VLAN, !=, 0);
        g_assert_cmpuint(caught.meta.vlan_tci, ==, 0x6123);
        g_assert_cmpmem(caught.bytes, caught.meta.length, plain, length - 4);

        g_assert_true(drive_send(cable->port, plain, length - 4, &meta));
        g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, length);
    }
    /* A service tag is bytes, and so is the customer's tag behind it. */
    raw_make(bytes, 200, NULL, 0x0042, 1);
    memcpy(bytes + 12, "\x88\xa8", 2);
    raw_send(cable->raw, bytes, 200);
    g_assert_true(drive_receive(cable->port, &caught, 2000));
    g_assert_cmpuint(caught.meta.flags & FRAME_VLAN, ==, 0);
    g_assert_cmpmem(caught.bytes, caught.meta.length, bytes, 200);
    g_assert_true(drive_send(cable->port, bytes, 200, NULL));
    g_assert_cmpmem(back, raw_receive(cable->raw, back, sizeof(back), 2000), bytes, 200);
}

static void test_vlan(void)
{
    struct cable cable = cable_new();

    vlan(&cable);
    packet_force(cable.port, 1);
    vlan(&cable);
    cable_end(&cable);
}

/* --- Filter ----------------------------------------------------------------------------------- */

static unsigned promiscuity(const char *ifname)
{
    g_autofree char *command = g_strdup_printf("ip -d link show %s", ifname);
    FILE *pipe = popen(command, "r");
    char text[4096] = "";
    const char *at;
    unsigned value = 77;

    g_assert_cmpuint(fread(text, 1, sizeof(text) - 1, pipe), >, 0);
    pclose(pipe);
    at = strstr(text, "promiscuity ");
    g_assert_nonnull(at);
    g_assert_cmpint(sscanf(at, "promiscuity %u", &value), ==, 1);
    return value;
}

/* True if a frame to `to` comes in within `ms`. */
static bool comes_in(struct cable *cable, const uint8_t *to, int ms)
{
    uint8_t bytes[60];

    raw_make(bytes, sizeof(bytes), to, -1, 5);
    raw_send(cable->raw, bytes, sizeof(bytes));
    return drive_receive(cable->port, &caught, ms);
}

static void test_promiscuous(void)
{
    static const uint8_t stranger[6] = {0x02, 0, 0, 0, 0x99, 0x99}, own[6] = {2, 0, 0, 0, 0, 0xa0};
    const struct port_class *class;
    struct cable cable = cable_new();

    netns_sh("ip link set a0 address 02:00:00:00:00:a0");
    class = cable.port->class;
    for (unsigned which = 0; which < 2; which++) {
        packet_force(cable.port, which);
        class->filter(cable.port, &(struct port_filter){true, false});
        g_assert_cmpuint(promiscuity("a0"), ==, 1);
        g_assert_true(comes_in(&cable, stranger, 5000));
        class->filter(cable.port, &(struct port_filter){true, true});
        g_assert_cmpuint(promiscuity("a0"), ==, 1); /* not counted twice */
        class->filter(cable.port, &(struct port_filter){false, true});
        g_assert_cmpuint(promiscuity("a0"), ==, 0);
        g_assert_false(comes_in(&cable, stranger, 100));
        g_assert_true(comes_in(&cable, own, 5000));
        g_assert_true(comes_in(&cable, NULL, 5000));
    }
    class->filter(cable.port, &(struct port_filter){true, false});
    cable_end(&cable);
    g_assert_cmpuint(promiscuity("a0"), ==, 0); /* goes with the port */
}

/* --- Refusals --------------------------------------------------------------------------------- */

static void test_open_refuses(void)
{
    static const char *const names[] = {"", "nosuch0", "a-name-that-is-too-long", "lo"};
    struct port_packet_fds fds = {-1, -1, -1};
    GError *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_false(port_packet_open(names[i], &fds, &error));
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_clear_error(&error);
        g_assert_cmpint(fds.queue, ==, -1);
        g_assert_cmpint(fds.ring, ==, -1);
    }
    fds.queue = open("/dev/null", O_RDWR | O_CLOEXEC);
    g_assert_null(port_packet_new(&fds, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    close(fds.queue);
    port_packet_free(NULL);
}

/* A frame larger than the adapter's PACKET_MTU is refused by the kernel, and those behind it go
 * out. */
static void test_too_long(void)
{
    static uint8_t bytes[LIMIT_FRAME], back[128];
    struct cable cable = cable_new();
    struct frame frames[3];
    const struct frame *list[3];

    raw_make(bytes, sizeof(bytes), NULL, -1, 1);
    for (unsigned i = 0; i < 3; i++) {
        frames[i] = (struct frame){.meta = {.length = i == 1 ? sizeof(bytes) : 60}};
        frames[i].data[0] = (struct iovec){bytes, frames[i].meta.length};
        list[i] = &frames[i];
    }
    g_assert_cmpuint(cable.port->class->transmit(cable.port, list, 3), ==, 3);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 2000), ==, 60);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 2000), ==, 60);
    g_assert_cmpuint(raw_receive(cable.raw, back, sizeof(back), 50), ==, 0);
    cable_end(&cable);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    netns_test_add("/port-packet/sizes", test_sizes);
    netns_test_add("/port-packet/sizes-ring", test_sizes_ring);
    netns_test_add("/port-packet/sizes-no-ring", test_sizes_no_ring);
    netns_test_add("/port-packet/outgoing", test_outgoing);
    netns_test_add("/port-packet/vlan", test_vlan);
    netns_test_add("/port-packet/promiscuous", test_promiscuous);
    netns_test_add("/port-packet/open-refuses", test_open_refuses);
    netns_test_add("/port-packet/too-long", test_too_long);
    return g_test_run();
}
