/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads: see vcpu.h. Facts: Documentation/virt/kvm/api.rst (kvm_run), Hyper-V TLFS
 * (hypercall ABI, crash registers), KVM's arch/x86/kvm/hyperv.c (what is left in params[] of a slow
 * HvSignalEvent).
 *
 * A kick is: say why, forbid the next entry (immediate_exit), interrupt the current one (a signal
 * whose handler does nothing). The thread allows entry again before it looks at the reasons, so
 * none can be missed.
 */
#include "src/kvm/vcpu.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "src/common/log.h"

#define VCPU_SIGNAL SIGUSR1

#define HVCALL_POST_MESSAGE    0x5cu
#define HVCALL_SIGNAL_EVENT    0x5du
#define HVCALL_FAST            (1ull << 16)
#define HV_STATUS_INVALID_CODE 2u
#define HV_STATUS_ALIGNMENT    4u
#define HV_STATUS_PARAMETER    5u
#define HV_POST_INPUT          256u

#define MSR_HV_CRASH_P0 0x40000100u
#define CRASH_REGISTERS 5u

static void vcpu_signal(int number)
{
    (void)number;
}

static void vcpu_io(struct vcpu *vcpu, struct kvm_run *run)
{
    const struct vcpu_ops *ops = vcpu->all->ops;
    void *context = vcpu->all->context;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        uint32_t value = 0;
        if (run->io.direction == KVM_EXIT_IO_OUT) {
            memcpy(&value, data, run->io.size);
            ops->pio_write(context, run->io.port, run->io.size, value);
        } else {
            value = ops->pio_read(context, run->io.port, run->io.size);
            memcpy(data, &value, run->io.size);
        }
    }
}

/* HvPostMessage has only the memory form; its input may not cross a page. */
static uint32_t vcpu_post(struct vcpu *vcpu, const struct kvm_run *run)
{
    uint8_t input[HV_POST_INPUT];
    uint64_t gpa = run->hyperv.u.hcall.params[0];
    if (run->hyperv.u.hcall.input & HVCALL_FAST)
        return HV_STATUS_PARAMETER;
    if (gpa % 8 || gpa % GMEM_PAGE > GMEM_PAGE - HV_POST_INPUT)
        return HV_STATUS_ALIGNMENT;
    if (!gmem_read(vcpu->all->vm->gmem, gpa, input, sizeof(input)))
        return HV_STATUS_PARAMETER;
    return vcpu->all->ops->post(vcpu->all->context, input);
}

static void vcpu_hypercall(struct vcpu *vcpu, struct kvm_run *run)
{
    uint32_t status = HV_STATUS_INVALID_CODE;
    switch (run->hyperv.u.hcall.input & 0xffff) {
    case HVCALL_POST_MESSAGE:
        status = vcpu_post(vcpu, run);
        break;
    case HVCALL_SIGNAL_EVENT: {
        /* For the slow form KVM has already put the value in place of its address. */
        uint64_t value = run->hyperv.u.hcall.params[0];
        status =
            vcpu->all->ops->signal(vcpu->all->context, (uint32_t)value, (uint16_t)(value >> 32));
        break;
    }
    default:
        break;
    }
    run->hyperv.u.hcall.result = status;
}

static void vcpu_hyperv(struct vcpu *vcpu, struct kvm_run *run)
{
    if (run->hyperv.type == KVM_EXIT_HYPERV_SYNIC)
        vcpu->all->ops->synic(vcpu->all->context, vcpu->vp, run->hyperv.u.synic.control,
                              run->hyperv.u.synic.evt_page, run->hyperv.u.synic.msg_page);
    else if (run->hyperv.type == KVM_EXIT_HYPERV_HCALL)
        vcpu_hypercall(vcpu, run);
}

static void vcpu_event(struct vcpu *vcpu, enum vcpu_event event, const char *detail)
{
    vcpu->all->ops->event(vcpu->all->context, vcpu->vp, event, detail);
}

static void vcpu_crash(struct vcpu *vcpu, int fd, uint64_t control)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry[CRASH_REGISTERS];
    } msrs = {.head.nmsrs = CRASH_REGISTERS};
    for (uint32_t i = 0; i < CRASH_REGISTERS; i++)
        msrs.entry[i].index = MSR_HV_CRASH_P0 + i;
    if (ioctl(fd, KVM_GET_MSRS, &msrs) < 0)
        memset(msrs.entry, 0, sizeof(msrs.entry));
    for (uint32_t i = 0; i < CRASH_REGISTERS; i++)
        vcpu->crash[i] = msrs.entry[i].data;
    vcpu->crash_control = control;
    vcpu_event(vcpu, VCPU_EVENT_CRASH, "crash registers written");
}

