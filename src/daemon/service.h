/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmbusd's unprivileged process: everything but what request.h lists, in a sandbox. A uid of its
 * own, no capabilities, an empty root and empty namespaces, Landlock, and one list of system calls;
 * what it needs of the world the parent hands it.
 */
#ifndef VMBUSD_DAEMON_SERVICE_H
#define VMBUSD_DAEMON_SERVICE_H

#include "src/daemon/daemon.h"

/* Where nobody has made a user for it. Beside those of the workers (src/worker/sandbox.h). */
#define SERVICE_USER         "vmbusd"
#define SERVICE_UID_FALLBACK 1999999999u

/* Descriptors from the parent, ours from now on. */
struct service_fds {
    int requests, events;
    int listener; /* of the control socket */
};

/* What the process is after fork(): serves until the parent says to stop, then ends with status 0;
 * 1 if it cannot serve. */
_Noreturn void service_run(const struct daemon_settings *settings, const struct service_fds *fds);

#endif
