/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the UTF-16 conversions: strict one way, forgiving the other, never past a buffer.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "src/common/utf16.h"

static void test_round_trip(void)
{
    static const char *const texts[] = {
        "", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\xf4\x8f\xbf\xbf z"};
    uint8_t wire[64];
    char text[64];

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        int units = utf16_from_utf8(wire, sizeof(wire) / 2, texts[i]);

        g_assert_cmpint(units, ==, g_utf8_strlen(texts[i], -1) + (i >= 4));
        g_assert_cmpuint(utf16_to_utf8(text, sizeof(text), wire, sizeof(wire)), ==,
                         strlen(texts[i]));
        g_assert_cmpstr(text, ==, texts[i]);
    }
}

static void test_not_utf8(void)
{
    static const char *const texts[] = {
        "\x80",         "\xff",     "\xc0\x80",         "\xc1\xbf",         "\xc3",
        "\xc3(",        "\xe2\x82", "\xe0\x80\x80",     "\xed\xa0\x80",     "\xf0\x80\x80\x80",
        "\xf0\x9f\x98", "ok\xf8",   "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
    };
    uint8_t wire[32];

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_cmpint(utf16_from_utf8(wire, sizeof(wire) / 2, texts[i]), ==, -EINVAL);
}

static void test_too_long(void)
{
    uint8_t wire[8];

    g_assert_cmpint(utf16_from_utf8(wire, 4, "abc"), ==, 3);
    memset(wire, 0xff, sizeof(wire));
    g_assert_cmpint(utf16_from_utf8(wire, 3, "abc"), ==, -EMSGSIZE);
    g_assert_cmpmem(wire, 8, "a\0b\0\0\0\xff\xff", 8);
    g_assert_cmpint(utf16_from_utf8(wire, 3, "a\xf0\x9f\x98\x80"), ==, -EMSGSIZE);
    g_assert_cmpmem(wire, 4, "a\0\0\0", 4); /* no half pair */
    g_assert_cmpint(utf16_from_utf8(wire, 1, ""), ==, 0);
    g_assert_cmpint(utf16_from_utf8(wire, 1, "a"), ==, -EMSGSIZE);
}

static void check(const char *wire, size_t bytes, const char *expected)
{
    uint8_t *copy = g_memdup2(wire, bytes); /* exactly as long, for the sanitizer */
    char text[32];

    g_assert_cmpuint(utf16_to_utf8(text, sizeof(text), copy, bytes), ==, strlen(expected));
    g_assert_cmpstr(text, ==, expected);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_free(copy);
}

static void test_hostile(void)
{
    check("a\0b\0", 4, "ab");           /* no NUL */
    check("a\0b", 3, "a");              /* odd */
    check("", 0, "");                   /* nothing */
    check("a\0\0\0b\0", 6, "a");        /* NUL within */
    check("\0\xd8", 2, "\xef\xbf\xbd"); /* high half, then the end */
    check("\0\xd8"
          "a\0",
          4,
          "\xef\xbf\xbd"
          "a");
    check("\0\xdc"
          "a\0",
          4,
          "\xef\xbf\xbd"
          "a");
    check("\0\xd8\0\xd8\0\xdc", 6, "\xef\xbf\xbd\xf0\x90\x80\x80");
    check("\x1b\0[\0\n\0\x7f\0\x9b\0", 10,
          "\xef\xbf\xbd[\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* terminal escapes */
}

static void test_cut(void)
{
    char text[4];

    g_assert_cmpuint(utf16_to_utf8(text, 4, (const uint8_t *)"a\0b\0\xac\x20", 6), ==, 2);
    g_assert_cmpstr(text, ==, "ab");
    g_assert_cmpuint(utf16_to_utf8(text, 1, (const uint8_t *)"a\0", 2), ==, 0);
    g_assert_cmpstr(text, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/utf16/round-trip", test_round_trip);
    g_test_add_func("/utf16/not-utf8", test_not_utf8);
    g_test_add_func("/utf16/too-long", test_too_long);
    g_test_add_func("/utf16/hostile", test_hostile);
    g_test_add_func("/utf16/cut", test_cut);
    return g_test_run();
}
