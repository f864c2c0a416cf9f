/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How vmbusctl prints a worker's answers. Members that an older or newer worker leaves out print as
 * "-".
 */
#include <inttypes.h>
#include <string.h>

#include <glib.h>

#include "src/tools/vmbusctl.h"

void show_json(struct json_object *object)
{
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                    JSON_C_TO_STRING_NOSLASHESCAPE));
}

void show_clean(const char *text)
{
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char_validated(c, -1);

        if ((gint32)character < 0 || !g_unichar_isprint(character)) {
            putchar('?');
            if ((gint32)character < 0)
                return; /* no UTF-8: nothing behind it can be trusted either */
        } else {
            fwrite(c, 1, (size_t)(g_utf8_next_char(c) - c), stdout);
        }
    }
}

/* --- Members ---------------------------------------------------------------------------------- */

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

static bool truth(struct json_object *object, const char *key)
{
    return json_object_get_boolean(member(object, key));
}

static uint64_t number(struct json_object *object, const char *key)
{
    return json_object_get_uint64(member(object, key));
}

static size_t length(struct json_object *list)
{
    return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* --- Status and list -------------------------------------------------------------------------- */

static void show_duration(uint64_t ms, char *out, size_t size)
{
    uint64_t s = ms / 1000;

    if (s < 60)
        snprintf(out, size, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
    else if (s < 86400)
        snprintf(out, size, "%" PRIu64 "h%02" PRIu64 "m%02" PRIu64 "s", s / 3600, s / 60 % 60,
                 s % 60);
    else
        snprintf(out, size, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

void show_status(struct json_object *status)
{
    static const char *const keys[] = {"name",    "uuid",     "machine",    "state",
                                       "pid",     "vcpus",    "memory_mib", "resets",
                                       "console", "console2", "bus_version"};
    struct json_object *crash = member(status, "crash");
    char uptime[32];

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        printf("%-12s %s\n", keys[i], text(status, keys[i]));
    show_duration(number(status, "uptime_ms"), uptime, sizeof(uptime));
    printf("%-12s %s\n", "uptime", uptime);
    if (!crash)
        return;
    printf("%-12s %s\n", "crash", text(crash, "parameters"));
    g_auto(GStrv) lines = g_strsplit(text(crash, "message"), "\n", -1);
    for (char **line = lines; *line; line++) {
        printf("%-12s ", "");
        show_clean(*line);
        putchar('\n');
    }
}

void show_list_head(void)
{
    printf("%-24s %-10s %8s %6s %9s  %s\n", "NAME", "STATE", "PID", "VCPUS", "MEMORY", "UPTIME");
}

void show_list_line(struct json_object *status)
{
    char uptime[32];

    show_duration(number(status, "uptime_ms"), uptime, sizeof(uptime));
    printf("%-24s %-10s %8s %6s %5s MiB  %s\n", text(status, "name"), text(status, "state"),
           text(status, "pid"), text(status, "vcpus"), text(status, "memory_mib"), uptime);
}

/* --- Integration ------------------------------------------------------------------------------ */

#define NO_CONTACT                                                       \
    "none: no contact on VMBus since boot: are the services installed? " \
    "Server 2003 needs Service Pack 2 first"

static void show_channels(struct json_object *channels)
{
    printf("%5s  %-12s %-5s  %-36s  %s\n", "RELID", "DEVICE", "OPEN", "INTERFACE", "INSTANCE");
    for (size_t i = 0; i < length(channels); i++) {
        struct json_object *channel = json_object_array_get_idx(channels, i);
        uint64_t subchannel = number(channel, "subchannel");
        char name[32];

        if (!truth(channel, "offered"))
            continue;
        snprintf(name, sizeof(name), subchannel ? "%s.%" PRIu64 : "%s", text(channel, "class"),
                 subchannel);
        printf("%5s  %-12s %-5s  %-36s  %s\n", text(channel, "relid"), name,
               truth(channel, "open") ? "yes" : "no", text(channel, "interface"),
               text(channel, "instance"));
    }
}

static const char *driver_state(struct json_object *service)
{
    if (truth(service, "negotiated"))
        return "running";
    if (truth(service, "open"))
        return "starting";
    return truth(service, "offered") ? "none" : "not offered";
}

static void show_heartbeat(struct json_object *service)
{
    struct json_object *seen = member(service, "last_seen_ms");

    printf("  %s", text(service, "state"));
    if (seen)
        printf(", last seen %.1f s ago", (double)json_object_get_uint64(seen) / 1000);
}

static void show_services(struct json_object *services)
{
    static const char *const names[] = {"heartbeat", "shutdown", "timesync", "kvp"};

    printf("%-12s %-12s %-10s %-8s\n", "SERVICE", "DRIVER", "FRAMEWORK", "VERSION");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        struct json_object *service = member(services, names[i]);

        if (!service)
            continue;
        printf("%-12s %-12s %-10s %-8s", names[i], driver_state(service),
               text(service, "framework"), text(service, "version"));
        if (member(service, "sequence") && truth(service, "negotiated"))
            show_heartbeat(service);
        putchar('\n');
    }
}

static void show_storage(const char *name, uint64_t index, struct json_object *storage)
{
    g_autofree char *label = g_strdup_printf("%s %" PRIu64, name, index);

    printf("%-12s %-12s %-10s %-8s\n", label, member(storage, "version") ? "running" : "none", "-",
           text(storage, "version"));
}

/* SCSI controllers, and IDE disks by their place: none where IDE itself still drives them. */
static void show_disks(struct json_object *scsi, struct json_object *ide)
{
    for (size_t i = 0; i < length(scsi); i++)
        show_storage("scsi", i, json_object_array_get_idx(scsi, i));
    for (size_t i = 0; i < length(ide); i++) {
        struct json_object *twin = json_object_array_get_idx(ide, i);

        show_storage("ide", number(twin, "unit"), twin);
    }
}

static void show_values(struct json_object *values)
{
    if (!values || !json_object_object_length(values))
        return;
    printf("\nGUEST VALUES\n");
    json_object_object_foreach(values, key, value)
    {
        show_clean(key);
        printf("%*s ", (int)MAX(24 - g_utf8_strlen(key, -1), 0), "");
        show_clean(value ? json_object_get_string(value) : "");
        putchar('\n');
    }
}

void show_integration(struct json_object *report)
{
    struct json_object *services = member(report, "services");

    printf("VMBus version %s\n\n",
           member(report, "bus_version") ? text(report, "bus_version") : NO_CONTACT);
    show_channels(member(report, "channels"));
    putchar('\n');
    show_services(services);
    show_disks(member(report, "scsi"), member(report, "ide_twins"));
    show_values(member(member(services, "kvp"), "guest"));
}

/* --- Statistics ------------------------------------------------------------------------------- */

/* Every number of `object`, with its place before it: "scsi.0.reads  12". */
static void show_numbers(const char *place, struct json_object *value)
{
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, inner)
        {
            g_autofree char *name = g_strdup_printf("%s%s%s", place, *place ? "." : "", key);

            show_numbers(name, inner);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            struct json_object *item = json_object_array_get_idx(value, i);
            struct json_object *class = member(item, "class");
            g_autofree char *name =
                class ? g_strdup_printf("%s.%s.%s", place, text(item, "relid"), text(item, "class"))
                      : g_strdup_printf("%s.%zu", place, i);

            show_numbers(name, item);
        }
    } else if (json_object_is_type(value, json_type_int)) {
        printf("%-44s %20s\n", place, json_object_get_string(value));
    }
}

void show_stats(struct json_object *stats)
{
    show_numbers("", stats);
}
