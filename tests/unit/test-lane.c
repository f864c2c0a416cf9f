/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes: tasks in their order from any thread, calls, start and end.
 */
#include "src/common/lane.h"

#include <pthread.h>
#include <unistd.h>

#include <glib.h>

#include "src/common/container.h"

/* Turn an idle lane until nothing is left to do. */
static void settle(struct lane *lane)
{
    while (lane_turn(lane, 0))
        ;
}

/* Tasks. */

struct numbered {
    struct lane_task task;
    GArray *order;
    unsigned number;
};

static void append_number(struct lane_task *task)
{
    struct numbered *numbered = container_of(task, struct numbered, task);

    g_array_append_val(numbered->order, numbered->number);
}

static void test_post_order(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(unsigned));
    struct numbered numbered[100];

    for (unsigned i = 0; i < 100; i++) {
        numbered[i] = (struct numbered){{.run = append_number}, order, i};
        lane_post(lane, &numbered[i].task);
    }
    g_assert_true(lane_turn(lane, -1));
    g_assert_false(lane_turn(lane, 0));
    g_assert_cmpuint(order->len, ==, 100);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpuint(g_array_index(order, unsigned, i), ==, i);
    lane_free(lane);
}

static void test_post_twice(void)
{
    struct lane *lane = lane_new("test");
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(unsigned));
    struct numbered numbered = {{.run = append_number}, order, 1};

    lane_post(lane, &numbered.task);
    lane_post(lane, &numbered.task);
    settle(lane);
    g_assert_cmpuint(order->len, ==, 1);
    lane_post(lane, &numbered.task);
    settle(lane);
    g_assert_cmpuint(order->len, ==, 2);
    lane_free(lane);
}

struct repost {
    struct lane_task task;
    struct lane *lane;
    unsigned runs;
};

static void run_repost(struct lane_task *task)
{
    struct repost *repost = container_of(task, struct repost, task);

    if (++repost->runs < 5)
        lane_post(repost->lane, task);
}

/* A task that posts itself runs once a turn, so that it starves nobody. */
static void test_post_itself(void)
{
    struct lane *lane = lane_new("test");
    struct repost repost = {{.run = run_repost}, lane, 0};

    lane_post(lane, &repost.task);
    g_assert_true(lane_turn(lane, -1));
    g_assert_cmpuint(repost.runs, ==, 1);
    g_assert_true(lane_turn(lane, -1)); /* does not sleep on a task that came during the turn */
    g_assert_cmpuint(repost.runs, ==, 2);
    settle(lane);
    g_assert_cmpuint(repost.runs, ==, 5);
    lane_free(lane);
}

static void run_free(struct lane_task *task)
{
    g_free(task);
}

static void test_task_frees_itself(void)
{
    struct lane *lane = lane_new("test");

    for (unsigned i = 0; i < 10; i++) {
        struct lane_task *task = g_new0(struct lane_task, 1);
        task->run = run_free;
        lane_post(lane, task);
    }
    settle(lane);
    lane_free(lane);
}

/* Many threads post to one: nothing is lost, each thread's own order is kept. */
#define POSTERS    4u
#define POSTS_EACH 5000u

struct poster {
    struct lane *lane;
    pthread_t thread;
    unsigned seen; /* lane's: next number */
};

struct post {
    struct lane_task task;
    struct poster *poster;
    unsigned number;
};

static void run_post(struct lane_task *task)
{
    struct post *post = container_of(task, struct post, task);

    g_assert_cmpuint(post->number, ==, post->poster->seen);
    post->poster->seen++;
    g_free(post);
}

static void *post_many(void *context)
{
    struct poster *poster = context;

    for (unsigned i = 0; i < POSTS_EACH; i++) {
        struct post *post = g_new0(struct post, 1);
        *post = (struct post){{.run = run_post}, poster, i};
        lane_post(poster->lane, &post->task);
        if (i % 64 == 0)
            g_usleep(10); /* let the lane fall asleep now and then */
    }
    return NULL;
}

