/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug port: see debug_port.h.
 */
#include "src/pc/debug_port.h"

#include <stdio.h>

#include "src/common/lane.h"

#define MINUTE_NS 60000000000ull

static void end_line(struct debug_port *port)
{
    uint64_t minute = lane_now() / MINUTE_NS;

    port->text[port->length] = '\0';
    port->length = 0;
    if (minute != port->minute) {
        if (port->dropped) {
            char text[48];
            snprintf(text, sizeof(text), "(%u lines suppressed)", port->dropped);
            port->line(text, port->context);
        }
        port->minute = minute;
        port->lines = port->dropped = 0;
    }
    if (port->lines == DEBUG_PORT_LINES) {
        port->dropped++;
        return;
    }
    port->lines++;
    port->line(port->text, port->context);
}

static uint32_t port_read(void *context, uint16_t offset, unsigned size)
{
    (void)context, (void)offset, (void)size;
    return DEBUG_PORT_THERE;
}

static void port_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct debug_port *port = context;
    char c = (char)value;

    (void)offset, (void)size;
    if (c == '\n') {
        end_line(port);
        return;
    }
    if (c == '\r')
        return;
    port->text[port->length++] = c >= ' ' && c <= '~' ? c : '.';
    if (port->length == DEBUG_PORT_LINE)
        end_line(port);
}

int debug_port_init(struct debug_port *port, struct pio *pio,
                    void (*line)(const char *text, void *context), void *context)
{
    const struct pio_region region = {
        .base = DEBUG_PORT, .count = 1, .read = port_read, .write = port_write, .context = port};

    port->line = line;
    port->context = context;
    return pio_add(pio, &region);
}
