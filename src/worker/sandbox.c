/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering the sandbox: see sandbox.h. Facts: pivot_root(2), capabilities(7), landlock(7),
 * seccomp(2), and the kernel's Documentation/userspace-api/landlock.rst for ABI versions.
 *
 * Order matters: mounting needs the capabilities that the change of uid gives up; Landlock forbids
 * mounting; no-new-privileges comes before Landlock and seccomp, which ask for it.
 */
#include "src/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/worker/sandbox_filter.h"

#define UID_LOCK_FILE "uid.lock"

G_DEFINE_QUARK(sandbox_error, sandbox_error)

struct sandbox {
    bool root; /* all layers can be entered */
    bool log_only;
    uid_t uid;        /* to be, or to stay */
    int lock;         /* holds the uid; -1 without root */
    char *run_dir;    /* the empty root is mounted over it, in our own mount namespace */
    int landlock_abi; /* 0: the kernel has none */
    struct sock_fprog program[SANDBOX_KINDS];
};

static bool fail(GError **error, const char *what)
{
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SYSTEM, "sandbox: %s: %s", what,
                g_strerror(errno));
    return false;
}

/* The uid. */

/* Lock the byte that stands for `uid`: the lock file's offset of that number. */
static bool lock_uid(int fd, uid_t uid)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)uid, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool choose_uid(struct sandbox *sandbox, int64_t wanted, GError **error)
{
    if (wanted >= 0) {
        sandbox->uid = (uid_t)wanted;
        if (lock_uid(sandbox->lock, sandbox->uid))
            return true;
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: %u is in use by another VM; choose another, or leave the choice to us",
                    sandbox->uid);
        return false;
    }
    for (unsigned i = 0; i < SANDBOX_UID_COUNT; i++) {
        sandbox->uid = SANDBOX_UID_FIRST + i;
        if (lock_uid(sandbox->lock, sandbox->uid))
            return true;
    }
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID, "uid: all of %u to %u are in use",
                SANDBOX_UID_FIRST, SANDBOX_UID_FIRST + SANDBOX_UID_COUNT - 1);
    return false;
}

static bool prepare_root(struct sandbox *sandbox, const struct sandbox_params *params,
                         GError **error)
{
    g_autofree char *path = g_build_filename(params->run_dir, UID_LOCK_FILE, NULL);

    if (params->uid == 0 || params->uid >= UINT32_MAX) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: %" G_GINT64_FORMAT " cannot be a VM's; give one from 1 to %u",
                    params->uid, UINT32_MAX - 1);
        return false;
    }
    sandbox->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sandbox->lock < 0)
        return fail(error, path);
    return choose_uid(sandbox, params->uid, error);
}

struct sandbox *sandbox_prepare(const struct sandbox_params *params, GError **error)
{
    struct sandbox *sandbox = g_new0(struct sandbox, 1);

    sandbox->root = geteuid() == 0;
    sandbox->log_only = params->log_only;
    sandbox->run_dir = g_strdup(params->run_dir);
    sandbox->lock = -1;
    sandbox->uid = geteuid();
    if (sandbox->root) {
        if (!prepare_root(sandbox, params, error))
            goto failed;
    } else if (params->uid >= 0 && params->uid != (int64_t)sandbox->uid) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID,
                    "uid: only root can run a VM as uid %" G_GINT64_FORMAT "; leave the key out",
                    params->uid);
        goto failed;
    }
    return sandbox;

failed:
    sandbox_free(sandbox);
    return NULL;
}

uint32_t sandbox_uid(const struct sandbox *sandbox)
{
    return sandbox->uid;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    for (unsigned i = 0; i < SANDBOX_KINDS; i++)
        free(sandbox->program[i].filter);
    if (sandbox->lock >= 0)
        close(sandbox->lock);
    g_free(sandbox->run_dir);
    g_free(sandbox);
}

/* Namespaces and the empty root. */

