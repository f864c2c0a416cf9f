/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How PCI's interrupt pins reach the processor, in ACPI's words (ACPI 1.0b, 5.8 and 6.2): link
 * devices over the ISA bridge's four routing registers, and which slot's pin is whose.
 */
#ifndef VMBUSD_PC_ACPI_PCI_H
#define VMBUSD_PC_ACPI_PCI_H

#include "src/pc/aml.h"

/* \_PIC and what it keeps, at the root. */
void acpi_pci_mode(struct aml *aml);

/* LNKA to LNKD: in \_SB, before PCI's root. */
void acpi_pci_links(struct aml *aml);

/* _PRT: in PCI's root. */
void acpi_pci_routes(struct aml *aml);

/* The registers: in the ISA bridge; and their names, in \_SB, behind it. `router` is the path from
 * there to what acpi_pci_router() has made, "PCI0.SBRG." ACPI_PCI_ROUTER. */
#define ACPI_PCI_ROUTER "PIRC"
void acpi_pci_router(struct aml *aml);
void acpi_pci_registers(struct aml *aml, const char *router);

#endif
