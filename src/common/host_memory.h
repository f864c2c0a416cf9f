/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory there is: the host's, and what each memory cgroup above this process leaves.
 *
 * Read from /proc/meminfo and the cgroup file systems, version 2 and version 1, as the kernel's
 * cgroup-v2.rst and cgroup-v1/memory.rst describe them. Swap is not counted: a guest in swap is a
 * guest that stands still.
 */
#ifndef VMBUSD_COMMON_HOST_MEMORY_H
#define VMBUSD_COMMON_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

/* Where to read; NULL in place of the structure is the real ones. For tests. */
struct host_memory_paths {
    const char *proc;   /* "/proc" */
    const char *cgroup; /* "/sys/fs/cgroup" */
};

/* A bound on memory: the host itself, or one cgroup with a limit. */
struct memory_bound {
    char *cgroup;       /* its path in its hierarchy; NULL: the host */
    bool unified;       /* of cgroup version 2 */
    uint64_t total;     /* bytes */
    uint64_t available; /* bytes that can be had without swapping, as the kernel estimates it */
};

/* The host first, then every cgroup of this process that has a limit below the host's memory,
 * innermost first. Elements are struct memory_bound. NULL with `error` if /proc/meminfo cannot be
 * read; a cgroup that cannot be read bounds nothing. */
GArray *host_memory_bounds(const struct host_memory_paths *paths, GError **error);

/* True if memory of process `pid` counts towards `bound`. */
bool host_memory_within(const struct host_memory_paths *paths, pid_t pid,
                        const struct memory_bound *bound);

/* Bytes of `pid` that are resident; 0 if it cannot be told. */
uint64_t host_memory_resident(const struct host_memory_paths *paths, pid_t pid);

#endif
