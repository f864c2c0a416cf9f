/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmbusd itself needs of a machine's description (vmbusd-worker.json(5)): its name, where its
 * socket is, and which networks its NICs are on. All else is the worker's to check.
 */
#ifndef VMBUSD_DAEMON_MACHINE_FILE_H
#define VMBUSD_DAEMON_MACHINE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <json-c/json.h>

#include "src/common/limits.h"

struct machine_nic {
    char *network;   /* NULL: on none */
    char *portgroup; /* NULL: the network's default */
    bool absent;     /* taken out of the machine while it runs, or on the way */
    bool has_mac;
    uint8_t mac[6];
    unsigned queues;
    uint32_t mtu;
};

struct machine_file {
    char *path, *name;
    char *control; /* path of the control socket */
    struct machine_nic nic[LIMIT_NICS];
    unsigned nics;
    unsigned own; /* how many the description has; those behind came later */
};

/* Read a description. NULL with `error`, one line that begins with the path. */
struct machine_file *machine_file_parse(const char *path, const char *text, size_t len,
                                        const char *run_dir, GError **error);

/* What a worker that no file describes says of itself: its name, its socket, and the answer to
 * `nics`. NULL with `error`. */
struct machine_file *machine_file_of_worker(const char *name, const char *control,
                                            struct json_object *nics, GError **error);

/* What the running worker says of NIC `index` (NULL: nothing). True if that is news, and then
 * machine_file_set_nic() takes it over: of a NIC of the description only whether it is there. */
bool machine_file_nic_is_news(const struct machine_file *file, unsigned index,
                              const struct machine_nic *now);
void machine_file_set_nic(struct machine_file *file, unsigned index, const struct machine_nic *now);

/* The worker has ended: its successor has what the description says. */
void machine_file_forget(struct machine_file *file);

/* True if vmbusd has nothing to do when the one takes the other's place, NICs that came later
 * aside. */
bool machine_file_equal(const struct machine_file *a, const struct machine_file *b);

void machine_file_free(struct machine_file *file);

#endif
