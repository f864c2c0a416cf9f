/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus channel messages as they cross between guest and host.
 *
 * Little-endian, packed; sizes and offsets agree with Linux include/linux/hyperv.h, FreeBSD
 * vmbus_reg.h and OpenVMM vmbus_core. Every message begins with struct vmbus_header. Left out: what
 * only version 6.0 has (feature flags, client ids, pause and resume).
 */
#ifndef VMBUSD_VMBUS_PROTOCOL_H
#define VMBUSD_VMBUS_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "src/common/guid.h"
#include "vmbus/vsp.h"

enum vmbus_message_type {
    VMBUS_MSG_OFFER = 1,
    VMBUS_MSG_RESCIND = 2,
    VMBUS_MSG_REQUEST_OFFERS = 3,
    VMBUS_MSG_ALL_OFFERS_DELIVERED = 4,
    VMBUS_MSG_OPEN = 5,
    VMBUS_MSG_OPEN_RESULT = 6,
    VMBUS_MSG_CLOSE = 7,
    VMBUS_MSG_GPADL_HEADER = 8,
    VMBUS_MSG_GPADL_BODY = 9,
    VMBUS_MSG_GPADL_CREATED = 10,
    VMBUS_MSG_GPADL_TEARDOWN = 11,
    VMBUS_MSG_GPADL_TORNDOWN = 12,
    VMBUS_MSG_RELID_RELEASED = 13,
    VMBUS_MSG_INITIATE_CONTACT = 14,
    VMBUS_MSG_VERSION_RESPONSE = 15,
    VMBUS_MSG_UNLOAD = 16,
    VMBUS_MSG_UNLOAD_RESPONSE = 17,
    VMBUS_MSG_OPEN_RESERVED = 18,
    VMBUS_MSG_CLOSE_RESERVED = 19,
    VMBUS_MSG_CLOSE_RESERVED_RESPONSE = 20,
    VMBUS_MSG_TL_CONNECT = 21,
    VMBUS_MSG_MODIFY_CHANNEL = 22,
    VMBUS_MSG_TL_CONNECT_RESULT = 23,
    VMBUS_MSG_MODIFY_CHANNEL_RESPONSE = 24,
    VMBUS_MSG_TYPES
};

#define VMBUS_STATUS_SUCCESS            0u
#define VMBUS_STATUS_FAILURE            0x8000ffffu
#define VMBUS_STATUS_CONNECTION_REFUSED 0xc0000236u

#define VMBUS_STATE_OK      0u /* connection state byte of VERSION_RESPONSE */
#define VMBUS_STATE_FAILURE 2u

#define VMBUS_VP_NONE              0xffffffffu /* target VP of a channel that never interrupts */
#define VMBUS_MONITOR_NONE         0xffu
#define VMBUS_INTERRUPT_PAGE_HALF  2048u /* host->guest bits, then guest->host bits */
#define VMBUS_RING_FEATURES_OFFSET 64u   /* feature bits in a ring's control page */

/* A type whose layout the wire fixes. */
#define VMBUS_WIRE_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "wire size")
#define VMBUS_WIRE_OFFSET(type, member, offset) \
    _Static_assert(offsetof(struct type, member) == (offset), "wire offset")

struct vmbus_header {
    uint32_t type; /* enum vmbus_message_type */
    uint32_t reserved;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_header, 8);

struct vmbus_msg_offer {
    struct vmbus_header header;
    struct guid interface;
    struct guid instance;
    uint8_t reserved0[16];
    uint16_t flags; /* VMBUS_OFFER_* */
    uint16_t mmio_mib;
    uint8_t user_data[VMBUS_USER_DATA]; /* pipes: u32 pipe type first */
    uint16_t index;                     /* 0 = primary */
    uint16_t reserved1;
    uint32_t relid;
    uint8_t monitor_id;
    uint8_t monitor_allocated;
    uint16_t dedicated;  /* the guest signals `connection`; 1.1 and later read it */
    uint32_t connection; /* connection id for HvSignalEvent */
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_offer, 196);
VMBUS_WIRE_OFFSET(vmbus_msg_offer, flags, 56);
VMBUS_WIRE_OFFSET(vmbus_msg_offer, user_data, 60);
VMBUS_WIRE_OFFSET(vmbus_msg_offer, index, 180);
VMBUS_WIRE_OFFSET(vmbus_msg_offer, relid, 184);
VMBUS_WIRE_OFFSET(vmbus_msg_offer, dedicated, 190);

