/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See port_tap.h. Facts: linux/if_tun.h, Documentation/networking/tuntap.rst.
 */
#include "vswitch/port_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/common/log.h"
#include "vswitch/vnet.h"

#define TAP_FLAGS    (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
#define TAP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
#define TAP_QUEUE    1000 /* frames that wait for us; the kernel's default is half of it */

/* After an error that may pass (no memory): what makes epoll call may still be there. */
#define TAP_RETRY_NS 10000000u

struct port_tap {
    struct port port;
    struct lane_source source;
    struct lane_timer retry; /* reads go on when it fires; the source is not watched meanwhile */
    int fd;
    bool failed;
    uint8_t *buffers;             /* PORT_BURST of VNET_BUFFER bytes, touched as bursts need them */
    struct log_limit refused_in;  /* lines about frames that the kernel gave and we cannot take */
    struct log_limit refused_out; /* the reverse */
};

static struct port_tap *tap_of(struct port *port)
{
    return container_of(port, struct port_tap, port);
}

static void tap_ready(struct lane_source *source, uint32_t events)
{
    (void)events; /* an error shows when we read */
    vswitch_port_ready(&container_of(source, struct port_tap, source)->port);
}

static void tap_retry(struct lane_timer *timer)
{
    struct port_tap *tap = container_of(timer, struct port_tap, retry);

    if (lane_watch(tap->port.lane, &tap->source, EPOLLIN) < 0)
        lane_timer_arm(tap->port.lane, timer, TAP_RETRY_NS);
}

static int tap_start(struct port *port)
{
    struct port_tap *tap = tap_of(port);

    tap->source = (struct lane_source){.fd = tap->fd, .ready = tap_ready};
    tap->retry.fire = tap_retry;
    return lane_watch(port->lane, &tap->source, EPOLLIN);
}

static void tap_stop(struct port *port)
{
    struct port_tap *tap = tap_of(port);

    lane_timer_cancel(port->lane, &tap->retry);
    lane_unwatch(port->lane, &tap->source);
}

/* A read has failed. Only a TAP that was deleted stays so. */
static void tap_read_failed(struct port_tap *tap, int error)
{
    if (error == EAGAIN || error == EINTR)
        return;
    lane_unwatch(tap->port.lane, &tap->source);
    if (error == EBADFD) {
        tap->failed = true;
        vswitch_port_failed(&tap->port, "the TAP has been deleted");
        return;
    }
    log_guest(&tap->refused_in, "TAP: cannot read a frame: %s", strerror(error));
    lane_timer_arm(tap->port.lane, &tap->retry, TAP_RETRY_NS);
}

static unsigned tap_receive(struct port *port, struct frame *frames, unsigned max)
{
    struct port_tap *tap = tap_of(port);
    unsigned got = 0;

    /* A frame that is refused counts as read: a host that sends nothing else does not keep us. */
    for (unsigned reads = 0; reads < max && !tap->failed; reads++) {
        uint8_t *bytes = tap->buffers + (size_t)got * VNET_BUFFER + VNET_HEADROOM;
        struct virtio_net_hdr header;
        struct iovec iov[2] = {{&header, sizeof(header)}, {bytes, VNET_BUFFER - VNET_HEADROOM}};
        ssize_t size = readv(tap->fd, iov, 2);

        if (size < 0) {
            tap_read_failed(tap, errno);
            break;
        }
        if ((size_t)size < sizeof(header) ||
            !vnet_frame_in(&frames[got], &header, NULL, bytes, (uint32_t)size - sizeof(header)))
            log_guest(&tap->refused_in, "TAP: frame of %zd bytes from the host dropped: bad header",
                      size);
        else
            got++;
    }
    return got;
}

static unsigned tap_transmit(struct port *port, const struct frame *const *frames, unsigned count)
{
    struct port_tap *tap = tap_of(port);

    for (unsigned i = 0; i < count; i++) {
        struct vnet_out out;

        vnet_frame_out(&out, frames[i]);
        if (writev(tap->fd, out.iov, (int)out.count) >= 0)
            continue;
        if (errno != EINVAL) /* no memory, down, or gone (which tap_receive() reports) */
            return i;
        log_guest(&tap->refused_out, "TAP: the host does not take a frame of %u bytes",
                  frames[i]->meta.length);
    }
    return count;
}

static const struct port_class port_tap_class = {
    .name = "host",
    .start = tap_start,
    .stop = tap_stop,
    .receive = tap_receive,
    .transmit = tap_transmit,
};

