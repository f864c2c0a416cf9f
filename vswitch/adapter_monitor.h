/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knows the host's links at all times: a dump at start, rtnetlink's notices since. Whatever has
 * changed is told once, as an event and as a line in the log.
 *
 * The owner polls adapter_monitor_fd() in its own loop and calls adapter_monitor_dispatch() when it
 * can be read; events are called from there. Notices come faster than they are read when many links
 * change: then the kernel drops some, and the monitor compares a fresh list with what it knows.
 *
 * A link moved to another namespace has gone; one that has gone and come back with the same index
 * in between is told as GONE and APPEARED.
 *
 * Left out: renaming is CHANGED with the new name, not GONE and APPEARED.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_MONITOR_H
#define VMBUSD_VSWITCH_ADAPTER_MONITOR_H

#include <stdbool.h>

#include <glib.h>

#include "vswitch/adapter.h"

struct adapter_monitor;

enum adapter_event {
    ADAPTER_APPEARED,
    ADAPTER_GONE,
    ADAPTER_LINK_UP,
    ADAPTER_LINK_DOWN,
    ADAPTER_CHANGED /* name, MAC, MTU, master or administrative state */
};

struct adapter_monitor_config {
    /* `link` is as it is now; for GONE as it was. One call per event. May be NULL. */
    void (*event)(enum adapter_event event, const struct adapter *link, void *context);
    void *context;

    /* Set network cards up that nobody has, so that their cable can be seen: the carrier of a card
     * that is down is not known. They get no addresses by it. For an automatic switch. */
    bool raise;
    bool veth;        /* veth links count as network cards */
    const char *root; /* of the files that tell who owns a card; "/" but for tests */
};

/* NULL with ADAPTER_ERROR_SYSTEM. What is there at start is told to nobody. */
struct adapter_monitor *adapter_monitor_new(const struct adapter_monitor_config *config,
                                            GError **error);
void adapter_monitor_free(struct adapter_monitor *monitor); /* NULL is fine */

int adapter_monitor_fd(const struct adapter_monitor *monitor);
void adapter_monitor_dispatch(struct adapter_monitor *monitor);

/* All links as they are known, struct adapter, by rising index; valid until the next dispatch. */
const GArray *adapter_monitor_list(const struct adapter_monitor *monitor);

const char *adapter_event_name(enum adapter_event event); /* "link-up" */

#endif
