/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of one takeover: what will be done, in order, and how far it has come.
 *
 * Two files per adapter, each replaced whole (temporary file, fsync, rename, fsync of the folder):
 * "adapter-INDEX.json" has all steps and is written before the first is done; "adapter-INDEX.at"
 * says how far, and is written before each step is done or undone. Killed anywhere, a fresh process
 * finds what may have happened. Addresses do not survive a reboot, and neither does a journal: it
 * carries the kernel's boot id, and one of another boot counts as none.
 */
#ifndef VMBUSD_VSWITCH_ADAPTER_JOURNAL_H
#define VMBUSD_VSWITCH_ADAPTER_JOURNAL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "vswitch/adapter_step.h"

enum adapter_phase {
    ADAPTER_TAKING,    /* steps before `at` may have been done */
    ADAPTER_TAKEN,     /* all have */
    ADAPTER_RETURNING, /* steps from `at` on have been undone, the one before it may have been */
    ADAPTER_PHASES
};

struct adapter_journal {
    char *folder;
    char *vswitch; /* who took it */
    struct adapter_end adapter, host;
    uint64_t read_at; /* CLOCK_BOOTTIME seconds when the items were read */
    enum adapter_phase phase;
    unsigned at;
    GPtrArray *steps; /* struct adapter_step, owned */
};

/* Hold the folder for this process (it is made if need be); close the descriptor to let go. -1 with
 * `error`. */
int adapter_journal_lock(const char *folder, GError **error);

/* A journal with no steps, not on disk yet. */
struct adapter_journal *adapter_journal_new(const char *folder, const char *vswitch,
                                            const struct adapter_end *adapter,
                                            const struct adapter_end *host, uint64_t read_at);
void adapter_journal_free(struct adapter_journal *journal);

/* Write the steps; then, or by itself, phase and position. False with ADAPTER_ERROR_SYSTEM. */
bool adapter_journal_write_steps(struct adapter_journal *journal, GError **error);
bool adapter_journal_write_at(struct adapter_journal *journal, enum adapter_phase phase,
                              unsigned at, GError **error);

/* Both files, if they are there. */
void adapter_journal_remove(const struct adapter_journal *journal);

/* All journals of this boot in the folder, an array that owns them. One that cannot be read is told
 * in the log and left where it is. An absent folder has none. */
GPtrArray *adapter_journal_load_all(const char *folder);

#endif
