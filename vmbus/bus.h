/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus: connection state, version negotiation, offers, GPADLs, channel life.
 *
 * All of it runs on one lane, the bus's; vCPU threads only put posted messages into a bounded
 * queue. What leaves the bus goes through struct vmbus_transport, which the worker implements with
 * KVM's SynIC and a scripted guest implements in tests.
 */
#ifndef VMBUSD_VMBUS_BUS_H
#define VMBUSD_VMBUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/kvm/gmem.h"
#include "vmbus/vsp.h"

#define VMBUS_V0_13 0x0000000du
#define VMBUS_V1_1  0x00010001u
#define VMBUS_V2_4  0x00020004u
#define VMBUS_V3_0  0x00030000u
#define VMBUS_V4_0  0x00040000u
#define VMBUS_V4_1  0x00040001u
#define VMBUS_V5_0  0x00050000u
#define VMBUS_V5_1  0x00050001u
#define VMBUS_V5_2  0x00050002u
#define VMBUS_V5_3  0x00050003u

#define VMBUS_SINT         2u
#define VMBUS_MESSAGE_TYPE 1u
#define VMBUS_MESSAGE_MAX  240u

#define VMBUS_CONNECTION_MESSAGE        1u /* posts, all versions */
#define VMBUS_CONNECTION_EVENT          2u /* shared event, below 2.4 */
#define VMBUS_CONNECTION_MESSAGE_5      4u /* posts, 5.0 and later */
#define VMBUS_CONNECTION_CHANNEL(relid) (0x2000u + (relid))

/* HvPostMessage and HvSignalEvent status codes. */
#define HV_STATUS_SUCCESS               0u
#define HV_STATUS_INVALID_PARAMETER     5u
#define HV_STATUS_INVALID_CONNECTION_ID 18u
#define HV_STATUS_INSUFFICIENT_BUFFERS  19u

/* The way out to the guest. */
struct vmbus_transport {
    /* Queue a SynIC message (type 1, SINT 2) for VP `vp`. 0; -EAGAIN if that VP's FIFO is full (the
     * bus stops handling posts until `vmbus_bus_room`); -EINVAL for a VP that does not exist. Lane:
     * bus. */
    int (*post)(void *context, uint32_t vp, const void *message, uint32_t len);

    /* Set event flag `flag` of SINT 2 on VP `vp` and raise the SINT on a 0 -> 1 change. Any lane. A
     * VP that does not exist or has no SynIC: nothing. */
    void (*signal)(void *context, uint32_t vp, uint16_t flag);

    /* Route HvSignalEvent on `connection` to `eventfd`, and undo it. Lane: bus. 0 or -errno. */
    int (*connect)(void *context, uint32_t connection, int eventfd);
    void (*disconnect)(void *context, uint32_t connection, int eventfd);

    /* True if any message is still waiting in a FIFO (back-pressure: the bus then takes no further
     * post). Lane: bus. */
    bool (*congested)(void *context);

    /* Drop what waits for VP `vp`: whoever it was for is gone. Lane: bus. */
    void (*forget)(void *context, uint32_t vp);
};

/* A bus on `lane`. `max_version` caps negotiation (VMBUS_V5_3 normally); `vps` is the number of
 * VPs. NULL with errno. */
struct vmbus_bus *vmbus_bus_new(struct lane *lane, struct gmem *gmem,
                                const struct vmbus_transport *transport, void *context,
                                uint32_t vps, uint32_t max_version);

/* All channels must be closed (vmbus_bus_reset() has finished, or the lanes have ended). NULL is
 * fine. */
void vmbus_bus_free(struct vmbus_bus *bus);

/* Add a device; a guest that has asked for offers gets one more. 0; -EEXIST same interface and
 * instance as another, which may be one that is leaving; -ENOSPC. Lane: bus. */
int vmbus_bus_add(struct vmbus_bus *bus, struct vsp *vsp);

/* Take a device away: the guest is told, of subchannels first, and closes its channels, on which it
 * is served until then. `gone` is called, maybe before this returns, when the guest has released
 * all of them, or starts again: then nothing uses the device any more, tasks on its lanes excepted.
 * Until then it is the bus's; a guest that releases nothing keeps it. 0; -EALREADY; -EOPNOTSUPP the
 * guest's bus is older than 2.4: drivers of that time (Server 2003's netvsc50) take the whole guest
 * down. Lane: bus. */
int vmbus_bus_remove(struct vmbus_bus *bus, struct vsp *vsp, void (*gone)(void *context),
                     void *context);

/* HvPostMessage as a vCPU thread got it: a private copy of the 256-byte input. Returns a status
 * code for the guest; a full queue is HV_STATUS_INSUFFICIENT_BUFFERS, so that the guest tries
 * again. Any thread. */
uint32_t vmbus_bus_post(struct vmbus_bus *bus, const uint8_t input[256]);

/* HvSignalEvent that KVM did not find in its table (also: flag number not 0). Any thread. Returns a
 * status code. */
uint32_t vmbus_bus_signal(struct vmbus_bus *bus, uint32_t connection, uint16_t flag);

/* The transport has room again. Any thread. */
void vmbus_bus_room(struct vmbus_bus *bus);

/* Close every channel and forget the connection (VM reset, VM stop). `done` is called on the bus's
 * lane when nothing of the guest's memory is in use any more, which may be before this returns.
 * Messages that the guest has posted and the bus has not taken are dropped. One at a time. Lane:
 * bus. */
void vmbus_bus_reset(struct vmbus_bus *bus, void (*done)(void *context), void *context);

/* What the integration report shows. Lane: bus. */
struct vmbus_channel_info {
    const struct vsp *vsp;
    uint32_t relid; /* 0 if not offered */
    uint16_t index; /* subchannel index */
    bool offered;
    bool open;
    uint32_t target_vp;
    uint64_t packets_in, packets_out;       /* ring packets, since the device was made */
    uint64_t interrupts_in, interrupts_out; /* signals received from and sent to the guest */
    uint64_t faults; /* channels ended because the guest broke the protocol */
};

/* Negotiated version, 0 while disconnected. */
uint32_t vmbus_bus_version(const struct vmbus_bus *bus);

/* Call `each` for every channel. */
void vmbus_bus_channels(const struct vmbus_bus *bus,
                        void (*each)(const struct vmbus_channel_info *, void *), void *context);

/* Counters of the control plane. */
struct vmbus_bus_stats {
    uint64_t messages_in, messages_out, messages_bad, posts_refused, connects;
};
void vmbus_bus_stats(const struct vmbus_bus *bus, struct vmbus_bus_stats *ret_stats);

/* "5.2" for VMBUS_V5_2; "none" for 0. Static storage or the caller's 16 bytes. */
const char *vmbus_version_text(uint32_t version, char text[16]);

#endif
