/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's interface: fw_cfg by ports and DMA, the files SeaBIOS looks for, ACPI tables as
 * the loader's script puts them together, the debug port.
 */
#include "src/pc/firmware.h"

#include <endian.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/pc/acpi_wire.h"
#include "src/pc/debug_port.h"
#include "tests/unit/fake_pc.h"

#define RAM   (4u << 20)
#define BLOCK 0x1000u /* where the tests put DMA blocks */
#define INTO  0x2000u
#define IMAGE (128u << 10)

struct fixture {
    struct fake_pc pc;
    struct gmem gmem;
    struct fw_cfg fw_cfg;
    struct firmware firmware;
    uint8_t image[IMAGE];
};

static const uint32_t apic_ids[] = {0, 1};
static const struct guid uuid = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

static bool make(struct fixture *f, size_t size, GError **error)
{
    struct firmware_params params = {.path = "image",
                                     .fd = memfd_create("image", 0),
                                     .vcpus = 2,
                                     .apic_id = apic_ids,
                                     .name = "vm1",
                                     .uuid = &uuid,
                                     .boot_order = "/one\n"};

    g_assert_cmpint(write(params.fd, f->image, MIN(size, IMAGE)), ==, MIN(size, IMAGE));
    g_assert_cmpint(ftruncate(params.fd, (off_t)size), ==, 0);
    bool good = firmware_init(&f->firmware, &params, &f->gmem, &f->fw_cfg, error);
    close(params.fd);
    return good;
}

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(gmem_init_pc(&f->gmem, RAM), ==, 0);
    g_assert_cmpint(fw_cfg_init(&f->fw_cfg, &f->gmem, &f->pc.pio), ==, 0);
    for (unsigned i = 0; i < IMAGE; i++)
        f->image[i] = (uint8_t)(i * 7 + i / 256);
    f->image[IMAGE - 16] = 0xea;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    firmware_free(&f->firmware);
    gmem_free(&f->gmem);
    fake_pc_fini(&f->pc);
}

static void choose(struct fixture *f, uint16_t key)
{
    fake_pc_out(&f->pc, FW_CFG_PORT, 2, key);
}

static void take(struct fixture *f, void *into, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)into)[i] = fake_pc_inb(&f->pc, FW_CFG_PORT + 1);
}

/* Read a file as SeaBIOS does: find it in the directory, then its bytes. NULL if there is none. */
static uint8_t *file(struct fixture *f, const char *name, size_t *ret_size)
{
    struct fw_cfg_file entry;
    uint32_t count;

    choose(f, FW_CFG_DIRECTORY);
    take(f, &count, sizeof(count));
    for (count = be32toh(count); count; count--) {
        take(f, &entry, sizeof(entry));
        if (strcmp(entry.name, name))
            continue;
        *ret_size = be32toh(entry.size);
        uint8_t *bytes = g_malloc(*ret_size);
        choose(f, be16toh(entry.key));
        take(f, bytes, *ret_size);
        return bytes;
    }
    return NULL;
}

static void test_signature(struct fixture *f, gconstpointer data)
{
    char text[5] = "";
    uint32_t features;

    (void)data;
    choose(f, FW_CFG_SIGNATURE);
    take(f, text, 4);
    g_assert_cmpstr(text, ==, "QEMU");
    choose(f, FW_CFG_FEATURES);
    take(f, &features, 4);
    g_assert_cmphex(features, ==, 3);
    g_assert_cmphex(fake_pc_in(&f->pc, 0x514, 4), ==, 0x554d4551);
    g_assert_cmphex(fake_pc_in(&f->pc, 0x518, 4), ==, 0x47464320);
}

/* Keys that nobody has, and what lies behind an end, read as zeros. */
static void test_absent(struct fixture *f, gconstpointer data)
{
    (void)data;
    choose(f, 0x8003);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0x511), ==, 0);
    choose(f, FW_CFG_SIGNATURE);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmphex(fake_pc_inb(&f->pc, 0x511), !=, 0);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmphex(fake_pc_inb(&f->pc, 0x511), ==, 0);
}

static uint32_t run_dma(struct fixture *f, uint32_t control, uint32_t length, uint64_t address)
{
    struct {
        uint32_t control, length;
        uint64_t address;
    } block = {htobe32(control), htobe32(length), htobe64(address)};

    g_assert_true(gmem_write(&f->gmem, BLOCK, &block, sizeof(block)));
    fake_pc_out(&f->pc, 0x514, 4, 0);
    fake_pc_out(&f->pc, 0x518, 4, htobe32(BLOCK));
    g_assert_true(gmem_read(&f->gmem, BLOCK, &block, sizeof(block)));
    return be32toh(block.control);
}

