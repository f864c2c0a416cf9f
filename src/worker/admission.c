/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory admission: see admission.h.
 */
#include "src/worker/admission.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/log.h"

#define LOCK_FILE     "admission.lock"
#define CLAIMS_FOLDER "claims"

#define OVERHEAD_PROCESS (8ull << 20)
#define OVERHEAD_VCPU    (256ull << 10)
#define OVERHEAD_SHARE   256 /* two page tables of 8 bytes for each 4 KiB */

/* A running VM's. */
struct claim {
    pid_t pid;
    uint64_t bytes;
};

struct admission {
    int folder; /* -1: sealed */
    int fd;     /* of the claim; holds its lock */
    char *name;
};

GQuark admission_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-admission");
}

static bool system_fail(GError **error, const char *directory, const char *name)
{
    g_set_error(error, ADMISSION_ERROR, ADMISSION_ERROR_SYSTEM,
                "%s/%s: %s; give a run_dir that exists and that this user can write", directory,
                name, g_strerror(errno));
    return false;
}

uint64_t admission_overhead(uint64_t memory, unsigned vcpus)
{
    return OVERHEAD_PROCESS + vcpus * OVERHEAD_VCPU + memory / OVERHEAD_SHARE;
}

/* --- Claims ----------------------------------------------------------------------------------- */

/* Lock the whole file for as long as `fd` is open. */
static bool lock_claim(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Read one claim. False if there is none any more (then its file is removed). */
static bool read_claim(int folder, const char *name, struct claim *ret_claim)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    char text[64];
    int pid;

    if (fd < 0)
        return false;
    bool live = !lock_claim(fd);
    ssize_t len = live ? pread(fd, text, sizeof(text) - 1, 0) : 0;
    close(fd);
    if (!live) {
        unlinkat(folder, name, 0);
        return false;
    }
    text[MAX(len, 0)] = '\0';
    if (sscanf(text, "%d %" SCNu64, &pid, &ret_claim->bytes) != 2)
        return false; /* not ours to judge; its memory still counts once it is used */
    ret_claim->pid = pid;
    return true;
}

/* All running VMs' claims; NULL with errno. */
static GArray *read_claims(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    struct claim claim;

    if (!list)
        return NULL;
    GArray *claims = g_array_new(FALSE, FALSE, sizeof(struct claim));
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.' && read_claim(folder, entry->d_name, &claim))
            g_array_append_val(claims, claim);
    closedir(list);
    return claims;
}

/* Beside the guest's RAM. */
static uint64_t worker_bytes(const struct admission_request *request)
{
    return admission_overhead(request->memory, request->vcpus) + request->devices;
}

static bool make_claim(struct admission *admission, const struct admission_request *request,
                       GError **error)
{
    uint64_t bytes = request->memory + worker_bytes(request);
    char text[64];
    int len = snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)getpid(), bytes);

    admission->fd = openat(admission->folder, request->name,
                           O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (admission->fd < 0)
        return system_fail(error, request->run_dir, CLAIMS_FOLDER);
    admission->name = g_strdup(request->name);
    if (!lock_claim(admission->fd) || write(admission->fd, text, (size_t)len) != len)
        return system_fail(error, request->run_dir, CLAIMS_FOLDER);
    return true;
}

/* --- The decision ----------------------------------------------------------------------------- */

/* What running VMs may still take of `bound`. */
static uint64_t outstanding(const struct admission_request *request, const GArray *claims,
                            const struct memory_bound *bound)
{
    uint64_t sum = 0;

    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = &g_array_index(claims, struct claim, i);
        uint64_t resident = host_memory_resident(request->paths, claim->pid);

        if (host_memory_within(request->paths, claim->pid, bound))
            sum += claim->bytes - MIN(resident, claim->bytes);
    }
    return sum;
}

static unsigned long long mib(uint64_t bytes)
{
    return bytes >> 20;
}

