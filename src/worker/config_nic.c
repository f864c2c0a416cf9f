/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "nics" part of a machine description: network adapters, synthetic and legacy. Which switch a
 * NIC is plugged into is said for vmbusd, which attaches it, or asks a worker that it does not
 * know.
 */
#include "src/worker/config_parts.h"

#include <stddef.h>
#include <string.h>

#include "src/common/mac.h"

#define MTU_MIN     68u /* RFC 791: what every host of IPv4 can take */
#define MTU_DEFAULT 1500u
#define NAME_BYTES  255u
#define LEGACY_MTU  1500u /* Ethernet's own */

static const char *const models[] = {"synthetic", "legacy", NULL};
static const char *const media[] = {"mii", "fixed", NULL};

static bool read_mac(const struct json_at *at, struct json_object *value, void *into,
                     GError **error)
{
    struct config_nic *nic = into;

    if (!json_expect(at, value, json_type_string, "a MAC address", error))
        return false;
    const char *text = json_object_get_string(value);
    if (mac_parse(text, nic->mac) && mac_is_station(nic->mac))
        return true;
    g_autofree char *quoted = json_quote(text);
    return json_fail(at, error, JSON_ERROR_VALUE,
                     "%s is not the address of one adapter; give 52:54:00:aa:bb:cc, the first "
                     "number even",
                     quoted);
}

static bool read_instance(const struct json_at *at, struct json_object *value, void *into,
                          GError **error)
{
    return config_guid_read(at, value, &((struct config_nic *)into)->instance, error);
}

#define NIC_FIELD(member) offsetof(struct config_nic, member)

const struct json_key config_nic_keys[] = {
    {"model", JSON_FLAG, .offset = NIC_FIELD(legacy), .choices = models},
    {"media", JSON_FLAG, .offset = NIC_FIELD(fixed), .choices = media},
    {"mac", JSON_CUSTOM, .required = true, .read = read_mac},
    {"mac_change", JSON_BOOL, .offset = NIC_FIELD(mac_change)},
    {"instance", JSON_CUSTOM, .read = read_instance},
    {"mtu", JSON_UNSIGNED, .offset = NIC_FIELD(mtu), .min = MTU_MIN, .max = LIMIT_MTU},
    {"queues", JSON_UNSIGNED, .offset = NIC_FIELD(queues), .min = 1, .max = LIMIT_PORT_QUEUES},
    {"network", JSON_TEXT, .offset = NIC_FIELD(network), .max = NAME_BYTES},
    {"portgroup", JSON_TEXT, .offset = NIC_FIELD(portgroup), .max = NAME_BYTES},
    {.name = NULL}};

void config_nic_init(struct config_nic *nic)
{
    *nic = (struct config_nic){.mtu = MTU_DEFAULT, .queues = 1};
}

bool config_nic_read(const struct json_at *at, struct json_object *value, void *into,
                     GError **error)
{
    struct config *config = into;

    if (!json_expect(at, value, json_type_array, "a list of network adapters", error))
        return false;
    size_t count = json_object_array_length(value);
    if (count > LIMIT_NICS)
        return json_fail(at, error, JSON_ERROR_VALUE, "%zu adapters; give at most %u", count,
                         LIMIT_NICS);
    config->nic = g_new0(struct config_nic, count);
    for (unsigned i = 0; i < count; i++) {
        struct json_at place = {.parent = at, .index = i};
        struct config_nic *nic = &config->nic[config->nics++];

        config_nic_init(nic);
        nic->legacy = config->ws2003;
        if (!json_read_object(&place, json_object_array_get_idx(value, i), config_nic_keys, nic,
                              error))
            return false;
    }
    return true;
}

void config_nic_clear(struct config *config)
{
    for (unsigned i = 0; i < config->nics; i++) {
        g_free(config->nic[i].network);
        g_free(config->nic[i].portgroup);
    }
    g_free(config->nic);
}

