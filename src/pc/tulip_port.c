/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter's port: one queue pair of a port ring, attached and detached from the main
 * lane.
 *
 * A port that takes the place of another (vmbusd has come back) is no news for the guest, and a
 * switch that takes nothing for a while counts as a silent wire, not as a full one.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/common/container.h"
#include "src/pc/tulip_priv.h"
#include "vswitch/wire.h"

#define MACS_BYTES 12u
#define TAG_BYTES  4u

/* --- Sending --- */

/* The ring is full. True if there is room by now after all. */
static bool await_room(struct tulip *tulip)
{
    tulip_port_flush(tulip);
    if (port_queue_await_room(tulip->ring.out))
        return true;
    if (!tulip->tx_waiting) {
        tulip->count.stalls_out++;
        lane_timer_arm(tulip->lane, &tulip->silence, TULIP_SILENCE_NS);
    }
    tulip->tx_waiting = true;
    return false;
}

/* Where the frame goes: ranges; -EAGAIN wait; else nowhere. */
static int find_place(struct tulip *tulip, uint32_t length, struct iovec place[2])
{
    if (!tulip->attached)
        return -ENOTCONN;
    int ranges = port_queue_room(tulip->ring.out, length, place);
    if (ranges != -EAGAIN)
        return ranges;
    if (tulip->tx_silent)
        return -ENOBUFS;
    return await_room(tulip) ? port_queue_room(tulip->ring.out, length, place) : -EAGAIN;
}

/* A tag goes from the bytes to the metadata; where the frame begins then. */
static uint8_t *take_tag(uint8_t *bytes, struct frame_meta *meta)
{
    if (meta->length < FRAME_ETHERNET + TAG_BYTES ||
        wire_get16(bytes + MACS_BYTES) != ETHERTYPE_VLAN)
        return bytes;
    meta->vlan_tci = wire_get16(bytes + MACS_BYTES + 2);
    meta->flags = FRAME_VLAN;
    meta->length -= TAG_BYTES;
    memmove(bytes + TAG_BYTES, bytes, MACS_BYTES);
    return bytes + TAG_BYTES;
}

int tulip_port_send(struct tulip *tulip, uint32_t length)
{
    struct frame_meta meta = {.length = length};
    const uint8_t *bytes = take_tag(tulip->tx_bytes, &meta);
    struct iovec place[2];

    if (meta.length > FRAME_ETHERNET + TULIP_MTU) {
        tulip->count.bad_out++;
        return 0;
    }
    meta.hash = frame_hash(bytes, meta.length);
    int ranges = find_place(tulip, meta.length, place);
    if (ranges == -EAGAIN)
        return ranges;
    if (ranges < 0) {
        tulip->count.dropped_out++;
        return 0;
    }
    if (ranges == 1)
        place[1].iov_len = 0;
    for (int i = 0; i < ranges; bytes += place[i++].iov_len)
        memcpy(place[i].iov_base, bytes, place[i].iov_len);
    port_queue_push(tulip->ring.out, &meta);
    tulip->tx_pushed = true;
    tulip->tx_silent = false;
    tulip->count.frames_out++;
    tulip->count.bytes_out += meta.length;
    return 0;
}

void tulip_port_flush(struct tulip *tulip)
{
    if (tulip->tx_pushed && port_queue_commit(tulip->ring.out))
        port_queue_ring_data(tulip->ring.out);
    tulip->tx_pushed = false;
}

/* --- Doorbells --- */

static void on_data(struct lane_source *source, uint32_t events)
{
    struct tulip *tulip = container_of(source, struct tulip, data);

    (void)events;
    port_ring_hear(source->fd);
    lane_post(tulip->lane, &tulip->task);
}

static void on_room(struct lane_source *source, uint32_t events)
{
    struct tulip *tulip = container_of(source, struct tulip, room);

    (void)events;
    port_ring_hear(source->fd);
    tulip->tx_waiting = false;
    lane_timer_cancel(tulip->lane, &tulip->silence);
    lane_post(tulip->lane, &tulip->task);
}

