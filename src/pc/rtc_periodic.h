/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock's periodic tick: what the 32768 Hz divider chain and the rate of register A
 * give (MC146818A data sheet, table 5), and how many ticks the guest has not been told of yet.
 *
 * NT's HALs for APIC machines count these ticks for their clock, so that one that came while the
 * last was not yet acknowledged is owed, not lost: it is told as soon as the guest has read
 * register C, some of them in a row, the rest with the ticks that follow. A guest that was away for
 * longer than RTC_PERIODIC_OWED ticks does not get the rest back.
 *
 * The chain runs with the host's CLOCK_MONOTONIC and has its phase. Left out: the divider's other
 * crystals, which no PC has, and its reset; both stop the tick.
 */
#ifndef VMBUSD_PC_RTC_PERIODIC_H
#define VMBUSD_PC_RTC_PERIODIC_H

#include <stdbool.h>
#include <stdint.h>

#define RTC_PERIODIC_OWED  65536u /* a minute at 1024 Hz */
#define RTC_PERIODIC_BURST 20u    /* made up between two ticks of the clock */

struct rtc_periodic {
    uint32_t period; /* in cycles of 32768 Hz; 0: there is no tick */
    uint64_t told;   /* the last tick told, counted from the host's start */
    uint64_t tick;   /* the clock's, when one was last asked for */
    unsigned burst;  /* told since then */
};

/* Register A has been written, or the guest begins to listen: nothing is owed. */
void rtc_periodic_begin(struct rtc_periodic *periodic, uint8_t reg_a, uint64_t now_ns);

/* A tick to tell, if there is one: at most one for each of the clock's. `all`: whoever polls sees
 * one flag for all that have been. */
bool rtc_periodic_take(struct rtc_periodic *periodic, uint64_t now_ns, bool all);

/* The same right after the guest has acknowledged one: up to RTC_PERIODIC_BURST more. */
bool rtc_periodic_make_up(struct rtc_periodic *periodic, uint64_t now_ns);

/* Nanoseconds to the next tick, UINT64_MAX without one. */
uint64_t rtc_periodic_next(const struct rtc_periodic *periodic, uint64_t now_ns);

#endif
