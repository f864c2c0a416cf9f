/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VGA shows, dot by dot: text, planar, 256 colours, Bochs' linear modes; the shared memory
 * that viewers read; and registers that a hostile guest sets to show what is not there.
 */
#include "src/pc/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include <glib.h>

#include "src/pc/vga_priv.h"
#include "tests/unit/vga_fixture.h"

static void set_up(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_fixture_init(f);
    /* Colours that tell which register they came from. */
    for (unsigned i = 0; i < 256; i++)
        vga_set_colour(f, (uint8_t)i, (uint8_t)(i & 0x3f), (uint8_t)(i >> 6), 1);
}

static void tear_down(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_fixture_fini(f);
}

static uint32_t six(unsigned value)
{
    return value << 2 | value >> 4;
}

/* What set_up() has put at `index` of the DAC. */
static uint32_t colour(unsigned index)
{
    return six(index & 0x3f) << 16 | six(index >> 6) << 8 | six(1);
}

/* And what 16-colour modes make of `index` by the modes' attribute registers. */
static uint32_t ega(unsigned index)
{
    return colour(vga_mode_12.ar[index]);
}

static void assert_size(const struct vga_fixture *f, unsigned width, unsigned height)
{
    g_assert_cmpuint(screen_header(f->screen)->width, ==, width);
    g_assert_cmpuint(screen_header(f->screen)->height, ==, height);
    g_assert_cmpuint(screen_header(f->screen)->pitch, ==, 4 * width);
}

/* --- Text --- */

static void put_text(struct vga_fixture *f, unsigned place, const char *text, uint8_t attribute)
{
    for (; *text; text++, place++) {
        vga_poke(f, 0xb8000 + 2 * place, (uint8_t)*text);
        vga_poke(f, 0xb8001 + 2 * place, attribute);
    }
}

/* A glyph of font `map`: its lines are `line` times 1, 2, 3... */
static void put_glyph(struct vga_fixture *f, unsigned offset, uint8_t code, uint8_t line)
{
    vga_set(f, 0x3c4, 2, 4);
    vga_set(f, 0x3c4, 4, 6);
    vga_set(f, 0x3ce, 5, 0);
    vga_set(f, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 16; i++)
        vga_poke(f, 0xa0000 + offset + 32 * code + i, (uint8_t)(line + i));
    vga_set(f, 0x3c4, 2, 3);
    vga_set(f, 0x3c4, 4, 2);
    vga_set(f, 0x3ce, 5, 0x10);
    vga_set(f, 0x3ce, 6, 0x0e);
}

static void test_text_dots(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    put_glyph(f, 0, 'A', 0x81);
    put_glyph(f, 0, 0xc4, 0x01);
    put_text(f, 81, "A\xc4", 0x1e);
    vga_set(f, 0x3d4, 0x0a, 0x20); /* no cursor */
    vga_look(f);
    assert_size(f, 720, 400);
    for (unsigned y = 0; y < 16; y++) {
        for (unsigned x = 0; x < 8; x++) {
            g_assert_cmphex(vga_pixel(f, 9 + x, 16 + y), ==, ega((0x81 + y) << x & 0x80 ? 14 : 1));
            g_assert_cmphex(vga_pixel(f, 18 + x, 16 + y), ==, ega((1 + y) << x & 0x80 ? 14 : 1));
        }
        /* The ninth dot is paper, but for line drawing characters. */
        g_assert_cmphex(vga_pixel(f, 17, 16 + y), ==, ega(1));
        g_assert_cmphex(vga_pixel(f, 26, 16 + y), ==, ega((1 + y) & 1 ? 14 : 1));
    }
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(0));
    vga_set(f, 0x3c4, 1, 1); /* characters of 8 dots */
    vga_look(f);
    assert_size(f, 640, 400);
    g_assert_cmphex(vga_pixel(f, 8, 16), ==, ega(14));
    vga_set(f, 0x3c4, 1, 9); /* each two dots wide */
    vga_set(f, 0x3d4, 1, 39);
    vga_look(f);
    assert_size(f, 640, 400);
    g_assert_cmphex(vga_pixel(f, 16, 32 + 0), ==, ega(0));
}

