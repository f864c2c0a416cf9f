/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OIDs and the NDIS structures behind them.
 *
 * Sources: Linux drivers/net/hyperv/hyperv_net.h (sizes compiled from it), OpenVMM's netvsp, NDIS'
 * published headers as quoted by both.
 */
#ifndef VMBUSD_VMBUS_RNDIS_OID_WIRE_H
#define VMBUSD_VMBUS_RNDIS_OID_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum oid {
    OID_SUPPORTED_LIST = 0x00010101,
    OID_HARDWARE_STATUS = 0x00010102,
    OID_MEDIA_SUPPORTED = 0x00010103,
    OID_MEDIA_IN_USE = 0x00010104,
    OID_MAXIMUM_LOOKAHEAD = 0x00010105,
    OID_MAXIMUM_FRAME_SIZE = 0x00010106,
    OID_LINK_SPEED = 0x00010107,
    OID_TRANSMIT_BUFFER_SPACE = 0x00010108,
    OID_RECEIVE_BUFFER_SPACE = 0x00010109,
    OID_TRANSMIT_BLOCK_SIZE = 0x0001010a,
    OID_RECEIVE_BLOCK_SIZE = 0x0001010b,
    OID_VENDOR_ID = 0x0001010c,
    OID_VENDOR_DESCRIPTION = 0x0001010d,
    OID_CURRENT_PACKET_FILTER = 0x0001010e,
    OID_CURRENT_LOOKAHEAD = 0x0001010f,
    OID_DRIVER_VERSION = 0x00010110,
    OID_MAXIMUM_TOTAL_SIZE = 0x00010111,
    OID_PROTOCOL_OPTIONS = 0x00010112,
    OID_MAC_OPTIONS = 0x00010113,
    OID_MEDIA_CONNECT_STATUS = 0x00010114,
    OID_MAXIMUM_SEND_PACKETS = 0x00010115,
    OID_VENDOR_DRIVER_VERSION = 0x00010116,
    OID_NETWORK_LAYER_ADDRESSES = 0x00010118,
    OID_RECEIVE_SCALE_CAPABILITIES = 0x00010203,
    OID_RECEIVE_SCALE_PARAMETERS = 0x00010204,
    OID_MAX_LINK_SPEED = 0x00010206,
    OID_LINK_STATE = 0x00010207,
    OID_LINK_PARAMETERS = 0x00010208,
    OID_RNDIS_CONFIG_PARAMETER = 0x0001021b,

    OID_XMIT_OK = 0x00020101,
    OID_RCV_OK = 0x00020102,
    OID_XMIT_ERROR = 0x00020103,
    OID_RCV_ERROR = 0x00020104,
    OID_RCV_NO_BUFFER = 0x00020105,
    OID_STATISTICS = 0x00020106,
    OID_FRIENDLY_NAME = 0x00020216,
    OID_BYTES_RCV = 0x00020219,
    OID_BYTES_XMIT = 0x0002021a,

    OID_PERMANENT_ADDRESS = 0x01010101,
    OID_CURRENT_ADDRESS = 0x01010102,
    OID_MULTICAST_LIST = 0x01010103,
    OID_MAXIMUM_LIST_SIZE = 0x01010104,
    OID_OFFLOAD_ENCAPSULATION = 0x0101010a,
    OID_RCV_ERROR_ALIGNMENT = 0x01020101,
    OID_XMIT_ONE_COLLISION = 0x01020102,
    OID_XMIT_MORE_COLLISIONS = 0x01020103,

    OID_OFFLOAD_CURRENT_CONFIG = (int)0xfc01020b,
    OID_OFFLOAD_PARAMETERS = (int)0xfc01020c,
    OID_OFFLOAD_HARDWARE_CAPABILITIES = (int)0xfc01020d,
};

#define NDIS_5    0x00050000u
#define NDIS_6    0x00060000u
#define NDIS_6_1  0x00060001u
#define NDIS_6_30 0x0006001eu
#define NDIS_7    0x00070000u /* none yet */

