/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/worker/control*.c and report.c over a real socket, with a machine that is none: answers,
 * events, bounds, and clients that behave badly.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-c/json.h>

#include "src/worker/control_priv.h"
#include "tests/unit/fake_machine.h"

struct fixture {
    struct machine *machine;
    struct control *control;
    char *directory, *path;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    fixture->directory = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->directory, "vm1.sock", NULL);
    fixture->machine = fake_machine_new();
    fixture->control = control_new(fixture->machine, fixture->path, &error);
    g_assert_no_error(error);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    control_free(fixture->control);
    g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    fake_machine_free(fixture->machine);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->path);
    g_free(fixture->directory);
}

static void turn(struct fixture *fixture)
{
    while (lane_turn(fixture->machine->lane, 0))
        ;
}

/* --- A client --------------------------------------------------------------------------------- */

static int dial_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static void write_text(int fd, const char *text)
{
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

/* What has come, "" if nothing, NULL at the end of the stream. */
static char *read_text(int fd)
{
    g_autoptr(GString) all = g_string_new(NULL);
    char chunk[65536];
    ssize_t got;

    while ((got = read(fd, chunk, sizeof(chunk))) > 0)
        g_string_append_len(all, chunk, got);
    if (got == 0 && !all->len)
        return NULL;
    g_assert_true(got == 0 || errno == EAGAIN || errno == ECONNRESET);
    return g_string_free(g_steal_pointer(&all), FALSE);
}

/* A connected client whose greeting is read. */
static int dial(struct fixture *fixture)
{
    int fd = dial_path(fixture->path);

    turn(fixture);
    g_autofree char *greeting = read_text(fd);
    g_assert_cmpstr(greeting, ==,
                    "{\"vmbusd-worker\":{\"protocol\":1,\"name\":\"vm1\",\"machine\":"
                    "\"vmbusd-0.1\"}}\n");
    return fd;
}

static char *ask(struct fixture *fixture, int fd, const char *text)
{
    write_text(fd, text);
    turn(fixture);
    return read_text(fd);
}

static void assert_answer(struct fixture *fixture, int fd, const char *text, const char *answer)
{
    g_autofree char *got = ask(fixture, fd, text);

    g_assert_cmpstr(got, ==, answer);
}

/* The member of `text` (one JSON line) at `path`, a JSON pointer. */
static void assert_member(const char *text, const char *path, const char *value)
{
    struct json_object *object = json_tokener_parse(text), *member = NULL;

    g_assert_nonnull(object);
    if (json_pointer_get(object, path, &member) < 0)
        g_error("no %s in %s", path, text);
    g_assert_cmpstr(json_object_to_json_string_ext(member, JSON_C_TO_STRING_NOSLASHESCAPE), ==,
                    value);
    json_object_put(object);
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void test_status(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    fixture->machine->crashed = true;
    g_autofree char *answer = ask(fixture, fd, "{\"execute\":\"status\",\"id\":[1,\"a\"]}\n");
    assert_member(answer, "/id", "[1,\"a\"]");
    assert_member(answer, "/return/name", "\"vm1\"");
    assert_member(answer, "/return/state", "\"running\"");
    assert_member(answer, "/return/memory_mib", "512");
    assert_member(answer, "/return/uptime_ms", "5000");
    assert_member(answer, "/return/console", "\"/dev/pts/7\"");
    assert_member(answer, "/return/console2", "\"/dev/pts/8\"");
    assert_member(answer, "/return/bus_version", "\"5.2\"");
    assert_member(answer, "/return/generation_id", "\"00000000-0000-0000-0000-000000000000\"");
    assert_member(answer, "/return/crash/parameters/4", "\"0xa4\"");
    assert_member(answer, "/return/crash/message", "\"Kernel panic\\n\xef\xbf\xbd\"");
    close(fd);
}

static void test_generation(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    g_autofree char *set = ask(fixture, fd,
                               "{\"execute\":\"set-generation\",\"arguments\":"
                               "{\"id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\"}}\n");
    assert_member(set, "/return", "{}");
    g_assert_cmphex(fixture->machine->generation.b[0], ==, 4);
    g_autofree char *bad =
        ask(fixture, fd, "{\"execute\":\"set-generation\",\"arguments\":{\"id\":\"x\"}}\n");
    assert_member(bad, "/error/class", "\"request\"");
    fixture->machine->no_generation = true;
    g_autofree char *none = ask(fixture, fd,
                                "{\"execute\":\"set-generation\",\"arguments\":"
                                "{\"id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\"}}\n");
    assert_member(none, "/error/class", "\"no-device\"");
    g_autofree char *status = ask(fixture, fd, "{\"execute\":\"status\"}\n");
    assert_member(status, "/return/generation_id", "null");
    close(fd);
}

static void test_integration(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    g_autofree char *answer = ask(fixture, fd, "{\"execute\":\"integration\"}\n");
    assert_member(answer, "/return/bus_version", "\"5.2\"");
    assert_member(answer, "/return/channels/0/class", "\"storvsp\"");
    assert_member(answer, "/return/channels/0/instance",
                  "\"00000011-0000-0000-0000-000000000000\"");
    assert_member(answer, "/return/channels/4/relid", "5");
    assert_member(answer, "/return/services/heartbeat/offered", "true");
    assert_member(answer, "/return/services/heartbeat/version", "\"3.2\"");
    assert_member(answer, "/return/services/heartbeat/state", "\"healthy\"");
    assert_member(answer, "/return/services/heartbeat/last_seen_ms", "1500");
    assert_member(answer, "/return/services/timesync/negotiated", "false");
    assert_member(answer, "/return/services/kvp/guest/OSName", "\"Linux\"");
    assert_member(answer, "/return/scsi/0/version", "\"6.2\"");
    assert_member(answer, "/return/nics/0/version", "\"6.1\"");
    assert_member(answer, "/return/nics/0/mac", "\"52:54:00:00:00:01\"");
    assert_member(answer, "/return/nics/0/attached", "false");
    close(fd);
}

static void test_stats(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    g_autofree char *answer = ask(fixture, fd, "{\"execute\":\"stats\"}\n");
    assert_member(answer, "/return/exits", "null");
    assert_member(answer, "/return/bus/messages_in", "7");
    assert_member(answer, "/return/scsi/0/bytes_read", "12288");
    assert_member(answer, "/return/nics/0/frames_in", "9");
    assert_member(answer, "/return/nics/0/stalls_out", "1");
    assert_member(answer, "/return/channels/2/packets_in", "20");
    close(fd);
}

static void test_commands(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    g_autofree char *answer = ask(fixture, fd, "{\"execute\":\"commands\"}\n");
    assert_member(answer, "/return/9/name", "\"shutdown\"");
    assert_member(answer, "/return/9/arguments", "[\"mode\",\"force\",\"reason\"]");
    close(fd);
}

static void test_states(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture), other = dial(fixture);

    (void)data;
    g_autofree char *pause = ask(fixture, fd, "{\"execute\":\"pause\",\"id\":1}\n");
    g_auto(GStrv) lines = g_strsplit(pause, "\n", -1);
    assert_member(lines[0], "/event", "\"paused\"");
    g_assert_cmpstr(lines[1], ==, "{\"return\":{},\"id\":1}");
    g_autofree char *seen = read_text(other);
    assert_member(seen, "/event", "\"paused\"");
    assert_answer(fixture, fd, "{\"execute\":\"pause\"}\n",
                  "{\"error\":{\"class\":\"state\",\"message\":\"cannot pause a machine that is "
                  "paused\"}}\n");
    assert_answer(fixture, fd, "{\"execute\":\"shutdown\"}\n",
                  "{\"error\":{\"class\":\"state\",\"message\":\"cannot shut down a machine that "
                  "is paused\"}}\n");
    assert_answer(fixture, fd, "{\"execute\":\"resume\"}\n", "{\"return\":{}}\n");
    assert_answer(fixture, fd, "{\"execute\":\"reset\"}\n", "{\"return\":{}}\n");
    g_assert_cmpuint(fixture->machine->resets, ==, 1);
    assert_answer(fixture, fd, "{\"execute\":\"stop\"}\n", "{\"return\":{}}\n");
    g_assert_cmpint(fixture->machine->state, ==, MACHINE_STOPPED);
    close(fd);
    close(other);
}

static void test_crash_event(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    fixture->machine->crashed = true;
    fake_machine_emit(fixture->machine, MACHINE_EVENT_CRASH);
    g_autofree char *line = read_text(fd);
    assert_member(line, "/event", "\"crash\"");
    assert_member(line, "/data/parameters/0", "\"0xa0\"");
    struct json_object *object = json_tokener_parse(line);
    int64_t time = json_object_get_int64(json_object_object_get(object, "time"));
    g_assert_cmpint(ABS(time - g_get_real_time() / 1000), <, 60000);
    json_object_put(object);
    close(fd);
}

static void test_shutdown(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture), other = dial(fixture);

    (void)data;
    assert_answer(fixture, fd,
                  "{\"execute\":\"shutdown\",\"id\":7,\"arguments\":{\"mode\":\"reboot\","
                  "\"force\":true,\"reason\":\"maintenance\"}}\n",
                  "");
    g_assert_cmpint(fixture->machine->action, ==, SHUTDOWN_RESTART);
    g_assert_true(fixture->machine->force);
    g_assert_cmpstr(fixture->machine->reason, ==, "maintenance");
    assert_answer(fixture, other, "{\"execute\":\"shutdown\"}\n",
                  "{\"error\":{\"class\":\"busy\",\"message\":\"the guest has not answered the "
                  "last request yet\"}}\n");
    fake_machine_answer(fixture->machine, 0);
    g_autofree char *answer = read_text(fd);
    g_assert_cmpstr(answer, ==, "{\"return\":{},\"id\":7}\n");

    assert_answer(fixture, fd, "{\"execute\":\"shutdown\",\"arguments\":{}}\n", "");
    g_assert_cmpint(fixture->machine->action, ==, SHUTDOWN_POWER_OFF);
    fake_machine_answer(fixture->machine, 0x80004005);
    g_autofree char *refused = read_text(fd);
    g_assert_cmpstr(refused, ==,
                    "{\"error\":{\"class\":\"guest\",\"message\":\"the guest refused: status "
                    "0x80004005\"}}\n");
    close(fd);
    close(other);
}

