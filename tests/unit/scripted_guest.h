/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest in this process: RAM, a bus, and the calls with which a test plays the guest's side of
 * VMBus.
 *
 * It implements struct vmbus_transport: messages that the bus sends are kept in a queue, event
 * flags in a bitmap, connection eventfds in a table. It writes rings as a Linux guest does, and has
 * knobs to write them wrong. Everything runs on the calling thread: the bus's lane and the devices'
 * lane are one lane that sg_run() turns.
 *
 * The control plane (messages, connections, offers, GPADLs) is in scripted_guest.c, rings and
 * signals are in scripted_ring.c.
 */
#ifndef VMBUSD_TESTS_SCRIPTED_GUEST_H
#define VMBUSD_TESTS_SCRIPTED_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/kvm/gmem.h"
#include "vmbus/bus.h"
#include "vmbus/protocol.h"

#define SG_MESSAGES    4096
#define SG_CONNECTIONS 0x4000

struct sg_message {
    uint32_t vp;
    uint32_t len;
    uint8_t data[VMBUS_MESSAGE_MAX];
};

struct scripted_guest {
    struct gmem gmem;
    uint8_t *ram;
    uint64_t ram_size;
    uint64_t next_page; /* sg_pages() hands out PFNs from here */
    struct lane *lane;
    struct vmbus_bus *bus;
    struct sg_message message[SG_MESSAGES]; /* host -> guest; number n is at n % SG_MESSAGES */
    unsigned messages, taken;               /* counted from the start */
    unsigned first_offer;                   /* number of the first message of this connection */
    unsigned fifo_limit; /* post() gives -EAGAIN at this many untaken messages; SG_MESSAGES by
                            default */
    uint32_t vps;
    uint64_t flags[64][32];            /* event flags per VP, as in a SIEFP page */
    uint64_t signals;                  /* how many times the transport's signal was called */
    uint64_t raises;                   /* how many of them found the flag clear */
    int connection_fd[SG_CONNECTIONS]; /* eventfd + 1 of each connection id, 0 = none */
    uint32_t version;                  /* negotiated by sg_connect() */
    uint32_t target_vp;                /* that sg_connect() and sg_open() ask for; 0 */
    uint64_t interrupt_page_pfn;
    uint64_t monitor_pfn; /* two pages */
    uint32_t next_gpadl;  /* id of the next GPADL that sg_open() makes */
    int connect_error;    /* what the transport's connect says */
    bool stopped;
};

/* A channel as the guest sees it. */
struct sg_channel {
    struct scripted_guest *guest;
    uint32_t relid, connection, gpadl;
    uint8_t offer[196];
    uint8_t *out, *in; /* guest->host and host->guest: control page, then data */
    uint64_t out_pfn, in_pfn;
    uint32_t ring_bytes; /* data bytes of each */
    uint64_t rx_packets;
};

/* `ram` bytes of memory, `vps` VPs; max_version as for vmbus_bus_new(). Aborts on failure (it is a
 * test). */
struct scripted_guest *sg_new(uint64_t ram, uint32_t vps, uint32_t max_version);

/* Reset the bus as a machine's stop does, waiting for devices to let go. After it devices may be
 * freed, and then the guest. */
void sg_stop(struct scripted_guest *guest);

/* Stops first unless that has been done: then the devices must still be there. */
void sg_free(struct scripted_guest *guest);

/* Turn the lane until it has nothing to do; with `ms`, go on for that long (for devices that wait
 * for the kernel or a timer). */
void sg_run(struct scripted_guest *guest, unsigned ms);

/* `count` fresh pages, zeroed neighbours; returns the first PFN. */
uint64_t sg_pages(struct scripted_guest *guest, unsigned count);
void *sg_mem(struct scripted_guest *guest, uint64_t gpa);

/* --- Messages */

/* Post raw bytes as HvPostMessage with connection id `connection`; returns the hypercall's status.
 * The lane is not turned. */
uint32_t sg_post(struct scripted_guest *guest, uint32_t connection, const void *message,
                 uint32_t len);
/* The same on the connection id that the negotiated version uses; fails the test unless it is
 * taken. */
void sg_tell(struct scripted_guest *guest, const void *message, uint32_t len);
/* A message that is a type and up to two words. */
void sg_tell_words(struct scripted_guest *guest, uint32_t type, unsigned words, uint32_t first,
                   uint32_t second);

