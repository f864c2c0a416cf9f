/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O: the table, widths, accesses that straddle.
 */
#include "src/pc/pio.h"

#include <errno.h>

#include <glib.h>

/* A device that notes what it is asked and answers with port numbers. */
struct device {
    unsigned calls;
    uint16_t offset;
    unsigned size;
    uint32_t value;
};

static uint32_t device_read(void *context, uint16_t offset, unsigned size)
{
    struct device *device = context;
    uint32_t value = 0;

    device->calls++;
    device->offset = offset;
    device->size = size;
    for (unsigned i = 0; i < size; i++)
        value |= (0x10u + offset + i) << 8 * i;
    return value;
}

static void device_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    *(struct device *)context =
        (struct device){((struct device *)context)->calls + 1, offset, size, value};
}

static int add(struct pio *pio, uint16_t base, uint16_t count, struct device *device)
{
    struct pio_region region = {base, count, device_read, device_write, device};

    return pio_add(pio, &region);
}

static void test_add(void)
{
    struct pio pio = {0};
    struct device device = {0};

    g_assert_cmpint(add(&pio, 0x3f8, 8, &device), ==, 0);
    g_assert_cmpint(add(&pio, 0x70, 2, &device), ==, 0);
    g_assert_cmpint(add(&pio, 0x3f0, 8, &device), ==, 0); /* touches the first */
    g_assert_cmpint(add(&pio, 0x3f8, 1, &device), ==, -EEXIST);
    g_assert_cmpint(add(&pio, 0x3ff, 2, &device), ==, -EEXIST);
    g_assert_cmpint(add(&pio, 0x3ee, 3, &device), ==, -EEXIST);
    g_assert_cmpint(add(&pio, 0x60, 0x1000, &device), ==, -EEXIST);
    g_assert_cmpint(add(&pio, 0x80, 0, &device), ==, -EINVAL);
    g_assert_cmpint(add(&pio, 0xffff, 2, &device), ==, -EINVAL);
    g_assert_cmpint(add(&pio, 0xffff, 1, &device), ==, 0);
    g_assert_cmpuint(pio.regions, ==, 4);
    for (unsigned i = 1; i < pio.regions; i++)
        g_assert_cmpuint(pio.region[i - 1].base, <, pio.region[i].base);
}

static void test_full(void)
{
    struct pio pio = {0};
    struct device device = {0};

    for (unsigned i = 0; i < PIO_REGIONS; i++)
        g_assert_cmpint(add(&pio, (uint16_t)(0x1000 - 8 * i), 4, &device), ==, 0);
    g_assert_cmpint(add(&pio, 0x2000, 1, &device), ==, -ENOSPC);
    g_assert_cmpuint(pio_read(&pio, 0x1000 - 8 * (PIO_REGIONS - 1), 1), ==, 0x10);
}

static void test_inside(void)
{
    struct pio pio = {0};
    struct device device = {0};

    add(&pio, 0x100, 8, &device);
    g_assert_cmphex(pio_read(&pio, 0x104, 4), ==, 0x17161514);
    g_assert_cmpuint(device.calls, ==, 1);
    g_assert_cmphex(pio_read(&pio, 0x101, 2), ==, 0x1211);
    g_assert_cmphex(pio_read(&pio, 0x107, 1), ==, 0x17);
    pio_write(&pio, 0x102, 2, 0xaabbccdd); /* the unused half is not shown */
    g_assert_cmpuint(device.offset, ==, 2);
    g_assert_cmpuint(device.size, ==, 2);
    g_assert_cmphex(device.value, ==, 0xccdd);
}

