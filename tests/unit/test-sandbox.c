/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox, attacked from inside.
 *
 * Each attempt runs in a child that has entered the sandbox, once per kind of thread with seccomp
 * on top (which must kill it), and once with the layers below alone (which must refuse it by
 * themselves).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "tests/unit/sandbox_child.h"
#include "vswitch/port_ring.h"

/* Attempts. System calls bare, so that nothing of the C library comes before them. */

static long try_open(void)
{
    return syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static long try_openat(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long try_openat2(void)
{
    uint64_t how[3] = {O_RDONLY, 0, 0};

    return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how));
}

static long try_open_root(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
}

static long try_create(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/new", O_RDWR | O_CREAT, 0600);
}

static long try_open_proc(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/proc/1/status", O_RDONLY);
}

static long try_unlink(void)
{
    return syscall(SYS_unlink, "/etc/passwd");
}

static long try_execve(void)
{
    char *const arguments[] = {(char *)"/bin/true", NULL};

    return syscall(SYS_execve, "/bin/true", arguments, NULL);
}

static long try_execveat(void)
{
    char *const arguments[] = {(char *)"x", NULL};

    return syscall(SYS_execveat, fixture.image, "", arguments, NULL, AT_EMPTY_PATH);
}

static long try_mount(void)
{
    return syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
}

static long try_umount(void)
{
    return syscall(SYS_umount2, "/", MNT_DETACH);
}

static long try_chroot(void)
{
    return syscall(SYS_chroot, "/");
}

static long try_unshare(void)
{
    return syscall(SYS_unshare, CLONE_NEWNS);
}

static long try_setuid_root(void)
{
    return syscall(SYS_setresuid, 0, 0, 0);
}

static long try_setuid_other(void)
{
    return syscall(SYS_setresuid, SANDBOX_UID_FIRST, SANDBOX_UID_FIRST, SANDBOX_UID_FIRST);
}

static long try_kill_worker(void)
{
    return syscall(SYS_kill, fixture.other_worker, SIGKILL);
}

static long try_kill_bystander(void)
{
    return syscall(SYS_kill, fixture.bystander, SIGKILL);
}

static long try_kill_parent(void)
{
    return syscall(SYS_kill, getppid(), 0);
}

static long try_tgkill_worker(void)
{
    return syscall(SYS_tgkill, fixture.other_worker, fixture.other_worker, SIGKILL);
}

/* Only the low half of the argument counts for the kernel, so it must for the filter. */
static long try_tgkill_high_bits(void)
{
    return syscall(SYS_tgkill, (1ul << 32) | (unsigned)fixture.other_worker, fixture.other_worker,
                   SIGKILL);
}

static long try_queue_signal(void)
{
    siginfo_t info = {.si_signo = SIGKILL, .si_code = SI_QUEUE};

    return syscall(SYS_rt_sigqueueinfo, fixture.other_worker, SIGKILL, &info);
}

static long try_ptrace_worker(void)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, fixture.other_worker, 0, 0);
}

static long try_ptrace_bystander(void)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, fixture.bystander, 0, 0);
}

static long try_read_memory(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&fixture.run_dir, 1};

    return syscall(SYS_process_vm_readv, fixture.bystander, &here, 1, &there, 1, 0);
}

