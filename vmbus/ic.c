/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integration services: frame and negotiation (see ic_priv.h for what is mimicked).
 *
 * The host speaks first. When the channel opens it offers two lists of versions, framework and
 * message; the guest answers with one of each, or with none. Linux's KVP driver answers only when
 * its daemon has registered, which may be never, so nothing here waits with a time limit: a
 * service that is not answered simply stays as it is until the channel closes.
 *
 * Linux builds its answer in the request's buffer and sends as many bytes as it received. The
 * negotiation answer has two version pairs; offering two framework versions makes the request
 * longer than that whatever the service offers.
 *
 * What breaks the frame (a length beyond what holds it) ends the channel. What is framed well but
 * answers nothing (late, unasked, of another type) is counted and ignored.
 */
#include "vmbus/ic_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "src/common/log.h"
#include "vmbus/ring.h"

/* The negotiation is sent a moment after `open`, so that it does not overtake the open result. */
#define NEGOTIATE_DELAY_NS 1000000ull

struct negotiate {
    uint16_t framework_count, message_count;
    uint32_t reserved;
    /* then framework versions, then message versions */
} __attribute__((packed));

_Static_assert(sizeof(struct negotiate) == 8, "wire size");

/* Oldest first: old Linux (3.4) looks for 3.0 in the second place. */
static const struct ic_version framework_versions[] = {{1, 0}, {3, 0}};

#define FRAMEWORK_VERSIONS (sizeof(framework_versions) / sizeof(framework_versions[0]))

static struct log_limit refused_limit;

static struct ic *ic_of(struct vsp *vsp)
{
    return container_of(vsp, struct ic, vsp);
}

/* Frame and send; from here on an answer is awaited. */
static int send_message(struct ic *ic, uint16_t type, const void *data, uint32_t len)
{
    struct {
        struct ic_pipe pipe;
        struct ic_header header;
    } __attribute__((packed)) frame = {
        .pipe = {.type = IC_PIPE_DATA, .length = (uint32_t)sizeof(struct ic_header) + len},
        .header = {.type = type,
                   .size = (uint16_t)len,
                   .flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST},
    };
    struct iovec iov[2] = {
        {.iov_base = &frame, .iov_len = sizeof(frame)},
        {.iov_base = (void *)(uintptr_t)data, .iov_len = len},
    };
    int ret;

    if (ic->state == IC_READY) {
        frame.header.framework = ic->framework;
        frame.header.message = ic->message;
    }
    ret = vmbus_channel_send(ic->channel, VMBUS_PACKET_IN_BAND, 0, 0, iov, 2);
    if (ret == 0)
        ic->waiting = true;
    return ret;
}

/* A failure needs nothing here: a full ring calls `writable`, a broken one closes the channel. */
static void negotiate(struct ic *ic)
{
    const struct ic_service *service = ic->service;
    union {
        struct negotiate head;
        uint8_t bytes[sizeof(struct negotiate) +
                      (FRAMEWORK_VERSIONS + IC_VERSIONS_MAX) * sizeof(struct ic_version)];
    } message = {.head = {.framework_count = FRAMEWORK_VERSIONS,
                          .message_count = (uint16_t)service->version_count}};
    uint32_t messages = service->version_count * (uint32_t)sizeof(struct ic_version);
    uint8_t *list = message.bytes + sizeof(struct negotiate);

    memcpy(list, framework_versions, sizeof(framework_versions));
    memcpy(list + sizeof(framework_versions), service->versions, messages);
    send_message(ic, IC_NEGOTIATE, &message,
                 (uint32_t)(sizeof(struct negotiate) + sizeof(framework_versions)) + messages);
}

static bool offered(const struct ic_version *versions, unsigned count, struct ic_version version)
{
    for (unsigned i = 0; i < count; i++) {
        if (versions[i].major == version.major && versions[i].minor == version.minor)
            return true;
    }
    return false;
}

/* The guest's choice. Anything but one offered version of each kind is a refusal. */
static void negotiated(struct ic *ic, const uint8_t *data, uint32_t len)
{
    const struct ic_service *service = ic->service;
    struct {
        struct negotiate head;
        struct ic_version framework, message;
    } __attribute__((packed)) answer;

    ic->state = IC_REFUSED;
    if (len >= sizeof(answer)) {
        memcpy(&answer, data, sizeof(answer));
        if (answer.head.framework_count == 1 && answer.head.message_count == 1 &&
            offered(framework_versions, FRAMEWORK_VERSIONS, answer.framework) &&
            offered(service->versions, service->version_count, answer.message))
            ic->state = IC_READY;
    }
    if (ic->state == IC_REFUSED) {
        log_guest(&refused_limit, "%s: the guest takes none of the versions offered",
                  service->class->name);
        return;
    }
    ic->framework = answer.framework;
    ic->message = answer.message;
    log_debug("%s: framework %u.%u, messages %u.%u", service->class->name, ic->framework.major,
              ic->framework.minor, ic->message.major, ic->message.minor);
    service->ready(ic);
}

