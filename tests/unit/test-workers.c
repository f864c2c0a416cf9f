/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/workers.c, worker_link.c, nic_port.c, machine_file.c and networks.c: workers that come
 * and go in every order, with worker processes that are none and a real switch between them.
 */
#include "tests/unit/workers_fixture.h"

#include <string.h>

#include <glib/gstdio.h>

#include "src/common/json.h"
#include "src/common/log.h"
#include "src/daemon/machine_file.h"

/* --- Tests ------------------------------------------------------------------------------------ */

static void test_attach(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_write_machine(fixture, "b", "lan");
    wf_daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 0);
    WAIT_FOR(a->attached == 1 && b->attached == 1 && wf_ports(fixture) == 2);
    wf_assert_passes(a, b, 1);
    wf_assert_passes(b, a, 2);
    wf_daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* The worker ends, and starts again: by hand, a second later. */
static void test_worker_restarts(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_write_machine(fixture, "b", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_ports(fixture) == 2 && a->attached && b->attached);
    fake_free(a);
    WAIT_FOR(wf_ports(fixture) == 1);
    a = fake_new(fixture->run_dir, "a");
    WAIT_FOR(wf_ports(fixture) == 2 && a->attached == 1);
    g_assert_cmpuint(b->attached, ==, 1);
    wf_assert_passes(a, b, 3);
    wf_assert_passes(b, a, 4);
    wf_daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* The workers run on while vmbusd is away, and get new rings when it is back. */
static void test_daemon_restarts(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_write_machine(fixture, "b", "lan");
    for (unsigned life = 1; life <= 3; life++) {
        wf_daemon_start(fixture);
        WAIT_FOR(a->attached == life && b->attached == life);
        wf_assert_passes(a, b, (uint8_t)life);
        wf_daemon_stop(fixture);
        WAIT_FOR(a->fd < 0 && b->fd < 0);
    }
    fake_free(a);
    fake_free(b);
}

static void test_network_comes_later(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    wf_write_machine(fixture, "a", "later");
    wf_write_machine(fixture, "b", "later");
    wf_daemon_start(fixture);
    WAIT_FOR(a->fd >= 0 && b->fd >= 0);
    g_assert_cmpuint(wf_ports(fixture), ==, 0);
    wf_write_file(fixture->networks_dir, "later.xml", "<network><name>later</name></network>");
    networks_load(fixture->networks);
    WAIT_FOR(a->attached == 1 && b->attached == 1);
    wf_assert_passes(a, b, 5);

    /* The network changes: it is stopped and started, and its guests are on it again. */
    wf_write_file(fixture->networks_dir, "later.xml",
                  "<network><name>later</name><mtu size='9000'/></network>");
    networks_load(fixture->networks);
    WAIT_FOR(a->attached == 2 && b->attached == 2);
    wf_assert_passes(b, a, 6);

    /* Reading the same again changes nothing. */
    networks_load(fixture->networks);
    g_assert_cmpuint(wf_ports(fixture), ==, 2);
    wf_assert_passes(a, b, 7);
    wf_daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

static void test_refused(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a");

    (void)data;
    a->refuse = true;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(a->attached == 1);
    WAIT_FOR(wf_ports(fixture) == 0);
    g_assert_cmpuint(wf_told(fixture, "port-attached"), ==, 0);
    wf_daemon_stop(fixture);
    fake_free(a);
}

static void test_unknown_portgroup(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a");

    (void)data;
    wf_write_file(fixture->machines_dir, "a.json",
                  "{\"name\":\"a\",\"nics\":[{\"network\":\"lan\",\"portgroup\":\"none\"}]}");
    wf_daemon_start(fixture);
    WAIT_FOR(a->fd >= 0);
    for (unsigned i = 0; i < 20; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(wf_ports(fixture), ==, 0);
    wf_daemon_stop(fixture);
    fake_free(a);
}

/* --- Failures --------------------------------------------------------------------------------- */

/* A frame whose metadata no honest worker writes. */
static void lie(struct fake_worker *fake)
{
    struct frame_meta meta = {.length = 60, .gso = 77};
    struct iovec bytes[2];

    g_assert_cmpint(port_queue_room(&fake->ring.out[0], 60, bytes), >=, 1);
    port_queue_push(&fake->ring.out[0], &meta);
    if (port_queue_commit(&fake->ring.out[0]))
        port_queue_ring_data(&fake->ring.out[0]);
}

/* A worker that lies in its ring loses its port, and gets another one; each is wf_told once, and
 * the next lie costs a longer pause. */
static void test_failed_port(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_write_machine(fixture, "b", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_told(fixture, "port-attached") == 2);
    lie(a);
    WAIT_FOR(wf_told(fixture, "port-failed lan a/0") == 1);
    WAIT_FOR(a->attached == 2 && wf_ports(fixture) == 2);
    wf_assert_passes(a, b, 1);
    wf_assert_passes(b, a, 2);
    WAIT_FOR(wf_told(fixture, "port-attached lan a/0") == 2);

    gint64 before = g_get_monotonic_time();
    lie(a);
    WAIT_FOR(wf_told(fixture, "port-failed lan a/0") == 2);
    WAIT_FOR(a->attached == 3);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 2 * G_TIME_SPAN_SECOND);
    wf_assert_passes(a, b, 3);
    g_assert_cmpuint(wf_told(fixture, "port-detached"), ==, 0);
    g_assert_cmpuint(b->attached, ==, 1);
    wf_daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
}

/* What the worker refused is tried again without anybody asking. */
static void test_refused_then_taken(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a");

    (void)data;
    a->refuse = true;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(a->attached == 2);
    a->refuse = false;
    WAIT_FOR(wf_told(fixture, "port-attached") == 1);
    g_assert_cmpuint(wf_ports(fixture), ==, 1);
    wf_daemon_stop(fixture);
    fake_free(a);
}

/* The guest sees its cable pulled when the network stops. */
static void test_network_stops(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a");
    g_autofree char *path = g_build_filename(fixture->networks_dir, "lan.xml", NULL);

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_told(fixture, "port-attached") == 1);
    g_assert_cmpint(g_remove(path), ==, 0);
    networks_load(fixture->networks);
    WAIT_FOR(a->detached == 1);
    g_assert_cmpstr(fixture->events->str, ==,
                    "network-started lan \nport-attached lan a/0\nport-detached lan a/0\n"
                    "network-stopped lan \n");
    wf_daemon_stop(fixture);
    fake_free(a);
}

/* --- NICs that come and go -------------------------------------------------------------------- */

#define PRESENT "{\"state\":\"present\",\"network\":\"lan\"}"

/* The worker says that its NICs have changed, and, asked, what they are. */
static void fake_says(struct fake_worker *fake, const char *nics)
{
    static const char event[] = "{\"event\":\"nics\",\"data\":{},\"time\":1}\n";

    fake->nics = nics;
    g_assert_cmpint(write(fake->fd, event, strlen(event)), ==, (ssize_t)strlen(event));
}

static void test_nics_come_and_go(struct wf *fixture, gconstpointer data)
{
    static const char second[] = "[" PRESENT ",{\"state\":\"present\",\"network\":\"lan\","
                                 "\"mac\":\"52:54:00:00:00:1a\"}]";
    struct fake_worker *a = fake_new(fixture->run_dir, "a");

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_ports(fixture) == 1 && a->attached == 1);
    fake_says(a, second);
    WAIT_FOR(wf_ports(fixture) == 2 && a->attached == 2);
    /* Its folder is read again: the one that came later stays. */
    workers_load(fixture->workers);
    fake_says(a, second);
    fake_says(a, "[" PRESENT ",{\"state\":\"leaving\",\"network\":\"lan\"}]");
    WAIT_FOR(wf_ports(fixture) == 1 && a->detached == 1);
    g_assert_cmpuint(a->attached, ==, 2);
    /* One of the description goes, and nonsense changes nothing. */
    fake_says(a, "[{\"state\":\"absent\"}]");
    WAIT_FOR(wf_ports(fixture) == 0 && a->detached == 2);
    fake_says(a, "[{\"state\":7}]");
    fake_says(a, second);
    WAIT_FOR(wf_ports(fixture) == 2 && a->attached == 4);
    /* Its successor has what the description says. */
    fake_free(a);
    WAIT_FOR(wf_ports(fixture) == 0);
    a = fake_new(fixture->run_dir, "a");
    WAIT_FOR(wf_ports(fixture) == 1 && a->attached == 1);
    /* A vmbusd that starts later is wf_told at once. */
    wf_daemon_stop(fixture);
    a->nics = second;
    wf_daemon_start(fixture);
    WAIT_FOR(wf_ports(fixture) == 2);
    wf_daemon_stop(fixture);
    fake_free(a);
}