static void test_text_attributes(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    put_glyph(f, 0, 'x', 0);
    put_glyph(f, 0x4000, 'x', 0xf0);
    put_text(f, 0, "x", 0x8f);
    vga_set(f, 0x3d4, 0x0a, 0x20);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(0)); /* bit 7 blinks */
    vga_set_attribute(f, 0x10, 0x04);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(8)); /* or is bright paper */
    vga_set(f, 0x3c4, 3, 0x04);                      /* bit 3 chooses the second font */
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(15));
    g_assert_cmphex(vga_pixel(f, 4, 0), ==, ega(8));
    vga_set_attribute(f, 0x14, 0x04); /* colours from another quarter of the DAC */
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, colour(0x40 | 0x3f));
}

static void test_text_cursor(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_3);
    put_text(f, 0, "   ", 0x17);
    vga_set(f, 0x3d4, 0x0f, 2);
    vga_look(f);
    for (unsigned y = 0; y < 16; y++)
        g_assert_cmphex(vga_pixel(f, 18, y), ==, ega(y == 13 || y == 14 ? 7 : 1));
    g_assert_cmphex(vga_pixel(f, 26, 13), ==, ega(7));
    g_assert_cmphex(vga_pixel(f, 9, 13), ==, ega(1));
    struct screen_text text;
    g_assert_true(screen_text(f->screen, &text));
    g_assert_true(text.cursor && text.cursor_row == 0 && text.cursor_column == 2);
    g_free(text.text);
    vga_set(f, 0x3d4, 0x0a, 0x2d);
    g_assert_true(screen_text(f->screen, &text));
    g_assert_false(text.cursor);
    g_free(text.text);
}

static void test_text_scrolled(struct vga_fixture *f, gconstpointer data)
{
    struct screen_text text;

    (void)data;
    vga_set_mode(f, &vga_mode_3);
    for (unsigned i = 0; i < 4000; i++)
        put_text(f, i, " ", 7);
    put_text(f, 0, "top", 7);
    put_text(f, 160, "\xc9\xcd\xbb one", 7);
    vga_set(f, 0x3d4, 0x0d, 160);  /* begins with the third row */
    vga_set(f, 0x3d4, 0x18, 0x1f); /* memory begins again from line 32 on */
    vga_set(f, 0x3d4, 0x07, 0x0f);
    vga_set(f, 0x3d4, 0x09, 0x0f);
    g_assert_true(screen_text(f->screen, &text));
    g_assert_cmpuint(text.columns, ==, 80);
    g_assert_cmpuint(text.rows, ==, 25);
    g_assert_true(g_str_has_prefix(text.text, "\u2554\u2550\u2557 one\n\ntop\n"));
    g_free(text.text);
}

static void test_no_text(struct vga_fixture *f, gconstpointer data)
{
    struct screen_text text;

    (void)data;
    g_assert_false(screen_text(f->screen, &text)); /* nothing is shown after a reset */
    vga_set_mode(f, &vga_mode_12);
    g_assert_false(screen_text(f->screen, &text));
}

/* --- Planar --- */

static void test_planar(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    vga_set(f, 0x3ce, 1, 0x0f); /* set/reset in all planes */
    for (unsigned y = 0; y < 480; y += 37) {
        for (unsigned x = 0; x < 640; x += 29) {
            vga_set(f, 0x3ce, 8, (uint8_t)(0x80 >> x % 8));
            vga_set(f, 0x3ce, 0, (uint8_t)((x + y) % 16));
            vga_peek(f, 0xa0000 + y * 80 + x / 8);
            vga_poke(f, 0xa0000 + y * 80 + x / 8, 0);
        }
    }
    vga_look(f);
    assert_size(f, 640, 480);
    for (unsigned y = 0; y < 480; y++) {
        for (unsigned x = 0; x < 640; x++) {
            bool drawn = y % 37 == 0 && x % 29 == 0;
            g_assert_cmphex(vga_pixel(f, x, y), ==, ega(drawn ? (x + y) % 16 : 0));
        }
    }
    vga_set_attribute(f, 0x12, 0x05); /* two planes only */
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 29, 37), ==, ega((29 + 37) % 16 & 5));
    vga_out(f, 0x3c6, 0x07); /* and three bits of the DAC's index */
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 37), ==, colour(vga_mode_12.ar[37 % 16 & 5] & 7));
}

