/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI power management: PM1 event and control registers, PM timer, general-purpose events, reset
 * register.
 *
 * The register block of PIIX4's function 3 (Intel 290562) as far as ACPI's FADT names it, at the
 * port where SeaBIOS puts it, with Hyper-V's reset register at offset 0x33. ACPI mode is on from
 * the start (no SMI command port).
 */
#ifndef VMBUSD_PC_PM_H
#define VMBUSD_PC_PM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/pc/pc.h"
#include "src/pc/pio.h"

#define PM_BASE        0x600u
#define PM_SIZE        0x38u
#define PM_EVENT       0x00u /* PM1a_STS and PM1a_EN, 2 bytes each */
#define PM_CONTROL     0x04u /* PM1a_CNT, 2 bytes */
#define PM_TIMER       0x08u /* 24 bits */
#define PM_GPE         0x0cu /* general-purpose events: status and enable, 2 bytes each */
#define PM_GPE_SIZE    4u
#define PM_RESET       0x33u /* write PM_RESET_VALUE: reset */
#define PM_RESET_VALUE 1u
#define PM_SLP_TYP_S5  0u
#define PM_SCI         9u

#define PM_GPE_GENERATION 1u /* number of the event: the VM generation counter has changed */

struct pm {
    const struct pc_host *host;
    uint16_t status, enable; /* PM1a_STS, PM1a_EN */
    uint16_t gpe_status, gpe_enable;
    uint16_t control;        /* PM1a_CNT without SLP_EN, which reads 0 */
    bool sci;                /* level that host->irq was last told */
    uint64_t half_turn;      /* half-turns of the timer already told in PM1_STS.TMR */
    struct lane_timer timer; /* next half-turn, while PM1_EN.TMR asks for an interrupt */
    struct lane_task rearm;
};

/* Zero `pm` first. Takes its ports from `pio`; 0 or pio_add()'s error. `host` must outlive it. */
int pm_init(struct pm *pm, const struct pc_host *host, struct pio *pio);

/* Registers as after power-on. PC lock held. */
void pm_reset(struct pm *pm);

/* One of PM_GPE_*: ACPI calls the event's method, if the guest has enabled it. PC lock held. */
void pm_general_event(struct pm *pm, unsigned number);

/* Press the power button: the guest's ACPI shuts it down, if it listens. PC lock held. */
void pm_power_button(struct pm *pm);

#endif
