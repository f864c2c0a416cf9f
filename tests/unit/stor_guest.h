/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A storage driver for the scripted guest: the handshake, commands and their answers as a storvsc
 * sends and expects them. Shared by the unit tests and the fuzz target of storvsp.
 */
#ifndef VMBUSD_TESTS_STOR_GUEST_H
#define VMBUSD_TESTS_STOR_GUEST_H

#include "tests/unit/memory_disk.h"
#include "tests/unit/scripted_guest.h"
#include "vmbus/storvsp.h"
#include "vmbus/storvsp_wire.h"

#define STOR_DISK_BYTES (1u << 20)
#define STOR_DATA_PAGES 600u
#define STOR_RING_PAGES 31u /* Linux's */

/* A machine with one controller: LUN 0 a disk, LUN 1 a read-only one, LUN 2 an empty drive. */
struct stor_guest {
    struct scripted_guest *guest;
    struct memory_disk *disk, *readonly;
    struct storvsp *storvsp;
    struct sg_channel channel; /* the primary */
    uint64_t data;             /* address of STOR_DATA_PAGES pages for buffers */
    uint64_t next_id;          /* of the next request */
    struct stor_packet reply;  /* the last answer */
    int reply_len;
};

/* Connected at `version` (VMBUS_*), with `lanes` times the guest's own lane; the channel is open
 * with `pages` data pages each way, and nothing said on it. */
void stor_guest_init(struct stor_guest *stor, uint32_t version, unsigned lanes, unsigned pages);
void stor_guest_free(struct stor_guest *stor);

/* Handshake up to END_INITIALIZATION at storage protocol `version`. */
void stor_handshake(struct stor_guest *stor, uint16_t version);

/* Send an in-band request on the primary and wait for its answer; returns its status. */
uint32_t stor_ask(struct stor_guest *stor, const struct stor_packet *packet, size_t len);
uint32_t stor_ask_operation(struct stor_guest *stor, uint32_t operation);

/* Take the next answer of `channel` into stor->reply; returns its transaction id. */
uint64_t stor_answer(struct stor_guest *stor, struct sg_channel *channel);

/* A command for `lun`. */
struct stor_packet stor_command(uint8_t lun, const uint8_t *cdb, uint8_t cdb_len);

/* READ 10 or WRITE 10 of `count` sectors. */
struct stor_packet stor_io(uint8_t lun, bool write, uint32_t lba, uint16_t count);

/* Send `packet` with `length` bytes of buffer at `gpa` (0: in-band); returns its transaction id. */
uint64_t stor_send(struct stor_guest *stor, struct sg_channel *channel, struct stor_packet packet,
                   uint64_t gpa, uint32_t length);

/* How many of the controller's channels were ended because the guest broke the protocol. */
uint64_t stor_faults(const struct stor_guest *stor);

/* stor_send() on the primary, and wait for the answer; returns its NTSTATUS. */
uint32_t stor_run(struct stor_guest *stor, struct stor_packet packet, uint64_t gpa,
                  uint32_t length);

/* The last answer is success, with `moved` bytes. */
void stor_expect_done(const struct stor_guest *stor, uint32_t moved);

/* The last answer is CHECK CONDITION, in all the places where guests look for it. */
void stor_expect_check(const struct stor_guest *stor, uint8_t srb_status, uint8_t key,
                       uint8_t code);

/* The channel still works, and none was ended. */
void stor_expect_alive(struct stor_guest *stor);

/* The channel has been ended, nothing came back, and a fresh open brings it to life. */
void stor_expect_ended(struct stor_guest *stor);

#endif
