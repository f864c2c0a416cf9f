/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rate limits: see the header.
 */
#include "vswitch/rate.h"

#define FRACTION    20u /* bits of a nanosecond */
#define SECOND      (1000000000ull << FRACTION)
#define FULL        (1ull << 62) /* no bucket holds more: over an hour of frames */
#define BURST_BYTES 65536u
#define BURST_PART  100u /* of a second */
#define STORM_MIN   16u
#define STORM_PART  10u

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

static uint64_t product(uint64_t a, uint64_t b)
{
    uint64_t result;

    return __builtin_mul_overflow(a, b, &result) ? FULL : at_most(result, FULL);
}

static void set(struct rate *rate, uint64_t second, uint64_t units, uint64_t burst)
{
    *rate = (struct rate){0};
    if (!units)
        return;
    rate->unit = second / units ? second / units : 1;
    rate->burst = product(burst, rate->unit);
}

void rate_set_bits(struct rate *rate, uint64_t bits, uint64_t burst)
{
    if (!burst) {
        burst = bits / (8 * BURST_PART);
        burst = burst > BURST_BYTES ? burst : BURST_BYTES;
    }
    set(rate, 8 * SECOND, bits, burst);
}

void rate_set_frames(struct rate *rate, uint32_t frames)
{
    uint32_t burst = frames / STORM_PART;

    set(rate, SECOND, frames, burst > STORM_MIN ? burst : STORM_MIN);
}

static void leak(struct rate *rate, uint64_t now_ns)
{
    uint64_t elapsed;

    if (now_ns <= rate->last_ns)
        return;
    elapsed = now_ns - rate->last_ns;
    rate->last_ns = now_ns;
    rate->fill = elapsed > rate->fill >> FRACTION ? 0 : rate->fill - (elapsed << FRACTION);
}

bool rate_over(struct rate *rate, uint32_t units, uint64_t now_ns)
{
    uint64_t cost = product(rate->unit, units);

    leak(rate, now_ns);
    if (rate->fill && cost + rate->fill > rate->burst)
        return true;
    rate->fill = at_most(rate->fill + cost, FULL);
    return false;
}
