/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: see console.h; what it talks to is opened in console_open.c.
 *
 * A byte from the guest wakes the lane once; the lane then waits a moment, so that a line costs two
 * wake-ups and not eighty.
 */
#include "src/pc/console.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/pc/console_priv.h"

#define GATHER_NS 2000000u

static bool watch(struct console *console, struct console_watch *watch, uint32_t events)
{
    if (watch->source.fd < 0 || events == watch->events)
        return true;
    watch->events = events;
    if (events)
        return lane_watch(console->lane, &watch->source, events) == 0;
    lane_unwatch(console->lane, &watch->source);
    return true;
}

/* No more input; nor output, if that is the same file. */
static void drop_reader(struct console *console)
{
    int fd = console->reader.source.fd;

    if (fd < 0)
        return;
    watch(console, &console->reader, 0);
    console->reader.source.fd = -1;
    if (console->out_fd == fd)
        console->out_fd = -1;
    close(fd);
}

/* Nobody reads our output any more. What a client has written before it left is still read: its end
 * comes behind that. */
static void drop_output(struct console *console)
{
    if (console->out_fd == console->reader.source.fd) {
        console->out_fd = -1;
        return;
    }
    watch(console, &console->writer, 0);
    close(console->out_fd);
    console->writer.source.fd = console->out_fd = -1;
}

/* Wait for what is wanted now, and for nothing else. */
static void rewatch(struct console *console)
{
    uint32_t in = console->paused ? 0 : EPOLLIN, out = console->blocked ? EPOLLOUT : 0;

    if (console->out_fd == console->reader.source.fd)
        in |= out;
    else
        watch(console, &console->writer, out);
    /* Refused for plain files and /dev/null, which have no input worth waiting for. */
    if (!watch(console, &console->reader, in))
        drop_reader(console);
}

/* Keep the newest CONSOLE_BACKLOG bytes. */
static void push_backlog(struct console *console, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        console->backlog[(console->first + console->count) % CONSOLE_BACKLOG] = bytes[i];
        if (console->count < CONSOLE_BACKLOG)
            console->count++;
        else
            console->first = (console->first + 1) % CONSOLE_BACKLOG;
    }
}

static ssize_t write_some(const struct console *console, const void *bytes, size_t length)
{
    if (console->out_is_socket)
        return send(console->out_fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return write(console->out_fd, bytes, length);
}

static void flush(struct console *console)
{
    console->blocked = false;
    while (console->count && console->out_fd >= 0) {
        unsigned straight = CONSOLE_BACKLOG - console->first;
        ssize_t done = write_some(console, console->backlog + console->first,
                                  straight < console->count ? straight : console->count);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) {
            console->blocked = true;
            break;
        }
        if (done < 0) {
            drop_output(console);
            break;
        }
        console->first = (console->first + (unsigned)done) % CONSOLE_BACKLOG;
        console->count -= (unsigned)done;
    }
}

/* Take all that the guest has sent: to the log, then to whoever reads. */
static void drain(struct console *console)
{
    uint8_t bytes[UART_RING];

    pthread_mutex_lock(console->lock);
    unsigned count = uart_take(console->uart, bytes, sizeof(bytes));
    pthread_mutex_unlock(console->lock);
    console_log_write(&console->log, bytes, count);
    push_backlog(console, bytes, count);
    flush(console);
}

static void gather_fire(struct lane_timer *timer)
{
    struct console *console = container_of(timer, struct console, gather);

    drain(console);
    rewatch(console);
}

static unsigned room(struct console *console)
{
    pthread_mutex_lock(console->lock);
    unsigned bytes = uart_room(console->uart);
    pthread_mutex_unlock(console->lock);
    console->paused = bytes == 0;
    return bytes;
}

/* The UART has output, or room for input. */
static void kicked_run(struct lane_task *task)
{
    struct console *console = container_of(task, struct console, kicked);

    if (!console->gather.deadline)
        lane_timer_arm(console->lane, &console->gather, GATHER_NS);
    if (console->paused)
        room(console);
    rewatch(console);
}

static void kick(void *context)
{
    struct console *console = context;

    lane_post(console->lane, &console->kicked);
}

static void read_input(struct console *console)
{
    uint8_t bytes[UART_FIFO];
    unsigned size = room(console);

    if (!size || console->reader.source.fd < 0)
        return;
    ssize_t got = read(console->reader.source.fd, bytes, size);
    if (got > 0) {
        pthread_mutex_lock(console->lock);
        uart_receive(console->uart, bytes, (unsigned)got);
        pthread_mutex_unlock(console->lock);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        drop_reader(console);
    }
}

static void reader_ready(struct lane_source *source, uint32_t events)
{
    struct console *console = container_of(source, struct console, reader.source);

    if (events & EPOLLOUT)
        flush(console);
    if (events & ~(uint32_t)EPOLLOUT)
        read_input(console);
    rewatch(console);
}

static void writer_ready(struct lane_source *source, uint32_t events)
{
    struct console *console = container_of(source, struct console, writer.source);

    (void)events;
    flush(console);
    rewatch(console);
}

/* The newest client wins. */
static void listener_ready(struct lane_source *source, uint32_t events)
{
    struct console *console = container_of(source, struct console, listener.source);
    int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    drop_reader(console);
    console->reader.source.fd = console->out_fd = fd;
    flush(console);
    rewatch(console);
}

struct console *console_new(const struct console_params *params, struct lane *lane,
                            struct uart *uart, pthread_mutex_t *lock, GError **error)
{
    struct console *console = g_new0(struct console, 1);

    *console = (struct console){
        .kind = params->kind,
        .lane = lane,
        .uart = uart,
        .lock = lock,
        .kicked.run = kicked_run,
        .gather.fire = gather_fire,
        .listener.source = {.fd = -1, .ready = listener_ready},
        .reader.source = {.fd = -1, .ready = reader_ready},
        .writer.source = {.fd = -1, .ready = writer_ready},
        .out_fd = -1,
        .slave = -1,
        .log.fd = -1,
    };
    if (!console_open(console, params, error)) {
        console_free(console);
        return NULL;
    }
    uart->kick = kick;
    uart->context = console;
    watch(console, &console->listener, EPOLLIN);
    rewatch(console);
    return console;
}

const char *console_path(const struct console *console)
{
    return console->path;
}

void console_free(struct console *console)
{
    if (!console)
        return;
    /* The lane has gone, and its watches with it. */
    console->listener.events = console->reader.events = console->writer.events = 0;
    if (console->uart->context == console) {
        drain(console);
        console->uart->kick = NULL;
        console->uart->context = NULL;
    }
    console_close(console);
    g_free(console);
}
