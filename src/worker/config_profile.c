/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "profile" of a machine description: other defaults for a guest that needs them. A profile is
 * read before all else, so that every key that is given wins over it.
 *
 * "ws2003" is Windows Server 2003 (and XP), x86 with Service Pack 2: what its HAL, its own drivers
 * and the last integration services that were made for it expect of a Hyper-V host of their time.
 * Nothing is there for PS/2 and VGA, which every machine with firmware has.
 */
#include "src/worker/config_parts.h"

#include <string.h>

#include "vmbus/bus.h"

#define FIRMWARE "/usr/share/seabios/bios-256k.bin"

static const char *const profiles[] = {"ws2003", NULL};

/* What else a profile means is where it is used: adapters' model, topology, firmware. */
static void apply_ws2003(struct config *config)
{
    config->ws2003 = true;
    config->rtc_local = true;      /* it takes the RTC for local time */
    config->direct_timers = false; /* no host of its time had them */
    config->ide_twins = true;      /* storflt moves the boot disk over to VMBus */
    config->host_2008_r2 = true;
    config->vmbus_max = VMBUS_V1_1; /* as that host */
    config->nic_removal = false;    /* netvsc50 has no callback for it, and stops the guest */
}

bool config_profile_read(const struct json_at *at, struct json_object *value, void *into,
                         GError **error)
{
    if (!json_expect(at, value, json_type_string, "a string", error))
        return false;
    if (!strcmp(json_object_get_string(value), profiles[0])) {
        apply_ws2003(into);
        return true;
    }
    g_autofree char *quoted = json_quote(json_object_get_string(value));
    return json_fail(at, error, JSON_ERROR_VALUE, "%s is not known; give %s", quoted, profiles[0]);
}

/* Its editions are licensed by the socket, and processors of its time had a power of two of cores:
 * that shape, in as few sockets as the count allows. */
static void default_topology(struct config *config)
{
    if (config->sockets || config->cores || config->threads || !config->vcpus)
        return;
    config->cores = config->vcpus & -config->vcpus;
    config->sockets = config->vcpus / config->cores;
}

bool config_profile_finish(struct config *config, GError **error)
{
    static const struct json_at ide = {.key = "ide"};

    if (!config->ws2003)
        return true;
    if (!config->firmware && !config->kernel)
        config->firmware = g_strdup(FIRMWARE);
    default_topology(config);
    return !config->firmware || config->ides ||
           json_fail(&ide, error, JSON_ERROR_KEY,
                     "missing; Windows Server 2003 boots from IDE only, give its disk here");
}
