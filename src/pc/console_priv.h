/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console's inside, shared by console.c (bytes) and console_open.c (files).
 */
#ifndef VMBUSD_PC_CONSOLE_PRIV_H
#define VMBUSD_PC_CONSOLE_PRIV_H

#include <stdbool.h>
#include <termios.h>

#include "src/pc/console.h"
#include "src/pc/console_log.h"

struct console_watch {
    struct lane_source source; /* fd -1: nothing there */
    uint32_t events;           /* watched for now; 0: not */
};

struct console {
    enum console_kind kind;
    struct lane *lane;
    struct uart *uart;
    pthread_mutex_t *lock;
    struct lane_task kicked;
    struct lane_timer gather;      /* armed from the first byte of output until it is taken */
    struct console_watch listener; /* of CONSOLE_SOCKET */
    struct console_watch reader;   /* input; output too where it is the same file */
    struct console_watch writer;   /* standard output */
    int out_fd;                    /* -1: nobody reads */
    bool out_is_socket;            /* where writing must be told not to wait */
    bool paused;                   /* the UART has no room for input */
    bool blocked;                  /* the reader of our output is slow */
    struct console_log log;

    uint8_t backlog[CONSOLE_BACKLOG];
    unsigned first, count;

    char *path;              /* of the pty or the socket */
    int slave;               /* of the pty: held open, so that the master never reads EIO */
    bool bound;              /* the socket's file is there, and ours to remove */
    struct termios terminal; /* standard input's, as it was */
    bool restore_terminal;
};

/* Open everything that `params` names into `console`. False with a one-line error. */
bool console_open(struct console *console, const struct console_params *params, GError **error);

/* Undo console_open(), all or part of it. Watches are gone. */
void console_close(struct console *console);

#endif
