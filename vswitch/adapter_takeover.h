/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking an adapter over for an external switch, and giving it back.
 *
 * Taken, an adapter carries frames for the switch's packet socket only; what the host had on it is
 * on the host port, a TAP with the adapter's MAC that the caller has made and keeps open. Hyper-V
 * does the same with its external switch and "vEthernet". adapter_plan.h has the steps and their
 * order, adapter_journal.h what is on disk. Rules of the routing policy stay as they are.
 *
 * Nothing here talks to the switch: the caller attaches its ports before or after.
 *
 * Left out: sockets bound to the adapter by name, and multicast memberships on it; no one but their
 * owner can move them.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_TAKEOVER_H
#define VMBUSD_VSWITCH_ADAPTER_TAKEOVER_H

#include <stdbool.h>

#include <glib.h>

#define ADAPTER_JOURNALS "/run/vmbusd/adapters"

struct adapter_takeover {
    const char *folder;    /* of the journals, ADAPTER_JOURNALS */
    const char *root;      /* where owners' files are looked for, "/" but for tests */
    const char *vswitch;   /* who asks */
    const char *adapter;   /* name of the link */
    const char *host_port; /* name of the TAP */
    bool veth;             /* take veth links too */
    bool force; /* although enslaved, wireless, below others, owned, or way to the root */

    /* Called before and after each step is done or undone, with the journal written; false: the
     * step counts as failed. May be NULL. For tests that kill or fail at every step. */
    bool (*point)(void *context);
    void *context;
};

/* Take. Finding its own complete takeover it leaves that alone (*ret_adopted, may be NULL); what a
 * killed process left half done is undone first. What could not be moved is told in `reports` (an
 * array of strings, or NULL). On failure everything is as before, with the reason in `error`. */
bool adapter_take(const struct adapter_takeover *takeover, GPtrArray *reports, bool *ret_adopted,
                  GError **error);

/* Give back what `adapter` names (now, or when it was taken); also after the adapter has gone.
 * Goes on after a step that cannot be undone, then false with the first reason. Nothing taken under
 * that name: true. Uses folder, adapter, point. */
bool adapter_give_back(const struct adapter_takeover *takeover, GError **error);

/* Something has happened to the adapter, or to the host port: a new MAC or MTU of the adapter is
 * given to the host port, what was put on the adapter meanwhile (an address, a route) is moved, and
 * the journal learns what the host port has by now. Nothing taken: true. Uses folder, adapter,
 * point. */
bool adapter_follow(const struct adapter_takeover *takeover, GError **error);

/* At start: give back what is half done, and what was taken onto a host port that is no more;
 * with `all` everything. Uses folder, point. */
bool adapter_recover(const struct adapter_takeover *takeover, bool all, GError **error);

/* Look after what has been taken: a cut that somebody has flushed is put back. Cheap enough for
 * every second. Uses folder. */
void adapter_guard(const struct adapter_takeover *takeover);

/* Which switch has the adapter: its name, to be freed, or NULL. */
char *adapter_taken_by(const char *folder, const char *adapter);

#endif
