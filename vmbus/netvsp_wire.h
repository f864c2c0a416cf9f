/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVSP, the protocol between netvsc and netvsp around the RNDIS messages.
 *
 * Layouts agree with Linux drivers/net/hyperv/hyperv_net.h (struct nvsp_message), OpenVMM and iPXE.
 * Left out: chimney, VMQ, PacketDirect and virtual functions, which this host never takes up.
 */
#ifndef VMBUSD_VMBUS_NETVSP_WIRE_H
#define VMBUSD_VMBUS_NETVSP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define NVSP_VERSION_1   0x00000002u
#define NVSP_VERSION_2   0x00030002u
#define NVSP_VERSION_4   0x00040000u
#define NVSP_VERSION_5   0x00050000u /* first with subchannels */
#define NVSP_VERSION_6   0x00060000u
#define NVSP_VERSION_6_1 0x00060001u

enum nvsp_type {
    NVSP_INIT = 1,
    NVSP_INIT_COMPLETE = 2,
    NVSP_NDIS_VERSION = 100,
    NVSP_RECEIVE_BUFFER = 101,
    NVSP_RECEIVE_BUFFER_COMPLETE = 102,
    NVSP_REVOKE_RECEIVE_BUFFER = 103,
    NVSP_SEND_BUFFER = 104,
    NVSP_SEND_BUFFER_COMPLETE = 105,
    NVSP_REVOKE_SEND_BUFFER = 106,
    NVSP_RNDIS = 107,
    NVSP_RNDIS_COMPLETE = 108,
    NVSP_NDIS_CONFIG = 125,
    NVSP_SWITCH_DATA_PATH = 129,
    NVSP_OID_QUERY = 131,
    NVSP_OID_QUERY_COMPLETE = 132,
    NVSP_SUBCHANNEL = 133, /* request and answer */
    NVSP_INDIRECTION_TABLE = 134,
};

enum nvsp_status {
    NVSP_SUCCESS = 1,
    NVSP_FAILURE = 2,
    NVSP_TOO_NEW = 3,
    NVSP_TOO_OLD = 4,
    NVSP_INVALID_RNDIS = 5,
    NVSP_UNSUPPORTED = 7,
};

#define NVSP_CHANNEL_DATA    0u
#define NVSP_CHANNEL_CONTROL 1u
#define NVSP_NO_SECTION      0xffffffffu /* nothing in the send buffer */
#define NVSP_MDL_CHAIN       34u         /* INIT_COMPLETE, what vmswitch says */
#define NVSP_ALLOCATE        1u          /* operation of SUBCHANNEL */
#define NVSP_ETHERNET        14u         /* part of NDIS_CONFIG's MTU */

struct nvsp_message {
    uint32_t type; /* enum nvsp_type */
    union {
        struct {
            uint32_t min, max;
        } __attribute__((packed)) init;
        struct {
            uint32_t version, mdl_chain, status;
        } __attribute__((packed)) init_complete;
        struct {
            uint32_t major, minor;
        } __attribute__((packed)) ndis_version;
        struct {
            uint32_t mtu; /* with the Ethernet header */
            uint32_t reserved;
            uint64_t capabilities;
        } __attribute__((packed)) ndis_config;
        struct {
            uint32_t gpadl;
            uint16_t id;
        } __attribute__((packed)) buffer;
        struct {
            uint32_t status;
            uint32_t sections; /* 1 */
            uint32_t offset;
            uint32_t size; /* of a suballocation */
            uint32_t count;
            uint32_t end;
        } __attribute__((packed)) receive_buffer_complete;
        struct {
            uint32_t status;
            uint32_t section_size;
        } __attribute__((packed)) send_buffer_complete;
        struct {
            uint16_t id;
        } __attribute__((packed)) revoke;
        struct {
            uint32_t channel; /* NVSP_CHANNEL_* */
            uint32_t section; /* of the send buffer, or NVSP_NO_SECTION */
            uint32_t size;    /* bytes of it */
        } __attribute__((packed)) rndis;
        struct {
            uint32_t operation, count;
        } __attribute__((packed)) subchannel;
        struct {
            uint32_t status, count;
        } __attribute__((packed)) subchannel_complete;
        struct {
            uint32_t count, offset; /* of the table from the start of the message */
        } __attribute__((packed)) indirection;
        uint32_t status; /* of answers that have nothing else */
        uint8_t bytes[36];
    };
} __attribute__((packed));

#define NVSP_SIZE_OLD 28u /* of every message below 6.1 */

_Static_assert(sizeof(struct nvsp_message) == 40, "wire size");
_Static_assert(offsetof(struct nvsp_message, ndis_config.capabilities) == 12, "wire offset");
_Static_assert(offsetof(struct nvsp_message, buffer.id) == 8, "wire offset");
_Static_assert(offsetof(struct nvsp_message, receive_buffer_complete.end) == 24, "wire offset");
_Static_assert(offsetof(struct nvsp_message, rndis.size) == 12, "wire offset");

#define NVSP_CAPABILITY_RSC 0x80u /* of NDIS_CONFIG: takes frames in several suballocations */

#define NVSP_INDIRECTIONS 16u

struct nvsp_indirection_table {
    struct nvsp_message message;
    uint32_t channel[NVSP_INDIRECTIONS];
} __attribute__((packed));

_Static_assert(sizeof(struct nvsp_indirection_table) == 104, "wire size");
_Static_assert(offsetof(struct nvsp_indirection_table, channel) == 40, "wire offset");

#endif
