/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor: traps, ring 3, time, mappings. Facts: AMD APM volume 2, Intel SDM volume 3.
 */
#include "tests/guest/attacker/guest.h"

#define SELECTOR_CODE 0x10u
#define SELECTOR_DATA 0x18u
#define SELECTOR_TSS  0x30u

#define VECTOR_DEBUG   1u
#define VECTOR_NMI     2u
#define VECTOR_UD      6u
#define VECTOR_GP      13u
#define VECTOR_PIC     0x20u
#define VECTOR_PIC_END 0x30u

#define PTE_LARGE   0x83ull /* present, writable, large */
#define PTE_TABLE   0x03ull
#define PTE_USER    0x04ull
#define PTE_ADDRESS 0x000ffffffffff000ull
#define LARGE_PAGE  0x200000ull
#define WINDOW      0x100000000ull /* beyond what the loader has mapped */

struct gate {
    uint16_t low, selector;
    uint8_t stack, type;
    uint16_t middle;
    uint32_t high, reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct gate) == 16, "wire size");

struct tss {
    uint32_t reserved;
    uint64_t rsp0;
    uint8_t rest[104 - 12];
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "wire size");

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern const uint8_t trap_stubs[], user_return[];

volatile uint64_t interrupts, faults;
uint64_t ram_end;
static struct gate idt[256];
static uint64_t gdt[8];
static struct tss tss;
static uint8_t trap_stack[8192] __attribute__((aligned(16)));
static uint64_t window_table[512] __attribute__((aligned(4096)));
static uint64_t random_state = 0x9e3779b97f4a7c15ull;

uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

uint64_t now(void)
{
    return rdmsr(MSR_TIME) / 10;
}

void wait(uint64_t time)
{
    uint64_t end = now() + time;

    while (now() < end)
        pause();
}

/* Length of an instruction that attacks let fault; 0: it was none of these. */
static unsigned skippable(const uint8_t *rip)
{
    if (rip[0] == 0x0f && (rip[1] == 0x30 || rip[1] == 0x32))
        return 2; /* WRMSR, RDMSR */
    if (rip[0] == 0x0f && rip[1] == 0x01 && (rip[2] == 0xc1 || rip[2] == 0xd9))
        return 3; /* VMCALL, VMMCALL */
    return 0;
}

static void trap_deadly(const struct trap_frame *frame)
{
    say("\nGUEST fail trap: vector ");
    say_hex(frame->vector);
    say(" error ");
    say_hex(frame->error);
    say(" at ");
    say_hex(frame->rip);
    power_off();
}

static void trap_interrupt(const struct trap_frame *frame)
{
    interrupts++;
    if (frame->vector >= VECTOR_PIC && frame->vector < VECTOR_PIC_END) {
        if (frame->vector >= VECTOR_PIC + 8)
            out8(0xa0, 0x20);
        out8(0x20, 0x20);
    } else {
        wrmsr(MSR_EOI, 0);
    }
}

void trap(struct trap_frame *frame)
{
    if (frame->vector >= 32) {
        trap_interrupt(frame);
        return;
    }
    if (frame->vector == VECTOR_NMI || frame->vector == VECTOR_DEBUG) {
        interrupts++;
        return;
    }
    faults++;
    if (frame->cs & 3) {
        frame->rip = (uintptr_t)user_return;
        frame->cs = SELECTOR_CODE;
        frame->ss = SELECTOR_DATA;
        frame->rflags = 2;
        return;
    }
    unsigned length = frame->vector == VECTOR_GP || frame->vector == VECTOR_UD
                          ? skippable((const uint8_t *)frame->rip)
                          : 0;
    if (!length)
        trap_deadly(frame);
    frame->rip += length;
}

void cpu_init(void)
{
    const struct table_register idtr = {sizeof(idt) - 1, (uintptr_t)idt};

    for (unsigned i = 0; i < 256; i++) {
        uintptr_t stub = (uintptr_t)trap_stubs + i * 16;
        idt[i] = (struct gate){.low = (uint16_t)stub,
                               .selector = SELECTOR_CODE,
                               .type = 0x8e,
                               .middle = (uint16_t)(stub >> 16),
                               .high = (uint32_t)(stub >> 32)};
    }
    asm volatile("lidt %0" : : "m"(idtr));
    out8(0x21, 0xff); /* both 8259 masked */
    out8(0xa1, 0xff);
}

static uint64_t *level4(void)
{
    uint64_t cr3;

    asm volatile("mov %%cr3, %0" : "=r"(cr3));
    return (uint64_t *)(cr3 & PTE_ADDRESS);
}

static void flush(void)
{
    uint64_t cr3;

    asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

void *window(uint64_t gpa)
{
    uint64_t *level3 = (uint64_t *)(level4()[0] & PTE_ADDRESS);

    level3[WINDOW >> 30] = (uintptr_t)window_table | PTE_TABLE;
    window_table[0] = (gpa & -LARGE_PAGE) | PTE_LARGE;
    window_table[1] = ((gpa & -LARGE_PAGE) + LARGE_PAGE) | PTE_LARGE;
    flush();
    return (void *)(WINDOW + gpa % LARGE_PAGE);
}

/* The loader's tables let ring 3 in everywhere; segments and a TSS, so that it can be left. */
void user_init(void)
{
    const struct table_register gdtr = {sizeof(gdt) - 1, (uintptr_t)gdt};
    uint64_t *top = level4(), *level3 = (uint64_t *)(top[0] & PTE_ADDRESS);
    uint64_t base = (uintptr_t)&tss;

    top[0] |= PTE_USER;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *level2 = (uint64_t *)(level3[i] & PTE_ADDRESS);
        level3[i] |= PTE_USER;
        for (unsigned j = 0; j < 512; j++)
            level2[j] |= PTE_USER;
    }
    flush();
    tss.rsp0 = (uintptr_t)(trap_stack + sizeof(trap_stack));
    gdt[2] = 0x00af9b000000ffff;
    gdt[3] = 0x00cf93000000ffff;
    gdt[4] = 0x00cff3000000ffff;
    gdt[5] = 0x00affb000000ffff;
    gdt[6] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    asm volatile("lgdt %0; ltr %w1" : : "m"(gdtr), "r"(SELECTOR_TSS));
}
