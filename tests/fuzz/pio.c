/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: any port, any width, any order, over all the PC's devices at once, while the host's
 * side takes output, gives input and presses buttons.
 *
 * Input: a run of 8-byte operations {operation and width, port choice, port or offset, value}. Half
 * of the choices aim at a device's ports and just beyond their ends, the rest at all of port space.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/pc/pm.h"
#include "src/pc/reset.h"
#include "src/pc/rtc.h"
#include "src/pc/uart.h"
#include "tests/unit/fake_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct devices {
    struct fake_pc pc;
    struct uart uart[2]; /* COM1, COM2 */
    struct pm pm;
    struct rtc rtc;
    struct reset_ports ports;
    unsigned kicks;
};

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void count_kick(void *context)
{
    struct devices *devices = context;

    devices->kicks++;
}

static void reset_all(struct devices *devices)
{
    uart_reset(&devices->uart[0]);
    uart_reset(&devices->uart[1]);
    pm_reset(&devices->pm);
    rtc_reset(&devices->rtc);
    reset_ports_reset(&devices->ports);
    for (unsigned i = 0; i < FAKE_PC_LINES; i++)
        check(!devices->pc.level[i], "no interrupt after a reset");
}

/* What the main lane does. */
static void host_side(struct devices *devices, uint8_t what, uint32_t value)
{
    struct uart *uart = &devices->uart[what / 4 % 2];
    uint8_t bytes[UART_FIFO];
    unsigned room;

    memset(bytes, (int)value, sizeof(bytes));
    switch (what % 4) {
    case 0:
        check(uart_take(uart, bytes, value % (sizeof(bytes) + 1)) <= sizeof(bytes),
              "as much output as was asked for");
        break;
    case 1:
        room = uart_room(uart);
        check(room <= UART_FIFO, "room is a FIFO's");
        uart_receive(uart, bytes, value % (room + 1));
        break;
    case 2:
        if (value & 1)
            pm_general_event(&devices->pm, PM_GPE_GENERATION);
        else
            pm_power_button(&devices->pm);
        break;
    default:
        reset_all(devices);
    }
}

static uint16_t choose_port(uint8_t choice, uint16_t offset)
{
    static const uint16_t bases[] = {UART_COM1, PM_BASE, RTC_BASE, 0xcf8, 0x92, 0x64, UART_COM2};

    if (choice & 1)
        return offset;
    unsigned at = choice / 2 % (sizeof(bases) / sizeof(bases[0]));
    return (uint16_t)(bases[at] - 3 + offset % (PM_SIZE + 6));
}

static void step(struct devices *devices, const uint8_t operation[8])
{
    static const unsigned widths[] = {1, 2, 4};
    unsigned width = widths[operation[0] / 4 % 3];
    uint16_t offset;
    uint32_t value;

    memcpy(&offset, operation + 2, 2);
    memcpy(&value, operation + 4, 4);
    uint16_t port = choose_port(operation[1], offset);
    if (operation[0] % 4 == 0) {
        host_side(devices, operation[1], value);
    } else if (operation[0] % 4 == 1) {
        uint32_t got = fake_pc_in(&devices->pc, port, width);
        check(width == 4 || got >> 8 * width == 0, "a read is as wide as was asked for");
    } else {
        fake_pc_out(&devices->pc, port, width, value);
    }
    for (unsigned i = 0; i < 2; i++)
        check(devices->uart[i].rx_count <= UART_FIFO && devices->uart[i].out_count <= UART_RING,
              "the UART's bounds");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct devices devices;

    memset(&devices, 0, sizeof(devices));
    fake_pc_init(&devices.pc);
    devices.uart[0].kick = devices.uart[1].kick = count_kick;
    devices.uart[0].context = devices.uart[1].context = &devices;
    const struct pc_host *host = &devices.pc.host;
    check(!uart_init(&devices.uart[0], host, &devices.pc.pio, UART_COM1, UART_COM1_IRQ) &&
              !uart_init(&devices.uart[1], host, &devices.pc.pio, UART_COM2, UART_COM2_IRQ) &&
              !pm_init(&devices.pm, &devices.pc.host, &devices.pc.pio) &&
              !rtc_init(&devices.rtc, &devices.pc.host, &devices.pc.pio, size & 1) &&
              !reset_ports_init(&devices.ports, &devices.pc.host, &devices.pc.pio),
          "every device has its ports");
    for (; size >= 8; data += 8, size -= 8)
        step(&devices, data);
    reset_all(&devices);
    fake_pc_fini(&devices.pc); /* runs what the devices have posted to the lane */
    return 0;
}
