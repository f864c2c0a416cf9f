/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines, read back through a pipe in stderr's place.
 */
#include "src/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

struct capture {
    int saved, pipe[2];
    char text[8192];
    unsigned writes;
};

/* A pipe in packet mode, where one read returns what one write gave. */
static void capture_begin(struct capture *capture)
{
    g_assert_no_errno(pipe2(capture->pipe, O_NONBLOCK | O_DIRECT));
    capture->saved = dup(STDERR_FILENO);
    dup2(capture->pipe[1], STDERR_FILENO);
    log_set_name("");
}

static void capture_end(struct capture *capture)
{
    size_t len = 0;
    ssize_t got;

    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    for (capture->writes = 0;; capture->writes++) {
        got = read(capture->pipe[0], capture->text + len, sizeof(capture->text) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    capture->text[len] = 0;
    close(capture->pipe[0]);
    close(capture->pipe[1]);
}

static void test_line(void)
{
    struct capture capture;

    capture_begin(&capture);
    log_error("disk %s: %d", "a", 5);
    log_set_name("worker[vm1]");
    log_info("ready");
    capture_end(&capture);
    g_assert_cmpstr(capture.text, ==, "<3>disk a: 5\n<6>worker[vm1]: ready\n");
    g_assert_cmpuint(capture.writes, ==, 2);
}

static void test_level(void)
{
    struct capture capture;

    capture_begin(&capture);
    log_debug("unseen");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("seen");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("unseen");
    log_set_level(LOG_LEVEL_INFO);
    capture_end(&capture);
    g_assert_cmpstr(capture.text, ==, "<7>seen\n");
}

static void test_errno(void)
{
    struct capture capture;

    capture_begin(&capture);
    errno = ENOENT;
    log_error("%m");
    g_assert_cmpint(errno, ==, ENOENT);
    capture_end(&capture);
    g_assert_cmpstr(capture.text, ==, "<3>No such file or directory\n");
}

/* Text from a guest cannot begin a line of its own, nor steer a terminal. */
static void test_forged_line(void)
{
    struct capture capture;

    capture_begin(&capture);
    log_warning("guest says %s", "hi\n<0>root: all is lost\r\x1b[2J\x7f");
    capture_end(&capture);
    g_assert_cmpstr(capture.text, ==, "<4>guest says hi?<0>root: all is lost??[2J?\n");
}

static void test_long_line(void)
{
    struct capture capture;
    g_autofree char *text = g_strnfill(5000, 'x');
    g_autofree char *name = g_strnfill(100, 'n');

    capture_begin(&capture);
    log_set_name(name);
    log_error("%s", text);
    capture_end(&capture);
    size_t len = strlen(capture.text);
    g_assert_cmpuint(len, >, 900);
    g_assert_cmpuint(len, <=, 1024);
    g_assert_true(g_str_has_suffix(capture.text, "xxx...\n"));
    g_assert_cmpuint(strspn(capture.text + 3, "n"), ==, 63);
}

/* A message that just fits is not cut: "<3>", the text, the newline. */
static void test_full_line(void)
{
    struct capture capture;

    for (int len = 1015; len < 1025; len++) {
        g_autofree char *text = g_strnfill((gsize)len, 'x');
        capture_begin(&capture);
        log_error("%s", text);
        capture_end(&capture);
        bool cut = g_str_has_suffix(capture.text, "...\n");
        g_assert_cmpuint(strlen(capture.text), ==, cut ? 1023u : (unsigned)len + 4);
        g_assert_true(cut == (len > 1019));
    }
}

static void test_limit(void)
{
    struct log_limit limit = {0};
    uint32_t swallowed = 7;
    unsigned passed = 0;

    for (unsigned i = 0; i < 1000; i++)
        passed += log_limit_pass(&limit, &swallowed);
    /* Twice the burst if the ten seconds happened to end in between. */
    g_assert_cmpuint(passed, >=, LOG_LIMIT_BURST);
    g_assert_cmpuint(passed, <=, 2 * LOG_LIMIT_BURST);
    g_assert_cmpuint(atomic_load(&limit.suppressed), <=, 1000 - LOG_LIMIT_BURST);

    /* The next window: one more line, which tells how many were swallowed. */
    uint32_t before = atomic_load(&limit.suppressed);
    g_assert_cmpuint(before, >, 0);
    atomic_store(&limit.window, 1);
    g_assert_true(log_limit_pass(&limit, &swallowed));
    g_assert_cmpuint(swallowed, ==, before);
    g_assert_true(log_limit_pass(&limit, &swallowed));
    g_assert_cmpuint(swallowed, ==, 0);
}

static void test_guest_flood(void)
{
    struct log_limit limit = {0};
    struct capture capture;
    unsigned lines = 0;

    capture_begin(&capture);
    for (unsigned i = 0; i < 100000; i++)
        log_guest(&limit, "bad packet %u", i);
    capture_end(&capture);
    for (const char *c = capture.text; *c; c++)
        lines += *c == '\n';
    g_assert_cmpuint(lines, >=, LOG_LIMIT_BURST);
    g_assert_cmpuint(lines, <=, 2 * LOG_LIMIT_BURST + 1);
}

static void *flood(void *context)
{
    struct log_limit *limit = context;
    uintptr_t passed = 0;
    uint32_t swallowed;

    for (unsigned i = 0; i < 20000; i++)
        passed += log_limit_pass(limit, &swallowed);
    return (void *)passed;
}

static void test_limit_threads(void)
{
    struct log_limit limit = {0};
    GThread *thread[4];
    uintptr_t passed = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(thread); i++)
        thread[i] = g_thread_new("flood", flood, &limit);
    for (unsigned i = 0; i < G_N_ELEMENTS(thread); i++)
        passed += (uintptr_t)g_thread_join(thread[i]);
    g_assert_cmpuint(passed, >=, LOG_LIMIT_BURST);
    g_assert_cmpuint(passed, <=, 2 * LOG_LIMIT_BURST + G_N_ELEMENTS(thread));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/line", test_line);
    g_test_add_func("/log/level", test_level);
    g_test_add_func("/log/errno", test_errno);
    g_test_add_func("/log/attack/forged-line", test_forged_line);
    g_test_add_func("/log/long-line", test_long_line);
    g_test_add_func("/log/full-line", test_full_line);
    g_test_add_func("/log/limit", test_limit);
    g_test_add_func("/log/limit-threads", test_limit_threads);
    g_test_add_func("/log/attack/guest-flood", test_guest_flood);
    return g_test_run();
}
