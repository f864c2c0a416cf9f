/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock: see rtc.h.
 */
#include "src/pc/rtc.h"

#include <time.h>

#include "src/common/container.h"
#include "src/pc/pio_bytes.h"

enum {
    REG_SECOND = 0,
    REG_SECOND_ALARM = 1,
    REG_MINUTE = 2,
    REG_MINUTE_ALARM = 3,
    REG_HOUR = 4,
    REG_HOUR_ALARM = 5,
    REG_WEEKDAY = 6,
    REG_DAY = 7,
    REG_MONTH = 8,
    REG_YEAR = 9,
    REG_A = 10,
    REG_B = 11,
    REG_C = 12,
    REG_D = 13
};

#define A_UIP      0x80u
#define A_DIVIDER  0x26u /* 32768 Hz, 1024 Hz periodic: what every firmware sets */
#define B_SET      0x80u
#define B_ENABLES  0x70u /* periodic, alarm, update-ended; the same bits as their flags in C */
#define B_PERIODIC 0x40u
#define B_ALARM    0x20u
#define B_UPDATE   0x10u
#define B_BINARY   0x04u
#define B_24H      0x02u
#define C_IRQ      0x80u
#define C_PERIODIC 0x40u
#define C_ALARM    0x20u
#define C_UPDATE   0x10u
#define D_VALID    0x80u
#define HOUR_PM    0x80u
#define ALARM_ANY  0xc0u /* values from here on match always */
#define INDEX_MASK 0x7fu /* bit 7 masks NMI, of which there is none */

#define SECOND_NS 1000000000ll
#define UPDATE_NS 244000ll /* UIP comes this long before the update */
#define NEVER     INT64_MAX

/* The guest's clock: seconds, as if it were UTC, and nanoseconds of the current one. */
static int64_t guest_now(const struct rtc *rtc, int64_t *ret_ns)
{
    struct timespec now;
    struct tm local;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_ns)
        *ret_ns = now.tv_nsec;
    int64_t zone = rtc->local && localtime_r(&now.tv_sec, &local) ? local.tm_gmtoff : 0;
    return now.tv_sec + zone + rtc->offset;
}

static bool held(const struct rtc *rtc)
{
    return rtc->reg[REG_B] & B_SET;
}

