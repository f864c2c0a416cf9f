/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's connection to one worker: a client of its control socket (vmbusd-control(7)) that hands
 * port rings over. Main loop only; never waits for the worker, and believes nothing that it says.
 */
#ifndef VMBUSD_DAEMON_WORKER_LINK_H
#define VMBUSD_DAEMON_WORKER_LINK_H

#include <stdbool.h>

#include <glib.h>
#include <json-c/json.h>

struct worker_link;

/* None of these is called from within a call of ours. `closed` ends the link: free it there or
 * later. */
struct worker_link_ops {
    /* It greeted, under this name. */
    void (*ready)(void *context, const char *name);

    /* It answered an attach of NIC `nic`; `refusal` is NULL if it took it. */
    void (*attached)(void *context, unsigned nic, const char *refusal);

    /* It answered worker_link_describe(); `nics` is borrowed. */
    void (*described)(void *context, struct json_object *nics);

    /* It went away, or talks nonsense. */
    void (*closed)(void *context, const char *why);
};

/* Dial the socket of that name in the run directory. NULL with errno: ENOENT and ECONNREFUSED say
 * that no worker is there. */
struct worker_link *worker_link_new(const char *name, const struct worker_link_ops *ops,
                                    void *context);
void worker_link_free(struct worker_link *link); /* NULL is fine */

/* Ask what its NICs are. 0 or -errno. */
int worker_link_describe(struct worker_link *link);

/* Send `detach-port` for a NIC, which nobody waits for. */
void worker_link_detach(struct worker_link *link, unsigned nic);

/* Send `attach-port` for a NIC with `count` descriptors, which stay the caller's. 0 or -errno. */
int worker_link_attach(struct worker_link *link, unsigned nic, const int *fds, unsigned count);

#endif
