/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests on real interfaces: each runs in a child process with a network namespace of its own, which
 * the kernel takes away with the child.
 */
#ifndef VMBUSD_TESTS_UNIT_NETNS_FIXTURE_H
#define VMBUSD_TESTS_UNIT_NETNS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Add the test `body` at `path`. Skipped, with the reason, where there are no namespaces. */
void netns_test_add(const char *path, void (*body)(void));

/* The caller's namespace; a new one (loopback up, no IPv6 router solicitation); go there. */
int netns_current(void);
int netns_new(void);
void netns_enter(int ns);

/* Run shell commands in the caller's namespace; they must succeed. */
void netns_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A child that runs fn(context) in the namespace and ends; `wait` demands that it returned. */
pid_t netns_spawn(int ns, void (*fn)(void *context), void *context);
void netns_wait(pid_t pid);

/* One of an interface's offloads (ETHTOOL_S* of linux/ethtool.h). */
void netns_ethtool(const char *ifname, uint32_t command, uint32_t value);

/* --- A raw station: frames as bytes, no offloads -------------------------------------------- */

int raw_open(const char *ifname);
void raw_send(int fd, const void *bytes, size_t length);

/* True for a frame of Ethernet type 0x88b5, behind whatever tags. */
bool raw_is_ours(const uint8_t *bytes, size_t length);

/* The next of our frames, its tag put back into the bytes; 0 if
 * none comes in `timeout_ms`. */
size_t raw_receive(int fd, void *bytes, size_t size, int timeout_ms);

/* A frame of type 0x88b5 to `to` (NULL: broadcast), filled from `seed`; tagged with `tci` if it is
 * not negative. Returns the length as given, at least 14 (18 if tagged). */
size_t raw_make(uint8_t *bytes, size_t length, const uint8_t *to, int tci, uint32_t seed);

/* --- TCP: a stream whose every byte is checked ---------------------------------------------- */

struct tcp_side {
    const char *address; /* the server's, IPv4 or IPv6 */
    size_t bytes;
    int ready; /* pipe: the server says that it listens; the client waits */
};

/* Bodies for netns_spawn(): the server takes one connection and checks what it gets. */
void tcp_server(void *tcp_side);
void tcp_client(void *tcp_side);

/* --- ICMP echo ------------------------------------------------------------------------------ */

struct ping_side {
    const char *address;
    unsigned count;
    size_t payload;
};

/* Body for netns_spawn(): that many requests, one after the other, each of which must be answered
 * exactly once, with what it carried. */
void ping_client(void *ping_side);

#endif
