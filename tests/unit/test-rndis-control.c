/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS control messages: what guests send when they come up, byte for byte, and messages that lie.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/rndis_guest.h"

/* --- Bring-up --- */

#define ZERO4  "00000000"
#define ZERO16 ZERO4 ZERO4 ZERO4 ZERO4
#define ZERO44 ZERO16 ZERO16 ZERO4 ZERO4 ZERO4

static void expect_name(struct rndis_guest *guest)
{
    uint8_t name[512] = {0};
    const char *text = "Network Adapter";

    for (unsigned i = 0; text[i]; i++)
        name[2 * i] = (uint8_t)text[i];
    g_assert_cmphex(rndis_guest_query(guest, OID_FRIENDLY_NAME), ==, RNDIS_SUCCESS);
    g_assert_cmpmem(guest->answer, guest->answer_len, name, sizeof(name));
}

/* hv_netvsc of 6.1 on NVSP 6.1, in its order. */
static void test_linux_6_1(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    rndis_guest_exchange(&guest, "02000000 18000000 01000000 01000000 00000000 00400000",
                         "02000080 34000000 01000000 00000000 01000000 00000000 01000000 00000000"
                         "08000000 ffffffef 03000000 00000000 00000000");
    g_assert_true(guest.rndis.initialised);
    rndis_guest_exchange(&guest, "04000000 1c000000 02000000 06010100 00000000 14000000 00000000",
                         "04000080 1c000000 02000000 00000000 04000000 10000000 dc050000");
    rndis_guest_exchange(&guest, "04000000 1c000000 03000000 01010101 00000000 14000000 00000000",
                         "04000080 1e000000 03000000 00000000 06000000 10000000 00155d010203");
    expect_name(&guest);
    rndis_guest_exchange(&guest,
                         "04000000 b8000000 05000000 0d0201fc 9c000000 14000000 00000000"
                         "a7039c00" ZERO44 ZERO44 ZERO44 ZERO16 ZERO4,
                         "04000080 b4000000 05000000 00000000 9c000000 10000000"
                         "a7039c00 02000000 55010000 02000000 55010000 02000000 55000000 02000000"
                         "55000000" ZERO44 "02000000 3cf50000 02000000 02000000 3cf50000 02000000"
                         "05000000 00000000" ZERO44);
    rndis_guest_exchange(&guest,
                         "05000000 38000000 06000000 0c0201fc 1c000000 14000000 00000000"
                         "80031c00 01040404 04000002 02000000 00000000 0000000000000000",
                         "05000080 10000000 06000000 00000000");
    g_assert_cmphex(guest.rndis.offload, ==,
                    RNDIS_OFFLOAD_ALL & ~(RNDIS_OFFLOAD_TX_IP4 | RNDIS_OFFLOAD_RX_IP4));
    rndis_guest_exchange(&guest, "04000000 1c000000 07000000 14010100 00000000 14000000 00000000",
                         "04000080 1c000000 07000000 00000000 04000000 10000000 00000000");
    rndis_guest_exchange(&guest, "04000000 1c000000 08000000 07010100 00000000 14000000 00000000",
                         "04000080 1c000000 08000000 00000000 04000000 10000000 00e1f505");
    rndis_guest_exchange(&guest,
                         "04000000 2e000000 09000000 03020100 12000000 14000000 00000000"
                         "88021200 00000000 00000000 00000000 0000",
                         "04000080 2a000000 09000000 00000000 12000000 10000000"
                         "88021200 01030000 04000000 04000000 8000");
    rndis_guest_exchange(&guest,
                         "05000000 20000000 0a000000 0e010100 04000000 14000000 00000000 0d000000",
                         "05000080 10000000 0a000000 00000000");
    g_assert_cmphex(guest.rndis.filter.bits, ==, 0xd);
    rndis_guest_exchange(&guest, "03000000 0c000000 0b000000", "");
    g_assert_cmphex(guest.rndis.filter.bits, ==, 0);
    g_assert_false(guest.rndis.initialised);
}

