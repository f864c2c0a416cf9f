/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock as guests read, set and wait for it.
 */
#include <stdlib.h>
#include <time.h>

#include <glib.h>

#include "src/pc/rtc.h"
#include "tests/unit/fake_pc.h"

struct fixture {
    struct fake_pc pc;
    struct rtc rtc;
};

static void set_up(struct fixture *f, gconstpointer local)
{
    fake_pc_init(&f->pc);
    g_assert_cmpint(rtc_init(&f->rtc, &f->pc.host, &f->pc.pio, local != NULL), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_fini(&f->pc);
}

static uint8_t get(struct fixture *f, uint8_t index)
{
    fake_pc_outb(&f->pc, 0x70, index);
    return fake_pc_inb(&f->pc, 0x71);
}

static void set(struct fixture *f, uint8_t index, uint8_t value)
{
    fake_pc_outb(&f->pc, 0x70, index);
    fake_pc_outb(&f->pc, 0x71, value);
}

static int from_bcd(uint8_t value)
{
    g_assert_cmpuint(value & 15, <=, 9);
    return (value >> 4) * 10 + (value & 15);
}

/* Read as Linux does: wait for an update to pass, then take all fields. 24-hour BCD. */
static time_t read_bcd(struct fixture *f)
{
    while (get(f, 10) & 0x80)
        ;
    struct tm tm = {.tm_sec = from_bcd(get(f, 0)),
                    .tm_min = from_bcd(get(f, 2)),
                    .tm_hour = from_bcd(get(f, 4)),
                    .tm_mday = from_bcd(get(f, 7)),
                    .tm_mon = from_bcd(get(f, 8)) - 1,
                    .tm_year = from_bcd(get(f, 0x32)) * 100 + from_bcd(get(f, 9)) - 1900};
    g_assert_cmpuint(from_bcd(get(f, 6)), >=, 1);
    return timegm(&tm);
}

static void write_bcd(struct fixture *f, int year, int month, int day, int hour, int minute,
                      int second)
{
    static const uint8_t index[] = {0x32, 9, 8, 7, 4, 2, 0};
    const int value[] = {year / 100, year % 100, month, day, hour, minute, second};

    set(f, 11, 0x82); /* hold */
    for (unsigned i = 0; i < G_N_ELEMENTS(index); i++)
        set(f, index[i], (uint8_t)(value[i] / 10 << 4 | value[i] % 10));
    set(f, 11, 0x02);
}

static void assert_near(time_t a, time_t b)
{
    g_assert_cmpint(llabs((long long)a - (long long)b), <=, 1);
}

static void test_utc(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_near(read_bcd(f), time(NULL));
    g_assert_cmphex(get(f, 13), ==, 0x80);
    g_assert_cmphex(get(f, 10) & 0x7f, ==, 0x26);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0x70), ==, 0xff);
}

static void test_local(struct fixture *f, gconstpointer data)
{
    time_t now = time(NULL);
    struct tm tm;

    (void)data;
    localtime_r(&now, &tm);
    g_assert_cmpint(tm.tm_gmtoff, ==, -(5 * 3600 + 1800)); /* main() has set the zone */
    assert_near(read_bcd(f), now + tm.tm_gmtoff);
}

static void test_set_while_held(struct fixture *f, gconstpointer data)
{
    struct tm tm = {.tm_year = 104, .tm_mon = 1, .tm_mday = 29, .tm_hour = 23, .tm_min = 59};

    (void)data;
    write_bcd(f, 2004, 2, 29, 23, 59, 0);
    assert_near(read_bcd(f), timegm(&tm));
    rtc_reset(&f->rtc); /* the battery keeps it */
    assert_near(read_bcd(f), timegm(&tm));
}

static void test_held_time_stands_still(struct fixture *f, gconstpointer data)
{
    (void)data;
    set(f, 11, 0x82);
    uint8_t second = get(f, 0);
    g_usleep(1100000);
    g_assert_cmphex(get(f, 0), ==, second);
    g_assert_cmphex(get(f, 10) & 0x80, ==, 0);
}

