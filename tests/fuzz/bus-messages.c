/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a guest that speaks VMBus from a script.
 *
 * The input is a list of steps, each an opcode byte and its arguments: messages (raw, or nearly
 * right ones, so that the deep states are reached), bytes and indices written into rings, signals,
 * reading or not reading what the host says, a device that is slow, unwilling or gives up, or is
 * taken away and put back, resets of the machine. Whatever the script, at its end the machine must
 * come to rest: every channel closed, every connection id given back (the scripted guest asserts
 * these).
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "src/common/log.h"
#include "tests/unit/echo_vsp.h"
#include "tests/unit/scripted_guest.h"

#define RAM        (352u << 10)
#define RINGS_PFN  32u /* pages of the rings of relid 0, then of relid 1... */
#define RING_PAGES 6u  /* both rings of a channel */
#define RELIDS     8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    const uint8_t *next, *end;
    struct scripted_guest *guest;
    struct echo echo, pipe;
    unsigned resets;
    unsigned away; /* bits: devices that the bus has let go of */
};

/* Past its end the script reads as zeros. */
static uint8_t byte(struct script *s)
{
    return s->next < s->end ? *s->next++ : 0;
}

static uint32_t word(struct script *s)
{
    uint32_t value = byte(s);

    /* Small numbers are the likely ones; 0xff asks for all 32 bits. */
    if (value != 0xff)
        return value;
    value = byte(s);
    value |= (uint32_t)byte(s) << 8;
    value |= (uint32_t)byte(s) << 16;
    return value | (uint32_t)byte(s) << 24;
}

static void post(struct script *s, const void *message, uint32_t len)
{
    sg_post(s->guest, s->guest->version >= VMBUS_V5_0 ? 4 : 1, message, len);
}

/* --- Steps */

static void step_raw(struct script *s)
{
    uint8_t message[256] = {0};
    uint32_t connection = byte(s) & 1 ? 4 : 1, len = byte(s);

    message[0] = byte(s);
    for (uint32_t i = 8; i < len; i++)
        message[i] = byte(s);
    sg_post(s->guest, connection, message, len);
}

static void step_contact(struct script *s)
{
    static const uint32_t versions[] = {VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0,
                                        VMBUS_V4_0,  VMBUS_V4_1, VMBUS_V5_0, VMBUS_V5_1,
                                        VMBUS_V5_2,  VMBUS_V5_3, 0x00060000, 0};

    s->guest->version = versions[byte(s) % (sizeof(versions) / sizeof(versions[0]))];
    s->guest->target_vp = byte(s) & 3; /* there are two */
    sg_initiate(s->guest, s->guest->version);
}

/* A message of words: type, then up to five. */
static void step_words(struct script *s)
{
    uint32_t message[7] = {byte(s), 0};
    unsigned words = byte(s) % 6;

    for (unsigned i = 0; i < words; i++)
        message[2 + i] = word(s);
    post(s, message, 8 + 4 * words);
}

/* A good GPADL of a channel's rings, under the relid as its id. */
static void step_gpadl(struct script *s)
{
    struct {
        struct vmbus_msg_gpadl_header header;
        struct vmbus_gpa_range range;
        uint64_t pfn[RING_PAGES];
    } __attribute__((packed)) message = {
        .header = {.header.type = VMBUS_MSG_GPADL_HEADER, .bytes = 8 + 8 * RING_PAGES, .ranges = 1},
        .range.bytes = RING_PAGES * GMEM_PAGE,
    };
    uint32_t relid = byte(s) % RELIDS;

    message.header.relid = message.header.gpadl = relid;
    for (unsigned i = 0; i < RING_PAGES; i++)
        message.pfn[i] = RINGS_PFN + relid * RING_PAGES + i;
    post(s, &message, sizeof(message));
}

static void step_open(struct script *s)
{
    struct vmbus_msg_open open = {.header.type = VMBUS_MSG_OPEN, .downstream_page = 3};
    uint32_t relid = byte(s) % RELIDS;

    open.relid = open.gpadl = relid;
    open.target_vp = byte(s) & 1;
    post(s, &open, sizeof(open));
}

