/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the adapter port's files share: port_packet.c (life, filter, transmit), port_packet_in.c
 * (the two ways in and the change between them), port_packet_ring.c (the mapped ring),
 * port_packet_open.c (sockets). Nobody else includes it.
 */
#ifndef VMBUSD_VSWITCH_PORT_PACKET_PRIV_H
#define VMBUSD_VSWITCH_PORT_PACKET_PRIV_H

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "src/common/log.h"
#include "vswitch/port_packet.h"
#include "vswitch/vnet.h"

/* A frame as a socket or a ring gave it. */
struct packet_arrival {
    struct virtio_net_hdr header;
    uint32_t status; /* TP_STATUS_* */
    uint16_t tci, tpid;
    uint8_t type;   /* PACKET_HOST, ... */
    uint8_t *bytes; /* VNET_TAG bytes before them may be written */
    uint32_t length;
};

/* One message of the queue socket. */
struct packet_message {
    struct virtio_net_hdr header;
    struct sockaddr_ll from;
    struct iovec iov[2];
    union {
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct cmsghdr align;
    } control;
};

/* The ways in, by the number of the socket in the fanout group. */
enum { PACKET_BY_QUEUE, PACKET_BY_RING };

/* A mapped TPACKET_V3 ring; its reader. */
struct packet_ring {
    uint8_t *map;
    unsigned block; /* the one that is read, or will be next */
    bool open;      /* it is ours: being read, or borrowed by the last burst */
    unsigned left;  /* frames not read in it */
    uint8_t *next;  /* the first of them */
};

struct port_packet {
    struct port port;
    struct port_packet_fds fds;
    struct lane_source queue_source, ring_source;
    struct lane_timer watch;
    struct lane_timer poll; /* the next look at the ring */
    char name[IFNAMSIZ];
    int ifindex;
    bool failed;
    struct port_filter filter;
    struct log_limit refused_in, refused_out;

    struct packet_ring ring; /* map is NULL: none */
    uint32_t way;            /* PACKET_BY_*: the one read; not *which: a change is under way */
    _Atomic uint32_t *which; /* PACKET_BY_*: the one that the kernel takes; mapped */
    uint64_t window;         /* start of the time over which frames are counted, lane_now() */
    uint32_t counted;        /* in it */
    uint8_t *buffers;        /* PORT_BURST of VNET_BUFFER bytes, touched as bursts need them */
    struct mmsghdr in[PORT_BURST];
    struct packet_message messages[PORT_BURST];

    struct mmsghdr out[PORT_BURST]; /* under the transmit lock */
    struct vnet_out frames_out[PORT_BURST];
};

/* port_packet.c: a socket gave `error`; ends the port if the interface is gone. */
void packet_error(struct port_packet *packet, int error);

/* port_packet_in.c */
int packet_in_init(struct port_packet *packet); /* 0 or -errno */
void packet_in_free(struct port_packet *packet);
/* Choose the way in by the rate of frames since the last choice. */
void packet_choose(struct port_packet *packet);
unsigned packet_receive(struct port *port, struct frame *frames, unsigned max);
void packet_done(struct port *port);
void packet_poll(struct lane_timer *timer); /* `poll` has fired */

/* port_packet_ring.c */
int packet_ring_map(struct packet_ring *ring, int fd); /* 0 or -errno */
void packet_ring_unmap(struct packet_ring *ring);
bool packet_ring_ready(const struct packet_ring *ring); /* the block is there to be read */
bool packet_ring_empty(const struct packet_ring *ring); /* the kernel has put nothing into it yet */
/* The next frame of the block; false if there is none. Its bytes stay until packet_ring_done(),
 * which goes on to the next block. */
bool packet_ring_next(struct packet_ring *ring, struct packet_arrival *ret_arrival);
void packet_ring_done(struct packet_ring *ring);

#endif
