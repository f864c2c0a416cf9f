/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kvm itself: open it once, find out whether this host can run our guests, keep what later
 * calls need.
 */
#ifndef VMBUSD_KVM_HOST_H
#define VMBUSD_KVM_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

struct kvm_host {
    int fd;          /* /dev/kvm; stays open, because a reset makes a new VM from it */
    size_t run_size; /* bytes of a vCPU's shared kvm_run area */
    int max_vcpus;
    unsigned coalesced;     /* page of that area that has KVM's coalesced writes; 0: none */
    bool has_stats;         /* KVM_GET_STATS_FD */
    bool has_enforce_cpuid; /* KVM_CAP_HYPERV_ENFORCE_CPUID */
    bool has_apicv;         /* the processor ends interrupts without an exit (APICv, AVIC) */
};

#define KVM_HOST_ERROR (kvm_host_error_quark())
GQuark kvm_host_error_quark(void);
enum kvm_host_error {
    KVM_HOST_ERROR_MISSING,
    KVM_HOST_ERROR_PERMISSION,
    KVM_HOST_ERROR_CAPABILITY
};

/* One capability that we cannot do without. */
struct kvm_host_need {
    int capability;   /* KVM_CAP_* */
    const char *name; /* as in linux/kvm.h, without KVM_CAP_ */
    const char *why;
};

/* All of them, ended by a NULL name; `vmbusctl check` walks the same table. */
extern const struct kvm_host_need kvm_host_needs[];

/* Open /dev/kvm and check the table. False with a one-line error that says what to do. */
bool kvm_host_open(struct kvm_host *host, GError **error);
void kvm_host_close(struct kvm_host *host);

#endif
