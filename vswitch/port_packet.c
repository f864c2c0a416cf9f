/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See port_packet.h. Facts: packet(7), linux/if_packet.h, net/packet/af_packet.c of Linux 5.10 to
 * 6.18.
 */
#include "vswitch/port_packet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/common/container.h"
#include "vswitch/port_packet_priv.h"

/* The kernel tells of a vanished interface once, to whoever calls first (a sender perhaps), and
 * not at all if it went down before: look at times. */
#define PACKET_WATCH_NS 250000000u

static struct port_packet *packet_of(struct port *port)
{
    return container_of(port, struct port_packet, port);
}

/* The index that a socket is bound to, -1 once that interface is no more. */
static int bound_index(int fd)
{
    struct sockaddr_ll address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
        address.sll_family != AF_PACKET || address.sll_ifindex <= 0)
        return -1;
    return address.sll_ifindex;
}

static void packet_unwatch(struct port_packet *packet)
{
    lane_unwatch(packet->port.lane, &packet->queue_source);
    lane_unwatch(packet->port.lane, &packet->ring_source);
    lane_timer_cancel(packet->port.lane, &packet->watch);
    lane_timer_cancel(packet->port.lane, &packet->poll);
}

/* True if the interface is still there. */
static bool packet_alive(struct port_packet *packet)
{
    char why[64];

    if (packet->failed)
        return false;
    if (bound_index(packet->fds.queue) == packet->ifindex)
        return true;
    packet->failed = true;
    packet_unwatch(packet);
    snprintf(why, sizeof(why), "the adapter %s is gone", packet->name);
    vswitch_port_failed(&packet->port, why);
    return false;
}

void packet_error(struct port_packet *packet, int error)
{
    if (error == EAGAIN || error == EINTR || !packet_alive(packet) || error == ENETDOWN)
        return;
    log_guest(&packet->refused_in, "%s: frame dropped: %s", packet->name, strerror(error));
}

/* Take over name and MTU, of which both may change. 0 or -errno. */
static int packet_look(struct port_packet *packet)
{
    struct ifreq request = {.ifr_ifindex = packet->ifindex};

    if (ioctl(packet->fds.queue, SIOCGIFNAME, &request) < 0)
        return -errno;
    memcpy(packet->name, request.ifr_name, sizeof(packet->name));
    if (ioctl(packet->fds.queue, SIOCGIFMTU, &request) < 0)
        return -errno;
    __atomic_store_n(&packet->port.mtu, (uint32_t)request.ifr_mtu, __ATOMIC_RELAXED);
    return 0;
}

static void packet_watch(struct lane_timer *timer)
{
    struct port_packet *packet = container_of(timer, struct port_packet, watch);

    packet_choose(packet); /* an adapter that fell silent while on the ring */
    if (!packet_alive(packet))
        return;
    packet_look(packet);
    lane_timer_arm(packet->port.lane, timer, PACKET_WATCH_NS);
}

static void queue_ready(struct lane_source *source, uint32_t events)
{
    (void)events; /* an error shows when we read */
    vswitch_port_ready(&container_of(source, struct port_packet, queue_source)->port);
}

