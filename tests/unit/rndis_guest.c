/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's side of RNDIS control, for tests.
 */
#include "tests/unit/rndis_guest.h"

#include <glib.h>
#include <string.h>

void rndis_guest_init(struct rndis_guest *guest, uint32_t ndis)
{
    memset(guest, 0, sizeof(*guest));
    guest->rndis = (struct rndis){
        .mac_change = true,
        .can = RNDIS_OFFLOAD_ALL,
        .mtu = 1500,
        .speed = 10000000000ull,
        .link = true,
        .ndis = ndis,
        .queues = 4,
        .channels = 4,
        .name = "Network Adapter",
    };
    rndis_init(&guest->rndis, (const uint8_t *)GUEST_MAC);
    guest->rndis.changed = 0;
}

int rndis_guest_send(struct rndis_guest *guest, const void *message, uint32_t len)
{
    g_autofree uint8_t *exact = g_memdup2(len ? message : "", len ? len : 1);
    int ret = rndis_control(&guest->rndis, exact, len, guest->reply, sizeof(guest->reply));

    guest->reply_len = ret > 0 ? (uint32_t)ret : 0;
    return ret;
}

static uint8_t *unhex(const char *text, uint32_t *ret_len)
{
    uint8_t *bytes = g_malloc(strlen(text) / 2 + 1);

    *ret_len = 0;
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        bytes[(*ret_len)++] =
            (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text++;
    }
    return bytes;
}

void rndis_guest_exchange(struct rndis_guest *guest, const char *request, const char *reply)
{
    uint32_t request_len, reply_len;
    g_autofree uint8_t *out = unhex(request, &request_len);
    g_autofree uint8_t *in = unhex(reply, &reply_len);

    g_assert_cmpint(rndis_guest_send(guest, out, request_len), ==, (int)reply_len);
    g_assert_cmpmem(guest->reply, guest->reply_len, in, reply_len);
}

/* Send a QUERY or SET; the reply's status. */
static uint32_t ask(struct rndis_guest *guest, uint32_t type, uint32_t oid, const void *info,
                    uint32_t len)
{
    static uint32_t next_id = 1;
    const struct rndis_request fixed = {
        .header = {type, (uint32_t)sizeof(fixed) + len},
        .request_id = next_id++,
        .oid = oid,
        .info_length = len,
        .info_offset = RNDIS_BEHIND(struct rndis_request),
    };
    g_autofree uint8_t *message = g_malloc(sizeof(fixed) + len);
    struct rndis_complete head;

    memcpy(message, &fixed, sizeof(fixed));
    if (len)
        memcpy(message + sizeof(fixed), info, len);
    g_assert_cmpint(rndis_guest_send(guest, message, fixed.header.length), >=, sizeof(head));
    memcpy(&head, guest->reply, sizeof(head));
    g_assert_cmphex(head.header.type, ==, type | RNDIS_COMPLETE);
    g_assert_cmpuint(head.header.length, ==, guest->reply_len);
    g_assert_cmpuint(head.request_id, ==, fixed.request_id);
    return head.status;
}

uint32_t rndis_guest_query(struct rndis_guest *guest, uint32_t oid)
{
    uint32_t status = ask(guest, RNDIS_QUERY, oid, NULL, 0);
    struct rndis_query_complete head;

    g_assert_cmpuint(guest->reply_len, >=, sizeof(head));
    memcpy(&head, guest->reply, sizeof(head));
    g_assert_cmpuint(head.info_offset, ==, 16);
    g_assert_cmpuint(head.info_length, ==, guest->reply_len - sizeof(head));
    if (status != RNDIS_SUCCESS)
        g_assert_cmpuint(head.info_length, ==, 0);
    guest->answer = guest->reply + sizeof(head);
    guest->answer_len = head.info_length;
    return status;
}

uint32_t rndis_guest_set(struct rndis_guest *guest, uint32_t oid, const void *info, uint32_t len)
{
    uint32_t status = ask(guest, RNDIS_SET, oid, info, len);

    g_assert_cmpuint(guest->reply_len, ==, sizeof(struct rndis_complete));
    return status;
}

uint32_t rndis_guest_set32(struct rndis_guest *guest, uint32_t oid, uint32_t value)
{
    return rndis_guest_set(guest, oid, &value, sizeof(value));
}

uint32_t rndis_guest_get32(struct rndis_guest *guest, uint32_t oid)
{
    uint32_t value;

    g_assert_cmphex(rndis_guest_query(guest, oid), ==, RNDIS_SUCCESS);
    g_assert_cmpuint(guest->answer_len, ==, sizeof(value));
    memcpy(&value, guest->answer, sizeof(value));
    return value;
}
