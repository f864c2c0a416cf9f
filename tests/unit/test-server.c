/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/daemon/server.c and event.c: vmbusd's control socket, and clients that do as they please.
 */
#include "src/daemon/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/common/limits.h"
#include "src/daemon/event.h"

#define GREETING "{\"vmbusd\":{\"protocol\":1}}\n"

static char *path;
static struct server *server;

static struct json_object *execute(void *context, const char *name, struct json_object *arguments,
                                   GError **error)
{
    (void)context;
    if (!strcmp(name, "echo"))
        return json_object_get(arguments);
    if (!strcmp(name, "emit")) {
        event_emit("happened", "to", "us", "not", NULL, NULL);
        return json_object_new_object();
    }
    g_set_error(error, SERVER_ERROR, SERVER_ERROR_UNKNOWN_COMMAND, "no \"%s\"", name);
    return NULL;
}

static void pass_on(void *context, struct json_object *event)
{
    (void)context;
    server_event(server, event);
}

static void begin(void)
{
    g_autoptr(GError) error = NULL;

    int listener = server_listen(path, &error);
    g_assert_no_error(error);
    server = server_new(listener, geteuid(), execute, NULL);
    event_listen(pass_on, NULL);
}

static void end(void)
{
    event_listen(NULL, NULL);
    server_free(server);
    unlink(path);
}

static void turn(void)
{
    for (unsigned i = 0; i < 20; i++)
        g_main_context_iteration(NULL, FALSE);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    turn();
    return fd;
}

static void say(int fd, const char *text)
{
    g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (ssize_t)strlen(text));
    turn();
}

/* What has come, or NULL at the end of the stream. */
static const char *heard(int fd)
{
    static char text[8192];
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

    g_assert_true(got >= 0 || errno == EAGAIN || errno == ECONNRESET);
    text[MAX(got, 0)] = '\0';
    return got == 0 || (got < 0 && errno != EAGAIN) ? NULL : text;
}

static int greeted(void)
{
    int fd = dial();

    g_assert_cmpstr(heard(fd), ==, GREETING);
    return fd;
}

/* --- Requests --------------------------------------------------------------------------------- */

static void test_requests(void)
{
    begin();
    int fd = greeted();
    say(fd, "{\"execute\":\"echo\",\"arguments\":{\"a\":1},\"id\":[7]}\n");
    g_assert_cmpstr(heard(fd), ==, "{\"return\":{\"a\":1},\"id\":[7]}\n");
    say(fd, "{\"execute\":\"nothing\",\"id\":1}\n");
    g_assert_cmpstr(heard(fd), ==,
                    "{\"error\":{\"class\":\"unknown-command\",\"message\":\"no \\\"nothing\\\"\"},"
                    "\"id\":1}\n");
    say(fd, "{\"execute\":\"ec");
    g_assert_cmpstr(heard(fd), ==, "");
    say(fd, "ho\"}\n\n{\"execute\":\"echo\",\"arguments\":{}}\n");
    g_assert_cmpstr(heard(fd), ==, "{\"return\":null}\n{\"return\":{}}\n");
    close(fd);
    end();
}

static void test_nonsense(void)
{
    static const char *const lines[] = {"hello\n",
                                        "[]\n",
                                        "{\"execute\":7}\n",
                                        "{\"execute\":\"\"}\n",
                                        "{\"execute\":\"echo\",\"arguments\":[]}\n",
                                        "{\"execute\":\"echo\",\"more\":1}\n",
                                        "{\"execute\":\"echo\",\"execute\":\"echo\"}\n",
                                        "{}\n",
                                        "{\"execute\":\"echo\"} x\n"};

    begin();
    int fd = greeted();
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        say(fd, lines[i]);
        g_assert_true(g_str_has_prefix(heard(fd), "{\"error\":{\"class\":\""));
    }
    close(fd);
    end();
}

static void test_long_line(void)
{
    g_autofree char *line = g_strnfill(LIMIT_CONTROL_LINE, ' ');

    begin();
    int fd = greeted(), other = greeted();
    say(fd, line);
    g_assert_null(heard(fd));
    say(other, "{\"execute\":\"echo\"}\n");
    g_assert_cmpstr(heard(other), ==, "{\"return\":null}\n");
    close(fd);
    close(other);
    end();
}

