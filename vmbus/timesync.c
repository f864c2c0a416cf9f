/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time synchronisation integration service: tells the guest the host's UTC, once as an order (sync,
 * after negotiation and after a resume) and then every five seconds as a hint (sample). Linux
 * (drivers/hv/hv_util.c) sets its clock by a sync and feeds /dev/ptp with samples.
 *
 * Message version 4.0 carries the partition reference time of the sample, so that the way through
 * the ring does not count; 1.0 and 3.0 do not. Messages are transactions although nothing in the
 * answer is of use: Windows ignores others (OpenVMM hyperv_ic). So the guest paces them, and a
 * stopped guest finds one of them, not hundreds.
 *
 * Left out: leap indicator and stratum (0: the host's clock is taken as it is).
 */
#include "vmbus/ic.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "vmbus/ic_priv.h"

#define PERIOD_NS 5000000000ull

/* 1601-01-01 to 1970-01-01 in units of 100 ns. */
#define EPOCH_1601 116444736000000000ull

#define FLAG_SYNC   1u
#define FLAG_SAMPLE 2u

/* Message versions 1.0 and 3.0. */
struct message {
    uint64_t host_time; /* UTC, 100 ns since 1601 */
    uint64_t child_time;
    uint64_t round_trip;
    uint8_t flags;
    uint8_t reserved[3];
} __attribute__((packed));

/* Message version 4.0. */
struct message_4 {
    uint64_t host_time;
    uint64_t reference_time; /* the partition's, when host_time was read */
    uint8_t flags;
    uint8_t leap;
    uint8_t stratum;
    uint8_t reserved[5];
} __attribute__((packed));

_Static_assert(sizeof(struct message) == 28, "wire size");
_Static_assert(sizeof(struct message_4) == 24, "wire size");

struct timesync {
    struct ic ic;
    uint64_t (*reference_time)(void *context);
    void *context;
    bool step; /* the next message is a sync */
};

static const struct ic_version versions[] = {{1, 0}, {3, 0}, {4, 0}};

static struct timesync *timesync_of(struct ic *ic)
{
    return container_of(ic, struct timesync, ic);
}

static uint64_t host_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return EPOCH_1601 + (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100u;
}

/* What cannot be sent now is not lost: the next tick, answer or `writable` sends a newer one. */
static void send_time(struct timesync *timesync)
{
    uint8_t flags = timesync->step ? FLAG_SYNC : FLAG_SAMPLE;
    int ret;

    if (!ic_idle(&timesync->ic))
        return;
    if (timesync->ic.message.major >= 4) {
        struct message_4 message = {.flags = flags};

        message.reference_time = timesync->reference_time(timesync->context);
        message.host_time = host_time();
        ret = ic_request(&timesync->ic, &message, sizeof(message));
    } else {
        struct message message = {.host_time = host_time(), .flags = flags};

        ret = ic_request(&timesync->ic, &message, sizeof(message));
    }
    if (ret == 0)
        timesync->step = false;
}

static void timesync_tick(struct ic *ic)
{
    ic_arm(ic, PERIOD_NS);
    send_time(timesync_of(ic));
}

static void timesync_ready(struct ic *ic)
{
    timesync_of(ic)->step = true;
    timesync_tick(ic);
}

static void timesync_writable(struct ic *ic)
{
    send_time(timesync_of(ic));
}

static bool timesync_reply(struct ic *ic, uint32_t status, const uint8_t *data, uint32_t len)
{
    struct timesync *timesync = timesync_of(ic);

    (void)data;
    (void)len;
    if (timesync->step) /* asked for while a sample was under way */
        send_time(timesync);
    return status == IC_STATUS_OK;
}

static const struct vsp_class timesync_class = {
    .name = "timesync",
    .interface =
        GUID_INIT(0x9527e630, 0xd0ae, 0x497b, 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf),
    IC_CLASS_MEMBERS,
};

static const struct ic_service timesync_service = {
    .class = &timesync_class,
    .instance =
        GUID_INIT(0x2dd1ce17, 0x079e, 0x403c, 0xb3, 0x52, 0xa1, 0x92, 0x1e, 0xe2, 0x07, 0xee),
    .type = IC_TIMESYNC,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
    .ready = timesync_ready,
    .reply = timesync_reply,
    .tick = timesync_tick,
    .writable = timesync_writable,
};

struct timesync *timesync_new(struct lane *lane, uint64_t (*reference_time)(void *context),
                              void *context)
{
    struct timesync *timesync = calloc(1, sizeof(*timesync));

    if (!timesync)
        return NULL;
    ic_init(&timesync->ic, &timesync_service, lane);
    timesync->reference_time = reference_time;
    timesync->context = context;
    return timesync;
}

void timesync_free(struct timesync *timesync)
{
    free(timesync);
}

struct vsp *timesync_vsp(struct timesync *timesync)
{
    return &timesync->ic.vsp;
}

void timesync_status(const struct timesync *timesync, struct ic_status *ret_status)
{
    ic_status(&timesync->ic, ret_status);
}

void timesync_step(struct timesync *timesync)
{
    timesync->step = true;
    send_time(timesync);
}
