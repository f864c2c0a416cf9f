/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between KVM and the devices: what vCPU exits call, how SynIC reaches its vCPU, how the bus
 * reaches the guest.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "src/worker/machine_priv.h"

#define RETRY_NS 10000000u /* 10 ms: short for a guest that waits, nothing for a host */

/* --- vCPU threads
 * ---------------------------------------------------------------------------------------------- */

static void gathered_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct machine *machine = context;
    mmio_write(&machine->gen1->mmio, address, size, value);
}

/* What vCPUs have written before this access. PC lock held. */
static void pc_gather(void *context)
{
    struct machine *machine = context;
    if (machine->gen1)
        kvm_vm_gathered(&machine->vm, gathered_write, machine);
}

static uint32_t guest_pio_read(void *context, uint16_t port, unsigned size)
{
    struct machine *machine = context;
    pthread_mutex_lock(&machine->pc_lock);
    pc_gather(machine);
    uint32_t value = pio_read(&machine->pio, port, size);
    pthread_mutex_unlock(&machine->pc_lock);
    return value;
}

static void guest_pio_write(void *context, uint16_t port, unsigned size, uint32_t value)
{
    struct machine *machine = context;
    pthread_mutex_lock(&machine->pc_lock);
    pc_gather(machine);
    pio_write(&machine->pio, port, size, value);
    pthread_mutex_unlock(&machine->pc_lock);
}

static uint64_t guest_mmio_read(void *context, uint64_t address, unsigned size)
{
    struct machine *machine = context;
    if (!machine->gen1)
        return UINT64_MAX; /* nothing there */
    pthread_mutex_lock(&machine->pc_lock);
    pc_gather(machine);
    uint64_t value = mmio_read(&machine->gen1->mmio, address, size);
    pthread_mutex_unlock(&machine->pc_lock);
    return value;
}

static void guest_mmio_write(void *context, uint64_t address, unsigned size, uint64_t value)
{
    struct machine *machine = context;
    if (!machine->gen1)
        return;
    pthread_mutex_lock(&machine->pc_lock);
    pc_gather(machine);
    mmio_write(&machine->gen1->mmio, address, size, value);
    pthread_mutex_unlock(&machine->pc_lock);
}

static uint32_t guest_post(void *context, const uint8_t input[256])
{
    struct machine *machine = context;
    return vmbus_bus_post(machine->bus, input);
}

static uint32_t guest_signal(void *context, uint32_t connection, uint16_t flag)
{
    struct machine *machine = context;
    return vmbus_bus_signal(machine->bus, connection, flag);
}

static void guest_synic(void *context, uint32_t vp, uint64_t control, uint64_t event_page,
                        uint64_t message_page)
{
    struct machine *machine = context;
    synic_update(machine->synic, vp, control, event_page, message_page);
}

static void guest_kicked(void *context, uint32_t vp)
{
    struct machine *machine = context;
    synic_deliver(machine->synic, vp);
}

static void guest_event(void *context, uint32_t vp, enum vcpu_event event, const char *detail)
{
    struct machine *machine = context;
    switch (event) {
    case VCPU_EVENT_RESET:
        if (machine_may_log(machine))
            log_info("guest reset: %s on VP %u", detail, vp);
        machine_tell(machine, TOLD_RESET);
        break;
    case VCPU_EVENT_SHUTDOWN:
        machine_tell(machine, TOLD_POWEROFF);
        break;
    case VCPU_EVENT_CRASH:
        atomic_store(&machine->crashed, &machine->vcpus.vcpu[vp]);
        machine_tell(machine, TOLD_CRASH);
        break;
    case VCPU_EVENT_STUCK:
        if (machine_may_log(machine))
            log_error("VP %u cannot go on: %s", vp, detail);
        atomic_store(&machine->stuck, &machine->vcpus.vcpu[vp]);
        machine_tell(machine, TOLD_STUCK);
        break;
    }
}

static void guest_enter(void *context, uint32_t vp)
{
    struct machine *machine = context;
    (void)vp;
    if (machine->sandbox && sandbox_enter_thread(machine->sandbox, SANDBOX_VCPU) < 0)
        abort(); /* an unsealed vCPU thread must never run a guest */
}

const struct vcpu_ops machine_vcpu_ops = {
    .pio_read = guest_pio_read,
    .pio_write = guest_pio_write,
    .mmio_read = guest_mmio_read,
    .mmio_write = guest_mmio_write,
    .post = guest_post,
    .signal = guest_signal,
    .synic = guest_synic,
    .kicked = guest_kicked,
    .event = guest_event,
    .enter = guest_enter,
};

/* --- The PC's ways out, on a vCPU thread under the PC lock
 * ------------------------------------------------------ */

static void pc_irq(void *context, unsigned gsi, int level)
{
    struct machine *machine = context;
    kvm_vm_irq(&machine->vm, gsi, level);
}

static void pc_reset(void *context, const char *source)
{
    struct machine *machine = context;
    if (machine_may_log(machine))
        log_info("guest reset: %s", source);
    machine_tell(machine, TOLD_RESET);
}

static void pc_poweroff(void *context)
{
    machine_tell(context, TOLD_POWEROFF);
}

