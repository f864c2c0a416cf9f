/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls by kind of thread, as lists beside the reason for each entry.
 *
 * Compiled by libseccomp once per kind and loaded by each thread as plain BPF, so that 64 vCPU
 * threads do not each compile, nor touch an allocator of their own. What is not listed kills the
 * process; so does a system call of the 32-bit or x32 ABI.
 */
#include "src/worker/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

static const int lane_calls[] = {
    SCMP_SYS(epoll_wait), /* the loop; glibc uses either */
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),      SCMP_SYS(timerfd_settime),
    SCMP_SYS(read), /* eventfds, timerfd */
    SCMP_SYS(readv),       SCMP_SYS(pread64),        SCMP_SYS(pwrite64),
    SCMP_SYS(preadv),      SCMP_SYS(pwritev),        SCMP_SYS(preadv2),
    SCMP_SYS(pwritev2),    SCMP_SYS(fsync),          SCMP_SYS(fdatasync),
    SCMP_SYS(fallocate),   SCMP_SYS(io_uring_enter), /* of sealed rings: see src/disk/uring.h */
    SCMP_SYS(close),                                 /* a channel's eventfd */
};

static const int main_calls[] = {
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime),
    SCMP_SYS(eventfd2),                               /* a channel's, when it is offered */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(close), /* clients; a reset's VM */
    SCMP_SYS(accept4),                                /* control and console sockets */
    /* recvmsg() also takes descriptors in, at most as many as a port ring has (control_client.c).
     * They come from root or from the user who started us, and are no way out: what may be called
     * on a descriptor is this list, whoever opened it. The ring's memory is mapped as any other,
     * never executable. */
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt), /* SO_PEERCRED */
    SCMP_SYS(pread64),    /* KVM's statistics; kernel and initrd at a reset; the console's log */
    SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
    SCMP_SYS(getrandom), /* hash tables */
};

/* A fresh VM at a reset, what the main lane asks of the running one, and the console's terminal. */
static const unsigned long main_ioctls[] = {
    KVM_CREATE_VM,
    KVM_SET_USER_MEMORY_REGION,
    KVM_SET_IDENTITY_MAP_ADDR,
    KVM_SET_TSS_ADDR,
    KVM_CREATE_IRQCHIP,
    KVM_CREATE_PIT2,
    KVM_SET_GSI_ROUTING,
    KVM_X86_SET_MSR_FILTER,
    KVM_IRQFD,
    KVM_CREATE_VCPU,
    KVM_GET_STATS_FD,
    KVM_ENABLE_CAP,
    KVM_SET_CPUID2,
    KVM_X86_SETUP_MCE,
    KVM_GET_SREGS,
    KVM_SET_SREGS,
    KVM_SET_REGS,
    KVM_GET_LAPIC,
    KVM_SET_LAPIC,
    KVM_GET_MSRS,
    KVM_SET_MSRS,
    KVM_HYPERV_EVENTFD, /* channels open and close */
    KVM_IRQ_LINE,       /* console input */
    KVM_GET_CLOCK,      /* reference time for time sync */
    TCGETS,
    TCSETS, /* a console on our own terminal gives it back as it was */
};

static const unsigned long vcpu_ioctls[] = {
    KVM_RUN, KVM_IRQ_LINE, /* the PC's devices */
    KVM_GET_CLOCK,         /* reference time */
    KVM_GET_MSRS,          /* the crash registers */
};

/* fcntl() can name a process to be signalled (F_SETOWN); these cannot. Not F_SETFL: O_NONBLOCK of a
 * port ring's doorbells is the switch's as well, which would wait for ever if we took it away and
 * filled them up. F_OFD_SETLK gives images back at the end: io_uring holds its files, and so their
 * locks, for a while after the worker has gone. F_GET_SEALS: is this memory a port ring's? */
static const int main_fcntls[] = {F_GETFL, F_GETFD, F_SETFD, F_OFD_SETLK, F_GET_SEALS};

/* Asked for by code that tidies up or looks about and goes on without: refused, but not fatal. */
static const int main_refused[] = {
    SCMP_SYS(unlinkat), /* sockets and pid files at the end; whoever made the directory does it */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct list {
    const int *calls;
    unsigned calls_count;
    const int *refused; /* EACCES instead of death */
    unsigned refused_count;
    const unsigned long *ioctls;
    unsigned ioctls_count;
    const int *fcntls;
    unsigned fcntls_count;
};

#define ENTRIES(array) array, COUNT(array)
#define NONE           NULL, 0

static const struct list lists[SANDBOX_KINDS] = {
    [SANDBOX_MAIN] = {ENTRIES(main_calls), ENTRIES(main_refused), ENTRIES(main_ioctls),
                      ENTRIES(main_fcntls)},
    [SANDBOX_LANE] = {ENTRIES(lane_calls), NONE, NONE, NONE},
    [SANDBOX_VCPU] = {NONE, NONE, ENTRIES(vcpu_ioctls), NONE},
};

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

static int add_rules(scmp_filter_ctx filter, const struct list *list)
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

int sandbox_filter_build(enum sandbox_kind kind, bool log_only, struct sock_fprog *ret_program)
{
    uint32_t otherwise = log_only ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
    scmp_filter_ctx filter = seccomp_init(otherwise);

    if (!filter)
        return -ENOMEM;
    int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, otherwise);
    if (!error)
        error = add_rules(filter, &lists[kind]);
    if (!error)
        error = export(filter, ret_program);
    seccomp_release(filter);
    return error;
}
