/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a bzImage: made-up ones with every fault that a file can have, and real ones where the
 * cache has some.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/limits.h"
#include "src/kvm/gmem.h"
#include "src/pc/acpi.h"
#include "src/pc/linux_boot.h"

#define MIB          (1ull << 20)
#define SETUP_BYTES  (5 * 512) /* boot sector and 4 setup sectors */
#define KERNEL_BYTES 70000

struct fixture {
    struct gmem gmem;
    struct linux_boot boot;
    uint8_t image[SETUP_BYTES + KERNEL_BYTES];
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    return value;
}

/* A 64-bit kernel of protocol 2.15 that wants 16 to 20 MiB. */
static void make_image(uint8_t *image)
{
    memset(image, 0, SETUP_BYTES);
    for (unsigned i = 0; i < KERNEL_BYTES; i++)
        image[SETUP_BYTES + i] = (uint8_t)(i * 31 + i / 256);
    image[0x1f1] = 4;
    put(image + 0x1f4, KERNEL_BYTES / 16, 4);
    put(image + 0x1fe, 0xaa55, 2);
    image[0x200] = 0xeb;
    image[0x201] = 0x6a;
    memcpy(image + 0x202, "HdrS", 4);
    put(image + 0x206, 0x020f, 2);
    image[0x211] = 1;
    put(image + 0x214, 0x100000, 4);
    put(image + 0x22c, 0x7fffffff, 4);
    put(image + 0x230, 2 * MIB, 4);
    image[0x234] = 1;
    put(image + 0x236, 0x3f, 2);
    put(image + 0x238, 2047, 4);
    put(image + 0x258, 16 * MIB, 8);
    put(image + 0x260, 4 * MIB, 4);
}

static int memory_file(const void *bytes, size_t length)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, length), ==, (ssize_t)length);
    return fd;
}

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(gmem_init(&f->gmem, 64 * MIB), ==, 0);
    make_image(f->image);
    f->boot = (struct linux_boot){.kernel_fd = -1,
                                  .initrd_fd = -1,
                                  .kernel_name = "vmlinuz",
                                  .initrd_name = "initrd.img",
                                  .cmdline = "console=ttyS0"};
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    linux_boot_close(&f->boot);
    gmem_free(&f->gmem);
}

/* Load the image as it is now, cut to `length` bytes. */
static bool load_length(struct fixture *f, size_t length, struct vcpu_entry *entry, GError **error)
{
    if (f->boot.kernel_fd >= 0)
        close(f->boot.kernel_fd);
    f->boot.kernel_fd = memory_file(f->image, length);
    return linux_boot_load(&f->gmem, &f->boot, entry, error);
}

static void load(struct fixture *f, struct vcpu_entry *entry)
{
    g_autoptr(GError) error = NULL;
    bool loaded = load_length(f, sizeof(f->image), entry, &error);

    g_assert_no_error(error);
    g_assert_true(loaded);
}

/* Loading fails with this error code, one line, and `words` in it. */
static void refuse(struct fixture *f, size_t length, int code, const char *words)
{
    g_autoptr(GError) error = NULL;
    struct vcpu_entry entry;

    g_assert_false(load_length(f, length, &entry, &error));
    g_assert_error(error, LINUX_BOOT_ERROR, code);
    g_test_message("%s", error->message);
    g_assert_null(strchr(error->message, '\n'));
    g_assert_nonnull(strstr(error->message, words));
}

static void read_guest(struct fixture *f, uint64_t gpa, void *bytes, size_t length)
{
    g_assert_true(gmem_read(&f->gmem, gpa, bytes, length));
}

static void test_long_mode_entry(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    uint64_t gdt[4];

    (void)data;
    load(f, &entry);
    g_assert_true(entry.long_mode);
    g_assert_cmphex(entry.rip, ==, 0x100200);
    g_assert_cmpuint(entry.gdt_limit, ==, sizeof(gdt) - 1);
    read_guest(f, entry.gdt, gdt, sizeof(gdt));
    g_assert_cmphex(gdt[2] >> 53 & 3, ==, 1); /* L set, D clear */
    uint8_t kernel[KERNEL_BYTES];
    read_guest(f, 0x100000, kernel, sizeof(kernel));
    g_assert_cmpmem(kernel, sizeof(kernel), f->image + SETUP_BYTES, KERNEL_BYTES);
}

