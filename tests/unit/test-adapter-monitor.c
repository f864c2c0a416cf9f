/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter monitor in a network namespace: each change is told once.
 */
#include "vswitch/adapter_monitor.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "tests/unit/netns_fixture.h"
#include "vswitch/adapter_select.h"

/* "eth0:appeared eth0:link-up ", of the links whose name begins with "eth". */
static void note(enum adapter_event event, const struct adapter *link, void *context)
{
    if (g_str_has_prefix(link->name, "eth"))
        g_string_append_printf(context, "%s:%s ", link->name, adapter_event_name(event));
}

static struct adapter_monitor *monitor_new(GString *events, bool raise)
{
    struct adapter_monitor_config config = {
        .event = note, .context = events, .raise = raise, .veth = true, .root = "/nonexistent"};
    g_autoptr(GError) error = NULL;
    struct adapter_monitor *monitor = adapter_monitor_new(&config, &error);

    g_assert_no_error(error);
    return monitor;
}

/* Dispatch until nothing more comes for a while; exactly these events, in this order. */
static void assert_events(struct adapter_monitor *monitor, GString *events, const char *wanted)
{
    struct pollfd item = {.fd = adapter_monitor_fd(monitor), .events = POLLIN};

    while (poll(&item, 1, 200) > 0)
        adapter_monitor_dispatch(monitor);
    g_assert_cmpstr(events->str, ==, wanted);
    g_string_truncate(events, 0);
}

static const struct adapter *link_named(struct adapter_monitor *monitor, const char *name)
{
    const struct adapter *link = adapter_by_name(adapter_monitor_list(monitor), name);

    g_assert_nonnull(link);
    return link;
}

static void body_events(void)
{
    g_autoptr(GString) events = g_string_new(NULL);
    struct adapter_monitor *monitor = monitor_new(events, false);

    assert_events(monitor, events, "");
    netns_sh("ip link add eth0 type veth peer name wire0");
    assert_events(monitor, events, "eth0:appeared ");
    netns_sh("ip link set eth0 up");
    assert_events(monitor, events, "eth0:changed ");
    netns_sh("ip link set wire0 up");
    assert_events(monitor, events, "eth0:link-up ");
    netns_sh("ip link set wire0 down");
    assert_events(monitor, events, "eth0:link-down ");
    netns_sh("ip link set wire0 up");
    assert_events(monitor, events, "eth0:link-up ");
    netns_sh("ip link set eth0 mtu 9000");
    assert_events(monitor, events, "eth0:changed ");
    g_assert_cmpuint(link_named(monitor, "eth0")->mtu, ==, 9000);
    netns_sh("ip link set eth0 address 02:00:00:00:00:55");
    assert_events(monitor, events, "eth0:changed ");
    g_assert_cmpuint(link_named(monitor, "eth0")->mac[5], ==, 0x55);
    netns_sh("ip addr add 192.0.2.1/24 dev eth0 && ip route add default via 192.0.2.254");
    assert_events(monitor, events, "");
    netns_sh("ip link add br0 type bridge && ip link set eth0 master br0");
    assert_events(monitor, events, "eth0:changed ");
    g_assert_cmpstr(link_named(monitor, "eth0")->master_name, ==, "br0");
    g_assert_true(link_named(monitor, "eth0")->default_route);
    g_assert_cmpint(link_named(monitor, "br0")->kind, ==, ADAPTER_BRIDGE);
    g_assert_cmpint(link_named(monitor, "lo")->kind, ==, ADAPTER_OTHER);
    netns_sh("ip link set eth0 nomaster && ip link set eth0 name eth5");
    assert_events(monitor, events, "eth5:changed ");
    netns_sh("ip link delete eth5");
    assert_events(monitor, events, "eth5:gone ");
    adapter_monitor_free(monitor);
}

/* Gone and back with its index before anybody has looked: it is another for all we know. */
static void body_replaced(void)
{
    g_autoptr(GString) events = g_string_new(NULL);

    netns_sh("ip link add eth0 index 77 type veth peer name wire0");
    struct adapter_monitor *monitor = monitor_new(events, false);
    netns_sh("ip link delete eth0 && ip link add eth0 index 77 type veth peer name wire0");
    assert_events(monitor, events, "eth0:gone eth0:appeared ");
    g_assert_cmpint(link_named(monitor, "eth0")->index, ==, 77);
    netns_sh("ip link add br0 type bridge && ip link set eth0 master br0");
    assert_events(monitor, events, "eth0:changed ");
    netns_sh("ip link set eth0 nomaster"); /* which the bridge tells as a link deleted */
    assert_events(monitor, events, "eth0:changed ");
    adapter_monitor_free(monitor);
}

/* Two cards, one cable: bound without a word, and the cable is followed. */
static void body_cable(void)
{
    g_autoptr(GString) events = g_string_new(NULL);
    struct adapter_wish wish = {.veth = true};

    netns_sh(
        "ip link add eth0 type veth peer name wire0 && ip link add eth1 type veth peer name wire1");
    netns_sh(
        "ip link add sink type bridge && ip link set wire0 master sink && ip link set wire1 master sink");
    struct adapter_monitor *monitor = monitor_new(events, true);
    assert_events(monitor, events, "eth0:changed eth1:changed "); /* raised */
    g_assert_null(adapter_select(adapter_monitor_list(monitor), &wish));
    netns_sh("ip link set wire1 up");
    assert_events(monitor, events, "eth1:link-up ");
    const struct adapter *bound = adapter_select(adapter_monitor_list(monitor), &wish);
    g_assert_cmpstr(bound ? bound->name : NULL, ==, "eth1");
    wish.present = bound->index;
    netns_sh("ip link set wire1 down");
    assert_events(monitor, events, "eth1:link-down ");
    g_assert_cmpint(adapter_select(adapter_monitor_list(monitor), &wish)->index, ==, wish.present);
    netns_sh("ip link set wire0 up");
    assert_events(monitor, events, "eth0:link-up ");
    bound = adapter_select(adapter_monitor_list(monitor), &wish);
    g_assert_cmpstr(bound ? bound->name : NULL, ==, "eth0");
    netns_sh("test -z \"$(ip -o addr show dev eth0)\""); /* no address came by raising it */
    netns_sh("ip link set eth1 down");
    assert_events(monitor, events, "eth1:changed "); /* somebody meant it: not raised again */
    adapter_monitor_free(monitor);
}

/* More notices than the socket holds, while nobody reads. */
static void body_flood(void)
{
    g_autoptr(GString) events = g_string_new(NULL);
    struct adapter_monitor *monitor = monitor_new(events, false);

    netns_sh("ip link add eth0 type veth peer name wire0");
    netns_sh("for i in $(seq 1200); do echo link set eth0 mtu $((1000 + i)); done | ip -batch -");
    netns_sh("ip link set eth0 up; ip link set wire0 up");
    assert_events(monitor, events, "eth0:appeared ");
    g_assert_cmpuint(link_named(monitor, "eth0")->mtu, ==, 2200);
    g_assert_true(link_named(monitor, "eth0")->carrier);
    adapter_monitor_free(monitor);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_LEVEL_WARNING);
    netns_test_add("/adapter/monitor/events", body_events);
    netns_test_add("/adapter/monitor/replaced", body_replaced);
    netns_test_add("/adapter/monitor/cable", body_cable);
    netns_test_add("/adapter/monitor/flood", body_flood);
    return g_test_run();
}
