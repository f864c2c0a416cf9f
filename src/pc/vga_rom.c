/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA BIOS of an expansion ROM (PCI Firmware Specification 3.0, 5): see vga.h.
 *
 * SeaBIOS runs a ROM whose PCI data structure has the ids of the function that it came from, and
 * the ROM in turn looks for its frame buffer only in a function that has its own. Ours are not
 * those that the package's ROM was built for, so they are put in.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/pc/vga_priv.h"

#define BLOCK       512u
#define SIZE_AT     2u    /* in blocks */
#define CHECKSUM_AT 6u    /* one of the bytes that SeaBIOS' ROMs keep for it */
#define DATA_AT     0x18u /* where the PCI data structure is */
#define DATA_SIZE   24u

static uint16_t get16(const uint8_t *rom, unsigned at)
{
    return (uint16_t)(rom[at] | rom[at + 1] << 8);
}

/* NULL, or what is wrong with it. */
static const char *problem(const uint8_t *rom, unsigned size)
{
    unsigned data = get16(rom, DATA_AT);

    if (rom[0] != 0x55 || rom[1] != 0xaa || rom[SIZE_AT] * BLOCK > size || rom[SIZE_AT] == 0)
        return "not an option ROM";
    if (data > size - DATA_SIZE || memcmp(rom + data, "PCIR", 4) != 0)
        return "not a PCI option ROM";
    return NULL;
}

bool vga_rom_read(uint8_t *rom, int fd, const char *path, GError **error)
{
    struct stat stat;
    const char *what = NULL;
    ssize_t got = -1;

    if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
        what = "not a file";
    else if (stat.st_size < (off_t)BLOCK || stat.st_size > (off_t)VGA_ROM_SIZE)
        what = "not of 512 bytes to 64 KiB";
    else if ((got = pread(fd, rom, VGA_ROM_SIZE, 0)) != stat.st_size)
        what = got < 0 ? g_strerror(errno) : "cannot be read whole";
    else
        what = problem(rom, (unsigned)got);
    if (what) {
        g_set_error(error, VGA_ERROR, VGA_ERROR_ROM,
                    "boot.vga_rom: %s: %s; give a VGA BIOS (Debian: "
                    "/usr/share/seabios/vgabios-stdvga.bin)",
                    path, what);
        return false;
    }
    unsigned data = get16(rom, DATA_AT);
    pci_put16(rom, data + 4, VGA_VENDOR);
    pci_put16(rom, data + 6, VGA_DEVICE);
    rom[CHECKSUM_AT] = 0;
    uint8_t sum = 0;
    for (unsigned i = 0; i < rom[SIZE_AT] * BLOCK; i++)
        sum = (uint8_t)(sum + rom[i]);
    rom[CHECKSUM_AT] = (uint8_t)-sum;
    return true;
}
