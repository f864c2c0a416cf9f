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

#define CRASH_LINES                                                               \
    64u /* of a crash message in the log: the last, as many as 4 KiB usually have \
         */

void machine_listen(struct machine *machine, void (*event)(enum machine_event event, void *context),
                    void *context)
{
    g_return_if_fail(machine->listeners < MACHINE_LISTENERS);
    machine->listener[machine->listeners].event = event;
    machine->listener[machine->listeners].context = context;
    machine->listeners++;
}

void machine_emit(struct machine *machine, enum machine_event event)
{
    /* The last two come once. */
    if (event >= MACHINE_EVENT_ERROR || machine_may_log(machine))
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
    static const char *const text[] = {"running", "paused", "reset", "poweroff",
                                       "crash",   "nics",   "error", "stopped"};
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
    machine_emit(machine, MACHINE_EVENT_RUNNING);
    if (atomic_load(&machine->told)) { /* by a guest that was just being paused */
        machine_told_run(&machine->told_task);
        return 0;
    }
    vcpus_run(&machine->vcpus);
    if (machine->timesync)
        timesync_step(machine->timesync);
    return 0;
}

static void machine_stopped(void *context)
{
    struct machine *machine = context;
    machine_emit(machine, MACHINE_EVENT_STOPPED);
    lane_stop(machine->lane);
}

/* Once the bus holds nothing of the guest: `next`, when the IDE disks do not either. */
static void machine_drain_ide(struct machine *machine, void (*next)(void *context))
{
    if (machine->gen1)
        ide_drain(&machine->gen1->ide, next, machine);
    else
        next(machine);
}

static void machine_stop_drain(void *context)
{
    machine_drain_ide(context, machine_stopped);
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
        vmbus_bus_reset(machine->bus, machine_stop_drain, machine);
}

/* A reset cannot be finished. The bus has been waited for. */
static void machine_fail(struct machine *machine, const char *what, const char *why)
{
    log_error("%s: %s", what, why);
    machine->exit_status = EXIT_STATUS_FAILED;
    machine_emit(machine, MACHINE_EVENT_ERROR);
    machine->state = MACHINE_STOPPED;
    machine_stopped(machine);
}

static void machine_reset_devices(struct machine *machine)
{
    pthread_mutex_lock(&machine->pc_lock);
    uart_reset(&machine->uart);
    rtc_reset(&machine->rtc);
    pm_reset(&machine->pm);
    reset_ports_reset(&machine->reset_ports);
    if (machine->gen1)
        machine_gen1_reset(machine->gen1);
    pthread_mutex_unlock(&machine->pc_lock);
}

/* Neither the bus nor a disk holds anything of the guest any more. */
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
    machine_reset_devices(machine); /* while there are lines to lower: a NIC's lane goes on */
    machine->exits_before += kvm_vm_exits(&machine->vm);
    kvm_vm_destroy(&machine->vm);
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
    if (machine->state == MACHINE_RUNNING)
        vcpus_run(&machine->vcpus);
    machine_emit(machine,
                 machine->state == MACHINE_RUNNING ? MACHINE_EVENT_RUNNING : MACHINE_EVENT_PAUSED);
}

static void machine_reset_drain(void *context)
{
    machine_drain_ide(context, machine_reset_finish);
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
    vmbus_bus_reset(machine->bus, machine_reset_drain, machine);
    return 0;
}

bool machine_crash(const struct machine *machine, uint64_t parameter[5], char *message,
                   unsigned size)
{
    if (!machine->crash.any)
        return false;
    memcpy(parameter, machine->crash.parameter, sizeof(machine->crash.parameter));
    snprintf(message, size, "%s", machine->crash.message);
    return true;
}

