/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generation-1 PC: see machine_gen1.h.
 */
#include "src/worker/machine_gen1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/log.h"
#include "src/worker/machine_priv.h"

#define GEN1_ERROR (g_quark_from_static_string("machine-gen1"))

/* CMOS RAM, as a PC's firmware and ntdetect look for it. */
enum {
    CMOS_EQUIPMENT = 0x14, /* FPU and mouse */
    CMOS_BASE = 0x15,      /* KiB below 1 MiB */
    CMOS_EXTENDED = 0x17,  /* KiB above 1 MiB, up to 64 MiB less 1 KiB; again at 0x30 */
    CMOS_EXTENDED_2 = 0x30,
    CMOS_ABOVE_16M = 0x34,   /* 64 KiB units */
    CMOS_TRANSLATION = 0x39, /* of IDE disks, two bits each: 1 is LBA */
    CMOS_BOOT = 0x3d,        /* first in the low nibble, second in the high: 2 disk, 3 CD */
    CMOS_PROCESSORS = 0x5f   /* less 1 */
};

static bool gen1_error(GError **error, const char *what, int reason)
{
    g_set_error(error, GEN1_ERROR, reason, "%s: %s", what, g_strerror(reason));
    return false;
}

static void gen1_line(const char *text, void *context)
{
    (void)context;
    log_info("firmware: %s", text);
}

static void gen1_cmos16(struct machine *machine, uint8_t index, uint64_t value)
{
    uint16_t cut = (uint16_t)MIN(value, UINT16_MAX);
    rtc_set_cmos(&machine->rtc, index, (uint8_t)cut);
    rtc_set_cmos(&machine->rtc, index + 1, (uint8_t)(cut >> 8));
}

static void gen1_cmos(struct machine *machine)
{
    uint64_t low = MIN(machine->config->memory, GMEM_LOW_END), mib = 1 << 20;
    rtc_set_cmos(&machine->rtc, CMOS_EQUIPMENT, 0x06);
    gen1_cmos16(machine, CMOS_BASE, 640);
    gen1_cmos16(machine, CMOS_EXTENDED, (low - mib) >> 10);
    gen1_cmos16(machine, CMOS_EXTENDED_2, (low - mib) >> 10);
    gen1_cmos16(machine, CMOS_ABOVE_16M, low > 16 * mib ? (low - 16 * mib) >> 16 : 0);
    gen1_cmos16(machine, CMOS_TRANSLATION, 0x5555);
    rtc_set_cmos(&machine->rtc, CMOS_BOOT, 0x32);
    rtc_set_cmos(&machine->rtc, CMOS_PROCESSORS, (uint8_t)(machine->config->vcpus - 1));
}

static int gen1_devices(struct machine *machine)
{
    struct machine_gen1 *gen1 = machine->gen1;
    struct pio *pio = &machine->pio;
    const struct pc_host *host = &machine->pc_host;
    int result = pci_init(&gen1->pci, host, pio, &gen1->mmio, &machine->reset_ports);
    if (result == 0)
        result = chipset_init(&gen1->chipset, host, &gen1->pci);
    if (result == 0)
        result = uart_init(&gen1->com2, host, pio, UART_COM2, UART_COM2_IRQ);
    if (result == 0)
        result = i8042_init(&gen1->i8042, host, pio);
    if (result == 0 && config_has_generation(machine->config))
        result =
            generation_init(&gen1->generation, host, &machine->pm, &machine->config->generation);
    typist_init(&gen1->typist, &gen1->i8042, host);
    if (result == 0 && machine->config->firmware_log)
        result = debug_port_init(&gen1->debug_port, pio, gen1_line, NULL);
    if (result == 0)
        result = fw_cfg_init(&gen1->fw_cfg, &machine->gmem, pio);
    return result;
}

/* What a drive is called where nobody has said it: the same for as long as the machine's uuid. */
static void gen1_serial(const struct config *config, const struct config_lun *from, char serial[37])
{
    char uuid[GUID_TEXT_SIZE];
    if (from->serial) {
        g_strlcpy(serial, from->serial, 37);
        return;
    }
    guid_format(&config->uuid, uuid);
    g_snprintf(serial, 37, "%.18s%02u", uuid, from->lun);
}

static bool gen1_ide(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    struct machine_gen1 *gen1 = machine->gen1;
    struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES] = {{{.present = false}}};
    for (unsigned i = 0; i < config->ides; i++) {
        const struct config_lun *from = &config->ide[i];
        struct ide_drive_params *to = &drive[from->lun / IDE_DRIVES][from->lun % IDE_DRIVES];
        to->present = true;
        to->cd = from->type == CONFIG_DVD;
        gen1_serial(config, from, to->serial);
        if (!from->path)
            continue;
        struct disk_params params = {.path = from->path,
                                     .fd = -1,
                                     .readonly = from->readonly || to->cd,
                                     .direct = from->direct,
                                     .discard = from->discard,
                                     .shared = from->shared};
        to->disk = gen1->disk[from->lun] = disk_open(&disk_raw_class, &params, error);
        if (!to->disk)
            return false;
        to->disk->ordered = !to->cd && config->ide_twins;
    }
    int result = ide_init(&gen1->ide, &machine->pc_host, &machine->pio, &gen1->pci, &machine->gmem,
                          machine->io_lanes ? machine->io_lane[0] : machine->lane, drive);
    return result == 0 || gen1_error(error, "IDE", -result);
}

