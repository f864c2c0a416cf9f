/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "scsi" and "ide" parts of a machine description: controllers and their units.
 */
#include "src/worker/config_parts.h"

#include <limits.h>
#include <stddef.h>

#define SERIAL_MAX 36

/* A LUN while it is read; `given` tells an absent "readonly" from a false one. */
struct lun_reader {
    struct config_lun lun;
    bool readonly_given;
};

static bool read_readonly(const struct json_at *at, struct json_object *value, void *into,
                          GError **error)
{
    struct lun_reader *reader = into;

    if (!json_expect(at, value, json_type_boolean, "true or false", error))
        return false;
    reader->lun.readonly = json_object_get_boolean(value);
    reader->readonly_given = true;
    return true;
}

static const char *const lun_types[] = {"disk", "dvd", NULL}; /* as enum config_lun_type */
static const char *const cache_modes[] = {"writeback", "none", NULL};
static const char *const discard_modes[] = {"ignore", "unmap", NULL};

#define LUN_FIELD(member) offsetof(struct lun_reader, lun.member)

/* What an IDE drive and a SCSI unit have in common, and the end of the table. */
#define UNIT_KEYS                                                                        \
    {"type", JSON_CHOICE, .offset = LUN_FIELD(type), .choices = lun_types},              \
        {"path", JSON_TEXT, .offset = LUN_FIELD(path), .min = 1, .max = PATH_MAX - 1},   \
        {"readonly", JSON_CUSTOM, .read = read_readonly},                                \
        {"cache", JSON_FLAG, .offset = LUN_FIELD(direct), .choices = cache_modes},       \
        {"discard", JSON_FLAG, .offset = LUN_FIELD(discard), .choices = discard_modes},  \
        {"shareable", JSON_BOOL, .offset = LUN_FIELD(shared)},                           \
        {"serial", JSON_TEXT, .offset = LUN_FIELD(serial), .min = 1, .max = SERIAL_MAX}, \
    {                                                                                    \
        .name = NULL                                                                     \
    }

static const struct json_key lun_keys[] = {
    {"lun", JSON_UNSIGNED, .offset = LUN_FIELD(lun), .max = LIMIT_SCSI_LUNS - 1}, UNIT_KEYS};

static const struct json_key ide_keys[] = {
    {"unit", JSON_UNSIGNED, .offset = LUN_FIELD(lun), .max = LIMIT_IDE_DRIVES - 1}, UNIT_KEYS};

static bool check_lun(const struct json_at *at, struct lun_reader *reader, GError **error)
{
    struct config_lun *lun = &reader->lun;
    struct json_at path = {.parent = at, .key = "path"};
    struct json_at readonly = {.parent = at, .key = "readonly"};
    struct json_at serial = {.parent = at, .key = "serial"};

    if (lun->type == CONFIG_DISK && !lun->path)
        return json_fail(&path, error, JSON_ERROR_KEY, "missing; a disk needs an image");
    if (lun->type == CONFIG_DVD && reader->readonly_given && !lun->readonly)
        return json_fail(&readonly, error, JSON_ERROR_VALUE,
                         "a DVD cannot be written; leave the key out");
    if (lun->type == CONFIG_DVD)
        lun->readonly = true;
    for (const char *c = lun->serial; c && *c; c++)
        if (!g_ascii_isgraph(*c))
            return json_fail(&serial, error, JSON_ERROR_VALUE,
                             "not printable ASCII; give letters, digits and signs");
    return true;
}

static bool read_lun(const struct json_at *at, struct json_object *value,
                     const struct json_key *keys, unsigned index, struct config_lun *into,
                     GError **error)
{
    struct lun_reader reader = {.lun = {.lun = index, .direct = true}};
    bool good = json_read_object(at, value, keys, &reader, error) && check_lun(at, &reader, error);

    *into = reader.lun;
    return good;
}

/* Where units stand, and what they are called there. */
struct unit_list {
    const char *name;   /* "unit" */
    const char *number; /* the key that tells them apart */
    const struct json_key *keys;
    unsigned most; /* at most UNITS_MOST */
};

#define UNITS_MOST MAX(LIMIT_SCSI_LUNS, LIMIT_IDE_DRIVES)

