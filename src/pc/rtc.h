/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real-time clock and CMOS RAM: an MC146818A (Motorola data sheet) at ports 0x70 and 0x71, with the
 * PC's century byte at 0x32.
 *
 * The clock is the host's CLOCK_REALTIME in UTC or local time plus an offset that setting the clock
 * changes; its seconds turn over with the host's. Alarm and update-ended interrupts come from a
 * timer on the main lane, armed only while the guest has enabled one; so does the periodic one,
 * from a timer of its own (rtc_periodic.h). A step of the host's clock is followed at once by what
 * the guest reads, and by a pending interrupt when it next comes due.
 *
 * Left out: the square wave, daylight saving (DSE); their bits are kept and have no effect. The day
 * of the week is worked out from the date.
 */
#ifndef VMBUSD_PC_RTC_H
#define VMBUSD_PC_RTC_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/pc/pc.h"
#include "src/pc/pio.h"
#include "src/pc/rtc_periodic.h"

#define RTC_BASE      0x70u
#define RTC_PORTS     2u
#define RTC_IRQ       8u
#define RTC_CENTURY   0x32u /* register of the century, for the FADT */
#define RTC_REGISTERS 128u

struct rtc {
    const struct pc_host *host;
    bool local;                 /* local time; else UTC */
    int64_t offset;             /* guest's clock minus host's clock, seconds */
    uint8_t index;              /* port 0x70 without the NMI bit */
    uint8_t reg[RTC_REGISTERS]; /* the time in it is current only while B.SET holds it */
    int64_t updated;            /* guest second up to which C.UF has been told */
    int64_t alarm;              /* guest second of the next alarm; INT64_MAX: never */
    bool line_high;             /* what host->irq was last told */
    struct lane_timer timer;    /* next second or alarm, while the guest wants an interrupt */
    struct rtc_periodic periodic;
    struct lane_timer tick; /* of `periodic`, while the guest wants its interrupt */
    struct lane_task rearm;
};

/* Zero `rtc` first. Takes its ports from `pio`; 0 or pio_add()'s error. `host` must outlive it.
 * Reads the time zone's file: call it before the sandbox closes. */
int rtc_init(struct rtc *rtc, const struct pc_host *host, struct pio *pio, bool local);

/* Put what firmware shall find into CMOS RAM; `index` is 0x0e or above. Start-up. */
void rtc_set_cmos(struct rtc *rtc, uint8_t index, uint8_t value);

/* What the reset line and the firmware after it leave: interrupts off, 24-hour BCD. The time and
 * the CMOS RAM stay. PC lock held. */
void rtc_reset(struct rtc *rtc);

#endif
