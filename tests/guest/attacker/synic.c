/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks on the SynIC: its pages anywhere, moved, off; SINT 2 unusable; slots never emptied.
 */
#include "tests/guest/attacker/guest.h"

#define SINT2      (MSR_SINT0 + 2)
#define AUTO_EOI   0x20000ull
#define POLLING    0x40000ull
#define QUIET_TIME 20000u

static uint8_t other_page[PAGE] __attribute__((aligned(4096)));

static void bad_pages(void)
{
    static const uint64_t gpas[] = {
        GPA_NOTHING,    GPA_PCI,         GPA_VMBUS,          GPA_IOAPIC, GPA_LAPIC,
        0x100000000ull, 0x9000000000ull, 0x8000000000000ull, ~0xfffull};

    attack("pages outside RAM");
    for (unsigned i = 0; i < sizeof(gpas) / sizeof(gpas[0]); i++) {
        wrmsr(MSR_SIMP, gpas[i] | 1);
        wrmsr(MSR_SIEFP, gpas[i] | 1);
        post((const uint32_t[10]){14, 0, VERSION_5_3}, 40);
    }
    wait(QUIET_TIME);
    synic_on();
    bus_works();
    done();
}

static void odd_pages(void)
{
    uint64_t *marks[] = {(uint64_t *)(void *)other_page, (uint64_t *)(ram_end - PAGE)};

    attack("pages at 0, at the end of RAM, both the same");
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < PAGE / 8; j++)
            marks[i][j] = j;
    wrmsr(MSR_SIMP, 1);
    wrmsr(MSR_SIEFP, 1);
    wrmsr(MSR_SIMP, (ram_end - PAGE) | 1);
    require(marks[1][1] == 0, "the page does not begin empty", marks[1][1]);
    wrmsr(MSR_SIMP, (uintptr_t)other_page | 1);
    require(marks[1][1] == 1, "hidden RAM does not come back", marks[1][1]);
    wrmsr(MSR_SIEFP, (uintptr_t)other_page | 1);
    wait(QUIET_TIME);
    synic_on();
    bus_works();
    done();
}

static void moved_page(void)
{
    const uint32_t request[] = {3, 0};
    struct message message;
    unsigned got = 0;

    attack("page moved while messages wait");
    bus_works();
    send(request, sizeof(request));
    wait(QUIET_TIME);
    for (unsigned i = 0; i < 3; i++) { /* what is in the slot moves with its page */
        wrmsr(MSR_SIMP, (uintptr_t)other_page | 1);
        wrmsr(MSR_SIMP, (uintptr_t)message_page | 1);
    }
    while (receive(&message, 1000000) && message.type != 4)
        got += message.type == 1;
    require(got == OFFERS && message.type == 4, "offers got lost", got);
    bus_works();
    done();
}

static void page_off(void)
{
    const uint32_t request[] = {3, 0};

    attack("page off while messages wait");
    for (unsigned i = 0; i < 20; i++) {
        send((const uint32_t[10]){14, 0, VERSION_5_3}, 40);
        send(request, sizeof(request));
        wrmsr(MSR_SIMP, 0);
        wait(200);
        wrmsr(MSR_SCONTROL, 0);
        wrmsr(MSR_SIMP, (uintptr_t)message_page | 1);
        wrmsr(MSR_SCONTROL, 1);
    }
    synic_on();
    bus_works();
    done();
}

/* With its SINT unusable a polling guest is served all the same, or once it can be. */
static void bad_sint(void)
{
    static const uint64_t values[] = {0,
                                      5,
                                      15,
                                      0xff,
                                      SINT_MASKED,
                                      SINT_MASKED | 0xff,
                                      AUTO_EOI | 0x62,
                                      POLLING | 0x62,
                                      AUTO_EOI | POLLING | SINT_MASKED | 0x62,
                                      ~0ull};

    attack("SINT 2 masked, polling, with bad vectors");
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        wrmsr(SINT2, values[i]);
        bus_works();
    }
    synic_on();
    bus_works();
    done();
}

static void control_off(void)
{
    struct message message;
    uint64_t accepted = 0;

    attack("SynIC off while messages come");
    drain();
    wrmsr(MSR_SCONTROL, 0);
    for (unsigned i = 0; i < 20; i++)
        accepted += post((const uint32_t[10]){14, 0, VERSION_5_3}, 40) == 0;
    wait(QUIET_TIME);
    require(!slot_take(&message), "a message came", message.type);
    wrmsr(MSR_SCONTROL, 1);
    uint64_t answers = count_answers(VERSION_RESPONSE, accepted);
    require(answers == accepted, "not every accepted post was answered", answers);
    bus_works();
    done();
}

static void eom_storm(void)
{
    attack("EOM storm, with and without messages");
    drain();
    for (unsigned i = 0; i < 10000; i++)
        wrmsr(MSR_EOM, random64());
    for (unsigned i = 0; i < 20; i++)
        post((const uint32_t[10]){14, 0, VERSION_5_3}, 40);
    for (unsigned i = 0; i < 10000; i++)
        wrmsr(MSR_EOM, 0);
    bus_works();
    done();
}

static void never_emptied(void)
{
    uint64_t accepted = 0, refused = 0;

    attack("slot never emptied");
    drain();
    for (unsigned i = 0; i < 2000; i++) {
        unsigned status = post((const uint32_t[10]){14, 0, VERSION_5_3}, 40);
        accepted += status == 0;
        refused += status == HV_BUSY;
        require(status == 0 || status == HV_BUSY, "status", status);
    }
    require(refused > 1000 && accepted < 500, "no back-pressure", accepted);
    uint64_t answers = count_answers(VERSION_RESPONSE, accepted);
    require(answers == accepted, "not every accepted post was answered", answers);
    bus_works();
    done();
}

static void random_registers(void)
{
    static const uint32_t registers[] = {MSR_SCONTROL, MSR_SIEFP, MSR_SIMP, MSR_EOM, SINT2};

    attack("random register writes while messages come");
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t value = random64(),
                 page = value & 2 ? (uintptr_t)other_page : (uintptr_t)message_page;
        wrmsr(registers[random64() % 5], value & 4 ? page | (value & 1) : value | 1ull << 40);
        if (i % 8 == 0)
            post((const uint32_t[10]){14, 0, VERSION_5_3}, 40);
    }
    synic_on();
    bus_works();
    done();
}

void attack_synic(void)
{
    synic_on();
    bad_pages();
    odd_pages();
    moved_page();
    page_off();
    bad_sint();
    control_off();
    eom_storm();
    never_emptied();
    random_registers();
}
