/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The typist: see typist.h.
 */
#include "src/pc/typist.h"

#include <errno.h>

#include "src/common/container.h"

#define MS       1000000ull
#define RETRY_NS (10 * MS)

static void end(struct typist *typist, int result)
{
    void (*done)(void *context, int result) = typist->done;

    typist->done = NULL;
    lane_timer_cancel(typist->host->lane, &typist->timer);
    done(typist->context, result);
}

/* The next key down, or up in the other order; false if the keyboard's queue is full. */
static bool step(struct typist *typist)
{
    unsigned count = typist->count, next = typist->next;
    bool down = next < count;
    uint8_t code[KEY_CODE_MAX];
    unsigned length = key_code(typist->key[down ? next : 2 * count - 1 - next], down, code);

    pthread_mutex_lock(typist->host->lock);
    bool taken = !length || i8042_key(typist->i8042, code, length);
    pthread_mutex_unlock(typist->host->lock);
    typist->next += taken;
    return taken;
}

static void go_on(struct typist *typist)
{
    while (typist->next < 2 * typist->count && step(typist)) {
        typist->deadline = lane_now() + TYPIST_PATIENCE_S * 1000 * MS;
        if (typist->next == typist->count) {
            lane_timer_arm(typist->host->lane, &typist->timer, typist->hold);
            return;
        }
    }
    if (typist->next == 2 * typist->count)
        end(typist, 0);
    else if (lane_now() >= typist->deadline)
        end(typist, -ETIMEDOUT);
    else
        lane_timer_arm(typist->host->lane, &typist->timer, RETRY_NS);
}

static void on_timer(struct lane_timer *timer)
{
    go_on(container_of(timer, struct typist, timer));
}

void typist_init(struct typist *typist, struct i8042 *i8042, const struct pc_host *host)
{
    typist->i8042 = i8042;
    typist->host = host;
    typist->timer.fire = on_timer;
}

bool typist_busy(const struct typist *typist)
{
    return typist->done;
}

void typist_press(struct typist *typist, const struct key *const *key, unsigned count,
                  unsigned hold_ms, void (*done)(void *context, int result), void *context)
{
    for (unsigned i = 0; i < count; i++)
        typist->key[i] = key[i];
    typist->count = count;
    typist->next = 0;
    typist->hold = hold_ms * MS;
    typist->deadline = lane_now() + TYPIST_PATIENCE_S * 1000 * MS;
    typist->done = done;
    typist->context = context;
    go_on(typist);
}

void typist_fini(struct typist *typist)
{
    if (typist->done)
        end(typist, -ECANCELED);
}
