/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/request.c and the parent's side of it: every field out of its range, and what only the
 * parent can know. One named test for each bad request.
 */
#include "src/daemon/request.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "src/daemon/privileged.h"
#include "tests/unit/parent_fixture.h"

/* --- Fields ----------------------------------------------------------------------------------- */

/* A good request of each kind. */
static struct request good(enum request_op op)
{
    struct request r = {.op = op};

    switch (op) {
    case REQUEST_OPEN:
        strcpy(r.file.name, "lan.xml");
        break;
    case REQUEST_CONNECT:
        strcpy(r.file.name, "a.sock");
        break;
    case REQUEST_WORKER:
        r.file.folder = REQUEST_MACHINES;
        strcpy(r.file.name, "a.json");
        break;
    case REQUEST_DNSMASQ:
        r.dnsmasq = (struct request_dnsmasq){.network = "lan", .interface = "vs-lan"};
        break;
    case REQUEST_END:
        r.pid = 4711;
        break;
    case REQUEST_TAP:
    case REQUEST_TAP_DROP:
        r.tap = (struct request_tap){
            .name = "vs-lan", .mac = {0x52, 0x54, 0, 0, 0, 1}, .persistent = 1, .mtu = 1500};
        break;
    case REQUEST_ADDRESS:
        r.address = (struct request_address){
            .interface = "vs-lan", .address = {AF_INET, {192, 0, 2, 1}}, .prefix = 24};
        break;
    case REQUEST_NAT:
    case REQUEST_NAT_STOP:
        r.nat = (struct request_nat){
            .network = "lan", .bridge = "vs-lan", .out = "eth0", .ports = {1024, 2048}};
        r.nat.translate = 1;
        r.nat.subnets = 1;
        r.nat.subnet[0] =
            (struct request_subnet){.address = {AF_INET, {192, 0, 2, 1}}, .prefix = 24};
        break;
    case REQUEST_TAKE:
    case REQUEST_FOLLOW:
    case REQUEST_GIVE_BACK:
        r.take = (struct request_take){.vswitch = "lan", .adapter = "eth0", .host_port = "vs-lan"};
        break;
    case REQUEST_PACKET:
        strcpy(r.interface, "eth0");
        break;
    default:
        break;
    }
    return r;
}

static unsigned fds_of(enum request_op op)
{
    return op == REQUEST_DNSMASQ ? 1 : 0;
}

static void test_good(void)
{
    for (enum request_op op = 0; op < REQUEST_OPS; op++) {
        struct request r = good(op);

        g_assert_cmpstr(request_check(&r, sizeof(r), fds_of(op)), ==, NULL);
    }
}

#define FILL(array, c) memset(array, c, sizeof(array))

/* Each is one bad field. */
struct bad {
    const char *name;
    enum request_op op;
    void (*spoil)(struct request *r);
    const char *why;
};

#define BAD(function, body)                 \
    static void function(struct request *r) \
    {                                       \
        body;                               \
    }

