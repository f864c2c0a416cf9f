/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine: one guest, assembled from KVM, the PC, the bus and its devices, and what can be done
 * with it.
 *
 * Everything here runs on the main lane (the bus's lane, the control socket's lane) after
 * machine_start().
 */
#ifndef VMBUSD_WORKER_MACHINE_H
#define VMBUSD_WORKER_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "src/pc/screen.h"
#include "src/pc/typist.h"
#include "src/worker/config.h"
#include "vmbus/bus.h"
#include "vmbus/ic.h"
#include "vmbus/netvsp.h"
#include "vmbus/storvsp.h"

struct machine;
struct tulip;

enum machine_state {
    MACHINE_STARTING,
    MACHINE_RUNNING,
    MACHINE_PAUSED,
    MACHINE_RESETTING,
    MACHINE_CRASHED,
    MACHINE_STOPPED
};

/* Why the machine stopped or what happened to it; the control socket sends these as events. */
enum machine_event {
    MACHINE_EVENT_RUNNING, /* started, resumed, or running again after a reset */
    MACHINE_EVENT_PAUSED,
    MACHINE_EVENT_RESET,    /* guest or host asked for a reset */
    MACHINE_EVENT_POWEROFF, /* the guest switched itself off */
    MACHINE_EVENT_CRASH,    /* guest crash MSRs written, or a vCPU is stuck; see machine_crash() */
    MACHINE_EVENT_NICS,     /* a network adapter came, leaves or has gone */
    MACHINE_EVENT_ERROR,    /* a reset failed */
    MACHINE_EVENT_STOPPED,  /* the worker ends now */
};

/* A listener for events; lane: main. */
void machine_listen(struct machine *machine, void (*event)(enum machine_event event, void *context),
                    void *context);

enum machine_state machine_state(const struct machine *machine);
const char *machine_state_text(enum machine_state state);
const char *machine_event_text(enum machine_event event);
const struct config *machine_config(const struct machine *machine);

/* 0, or -EINVAL in a state that does not allow it (pause a paused machine). pause returns when
 * every vCPU has left KVM_RUN. */
int machine_pause(struct machine *machine);
int machine_resume(struct machine *machine);

/* As the reset button: asynchronous, ends with MACHINE_EVENT_RUNNING, or _PAUSED if the machine was
 * paused before. */
int machine_reset(struct machine *machine);

/* As pulling the plug: the worker's main lane ends, exit status 0. */
void machine_stop(struct machine *machine);

#define MACHINE_CRASH_TEXT (4096u + 1) /* a page at most, by the TLFS */

/* The last crash report: five parameters, and the message (guest text, made printable) or "". False
 * if there was none. */
bool machine_crash(const struct machine *machine, uint64_t parameter[5], char *message,
                   unsigned size);

struct vmbus_bus *machine_bus(struct machine *machine);

/* Devices; NULL if the description leaves them out. */
struct heartbeat *machine_heartbeat(struct machine *machine);
struct shutdown *machine_shutdown(struct machine *machine);
struct timesync *machine_timesync(struct machine *machine);
struct kvp *machine_kvp(struct machine *machine);
struct storvsp *machine_scsi(struct machine *machine, unsigned index); /* NULL past the last */
/* NIC `index` is one of these two; NULL if it is the other, or there is none of that number. */
struct netvsp *machine_nic(struct machine *machine, unsigned index);
struct tulip *machine_legacy_nic(struct machine *machine, unsigned index);
/* What offers the IDE disk at place `unit` on the VMBus; NULL if nothing does. */
struct storvsp *machine_ide_twin(struct machine *machine, unsigned unit);

/* What the adapter is, NULL if there is none of that number; and whether it leaves. */
const struct config_nic *machine_nic_config(const struct machine *machine, unsigned index,
                                            bool *ret_leaving);

/* Plug one more adapter into the machine, as `nic` says, which is copied; an instance of zeros is
 * replaced by one of its number. That number, or -1 with `error`. */
int machine_nic_add(struct machine *machine, const struct config_nic *nic, GError **error);

/* Take one out; it is gone when the guest has let go of it, and its number may be used again, if it
 * is not one of the description's. False with `error`. */
bool machine_nic_remove(struct machine *machine, unsigned index, GError **error);

/* Put the disc that `fd` is (the machine's from here on; -1: none) into the IDE drive of this
 * place. True: done(context) comes, on the main lane, when the guest can see it. False with
 * `error`. */
bool machine_change_media(struct machine *machine, unsigned unit, int fd,
                          void (*done)(void *context), void *context, GError **error);

/* The VM generation counter's id; and another. False: the machine has no counter. Main lane. */
bool machine_generation(const struct machine *machine, struct guid *ret_id);
bool machine_set_generation(struct machine *machine, const struct guid *id);

/* KVM's own counters of this VM, summed over vCPUs. */
struct machine_stats {
    uint64_t uptime_ns;  /* since machine_start() */
    uint64_t user_exits; /* exits to this process */
    uint64_t exits;      /* all VM exits by KVM's binary statistics; 0 if the host has none */
    uint64_t resets;
    uint64_t vcpu_time_ns;    /* CPU time of the vCPU threads */
    uint64_t process_time_ns; /* CPU time of the process */
};
void machine_stats(const struct machine *machine, struct machine_stats *ret_stats);

/* What the guest shows; NULL if it has no VGA. */
struct screen *machine_screen(struct machine *machine);

/* Who types on the guest's keyboard; NULL if it has none. */
struct typist *machine_typist(struct machine *machine);

/* Path of the pty or socket that serial port `number` leads to, 0: COM1; or NULL. */
const char *machine_console(const struct machine *machine, unsigned number);

/* The main lane. */
struct lane *machine_lane(struct machine *machine);

#endif
