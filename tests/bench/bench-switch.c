/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many frames one switch thread carries from port to port, through port rings, learning and
 * policies as in production; compare with bench-switch-ceiling on the same machine.
 *
 *   bench-switch PORTS LENGTH SECONDS
 *
 * Prints a line: see load_run().
 */
#include <stdlib.h>

#include "tests/bench/switch_load.h"
#include "vswitch/port_guest.h"
#include "vswitch/switch.h"

#define SWITCH_CPU 0u
#define LOAD_CPU   1u

static void pin(void *context)
{
    load_pin(*(const unsigned *)context);
}

int main(int argc, char **argv)
{
    static const struct port_policy open_policy = {.vlan_mode = VLAN_NONE};
    struct load *load = load_new(argc, argv);
    struct vswitch *vswitch = vswitch_new(&(struct vswitch_config){.name = "bench", .threads = 1});
    struct port_guest *guest[LOAD_PORTS];
    unsigned cpu = SWITCH_CPU;
    uint32_t number;

    if (!vswitch)
        load_fail("cannot make the switch");
    for (unsigned i = 0; i < load->ports; i++) {
        guest[i] = port_guest_new(&load->fds[i], LIMIT_MTU);
        if (!guest[i] ||
            vswitch_port_add(vswitch, port_guest_port(guest[i]), &open_policy, &number))
            load_fail("cannot add a port");
    }
    lane_call(port_guest_port(guest[0])->lane, pin, &cpu);
    load_pin(LOAD_CPU);
    load_run(load, "switch");
    for (unsigned i = 0; i < load->ports; i++) {
        vswitch_port_remove(vswitch, port_guest_port(guest[i]));
        port_guest_free(guest[i]);
    }
    vswitch_free(vswitch);
    load_free(load);
    return 0;
}
