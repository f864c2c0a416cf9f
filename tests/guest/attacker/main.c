/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hostile guest: one group of attacks, named on the command line, then off.
 */
#include "tests/guest/attacker/guest.h"

#define BOOT_E820_COUNT 0x1e8u
#define BOOT_CMDLINE    0x228u
#define BOOT_E820       0x2d0u
#define E820_ENTRY      20u
#define E820_RAM        1u

/* Ends of groups that leave the guest able to speak. */
static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"hypercalls", attack_hypercalls}, {"synic", attack_synic}, {"messages", attack_messages},
    {"storage", attack_storage},       {"ports", attack_ports}, {"processor", attack_processor},
};

void guest_main(const uint8_t *boot_params);

static void find_ram(const uint8_t *boot_params)
{
    for (unsigned i = 0; i < boot_params[BOOT_E820_COUNT]; i++) {
        uint64_t range[2];
        uint32_t type;
        const uint8_t *entry = boot_params + BOOT_E820 + i * E820_ENTRY;
        memcpy(range, entry, sizeof(range));
        memcpy(&type, entry + sizeof(range), sizeof(type));
        if (type == E820_RAM && range[0] + range[1] > ram_end)
            ram_end = range[0] + range[1];
    }
}

void guest_main(const uint8_t *boot_params)
{
    uint32_t cmdline;
    const char *group;

    memcpy(&cmdline, boot_params + BOOT_CMDLINE, sizeof(cmdline));
    group = (const char *)(uintptr_t)cmdline;
    find_ram(boot_params);
    console_init();
    cpu_init();
    for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (same_text(groups[i].name, group)) {
            groups[i].run();
            power_off();
        }
    if (same_text(group, "crash"))
        attack_crash();
    else if (same_text(group, "triple-fault"))
        attack_triple_fault();
    else
        attack_wild(group);
    power_off();
}
