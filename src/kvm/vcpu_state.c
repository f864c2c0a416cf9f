/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's first registers: see vcpu_state.h. Facts: Intel SDM volume 3 (modes, MTRRs, local APIC),
 * the kernel's Documentation/x86/boot.rst for the two entry states.
 */
#include "src/kvm/vcpu_state.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_MISC_ENABLE   0x1a0u
#define MSR_MTRR_DEF_TYPE 0x2ffu
#define MSR_HV_VP_INDEX   0x40000002u
#define MISC_FAST_STRING  1ull
#define MTRR_ENABLED_WB   (1ull << 11 | 6)
#define MCE_BANKS         1ull /* a guest at its start visits five registers of each */

#define APIC_LVT0        0x350
#define APIC_LVT1        0x360
#define APIC_MODE_NMI    (4u << 8)
#define APIC_MODE_EXTINT (7u << 8)

#define CR0_PE   1ull
#define CR0_ET   (1ull << 4)
#define CR0_PG   (1ull << 31)
#define CR4_PAE  (1ull << 5)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)

#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

struct one_msr {
    struct kvm_msrs head;
    struct kvm_msr_entry entry;
};

/* 0, -EINVAL if this KVM or processor has no such register, or -errno. */
static int vcpu_set_msr(int fd, uint32_t index, uint64_t value)
{
    struct one_msr msr = {.head.nmsrs = 1, .entry = {.index = index, .data = value}};
    int done = ioctl(fd, KVM_SET_MSRS, &msr);
    return done < 0 ? -errno : done == 1 ? 0 : -EINVAL;
}

/* As firmware does on Intel: without it Linux takes REP MOVS for slow. The bits that KVM has set
 * (no BTS, no PEBS) stay. Others may refuse the register. */
static void vcpu_fast_strings(int fd)
{
    struct one_msr msr = {.head.nmsrs = 1, .entry = {.index = MSR_MISC_ENABLE}};
    if (ioctl(fd, KVM_GET_MSRS, &msr) == 1)
        vcpu_set_msr(fd, MSR_MISC_ENABLE, msr.entry.data | MISC_FAST_STRING);
}

/* The BSP's pins as a PC's firmware leaves them: the 8259 on LINT0, NMI on LINT1. */
static int vcpu_apic_pins(int fd)
{
    struct kvm_lapic_state apic;
    if (ioctl(fd, KVM_GET_LAPIC, &apic) < 0)
        return -errno;
    uint32_t lvt0 = APIC_MODE_EXTINT, lvt1 = APIC_MODE_NMI;
    memcpy(apic.regs + APIC_LVT0, &lvt0, sizeof(lvt0));
    memcpy(apic.regs + APIC_LVT1, &lvt1, sizeof(lvt1));
    return ioctl(fd, KVM_SET_LAPIC, &apic) < 0 ? -errno : 0;
}

int vcpu_state_reset(int vcpu_fd, unsigned vp, struct kvm_cpuid2 *cpuid, bool enforce_cpuid)
{
    struct kvm_enable_cap synic = {.cap = KVM_CAP_HYPERV_SYNIC2};
    struct kvm_enable_cap enforce = {.cap = KVM_CAP_HYPERV_ENFORCE_CPUID, .args = {1}};
    if (ioctl(vcpu_fd, KVM_ENABLE_CAP, &synic) < 0)
        return -errno;
    int result = vcpu_set_msr(vcpu_fd, MSR_HV_VP_INDEX, vp);
    if (result < 0)
        return result;
    if (ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0)
        return -errno;
    if (enforce_cpuid && ioctl(vcpu_fd, KVM_ENABLE_CAP, &enforce) < 0)
        return -errno;
    uint64_t mce = MCE_BANKS;
    if (ioctl(vcpu_fd, KVM_X86_SETUP_MCE, &mce) < 0)
        return -errno;
    if ((result = vcpu_set_msr(vcpu_fd, MSR_MTRR_DEF_TYPE, MTRR_ENABLED_WB)) < 0)
        return result;
    vcpu_fast_strings(vcpu_fd);
    return vp == 0 ? vcpu_apic_pins(vcpu_fd) : 0;
}

int vcpu_state_enter(int vcpu_fd, const struct vcpu_entry *entry)
{
    struct kvm_sregs sregs;
    if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
        return -errno;
    struct kvm_segment code = {
        .limit = 0xffffffff, .selector = SELECTOR_CODE, .type = 11, .present = 1, .s = 1, .g = 1};
    struct kvm_segment data = {.limit = 0xffffffff,
                               .selector = SELECTOR_DATA,
                               .type = 3,
                               .present = 1,
                               .s = 1,
                               .g = 1,
                               .db = 1};
    code.l = entry->long_mode;
    code.db = !entry->long_mode;
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.gdt = (struct kvm_dtable){.base = entry->gdt, .limit = entry->gdt_limit};
    sregs.idt = (struct kvm_dtable){0};
    sregs.cr0 = CR0_PE | CR0_ET;
    if (entry->long_mode) {
        sregs.cr0 |= CR0_PG;
        sregs.cr3 = entry->cr3;
        sregs.cr4 |= CR4_PAE;
        sregs.efer |= EFER_LME | EFER_LMA;
    }
    struct kvm_regs regs = {.rip = entry->rip, .rsi = entry->rsi, .rflags = 2};
    if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0)
        return -errno;
    return 0;
}
