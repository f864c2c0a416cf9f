/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See workers_fixture.h.
 */
#include "tests/unit/workers_fixture.h"

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

static void fake_unmap(struct fake_worker *fake)
{
    if (!fake->mapped)
        return;
    port_ring_unmap(&fake->ring);
    port_ring_close(&fake->fds, fake->ring.geometry.queues);
    fake->mapped = false;
}

static void fake_hang_up(struct fake_worker *fake)
{
    if (fake->client)
        g_source_remove(fake->client);
    if (fake->fd >= 0)
        close(fake->fd);
    fake->client = 0;
    fake->fd = -1;
}

static void fake_attach(struct fake_worker *fake, unsigned nic, const int *fd, size_t count)
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

static void fake_line(struct fake_worker *fake, const char *line, struct cmsghdr *header)
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
    struct fake_worker *fake = context;
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
    struct fake_worker *fake = context;
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

struct fake_worker *fake_new(const char *directory, const char *name)
{
    struct fake_worker *fake = g_new0(struct fake_worker, 1);
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

void fake_free(struct fake_worker *fake)
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

static void on_event(void *context, struct json_object *event)
{
    struct wf *fixture = context;
    struct json_object *name, *data, *network = NULL, *who = NULL;

    g_assert_true(json_object_object_get_ex(event, "event", &name));
    g_assert_true(json_object_object_get_ex(event, "data", &data));
    g_assert_true(json_object_object_get_ex(event, "time", NULL));
    json_object_object_get_ex(data, "network", &network);
    json_object_object_get_ex(data, "name", &who);
    g_string_append_printf(fixture->events, "%s %s %s\n", json_object_get_string(name),
                           json_object_get_string(network), who ? json_object_get_string(who) : "");
}

unsigned wf_told(const struct wf *fixture, const char *event)
{
    g_auto(GStrv) pieces = g_strsplit(fixture->events->str, event, -1);

    return g_strv_length(pieces) - 1;
}

void wf_write_file(const char *directory, const char *file, const char *text)
{
    g_autofree char *path = g_build_filename(directory, file, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

void wf_write_machine(struct wf *fixture, const char *name, const char *network)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *text =
        g_strdup_printf("{\"name\":\"%s\",\"memory\":{\"mib\":64},\"boot\":{\"kernel\":\"/none\"},"
                        "\"nics\":[{\"network\":\"%s\"}]}",
                        name, network);

    wf_write_file(fixture->machines_dir, file, text);
}

void wf_write_nic(struct wf *fixture, const char *name, const char *nic)
{
    g_autofree char *file = g_strdup_printf("%s.json", name);
    g_autofree char *text = g_strdup_printf("{\"name\":\"%s\",\"nics\":[{%s}]}", name, nic);

    wf_write_file(fixture->machines_dir, file, text);
}

static char *make_dir(const char *top, const char *name)
{
    char *path = g_build_filename(top, name, NULL);

    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    return path;
}

void wf_daemon_start(struct wf *fixture)
{
    struct workers_settings settings = {.folder = fixture->machines_dir,
                                        .run_dir = fixture->run_dir};

    event_listen(on_event, fixture);
    fixture->parent = parent_fixture_new(fixture->top, fixture->run_dir);
    fixture->networks = networks_new(fixture->networks_dir);
    fixture->workers = workers_new(&settings, fixture->networks);
    fixture->refused = networks_load(fixture->networks) + workers_load(fixture->workers);
}

void wf_daemon_stop(struct wf *fixture)
{
    workers_free(fixture->workers);
    networks_free(fixture->networks);
    event_listen(NULL, NULL);
    parent_fixture_free(fixture->parent);
}

void wf_set_up(struct wf *fixture, gconstpointer data)
{
    (void)data;
    fixture->top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->networks_dir = make_dir(fixture->top, "networks");
    fixture->machines_dir = make_dir(fixture->top, "machines");
    fixture->run_dir = make_dir(fixture->top, "run");
    fixture->events = g_string_new(NULL);
    wf_write_file(fixture->networks_dir, "lan.xml", "<network><name>lan</name></network>");
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

void wf_tear_down(struct wf *fixture, gconstpointer data)
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

gboolean wf_tick(void *context)
{
    (void)context;
    return G_SOURCE_CONTINUE;
}

size_t wf_ports(struct wf *fixture)
{
    struct json_object *array = json_object_new_array();
    size_t count;

    workers_ports(fixture->workers, NULL, array);
    count = json_object_array_length(array);
    json_object_put(array);
    return count;
}

/* --- Frames ----------------------------------------------------------------------------------- */

void wf_send_frame(struct fake_worker *fake, uint8_t mark)
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

int wf_receive_frame(struct fake_worker *fake)
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

void wf_assert_passes(struct fake_worker *from, struct fake_worker *to, uint8_t mark)
{
    int got = -1;

    wf_send_frame(from, mark);
    WAIT_FOR((got = wf_receive_frame(to)) >= 0);
    g_assert_cmpint(got, ==, mark);
}
