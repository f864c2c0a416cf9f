/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables as a guest finds them, and as iasl judges them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "src/common/limits.h"
#include "src/kvm/gmem.h"
#include "src/pc/acpi.h"
#include "src/pc/aml.h"
#include "src/pc/pm.h"

#define RAM_SIZE (1u << 20)

struct fixture {
    uint8_t *ram;
    struct gmem gmem;
    uint32_t apic_id[LIMIT_VCPUS];
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->ram = aligned_alloc(GMEM_PAGE, RAM_SIZE);
    memset(fixture->ram, 0, RAM_SIZE);
    g_assert_cmpint(gmem_add(&fixture->gmem, 0, RAM_SIZE, fixture->ram), ==, 0);
    for (unsigned i = 0; i < LIMIT_VCPUS; i++)
        fixture->apic_id[i] = i;
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    free(fixture->ram);
}

static void build(struct fixture *fixture, unsigned vcpus)
{
    const struct acpi_params params = {
        .vcpus = vcpus, .apic_id = fixture->apic_id, .vmbus64 = true};

    g_assert_cmpint(acpi_build(&fixture->gmem, &params), ==, 0);
}

static uint64_t load(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, at, bytes);
    return value;
}

static uint8_t sum(const uint8_t *at, size_t length)
{
    uint8_t total = 0;

    while (length--)
        total = (uint8_t)(total + *at++);
    return total;
}

/* As an operating system does it: 16-byte steps, both checksums. */
static const uint8_t *find_rsdp(const struct fixture *fixture)
{
    for (uint32_t at = 0xe0000; at < RAM_SIZE; at += 16) {
        const uint8_t *rsdp = fixture->ram + at;
        if (!memcmp(rsdp, "RSD PTR ", 8) && !sum(rsdp, 20) && !sum(rsdp, 36))
            return rsdp;
    }
    return NULL;
}

/* The table with `signature` that the XSDT names; the checksum is checked. */
static const uint8_t *find_table(const struct fixture *fixture, const char *signature)
{
    const uint8_t *rsdp = find_rsdp(fixture);

    g_assert_nonnull(rsdp);
    const uint8_t *xsdt = fixture->ram + load(rsdp + 24, 8);
    g_assert_cmpint(sum(xsdt, load(xsdt + 4, 4)), ==, 0);
    for (unsigned at = 36; at < load(xsdt + 4, 4); at += 8) {
        const uint8_t *table = fixture->ram + load(xsdt + at, 8);
        g_assert_cmpint(sum(table, load(table + 4, 4)), ==, 0);
        if (!memcmp(table, signature, 4))
            return table;
    }
    return NULL;
}

static const uint8_t *find_dsdt(const struct fixture *fixture)
{
    const uint8_t *fadt = find_table(fixture, "FACP");

    g_assert_nonnull(fadt);
    g_assert_cmpuint(load(fadt + 40, 4), ==, load(fadt + 140, 8));
    const uint8_t *dsdt = fixture->ram + load(fadt + 140, 8);
    g_assert_cmpint(sum(dsdt, load(dsdt + 4, 4)), ==, 0);
    return dsdt;
}

static void test_scan_finds_rsdp(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    build(fixture, 1);
    g_assert_true(find_rsdp(fixture) == fixture->ram + ACPI_RSDP);
}

static void test_roots_agree(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    build(fixture, 1);
    const uint8_t *rsdp = find_rsdp(fixture);
    const uint8_t *rsdt = fixture->ram + load(rsdp + 16, 4),
                  *xsdt = fixture->ram + load(rsdp + 24, 8);
    g_assert_cmpint(sum(rsdt, load(rsdt + 4, 4)), ==, 0);
    g_assert_cmpuint(load(rsdt + 4, 4), ==, 36 + 2 * 4);
    g_assert_cmpuint(load(xsdt + 4, 4), ==, 36 + 2 * 8);
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpuint(load(rsdt + 36 + 4 * i, 4), ==, load(xsdt + 36 + 8 * i, 8));
    g_assert_cmpmem(xsdt + 10, 14, "VRTUALMICROSFT", 14);
}

