/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter: what a driver sees of it before any frame (PCI, reset, serial ROM, PHY,
 * timer, pins), and its attachment. Frames are test-tulip-frames.c's.
 */
#include <string.h>
#include <unistd.h>

#include "tests/unit/tulip_fixture.h"

typedef struct tulip_fixture fixture;

static void test_identity(fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(tlf_config(f, 0x00), ==, 0x00091011);
    g_assert_cmphex(tlf_config(f, 0x08), ==, 0x02000020);
    g_assert_cmphex(tlf_config(f, 0x0c), ==, 0);
    g_assert_cmphex(tlf_config(f, 0x2c), ==, 0x21140a00);
    g_assert_cmphex(tlf_config(f, 0x3c) >> 8, ==, 0x281401);
    tlf_set_config(f, 0x10, 4, UINT32_MAX);
    tlf_set_config(f, 0x14, 4, UINT32_MAX);
    g_assert_cmphex(tlf_config(f, 0x10), ==, 0xffffff81);
    g_assert_cmphex(tlf_config(f, 0x14), ==, 0xffffff80);
    tlf_set_config(f, 0x43, 1, 0xff);
    g_assert_cmphex(tlf_config(f, 0x40), ==, 0xc0000000);
}

/* Both windows show the same registers, whole longwords and parts of them. */
static void test_windows(fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(tlf_in(f, 0), ==, 0xfe000000);
    g_assert_cmphex(mmio_read(&f->mmio, TLF_WINDOW, 4), ==, 0xfe000000);
    mmio_write(&f->mmio, TLF_WINDOW + 7 * 8, 4, 0x1ebef);
    g_assert_cmphex(tlf_in(f, 7), ==, 0xf3ffebef);
    g_assert_cmphex(mmio_read(&f->mmio, TLF_WINDOW + 7 * 8, 8), ==, 0xf3ffebef);
    g_assert_cmphex(fake_pc_in(&f->pc, TLF_IO + 7 * 8 + 1, 1), ==, 0xeb);
    g_assert_cmphex(fake_pc_in(&f->pc, TLF_IO + 7 * 8 + 2, 2), ==, 0xf3ff);
    g_assert_cmphex(fake_pc_in(&f->pc, TLF_IO + 7 * 8 + 4, 4), ==, 0);
    fake_pc_out(&f->pc, TLF_IO + 7 * 8, 1, 0);
    fake_pc_out(&f->pc, TLF_IO + 7 * 8 + 4, 4, 0);
    g_assert_cmphex(tlf_in(f, 7), ==, 0xf3ffebef);
}

static void test_reset(fixture *f, gconstpointer data)
{
    static const struct {
        unsigned csr;
        uint32_t value;
    } after[] = {{0, 0xfe000000},  {1, 0xffffffff},  {2, 0xffffffff},  {5, 0xf0000000},
                 {6, 0x32000040},  {7, 0xf3fe0000},  {8, 0xe0000000},  {11, 0xfffe0000},
                 {12, 0xfffffe00}, {13, 0xffff0000}, {14, 0xffffffff}, {15, 0x8ff00000}};

    (void)data;
    tlf_start(f, 4, 1536);
    tlf_out(f, 11, 0x1ffff);
    tlf_out(f, 12, 0x1ff);
    tlf_out(f, 12, 0xff);
    tlf_out(f, 0, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(after); i++)
        g_assert_cmphex(tlf_in(f, after[i].csr), ==, after[i].value);
}

static void test_pins(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_out(f, 12, 0x10f);
    tlf_out(f, 12, 0x5a);
    g_assert_cmphex(tlf_in(f, 12), ==, 0xfffffe0a);
}

/* --- Serial ROM: as Linux reads it, one clock at a time --- */

#define SROM 0x4800u

static uint32_t srom_clock(fixture *f, bool in)
{
    uint32_t wires = SROM | 1 | (in ? 4 : 0);

    tlf_out(f, 9, wires);
    tlf_out(f, 9, wires | 2);
    uint32_t out = tlf_in(f, 9) >> 3 & 1;
    tlf_out(f, 9, wires);
    return out;
}

/* The answers to the command's bits, followed by 16 bits of data. */
static uint32_t srom_command(fixture *f, uint32_t command, unsigned bits)
{
    uint32_t out = 0;

    tlf_out(f, 9, SROM);
    tlf_out(f, 9, SROM | 1);
    for (unsigned i = bits; i-- > 0;)
        out = out << 1 | srom_clock(f, command >> i & 1);
    for (unsigned i = 0; i < 16; i++)
        out = out << 1 | srom_clock(f, false);
    tlf_out(f, 9, SROM);
    return out;
}

