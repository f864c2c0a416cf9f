/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's reset ports: see reset.h. Facts: Intel 290550 (PIIX3) for 0xCF9 and 0x92; the keyboard
 * controller's commands F0 to FF pulse its output lines, of which bit 0 is the reset line.
 *
 * 0xCF9 lies inside the dword of the PCI address register and answers to byte accesses only: a
 * kernel that probes for PCI writes dwords there that would look like a reset. So all four ports
 * are ours; without PCI the rest of them is empty.
 */
#include "src/pc/reset.h"

#include <stdbool.h>

#define CF8_OFFSET_CONTROL 1
#define CONTROL_CPU        0x04u /* going from 0 to 1 resets */
#define CONTROL_WRITABLE   0x06u
#define PORT92_RESET       0x01u /* going from 0 to 1 resets */
#define PORT92_A20         0x02u /* kept; A20 is always open */

static void reset(struct reset_ports *ports, const char *source)
{
    ports->host->reset(ports->host->context, source);
}

uint8_t reset_control_read(const struct reset_ports *ports)
{
    return ports->control;
}

void reset_control_write(struct reset_ports *ports, uint8_t value)
{
    bool rising = value & ~(unsigned)ports->control & CONTROL_CPU;
    ports->control = value & CONTROL_WRITABLE;
    if (rising)
        reset(ports, "port 0xCF9");
}

static uint32_t control_read(void *context, uint16_t offset, unsigned size)
{
    return offset == CF8_OFFSET_CONTROL && size == 1 ? reset_control_read(context) : UINT32_MAX;
}

static void control_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    if (offset == CF8_OFFSET_CONTROL && size == 1)
        reset_control_write(context, (uint8_t)value);
}

static uint32_t port92_read(void *context, uint16_t offset, unsigned size)
{
    const struct reset_ports *ports = context;

    (void)offset, (void)size;
    return ports->port92;
}

static void port92_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct reset_ports *ports = context;
    bool rising = value & ~(uint32_t)ports->port92 & PORT92_RESET;

    (void)offset, (void)size;
    ports->port92 = value & (PORT92_RESET | PORT92_A20);
    if (rising)
        reset(ports, "port 0x92");
}

/* Reads find nothing (all ones), which tells a probe that there is no controller. */
static void command_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    (void)offset, (void)size;
    if ((value & 0xf1) == 0xf0)
        reset(context, "keyboard controller");
}

int reset_ports_init_port92(struct reset_ports *ports, const struct pc_host *host, struct pio *pio)
{
    const struct pio_region port92 = {
        .base = 0x92, .count = 1, .read = port92_read, .write = port92_write, .context = ports};

    ports->host = host;
    reset_ports_reset(ports);
    return pio_add(pio, &port92);
}

int reset_ports_init(struct reset_ports *ports, const struct pc_host *host, struct pio *pio)
{
    const struct pio_region command = {
        .base = 0x64, .count = 1, .write = command_write, .context = ports};
    const struct pio_region control = {
        .base = 0xcf8, .count = 4, .read = control_read, .write = control_write, .context = ports};
    int error = reset_ports_init_port92(ports, host, pio);

    if (!error)
        error = pio_add(pio, &command);
    return error ? error : pio_add(pio, &control);
}

void reset_ports_reset(struct reset_ports *ports)
{
    ports->control = 0;
    ports->port92 = PORT92_A20;
}