/* The same with NVSP 4 and 2: older structures, no speed, no RSS. */
static void test_linux_older(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_1);
    rndis_guest_exchange(&guest,
                         "04000000 ac000000 05000000 0d0201fc 90000000 14000000 00000000"
                         "a7029000" ZERO44 ZERO44 ZERO44 ZERO4 ZERO4,
                         "04000080 a8000000 05000000 00000000 90000000 10000000"
                         "a7029000 02000000 55010000 02000000 55010000 02000000 55000000 02000000"
                         "55000000" ZERO44 "02000000 3cf50000 02000000 02000000 3cf50000 02000000"
                         "05000000 00000000" ZERO16 ZERO16);
    rndis_guest_exchange(&guest,
                         "04000000 8c000000 05000000 0d0201fc 70000000 14000000 00000000"
                         "a7017000" ZERO44 ZERO44 ZERO16 ZERO4,
                         "04000080 88000000 05000000 00000000 70000000 10000000"
                         "a7017000 02000000 55010000 02000000 55010000 02000000 55000000 02000000"
                         "55000000" ZERO44 "02000000 3cf50000 02000000 02000000 3cf50000 02000000"
                         "05000000 00000000");
    rndis_guest_exchange(&guest,
                         "05000000 32000000 06000000 0c0201fc 16000000 14000000 00000000"
                         "80031600 01040404 04000001 01000000 00000000 0000",
                         "05000080 10000000 06000000 00000000");
    g_assert_cmphex(guest.rndis.offload & (RNDIS_OFFLOAD_LSO4 | RNDIS_OFFLOAD_LSO6), ==, 0);
    rndis_guest_exchange(&guest, "04000000 1c000000 07000000 03020100 00000000 14000000 00000000",
                         "04000080 18000000 07000000 bb0000c0 00000000 10000000");
}

/* iPXE: an OID is its own request id. */
static void test_ipxe(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_1);
    rndis_guest_exchange(&guest, "02000000 18000000 e110e110 01000000 00000000 00080000",
                         "02000080 34000000 e110e110 00000000 01000000 00000000 01000000 00000000"
                         "08000000 ffffffef 03000000 00000000 00000000");
    rndis_guest_exchange(&guest, "04000000 1c000000 01010101 01010101 00000000 14000000 00000000",
                         "04000080 1e000000 01010101 00000000 06000000 10000000 00155d010203");
    rndis_guest_exchange(&guest, "04000000 1c000000 02010101 02010101 00000000 14000000 00000000",
                         "04000080 1e000000 02010101 00000000 06000000 10000000 00155d010203");
    rndis_guest_exchange(&guest, "04000000 1c000000 14010100 14010100 00000000 14000000 00000000",
                         "04000080 1c000000 14010100 00000000 04000000 10000000 00000000");
    rndis_guest_exchange(&guest,
                         "05000000 20000000 0e010100 0e010100 04000000 14000000 00000000 2f000000",
                         "05000080 10000000 0e010100 00000000");
    g_assert_cmphex(guest.rndis.filter.bits, ==, 0x2f);
    rndis_guest_exchange(&guest, "03000000 0c000000 00000000", "");
    g_assert_cmphex(guest.rndis.filter.bits, ==, 0);
}

/* The first Linux driver, NDIS 5.0: takes nothing longer than it expects. */
static void test_lis_2009(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_5);
    guest.rndis.link = false;
    rndis_guest_exchange(&guest, "02000000 18000000 01000000 01000000 00000000 00080000",
                         "02000080 34000000 01000000 00000000 01000000 00000000 01000000 00000000"
                         "08000000 ffffffef 03000000 00000000 00000000");
    g_assert_cmphex(guest.rndis.offload, ==, 0);
    rndis_guest_exchange(&guest, "04000000 1c000000 02000000 01010101 00000000 14000000 00000000",
                         "04000080 1e000000 02000000 00000000 06000000 10000000 00155d010203");
    rndis_guest_exchange(&guest, "04000000 1c000000 03000000 14010100 00000000 14000000 00000000",
                         "04000080 1c000000 03000000 00000000 04000000 10000000 01000000");
    rndis_guest_exchange(&guest,
                         "05000000 20000000 04000000 0e010100 04000000 14000000 00000000 0d000000",
                         "05000080 10000000 04000000 00000000");
    rndis_guest_exchange(&guest, "03000000 0c000000 05000000", "");
}

/* --- Other messages --- */

