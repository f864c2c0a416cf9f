/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus master of an IDE channel (Intel 290562, 2.8; SFF-8038i): its registers, and the walk
 * along the table of physical regions.
 *
 * Each descriptor is copied out once, when its turn comes. One of length 0 stands for 64 KiB, so
 * that every one makes progress; the table ends at 64 KiB, where hardware would begin anew.
 */
#include "src/pc/ide_priv.h"

#include <endian.h>

#include "src/pc/pio_bytes.h"

#define PRD_LAST    0x80000000u
#define PRD_ENTRIES 8192u
#define BM_CAPABLE  0x60u /* status: drives that firmware has set up for DMA */

struct prd {
    uint32_t base;  /* bit 0 is ignored */
    uint32_t count; /* bits 15:1; bit 31: the last one */
} __attribute__((packed));
_Static_assert(sizeof(struct prd) == 8, "wire size");

static bool next_region(struct ide_channel *channel)
{
    struct ide_prd *prd = &channel->prd;
    struct prd copy;

    if (prd->last || prd->entries == PRD_ENTRIES ||
        !gmem_read(channel->ide->gmem, prd->table, &copy, sizeof(copy)))
        return false;
    uint32_t count = le32toh(copy.count);
    prd->base = le32toh(copy.base) & ~1u;
    prd->left = count & 0xfffe ? count & 0xfffe : 0x10000;
    prd->last = count & PRD_LAST;
    prd->table += sizeof(copy);
    prd->entries++;
    return true;
}

static bool copy_all(struct ide_channel *channel, uint32_t length, bool to_guest)
{
    struct ide_prd *prd = &channel->prd;
    struct gmem *gmem = channel->ide->gmem;
    uint8_t *at = channel->buffer;

    while (length) {
        if (!prd->left && !next_region(channel))
            return false;
        uint32_t part = length < prd->left ? length : prd->left;
        if (to_guest ? !gmem_write(gmem, prd->base, at, part)
                     : !gmem_read(gmem, prd->base, at, part))
            return false;
        prd->base += part;
        prd->left -= part;
        at += part;
        length -= part;
    }
    return true;
}

bool ide_dma_copy(struct ide_channel *channel, uint32_t length, bool to_guest)
{
    bool master = pci_config16(&channel->ide->function, PCI_COMMAND) & PCI_COMMAND_MASTER;

    if (master && copy_all(channel, length, to_guest))
        return true;
    channel->bm_status = (uint8_t)((channel->bm_status & ~BM_ACTIVE) | BM_ERROR);
    return false;
}

/* A table longer than the transfer leaves the bus master active, which tells the driver so. */
void ide_dma_finish(struct ide_channel *channel)
{
    if (channel->prd.last && !channel->prd.left)
        channel->bm_status &= (uint8_t)~BM_ACTIVE;
}

/* --- Registers: eight bytes a channel --- */

static uint8_t read_byte(void *context, uint16_t offset)
{
    const struct ide *ide = context;
    const struct ide_channel *channel = &ide->channel[offset / 8 % IDE_CHANNELS];

    switch (offset % 8) {
    case 0:
        return channel->bm_command;
    case 2:
        return channel->bm_status;
    case 4:
    case 5:
    case 6:
    case 7:
        return (uint8_t)(channel->bm_table >> 8 * (offset % 4));
    default:
        return 0;
    }
}

static void write_command(struct ide_channel *channel, uint8_t value)
{
    bool was = ide_dma_started(channel);

    channel->bm_command = value & (BM_START | BM_TO_RAM);
    if (!ide_dma_started(channel)) {
        channel->bm_status &= (uint8_t)~BM_ACTIVE;
    } else if (!was) {
        channel->prd = (struct ide_prd){.table = channel->bm_table};
        channel->bm_status |= BM_ACTIVE;
        ide_dma_go(channel);
    }
}

static void write_byte(void *context, uint16_t offset, uint8_t value)
{
    struct ide *ide = context;
    struct ide_channel *channel = &ide->channel[offset / 8 % IDE_CHANNELS];
    unsigned shift = 8u * (offset % 4);

    if (offset % 8 == 0)
        write_command(channel, value);
    else if (offset % 8 == 2)
        channel->bm_status =
            (uint8_t)((channel->bm_status & ~BM_CAPABLE & ~(value & 6)) | (value & BM_CAPABLE));
    else if (offset % 8 >= 4)
        channel->bm_table =
            ((channel->bm_table & ~(0xffu << shift)) | (uint32_t)value << shift) & ~3u;
}

uint32_t ide_dma_read(void *context, uint16_t offset, unsigned size)
{
    return pio_read_bytes(read_byte, context, offset, size);
}

void ide_dma_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    pio_write_bytes(write_byte, context, offset, size, value);
}
