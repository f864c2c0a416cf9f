/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening disks: errors in one line with a remedy; locks that QEMU's tools see, and theirs that we
 * see; the null backend's sizes.
 */
#include "src/disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/raw_fixture.h"

static void expect_open_error(const char *path, bool readonly, int code, const char *word)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(raw_open_disk(path, readonly, false, &error));
    g_assert_error(error, DISK_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, word));
    g_assert_null(strchr(error->message, '\n'));
    g_test_message("%s", error->message);
}

static void test_open_errors(void)
{
    g_autofree char *empty = raw_image("empty.img", 0);
    g_autofree char *missing = g_build_filename(raw_folder, "missing.img", NULL);
    g_autofree char *fifo = g_build_filename(raw_folder, "fifo", NULL);

    expect_open_error(missing, false, DISK_ERROR_OPEN, "qemu-img create");
    expect_open_error(raw_folder, true, DISK_ERROR_OPEN, "give an image file");
    expect_open_error(raw_folder, false, DISK_ERROR_OPEN, "give an image file");
    expect_open_error(empty, false, DISK_ERROR_FORMAT, "empty");
    expect_open_error("/dev/null", false, DISK_ERROR_FORMAT, "neither");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    expect_open_error(fifo, false, DISK_ERROR_FORMAT, "neither");
    g_unlink(fifo);
    g_unlink(empty);
}

static void test_permission(void)
{
    g_autofree char *path = raw_image("private.img", RAW_IMAGE_BYTES);

    g_assert_cmpint(chmod(path, 0), ==, 0);
    if (geteuid() == 0 && seteuid(65534) != 0) {
        g_test_skip("cannot become an unprivileged user");
        return;
    }
    if (chmod(raw_folder, 0755) == 0 || geteuid() == 65534)
        expect_open_error(path, false, DISK_ERROR_OPEN, "user");
    if (getuid() == 0)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_unlink(path);
}

/* A descriptor that was opened for us, but not for writing. */
static void test_given_descriptor(void)
{
    g_autofree char *path = raw_image("given.img", RAW_IMAGE_BYTES);
    g_autoptr(GError) error = NULL;
    struct disk_params params = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};

    g_assert_null(disk_open(&disk_raw_class, &params, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_OPEN);
    params.fd = open(path, O_RDONLY | O_CLOEXEC);
    params.readonly = true;
    struct disk *disk = disk_open(&disk_raw_class, &params, NULL);
    g_assert_nonnull(disk);
    g_assert_cmpuint(disk->size, ==, RAW_IMAGE_BYTES);
    disk_close(disk);
    g_unlink(path);
}

/* --- Locks --- */

static void test_locks(void)
{
    g_autofree char *path = raw_image("locked.img", RAW_IMAGE_BYTES);
    struct disk *writer = raw_open_disk(path, false, false, NULL);

    g_assert_nonnull(writer);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    expect_open_error(path, true, DISK_ERROR_LOCKED, "in use");
    const struct disk_params shared = {.path = path, .fd = -1, .shared = true};
    struct disk *other = disk_open(&disk_raw_class, &shared, NULL);
    g_assert_nonnull(other);
    disk_close(other);
    disk_close(writer);

    struct disk *reader = raw_open_disk(path, true, false, NULL);
    other = raw_open_disk(path, true, false, NULL);
    g_assert_nonnull(reader);
    g_assert_nonnull(other);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    disk_close(reader);
    disk_close(other);
    writer = raw_open_disk(path, false, false, NULL);
    g_assert_nonnull(writer);
    disk_close(writer);
    g_unlink(path);
}

/* The lock ends with the disk, though the kernel takes its time to end a ring. */
static void test_lock_ends(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct raw_fixture f;
        raw_set_up(&f, RAW_IMAGE_BYTES, false, false, 0);
        g_assert_cmpint(raw_run_flat(&f, DISK_READ, 0, GMEM_PAGE, f.memory), ==, 0);
        f.disk->class->queue_free(f.queue);
        disk_close(f.disk);
        f.disk = raw_open_disk(f.path, false, false, NULL);
        g_assert_nonnull(f.disk);
        f.queue = f.disk->class->queue_new(f.disk, f.lane);
        raw_tear_down(&f);
    }
}

/* Exit status of qemu-io on the image, its messages in *ret_text. */
static int qemu_io(const char *path, const char *option, const char *command, char **ret_text)
{
    const char *const argv[] = {"qemu-io", "-f", "raw", option, "-c", command, path, NULL};
    int status = -1;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               ret_text, &status, NULL));
    return status;
}

