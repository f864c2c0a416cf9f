/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up what a process need not have: see confine.h. Facts: pivot_root(2), capabilities(7),
 * landlock(7), seccomp(2), and the kernel's Documentation/userspace-api/landlock.rst for ABI
 * versions.
 */
#include "src/common/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

G_DEFINE_QUARK(confine_error, confine_error)

static bool fail(GError **error, const char *what)
{
    g_set_error(error, CONFINE_ERROR, CONFINE_ERROR_SYSTEM, "sandbox: %s: %s", what,
                g_strerror(errno));
    return false;
}

/* --- Namespaces and the empty root ------------------------------------------------------------ */

/* glibc has no wrapper. */
static int pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

bool confine_namespaces(const char *over, GError **error)
{
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        return fail(error, "namespaces (run with CAP_SYS_ADMIN, or not as root)");
    /* Private, or our mounts would show up outside. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail(error, "making mounts private");
    if (mount("vmbusd-empty", over, "tmpfs", flags, "mode=0555,size=4k") < 0 || chdir(over) < 0)
        return fail(error, "mounting an empty root");
    /* The old root lands on top of the new one, and is then let go. */
    if (pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return fail(error, "changing to the empty root");
    return true;
}

/* --- Uid and capabilities --------------------------------------------------------------------- */

static bool drop_bounding(GError **error)
{
    /* The kernel says with EINVAL where its capabilities end. */
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return fail(error, "dropping the capability bounding set");
    return true;
}

bool confine_uid(uid_t uid, gid_t gid, GError **error)
{
    if (!drop_bounding(error))
        return false;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return fail(error, "changing the uid");
    return true;
}

bool confine_capabilities(GError **error)
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
    /* Not dumpable: other processes of the same user cannot trace it, nor read its memory. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return fail(error, "no new privileges");
    return true;
}

/* --- Landlock --------------------------------------------------------------------------------- */

/* The kernel's header of Debian 12 is older than most of this. */

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

bool confine_landlock(int *ret_abi, GError **error)
{
    *ret_abi = 0;
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
    *ret_abi = (int)abi;
    return true;
}

/* --- Threads ---------------------------------------------------------------------------------- */

/* /proc counts threads as links of the task directory, beside two of its own. */
bool confine_single_threaded(GError **error)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) {
        errno = EBUSY;
        return fail(error, "a thread is running already, which would stay outside");
    }
    return true;
}
