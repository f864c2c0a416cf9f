/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chipset: see chipset.h. Facts: Intel 290549 (i440FX), 290562 (PIIX4); what SeaBIOS 1.16 does
 * with them.
 */
#include "src/pc/chipset.h"

#include "src/common/container.h"
#include "src/pc/pm.h"

#define VENDOR_INTEL    0x8086u
#define DEVICE_440FX    0x1237u
#define DEVICE_PIIX_ISA 0x7110u
#define DEVICE_PIIX_PM  0x7113u
#define SUBSYSTEM_QEMU  0x11001af4u /* without it SeaBIOS does not look for fw_cfg's files */

#define BRIDGE_DRAM  0x50u
#define BRIDGE_PAM0  0x59u
#define BRIDGE_SMRAM 0x72u
#define PAM_SHADOWED 0x10u /* F0000 to FFFFF reads RAM already: SeaBIOS then copies nothing */
#define SMRAM_RESET  0x02u

#define ISA_PIRQRC 0x60u
#define PIRQ_OFF   0x80u
/* Lines 5 to 7, 10, 11. PIIX4 takes 3, 4, 9, 12, 14, 15 too, which have owners here (serial ports,
 * SCI, mouse, IDE): a line that two drive would fall when the first of them lets go. */
#define PIRQ_ALLOWED 0x0ce0u

#define PM_BASE_REGISTER 0x40u
#define PM_SMI_DONE      0x5bu /* bit 1 here: firmware has set SMM up and need not */

/* Tell the machine which ISA lines PCI holds high now. */
static void route(struct chipset *chipset)
{
    uint16_t lines = 0;

    for (unsigned i = 0; i < CHIPSET_PIRQS; i++) {
        uint8_t where = chipset->isa.config[ISA_PIRQRC + i];
        if (chipset->raised[i] && !(where & PIRQ_OFF))
            lines |= (uint16_t)(1u << (where & 15) & PIRQ_ALLOWED);
    }
    uint16_t changed = lines ^ chipset->lines;
    chipset->lines = lines;
    for (unsigned line = 0; line < 16; line++)
        if (changed >> line & 1)
            chipset->host->irq(chipset->host->context, line, lines >> line & 1);
}

static void isa_written(struct pci_function *function, unsigned offset, unsigned size)
{
    if (offset < ISA_PIRQRC + CHIPSET_PIRQS && offset + size > ISA_PIRQRC)
        route(container_of(function, struct chipset, isa));
}

/* Pins rotate from slot to slot; slot 1 pin A is the first. */
void chipset_intx(struct chipset *chipset, uint8_t devfn, unsigned pin, bool level)
{
    unsigned *raised = &chipset->raised[((devfn >> 3) + pin + 2) % CHIPSET_PIRQS];

    if (level)
        ++*raised;
    else if (*raised)
        --*raised;
    route(chipset);
}

void chipset_reset(struct chipset *chipset)
{
    for (unsigned i = 0; i < CHIPSET_PIRQS; i++)
        chipset->raised[i] = 0;
    route(chipset);
}

static void init_bridge(struct pci_function *bridge)
{
    bridge->devfn = PCI_DEVFN(0, 0);
    pci_identify(bridge, VENDOR_INTEL, DEVICE_440FX, 0x060000, 2);
    pci_put16(bridge->config, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_put16(bridge->config, PCI_STATUS, 0x0280);
    pci_put32(bridge->config, PCI_SUBSYSTEM, SUBSYSTEM_QEMU);
    bridge->config[BRIDGE_PAM0] = PAM_SHADOWED;
    bridge->config[BRIDGE_SMRAM] = SMRAM_RESET;
    for (unsigned i = BRIDGE_DRAM; i < BRIDGE_PAM0 + 7; i++)
        bridge->writable[i] = 0xff;
    bridge->writable[BRIDGE_SMRAM] = 0x7f;
}

static void init_isa(struct pci_function *isa)
{
    static const struct {
        uint8_t offset, value;
    } reset[] = {{0x4c, 0x4d}, {0x4e, 0x03}, {0x60, 0x80}, {0x61, 0x80}, {0x62, 0x80},
                 {0x63, 0x80}, {0x69, 0x02}, {0x70, 0x80}, {0x76, 0x0c}, {0x77, 0x0c},
                 {0x78, 0x02}, {0xa0, 0x08}, {0xa8, 0x0f}};

    isa->devfn = PCI_DEVFN(1, 0);
    pci_identify(isa, VENDOR_INTEL, DEVICE_PIIX_ISA, 0x060100, 1);
    isa->config[PCI_HEADER_TYPE] = PCI_MULTIFUNCTION;
    pci_put16(isa->config, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_put16(isa->config, PCI_STATUS, 0x0200);
    for (unsigned i = 0; i < sizeof(reset) / sizeof(reset[0]); i++) {
        isa->config[reset[i].offset] = reset[i].value;
        isa->writable[reset[i].offset] = 0xff;
    }
    for (unsigned i = 0; i < CHIPSET_PIRQS; i++)
        isa->writable[ISA_PIRQRC + i] = 0x8f;
    isa->written = isa_written;
}

static void init_pm(struct pci_function *pm)
{
    pm->devfn = PCI_DEVFN(1, 3);
    /* Revision 3: Linux reads the timers of older ones three times over. */
    pci_identify(pm, VENDOR_INTEL, DEVICE_PIIX_PM, 0x068000, 3);
    pci_put16(pm->config, PCI_STATUS, 0x0280);
    pm->config[PCI_INTERRUPT_PIN] = 1;
    pci_put32(pm->config, PM_BASE_REGISTER, PM_BASE | 1);
    pm->config[PM_SMI_DONE] = 0x02;
    pm->config[0x80] = 0x01; /* the ports are on */
    pm->writable[0xd2] = 0xff;
}

int chipset_init(struct chipset *chipset, const struct pc_host *host, struct pci *pci)
{
    struct pci_function *function[] = {&chipset->bridge, &chipset->isa, &chipset->pm};

    chipset->host = host;
    init_bridge(&chipset->bridge);
    init_isa(&chipset->isa);
    init_pm(&chipset->pm);
    for (unsigned i = 0; i < sizeof(function) / sizeof(function[0]); i++) {
        int error = pci_add(pci, function[i]);
        if (error)
            return error;
    }
    return 0;
}
