/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the four integration services against a guest that answers anything.
 *
 * The input is a script: open, close, reset, let time pass, answer the newest request with some
 * bytes changed, send any packet, call what the control socket calls. Lane and channel are
 * stand-ins here, so that time is what the script says. Beyond what the sanitizers see it checks
 * that the host keeps its side: well-formed requests, never two unanswered, never one on a closed
 * channel, every accepted request answered once, text from the guest always clean UTF-8.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "src/common/log.h"
#include "src/common/utf16.h"
#include "vmbus/ic.h"
#include "vmbus/ic_priv.h"
#include "vmbus/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define SERVICES  4
#define FRAME_MAX (sizeof(struct ic_pipe) + LIMIT_IC_MESSAGE)

struct vmbus_channel {
    bool open;
    int send_result;        /* what the next sends give */
    unsigned sent, packets; /* since the channel was opened */
    uint8_t frame[FRAME_MAX];
    size_t frame_len; /* newest request */
};

struct script {
    const uint8_t *data;
    size_t size;
};

static struct vmbus_channel channels[SERVICES];
static struct vsp *vsps[SERVICES];
static struct heartbeat *heartbeat;
static struct shutdown *shutdown_ic;
static struct timesync *timesync;
static struct kvp *kvp;
static int owed; /* requests accepted, `done` not yet called */

/* --- Stand-ins */

uint64_t lane_now(void)
{
    return 1;
}

void lane_timer_arm(struct lane *lane, struct lane_timer *timer, uint64_t after_ns)
{
    (void)lane;
    timer->deadline = after_ns ? after_ns : 1;
}

void lane_timer_cancel(struct lane *lane, struct lane_timer *timer)
{
    (void)lane;
    timer->deadline = 0;
}

