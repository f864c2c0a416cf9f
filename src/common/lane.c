/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lane's event loop.
 *
 * Posts from other threads go on a lock-free stack that the lane takes whole and turns round, so
 * they run in the order of posting. The poster writes the eventfd only if the lane said that it may
 * sleep; lane and poster each publish before they look at the other ("asleep" against the stack's
 * head), so one of them always sees the other.
 */
#include "src/common/lane.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "src/common/container.h"

#define LANE_BATCH    64           /* events of one epoll_wait() */
#define LANE_STACK    (256 * 1024) /* too small for a huge page, which 8 MiB would get at its end */
#define NS_PER_SECOND 1000000000ull

struct lane {
    char name[16];
    int epoll;
    struct lane_source wake;  /* eventfd: posts and lane_stop() */
    struct lane_source clock; /* timerfd of the first timer */

    _Atomic(struct lane_task *) posted; /* newest first */
    atomic_bool asleep;                 /* may be in epoll_wait(): whoever clears it must write */
    atomic_bool stopping;
    atomic_bool running; /* a thread is in the loop, or about to be */

    pthread_t thread;
    bool started; /* `thread` is to be joined */
    void (*enter)(void *context);
    void *context;

    struct lane_timer *timers; /* by deadline; equal ones in the order of arming */
    uint64_t armed;            /* deadline that the timerfd is set to; 0 = not set */
    bool due;                  /* the timerfd has expired */

    struct lane_hook *hooks;
    struct lane_hook *next_hook; /* the one that the running turn calls next */
    bool busy;                   /* a hook wants another turn */

    struct epoll_event batch[LANE_BATCH];
    int batch_size, batch_next; /* events of this turn; from batch_next on not yet dispatched */
};

static _Thread_local const struct lane *current_lane;

