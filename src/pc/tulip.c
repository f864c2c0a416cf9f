/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter: see tulip.h. Here: making, PCI, reset, the lane's work, the timer.
 */
#include "src/pc/tulip.h"

#include <errno.h>
#include <stdlib.h>

#include "src/common/container.h"
#include "src/pc/tulip_priv.h"

#define VENDOR_DEC     0x1011u
#define DEVICE_21140   0x0009u
#define REVISION       0x20u
#define SUBSYSTEM      0x21140a00u /* and the function's number */
#define WINDOW         128u
#define CSR_DISTANCE   8u
#define CONFIG_CACHE   0x0cu
#define CONFIG_LATENCY 0x0du
#define CONFIG_MIN_GNT 0x3eu
#define CONFIG_MAX_LAT 0x3fu
#define CONFIG_SLEEP   0x43u /* of CFDD; what drivers write is kept and nothing sleeps */
#define PCI_PINS       4u

/* --- Windows --- */

/* Registers answer to whole longwords; a part of one can be read. */
static uint64_t window_read(void *context, uint64_t offset, unsigned size)
{
    uint64_t value = tulip_csr_read(context, (unsigned)(offset / CSR_DISTANCE) % TULIP_CSRS);

    (void)size;
    return value >> 8 * (offset % CSR_DISTANCE);
}

static void window_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset % CSR_DISTANCE == 0 && size >= 4)
        tulip_csr_write(context, (unsigned)(offset / CSR_DISTANCE) % TULIP_CSRS, (uint32_t)value);
}

static uint32_t ports_read(void *context, uint16_t offset, unsigned size)
{
    uint32_t value = (uint32_t)window_read(context, offset, size);

    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void ports_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    window_write(context, offset, size, value);
}

/* The command register may have let the chip reach memory. */
static void config_written(struct pci_function *function, unsigned offset, unsigned size)
{
    (void)size;
    if (offset <= PCI_COMMAND)
        tulip_kick(container_of(function, struct tulip, function));
}

static void init_function(struct tulip *tulip, const struct tulip_params *params)
{
    struct pci_function *function = &tulip->function;

    function->devfn = PCI_DEVFN(TULIP_SLOT, params->index);
    pci_identify(function, VENDOR_DEC, DEVICE_21140, 0x020000, REVISION);
    pci_put16(function->config, PCI_STATUS, 0x0280);
    pci_put32(function->config, PCI_SUBSYSTEM, SUBSYSTEM + params->index);
    function->config[PCI_HEADER_TYPE] = params->count > 1 ? PCI_MULTIFUNCTION : 0;
    function->config[PCI_INTERRUPT_PIN] = (uint8_t)(params->index % PCI_PINS + 1);
    function->config[CONFIG_MIN_GNT] = 0x14;
    function->config[CONFIG_MAX_LAT] = 0x28;
    function->writable[CONFIG_CACHE] = function->writable[CONFIG_LATENCY] = 0xff;
    function->writable[CONFIG_SLEEP] = 0xc0;
    function->bar[0] = (struct pci_bar){
        .size = WINDOW,
        .io = true,
        .ports = {.read = ports_read, .write = ports_write, .context = tulip},
    };
    function->bar[1] = (struct pci_bar){
        .size = WINDOW,
        .memory = {.read = window_read, .write = window_write, .context = tulip},
    };
    function->written = config_written;
}

/* --- The lane's work --- */

void tulip_kick(struct tulip *tulip)
{
    lane_post(tulip->lane, &tulip->task);
}