static uint8_t *ring_page(struct script *s, uint32_t relid, bool in)
{
    return sg_mem(s->guest, (RINGS_PFN + relid * RING_PAGES + (in ? 3 : 0)) * GMEM_PAGE);
}

static struct sg_channel channel_of(struct script *s, uint32_t relid)
{
    return (struct sg_channel){
        .guest = s->guest,
        .relid = relid,
        .connection = VMBUS_CONNECTION_CHANNEL(relid),
        .out = ring_page(s, relid, false),
        .in = ring_page(s, relid, true),
        .ring_bytes = 2 * GMEM_PAGE,
    };
}

static bool ring_sane(uint8_t *ring)
{
    return *sg_ring_word(ring, SG_WRITE) < 2 * GMEM_PAGE &&
           *sg_ring_word(ring, SG_READ) < 2 * GMEM_PAGE;
}

/* A packet as a driver writes it. */
static void step_send(struct script *s)
{
    struct sg_channel channel = channel_of(s, byte(s) % RELIDS);
    uint16_t type = byte(s) % 13, flags = byte(s) & 1;
    uint8_t payload[256], len = byte(s);

    memset(payload, byte(s), sizeof(payload));
    for (unsigned repeat = byte(s) % 64; ring_sane(channel.out) && repeat; repeat--)
        sg_send(&channel, type, flags, repeat, NULL, 0, payload, len);
}

/* Bytes at the write index. */
static void step_send_raw(struct script *s)
{
    struct sg_channel channel = channel_of(s, byte(s) % RELIDS);
    uint8_t bytes[64], len = byte(s) % sizeof(bytes);

    for (unsigned i = 0; i < len; i++)
        bytes[i] = byte(s);
    if (ring_sane(channel.out))
        sg_send_raw(&channel, bytes, len);
}

/* A word of a control page. */
static void step_control(struct script *s)
{
    uint8_t where = byte(s);

    *sg_ring_word(ring_page(s, where % RELIDS, where & 8), where >> 4) = word(s);
}

static void step_signal(struct script *s)
{
    struct sg_channel channel = channel_of(s, byte(s) % RELIDS);

    if (s->guest->interrupt_page_pfn)
        sg_signal(&channel);
}

static void step_hypercall_signal(struct script *s)
{
    uint32_t connection = word(s);

    vmbus_bus_signal(s->guest->bus, connection, byte(s));
}

static void step_read(struct script *s)
{
    for (unsigned n = byte(s); n && s->guest->taken != s->guest->messages; n--)
        sg_take(s->guest);
}

/* Take packets out of the host->guest ring by moving the index, no questions asked. */
static void step_drain(struct script *s)
{
    uint8_t *in = ring_page(s, byte(s) % RELIDS, true);

    *sg_ring_word(in, SG_READ) = *sg_ring_word(in, SG_WRITE);
}

static void step_turn(struct script *s)
{
    lane_turn(s->guest->lane, 0);
}

static void step_fifo(struct script *s)
{
    uint8_t limit = byte(s) % 16;

    s->guest->fifo_limit = limit ? limit : SG_MESSAGES;
    vmbus_bus_room(s->guest->bus);
}

static void step_device(struct script *s)
{
    static const int errors[] = {0, 0, -EAGAIN, -EPROTO};
    uint8_t what = byte(s);
    struct echo *echo = what & 0x80 ? &s->pipe : &s->echo;

    echo->hold_close = what & 1;
    echo->talk_in_open = what & 2;
    echo->packet_error = errors[what >> 2 & 3];
    echo->open_error = what & 0x10 ? -ENOMEM : 0;
    echo->subchannels = what >> 5 & 3;
    for (unsigned i = 0; i < ECHO_CHANNELS; i++)
        if (echo->channel[i])
            vmbus_channel_resume(echo->channel[i]);
}

static void step_let_go(struct script *s)
{
    echo_let_go(&s->echo);
    echo_let_go(&s->pipe);
}

