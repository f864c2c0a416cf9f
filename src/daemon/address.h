/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses and subnets as values, IPv4 and IPv6 alike.
 */
#ifndef VMBUSD_DAEMON_ADDRESS_H
#define VMBUSD_DAEMON_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#define ADDRESS_TEXT INET6_ADDRSTRLEN

struct address {
    int family; /* AF_INET, AF_INET6 or 0: none */
    uint8_t b[16];
};

/* Bits of the family's addresses. */
unsigned address_bits(int family);

/* Parse the usual text of either family; false if it is none. */
bool address_parse(const char *text, struct address *ret_address);

void address_format(const struct address *address, char text[ADDRESS_TEXT]);

/* Prefix length of a netmask, or -1 if its bits are not all on the left. */
int address_mask_prefix(const struct address *mask);

/* The first or the last address of the subnet. */
struct address address_first(const struct address *address, unsigned prefix);
struct address address_last(const struct address *address, unsigned prefix);

bool address_equal(const struct address *a, const struct address *b);

/* As memcmp(), of one family. */
int address_compare(const struct address *a, const struct address *b);

/* True if both are of one family and equal in the first `prefix` bits. */
bool address_same_net(const struct address *a, const struct address *b, unsigned prefix);

/* True if a host of the subnet may have it: in it, and neither its network nor broadcast address
 * (where the family and the prefix have these). */
bool address_is_host(const struct address *address, const struct address *net, unsigned prefix);

/* True for an address that a host interface may be given: not unspecified, loopback or multicast.
 */
bool address_is_unicast(const struct address *address);

#endif
