/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management and the reset ports.
 */
#include <glib.h>

#include "src/kvm/gmem.h"
#include "src/pc/generation.h"
#include "src/pc/pm.h"
#include "src/pc/reset.h"
#include "tests/unit/fake_pc.h"

#define STATUS  (PM_BASE + PM_EVENT)
#define ENABLE  (PM_BASE + PM_EVENT + 2)
#define CONTROL (PM_BASE + PM_CONTROL)
#define TIMER   (PM_BASE + PM_TIMER)

struct fixture {
    struct fake_pc pc;
    struct pm pm;
    struct reset_ports ports;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fake_pc_init(&fixture->pc);
    g_assert_cmpint(pm_init(&fixture->pm, &fixture->pc.host, &fixture->pc.pio), ==, 0);
    g_assert_cmpint(reset_ports_init(&fixture->ports, &fixture->pc.host, &fixture->pc.pio), ==, 0);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
    (void)data;
    fake_pc_fini(&fixture->pc);
}

static uint32_t in(struct fixture *fixture, uint16_t port, unsigned size)
{
    return fake_pc_in(&fixture->pc, port, size);
}

static void out(struct fixture *fixture, uint16_t port, unsigned size, uint32_t value)
{
    fake_pc_out(&fixture->pc, port, size, value);
}

static void test_always_acpi(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(in(f, CONTROL, 2) & 1, ==, 1);
    out(f, CONTROL, 2, 0);
    g_assert_cmphex(in(f, CONTROL, 2), ==, 1);
}

#define EVENTS (PM_BASE + PM_GPE)

/* An event that is enabled before or after it happens; writing its bit ends it. */
static void test_general_event(struct fixture *f, gconstpointer data)
{
    (void)data;
    pm_general_event(&f->pm, PM_GPE_GENERATION);
    g_assert_cmphex(fake_pc_in(&f->pc, EVENTS, 4), ==, 0x00000002);
    g_assert_false(fake_pc_level(&f->pc, PM_SCI));
    fake_pc_outb(&f->pc, EVENTS + 2, 0xff); /* there is one event */
    fake_pc_outb(&f->pc, EVENTS + 3, 0xff);
    g_assert_cmphex(fake_pc_in(&f->pc, EVENTS, 4), ==, 0x00020002);
    g_assert_true(fake_pc_level(&f->pc, PM_SCI));
    fake_pc_outb(&f->pc, EVENTS, 0xfd);
    g_assert_true(fake_pc_level(&f->pc, PM_SCI));
    pm_power_button(&f->pm);
    fake_pc_out(&f->pc, ENABLE, 2, 0x0100);
    fake_pc_outb(&f->pc, EVENTS, 0x02);
    g_assert_true(fake_pc_level(&f->pc, PM_SCI)); /* for the button */
    fake_pc_out(&f->pc, STATUS, 2, 0x0100);
    g_assert_false(fake_pc_level(&f->pc, PM_SCI));
    pm_general_event(&f->pm, PM_GPE_GENERATION);
    g_assert_true(fake_pc_level(&f->pc, PM_SCI));
    pm_reset(&f->pm);
    g_assert_false(fake_pc_level(&f->pc, PM_SCI));
    g_assert_cmphex(fake_pc_in(&f->pc, EVENTS, 4), ==, 0);
}

static int keep_mapping(void *context, const struct pc_mapping *mapping)
{
    *(struct pc_mapping *)context = *mapping;
    return 0;
}

