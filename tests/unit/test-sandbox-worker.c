/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox from outside: uids, what the kernel says of a worker inside, what is left without
 * root, and a small worker that goes on working.
 */
#include "src/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "src/common/lane.h"
#include "src/disk/disk.h"
#include "tests/unit/sandbox_child.h"

static struct sandbox *prepare(int64_t uid)
{
    struct sandbox_params params = {.run_dir = fixture.run_dir, .uid = uid};
    g_autoptr(GError) error = NULL;
    struct sandbox *sandbox = sandbox_prepare(&params, &error);

    g_assert_no_error(error);
    return sandbox;
}

/* Uids. */

static void test_uid_choice(void)
{
    struct sandbox_params params = {.run_dir = fixture.run_dir, .uid = -1};
    g_autoptr(GError) error = NULL;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    struct sandbox *a = prepare(-1);
    struct sandbox *b = prepare(-1);
    uint32_t uid = sandbox_uid(a);
    g_assert_cmpuint(uid, >=, SANDBOX_UID_FIRST);
    g_assert_cmpuint(sandbox_uid(b), >, uid);
    g_assert_cmpuint(sandbox_uid(b), <, SANDBOX_UID_FIRST + SANDBOX_UID_COUNT);

    params.uid = uid;
    g_assert_null(sandbox_prepare(&params, &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID);
    g_clear_error(&error);

    sandbox_free(a); /* its uid is free again */
    a = prepare(-1);
    g_assert_cmpuint(sandbox_uid(a), ==, uid);
    sandbox_free(a);
    sandbox_free(b);

    a = prepare(12345);
    g_assert_cmpuint(sandbox_uid(a), ==, 12345);
    sandbox_free(a);
}

static void test_uid_bad(void)
{
    static const int64_t bad[] = {0, UINT32_MAX, 1ll << 32};
    struct sandbox_params params = {.run_dir = fixture.run_dir};

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        params.uid = bad[i];
        g_assert_null(sandbox_prepare(&params, &error));
        g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID);
    }
    g_autoptr(GError) error = NULL;
    params = (struct sandbox_params){.run_dir = "/nonexistent", .uid = -1};
    g_assert_null(sandbox_prepare(&params, &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SYSTEM);
}

/* The whole range taken by others: refused, not shared. */
static void test_uid_exhausted(void)
{
    struct sandbox_params params = {.run_dir = fixture.run_dir, .uid = -1};
    g_autofree char *path = g_build_filename(fixture.run_dir, "uid.lock", NULL);
    g_autoptr(GError) error = NULL;
    struct flock rest = {
        .l_type = F_WRLCK, .l_start = SANDBOX_UID_FIRST + 1, .l_len = SANDBOX_UID_COUNT - 1};

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    /* The other worker has the first. */
    int fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fcntl(fd, F_OFD_SETLK, &rest), ==, 0);
    g_assert_null(sandbox_prepare(&params, &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_UID);
    close(fd);
}

/* What the kernel says of a worker that has entered. */

static char *status_field(const char *status, const char *name)
{
    g_autofree char *pattern = g_strdup_printf("\n%s:\t", name);
    const char *at = strstr(status, pattern);

    g_assert_nonnull(at);
    at += strlen(pattern);
    return g_strndup(at, strcspn(at, "\n"));
}

static void assert_field(const char *status, const char *name, const char *want)
{
    g_autofree char *got = status_field(status, name);

    g_assert_cmpstr(g_strstrip(got), ==, want);
}

static void test_state(void)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)fixture.other_worker);
    g_autofree char *status = NULL;

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(sets); i++)
        assert_field(status, sets[i], "0000000000000000");
    assert_field(status, "NoNewPrivs", "1");
    assert_field(status, "Seccomp", "2");
    assert_field(status, "Groups", "");
    g_autofree char *uid = g_strdup_printf("%1$u\t%1$u\t%1$u\t%1$u", SANDBOX_UID_FIRST);
    assert_field(status, "Uid", uid);
    assert_field(status, "Gid", uid);
}

static void test_namespaces(void)
{
    static const char *const names[] = {"mnt", "net", "ipc", "uts"};

    if (geteuid() != 0) {
        g_test_skip("needs root");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *theirs =
            g_strdup_printf("/proc/%d/ns/%s", (int)fixture.other_worker, names[i]);
        g_autofree char *ours = g_strdup_printf("/proc/self/ns/%s", names[i]);
        g_autofree char *a = g_file_read_link(theirs, NULL);
        g_autofree char *b = g_file_read_link(ours, NULL);
        g_assert_nonnull(a);
        g_assert_cmpstr(a, !=, b);
    }
    g_autofree char *root = g_strdup_printf("/proc/%d/root", (int)fixture.other_worker);
    g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
    g_assert_nonnull(dir);
    g_assert_null(g_dir_read_name(dir)); /* empty */
    /* Our own run directory has not been hidden by their mount. */
    g_autofree char *lock = g_build_filename(fixture.run_dir, "uid.lock", NULL);
    g_assert_cmpint(access(lock, F_OK), ==, 0);
}

