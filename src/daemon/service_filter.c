/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of vmbusd's unprivileged process, on top of what src/common/confine_filter.c
 * gives to all: of the main loop, and of the switch threads, which come and go with networks and
 * so have the same list.
 */
#include "src/daemon/service_filter.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include <seccomp.h>

static const int calls[] = {
    /* Loops and clocks. */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    /* Switch threads. */
    SCMP_SYS(rt_sigaction), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(prctl), /* names; nothing is left to be had from it (no-new-privileges) */
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(getcpu),
    /* Frames: TAPs, packet sockets, port rings. */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    /* Clients, workers, the parent. No socket(), connect() or open(): descriptors are given. */
    SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(getdents64), SCMP_SYS(getrandom), SCMP_SYS(dup),
    SCMP_SYS(getuid), SCMP_SYS(geteuid)};

/* Asked for by libraries that look about and go on without. */
static const int refused[] = {SCMP_SYS(open),     SCMP_SYS(openat), SCMP_SYS(access),
                              SCMP_SYS(readlink), SCMP_SYS(socket), SCMP_SYS(prlimit64),
                              SCMP_SYS(sysinfo),  SCMP_SYS(uname)};

static const unsigned long ioctls[] = {TUNGETIFF,  TUNSETVNETHDRSZ, TUNSETOFFLOAD, SIOCGIFNAME,
                                       SIOCGIFMTU, FIONREAD,        FIONBIO};

/* fcntl() can name a process to be signalled (F_SETOWN); these cannot. */
static const int fcntls[] = {F_GETFL,         F_SETFL,     F_GETFD,    F_SETFD,
                             F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};

const struct confine_list service_filter = {CONFINE_ENTRIES(calls), CONFINE_ENTRIES(refused),
                                            CONFINE_ENTRIES(ioctls), CONFINE_ENTRIES(fcntls)};
