/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/workers.c and worker_link.c: what is on the switch once only, workers that no file
 * describes, and workers that talk nonsense.
 */
#include "tests/unit/workers_fixture.h"

#include <string.h>

#include "src/common/json.h"
#include "src/common/log.h"

/* --- What is on the switch once only ---------------------------------------------------------- */

/* The complaint of a machine's NIC, or NULL. */
static char *complaint(struct wf *fixture, const char *name)
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

static void test_duplicate_mac(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b = fake_new(fixture->run_dir, "b");
    g_autofree char *why = NULL;

    (void)data;
    wf_write_nic(fixture, "a", "\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0a\"");
    wf_write_nic(fixture, "b", "\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0a\"");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_ports(fixture) == 1 && (a->attached || b->attached));
    WAIT_FOR(a->fd >= 0 && b->fd >= 0);
    WAIT_FOR((why = complaint(fixture, a->attached ? "b" : "a")));
    g_assert_cmpuint(a->attached + b->attached, ==, 1);
    g_assert_nonnull(strstr(why, "its MAC address is that of NIC 0 of machine "));
    g_assert_nonnull(strstr(why, " too, on network lan; change one of them"));
    /* When the one goes, the other has its turn. */
    if (a->attached) {
        fake_free(a);
        WAIT_FOR(b->attached == 1 && wf_ports(fixture) == 1);
        a = NULL;
    } else {
        fake_free(b);
        WAIT_FOR(a->attached == 1 && wf_ports(fixture) == 1);
        b = NULL;
    }
    wf_daemon_stop(fixture);
    if (a)
        fake_free(a);
    if (b)
        fake_free(b);
}

/* --- Workers that no file describes ----------------------------------------------------------- */

static void test_stray(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a"), *b;

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(wf_ports(fixture) == 1);
    b = fake_new(fixture->run_dir, "b");
    b->nics = "[{\"network\":\"lan\",\"mac\":\"52:54:00:00:00:0b\",\"mtu\":1500,\"queues\":1}]";
    WAIT_FOR(b->attached == 1 && wf_ports(fixture) == 2);
    wf_assert_passes(a, b, 1);
    wf_assert_passes(b, a, 2);
    /* A description comes, and it is one of ours; it goes, and comes back. */
    wf_write_machine(fixture, "b", "lan");
    workers_load(fixture->workers);
    WAIT_FOR(b->attached == 2 && wf_ports(fixture) == 2);
    wf_assert_passes(a, b, 3);
    fake_free(b);
    WAIT_FOR(wf_ports(fixture) == 1);
    wf_daemon_stop(fixture);
    fake_free(a);
}

/* One that ends is forgotten; one that talks nonsense of its NICs harms nobody. */
static void test_stray_goes(struct wf *fixture, gconstpointer data)
{
    static const char *const answers[] = {"7",
                                          "[7]",
                                          "[{\"mac\":\"zz\"}]",
                                          "{}",
                                          "[{},{},{},{},{},{},{},{},{}]",
                                          "[{\"network\":[]}]"};
    struct json_object *array;
    size_t machines;
    struct fake_worker *b;

    (void)data;
    wf_daemon_start(fixture);
    for (unsigned i = 0; i < G_N_ELEMENTS(answers); i++) {
        b = fake_new(fixture->run_dir, "b");
        b->nics = answers[i];
        WAIT_FOR(b->fd >= 0);
        for (unsigned j = 0; j < 50; j++)
            g_main_context_iteration(NULL, FALSE);
        g_assert_cmpuint(wf_ports(fixture), ==, 0);
        fake_free(b);
    }
    b = fake_new(fixture->run_dir, "b");
    b->nics = "[{\"network\":\"lan\"}]";
    WAIT_FOR(wf_ports(fixture) == 1);
    fake_free(b);
    WAIT_FOR(wf_ports(fixture) == 0);
    do {
        array = json_object_new_array();
        workers_report(fixture->workers, array);
        machines = json_object_array_length(array);
        json_object_put(array);
        g_main_context_iteration(NULL, TRUE);
    } while (machines);
    wf_daemon_stop(fixture);
}

/* --- Nonsense --- */

/* One that answers on the socket and is no worker, or goes on without an end of line. */
static void test_nonsense(struct wf *fixture, gconstpointer data)
{
    g_autofree char *endless = g_strnfill(2 * LIMIT_CONTROL_LINE, 'x');
    const char *const greetings[] = {"hello\n",
                                     "{\"vmbusd-worker\":{\"protocol\":2,\"name\":\"a\"}}\n",
                                     "{\"vmbusd-worker\":7}\n",
                                     "[]\n",
                                     "{\"vmbusd-worker\":{\"protocol\":1,\"name\":[]}}\n",
                                     endless};

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    for (unsigned i = 0; i < G_N_ELEMENTS(greetings); i++) {
        struct fake_worker *a = fake_new(fixture->run_dir, "a");

        a->greeting = greetings[i];
        wf_daemon_start(fixture);
        WAIT_FOR(a->fd >= 0);
        WAIT_FOR(a->fd < 0);
        g_assert_cmpuint(wf_ports(fixture), ==, 0);
        wf_daemon_stop(fixture);
        fake_free(a);
    }
}

/* Answers about NICs that there are not, events, ids of other types. */
static void test_strange_answers(struct wf *fixture, gconstpointer data)
{
    struct fake_worker *a = fake_new(fixture->run_dir, "a");
    static const char lines[] = "{\"return\":{},\"id\":7}\n{\"error\":{},\"id\":99999999999}\n"
                                "{\"return\":{},\"id\":-1}\n{\"return\":{},\"id\":\"0\"}\n\n"
                                "{\"event\":\"x\"}\n{\"error\":3,\"id\":5}\n";

    (void)data;
    wf_write_machine(fixture, "a", "lan");
    wf_daemon_start(fixture);
    WAIT_FOR(a->attached == 1);
    g_assert_cmpint(write(a->fd, lines, strlen(lines)), ==, (ssize_t)strlen(lines));
    for (unsigned i = 0; i < 20; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(wf_ports(fixture), ==, 1);
    wf_daemon_stop(fixture);
    fake_free(a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_LEVEL_ERROR);
#define ADD(name, function) \
    g_test_add("/workers-strangers/" name, struct wf, NULL, wf_set_up, function, wf_tear_down)
    ADD("duplicate-mac", test_duplicate_mac);
    ADD("stray", test_stray);
    ADD("stray-goes", test_stray_goes);
    ADD("attack/nonsense", test_nonsense);
    ADD("attack/strange-answers", test_strange_answers);
    return g_test_run();
}
