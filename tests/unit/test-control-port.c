/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach-port and detach-port: descriptors that come with a request, as they should and otherwise.
 * The NIC is none; what it is given must be what was sent, and nothing else may stay open.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/worker/control_priv.h"
#include "tests/unit/fake_machine.h"

#define ATTACH "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":0}}\n"
#define DETACH "{\"execute\":\"detach-port\",\"arguments\":{\"nic\":0}}\n"
#define DONE   "{\"return\":{}}\n"
#define COUNT_WRONG                                                                           \
    "{\"error\":{\"class\":\"request\",\"message\":\"not the descriptors of NIC 0: give the " \
    "memfd, and four eventfds for each queue pair, of which there are 2 to 8\"}}\n"
#define NO_RING                                                                                    \
    "{\"error\":{\"class\":\"request\",\"message\":\"not a port ring: give a sealed memfd of the " \
    "ring's size, then non-blocking eventfds\"}}\n"

#define SENT_MAX 253u /* the kernel's own limit, SCM_MAX_FD */

struct fixture {
    struct machine *machine;
    struct control *control;
    char *directory;
    int client;
    int fd[NIC_DESCRIPTORS_MAX]; /* a port of two queue pairs: nine of them */
    unsigned open;               /* descriptors of the process before anything is sent */
};

/* Descriptors that are open, as far as any can be here. */
static unsigned count_open(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void turn(struct fixture *fixture)
{
    while (lane_turn(fixture->machine->lane, 0))
        ;
}

/* What the client has been sent. */
static char *answers(struct fixture *fixture)
{
    char text[4096];

    turn(fixture);
    ssize_t got = read(fixture->client, text, sizeof(text) - 1);
    return g_strndup(text, got > 0 ? (gsize)got : 0);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    static const struct port_ring_geometry geometry = {.queues = 2, .cells = 64};
    struct port_ring_fds fds;
    int pair[2];

    (void)data;
    fixture->directory = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(fixture->directory, "vm1.sock", NULL);
    fixture->machine = fake_machine_new();
    fixture->control = control_new(fixture->machine, path, NULL);
    g_assert_nonnull(fixture->control);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), ==,
                    0);
    fixture->client = pair[0];
    control_client_adopt(fixture->control, pair[1]);
    g_free(answers(fixture));
    g_assert_cmpint(port_ring_create(&geometry, &fds), ==, 0);
    fixture->fd[0] = fds.memory;
    memcpy(fixture->fd + 1, fds.queue, 8 * sizeof(int));
    fixture->open = count_open();
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    netvsp_detach(machine_nic(fixture->machine, 0));
    g_assert_cmpuint(count_open(), ==, fixture->open);
    for (unsigned i = 0; i < 9; i++)
        close(fixture->fd[i]);
    close(fixture->client);
    control_free(fixture->control);
    fake_machine_free(fixture->machine);
    g_assert_cmpint(rmdir(fixture->directory), ==, 0);
    g_free(fixture->directory);
}

static void send_with(struct fixture *fixture, const char *text, const int *fd, unsigned count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(SENT_MAX * sizeof(int))] = {0};
    struct iovec data = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

    if (count) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(part), fd, count * sizeof(int));
    }
    g_assert_cmpint(sendmsg(fixture->client, &message, 0), ==, (ssize_t)data.iov_len);
}

static void assert_answer(struct fixture *fixture, const char *text, const int *fd, unsigned count,
                          const char *answer)
{
    send_with(fixture, text, fd, count);
    g_autofree char *got = answers(fixture);

    g_assert_cmpstr(got, ==, answer);
}