static void test_fadt_registers(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    build(fixture, 1);
    const uint8_t *fadt = find_table(fixture, "FACP");
    g_assert_cmpuint(load(fadt + 8, 1), >=, 2); /* else Linux takes no reset register */
    g_assert_cmpuint(load(fadt + 46, 2), ==, 9);
    g_assert_cmpuint(load(fadt + 56, 4), ==, 0x600);
    g_assert_cmpuint(load(fadt + 64, 4), ==, 0x604);
    g_assert_cmpuint(load(fadt + 76, 4), ==, 0); /* no PM timer: no block, and no length of it */
    g_assert_cmpuint(load(fadt + 91, 1), ==, 0);
    g_assert_cmpuint(load(fadt + 212, 8), ==, 0);
    g_assert_cmpuint(load(fadt + 109, 2) & 0x27, ==, 0x05); /* no 8042, no VGA; RTC present */
    g_assert_cmpuint(load(fadt + 112, 4) & (1u << 10), !=, 0);
    g_assert_cmpuint(load(fadt + 112, 4) & (1u << 4), ==, 0); /* the power button is fixed */
    g_assert_cmpuint(load(fadt + 120, 8), ==, 0x633);
    g_assert_cmpuint(load(fadt + 128, 1), ==, PM_RESET_VALUE);
    g_assert_cmpuint(load(fadt + 36, 4) % 64, ==, 0); /* FACS: alignment is part of the standard */
    g_assert_cmpmem(fixture->ram + load(fadt + 36, 4), 4, "FACS", 4);
}

/* Count MADT entries of `type`; every length must lead on to the next entry. */
static unsigned count_entries(const uint8_t *madt, uint8_t type)
{
    size_t end = load(madt + 4, 4), at = 44;
    unsigned found = 0;

    while (at < end) {
        g_assert_cmpuint(madt[at + 1], >=, 2);
        found += madt[at] == type;
        at += madt[at + 1];
    }
    g_assert_cmpuint(at, ==, end);
    return found;
}

static void test_madt_entries(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    build(fixture, 5);
    const uint8_t *madt = find_table(fixture, "APIC");
    g_assert_cmpuint(load(madt + 36, 4), ==, GMEM_LAPIC);
    g_assert_cmpuint(count_entries(madt, 0), ==, 5);
    g_assert_cmpuint(count_entries(madt, 1), ==, 1);
    g_assert_cmpuint(count_entries(madt, 2), ==, 2);
    g_assert_cmpuint(count_entries(madt, 4), ==, 0);
    g_assert_cmpuint(count_entries(madt, 9), ==, 0);
}

static void test_madt_large_apic_ids(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->apic_id[1] = 254;
    fixture->apic_id[2] = 255;
    fixture->apic_id[3] = 1000;
    build(fixture, 4);
    const uint8_t *madt = find_table(fixture, "APIC");
    g_assert_cmpuint(count_entries(madt, 0), ==, 2);
    g_assert_cmpuint(count_entries(madt, 9), ==, 2);
}

static void test_vcpus_out_of_range(struct fixture *fixture, gconstpointer data)
{
    struct acpi_params params = {.apic_id = fixture->apic_id};

    (void)data;
    g_assert_cmpint(acpi_build(&fixture->gmem, &params), ==, -EINVAL);
    params.vcpus = LIMIT_VCPUS + 1;
    g_assert_cmpint(acpi_build(&fixture->gmem, &params), ==, -EINVAL);
}

static void test_no_ram_there(struct fixture *fixture, gconstpointer data)
{
    const struct acpi_params params = {.vcpus = 1, .apic_id = fixture->apic_id};
    struct gmem small = {0};

    (void)data;
    g_assert_cmpint(gmem_add(&small, 0, 0x80000, fixture->ram), ==, 0);
    g_assert_cmpint(acpi_build(&small, &params), ==, -EFAULT);
}

static void test_largest_fits(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < LIMIT_VCPUS; i++)
        fixture->apic_id[i] = 256 + i;
    build(fixture, LIMIT_VCPUS);
    g_assert_cmpuint(count_entries(find_table(fixture, "APIC"), 9), ==, LIMIT_VCPUS);
    find_dsdt(fixture);
}

static void test_pkg_length(struct fixture *fixture, gconstpointer data)
{
    static const struct {
        unsigned fill; /* bytes in the scope after its name */
        uint8_t head[4];
        unsigned bytes;
    } cases[] = {
        {58, {63}, 1},
        {59, {0x40 | 1, 4}, 2},      /* 65 */
        {4089, {0x40 | 15, 255}, 2}, /* 4095 */
        {4090, {0x80 | 1, 0, 1}, 3}, /* 4097 */
    };

    (void)fixture, (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t bytes[5000];
        struct aml aml = {.bytes = bytes, .capacity = sizeof(bytes)};
        struct aml_mark mark = aml_scope_open(&aml, "_SB");
        memset(bytes + aml.length, 1, cases[i].fill);
        aml.length += cases[i].fill;
        aml_close(&aml, mark);
        g_assert_cmpmem(bytes + 1, cases[i].bytes, cases[i].head, cases[i].bytes);
        g_assert_cmpmem(bytes + 1 + cases[i].bytes, 4, "_SB_", 4);
    }
}

