/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/worker/admission.c and host_memory.c on a made-up /proc and cgroup tree, with real files,
 * locks and processes.
 */
#include "src/worker/admission.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "src/common/log.h"

#define MIB (1ull << 20)

struct fixture {
    char *top, *proc, *cgroup, *run;
    struct host_memory_paths paths;
};

static void put(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* A host with `available` MiB of 8 GiB. */
static void put_meminfo(struct fixture *fixture, unsigned available)
{
    g_autofree char *text =
        g_strdup_printf("MemTotal:        8388608 kB\nMemFree:            1024 kB\n"
                        "MemAvailable:    %u kB\nBuffers: 1 kB\n",
                        available * 1024);

    put(fixture->proc, "meminfo", text);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->top = g_dir_make_tmp("vmbusd-XXXXXX", NULL);
    fixture->proc = g_build_filename(fixture->top, "proc", NULL);
    fixture->cgroup = g_build_filename(fixture->top, "cgroup", NULL);
    fixture->run = g_build_filename(fixture->top, "run", NULL);
    fixture->paths = (struct host_memory_paths){fixture->proc, fixture->cgroup};
    g_assert_cmpint(g_mkdir(fixture->run, 0700), ==, 0);
    put(fixture->proc, "self/cgroup", "0::/\n");
    put_meminfo(fixture, 1000);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    const char *const command[] = {"rm", "-r", fixture->top, NULL};

    (void)data;
    g_assert_true(g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
    g_free(fixture->top);
    g_free(fixture->proc);
    g_free(fixture->cgroup);
    g_free(fixture->run);
}

static struct admission *take(struct fixture *fixture, const char *name, unsigned mib,
                              GError **error)
{
    struct admission_request request = {.run_dir = fixture->run,
                                        .name = name,
                                        .memory = mib * MIB,
                                        .vcpus = 1,
                                        .paths = &fixture->paths};

    return admission_take(&request, error);
}

static void assert_taken(struct fixture *fixture, const char *name, unsigned mib,
                         struct admission **ret_admission)
{
    g_autoptr(GError) error = NULL;

    *ret_admission = take(fixture, name, mib, &error);
    g_assert_no_error(error);
    g_assert_nonnull(*ret_admission);
}

static void assert_refused(struct fixture *fixture, const char *name, unsigned mib,
                           enum admission_error code, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(take(fixture, name, mib, &error));
    g_assert_error(error, ADMISSION_ERROR, (int)code);
    if (!strstr(error->message, part))
        g_error("\"%s\" lacks \"%s\"", error->message, part);
    g_assert_null(strchr(error->message, '\n'));
}

static bool has_claim(struct fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->run, "claims", name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_fits(struct fixture *fixture, gconstpointer data)
{
    struct admission *first, *second;

    (void)data;
    assert_taken(fixture, "a", 500, &first);
    g_assert_true(has_claim(fixture, "a"));
    /* 1000 - 500 - 10 of the first's worker - 9 of its own - 32 of reserve: 449 at most */
    assert_refused(fixture, "b", 460, ADMISSION_ERROR_MEMORY, "may still claim 510 MiB");
    g_assert_false(has_claim(fixture, "b"));
    assert_taken(fixture, "b", 440, &second);
    admission_free(first);
    g_assert_false(has_claim(fixture, "a"));
    admission_free(second);
}

static void test_refusal_text(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_refused(fixture, "a", 2048, ADMISSION_ERROR_MEMORY,
                   "memory: 2048 MiB for the guest and 16 MiB for its worker do not fit: the host "
                   "has 1000 MiB available of 8192 MiB, running VMs may still claim 0 MiB of it, "
                   "and 32 MiB are kept in reserve; give the guest less, stop a VM, or set "
                   "memory.overcommit");
    g_assert_false(has_claim(fixture, "a"));
}

/* What a running VM has touched is in MemAvailable already and is not counted again. */
static void test_resident(struct fixture *fixture, gconstpointer data)
{
    struct admission *first, *second;
    g_autofree char *statm = g_strdup_printf("%d/statm", (int)getpid());
    g_autofree char *pages =
        g_strdup_printf("999999 %ld 5 1 0 9 0\n", (long)(500 * MIB) / sysconf(_SC_PAGESIZE));

    (void)data;
    assert_taken(fixture, "a", 500, &first);
    put_meminfo(fixture, 500);
    assert_refused(fixture, "b", 440, ADMISSION_ERROR_MEMORY, "may still claim 510 MiB");
    put(fixture->proc, statm, pages);
    assert_taken(fixture, "b", 440, &second);
    admission_free(first);
    admission_free(second);
}

static void test_overcommit(struct fixture *fixture, gconstpointer data)
{
    struct admission_request request = {.run_dir = fixture->run,
                                        .name = "a",
                                        .memory = 4096 * MIB,
                                        .vcpus = 1,
                                        .overcommit = true,
                                        .paths = &fixture->paths};

    (void)data;
    log_set_level(LOG_LEVEL_ERROR);
    struct admission *admission = admission_take(&request, NULL);
    g_assert_nonnull(admission);
    /* Its claim counts for those who did not ask for overcommit. */
    assert_refused(fixture, "b", 16, ADMISSION_ERROR_MEMORY, "may still claim 4120 MiB");
    admission_free(admission);
    log_set_level(LOG_LEVEL_INFO);
}

/* A VGA's memory is the worker's, and counts. */
static void test_devices(struct fixture *fixture, gconstpointer data)
{
    struct admission_request request = {.run_dir = fixture->run,
                                        .name = "a",
                                        .memory = 4096 * MIB,
                                        .vcpus = 1,
                                        .devices = 32 * MIB,
                                        .overcommit = true,
                                        .paths = &fixture->paths};

    (void)data;
    log_set_level(LOG_LEVEL_ERROR);
    struct admission *admission = admission_take(&request, NULL);
    g_assert_nonnull(admission);
    assert_refused(fixture, "b", 16, ADMISSION_ERROR_MEMORY, "may still claim 4152 MiB");
    admission_free(admission);
    log_set_level(LOG_LEVEL_INFO);
}

static void test_same_name(struct fixture *fixture, gconstpointer data)
{
    struct admission *admission;

    (void)data;
    assert_taken(fixture, "a", 16, &admission);
    assert_refused(fixture, "a", 16, ADMISSION_ERROR_RUNNING, "a VM named a is already running");
    admission_free(admission);
    assert_taken(fixture, "a", 16, &admission);
    admission_free(admission);
}

/* A sealed worker leaves its claim's file; its lock is gone with it. */
static void test_stale_claim(struct fixture *fixture, gconstpointer data)
{
    struct admission *admission;

    (void)data;
    assert_taken(fixture, "a", 900, &admission);
    admission_sealed(admission);
    admission_free(admission);
    g_assert_true(has_claim(fixture, "a"));
    assert_taken(fixture, "b", 900, &admission);
    g_assert_false(has_claim(fixture, "a"));
    admission_free(admission);
}

/* Claims that nobody can have written: neither crash nor room. */
static void test_bad_claims(struct fixture *fixture, gconstpointer data)
{
    struct admission *admission;
    g_autofree char *claims = g_build_filename(fixture->run, "claims", NULL);
    g_autofree char *link = g_build_filename(claims, "link", NULL);

    (void)data;
    put(claims, "empty", "");
    put(claims, "text", "not a claim");
    put(claims, "folder/file", "x");
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    assert_taken(fixture, "a", 16, &admission);
    g_assert_false(has_claim(fixture, "empty"));
    g_assert_true(has_claim(fixture, "folder/file"));
    admission_free(admission);
    assert_refused(fixture, "link", 16, ADMISSION_ERROR_SYSTEM, "claims");
}

/* --- Cgroups ---------------------------------------------------------------------------------- */

static void test_cgroup_v2(struct fixture *fixture, gconstpointer data)
{
    struct admission *admission;

    (void)data;
    put(fixture->proc, "self/cgroup", "0::/vms/new\n");
    put(fixture->cgroup, "vms/new/memory.max", "max\n");
    put(fixture->cgroup, "vms/new/memory.current", "0\n");
    put(fixture->cgroup, "vms/memory.max", "314572800\n"); /* 300 MiB */
    put(fixture->cgroup, "vms/memory.current", "104857600\n");
    put(fixture->cgroup, "vms/memory.stat", "anon 1\ninactive_file 52428800\nactive_file 9\n");
    assert_refused(fixture, "a", 220, ADMISSION_ERROR_MEMORY,
                   "cgroup /vms has 250 MiB available of 300 MiB");
    assert_taken(fixture, "a", 200, &admission);
    admission_free(admission);
}

static void test_cgroup_v1(struct fixture *fixture, gconstpointer data)
{
    struct admission *admission;

    (void)data;
    put(fixture->proc, "self/cgroup", "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n");
    put(fixture->cgroup, "memory/a/b/memory.limit_in_bytes", "209715200\n"); /* 200 MiB */
    put(fixture->cgroup, "memory/a/b/memory.usage_in_bytes", "1048576\n");
    put(fixture->cgroup, "memory/memory.limit_in_bytes", "9223372036854771712\n");
    put(fixture->cgroup, "memory/memory.usage_in_bytes", "1048576\n");
    assert_refused(fixture, "a", 180, ADMISSION_ERROR_MEMORY,
                   "cgroup /a/b has 199 MiB available of 200 MiB");
    assert_taken(fixture, "a", 150, &admission);
    admission_free(admission);
}

/* A VM in another cgroup takes nothing from this one's limit. */
static void test_cgroup_of_others(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *cgroup = g_strdup_printf("%d/cgroup", (int)getpid());
    struct admission *first, *second;

    (void)data;
    assert_taken(fixture, "a", 200, &first);
    put(fixture->proc, "self/cgroup", "0::/vms\n");
    put(fixture->cgroup, "vms/memory.max", "314572800\n");
    put(fixture->cgroup, "vms/memory.current", "0\n");
    put(fixture->proc, cgroup, "0::/vms/a\n");
    assert_refused(fixture, "b", 200, ADMISSION_ERROR_MEMORY, "cgroup /vms");
    put(fixture->proc, cgroup, "0::/vmsoup\n");
    assert_taken(fixture, "b", 200, &second);
    admission_free(first);
    admission_free(second);
}

/* --- Trouble ---------------------------------------------------------------------------------- */

static void test_no_meminfo(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    put(fixture->proc, "meminfo", "MemTotal: 1 kB\n");
    assert_refused(fixture, "a", 16, ADMISSION_ERROR_SYSTEM, "does not tell the memory available");
}

static void test_no_run_dir(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(g_rmdir(fixture->run), ==, 0);
    assert_refused(fixture, "a", 16, ADMISSION_ERROR_SYSTEM, "give a run_dir that exists");
}

/* The host of this test itself. */
static void test_real_host(struct fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)fixture;
    (void)data;
    g_autoptr(GArray) bounds = host_memory_bounds(NULL, &error);
    g_assert_no_error(error);
    const struct memory_bound *host = &g_array_index(bounds, struct memory_bound, 0);
    g_assert_cmpuint(host->total, >=, host->available);
    g_assert_cmpuint(host->available, >, 1 * MIB);
    g_assert_cmpuint(host_memory_resident(NULL, getpid()), >, 1 * MIB);
}

/* --- Two at once ------------------------------------------------------------------------------ */

/* A worker that starts when `go` closes, reports, and lives until `end` closes. */
static void start_worker(struct fixture *fixture, const char *name, const int go[2],
                         const int report[2], const int end[2])
{
    char byte;

    if (fork())
        return;
    close(go[1]);
    close(end[1]);
    if (read(go[0], &byte, 1) != 0)
        _exit(1);
    byte = take(fixture, name, 600, NULL) ? 'y' : 'n';
    if (write(report[1], &byte, 1) != 1 || read(end[0], &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

static void test_two_at_once(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    for (unsigned round = 0; round < 50; round++) {
        int go[2], report[2], end[2], status;
        char answer[2];

        g_assert_cmpint(pipe(go) | pipe(report) | pipe(end), ==, 0);
        start_worker(fixture, "a", go, report, end);
        start_worker(fixture, "b", go, report, end);
        close(go[1]);
        g_assert_cmpint(read(report[0], &answer[0], 1), ==, 1);
        g_assert_cmpint(read(report[0], &answer[1], 1), ==, 1);
        g_assert_true((answer[0] == 'y') != (answer[1] == 'y'));
        close(end[1]);
        for (unsigned i = 0; i < 2; i++) {
            g_assert_cmpint(wait(&status), >, 0);
            g_assert_cmpint(status, ==, 0);
        }
        close(go[0]);
        close(report[0]);
        close(report[1]);
        close(end[0]);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(struct fixture *fixture, gconstpointer data);
    } tests[] = {
        {"/admission/fits", test_fits},
        {"/admission/refusal-text", test_refusal_text},
        {"/admission/resident", test_resident},
        {"/admission/overcommit", test_overcommit},
        {"/admission/devices", test_devices},
        {"/admission/same-name", test_same_name},
        {"/admission/stale-claim", test_stale_claim},
        {"/admission/bad-claims", test_bad_claims},
        {"/admission/cgroup-v2", test_cgroup_v2},
        {"/admission/cgroup-v1", test_cgroup_v1},
        {"/admission/cgroup-of-others", test_cgroup_of_others},
        {"/admission/no-meminfo", test_no_meminfo},
        {"/admission/no-run-dir", test_no_run_dir},
        {"/admission/real-host", test_real_host},
        {"/admission/two-at-once", test_two_at_once},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, struct fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
