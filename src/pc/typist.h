/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The typist: presses keys together, holds them, lets them go, at the pace at which the guest takes
 * them from its keyboard controller. Lane: main.
 */
#ifndef VMBUSD_PC_TYPIST_H
#define VMBUSD_PC_TYPIST_H

#include "src/common/lane.h"
#include "src/common/limits.h"
#include "src/pc/i8042.h"
#include "src/pc/keys.h"

#define TYPIST_HOLD_MS     50u
#define TYPIST_HOLD_MS_MAX 10000u
#define TYPIST_PATIENCE_S  5u /* a guest that takes no key for so long takes none */

struct typist {
    struct i8042 *i8042;
    const struct pc_host *host;
    struct lane_timer timer;
    const struct key *key[LIMIT_KEYS];
    unsigned count;
    unsigned next; /* of down, then up: 0 to 2 * count */
    uint64_t hold, deadline;
    void (*done)(void *context, int result); /* NULL: idle */
    void *context;
};

/* Zero `typist` first. Both outlive it. */
void typist_init(struct typist *typist, struct i8042 *i8042, const struct pc_host *host);

/* Keys are down. */
bool typist_busy(const struct typist *typist);

/* Press 1 to LIMIT_KEYS keys while not busy. `done` is told when it is over, perhaps before this
 * returns: 0; -ETIMEDOUT: the guest takes no keys; -ECANCELED: by typist_fini(). */
void typist_press(struct typist *typist, const struct key *const *key, unsigned count,
                  unsigned hold_ms, void (*done)(void *context, int result), void *context);

void typist_fini(struct typist *typist);

#endif
