/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a SCSI unit says of itself: INQUIRY and its vital product data, mode pages, capacity, LUNs.
 *
 * Linux's sd reads from here the size, the write cache and FUA (mode page 8), write protection, and
 * what may be discarded (VPD B0, B2).
 */
#include "src/disk/scsi_parts.h"

#define VENDOR       "Msft    "
#define DISK_PRODUCT "Virtual Disk    "
#define DVD_PRODUCT  "Virtual DVD-ROM "
#define REVISION     "1.0 "

#define TYPE_DISK   0x00
#define TYPE_CD     0x05
#define TYPE_ABSENT 0x7f /* qualifier 3, unknown type: no unit can be here */

#define MODE_PAGE_CACHING      0x08u
#define MODE_PAGE_CAPABILITIES 0x2au
#define MODE_PAGE_ALL          0x3fu
#define MODE_WRITE_PROTECT     0x80u /* device-specific parameter */
#define MODE_DPOFUA            0x10u

#define VPD_HEADER 4u

/* --- INQUIRY --- */

static uint8_t device_type(const struct scsi_unit *unit)
{
    if (!unit)
        return TYPE_ABSENT;
    return unit->dvd ? TYPE_CD : TYPE_DISK;
}

static uint32_t standard_inquiry(const struct scsi_unit *unit, uint8_t *data)
{
    data[1] = unit && unit->dvd ? 0x80 : 0; /* removable */
    data[2] = 5;                            /* SPC-3 */
    data[3] = 0x12;                         /* hierarchical LUNs, response format 2 */
    data[4] = 31;                           /* 36 bytes in all */
    data[7] = 0x02;                         /* command queuing */
    memcpy(data + 8, VENDOR, 8);
    memcpy(data + 16, unit && unit->dvd ? DVD_PRODUCT : DISK_PRODUCT, 16);
    memcpy(data + 32, REVISION, 4);
    return 36;
}

static uint32_t vpd_pages(const struct scsi_unit *unit, uint8_t *page)
{
    static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
    uint32_t count = unit->dvd ? 3 : sizeof(pages); /* the last three are a disk's */

    memcpy(page, pages, count);
    return count;
}

static uint32_t vpd_serial(const struct scsi_unit *unit, uint8_t *page)
{
    uint32_t len = (uint32_t)strnlen(unit->serial, sizeof(unit->serial));

    memcpy(page, unit->serial, len);
    return len;
}

/* One designator: vendor and serial, in ASCII. */
static uint32_t vpd_identification(const struct scsi_unit *unit, uint8_t *page)
{
    uint32_t len = vpd_serial(unit, page + 12);

    page[0] = 0x02; /* ASCII */
    page[1] = 0x01; /* of the unit, vendor-based */
    page[3] = (uint8_t)(8 + len);
    memcpy(page + 4, VENDOR, 8);
    return 12 + len;
}

static uint32_t vpd_block_limits(const struct scsi_unit *unit, uint8_t *page)
{
    const struct disk *disk = unit->disk;
    uint32_t granularity = disk->physical_sector / DISK_SECTOR;

    page[0] = 1; /* WRITE SAME does not take a count of 0 */
    put_be16(page + 2, (uint16_t)granularity);
    put_be32(page + 4, LIMIT_DISK_TRANSFER / DISK_SECTOR);
    if (disk->can_discard) {
        put_be32(page + 16, LIMIT_UNMAP_BLOCKS);
        put_be32(page + 20, LIMIT_UNMAP_DESCRIPTORS);
        put_be32(page + 24, granularity);
        put_be32(page + 28, 0x80000000u); /* the alignment is given, and is 0 */
    }
    if (!disk->readonly)
        put_be64(page + 32, LIMIT_UNMAP_BLOCKS);
    return 60;
}

static uint32_t vpd_characteristics(uint8_t *page)
{
    put_be16(page, 1); /* does not rotate: ordering is the host's business */
    return 60;
}

