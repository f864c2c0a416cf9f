/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers that are none, and vmbusd's own half (networks, machines, a real switch) in a folder of
 * the test's own. For the tests of src/daemon/workers.c.
 */
#ifndef VMBUSD_TESTS_WORKERS_FIXTURE_H
#define VMBUSD_TESTS_WORKERS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/daemon/workers.h"
#include "vswitch/port_ring.h"

struct parent_fixture;

/* A process's end of a worker's control socket. */
struct fake_worker {
    char *name, *path;
    int listener, fd;
    guint source, client;
    const char *greeting; /* NULL: a right one */
    bool refuse;
    unsigned attached, detached; /* requests seen */
    const char *nics;            /* what it answers when it is asked */
    struct port_ring_fds fds;
    struct port_ring ring;
    bool mapped;
};

/* For g_test_add(). */
struct wf {
    char *top, *networks_dir, *machines_dir, *run_dir;
    struct networks *networks;
    struct workers *workers;
    struct parent_fixture *parent;
    unsigned refused;
    GString *events; /* "name network/who " each */
};

struct fake_worker *fake_new(const char *directory, const char *name);
void fake_free(struct fake_worker *fake);
/* How often an event was told. */
unsigned wf_told(const struct wf *fixture, const char *event);
void wf_write_file(const char *directory, const char *file, const char *text);
void wf_write_machine(struct wf *fixture, const char *name, const char *network);
/* A machine with a NIC of which `nic` says the JSON. */
void wf_write_nic(struct wf *fixture, const char *name, const char *nic);
void wf_daemon_start(struct wf *fixture);
void wf_daemon_stop(struct wf *fixture);
void wf_set_up(struct wf *fixture, gconstpointer data);
void wf_tear_down(struct wf *fixture, gconstpointer data);
gboolean wf_tick(void *context); /* of WAIT_FOR() */
/* Ports that workers have. */
size_t wf_ports(struct wf *fixture);
void wf_send_frame(struct fake_worker *fake, uint8_t mark);
/* The mark of a frame that has come, -1 if none. */
int wf_receive_frame(struct fake_worker *fake);
void wf_assert_passes(struct fake_worker *from, struct fake_worker *to, uint8_t mark);

/* Run the main loop until it holds; ten seconds at most. */
#define WAIT_FOR(condition)                                             \
    do {                                                                \
        gint64 end_ = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND; \
        guint tick_ = g_timeout_add(10, wf_tick, NULL);                 \
        while (!(condition)) {                                          \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);           \
            g_main_context_iteration(NULL, TRUE);                       \
        }                                                               \
        g_source_remove(tick_);                                         \
    } while (0)

#endif