BAD(op_beyond, r->op = REQUEST_OPS)
BAD(op_huge, r->op = UINT32_MAX)
BAD(folder_beyond, r->file.folder = REQUEST_FOLDERS)
BAD(folder_huge, r->file.folder = UINT32_MAX)
BAD(folder_run, r->file.folder = REQUEST_RUN)
BAD(file_empty, r->file.name[0] = '\0')
BAD(file_slash, strcpy(r->file.name, "../../etc/shadow.xml"))
BAD(file_absolute, strcpy(r->file.name, "/etc/passwd.xml"))
BAD(file_dots, strcpy(r->file.name, "..xml"))
BAD(file_hidden, strcpy(r->file.name, ".lan.xml"))
BAD(file_other, strcpy(r->file.name, "lan.xml~"))
BAD(file_newline, strcpy(r->file.name, "a\nb.xml"))
BAD(file_endless, FILL(r->file.name, 'x'))
BAD(worker_network, r->file.folder = REQUEST_NETWORKS)
BAD(worker_option, strcpy(r->file.name, "--help"))
BAD(socket_slash, strcpy(r->file.name, "../docker.sock"))
BAD(socket_dots, strcpy(r->file.name, ".."))
BAD(network_slash, strcpy(r->dnsmasq.network, "../x"))
BAD(network_empty, r->dnsmasq.network[0] = '\0')
BAD(network_endless, FILL(r->dnsmasq.network, 'x'))
BAD(network_space, strcpy(r->dnsmasq.network, "a b"))
BAD(dnsmasq_interface, strcpy(r->dnsmasq.interface, "a\nconf-file=/x"))
BAD(pid_init, r->pid = 1)
BAD(pid_group, r->pid = -4711)
BAD(pid_zero, r->pid = 0)
BAD(tap_empty, r->tap.name[0] = '\0')
BAD(tap_endless, FILL(r->tap.name, 'x'))
BAD(tap_slash, strcpy(r->tap.name, "a/b"))
BAD(tap_format, strcpy(r->tap.name, "tap%d"))
BAD(tap_dots, strcpy(r->tap.name, ".."))
BAD(tap_space, strcpy(r->tap.name, "a b"))
BAD(tap_control, strcpy(r->tap.name, "a\x01"))
BAD(tap_high, strcpy(r->tap.name, "a\xff"))
BAD(tap_mac_multicast, r->tap.mac[0] = 1)
BAD(tap_mac_zero, FILL(r->tap.mac, 0))
BAD(tap_mtu_small, r->tap.mtu = REQUEST_MTU_MIN - 1)
BAD(tap_mtu_large, r->tap.mtu = REQUEST_MTU_MAX + 1)
BAD(tap_bool, r->tap.persistent = 2)
BAD(address_interface, strcpy(r->address.interface, "a/b"))
BAD(address_family, r->address.address.family = AF_UNIX)
BAD(address_prefix, r->address.prefix = 33)
BAD(address_prefix_zero, r->address.prefix = 0)
BAD(address_prefix_huge, r->address.prefix = UINT32_MAX)
BAD(address_loopback, r->address.address.b[0] = 127)
BAD(address_multicast, r->address.address.b[0] = 224)
BAD(address_zero, FILL(r->address.address.b, 0))
BAD(nat_network, strcpy(r->nat.network, "a; flush ruleset"))
BAD(nat_bridge, strcpy(r->nat.bridge, "a\" accept"))
BAD(nat_out, strcpy(r->nat.out, "a;drop"))
BAD(nat_ports, r->nat.ports[1] = 1023)
BAD(nat_ports_half, r->nat.ports[0] = 0)
BAD(nat_subnets, r->nat.subnets = LIMIT_NETWORK_ADDRESSES + 1)
BAD(nat_subnets_none, r->nat.subnets = 0)
BAD(nat_family, r->nat.subnet[0].address.family = AF_INET6)
BAD(nat_fence, r->nat.translate = 0)
BAD(nat_bool, r->nat.ipv6 = 2)
BAD(nat_prefix, r->nat.subnet[0].prefix = 33)
BAD(watch_bool, r->watch.raise = 2)
BAD(link_negative, r->after = -1)
BAD(take_switch, FILL(r->take.vswitch, 'x'))
BAD(take_adapter, strcpy(r->take.adapter, "a;b"))
BAD(take_host, r->take.host_port[0] = '\0')
BAD(take_force, r->take.force = 255)
BAD(take_veth, r->take.veth = 2)
BAD(packet_interface, FILL(r->interface, 'x'))

#define NAME    "no interface's name"
#define NETWORK "no network's name"
#define FILE_   "no name of such a file"
#define BOOL    "neither yes nor no"

