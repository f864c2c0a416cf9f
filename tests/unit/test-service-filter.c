/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/service_filter.c: whatever vmbusd's unprivileged process does once it is sealed must
 * be on the list, and what it has no business with must not.
 */
#include "src/daemon/service_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/confine.h"
#include "tests/unit/netns_fixture.h"
#include "vswitch/port_guest.h"
#include "vswitch/port_packet.h"
#include "vswitch/port_ring.h"
#include "vswitch/port_tap.h"
#include "vswitch/switch.h"

/* As service.c does. */
static void seal(void)
{
    struct sock_fprog program;

    g_assert_true(confine_capabilities(NULL));
    g_assert_cmpint(confine_filter_build(&service_filter, &program), ==, 0);
    g_assert_cmpint(confine_filter_enter(&program), ==, 0);
}

/* How a process ends that is sealed and then runs `body`; it exits with 0 if that returns. */
static int sealed(void (*body)(void *context), void *context)
{
    pid_t pid = fork();
    int status;

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        seal();
        body(context);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

/* --- What it does ----------------------------------------------------------------------------- */

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            _exit(1);     \
    } while (0)

static struct vswitch *make_switch(void)
{
    struct vswitch_config config = {.name = "sealed", .threads = 2, .snooping = true};
    struct vswitch *vswitch = vswitch_new(&config);

    MUST(vswitch);
    return vswitch;
}

static void add(struct vswitch *vswitch, struct port *port)
{
    struct port_policy policy = {0};
    uint32_t number;

    MUST(vswitch_port_add(vswitch, port, &policy, &number) == 0);
}

/* Two machines' ports come and go, and networks with them. */
static void use_rings(void *context)
{
    struct port_ring_geometry geometry = {.queues = 2, .cells = 256};

    (void)context;
    for (unsigned i = 0; i < 2; i++) {
        struct vswitch *vswitch = make_switch();
        struct port_ring_fds fds[2];
        struct port_guest *guest[2];

        for (unsigned j = 0; j < 2; j++) {
            MUST(port_ring_create(&geometry, &fds[j]) == 0);
            guest[j] = port_guest_new(&fds[j], 1500);
            MUST(guest[j]);
            add(vswitch, port_guest_port(guest[j]));
        }
        for (unsigned j = 0; j < 2; j++) {
            vswitch_port_remove(vswitch, port_guest_port(guest[j]));
            port_guest_free(guest[j]);
            port_ring_close(&fds[j], geometry.queues);
        }
        vswitch_free(vswitch);
    }
}

static void test_rings(void)
{
    g_assert_cmpint(sealed(use_rings, NULL), ==, 0);
}

static gboolean quit(void *loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void use_loop(void *context)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);

    (void)context;
    g_timeout_add(10, quit, loop);
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    MUST(g_get_num_processors() > 0);
    int fd = memfd_create("text", MFD_CLOEXEC);
    MUST(write(fd, "text", 4) == 4 && close(fd) == 0);
}

static void test_loop(void)
{
    g_assert_cmpint(sealed(use_loop, NULL), ==, 0);
}

struct host {
    int tap;
    struct port_packet_fds packet;
};

/* Frames from an adapter to the host and back, which have to find each other. */
static void use_host(void *context)
{
    struct host *host = context;
    struct vswitch *vswitch = make_switch();
    struct port *tap = port_tap_new(host->tap, 1500, NULL);
    struct port *packet = port_packet_new(&host->packet, NULL);
    struct port_stats stats = {0};

    MUST(tap && packet);
    add(vswitch, tap);
    add(vswitch, packet);
    for (unsigned i = 0; i < 500 && !stats.frames_in; i++) {
        g_usleep(10000);
        vswitch_port_stats(packet, &stats);
    }
    MUST(stats.frames_in);
    vswitch_port_remove(vswitch, packet);
    vswitch_port_remove(vswitch, tap);
    port_packet_free(packet);
    port_tap_free(tap);
    vswitch_free(vswitch);
}

static void test_host(void)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
    struct host host;

    netns_sh("ip link add eth0 type veth peer name wire0 && ip link set eth0 up && "
             "ip link set wire0 up");
    g_assert_true(port_tap_open("vs-x", mac, 1500, &host.tap, NULL));
    g_assert_true(port_packet_open("eth0", &host.packet, NULL));
    netns_sh("(for i in 1 2 3 4 5 6 7 8 9 10; do ip link set wire0 down; ip link set wire0 up; "
             "sleep 0.3; done) >/dev/null 2>&1 &"); /* which makes IPv6 speak on it */
    g_assert_cmpint(sealed(use_host, &host), ==, 0);
}

/* --- What it has no business with ------------------------------------------------------------- */

static void attack_exec(void *context)
{
    (void)context;
    execl("/bin/true", "true", NULL);
}

static void attack_kill(void *context)
{
    (void)context;
    kill(getppid(), 0);
}

static void attack_connect(void *context)
{
    struct sockaddr address = {.sa_family = AF_UNIX};

    (void)context;
    connect(0, &address, sizeof(address));
}

static void attack_bind(void *context)
{
    struct sockaddr address = {.sa_family = AF_UNIX};

    (void)context;
    bind(0, &address, sizeof(address));
}

static void attack_ptrace(void *context)
{
    (void)context;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void attack_bpf(void *context)
{
    (void)context;
    syscall(SYS_bpf, 0, NULL, 0);
}

static void attack_unshare(void *context)
{
    (void)context;
    unshare(CLONE_NEWUSER);
}

static void attack_executable(void *context)
{
    (void)context;
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void attack_io_uring(void *context)
{
    (void)context;
    syscall(SYS_io_uring_setup, 1, NULL);
}

static void assert_killed(gconstpointer attack)
{
    int status = sealed((void (*)(void *))attack, NULL);

    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* Libraries try these and go on without. */
static void refused(void *context)
{
    (void)context;
    MUST(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
}

static void test_refused(void)
{
    g_assert_cmpint(sealed(refused, NULL), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/service-filter/rings", test_rings);
    g_test_add_func("/service-filter/loop", test_loop);
    netns_test_add("/service-filter/host", test_host);
    g_test_add_func("/service-filter/attack/refused", test_refused);
#define ATTACK(name)                                                                    \
    g_test_add_data_func("/service-filter/attack/" #name, (gconstpointer)attack_##name, \
                         assert_killed)
    ATTACK(exec);
    ATTACK(kill);
    ATTACK(connect);
    ATTACK(bind);
    ATTACK(ptrace);
    ATTACK(bpf);
    ATTACK(unshare);
    ATTACK(executable);
    ATTACK(io_uring);
    return g_test_run();
}
