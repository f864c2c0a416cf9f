/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GUIDs: text and wire order.
 */
#include "src/common/guid.h"

#include <glib.h>

#define TEXT "ba6163d9-04a1-4d29-b605-72e2ffb1dc7f" /* the storvsp interface type */

static const struct guid storvsp =
    GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f);

static void test_wire_order(void)
{
    static const uint8_t wire[16] = {0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d,
                                     0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f};

    g_assert_cmpmem(&storvsp, sizeof(storvsp), wire, sizeof(wire));
}

static void test_format(void)
{
    char text[GUID_TEXT_SIZE];

    guid_format(&storvsp, text);
    g_assert_cmpstr(text, ==, TEXT);
}

static void test_parse(void)
{
    static const char *const good[] = {TEXT, "BA6163D9-04A1-4D29-B605-72E2FFB1DC7F", "{" TEXT "}"};

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        struct guid guid = {0};
        g_assert_true(guid_parse(good[i], &guid));
        g_assert_true(guid_equal(&guid, &storvsp));
    }
}

static void test_parse_bad(void)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{}",
                                      "ba6163d9",
                                      "ba6163d9-04a1-4d29-b605-72e2ffb1dc7",
                                      TEXT "0",
                                      TEXT " ",
                                      " " TEXT,
                                      "{" TEXT,
                                      TEXT "}",
                                      "{" TEXT "}}",
                                      "ba6163d904a14d29b60572e2ffb1dc7f",
                                      "ba6163d9-04a1-4d29-b60572e2-ffb1dc7f",
                                      "ga6163d9-04a1-4d29-b605-72e2ffb1dc7f",
                                      "+a6163d9-04a1-4d29-b605-72e2ffb1dc7f"};

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        /* On the heap at its exact size, so that a look past the end is seen. */
        g_autofree char *text = g_strdup(bad[i]);
        struct guid guid = storvsp;
        g_assert_false(guid_parse(text, &guid));
        g_assert_true(guid_equal(&guid, &storvsp));
    }
}

static void test_compare(void)
{
    struct guid larger = storvsp;

    larger.b[15]++;
    g_assert_cmpint(guid_compare(&storvsp, &larger), <, 0);
    g_assert_cmpint(guid_compare(&larger, &storvsp), >, 0);
    g_assert_cmpint(guid_compare(&storvsp, &storvsp), ==, 0);
    g_assert_false(guid_equal(&storvsp, &larger));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guid/wire-order", test_wire_order);
    g_test_add_func("/guid/format", test_format);
    g_test_add_func("/guid/parse", test_parse);
    g_test_add_func("/guid/parse-bad", test_parse_bad);
    g_test_add_func("/guid/compare", test_compare);
    return g_test_run();
}
