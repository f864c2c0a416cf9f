/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a NIC of either model into a switch: from the descriptors that a client of the control
 * socket sent to a port ring that the device maps.
 */
#ifndef VMBUSD_WORKER_NIC_H
#define VMBUSD_WORKER_NIC_H

#include "src/common/limits.h"
#include "src/worker/machine.h"

/* The descriptors of a port: the memfd, and per queue pair four doorbells. */
#define NIC_DOORBELLS       4u
#define NIC_DESCRIPTORS_MAX (1 + NIC_DOORBELLS * LIMIT_PORT_QUEUES)

/* Is there a NIC of this number? Main lane. */
bool nic_exists(struct machine *machine, unsigned number);

/* Attach the port whose `count` descriptors (at most NIC_DESCRIPTORS_MAX) are in `fd`, in the order
 * of struct port_ring_fds. A port that is attached already is replaced: its owner has come
 * back. The descriptors become the NIC's; after an error they are still the caller's. Main lane. 0;
 * -EINVAL not that many; -EBADF not a sealed memfd and non-blocking eventfds; what
 * netvsp_attach() or tulip_attach() said. */
int nic_attach(struct machine *machine, unsigned number, const int *fd, unsigned count);

/* Let go of the port, if one is attached. Main lane. */
void nic_detach(struct machine *machine, unsigned number);

#endif
