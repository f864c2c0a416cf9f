/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA: registers, the window at 0xA0000 against a model that goes bit by bit, what KVM serves of
 * it, the PCI function and its ROM, and what a hostile guest writes.
 */
#include "src/pc/vga.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "src/pc/vga_priv.h"
#include "tests/unit/vga_fixture.h"

static void set_up(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_fixture_init(f);
}

static void tear_down(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_fixture_fini(f);
}

/* --- Registers --- */

static void test_masks(struct vga_fixture *f, gconstpointer data)
{
    static const uint8_t sr[8] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0};
    static const uint8_t gr[9] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

    (void)data;
    for (uint8_t i = 0; i < 8; i++) {
        vga_set(f, 0x3c4, i, 0xff);
        g_assert_cmphex(vga_get(f, 0x3c4, i), ==, sr[i]);
    }
    for (uint8_t i = 0; i < 9; i++) {
        vga_set(f, 0x3ce, i, 0xff);
        g_assert_cmphex(vga_get(f, 0x3ce, i), ==, gr[i]);
    }
    vga_set(f, 0x3ce, 9, 0xff);
    g_assert_cmphex(vga_get(f, 0x3ce, 9), ==, 0);
    vga_set(f, 0x3d4, 0x18, 0xa5);
    g_assert_cmphex(vga_get(f, 0x3d4, 0x18), ==, 0xa5);
    vga_set(f, 0x3d4, 0x19, 0xa5); /* there is none */
    g_assert_cmphex(vga_get(f, 0x3d4, 0x19), ==, 0);
}

static void test_crtc_protect(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set(f, 0x3d4, 7, 0x00);
    vga_set(f, 0x3d4, 0x11, 0x80);
    vga_set(f, 0x3d4, 1, 0x55);
    vga_set(f, 0x3d4, 7, 0xff);
    g_assert_cmphex(vga_get(f, 0x3d4, 1), ==, 0);
    g_assert_cmphex(vga_get(f, 0x3d4, 7), ==, 0x10);
    vga_set(f, 0x3d4, 8, 0x05);
    g_assert_cmphex(vga_get(f, 0x3d4, 8), ==, 5);
}

static void test_colour_or_mono(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set(f, 0x3b4, 0x0e, 0x12); /* nobody there */
    g_assert_cmphex(vga_get(f, 0x3d4, 0x0e), ==, 0);
    g_assert_cmphex(vga_in(f, 0x3b5), ==, 0xff);
    vga_out(f, 0x3c2, 0x66);
    g_assert_cmphex(vga_in(f, 0x3cc), ==, 0x66);
    vga_set(f, 0x3b4, 0x0e, 0x12);
    g_assert_cmphex(vga_get(f, 0x3b4, 0x0e), ==, 0x12);
    g_assert_cmphex(vga_in(f, 0x3d5), ==, 0xff);
}

static void test_flip_flop(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_in(f, 0x3da);
    vga_out(f, 0x3c0, 0x11);
    vga_out(f, 0x3c0, 0x77);
    g_assert_cmphex(vga_in(f, 0x3c0), ==, 0x11);
    g_assert_cmphex(vga_in(f, 0x3c1), ==, 0x77);
    vga_out(f, 0x3c0, 0x12);
    vga_in(f, 0x3da); /* an index again */
    vga_out(f, 0x3c0, 0x11);
    g_assert_cmphex(vga_in(f, 0x3c1), ==, 0x77);
    vga_out(f, 0x3c0, 0x33);
    g_assert_cmphex(vga_in(f, 0x3c1), ==, 0x33);
}

static void test_retrace(struct vga_fixture *f, gconstpointer data)
{
    uint8_t all = 0, none = 0xff;

    (void)data;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t status = vga_in(f, 0x3da);
        all |= status;
        none &= status;
    }
    g_assert_cmphex(all, ==, 0x09);
    g_assert_cmphex(none, ==, 0);
}

