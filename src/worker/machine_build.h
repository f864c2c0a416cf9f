/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a machine description to a machine, and its first and last moments. Used by main.c only.
 */
#ifndef VMBUSD_WORKER_MACHINE_BUILD_H
#define VMBUSD_WORKER_MACHINE_BUILD_H

#include <stdbool.h>

#include <glib.h>

#include "src/kvm/host.h"
#include "src/worker/machine.h"

struct sandbox;

/* Open everything that the description names and assemble the machine; no thread runs yet. `host`
 * is taken over (its descriptor becomes -1), `config` must outlive the machine. NULL with `error`;
 * *ret_status is then the exit status. */
struct machine *machine_new(const struct config *config, struct kvm_host *host, GError **error,
                            int *ret_status);

/* The sandbox is about to close: let go of what could lead out of it. */
void machine_sealed(struct machine *machine);

/* Make a VM, load the kernel, start the lanes and vCPU threads (each seals itself with `sandbox`,
 * which may be NULL) and let the guest run. The process must have entered the sandbox already.
 * False with `error`. */
bool machine_start(struct machine *machine, struct sandbox *sandbox, GError **error);

/* Run the main lane until the machine has stopped; returns the exit status. */
int machine_main(struct machine *machine);

/* All threads end, channels and disks close. NULL is fine. */
void machine_free(struct machine *machine);

#endif
