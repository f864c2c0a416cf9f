/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's life: running, paused, resetting, crashed, stopped. See machine.h.
 *
 * A reset is: park the vCPUs; let the bus close every channel and wait for I/O in flight; give the
 * SynIC pages back; throw the VM away; make a new one; load the kernel again; run. The process, its
 * threads, its memory and its clients stay.
 */
#include "src/worker/machine.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/worker/exit.h"
#include "src/worker/machine_priv.h"

#define CRASH_NOTIFY  (1ull << 63)
#define CRASH_MESSAGE (1ull << 62)

void machine_listen(struct machine *machine, void (*event)(enum machine_event event, void *context),
                    void *context)
{
    g_return_if_fail(machine->listeners < MACHINE_LISTENERS);
    machine->listener[machine->listeners].event = event;
    machine->listener[machine->listeners].context = context;
    machine->listeners++;
}

static void machine_emit(struct machine *machine, enum machine_event event)
{
    log_info("%s", machine_event_text(event));
    for (unsigned i = 0; i < machine->listeners; i++)
        machine->listener[i].event(event, machine->listener[i].context);
}

enum machine_state machine_state(const struct machine *machine)
{
    return machine->state;
}

const char *machine_state_text(enum machine_state state)
{
    static const char *const text[] = {"starting",  "running", "paused",
                                       "resetting", "crashed", "stopped"};
    return text[state];
}

const char *machine_event_text(enum machine_event event)
{
    static const char *const text[] = {"running", "paused", "reset",  "poweroff",
                                       "crash",   "error",  "stopped"};
    return text[event];
}

const struct config *machine_config(const struct machine *machine)
{
    return machine->config;
}

int machine_pause(struct machine *machine)
{
    if (machine->state != MACHINE_RUNNING)
        return -EINVAL;
    vcpus_park(&machine->vcpus);
    machine->state = MACHINE_PAUSED;
    machine_emit(machine, MACHINE_EVENT_PAUSED);
    return 0;
}

int machine_resume(struct machine *machine)
{
    if (machine->state != MACHINE_PAUSED)
        return -EINVAL;
    machine->state = MACHINE_RUNNING;
    vcpus_run(&machine->vcpus);
    if (machine->timesync)
        timesync_step(machine->timesync);
    machine_emit(machine, MACHINE_EVENT_RUNNING);
    return 0;
}

static void machine_stopped(void *context)
{
    struct machine *machine = context;
    machine_emit(machine, MACHINE_EVENT_STOPPED);
    lane_stop(machine->lane);
}

void machine_stop(struct machine *machine)
{
    enum machine_state before = machine->state;
    if (before == MACHINE_STOPPED)
        return;
    vcpus_park(&machine->vcpus);
    machine->state = MACHINE_STOPPED;
    /* What the guest was told is written must be written: wait for I/O in flight. A reset under way
     * waits already. */
    if (before != MACHINE_RESETTING)
        vmbus_bus_reset(machine->bus, machine_stopped, machine);
}

static void machine_fail(struct machine *machine, const char *what, const char *why)
{
    log_error("%s: %s", what, why);
    machine->exit_status = EXIT_STATUS_FAILED;
    machine_emit(machine, MACHINE_EVENT_ERROR);
    machine_stop(machine);
}

static void machine_reset_devices(struct machine *machine)
{
    pthread_mutex_lock(&machine->pc_lock);
    uart_reset(&machine->uart);
    rtc_reset(&machine->rtc);
    pm_reset(&machine->pm);
    reset_ports_reset(&machine->reset_ports);
    pthread_mutex_unlock(&machine->pc_lock);
}

/* The bus holds nothing of the guest any more. */
static void machine_reset_finish(void *context)
{
    struct machine *machine = context;
    const char *what;
    g_autoptr(GError) error = NULL;
    if (machine->state == MACHINE_STOPPED) {
        machine_stopped(machine); /* meanwhile */
        return;
    }
    synic_reset(machine->synic);
    machine->exits_before += kvm_vm_exits(&machine->vm);
    kvm_vm_destroy(&machine->vm);
    machine_reset_devices(machine);
    int result = kvm_vm_create(&machine->vm, &what);
    if (result < 0) {
        machine_fail(machine, what, g_strerror(-result));
        return;
    }
    if (!machine_load(machine, &error)) {
        machine_fail(machine, "reset", error->message);
        return;
    }
    machine->resets++;
    atomic_store(&machine->told, 0);
    machine->state = machine->paused_before_reset ? MACHINE_PAUSED : MACHINE_RUNNING;
    if (machine->state == MACHINE_RUNNING) {
        vcpus_run(&machine->vcpus);
        machine_emit(machine, MACHINE_EVENT_RUNNING);
    }
}

