/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parent for tests: see parent_fixture.h.
 */
#include "tests/unit/parent_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/daemon/parent.h"
#include "src/daemon/privileged.h"

struct parent_fixture {
    pid_t pid;
};

static _Noreturn void serve(const struct daemon_settings *settings, int requests, int events)
{
    struct parent *parent = parent_new(settings, NULL);
    struct pollfd poll_fd = {.fd = requests, .events = POLLIN};

    do {
        poll(&poll_fd, 1, 50);
        parent_reap(parent);
    } while (!poll_fd.revents || parent_serve(parent, requests, events));
    parent_free(parent);
    _exit(0);
}

struct parent_fixture *parent_fixture_new(const char *config_dir, const char *run_dir)
{
    struct parent_fixture *fixture = g_new0(struct parent_fixture, 1);
    struct daemon_settings settings = {
        .config_dir = config_dir, .run_dir = run_dir, .worker = "false"};
    static const struct privileged_events nothing;
    int requests[2], events[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, requests), ==, 0);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events), ==, 0);
    fixture->pid = fork();
    g_assert_cmpint(fixture->pid, >=, 0);
    if (fixture->pid == 0) {
        close(requests[1]);
        close(events[1]);
        serve(&settings, requests[0], events[0]);
    }
    close(requests[0]);
    close(events[0]);
    privileged_connect(requests[1], events[1], &nothing);
    return fixture;
}

void parent_fixture_free(struct parent_fixture *fixture)
{
    int status;

    privileged_disconnect();
    g_assert_cmpint(waitpid(fixture->pid, &status, 0), ==, fixture->pid);
    g_assert_cmpint(status, ==, 0);
    g_free(fixture);
}
