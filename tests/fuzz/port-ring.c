/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: both ends of a port ring, on memory that a hostile peer writes.
 *
 * Input: one byte of mode (bit 0: our side; bits 1-2: what is laid out beforehand), then steps.
 * Each begins with the peer overwriting 32 bits of what it shares (header, lines, descriptors),
 * plausible values among them, and then one call of ours. What the calls give must keep
 * port_ring.h's promises; the ring may be mapped again at any time.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "vswitch/port_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUES    2u
#define CELLS     64u
#define PULLS_MAX 200 /* per step: a peer can keep a ring full for ever */

#define CHECK(condition)      \
    do {                      \
        if (!(condition))     \
            __builtin_trap(); \
    } while (0)

struct input {
    const uint8_t *data;
    size_t size;
};

static uint32_t take(struct input *input, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && input->size; i++, input->data++, input->size--)
        value |= (uint32_t)*input->data << (8 * i);
    return value;
}

struct world {
    struct port_ring_fds fds;
    enum port_ring_side side;
    uint8_t *shared; /* the peer's mapping */
    size_t size;
    struct port_ring ring; /* ours */
    uint32_t pulled;       /* bytes read, so that the sanitizer sees the ranges */
};

/* Where a queue begins: as the layout is, a lie elsewhere is one too. */
static uint32_t queue_at(uint32_t which)
{
    uint32_t control = (256 + 32 * CELLS + 4095) & ~4095u;

    return 4096 + which % (2 * QUEUES) * (control + CELLS * PORT_RING_CELL);
}

/* The peer writes a word. The kind's high bits make the value plausible. */
static void meddle(struct world *world, struct input *input)
{
    static const uint16_t line[] = {0, 4, 128, 132};
    uint32_t kind = take(input, 1), which = take(input, 1), value = take(input, 4);
    uint32_t at = queue_at(which);

    if (kind & 0x80)
        value %= CELLS * 2;
    switch (kind & 7) {
    case 0:
        at = which % 6 * 4; /* header */
        break;
    case 1:
    case 2:
    case 3:
        at += line[which >> 2 & 3];
        break;
    default: /* a descriptor's word */
        at += 256 + 32 * (take(input, 1) % CELLS) + (kind & 7) * 4 * (which >> 7) +
              (which >> 2 & 7) * 4 * !(which >> 7);
    }
    memcpy(world->shared + at, &value, sizeof(value));
}

static void check_ranges(struct world *world, const struct port_queue *queue, int count,
                         uint32_t length, const struct iovec data[2])
{
    const uint8_t *cells = queue->cell, *end = cells + (size_t)CELLS * PORT_RING_CELL;

    CHECK(count == (data[1].iov_len ? 2 : 1) && data[0].iov_len + data[1].iov_len == length);
    for (int i = 0; i < count; i++) {
        const uint8_t *base = data[i].iov_base;

        CHECK(base >= cells && base < end && data[i].iov_len <= (size_t)(end - base));
        world->pulled += base[0] + base[data[i].iov_len - 1];
    }
}

static void pull_step(struct world *world, struct port_queue *queue, struct input *input)
{
    uint32_t most = take(input, 1) % PULLS_MAX;
    int count = 1;

    port_queue_disarm(queue);
    for (uint32_t i = 0; i < most && count > 0; i++) {
        struct frame_meta meta;
        struct iovec data[2];

        count = port_queue_pull(queue, &meta, data);
        CHECK(count >= 0 || (count == -EPROTO && queue->broken));
        if (count <= 0)
            break;
        CHECK(frame_meta_check(&meta));
        check_ranges(world, queue, count, meta.length, data);
        CHECK(queue->index - queue->published <= CELLS);
    }
    if (take(input, 1) & 1 && port_queue_release(queue))
        port_queue_ring_room(queue);
    CHECK(port_queue_used(queue) <= CELLS);
    if (!port_queue_arm(queue))
        CHECK(!queue->broken && queue->peer == queue->index);
}

static void push_step(struct world *world, struct port_queue *queue, struct input *input)
{
    uint32_t length = take(input, 3) % (LIMIT_FRAME + 32);
    struct frame_meta meta = {.length = length};
    struct iovec data[2];
    int count = port_queue_room(queue, length, data);

    CHECK(count == 1 || count == 2 || count == -EAGAIN || count == -EMSGSIZE || count == -EPROTO);
    CHECK((count == -EPROTO) == queue->broken);
    if (count > 0) {
        check_ranges(world, queue, count, length, data);
        meddle(world, input); /* room that was given stays given */
        port_queue_push(queue, &meta);
        CHECK(queue->index - queue->peer <= CELLS);
    }
    if (take(input, 1) & 1 && port_queue_commit(queue))
        port_queue_ring_data(queue);
    if (count == -EAGAIN && port_queue_commit(queue))
        port_queue_ring_data(queue);
    if (count == -EAGAIN && !port_queue_await_room(queue))
        CHECK(!queue->broken);
}

/* True while the ring is mapped. */
static bool map_again(struct world *world)
{
    port_ring_unmap(&world->ring);
    int error = port_ring_map(&world->ring, &world->fds, world->side);

    CHECK(error == 0 || error == -EPROTO || error == -EPROTONOSUPPORT || error == -EBADF);
    if (!error)
        CHECK(world->ring.geometry.queues == QUEUES && world->ring.geometry.cells == CELLS);
    return !error;
}

static void run(struct world *world, struct input *input)
{
    while (input->size) {
        uint32_t step = take(input, 1);

        meddle(world, input);
        if (step >= 0xfc && !map_again(world))
            return;
        if (step & 1)
            pull_step(world, &world->ring.in[step >> 1 & 1], input);
        else
            push_step(world, &world->ring.out[step >> 1 & 1], input);
    }
}

/* Honest descriptors in every cell, so that indices alone lead somewhere. */
static void lay_out(struct world *world, uint32_t kind)
{
    for (uint32_t queue = 0; queue < 2 * QUEUES; queue++)
        for (uint32_t cell = 0; cell < CELLS; cell++) {
            struct frame_meta meta = {.length = kind == 1 ? 60 : 2048 + 2 * cell};
            uint8_t *at = world->shared + queue_at(queue) + 256 + 32 * cell;

            memcpy(at, &meta, sizeof(meta));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct port_ring_geometry geometry = {.queues = QUEUES, .cells = CELLS};
    struct input input = {data, size};
    struct world world = {.size = queue_at(2 * QUEUES - 1) + queue_at(1) - queue_at(0)};
    uint32_t mode = take(&input, 1);

    world.side = mode & 1 ? PORT_RING_WORKER : PORT_RING_SWITCH;
    CHECK(port_ring_create(&geometry, &world.fds) == 0);
    CHECK(port_ring_map(&world.ring, &world.fds, world.side) == 0);
    CHECK(world.ring.size == world.size);
    world.shared = mmap(NULL, world.size, PROT_READ | PROT_WRITE, MAP_SHARED, world.fds.memory, 0);
    CHECK(world.shared != MAP_FAILED);
    if (mode >> 1 & 3)
        lay_out(&world, mode >> 1 & 3);
    run(&world, &input);
    munmap(world.shared, world.size);
    port_ring_unmap(&world.ring);
    port_ring_close(&world.fds, QUEUES);
    return 0;
}
