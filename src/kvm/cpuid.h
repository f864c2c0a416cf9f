/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID as the guest sees it: a CPU model, a topology, and Hyper-V's leaves.
 */
#ifndef VMBUSD_KVM_CPUID_H
#define VMBUSD_KVM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <linux/kvm.h>

#define CPUID_ENTRIES 256

/* A table with room for what KVM knows and what we add. */
struct cpuid_table {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entry[CPUID_ENTRIES];
};

struct cpuid_topology {
    unsigned sockets, cores, threads; /* cores per socket, threads per core */
};

struct cpuid_hyperv {
    bool direct_timers; /* leaf 3 EDX bit 19: timers interrupt directly, not by message */
    bool apic_assist; /* leaf 4 EAX bit 3: end interrupts through the VP assist page, which saves an
                       * exit each unless the processor does that itself (APICv, AVIC) */
    bool host_2008_r2; /* leaf 2: the version of Windows Server 2008 R2 SP1, not one of our time */
    unsigned vps;
};

/* APIC id of VP `vp`: fields of a power-of-two width, as the SDM's leaf 0xB expects. */
uint32_t cpuid_apic_id(const struct cpuid_topology *topology, unsigned vp);

/*
 * What KVM on `kvm_fd` supports, cut down to `model` ("host", or "x86-64-v1" to "x86-64-v3": a
 * baseline that a machine can carry between hosts), with Hyper-V's leaves in place of KVM's own.
 * Topology and APIC ids are filled per VP by cpuid_for_vp(). False with `error` if the model is
 * unknown or the host lacks a feature that it promises.
 */
bool cpuid_build(struct cpuid_table *table, int kvm_fd, const char *model,
                 const struct cpuid_topology *topology, const struct cpuid_hyperv *hyperv,
                 GError **error);

/* Put the counts that are the same for every VP into the leaves there are; cpuid_build() does. */
void cpuid_apply_topology(struct cpuid_table *table, const struct cpuid_topology *topology);

/* Put Hyper-V's leaves in; cpuid_build() does. False if the table is full. */
bool cpuid_apply_hyperv(struct cpuid_table *table, const struct cpuid_hyperv *hyperv);

/* Put VP `vp`'s APIC id into every leaf that shows it. */
void cpuid_for_vp(struct cpuid_table *table, const struct cpuid_topology *topology, unsigned vp);

/* Physical address bits that the table tells. */
unsigned cpuid_physical_bits(const struct cpuid_table *table);

#define CPUID_ERROR (cpuid_error_quark())
GQuark cpuid_error_quark(void);
enum cpuid_error { CPUID_ERROR_MODEL, CPUID_ERROR_HOST };

#endif
