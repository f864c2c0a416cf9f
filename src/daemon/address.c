/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses and subnets as values: see address.h.
 */
#include "src/daemon/address.h"

#include <string.h>

#include <arpa/inet.h>

unsigned address_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

bool address_parse(const char *text, struct address *ret_address)
{
    struct address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

    if (inet_pton(address.family, text, address.b) != 1)
        return false;
    *ret_address = address;
    return true;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT])
{
    if (!address->family || !inet_ntop(address->family, address->b, text, ADDRESS_TEXT))
        memcpy(text, "-", sizeof("-"));
}

static bool bit(const struct address *address, unsigned index)
{
    return address->b[index / 8] >> (7 - index % 8) & 1;
}

int address_mask_prefix(const struct address *mask)
{
    unsigned bits = address_bits(mask->family), prefix = 0;

    while (prefix < bits && bit(mask, prefix))
        prefix++;
    for (unsigned i = prefix; i < bits; i++)
        if (bit(mask, i))
            return -1;
    return (int)prefix;
}

/* With every bit behind the prefix set to `value`. */
static struct address fill(const struct address *address, unsigned prefix, bool value)
{
    struct address result = *address;

    for (unsigned i = prefix; i < address_bits(address->family); i++) {
        uint8_t mask = (uint8_t)(0x80 >> i % 8);

        result.b[i / 8] = (uint8_t)(value ? result.b[i / 8] | mask : result.b[i / 8] & ~mask);
    }
    return result;
}

struct address address_first(const struct address *address, unsigned prefix)
{
    return fill(address, prefix, false);
}

struct address address_last(const struct address *address, unsigned prefix)
{
    return fill(address, prefix, true);
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && address_compare(a, b) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    return memcmp(a->b, b->b, address_bits(a->family) / 8);
}

bool address_same_net(const struct address *a, const struct address *b, unsigned prefix)
{
    struct address left = address_first(a, prefix), right = address_first(b, prefix);

    return address_equal(&left, &right);
}

bool address_is_host(const struct address *address, const struct address *net, unsigned prefix)
{
    struct address first = address_first(net, prefix), last = address_last(net, prefix);

    if (!address_same_net(address, net, prefix))
        return false;
    if (prefix + 1 >= address_bits(net->family))
        return true; /* point to point (RFC 3021, RFC 6164): every address is a host's */
    return !address_equal(address, &first) &&
           (net->family == AF_INET6 || !address_equal(address, &last));
}

bool address_is_unicast(const struct address *address)
{
    static const uint8_t zero[16], loopback[16] = {[15] = 1};

    if (address->family == AF_INET)
        return address->b[0] != 0 && address->b[0] != 127 && address->b[0] < 224;
    return address->b[0] != 0xff && memcmp(address->b, zero, 16) != 0 &&
           memcmp(address->b, loopback, 16) != 0;
}