static bool tap_check(int fd, GError **error)
{
    struct ifreq request = {0};
    int header = sizeof(struct virtio_net_hdr);

    if (ioctl(fd, TUNGETIFF, &request) == 0 && (request.ifr_flags & TAP_FLAGS) == TAP_FLAGS &&
        ioctl(fd, TUNSETVNETHDRSZ, &header) == 0 && ioctl(fd, TUNSETOFFLOAD, TAP_OFFLOADS) == 0 &&
        fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "descriptor %d is not a TAP with virtio-net headers", fd);
    return false;
}

struct port *port_tap_new(int fd, uint32_t mtu, GError **error)
{
    size_t size = (size_t)PORT_BURST * VNET_BUFFER;
    struct port_tap *tap;
    void *buffers;

    if (!tap_check(fd, error))
        return NULL;
    buffers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffers == MAP_FAILED) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "TAP: no memory for frames");
        return NULL;
    }
    tap = g_new0(struct port_tap, 1);
    tap->port.class = &port_tap_class;
    tap->port.caps = PORT_CAP_CSUM | PORT_CAP_GSO4 | PORT_CAP_GSO6 | PORT_CAP_VLAN;
    tap->port.mtu = mtu;
    tap->fd = fd;
    tap->buffers = buffers;
    return &tap->port;
}

void port_tap_free(struct port *port)
{
    struct port_tap *tap;

    if (!port)
        return;
    tap = tap_of(port);
    close(tap->fd);
    munmap(tap->buffers, (size_t)PORT_BURST * VNET_BUFFER);
    g_free(tap);
}

static bool tap_failed(const char *name, const char *what, GError **error)
{
    int saved = errno;

    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved), "TAP %s: %s: %s", name,
                what, g_strerror(saved));
    return false;
}

/* Address, MTU and queue, then up. */
static bool tap_configure(const char *name, const uint8_t mac[6], uint32_t mtu, GError **error)
{
    struct ifreq request = {0};
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = false;

    if (sock < 0)
        return tap_failed(name, "socket", error);
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    if (ioctl(sock, SIOCSIFHWADDR, &request) < 0) {
        tap_failed(name, "cannot set the MAC address", error);
        goto out;
    }
    request.ifr_mtu = (int)mtu;
    if (ioctl(sock, SIOCSIFMTU, &request) < 0) {
        tap_failed(name, "cannot set the MTU", error);
        goto out;
    }
    request.ifr_qlen = TAP_QUEUE;
    if (ioctl(sock, SIOCSIFTXQLEN, &request) < 0 || ioctl(sock, SIOCGIFFLAGS, &request) < 0) {
        tap_failed(name, "cannot set the queue length", error);
        goto out;
    }
    request.ifr_flags |= IFF_UP;
    done = ioctl(sock, SIOCSIFFLAGS, &request) == 0;
    if (!done)
        tap_failed(name, "cannot bring it up", error);
out:
    close(sock);
    return done;
}

/* A descriptor of the TAP, -1 with `error`. */
static int tap_get(const char *name, unsigned flags, GError **error)
{
    struct ifreq request = {.ifr_flags = (short)flags};
    int fd;

    if (!name[0] || strlen(name) >= IFNAMSIZ || strchr(name, '%')) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is no interface name", name);
        return -1;
    }
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        tap_failed(name, "cannot open /dev/net/tun", error);
        return -1;
    }
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &request) == 0)
        return fd;
    tap_failed(name, flags & IFF_TUN_EXCL ? "cannot create it" : "cannot attach to it", error);
    close(fd);
    return -1;
}

bool port_tap_open(const char *name, const uint8_t mac[6], uint32_t mtu, int *ret_fd,
                   GError **error)
{
    int fd = tap_get(name, TAP_FLAGS | IFF_TUN_EXCL, error);

    if (fd < 0)
        return false;
    if (tap_configure(name, mac, mtu, error) && tap_check(fd, error)) {
        *ret_fd = fd;
        return true;
    }
    close(fd);
    return false;
}

bool port_tap_attach(const char *name, int *ret_fd, GError **error)
{
    int fd = tap_get(name, TAP_FLAGS, error);

    if (fd < 0)
        return false;
    if (tap_check(fd, error)) {
        *ret_fd = fd;
        return true;
    }
    close(fd);
    return false;
}
