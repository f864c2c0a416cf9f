/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: model, topology and Hyper-V's leaves.
 *
 * Facts: Intel SDM volume 2 (leaves 1, 4, 0xB), AMD APM volume 3 (0x80000008, 0x8000001D and E),
 * Hyper-V TLFS appendix on CPUID, and what Linux, iPXE and KVM check of the 0x4000000x leaves.
 * KVM's own signature must not appear at all: a guest that finds it beside Hyper-V's takes KVM's
 * and never loads hv_vmbus.
 *
 * The named baselines are the x86-64 psABI's levels. They promise features and hide everything else
 * of leaves 1, 7 and 0x80000001, so that a machine can move between hosts of different generations.
 *
 * Left out: leaf 0x1F (dies, modules; KVM's is empty, and then guests take 0xB), cache topology
 * beyond the sharing counts of leaves 4 and 0x8000001D.
 */
#include "src/kvm/cpuid.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define HV_VENDOR_LEAF     0x40000000u
#define HV_MAX_LEAF        0x40000005u
#define HV_SIGNATURE       0x31237648u /* "Hv#1": KVM's Hyper-V emulation is off without it */
#define HV_LIMIT_VPS       240u
#define HV_LIMIT_LPS       512u
#define HV_SPIN_NEVER      0xffffffffu
#define HV_VERSION_BUILD   0x3839u /* any; Linux prints it */
#define HV_VERSION         0x000a0000u
#define HV_BUILD_2008_R2   7601u /* with Service Pack 1 */
#define HV_VERSION_2008_R2 0x00060001u

/* Leaf 0x40000003. */
enum {
    HV_EAX_VP_RUNTIME = 1u << 0,
    HV_EAX_TIME_REF_COUNT = 1u << 1,
    HV_EAX_SYNIC = 1u << 2,
    HV_EAX_SYNTIMER = 1u << 3,
    HV_EAX_APIC = 1u << 4,
    HV_EAX_HYPERCALL = 1u << 5,
    HV_EAX_VP_INDEX = 1u << 6,
    HV_EAX_RESET = 1u << 7,
    HV_EAX_REFERENCE_TSC = 1u << 9,
    HV_EAX_FREQUENCY = 1u << 11,
    HV_EBX_POST_MESSAGES = 1u << 4,
    HV_EBX_SIGNAL_EVENTS = 1u << 5,
    HV_EDX_FREQUENCY = 1u << 8,
    HV_EDX_CRASH = 1u << 10,
    HV_EDX_DIRECT_TIMERS = 1u << 19,
    /* Leaf 0x40000004. */
    HV_HINT_APIC_ACCESS = 1u << 3,
    HV_HINT_RELAXED_TIMING = 1u << 5,
    HV_HINT_DEPRECATE_AUTO_EOI = 1u << 9, /* AutoEOI makes KVM switch AVIC and APICv off */
};

enum { REG_EAX, REG_EBX, REG_ECX, REG_EDX };

/* A baseline: feature bits kept in one register. */
struct cpuid_mask {
    uint32_t function, index;
    int reg;
    uint32_t promise[3]; /* bits that v1, v2, v3 add */
    uint32_t
        keep; /* shown if the host has them, at every level: no program depends on their absence */
};

#define BIT(n) (1u << (n))

/* Levels of the psABI; `keep` are the bits that the machine itself needs (APIC, x2APIC, TSC
 * deadline, hypervisor). */
static const struct cpuid_mask cpuid_masks[] = {
    {1,
     0,
     REG_EDX,
     {BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(15) | BIT(23) | BIT(24) | BIT(25) |
          BIT(26),
      0, 0},
     BIT(1) | BIT(2) | BIT(3) | BIT(7) | BIT(9) | BIT(11) | BIT(12) | BIT(14) | BIT(16) | BIT(17) |
         BIT(19) | BIT(27) | BIT(28)},
    {1,
     0,
     REG_ECX,
     {0, BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23),
      BIT(12) | BIT(22) | BIT(26) | BIT(28) | BIT(29)},
     BIT(21) | BIT(24) | BIT(30) | BIT(31)},
    {7, 0, REG_EBX, {0, 0, BIT(3) | BIT(5) | BIT(8)}, BIT(0) | BIT(7) | BIT(20)},
    {7, 0, REG_ECX, {0, 0, 0}, BIT(2)},
    {7, 0, REG_EDX, {0, 0, 0}, BIT(10) | BIT(26) | BIT(27) | BIT(29) | BIT(31)},
    {7, 1, REG_EAX, {0, 0, 0}, 0},
    {0x80000001u, 0, REG_EDX, {BIT(11) | BIT(20) | BIT(29), 0, 0}, BIT(26) | BIT(27) | 0x0183f3ffu},
    {0x80000001u, 0, REG_ECX, {0, BIT(0), BIT(5)}, BIT(4)},
};