/* XOR by the latches, twice, leaves what was there: a text cursor of a boot screen. */
static void test_planar_xor(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    vga_set(f, 0x3c4, 2, 5);
    vga_poke(f, 0xa0000, 0xf0);
    vga_set(f, 0x3c4, 2, 15);
    vga_set(f, 0x3ce, 3, 0x18);
    for (unsigned i = 0; i < 2; i++) {
        vga_peek(f, 0xa0000);
        vga_poke(f, 0xa0000, 0x3c);
        vga_look(f);
        for (unsigned x = 0; x < 8; x++) {
            unsigned before = x < 4 ? 5 : 0, mask = x >= 2 && x < 6 ? 15 : 0;
            g_assert_cmphex(vga_pixel(f, x, 0), ==, ega(i ? before : before ^ mask));
        }
    }
}

static void test_pan_and_split(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    vga_poke(f, 0xa0000, 0x80);        /* first dot of memory */
    vga_poke(f, 0xa0000 + 1000, 0x10); /* fourth dot of where the picture begins */
    vga_set(f, 0x3d4, 0x0c, 1000 >> 8);
    vga_set(f, 0x3d4, 0x0d, 1000 & 0xff);
    vga_set_attribute(f, 0x13, 3);
    vga_set(f, 0x3d4, 0x18, 99);
    vga_set(f, 0x3d4, 0x07, 0x2e); /* compare bits 8 and 9 are 0 */
    vga_set(f, 0x3d4, 0x09, 0x00);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(15));
    g_assert_cmphex(vga_pixel(f, 0, 100), ==, ega(0)); /* panned as well */
    vga_set_attribute(f, 0x10, 0x21);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 100), ==, ega(15));
    g_assert_cmphex(vga_pixel(f, 0, 99), ==, ega(0));
}

static void test_cga(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    /* 320 by 200 in four colours: odd/even at 0xB8000, odd lines 8 KiB further on. */
    vga_set(f, 0x3c4, 1, 0x09);
    vga_set(f, 0x3c4, 2, 0x03);
    vga_set(f, 0x3c4, 4, 0x02);
    vga_set(f, 0x3ce, 5, 0x30);
    vga_set(f, 0x3ce, 6, 0x0f);
    vga_set(f, 0x3d4, 0x01, 39);
    vga_set(f, 0x3d4, 0x07, 0x1f);
    vga_set(f, 0x3d4, 0x09, 0xc1);
    vga_set(f, 0x3d4, 0x12, 0x8f);
    vga_set(f, 0x3d4, 0x13, 0x14);
    vga_set(f, 0x3d4, 0x17, 0xa2);
    vga_poke(f, 0xb8000, 0x1b); /* 0 1 2 3 */
    vga_poke(f, 0xb8001, 0xe4); /* 3 2 1 0 */
    vga_poke(f, 0xba000, 0xff);
    vga_look(f);
    assert_size(f, 640, 400);
    static const uint8_t dots[] = {0, 1, 2, 3, 3, 2, 1, 0};
    for (unsigned x = 0; x < 16; x++) {
        g_assert_cmphex(vga_pixel(f, x, 0), ==, ega(dots[x / 2]));
        g_assert_cmphex(vga_pixel(f, x, 1), ==, ega(dots[x / 2]));
        g_assert_cmphex(vga_pixel(f, x, 2), ==, ega(x < 8 ? 3 : 0));
    }
}

/* --- 256 colours --- */

static void test_mode_13(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_13);
    for (unsigned i = 0; i < 64000; i++)
        vga_poke(f, 0xa0000 + i, (uint8_t)(i * 7 + i / 320));
    g_assert_cmpuint(f->maps, ==, 1);
    vga_look(f);
    assert_size(f, 640, 400);
    for (unsigned y = 0; y < 400; y++)
        for (unsigned x = 0; x < 640; x++) {
            unsigned i = y / 2 * 320 + x / 2;
            g_assert_cmphex(vga_pixel(f, x, y), ==, colour((i * 7 + i / 320) & 0xff));
        }
}

