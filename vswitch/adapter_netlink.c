/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the kernel: rtnetlink requests with their answers collected (rtnetlink(7)), and
 * /proc/sys/net (ip-sysctl of the kernel's documentation). adapter_ethtool.c has the rest.
 */
#include "vswitch/adapter_netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "vswitch/adapter.h"

#define DUMP_TRIES   8         /* a table that changes faster is not ours to read */
#define SOCKET_BYTES (1 << 20) /* dumps and bursts of notices fit */

struct nl_sock *adapter_netlink_open(int protocol, GError **error)
{
    struct nl_sock *sock = nl_socket_alloc();
    int result;

    if (!sock)
        g_error("out of memory");
    result = nl_connect(sock, protocol);
    if (result == 0)
        result = nl_socket_set_buffer_size(sock, SOCKET_BYTES, SOCKET_BYTES);
    if (result < 0) {
        g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "netlink socket: %s",
                    nl_geterror(result));
        nl_socket_free(sock);
        return NULL;
    }
    return sock;
}

/* --- Requests --------------------------------------------------------------------------------- */

/* What the callbacks of one exchange find. */
struct exchange {
    GPtrArray *answers; /* copies; NULL: not wanted */
    int error;          /* errno that the kernel sent, as a negative number */
    bool done;          /* acknowledged, refused, or the dump's end */
};

static int on_valid(struct nl_msg *message, void *context)
{
    struct exchange *exchange = context;
    const struct nlmsghdr *header = nlmsg_hdr(message);

    if (exchange->answers)
        g_ptr_array_add(exchange->answers, g_memdup2(header, header->nlmsg_len));
    return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *answer, void *context)
{
    struct exchange *exchange = context;

    (void)from;
    exchange->error = answer->error;
    exchange->done = true;
    return NL_STOP;
}

/* A dump that broke off says so in its last message. */
static int on_end(struct nl_msg *message, void *context)
{
    struct exchange *exchange = context;
    struct nlmsghdr *header = nlmsg_hdr(message);

    if (header->nlmsg_type == NLMSG_DONE && nlmsg_datalen(header) >= (int)sizeof(int))
        memcpy(&exchange->error, nlmsg_data(header), sizeof(int));
    exchange->error = MIN(exchange->error, 0);
    exchange->done = true;
    return NL_STOP;
}

/* Send and receive until the kernel has said that it is done. 0, -errno of the kernel, or -EIO. */
static int exchange_run(struct nl_sock *sock, struct nl_msg *message, struct exchange *exchange)
{
    struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
    int result;

    if (!callbacks)
        g_error("out of memory");
    nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_valid, exchange);
    nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, exchange);
    nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, exchange);
    nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, exchange);
    result = nl_send_auto(sock, message);
    while (result >= 0 && !exchange->done)
        result = nl_recvmsgs(sock, callbacks);
    nl_cb_put(callbacks);
    if (exchange->error)
        return exchange->error;
    if (result == -NLE_DUMP_INTR)
        return -EAGAIN;
    return result < 0 ? -EIO : 0;
}

GPtrArray *adapter_netlink_dump(struct nl_sock *sock, int type, const void *header, size_t length,
                                GError **error)
{
    int result = -EAGAIN;

    for (unsigned tries = 0; tries < DUMP_TRIES && result == -EAGAIN; tries++) {
        g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
        struct exchange exchange = {.answers = answers};
        struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_DUMP);

        nlmsg_append(message, (void *)(uintptr_t)header, length, NLMSG_ALIGNTO);
        result = exchange_run(sock, message, &exchange);
        nlmsg_free(message);
        if (result == 0)
            return g_steal_pointer(&answers);
    }
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "rtnetlink dump %d: %s", type,
                g_strerror(-result));
    return NULL;
}

int adapter_netlink_do(struct nl_sock *sock, struct nl_msg *message)
{
    struct exchange exchange = {0};
    int result = exchange_run(sock, message, &exchange);

    nlmsg_free(message);
    return result;
}

/* --- Notices ---------------------------------------------------------------------------------- */

struct nl_sock *adapter_netlink_listen(const int *groups, GError **error)
{
    struct nl_sock *sock = adapter_netlink_open(NETLINK_ROUTE, error);
    int result = 0;

