/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC with IDE drives, for tests: see ide_fixture.h. */
#include "tests/unit/ide_fixture.h"

#include <string.h>

void idf_point(struct ide_fixture *f, unsigned offset)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | IDE_DEVFN << 8 | offset);
}

void idf_set_up(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    fake_pc_init(&f->pc);
    g_assert_cmpint(gmem_init_pc(&f->gmem, IDF_RAM), ==, 0);
    f->disk = memory_disk_new(IDF_SECTORS * 512, false, false);
    f->disc = memory_disk_new(IDF_BLOCKS * 2048, true, false);
    for (unsigned i = 0; i < IDF_SECTORS * 512; i++)
        f->disk->bytes[i] = (uint8_t)(i / 512 * 3 + i);
    for (unsigned i = 0; i < IDF_BLOCKS * 2048; i++)
        f->disc->bytes[i] = (uint8_t)(i / 2048 * 5 + i);
    struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES] = {
        {{.present = true, .disk = &f->disk->disk, .serial = "serial-0"}},
        {{.present = true, .cd = true, .disk = &f->disc->disk},
         {.present = true, .cd = true}} /* no disc */
    };
    struct pio *pio = &f->pc.pio;
    g_assert_cmpint(reset_ports_init_port92(&f->ports, &f->pc.host, pio), ==, 0);
    g_assert_cmpint(pci_init(&f->pci, &f->pc.host, pio, &f->mmio, &f->ports), ==, 0);
    g_assert_cmpint(ide_init(&f->ide, &f->pc.host, pio, &f->pci, &f->gmem, f->pc.host.lane, drive),
                    ==, 0);
    idf_point(f, 0x20);
    fake_pc_out(&f->pc, 0xcfc, 4, IDF_BM);
    idf_point(f, 0x04);
    fake_pc_out(&f->pc, 0xcfc, 2, 5);
}

void idf_tear_down(struct ide_fixture *f, gconstpointer data)
{
    (void)data;
    memory_disk_release(f->disk, UINT32_MAX);
    lane_end(f->pc.host.lane);
    ide_fini(&f->ide);
    memory_disk_free(f->disk);
    memory_disk_free(f->disc);
    gmem_free(&f->gmem);
    fake_pc_fini(&f->pc);
}

uint8_t idf_in(struct ide_fixture *f, unsigned port)
{
    return fake_pc_inb(&f->pc, (uint16_t)port);
}

void idf_out(struct ide_fixture *f, unsigned port, uint8_t value)
{
    fake_pc_outb(&f->pc, (uint16_t)port, value);
}

/* Let the disk's lane do all that it has to do. */
void idf_turn(struct ide_fixture *f)
{
    while (lane_turn(f->pc.host.lane, 0))
        ;
}

void idf_command28(struct ide_fixture *f, uint8_t number, uint32_t lba, uint8_t count)
{
    idf_out(f, IDF_PRI + 6, (uint8_t)(0xe0 | lba >> 24));
    idf_out(f, IDF_PRI + 2, count);
    idf_out(f, IDF_PRI + 3, (uint8_t)lba);
    idf_out(f, IDF_PRI + 4, (uint8_t)(lba >> 8));
    idf_out(f, IDF_PRI + 5, (uint8_t)(lba >> 16));
    idf_out(f, IDF_PRI + 7, number);
    idf_turn(f);
}

void idf_command48(struct ide_fixture *f, uint8_t number, uint64_t lba, uint16_t count)
{
    idf_out(f, IDF_PRI + 6, 0xe0);
    for (int half = 1; half >= 0; half--) {
        idf_out(f, IDF_PRI + 2, (uint8_t)(count >> 8 * half));
        idf_out(f, IDF_PRI + 3, (uint8_t)(lba >> 24 * half));
        idf_out(f, IDF_PRI + 4, (uint8_t)(lba >> (24 * half + 8)));
        idf_out(f, IDF_PRI + 5, (uint8_t)(lba >> (24 * half + 16)));
    }
    idf_out(f, IDF_PRI + 7, number);
    idf_turn(f);
}

void idf_take(struct ide_fixture *f, unsigned base, uint8_t *into, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        uint32_t word = fake_pc_in(&f->pc, (uint16_t)base, 2);
        memcpy(into + i, &word, 2);
    }
    idf_turn(f);
}

void idf_give(struct ide_fixture *f, unsigned base, const uint8_t *from, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        uint16_t word;
        memcpy(&word, from + i, 2);
        fake_pc_out(&f->pc, (uint16_t)base, 2, word);
    }
    idf_turn(f);
}

void idf_expect_error(struct ide_fixture *f, unsigned base, uint8_t error)
{
    g_assert_cmphex(idf_in(f, base + 7), ==, 0x51);
    g_assert_cmphex(idf_in(f, base + 1), ==, error);
}

void idf_prd(struct ide_fixture *f, unsigned index, uint32_t base, uint32_t count)
{
    uint32_t entry[] = {base, count};

    g_assert_true(gmem_write(&f->gmem, IDF_PRDT + index * 8, entry, sizeof(entry)));
}