static void test_mode_x(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_13);
    vga_set(f, 0x3c4, 4, 0x06);
    vga_set(f, 0x3d4, 0x14, 0x00);
    vga_set(f, 0x3d4, 0x17, 0xe3);
    for (unsigned x = 0; x < 320; x++) {
        vga_set(f, 0x3c4, 2, (uint8_t)(1u << x % 4));
        vga_poke(f, 0xa0000 + 80 + x / 4, (uint8_t)x);
    }
    vga_look(f);
    for (unsigned x = 0; x < 320; x++)
        g_assert_cmphex(vga_pixel(f, 2 * x, 2), ==, colour(x & 0xff));
}

/* --- Bochs' modes --- */

static void dispi_mode(struct vga_fixture *f, uint16_t width, uint16_t height, uint16_t depth)
{
    vga_set_dispi(f, DISPI_ENABLE, 0);
    vga_set_dispi(f, DISPI_WIDTH, width);
    vga_set_dispi(f, DISPI_HEIGHT, height);
    vga_set_dispi(f, DISPI_DEPTH, depth);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON | DISPI_LINEAR);
    vga_in(f, 0x3da);
    vga_out(f, 0x3c0, 0x20); /* shows it */
}

static void test_dispi_depths(struct vga_fixture *f, gconstpointer data)
{
    static const struct {
        uint16_t depth;
        uint8_t pixel[4];
        uint32_t shown;
    } depths[] = {{8, {0xc5}, 0},
                  {15, {0x1f, 0x7c}, 0xff00ff},
                  {15, {0xe0, 0x81}, 0x007b00},
                  {16, {0xe0, 0x07}, 0x00ff00},
                  {16, {0x01, 0x08}, 0x080008},
                  {24, {0x12, 0x34, 0x56}, 0x563412},
                  {32, {0x12, 0x34, 0x56, 0x78}, 0x563412}};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(depths); i++) {
        unsigned bytes = (depths[i].depth + 7u) / 8;
        dispi_mode(f, 640, 400, depths[i].depth);
        memcpy(f->vga.memory + (size_t)(640 * 399 + 639) * bytes, depths[i].pixel, bytes);
        vga_look(f);
        assert_size(f, 640, 400);
        g_assert_cmphex(vga_pixel(f, 639, 399), ==,
                        depths[i].depth == 8 ? colour(0xc5) : depths[i].shown);
        g_assert_cmphex(vga_pixel(f, 638, 399), ==, depths[i].depth == 8 ? colour(0) : 0);
    }
}

static void test_dispi_planar(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    dispi_mode(f, 800, 600, 4);
    vga_set(f, 0x3c4, 2, 0x09);
    vga_poke(f, 0xa0000 + 100 * 599 + 99, 0x01);
    vga_look(f);
    assert_size(f, 800, 600);
    g_assert_cmphex(vga_pixel(f, 799, 599), ==, ega(9));
    g_assert_cmphex(vga_pixel(f, 798, 599), ==, ega(0));
}

static void test_dispi_panned(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    dispi_mode(f, 640, 480, 32);
    vga_set_dispi(f, DISPI_VIRTUAL_WIDTH, 1024);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_VIRTUAL_WIDTH), ==, 1024);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_VIRTUAL_HEIGHT), ==, VGA_MEMORY / 4096);
    vga_set_dispi(f, DISPI_X, 10);
    vga_set_dispi(f, DISPI_Y, 20);
    f->vga.memory[(20 * 1024 + 10) * 4] = 0xaa;
    f->vga.memory[(21 * 1024 + 10) * 4] = 0xbb;
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, 0xaa);
    g_assert_cmphex(vga_pixel(f, 0, 1), ==, 0xbb);
}