static void test_aml_overflow(struct fixture *fixture, gconstpointer data)
{
    uint8_t bytes[64];

    (void)fixture, (void)data;
    for (size_t capacity = 0; capacity < 40; capacity++) {
        struct aml aml = {.bytes = bytes, .capacity = capacity};
        memset(bytes, 0xee, sizeof(bytes));
        struct aml_mark device = aml_device_open(&aml, "TEST");
        aml_name_integer(&aml, "_UID", 0x12345678);
        aml_name(&aml, "_CRS");
        struct aml_mark resources = aml_template_open(&aml);
        aml_irq(&aml, 3);
        aml_template_close(&aml, resources);
        aml_close(&aml, device);
        g_assert_true(aml.overflow == (capacity < 31));
        g_assert_cmpuint(aml.length, <=, capacity);
        for (size_t i = capacity; i < sizeof(bytes); i++)
            g_assert_cmpuint(bytes[i], ==, 0xee);
    }
}

/* Run `command` in `folder`: its whole output. Fails the test if its exit status is not 0. */
static char *run(const char *folder, const char *command)
{
    g_autofree char *output = NULL, *errors = NULL;
    g_auto(GStrv) argv = NULL;
    int status;

    g_assert_true(g_shell_parse_argv(command, NULL, &argv, NULL));
    g_assert_true(g_spawn_sync(folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                               &errors, &status, NULL));
    char *all = g_strconcat(output, errors, NULL);
    if (!g_spawn_check_wait_status(status, NULL))
        g_error("%s: %s", command, all);
    return all;
}

/* iasl disassembles the table, compiles that again without an error or a warning, and comes back to
 * the bytes that we wrote (but for the header, where it puts its own name). */
static void check(const uint8_t *table, const char *folder)
{
    g_autofree char *aml = g_build_filename(folder, "table.aml", NULL);
    g_autofree char *again = g_build_filename(folder, "again.aml", NULL);
    g_autofree char *bytes = NULL;
    size_t length = load(table + 4, 4), again_length;

    g_assert_true(g_file_set_contents(aml, (const char *)table, (gssize)length, NULL));
    /* The one complaint, expected by its number and fatal if it does not come: "_HID string must be
     * exactly 7 or 8 characters". "VMBus" is what Hyper-V's own table says and drivers look for. */
    const char *expected = memcmp(table, "DSDT", 4) ? "" : "-vx 6033";
    g_autofree char *compile = g_strdup_printf("iasl %s -we -p again table.dsl", expected);
    g_free(run(folder, "iasl -d table.aml"));
    g_autofree char *told = run(folder, compile);
    g_test_message("%s", told);
    if (!memcmp(table, "DSDT", 4))
        g_assert_nonnull(strstr(told, " 0 Errors, 0 Warnings, 0 Remarks"));
    g_assert_true(g_file_get_contents(again, &bytes, &again_length, NULL));
    g_assert_cmpmem(bytes + 36, again_length - 36, table + 36, length - 36);
}

static void test_iasl(struct fixture *fixture, gconstpointer data)
{
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *folder = NULL;
    static const unsigned vcpus[] = {1, 2, LIMIT_VCPUS};

    (void)data;
    if (!iasl) {
        g_test_skip("iasl (package acpica-tools) is not installed");
        return;
    }
    folder = g_dir_make_tmp("vmbusd-acpi-XXXXXX", NULL);
    g_assert_nonnull(folder);
    fixture->apic_id[1] = 300;
    for (unsigned i = 0; i < G_N_ELEMENTS(vcpus); i++) {
        build(fixture, vcpus[i]);
        check(find_dsdt(fixture), folder);
        check(find_table(fixture, "FACP"), folder);
        check(find_table(fixture, "APIC"), folder);
    }
    g_free(run(folder, "rm -f table.aml table.dsl again.aml"));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/acpi/scan-finds-rsdp", test_scan_finds_rsdp);
    add("/acpi/rsdt-and-xsdt-agree", test_roots_agree);
    add("/acpi/fadt-registers", test_fadt_registers);
    add("/acpi/madt-entries", test_madt_entries);
    add("/acpi/madt-large-apic-ids", test_madt_large_apic_ids);
    add("/acpi/vcpus-out-of-range", test_vcpus_out_of_range);
    add("/acpi/no-ram-there", test_no_ram_there);
    add("/acpi/largest-machine-fits", test_largest_fits);
    add("/acpi/iasl-finds-it-clean", test_iasl);
    add("/aml/pkg-length", test_pkg_length);
    add("/aml/overflow", test_aml_overflow);
    return g_test_run();
}
