/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVP exchange messages, as they stand behind the integration service header (Linux
 * include/uapi/linux/hyperv.h, OpenVMM hyperv_ic_protocol; sizes compiled from the former).
 *
 * Strings are UTF-16LE; sizes are in bytes and count the NUL. Message versions 1.0 to 4.0 share
 * these layouts; 5.0 has binary addresses and is not offered.
 */
#ifndef VMBUSD_VMBUS_KVP_WIRE_H
#define VMBUSD_VMBUS_KVP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "src/common/limits.h"

enum kvp_operation {
    KVP_GET = 0,
    KVP_SET = 1,
    KVP_DELETE = 2,
    KVP_ENUMERATE = 3,
    KVP_GET_IP = 4,
    KVP_SET_IP = 5,
};

enum kvp_pool {
    KVP_POOL_EXTERNAL = 0, /* written by the host */
    KVP_POOL_GUEST = 1,
    KVP_POOL_AUTO = 2, /* the guest's facts about itself */
};

enum kvp_type {
    KVP_STRING = 1,
    KVP_EXPAND_STRING = 2,
    KVP_U32 = 4,
    KVP_U64_LINUX = 8,
    KVP_U64 = 11,
};

struct kvp_value {
    uint32_t type; /* enum kvp_type */
    uint32_t key_size, value_size;
    uint8_t key[LIMIT_KVP_KEY];
    uint8_t value[LIMIT_KVP_VALUE]; /* a string or a little-endian integer */
} __attribute__((packed));

struct kvp_set {
    uint8_t operation, pool; /* enum kvp_operation, enum kvp_pool */
    uint16_t pad;
    struct kvp_value pair;
} __attribute__((packed));

struct kvp_delete {
    uint8_t operation, pool;
    uint16_t pad;
    uint32_t key_size;
    uint8_t key[LIMIT_KVP_KEY];
} __attribute__((packed));

struct kvp_enumerate {
    uint8_t operation, pool;
    uint16_t pad;
    uint32_t index;
    struct kvp_value pair;
} __attribute__((packed));

#define KVP_FAMILY_IPV4 1u
#define KVP_FAMILY_IPV6 2u

/* Lists are separated by ';'. There is no padding: the body begins at offset 2. */
struct kvp_set_ip {
    uint8_t operation, pool;
    uint8_t adapter[128 * 2];
    uint8_t family;
    uint8_t dhcp;
    uint8_t address[1024 * 2];
    uint8_t netmask[1024 * 2];
    uint8_t gateway[512 * 2];
    uint8_t dns[1024 * 2];
} __attribute__((packed));

_Static_assert(sizeof(struct kvp_value) == 2572, "wire size");
_Static_assert(sizeof(struct kvp_set) == 2576, "wire size");
_Static_assert(sizeof(struct kvp_delete) == 520, "wire size");
_Static_assert(sizeof(struct kvp_enumerate) == 2580, "wire size");
_Static_assert(offsetof(struct kvp_set_ip, family) == 258, "wire offset");
_Static_assert(offsetof(struct kvp_set_ip, gateway) == 4356, "wire offset");
_Static_assert(sizeof(struct kvp_set_ip) == 7428, "wire size");

#endif
