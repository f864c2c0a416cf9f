/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed rings: disk I/O works, everything else is refused, in the sandbox and without it.
 */
#include "src/disk/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "tests/unit/sandbox_child.h"

/* Submit one request and return its result. */
static long uring_result(void (*prepare_request)(struct io_uring_sqe *sqe))
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&fixture.ring);
    struct io_uring_cqe *cqe;

    prepare_request(sqe);
    if (io_uring_submit_and_wait(&fixture.ring, 1) != 1 ||
        io_uring_peek_cqe(&fixture.ring, &cqe) < 0) {
        errno = EXIT_BROKEN;
        return -1;
    }
    int result = cqe->res;
    io_uring_cqe_seen(&fixture.ring, cqe);
    errno = -result;
    return result;
}

static char uring_buffer[8];

static void request_read(struct io_uring_sqe *sqe)
{
    io_uring_prep_read(sqe, 0, uring_buffer, 5, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_sync(struct io_uring_sqe *sqe)
{
    io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_openat(struct io_uring_sqe *sqe)
{
    io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}

static void request_openat_fixed(struct io_uring_sqe *sqe)
{
    request_openat(sqe);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_openat2(struct io_uring_sqe *sqe)
{
    static uint64_t how[3];

    io_uring_prep_rw(IORING_OP_OPENAT2, sqe, AT_FDCWD, "/etc/passwd", sizeof(how),
                     (uint64_t)(uintptr_t)how);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_socket(struct io_uring_sqe *sqe)
{
    io_uring_prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0);
}

static void request_socket_fixed(struct io_uring_sqe *sqe)
{
    request_socket(sqe);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_connect(struct io_uring_sqe *sqe)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};

    io_uring_prep_connect(sqe, 0, (struct sockaddr *)&address, sizeof(address));
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_unlink(struct io_uring_sqe *sqe)
{
    io_uring_prep_unlinkat(sqe, AT_FDCWD, "/etc/passwd", 0);
    sqe->flags |= IOSQE_FIXED_FILE;
}

static void request_update_files(struct io_uring_sqe *sqe)
{
    io_uring_prep_files_update(sqe, &fixture.image, 1, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
}

/* A descriptor that was not registered: stderr, the control socket. */
static void request_unregistered(struct io_uring_sqe *sqe)
{
    io_uring_prep_write(sqe, STDERR_FILENO, "x", 1, 0);
}

static void request_buffer_select(struct io_uring_sqe *sqe)
{
    request_read(sqe);
    sqe->flags |= IOSQE_BUFFER_SELECT;
}

static long try_ring_disk(void)
{
    if (uring_result(request_read) != 5 || memcmp(uring_buffer, "image", 5) != 0)
        return -1;
    return uring_result(request_sync);
}

static void test_ring_works(void)
{
    g_assert_cmpint(run_inside(SANDBOX_LANE, try_ring_disk), ==, 0);
}

static void (*forbidden_request)(struct io_uring_sqe *sqe);

static long try_request(void)
{
    return uring_result(forbidden_request);
}

static const struct ring_attempt {
    const char *name;
    void (*request)(struct io_uring_sqe *sqe);
} ring_attempts[] = {
    {"openat", request_openat},
    {"openat-fixed", request_openat_fixed},
    {"openat2", request_openat2},
    {"socket", request_socket},
    {"socket-fixed", request_socket_fixed},
    {"connect", request_connect},
    {"unlink", request_unlink},
    {"update-files", request_update_files},
    {"unregistered-file", request_unregistered},
    {"buffer-select", request_buffer_select},
};

/* In the sandbox, and outside of it: the ring's own restrictions hold without the rest. */
static void test_ring_attempt(gconstpointer data)
{
    const struct ring_attempt *attempt = data;

    forbidden_request = attempt->request;
    g_assert_cmpint(WEXITSTATUS(run_inside(SANDBOX_LANE, try_request)), ==, EACCES);
    g_assert_cmpint(uring_result(attempt->request), ==, -EACCES);
}

static void test_ring_register(void)
{
    struct iovec iov = {uring_buffer, sizeof(uring_buffer)};

    g_assert_cmpint(io_uring_register_buffers(&fixture.ring, &iov, 1), ==, -EACCES);
    g_assert_cmpint(io_uring_register_files_update(&fixture.ring, 0, &fixture.image, 1), ==,
                    -EACCES);
    g_assert_cmpint(io_uring_unregister_files(&fixture.ring), ==, -EACCES);
}

static void test_ring_not_disabled(void)
{
    struct io_uring open_ring;

    g_assert_cmpint(io_uring_queue_init(4, &open_ring, 0), ==, 0);
    g_assert_cmpint(uring_seal(&open_ring), ==, -EINVAL);
    io_uring_queue_exit(&open_ring);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_begin();
    g_assert_cmpint(make_ring(), ==, 0);
    g_test_add_func("/uring/works", test_ring_works);
    g_test_add_func("/uring/not-disabled", test_ring_not_disabled);
    for (unsigned i = 0; i < G_N_ELEMENTS(ring_attempts); i++) {
        g_autofree char *path = g_strdup_printf("/uring/attack/%s", ring_attempts[i].name);
        g_test_add_data_func(path, &ring_attempts[i], test_ring_attempt);
    }
    g_test_add_func("/uring/attack/register", test_ring_register);
    int status = g_test_run();
    io_uring_queue_exit(&fixture.ring);
    fixture_end();
    return status;
}
