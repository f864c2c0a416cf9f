/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS configuration parameters: the address as Linux sets it, the keywords of Windows, and
 * parameters that lie.
 */
#include <glib.h>
#include <string.h>

#include "src/common/utf16.h"
#include "tests/unit/rndis_guest.h"

static const uint8_t own[6] = {0, 0x15, 0x5d, 1, 2, 3};
static const uint8_t changed[6] = {2, 0xab, 0xcd, 0xef, 0, 0x10};

struct parameter {
    struct ndis_config_parameter fixed;
    uint8_t text[1024];
} __attribute__((packed));

static void set_up(struct rndis_guest *guest)
{
    rndis_guest_init(guest, NDIS_6_30);
}

/* Name and value as Linux lays them out. */
static struct parameter parameter(const char *name, uint32_t type, const void *value, uint32_t len)
{
    struct parameter ret = {.fixed = {.name_offset = 20, .type = type, .value_length = len}};

    ret.fixed.name_length = 2 * (uint32_t)utf16_from_utf8(ret.text, 256, name);
    ret.fixed.value_offset = 20 + ret.fixed.name_length;
    if (len)
        memcpy(ret.text + ret.fixed.name_length, value, len);
    return ret;
}

/* Sent without a byte behind the value. */
static uint32_t send(struct rndis_guest *guest, const struct parameter *what)
{
    uint32_t len = what->fixed.value_offset + what->fixed.value_length;

    return rndis_guest_set(guest, OID_RNDIS_CONFIG_PARAMETER, what, MIN(len, sizeof(*what)));
}

static uint32_t set_text(struct rndis_guest *guest, const char *name, const char *value)
{
    uint8_t wire[512];
    int units = utf16_from_utf8(wire, sizeof(wire) / 2, value);
    struct parameter what = parameter(name, NDIS_CONFIG_STRING, wire, 2 * (uint32_t)units);

    return send(guest, &what);
}

static uint32_t set_number(struct rndis_guest *guest, const char *name, uint32_t value)
{
    struct parameter what = parameter(name, NDIS_CONFIG_INTEGER, &value, sizeof(value));

    return send(guest, &what);
}

/* --- Address --- */

/* `ip link set address` in a Linux guest. */
static void test_address(void)
{
    struct rndis_guest guest;

    set_up(&guest);
    rndis_guest_exchange(&guest,
                         "05000000 64000000 09000000 1b020100 48000000 14000000 00000000"
                         "14000000 1c000000 02000000 30000000 18000000"
                         "4e006500740077006f0072006b004100640064007200650073007300"
                         "300032006100620063006400650066003000300031003000",
                         "05000080 10000000 09000000 00000000");
    g_assert_cmpmem(guest.rndis.filter.mac, 6, changed, 6);
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_MAC | RNDIS_CHANGED_FILTER);
    g_assert_cmphex(rndis_guest_query(&guest, OID_CURRENT_ADDRESS), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer, guest.answer_len, changed, 6);
    g_assert_cmphex(rndis_guest_query(&guest, OID_PERMANENT_ADDRESS), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest.answer, guest.answer_len, own, 6);
    guest.rndis.filter.bits = RNDIS_FILTER_DIRECTED;
    g_assert_true(rndis_filter_pass(&guest.rndis.filter, changed));
    g_assert_true(rndis_filter_pass(&guest.rndis.filter, own));
}

/* Linux changes its MTU by HALT and INITIALIZE, and keeps the address; a new kernel does not. */
static void test_address_stays(void)
{
    struct rndis_guest guest;

    set_up(&guest);
    set_text(&guest, "NetworkAddress", "02ABCDEF0010");
    rndis_guest_exchange(&guest, "03000000 0c000000 00000000", "");
    rndis_halt(&guest.rndis);
    g_assert_cmpmem(guest.rndis.filter.mac, 6, changed, 6);
    rndis_init(&guest.rndis, own);
    g_assert_cmpmem(guest.rndis.filter.mac, 6, own, 6);
}

