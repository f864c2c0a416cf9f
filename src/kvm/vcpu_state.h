/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's registers before its first instruction.
 *
 * Segment registers are written only here, before the first KVM_RUN of a fresh vCPU.
 */
#ifndef VMBUSD_KVM_VCPU_STATE_H
#define VMBUSD_KVM_VCPU_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

/* How VP 0 enters a kernel that we loaded ourselves. */
struct vcpu_entry {
    bool long_mode;    /* else 32-bit protected mode, paging off */
    uint64_t rip, rsi; /* entry point; boot_params */
    uint64_t cr3;      /* long mode: identity page tables */
    uint64_t gdt;      /* flat descriptors: 0x10 code, 0x18 data */
    uint16_t gdt_limit;
};

/* CPUID, SynIC, VP index, memory types, local APIC pins. 0 or -errno. */
int vcpu_state_reset(int vcpu_fd, unsigned vp, struct kvm_cpuid2 *cpuid, bool enforce_cpuid);

/* Put VP 0 at `entry`. 0 or -errno. */
int vcpu_state_enter(int vcpu_fd, const struct vcpu_entry *entry);

#endif
