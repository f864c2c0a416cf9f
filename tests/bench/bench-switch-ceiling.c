/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ceiling of bench-switch: what a core can carry at best between the same cells.
 *
 * Per frame one descriptor is read, one address looked up, the bytes copied once, one descriptor
 * written; indices are published once per burst. It believes everything, locks nothing, learns
 * nothing, counts nothing and never sleeps. It includes port_ring.c to see the cells themselves.
 *
 *   bench-switch-ceiling PORTS LENGTH SECONDS
 */
#include "vswitch/port_ring.c"

#include <pthread.h>

#include "tests/bench/switch_load.h"

#define SWITCH_CPU 0u
#define LOAD_CPU   1u
#define BURST      64u
#define TABLE      256u
#define AHEAD      8u /* cells that are being fetched while one is looked at */

struct ceiling {
    const struct load *load;
    struct port_ring ring[LOAD_PORTS]; /* the switch's side */
    struct {
        uint64_t mac;
        struct port_queue *to;
    } table[TABLE];
    atomic_bool stop;
};

static unsigned place(uint64_t mac)
{
    return (unsigned)(mac * 0x9e3779b97f4a7c15ull >> 56);
}

static uint64_t mac_at(const void *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word & 0xffffffffffffull;
}

static struct port_queue *look_up(const struct ceiling *ceiling, uint64_t mac)
{
    unsigned i = place(mac);

    while (ceiling->table[i].mac != mac)
        i = (i + 1) % TABLE;
    return ceiling->table[i].to;
}

static void copy(const struct iovec *from, const struct iovec *to, uint32_t length)
{
    const uint8_t *bytes = from[0].iov_base;
    size_t part = to[0].iov_len;

    if (!from[1].iov_len && !to[1].iov_len) {
        memcpy(to[0].iov_base, bytes, length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t byte =
            i < from[0].iov_len ? bytes[i] : ((uint8_t *)from[1].iov_base)[i - from[0].iov_len];
        if (i < part)
            ((uint8_t *)to[0].iov_base)[i] = byte;
        else
            ((uint8_t *)to[1].iov_base)[i - part] = byte;
    }
}

/* Carry one burst of a port over. */
static void carry(const struct ceiling *ceiling, struct port_queue *in)
{
    uint32_t head = atomic_load_explicit(&in->lines->head, memory_order_acquire);
    struct port_queue *to = NULL;

    for (unsigned i = 0; i < BURST && in->index != head; i++) {
        struct port_ring_descriptor *from = &in->descriptor[in->index & (in->cells - 1)];
        uint32_t length = (uint32_t)atomic_load_explicit(&from->word[0], memory_order_relaxed);
        uint32_t cells = cells_of(length);
        struct iovec source[2], target[2];

        __builtin_prefetch(in->cell +
                           (size_t)((in->index + AHEAD) & (in->cells - 1)) * PORT_RING_CELL);
        ranges(in, in->index, length, source);
        to = look_up(ceiling, mac_at(source[0].iov_base));
        if (to->index - to->peer + cells > to->cells)
            to->peer = atomic_load_explicit(&to->lines->tail, memory_order_acquire);
        in->index += cells;
        if (to->index - to->peer + cells > to->cells)
            continue;
        ranges(to, to->index, length, target);
        copy(source, target, length);
        struct port_ring_descriptor *made = &to->descriptor[to->index & (to->cells - 1)];
        for (unsigned k = 0; k < DESCRIPTOR_WORDS; k++)
            atomic_store_explicit(&made->word[k],
                                  atomic_load_explicit(&from->word[k], memory_order_relaxed),
                                  memory_order_relaxed);
        to->index += cells;
    }
    if (!to)
        return;
    atomic_store_explicit(&to->lines->head, to->index, memory_order_release);
    atomic_store_explicit(&in->lines->tail, in->index, memory_order_release);
}

static void *loop(void *context)
{
    struct ceiling *ceiling = context;

    load_pin(SWITCH_CPU);
    while (!atomic_load_explicit(&ceiling->stop, memory_order_relaxed)) {
        for (unsigned i = 0; i < ceiling->load->ports; i++)
            carry(ceiling, &ceiling->ring[i].in[0]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct ceiling ceiling;
    struct load *load = load_new(argc, argv);
    pthread_t thread;

    ceiling.load = load;
    for (unsigned i = 0; i < load->ports; i++) {
        uint8_t mac[8] = {0};
        if (port_ring_map(&ceiling.ring[i], &load->fds[i], PORT_RING_SWITCH))
            load_fail("cannot map a port ring");
        load_mac(mac, i);
        unsigned at = place(mac_at(mac));
        while (ceiling.table[at].mac)
            at = (at + 1) % TABLE;
        ceiling.table[at].mac = mac_at(mac);
        ceiling.table[at].to = &ceiling.ring[i].out[0];
    }
    if (pthread_create(&thread, NULL, loop, &ceiling))
        load_fail("cannot make a thread");
    load_pin(LOAD_CPU);
    load_run(load, "ceiling");
    atomic_store(&ceiling.stop, true);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < load->ports; i++)
        port_ring_unmap(&ceiling.ring[i]);
    load_free(load);
    return 0;
}
