/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port's sockets: the part that needs privileges.
 *
 * The two receiving sockets share a fanout group: a program of three instructions gives each frame
 * to the socket whose number stands in a one-element map, which the port later writes through its
 * mapping. Members are numbered in the order in which they joined, and the kernel keeps to that
 * order when the interface comes up again.
 */
#include "vswitch/port_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/common/log.h"

/* Not in the headers of every supported distribution. */
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

#define QUEUE_BYTES (16 << 20) /* of frames (and their kernel overhead) that wait for us */
#define SEND_BYTES  (4 << 20)  /* ... that wait for the adapter */

static int option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value));
}

/* A socket bound to the interface, or -1 with errno. */
static int socket_open(int ifindex)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
    int receive = QUEUE_BYTES, send = SEND_BYTES, saved;
    /* Protocol 0: no frames before it is bound, of other interfaces above all. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send));
    if (option(fd, PACKET_VNET_HDR, 1) == 0 && option(fd, PACKET_AUXDATA, 1) == 0 &&
        option(fd, PACKET_IGNORE_OUTGOING, 1) == 0 && option(fd, PACKET_VERSION, TPACKET_V3) == 0 &&
        bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int bpf(int command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int map_create(void)
{
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_ARRAY,
        .key_size = sizeof(uint32_t),
        .value_size = sizeof(uint32_t),
        .max_entries = 1,
        .map_flags = BPF_F_MMAPABLE,
    };

    return bpf(BPF_MAP_CREATE, &attributes);
}

/* "return map[0]" */
static int program_load(int map)
{
    const struct bpf_insn program[] = {
        {.code = BPF_LD | BPF_DW, /* and BPF_IMM, which is 0 */
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_PSEUDO_MAP_VALUE,
         .imm = map},
        {0}, /* offset into the value */
        {.code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attributes = {
        .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
        .insn_cnt = sizeof(program) / sizeof(program[0]),
        .insns = (uintptr_t)program,
        .license = (uintptr_t) "GPL",
    };

    return bpf(BPF_PROG_LOAD, &attributes);
}

/* What the host sends on the adapter is not for us. A group of an older kernel (6.1 for one) does
 * not know the flag for it, nor refuses it: there the sockets' own filter drops those frames. */
static bool drop_outgoing(int fd)
{
    struct sock_filter program[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_OUTGOING},
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0;
}

/* Put both sockets into a new group. */
static bool fanout_join(int queue, int ring, int program)
{
    const int flags = (PACKET_FANOUT_EBPF | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
    int group = 0;
    socklen_t size = sizeof(group);

    return drop_outgoing(queue) && drop_outgoing(ring) &&
           option(queue, PACKET_FANOUT, flags | PACKET_FANOUT_FLAG_UNIQUEID << 16) == 0 &&
           getsockopt(queue, SOL_PACKET, PACKET_FANOUT, &group, &size) == 0 &&
           setsockopt(queue, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)) == 0 &&
           option(ring, PACKET_FANOUT, flags | (group & 0xffff)) == 0;
}

static void close_if(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The ring's socket beside the queue's. What it saw before it joined is thrown away when it gets
 * its ring. */
static bool ring_open(int ifindex, struct port_packet_fds *fds)
{
    int map = map_create();
    int program = map >= 0 ? program_load(map) : -1;
    int ring = program >= 0 ? socket_open(ifindex) : -1;
    bool joined = ring >= 0 && fanout_join(fds->queue, ring, program);
    int saved = errno;

    close_if(program);
    if (joined) {
        fds->ring = ring;
        fds->which = map;
        return true;
    }
    close_if(ring);
    close_if(map);
    errno = saved;
    return false;
}

static bool is_ethernet(int fd, const char *ifname)
{
    struct ifreq request = {0};

    g_strlcpy(request.ifr_name, ifname, IFNAMSIZ);
    return ioctl(fd, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

bool port_packet_open(const char *ifname, struct port_packet_fds *ret_fds, GError **error)
{
    int ifindex = (int)if_nametoindex(ifname);

    *ret_fds = (struct port_packet_fds){-1, -1, -1};
    if (ifindex)
        ret_fds->queue = socket_open(ifindex);
    if (ret_fds->queue < 0) {
        int saved = errno;

        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(saved),
                    "adapter %s: cannot open it: %s", ifname, g_strerror(saved));
        return false;
    }
    if (!is_ethernet(ret_fds->queue, ifname)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "adapter %s: it does not speak Ethernet", ifname);
        close(ret_fds->queue);
        ret_fds->queue = -1;
        return false;
    }
    if (!ring_open(ifindex, ret_fds))
        log_info("%s: frames are read without a ring: %s", ifname, strerror(errno));
    return true;
}
