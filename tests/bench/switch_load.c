/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generator and sink: see the header. One thread goes round the ports, a burst out, a burst in.
 */
#include "tests/bench/switch_load.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELLS       512u
#define BURST       64u
#define WARM_UP     0.2 /* seconds: stations are learned, pages touched */
#define TCP_HEADERS (FRAME_ETHERNET + 40u)

void load_fail(const char *what)
{
    fprintf(stderr, "bench-switch: %s\n", what);
    exit(1);
}

void load_mac(uint8_t mac[6], unsigned port)
{
    static const uint8_t own[6] = {0x02, 0x15, 0x5d, 0x00, 0x00, 0x00};

    memcpy(mac, own, 6);
    mac[5] = (uint8_t)port;
}

void load_pin(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static uint8_t *make_frame(const struct load *load, unsigned port)
{
    uint8_t *frame = calloc(1, load->length);

    if (!frame)
        load_fail("no memory");
    load_mac(frame, port ^ 1);
    load_mac(frame + 6, port);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[14 + 9] = 6;
    for (uint32_t i = TCP_HEADERS; i < load->length; i++)
        frame[i] = (uint8_t)(i * 31 + port);
    return frame;
}

static struct frame_meta make_meta(uint32_t length)
{
    struct frame_meta meta = {.length = length, .hash = 1};

    if (length <= 9014)
        return meta;
    meta.flags = FRAME_CSUM_PARTIAL;
    meta.csum_start = FRAME_ETHERNET + 20;
    meta.csum_offset = 16;
    meta.gso = FRAME_GSO_TCPV4;
    meta.gso_size = 1460;
    meta.header = TCP_HEADERS;
    return meta;
}

struct load *load_new(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof(*load));

    if (!load || argc != 4)
        load_fail("usage: PORTS LENGTH SECONDS");
    load->ports = (unsigned)strtoul(argv[1], NULL, 10);
    load->length = (uint32_t)strtoul(argv[2], NULL, 10);
    load->seconds = strtod(argv[3], NULL);
    if (!load->ports || load->ports % 2 || load->ports > LOAD_PORTS || load->length < 60 ||
        load->length > LIMIT_FRAME || !(load->seconds > 0))
        load_fail("an even number of ports up to 64, frames of 60 bytes or more");
    load->meta = make_meta(load->length);
    for (unsigned i = 0; i < load->ports; i++) {
        struct port_ring_geometry geometry = {.queues = 1, .cells = CELLS};
        if (port_ring_create(&geometry, &load->fds[i]) ||
            port_ring_map(&load->ring[i], &load->fds[i], PORT_RING_WORKER))
            load_fail("cannot make a port ring");
        load->frame[i] = make_frame(load, i);
    }
    return load;
}

void load_free(struct load *load)
{
    for (unsigned i = 0; i < load->ports; i++) {
        port_ring_unmap(&load->ring[i]);
        port_ring_close(&load->fds[i], 1);
        free(load->frame[i]);
    }
    free(load);
}

static void generate(struct load *load, unsigned port)
{
    struct port_queue *queue = &load->ring[port].out[0];
    struct iovec data[2];

    for (unsigned i = 0; i < BURST; i++) {
        if (port_queue_room(queue, load->length, data) < 1)
            break;
        memcpy(data[0].iov_base, load->frame[port], data[0].iov_len);
        if (data[1].iov_len)
            memcpy(data[1].iov_base, load->frame[port] + data[0].iov_len, data[1].iov_len);
        port_queue_push(queue, &load->meta);
        load->sent++;
    }
    if (port_queue_commit(queue))
        port_queue_ring_data(queue);
}

static uint64_t digest(const struct iovec *data)
{
    const uint8_t *bytes = data->iov_base;
    uint64_t sum = 0, word = 0;
    size_t at = 0;

    for (; at + sizeof(word) <= data->iov_len; at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        sum += word;
    }
    for (; at < data->iov_len; at++)
        sum += bytes[at];
    return sum;
}

static void drain(struct load *load, unsigned port)
{
    struct port_queue *queue = &load->ring[port].in[0];
    struct frame_meta meta;
    struct iovec data[2];
    unsigned count = 0;

    while (count < BURST && port_queue_pull(queue, &meta, data) > 0) {
        load->digest += digest(&data[0]) + digest(&data[1]);
        count++;
    }
    load->received += count;
    if (count && port_queue_release(queue))
        port_queue_ring_room(queue);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run_until(struct load *load, double end)
{
    while (now() < end) {
        for (unsigned i = 0; i < load->ports; i++) {
            generate(load, i);
            drain(load, i);
        }
    }
}

void load_run(struct load *load, const char *who)
{
    run_until(load, now() + WARM_UP);
    load->sent = load->received = 0;
    double start = now();
    run_until(load, start + load->seconds);
    double rate = (double)load->received / (now() - start);
    double lost = load->sent > load->received
                      ? 100.0 * (double)(load->sent - load->received) / (double)load->sent
                      : 0;
    printf("%s %u %u %.3f %.2f %.1f\n", who, load->ports, load->length, rate / 1e6,
           rate * load->length * 8 / 1e9, lost);
    if (!load->digest)
        load_fail("nothing arrived");
}
