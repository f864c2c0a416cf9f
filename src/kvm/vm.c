/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM virtual machine: see vm.h. Facts: Documentation/virt/kvm/api.rst; the routing of IRQ 0 to
 * I/O APIC pin 2 is the PC's own wiring and what our MADT says.
 *
 * Written for Intel and AMD alike: the identity map and TSS addresses mean nothing to AMD and are
 * needed by Intel parts without unrestricted guest mode.
 */
#include "src/kvm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/kvm/vcpu_state.h"

#define VMBUS_SINT_NUMBER 2u

/* KVM_COALESCED_MMIO_MAX, which needs the kernel's page size. */
#define COALESCED_ROOM \
    ((GMEM_PAGE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

int kvm_vm_init(struct kvm_vm *vm, const struct kvm_host *host, struct gmem *gmem,
                struct cpuid_table *cpuid, const struct cpuid_topology *topology, unsigned vcpus)
{
    memset(vm, 0, sizeof(*vm));
    vm->host = host;
    vm->gmem = gmem;
    vm->cpuid = cpuid;
    vm->topology = *topology;
    vm->vcpus = vcpus;
    vm->fd = -1;
    for (unsigned i = 0; i < LIMIT_VCPUS; i++)
        vm->vcpu_fd[i] = vm->stats_fd[i] = vm->sint_fd[i] = vm->ack_fd[i] = -1;
    for (unsigned i = 0; i < vcpus; i++) {
        vm->sint_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        vm->ack_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (vm->sint_fd[i] < 0 || vm->ack_fd[i] < 0)
            return -errno;
    }
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void kvm_vm_fini(struct kvm_vm *vm)
{
    kvm_vm_destroy(vm);
    for (unsigned i = 0; i < vm->vcpus; i++) {
        close_fd(&vm->sint_fd[i]);
        close_fd(&vm->ack_fd[i]);
    }
}

static int kvm_vm_slot(struct kvm_vm *vm, uint32_t number, const struct gmem_slot *slot,
                       uint32_t flags)
{
    struct kvm_userspace_memory_region region = {
        .slot = number,
        .flags = flags,
        .guest_phys_addr = slot->gpa,
        .memory_size = slot->size,
        .userspace_addr = (uintptr_t)slot->host,
    };
    return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

static int kvm_vm_memory(struct kvm_vm *vm)
{
    int result = 0;
    for (unsigned i = 0; i < vm->gmem->slots && result == 0; i++)
        result = kvm_vm_slot(vm, i, &vm->gmem->slot[i], 0);
    if (result == 0 && vm->rom.size)
        result = kvm_vm_slot(vm, GMEM_SLOTS, &vm->rom, KVM_MEM_READONLY);
    return result;
}

int kvm_vm_map(struct kvm_vm *vm, unsigned number, const struct gmem_slot *slot, bool readonly)
{
    const struct gmem_slot nowhere = {0};
    uint32_t kvm_number = GMEM_SLOTS + 1 + number;
    if (vm->fd < 0 || number >= KVM_VM_MAPS)
        return -ENODEV;
    if (vm->mapped[number])
        kvm_vm_slot(vm, kvm_number, &nowhere, 0);
    vm->mapped[number] = false;
    if (!slot->size)
        return 0;
    int result = kvm_vm_slot(vm, kvm_number, slot, readonly ? KVM_MEM_READONLY : 0);
    vm->mapped[number] = result == 0;
    return result;
}

/* An optimisation: that a host cannot do it is no error. */
static void kvm_vm_coalesce(struct kvm_vm *vm)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = vm->coalesced.gpa,
                                           .size = (uint32_t)vm->coalesced.size};
    if (vm->coalesced.size && vm->host->coalesced)
        ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone);
}

/* The ring is KVM's: it moves `last`, we move `first`; all vCPUs share one. */
void kvm_vm_gathered(const struct kvm_vm *vm,
                     void (*write)(void *context, uint64_t address, unsigned size, uint64_t value),
                     void *context)
{
    if (!vm->host->coalesced || !vm->run[0])
        return;
    struct kvm_coalesced_mmio_ring *ring =
        (void *)((uint8_t *)vm->run[0] + (size_t)vm->host->coalesced * GMEM_PAGE);
    uint32_t first = ring->first;
    while (first < COALESCED_ROOM && first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        struct kvm_coalesced_mmio entry = ring->coalesced_mmio[first];
        first = (first + 1) % (uint32_t)COALESCED_ROOM;
        __atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
        uint64_t value = 0;
        if (entry.len > sizeof(value))
            continue;
        memcpy(&value, entry.data, entry.len);
        write(context, entry.phys_addr, entry.len, value);
    }
}

static int kvm_vm_irqchip(struct kvm_vm *vm)
{
    uint64_t identity = GMEM_IDENTITY_MAP;
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
    if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
        ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)GMEM_TSS) < 0 ||
        ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0 || ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
        return -errno;
    return 0;
}

