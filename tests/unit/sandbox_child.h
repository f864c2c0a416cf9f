/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the sandbox's tests: children that have entered it, and processes for them to attack.
 */
#ifndef VMBUSD_TESTS_UNIT_SANDBOX_CHILD_H
#define VMBUSD_TESTS_UNIT_SANDBOX_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include <liburing.h>

#include "src/worker/sandbox.h"

#define LAYERS_ONLY SANDBOX_KINDS /* all but seccomp */
#define EXIT_BROKEN 200           /* a child's exit status: it could not be set up */

struct fixture {
    char *run_dir;
    pid_t other_worker;   /* another VM's, inside the sandbox; it took the first uid */
    pid_t bystander;      /* a process of the user who runs this test */
    int image;            /* an open file with "image" in it */
    struct io_uring ring; /* sealed, `image` its file 0; each child makes its own */
};

extern struct fixture fixture;

/* Ends the program, all tests skipped, where the machine has not the means. */
void fixture_begin(void);
void fixture_end(void);

/* Both victims are alive. */
void assert_victims_live(void);

/* Wait for a child; its wait status. */
int reap(pid_t child);

/* The wait status is that of a process killed by seccomp. */
void assert_killed(int status);

/* In a child: make the ring, then enter as `kind` of thread, or end with EXIT_BROKEN. */
void enter(unsigned kind);

/* Run `attempt` in a child that has entered. Its wait status: it exits with the errno, 0 if the
 * attempt returned no negative number. */
int run_inside(unsigned kind, long (*attempt)(void));

/* Make fixture.ring. Returns uring_seal()'s result. */
int make_ring(void);

#endif
