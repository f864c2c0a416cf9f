/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing disks: what every backend shares.
 */
#include "src/disk/disk.h"

#include <unistd.h>

G_DEFINE_QUARK(disk_error, disk_error)

struct disk *disk_open(const struct disk_class *class, const struct disk_params *params,
                       GError **error)
{
    struct disk *disk = g_malloc0(class->state_size);

    disk->class = class;
    disk->path = g_strdup(params->path);
    disk->readonly = params->readonly;
    disk->physical_sector = DISK_SECTOR;
    disk->memory_alignment = 1;
    disk->offset_alignment = 1;
    if (!class->open(disk, params, error)) {
        g_free(disk->path);
        g_free(disk);
        return NULL;
    }
    return disk;
}

void disk_close(struct disk *disk)
{
    if (!disk)
        return;
    disk->class->close(disk);
    g_free(disk->path);
    g_free(disk);
}