static void test_dac(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_colour(f, 254, 0xff, 2, 3);
    vga_out(f, 0x3c9, 4); /* goes on at 255 */
    vga_out(f, 0x3c9, 5);
    vga_out(f, 0x3c9, 6);
    vga_out(f, 0x3c9, 7); /* and at 0 */
    g_assert_cmphex(vga_in(f, 0x3c8), ==, 0);
    g_assert_cmphex(vga_in(f, 0x3c7), ==, 0);
    vga_out(f, 0x3c7, 254);
    g_assert_cmphex(vga_in(f, 0x3c7), ==, 3);
    static const uint8_t expected[] = {0x3f, 2, 3, 4, 5, 6, 7};
    for (unsigned i = 0; i < sizeof(expected); i++)
        g_assert_cmphex(vga_in(f, 0x3c9), ==, expected[i]);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON | DISPI_DAC8);
    vga_set_colour(f, 1, 0xff, 0x80, 0x7f);
    vga_out(f, 0x3c7, 1);
    g_assert_cmphex(vga_in(f, 0x3c9), ==, 0xff);
    g_assert_cmphex(vga_in(f, 0x3c9), ==, 0x80);
}

static void test_reset(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    vga_poke(f, 0xa0000, 0xff);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON);
    vga_reset(&f->vga);
    g_assert_cmphex(vga_get_dispi(f, DISPI_ENABLE), ==, 0);
    g_assert_cmphex(vga_get(f, 0x3c4, 2), ==, 0);
    for (unsigned i = 0; i < VGA_MEMORY; i += 4096)
        g_assert_cmphex(f->vga.memory[i], ==, 0);
}

/* --- The window, bit by bit --- */

/* What the manuals say of a planar access, without a thought for speed. */
struct model {
    uint8_t plane[4][16], latch[4];
};

static void model_write(struct model *m, const uint8_t gr[9], uint8_t enabled, unsigned at,
                        uint8_t data)
{
    unsigned mode = gr[5] & 3, function = gr[3] >> 3;
    uint8_t rotated = data;

    for (unsigned i = 0; i < (gr[3] & 7u); i++)
        rotated = (uint8_t)(rotated >> 1 | (rotated & 1) << 7);
    for (unsigned p = 0; p < 4; p++) {
        if (!(enabled >> p & 1))
            continue;
        uint8_t result = 0;
        for (unsigned b = 0; b < 8; b++) {
            unsigned latch = m->latch[p] >> b & 1, in, mask = gr[8] >> b & 1;
            if (mode == 0)
                in = gr[1] >> p & 1 ? gr[0] >> p & 1 : rotated >> b & 1;
            else if (mode == 2)
                in = data >> p & 1;
            else
                in = gr[0] >> p & 1;
            if (mode == 3)
                mask &= rotated >> b & 1;
            unsigned out = function == 1   ? in & latch
                           : function == 2 ? in | latch
                           : function == 3 ? in ^ latch
                                           : in;
            if (mode == 1 || !mask)
                out = latch;
            result |= (uint8_t)(out << b);
        }
        m->plane[p][at] = result;
    }
}

static uint8_t model_read(struct model *m, const uint8_t gr[9], unsigned at)
{
    uint8_t result = 0;

    for (unsigned p = 0; p < 4; p++)
        m->latch[p] = m->plane[p][at];
    if (!(gr[5] & 8))
        return m->latch[gr[4]];
    for (unsigned b = 0; b < 8; b++) {
        bool equal = true;
        for (unsigned p = 0; p < 4; p++)
            equal &= !(gr[7] >> p & 1) || (m->latch[p] >> b & 1) == (gr[2] >> p & 1);
        result |= (uint8_t)(equal << b);
    }
    return result;
}

static void test_planar_model(struct vga_fixture *f, gconstpointer data)
{
    static const uint8_t bits[9] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x0b, 0, 0x0f, 0xff};
    struct model model = {0};
    uint8_t gr[9] = {[6] = 0x05}, enabled = 15;

    (void)data;
    vga_set_mode(f, &vga_mode_12);
    for (uint8_t i = 0; i < 9; i++)
        vga_set(f, 0x3ce, i, gr[i]);
    for (unsigned step = 0; step < 200000; step++) {
        unsigned what = (unsigned)g_test_rand_int_range(0, 8), at = step * 7 % 16;
        uint8_t value = (uint8_t)g_test_rand_int();
        if (what < 2) {
            uint8_t index = (uint8_t)g_test_rand_int_range(0, 9);
            if (index == 6)
                continue;
            gr[index] = value & bits[index];
            vga_set(f, 0x3ce, index, gr[index]);
        } else if (what == 2) {
            enabled = value & 15;
            vga_set(f, 0x3c4, 2, enabled);
        } else if (what < 5) {
            g_assert_cmphex(vga_peek(f, 0xa0000 + at), ==, model_read(&model, gr, at));
        } else {
            vga_poke(f, 0xa0000 + at, value);
            model_write(&model, gr, enabled, at, value);
        }
    }
    for (unsigned at = 0; at < 16; at++)
        for (unsigned p = 0; p < 4; p++)
            g_assert_cmphex(f->vga.memory[4 * at + p], ==, model.plane[p][at]);
}

