/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lane: one thread with one event loop.
 *
 * Whatever belongs to a lane (a channel, a disk's submission context, a timer) is touched from no
 * other thread, so devices need no locks. Work crosses lanes as a posted task. The loop is epoll
 * with one eventfd for posts and one timerfd for all timers; sources, timers, hooks and tasks are
 * embedded in their owners, so the loop never allocates while it runs.
 *
 * Order inside one turn: ready sources, due timers, posted tasks, then the hooks (each may say that
 * there is more to do, and then the lane does not sleep).
 *
 * Left out: priorities, fairness between sources (each callback bounds its own batch),
 * edge-triggered epoll.
 */
#ifndef VMBUSD_COMMON_LANE_H
#define VMBUSD_COMMON_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lane;

/* A closure for another lane. Embed it; `run` is called once per post, on the lane. A task that is
 * already queued stays queued once. The memory must live until it has run; `run` may free it. */
struct lane_task {
    void (*run)(struct lane_task *task);
    struct lane_task *next;
    atomic_bool queued;
};

/* A file descriptor to watch. `events` are EPOLLIN and EPOLLOUT; `ready` gets what is set (EPOLLHUP
 * and EPOLLERR too). Any callback may unwatch and free any source, its own included; unwatch before
 * the descriptor is closed. */
struct lane_source {
    int fd;
    void (*ready)(struct lane_source *source, uint32_t events);
    bool watched;
};

/* A one-shot timer; arm it again from `fire` for a periodic one. */
struct lane_timer {
    void (*fire)(struct lane_timer *timer);
    uint64_t deadline; /* CLOCK_MONOTONIC ns; 0 = not armed */
    struct lane_timer *next;
};

/* Called at the end of every turn, for batching (submit what has gathered, poll a completion
 * queue). Returns true if it wants another turn before the lane sleeps. */
struct lane_hook {
    bool (*turn_end)(struct lane_hook *hook);
    struct lane_hook *next;
};

/* A lane without a thread yet; `name` is the thread's name (15 bytes). NULL with errno on failure.
 */
struct lane *lane_new(const char *name);

/* Stop and join; then what belongs to the lane may be taken off it and freed by any one thread.
 * Tasks that came too late for the loop run here, so that nobody waits in lane_call() for ever. Not
 * from the lane itself. */
void lane_end(struct lane *lane);

/* As lane_end(), and free. NULL is fine. Sources stay open: they belong to their owners. */
void lane_free(struct lane *lane);

/* Run the loop on the calling thread until lane_stop(). */
void lane_run(struct lane *lane);

/* Run the loop on a thread of its own. `enter`, if not NULL, is called first on that thread
 * (sandbox). 0 or -errno. */
int lane_start(struct lane *lane, void (*enter)(void *context), void *context);

/* One turn of the loop on the calling thread, waiting at most `timeout_ms` (-1: for ever) for
 * something to do; true if it did anything. For tests, and for start-up before the lane runs; never
 * from a callback of the lane. */
bool lane_turn(struct lane *lane, int timeout_ms);

/* Ask the loop to end after its current turn; tasks posted before still run. Any thread, signal
 * handlers too. */
void lane_stop(struct lane *lane);

/* True on the lane's own thread (also true on every thread before the lane runs: start-up is
 * single-threaded). */
bool lane_is_current(const struct lane *lane);

/* Queue `task` on `lane`. Any thread, never blocks, never fails. */
void lane_post(struct lane *lane, struct lane_task *task);

/* Run fn(context) on `lane` and wait until it has returned; at once if already there or if the lane
 * has no thread. Never from a lane that the other may be waiting for: the main lane calls I/O
 * lanes, not the reverse. */
void lane_call(struct lane *lane, void (*fn)(void *context), void *context);

/* On the lane only (or before it runs). lane_watch() on a watched source changes its events. 0 or
 * -errno. What is not watched, armed or added may be unwatched, cancelled or removed: nothing
 * happens. Hooks run in the order in which they were added. */
int lane_watch(struct lane *lane, struct lane_source *source, uint32_t events);
void lane_unwatch(struct lane *lane, struct lane_source *source);
void lane_timer_arm(struct lane *lane, struct lane_timer *timer, uint64_t after_ns);
void lane_timer_cancel(struct lane *lane, struct lane_timer *timer);
void lane_hook_add(struct lane *lane, struct lane_hook *hook);
void lane_hook_remove(struct lane *lane, struct lane_hook *hook);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t lane_now(void);

#endif
