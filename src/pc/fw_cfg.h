/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: what the machine tells its firmware, by number and by file name.
 *
 * The interface that SeaBIOS asks (QEMU's docs/specs/fw_cfg): a selector and a data port, and DMA
 * by a control block in guest memory. Items are constant; an item that nobody has added reads as
 * zeros, and so does what lies behind an item's end.
 *
 * Left out: items that the guest may write.
 */
#ifndef VMBUSD_PC_FW_CFG_H
#define VMBUSD_PC_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

#include "src/kvm/gmem.h"
#include "src/pc/pio.h"

#define FW_CFG_PORT  0x510u
#define FW_CFG_ITEMS 32u
#define FW_CFG_FILES 24u
#define FW_CFG_NAME  56u

/* Numbers of items. */
#define FW_CFG_SIGNATURE     0x0000u
#define FW_CFG_FEATURES      0x0001u
#define FW_CFG_UUID          0x0002u
#define FW_CFG_RAM_SIZE      0x0003u
#define FW_CFG_NOGRAPHIC     0x0004u
#define FW_CFG_CPUS          0x0005u
#define FW_CFG_MAX_CPUS      0x000fu
#define FW_CFG_DIRECTORY     0x0019u
#define FW_CFG_FIRST_FILE    0x0020u
#define FW_CFG_IRQ0_OVERRIDE 0x8002u

struct fw_cfg_item {
    uint16_t key;
    uint32_t size;
    const uint8_t *data;
};

/* One entry of the directory; all big-endian. */
struct fw_cfg_file {
    uint32_t size;
    uint16_t key;
    uint16_t reserved;
    char name[FW_CFG_NAME];
} __attribute__((packed));
_Static_assert(sizeof(struct fw_cfg_file) == 64, "wire size");

struct fw_cfg_directory {
    uint32_t count; /* big-endian */
    struct fw_cfg_file file[FW_CFG_FILES];
} __attribute__((packed));

struct fw_cfg {
    struct gmem *gmem;
    struct fw_cfg_item item[FW_CFG_ITEMS];
    unsigned items, files;
    struct fw_cfg_directory directory;
    const struct fw_cfg_item *selected; /* NULL: nothing there */
    uint32_t offset;                    /* of the next byte */
    uint32_t dma_high;                  /* of the control block's address */
};

/* Zero `fw_cfg` first. Takes ports 0x510 to 0x51B; 0 or pio_add()'s error. */
int fw_cfg_init(struct fw_cfg *fw_cfg, struct gmem *gmem, struct pio *pio);

/* `data` is the caller's and stays. 0; -ENOSPC; -EINVAL for a name that is too long. Start-up. */
int fw_cfg_add(struct fw_cfg *fw_cfg, uint16_t key, const void *data, size_t size);
int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size);

/* PC lock held. */
void fw_cfg_reset(struct fw_cfg *fw_cfg);

#endif
