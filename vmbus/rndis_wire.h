/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS messages as they stand on the wire, their per-packet info and status codes.
 *
 * Sources: [MS-RNDIS], Linux drivers/net/hyperv/hyperv_net.h (sizes compiled from it), OpenVMM's
 * netvsp. Everything is little-endian; "offset" fields count from behind struct rndis_header.
 * The OIDs are in rndis_oid_wire.h.
 */
#ifndef VMBUSD_VMBUS_RNDIS_WIRE_H
#define VMBUSD_VMBUS_RNDIS_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum rndis_type {
    RNDIS_PACKET = 1,
    RNDIS_INITIALIZE = 2,
    RNDIS_HALT = 3,
    RNDIS_QUERY = 4,
    RNDIS_SET = 5,
    RNDIS_RESET = 6,
    RNDIS_INDICATE = 7,
    RNDIS_KEEPALIVE = 8,
    RNDIS_SET_EX = 9,
};

#define RNDIS_COMPLETE 0x80000000u /* | type of the request */

/* Of requests. */
#define RNDIS_SUCCESS          0x00000000u
#define RNDIS_FAILURE          0xc0000001u
#define RNDIS_NOT_SUPPORTED    0xc00000bbu
#define RNDIS_BAD_VERSION      0xc0010004u
#define RNDIS_MULTICAST_FULL   0xc0010009u
#define RNDIS_INVALID_DATA     0xc0010015u
#define RNDIS_BUFFER_TOO_SHORT 0xc0010016u /* less information than the OID has */

/* Of indications. */
#define RNDIS_MEDIA_CONNECT     0x4001000bu
#define RNDIS_MEDIA_DISCONNECT  0x4001000cu
#define RNDIS_LINK_SPEED_CHANGE 0x40010013u /* u32: new speed in 100 bit/s */
#define RNDIS_OFFLOAD_CHANGE    0x40020006u /* an offload structure */

#define RNDIS_MAJOR           1u
#define RNDIS_CONNECTIONLESS  1u
#define RNDIS_MEDIUM_ETHERNET 0u
#define RNDIS_PACKETS         8u          /* data messages in one packet, at most */
#define RNDIS_ALIGNMENT_SHIFT 3u          /* of all but the first of them */
#define RNDIS_MAX_TRANSFER    0xefffffffu /* what OpenVMM says: no limit of our own */

struct rndis_header {
    uint32_t type;   /* enum rndis_type, | RNDIS_COMPLETE */
    uint32_t length; /* of the whole message */
} __attribute__((packed));

struct rndis_data {
    struct rndis_header header;
    uint32_t data_offset, data_length;
    uint32_t oob_offset, oob_length, oob_count;
    uint32_t info_offset, info_length; /* per-packet info */
    uint32_t vc_handle, reserved;
} __attribute__((packed));

struct rndis_initialize {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t major, minor;
    uint32_t max_transfer;
} __attribute__((packed));

struct rndis_initialize_complete {
    struct rndis_header header;
    uint32_t request_id, status;
    uint32_t major, minor;
    uint32_t flags, medium;
    uint32_t max_packets, max_transfer;
    uint32_t alignment_shift;
    uint32_t families_offset, families_size; /* only of connection-oriented media */
} __attribute__((packed));

/* QUERY and SET. */
struct rndis_request {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t oid;
    uint32_t info_length, info_offset;
    uint32_t vc_handle;
} __attribute__((packed));

struct rndis_query_complete {
    struct rndis_header header;
    uint32_t request_id, status;
    uint32_t info_length, info_offset;
} __attribute__((packed));

/* SET and KEEPALIVE. */
struct rndis_complete {
    struct rndis_header header;
    uint32_t request_id, status;
} __attribute__((packed));

struct rndis_reset_complete {
    struct rndis_header header;
    uint32_t status;
    uint32_t addressing_reset; /* 1: filter and multicast list are to be set again */
} __attribute__((packed));

struct rndis_indicate {
    struct rndis_header header;
    uint32_t status;
    uint32_t info_length, info_offset;
} __attribute__((packed));

_Static_assert(sizeof(struct rndis_data) == 44, "wire size");
_Static_assert(offsetof(struct rndis_data, info_offset) == 28, "wire offset");
_Static_assert(sizeof(struct rndis_initialize) == 24, "wire size");
_Static_assert(sizeof(struct rndis_initialize_complete) == 52, "wire size");
_Static_assert(sizeof(struct rndis_request) == 28, "wire size");
_Static_assert(sizeof(struct rndis_query_complete) == 24, "wire size");
_Static_assert(sizeof(struct rndis_complete) == 16, "wire size");
_Static_assert(sizeof(struct rndis_reset_complete) == 16, "wire size");
_Static_assert(sizeof(struct rndis_indicate) == 20, "wire size");

/* Where an info offset points that means "right behind the fixed fields". */
#define RNDIS_BEHIND(type) ((uint32_t)(sizeof(type) - sizeof(struct rndis_header)))

/* --- Per-packet info */

#define RNDIS_PPI_CHECKSUM 0u
#define RNDIS_PPI_LSO      2u /* large send offload */
#define RNDIS_PPI_TAG      6u
#define RNDIS_PPI_HASH     8u
#define RNDIS_PPI_PIECE    0x80000001u /* vmswitch's own: a message is a piece of a frame */

/* An element: this, then what `offset` points to. All that we know is 32 bits. */
struct rndis_element {
    uint32_t size; /* of the element, this included */
    uint32_t type; /* RNDIS_PPI_*; bit 31: a private number of the other end */
    uint32_t offset;
} __attribute__((packed));

_Static_assert(sizeof(struct rndis_element) == 12, "wire size");

#define RNDIS_PIECE(id, flags) (1u | (flags) << 8 | (uint32_t)(id) << 16)
#define RNDIS_PIECE_ONE        0x1u /* of several */
#define RNDIS_PIECE_FIRST      0x2u
#define RNDIS_PIECE_LAST       0x4u

/* Checksum, guest to host. */
#define RNDIS_TX_CSUM_IP4       0x01u
#define RNDIS_TX_CSUM_IP6       0x02u
#define RNDIS_TX_CSUM_TCP       0x04u
#define RNDIS_TX_CSUM_UDP       0x08u
#define RNDIS_TX_CSUM_HEADER    0x10u /* the IPv4 header's */
#define RNDIS_TX_CSUM_WORK      (RNDIS_TX_CSUM_TCP | RNDIS_TX_CSUM_UDP | RNDIS_TX_CSUM_HEADER)
#define RNDIS_TX_CSUM_L4(value) ((value) >> 16 & 0x3ffu) /* offset of the TCP header */

/* Checksum, host to guest. */
#define RNDIS_RX_CSUM_IP_BAD   0x04u
#define RNDIS_RX_CSUM_TCP_GOOD 0x08u
#define RNDIS_RX_CSUM_UDP_GOOD 0x10u
#define RNDIS_RX_CSUM_IP_GOOD  0x20u

/* Large send, version 2. */
#define RNDIS_LSO_MSS(value) ((value)&0xfffffu)
#define RNDIS_LSO_L4(value)  ((value) >> 20 & 0x3ffu)
#define RNDIS_LSO_V2         0x40000000u
#define RNDIS_LSO_IP6        0x80000000u

/* Tag: priority 2:0, CFI 3, VID 15:4. */
#define RNDIS_TAG_PRIORITY(value) ((value)&7u)
#define RNDIS_TAG_CFI(value)      ((value) >> 3 & 1u)
#define RNDIS_TAG_VID(value)      ((value) >> 4 & 0xfffu)

#endif
