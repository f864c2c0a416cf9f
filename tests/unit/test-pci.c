/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: configuration mechanism #1, windows that move, the chipset's functions and its interrupt
 * routing; and the table of memory-mapped I/O.
 */
#include "src/pc/pci.h"

#include <errno.h>

#include <glib.h>

#include "src/pc/chipset.h"
#include "tests/unit/fake_pc.h"

#define CF8 0xcf8
#define CFC 0xcfc

struct fixture {
    struct fake_pc pc;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct chipset chipset;
    struct pci_function device; /* 00:03.0: ports in BAR 0, memory in BAR 1 */
    struct pci_function other;  /* 00:04.0: ports in BAR 0 */
    unsigned written;
};

static uint32_t device_in(void *context, uint16_t offset, unsigned size)
{
    (void)context, (void)size;
    return 0x40u + offset;
}

static uint32_t other_in(void *context, uint16_t offset, unsigned size)
{
    (void)context, (void)size;
    return 0x80u + offset;
}

static uint64_t device_read(void *context, uint64_t offset, unsigned size)
{
    (void)context, (void)size;
    return 0x1000 + offset;
}

static void written(struct pci_function *function, unsigned offset, unsigned size)
{
    g_assert_cmpuint(offset + size, <=, PCI_CONFIG);
    ((struct fixture *)(void *)((char *)function - offsetof(struct fixture, device)))->written++;
}

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    struct pio *pio = &f->pc.pio;
    g_assert_cmpint(reset_ports_init_port92(&f->ports, &f->pc.host, pio), ==, 0);
    g_assert_cmpint(pci_init(&f->pci, &f->pc.host, pio, &f->mmio, &f->ports), ==, 0);
    g_assert_cmpint(chipset_init(&f->chipset, &f->pc.host, &f->pci), ==, 0);
    f->device.devfn = PCI_DEVFN(3, 0);
    pci_identify(&f->device, 0x1234, 0x5678, 0x020304, 5);
    f->device.bar[0] = (struct pci_bar){
        .size = 16, .io = true, .ports = {.read = device_in, .context = &f->device}};
    f->device.bar[1] =
        (struct pci_bar){.size = 0x1000, .memory = {.read = device_read, .context = &f->device}};
    f->device.written = written;
    g_assert_cmpint(pci_add(&f->pci, &f->device), ==, 0);
    f->other.devfn = PCI_DEVFN(4, 0);
    f->other.bar[0] =
        (struct pci_bar){.size = 16, .io = true, .ports = {.read = other_in, .context = &f->other}};
    g_assert_cmpint(pci_add(&f->pci, &f->other), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_fini(&f->pc);
}

static void point(struct fixture *f, uint8_t devfn, unsigned offset)
{
    fake_pc_out(&f->pc, CF8, 4, 0x80000000u | (uint32_t)devfn << 8 | (offset & 0xfc));
}

static uint32_t get(struct fixture *f, uint8_t devfn, unsigned offset, unsigned size)
{
    point(f, devfn, offset);
    return fake_pc_in(&f->pc, (uint16_t)(CFC + offset % 4), size);
}

static void put(struct fixture *f, uint8_t devfn, unsigned offset, unsigned size, uint32_t value)
{
    point(f, devfn, offset);
    fake_pc_out(&f->pc, (uint16_t)(CFC + offset % 4), size, value);
}

#define DEVICE PCI_DEVFN(3, 0)
#define OTHER  PCI_DEVFN(4, 0)

static void test_mechanism(struct fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_out(&f->pc, CF8, 4, 0xffffffff);
    g_assert_cmphex(fake_pc_in(&f->pc, CF8, 4), ==, 0x80fffffc);
    g_assert_cmphex(get(f, 0, 0, 4), ==, 0x12378086);
    g_assert_cmphex(get(f, 0, PCI_SUBSYSTEM, 4), ==, 0x11001af4);
    g_assert_cmphex(get(f, DEVICE, PCI_CLASS, 1), ==, 0x04);
    g_assert_cmphex(get(f, DEVICE, PCI_CLASS + 1, 2), ==, 0x0203);
    g_assert_cmphex(get(f, PCI_DEVFN(1, 0), PCI_HEADER_TYPE, 1), ==, 0x80);
    g_assert_cmphex(get(f, PCI_DEVFN(1, 3), 0, 4), ==, 0x71138086);
    g_assert_cmphex(get(f, PCI_DEVFN(9, 0), 0, 4), ==, 0xffffffff);
    fake_pc_out(&f->pc, CF8, 4, 0x00000000); /* not enabled */
    g_assert_cmphex(fake_pc_in(&f->pc, CFC, 4), ==, 0xffffffff);
    fake_pc_out(&f->pc, CF8, 4, 0x80010000); /* bus 1 */
    g_assert_cmphex(fake_pc_in(&f->pc, CFC, 2), ==, 0xffff);
}

