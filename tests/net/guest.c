/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of a network without a virtual machine: what vmbusd takes for a worker, with one NIC
 * behind it that answers.
 *
 * Usage: net-guest SOCKET MACHINE MAC [ADDRESS...]
 *
 * Listens at SOCKET as vmbusd-worker does (vmbusd-control(7)): greets as MACHINE, takes
 * `attach-port` with the descriptors of a port ring, and lets go of that ring when the next one
 * comes. On the ring it is a station with this MAC and these addresses, IPv4 or IPv6: it answers
 * ARP, neighbour solicitations and echo requests, and announces itself when it is plugged in. Where
 * a frame has a VLAN tag the answer has the same. Ends at SIGTERM; for tests only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vswitch/checksum.h"
#include "vswitch/port_ring.h"
#include "vswitch/wire.h"

#define ADDRESSES 4u
#define FRAME_MAX 16384u
#define ALL_NODES "\x33\x33\0\0\0\1"

struct station {
    uint8_t mac[6];
    struct {
        int family;
        uint8_t bytes[16];
    } address[ADDRESSES];
    unsigned addresses;
};

struct guest {
    const char *name;
    struct station station;
    int listener, client;
    struct port_ring_fds fds;
    struct port_ring ring;
    bool plugged;
};

/* --- Frames ----------------------------------------------------------------------------------- */

static void send_frame(struct guest *guest, const struct frame_meta *like, const uint8_t *bytes,
                       uint32_t length)
{
    struct port_queue *queue = &guest->ring.out[0];
    struct frame_meta meta = {.length = length, .flags = like->flags & FRAME_VLAN};
    struct iovec room[2];

    meta.vlan_tci = meta.flags & FRAME_VLAN ? like->vlan_tci : 0;
    if (port_queue_room(queue, length, room) <= 0)
        return; /* lost, as on a wire */
    memcpy(room[0].iov_base, bytes, room[0].iov_len);
    if (room[1].iov_len)
        memcpy(room[1].iov_base, bytes + room[0].iov_len, room[1].iov_len);
    meta.hash = frame_hash(bytes, length);
    port_queue_push(queue, &meta);
    if (port_queue_commit(queue))
        port_queue_ring_data(queue);
}

static bool is_own(const struct station *station, int family, const uint8_t *address)
{
    for (unsigned i = 0; i < station->addresses; i++)
        if (station->address[i].family == family &&
            memcmp(station->address[i].bytes, address, family == AF_INET ? 4 : 16) == 0)
            return true;
    return false;
}

/* Back to where it came from. */
static void turn(const struct station *station, uint8_t *frame)
{
    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, station->mac, 6);
}

static void swap(uint8_t *a, uint8_t *b, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        uint8_t kept = a[i];

        a[i] = b[i];
        b[i] = kept;
    }
}

/* --- IPv4 ------------------------------------------------------------------------------------- */

/* The answer's length; 0: none. */
static uint32_t answer_arp(const struct station *station, uint8_t *frame, uint32_t length)
{
    uint8_t *arp = frame + FRAME_ETHERNET, target[4];

    if (length < FRAME_ETHERNET + ARP_BYTES || wire_get16(arp + 6) != 1 ||
        !is_own(station, AF_INET, arp + 24))
        return 0;
    turn(station, frame);
    memcpy(target, arp + 24, 4);
    wire_put16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10);
    memcpy(arp + 8, station->mac, 6);
    memcpy(arp + 14, target, 4);
    return FRAME_ETHERNET + ARP_BYTES;
}

static uint32_t answer_ip4(const struct station *station, uint8_t *frame, uint32_t length)
{
    uint8_t *ip = frame + FRAME_ETHERNET, *icmp = ip + IP4_BYTES;

    if (length < FRAME_ETHERNET + IP4_BYTES + 8 || ip[0] != 0x45 || ip[9] != IP_ICMP ||
        (wire_get16(ip + 6) & (IP4_MORE | IP4_OFFSET)) || icmp[0] != 8 ||
        !is_own(station, AF_INET, ip + 16))
        return 0;
    uint32_t total = wire_get16(ip + 2);
    if (total < IP4_BYTES + 8 || total > length - FRAME_ETHERNET)
        return 0;
    turn(station, frame);
    swap(ip + 12, ip + 16, 4);
    icmp[0] = 0;
    memset(icmp + 2, 0, 2);
    checksum_put(icmp + 2, checksum_add(0, icmp, total - IP4_BYTES));
    return FRAME_ETHERNET + total;
}

/* --- IPv6 ------------------------------------------------------------------------------------- */

