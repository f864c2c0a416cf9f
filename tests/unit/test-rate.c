/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of rate limits: the rate over time, the burst, and numbers at the edges.
 */
#include <glib.h>

#include "vswitch/rate.h"

#define SECOND 1000000000ull

/* Bytes that pass in a second of frames that come `every_ns`, after the burst is used up. */
static uint64_t passed(struct rate *rate, uint32_t frame, uint64_t every_ns)
{
    uint64_t now = SECOND, bytes = 0;

    while (rate_pass(rate, frame, now))
        ;
    for (uint64_t end = now + SECOND; now < end; now += every_ns)
        bytes += rate_pass(rate, frame, now) ? frame : 0;
    return bytes;
}

static void test_no_limit(void)
{
    struct rate rate = {0};

    for (unsigned i = 0; i < 1000; i++)
        g_assert_true(rate_pass(&rate, UINT32_MAX, 1));
    rate_set_bits(&rate, 0, 1);
    g_assert_true(rate_pass(&rate, UINT32_MAX, 1));
    rate_set_frames(&rate, 0);
    g_assert_true(rate_pass(&rate, UINT32_MAX, 1));
}

static void test_rate(void)
{
    static const uint64_t rates[] = {8000, 1000000, 100000000, 10000000000};

    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        uint32_t frame = i ? 1514 : 60;
        uint64_t bytes = rates[i] / 8;
        struct rate rate;

        rate_set_bits(&rate, rates[i], 0);
        uint64_t got = passed(&rate, frame, bytes > 10000000 ? 100 : 1000);
        g_assert_cmpuint(got, <=, bytes + frame);
        g_assert_cmpuint(got + frame + bytes / 1000, >=, bytes);
    }
}

static void test_burst(void)
{
    struct rate rate;

    rate_set_bits(&rate, 8000000, 10000); /* a byte per microsecond */
    for (unsigned i = 0; i < 10; i++)
        g_assert_true(rate_pass(&rate, 1000, SECOND));
    g_assert_false(rate_pass(&rate, 1000, SECOND));
    g_assert_false(rate_pass(&rate, 1000, SECOND + 999999));
    g_assert_true(rate_pass(&rate, 1000, SECOND + 1000000));
    g_assert_false(rate_pass(&rate, 1, SECOND + 1000000));
    for (unsigned i = 0; i < 10; i++)
        g_assert_true(rate_pass(&rate, 1000, 2 * SECOND)); /* no more than the burst is saved */
    g_assert_false(rate_pass(&rate, 1, 2 * SECOND));
}

static void test_burst_default(void)
{
    struct rate rate;
    unsigned frames = 0;

    rate_set_bits(&rate, 8000, 0);
    while (rate_pass(&rate, 1024, SECOND))
        frames++;
    g_assert_cmpuint(frames, ==, 64);
    rate_set_bits(&rate, 8ull * 100 * 1024 * 1000, 0);
    for (frames = 0; rate_pass(&rate, 1024, SECOND);)
        frames++;
    g_assert_cmpuint(frames, >=, 999);
    g_assert_cmpuint(frames, <=, 1000);
}

static void test_larger_than_burst(void)
{
    struct rate rate;

    rate_set_bits(&rate, 8000000, 1000);
    g_assert_true(rate_pass(&rate, 65000, SECOND));
    g_assert_false(rate_pass(&rate, 1, SECOND + 64000000));
    g_assert_true(rate_pass(&rate, 1000, SECOND + 65000000));
    g_assert_true(rate_pass(&rate, 65000, 2 * SECOND));
}

static void test_clock_goes_back(void)
{
    struct rate rate;

    rate_set_bits(&rate, 8000000, 1000);
    g_assert_true(rate_pass(&rate, 1000, 5 * SECOND));
    g_assert_false(rate_pass(&rate, 1000, SECOND));
    g_assert_false(rate_pass(&rate, 1000, 0));
    g_assert_true(rate_pass(&rate, 1000, 6 * SECOND));
}

static void test_storm(void)
{
    struct rate rate;
    unsigned frames = 0;

    rate_set_frames(&rate, 1000);
    for (uint64_t now = SECOND; now < 11 * SECOND; now += 10000)
        frames += rate_pass(&rate, 1, now);
    g_assert_cmpuint(frames, >=, 10000);
    g_assert_cmpuint(frames, <=, 10101);
    rate_set_frames(&rate, 1);
    for (frames = 0; rate_pass(&rate, 1, SECOND);)
        frames++;
    g_assert_cmpuint(frames, ==, 16);
}

static void test_extremes(void)
{
    static const uint64_t values[] = {1, 8000, 1ull << 40, 1ull << 60, UINT64_MAX};
    struct rate rate;

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(values); j++) {
            rate_set_bits(&rate, values[i], values[j]);
            g_assert_true(rate_pass(&rate, UINT32_MAX, 1));
            for (unsigned k = 0; k < 100; k++)
                rate_pass(&rate, UINT32_MAX, k);
            g_assert_true(rate_pass(&rate, 1, UINT64_MAX)); /* centuries later */
        }
    }
    rate_set_bits(&rate, 1, 1);
    g_assert_true(rate_pass(&rate, UINT32_MAX, 0));
    g_assert_false(rate_pass(&rate, 1, 3600 * SECOND));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rate/no-limit", test_no_limit);
    g_test_add_func("/rate/rate", test_rate);
    g_test_add_func("/rate/burst", test_burst);
    g_test_add_func("/rate/burst-default", test_burst_default);
    g_test_add_func("/rate/larger-than-burst", test_larger_than_burst);
    g_test_add_func("/rate/clock-goes-back", test_clock_goes_back);
    g_test_add_func("/rate/storm", test_storm);
    g_test_add_func("/rate/extremes", test_extremes);
    return g_test_run();
}
