/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test's switch: see the header. A port's sink checks each frame that it is sent and keeps a
 * copy.
 */
#include "tests/unit/switch_fixture.h"

#include <string.h>

static void keep(struct port_dummy *dummy, const struct frame *frame)
{
    struct sf_port *port = dummy->context;
    struct sf_taken taken = {frame->meta, g_malloc(frame->meta.length)};

    g_assert_cmpuint(frame->data[0].iov_len + frame->data[1].iov_len, ==, frame->meta.length);
    g_assert_true(frame_meta_check(&frame->meta));
    g_assert_true(frame_read(frame, 0, taken.bytes, frame->meta.length));
    g_array_append_val(port->taken, taken);
}

static void forget(gpointer taken)
{
    g_free(((struct sf_taken *)taken)->bytes);
}

struct sf_net *sf_new_with(const struct vswitch_config *config, unsigned ports)
{
    struct sf_net *net = g_new0(struct sf_net, 1);

    net->vswitch = vswitch_new(config);
    g_assert_nonnull(net->vswitch);
    for (unsigned i = 0; i < ports; i++)
        sf_add(net, SF_ALL_CAPS, false, &(struct port_policy){.vlan_mode = VLAN_ALL});
    return net;
}

struct sf_net *sf_new(unsigned ports)
{
    return sf_new_with(&(struct vswitch_config){.name = "test"}, ports);
}

void sf_free(struct sf_net *net)
{
    for (unsigned i = 0; i < net->ports; i++) {
        struct sf_port *port = &net->port[i];
        if (port->dummy.port.core)
            vswitch_port_remove(net->vswitch, &port->dummy.port);
        g_assert_cmpuint(port->dummy.late, ==, 0);
        g_array_unref(port->taken);
    }
    vswitch_free(net->vswitch);
    g_free(net);
}

struct sf_port *sf_add(struct sf_net *net, uint32_t caps, bool uplink,
                       const struct port_policy *policy)
{
    struct sf_port *port = &net->port[net->ports++];

    g_assert_cmpuint(net->ports, <=, SF_PORTS);
    port_dummy_init(&port->dummy, caps, SF_MTU, uplink);
    port->dummy.sink = keep;
    port->dummy.context = port;
    port->taken = g_array_new(FALSE, FALSE, sizeof(struct sf_taken));
    g_array_set_clear_func(port->taken, forget);
    g_assert_cmpint(vswitch_port_add(net->vswitch, &port->dummy.port, policy, &port->number), ==,
                    0);
    net->lane = port->dummy.port.lane;
    return port;
}

void sf_policy(struct sf_net *net, unsigned port, const struct port_policy *policy)
{
    g_assert_cmpint(vswitch_port_set_policy(net->vswitch, &net->port[port].dummy.port, policy), ==,
                    0);
}

void sf_settle(struct sf_net *net)
{
    while (lane_turn(net->lane, 0))
        ;
}

static void put_station(uint8_t *mac, unsigned station)
{
    memset(mac, station == SF_BROADCAST ? 0xff : 0, 6);
    if (station == SF_BROADCAST)
        return;
    mac[0] = 2;
    mac[5] = (uint8_t)station;
}

struct frame sf_frame(uint8_t *bytes, uint32_t length, unsigned from, unsigned to)
{
    put_station(bytes, to);
    put_station(bytes + 6, from);
    bytes[12] = 0x88; /* for experiments */
    bytes[13] = 0xb5;
    for (uint32_t i = FRAME_ETHERNET; i < length; i++)
        bytes[i] = (uint8_t)(i * 7 + from);
    return (struct frame){.meta.length = length, .data[0] = {bytes, length}};
}

void sf_give(struct sf_net *net, unsigned port, const struct frame *frames, unsigned count)
{
    port_dummy_give(&net->port[port].dummy, frames, count, 1);
    sf_settle(net);
    g_assert_true(port_dummy_idle(&net->port[port].dummy));
}

void sf_send(struct sf_net *net, unsigned port, unsigned from, unsigned to)
{
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), from, to);

    sf_give(net, port, &frame, 1);
}

void sf_send_vlan(struct sf_net *net, unsigned port, unsigned from, unsigned to, uint16_t vlan)
{
    uint8_t bytes[60];
    struct frame frame = sf_frame(bytes, sizeof(bytes), from, to);

    frame.meta.flags = FRAME_VLAN;
    frame.meta.vlan_tci = vlan;
    sf_give(net, port, &frame, 1);
}

unsigned sf_got(struct sf_net *net, unsigned port)
{
    unsigned count = net->port[port].taken->len;

    g_array_set_size(net->port[port].taken, 0);
    return count;
}

const char *sf_receivers(struct sf_net *net)
{
    static char digits[SF_PORTS + 1];
    unsigned count = 0;
    bool many = false;

    for (unsigned i = 0; i < net->ports; i++) {
        unsigned got = sf_got(net, i);
        many |= got > 1;
        if (got)
            digits[count++] = (char)('0' + i);
    }
    digits[count] = '\0';
    return many ? "many" : digits;
}

const struct sf_taken *sf_taken(struct sf_net *net, unsigned port, unsigned n)
{
    g_assert_cmpuint(n, <, net->port[port].taken->len);
    return &g_array_index(net->port[port].taken, struct sf_taken, n);
}

struct port_stats sf_stats(struct sf_net *net, unsigned port)
{
    struct port_stats stats;

    vswitch_port_stats(&net->port[port].dummy.port, &stats);
    return stats;
}