static void icmp6_checksum(uint8_t *ip, uint32_t payload)
{
    uint8_t *icmp = ip + IP6_BYTES, pseudo[8] = {0};

    wire_put32(pseudo, payload);
    pseudo[7] = IP_ICMP6;
    memset(icmp + 2, 0, 2);
    checksum_put(icmp + 2,
                 checksum_add(checksum_add(checksum_add(0, ip + 8, 32), pseudo, 8), icmp, payload));
}

/* An advertisement of `target`, to whoever asked for it. */
static uint32_t advertise6(const struct station *station, uint8_t *frame)
{
    uint8_t *ip = frame + FRAME_ETHERNET, *icmp = ip + IP6_BYTES;
    static const uint8_t nobody[16];
    bool probe = memcmp(ip + 8, nobody, 16) == 0; /* duplicate address detection: tell all */

    turn(station, frame);
    memcpy(ip + 24, ip + 8, 16);
    if (probe) {
        memcpy(frame, ALL_NODES, 6);
        inet_pton(AF_INET6, "ff02::1", ip + 24);
    }
    memcpy(ip + 8, icmp + 8, 16);
    wire_put16(ip + 4, 32);
    icmp[0] = ICMP6_NEIGHBOUR_ADVERT;
    wire_put32(icmp + 4, probe ? 0x20000000 : 0x60000000);
    icmp[24] = 2; /* target's link-layer address, 8 bytes */
    icmp[25] = 1;
    memcpy(icmp + 26, station->mac, 6);
    icmp6_checksum(ip, 32);
    return FRAME_ETHERNET + IP6_BYTES + 32;
}

static uint32_t answer_ip6(const struct station *station, uint8_t *frame, uint32_t length)
{
    uint8_t *ip = frame + FRAME_ETHERNET, *icmp = ip + IP6_BYTES;
    uint32_t payload = wire_get16(ip + 4);

    if (length < FRAME_ETHERNET + IP6_BYTES + 8 || ip[6] != IP_ICMP6 || payload < 8 ||
        payload > length - FRAME_ETHERNET - IP6_BYTES)
        return 0;
    if (icmp[0] == ICMP6_NEIGHBOUR_SOLICIT && payload >= 24 && is_own(station, AF_INET6, icmp + 8))
        return advertise6(station, frame);
    if (icmp[0] != 128 || !is_own(station, AF_INET6, ip + 24))
        return 0;
    turn(station, frame);
    swap(ip + 8, ip + 24, 16);
    icmp[0] = 129;
    icmp6_checksum(ip, payload);
    return FRAME_ETHERNET + IP6_BYTES + payload;
}

/* --- The ring --------------------------------------------------------------------------------- */

static void answer(struct guest *guest, const struct frame_meta *meta, uint8_t *frame)
{
    uint32_t length = 0;

    switch (wire_get16(frame + 12)) {
    case ETHERTYPE_ARP:
        length = answer_arp(&guest->station, frame, meta->length);
        break;
    case ETHERTYPE_IP4:
        length = answer_ip4(&guest->station, frame, meta->length);
        break;
    case ETHERTYPE_IP6:
        length = answer_ip6(&guest->station, frame, meta->length);
        break;
    default:
        break;
    }
    if (length)
        send_frame(guest, meta, frame, length);
}

/* Read until there is nothing left, and ask for the doorbell. */
static void serve(struct guest *guest)
{
    static uint8_t frame[FRAME_MAX + 64]; /* an advertisement may be longer than the question */
    struct port_queue *queue = &guest->ring.in[0];
    uint64_t rung;

    if (read(queue->data, &rung, sizeof(rung)) < 0 && errno != EAGAIN)
        return;
    do {
        struct frame_meta meta;
        struct iovec data[2];

        port_queue_disarm(queue);
        while (port_queue_pull(queue, &meta, data) > 0) {
            if (meta.length <= FRAME_MAX) {
                memcpy(frame, data[0].iov_base, data[0].iov_len);
                if (data[1].iov_len)
                    memcpy(frame + data[0].iov_len, data[1].iov_base, data[1].iov_len);
                answer(guest, &meta, frame);
            }
            if (port_queue_release(queue))
                port_queue_ring_room(queue);
        }
    } while (!queue->broken && port_queue_arm(queue));
}