static void srom_read(fixture *f, uint8_t bytes[128])
{
    for (unsigned i = 0; i < 64; i++) {
        uint32_t word = srom_command(f, 6u << 6 | i, 11);
        bytes[2 * i] = (uint8_t)word;
        bytes[2 * i + 1] = (uint8_t)(word >> 8);
    }
}

/* CRC-32 the slow way. */
static uint32_t crc32_of(const uint8_t *bytes, unsigned length)
{
    uint32_t crc = UINT32_MAX;

    for (unsigned i = 0; i < 8 * length; i++) {
        crc ^= bytes[i / 8] >> i % 8 & 1;
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

static void test_srom(fixture *f, gconstpointer data)
{
    static const uint8_t mii[] = {0x00, 0x08, 0x00, 0x01, 0x8c, 0x01, 0x00, 0x00, 0x00,
                                  0x00, 0x78, 0xe0, 0x01, 0x00, 0x50, 0x00, 0x18, 0x00};
    static const uint8_t fixed[] = {0x05, 0x02, 0x00, 0x01, 0x05, 0x00, 0x61, 0x80, 0x00};
    uint8_t bytes[128];

    srom_read(f, bytes);
    g_assert_cmpmem(bytes, 4, "\x00\x0a\x14\x21", 4);
    g_assert_cmphex(bytes[0x12], ==, 1);
    g_assert_cmphex(bytes[0x13], ==, 1);
    g_assert_cmpmem(bytes + 0x14, 6, tlf_mac, 6);
    g_assert_cmpmem(bytes + 0x1a, 4, "\x00\x1e\x00\x00", 4);
    if (data)
        g_assert_cmpmem(bytes + 0x1e, sizeof(fixed), fixed, sizeof(fixed));
    else
        g_assert_cmpmem(bytes + 0x1e, sizeof(mii), mii, sizeof(mii));
    g_assert_cmphex((bytes[0x7e] | bytes[0x7f] << 8), ==, ~crc32_of(bytes, 126) & 0xffff);
    /* Drivers take ROMs for older ones if the first 8 bytes are those from 16 on. */
    g_assert_true(memcmp(bytes, bytes + 16, 8) != 0);
}

/* Linux tells the length of addresses by the zero that follows one. */
static void test_srom_address_bits(fixture *f, gconstpointer data)
{
    (void)data;
    uint32_t out = srom_command(f, 6u << 8 | 0xff, 13);
    g_assert_cmphex(out & 0x40000, ==, 0);
    g_assert_cmphex(out >> 19, ==, 0x3ff); /* nothing is driven before it */
}

/* Clocked on, READ gives the next word; unselected, nothing is heard; nothing can be written. */
static void test_srom_commands(fixture *f, gconstpointer data)
{
    uint8_t before[128], after[128];

    (void)data;
    srom_read(f, before);
    srom_command(f, 6u << 6 | 0x3f, 9);
    tlf_out(f, 9, SROM | 1);
    for (unsigned i = 9; i-- > 0;)
        srom_clock(f, (6u << 6 | 0x3f) >> i & 1);
    uint32_t two = 0;
    for (unsigned i = 0; i < 32; i++)
        two = two << 1 | srom_clock(f, false);
    g_assert_cmphex(two, ==,
                    (uint32_t)(before[0x7e] | before[0x7f] << 8) << 16 |
                        (uint32_t)(before[0] | before[1] << 8));
    srom_command(f, 4u << 6 | 0x30, 9);              /* write enable */
    srom_command(f, (5u << 6 | 0x0a) << 16, 9 + 16); /* write */
    srom_command(f, 7u << 6 | 0x0a, 9);              /* erase */
    srom_read(f, after);
    g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
}

/* --- PHY --- */

#define MDC   0x10000u
#define MDO   0x20000u
#define MREAD 0x40000u
#define MDI   0x80000u

static void mii_bit(fixture *f, bool bit)
{
    tlf_out(f, 9, bit ? MDO : 0);
    tlf_out(f, 9, (bit ? MDO : 0) | MDC);
}

static void mii_preamble(fixture *f)
{
    for (unsigned i = 0; i < 33; i++)
        mii_bit(f, true);
}

/* As Linux: bits are sampled before each clock; turnaround, data, one more. */
static uint32_t mii_read_raw(fixture *f, unsigned phy, unsigned number)
{
    uint32_t command = 0xf6u << 10 | phy << 5 | number, out = 0;

    mii_preamble(f);
    for (unsigned i = 16; i-- > 0;)
        mii_bit(f, command >> i & 1);
    for (unsigned i = 0; i < 19; i++) {
        tlf_out(f, 9, MREAD);
        out = out << 1 | (tlf_in(f, 9) & MDI ? 1 : 0);
        tlf_out(f, 9, MREAD | MDC);
    }
    return out;
}

static uint16_t mii_read(fixture *f, unsigned number)
{
    uint32_t out = mii_read_raw(f, 1, number);

    g_assert_cmphex(out >> 17, ==, 2); /* turnaround: nobody, then zero */
    return (uint16_t)(out >> 1);
}

static void mii_write(fixture *f, unsigned phy, unsigned number, uint16_t value)
{
    uint32_t frame = 0x50020000u | phy << 23 | number << 18 | value;

    mii_preamble(f);
    for (unsigned i = 32; i-- > 0;)
        mii_bit(f, frame >> i & 1);
}

static void test_mii(fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(mii_read(f, 0), ==, 0x3100);
    g_assert_cmphex(mii_read(f, 1), ==, 0x782d);
    g_assert_cmphex(mii_read(f, 2), ==, 0x2000);
    g_assert_cmphex(mii_read(f, 3), ==, 0x5c01);
    g_assert_cmphex(mii_read(f, 4), ==, 0x01e1);
    g_assert_cmphex(mii_read(f, 5), ==, 0x45e1);
    g_assert_cmphex(mii_read(f, 6), ==, 1);
    g_assert_cmphex(mii_read(f, 31), ==, 0);
    g_assert_cmphex(mii_read_raw(f, 0, 1), ==, 0x7ffff);
    g_assert_cmphex(mii_read_raw(f, 2, 1), ==, 0x7ffff);
    mii_write(f, 1, 4, 0x0061);
    mii_write(f, 2, 4, 0x1234);
    g_assert_cmphex(mii_read(f, 4), ==, 0x0061);
    mii_write(f, 1, 1, 0xffff);
    g_assert_cmphex(mii_read(f, 1), ==, 0x782d);
    mii_write(f, 1, 0, 0x2100 | 0x0200);
    g_assert_cmphex(mii_read(f, 0), ==, 0x2100);
    mii_write(f, 1, 0, 0x8000);
    g_assert_cmphex(mii_read(f, 0), ==, 0x3100);
    g_assert_cmphex(mii_read(f, 4), ==, 0x01e1);
}

/* A frame that is broken off is forgotten with the next preamble. */
static void test_mii_resync(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned bits = 1; bits < 32; bits++) {
        for (unsigned i = 0; i < bits; i++)
            mii_bit(f, 0x50820000u >> (31 - i) & 1);
        g_assert_cmphex(mii_read(f, 2), ==, 0x2000);
    }
}

/* The link follows the port; that it was down is seen once. */
static void test_mii_link(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_plug(f, 128); /* vmbusd has come back: nothing to see */
    g_assert_cmphex(mii_read(f, 1), ==, 0x782d);
    tlf_unplug(f);
    g_assert_cmphex(mii_read(f, 1), ==, 0x7809);
    g_assert_cmphex(mii_read(f, 5), ==, 0);
    g_assert_false(tulip_attached(f->tulip));
    tlf_unplug(f);
    tlf_plug(f, 64);
    g_assert_cmphex(mii_read(f, 1), ==, 0x782d);
    tlf_unplug(f);
    tlf_plug(f, 64);
    g_assert_cmphex(mii_read(f, 1), ==, 0x7809);
    g_assert_cmphex(mii_read(f, 1), ==, 0x782d);
    g_assert_true(tulip_attached(f->tulip));
}

static void test_mii_none(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned phy = 0; phy < 32; phy++)
        g_assert_cmphex(mii_read_raw(f, phy, 1), ==, 0x7ffff);
}

