/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of adapter_takeover.h share: adapter_takeover.c, which takes and gives back, and
 * adapter_follow.c, which moves what comes late.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_TAKEOVER_PRIV_H
#define VMBUSD_VSWITCH_ADAPTER_TAKEOVER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vswitch/adapter_journal.h"
#include "vswitch/adapter_step.h"

struct adapter;
struct adapter_hearing;
struct adapter_takeover;
struct nl_sock;

/* What one call works with. */
struct takeover_work {
    const struct adapter_takeover *takeover;
    int lock;
    struct nl_sock *sock;
    GArray *links;
    GPtrArray *journals;
    struct adapter_hearing *hearing; /* of the adapter whose items are moved; NULL: of none */
};

/* Both links by what they are called now. */
struct adapter_ends takeover_ends(const struct takeover_work *work,
                                  const struct adapter_journal *journal);

/* CLOCK_BOOTTIME in seconds, as lifetimes count. */
uint64_t takeover_seconds(void);

/* adapter_takeover's point(); false with `error`: the step is to fail. */
bool takeover_point(const struct takeover_work *work, GError **error);

/* What a journal puts on the host port (ADD), or takes off the adapter (DELETE): free the array,
 * the items stay the journal's. */
GPtrArray *takeover_items(const struct adapter_journal *journal, enum adapter_op op);

bool takeover_among(GPtrArray *items, const struct adapter_item *item); /* `items` may be NULL */

/* Does the kernel make such an item by itself? */
bool takeover_by_kernel(const struct adapter_item *item);

/* What somebody has put on the adapter of a complete takeover goes where the rest is: to the host
 * port. The journal is written first, with what is on the host port by now, so that whoever finds
 * it after a kill gives the adapter all of that. Where an address has been moved something may have
 * gone with it: looked at again. With work->hearing, which is used up, also what has gone since
 * that began. */
bool takeover_follow_items(struct takeover_work *work, struct adapter_journal *journal,
                           const struct adapter *adapter, const struct adapter *host,
                           GError **error);

#endif
