/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls by kind of thread, as lists beside the reason for each entry, on top of what
 * src/common/confine_filter.c gives to all.
 */
#include "src/worker/sandbox_filter.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <seccomp.h>

#include "src/common/confine_filter.h"

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
    KVM_REGISTER_COALESCED_MMIO,
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
    KVM_RUN,
    KVM_IRQ_LINE,               /* the PC's devices */
    KVM_SET_USER_MEMORY_REGION, /* device memory that the guest moves: of our own address space */
    KVM_GET_CLOCK,              /* reference time */
    KVM_GET_MSRS,               /* the crash registers */
};

static const unsigned long lane_ioctls[] = {
    KVM_IRQ_LINE, /* an IDE drive is done, a legacy NIC has a frame */
};

/* fcntl() can name a process to be signalled (F_SETOWN); these cannot. Not F_SETFL: O_NONBLOCK of a
 * port ring's doorbells is the switch's as well, which would wait for ever if we took it away and
 * filled them up. F_OFD_GETLK: may a disc that comes be read? F_OFD_SETLK gives images back at the
 * end: io_uring holds its files, and so their locks, for a while after the worker has gone.
 * F_GET_SEALS: is this memory a port ring's? */
static const int main_fcntls[] = {F_GETFL, F_GETFD, F_SETFD, F_OFD_SETLK, F_OFD_GETLK, F_GET_SEALS};

/* Asked for by code that tidies up or looks about and goes on without: refused, but not fatal. */
static const int main_refused[] = {
    SCMP_SYS(unlinkat), /* sockets and pid files at the end; whoever made the directory does it */
};

static const struct confine_list lists[SANDBOX_KINDS] = {
    [SANDBOX_MAIN] = {CONFINE_ENTRIES(main_calls), CONFINE_ENTRIES(main_refused),
                      CONFINE_ENTRIES(main_ioctls), CONFINE_ENTRIES(main_fcntls)},
    [SANDBOX_LANE] = {CONFINE_ENTRIES(lane_calls), CONFINE_NONE, CONFINE_ENTRIES(lane_ioctls),
                      CONFINE_NONE},
    [SANDBOX_VCPU] = {CONFINE_NONE, CONFINE_NONE, CONFINE_ENTRIES(vcpu_ioctls), CONFINE_NONE},
};

int sandbox_filter_build(enum sandbox_kind kind, struct sock_fprog *ret_program)
{
    return confine_filter_build(&lists[kind], ret_program);
}
