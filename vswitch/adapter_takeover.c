/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking over and giving back: runs the plan forwards and backwards, with the journal one step
 * ahead.
 */
#include "vswitch/adapter_takeover.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netlink/socket.h>

#include "src/common/log.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_cut.h"
#include "vswitch/adapter_hearing.h"
#include "vswitch/adapter_journal.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_owner.h"
#include "vswitch/adapter_plan.h"
#include "vswitch/adapter_takeover_priv.h"

static void work_end(struct takeover_work *work)
{
    g_clear_pointer(&work->hearing, adapter_hearing_free);
    g_clear_pointer(&work->journals, g_ptr_array_unref);
    g_clear_pointer(&work->links, g_array_unref);
    nl_socket_free(work->sock);
    if (work->lock >= 0)
        close(work->lock);
}

/* Look again at links and journals. */
static bool work_look(struct takeover_work *work, GError **error)
{
    g_clear_pointer(&work->journals, g_ptr_array_unref);
    g_clear_pointer(&work->links, g_array_unref);
    work->journals = adapter_journal_load_all(work->takeover->folder);
    work->links = adapter_list(work->sock, error);
    return work->links != NULL;
}

static bool work_begin(struct takeover_work *work, const struct adapter_takeover *takeover,
                       GError **error)
{
    *work = (struct takeover_work){.takeover = takeover, .lock = -1};
    work->lock = adapter_journal_lock(takeover->folder, error);
    if (work->lock < 0)
        return false;
    work->sock = adapter_netlink_open(NETLINK_ROUTE, error);
    if (work->sock && work_look(work, error))
        return true;
    work_end(work);
    return false;
}

static struct adapter_end end_now(const struct takeover_work *work, const struct adapter_end *then)
{
    const struct adapter *link = adapter_by_index(work->links, then->index);
    struct adapter_end end = {0};

    if (link) {
        end.index = link->index;
        g_strlcpy(end.name, link->name, sizeof(end.name));
    }
    return end;
}

struct adapter_ends takeover_ends(const struct takeover_work *work,
                                  const struct adapter_journal *journal)
{
    struct adapter_ends ends = {.sock = work->sock,
                                .adapter = end_now(work, &journal->adapter),
                                .host = end_now(work, &journal->host)};

    return ends;
}

uint64_t takeover_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec;
}

bool takeover_point(const struct takeover_work *work, GError **error)
{
    const struct adapter_takeover *takeover = work->takeover;

    if (!takeover->point || takeover->point(takeover->context))
        return true;
    g_set_error_literal(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "failed on demand");
    return false;
}

/* --- Tidying ---------------------------------------------------------------------------------- */

bool takeover_among(GPtrArray *items, const struct adapter_item *item)
{
    for (unsigned i = 0; items && i < items->len; i++)
        if (adapter_item_equal(items->pdata[i], item))
            return true;
    return false;
}

static bool any_link_local(GPtrArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        if (adapter_item_link_local(items->pdata[i]))
            return true;
    return false;
}

bool takeover_by_kernel(const struct adapter_item *item)
{
    const void *header = g_bytes_get_data(item->message, NULL);

    if (item->kind == ADAPTER_ROUTE)
        return ((const struct rtmsg *)header)->rtm_protocol == RTPROT_KERNEL;
    return adapter_item_link_local(item);
}

/* With an address the kernel makes a route to its network, and with IPv6's autoconfiguration a
 * link-local address, also where an administrator had deleted them: delete what the kernel has made
 * that is neither wanted nor was there `before`, nor a link-local address that is its `own`. */
static void tidy(const struct takeover_work *work, const struct adapter_end *end, GPtrArray *before,
                 GPtrArray *wanted, bool own)
{
    const struct adapter *link = adapter_by_index(work->links, end->index);
    g_autoptr(GPtrArray) now = link ? adapter_items_read(work->sock, link, NULL, NULL) : NULL;

    for (unsigned i = 0; now && i < now->len; i++)
        if (takeover_by_kernel(now->pdata[i]) && !takeover_among(wanted, now->pdata[i]) &&
            !takeover_among(before, now->pdata[i]) &&
            !(own && adapter_item_link_local(now->pdata[i])))
            adapter_item_delete(work->sock, now->pdata[i], end->index);
}

