/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vga_fixture.h. Facts of the modes: IBM VGA Technical Reference, the BIOS' parameter tables.
 */
#include "tests/unit/vga_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROM_BYTES 1024u

const struct vga_mode vga_mode_3 = {
    .misc = 0x67,
    .sr = {0x03, 0x00, 0x03, 0x00, 0x02},
    .cr = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
           0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    .gr = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff},
    .ar = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
           0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00}};
const struct vga_mode vga_mode_12 = {
    .misc = 0xe3,
    .sr = {0x03, 0x01, 0x0f, 0x00, 0x06},
    .cr = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x00, 0x00, 0x00,
           0x00, 0x00, 0x00, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff},
    .gr = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0f, 0xff},
    .ar = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
           0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00}};
const struct vga_mode vga_mode_13 = {
    .misc = 0x63,
    .sr = {0x03, 0x01, 0x0f, 0x00, 0x0e},
    .cr = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
           0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    .gr = {0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff},
    .ar = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
           0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00}};

static void must(bool good)
{
    if (!good)
        abort();
}

int vga_fixture_rom(void)
{
    uint8_t rom[ROM_BYTES] = {[0] = 0x55, [1] = 0xaa, [2] = ROM_BYTES / 512, [0x18] = 0x40};
    int fd = memfd_create("rom", MFD_CLOEXEC);

    memcpy(rom + 0x40, "PCIR\x34\x12\x11\x11", 8);
    must(fd >= 0 && write(fd, rom, sizeof(rom)) == (ssize_t)sizeof(rom));
    return fd;
}

static int map(void *context, const struct pc_mapping *mapping)
{
    struct fake_pc *pc = context;
    struct vga_fixture *f = (struct vga_fixture *)(void *)pc; /* its first member */

    f->mapped[mapping->map] = (struct pc_mapping){.size = 0};
    if (mapping->size && f->map_result == 0) {
        must(mapping->address % 4096 == 0 && mapping->size % 4096 == 0);
        f->mapped[mapping->map] = *mapping;
        f->maps++;
    }
    return mapping->size ? f->map_result : 0;
}

void vga_fixture_init(struct vga_fixture *f)
{
    memset(f, 0, sizeof(*f));
    fake_pc_init(&f->pc);
    f->pc.host.map = map;
    int rom = vga_fixture_rom();
    must(!reset_ports_init_port92(&f->ports, &f->pc.host, &f->pc.pio) &&
         !pci_init(&f->pci, &f->pc.host, &f->pc.pio, &f->mmio, &f->ports) &&
         vga_init(&f->vga, &f->pc.host, &f->pci, rom, "rom", NULL) &&
         (f->screen = screen_new(&f->vga)));
    close(rom);
}

void vga_fixture_fini(struct vga_fixture *f)
{
    screen_free(f->screen);
    vga_fini(&f->vga);
    fake_pc_fini(&f->pc);
}

/* --- Ports --- */

void vga_out(struct vga_fixture *f, uint16_t port, uint8_t value)
{
    fake_pc_outb(&f->pc, port, value);
}

uint8_t vga_in(struct vga_fixture *f, uint16_t port)
{
    return fake_pc_inb(&f->pc, port);
}

void vga_set(struct vga_fixture *f, uint16_t port, uint8_t index, uint8_t value)
{
    fake_pc_out(&f->pc, port, 2, index | (uint32_t)value << 8);
}

uint8_t vga_get(struct vga_fixture *f, uint16_t port, uint8_t index)
{
    vga_out(f, port, index);
    return vga_in(f, (uint16_t)(port + 1));
}

void vga_set_attribute(struct vga_fixture *f, uint8_t index, uint8_t value)
{
    vga_in(f, 0x3da);
    vga_out(f, 0x3c0, index | 0x20);
    vga_out(f, 0x3c0, value);
}

void vga_set_dispi(struct vga_fixture *f, uint16_t index, uint16_t value)
{
    fake_pc_out(&f->pc, 0x1ce, 2, index);
    fake_pc_out(&f->pc, 0x1cf, 2, value);
}

uint16_t vga_get_dispi(struct vga_fixture *f, uint16_t index)
{
    fake_pc_out(&f->pc, 0x1ce, 2, index);
    return (uint16_t)fake_pc_in(&f->pc, 0x1cf, 2);
}

void vga_set_colour(struct vga_fixture *f, uint8_t index, uint8_t r, uint8_t g, uint8_t b)
{
    vga_out(f, 0x3c8, index);
    vga_out(f, 0x3c9, r);
    vga_out(f, 0x3c9, g);
    vga_out(f, 0x3c9, b);
}

void vga_set_mode(struct vga_fixture *f, const struct vga_mode *mode)
{
    vga_out(f, 0x3c2, mode->misc);
    for (uint8_t i = 0; i < sizeof(mode->sr); i++)
        vga_set(f, 0x3c4, i, mode->sr[i]);
    vga_set(f, 0x3d4, 0x11, 0);
    for (uint8_t i = 0; i < sizeof(mode->cr); i++)
        vga_set(f, 0x3d4, i, mode->cr[i]);
    for (uint8_t i = 0; i < sizeof(mode->gr); i++)
        vga_set(f, 0x3ce, i, mode->gr[i]);
    for (uint8_t i = 0; i < sizeof(mode->ar); i++)
        vga_set_attribute(f, i, mode->ar[i]);
    vga_set(f, 0x3d4, 0x11, mode->cr[0x11] & 0x7f); /* tests go on changing it */
}

/* --- Memory --- */

static uint8_t *mapped(struct vga_fixture *f, uint64_t address, bool write)
{
    for (unsigned i = 0; i < PC_MAPS; i++) {
        struct pc_mapping *m = &f->mapped[i];
        if (address - m->address < m->size && !(write && m->readonly))
            return (uint8_t *)m->memory + (address - m->address);
    }
    return NULL;
}

void vga_poke(struct vga_fixture *f, uint64_t address, uint8_t value)
{
    uint8_t *at = mapped(f, address, true);

    pthread_mutex_lock(&f->pc.lock);
    if (at)
        *at = value;
    else
        mmio_write(&f->mmio, address, 1, value);
    pthread_mutex_unlock(&f->pc.lock);
}

uint8_t vga_peek(struct vga_fixture *f, uint64_t address)
{
    const uint8_t *at = mapped(f, address, false);

    pthread_mutex_lock(&f->pc.lock);
    uint8_t value = at ? *at : (uint8_t)mmio_read(&f->mmio, address, 1);
    pthread_mutex_unlock(&f->pc.lock);
    return value;
}

void vga_look(struct vga_fixture *f)
{
    screen_refresh(f->screen);
}

uint32_t vga_pixel(const struct vga_fixture *f, unsigned x, unsigned y)
{
    const struct screen_header *header = screen_header(f->screen);
    const uint8_t *pixels = (const uint8_t *)header + header->pixels;
    uint32_t pixel;

    must(x < header->width && y < header->height);
    memcpy(&pixel, pixels + (size_t)y * header->pitch + 4 * (size_t)x, sizeof(pixel));
    return pixel;
}
