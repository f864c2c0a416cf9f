/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The adapter port's TPACKET_V3 ring: blocks that the kernel fills with frames and hands over when
 * they are full or a timer says so. Facts: Documentation/networking/packet_mmap.rst.
 */
#include "vswitch/port_packet_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define RING_BLOCK  (256u << 10) /* a frame must fit: LIMIT_FRAME and its headers */
#define RING_BLOCKS 32u
#define RING_FRAME  2048u /* only a unit of account in version 3 */
#define RING_BYTES  ((size_t)RING_BLOCK * RING_BLOCKS)
#define RING_MS     1u /* at most this long does a block stay open, in the kernel's units */

static uint8_t *block_start(const struct packet_ring *ring)
{
    return ring->map + (size_t)ring->block * RING_BLOCK;
}

static struct tpacket_hdr_v1 *block_of(const struct packet_ring *ring)
{
    return &((struct tpacket_block_desc *)(void *)block_start(ring))->hdr.bh1;
}

int packet_ring_map(struct packet_ring *ring, int fd)
{
    struct tpacket_req3 request = {
        .tp_block_size = RING_BLOCK,
        .tp_block_nr = RING_BLOCKS,
        .tp_frame_size = RING_FRAME,
        .tp_frame_nr = RING_BLOCKS * (RING_BLOCK / RING_FRAME),
        .tp_retire_blk_tov = RING_MS,
    };
    struct tpacket_req3 none = {0};
    void *map;

    /* A ring of an earlier life of the socket goes first. */
    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &none, sizeof(none)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
        return -errno;
    map = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    *ring = (struct packet_ring){.map = map};
    return 0;
}

void packet_ring_unmap(struct packet_ring *ring)
{
    if (ring->map)
        munmap(ring->map, RING_BYTES);
    ring->map = NULL;
}

bool packet_ring_ready(const struct packet_ring *ring)
{
    return __atomic_load_n(&block_of(ring)->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

bool packet_ring_empty(const struct packet_ring *ring)
{
    return __atomic_load_n(&block_of(ring)->num_pkts, __ATOMIC_RELAXED) == 0;
}

bool packet_ring_next(struct packet_ring *ring, struct packet_arrival *ret_arrival)
{
    const struct tpacket_hdr_v1 *block = block_of(ring);
    const struct tpacket3_hdr *header;
    const struct sockaddr_ll *from;

    if (!ring->open) {
        if (!packet_ring_ready(ring))
            return false;
        ring->open = true;
        ring->left = block->num_pkts;
        ring->next = block_start(ring) + block->offset_to_first_pkt;
    }
    if (!ring->left)
        return false;
    header = (const struct tpacket3_hdr *)(void *)ring->next;
    from = (const void *)(ring->next + TPACKET_ALIGN(sizeof(*header)));
    ret_arrival->bytes = ring->next + header->tp_mac;
    memcpy(&ret_arrival->header, ret_arrival->bytes - sizeof(ret_arrival->header),
           sizeof(ret_arrival->header));
    ret_arrival->status = header->tp_status;
    ret_arrival->tci = (uint16_t)header->hv1.tp_vlan_tci;
    ret_arrival->tpid = header->hv1.tp_vlan_tpid;
    ret_arrival->type = from->sll_pkttype;
    /* What the ring had to cut is too long for the switch, too: tp_len says so. */
    ret_arrival->length = header->tp_len;
    ring->next += header->tp_next_offset;
    ring->left--;
    return true;
}

void packet_ring_done(struct packet_ring *ring)
{
    struct tpacket_hdr_v1 *block = block_of(ring);

    if (!ring->open || ring->left)
        return;
    ring->open = false;
    /* The kernel clears the count when it opens the block, which may be later. */
    __atomic_store_n(&block->num_pkts, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&block->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->block = (ring->block + 1) % RING_BLOCKS;
}