int machine_reset(struct machine *machine)
{
    if (machine->state == MACHINE_RESETTING)
        return 0;
    if (machine->state == MACHINE_STOPPED)
        return -EINVAL;
    vcpus_park(&machine->vcpus);
    machine->paused_before_reset = machine->state == MACHINE_PAUSED;
    machine->state = MACHINE_RESETTING;
    machine_emit(machine, MACHINE_EVENT_RESET);
    vmbus_bus_reset(machine->bus, machine_reset_finish, machine);
    return 0;
}

bool machine_crash(const struct machine *machine, uint64_t parameter[5], char *message,
                   unsigned size)
{
    if (!atomic_load(&machine->has_crash))
        return false;
    const struct vcpu *vcpu = machine->crashed;
    memcpy(parameter, vcpu->crash, sizeof(vcpu->crash));
    if (!size)
        return true;
    message[0] = '\0';
    if (!(vcpu->crash_control & CRASH_MESSAGE))
        return true;
    /* P3 and P4: address and length of the text (TLFS; Linux puts the tail of its log there). */
    uint64_t len = vcpu->crash[4] < size - 1 ? vcpu->crash[4] : size - 1;
    if (!gmem_read(&machine->gmem, vcpu->crash[3], message, len))
        len = 0;
    for (uint64_t i = 0; i < len; i++)
        message[i] = isprint((unsigned char)message[i]) || message[i] == '\n' ? message[i] : '.';
    message[len] = '\0';
    return true;
}

static void machine_crash_log(const struct machine *machine)
{
    uint64_t p[5];
    char message[512];
    if (!machine_crash(machine, p, message, sizeof(message)))
        return;
    log_error("guest crashed: %#llx %#llx %#llx %#llx %#llx", (unsigned long long)p[0],
              (unsigned long long)p[1], (unsigned long long)p[2], (unsigned long long)p[3],
              (unsigned long long)p[4]);
    char *rest = message, *line;
    while ((line = strsep(&rest, "\n"))) {
        if (*line)
            log_error("guest: %s", line);
    }
}

/* Carry out what the description says for power-off, reboot and crash. */
static void machine_act(struct machine *machine, enum config_action action, int status)
{
    switch (action) {
    case ACTION_RESTART:
        machine_reset(machine);
        break;
    case ACTION_DESTROY:
        machine->exit_status = status;
        machine_stop(machine);
        break;
    case ACTION_PRESERVE:
        vcpus_park(&machine->vcpus);
        machine->state = status == EXIT_STATUS_OK ? MACHINE_PAUSED : MACHINE_CRASHED;
        break;
    }
}

void machine_told_run(struct lane_task *task)
{
    struct machine *machine = container_of(task, struct machine, told_task);
    unsigned told = atomic_exchange(&machine->told, 0);
    if (machine->state != MACHINE_RUNNING)
        return; /* stale news of a machine that is parked already */
    if (told & TOLD_CRASH) {
        vcpus_park(&machine->vcpus);
        machine_crash_log(machine);
        machine_emit(machine, MACHINE_EVENT_CRASH);
        machine_act(machine, machine->config->on_crash, EXIT_STATUS_CRASHED);
    } else if (told & TOLD_ERROR) {
        machine_fail(machine, "KVM", "the guest cannot go on");
    } else if (told & TOLD_POWEROFF) {
        vcpus_park(&machine->vcpus);
        machine_emit(machine, MACHINE_EVENT_POWEROFF);
        machine_act(machine, machine->config->on_poweroff, EXIT_STATUS_OK);
    } else if (told & TOLD_RESET) {
        if (machine->config->on_reboot == ACTION_RESTART)
            machine_reset(machine);
        else
            machine_act(machine, machine->config->on_reboot, EXIT_STATUS_OK);
    }
}

struct vmbus_bus *machine_bus(struct machine *machine)
{
    return machine->bus;
}

struct heartbeat *machine_heartbeat(struct machine *machine)
{
    return machine->heartbeat;
}

struct shutdown *machine_shutdown(struct machine *machine)
{
    return machine->shutdown;
}

struct timesync *machine_timesync(struct machine *machine)
{
    return machine->timesync;
}

struct kvp *machine_kvp(struct machine *machine)
{
    return machine->kvp;
}

struct storvsp *machine_scsi(struct machine *machine, unsigned index)
{
    return index < LIMIT_SCSI_CONTROLLERS ? machine->scsi[index] : NULL;
}

const char *machine_console(const struct machine *machine)
{
    return console_path(machine->console);
}

struct lane *machine_lane(struct machine *machine)
{
    return machine->lane;
}

void machine_stats(const struct machine *machine, struct machine_stats *ret_stats)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    *ret_stats = (struct machine_stats){
        .uptime_ns = lane_now() - machine->started,
        .user_exits = vcpus_exits(&machine->vcpus),
        .exits = machine->exits_before + kvm_vm_exits(&machine->vm),
        .resets = machine->resets,
        .vcpu_time_ns = vcpus_cpu_time(&machine->vcpus),
        .process_time_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec,
    };
}