/* Discarded blocks may read as anything: the ends of a range that do not fill a host block stay. */
static uint32_t vpd_provisioning(const struct scsi_unit *unit, uint8_t *page)
{
    if (unit->disk->can_discard) {
        page[1] = 0xc0; /* UNMAP and WRITE SAME 16 unmap */
        page[2] = 0x02; /* thin */
    }
    return 4;
}

/* Fill a VPD page's body; returns its length, or -1 for a page that the unit does not have. */
static int vpd_body(const struct scsi_unit *unit, uint8_t code, uint8_t *page)
{
    if (unit->dvd && code >= 0xb0)
        return -1;
    switch (code) {
    case 0x00:
        return (int)vpd_pages(unit, page);
    case 0x80:
        return (int)vpd_serial(unit, page);
    case 0x83:
        return (int)vpd_identification(unit, page);
    case 0xb0:
        return (int)vpd_block_limits(unit, page);
    case 0xb1:
        return (int)vpd_characteristics(page);
    case 0xb2:
        return (int)vpd_provisioning(unit, page);
    default:
        return -1;
    }
}

void scsi_inquiry(struct scsi_task *task)
{
    uint8_t data[128] = {device_type(task->unit)};
    uint8_t code = task->cdb[2];
    uint32_t allocation = get_be16(task->cdb + 3);
    uint32_t len;

    if (task->cdb[1] & 1 && task->unit) {
        int body = vpd_body(task->unit, code, data + VPD_HEADER);
        if (body < 0) {
            scsi_fail(task, SENSE_INVALID_FIELD);
            return;
        }
        data[1] = code;
        put_be16(data + 2, (uint16_t)body);
        len = VPD_HEADER + (uint32_t)body;
    } else if (task->cdb[1] & 3 || code) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    } else {
        len = standard_inquiry(task->unit, data);
    }
    scsi_reply(task, data, len, allocation);
}

/* --- MODE SENSE --- */

static uint32_t caching_page(const struct scsi_unit *unit, bool changeable, uint8_t *page)
{
    page[0] = MODE_PAGE_CACHING;
    page[1] = 0x12;
    if (!changeable && !unit->disk->readonly)
        page[2] = 0x04; /* write cache enabled */
    return 20;
}

/* What a read-only drive can do: nothing but read (MMC's capabilities page, obsolete and asked
 * for).
 */
static uint32_t capabilities_page(const struct scsi_unit *unit, bool changeable, uint8_t *page)
{
    page[0] = MODE_PAGE_CAPABILITIES;
    page[1] = 0x12;
    if (!changeable) {
        page[2] = 0x08;                     /* reads DVD-ROM */
        page[6] = unit->tray ? 0x29 : 0x20; /* tray; ejects, can be locked */
    }
    return 20;
}

/* Fill in the page that `code` asks for (each kind of unit has one, so "all" is that one too).
 * Returns its length, or 0 if there is no such page. */
static uint32_t mode_page(const struct scsi_unit *unit, uint8_t code, bool changeable,
                          uint8_t *page)
{
    if (code != MODE_PAGE_ALL && code != (unit->dvd ? MODE_PAGE_CAPABILITIES : MODE_PAGE_CACHING))
        return 0;
    return unit->dvd ? capabilities_page(unit, changeable, page)
                     : caching_page(unit, changeable, page);
}

/* The block descriptor; a count that does not fit is given as 0 by MODE SENSE 6's rule. */
static uint32_t block_descriptor(const struct scsi_unit *unit, uint8_t *descriptor)
{
    uint64_t blocks = scsi_blocks(unit);

    put_be32(descriptor, blocks > 0xffffff ? 0 : (uint32_t)blocks);
    put_be32(descriptor + 4, scsi_block_size(unit));
    return 8;
}

