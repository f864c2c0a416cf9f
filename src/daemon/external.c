/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a network external: see external.h. Which adapter is vswitch/adapter_select.h's
 * question, how it is taken adapter_takeover.h's; the parent does it (privileged.h).
 *
 * The host's interface outlives this process, and the takeover with it: started again, it finds
 * both, and has only to make its ports.
 */
#include "src/daemon/external.h"

#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/common/mac.h"
#include "src/daemon/event.h"
#include "src/daemon/privileged.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_select.h"
#include "vswitch/port_packet.h"
#include "vswitch/port_tap.h"

#define SETTLE_MS 200  /* one change comes as several events */
#define RETRY_MS  5000 /* after a takeover that failed */

struct external {
    const struct network_config *config;
    struct vswitch *vswitch;
    guint timer;          /* a GLib source, 0: none */
    struct adapter bound; /* as it was last seen; index 0: not bound */
    bool tap, taken;      /* the host's interface is there; the adapter is on it */
    struct port *host, *uplink;
    uint32_t host_number, uplink_number;
    char *complaint;
};

static void complain(struct external *external, const char *why)
{
    if (why && g_strcmp0(external->complaint, why) != 0)
        log_warning("network %s: %s", external->config->name, why);
    g_free(external->complaint);
    external->complaint = g_strdup(why);
}

/* --- Ports ------------------------------------------------------------------------------------ */

static bool add_port(struct external *external, struct port *port, const struct port_policy *policy,
                     uint32_t *ret_number, GError **error)
{
    int result = vswitch_port_add(external->vswitch, port, policy, ret_number);

    if (result < 0)
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                    "the switch takes no port: %s", g_strerror(-result));
    return result == 0;
}

static void remove_ports(struct external *external)
{
    if (external->uplink)
        vswitch_port_remove(external->vswitch, external->uplink);
    port_packet_free(external->uplink);
    external->uplink = NULL;
    if (external->host)
        vswitch_port_remove(external->vswitch, external->host);
    port_tap_free(external->host);
    external->host = NULL;
}

/* The TAP, with the adapter's MAC and MTU; owned by external->host. */
static bool make_host(struct external *external, GError **error)
{
    const struct adapter *adapter = &external->bound;
    uint32_t mtu = MIN(adapter->mtu, REQUEST_MTU_MAX);
    struct port_policy policy = network_config_host_policy(external->config);
    int fd;

    if (!privileged_tap(external->config->bridge, adapter->mac, mtu, true, &fd, error))
        return false;
    external->tap = true;
    struct port *port = port_tap_new(fd, mtu, error);
    if (!port) {
        close(fd);
        return false;
    }
    if (!add_port(external, port, &policy, &external->host_number, error)) {
        port_tap_free(port);
        return false;
    }
    external->host = port;
    return true;
}

static void close_packet(const struct port_packet_fds *fds)
{
    close(fds->queue);
    if (fds->ring >= 0)
        close(fds->ring);
    if (fds->which >= 0)
        close(fds->which);
}

static bool make_uplink(struct external *external, GError **error)
{
    struct port_policy policy = network_config_uplink_policy(external->config);
    struct port_packet_fds fds;

    if (!privileged_packet(external->bound.name, &fds, error))
        return false;
    struct port *port = port_packet_new(&fds, error);
    if (!port) {
        close_packet(&fds);
        return false;
    }
    if (!add_port(external, port, &policy, &external->uplink_number, error)) {
        port_packet_free(port);
        return false;
    }
    external->uplink = port;
    return true;
}

/* --- Binding ---------------------------------------------------------------------------------- */

static struct request_take make_take(const struct external *external)
{
    struct request_take take = {.veth = external->config->forward_dev != NULL,
                                .force = external->config->adapter_force};

    g_strlcpy(take.vswitch, external->config->name, sizeof(take.vswitch));
    g_strlcpy(take.adapter, external->bound.name, sizeof(take.adapter));
    g_strlcpy(take.host_port, external->config->bridge, sizeof(take.host_port));
    return take;
}

static void unbind(struct external *external)
{
    struct request_take take = make_take(external);
    g_autoptr(GError) error = NULL;

    remove_ports(external);
    if (external->taken && !privileged_give_back(&take, &error))
        log_error("network %s: %s", external->config->name, error->message);
    external->taken = false;
    if (external->tap)
        privileged_tap_drop(external->config->bridge);
    external->tap = false;
    external->bound = (struct adapter){0};
}