/* Routes: each ISA line to its 8259 pin and its I/O APIC pin (IRQ 0 to pin 2), the rest to the I/O
 * APIC, then the SINTs. */
static int kvm_vm_routes(struct kvm_vm *vm)
{
    unsigned room = 16 + KVM_VM_PC_GSIS + vm->vcpus;
    struct kvm_irq_routing *routing =
        calloc(1, sizeof(*routing) + room * sizeof(routing->entries[0]));
    if (!routing)
        return -ENOMEM;
    struct kvm_irq_routing_entry *entry = routing->entries;
    for (unsigned i = 0; i < 16; i++) {
        if (i == 2)
            continue; /* the cascade */
        *entry++ = (struct kvm_irq_routing_entry){
            .gsi = i,
            .type = KVM_IRQ_ROUTING_IRQCHIP,
            .u.irqchip = {.irqchip = i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                          .pin = i % 8},
        };
    }
    for (unsigned i = 0; i < KVM_VM_PC_GSIS; i++) {
        if (i == 2)
            continue;
        *entry++ = (struct kvm_irq_routing_entry){
            .gsi = i,
            .type = KVM_IRQ_ROUTING_IRQCHIP,
            .u.irqchip = {.irqchip = KVM_IRQCHIP_IOAPIC, .pin = i ? i : 2},
        };
    }
    for (unsigned i = 0; i < vm->vcpus; i++) {
        *entry++ = (struct kvm_irq_routing_entry){
            .gsi = KVM_VM_PC_GSIS + i,
            .type = KVM_IRQ_ROUTING_HV_SINT,
            .u.hv_sint = {.vcpu = i, .sint = VMBUS_SINT_NUMBER},
        };
    }
    routing->nr = (uint32_t)(entry - routing->entries);
    int result = ioctl(vm->fd, KVM_SET_GSI_ROUTING, routing) < 0 ? -errno : 0;
    free(routing);
    return result;
}

static int kvm_vm_irqfds(struct kvm_vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        struct kvm_irqfd irqfd = {
            .fd = (uint32_t)vm->sint_fd[i],
            .gsi = KVM_VM_PC_GSIS + i,
            .flags = KVM_IRQFD_FLAG_RESAMPLE,
            .resamplefd = (uint32_t)vm->ack_fd[i],
        };
        if (ioctl(vm->fd, KVM_IRQFD, &irqfd) < 0)
            return -errno;
    }
    return 0;
}

static int kvm_vm_vcpu(struct kvm_vm *vm, unsigned vp)
{
    uint32_t apic_id = cpuid_apic_id(&vm->topology, vp);
    int fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)apic_id);
    if (fd < 0)
        return -errno;
    vm->vcpu_fd[vp] = fd;
    void *run = mmap(NULL, vm->host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (run == MAP_FAILED)
        return -errno;
    vm->run[vp] = run;
    if (vm->host->has_stats)
        vm->stats_fd[vp] = ioctl(fd, KVM_GET_STATS_FD, 0);
    cpuid_for_vp(vm->cpuid, &vm->topology, vp);
    return vcpu_state_reset(fd, vp, &vm->cpuid->head, vm->host->has_enforce_cpuid);
}

/* Accesses to crash control, and to no other register, come to us. */
static int kvm_vm_registers(struct kvm_vm *vm)
{
    unsigned long nothing_allowed = 0; /* KVM reads whole longs */
    struct kvm_enable_cap exits = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
                                   .args = {KVM_MSR_EXIT_REASON_FILTER}};
    struct kvm_msr_filter filter = {
        .flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
        .ranges = {{.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
                    .nmsrs = 1,
                    .base = KVM_VM_CRASH_CONTROL,
                    .bitmap = (uint8_t *)&nothing_allowed}},
    };
    if (ioctl(vm->fd, KVM_ENABLE_CAP, &exits) < 0 ||
        ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
        return -errno;
    return 0;
}