static void test_set_while_running(struct fixture *f, gconstpointer data)
{
    (void)data;
    time_t before = read_bcd(f);
    set(f, 9, 0x99);
    set(f, 0x32, 0x19); /* 1999 */
    struct tm tm;
    time_t after = read_bcd(f);
    gmtime_r(&after, &tm);
    g_assert_cmpint(tm.tm_year, ==, 99);
    g_assert_cmpint(before, >, after);
}

static void test_formats(struct fixture *f, gconstpointer data)
{
    static const struct {
        int hour;
        uint8_t b, expected;
    } cases[] = {
        {0, 0x00, 0x12},  {11, 0x00, 0x11}, {12, 0x00, 0x92}, {23, 0x00, 0x91}, {0, 0x04, 12},
        {13, 0x04, 0x81}, {23, 0x04, 0x8b}, {23, 0x06, 23},   {23, 0x02, 0x23},
    };

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_bcd(f, 2020, 6, 15, cases[i].hour, 30, 0);
        set(f, 11, cases[i].b);
        g_assert_cmphex(get(f, 4), ==, cases[i].expected);
        g_assert_cmphex(get(f, 2), ==, cases[i].b & 4 ? 30 : 0x30);
        set(f, 4, cases[i].expected); /* and back */
        set(f, 11, 0x02);
        g_assert_cmpint(from_bcd(get(f, 4)), ==, cases[i].hour);
    }
}

/* Every byte in every field, in every format: the clock goes on, somewhere. */
static void test_nonsense(struct fixture *f, gconstpointer data)
{
    static const uint8_t fields[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x32};

    (void)data;
    for (unsigned b = 0; b < 8; b += 2) {
        set(f, 11, (uint8_t)(b | 0x20));
        for (unsigned value = 0; value < 256; value++)
            for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
                set(f, fields[i], (uint8_t)value);
        for (unsigned index = 0; index < 128; index++)
            get(f, (uint8_t)index);
    }
    write_bcd(f, 2030, 1, 1, 0, 0, 0);
    g_assert_cmpint(from_bcd(get(f, 9)), ==, 30);
}

static void test_cmos_ram(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 14; i < 128; i++)
        if (i != RTC_CENTURY)
            set(f, (uint8_t)i, (uint8_t)(i * 3));
    rtc_reset(&f->rtc);
    for (unsigned i = 14; i < 128; i++)
        if (i != RTC_CENTURY)
            g_assert_cmphex(get(f, (uint8_t)(i | 0x80)), ==, (uint8_t)(i * 3)); /* NMI bit */
    set(f, 12, 0xff);
    set(f, 13, 0);
    g_assert_cmphex(get(f, 13), ==, 0x80);
}

/* UIP is seen before a second turns over, and only then. */
static void test_uip(struct fixture *f, gconstpointer data)
{
    unsigned seen = 0, polls = 0;
    gint64 end = g_get_monotonic_time() + 2500000;

    (void)data;
    while (!seen && g_get_monotonic_time() < end) {
        polls++;
        if (!(get(f, 10) & 0x80))
            continue;
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        /* It was within 244 us of the turn; allow for being scheduled away since. */
        seen += now.tv_nsec >= 999756000 || now.tv_nsec < 500000000;
        g_assert_cmpuint(seen, ==, 1);
    }
    g_assert_cmpuint(polls, >, 100);
    if (!seen)
        g_test_skip("this machine is too busy to poll faster than 244 us");
}

static void test_update_flag_without_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    get(f, 12);
    g_usleep(1100000);
    g_assert_cmphex(get(f, 12), ==, 0x50); /* polled, no IRQF; the tick's flag is beside it */
    g_assert_cmpuint(f->pc.edges[RTC_IRQ], ==, 0);
}