static void test_keepalive(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    rndis_guest_exchange(&guest, "08000000 0c000000 78563412",
                         "08000080 10000000 78563412 00000000");
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

static void test_reset(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    rndis_guest_set32(&guest, OID_CURRENT_PACKET_FILTER, 5);
    guest.rndis.changed = 0;
    rndis_guest_exchange(&guest, "06000000 0c000000 00000000",
                         "06000080 10000000 00000000 00000000");
    g_assert_cmphex(guest.rndis.changed, ==, RNDIS_CHANGED_RESET);
    g_assert_cmphex(guest.rndis.filter.bits, ==, 5);
}

static void test_indications(void)
{
    static const uint8_t up[] = {7, 0, 0, 0, 20, 0, 0, 0, 0x0b, 0, 1, 0x40, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t faster[] = {7, 0, 0, 0, 24, 0, 0, 0, 0x13, 0,    1,    0x40,
                                     4, 0, 0, 0, 12, 0, 0, 0, 0,    0xe1, 0xf5, 5};
    static const uint8_t task[] = {7,   0, 0, 0, 176, 0, 0, 0, 6,    0, 2,   0x40,
                                   156, 0, 0, 0, 12,  0, 0, 0, 0xa7, 3, 156, 0};
    struct rndis_guest guest;
    uint8_t out[256];

    rndis_guest_init(&guest, NDIS_6_30);
    g_assert_cmpint(rndis_indicate_link(&guest.rndis, out, sizeof(out)), ==, sizeof(up));
    g_assert_cmpmem(out, sizeof(up), up, sizeof(up));
    guest.rndis.link = false;
    g_assert_cmpint(rndis_indicate_link(&guest.rndis, out, sizeof(out)), ==, sizeof(up));
    g_assert_cmphex(out[8], ==, 0x0c);
    g_assert_cmpint(rndis_indicate_speed(&guest.rndis, out, sizeof(out)), ==, sizeof(faster));
    g_assert_cmpmem(out, sizeof(faster), faster, sizeof(faster));
    g_assert_cmpint(rndis_indicate_offload(&guest.rndis, out, sizeof(out)), ==, 176);
    g_assert_cmpmem(out, sizeof(task), task, sizeof(task));
    g_assert_cmpint(rndis_indicate_link(&guest.rndis, out, 19), ==, -ENOSPC);
    g_assert_cmpint(rndis_indicate_offload(&guest.rndis, out, 175), ==, -ENOSPC);
}

/* --- State --- */

static void test_initialise_twice(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (unsigned i = 0; i < 2; i++) {
        rndis_guest_exchange(&guest, "02000000 18000000 01000000 01000000 00000000 00400000",
                             "02000080 34000000 01000000 00000000 01000000 00000000 01000000"
                             "00000000 08000000 ffffffef 03000000 00000000 00000000");
        g_assert_cmphex(guest.rndis.filter.bits, ==, 0);
        g_assert_true(guest.rndis.initialised);
        g_assert_cmphex(guest.rndis.changed & RNDIS_CHANGED_STATE, ==, RNDIS_CHANGED_STATE);
        rndis_guest_set32(&guest, OID_CURRENT_PACKET_FILTER, 0x2f);
        guest.rndis.changed = 0;
    }
}

static void test_initialise_version(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    rndis_guest_exchange(&guest, "02000000 18000000 01000000 02000000 00000000 00400000",
                         "02000080 34000000 01000000 040001c0 01000000 00000000 01000000 00000000"
                         "08000000 ffffffef 03000000 00000000 00000000");
    g_assert_false(guest.rndis.initialised);
    rndis_guest_exchange(&guest, "02000000 0c000000 01000000",
                         "02000080 34000000 01000000 040001c0 01000000 00000000 01000000 00000000"
                         "08000000 ffffffef 03000000 00000000 00000000");
}

/* --- Messages that lie --- */

static void test_message_length(void)
{
    static const uint32_t lengths[] = {0, 1, 7, 8, 11, 29, 4097, 0x80000000u, UINT32_MAX};
    struct rndis_request request = {.header = {RNDIS_QUERY, 0}, .oid = OID_LINK_SPEED};
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        request.header.length = lengths[i];
        g_assert_cmpint(rndis_guest_send(&guest, &request, sizeof(request)), ==, -EBADMSG);
    }
    request.header.length = sizeof(request);
    for (uint32_t len = 0; len < sizeof(request); len++)
        g_assert_cmpint(rndis_guest_send(&guest, &request, len), ==, -EBADMSG);
    g_assert_cmpint(rndis_guest_send(&guest, &request, sizeof(request)), ==, 28);
}

static void test_message_huge(void)
{
    struct rndis_guest guest;
    uint8_t message[RNDIS_MAX_CONTROL + 1] = {RNDIS_KEEPALIVE, 0, 0, 0, 12};

    rndis_guest_init(&guest, NDIS_6_30);
    g_assert_cmpint(rndis_guest_send(&guest, message, RNDIS_MAX_CONTROL), ==, 16);
    g_assert_cmpint(rndis_guest_send(&guest, message, RNDIS_MAX_CONTROL + 1), ==, -EBADMSG);
}

/* Long enough for a request id, too short for the rest: refused, but answered. */
static void test_request_cut(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    rndis_guest_exchange(&guest, "04000000 10000000 01000000 06010100",
                         "04000080 18000000 01000000 160001c0 00000000 10000000");
    rndis_guest_exchange(&guest, "05000000 1b000000 02000000 0e010100 04000000 14000000 000000",
                         "05000080 10000000 02000000 160001c0");
}

static void test_info_bounds(void)
{
    static const uint32_t pairs[][2] = {
        /* offset, length; 4 bytes at 20 are there */
        {20, 5},           {21, 4},         {24, 1},          {0, 4},     {19, 4},
        {UINT32_MAX, 1},   {UINT32_MAX, 4}, {20, UINT32_MAX}, {25, 4096}, {UINT32_MAX, UINT32_MAX},
        {20, 0xffffffecu}, {0xfffffff8u, 8}};
    struct {
        struct rndis_request request;
        uint32_t value;
    } __attribute__((packed)) message = {
        .request = {.header = {RNDIS_SET, 32}, .oid = OID_CURRENT_PACKET_FILTER},
        .value = 0x2f,
    };
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct rndis_complete reply;

        message.request.info_offset = pairs[i][0];
        message.request.info_length = pairs[i][1];
        g_assert_cmpint(rndis_guest_send(&guest, &message, sizeof(message)), ==, sizeof(reply));
        memcpy(&reply, guest.reply, sizeof(reply));
        g_assert_cmphex(reply.status, ==,
                        pairs[i][0] < 20 ? RNDIS_INVALID_DATA : RNDIS_BUFFER_TOO_SHORT);
        g_assert_cmphex(guest.rndis.filter.bits, ==, 0);
    }
}