int kvm_vm_create(struct kvm_vm *vm, const char **ret_what)
{
    static const struct {
        const char *what;
        int (*step)(struct kvm_vm *vm);
    } before[] = {{"guest memory", kvm_vm_memory},
                  {"interrupt controllers", kvm_vm_irqchip},
                  {"crash registers", kvm_vm_registers}},
      after[] = {{"interrupt routes", kvm_vm_routes}, {"interrupt descriptors", kvm_vm_irqfds}};
    int result;
    vm->fd = ioctl(vm->host->fd, KVM_CREATE_VM, 0);
    *ret_what = "a virtual machine";
    if (vm->fd < 0)
        return -errno;
    for (unsigned i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        *ret_what = before[i].what;
        if ((result = before[i].step(vm)) < 0)
            goto fail;
    }
    for (unsigned i = 0; i < vm->vcpus; i++) {
        *ret_what = "a virtual processor";
        if ((result = kvm_vm_vcpu(vm, i)) < 0)
            goto fail;
    }
    /* A route to a SINT names a VP, which must exist. */
    for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
        *ret_what = after[i].what;
        if ((result = after[i].step(vm)) < 0)
            goto fail;
    }
    kvm_vm_coalesce(vm);
    return 0;

fail:
    kvm_vm_destroy(vm);
    return result;
}

void kvm_vm_destroy(struct kvm_vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        if (vm->run[i])
            munmap(vm->run[i], vm->host->run_size);
        vm->run[i] = NULL;
        close_fd(&vm->stats_fd[i]);
        close_fd(&vm->vcpu_fd[i]);
    }
    /* KVM lets go of an irqfd when its VM goes, or later when the eventfd is closed: say it, so
     * that the next VM may have the same eventfds at once. */
    for (unsigned i = 0; vm->fd >= 0 && i < vm->vcpus; i++) {
        struct kvm_irqfd irqfd = {.fd = (uint32_t)vm->sint_fd[i],
                                  .gsi = KVM_VM_PC_GSIS + i,
                                  .flags = KVM_IRQFD_FLAG_DEASSIGN};
        ioctl(vm->fd, KVM_IRQFD, &irqfd);
    }
    close_fd(&vm->fd);
    memset(vm->mapped, 0, sizeof(vm->mapped));
}

void kvm_vm_irq(const struct kvm_vm *vm, unsigned gsi, int level)
{
    struct kvm_irq_level line = {.irq = gsi, .level = (uint32_t)level};
    ioctl(vm->fd, KVM_IRQ_LINE, &line);
}

int kvm_vm_connect(const struct kvm_vm *vm, uint32_t connection, int eventfd)
{
    struct kvm_hyperv_eventfd event = {.conn_id = connection, .fd = eventfd};
    return ioctl(vm->fd, KVM_HYPERV_EVENTFD, &event) < 0 ? -errno : 0;
}

void kvm_vm_disconnect(const struct kvm_vm *vm, uint32_t connection, int eventfd)
{
    struct kvm_hyperv_eventfd event = {
        .conn_id = connection, .fd = eventfd, .flags = KVM_HYPERV_EVENTFD_DEASSIGN};
    ioctl(vm->fd, KVM_HYPERV_EVENTFD, &event);
}

uint64_t kvm_vm_reference_time(const struct kvm_vm *vm)
{
    struct kvm_clock_data clock = {0};
    ioctl(vm->fd, KVM_GET_CLOCK, &clock);
    return clock.clock / 100;
}

/* The counter called "exits" of one vCPU's statistics file. */
static uint64_t kvm_vm_vcpu_exits(int fd)
{
    struct kvm_stats_header header;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) || header.name_size > 128)
        return 0;
    struct {
        struct kvm_stats_desc desc;
        char name[128];
    } entry;
    size_t size = sizeof(entry.desc) + header.name_size;
    for (uint32_t i = 0; i < header.num_desc; i++) {
        off_t at = (off_t)(header.desc_offset + i * size);
        if (pread(fd, &entry, size, at) != (ssize_t)size)
            return 0;
        if (strncmp(entry.name, "exits", header.name_size) != 0)
            continue;
        uint64_t value = 0;
        at = (off_t)header.data_offset + entry.desc.offset;
        return pread(fd, &value, sizeof(value), at) == (ssize_t)sizeof(value) ? value : 0;
    }
    return 0;
}

uint64_t kvm_vm_exits(const struct kvm_vm *vm)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < vm->vcpus; i++)
        sum += vm->stats_fd[i] >= 0 ? kvm_vm_vcpu_exits(vm->stats_fd[i]) : 0;
    return sum;
}
