/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port rings for tests: both sides mapped, and the shared memory laid open, as a hostile peer has
 * it.
 */
#ifndef VMBUSD_TESTS_PORT_RING_FIXTURE_H
#define VMBUSD_TESTS_PORT_RING_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "vswitch/port_ring.h"

/* 32-bit words of the header. */
enum prf_header {
    PRF_MAGIC,
    PRF_VERSION,
    PRF_CELL,
    PRF_QUEUES,
    PRF_CELLS,
    PRF_FEATURES,
    PRF_HEADER_WORDS
};

/* What lies in a queue's lines, as byte offsets. */
enum prf_line { PRF_HEAD = 0, PRF_ROOM_WANTED = 4, PRF_TAIL = 128, PRF_DATA_WANTED = 132 };
#define PRF_DESCRIPTORS 256u

struct prf {
    struct port_ring_fds fds;
    struct port_ring here, worker; /* the switch's side, the worker's */
    uint32_t queues, cells;
};

/* A ring mapped on both sides; doorbells are silent. */
struct prf *prf_new(uint32_t queues, uint32_t cells);
void prf_free(struct prf *prf);

/* Both ends of one queue, and its lines in the worker's mapping. */
struct prf_way {
    struct port_queue *from, *to;
    uint8_t *shared;
};
struct prf_way prf_way_of(struct prf *prf, uint32_t pair, bool to_worker);

/* Where queue `pair` in a direction begins, in the worker's mapping. */
uint8_t *prf_queue(struct prf *prf, uint32_t pair, bool to_worker);

/* Read and write a word of its lines, as a peer does. */
uint32_t prf_get(const uint8_t *queue, enum prf_line line);
void prf_set(uint8_t *queue, enum prf_line line, uint32_t value);

/* The descriptor of a cell: struct frame_meta and 8 bytes. */
uint8_t *prf_descriptor(uint8_t *queue, uint32_t cell);

/* Put a frame whose bytes count up from `seed` into the queue, without commit. As
 * port_queue_room(). */
int prf_push(struct port_queue *queue, uint32_t length, uint32_t seed);

/* Pull a frame and see that it is what prf_push() made. As port_queue_pull(). */
int prf_pull(struct port_queue *queue, uint32_t length, uint32_t seed);

/* True if the doorbell has rung; it is silent after. */
bool prf_rung(int doorbell);

/* A memfd of `size` bytes that begins with `header`, with `seals`. */
int prf_memory(const uint32_t header[PRF_HEADER_WORDS], uint64_t size, int seals);

/* Bytes of a ring of this geometry. */
uint64_t prf_size(uint32_t queues, uint32_t cells);

#endif
