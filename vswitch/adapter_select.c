/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selection of an adapter.
 */
#include "vswitch/adapter_select.h"

#include <string.h>

static bool is_busy(const struct adapter_wish *wish, int index)
{
    for (unsigned i = 0; i < wish->busy_count; i++)
        if (wish->busy[i] == index)
            return true;
    return false;
}

bool adapter_wears(const struct adapter *adapter, const uint8_t mac[6])
{
    return memcmp(adapter->permanent_mac, mac, 6) == 0 || memcmp(adapter->mac, mac, 6) == 0;
}

static const struct adapter *by_mac(const GArray *list, const struct adapter_wish *wish)
{
    const struct adapter *found = NULL;

    for (unsigned i = 0; i < list->len; i++) {
        const struct adapter *adapter = &g_array_index(list, struct adapter, i);

        /* A host port, a VLAN or a bridge wears its card's MAC: only cards are meant. */
        if (adapter->kind != ADAPTER_PHYSICAL && adapter->kind != ADAPTER_WIRELESS &&
            !(wish->veth && adapter->kind == ADAPTER_VETH))
            continue;
        if (memcmp(adapter->permanent_mac, wish->mac, 6) == 0)
            return adapter;
        if (!found && adapter_wears(adapter, wish->mac))
            found = adapter;
    }
    return found;
}

/* Is `a` the better one? Both are fit. */
static bool better(const struct adapter *a, const struct adapter *b,
                   const struct adapter_wish *wish)
{
    bool a_present = a->index == wish->present, b_present = b->index == wish->present;

    if (a->carrier != b->carrier)
        return a->carrier;
    if (a_present != b_present)
        return a_present;
    if (a->default_route != b->default_route)
        return a->default_route;
    if (a->speed != b->speed)
        return a->speed > b->speed;
    return a->index < b->index;
}

static const struct adapter *automatic(const GArray *list, const struct adapter_wish *wish)
{
    const struct adapter *best = NULL;

    for (unsigned i = 0; i < list->len; i++) {
        const struct adapter *adapter = &g_array_index(list, struct adapter, i);

        if (is_busy(wish, adapter->index) || !adapter_fit(adapter, list, wish->veth, false, NULL))
            continue;
        if ((adapter->carrier || adapter->index == wish->present) &&
            (!best || better(adapter, best, wish)))
            best = adapter;
    }
    return best;
}

const struct adapter *adapter_select(const GArray *list, const struct adapter_wish *wish)
{
    switch (wish->kind) {
    case ADAPTER_NAMED:
        return adapter_by_name(list, wish->name);
    case ADAPTER_BY_MAC:
        return by_mac(list, wish);
    default:
        return automatic(list, wish);
    }
}