static void test_update_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    get(f, 12);
    set(f, 11, 0x12);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(fake_pc_wait_high(&f->pc, RTC_IRQ, 3000));
        g_assert_cmphex(get(f, 12) & 0x90, ==, 0x90);
        g_assert_false(fake_pc_level(&f->pc, RTC_IRQ));
    }
    set(f, 11, 0x02);
    g_usleep(1200000);
    g_assert_false(fake_pc_level(&f->pc, RTC_IRQ));
}

/* Linux's hwclock: an alarm two seconds ahead. */
static void test_alarm_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    write_bcd(f, 2020, 12, 31, 23, 59, 58);
    set(f, 5, 0x00);
    set(f, 3, 0x00);
    set(f, 1, 0x00);
    get(f, 12);
    set(f, 11, 0x22);
    g_assert_true(fake_pc_wait_high(&f->pc, RTC_IRQ, 5000));
    g_assert_cmpint(from_bcd(get(f, 9)), ==, 21); /* it rang in the new year */
    g_assert_cmphex(get(f, 0), <=, 0x02);
    g_assert_cmphex(get(f, 12) & 0xa0, ==, 0xa0);
}

static void test_alarm_any(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    for (uint8_t index = 1; index <= 5; index += 2)
        set(f, index, 0xff); /* every second */
    get(f, 12);
    set(f, 11, 0x22);
    g_assert_true(fake_pc_wait_high(&f->pc, RTC_IRQ, 3000));
}

static void test_alarm_never(struct fixture *f, gconstpointer data)
{
    (void)data;
    set(f, 5, 0x24); /* 24 o'clock */
    set(f, 11, 0x22);
    get(f, 12);
    g_usleep(1100000);
    g_assert_cmphex(get(f, 12), ==, 0x50);
}

/* --- The periodic tick: by numbers, then with a lane's timers --- */

#define SECOND_NS 1000000000ull

static unsigned ticks_in(struct rtc_periodic *periodic, uint64_t from, uint64_t to, uint64_t step)
{
    unsigned count = 0;

    for (uint64_t now = from; now <= to; now += step)
        while (rtc_periodic_take(periodic, now, false))
            count++;
    return count;
}

/* Data sheet, table 5, at 32768 Hz; no tick with rate 0 or another divider. */
static void test_periodic_rates(void)
{
    static const unsigned hz[16] = {0,   256, 128, 8192, 4096, 2048, 1024, 512,
                                    256, 128, 64,  32,   16,   8,    4,    2};

    for (uint8_t rate = 0; rate < 16; rate++) {
        struct rtc_periodic periodic;
        rtc_periodic_begin(&periodic, 0x20 | rate, 5 * SECOND_NS);
        g_assert_cmpuint(ticks_in(&periodic, 5 * SECOND_NS, 7 * SECOND_NS, 100000), ==,
                         2 * hz[rate]);
    }
    for (uint8_t divider = 0; divider < 8; divider++) {
        struct rtc_periodic periodic;
        rtc_periodic_begin(&periodic, (uint8_t)(divider << 4 | 6), SECOND_NS);
        g_assert_cmpint(rtc_periodic_take(&periodic, 2 * SECOND_NS, true), ==, divider == 2);
        g_assert_cmpint(rtc_periodic_next(&periodic, 2 * SECOND_NS) == UINT64_MAX, ==,
                        divider != 2);
    }
}

/* A timer that is set to what it says finds exactly one tick each time, for an hour. */
static void test_periodic_next(void)
{
    struct rtc_periodic periodic;
    uint64_t now = 123456789, ticks = 0;

    rtc_periodic_begin(&periodic, 0x26, now);
    while (now < 3600 * SECOND_NS) {
        uint64_t left = rtc_periodic_next(&periodic, now);
        g_assert_cmpuint(left, <=, 976563);
        g_assert_false(rtc_periodic_take(&periodic, now + left - 1, false));
        now += left;
        g_assert_true(rtc_periodic_take(&periodic, now, false));
        g_assert_false(rtc_periodic_take(&periodic, now, false));
        ticks++;
    }
    g_assert_cmpuint(ticks, ==, 1024 * 3600 - 126); /* it began after the 126th */
}

