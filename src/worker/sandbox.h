/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's sandbox: what is left to a guest that has taken over the process that runs it.
 *
 * Layers, each meant to hold by itself:
 *   - a uid (and gid) of its own, different from that of every other running VM; no capabilities,
 *     no way to gain any;
 *   - mount, network, IPC and UTS namespaces of its own; the root directory is empty and read-only;
 *   - Landlock: no path can be opened, no TCP port used, no signal sent outside;
 *   - seccomp, one list of system calls per kind of thread; anything else kills the process.
 * The first two need root. Without it the others are entered all the same, and the log says so.
 *
 * Everything that needs a path or a privilege is opened before: /dev/kvm, images, TAPs, the
 * listening control socket (it goes on working: a connection by path crosses network namespaces).
 *
 * Left out: user and PID namespaces (a uid of its own and Landlock's signal scope do their work
 * without a second process).
 */
#ifndef VMBUSD_WORKER_SANDBOX_H
#define VMBUSD_WORKER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Uids of VMs: FIRST to FIRST + COUNT - 1, above those of systemd and of containers. */
#define SANDBOX_UID_FIRST 2000000000u
#define SANDBOX_UID_COUNT 10000u

enum sandbox_kind {
    SANDBOX_MAIN, /* main lane: control socket, console, resets (a fresh VM from /dev/kvm) */
    SANDBOX_LANE, /* I/O lanes: sealed io_uring rings, eventfds */
    SANDBOX_VCPU, /* KVM_RUN */
    SANDBOX_KINDS
};

struct sandbox_params {
    const char *run_dir; /* exists; holds the lock file of uids */
    int64_t uid;         /* -1: choose a free one */
};

struct sandbox;

/*
 * Choose the uid and hold it for the life of the process: a lock on one byte of run_dir/uid.lock,
 * which the kernel gives back however the process ends. Early, so that what is made afterwards can
 * be given to sandbox_uid(). NULL with `error` if the uid is another running VM's, is root, or none
 * is left.
 */
struct sandbox *sandbox_prepare(const struct sandbox_params *params, GError **error);

/* The uid that the process will have, its own if it stays what it is. */
uint32_t sandbox_uid(const struct sandbox *sandbox);

/*
 * Namespaces, empty root, uid, capabilities, no-new-privileges, Landlock. Once, while the process
 * has one thread: those started later inherit all of it. One log line says what was done. False
 * with `error`: the process is then half inside and must end.
 */
bool sandbox_enter_process(struct sandbox *sandbox, GError **error);

/* Seal the calling thread; the last thing before it serves a guest. After it the thread can start
 * no other thread. 0 or -errno: then the thread must not go on. */
int sandbox_enter_thread(const struct sandbox *sandbox, enum sandbox_kind kind);

/* Gives the uid back. What has been entered stays. NULL is fine. */
void sandbox_free(struct sandbox *sandbox);

#define SANDBOX_ERROR (sandbox_error_quark())
GQuark sandbox_error_quark(void);
enum sandbox_error { SANDBOX_ERROR_UID, SANDBOX_ERROR_SYSTEM };

#endif