G_DEFINE_QUARK(cpuid_error, cpuid_error)

static unsigned cpuid_width(unsigned count)
{
    return count <= 1 ? 0 : 32 - (unsigned)__builtin_clz(count - 1);
}

uint32_t cpuid_apic_id(const struct cpuid_topology *topology, unsigned vp)
{
    unsigned thread_bits = cpuid_width(topology->threads);
    unsigned core_bits = cpuid_width(topology->cores);
    unsigned thread = vp % topology->threads;
    unsigned core = vp / topology->threads % topology->cores;
    unsigned socket = vp / (topology->threads * topology->cores);
    return socket << (core_bits + thread_bits) | core << thread_bits | thread;
}

static struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *table, uint32_t function,
                                           uint32_t index)
{
    for (uint32_t i = 0; i < table->head.nent; i++) {
        struct kvm_cpuid_entry2 *entry = &table->entry[i];
        if (entry->function == function && entry->index == index)
            return entry;
    }
    return NULL;
}

static uint32_t *cpuid_register(struct kvm_cpuid_entry2 *entry, int reg)
{
    switch (reg) {
    case REG_EAX:
        return &entry->eax;
    case REG_EBX:
        return &entry->ebx;
    case REG_ECX:
        return &entry->ecx;
    default:
        return &entry->edx;
    }
}

/* Find or append; NULL when the table is full. */
static struct kvm_cpuid_entry2 *cpuid_get(struct cpuid_table *table, uint32_t function,
                                          uint32_t index)
{
    struct kvm_cpuid_entry2 *entry = cpuid_find(table, function, index);
    if (entry || table->head.nent == CPUID_ENTRIES)
        return entry;
    entry = &table->entry[table->head.nent++];
    *entry = (struct kvm_cpuid_entry2){.function = function, .index = index};
    return entry;
}

/* Drop every hypervisor leaf (KVM's signature and features) that KVM proposes. */
static void cpuid_drop_hypervisor(struct cpuid_table *table)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->head.nent; i++) {
        if (table->entry[i].function >> 16 != HV_VENDOR_LEAF >> 16)
            table->entry[kept++] = table->entry[i];
    }
    table->head.nent = kept;
}

static bool cpuid_apply_model(struct cpuid_table *table, const char *model, GError **error)
{
    if (!strcmp(model, "host"))
        return true;
    int level = 0;
    if (!strcmp(model, "x86-64-v1"))
        level = 1;
    else if (!strcmp(model, "x86-64-v2"))
        level = 2;
    else if (!strcmp(model, "x86-64-v3"))
        level = 3;
    if (!level) {
        g_set_error(error, CPUID_ERROR, CPUID_ERROR_MODEL,
                    "CPU model \"%s\" is unknown; use host, x86-64-v1, x86-64-v2 or x86-64-v3",
                    model);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(cpuid_masks); i++) {
        const struct cpuid_mask *mask = &cpuid_masks[i];
        uint32_t promised = 0;
        for (int l = 0; l < level; l++)
            promised |= mask->promise[l];
        struct kvm_cpuid_entry2 *entry = cpuid_find(table, mask->function, mask->index);
        uint32_t *value = entry ? cpuid_register(entry, mask->reg) : NULL;
        /* OSXSAVE (leaf 1 ECX bit 27) follows CR4 and is KVM's to show. */
        if (promised & ~(value ? *value : 0)) {
            g_set_error(
                error, CPUID_ERROR, CPUID_ERROR_HOST,
                "this host cannot run CPU model %s: leaf %#x lacks bits %#x; choose a lower model or host",
                model, mask->function, promised & ~(value ? *value : 0));
            return false;
        }
        if (value)
            *value &= promised | mask->keep;
    }
    return true;
}

