/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys: see keys.h.
 */
#include "src/pc/keys.h"

#include <linux/input-event-codes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXTENDED 0xe0u
#define UP       0xf0u

#define K(name, code)               \
    {                               \
#name, name, (code), false, \
    }
#define E(name, code)              \
    {                              \
#name, name, (code), true, \
    }

/* clang-format off */
const struct key key_table[] = {
    K(KEY_ESC, 0x76), K(KEY_1, 0x16), K(KEY_2, 0x1e), K(KEY_3, 0x26), K(KEY_4, 0x25), K(KEY_5, 0x2e), K(KEY_6, 0x36),
    K(KEY_7, 0x3d), K(KEY_8, 0x3e), K(KEY_9, 0x46), K(KEY_0, 0x45), K(KEY_MINUS, 0x4e), K(KEY_EQUAL, 0x55),
    K(KEY_BACKSPACE, 0x66), K(KEY_TAB, 0x0d), K(KEY_Q, 0x15), K(KEY_W, 0x1d), K(KEY_E, 0x24), K(KEY_R, 0x2d),
    K(KEY_T, 0x2c), K(KEY_Y, 0x35), K(KEY_U, 0x3c), K(KEY_I, 0x43), K(KEY_O, 0x44), K(KEY_P, 0x4d),
    K(KEY_LEFTBRACE, 0x54), K(KEY_RIGHTBRACE, 0x5b), K(KEY_ENTER, 0x5a), K(KEY_LEFTCTRL, 0x14), K(KEY_A, 0x1c),
    K(KEY_S, 0x1b), K(KEY_D, 0x23), K(KEY_F, 0x2b), K(KEY_G, 0x34), K(KEY_H, 0x33), K(KEY_J, 0x3b), K(KEY_K, 0x42),
    K(KEY_L, 0x4b), K(KEY_SEMICOLON, 0x4c), K(KEY_APOSTROPHE, 0x52), K(KEY_GRAVE, 0x0e), K(KEY_LEFTSHIFT, 0x12),
    K(KEY_BACKSLASH, 0x5d), K(KEY_Z, 0x1a), K(KEY_X, 0x22), K(KEY_C, 0x21), K(KEY_V, 0x2a), K(KEY_B, 0x32),
    K(KEY_N, 0x31), K(KEY_M, 0x3a), K(KEY_COMMA, 0x41), K(KEY_DOT, 0x49), K(KEY_SLASH, 0x4a), K(KEY_RIGHTSHIFT, 0x59),
    K(KEY_KPASTERISK, 0x7c), K(KEY_LEFTALT, 0x11), K(KEY_SPACE, 0x29), K(KEY_CAPSLOCK, 0x58), K(KEY_F1, 0x05),
    K(KEY_F2, 0x06), K(KEY_F3, 0x04), K(KEY_F4, 0x0c), K(KEY_F5, 0x03), K(KEY_F6, 0x0b), K(KEY_F7, 0x83),
    K(KEY_F8, 0x0a), K(KEY_F9, 0x01), K(KEY_F10, 0x09), K(KEY_NUMLOCK, 0x77), K(KEY_SCROLLLOCK, 0x7e),
    K(KEY_KP7, 0x6c), K(KEY_KP8, 0x75), K(KEY_KP9, 0x7d), K(KEY_KPMINUS, 0x7b), K(KEY_KP4, 0x6b), K(KEY_KP5, 0x73),
    K(KEY_KP6, 0x74), K(KEY_KPPLUS, 0x79), K(KEY_KP1, 0x69), K(KEY_KP2, 0x72), K(KEY_KP3, 0x7a), K(KEY_KP0, 0x70),
    K(KEY_KPDOT, 0x71), K(KEY_102ND, 0x61), K(KEY_F11, 0x78), K(KEY_F12, 0x07), K(KEY_RO, 0x51),
    K(KEY_HENKAN, 0x64), K(KEY_KATAKANAHIRAGANA, 0x13), K(KEY_MUHENKAN, 0x67), K(KEY_YEN, 0x6a),
    E(KEY_KPENTER, 0x5a), E(KEY_RIGHTCTRL, 0x14), E(KEY_KPSLASH, 0x4a), E(KEY_RIGHTALT, 0x11), E(KEY_HOME, 0x6c),
    E(KEY_UP, 0x75), E(KEY_PAGEUP, 0x7d), E(KEY_LEFT, 0x6b), E(KEY_RIGHT, 0x74), E(KEY_END, 0x69), E(KEY_DOWN, 0x72),
    E(KEY_PAGEDOWN, 0x7a), E(KEY_INSERT, 0x70), E(KEY_DELETE, 0x71), E(KEY_MUTE, 0x23), E(KEY_VOLUMEDOWN, 0x21),
    E(KEY_VOLUMEUP, 0x32), E(KEY_POWER, 0x37), E(KEY_SLEEP, 0x3f), E(KEY_WAKEUP, 0x5e), E(KEY_LEFTMETA, 0x1f),
    E(KEY_RIGHTMETA, 0x27), E(KEY_COMPOSE, 0x2f), E(KEY_SYSRQ, 0x7c), E(KEY_PAUSE, 0x77), {.name = NULL}};
/* clang-format on */

const struct key *key_find(const char *word)
{
    char *end;
    unsigned long number = strtoul(word, &end, 10);
    bool numbered = *word >= '0' && *word <= '9' && !*end;

    for (const struct key *key = key_table; key->name; key++)
        if (numbered ? key->number == number : strcmp(key->name, word) == 0)
            return key;
    return NULL;
}

static unsigned copy(uint8_t *code, const uint8_t *from, unsigned length)
{
    memcpy(code, from, length);
    return length;
}

unsigned key_code(const struct key *key, bool down, uint8_t code[KEY_CODE_MAX])
{
    /* These two stand for other keys of the first PC's keyboard, held for them. */
    static const uint8_t pause[] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};
    static const uint8_t print[] = {0xe0, 0x12, 0xe0, 0x7c};
    static const uint8_t print_up[] = {0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12};
    unsigned length = 0;

    if (key->number == KEY_PAUSE)
        return down ? copy(code, pause, sizeof(pause)) : 0;
    if (key->number == KEY_SYSRQ)
        return down ? copy(code, print, sizeof(print)) : copy(code, print_up, sizeof(print_up));
    if (key->extended)
        code[length++] = EXTENDED;
    if (!down)
        code[length++] = UP;
    code[length++] = key->code;
    return length;
}