static bool same_file(int a, int b)
{
    struct stat one, other;

    g_assert_true(fstat(a, &one) == 0 && fstat(b, &other) == 0);
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* A doorbell is known by what is in it. */
static void assert_doorbell(int given, int sent)
{
    static const uint64_t mark = 77;
    uint64_t seen = 0;

    g_assert_cmpint(write(sent, &mark, 8), ==, 8);
    g_assert_cmpint(read(given, &seen, 8), ==, 8);
    g_assert_cmpuint(seen, ==, mark);
    g_assert_cmpint(fcntl(given, F_GETFD), ==, FD_CLOEXEC);
}

static void test_attach(struct fixture *fixture, gconstpointer data)
{
    const struct port_ring_fds *port = &fixture->machine->port;

    (void)data;
    assert_answer(fixture, ATTACH, fixture->fd, 9, DONE);
    g_assert_cmpuint(fixture->machine->port_queues, ==, 2);
    g_assert_true(same_file(port->memory, fixture->fd[0]));
    for (unsigned i = 0; i < 2; i++) {
        assert_doorbell(port->queue[i].to_switch_data, fixture->fd[1 + 4 * i]);
        assert_doorbell(port->queue[i].to_switch_room, fixture->fd[2 + 4 * i]);
        assert_doorbell(port->queue[i].to_worker_data, fixture->fd[3 + 4 * i]);
        assert_doorbell(port->queue[i].to_worker_room, fixture->fd[4 + 4 * i]);
    }
    g_assert_cmpint(port->queue[2].to_switch_data, ==, -1);
    assert_answer(fixture, DETACH, NULL, 0, DONE);
    g_assert_cmpuint(fixture->machine->port_queues, ==, 0);
    g_assert_cmpuint(count_open(), ==, fixture->open);
    assert_answer(fixture, DETACH, NULL, 0, DONE); /* twice is once */
}

/* Whoever attaches again takes the place of what was there. */
static void test_attach_again(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 3; i++)
        assert_answer(fixture, ATTACH, fixture->fd, 9, DONE);
    g_assert_cmpuint(fixture->machine->detaches, ==, 2);
    g_assert_cmpuint(count_open(), ==, fixture->open + 9);
}

static void test_none(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_answer(fixture, ATTACH, NULL, 0, COUNT_WRONG);
}

static void test_wrong_count(struct fixture *fixture, gconstpointer data)
{
    static const unsigned counts[] = {1, 2, 4, 6, 7, 8};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
        assert_answer(fixture, ATTACH, fixture->fd, counts[i], COUNT_WRONG);
        g_assert_cmpuint(count_open(), ==, fixture->open);
    }
    fixture->machine->attach_result = -EINVAL; /* fewer pairs than the NIC has */
    assert_answer(fixture, ATTACH, fixture->fd, 5, COUNT_WRONG);
}

/* More than any port has: in one message, beyond what is looked at, and in two. */
static void test_too_many(struct fixture *fixture, gconstpointer data)
{
    static const unsigned counts[] = {NIC_DESCRIPTORS_MAX + 1, NIC_DESCRIPTORS_MAX + 4, SENT_MAX};
    int many[SENT_MAX];

    (void)data;
    for (unsigned i = 0; i < SENT_MAX; i++)
        many[i] = fixture->fd[i % 9];
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
        assert_answer(fixture, ATTACH, many, counts[i], COUNT_WRONG);
        g_assert_cmpuint(count_open(), ==, fixture->open);
    }
    send_with(fixture, "{\"execute\":", many, NIC_DESCRIPTORS_MAX);
    turn(fixture);
    g_assert_cmpuint(count_open(), ==, fixture->open + NIC_DESCRIPTORS_MAX);
    send_with(fixture, "\"attach-port\",", many, 1);
    turn(fixture);
    g_assert_cmpuint(count_open(), ==, fixture->open);
    send_with(fixture, "\"arguments\":", many, 9);
    assert_answer(fixture, "{\"nic\":0}}\n", NULL, 0, COUNT_WRONG);
    assert_answer(fixture, ATTACH, fixture->fd, 9, DONE); /* all is well again */
}

static void test_most(struct fixture *fixture, gconstpointer data)
{
    int most[NIC_DESCRIPTORS_MAX];

    (void)data;
    for (unsigned i = 0; i < NIC_DESCRIPTORS_MAX; i++)
        most[i] = fixture->fd[i ? 1 + i % 8 : 0];
    assert_answer(fixture, ATTACH, most, NIC_DESCRIPTORS_MAX, DONE);
    g_assert_cmpuint(fixture->machine->port_queues, ==, LIMIT_PORT_QUEUES);
}