/* Crash control, the one register that we keep from KVM, which would neither offer messages to the
 * guest nor pass on that there is one. */
static void vcpu_msr(struct vcpu *vcpu, int fd, struct kvm_run *run)
{
    bool known = run->msr.index == KVM_VM_CRASH_CONTROL;
    run->msr.error = !known;
    if (known && run->exit_reason == KVM_EXIT_X86_RDMSR)
        run->msr.data = VCPU_CRASH_NOTIFY | VCPU_CRASH_MESSAGE;
    else if (known && run->msr.data & VCPU_CRASH_NOTIFY)
        vcpu_crash(vcpu, fd, run->msr.data);
}

static void vcpu_system_event(struct vcpu *vcpu, const struct kvm_run *run)
{
    if (run->system_event.type == KVM_SYSTEM_EVENT_RESET)
        vcpu_event(vcpu, VCPU_EVENT_RESET, "Hyper-V reset register");
    else
        vcpu_event(vcpu, VCPU_EVENT_SHUTDOWN, "system event");
}

static void vcpu_mmio(struct vcpu *vcpu, struct kvm_run *run)
{
    const struct vcpu_ops *ops = vcpu->all->ops;
    void *context = vcpu->all->context;
    uint64_t value = UINT64_MAX; /* an empty bus reads all ones */
    if (run->mmio.is_write) {
        value = 0;
        memcpy(&value, run->mmio.data, run->mmio.len);
        if (ops->mmio_write)
            ops->mmio_write(context, run->mmio.phys_addr, run->mmio.len, value);
        return;
    }
    if (ops->mmio_read)
        value = ops->mmio_read(context, run->mmio.phys_addr, run->mmio.len);
    memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
}

