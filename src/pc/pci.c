/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI bus: see pci.h.
 */
#include "src/pc/pci.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ADDRESS_PORT   0xcf8u
#define DATA_PORT      0xcfcu
#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_BITS   0x80fffffcu
#define OFFSET_CF9     1u
#define COMMAND_WRITES (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define BAR_IO         0x1u
#define BAR_PREFETCH   0x8u
#define BAR_IO_FLAGS   0x3u
#define BAR_MEMORY_LOW 0xfu
#define ROM_ENABLE     0x1u
#define ROM_LOW        0x7ffu
#define PORT_SPACE     0x10000u

static struct pci_function *find(const struct pci *pci, uint8_t devfn)
{
    for (unsigned i = 0; i < pci->functions; i++)
        if (pci->function[i]->devfn == devfn)
            return pci->function[i];
    return NULL;
}

/* The function that the address register names; NULL if nobody is there. */
static struct pci_function *addressed(const struct pci *pci)
{
    if (!(pci->address & ADDRESS_ENABLE) || pci->address >> 16 & 0xff)
        return NULL;
    return find(pci, (uint8_t)(pci->address >> 8));
}

/* --- Windows --- */

static unsigned bar_offset(unsigned index)
{
    return index == PCI_BAR_ROM ? PCI_ROM : PCI_BAR + 4 * index;
}

static uint32_t bar_flags(const struct pci_bar *bar)
{
    return bar->io ? BAR_IO : bar->prefetch ? BAR_PREFETCH : 0;
}

/* Where the guest wants the window; false if nowhere. */
static bool bar_wanted(const struct pci_function *function, unsigned index, uint32_t *ret_base)
{
    const struct pci_bar *bar = &function->bar[index];
    uint32_t value = pci_config32(function, bar_offset(index));
    uint16_t command = pci_config16(function, PCI_COMMAND);
    bool rom = index == PCI_BAR_ROM;

    *ret_base = value & ~(rom ? ROM_LOW : bar->io ? BAR_IO_FLAGS : BAR_MEMORY_LOW);
    if (!bar->size || !*ret_base || !(command & (bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        return false;
    if (rom && !(value & ROM_ENABLE))
        return false;
    return !bar->io || *ret_base <= PORT_SPACE - bar->size;
}

/* Let KVM serve what is at `base` now; if it cannot, the handlers do. */
static void bar_back(struct pci *pci, const struct pci_bar *bar, uint32_t base, bool present)
{
    const struct pc_mapping mapping = {.map = bar->map,
                                       .address = base,
                                       .size = present ? bar->size : 0,
                                       .memory = bar->backing,
                                       .readonly = !bar->memory.write};

    if (bar->backing)
        pc_map(pci->host, &mapping);
}

static void bar_unmap(struct pci *pci, struct pci_bar *bar)
{
    if (bar->io) {
        pio_remove(pci->pio, bar->ports.base, bar->ports.context);
    } else {
        bar_back(pci, bar, 0, false);
        mmio_remove(pci->mmio, bar->memory.base, bar->memory.context);
    }
    bar->mapped = false;
}

static void bar_map(struct pci *pci, struct pci_bar *bar, uint32_t base)
{
    if (bar->io) {
        bar->ports.base = (uint16_t)base;
        bar->ports.count = (uint16_t)bar->size;
        bar->mapped = pio_add(pci->pio, &bar->ports) == 0;
    } else {
        bar->memory.base = base;
        bar->memory.size = bar->size;
        bar->mapped = mmio_add(pci->mmio, &bar->memory) == 0;
        if (bar->mapped)
            bar_back(pci, bar, base, true);
    }
}

/* After any change of a command register or a BAR: first everything that is out of place goes, then
 * everything takes its place, so that two windows may change places. */
static void remap(struct pci *pci)
{
    uint32_t base;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < pci->functions * PCI_BARS; i++) {
            struct pci_function *function = pci->function[i / PCI_BARS];
            struct pci_bar *bar = &function->bar[i % PCI_BARS];
            bool wanted = bar_wanted(function, i % PCI_BARS, &base);
            uint64_t at = bar->io ? bar->ports.base : bar->memory.base;
            if (pass == 0 && bar->mapped && (!wanted || at != base))
                bar_unmap(pci, bar);
            else if (pass == 1 && wanted && !bar->mapped)
                bar_map(pci, bar, base);
        }
    }
}

/* --- Configuration space --- */

static uint32_t config_read(const struct pci_function *function, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)function->config[offset + i] << 8 * i;
    return value;
}