static void test_periodic_owed(void)
{
    struct rtc_periodic periodic;

    rtc_periodic_begin(&periodic, 0x26, SECOND_NS);
    g_assert_true(rtc_periodic_take(&periodic, 2 * SECOND_NS, false)); /* one of 1024 */
    for (unsigned burst = 0; burst < RTC_PERIODIC_BURST; burst++)
        g_assert_true(rtc_periodic_make_up(&periodic, 2 * SECOND_NS));
    g_assert_false(rtc_periodic_make_up(&periodic, 2 * SECOND_NS)); /* not all at once */
    g_assert_false(rtc_periodic_take(&periodic, 2 * SECOND_NS, false));
    unsigned told = 1 + RTC_PERIODIC_BURST;
    for (uint64_t now = 2 * SECOND_NS; now < 3 * SECOND_NS;) {
        uint64_t left = rtc_periodic_next(&periodic, now);
        now += left;
        told += rtc_periodic_take(&periodic, now, false);
        while (rtc_periodic_make_up(&periodic, now))
            told++;
    }
    g_assert_cmpuint(told, ==, 2 * 1024);
    g_assert_true(rtc_periodic_take(&periodic, 4 * SECOND_NS, true)); /* who polls sees one */
    g_assert_false(rtc_periodic_take(&periodic, 4 * SECOND_NS, true));
    g_assert_false(rtc_periodic_make_up(&periodic, 4 * SECOND_NS));
}

/* hostile-inputs.md: a guest that was stopped for a day is not given a day's interrupts. */
static void test_periodic_ceiling(void)
{
    struct rtc_periodic periodic;
    uint64_t later = 86400 * SECOND_NS;

    rtc_periodic_begin(&periodic, 0x23, SECOND_NS);
    g_assert_true(rtc_periodic_take(&periodic, later, false));
    g_assert_cmpuint(8192 * 86400ull - periodic.told, ==, RTC_PERIODIC_OWED - 1);
}

/* As a HAL counts them, also while it does not look for a while. */
static void test_periodic_interrupt(struct fixture *f, gconstpointer data)
{
    unsigned ticks = 0;

    (void)data;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    get(f, 12);
    uint64_t begin = lane_now(), now = begin;
    set(f, 11, 0x42);
    for (bool slept = false; now < begin + SECOND_NS; now = lane_now()) {
        g_assert_true(fake_pc_wait_high(&f->pc, RTC_IRQ, 3000));
        g_assert_cmphex(get(f, 12) & 0xc0, ==, 0xc0);
        ticks++;
        if (!slept && now > begin + SECOND_NS / 3) {
            slept = true;
            g_usleep(200000);
        }
    }
    while (fake_pc_wait_high(&f->pc, RTC_IRQ, 0) && get(f, 12) & 0x40) /* what is still owed */
        ticks++;
    now = lane_now();
    unsigned expected = (unsigned)((now - begin) / 1000 * 1024 / 1000000);
    g_assert_cmpuint(ticks, >=, expected - expected / 20);
    g_assert_cmpuint(ticks, <=, expected + 2);
    set(f, 11, 0x02);
    g_assert_false(fake_pc_level(&f->pc, RTC_IRQ));
    get(f, 12);
    set(f, 10, 0x20); /* no rate */
    set(f, 11, 0x42);
    g_usleep(20000);
    g_assert_false(fake_pc_level(&f->pc, RTC_IRQ));
}

/* hostile-inputs.md: a guest that is owed ticks and has the timer set again and again gets no more
 * of them at once than one that does not. 2 Hz: the clock's tick comes once here at most. */
