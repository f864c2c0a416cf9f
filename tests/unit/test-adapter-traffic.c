/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host's own traffic sees of a takeover and of a return: a TCP connection goes on, and no
 * datagram arrives twice. The switch is a loop of this test between adapter and host port.
 */
#include "vswitch/adapter_takeover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/adapter_fixture.h"
#include "tests/unit/netns_fixture.h"

#define HOST "192.0.2.1"
#define FAR  "192.0.2.100"
#define PORT 7000
#define GAP  (2 * G_USEC_PER_SEC) /* the longest silence that is allowed */

static char folder[] = "/dev/shm/vmbusd-adapter-XXXXXX";
static const struct adapter_takeover lan = {.folder = folder,
                                            .root = "/nonexistent",
                                            .vswitch = "lan",
                                            .adapter = "eth0",
                                            .host_port = "vmh0",
                                            .veth = true};

/* What the parties tell each other, in memory that they share. */
struct shared {
    _Atomic bool stop;
    _Atomic gint64 longest; /* silence of the TCP connection, microseconds */
    _Atomic unsigned echoed, sent, received, repeated;
    int tap;
};
static struct shared *shared;

/* --- The switch ------------------------------------------------------------------------------- */

static int packet_open(void)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex("eth0")};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), ==, 0);
    g_assert_cmpint(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)), ==, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

/* Copy frames, virtio-net header and all, both ways; a TAP that is down takes and gives none. */
static void bridge(void *context)
{
    static char frame[70000];
    struct pollfd item[2] = {{.fd = packet_open(), .events = POLLIN},
                             {.fd = shared->tap, .events = POLLIN}};

    (void)context;
    for (;;) {
        poll(item, 2, -1);
        for (unsigned i = 0; i < 2; i++) {
            ssize_t length = item[i].revents & POLLIN ? read(item[i].fd, frame, sizeof(frame)) : 0;

            if (length > 0 && write(item[!i].fd, frame, (size_t)length) < 0)
                continue; /* lost, as on a wire */
        }
        if ((item[1].revents & ~POLLIN) && !(item[1].revents & POLLIN))
            g_usleep(1000);
    }
}

/* --- The far end ------------------------------------------------------------------------------ */

static int inet_socket(int type, const char *own)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, type, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    inet_pton(AF_INET, own, &address.sin_addr);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static void echo(void *context)
{
    int fd = inet_socket(SOCK_STREAM, FAR);
    uint32_t word;

    (void)context;
    g_assert_cmpint(listen(fd, 1), ==, 0);
    int peer = accept(fd, NULL, NULL);
    while (recv(peer, &word, sizeof(word), MSG_WAITALL) == sizeof(word))
        g_assert_cmpint(send(peer, &word, sizeof(word), 0), ==, sizeof(word));
}

/* Numbered datagrams to the host, for ever. */
static void number(void *context)
{
    struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = inet_socket(SOCK_DGRAM, FAR);

    (void)context;
    inet_pton(AF_INET, HOST, &host.sin_addr);
    for (uint32_t i = 0; !shared->stop; i++) {
        if (sendto(fd, &i, sizeof(i), 0, (struct sockaddr *)&host, sizeof(host)) == sizeof(i))
            shared->sent++;
        g_usleep(2000);
    }
}

/* --- The host --------------------------------------------------------------------------------- */

static void count(void *context)
{
    static uint8_t seen[1 << 20];
    int fd = inet_socket(SOCK_DGRAM, HOST);
    uint32_t i;

    (void)context;
    while (!shared->stop) {
        struct pollfd item = {.fd = fd, .events = POLLIN};

        if (poll(&item, 1, 50) <= 0 || recv(fd, &i, sizeof(i), 0) != sizeof(i))
            continue;
        shared->received++;
        if (seen[i % sizeof(seen)]++)
            shared->repeated++;
    }
}

static void talk(void *context)
{
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)context;
    inet_pton(AF_INET, FAR, &far.sin_addr);
    while (connect(fd, (struct sockaddr *)&far, sizeof(far)) < 0)
        g_usleep(10000);
    for (uint32_t i = 0, back; !shared->stop; i++) {
        gint64 start = g_get_monotonic_time();

        g_assert_cmpint(send(fd, &i, sizeof(i), 0), ==, sizeof(i));
        g_assert_cmpint(recv(fd, &back, sizeof(back), MSG_WAITALL), ==, sizeof(back));
        g_assert_cmpuint(back, ==, i);
        shared->longest = MAX(shared->longest, g_get_monotonic_time() - start);
        shared->echoed++;
        g_usleep(1000);
    }
}

/* --- Test ------------------------------------------------------------------------------------- */

static void begin(int *ret_far)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(shared != MAP_FAILED);
    g_assert_nonnull(g_mkdtemp(strcpy(folder, "/dev/shm/vmbusd-adapter-XXXXXX")));
    *ret_far = host_build();
    netns_sh("ip addr add " HOST "/24 dev eth0");
    int ours = netns_current();
    netns_enter(*ret_far);
    netns_sh("ip addr add " FAR "/24 dev wire0");
    netns_enter(ours);
    close(ours);
    shared->tap = host_tap("vmh0");
}

/* Traffic must go on: wait until another `more` words have come back. */
static void wait_for_words(unsigned more)
{
    unsigned wanted = shared->echoed + more;

    for (unsigned i = 0; i < 3000 && shared->echoed < wanted; i++)
        g_usleep(10000);
    g_assert_cmpuint(shared->echoed, >=, wanted);
}

static void body_survive(void)
{
    g_autoptr(GError) error = NULL;
    bool adopted = false;
    int far;

    begin(&far);
    int ours = netns_current();
    pid_t servers[] = {netns_spawn(ours, bridge, NULL), netns_spawn(far, echo, NULL)};
    pid_t clients[] = {netns_spawn(ours, count, NULL), netns_spawn(ours, talk, NULL),
                       netns_spawn(far, number, NULL)};
    wait_for_words(50);
    for (unsigned round = 0; round < 3; round++) {
        adapter_take(&lan, NULL, NULL, &error);
        g_assert_no_error(error);
        host_assert_output("ip -o -4 addr show to " HOST " | grep -c vmh0", "1\n");
        wait_for_words(50);
        adapter_recover(&lan, false, &error); /* as a restarted vmbusd does */
        g_assert_no_error(error);
        g_assert_true(adapter_take(&lan, NULL, &adopted, &error));
        g_assert_true(adopted);
        adapter_give_back(&lan, &error);
        g_assert_no_error(error);
        wait_for_words(50);
    }
    shared->stop = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++)
        netns_wait(clients[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(servers); i++) {
        kill(servers[i], SIGKILL);
        waitpid(servers[i], NULL, 0);
    }
    fprintf(stderr, "# %u words, longest silence %d ms; %u datagrams sent, %u received, %u twice\n",
            shared->echoed, (int)(shared->longest / 1000), shared->sent, shared->received,
            shared->repeated);
    g_assert_cmpint(shared->longest, <, GAP);
    g_assert_cmpuint(shared->repeated, ==, 0);
    g_assert_cmpuint(shared->received, >, shared->sent / 2);
    netns_sh("rm -r %s", folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!host_possible()) {
        g_print("1..0 # SKIP needs root, nft and /dev/net/tun\n");
        return 0;
    }
    netns_test_add("/adapter/traffic/survive", body_survive);
    return g_test_run();
}
