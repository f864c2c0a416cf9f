/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a ring whose memory and control page are the input.
 *
 * Input: one byte of mode (bit 0: the host writes instead of reading; bit 1: pages are scattered;
 * bits 2-3: data pages less one), four bytes of how much of the rest fills the data area, that
 * filling, then steps. Each step begins with five bytes: which control word the guest overwrites,
 * and with what. The host then works the ring and must not leave it; what it hands out must keep
 * ring.h's promises.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/kvm/gmem.h"
#include "vmbus/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES_MAX 4u
#define RAM_PAGES 16u
#define CONTROL   2u /* its PFN */
#define READS_MAX 64 /* per step: a guest can keep a ring full for ever */

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

/* One allocation for the guest's RAM, so that the sanitizer sees a step outside. */
struct world {
    struct gmem gmem;
    uint8_t *ram;
    uint64_t pfn[1 + PAGES_MAX];
    uint32_t pages;
    struct ring ring;
};

static void fill(struct world *world, struct input *input)
{
    uint32_t len = take(input, 4) % (world->pages * GMEM_PAGE);

    for (uint32_t at = 0; at < len && input->size; at++)
        world->ram[world->pfn[1 + at / GMEM_PAGE] * GMEM_PAGE + at % GMEM_PAGE] =
            (uint8_t)take(input, 1);
}

/* The guest overwrites a control word; the high bit asks for a plausible value. */
static void meddle(struct world *world, struct input *input)
{
    static const uint8_t offsets[] = {0, 4, 8, 12, 64, 0, 4, 0};
    uint32_t which = take(input, 1), value = take(input, 4);

    if (which & 0x80)
        value = value % (world->pages * GMEM_PAGE) & ~7u;
    memcpy(world->ram + CONTROL * GMEM_PAGE + offsets[which % 8], &value, sizeof(value));
}

static void check_packet(const struct world *world, const struct vmbus_packet *packet)
{
    const uint8_t *buffer = world->ring.buffer;
    uint64_t pfn[LIMIT_RANGE_PAGES];
    struct iovec iov[LIMIT_RANGE_PAGES];
    struct gpa_range range;
    uint32_t cursor = 0, ranges = 0;

    CHECK(packet->payload >= buffer + 16 && packet->payload_len % 8 == 0);
    CHECK(packet->payload + packet->payload_len <= buffer + LIMIT_PACKET);
    CHECK(!packet->ranges || packet->ranges + packet->ranges_len == packet->payload);
    while (vmbus_packet_range(packet, &cursor, &range, pfn) == 1) {
        CHECK(++ranges <= packet->range_count && range.offset < GMEM_PAGE && range.length > 0);
        CHECK((uint64_t)range.offset + range.length <= (uint64_t)range.pages * GMEM_PAGE);
        int count = gmem_lease(&world->gmem, &range, iov, LIMIT_RANGE_PAGES);
        size_t got = 0;
        for (int i = 0; i < count; i++)
            got += iov[i].iov_len;
        CHECK(count < 0 || got == range.length);
    }
}

static int read_step(struct world *world)
{
    struct vmbus_packet packet;
    int got = 0;

    ring_mask(&world->ring);
    for (int i = 0; i < READS_MAX && (got = ring_read(&world->ring, &packet)) == 1; i++) {
        check_packet(world, &packet);
        if (i % 3 == 0)
            ring_read_commit(&world->ring);
    }
    ring_read_commit(&world->ring);
    ring_unmask(&world->ring);
    CHECK(got == 0 || got == 1 || got == -EPROTO || got == -EMSGSIZE);
    return got < 0 ? got : 0;
}

static int write_step(struct world *world, struct input *input)
{
    static uint8_t payload[3 * GMEM_PAGE];
    uint32_t len = take(input, 2) % sizeof(payload), split = take(input, 2) % (len + 1);
    uint32_t extension = take(input, 1) % 16 * 8, bytes = ring_packet_size(extension, len);
    struct iovec iov[] = {{payload, split}, {payload + split, len - split}};
    bool promise = take(input, 1) & 1 && ring_reserve(&world->ring, bytes) == 0;

    /* A promise holds whatever the guest does in between. */
    if (promise)
        meddle(world, input);
    int err = ring_write(&world->ring, 6, 0, 1, payload, extension, iov, 2, promise);
    CHECK(err == 0 || err == -EAGAIN || err == -EPROTO || err == -EMSGSIZE);
    CHECK(!promise || err == 0);
    CHECK(ring_writable(&world->ring) <= world->ring.size - 8);
    if (take(input, 1) & 1)
        ring_write_commit(&world->ring);
    return err == -EPROTO ? err : 0;
}

static void run(struct world *world, struct input *input, bool writer)
{
    fill(world, input);
    meddle(world, input);
    meddle(world, input);
    int err = writer ? ring_open_writer(&world->ring, &world->gmem, world->pfn, world->pages + 1)
                     : ring_open_reader(&world->ring, &world->gmem, world->pfn, world->pages + 1);

    while (!err && input->size) {
        meddle(world, input);
        err = writer ? write_step(world, input) : read_step(world);
        CHECK(world->ring.index < world->ring.size && world->ring.index % 8 == 0);
        CHECK(world->ring.reserved <= world->ring.size - 8);
    }
    ring_close(&world->ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct world world = {.ram = aligned_alloc(GMEM_PAGE, RAM_PAGES * GMEM_PAGE)};
    uint32_t mode = take(&input, 1);

    CHECK(world.ram);
    memset(world.ram, 0, RAM_PAGES * GMEM_PAGE);
    CHECK(gmem_add(&world.gmem, 0, RAM_PAGES * GMEM_PAGE, world.ram) == 0);
    world.pages = 1 + (mode >> 2) % PAGES_MAX;
    world.pfn[0] = CONTROL;
    for (uint32_t i = 0; i < world.pages; i++)
        world.pfn[1 + i] = mode & 2 ? RAM_PAGES - 1 - 2 * i : CONTROL + 1 + i;
    run(&world, &input, mode & 1);
    free(world.ram);
    return 0;
}
