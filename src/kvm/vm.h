/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KVM virtual machine: memory slots, interrupt controllers, interrupt routes, eventfds, vCPUs.
 *
 * A reset throws the VM away and makes a fresh one over the same RAM (kvm_vm_destroy(),
 * kvm_vm_create()): every register of every vCPU, local APIC and timer is then in its reset state
 * by construction, and nothing has to be enumerated. The vCPU threads and all eventfds outlive it.
 *
 * GSIs 0 to 23 are the PC's (8259s and I/O APIC); GSI 24 + n is SINT 2 of VP n.
 */
#ifndef VMBUSD_KVM_VM_H
#define VMBUSD_KVM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/limits.h"
#include "src/kvm/cpuid.h"
#include "src/kvm/gmem.h"
#include "src/kvm/host.h"

#define KVM_VM_PC_GSIS 24u
#define KVM_VM_MAPS    4u /* pieces of device memory that come and go */

/* Hyper-V's crash control register: the guest's accesses are KVM_EXIT_X86_RDMSR and _WRMSR. */
#define KVM_VM_CRASH_CONTROL 0x40000105u

struct kvm_run;

struct kvm_vm {
    const struct kvm_host *host;
    struct gmem *gmem;
    struct gmem_slot rom; /* firmware, which the guest cannot write; size 0: none */
    bool mapped[KVM_VM_MAPS];
    struct {
        uint64_t gpa, size;
    } coalesced; /* where KVM gathers writes instead of an exit for each; size 0: nowhere */
    struct cpuid_table *cpuid; /* shared by all VPs; APIC ids are filled in as each is made */
    struct cpuid_topology topology;
    unsigned vcpus;
    int fd; /* -1 while there is none */
    int vcpu_fd[LIMIT_VCPUS];
    struct kvm_run *run[LIMIT_VCPUS];
    int stats_fd[LIMIT_VCPUS]; /* KVM's binary statistics, or -1 */
    int sint_fd[LIMIT_VCPUS];  /* write 1: raise SINT 2 of that VP */
    int ack_fd[LIMIT_VCPUS];   /* counts ends of SINT 2's interrupt and EOMs */
};

/* Eventfds only. 0 or -errno. `cpuid` is kept. */
int kvm_vm_init(struct kvm_vm *vm, const struct kvm_host *host, struct gmem *gmem,
                struct cpuid_table *cpuid, const struct cpuid_topology *topology, unsigned vcpus);
void kvm_vm_fini(struct kvm_vm *vm);

/* Make the VM with all vCPUs in reset state; VP 0 runnable, the others waiting for INIT. 0, or
 * -errno and *ret_what names the step that failed. Main thread, no vCPU thread running. */
int kvm_vm_create(struct kvm_vm *vm, const char **ret_what);
void kvm_vm_destroy(struct kvm_vm *vm);

/* Level of one of the PC's GSIs. Any thread. */
void kvm_vm_irq(const struct kvm_vm *vm, unsigned gsi, int level);

/* Device memory at slot->gpa, which is not guest memory to anybody but the guest; it leaves the
 * place that it had under `number`. Size 0: nowhere. 0, -ENODEV while there is no VM, or -errno
 * (-EEXIST: RAM or ROM is there), and it is nowhere. Any thread, one at a time. */
int kvm_vm_map(struct kvm_vm *vm, unsigned number, const struct gmem_slot *slot, bool readonly);

/* Hand what KVM has gathered of writes to vm->coalesced to `write`, in order; before anything else
 * that could tell that they have not happened. Any thread, one at a time. */
void kvm_vm_gathered(const struct kvm_vm *vm,
                     void (*write)(void *context, uint64_t address, unsigned size, uint64_t value),
                     void *context);

/* HvSignalEvent on `connection` writes to `eventfd`; and no longer. 0 or -errno. Main thread. */
int kvm_vm_connect(const struct kvm_vm *vm, uint32_t connection, int eventfd);
void kvm_vm_disconnect(const struct kvm_vm *vm, uint32_t connection, int eventfd);

/* The partition reference counter (100 ns), as the guest reads it. Any thread. */
uint64_t kvm_vm_reference_time(const struct kvm_vm *vm);

/* Exits of all vCPUs as KVM counts them (also those it handled itself); 0 if this kernel does not
 * tell. Main thread. */
uint64_t kvm_vm_exits(const struct kvm_vm *vm);

#endif
