/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lane's loop: timers, hooks, and sources that go away while they are ready.
 */
#include "src/common/lane.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/container.h"

#define MS 1000000ull

/* Turn an idle lane until nothing is left to do. */
static void settle(struct lane *lane)
{
    while (lane_turn(lane, 0))
        ;
}

/* Timers. */

struct alarm {
    struct lane_timer timer;
    struct lane *lane;
    GString *log;
    char letter;
    uint64_t again;       /* arm again with this */
    struct alarm *cancel; /* cancel this one */
    uint64_t fired;
};

static void on_alarm(struct lane_timer *timer)
{
    struct alarm *alarm = container_of(timer, struct alarm, timer);

    g_string_append_c(alarm->log, alarm->letter);
    alarm->fired = lane_now();
    g_assert_cmpuint(timer->deadline, ==, 0);
    if (alarm->cancel)
        lane_timer_cancel(alarm->lane, &alarm->cancel->timer);
    if (alarm->again)
        lane_timer_arm(alarm->lane, timer, alarm->again);
}

static void test_timer_order(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GString) log = g_string_new(NULL);
    struct alarm a = {.timer.fire = on_alarm, .lane = lane, .log = log, .letter = 'a'};
    struct alarm b = a, c = a, d = a;
    uint64_t begin = lane_now();

    b.letter = 'b';
    c.letter = 'c';
    d.letter = 'd';
    lane_timer_arm(lane, &d.timer, UINT64_MAX); /* never, and it wraps nothing */
    lane_timer_arm(lane, &c.timer, 30 * MS);
    lane_timer_arm(lane, &a.timer, 90 * MS);
    lane_timer_arm(lane, &b.timer, 20 * MS);
    lane_timer_arm(lane, &a.timer, 10 * MS); /* moved, from last to first */
    g_assert_false(lane_turn(lane, 0));
    while (log->len < 3)
        g_assert_true(lane_turn(lane, 1000));
    g_assert_cmpstr(log->str, ==, "abc");
    g_assert_cmpuint(a.fired - begin, >=, 10 * MS);
    g_assert_cmpuint(b.fired - begin, >=, 20 * MS);
    g_assert_cmpuint(c.fired - begin, >=, 30 * MS);
    g_assert_false(lane_turn(lane, 20));
    lane_timer_cancel(lane, &d.timer);
    lane_timer_cancel(lane, &d.timer); /* not armed: nothing */
    lane_free(lane);
}

static void test_timer_cancel(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GString) log = g_string_new(NULL);
    struct alarm b = {.timer.fire = on_alarm, .lane = lane, .log = log, .letter = 'b'};
    struct alarm a = b;

    a.letter = 'a';
    a.cancel = &b;
    lane_timer_arm(lane, &a.timer, MS);
    lane_timer_arm(lane, &b.timer, MS + 1);
    g_usleep(5000); /* both due in the same turn; the first takes the second back */
    g_assert_true(lane_turn(lane, 1000));
    g_assert_false(lane_turn(lane, 20));
    g_assert_cmpstr(log->str, ==, "a");
    lane_free(lane);
}

static void test_timer_periodic(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GString) log = g_string_new(NULL);
    struct alarm a = {
        .timer.fire = on_alarm, .lane = lane, .log = log, .letter = 'a', .again = 2 * MS};
    uint64_t begin = lane_now();

    lane_timer_arm(lane, &a.timer, 0);
    while (log->len < 5)
        g_assert_true(lane_turn(lane, 1000));
    g_assert_cmpuint(lane_now() - begin, >=, 8 * MS);
    lane_timer_cancel(lane, &a.timer);
    g_assert_false(lane_turn(lane, 10));
    lane_free(lane);
}

/* Hooks. */

struct counter {
    struct lane_hook hook;
    struct lane *lane;
    GString *log;
    char letter;
    unsigned again;
    struct lane_hook *remove;
};

static bool on_turn_end(struct lane_hook *hook)
{
    struct counter *counter = container_of(hook, struct counter, hook);

    g_string_append_c(counter->log, counter->letter);
    if (counter->remove)
        lane_hook_remove(counter->lane, counter->remove);
    if (!counter->again)
        return false;
    counter->again--;
    return true;
}

