/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps: a table of operations, each with its way there and back.
 */
#include "vswitch/adapter_step.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vswitch/adapter.h"
#include "vswitch/adapter_cut.h"
#include "vswitch/adapter_netlink.h"

struct adapter_step *adapter_step_new(enum adapter_op op, bool host, const char *key,
                                      const char *value, const char *old, struct adapter_item *item)
{
    struct adapter_step *step = g_new0(struct adapter_step, 1);

    step->op = op;
    step->host = host;
    step->key = g_strdup(key);
    step->value = g_strdup(value);
    step->old = g_strdup(old);
    step->item = item ? adapter_item_ref(item) : NULL;
    return step;
}

void adapter_step_free(struct adapter_step *step)
{
    if (!step)
        return;
    g_free(step->key);
    g_free(step->value);
    g_free(step->old);
    adapter_item_unref(step->item);
    g_free(step);
}

/* --- Operations: 0 or -errno ------------------------------------------------------------------ */

/* What a step is done with: the link, and the value to set. */
struct doing {
    const struct adapter_step *step;
    const struct adapter_ends *ends;
    const struct adapter_end *end;
    const char *value; /* the step's value, or its old one */
    bool undo;
};

static int do_mac(const struct doing *doing)
{
    unsigned byte[6];
    uint8_t mac[6];

    if (sscanf(doing->value, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3],
               &byte[4], &byte[5]) != 6)
        return -EINVAL;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
    return adapter_netlink_set_mac(doing->ends->sock, doing->end->index, mac);
}

static int do_mtu(const struct doing *doing)
{
    return adapter_netlink_set_mtu(doing->ends->sock, doing->end->index,
                                   (uint32_t)strtoul(doing->value, NULL, 10));
}

static int do_sysctl(const struct doing *doing)
{
    return adapter_sysctl_write(doing->end->name, doing->step->key, doing->value);
}

static int do_feature(const struct doing *doing)
{
    return adapter_ethtool_set_feature(doing->end->name, doing->step->key, *doing->value == '1');
}

static int do_up(const struct doing *doing)
{
    return adapter_netlink_set_up(doing->ends->sock, doing->end->index, *doing->value == '1');
}

static int item_add(const struct doing *doing)
{
    return adapter_item_add(doing->ends->sock, doing->step->item, doing->end->index,
                            doing->end->name, doing->ends->age);
}

static int item_delete(const struct doing *doing)
{
    return adapter_item_delete(doing->ends->sock, doing->step->item, doing->end->index);
}

static int do_add(const struct doing *doing)
{
    return doing->undo ? item_delete(doing) : item_add(doing);
}

static int do_delete(const struct doing *doing)
{
    return doing->undo ? item_add(doing) : item_delete(doing);
}

static const struct {
    const char *name;
    int (*run)(const struct doing *doing);
} operation[ADAPTER_OPS] = {
    [ADAPTER_OP_MAC] = {"mac", do_mac},
    [ADAPTER_OP_MTU] = {"mtu", do_mtu},
    [ADAPTER_OP_SYSCTL] = {"sysctl", do_sysctl},
    [ADAPTER_OP_FEATURE] = {"feature", do_feature},
    [ADAPTER_OP_UP] = {"up", do_up},
    [ADAPTER_OP_CUT] = {"cut", NULL}, /* has its own words for what went wrong */
    [ADAPTER_OP_ADD] = {"add", do_add},
    [ADAPTER_OP_DELETE] = {"delete", do_delete},
};

static bool run(const struct adapter_step *step, const struct adapter_ends *ends, bool undo,
                GError **error)
{
    const struct adapter_end *end = step->host ? &ends->host : &ends->adapter;
    struct doing doing = {step, ends, end, undo ? step->old : step->value, undo};
    int result = operation[step->op].run(&doing);

    /* A link that has gone (its settings with it) took all along, and one that is down has no
     * routes. */
    bool gone = result == -ENODEV || (result == -ENOENT && step->op == ADAPTER_OP_SYSCTL);
    if (result == 0 || (undo && (gone || result == -ENETDOWN)))
        return true;
    g_autofree char *what =
        step->item ? adapter_item_text(step->item)
                   : g_strdup_printf("%s%s%s to %s", operation[step->op].name, step->key ? " " : "",
                                     step->key ? step->key : "", doing.value);
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "%s on %s: %s", what, end->name,
                g_strerror(-result));
    return false;
}

bool adapter_step_do(const struct adapter_step *step, const struct adapter_ends *ends,
                     GError **error)
{
    if (step->op == ADAPTER_OP_CUT)
        return adapter_cut(ends->adapter.index, ends->adapter.name, error);
    return run(step, ends, false, error);
}

bool adapter_step_undo(const struct adapter_step *step, const struct adapter_ends *ends,
                       GError **error)
{
    const struct adapter_end *end = step->host ? &ends->host : &ends->adapter;

    if (end->index == 0)
        return true; /* what was on it went with it; the cut's table is dealt with by the owner */
    if (step->op == ADAPTER_OP_CUT)
        return adapter_heal(ends->adapter.index, error);
    return run(step, ends, true, error);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_text(struct json_object *object, const char *key, const char *text)
{
    if (text)
        json_object_object_add(object, key, json_object_new_string(text));
}

struct json_object *adapter_step_to_json(const struct adapter_step *step)
{
    struct json_object *object = json_object_new_object();

    add_text(object, "op", operation[step->op].name);
    add_text(object, "on", step->host ? "host" : "adapter");
    add_text(object, "key", step->key);
    add_text(object, "value", step->value);
    add_text(object, "old", step->old);
    if (step->item)
        json_object_object_add(object, "item", adapter_item_to_json(step->item));
    return object;
}

static const char *text_of(struct json_object *object, const char *key)
{
    return json_object_get_string(json_object_object_get(object, key));
}

/* What each operation cannot do without. */
static bool complete(const struct adapter_step *step)
{
    switch (step->op) {
    case ADAPTER_OP_ADD:
    case ADAPTER_OP_DELETE:
        return step->item != NULL;
    case ADAPTER_OP_SYSCTL:
    case ADAPTER_OP_FEATURE:
        return step->key && strchr(step->key, '/') == strrchr(step->key, '/') && step->value &&
               step->old && (step->op == ADAPTER_OP_FEATURE || strchr(step->key, '/'));
    case ADAPTER_OP_CUT:
        return true;
    default:
        return step->value && step->old;
    }
}

struct adapter_step *adapter_step_from_json(struct json_object *object)
{
    struct json_object *item = json_object_object_get(object, "item");
    unsigned op = 0;

    while (op < ADAPTER_OPS && g_strcmp0(text_of(object, "op"), operation[op].name) != 0)
        op++;
    if (op == ADAPTER_OPS)
        return NULL;
    struct adapter_item *read = item ? adapter_item_from_json(item) : NULL;
    struct adapter_step *step = adapter_step_new(
        (enum adapter_op)op, g_strcmp0(text_of(object, "on"), "host") == 0, text_of(object, "key"),
        text_of(object, "value"), text_of(object, "old"), read);
    adapter_item_unref(read);
    if (!complete(step))
        g_clear_pointer(&step, adapter_step_free);
    return step;
}