static const struct bad bads[] = {
    {"op/beyond", REQUEST_READY, op_beyond, "no such request"},
    {"op/huge", REQUEST_READY, op_huge, "no such request"},
    {"list/folder", REQUEST_LIST, folder_beyond, "no such folder"},
    {"open/folder", REQUEST_OPEN, folder_huge, "no such folder"},
    {"open/run", REQUEST_OPEN, folder_run, "no folder of files"},
    {"worker/run", REQUEST_WORKER, folder_run, "no folder of files"},
    {"open/empty", REQUEST_OPEN, file_empty, FILE_},
    {"open/up", REQUEST_OPEN, file_slash, FILE_},
    {"open/absolute", REQUEST_OPEN, file_absolute, FILE_},
    {"open/dots", REQUEST_OPEN, file_dots, FILE_},
    {"open/hidden", REQUEST_OPEN, file_hidden, FILE_},
    {"open/other-kind", REQUEST_OPEN, file_other, FILE_},
    {"open/newline", REQUEST_OPEN, file_newline, FILE_},
    {"open/endless", REQUEST_OPEN, file_endless, FILE_},
    {"worker/network", REQUEST_WORKER, worker_network, "no machine's folder"},
    {"worker/option", REQUEST_WORKER, worker_option, FILE_},
    {"worker/up", REQUEST_WORKER, file_slash, FILE_},
    {"connect/up", REQUEST_CONNECT, socket_slash, FILE_},
    {"connect/dots", REQUEST_CONNECT, socket_dots, FILE_},
    {"dnsmasq/up", REQUEST_DNSMASQ, network_slash, NETWORK},
    {"dnsmasq/empty", REQUEST_DNSMASQ, network_empty, NETWORK},
    {"dnsmasq/endless", REQUEST_DNSMASQ, network_endless, NETWORK},
    {"dnsmasq/space", REQUEST_DNSMASQ, network_space, NETWORK},
    {"dnsmasq/interface", REQUEST_DNSMASQ, dnsmasq_interface, NAME},
    {"end/init", REQUEST_END, pid_init, "no process"},
    {"end/group", REQUEST_END, pid_group, "no process"},
    {"end/zero", REQUEST_END, pid_zero, "no process"},
    {"tap/empty", REQUEST_TAP, tap_empty, NAME},
    {"tap/endless", REQUEST_TAP, tap_endless, NAME},
    {"tap/slash", REQUEST_TAP, tap_slash, NAME},
    {"tap/format", REQUEST_TAP, tap_format, NAME},
    {"tap/dots", REQUEST_TAP, tap_dots, NAME},
    {"tap/space", REQUEST_TAP, tap_space, NAME},
    {"tap/control", REQUEST_TAP, tap_control, NAME},
    {"tap/high", REQUEST_TAP, tap_high, NAME},
    {"tap/mac-multicast", REQUEST_TAP, tap_mac_multicast, "no MAC address of a station"},
    {"tap/mac-zero", REQUEST_TAP, tap_mac_zero, "no MAC address of a station"},
    {"tap/mtu-small", REQUEST_TAP, tap_mtu_small, "MTU out of range"},
    {"tap/mtu-large", REQUEST_TAP, tap_mtu_large, "MTU out of range"},
    {"tap/bool", REQUEST_TAP, tap_bool, BOOL},
    {"tap-drop/endless", REQUEST_TAP_DROP, tap_endless, NAME},
    {"address/interface", REQUEST_ADDRESS, address_interface, NAME},
    {"address/family", REQUEST_ADDRESS, address_family, "no address of a host"},
    {"address/prefix", REQUEST_ADDRESS, address_prefix, "no address of a host"},
    {"address/prefix-zero", REQUEST_ADDRESS, address_prefix_zero, "no address of a host"},
    {"address/prefix-huge", REQUEST_ADDRESS, address_prefix_huge, "no address of a host"},
    {"address/loopback", REQUEST_ADDRESS, address_loopback, "no address of a host"},
    {"address/multicast", REQUEST_ADDRESS, address_multicast, "no address of a host"},
    {"address/zero", REQUEST_ADDRESS, address_zero, "no address of a host"},
    {"nat/network", REQUEST_NAT, nat_network, NETWORK},
    {"nat/bridge", REQUEST_NAT, nat_bridge, NAME},
    {"nat/out", REQUEST_NAT, nat_out, NAME},
    {"nat/ports", REQUEST_NAT, nat_ports, "no range of ports"},
    {"nat/ports-half", REQUEST_NAT, nat_ports_half, "no range of ports"},
    {"nat/subnets", REQUEST_NAT, nat_subnets, "number of subnets out of range"},
    {"nat/no-subnets", REQUEST_NAT, nat_subnets_none, "number of subnets out of range"},
    {"nat/fence-with-subnets", REQUEST_NAT, nat_fence, "number of subnets out of range"},
    {"nat/bool", REQUEST_NAT, nat_bool, BOOL},
    {"host/negative", REQUEST_HOST, link_negative, "no number"},
    {"nat/family", REQUEST_NAT, nat_family, "no subnet"},
    {"nat/prefix", REQUEST_NAT, nat_prefix, "no subnet"},
    {"nat-stop/network", REQUEST_NAT_STOP, nat_network, NETWORK},
    {"watch/bool", REQUEST_WATCH, watch_bool, BOOL},
    {"link/negative", REQUEST_LINK, link_negative, "no index"},
    {"take/switch", REQUEST_TAKE, take_switch, NETWORK},
    {"take/adapter", REQUEST_TAKE, take_adapter, NAME},
    {"take/host-port", REQUEST_TAKE, take_host, NAME},
    {"take/force", REQUEST_TAKE, take_force, BOOL},
    {"take/veth", REQUEST_TAKE, take_veth, BOOL},
    {"follow/adapter", REQUEST_FOLLOW, take_adapter, NAME},
    {"give-back/adapter", REQUEST_GIVE_BACK, take_adapter, NAME},
    {"packet/interface", REQUEST_PACKET, packet_interface, NAME},
};

