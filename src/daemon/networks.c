/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All networks of this host: see networks.h.
 */
#include "src/daemon/networks.h"

#include <string.h>

#include "src/common/log.h"
#include "src/daemon/event.h"
#include "src/daemon/folder.h"
#include "src/daemon/host_conflict.h"
#include "src/daemon/privileged.h"

struct networks {
    char *folder;   /* for messages; the parent reads it */
    GPtrArray *all; /* of struct network, by name */
    struct networks_listener listener;
};

struct networks *networks_new(const char *folder)
{
    struct networks *networks = g_new0(struct networks, 1);

    networks->folder = g_strdup(folder);
    networks->all = g_ptr_array_new();
    return networks;
}

void networks_listen(struct networks *networks, const struct networks_listener *listener)
{
    networks->listener = *listener;
}

struct network *networks_find(const struct networks *networks, const char *name)
{
    for (guint i = 0; i < networks->all->len; i++) {
        struct network *network = g_ptr_array_index(networks->all, i);

        if (!strcmp(network_config(network)->name, name))
            return network;
    }
    return NULL;
}

const GPtrArray *networks_all(const struct networks *networks)
{
    return networks->all;
}

/* --- Reading the folder ----------------------------------------------------------------------- */

static void free_config(void *config)
{
    network_config_free(config);
}

static bool same(const struct network_config *a, const struct network_config *b)
{
    g_autofree char *left = network_config_print(a), *right = network_config_print(b);

    return !strcmp(left, right);
}

/* False if the host is in the way. What runs already as it is described is left alone. */
static bool suits_host(const struct networks *networks, const struct network_config *config,
                       GError **error)
{
    const struct network *present = networks_find(networks, config->name);
    g_autoptr(GPtrArray) ours = g_ptr_array_new();

    if (present && network_switch(present) && same(network_config(present), config))
        return true;
    g_ptr_array_add(ours, (char *)config->bridge);
    for (guint i = 0; i < networks->all->len; i++) {
        const struct network_config *other = network_config(g_ptr_array_index(networks->all, i));

        if (other->kind != NETWORK_EXTERNAL)
            g_ptr_array_add(ours, (char *)other->bridge);
    }
    g_ptr_array_add(ours, NULL);
    g_autoptr(GArray) host = privileged_host();
    return host_conflict_subnets(config, host, (const char *const *)ours->pdata, error);
}

/* Add what the file describes, unless it is wrong or does not go with those before it or with the
 * host. */
static bool read_file(const struct networks *networks, const char *name, GPtrArray *configs,
                      GError **error)
{
    g_autofree char *path = g_build_filename(networks->folder, name, NULL);
    size_t len;
    g_autofree char *text = folder_read(REQUEST_NETWORKS, name, LIMIT_XML_BYTES, &len, error);
    struct network_config *config = text ? network_config_parse(path, text, len, error) : NULL;
    bool good = config != NULL;

    if (good && configs->len == LIMIT_NETWORKS) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "%s: more than %u networks", path,
                    LIMIT_NETWORKS);
        good = false;
    }
    for (guint i = 0; good && i < configs->len; i++)
        good = network_config_compatible(config, g_ptr_array_index(configs, i), error);
    good = good && suits_host(networks, config, error);
    if (good)
        g_ptr_array_add(configs, config);
    else
        network_config_free(config);
    return good;
}

static GPtrArray *read_folder(const struct networks *networks, unsigned *ret_refused)
{
    g_autoptr(GPtrArray) files = folder_list(REQUEST_NETWORKS, ".xml");
    GPtrArray *configs = g_ptr_array_new_with_free_func(free_config);

    *ret_refused = 0;
    for (guint i = 0; i < files->len; i++) {
        g_autoptr(GError) error = NULL;

        if (read_file(networks, g_ptr_array_index(files, i), configs, &error))
            continue;
        log_error("%s", error->message);
        (*ret_refused)++;
    }
    return configs;
}

/* --- From what is to what should be ----------------------------------------------------------- */

/* The configuration of that name among those read, or NULL. */
static const struct network_config *wanted(const GPtrArray *configs, const char *name, guint *index)
{
    for (*index = 0; *index < configs->len; ++*index) {
        const struct network_config *config = g_ptr_array_index(configs, *index);

        if (!strcmp(config->name, name))
            return config;
    }
    return NULL;
}

static void end(struct networks *networks, struct network *network)
{
    if (networks->listener.stopping && network_switch(network))
        networks->listener.stopping(networks->listener.context, network);
    log_info("network %s stops", network_config(network)->name);
    if (network_switch(network))
        event_emit("network-stopped", "network", network_config(network)->name, NULL);
    network_free(network);
}

/* Stop what is not in `configs` as it is now; take out of `configs` what needs no change. With
 * files refused, a network that no file names any more may be one of theirs: it stays. */
static void retire(struct networks *networks, GPtrArray *configs, bool refused)
{
    for (guint i = networks->all->len; i-- > 0;) {
        struct network *network = g_ptr_array_index(networks->all, i);
        const struct network_config *now = network_config(network);
        guint index;
        const struct network_config *then = wanted(configs, now->name, &index);

        if (then && network_switch(network) && same(then, now)) {
            g_ptr_array_remove_index(configs, index);
        } else if (then || !refused) {
            g_ptr_array_remove_index(networks->all, i);
            end(networks, network);
        }
    }
}

/* False if a network that stayed (its file being wrong now) is in the way. */
static bool fits(const struct networks *networks, const struct network_config *config,
                 GError **error)
{
    for (guint i = 0; i < networks->all->len; i++)
        if (!network_config_compatible(config, network_config(g_ptr_array_index(networks->all, i)),
                                       error))
            return false;
    return true;
}

static gint by_network(gconstpointer a, gconstpointer b)
{
    return strcmp(network_config(*(struct network *const *)a)->name,
                  network_config(*(struct network *const *)b)->name);
}

static void begin(struct networks *networks, struct network *network)
{
    const struct network_config *config = network_config(network);
    g_autoptr(GError) error = NULL;

    if (!network_start(network, &error)) {
        log_error("%s", error->message);
        event_emit("network-failed", "network", config->name, "reason", error->message, NULL);
        return;
    }
    event_emit("network-started", "network", config->name, "kind", network_kind_name(config->kind),
               NULL);
    if (networks->listener.started)
        networks->listener.started(networks->listener.context, network);
}

unsigned networks_load(struct networks *networks)
{
    unsigned refused;
    g_autoptr(GPtrArray) configs = read_folder(networks, &refused);

    retire(networks, configs, refused != 0);
    while (configs->len) {
        g_autoptr(GError) error = NULL;
        struct network_config *config = g_ptr_array_steal_index(configs, 0);

        if (!fits(networks, config, &error)) {
            log_error("%s", error->message);
            network_config_free(config);
            refused++;
            continue;
        }
        struct network *network = network_new(config);
        g_ptr_array_add(networks->all, network);
        begin(networks, network);
    }
    g_ptr_array_sort(networks->all, by_network);
    privileged_settled();
    return refused;
}

void networks_free(struct networks *networks)
{
    if (!networks)
        return;
    while (networks->all->len)
        end(networks, g_ptr_array_steal_index(networks->all, networks->all->len - 1));
    g_ptr_array_unref(networks->all);
    g_free(networks->folder);
    g_free(networks);
}
