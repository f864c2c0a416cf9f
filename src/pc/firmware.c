/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware: see firmware.h. Facts: what SeaBIOS 1.16 looks for in fw_cfg.
 */
#include "src/pc/firmware.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/limits.h"

#define TOP          0x100000000ull
#define SHADOW_END   0x100000u
#define SMALLEST     0x10000u /* 64 KiB */
#define RESET_VECTOR 16u      /* bytes before the end */
#define FAR_JUMP     0xeau

#define E820_RAM      1u
#define E820_RESERVED 2u
#define RESERVED_END  0xff000000u /* of the generation counter's page and KVM's */

G_DEFINE_QUARK(vmbusd - firmware, firmware_error)

static bool fail(GError **error, const char *path, const char *what)
{
    g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_FORMAT,
                "boot.firmware: %s: %s; give SeaBIOS' image (Debian: "
                "/usr/share/seabios/bios-256k.bin)",
                path, what);
    return false;
}

static bool read_image(struct firmware *firmware, const struct firmware_params *params,
                       GError **error)
{
    struct stat stat;

    if (fstat(params->fd, &stat) < 0 || !S_ISREG(stat.st_mode))
        return fail(error, params->path, "not a file");
    uint64_t size = (uint64_t)stat.st_size;
    if (size < SMALLEST || size > LIMIT_FIRMWARE || size % SMALLEST)
        return fail(error, params->path, "not of 64 to 256 KiB");
    uint8_t *image = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (image == MAP_FAILED)
        return fail(error, params->path, g_strerror(errno));
    firmware->image = (struct gmem_slot){.gpa = TOP - size, .size = size, .host = image};
    if (pread(params->fd, image, size, 0) != (ssize_t)size) {
        g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_READ,
                    "boot.firmware: %s: cannot be read whole", params->path);
        return false;
    }
    if (image[size - RESET_VECTOR] != FAR_JUMP)
        return fail(error, params->path, "no PC firmware (there is no jump at its end)");
    return true;
}

static unsigned build_e820(struct firmware *firmware, const struct gmem *gmem)
{
    unsigned count = 0;

    for (unsigned i = 0; i < gmem->slots; i++)
        firmware->ram_size += gmem->slot[i].size;
    /* What lies between RAM and RAM below 1 MiB SeaBIOS knows by itself. */
    for (unsigned i = 0; i < gmem->slots; i++) {
        const struct gmem_slot *slot = &gmem->slot[i];
        uint64_t end = slot->gpa + slot->size;
        if (slot->gpa < SHADOW_END && end > SHADOW_END)
            firmware->e820[count++] = (struct firmware_e820){0, end, E820_RAM};
        else if (slot->gpa >= SHADOW_END)
            firmware->e820[count++] = (struct firmware_e820){slot->gpa, slot->size, E820_RAM};
    }
    firmware->e820[count++] =
        (struct firmware_e820){GMEM_GENERATION, RESERVED_END - GMEM_GENERATION, E820_RESERVED};
    return count;
}

/* RAM below 4 GiB: its end. */
static uint32_t low_memory(const struct gmem *gmem)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < gmem->slots; i++)
        if (gmem->slot[i].gpa < GMEM_LOW_END)
            end = gmem->slot[i].gpa + gmem->slot[i].size;
    return (uint32_t)end;
}

static int add_numbers(struct firmware *firmware, const struct firmware_params *params,
                       struct fw_cfg *fw_cfg)
{
    static const uint8_t one[] = {1};
    static const uint8_t none[2];

    firmware->cpus = (uint16_t)params->vcpus;
    memcpy(firmware->uuid, params->uuid->b, sizeof(firmware->uuid));
    const struct {
        uint16_t key;
        const void *data;
        size_t size;
    } items[] = {{FW_CFG_UUID, firmware->uuid, sizeof(firmware->uuid)},
                 {FW_CFG_RAM_SIZE, &firmware->ram_size, sizeof(firmware->ram_size)},
                 {FW_CFG_NOGRAPHIC, none, sizeof(none)},
                 {FW_CFG_CPUS, &firmware->cpus, sizeof(firmware->cpus)},
                 {FW_CFG_MAX_CPUS, &firmware->cpus, sizeof(firmware->cpus)},
                 {FW_CFG_IRQ0_OVERRIDE, one, sizeof(one)}};
    int error = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(items) && !error; i++)
        error = fw_cfg_add(fw_cfg, items[i].key, items[i].data, items[i].size);
    return error;
}

static int add_files(struct firmware *firmware, struct fw_cfg *fw_cfg, unsigned ranges)
{
    const struct {
        const char *name;
        const void *data;
        size_t size;
    } files[] = {
        {"etc/e820", firmware->e820, ranges * sizeof(firmware->e820[0])},
        {ACPI_PC_LOADER_FILE, firmware->acpi.loader, firmware->acpi.loader_size},
        {ACPI_PC_RSDP_FILE, firmware->acpi.rsdp, sizeof(firmware->acpi.rsdp)},
        {ACPI_PC_TABLES_FILE, firmware->acpi.tables, firmware->acpi.tables_size},
        {SMBIOS_ANCHOR_FILE, firmware->smbios.anchor, sizeof(firmware->smbios.anchor)},
        {SMBIOS_TABLES_FILE, firmware->smbios.tables, firmware->smbios.tables_size},
        {"etc/boot-fail-wait", &firmware->fail_wait, sizeof(firmware->fail_wait)},
    };
    int error = 0;

    if (*firmware->boot_order)
        error = fw_cfg_add_file(fw_cfg, "bootorder", firmware->boot_order,
                                strlen(firmware->boot_order) + 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(files) && !error; i++)
        error = fw_cfg_add_file(fw_cfg, files[i].name, files[i].data, files[i].size);
    return error;
}

bool firmware_init(struct firmware *firmware, const struct firmware_params *params,
                   const struct gmem *gmem, struct fw_cfg *fw_cfg, GError **error)
{
    const struct acpi_pc_params acpi = {.vcpus = params->vcpus,
                                        .apic_id = params->apic_id,
                                        .generation = params->generation,
                                        .low_memory = low_memory(gmem)};

    if (!read_image(firmware, params, error))
        return false;
    firmware->fail_wait = UINT32_MAX; /* a machine with nothing to boot stays and says so */
    g_strlcpy(firmware->boot_order, params->boot_order, sizeof(firmware->boot_order));
    int result = acpi_pc_build(&firmware->acpi, &acpi);
    unsigned ranges = build_e820(firmware, gmem);
    smbios_build(&firmware->smbios, params->name, params->uuid, params->twins, firmware->ram_size);
    if (!result)
        result = add_numbers(firmware, params, fw_cfg);
    if (!result)
        result = add_files(firmware, fw_cfg, ranges);
    if (!result)
        return true;
    g_set_error(error, FIRMWARE_ERROR, FIRMWARE_ERROR_READ, "boot.firmware: tables: %s",
                g_strerror(-result));
    return false;
}

bool firmware_load(const struct firmware *firmware, struct gmem *gmem)
{
    return gmem_write(gmem, SHADOW_END - firmware->image.size, firmware->image.host,
                      firmware->image.size);
}

void firmware_free(struct firmware *firmware)
{
    if (firmware->image.host)
        munmap(firmware->image.host, firmware->image.size);
    firmware->image = (struct gmem_slot){0};
}
