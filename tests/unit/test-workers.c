/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/workers.c, worker_link.c, nic_port.c, machine_file.c and networks.c: workers that come
 * and go in every order, with worker processes that are none and a real switch between them.
 */
#include "src/daemon/workers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib/gstdio.h>

#include "src/common/json.h"
#include "src/common/log.h"
#include "src/daemon/machine_file.h"
#include "vswitch/port_ring.h"

#define GREETING "{\"vmbusd-worker\":{\"protocol\":1,\"name\":\"%s\",\"machine\":\"vmbusd-0.1\"}}\n"

/* --- A worker that is none -------------------------------------------------------------------- */

struct fake {
    char *name, *path;
    int listener, fd;
    guint source, client;
    const char *greeting; /* NULL: a right one */
    bool refuse;
    unsigned attached; /* requests seen */
    struct port_ring_fds fds;
    struct port_ring ring;
    bool mapped;
};

static void fake_unmap(struct fake *fake)
{
    if (!fake->mapped)
        return;
    port_ring_unmap(&fake->ring);
    port_ring_close(&fake->fds, fake->ring.geometry.queues);
    fake->mapped = false;
}

static void fake_hang_up(struct fake *fake)
{
    if (fake->client)
        g_source_remove(fake->client);
    if (fake->fd >= 0)
        close(fake->fd);
    fake->client = 0;
    fake->fd = -1;
}

static void fake_attach(struct fake *fake, const int *fd, size_t count)
{
    g_autofree char *answer = NULL;

    g_assert_cmpuint(count, ==, 5);
    fake_unmap(fake);
    memcpy(&fake->fds, fd, sizeof(int) * count);
    g_assert_cmpint(port_ring_map(&fake->ring, &fake->fds, PORT_RING_WORKER), ==, 0);
    fake->mapped = true;
    fake->attached++;
    answer = g_strdup(fake->refuse ? "{\"error\":{\"class\":\"state\",\"message\":\"not now\"},"
                                     "\"id\":0}\n"
                                   : "{\"event\":\"running\",\"data\":{},\"time\":1}\n"
                                     "{\"return\":{},\"id\":0}\n");
    g_assert_cmpint(write(fake->fd, answer, strlen(answer)), ==, (ssize_t)strlen(answer));
}

