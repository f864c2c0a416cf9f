/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What workers.c keeps, for workers_report.c to tell and workers_mirror.c to go through.
 */
#ifndef VMBUSD_DAEMON_WORKERS_PRIV_H
#define VMBUSD_DAEMON_WORKERS_PRIV_H

#include <stdbool.h>

#include <glib.h>

#include "src/common/limits.h"
#include "src/daemon/workers.h"

struct nic {
    struct nic_port *port; /* NULL: none */
    bool attached;         /* the worker has agreed */
    char *complaint;       /* why there is none; so that it is told once */
    unsigned pause;        /* before the next try, seconds; 0: the first */
    gint64 due, since;     /* of the next try; of the port */
};

struct worker {
    struct workers *workers;
    struct machine_file *file;
    char *source, *socket;    /* names of its file and its control socket, in their folders */
    struct child *child;      /* NULL: not started by this vmbusd, or ended */
    struct worker_link *link; /* NULL: not connected */
    bool greeted;
    bool told;  /* that it does not speak our protocol */
    bool stray; /* no description names it */
    struct nic nic[LIMIT_NICS];
};

struct workers {
    char *folder, *run_dir;
    struct networks *networks;
    GPtrArray *all; /* of struct worker, in the order of their files */
    guint timer;
};

/* Give all sources of the network their destination: the first port that is one. */
void workers_mirror(const struct workers *workers, const struct network *network);

#endif