static void test_hooks(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GString) log = g_string_new(NULL);
    struct counter a = {{.turn_end = on_turn_end}, lane, log, 'a', 2, NULL};
    struct counter b = {{.turn_end = on_turn_end}, lane, log, 'b', 0, NULL};

    lane_hook_add(lane, &a.hook);
    lane_hook_add(lane, &b.hook);
    g_assert_true(lane_turn(lane, 0));
    g_assert_true(lane_turn(lane, -1)); /* does not sleep: a wants more */
    g_assert_false(lane_turn(lane, -1));
    g_assert_cmpstr(log->str, ==, "ababab");
    lane_hook_remove(lane, &a.hook);
    lane_hook_remove(lane, &a.hook);
    lane_turn(lane, 0);
    g_assert_cmpstr(log->str, ==, "abababb");
    lane_free(lane);
}

static void test_hook_removes(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GString) log = g_string_new(NULL);
    struct counter c = {{.turn_end = on_turn_end}, lane, log, 'c', 0, NULL};
    struct counter b = {{.turn_end = on_turn_end}, lane, log, 'b', 0, NULL};
    struct counter a = {{.turn_end = on_turn_end}, lane, log, 'a', 0, &b.hook};

    c.remove = &c.hook;
    lane_hook_add(lane, &a.hook);
    lane_hook_add(lane, &b.hook);
    lane_hook_add(lane, &c.hook);
    lane_turn(lane, 0);
    g_assert_cmpstr(log->str, ==, "ac"); /* a took out b, its neighbour; c itself */
    lane_turn(lane, 0);
    g_assert_cmpstr(log->str, ==, "aca");
    lane_free(lane);
}

/* Sources. */

struct bell {
    struct lane_source source;
    struct lane *lane;
    unsigned rings;
    uint32_t events;
    struct bell **other; /* unwatch and free this one */
};

static void on_bell(struct lane_source *source, uint32_t events)
{
    struct bell *bell = container_of(source, struct bell, source);
    uint64_t count;

    bell->rings++;
    bell->events = events;
    g_assert_cmpint(read(source->fd, &count, sizeof(count)), ==, sizeof(count));
}

static void bell_free(struct bell *bell)
{
    lane_unwatch(bell->lane, &bell->source);
    close(bell->source.fd);
    g_free(bell);
}

static void on_bell_free_other(struct lane_source *source, uint32_t events)
{
    struct bell *bell = container_of(source, struct bell, source);

    on_bell(source, events);
    g_clear_pointer(bell->other, bell_free);
}

static struct bell *bell_new(struct lane *lane,
                             void (*ready)(struct lane_source *source, uint32_t events))
{
    struct bell *bell = g_new0(struct bell, 1);

    bell->source = (struct lane_source){eventfd(0, EFD_CLOEXEC), ready, false};
    bell->lane = lane;
    g_assert_cmpint(lane_watch(lane, &bell->source, EPOLLIN), ==, 0);
    return bell;
}

static void ring(const struct bell *bell)
{
    eventfd_write(bell->source.fd, 1);
}

static void test_source(void)
{
    struct lane *lane = lane_new("test");
    struct bell *bell = bell_new(lane, on_bell);

    g_assert_false(lane_turn(lane, 0));
    ring(bell);
    g_assert_true(lane_turn(lane, -1));
    g_assert_cmpuint(bell->rings, ==, 1);
    g_assert_cmphex(bell->events, ==, EPOLLIN);
    g_assert_false(lane_turn(lane, 0));

    g_assert_cmpint(lane_watch(lane, &bell->source, 0), ==, 0);
    ring(bell);
    g_assert_false(lane_turn(lane, 0));
    g_assert_cmpint(lane_watch(lane, &bell->source, EPOLLIN | EPOLLOUT), ==, 0);
    g_assert_true(lane_turn(lane, 0));
    g_assert_cmphex(bell->events, ==, EPOLLIN | EPOLLOUT);

    lane_unwatch(lane, &bell->source);
    ring(bell);
    g_assert_false(lane_turn(lane, 0));
    bell_free(bell); /* unwatches again: nothing */
    lane_free(lane);
}

static void test_source_bad(void)
{
    struct lane *lane = lane_new("test");
    struct lane_source source = {.fd = -1, .ready = on_bell};

    g_assert_cmpint(lane_watch(lane, &source, EPOLLIN), ==, -EBADF);
    g_assert_false(source.watched);
    lane_free(lane);
}

/* Both are ready in one turn; whichever is first frees the other, whose event must not be seen. */
static void test_source_freed_by_other(void)
{
    struct lane *lane = lane_new("test");
    struct bell *a = bell_new(lane, on_bell_free_other);
    struct bell *b = bell_new(lane, on_bell_free_other);

    a->other = &b;
    b->other = &a;
    ring(a);
    ring(b);
    g_assert_true(lane_turn(lane, 0));
    g_assert_true(!a != !b);
    struct bell *left = a ? a : b;
    g_assert_cmpuint(left->rings, ==, 1);
    g_assert_false(lane_turn(lane, 0));
    bell_free(left);
    lane_free(lane);
}

