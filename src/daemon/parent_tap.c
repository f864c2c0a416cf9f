/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's interfaces, which are the parent's: a child, and the next one, gets the same
 * descriptor, so that the interface never goes, nor its carrier.
 *
 * The service manager keeps them over a restart of the parent. One with the host's addresses on it
 * is persistent besides: it lives on although nobody has it open, and a note in the run directory
 * tells the next vmbusd that it is ours.
 */
#include "src/daemon/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/route/addr.h>

#include "src/common/log.h"
#include "src/daemon/manager.h"
#include "vswitch/adapter_netlink.h"
#include "vswitch/port_tap.h"

#define STORED "tap-" /* before its name in the service manager's store */

static struct parent_tap *find(const struct parent *parent, const char *name)
{
    for (guint i = 0; i < parent->tap->len; i++) {
        struct parent_tap *tap = &g_array_index(parent->tap, struct parent_tap, i);

        if (!strcmp(tap->name, name))
            return tap;
    }
    return NULL;
}

/* --- Notes and store -------------------------------------------------------------------------- */

static char *note_of(const struct parent *parent, const char *name)
{
    return g_build_filename(parent->notes, name, NULL);
}

/* The interface's index, "0" before there is one: it is ours whichever it got. */
static bool write_note(const struct parent *parent, const char *name, GError **error)
{
    g_autofree char *note = note_of(parent, name);
    g_autofree char *text = g_strdup_printf("%u\n", if_nametoindex(name));

    return g_file_set_contents(note, text, -1, error);
}

static struct parent_tap *add(struct parent *parent, const char *name, int fd, bool persistent)
{
    struct parent_tap tap = {.fd = fd, .persistent = persistent};

    g_strlcpy(tap.name, name, sizeof(tap.name));
    g_array_append_val(parent->tap, tap);
    return &g_array_index(parent->tap, struct parent_tap, parent->tap->len - 1);
}

static void store(const struct parent_tap *tap)
{
    g_autofree char *name = g_strconcat(STORED, tap->name, NULL);

    manager_store(name, tap->fd);
}

bool parent_tap_restore(void *context, const char *name, int fd)
{
    struct parent *parent = context;
    struct ifreq request = {0};

    if (!g_str_has_prefix(name, STORED) || ioctl(fd, TUNGETIFF, &request) < 0 ||
        find(parent, request.ifr_name))
        return false;
    add(parent, request.ifr_name, fd, request.ifr_flags & IFF_PERSIST);
    return true;
}

/* The interface that a note tells of, if it is still that one. */
static void restore_noted(struct parent *parent, const char *name)
{
    g_autofree char *note = note_of(parent, name), *text = NULL;
    g_autoptr(GError) error = NULL;
    unsigned index = if_nametoindex(name);
    int fd;

    if (!index || !g_file_get_contents(note, &text, NULL, NULL) ||
        (atoi(text) && (unsigned)atoi(text) != index)) {
        unlink(note);
    } else if (port_tap_attach(name, &fd, &error)) {
        store(add(parent, name, fd, true));
    } else {
        log_warning("%s, which a former vmbusd left behind: %s", name, error->message);
    }
}

void parent_tap_restore_noted(struct parent *parent)
{
    GDir *dir = g_dir_open(parent->notes, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (!find(parent, name))
            restore_noted(parent, name);
    if (dir)
        g_dir_close(dir);
}

/* --- Making ----------------------------------------------------------------------------------- */

/* It hears no router advertisements: those on it would be the guests'. */
static void deafen(const char *name)
{
    int result = adapter_sysctl_write(name, "ipv6/accept_ra", "0");

    if (result < 0 && result != -ENOENT) /* a kernel without IPv6 */
        log_warning("%s: router advertisements stay on: %s", name, g_strerror(-result));
}

static struct parent_tap *create(struct parent *parent, const struct request_tap *request,
                                 GError **error)
{
    int fd;

    if (request->persistent && !write_note(parent, request->name, error))
        return NULL;
    if (!port_tap_open(request->name, request->mac, request->mtu, &fd, error))
        return NULL;
    if (request->persistent &&
        (ioctl(fd, TUNSETPERSIST, 1) < 0 || !write_note(parent, request->name, error))) {
        if (!*error)
            g_set_error(error, PARENT_ERROR, PARENT_ERROR_SYSTEM,
                        "%s: cannot be made persistent: %s", request->name, g_strerror(errno));
        close(fd);
        return NULL;
    }
    deafen(request->name);
    struct parent_tap *tap = add(parent, request->name, fd, request->persistent);
    store(tap);
    return tap;
}

/* Give it the MAC and the MTU that are asked for, if it has others: a change of the MAC costs the
 * host what it knows of its neighbours. */
static bool adjust(const struct request_tap *request, GError **error)
{
    struct ifreq have = {0};
    struct nl_sock *sock = adapter_netlink_open(NETLINK_ROUTE, error);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), index, result = 0;

    g_strlcpy(have.ifr_name, request->name, sizeof(have.ifr_name));
    index = (int)if_nametoindex(request->name);
    if (sock && ioctl(fd, SIOCGIFHWADDR, &have) == 0 &&
        memcmp(have.ifr_hwaddr.sa_data, request->mac, 6) != 0)
        result = adapter_netlink_set_mac(sock, index, request->mac);
    if (sock && result == 0 && ioctl(fd, SIOCGIFMTU, &have) == 0 &&
        (uint32_t)have.ifr_mtu != request->mtu)
        result = adapter_netlink_set_mtu(sock, index, request->mtu);
    if (result < 0)
        g_set_error(error, PARENT_ERROR, PARENT_ERROR_SYSTEM, "%s: cannot be changed: %s",
                    request->name, g_strerror(-result));
    close(fd);
    nl_socket_free(sock);
    return sock && result == 0;
}