bool tulip_is_master(const struct tulip *tulip)
{
    return pci_config16(&tulip->function, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static void arm_timer(struct tulip *tulip)
{
    uint64_t now = lane_now(), deadline = tulip->timer_deadline;

    tulip->timer_moved = false;
    if (deadline)
        lane_timer_arm(tulip->lane, &tulip->timer, deadline > now ? deadline - now : 0);
    else
        lane_timer_cancel(tulip->lane, &tulip->timer);
}

/* Does something wait that nobody will announce? */
static bool must_retry(const struct tulip *tulip)
{
    return tulip->rx_have || (tulip->tx_state == TX_SUSPENDED &&
                              tulip->csr[CSR_BUS_MODE] & BUS_AUTO_POLL && tulip_is_master(tulip));
}

static void work(struct lane_task *task)
{
    struct tulip *tulip = container_of(task, struct tulip, task);

    pthread_mutex_lock(tulip->host->lock);
    bool more = tulip_is_master(tulip) && tulip_tx_run(tulip);
    more |= tulip_rx_run(tulip);
    if (tulip->timer_moved)
        arm_timer(tulip);
    if (more)
        lane_post(tulip->lane, &tulip->task);
    else if (must_retry(tulip))
        lane_timer_arm(tulip->lane, &tulip->retry, TULIP_RETRY_NS);
    pthread_mutex_unlock(tulip->host->lock);
}

static void on_retry(struct lane_timer *timer)
{
    work(&container_of(timer, struct tulip, retry)->task);
}

static void on_timer(struct lane_timer *timer)
{
    struct tulip *tulip = container_of(timer, struct tulip, timer);

    pthread_mutex_lock(tulip->host->lock);
    uint64_t now = lane_now(), period = tulip_timer_period(tulip);
    if (tulip->timer_deadline && tulip->timer_deadline <= now) {
        bool again = tulip->csr[CSR_TIMER] & TIMER_CONTINUOUS && period;
        tulip->timer_deadline = again ? tulip->timer_deadline + period : 0;
        if (again && tulip->timer_deadline <= now)
            tulip->timer_deadline = now + period;
        tulip_raise(tulip, STATUS_GTE);
    }
    arm_timer(tulip);
    pthread_mutex_unlock(tulip->host->lock);
}

/* --- Making --- */

void tulip_restart(struct tulip *tulip)
{
    for (unsigned i = 0; i < TULIP_CSRS; i++)
        tulip->csr[i] = 0;
    tulip->csr[CSR_MODE] = MODE_PROMISC;
    tulip->csr[CSR_SERIAL] = 0x00048000;
    tulip->csr[13] = 0xffff0000;
    tulip->csr[14] = 0xffffffff;
    tulip->csr[15] = 0x8ff00000;
    tulip->status = tulip->missed = tulip->rx_at = tulip->tx_at = 0;
    tulip->pins = tulip->pins_out = 0;
    tulip->dead = false;
    tulip->rx_state = RX_STOPPED;
    tulip->tx_state = TX_STOPPED;
    tulip->timer_deadline = 0;
    tulip->timer_moved = true;
    tulip->filter = (struct tulip_filter){.hash = false};
    tulip->rx_since = 0;
    tulip_raise(tulip, 0);
    tulip_kick(tulip);
}

void tulip_reset(struct tulip *tulip)
{
    tulip_restart(tulip);
    tulip_srom_drive(&tulip->srom, false, false, false);
    tulip_mii_reset(&tulip->mii);
    tulip->mii.bits = tulip->mii.ones = 0;
    tulip->mii.out = true;
}

struct tulip *tulip_new(const struct tulip_params *params, const struct pc_host *host,
                        struct pci *pci, struct chipset *chipset, struct gmem *gmem)
{
    struct tulip *tulip = calloc(1, sizeof(*tulip));

    if (!tulip)
        return NULL;
    tulip->host = host;
    tulip->chipset = chipset;
    tulip->gmem = gmem;
    tulip->lane = params->lane;
    tulip->task.run = work;
    tulip->timer.fire = on_timer;
    tulip->retry.fire = on_retry;
    tulip->mii.present = !params->fixed;
    tulip_srom_fill(&tulip->srom, params);
    tulip_port_init(tulip);
    init_function(tulip, params);
    int error = pci_add(pci, &tulip->function);
    if (error) {
        free(tulip);
        errno = -error;
        return NULL;
    }
    tulip_reset(tulip);
    return tulip;
}

void tulip_free(struct tulip *tulip)
{
    if (!tulip)
        return;
    tulip_port_close(tulip); /* without a word to the lane, which would come too late */
    lane_timer_cancel(tulip->lane, &tulip->timer);
    lane_timer_cancel(tulip->lane, &tulip->retry);
    free(tulip);
}

void tulip_stats(const struct tulip *tulip, struct tulip_stats *ret_stats)
{
    pthread_mutex_lock(tulip->host->lock);
    *ret_stats = tulip->count;
    pthread_mutex_unlock(tulip->host->lock);
}
