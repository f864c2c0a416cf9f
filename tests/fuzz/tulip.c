/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The legacy adapter: registers, descriptors anywhere in RAM, frames from the switch, a port that
 * comes and goes. Six bytes a step: what, where, value. The lane turns when the script says so.
 */
#include <stdlib.h>
#include <unistd.h>

#include "src/pc/tulip_priv.h"
#include "tests/fuzz/script.h"
#include "tests/unit/fake_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM 0x4000u
#define IO  0xec00u

struct devices {
    struct fake_pc pc;
    struct gmem gmem;
    struct mmio mmio;
    struct reset_ports ports;
    struct pci pci;
    struct chipset chipset;
    struct tulip *tulip;
    struct port_ring_fds fds;
    struct port_ring ring;
};

static _Alignas(4096) uint8_t ram[RAM];

static void check(bool good)
{
    if (!good)
        abort();
}

/* However the rings are, a turn ends; what asks for another one for ever is not waited for. */
static void turn(struct devices *devices)
{
    for (unsigned i = 0; i < 50 && lane_turn(devices->pc.host.lane, 0); i++)
        ;
}

/* Both sides of the ring with the same descriptors: the adapter closes copies. */
static void plug(struct devices *devices)
{
    struct port_ring_fds worker;

    memset(&worker, 0xff, sizeof(worker));
    worker.memory = dup(devices->fds.memory);
    worker.queue[0].to_switch_data = dup(devices->fds.queue[0].to_switch_data);
    worker.queue[0].to_switch_room = dup(devices->fds.queue[0].to_switch_room);
    worker.queue[0].to_worker_data = dup(devices->fds.queue[0].to_worker_data);
    worker.queue[0].to_worker_room = dup(devices->fds.queue[0].to_worker_room);
    if (tulip_attach(devices->tulip, &worker, 1))
        port_ring_close(&worker, 1);
}

/* The next bytes of RAM as a frame, with whatever metadata passes. */
static void arrive(struct devices *devices, uint8_t where, uint32_t value)
{
    struct frame_meta meta = {.length = FRAME_ETHERNET + value % 3000,
                              .flags = where & (FRAME_VLAN | FRAME_CSUM_PARTIAL),
                              .vlan_tci = (uint16_t)value,
                              .csum_start = where % 64,
                              .csum_offset = 16};
    struct iovec room[2];

    if (where & 0x80 && meta.flags & FRAME_CSUM_PARTIAL) {
        meta.gso = FRAME_GSO_TCPV4;
        meta.gso_size = (uint16_t)(value >> 16 | 8);
        meta.header = 54;
    }
    int ranges = port_queue_room(&devices->ring.out[0], meta.length, room);
    if (ranges <= 0 || !frame_meta_check(&meta))
        return;
    for (int i = 0; i < ranges; i++)
        memcpy(room[i].iov_base, ram + value % (RAM / 2), room[i].iov_len % (RAM / 2));
    port_queue_push(&devices->ring.out[0], &meta);
    if (port_queue_commit(&devices->ring.out[0]))
        port_queue_ring_data(&devices->ring.out[0]);
}

static void drain(struct devices *devices)
{
    struct frame_meta meta;
    struct iovec data[2];

    while (port_queue_pull(&devices->ring.in[0], &meta, data) > 0)
        check(meta.length <= FRAME_ETHERNET + TULIP_MTU);
    if (port_queue_release(&devices->ring.in[0]))
        port_queue_ring_room(&devices->ring.in[0]);
}

static void step(struct devices *devices, struct script *script)
{
    uint8_t what = script_next(script), where = script_next(script);
    uint32_t value = 0;

    script_take(script, &value, sizeof(value));
    switch (what % 8) {
    case 0:
        fake_pc_in(&devices->pc, (uint16_t)(IO + where % 128), 1u << (what >> 3) % 3);
        break;
    case 1:
    case 2:
        fake_pc_out(&devices->pc, (uint16_t)(IO + 8 * (where % 16)), 4, value);
        break;
    case 3: /* bytes of the script become bytes of RAM */
        script_take(script, ram + 4 * (value % (RAM / 4 - 64)), where);
        break;
    case 4:
        arrive(devices, where, value);
        break;
    case 5:
        drain(devices);
        break;
    case 6:
        if (where == 1)
            tulip_detach(devices->tulip);
        else if (where == 2)
            plug(devices);
        else if (where == 3)
            tulip_reset(devices->tulip);
        else
            fake_pc_out(&devices->pc, IO + 8 * CSR_SERIAL, 4, value);
        break;
    default:
        turn(devices);
    }
    check(devices->tulip->rx_length <= SEGMENT_BUFFER);
}

static void make(struct devices *devices)
{
    struct tulip_params params = {.count = 1, .mac = {0, 0x15, 0x5d, 1, 2, 3}};
    struct port_ring_geometry geometry = {.queues = 1, .cells = 64};
    struct pio *pio = &devices->pc.pio;
    const struct pc_host *host = &devices->pc.host;

    fake_pc_init(&devices->pc);
    params.lane = host->lane;
    check(!gmem_add(&devices->gmem, 0, RAM, ram) &&
          !reset_ports_init_port92(&devices->ports, host, pio) &&
          !pci_init(&devices->pci, host, pio, &devices->mmio, &devices->ports) &&
          !chipset_init(&devices->chipset, host, &devices->pci));
    devices->tulip = tulip_new(&params, host, &devices->pci, &devices->chipset, &devices->gmem);
    check(devices->tulip != NULL);
    fake_pc_out(&devices->pc, 0xcf8, 4, 0x80005010);
    fake_pc_out(&devices->pc, 0xcfc, 4, IO);
    fake_pc_out(&devices->pc, 0xcf8, 4, 0x80005004);
    fake_pc_out(&devices->pc, 0xcfc, 2, 5);
    check(!port_ring_create(&geometry, &devices->fds) &&
          !port_ring_map(&devices->ring, &devices->fds, PORT_RING_SWITCH));
    plug(devices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct devices devices;
    struct script script = {data, size};

    memset(&devices, 0, sizeof(devices));
    memset(ram, 0, sizeof(ram));
    make(&devices);
    while (script.size)
        step(&devices, &script);
    turn(&devices);
    lane_end(devices.pc.host.lane);
    tulip_free(devices.tulip);
    port_ring_unmap(&devices.ring);
    port_ring_close(&devices.fds, 1);
    fake_pc_fini(&devices.pc);
    return 0;
}
