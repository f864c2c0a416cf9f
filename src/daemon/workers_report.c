/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines and their ports as clients of vmbusd's socket see them: see workers.h. */
#include "src/common/json_add.h"
#include "src/daemon/machine_file.h"
#include "src/daemon/nic_port.h"
#include "src/daemon/workers_priv.h"

void workers_ports(const struct workers *workers, const struct network *network,
                   struct json_object *array)
{
    for (guint i = 0; i < workers->all->len; i++) {
        const struct worker *worker = g_ptr_array_index(workers->all, i);

        for (unsigned nic = 0; nic < worker->file->nics; nic++) {
            const struct nic_port *port = worker->nic[nic].port;

            if (!port || (network && nic_port_network(port) != network))
                continue;
            struct json_object *object = nic_port_report(port);
            g_autofree char *name = g_strdup_printf("%s/%u", worker->file->name, nic);
            json_add_text(object, "name", name);
            json_object_array_add(array, object);
        }
    }
}

/* Why each NIC that should be plugged in is not. */
static struct json_object *complaints(const struct worker *worker)
{
    struct json_object *array = json_object_new_array();

    for (unsigned nic = 0; nic < worker->file->nics; nic++) {
        const char *why = worker->nic[nic].complaint;

        if (!why)
            continue;
        struct json_object *object = json_object_new_object();
        json_add_number(object, "nic", nic);
        json_add_text(object, "complaint", why);
        json_object_array_add(array, object);
    }
    return array;
}

void workers_report(const struct workers *workers, struct json_object *array)
{
    for (guint i = 0; i < workers->all->len; i++) {
        const struct worker *worker = g_ptr_array_index(workers->all, i);
        struct json_object *object = json_object_new_object();

        json_add_text(object, "name", worker->file->name);
        json_add_bool(object, "running", worker->greeted);
        json_add_number(object, "nics", worker->file->nics);
        json_add_bool(object, "described", !worker->stray);
        json_object_object_add(object, "complaints", complaints(worker));
        json_object_array_add(array, object);
    }
}
