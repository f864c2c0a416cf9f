/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of the legacy adapter: a PC with one, its ports at TLF_IO, plugged into a port ring
 * of which the test is the switch, and a driver's view of it. The adapter's lane turns when the
 * test says so.
 */
#ifndef VMBUSD_TESTS_UNIT_TULIP_FIXTURE_H
#define VMBUSD_TESTS_UNIT_TULIP_FIXTURE_H

#include <glib.h>

#include "src/pc/tulip.h"
#include "tests/unit/fake_pc.h"

#define TLF_RAM    (1u << 20)
#define TLF_IO     0xec00u
#define TLF_WINDOW 0xf0000000u
#define TLF_LINE   10u /* where its pin is led to */
#define TLF_RX     0x1000u
#define TLF_TX     0x2000u
#define TLF_INTO   0x10000u /* receive buffers, 2 KiB each */
#define TLF_FROM   0x30000u /* transmit buffers, the same */
#define TLF_OWN    0x80000000u

/* Bits of descriptors' second words. */
#define TLF_END   0x02000000u
#define TLF_CHAIN 0x01000000u
#define TLF_FRAME 0x60000000u /* first and last */
#define TLF_IC    0x80000000u
#define TLF_SETUP 0x08000000u

struct tulip_fixture {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct chipset chipset;
    struct tulip *tulip;
    struct port_ring_fds fds; /* the switch's */
    struct port_ring ring;
};

extern const uint8_t tlf_mac[6], tlf_other[6], tlf_multicast[6], tlf_broadcast[6];

/* `data` not NULL: a fixed medium instead of a PHY. */
void tlf_set_up(struct tulip_fixture *f, gconstpointer data);
void tlf_tear_down(struct tulip_fixture *f, gconstpointer data);

/* Plug the adapter into a new ring of `cells`, and out. */
void tlf_plug(struct tulip_fixture *f, unsigned cells);
void tlf_unplug(struct tulip_fixture *f);

void tlf_turn(struct tulip_fixture *f);
uint32_t tlf_config(struct tulip_fixture *f, unsigned offset);
void tlf_set_config(struct tulip_fixture *f, unsigned offset, unsigned size, uint32_t value);

/* Registers; a write is followed by the lane's turn. */
uint32_t tlf_in(struct tulip_fixture *f, unsigned csr);
void tlf_out(struct tulip_fixture *f, unsigned csr, uint32_t value);

/* Write a descriptor; read its status. */
void tlf_put(struct tulip_fixture *f, uint32_t at, uint32_t status, uint32_t control,
             uint32_t first, uint32_t second);
uint32_t tlf_status(struct tulip_fixture *f, uint32_t at);

/* A receive ring of `count` buffers of `size` bytes, and a transmit ring with nothing in it, both
 * running, the interrupts of frames on; a perfect filter for tlf_mac and broadcasts. */
void tlf_start(struct tulip_fixture *f, unsigned count, uint32_t size);

/* Fill `bytes` with an Ethernet II frame for `mac`, whose payload counts up from `seed`. */
void tlf_frame(uint8_t *bytes, uint32_t length, const uint8_t *mac, uint8_t seed);

/* The switch hands over a frame, and the lane turns. */
void tlf_arrive(struct tulip_fixture *f, const uint8_t *bytes, uint32_t length);
void tlf_arrive_meta(struct tulip_fixture *f, const uint8_t *bytes, const struct frame_meta *meta);

/* What the adapter has sent next: its length, 0 if nothing. */
uint32_t tlf_sent(struct tulip_fixture *f, uint8_t *bytes, struct frame_meta *ret_meta);

/* A setup frame of this kind (the two type bits of the descriptor), sent and done with. */
void tlf_setup(struct tulip_fixture *f, const uint8_t bytes[192], uint32_t kind);
/* Address `n` of a setup frame, in units of three longwords. */
void tlf_setup_address(uint8_t bytes[192], unsigned n, const uint8_t *mac);

/* Bytes of guest memory; transmit poll demand. */
void tlf_fill(struct tulip_fixture *f, uint32_t at, const uint8_t *bytes, uint32_t length);
void tlf_poll_tx(struct tulip_fixture *f);

/* Nothing more has gone out; this frame has, next. */
void tlf_expect_silence(struct tulip_fixture *f);
void tlf_expect_sent(struct tulip_fixture *f, const uint8_t *frame, uint32_t length);

/* What descriptor `index` received in one piece, with padding and checksum. */
void tlf_expect_received(struct tulip_fixture *f, unsigned index, const uint8_t *frame,
                         uint32_t length);

/* Does a frame for `mac` come in? The first receive descriptor is the last, too. */
bool tlf_comes(struct tulip_fixture *f, const uint8_t *mac);

#endif
