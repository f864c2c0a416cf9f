/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the IDE controller share: ide.c (registers), ide_ata.c (disk commands),
 * ide_atapi.c (packets), ide_transfer.c (data, DMA, the way to the disk and back), ide_identify.c.
 * All with the PC lock held.
 */
#ifndef VMBUSD_PC_IDE_PRIV_H
#define VMBUSD_PC_IDE_PRIV_H

#include "src/pc/ide.h"

#define STATUS_BSY  0x80u
#define STATUS_DRDY 0x40u
#define STATUS_DF   0x20u
#define STATUS_DSC  0x10u
#define STATUS_DRQ  0x08u
#define STATUS_ERR  0x01u
#define STATUS_GOOD (STATUS_DRDY | STATUS_DSC)

#define ERROR_UNC  0x40u
#define ERROR_IDNF 0x10u
#define ERROR_ABRT 0x04u

#define DEVICE_LBA 0x40u

#define BM_START  0x01u
#define BM_TO_RAM 0x08u /* command: the disk is read */
#define BM_ACTIVE 0x01u
#define BM_ERROR  0x02u
#define BM_IRQ    0x04u

#define ATA_SECTOR  512u
#define ATAPI_BLOCK 2048u

#define ATA_MULTIPLE_MAX 16u /* sectors of a block of READ MULTIPLE */

static inline struct ide_drive *ide_selected(struct ide_channel *channel)
{
    return &channel->drive[channel->selected];
}

/* The drive whose command is under way: there is one, and an ATA drive has a disk. */
static inline struct ide_drive *ide_active(struct ide_channel *channel)
{
    return &channel->drive[channel->active];
}

/* ide.c */
void ide_interrupt(struct ide_channel *channel);
/* The command is over; an error register of 0: well. */
void ide_end(struct ide_channel *channel, uint8_t error);
/* Registers as after a reset of the drive. */
void ide_signature(struct ide_drive *drive);

/* ide_transfer.c */
void ide_transfer_init(struct ide_channel *channel);
/* Begin what the channel's fields describe: blocks, or a flush. */
void ide_transfer(struct ide_channel *channel);
/* Offer the guest the first `length` bytes of the buffer, in one block (IDENTIFY). */
void ide_give(struct ide_channel *channel, uint32_t length);
/* The guest has moved all of the block. */
void ide_block_done(struct ide_channel *channel);
/* Hand the prepared request or task to the lane. */
void ide_launch(struct ide_channel *channel);
/* Nobody waits for what is under way any more. */
void ide_forget(struct ide_channel *channel);

/* ide_dma.c */
/* `length` bytes between the buffer's start and where the descriptors say. False if these do not
 * lead there; the bus master then says so. */
bool ide_dma_copy(struct ide_channel *channel, uint32_t length, bool to_guest);
/* All has been moved. */
void ide_dma_finish(struct ide_channel *channel);
static inline bool ide_dma_started(const struct ide_channel *channel)
{
    return channel->bm_command & BM_START;
}
uint32_t ide_dma_read(void *context, uint16_t offset, unsigned size);
void ide_dma_write(void *context, uint16_t offset, unsigned size, uint32_t value);
/* The bus master was started while a command waits for it: ide_transfer.c. */
void ide_dma_go(struct ide_channel *channel);

/* ide_ata.c */
void ide_ata_command(struct ide_channel *channel, uint8_t number);

/* ide_atapi.c */
void ide_atapi_packet(struct ide_channel *channel);
/* The lane has carried out channel->scsi. */
void ide_atapi_done(struct ide_channel *channel);
/* The bus master was started, and the buffer has what it shall move. */
void ide_atapi_dma(struct ide_channel *channel);
/* The guest has read the block; there may be more. */
void ide_atapi_block_done(struct ide_channel *channel);

/* End the packet: well, or with this sense (key << 16 | code << 8 | qualifier). */
void ide_atapi_good(struct ide_channel *channel);
void ide_atapi_fail(struct ide_channel *channel, uint32_t sense);

/* ide_tray.c */
/* Carry out a packet that is about the tray, or fail one because the guest has to be told of it.
 * False: the packet is about something else. Nothing is with the disk. */
bool ide_tray_packet(struct ide_channel *channel);
/* A packet has ended well: if it has told the guest of the event, that is over. */
void ide_tray_told(struct ide_channel *channel);
void ide_tray_init(struct ide *ide);
/* A change of the disc has not come back. Lanes ended. */
void ide_tray_fini(struct ide *ide);
/* Nothing is with the disk any more: on the lane. */
void ide_tray_idle(struct ide_channel *channel);
/* True if the disc is another than the one that the command under way began with: it has failed. */
bool ide_tray_changed(struct ide_channel *channel);
/* Closed, unlocked, nothing to tell. */
void ide_tray_reset(struct ide_drive *drive);

/* ide_identify.c: 512 bytes. */
void ide_identify(const struct ide_drive *drive, uint8_t data[ATA_SECTOR]);

#endif