void scsi_mode_sense(struct scsi_task *task)
{
    const struct scsi_unit *unit = task->unit;
    const uint8_t *cdb = task->cdb;
    bool ten = cdb[0] == 0x5a;
    uint32_t header = ten ? 8 : 4;
    uint32_t len = header, descriptor = 0;
    uint8_t control = cdb[2] >> 6; /* 0 current, 1 changeable, 2 default, 3 saved */
    uint8_t data[64] = {0};

    if (control == 3) {
        scsi_fail(task, SENSE_NO_SAVED_PAGES);
        return;
    }
    if (!(cdb[1] & 0x08) && !unit->dvd)
        descriptor = block_descriptor(unit, data + header);
    len += descriptor;
    uint32_t page = mode_page(unit, cdb[2] & 0x3f, control == 1, data + len);
    if (!page || (cdb[3] && cdb[3] != 0xff)) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    len += page;
    uint8_t specific = MODE_DPOFUA;
    if (unit->dvd)
        specific = 0;
    else if (unit->disk->readonly)
        specific = MODE_WRITE_PROTECT | MODE_DPOFUA;
    if (ten) {
        put_be16(data, (uint16_t)(len - 2));
        data[3] = specific;
        put_be16(data + 6, (uint16_t)descriptor);
    } else {
        data[0] = (uint8_t)(len - 1);
        data[2] = specific;
        data[3] = (uint8_t)descriptor;
    }
    scsi_reply(task, data, len, ten ? get_be16(cdb + 7) : cdb[4]);
}

/* --- Capacity --- */

/* An image smaller than a block has none; this cannot be said, so it is given one, which no read
 * reaches. */
static uint64_t last_block(const struct scsi_unit *unit)
{
    uint64_t blocks = scsi_blocks(unit);

    return blocks ? blocks - 1 : 0;
}

void scsi_read_capacity_10(struct scsi_task *task)
{
    uint64_t last = last_block(task->unit);
    uint8_t data[8];

    /* All ones says "ask READ CAPACITY 16". */
    put_be32(data, last < UINT32_MAX ? (uint32_t)last : UINT32_MAX);
    put_be32(data + 4, scsi_block_size(task->unit));
    scsi_reply(task, data, sizeof(data), sizeof(data));
}

void scsi_read_capacity_16(struct scsi_task *task)
{
    const struct disk *disk = task->unit->disk;
    uint8_t data[32] = {0};

    put_be64(data, last_block(task->unit));
    put_be32(data + 8, scsi_block_size(task->unit));
    if (!task->unit->dvd) {
        data[13] = disk->physical_sector > DISK_SECTOR ? 3 : 0; /* 2^n sectors to a host block */
        data[14] = disk->can_discard ? 0x80 : 0;
    }
    scsi_reply(task, data, sizeof(data), get_be32(task->cdb + 10));
}

/* --- The rest --- */

void scsi_report_luns(struct scsi_task *task)
{
    uint8_t data[8 + 8 * LIMIT_SCSI_LUNS] = {0};
    uint32_t len = 8;

    _Static_assert(LIMIT_SCSI_LUNS <= 64, "lun_map has a bit for each");
    if (task->cdb[2] > 2) {
        scsi_fail(task, SENSE_INVALID_FIELD);
        return;
    }
    /* Report 1 is of well-known units, of which there are none. */
    for (unsigned lun = 0; lun < LIMIT_SCSI_LUNS && task->cdb[2] != 1; lun++) {
        if (!(task->lun_map & 1ull << lun))
            continue;
        data[len + 1] = (uint8_t)lun;
        len += 8;
    }
    put_be32(data, len - 8);
    scsi_reply(task, data, len, get_be32(task->cdb + 6));
}

/* Sense goes with the command that failed, so there is never any to ask for. */
void scsi_request_sense(struct scsi_task *task)
{
    uint8_t data[SCSI_SENSE_SIZE] = {0x70, [7] = SCSI_SENSE_SIZE - 8};

    if (task->cdb[1] & 1) /* descriptor format */
        scsi_fail(task, SENSE_INVALID_FIELD);
    else
        scsi_reply(task, data, sizeof(data), task->cdb[4]);
}
