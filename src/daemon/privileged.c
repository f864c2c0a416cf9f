/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What needs root: see privileged.h.
 */
#include "src/daemon/privileged.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netlink/route/addr.h>

#include "src/common/log.h"
#include "vswitch/adapter_takeover.h"
#include "vswitch/port_packet.h"
#include "vswitch/port_tap.h"

GQuark privileged_error_quark(void)
{
    return g_quark_from_static_string("vmbusd-privileged");
}

/* --- Interfaces ------------------------------------------------------------------------------- */

bool privileged_tap(const char *name, const uint8_t mac[6], uint32_t mtu, int *ret_fd,
                    GError **error)
{
    g_autofree char *ra = g_strdup_printf("/proc/sys/net/ipv6/conf/%s/accept_ra", name);
    int fd;

    if (!port_tap_open(name, mac, mtu, ret_fd, error))
        return false;
    /* Without IPv6 in the kernel there is nothing to switch off. */
    fd = open(ra, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "0\n", 2) != 2)
        log_warning("%s: %s", ra, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return true;
}

bool privileged_packet(const char *interface, struct port_packet_fds *ret_fds, GError **error)
{
    return port_packet_open(interface, ret_fds, error);
}

bool privileged_take(const struct adapter_takeover *takeover, GPtrArray *reports, GError **error)
{
    g_mkdir_with_parents(takeover->folder, 0700);
    return adapter_take(takeover, reports, NULL, error);
}

bool privileged_give_back(const struct adapter_takeover *takeover, GError **error)
{
    return adapter_give_back(takeover, error);
}

bool privileged_follow(const struct adapter_takeover *takeover, GError **error)
{
    return adapter_follow(takeover, error);
}

void privileged_guard(const struct adapter_takeover *takeover)
{
    adapter_guard(takeover);
}

void privileged_recover_adapters(const char *journals)
{
    struct adapter_takeover takeover = {.folder = journals, .root = "/"};
    g_autoptr(GError) error = NULL;

    if (g_file_test(journals, G_FILE_TEST_IS_DIR) && !adapter_recover(&takeover, false, &error))
        log_error("adapters: %s", error->message);
}

/* 0 or a negative NLE_ code. */
static int add_address(struct nl_sock *sock, unsigned index, const struct address *address,
                       unsigned prefix)
{
    struct rtnl_addr *request = rtnl_addr_alloc();
    struct nl_addr *local =
        nl_addr_build(address->family, address->b, address_bits(address->family) / 8);
    int result;

    nl_addr_set_prefixlen(local, (int)prefix);
    rtnl_addr_set_ifindex(request, (int)index);
    result = rtnl_addr_set_local(request, local);
    if (result == 0 && address->family == AF_INET && prefix < 31) {
        struct address last = address_last(address, prefix);
        struct nl_addr *broadcast = nl_addr_build(AF_INET, last.b, 4);

        rtnl_addr_set_broadcast(request, broadcast);
        nl_addr_put(broadcast);
    }
    if (address->family == AF_INET6)
        rtnl_addr_set_flags(request, IFA_F_NODAD);
    if (result == 0)
        result = rtnl_addr_add(sock, request, NLM_F_REPLACE);
    nl_addr_put(local);
    rtnl_addr_put(request);
    return result == -NLE_EXIST ? 0 : result;
}

bool privileged_address(const char *interface, const struct address *address, unsigned prefix,
                        GError **error)
{
    struct nl_sock *sock = nl_socket_alloc();
    unsigned index = if_nametoindex(interface);
    char text[ADDRESS_TEXT];
    int result = index ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NODEV;

    if (result == 0)
        result = add_address(sock, index, address, prefix);
    nl_socket_free(sock);
    if (result == 0)
        return true;
    address_format(address, text);
    g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM,
                "%s: cannot be given the address %s/%u: %s", interface, text, prefix,
                nl_geterror(result));
    return false;
}

/* --- Packet filter and forwarding ------------------------------------------------------------- */

bool privileged_nft(const char *script, GError **error)
{
    const char *const argv[] = {"nft", script, NULL};
    g_autofree char *complaint = NULL;
    int status;

    if (!g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                      NULL, NULL, NULL, &complaint, &status, error)) {
        g_prefix_error(error, "nft (package nftables): ");
        return false;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return true;
    g_strdelimit(g_strchomp(complaint), "\n", ' ');
    g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_PROGRAM, "nft: %s", complaint);
    return false;
}

char *privileged_nft_list(void)
{
    const char *const argv[] = {"nft", "-j", "list", "ruleset", NULL};
    char *rules = NULL;

    if (!g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, &rules, NULL, NULL, NULL))
        return NULL;
    return rules;
}

static const char *forwarding_file(int family)
{
    return family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
                             : "/proc/sys/net/ipv6/conf/all/forwarding";
}

int privileged_forwarding(int family, GError **error)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(forwarding_file(family), &text, NULL, error))
        return -1;
    return atoi(text) != 0;
}

bool privileged_set_forwarding(int family, bool on, GError **error)
{
    int fd = open(forwarding_file(family), O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, on ? "1\n" : "0\n", 2) == 2;
    int cause = errno;

    if (fd >= 0)
        close(fd);
    if (!good)
        g_set_error(error, PRIVILEGED_ERROR, PRIVILEGED_ERROR_SYSTEM, "%s: %s",
                    forwarding_file(family), g_strerror(cause));
    return good;
}

/* --- Programs --------------------------------------------------------------------------------- */

static void in_child(void *data)
{
    sigset_t none;

    (void)data;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

bool privileged_spawn(const char *const *argv, const char *const *environment, GPid *ret_pid,
                      GError **error)
{
    g_auto(GStrv) all = g_get_environ();

    for (; environment && *environment; environment++) {
        g_auto(GStrv) pair = g_strsplit(*environment, "=", 2);

        all = g_environ_setenv(all, pair[0], pair[1], TRUE);
    }
    return g_spawn_async(NULL, (char **)argv, all,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                             G_SPAWN_CHILD_INHERITS_STDIN,
                         in_child, NULL, ret_pid, error);
}

/* The process of the file, if `word` is in its command line; 0 if not. */
static pid_t leftover(const char *pid_file, const char *word)
{
    g_autofree char *text = NULL, *command = NULL;
    gsize len;

    if (!g_file_get_contents(pid_file, &text, NULL, NULL))
        return 0;
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", (int)pid);
    if (pid <= 1 || !g_file_get_contents(path, &command, &len, NULL))
        return 0;
    return memmem(command, len, word, strlen(word)) ? pid : 0;
}

void privileged_end_leftover(const char *pid_file, const char *word)
{
    pid_t pid = leftover(pid_file, word);

    if (pid && kill(pid, SIGTERM) == 0) {
        log_info("ending process %d, which a former vmbusd left behind", (int)pid);
        for (unsigned tries = 0; tries < 100 && leftover(pid_file, word) == pid; tries++)
            g_usleep(10000);
        if (leftover(pid_file, word) == pid)
            kill(pid, SIGKILL);
    }
    unlink(pid_file);
}

void privileged_signal(GPid pid, int signal_number)
{
    kill(pid, signal_number);
}
