/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A token bucket, turned over: it fills with the time that frames take at the given rate, and leaks
 * in real time. So a frame costs one multiplication and no division.
 *
 * Left out: queues. What is over the limit is dropped, as a policer does (RFC 2697 knows more
 * colours), since a switch that held frames back would need a buffer per port.
 */
#ifndef VMBUSD_VSWITCH_RATE_H
#define VMBUSD_VSWITCH_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: no limit. One thread at a time. Times are 2^-20 ns, so that a byte at 1 Tbit/s still has
 * four digits. */
struct rate {
    uint64_t unit;    /* time of one byte or frame; 0 = no limit */
    uint64_t burst;   /* how full it may get */
    uint64_t fill;    /* how full it was at `last_ns` */
    uint64_t last_ns; /* monotonic clock */
};

/* `bits` per second, 0 = no limit; `burst` bytes, 0 = 1/100 s of the rate but at least 64 KiB. Any
 * values; starts empty. */
void rate_set_bits(struct rate *rate, uint64_t bits, uint64_t burst);

/* `frames` per second, 0 = no limit; a tenth of that at once, at least 16. */
void rate_set_frames(struct rate *rate, uint32_t frames);

bool rate_over(struct rate *rate, uint32_t units, uint64_t now_ns);

/* May `units` (bytes of a frame, or 1 frame) pass now? If so they are counted. What is larger than
 * the whole burst passes when the bucket is empty. A clock that goes back counts as standing still.
 */
static inline bool rate_pass(struct rate *rate, uint32_t units, uint64_t now_ns)
{
    return !rate->unit || !rate_over(rate, units, now_ns);
}

#endif