static gboolean fake_readable(gint fd, GIOCondition condition, gpointer context)
{
    struct fake *fake = context;
    char line[4096], control[CMSG_SPACE(sizeof(int) * 64)];
    struct iovec data = {.iov_base = line, .iov_len = sizeof(line) - 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

    (void)condition;
    if (got <= 0) {
        fake->client = 0;
        fake_hang_up(fake);
        return G_SOURCE_REMOVE;
    }
    line[got] = '\0';
    g_assert_cmpstr(line, ==, "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":0},\"id\":0}\n");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    g_assert_nonnull(header);
    fake_attach(fake, (int *)(void *)CMSG_DATA(header),
                (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    return G_SOURCE_CONTINUE;
}

static gboolean fake_connected(gint fd, GIOCondition condition, gpointer context)
{
    struct fake *fake = context;
    g_autofree char *greeting = g_strdup_printf(GREETING, fake->name);
    const char *text = fake->greeting ? fake->greeting : greeting;

    (void)condition;
    fake_hang_up(fake);
    fake->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(fake->fd, >=, 0);
    fake->client = g_unix_fd_add(fake->fd, G_IO_IN | G_IO_HUP, fake_readable, fake);
    g_assert_cmpint(write(fake->fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    return G_SOURCE_CONTINUE;
}

static struct fake *fake_new(const char *directory, const char *name)
{
    struct fake *fake = g_new0(struct fake, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    fake->name = g_strdup(name);
    fake->path = g_strdup_printf("%s/%s.sock", directory, name);
    fake->fd = -1;
    g_strlcpy(address.sun_path, fake->path, sizeof(address.sun_path));
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fake->listener, 4), ==, 0);
    fake->source = g_unix_fd_add(fake->listener, G_IO_IN, fake_connected, fake);
    return fake;
}

static void fake_free(struct fake *fake)
{
    fake_hang_up(fake);
    fake_unmap(fake);
    g_source_remove(fake->source);
    close(fake->listener);
    g_assert_cmpint(g_unlink(fake->path), ==, 0);
    g_free(fake->name);
    g_free(fake->path);
    g_free(fake);
}

/* --- Fixture ---------------------------------------------------------------------------------- */

struct fixture {
    char *top, *networks_dir, *machines_dir, *run_dir;
    struct networks *networks;
    struct workers *workers;
    unsigned refused;
};

static void write_file(const char *directory, const char *file, const char *text)
{
    g_autofree char *path = g_build_filename(directory, file, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void write_machine(struct fixture *fixture, const char *name, const char *network)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *text =
        g_strdup_printf("{\"name\":\"%s\",\"memory\":{\"mib\":64},\"boot\":{\"kernel\":\"/none\"},"
                        "\"nics\":[{\"network\":\"%s\"}]}",
                        name, network);

    write_file(fixture->machines_dir, file, text);
}

static char *make_dir(const char *top, const char *name)
{
    char *path = g_build_filename(top, name, NULL);

    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    return path;
}

static void daemon_start(struct fixture *fixture)
{
    struct workers_settings settings = {
        .folder = fixture->machines_dir, .run_dir = fixture->run_dir, .program = "false"};

    fixture->networks = networks_new(fixture->networks_dir, fixture->run_dir);
    fixture->workers = workers_new(&settings, fixture->networks);
    fixture->refused = networks_load(fixture->networks) + workers_load(fixture->workers);
}

static void daemon_stop(struct fixture *fixture)
{
    workers_free(fixture->workers);
    networks_free(fixture->networks);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->networks_dir = make_dir(fixture->top, "networks");
    fixture->machines_dir = make_dir(fixture->top, "machines");
    fixture->run_dir = make_dir(fixture->top, "run");
    write_file(fixture->networks_dir, "lan.xml", "<network><name>lan</name></network>");
}

static void remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_all(inner);
    }
    if (dir)
        g_dir_close(dir);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    remove_all(fixture->top);
    g_free(fixture->top);
    g_free(fixture->networks_dir);
    g_free(fixture->machines_dir);
    g_free(fixture->run_dir);
}

/* --- Waiting ---------------------------------------------------------------------------------- */

static gboolean tick(void *context)
{
    (void)context;
    return G_SOURCE_CONTINUE;
}

#define WAIT_FOR(condition)                                             \
    do {                                                                \
        gint64 end_ = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND; \
        guint tick_ = g_timeout_add(10, tick, NULL);                    \
        while (!(condition)) {                                          \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);           \
            g_main_context_iteration(NULL, TRUE);                       \
        }                                                               \
        g_source_remove(tick_);                                         \
    } while (0)

static size_t ports(struct fixture *fixture)
{
    struct json_object *array = json_object_new_array();
    size_t count;

    workers_ports(fixture->workers, NULL, array);
    count = json_object_array_length(array);
    json_object_put(array);
    return count;
}

/* --- Frames ----------------------------------------------------------------------------------- */

static void send_frame(struct fake *fake, uint8_t mark)
{
    struct frame_meta meta = {.length = 60};
    struct iovec data[2];
    uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0, 0, mark, 0x88, 0xb5};

    frame[14] = mark;
    g_assert_cmpint(port_queue_room(&fake->ring.out[0], sizeof(frame), data), >=, 1);
    memcpy(data[0].iov_base, frame, sizeof(frame));
    port_queue_push(&fake->ring.out[0], &meta);
    if (port_queue_commit(&fake->ring.out[0]))
        port_queue_ring_data(&fake->ring.out[0]);
}

/* The mark of a frame that has come, -1 if none. */
static int receive_frame(struct fake *fake)
{
    struct frame_meta meta;
    struct iovec data[2];
    int mark = -1;

    if (port_queue_pull(&fake->ring.in[0], &meta, data) > 0)
        mark = ((uint8_t *)data[0].iov_base)[14];
    if (port_queue_release(&fake->ring.in[0]))
        port_queue_ring_room(&fake->ring.in[0]);
    return mark;
}