/* P3 and P4 are address and length of the text (TLFS); Linux puts the tail of its log there. */
static void machine_crash_text(struct machine *machine, const struct vcpu *vcpu)
{
    char *text = machine->crash.message;
    uint64_t len = MIN(vcpu->crash[4], MACHINE_CRASH_TEXT - 1);
    if (!(vcpu->crash_control & VCPU_CRASH_MESSAGE) ||
        !gmem_read(&machine->gmem, vcpu->crash[3], text, len))
        len = 0;
    for (uint64_t i = 0; i < len; i++)
        text[i] = isprint((unsigned char)text[i]) || text[i] == '\n' ? text[i] : '.';
    text[len] = '\0';
}

static void machine_crash_log(struct machine *machine)
{
    const uint64_t *p = machine->crash.parameter;
    if (!machine_may_log(machine))
        return;
    log_error("guest crashed: %#llx %#llx %#llx %#llx %#llx", (unsigned long long)p[0],
              (unsigned long long)p[1], (unsigned long long)p[2], (unsigned long long)p[3],
              (unsigned long long)p[4]);
    char text[MACHINE_CRASH_TEXT];
    memcpy(text, machine->crash.message, sizeof(text));
    char *rest = text + strlen(text), *line;
    for (unsigned lines = 0; rest > text && lines <= CRASH_LINES;)
        lines += *--rest == '\n';
    while ((line = strsep(&rest, "\n"))) {
        if (*line)
            log_error("guest: %s", line);
    }
}

/* Take down what the guest said. The vCPUs are parked. */
static void machine_crash_take(struct machine *machine)
{
    const struct vcpu *vcpu = atomic_load(&machine->crashed);
    machine->crash.any = true;
    memcpy(machine->crash.parameter, vcpu->crash, sizeof(vcpu->crash));
    machine_crash_text(machine, vcpu);
    machine_crash_log(machine);
}

/* A guest can bring its processor to where KVM cannot follow (INIT to itself, a jump to where there
 * is no RAM). On hardware it would hang or reset; for who runs it, it has crashed. The vCPUs are
 * parked. */
static void machine_crash_stuck(struct machine *machine)
{
    const struct vcpu *vcpu = atomic_load(&machine->stuck);
    machine->crash = (struct machine_crash_report){.any = true};
    snprintf(machine->crash.message, sizeof(machine->crash.message), "VP %u cannot go on: %s",
             vcpu->vp, vcpu->stuck);
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
    if (machine->state != MACHINE_RUNNING)
        return; /* kept for machine_resume(); a reset forgets it */
    unsigned told = atomic_exchange(&machine->told, 0);
    if (told & (TOLD_CRASH | TOLD_STUCK)) {
        vcpus_park(&machine->vcpus);
        if (told & TOLD_CRASH)
            machine_crash_take(machine);
        else
            machine_crash_stuck(machine);
        machine_emit(machine, MACHINE_EVENT_CRASH);
        machine_act(machine, machine->config->on_crash, EXIT_STATUS_CRASHED);
    } else if (told & TOLD_POWEROFF) {
        vcpus_park(&machine->vcpus);
        machine_emit(machine, MACHINE_EVENT_POWEROFF);
        machine_act(machine, machine->config->on_poweroff, EXIT_STATUS_OK);
    } else if (told & TOLD_RESET) {
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

struct storvsp *machine_ide_twin(struct machine *machine, unsigned unit)
{
    return machine->gen1 && unit < LIMIT_IDE_DRIVES ? machine->gen1->twin[unit] : NULL;
}

struct tulip *machine_legacy_nic(struct machine *machine, unsigned index)
{
    return index < LIMIT_NICS && machine->gen1 ? machine->gen1->nic[index] : NULL;
}

struct screen *machine_screen(struct machine *machine)
{
    return machine->gen1 ? machine->gen1->screen : NULL;
}

struct typist *machine_typist(struct machine *machine)
{
    return machine->gen1 ? &machine->gen1->typist : NULL;
}

const char *machine_console(const struct machine *machine, unsigned number)
{
    if (!number)
        return console_path(machine->console);
    return machine->gen1 ? console_path(machine->gen1->console_2) : NULL;
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