static void test_dispi_registers(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmphex(vga_get_dispi(f, DISPI_ID), ==, 0xb0c5);
    vga_set_dispi(f, DISPI_ID, 0xb0c0);
    g_assert_cmphex(vga_get_dispi(f, DISPI_ID), ==, 0xb0c0);
    vga_set_dispi(f, DISPI_ID, 0xb0c6);
    g_assert_cmphex(vga_get_dispi(f, DISPI_ID), ==, 0xb0c0);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_MEMORY), ==, 256);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_MAXIMA);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_WIDTH), ==, 2560);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_HEIGHT), ==, 1600);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_DEPTH), ==, 32);
    memset(f->vga.memory, 0x55, 4096);
    vga_set_dispi(f, DISPI_WIDTH, 640);
    vga_set_dispi(f, DISPI_HEIGHT, 480);
    vga_set_dispi(f, DISPI_DEPTH, 8);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON | DISPI_KEEP);
    g_assert_cmphex(f->vga.memory[0], ==, 0x55);
    vga_set_dispi(f, DISPI_ENABLE, 0);
    vga_set_dispi(f, DISPI_ENABLE, DISPI_ON);
    g_assert_cmphex(f->vga.memory[0], ==, 0);
}

/* --- Shared memory --- */

static void test_screen_memory(struct vga_fixture *f, gconstpointer data)
{
    int fd = screen_fd(f->screen), seals = fcntl(fd, F_GET_SEALS);

    (void)data;
    g_assert_cmphex(seals, ==, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    g_assert_true(mmap(NULL, SCREEN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    const struct screen_header *header = mmap(NULL, SCREEN_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    g_assert_true(header != MAP_FAILED);
    vga_set_mode(f, &vga_mode_12);
    vga_look(f);
    g_assert_cmphex(header->magic, ==, SCREEN_MAGIC);
    g_assert_cmpuint(header->sequence, ==, 2);
    g_assert_cmpuint(header->size_changes, ==, 1);
    g_assert_cmpuint(header->width, ==, 640);
    munmap((void *)(uintptr_t)header, SCREEN_SIZE);
}

static void test_screen_damage(struct vga_fixture *f, gconstpointer data)
{
    const struct screen_header *header = screen_header(f->screen);

    (void)data;
    dispi_mode(f, 64, 64, 32);
    vga_look(f);
    g_assert_cmpuint(header->damages, ==, 1);
    g_assert_cmpmem(&header->damage[0], 8, (&(uint16_t[]){0, 0, 64, 64}), 8);
    vga_look(f);
    g_assert_cmpuint(header->damages, ==, 1);
    f->vga.memory[(10 * 64 + 5) * 4] = 1;
    f->vga.memory[(11 * 64 + 7) * 4] = 1;
    f->vga.memory[(20 * 64 + 63) * 4] = 1;
    vga_look(f);
    g_assert_cmpuint(header->damages, ==, 3);
    g_assert_cmpmem(&header->damage[1], 8, (&(uint16_t[]){5, 10, 3, 2}), 8);
    g_assert_cmpmem(&header->damage[2], 8, (&(uint16_t[]){63, 20, 1, 1}), 8);
    dispi_mode(f, 72, 64, 32);
    vga_look(f);
    g_assert_cmpuint(header->size_changes, ==, 2);
    g_assert_cmpuint(header->damages, ==, 4);
}

static void test_blank(struct vga_fixture *f, gconstpointer data)
{
    (void)data;
    vga_set_mode(f, &vga_mode_12);
    vga_poke(f, 0xa0000, 0xff);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, ega(15));
    vga_set(f, 0x3c4, 1, 0x21);
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, 0);
    vga_set(f, 0x3c4, 1, 0x01);
    vga_in(f, 0x3da);
    vga_out(f, 0x3c0, 0); /* the palette is the processor's now */
    vga_look(f);
    g_assert_cmphex(vga_pixel(f, 0, 0), ==, 0);
}

/* --- Attacks --- */

/* CVE-2016-3710, -3712, 2017-13672: sizes, offsets and banks that reach out of memory. */
static void test_attack_dispi(struct vga_fixture *f, gconstpointer data)
{
    static const uint16_t values[] = {0, 1, 7, 8, 640, 2559, 2560, 2561, 0x7fff, 0x8000, 0xffff};
    static const uint16_t depths[] = {0, 1, 4, 8, 15, 16, 24, 32, 33, 0xffff};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(depths); j++) {
            uint16_t odd = values[(i + j) % G_N_ELEMENTS(values)];
            dispi_mode(f, values[i], odd, depths[j]);
            vga_set_dispi(f, DISPI_VIRTUAL_WIDTH, odd);
            vga_set_dispi(f, DISPI_X, values[i]);
            vga_set_dispi(f, DISPI_Y, 0xffff);
            vga_set_dispi(f, DISPI_BANK, odd);
            const struct vga_registers *r = &f->vga.r;
            uint64_t end =
                (uint64_t)(r->dispi[DISPI_Y] + r->dispi[DISPI_HEIGHT]) * vga_dispi_pitch(r);
            g_assert_cmpuint(end, <=, VGA_MEMORY);
            g_assert_cmpuint(r->dispi[DISPI_X] + r->dispi[DISPI_WIDTH], <=,
                             r->dispi[DISPI_VIRTUAL_WIDTH]);
            vga_poke(f, 0xaffff, 1);
            vga_peek(f, 0xbffff);
            vga_look(f);
        }
    }
    /* Memory that a changed mode would need is not there before the mode is valid. */
    vga_set_dispi(f, DISPI_DEPTH, 32);
    vga_set_dispi(f, DISPI_WIDTH, 2560);
    vga_set_dispi(f, DISPI_HEIGHT, 0xffff);
    g_assert_cmpuint(vga_get_dispi(f, DISPI_HEIGHT), ==, 1600);
    vga_look(f);
}

