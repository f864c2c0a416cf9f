/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller (Intel 8042 as in the IBM PS/2) at ports 0x60 and 0x64, with a keyboard
 * and a mouse behind it.
 *
 * Its output buffer holds one byte; the next one, of whoever has one, follows when that is read:
 * its own answers first, then the keyboard's, then the mouse's. Interrupts are edges, so the line
 * goes down between two bytes.
 *
 * Left out: the input port's jumpers, test of the lines by hand; A20 is kept and always open.
 */
#ifndef VMBUSD_PC_I8042_H
#define VMBUSD_PC_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "src/pc/pc.h"
#include "src/pc/pio.h"
#include "src/pc/ps2.h"

#define I8042_DATA    0x60u
#define I8042_STATUS  0x64u
#define I8042_KEY_IRQ 1u
#define I8042_AUX_IRQ 12u
#define I8042_MEMORY  32u

struct i8042 {
    const struct pc_host *host;
    struct ps2 keyboard, mouse;
    uint8_t memory[I8042_MEMORY]; /* byte 0 is the command byte */
    uint8_t command;              /* whose parameter comes next at 0x60; 0: the keyboard's turn */
    bool last_was_command;        /* status bit 3 */
    uint8_t output_port;
    uint8_t pending; /* an answer of the controller's own */
    bool has_pending, pending_aux;
    uint8_t output; /* the output buffer */
    bool full, from_aux;
    bool broken_off;         /* translation: the last byte was the prefix of a break code */
    bool key_line, aux_line; /* what host->irq was last told */
};

/* Zero `i8042` first. Takes ports 0x60 and 0x64; 0 or pio_add()'s error. */
int i8042_init(struct i8042 *i8042, const struct pc_host *host, struct pio *pio);

/* As after power-on. PC lock held. */
void i8042_reset(struct i8042 *i8042);

/* ps2_key() and ps2_move() of the devices. PC lock held. */
bool i8042_key(struct i8042 *i8042, const uint8_t *code, unsigned length);
bool i8042_move(struct i8042 *i8042, int x, int y, int wheel, uint8_t buttons);

#endif
