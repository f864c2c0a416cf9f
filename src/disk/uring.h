/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring rings that can do disk I/O and nothing else.
 *
 * A ring is a way round seccomp: its requests open files and sockets without a system call that a
 * filter sees. So every ring is born disabled, gets its files registered, and is then sealed: the
 * kernel (5.10 and later, IORING_REGISTER_RESTRICTIONS) refuses all else for the ring's life,
 * registering included.
 */
#ifndef VMBUSD_DISK_URING_H
#define VMBUSD_DISK_URING_H

#include <liburing.h>

/*
 * Restrict and enable `ring`, which was made with IORING_SETUP_R_DISABLED and has its files (and
 * buffers, eventfd) registered. From then on:
 *   - requests: NOP, READV, WRITEV, READ, WRITE, READ_FIXED, WRITE_FIXED, FSYNC, FALLOCATE,
 * POLL_ADD; any other completes with -EACCES;
 *   - each must carry IOSQE_FIXED_FILE (else -EACCES) and may carry IOSQE_IO_DRAIN, IOSQE_IO_LINK
 *     and IOSQE_ASYNC;
 *   - io_uring_register() fails with EACCES whatever is asked.
 * Before the sandbox closes; on the submitting thread if the ring has IORING_SETUP_SINGLE_ISSUER.
 * 0 or -errno: then the ring is still disabled and must not be used.
 */
int uring_seal(struct io_uring *ring);

#endif
