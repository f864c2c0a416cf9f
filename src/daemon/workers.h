/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of this host and their workers: started from a folder of descriptions, found again
 * by their sockets, connected to the networks that their NICs name.
 *
 * A worker outlives vmbusd. Whenever both are there (again), each of its NICs gets a new port ring
 * and a port on its network; what was there before is forgotten. Nothing depends on the order in
 * which worker, network and vmbusd appear.
 */
#ifndef VMBUSD_DAEMON_WORKERS_H
#define VMBUSD_DAEMON_WORKERS_H

#include <json-c/json.h>

#include "src/daemon/networks.h"

struct workers;

struct workers_settings {
    const char *folder;  /* the parent's, of *.json, for messages; copied, as the other */
    const char *run_dir; /* where sockets are */
};

/* `networks` must outlive it; listens to them. */
struct workers *workers_new(const struct workers_settings *settings, struct networks *networks);

/* Read the folder: start the machines that are new in it and do not run, forget those that are gone
 * from it and do not run. The number of files that were refused. */
unsigned workers_load(struct workers *workers);

/* Remove all ports and forget the workers, which run on. NULL is fine. */
void workers_free(struct workers *workers);

/* Append one entry for each NIC's port on `network` (all networks if NULL). */
void workers_ports(const struct workers *workers, const struct network *network,
                   struct json_object *array);

/* Append one entry for each machine. */
void workers_report(const struct workers *workers, struct json_object *array);

#endif
