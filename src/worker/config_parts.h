/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What config.c and the parts beside it share while they read a machine description.
 */
#ifndef VMBUSD_WORKER_CONFIG_PARTS_H
#define VMBUSD_WORKER_CONFIG_PARTS_H

#include "src/common/json.h"
#include "src/worker/config.h"

/* A UUID in text form; all zeros is refused. */
bool config_guid_read(const struct json_at *at, struct json_object *value, struct guid *into,
                      GError **error);

/* RFC 4122 version 5 (SHA-1 of name space and name): `uuidgen --sha1` gives the same. */
struct guid config_guid_derive(const struct guid *space, const char *name);

/* The value of "profile", which is read first; `into` is the struct config. */
bool config_profile_read(const struct json_at *at, struct json_object *value, void *into,
                         GError **error);

/* What a profile fills in where nothing was given; before the other _finish(). */
bool config_profile_finish(struct config *config, GError **error);

/* The value of "scsi"; `into` is the struct config. */
bool config_scsi_read(const struct json_at *at, struct json_object *value, void *into,
                      GError **error);

/* Once uuid and vcpus are known: derived instances, queues against vCPUs, duplicates. */
bool config_scsi_finish(struct config *config, GError **error);

/* The value of "ide"; `into` is the struct config. */
bool config_ide_read(const struct json_at *at, struct json_object *value, void *into,
                     GError **error);

/* The same for "nics". They own nothing. */
bool config_nic_read(const struct json_at *at, struct json_object *value, void *into,
                     GError **error);
void config_nic_clear(struct config *config);
bool config_nic_finish(struct config *config, GError **error);

/* One of the list, into a struct config_nic that config_nic_init() has made ready. */
extern const struct json_key config_nic_keys[];
void config_nic_init(struct config_nic *nic);

/* For one that comes later, as number `index`: its instance is derived if none is given, queues are
 * held against vCPUs, the instance against SCSI controllers'. */
bool config_nic_complete(const struct config *config, struct config_nic *nic, unsigned index,
                         GError **error);

void config_lun_clear(struct config_lun *lun);

/* Free what `scsi` owns. */
void config_scsi_clear(struct config_scsi *scsi);

#endif