static void test_dma(struct fixture *f, gconstpointer data)
{
    char text[9];

    (void)data;
    gmem_fill(&f->gmem, INTO, 0xee, 64);
    g_assert_cmphex(run_dma(f, 0x0000000a, 3, INTO), ==, 0); /* select 0, read 3 */
    g_assert_cmphex(run_dma(f, 0x00000002, 5, INTO + 3), ==, 0);
    g_assert_true(gmem_read(&f->gmem, INTO, text, sizeof(text)));
    g_assert_cmpmem(text, 9, "QEMU\0\0\0\0\xee", 9);
    g_assert_cmphex(run_dma(f, 0x0000000c, 2, 0), ==, 0); /* select 0, skip 2 */
    g_assert_cmphex(fake_pc_inb(&f->pc, 0x511), ==, 'M');
}

static void test_attack_dma(struct fixture *f, gconstpointer data)
{
    static const struct {
        uint32_t control, length;
        uint64_t address;
    } bad[] = {
        {0x0a, 4, RAM},
        {0x0a, 4, RAM - 2},
        {0x0a, 4, GMEM_HOLE - 1},
        {0x0a, 4, 0xfffc0000},
        {0x0a, 4, UINT64_MAX},
        {0x0a, UINT32_MAX, 0x10000},
        {0x0a, 64, UINT64_MAX - 8},
        {0x18, 4, INTO},
        {0x0a, 17u << 20, 0x100000},
    };

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmphex(run_dma(f, bad[i].control, bad[i].length, bad[i].address), ==, 1);
    g_assert_cmphex(run_dma(f, 0x0c, UINT32_MAX, 0), ==, 0); /* skipping too far is no error */
    g_assert_cmphex(run_dma(f, 0x02, 16, INTO), ==, 0);
    /* The block itself where there is no RAM: nothing happens. */
    for (unsigned i = 0; i < 3; i++) {
        static const uint64_t where[] = {RAM, RAM - 8, UINT64_MAX - 4};
        fake_pc_out(&f->pc, 0x514, 4, htobe32((uint32_t)(where[i] >> 32)));
        fake_pc_out(&f->pc, 0x518, 4, htobe32((uint32_t)where[i]));
    }
}

static void test_attack_ports(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned key = 0; key <= 0xffff; key++) {
        choose(f, (uint16_t)key);
        fake_pc_inb(&f->pc, 0x511);
    }
    for (unsigned port = FW_CFG_PORT - 3; port < FW_CFG_PORT + 15; port++) {
        for (unsigned size = 1; size <= 4; size *= 2) {
            fake_pc_in(&f->pc, (uint16_t)port, size);
            fake_pc_out(&f->pc, (uint16_t)port, size, 0xffffffff);
        }
    }
}

static void test_files(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    size_t size;

    (void)data;
    g_assert_true(make(f, IMAGE, &error));
    g_autofree struct firmware_e820 *e820 = (void *)file(f, "etc/e820", &size);
    g_assert_cmpuint(size, ==, 2 * sizeof(*e820));
    g_assert_true(e820[0].address == 0 && e820[0].length == RAM && e820[0].type == 1);
    g_assert_true(e820[1].address == 0xfeffb000 && e820[1].length == 0x5000 && e820[1].type == 2);
    g_autofree char *order = (void *)file(f, "bootorder", &size);
    g_assert_cmpstr(order, ==, "/one\n");
    g_autofree uint8_t *anchor = file(f, "etc/smbios/smbios-anchor", &size);
    g_assert_cmpuint(size, ==, 31);
    g_autofree uint8_t *tables = file(f, "etc/smbios/smbios-tables", &size);
    g_assert_cmpuint(size, ==, anchor[22] | anchor[23] << 8);
    g_assert_cmpmem(tables + size - 6, 6, "\x7f\x04\x7f\x00\x00\x00", 6);
    g_assert_null(memmem(tables, size, "Microsoft", 9));
    g_assert_null(file(f, "etc/none", &size));
}

