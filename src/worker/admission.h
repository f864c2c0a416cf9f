/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory admission: a VM starts only if its memory fits beside what running VMs may still claim.
 *
 * Every worker holds a claim, a file RUN_DIR/claims/NAME with "PID BYTES" under a lock of the open
 * file: a claim whose lock can be had belongs to nobody and is removed, however its worker ended.
 * Claims are read and made under one lock, RUN_DIR/admission.lock, so that of two workers that
 * start at once the second sees the first.
 *
 * A running VM's guest touches its memory bit by bit; until then the host counts it as available.
 * What it may still take is its claim less what is resident. Workers of another run directory
 * (another user's) are seen only by the memory they use already.
 */
#ifndef VMBUSD_WORKER_ADMISSION_H
#define VMBUSD_WORKER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/common/host_memory.h"

#define ADMISSION_RESERVE (32ull << 20) /* left to the host, and to each cgroup */

struct admission_request {
    const char *run_dir; /* exists; writable */
    const char *name;    /* the VM's, as config.c takes it */
    uint64_t memory;     /* bytes of guest RAM */
    unsigned vcpus;
    uint64_t devices;                      /* bytes of devices' memory: a VGA's, its picture */
    bool overcommit;                       /* take it even if it does not fit, with a warning */
    const struct host_memory_paths *paths; /* NULL: the real ones */
};

#define ADMISSION_ERROR (admission_error_quark())
GQuark admission_error_quark(void);
enum admission_error {
    ADMISSION_ERROR_SYSTEM,  /* EXIT_STATUS_FAILED */
    ADMISSION_ERROR_RUNNING, /* a VM of that name; EXIT_STATUS_REFUSED */
    ADMISSION_ERROR_MEMORY   /* too little; EXIT_STATUS_REFUSED */
};

struct admission;

/* Decide and claim. Before guest memory is allocated, images opened or the sandbox entered. The
 * claim stands until admission_free() or the end of the process. NULL with a one-line `error`. */
struct admission *admission_take(const struct admission_request *request, GError **error);

/* The sandbox has closed: admission_free() must not touch the file system any more. */
void admission_sealed(struct admission *admission);

/* Give the claim up; its file goes too unless sealed (the next start removes it). NULL is fine. */
void admission_free(struct admission *admission);

/* Bytes that a worker may need beside its guest's RAM: itself, page tables of guest and host, and
 * what the kernel keeps for a vCPU. */
uint64_t admission_overhead(uint64_t memory, unsigned vcpus);

#endif
