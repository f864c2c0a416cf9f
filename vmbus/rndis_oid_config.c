/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OID_GEN_RNDIS_CONFIG_PARAMETER: registry values of the miniport, by name.
 *
 * Linux changes its address by "NetworkAddress"; Windows says by the standard keywords which
 * offloads its administrator wants. Other keywords are the guest's own business and are accepted.
 */
#include <string.h>

#include "src/common/utf16.h"
#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

#define NAME_MAX_BYTES  128u /* the longest that we know has 48 */
#define VALUE_MAX_BYTES 64u
#define KEYWORD_TX      1u /* of a checksum keyword's value */
#define KEYWORD_RX      2u

struct parameter {
    char name[UTF16_UTF8_SIZE(NAME_MAX_BYTES)];
    char text[UTF16_UTF8_SIZE(VALUE_MAX_BYTES)]; /* of a string */
    uint32_t number;                             /* of an integer, or of a string of one digit */
    bool is_number;
};

/* --- Taking it apart */

static uint32_t take_number(const uint8_t *value, uint32_t length, struct parameter *ret)
{
    if (length != sizeof(ret->number))
        return RNDIS_INVALID_DATA;
    memcpy(&ret->number, value, sizeof(ret->number));
    ret->is_number = true;
    return RNDIS_SUCCESS;
}

static void take_text(const uint8_t *value, uint32_t length, struct parameter *ret)
{
    size_t len = utf16_to_utf8(ret->text, sizeof(ret->text), value, length);

    ret->is_number = len == 1 && ret->text[0] >= '0' && ret->text[0] <= '9';
    if (ret->is_number)
        ret->number = (uint32_t)(ret->text[0] - '0');
}

static uint32_t take(const struct rndis_info *info, struct parameter *ret)
{
    struct ndis_config_parameter wire;
    const uint8_t *name, *value;

    *ret = (struct parameter){0};
    if (rndis_info_take(info, &wire, sizeof(wire)) != RNDIS_SUCCESS)
        return RNDIS_BUFFER_TOO_SHORT;
    name = rndis_info_at(info, wire.name_offset, wire.name_length);
    value = rndis_info_at(info, wire.value_offset, wire.value_length);
    if (!name || !value)
        return RNDIS_BUFFER_TOO_SHORT;
    if (wire.name_length > NAME_MAX_BYTES || wire.value_length > VALUE_MAX_BYTES)
        return RNDIS_INVALID_DATA;
    utf16_to_utf8(ret->name, sizeof(ret->name), name, wire.name_length);
    if (wire.type == NDIS_CONFIG_INTEGER)
        return take_number(value, wire.value_length, ret);
    if (wire.type != NDIS_CONFIG_STRING)
        return RNDIS_INVALID_DATA;
    take_text(value, wire.value_length, ret);
    return RNDIS_SUCCESS;
}

/* --- NetworkAddress */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Twelve digits, and nothing else. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
    if (strlen(text) != 12)
        return false;
    for (unsigned i = 0; i < 6; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static uint32_t set_address(struct rndis *rndis, const struct parameter *parameter)
{
    static const uint8_t zero[6];
    uint8_t mac[6];

    if (!parse_mac(parameter->text, mac) || mac[0] & 1 || memcmp(mac, zero, 6) == 0)
        return RNDIS_INVALID_DATA;
    if (memcmp(mac, rndis->filter.mac, 6) == 0)
        return RNDIS_SUCCESS;
    if (!rndis->mac_change && memcmp(mac, rndis->filter.permanent, 6) != 0)
        return RNDIS_FAILURE;
    memcpy(rndis->filter.mac, mac, 6);
    rndis->changed |= RNDIS_CHANGED_MAC | RNDIS_CHANGED_FILTER;
    return RNDIS_SUCCESS;
}

/* --- Offloads */

static const struct {
    const char *name;
    uint32_t tx, rx; /* rx 0: on or off */
} keywords[] = {
    {"*IPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_IP4, RNDIS_OFFLOAD_RX_IP4},
    {"*TCPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_TCP4, RNDIS_OFFLOAD_RX_TCP4},
    {"*UDPChecksumOffloadIPv4", RNDIS_OFFLOAD_TX_UDP4, RNDIS_OFFLOAD_RX_UDP4},
    {"*TCPChecksumOffloadIPv6", RNDIS_OFFLOAD_TX_TCP6, RNDIS_OFFLOAD_RX_TCP6},
    {"*UDPChecksumOffloadIPv6", RNDIS_OFFLOAD_TX_UDP6, RNDIS_OFFLOAD_RX_UDP6},
    {"*LsoV2IPv4", RNDIS_OFFLOAD_LSO4, 0},
    {"*LsoV2IPv6", RNDIS_OFFLOAD_LSO6, 0},
};

static uint32_t set_keyword(struct rndis *rndis, unsigned which, const struct parameter *parameter)
{
    uint32_t tx = keywords[which].tx, rx = keywords[which].rx, on = 0;

    if (!parameter->is_number || parameter->number > (rx ? KEYWORD_TX | KEYWORD_RX : KEYWORD_TX))
        return RNDIS_INVALID_DATA;
    if (parameter->number & KEYWORD_TX)
        on |= tx;
    if (parameter->number & KEYWORD_RX)
        on |= rx;
    rndis_offload_apply(rndis, (rndis->offload & ~(tx | rx)) | on);
    return RNDIS_SUCCESS;
}

uint32_t rndis_set_config(struct rndis *rndis, const struct rndis_info *info)
{
    struct parameter parameter;
    uint32_t status = take(info, &parameter);

    if (status != RNDIS_SUCCESS)
        return status;
    if (strcmp(parameter.name, "NetworkAddress") == 0)
        return set_address(rndis, &parameter);
    for (unsigned i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strcmp(parameter.name, keywords[i].name) == 0)
            return set_keyword(rndis, i, &parameter);
    return RNDIS_SUCCESS;
}
