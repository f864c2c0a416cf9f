/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDE: function 1 of PIIX4 (Intel 290562), two channels in compatibility mode (ports 0x1F0 and
 * 0x170, lines 14 and 15) with bus mastering, ATA disks and ATAPI CD-ROM drives on them.
 *
 * ATA/ATAPI-7: 28 and 48-bit addresses, PIO and DMA, multiple sectors, power management as far as
 * it is said that nothing sleeps; ATAPI commands are those of src/disk/scsi.h. A write is complete
 * when the backend has it, a flush when it is durable; with its write cache switched off, a disk
 * makes every write durable.
 *
 * A disk may have a twin on the VMBus (vmbus/storvsp.c): the same struct disk, opened and locked
 * once, with a queue for the port and one for the twin. Guests go from the port to the twin, and
 * back for a crash dump or a restart, whenever they like. That a write through the one is never
 * overtaken by an earlier one through the other rests on three things: neither reports a write
 * before the backend has it, a command that the guest cancels by a reset keeps the drive busy until
 * the disk is done with it, and closing the twin's channel waits for what is in flight; so whoever
 * knows that a write has ended on one side begins the next after it. Writes that are under way on
 * both sides at once and overlap run one after another (struct disk, ordered). Both queues are on
 * one lane.
 *
 * Registers belong to the PC lock. Data moves through a buffer of the channel's own: no pointer
 * into guest memory outlives an access, and what a guest cancels is thrown away when it arrives.
 * Disk requests are submitted and completed on the lane of the disks.
 *
 * The guest ejects a disc and takes it in again; the host changes it. After a reset the tray is
 * closed.
 *
 * Left out: SMART, security, host protected area, streaming; overlapped and queued commands; native
 * mode (the ports do not move); timings, which are kept and mean nothing.
 */
#ifndef VMBUSD_PC_IDE_H
#define VMBUSD_PC_IDE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/lane.h"
#include "src/disk/scsi.h"
#include "src/kvm/gmem.h"
#include "src/pc/pc.h"
#include "src/pc/pci.h"

#define IDE_CHANNELS 2u
#define IDE_DRIVES   2u           /* of a channel */
#define IDE_BUFFER   (128u << 10) /* bytes moved in one piece */
#define IDE_DEVFN    PCI_DEVFN(1, 1)

struct ide_drive_params {
    bool present, cd;
    struct disk *disk; /* a CD-ROM drive may have none */
    char serial[37];   /* the first 20 bytes are shown */
};

/* A task file register: what was written last and before that (48-bit commands use both). */
struct ide_register {
    uint8_t now, before;
};

struct ide_drive {
    bool present, cd;
    struct scsi_unit unit;
    struct disk_queue *queue; /* NULL: no medium */
    uint64_t sectors;
    uint32_t cylinders;  /* CHS: default geometry's ... */
    uint32_t heads, spt; /* ... and what command 91 has set */
    uint32_t heads_max, spt_max;
    struct ide_register features, count, low, mid, high;
    uint8_t device, status, error;
    uint8_t multiple; /* sectors of a block of READ MULTIPLE; 0: off */
    uint8_t dma_mode; /* set by command EF: 0x20 | n multiword, 0x40 | n ultra; 0: none */
    bool write_cache;
    uint8_t sense[SCSI_SENSE_SIZE]; /* ATAPI: of the last command that failed */
    struct disk *disc;              /* ATAPI: on the tray; unit.disk while that is closed */
    bool locked;                    /* the guest has forbidden removal to its users */
    bool attention;                 /* a disc has come that the guest has not been told of */
};

/* What the channel is doing; the disk is asked only in those that end in _DISK. */
enum ide_phase {
    IDE_IDLE,
    IDE_DATA_IN,  /* the guest reads the buffer */
    IDE_DATA_OUT, /* the guest fills it */
    IDE_PACKET,   /* the guest writes the command packet */
    IDE_DMA_WAIT, /* a DMA command waits for the bus master to be started */
    IDE_DISK,     /* a request is with the disk */
};

struct ide_prd {
    uint32_t table;   /* next descriptor */
    uint32_t base;    /* of what is left of the current one */
    uint32_t left;    /* its bytes */
    uint32_t entries; /* descriptors read so far */
    bool last;
};

struct ide_channel {
    struct ide *ide;
    unsigned index;
    struct ide_drive drive[IDE_DRIVES];
    unsigned selected;
    unsigned active; /* the drive that carries out the command under way */
    uint8_t control;
    bool intrq, line; /* asserted; what host->irq was last told */

    /* Bus master. */
    uint8_t bm_command, bm_status;
    uint32_t bm_table;
    struct ide_prd prd;

    /* The command under way. */
    enum ide_phase phase;
    bool write, dma, flush, packet;
    bool fua;
    uint64_t lba;   /* of the next piece */
    uint32_t left;  /* sectors (ATAPI: blocks) of this command, the piece under way included */
    uint32_t piece; /* of them in the buffer */
    uint32_t block; /* bytes between two DRQs; ATAPI: byte count limit */
    bool opened;    /* a block of data was offered already */
    uint32_t at, block_end, end; /* bytes of the buffer */
    uint8_t cdb[12];
    uint8_t *buffer;

    /* With the lane while `flying`; the vCPUs leave these alone until it is false again. */
    bool flying, stale;    /* stale: nobody waits for the result any more */
    bool again;            /* a command has come meanwhile ... */
    uint8_t again_command; /* ... this */
    bool scsi_next;        /* what flies is `scsi`; else `request`, to `queue` */
    struct disk_queue *queue;
    struct lane_task task;
    struct disk_request request;
    struct scsi_task scsi;
    struct iovec iov;
};

/* Another disc, or none, for a drive: on its way to the lane and back. */
struct ide_change {
    bool under_way, waiting; /* waiting: for what the channel has with the disk */
    struct ide_channel *channel;
    struct ide_drive *drive;
    struct disk *disc; /* new, then old */
    struct disk_queue *queue;
    struct lane_task task, done_task;
    void (*done)(void *context, struct disk *old);
    void *context;
};

struct ide {
    const struct pc_host *host;
    struct gmem *gmem;
    struct lane *lane; /* of the disks */
    struct pci_function function;
    struct ide_channel channel[IDE_CHANNELS];
    void (*drained)(void *context);
    void *drained_context;
    struct lane_task drained_task;
    struct ide_change change;
};

/* Zero `ide` first. Drives are [channel][unit]. Makes the disks' queues on `lane`; 0 or -errno; in
 * either case ide_fini() it. Start-up. */
int ide_init(struct ide *ide, const struct pc_host *host, struct pio *pio, struct pci *pci,
             struct gmem *gmem, struct lane *lane,
             const struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES]);

/* Free queues and buffers: lanes ended, disks still open. */
void ide_fini(struct ide *ide);

/* As after power-on; what is with a disk is forgotten. PC lock held. */
void ide_reset(struct ide *ide);

/* Put `disc` (NULL: nothing) into the drive of this place, whatever the guest thinks of it, and
 * close the tray; then call done(context, old) on the main lane, with the disc that was there and
 * that nobody uses any more, or NULL. A read under way ends first. 0; -ENODEV: no such drive, or
 * not one for discs; -EBUSY: the last change is still under way; -ENOMEM. Main lane. */
int ide_change_disc(struct ide *ide, unsigned place, struct disk *disc,
                    void (*done)(void *context, struct disk *old), void *context);

/* Forget every command and call drained(context) on the main lane as soon as no disk has a request
 * any more, maybe at once. Main lane, vCPUs stopped. */
void ide_drain(struct ide *ide, void (*drained)(void *context), void *context);

#endif