static void assert_passes(struct fake *from, struct fake *to, uint8_t mark)
{
    int got = -1;

    send_frame(from, mark);
    WAIT_FOR((got = receive_frame(to)) >= 0);
    g_assert_cmpint(got, ==, mark);
}

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_attach(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    write_machine(fixture, "a", "lan");
    write_machine(fixture, "b", "lan");
    daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 0);
    WAIT_FOR(a->attached == 1 && b->attached == 1 && ports(fixture) == 2);
    assert_passes(a, b, 1);
    assert_passes(b, a, 2);
    daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* The worker ends, and starts again: by hand, a second later. */
static void test_worker_restarts(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    write_machine(fixture, "a", "lan");
    write_machine(fixture, "b", "lan");
    daemon_start(fixture);
    WAIT_FOR(ports(fixture) == 2 && a->attached && b->attached);
    fake_free(a);
    WAIT_FOR(ports(fixture) == 1);
    a = fake_new(fixture->run_dir, "a");
    WAIT_FOR(ports(fixture) == 2 && a->attached == 1);
    g_assert_cmpuint(b->attached, ==, 1);
    assert_passes(a, b, 3);
    assert_passes(b, a, 4);
    daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* The workers run on while vmbusd is away, and get new rings when it is back. */
static void test_daemon_restarts(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    write_machine(fixture, "a", "lan");
    write_machine(fixture, "b", "lan");
    for (unsigned life = 1; life <= 3; life++) {
        daemon_start(fixture);
        WAIT_FOR(a->attached == life && b->attached == life);
        assert_passes(a, b, (uint8_t)life);
        daemon_stop(fixture);
        WAIT_FOR(a->fd < 0 && b->fd < 0);
    }
    fake_free(a);
    fake_free(b);
}

static void test_network_comes_later(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    write_machine(fixture, "a", "later");
    write_machine(fixture, "b", "later");
    daemon_start(fixture);
    WAIT_FOR(a->fd >= 0 && b->fd >= 0);
    g_assert_cmpuint(ports(fixture), ==, 0);
    write_file(fixture->networks_dir, "later.xml", "<network><name>later</name></network>");
    networks_load(fixture->networks);
    WAIT_FOR(a->attached == 1 && b->attached == 1);
    assert_passes(a, b, 5);

    /* The network changes: it is stopped and started, and its guests are on it again. */
    write_file(fixture->networks_dir, "later.xml",
               "<network><name>later</name><mtu size='9000'/></network>");
    networks_load(fixture->networks);
    WAIT_FOR(a->attached == 2 && b->attached == 2);
    assert_passes(b, a, 6);

    /* Reading the same again changes nothing. */
    networks_load(fixture->networks);
    g_assert_cmpuint(ports(fixture), ==, 2);
    assert_passes(a, b, 7);
    daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

static void test_refused(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a");

    (void)data;
    a->refuse = true;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(a->attached == 1);
    WAIT_FOR(ports(fixture) == 0);
    daemon_stop(fixture);
    fake_free(a);
}

static void test_unknown_portgroup(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a");

    (void)data;
    write_file(fixture->machines_dir, "a.json",
               "{\"name\":\"a\",\"nics\":[{\"network\":\"lan\",\"portgroup\":\"none\"}]}");
    daemon_start(fixture);
    WAIT_FOR(a->fd >= 0);
    for (unsigned i = 0; i < 20; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(ports(fixture), ==, 0);
    daemon_stop(fixture);
    fake_free(a);
}

/* One that answers on the socket and is no worker, or goes on without an end of line. */
static void test_nonsense(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *endless = g_strnfill(2 * LIMIT_CONTROL_LINE, 'x');
    const char *const greetings[] = {"hello\n",
                                     "{\"vmbusd-worker\":{\"protocol\":2,\"name\":\"a\"}}\n",
                                     "{\"vmbusd-worker\":7}\n",
                                     "[]\n",
                                     "{\"vmbusd-worker\":{\"protocol\":1,\"name\":[]}}\n",
                                     endless};

    (void)data;
    write_machine(fixture, "a", "lan");
    for (unsigned i = 0; i < G_N_ELEMENTS(greetings); i++) {
        struct fake *a = fake_new(fixture->run_dir, "a");

        a->greeting = greetings[i];
        daemon_start(fixture);
        WAIT_FOR(a->fd >= 0);
        WAIT_FOR(a->fd < 0);
        g_assert_cmpuint(ports(fixture), ==, 0);
        daemon_stop(fixture);
        fake_free(a);
    }
}

/* Answers about NICs that there are not, events, ids of other types. */
static void test_strange_answers(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a");
    static const char lines[] = "{\"return\":{},\"id\":7}\n{\"error\":{},\"id\":99999999999}\n"
                                "{\"return\":{},\"id\":-1}\n{\"return\":{},\"id\":\"0\"}\n\n"
                                "{\"event\":\"x\"}\n{\"error\":3,\"id\":5}\n";

    (void)data;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(a->attached == 1);
    g_assert_cmpint(write(a->fd, lines, strlen(lines)), ==, (ssize_t)strlen(lines));
    for (unsigned i = 0; i < 20; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(ports(fixture), ==, 1);
    daemon_stop(fixture);
    fake_free(a);
}

/* A machine that does not run is started; when the program fails nothing else does. */
static void test_started(struct fixture *fixture, gconstpointer data)
{
    struct json_object *array = json_object_new_array();

    (void)data;
    write_machine(fixture, "a", "lan");
    write_file(fixture->machines_dir, "broken.json", "{\"name\":");
    write_file(fixture->machines_dir, "twin.json", "{\"name\":\"a\"}");
    write_file(fixture->machines_dir, "daemon.json", "{\"name\":\"vmbusd\"}");
    daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 3);
    for (unsigned i = 0; i < 20; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(10000);
    }
    workers_report(fixture->workers, array);
    g_assert_cmpuint(json_object_array_length(array), ==, 1);
    json_object_put(array);
    daemon_stop(fixture);
}

/* What is wrong with one network's file does not touch the others. */
static void test_bad_networks(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    write_file(fixture->networks_dir, "a-vlan.xml",
               "<network><name>v</name><vlan><tag id='5000'/></vlan></network>");
    write_file(fixture->networks_dir, "zz-twin.xml", "<network><name>lan</name></network>");
    write_file(fixture->networks_dir, "not-xml.txt", "nothing");
    daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 2);
    g_assert_cmpuint(networks_all(fixture->networks)->len, ==, 1);
    g_assert_nonnull(networks_find(fixture->networks, "lan"));
    g_assert_null(networks_find(fixture->networks, "v"));

    /* A file that goes wrong leaves its network as it was. */
    write_file(fixture->networks_dir, "lan.xml", "<network><name>lan</name>");
    networks_load(fixture->networks);
    g_assert_nonnull(networks_find(fixture->networks, "lan"));
    daemon_stop(fixture);
}

static void assert_file(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    struct machine_file *file = machine_file_parse("m.json", text, strlen(text), "/run/x", &error);

    g_assert_cmpstr(error ? error->message : NULL, ==, message);
    g_assert_true(!file == !!message);
    machine_file_free(file);
}

static void test_machine_file(void)
{
    assert_file("{\"name\":\"a\",\"nics\":[{\"network\":\"lan\",\"mac\":\"00:15:5D:00:00:01\"}]}",
                NULL);
    assert_file("{\"name\":\"a\",\"nics\":{}}",
                "m.json: nics: wrong type (object); give a list of NICs");
    assert_file("{\"name\":\"a\",\"nics\":[{\"mac\":\"zz\"}]}",
                "m.json: nics[0].mac: not a MAC address");
    assert_file("{\"name\":\"a\",\"nics\":[{},{},{},{},{},{},{},{},{}]}",
                "m.json: nics: 9 NICs; give at most 8");
    assert_file("{\"name\":\"../a\"}", "m.json: name: missing, or no name");
    assert_file("{}", "m.json: name: missing, or no name");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_LEVEL_ERROR);
#define ADD(name, function) \
    g_test_add("/workers/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("attach", test_attach);
    ADD("worker-restarts", test_worker_restarts);
    ADD("daemon-restarts", test_daemon_restarts);
    ADD("network-comes-later", test_network_comes_later);
    ADD("refused", test_refused);
    ADD("unknown-portgroup", test_unknown_portgroup);
    ADD("started", test_started);
    ADD("bad/networks", test_bad_networks);
    ADD("attack/nonsense", test_nonsense);
    ADD("attack/strange-answers", test_strange_answers);
    g_test_add_func("/workers/bad/machine-file", test_machine_file);
    return g_test_run();
}