GPtrArray *takeover_items(const struct adapter_journal *journal, enum adapter_op op)
{
    GPtrArray *items = g_ptr_array_new();

    for (unsigned i = 0; i < journal->steps->len; i++) {
        const struct adapter_step *step = journal->steps->pdata[i];

        if (step->op == op)
            g_ptr_array_add(items, step->item);
    }
    return items;
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* A complete takeover gives back what is on the host port now: a lease may have been renewed, an
 * address added. What somebody has put on the adapter goes there first: left where it is, it would
 * be the adapter's first address, and the host's own ones secondary to it. */
static void refresh(struct takeover_work *work, struct adapter_journal *journal)
{
    const struct adapter *host = adapter_by_index(work->links, journal->host.index);
    const struct adapter *adapter = adapter_by_index(work->links, journal->adapter.index);

    if (journal->phase != ADAPTER_TAKEN || !host || !adapter)
        return;
    g_autoptr(GError) late = NULL;
    if (!takeover_follow_items(work, journal, adapter, host, &late))
        log_error("%s: %s", journal->adapter.name, late->message);
    uint64_t read_at = takeover_seconds();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) items = adapter_items_read(work->sock, host, NULL, &error);
    if (items) {
        journal->read_at = read_at;
        journal->steps = adapter_plan_with_items(journal->steps, items);
        journal->at = journal->steps->len;
        adapter_journal_write_steps(journal, &error);
    }
    if (error)
        log_error("%s: %s", journal->adapter.name, error->message);
}

/* Keep the first error, tell all. */
static void note(GError **first, GError *error)
{
    log_error("%s", error->message);
    if (first && !*first)
        *first = error;
    else
        g_error_free(error);
}

static void undo_step(const struct takeover_work *work, struct adapter_journal *journal,
                      struct adapter_ends *ends, unsigned number, GError **first)
{
    GError *error = NULL;

    ends->age = (uint32_t)(takeover_seconds() - journal->read_at);
    if (!adapter_journal_write_at(journal, ADAPTER_RETURNING, number + 1, &error))
        note(first, g_steal_pointer(&error));
    if (!takeover_point(work, &error) ||
        !adapter_step_undo(journal->steps->pdata[number], ends, &error) ||
        !takeover_point(work, &error))
        note(first, error);
}

/* Undo whatever of the journal has been done, and remove it; after a step that cannot be undone
 * only the next time. */
static bool give_back(struct takeover_work *work, struct adapter_journal *journal, GError **error)
{
    GError *first = NULL;
    bool again = journal->phase == ADAPTER_RETURNING;

    refresh(work, journal);
    struct adapter_ends ends = takeover_ends(work, journal);
    const struct adapter *adapter = adapter_by_index(work->links, journal->adapter.index);
    /* After a kill in the middle, what is there may be of our own making. */
    g_autoptr(GPtrArray) before = adapter && journal->phase != ADAPTER_RETURNING
                                      ? adapter_items_read(work->sock, adapter, NULL, NULL)
                                      : NULL;
    g_autoptr(GPtrArray) wanted = takeover_items(journal, ADAPTER_OP_DELETE);
    if (ends.adapter.index && ends.host.index)
        adapter_neighbours_teach(work->sock, ends.host.index, ends.adapter.index);
    for (unsigned i = journal->at; i-- > 0;)
        undo_step(work, journal, &ends, i, &first);
    if (adapter)
        tidy(work, &ends.adapter, before, wanted, false);
    else
        adapter_heal(journal->adapter.index, NULL); /* the link took the chain, the table is left */
    /* What could not be undone may be so later; but not for ever. */
    if (first && adapter && !again)
        adapter_journal_write_at(journal, ADAPTER_RETURNING, journal->steps->len, NULL);
    else
        adapter_journal_remove(journal);
    log_info("%s: given back by switch %s", journal->adapter.name, journal->vswitch);
    if (first)
        g_propagate_error(error, first);
    return first == NULL;
}

/* --- Taking ----------------------------------------------------------------------------------- */

static bool do_step(const struct takeover_work *work, struct adapter_journal *journal,
                    struct adapter_ends *ends, unsigned number, GError **error)
{
    const struct adapter_step *step = journal->steps->pdata[number];

    ends->age = (uint32_t)(takeover_seconds() - journal->read_at);
    if (!adapter_journal_write_at(journal, ADAPTER_TAKING, number + 1, error) ||
        !takeover_point(work, error) || !adapter_step_do(step, ends, error))
        return false;
    if (step->op == ADAPTER_OP_UP && step->host)
        adapter_neighbours_teach(work->sock, ends->adapter.index, ends->host.index);
    return takeover_point(work, error);
}

static bool take_steps(struct takeover_work *work, struct adapter_journal *journal, GError **error)
{
    struct adapter_ends ends = takeover_ends(work, journal);
    /* The position first: one that a former journal has left would speak of these steps. */
    bool done = adapter_journal_write_at(journal, ADAPTER_TAKING, 0, error) &&
                adapter_journal_write_steps(journal, error);

    for (unsigned i = 0; done && i < journal->steps->len; i++)
        done = do_step(work, journal, &ends, i, error);
    if (done) {
        g_autoptr(GPtrArray) wanted = takeover_items(journal, ADAPTER_OP_ADD);

        tidy(work, &ends.host, NULL, wanted, !any_link_local(wanted));
        done = adapter_journal_write_at(journal, ADAPTER_TAKEN, journal->steps->len, error);
    }
    if (!done)
        give_back(work, journal, NULL);
    return done;
}

