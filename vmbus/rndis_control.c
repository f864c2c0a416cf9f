/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNDIS control messages: every request is answered, with an error if need be, because Linux waits
 * for the answer for ever.
 *
 * Sources: [MS-RNDIS], Linux drivers/net/hyperv/rndis_filter.c, OpenVMM's netvsp. Requests are
 * answered before INITIALIZE too: nothing depends on it but what the adapter receives.
 *
 * Left out: our own KEEPALIVE (VMBus says when a guest goes), SET_EX, which is refused, and
 * everything connection-oriented.
 */
#include "vmbus/rndis.h"

#include <errno.h>
#include <string.h>

#include "vmbus/rndis_oid_wire.h"
#include "vmbus/rndis_priv.h"
#include "vmbus/rndis_wire.h"

_Static_assert(sizeof(struct rndis_query_complete) + RNDIS_MAX_ANSWER <= RNDIS_MAX_CONTROL,
               "every reply fits");

/* --- State */

static void start_over(struct rndis *rndis)
{
    rndis->initialised = false;
    rndis->offload = rndis->ndis >= NDIS_6 ? rndis->can & ~RNDIS_OFFLOAD_RSC : 0;
    rndis->filter.bits = 0;
    rndis->filter.multicasts = 0;
    rndis->rss = (struct rndis_rss){0};
    rndis->changed |= RNDIS_CHANGED_STATE | RNDIS_CHANGED_FILTER | RNDIS_CHANGED_RSS;
}

void rndis_init(struct rndis *rndis, const uint8_t permanent[6])
{
    memset(&rndis->filter, 0, sizeof(rndis->filter));
    memcpy(rndis->filter.permanent, permanent, 6);
    memcpy(rndis->filter.mac, permanent, 6);
    rndis->changed = RNDIS_CHANGED_MAC;
    start_over(rndis);
}

void rndis_halt(struct rndis *rndis)
{
    start_over(rndis);
}

bool rndis_filter_pass(const struct rndis_filter *filter, const uint8_t destination[6])
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t bits = filter->bits;

    if (bits & RNDIS_FILTER_PROMISCUOUS)
        return true;
    if (!(destination[0] & 1))
        return bits & RNDIS_FILTER_DIRECTED && (memcmp(destination, filter->mac, 6) == 0 ||
                                                memcmp(destination, filter->permanent, 6) == 0);
    if (memcmp(destination, broadcast, 6) == 0)
        return bits & RNDIS_FILTER_BROADCAST;
    if (bits & RNDIS_FILTER_ALL_MULTICAST)
        return true;
    for (uint32_t i = 0; bits & RNDIS_FILTER_MULTICAST && i < filter->multicasts; i++)
        if (memcmp(destination, filter->multicast[i], 6) == 0)
            return true;
    return false;
}

/* --- Messages of ours */

/* Set type and length, and write the message: fixed fields, then `info`. */
static int put(void *fixed, uint32_t fixed_len, uint32_t type, const struct rndis_answer *info,
               uint8_t *out, uint32_t max)
{
    struct rndis_header header = {.type = type, .length = fixed_len + (info ? info->length : 0)};

    if (header.length > max)
        return -ENOSPC;
    memcpy(fixed, &header, sizeof(header));
    memcpy(out, fixed, fixed_len);
    if (info)
        memcpy(out + fixed_len, info->bytes, info->length);
    return (int)header.length;
}

static int indicate(uint32_t status, const struct rndis_answer *info, uint8_t *out, uint32_t max)
{
    struct rndis_indicate message = {
        .status = status,
        .info_length = info ? info->length : 0,
        .info_offset = info ? RNDIS_BEHIND(struct rndis_indicate) : 0,
    };

    return put(&message, sizeof(message), RNDIS_INDICATE, info, out, max);
}

int rndis_indicate_link(const struct rndis *rndis, uint8_t *out, uint32_t max)
{
    return indicate(rndis->link ? RNDIS_MEDIA_CONNECT : RNDIS_MEDIA_DISCONNECT, NULL, out, max);
}

int rndis_indicate_speed(const struct rndis *rndis, uint8_t *out, uint32_t max)
{
    uint32_t value = rndis_speed_100(rndis);
    struct rndis_answer info = {0};

    rndis_answer_put(&info, &value, sizeof(value));
    return indicate(RNDIS_LINK_SPEED_CHANGE, &info, out, max);
}

int rndis_indicate_offload(const struct rndis *rndis, uint8_t *out, uint32_t max)
{
    struct rndis_answer info = {0};

    rndis_offload_describe(rndis->offload, rndis_offload_revision(rndis->ndis), &info);
    return indicate(RNDIS_OFFLOAD_CHANGE, &info, out, max);
}

/* --- Requests */

/* A request and the place for its reply. */
struct control {
    struct rndis *rndis;
    const uint8_t *message;
    uint32_t length; /* of the message, and no more than there is of it */
    uint8_t *reply;
    uint32_t max;
};

static uint32_t request_id(const struct control *control)
{
    uint32_t id;

    memcpy(&id, control->message + sizeof(struct rndis_header), sizeof(id));
    return id;
}