/* The functions of one slot, in the order of the description. */
static bool gen1_nics(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    struct machine_gen1 *gen1 = machine->gen1;
    struct tulip_params params = {.lane = machine->io_lanes ? machine->io_lane[0] : machine->lane};
    for (unsigned i = 0; i < config->nics; i++)
        params.count += config->nic[i].legacy;
    for (unsigned i = 0; i < config->nics; i++) {
        if (!config->nic[i].legacy)
            continue;
        memcpy(params.mac, config->nic[i].mac, sizeof(params.mac));
        params.fixed = config->nic[i].fixed;
        gen1->nic[i] =
            tulip_new(&params, &machine->pc_host, &gen1->pci, &gen1->chipset, &machine->gmem);
        if (!gen1->nic[i])
            return gen1_error(error, "legacy network adapter", errno);
        params.index++;
    }
    return true;
}

static bool gen1_twin(struct machine *machine, const struct config_lun *from, GError **error)
{
    struct machine_gen1 *gen1 = machine->gen1;
    g_autofree struct storvsp_config *to = g_new0(struct storvsp_config, 1);
    to->ide = true;
    to->ide_channel = (uint8_t)(from->lun / IDE_DRIVES);
    to->ide_drive = (uint8_t)(from->lun % IDE_DRIVES);
    to->lanes = 1;
    to->lane[0] = gen1->ide.lane;
    to->lun[0] = (struct storvsp_lun){.present = true, .disk = gen1->disk[from->lun]};
    gen1_serial(machine->config, from, to->lun[0].serial);
    struct storvsp *twin = gen1->twin[from->lun] = storvsp_new(to);
    if (!twin)
        return gen1_error(error, "IDE disk on the VMBus", errno);
    int result = vmbus_bus_add(machine->bus, storvsp_vsp(twin));
    return result == 0 || gen1_error(error, "IDE disk on the VMBus", -result);
}

bool machine_gen1_offer(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    for (unsigned i = 0; config->ide_twins && i < config->ides; i++) {
        if (config->ide[i].type == CONFIG_DISK && !gen1_twin(machine, &config->ide[i], error))
            return false;
    }
    return true;
}

static void gen1_disc_changed(void *context, struct disk *old)
{
    struct machine_gen1 *gen1 = context;
    disk_close(old);
    gen1->disk[gen1->disc_unit] = gen1->disc;
    gen1->disc = NULL;
    void (*done)(void *context) = gen1->disc_done;
    gen1->disc_done = NULL;
    done(gen1->disc_context);
}

bool machine_change_media(struct machine *machine, unsigned unit, int fd,
                          void (*done)(void *context), void *context, GError **error)
{
    struct machine_gen1 *gen1 = machine->gen1;
    const struct disk_params params = {.path = "disc", .fd = fd, .readonly = true};
    if (!gen1 || gen1->disc_done) {
        if (fd >= 0)
            close(fd);
        g_set_error(error, GEN1_ERROR, EBUSY,
                    gen1 ? "the last change is still under way; try again"
                         : "this machine has no IDE drives; only one with boot.firmware has");
        return false;
    }
    struct disk *disc = fd >= 0 ? disk_open(&disk_disc_class, &params, error) : NULL;
    if (fd >= 0 && !disc)
        return false;
    int result = ide_change_disc(&gen1->ide, unit, disc, gen1_disc_changed, gen1);
    if (result == 0) { /* told on this lane, so not before we have returned */
        gen1->disc = disc;
        gen1->disc_unit = unit;
        gen1->disc_done = done;
        gen1->disc_context = context;
        return true;
    }
    disk_close(disc);
    if (result != -ENODEV)
        return gen1_error(error, "disc", -result);
    g_set_error(error, GEN1_ERROR, ENODEV,
                "IDE unit %u is no drive for discs; give one whose type is dvd", unit);
    return false;
}

bool machine_generation(const struct machine *machine, struct guid *ret_id)
{
    const struct generation *generation = machine->gen1 ? &machine->gen1->generation : NULL;
    if (!generation || !generation->page)
        return false;
    *ret_id = *generation->page;
    return true;
}

bool machine_set_generation(struct machine *machine, const struct guid *id)
{
    struct guid before;
    if (!machine_generation(machine, &before))
        return false;
    pthread_mutex_lock(&machine->pc_lock);
    generation_set(&machine->gen1->generation, id);
    pthread_mutex_unlock(&machine->pc_lock);
    return true;
}