/* --- Timer --- */

static bool wait_event(fixture *f, uint32_t event)
{
    for (unsigned i = 0; i < 200; i++) {
        if (tlf_in(f, 5) & event)
            return true;
        lane_turn(f->pc.host.lane, 10);
    }
    return false;
}

static void test_timer(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_out(f, 7, 0x10800);
    tlf_out(f, 6, 0x40000);
    tlf_out(f, 11, 0xffff); /* 5.4 s */
    g_assert_cmphex(tlf_in(f, 11) & 0xffff, >, 0xf000);
    tlf_out(f, 11, 50); /* 4 ms */
    g_assert_false(tlf_in(f, 5) & 0x800);
    g_assert_true(wait_event(f, 0x800));
    g_assert_cmphex(tlf_in(f, 5) & 0x1ffff, ==, 0x10800);
    g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
    g_assert_cmphex(tlf_in(f, 11), ==, 0xfffe0000);
    tlf_out(f, 5, 0x10800);
    g_assert_false(fake_pc_level(&f->pc, TLF_LINE));
    tlf_out(f, 11, 0x10000 | 25);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(wait_event(f, 0x800));
        tlf_out(f, 5, 0x800);
    }
    tlf_out(f, 11, 0);
    tlf_out(f, 5, 0x800);
    usleep(5000);
    tlf_turn(f);
    g_assert_false(tlf_in(f, 5) & 0x800);
}