static void test_many_clients(void)
{
    int fd[LIMIT_CONTROL_CLIENTS];

    begin();
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        fd[i] = greeted();
    int one_more = dial();
    g_assert_null(heard(one_more));
    close(one_more);
    close(fd[3]);
    turn();
    fd[3] = greeted();
    for (unsigned i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        close(fd[i]);
    turn();
    end();
}

static void test_second_server(void)
{
    g_autoptr(GError) error = NULL;

    begin();
    g_assert_cmpint(server_listen(path, &error), ==, -1);
    g_assert_nonnull(strstr(error->message, "a vmbusd is already running"));
    close(greeted());
    turn();
    end();
}

/* --- Events ----------------------------------------------------------------------------------- */

/* Without the time. */
static void assert_event(int fd)
{
    const char *text = heard(fd);

    g_assert_true(
        g_str_has_prefix(text, "{\"event\":\"happened\",\"data\":{\"to\":\"us\"},\"time\":"));
    g_assert_cmpstr(strchr(text, '\n'), ==, "\n");
}

static void test_events(void)
{
    begin();
    int listener = greeted(), other = greeted();
    event_emit("happened", "to", "nobody", NULL);
    say(listener, "{\"execute\":\"events\",\"id\":1}\n");
    g_assert_cmpstr(heard(listener), ==, "{\"return\":{},\"id\":1}\n");
    event_emit("happened", "to", "us", NULL);
    assert_event(listener);
    g_assert_cmpstr(heard(other), ==, "");
    /* It still answers; and a command of another client tells it. */
    say(listener, "{\"execute\":\"echo\"}\n");
    g_assert_cmpstr(heard(listener), ==, "{\"return\":null}\n");
    say(other, "{\"execute\":\"emit\"}\n");
    g_assert_cmpstr(heard(other), ==, "{\"return\":{}}\n");
    assert_event(listener);
    /* Its own command too, before the answer. */
    say(listener, "{\"execute\":\"emit\"}\n");
    const char *both = heard(listener);
    g_assert_true(g_str_has_prefix(both, "{\"event\":\"happened\""));
    g_assert_true(g_str_has_suffix(both, "}\n{\"return\":{}}\n"));
    close(listener);
    close(other);
    end();
}

/* One that does not read costs at most LIMIT_CONTROL_OUTPUT, and then it is gone. */
static void test_unread_events(void)
{
    begin();
    int deaf = greeted(), listener = greeted();
    say(deaf, "{\"execute\":\"events\"}\n");
    say(listener, "{\"execute\":\"events\"}\n");
    g_assert_nonnull(heard(listener));
    for (unsigned i = 0; i < 40000; i++) {
        event_emit("happened", "to", "us", NULL);
        while (*heard(listener))
            ;
        turn();
    }
    /* What the kernel holds comes, and then the end, before all were told. */
    size_t lines = 0;
    const char *text;
    while ((text = heard(deaf)) && *text)
        for (; *text; text++)
            lines += *text == '\n';
    g_assert_null(text);
    g_assert_cmpuint(lines, <, 40000);
    event_emit("happened", "to", "us", NULL);
    assert_event(listener);
    close(deaf);
    close(listener);
    end();
}

/* A client goes while it is told, or while its answer waits. */
static void test_gone(void)
{
    begin();
    int fd = greeted();
    say(fd, "{\"execute\":\"events\"}\n");
    close(fd);
    event_emit("happened", "to", "us", NULL);
    event_emit("happened", "to", "us", NULL);
    turn();
    fd = greeted();
    g_assert_cmpint(send(fd, "{\"execute\":\"emit\"}\n", 19, 0), ==, 19);
    close(fd);
    turn();
    close(greeted());
    turn();
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *folder = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    path = g_build_filename(folder, "vmbusd.sock", NULL);
    g_test_add_func("/server/requests", test_requests);
    g_test_add_func("/server/second", test_second_server);
    g_test_add_func("/server/events", test_events);
    g_test_add_func("/server/attack/nonsense", test_nonsense);
    g_test_add_func("/server/attack/long-line", test_long_line);
    g_test_add_func("/server/attack/many-clients", test_many_clients);
    g_test_add_func("/server/attack/unread-events", test_unread_events);
    g_test_add_func("/server/attack/gone", test_gone);
    int result = g_test_run();
    rmdir(folder);
    g_free(path);
    return result;
}
