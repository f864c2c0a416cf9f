/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unprivileged process put together: networks, workers, control socket, and what the socket's
 * commands do.
 */
#ifndef VMBUSD_DAEMON_DAEMON_H
#define VMBUSD_DAEMON_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

struct daemon;

struct daemon_settings {
    const char *config_dir; /* holds networks/ and machines/ */
    const char *run_dir;
    const char *worker; /* the program */
    bool keep;          /* a signal ends us and nothing else: the next vmbusd finds all in place */
    uid_t owner;        /* who started us, and may use the control socket beside root */
    uid_t uid;          /* of the unprivileged process */
    gid_t gid;
};

/* Serve the control socket, read the configuration, start what it says. What is wrong in single
 * files is told in the log. */
struct daemon *daemon_new(const struct daemon_settings *settings, int listener);

/* Read the configuration again. */
void daemon_reload(struct daemon *daemon);

/* Stop the networks and undo what they did; the workers run on. NULL is fine. */
void daemon_free(struct daemon *daemon);

#endif