static void on_silence(struct lane_timer *timer)
{
    struct tulip *tulip = container_of(timer, struct tulip, silence);

    tulip->tx_waiting = false;
    tulip->tx_silent = true;
    lane_post(tulip->lane, &tulip->task);
}

void tulip_port_init(struct tulip *tulip)
{
    tulip->data.ready = on_data;
    tulip->room.ready = on_room;
    tulip->silence.fire = on_silence;
}

/* --- Attaching --- */

/* What the main lane, which maps and unmaps, and the adapter's lane exchange. */
struct exchange {
    struct tulip *tulip;
    bool coming, going; /* a port, to the adapter and from it */
    struct port_ring ring;
    struct port_ring_fds fds;
};

static void let_go(struct tulip *tulip)
{
    tulip_port_flush(tulip);
    lane_unwatch(tulip->lane, &tulip->data);
    lane_unwatch(tulip->lane, &tulip->room);
    lane_timer_cancel(tulip->lane, &tulip->silence);
    tulip_rx_forget(tulip);
    if (!tulip->broken && port_queue_release(tulip->ring.in))
        port_queue_ring_room(tulip->ring.in);
    tulip->attached = tulip->broken = tulip->tx_waiting = tulip->tx_silent = false;
}

static void take(struct tulip *tulip)
{
    tulip->data.fd = tulip->fds.queue[0].to_worker_data;
    tulip->room.fd = tulip->fds.queue[0].to_switch_room;
    if (lane_watch(tulip->lane, &tulip->data, EPOLLIN) ||
        lane_watch(tulip->lane, &tulip->room, EPOLLIN))
        log_error("legacy NIC: its port cannot be watched");
    tulip->attached = true;
}

/* On the lane. */
static void swap(void *context)
{
    struct exchange *exchange = context;
    struct tulip *tulip = exchange->tulip;
    struct port_ring ring = tulip->ring;
    struct port_ring_fds fds = tulip->fds;

    pthread_mutex_lock(tulip->host->lock);
    exchange->going = tulip->attached;
    if (exchange->going)
        let_go(tulip);
    if (exchange->coming) {
        tulip->ring = exchange->ring;
        tulip->fds = exchange->fds;
        take(tulip);
    }
    exchange->ring = ring;
    exchange->fds = fds;
    if (tulip->mii.link != tulip->attached)
        tulip_mii_link(&tulip->mii, tulip->attached);
    tulip_kick(tulip);
    pthread_mutex_unlock(tulip->host->lock);
}

static void exchange_ports(struct exchange *exchange)
{
    lane_call(exchange->tulip->lane, swap, exchange);
    if (!exchange->going)
        return;
    port_ring_unmap(&exchange->ring);
    port_ring_close(&exchange->fds, 1);
}

int tulip_attach(struct tulip *tulip, const struct port_ring_fds *fds, unsigned queues)
{
    struct exchange exchange = {.tulip = tulip, .coming = true, .fds = *fds};

    if (queues != 1)
        return -EINVAL;
    int error = port_ring_map(&exchange.ring, fds, PORT_RING_WORKER);
    if (error)
        return error;
    if (exchange.ring.geometry.queues != 1) {
        port_ring_unmap(&exchange.ring);
        return -EINVAL;
    }
    exchange_ports(&exchange);
    return 0;
}

void tulip_detach(struct tulip *tulip)
{
    struct exchange exchange = {.tulip = tulip};

    exchange_ports(&exchange);
}

void tulip_port_close(struct tulip *tulip)
{
    if (!tulip->attached)
        return;
    let_go(tulip);
    port_ring_unmap(&tulip->ring);
    port_ring_close(&tulip->fds, 1);
}

bool tulip_attached(const struct tulip *tulip)
{
    pthread_mutex_lock(tulip->host->lock);
    bool attached = tulip->attached;
    pthread_mutex_unlock(tulip->host->lock);
    return attached;
}