/* Oldest host message not yet taken, or NULL; turns the lane first. Good until SG_MESSAGES others
 * have come. */
const struct sg_message *sg_take(struct scripted_guest *guest);
/* The same, but fails the test unless it is of type `type`. */
const uint8_t *sg_expect(struct scripted_guest *guest, uint32_t type);
/* The oldest message of type `type`, wherever in the queue; turns the lane for up to 2 s, then
 * fails the test. */
const uint8_t *sg_pick(struct scripted_guest *guest, uint32_t type);
/* Take all, and forget them. */
void sg_drop(struct scripted_guest *guest);
uint32_t sg_message_type(const struct sg_message *message);

/* --- Connection, offers, channels */

/* Post INITIATE_CONTACT as a driver of `version` would. */
uint32_t sg_initiate(struct scripted_guest *guest, uint32_t version);
/* Negotiate `version` and ask for offers; they stay in the message queue. True if accepted. */
bool sg_connect(struct scripted_guest *guest, uint32_t version);

/* Find an offer by interface GUID (index-th of them) among those received on this connection and
 * fill *channel. False if not offered. */
bool sg_find_offer(struct scripted_guest *guest, const struct guid *interface, unsigned index,
                   struct sg_channel *channel);

/* Make a GPADL of neighbouring pages; returns GPADL_CREATED's status. */
uint32_t sg_gpadl(struct scripted_guest *guest, uint32_t relid, uint32_t gpadl, uint64_t pfn,
                  unsigned pages);
/* Post its header and bodies without waiting. */
void sg_gpadl_post(struct scripted_guest *guest, uint32_t relid, uint32_t gpadl, uint64_t pfn,
                   unsigned pages);

/* GPADL for, and open, a channel with `pages` data pages each way. Returns OPEN_RESULT's status. */
uint32_t sg_open(struct sg_channel *channel, unsigned pages, const void *user_data,
                 size_t user_len);
/* The first half of that: rings zeroed, GPADL made. */
void sg_rings(struct sg_channel *channel, unsigned pages);
/* Post OPEN without waiting. */
void sg_open_post(struct sg_channel *channel, const void *user_data, size_t user_len);
/* CLOSE and GPADL_TEARDOWN, waiting for TORNDOWN. */
void sg_close(struct sg_channel *channel);

/* --- Rings */

/* Write a packet as a guest driver does, signal as the protocol says. False: the ring is full. */
bool sg_send(struct sg_channel *channel, uint16_t type, uint16_t flags, uint64_t transaction_id,
             const void *extension, size_t extension_len, const void *payload, size_t payload_len);
/* In-band, completion requested. */
bool sg_send_inband(struct sg_channel *channel, uint64_t transaction_id, const void *payload,
                    size_t len);
/* GPA direct, one range over neighbouring pages. */
bool sg_send_gpa(struct sg_channel *channel, uint64_t transaction_id, uint64_t gpa, uint32_t length,
                 const void *payload, size_t len);
/* Raw bytes at the write index, index moved by `len`, always signalled: for malformed packets. */
void sg_send_raw(struct sg_channel *channel, const void *bytes, size_t len);
/* Signal the host as this guest would for its version. */
void sg_signal(struct sg_channel *channel);

/* Next packet of the host->guest ring: copies up to `max` payload bytes; returns payload length, or
 * -1 if empty. Signals room as Linux does from 2.4 on, and not at all below. */
int sg_receive(struct sg_channel *channel, uint16_t *type, uint64_t *transaction_id, void *payload,
               size_t max);
/* Turn the lane until a packet comes (fails the test after 2 s). */
int sg_wait(struct sg_channel *channel, uint16_t *type, uint64_t *transaction_id, void *payload,
            size_t max);

/* Was event flag `flag` of VP `vp` set since the last call? */
bool sg_flag_take(struct scripted_guest *guest, uint32_t vp, uint16_t flag);
/* Was this channel interrupted since the last call, the way its version does it? On VP
 * `target_vp` from 2.4 on. */
bool sg_interrupt_take(struct sg_channel *channel);

/* For scripted_ring.c and for tests that break things: control page words of a ring. */
enum sg_ring_word { SG_WRITE = 0, SG_READ = 1, SG_MASK = 2, SG_PENDING = 3, SG_FEATURES = 16 };
uint32_t *sg_ring_word(uint8_t *ring, enum sg_ring_word word);

#endif
