/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log file that never grows beyond a bound, for a process that cannot open files any more.
 *
 * When the next bytes would pass the bound, the newer half moves to the beginning, cut at a line,
 * and the rest is cut off.
 */
#ifndef VMBUSD_PC_CONSOLE_LOG_H
#define VMBUSD_PC_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/log.h"

struct console_log {
    int fd; /* -1: none */
    uint64_t size, max;
    struct log_limit trouble; /* writing failed */
};

/* Open or make the file, keeping what is in it. 0 or -errno; -EINVAL if `path` is not a regular
 * file. */
int console_log_open(struct console_log *log, const char *path, uint64_t max);

/* Append. What the disk does not take is lost, and said. */
void console_log_write(struct console_log *log, const uint8_t *bytes, size_t length);

void console_log_close(struct console_log *log);

#endif
