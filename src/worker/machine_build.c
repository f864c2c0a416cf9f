/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a machine description to a machine: see machine_build.h. The one place that knows which
 * devices there are.
 */
#include "src/worker/machine_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/worker/exit.h"
#include "src/worker/machine_priv.h"

#define WINDOWS_BITS 40 /* the 64-bit windows of src/kvm/gmem.h end at 1 TiB */

#define BUILD_ERROR (g_quark_from_static_string("machine-build"))

/* One line "WHAT: reason". */
static bool build_error(GError **error, const char *what, int reason)
{
    g_set_error(error, BUILD_ERROR, reason, "%s: %s", what, g_strerror(reason));
    return false;
}

static int build_open(const char *path, const char *key, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        g_set_error(error, BUILD_ERROR, errno, "%s: %s: %s; give the path of a readable file", key,
                    path, g_strerror(errno));
    return fd;
}

static bool build_boot(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    machine->boot = (struct linux_boot){
        .kernel_fd = -1,
        .initrd_fd = -1,
        .kernel_name = config->kernel,
        .initrd_name = config->initrd,
        .cmdline = config->cmdline ? config->cmdline : "",
    };
    if (config->firmware)
        return true; /* machine_gen1_new() opens it */
    machine->boot.kernel_fd = build_open(config->kernel, "boot.kernel", error);
    if (machine->boot.kernel_fd < 0)
        return false;
    if (config->initrd) {
        machine->boot.initrd_fd = build_open(config->initrd, "boot.initrd", error);
        if (machine->boot.initrd_fd < 0)
            return false;
    }
    return linux_boot_check(&machine->boot, error);
}

static bool build_kvm(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    struct cpuid_topology topology = {config->sockets, config->cores, config->threads};
    struct cpuid_hyperv hyperv = {
        .direct_timers = config->direct_timers,
        .apic_assist = !machine->host.has_apicv,
        .host_2008_r2 = config->host_2008_r2,
        .vps = config->vcpus,
    };
    if ((int)config->vcpus > machine->host.max_vcpus) {
        g_set_error(error, BUILD_ERROR, ERANGE,
                    "vcpus.count: this host's KVM runs at most %d vCPUs", machine->host.max_vcpus);
        return false;
    }
    machine->cpuid = malloc(sizeof(*machine->cpuid));
    if (!machine->cpuid)
        return build_error(error, "CPUID", ENOMEM);
    if (!cpuid_build(machine->cpuid, machine->host.fd, config->cpu_model, &topology, &hyperv,
                     error))
        return false;
    uint64_t top = config->memory <= GMEM_LOW_END ? config->memory
                                                  : GMEM_HIGH_BASE + config->memory - GMEM_LOW_END;
    unsigned bits = cpuid_physical_bits(machine->cpuid);
    if (bits < 64 && top > 1ull << bits) {
        g_set_error(error, BUILD_ERROR, ERANGE,
                    "memory: this host's processor addresses %u bits, too few for %llu MiB", bits,
                    (unsigned long long)(config->memory >> 20));
        return false;
    }
    int result = config->firmware ? gmem_init_pc(&machine->gmem, config->memory)
                                  : gmem_init(&machine->gmem, config->memory);
    if (result < 0)
        return build_error(error, "guest memory", -result);
    result = kvm_vm_init(&machine->vm, &machine->host, &machine->gmem, machine->cpuid, &topology,
                         config->vcpus);
    if (result < 0)
        return build_error(error, "event descriptors", -result);
    machine->synic = synic_new(&machine->gmem, config->vcpus, &machine_synic_ops, machine);
    if (!machine->synic)
        return build_error(error, "SynIC", ENOMEM);
    return true;
}

static struct console *build_console(struct machine *machine, const struct config_console *from,
                                     struct uart *uart, GError **error)
{
    const struct console_params params = {
        .kind = from->kind, .path = from->path, .log = from->log, .log_max = from->log_max};
    return console_new(&params, machine->lane, uart, &machine->pc_lock, error);
}

static bool build_pc(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    if (uart_init(&machine->uart, &machine->pc_host, &machine->pio, UART_COM1, UART_COM1_IRQ) < 0 ||
        pm_init(&machine->pm, &machine->pc_host, &machine->pio) < 0 ||
        rtc_init(&machine->rtc, &machine->pc_host, &machine->pio, config->rtc_local) < 0 ||
        (config->firmware
             ? reset_ports_init_port92(&machine->reset_ports, &machine->pc_host, &machine->pio)
             : reset_ports_init(&machine->reset_ports, &machine->pc_host, &machine->pio)) < 0)
        return build_error(error, "PC devices", ENOMEM);
    if (config->firmware && !machine_gen1_new(machine, error))
        return false;
    machine->console = build_console(machine, &config->console, &machine->uart, error);
    if (machine->gen1)
        machine->gen1->console_2 =
            build_console(machine, &config->console_2, &machine->gen1->com2, error);
    return machine->console && (!machine->gen1 || machine->gen1->console_2);
}

/* A disk's id for VPD pages: what the description says, or one that stays the same for as long as
 * the machine's uuid. */
