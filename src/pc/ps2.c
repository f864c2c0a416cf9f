/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PS/2 devices: see ps2.h.
 */
#include "src/pc/ps2.h"

#include <string.h>

#define ACK    0xfau
#define RESEND 0xfeu
#define PASSED 0xaau

#define MOUSE_WHEEL_ID 3u
#define MOUSE_LIMIT    255

static bool put(struct ps2 *ps2, const uint8_t *bytes, unsigned length)
{
    if (length > PS2_QUEUE - ps2->count)
        return false;
    for (unsigned i = 0; i < length; i++)
        ps2->queue[(ps2->first + ps2->count++) % PS2_QUEUE] = bytes[i];
    return true;
}

/* An answer takes the place of all that waits. */
static void answer(struct ps2 *ps2, const uint8_t *bytes, unsigned length)
{
    ps2->first = ps2->count = 0;
    put(ps2, bytes, length);
}

#define ANSWER(ps2, ...)                        \
    do {                                        \
        const uint8_t bytes_[] = {__VA_ARGS__}; \
        answer((ps2), bytes_, sizeof(bytes_));  \
    } while (0)

static void defaults(struct ps2 *ps2)
{
    ps2->scanning = !ps2->mouse;
    ps2->resolution = 2;
    ps2->scaling = ps2->remote = false;
    memset(ps2->rates, 100, sizeof(ps2->rates));
}

void ps2_reset(struct ps2 *ps2, bool mouse)
{
    memset(ps2, 0, sizeof(*ps2));
    ps2->mouse = mouse;
    defaults(ps2);
}

bool ps2_take(struct ps2 *ps2, uint8_t *ret_byte)
{
    if (!ps2->count)
        return false;
    *ret_byte = ps2->queue[ps2->first];
    ps2->first = (ps2->first + 1) % PS2_QUEUE;
    ps2->count--;
    return true;
}

/* --- Keyboard --- */

bool ps2_key(struct ps2 *ps2, const uint8_t *code, unsigned length)
{
    return ps2->scanning && put(ps2, code, length);
}

static void keyboard_parameter(struct ps2 *ps2, uint8_t command, uint8_t byte)
{
    if (command == 0xed)
        ps2->leds = byte & 7;
    if (command == 0xf0 && byte == 0)
        ANSWER(ps2, ACK, 2); /* the scan code set; others are not offered */
    else
        ANSWER(ps2, ACK);
}

static void keyboard_command(struct ps2 *ps2, uint8_t byte)
{
    switch (byte) {
    case 0xed: /* lights */
    case 0xf0: /* scan code set */
    case 0xf3: /* repeat rate */
        ps2->command = byte;
        ANSWER(ps2, ACK);
        break;
    case 0xee:
        ANSWER(ps2, 0xee);
        break;
    case 0xf2:
        ANSWER(ps2, ACK, 0xab, 0x83);
        break;
    case 0xf4:
        ps2->scanning = true;
        ANSWER(ps2, ACK);
        break;
    case 0xf5:
    case 0xf6:
        defaults(ps2);
        ps2->scanning = byte == 0xf6;
        ANSWER(ps2, ACK);
        break;
    case 0xff:
        ps2_reset(ps2, false);
        ANSWER(ps2, ACK, PASSED);
        break;
    default:
        ANSWER(ps2, RESEND);
    }
}

/* --- Mouse --- */

static int clamp(int value)
{
    return value > MOUSE_LIMIT ? MOUSE_LIMIT : value < -MOUSE_LIMIT ? -MOUSE_LIMIT : value;
}

static unsigned packet(const struct ps2 *ps2, int x, int y, int wheel, uint8_t bytes[4])
{
    x = clamp(x);
    y = clamp(y);
    wheel = wheel > 7 ? 7 : wheel < -8 ? -8 : wheel;
    bytes[0] = (uint8_t)(8 | (ps2->buttons & 7) | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0));
    bytes[1] = (uint8_t)x;
    bytes[2] = (uint8_t)y;
    bytes[3] = (uint8_t)wheel;
    return ps2->id == MOUSE_WHEEL_ID ? 4 : 3;
}

bool ps2_move(struct ps2 *ps2, int x, int y, int wheel, uint8_t buttons)
{
    uint8_t bytes[4];

    ps2->buttons = buttons & 7;
    if (!ps2->scanning || ps2->remote)
        return false;
    return put(ps2, bytes, packet(ps2, x, y, wheel, bytes));
}

/* Three sample rates in a row are the knock at which a wheel mouse says that it is one. */
static void mouse_parameter(struct ps2 *ps2, uint8_t command, uint8_t byte)
{
    static const uint8_t knock[] = {80, 100, 200};

    if (command == 0xf3) {
        memmove(ps2->rates + 1, ps2->rates, sizeof(ps2->rates) - 1);
        ps2->rates[0] = byte;
        if (!memcmp(ps2->rates, knock, sizeof(knock)))
            ps2->id = MOUSE_WHEEL_ID;
    } else {
        ps2->resolution = byte & 3;
    }
    ANSWER(ps2, ACK);
}

static void mouse_status(struct ps2 *ps2)
{
    uint8_t flags =
        (uint8_t)(ps2->remote << 6 | ps2->scanning << 5 | ps2->scaling << 4 |
                  (ps2->buttons & 1) << 2 | (ps2->buttons & 4) >> 1 | (ps2->buttons & 2) >> 1);

    ANSWER(ps2, ACK, flags, ps2->resolution, ps2->rates[0]);
}

static void mouse_read(struct ps2 *ps2)
{
    uint8_t bytes[5] = {ACK};
    unsigned length = packet(ps2, 0, 0, 0, bytes + 1);

    answer(ps2, bytes, 1 + length);
}

static void mouse_command(struct ps2 *ps2, uint8_t byte)
{
    switch (byte) {
    case 0xe6:
    case 0xe7:
        ps2->scaling = byte == 0xe7;
        break;
    case 0xe8: /* resolution */
    case 0xf3: /* sample rate */
        ps2->command = byte;
        break;
    case 0xe9:
        mouse_status(ps2);
        return;
    case 0xea:
    case 0xf0:
        ps2->remote = byte == 0xf0;
        break;
    case 0xeb:
        mouse_read(ps2);
        return;
    case 0xf2:
        ANSWER(ps2, ACK, ps2->id);
        return;
    case 0xf4:
    case 0xf5:
        ps2->scanning = byte == 0xf4;
        break;
    case 0xf6:
        defaults(ps2);
        break;
    case 0xff:
        ps2_reset(ps2, true);
        ANSWER(ps2, ACK, PASSED, 0);
        return;
    default:
        ANSWER(ps2, RESEND);
        return;
    }
    ANSWER(ps2, ACK);
}

void ps2_command(struct ps2 *ps2, uint8_t byte)
{
    uint8_t command = ps2->command;

    ps2->command = 0;
    if (command && ps2->mouse)
        mouse_parameter(ps2, command, byte);
    else if (command && byte < 0x80) /* a command instead of the parameter is a command */
        keyboard_parameter(ps2, command, byte);
    else if (ps2->mouse)
        mouse_command(ps2, byte);
    else
        keyboard_command(ps2, byte);
}