static int complete(const struct control *control, uint32_t type, uint32_t status)
{
    struct rndis_complete reply = {.request_id = request_id(control), .status = status};

    return put(&reply, sizeof(reply), type | RNDIS_COMPLETE, NULL, control->reply, control->max);
}

/* A second INITIALIZE starts over, like HALT and INITIALIZE. */
static int initialize(const struct control *control)
{
    struct rndis_initialize request = {0};
    struct rndis_initialize_complete reply = {
        .request_id = request_id(control),
        .status = RNDIS_BAD_VERSION,
        .major = RNDIS_MAJOR,
        .flags = RNDIS_CONNECTIONLESS,
        .medium = RNDIS_MEDIUM_ETHERNET,
        .max_packets = RNDIS_PACKETS,
        .max_transfer = RNDIS_MAX_TRANSFER,
        .alignment_shift = RNDIS_ALIGNMENT_SHIFT,
    };

    memcpy(&request, control->message,
           control->length < sizeof(request) ? control->length : sizeof(request));
    if (request.major == RNDIS_MAJOR) {
        start_over(control->rndis);
        control->rndis->initialised = true;
        reply.status = RNDIS_SUCCESS;
    }
    return put(&reply, sizeof(reply), RNDIS_INITIALIZE | RNDIS_COMPLETE, NULL, control->reply,
               control->max);
}

/* The request and what came with it. 0 or a status. */
static uint32_t take_request(const struct control *control, struct rndis_request *ret,
                             struct rndis_info *ret_info)
{
    const uint32_t body = sizeof(struct rndis_header);
    struct rndis_info whole = {control->message + body, control->length - body};

    if (control->length < sizeof(*ret))
        return RNDIS_BUFFER_TOO_SHORT;
    memcpy(ret, control->message, sizeof(*ret));
    if (ret->info_length == 0) {
        *ret_info = (struct rndis_info){control->message, 0};
        return RNDIS_SUCCESS;
    }
    if (ret->info_offset < RNDIS_BEHIND(struct rndis_request))
        return RNDIS_INVALID_DATA;
    ret_info->bytes = rndis_info_at(&whole, ret->info_offset, ret->info_length);
    ret_info->length = ret->info_length;
    return ret_info->bytes ? RNDIS_SUCCESS : RNDIS_BUFFER_TOO_SHORT;
}

static int query(const struct control *control)
{
    struct rndis_answer answer = {0};
    struct rndis_query_complete reply = {
        .request_id = request_id(control),
        /* Linux wants it to point behind the fixed fields even if there is nothing. */
        .info_offset = RNDIS_BEHIND(struct rndis_query_complete),
    };
    struct rndis_request request;
    struct rndis_info info;

    reply.status = take_request(control, &request, &info);
    if (reply.status == RNDIS_SUCCESS)
        reply.status = rndis_oid_query(control->rndis, request.oid, &info, &answer);
    if (reply.status != RNDIS_SUCCESS)
        answer.length = 0;
    reply.info_length = answer.length;
    return put(&reply, sizeof(reply), RNDIS_QUERY | RNDIS_COMPLETE, &answer, control->reply,
               control->max);
}

static int set(const struct control *control)
{
    struct rndis_request request;
    struct rndis_info info;
    uint32_t status = take_request(control, &request, &info);

    if (status == RNDIS_SUCCESS)
        status = rndis_oid_set(control->rndis, request.oid, &info);
    return complete(control, RNDIS_SET, status);
}

/* Nothing hangs in this adapter, so nothing is lost by a reset; filter and lists stay. */
static int reset(const struct control *control)
{
    struct rndis_reset_complete reply = {.status = RNDIS_SUCCESS, .addressing_reset = 0};

    control->rndis->changed |= RNDIS_CHANGED_RESET;
    return put(&reply, sizeof(reply), RNDIS_RESET | RNDIS_COMPLETE, NULL, control->reply,
               control->max);
}

/* What has an answer. */
static bool is_request(uint32_t type)
{
    return type >= RNDIS_INITIALIZE && type <= RNDIS_SET_EX && type != RNDIS_INDICATE;
}

int rndis_control(struct rndis *rndis, const uint8_t *message, uint32_t len, uint8_t *reply,
                  uint32_t max)
{
    struct control control = {rndis, message, len, reply, max};
    struct rndis_header header;

    if (len < sizeof(header) || len > RNDIS_MAX_CONTROL)
        return -EBADMSG;
    memcpy(&header, message, sizeof(header));
    if (header.length < sizeof(header) || header.length > len)
        return -EBADMSG;
    control.length = header.length;
    if (header.type == RNDIS_HALT) {
        start_over(rndis);
        return 0;
    }
    if (!is_request(header.type))
        return -EOPNOTSUPP;
    if (header.length < sizeof(header) + sizeof(uint32_t)) /* request id */
        return -EBADMSG;
    switch (header.type) {
    case RNDIS_INITIALIZE:
        return initialize(&control);
    case RNDIS_QUERY:
        return query(&control);
    case RNDIS_SET:
        return set(&control);
    case RNDIS_RESET:
        return reset(&control);
    case RNDIS_KEEPALIVE:
        return complete(&control, RNDIS_KEEPALIVE, RNDIS_SUCCESS);
    default:
        return complete(&control, header.type, RNDIS_NOT_SUPPORTED);
    }
}