/* Walk the tables as the processor would: every 2 MiB of the first 4 GiB is there and is itself. */
static void test_identity_map(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    uint64_t pml4, pdpt, pd;

    (void)data;
    load(f, &entry);
    read_guest(f, entry.cr3, &pml4, 8);
    g_assert_cmphex(pml4 & 0xfff, ==, 3);
    for (uint64_t gpa = 0; gpa < 4096 * MIB; gpa += 2 * MIB) {
        read_guest(f, (pml4 & ~0xfffull) + (gpa >> 30) * 8, &pdpt, 8);
        g_assert_cmphex(pdpt & 0xfff, ==, 3);
        read_guest(f, (pdpt & ~0xfffull) + (gpa >> 21 & 511) * 8, &pd, 8);
        g_assert_cmphex(pd, ==, gpa | 0x83);
    }
    read_guest(f, (pml4 & ~0xfffull) + 4 * 8, &pdpt, 8);
    g_assert_cmphex(pdpt, ==, 0);
}

static void test_protected_mode_entry(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    uint64_t gdt[4];

    (void)data;
    put(f->image + 0x236, 0, 2); /* no 64-bit entry: a 686 kernel */
    load(f, &entry);
    g_assert_false(entry.long_mode);
    g_assert_cmphex(entry.rip, ==, 0x100000);
    read_guest(f, entry.gdt, gdt, sizeof(gdt));
    g_assert_cmphex(gdt[2], ==, 0x00cf9b000000ffff);
    g_assert_cmphex(gdt[3], ==, 0x00cf93000000ffff);
}

static void test_boot_params(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    uint8_t params[4096];
    char cmdline[32];

    (void)data;
    put(f->image + 0x250, 0x1234, 8); /* setup_data: not to be followed into the file */
    load(f, &entry);
    read_guest(f, entry.rsi, params, sizeof(params));
    g_assert_cmphex(get(params + 0x070, 8), ==, ACPI_RSDP);
    g_assert_cmpmem(params + 0x202, 4, "HdrS", 4);
    g_assert_cmphex(params[0x210], ==, 0xff);
    g_assert_cmphex(get(params + 0x250, 8), ==, 0);
    g_assert_cmphex(get(params + 0x218, 8), ==, 0); /* no initrd */
    g_assert_cmphex(get(params + 0x260, 4), ==, 4 * MIB);
    read_guest(f, get(params + 0x228, 4), cmdline, sizeof(cmdline));
    g_assert_cmpstr(cmdline, ==, "console=ttyS0");
    for (unsigned i = 0; i < 0x70; i++)
        g_assert_cmphex(params[i], ==, 0);
}

/* What follows the header in the file is code, not header. */
static void test_header_ends_at_its_jump(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    uint8_t params[4096];

    (void)data;
    memset(f->image + 0x26c, 0xcc, 0x100);
    load(f, &entry);
    read_guest(f, entry.rsi, params, sizeof(params));
    for (unsigned i = 0x26c; i < 0x290; i++)
        g_assert_cmphex(params[i], ==, 0);
}

static void test_e820(struct fixture *f, gconstpointer data)
{
    static const struct {
        uint64_t address, size;
        uint32_t type;
    } expected[] = {
        {0, 0x9fc00, 1},
        {0x9fc00, 0x60400, 2},
        {0x100000, GMEM_LOW_END - 0x100000, 1},
        {GMEM_HIGH_BASE, 1024 * MIB, 1},
    };
    struct vcpu_entry entry;
    uint8_t params[4096];

    (void)data;
    gmem_free(&f->gmem);
    g_assert_cmpint(gmem_init(&f->gmem, 4096 * MIB), ==, 0);
    load(f, &entry);
    read_guest(f, entry.rsi, params, sizeof(params));
    g_assert_cmpuint(params[0x1e8], ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        const uint8_t *at = params + 0x2d0 + 20 * i;
        g_assert_cmphex(get(at, 8), ==, expected[i].address);
        g_assert_cmphex(get(at + 8, 8), ==, expected[i].size);
        g_assert_cmpuint(get(at + 16, 4), ==, expected[i].type);
    }
}

