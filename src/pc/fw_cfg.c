/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: see fw_cfg.h.
 */
#include "src/pc/fw_cfg.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "src/common/limits.h"

#define PORTS         12u
#define OFFSET_SELECT 0u
#define OFFSET_DATA   1u
#define OFFSET_DMA    4u

#define DMA_ERROR  0x01u
#define DMA_READ   0x02u
#define DMA_SKIP   0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE  0x10u

struct dma_block {
    uint32_t control; /* big-endian, all of them; the host answers here */
    uint32_t length;
    uint64_t address;
} __attribute__((packed));
_Static_assert(sizeof(struct dma_block) == 16, "wire size");

static void select_item(struct fw_cfg *fw_cfg, uint16_t key)
{
    fw_cfg->selected = NULL;
    fw_cfg->offset = 0;
    for (unsigned i = 0; i < fw_cfg->items; i++)
        if (fw_cfg->item[i].key == key)
            fw_cfg->selected = &fw_cfg->item[i];
}

/* Bytes of the item that are left. */
static uint32_t left(const struct fw_cfg *fw_cfg)
{
    if (!fw_cfg->selected || fw_cfg->offset >= fw_cfg->selected->size)
        return 0;
    return fw_cfg->selected->size - fw_cfg->offset;
}

/* Step over `count` bytes; past the end one stays there. */
static void skip(struct fw_cfg *fw_cfg, uint32_t count)
{
    uint32_t rest = left(fw_cfg);

    fw_cfg->offset += count < rest ? count : rest;
}

static uint8_t next_byte(struct fw_cfg *fw_cfg)
{
    uint8_t byte = left(fw_cfg) ? fw_cfg->selected->data[fw_cfg->offset] : 0;

    skip(fw_cfg, 1);
    return byte;
}

/* --- DMA --- */

static bool dma_read(struct fw_cfg *fw_cfg, uint64_t address, uint32_t length)
{
    uint32_t rest = left(fw_cfg), have = length < rest ? length : rest;

    if (length > LIMIT_FW_CFG_DMA || address > UINT64_MAX - length)
        return false;
    if (have && !gmem_write(fw_cfg->gmem, address, fw_cfg->selected->data + fw_cfg->offset, have))
        return false;
    skip(fw_cfg, have);
    return gmem_fill(fw_cfg->gmem, address + have, 0, length - have);
}

static void dma(struct fw_cfg *fw_cfg, uint64_t block_address)
{
    struct dma_block block;
    bool good = true;

    if (!gmem_read(fw_cfg->gmem, block_address, &block, sizeof(block)))
        return; /* and there is no place to say so */
    uint32_t control = be32toh(block.control), length = be32toh(block.length);
    if (control & DMA_SELECT)
        select_item(fw_cfg, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        good = dma_read(fw_cfg, be64toh(block.address), length);
    else if (control & DMA_WRITE)
        good = false;
    else if (control & DMA_SKIP)
        skip(fw_cfg, length);
    uint32_t answer = htobe32(good ? 0 : DMA_ERROR);
    gmem_write(fw_cfg->gmem, block_address, &answer, sizeof(answer));
}

/* --- Ports --- */

static uint32_t port_read(void *context, uint16_t offset, unsigned size)
{
    static const char signature[] = "QEMU CFG";
    uint32_t value = 0;

    if (offset >= OFFSET_DMA)
        memcpy(&value, &signature[offset - OFFSET_DMA], size);
    else if (offset == OFFSET_DATA && size == 1)
        value = next_byte(context);
    return value;
}

static void port_write(void *context, uint16_t offset, unsigned size, uint32_t value)
{
    struct fw_cfg *fw_cfg = context;

    if (offset == OFFSET_SELECT && size == 2) {
        select_item(fw_cfg, (uint16_t)value);
    } else if (offset == OFFSET_DMA && size == 4) {
        fw_cfg->dma_high = be32toh(value);
    } else if (offset == OFFSET_DMA + 4 && size == 4) {
        uint64_t address = (uint64_t)fw_cfg->dma_high << 32 | be32toh(value);
        fw_cfg->dma_high = 0;
        dma(fw_cfg, address);
    }
}

/* --- Making --- */

int fw_cfg_add(struct fw_cfg *fw_cfg, uint16_t key, const void *data, size_t size)
{
    if (fw_cfg->items == FW_CFG_ITEMS || size > UINT32_MAX)
        return -ENOSPC;
    fw_cfg->item[fw_cfg->items++] =
        (struct fw_cfg_item){.key = key, .size = (uint32_t)size, .data = data};
    return 0;
}

int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data, size_t size)
{
    struct fw_cfg_file *file = &fw_cfg->directory.file[fw_cfg->files];

    if (strlen(name) >= FW_CFG_NAME)
        return -EINVAL;
    if (fw_cfg->files == FW_CFG_FILES)
        return -ENOSPC;
    uint16_t key = (uint16_t)(FW_CFG_FIRST_FILE + fw_cfg->files);
    int error = fw_cfg_add(fw_cfg, key, data, size);
    if (error)
        return error;
    file->size = htobe32((uint32_t)size);
    file->key = htobe16(key);
    memcpy(file->name, name, strlen(name) + 1);
    fw_cfg->directory.count = htobe32(++fw_cfg->files);
    return 0;
}

int fw_cfg_init(struct fw_cfg *fw_cfg, struct gmem *gmem, struct pio *pio)
{
    static const uint8_t features[] = {0x03, 0, 0, 0}; /* ports and DMA */
    const struct pio_region region = {.base = FW_CFG_PORT,
                                      .count = PORTS,
                                      .read = port_read,
                                      .write = port_write,
                                      .context = fw_cfg};

    fw_cfg->gmem = gmem;
    fw_cfg_add(fw_cfg, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add(fw_cfg, FW_CFG_FEATURES, features, sizeof(features));
    fw_cfg_add(fw_cfg, FW_CFG_DIRECTORY, &fw_cfg->directory, sizeof(fw_cfg->directory));
    return pio_add(pio, &region);
}

void fw_cfg_reset(struct fw_cfg *fw_cfg)
{
    fw_cfg->selected = NULL;
    fw_cfg->offset = 0;
    fw_cfg->dma_high = 0;
}