static void build_serial(const struct config *config, const struct config_lun *lun,
                         unsigned controller, char serial[37])
{
    if (lun->serial) {
        g_strlcpy(serial, lun->serial, 37);
        return;
    }
    char uuid[GUID_TEXT_SIZE];
    guid_format(&config->uuid, uuid);
    g_snprintf(serial, 37, "%.24s%02x%02x", uuid, controller, lun->lun);
}

static bool build_disk(struct machine *machine, unsigned controller, const struct config_lun *from,
                       struct storvsp_lun *to, GError **error)
{
    to->present = true;
    to->dvd = from->type == CONFIG_DVD;
    build_serial(machine->config, from, controller, to->serial);
    if (!from->path)
        return true;
    struct disk_params params = {
        .path = from->path,
        .fd = -1,
        .readonly = from->readonly || to->dvd,
        .direct = from->direct,
        .discard = from->discard,
        .shared = from->shared,
    };
    to->disk = disk_open(&disk_raw_class, &params, error);
    machine->disk[controller][from->lun] = to->disk;
    return to->disk != NULL;
}

static bool build_scsi(struct machine *machine, unsigned index, GError **error)
{
    const struct config_scsi *from = &machine->config->scsi[index];
    g_autofree struct storvsp_config *to = g_new0(struct storvsp_config, 1);
    to->instance = from->instance;
    to->lanes = from->queues;
    for (unsigned i = 0; i < from->queues; i++)
        to->lane[i] = machine->io_lane[i];
    for (unsigned i = 0; i < from->luns; i++) {
        if (!build_disk(machine, index, &from->lun[i], &to->lun[from->lun[i].lun], error))
            return false;
    }
    machine->scsi[index] = storvsp_new(to); /* NOLINT(clang-analyzer-unix.Malloc): g_autofree */
    if (!machine->scsi[index])
        return build_error(error, "SCSI controller", errno);
    int result = vmbus_bus_add(machine->bus, storvsp_vsp(machine->scsi[index]));
    return result == 0 || build_error(error, "SCSI controller", -result);
}

static uint64_t build_reference_time(void *context)
{
    struct machine *machine = context;
    return kvm_vm_reference_time(&machine->vm);
}

static bool build_integration(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    struct vsp *vsp[4];
    unsigned count = 0;
    if (config->heartbeat && (machine->heartbeat = heartbeat_new(machine->lane)))
        vsp[count++] = heartbeat_vsp(machine->heartbeat);
    if (config->shutdown && (machine->shutdown = shutdown_new(machine->lane)))
        vsp[count++] = shutdown_vsp(machine->shutdown);
    if (config->timesync &&
        (machine->timesync = timesync_new(machine->lane, build_reference_time, machine)))
        vsp[count++] = timesync_vsp(machine->timesync);
    if (config->kvp && (machine->kvp = kvp_new(machine->lane)))
        vsp[count++] = kvp_vsp(machine->kvp);
    if (count != (unsigned)(config->heartbeat + config->shutdown + config->timesync + config->kvp))
        return build_error(error, "integration services", ENOMEM);
    for (unsigned i = 0; i < count; i++) {
        int result = vmbus_bus_add(machine->bus, vsp[i]);
        if (result < 0)
            return build_error(error, "integration services", -result);
    }
    for (unsigned i = 0; machine->kvp && i < config->kvp_pairs; i++) {
        int result = kvp_host_set(machine->kvp, config->kvp_pair[i].key, config->kvp_pair[i].value);
        if (result < 0)
            return build_error(error, "integration.kvp_pool", -result);
    }
    return true;
}

/* As many I/O lanes as the device with the most queues wants, or an adapter might that comes later;
 * queue n of every device is on lane n. */
static bool build_lanes(struct machine *machine, GError **error)
{
    unsigned count = MIN(machine->config->vcpus, LIMIT_PORT_QUEUES);
    for (unsigned i = 0; i < machine->config->scsis; i++)
        count = MAX(count, machine->config->scsi[i].queues);
    for (unsigned i = 0; i < machine->config->nics; i++)
        count = MAX(count, machine->config->nic[i].queues);
    machine->lane = lane_new("main");
    if (!machine->lane)
        return build_error(error, "main lane", errno);
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        g_snprintf(name, sizeof(name), "io%u", i);
        machine->io_lane[i] = lane_new(name);
        if (!machine->io_lane[i])
            return build_error(error, "I/O lane", errno);
        machine->io_lanes++;
    }
    return true;
}

static bool build_vmbus(struct machine *machine, GError **error)
{
    machine->bus = vmbus_bus_new(machine->lane, &machine->gmem, &machine_transport, machine,
                                 machine->config->vcpus, machine->config->vmbus_max);
    if (!machine->bus)
        return build_error(error, "VMBus", errno);
    for (unsigned i = 0; i < machine->config->scsis; i++) {
        if (!build_scsi(machine, i, error))
            return false;
    }
    for (unsigned i = 0; i < machine->config->nics; i++) {
        const struct config_nic *nic = &machine->config->nic[i];

        if (!nic->legacy && !machine_nic_build(machine, i, nic, error))
            return false;
    }
    if (machine->gen1 && !machine_gen1_offer(machine, error))
        return false;
    return build_integration(machine, error);
}