    for (; sock && result == 0 && *groups; groups++)
        result = nl_socket_add_membership(sock, *groups);
    if (result == 0)
        return sock;
    g_set_error(error, ADAPTER_ERROR, ADAPTER_ERROR_SYSTEM, "rtnetlink notices cannot be had: %s",
                nl_geterror(result));
    nl_socket_free(sock);
    return NULL;
}

bool adapter_netlink_notices(struct nl_sock *sock,
                             void (*each)(struct nlmsghdr *notice, void *context), void *context)
{
    char bytes[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool lost = false;

    for (;;) {
        ssize_t length = recv(nl_socket_get_fd(sock), bytes, sizeof(bytes), MSG_DONTWAIT);
        struct nlmsghdr *notice = (struct nlmsghdr *)(void *)bytes;

        if (length < 0 && errno != ENOBUFS && errno != EINTR)
            return lost;
        lost |= length < 0 && errno == ENOBUFS;
        for (int left = (int)length; nlmsg_ok(notice, left); notice = nlmsg_next(notice, &left))
            each(notice, context);
    }
}

/* --- One link --------------------------------------------------------------------------------- */

static struct nl_msg *link_message(int index, unsigned flags, unsigned change)
{
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    struct ifinfomsg info = {.ifi_index = index, .ifi_flags = flags, .ifi_change = change};

    nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO);
    return message;
}

int adapter_netlink_set_up(struct nl_sock *sock, int index, bool up)
{
    return adapter_netlink_do(sock, link_message(index, up ? IFF_UP : 0, IFF_UP));
}

int adapter_netlink_set_mac(struct nl_sock *sock, int index, const uint8_t mac[6])
{
    struct nl_msg *message = link_message(index, 0, 0);

    nla_put(message, IFLA_ADDRESS, 6, mac);
    return adapter_netlink_do(sock, message);
}

int adapter_netlink_set_mtu(struct nl_sock *sock, int index, uint32_t mtu)
{
    struct nl_msg *message = link_message(index, 0, 0);

    nla_put_u32(message, IFLA_MTU, mtu);
    return adapter_netlink_do(sock, message);
}

int adapter_netlink_way_to(struct nl_sock *sock, int family, const void *address)
{
    int length = family == AF_INET ? 4 : 16;
    struct rtmsg route = {.rtm_family = (unsigned char)family,
                          .rtm_dst_len = (unsigned char)(length * 8)};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, 0);
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
    struct exchange exchange = {.answers = answers};

    nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO);
    nla_put(message, RTA_DST, length, address);
    int result = exchange_run(sock, message, &exchange);
    nlmsg_free(message);
    if (result < 0 || answers->len == 0)
        return 0;
    struct nlattr *out = nlmsg_find_attr(answers->pdata[0], sizeof(route), RTA_OIF);
    return out ? (int)nla_get_u32(out) : 0;
}

/* --- /proc/sys/net ---------------------------------------------------------------------------- */

/* "/proc/sys/net/ipv6/conf/eth0/accept_ra" */
static char *sysctl_path(const char *link, const char *setting)
{
    const char *slash = strchr(setting, '/');

    return g_strdup_printf("/proc/sys/net/%.*s/conf/%s%s", (int)(slash - setting), setting, link,
                           slash);
}

char *adapter_sysctl_read(const char *link, const char *setting)
{
    g_autofree char *path = sysctl_path(link, setting);
    char value[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    ssize_t length = read(fd, value, sizeof(value) - 1);
    int error = errno;
    close(fd);
    errno = error;
    if (length < 0)
        return NULL;
    value[length] = '\0';
    return g_strdup(g_strchomp(value));
}

int adapter_sysctl_write(const char *link, const char *setting, const char *value)
{
    g_autofree char *path = sysctl_path(link, setting);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int result = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, value, strlen(value)) < 0)
        result = -errno;
    close(fd);
    return result;
}

GPtrArray *adapter_sysctl_list(const char *link)
{
    static const char *const families[] = {"ipv4", "ipv6"};
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
        g_autofree char *path = g_strdup_printf("/proc/sys/net/%s/conf/%s", families[i], link);
        g_autoptr(GDir) folder = g_dir_open(path, 0, NULL); /* a kernel may lack IPv6 */
        const char *name;

        while (folder && (name = g_dir_read_name(folder)) != NULL) {
            g_autofree char *file = g_build_filename(path, name, NULL);

            if (access(file, W_OK) == 0)
                g_ptr_array_add(names, g_strdup_printf("%s/%s", families[i], name));
        }
    }
    return names;
}