/* 0xCF9 is a byte of the address register's place and resets only as a byte. */
static void test_reset_control(struct fixture *f, gconstpointer data)
{
    (void)data;
    point(f, 0, 0);
    fake_pc_out(&f->pc, 0xcf9, 2, 0x0606);
    fake_pc_out(&f->pc, CF8, 2, 0x0606);
    g_assert_cmpuint(f->pc.resets, ==, 0);
    fake_pc_out(&f->pc, 0xcf9, 1, 0x02);
    fake_pc_out(&f->pc, 0xcf9, 1, 0x06);
    g_assert_cmpuint(f->pc.resets, ==, 1);
    g_assert_cmphex(fake_pc_in(&f->pc, 0xcf9, 1), ==, 0x06);
}

static void test_constant_bits(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, 0, 4, 0);
    put(f, DEVICE, PCI_CLASS - 1, 4, 0);
    g_assert_cmphex(get(f, DEVICE, 0, 4), ==, 0x56781234);
    g_assert_cmphex(get(f, DEVICE, PCI_REVISION, 4), ==, 0x02030405);
    put(f, DEVICE, PCI_COMMAND, 2, 0xffff);
    g_assert_cmphex(get(f, DEVICE, PCI_COMMAND, 2), ==, 0x0007);
    put(f, DEVICE, PCI_INTERRUPT_LINE, 1, 0x0b);
    g_assert_cmphex(get(f, DEVICE, PCI_INTERRUPT_LINE, 1), ==, 0x0b);
    g_assert_cmpuint(f->written, ==, 4);
}

static void test_sizes(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < PCI_BARS; i++)
        put(f, DEVICE, PCI_BAR + 4 * i, 4, 0xffffffff);
    g_assert_cmphex(get(f, DEVICE, PCI_BAR, 4), ==, 0xfffffff1);
    g_assert_cmphex(get(f, DEVICE, PCI_BAR + 4, 4), ==, 0xfffff000);
    g_assert_cmphex(get(f, DEVICE, PCI_BAR + 8, 4), ==, 0);
}

static void test_moves(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, PCI_BAR, 4, 0xc000);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc003), ==, 0xff); /* not allowed to answer */
    put(f, DEVICE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc003), ==, 0x43);
    put(f, DEVICE, PCI_BAR + 1, 1, 0xd0);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc003), ==, 0xff);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xd003), ==, 0x43);
    put(f, DEVICE, PCI_COMMAND, 2, 0);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xd003), ==, 0xff);
}

static void test_memory_moves(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, PCI_BAR + 4, 4, 0xfeb00000);
    put(f, DEVICE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_cmphex(mmio_read(&f->mmio, 0xfeb00010, 4), ==, 0x1010);
    g_assert_cmphex(mmio_read(&f->mmio, 0xfeb00ffe, 4), ==, UINT64_MAX); /* over the end */
    put(f, DEVICE, PCI_BAR + 4, 4, 0xfea00000);
    g_assert_cmphex(mmio_read(&f->mmio, 0xfeb00010, 4), ==, UINT64_MAX);
    g_assert_cmphex(mmio_read(&f->mmio, 0xfea00010, 4), ==, 0x1010);
}

/* A window over RAM, over the firmware, at 0 and past the end of port space. */
static void test_attack_windows(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, PCI_COMMAND, 2, 0xffff);
    for (uint64_t base = 0; base <= 0xffffffff; base += 0x7fff000)
        put(f, DEVICE, PCI_BAR + 4, 4, (uint32_t)base);
    put(f, DEVICE, PCI_BAR + 4, 4, 0);
    g_assert_cmpuint(f->mmio.regions, ==, 0);
    put(f, DEVICE, PCI_BAR, 4, 0xfffffff0);
    put(f, DEVICE, PCI_BAR, 4, 0x00010000);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xfff3), ==, 0xff);
    put(f, DEVICE, PCI_BAR, 4, 0x0000fff0);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xfff3), ==, 0x43);
}

/* A window over a device that is there (the reset port) stays away, and comes when it may. */
static void test_attack_taken(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    put(f, DEVICE, PCI_BAR, 4, 0x90);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0x92), ==, 0x02);
    put(f, DEVICE, PCI_BAR, 4, 0xcf0);
    g_assert_cmphex(get(f, 0, 0, 4), ==, 0x12378086);
    put(f, OTHER, PCI_COMMAND, 2, PCI_COMMAND_IO);
    put(f, OTHER, PCI_BAR, 4, 0xc000);
    put(f, DEVICE, PCI_BAR, 4, 0xc000);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc001), ==, 0x81);
    put(f, OTHER, PCI_BAR, 4, 0xc100);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc001), ==, 0x41);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc101), ==, 0x81);
}