#define NDIS_VENDOR         0x0000155du /* as vmswitch says */
#define NDIS_DRIVER_VERSION 0x0100u
#define NDIS_BUFFER_SPACE   262144u /* as vmswitch says */
#define NDIS_MAC_OPTIONS    0x24du /* copy lookahead, no pending transfers, no loopback, 802.1p, Q */
#define NDIS_CONNECTED      0u     /* of MEDIA_CONNECT_STATUS */
#define NDIS_DISCONNECTED   1u
#define NDIS_NAME_UNITS     256u /* of FRIENDLY_NAME, NUL included */

struct ndis_header {
    uint8_t type; /* NDIS_TYPE_* */
    uint8_t revision;
    uint16_t size;
} __attribute__((packed));

#define NDIS_TYPE_DEFAULT          0x80u
#define NDIS_TYPE_RSS_CAPABILITIES 0x88u
#define NDIS_TYPE_RSS_PARAMETERS   0x89u
#define NDIS_TYPE_OFFLOAD          0xa7u
#define NDIS_TYPE_ENCAPSULATION    0xa8u

struct ndis_link_state {
    struct ndis_header header;
    uint32_t connected; /* 1 yes, 2 no */
    uint32_t duplex;    /* 2 full */
    uint32_t pad;
    uint64_t xmit_speed, rcv_speed; /* bit/s */
    uint32_t pause;                 /* 0 none */
    uint32_t negotiation;
} __attribute__((packed));

#define NDIS_LINK_UP     1u
#define NDIS_LINK_DOWN   2u
#define NDIS_FULL_DUPLEX 2u

/* NDIS_STATISTICS_INFO. Discards are frames that were good, and found no buffer or no port. */
struct ndis_statistics {
    struct ndis_header header;
    uint32_t valid; /* NDIS_STATISTICS_* */
    uint64_t in_discards, in_errors;
    uint64_t in_bytes, in_frames[3]; /* unicast, multicast, broadcast */
    uint64_t out_bytes, out_frames[3];
    uint64_t out_errors, out_discards;
    uint64_t in_bytes_by[3], out_bytes_by[3];
} __attribute__((packed));

#define NDIS_STATISTICS_ALL 0x003f87ffu /* the bits of all members */

/* Offloads that there are, or that are on. */
#define NDIS_ETHERNET 2u /* encapsulation */

#define NDIS_CSUM_IP_OPTIONS  0x001u /* IPv6: extension headers */
#define NDIS_CSUM_TCP_OPTIONS 0x004u
#define NDIS_CSUM_TCP         0x010u
#define NDIS_CSUM_UDP         0x040u
#define NDIS_CSUM_IP          0x100u /* IPv4 only */

struct ndis_checksum {
    uint32_t encapsulation; /* NDIS_ETHERNET, 0 if there is nothing */
    uint32_t flags;         /* NDIS_CSUM_* */
} __attribute__((packed));

struct ndis_lso {
    uint32_t encapsulation;
    uint32_t max_size;
    uint32_t min_segments;
} __attribute__((packed));

#define NDIS_LSO_MAX_SIZE     0xf53cu
#define NDIS_LSO_MIN_SEGMENTS 2u
#define NDIS_LSO_EXTENSIONS   0x1u
#define NDIS_LSO_TCP_OPTIONS  0x4u

struct ndis_offload {
    struct ndis_header header;
    struct ndis_checksum tx4, rx4, tx6, rx6;
    uint8_t lso_v1[16], ipsec_v1[28]; /* nothing */
    struct ndis_lso lso4, lso6;
    uint32_t lso6_flags; /* NDIS_LSO_* */
    uint32_t flags;
    uint8_t ipsec_v2[32];         /* nothing; from revision 2 */
    uint8_t rsc4, rsc6, pad[2];   /* 1: there is; from revision 3 */
    uint32_t gre_flags, gre_size; /* nothing */
} __attribute__((packed));

#define NDIS_OFFLOAD_SIZE_1 112u
#define NDIS_OFFLOAD_SIZE_2 144u
#define NDIS_OFFLOAD_SIZE_3 156u

/* A request for other offloads: one byte each. */
struct ndis_offload_parameters {
    struct ndis_header header;
    uint8_t ip4, tcp4, udp4, tcp6, udp6; /* NDIS_CSUM_SET_* */
    uint8_t lso_v1, ipsec_v1;            /* NDIS_SET_*, not ours */
    uint8_t lso4, lso6;                  /* NDIS_SET_* */
    uint8_t connection4, connection6;    /* chimney: not ours */
    uint8_t pad;
    uint32_t flags;
} __attribute__((packed));