static void test_unknown_messages(void)
{
    static const uint32_t types[] = {0, 1, 7, 10, 0x80000004u, 0xff000001u, UINT32_MAX};
    struct rndis_complete message = {.header = {0, sizeof(message)}};
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        message.header.type = types[i];
        g_assert_cmpint(rndis_guest_send(&guest, &message, sizeof(message)), ==, -EOPNOTSUPP);
    }
    /* SET_EX has an answer. */
    rndis_guest_exchange(&guest, "09000000 0c000000 05000000",
                         "09000080 10000000 05000000 bb0000c0");
}

static void test_no_room_for_reply(void)
{
    static const struct rndis_request request = {
        .header = {RNDIS_QUERY, sizeof(request)},
        .oid = OID_FRIENDLY_NAME,
        .info_offset = 20,
    };
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (uint32_t max = 0; max < 24 + 512; max++) {
        g_autofree uint8_t *reply = g_malloc(max + 1);

        g_assert_cmpint(
            rndis_control(&guest.rndis, (const uint8_t *)&request, sizeof(request), reply, max), ==,
            -ENOSPC);
    }
}

/* Each of very many requests is answered, and nothing piles up. */
static void test_flood(void)
{
    struct rndis_guest guest;

    rndis_guest_init(&guest, NDIS_6_30);
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t oid = i % 2 ? OID_SUPPORTED_LIST : 0x00010000u + i % 1024;
        uint32_t status = rndis_guest_query(&guest, oid);

        g_assert_true(status == RNDIS_SUCCESS || status == RNDIS_NOT_SUPPORTED);
    }
    g_assert_cmphex(guest.rndis.changed, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rndis-control/bring-up/linux-6.1", test_linux_6_1);
    g_test_add_func("/rndis-control/bring-up/linux-older", test_linux_older);
    g_test_add_func("/rndis-control/bring-up/ipxe", test_ipxe);
    g_test_add_func("/rndis-control/bring-up/lis-2009", test_lis_2009);
    g_test_add_func("/rndis-control/keepalive", test_keepalive);
    g_test_add_func("/rndis-control/reset", test_reset);
    g_test_add_func("/rndis-control/indications", test_indications);
    g_test_add_func("/rndis-control/initialise-version", test_initialise_version);
    g_test_add_func("/rndis/attack/control/initialise-twice", test_initialise_twice);
    g_test_add_func("/rndis/attack/control/message-length", test_message_length);
    g_test_add_func("/rndis/attack/control/message-huge", test_message_huge);
    g_test_add_func("/rndis/attack/control/request-cut", test_request_cut);
    g_test_add_func("/rndis/attack/control/info-bounds", test_info_bounds);
    g_test_add_func("/rndis/attack/control/unknown-messages", test_unknown_messages);
    g_test_add_func("/rndis/attack/control/no-room-for-reply", test_no_room_for_reply);
    g_test_add_func("/rndis/attack/control/flood", test_flood);
    return g_test_run();
}
