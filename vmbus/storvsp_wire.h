/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The storage VSC's packets (Linux drivers/scsi/storvsc_drv.c, struct vstor_packet).
 *
 * 64 bytes; guests that speak 2.0 or 4.2 leave out the last 16.
 */
#ifndef VMBUSD_VMBUS_STORVSP_WIRE_H
#define VMBUSD_VMBUS_STORVSP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define STOR_VERSION_2_0 0x0200u
#define STOR_VERSION_4_2 0x0402u
#define STOR_VERSION_5_1 0x0501u /* first with subchannels */
#define STOR_VERSION_6_0 0x0600u

enum stor_operation {
    STOR_COMPLETE_IO = 1,
    STOR_EXECUTE_SRB = 3,
    STOR_RESET_LUN = 4,
    STOR_RESET_ADAPTER = 5,
    STOR_RESET_BUS = 6,
    STOR_BEGIN_INITIALIZATION = 7,
    STOR_END_INITIALIZATION = 8,
    STOR_QUERY_PROTOCOL_VERSION = 9,
    STOR_QUERY_PROPERTIES = 10,
    STOR_CREATE_SUB_CHANNELS = 13,
};

/* NTSTATUS values of stor_packet.status. */
#define STOR_SUCCESS              0x00000000u
#define STOR_BUFFER_OVERFLOW      0x80000005u
#define STOR_INVALID_PARAMETER    0xc000000du
#define STOR_INVALID_REQUEST      0xc0000010u
#define STOR_REVISION_MISMATCH    0xc0000059u
#define STOR_NO_SUCH_DEVICE       0xc00000c0u
#define STOR_INVALID_DEVICE_STATE 0xc0000184u
#define STOR_IO_ERROR             0xc0000185u

/* SRB status. */
#define SRB_SUCCESS         0x01u
#define SRB_ERROR           0x04u
#define SRB_INVALID_REQUEST 0x06u
#define SRB_OVERRUN         0x12u
#define SRB_INVALID_LUN     0x20u
#define SRB_SENSE_VALID     0x80u

#define STOR_CDB_SIZE   16
#define STOR_SENSE_SIZE 20

struct stor_srb {
    uint16_t length; /* of this structure */
    uint8_t srb_status;
    uint8_t scsi_status;
    uint8_t port;
    uint8_t path;
    uint8_t target;
    uint8_t lun;
    uint8_t cdb_length;
    uint8_t sense_length; /* in: room; out: valid bytes */
    uint8_t direction;    /* 0 to the disk, 1 to the guest, 2 none */
    uint8_t reserved;
    uint32_t transfer_length; /* in: bytes of the buffer; out: bytes moved */
    union {
        uint8_t cdb[STOR_CDB_SIZE];     /* in */
        uint8_t sense[STOR_SENSE_SIZE]; /* out */
    };
    uint16_t reserved2; /* from here on since 5.1 */
    uint8_t queue_tag;
    uint8_t queue_action;
    uint32_t srb_flags;
    uint32_t timeout;
    uint32_t queue_sort_key;
} __attribute__((packed));

_Static_assert(sizeof(struct stor_srb) == 52, "wire size");
_Static_assert(offsetof(struct stor_srb, transfer_length) == 12, "wire offset");
_Static_assert(offsetof(struct stor_srb, reserved2) == 36, "wire offset");

struct stor_properties {
    uint32_t reserved;
    uint16_t max_subchannels;
    uint16_t reserved2;
    uint32_t flags;
    uint32_t max_transfer; /* bytes */
    uint64_t reserved3;
} __attribute__((packed));

#define STOR_PROPERTY_MULTI_CHANNEL 0x1u

_Static_assert(sizeof(struct stor_properties) == 24, "wire size");

struct stor_packet {
    uint32_t operation; /* enum stor_operation */
    uint32_t flags;     /* bit 0 in requests: answer; 0 in answers */
    uint32_t status;
    union {
        struct stor_srb srb;
        struct stor_properties properties;
        uint16_t version;     /* QUERY_PROTOCOL_VERSION: major << 8 | minor */
        uint16_t subchannels; /* CREATE_SUB_CHANNELS */
    };
} __attribute__((packed));

/* User data of the offer of an IDE disk's twin: drivers of old Windows read it. */
struct stor_offer {
    uint16_t reserved;
    uint8_t path, target; /* IDE channel and drive */
    uint32_t reserved2;
    uint32_t flags;
    uint32_t reserved3[3];
} __attribute__((packed));

#define STOR_OFFER_IDE 2u

_Static_assert(sizeof(struct stor_offer) == 24, "wire size");
_Static_assert(offsetof(struct stor_offer, flags) == 8, "wire offset");

#define STOR_PACKET_OLD 48u /* 2.0 and 4.2 */

_Static_assert(sizeof(struct stor_packet) == 64, "wire size");
_Static_assert(offsetof(struct stor_packet, srb) == 12, "wire offset");

#endif