static void test_bad(gconstpointer data)
{
    const struct bad *bad = data;
    struct request r = good(bad->op);

    bad->spoil(&r);
    g_assert_cmpstr(request_check(&r, sizeof(r), fds_of(bad->op)), ==, bad->why);
}

static void test_size(void)
{
    struct request r[2] = {good(REQUEST_READY)};

    g_assert_cmpstr(request_check(r, sizeof(*r) - 1, 0), ==, "wrong size");
    g_assert_cmpstr(request_check(r, sizeof(*r) + 1, 0), ==, "wrong size");
    g_assert_cmpstr(request_check(r, 0, 0), ==, "wrong size");
}

static void test_descriptors(void)
{
    struct request ready = good(REQUEST_READY), dnsmasq = good(REQUEST_DNSMASQ);

    g_assert_cmpstr(request_check(&ready, sizeof(ready), 1), ==, "wrong number of descriptors");
    g_assert_cmpstr(request_check(&dnsmasq, sizeof(ready), 0), ==, "wrong number of descriptors");
    g_assert_cmpstr(request_check(&dnsmasq, sizeof(ready), 2), ==, "wrong number of descriptors");
}

/* More descriptors than fit are closed, by the kernel or by us; none is left open. */
static void test_many_descriptors(void)
{
    int sockets[2], fds[REQUEST_FDS];
    unsigned count;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * 16)];
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), ==, 0);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    for (unsigned many = REQUEST_FDS + 1; many <= 16; many++) {
        int next = dup(0);

        close(next);
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * many);
        message.msg_controllen = CMSG_SPACE(sizeof(int) * many);
        memset(CMSG_DATA(&control.header), 0, sizeof(int) * many); /* standard input, many times */
        g_assert_cmpint(sendmsg(sockets[0], &message, 0), ==, 1);
        g_assert_cmpint(request_receive(sockets[1], &byte, 1, fds, &count), ==, -EBADMSG);
        g_assert_cmpuint(count, ==, 0);
        int after = dup(0);
        g_assert_cmpint(after, ==, next);
        close(after);
    }
    close(sockets[0]);
    close(sockets[1]);
}