static bool cpuid_is_amd(struct cpuid_table *table)
{
    struct kvm_cpuid_entry2 *entry = cpuid_find(table, 0, 0);
    return entry && (entry->ebx == 0x68747541u || entry->ebx == 0x6f677948u); /* "Auth", "Hygo" */
}

/* How many APIC ids share the cache that `entry` describes (Intel's leaf 4, AMD's 0x8000001D): a
 * core's threads the first two levels, the package the others; Intel's also has the package's
 * cores. */
static void cpuid_apply_cache(struct kvm_cpuid_entry2 *entry, unsigned thread_bits,
                              unsigned package_bits)
{
    unsigned level = entry->eax >> 5 & 7;
    uint32_t sharing = (1u << (level < 3 ? thread_bits : package_bits)) - 1;
    if (!(entry->eax & 0x1f))
        return; /* the list's end */
    entry->eax = (entry->eax & ~(0xfffu << 14)) | (sharing & 0xfff) << 14;
    if (entry->function == 4) {
        uint32_t cores = (1u << (package_bits - thread_bits)) - 1;
        entry->eax = (entry->eax & ~(0x3fu << 26)) | (cores & 0x3f) << 26;
    }
}

void cpuid_apply_topology(struct cpuid_table *table, const struct cpuid_topology *topology)
{
    unsigned package = topology->cores * topology->threads;
    unsigned thread_bits = cpuid_width(topology->threads);
    unsigned package_bits = cpuid_width(topology->cores) + thread_bits;
    struct kvm_cpuid_entry2 *entry = cpuid_find(table, 1, 0);
    if (entry) {
        entry->ebx = (entry->ebx & 0xff00ffffu) | package << 16;
        entry->edx = package > 1 ? entry->edx | BIT(28) : entry->edx & ~BIT(28);
    }
    for (uint32_t i = 0; i < table->head.nent; i++) {
        if (table->entry[i].function == 4 || table->entry[i].function == 0x8000001du)
            cpuid_apply_cache(&table->entry[i], thread_bits, package_bits);
    }
    if (!cpuid_is_amd(table))
        return;
    entry = cpuid_find(table, 0x80000008u, 0);
    if (entry)
        entry->ecx = (entry->ecx & ~0xf0ffu) | package_bits << 12 | (package - 1);
    entry = cpuid_find(table, 0x80000001u, 0);
    if (entry && package > 1)
        entry->ecx |= BIT(1); /* CmpLegacy: the count of leaf 1 is cores */
}

bool cpuid_apply_hyperv(struct cpuid_table *table, const struct cpuid_hyperv *hyperv)
{
    struct kvm_cpuid_entry2 *leaf[6];
    for (uint32_t i = 0; i < 6; i++) {
        leaf[i] = cpuid_get(table, HV_VENDOR_LEAF + i, 0);
        if (!leaf[i])
            return false;
    }
    *leaf[0] = (struct kvm_cpuid_entry2){.function = HV_VENDOR_LEAF, .eax = HV_MAX_LEAF};
    memcpy(&leaf[0]->ebx, "Micr", 4);
    memcpy(&leaf[0]->ecx, "osof", 4);
    memcpy(&leaf[0]->edx, "t Hv", 4);
    leaf[1]->eax = HV_SIGNATURE;
    leaf[2]->eax = hyperv->host_2008_r2 ? HV_BUILD_2008_R2 : HV_VERSION_BUILD;
    leaf[2]->ebx = hyperv->host_2008_r2 ? HV_VERSION_2008_R2 : HV_VERSION;
    leaf[3]->eax = HV_EAX_VP_RUNTIME | HV_EAX_TIME_REF_COUNT | HV_EAX_SYNIC | HV_EAX_SYNTIMER |
                   HV_EAX_APIC | HV_EAX_HYPERCALL | HV_EAX_VP_INDEX | HV_EAX_RESET |
                   HV_EAX_REFERENCE_TSC | HV_EAX_FREQUENCY;
    leaf[3]->ebx = HV_EBX_POST_MESSAGES | HV_EBX_SIGNAL_EVENTS;
    leaf[3]->edx = HV_EDX_FREQUENCY | HV_EDX_CRASH |
                   (hyperv->direct_timers ? (uint32_t)HV_EDX_DIRECT_TIMERS : 0);
    leaf[4]->eax = HV_HINT_RELAXED_TIMING | HV_HINT_DEPRECATE_AUTO_EOI |
                   (hyperv->apic_assist ? (uint32_t)HV_HINT_APIC_ACCESS : 0);
    leaf[4]->ebx = HV_SPIN_NEVER;
    leaf[5]->eax = hyperv->vps > HV_LIMIT_VPS ? hyperv->vps : HV_LIMIT_VPS;
    leaf[5]->ebx = HV_LIMIT_LPS;
    return true;
}

