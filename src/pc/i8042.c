/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller: see i8042.h. Facts: IBM PS/2 Hardware Interface Technical Reference; the
 * translation from scan code set 2 to set 1 is the 8042's.
 */
#include "src/pc/i8042.h"

#define STATUS_FULL    0x01u
#define STATUS_SYSTEM  0x04u
#define STATUS_COMMAND 0x08u
#define STATUS_OPEN    0x10u /* the lock is not locked */
#define STATUS_AUX     0x20u

#define MODE_KEY_IRQ   0x01u
#define MODE_AUX_IRQ   0x02u
#define MODE_SYSTEM    0x04u
#define MODE_KEY_OFF   0x10u
#define MODE_AUX_OFF   0x20u
#define MODE_TRANSLATE 0x40u

#define PORT_RUN 0x01u /* low: reset */
#define PORT_A20 0x02u

#define BREAK_PREFIX 0xf0u

/* Set 2 to set 1, for make codes below 0x80. */
static const uint8_t set1[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54};

static void set_line(struct i8042 *i8042, unsigned irq, bool *line, bool level)
{
    if (*line == level)
        return;
    *line = level;
    i8042->host->irq(i8042->host->context, irq, level);
}

static void update_lines(struct i8042 *i8042)
{
    uint8_t mode = i8042->memory[0];

    set_line(i8042, I8042_KEY_IRQ, &i8042->key_line,
             i8042->full && !i8042->from_aux && mode & MODE_KEY_IRQ);
    set_line(i8042, I8042_AUX_IRQ, &i8042->aux_line,
             i8042->full && i8042->from_aux && mode & MODE_AUX_IRQ);
}

/* A byte of the keyboard's, translated if the mode says so; false if it was only a prefix. */
static bool translate(struct i8042 *i8042, uint8_t *byte)
{
    if (!(i8042->memory[0] & MODE_TRANSLATE))
        return true;
    if (*byte == BREAK_PREFIX) {
        i8042->broken_off = true;
        return false;
    }
    if (*byte < sizeof(set1))
        *byte = set1[*byte];
    else if (*byte == 0x83 || *byte == 0x84)
        *byte = *byte == 0x83 ? 0x41 : 0x54;
    if (i8042->broken_off)
        *byte |= 0x80;
    i8042->broken_off = false;
    return true;
}

static bool next_key(struct i8042 *i8042, uint8_t *ret_byte)
{
    while (ps2_take(&i8042->keyboard, ret_byte))
        if (translate(i8042, ret_byte))
            return true;
    return false;
}

/* Put the next byte into the empty output buffer. */
static void fill(struct i8042 *i8042)
{
    uint8_t mode = i8042->memory[0];

    if (!i8042->full) {
        if (i8042->has_pending) {
            i8042->output = i8042->pending;
            i8042->from_aux = i8042->pending_aux;
            i8042->has_pending = false;
            i8042->full = true;
        } else if (!(mode & MODE_KEY_OFF) && next_key(i8042, &i8042->output)) {
            i8042->full = true;
            i8042->from_aux = false;
        } else if (!(mode & MODE_AUX_OFF) && ps2_take(&i8042->mouse, &i8042->output)) {
            i8042->full = true;
            i8042->from_aux = true;
        }
    }
    update_lines(i8042);
}

static void reply(struct i8042 *i8042, uint8_t byte, bool aux)
{
    i8042->pending = byte;
    i8042->pending_aux = aux;
    i8042->has_pending = true;
}

static void write_output_port(struct i8042 *i8042, uint8_t value)
{
    i8042->output_port = value;
    if (!(value & PORT_RUN))
        i8042->host->reset(i8042->host->context, "keyboard controller");
}

/* --- 0x64 --- */

static void mode_bits(struct i8042 *i8042, uint8_t set, uint8_t clear)
{
    i8042->memory[0] = (uint8_t)((i8042->memory[0] | set) & ~clear);
}