/* --- Mirroring -------------------------------------------------------------------------------- */

/* Of the three, c is the destination: it gets what passes between the other two, which one NIC's
 * coming and going does not change. */
static void test_mirror(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b"),
                       *c = fake_new(fixture->run_dir, "c");
    int got = -1;

    (void)data;
    wf_write_file(fixture->networks_dir, "lan.xml",
                  "<network><name>lan</name><portgroup name='tap'/><metadata>"
                  "<switch xmlns='urn:vmbusd:network:1'><policy mirror='source'/>"
                  "<policy portgroup='tap' mirror='destination'/></switch></metadata></network>");
    wf_write_machine(fixture, "a", "lan");
    wf_write_machine(fixture, "b", "lan");
    wf_write_nic(fixture, "c", "\"network\":\"lan\",\"portgroup\":\"tap\"");
    wf_daemon_start(fixture);
    for (unsigned round = 1; round <= 2; round++) {
        WAIT_FOR(wf_told(fixture, "port-attached lan c/0") == round && wf_ports(fixture) == 3);
        WAIT_FOR(a->attached && b->attached);
        wf_send_frame(a, (uint8_t)round); /* a broadcast: once as such, once as a copy */
        for (unsigned i = 0; i < 2; i++) {
            WAIT_FOR((got = wf_receive_frame(c)) >= 0);
            g_assert_cmpint(got, ==, (int)round);
        }
        WAIT_FOR((got = wf_receive_frame(b)) >= 0);
        if (round == 2)
            break;
        fake_free(c);
        WAIT_FOR(wf_ports(fixture) == 2);
        wf_assert_passes(a, b, 9);
        c = fake_new(fixture->run_dir, "c");
    }
    wf_daemon_stop(fixture);
    fake_free(a);
    fake_free(b);
    fake_free(c);
}

