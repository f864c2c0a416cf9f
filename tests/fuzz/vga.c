/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA: streams of port, window and BAR accesses, as KVM would let a guest make them, with a
 * look at the screen now and then. Six bytes an access: what, where, value.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/fuzz/script.h"
#include "tests/unit/vga_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOOKS 2u /* of one input: the largest picture takes a while */

static void check(bool good)
{
    if (!good)
        abort();
}

static void look(struct vga_fixture *f)
{
    struct screen_text text;

    vga_look(f);
    const struct screen_header *header = screen_header(f->screen);
    check(header->width <= VGA_WIDTH_MAX && header->height <= VGA_HEIGHT_MAX);
    check(header->width && header->height && !(header->sequence & 1));
    if (screen_text(f->screen, &text)) {
        check(g_utf8_validate(text.text, -1, NULL));
        g_free(text.text);
    }
}

static void config(struct vga_fixture *f, unsigned offset, uint32_t value)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | VGA_DEVFN << 8 | (offset & 0x3c));
    fake_pc_out(&f->pc, 0xcfc, 4, value);
}

static void window(struct vga_fixture *f, unsigned what, uint32_t value)
{
    uint64_t address = VGA_WINDOW - 4 + (value & 0x3ffff);
    unsigned size = 1u << (what >> 5 & 3);

    if (what & 0x10)
        vga_poke(f, address, (uint8_t)(value >> 24));
    else if (what & 8)
        vga_peek(f, address);
    else if (what & 4)
        mmio_write(&f->mmio, address, size, value * 0x100000001ull);
    else
        mmio_read(&f->mmio, address, size);
}

static void step(struct vga_fixture *f, struct script *script, unsigned *looks)
{
    static const uint16_t indexed[] = {0x3c4, 0x3ce, 0x3d4, 0x3b4};
    static const struct vga_mode *const modes[] = {&vga_mode_3, &vga_mode_12, &vga_mode_13};
    uint8_t what = script_next(script), where = script_next(script);
    uint32_t value = 0;

    script_take(script, &value, sizeof(value));
    switch (what & 3) {
    case 0:
        window(f, what, value);
        break;
    case 1:
        if (what & 0x80)
            vga_set_dispi(f, where & 15, (uint16_t)value);
        else
            vga_set(f, indexed[what >> 2 & 3], where, (uint8_t)value);
        break;
    case 2:
        if (what & 0x80)
            fake_pc_out(&f->pc, (uint16_t)(0x3b0 + (where & 0x3f)), 1u << (what >> 5) % 3, value);
        else
            fake_pc_in(&f->pc, (uint16_t)(0x3b0 + (where & 0x3f)), 1u << (what >> 5) % 3);
        break;
    default:
        if (what >> 5 == 0 && *looks) {
            look(f);
            --*looks;
        } else if (what >> 5 == 1) {
            vga_set_mode(f, modes[where % 3]);
        } else if (what >> 5 == 2) {
            f->map_result = where & 1 ? -EEXIST : 0;
        } else if (what >> 5 == 3) {
            pci_reset(&f->pci);
            vga_reset(&f->vga);
        } else {
            config(f, where, value);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vga_fixture f;
    struct script script = {data, size};
    unsigned looks = LOOKS;

    vga_fixture_init(&f);
    while (script.size)
        step(&f, &script, &looks);
    vga_fixture_fini(&f);
    return 0;
}
