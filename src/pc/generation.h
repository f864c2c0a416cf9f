/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VM generation counter (Microsoft, "Virtual Machine Generation ID"): 128 bits that change when
 * the machine becomes another one with the same memory (copied, restored from a backup), so that
 * its guest makes new keys and does not repeat what it has said.
 *
 * The id is at the beginning of a page of its own, which firmware reserves, at a fixed address and
 * read-only for the guest: whoever writes it needs no pointer of the guest's. ACPI's device
 * (acpi_pc.c) says where; a change is told by a general-purpose event.
 */
#ifndef VMBUSD_PC_GENERATION_H
#define VMBUSD_PC_GENERATION_H

#include "src/common/guid.h"
#include "src/pc/pc.h"
#include "src/pc/pm.h"

struct generation {
    const struct pc_host *host;
    struct pm *pm;
    struct guid *page; /* NULL: the machine has no counter */
};

/* Zero `generation` first. `pm` tells the guest; it and `host` must outlive this. 0 or -ENOMEM.
 * Start-up. */
int generation_init(struct generation *generation, const struct pc_host *host, struct pm *pm,
                    const struct guid *id);

/* Show the page to a fresh VM. 0 or pc_map()'s error. PC lock held. */
int generation_map(const struct generation *generation);

/* Another id; the guest is told if it is not the same. PC lock held. */
void generation_set(struct generation *generation, const struct guid *id);

/* Nothing may have it mapped any more. */
void generation_fini(struct generation *generation);

#endif
