/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI's interrupts in ACPI: see acpi_pci.h. Facts: ACPI 1.0b; Intel 290562 (PIIX4), PIRQRC.
 *
 * With the 8259s in use (\_PIC of 0, or never called) each pin leads to a link device, whose line
 * the guest chooses. With the I/O APIC the pins lead where SeaBIOS has led them (10, 10, 11, 11,
 * rotating from slot to slot), as on Hyper-V, whose I/O APIC too has PCI on inputs below 16. Both
 * go through the same registers, so \_PIC of 1 puts SeaBIOS' routes into them, and from then on
 * there are no links: a guest turns off each link that it finds at its start, and means the 8259s'
 * routes alone.
 *
 * Left out: other lines than 10 and 11, which no ISA device has; a link for the SCI, whose line is
 * fixed. That lines are shared and low is what ISA-style descriptors can say of a level.
 */
#include "src/pc/acpi_pci.h"

#define PIRQRC     0x60u
#define PIRQ_OFF   0x80u
#define PIRQ_LINE  0x0fu
#define SLOTS      32u
#define PINS       4u
#define CHOICE     (1u << 10 | 1u << 11)
#define STA_ABSENT 0u
#define STA_OFF    0x09u /* present, works */
#define STA_ON     0x0bu /* and is enabled; not shown to the user */
#define IRQ_MASK   1u    /* where an IRQ descriptor has its mask */

static const struct link {
    const char *device, *name; /* the link, its register */
    const char *path;          /* of the register */
    uint8_t line;              /* to which SeaBIOS routes it */
} links[] = {{"LNKA", "PRQA", "\\_SB.PRQA", 10},
             {"LNKB", "PRQB", "\\_SB.PRQB", 10},
             {"LNKC", "PRQC", "\\_SB.PRQC", 11},
             {"LNKD", "PRQD", "\\_SB.PRQD", 11}};
#define LINKS (sizeof(links) / sizeof(links[0]))

/* Name (PICF, 0)  Method (_PIC, 1) { Store (Arg0, PICF)  If (Arg0) { Store (10, PRQA) ... } } */
void acpi_pci_mode(struct aml *aml)
{
    aml_name_integer(aml, "PICF", 0);
    struct aml_mark method = aml_method_open(aml, "_PIC", 1);
    aml_op(aml, AML_OP_STORE);
    aml_argument(aml, 0);
    aml_reference(aml, "PICF");
    struct aml_mark apic = aml_if_open(aml);
    aml_argument(aml, 0);
    for (unsigned i = 0; i < LINKS; i++) {
        aml_op(aml, AML_OP_STORE);
        aml_integer(aml, links[i].line);
        aml_reference(aml, links[i].path);
    }
    aml_close(aml, apic);
    aml_close(aml, method);
}

static void return_integer(struct aml *aml, uint32_t value)
{
    aml_op(aml, AML_OP_RETURN);
    aml_integer(aml, value);
}

/* If (PICF) { Return (0) }  If (And (PRQA, 0x80)) { Return (9) }  Return (11) */
static void link_status(struct aml *aml, const struct link *link)
{
    struct aml_mark method = aml_method_open(aml, "_STA", 0), branch = aml_if_open(aml);

    aml_reference(aml, "PICF");
    return_integer(aml, STA_ABSENT);
    aml_close(aml, branch);
    branch = aml_if_open(aml);
    aml_op(aml, AML_OP_AND);
    aml_reference(aml, link->path);
    aml_integer(aml, PIRQ_OFF);
    aml_nowhere(aml);
    return_integer(aml, STA_OFF);
    aml_close(aml, branch);
    return_integer(aml, STA_ON);
    aml_close(aml, method);
}

/* If (LNot (PICF)) { Or (PRQA, 0x80, PRQA) } */
static void link_disable(struct aml *aml, const struct link *link)
{
    struct aml_mark method = aml_method_open(aml, "_DIS", 0), branch = aml_if_open(aml);

    aml_op(aml, AML_OP_NOT);
    aml_reference(aml, "PICF");
    aml_op(aml, AML_OP_OR);
    aml_reference(aml, link->path);
    aml_integer(aml, PIRQ_OFF);
    aml_reference(aml, link->path);
    aml_close(aml, branch);
    aml_close(aml, method);
}

/* CreateWordField (BUFFER, 1, MASK) of an IRQ descriptor */
static void mask_field(struct aml *aml, void (*buffer)(struct aml *aml))
{
    aml_op(aml, AML_OP_WORD_FIELD);
    buffer(aml);
    aml_integer(aml, IRQ_MASK);
    aml_reference(aml, "MASK");
}

static void own_buffer(struct aml *aml)
{
    aml_reference(aml, "LINE");
}

