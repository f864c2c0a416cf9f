/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox's seccomp programs: which system calls each kind of thread may make.
 */
#ifndef VMBUSD_WORKER_SANDBOX_FILTER_H
#define VMBUSD_WORKER_SANDBOX_FILTER_H

#include <linux/filter.h>

#include "src/worker/sandbox.h"

/* Compile the program of `kind` for this process (its pid is part of it) into *ret_program, whose
 * `filter` is the caller's to free(). 0 or -errno. */
int sandbox_filter_build(enum sandbox_kind kind, struct sock_fprog *ret_program);

#endif
