/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA as a PCI function, and its memory: see vga.h.
 */
#include "src/pc/vga.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "src/pc/vga_priv.h"

#define ALL (VGA_MEMORY + VGA_TEXT_SIZE + VGA_ROM_SIZE)

G_DEFINE_QUARK(vmbusd - vga, vga_error)

/* --- Where KVM does not serve them --- */

static uint64_t get(const uint8_t *memory, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, memory, size);
    return value;
}

static uint64_t linear_read(void *context, uint64_t offset, unsigned size)
{
    const struct vga *vga = context;

    return get(vga->memory + offset, size);
}

static void linear_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
    const struct vga *vga = context;

    memcpy(vga->memory + offset, &value, size);
}

static uint64_t rom_read(void *context, uint64_t offset, unsigned size)
{
    const struct vga *vga = context;

    return get(vga->rom + offset, size);
}

/* --- Making --- */

static int add_function(struct vga *vga, struct pci *pci)
{
    struct pci_function *function = &vga->function;

    function->devfn = VGA_DEVFN;
    pci_identify(function, VGA_VENDOR, VGA_DEVICE, 0x030000, 0);
    pci_put16(function->config, PCI_STATUS, 0x0200);
    function->bar[0] =
        (struct pci_bar){.size = VGA_MEMORY,
                         .prefetch = true,
                         .memory = {.read = linear_read, .write = linear_write, .context = vga},
                         .backing = vga->memory,
                         .map = PC_MAP_VGA};
    function->bar[PCI_BAR_ROM] = (struct pci_bar){.size = VGA_ROM_SIZE,
                                                  .memory = {.read = rom_read, .context = vga},
                                                  .backing = vga->rom,
                                                  .map = PC_MAP_VGA_ROM};
    return pci_add(pci, function);
}

static int add_all(struct vga *vga, struct pci *pci)
{
    const struct mmio_region window = {.base = VGA_WINDOW,
                                       .size = VGA_WINDOW_SIZE,
                                       .read = vga_window_read,
                                       .write = vga_window_write,
                                       .context = vga};
    int error = mmio_add(pci->mmio, &window);

    if (!error)
        error = vga_ports_init(vga, pci->pio);
    if (!error)
        error = vga_dispi_init(vga, pci->pio);
    return error ? error : add_function(vga, pci);
}

bool vga_init(struct vga *vga, const struct pc_host *host, struct pci *pci, int rom,
              const char *path, GError **error)
{
    vga->host = host;
    uint8_t *memory =
        mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int result = memory == MAP_FAILED ? -errno : 0;
    if (result == 0) {
        madvise(memory, ALL, MADV_DONTFORK);
        madvise(memory, ALL, MADV_DONTDUMP);
        vga->memory = memory;
        vga->text = memory + VGA_MEMORY;
        vga->rom = vga->text + VGA_TEXT_SIZE;
        if (!vga_rom_read(vga->rom, rom, path, error))
            return false;
        vga_registers_reset(&vga->r);
        result = add_all(vga, pci);
    }
    if (result < 0)
        g_set_error(error, VGA_ERROR, VGA_ERROR_SYSTEM, "VGA: %s", g_strerror(-result));
    return result == 0;
}

void vga_fini(struct vga *vga)
{
    if (vga->memory)
        munmap(vga->memory, ALL);
    vga->memory = NULL;
}

void vga_reset(struct vga *vga)
{
    vga_registers_reset(&vga->r);
    vga_fast_changed(vga);
    /* Back to the host, and zeroed. */
    madvise(vga->memory, VGA_MEMORY + VGA_TEXT_SIZE, MADV_DONTNEED);
}
