/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines: formatted on the stack, cleaned of control characters, written with one write(2).
 *
 * A message may quote the guest or a client, so nothing in it may start a new line or steer a
 * terminal. journald's prefix is that of sd-daemon(3).
 */
#include "src/common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024 /* with the newline; longer messages are cut and end in "..." */

static char log_name[64];
static atomic_int log_level = LOG_LEVEL_INFO;
static atomic_bool log_prefix;     /* stderr is not a terminal */
static atomic_bool log_prefix_set; /* log_prefix has been found out */

/* Asked once, early: the ioctl behind isatty() is not among those that the sandbox allows. */
static void find_prefix(void)
{
    atomic_store(&log_prefix, !isatty(STDERR_FILENO));
    atomic_store(&log_prefix_set, true);
}

void log_set_name(const char *name)
{
    snprintf(log_name, sizeof(log_name), "%s", name);
    find_prefix();
}

void log_set_level(enum log_level level)
{
    atomic_store(&log_level, (int)level);
}

/* Length after snprintf() said `wanted` for a buffer of `size` bytes. */
static size_t written(int wanted, size_t size)
{
    if (wanted < 0)
        return 0;
    return (size_t)wanted < size ? (size_t)wanted : size - 1;
}

/* Write "<level>name: " to `line`; returns its length. */
static size_t begin_line(char *line, size_t size, enum log_level level)
{
    size_t len = 0;

    if (!atomic_load(&log_prefix_set))
        find_prefix();
    if (atomic_load(&log_prefix))
        len = written(snprintf(line, size, "<%d>", (int)level), size);
    if (log_name[0])
        len += written(snprintf(line + len, size - len, "%s: ", log_name), size - len);
    return len;
}

static void clean(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    const size_t room = sizeof(line) - 1; /* the last byte is kept for the newline */
    int saved = errno;
    va_list arguments;

    if ((int)level > atomic_load(&log_level))
        return;
    size_t len = begin_line(line, room, level);
    va_start(arguments, format);
    errno = saved; /* for %m */
    int wanted = vsnprintf(line + len, room - len, format, arguments);
    va_end(arguments);
    bool cut = wanted >= 0 && (size_t)wanted >= room - len;
    len += written(wanted, room - len);
    if (cut)
        memcpy(line + len - 3, "...", 3);
    clean(line, len);
    line[len++] = '\n';
    /* Nobody is left to tell if this fails. */
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
    errno = saved;
}

bool log_limit_pass(struct log_limit *limit, uint32_t *ret_suppressed)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t window = (uint64_t)now.tv_sec / LOG_LIMIT_SECONDS + 1; /* never a zeroed limit's 0 */
    uint64_t seen = atomic_load(&limit->window);
    if (seen != window && atomic_compare_exchange_strong(&limit->window, &seen, window))
        atomic_store(&limit->used, 0);

    /* Looked at before it is counted up, so that a flood cannot wrap it. */
    if (atomic_load(&limit->used) >= LOG_LIMIT_BURST ||
        atomic_fetch_add(&limit->used, 1) >= LOG_LIMIT_BURST) {
        atomic_fetch_add(&limit->suppressed, 1);
        return false;
    }
    *ret_suppressed = atomic_exchange(&limit->suppressed, 0);
    return true;
}