/* Every register of every function, all widths, straddling ends. */
static void test_attack_all_registers(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        for (unsigned offset = 0; offset < 256; offset += 4) {
            for (unsigned port = CFC - 3; port < CFC + 7; port++) {
                for (unsigned size = 1; size <= 4; size *= 2) {
                    point(f, (uint8_t)devfn, offset);
                    fake_pc_out(&f->pc, (uint16_t)port, size, 0xffffffff & ~4u);
                    fake_pc_in(&f->pc, (uint16_t)port, size);
                }
            }
        }
    }
    g_assert_cmphex(get(f, 0, 0, 4), ==, 0x12378086);
    g_assert_cmpuint(f->pc.pio.regions, <, PIO_REGIONS);
}

static void test_reset(struct fixture *f, gconstpointer data)
{
    (void)data;
    put(f, DEVICE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    put(f, DEVICE, PCI_BAR, 4, 0xc000);
    put(f, 0, 0x59, 1, 0x30);
    pci_reset(&f->pci);
    g_assert_cmphex(fake_pc_inb(&f->pc, 0xc003), ==, 0xff);
    g_assert_cmphex(get(f, DEVICE, PCI_BAR, 4), ==, 1);
    g_assert_cmphex(get(f, 0, 0x59, 1), ==, 0x10);
}

static void test_same_place(struct fixture *f, gconstpointer data)
{
    struct pci_function again = {.devfn = DEVICE};

    (void)data;
    g_assert_cmpint(pci_add(&f->pci, &again), ==, -EEXIST);
}

#define ISA PCI_DEVFN(1, 0)

static void test_interrupts(struct fixture *f, gconstpointer data)
{
    static const uint8_t route[] = {10, 10, 11, 11};

    (void)data;
    chipset_intx(&f->chipset, DEVICE, 1, true); /* routed nowhere yet */
    g_assert_false(f->pc.level[10] || f->pc.level[11]);
    for (unsigned i = 0; i < 4; i++)
        put(f, ISA, 0x60 + i, 1, route[i]);
    g_assert_true(f->pc.level[11]);                      /* slot 3 pin A: the third */
    chipset_intx(&f->chipset, PCI_DEVFN(4, 0), 1, true); /* the fourth, same line */
    chipset_intx(&f->chipset, DEVICE, 1, false);
    g_assert_true(f->pc.level[11]);
    chipset_intx(&f->chipset, PCI_DEVFN(4, 0), 1, false);
    g_assert_false(f->pc.level[11]);
    chipset_intx(&f->chipset, PCI_DEVFN(1, 0), 1, true);
    g_assert_true(f->pc.level[10]);
    put(f, ISA, 0x60, 1, 0x80);
    g_assert_false(f->pc.level[10]);
}

/* Lines that are the timer's, the clock's, a serial port's, the SCI's, the mouse's, IDE's: PCI does
 * not get them. */
static void test_attack_routes(struct fixture *f, gconstpointer data)
{
    (void)data;
    chipset_intx(&f->chipset, PCI_DEVFN(1, 0), 1, true);
    for (unsigned value = 0; value < 256; value++)
        put(f, ISA, 0x60, 1, value);
    for (unsigned line = 0; line < 16; line++)
        g_assert_cmpint(f->pc.edges[line] != 0, ==, 0x0ce0u >> line & 1);
    for (unsigned i = 0; i < 3; i++)
        chipset_intx(&f->chipset, PCI_DEVFN(1, 0), 1, false); /* more often than raised */
}

/* What SeaBIOS must find so that it neither sets SMM up nor looks for the power management ports.
 */
static void test_power_management(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(get(f, PCI_DEVFN(1, 3), 0x58, 4) & 1u << 25, !=, 0);
    put(f, PCI_DEVFN(1, 3), 0x40, 4, 0xb001);
    g_assert_cmphex(get(f, PCI_DEVFN(1, 3), 0x40, 4), ==, 0x601);
}

static void add(const char *path, void (*test)(struct fixture *, gconstpointer))
{
    g_test_add(path, struct fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/pci/mechanism", test_mechanism);
    add("/pci/reset-control", test_reset_control);
    add("/pci/constant-bits", test_constant_bits);
    add("/pci/sizes", test_sizes);
    add("/pci/moves", test_moves);
    add("/pci/memory-moves", test_memory_moves);
    add("/pci/reset", test_reset);
    add("/pci/same-place", test_same_place);
    add("/pci/attack/windows", test_attack_windows);
    add("/pci/attack/taken", test_attack_taken);
    add("/pci/attack/all-registers", test_attack_all_registers);
    add("/chipset/interrupts", test_interrupts);
    add("/chipset/power-management", test_power_management);
    add("/chipset/attack/routes", test_attack_routes);
    return g_test_run();
}