static void timer_fire(struct lane_timer *timer)
{
    struct ic *ic = container_of(timer, struct ic, timer);

    if (ic->state == IC_NEGOTIATING && !ic->waiting)
        negotiate(ic);
    else if (ic->state == IC_READY && ic->service->tick)
        ic->service->tick(ic);
}

void ic_init(struct ic *ic, const struct ic_service *service, struct lane *lane)
{
    *ic = (struct ic){
        .vsp = {.class = service->class, .instance = service->instance, .lane = lane},
        .service = service,
        .timer = {.fire = timer_fire},
    };
}

int ic_open(struct vsp *vsp, struct vmbus_channel *channel,
            const uint8_t user_data[VMBUS_USER_DATA])
{
    struct ic *ic = ic_of(vsp);

    (void)user_data;
    ic->channel = channel;
    ic->state = IC_NEGOTIATING;
    ic->waiting = false;
    ic_arm(ic, NEGOTIATE_DELAY_NS);
    return 0;
}

/* The message in a packet: its header, and *data with header->size bytes. 1; 0 if it is no message
 * (nothing an IC sends, but harmless); -EPROTO if a length lies. */
static int parse(const struct vmbus_packet *packet, struct ic_header *header, const uint8_t **data)
{
    struct ic_pipe pipe;

    if (packet->type != VMBUS_PACKET_IN_BAND)
        return 0;
    if (packet->payload_len < sizeof(pipe))
        return -EPROTO;
    memcpy(&pipe, packet->payload, sizeof(pipe));
    if (pipe.length > packet->payload_len - sizeof(pipe))
        return -EPROTO;
    if (pipe.type != IC_PIPE_DATA)
        return 0;
    if (pipe.length < sizeof(*header))
        return -EPROTO;
    memcpy(header, packet->payload + sizeof(pipe), sizeof(*header));
    if (header->size > pipe.length - sizeof(*header))
        return -EPROTO;
    *data = packet->payload + sizeof(pipe) + sizeof(*header);
    return 1;
}

/* Is it the answer that we wait for? */
static bool answers(const struct ic *ic, const struct ic_header *header)
{
    uint16_t type = ic->state == IC_NEGOTIATING ? IC_NEGOTIATE : (uint16_t)ic->service->type;

    return ic->waiting && header->type == type && header->transaction == 0 &&
           (header->flags & IC_FLAG_RESPONSE);
}

int ic_packet(struct vsp *vsp, struct vmbus_channel *channel, const struct vmbus_packet *packet)
{
    struct ic *ic = ic_of(vsp);
    struct ic_header header;
    const uint8_t *data;
    int ret = parse(packet, &header, &data);

    (void)channel;
    if (ret < 0)
        return ret;
    if (ret == 0 || !answers(ic, &header)) {
        ic->ignored++;
        return 0;
    }
    ic->waiting = false;
    if (ic->state == IC_NEGOTIATING)
        negotiated(ic, data, header.size);
    else if (!ic->service->reply(ic, header.status, data, header.size))
        ic->ignored++;
    return 0;
}

void ic_writable(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct ic *ic = ic_of(vsp);

    (void)channel;
    if (ic->waiting)
        return;
    if (ic->state == IC_NEGOTIATING)
        negotiate(ic);
    else if (ic->state == IC_READY && ic->service->writable)
        ic->service->writable(ic);
}

void ic_close(struct vsp *vsp, struct vmbus_channel *channel)
{
    struct ic *ic = ic_of(vsp);

    lane_timer_cancel(ic->vsp.lane, &ic->timer);
    ic->channel = NULL;
    ic->state = IC_CLOSED;
    ic->waiting = false;
    if (ic->service->stopped)
        ic->service->stopped(ic);
    vmbus_channel_closed(channel);
}

void ic_reset(struct vsp *vsp)
{
    struct ic *ic = ic_of(vsp);

    ic->ignored = 0;
    if (ic->service->reset)
        ic->service->reset(ic);
}

bool ic_idle(const struct ic *ic)
{
    return ic->state == IC_READY && !ic->waiting;
}

int ic_request(struct ic *ic, const void *data, uint32_t len)
{
    if (ic->state != IC_READY)
        return -ENOTCONN;
    if (ic->waiting)
        return -EBUSY;
    return send_message(ic, (uint16_t)ic->service->type, data, len);
}

void ic_arm(struct ic *ic, uint64_t after_ns)
{
    lane_timer_arm(ic->vsp.lane, &ic->timer, after_ns);
}

void ic_status(const struct ic *ic, struct ic_status *ret_status)
{
    *ret_status = (struct ic_status){
        .open = ic->state != IC_CLOSED,
        .negotiated = ic->state == IC_READY,
    };
    if (ic->state == IC_READY) {
        ret_status->framework_major = ic->framework.major;
        ret_status->framework_minor = ic->framework.minor;
        ret_status->message_major = ic->message.major;
        ret_status->message_minor = ic->message.minor;
    }
}
