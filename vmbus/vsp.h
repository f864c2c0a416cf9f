/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct vsp_class: what a VMBus device is (VSP, virtualization service provider).
 *
 * A device file ends with its const class. The machine makes one struct vsp per device (embedded in
 * the device's own state, found again with container_of) and gives it to vmbus_bus_add(). Then:
 *
 *   offered   the guest sees the offer after REQUEST_OFFERS (or at once, if it has already asked)
 *   open      the guest opened the channel: `open`, on the channel's lane; from its success on
 *             `packet` may come
 *   packet    each packet of the guest->host ring, in order, on the channel's lane
 *   close     the guest closed the channel, or broke the format, or the connection was reset:
 *             `close`; the device finishes what touches guest memory and then calls
 *             vmbus_channel_closed() once, from within `close` or later
 *   reset     all channels of the device are closed and the guest starts again from nothing (new
 *             connection, VM reset): `reset`
 *
 * A channel of one device may be opened and closed any number of times. `reset` comes on the bus's
 * lane when every channel of the device is closed, so it never races with the others.
 *
 * Removal is no call of its own: a device that leaves has its channels closed as ever.
 *
 * Left out until a device needs them: retarget, save, restore.
 */
#ifndef VMBUSD_VMBUS_VSP_H
#define VMBUSD_VMBUS_VSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/guid.h"
#include "src/common/lane.h"
#include "vmbus/ring.h"

struct vmbus_bus;
struct vmbus_channel;
struct vsp;

#define VMBUS_OFFER_ENUMERATE  0x1u
#define VMBUS_OFFER_NAMED_PIPE 0x10u
#define VMBUS_PIPE_MESSAGE     4u

#define VMBUS_USER_DATA  120
#define VMBUS_OFFER_DATA 24 /* of them, those that a device may fill in its offer */

struct vsp_class {
    const char *name;      /* "storvsp"; for logs and reports */
    struct guid interface; /* interface type GUID of the offer */
    uint16_t offer_flags;  /* VMBUS_OFFER_*; NAMED_PIPE also puts pipe type `message` into the
                              offer's user data */
    uint16_t mmio_mib;     /* MMIO megabytes the offer asks for */

    /* The channel was opened: make ready. Lane: the channel's. `user_data` is the guest's, a
     * private copy. 0, or -errno and the guest gets a failed OPEN_RESULT (`close` is then not
     * called). May be NULL. */
    int (*open)(struct vsp *vsp, struct vmbus_channel *channel,
                const uint8_t user_data[VMBUS_USER_DATA]);

    /* One packet. Lane: the channel's. `packet` is good only during the call. 0: taken. -EAGAIN:
     * not taken, offer it again after vmbus_channel_resume() (reading stops until then). Other
     * -errno: the guest broke the protocol; the bus logs it, counts it and closes the channel
     * (`close` follows). Never NULL. */
    int (*packet)(struct vsp *vsp, struct vmbus_channel *channel,
                  const struct vmbus_packet *packet);

    /* A burst of packets has been handed over; submit what has been gathered. Lane: the channel's.
     * May be NULL. */
    void (*burst_end)(struct vsp *vsp, struct vmbus_channel *channel);

    /* The guest's ring is empty: true leaves the guest told not to signal, because the device
     * expects more and will look again by itself, with vmbus_channel_resume(). Lane: the
     * channel's. May be NULL. */
    bool (*expects_more)(struct vsp *vsp, struct vmbus_channel *channel);

    /* There is room again in the host->guest ring after a send gave -EAGAIN. Lane: the channel's.
     * May be NULL if the device never sends more than its reservations. */
    void (*writable)(struct vsp *vsp, struct vmbus_channel *channel);

    /* The channel is going away: no more packets come and none may be sent except through still
     * pending completions, which are then dropped. Call vmbus_channel_closed() once no guest page
     * is in use. Lane: the channel's. Never NULL. */
    void (*close)(struct vsp *vsp, struct vmbus_channel *channel);

    /* vsp_make_subchannels() has made `made` of them (0: none): tell the guest, then offer them.
     * Lane: the primary's, which is open. NULL: they are offered at once. */
    void (*subchannels)(struct vsp *vsp, struct vmbus_channel *primary, uint16_t made);

    /* Forget the guest. Lane: the bus's. May be NULL. */
    void (*reset)(struct vsp *vsp);
};

/* The part of a device that the bus knows. Zero it, then set `class`, `instance` and `lane`,
 * and `offer_data` if there is any. */
struct vsp {
    const struct vsp_class *class;
    struct guid instance;                 /* instance GUID, unique with the interface GUID */
    uint8_t offer_data[VMBUS_OFFER_DATA]; /* user data of the offer, unless the class is a pipe */
    struct lane *lane;                    /* of the primary channel */
    struct vmbus_bus *bus;                /* set by vmbus_bus_add() */
    struct vsp *next;                     /* the bus's list */
    struct vmbus_channel *primary;        /* set by vmbus_bus_add(); lives as long as the device */

    /* vmbus_bus_remove(): */
    bool leaving;
    void (*gone)(void *context);
    void *gone_context;
};

/* --- What a device may do with its channel, on the channel's lane
 * ------------------------------------------- */

/* Append a packet to the host->guest ring; visible and signalled at the end of the burst or turn.
 * 0, -EAGAIN (`writable` will be called), -ECONNRESET (channel not open, or guest broke its ring).
 */
int vmbus_channel_send(struct vmbus_channel *channel, uint16_t type, uint16_t flags,
                       uint64_t transaction_id, const struct iovec *iov, unsigned iovs);

/* One range of a transfer-page packet: bytes of the guest's own buffer. */
struct vmbus_page_range {
    uint32_t length;
    uint32_t offset; /* in the buffer */
};
_Static_assert(sizeof(struct vmbus_page_range) == 8, "wire size");

/* As vmbus_channel_send(), of a packet whose payload is about `count` (at most
 * VMBUS_PAGE_RANGES_MAX) ranges of the buffer that the guest knows as `pageset`; completion
 * requested. */
#define VMBUS_PAGE_RANGES_MAX 64u
int vmbus_channel_send_pages(struct vmbus_channel *channel, uint64_t transaction_id,
                             uint16_t pageset, const struct vmbus_page_range *ranges,
                             unsigned count, const struct iovec *iov, unsigned iovs);

/* Reserve room for one completion of `payload` bytes. -EAGAIN: return -EAGAIN from `packet`; the
 * bus resumes when there is room. */
int vmbus_channel_reserve(struct vmbus_channel *channel, uint32_t payload);

/* Give a reservation back unused. */
void vmbus_channel_unreserve(struct vmbus_channel *channel, uint32_t payload);

/* Send the completion for which room of exactly `len` bytes was reserved. Never fails on an open
 * channel; dropped on a closing one. */
void vmbus_channel_complete(struct vmbus_channel *channel, uint64_t transaction_id,
                            const void *payload, uint32_t len);

/* Read packets again after `packet` returned -EAGAIN, or `expects_more` true. */
void vmbus_channel_resume(struct vmbus_channel *channel);

/* The device no longer touches any guest page of this channel: answers `close`. */
void vmbus_channel_closed(struct vmbus_channel *channel);

/* Publish and signal now rather than at the end of the turn. */
void vmbus_channel_flush(struct vmbus_channel *channel);

/* Guest memory, lane, relid, negotiated VMBus version, subchannel index (0 = primary), the device.
 * Any lane. */
struct gmem *vmbus_channel_gmem(const struct vmbus_channel *channel);
struct lane *vmbus_channel_lane(const struct vmbus_channel *channel);
uint32_t vmbus_channel_relid(const struct vmbus_channel *channel);
uint32_t vmbus_channel_version(const struct vmbus_channel *channel);
uint16_t vmbus_channel_index(const struct vmbus_channel *channel);

/* A device's own pointer beside the channel (set in `open`, read in the others). */
void vmbus_channel_set_private(struct vmbus_channel *channel, void *private_data);
void *vmbus_channel_private(const struct vmbus_channel *channel);

/* Make up to `count` subchannels of the device, on `lane[0..count)`: fewer where memory or channel
 * ids run out, or LIMIT_CHANNELS is reached. class->subchannels is told how many. They are taken
 * back with the next reset or close of the primary. Once per open of the primary: made again, there
 * are 0; after the primary has closed, nothing happens. Lane: the primary's; the work is posted to
 * the bus. 0, -ENOSPC beyond LIMIT_VCPUS, -EBUSY while the last call is still on its way. */
int vsp_make_subchannels(struct vsp *vsp, uint16_t count, struct lane *const lane[]);

/* Offer those that were made. Lane: the primary's. */
void vsp_offer_subchannels(struct vsp *vsp);

#endif