/* What of a NIC depends on the machine. */
static bool complete(const struct config *config, const struct json_at *at, struct config_nic *nic,
                     unsigned index, GError **error)
{
    static const struct guid zero;
    struct json_at instance = {.parent = at, .key = "instance"};
    struct json_at queues = {.parent = at, .key = "queues"};

    if (nic->queues > config->vcpus)
        return json_fail(&queues, error, JSON_ERROR_VALUE,
                         "%u queues for %u vCPUs; give at most one for each", nic->queues,
                         config->vcpus);
    if (guid_equal(&nic->instance, &zero)) {
        g_autofree char *name = g_strdup_printf("nic/%u", index);

        nic->instance = config_guid_derive(&config->uuid, name);
    }
    for (unsigned i = 0; i < config->scsis; i++)
        if (guid_equal(&config->scsi[i].instance, &nic->instance))
            return json_fail(&instance, error, JSON_ERROR_VALUE,
                             "the same as scsi[%u]'s; give each device its own", i);
    return true;
}

bool config_nic_complete(const struct config *config, struct config_nic *nic, unsigned index,
                         GError **error)
{
    static const struct json_at model = {.key = "model"};

    if (nic->legacy || nic->fixed)
        return json_fail(&model, error, JSON_ERROR_VALUE,
                         "a legacy adapter is there from the start, or not at all");
    return complete(config, NULL, nic, index, error);
}

/* What the `index`-th NIC may not share with another. */
static bool check_unique(const struct config *config, const struct json_at *at, unsigned index,
                         GError **error)
{
    const struct config_nic *nic = &config->nic[index];
    struct json_at instance = {.parent = at, .key = "instance"};
    struct json_at mac = {.parent = at, .key = "mac"};

    for (unsigned i = 0; i < index; i++) {
        if (guid_equal(&config->nic[i].instance, &nic->instance))
            return json_fail(&instance, error, JSON_ERROR_VALUE,
                             "the same as nics[%u]'s; give each device its own", i);
        if (!memcmp(config->nic[i].mac, nic->mac, sizeof(nic->mac)))
            return json_fail(&mac, error, JSON_ERROR_VALUE,
                             "the same as nics[%u]'s; give each adapter its own", i);
    }
    return true;
}

/* What the models cannot have of each other. */
static bool check_model(const struct config *config, const struct json_at *at,
                        const struct config_nic *nic, GError **error)
{
    struct json_at model = {.parent = at, .key = "model"}, medium = {.parent = at, .key = "media"};
    struct json_at mtu = {.parent = at, .key = "mtu"}, queues = {.parent = at, .key = "queues"};

    if (!nic->legacy)
        return !nic->fixed || json_fail(&medium, error, JSON_ERROR_VALUE,
                                        "only an adapter of model \"legacy\" has a medium; leave "
                                        "the key out");
    if (!config->firmware)
        return json_fail(&model, error, JSON_ERROR_VALUE,
                         "only a machine with boot.firmware has a legacy adapter; leave the key "
                         "out");
    if (nic->mtu > LEGACY_MTU)
        return json_fail(&mtu, error, JSON_ERROR_VALUE,
                         "%u is more than a legacy adapter can take; give at most %u", nic->mtu,
                         LEGACY_MTU);
    return nic->queues == 1 || json_fail(&queues, error, JSON_ERROR_VALUE,
                                         "a legacy adapter has one; leave the key out");
}

bool config_nic_finish(struct config *config, GError **error)
{
    static const struct json_at list = {.key = "nics"};

    unsigned legacy = 0;

    for (unsigned i = 0; i < config->nics; i++) {
        const struct config_nic *nic = &config->nic[i];
        struct json_at at = {.parent = &list, .index = i};

        if (!check_model(config, &at, nic, error))
            return false;
        if (nic->legacy && ++legacy > LIMIT_LEGACY_NICS)
            return json_fail(&list, error, JSON_ERROR_VALUE,
                             "more than %u legacy adapters; make the others synthetic",
                             LIMIT_LEGACY_NICS);
        if (!complete(config, &at, &config->nic[i], i, error) ||
            !check_unique(config, &at, i, error))
            return false;
    }
    return true;
}