/* What the NIC says of the memory. */
static void test_bad_memory(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->machine->attach_result = -EBADF;
    assert_answer(fixture, ATTACH, fixture->fd, 9, NO_RING);
    fixture->machine->attach_result = -EPROTONOSUPPORT;
    assert_answer(fixture, ATTACH, fixture->fd, 9,
                  "{\"error\":{\"class\":\"request\",\"message\":\"the port ring is of a newer "
                  "version; give version 1\"}}\n");
    fixture->machine->attach_result = -EPROTO;
    assert_answer(fixture, ATTACH, fixture->fd, 9,
                  "{\"error\":{\"class\":\"request\",\"message\":\"the port ring's header or "
                  "indices are wrong\"}}\n");
    fixture->machine->attach_result = -ENOMEM;
    assert_answer(fixture, ATTACH, fixture->fd, 9,
                  "{\"error\":{\"class\":\"failed\",\"message\":\"Cannot allocate memory\"}}\n");
    g_assert_cmpuint(count_open(), ==, fixture->open);
}

/* In place of a doorbell: the memfd, files, a socket, a pipe, an eventfd that blocks. */
static void test_no_eventfd(struct fixture *fixture, gconstpointer data)
{
    int file = open("/proc/self/exe", O_RDONLY | O_NONBLOCK | O_CLOEXEC), pipes[2];
    int blocking = eventfd(0, EFD_CLOEXEC), memory = memfd_create("x", MFD_CLOEXEC);

    (void)data;
    g_assert_cmpint(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), ==, 0);
    g_assert_cmpint(fcntl(memory, F_SETFL, O_NONBLOCK), ==, 0);
    const int bad[] = {fixture->fd[0], memory, file, fixture->client, pipes[0], pipes[1], blocking};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        for (unsigned place = 1; place < 9; place++) {
            int fd[9];

            memcpy(fd, fixture->fd, sizeof(fd));
            fd[place] = bad[i];
            assert_answer(fixture, ATTACH, fd, 9, NO_RING);
        }
    close(file);
    close(memory);
    close(blocking);
    close(pipes[0]);
    close(pipes[1]);
}

/* A request that has no use for descriptors does not keep them. */
static void test_unwanted(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_answer(fixture, "{\"execute\":\"reset\"}\n", fixture->fd, 9, DONE);
    g_assert_cmpuint(count_open(), ==, fixture->open);
    assert_answer(fixture, ATTACH, NULL, 0, COUNT_WRONG);
    send_with(fixture, "\n", fixture->fd, 9);
    turn(fixture);
    g_assert_cmpuint(count_open(), ==, fixture->open);
}

/* Descriptors that come before their line ends wait for it; a client that goes takes them along. */
static void test_split(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    send_with(fixture, "{\"execute\":\"attach-port\",", fixture->fd, 5);
    turn(fixture);
    send_with(fixture, "\"arguments\":", fixture->fd + 5, 4);
    assert_answer(fixture, "{\"nic\":0}}\n", NULL, 0, DONE);
    assert_answer(fixture, DETACH, NULL, 0, DONE);
    send_with(fixture, "{", fixture->fd, 9);
    turn(fixture);
    g_assert_cmpuint(count_open(), ==, fixture->open + 9);
    close(fixture->client);
    turn(fixture);
    g_assert_cmpuint(count_open(), ==, fixture->open - 2); /* nor is the client */
    fixture->client = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fixture->open--;
}

/* Two requests in a row, each with its own; and behind one that has none. */
static void test_in_a_row(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    send_with(fixture, "{\"execute\":\"reset\"}\n", NULL, 0);
    send_with(fixture, ATTACH, fixture->fd, 9);
    send_with(fixture, ATTACH, fixture->fd, 7);
    send_with(fixture, ATTACH, fixture->fd, 9);
    g_autofree char *got = answers(fixture);
    g_assert_cmpstr(got, ==, DONE DONE COUNT_WRONG DONE);
    g_assert_cmpuint(fixture->machine->detaches, ==, 1);
}