static void test_no_driver(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    fixture->machine->shutdown_result = -ENOTCONN;
    assert_answer(fixture, fd, "{\"execute\":\"shutdown\",\"id\":1}\n",
                  "{\"error\":{\"class\":\"no-driver\",\"message\":\"the guest has no shutdown "
                  "integration driver running\"},\"id\":1}\n");
    fixture->machine->has_shutdown = false;
    assert_answer(fixture, fd, "{\"execute\":\"shutdown\"}\n",
                  "{\"error\":{\"class\":\"no-service\",\"message\":\"this machine has no shutdown "
                  "service (key integration.shutdown)\"}}\n");
    close(fd);
}

static void test_answer_after_close(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    assert_answer(fixture, fd, "{\"execute\":\"shutdown\",\"id\":\"mine\"}\n", "");
    close(fd);
    turn(fixture);
    fd = dial(fixture); /* in the slot of the one that is gone */
    fake_machine_answer(fixture->machine, 0);
    turn(fixture);
    g_autofree char *nothing = read_text(fd);
    g_assert_cmpstr(nothing, ==, "");
    close(fd);
}

/* The guest's answer comes when there is no control socket any more. */
static void test_answer_after_free(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    assert_answer(fixture, fd, "{\"execute\":\"shutdown\",\"id\":1}\n", "");
    control_free(fixture->control);
    fixture->control = NULL;
    fake_machine_answer(fixture->machine, -ECONNRESET);
    close(fd);
}