/* --- dnsmasq ---------------------------------------------------------------------------------- */

static void test_dnsmasq_good(void)
{
    static const char text[] = "# words\n\nport=0\nno-resolv\ndhcp-range=192.0.2.2,static\n"
                               "dhcp-host=52:54:00:00:00:01,b,192.0.2.3\nenable-ra\n";

    g_assert_cmpstr(request_check_dnsmasq(text, strlen(text)), ==, NULL);
    g_assert_cmpstr(request_check_dnsmasq("", 0), ==, NULL);
}

static void test_dnsmasq_bad(void)
{
    static const char *const lines[] = {"dhcp-script=/bin/sh\n",
                                        "conf-file=/etc/shadow\n",
                                        "conf-dir=/etc\n",
                                        " conf-file=/etc/shadow\n",
                                        "\tconf-file=/x\n",
                                        "user=root\n",
                                        "dhcp-leasefile=/etc/passwd\n",
                                        "pid-file=/etc/passwd\n",
                                        "log-facility=/etc/passwd\n",
                                        "interface=eth0\n",
                                        "dhcp-luascript=x\n",
                                        "enable-tftp\n",
                                        "addn-hosts=/etc/shadow\n",
                                        "server\\\n=x\n",
                                        "port=0\rconf-file=/x\n",
                                        "port =0\n",
                                        "ports=0\n",
                                        "PORT=0\n",
                                        "=\n",
                                        "port=\xc3\xa4\n",
                                        "port=0"};

    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
        g_assert_nonnull(request_check_dnsmasq(lines[i], strlen(lines[i])));
    g_assert_nonnull(request_check_dnsmasq("port=0\0\n", 8));
}

/* --- A parent --------------------------------------------------------------------------------- */

struct fixture {
    char *top, *run_dir;
    struct parent_fixture *parent;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    static const char *const folders[] = {"networks", "machines", "run"};

    (void)data;
    fixture->top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->run_dir = g_build_filename(fixture->top, "run", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(fixture->top, folders[i], NULL);

        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    }
    fixture->parent = parent_fixture_new(fixture->top, fixture->run_dir);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *command = g_strdup_printf("rm -r '%s'", fixture->top);

    (void)data;
    parent_fixture_free(fixture->parent);
    g_assert_cmpint(system(command), ==, 0);
    g_free(fixture->top);
    g_free(fixture->run_dir);
}

