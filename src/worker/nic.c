/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching a NIC: see nic.h.
 *
 * The descriptors come from root, or from the user whose worker this is: they may be wrong, but not
 * more than what their sender could do by itself. What they must not do is stop a lane, so a
 * doorbell has to be a file that does not block; the memory is checked by port_ring_map(). All this
 * is asked with calls that the sandbox lets through.
 */
#include "src/worker/nic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/pc/tulip.h"
#include "vmbus/netvsp.h"

/* An eventfd has no position, and takes seeking for done: a file would be at 1, a pipe or a socket
 * refuses. */
static bool is_doorbell(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && flags & O_NONBLOCK && (flags & O_ACCMODE) == O_RDWR &&
           lseek(fd, 1, SEEK_SET) == 0;
}

bool nic_exists(struct machine *machine, unsigned number)
{
    return machine_nic(machine, number) || machine_legacy_nic(machine, number);
}

void nic_detach(struct machine *machine, unsigned number)
{
    struct tulip *legacy = machine_legacy_nic(machine, number);

    if (legacy)
        tulip_detach(legacy);
    else
        netvsp_detach(machine_nic(machine, number));
}

int nic_attach(struct machine *machine, unsigned number, const int *fd, unsigned count)
{
    struct tulip *legacy = machine_legacy_nic(machine, number);
    struct port_ring_fds fds;
    unsigned queues = (count - 1) / NIC_DOORBELLS;

    if (count < 1 + NIC_DOORBELLS || count > NIC_DESCRIPTORS_MAX ||
        count != 1 + queues * NIC_DOORBELLS)
        return -EINVAL;
    for (unsigned i = 1; i < count; i++)
        if (!is_doorbell(fd[i]))
            return -EBADF;
    memset(&fds, 0xff, sizeof(fds)); /* -1 everywhere */
    fds.memory = fd[0];
    for (unsigned i = 0; i < queues; i++) {
        const int *bell = fd + 1 + i * NIC_DOORBELLS;

        fds.queue[i].to_switch_data = bell[0];
        fds.queue[i].to_switch_room = bell[1];
        fds.queue[i].to_worker_data = bell[2];
        fds.queue[i].to_worker_room = bell[3];
    }
    return legacy ? tulip_attach(legacy, &fds, queues)
                  : netvsp_attach(machine_nic(machine, number), &fds, queues);
}