uint64_t lane_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void on_wake(struct lane_source *source, uint32_t events)
{
    uint64_t count;

    (void)events;
    /* Reads the counter to zero; what woke us is found by the turn itself. */
    while (read(source->fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

static void on_clock(struct lane_source *source, uint32_t events)
{
    struct lane *lane = container_of(source, struct lane, clock);
    uint64_t count;

    (void)events;
    if (read(source->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return; /* re-armed since it expired */
    lane->armed = 0;
    lane->due = true;
}

static void close_lane(struct lane *lane)
{
    int error = errno;

    if (lane->clock.fd >= 0)
        close(lane->clock.fd);
    if (lane->wake.fd >= 0)
        close(lane->wake.fd);
    if (lane->epoll >= 0)
        close(lane->epoll);
    free(lane);
    errno = error;
}

struct lane *lane_new(const char *name)
{
    struct lane *lane = calloc(1, sizeof(*lane));

    if (!lane)
        return NULL;
    snprintf(lane->name, sizeof(lane->name), "%s", name);
    lane->epoll = epoll_create1(EPOLL_CLOEXEC);
    lane->wake = (struct lane_source){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_wake, false};
    lane->clock = (struct lane_source){timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                                       on_clock, false};
    if (lane->epoll < 0 || lane->wake.fd < 0 || lane->clock.fd < 0 ||
        lane_watch(lane, &lane->wake, EPOLLIN) < 0 || lane_watch(lane, &lane->clock, EPOLLIN) < 0) {
        close_lane(lane);
        return NULL;
    }
    return lane;
}

static void wake_up(struct lane *lane)
{
    static const uint64_t one = 1;

    if (!atomic_exchange(&lane->asleep, false))
        return;
    while (write(lane->wake.fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

void lane_post(struct lane *lane, struct lane_task *task)
{
    /* Read-modify-write also when it is queued already: it orders what the caller wrote before
     * against the exchange in run_posted(). */
    if (atomic_exchange(&task->queued, true))
        return;
    struct lane_task *head = atomic_load(&lane->posted);
    do
        task->next = head;
    while (!atomic_compare_exchange_weak(&lane->posted, &head, task));
    /* From here on the task may have run and be gone. */
    wake_up(lane);
}

/* Run what has been posted up to now, oldest first. True if there was anything. */
static bool run_posted(struct lane *lane)
{
    struct lane_task *newest = atomic_exchange(&lane->posted, NULL);
    struct lane_task *oldest = NULL;

    while (newest) {
        struct lane_task *task = newest;
        newest = task->next;
        task->next = oldest;
        oldest = task;
    }
    bool any = oldest;
    while (oldest) {
        struct lane_task *task = oldest;
        oldest = task->next;
        atomic_exchange(&task->queued, false); /* first, so that it can be posted while it runs */
        task->run(task);
    }
    return any;
}

static bool run_timers(struct lane *lane)
{
    bool any = false;

    if (!lane->due)
        return false;
    lane->due = false;
    uint64_t now = lane_now();
    while (lane->timers && lane->timers->deadline <= now) {
        struct lane_timer *timer = lane->timers;
        lane->timers = timer->next;
        timer->deadline = 0;
        timer->fire(timer);
        any = true;
    }
    return any;
}

/* Set the timerfd if the first timer is another than it is set to. */
static void arm_clock(struct lane *lane)
{
    uint64_t deadline = lane->timers ? lane->timers->deadline : 0;
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(deadline / NS_PER_SECOND),
                                           .tv_nsec = (long)(deadline % NS_PER_SECOND)}};

    if (deadline == lane->armed)
        return;
    timerfd_settime(lane->clock.fd, TFD_TIMER_ABSTIME, &when, NULL);
    lane->armed = deadline;
}

static bool run_hooks(struct lane *lane)
{
    bool again = false;

    for (struct lane_hook *hook = lane->hooks; hook; hook = lane->next_hook) {
        lane->next_hook = hook->next;
        again |= hook->turn_end(hook);
    }
    return again;
}

/* Wait for at most `timeout_ms` (-1: for ever) and dispatch what is ready. */
static bool run_sources(struct lane *lane, int timeout_ms)
{
    bool any = false;

    if (timeout_ms) {
        atomic_store(&lane->asleep, true);
        if (atomic_load(&lane->posted) || atomic_load(&lane->stopping))
            timeout_ms = 0;
    }
    lane->batch_size = epoll_wait(lane->epoll, lane->batch, LANE_BATCH, timeout_ms);
    atomic_store(&lane->asleep, false);
    lane->batch_next = 0;
    while (lane->batch_next < lane->batch_size) {
        const struct epoll_event *event = &lane->batch[lane->batch_next++];
        struct lane_source *source = event->data.ptr;
        if (!source) /* taken back by an earlier callback of this turn */
            continue;
        any |= source != &lane->wake && source != &lane->clock;
        source->ready(source, event->events);
    }
    lane->batch_size = 0;
    return any;
}

bool lane_turn(struct lane *lane, int timeout_ms)
{
    arm_clock(lane);
    bool any = run_sources(lane, lane->busy ? 0 : timeout_ms);
    any |= run_timers(lane);
    any |= run_posted(lane);
    lane->busy = run_hooks(lane);
    return any || lane->busy;
}

static void loop(struct lane *lane)
{
    current_lane = lane;
    while (!atomic_load(&lane->stopping))
        lane_turn(lane, -1);
    run_posted(lane);
    current_lane = NULL;
}

void lane_run(struct lane *lane)
{
    atomic_store(&lane->running, true);
    loop(lane);
    atomic_store(&lane->running, false);
}

static void *thread_main(void *argument)
{
    struct lane *lane = argument;

    pthread_setname_np(pthread_self(), lane->name);
    current_lane = lane;
    if (lane->enter)
        lane->enter(lane->context);
    loop(lane);
    return NULL;
}

int lane_start(struct lane *lane, void (*enter)(void *context), void *context)
{
    sigset_t all, saved;

    lane->enter = enter;
    lane->context = context;
    atomic_store(&lane->running, true);
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LANE_STACK);
    int error = pthread_create(&lane->thread, &attributes, thread_main, lane);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    lane->started = !error;
    if (error)
        atomic_store(&lane->running, false);
    return -error;
}

void lane_stop(struct lane *lane)
{
    atomic_store(&lane->stopping, true);
    wake_up(lane);
}

void lane_end(struct lane *lane)
{
    if (lane->started) {
        lane_stop(lane);
        pthread_join(lane->thread, NULL);
        lane->started = false;
    }
    atomic_store(&lane->running, false);
    run_posted(lane); /* came after the loop's last turn; somebody may wait in lane_call() */
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    lane_end(lane);
    close_lane(lane);
}

bool lane_is_current(const struct lane *lane)
{
    return current_lane == lane || !atomic_load(&lane->running);
}

struct call {
    struct lane_task task;
    void (*fn)(void *context);
    void *context;
    sem_t done;
};

static void run_call(struct lane_task *task)
{
    struct call *call = container_of(task, struct call, task);

    call->fn(call->context);
    sem_post(&call->done); /* the caller's stack may be gone after this */
}

void lane_call(struct lane *lane, void (*fn)(void *context), void *context)
{
    struct call call = {.task = {.run = run_call}, .fn = fn, .context = context};

    if (lane_is_current(lane)) {
        fn(context);
        return;
    }
    sem_init(&call.done, 0, 0);
    lane_post(lane, &call.task);
    while (sem_wait(&call.done) < 0 && errno == EINTR)
        ;
    sem_destroy(&call.done);
}

/* Take from this turn's undispatched events of `source` all but `keep`. */
static void retract(struct lane *lane, const struct lane_source *source, uint32_t keep)
{
    for (int i = lane->batch_next; i < lane->batch_size; i++) {
        struct epoll_event *event = &lane->batch[i];
        if (event->data.ptr != source)
            continue;
        event->events &= keep;
        if (!event->events)
            event->data.ptr = NULL;
    }
}

int lane_watch(struct lane *lane, struct lane_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    int op = source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(lane->epoll, op, source->fd, &event) < 0)
        return -errno;
    source->watched = true;
    retract(lane, source, events | EPOLLERR | EPOLLHUP);
    return 0;
}

void lane_unwatch(struct lane *lane, struct lane_source *source)
{
    if (!source->watched)
        return;
    epoll_ctl(lane->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    source->watched = false;
    retract(lane, source, 0);
}

void lane_timer_arm(struct lane *lane, struct lane_timer *timer, uint64_t after_ns)
{
    uint64_t now = lane_now();
    struct lane_timer **link = &lane->timers;

    lane_timer_cancel(lane, timer);
    timer->deadline = after_ns < UINT64_MAX - now ? now + after_ns : UINT64_MAX;
    while (*link && (*link)->deadline <= timer->deadline)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
}

void lane_timer_cancel(struct lane *lane, struct lane_timer *timer)
{
    if (!timer->deadline)
        return;
    struct lane_timer **link = &lane->timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->deadline = 0;
}

void lane_hook_add(struct lane *lane, struct lane_hook *hook)
{
    struct lane_hook **link = &lane->hooks;

    while (*link)
        link = &(*link)->next;
    hook->next = NULL;
    *link = hook;
}

void lane_hook_remove(struct lane *lane, struct lane_hook *hook)
{
    struct lane_hook **link = &lane->hooks;

    while (*link && *link != hook)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = hook->next;
    if (lane->next_hook == hook)
        lane->next_hook = hook->next;
}
