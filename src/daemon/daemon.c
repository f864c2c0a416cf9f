/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon put together: see daemon.h. The commands of its socket are in vmbusd(8).
 */
#include "src/daemon/daemon.h"

#include <string.h>

#include "src/common/json.h"
#include "src/common/log.h"
#include "src/daemon/event.h"
#include "src/daemon/networks.h"
#include "src/daemon/server.h"
#include "src/daemon/workers.h"

struct daemon {
    struct networks *networks;
    struct workers *workers;
    struct server *server;
};

/* --- Commands --------------------------------------------------------------------------------- */

/* The network that the arguments name, or NULL with `error`. */
static struct network *named(struct daemon *daemon, struct json_object *arguments, GError **error)
{
    static const struct json_key keys[] = {{"name", JSON_TEXT, .required = true, .max = 255},
                                           {.name = NULL}};
    static const struct json_at at = {.key = "arguments"};
    g_autoptr(GError) reason = NULL;
    struct json_object *empty = json_object_new_object();
    char *name = NULL;
    bool good = json_read_object(&at, arguments ? arguments : empty, keys, &name, &reason);
    struct network *network = good ? networks_find(daemon->networks, name) : NULL;

    if (!good) {
        g_set_error(error, SERVER_ERROR, SERVER_ERROR_REQUEST, "%s", reason->message);
    } else if (!network) {
        g_autofree char *quoted = json_quote(name);

        g_set_error(error, SERVER_ERROR, SERVER_ERROR_REQUEST,
                    "there is no network %s; vmbusctl switch list shows those that there are",
                    quoted);
    }
    json_object_put(empty);
    g_free(name);
    return network;
}

static struct json_object *ports_of(const struct daemon *daemon, const struct network *network)
{
    struct json_object *array = json_object_new_array();

    network_ports(network, array);
    workers_ports(daemon->workers, network, array);
    return array;
}

static struct json_object *run_networks(struct daemon *daemon, struct json_object *arguments,
                                        GError **error)
{
    const GPtrArray *all = networks_all(daemon->networks);
    struct json_object *array = json_object_new_array();

    (void)arguments;
    (void)error;
    for (guint i = 0; i < all->len; i++) {
        const struct network *network = g_ptr_array_index(all, i);
        struct json_object *object = network_report(network);
        struct json_object *ports = ports_of(daemon, network);

        json_object_object_add(object, "ports",
                               json_object_new_uint64(json_object_array_length(ports)));
        json_object_put(ports);
        json_object_array_add(array, object);
    }
    return array;
}

static struct json_object *run_network(struct daemon *daemon, struct json_object *arguments,
                                       GError **error)
{
    const struct network *network = named(daemon, arguments, error);

    if (!network)
        return NULL;
    struct json_object *object = network_report(network);
    struct json_object *stations = json_object_new_array();
    g_autofree char *xml = network_config_print(network_config(network));

    network_stations(network, stations);
    json_object_object_add(object, "ports", ports_of(daemon, network));
    json_object_object_add(object, "stations", stations);
    json_object_object_add(object, "xml", json_object_new_string(xml));
    return object;
}

static struct json_object *run_ports(struct daemon *daemon, struct json_object *arguments,
                                     GError **error)
{
    const struct network *network = named(daemon, arguments, error);

    return network ? ports_of(daemon, network) : NULL;
}

static struct json_object *run_machines(struct daemon *daemon, struct json_object *arguments,
                                        GError **error)
{
    struct json_object *array = json_object_new_array();

    (void)arguments;
    (void)error;
    workers_report(daemon->workers, array);
    return array;
}

static struct json_object *run_reload(struct daemon *daemon, struct json_object *arguments,
                                      GError **error)
{
    (void)arguments;
    (void)error;
    daemon_reload(daemon);
    return json_object_new_object();
}

static const struct command {
    const char *name;
    struct json_object *(*run)(struct daemon *daemon, struct json_object *arguments,
                               GError **error);
} commands[] = {{"networks", run_networks}, {"network", run_network}, {"ports", run_ports},
                {"machines", run_machines}, {"reload", run_reload},   {NULL, NULL}};

static struct json_object *execute(void *context, const char *name, struct json_object *arguments,
                                   GError **error)
{
    const struct command *command = commands;

    while (command->name && strcmp(command->name, name) != 0)
        command++;
    if (command->name)
        return command->run(context, arguments, error);
    g_autofree char *quoted = json_quote(name);
    g_set_error(error, SERVER_ERROR, SERVER_ERROR_UNKNOWN_COMMAND, "%s is no command", quoted);
    return NULL;
}

/* --- Life ------------------------------------------------------------------------------------- */

static void tell(void *context, struct json_object *event)
{
    struct daemon *daemon = context;

    server_event(daemon->server, event);
}

void daemon_reload(struct daemon *daemon)
{
    unsigned refused = networks_load(daemon->networks) + workers_load(daemon->workers);

    if (refused)
        log_warning("%u configuration files were refused", refused);
}

struct daemon *daemon_new(const struct daemon_settings *settings, int listener)
{
    struct daemon *daemon = g_new0(struct daemon, 1);
    g_autofree char *networks = g_build_filename(settings->config_dir, "networks", NULL);
    g_autofree char *machines = g_build_filename(settings->config_dir, "machines", NULL);
    struct workers_settings workers = {.folder = machines, .run_dir = settings->run_dir};

    daemon->server = server_new(listener, settings->owner, execute, daemon);
    event_listen(tell, daemon);
    daemon->networks = networks_new(networks);
    daemon->workers = workers_new(&workers, daemon->networks);
    daemon_reload(daemon);
    return daemon;
}

void daemon_free(struct daemon *daemon)
{
    if (!daemon)
        return;
    workers_free(daemon->workers);
    networks_free(daemon->networks);
    event_listen(NULL, NULL);
    server_free(daemon->server);
    g_free(daemon);
}
