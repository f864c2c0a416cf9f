/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See netns_fixture.h.
 */
#include "tests/unit/netns_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_TYPE    0x88b5 /* IEEE 802: local experiments */
#define TEST_SECONDS 120
#define NO_NAMESPACE 77
#define NO_IP        78
#define TCP_PORT     "5201"

struct netns_case {
    void (*body)(void);
};

static void namespace_begin(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        _exit(NO_NAMESPACE);
    if (system("ip link set lo up") != 0)
        _exit(NO_IP);
}

static void case_run(const void *data)
{
    const struct netns_case *test = data;
    int status;
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        alarm(TEST_SECONDS);
        namespace_begin();
        test->body();
        fflush(stdout);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NAMESPACE)
        g_test_skip("network namespaces are not to be had here");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == NO_IP)
        g_test_skip("no program ip (iproute2) here");
    else
        g_assert_cmpint(status, ==, 0);
}

void netns_test_add(const char *path, void (*body)(void))
{
    struct netns_case *test = g_new(struct netns_case, 1);

    test->body = body;
    g_test_add_data_func_full(path, test, case_run, g_free);
}

int netns_current(void)
{
    int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(ns, >=, 0);
    return ns;
}

void netns_enter(int ns)
{
    g_assert_cmpint(setns(ns, CLONE_NEWNET), ==, 0);
}

int netns_new(void)
{
    int old = netns_current(), ns;

    namespace_begin();
    ns = netns_current();
    netns_enter(old);
    close(old);
    return ns;
}

void netns_sh(const char *format, ...)
{
    va_list arguments;
    char *command;

    va_start(arguments, format);
    command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        g_error("failed: %s", command);
    g_free(command);
}

pid_t netns_spawn(int ns, void (*fn)(void *context), void *context)
{
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        alarm(TEST_SECONDS);
        netns_enter(ns);
        fn(context);
        _exit(0);
    }
    return pid;
}

void netns_wait(pid_t pid)
{
    int status;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
}

void netns_ethtool(const char *ifname, uint32_t command, uint32_t value)
{
    struct ethtool_value request = {command, value};
    struct ifreq ifr = {.ifr_data = (char *)&request};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(ifr.ifr_name, ifname, IFNAMSIZ);
    g_assert_cmpint(ioctl(fd, SIOCETHTOOL, &ifr), ==, 0);
    close(fd);
}

int raw_open(const char *ifname)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(ifname)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, room = 32 << 20;

    g_assert_cmpint(fd, >=, 0);
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

void raw_send(int fd, const void *bytes, size_t length)
{
    g_assert_cmpint(send(fd, bytes, length, 0), ==, (gssize)length);
}

/* One frame as it comes, with its tag. */
static size_t raw_read(int fd, uint8_t *bytes, size_t size)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {bytes + 4, size - 4};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control)};
    struct tpacket_auxdata auxiliary;
    ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    if (length < 14 || !header)
        return 0;
    memcpy(&auxiliary, CMSG_DATA(header), sizeof(auxiliary));
    if (!(auxiliary.tp_status & TP_STATUS_VLAN_VALID)) {
        memmove(bytes, bytes + 4, (size_t)length);
        return (size_t)length;
    }
    memmove(bytes, bytes + 4, 12);
    bytes[12] = (uint8_t)(auxiliary.tp_vlan_tpid >> 8);
    bytes[13] = (uint8_t)auxiliary.tp_vlan_tpid;
    bytes[14] = (uint8_t)(auxiliary.tp_vlan_tci >> 8);
    bytes[15] = (uint8_t)auxiliary.tp_vlan_tci;
    return (size_t)length + 4;
}

bool raw_is_ours(const uint8_t *bytes, size_t length)
{
    for (size_t at = 12; at + 2 <= length; at += 4) {
        unsigned type = (unsigned)bytes[at] << 8 | bytes[at + 1];

        if (type != ETH_P_8021Q && type != ETH_P_8021AD)
            return type == TEST_TYPE;
    }
    return false;
}

size_t raw_receive(int fd, void *bytes, size_t size, int timeout_ms)
{
    gint64 end = g_get_monotonic_time() + timeout_ms * 1000ll;

    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        gint64 left = end - g_get_monotonic_time();
        size_t length;

        if (left < 0 || poll(&item, 1, (int)(left / 1000 + 1)) <= 0)
            return 0;
        length = raw_read(fd, bytes, size);
        if (raw_is_ours(bytes, length))
            return length;
    }
}

size_t raw_make(uint8_t *bytes, size_t length, const uint8_t *to, int tci, uint32_t seed)
{
    static const uint8_t from[6] = {0x02, 0, 0, 0, 0x77, 0x01};
    size_t at = 12;

    if (to)
        memcpy(bytes, to, 6);
    else
        memset(bytes, 0xff, 6);
    memcpy(bytes + 6, from, 6);
    if (tci >= 0) {
        bytes[at++] = ETH_P_8021Q >> 8;
        bytes[at++] = ETH_P_8021Q & 0xff;
        bytes[at++] = (uint8_t)(tci >> 8);
        bytes[at++] = (uint8_t)tci;
    }
    bytes[at++] = TEST_TYPE >> 8;
    bytes[at++] = TEST_TYPE & 0xff;
    for (uint32_t x = seed * 2654435761u + 1; at < length; at++) {
        x = x * 1664525u + 1013904223u;
        bytes[at] = (uint8_t)(x >> 24);
    }
    return length;
}

