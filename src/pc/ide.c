/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE controller's registers: see ide.h. What commands do is in ide_ata.c and ide_atapi.c.
 */
#include "src/pc/ide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/container.h"
#include "src/pc/ide_priv.h"
#include "src/pc/pio_bytes.h"

#define VENDOR_INTEL 0x8086u
#define DEVICE_PIIX4 0x7111u
#define IDETIM       0x40u
#define BM_BAR       4u
#define BM_SIZE      16u

#define CONTROL_NO_IRQ 0x02u
#define CONTROL_RESET  0x04u
#define CONTROL_HOB    0x80u
#define DEVICE_UNIT    0x10u
#define DEVICE_RESET   0x08u /* the command that a busy ATAPI drive takes */
#define HEADS          16u
#define SPT            63u
#define CYLINDERS_MAX  16383u

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_STATUS };

/* --- Ends and interrupts --- */

static void update_line(struct ide_channel *channel)
{
    const struct pc_host *host = channel->ide->host;
    bool line = channel->intrq && !(channel->control & CONTROL_NO_IRQ);

    if (line == channel->line)
        return;
    channel->line = line;
    host->irq(host->context, 14 + channel->index, line);
}

void ide_interrupt(struct ide_channel *channel)
{
    channel->intrq = true;
    channel->bm_status |= BM_IRQ;
    update_line(channel);
}

void ide_end(struct ide_channel *channel, uint8_t error)
{
    struct ide_drive *drive = ide_active(channel);

    channel->phase = IDE_IDLE;
    drive->error = error;
    drive->status = STATUS_GOOD | (error ? STATUS_ERR : 0);
    ide_interrupt(channel);
}

void ide_signature(struct ide_drive *drive)
{
    drive->features = (struct ide_register){0, 0};
    drive->count = drive->low = (struct ide_register){1, 0};
    drive->mid = (struct ide_register){drive->cd ? 0x14 : 0, 0};
    drive->high = (struct ide_register){drive->cd ? 0xeb : 0, 0};
    drive->device = 0;
    drive->error = 1; /* the drive is well */
    drive->status = drive->cd ? 0 : STATUS_GOOD;
}

/* --- Data port --- */

/* The bytes that the guest may move now: of a block that is open for this direction. */
static uint32_t movable(const struct ide_channel *channel, bool out)
{
    bool open = out ? channel->phase == IDE_DATA_OUT || channel->phase == IDE_PACKET
                    : channel->phase == IDE_DATA_IN;

    return open && channel->selected == channel->active ? channel->block_end - channel->at : 0;
}

static uint32_t data_read(struct ide_channel *channel, unsigned size)
{
    uint32_t value = 0, have = movable(channel, false);

    if (!have)
        return UINT32_MAX;
    if (have > size)
        have = size;
    memcpy(&value, channel->buffer + channel->at, have);
    channel->at += have;
    if (channel->at == channel->block_end)
        ide_block_done(channel);
    return value;
}

static void data_write(struct ide_channel *channel, unsigned size, uint32_t value)
{
    uint32_t room = movable(channel, true);
    uint8_t *to = channel->phase == IDE_PACKET ? channel->cdb : channel->buffer;

    if (!room)
        return;
    if (room > size)
        room = size;
    memcpy(to + channel->at, &value, room);
    channel->at += room;
    if (channel->at == channel->block_end)
        ide_block_done(channel);
}

/* --- Task file --- */

static uint8_t status(struct ide_channel *channel)
{
    const struct ide_drive *drive = ide_selected(channel);

    if (!drive->present)
        return 0; /* the partner answers for one that is absent */
    /* What was cancelled is not over before the disk is done with it. */
    return channel->flying && channel->stale ? STATUS_BSY : drive->status;
}

/* The register that a command takes `offset` for: of those five that are written twice. */
static struct ide_register *file_register(struct ide_drive *drive, uint16_t offset)
{
    switch (offset) {
    case REG_ERROR:
        return &drive->features;
    case REG_COUNT:
        return &drive->count;
    case REG_LOW:
        return &drive->low;
    case REG_MID:
        return &drive->mid;
    default:
        return &drive->high;
    }
}

