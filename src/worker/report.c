/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: from the machine's plain structures to JSON.
 */
#include "src/worker/report.h"

#include <stdio.h>
#include <unistd.h>

#include "src/common/json_add.h"
#include "src/common/mac.h"
#include "src/pc/tulip.h"

/* Text that a guest wrote. */
static void add_guest_text(struct json_object *object, const char *key, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    json_add_text(object, key, valid);
}

static void add_guid(struct json_object *object, const char *key, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    json_add_text(object, key, text);
}

/* "3.2" */
static void add_version(struct json_object *object, const char *key, unsigned major, unsigned minor)
{
    char text[24];

    snprintf(text, sizeof(text), "%u.%u", major, minor);
    json_add_text(object, key, text);
}

static void add_bus_version(struct json_object *object, const char *key, struct vmbus_bus *bus)
{
    uint32_t version = vmbus_bus_version(bus);
    char text[16];

    json_add_text(object, key, version ? vmbus_version_text(version, text) : NULL);
}

/* --- Status ----------------------------------------------------------------------------------- */

struct json_object *report_crash(const struct machine *machine)
{
    char message[MACHINE_CRASH_TEXT], number[24];
    uint64_t parameter[5];

    if (!machine_crash(machine, parameter, message, sizeof(message)))
        return NULL;
    struct json_object *object = json_object_new_object();
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < 5; i++) {
        snprintf(number, sizeof(number), "0x%llx", (unsigned long long)parameter[i]);
        json_object_array_add(list, json_object_new_string(number));
    }
    json_object_object_add(object, "parameters", list);
    add_guest_text(object, "message", message);
    return object;
}

struct json_object *report_status(struct machine *machine)
{
    struct json_object *object = json_object_new_object();
    const struct config *config = machine_config(machine);
    struct machine_stats stats;
    struct guid generation;

    machine_stats(machine, &stats);
    json_add_text(object, "name", config->name);
    add_guid(object, "uuid", &config->uuid);
    if (machine_generation(machine, &generation))
        add_guid(object, "generation_id", &generation);
    else
        json_object_object_add(object, "generation_id", NULL);
    json_add_text(object, "machine", config->machine);
    json_add_text(object, "state", machine_state_text(machine_state(machine)));
    json_add_number(object, "pid", (uint64_t)getpid());
    json_add_number(object, "vcpus", config->vcpus);
    json_add_number(object, "memory_mib", config->memory >> 20);
    json_add_number(object, "uptime_ms", stats.uptime_ns / 1000000);
    json_add_number(object, "resets", stats.resets);
    json_add_text(object, "console", machine_console(machine, 0));
    json_add_text(object, "console2", machine_console(machine, 1));
    add_bus_version(object, "bus_version", machine_bus(machine));
    json_object_object_add(object, "crash", report_crash(machine));
    return object;
}

/* --- Integration ------------------------------------------------------------------------------ */

/* What walks with vmbus_bus_channels(). */
struct channel_walk {
    const struct vsp *vsp;    /* the service looked for */
    bool offered;             /* it was found, offered */
    struct json_object *list; /* or: the list of all */
};

static void add_channel(const struct vmbus_channel_info *info, void *context)
{
    struct channel_walk *walk = context;
    struct json_object *object = json_object_new_object();

    json_add_text(object, "class", info->vsp->class->name);
    add_guid(object, "interface", &info->vsp->class->interface);
    add_guid(object, "instance", &info->vsp->instance);
    json_add_number(object, "relid", info->relid);
    json_add_number(object, "subchannel", info->index);
    json_add_bool(object, "offered", info->offered);
    json_add_bool(object, "open", info->open);
    json_add_number(object, "vp", info->target_vp);
    json_add_number(object, "packets_in", info->packets_in);
    json_add_number(object, "packets_out", info->packets_out);
    json_add_number(object, "interrupts_in", info->interrupts_in);
    json_add_number(object, "interrupts_out", info->interrupts_out);
    json_add_number(object, "faults", info->faults);
    json_object_array_add(walk->list, object);
}

