/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusctl check: can this host run our guests, and if not, what to do about it.
 *
 * One line for each thing that a worker needs, in the order in which they depend on each other. A
 * need that is not met fails the check; a wish that is not met is a warning.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/host_memory.h"
#include "src/common/limits.h"
#include "src/kvm/host.h"
#include "src/tools/vmbusctl.h"

#define MEMORY_COMFORT (512ull << 20) /* available; less is a warning */

#ifndef KVM_CAP_HYPERV_ENFORCE_CPUID
#define KVM_CAP_HYPERV_ENFORCE_CPUID 199
#endif
#ifndef KVM_CAP_BINARY_STATS_FD
#define KVM_CAP_BINARY_STATS_FD 203
#endif

enum verdict { GOOD, WARNING, FAILED, SKIPPED };

struct check {
    bool json;
    struct json_object *list;
    bool failed;
    int kvm;            /* /dev/kvm, or -1 */
    const char *module; /* kvm_intel, kvm_amd, or what to say if neither is known */
    bool nested;        /* this host is a virtual machine itself */
};

/* Report one line. `remedy` may be NULL if the verdict is good. */
static void verdict(struct check *check, enum verdict verdict, const char *name, const char *detail,
                    const char *remedy)
{
    static const char *const word[] = {"ok", "warning", "failed", "skipped"};
    struct json_object *item = json_object_new_object();

    check->failed |= verdict == FAILED;
    json_object_object_add(item, "name", json_object_new_string(name));
    json_object_object_add(item, "verdict", json_object_new_string(word[verdict]));
    json_object_object_add(item, "detail", json_object_new_string(detail));
    json_object_object_add(item, "remedy", remedy ? json_object_new_string(remedy) : NULL);
    json_object_array_add(check->list, item);
    if (!check->json)
        printf("%-28s %-8s %s%s%s\n", name, word[verdict], detail, remedy ? ": " : "",
               remedy ? remedy : "");
}

/* --- The processor ---------------------------------------------------------------------------- */

static void check_machine(struct check *check)
{
    struct utsname name;

    uname(&name);
    if (!strcmp(name.machine, "x86_64"))
        verdict(check, GOOD, "64-bit kernel", name.release, NULL);
    else
        verdict(check, FAILED, "64-bit kernel", name.machine, "boot an x86-64 Linux kernel");
}

/* True if `flag` is among the first processor's flags in `text`, the contents of /proc/cpuinfo. */
static bool has_flag(const char *text, const char *flag)
{
    const char *flags = text ? strstr(text, "\nflags") : NULL;
    g_autofree char *line = flags ? g_strndup(flags + 1, strcspn(flags + 1, "\n")) : NULL;
    g_auto(GStrv) words = line ? g_strsplit_set(line, " \t", -1) : NULL;

    return words && g_strv_contains((const char *const *)words, flag);
}

static void check_virtualisation(struct check *check)
{
    g_autofree char *text = NULL;

    g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL);
    check->nested = has_flag(text, "hypervisor");
    check->module = "kvm_intel (Intel) or kvm_amd (AMD)";
    if (has_flag(text, "vmx"))
        check->module = "kvm_intel";
    else if (has_flag(text, "svm"))
        check->module = "kvm_amd";
    if (!strchr(check->module, ' '))
        verdict(check, GOOD, "CPU virtualisation",
                !strcmp(check->module, "kvm_intel") ? "VT-x" : "AMD-V", NULL);
    else
        verdict(check, FAILED, "CPU virtualisation", "neither VT-x nor AMD-V",
                check->nested
                    ? "this is a virtual machine: let its host pass them on (there: modprobe "
                      "kvm_intel nested=1 or kvm_amd nested=1, CPU model \"host\")"
                    : "switch on VT-x or AMD-V (SVM) in the firmware's setup");
}

/* --- KVM -------------------------------------------------------------------------------------- */

static void check_device(struct check *check)
{
    g_autofree char *load = g_strdup_printf("modprobe %s", check->module);

    check->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (check->kvm >= 0)
        verdict(check, GOOD, "/dev/kvm", "opened", NULL);
    else if (errno == EACCES || errno == EPERM)
        verdict(check, FAILED, "/dev/kvm", g_strerror(errno),
                "run as root, or adduser USER kvm and log in again");
    else if (errno == ENOENT && strchr(check->module, ' '))
        verdict(check, FAILED, "/dev/kvm", "not there", "see \"CPU virtualisation\" first");
    else
        verdict(check, FAILED, "/dev/kvm", errno == ENOENT ? "not there" : g_strerror(errno), load);
}

static void check_version(struct check *check)
{
    int version = check->kvm >= 0 ? ioctl(check->kvm, KVM_GET_API_VERSION, 0) : 0;
    g_autofree char *detail = g_strdup_printf("%d", version);

    if (check->kvm < 0)
        verdict(check, SKIPPED, "KVM API version", "needs /dev/kvm", NULL);
    else if (version == KVM_API_VERSION)
        verdict(check, GOOD, "KVM API version", detail, NULL);
    else
        verdict(check, FAILED, "KVM API version", detail, "only 12 is known; use a stock kernel");
}

/* One capability; 0 or an error from KVM is "no". */
static void check_capability(struct check *check, const struct kvm_host_need *need, bool wish,
                             const char *remedy)
{
    g_autofree char *name = g_strdup_printf("KVM_CAP_%s", need->name);
    g_autofree char *detail = g_strdup_printf("%d, for %s", need->capability, need->why);

    if (check->kvm < 0)
        verdict(check, SKIPPED, name, detail, NULL);
    else if (ioctl(check->kvm, KVM_CHECK_EXTENSION, need->capability) > 0)
        verdict(check, GOOD, name, detail, NULL);
    else
        verdict(check, wish ? WARNING : FAILED, name, detail, remedy);
}

