/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of the legacy adapter: both lists are rings, chains, or anything in between.
 *
 * Each descriptor is copied out, its status first: the rest counts only once the status says that
 * it is ours. What a list leads to is unknown to the end, so who walks one counts.
 */
#include <endian.h>
#include <stdatomic.h>

#include "src/pc/tulip_priv.h"

#define SECOND_SHIFT    11
#define BUS_ERROR_ABORT 0x00800000u /* CSR5 25:23: nobody answered */

void tulip_bus_error(struct tulip *tulip)
{
    tulip->dead = true;
    tulip->rx_state = RX_STOPPED;
    tulip->tx_state = TX_STOPPED;
    tulip->csr[CSR_STATUS] = BUS_ERROR_ABORT;
    tulip_raise(tulip, STATUS_FBE);
    log_guest(&tulip->log_limit, "legacy NIC: an address in its rings is not RAM");
}

static uint32_t from_guest(const struct tulip *tulip, uint32_t word)
{
    return tulip->csr[CSR_BUS_MODE] & BUS_SWAP_CONTROL ? be32toh(word) : le32toh(word);
}

bool tulip_fetch(struct tulip *tulip, uint32_t at, struct tulip_descriptor *ret_descriptor)
{
    uint32_t word[4];

    *ret_descriptor = (struct tulip_descriptor){0};
    if (!gmem_read(tulip->gmem, at, word, sizeof(word[0])))
        goto error;
    ret_descriptor->status = from_guest(tulip, word[0]);
    if (!(ret_descriptor->status & DESC_OWN))
        return true;
    atomic_thread_fence(memory_order_acquire);
    if (!gmem_read(tulip->gmem, (uint64_t)at + 4, word + 1, sizeof(word) - sizeof(word[0])))
        goto error;
    ret_descriptor->control = from_guest(tulip, word[1]);
    ret_descriptor->buffer[0] = from_guest(tulip, word[2]);
    ret_descriptor->buffer[1] = from_guest(tulip, word[3]);
    return true;
error:
    tulip_bus_error(tulip);
    return false;
}

bool tulip_give_back(struct tulip *tulip, uint32_t at, uint32_t status)
{
    uint32_t word = tulip->csr[CSR_BUS_MODE] & BUS_SWAP_CONTROL ? htobe32(status) : htole32(status);

    atomic_thread_fence(memory_order_release);
    if (gmem_write(tulip->gmem, at, &word, sizeof(word)))
        return true;
    tulip_bus_error(tulip);
    return false;
}

uint32_t tulip_next(const struct tulip *tulip, uint32_t at, uint32_t base,
                    const struct tulip_descriptor *descriptor)
{
    if (descriptor->control & DESC_END)
        return base;
    if (descriptor->control & DESC_CHAIN)
        return descriptor->buffer[1] & ~3u;
    return at + (uint32_t)sizeof(*descriptor) +
           4 * (tulip->csr[CSR_BUS_MODE] >> BUS_SKIP_SHIFT & BUS_SKIP);
}

uint32_t tulip_buffer(const struct tulip_descriptor *descriptor, unsigned n)
{
    if (n == 0)
        return descriptor->control & DESC_SIZE;
    return descriptor->control & DESC_CHAIN ? 0 : descriptor->control >> SECOND_SHIFT & DESC_SIZE;
}