static uint8_t read_byte(void *context, uint16_t offset)
{
    struct ide_channel *channel = context;
    struct ide_drive *drive = ide_selected(channel);
    const struct ide_register *reg = file_register(drive, offset);

    switch (offset) {
    case REG_DATA:
        return (uint8_t)data_read(channel, 1);
    case REG_ERROR:
        return drive->error;
    case REG_DEVICE:
        return drive->device;
    case REG_STATUS:
        channel->intrq = false;
        update_line(channel);
        return status(channel);
    default:
        return channel->control & CONTROL_HOB ? reg->before : reg->now;
    }
}

static void latch(struct ide_register *reg, uint8_t value)
{
    reg->before = reg->now;
    reg->now = value;
}

/* A command interrupts one that waits for the guest, but not one that is busy. */
static void command(struct ide_channel *channel, uint8_t number)
{
    struct ide_drive *drive = ide_selected(channel);
    bool reset = number == DEVICE_RESET && drive->cd;

    if (!drive->present || (drive->status & STATUS_BSY && !reset))
        return;
    ide_forget(channel);
    channel->active = channel->selected;
    channel->intrq = false;
    update_line(channel);
    if (!channel->flying) {
        ide_ata_command(channel, number);
        return;
    }
    drive->status = STATUS_BSY;
    channel->again = true;
    channel->again_command = number;
}

static void write_file(struct ide_channel *channel, uint16_t offset, uint8_t value)
{
    channel->control &= (uint8_t)~CONTROL_HOB;
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        struct ide_drive *drive = &channel->drive[i];
        if (offset == REG_DEVICE)
            drive->device = value;
        else
            latch(file_register(drive, offset), value);
    }
    if (offset == REG_DEVICE)
        channel->selected = value & DEVICE_UNIT ? 1 : 0;
}

static void write_byte(void *context, uint16_t offset, uint8_t value)
{
    struct ide_channel *channel = context;

    if (offset == REG_DATA)
        data_write(channel, 1, value);
    else if (offset == REG_STATUS)
        command(channel, value);
    else if (!(ide_active(channel)->status & STATUS_BSY))
        write_file(channel, offset, value);
}

static uint32_t file_read(void *context, uint16_t offset, unsigned size)
{
    if (offset == REG_DATA)
        return data_read(context, size);
    return pio_read_bytes(read_byte, context, offset, size);
}

static void file_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    if (offset == REG_DATA)
        data_write(context, size, value);
    else
        pio_write_bytes(write_byte, context, offset, size, value);
}

/* --- Control port --- */

static uint32_t control_read(void *context, uint16_t offset, unsigned size)
{
    (void)offset, (void)size;
    return status(context);
}

static void reset_drives(struct ide_channel *channel)
{
    ide_forget(channel);
    channel->intrq = false;
    channel->selected = channel->active = 0;
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        struct ide_drive *drive = &channel->drive[i];
        ide_signature(drive);
        drive->multiple = 0;
        memset(drive->sense, 0, sizeof(drive->sense));
        drive->locked = false;
    }
}

static void control_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct ide_channel *channel = context;
    uint8_t before = channel->control;

    (void)offset, (void)size;
    channel->control = (uint8_t)value;
    if (value & CONTROL_RESET)
        reset_drives(channel);
    for (unsigned i = 0; i < IDE_DRIVES && value & CONTROL_RESET; i++)
        channel->drive[i].status = STATUS_BSY;
    if (before & ~value & CONTROL_RESET)
        reset_drives(channel);
    update_line(channel);
}

/* --- Making --- */

static int add_ports(struct ide_channel *channel, struct pio *pio)
{
    const struct pio_region file = {.base = channel->index ? 0x170 : 0x1f0,
                                    .count = 8,
                                    .read = file_read,
                                    .write = file_write,
                                    .context = channel};
    const struct pio_region control = {.base = channel->index ? 0x376 : 0x3f6,
                                       .count = 1,
                                       .read = control_read,
                                       .write = control_write,
                                       .context = channel};
    int error = pio_add(pio, &file);

    return error ? error : pio_add(pio, &control);
}

