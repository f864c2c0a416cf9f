/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp programs from lists: see confine_filter.h.
 *
 * libseccomp compiles; the result is loaded as plain BPF, so that 64 threads do not each compile,
 * nor touch an allocator of their own.
 */
#include "src/common/confine_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

/* Harmless whatever the arguments: they reach nothing but this process and what it has open. */
static const int common_calls[] = {
    SCMP_SYS(write), /* eventfds, the log, console and pty */
    SCMP_SYS(writev),
    SCMP_SYS(futex), /* locks, joins, lane_call() */
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(clock_gettime), /* where the vDSO cannot, and for CPU clocks */
    SCMP_SYS(getpid),        /* pthread_kill() */
    SCMP_SYS(gettid),
    SCMP_SYS(rt_sigprocmask), /* pthread_kill(), abort(), a thread's end */
    SCMP_SYS(rt_sigreturn),   /* the vCPU signal's handler */
    SCMP_SYS(sigaltstack),    /* asked by AddressSanitizer before calls that do not return */
    SCMP_SYS(brk),            /* malloc() */
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int allow(scmp_filter_ctx filter, const int *calls, unsigned count)
{
    int error = 0;

    for (unsigned i = 0; i < count && !error; i++)
        error = seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return error;
}

/* The kernel looks at the low 32 bits of these arguments only, so the filter does too. */
static int allow_if(scmp_filter_ctx filter, int call, unsigned argument, uint32_t mask,
                    uint32_t value)
{
    return seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, call, 1,
                                  SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

static int allow_common(scmp_filter_ctx filter)
{
    int error = allow(filter, common_calls, COUNT(common_calls));

    if (!error) /* malloc(), thread stacks, KVM's run page; never code */
        error = allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
    if (!error)
        error = allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
    if (!error) /* kicks a vCPU out of the guest; abort() */
        error = allow_if(filter, SCMP_SYS(tgkill), 0, UINT32_MAX, (uint32_t)getpid());
    return error;
}

static int add_rules(scmp_filter_ctx filter, const struct confine_list *list)
{
    int error = allow_common(filter);

    if (!error)
        error = allow(filter, list->calls, list->calls_count);
    for (unsigned i = 0; i < list->refused_count && !error; i++)
        error = seccomp_rule_add_exact(filter, SCMP_ACT_ERRNO(EACCES), list->refused[i], 0);
    for (unsigned i = 0; i < list->ioctls_count && !error; i++)
        error = allow_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, (uint32_t)list->ioctls[i]);
    for (unsigned i = 0; i < list->fcntls_count && !error; i++)
        error = allow_if(filter, SCMP_SYS(fcntl), 1, UINT32_MAX, (uint32_t)list->fcntls[i]);
    if (!error && list->ioctls_count) /* KVM_RUN is the call that costs; look for it first */
        error = seccomp_syscall_priority(filter, SCMP_SYS(ioctl), UINT8_MAX);
    return error;
}

/* libseccomp writes a program only to a descriptor. */
static int export(scmp_filter_ctx filter, struct sock_fprog *ret_program)
{
    int fd = memfd_create("seccomp", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    int error = seccomp_export_bpf(filter, fd);
    off_t size = error ? 0 : lseek(fd, 0, SEEK_END);
    struct sock_filter *code = NULL;
    if (!error && size > 0 && !(code = malloc((size_t)size)))
        error = -ENOMEM;
    if (!error && (!code || pread(fd, code, (size_t)size, 0) != size))
        error = -EIO;
    close(fd);
    if (error) {
        free(code);
        return error;
    }
    ret_program->filter = code;
    ret_program->len = (unsigned short)((size_t)size / sizeof(*code));
    return 0;
}

int confine_filter_build(const struct confine_list *list, struct sock_fprog *ret_program)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (!filter)
        return -ENOMEM;
    int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!error)
        error = add_rules(filter, list);
    if (!error)
        error = export(filter, ret_program);
    seccomp_release(filter);
    return error;
}

int confine_filter_enter(const struct sock_fprog *program)
{
    /* Without SECCOMP_FILTER_FLAG_TSYNC: each kind of thread may have a list of its own. */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) < 0 ? -errno : 0;
}