/* What later revisions add; encapsulation, which follows, is not ours. */
struct ndis_offload_more {
    uint8_t ipsec_v2[2]; /* not ours */
    uint8_t rsc4, rsc6;  /* NDIS_SET_* */
} __attribute__((packed));

#define NDIS_CSUM_SET_KEEP 0u
#define NDIS_CSUM_SET_OFF  1u
#define NDIS_CSUM_SET_TX   2u
#define NDIS_CSUM_SET_RX   3u
#define NDIS_CSUM_SET_BOTH 4u
#define NDIS_SET_KEEP      0u
#define NDIS_SET_OFF       1u
#define NDIS_SET_ON        2u

struct ndis_encapsulation {
    struct ndis_header header;
    uint32_t enabled4, encapsulation4, header4;
    uint32_t enabled6, encapsulation6, header6;
} __attribute__((packed));

struct ndis_rss_capabilities {
    struct ndis_header header;
    uint32_t flags; /* NDIS_RSS_* */
    uint32_t interrupts, queues;
    uint16_t entries;
} __attribute__((packed));

#define NDIS_RSS_TOEPLITZ 0x001u
#define NDIS_RSS_TCP4     0x100u
#define NDIS_RSS_TCP6     0x200u

/* Followed by table (u32 channel indices) and key, at offsets from the start of this. */
struct ndis_rss_parameters {
    struct ndis_header header;
    uint16_t flags; /* NDIS_RSS_KEEP_*, NDIS_RSS_DISABLE */
    uint16_t base_cpu;
    uint32_t hash;
    uint16_t table_size, pad0; /* bytes */
    uint32_t table_offset;
    uint16_t key_size, pad1;
    uint32_t key_offset;
    uint32_t masks_offset, masks, mask_size;
} __attribute__((packed));

#define NDIS_RSS_KEEP_HASH  0x02u
#define NDIS_RSS_KEEP_TABLE 0x04u
#define NDIS_RSS_KEEP_KEY   0x08u
#define NDIS_RSS_DISABLE    0x10u

/* A registry value of the miniport; name and value are UTF-16LE without NUL, at offsets from the
 * start of this. */
struct ndis_config_parameter {
    uint32_t name_offset, name_length; /* bytes */
    uint32_t type;                     /* NDIS_CONFIG_* */
    uint32_t value_offset, value_length;
} __attribute__((packed));

#define NDIS_CONFIG_INTEGER 0u
#define NDIS_CONFIG_STRING  2u

_Static_assert(sizeof(struct ndis_link_state) == 40, "wire size");
_Static_assert(offsetof(struct ndis_link_state, xmit_speed) == 16, "wire offset");
_Static_assert(sizeof(struct ndis_statistics) == 152, "wire size");
_Static_assert(offsetof(struct ndis_statistics, out_errors) == 88, "wire offset");
_Static_assert(sizeof(struct ndis_offload) == NDIS_OFFLOAD_SIZE_3, "wire size");
_Static_assert(offsetof(struct ndis_offload, lso4) == 80, "wire offset");
_Static_assert(offsetof(struct ndis_offload, lso6_flags) == 104, "wire offset");
_Static_assert(offsetof(struct ndis_offload, ipsec_v2) == NDIS_OFFLOAD_SIZE_1, "wire offset");
_Static_assert(offsetof(struct ndis_offload, rsc4) == NDIS_OFFLOAD_SIZE_2, "wire offset");
_Static_assert(sizeof(struct ndis_offload_parameters) == 20, "wire size");
_Static_assert(offsetof(struct ndis_offload_parameters, lso4) == 11, "wire offset");
_Static_assert(sizeof(struct ndis_encapsulation) == 28, "wire size");
_Static_assert(sizeof(struct ndis_rss_capabilities) == 18, "wire size");
_Static_assert(sizeof(struct ndis_rss_parameters) == 40, "wire size");
_Static_assert(offsetof(struct ndis_rss_parameters, key_offset) == 24, "wire offset");
_Static_assert(sizeof(struct ndis_config_parameter) == 20, "wire size");

#endif
