/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port's two ways in, and when it goes from one to the other.
 *
 * The order of a flow survives the change: before a block of the ring is read, the queue is read
 * to its end; on the way back, the queue waits until nothing is left in the ring; and no change
 * begins before the last one is complete. (A frame that another processor is just putting into the
 * ring when the way back is complete may be overtaken.)
 */
#include "vswitch/port_packet_priv.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/common/container.h"

#define RATE_WINDOW_NS 10000000u
#define RATE_RING      150u /* frames/ms from which on the ring is the better way in */
#define RATE_QUEUE     50u  /* ... below which the queue is */
#define POLL_NS        100000u

static struct port_packet *packet_of(struct port *port)
{
    return container_of(port, struct port_packet, port);
}

static void message_init(struct port_packet *packet, unsigned i)
{
    struct packet_message *message = &packet->messages[i];

    message->iov[0] = (struct iovec){&message->header, sizeof(message->header)};
    message->iov[1] = (struct iovec){packet->buffers + (size_t)i * VNET_BUFFER + VNET_HEADROOM,
                                     VNET_BUFFER - VNET_HEADROOM};
    packet->in[i].msg_hdr = (struct msghdr){
        .msg_name = &message->from,
        .msg_iov = message->iov,
        .msg_iovlen = 2,
        .msg_control = message->control.bytes,
    };
}

int packet_in_init(struct port_packet *packet)
{
    size_t size = (size_t)PORT_BURST * VNET_BUFFER;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return -errno;
    packet->buffers = memory;
    for (unsigned i = 0; i < PORT_BURST; i++)
        message_init(packet, i);
    if (packet->fds.ring < 0)
        return 0;

    memory = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
                  packet->fds.which, 0);
    if (memory == MAP_FAILED)
        return -errno;
    packet->which = memory;
    atomic_store(packet->which, PACKET_BY_QUEUE);
    return packet_ring_map(&packet->ring, packet->fds.ring);
}

void packet_in_free(struct port_packet *packet)
{
    packet_ring_unmap(&packet->ring);
    if (packet->which)
        munmap((void *)packet->which, (size_t)sysconf(_SC_PAGESIZE));
    if (packet->buffers)
        munmap(packet->buffers, (size_t)PORT_BURST * VNET_BUFFER);
}

static bool packet_take(struct port_packet *packet, struct packet_arrival *arrival,
                        struct frame *ret_frame)
{
    const struct vnet_tag tag = {arrival->tpid, arrival->tci};
    bool tagged = arrival->status & TP_STATUS_VLAN_VALID;

    /* Some interfaces (veth, bridges) filter nothing; what an adapter would not have let in is
     * told by its type. */
    if (arrival->type == PACKET_OTHERHOST && !packet->filter.promiscuous)
        return false;
    if (!vnet_frame_in(ret_frame, &arrival->header, tagged ? &tag : NULL, arrival->bytes,
                       arrival->length)) {
        log_guest(&packet->refused_in,
                  "%s: frame of %u bytes dropped: its header has segment type %u, flags 0x%x",
                  packet->name, arrival->length, arrival->header.gso_type, arrival->header.flags);
        return false;
    }
    /* (TP_STATUS_CSUMNOTREADY says what the header says.) */
    if (arrival->status & TP_STATUS_CSUM_VALID && !(ret_frame->meta.flags & FRAME_CSUM_PARTIAL))
        ret_frame->meta.flags |= FRAME_CSUM_VALID;
    return true;
}

static void message_arrival(const struct port_packet *packet, unsigned i,
                            struct packet_arrival *ret_arrival)
{
    const struct packet_message *message = &packet->messages[i];
    struct msghdr *header = (struct msghdr *)&packet->in[i].msg_hdr;
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    struct tpacket_auxdata auxiliary = {0};

    if (control && control->cmsg_level == SOL_PACKET && control->cmsg_type == PACKET_AUXDATA)
        memcpy(&auxiliary, CMSG_DATA(control), sizeof(auxiliary));
    *ret_arrival = (struct packet_arrival){
        .header = message->header,
        .status = auxiliary.tp_status,
        .tci = auxiliary.tp_vlan_tci,
        .tpid = auxiliary.tp_vlan_tpid,
        .type = message->from.sll_pkttype,
        .bytes = message->iov[1].iov_base,
        /* A frame longer than the buffer has filled it, which is too long for the switch. */
        .length = packet->in[i].msg_len - (uint32_t)sizeof(message->header),
    };
}