static void test_odd_even(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    vga_poke(f, 0xb8000, 'A');
    vga_poke(f, 0xb8001, 0x1f);
    vga_poke(f, 0xb8002, 'B');
    g_assert_cmpmem(f->vga.memory, 8, "A\x1f\0\0B\0\0\0", 8);
    g_assert_cmphex(vga_peek(f, 0xb8001), ==, 0x1f);
    vga_set(f, 0x3ce, 4, 2); /* planes 2 and 3 */
    g_assert_cmphex(vga_peek(f, 0xb8000), ==, 0);
}

static void test_chain4(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_13);
    for (unsigned i = 0; i < 16; i++)
        vga_poke(f, 0xa0000 + i, (uint8_t)(0x10 + i));
    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmphex(f->vga.memory[i], ==, 0x10 + i);
        g_assert_cmphex(vga_peek(f, 0xa0000 + i), ==, 0x10 + i);
    }
    vga_set(f, 0x3c4, 2, 0x02);
    for (unsigned i = 0; i < 4; i++)
        vga_poke(f, 0xa0000 + i, 0xee);
    g_assert_cmpmem(f->vga.memory, 4, "\x10\xee\x12\x13", 4);
}

static void test_window_maps(struct vga_fixture *f, gconstpointer data)
{
    static const struct {
        uint8_t map;
        uint32_t first, last;
    } maps[] = {
        {0, 0xa0000, 0xbffff}, {1, 0xa0000, 0xaffff}, {2, 0xb0000, 0xb7fff}, {3, 0xb8000, 0xbffff}};

    (void)data;
    vga_set_mode(f, &vga_mode_12);
    for (unsigned i = 0; i < G_N_ELEMENTS(maps); i++) {
        vga_set(f, 0x3ce, 6, (uint8_t)(maps[i].map << 2 | 1));
        vga_poke(f, maps[i].first, 0x5a);
        g_assert_cmphex(f->vga.memory[0], ==, 0x5a);
        vga_poke(f, maps[i].first, 0);
        g_assert_cmphex(vga_peek(f, maps[i].last), ==, 0);
        if (maps[i].first > 0xa0000)
            g_assert_cmphex(vga_peek(f, maps[i].first - 1), ==, 0xff);
        if (maps[i].last < 0xbffff)
            g_assert_cmphex(vga_peek(f, maps[i].last + 1), ==, 0xff);
    }
}

/* --- What KVM serves --- */

static void try_often(struct vga_fixture *f, uint32_t address)
{
    for (unsigned i = 0; i < 200; i++)
        vga_peek(f, address);
}

static void test_fast_text(struct vga_fixture *f, gconstpointer data)
{
    struct pc_mapping *mapping = &f->mapped[PC_MAP_VGA_WINDOW];

    (void)data;
    vga_set_mode(f, &vga_mode_3);
    vga_poke(f, 0xb8000, 'a');
    vga_poke(f, 0xb8001, 7);
    g_assert_cmpuint(mapping->size, ==, 0);
    try_often(f, 0xb8000);
    g_assert_cmphex(mapping->address, ==, 0xb8000);
    g_assert_cmphex(mapping->size, ==, 0x8000);
    g_assert_cmphex(vga_peek(f, 0xb8000), ==, 'a');
    vga_poke(f, 0xb8002, 'b');
    vga_poke(f, 0xbffff, 0x55);
    struct screen_text text;
    g_assert_true(screen_text(f->screen, &text));
    g_assert_true(g_str_has_prefix(text.text, "ab\n"));
    g_free(text.text);
    mmio_write(&f->mmio, 0xb8006, 1, 'd'); /* was under way already */
    g_assert_cmphex(mmio_read(&f->mmio, 0xb8002, 1), ==, 'b');
    g_assert_cmphex(vga_peek(f, 0xb8006), ==, 'd');
    vga_poke(f, 0xb8006, 0);
    vga_set(f, 0x3d4, 0x0f, 5); /* the cursor moves */
    g_assert_cmphex(mapping->size, ==, 0x8000);
    vga_poke(f, 0xb8004, 'c');
    vga_set(f, 0x3c4, 2, 4); /* a font follows */
    g_assert_cmphex(mapping->size, ==, 0);
    g_assert_cmpmem(f->vga.memory, 12, "a\7\0\0b\0\0\0c\0\0\0", 12);
    g_assert_cmphex(f->vga.memory[4 * 0x3fff + 1], ==, 0x55);
}