/* glibc has no wrapper. */
static int pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static bool enter_namespaces(const struct sandbox *sandbox, GError **error)
{
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return fail(error, "namespaces (run with CAP_SYS_ADMIN, or not as root)");
    /* Private, or our mounts would show up outside. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail(error, "making mounts private");
    if (mount("vmbusd-empty", sandbox->run_dir, "tmpfs", flags, "mode=0555,size=4k") < 0 ||
        chdir(sandbox->run_dir) < 0)
        return fail(error, "mounting an empty root");
    /* The old root lands on top of the new one, and is then let go. */
    if (pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return fail(error, "changing to the empty root");
    return true;
}

/* Uid and capabilities. */

static bool drop_bounding(GError **error)
{
    /* The kernel says with EINVAL where its capabilities end. */
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return fail(error, "dropping the capability bounding set");
    return true;
}

static bool change_uid(uid_t uid, GError **error)
{
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        return fail(error, "changing the uid");
    return true;
}

/* Clear what is left (without root: what the caller may have been given), and see that it is. */
static bool drop_capabilities(GError **error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
        syscall(SYS_capset, &header, data) < 0 || syscall(SYS_capget, &header, data) < 0)
        return fail(error, "dropping capabilities");
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if (data[i].effective | data[i].permitted | data[i].inheritable) {
            errno = EPERM;
            return fail(error, "capabilities are left");
        }
    return true;
}

static bool forbid_gain(GError **error)
{
    /* Not dumpable: other processes of the same user cannot trace it, nor read its memory. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return fail(error, "no new privileges");
    return true;
}

/* Landlock. The kernel's header of Debian 12 is older than most of this. */

struct landlock_rights {
    uint64_t fs;     /* bit n: ABI 1 has 0 to 12, ABI 2 adds 13, ABI 3 14, ABI 5 15 */
    uint64_t net;    /* ABI 4: bind and connect TCP */
    uint64_t scoped; /* ABI 6: abstract sockets and signals stay inside */
};

#define LANDLOCK_VERSION_QUERY 1u

static struct landlock_rights landlock_all(int abi)
{
    static const unsigned fs_bits[] = {13, 14, 15, 15, 16};
    int last = (int)G_N_ELEMENTS(fs_bits);

    return (struct landlock_rights){
        .fs = (1ull << fs_bits[MIN(abi, last) - 1]) - 1,
        .net = abi >= 4 ? 3 : 0,
        .scoped = abi >= 6 ? 3 : 0,
    };
}

/* Handle every right there is and allow none. A kernel without Landlock is not an error. */
static bool enter_landlock(struct sandbox *sandbox, GError **error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_QUERY);

    if (abi < 1)
        return errno == ENOSYS || errno == EOPNOTSUPP || fail(error, "Landlock");
    struct landlock_rights rights = landlock_all((int)abi);
    /* An older kernel takes the longer structure as long as what it does not know is 0. */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
    if (ruleset < 0)
        return fail(error, "Landlock ruleset");
    long result = syscall(SYS_landlock_restrict_self, ruleset, 0);
    int saved = errno;
    close(ruleset);
    errno = saved;
    if (result < 0)
        return fail(error, "Landlock");
    sandbox->landlock_abi = (int)abi;
    return true;
}

/* Together. */

/* /proc counts threads as links of the task directory, beside two of its own. */
static bool single_threaded(GError **error)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) {
        errno = EBUSY;
        return fail(error, "a thread is running already, which would stay outside");
    }
    return true;
}

static bool build_filters(struct sandbox *sandbox, GError **error)
{
    for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++) {
        int result = sandbox_filter_build((enum sandbox_kind)kind, sandbox->log_only,
                                          &sandbox->program[kind]);
        if (result < 0) {
            errno = -result;
            return fail(error, "building seccomp filters");
        }
    }
    return true;
}

static void tell(const struct sandbox *sandbox)
{
    char landlock[32] = "no Landlock in this kernel";

    if (sandbox->landlock_abi)
        g_snprintf(landlock, sizeof(landlock), "Landlock ABI %d", sandbox->landlock_abi);
    if (sandbox->root)
        log_info("sandbox: uid %u, empty root, own namespaces, %s, seccomp%s", sandbox->uid,
                 landlock, sandbox->log_only ? " that only logs" : "");
    else
        log_warning("sandbox: not root, so neither a uid of its own nor namespaces; %s, seccomp%s",
                    landlock, sandbox->log_only ? " that only logs" : "");
}

bool sandbox_enter_process(struct sandbox *sandbox, GError **error)
{
    if (!single_threaded(error) || !build_filters(sandbox, error))
        return false;
    if (sandbox->root && (!enter_namespaces(sandbox, error) || !drop_bounding(error) ||
                          !change_uid(sandbox->uid, error)))
        return false;
    if (!drop_capabilities(error) || !forbid_gain(error) || !enter_landlock(sandbox, error))
        return false;
    tell(sandbox);
    return true;
}

int sandbox_enter_thread(const struct sandbox *sandbox, enum sandbox_kind kind)
{
    /* Without SECCOMP_FILTER_FLAG_TSYNC: each kind of thread has a list of its own. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &sandbox->program[kind]) < 0)
        return -errno;
    return 0;
}
