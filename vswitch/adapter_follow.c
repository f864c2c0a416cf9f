/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes to an adapter late, when it is being taken or has been: it follows the rest to the
 * host port. ifup, a DHCP client or an administrator may be at work at any time.
 */
#include "vswitch/adapter_takeover_priv.h"

#include <linux/rtnetlink.h>

#include "src/common/log.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_hearing.h"
#include "vswitch/adapter_item.h"
#include "vswitch/adapter_plan.h"
#include "vswitch/adapter_takeover.h"

#define FOLLOW_TIMES 8 /* somebody who adds addresses faster than we move them is seen to later */

/* Is `item` among the journal's, with lifetimes that still tell the truth? */
static bool known(GPtrArray *items, const struct adapter_item *item, uint32_t age)
{
    for (unsigned i = 0; i < items->len; i++)
        if (adapter_item_equal(items->pdata[i], item))
            return adapter_item_same_end(items->pdata[i], item, age);
    return false;
}

static bool all_known(const struct adapter_journal *journal, GPtrArray *items, uint64_t read_at)
{
    g_autoptr(GPtrArray) written = takeover_items(journal, ADAPTER_OP_ADD);
    bool same = written->len == items->len;

    for (unsigned i = 0; same && i < items->len; i++)
        same = known(written, items->pdata[i], (uint32_t)(read_at - journal->read_at));
    return same;
}

/* Put them on the host port, then take them off the adapter, last first. */
static bool move_items(const struct takeover_work *work, const struct adapter_ends *ends,
                       GPtrArray *items, GError **error)
{
    bool moved = true;

    for (unsigned i = 0; moved && i < 2 * items->len; i++) {
        bool off = i >= items->len;
        struct adapter_step *step =
            adapter_step_new(off ? ADAPTER_OP_DELETE : ADAPTER_OP_ADD, !off, NULL, NULL, NULL,
                             items->pdata[off ? 2 * items->len - 1 - i : i]);
        g_autofree char *text = adapter_item_text(step->item);

        moved = takeover_point(work, error) && adapter_step_do(step, ends, error) &&
                takeover_point(work, error);
        if (moved && off)
            log_info("%s: %s moved to %s", ends->adapter.name, text, ends->host.name);
        adapter_step_free(step);
    }
    return moved;
}

/* What somebody has put on the adapter, also if it has gone with an address since, unless it is
 * `there` already; not the routes that the kernel has made of the addresses: it does so again where
 * they go, if no other address there has such a route already. */
static GPtrArray *late_items(const struct takeover_work *work, const struct adapter *adapter,
                             GPtrArray *there, GError **error)
{
    g_autoptr(GPtrArray) gone = adapter_hearing_take(work->hearing);
    GPtrArray *late = adapter_items_read(work->sock, adapter, NULL, error);

    for (unsigned i = 0; late && i < gone->len; i++)
        if (!takeover_among(late, gone->pdata[i]) && !takeover_among(there, gone->pdata[i]))
            g_ptr_array_add(late, adapter_item_ref(gone->pdata[i]));
    for (unsigned i = late ? late->len : 0; i-- > 0;) {
        const struct adapter_item *item = late->pdata[i];

        if (item->kind == ADAPTER_ROUTE && takeover_by_kernel(item))
            g_ptr_array_remove_index(late, i);
    }
    return late;
}

static bool any_address(GPtrArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        if (((const struct adapter_item *)items->pdata[i])->kind == ADAPTER_ADDRESS)
            return true;
    return false;
}

static bool follow_once(const struct takeover_work *work, struct adapter_journal *journal,
                        const struct adapter *adapter, const struct adapter *host, bool *ret_again,
                        GError **error)
{
    struct adapter_ends ends = takeover_ends(work, journal);
    uint64_t read_at = takeover_seconds();
    g_autoptr(GPtrArray) all = adapter_items_read(work->sock, host, NULL, error);
    g_autoptr(GPtrArray) late = all ? late_items(work, adapter, all, error) : NULL;
    bool moved = late != NULL;

    if (!moved)
        return false;
    *ret_again = any_address(late);
    for (unsigned i = 0; i < late->len; i++)
        if (!takeover_among(all, late->pdata[i]))
            g_ptr_array_add(all, adapter_item_ref(late->pdata[i]));
    if (!all_known(journal, all, read_at)) {
        journal->read_at = read_at;
        if (late->len > 0) /* whoever configures the adapter wants it up, now and later */
            adapter_plan_keep_up(journal->steps);
        journal->steps = adapter_plan_with_items(journal->steps, all);
        moved = takeover_point(work, error) && adapter_journal_write_steps(journal, error);
    }
    return moved && move_items(work, &ends, late, error);
}

bool takeover_follow_items(struct takeover_work *work, struct adapter_journal *journal,
                           const struct adapter *adapter, const struct adapter *host,
                           GError **error)
{
    bool again = true, moved = true;

    if (!work->hearing)
        work->hearing = adapter_hearing_new(adapter, error);
    if (!work->hearing)
        return false;
    for (unsigned times = 0; moved && again && times < FOLLOW_TIMES; times++)
        moved = follow_once(work, journal, adapter, host, &again, error);
    g_clear_pointer(&work->hearing, adapter_hearing_free);
    return moved;
}