static void test_fast_linear(struct vga_fixture *f, gconstpointer data)
{
    struct pc_mapping *mapping = &f->mapped[PC_MAP_VGA_WINDOW];

    (void)data;
    vga_set_mode(f, &vga_mode_13);
    try_often(f, 0xa0000);
    g_assert_cmphex(mapping->address, ==, 0xa0000);
    g_assert_cmphex(mapping->size, ==, 0x10000);
    vga_poke(f, 0xa1234, 0x77);
    g_assert_cmphex(f->vga.memory[0x1234], ==, 0x77);
    vga_set(f, 0x3ce, 8, 0x0f); /* no longer a plain store */
    g_assert_cmphex(mapping->size, ==, 0);
    vga_set_dispi(f, DISPI_DEPTH, 8);
    vga_set_dispi(f, DISPI_WIDTH, 1024);
    vga_set_dispi(f, DISPI_HEIGHT, 768);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON);
    vga_set_dispi(f, DISPI_BANK, 3);
    try_often(f, 0xa0000);
    g_assert_true(mapping->memory == f->vga.memory + 0x30000);
    vga_set_dispi(f, DISPI_BANK, 255);
    g_assert_cmphex(mapping->size, ==, 0);
    try_often(f, 0xa0000);
    g_assert_true(mapping->memory == f->vga.memory + VGA_MEMORY - 0x10000);
    vga_set(f, 0x3ce, 6, 0x01); /* 128 KiB would reach beyond memory */
    try_often(f, 0xa0000);
    g_assert_cmphex(mapping->size, ==, 0);
    g_assert_cmphex(vga_peek(f, 0xb0000), ==, f->vga.memory[0]); /* goes round */
}

/* A mode set clears memory: what text mode had there does not come back. */
static void test_fast_text_then_dispi(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    try_often(f, 0xb8000);
    vga_poke(f, 0xb8000, 0x41);
    vga_set_dispi(f, DISPI_DEPTH, 32);
    vga_set_dispi(f, DISPI_WIDTH, 64);
    vga_set_dispi(f, DISPI_HEIGHT, 64);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON | DISPI_LINEAR);
    g_assert_cmphex(f->mapped[PC_MAP_VGA_WINDOW].size, ==, 0);
    g_assert_cmphex(f->vga.memory[0], ==, 0);
}

/* A guest that changes modes for each byte is never mapped, nor one that KVM refuses. */
static void test_fast_refused(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    for (unsigned i = 0; i < 1000; i++) {
        vga_set(f, 0x3c4, 2, 4);
        vga_set(f, 0x3c4, 2, 3);
        vga_poke(f, 0xb8000 + 2 * i % 4000, (uint8_t)i);
    }
    g_assert_cmpuint(f->maps, ==, 0);
    f->map_result = -EEXIST;
    try_often(f, 0xb8000);
    vga_poke(f, 0xb8000, 'x');
    g_assert_cmphex(f->vga.memory[0], ==, 'x');
}

/* --- PCI --- */

static void config_write(struct vga_fixture *f, unsigned offset, uint32_t value)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | VGA_DEVFN << 8 | offset);
    fake_pc_out(&f->pc, 0xcfc, 4, value);
}

static uint32_t config_read(struct vga_fixture *f, unsigned offset)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | VGA_DEVFN << 8 | offset);
    return fake_pc_in(&f->pc, 0xcfc, 4);
}