/* A page of its own that the guest cannot write; told of a change, not of the same again. */
static void test_generation(struct fixture *f, gconstpointer data)
{
    static const struct guid first = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    static const struct guid second = GUID_INIT(2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    struct pc_mapping mapping = {.size = 0};
    struct pc_host host = f->pc.host;
    struct generation generation = {.page = NULL};

    (void)data;
    host.map = keep_mapping;
    host.context = &mapping;
    generation_fini(&generation);
    g_assert_cmpint(generation_init(&generation, &host, &f->pm, &first), ==, 0);
    g_assert_cmpint(generation_map(&generation), ==, 0);
    g_assert_true(mapping.map == PC_MAP_GENERATION && mapping.readonly);
    g_assert_cmphex(mapping.address, ==, GMEM_GENERATION);
    g_assert_cmphex(mapping.size, ==, GMEM_PAGE);
    g_assert_cmpmem(mapping.memory, 16, first.b, 16);
    generation_set(&generation, &first);
    g_assert_cmphex(fake_pc_in(&f->pc, EVENTS, 2), ==, 0);
    generation_set(&generation, &second);
    g_assert_cmphex(fake_pc_in(&f->pc, EVENTS, 2), ==, 1u << PM_GPE_GENERATION);
    g_assert_cmpmem(mapping.memory, 16, second.b, 16);
    for (unsigned i = 16; i < GMEM_PAGE; i++)
        g_assert_cmpint(((const uint8_t *)mapping.memory)[i], ==, 0);
    generation_fini(&generation);
}

static void test_poweroff(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, CONTROL, 2, 0x0001); /* the type alone does nothing */
    g_assert_cmpuint(f->pc.poweroffs, ==, 0);
    out(f, CONTROL, 2, 0x2001);
    g_assert_cmpuint(f->pc.poweroffs, ==, 1);
    g_assert_cmphex(in(f, CONTROL, 2) & 0x2000, ==, 0);
}

static void test_other_sleep_states(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned type = 1; type < 8; type++)
        out(f, CONTROL, 2, 0x2001 | type << 10);
    g_assert_cmpuint(f->pc.poweroffs, ==, 0);
}

static void test_power_button(struct fixture *f, gconstpointer data)
{
    (void)data;
    pm_power_button(&f->pm);
    g_assert_false(f->pc.level[PM_SCI]);
    out(f, ENABLE, 2, 0x0100);
    g_assert_true(f->pc.level[PM_SCI]);
    g_assert_cmphex(in(f, STATUS, 2) & 0x0100, ==, 0x0100);
    out(f, STATUS, 2, 0x0001); /* some other event's bit */
    g_assert_true(f->pc.level[PM_SCI]);
    out(f, STATUS, 2, 0x0100);
    g_assert_false(f->pc.level[PM_SCI]);
    pm_power_button(&f->pm);
    g_assert_cmpuint(f->pc.edges[PM_SCI], ==, 2);
}

static void test_byte_accesses(struct fixture *f, gconstpointer data)
{
    (void)data;
    pm_power_button(&f->pm);
    out(f, ENABLE + 1, 1, 0x01);
    g_assert_true(f->pc.level[PM_SCI]);
    g_assert_cmphex(in(f, STATUS + 1, 1), ==, 0x01);
    g_assert_cmphex(in(f, STATUS, 4) & 0x01000100, ==, 0x01000100);
    g_assert_cmphex(in(f, STATUS + 1, 2) & 0xff, ==, 0x01);
    g_assert_cmphex(in(f, ENABLE, 4), ==, 0x00010100); /* two registers in one */
    out(f, STATUS + 1, 1, 0x01);
    g_assert_false(f->pc.level[PM_SCI]);
}

static void test_enable_mask(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, ENABLE, 2, 0xffff);
    g_assert_cmphex(in(f, ENABLE, 2), ==, 0x0521);
}

static void test_timer_rate(struct fixture *f, gconstpointer data)
{
    (void)data;
    int64_t before = g_get_monotonic_time();
    uint32_t first = in(f, TIMER, 4);
    g_usleep(100000);
    uint32_t second = in(f, TIMER, 4);
    int64_t after = g_get_monotonic_time();
    double ticks = (second - first) & 0xffffff;
    g_assert_cmpuint(first & 0xff000000, ==, 0);
    g_assert_cmpfloat(ticks, >=, 0.0999 * 3579545);
    g_assert_cmpfloat(ticks, <=, (double)(after - before) * 3.579545 + 10);
}

static void test_timer_is_read_only(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, TIMER, 4, 0);
    uint32_t first = in(f, TIMER, 4);
    g_usleep(1000);
    g_assert_cmpuint((in(f, TIMER, 4) - first) & 0xffffff, >=, 3579);
}