static void test_initrd(struct fixture *f, gconstpointer data)
{
    size_t size = 3 * MIB + 123; /* several leases, an odd end */
    g_autofree uint8_t *initrd = g_malloc(size), *loaded = g_malloc(size);
    struct vcpu_entry entry;
    uint8_t params[4096];

    (void)data;
    for (size_t i = 0; i < size; i++)
        initrd[i] = (uint8_t)(i * 13 + i / 4096);
    f->boot.initrd_fd = memory_file(initrd, size);
    put(f->image + 0x22c, 40 * MIB - 1, 4); /* below what the machine has */
    load(f, &entry);
    read_guest(f, entry.rsi, params, sizeof(params));
    uint64_t at = get(params + 0x218, 4);
    g_assert_cmpuint(get(params + 0x21c, 4), ==, size);
    g_assert_cmphex(at % 4096, ==, 0);
    g_assert_cmphex(at, >=, 20 * MIB); /* clear of the kernel */
    g_assert_cmphex(at + size, <=, 40 * MIB);
    read_guest(f, at, loaded, size);
    g_assert_cmpmem(loaded, size, initrd, size);
}

static void test_reloads_changed_files(struct fixture *f, gconstpointer data)
{
    struct vcpu_entry entry;
    g_autoptr(GError) error = NULL;
    uint8_t byte;

    (void)data;
    load(f, &entry);
    g_assert_cmpint(pwrite(f->boot.kernel_fd, "\xab", 1, SETUP_BYTES), ==, 1);
    g_assert_true(linux_boot_load(&f->gmem, &f->boot, &entry, NULL));
    read_guest(f, 0x100000, &byte, 1);
    g_assert_cmphex(byte, ==, 0xab);
    g_assert_cmpint(ftruncate(f->boot.kernel_fd, 5000), ==, 0);
    g_assert_false(linux_boot_load(&f->gmem, &f->boot, &entry, &error));
    g_assert_error(error, LINUX_BOOT_ERROR, LINUX_BOOT_ERROR_READ);
}

static void test_not_a_kernel(struct fixture *f, gconstpointer data)
{
    static const size_t lengths[] = {0, 1, 0x1f1, 0x200, 0x28f, 0x290, 1024};

    (void)data;
    memcpy(f->image + 0x202, "hDRs", 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++)
        refuse(f, lengths[i], LINUX_BOOT_ERROR_FORMAT, "vmlinuz is not a Linux bzImage");
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "vmlinuz is not a Linux bzImage");
}

static void test_old_protocol(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f->image + 0x206, 0x0205, 2);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "older than 2.06");
    put(f->image + 0x206, 0x020f, 2);
    f->image[0x211] = 0; /* zImage */
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "older than 2.06");
}

static void test_short_header(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->image[0x201] = 0x39;
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "header is too short");
}

static void test_truncated(struct fixture *f, gconstpointer data)
{
    (void)data;
    refuse(f, sizeof(f->image) - 100, LINUX_BOOT_ERROR_READ, "truncated");
    refuse(f, SETUP_BYTES + 1, LINUX_BOOT_ERROR_FORMAT, "no kernel after");
    f->image[0x1f1] = 255; /* setup sectors beyond the file */
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "no kernel after");
}

static void test_hostile_addresses(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f->image + 0x258, UINT64_MAX, 8);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "impossible addresses");
    put(f->image + 0x258, 16 * MIB, 8);
    put(f->image + 0x260, UINT32_MAX, 4);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "impossible addresses");
    put(f->image + 0x260, 4 * MIB, 4);
    put(f->image + 0x230, 3, 4);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_FORMAT, "power of two");
    put(f->image + 0x230, 1u << 31, 4);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE, "needs 2052 MiB of memory");
}

static void test_too_little_memory(struct fixture *f, gconstpointer data)
{
    (void)data;
    gmem_free(&f->gmem);
    g_assert_cmpint(gmem_init(&f->gmem, 19 * MIB), ==, 0);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE,
           "vmlinuz needs 20 MiB of memory to start, the machine has 19 MiB");
}

static void test_large_initrd(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->boot.initrd_fd = memory_file("", 0);
    g_assert_cmpint(ftruncate(f->boot.initrd_fd, 44 * MIB), ==, 0);
    struct vcpu_entry entry;
    load(f, &entry); /* it fills all that is left, exactly */
    g_assert_cmpint(ftruncate(f->boot.initrd_fd, 44 * MIB + 1), ==, 0);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE, "initrd.img: its 45 MiB do not fit");
    g_assert_cmpint(ftruncate(f->boot.initrd_fd, LIMIT_INITRD_BYTES + 1), ==, 0);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE, "limit of 1024 MiB");
    put(f->image + 0x22c, 0, 4); /* a kernel that takes none anywhere */
    g_assert_cmpint(ftruncate(f->boot.initrd_fd, 1), ==, 0);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE, "do not fit");
}