static void ring_ready(struct lane_source *source, uint32_t events)
{
    struct port_packet *packet = container_of(source, struct port_packet, ring_source);
    int error = 0;
    socklen_t size = sizeof(error);

    if (events & EPOLLERR && getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        packet_error(packet, error ? error : EAGAIN);
    if (!packet->failed)
        vswitch_port_ready(&packet->port);
}

static int packet_start(struct port *port)
{
    struct port_packet *packet = packet_of(port);
    int error;

    packet->queue_source = (struct lane_source){.fd = packet->fds.queue, .ready = queue_ready};
    packet->ring_source = (struct lane_source){.fd = packet->fds.ring, .ready = ring_ready};
    packet->watch.fire = packet_watch;
    packet->poll.fire = packet_poll;
    if (bound_index(packet->fds.queue) != packet->ifindex)
        return -ENODEV;
    error = lane_watch(port->lane, &packet->queue_source, EPOLLIN);
    if (!error && packet->ring.map)
        error = lane_watch(port->lane, &packet->ring_source, EPOLLIN);
    if (error) {
        packet_unwatch(packet);
        return error;
    }
    lane_timer_arm(port->lane, &packet->watch, PACKET_WATCH_NS);
    return 0;
}

static void packet_stop(struct port *port)
{
    packet_unwatch(packet_of(port));
}

/* Errors that concern one frame, not the interface. */
static bool frame_refused(int error)
{
    return error == EINVAL || error == EMSGSIZE;
}

static unsigned packet_send(struct port_packet *packet, const struct frame *const *frames,
                            unsigned count)
{
    unsigned sent = 0;

    for (unsigned i = 0; i < count; i++) {
        struct vnet_out *out = &packet->frames_out[i];

        vnet_frame_out(out, frames[i]);
        packet->out[i].msg_hdr = (struct msghdr){.msg_iov = out->iov, .msg_iovlen = out->count};
    }
    while (sent < count) {
        int done = sendmmsg(packet->fds.queue, packet->out + sent, count - sent, MSG_DONTWAIT);

        if (done > 0) {
            sent += (unsigned)done;
        } else if (frame_refused(errno)) {
            log_guest(&packet->refused_out, "%s does not take a frame of %u bytes: %s",
                      packet->name, frames[sent]->meta.length, strerror(errno));
            sent++;
        } else if (errno != EINTR) {
            break; /* full, down, or gone (which packet_watch() finds) */
        }
    }
    return sent;
}

static unsigned packet_transmit(struct port *port, const struct frame *const *frames,
                                unsigned count)
{
    struct port_packet *packet = packet_of(port);
    unsigned taken = 0;

    while (taken < count) {
        unsigned part = count - taken < PORT_BURST ? count - taken : PORT_BURST;
        unsigned sent = packet_send(packet, frames + taken, part);

        taken += sent;
        if (sent < part)
            break;
    }
    return taken;
}

static void membership(struct port_packet *packet, uint16_t type, bool *state, bool wanted)
{
    struct packet_mreq request = {.mr_ifindex = packet->ifindex, .mr_type = type};
    int option = wanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;

    if (*state == wanted)
        return;
    *state = wanted;
    if (setsockopt(packet->fds.queue, SOL_PACKET, option, &request, sizeof(request)) < 0)
        packet_error(packet, errno);
}

static void packet_filter(struct port *port, const struct port_filter *filter)
{
    struct port_packet *packet = packet_of(port);

    membership(packet, PACKET_MR_PROMISC, &packet->filter.promiscuous, filter->promiscuous);
    membership(packet, PACKET_MR_ALLMULTI, &packet->filter.all_multicast, filter->all_multicast);
}

static const struct port_class port_packet_class = {
    .name = "adapter",
    .uplink = true,
    .start = packet_start,
    .stop = packet_stop,
    .receive = packet_receive,
    .done = packet_done,
    .transmit = packet_transmit,
    .filter = packet_filter,
};

struct port *port_packet_new(const struct port_packet_fds *fds, GError **error)
{
    struct port_packet *packet = g_new0(struct port_packet, 1);
    int result;

    packet->port.class = &port_packet_class;
    packet->port.caps = PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN;
    packet->fds = *fds;
    packet->ifindex = bound_index(fds->queue);
    if (packet->ifindex < 0 || packet_look(packet) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "descriptor %d is not a packet socket on an interface", fds->queue);
        goto fail;
    }
    result = packet_in_init(packet);
    if (result == 0)
        return &packet->port;
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(-result),
                "adapter %s: cannot receive: %s", packet->name, g_strerror(-result));
    packet_in_free(packet);
fail:
    g_free(packet);
    return NULL;
}

void port_packet_free(struct port *port)
{
    struct port_packet *packet;

    if (!port)
        return;
    packet = packet_of(port);
    packet_in_free(packet);
    close(packet->fds.queue);
    if (packet->fds.ring >= 0)
        close(packet->fds.ring);
    if (packet->fds.which >= 0)
        close(packet->fds.which);
    g_free(packet);
}
