/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of the legacy adapter (DECchip 21140, 3.2), and its interrupt.
 *
 * The two summary bits of the status register follow from the events that are enabled, so that they
 * are gone when those are. A process that is stopped has stopped at once: the lane works under the
 * lock that a register is written under.
 */
#include "src/pc/tulip_priv.h"

#define STATUS_NORMAL   0x00004845u /* events that make up the normal summary ... */
#define STATUS_ABNORMAL 0x000027aau /* ... and the abnormal one */
#define STATUS_NIS      0x00010000u
#define STATUS_AIS      0x00008000u
#define STATUS_CLEARED  0x00007fffu /* by writing 1 */
#define STATUS_ONES     0xf0000000u
#define RX_STATE_SHIFT  17
#define TX_STATE_SHIFT  20

#define BUS_WRITES  0x01fffffeu
#define BUS_ONES    0xfe000000u
#define MODE_ONES   0x32000000u
#define MODE_FILTER (MODE_HASH | MODE_HASH_ONLY | MODE_INVERSE)
#define INT_WRITES  0x0001ffffu
#define INT_ONES    0xf3fe0000u

#define MISSED_MAX  0xffffu
#define MISSED_OVER 0x10000u
#define MISSED_ONES 0xe0000000u

#define SERIAL_SELECT 0x00000001u
#define SERIAL_CLOCK  0x00000002u
#define SERIAL_IN     0x00000004u
#define SERIAL_OUT    0x00000008u
#define SERIAL_SROM   0x00000800u
#define SERIAL_MDC    0x00010000u
#define SERIAL_MDO    0x00020000u
#define SERIAL_READ   0x00040000u
#define SERIAL_MDI    0x00080000u
#define SERIAL_KEPT   0x0007fc00u
#define SERIAL_ONES   0xfff003f0u
#define SERIAL_WIRES  0x0000000fu

#define TIMER_COUNT 0xffffu

#define TIMER_ONES     0xfffe0000u
#define TIMER_TICK_100 81920u /* ns, by the clock of the port ... */
#define TIMER_TICK_10  204800u

#define PINS_DIRECTION 0x100u
#define PINS_ONES      0xfffffe00u

void tulip_raise(struct tulip *tulip, uint32_t status)
{
    uint32_t enabled, mask = tulip->csr[CSR_INTERRUPTS];

    tulip->status |= status;
    enabled = tulip->status & mask;
    bool level = (enabled & STATUS_NORMAL && mask & STATUS_NIS) ||
                 (enabled & STATUS_ABNORMAL && mask & STATUS_AIS);
    if (level == tulip->line)
        return;
    tulip->line = level;
    chipset_intx(tulip->chipset, tulip->function.devfn, tulip->function.config[PCI_INTERRUPT_PIN],
                 level);
}

/* --- Reading --- */

static uint32_t read_status(const struct tulip *tulip)
{
    uint32_t enabled = tulip->status & tulip->csr[CSR_INTERRUPTS];

    return STATUS_ONES | tulip->status | tulip->csr[CSR_STATUS] |
           (enabled & STATUS_NORMAL ? STATUS_NIS : 0) |
           (enabled & STATUS_ABNORMAL ? STATUS_AIS : 0) |
           (uint32_t)tulip->rx_state << RX_STATE_SHIFT |
           (uint32_t)tulip->tx_state << TX_STATE_SHIFT;
}

static uint32_t read_mode(const struct tulip *tulip)
{
    const struct tulip_filter *filter = &tulip->filter;

    return MODE_ONES | tulip->csr[CSR_MODE] | (filter->hash ? MODE_HASH : 0) |
           (filter->hash_only ? MODE_HASH_ONLY : 0) | (filter->inverse ? MODE_INVERSE : 0);
}

static uint32_t read_missed(struct tulip *tulip)
{
    uint32_t missed = tulip->missed > MISSED_MAX ? MISSED_OVER | MISSED_MAX : tulip->missed;

    tulip->missed = 0;
    return MISSED_ONES | missed;
}

static uint32_t read_serial(const struct tulip *tulip)
{
    uint32_t kept = tulip->csr[CSR_SERIAL], wires = SERIAL_WIRES;

    if (kept & SERIAL_SROM)
        wires = (kept & (SERIAL_SELECT | SERIAL_CLOCK | SERIAL_IN)) |
                (tulip->srom.out ? SERIAL_OUT : 0);
    return SERIAL_ONES | (kept & SERIAL_KEPT) | (tulip->mii.out ? SERIAL_MDI : 0) | wires;
}

static uint32_t tick(const struct tulip *tulip)
{
    return tulip->csr[CSR_MODE] & MODE_PORT ? TIMER_TICK_100 : TIMER_TICK_10;
}

uint64_t tulip_timer_period(const struct tulip *tulip)
{
    return (uint64_t)(tulip->csr[CSR_TIMER] & TIMER_COUNT) * tick(tulip);
}

static uint32_t read_timer(const struct tulip *tulip)
{
    uint64_t now = lane_now(), deadline = tulip->timer_deadline, left = 0;

    if (deadline > now)
        left = (deadline - now) / tick(tulip);
    return TIMER_ONES | (tulip->csr[CSR_TIMER] & TIMER_CONTINUOUS) |
           (uint32_t)(left < TIMER_COUNT ? left : TIMER_COUNT);
}

