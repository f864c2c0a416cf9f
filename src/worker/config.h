/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine description: what vmbusd-worker is told to run, as plain C.
 *
 * Read from JSON (json-c) and checked whole before anything is made: an unknown key, a wrong type
 * or a value out of range is an error that names the key. vmbusd-worker.json(5) is the reference;
 * keep both alike.
 */
#ifndef VMBUSD_WORKER_CONFIG_H
#define VMBUSD_WORKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/common/guid.h"
#include "src/common/limits.h"
#include "src/pc/console.h"

enum config_action { ACTION_DESTROY, ACTION_RESTART, ACTION_PRESERVE };
enum config_lun_type { CONFIG_DISK, CONFIG_DVD };

struct config_lun {
    unsigned lun;
    enum config_lun_type type;
    char *path; /* NULL: DVD drive without a disc */
    bool readonly;
    bool direct;  /* "cache": "none" (default) or "writeback" */
    bool discard; /* "discard": "unmap" or "ignore" (default) */
    bool shared;  /* "shareable" */
    char *serial; /* up to 36 characters; NULL: made from uuid, controller and LUN */
};

struct config_scsi {
    struct guid instance; /* given, or derived from the machine's uuid and the controller's index */
    unsigned queues;      /* channels, 1 to vcpus */
    struct config_lun *lun;
    unsigned luns;
};

struct config_nic {
    bool legacy;               /* "model": "legacy" or "synthetic" (default) */
    bool fixed;                /* of a legacy one; "media": "fixed" or "mii" (default) */
    struct guid instance;      /* given, or derived from the machine's uuid and the NIC's index */
    uint8_t mac[6];            /* unicast, not zero */
    bool mac_change;           /* the guest may take another address */
    unsigned mtu;              /* without the Ethernet header */
    unsigned queues;           /* channels, 1 to vcpus */
    char *network, *portgroup; /* for vmbusd; NULL: not given */
};

struct config_console {
    enum console_kind kind;
    char *path; /* socket */
    char *log;  /* NULL: none */
    uint64_t log_max;
};

struct config_pair {
    char *key, *value;
};

struct config {
    char *machine; /* "vmbusd-0.1" */
    char *name;    /* 1 to 63 of [A-Za-z0-9._-] */
    bool ws2003;   /* "profile": has set defaults of what follows */
    struct guid uuid;
    struct guid generation; /* "generation_id": given, or derived from the uuid */
    bool generation_given;
    uint64_t memory;                         /* bytes */
    bool overcommit;                         /* skip admission, loudly */
    unsigned vcpus, sockets, cores, threads; /* sockets * cores * threads == vcpus */
    char *cpu_model;                         /* "host", "x86-64-v1" ... "x86-64-v3" */
    char *firmware;    /* boot from SeaBIOS' image at this path; NULL: kernel is given */
    bool firmware_log; /* what the firmware says goes to the log */
    char *vga_rom;     /* with firmware: a VGA BIOS */
    char *kernel, *initrd, *cmdline; /* initrd may be NULL */
    struct config_console console;   /* of COM1 */
    struct config_console console_2; /* of COM2, which a machine has that boots from firmware */
    bool rtc_local;
    bool direct_timers; /* hyperv.direct_timers, default true */
    bool ide_twins;     /* hyperv.ide_twins, default true: IDE disks are on the VMBus too */
    bool host_2008_r2;  /* hyperv.identity: "2008r2" or "current" (default) */
    bool nic_removal;   /* hyperv.nic_removal, default true: adapters may be taken out */
    uint32_t vmbus_max; /* hyperv.vmbus_version, VMBUS_V* value; default 5.3 */
    bool heartbeat, shutdown, timesync, kvp; /* integration.*, default true */
    struct config_pair *kvp_pair;            /* integration.kvp_pool: host pool */
    unsigned kvp_pairs;
    struct config_scsi *scsi;
    unsigned scsis;
    struct config_lun *ide; /* `lun` is the place: 0, 1 primary master, slave; 2, 3 secondary */
    unsigned ides;
    struct config_nic *nic;
    unsigned nics;
    char *control; /* control socket's path; NULL: <run dir>/<name>.sock */
    char *run_dir; /* NULL: /run/vmbusd for root, $XDG_RUNTIME_DIR/vmbusd else */
    int64_t uid;   /* -1: choose a free one from the range */
    bool sandbox;  /* default true; false only for debugging, said loudly in the log */
    enum config_action on_poweroff, on_reboot, on_crash; /* destroy, restart, destroy */
};

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);
enum config_error { CONFIG_ERROR_READ, CONFIG_ERROR_SYNTAX, CONFIG_ERROR_KEY, CONFIG_ERROR_VALUE };

/* Parse the file (at most LIMIT_CONFIG_BYTES; "-" is standard input). NULL with `error`: one line
 * "FILE: memory.mib: ...". */
struct config *config_load(const char *path, GError **error);

/* The same from memory, for tests and fuzzing. `text` need not be terminated. */
struct config *config_parse(const char *text, size_t len, GError **error);

void config_free(struct config *config);

/* Hyper-V has the VM generation counter since Windows Server 2012. */
bool config_has_generation(const struct config *config);

/* The place of the first drive for discs in "ide", as the list has them; LIMIT_IDE_DRIVES: none. */
unsigned config_first_dvd(const struct config *config);

#endif
