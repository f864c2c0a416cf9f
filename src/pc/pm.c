/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI power management: see pm.h. Facts: Intel 290562 (PIIX4), chapter 7; ACPI 6.4, 4.8.3.
 *
 * The PM timer runs from CLOCK_MONOTONIC, so that all vCPUs see one clock that never goes back. Its
 * status bit is worked out when somebody looks; a host timer runs only while the guest wants the
 * interrupt.
 */
#include "src/pc/pm.h"

#include "src/common/container.h"

#define PM1_TMR    0x0001u
#define PM1_GBL    0x0020u
#define PM1_PWRBTN 0x0100u
#define PM1_RTC    0x0400u
#define PM1_EVENTS (PM1_TMR | PM1_GBL | PM1_PWRBTN)
#define PM1_ENABLES \
    (PM1_EVENTS |   \
     PM1_RTC) /* Linux reads back RTC_EN even where the FADT says that there is no RTC event */
#define CNT_SCI_EN   0x0001u
#define CNT_WRITABLE 0x1c02u /* BM_RLD, SLP_TYP */
#define CNT_SLP_TYP  10
#define CNT_SLP_EN   0x2000u

#define GPE_EVENTS (1u << PM_GPE_GENERATION) /* all are in the low byte */

#define TIMER_HZ       3579545ull
#define TIMER_MASK     0xffffffull
#define HALF_TURN_BITS 23 /* TMR_STS is set when bit 23 changes */
#define SECOND_NS      1000000000ull

static uint64_t ticks(void)
{
    uint64_t now = lane_now();

    return now / SECOND_NS * TIMER_HZ + now % SECOND_NS * TIMER_HZ / SECOND_NS;
}

/* Bring TMR_STS and the SCI up to date. */
static void update(struct pm *pm)
{
    uint64_t half_turn = ticks() >> HALF_TURN_BITS;

    if (half_turn != pm->half_turn)
        pm->status |= PM1_TMR;
    pm->half_turn = half_turn;
    bool sci = pm->status & pm->enable || pm->gpe_status & pm->gpe_enable;
    if (sci == pm->sci)
        return;
    pm->sci = sci;
    pm->host->irq(pm->host->context, PM_SCI, sci);
}

static void timer_fire(struct lane_timer *timer)
{
    struct pm *pm = container_of(timer, struct pm, timer);

    pthread_mutex_lock(pm->host->lock);
    update(pm);
    pthread_mutex_unlock(pm->host->lock);
}

/* On the main lane: wait for the next half-turn if the guest wants to hear of it. */
static void rearm(struct lane_task *task)
{
    struct pm *pm = container_of(task, struct pm, rearm);

    pthread_mutex_lock(pm->host->lock);
    bool wanted = pm->enable & ~pm->status & PM1_TMR;
    uint64_t target = (pm->half_turn + 1) << HALF_TURN_BITS, now = ticks();
    pthread_mutex_unlock(pm->host->lock);
    if (!wanted)
        return;
    uint64_t left = target > now ? target - now : 0;
    lane_timer_arm(pm->host->lane, &pm->timer, left * SECOND_NS / TIMER_HZ + 1000);
}

/* The aligned dword at `offset`. */
static uint32_t read_dword(struct pm *pm, uint16_t offset)
{
    switch (offset) {
    case PM_EVENT:
        update(pm);
        return pm->status | (uint32_t)pm->enable << 16;
    case PM_CONTROL:
        return pm->control;
    case PM_TIMER:
        return ticks() & TIMER_MASK;
    case PM_GPE:
        return pm->gpe_status | (uint32_t)pm->gpe_enable << 16;
    default:
        return 0;
    }
}

static uint32_t pm_read(void *context, uint16_t offset, unsigned size)
{
    struct pm *pm = context;
    uint16_t aligned = offset & ~3u;
    uint64_t value = read_dword(pm, aligned);

    if (offset % 4 + size > 4)
        value |= (uint64_t)read_dword(pm, aligned + 4) << 32;
    return (uint32_t)(value >> 8 * (offset % 4));
}

static void write_control_high(struct pm *pm, uint16_t value)
{
    pm->control = (pm->control & 0x00ff) | (value & CNT_WRITABLE);
    if (value & CNT_SLP_EN && pm->control >> CNT_SLP_TYP == PM_SLP_TYP_S5)
        pm->host->poweroff(pm->host->context);
}

/* Every register here may be written a byte at a time, so all writes are. */
static void write_byte(struct pm *pm, uint16_t offset, uint8_t value)
{
    switch (offset) {
    case PM_EVENT:
    case PM_EVENT + 1:
        update(pm);
        pm->status &= (uint16_t) ~(value << 8 * (offset - PM_EVENT));
        break;
    case PM_EVENT + 2:
        pm->enable = (pm->enable & 0xff00) | (value & PM1_ENABLES & 0xff);
        break;
    case PM_EVENT + 3:
        pm->enable = (pm->enable & 0x00ff) | (value << 8 & PM1_ENABLES);
        break;
    case PM_CONTROL:
        pm->control = (pm->control & 0xff00) | (value & CNT_WRITABLE) | CNT_SCI_EN;
        return;
    case PM_CONTROL + 1:
        write_control_high(pm, (uint16_t)(value << 8));
        return;
    case PM_GPE:
        pm->gpe_status &= (uint16_t)~value;
        break;
    case PM_GPE + 2:
        pm->gpe_enable = value & GPE_EVENTS;
        break;
    case PM_RESET:
        if (value == PM_RESET_VALUE)
            pm->host->reset(pm->host->context, "ACPI reset register");
        return;
    default:
        return;
    }
    update(pm);
    if (pm->enable & ~pm->status & PM1_TMR)
        lane_post(pm->host->lane, &pm->rearm);
}

static void pm_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        write_byte(context, (uint16_t)(offset + i), (uint8_t)(value >> 8 * i));
}

int pm_init(struct pm *pm, const struct pc_host *host, struct pio *pio)
{
    const struct pio_region region = {
        .base = PM_BASE, .count = PM_SIZE, .read = pm_read, .write = pm_write, .context = pm};

    pm->host = host;
    pm->timer.fire = timer_fire;
    pm->rearm.run = rearm;
    pm->control = CNT_SCI_EN;
    pm->half_turn = ticks() >> HALF_TURN_BITS;
    return pio_add(pio, &region);
}

void pm_reset(struct pm *pm)
{
    pm->status = pm->gpe_status = 0;
    pm->enable = pm->gpe_enable = 0;
    pm->control = CNT_SCI_EN;
    pm->half_turn = ticks() >> HALF_TURN_BITS;
    update(pm);
}

void pm_general_event(struct pm *pm, unsigned number)
{
    pm->gpe_status |= (uint16_t)(1u << number);
    update(pm);
}

void pm_power_button(struct pm *pm)
{
    pm->status |= PM1_PWRBTN;
    update(pm);
}
