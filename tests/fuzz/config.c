/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a machine description from a hostile file. What is taken must keep the promises of
 * config.h.
 */
#include <stdlib.h>

#include "src/worker/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct config *config = config_parse((const char *)data, size, &error);

    require(!config == !!error);
    if (error) {
        require(g_utf8_validate(error->message, -1, NULL));
        require(!strchr(error->message, '\n'));
        g_error_free(error);
        return 0;
    }
    require(config->vcpus >= 1 && config->vcpus <= LIMIT_VCPUS);
    require(config->sockets * config->cores * config->threads == config->vcpus);
    require(config->memory >= LIMIT_MEMORY_MIN && config->memory <= LIMIT_MEMORY_MAX);
    require(config->name && (config->kernel || config->firmware));
    require(config->cmdline && config->cpu_model);
    require(config->scsis <= LIMIT_SCSI_CONTROLLERS && config->kvp_pairs <= LIMIT_KVP_ENTRIES);
    for (unsigned i = 0; i < config->scsis; i++) {
        require(config->scsi[i].luns <= LIMIT_SCSI_LUNS);
        require(config->scsi[i].queues >= 1 && config->scsi[i].queues <= config->vcpus);
        for (unsigned j = 0; j < config->scsi[i].luns; j++)
            require(config->scsi[i].lun[j].lun < LIMIT_SCSI_LUNS);
    }
    config_free(config);
    return 0;
}