/* A gratuitous ARP for each IPv4 address, as a driver sends whose link has come up. */
static void announce(struct guest *guest)
{
    const struct station *station = &guest->station;
    struct frame_meta untagged = {0};

    for (unsigned i = 0; i < station->addresses; i++) {
        uint8_t frame[FRAME_ETHERNET + ARP_BYTES] = {0}, *arp = frame + FRAME_ETHERNET;

        if (station->address[i].family != AF_INET)
            continue;
        memset(frame, 0xff, 6);
        memcpy(frame + 6, station->mac, 6);
        wire_put16(frame + 12, ETHERTYPE_ARP);
        memcpy(arp, "\0\1\10\0\6\4\0\1", 8);
        memcpy(arp + 8, station->mac, 6);
        memcpy(arp + 14, station->address[i].bytes, 4);
        memcpy(arp + 24, station->address[i].bytes, 4);
        send_frame(guest, &untagged, frame, sizeof(frame));
    }
}

static void unplug(struct guest *guest)
{
    if (!guest->plugged)
        return;
    uint32_t queues = guest->ring.geometry.queues;
    port_ring_unmap(&guest->ring);
    port_ring_close(&guest->fds, queues);
    guest->plugged = false;
}

/* --- The control socket ----------------------------------------------------------------------- */

static void hang_up(struct guest *guest)
{
    if (guest->client >= 0)
        close(guest->client);
    guest->client = -1;
}

static void say(struct guest *guest, const char *line)
{
    if (send(guest->client, line, strlen(line), MSG_NOSIGNAL) < 0)
        hang_up(guest);
}

static void plug(struct guest *guest, const int *fd, size_t count)
{
    unplug(guest);
    memset(&guest->fds, -1, sizeof(guest->fds));
    memcpy(&guest->fds, fd, sizeof(int) * count);
    int result = count == 5 ? port_ring_map(&guest->ring, &guest->fds, PORT_RING_WORKER) : -EINVAL;
    if (result < 0) {
        fprintf(stderr, "net-guest %s: port ring: %s\n", guest->name, strerror(-result));
        exit(1);
    }
    guest->plugged = true;
    say(guest, "{\"return\":{},\"id\":0}\n");
    announce(guest);
    serve(guest);
}

static void greet(struct guest *guest)
{
    char line[256];

    hang_up(guest);
    guest->client = accept4(guest->listener, NULL, NULL, SOCK_CLOEXEC);
    if (guest->client < 0)
        return;
    snprintf(line, sizeof(line),
             "{\"vmbusd-worker\":{\"protocol\":1,\"name\":\"%s\",\"machine\":\"vmbusd-0.1\"}}\n",
             guest->name);
    say(guest, line);
}

static void listen_to(struct guest *guest)
{
    char line[4096];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct port_ring_fds))];
    } control;
    struct iovec data = {line, sizeof(line) - 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(guest->client, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (got <= 0)
        hang_up(guest);
    else if (header && header->cmsg_type == SCM_RIGHTS)
        plug(guest, (int *)(void *)CMSG_DATA(header),
             (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    else
        say(guest, "{\"error\":{\"class\":\"command\",\"message\":\"no such thing here\"}}\n");
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    strcpy(address.sun_path, path);
    unlink(path);
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 4) == 0 ? fd
                                                                                             : -1;
}

/* --- Main ------------------------------------------------------------------------------------- */

static bool read_arguments(struct guest *guest, int argc, char **argv)
{
    struct station *station = &guest->station;
    uint8_t *m = station->mac;

    if (argc < 4 || argc > 4 + (int)ADDRESSES ||
        sscanf(argv[3], "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", m, m + 1, m + 2, m + 3, m + 4,
               m + 5) != 6)
        return false;
    guest->name = argv[2];
    for (int i = 4; i < argc; i++) {
        int family = strchr(argv[i], ':') ? AF_INET6 : AF_INET;

        station->address[station->addresses].family = family;
        if (inet_pton(family, argv[i], station->address[station->addresses++].bytes) != 1)
            return false;
    }
    guest->listener = listen_at(argv[1]);
    return guest->listener >= 0;
}

int main(int argc, char **argv)
{
    struct guest guest = {.client = -1};

    if (!read_arguments(&guest, argc, argv)) {
        fprintf(stderr, "usage: net-guest SOCKET MACHINE MAC [ADDRESS...]\n");
        return 2;
    }
    for (;;) {
        struct pollfd item[] = {
            {.fd = guest.listener, .events = POLLIN},
            {.fd = guest.client, .events = POLLIN},
            {.fd = guest.plugged ? guest.ring.in[0].data : -1, .events = POLLIN}};

        if (poll(item, 3, -1) < 0 && errno != EINTR)
            return 1;
        if (item[2].revents)
            serve(&guest);
        if (item[1].revents)
            listen_to(&guest);
        if (item[0].revents)
            greet(&guest);
    }
}
