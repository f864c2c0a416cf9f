/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks on ports and on addresses that are not RAM.
 */
#include "tests/guest/attacker/guest.h"

#define PORTS       0x10000u
#define COM1        0x3f8u
#define FLOOD_BYTES 65536u

/* Ports that end or reset the machine by design; they get values that must not. */
static const uint16_t deadly[] = {0x64, 0x92, 0xcf9, 0x604, 0x605, 0x633};

static bool is_deadly(uint32_t port, unsigned size)
{
    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        if (deadly[i] >= port && deadly[i] < port + size)
            return true;
    return false;
}

/* All widths where a PC has its devices and at the end; between them, where exits would only cost
 * time, one after the other. */
static bool wanted(uint32_t port, unsigned size)
{
    static const unsigned turn[] = {1, 2, 4};

    return port < 0x1000 || port >= PORTS - 16 || turn[port % 3] == size;
}

static void all_reads(void)
{
    attack("every port read");
    for (uint32_t port = 0; port < PORTS; port++) {
        if (wanted(port, 1))
            in8((uint16_t)port);
        if (wanted(port, 2))
            in16((uint16_t)port);
        if (wanted(port, 4))
            in32((uint16_t)port);
    }
    console_init();
    synic_on();
    bus_works();
    done();
}

static void all_writes(void)
{
    attack("every port written");
    for (uint32_t port = 0; port < PORTS; port++) {
        uint32_t value = (uint32_t)random64();
        if (wanted(port, 1) && !is_deadly(port, 1))
            out8((uint16_t)port, (uint8_t)value);
        if (wanted(port, 2) && !is_deadly(port, 2))
            out16((uint16_t)port, (uint16_t)value);
        if (wanted(port, 4) && !is_deadly(port, 4))
            out32((uint16_t)port, value);
    }
    console_init();
    cpu_init();
    synic_on();
    bus_works();
    done();
}

static void power_ports(void)
{
    attack("power and reset ports with values that mean nothing");
    for (unsigned type = 1; type < 8; type++)
        out16(0x604, (uint16_t)(0x2000 | type << 10)); /* sleep states that are not S5 */
    for (unsigned value = 0; value < 0x100; value++) {
        if (value != 1)
            out8(0x633, (uint8_t)value);
        if ((value & 0xf1) != 0xf0)
            out8(0x64, (uint8_t)value);
        if (!(value & 1))
            out8(0x92, (uint8_t)value);
        if (!(value & 4))
            out8(0xcf9, (uint8_t)value);
    }
    out16(0xcf8, 0x0600); /* only a byte resets */
    out32(0xcf8, 0x80000600);
    for (unsigned i = 0; i < 2000; i++) { /* event storm */
        out16(0x602, (uint16_t)random64());
        out16(0x600, (uint16_t)random64());
    }
    out16(0x602, 0);
    bus_works();
    done();
}

static void string_io(void)
{
    static const uint16_t ports[] = {0x3f8, 0x3ff, 0x3fd, 0x70,  0x71,   0x6ff,
                                     0x637, 0x636, 0xcf8, 0xcfb, 0xffff, 0xfffd};

    attack("string I/O, across ends of regions");
    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        void *at = arena;
        size_t count = 2048;
        asm volatile("rep insb" : "+D"(at), "+c"(count) : "d"(ports[i]) : "memory");
        at = arena, count = 1024;
        asm volatile("rep insl" : "+D"(at), "+c"(count) : "d"(ports[i]) : "memory");
        memset(arena, 0, PAGE);
        if (is_deadly(ports[i], 4))
            continue;
        at = arena, count = 1024;
        asm volatile("rep outsl" : "+S"(at), "+c"(count) : "d"(ports[i]) : "memory");
    }
    console_init();
    bus_works();
    done();
}

static void console_flood(void)
{
    const void *from = arena;
    size_t count = FLOOD_BYTES;

    attack("console flood without looking at the status");
    for (unsigned i = 0; i < FLOOD_BYTES; i++)
        arena[i] = i % 64 ? (uint8_t)random64() : '\n';
    asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"((uint16_t)COM1) : "memory");
    say("\n");
    bus_works();
    done();
}

static void touch(uint64_t gpa)
{
    volatile uint8_t *at = window(gpa);
    uint64_t value;

    value = *at;
    *at = (uint8_t)value;
    value = *(volatile uint16_t *)at;
    *(volatile uint16_t *)at = (uint16_t)value;
    value = *(volatile uint32_t *)at;
    *(volatile uint32_t *)at = (uint32_t)value;
    value = *(volatile uint64_t *)at;
    *(volatile uint64_t *)at = value;
    asm volatile("xchg %0, %1" : "+r"(value), "+m"(*(volatile uint64_t *)at));
    asm volatile("lock orq $1, %0" : "+m"(*(volatile uint64_t *)at));
}

static void holes(void)
{
    const uint64_t gpas[] = {
        ram_end,       ram_end - 3,    GPA_NOTHING,  GPA_PCI,      GPA_PCI - 5,  GPA_VMBUS,
        GPA_VMBUS - 1, GPA_IOAPIC - 6, 0xfed40000,   0xfeffc000,   0xfeffeff9,   0xfffffff8,
        0xfffffffc,    0x100000000,    0x7ffffffff8, 0x8000000000, 0x8ffffffffc, 0x9000000000,
        0x9ffffffff9,  0xa0000,        0xc0000};

    attack("reads and writes where nothing is");
    for (unsigned i = 0; i < sizeof(gpas) / sizeof(gpas[0]); i++)
        touch(gpas[i]);
    void *to = window(GPA_VMBUS);
    memcpy(to, arena, 2048);
    memcpy(arena, to, 2048);
    memset(window(GPA_NOTHING), 0, 2048);
    volatile uint32_t *nothing = window(GPA_PCI);
    require(*nothing == 0xffffffff, "nothing reads as", *nothing);
    bus_works();
    done();
}

static void interrupt_controllers(void)
{
    volatile uint32_t *ioapic = window(GPA_IOAPIC);

    attack("I/O APIC and local APIC registers");
    for (unsigned i = 0; i < 0x100; i++) {
        ioapic[0] = i;
        ioapic[4] = (uint32_t)random64() | 0x10000; /* masked */
    }
    for (unsigned i = 0; i < PAGE; i += 4)
        (void)*(volatile uint32_t *)((uint8_t *)window(GPA_IOAPIC) + i);
    for (unsigned i = 0; i < PAGE; i += 4) {
        volatile uint32_t *lapic = (volatile uint32_t *)(GPA_LAPIC + i);
        uint32_t value = *lapic;
        if (i % 16 == 0 && i != 0x300) /* not the one that sends INIT */
            *lapic = value ^ (i >= 0x320 && i < 0x380 ? 0x55 : 0);
    }
    bus_works();
    done();
}

void attack_ports(void)
{
    synic_on();
    power_ports();
    string_io();
    console_flood();
    holes();
    interrupt_controllers();
    all_reads();
    all_writes();
}