static bool fits(const struct admission_request *request, const GArray *claims,
                 const struct memory_bound *bound, GError **error)
{
    uint64_t overhead = worker_bytes(request);
    uint64_t claimed = outstanding(request, claims, bound);

    if (request->memory + overhead + claimed + ADMISSION_RESERVE <= bound->available)
        return true;
    g_set_error(error, ADMISSION_ERROR, ADMISSION_ERROR_MEMORY,
                "memory: %llu MiB for the guest and %llu MiB for its worker do not fit: %s%s has "
                "%llu MiB available of %llu MiB, running VMs may still claim %llu MiB of it, and "
                "%llu MiB are kept in reserve; give the guest less, stop a VM, or set "
                "memory.overcommit",
                mib(request->memory), mib(overhead), bound->cgroup ? "cgroup " : "the host",
                bound->cgroup ? bound->cgroup : "", mib(bound->available), mib(bound->total),
                mib(claimed), mib(ADMISSION_RESERVE));
    return false;
}

static bool decide(const struct admission_request *request, const GArray *claims, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GArray) bounds = host_memory_bounds(request->paths, &reason);

    if (!bounds) {
        g_set_error_literal(error, ADMISSION_ERROR, ADMISSION_ERROR_SYSTEM, reason->message);
        return false;
    }
    for (guint i = 0; i < bounds->len; i++) {
        g_autoptr(GError) refusal = NULL;

        if (fits(request, claims, &g_array_index(bounds, struct memory_bound, i), &refusal))
            continue;
        if (!request->overcommit) {
            g_propagate_error(error, g_steal_pointer(&refusal));
            return false;
        }
        log_warning("overcommitted on request; %s", refusal->message);
    }
    return true;
}

/* Under the host-wide lock. */
static bool take(struct admission *admission, const struct admission_request *request,
                 GError **error)
{
    struct claim same;
    g_autoptr(GArray) claims = NULL;

    if (read_claim(admission->folder, request->name, &same)) {
        g_set_error(error, ADMISSION_ERROR, ADMISSION_ERROR_RUNNING,
                    "a VM named %s is already running (process %d); stop it first, or choose "
                    "another name",
                    request->name, (int)same.pid);
        return false;
    }
    claims = read_claims(admission->folder);
    if (!claims)
        return system_fail(error, request->run_dir, CLAIMS_FOLDER);
    return decide(request, claims, error) && make_claim(admission, request, error);
}

static bool open_folder(struct admission *admission, int run_dir)
{
    if (mkdirat(run_dir, CLAIMS_FOLDER, 0700) < 0 && errno != EEXIST)
        return false;
    admission->folder =
        openat(run_dir, CLAIMS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return admission->folder >= 0;
}

struct admission *admission_take(const struct admission_request *request, GError **error)
{
    struct admission *admission = g_new0(struct admission, 1);
    int run_dir = open(request->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = -1;
    bool good = false;

    admission->folder = admission->fd = -1;
    if (run_dir >= 0)
        lock = openat(run_dir, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0 || !open_folder(admission, run_dir))
        system_fail(error, request->run_dir, LOCK_FILE);
    else
        good = take(admission, request, error);
    if (!good)
        g_clear_pointer(&admission, admission_free);
    if (lock >= 0)
        close(lock); /* and with it the host-wide lock */
    if (run_dir >= 0)
        close(run_dir);
    return admission;
}

void admission_sealed(struct admission *admission)
{
    if (admission->folder >= 0)
        close(admission->folder);
    admission->folder = -1;
}

void admission_free(struct admission *admission)
{
    if (!admission)
        return;
    /* The name first: once the lock is gone another worker may make the file anew. */
    if (admission->folder >= 0 && admission->name)
        unlinkat(admission->folder, admission->name, 0);
    admission_sealed(admission);
    if (admission->fd >= 0)
        close(admission->fd);
    g_free(admission->name);
    g_free(admission);
}