static void step_device_send(struct script *s)
{
    uint8_t where = byte(s), len = byte(s);
    struct echo *echo = where & 0x80 ? &s->pipe : &s->echo;
    uint8_t payload[256] = {0};

    if (echo->channel[where % ECHO_CHANNELS])
        echo_send(echo, where % ECHO_CHANNELS, payload, len);
}

static void on_reset(void *context)
{
    struct script *s = context;

    s->resets--;
}

static void step_reset(struct script *s)
{
    if (s->resets) /* one at a time */
        return;
    s->resets++;
    vmbus_bus_reset(s->guest->bus, on_reset, s);
}

/* --- Devices that come and go */

static void echo_gone(void *context)
{
    ((struct script *)context)->away |= 1;
}

static void pipe_gone(void *context)
{
    ((struct script *)context)->away |= 2;
}

static void step_remove(struct script *s)
{
    uint8_t what = byte(s);

    if (what & 1 && !(s->away & 1))
        vmbus_bus_remove(s->guest->bus, &s->echo.vsp, echo_gone, s);
    if (what & 2 && !(s->away & 2))
        vmbus_bus_remove(s->guest->bus, &s->pipe.vsp, pipe_gone, s);
}

static void step_add(struct script *s)
{
    if (s->away & 1 && vmbus_bus_add(s->guest->bus, &s->echo.vsp) == 0)
        s->away &= ~1u;
    if (s->away & 2 && vmbus_bus_add(s->guest->bus, &s->pipe.vsp) == 0)
        s->away &= ~2u;
}

static void (*const steps[])(struct script *s) = {
    step_raw,    step_contact, step_words,       step_gpadl,  step_open,
    step_send,   step_control, step_send_raw,    step_signal, step_hypercall_signal,
    step_read,   step_drain,   step_turn,        step_fifo,   step_device,
    step_let_go, step_reset,   step_device_send, step_remove, step_add,
};

/* The machine stops; what is left over would show here, or in the next input. */
static void come_to_rest(struct script *s)
{
    s->echo.hold_close = s->pipe.hold_close = false;
    step_let_go(s);
    sg_run(s->guest, 0);
    step_let_go(s);
    sg_run(s->guest, 0);
    s->guest->fifo_limit = SG_MESSAGES;
    sg_stop(s->guest);
    for (uint32_t connection = 0; connection < SG_CONNECTIONS; connection++)
        if (s->guest->connection_fd[connection])
            __builtin_trap();
    if (s->echo.opens != s->echo.closes || s->pipe.opens != s->pipe.closes)
        __builtin_trap();
}

/* One machine for all inputs: each finds it as the last one's stop has left it. */
static struct script *machine(void)
{
    static struct script s;

    if (!s.guest) {
        log_set_level(LOG_LEVEL_ERROR);
        s.guest = sg_new(RAM, 2, VMBUS_V5_3);
        s.guest->next_page = RINGS_PFN + RELIDS * RING_PAGES;
        echo_init(&s.echo, &echo_class, 1, s.guest->lane);
        echo_init(&s.pipe, &pipe_class, 1, s.guest->lane);
        vmbus_bus_add(s.guest->bus, &s.echo.vsp);
        vmbus_bus_add(s.guest->bus, &s.pipe.vsp);
    }
    step_add(&s);
    if (s.away || s.echo.vsp.leaving || s.pipe.vsp.leaving)
        __builtin_trap();
    memset(s.guest->ram, 0, RAM);
    s.guest->messages = s.guest->taken = 0;
    s.guest->version = 0;
    s.guest->stopped = false;
    s.echo.open_error = s.echo.packet_error = s.pipe.open_error = s.pipe.packet_error = 0;
    s.echo.talk_in_open = s.pipe.talk_in_open = false;
    s.echo.subchannels = s.pipe.subchannels = 0;
    return &s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script *s = machine();

    s->next = data;
    s->end = data + size;
    while (s->next < s->end)
        steps[byte(s) % (sizeof(steps) / sizeof(steps[0]))](s);
    come_to_rest(s);
    return 0;
}