static bool bind_adapter(struct external *external, const struct adapter *adapter,
                         const GArray *list, GError **error)
{
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);

    external->bound = *adapter;
    struct request_take take = make_take(external);
    /* Looked at before there is anything to undo: a refusal leaves no trace. */
    if (!adapter_fit(adapter, list, take.veth, take.force, error) || !make_host(external, error) ||
        !privileged_take(&take, reports, error))
        return false;
    external->taken = true;
    for (guint i = 0; i < reports->len; i++)
        log_warning("network %s: %s", external->config->name,
                    (const char *)g_ptr_array_index(reports, i));
    return make_uplink(external, error);
}

/* Tell once what has happened to the adapter. True if its MAC or MTU is another. */
static bool tell(const struct external *external, const struct adapter *adapter)
{
    const struct adapter *then = &external->bound;
    const char *network = external->config->name, *name = adapter->name;
    bool moved = memcmp(adapter->mac, then->mac, sizeof(adapter->mac)) != 0;
    char mac[MAC_TEXT];

    mac_print(adapter->mac, mac);
    if (adapter->carrier != then->carrier) {
        const char *state = adapter->carrier ? "up" : "down";

        log_info("network %s: adapter %s: link %s", network, name, state);
        event_emit("link", "network", network, "adapter", name, "state", state, NULL);
    }
    if (adapter->mtu != then->mtu)
        log_info("network %s: adapter %s: MTU %u", network, name, adapter->mtu);
    if (moved)
        log_info("network %s: adapter %s: MAC %s", network, name, mac);
    return moved || adapter->mtu != then->mtu;
}

/* Something has happened, perhaps to the adapter: the host's interface gets its MAC and MTU, and
 * what was put on the adapter meanwhile. With another MAC or MTU the ports are made anew. */
static bool follow(struct external *external, const struct adapter *adapter, GError **error)
{
    struct request_take take = make_take(external);
    bool anew = tell(external, adapter);
    g_autoptr(GError) reason = NULL;

    external->bound = *adapter;
    if (anew)
        remove_ports(external);
    if (!privileged_follow(&take, &reason))
        log_error("network %s: %s", external->config->name, reason->message);
    return !anew || (make_host(external, error) && make_uplink(external, error));
}

/* --- Looking ---------------------------------------------------------------------------------- */

/* `present`: index of the adapter that is bound, or was by a former life. */
static struct adapter_wish make_wish(const struct external *external, int present)
{
    const struct network_config *config = external->config;
    struct adapter_wish wish = {.kind = config->forward_dev      ? ADAPTER_NAMED
                                        : config->adapter_by_mac ? ADAPTER_BY_MAC
                                                                 : ADAPTER_AUTOMATIC,
                                .veth = config->forward_dev != NULL,
                                .present = present};

    g_strlcpy(wish.name, config->forward_dev ? config->forward_dev : "", sizeof(wish.name));
    memcpy(wish.mac, config->adapter_mac, sizeof(wish.mac));
    return wish;
}

static gboolean on_timer(void *context);

static void look_in(struct external *external, guint after_ms)
{
    if (external->timer)
        g_source_remove(external->timer);
    external->timer = g_timeout_add(after_ms, on_timer, external);
}

static const char *owner_of(const GArray *states, guint i)
{
    return g_array_index(states, struct request_state, i).taken_by;
}

/* The adapter to bind, a member of `list`, or NULL: wait. */
static const struct adapter *choose(const struct external *external, const GArray *list,
                                    const GArray *states)
{
    g_autoptr(GArray) busy = g_array_new(FALSE, FALSE, sizeof(int));
    int present = external->bound.index;

    for (guint i = 0; i < list->len; i++) {
        const char *owner = owner_of(states, i);
        int index = g_array_index(list, struct adapter, i).index;

        if (*owner && strcmp(owner, external->config->name) != 0)
            g_array_append_val(busy, index);
        else if (*owner && !present)
            present = index;
    }
    struct adapter_wish wish = make_wish(external, present);
    wish.busy = (const int *)(void *)busy->data;
    wish.busy_count = busy->len;
    return adapter_select(list, &wish);
}

