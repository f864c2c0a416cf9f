/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller and what is behind it, as SeaBIOS, Linux and i8042prt speak to them.
 */
#include "src/pc/i8042.h"

#include <glib.h>

#include "tests/unit/fake_pc.h"

struct fixture {
    struct fake_pc pc;
    struct i8042 i8042;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(i8042_init(&f->i8042, &f->pc.host, &f->pc.pio), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_fini(&f->pc);
}

static uint8_t status(struct fixture *f)
{
    return fake_pc_inb(&f->pc, 0x64);
}

static void command(struct fixture *f, uint8_t byte)
{
    fake_pc_outb(&f->pc, 0x64, byte);
}

static void send(struct fixture *f, uint8_t byte)
{
    fake_pc_outb(&f->pc, 0x60, byte);
}

static void mouse(struct fixture *f, uint8_t byte)
{
    command(f, 0xd4);
    send(f, byte);
}

/* The next bytes are these, all from the mouse or none, and then there is nothing. */
static void expect(struct fixture *f, bool aux, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_assert_cmphex(status(f) & 0x21, ==, aux ? 0x21 : 0x01);
        g_assert_cmphex(fake_pc_inb(&f->pc, 0x60), ==, bytes[i]);
    }
    g_assert_cmphex(status(f) & 0x01, ==, 0);
}

#define EXPECT(f, aux, ...)                         \
    do {                                            \
        const uint8_t bytes_[] = {__VA_ARGS__};     \
        expect((f), (aux), bytes_, sizeof(bytes_)); \
    } while (0)

static void test_controller(struct fixture *f, gconstpointer data)
{
    (void)data;
    command(f, 0xaa);
    EXPECT(f, false, 0x55);
    g_assert_cmphex(status(f) & 0x04, ==, 0x04);
    command(f, 0xab);
    EXPECT(f, false, 0x00);
    command(f, 0xa9);
    EXPECT(f, false, 0x00);
    command(f, 0x60);
    g_assert_cmphex(status(f) & 0x08, ==, 0x08);
    send(f, 0x65);
    g_assert_cmphex(status(f) & 0x08, ==, 0);
    command(f, 0x20);
    EXPECT(f, false, 0x65);
    command(f, 0xa7);
    command(f, 0xad);
    command(f, 0x20);
    EXPECT(f, false, 0x75);
    command(f, 0xd3); /* Linux finds the mouse's port by this */
    send(f, 0xa5);
    EXPECT(f, true, 0xa5);
}

static void test_keyboard(struct fixture *f, gconstpointer data)
{
    (void)data;
    send(f, 0xff);
    EXPECT(f, false, 0xfa, 0xaa);
    send(f, 0xf2);
    EXPECT(f, false, 0xfa, 0xab, 0x83);
    send(f, 0xed);
    EXPECT(f, false, 0xfa);
    send(f, 0x05);
    EXPECT(f, false, 0xfa);
    g_assert_cmphex(f->i8042.keyboard.leds, ==, 5);
    send(f, 0xf0);
    EXPECT(f, false, 0xfa);
    send(f, 0x00);
    EXPECT(f, false, 0xfa, 0x02);
    send(f, 0xed); /* then a command where a parameter was expected */
    EXPECT(f, false, 0xfa);
    send(f, 0xf4);
    EXPECT(f, false, 0xfa);
    send(f, 0x77);
    EXPECT(f, false, 0xfe);
    send(f, 0xee);
    EXPECT(f, false, 0xee);
}

static void test_translation(struct fixture *f, gconstpointer data)
{
    static const uint8_t press[] = {0x1c}, release[] = {0xf0, 0x1c}, up[] = {0xe0, 0xf0, 0x75};

    (void)data;
    command(f, 0x60);
    send(f, 0x45);
    g_assert_true(i8042_key(&f->i8042, press, sizeof(press)));
    g_assert_true(i8042_key(&f->i8042, release, sizeof(release)));
    g_assert_true(i8042_key(&f->i8042, up, sizeof(up)));
    EXPECT(f, false, 0x1e, 0x9e, 0xe0, 0xc8);
    send(f, 0xf2);
    EXPECT(f, false, 0xfa, 0xab, 0x41);
    command(f, 0x60);
    send(f, 0x05);
    g_assert_true(i8042_key(&f->i8042, release, sizeof(release)));
    EXPECT(f, false, 0xf0, 0x1c);
}