static void test_no_nic(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_answer(fixture, "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":1}}\n", fixture->fd,
                  9,
                  "{\"error\":{\"class\":\"request\",\"message\":\"this machine has no NIC 1 (key "
                  "nics)\"}}\n");
    assert_answer(fixture, "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":8}}\n", fixture->fd,
                  9,
                  "{\"error\":{\"class\":\"request\",\"message\":\"arguments.nic: 8 is out of "
                  "range; give 0 to 7\"}}\n");
    assert_answer(fixture, "{\"execute\":\"detach-port\"}\n", fixture->fd, 9,
                  "{\"error\":{\"class\":\"request\",\"message\":\"arguments.nic: missing; this "
                  "key has no default\"}}\n");
}

#define ADD_NIC(arguments) "{\"execute\":\"nic-add\",\"arguments\":{" arguments "}}\n"
#define REFUSED(message)   "{\"error\":{\"class\":\"request\",\"message\":\"" message "\"}}\n"

static void test_nic_add(struct fixture *fixture, gconstpointer data)
{
    const struct config_nic *added = &fixture->machine->nic_added;

    (void)data;
    assert_answer(fixture, ADD_NIC("\"network\":\"lan\""), NULL, 0,
                  REFUSED("arguments.mac: missing; this key has no default"));
    assert_answer(fixture, ADD_NIC("\"mac\":\"53:54:00:00:00:02\""), NULL, 0,
                  REFUSED("arguments.mac: \\\"53:54:00:00:00:02\\\" is not the address of one "
                          "adapter; give 52:54:00:aa:bb:cc, the first number even"));
    assert_answer(fixture, ADD_NIC("\"mac\":\"52:54:00:00:00:02\",\"mtu\":9001"), NULL, 0,
                  REFUSED("arguments.mtu: 9001 is out of range; give 68 to 9000"));
    g_assert_cmpuint(added->mtu, ==, 0);
    assert_answer(fixture,
                  ADD_NIC("\"mac\":\"52:54:00:00:00:02\",\"network\":\"lan\",\"queues\":2"), NULL,
                  0, "{\"return\":{\"nic\":1}}\n");
    g_assert_cmpuint(added->mtu, ==, 1500);
    g_assert_cmpuint(added->queues, ==, 2);
    g_assert_cmpmem(added->mac, 6, "\x52\x54\0\0\0\x02", 6);
    assert_answer(fixture, ADD_NIC("\"mac\":\"52:54:00:00:00:03\""), NULL, 0, REFUSED("no room"));
}

/* One that leaves takes no port. */
static void test_nic_remove(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_answer(fixture, "{\"execute\":\"nic-remove\",\"arguments\":{\"nic\":1}}\n", NULL, 0,
                  REFUSED("not there"));
    assert_answer(fixture, "{\"execute\":\"nic-remove\",\"arguments\":{\"nic\":0}}\n", NULL, 0,
                  DONE);
    assert_answer(fixture, ATTACH, fixture->fd, 9,
                  "{\"error\":{\"class\":\"state\",\"message\":\"NIC 0 is on its way out\"}}\n");
    assert_answer(fixture, "{\"execute\":\"nics\"}\n", NULL, 0,
                  "{\"return\":[{\"state\":\"leaving\",\"mac\":\"00:00:00:00:00:00\",\"mtu\":1500,"
                  "\"queues\":2}]}\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
    g_test_add("/control/port/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("attach", test_attach);
    ADD("attach-again", test_attach_again);
    ADD("none", test_none);
    ADD("wrong-count", test_wrong_count);
    ADD("too-many", test_too_many);
    ADD("most", test_most);
    ADD("bad-memory", test_bad_memory);
    ADD("no-eventfd", test_no_eventfd);
    ADD("unwanted", test_unwanted);
    ADD("split", test_split);
    ADD("in-a-row", test_in_a_row);
    ADD("no-nic", test_no_nic);
    ADD("nic-add", test_nic_add);
    ADD("nic-remove", test_nic_remove);
    return g_test_run();
}