/* Is the adapter, a member of `list`, the one that is bound, and has been all the time? */
static bool is_bound_to(const struct external *external, const struct adapter *adapter,
                        const GArray *list, const GArray *states)
{
    return adapter && adapter->index == external->bound.index &&
           !strcmp(adapter->name, external->bound.name) &&
           !g_array_index(states, struct request_state,
                          adapter - (const struct adapter *)(void *)list->data)
                .lost;
}

/* Why the network waits, while no adapter is to be had. */
static char *why_none(const struct network_config *config, const GArray *list)
{
    if (config->forward_dev)
        return g_strdup_printf("its adapter %s is not there; the network waits for it",
                               config->forward_dev);
    if (!config->adapter_by_mac)
        return g_strdup("no adapter that could be taken has a link; the network waits for one");
    for (guint i = 0; i < list->len; i++) {
        const struct adapter *adapter = &g_array_index(list, struct adapter, i);

        if (adapter_wears(adapter, config->adapter_mac))
            return g_strdup_printf("its adapter %s is %s, which cannot be taken", adapter->name,
                                   adapter_kind_text(adapter->kind));
    }
    return g_strdup("no adapter has the MAC address; the network waits for one");
}

static void emit(const struct external *external, const char *event, const char *adapter)
{
    event_emit(event, "network", external->config->name, "adapter", adapter, NULL);
}

/* From what is to what should be. `adapter` is NULL while there is none. */
static void settle(struct external *external, const struct adapter *adapter, const GArray *list,
                   const GArray *states)
{
    const struct adapter *bound = &external->bound;
    g_autoptr(GError) error = NULL;
    bool good = true;

    if (bound->index && !is_bound_to(external, adapter, list, states)) {
        g_autofree char *name = g_strdup(bound->name);

        log_info("network %s lets go of adapter %s", external->config->name, name);
        unbind(external);
        emit(external, "adapter-released", name);
    }
    if (!adapter)
        return;
    if (!bound->index) {
        good = bind_adapter(external, adapter, list, &error);
        if (good) {
            log_info("network %s is bound to adapter %s", external->config->name, bound->name);
            emit(external, "adapter-bound", bound->name);
        }
    } else {
        good = follow(external, adapter, &error);
    }
    if (!good) {
        unbind(external);
        look_in(external, RETRY_MS);
    }
    complain(external, good ? NULL : error->message);
}

static void look(struct external *external)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) states = NULL;
    g_autoptr(GArray) list = privileged_links(&states, &error);

    if (list) {
        const struct adapter *adapter = choose(external, list, states);
        g_autofree char *why = adapter ? NULL : why_none(external->config, list);

        settle(external, adapter, list, states);
        if (why)
            complain(external, why);
    } else {
        complain(external, error->message);
        look_in(external, RETRY_MS);
    }
}

static gboolean on_timer(void *context)
{
    struct external *external = context;

    external->timer = 0;
    look(external);
    return G_SOURCE_REMOVE;
}

/* What has changed is not told: everything is looked at anew, unless a retry is due anyway. */
static void on_change(void *context)
{
    struct external *external = context;

    if (!external->timer)
        look_in(external, SETTLE_MS);
}

/* --- Life ------------------------------------------------------------------------------------- */

struct external *external_new(const struct network_config *config, struct vswitch *vswitch,
                              GError **error)
{
    struct external *external = g_new0(struct external, 1);
    bool automatic = !config->forward_dev && !config->adapter_by_mac;

    external->config = config;
    external->vswitch = vswitch;
    if (!privileged_watch(automatic, config->forward_dev != NULL, on_change, external, error)) {
        external_free(external);
        return NULL;
    }
    look(external);
    return external;
}

void external_free(struct external *external)
{
    if (!external)
        return;
    privileged_unwatch(external);
    if (external->timer)
        g_source_remove(external->timer);
    unbind(external);
    g_free(external->complaint);
    g_free(external);
}

const char *external_adapter(const struct external *external)
{
    return external->bound.index ? external->bound.name : NULL;
}

const char *external_complaint(const struct external *external)
{
    return external->complaint;
}

struct port *external_host(const struct external *external, uint32_t *ret_number)
{
    *ret_number = external->host_number;
    return external->host;
}

struct port *external_uplink(const struct external *external, uint32_t *ret_number)
{
    *ret_number = external->uplink_number;
    return external->uplink;
}