static void test_half_closed(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    write_text(fd, "{\"execute\":\"kvp-delete\",\"arguments\":{\"key\":\"a\"}}\n"
                   "{\"execute\":\"shutdown\"}\n");
    shutdown(fd, SHUT_WR);
    turn(fixture);
    g_autofree char *first = read_text(fd);
    g_assert_cmpstr(first, ==,
                    "{\"error\":{\"class\":\"request\",\"message\":\"there is no such key\"}}\n");
    fake_machine_answer(fixture->machine, 0);
    g_autofree char *second = read_text(fd);
    g_assert_cmpstr(second, ==, "{\"return\":{}}\n");
    turn(fixture);
    g_assert_null(read_text(fd));
    close(fd);
}

/* The whole of a client's life in one packet: it must still be heard. */
static void test_hasty_client(struct fixture *fixture, gconstpointer data)
{
    int fd = dial_path(fixture->path);

    (void)data;
    write_text(fd, "{\"execute\":\"reset\"}\n");
    close(fd);
    turn(fixture);
    g_assert_cmpuint(fixture->machine->resets, ==, 1);
}

static void test_kvp(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    assert_answer(fixture, fd,
                  "{\"execute\":\"kvp-set\",\"arguments\":{\"key\":\"k\",\"value\":\"v\"}}\n",
                  "{\"return\":{}}\n");
    g_assert_cmpstr(fixture->machine->kvp_value, ==, "v");
    assert_answer(fixture, fd, "{\"execute\":\"kvp-delete\",\"arguments\":{\"key\":\"k\"}}\n",
                  "{\"return\":{}}\n");
    assert_answer(fixture, fd,
                  "{\"execute\":\"set-ip\",\"arguments\":{\"adapter\":\"{a}\",\"address\":"
                  "\"10.0.0.1\"}}\n",
                  "{\"return\":{}}\n");
    assert_answer(
        fixture, fd, "{\"execute\":\"set-ip\",\"arguments\":{\"adapter\":\"{a}\"}}\n",
        "{\"error\":{\"class\":\"request\",\"message\":\"not valid UTF-8, or empty\"}}\n");
    fixture->machine->has_kvp = false;
    assert_answer(fixture, fd, "{\"execute\":\"kvp-delete\",\"arguments\":{\"key\":\"k\"}}\n",
                  "{\"error\":{\"class\":\"no-service\",\"message\":\"this machine has no kvp "
                  "service (key integration.kvp)\"}}\n");
    close(fd);
}

