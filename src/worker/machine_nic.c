/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's network adapters: those of its description, and those that come and go while it
 * runs.
 *
 * The description's have the first numbers, and keep them to themselves: vmbusd knows them from the
 * description, whatever became of them. Others get the numbers behind. An adapter that leaves has
 * its number until the guest has let go of it.
 */
#include <errno.h>
#include <string.h>

#include "src/worker/config_parts.h"
#include "src/worker/machine_priv.h"

#define NIC_ERROR (g_quark_from_static_string("machine-nic"))

static bool nic_fail(GError **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool nic_fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, NIC_ERROR, EINVAL, message);
    return false;
}

static void nic_clear(struct machine_nic *slot)
{
    g_free(slot->config.network);
    g_free(slot->config.portgroup);
    *slot = (struct machine_nic){0};
}

bool machine_nic_build(struct machine *machine, unsigned index, const struct config_nic *from,
                       GError **error)
{
    struct machine_nic *slot = &machine->nic[index];
    struct netvsp_config to = {.instance = from->instance,
                               .mac_change = from->mac_change,
                               .mtu = from->mtu,
                               .lanes = from->queues};

    memcpy(to.mac, from->mac, sizeof(to.mac));
    for (unsigned i = 0; i < from->queues; i++)
        to.lane[i] = machine->io_lane[i];
    slot->device = netvsp_new(&to);
    if (!slot->device)
        return nic_fail(error, "network adapter: %s", g_strerror(errno));
    int result = vmbus_bus_add(machine->bus, netvsp_vsp(slot->device));
    if (result < 0) {
        netvsp_free(slot->device);
        slot->device = NULL;
        return nic_fail(error, "network adapter: %s", g_strerror(-result));
    }
    slot->machine = machine;
    slot->config = *from;
    slot->config.network = g_strdup(from->network);
    slot->config.portgroup = g_strdup(from->portgroup);
    return true;
}

void machine_nic_free(struct machine *machine)
{
    for (unsigned i = 0; i < LIMIT_NICS; i++) {
        netvsp_free(machine->nic[i].device);
        nic_clear(&machine->nic[i]);
    }
}

/* --- Coming ----------------------------------------------------------------------------------- */

/* What no two of a machine's adapters may share; those that leave count. */
static bool nic_unique(const struct machine *machine, const struct config_nic *nic, GError **error)
{
    for (unsigned i = 0; i < LIMIT_NICS; i++) {
        bool leaving;
        const struct config_nic *other = machine_nic_config(machine, i, &leaving);

        if (!other)
            continue;
        if (!memcmp(other->mac, nic->mac, sizeof(nic->mac)))
            return nic_fail(error, "mac: the same as NIC %u's%s; give another", i,
                            leaving ? ", which the guest has not let go of yet" : "");
        if (guid_equal(&other->instance, &nic->instance))
            return nic_fail(error, "instance: the same as NIC %u's; give another", i);
    }
    return true;
}

int machine_nic_add(struct machine *machine, const struct config_nic *nic, GError **error)
{
    struct config_nic added = *nic;
    unsigned index = machine->config->nics;

    while (index < LIMIT_NICS && machine->nic[index].device)
        index++;
    if (index == LIMIT_NICS) {
        nic_fail(error, "%u adapters is the limit, those of the description counted", LIMIT_NICS);
        return -1;
    }
    if (!config_nic_complete(machine->config, &added, index, error) ||
        !nic_unique(machine, &added, error) || !machine_nic_build(machine, index, &added, error))
        return -1;
    machine_emit(machine, MACHINE_EVENT_NICS);
    return (int)index;
}

/* --- Going ------------------------------------------------------------------------------------ */

static void nic_gone(void *context)
{
    struct machine_nic *slot = context;
    struct machine *machine = slot->machine;

    netvsp_free(slot->device);
    nic_clear(slot);
    machine_emit(machine, MACHINE_EVENT_NICS);
}

/* The drivers of Windows before Vista do not outlive a removal, whatever bus they are on. */
static bool nic_of_nt5(const struct netvsp *device)
{
    struct netvsp_info info;

    netvsp_info(device, &info);
    return info.ndis && info.ndis >> 16 <= 5;
}

bool machine_nic_remove(struct machine *machine, unsigned index, GError **error)
{
    struct machine_nic *slot = index < LIMIT_NICS ? &machine->nic[index] : NULL;

    if (machine_legacy_nic(machine, index))
        return nic_fail(error, "NIC %u is a legacy adapter, which cannot be taken out", index);
    if (!slot || !slot->device)
        return nic_fail(error, "this machine has no NIC %u", index);
    if (!machine->config->nic_removal)
        return nic_fail(error, "this machine keeps its adapters (key hyperv.nic_removal), because "
                               "its guest would stop; unplug it (detach-port)");
    int result = nic_of_nt5(slot->device)
                     ? -EOPNOTSUPP
                     : vmbus_bus_remove(machine->bus, netvsp_vsp(slot->device), nic_gone, slot);
    if (result == -EOPNOTSUPP)
        return nic_fail(error, "the guest's driver is too old to lose an adapter, and would take "
                               "the guest down; unplug it (detach-port), or stop the machine");
    if (result < 0)
        return nic_fail(error, "NIC %u is on its way out; the guest has not let go of it", index);
    if (slot->device) {
        slot->leaving = true;
        netvsp_detach(slot->device);
        machine_emit(machine, MACHINE_EVENT_NICS);
    }
    return true;
}

/* --- For reports ------------------------------------------------------------------------------ */

struct netvsp *machine_nic(struct machine *machine, unsigned index)
{
    return index < LIMIT_NICS ? machine->nic[index].device : NULL;
}

const struct config_nic *machine_nic_config(const struct machine *machine, unsigned index,
                                            bool *ret_leaving)
{
    const struct machine_nic *slot = &machine->nic[index];

    *ret_leaving = slot->leaving;
    if (index < machine->config->nics && machine->config->nic[index].legacy)
        return &machine->config->nic[index];
    return slot->device ? &slot->config : NULL;
}
