/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See fake_machine.h. Device pointers are the machine itself: nobody but this file follows them.
 */
#include "tests/unit/fake_machine.h"

#include <errno.h>
#include <string.h>

static struct machine fake;
static struct config_nic nic = {.mtu = 1500, .queues = 2};
static const struct vsp_class classes[] = {
    {.name = "storvsp", .interface = {{1}}},  {.name = "heartbeat", .interface = {{2}}},
    {.name = "shutdown", .interface = {{3}}}, {.name = "timesync", .interface = {{4}}},
    {.name = "kvp", .interface = {{5}}},      {.name = "netvsp", .interface = {{6}}},
};
static struct vsp vsps[] = {{.class = &classes[0], .instance = {{0x11}}},
                            {.class = &classes[1]},
                            {.class = &classes[2]},
                            {.class = &classes[3]},
                            {.class = &classes[4]},
                            {.class = &classes[5], .instance = {{0x22}}}};
static const struct ic_status negotiated = {
    .open = true, .negotiated = true, .framework_major = 3, .message_major = 3, .message_minor = 2};

struct machine *fake_machine_new(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.config.name = g_strdup("vm1");
    fake.config.machine = g_strdup("vmbusd-0.1");
    fake.config.memory = 512ull << 20;
    fake.config.vcpus = 2;
    fake.config.nic = &nic;
    fake.config.nics = 1;
    fake.drive = (struct config_lun){.lun = 2, .type = CONFIG_DVD};
    fake.config.ide = &fake.drive;
    fake.config.ides = 1;
    fake.state = MACHINE_RUNNING;
    fake.disc = -1;
    fake.has_heartbeat = fake.has_shutdown = fake.has_timesync = fake.has_kvp = true;
    fake.kvp_pairs = 2;
    fake.lane = lane_new("fake");
    return &fake;
}

void fake_machine_free(struct machine *machine)
{
    netvsp_detach((struct netvsp *)machine);
    lane_free(machine->lane);
    g_free(machine->config.name);
    g_free(machine->config.machine);
}

void fake_machine_emit(struct machine *machine, enum machine_event event)
{
    if (machine->event)
        machine->event(event, machine->context);
}

void fake_machine_answer(struct machine *machine, int64_t status)
{
    void (*answer)(void *context, int64_t status) = machine->answer;

    machine->answer = NULL;
    answer(machine->answer_context, status);
}

/* --- The machine ------------------------------------------------------------------------------ */

void machine_listen(struct machine *machine, void (*event)(enum machine_event event, void *context),
                    void *context)
{
    machine->event = event;
    machine->context = context;
}

enum machine_state machine_state(const struct machine *machine)
{
    return machine->state;
}

const char *machine_state_text(enum machine_state state)
{
    return state == MACHINE_RUNNING ? "running" : state == MACHINE_PAUSED ? "paused" : "stopped";
}

const char *machine_event_text(enum machine_event event)
{
    static const char *const text[] = {"running", "paused", "reset", "poweroff",
                                       "crash",   "nics",   "error", "stopped"};

    return text[event];
}

const struct config *machine_config(const struct machine *machine)
{
    return &machine->config;
}

int machine_pause(struct machine *machine)
{
    if (machine->state != MACHINE_RUNNING)
        return -EINVAL;
    machine->state = MACHINE_PAUSED;
    fake_machine_emit(machine, MACHINE_EVENT_PAUSED);
    return 0;
}

int machine_resume(struct machine *machine)
{
    if (machine->state != MACHINE_PAUSED)
        return -EINVAL;
    machine->state = MACHINE_RUNNING;
    return 0;
}

int machine_reset(struct machine *machine)
{
    machine->resets++;
    return 0;
}

void machine_stop(struct machine *machine)
{
    machine->state = MACHINE_STOPPED;
    lane_stop(machine->lane);
}

bool machine_crash(const struct machine *machine, uint64_t parameter[5], char *message,
                   unsigned size)
{
    if (!machine->crashed)
        return false;
    for (unsigned i = 0; i < 5; i++)
        parameter[i] = i + 0xa0;
    g_strlcpy(message, "Kernel panic\n\xff", size);
    return true;
}

struct vmbus_bus *machine_bus(struct machine *machine)
{
    return (struct vmbus_bus *)machine;
}

struct heartbeat *machine_heartbeat(struct machine *machine)
{
    return machine->has_heartbeat ? (struct heartbeat *)machine : NULL;
}

struct shutdown *machine_shutdown(struct machine *machine)
{
    return machine->has_shutdown ? (struct shutdown *)machine : NULL;
}

struct timesync *machine_timesync(struct machine *machine)
{
    return machine->has_timesync ? (struct timesync *)machine : NULL;
}

struct kvp *machine_kvp(struct machine *machine)
{
    return machine->has_kvp ? (struct kvp *)machine : NULL;
}

