/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch with one adapter port on each interface named, as vmbusd makes them, for
 * tests/bench/adapter.
 *
 *   bench-adapter INTERFACE...
 *
 * Prints "ready" and works until its input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/common/limits.h"
#include "vswitch/port_packet.h"
#include "vswitch/switch.h"

#define PORTS 8

static struct port *add(struct vswitch *vswitch, const char *ifname)
{
    static const struct port_policy policy = {.vlan_mode = VLAN_NONE};
    struct port_packet_fds fds;
    GError *error = NULL;
    struct port *port = NULL;
    uint32_t number;

    if (port_packet_open(ifname, &fds, &error))
        port = port_packet_new(&fds, &error);
    if (!port || vswitch_port_add(vswitch, port, &policy, &number)) {
        fprintf(stderr, "bench-adapter: %s: %s\n", ifname, error ? error->message : "no port");
        exit(1);
    }
    return port;
}

int main(int argc, char **argv)
{
    struct vswitch *vswitch = vswitch_new(&(struct vswitch_config){.name = "bench", .threads = 1});
    struct port *ports[PORTS];
    char byte;
    int count = 0;

    if (argc < 2 || argc > 1 + PORTS || !vswitch)
        return fprintf(stderr, "usage: %s INTERFACE...\n", argv[0]), 2;
    while (count < argc - 1) {
        ports[count] = add(vswitch, argv[1 + count]);
        count++;
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    while (count--) {
        vswitch_port_remove(vswitch, ports[count]);
        port_packet_free(ports[count]);
    }
    vswitch_free(vswitch);
    return 0;
}