static void config_write(struct pci *pci, struct pci_function *function, unsigned offset,
                         unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t writable = function->writable[offset + i], byte = (uint8_t)(value >> 8 * i);
        function->config[offset + i] =
            (uint8_t)((function->config[offset + i] & ~writable) | (byte & writable));
    }
    if (offset < PCI_ROM + 4)
        remap(pci);
    if (function->written)
        function->written(function, offset, size);
}

static uint32_t address_read(void *context, uint16_t offset, unsigned size)
{
    const struct pci *pci = context;

    if (offset == OFFSET_CF9 && size == 1)
        return reset_control_read(pci->reset);
    return size == 4 ? pci->address : UINT32_MAX;
}

static void address_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct pci *pci = context;

    if (size == 4)
        pci->address = value & ADDRESS_BITS;
    else if (offset == OFFSET_CF9 && size == 1)
        reset_control_write(pci->reset, (uint8_t)value);
}

static uint32_t data_read(void *context, uint16_t offset, unsigned size)
{
    const struct pci *pci = context;
    const struct pci_function *function = addressed(pci);

    return function ? config_read(function, (pci->address & 0xfc) + offset, size) : UINT32_MAX;
}

static void data_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct pci *pci = context;
    struct pci_function *function = addressed(pci);

    if (function)
        config_write(pci, function, (pci->address & 0xfc) + offset, size, value);
}

/* --- Making --- */

int pci_init(struct pci *pci, const struct pc_host *host, struct pio *pio, struct mmio *mmio,
             struct reset_ports *reset)
{
    const struct pio_region address = {.base = ADDRESS_PORT,
                                       .count = 4,
                                       .read = address_read,
                                       .write = address_write,
                                       .context = pci};
    const struct pio_region data = {
        .base = DATA_PORT, .count = 4, .read = data_read, .write = data_write, .context = pci};

    pci->host = host;
    pci->pio = pio;
    pci->mmio = mmio;
    pci->reset = reset;
    int error = pio_add(pio, &address);
    return error ? error : pio_add(pio, &data);
}

void pci_identify(struct pci_function *function, uint16_t vendor, uint16_t device, uint32_t class,
                  uint8_t revision)
{
    pci_put16(function->config, PCI_VENDOR, vendor);
    pci_put16(function->config, PCI_DEVICE, device);
    function->config[PCI_REVISION] = revision;
    function->config[PCI_CLASS] = (uint8_t) class;
    pci_put16(function->config, PCI_CLASS + 1, (uint16_t)(class >> 8));
}

int pci_add(struct pci *pci, struct pci_function *function)
{
    if (find(pci, function->devfn))
        return -EEXIST;
    if (pci->functions == PCI_FUNCTIONS)
        return -ENOSPC;
    function->writable[PCI_COMMAND] |= COMMAND_WRITES;
    function->writable[PCI_INTERRUPT_LINE] = 0xff;
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &function->bar[i];
        if (!bar->size)
            continue;
        bool rom = i == PCI_BAR_ROM;
        pci_put32(function->config, bar_offset(i), rom ? 0 : bar_flags(bar));
        pci_put32(function->writable, bar_offset(i), ~(bar->size - 1) | (rom ? ROM_ENABLE : 0));
    }
    memcpy(function->initial, function->config, sizeof(function->initial));
    pci->function[pci->functions++] = function;
    return 0;
}

void pci_reset(struct pci *pci)
{
    pci->address = 0;
    for (unsigned i = 0; i < pci->functions; i++)
        memcpy(pci->function[i]->config, pci->function[i]->initial, PCI_CONFIG);
    remap(pci);
    for (unsigned i = 0; i < pci->functions; i++) {
        if (pci->function[i]->written)
            pci->function[i]->written(pci->function[i], 0, PCI_CONFIG);
    }
}