static struct json_object *report_channels(struct machine *machine)
{
    struct channel_walk walk = {.list = json_object_new_array()};

    vmbus_bus_channels(machine_bus(machine), add_channel, &walk);
    return walk.list;
}

static void find_channel(const struct vmbus_channel_info *info, void *context)
{
    struct channel_walk *walk = context;

    if (info->vsp == walk->vsp)
        walk->offered |= info->offered;
}

/* The part that all services share. */
static struct json_object *report_service(struct machine *machine, const struct vsp *vsp,
                                          const struct ic_status *status)
{
    struct json_object *object = json_object_new_object();
    struct channel_walk walk = {.vsp = vsp};

    vmbus_bus_channels(machine_bus(machine), find_channel, &walk);
    json_add_bool(object, "offered", walk.offered);
    json_add_bool(object, "open", status->open);
    json_add_bool(object, "negotiated", status->negotiated);
    if (status->negotiated) {
        add_version(object, "framework", status->framework_major, status->framework_minor);
        add_version(object, "version", status->message_major, status->message_minor);
    }
    return object;
}

static struct json_object *report_heartbeat(struct machine *machine, struct heartbeat *heartbeat)
{
    static const char *const states[] = {"unknown", "healthy", "critical", "stopped"};
    struct heartbeat_status status;

    heartbeat_status(heartbeat, &status);
    struct json_object *object = report_service(machine, heartbeat_vsp(heartbeat), &status.ic);
    uint64_t age = lane_now() - status.last_seen_ns;
    json_object_object_add(object, "last_seen_ms",
                           status.last_seen_ns ? json_object_new_uint64(age / 1000000) : NULL);
    json_add_text(object, "state", states[status.state < G_N_ELEMENTS(states) ? status.state : 0]);
    json_add_number(object, "sequence", status.sequence);
    json_add_number(object, "missed", status.missed);
    return object;
}

static void add_pair(const char *key, const char *value, void *context)
{
    g_autofree char *valid = g_utf8_make_valid(key, -1);

    add_guest_text(context, valid, value);
}

static struct json_object *report_kvp(struct machine *machine, struct kvp *kvp)
{
    struct ic_status status;

    kvp_status(kvp, &status);
    struct json_object *object = report_service(machine, kvp_vsp(kvp), &status);
    struct json_object *values = json_object_new_object();
    kvp_guest_values(kvp, add_pair, values);
    json_object_object_add(object, "guest", values);
    return object;
}

static struct json_object *report_services(struct machine *machine)
{
    struct json_object *object = json_object_new_object();
    struct heartbeat *heartbeat = machine_heartbeat(machine);
    struct shutdown *shutdown = machine_shutdown(machine);
    struct timesync *timesync = machine_timesync(machine);
    struct kvp *kvp = machine_kvp(machine);
    struct ic_status status;

    if (heartbeat)
        json_object_object_add(object, "heartbeat", report_heartbeat(machine, heartbeat));
    if (shutdown) {
        shutdown_status(shutdown, &status);
        json_object_object_add(object, "shutdown",
                               report_service(machine, shutdown_vsp(shutdown), &status));
    }
    if (timesync) {
        timesync_status(timesync, &status);
        json_object_object_add(object, "timesync",
                               report_service(machine, timesync_vsp(timesync), &status));
    }
    if (kvp)
        json_object_object_add(object, "kvp", report_kvp(machine, kvp));
    return object;
}

static struct json_object *report_stor(struct storvsp *stor, bool counters)
{
    struct json_object *object = json_object_new_object();
    uint16_t version = storvsp_version(stor);
    struct storvsp_stats stats;