/* Frames from the queue; *ret_end is set if that was all. */
static unsigned queue_receive(struct port_packet *packet, struct frame *frames, unsigned max,
                              bool *ret_end)
{
    unsigned got = 0;
    int count;

    for (unsigned i = 0; i < max; i++) {
        packet->in[i].msg_hdr.msg_namelen = sizeof(packet->messages[i].from);
        packet->in[i].msg_hdr.msg_controllen = sizeof(packet->messages[i].control);
    }
    count = recvmmsg(packet->fds.queue, packet->in, max, MSG_DONTWAIT, NULL);
    if (count < 0)
        packet_error(packet, errno);
    *ret_end = count < (int)max;
    for (int i = 0; i < count; i++) {
        struct packet_arrival arrival;

        message_arrival(packet, (unsigned)i, &arrival);
        if (packet_take(packet, &arrival, &frames[got]))
            got++;
    }
    packet->counted += count > 0 ? (uint32_t)count : 0;
    return got;
}

static unsigned ring_receive(struct port_packet *packet, struct frame *frames, unsigned max)
{
    struct packet_arrival arrival;
    unsigned got = 0;

    for (unsigned i = 0; i < max && packet_ring_next(&packet->ring, &arrival); i++) {
        packet->counted++;
        if (packet_take(packet, &arrival, &frames[got]))
            got++;
    }
    return got;
}

void packet_choose(struct port_packet *packet)
{
    uint64_t now = lane_now();
    uint64_t rate;

    if (!packet->ring.map || atomic_load(packet->which) != packet->way ||
        now < packet->window + RATE_WINDOW_NS)
        return;
    rate = packet->counted * 1000000ull / (now - packet->window);
    packet->window = now;
    packet->counted = 0;
    if (rate >= RATE_RING)
        atomic_store(packet->which, PACKET_BY_RING);
    else if (rate < RATE_QUEUE)
        atomic_store(packet->which, PACKET_BY_QUEUE);
}

/* While the port is on the ring nobody waits for a block: the sender of the frame that fills one
 * would wake us, and pay for it. We look by ourselves instead, at the next block as long as there
 * is one, else after a pause. */
static void set_way(struct port_packet *packet, uint32_t way)
{
    if (packet->way == way)
        return;
    packet->way = way;
    lane_watch(packet->port.lane, &packet->ring_source, way == PACKET_BY_RING ? 0 : EPOLLIN);
}

void packet_poll(struct lane_timer *timer)
{
    vswitch_port_ready(&container_of(timer, struct port_packet, poll)->port);
}

/* True if the queue may be read: before a block is begun, what was queued before that block was
 * closed; on the way back to the queue, nothing until the ring has been read to its end. */
static bool queue_turn(const struct port_packet *packet)
{
    const struct packet_ring *ring = &packet->ring;

    if (ring->open && ring->left)
        return false;
    return atomic_load(packet->which) == PACKET_BY_RING || packet_ring_empty(ring);
}

unsigned packet_receive(struct port *port, struct frame *frames, unsigned max)
{
    struct port_packet *packet = packet_of(port);
    unsigned got = 0;
    bool end;

    if (packet->failed)
        return 0;
    if (!packet->ring.map)
        return queue_receive(packet, frames, max, &end);
    packet_choose(packet);
    if (queue_turn(packet)) {
        got = queue_receive(packet, frames, max, &end);
        if (end || atomic_load(packet->which) == PACKET_BY_QUEUE)
            set_way(packet, atomic_load(packet->which));
        if (got || !end || packet->failed)
            return got;
    }
    return ring_receive(packet, frames, max);
}

void packet_done(struct port *port)
{
    struct port_packet *packet = packet_of(port);

    if (!packet->ring.map)
        return;
    packet_ring_done(&packet->ring);
    if (packet->way == PACKET_BY_QUEUE || packet->failed)
        return;
    if (packet_ring_ready(&packet->ring))
        vswitch_port_ready(port);
    else
        lane_timer_arm(port->lane, &packet->poll, POLL_NS);
}