/* CVE-2018-7858 and its like: start, pitch, fonts, cursor, split and panning at their ends. */
static void test_attack_crtc(struct vga_fixture *f, gconstpointer data)
{
    static const struct vga_mode *const modes[] = {&vga_mode_3, &vga_mode_12, &vga_mode_13};

    (void)data;
    for (unsigned m = 0; m < G_N_ELEMENTS(modes); m++) {
        for (unsigned round = 0; round < 30; round++) {
            struct screen_text text;
            vga_set_mode(f, modes[m]);
            vga_set(f, 0x3c4, 3, 0x3f);
            for (unsigned i = 0; i < 0x19; i++)
                if (round == 0 || g_test_rand_bit())
                    vga_set(f, 0x3d4, (uint8_t)i, round ? (uint8_t)g_test_rand_int() : 0xff);
            vga_set_attribute(f, 0x13, (uint8_t)round);
            vga_set(f, 0x3c4, 1, (uint8_t)(round * 8));
            vga_look(f);
            g_assert_cmpuint(screen_header(f->screen)->width, <=, VGA_WIDTH_MAX);
            g_assert_cmpuint(screen_header(f->screen)->height, <=, VGA_HEIGHT_MAX);
            if (screen_text(f->screen, &text))
                g_free(text.text);
        }
    }
}

#define TEST(path, function) \
    g_test_add("/vga-picture/" path, struct vga_fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("text/dots", test_text_dots);
    TEST("text/attributes", test_text_attributes);
    TEST("text/cursor", test_text_cursor);
    TEST("text/scrolled", test_text_scrolled);
    TEST("text/none", test_no_text);
    TEST("planar", test_planar);
    TEST("planar/xor", test_planar_xor);
    TEST("planar/pan-and-split", test_pan_and_split);
    TEST("cga", test_cga);
    TEST("mode-13", test_mode_13);
    TEST("mode-x", test_mode_x);
    TEST("dispi/depths", test_dispi_depths);
    TEST("dispi/planar", test_dispi_planar);
    TEST("dispi/panned", test_dispi_panned);
    TEST("dispi/registers", test_dispi_registers);
    TEST("screen/memory", test_screen_memory);
    TEST("screen/damage", test_screen_damage);
    TEST("screen/blank", test_blank);
    TEST("attack/dispi", test_attack_dispi);
    TEST("attack/crtc", test_attack_crtc);
    return g_test_run();
}