static void test_address_policy(void)
{
    struct rndis_guest guest;

    set_up(&guest);
    guest.rndis.mac_change = false;
    g_assert_cmphex(set_text(&guest, "NetworkAddress", "02abcdef0010"), ==, RNDIS_FAILURE);
    g_assert_cmpmem(guest.rndis.filter.mac, 6, own, 6);
    g_assert_cmphex(set_text(&guest, "NetworkAddress", "00155d010203"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

static void test_address_bad(void)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "02abcdef001",
                                      "02abcdef00101",
                                      "02abcdef001g",
                                      "02:ab:cd:ef:0:1",
                                      "02-ab-cd-ef-00-10",
                                      "000000000000",
                                      "ffffffffffff",
                                      "01005e000001",
                                      "\357\274\2202abcdef00",
                                      " 2abcdef0010",
                                      "0x2abcdef001"};
    struct rndis_guest guest;

    set_up(&guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmphex(set_text(&guest, "NetworkAddress", bad[i]), ==, RNDIS_INVALID_DATA);
    g_assert_cmphex(set_number(&guest, "NetworkAddress", 0x10203), ==, RNDIS_INVALID_DATA);
    g_assert_cmpmem(guest.rndis.filter.mac, 6, own, 6);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

/* --- Keywords --- */

static void test_keywords(void)
{
    static const struct {
        const char *name;
        uint32_t tx, rx;
    } keywords[] = {
        {"*IPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_IP4, RNDIS_OFFLOAD_RX_IP4},
        {"*TCPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_TCP4, RNDIS_OFFLOAD_RX_TCP4},
        {"*UDPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_UDP4, RNDIS_OFFLOAD_RX_UDP4},
        {"*TCPChecksumOffloadIPv6", RNDIS_OFFLOAD_TX_TCP6, RNDIS_OFFLOAD_RX_TCP6},
        {"*UDPChecksumOffloadIPv6", RNDIS_OFFLOAD_TX_UDP6, RNDIS_OFFLOAD_RX_UDP6},
        {"*LsoV2IPv4", RNDIS_OFFLOAD_LSO4, 0},
        {"*LsoV2IPv6", RNDIS_OFFLOAD_LSO6, 0},
    };
    struct rndis_guest guest;

    set_up(&guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(keywords); i++) {
        const uint32_t tx = keywords[i].tx, rx = keywords[i].rx;

        for (uint32_t value = 0; value < (rx ? 4 : 2); value++) {
            const char text[2] = {(char)('0' + value)};
            uint32_t expected = RNDIS_OFFLOAD_ALL & ~(value & 1 ? 0 : tx) & ~(value & 2 ? 0 : rx);

            g_assert_cmphex(set_text(&guest, keywords[i].name, text), ==, RNDIS_SUCCESS);
            g_assert_cmphex(guest.rndis.offload, ==, expected);
            g_assert_cmphex(set_number(&guest, keywords[i].name, value), ==, RNDIS_SUCCESS);
            g_assert_cmphex(guest.rndis.offload, ==, expected);
        }
        g_assert_cmphex(guest.rndis.offload, ==, RNDIS_OFFLOAD_ALL);
        g_assert_cmphex(set_text(&guest, keywords[i].name, rx ? "4" : "2"), ==, RNDIS_INVALID_DATA);
        g_assert_cmphex(set_number(&guest, keywords[i].name, 4), ==, RNDIS_INVALID_DATA);
        g_assert_cmphex(set_text(&guest, keywords[i].name, "on"), ==, RNDIS_INVALID_DATA);
        g_assert_cmphex(set_text(&guest, keywords[i].name, ""), ==, RNDIS_INVALID_DATA);
        g_assert_cmphex(set_text(&guest, keywords[i].name, "11"), ==, RNDIS_INVALID_DATA);
    }
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_OFFLOAD);
}

static void test_keyword_masked(void)
{
    struct rndis_guest guest;

    set_up(&guest);
    guest.rndis.can = RNDIS_OFFLOAD_TX_TCP4;
    rndis_init(&guest.rndis, own);
    guest.rndis.changed = 0;
    g_assert_cmphex(set_text(&guest, "*LsoV2IPv4", "1"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.offload, ==, RNDIS_OFFLOAD_TX_TCP4);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

static void test_unknown_keywords(void)
{
    struct rndis_guest guest;

    set_up(&guest);
    g_assert_cmphex(set_text(&guest, "*JumboPacket", "9014"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(set_text(&guest, "", "1"), ==, RNDIS_SUCCESS);
    g_assert_cmphex(set_number(&guest, "x", 77), ==, RNDIS_SUCCESS);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

/* --- Parameters that lie --- */

static void test_bounds(void)
{
    static const uint32_t pairs[][2] = {
        {UINT32_MAX, 1}, {20, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}, {72, 2},
        {73, 0},         {71, 2},          {0xfffffff0u, 0x20},      {0x80000000u, 0x80000000u}};
    static const uint8_t value[24];
    struct rndis_guest guest;

    set_up(&guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct parameter what = parameter("NetworkAddress", NDIS_CONFIG_STRING, value, 24);

        what.fixed.name_offset = pairs[i][0];
        what.fixed.name_length = pairs[i][1];
        g_assert_cmphex(rndis_guest_set(&guest, OID_RNDIS_CONFIG_PARAMETER, &what, 72), ==,
                        RNDIS_BUFFER_TOO_SHORT);
        what = parameter("NetworkAddress", NDIS_CONFIG_STRING, value, 24);
        what.fixed.value_offset = pairs[i][0];
        what.fixed.value_length = pairs[i][1];
        g_assert_cmphex(rndis_guest_set(&guest, OID_RNDIS_CONFIG_PARAMETER, &what, 72), ==,
                        RNDIS_BUFFER_TOO_SHORT);
    }
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

/* Everything fits the message, but not what it is for. */
static void test_long(void)
{
    struct parameter what = parameter("NetworkAddress", NDIS_CONFIG_STRING, changed, 6);
    struct rndis_guest guest;

    set_up(&guest);
    what.fixed.name_length = 130;
    g_assert_cmphex(rndis_guest_set(&guest, OID_RNDIS_CONFIG_PARAMETER, &what, sizeof(what)), ==,
                    RNDIS_INVALID_DATA);
    what.fixed.name_length = 128; /* goes on into the value: a name that nobody knows */
    g_assert_cmphex(rndis_guest_set(&guest, OID_RNDIS_CONFIG_PARAMETER, &what, sizeof(what)), ==,
                    RNDIS_SUCCESS);
    what.fixed.name_length = 28;
    what.fixed.value_length = 66;
    g_assert_cmphex(rndis_guest_set(&guest, OID_RNDIS_CONFIG_PARAMETER, &what, sizeof(what)), ==,
                    RNDIS_INVALID_DATA);
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

static void test_types(void)
{
    static const uint32_t types[] = {1, 3, 4, 0x80000000u, UINT32_MAX};
    struct rndis_guest guest;

    set_up(&guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        struct parameter what = parameter("*LsoV2IPv4", types[i], "\0\0\0", 4);

        g_assert_cmphex(send(&guest, &what), ==, RNDIS_INVALID_DATA);
    }
    for (uint32_t len = 0; len < 9; len++) {
        struct parameter what =
            parameter("*LsoV2IPv4", NDIS_CONFIG_INTEGER, "\0\0\0\0\0\0\0\0", len);

        g_assert_cmphex(send(&guest, &what), ==, len == 4 ? RNDIS_SUCCESS : RNDIS_INVALID_DATA);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rndis-config/address/linux", test_address);
    g_test_add_func("/rndis-config/address/stays", test_address_stays);
    g_test_add_func("/rndis-config/address/policy", test_address_policy);
    g_test_add_func("/rndis/attack/config/address", test_address_bad);
    g_test_add_func("/rndis-config/keywords/all", test_keywords);
    g_test_add_func("/rndis-config/keywords/masked", test_keyword_masked);
    g_test_add_func("/rndis-config/keywords/unknown", test_unknown_keywords);
    g_test_add_func("/rndis/attack/config/bounds", test_bounds);
    g_test_add_func("/rndis/attack/config/long", test_long);
    g_test_add_func("/rndis/attack/config/types", test_types);
    return g_test_run();
}