static void given_buffer(struct aml *aml)
{
    aml_argument(aml, 0);
}

static void irq_template(struct aml *aml, const char *name, uint16_t irqs)
{
    aml_name(aml, name);
    struct aml_mark resources = aml_template_open(aml);
    aml_irq_shared(aml, irqs);
    aml_template_close(aml, resources);
}

/* MASK = 0  If (LNot (And (PRQA, 0x80))) { ShiftLeft (1, And (PRQA, 15), MASK) }  Return (LINE) */
static void link_current(struct aml *aml, const struct link *link)
{
    struct aml_mark method = aml_method_open(aml, "_CRS", AML_SERIALIZED);

    mask_field(aml, own_buffer);
    aml_store(aml, "MASK", 0);
    struct aml_mark on = aml_if_open(aml);
    aml_op(aml, AML_OP_NOT);
    aml_op(aml, AML_OP_AND);
    aml_reference(aml, link->path);
    aml_integer(aml, PIRQ_OFF);
    aml_nowhere(aml);
    aml_op(aml, AML_OP_SHIFT_LEFT);
    aml_integer(aml, 1);
    aml_op(aml, AML_OP_AND);
    aml_reference(aml, link->path);
    aml_integer(aml, PIRQ_LINE);
    aml_nowhere(aml);
    aml_reference(aml, "MASK");
    aml_close(aml, on);
    aml_return(aml, "LINE");
    aml_close(aml, method);
}

/* If (LAnd (LNot (PICF), MASK)): the highest bit of the mask, which counts from 1, less 1. */
static void link_set(struct aml *aml, const struct link *link)
{
    struct aml_mark method = aml_method_open(aml, "_SRS", 1 | AML_SERIALIZED);

    mask_field(aml, given_buffer);
    struct aml_mark chosen = aml_if_open(aml);
    aml_op(aml, AML_OP_BOTH);
    aml_op(aml, AML_OP_NOT);
    aml_reference(aml, "PICF");
    aml_reference(aml, "MASK");
    aml_op(aml, AML_OP_FIND_HIGHEST);
    aml_reference(aml, "MASK");
    aml_local(aml, 0);
    aml_op(aml, AML_OP_DECREMENT);
    aml_local(aml, 0);
    aml_op(aml, AML_OP_STORE);
    aml_local(aml, 0);
    aml_reference(aml, link->path);
    aml_close(aml, chosen);
    aml_close(aml, method);
}

void acpi_pci_links(struct aml *aml)
{
    for (unsigned i = 0; i < LINKS; i++) {
        struct aml_mark device = aml_device_open(aml, links[i].device);
        aml_name_eisa_id(aml, "_HID", "PNP0C0F");
        aml_name_integer(aml, "_UID", i + 1);
        irq_template(aml, "_PRS", CHOICE);
        irq_template(aml, "LINE", 0); /* what _CRS returns */
        link_status(aml, &links[i]);
        link_disable(aml, &links[i]);
        link_current(aml, &links[i]);
        link_set(aml, &links[i]);
        aml_close(aml, device);
    }
}

/* Pins rotate from slot to slot; slot 1 pin A is the first link's. */
static void routes(struct aml *aml, const char *name, bool apic)
{
    aml_name(aml, name);
    struct aml_mark list = aml_package_open(aml, (SLOTS - 1) * PINS);
    for (uint32_t slot = 1; slot < SLOTS; slot++) {
        for (uint32_t pin = 0; pin < PINS; pin++) {
            const struct link *link = &links[(slot - 1 + pin) % LINKS];
            struct aml_mark route = aml_package_open(aml, 4);
            aml_integer(aml, slot << 16 | 0xffff);
            aml_integer(aml, pin);
            if (apic)
                aml_integer(aml, 0);
            else
                aml_reference(aml, link->device);
            aml_integer(aml, apic ? link->line : 0);
            aml_close(aml, route);
        }
    }
    aml_close(aml, list);
}

void acpi_pci_routes(struct aml *aml)
{
    routes(aml, "PRTP", false);
    routes(aml, "PRTA", true);
    struct aml_mark method = aml_method_open(aml, "_PRT", 0), apic = aml_if_open(aml);
    aml_reference(aml, "PICF");
    aml_return(aml, "PRTA");
    aml_close(aml, apic);
    aml_return(aml, "PRTP");
    aml_close(aml, method);
}

void acpi_pci_router(struct aml *aml)
{
    aml_region_pci(aml, ACPI_PCI_ROUTER, PIRQRC, LINKS);
}

void acpi_pci_registers(struct aml *aml, const char *router)
{
    const char *name[LINKS];

    for (unsigned i = 0; i < LINKS; i++)
        name[i] = links[i].name;
    aml_field_bytes(aml, router, name, LINKS);
}