static void test_image(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *low = g_malloc(IMAGE);

    (void)data;
    g_assert_true(make(f, IMAGE, &error));
    g_assert_cmphex(f->firmware.image.gpa, ==, 0xfffe0000);
    g_assert_cmpmem(f->firmware.image.host, IMAGE, f->image, IMAGE);
    g_assert_true(firmware_load(&f->firmware, &f->gmem));
    g_assert_true(gmem_read(&f->gmem, 0xe0000, low, IMAGE));
    g_assert_cmpmem(low, IMAGE, f->image, IMAGE);
}

static void test_bad_images(struct fixture *f, gconstpointer data)
{
    static const size_t sizes[] = {0, 1, 0xffff, 0x10001, 0x50000, 64 << 20};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(make(f, sizes[i], &error));
        g_assert_cmpstr(error->message, ==,
                        "boot.firmware: image: not of 64 to 256 KiB; give SeaBIOS' image (Debian: "
                        "/usr/share/seabios/bios-256k.bin)");
    }
    g_autoptr(GError) error = NULL;
    f->image[IMAGE - 16] = 0;
    g_assert_false(make(f, IMAGE, &error));
    g_assert_nonnull(strstr(error->message, "no PC firmware"));
}

/* --- ACPI: do what the loader does, then look at the result. --- */

struct loaded {
    uint8_t *rsdp, *tables;
    size_t rsdp_size, tables_size;
    uint32_t base; /* where the tables are said to be */
};

static uint8_t *named(struct loaded *loaded, const char *name)
{
    return !strcmp(name, ACPI_PC_RSDP_FILE) ? loaded->rsdp : loaded->tables;
}

static void follow(struct loaded *loaded, const uint8_t *step)
{
    uint32_t command, a, b, c;
    uint8_t *at = named(loaded, (const char *)step + 4), sum = 0;

    memcpy(&command, step, 4);
    if (command == 2) {
        memcpy(&a, step + 116, 4);
        memcpy(&b, at + a, 4);
        g_assert_cmpuint(b, <, loaded->tables_size);
        b += loaded->base;
        memcpy(at + a, &b, 4);
    } else if (command == 3) {
        memcpy(&a, step + 60, 4);
        memcpy(&b, step + 64, 4);
        memcpy(&c, step + 68, 4);
        for (uint32_t i = 0; i < c; i++)
            sum = (uint8_t)(sum + at[b + i]);
        at[a] = (uint8_t)(at[a] - sum);
    }
}

static const struct acpi_header *table(const struct loaded *loaded, uint32_t address,
                                       const char *signature, uint8_t revision)
{
    uint32_t offset = address - loaded->base;

    g_assert_cmpuint(offset, <=, loaded->tables_size - sizeof(struct acpi_header));
    const struct acpi_header *head = (const void *)(loaded->tables + offset);
    g_assert_cmpmem(head->signature, 4, signature, 4);
    g_assert_cmpuint(head->revision, ==, revision);
    g_assert_cmpuint(head->length, <=, loaded->tables_size - offset);
    g_assert_cmpuint(acpi_checksum(head, head->length), ==, 0);
    return head;
}

static void test_acpi(struct fixture *f, gconstpointer data)
{
    struct loaded loaded = {.base = 0x7fe0000};
    size_t size;

    (void)data;
    g_assert_true(make(f, IMAGE, NULL));
    g_autofree uint8_t *script = file(f, ACPI_PC_LOADER_FILE, &size);
    g_autofree uint8_t *rsdp = loaded.rsdp = file(f, ACPI_PC_RSDP_FILE, &loaded.rsdp_size);
    g_autofree uint8_t *tables = loaded.tables = file(f, ACPI_PC_TABLES_FILE, &loaded.tables_size);
    g_assert_cmpuint(size % 128, ==, 0);
    for (size_t at = 0; at < size; at += 128)
        follow(&loaded, script + at);
    g_assert_cmpuint(loaded.rsdp_size, ==, 20);
    g_assert_cmpuint(acpi_checksum(rsdp, 20), ==, 0);
    g_assert_cmpuint(rsdp[15], ==, 0); /* revision: ACPI 1.0 */
    uint32_t root, entry[2], fadt_pointers[2];
    memcpy(&root, rsdp + 16, 4);
    const struct acpi_header *rsdt = table(&loaded, root, "RSDT", 1);
    memcpy(entry, rsdt + 1, sizeof(entry));
    const struct acpi_header *fadt = table(&loaded, entry[0], "FACP", 2);
    g_assert_cmpuint(fadt->length, ==, 129);
    memcpy(fadt_pointers, fadt + 1, sizeof(fadt_pointers));
    g_assert_cmpuint(fadt_pointers[0] % 64, ==, 0);
    g_assert_cmpmem(tables + fadt_pointers[0] - loaded.base, 4, "FACS", 4);
    table(&loaded, fadt_pointers[1], "DSDT", 1);
    const struct acpi_header *madt = table(&loaded, entry[1], "APIC", 1);
    g_assert_cmpuint(madt->length, ==, 44 + 2 * 8 + 12 + 4 * 10 + 6);
}