static int init_drive(struct ide *ide, struct ide_drive *drive,
                      const struct ide_drive_params *params)
{
    struct disk *disk = params->disk;

    drive->present = params->present;
    drive->cd = params->cd;
    drive->unit = (struct scsi_unit){.dvd = params->cd, .disk = disk, .tray = params->cd};
    drive->disc = params->cd ? disk : NULL;
    memcpy(drive->unit.serial, params->serial, sizeof(drive->unit.serial));
    if (!disk)
        return params->present && !params->cd ? -EINVAL : 0;
    drive->sectors = disk->size / ATA_SECTOR;
    if (!drive->sectors)
        return -EINVAL;
    uint64_t cylinders = drive->sectors / (HEADS * SPT);
    drive->cylinders = cylinders < CYLINDERS_MAX ? (uint32_t)cylinders : CYLINDERS_MAX;
    drive->heads_max = HEADS;
    drive->spt_max = SPT;
    drive->queue = disk->class->queue_new(disk, ide->lane);
    return drive->queue ? 0 : -errno;
}

static int init_channel(struct ide *ide, unsigned index, struct pio *pio,
                        const struct ide_drive_params drive[IDE_DRIVES])
{
    struct ide_channel *channel = &ide->channel[index];

    channel->ide = ide;
    channel->index = index;
    ide_transfer_init(channel);
    if (!drive[0].present && !drive[1].present)
        return 0; /* nobody answers: probes see it at once */
    channel->buffer = malloc(IDE_BUFFER);
    if (!channel->buffer)
        return -ENOMEM;
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        int error = init_drive(ide, &channel->drive[i], &drive[i]);
        if (error)
            return error;
    }
    return add_ports(channel, pio);
}

static void init_function(struct ide *ide)
{
    struct pci_function *function = &ide->function;

    function->devfn = IDE_DEVFN;
    pci_identify(function, VENDOR_INTEL, DEVICE_PIIX4, 0x010180, 1);
    pci_put16(function->config, PCI_STATUS, 0x0280);
    for (unsigned i = IDETIM; i < IDETIM + 12; i++)
        function->writable[i] = 0xff;
    function->bar[BM_BAR] =
        (struct pci_bar){.size = BM_SIZE,
                         .io = true,
                         .ports = {.read = ide_dma_read, .write = ide_dma_write, .context = ide}};
}

static void drained_run(struct lane_task *task)
{
    struct ide *ide = container_of(task, struct ide, drained_task);
    void (*drained)(void *context) = ide->drained;

    ide->drained = NULL;
    if (drained)
        drained(ide->drained_context);
}

int ide_init(struct ide *ide, const struct pc_host *host, struct pio *pio, struct pci *pci,
             struct gmem *gmem, struct lane *lane,
             const struct ide_drive_params drive[IDE_CHANNELS][IDE_DRIVES])
{
    ide->host = host;
    ide->gmem = gmem;
    ide->lane = lane;
    ide->drained_task.run = drained_run;
    ide_tray_init(ide);
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        int error = init_channel(ide, i, pio, drive[i]);
        if (error)
            return error;
    }
    init_function(ide);
    ide_reset(ide);
    return pci_add(pci, &ide->function);
}

void ide_fini(struct ide *ide)
{
    ide_tray_fini(ide);
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        for (unsigned j = 0; j < IDE_DRIVES; j++) {
            struct disk_queue *queue = ide->channel[i].drive[j].queue;
            if (queue)
                queue->disk->class->queue_free(queue);
        }
        free(ide->channel[i].buffer);
    }
}

void ide_reset(struct ide *ide)
{
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        struct ide_channel *channel = &ide->channel[i];
        channel->control = channel->bm_command = channel->bm_status = 0;
        channel->bm_table = 0;
        reset_drives(channel);
        for (unsigned j = 0; j < IDE_DRIVES; j++) {
            struct ide_drive *drive = &channel->drive[j];
            drive->write_cache = true;
            drive->dma_mode = 0;
            drive->heads = drive->heads_max;
            drive->spt = drive->spt_max;
            ide_tray_reset(drive);
        }
        update_line(channel);
    }
}

void ide_drain(struct ide *ide, void (*drained)(void *context), void *context)
{
    bool flying = false;

    pthread_mutex_lock(ide->host->lock);
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        ide_forget(&ide->channel[i]);
        flying |= ide->channel[i].flying;
    }
    ide->drained = flying ? drained : NULL;
    ide->drained_context = context;
    pthread_mutex_unlock(ide->host->lock);
    if (!flying)
        drained(context);
}