struct machine *machine_new(const struct config *config, struct kvm_host *host, GError **error,
                            int *ret_status)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    *ret_status = EXIT_STATUS_FAILED;
    if (!machine) {
        build_error(error, "machine", ENOMEM);
        return NULL;
    }
    machine->config = config;
    machine->host = *host;
    host->fd = -1;
    machine->vm.fd = -1;
    machine->boot.kernel_fd = machine->boot.initrd_fd = -1;
    bool built =
        build_lanes(machine, error) && build_boot(machine, error) && build_kvm(machine, error);
    if (built) {
        machine_guest_init(machine);
        built = build_pc(machine, error) && build_vmbus(machine, error);
    }
    if (!built) {
        machine_free(machine);
        return NULL;
    }
    return machine;
}

bool machine_load(struct machine *machine, GError **error)
{
    if (machine->gen1)
        return machine_gen1_load(machine, error);
    uint32_t apic_id[LIMIT_VCPUS];
    for (unsigned i = 0; i < machine->vm.vcpus; i++)
        apic_id[i] = cpuid_apic_id(&machine->vm.topology, i);
    struct vcpu_entry entry;
    if (!linux_boot_load(&machine->gmem, &machine->boot, &entry, error))
        return false;
    struct acpi_params acpi = {.vcpus = machine->vm.vcpus,
                               .apic_id = apic_id,
                               /* Low windows serve processors that cannot address the high ones. */
                               .vmbus64 = entry.long_mode &&
                                          cpuid_physical_bits(machine->cpuid) >= WINDOWS_BITS};
    int result = acpi_build(&machine->gmem, &acpi);
    if (result < 0)
        return build_error(error, "ACPI tables", -result);
    result = vcpu_state_enter(machine->vm.vcpu_fd[0], &entry);
    return result == 0 || build_error(error, "entry state", -result);
}

void machine_sealed(struct machine *machine)
{
    console_sealed(machine->console);
    if (machine->gen1)
        console_sealed(machine->gen1->console_2);
}

static void build_lane_enter(void *context)
{
    struct machine *machine = context;
    if (machine->sandbox && sandbox_enter_thread(machine->sandbox, SANDBOX_LANE) < 0)
        abort(); /* never serve a guest from an unsealed thread */
}

bool machine_start(struct machine *machine, struct sandbox *sandbox, GError **error)
{
    const char *what;
    machine->sandbox = sandbox;
    int result = kvm_vm_create(&machine->vm, &what);
    if (result < 0)
        return build_error(error, what, -result);
    if (!machine_load(machine, error))
        return false;
    for (unsigned i = 0; i < machine->io_lanes; i++) {
        result = lane_start(machine->io_lane[i], build_lane_enter, machine);
        if (result < 0)
            return build_error(error, "I/O lane", -result);
    }
    result = vcpus_start(&machine->vcpus, &machine->vm, &machine_vcpu_ops, machine);
    if (result < 0)
        return build_error(error, "vCPU threads", -result);
    if (sandbox && (result = sandbox_enter_thread(sandbox, SANDBOX_MAIN)) < 0)
        return build_error(error, "sandbox", -result);
    machine->started = lane_now();
    machine->state = MACHINE_RUNNING;
    vcpus_run(&machine->vcpus);
    return true;
}

int machine_main(struct machine *machine)
{
    lane_run(machine->lane);
    return machine->exit_status;
}

void machine_free(struct machine *machine)
{
    if (!machine)
        return;
    vcpus_end(&machine->vcpus);
    for (unsigned i = 0; i < machine->io_lanes; i++)
        lane_end(machine->io_lane[i]); /* nothing runs beside this thread from here on */
    machine_nic_free(machine);
    for (unsigned i = 0; i < LIMIT_SCSI_CONTROLLERS; i++)
        storvsp_free(machine->scsi[i]);
    for (unsigned i = 0; i < LIMIT_SCSI_CONTROLLERS; i++) {
        for (unsigned j = 0; j < LIMIT_SCSI_LUNS; j++)
            disk_close(machine->disk[i][j]);
    }
    machine_gen1_close(machine->gen1);
    for (unsigned i = 0; i < machine->io_lanes; i++)
        lane_free(machine->io_lane[i]); /* the controllers' queues were on them until now */
    heartbeat_free(machine->heartbeat);
    shutdown_free(machine->shutdown);
    timesync_free(machine->timesync);
    kvp_free(machine->kvp);
    vmbus_bus_free(machine->bus);
    synic_free(machine->synic);
    kvm_vm_fini(&machine->vm);
    gmem_free(&machine->gmem);
    free(machine->cpuid);
    lane_free(machine->lane);
    console_free(machine->console);
    linux_boot_close(&machine->boot);
    machine_gen1_free(machine->gen1);
    kvm_host_close(&machine->host);
    free(machine);
}
