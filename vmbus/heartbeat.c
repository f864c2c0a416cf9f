/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heartbeat integration service: every two seconds the host sends a number, a living guest answers
 * with the next one (Linux drivers/hv/hv_util.c, heartbeat_onchannelcallback()).
 *
 * A beat that is not answered is not repeated and none is sent behind it: a guest that is stopped
 * or hung finds one beat in its ring when it goes on, and what was due meanwhile is counted.
 *
 * Left out: the application state of message version 3.0 and later (Windows only).
 */
#include "vmbus/ic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmbus/ic_priv.h"

#define PERIOD_NS 2000000000ull

struct beat {
    uint64_t sequence;
    uint32_t state; /* the guest's; Linux leaves it as we sent it, 0 */
    uint8_t reserved[28];
} __attribute__((packed));

_Static_assert(sizeof(struct beat) == 40, "wire size");

struct heartbeat {
    struct ic ic;
    uint64_t sent; /* sequence of the newest beat */
    struct heartbeat_status status;
};

static const struct ic_version versions[] = {{1, 0}, {3, 0}};

static struct heartbeat *heartbeat_of(struct ic *ic)
{
    return container_of(ic, struct heartbeat, ic);
}

static void heartbeat_tick(struct ic *ic)
{
    struct heartbeat *heartbeat = heartbeat_of(ic);
    struct beat beat = {.sequence = heartbeat->sent + 1};

    ic_arm(ic, PERIOD_NS);
    if (ic_request(ic, &beat, sizeof(beat)) == 0)
        heartbeat->sent++;
    else
        heartbeat->status.missed++;
}

static bool heartbeat_reply(struct ic *ic, uint32_t status, const uint8_t *data, uint32_t len)
{
    struct heartbeat *heartbeat = heartbeat_of(ic);
    struct beat beat = {0};

    if (status != IC_STATUS_OK || len < sizeof(beat.sequence))
        return false;
    memcpy(&beat, data, len < sizeof(beat) ? len : sizeof(beat));
    if (beat.sequence - heartbeat->sent > 1) /* a guest that only echoes is alive too */
        return false;
    heartbeat->status.sequence = heartbeat->sent;
    heartbeat->status.last_seen_ns = lane_now();
    heartbeat->status.state = beat.state;
    return true;
}

static void heartbeat_reset(struct ic *ic)
{
    struct heartbeat *heartbeat = heartbeat_of(ic);

    heartbeat->sent = 0;
    heartbeat->status = (struct heartbeat_status){0};
}

static const struct vsp_class heartbeat_class = {
    .name = "heartbeat",
    .interface =
        GUID_INIT(0x57164f39, 0x9115, 0x4e78, 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d),
    IC_CLASS_MEMBERS,
};

static const struct ic_service heartbeat_service = {
    .class = &heartbeat_class,
    .instance =
        GUID_INIT(0xfd149e91, 0x82e0, 0x4a7d, 0xaf, 0xa6, 0x2a, 0x41, 0x66, 0xcb, 0xd7, 0xc0),
    .type = IC_HEARTBEAT,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
    .ready = heartbeat_tick,
    .reply = heartbeat_reply,
    .tick = heartbeat_tick,
    .reset = heartbeat_reset,
};

struct heartbeat *heartbeat_new(struct lane *lane)
{
    struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));

    if (heartbeat)
        ic_init(&heartbeat->ic, &heartbeat_service, lane);
    return heartbeat;
}

void heartbeat_free(struct heartbeat *heartbeat)
{
    free(heartbeat);
}

struct vsp *heartbeat_vsp(struct heartbeat *heartbeat)
{
    return &heartbeat->ic.vsp;
}

void heartbeat_status(const struct heartbeat *heartbeat, struct heartbeat_status *ret_status)
{
    *ret_status = heartbeat->status;
    ic_status(&heartbeat->ic, &ret_status->ic);
}
