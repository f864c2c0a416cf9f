/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 keyboard and a PS/2 wheel mouse (IBM PS/2 Technical Reference; Microsoft's IntelliMouse):
 * their commands, and what they have to say.
 *
 * Each has a queue of bytes that the controller (i8042.h) takes one after another. An answer to a
 * command empties the queue first, as the devices do. A key or a movement is queued whole or not at
 * all. The keyboard speaks scan code set 2; the controller translates.
 */
#ifndef VMBUSD_PC_PS2_H
#define VMBUSD_PC_PS2_H

#include <stdbool.h>
#include <stdint.h>

#define PS2_QUEUE 32u

struct ps2 {
    bool mouse;
    uint8_t queue[PS2_QUEUE];
    unsigned first, count;
    uint8_t command; /* that waits for its parameter; 0: none */
    bool scanning;   /* keyboard: keys are told; mouse: data reporting is on */
    uint8_t leds;    /* keyboard */
    /* Mouse. */
    uint8_t id;       /* 0; 3 once a driver has asked for the wheel */
    uint8_t rates[3]; /* the last sample rates, newest first */
    uint8_t resolution;
    bool scaling, remote;
    uint8_t buttons;
};

/* As after power-on, nothing queued (the self-test's answer is for a reset command). */
void ps2_reset(struct ps2 *ps2, bool mouse);

/* A byte from the host. */
void ps2_command(struct ps2 *ps2, uint8_t byte);

/* The next byte for the host; false if there is none. */
bool ps2_take(struct ps2 *ps2, uint8_t *ret_byte);

/* Keyboard: a make or break code of set 2, up to 8 bytes. False if not taken (full, or off). */
bool ps2_key(struct ps2 *ps2, const uint8_t *code, unsigned length);

/* Mouse: a movement (right and up are positive) and the buttons (bit 0 left, 1 right, 2 middle);
 * `wheel` is positive towards the user. False if not taken. */
bool ps2_move(struct ps2 *ps2, int x, int y, int wheel, uint8_t buttons);

#endif
