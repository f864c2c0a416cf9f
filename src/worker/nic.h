/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugging a NIC into a switch: from the descriptors that a client of the control socket sent to a
 * port ring that netvsp maps.
 */
#ifndef VMBUSD_WORKER_NIC_H
#define VMBUSD_WORKER_NIC_H

#include "src/common/limits.h"
#include "vmbus/netvsp.h"

/* The descriptors of a port: the memfd, and per queue pair four doorbells. */
#define NIC_DOORBELLS       4u
#define NIC_DESCRIPTORS_MAX (1 + NIC_DOORBELLS * LIMIT_PORT_QUEUES)

/* Attach the port whose `count` descriptors (at most NIC_DESCRIPTORS_MAX) are in `fd`, in the order
 * of struct port_ring_fds. A port that is attached already is replaced: its owner has come
 * back. The descriptors become the NIC's; after an error they are still the caller's. Main lane. 0;
 * -EINVAL not that many; -EBADF not a sealed memfd and non-blocking eventfds; what
 * netvsp_attach() said. */
int nic_attach(struct netvsp *netvsp, const int *fd, unsigned count);

#endif
