/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's end of the guest's serial port: a pty, a UNIX socket, our own standard input and
 * output, or nobody; and a log of bounded size.
 *
 * The guest's output goes to the log first and then to whoever reads. Nobody has to: the last
 * CONSOLE_BACKLOG bytes are kept for the one who comes late or reads slowly, older ones are dropped
 * (the log has them), and the guest never waits. A socket serves one client; a new one takes over
 * from the old, so that a hung terminal locks nobody out. Input goes to the UART as fast as the
 * guest takes it and waits in the pty or socket meanwhile.
 *
 * All files are opened by console_new() and none later, so the log cannot be renamed away: when it
 * has grown to its bound, its older half is dropped in place.
 */
#ifndef VMBUSD_PC_CONSOLE_H
#define VMBUSD_PC_CONSOLE_H

#include <pthread.h>
#include <stdint.h>

#include <glib.h>

#include "src/common/lane.h"
#include "src/pc/uart.h"

#define CONSOLE_BACKLOG 16384u

struct console;

enum console_kind { CONSOLE_NONE, CONSOLE_STDIO, CONSOLE_PTY, CONSOLE_SOCKET };

struct console_params {
    enum console_kind kind;
    const char *path; /* CONSOLE_SOCKET: where to listen; a socket that nobody serves is replaced */
    const char *log;  /* NULL: none. Appended to; made with mode 0600 */
    uint64_t log_max; /* bytes */
};

#define CONSOLE_ERROR (console_error_quark())
GQuark console_error_quark(void);

/*
 * Open what `params` names and tie it to `uart` (whose kick it takes) and to `lane`, which must not
 * run yet or be the caller's. `lock` is the PC lock. Copies `params`. NULL with a one-line error.
 */
struct console *console_new(const struct console_params *params, struct lane *lane,
                            struct uart *uart, pthread_mutex_t *lock, GError **error);

/* The sandbox closes: console_free() must leave the socket's file, which the next start replaces.
 * NULL is fine. */
void console_sealed(struct console *console);

/* Path of the pty or the socket, or NULL. The console's. */
const char *console_path(const struct console *console);

/* Write out what the guest has sent last, remove the socket, restore the terminal. After
 * lane_free(), which still runs what was posted; the UART must be quiet. NULL is fine. */
void console_free(struct console *console);

#endif
