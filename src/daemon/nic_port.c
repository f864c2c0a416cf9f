/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One NIC of a running machine on a network's switch: see nic_port.h.
 */
#include "src/daemon/nic_port.h"

#include <errno.h>

#include "src/common/json_add.h"
#include "src/common/mac.h"
#include "src/daemon/privileged.h"
#include "vswitch/port_guest.h"

#define CELLS 1024u /* 2 MiB of frames in each direction */

_Static_assert(sizeof(struct port_ring_fds) == sizeof(int) * (1 + 4 * LIMIT_PORT_QUEUES),
               "sent as an array of descriptors");

struct nic_port {
    const struct machine_nic *nic; /* the machine's; not looked at when freeing */
    struct network *network;
    struct port_ring_fds fds;
    uint32_t queues;
    struct port_guest *guest;
    uint32_t number;
    struct port_policy policy;
    enum network_mirror mirror;
};

static bool fail(GError **error, const char *what, int cause)
{
    g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM, "%s: %s", what,
                g_strerror(cause));
    return false;
}

static bool start(struct nic_port *port, GError **error)
{
    struct port_ring_geometry geometry = {.queues = port->queues, .cells = CELLS};
    int result = port_ring_create(&geometry, &port->fds);

    if (result < 0) {
        port->queues = 0;
        return fail(error, "no port ring can be made", -result);
    }
    port->guest = port_guest_new(&port->fds, MIN(port->nic->mtu, network_mtu(port->network)));
    if (!port->guest)
        return fail(error, "the port ring cannot be mapped", errno);
    result = vswitch_port_add(network_switch(port->network), port_guest_port(port->guest),
                              &port->policy, &port->number);
    return result == 0 || fail(error, "the switch takes no port", -result);
}

struct nic_port *nic_port_new(const struct machine_nic *nic, struct network *network,
                              GError **error)
{
    struct nic_port *port;
    struct port_policy policy;

    if (!network_config_policy(network_config(network), nic->portgroup,
                               nic->has_mac ? nic->mac : NULL, &policy, error))
        return NULL;
    port = g_new0(struct nic_port, 1);
    port->nic = nic;
    port->network = network;
    port->queues = nic->queues;
    port->policy = policy;
    port->mirror = network_config_mirror(network_config(network), nic->portgroup);
    if (start(port, error))
        return port;
    nic_port_free(port);
    return NULL;
}

void nic_port_free(struct nic_port *port)
{
    if (!port)
        return;
    if (port->number)
        vswitch_port_remove(network_switch(port->network), port_guest_port(port->guest));
    port_guest_free(port->guest);
    if (port->queues)
        port_ring_close(&port->fds, port->queues);
    g_free(port);
}

bool nic_port_failed(const struct nic_port *port)
{
    return vswitch_port_is_failed(port_guest_port(port->guest));
}

uint32_t nic_port_number(const struct nic_port *port)
{
    return port->number;
}

enum network_mirror nic_port_mirror(const struct nic_port *port)
{
    return port->mirror;
}

void nic_port_set_mirror(struct nic_port *port, uint32_t number)
{
    if (port->mirror != NETWORK_MIRROR_SOURCE || port->policy.mirror_to == number)
        return;
    port->policy.mirror_to = number;
    vswitch_port_set_policy(network_switch(port->network), port_guest_port(port->guest),
                            &port->policy);
}

struct network *nic_port_network(const struct nic_port *port)
{
    return port->network;
}

const int *nic_port_fds(const struct nic_port *port, unsigned *ret_count)
{
    *ret_count = 1 + 4 * port->queues;
    return &port->fds.memory;
}

struct json_object *nic_port_report(const struct nic_port *port)
{
    struct json_object *object = json_object_new_object();
    struct port *core = port_guest_port(port->guest);

    json_add_number(object, "port", port->number);
    json_add_text(object, "kind", core->class->name);
    json_add_text(object, "portgroup", port->nic->portgroup);
    if (port->nic->has_mac) {
        char text[MAC_TEXT];

        mac_print(port->nic->mac, text);
        json_add_text(object, "mac", text);
    }
    json_add_text(object, "state", nic_port_failed(port) ? "failed" : "up");
    json_object_object_add(object, "policy", network_port_policy(&port->policy));
    json_object_object_add(object, "stats", network_port_stats(core));
    return object;
}
