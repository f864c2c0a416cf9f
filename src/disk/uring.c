/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The restrictions of a sealed ring: io_uring_register(2), IORING_REGISTER_RESTRICTIONS.
 */
#include "src/disk/uring.h"

#include <errno.h>

/* NOP and POLL_ADD wake a lane that sleeps in its ring; FSYNC is flush and FUA, FALLOCATE discard
 * and write-zeroes. */
static const uint8_t allowed_ops[] = {
    IORING_OP_NOP,   IORING_OP_POLL_ADD,  IORING_OP_READV,      IORING_OP_WRITEV,
    IORING_OP_READ,  IORING_OP_WRITE,     IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
    IORING_OP_FSYNC, IORING_OP_FALLOCATE,
};

#define ALLOWED_OPS (sizeof(allowed_ops) / sizeof(allowed_ops[0]))

/* Unlisted flags are refused too: IOSQE_BUFFER_SELECT, IOSQE_CQE_SKIP_SUCCESS. */
#define ALLOWED_FLAGS (IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_ASYNC)

int uring_seal(struct io_uring *ring)
{
    struct io_uring_restriction restriction[ALLOWED_OPS + 2] = {0};
    unsigned count = 0;

    if (!(ring->flags & IORING_SETUP_R_DISABLED))
        return -EINVAL;
    for (; count < ALLOWED_OPS; count++) {
        restriction[count].opcode = IORING_RESTRICTION_SQE_OP;
        restriction[count].sqe_op = allowed_ops[count];
    }
    restriction[count].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    restriction[count++].sqe_flags = IOSQE_FIXED_FILE;
    restriction[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    restriction[count++].sqe_flags = ALLOWED_FLAGS;

    /* No IORING_RESTRICTION_REGISTER_OP: nothing can be registered any more. */
    /* By number: liburing 2.3's shared library does not export the two calls' own functions. */
    int error = io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_RESTRICTIONS,
                                  restriction, count);
    return error
               ? error
               : io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}
