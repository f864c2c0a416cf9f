/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When KVM serves the window at 0xA0000: see vga.h.
 *
 * It does so where an access does nothing but load or store, and where there have been several of
 * them, since moving a mapping costs as much as some hundred exits: a guest that goes to and fro
 * between modes for each byte is never mapped. Any change of a register that matters takes the
 * mapping away at once, before the guest's next access.
 */
#include "src/pc/vga_priv.h"

#define TRIES 128u

/* Bytes go from and to memory as they are. */
static bool plain(const struct vga_registers *r)
{
    return !r->gr[GR_SET_ENABLE] && !r->gr[GR_FUNCTION] && r->gr[GR_MASK] == 0xff &&
           !(r->gr[GR_MODE] & (MODE_WRITE | MODE_READ_COMPARE));
}

static struct vga_fast_map wanted(const struct vga *vga)
{
    const struct vga_registers *r = &vga->r;
    unsigned map = r->gr[GR_MISC] >> 2 & 3;
    bool linear = vga_dispi_linear(r) || (!vga_dispi_on(r) && r->sr[SR_PLANES] == 15 &&
                                          r->sr[SR_MEMORY] & MEMORY_CHAIN4 && plain(r));
    bool text = !vga_dispi_on(r) && r->sr[SR_PLANES] == 3 && plain(r) &&
                !(r->sr[SR_MEMORY] & (MEMORY_CHAIN4 | MEMORY_PLAIN)) &&
                r->gr[GR_MODE] & MODE_ODD_EVEN && !(r->gr[GR_READ_PLANE] & 2);
    uint32_t bank = vga_dispi_on(r) ? (uint32_t)r->dispi[DISPI_BANK] << 16 : 0;
    uint32_t size = map ? VGA_WINDOW_SIZE / 2 : VGA_WINDOW_SIZE;

    if (linear && map <= 1 && bank <= VGA_MEMORY - size)
        return (struct vga_fast_map){VGA_FAST_LINEAR, VGA_WINDOW, size, vga->memory + bank};
    if (text && map >= 2)
        return (struct vga_fast_map){VGA_FAST_TEXT, VGA_WINDOW + (map == 2 ? 0x10000 : 0x18000),
                                     VGA_TEXT_SIZE, vga->text};
    return (struct vga_fast_map){VGA_FAST_NONE, 0, 0, NULL};
}

static int map_to(const struct vga *vga, const struct vga_fast_map *to)
{
    const struct pc_mapping mapping = {
        .map = PC_MAP_VGA_WINDOW, .address = to->address, .size = to->size, .memory = to->memory};

    return pc_map(vga->host, &mapping);
}

/* Characters are in plane 0, attributes in plane 1. */
static void spread_text(struct vga *vga)
{
    for (unsigned i = 0; i < VGA_TEXT_SIZE; i++)
        vga->text[i] = vga->memory[4 * (i / 2) + i % 2];
}

void vga_fast_gather(struct vga *vga)
{
    if (vga->fast.kind != VGA_FAST_TEXT)
        return;
    for (unsigned i = 0; i < VGA_TEXT_SIZE; i++)
        vga->memory[4 * (i / 2) + i % 2] = vga->text[i];
}

static bool same(const struct vga_fast_map *a, const struct vga_fast_map *b)
{
    return a->kind == b->kind && a->address == b->address && a->size == b->size &&
           a->memory == b->memory;
}

void vga_fast_changed(struct vga *vga)
{
    const struct vga_fast_map nothing = {.kind = VGA_FAST_NONE}, now = wanted(vga);

    if (vga->fast.kind != VGA_FAST_NONE && same(&vga->fast, &now))
        return;
    vga->tries = 0;
    if (vga->fast.kind == VGA_FAST_NONE)
        return;
    map_to(vga, &nothing);
    vga_fast_gather(vga);
    vga->fast = nothing;
}

void vga_fast_tried(struct vga *vga)
{
    if (vga->tries >= TRIES || ++vga->tries < TRIES)
        return;
    const struct vga_fast_map to = wanted(vga);
    if (to.kind == VGA_FAST_NONE)
        return;
    if (to.kind == VGA_FAST_TEXT)
        spread_text(vga);
    if (map_to(vga, &to) == 0)
        vga->fast = to;
}
