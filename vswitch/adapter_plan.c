/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planning a takeover. Reads settings of both links, changes nothing.
 */
#include "vswitch/adapter_plan.h"

#include <string.h>

#include "src/common/mac.h"
#include "vswitch/adapter.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/adapter_step.h"

#define ADDR_GEN "ipv6/addr_gen_mode"
#define NO_ADDR  "1" /* IN6_ADDR_GEN_MODE_NONE */

static void add(GPtrArray *steps, enum adapter_op op, bool host, const char *key, const char *value,
                const char *old)
{
    g_ptr_array_add(steps, adapter_step_new(op, host, key, value, old, NULL));
}

/* Set one setting of a link, if it has it and it is another now. */
static void set(GPtrArray *steps, const struct adapter *link, bool host, const char *key,
                const char *value)
{
    g_autofree char *old = adapter_sysctl_read(link->name, key);

    if (old && strcmp(old, value) != 0)
        add(steps, ADAPTER_OP_SYSCTL, host, key, value, old);
}

/* --- Host port -------------------------------------------------------------------------------- */

/* Follow the link, or have an order of their own. */
static bool copied_otherwise(const char *key)
{
    static const char *const keys[] = {"ipv6/mtu", "ipv6/stable_secret", ADDR_GEN, NULL};

    return g_strv_contains(keys, key);
}

static void plan_host(GPtrArray *steps, const struct adapter *adapter, const struct adapter *host)
{
    g_autoptr(GPtrArray) settings = adapter_sysctl_list(host->name);
    char mac[MAC_TEXT], old_mac[MAC_TEXT];
    g_autofree char *mtu = g_strdup_printf("%u", adapter->mtu);
    g_autofree char *old_mtu = g_strdup_printf("%u", host->mtu);

    mac_print(adapter->mac, mac);
    mac_print(host->mac, old_mac);
    if (host->up) /* whatever made it may have brought it up; it loses addresses of its own */
        add(steps, ADAPTER_OP_UP, true, NULL, "0", "0");
    if (strcmp(mac, old_mac) != 0)
        add(steps, ADAPTER_OP_MAC, true, NULL, mac, old_mac);
    if (strcmp(mtu, old_mtu) != 0)
        add(steps, ADAPTER_OP_MTU, true, NULL, mtu, old_mtu);
    for (unsigned i = 0; i < settings->len; i++) {
        const char *key = settings->pdata[i];
        g_autofree char *value =
            copied_otherwise(key) ? NULL : adapter_sysctl_read(adapter->name, key);

        if (value)
            set(steps, host, true, key, value);
    }
    /* Its addresses come from the adapter. This stays, because setting it back would make some. */
    g_autofree char *mode = adapter_sysctl_read(host->name, ADDR_GEN);
    if (mode)
        add(steps, ADAPTER_OP_SYSCTL, true, ADDR_GEN, NO_ADDR, NO_ADDR);
}

static bool has_link_local(GPtrArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        if (((struct adapter_item *)items->pdata[i])->kind == ADAPTER_ADDRESS &&
            adapter_item_link_local(items->pdata[i]))
            return true;
    return false;
}

/* How the host port makes addresses from now on (on a router's word): as the adapter did. A host
 * that has taken its link-local address away does not get it back; one that has no link has had
 * none yet. */
static void plan_host_later(GPtrArray *steps, const struct adapter *adapter, GPtrArray *items)
{
    g_autofree char *mode = adapter_sysctl_read(adapter->name, ADDR_GEN);
    g_autofree char *secret = adapter_sysctl_read(adapter->name, "ipv6/stable_secret");

    if (!mode || strcmp(mode, NO_ADDR) == 0 || (adapter->running && !has_link_local(items)))
        return;
    if (secret)
        add(steps, ADAPTER_OP_SYSCTL, true, "ipv6/stable_secret", secret, secret);
    add(steps, ADAPTER_OP_SYSCTL, true, ADDR_GEN, mode, NO_ADDR);
}

/* --- Adapter ---------------------------------------------------------------------------------- */

static void plan_adapter_quiet(GPtrArray *steps, const struct adapter *adapter)
{
    set(steps, adapter, false, "ipv6/accept_ra", "0");
    set(steps, adapter, false, "ipv6/autoconf", "0");
    set(steps, adapter, false, ADDR_GEN, NO_ADDR);
    set(steps, adapter, false, "ipv4/arp_ignore", "8"); /* answer for nothing */
}

static void plan_adapter_up(GPtrArray *steps, const struct adapter *adapter)
{
    static const char *const joining[] = {"rx-lro", "rx-gro-hw"};

    add(steps, ADAPTER_OP_UP, false, NULL, "1", adapter->up ? "1" : "0");
    for (unsigned i = 0; i < G_N_ELEMENTS(joining); i++)
        if (adapter_ethtool_feature(adapter->name, joining[i]) == 1)
            add(steps, ADAPTER_OP_FEATURE, false, joining[i], "0", "1");
}

/* --- All -------------------------------------------------------------------------------------- */

GPtrArray *adapter_plan(const struct adapter *adapter, const struct adapter *host, GPtrArray *items)
{
    GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)adapter_step_free);

    plan_host(steps, adapter, host);
    add(steps, ADAPTER_OP_CUT, false, NULL, NULL, NULL);
    add(steps, ADAPTER_OP_UP, true, NULL, "1", "0");
    plan_host_later(steps, adapter, items);
    plan_adapter_quiet(steps, adapter);
    plan_adapter_up(steps, adapter);
    return adapter_plan_with_items(steps, items);
}

static void add_items(GPtrArray *steps, GPtrArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        g_ptr_array_add(steps,
                        adapter_step_new(ADAPTER_OP_ADD, true, NULL, NULL, NULL, items->pdata[i]));
}

/* An adapter that was down, and will be again, has neither routes nor a link-local address. */
static void delete_items(GPtrArray *steps, GPtrArray *items, bool was_up)
{
    for (unsigned i = items->len; i-- > 0;) {
        struct adapter_item *item = items->pdata[i];

        if (was_up || !(item->kind == ADAPTER_ROUTE || adapter_item_link_local(item)))
            g_ptr_array_add(steps,
                            adapter_step_new(ADAPTER_OP_DELETE, false, NULL, NULL, NULL, item));
    }
}

void adapter_plan_keep_up(GPtrArray *steps)
{
    for (unsigned i = 0; i < steps->len; i++) {
        struct adapter_step *step = steps->pdata[i];

        if (step->op == ADAPTER_OP_UP && !step->host) {
            g_free(step->old);
            step->old = g_strdup("1");
        }
    }
}

GPtrArray *adapter_plan_with_items(GPtrArray *steps, GPtrArray *items)
{
    GPtrArray *planned = g_ptr_array_new_with_free_func((GDestroyNotify)adapter_step_free);

    for (unsigned i = 0; i < steps->len; i++) {
        struct adapter_step *step = steps->pdata[i];

        if (step->op == ADAPTER_OP_ADD || step->op == ADAPTER_OP_DELETE) {
            adapter_step_free(step);
            continue;
        }
        if (step->op == ADAPTER_OP_UP && !step->host)
            delete_items(planned, items, *step->old == '1');
        g_ptr_array_add(planned, step);
        if (step->op == ADAPTER_OP_UP && step->host && *step->value == '1')
            add_items(planned, items);
    }
    g_ptr_array_set_free_func(steps, NULL);
    g_ptr_array_unref(steps);
    return planned;
}