/* A machine that does not run is started; when the program fails nothing else does. */
static void test_started(struct wf *fixture, gconstpointer data)
{
    struct json_object *array = json_object_new_array();

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_write_file(fixture->machines_dir, "broken.json", "{\"name\":");
    wf_write_file(fixture->machines_dir, "twin.json", "{\"name\":\"a\"}");
    wf_write_file(fixture->machines_dir, "daemon.json", "{\"name\":\"vmbusd\"}");
    wf_daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 3);
    for (unsigned i = 0; i < 20; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(10000);
    }
    workers_report(fixture->workers, array);
    g_assert_cmpuint(json_object_array_length(array), ==, 1);
    json_object_put(array);
    wf_daemon_stop(fixture);
}

/* What is wrong with one network's file does not touch the others. */
static void test_bad_networks(struct wf *fixture, gconstpointer data)
{
    (void)data;
    wf_write_file(fixture->networks_dir, "a-vlan.xml",
                  "<network><name>v</name><vlan><tag id='5000'/></vlan></network>");
    wf_write_file(fixture->networks_dir, "zz-twin.xml", "<network><name>lan</name></network>");
    wf_write_file(fixture->networks_dir, "not-xml.txt", "nothing");
    wf_daemon_start(fixture);
    g_assert_cmpuint(fixture->refused, ==, 2);
    g_assert_cmpuint(networks_all(fixture->networks)->len, ==, 1);
    g_assert_nonnull(networks_find(fixture->networks, "lan"));
    g_assert_null(networks_find(fixture->networks, "v"));

    /* A file that goes wrong leaves its network as it was. */
    wf_write_file(fixture->networks_dir, "lan.xml", "<network><name>lan</name>");
    networks_load(fixture->networks);
    g_assert_nonnull(networks_find(fixture->networks, "lan"));
    wf_daemon_stop(fixture);
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
    g_test_add("/workers/" name, struct wf, NULL, wf_set_up, function, wf_tear_down)
    ADD("attach", test_attach);
    ADD("worker-restarts", test_worker_restarts);
    ADD("daemon-restarts", test_daemon_restarts);
    ADD("network-comes-later", test_network_comes_later);
    ADD("refused", test_refused);
    ADD("failed-port", test_failed_port);
    ADD("refused-then-taken", test_refused_then_taken);
    ADD("network-stops", test_network_stops);
    ADD("nics-come-and-go", test_nics_come_and_go);
    ADD("mirror", test_mirror);
    ADD("unknown-portgroup", test_unknown_portgroup);
    ADD("started", test_started);
    ADD("bad/networks", test_bad_networks);
    g_test_add_func("/workers/bad/machine-file", test_machine_file);
    return g_test_run();
}