/* --- Attachment --- */

static void test_attach_errors(fixture *f, gconstpointer data)
{
    struct port_ring_geometry geometry = {.queues = 2, .cells = 64};
    struct port_ring_fds fds;

    (void)data;
    g_assert_cmpint(port_ring_create(&geometry, &fds), ==, 0);
    g_assert_cmpint(tulip_attach(f->tulip, &fds, 2), ==, -EINVAL);
    g_assert_cmpint(tulip_attach(f->tulip, &fds, 1), ==, -EINVAL);
    fds.memory = dup(STDIN_FILENO);
    g_assert_cmpint(tulip_attach(f->tulip, &fds, 1), ==, -EBADF);
    g_assert_true(tulip_attached(f->tulip));
    port_ring_close(&fds, 2);
}

/* Group 11 of what a hostile guest does: every offset, every width, any value. */
static void test_attack_registers(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned size = 1u << g_random_int_range(0, 3);
        uint32_t at = g_random_int_range(0, 128), value = g_random_int();
        if (i % 2) {
            fake_pc_out(&f->pc, (uint16_t)(TLF_IO + at), size, value);
            fake_pc_in(&f->pc, (uint16_t)(TLF_IO + at), size);
        } else {
            mmio_write(&f->mmio, TLF_WINDOW + at - 4, size, value);
            mmio_read(&f->mmio, TLF_WINDOW + at, 2 * size);
        }
        if (i % 64 == 0)
            lane_turn(f->pc.host.lane, 0);
    }
    tlf_out(f, 0, 1);
    g_assert_cmphex(tlf_in(f, 5), ==, 0xf0000000);
}

/* BAR moves over RAM, over each other, out of port space. */
static void test_attack_windows(fixture *f, gconstpointer data)
{
    (void)data;
    tlf_set_config(f, 0x14, 4, 0x1000);
    tlf_set_config(f, 0x10, 4, 0xffffff80);
    tlf_set_config(f, 0x10, 4, 0xcf8);
    tlf_set_config(f, 0x04, 2, 0);
    g_assert_cmphex(fake_pc_in(&f->pc, TLF_IO, 4), ==, UINT32_MAX);
    tlf_set_config(f, 0x10, 4, TLF_IO);
    tlf_set_config(f, 0x04, 2, 5);
    g_assert_cmphex(tlf_in(f, 0), ==, 0xfe000000);
}

/* The line goes down with a reset of the machine, and nothing is done any more. */
static void test_machine_reset(fixture *f, gconstpointer data)
{
    uint8_t frame[100];

    (void)data;
    tlf_start(f, 2, 1536);
    tlf_frame(frame, sizeof(frame), tlf_mac, 1);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_true(fake_pc_level(&f->pc, TLF_LINE));
    pthread_mutex_lock(&f->pc.lock);
    tulip_reset(f->tulip);
    g_assert_false(f->pc.level[TLF_LINE]);
    pci_reset(&f->pci);
    chipset_reset(&f->chipset);
    tulip_reset(f->tulip);
    pthread_mutex_unlock(&f->pc.lock);
    tlf_arrive(f, frame, sizeof(frame));
    g_assert_cmphex(tlf_status(f, TLF_RX + 16), ==, TLF_OWN);
    g_assert_cmphex(mmio_read(&f->mmio, TLF_WINDOW, 4), ==, UINT64_MAX);
}

int main(int argc, char **argv)
{
    static const int fixed;

#define TEST(name, data, function) \
    g_test_add(name, fixture, data, tlf_set_up, function, tlf_tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("/tulip/identity", NULL, test_identity);
    TEST("/tulip/windows", NULL, test_windows);
    TEST("/tulip/reset", NULL, test_reset);
    TEST("/tulip/pins", NULL, test_pins);
    TEST("/tulip/srom", NULL, test_srom);
    TEST("/tulip/srom/fixed", &fixed, test_srom);
    TEST("/tulip/srom/address-bits", NULL, test_srom_address_bits);
    TEST("/tulip/srom/commands", NULL, test_srom_commands);
    TEST("/tulip/mii", NULL, test_mii);
    TEST("/tulip/mii/resync", NULL, test_mii_resync);
    TEST("/tulip/mii/link", NULL, test_mii_link);
    TEST("/tulip/mii/none", &fixed, test_mii_none);
    TEST("/tulip/timer", NULL, test_timer);
    TEST("/tulip/attach-errors", NULL, test_attach_errors);
    TEST("/tulip/machine-reset", NULL, test_machine_reset);
    TEST("/tulip/attack/registers", NULL, test_attack_registers);
    TEST("/tulip/attack/windows", NULL, test_attack_windows);
    return g_test_run();
}
