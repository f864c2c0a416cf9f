/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a packet takes through a ring: a guest on the same thread writes batches, the host reads
 * them, and touches the payload once as a device would.
 *
 * Built twice: bench-ring with ring.c as it is, bench-ring-bare with ring.c compiled with
 * -DRING_UNCHECKED. The difference is what validation costs; a runner takes turns between the two,
 * because the machine's clock drifts. Prints a line per payload size: bytes, nanoseconds per packet
 * (the best of several rounds). Left out: signals, sleeping, a second core's cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/kvm/gmem.h"
#include "vmbus/ring.h"

#define DATA_PAGES 127u /* what storvsc opens: 128 pages with the control page */
#define BATCH      32u  /* packets, or as many as fit */
#define ROUNDS     15
#define ROUND_NS   20000000ull
#define TURNS      64u /* batches between two looks at the clock, which costs a system call */

/* The thread's own time: what else the machine does is not the ring's. */
static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The guest's end, as lean as it can be: it knows that all fits and that pages are neighbours. */
struct guest {
    uint32_t *control;
    uint8_t *data;
    uint32_t size, index;
};

static void guest_write(struct guest *guest, const uint8_t *packet, uint32_t len)
{
    uint64_t trailer = (uint64_t)guest->index << 32;
    uint32_t first = guest->size - guest->index < len ? guest->size - guest->index : len;

    memcpy(guest->data + guest->index, packet, first);
    if (first < len)
        memcpy(guest->data, packet + first, len - first);
    guest->index += len;
    if (guest->index >= guest->size)
        guest->index -= guest->size;
    memcpy(guest->data + guest->index, &trailer, sizeof(trailer));
    guest->index += (uint32_t)sizeof(trailer);
    if (guest->index == guest->size)
        guest->index = 0;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench-ring: %s\n", what);
    exit(1);
}

/* Read a batch; returns a digest so that no read can be left out. */
static uint64_t host_read(struct ring *ring, unsigned count)
{
    struct vmbus_packet packet;
    uint64_t digest = 0, first;

    for (unsigned i = 0; i < count; i++) {
        if (ring_read(ring, &packet) != 1)
            fail("a packet was refused");
        memcpy(&first, packet.payload, sizeof(first));
        digest += first + packet.transaction_id + packet.payload_len;
    }
    ring_read_commit(ring);
    return digest;
}

/* Best nanoseconds per packet with `payload` bytes in it. */
static double measure(struct ring *ring, struct guest *guest, uint32_t payload)
{
    static uint8_t packet[16 + LIMIT_PIPE_PAYLOAD];
    uint32_t len = 16 + payload;
    uint64_t head[2] = {VMBUS_PACKET_IN_BAND | 2ull << 16 | (uint64_t)(len / 8) << 32, 1};
    unsigned batch = guest->size / 2 / (len + 8) < BATCH ? guest->size / 2 / (len + 8) : BATCH;
    uint64_t digest = 0, packets = 0;
    double best = 1e9;

    memset(packet, 1, sizeof(packet));
    memcpy(packet, head, sizeof(head));
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns(), end, done = 0;
        do {
            for (unsigned turn = 0; turn < TURNS; turn++) {
                for (unsigned i = 0; i < batch; i++)
                    guest_write(guest, packet, len);
                __atomic_store_n(&guest->control[0], guest->index, __ATOMIC_RELEASE);
                digest += host_read(ring, batch);
            }
            done += TURNS * batch;
            end = now_ns();
        } while (end - start < ROUND_NS);
        double each = (double)(end - start) / (double)done;
        best = each < best ? each : best;
        packets += done;
    }
    if (digest != packets * (0x0101010101010101 + 1 + payload))
        fail("payloads came out wrong");
    return best;
}

int main(void)
{
    static const uint32_t sizes[] = {32, 64, 256, 1024, 4096, 16384};
    uint8_t *ram = aligned_alloc(GMEM_PAGE, (DATA_PAGES + 1) * GMEM_PAGE);
    uint64_t pfn[DATA_PAGES + 1];
    struct gmem gmem = {0};
    struct ring ring;

    if (!ram || gmem_add(&gmem, 0, (DATA_PAGES + 1) * GMEM_PAGE, ram))
        fail("no memory");
    memset(ram, 0, (DATA_PAGES + 1) * GMEM_PAGE);
    for (uint32_t i = 0; i <= DATA_PAGES; i++)
        pfn[i] = i;
    if (ring_open_reader(&ring, &gmem, pfn, DATA_PAGES + 1))
        fail("cannot open the ring");
    struct guest guest = {(uint32_t *)(void *)ram, ram + GMEM_PAGE, DATA_PAGES * GMEM_PAGE, 0};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        printf("%u %.2f\n", sizes[i], measure(&ring, &guest, sizes[i]));
    ring_close(&ring);
    gmem_free(&gmem);
    free(ram);
    return 0;
}