/* --- Bad requests ----------------------------------------------------------------------------- */

static void test_bad_requests(struct fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text, *class, *message;
    } cases[] = {
        {"nonsense\n", "\"syntax\"", "\"line 1, column 2: null expected\""},
        {"{\n", "\"syntax\"", "\"line 1, column 2: the text ends too early\""},
        {"null\n", "\"syntax\"", "\"line 1, column 5: null is not taken\""},
        {"[]\n", "\"request\"", "\"wrong type (array); give an object\""},
        {"{}\n", "\"request\"", "\"execute: missing; this key has no default\""},
        {"{\"execute\":\"stauts\"}\n", "\"unknown-command\"",
         "\"\\\"stauts\\\" is no command; did you mean \\\"status\\\"?\""},
        {"{\"execute\":\"frobnicate\"}\n", "\"unknown-command\"",
         "\"\\\"frobnicate\\\" is no command; \\\"commands\\\" lists them\""},
        {"{\"execute\":\"status\",\"argument\":{}}\n", "\"request\"",
         "\"unknown key \\\"argument\\\"; did you mean \\\"arguments\\\"?\""},
        {"{\"execute\":\"status\",\"arguments\":{\"x\":1}}\n", "\"request\"",
         "\"arguments: unknown key \\\"x\\\"; none are known here\""},
        {"{\"execute\":\"status\",\"arguments\":3}\n", "\"request\"",
         "\"arguments: wrong type (int); give an object\""},
        {"{\"execute\":\"shutdown\",\"arguments\":{\"mode\":\"explode\"}}\n", "\"request\"",
         "\"arguments.mode: \\\"explode\\\" is not known; give one of poweroff, reboot, "
         "hibernate\""},
        {"{\"execute\":\"status\",\"execute\":\"stop\"}\n", "\"syntax\"",
         "\"line 1, column 21: key \\\"execute\\\" stands twice; remove one\""},
        {"{\"execute\":\"st\\u0000op\"}\n", "\"syntax\"",
         "\"line 1, column 15: nul character in a string\""},
    };
    int fd = dial(fixture);

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = ask(fixture, fd, cases[i].text);

        assert_member(answer, "/error/class", cases[i].class);
        assert_member(answer, "/error/message", cases[i].message);
    }
    g_assert_cmpint(fixture->machine->state, ==, MACHINE_RUNNING);
    assert_answer(fixture, fd, "\n\r\n{\"execute\":\"reset\"}\r\n", "{\"return\":{}}\n");
    close(fd);
}

