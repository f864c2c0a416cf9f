/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console between a UART and the host: log, pty, socket, standard input and output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "src/pc/console.h"
#include "tests/unit/fake_pc.h"

#define LOG_MAX 4096

struct fixture {
    struct fake_pc pc;
    struct uart uart;
    struct console *console;
    char *folder, *log, *socket;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(uart_init(&f->uart, &f->pc.host, &f->pc.pio, UART_COM1, UART_COM1_IRQ), ==, 0);
    f->folder = g_dir_make_tmp("vmbusd-console-XXXXXX", NULL);
    f->log = g_build_filename(f->folder, "log", NULL);
    f->socket = g_build_filename(f->folder, "socket", NULL);
}

/* End the lane, then the console, as the worker does. */
static void stop(struct fixture *f)
{
    lane_free(f->pc.host.lane);
    f->pc.host.lane = NULL;
    console_free(f->console);
    f->console = NULL;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    stop(f);
    fake_pc_fini(&f->pc);
    g_remove(f->log);
    g_assert_cmpint(g_access(f->socket, F_OK), ==, -1); /* nothing is left behind */
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->log);
    g_free(f->socket);
}

static struct console *make(struct fixture *f, enum console_kind kind, bool log, GError **error)
{
    const struct console_params params = {
        .kind = kind, .path = f->socket, .log = log ? f->log : NULL, .log_max = LOG_MAX};

    return console_new(&params, f->pc.host.lane, &f->uart, &f->pc.lock, error);
}

static void start(struct fixture *f, enum console_kind kind, bool log)
{
    g_autoptr(GError) error = NULL;

    f->console = make(f, kind, log, &error);
    g_assert_no_error(error);
    g_assert_nonnull(f->console);
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
}

static void refuse(struct fixture *f, enum console_kind kind, bool log, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(make(f, kind, log, &error));
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, words));
    g_assert_null(strchr(error->message, '\n'));
}

/* The guest prints: it looks at LSR before each FIFO's worth. */
static void print(struct fixture *f, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (i % UART_FIFO == 0 && !(fake_pc_inb(&f->pc, UART_COM1 + 5) & 0x20))
            g_usleep(100);
        fake_pc_outb(&f->pc, UART_COM1, (uint8_t)text[i]);
    }
}

static void print_text(struct fixture *f, const char *text)
{
    print(f, text, strlen(text));
}

/* Read exactly `length` bytes, or fail within five seconds. */
static void expect(int fd, const char *bytes, size_t length)
{
    g_autofree char *got = g_malloc(length);

    for (size_t at = 0; at < length;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        g_assert_cmpint(poll(&poll_fd, 1, 5000), ==, 1);
        ssize_t done = read(fd, got + at, length - at);
        g_assert_cmpint(done, >, 0);
        at += (size_t)done;
    }
    g_assert_cmpmem(got, length, bytes, length);
}

static void expect_text(int fd, const char *text)
{
    expect(fd, text, strlen(text));
}

static void expect_end(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;

    g_assert_cmpint(poll(&poll_fd, 1, 5000), ==, 1);
    g_assert_cmpint(read(fd, &byte, 1), ==, 0);
}