static uint8_t stream_byte(size_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13 ^ at >> 20);
}

static struct addrinfo *tcp_address(const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *info;

    g_assert_cmpint(getaddrinfo(address, TCP_PORT, &hints, &info), ==, 0);
    return info;
}

void tcp_server(void *tcp_side)
{
    const struct tcp_side *side = tcp_side;
    struct addrinfo *info = tcp_address(side->address);
    int on = 1, fd = socket(info->ai_family, SOCK_STREAM, 0), peer;
    static uint8_t buffer[1 << 18];
    size_t at = 0;
    ssize_t size;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    g_assert_cmpint(bind(fd, info->ai_addr, info->ai_addrlen), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    g_assert_cmpint(write(side->ready, "r", 1), ==, 1);
    peer = accept(fd, NULL, NULL);
    g_assert_cmpint(peer, >=, 0);
    while ((size = read(peer, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < size; i++, at++)
            if (buffer[i] != stream_byte(at))
                g_error("byte %zu of the stream is wrong", at);
    }
    g_assert_cmpuint(at, ==, side->bytes);
    freeaddrinfo(info);
}

void tcp_client(void *tcp_side)
{
    const struct tcp_side *side = tcp_side;
    struct addrinfo *info = tcp_address(side->address);
    int fd = socket(info->ai_family, SOCK_STREAM, 0);
    static uint8_t buffer[1 << 18];

    g_assert_cmpint(connect(fd, info->ai_addr, info->ai_addrlen), ==, 0);
    for (size_t at = 0; at < side->bytes;) {
        size_t part = MIN(sizeof(buffer), side->bytes - at);
        size_t sent = 0;

        for (size_t i = 0; i < part; i++)
            buffer[i] = stream_byte(at + i);
        while (sent < part) {
            ssize_t size = write(fd, buffer + sent, part - sent);

            g_assert_cmpint(size, >, 0);
            sent += (size_t)size;
        }
        at += part;
    }
    shutdown(fd, SHUT_WR);
    g_assert_cmpint(read(fd, buffer, 1), ==, 0); /* the server has everything */
    freeaddrinfo(info);
}

#define PING_MS 5000 /* for an answer; the first waits for ARP or neighbour discovery */

static uint16_t internet_sum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* The next answer to us: its sequence number, or -1 if none comes in time. */
static int ping_answer(int fd, bool ipv6, uint16_t id, const uint8_t *request, size_t length,
                       int timeout_ms)
{
    static uint8_t bytes[65536];
    size_t skip = ipv6 ? 0 : sizeof(struct iphdr);
    struct pollfd item = {.fd = fd, .events = POLLIN};

    while (poll(&item, 1, timeout_ms) == 1) {
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);
        const struct icmphdr *icmp = (const void *)(bytes + skip);

        if (size < (ssize_t)(skip + sizeof(*icmp)) || icmp->un.echo.id != id ||
            icmp->type != (ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
            continue;
        g_assert_cmpmem(bytes + skip + sizeof(*icmp), (size_t)size - skip - sizeof(*icmp),
                        request + sizeof(*icmp), length - sizeof(*icmp));
        return ntohs(icmp->un.echo.sequence);
    }
    return -1;
}

void ping_client(void *ping_side)
{
    const struct ping_side *side = ping_side;
    struct addrinfo *info = tcp_address(side->address);
    bool ipv6 = info->ai_family == AF_INET6;
    int fd = socket(info->ai_family, SOCK_RAW, ipv6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
    static uint8_t request[65536];
    struct icmphdr *icmp = (void *)request;
    size_t length = sizeof(*icmp) + side->payload;

    if (ipv6) /* a raw socket wants no port */
        ((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_port = 0;
    g_assert_cmpint(connect(fd, info->ai_addr, info->ai_addrlen), ==, 0);
    icmp->type = ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    icmp->un.echo.id = htons((uint16_t)getpid());
    for (size_t i = 0; i < side->payload; i++)
        request[sizeof(*icmp) + i] = stream_byte(i);
    for (unsigned i = 0; i < side->count; i++) {
        icmp->un.echo.sequence = htons((uint16_t)i);
        icmp->checksum = 0;
        icmp->checksum = ipv6 ? 0 : internet_sum(request, length);
        g_assert_cmpint(send(fd, request, length, 0), ==, (gssize)length);
        g_assert_cmpint(ping_answer(fd, ipv6, icmp->un.echo.id, request, length, PING_MS), ==,
                        (int)i);
    }
    g_assert_cmpint(ping_answer(fd, ipv6, icmp->un.echo.id, request, length, 100), ==, -1);
    freeaddrinfo(info);
}