static void test_post_threads(void)
{
    struct lane *lane = lane_new("test");
    struct poster poster[POSTERS];

    g_assert_cmpint(lane_start(lane, NULL, NULL), ==, 0);
    for (unsigned i = 0; i < POSTERS; i++) {
        poster[i] = (struct poster){.lane = lane};
        pthread_create(&poster[i].thread, NULL, post_many, &poster[i]);
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(poster[i].thread, NULL);
    lane_free(lane);
    for (unsigned i = 0; i < POSTERS; i++)
        g_assert_cmpuint(poster[i].seen, ==, POSTS_EACH);
}

/* One task posted over and over: each post is seen, though runs may serve several. */
struct latest {
    struct lane_task task;
    unsigned value; /* poster's; ordered by the post alone */
    unsigned seen;
};

static void run_latest(struct lane_task *task)
{
    struct latest *latest = container_of(task, struct latest, task);

    latest->seen = __atomic_load_n(&latest->value, __ATOMIC_RELAXED);
}

static void nothing(void *context)
{
    (void)context;
}

static void test_post_again(void)
{
    struct lane *lane = lane_new("test");
    struct latest latest = {.task.run = run_latest};

    lane_start(lane, NULL, NULL);
    for (unsigned i = 1; i <= 20000; i++) {
        __atomic_store_n(&latest.value, i, __ATOMIC_RELAXED);
        lane_post(lane, &latest.task);
    }
    lane_call(lane, nothing, NULL);
    g_assert_cmpuint(latest.seen, ==, 20000);
    lane_free(lane);
}

/* Calls. */

struct where {
    struct lane *lane;
    pthread_t thread;
    bool current;
    unsigned calls;
};

static void note_where(void *context)
{
    struct where *where = context;

    where->thread = pthread_self();
    where->current = lane_is_current(where->lane);
    where->calls++;
}

static void call_itself(void *context)
{
    struct where *where = context;

    lane_call(where->lane, note_where, where);
}

static void test_call(void)
{
    struct lane *lane = lane_new("test");
    struct where where = {.lane = lane};

    g_assert_true(lane_is_current(lane));
    lane_call(lane, note_where, &where); /* no thread yet: here */
    g_assert_true(pthread_equal(where.thread, pthread_self()));

    lane_start(lane, NULL, NULL);
    g_assert_false(lane_is_current(lane));
    for (unsigned i = 0; i < 2000; i++) {
        where.current = false;
        lane_call(lane, note_where, &where);
        g_assert_true(where.current);
        g_assert_false(pthread_equal(where.thread, pthread_self()));
    }
    lane_call(lane, call_itself, &where);
    g_assert_cmpuint(where.calls, ==, 2002);
    lane_free(lane);
}

static void *caller(void *context)
{
    struct where *where = context;

    for (unsigned i = 0; i < 2000; i++)
        lane_call(where->lane, note_where, where);
    return NULL;
}

static void test_call_threads(void)
{
    struct lane *lane = lane_new("test");
    struct where where = {.lane = lane};
    pthread_t thread[3];

    lane_start(lane, NULL, NULL);
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, caller, &where);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    lane_free(lane);
    g_assert_cmpuint(where.calls, ==, 3 * 2000);
}

static void test_enter(void)
{
    struct lane *lane = lane_new("a-name-longer-than-fifteen");
    struct where where = {.lane = lane};
    char name[16];

    lane_start(lane, note_where, &where);
    lane_call(lane, nothing, NULL);
    g_assert_cmpuint(where.calls, ==, 1);
    g_assert_true(where.current);
    g_assert_false(pthread_equal(where.thread, pthread_self()));
    pthread_getname_np(where.thread, name, sizeof(name));
    g_assert_cmpstr(name, ==, "a-name-longer-t");
    lane_free(lane);
}

static void stop_lane(struct lane_task *task)
{
    struct repost *repost = container_of(task, struct repost, task);

    lane_stop(repost->lane);
}

static void test_run_here(void)
{
    struct lane *lane = lane_new("test");
    struct repost stop = {{.run = stop_lane}, lane, 0};
    struct repost late = {{.run = run_repost}, lane, 4};

    lane_post(lane, &stop.task);
    lane_post(lane, &late.task);
    lane_run(lane);
    g_assert_cmpuint(late.runs, ==, 5); /* posted before the end, so it has run */
    g_assert_true(lane_is_current(lane));
    lane_post(lane, &late.task);
    lane_free(lane);
    g_assert_cmpuint(late.runs, ==, 6); /* too late for the loop */
    lane_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lane/post/order", test_post_order);
    g_test_add_func("/lane/post/twice", test_post_twice);
    g_test_add_func("/lane/post/itself", test_post_itself);
    g_test_add_func("/lane/post/frees-itself", test_task_frees_itself);
    g_test_add_func("/lane/post/threads", test_post_threads);
    g_test_add_func("/lane/post/again", test_post_again);
    g_test_add_func("/lane/call", test_call);
    g_test_add_func("/lane/call-threads", test_call_threads);
    g_test_add_func("/lane/enter", test_enter);
    g_test_add_func("/lane/run-here", test_run_here);
    return g_test_run();
}
