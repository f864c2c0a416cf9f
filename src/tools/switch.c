/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl switch: what vmbusd knows of its virtual switches.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "src/tools/vm_client.h"
#include "src/tools/vmbusctl.h"

#define WATCH_EVERY 1

static struct json_object *member(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(object, key, &value);
    return value;
}

static const char *text(struct json_object *object, const char *key)
{
    struct json_object *value = member(object, key);

    return value ? json_object_get_string(value) : "-";
}

static uint64_t number(struct json_object *object, const char *key)
{
    return json_object_get_uint64(member(object, key));
}

static size_t length(struct json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* --- Tables ----------------------------------------------------------------------------------- */

static void show_networks(struct json_object *list)
{
    printf("%-20s %-9s %-8s %-15s %6s %6s  %s\n", "NETWORK", "KIND", "STATE", "INTERFACE", "MTU",
           "PORTS", "ADAPTER");
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *network = json_object_array_get_idx(list, i);

        printf("%-20s %-9s %-8s %-15s %6s %6s  %s\n", text(network, "name"), text(network, "kind"),
               text(network, "state"), text(network, "interface"), text(network, "mtu"),
               text(network, "ports"), text(network, "adapter"));
        if (member(network, "failure"))
            printf("  %s\n", text(network, "failure"));
        if (member(network, "warning"))
            printf("  warning: %s\n", text(network, "warning"));
    }
}

/* "spoofed 3, storm 12", or "-". */
static void show_drops(struct json_object *drops)
{
    bool first = true;

    if (json_object_is_type(drops, json_type_object)) {
        json_object_object_foreach(drops, cause, count)
        {
            printf("%s%s %" PRIu64, first ? "" : ", ", cause, json_object_get_uint64(count));
            first = false;
        }
    }
    if (first)
        putchar('-');
}

static void show_ports(struct json_object *list)
{
    printf("%5s  %-8s %-6s %-24s %-12s %-10s %-17s %s\n", "PORT", "KIND", "STATE", "NAME",
           "PORTGROUP", "VLAN", "MAC", "ADDRESSES");
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *port = json_object_array_get_idx(list, i);

        printf("%5s  %-8s %-6s %-24s %-12s %-10s %-17s %" PRIu64 "\n", text(port, "port"),
               text(port, "kind"), text(port, "state"), text(port, "name"), text(port, "portgroup"),
               text(member(port, "policy"), "vlan"), text(port, "mac"),
               number(member(port, "stats"), "addresses"));
    }
}

static void show_port_stats(struct json_object *list)
{
    printf("%5s  %-24s %12s %14s %12s %14s\n", "PORT", "NAME", "FRAMES IN", "BYTES IN",
           "FRAMES OUT", "BYTES OUT");
    for (size_t i = 0; i < length(list); i++) {
        struct json_object *port = json_object_array_get_idx(list, i);
        struct json_object *stats = member(port, "stats");

        printf("%5s  %-24s %12" PRIu64 " %14" PRIu64 " %12" PRIu64 " %14" PRIu64 "\n",
               text(port, "port"), text(port, "name"), number(stats, "frames_in"),
               number(stats, "bytes_in"), number(stats, "frames_out"), number(stats, "bytes_out"));
        printf("       dropped from it: ");
        show_drops(member(stats, "drops_in"));
        printf("; to it: ");
        show_drops(member(stats, "drops_out"));
        putchar('\n');
    }
}

static void show_network(struct json_object *network)
{
    static const char *const keys[] = {"name",    "uuid",      "kind",    "state", "failure",
                                       "warning", "interface", "adapter", "mtu"};
    struct json_object *stations = member(network, "stations");
    struct json_object *addresses = member(network, "addresses");

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        printf("%-12s %s\n", keys[i], text(network, keys[i]));
    printf("%-12s %s", "addresses", length(addresses) ? "" : "-");
    for (size_t i = 0; i < length(addresses); i++)
        printf("%s%s", i ? ", " : "",
               json_object_get_string(json_object_array_get_idx(addresses, i)));
    fputs("\n\n", stdout);
    show_ports(member(network, "ports"));
    printf("\n%-17s %5s %5s %6s\n", "STATION", "VLAN", "PORT", "AGE");
    for (size_t i = 0; i < length(stations); i++) {
        struct json_object *station = json_object_array_get_idx(stations, i);

        printf("%-17s %5s %5s %5ss\n", text(station, "mac"), text(station, "vlan"),
               text(station, "port"), text(station, "age_s"));
    }
}

