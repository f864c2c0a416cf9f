/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mirroring between the ports of machines: who gets the copies. See workers_priv.h.
 */
#include "src/daemon/nic_port.h"
#include "src/daemon/workers_priv.h"

void workers_mirror(const struct workers *workers, const struct network *network)
{
    uint32_t destination = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < workers->all->len; i++) {
            const struct worker *worker = g_ptr_array_index(workers->all, i);

            for (unsigned index = 0; index < worker->file->nics; index++) {
                struct nic_port *port = worker->nic[index].port;

                if (!port || nic_port_network(port) != network)
                    continue;
                if (pass)
                    nic_port_set_mirror(port, destination);
                else if (!destination && nic_port_mirror(port) == NETWORK_MIRROR_DESTINATION)
                    destination = nic_port_number(port);
            }
        }
    }
}
