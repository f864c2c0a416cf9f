/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's DSDT as a guest's interpreter runs it: ACPICA's, in its test program. Registers are the
 * program's own memory, zero at first.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "src/common/limits.h"
#include "src/pc/acpi_pc.h"
#include "src/pc/acpi_wire.h"

/* What the interpreter says when it loads the DSDT and runs `commands`; NULL: it is not here. */
static char *run(const char *commands)
{
    static const uint32_t apic_id[] = {0, 1};
    const struct acpi_pc_params params = {2, apic_id, true, 64u << 20};
    g_autofree struct acpi_pc *acpi = g_new0(struct acpi_pc, 1);
    g_autofree char *program = g_find_program_in_path("acpiexec");
    g_autofree char *folder = g_dir_make_tmp("dsdt-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "dsdt.aml", NULL);
    char *argv[] = {program, (char *)"-b", (char *)commands, path, NULL}, *out = NULL;
    struct acpi_header head;

    if (program) {
        g_assert_cmpint(acpi_pc_build(acpi, &params), ==, 0);
        memcpy(&head, acpi->tables + 64, sizeof(head)); /* behind the FACS */
        g_assert_true(g_file_set_contents(path, (char *)acpi->tables + 64, head.length, NULL));
        g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
                                   NULL, NULL, NULL));
        g_test_message("%s", out);
        g_assert_null(strstr(out, "Error"));
        g_assert_null(strstr(out, "xception"));
        g_unlink(path);
    } else {
        g_test_skip("acpiexec is not installed");
    }
    g_rmdir(folder);
    return out;
}

/* The values returned, in order: integers and bytes of buffers, as the program prints them. */
static char *results(const char *out)
{
    GString *list = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);

    for (char **line = lines; *line; line++) {
        const char *number = strstr(*line, "[Integer] = "), *bytes = strstr(*line, "0000: ");
        if (number)
            g_string_append_printf(list, "%" G_GINT64_MODIFIER "x ",
                                   g_ascii_strtoull(number + 12, NULL, 16));
        else if (bytes)
            g_string_append_printf(list, "%.8s ", bytes + 6);
    }
    return g_string_free(list, FALSE);
}

static void assert_results(const char *commands, const char *wanted)
{
    g_autofree char *out = run(commands);

    if (!out)
        return;
    g_autofree char *got = results(out);
    g_assert_cmpstr(got, ==, wanted);
}

#define LINK(what) "execute \\_SB.LNKC." what ";"
#define IRQ(mask)  "_SRS (23 " mask " 18 79 00)"

/* With the 8259s: off, on line 11, on line 10 (the highest of two wins), on none, which is none. */
static void test_links(void)
{
    assert_results(LINK("_PRS") LINK("_DIS") LINK("_STA") LINK("_CRS") LINK(IRQ("00 08"))
                       LINK("_STA") LINK("_CRS") LINK(IRQ("20 04")) LINK("_CRS") LINK(IRQ("00 00"))
                           LINK("_CRS") "execute \\_SB.PRQC",
                   "23 00 0C 9 23 00 00 b 23 00 08 23 00 04 23 00 04 a ");
}

/* The four links are four registers. */
static void test_registers(void)
{
    assert_results("execute \\_SB.LNKA._DIS; execute \\_SB.LNKD." IRQ(
                       "00 08") "; execute \\_SB.PRQA; execute \\_SB.PRQB; execute \\_SB.PRQC; "
                                "execute \\_SB.PRQD",
                   "80 0 0 b ");
}

/* A guest that turns links off before it says that it has an I/O APIC, or after. */
static void test_apic_mode(void)
{
    assert_results(LINK("_DIS") "execute \\_PIC 1;" LINK("_STA") LINK("_DIS") LINK(IRQ("00 04"))
                       LINK("_CRS") "execute \\_SB.PRQA",
                   "0 23 00 08 a ");
}

/* A small integer as AML has it; `at` moves behind it. */
static unsigned integer(const uint8_t **at)
{
    unsigned value = *(*at)++;

    return value == 0x0a ? *(*at)++ : value;
}

/* Every slot's pins, rotating: through links, and where the I/O APIC has them. */
static void test_routes(void)
{
    static const uint32_t apic_id[] = {0};
    static const struct acpi_pc_params params = {1, apic_id, false, 64u << 20};
    static const unsigned line[] = {10, 10, 11, 11};
    g_autofree struct acpi_pc *acpi = g_new0(struct acpi_pc, 1);

    g_assert_cmpint(acpi_pc_build(acpi, &params), ==, 0);
    for (unsigned apic = 0; apic < 2; apic++) {
        const uint8_t *at = memmem(acpi->tables, acpi->tables_size, apic ? "PRTA" : "PRTP", 4);
        g_assert_nonnull(at);
        g_assert_cmpmem(at + 7, 1, "\x7c", 1); /* a package's length of two bytes, then how many */
        at += 8;
        for (uint32_t i = 0; i < 31 * 4; i++) {
            uint32_t slot = i / 4 + 1, pin = i % 4, link = (slot - 1 + pin) % 4, address;
            g_assert_cmpmem(at + 2, 2, "\x04\x0c", 2);
            memcpy(&address, at + 4, 4);
            at += 8;
            g_assert_cmphex(address, ==, slot << 16 | 0xffff);
            g_assert_cmpuint(integer(&at), ==, pin);
            if (apic) {
                g_assert_cmpuint(integer(&at), ==, 0);
                g_assert_cmpuint(integer(&at), ==, line[link]);
            } else {
                const char name[] = {'L', 'N', 'K', (char)('A' + link)};
                g_assert_cmpmem(at, 4, name, 4);
                at += 4;
                g_assert_cmpuint(integer(&at), ==, 0);
            }
        }
    }
}

/* Where the id is; and its event, told to the device. */
static void test_generation(void)
{
    g_autofree char *out = run("execute \\_GPE._E01");

    assert_results("execute \\_SB.GENC.ADDR", "feffb000 0 ");
    if (out)
        g_assert_nonnull(strstr(out, "Notify on [GENC]"));
}

/* As many processors as there may be. */
static void test_room(void)
{
    uint32_t apic_id[LIMIT_VCPUS];
    const struct acpi_pc_params params = {LIMIT_VCPUS, apic_id, true, 64u << 20};
    g_autofree struct acpi_pc *acpi = g_new0(struct acpi_pc, 1);

    for (unsigned i = 0; i < LIMIT_VCPUS; i++)
        apic_id[i] = i;
    g_assert_cmpint(acpi_pc_build(acpi, &params), ==, 0);
    g_assert_cmpuint(acpi->tables_size, <=, sizeof(acpi->tables));
    g_assert_cmpuint(acpi->loader_size, <=, sizeof(acpi->loader));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi-run/links", test_links);
    g_test_add_func("/acpi-run/registers", test_registers);
    g_test_add_func("/acpi-run/apic-mode", test_apic_mode);
    g_test_add_func("/acpi-run/routes", test_routes);
    g_test_add_func("/acpi-run/generation", test_generation);
    g_test_add_func("/acpi-run/room", test_room);
    return g_test_run();
}