static void test_nobody(void)
{
    struct pio pio = {0};
    struct device device = {0};
    struct pio_region deaf = {.base = 0x200, .count = 4, .context = &device};

    g_assert_cmphex(pio_read(&pio, 0x80, 1), ==, 0xff);
    g_assert_cmphex(pio_read(&pio, 0x80, 2), ==, 0xffff);
    g_assert_cmphex(pio_read(&pio, 0x80, 4), ==, 0xffffffff);
    pio_write(&pio, 0x80, 4, 1);
    g_assert_cmpint(pio_add(&pio, &deaf), ==, 0);
    g_assert_cmphex(pio_read(&pio, 0x200, 2), ==, 0xffff);
    pio_write(&pio, 0x200, 1, 1);
}

/* Hostile accesses: over the ends of a region, over two devices, past the last port. */
static void test_straddle(void)
{
    struct pio pio = {0};
    struct device left = {0}, right = {0};

    add(&pio, 0x100, 2, &left);
    add(&pio, 0x102, 1, &right);
    g_assert_cmphex(pio_read(&pio, 0x0ff, 4), ==, 0x101110ff);
    g_assert_cmphex(pio_read(&pio, 0x101, 4), ==, 0xffff1011);
    g_assert_cmpuint(left.size, ==, 1);
    left.calls = right.calls = 0;
    pio_write(&pio, 0x101, 4, 0x44332211);
    g_assert_cmpuint(left.calls, ==, 1);
    g_assert_cmphex(left.value, ==, 0x11);
    g_assert_cmpuint(left.offset, ==, 1);
    g_assert_cmpuint(right.calls, ==, 1);
    g_assert_cmphex(right.value, ==, 0x22);
}

static void test_last_port(void)
{
    struct pio pio = {0};
    struct device first = {0}, last = {0};

    add(&pio, 0, 4, &first);
    add(&pio, 0xffff, 1, &last);
    g_assert_cmphex(pio_read(&pio, 0xffff, 4), ==, 0xffffff10);
    g_assert_cmphex(pio_read(&pio, 0xfffe, 4), ==, 0xffff10ff);
    last.calls = 0;
    pio_write(&pio, 0xffff, 2, 0x1234);
    g_assert_cmpuint(last.calls, ==, 1);
    g_assert_cmphex(last.value, ==, 0x34);
    g_assert_cmpuint(first.calls, ==, 0); /* port space does not wrap */
}

/* Every port at every width: handlers see only what lies inside their region. */
static uint32_t guarded_read(void *context, uint16_t offset, unsigned size)
{
    g_assert_cmpuint(offset + size, <=, GPOINTER_TO_UINT(context));
    return UINT32_MAX;
}

static void guarded_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    g_assert_cmpuint(offset + size, <=, GPOINTER_TO_UINT(context));
    g_assert_true(size == 4 || value >> 8 * size == 0);
}

static void test_every_port(void)
{
    struct pio pio = {0};
    static const uint16_t base[] = {0, 0x20, 0x21, 0x3f8, 0xcf8, 0xfffd};
    static const uint16_t count[] = {1, 1, 3, 8, 8, 3};

    for (unsigned i = 0; i < G_N_ELEMENTS(base); i++) {
        struct pio_region region = {base[i], count[i], guarded_read, guarded_write,
                                    GUINT_TO_POINTER(count[i])};
        g_assert_cmpint(pio_add(&pio, &region), ==, 0);
    }
    for (uint32_t port = 0; port <= 0xffff; port++)
        for (unsigned size = 1; size <= 4; size *= 2) {
            uint32_t all = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
            g_assert_cmphex(pio_read(&pio, (uint16_t)port, size), ==, all);
            pio_write(&pio, (uint16_t)port, size, UINT32_MAX);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pio/add", test_add);
    g_test_add_func("/pio/full", test_full);
    g_test_add_func("/pio/inside", test_inside);
    g_test_add_func("/pio/nobody", test_nobody);
    g_test_add_func("/pio/attack/straddle", test_straddle);
    g_test_add_func("/pio/attack/last-port", test_last_port);
    g_test_add_func("/pio/attack/every-port-and-width", test_every_port);
    return g_test_run();
}