struct storvsp *machine_scsi(struct machine *machine, unsigned index)
{
    return index == 0 ? (struct storvsp *)machine : NULL;
}

const struct config_nic *machine_nic_config(const struct machine *machine, unsigned index,
                                            bool *ret_leaving)
{
    *ret_leaving = machine->nic_leaves;
    return index ? NULL : &nic;
}

/* The second one fits. */
int machine_nic_add(struct machine *machine, const struct config_nic *added, GError **error)
{
    if (machine->nic_added.mtu) {
        g_set_error_literal(error, g_quark_from_static_string("fake"), 0, "no room");
        return -1;
    }
    machine->nic_added = *added;
    machine->nic_added.network = machine->nic_added.portgroup = NULL;
    return 1;
}

bool machine_nic_remove(struct machine *machine, unsigned index, GError **error)
{
    if (!index && !machine->nic_leaves)
        return machine->nic_leaves = true;
    g_set_error_literal(error, g_quark_from_static_string("fake"), 0, "not there");
    return false;
}

bool machine_change_media(struct machine *machine, unsigned unit, int fd,
                          void (*done)(void *context), void *context, GError **error)
{
    if (unit != 2) {
        if (fd >= 0)
            close(fd);
        g_set_error(error, g_quark_from_static_string("fake"), 0, "IDE unit %u is no drive", unit);
        return false;
    }
    if (machine->disc >= 0)
        close(machine->disc);
    machine->disc = fd;
    done(context);
    return true;
}

struct storvsp *machine_ide_twin(struct machine *machine, unsigned unit)
{
    return unit == 1 ? (struct storvsp *)machine : NULL;
}

struct netvsp *machine_nic(struct machine *machine, unsigned index)
{
    return index == 0 ? (struct netvsp *)machine : NULL;
}

struct tulip *machine_legacy_nic(struct machine *machine, unsigned index)
{
    (void)machine;
    (void)index;
    return NULL;
}

void machine_stats(const struct machine *machine, struct machine_stats *ret_stats)
{
    *ret_stats = (struct machine_stats){.uptime_ns = 5000000000, .resets = machine->resets};
}

struct screen *machine_screen(struct machine *machine)
{
    return machine->screen;
}

struct typist *machine_typist(struct machine *machine)
{
    return machine->typist;
}

bool machine_generation(const struct machine *machine, struct guid *ret_id)
{
    *ret_id = machine->generation;
    return !machine->no_generation;
}

bool machine_set_generation(struct machine *machine, const struct guid *id)
{
    machine->generation = *id;
    return !machine->no_generation;
}

const char *machine_console(const struct machine *machine, unsigned number)
{
    (void)machine;
    return number ? "/dev/pts/8" : "/dev/pts/7";
}

struct lane *machine_lane(struct machine *machine)
{
    return machine->lane;
}

/* --- The bus and its devices ------------------------------------------------------------------ */

uint32_t vmbus_bus_version(const struct vmbus_bus *bus)
{
    return ((const struct machine *)bus)->silent ? 0 : VMBUS_V5_2;
}

const char *vmbus_version_text(uint32_t version, char text[16])
{
    g_snprintf(text, 16, "%u.%u", version >> 16, version & 0xffff);
    return text;
}

void vmbus_bus_stats(const struct vmbus_bus *bus, struct vmbus_bus_stats *ret_stats)
{
    (void)bus;
    *ret_stats = (struct vmbus_bus_stats){.messages_in = 7};
}

void vmbus_bus_channels(const struct vmbus_bus *bus,
                        void (*each)(const struct vmbus_channel_info *, void *), void *context)
{
    (void)bus;
    for (unsigned i = 0; i < G_N_ELEMENTS(vsps); i++) {
        struct vmbus_channel_info info = {
            .vsp = &vsps[i], .relid = i + 1, .offered = true, .open = true, .packets_in = 10 * i};

        each(&info, context);
    }
}

struct vsp *storvsp_vsp(struct storvsp *storvsp)
{
    (void)storvsp;
    return &vsps[0];
}

uint16_t storvsp_version(const struct storvsp *storvsp)
{
    (void)storvsp;
    return 0x0602;
}

void storvsp_stats(const struct storvsp *storvsp, struct storvsp_stats *ret_stats)
{
    (void)storvsp;
    *ret_stats = (struct storvsp_stats){.reads = 3, .bytes_read = 12288};
}

struct vsp *netvsp_vsp(struct netvsp *netvsp)
{
    (void)netvsp;
    return &vsps[5];
}

int netvsp_attach(struct netvsp *netvsp, const struct port_ring_fds *fds, unsigned queues)
{
    struct machine *machine = (struct machine *)netvsp;

    if (machine->attach_result < 0)
        return machine->attach_result;
    netvsp_detach(netvsp);
    machine->port = *fds;
    machine->port_queues = queues;
    return 0;
}

