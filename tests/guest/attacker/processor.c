/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks with the processor: registers, timers, interrupts; and ends: crash, triple fault, worse.
 */
#include "tests/guest/attacker/guest.h"

#define STORM_TIME      1000000u
#define STIMER_ENABLE   0x1ull
#define STIMER_PERIODIC 0x2ull
#define STIMER_DIRECT   0x1000ull
#define STIMER_SINT     16
#define CRASH_NOTIFY    (1ull << 63)
#define CRASH_MESSAGE   (1ull << 62)
#define ICR_NMI         0x400ull
#define ICR_SMI         0x200ull
#define ICR_INIT        0x500ull
#define ICR_SELF        0x40000ull

static void interrupts_on(void)
{
    *(volatile uint32_t *)(GPA_LAPIC + 0xf0) = 0x1ff;
    asm volatile("sti");
}

static void interrupts_off(void)
{
    asm volatile("cli");
}

static uint64_t random_value(void)
{
    uint64_t r = random64();

    switch (r & 3) {
    case 0:
        return r >> 8 & 1 ? 0 : ~0ull;
    case 1:
        return 1ull << (r >> 8 & 63);
    default:
        return random64() | 1ull << 45; /* as an address: not RAM */
    }
}

/* Random values, but for those whose meaning is an end. */
static void random_registers(void)
{
    attack("every Hyper-V register, random values");
    for (unsigned round = 0; round < 6; round++)
        for (uint32_t msr = 0x40000000; msr < 0x40000200; msr++) {
            uint64_t value = random_value();
            rdmsr(msr);
            if (msr == MSR_RESET)
                value &= ~1ull;
            else if (msr == MSR_CRASH_CONTROL)
                value &= ~CRASH_NOTIFY;
            else if (msr == MSR_ICR)
                value = 0xf0;
            else if (msr == MSR_SIMP || msr == MSR_SIEFP)
                value |= 1ull << 45;
            wrmsr(msr, value);
        }
    for (uint32_t msr = MSR_STIMER0; msr < MSR_STIMER0 + 8; msr++)
        wrmsr(msr, 0);
    for (uint32_t msr = MSR_SINT0; msr < MSR_SINT0 + 16; msr++)
        wrmsr(msr, SINT_MASKED);
    wrmsr(0x40000073, 0);
    wrmsr(0x40000072, 0);
    synic_on();
    require(faults > 0, "no register refuses anything", 0);
    bus_works();
    done();
}

/* A period of 100 ns. */
static void timer_storm(const char *name, uint64_t config)
{
    attack(name);
    for (unsigned i = 0; i < 4; i++) {
        wrmsr(MSR_STIMER0 + 2 * i, 0);
        wrmsr(MSR_STIMER0 + 2 * i + 1, 1);
        wrmsr(MSR_STIMER0 + 2 * i, config | STIMER_ENABLE | STIMER_PERIODIC);
    }
    if (config & STIMER_DIRECT)
        interrupts_on();
    struct message message;
    for (uint64_t end = now() + STORM_TIME; now() < end;)
        slot_take(&message);
    interrupts_off();
    for (unsigned i = 0; i < 4; i++)
        wrmsr(MSR_STIMER0 + 2 * i, 0);
    synic_on();
    bus_works();
    done();
}

static void ipi_storm(void)
{
    uint64_t before = interrupts;

    attack("storm of interrupts and NMIs to itself");
    interrupts_on();
    for (uint64_t end = now() + STORM_TIME; now() < end;)
        for (unsigned i = 0; i < 100; i++)
            wrmsr(MSR_ICR, (i % 4 ? 0x80 + i : ICR_NMI) | ICR_SELF);
    interrupts_off();
    require(interrupts > before + 100, "hardly any came", interrupts - before);
    bus_works();
    done();
}

static void pit_storm(void)
{
    uint64_t before = interrupts;

    attack("interval timer at its fastest, in all modes");
    out8(0x20, 0x11), out8(0x21, 0x20), out8(0x21, 0x04), out8(0x21, 0x01);
    out8(0xa0, 0x11), out8(0xa1, 0x28), out8(0xa1, 0x02), out8(0xa1, 0x01);
    out8(0x21, 0xfe);
    *(volatile uint32_t *)(GPA_LAPIC + 0x350) = 0x700;
    interrupts_on();
    for (uint64_t end = now() + STORM_TIME; now() < end;)
        for (unsigned mode = 0; mode < 8; mode++) {
            out8(0x43, (uint8_t)(0x30 | mode << 1));
            out8(0x40, 1);
            out8(0x40, 0);
        }
    out8(0x43, 0x34), out8(0x40, 1), out8(0x40, 0);
    wait(STORM_TIME / 4);
    interrupts_off();
    out8(0x21, 0xff);
    require(interrupts > before, "none came", 0);
    bus_works();
    done();
}

void attack_processor(void)
{
    synic_on();
    timer_storm("timers of 100 ns to SINT 3", 3ull << STIMER_SINT);
    timer_storm("timers of 100 ns into the bus's own slot", 2ull << STIMER_SINT);
    timer_storm("timers of 100 ns as interrupts", STIMER_DIRECT | 0x90 << 4);
    ipi_storm();
    pit_storm();
    random_registers();
}

/* --- Ends
 * ------------------------------------------------------------------------------------------- */

/* The message lies about its length and tries to forge log lines. */
void attack_crash(void)
{
    static const char text[] = "\x1b[2Jgone\n<3>vmbusd-worker: forged\r\n%s%n\xff\xfe";

    synic_on();
    memset(arena, 'A', sizeof(arena));
    memcpy(arena, text, sizeof(text));
    say("\nGUEST ok crash is reported\n");
    for (unsigned i = 0; i < 3; i++)
        wrmsr(MSR_CRASH_P0 + i, 0xdead0000 + i);
    wrmsr(MSR_CRASH_P0 + 3, (uintptr_t)arena);
    wrmsr(MSR_CRASH_P0 + 4, ~0ull);
    wrmsr(MSR_CRASH_CONTROL, CRASH_NOTIFY | CRASH_MESSAGE);
    for (;;)
        wrmsr(MSR_CRASH_CONTROL, CRASH_NOTIFY | CRASH_MESSAGE);
}

void attack_triple_fault(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) nothing;

    asm volatile("lidt %0; ud2" : : "m"(nothing));
}

/* What leaves nothing of the guest that could speak. */
void attack_wild(const char *how)
{
    synic_on();
    say("\nGUEST goes wild\n");
    if (same_text(how, "halt"))
        asm volatile("cli; hlt");
    else if (same_text(how, "init"))
        wrmsr(MSR_ICR, ICR_INIT | ICR_SELF);
    else if (same_text(how, "smi"))
        wrmsr(MSR_ICR, ICR_SMI | ICR_SELF);
    else if (same_text(how, "tables-in-nothing"))
        asm volatile("mov %0, %%cr3; mov (%0), %0" : : "r"(GPA_VMBUS) : "memory");
    else if (same_text(how, "runs-nothing"))
        ((void (*)(void))(uintptr_t)GPA_VMBUS)();
    else if (same_text(how, "emulation"))
        asm volatile("fldl (%0)" : : "r"(GPA_VMBUS));
    else if (same_text(how, "reset-register"))
        wrmsr(MSR_RESET, 1);
    for (;;)
        pause();
}