static struct adapter_journal *journal_of(const struct takeover_work *work, int adapter)
{
    for (unsigned i = 0; i < work->journals->len; i++) {
        struct adapter_journal *journal = work->journals->pdata[i];

        if (journal->adapter.index == adapter)
            return journal;
    }
    return NULL;
}

static bool not_found(const char *name, GError **error)
{
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_NOT_FOUND,
                "%s does not exist; see the links with: ip link", name);
    return false;
}

static bool is_taken(const char *name, const char *vswitch, GError **error)
{
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_TAKEN, "%s is already taken by switch %s", name,
                vswitch);
    return false;
}

/* Is there a takeover already? True: go on (or, with *ret_adopted, be content). */
static bool settle(struct takeover_work *work, int adapter, int host, bool *ret_adopted,
                   GError **error)
{
    const struct adapter_takeover *takeover = work->takeover;
    struct adapter_journal *journal = journal_of(work, adapter);

    for (unsigned i = 0; i < work->journals->len; i++) {
        struct adapter_journal *other = work->journals->pdata[i];

        if (other != journal && other->host.index == host && other->phase == ADAPTER_TAKEN)
            return is_taken(takeover->host_port, other->vswitch, error);
    }
    if (!journal)
        return true;
    bool ours = strcmp(journal->vswitch, takeover->vswitch) == 0;
    if (journal->phase == ADAPTER_TAKEN && !ours)
        return is_taken(takeover->adapter, journal->vswitch, error);
    *ret_adopted = journal->phase == ADAPTER_TAKEN && journal->host.index == host;
    if (*ret_adopted)
        return true;
    return give_back(work, journal, error) && work_look(work, error);
}

/* Checks, plan, steps. */
static bool take(struct takeover_work *work, GPtrArray *reports, GError **error)
{
    const struct adapter_takeover *takeover = work->takeover;
    const struct adapter *adapter = adapter_by_name(work->links, takeover->adapter);
    const struct adapter *host = adapter_by_name(work->links, takeover->host_port);

    if (!adapter || !host)
        return not_found(adapter ? takeover->host_port : takeover->adapter, error);
    if (!adapter_fit(adapter, work->links, takeover->veth, takeover->force, error) ||
        (!takeover->force &&
         !adapter_owner_agrees(takeover->root, adapter->index, adapter->name, error)))
        return false;
    work->hearing = adapter_hearing_new(adapter, error);
    if (!work->hearing)
        return false;
    uint64_t read_at = takeover_seconds();
    bool running = adapter->running;
    g_autoptr(GPtrArray) items = adapter_items_read(work->sock, adapter, reports, error);
    /* Looked at again behind the items: ifup, at work right now, sets it up before its routes, and
     * an adapter that seemed to be down would go down again when it is given back. But a link-local
     * address may be missed only among the items of one that was running before. */
    if (!items || !work_look(work, error))
        return false;
    adapter = adapter_by_name(work->links, takeover->adapter);
    host = adapter_by_name(work->links, takeover->host_port);
    if (!adapter || !host)
        return not_found(adapter ? takeover->host_port : takeover->adapter, error);
    struct adapter seen = *adapter;
    seen.running &= running;
    struct adapter_end ends[2] = {{.index = adapter->index}, {.index = host->index}};
    memcpy(ends[0].name, adapter->name, IF_NAMESIZE);
    memcpy(ends[1].name, host->name, IF_NAMESIZE);
    struct adapter_journal *journal =
        adapter_journal_new(takeover->folder, takeover->vswitch, &ends[0], &ends[1], read_at);
    g_ptr_array_unref(journal->steps);
    journal->steps = adapter_plan(&seen, host, items);
    bool taken = take_steps(work, journal, error);
    g_autoptr(GError) late = NULL;
    if (taken)
        log_info("%s: taken by switch %s, the host is on %s", adapter->name, takeover->vswitch,
                 host->name);
    if (taken && !takeover_follow_items(work, journal, adapter, host, &late))
        log_error("%s: %s", adapter->name, late->message);
    adapter_journal_free(journal);
    return taken;
}

bool adapter_take(const struct adapter_takeover *takeover, GPtrArray *reports, bool *ret_adopted,
                  GError **error)
{
    struct takeover_work work;
    bool adopted = false;

    if (!work_begin(&work, takeover, error))
        return false;
    const struct adapter *adapter = adapter_by_name(work.links, takeover->adapter);
    const struct adapter *host = adapter_by_name(work.links, takeover->host_port);
    bool taken = adapter && host
                     ? settle(&work, adapter->index, host->index, &adopted, error)
                     : not_found(adapter ? takeover->host_port : takeover->adapter, error);
    if (taken && !adopted)
        taken = take(&work, reports, error);
    work_end(&work);
    if (ret_adopted)
        *ret_adopted = adopted;
    return taken;
}