static void test_long_cmdline(struct fixture *f, gconstpointer data)
{
    g_autofree char *cmdline = g_strnfill(256, 'x');
    struct vcpu_entry entry;

    (void)data;
    f->boot.cmdline = cmdline;
    put(f->image + 0x238, 256, 4);
    load(f, &entry);
    put(f->image + 0x238, 255, 4);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE,
           "command line: 256 characters are more than the 255");
    g_autofree char *longer = g_strnfill(LIMIT_CMDLINE + 1, 'x');
    f->boot.cmdline = longer;
    put(f->image + 0x238, UINT32_MAX, 4);
    refuse(f, sizeof(f->image), LINUX_BOOT_ERROR_TOO_LARGE, "shorten it");
}

static void test_not_a_plain_file(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    int fds[2];

    (void)data;
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    f->boot.kernel_fd = fds[0];
    close(fds[1]);
    g_assert_false(linux_boot_check(&f->boot, &error));
    g_assert_error(error, LINUX_BOOT_ERROR, LINUX_BOOT_ERROR_READ);
    g_assert_nonnull(strstr(error->message, "regular file"));
}

/* What linux_boot_load() needs from the file it finds without the machine's memory. */
static void test_check(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    f->boot.kernel_fd = memory_file(f->image, sizeof(f->image));
    g_assert_true(linux_boot_check(&f->boot, &error));
    g_assert_no_error(error);
    g_assert_cmpint(pwrite(f->boot.kernel_fd, "MZ", 2, 0x202), ==, 2);
    g_assert_false(linux_boot_check(&f->boot, &error));
    g_assert_error(error, LINUX_BOOT_ERROR, LINUX_BOOT_ERROR_FORMAT);
}

/* A kernel that a distribution ships loads, by the entry that its architecture has. */
static void load_real(struct fixture *f, const char *path, bool long_mode)
{
    g_autoptr(GError) error = NULL;
    struct vcpu_entry entry;
    uint8_t head[16];

    linux_boot_close(&f->boot);
    f->boot.kernel_name = path;
    f->boot.kernel_fd = open(path, O_RDONLY | O_CLOEXEC);
    bool loaded = linux_boot_load(&f->gmem, &f->boot, &entry, &error);
    g_assert_no_error(error);
    g_assert_true(loaded);
    g_assert_true(entry.long_mode == long_mode);
    read_guest(f, entry.rip, head, sizeof(head));
    g_assert_cmphex(head[0], !=, 0);
    g_test_message("%s: entry %#llx", path, (unsigned long long)entry.rip);
}

static void test_debian_kernels(struct fixture *f, gconstpointer data)
{
    const char *cache = g_getenv("VMBUSD_CACHE");
    g_autofree char *folder =
        g_build_filename(cache ? cache : "/var/cache/vmbusd", "kernels", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned found = 0;

    (void)data;
    gmem_free(&f->gmem);
    g_assert_cmpint(gmem_init(&f->gmem, 128 * MIB), ==, 0);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, "vmlinuz", NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
            continue;
        load_real(f, path, !g_str_has_suffix(name, "686"));
        found++;
    }
    if (!found)
        g_test_skip("no kernels in the cache; tests/lab/fetch gets them");
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/linux-boot/long-mode-entry", test_long_mode_entry);
    add("/linux-boot/identity-map", test_identity_map);
    add("/linux-boot/protected-mode-entry", test_protected_mode_entry);
    add("/linux-boot/boot-params", test_boot_params);
    add("/linux-boot/header-ends-at-its-jump", test_header_ends_at_its_jump);
    add("/linux-boot/e820", test_e820);
    add("/linux-boot/initrd", test_initrd);
    add("/linux-boot/reloads-changed-files", test_reloads_changed_files);
    add("/linux-boot/not-a-kernel", test_not_a_kernel);
    add("/linux-boot/old-protocol", test_old_protocol);
    add("/linux-boot/short-header", test_short_header);
    add("/linux-boot/truncated", test_truncated);
    add("/linux-boot/hostile-addresses", test_hostile_addresses);
    add("/linux-boot/too-little-memory", test_too_little_memory);
    add("/linux-boot/large-initrd", test_large_initrd);
    add("/linux-boot/long-cmdline", test_long_cmdline);
    add("/linux-boot/not-a-plain-file", test_not_a_plain_file);
    add("/linux-boot/check", test_check);
    add("/linux-boot/debian-kernels", test_debian_kernels);
    return g_test_run();
}