/* The timer's carry: at most 2.35 s away. */
static void test_timer_interrupt(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(lane_start(f->pc.host.lane, NULL, NULL), ==, 0);
    out(f, STATUS, 2, 0x0001);
    out(f, ENABLE, 2, 0x0001);
    g_assert_true(fake_pc_wait_high(&f->pc, PM_SCI, 5000));
    uint32_t now = in(f, TIMER, 4) & 0x7fffff;
    g_assert_cmpuint(now, <, 3579545); /* the half-turn has just begun */
    g_assert_cmphex(in(f, STATUS, 2) & 1, ==, 1);
    out(f, STATUS, 2, 0x0001);
    g_assert_false(fake_pc_level(&f->pc, PM_SCI));
}

static void test_reset_register(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, PM_BASE + PM_RESET, 1, 0);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    out(f, PM_BASE + PM_RESET, 1, PM_RESET_VALUE);
    g_assert_cmpuint(f->pc.resets, ==, 1);
}

static void test_pm_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, ENABLE, 2, 0x0100);
    pm_power_button(&f->pm);
    pm_reset(&f->pm);
    g_assert_false(f->pc.level[PM_SCI]);
    g_assert_cmphex(in(f, STATUS, 4) & ~1u, ==, 0);
    g_assert_cmphex(in(f, CONTROL, 2), ==, 1);
}

static void test_cf9(struct fixture *f, gconstpointer data)
{
    (void)data;
    out(f, 0xcf9, 1, 0x02);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    out(f, 0xcf9, 1, 0x06);
    g_assert_cmpuint(f->pc.resets, ==, 1);
    g_assert_cmphex(in(f, 0xcf9, 1), ==, 0x06);
    out(f, 0xcf9, 1, 0x06); /* only the rise counts */
    g_assert_cmpuint(f->pc.resets, ==, 1);
    reset_ports_reset(&f->ports);
    out(f, 0xcf9, 1, 0x0e);
    g_assert_cmpuint(f->pc.resets, ==, 2);
}

/* A kernel looks for PCI with dwords at 0xCF8 whose second byte has the reset bit. */
static void test_pci_probe_is_no_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (uint32_t function = 0; function < 8; function++)
        out(f, 0xcf8, 4, 0x80000000 | function << 8);
    out(f, 0xcf8, 2, 0x0600);
    out(f, 0xcf9, 2, 0x0606);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    g_assert_cmphex(in(f, 0xcf8, 4), ==, 0xffffffff);
}

static void test_port92(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(in(f, 0x92, 1), ==, 0x02);
    out(f, 0x92, 1, 0x02);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    out(f, 0x92, 1, 0x03);
    out(f, 0x92, 1, 0x03);
    g_assert_cmpuint(f->pc.resets, ==, 1);
}

static void test_keyboard_controller(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(in(f, 0x64, 1), ==, 0xff); /* nobody there */
    for (unsigned command = 0; command < 256; command++)
        if ((command & 0xf1) != 0xf0)
            out(f, 0x64, 1, command);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    out(f, 0x64, 1, 0xfe);
    g_assert_cmpuint(f->pc.resets, ==, 1);
    g_assert_cmpstr(f->pc.reset_source, ==, "keyboard controller");
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/pm/always-acpi", test_always_acpi);
    add("/pm/poweroff", test_poweroff);
    add("/pm/other-sleep-states", test_other_sleep_states);
    add("/pm/power-button", test_power_button);
    add("/pm/general-event", test_general_event);
    add("/generation/page", test_generation);
    add("/pm/byte-accesses", test_byte_accesses);
    add("/pm/enable-mask", test_enable_mask);
    add("/pm/timer-rate", test_timer_rate);
    add("/pm/timer-is-read-only", test_timer_is_read_only);
    add("/pm/timer-interrupt", test_timer_interrupt);
    add("/pm/reset-register", test_reset_register);
    add("/pm/reset", test_pm_reset);
    add("/reset/cf9", test_cf9);
    add("/reset/pci-probe-is-no-reset", test_pci_probe_is_no_reset);
    add("/reset/port92", test_port92);
    add("/reset/keyboard-controller", test_keyboard_controller);
    return g_test_run();
}