static void control(struct i8042 *i8042, uint8_t command)
{
    i8042->command = 0;
    switch (command) {
    case 0xa7:
        mode_bits(i8042, MODE_AUX_OFF, 0);
        break;
    case 0xa8:
        mode_bits(i8042, 0, MODE_AUX_OFF);
        break;
    case 0xa9: /* tests of the two lines: good */
    case 0xab:
        reply(i8042, 0, false);
        break;
    case 0xaa: /* self-test */
        mode_bits(i8042, MODE_SYSTEM, 0);
        reply(i8042, 0x55, false);
        break;
    case 0xad:
        mode_bits(i8042, MODE_KEY_OFF, 0);
        break;
    case 0xae:
        mode_bits(i8042, 0, MODE_KEY_OFF);
        break;
    case 0xc0: /* input port: no password, not locked */
        reply(i8042, 0x80, false);
        break;
    case 0xd0:
        reply(i8042, i8042->output_port, false);
        break;
    case 0xd1: /* take a parameter */
    case 0xd2:
    case 0xd3:
    case 0xd4:
        i8042->command = command;
        break;
    case 0xdd:
    case 0xdf:
        i8042->output_port =
            (uint8_t)((i8042->output_port & ~PORT_A20) | (command & 2 ? PORT_A20 : 0));
        break;
    default:
        if (command >= 0xf0 && !(command & 1))
            i8042->host->reset(i8042->host->context, "keyboard controller");
        else if (command >= 0x20 && command < 0x20 + I8042_MEMORY)
            reply(i8042, i8042->memory[command - 0x20], false);
        else if (command >= 0x60 && command < 0x60 + I8042_MEMORY)
            i8042->command = command;
    }
}

/* --- 0x60 --- */

static void parameter(struct i8042 *i8042, uint8_t command, uint8_t value)
{
    switch (command) {
    case 0:
        mode_bits(i8042, 0, MODE_KEY_OFF); /* speaking to the keyboard opens its line */
        ps2_command(&i8042->keyboard, value);
        break;
    case 0xd1:
        write_output_port(i8042, value);
        break;
    case 0xd2:
    case 0xd3:
        reply(i8042, value, command == 0xd3);
        break;
    case 0xd4:
        mode_bits(i8042, 0, MODE_AUX_OFF);
        ps2_command(&i8042->mouse, value);
        break;
    default:
        i8042->memory[command - 0x60] = value;
    }
}

static uint32_t data_read(void *context, uint16_t offset, unsigned size)
{
    struct i8042 *i8042 = context;
    uint8_t value = i8042->output;

    (void)offset, (void)size;
    i8042->full = false;
    update_lines(i8042);
    fill(i8042);
    return value;
}

static void data_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct i8042 *i8042 = context;
    uint8_t command = i8042->command;

    (void)offset, (void)size;
    i8042->command = 0;
    i8042->last_was_command = false;
    parameter(i8042, command, (uint8_t)value);
    fill(i8042);
}

static uint32_t status_read(void *context, uint16_t offset, unsigned size)
{
    const struct i8042 *i8042 = context;
    uint32_t status = STATUS_OPEN;

    (void)offset, (void)size;
    if (i8042->full)
        status |= STATUS_FULL | (i8042->from_aux ? STATUS_AUX : 0);
    if (i8042->memory[0] & MODE_SYSTEM)
        status |= STATUS_SYSTEM;
    if (i8042->last_was_command)
        status |= STATUS_COMMAND;
    return status;
}

static void status_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct i8042 *i8042 = context;

    (void)offset, (void)size;
    i8042->last_was_command = true;
    control(i8042, (uint8_t)value);
    fill(i8042);
}

/* --- Making --- */

int i8042_init(struct i8042 *i8042, const struct pc_host *host, struct pio *pio)
{
    const struct pio_region data = {
        .base = I8042_DATA, .count = 1, .read = data_read, .write = data_write, .context = i8042};
    const struct pio_region status = {.base = I8042_STATUS,
                                      .count = 1,
                                      .read = status_read,
                                      .write = status_write,
                                      .context = i8042};

    i8042->host = host;
    i8042_reset(i8042);
    int error = pio_add(pio, &data);
    return error ? error : pio_add(pio, &status);
}

void i8042_reset(struct i8042 *i8042)
{
    ps2_reset(&i8042->keyboard, false);
    ps2_reset(&i8042->mouse, true);
    for (unsigned i = 0; i < I8042_MEMORY; i++)
        i8042->memory[i] = 0;
    i8042->memory[0] = MODE_KEY_IRQ | MODE_AUX_IRQ;
    i8042->command = 0;
    i8042->last_was_command = true;
    i8042->output_port = PORT_RUN | PORT_A20;
    i8042->has_pending = i8042->full = i8042->from_aux = i8042->broken_off = false;
    update_lines(i8042);
}

bool i8042_key(struct i8042 *i8042, const uint8_t *code, unsigned length)
{
    bool taken = ps2_key(&i8042->keyboard, code, length);

    fill(i8042);
    return taken;
}

bool i8042_move(struct i8042 *i8042, int x, int y, int wheel, uint8_t buttons)
{
    bool taken = ps2_move(&i8042->mouse, x, y, wheel, buttons);

    fill(i8042);
    return taken;
}