static void test_split_line(struct fixture *fixture, gconstpointer data)
{
    static const char line[] = "{\"execute\":\"reset\"}\n";
    int fd = dial(fixture);

    (void)data;
    for (unsigned i = 0; i + 1 < sizeof(line) - 1; i++) {
        const char one[] = {line[i], '\0'};

        assert_answer(fixture, fd, one, "");
    }
    assert_answer(fixture, fd, "\n", "{\"return\":{}}\n");
    close(fd);
}

static void test_long_line(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *part = g_strnfill(LIMIT_CONTROL_LINE / 2, 'x');
    int fd = dial(fixture);

    (void)data;
    assert_answer(fixture, fd, part, "");
    assert_answer(fixture, fd, part,
                  "{\"error\":{\"class\":\"syntax\",\"message\":\"the line is too long\"}}\n");
    for (unsigned i = 0; i < 10; i++)
        assert_answer(fixture, fd, part, "");
    assert_answer(fixture, fd, "\n{\"execute\":\"reset\"}\n", "{\"return\":{}}\n");
    close(fd);
}

/* A client that asks and never reads: its requests wait in its own socket, nothing piles up. */
static void test_never_reads(struct fixture *fixture, gconstpointer data)
{
    static const char line[] = "{\"execute\":\"integration\"}\n";
    int fd = dial(fixture), other = dial(fixture);
    unsigned asked = 0;

    (void)data;
    fixture->machine->kvp_pairs = 100;
    for (unsigned stuck = 0; stuck < 10; asked++) {
        if (write(fd, line, sizeof(line) - 1) < 0)
            stuck++;
        turn(fixture);
        g_assert_cmpuint(fixture->control->client[0].output->len, <, 256u << 10);
    }
    g_assert_cmpuint(asked, >, 10);
    assert_answer(fixture, other, "{\"execute\":\"reset\"}\n", "{\"return\":{}}\n");
    /* It begins to read, and gets every answer. */
    g_autofree char *first = read_text(fd);
    g_assert_true(g_str_has_prefix(first, "{\"return\":"));
    turn(fixture);
    close(fd);
    close(other);
}

/* Events cannot wait for a client: one that never reads is dropped at its limit. */
static void test_event_flood(struct fixture *fixture, gconstpointer data)
{
    int fd = dial(fixture);

    (void)data;
    for (unsigned i = 0; fixture->control->client[0].source.fd >= 0; i++) {
        g_assert_cmpuint(i, <, 100000);
        fake_machine_emit(fixture->machine, MACHINE_EVENT_PAUSED);
    }
    close(fd);
    fd = dial(fixture);
    close(fd);
}

