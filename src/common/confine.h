/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up what a process need not have: the layers that the sandboxes of vmbusd-worker and of
 * vmbusd's unprivileged process are made of.
 *
 * Order matters: mounting needs the capabilities that the change of uid gives up; Landlock forbids
 * mounting; no-new-privileges comes before Landlock and seccomp, which ask for it. So: namespaces,
 * uid, capabilities, Landlock, and last confine_filter.h.
 *
 * Each returns false with `error` if it fails: the process is then half inside and must end.
 */
#ifndef VMBUSD_COMMON_CONFINE_H
#define VMBUSD_COMMON_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

#define CONFINE_ERROR (confine_error_quark())
GQuark confine_error_quark(void);
enum confine_error { CONFINE_ERROR_SYSTEM };

/* True if the process has one thread: others would stay outside. */
bool confine_single_threaded(GError **error);

/* Mount, network, IPC and UTS namespaces of its own; the root directory is empty and read-only. It
 * is mounted over the folder `over`, out of sight of others. Needs CAP_SYS_ADMIN. */
bool confine_namespaces(const char *over, GError **error);

/* Become that user, in that group and no other, and empty the capability bounding set. Needs root.
 */
bool confine_uid(uid_t uid, gid_t gid, GError **error);

/* Clear what capabilities are left (without root: what the caller may have been given), see that
 * none is, and close the ways to new ones: no new privileges; other processes of the same user
 * cannot trace it, nor read its memory. */
bool confine_capabilities(GError **error);

/* Landlock: handle every right there is and allow none. A kernel without is no error: *ret_abi is
 * 0 then. */
bool confine_landlock(int *ret_abi, GError **error);

#endif