static void vcpu_stuck(struct vcpu *vcpu, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void vcpu_stuck(struct vcpu *vcpu, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(vcpu->stuck, sizeof(vcpu->stuck), format, arguments);
    va_end(arguments);
    vcpu_event(vcpu, VCPU_EVENT_STUCK, vcpu->stuck);
}

/* What KVM_RUN came back with. False: this vCPU cannot go on. */
static bool vcpu_exit(struct vcpu *vcpu, int fd, struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        vcpu_io(vcpu, run);
        return true;
    case KVM_EXIT_MMIO:
        vcpu_mmio(vcpu, run);
        return true;
    case KVM_EXIT_HYPERV:
        vcpu_hyperv(vcpu, run);
        return true;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        vcpu_msr(vcpu, fd, run);
        return true;
    case KVM_EXIT_SYSTEM_EVENT:
        vcpu_system_event(vcpu, run);
        return false;
    case KVM_EXIT_SHUTDOWN:
        vcpu_event(vcpu, VCPU_EVENT_RESET, "triple fault");
        return false;
    case KVM_EXIT_INTR:
        return true;
    case KVM_EXIT_FAIL_ENTRY:
        vcpu_stuck(vcpu, "the processor refused to enter the guest (reason %#llx)",
                   (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        return false;
    case KVM_EXIT_INTERNAL_ERROR:
        vcpu_stuck(vcpu, "KVM internal error %u", run->internal.suberror);
        return false;
    default:
        vcpu_stuck(vcpu, "exit reason %u is not handled", run->exit_reason);
        return false;
    }
}

/* Run the guest until the main lane wants the threads parked. */
static void vcpu_run(struct vcpu *vcpu)
{
    struct vcpus *all = vcpu->all;
    int fd = all->vm->vcpu_fd[vcpu->vp];
    struct kvm_run *run = all->vm->run[vcpu->vp];
    bool able = true;
    while (able) {
        __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
        if (atomic_load(&all->leave))
            return;
        if (atomic_exchange(&vcpu->kicked, false))
            all->ops->kicked(all->context, vcpu->vp);
        int result = ioctl(fd, KVM_RUN, 0);
        atomic_store_explicit(&vcpu->exits,
                              atomic_load_explicit(&vcpu->exits, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        if (result == 0) {
            able = vcpu_exit(vcpu, fd, run);
        } else if (errno != EINTR && errno != EAGAIN) {
            vcpu_stuck(vcpu, "KVM_RUN: %s", strerrorname_np(errno));
            able = false;
        }
    }
    /* Out of work but still counted as running: wait for the main lane to park everybody. */
    pthread_mutex_lock(&all->lock);
    while (all->want == VCPUS_RUN)
        pthread_cond_wait(&all->changed, &all->lock);
    pthread_mutex_unlock(&all->lock);
}

static void *vcpu_thread(void *argument)
{
    struct vcpu *vcpu = argument;
    struct vcpus *all = vcpu->all;
    char name[16];
    snprintf(name, sizeof(name), "vcpu%u", vcpu->vp);
    pthread_setname_np(pthread_self(), name);
    if (all->ops->enter)
        all->ops->enter(all->context, vcpu->vp);
    pthread_mutex_lock(&all->lock);
    for (;;) {
        all->parked++;
        pthread_cond_broadcast(&all->changed);
        while (all->want == VCPUS_PARK)
            pthread_cond_wait(&all->changed, &all->lock);
        all->parked--;
        if (all->want == VCPUS_QUIT)
            break;
        pthread_mutex_unlock(&all->lock);
        vcpu_run(vcpu);
        pthread_mutex_lock(&all->lock);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

int vcpus_start(struct vcpus *vcpus, struct kvm_vm *vm, const struct vcpu_ops *ops, void *context)
{
    memset(vcpus, 0, sizeof(*vcpus));
    vcpus->vm = vm;
    vcpus->ops = ops;
    vcpus->context = context;
    vcpus->want = VCPUS_PARK;
    atomic_store(&vcpus->leave, true);
    pthread_mutex_init(&vcpus->lock, NULL);
    pthread_cond_init(&vcpus->changed, NULL);

    /* SA_RESTART is for the log's writes; KVM_RUN returns EINTR whatever it says. */
    struct sigaction action = {.sa_handler = vcpu_signal, .sa_flags = SA_RESTART};
    if (sigaction(VCPU_SIGNAL, &action, NULL) < 0)
        return -errno;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (unsigned i = 0; i < vm->vcpus; i++) {
        struct vcpu *vcpu = &vcpus->vcpu[i];
        vcpu->all = vcpus;
        vcpu->vp = i;
        int result = pthread_create(&vcpu->thread, &attributes, vcpu_thread, vcpu);
        if (result) {
            pthread_attr_destroy(&attributes);
            vcpus_end(vcpus);
            return -result;
        }
        pthread_getcpuclockid(vcpu->thread, &vcpu->clock);
        vcpus->count++;
    }
    pthread_attr_destroy(&attributes);
    vcpus_park(vcpus); /* every thread has reached its sandbox before anything else happens */
    return 0;
}

void vcpus_run(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->want = VCPUS_RUN;
    atomic_store(&vcpus->leave, false);
    pthread_cond_broadcast(&vcpus->changed);
    pthread_mutex_unlock(&vcpus->lock);
}

static void vcpus_interrupt(struct vcpus *vcpus, uint32_t vp)
{
    struct kvm_run *run = vcpus->vm->run[vp];
    if (!run)
        return;
    __atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    pthread_kill(vcpus->vcpu[vp].thread, VCPU_SIGNAL);
}

void vcpus_park(struct vcpus *vcpus)
{
    pthread_mutex_lock(&vcpus->lock);
    vcpus->want = VCPUS_PARK;
    atomic_store(&vcpus->leave, true);
    pthread_cond_broadcast(&vcpus->changed);
    if (vcpus->parked < vcpus->count) {
        for (unsigned i = 0; i < vcpus->count; i++)
            vcpus_interrupt(vcpus, i);
    }
    while (vcpus->parked < vcpus->count)
        pthread_cond_wait(&vcpus->changed, &vcpus->lock);
    pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_end(struct vcpus *vcpus)
{
    if (!vcpus->vm)
        return;
    vcpus_park(vcpus);
    pthread_mutex_lock(&vcpus->lock);
    vcpus->want = VCPUS_QUIT;
    pthread_cond_broadcast(&vcpus->changed);
    pthread_mutex_unlock(&vcpus->lock);
    for (unsigned i = 0; i < vcpus->count; i++)
        pthread_join(vcpus->vcpu[i].thread, NULL);
    pthread_cond_destroy(&vcpus->changed);
    pthread_mutex_destroy(&vcpus->lock);
    vcpus->vm = NULL;
}

void vcpus_kick(struct vcpus *vcpus, uint32_t vp)
{
    if (atomic_exchange(&vcpus->vcpu[vp].kicked, true))
        return; /* already on its way */
    vcpus_interrupt(vcpus, vp);
}

uint64_t vcpus_exits(const struct vcpus *vcpus)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < vcpus->count; i++)
        sum += atomic_load_explicit(&vcpus->vcpu[i].exits, memory_order_relaxed);
    return sum;
}

uint64_t vcpus_cpu_time(const struct vcpus *vcpus)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < vcpus->count; i++) {
        struct timespec time;
        if (clock_gettime(vcpus->vcpu[i].clock, &time) == 0)
            sum += (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    }
    return sum;
}
