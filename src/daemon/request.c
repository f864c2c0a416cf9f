/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the root parent: see request.h. Pure but for the two calls that send and receive.
 */
#include "src/daemon/request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/mac.h"
#include "src/common/name.h"
#include "src/common/send_fds.h"

/* --- Fields ----------------------------------------------------------------------------------- */

/* Ends within the array, is not empty, and has only characters of `class`. */
static bool is_word(const char *text, size_t size, bool (*class)(char c))
{
    size_t len = strnlen(text, size);

    if (len == 0 || len == size)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!class(text[i]))
            return false;
    return true;
}

static bool in_interface_name(char c)
{
    return g_ascii_isgraph(c) && !strchr("/:%\"'\\;{}", c);
}

static bool in_file_name(char c)
{
    return (unsigned char)c >= ' ' && c != 0x7f && c != '/';
}

static bool is_network(const char name[REQUEST_NAME])
{
    return memchr(name, 0, REQUEST_NAME) && name_valid(name, LIMIT_NAME);
}

static bool is_interface(const char name[IF_NAMESIZE])
{
    return is_word(name, IF_NAMESIZE, in_interface_name) && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* One component of a path, not hidden, with that end. */
static bool is_file(const char name[NAME_MAX + 1], const char *end)
{
    return is_word(name, NAME_MAX + 1, in_file_name) && *name != '.' && g_str_has_suffix(name, end);
}

static bool is_bool(uint8_t value)
{
    return value <= 1;
}

static bool is_address(const struct address *address, uint32_t prefix)
{
    return (address->family == AF_INET || address->family == AF_INET6) && prefix >= 1 &&
           prefix <= address_bits(address->family) && address_is_unicast(address);
}

/* --- Requests --------------------------------------------------------------------------------- */

static const char *check_file(const struct request *request)
{
    static const char *const ends[] = {[REQUEST_NETWORKS] = ".xml", [REQUEST_MACHINES] = ".json"};
    const struct request_file *file = &request->file;

    if (file->folder >= REQUEST_FOLDERS)
        return "no such folder";
    if (request->op == REQUEST_LIST)
        return NULL;
    if (file->folder == REQUEST_RUN)
        return "no folder of files";
    if (request->op == REQUEST_WORKER && file->folder != REQUEST_MACHINES)
        return "no machine's folder";
    const char *end = request->op == REQUEST_CONNECT ? "" : ends[file->folder];
    return is_file(file->name, end) ? NULL : "no name of such a file";
}

static const char *check_tap(const struct request *request)
{
    const struct request_tap *tap = &request->tap;

    if (!is_interface(tap->name))
        return "no interface's name";
    if (request->op == REQUEST_TAP_DROP)
        return NULL;
    if (!mac_is_station(tap->mac))
        return "no MAC address of a station";
    if (!is_bool(tap->persistent))
        return "neither yes nor no";
    return tap->mtu >= REQUEST_MTU_MIN && tap->mtu <= REQUEST_MTU_MAX ? NULL : "MTU out of range";
}

static const char *check_address(const struct request *request)
{
    const struct request_address *address = &request->address;

    if (!is_interface(address->interface))
        return "no interface's name";
    return is_address(&address->address, address->prefix) ? NULL : "no address of a host";
}

static const char *check_nat(const struct request *request)
{
    const struct request_nat *nat = &request->nat;

    if (!is_network(nat->network))
        return "no network's name";
    if (request->op == REQUEST_NAT_STOP)
        return NULL;
    if (!is_interface(nat->bridge) || (nat->out[0] && !is_interface(nat->out)))
        return "no interface's name";
    if (nat->ports[0] > nat->ports[1] || (!nat->ports[0] && nat->ports[1]))
        return "no range of ports";
    if (!is_bool(nat->translate) || !is_bool(nat->ipv6) || nat->ipv6 > nat->translate)
        return "neither yes nor no";
    if (!nat->subnets != !nat->translate || nat->subnets > LIMIT_NETWORK_ADDRESSES)
        return "number of subnets out of range";
    for (uint32_t i = 0; i < nat->subnets; i++)
        if (!is_address(&nat->subnet[i].address, nat->subnet[i].prefix) ||
            (nat->subnet[i].address.family == AF_INET6 && !nat->ipv6))
            return "no subnet";
    return NULL;
}

static const char *check_take(const struct request *request)
{
    const struct request_take *take = &request->take;

    if (!is_network(take->vswitch))
        return "no network's name";
    if (!is_interface(take->adapter) ||
        (request->op == REQUEST_TAKE && !is_interface(take->host_port)))
        return "no interface's name";
    return is_bool(take->veth) && is_bool(take->force) ? NULL : "neither yes nor no";
}

static const char *check_dnsmasq(const struct request *request)
{
    if (!is_network(request->dnsmasq.network))
        return "no network's name";
    return is_interface(request->dnsmasq.interface) ? NULL : "no interface's name";
}

static const char *check_fields(const struct request *request)
{
    switch ((enum request_op)request->op) {
    case REQUEST_READY:
    case REQUEST_SETTLED:
    case REQUEST_RULES:
        return NULL;
    case REQUEST_LIST:
    case REQUEST_OPEN:
    case REQUEST_CONNECT:
    case REQUEST_WORKER:
        return check_file(request);
    case REQUEST_DNSMASQ:
        return check_dnsmasq(request);
    case REQUEST_END:
        return request->pid > 1 ? NULL : "no process";
    case REQUEST_TAP:
    case REQUEST_TAP_DROP:
        return check_tap(request);
    case REQUEST_ADDRESS:
        return check_address(request);
    case REQUEST_NAT:
    case REQUEST_NAT_STOP:
        return check_nat(request);
    case REQUEST_WATCH:
        return is_bool(request->watch.raise) && is_bool(request->watch.veth) ? NULL
                                                                             : "neither yes nor no";
    case REQUEST_HOST:
        return request->number >= 0 ? NULL : "no number";
    case REQUEST_LINK:
        return request->after >= 0 ? NULL : "no index";
    case REQUEST_TAKE:
    case REQUEST_FOLLOW:
    case REQUEST_GIVE_BACK:
        return check_take(request);
    case REQUEST_PACKET:
        return is_interface(request->interface) ? NULL : "no interface's name";
    default:
        return "no such request";
    }
}

const char *request_check(const void *data, size_t len, unsigned fds)
{
    struct request request;

    if (len != sizeof(request))
        return "wrong size";
    memcpy(&request, data, sizeof(request));
    if (fds != (request.op == REQUEST_DNSMASQ ? 1 : 0))
        return "wrong number of descriptors";
    return check_fields(&request);
}

/* --- dnsmasq ---------------------------------------------------------------------------------- */

/* dnsmasq(8). It reads its configuration as root: no option here names a file, a program, a user,
 * or another interface, whatever its value. */
static const char *const dnsmasq_options[] = {
    "address",     "bogus-priv",     "cache-size",       "cname",       "dhcp-authoritative",
    "dhcp-host",   "dhcp-lease-max", "dhcp-no-override", "dhcp-option", "dhcp-option-force",
    "dhcp-range",  "domain",         "domain-needed",    "enable-ra",   "expand-hosts",
    "host-record", "local",          "no-resolv",        "port",        "quiet-dhcp",
    "quiet-dhcp6", "quiet-ra",       "ra-param",         "server",      "txt-record",
    NULL};

/* A comment, an empty line, or an option of the list that begins in the first column. */
static bool is_dnsmasq_line(const char *line, size_t len)
{
    size_t word = 0;

    if (len == 0 || *line == '#')
        return true;
    while (word < len && line[word] != '=')
        word++;
    for (const char *const *option = dnsmasq_options; *option; option++)
        if (strlen(*option) == word && memcmp(line, *option, word) == 0)
            return true;
    return false;
}

const char *request_check_dnsmasq(const char *text, size_t len)
{
    if (len > REQUEST_DNSMASQ_MAX)
        return "too long";
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n' && !g_ascii_isprint(text[i]))
            return "a character that is none of text";
    for (const char *line = text, *end = text + len; line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if (!next)
            return "a line without an end";
        if (!is_dnsmasq_line(line, (size_t)(next - line)))
            return "an option that is not taken";
        line = next + 1;
    }
    return NULL;
}

/* --- Messages --------------------------------------------------------------------------------- */

int request_send(int socket, const void *data, size_t len, const int *fds, unsigned count)
{
    return send_fds(socket, data, len, fds, count) < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *message, int fds[REQUEST_FDS], unsigned *count)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        *count = MIN((unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)), REQUEST_FDS);
        memcpy(fds, CMSG_DATA(header), sizeof(int) * *count);
    }
}

ssize_t request_receive(int socket, void *data, size_t size, int fds[REQUEST_FDS],
                        unsigned *ret_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * REQUEST_FDS)];
    } control;
    struct iovec iov = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             /* Not CMSG_SPACE(): its padding is room for one more. */
                             .msg_controllen = CMSG_LEN(sizeof(int) * REQUEST_FDS)};
    ssize_t got = TEMP_FAILURE_RETRY(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));

    *ret_count = 0;
    if (got < 0)
        return -errno;
    take_fds(&message, fds, ret_count);
    if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return got;
    while (*ret_count)
        close(fds[--*ret_count]);
    return -EBADMSG;
}