static int pc_map_memory(void *context, const struct pc_mapping *mapping)
{
    struct machine *machine = context;
    const struct gmem_slot slot = {mapping->address, mapping->size, mapping->memory};
    _Static_assert(PC_MAPS <= KVM_VM_MAPS, "a slot for each");
    return kvm_vm_map(&machine->vm, mapping->map, &slot, mapping->readonly);
}

bool machine_may_log(struct machine *machine)
{
    uint32_t swallowed;
    if (!log_limit_pass(&machine->log_limit, &swallowed))
        return false;
    if (swallowed)
        log_info("%u lines about resets and crashes suppressed", swallowed);
    return true;
}

void machine_tell(struct machine *machine, enum machine_told told)
{
    atomic_fetch_or(&machine->told, told);
    lane_post(machine->lane, &machine->told_task);
}

/* --- SynIC
 * ------------------------------------------------------------------------------------------------------
 */

static void synic_kick(void *context, uint32_t vp)
{
    struct machine *machine = context;
    vcpus_kick(&machine->vcpus, vp);
}

static void synic_raise(void *context, uint32_t vp)
{
    struct machine *machine = context;
    uint64_t one = 1;
    /* Full only after 2^64 - 1 raises that KVM never took. */
    if (write(machine->vm.sint_fd[vp], &one, sizeof(one)) < 0)
        log_debug("SINT of VP %u is not taken", vp);
}

static void synic_room(void *context)
{
    struct machine *machine = context;
    vmbus_bus_room(machine->bus);
}

const struct synic_ops machine_synic_ops = {
    .kick = synic_kick, .raise = synic_raise, .room = synic_room};

static void ack_drain(const struct machine_ack *ack)
{
    uint64_t count;
    if (read(ack->source.fd, &count, sizeof(count)) < 0)
        return; /* nothing there */
}

/* The guest ended a message or an interrupt: whatever waits for the slot may be tried again. */
static void ack_ready(struct lane_source *source, uint32_t events)
{
    struct machine_ack *ack = container_of(source, struct machine_ack, source);
    (void)events;
    ack_drain(ack);
    synic_eom(ack->machine->synic, ack->vp);
    if (!synic_congested(ack->machine->synic))
        lane_unwatch(ack->machine->lane, source);
}

/* What an acknowledgement should have done and did not (see synic_poll()). */
static void retry_fire(struct lane_timer *timer)
{
    struct machine *machine = container_of(timer, struct machine, retry);
    if (!synic_congested(machine->synic))
        return;
    for (uint32_t i = 0; i < machine->vm.vcpus; i++)
        synic_poll(machine->synic, i);
    lane_timer_arm(machine->lane, timer, RETRY_NS);
}

/* --- The bus's transport, on the main lane but for signal */

static int transport_post(void *context, uint32_t vp, const void *message, uint32_t len)
{
    struct machine *machine = context;
    if (vp >= machine->vm.vcpus)
        return -EINVAL;
    /* Every interrupt of SINT 2 counts the acknowledge descriptor up; it is looked at only while
     * messages wait. */
    struct machine_ack *ack = &machine->ack[vp];
    if (!ack->source.watched) {
        ack_drain(ack);
        lane_watch(machine->lane, &ack->source, EPOLLIN);
    }
    if (!machine->retry.deadline)
        lane_timer_arm(machine->lane, &machine->retry, RETRY_NS);
    return synic_post(machine->synic, vp, VMBUS_MESSAGE_TYPE, message, len);
}

static void transport_signal(void *context, uint32_t vp, uint16_t flag)
{
    struct machine *machine = context;
    synic_signal(machine->synic, vp, flag);
}

static int transport_connect(void *context, uint32_t connection, int eventfd)
{
    struct machine *machine = context;
    return kvm_vm_connect(&machine->vm, connection, eventfd);
}

static void transport_disconnect(void *context, uint32_t connection, int eventfd)
{
    struct machine *machine = context;
    kvm_vm_disconnect(&machine->vm, connection, eventfd);
}

static bool transport_congested(void *context)
{
    struct machine *machine = context;
    return synic_congested(machine->synic);
}

static void transport_forget(void *context, uint32_t vp)
{
    struct machine *machine = context;
    synic_forget(machine->synic, vp);
}

const struct vmbus_transport machine_transport = {
    .post = transport_post,
    .signal = transport_signal,
    .connect = transport_connect,
    .disconnect = transport_disconnect,
    .congested = transport_congested,
    .forget = transport_forget,
};

void machine_guest_init(struct machine *machine)
{
    pthread_mutex_init(&machine->pc_lock, NULL);
    machine->pc_host = (struct pc_host){.irq = pc_irq,
                                        .reset = pc_reset,
                                        .poweroff = pc_poweroff,
                                        .map = pc_map_memory,
                                        .gather = pc_gather,
                                        .context = machine,
                                        .lock = &machine->pc_lock,
                                        .lane = machine->lane};
    machine->told_task.run = machine_told_run;
    machine->retry.fire = retry_fire;
    for (uint32_t i = 0; i < machine->vm.vcpus; i++) {
        machine->ack[i] =
            (struct machine_ack){.source = {.fd = machine->vm.ack_fd[i], .ready = ack_ready},
                                 .machine = machine,
                                 .vp = i};
    }
}
