/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that go with bytes through a UNIX socket (SCM_RIGHTS, unix(7)).
 *
 * Left out: receiving, because each receiver has rules of its own for what comes unasked.
 */
#ifndef VMBUSD_COMMON_SEND_FDS_H
#define VMBUSD_COMMON_SEND_FDS_H

#include <stddef.h>
#include <sys/types.h>

#include "src/common/limits.h"

#define SEND_FDS_MAX (1u + 4u * LIMIT_PORT_QUEUES) /* a port ring's */

/* Send `len` bytes, with `count` descriptors, which stay the caller's; they go with the first byte.
 * What sendmsg() says, EINTR tried again, -1 with EINVAL for more than SEND_FDS_MAX. No SIGPIPE.
 * Any thread. */
ssize_t send_fds(int socket, const void *data, size_t len, const int *fds, unsigned count);

#endif