static long try_pidfd_getfd(void)
{
    long fd = syscall(SYS_pidfd_open, fixture.bystander, 0);

    return fd < 0 ? fd : syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static long try_bpf(void)
{
    uint32_t map[12] = {2 /* array */, 4, 4, 1};

    return syscall(SYS_bpf, 0, map, sizeof(map));
}

/* Those below are for seccomp alone: an ordinary user may do them. */

static long try_socket(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long try_socket_netlink(void)
{
    return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long try_fork(void)
{
    return syscall(SYS_fork);
}

static long try_clone(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_clone_thread(void)
{
    static char stack[4096];

    return syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, stack + sizeof(stack), 0, 0,
                   0);
}

static long try_clone3(void)
{
    uint64_t arguments[8] = {0};

    return syscall(SYS_clone3, arguments, sizeof(arguments));
}

static long try_kill_self(void)
{
    return syscall(SYS_kill, getpid(), 0);
}

static long try_uring_setup(void)
{
    struct io_uring_params params = {0};

    return syscall(SYS_io_uring_setup, 4, &params);
}

static long try_uring_register(void)
{
    return syscall(SYS_io_uring_register, fixture.ring.ring_fd, IORING_REGISTER_PROBE, NULL, 0);
}

static long try_map_code(void)
{
    return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long try_protect_code(void)
{
    static _Alignas(4096) char page[4096];

    return syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long try_pkey_protect(void)
{
    static _Alignas(4096) char page[4096];

    return syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1);
}

static long try_unknown_ioctl(void)
{
    return syscall(SYS_ioctl, STDERR_FILENO, 0xdeadbeef, 0);
}

static long try_terminal_input(void)
{
    return syscall(SYS_ioctl, STDERR_FILENO, TIOCSTI, "x");
}

static long try_socket_owner(void)
{
    return syscall(SYS_fcntl, fixture.image, F_SETOWN, fixture.other_worker);
}

/* Would let a full doorbell stop the switch. */
static long try_blocking(void)
{
    return syscall(SYS_fcntl, fixture.image, F_SETFL, 0);
}

static long try_prctl(void)
{
    return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_seccomp(void)
{
    return syscall(SYS_seccomp, 3 /* notification sizes */, 0, NULL);
}

static long try_memfd(void)
{
    return syscall(SYS_memfd_create, "x", 0);
}

static long try_shm(void)
{
    return syscall(SYS_shmget, 0, 4096, 0600);
}

static long try_keyring(void)
{
    return syscall(SYS_keyctl, 0 /* get id */, -3 /* session */, 0);
}

static long try_userfaultfd(void)
{
    return syscall(SYS_userfaultfd, 1 /* user mode only */);
}

static long try_unknown_call(void)
{
    return syscall(9999);
}

static long try_x32(void)
{
    return syscall(0x40000000 | SYS_getppid);
}

static const struct attempt {
    const char *name;
    long (*run)(void);
    bool by_layers; /* refused without seccomp too, if root set the layers up */
} attempts[] = {
    {"open", try_open, true},
    {"openat", try_openat, true},
    {"openat2", try_openat2, true},
    {"open-root-directory", try_open_root, true},
    {"create-file", try_create, true},
    {"open-proc", try_open_proc, true},
    {"unlink", try_unlink, true},
    {"execve", try_execve, true},
    {"execveat", try_execveat, true},
    {"mount", try_mount, true},
    {"umount", try_umount, true},
    {"chroot", try_chroot, true},
    {"unshare", try_unshare, true},
    {"setuid-root", try_setuid_root, true},
    {"setuid-other-vm", try_setuid_other, true},
    {"kill-other-worker", try_kill_worker, true},
    {"kill-fixture.bystander", try_kill_bystander, true},
    {"kill-parent", try_kill_parent, true},
    {"tgkill-other-worker", try_tgkill_worker, true},
    {"tgkill-high-bits", try_tgkill_high_bits, true},
    {"queue-signal", try_queue_signal, true},
    {"ptrace-other-worker", try_ptrace_worker, true},
    {"ptrace-fixture.bystander", try_ptrace_bystander, true},
    {"read-memory", try_read_memory, true},
    {"pidfd-getfd", try_pidfd_getfd, true},
    {"bpf", try_bpf, true},
    {"socket", try_socket, false},
    {"socket-netlink", try_socket_netlink, false},
    {"fork", try_fork, false},
    {"clone", try_clone, false},
    {"clone-thread", try_clone_thread, false},
    {"clone3", try_clone3, false},
    {"kill-self", try_kill_self, false},
    {"io-uring-setup", try_uring_setup, false},
    {"io-uring-register", try_uring_register, false},
    {"map-code", try_map_code, false},
    {"protect-code", try_protect_code, false},
    {"pkey-protect-code", try_pkey_protect, false},
    {"unknown-ioctl", try_unknown_ioctl, false},
    {"terminal-input", try_terminal_input, false},
    {"set-signal-owner", try_socket_owner, false},
    {"make-blocking", try_blocking, false},
    {"prctl", try_prctl, false},
    {"seccomp", try_seccomp, false},
    {"memfd", try_memfd, false},
    {"shared-memory", try_shm, false},
    {"keyring", try_keyring, false},
    {"userfaultfd", try_userfaultfd, false},
    {"unknown-system-call", try_unknown_call, false},
    {"x32", try_x32, false},
};

static void test_by_seccomp(gconstpointer data)
{
    const struct attempt *attempt = data;

    for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++)
        assert_killed(run_inside(kind, attempt->run));
    assert_victims_live();
}

static void test_by_layers(gconstpointer data)
{
    const struct attempt *attempt = data;

    if (geteuid() != 0) {
        g_test_skip("needs root for a uid and namespaces of its own");
        return;
    }
    int status = run_inside(LAYERS_ONLY, attempt->run);
    g_assert_true(WIFEXITED(status));
    int error = WEXITSTATUS(status);
    g_test_message("%s", g_strerror(error));
    g_assert_true(error == EPERM || error == EACCES || error == ENOENT || error == EROFS ||
                  error == ESRCH);
    assert_victims_live();
}

/* The 32-bit way into the kernel, if it has one. */

static long try_int80(void)
{
    long result = 20; /* getpid in the 32-bit table */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static void test_int80(void)
{
    pid_t child = fork();

    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would make it look like an exit */
        _exit(try_int80() != getpid());
    }
    if (reap(child) != 0) {
        g_test_skip("this kernel has no 32-bit system calls");
        return;
    }
    for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++)
        assert_killed(run_inside(kind, try_int80));
}

/* Calls that one kind has and another must not. */

static long try_accept(void)
{
    return syscall(SYS_accept4, fixture.image, NULL, NULL, 0);
}

static long try_uring_enter(void)
{
    return syscall(SYS_io_uring_enter, fixture.ring.ring_fd, 0, 0, 0, NULL, 0);
}

static long try_create_vm(void)
{
    return syscall(SYS_ioctl, fixture.image, KVM_CREATE_VM, 0);
}

static long try_kvm_memory(void)
{
    return syscall(SYS_ioctl, fixture.image, KVM_SET_USER_MEMORY_REGION, NULL);
}

static long try_kvm_run(void)
{
    return syscall(SYS_ioctl, fixture.image, KVM_RUN, 0);
}

static long try_read(void)
{
    char byte;

    return syscall(SYS_pread64, fixture.image, &byte, 1, 0);
}

static long try_unlinkat(void)
{
    return syscall(SYS_unlinkat, AT_FDCWD, "/etc/passwd", 0);
}

static long try_terminal(void)
{
    return syscall(SYS_ioctl, fixture.image, TCGETS, NULL);
}

/* A device that is served by a lane has an interrupt. */
static long try_irq_line(void)
{
    return syscall(SYS_ioctl, fixture.image, KVM_IRQ_LINE, NULL);
}

static void test_kinds_differ(void)
{
    static const struct {
        long (*run)(void);
        int error[SANDBOX_KINDS]; /* errno, or -1: killed */
    } call[] = {
        {try_accept, {ENOTSOCK, -1, -1}},         {try_uring_enter, {-1, 0, -1}},
        {try_create_vm, {ENOTTY, -1, -1}},        {try_kvm_memory, {ENOTTY, -1, ENOTTY}},
        {try_kvm_run, {-1, -1, ENOTTY}},          {try_read, {0, 0, -1}},
        {try_unlinkat, {EACCES, -1, -1}},         {try_terminal, {ENOTTY, -1, -1}},
        {try_irq_line, {ENOTTY, ENOTTY, ENOTTY}},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(call); i++)
        for (unsigned kind = 0; kind < SANDBOX_KINDS; kind++) {
            int status = run_inside(kind, call[i].run);
            if (call[i].error[kind] < 0)
                assert_killed(status);
            else
                g_assert_cmpint(WEXITSTATUS(status), ==, call[i].error[kind]);
        }
}

/* Every request that a reset needs passes the filter; the file is not KVM's, so it is ENOTTY. */
static long try_reset_ioctls(void)
{
    static const unsigned long request[] = {KVM_CREATE_VM,
                                            KVM_SET_USER_MEMORY_REGION,
                                            KVM_REGISTER_COALESCED_MMIO,
                                            KVM_SET_IDENTITY_MAP_ADDR,
                                            KVM_SET_TSS_ADDR,
                                            KVM_CREATE_IRQCHIP,
                                            KVM_CREATE_PIT2,
                                            KVM_CREATE_VCPU,
                                            KVM_SET_GSI_ROUTING,
                                            KVM_IRQFD,
                                            KVM_GET_STATS_FD,
                                            KVM_ENABLE_CAP,
                                            KVM_SET_CPUID2,
                                            KVM_GET_SREGS,
                                            KVM_SET_SREGS,
                                            KVM_SET_REGS,
                                            KVM_GET_LAPIC,
                                            KVM_SET_LAPIC,
                                            KVM_GET_MSRS,
                                            KVM_SET_MSRS,
                                            KVM_HYPERV_EVENTFD,
                                            KVM_IRQ_LINE,
                                            KVM_GET_CLOCK};

    for (unsigned i = 0; i < G_N_ELEMENTS(request); i++)
        if (ioctl(fixture.image, request[i], 0) != -1 || errno != ENOTTY)
            return -1;
    return 0;
}

static void test_reset_ioctls(void)
{
    g_assert_cmpint(run_inside(SANDBOX_MAIN, try_reset_ioctls), ==, 0);
}

static struct port_ring_fds port;

/* What the main thread does with the descriptors of a port, and a lane with its queues. */
static long try_port(void)
{
    struct port_ring ring;
    int error = port_ring_map(&ring, &port, PORT_RING_WORKER);

    if (error)
        return -1;
    port_queue_ring_data(&ring.out[0]);
    port_ring_unmap(&ring);
    return 0;
}

static void test_port(void)
{
    static const struct port_ring_geometry geometry = {.queues = 1, .cells = 64};

    g_assert_cmpint(port_ring_create(&geometry, &port), ==, 0);
    g_assert_cmpint(run_inside(SANDBOX_MAIN, try_port), ==, 0);
    port_ring_close(&port, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_begin();
    g_test_add_func("/sandbox/reset-ioctls", test_reset_ioctls);
    g_test_add_func("/sandbox/kinds-differ", test_kinds_differ);
    g_test_add_func("/sandbox/port-ring", test_port);
    for (unsigned i = 0; i < G_N_ELEMENTS(attempts); i++) {
        g_autofree char *path = g_strdup_printf("/sandbox/attack/seccomp/%s", attempts[i].name);
        g_test_add_data_func(path, &attempts[i], test_by_seccomp);
        if (!attempts[i].by_layers)
            continue;
        g_autofree char *below = g_strdup_printf("/sandbox/attack/layers/%s", attempts[i].name);
        g_test_add_data_func(below, &attempts[i], test_by_layers);
    }
    g_test_add_func("/sandbox/attack/seccomp/int-0x80", test_int80);
    int status = g_test_run();
    fixture_end();
    return status;
}
