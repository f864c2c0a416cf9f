/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port: AF_PACKET sockets on one of the host's network interfaces.
 *
 * Frames cross with virtio-net headers, so that a segment which the adapter's GRO put together
 * enters the switch whole, and one that leaves is cut by the adapter, or by the kernel just before
 * the adapter if that cannot; hence the port claims every offload, whatever ethtool says.
 *
 * Two ways in, of which the port picks one by the rate of frames (figures of a 6.18 kernel over
 * veth, 60-byte frames): a socket read with recvmmsg(), at once but with a wake-up, a queue entry
 * and a copy per frame (about 1 us), and a TPACKET_V3 ring, where a frame costs next to nothing but
 * waits until its block is full or a timer has fired (a millisecond; two ticks on older kernels,
 * whose timers know no better). That timer is also what a ring costs when nothing comes in. While
 * frames come by the ring nobody is woken for them: the port looks every 100 us, because a wake-up
 * is paid by the processor that the frames come from (5 % of its time at 1514 bytes). Both sockets
 * are in one fanout group whose program says which of them gets a frame: no frame is lost or seen
 * twice when the port changes over. (TPACKET_V2, at once and without a copy, wakes us for each
 * frame and was slower than recvmmsg().)
 *
 * Out by sendmmsg(). A TX ring would lend its memory to the frames in flight, but veth and others
 * give up a frame's owner on the way, and the ring's slot with it, while the bytes are still to be
 * read: frames would change under their reader.
 *
 * An interface that goes down is silence, and comes back by itself; one that is deleted, unplugged
 * or moved to another network namespace fails the port.
 */
#ifndef VMBUSD_VSWITCH_PORT_PACKET_H
#define VMBUSD_VSWITCH_PORT_PACKET_H

#include <glib.h>

#include "vswitch/port.h"

struct port_packet_fds {
    int queue; /* read with recvmmsg(), and sent on */
    int ring;  /* read through its ring; -1: none (a kernel that cannot) */
    int which; /* BPF array of one element: 0 queue, 1 ring; -1 as `ring` */
};

/* Open sockets on the interface `ifname` of the caller's network namespace. They see its frames
 * from now on. Needs CAP_NET_RAW. */
bool port_packet_open(const char *ifname, struct port_packet_fds *ret_fds, GError **error);

/* A port on such descriptors, however they came here; owned by the port from now on if the call
 * succeeds. Takes name and MTU from the interface. */
struct port *port_packet_new(const struct port_packet_fds *fds, GError **error);

/* Close and free, after vswitch_port_remove(). NULL is fine. */
void port_packet_free(struct port *port);

#endif
