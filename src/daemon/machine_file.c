/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's description as vmbusd reads it: see machine_file.h.
 */
#include "src/daemon/machine_file.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "src/common/json.h"
#include "src/common/mac.h"
#include "src/common/name.h"

/* The name of vmbusd's own socket. */
#define RESERVED "vmbusd"

#define MTU_DEFAULT 1500u

static struct json_object *member(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(object, key, &value);
    return value;
}

/* The text of a member into *ret_text; false with `error` if it is there and no string. */
static bool text_member(const struct json_at *parent, struct json_object *object, const char *key,
                        char **ret_text, GError **error)
{
    struct json_object *value = member(object, key);
    struct json_at at = {.parent = parent, .key = key};

    if (!value)
        return true;
    if (!json_expect(&at, value, json_type_string, "a string", error))
        return false;
    *ret_text = g_strdup(json_object_get_string(value));
    return true;
}

static bool read_nic(const struct json_at *at, struct json_object *value, struct machine_nic *nic,
                     GError **error)
{
    const struct json_at mac_at = {.parent = at, .key = "mac"};
    g_autofree char *mac = NULL, *state = NULL;

    if (!json_expect(at, value, json_type_object, "an object", error) ||
        !text_member(at, value, "network", &nic->network, error) ||
        !text_member(at, value, "portgroup", &nic->portgroup, error) ||
        !text_member(at, value, "state", &state, error) ||
        !text_member(at, value, "mac", &mac, error))
        return false;
    nic->absent = state && strcmp(state, "present") != 0;
    nic->has_mac = mac != NULL;
    if (mac && (!mac_parse(mac, nic->mac) || nic->mac[0] & 1))
        return json_fail(&mac_at, error, JSON_ERROR_VALUE, "not a MAC address");
    struct json_object *mtu = member(value, "mtu");
    nic->mtu = mtu ? (uint32_t)CLAMP(json_object_get_int(mtu), 68, (int)LIMIT_MTU) : MTU_DEFAULT;
    int queues = json_object_get_int(member(value, "queues"));
    nic->queues = (unsigned)CLAMP(queues, 1, (int)LIMIT_PORT_QUEUES);
    return true;
}

static bool read_nics(struct json_object *list, struct machine_file *file, GError **error)
{
    static const struct json_at at = {.key = "nics"};

    if (!json_expect(&at, list, json_type_array, "a list of NICs", error))
        return false;
    if (json_object_array_length(list) > LIMIT_NICS)
        return json_fail(&at, error, JSON_ERROR_VALUE, "%zu NICs; give at most %u",
                         json_object_array_length(list), LIMIT_NICS);
    while (file->nics < json_object_array_length(list)) {
        struct json_at item = {.parent = &at, .index = file->nics};
        unsigned index = file->nics++;

        if (!read_nic(&item, json_object_array_get_idx(list, index), &file->nic[index], error))
            return false;
    }
    file->own = file->nics;
    return true;
}

static bool read_document(struct json_object *document, const char *run_dir,
                          struct machine_file *file, GError **error)
{
    static const struct json_at name = {.key = "name"};
    struct json_object *nics = member(document, "nics");
    g_autofree char *directory = NULL;

    if (!json_expect(NULL, document, json_type_object, "an object", error) ||
        !text_member(NULL, document, "name", &file->name, error) ||
        !text_member(NULL, document, "control", &file->control, error) ||
        !text_member(NULL, document, "run_dir", &directory, error))
        return false;
    if (!file->name || !name_valid(file->name, LIMIT_NAME))
        return json_fail(&name, error, JSON_ERROR_KEY, "missing, or no name");
    if (!strcmp(file->name, RESERVED))
        return json_fail(&name, error, JSON_ERROR_VALUE,
                         "\"" RESERVED "\" is the daemon's own; choose another");
    if (!file->control)
        file->control = g_strdup_printf("%s/%s.sock", directory ? directory : run_dir, file->name);
    return !nics || read_nics(nics, file, error);
}

struct machine_file *machine_file_parse(const char *path, const char *text, size_t len,
                                        const char *run_dir, GError **error)
{
    struct machine_file *file = g_new0(struct machine_file, 1);
    struct json_object *document = json_read_text(text, len, error);
    bool good;

    file->path = g_strdup(path);
    good = document && read_document(document, run_dir, file, error);
    json_object_put(document);
    if (good)
        return file;
    g_prefix_error(error, "%s: ", path);
    machine_file_free(file);
    return NULL;
}

struct machine_file *machine_file_of_worker(const char *name, const char *control,
                                            struct json_object *nics, GError **error)
{
    static const struct json_at at = {.key = "name"};
    struct machine_file *file = g_new0(struct machine_file, 1);

    file->path = g_strdup(control);
    file->control = g_strdup(control);
    file->name = g_strdup(name);
    if (name_valid(name, LIMIT_NAME) ? !nics || read_nics(nics, file, error)
                                     : json_fail(&at, error, JSON_ERROR_VALUE, "no name"))
        return file;
    machine_file_free(file);
    return NULL;
}

static bool nic_equal(const struct machine_nic *a, const struct machine_nic *b)
{
    return !g_strcmp0(a->network, b->network) && !g_strcmp0(a->portgroup, b->portgroup) &&
           a->has_mac == b->has_mac && !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
           a->queues == b->queues && a->mtu == b->mtu;
}

bool machine_file_equal(const struct machine_file *a, const struct machine_file *b)
{
    bool equal = !strcmp(a->path, b->path) && !strcmp(a->name, b->name) &&
                 !strcmp(a->control, b->control) && a->own == b->own;

    for (unsigned i = 0; equal && i < a->own; i++)
        equal = nic_equal(&a->nic[i], &b->nic[i]);
    return equal;
}

/* --- NICs that come and go -------------------------------------------------------------------- */

static void nic_clear(struct machine_nic *nic)
{
    g_free(nic->network);
    g_free(nic->portgroup);
    *nic = (struct machine_nic){0};
}

bool machine_file_nic_is_news(const struct machine_file *file, unsigned index,
                              const struct machine_nic *now)
{
    const struct machine_nic *nic = &file->nic[index];
    bool absent = now && now->absent;

    if (index < file->own)
        return nic->absent != absent;
    if (!now || absent)
        return nic->network;
    return nic->absent || !nic_equal(nic, now);
}

void machine_file_set_nic(struct machine_file *file, unsigned index, const struct machine_nic *now)
{
    struct machine_nic *nic = &file->nic[index];

    if (index < file->own) {
        nic->absent = now && now->absent;
        return;
    }
    nic_clear(nic);
    if (!now || now->absent)
        return;
    *nic = *now;
    nic->network = g_strdup(now->network);
    nic->portgroup = g_strdup(now->portgroup);
    file->nics = MAX(file->nics, index + 1);
}

void machine_file_forget(struct machine_file *file)
{
    for (unsigned i = 0; i < file->nics; i++) {
        if (i < file->own)
            file->nic[i].absent = false;
        else
            nic_clear(&file->nic[i]);
    }
    file->nics = file->own;
}

void machine_file_free(struct machine_file *file)
{
    if (!file)
        return;
    for (unsigned i = 0; i < file->nics; i++)
        nic_clear(&file->nic[i]);
    g_free(file->path);
    g_free(file->name);
    g_free(file->control);
    g_free(file);
}