static void put(struct fixture *fixture, const char *file, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->top, file, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_refused(bool done, GError *error, const char *end)
{
    g_assert_false(done);
    g_assert_nonnull(error);
    if (!g_str_has_suffix(error->message, end))
        g_error("\"%s\" does not end in \"%s\"", error->message, end);
    g_error_free(error);
}

/* The call reports its reason in `error`. */
#define ASSERT_REFUSED(call, end)          \
    do {                                   \
        GError *error = NULL;              \
        bool done_ = (call);               \
                                           \
        assert_refused(done_, error, end); \
    } while (0)

static void test_file(struct fixture *fixture, gconstpointer data)
{
    char text[8] = "";

    (void)data;
    put(fixture, "networks/lan.xml", "hello");
    int fd = privileged_file(REQUEST_NETWORKS, "lan.xml", NULL);
    g_assert_cmpint(read(fd, text, sizeof(text)), ==, 5);
    g_assert_cmpint(write(fd, text, 1), ==, -1);
    g_assert_cmpstr(text, ==, "hello");
    close(fd);
}

/* A link out of the folder, a pipe that would hang us, a folder. */
static void test_no_file(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *link = g_build_filename(fixture->top, "networks", "link.xml", NULL);
    g_autofree char *pipe = g_build_filename(fixture->top, "networks", "pipe.xml", NULL);
    g_autofree char *folder = g_build_filename(fixture->top, "networks", "folder.xml", NULL);

    (void)data;
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    ASSERT_REFUSED(privileged_file(REQUEST_NETWORKS, "link.xml", &error) >= 0,
                   "Too many levels of symbolic links");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    ASSERT_REFUSED(privileged_file(REQUEST_NETWORKS, "pipe.xml", &error) >= 0,
                   "not a regular file");
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    ASSERT_REFUSED(privileged_file(REQUEST_NETWORKS, "folder.xml", &error) >= 0,
                   "not a regular file");
}

/* The test's own process, and one that somebody else started. */
static void test_foreign_process(struct fixture *fixture, gconstpointer data)
{
    pid_t pid = fork();

    (void)fixture;
    (void)data;
    if (pid == 0) {
        pause();
        _exit(0);
    }
    privileged_end(pid);
    g_usleep(20000);
    g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void on_ended(void *context, GPid pid, int status)
{
    (void)pid;
    *(int *)context = status;
}

/* A worker is told of when it ends, and cannot be ended here. */
static void test_worker(struct fixture *fixture, gconstpointer data)
{
    int status = -1;
    GPid pid;

    (void)data;
    put(fixture, "machines/a.json", "{}");
    g_assert_true(privileged_worker("a.json", &pid, NULL));
    privileged_on_ended(pid, on_ended, &status);
    while (status < 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* What is not ours: interfaces, adapters, in any network namespace. */
static void test_foreign_interface(struct fixture *fixture, gconstpointer data)
{
    struct address address = {AF_INET, {192, 0, 2, 1}};
    struct request_nat nat = good(REQUEST_NAT).nat;
    struct request_take take = good(REQUEST_TAKE).take;
    g_autoptr(GPtrArray) reports = g_ptr_array_new();
    struct port_packet_fds *fds = NULL;
    GPid pid;

    (void)fixture;
    (void)data;
    ASSERT_REFUSED(privileged_address("lo", &address, 24, &error), "not made here");
    ASSERT_REFUSED(privileged_nat(&nat, &error), "not made here");
    ASSERT_REFUSED(privileged_dnsmasq("lan", "lo", "port=0\n", &pid, &error), "not made here");
    ASSERT_REFUSED(privileged_take(&take, reports, &error), "not made here");
    ASSERT_REFUSED(privileged_follow(&take, &error), "not taken here");
    ASSERT_REFUSED(privileged_give_back(&take, &error), "not taken here");
    ASSERT_REFUSED(privileged_packet("lo", fds, &error), "not taken here");
}

/* A connection to what is no socket, or not there. */
static void test_dial(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    put(fixture, "run/file.sock", "");
    g_assert_cmpint(privileged_dial("file.sock"), ==, -ECONNREFUSED);
    g_assert_cmpint(privileged_dial("none.sock"), ==, -ENOENT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/request/good", test_good);
    for (unsigned i = 0; i < G_N_ELEMENTS(bads); i++) {
        g_autofree char *path = g_strdup_printf("/request/attack/%s", bads[i].name);

        g_test_add_data_func(path, &bads[i], test_bad);
    }
    g_test_add_func("/request/attack/size", test_size);
    g_test_add_func("/request/attack/descriptors", test_descriptors);
    g_test_add_func("/request/attack/many-descriptors", test_many_descriptors);
    g_test_add_func("/request/dnsmasq", test_dnsmasq_good);
    g_test_add_func("/request/attack/dnsmasq-options", test_dnsmasq_bad);
#define PARENT(path, test) g_test_add(path, struct fixture, NULL, set_up, test, tear_down)
    PARENT("/request/parent/file", test_file);
    PARENT("/request/parent/worker", test_worker);
    PARENT("/request/parent/dial", test_dial);
    PARENT("/request/attack/parent/no-file", test_no_file);
    PARENT("/request/attack/parent/foreign-process", test_foreign_process);
    PARENT("/request/attack/parent/foreign-interface", test_foreign_interface);
    return g_test_run();
}
