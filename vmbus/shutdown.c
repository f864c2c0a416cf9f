/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shutdown integration service: asks the guest to power off, restart or hibernate (Linux
 * drivers/hv/hv_util.c, shutdown_onchannelcallback(); flags as OpenVMM hyperv_ic_protocol).
 *
 * The guest's answer says only whether it will try. Restart came with message version 3.1 and
 * hibernation with 3.2; an older guest is not asked, because it might do something else instead.
 *
 * Left out: a time limit for the guest's users (0: at once, as Hyper-V sends it).
 */
#include "vmbus/ic.h"

#include <errno.h>
#include <stdlib.h>

#include "src/common/utf16.h"
#include "vmbus/ic_priv.h"

#define REASON_PLANNED 0x80000000u

#define FLAG_FORCE     1u
#define FLAG_RESTART   2u
#define FLAG_HIBERNATE 4u

#define TEXT_UNITS 1024

struct request {
    uint32_t reason;
    uint32_t timeout; /* seconds */
    uint32_t flags;
    uint8_t text[TEXT_UNITS * 2]; /* UTF-16LE with NUL */
} __attribute__((packed));

_Static_assert(sizeof(struct request) == 2060, "wire size: Linux requires all of it");

struct shutdown {
    struct ic ic;
    void (*done)(void *context, int64_t status); /* of the unanswered request, else NULL */
    void *context;
};

static const struct ic_version versions[] = {{1, 0}, {3, 0}, {3, 1}, {3, 2}};

static struct shutdown *shutdown_of(struct ic *ic)
{
    return container_of(ic, struct shutdown, ic);
}

static void finish(struct shutdown *shutdown, int64_t status)
{
    void (*done)(void *context, int64_t status) = shutdown->done;

    shutdown->done = NULL;
    if (done)
        done(shutdown->context, status);
}

static void shutdown_ready(struct ic *ic)
{
    (void)ic; /* nothing to send before somebody asks */
}

static bool shutdown_reply(struct ic *ic, uint32_t status, const uint8_t *data, uint32_t len)
{
    (void)data;
    (void)len;
    finish(shutdown_of(ic), status);
    return true;
}

static void shutdown_stopped(struct ic *ic)
{
    finish(shutdown_of(ic), -ECONNRESET);
}

/* Flags of `action`, or -EOPNOTSUPP if the guest's version does not have it. */
static int action_flags(const struct ic_version *version, enum shutdown_action action)
{
    unsigned minor = version->major >= 3 ? version->minor : 0;

    switch (action) {
    case SHUTDOWN_RESTART:
        return minor >= 1 ? (int)FLAG_RESTART : -EOPNOTSUPP;
    case SHUTDOWN_HIBERNATE:
        return minor >= 2 ? (int)FLAG_HIBERNATE : -EOPNOTSUPP;
    case SHUTDOWN_POWER_OFF:
        break;
    }
    return 0;
}

static const struct vsp_class shutdown_class = {
    .name = "shutdown",
    .interface =
        GUID_INIT(0x0e0b6031, 0x5213, 0x4934, 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb),
    IC_CLASS_MEMBERS,
};

static const struct ic_service shutdown_service = {
    .class = &shutdown_class,
    .instance =
        GUID_INIT(0xb6650ff7, 0x33bc, 0x4840, 0x80, 0x48, 0xe0, 0x67, 0x67, 0x86, 0xf3, 0x93),
    .type = IC_SHUTDOWN,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
    .ready = shutdown_ready,
    .reply = shutdown_reply,
    .stopped = shutdown_stopped,
};

struct shutdown *shutdown_new(struct lane *lane)
{
    struct shutdown *shutdown = calloc(1, sizeof(*shutdown));

    if (shutdown)
        ic_init(&shutdown->ic, &shutdown_service, lane);
    return shutdown;
}

void shutdown_free(struct shutdown *shutdown)
{
    free(shutdown);
}

struct vsp *shutdown_vsp(struct shutdown *shutdown)
{
    return &shutdown->ic.vsp;
}

void shutdown_status(const struct shutdown *shutdown, struct ic_status *ret_status)
{
    ic_status(&shutdown->ic, ret_status);
}

int shutdown_request(struct shutdown *shutdown, enum shutdown_action action, bool force,
                     const char *reason, void (*done)(void *context, int64_t status), void *context)
{
    struct request request = {.reason = REASON_PLANNED};
    int ret;

    if (shutdown->ic.state != IC_READY)
        return -ENOTCONN;
    ret = action_flags(&shutdown->ic.message, action);
    if (ret < 0)
        return ret;
    request.flags = (uint32_t)ret | (force ? FLAG_FORCE : 0);
    if (reason && utf16_from_utf8(request.text, TEXT_UNITS, reason) == -EINVAL)
        return -EINVAL;
    ret = ic_request(&shutdown->ic, &request, sizeof(request));
    if (ret < 0)
        return ret == -EAGAIN ? -EBUSY : ret;
    shutdown->done = done;
    shutdown->context = context;
    return 0;
}
