/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generation-1 PC's registers: PCI configuration and windows, fw_cfg, keyboard controller,
 * debug port. Six bytes an access: what, port, value. Bounds are checked after each.
 */
#include <stdlib.h>

#include "src/pc/chipset.h"
#include "src/pc/debug_port.h"
#include "src/pc/fw_cfg.h"
#include "src/pc/i8042.h"
#include "tests/fuzz/script.h"
#include "tests/unit/fake_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM 0x8000u

struct devices {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct chipset chipset;
    struct pci_function device;
    struct fw_cfg fw_cfg;
    struct i8042 i8042;
    struct debug_port debug;
};

static _Alignas(4096) uint8_t ram[RAM];

static void check(bool good)
{
    if (!good)
        abort();
}

static void drop_line(const char *text, void *context)
{
    (void)context;
    check(strlen(text) <= DEBUG_PORT_LINE);
}

static void step(struct devices *devices, struct script *script)
{
    static const uint16_t bases[] = {0xcf8, 0xcfc, 0x510, 0x60, 0x64, 0x402, 0x92, 0xc000};
    uint8_t what = script_next(script), where = script_next(script);
    uint16_t port = (uint16_t)(bases[what >> 2 & 7] + where % 16 - 2);
    unsigned width = 1u << (what >> 5) % 3;
    uint32_t value = 0;

    script_take(script, &value, sizeof(value));
    if (what % 4 == 0)
        fake_pc_in(&devices->pc, port, width);
    else if (what % 4 == 1)
        mmio_read(&devices->mmio, value, width);
    else if (what % 4 == 2 && where == 255)
        pci_reset(&devices->pci);
    else if (what % 4 == 2 && where % 3 == 0)
        i8042_key(&devices->i8042, (const uint8_t *)&value, where % 5);
    else if (what % 4 == 2 && where % 3 == 1)
        i8042_move(&devices->i8042, (int8_t)value, (int8_t)(value >> 8), (int8_t)(value >> 16),
                   (uint8_t)(value >> 24));
    else
        fake_pc_out(&devices->pc, port, width, value);
    check(devices->pc.pio.regions <= PIO_REGIONS && devices->mmio.regions <= MMIO_REGIONS);
    check(devices->i8042.keyboard.count <= PS2_QUEUE && devices->i8042.mouse.count <= PS2_QUEUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct devices devices;
    struct script script = {data, size};

    memset(&devices, 0, sizeof(devices));
    fake_pc_init(&devices.pc);
    struct pio *pio = &devices.pc.pio;
    const struct pc_host *host = &devices.pc.host;
    devices.device.devfn = PCI_DEVFN(3, 0);
    devices.device.bar[0] =
        (struct pci_bar){.size = 16, .io = true, .ports.context = &devices.device};
    devices.device.bar[1] = (struct pci_bar){.size = 4096, .memory.context = &devices.device};
    check(!gmem_add(&devices.gmem, 0, RAM, ram) &&
          !reset_ports_init_port92(&devices.ports, host, pio) &&
          !pci_init(&devices.pci, host, pio, &devices.mmio, &devices.ports) &&
          !chipset_init(&devices.chipset, host, &devices.pci) &&
          !pci_add(&devices.pci, &devices.device) &&
          !fw_cfg_init(&devices.fw_cfg, &devices.gmem, pio) &&
          !i8042_init(&devices.i8042, host, pio) &&
          !debug_port_init(&devices.debug, pio, drop_line, NULL));
    while (script.size)
        step(&devices, &script);
    fake_pc_fini(&devices.pc);
    return 0;
}