/* The guest reads `length` bytes, within five seconds. */
static void receive(struct fixture *f, const char *bytes, size_t length)
{
    gint64 end = g_get_monotonic_time() + 5000000;

    for (size_t i = 0; i < length;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        if (fake_pc_inb(&f->pc, UART_COM1 + 5) & 1)
            g_assert_cmpint((char)fake_pc_inb(&f->pc, UART_COM1), ==, bytes[i++]);
        else
            g_usleep(200);
    }
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static char *read_log(struct fixture *f, gsize *length)
{
    char *text;

    g_assert_true(g_file_get_contents(f->log, &text, length, NULL));
    return text;
}

static void test_log_without_reader(struct fixture *f, gconstpointer data)
{
    gsize length;
    struct stat status;

    (void)data;
    start(f, CONSOLE_NONE, true);
    g_assert_null(console_path(f->console));
    print_text(f, "Linux version\r\nPanic\r\n");
    stop(f);
    g_autofree char *text = read_log(f, &length);
    g_assert_cmpstr(text, ==, "Linux version\r\nPanic\r\n");
    g_assert_cmpint(g_stat(f->log, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
}

static void test_log_is_bounded(struct fixture *f, gconstpointer data)
{
    gsize length;

    (void)data;
    start(f, CONSOLE_NONE, true);
    for (unsigned i = 0; i < 2000; i++) {
        char line[32];
        g_snprintf(line, sizeof(line), "line %06u\n", i);
        print_text(f, line);
    }
    stop(f);
    g_autofree char *text = read_log(f, &length);
    g_assert_cmpuint(length, <=, LOG_MAX);
    g_assert_cmpuint(length, >=, LOG_MAX / 4);
    g_assert_cmpuint(length % 12, ==, 0); /* whole lines */
    for (unsigned i = 0; i < length / 12; i++) {
        char line[32];
        g_snprintf(line, sizeof(line), "line %06u\n", 2000 - (unsigned)length / 12 + i);
        g_assert_cmpmem(text + i * 12, 12, line, 12);
    }
}

static void test_log_without_lines(struct fixture *f, gconstpointer data)
{
    g_autofree char *noise = g_strnfill(3 * LOG_MAX, 'x');
    gsize length;

    (void)data;
    start(f, CONSOLE_NONE, true);
    print_text(f, noise);
    stop(f);
    g_autofree char *text = read_log(f, &length);
    g_assert_cmpuint(length, <=, LOG_MAX);
    g_assert_cmpint(text[0], ==, 'x');
    g_assert_cmpuint(length, >=, LOG_MAX / 2);
}

static void test_log_is_appended_to(struct fixture *f, gconstpointer data)
{
    gsize length;

    (void)data;
    g_assert_true(g_file_set_contents(f->log, "before\n", -1, NULL));
    start(f, CONSOLE_NONE, true);
    print_text(f, "after\n");
    stop(f);
    g_autofree char *text = read_log(f, &length);
    g_assert_cmpstr(text, ==, "before\nafter\n");
}

static void test_log_is_no_plain_file(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(g_mkdir(f->log, 0700), ==, 0);
    refuse(f, CONSOLE_NONE, true, "log: Is a directory");
    g_assert_cmpint(symlink("/dev/null", f->socket), ==, 0);
    g_free(f->log);
    f->log = g_strdup(f->socket);
    refuse(f, CONSOLE_NONE, true, "plain file");
    g_remove(f->socket);
    g_autofree char *log = g_build_filename(f->folder, "log", NULL);
    g_rmdir(log);
}

static void test_pty(struct fixture *f, gconstpointer data)
{
    (void)data;
    start(f, CONSOLE_PTY, false);
    int fd = open(console_path(f->console), O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    print_text(f, "login: ");
    expect_text(fd, "login: ");
    fake_pc_outb(&f->pc, UART_COM1 + 2, 1);
    g_assert_cmpint(write(fd, "root\r\003", 6), ==, 6); /* no echo, no signals, no translation */
    receive(f, "root\r\003", 6);
    close(fd);
    print_text(f, "kept");
    g_usleep(50000);
    fd = open(console_path(f->console), O_RDWR | O_NOCTTY | O_CLOEXEC);
    expect_text(fd, "kept");
    close(fd);
}

static void test_socket(struct fixture *f, gconstpointer data)
{
    struct stat status;

    (void)data;
    start(f, CONSOLE_SOCKET, false);
    g_assert_cmpstr(console_path(f->console), ==, f->socket);
    g_assert_cmpint(g_stat(f->socket, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    print_text(f, "early ");
    int fd = dial(f->socket);
    expect_text(fd, "early "); /* for the one who comes late */
    print_text(f, "late");
    expect_text(fd, "late");
    g_assert_cmpint(write(fd, "x", 1), ==, 1);
    receive(f, "x", 1);
    close(fd);
    fd = dial(f->socket);
    print_text(f, "again");
    expect_text(fd, "again");
    close(fd);
}

static void test_newest_client_wins(struct fixture *f, gconstpointer data)
{
    (void)data;
    start(f, CONSOLE_SOCKET, false);
    int first = dial(f->socket);
    print_text(f, "one");
    expect_text(first, "one");
    int second = dial(f->socket);
    expect_end(first);
    print_text(f, "two");
    expect_text(second, "two");
    close(first);
    close(second);
}

/* 1 MiB to a client that does not read: the guest is not held up, and the newest bytes wait. */
static void test_client_never_reads(struct fixture *f, gconstpointer data)
{
    g_autofree char *text = g_malloc(1 << 20);

    (void)data;
    start(f, CONSOLE_SOCKET, false);
    int fd = dial(f->socket);
    for (unsigned i = 0; i < 1 << 20; i++)
        text[i] = (char)('a' + i / 7 % 26);
    print(f, text, 1 << 20);
    g_usleep(50000);
    int again = dial(f->socket);
    expect(again, text + (1 << 20) - CONSOLE_BACKLOG, CONSOLE_BACKLOG);
    close(fd);
    close(again);
}

/* More than the FIFO holds waits in the socket until the guest reads. */
static void test_input_flow_control(struct fixture *f, gconstpointer data)
{
    char text[5000];

    (void)data;
    start(f, CONSOLE_SOCKET, false);
    fake_pc_outb(&f->pc, UART_COM1 + 2, 1);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (char)('0' + i % 71);
    int fd = dial(f->socket);
    g_assert_cmpint(write(fd, text, sizeof(text)), ==, sizeof(text));
    g_usleep(20000);
    receive(f, text, sizeof(text));
    g_assert_cmphex(fake_pc_inb(&f->pc, UART_COM1 + 5) & 0x03, ==, 0); /* no overrun */
    close(fd);
}

static void test_client_leaves_with_full_fifo(struct fixture *f, gconstpointer data)
{
    (void)data;
    start(f, CONSOLE_SOCKET, false);
    for (unsigned i = 0; i < 20; i++) {
        int fd = dial(f->socket);
        g_assert_cmpint(write(fd, "0123456789", 10), ==, 10);
        close(fd);
    }
    int fd = dial(f->socket);
    print_text(f, "alive");
    expect_text(fd, "alive");
    close(fd);
}

static void test_stale_socket(struct fixture *f, gconstpointer data)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)data;
    g_strlcpy(address.sun_path, f->socket, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    refuse(f, CONSOLE_SOCKET, false, "another machine's console?");
    close(fd);
    start(f, CONSOLE_SOCKET, false); /* nobody serves it now */
    close(dial(f->socket));
}

static void test_socket_path_is_taken(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_true(g_file_set_contents(f->socket, "mine", -1, NULL));
    refuse(f, CONSOLE_SOCKET, false, "File exists");
    g_assert_cmpint(g_remove(f->socket), ==, 0); /* it was left alone */
    char *good = f->socket;
    f->socket = g_build_filename(f->folder, "missing", "socket", NULL);
    refuse(f, CONSOLE_SOCKET, false, "make its folder");
    g_free(f->socket);
    f->socket = g_strnfill(200, 'x');
    refuse(f, CONSOLE_SOCKET, false, "107 characters");
    g_free(f->socket);
    f->socket = good;
}

/* Standard input and output are pipes whose mode, shared with others, must not change. */
static void test_stdio(struct fixture *f, gconstpointer data)
{
    int in[2], out[2], kept_in = dup(STDIN_FILENO), kept_out = dup(STDOUT_FILENO);

    (void)data;
    g_assert_cmpint(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), ==, 0);
    fflush(stdout);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    f->console = make(f, CONSOLE_STDIO, false, NULL);
    int flags = fcntl(STDIN_FILENO, F_GETFL) | fcntl(STDOUT_FILENO, F_GETFL);
    dup2(kept_in, STDIN_FILENO);
    dup2(kept_out, STDOUT_FILENO);
    g_assert_nonnull(f->console);
    g_assert_cmphex((unsigned)flags & O_NONBLOCK, ==, 0);
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    print_text(f, "to you");
    expect_text(out[0], "to you");
    g_assert_cmpint(write(in[1], "q", 1), ==, 1);
    receive(f, "q", 1);
    close(in[1]); /* end of input is not end of output */
    close(in[0]);
    g_usleep(20000);
    print_text(f, "still");
    expect_text(out[0], "still");
    close(out[0]);
    close(out[1]);
    print_text(f, "nobody");
    g_usleep(20000);
    close(kept_in);
    close(kept_out);
}

/* `printf ... | socat - UNIX-CONNECT:...`: gone before the guest has read it, or has echoed. */
static void test_client_writes_and_leaves(struct fixture *f, gconstpointer data)
{
    char bytes[700];
    int fd;

    (void)data;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i % 26);
    start(f, CONSOLE_SOCKET, false);
    fd = dial(f->socket);
    g_assert_cmpint(write(fd, bytes, sizeof(bytes)), ==, sizeof(bytes));
    close(fd);
    receive(f, bytes, 20);
    print_text(f, "an echo that nobody reads");
    g_usleep(20000);
    receive(f, bytes + 20, sizeof(bytes) - 20);
    fd = dial(f->socket); /* who gets what was kept */
    expect_text(fd, "an echo that nobody reads");
    close(fd);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* as the worker does */
    g_test_init(&argc, &argv, NULL);
    add("/console/log-without-reader", test_log_without_reader);
    add("/console/log-is-bounded", test_log_is_bounded);
    add("/console/log-without-lines", test_log_without_lines);
    add("/console/log-is-appended-to", test_log_is_appended_to);
    add("/console/log-is-no-plain-file", test_log_is_no_plain_file);
    add("/console/pty", test_pty);
    add("/console/socket", test_socket);
    add("/console/newest-client-wins", test_newest_client_wins);
    add("/console/client-never-reads", test_client_never_reads);
    add("/console/input-flow-control", test_input_flow_control);
    add("/console/client-leaves-with-full-fifo", test_client_leaves_with_full_fifo);
    add("/console/client-writes-and-leaves", test_client_writes_and_leaves);
    add("/console/stale-socket", test_stale_socket);
    add("/console/socket-path-is-taken", test_socket_path_is_taken);
    add("/console/stdio", test_stdio);
    return g_test_run();
}