static void test_source_frees_itself(void)
{
    struct lane *lane = lane_new("test");
    struct bell *bell = bell_new(lane, on_bell_free_other);

    bell->other = &bell;
    ring(bell);
    g_assert_true(lane_turn(lane, 0));
    g_assert_null(bell);
    g_assert_false(lane_turn(lane, 0));
    lane_free(lane);
}

/* The freed source's memory is used again for another that is watched in the same turn: the old
 * event must not reach it. */
struct reuse {
    struct bell bell[2];
    unsigned first; /* which was dispatched; 2: none yet */
};

static void on_reuse(struct lane_source *source, uint32_t events)
{
    struct bell *bell = container_of(source, struct bell, source);
    struct reuse *reuse = (struct reuse *)bell->other;

    on_bell(source, events);
    g_assert_cmpuint(reuse->first, ==, 2);
    reuse->first = bell == &reuse->bell[1];
    struct bell *other = &reuse->bell[!reuse->first];
    lane_unwatch(bell->lane, &other->source);
    close(other->source.fd);
    other->source.fd = eventfd(0, EFD_CLOEXEC);
    g_assert_cmpint(lane_watch(bell->lane, &other->source, EPOLLIN), ==, 0);
}

static void test_source_reused(void)
{
    struct lane *lane = lane_new("test");
    struct reuse reuse = {.first = 2};

    for (unsigned i = 0; i < 2; i++) {
        reuse.bell[i] = (struct bell){
            .source = {eventfd(0, EFD_CLOEXEC), on_reuse, false},
            .lane = lane,
            .other = (struct bell **)&reuse,
        };
        lane_watch(lane, &reuse.bell[i].source, EPOLLIN);
        ring(&reuse.bell[i]);
    }
    g_assert_true(lane_turn(lane, 0));
    g_assert_cmpuint(reuse.bell[0].rings + reuse.bell[1].rings, ==, 1);
    for (unsigned i = 0; i < 2; i++) {
        lane_unwatch(lane, &reuse.bell[i].source);
        close(reuse.bell[i].source.fd);
    }
    lane_free(lane);
}

/* What is no longer asked for is not delivered, even if it was ready when the turn began. */
static void on_mute_other(struct lane_source *source, uint32_t events)
{
    struct bell *bell = container_of(source, struct bell, source);

    on_bell(source, events);
    g_assert_cmpint(lane_watch(bell->lane, &(*bell->other)->source, 0), ==, 0);
}

static void test_source_muted(void)
{
    struct lane *lane = lane_new("test");
    struct bell *a = bell_new(lane, on_mute_other);
    struct bell *b = bell_new(lane, on_mute_other);

    a->other = &b;
    b->other = &a;
    ring(a);
    ring(b);
    g_assert_true(lane_turn(lane, 0));
    g_assert_cmpuint(a->rings + b->rings, ==, 1);
    bell_free(a);
    bell_free(b);
    lane_free(lane);
}

/* More ready sources than one batch holds: all are served. */
static void test_source_many(void)
{
    struct lane *lane = lane_new("test");
    struct bell *bell[150];

    for (unsigned i = 0; i < G_N_ELEMENTS(bell); i++) {
        bell[i] = bell_new(lane, on_bell);
        ring(bell[i]);
    }
    settle(lane);
    for (unsigned i = 0; i < G_N_ELEMENTS(bell); i++) {
        g_assert_cmpuint(bell[i]->rings, ==, 1);
        bell_free(bell[i]);
    }
    lane_free(lane);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lane/timer/order", test_timer_order);
    g_test_add_func("/lane/timer/cancel", test_timer_cancel);
    g_test_add_func("/lane/timer/periodic", test_timer_periodic);
    g_test_add_func("/lane/hook/order", test_hooks);
    g_test_add_func("/lane/hook/removes", test_hook_removes);
    g_test_add_func("/lane/source/ready", test_source);
    g_test_add_func("/lane/source/bad", test_source_bad);
    g_test_add_func("/lane/source/freed-by-other", test_source_freed_by_other);
    g_test_add_func("/lane/source/frees-itself", test_source_frees_itself);
    g_test_add_func("/lane/source/reused", test_source_reused);
    g_test_add_func("/lane/source/muted", test_source_muted);
    g_test_add_func("/lane/source/many", test_source_many);
    return g_test_run();
}
