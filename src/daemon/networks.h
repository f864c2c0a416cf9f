/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All networks of this host: read from a folder of XML files, started, compared when the folder is
 * read again.
 */
#ifndef VMBUSD_DAEMON_NETWORKS_H
#define VMBUSD_DAEMON_NETWORKS_H

#include "src/daemon/network.h"

struct networks;

/* Told before a network is stopped (its guests' ports must go) and after one was started. */
struct networks_listener {
    void (*stopping)(void *context, struct network *network);
    void (*started)(void *context, struct network *network);
    void *context;
};

/* `folder` is the parent's, which holds *.xml, for messages. Reads nothing yet. */
struct networks *networks_new(const char *folder);

void networks_listen(struct networks *networks, const struct networks_listener *listener);

/* Read the folder, stop what is gone or has changed, start what is new. A file that is wrong is
 * told in the log and leaves the network as it was; one that conflicts with an earlier file (in the
 * order of names) is told and not started. The number of files that were refused. */
unsigned networks_load(struct networks *networks);

/* Stop and free all. NULL is fine. */
void networks_free(struct networks *networks);

/* NULL if there is none of that name. */
struct network *networks_find(const struct networks *networks, const char *name);

/* In the order of names: an array of struct network pointers. */
const GPtrArray *networks_all(const struct networks *networks);

#endif