/* RESCIND, CLOSE, RELID_RELEASED, CLOSE_RESERVED_RESPONSE: nothing but the channel. */
struct vmbus_msg_relid {
    struct vmbus_header header;
    uint32_t relid;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_relid, 12);

struct vmbus_msg_open {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t open_id; /* echoed */
    uint32_t gpadl;
    uint32_t target_vp;
    uint32_t downstream_page; /* first page of the host->guest ring in the GPADL */
    uint8_t user_data[VMBUS_USER_DATA];
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_open, 148);

struct vmbus_msg_open_result {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t open_id;
    uint32_t status;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_open_result, 20);

/* GPADL_HEADER and GPADL_BODY: the list, or the next part of it, follows. */
struct vmbus_msg_gpadl_header {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t gpadl;
    uint16_t bytes;  /* of the whole range list, over header and bodies */
    uint16_t ranges; /* in the list */
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_gpadl_header, 20);

struct vmbus_msg_gpadl_body {
    struct vmbus_header header;
    uint32_t number; /* Linux leaves 0: not looked at */
    uint32_t gpadl;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_gpadl_body, 16);

struct vmbus_msg_gpadl_created {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t gpadl;
    uint32_t status;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_gpadl_created, 20);

struct vmbus_msg_gpadl_teardown {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t gpadl;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_gpadl_teardown, 16);

struct vmbus_msg_gpadl_torndown {
    struct vmbus_header header;
    uint32_t gpadl;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_gpadl_torndown, 12);

struct vmbus_msg_initiate_contact {
    struct vmbus_header header;
    uint32_t version;
    uint32_t target_vp;
    union {
        uint64_t interrupt_page; /* below 5.0; in use below 2.4 */
        struct {
            uint8_t sint, vtl; /* 5.0 and later, when posted on connection 4 */
        } __attribute__((packed));
    } __attribute__((packed));
    uint64_t monitor_out; /* host->guest */
    uint64_t monitor_in;  /* guest->host */
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_initiate_contact, 40);
VMBUS_WIRE_OFFSET(vmbus_msg_initiate_contact, vtl, 17);
VMBUS_WIRE_OFFSET(vmbus_msg_initiate_contact, monitor_out, 24);

struct vmbus_msg_version_response {
    struct vmbus_header header;
    uint8_t supported;
    uint8_t state; /* VMBUS_STATE_*; guests of 2.4 and later read it */
    uint16_t reserved;
    uint32_t connection; /* 5.0 and later: where to post from now on; before: the version */
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_version_response, 16);

/* OPEN_RESERVED begins like CLOSE_RESERVED. */
struct vmbus_msg_reserved {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t target_vp;
    uint32_t sint;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_reserved, 20);

#define VMBUS_OPEN_RESERVED_SIZE 28u /* two more words: GPADL, downstream page */

struct vmbus_msg_tl_connect {
    struct vmbus_header header;
    struct guid endpoint;
    struct guid service;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_tl_connect, 40);

struct vmbus_msg_tl_connect_result {
    struct vmbus_header header;
    struct guid endpoint;
    struct guid service;
    uint32_t status;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_tl_connect_result, 44);

struct vmbus_msg_modify_channel {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t target_vp;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_modify_channel, 16);

struct vmbus_msg_modify_channel_response {
    struct vmbus_header header;
    uint32_t relid;
    uint32_t status;
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_msg_modify_channel_response, 16);

/* One range of a GPADL's list; its PFNs follow. */
struct vmbus_gpa_range {
    uint32_t bytes;
    uint32_t offset; /* in the first page */
} __attribute__((packed));
VMBUS_WIRE_SIZE(vmbus_gpa_range, 8);

#endif