static void test_too_many_clients(struct fixture *fixture, gconstpointer data)
{
    int fd[LIMIT_CONTROL_CLIENTS];

    (void)data;
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        fd[i] = dial(fixture);
    int extra = dial_path(fixture->path);
    turn(fixture);
    g_autofree char *answer = read_text(extra);
    assert_member(answer, "/error/class", "\"limit\"");
    g_assert_null(read_text(extra));
    close(extra);
    close(fd[3]);
    turn(fixture);
    fd[3] = dial(fixture);
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        close(fd[i]);
}

/* --- The path --------------------------------------------------------------------------------- */

static void test_mode(struct fixture *fixture, gconstpointer data)
{
    struct stat status;

    (void)data;
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmphex(status.st_mode & 07777, ==, 0600);
}

/* Even if somebody opens the file's mode, another user's connection is closed unheard. */
static void test_other_user(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    g_assert_cmpint(chmod(fixture->directory, 0755), ==, 0);
    g_assert_cmpint(chmod(fixture->path, 0666), ==, 0);
    /* The kernel notes the credentials of whoever connects, at that moment. */
    g_assert_cmpint(seteuid(65534), ==, 0);
    int fd = dial_path(fixture->path);
    g_assert_cmpint(seteuid(0), ==, 0);
    write_text(fd, "{\"execute\":\"reset\"}\n");
    turn(fixture);
    g_assert_cmpuint(fixture->machine->resets, ==, 0);
    g_autofree char *rest = read_text(fd);
    g_assert_true(!rest || !*rest);
    close(fd);
}

static void test_second_worker(struct fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_null(control_new(fixture->machine, fixture->path, &error));
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_RUNNING);
    g_assert_true(g_str_has_prefix(error->message, "a VM named vm1 is already running"));
    turn(fixture);
    close(dial(fixture));
}

static void test_stale_socket(struct fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    control_sealed(fixture->control);
    control_free(fixture->control);
    g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    fixture->control = control_new(fixture->machine, fixture->path, &error);
    g_assert_no_error(error);
    close(dial(fixture));
}

static void test_bad_paths(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *file = g_build_filename(fixture->directory, "file", NULL);
    g_autofree char *away = g_build_filename(fixture->directory, "no", "x.sock", NULL);
    g_autofree char *name = g_strnfill(108, 'n');
    const char *const paths[] = {file, away, name};
    const char *const parts[] = {"it is no socket: remove it", "make the directory",
                                 "at most 107 bytes"};

    (void)data;
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(control_new(fixture->machine, paths[i], &error));
        g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_PATH);
        if (!strstr(error->message, parts[i]))
            g_error("%s", error->message);
    }
    g_assert_cmpint(g_unlink(file), ==, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(struct fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/control/status", test_status},
        {"/control/generation", test_generation},
        {"/control/integration", test_integration},
        {"/control/stats", test_stats},
        {"/control/commands", test_commands},
        {"/control/states", test_states},
        {"/control/crash-event", test_crash_event},
        {"/control/shutdown", test_shutdown},
        {"/control/no-driver", test_no_driver},
        {"/control/answer-after-close", test_answer_after_close},
        {"/control/answer-after-free", test_answer_after_free},
        {"/control/half-closed", test_half_closed},
        {"/control/hasty-client", test_hasty_client},
        {"/control/kvp", test_kvp},
        {"/control/bad-requests", test_bad_requests},
        {"/control/split-line", test_split_line},
        {"/control/long-line", test_long_line},
        {"/control/never-reads", test_never_reads},
        {"/control/event-flood", test_event_flood},
        {"/control/too-many-clients", test_too_many_clients},
        {"/control/mode", test_mode},
        {"/control/other-user", test_other_user},
        {"/control/second-worker", test_second_worker},
        {"/control/stale-socket", test_stale_socket},
        {"/control/bad-paths", test_bad_paths},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, struct fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