void netvsp_detach(struct netvsp *netvsp)
{
    struct machine *machine = (struct machine *)netvsp;

    if (!machine->port_queues)
        return;
    port_ring_close(&machine->port, machine->port_queues);
    machine->port_queues = 0;
    machine->detaches++;
}

void netvsp_info(const struct netvsp *netvsp, struct netvsp_info *ret_info)
{
    const struct machine *machine = (const struct machine *)netvsp;

    *ret_info = (struct netvsp_info){.nvsp = 0x00060001,
                                     .attached = machine->port_queues,
                                     .mac = {0x52, 0x54, 0, 0, 0, 1},
                                     .mtu = 1500,
                                     .channels = 2};
}

void netvsp_stats(const struct netvsp *netvsp, struct netvsp_stats *ret_stats)
{
    (void)netvsp;
    *ret_stats = (struct netvsp_stats){.frames_in = 9, .stalls_out = 1};
}

struct vsp *heartbeat_vsp(struct heartbeat *heartbeat)
{
    (void)heartbeat;
    return &vsps[1];
}

void heartbeat_status(const struct heartbeat *heartbeat, struct heartbeat_status *ret_status)
{
    (void)heartbeat;
    *ret_status = (struct heartbeat_status){
        .ic = negotiated, .sequence = 4, .last_seen_ns = lane_now() - 1500000000, .state = 1};
}

struct vsp *shutdown_vsp(struct shutdown *shutdown)
{
    (void)shutdown;
    return &vsps[2];
}

void shutdown_status(const struct shutdown *shutdown, struct ic_status *ret_status)
{
    (void)shutdown;
    *ret_status = negotiated;
}

int shutdown_request(struct shutdown *shutdown, enum shutdown_action action, bool force,
                     const char *reason, void (*done)(void *context, int64_t status), void *context)
{
    struct machine *machine = (struct machine *)shutdown;

    if (machine->shutdown_result < 0)
        return machine->shutdown_result;
    if (machine->answer)
        return -EBUSY;
    machine->action = action;
    machine->force = force;
    g_strlcpy(machine->reason, reason ? reason : "", sizeof(machine->reason));
    machine->answer = done;
    machine->answer_context = context;
    return 0;
}

struct vsp *timesync_vsp(struct timesync *timesync)
{
    (void)timesync;
    return &vsps[3];
}

void timesync_status(const struct timesync *timesync, struct ic_status *ret_status)
{
    (void)timesync;
    *ret_status = (struct ic_status){.open = true};
}

struct vsp *kvp_vsp(struct kvp *kvp)
{
    (void)kvp;
    return &vsps[4];
}

void kvp_status(const struct kvp *kvp, struct ic_status *ret_status)
{
    (void)kvp;
    *ret_status = negotiated;
}

void kvp_guest_values(const struct kvp *kvp,
                      void (*each)(const char *key, const char *value, void *context),
                      void *context)
{
    const struct machine *machine = (const struct machine *)kvp;
    g_autofree char *longer = g_strnfill(1000, 'v');

    each("OSName", "Linux", context);
    each("Hostile", "\x1b[2Jgone\xe2\x80\xae", context); /* drives a terminal that shows it */
    if (*machine->set_ip)
        each("SetIp", machine->set_ip, context);
    for (unsigned i = 1; i < machine->kvp_pairs; i++) {
        char key[16];

        g_snprintf(key, sizeof(key), "key%u", i);
        each(key, longer, context);
    }
}

int kvp_host_set(struct kvp *kvp, const char *key, const char *value)
{
    struct machine *machine = (struct machine *)kvp;

    g_strlcpy(machine->kvp_key, key, sizeof(machine->kvp_key));
    g_strlcpy(machine->kvp_value, value, sizeof(machine->kvp_value));
    return 0;
}

int kvp_host_delete(struct kvp *kvp, const char *key)
{
    struct machine *machine = (struct machine *)kvp;

    if (strcmp(machine->kvp_key, key))
        return -ENOENT;
    machine->kvp_key[0] = '\0';
    return 0;
}

int kvp_set_ip(struct kvp *kvp, const struct kvp_ip *ip,
               void (*done)(void *context, int64_t status), void *context)
{
    struct machine *machine = (struct machine *)kvp;

    if (!ip->address && !ip->dhcp)
        return -EINVAL;
    g_snprintf(machine->set_ip, sizeof(machine->set_ip), "%s %s %s %s %s %s %s", ip->adapter,
               ip->ipv6 ? "ipv6" : "ipv4", ip->dhcp ? "dhcp" : "static", ip->address ?: "-",
               ip->netmask ?: "-", ip->gateway ?: "-", ip->dns ?: "-");
    done(context, 0); /* from inside the call: allowed by ic.h */
    return 0;
}