static void test_periodic_burst(struct fixture *f, gconstpointer data)
{
    unsigned told = 0;

    (void)data;
    set(f, 10, 0x2f);
    set(f, 11, 0x42);
    f->rtc.periodic.told -= 1000;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    uint64_t end = lane_now() + SECOND_NS / 4;
    for (; lane_now() < end; told += get(f, 12) >> 6 & 1) {
        set(f, 1, 0x30); /* an alarm's second */
        g_usleep(1000);  /* for the lane */
    }
    g_assert_cmpuint(told, >=, RTC_PERIODIC_BURST);
    g_assert_cmpuint(told, <=, 2 * (RTC_PERIODIC_BURST + 1) + 1);
}

/* MC146818A data sheet: SET going high clears UIE, so that setting the clock is not disturbed. */
static void test_set_ends_update_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    set(f, 11, 0x32);
    set(f, 11, 0xb2);
    g_assert_cmphex(get(f, 11), ==, 0xa2);
    set(f, 11, 0x22); /* and it stays cleared */
    g_assert_cmphex(get(f, 11), ==, 0x22);
    set(f, 11, 0x32);
    g_assert_cmphex(get(f, 11), ==, 0x32);
}

/* Owed before the guest listened: nothing. */
static void test_periodic_enable(struct fixture *f, gconstpointer data)
{
    (void)data;
    get(f, 12);
    g_usleep(50000);
    g_assert_cmphex(get(f, 12) & 0x40, ==, 0x40);
    set(f, 10, 0x2f); /* 2 Hz */
    set(f, 11, 0x42);
    g_assert_cmphex(get(f, 12) & 0x40, ==, 0);
    g_assert_false(f->pc.level[RTC_IRQ]);
}

static void test_reset_drops_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    set(f, 11, 0x12);
    g_usleep(1100000);
    fake_pc_outb(&f->pc, 0x70, 12); /* C is not read */
    set(f, 11, 0x12);               /* catches up */
    g_assert_true(f->pc.level[RTC_IRQ]);
    rtc_reset(&f->rtc);
    g_assert_false(f->pc.level[RTC_IRQ]);
    g_assert_cmphex(get(f, 11), ==, 0x02);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    setenv("TZ", "TST5:30", 1); /* five and a half hours west */
    g_test_init(&argc, &argv, NULL);
    add("/rtc/utc", test_utc);
    g_test_add("/rtc/local", struct fixture, "local", set_up, test_local, tear_down);
    add("/rtc/set-while-held", test_set_while_held);
    add("/rtc/held-time-stands-still", test_held_time_stands_still);
    add("/rtc/set-while-running", test_set_while_running);
    add("/rtc/formats", test_formats);
    add("/rtc/nonsense", test_nonsense);
    add("/rtc/cmos-ram", test_cmos_ram);
    add("/rtc/uip", test_uip);
    add("/rtc/update-flag-without-interrupt", test_update_flag_without_interrupt);
    add("/rtc/update-interrupt", test_update_interrupt);
    add("/rtc/alarm-interrupt", test_alarm_interrupt);
    add("/rtc/alarm-any", test_alarm_any);
    add("/rtc/alarm-never", test_alarm_never);
    g_test_add_func("/rtc/periodic/rates", test_periodic_rates);
    g_test_add_func("/rtc/periodic/next", test_periodic_next);
    g_test_add_func("/rtc/periodic/owed", test_periodic_owed);
    g_test_add_func("/rtc/attack/periodic-ceiling", test_periodic_ceiling);
    add("/rtc/periodic/interrupt", test_periodic_interrupt);
    add("/rtc/periodic/enable", test_periodic_enable);
    add("/rtc/attack/periodic-burst", test_periodic_burst);
    add("/rtc/set-ends-update-interrupt", test_set_ends_update_interrupt);
    add("/rtc/reset-drops-interrupt", test_reset_drops_interrupt);
    return g_test_run();
}
