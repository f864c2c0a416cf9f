/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bus's tests start from: a scripted guest with two devices, "echo" and "pipe".
 */
#ifndef VMBUSD_TESTS_BUS_FIXTURE_H
#define VMBUSD_TESTS_BUS_FIXTURE_H

#include "tests/unit/echo_vsp.h"
#include "tests/unit/scripted_guest.h"

#define FIXTURE_RAM      (16u << 20)
#define FIXTURE_VPS      4u
#define FIXTURE_VERSIONS 10u

extern const uint32_t fixture_versions[FIXTURE_VERSIONS];

struct fixture {
    struct scripted_guest *guest;
    struct echo echo, pipe;
    struct sg_channel channel; /* the echo device's */
};

/* Add a test that is run with a version, as PATH/VERSION for every version. */
void fixture_add_versions(const char *path, void (*test)(const void *version));

void begin(struct fixture *f);
void begin_with(struct fixture *f, uint32_t vps, uint32_t max_version);
void end(struct fixture *f);

/* Connect at `version`, find the echo device and open it with two data pages each way; no message
 * is left waiting. */
void connect_and_open(struct fixture *f, uint32_t version);

/* A packet with completion to the host, and one from it, each with its interrupt. */
void echo_once(struct fixture *f, const char *text);

/* No message waits. */
void assert_silence(struct fixture *f);

struct vmbus_bus_stats stats(const struct fixture *f);
/* Of the echo device's channel with this subchannel index. */
struct vmbus_channel_info channel_info(const struct fixture *f, uint16_t index);

/* The next message must be a version response. `ret_vp` may be NULL. */
struct vmbus_msg_version_response version_response(struct fixture *f, uint32_t *ret_vp);

/* An INITIATE_CONTACT without monitor pages, for a test to bend; and its answer. */
struct vmbus_msg_initiate_contact contact_for(struct fixture *f, uint32_t version);
struct vmbus_msg_version_response try_contact(struct fixture *f, uint32_t connection,
                                              const struct vmbus_msg_initiate_contact *contact);

#endif