static void test_pci(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(config_read(f, 0), ==, 0x53531414);
    g_assert_cmphex(config_read(f, PCI_REVISION) >> 8, ==, 0x030000);
    config_write(f, PCI_BAR, UINT32_MAX);
    config_write(f, PCI_ROM, 0xfffffffe);
    g_assert_cmphex(config_read(f, PCI_BAR), ==, 0xff000008);
    g_assert_cmphex(config_read(f, PCI_ROM), ==, 0xffff0000);
    config_write(f, PCI_BAR, 0xfd000000);
    config_write(f, PCI_ROM, 0xfebe0000);
    config_write(f, PCI_COMMAND, PCI_COMMAND_MEMORY);
    g_assert_cmphex(f->mapped[PC_MAP_VGA].address, ==, 0xfd000000);
    g_assert_cmphex(f->mapped[PC_MAP_VGA].size, ==, VGA_MEMORY);
    g_assert_cmphex(vga_peek(f, 0xfebe0000), ==, 0xff); /* the ROM is not enabled */
    config_write(f, PCI_ROM, 0xfebe0001);
    g_assert_true(f->mapped[PC_MAP_VGA_ROM].readonly);
    g_assert_cmphex(vga_peek(f, 0xfebe0000), ==, 0x55);
    vga_poke(f, 0xfebe0000, 0);
    g_assert_cmphex(vga_peek(f, 0xfebe0000), ==, 0x55);
    config_write(f, PCI_COMMAND, 0);
    g_assert_cmphex(f->mapped[PC_MAP_VGA].size, ==, 0);
    g_assert_cmphex(f->mapped[PC_MAP_VGA_ROM].size, ==, 0);
}

/* KVM cannot map it there: the handlers answer. */
static void test_pci_unmapped(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    f->map_result = -EEXIST;
    config_write(f, PCI_BAR, 0xfd000000);
    config_write(f, PCI_ROM, 0xfebe0001);
    config_write(f, PCI_COMMAND, PCI_COMMAND_MEMORY);
    vga_poke(f, 0xfd000000 + VGA_MEMORY - 1, 0x99);
    g_assert_cmphex(f->vga.memory[VGA_MEMORY - 1], ==, 0x99);
    g_assert_cmphex(vga_peek(f, 0xfd000000 + VGA_MEMORY - 1), ==, 0x99);
    g_assert_cmphex(vga_peek(f, 0xfebe0001), ==, 0xaa);
}

static void test_rom(struct vga_fixture *f, gconstpointer data)
{
    uint8_t sum = 0;

    (void)data;
    for (unsigned i = 0; i < 1024; i++)
        sum = (uint8_t)(sum + f->vga.rom[i]);
    g_assert_cmphex(sum, ==, 0);
    g_assert_cmpmem(f->vga.rom + 0x40, 8, "PCIR\x14\x14\x53\x53", 8);
}

/* A file that is no VGA BIOS is refused in words. */
static void test_rom_bad(struct vga_fixture *f, gconstpointer data)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } spoils[] = {{0, 0x54}, {2, 0}, {2, 3}, {0x18, 0xf8}, {0x19, 0xff}, {0x40, 'Q'}};
    uint8_t rom[VGA_ROM_SIZE];

    (void)f, (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(spoils); i++) {
        g_autoptr(GError) error = NULL;
        int fd = vga_fixture_rom();
        g_assert_cmpint(pwrite(fd, &spoils[i].value, 1, spoils[i].at), ==, 1);
        g_assert_false(vga_rom_read(rom, fd, "bad.rom", &error));
        g_assert_true(g_str_has_prefix(error->message, "boot.vga_rom: bad.rom: not a"));
        close(fd);
    }
    g_autoptr(GError) error = NULL;
    int fd = vga_fixture_rom();
    g_assert_cmpint(ftruncate(fd, VGA_ROM_SIZE + 1), ==, 0);
    g_assert_false(vga_rom_read(rom, fd, "big.rom", &error));
    close(fd);
}

/* --- Attacks --- */

