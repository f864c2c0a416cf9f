/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE controller: task file, bus master, descriptor tables in RAM, packets. Six bytes a step:
 * what, where, value. The disk answers at once or is held for a while; the lane turns now and then.
 */
#include <stdlib.h>

#include "src/pc/ide.h"
#include "tests/fuzz/script.h"
#include "tests/unit/fake_pc.h"
#include "tests/unit/memory_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM 0x4000u
#define BM  0xc000u

struct devices {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct ide ide;
};

static _Alignas(4096) uint8_t ram[RAM];

static void check(bool good)
{
    if (!good)
        abort();
}

static void turn(struct devices *devices)
{
    while (lane_turn(devices->pc.host.lane, 0))
        ;
}

static void drained(void *context)
{
    (void)context;
}

/* A packet, written whole: 12 bytes of the script. */
static void packet(struct devices *devices, struct script *script, uint16_t base)
{
    uint8_t cdb[12] = {0};

    script_take(script, cdb, sizeof(cdb));
    fake_pc_outb(&devices->pc, base + 7, 0xa0);
    for (unsigned i = 0; i < sizeof(cdb); i++)
        fake_pc_outb(&devices->pc, base, cdb[i]);
}

static void step(struct devices *devices, struct script *script, struct memory_disk *disk)
{
    static const uint16_t bases[] = {0x1f0, 0x170, 0x3f6, 0x376, BM, BM + 8, 0x1f0, 0x170};
    uint8_t what = script_next(script), where = script_next(script);
    uint16_t port = (uint16_t)(bases[what >> 2 & 7] + where % 8);
    unsigned width = 1u << (what >> 5) % 3;
    uint32_t value = 0;

    script_take(script, &value, sizeof(value));
    switch (what % 4) {
    case 0:
        for (unsigned i = 0; i <= value % 300; i++)
            fake_pc_in(&devices->pc, port, width);
        break;
    case 1:
        for (unsigned i = 0; i <= (where & 0x80 ? value >> 8 & 0xff : 0); i++)
            fake_pc_out(&devices->pc, port, width, value);
        break;
    case 2:
        gmem_write(&devices->gmem, value % RAM & ~3u, script->data, script->size < 8 ? 0 : 8);
        break;
    default:
        if (where < 32)
            packet(devices, script, where & 1 ? 0x1f0 : 0x170);
        else if (where < 40)
            ide_reset(&devices->ide);
        else if (where < 42)
            ide_drain(&devices->ide, drained, devices);
        else if (where < 80)
            disk->hold = value & 1;
        else if (where < 120)
            memory_disk_release(disk, 1);
        turn(devices);
    }
}

static void check_channels(const struct ide *ide)
{
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        const struct ide_channel *channel = &ide->channel[i];
        check(channel->at <= channel->block_end && channel->block_end <= IDE_BUFFER);
        check(channel->drive[channel->active].present || channel->phase == IDE_IDLE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct devices devices;
    struct script script = {data, size};
    struct memory_disk *disk = memory_disk_new(512 * 512, false, false);
    struct memory_disk *disc = memory_disk_new(2048 * 128, true, false);
    struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES] = {
        {{.present = true, .disk = &disk->disk}},
        {{.present = true, .cd = true}, {.present = true, .cd = true, .disk = &disc->disk}}};

    memset(&devices, 0, sizeof(devices));
    fake_pc_init(&devices.pc);
    struct pio *pio = &devices.pc.pio;
    const struct pc_host *host = &devices.pc.host;
    check(!gmem_add(&devices.gmem, 0, RAM, ram) &&
          !reset_ports_init_port92(&devices.ports, host, pio) &&
          !pci_init(&devices.pci, host, pio, &devices.mmio, &devices.ports) &&
          !ide_init(&devices.ide, host, pio, &devices.pci, &devices.gmem, host->lane, drive));
    fake_pc_out(&devices.pc, 0xcf8, 4, 0x80000920);
    fake_pc_out(&devices.pc, 0xcfc, 4, BM);
    fake_pc_out(&devices.pc, 0xcf8, 4, 0x80000904);
    fake_pc_out(&devices.pc, 0xcfc, 2, 5);
    while (script.size) {
        step(&devices, &script, disk);
        check_channels(&devices.ide);
    }
    disk->hold = false;
    while (memory_disk_release(disk, 1))
        turn(&devices);
    turn(&devices);
    lane_end(host->lane);
    memory_disk_release(disk, UINT32_MAX);
    ide_fini(&devices.ide);
    memory_disk_free(disk);
    memory_disk_free(disc);
    fake_pc_fini(&devices.pc);
    return 0;
}
