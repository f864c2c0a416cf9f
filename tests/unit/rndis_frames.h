/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet frames for the RNDIS tests: built by hand, so that a test can then spoil them.
 */
#ifndef VMBUSD_TESTS_UNIT_RNDIS_FRAMES_H
#define VMBUSD_TESTS_UNIT_RNDIS_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

/* An Ethernet frame of `length` bytes with a payload that can be recognised. */
void start_frame(uint8_t *frame, uint16_t type, uint32_t length);

/* IPv4 or IPv6 with `payload` bytes behind an L4 header of `l4` bytes; checksums are wrong. Gives
 * where L4 begins. */
uint32_t ip_frame(uint8_t *frame, bool ip4, uint8_t protocol, uint32_t l4, uint32_t payload);

/* One's complement sum, folded: slow, and shares nothing with what is tested. */
uint32_t ones_sum(uint32_t sum, const uint8_t *bytes, uint32_t length);

#endif
