/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug port 0x402, on which SeaBIOS says what it does: lines for the log. Each character is an
 * exit, a third of all those of a boot up to the boot sector, so that a machine has the port only
 * when it is asked for; where it is absent SeaBIOS reads so and stays silent.
 *
 * Whoever runs in the guest can write there, so that no more than a fixed number of lines are
 * logged in a minute; the rest is counted. What is not printable is logged as '.'.
 */
#ifndef VMBUSD_PC_DEBUG_PORT_H
#define VMBUSD_PC_DEBUG_PORT_H

#include <stdint.h>

#include "src/pc/pio.h"

#define DEBUG_PORT       0x402u
#define DEBUG_PORT_THERE 0xe9u /* reads so, or SeaBIOS stays silent */
#define DEBUG_PORT_LINE  120u
#define DEBUG_PORT_LINES 200u /* in a minute: a boot of SeaBIOS has some sixty */

struct debug_port {
    void (*line)(const char *text, void *context); /* PC lock held */
    void *context;
    char text[DEBUG_PORT_LINE + 1];
    unsigned length;
    uint64_t minute;         /* of the lines counted */
    unsigned lines, dropped; /* in that minute */
};

/* Zero `port` first. 0 or pio_add()'s error. */
int debug_port_init(struct debug_port *port, struct pio *pio,
                    void (*line)(const char *text, void *context), void *context);

#endif
