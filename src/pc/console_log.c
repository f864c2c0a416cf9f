/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded log: see console_log.h. After console_log_open() only pread(), pwrite() and
 * ftruncate() are used.
 */
#include "src/pc/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 4096u

int console_log_open(struct console_log *log, const char *path, uint64_t max)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    *log = (struct console_log){.fd = fd, .size = (uint64_t)status.st_size, .max = max};
    return 0;
}

static bool write_at(int fd, uint64_t offset, const uint8_t *bytes, size_t length)
{
    while (length) {
        ssize_t done = pwrite(fd, bytes, length, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        offset += (uint64_t)done;
        length -= (size_t)done;
    }
    return true;
}

/* Keep the last `keep` bytes, less the line whose beginning is gone. */
static bool drop_older(struct console_log *log, uint64_t keep)
{
    uint8_t chunk[CHUNK];
    uint64_t from = log->size - keep, to = 0;

    while (from < log->size) {
        ssize_t got = pread(log->fd, chunk, sizeof(chunk), (off_t)from);
        if (got <= 0)
            return false;
        const uint8_t *newline = to ? NULL : memchr(chunk, '\n', (size_t)got);
        size_t skip = newline ? (size_t)(newline + 1 - chunk) : 0;
        if (!write_at(log->fd, to, chunk + skip, (size_t)got - skip))
            return false;
        from += (uint64_t)got;
        to += (uint64_t)got - skip;
    }
    log->size = to;
    return ftruncate(log->fd, (off_t)to) == 0;
}

void console_log_write(struct console_log *log, const uint8_t *bytes, size_t length)
{
    bool done = true;

    if (log->fd < 0)
        return;
    if (length > log->max) {
        bytes += length - log->max;
        length = log->max;
    }
    if (log->size + length > log->max) {
        uint64_t keep = log->max / 2;
        if (keep > log->max - length)
            keep = log->max - length;
        done = drop_older(log, keep < log->size ? keep : log->size);
    }
    done = done && write_at(log->fd, log->size, bytes, length);
    if (done)
        log->size += length;
    else
        log_guest(&log->trouble, "console log: %s; some of the guest's output is lost",
                  strerror(errno));
}

void console_log_close(struct console_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