/* Landlock alone, as an ordinary user would have it. */

static long try_landlock(void)
{
    int fd = open("/etc/passwd", O_RDONLY);

    if (fd >= 0 || errno != EACCES)
        return -1;
    return kill(fixture.bystander, 0) < 0 && errno == EPERM ? 0 : -1;
}

static long try_memfd(void)
{
    return memfd_create("x", 0);
}

static void enter_as_nobody(unsigned kind, long (*attempt)(void))
{
    if (geteuid() == 0 &&
        (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
        _exit(EXIT_BROKEN);
    enter(kind);
    errno = 0;
    _exit(attempt() < 0 ? (errno ? errno : 1) : 0);
}

static int run_as_nobody(unsigned kind, long (*attempt)(void))
{
    pid_t child = fork();

    if (child == 0)
        enter_as_nobody(kind, attempt);
    return reap(child);
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
}

static void test_unprivileged(void)
{
    if (!has_landlock()) {
        g_test_skip("this kernel has no Landlock");
        return;
    }
    g_assert_cmpint(run_as_nobody(LAYERS_ONLY, try_landlock), ==, 0);
    assert_killed(run_as_nobody(SANDBOX_MAIN, try_landlock));
    assert_killed(run_as_nobody(SANDBOX_VCPU, try_memfd));
    assert_victims_live();
}

static long prepare_foreign_uid(void)
{
    struct sandbox_params params = {.run_dir = fixture.run_dir, .uid = SANDBOX_UID_FIRST};

    return sandbox_prepare(&params, NULL) ? 0 : -1;
}

static void test_unprivileged_uid(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(setresuid(65534, 65534, 65534) < 0 && geteuid() == 0 ? EXIT_BROKEN
                                                                   : prepare_foreign_uid() < 0);
    g_assert_cmpint(WEXITSTATUS(reap(child)), ==, 1);
}

/* A thread that is there already would stay outside, so entering is refused. */

static void *idle_thread(void *context)
{
    (void)context;
    pause();
    return NULL;
}

static void test_second_thread(void)
{
    pid_t child = fork();

    if (child == 0) {
        pthread_t thread;
        struct sandbox *sandbox = prepare(-1);
        g_autoptr(GError) error = NULL;
        pthread_create(&thread, NULL, idle_thread, NULL);
        _exit(sandbox_enter_process(sandbox, &error) ? 0 : 1);
    }
    g_assert_cmpint(WEXITSTATUS(reap(child)), ==, 1);
}

/* A disc that comes as a descriptor once the worker is inside, and one that is none. */

static int disc_fd, no_disc_fd;

static long try_disc(void)
{
    struct disk_params params = {.path = "disc", .fd = no_disc_fd, .readonly = true};

    if (disk_open(&disk_disc_class, &params, NULL))
        return -1;
    params.fd = disc_fd;
    struct disk *disc = disk_open(&disk_disc_class, &params, NULL);
    if (!disc || disc->size != 4096)
        return -1;
    disk_close(disc);
    return 0;
}

static void test_disc(void)
{
    int pair[2];

    disc_fd = memfd_create("disc", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(disc_fd, 4096), ==, 0);
    g_assert_cmpint(pipe(pair), ==, 0);
    no_disc_fd = pair[0];
    g_assert_cmpint(run_inside(SANDBOX_MAIN, try_disc), ==, 0);
    close(disc_fd);
    close(pair[0]);
    close(pair[1]);
}

/* A small worker: main lane with a control socket, an I/O lane with a ring, a vCPU thread that is
 * kicked by signal. All of it must go on working inside. */

struct worker {
    struct sandbox *sandbox;
    struct lane *main, *io;
    struct lane_source listener, client;
    struct lane_timer timer;
    pthread_t vcpu;
    int ready; /* eventfd: the vCPU thread is sealed */
    unsigned timers, done;
};

static struct worker worker;
static volatile sig_atomic_t kicks;

static void on_kick(int number)
{
    (void)number;
    kicks = kicks + 1;
}

static void *vcpu_thread(void *context)
{
    (void)context;
    if (sandbox_enter_thread(worker.sandbox, SANDBOX_VCPU) < 0)
        _exit(EXIT_BROKEN);
    eventfd_write(worker.ready, 1);
    while (kicks < 100) {
        ioctl(fixture.image, KVM_RUN, 0);
        g_free(g_malloc(1 << 20)); /* the allocator may map and unmap */
        sched_yield();
    }
    return NULL;
}

static void enter_lane(void *context)
{
    (void)context;
    if (sandbox_enter_thread(worker.sandbox, SANDBOX_LANE) < 0)
        _exit(EXIT_BROKEN);
}

static void use_ring(void *context)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&fixture.ring);
    struct io_uring_cqe *cqe;
    char text[5];

    (void)context;
    io_uring_prep_read(sqe, 0, text, sizeof(text), 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    if (io_uring_submit_and_wait(&fixture.ring, 1) != 1 ||
        io_uring_peek_cqe(&fixture.ring, &cqe) < 0)
        return;
    worker.done += cqe->res == 5 && memcmp(text, "image", 5) == 0;
    io_uring_cqe_seen(&fixture.ring, cqe);
}

static void on_timer(struct lane_timer *timer)
{
    if (++worker.timers < 5)
        lane_timer_arm(worker.main, timer, 1000000);
    else
        lane_stop(worker.main);
}

static void on_client(struct lane_source *source, uint32_t events)
{
    char line[16];
    struct iovec iov = {line, sizeof(line)};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t len = recvmsg(source->fd, &message, 0);

    (void)events;
    lane_call(worker.io, use_ring, NULL);
    for (unsigned i = 0; i < 100; i++)
        pthread_kill(worker.vcpu, SIGUSR1);
    iov.iov_len = len > 0 ? (size_t)len : 0;
    if (worker.done == 1)
        sendmsg(source->fd, &message, MSG_NOSIGNAL);
    lane_unwatch(worker.main, source);
    close(source->fd);
    lane_timer_arm(worker.main, &worker.timer, 1000000);
}

static void on_listener(struct lane_source *source, uint32_t events)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    (void)events;
    worker.client =
        (struct lane_source){accept4(source->fd, NULL, NULL, SOCK_CLOEXEC), on_client, false};
    getsockopt(worker.client.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    lane_watch(worker.main, &worker.client, EPOLLIN);
}

/* Signals of a thread are sent until it is gone, so each is seen: they may fall together. */
static void kick_until_gone(void)
{
    while (pthread_tryjoin_np(worker.vcpu, NULL) != 0) {
        pthread_kill(worker.vcpu, SIGUSR1);
        sched_yield();
    }
}

static _Noreturn void run_worker(int listener)
{
    g_autoptr(GError) error = NULL;
    uint64_t count;

    alarm(20);
    if (make_ring() < 0)
        _exit(EXIT_BROKEN);
    signal(SIGUSR1, on_kick);
    worker.sandbox = prepare(-1);
    worker.main = lane_new("main");
    worker.io = lane_new("io");
    worker.timer.fire = on_timer;
    worker.listener = (struct lane_source){listener, on_listener, false};
    worker.ready = eventfd(0, EFD_CLOEXEC);
    lane_watch(worker.main, &worker.listener, EPOLLIN);
    if (!sandbox_enter_process(worker.sandbox, &error))
        _exit(EXIT_BROKEN);
    lane_start(worker.io, enter_lane, NULL);
    pthread_create(&worker.vcpu, NULL, vcpu_thread, NULL);
    eventfd_read(worker.ready, &count);
    if (sandbox_enter_thread(worker.sandbox, SANDBOX_MAIN) < 0)
        _exit(EXIT_BROKEN);

    int extra = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); /* a channel's */
    void *block = g_malloc0(4 << 20);
    lane_run(worker.main);
    g_free(block);
    close(extra);
    kick_until_gone();
    lane_free(worker.io);
    lane_free(worker.main);
    _exit(worker.timers == 5 && worker.done == 1 ? 0 : 1);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(fd, 1));
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_no_errno(connect(fd, (struct sockaddr *)&address, sizeof(address)));
    return fd;
}

