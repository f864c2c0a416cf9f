/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks on the hypercall interface (HvPostMessage, HvSignalEvent, their page, unknown codes).
 */
#include "tests/guest/attacker/guest.h"

#define STATUS_CODE      2u
#define STATUS_INPUT     3u
#define STATUS_ALIGNMENT 4u
#define STATUS_PARAMETER 5u

static uint8_t hypercall_page[PAGE] __attribute__((aligned(4096)));
static uint8_t user_stack[PAGE] __attribute__((aligned(4096)));

static void before_identity(void)
{
    attack("hypercalls before GUEST_OS_ID is set");
    unsigned status = post("", 0);
    require(status != 0, "a post succeeds", status);
    wrmsr(MSR_HYPERCALL, (uintptr_t)hypercall_page | 1);
    require(!(rdmsr(MSR_HYPERCALL) & 1), "the hypercall page is on", rdmsr(MSR_HYPERCALL));
    synic_on();
    bus_works();
    done();
}

static void bad_page(void)
{
    static const uint64_t gpas[] = {
        GPA_NOTHING, GPA_PCI, GPA_VMBUS, GPA_LAPIC, 0x9000000000ull, 0xffffffffff000ull, ~0xfffull};
    void (*page)(void) = (void (*)(void))(uintptr_t)hypercall_page;

    attack("hypercall page outside RAM");
    for (unsigned i = 0; i < sizeof(gpas) / sizeof(gpas[0]); i++)
        wrmsr(MSR_HYPERCALL, gpas[i] | 1);
    wrmsr(MSR_HYPERCALL, (uintptr_t)hypercall_page | 1);
    uint64_t result = HV_NEVER;
    asm volatile("call *%1"
                 : "=a"(result)
                 : "r"(page), "c"(0x7fffull), "d"(0ull)
                 : "memory", "r8", "r9", "r10", "r11");
    require((result & 0xffff) == STATUS_CODE, "the page in RAM does not work", result);
    bus_works();
    done();
}

static void expect_status(unsigned status, unsigned wanted, const char *what)
{
    require(status == wanted, what, status);
}

static void bad_posts(void)
{
    const uint32_t unknown[60] = {0x7777};
    static const uint32_t sizes[] = {241, 256, 4096, 0x7fffffff, 0x80000000, 0xffffffff};
    static const uint32_t types[] = {0, 2, 0x80000000, 0x80000001, 0xffffffff};
    static const uint32_t ids[] = {0, 2, 3, 5, 0x2000, 0x2001, 0x800074, 0xffffff};

    attack("posts of bad size, type, connection");
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        expect_status(post_from(post_area, 1, 1, sizes[i], unknown, 240), STATUS_PARAMETER, "size");
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        expect_status(post_from(post_area, 1, types[i], 8, unknown, 8), STATUS_PARAMETER, "type");
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        expect_status(post_from(post_area, ids[i], 1, 8, unknown, 8), HV_NO_SUCH_ID, "connection");
    expect_status(post_from(post_area, 1, 1, 0, unknown, 0), 0, "no payload");
    expect_status(post_from(post_area, 1, 1, 240, unknown, 240), 0, "full payload");
    bus_works();
    done();
}

static void bad_addresses(void)
{
    const uint32_t unknown[2] = {0x7777};
    static const uint64_t gpas[] = {GPA_NOTHING, GPA_PCI,        GPA_VMBUS,          GPA_IOAPIC,
                                    GPA_LAPIC,   0x100000000ull, 0x8000000000000ull, ~0xfffull};

    attack("posts from bad addresses");
    for (unsigned i = 1; i < 8; i++)
        expect_status(post_from(post_area + i, 1, 1, 8, unknown, 8), STATUS_ALIGNMENT, "alignment");
    for (unsigned i = PAGE - 248; i < PAGE; i += 8)
        expect_status(post_from(post_area + i, 1, 1, 8, unknown, 8), STATUS_ALIGNMENT, "crossing");
    expect_status(post_from(post_area + PAGE - 256, 1, 1, 8, unknown, 8), 0, "end of page");
    for (unsigned i = 0; i < sizeof(gpas) / sizeof(gpas[0]); i++)
        expect_status((unsigned)hypercall(HV_POST, gpas[i], 0), STATUS_PARAMETER, "no RAM");
    expect_status((unsigned)hypercall(HV_POST, ram_end, 0), STATUS_PARAMETER, "end of RAM");
    expect_status((unsigned)hypercall(HV_POST | HV_FAST, (uintptr_t)post_area, 0), STATUS_PARAMETER,
                  "fast");
    bus_works();
    done();
}

static void bad_signals(void)
{
    static const uint32_t ids[] = {0, 1, 2, 3, 4, 0x1fff, 0x2000, 0x2001, 0x27ff, 0x2800, 0xffffff};
    uint64_t *slow = (uint64_t *)(void *)post_area;

    attack("signals to what is not ours");
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        expect_status(signal_event(ids[i]), HV_NO_SUCH_ID, "fast");
        *slow = ids[i];
        expect_status((unsigned)hypercall(HV_SIGNAL, (uintptr_t)slow, 0), HV_NO_SUCH_ID, "slow");
        for (uint64_t flag = 1; flag < 0x10000; flag <<= 1)
            require(hypercall(HV_SIGNAL | HV_FAST, flag << 32 | ids[i], 0) != 0, "flag", flag);
    }
    require(hypercall(HV_SIGNAL | HV_FAST, ~0ull, 0) != 0, "all ones", 0);
    require(hypercall(HV_SIGNAL, (uintptr_t)slow + 1, 0) != 0, "alignment", 0);
    require(hypercall(HV_SIGNAL, GPA_NOTHING, 0) != 0, "no RAM", 0);
    require(hypercall(HV_SIGNAL, GPA_VMBUS, 0) != 0, "window", 0);
    bus_works();
    done();
}

static void random_calls(void)
{
    attack("unknown codes and random control words");
    for (uint64_t code = 0; code < 0x200; code++)
        if (code != HV_POST && code != HV_SIGNAL)
            hypercall(code, GPA_NOTHING, GPA_NOTHING);
    for (uint64_t code = 0x8000; code < 0x8010; code++)
        hypercall(code, (uintptr_t)post_area, (uintptr_t)post_area + PAGE);
    memset(post_area, 0xff, sizeof(post_area));
    for (unsigned i = 0; i < 5000; i++)
        hypercall(random64(), random64() & 1 ? random64() : (uintptr_t)post_area, random64());
    for (unsigned i = 0; i < 5000; i++)
        hypercall((random64() & ~0xffffull) | (random64() & 1 ? HV_POST : HV_SIGNAL), random64(),
                  random64());
    bus_works();
    done();
}

static void user_post(void)
{
    hypercall(HV_POST, (uintptr_t)post_area, 0);
}

static void from_ring_3(void)
{
    uint64_t before = faults;

    attack("post from ring 3");
    user_init();
    user_call(user_post, user_stack + PAGE - 8);
    require(faults == before + 1, "it does not fault", faults - before);
    bus_works();
    done();
}

void attack_hypercalls(void)
{
    before_identity();
    bad_page();
    bad_posts();
    bad_addresses();
    bad_signals();
    random_calls();
    from_ring_3();
}