static void test_locks_qemu_sees(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-io");
    g_autofree char *path = raw_image("qemu.img", RAW_IMAGE_BYTES);

    if (!program) {
        g_test_skip("qemu-io is not installed");
        return;
    }
    struct disk *disk = raw_open_disk(path, false, false, NULL);
    g_autofree char *text = NULL;
    qemu_io(path, "-n", "write 0 512", &text);
    g_assert_nonnull(strstr(text, "lock"));
    disk_close(disk);

    disk = raw_open_disk(path, true, false, NULL);
    g_autofree char *shared_text = NULL;
    g_assert_cmpint(qemu_io(path, "-r", "read 0 512", &shared_text), ==, 0);
    g_assert_null(strstr(shared_text, "lock"));
    g_autofree char *write_text = NULL;
    qemu_io(path, "-n", "write 0 512", &write_text);
    g_assert_nonnull(strstr(write_text, "lock"));
    disk_close(disk);
    g_unlink(path);
}

/* Is `byte` of the image locked by anybody? */
static bool byte_locked(const char *path, long byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = byte, .l_len = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(fcntl(fd, F_OFD_GETLK, &lock), ==, 0);
    close(fd);
    return lock.l_type != F_UNLCK;
}

/* Keep qemu-io open on the image, for writing; it sleeps in its own command. */
static GPid start_qemu_io(const char *path)
{
    const char *const argv[] = {"qemu-io", "-f", "raw", "-c", "sleep 20000", path, NULL};
    uint64_t end = lane_now() + 10000000000ull;
    GPid pid;

    g_assert_true(g_spawn_async(NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                NULL));
    while (!byte_locked(path, 101)) {
        g_assert_cmpuint(lane_now(), <, end);
        g_usleep(10000);
    }
    return pid;
}

static void stop(GPid pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_spawn_close_pid(pid);
}

static void test_locks_of_qemu(void)
{
    g_autofree char *program = g_find_program_in_path("qemu-io");
    g_autofree char *path = raw_image("qemu.img", RAW_IMAGE_BYTES);

    if (!program) {
        g_test_skip("qemu-io is not installed");
        return;
    }
    GPid pid = start_qemu_io(path);
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    expect_open_error(path, true, DISK_ERROR_LOCKED, "in use");
    stop(pid);
    struct disk *disk = raw_open_disk(path, false, false, NULL);
    g_assert_nonnull(disk);
    disk_close(disk);
    g_unlink(path);
}

/* A reader that holds what a read-only drive of a QEMU machine holds: it reads (byte 100) and does
 * not share writing (byte 201). */
static void test_lock_bytes(void)
{
    static const long bytes[] = {100, 201};
    g_autofree char *path = raw_image("bytes.img", RAW_IMAGE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    for (unsigned i = 0; i < G_N_ELEMENTS(bytes); i++) {
        struct flock lock = {.l_type = F_RDLCK, .l_start = bytes[i], .l_len = 1};
        g_assert_cmpint(fcntl(fd, F_OFD_SETLK, &lock), ==, 0);
    }
    expect_open_error(path, false, DISK_ERROR_LOCKED, "in use");
    struct disk *disk = raw_open_disk(path, true, false, NULL);
    g_assert_nonnull(disk);
    disk_close(disk);
    close(fd);

    /* And what we hold, seen from outside. */
    disk = raw_open_disk(path, false, false, NULL);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    for (long byte = 96; byte < 208; byte++) {
        struct flock lock = {.l_type = F_WRLCK, .l_start = byte, .l_len = 1};
        bool ours = byte == 100 || byte == 101 || byte == 103 || byte == 201 || byte == 203;
        g_assert_cmpint(fcntl(fd, F_OFD_GETLK, &lock), ==, 0);
        g_assert_cmpint(lock.l_type, ==, ours ? F_RDLCK : F_UNLCK);
    }
    close(fd);
    disk_close(disk);
    g_unlink(path);
}

/* --- Null --- */

static void test_null(void)
{
    static const struct {
        const char *path;
        uint64_t size;
    } cases[] = {
        {"null:512", 512},       {"null:1000", 512},
        {"null:4K", 4096},       {"null:16G", 16ull << 30},
        {"null:2T", 2ull << 40}, {"null:", 0},
        {"null:0", 0},           {"null:511", 0},
        {"null:-1", 0},          {"null:1X", 0},
        {"null:1KK", 0},         {"null:99999999999999999999", 0},
        {"null:16777216T", 0},   {"16G", 0},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct disk_params params = {.path = cases[i].path, .fd = -1};
        struct disk *disk = disk_open(&disk_null_class, &params, NULL);
        g_assert_cmpuint(disk ? disk->size : 0, ==, cases[i].size);
        disk_close(disk);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/raw/open-errors", test_open_errors);
    g_test_add_func("/raw/permission", test_permission);
    g_test_add_func("/raw/given-descriptor", test_given_descriptor);
    g_test_add_func("/lock/ours", test_locks);
    g_test_add_func("/lock/ends-with-disk", test_lock_ends);
    g_test_add_func("/lock/qemu-sees-ours", test_locks_qemu_sees);
    g_test_add_func("/lock/we-see-qemu's", test_locks_of_qemu);
    g_test_add_func("/lock/bytes", test_lock_bytes);
    g_test_add_func("/null/sizes", test_null);
    return raw_test_run();
}