uint32_t tulip_csr_read(struct tulip *tulip, unsigned number)
{
    switch (number) {
    case CSR_BUS_MODE:
        return BUS_ONES | tulip->csr[number];
    case CSR_TX_POLL:
    case CSR_RX_POLL:
        return UINT32_MAX;
    case CSR_STATUS:
        return read_status(tulip);
    case CSR_MODE:
        return read_mode(tulip);
    case CSR_INTERRUPTS:
        return INT_ONES | tulip->csr[number];
    case CSR_MISSED:
        return read_missed(tulip);
    case CSR_SERIAL:
        return read_serial(tulip);
    case CSR_TIMER:
        return read_timer(tulip);
    case CSR_PINS:
        return PINS_ONES | (tulip->pins & tulip->pins_out);
    default:
        return tulip->csr[number];
    }
}

/* --- Writing --- */

static void write_status(struct tulip *tulip, uint32_t value)
{
    tulip->status &= ~(value & STATUS_CLEARED);
    if (value & STATUS_FBE)
        tulip->csr[CSR_STATUS] = 0;
    tulip_raise(tulip, 0);
}

/* The start bits start from where the process was, or from the list's begin if that was written. */
static void write_mode(struct tulip *tulip, uint32_t value)
{
    uint32_t events = 0;

    tulip->csr[CSR_MODE] = value & ~(MODE_FILTER | MODE_ONES);
    if (tulip->dead)
        return;
    if (!(value & MODE_SR) && tulip->rx_state != RX_STOPPED) {
        tulip->rx_state = RX_STOPPED;
        events |= STATUS_RPS;
    } else if (value & MODE_SR && tulip->rx_state == RX_STOPPED) {
        tulip->rx_state = RX_WAITING;
        tulip->rx_since = 0;
    }
    if (!(value & MODE_ST) && tulip->tx_state != TX_STOPPED) {
        tulip->tx_state = TX_STOPPED;
        events |= STATUS_TPS;
    } else if (value & MODE_ST && tulip->tx_state == TX_STOPPED) {
        tulip->tx_state = TX_RUNNING;
    }
    tulip_raise(tulip, events);
    tulip_kick(tulip);
}

/* Lists may be moved while their process is stopped. */
static void write_list(struct tulip *tulip, unsigned number, uint32_t value)
{
    bool rx = number == CSR_RX_LIST;

    if (rx ? tulip->rx_state != RX_STOPPED : tulip->tx_state != TX_STOPPED)
        return;
    tulip->csr[number] = value & ~3u;
    *(rx ? &tulip->rx_at : &tulip->tx_at) = value & ~3u;
}

static void write_serial(struct tulip *tulip, uint32_t value)
{
    tulip->csr[CSR_SERIAL] = value;
    if (value & SERIAL_SROM)
        tulip_srom_drive(&tulip->srom, value & SERIAL_SELECT, value & SERIAL_CLOCK,
                         value & SERIAL_IN);
    tulip_mii_drive(&tulip->mii, value & SERIAL_MDC, value & SERIAL_MDO, value & SERIAL_READ);
}

static void write_timer(struct tulip *tulip, uint32_t value)
{
    tulip->csr[CSR_TIMER] = value & (TIMER_CONTINUOUS | TIMER_COUNT);
    uint64_t period = tulip_timer_period(tulip);
    tulip->timer_deadline = period ? lane_now() + period : 0;
    tulip->timer_moved = true;
    tulip_kick(tulip);
}

static void poll_demand(struct tulip *tulip, bool rx)
{
    if (rx && tulip->rx_state == RX_SUSPENDED)
        tulip->rx_state = RX_WAITING;
    if (!rx && tulip->tx_state == TX_SUSPENDED)
        tulip->tx_state = TX_RUNNING;
    tulip_kick(tulip);
}

void tulip_csr_write(struct tulip *tulip, unsigned number, uint32_t value)
{
    switch (number) {
    case CSR_BUS_MODE:
        if (value & BUS_RESET)
            tulip_restart(tulip);
        tulip->csr[number] = value & BUS_WRITES;
        tulip_kick(tulip);
        break;
    case CSR_TX_POLL:
    case CSR_RX_POLL:
        poll_demand(tulip, number == CSR_RX_POLL);
        break;
    case CSR_RX_LIST:
    case CSR_TX_LIST:
        write_list(tulip, number, value);
        break;
    case CSR_STATUS:
        write_status(tulip, value);
        break;
    case CSR_MODE:
        write_mode(tulip, value);
        break;
    case CSR_INTERRUPTS:
        tulip->csr[number] = value & INT_WRITES;
        tulip_raise(tulip, 0);
        break;
    case CSR_MISSED:
        break;
    case CSR_SERIAL:
        write_serial(tulip, value);
        break;
    case CSR_TIMER:
        write_timer(tulip, value);
        break;
    case CSR_PINS:
        if (value & PINS_DIRECTION)
            tulip->pins_out = (uint8_t)value;
        else
            tulip->pins = (uint8_t)value;
        break;
    default:
        tulip->csr[number] = value;
    }
}
