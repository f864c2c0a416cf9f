/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a PC keyboard: their names and numbers in Linux (input-event-codes.h), as virsh's
 * send-key has them, and what the keyboard says when they go down and up (scan code set 2, IBM PS/2
 * Technical Reference; Microsoft's Keyboard Scan Code Specification for the later ones).
 */
#ifndef VMBUSD_PC_KEYS_H
#define VMBUSD_PC_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define KEY_CODE_MAX 8u

struct key {
    const char *name; /* "KEY_ENTER"; NULL ends the table */
    uint16_t number;  /* Linux' */
    uint8_t code;     /* when it goes down */
    bool extended;    /* with the prefix E0 */
};
extern const struct key key_table[];

/* By name or decimal number; NULL if there is none. */
const struct key *key_find(const char *word);

/* The bytes that the keyboard sends; how many, which is 0 for a key that does not tell when it goes
 * up. */
unsigned key_code(const struct key *key, bool down, uint8_t code[KEY_CODE_MAX]);

#endif
