/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys by name, and the typist that presses them at a guest's pace.
 */
#include "src/pc/typist.h"

#include <errno.h>
#include <linux/input-event-codes.h>

#include <glib.h>

#include "tests/unit/fake_pc.h"

struct fixture {
    struct fake_pc pc;
    struct i8042 i8042;
    struct typist typist;
    unsigned ended;
    int result;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(i8042_init(&f->i8042, &f->pc.host, &f->pc.pio), ==, 0);
    fake_pc_outb(&f->pc, 0x64, 0x60); /* translate to set 1, as every BIOS has it */
    fake_pc_outb(&f->pc, 0x60, 0x41);
    typist_init(&f->typist, &f->i8042, &f->pc.host);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    typist_fini(&f->typist);
    fake_pc_fini(&f->pc);
}

static void done(void *context, int result)
{
    struct fixture *f = context;

    f->ended++;
    f->result = result;
}

static void press(struct fixture *f, unsigned hold_ms, const char *const *names)
{
    const struct key *key[LIMIT_KEYS];
    unsigned count = 0;

    for (; names[count]; count++) {
        key[count] = key_find(names[count]);
        g_assert_nonnull(key[count]);
    }
    typist_press(&f->typist, key, count, hold_ms, done, f);
}

#define PRESS(f, hold, ...) press((f), (hold), (const char *const[]){__VA_ARGS__, NULL})

/* What the guest reads until nothing is left. */
static char *heard(struct fixture *f)
{
    GString *bytes = g_string_new(NULL);

    while (fake_pc_inb(&f->pc, 0x64) & 1)
        g_string_append_printf(bytes, "%02x", fake_pc_inb(&f->pc, 0x60));
    return g_string_free(bytes, FALSE);
}

static void assert_heard(struct fixture *f, const char *expected)
{
    g_autofree char *bytes = heard(f);
    g_assert_cmpstr(bytes, ==, expected);
}

static void wait_end(struct fixture *f)
{
    for (unsigned i = 0; !f->ended && i < 1000; i++)
        lane_turn(f->pc.host.lane, 20);
    g_assert_cmpuint(f->ended, ==, 1);
}

static void test_stroke(struct fixture *f, gconstpointer data)
{
    (void)data;
    PRESS(f, 20, "KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_DELETE");
    g_assert_true(typist_busy(&f->typist));
    assert_heard(f, "1d38e053");
    wait_end(f);
    assert_heard(f, "e0d3b89d");
    g_assert_cmpint(f->result, ==, 0);
    g_assert_false(typist_busy(&f->typist));
}

static void test_special(struct fixture *f, gconstpointer data)
{
    static const struct {
        const char *name, *down_and_up;
    } special[] = {{"KEY_PAUSE", "e11d45e19dc5"},
                   {"KEY_SYSRQ", "e02ae037e0b7e0aa"},
                   {"KEY_F7", "41c1"},
                   {"KEY_RIGHTALT", "e038e0b8"},
                   {"KEY_KP5", "4ccc"},
                   {"KEY_102ND", "56d6"},
                   {"30", "1e9e"},
                   {"KEY_KPENTER", "e01ce09c"}};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(special); i++) {
        f->ended = 0;
        PRESS(f, 1, special[i].name);
        wait_end(f);
        assert_heard(f, special[i].down_and_up);
    }
}

/* Linux numbers the keys of the first PCs by what set 1 says for them. */
static void test_table(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (const struct key *key = key_table; key->name; key++) {
        g_assert_true(key_find(key->name) == key);
        for (const struct key *other = key + 1; other->name; other++) {
            g_assert_cmpuint(other->number, !=, key->number);
            g_assert_true(other->code != key->code || other->extended != key->extended ||
                          key->number == KEY_PAUSE || other->number == KEY_PAUSE);
        }
        if (key->number > KEY_KPDOT)
            continue;
        f->ended = 0;
        PRESS(f, 1, key->name);
        wait_end(f);
        g_autofree char *expected = g_strdup_printf("%02x%02x", key->number, key->number | 0x80);
        assert_heard(f, expected);
    }
    g_assert_null(key_find("KEY_ANY"));
    g_assert_null(key_find("9999"));
    g_assert_null(key_find(""));
    g_assert_null(key_find("30x"));
}

/* More keys than the keyboard's queue holds: the rest follows as the guest reads. */
static void test_slow_guest(struct fixture *f, gconstpointer data)
{
    GString *all = g_string_new(NULL);

    (void)data;
    PRESS(f, 1, "KEY_UP", "KEY_DOWN", "KEY_LEFT", "KEY_RIGHT", "KEY_HOME", "KEY_END", "KEY_INSERT",
          "KEY_DELETE", "KEY_PAGEUP", "KEY_PAGEDOWN", "KEY_PAUSE", "KEY_SYSRQ");
    for (unsigned i = 0; i < 1000 && !f->ended; i++) {
        g_autofree char *bytes = heard(f);
        g_string_append(all, bytes);
        lane_turn(f->pc.host.lane, 20);
    }
    g_autofree char *rest = heard(f);
    g_string_append(all, rest);
    g_assert_cmpint(f->result, ==, 0);
    g_assert_true(g_str_has_prefix(all->str, "e048e050e04be04de047e04fe052e053e049e051e11d45"));
    g_assert_true(g_str_has_suffix(all->str, "e0d3e0d2e0cfe0c7e0cde0cbe0d0e0c8"));
    g_string_free(all, TRUE);
}

/* A keyboard that its guest has switched off takes nothing, and the client hears of it. */
static void test_deaf_guest(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_outb(&f->pc, 0x60, 0xf5);
    PRESS(f, 1, "KEY_A");
    g_assert_true(typist_busy(&f->typist));
    f->typist.deadline = lane_now(); /* patience is over */
    wait_end(f);
    g_assert_cmpint(f->result, ==, -ETIMEDOUT);
}

static void test_end(struct fixture *f, gconstpointer data)
{
    (void)data;
    PRESS(f, 10000, "KEY_A");
    typist_fini(&f->typist);
    g_assert_cmpuint(f->ended, ==, 1);
    g_assert_cmpint(f->result, ==, -ECANCELED);
}

#define TEST(path, function) \
    g_test_add("/typist/" path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("stroke", test_stroke);
    TEST("special", test_special);
    TEST("table", test_table);
    TEST("slow-guest", test_slow_guest);
    TEST("deaf-guest", test_deaf_guest);
    TEST("end", test_end);
    return g_test_run();
}