static void check_capabilities(struct check *check)
{
    static const struct kvm_host_need wishes[] = {
        {KVM_CAP_HYPERV_ENFORCE_CPUID, "HYPERV_ENFORCE_CPUID",
         "refusing the guest what its CPUID does not offer"},
        {KVM_CAP_BINARY_STATS_FD, "BINARY_STATS_FD", "exit counters"},
    };

    for (const struct kvm_host_need *need = kvm_host_needs; need->name; need++)
        check_capability(check, need, false,
                         "use Linux 5.10 or newer, with CONFIG_KVM_HYPERV where that exists");
    for (unsigned i = 0; i < G_N_ELEMENTS(wishes); i++)
        check_capability(check, &wishes[i], true, "Linux 5.14 or newer has it");
}

static void check_vcpus(struct check *check)
{
    int vcpus = check->kvm >= 0 ? ioctl(check->kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) : 0;
    g_autofree char *detail = g_strdup_printf("%d in one VM", vcpus);

    if (check->kvm < 0)
        verdict(check, SKIPPED, "KVM_CAP_MAX_VCPUS", "needs /dev/kvm", NULL);
    else if (vcpus >= (int)LIMIT_VCPUS)
        verdict(check, GOOD, "KVM_CAP_MAX_VCPUS", detail, NULL);
    else
        verdict(check, WARNING, "KVM_CAP_MAX_VCPUS", detail, "give VMs no more than that");
}

/* --- The rest --------------------------------------------------------------------------------- */

static void check_memory(struct check *check)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) bounds = host_memory_bounds(NULL, &error);

    if (!bounds) {
        verdict(check, FAILED, "memory", error->message, NULL);
        return;
    }
    for (guint i = 0; i < bounds->len; i++) {
        const struct memory_bound *bound = &g_array_index(bounds, struct memory_bound, i);
        g_autofree char *name = bound->cgroup
                                    ? g_strdup_printf("memory of cgroup %s", bound->cgroup)
                                    : g_strdup("memory");
        g_autofree char *detail = g_strdup_printf("%" PRIu64 " MiB available of %" PRIu64 " MiB",
                                                  bound->available >> 20, bound->total >> 20);

        if (bound->available >= MEMORY_COMFORT)
            verdict(check, GOOD, name, detail, NULL);
        else
            verdict(check, bound->available < LIMIT_MEMORY_MIN ? FAILED : WARNING, name, detail,
                    bound->cgroup ? "raise the cgroup's limit" : "stop something that uses memory");
    }
}

static void check_io_uring(struct check *check)
{
    struct io_uring_params params = {0};
    int fd = (int)syscall(SYS_io_uring_setup, 1, &params);

    if (fd >= 0) {
        close(fd);
        verdict(check, GOOD, "io_uring", "set up", NULL);
    } else {
        verdict(check, FAILED, "io_uring", g_strerror(errno),
                errno == EPERM ? "sysctl kernel.io_uring_disabled=0, and see that no container "
                                 "profile forbids it"
                               : "use Linux 5.10 or newer with CONFIG_IO_URING");
    }
}

static void check_seccomp(struct check *check)
{
    g_autofree char *text = NULL;

    if (g_file_get_contents("/proc/sys/kernel/seccomp/actions_avail", &text, NULL, NULL) &&
        strstr(text, "kill_process"))
        verdict(check, GOOD, "seccomp", "can kill a process", NULL);
    else
        verdict(check, FAILED, "seccomp", "cannot kill a process",
                "use a kernel with CONFIG_SECCOMP_FILTER");
}

static void check_landlock(struct check *check)
{
    int version =
        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    g_autofree char *detail = g_strdup_printf("version %d", version);

    if (version > 0)
        verdict(check, GOOD, "Landlock", detail, NULL);
    else
        verdict(check, WARNING, "Landlock", g_strerror(errno),
                "the sandbox goes without; Linux 5.13 or newer booted with landlock in lsm= has "
                "it");
}

static void check_huge_pages(struct check *check)
{
    g_autofree char *text = NULL;

    g_file_get_contents("/sys/kernel/mm/transparent_hugepage/enabled", &text, NULL, NULL);
    if (text && !strstr(text, "[never]"))
        verdict(check, GOOD, "transparent huge pages", "on, or on request", NULL);
    else
        verdict(check, WARNING, "transparent huge pages", "off",
                "guests run slower; echo madvise > "
                "/sys/kernel/mm/transparent_hugepage/enabled");
}

int vmbusctl_check(const struct vmbusctl_options *options)
{
    static void (*const checks[])(struct check * check) = {
        check_machine,      check_virtualisation, check_device,    check_version,
        check_capabilities, check_vcpus,          check_memory,    check_io_uring,
        check_seccomp,      check_landlock,       check_huge_pages};
    struct check check = {.json = options->json, .list = json_object_new_array(), .kvm = -1};

    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++)
        checks[i](&check);
    if (check.kvm >= 0)
        close(check.kvm);
    if (options->json) {
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "ok", json_object_new_boolean(!check.failed));
        json_object_object_add(object, "checks", json_object_get(check.list));
        show_json(object);
        json_object_put(object);
    } else {
        puts(check.failed ? "\nThis host cannot run VMs yet." : "\nThis host can run VMs.");
    }
    json_object_put(check.list);
    return check.failed ? VMBUSCTL_FAILED : VMBUSCTL_OK;
}
