/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: bus 0, its functions, and configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3 and 6).
 *
 * A device embeds a struct pci_function, fills in what of its configuration space is constant and
 * which bits the guest may write, and names its base address registers. The bus does the rest: it
 * decodes 0xCF8 and 0xCFC, and puts each window where the guest has moved it, as long as the
 * command register lets the function answer there. A window that would lie over somebody else's
 * waits until the place is free; one that reaches out of port space, or begins at 0, is nowhere.
 *
 * The expansion ROM is one more window, which has an enable bit of its own.
 *
 * Left out: bridges and other buses, 64-bit BARs, capabilities, error bits of the status register.
 */
#ifndef VMBUSD_PC_PCI_H
#define VMBUSD_PC_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "src/pc/mmio.h"
#include "src/pc/pc.h"
#include "src/pc/pio.h"
#include "src/pc/reset.h"

#define PCI_FUNCTIONS 32u /* of the whole bus */
#define PCI_BARS      7u  /* the last is the expansion ROM */
#define PCI_BAR_ROM   6u
#define PCI_CONFIG    256u

/* Offsets in configuration space, and bits. */
#define PCI_VENDOR         0x00u
#define PCI_DEVICE         0x02u
#define PCI_COMMAND        0x04u
#define PCI_STATUS         0x06u
#define PCI_REVISION       0x08u
#define PCI_CLASS          0x09u /* programming interface, subclass, class */
#define PCI_HEADER_TYPE    0x0eu
#define PCI_BAR            0x10u
#define PCI_SUBSYSTEM      0x2cu
#define PCI_ROM            0x30u
#define PCI_INTERRUPT_LINE 0x3cu
#define PCI_INTERRUPT_PIN  0x3du
#define PCI_COMMAND_IO     0x0001u
#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_MULTIFUNCTION  0x80u
#define PCI_DEVFN(dev, fn) ((uint8_t)((dev) << 3 | (fn)))

struct pci_bar {
    uint32_t size; /* bytes, a power of two: at least 4 for ports, 16 for memory; 0: no such BAR */
    bool io, prefetch;
    struct pio_region ports;   /* if io: handlers and context; the bus fills in the rest */
    struct mmio_region memory; /* else the same */
    void *backing;             /* memory: what is there, for KVM to serve; NULL: handlers only */
    enum pc_map map;           /* its name */
    bool mapped;               /* the bus's: ports or memory is in the table */
};

struct pci_function {
    uint8_t devfn;
    uint8_t config[PCI_CONFIG];   /* as the guest reads it */
    uint8_t initial[PCI_CONFIG];  /* as after a reset: copied from `config` by pci_add() */
    uint8_t writable[PCI_CONFIG]; /* bits that a write changes */
    struct pci_bar bar[PCI_BARS];
    /* The guest has written `size` bytes at `offset`; config is already changed. May be NULL. */
    void (*written)(struct pci_function *function, unsigned offset, unsigned size);
};

struct pci {
    const struct pc_host *host;
    struct pio *pio;
    struct mmio *mmio;
    struct reset_ports *reset; /* 0xCF9 lies inside the address register */
    uint32_t address;          /* 0xCF8 */
    struct pci_function *function[PCI_FUNCTIONS];
    unsigned functions;
};

/* Zero `pci` first. Takes ports 0xCF8 to 0xCFF; 0 or pio_add()'s error. All must outlive it. */
int pci_init(struct pci *pci, const struct pc_host *host, struct pio *pio, struct mmio *mmio,
             struct reset_ports *reset);

/* Identity in one line: ids, class (0xCCSSPP) and revision. For before pci_add(). */
void pci_identify(struct pci_function *function, uint16_t vendor, uint16_t device, uint32_t class,
                  uint8_t revision);

/* 0, -EEXIST if the place is taken, -ENOSPC. Start-up. */
int pci_add(struct pci *pci, struct pci_function *function);

/* Every function as after power-on, no window mapped. PC lock held. */
void pci_reset(struct pci *pci);

static inline uint16_t pci_config16(const struct pci_function *function, unsigned offset)
{
    return (uint16_t)(function->config[offset] | function->config[offset + 1] << 8);
}

static inline uint32_t pci_config32(const struct pci_function *function, unsigned offset)
{
    return pci_config16(function, offset) | (uint32_t)pci_config16(function, offset + 2) << 16;
}

static inline void pci_put16(uint8_t *config, unsigned offset, uint16_t value)
{
    config[offset] = (uint8_t)value;
    config[offset + 1] = (uint8_t)(value >> 8);
}

static inline void pci_put32(uint8_t *config, unsigned offset, uint32_t value)
{
    pci_put16(config, offset, (uint16_t)value);
    pci_put16(config, offset + 2, (uint16_t)(value >> 16));
}

#endif