    add_guid(object, "instance", &storvsp_vsp(stor)->instance);
    if (version)
        add_version(object, "version", version >> 8, version & 0xff);
    if (counters) {
        storvsp_stats(stor, &stats);
        json_add_number(object, "reads", stats.reads);
        json_add_number(object, "writes", stats.writes);
        json_add_number(object, "flushes", stats.flushes);
        json_add_number(object, "discards", stats.discards);
        json_add_number(object, "other", stats.other);
        json_add_number(object, "errors", stats.errors);
        json_add_number(object, "bytes_read", stats.bytes_read);
        json_add_number(object, "bytes_written", stats.bytes_written);
    }
    return object;
}

static struct json_object *report_scsi(struct machine *machine, bool counters)
{
    struct json_object *list = json_object_new_array();
    struct storvsp *scsi;

    for (unsigned i = 0; (scsi = machine_scsi(machine, i)); i++)
        json_object_array_add(list, report_stor(scsi, counters));
    return list;
}

/* The IDE disks that are on the VMBus too. */
static struct json_object *report_ide_twins(struct machine *machine, bool counters)
{
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < LIMIT_IDE_DRIVES; i++) {
        struct storvsp *twin = machine_ide_twin(machine, i);
        if (!twin)
            continue;
        struct json_object *object = report_stor(twin, counters);
        json_add_number(object, "unit", i);
        json_object_array_add(list, object);
    }
    return list;
}

static void add_nic(struct json_object *object, const uint8_t mac[6], uint32_t mtu, unsigned queues)
{
    char text[MAC_TEXT];

    mac_print(mac, text);
    json_add_text(object, "mac", text);
    json_add_number(object, "mtu", mtu);
    json_add_number(object, "queues", queues);
}

static void add_nic_counters(struct json_object *object, const struct netvsp *nic)
{
    struct netvsp_stats stats;

    netvsp_stats(nic, &stats);
    json_add_number(object, "frames_in", stats.frames_in);
    json_add_number(object, "bytes_in", stats.bytes_in);
    json_add_number(object, "frames_out", stats.frames_out);
    json_add_number(object, "bytes_out", stats.bytes_out);
    json_add_number(object, "no_buffer_in", stats.no_buffer_in);
    json_add_number(object, "filtered_in", stats.filtered_in);
    json_add_number(object, "dropped_in", stats.dropped_in);
    json_add_number(object, "dropped_out", stats.dropped_out);
    json_add_number(object, "bad_out", stats.bad_out);
    json_add_number(object, "ignored_out", stats.ignored_out);
    json_add_number(object, "stalls_in", stats.stalls_in);
    json_add_number(object, "stalls_out", stats.stalls_out);
}

static struct json_object *report_nic(struct netvsp *nic, bool counters)
{
    struct json_object *object = json_object_new_object();
    struct netvsp_info info;

    netvsp_info(nic, &info);
    add_guid(object, "instance", &netvsp_vsp(nic)->instance);
    if (info.nvsp)
        add_version(object, "version", info.nvsp >> 16, info.nvsp & 0xffff);
    json_add_bool(object, "attached", info.attached);
    json_add_bool(object, "link", info.link);
    add_nic(object, info.mac, info.mtu, info.channels);
    if (counters)
        add_nic_counters(object, nic);
    return object;
}

static void add_legacy_counters(struct json_object *object, const struct tulip *nic)
{
    struct tulip_stats stats;

    tulip_stats(nic, &stats);
    json_add_number(object, "frames_in", stats.frames_in);
    json_add_number(object, "bytes_in", stats.bytes_in);
    json_add_number(object, "frames_out", stats.frames_out);
    json_add_number(object, "bytes_out", stats.bytes_out);
    json_add_number(object, "filtered_in", stats.filtered_in);
    json_add_number(object, "dropped_in", stats.dropped_in);
    json_add_number(object, "dropped_out", stats.dropped_out);
    json_add_number(object, "bad_out", stats.bad_out);
    json_add_number(object, "stalls_in", stats.stalls_in);
    json_add_number(object, "stalls_out", stats.stalls_out);
}

