/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parent for tests of what its child does: vmbusd's own, in a process beside the test's, which is
 * the child of it as far as requests go.
 */
#ifndef VMBUSD_TESTS_UNIT_PARENT_FIXTURE_H
#define VMBUSD_TESTS_UNIT_PARENT_FIXTURE_H

struct parent_fixture;

/* Start it and connect privileged.h to it. Its worker program is "false". */
struct parent_fixture *parent_fixture_new(const char *config_dir, const char *run_dir);

/* Hang up and wait for its end. */
void parent_fixture_free(struct parent_fixture *fixture);

#endif