/* --- The subcommand --------------------------------------------------------------------------- */

static const struct view {
    const char *name, *command;
    bool network; /* of one */
    void (*show)(struct json_object *answer);
} views[] = {{"list", "networks", false, show_networks},
             {"show", "network", true, show_network},
             {"ports", "ports", true, show_ports},
             {"stats", "ports", true, show_port_stats},
             {NULL, NULL, false, NULL}};

static int show_once(struct vm_client *client, const struct vmbusctl_options *options,
                     const struct view *view)
{
    struct json_object *arguments = NULL;
    g_autoptr(GError) error = NULL;

    if (view->network) {
        arguments = json_object_new_object();
        json_object_object_add(arguments, "name", json_object_new_string(options->arg[1]));
    }
    struct json_object *answer =
        vm_client_call(client, view->command, arguments, VMBUSCTL_CALL_S, &error);
    if (error)
        return vmbusctl_fail(error);
    if (options->json)
        show_json(answer);
    else
        view->show(answer);
    json_object_put(answer);
    return fflush(stdout) == 0 ? VMBUSCTL_OK : VMBUSCTL_FAILED;
}

/* True if the event is about the network (NULL: any). */
static bool is_about(struct json_object *event, const char *network)
{
    return member(event, "event") &&
           (!network || !strcmp(text(member(event, "data"), "network"), network));
}

/* Until vmbusd ends. */
static int follow_events(struct vm_client *client, const char *network)
{
    g_autoptr(GError) error = NULL;
    struct json_object *event;
    bool broken = false;

    json_object_put(vm_client_call(client, "events", NULL, VMBUSCTL_CALL_S, &error));
    while (!error && !broken && (event = vm_client_next(client, -1, &error))) {
        if (is_about(event, network))
            puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
        broken = fflush(stdout) != 0;
        json_object_put(event);
    }
    return error ? vmbusctl_fail(error) : broken ? VMBUSCTL_FAILED : VMBUSCTL_OK;
}

static int run_events(const struct vmbusctl_options *options)
{
    g_autoptr(GError) error = NULL;
    struct vm_client *client = vm_client_open_daemon(options->run_dir, &error);

    if (!client)
        return vmbusctl_fail(error);
    int status = follow_events(client, options->args == 2 ? options->arg[1] : NULL);
    vm_client_free(client);
    return status;
}

static int bad_words(void)
{
    fputs(
        "vmbusctl: give switch list, or switch show, ports or stats with the name of a network, or "
        "switch events\n",
        stderr);
    return VMBUSCTL_USAGE;
}

int vmbusctl_switch(const struct vmbusctl_options *options)
{
    const struct view *view = views;
    g_autoptr(GError) error = NULL;
    bool terminal = isatty(STDOUT_FILENO) && !options->json;

    if (options->args && !strcmp(options->arg[0], "events"))
        return options->args <= 2 && !options->watch ? run_events(options) : bad_words();
    while (view->name && (!options->args || strcmp(view->name, options->arg[0]) != 0))
        view++;
    if (!view->name || options->args != 1 + view->network)
        return bad_words();
    struct vm_client *client = vm_client_open_daemon(options->run_dir, &error);
    if (!client)
        return vmbusctl_fail(error);
    int status;
    do {
        if (options->watch && terminal)
            fputs("\033[H\033[2J", stdout);
        status = show_once(client, options, view);
        if (options->watch && status == VMBUSCTL_OK)
            sleep(WATCH_EVERY);
    } while (options->watch && status == VMBUSCTL_OK);
    vm_client_free(client);
    return status;
}
