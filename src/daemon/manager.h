/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager, if there is one: what it is told, and the descriptors that it keeps for us
 * while we are away (sd_notify(3), sd_pid_notify_with_fds(3), sd_listen_fds(3); systemd's
 * FileDescriptorStoreMax=). Each message is one datagram, so no library is needed.
 */
#ifndef VMBUSD_DAEMON_MANAGER_H
#define VMBUSD_DAEMON_MANAGER_H

#include <stdbool.h>

/* Tell it `state` ("READY=1"). Without a manager nothing happens, here and below. */
void manager_notify(const char *state);

/* Have it keep a descriptor under a name of at most 64 characters, and forget it. A name that is
 * stored twice is kept twice. */
void manager_store(const char *name, int fd);
void manager_forget(const char *name);

/* Hand what it has kept to `take`, which owns the descriptor if it returns true. Once, at start. */
void manager_restore(bool (*take)(void *context, const char *name, int fd), void *context);

#endif
