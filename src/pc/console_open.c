/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the console talks to: pty, socket, standard input and output, log. All of it is opened
 * before the sandbox closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/pc/console_priv.h"

G_DEFINE_QUARK(console_error, console_error)

/* One line "WHAT: reason; remedy". */
static bool fail(GError **error, const char *what, int code, const char *remedy)
{
    g_set_error(error, CONSOLE_ERROR, code, "%s: %s; %s", what, g_strerror(code), remedy);
    return false;
}

static bool open_pty(struct console *console, GError **error)
{
    char name[64];
    struct termios raw;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    console->reader.source.fd = console->out_fd = master;
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return fail(error, "console: pty", errno, "is /dev/pts mounted?");
    int result = ptsname_r(master, name, sizeof(name));
    if (result)
        return fail(error, "console: pty", result, "is /dev/pts mounted?");
    console->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (console->slave < 0 || tcgetattr(console->slave, &raw) < 0)
        return fail(error, name, errno, "is /dev/pts mounted?");
    cfmakeraw(&raw);
    if (tcsetattr(console->slave, TCSANOW, &raw) < 0)
        return fail(error, name, errno, "is /dev/pts mounted?");
    console->path = g_strdup(name);
    return true;
}

/* Remove a socket that was left behind; leave one that somebody serves. */
static bool clear_stale(const struct sockaddr_un *address, GError **error)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT || fail(error, address->sun_path, errno, "choose another path");
    if (!S_ISSOCK(status.st_mode))
        return fail(error, address->sun_path, EEXIST, "choose another path");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
    close(fd);
    if (result != ECONNREFUSED)
        return fail(error, address->sun_path, EADDRINUSE,
                    "another machine's console? choose another path");
    return unlink(address->sun_path) == 0 ||
           fail(error, address->sun_path, errno, "remove it by hand");
}

static bool listen_at(struct console *console, const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
        return fail(error, path, ENAMETOOLONG, "a socket's path has at most 107 characters");
    if (!clear_stale(&address, error))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    console->listener.source.fd = fd;
    console->out_is_socket = true;
    /* The mode that the socket's file will have. */
    if (fd < 0 || fchmod(fd, 0600) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return fail(error, path, errno, "make its folder, or choose another path");
    console->path = g_strdup(path);
    console->bound = true;
    return listen(fd, 1) == 0 || fail(error, path, errno, "choose another path");
}

/*
 * A descriptor of our own for standard input or output, in non-blocking mode. The mode belongs to
 * the open file, which our parent shares, so the file is opened again; what cannot be (a socket, a
 * terminal of another user) or must not be (a plain file, whose offset we share) is used as it is.
 */
static int reopen(int fd, int flags)
{
    char name[32];
    struct stat status;

    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        g_snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        int again = open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (again >= 0)
            return again;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool open_stdio(struct console *console, GError **error)
{
    console->reader.source.fd = reopen(STDIN_FILENO, O_RDONLY);
    console->out_fd = console->writer.source.fd = reopen(STDOUT_FILENO, O_WRONLY);
    struct stat status;
    if (console->out_fd < 0 || fstat(console->out_fd, &status) < 0)
        return fail(error, "console: standard output", errno, "give the worker one");
    console->out_is_socket = S_ISSOCK(status.st_mode);
    if (tcgetattr(STDIN_FILENO, &console->terminal) < 0)
        return true; /* not a terminal */
    struct termios raw = console->terminal;
    cfmakeraw(&raw);
    raw.c_lflag |= ISIG;                     /* ^C still ends us */
    raw.c_oflag = console->terminal.c_oflag; /* our own messages go there too */
    console->restore_terminal = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    return true;
}

bool console_open(struct console *console, const struct console_params *params, GError **error)
{
    if (params->log) {
        int result = console_log_open(&console->log, params->log, params->log_max);
        if (result < 0)
            return fail(error, params->log, -result, "give a plain file that can be written");
    }
    switch (params->kind) {
    case CONSOLE_PTY:
        return open_pty(console, error);
    case CONSOLE_SOCKET:
        return listen_at(console, params->path, error);
    case CONSOLE_STDIO:
        return open_stdio(console, error);
    case CONSOLE_NONE:
        break;
    }
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void console_sealed(struct console *console)
{
    if (console)
        console->bound = false;
}

void console_close(struct console *console)
{
    int in = console->reader.source.fd;

    if (console->restore_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &console->terminal);
    if (console->bound)
        unlink(console->path);
    close_fd(in);
    if (console->out_fd != in)
        close_fd(console->out_fd);
    close_fd(console->listener.source.fd);
    close_fd(console->slave);
    console_log_close(&console->log);
    g_free(console->path);
}
