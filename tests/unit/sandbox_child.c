/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See sandbox_child.h.
 */
#include "tests/unit/sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "src/disk/uring.h"

struct fixture fixture;

int reap(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        g_assert_cmpint(errno, ==, EINTR);
    return status;
}

void assert_killed(int status)
{
    if (WIFEXITED(status))
        g_test_message("not killed; exit status (errno) %d", WEXITSTATUS(status));
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGSYS);
}

void assert_victims_live(void)
{
    g_assert_cmpint(waitpid(fixture.other_worker, NULL, WNOHANG), ==, 0);
    g_assert_cmpint(waitpid(fixture.bystander, NULL, WNOHANG), ==, 0);
}

int make_ring(void)
{
    struct io_uring_params params = {.flags = IORING_SETUP_R_DISABLED};

    int error = io_uring_queue_init_params(8, &fixture.ring, &params);
    if (!error)
        error = io_uring_register_files(&fixture.ring, &fixture.image, 1);
    return error ? error : uring_seal(&fixture.ring);
}

void enter(unsigned kind)
{
    struct sandbox_params params = {.run_dir = fixture.run_dir, .uid = -1};
    g_autoptr(GError) error = NULL;
    struct sandbox *sandbox = sandbox_prepare(&params, &error);

    if (make_ring() < 0)
        _exit(EXIT_BROKEN);
    if (!sandbox || !sandbox_enter_process(sandbox, &error)) {
        fprintf(stderr, "%s\n", error->message);
        _exit(EXIT_BROKEN);
    }
    if (kind != LAYERS_ONLY && sandbox_enter_thread(sandbox, (enum sandbox_kind)kind) < 0)
        _exit(EXIT_BROKEN);
}

int run_inside(unsigned kind, long (*attempt)(void))
{
    pid_t child = fork();

    if (child == 0) {
        alarm(20);
        enter(kind);
        errno = 0;
        _exit(attempt() < 0 ? errno : 0);
    }
    return reap(child);
}

/* The victims live until this process ends, however it does: they wait for the end of a pipe. */
static pid_t start_victim(const int life[2], bool sandboxed)
{
    int ready = eventfd(0, EFD_CLOEXEC);
    uint64_t count;
    pid_t child = fork();

    if (child == 0) {
        const gid_t group = 4242; /* a supplementary one, for the sandbox to drop */
        close(life[1]);
        if (geteuid() == 0)
            g_assert_no_errno(setgroups(1, &group));
        if (sandboxed)
            enter(SANDBOX_MAIN);
        eventfd_write(ready, 1);
        _exit(read(life[0], &count, 1) < 0);
    }
    g_assert_no_errno(eventfd_read(ready, &count));
    close(ready);
    return child;
}

static void skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

/* A container's root may not make namespaces, and its seccomp profile may forbid io_uring. */
static void look_for_means(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWNET) < 0);
    if (reap(child) != 0)
        skip_all("root without CAP_SYS_ADMIN: no namespaces");
    struct io_uring probe;
    if (io_uring_queue_init(1, &probe, 0) < 0)
        skip_all("io_uring is not there or forbidden");
    io_uring_queue_exit(&probe);
}

void fixture_begin(void)
{
    int life[2];

    look_for_means();
    fixture.run_dir = g_dir_make_tmp("sandbox-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(fixture.run_dir, "image", NULL);
    fixture.image = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
    g_assert_cmpint(write(fixture.image, "image", 5), ==, 5);
    g_unlink(path);
    g_assert_no_errno(pipe2(life, O_CLOEXEC));
    fixture.other_worker = start_victim(life, true);
    fixture.bystander = start_victim(life, false);
    close(life[0]);
}

void fixture_end(void)
{
    g_autofree char *lock = g_build_filename(fixture.run_dir, "uid.lock", NULL);

    kill(fixture.other_worker, SIGKILL);
    kill(fixture.bystander, SIGKILL);
    reap(fixture.other_worker);
    reap(fixture.bystander);
    close(fixture.image);
    g_unlink(lock);
    g_rmdir(fixture.run_dir);
    g_free(fixture.run_dir);
}
