/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to stderr, one write each, as journald reads them: "<level>" prefix when stderr is not
 * a terminal.
 *
 * Usable from every thread and after the sandbox has closed: no allocation, no locale, no files.
 * Control characters in a message become '?', so that quoted text cannot forge a line.
 * Lines that a guest can provoke go through a struct log_limit, so that a hostile guest cannot fill
 * a disk.
 */
#ifndef VMBUSD_COMMON_LOG_H
#define VMBUSD_COMMON_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Name put before each message ("vmbusd-worker[vm1]"); copied, cut at 63 bytes. Also looks whether
 * stderr is a terminal. Call before threads start. */
void log_set_name(const char *name);

/* Most verbose level that is written; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define LOG_LIMIT_BURST   10u
#define LOG_LIMIT_SECONDS 10u

/* At most LOG_LIMIT_BURST lines in each LOG_LIMIT_SECONDS; the rest is counted and told with the
 * next line. Zero-initialised is ready. */
struct log_limit {
    _Atomic uint64_t window;     /* number of the current window, CLOCK_MONOTONIC; 0 = none yet */
    _Atomic uint32_t used;       /* lines written in it */
    _Atomic uint32_t suppressed; /* lines not written since the last one that was */
};

/* True if a line may be written now. Then *ret_suppressed is how many were swallowed before it. Any
 * thread. */
bool log_limit_pass(struct log_limit *limit, uint32_t *ret_suppressed);

/* A line that a guest can provoke: rate-limited by `limit`. */
#define log_guest(limit, ...)                                                                \
    do {                                                                                     \
        uint32_t log_swallowed_;                                                             \
        if (log_limit_pass((limit), &log_swallowed_)) {                                      \
            log_write(LOG_LEVEL_WARNING, __VA_ARGS__);                                       \
            if (log_swallowed_)                                                              \
                log_write(LOG_LEVEL_WARNING, "%u similar lines suppressed", log_swallowed_); \
        }                                                                                    \
    } while (0)

#endif
