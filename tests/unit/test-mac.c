/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet addresses as text. */
#include "src/common/mac.h"

#include <glib.h>

static void test_round_trip(void)
{
    static const uint8_t expected[6] = {0x52, 0x54, 0x00, 0xab, 0xCD, 0xef};
    uint8_t mac[6];
    char text[MAC_TEXT];

    g_assert_true(mac_parse("52:54:00:aB:cd:EF", mac));
    g_assert_cmpmem(mac, 6, expected, 6);
    mac_print(mac, text);
    g_assert_cmpstr(text, ==, "52:54:00:ab:cd:ef");
}

static void test_refused(void)
{
    static const char *const texts[] = {"",
                                        "5",
                                        "52:54:00:ab:cd",
                                        "52:54:00:ab:cd:",
                                        "52:54:00:ab:cd:e",
                                        "52:54:00:ab:cd:ef:",
                                        "52:54:00:ab:cd:ef0",
                                        "52-54-00-ab-cd-ef",
                                        "52:54:00:.b:cd:ef", /* once a shift of -1 */
                                        "52:54:00:b.:cd:ef",
                                        " 52:54:00:ab:cd:ef",
                                        "52:54:00:ag:cd:ef",
                                        "52:54:00:a\xe2:cd:ef"};
    uint8_t mac[6] = {1, 2, 3, 4, 5, 6};
    static const uint8_t before[6] = {1, 2, 3, 4, 5, 6};

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_assert_false(mac_parse(texts[i], mac));
    g_assert_cmpmem(mac, 6, before, 6);
}

static void test_station(void)
{
    g_assert_true(mac_is_station((const uint8_t[6]){0x02, 0, 0, 0, 0, 0}));
    g_assert_false(mac_is_station((const uint8_t[6]){0x01, 0, 0x5e, 0, 0, 1}));
    g_assert_false(mac_is_station((const uint8_t[6]){0}));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mac/round-trip", test_round_trip);
    g_test_add_func("/mac/refused", test_refused);
    g_test_add_func("/mac/station", test_station);
    return g_test_run();
}