static bool read_units(const struct json_at *at, struct json_object *value,
                       const struct unit_list *list, struct config_lun **ret_units,
                       unsigned *ret_count, GError **error)
{
    bool taken[UNITS_MOST] = {false};
    g_autofree char *wanted = g_strdup_printf("a list of %ss", list->name);

    if (!json_expect(at, value, json_type_array, wanted, error))
        return false;
    size_t count = json_object_array_length(value);
    if (count > list->most)
        return json_fail(at, error, JSON_ERROR_VALUE, "%zu %ss; give at most %u", count, list->name,
                         list->most);
    *ret_units = g_new0(struct config_lun, count);
    for (unsigned i = 0; i < count; i++) {
        struct json_at place = {.parent = at, .index = i};
        struct json_at number = {.parent = &place, .key = list->number};
        struct config_lun *unit = &(*ret_units)[(*ret_count)++];

        if (!read_lun(&place, json_object_array_get_idx(value, i), list->keys, i, unit, error))
            return false;
        if (taken[unit->lun])
            return json_fail(&number, error, JSON_ERROR_VALUE,
                             "%u is taken by an earlier %s; give each its own", unit->lun,
                             list->name);
        taken[unit->lun] = true;
    }
    return true;
}

static bool read_luns(const struct json_at *at, struct json_object *value, void *into,
                      GError **error)
{
    static const struct unit_list list = {"unit", "lun", lun_keys, LIMIT_SCSI_LUNS};
    struct config_scsi *scsi = into;

    return read_units(at, value, &list, &scsi->lun, &scsi->luns, error);
}

static bool read_instance(const struct json_at *at, struct json_object *value, void *into,
                          GError **error)
{
    return config_guid_read(at, value, &((struct config_scsi *)into)->instance, error);
}

static const struct json_key scsi_keys[] = {{"instance", JSON_CUSTOM, .read = read_instance},
                                            {"queues", JSON_UNSIGNED,
                                             .offset = offsetof(struct config_scsi, queues),
                                             .min = 1, .max = LIMIT_LANES},
                                            {"luns", JSON_CUSTOM, .read = read_luns},
                                            {.name = NULL}};

bool config_scsi_read(const struct json_at *at, struct json_object *value, void *into,
                      GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_array, "a list of controllers", error))
        return false;
    size_t count = json_object_array_length(value);
    if (count > LIMIT_SCSI_CONTROLLERS)
        return json_fail(at, error, JSON_ERROR_VALUE, "%zu controllers; give at most %u", count,
                         LIMIT_SCSI_CONTROLLERS);
    config->scsi = g_new0(struct config_scsi, count);
    for (unsigned i = 0; i < count; i++) {
        struct json_at place = {.parent = at, .index = i};
        struct config_scsi *scsi = &config->scsi[config->scsis++];

        scsi->queues = 1;
        if (!json_read_object(&place, json_object_array_get_idx(value, i), scsi_keys, scsi, error))
            return false;
    }
    return true;
}

bool config_ide_read(const struct json_at *at, struct json_object *value, void *into,
                     GError **error)
{
    static const struct unit_list list = {"drive", "unit", ide_keys, LIMIT_IDE_DRIVES};
    struct config *config = into;

    return read_units(at, value, &list, &config->ide, &config->ides, error);
}

unsigned config_first_dvd(const struct config *config)
{
    for (unsigned i = 0; i < config->ides; i++)
        if (config->ide[i].type == CONFIG_DVD)
            return config->ide[i].lun;
    return LIMIT_IDE_DRIVES;
}

void config_lun_clear(struct config_lun *lun)
{
    g_free(lun->path);
    g_free(lun->serial);
}

void config_scsi_clear(struct config_scsi *scsi)
{
    for (unsigned i = 0; i < scsi->luns; i++)
        config_lun_clear(&scsi->lun[i]);
    g_free(scsi->lun);
}

bool config_scsi_finish(struct config *config, GError **error)
{
    static const struct guid zero;
    static const struct json_at list = {.key = "scsi"};

    for (unsigned i = 0; i < config->scsis; i++) {
        struct config_scsi *scsi = &config->scsi[i];
        struct json_at at = {.parent = &list, .index = i};
        struct json_at queues = {.parent = &at, .key = "queues"};
        struct json_at instance = {.parent = &at, .key = "instance"};

        if (scsi->queues > config->vcpus)
            return json_fail(&queues, error, JSON_ERROR_VALUE,
                             "%u queues for %u vCPUs; give at most one for each", scsi->queues,
                             config->vcpus);
        if (guid_equal(&scsi->instance, &zero)) {
            g_autofree char *name = g_strdup_printf("scsi/%u", i);

            scsi->instance = config_guid_derive(&config->uuid, name);
        }
        for (unsigned j = 0; j < i; j++)
            if (guid_equal(&config->scsi[j].instance, &scsi->instance))
                return json_fail(&instance, error, JSON_ERROR_VALUE,
                                 "the same as scsi[%u]'s; give each controller its own", j);
    }
    return true;
}
