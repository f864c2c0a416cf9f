/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host for tests of the adapter manager: in a namespace of its own a veth "eth0" whose other end,
 * "wire0", lies in a second one; and a look at everything that the host's network consists of.
 */
#ifndef VMBUSD_TESTS_UNIT_ADAPTER_FIXTURE_H
#define VMBUSD_TESTS_UNIT_ADAPTER_FIXTURE_H

#include <stdbool.h>

#include <glib.h>

#define HOST_TEST_SECONDS 1200

/* Make it, in the caller's (fresh) namespace. The descriptor of the far one. False, with the test
 * skipped, where nft or /dev/net/tun is missing. */
int host_build(void);
bool host_possible(void);

/* An open TAP with virtio-net headers. */
int host_tap(const char *name);

/* Run body(context) in a child in the same namespace; its wait status. */
int host_child(void (*body)(void *context), void *context);

/* What a command prints; fail unless it prints `wanted`. */
char *host_output(const char *command);
void host_assert_output(const char *command, const char *wanted);

/* The same, with the time in front of it. */
char *host_look(const char *command);

/* The host's network in a canonical form: addresses, routes, rules, neighbours, settings, nft. */
char *host_dump(void);

/* Fail unless two looks are equal, lifetimes ("3599sec") within 5 s of what they must be by now. */
void host_assert_equal(const char *before, const char *after);

#endif
