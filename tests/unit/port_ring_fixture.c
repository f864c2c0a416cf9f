/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port rings for tests: see port_ring_fixture.h. The layout is written down here a second time, so
 * that a change of the shared format is seen.
 */
#include "tests/unit/port_ring_fixture.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t control_bytes(uint32_t cells)
{
    return (PRF_DESCRIPTORS + 32ull * cells + 4095) / 4096 * 4096;
}

static uint64_t queue_bytes(uint32_t cells)
{
    return control_bytes(cells) + 2048ull * cells;
}

uint64_t prf_size(uint32_t queues, uint32_t cells)
{
    return 4096 + 2ull * queues * queue_bytes(cells);
}

struct prf *prf_new(uint32_t queues, uint32_t cells)
{
    struct port_ring_geometry geometry = {.queues = queues, .cells = cells};
    struct prf *prf = g_new0(struct prf, 1);

    prf->queues = queues;
    prf->cells = cells;
    g_assert_cmpint(port_ring_create(&geometry, &prf->fds), ==, 0);
    g_assert_cmpint(port_ring_map(&prf->here, &prf->fds, PORT_RING_SWITCH), ==, 0);
    g_assert_cmpint(port_ring_map(&prf->worker, &prf->fds, PORT_RING_WORKER), ==, 0);
    for (uint32_t i = 0; i < queues; i++) {
        prf_rung(prf->fds.queue[i].to_switch_data);
        prf_rung(prf->fds.queue[i].to_switch_room);
        prf_rung(prf->fds.queue[i].to_worker_data);
        prf_rung(prf->fds.queue[i].to_worker_room);
    }
    return prf;
}

void prf_free(struct prf *prf)
{
    port_ring_unmap(&prf->here);
    port_ring_unmap(&prf->worker);
    port_ring_close(&prf->fds, prf->queues);
    g_free(prf);
}

uint8_t *prf_queue(struct prf *prf, uint32_t pair, bool to_worker)
{
    return (uint8_t *)prf->worker.map + 4096 + (2ull * pair + to_worker) * queue_bytes(prf->cells);
}

struct prf_way prf_way_of(struct prf *prf, uint32_t pair, bool to_worker)
{
    return (struct prf_way){
        .from = to_worker ? &prf->here.out[pair] : &prf->worker.out[pair],
        .to = to_worker ? &prf->worker.in[pair] : &prf->here.in[pair],
        .shared = prf_queue(prf, pair, to_worker),
    };
}

uint32_t prf_get(const uint8_t *queue, enum prf_line line)
{
    return __atomic_load_n((const uint32_t *)(const void *)(queue + line), __ATOMIC_SEQ_CST);
}

void prf_set(uint8_t *queue, enum prf_line line, uint32_t value)
{
    __atomic_store_n((uint32_t *)(void *)(queue + line), value, __ATOMIC_SEQ_CST);
}

uint8_t *prf_descriptor(uint8_t *queue, uint32_t cell)
{
    return queue + PRF_DESCRIPTORS + 32 * cell;
}

int prf_push(struct port_queue *queue, uint32_t length, uint32_t seed)
{
    struct frame_meta meta = {.length = length, .hash = seed};
    struct iovec data[2];
    int count = port_queue_room(queue, length, data);

    for (int i = 0; i < count; i++)
        for (size_t at = 0; at < data[i].iov_len; at++)
            ((uint8_t *)data[i].iov_base)[at] = (uint8_t)seed++;
    if (count > 0)
        port_queue_push(queue, &meta);
    return count;
}

int prf_pull(struct port_queue *queue, uint32_t length, uint32_t seed)
{
    struct frame_meta meta;
    struct iovec data[2];
    int count = port_queue_pull(queue, &meta, data);

    if (count <= 0)
        return count;
    g_assert_cmpuint(meta.length, ==, length);
    g_assert_cmpuint(meta.hash, ==, seed);
    g_assert_cmpuint(data[0].iov_len + data[1].iov_len, ==, length);
    g_assert_cmpint(count, ==, data[1].iov_len ? 2 : 1);
    for (int i = 0; i < count; i++)
        for (size_t at = 0; at < data[i].iov_len; at++)
            if (((const uint8_t *)data[i].iov_base)[at] != (uint8_t)seed++)
                g_error("byte %zu of range %d is wrong", at, i);
    return count;
}

bool prf_rung(int doorbell)
{
    uint64_t count;

    return read(doorbell, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

int prf_memory(const uint32_t header[PRF_HEADER_WORDS], uint64_t size, int seals)
{
    int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
    g_assert_cmpint(pwrite(fd, header, 4 * PRF_HEADER_WORDS, 0), >=, 0);
    /* The write above may have made a short file longer. */
    g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
    if (seals)
        g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
    return fd;
}