/* --- From outside ----------------------------------------------------------------------------- */

/* The journal of an adapter by the name that it has now, or had. */
static struct adapter_journal *journal_by_name(const struct takeover_work *work, const char *name)
{
    const struct adapter *link = adapter_by_name(work->links, name);
    struct adapter_journal *found = link ? journal_of(work, link->index) : NULL;

    for (unsigned i = 0; !found && i < work->journals->len; i++) {
        struct adapter_journal *journal = work->journals->pdata[i];

        if (strcmp(journal->adapter.name, name) == 0)
            found = journal;
    }
    return found;
}

bool adapter_give_back(const struct adapter_takeover *takeover, GError **error)
{
    struct takeover_work work;

    if (!work_begin(&work, takeover, error))
        return false;
    struct adapter_journal *journal = journal_by_name(&work, takeover->adapter);
    bool given = !journal || give_back(&work, journal, error);
    work_end(&work);
    return given;
}

/* Set on the host port what differs; 0 or -errno. */
static int follow_link(const struct takeover_work *work, const struct adapter *adapter,
                       const struct adapter *host)
{
    int result = 0;

    if (memcmp(adapter->mac, host->mac, sizeof(adapter->mac)) != 0)
        result = adapter_netlink_set_mac(work->sock, host->index, adapter->mac);
    if (result == 0 && adapter->mtu != host->mtu)
        result = adapter_netlink_set_mtu(work->sock, host->index, adapter->mtu);
    return result;
}

static bool follow(struct takeover_work *work, struct adapter_journal *journal, GError **error)
{
    const struct adapter *adapter = adapter_by_index(work->links, journal->adapter.index);
    const struct adapter *host = adapter_by_index(work->links, journal->host.index);

    if (journal->phase != ADAPTER_TAKEN || !adapter || !host)
        return true;
    int result = follow_link(work, adapter, host);
    if (result < 0)
        g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "%s cannot follow %s: %s",
                    host->name, adapter->name, g_strerror(-result));
    return result == 0 && takeover_follow_items(work, journal, adapter, host, error);
}

bool adapter_follow(const struct adapter_takeover *takeover, GError **error)
{
    struct takeover_work work;

    if (!work_begin(&work, takeover, error))
        return false;
    struct adapter_journal *journal = journal_by_name(&work, takeover->adapter);
    bool followed = !journal || follow(&work, journal, error);
    work_end(&work);
    return followed;
}

bool adapter_recover(const struct adapter_takeover *takeover, bool all, GError **error)
{
    struct takeover_work work;
    bool recovered = true;

    if (!work_begin(&work, takeover, error))
        return false;
    for (unsigned i = 0; i < work.journals->len; i++) {
        struct adapter_journal *journal = work.journals->pdata[i];
        bool whole = journal->phase == ADAPTER_TAKEN &&
                     adapter_by_index(work.links, journal->adapter.index) &&
                     adapter_by_index(work.links, journal->host.index);

        if (all || !whole)
            recovered &= give_back(&work, journal, recovered ? error : NULL);
    }
    work_end(&work);
    return recovered;
}

void adapter_guard(const struct adapter_takeover *takeover)
{
    g_autoptr(GPtrArray) journals = NULL;
    int lock = adapter_journal_lock(takeover->folder, NULL);

    if (lock < 0)
        return;
    journals = adapter_journal_load_all(takeover->folder);
    for (unsigned i = 0; i < journals->len; i++) {
        const struct adapter_journal *journal = journals->pdata[i];
        g_autoptr(GError) error = NULL;
        char name[IF_NAMESIZE];

        if (journal->phase != ADAPTER_TAKEN ||
            !if_indextoname((unsigned)journal->adapter.index, name) ||
            adapter_cut_stands(journal->adapter.index))
            continue;
        if (adapter_cut(journal->adapter.index, name, &error))
            log_warning("%s: somebody has flushed the packet filter; cut again", name);
        else
            log_error("%s: %s", name, error->message);
    }
    close(lock);
}

char *adapter_taken_by(const char *folder, const char *adapter)
{
    g_autoptr(GPtrArray) journals = adapter_journal_load_all(folder);

    for (unsigned i = 0; i < journals->len; i++) {
        const struct adapter_journal *journal = journals->pdata[i];

        if (strcmp(journal->adapter.name, adapter) == 0)
            return g_strdup(journal->vswitch);
    }
    return NULL;
}
