/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kvm: see host.h. Facts: the kernel's Documentation/virt/kvm/api.rst.
 */
#include "src/kvm/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef KVM_CAP_BINARY_STATS_FD
#define KVM_CAP_BINARY_STATS_FD 203
#endif

const struct kvm_host_need kvm_host_needs[] = {
    {KVM_CAP_USER_MEMORY, "USER_MEMORY", "guest memory"},
    {KVM_CAP_IRQCHIP, "IRQCHIP", "interrupt controllers in the kernel"},
    {KVM_CAP_PIT2, "PIT2", "the interval timer"},
    {KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING", "routes to synthetic interrupts"},
    {KVM_CAP_IRQFD, "IRQFD", "interrupts from event descriptors"},
    {KVM_CAP_IRQFD_RESAMPLE, "IRQFD_RESAMPLE", "end-of-message notices"},
    {KVM_CAP_EXT_CPUID, "EXT_CPUID", "the CPU model"},
    {KVM_CAP_SET_TSS_ADDR, "SET_TSS_ADDR", "Intel's real-mode support"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "SET_IDENTITY_MAP_ADDR", "Intel's real-mode support"},
    {KVM_CAP_MP_STATE, "MP_STATE", "several vCPUs"},
    {KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT", "stopping a vCPU without a race"},
    {KVM_CAP_ADJUST_CLOCK, "ADJUST_CLOCK", "the partition reference time"},
    {KVM_CAP_HYPERV, "HYPERV", "Hyper-V's registers"},
    {KVM_CAP_HYPERV_TIME, "HYPERV_TIME", "the reference time page"},
    {KVM_CAP_HYPERV_SYNIC2, "HYPERV_SYNIC2", "the synthetic interrupt controller"},
    {KVM_CAP_HYPERV_VP_INDEX, "HYPERV_VP_INDEX", "virtual processor numbers"},
    {KVM_CAP_HYPERV_EVENTFD, "HYPERV_EVENTFD", "signals from the guest"},
    {KVM_CAP_HYPERV_CPUID, "HYPERV_CPUID", "Hyper-V's CPUID leaves"},
    {KVM_CAP_X86_USER_SPACE_MSR, "X86_USER_SPACE_MSR", "a guest's crash report"},
    {KVM_CAP_X86_MSR_FILTER, "X86_MSR_FILTER", "a guest's crash report"},
    {0, NULL, NULL},
};

G_DEFINE_QUARK(kvm_host_error, kvm_host_error)

static bool kvm_host_device_open(struct kvm_host *host, GError **error)
{
    host->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (host->fd >= 0)
        return true;
    int reason = errno;
    if (reason == EACCES || reason == EPERM)
        g_set_error(
            error, KVM_HOST_ERROR, KVM_HOST_ERROR_PERMISSION,
            "/dev/kvm: %s; run as root or add this user to the group that owns it (usually kvm)",
            g_strerror(reason));
    else
        g_set_error(
            error, KVM_HOST_ERROR, KVM_HOST_ERROR_MISSING,
            "/dev/kvm: %s; load kvm_intel or kvm_amd, and see that virtualisation is on in the "
            "firmware (vmbusctl check says more)",
            g_strerror(reason));
    return false;
}

/* KVM's modules leave in these parameters what the processor really has. */
static bool kvm_host_apicv(void)
{
    static const char *const parameters[] = {"/sys/module/kvm_intel/parameters/enable_apicv",
                                             "/sys/module/kvm_amd/parameters/avic"};
    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
        char value = 'N';
        int fd = open(parameters[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        ssize_t got = read(fd, &value, 1);
        close(fd);
        if (got == 1 && (value == 'Y' || value == '1'))
            return true;
    }
    return false;
}

bool kvm_host_open(struct kvm_host *host, GError **error)
{
    memset(host, 0, sizeof(*host));
    if (!kvm_host_device_open(host, error))
        return false;

    int version = ioctl(host->fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        g_set_error(error, KVM_HOST_ERROR, KVM_HOST_ERROR_CAPABILITY,
                    "/dev/kvm speaks API version %d, this program %d; use a stock Linux kernel",
                    version, KVM_API_VERSION);
        goto fail;
    }
    for (const struct kvm_host_need *need = kvm_host_needs; need->name; need++) {
        if (ioctl(host->fd, KVM_CHECK_EXTENSION, need->capability) > 0)
            continue;
        g_set_error(
            error, KVM_HOST_ERROR, KVM_HOST_ERROR_CAPABILITY,
            "this kernel's KVM lacks %s (%s); use Linux 5.10 or newer with CONFIG_KVM_HYPERV",
            need->name, need->why);
        goto fail;
    }
    int run_size = ioctl(host->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (run_size <= 0) {
        g_set_error(error, KVM_HOST_ERROR, KVM_HOST_ERROR_CAPABILITY,
                    "/dev/kvm does not tell the size of a vCPU's area: %s", g_strerror(errno));
        goto fail;
    }
    host->run_size = (size_t)run_size;
    host->max_vcpus = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    int coalesced = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
    host->coalesced =
        coalesced > 0 && (size_t)(coalesced + 1) * 4096 <= host->run_size ? (unsigned)coalesced : 0;
    host->has_stats = ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD) > 0;
    host->has_enforce_cpuid =
        ioctl(host->fd, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV_ENFORCE_CPUID) > 0;
    host->has_apicv = kvm_host_apicv();
    return true;

fail:
    kvm_host_close(host);
    return false;
}

void kvm_host_close(struct kvm_host *host)
{
    if (host->fd >= 0)
        close(host->fd);
    host->fd = -1;
}
