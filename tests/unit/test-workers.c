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
#include "src/daemon/event.h"
#include "src/daemon/machine_file.h"
#include "tests/unit/parent_fixture.h"
#include "vswitch/port_ring.h"

#define GREETING "{\"vmbusd-worker\":{\"protocol\":1,\"name\":\"%s\",\"machine\":\"vmbusd-0.1\"}}\n"

/* --- A worker that is none -------------------------------------------------------------------- */

struct fake {
    char *name, *path;
    int listener, fd;
    guint source, client;
    const char *greeting; /* NULL: a right one */
    bool refuse;
    unsigned attached, detached; /* requests seen */
    const char *nics;            /* what it answers when it is asked */
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

static void fake_attach(struct fake *fake, unsigned nic, const int *fd, size_t count)
{
    g_autofree char *answer = NULL;

    g_assert_cmpuint(count, ==, 5);
    fake_unmap(fake);
    memcpy(&fake->fds, fd, sizeof(int) * count);
    g_assert_cmpint(port_ring_map(&fake->ring, &fake->fds, PORT_RING_WORKER), ==, 0);
    fake->mapped = true;
    fake->attached++;
    answer =
        g_strdup_printf(fake->refuse ? "{\"error\":{\"class\":\"state\",\"message\":\"not now\"},"
                                       "\"id\":%u}\n"
                                     : "{\"event\":\"running\",\"data\":{},\"time\":1}\n"
                                       "{\"return\":{},\"id\":%u}\n",
                        nic);
    g_assert_cmpint(write(fake->fd, answer, strlen(answer)), ==, (ssize_t)strlen(answer));
}

static void fake_line(struct fake *fake, const char *line, struct cmsghdr *header)
{
    unsigned nic, id;

    if (sscanf(line, "{\"execute\":\"attach-port\",\"arguments\":{\"nic\":%u},\"id\":%u}", &nic,
               &id) == 2) {
        g_assert_nonnull(header);
        g_assert_cmpuint(nic, ==, id);
        fake_attach(fake, nic, (int *)(void *)CMSG_DATA(header),
                    (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    } else if (!strcmp(line, "{\"execute\":\"nics\",\"id\":\"describe\"}")) {
        g_autofree char *answer = g_strdup_printf("{\"return\":%s,\"id\":\"describe\"}\n",
                                                  fake->nics ? fake->nics : "[]");

        /* Whoever asked may have gone. */
        (void)!send(fake->fd, answer, strlen(answer), MSG_NOSIGNAL);
    } else {
        g_assert_cmpint(
            sscanf(line, "{\"execute\":\"detach-port\",\"arguments\":{\"nic\":%u}", &nic), ==, 1);
        fake->detached++;
    }
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
    g_auto(GStrv) lines = g_strsplit(line, "\n", -1);
    for (char **one = lines; *one; one++)
        if (**one)
            fake_line(fake, *one, CMSG_FIRSTHDR(&message));
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
    struct parent_fixture *parent;
    unsigned refused;
    GString *events; /* "name network/who " each */
};

static void on_event(void *context, struct json_object *event)
{
    struct fixture *fixture = context;
    struct json_object *name, *data, *network = NULL, *who = NULL;

    g_assert_true(json_object_object_get_ex(event, "event", &name));
    g_assert_true(json_object_object_get_ex(event, "data", &data));
    g_assert_true(json_object_object_get_ex(event, "time", NULL));
    json_object_object_get_ex(data, "network", &network);
    json_object_object_get_ex(data, "name", &who);
    g_string_append_printf(fixture->events, "%s %s %s\n", json_object_get_string(name),
                           json_object_get_string(network), who ? json_object_get_string(who) : "");
}

/* How often it was told. */
static unsigned told(const struct fixture *fixture, const char *event)
{
    g_auto(GStrv) pieces = g_strsplit(fixture->events->str, event, -1);

    return g_strv_length(pieces) - 1;
}

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
    struct workers_settings settings = {.folder = fixture->machines_dir,
                                        .run_dir = fixture->run_dir};

    event_listen(on_event, fixture);
    fixture->parent = parent_fixture_new(fixture->top, fixture->run_dir);
    fixture->networks = networks_new(fixture->networks_dir);
    fixture->workers = workers_new(&settings, fixture->networks);
    fixture->refused = networks_load(fixture->networks) + workers_load(fixture->workers);
}

static void daemon_stop(struct fixture *fixture)
{
    workers_free(fixture->workers);
    networks_free(fixture->networks);
    event_listen(NULL, NULL);
    parent_fixture_free(fixture->parent);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->networks_dir = make_dir(fixture->top, "networks");
    fixture->machines_dir = make_dir(fixture->top, "machines");
    fixture->run_dir = make_dir(fixture->top, "run");
    fixture->events = g_string_new(NULL);
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
    g_string_free(fixture->events, TRUE);
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
    g_assert_cmpuint(told(fixture, "port-attached"), ==, 0);
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

/* --- What is on the switch once only ---------------------------------------------------------- */

static void write_nic(struct fixture *fixture, const char *name, const char *nic)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *text = g_strdup_printf("{\"name\":\"%s\",\"nics\":[{%s}]}", name, nic);

    write_file(fixture->machines_dir, file, text);
}

/* The complaint of a machine's NIC, or NULL. */
static char *complaint(struct fixture *fixture, const char *name)
{
    struct json_object *array = json_object_new_array(), *list, *value;
    char *result = NULL;

    workers_report(fixture->workers, array);
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *machine = json_object_array_get_idx(array, i);

        json_object_object_get_ex(machine, "name", &value);
        json_object_object_get_ex(machine, "complaints", &list);
        if (strcmp(json_object_get_string(value), name) || !json_object_array_length(list))
            continue;
        json_object_object_get_ex(json_object_array_get_idx(list, 0), "complaint", &value);
        result = g_strdup(json_object_get_string(value));
    }
    json_object_put(array);
    return result;
}

static void test_duplicate_mac(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");
    g_autofree char *why = NULL;

    (void)data;
    write_nic(fixture, "a", "\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0a\"");
    write_nic(fixture, "b", "\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0a\"");
    daemon_start(fixture);
    WAIT_FOR(ports(fixture) == 1 && (a->attached || b->attached));
    WAIT_FOR(a->fd >= 0 && b->fd >= 0);
    WAIT_FOR((why = complaint(fixture, a->attached ? "b" : "a")));
    g_assert_cmpuint(a->attached + b->attached, ==, 1);
    g_assert_nonnull(strstr(why, "its MAC address is that of NIC 0 of machine "));
    g_assert_nonnull(strstr(why, " too, on network lan; change one of them"));
    /* When the one goes, the other has its turn. */
    if (a->attached) {
        fake_free(a);
        WAIT_FOR(b->attached == 1 && ports(fixture) == 1);
        a = NULL;
    } else {
        fake_free(b);
        WAIT_FOR(a->attached == 1 && ports(fixture) == 1);
        b = NULL;
    }
    daemon_stop(fixture);
    if (a)
        fake_free(a);
    if (b)
        fake_free(b);
}

/* --- Failures --------------------------------------------------------------------------------- */

/* A frame whose metadata no honest worker writes. */
static void lie(struct fake *fake)
{
    struct frame_meta meta = {.length = 60, .gso = 77};
    struct iovec bytes[2];

    g_assert_cmpint(port_queue_room(&fake->ring.out[0], 60, bytes), >=, 1);
    port_queue_push(&fake->ring.out[0], &meta);
    if (port_queue_commit(&fake->ring.out[0]))
        port_queue_ring_data(&fake->ring.out[0]);
}

/* A worker that lies in its ring loses its port, and gets another one; each is told once, and the
 * next lie costs a longer pause. */
static void test_failed_port(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    write_machine(fixture, "a", "lan");
    write_machine(fixture, "b", "lan");
    daemon_start(fixture);
    WAIT_FOR(told(fixture, "port-attached") == 2);
    lie(a);
    WAIT_FOR(told(fixture, "port-failed lan a/0") == 1);
    WAIT_FOR(a->attached == 2 && ports(fixture) == 2);
    assert_passes(a, b, 1);
    assert_passes(b, a, 2);
    WAIT_FOR(told(fixture, "port-attached lan a/0") == 2);

    gint64 before = g_get_monotonic_time();
    lie(a);
    WAIT_FOR(told(fixture, "port-failed lan a/0") == 2);
    WAIT_FOR(a->attached == 3);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 2 * G_TIME_SPAN_SECOND);
    assert_passes(a, b, 3);
    g_assert_cmpuint(told(fixture, "port-detached"), ==, 0);
    g_assert_cmpuint(b->attached, ==, 1);
    daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* What the worker refused is tried again without anybody asking. */
static void test_refused_then_taken(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a");

    (void)data;
    a->refuse = true;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(a->attached == 2);
    a->refuse = false;
    WAIT_FOR(told(fixture, "port-attached") == 1);
    g_assert_cmpuint(ports(fixture), ==, 1);
    daemon_stop(fixture);
    fake_free(a);
}

/* The guest sees its cable pulled when the network stops. */
static void test_network_stops(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a");
    g_autofree char *path = g_build_filename(fixture->networks_dir, "lan.xml", NULL);

    (void)data;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(told(fixture, "port-attached") == 1);
    g_assert_cmpint(g_remove(path), ==, 0);
    networks_load(fixture->networks);
    WAIT_FOR(a->detached == 1);
    g_assert_cmpstr(fixture->events->str, ==,
                    "network-started lan \nport-attached lan a/0\nport-detached lan a/0\n"
                    "network-stopped lan \n");
    daemon_stop(fixture);
    fake_free(a);
}

/* --- NICs that come and go -------------------------------------------------------------------- */

#define PRESENT "{\"state\":\"present\",\"network\":\"lan\"}"

/* The worker says that its NICs have changed, and, asked, what they are. */
static void fake_says(struct fake *fake, const char *nics)
{
    static const char event[] = "{\"event\":\"nics\",\"data\":{},\"time\":1}\n";

    fake->nics = nics;
    g_assert_cmpint(write(fake->fd, event, strlen(event)), ==, (ssize_t)strlen(event));
}

static void test_nics_come_and_go(struct fixture *fixture, gconstpointer data)
{
    static const char second[] = "[" PRESENT ",{\"state\":\"present\",\"network\":\"lan\","
                                 "\"mac\":\"52:54:00:00:00:1a\"}]";
    struct fake *a = fake_new(fixture->run_dir, "a");

    (void)data;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(ports(fixture) == 1 && a->attached == 1);
    fake_says(a, second);
    WAIT_FOR(ports(fixture) == 2 && a->attached == 2);
    /* Its folder is read again: the one that came later stays. */
    workers_load(fixture->workers);
    fake_says(a, second);
    fake_says(a, "[" PRESENT ",{\"state\":\"leaving\",\"network\":\"lan\"}]");
    WAIT_FOR(ports(fixture) == 1 && a->detached == 1);
    g_assert_cmpuint(a->attached, ==, 2);
    /* One of the description goes, and nonsense changes nothing. */
    fake_says(a, "[{\"state\":\"absent\"}]");
    WAIT_FOR(ports(fixture) == 0 && a->detached == 2);
    fake_says(a, "[{\"state\":7}]");
    fake_says(a, second);
    WAIT_FOR(ports(fixture) == 2 && a->attached == 4);
    /* Its successor has what the description says. */
    fake_free(a);
    WAIT_FOR(ports(fixture) == 0);
    a = fake_new(fixture->run_dir, "a");
    WAIT_FOR(ports(fixture) == 1 && a->attached == 1);
    /* A vmbusd that starts later is told at once. */
    daemon_stop(fixture);
    a->nics = second;
    daemon_start(fixture);
    WAIT_FOR(ports(fixture) == 2);
    daemon_stop(fixture);
    fake_free(a);
}

/* --- Workers that no file describes ----------------------------------------------------------- */

static void test_stray(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b;

    (void)data;
    write_machine(fixture, "a", "lan");
    daemon_start(fixture);
    WAIT_FOR(ports(fixture) == 1);
    b = fake_new(fixture->run_dir, "b");
    b->nics = "[{\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0b\",\"mtu\":1500,\"queues\":1}]";
    WAIT_FOR(b->attached == 1 && ports(fixture) == 2);
    assert_passes(a, b, 1);
    assert_passes(b, a, 2);
    /* A description comes, and it is one of ours; it goes, and comes back. */
    write_machine(fixture, "b", "lan");
    workers_load(fixture->workers);
    WAIT_FOR(b->attached == 2 && ports(fixture) == 2);
    assert_passes(a, b, 3);
    fake_free(b);
    WAIT_FOR(ports(fixture) == 1);
    daemon_stop(fixture);
    fake_free(a);
}

/* One that ends is forgotten; one that talks nonsense of its NICs harms nobody. */
static void test_stray_goes(struct fixture *fixture, gconstpointer data)
{
    static const char *const answers[] = {"7",
                                          "[7]",
                                          "[{\"mac\":\"zz\"}]",
                                          "{}",
                                          "[{},{},{},{},{},{},{},{},{}]",
                                          "[{\"network\":[]}]"};
    struct json_object *array;
    size_t machines;
    struct fake *b;

    (void)data;
    daemon_start(fixture);
    for (unsigned i = 0; i < G_N_ELEMENTS(answers); i++) {
        b = fake_new(fixture->run_dir, "b");
        b->nics = answers[i];
        WAIT_FOR(b->fd >= 0);
        for (unsigned j = 0; j < 50; j++)
            g_main_context_iteration(NULL, FALSE);
        g_assert_cmpuint(ports(fixture), ==, 0);
        fake_free(b);
    }
    b = fake_new(fixture->run_dir, "b");
    b->nics = "[{\"network\":\"lan\"}]";
    WAIT_FOR(ports(fixture) == 1);
    fake_free(b);
    WAIT_FOR(ports(fixture) == 0);
    do {
        array = json_object_new_array();
        workers_report(fixture->workers, array);
        machines = json_object_array_length(array);
        json_object_put(array);
        g_main_context_iteration(NULL, TRUE);
    } while (machines);
    daemon_stop(fixture);
}

/* --- Mirroring -------------------------------------------------------------------------------- */

/* Of the three, c is the destination: it gets what passes between the other two, which one NIC's
 * coming and going does not change. */
static void test_mirror(struct fixture *fixture, gconstpointer data)
{
    struct fake *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b"),
                *c = fake_new(fixture->run_dir, "c");
    int got = -1;

    (void)data;
    write_file(fixture->networks_dir, "lan.xml",
               "<network><name>lan</name><portgroup name='tap'/><metadata>"
               "<switch xmlns='urn:vmbusd:network:1'><policy mirror='source'/>"
               "<policy portgroup='tap' mirror='destination'/></switch></metadata></network>");
    write_machine(fixture, "a", "lan");
    write_machine(fixture, "b", "lan");
    write_nic(fixture, "c", "\"network\":\"lan\",\"portgroup\":\"tap\"");
    daemon_start(fixture);
    for (unsigned round = 1; round <= 2; round++) {
        WAIT_FOR(told(fixture, "port-attached lan c/0") == round && ports(fixture) == 3);
        WAIT_FOR(a->attached && b->attached);
        send_frame(a, (uint8_t)round); /* a broadcast: once as such, once as a copy */
        for (unsigned i = 0; i < 2; i++) {
            WAIT_FOR((got = receive_frame(c)) >= 0);
            g_assert_cmpint(got, ==, (int)round);
        }
        WAIT_FOR((got = receive_frame(b)) >= 0);
        if (round == 2)
            break;
        fake_free(c);
        WAIT_FOR(ports(fixture) == 2);
        assert_passes(a, b, 9);
        c = fake_new(fixture->run_dir, "c");
    }
    daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
    fake_free(c);
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
    ADD("duplicate-mac", test_duplicate_mac);
    ADD("failed-port", test_failed_port);
    ADD("refused-then-taken", test_refused_then_taken);
    ADD("network-stops", test_network_stops);
    ADD("nics-come-and-go", test_nics_come_and_go);
    ADD("stray", test_stray);
    ADD("stray-goes", test_stray_goes);
    ADD("mirror", test_mirror);
    ADD("unknown-portgroup", test_unknown_portgroup);
    ADD("started", test_started);
    ADD("bad/networks", test_bad_networks);
    ADD("attack/nonsense", test_nonsense);
    ADD("attack/strange-answers", test_strange_answers);
    g_test_add_func("/workers/bad/machine-file", test_machine_file);
    return g_test_run();
}