static struct json_object *report_legacy_nic(const struct tulip *nic,
                                             const struct config_nic *config, bool counters)
{
    struct json_object *object = json_object_new_object();
    bool attached = tulip_attached(nic);

    json_add_text(object, "model", "legacy");
    json_add_bool(object, "attached", attached);
    json_add_bool(object, "link", attached);
    add_nic(object, config->mac, config->mtu, 1);
    if (counters)
        add_legacy_counters(object, nic);
    return object;
}

/* By number. */
static struct json_object *report_nics(struct machine *machine, bool counters)
{
    const struct config *config = machine_config(machine);
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < LIMIT_NICS; i++) {
        struct tulip *legacy = machine_legacy_nic(machine, i);
        struct netvsp *nic = machine_nic(machine, i);
        struct json_object *object;

        if (!legacy && !nic)
            continue;
        object = legacy ? report_legacy_nic(legacy, &config->nic[i], counters)
                        : report_nic(nic, counters);
        json_add_number(object, "nic", i);
        json_object_array_add(list, object);
    }
    return list;
}

static struct json_object *report_nic_config(const struct config_nic *nic, bool leaving)
{
    struct json_object *object = json_object_new_object();

    json_add_text(object, "state", !nic ? "absent" : leaving ? "leaving" : "present");
    if (!nic)
        return object;
    add_nic(object, nic->mac, nic->mtu, nic->queues);
    if (nic->network)
        json_add_text(object, "network", nic->network);
    if (nic->portgroup)
        json_add_text(object, "portgroup", nic->portgroup);
    return object;
}

struct json_object *report_nic_configs(struct machine *machine)
{
    struct json_object *list = json_object_new_array();
    unsigned count = LIMIT_NICS;
    bool leaving;

    while (count > machine_config(machine)->nics &&
           !machine_nic_config(machine, count - 1, &leaving))
        count--;
    for (unsigned i = 0; i < count; i++) {
        const struct config_nic *nic = machine_nic_config(machine, i, &leaving);

        json_object_array_add(list, report_nic_config(nic, leaving));
    }
    return list;
}

struct json_object *report_integration(struct machine *machine)
{
    struct json_object *object = json_object_new_object();

    add_bus_version(object, "bus_version", machine_bus(machine));
    json_object_object_add(object, "channels", report_channels(machine));
    json_object_object_add(object, "services", report_services(machine));
    json_object_object_add(object, "scsi", report_scsi(machine, false));
    json_object_object_add(object, "ide_twins", report_ide_twins(machine, false));
    json_object_object_add(object, "nics", report_nics(machine, false));
    return object;
}

/* --- Statistics ------------------------------------------------------------------------------- */

static struct json_object *report_bus_stats(struct machine *machine)
{
    struct json_object *object = json_object_new_object();
    struct vmbus_bus_stats stats;

    vmbus_bus_stats(machine_bus(machine), &stats);
    json_add_number(object, "messages_in", stats.messages_in);
    json_add_number(object, "messages_out", stats.messages_out);
    json_add_number(object, "messages_bad", stats.messages_bad);
    json_add_number(object, "posts_refused", stats.posts_refused);
    json_add_number(object, "connects", stats.connects);
    return object;
}

struct json_object *report_stats(struct machine *machine)
{
    struct json_object *object = json_object_new_object();
    struct machine_stats stats;

    machine_stats(machine, &stats);
    json_add_number(object, "uptime_ns", stats.uptime_ns);
    json_add_number(object, "user_exits", stats.user_exits);
    json_object_object_add(object, "exits",
                           stats.exits ? json_object_new_uint64(stats.exits) : NULL);
    json_add_number(object, "resets", stats.resets);
    json_add_number(object, "vcpu_time_ns", stats.vcpu_time_ns);
    json_add_number(object, "process_time_ns", stats.process_time_ns);
    json_object_object_add(object, "bus", report_bus_stats(machine));
    json_object_object_add(object, "channels", report_channels(machine));
    json_object_object_add(object, "scsi", report_scsi(machine, true));
    json_object_object_add(object, "ide_twins", report_ide_twins(machine, true));
    json_object_object_add(object, "nics", report_nics(machine, true));
    return object;
}
