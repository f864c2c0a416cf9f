/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp programs from lists of what a thread may call; see confine.h for what comes before.
 *
 * What every kind of thread needs (memory, locks, the log, its end) is in each program; mapping or
 * protecting memory as executable is in none. What is not listed kills the process; so does a
 * system call of the 32-bit or x32 ABI.
 */
#ifndef VMBUSD_COMMON_CONFINE_FILTER_H
#define VMBUSD_COMMON_CONFINE_FILTER_H

#include <linux/filter.h>

struct confine_list {
    const int *calls; /* SCMP_SYS() numbers, whatever their arguments */
    unsigned calls_count;
    const int *refused; /* EACCES instead of death */
    unsigned refused_count;
    const unsigned long *ioctls; /* by command */
    unsigned ioctls_count;
    const int *fcntls; /* by command */
    unsigned fcntls_count;
};

/* Two members of struct confine_list from an array, or without one. */
#define CONFINE_ENTRIES(array) array, sizeof(array) / sizeof((array)[0])
#define CONFINE_NONE           NULL, 0

/* Compile a list for this process (its pid is part of it) into *ret_program, whose `filter` is the
 * caller's to free(). 0 or -errno. */
int confine_filter_build(const struct confine_list *list, struct sock_fprog *ret_program);

/* Seal the calling thread, and those that it will start; others stay as they are. After
 * confine_capabilities(). 0 or -errno. */
int confine_filter_enter(const struct sock_fprog *program);

#endif
