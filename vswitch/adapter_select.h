/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which adapter an external switch is bound to: a pure function of what there is.
 *
 * Rules, in order:
 *   named, by MAC    that one, whether it has a link or not; it may come later
 *   automatic        only network cards that are fit (not enslaved, no wireless without 4-address
 *                    mode, not the way to the root file system) and that no other switch has
 *     the present one, while it has a link: no switching back and forth
 *     else one that has a link; of several the one with the host's default route, then the faster,
 *     then the lower index
 *     else the present one, while it exists; else none: wait
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_SELECT_H
#define VMBUSD_VSWITCH_ADAPTER_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vswitch/adapter.h"

enum adapter_wish_kind { ADAPTER_AUTOMATIC, ADAPTER_NAMED, ADAPTER_BY_MAC };

struct adapter_wish {
    enum adapter_wish_kind kind;
    char name[IF_NAMESIZE]; /* NAMED */
    uint8_t mac[6];         /* BY_MAC: the permanent one, or the present one */
    bool veth;              /* veth links count as network cards */
    int present;            /* index of the adapter that is bound now, 0 = none */
    const int *busy; /* indices of adapters that other switches have; NULL if `busy_count` 0 */
    unsigned busy_count;
};

/* Is that its MAC address, the permanent or the present one? */
bool adapter_wears(const struct adapter *adapter, const uint8_t mac[6]);

/* The adapter to bind, or NULL: wait. `list` is an array of struct adapter. */
const struct adapter *adapter_select(const GArray *list, const struct adapter_wish *wish);

#endif