/* The DSDT as iasl reads it, if it is there. */
static void test_dsdt(struct fixture *f, gconstpointer data)
{
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *folder = g_dir_make_tmp("dsdt-XXXXXX", NULL);
    g_autofree char *aml = g_build_filename(folder, "dsdt.aml", NULL);
    g_autofree char *dsl = g_build_filename(folder, "dsdt.dsl", NULL);
    g_autofree char *command = g_strdup_printf("iasl -d %s", aml);
    g_autofree char *text = NULL, *out = NULL, *err = NULL;
    struct acpi_header head;
    int status;

    (void)data;
    if (!iasl) {
        g_test_skip("iasl is not installed");
        return;
    }
    g_assert_true(make(f, IMAGE, NULL));
    memcpy(&head, f->firmware.acpi.tables + 64, sizeof(head));
    g_assert_true(
        g_file_set_contents(aml, (char *)f->firmware.acpi.tables + 64, head.length, NULL));
    g_assert_true(g_spawn_command_line_sync(command, &out, &err, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_true(g_file_get_contents(dsl, &text, NULL, NULL));
    static const char *const wanted[] = {"Processor (P001, 0x02, 0x00000000, 0x00)",
                                         "PNP0A03",
                                         "PNP0303",
                                         "\"VMBus\"",
                                         "Name (PRTP, Package (0x7C)",
                                         "Name (PRTA, Package (0x7C)",
                                         "OperationRegion (PIRC, PCI_Config, 0x60, 0x04)",
                                         "Field (PCI0.SBRG.PIRC, ByteAcc, NoLock, Preserve)",
                                         "Method (_PIC, 1,",
                                         "CreateWordField (Arg0, One, MASK)",
                                         "0x80000000,         // Range Minimum"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_nonnull(strstr(text, wanted[i]));
    unlink(aml);
    unlink(dsl);
    rmdir(folder);
}

/* --- Debug port --- */

struct lines {
    unsigned count;
    char last[128];
};

static void line(const char *text, void *context)
{
    struct lines *lines = context;

    lines->count++;
    g_strlcpy(lines->last, text, sizeof(lines->last));
}

static void test_debug_port(struct fixture *f, gconstpointer data)
{
    struct debug_port port = {.length = 0};
    struct lines lines = {.count = 0};

    (void)data;
    g_assert_cmpint(debug_port_init(&port, &f->pc.pio, line, &lines), ==, 0);
    g_assert_cmphex(fake_pc_inb(&f->pc, DEBUG_PORT), ==, 0xe9);
    for (const char *c = "a\x1b"
                         "b\r\n";
         *c; c++)
        fake_pc_outb(&f->pc, DEBUG_PORT, (uint8_t)*c);
    g_assert_cmpstr(lines.last, ==, "a.b");
    /* A flood, with and without ends of lines. */
    for (unsigned i = 0; i < 200000; i++)
        fake_pc_outb(&f->pc, DEBUG_PORT, i % 3 ? 'x' : '\n');
    for (unsigned i = 0; i < 200000; i++)
        fake_pc_outb(&f->pc, DEBUG_PORT, 'x');
    g_assert_cmpuint(lines.count, <=, 3 * DEBUG_PORT_LINES); /* the clock's minute may turn */
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/fw-cfg/signature", test_signature);
    add("/fw-cfg/absent", test_absent);
    add("/fw-cfg/dma", test_dma);
    add("/fw-cfg/attack/dma", test_attack_dma);
    add("/fw-cfg/attack/ports", test_attack_ports);
    add("/firmware/files", test_files);
    add("/firmware/image", test_image);
    add("/firmware/bad-images", test_bad_images);
    add("/firmware/acpi", test_acpi);
    add("/firmware/dsdt", test_dsdt);
    add("/debug-port/lines", test_debug_port);
    return g_test_run();
}