/* Every offset of the window at every width and, at its end, across it. */
static void test_attack_window(struct vga_fixture *f, gconstpointer data)
{
    static const struct vga_mode *const modes[] = {&vga_mode_3, &vga_mode_12, &vga_mode_13};

    (void)data;
    for (unsigned m = 0; m < G_N_ELEMENTS(modes); m++) {
        vga_set_mode(f, modes[m]);
        for (uint32_t offset = 0; offset < VGA_WINDOW_SIZE; offset += 509) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                mmio_write(&f->mmio, VGA_WINDOW + offset, size, 0x1122334455667788);
                mmio_read(&f->mmio, VGA_WINDOW + offset, size);
            }
        }
        mmio_write(&f->mmio, 0xbffff, 8, UINT64_MAX);
        g_assert_cmphex(mmio_read(&f->mmio, 0xbffff, 8), ==, UINT64_MAX);
        mmio_write(&f->mmio, 0x9ffff, 8, UINT64_MAX);
    }
}

/* Every port at every width, then every index of every index register. */
static void test_attack_ports(struct vga_fixture *f, gconstpointer data)
{
    static const uint16_t index_ports[] = {0x3c4, 0x3ce, 0x3d4, 0x3b4, 0x3c0, 0x3c7, 0x3c8};

    (void)data;
    for (uint16_t port = 0x3b0; port < 0x3e0; port++) {
        for (unsigned size = 1; size <= 4; size *= 2) {
            fake_pc_out(&f->pc, port, size, 0xa5a5a5a5);
            fake_pc_in(&f->pc, port, size);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(index_ports); i++) {
        for (unsigned index = 0; index < 256; index++) {
            vga_out(f, index_ports[i], (uint8_t)index);
            vga_out(f, (uint16_t)(index_ports[i] + 1), 0xff);
            vga_in(f, (uint16_t)(index_ports[i] + 1));
        }
    }
    for (uint16_t port = 0x1cd; port < 0x1d3; port++) {
        for (unsigned size = 1; size <= 4; size *= 2) {
            fake_pc_out(&f->pc, port, size, UINT32_MAX);
            fake_pc_in(&f->pc, port, size);
        }
    }
    g_assert_cmphex(vga_get_dispi(f, 11), ==, 0);
    g_assert_cmphex(vga_get_dispi(f, 0xffff), ==, 0);
}

/* BARs over the window, over each other, over RAM that KVM refuses, at the top of memory. */
static void test_attack_bars(struct vga_fixture *f, gconstpointer data)
{
    static const uint32_t places[] = {0xa0000,    0xfd000000, 0xff000000, 0x0,
                                      0xffffffff, 0xfec00000, 0x1000000,  0x80000000};

    (void)data;
    config_write(f, PCI_COMMAND, PCI_COMMAND_MEMORY);
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(places); j++) {
            f->map_result = j % 2 ? -EEXIST : 0;
            config_write(f, PCI_BAR, places[i]);
            config_write(f, PCI_ROM, places[j] | 1);
            vga_poke(f, places[i], 1);
            vga_peek(f, places[j]);
            mmio_read(&f->mmio, (uint64_t)places[i] + VGA_MEMORY - 1, 8);
        }
    }
    vga_set_mode(f, &vga_mode_12);
    f->map_result = 0;
    vga_poke(f, 0xa0000, 0xff);
    g_assert_cmphex(vga_peek(f, 0xa0000), ==, 0xff);
}

#define TEST(path, function) \
    g_test_add("/vga/" path, struct vga_fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("masks", test_masks);
    TEST("crtc-protect", test_crtc_protect);
    TEST("colour-or-mono", test_colour_or_mono);
    TEST("flip-flop", test_flip_flop);
    TEST("retrace", test_retrace);
    TEST("dac", test_dac);
    TEST("reset", test_reset);
    TEST("planar-model", test_planar_model);
    TEST("odd-even", test_odd_even);
    TEST("chain4", test_chain4);
    TEST("window-maps", test_window_maps);
    TEST("fast/text", test_fast_text);
    TEST("fast/linear", test_fast_linear);
    TEST("fast/text-then-dispi", test_fast_text_then_dispi);
    TEST("fast/refused", test_fast_refused);
    TEST("pci", test_pci);
    TEST("pci-unmapped", test_pci_unmapped);
    TEST("rom", test_rom);
    TEST("rom-bad", test_rom_bad);
    TEST("attack/window", test_attack_window);
    TEST("attack/ports", test_attack_ports);
    TEST("attack/bars", test_attack_bars);
    return g_test_run();
}