void log_write(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

bool log_limit_pass(struct log_limit *limit, uint32_t *ret_suppressed)
{
    (void)limit;
    *ret_suppressed = 0;
    return true;
}

static void check_request(const uint8_t *frame, size_t len)
{
    struct ic_pipe pipe;
    struct ic_header header;

    CHECK(len >= sizeof(pipe) + sizeof(header));
    memcpy(&pipe, frame, sizeof(pipe));
    memcpy(&header, frame + sizeof(pipe), sizeof(header));
    CHECK(pipe.type == IC_PIPE_DATA && pipe.length == len - sizeof(pipe));
    CHECK(header.size == pipe.length - sizeof(header));
    CHECK(header.flags == (IC_FLAG_TRANSACTION | IC_FLAG_REQUEST) && header.status == 0);
    if (header.type == IC_NEGOTIATE)
        CHECK(header.size >= 16); /* room for the answer */
}

int vmbus_channel_send(struct vmbus_channel *channel, uint16_t type, uint16_t flags,
                       uint64_t transaction_id, const struct iovec *iov, unsigned iovs)
{
    size_t len = 0;

    CHECK(channel && channel->open);
    CHECK(type == VMBUS_PACKET_IN_BAND && flags == 0 && transaction_id == 0);
    if (channel->send_result < 0)
        return channel->send_result;
    for (unsigned i = 0; i < iovs; i++) {
        CHECK(iov[i].iov_len <= FRAME_MAX - len);
        memcpy(channel->frame + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    check_request(channel->frame, len);
    channel->frame_len = len;
    channel->sent++;
    CHECK(channel->sent <= channel->packets + 1);
    return 0;
}

void vmbus_channel_closed(struct vmbus_channel *channel)
{
    CHECK(channel->open);
    channel->open = false;
}

/* --- Script */

static uint8_t take(struct script *script)
{
    if (script->size == 0)
        return 0;
    script->size--;
    return *script->data++;
}

static uint32_t take16(struct script *script)
{
    uint32_t low = take(script);

    return low | (uint32_t)take(script) << 8;
}

/* Up to `max` - 1 bytes as a string. */
static char *take_text(struct script *script, char *text, size_t max)
{
    size_t len = take16(script) % max;

    if (len > script->size)
        len = script->size;
    memcpy(text, script->data, len);
    text[len] = '\0';
    script->data += len;
    script->size -= len;
    return text;
}

static void done(void *context, int64_t status)
{
    (void)context;
    (void)status;
    CHECK(owed > 0);
    owed--;
}

static void each(const char *key, const char *value, void *context)
{
    uint8_t scratch[2];

    (void)context;
    CHECK(*key && utf16_from_utf8(scratch, 1, key) != -EINVAL);
    for (const char *c = key; *c; c++)
        CHECK((uint8_t)*c >= 0x20 && *c != 0x7f);
    for (const char *c = value; *c; c++)
        CHECK((uint8_t)*c >= 0x20 && *c != 0x7f);
}

static void close_channel(unsigned i)
{
    if (!channels[i].open)
        return;
    vsps[i]->class->close(vsps[i], &channels[i]);
    CHECK(!channels[i].open);
    CHECK(container_of(vsps[i], struct ic, vsp)->timer.deadline == 0);
}

static void open_channel(unsigned i)
{
    static const uint8_t user_data[VMBUS_USER_DATA];

    if (channels[i].open)
        return;
    channels[i] = (struct vmbus_channel){.open = true};
    CHECK(vsps[i]->class->open(vsps[i], &channels[i], user_data) == 0);
}

static void fire(unsigned i)
{
    struct lane_timer *timer = &container_of(vsps[i], struct ic, vsp)->timer;

    if (timer->deadline == 0)
        return;
    timer->deadline = 0;
    timer->fire(timer);
}

static void deliver(unsigned i, uint16_t type, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exactly that long, for the sanitizer */
    struct vmbus_packet packet = {.type = type, .payload = copy, .payload_len = (uint32_t)len};
    int ret;

    CHECK(copy);
    memcpy(copy, bytes, len);
    channels[i].packets++;
    ret = vsps[i]->class->packet(vsps[i], &channels[i], &packet);
    CHECK(ret == 0 || ret == -EPROTO);
    free(copy);
    if (ret < 0)
        close_channel(i);
}

/* The newest request as its own answer, but for some bytes. */
static void answer(struct script *script, unsigned i)
{
    uint8_t reply[FRAME_MAX + 8];
    size_t len = channels[i].frame_len;
    unsigned changes = take(script) % 16;

    if (!channels[i].open || len == 0)
        return;
    memcpy(reply, channels[i].frame, len);
    memset(reply + len, 0, 8);
    reply[sizeof(struct ic_pipe) + offsetof(struct ic_header, flags)] = 5;
    if (reply[sizeof(struct ic_pipe) + offsetof(struct ic_header, type)] == IC_NEGOTIATE) {
        static const uint8_t choice[16] = {1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0};

        memcpy(reply + sizeof(struct ic_pipe) + sizeof(struct ic_header), choice, sizeof(choice));
    }
    for (unsigned change = 0; change < changes; change++) {
        size_t at = take16(script) % len;

        reply[at] = take(script);
    }
    deliver(i, VMBUS_PACKET_IN_BAND, reply, (len + 7) & ~(size_t)7);
}

static void raw(struct script *script, unsigned i)
{
    static const uint16_t types[] = {6, 7, 9, 10, 11};
    uint16_t type = types[take(script) % 5];
    size_t len = take16(script) % LIMIT_PACKET;

    if (!channels[i].open)
        return;
    if (len > script->size)
        len = script->size;
    deliver(i, type, script->data, len);
    script->data += len;
    script->size -= len;
}

static void call(struct script *script)
{
    struct heartbeat_status status;
    char key[400], value[1400];
    struct kvp_ip ip = {.adapter = key, .address = value, .gateway = key};
    int ret = 0;

    switch (take(script) % 6) {
    case 0:
        owed++;
        ret = shutdown_request(shutdown_ic, take(script) % 3, take(script) & 1,
                               take_text(script, value, sizeof(value)), done, NULL);
        owed -= ret < 0;
        break;
    case 1:
        timesync_step(timesync);
        break;
    case 2:
        take_text(script, key, sizeof(key));
        kvp_host_set(kvp, key, take_text(script, value, sizeof(value)));
        break;
    case 3:
        kvp_host_delete(kvp, take_text(script, key, sizeof(key)));
        break;
    case 4:
        take_text(script, key, sizeof(key));
        take_text(script, value, sizeof(value));
        owed++;
        ret = kvp_set_ip(kvp, &ip, done, NULL);
        owed -= ret < 0;
        break;
    default:
        kvp_guest_values(kvp, each, NULL);
        heartbeat_status(heartbeat, &status);
        CHECK(!status.ic.negotiated || status.ic.open);
        break;
    }
}

static void step(struct script *script)
{
    uint8_t op = take(script);
    unsigned i = op & 3;

    switch (op >> 2 & 15) {
    case 0:
    case 1:
        open_channel(i);
        break;
    case 2:
        close_channel(i);
        break;
    case 3:
        channels[i].send_result = take(script) & 1 ? -EAGAIN : -EMSGSIZE;
        break;
    case 4:
        channels[i].send_result = 0;
        if (channels[i].open)
            vsps[i]->class->writable(vsps[i], &channels[i]);
        break;
    case 5:
        close_channel(i);
        vsps[i]->class->reset(vsps[i]);
        break;
    case 6:
        raw(script, i);
        break;
    case 7:
    case 8:
        call(script);
        break;
    case 9:
    case 10:
        fire(i);
        break;
    default:
        answer(script, i);
        break;
    }
}

static uint64_t reference_time(void *context)
{
    (void)context;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, size};

    heartbeat = heartbeat_new(NULL);
    shutdown_ic = shutdown_new(NULL);
    timesync = timesync_new(NULL, reference_time, NULL);
    kvp = kvp_new(NULL);
    CHECK(heartbeat && shutdown_ic && timesync && kvp);
    vsps[0] = heartbeat_vsp(heartbeat);
    vsps[1] = shutdown_vsp(shutdown_ic);
    vsps[2] = timesync_vsp(timesync);
    vsps[3] = kvp_vsp(kvp);
    memset(channels, 0, sizeof(channels));
    owed = 0;

    while (script.size > 0)
        step(&script);

    kvp_guest_values(kvp, each, NULL);
    for (unsigned i = 0; i < SERVICES; i++)
        close_channel(i);
    CHECK(owed == 0);
    heartbeat_free(heartbeat);
    shutdown_free(shutdown_ic);
    timesync_free(timesync);
    kvp_free(kvp);
    return 0;
}