bool cpuid_build(struct cpuid_table *table, int kvm_fd, const char *model,
                 const struct cpuid_topology *topology, const struct cpuid_hyperv *hyperv,
                 GError **error)
{
    memset(table, 0, sizeof(*table));
    table->head.nent = CPUID_ENTRIES;
    if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &table->head) < 0) {
        g_set_error(error, CPUID_ERROR, CPUID_ERROR_HOST, "KVM does not tell its CPUID: %s",
                    g_strerror(errno));
        return false;
    }
    cpuid_drop_hypervisor(table);
    if (!cpuid_apply_model(table, model, error))
        return false;
    struct kvm_cpuid_entry2 *entry = cpuid_find(table, 1, 0);
    if (entry)
        entry->ecx |= BIT(31); /* "runs under a hypervisor": the first thing every guest looks at */
    /* Leaf 0xB may be missing from what KVM proposes; levels are filled per VP. */
    if (!cpuid_is_amd(table) || cpuid_find(table, 0xb, 0)) {
        for (uint32_t i = 0; i < 2; i++) {
            entry = cpuid_get(table, 0xb, i);
            if (entry)
                entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        }
    }
    cpuid_apply_topology(table, topology);
    if (!cpuid_apply_hyperv(table, hyperv)) {
        g_set_error(error, CPUID_ERROR, CPUID_ERROR_HOST,
                    "KVM proposes so much CPUID that Hyper-V's leaves do not fit");
        return false;
    }
    return true;
}

void cpuid_for_vp(struct cpuid_table *table, const struct cpuid_topology *topology, unsigned vp)
{
    uint32_t apic_id = cpuid_apic_id(topology, vp);
    unsigned thread_bits = cpuid_width(topology->threads);
    unsigned package_bits = cpuid_width(topology->cores) + thread_bits;
    for (uint32_t i = 0; i < table->head.nent; i++) {
        struct kvm_cpuid_entry2 *entry = &table->entry[i];
        if (entry->function == 1) {
            entry->ebx = (entry->ebx & 0x00ffffffu) | apic_id << 24;
        } else if (entry->function == 0xb) {
            static const uint32_t level_type[] = {1, 2}; /* SMT, core */
            bool real = entry->index < 2;
            entry->eax = !real ? 0 : entry->index ? package_bits : thread_bits;
            entry->ebx = !real          ? 0
                         : entry->index ? topology->cores * topology->threads
                                        : topology->threads;
            entry->ecx = entry->index | (real ? level_type[entry->index] << 8 : 0);
            entry->edx = apic_id;
        } else if (entry->function == 0x8000001eu) {
            entry->eax = apic_id;
            entry->ebx = vp / topology->threads % topology->cores | (topology->threads - 1) << 8;
            entry->ecx = apic_id >> package_bits;
        }
    }
}

unsigned cpuid_physical_bits(const struct cpuid_table *table)
{
    for (uint32_t i = 0; i < table->head.nent; i++) {
        if (table->entry[i].function == 0x80000008u)
            return table->entry[i].eax & 0xff;
    }
    return 36;
}