bool parent_tap_get(struct parent *parent, const struct request_tap *request, int *ret_fd,
                    GError **error)
{
    struct parent_tap *tap = find(parent, request->name);
    struct ifreq alive;

    /* Somebody may have deleted it. */
    if (tap && ioctl(tap->fd, TUNGETIFF, &alive) < 0) {
        parent_tap_drop(parent, request->name, NULL);
        tap = NULL;
    }
    if (tap && !adjust(request, error))
        return false;
    if (!tap)
        tap = create(parent, request, error);
    if (!tap)
        return false;
    tap->wanted = true;
    *ret_fd = tap->fd;
    return true;
}

bool parent_tap_ours(const struct parent *parent, const char *name, GError **error)
{
    const struct parent_tap *tap = find(parent, name);

    if (tap && tap->wanted)
        return true;
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "%s: it was not made here", name);
    return false;
}

/* --- Removing --------------------------------------------------------------------------------- */

static void drop(struct parent *parent, struct parent_tap *tap)
{
    g_autofree char *note = note_of(parent, tap->name);
    g_autofree char *stored = g_strconcat(STORED, tap->name, NULL);

    if (tap->persistent && ioctl(tap->fd, TUNSETPERSIST, 0) < 0 && errno != EBADFD)
        log_warning("%s stays: %s", tap->name, g_strerror(errno));
    manager_forget(stored);
    close(tap->fd);
    unlink(note);
    g_array_remove_index_fast(parent->tap,
                              (guint)(tap - (struct parent_tap *)(void *)parent->tap->data));
}

bool parent_tap_drop(struct parent *parent, const char *name, GError **error)
{
    struct parent_tap *tap = find(parent, name);

    if (!tap || parent_taken_onto(parent, name)) {
        g_set_error(error, PARENT_ERROR, PARENT_ERROR_REFUSED, "%s: %s", name,
                    tap ? "an adapter's addresses are on it" : "it was not made here");
        return false;
    }
    drop(parent, tap);
    return true;
}

void parent_tap_sweep(struct parent *parent, bool all)
{
    for (guint i = parent->tap->len; i-- > 0;) {
        struct parent_tap *tap = &g_array_index(parent->tap, struct parent_tap, i);

        if (all || !tap->wanted)
            drop(parent, tap);
    }
}

/* --- Addresses -------------------------------------------------------------------------------- */

/* 0 or a negative NLE_ code. IPv6 without duplicate address detection, because dnsmasq wants to use
 * the address at once. */
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

bool parent_tap_address(struct parent *parent, const struct request_address *request,
                        GError **error)
{
    char text[ADDRESS_TEXT];

    if (!parent_tap_ours(parent, request->interface, error))
        return false;
    struct nl_sock *sock = nl_socket_alloc();
    unsigned index = if_nametoindex(request->interface);
    int result = index ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NODEV;
    if (result == 0)
        result = add_address(sock, index, &request->address, request->prefix);
    nl_socket_free(sock);
    if (result == 0)
        return true;
    address_format(&request->address, text);
    g_set_error(error, PARENT_ERROR, PARENT_ERROR_SYSTEM,
                "%s: cannot be given the address %s/%u: %s", request->interface, text,
                request->prefix, nl_geterror(result));
    return false;
}