static void test_worker_works(void)
{
    g_autofree char *path = g_build_filename(fixture.run_dir, "vm.sock", NULL);
    char reply[8] = {0};
    int listener = listen_at(path);
    pid_t child = fork();

    if (child == 0)
        run_worker(listener);
    close(listener);
    int fd = connect_to(path);
    g_assert_cmpint(write(fd, "hello", 5), ==, 5);
    g_assert_cmpint(read(fd, reply, sizeof(reply)), ==, 5);
    g_assert_cmpstr(reply, ==, "hello");
    close(fd);
    g_assert_cmpint(reap(child), ==, 0);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_begin();
    g_test_add_func("/sandbox/worker-works", test_worker_works);
    g_test_add_func("/sandbox/uid/choice", test_uid_choice);
    g_test_add_func("/sandbox/uid/bad", test_uid_bad);
    g_test_add_func("/sandbox/uid/exhausted", test_uid_exhausted);
    g_test_add_func("/sandbox/state", test_state);
    g_test_add_func("/sandbox/namespaces", test_namespaces);
    g_test_add_func("/sandbox/unprivileged", test_unprivileged);
    g_test_add_func("/sandbox/unprivileged-uid", test_unprivileged_uid);
    g_test_add_func("/sandbox/second-thread", test_second_thread);
    g_test_add_func("/sandbox/disc", test_disc);
    int status = g_test_run();
    fixture_end();
    return status;
}