/* SeaBIOS' names of the drives, in the order of the description. */
static char *gen1_boot_order(const struct config *config)
{
    GString *order = g_string_new(NULL);
    for (unsigned i = 0; i < config->ides; i++)
        g_string_append_printf(order, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u\n",
                               config->ide[i].lun / IDE_DRIVES, config->ide[i].lun % IDE_DRIVES);
    return g_string_free(order, FALSE);
}

static bool gen1_vga(struct machine *machine, GError **error)
{
    struct machine_gen1 *gen1 = machine->gen1;
    const char *path = machine->config->vga_rom;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, GEN1_ERROR, errno,
                    "boot.vga_rom: %s: %s; give the path of a VGA BIOS (Debian: package seabios)",
                    path, g_strerror(errno));
        return false;
    }
    bool good = vga_init(&gen1->vga, &machine->pc_host, &gen1->pci, fd, path, error);
    close(fd);
    if (!good)
        return false;
    gen1->screen = screen_new(&gen1->vga);
    return gen1->screen || gen1_error(error, "screen", errno);
}

static bool gen1_firmware(struct machine *machine, GError **error)
{
    const struct config *config = machine->config;
    uint32_t apic_id[LIMIT_VCPUS];
    g_autofree char *boot_order = gen1_boot_order(config);
    struct firmware_params params = {.path = config->firmware,
                                     .vcpus = config->vcpus,
                                     .apic_id = apic_id,
                                     .name = config->name,
                                     .uuid = &config->uuid,
                                     .generation = config_has_generation(config),
                                     .twins = config->ide_twins,
                                     .boot_order = boot_order};
    for (unsigned i = 0; i < config->vcpus; i++)
        apic_id[i] = cpuid_apic_id(&machine->vm.topology, i);
    params.fd = open(config->firmware, O_RDONLY | O_CLOEXEC);
    if (params.fd < 0) {
        g_set_error(error, GEN1_ERROR, errno,
                    "boot.firmware: %s: %s; give the path of SeaBIOS' image (Debian: package "
                    "seabios)",
                    config->firmware, g_strerror(errno));
        return false;
    }
    struct machine_gen1 *gen1 = machine->gen1;
    bool good = firmware_init(&gen1->firmware, &params, &machine->gmem, &gen1->fw_cfg, error);
    close(params.fd);
    return good;
}

bool machine_gen1_new(struct machine *machine, GError **error)
{
    machine->gen1 = calloc(1, sizeof(*machine->gen1));
    if (!machine->gen1)
        return gen1_error(error, "PC", ENOMEM);
    int result = gen1_devices(machine);
    if (result < 0)
        return gen1_error(error, "PC devices", -result);
    if (!gen1_vga(machine, error) || !gen1_ide(machine, error) || !gen1_nics(machine, error) ||
        !gen1_firmware(machine, error))
        return false;
    gen1_cmos(machine);
    machine->vm.rom = machine->gen1->firmware.image;
    machine->vm.coalesced.gpa = VGA_WINDOW;
    machine->vm.coalesced.size = VGA_WINDOW_SIZE;
    return true;
}

void machine_gen1_reset(struct machine_gen1 *gen1)
{
    pci_reset(&gen1->pci);
    chipset_reset(&gen1->chipset);
    uart_reset(&gen1->com2);
    i8042_reset(&gen1->i8042);
    vga_reset(&gen1->vga);
    ide_reset(&gen1->ide);
    for (unsigned i = 0; i < LIMIT_NICS; i++)
        if (gen1->nic[i])
            tulip_reset(gen1->nic[i]);
    fw_cfg_reset(&gen1->fw_cfg);
}

bool machine_gen1_load(struct machine *machine, GError **error)
{
    struct machine_gen1 *gen1 = machine->gen1;
    int result = 0;
    if (!firmware_load(&gen1->firmware, &machine->gmem))
        return gen1_error(error, "firmware", EFAULT);
    pthread_mutex_lock(&machine->pc_lock);
    if (gen1->generation.page)
        result = generation_map(&gen1->generation);
    pthread_mutex_unlock(&machine->pc_lock);
    return result == 0 || gen1_error(error, "generation counter", -result);
}

void machine_gen1_close(struct machine_gen1 *gen1)
{
    if (!gen1)
        return;
    for (unsigned i = 0; i < LIMIT_NICS; i++)
        tulip_free(gen1->nic[i]);
    typist_fini(&gen1->typist);
    ide_fini(&gen1->ide);
    for (unsigned i = 0; i < G_N_ELEMENTS(gen1->twin); i++)
        storvsp_free(gen1->twin[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(gen1->disk); i++)
        disk_close(gen1->disk[i]);
    disk_close(gen1->disc);
}

void machine_gen1_free(struct machine_gen1 *gen1)
{
    if (!gen1)
        return;
    console_free(gen1->console_2);
    generation_fini(&gen1->generation);
    firmware_free(&gen1->firmware);
    screen_free(gen1->screen);
    vga_fini(&gen1->vga);
    free(gen1);
}