/* Each byte is an edge of its own, and none while the interrupt is off. */
static void test_interrupts(struct fixture *f, gconstpointer data)
{
    static const uint8_t key[] = {0x1c, 0xf0, 0x1c};

    (void)data;
    i8042_key(&f->i8042, key, sizeof(key));
    g_assert_cmpuint(f->pc.edges[1], ==, 1);
    for (unsigned i = 0; i < 3; i++)
        fake_pc_inb(&f->pc, 0x60);
    g_assert_cmpuint(f->pc.edges[1], ==, 3);
    g_assert_false(f->pc.level[1]);
    mouse(f, 0xf2);
    g_assert_cmpuint(f->pc.edges[12], ==, 1);
    EXPECT(f, true, 0xfa, 0x00);
    command(f, 0x60);
    send(f, 0x00);
    i8042_key(&f->i8042, key, sizeof(key));
    g_assert_false(f->pc.level[1]);
    command(f, 0x60); /* on again while a byte waits */
    send(f, 0x01);
    g_assert_true(f->pc.level[1]);
}

static void test_port_off(struct fixture *f, gconstpointer data)
{
    static const uint8_t key[] = {0x1c};

    (void)data;
    command(f, 0xad);
    i8042_key(&f->i8042, key, sizeof(key));
    g_assert_cmphex(status(f) & 1, ==, 0);
    command(f, 0xae);
    EXPECT(f, false, 0x1c);
}

static void test_mouse(struct fixture *f, gconstpointer data)
{
    (void)data;
    mouse(f, 0xff);
    EXPECT(f, true, 0xfa, 0xaa, 0x00);
    g_assert_false(i8042_move(&f->i8042, 1, 1, 0, 0)); /* reporting is off */
    mouse(f, 0xf4);
    EXPECT(f, true, 0xfa);
    g_assert_true(i8042_move(&f->i8042, 3, -2, 0, 1));
    EXPECT(f, true, 0x29, 0x03, 0xfe);
    g_assert_true(i8042_move(&f->i8042, -1000, 1000, 0, 0));
    EXPECT(f, true, 0x18, 0x01, 0xff);
    mouse(f, 0xe9);
    EXPECT(f, true, 0xfa, 0x20, 0x02, 0x64);
}

static void test_wheel(struct fixture *f, gconstpointer data)
{
    static const uint8_t rate[] = {200, 100, 80};

    (void)data;
    for (unsigned i = 0; i < 3; i++) {
        mouse(f, 0xf3);
        EXPECT(f, true, 0xfa);
        mouse(f, rate[i]);
        EXPECT(f, true, 0xfa);
    }
    mouse(f, 0xf2);
    EXPECT(f, true, 0xfa, 0x03);
    mouse(f, 0xf4);
    EXPECT(f, true, 0xfa);
    g_assert_true(i8042_move(&f->i8042, 0, 0, -1, 0));
    EXPECT(f, true, 0x08, 0x00, 0x00, 0xff);
}

static void test_resets(struct fixture *f, gconstpointer data)
{
    (void)data;
    command(f, 0xff); /* no line pulsed */
    g_assert_cmpuint(f->pc.resets, ==, 0);
    command(f, 0xfe);
    g_assert_cmpuint(f->pc.resets, ==, 1);
    command(f, 0xd1);
    send(f, 0x03);
    g_assert_cmpuint(f->pc.resets, ==, 1);
    command(f, 0xd1);
    send(f, 0x02);
    g_assert_cmpuint(f->pc.resets, ==, 2);
    command(f, 0xd0);
    EXPECT(f, false, 0x02);
}

/* More keys than anybody reads: only whole ones are taken. */
static void test_attack_never_reads(struct fixture *f, gconstpointer data)
{
    static const uint8_t key[] = {0xe0, 0xf0, 0x75};
    unsigned taken = 0, seen = 0;

    (void)data;
    command(f, 0x60);
    send(f, 0x05); /* no translation */
    for (unsigned i = 0; i < 1000; i++)
        taken += i8042_key(&f->i8042, key, sizeof(key));
    while (status(f) & 1)
        g_assert_cmphex(fake_pc_inb(&f->pc, 0x60), ==, key[seen++ % 3]);
    g_assert_cmpuint(seen, ==, 3 * taken);
    g_assert_cmpuint(taken, <=, PS2_QUEUE);
}

static void test_attack_all_commands(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned parameter = 0; parameter < 256; parameter += 5) {
            command(f, (uint8_t)byte);
            send(f, (uint8_t)parameter);
            mouse(f, (uint8_t)byte);
            mouse(f, (uint8_t)parameter);
            fake_pc_inb(&f->pc, 0x60);
        }
    }
    i8042_reset(&f->i8042);
    g_assert_cmphex(status(f) & 1, ==, 0);
    g_assert_false(f->pc.level[1] || f->pc.level[12]);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/i8042/controller", test_controller);
    add("/i8042/keyboard", test_keyboard);
    add("/i8042/translation", test_translation);
    add("/i8042/interrupts", test_interrupts);
    add("/i8042/port-off", test_port_off);
    add("/i8042/mouse", test_mouse);
    add("/i8042/wheel", test_wheel);
    add("/i8042/resets", test_resets);
    add("/i8042/attack/never-reads", test_attack_never_reads);
    add("/i8042/attack/all-commands", test_attack_all_commands);
    return g_test_run();
}
