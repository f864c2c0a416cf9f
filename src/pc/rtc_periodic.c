/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tick of the real-time clock: see rtc_periodic.h.
 */
#include "src/pc/rtc_periodic.h"

#define CRYSTAL_HZ    32768u
#define DIVIDER_MASK  0x70u
#define DIVIDER_32768 0x20u
#define RATE_MASK     0x0fu
#define NS_PER_SECOND 1000000000ull

static uint64_t cycles_at(uint64_t ns)
{
    return ns / NS_PER_SECOND * CRYSTAL_HZ + ns % NS_PER_SECOND * CRYSTAL_HZ / NS_PER_SECOND;
}

/* The first nanosecond of a cycle. */
static uint64_t ns_of(uint64_t cycle)
{
    return cycle / CRYSTAL_HZ * NS_PER_SECOND +
           (cycle % CRYSTAL_HZ * NS_PER_SECOND + CRYSTAL_HZ - 1) / CRYSTAL_HZ;
}

/* Rates 1 and 2 are those of 8 and 9. */
static uint32_t period_of(uint8_t reg_a)
{
    unsigned rate = reg_a & RATE_MASK;

    if (!rate || (reg_a & DIVIDER_MASK) != DIVIDER_32768)
        return 0;
    return 1u << ((rate < 3 ? rate + 7 : rate) - 1);
}

static uint64_t clock_tick(const struct rtc_periodic *periodic, uint64_t now_ns)
{
    return periodic->period ? cycles_at(now_ns) / periodic->period : 0;
}

void rtc_periodic_begin(struct rtc_periodic *periodic, uint8_t reg_a, uint64_t now_ns)
{
    periodic->period = period_of(reg_a);
    periodic->told = periodic->tick = clock_tick(periodic, now_ns);
    periodic->burst = 0;
}

/* A tick to tell, if there is one and fewer than `most` have been told since the clock's last. */
static bool tell(struct rtc_periodic *periodic, uint64_t now_ns, bool all, unsigned most)
{
    uint64_t tick = clock_tick(periodic, now_ns);

    if (tick != periodic->tick)
        periodic->burst = 0;
    periodic->tick = tick;
    if (tick <= periodic->told || periodic->burst >= most)
        return false;
    if (tick - periodic->told > RTC_PERIODIC_OWED)
        periodic->told = tick - RTC_PERIODIC_OWED;
    periodic->told = all ? tick : periodic->told + 1;
    periodic->burst++;
    return true;
}

bool rtc_periodic_take(struct rtc_periodic *periodic, uint64_t now_ns, bool all)
{
    return tell(periodic, now_ns, all, 1);
}

bool rtc_periodic_make_up(struct rtc_periodic *periodic, uint64_t now_ns)
{
    return tell(periodic, now_ns, false, 1 + RTC_PERIODIC_BURST);
}

uint64_t rtc_periodic_next(const struct rtc_periodic *periodic, uint64_t now_ns)
{
    if (!periodic->period)
        return UINT64_MAX;
    uint64_t tick = clock_tick(periodic, now_ns) + 1;
    return ns_of(tick * periodic->period) - now_ns;
}