static uint8_t encode(const struct rtc *rtc, int value)
{
    if (rtc->reg[REG_B] & B_BINARY)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

static int decode(const struct rtc *rtc, uint8_t value)
{
    if (rtc->reg[REG_B] & B_BINARY)
        return value;
    return (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, int hour)
{
    if (rtc->reg[REG_B] & B_24H)
        return encode(rtc, hour);
    return encode(rtc, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct rtc *rtc, uint8_t value)
{
    if (rtc->reg[REG_B] & B_24H)
        return decode(rtc, value);
    return decode(rtc, value & (uint8_t)~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* Put the time `now` into its registers. */
static void latch(struct rtc *rtc, time_t now)
{
    struct tm tm;

    if (!gmtime_r(&now, &tm))
        return;
    rtc->reg[REG_SECOND] = encode(rtc, tm.tm_sec);
    rtc->reg[REG_MINUTE] = encode(rtc, tm.tm_min);
    rtc->reg[REG_HOUR] = encode_hour(rtc, tm.tm_hour);
    rtc->reg[REG_WEEKDAY] = encode(rtc, tm.tm_wday + 1);
    rtc->reg[REG_DAY] = encode(rtc, tm.tm_mday);
    rtc->reg[REG_MONTH] = encode(rtc, tm.tm_mon + 1);
    rtc->reg[REG_YEAR] = encode(rtc, (tm.tm_year + 1900) % 100);
    rtc->reg[RTC_CENTURY] = encode(rtc, (tm.tm_year + 1900) / 100);
}

/* What was the time `now` is what the registers say. Nonsense in them carries over, as 61 seconds
 * do. */
static void set_time(struct rtc *rtc, int64_t now)
{
    struct tm tm = {
        .tm_sec = decode(rtc, rtc->reg[REG_SECOND]),
        .tm_min = decode(rtc, rtc->reg[REG_MINUTE]),
        .tm_hour = decode_hour(rtc, rtc->reg[REG_HOUR]),
        .tm_mday = decode(rtc, rtc->reg[REG_DAY]),
        .tm_mon = decode(rtc, rtc->reg[REG_MONTH]) - 1,
        .tm_year =
            decode(rtc, rtc->reg[RTC_CENTURY]) * 100 + decode(rtc, rtc->reg[REG_YEAR]) - 1900,
    };

    rtc->offset += timegm(&tm) - now;
}

/* An alarm register's value, -1 if it matches always. */
static int alarm_field(const struct rtc *rtc, uint8_t index)
{
    uint8_t value = rtc->reg[index];

    if (value >= ALARM_ANY)
        return -1;
    return index == REG_HOUR_ALARM ? decode_hour(rtc, value) : decode(rtc, value);
}

/* The first second from `from` on that the alarm registers match. */
static int64_t next_alarm(const struct rtc *rtc, int64_t from)
{
    int second = alarm_field(rtc, REG_SECOND_ALARM), minute = alarm_field(rtc, REG_MINUTE_ALARM);
    int hour = alarm_field(rtc, REG_HOUR_ALARM);

    if (second > 59 || minute > 59 || hour > 23)
        return NEVER;
    /* Hours, then minutes, then seconds are skipped whole: under 300 steps wherever it begins. */
    for (int64_t at = from;;) {
        int in_day = (int)((at % 86400 + 86400) % 86400);
        if (hour >= 0 && in_day / 3600 != hour)
            at += 3600 - in_day % 3600;
        else if (minute >= 0 && in_day / 60 % 60 != minute)
            at += 60 - in_day % 60;
        else if (second >= 0 && in_day % 60 != second)
            at++;
        else
            return at;
    }
}

static void update_line(struct rtc *rtc)
{
    bool high = rtc->reg[REG_C] & rtc->reg[REG_B] & B_ENABLES;

    if (high == rtc->line_high)
        return;
    rtc->line_high = high;
    rtc->host->irq(rtc->host->context, RTC_IRQ, high);
}

/* Flags for what has happened since the last call. */
static void catch_up(struct rtc *rtc)
{
    int64_t now = guest_now(rtc, NULL);

    if (!held(rtc) && now > rtc->updated) {
        rtc->reg[REG_C] |= C_UPDATE;
        if (now >= rtc->alarm) {
            rtc->reg[REG_C] |= C_ALARM;
            rtc->alarm = next_alarm(rtc, now + 1);
        }
    }
    rtc->updated = now;
    if (!(rtc->reg[REG_C] & C_PERIODIC) &&
        rtc_periodic_take(&rtc->periodic, lane_now(), !(rtc->reg[REG_B] & B_PERIODIC)))
        rtc->reg[REG_C] |= C_PERIODIC;
    update_line(rtc);
}

/* On the main lane, PC lock held: wait for the next second or alarm that the guest wants told. */
static void arm(struct rtc *rtc)
{
    int64_t ns, now = guest_now(rtc, &ns), target = NEVER;

    if (rtc->reg[REG_B] & B_ALARM)
        target = rtc->alarm;
    if (rtc->reg[REG_B] & B_UPDATE)
        target = now + 1;
    if (held(rtc) || target == NEVER)
        return;
    int64_t left = target > now ? (target - now) * SECOND_NS - ns : 0;
    lane_timer_arm(rtc->host->lane, &rtc->timer, (uint64_t)left + 10000);
}

static void arm_tick(struct rtc *rtc)
{
    uint64_t left = rtc_periodic_next(&rtc->periodic, lane_now());

    if (rtc->reg[REG_B] & B_PERIODIC && left != UINT64_MAX)
        lane_timer_arm(rtc->host->lane, &rtc->tick, left);
}

static void tick_fire(struct lane_timer *timer)
{
    struct rtc *rtc = container_of(timer, struct rtc, tick);

    pthread_mutex_lock(rtc->host->lock);
    catch_up(rtc);
    arm_tick(rtc);
    pthread_mutex_unlock(rtc->host->lock);
}

static void timer_fire(struct lane_timer *timer)
{
    struct rtc *rtc = container_of(timer, struct rtc, timer);

    pthread_mutex_lock(rtc->host->lock);
    catch_up(rtc);
    arm(rtc);
    pthread_mutex_unlock(rtc->host->lock);
}

static void rearm(struct lane_task *task)
{
    struct rtc *rtc = container_of(task, struct rtc, rearm);

    pthread_mutex_lock(rtc->host->lock);
    arm(rtc);
    arm_tick(rtc);
    pthread_mutex_unlock(rtc->host->lock);
}

/* After any change of time, alarm or register B. */
static void changed(struct rtc *rtc)
{
    int64_t now = guest_now(rtc, NULL);

    rtc->updated = now;
    rtc->alarm = next_alarm(rtc, now + 1);
    update_line(rtc);
    if (rtc->reg[REG_B] & B_ENABLES)
        lane_post(rtc->host->lane, &rtc->rearm);
}

static bool is_time(uint8_t index)
{
    return index == RTC_CENTURY || (index <= REG_YEAR && index != REG_SECOND_ALARM &&
                                    index != REG_MINUTE_ALARM && index != REG_HOUR_ALARM);
}

static uint8_t read_a(const struct rtc *rtc)
{
    int64_t ns;

    guest_now(rtc, &ns);
    return rtc->reg[REG_A] | (!held(rtc) && ns >= SECOND_NS - UPDATE_NS ? A_UIP : 0);
}

/* Reading C acknowledges everything; then what is owed of the ticks comes. */
static uint8_t read_c(struct rtc *rtc)
{
    catch_up(rtc);
    uint8_t value = rtc->reg[REG_C] | (rtc->line_high ? C_IRQ : 0);
    rtc->reg[REG_C] = 0;
    update_line(rtc);
    if (rtc->reg[REG_B] & B_PERIODIC && rtc_periodic_make_up(&rtc->periodic, lane_now())) {
        rtc->reg[REG_C] = C_PERIODIC;
        update_line(rtc);
    }
    return value;
}

static uint8_t read_data(struct rtc *rtc)
{
    if (rtc->index == REG_A)
        return read_a(rtc);
    if (rtc->index == REG_C)
        return read_c(rtc);
    if (is_time(rtc->index) && !held(rtc))
        latch(rtc, guest_now(rtc, NULL));
    return rtc->reg[rtc->index];
}

static void write_a(struct rtc *rtc, uint8_t value)
{
    catch_up(rtc);
    rtc->reg[REG_A] = value & (uint8_t)~A_UIP;
    rtc_periodic_begin(&rtc->periodic, value, lane_now());
    changed(rtc);
}

static void write_b(struct rtc *rtc, uint8_t value)
{
    catch_up(rtc);
    if (value & B_SET)
        value &= (uint8_t)~B_UPDATE; /* there is no update whose end could be told */
    bool was_held = held(rtc);
    if (!was_held && value & B_SET)
        latch(rtc, rtc->updated);
    if (value & ~rtc->reg[REG_B] & B_PERIODIC)
        rtc_periodic_begin(&rtc->periodic, rtc->reg[REG_A], lane_now());
    rtc->reg[REG_B] = value;
    if (was_held && !held(rtc))
        set_time(rtc, rtc->updated);
    changed(rtc);
}

static void write_time(struct rtc *rtc, uint8_t value)
{
    catch_up(rtc);
    if (!held(rtc))
        latch(rtc, rtc->updated);
    rtc->reg[rtc->index] = value;
    if (!held(rtc))
        set_time(rtc, rtc->updated);
    changed(rtc);
}

static void write_data(struct rtc *rtc, uint8_t value)
{
    if (is_time(rtc->index)) {
        write_time(rtc, value);
    } else if (rtc->index == REG_A) {
        write_a(rtc, value);
    } else if (rtc->index == REG_B) {
        write_b(rtc, value);
    } else if (rtc->index < REG_A) {
        catch_up(rtc);
        rtc->reg[rtc->index] = value;
        changed(rtc);
    } else if (rtc->index > REG_D) {
        rtc->reg[rtc->index] = value;
    }
}

static uint8_t read_byte(void *context, uint16_t offset)
{
    return offset ? read_data(context) : 0xff;
}

static void write_byte(void *context, uint16_t offset, uint8_t value)
{
    struct rtc *rtc = context;

    if (offset)
        write_data(rtc, value);
    else
        rtc->index = value & INDEX_MASK;
}

static uint32_t rtc_read(void *context, uint16_t offset, unsigned size)
{
    return pio_read_bytes(read_byte, context, offset, size);
}

static void rtc_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    pio_write_bytes(write_byte, context, offset, size, value);
}

int rtc_init(struct rtc *rtc, const struct pc_host *host, struct pio *pio, bool local)
{
    const struct pio_region region = {
        .base = RTC_BASE, .count = RTC_PORTS, .read = rtc_read, .write = rtc_write, .context = rtc};

    tzset();
    rtc->host = host;
    rtc->local = local;
    rtc->timer.fire = timer_fire;
    rtc->tick.fire = tick_fire;
    rtc->rearm.run = rearm;
    rtc->reg[REG_A] = A_DIVIDER;
    rtc_periodic_begin(&rtc->periodic, A_DIVIDER, lane_now());
    rtc->reg[REG_D] = D_VALID;
    rtc_reset(rtc);
    return pio_add(pio, &region);
}

void rtc_reset(struct rtc *rtc)
{
    rtc->index = 0;
    rtc->reg[REG_B] = B_24H;
    rtc->reg[REG_C] = 0;
    changed(rtc);
}

void rtc_set_cmos(struct rtc *rtc, uint8_t index, uint8_t value)
{
    if (index > REG_D && index < RTC_REGISTERS)
        rtc->reg[index] = value;
}
