/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC with a legacy adapter, for tests: see tulip_fixture.h. */
#include "tests/unit/tulip_fixture.h"

#include <string.h>
#include <unistd.h>

#include "src/pc/tulip_priv.h"

#define DEVFN PCI_DEVFN(TULIP_SLOT, 0)

const uint8_t tlf_mac[6] = {0x00, 0x15, 0x5d, 0x01, 0x02, 0x03};
const uint8_t tlf_other[6] = {0x00, 0x15, 0x5d, 0x0a, 0x0b, 0x0c};
const uint8_t tlf_multicast[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
const uint8_t tlf_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void tlf_set_config(struct tulip_fixture *f, unsigned offset, unsigned size, uint32_t value)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | DEVFN << 8 | (offset & 0xfc));
    fake_pc_out(&f->pc, (uint16_t)(0xcfc + offset % 4), size, value);
}

uint32_t tlf_config(struct tulip_fixture *f, unsigned offset)
{
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000000u | DEVFN << 8 | (offset & 0xfc));
    return fake_pc_in(&f->pc, 0xcfc, 4);
}

void tlf_set_up(struct tulip_fixture *f, gconstpointer data)
{
    struct tulip_params params = {.count = 1, .fixed = data != NULL};
    struct pio *pio = &f->pc.pio;
    const struct pc_host *host = &f->pc.host;

    fake_pc_init(&f->pc);
    memset(&f->fds, 0xff, sizeof(f->fds));
    memcpy(params.mac, tlf_mac, sizeof(params.mac));
    params.lane = f->pc.host.lane;
    g_assert_cmpint(gmem_init(&f->gmem, TLF_RAM), ==, 0);
    g_assert_cmpint(reset_ports_init_port92(&f->ports, host, pio), ==, 0);
    g_assert_cmpint(pci_init(&f->pci, host, pio, &f->mmio, &f->ports), ==, 0);
    g_assert_cmpint(chipset_init(&f->chipset, host, &f->pci), ==, 0);
    f->tulip = tulip_new(&params, host, &f->pci, &f->chipset, &f->gmem);
    g_assert_nonnull(f->tulip);
    fake_pc_out(&f->pc, 0xcf8, 4, 0x80000860); /* the ISA bridge's routing, as SeaBIOS has it */
    fake_pc_out(&f->pc, 0xcfc, 4, 0x0b0b0a0a);
    tlf_set_config(f, 0x10, 4, TLF_IO);
    tlf_set_config(f, 0x14, 4, TLF_WINDOW);
    tlf_set_config(f, 0x04, 2, 7);
    tlf_plug(f, 64);
}

void tlf_tear_down(struct tulip_fixture *f, gconstpointer data)
{
    (void)data;
    lane_end(f->pc.host.lane);
    tulip_free(f->tulip);
    if (f->ring.map)
        port_ring_unmap(&f->ring);
    port_ring_close(&f->fds, 1);
    gmem_free(&f->gmem);
    fake_pc_fini(&f->pc);
}

void tlf_plug(struct tulip_fixture *f, unsigned cells)
{
    struct port_ring_geometry geometry = {.queues = 1, .cells = cells};
    struct port_ring_fds worker;

    if (f->ring.map)
        port_ring_unmap(&f->ring);
    port_ring_close(&f->fds, 1);
    g_assert_cmpint(port_ring_create(&geometry, &f->fds), ==, 0);
    memset(&worker, 0xff, sizeof(worker));
    worker.memory = dup(f->fds.memory);
    worker.queue[0].to_switch_data = dup(f->fds.queue[0].to_switch_data);
    worker.queue[0].to_switch_room = dup(f->fds.queue[0].to_switch_room);
    worker.queue[0].to_worker_data = dup(f->fds.queue[0].to_worker_data);
    worker.queue[0].to_worker_room = dup(f->fds.queue[0].to_worker_room);
    g_assert_cmpint(port_ring_map(&f->ring, &f->fds, PORT_RING_SWITCH), ==, 0);
    g_assert_cmpint(tulip_attach(f->tulip, &worker, 1), ==, 0);
    tlf_turn(f);
}

void tlf_unplug(struct tulip_fixture *f)
{
    tulip_detach(f->tulip);
    tlf_turn(f);
}

/* A lane that works for ever is an error of its own. */
void tlf_turn(struct tulip_fixture *f)
{
    for (unsigned turns = 0; lane_turn(f->pc.host.lane, 0); turns++)
        g_assert_cmpuint(turns, <, 10000);
}

uint32_t tlf_in(struct tulip_fixture *f, unsigned csr)
{
    return fake_pc_in(&f->pc, (uint16_t)(TLF_IO + 8 * csr), 4);
}

void tlf_out(struct tulip_fixture *f, unsigned csr, uint32_t value)
{
    fake_pc_out(&f->pc, (uint16_t)(TLF_IO + 8 * csr), 4, value);
    tlf_turn(f);
}

void tlf_put(struct tulip_fixture *f, uint32_t at, uint32_t status, uint32_t control,
             uint32_t first, uint32_t second)
{
    const uint32_t words[] = {status, control, first, second};

    g_assert_true(gmem_write(&f->gmem, at, words, sizeof(words)));
}

uint32_t tlf_status(struct tulip_fixture *f, uint32_t at)
{
    uint32_t status;

    g_assert_true(gmem_read(&f->gmem, at, &status, sizeof(status)));
    return status;
}

void tlf_setup_address(uint8_t bytes[192], unsigned n, const uint8_t *mac)
{
    for (unsigned i = 0; i < 3; i++)
        memcpy(bytes + (size_t)12 * n + (size_t)4 * i, mac + (size_t)2 * i, 2);
}

/* The transmit ring is at its begin before and after. */
void tlf_setup(struct tulip_fixture *f, const uint8_t bytes[192], uint32_t kind)
{
    uint32_t mode = tlf_in(f, 6);

    g_assert_true(gmem_write(&f->gmem, TLF_FROM, bytes, 192));
    tlf_put(f, TLF_TX, TLF_OWN, TLF_SETUP | TLF_END | kind | 192, TLF_FROM, 0);
    tlf_out(f, 6, mode & ~0x2000u);
    tlf_out(f, 4, TLF_TX);
    tlf_out(f, 6, mode | 0x2000);
    g_assert_cmphex(tlf_status(f, TLF_TX), ==, 0x7fffffff);
    tlf_put(f, TLF_TX, 0, 0, 0, 0);
}

void tlf_start(struct tulip_fixture *f, unsigned count, uint32_t size)
{
    uint8_t setup[192];

    for (unsigned i = 0; i < count; i++)
        tlf_put(f, TLF_RX + 16 * i, TLF_OWN, (i == count - 1 ? TLF_END : 0) | size,
                TLF_INTO + 2048 * i, 0);
    for (unsigned i = 0; i < 16; i++)
        tlf_setup_address(setup, i, i ? tlf_broadcast : tlf_mac);
    tlf_out(f, 0, 1);
    tlf_out(f, 6, 0x00040000);
    tlf_setup(f, setup, 0);
    tlf_out(f, 3, TLF_RX);
    tlf_out(f, 6, 0x00042002);
    tlf_out(f, 5, UINT32_MAX);
    tlf_out(f, 7, 0x00010041);
}

void tlf_frame(uint8_t *bytes, uint32_t length, const uint8_t *mac, uint8_t seed)
{
    static const uint8_t from[6] = {0x52, 0x54, 0x00, 0x11, 0x22, 0x33};

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(seed + i);
    memcpy(bytes, mac, 6);
    memcpy(bytes + 6, from, 6);
    bytes[12] = 0x88;
    bytes[13] = 0xb5;
}

void tlf_arrive_meta(struct tulip_fixture *f, const uint8_t *bytes, const struct frame_meta *meta)
{
    struct iovec room[2];
    int ranges = port_queue_room(&f->ring.out[0], meta->length, room);

    g_assert_cmpint(ranges, >, 0);
    for (int i = 0; i < ranges; bytes += room[i++].iov_len)
        memcpy(room[i].iov_base, bytes, room[i].iov_len);
    port_queue_push(&f->ring.out[0], meta);
    if (port_queue_commit(&f->ring.out[0]))
        port_queue_ring_data(&f->ring.out[0]);
    tlf_turn(f);
}

void tlf_arrive(struct tulip_fixture *f, const uint8_t *bytes, uint32_t length)
{
    tlf_arrive_meta(f, bytes, &(struct frame_meta){.length = length});
}

uint32_t tlf_sent(struct tulip_fixture *f, uint8_t *bytes, struct frame_meta *ret_meta)
{
    struct frame_meta meta;
    struct iovec data[2];
    int ranges = port_queue_pull(&f->ring.in[0], &meta, data);

    g_assert_cmpint(ranges, >=, 0);
    if (!ranges)
        return 0;
    for (int i = 0; i < ranges; bytes += data[i++].iov_len)
        memcpy(bytes, data[i].iov_base, data[i].iov_len);
    if (port_queue_release(&f->ring.in[0]))
        port_queue_ring_room(&f->ring.in[0]);
    if (ret_meta)
        *ret_meta = meta;
    return meta.length;
}

/* --- What a test says of frames --- */

void tlf_fill(struct tulip_fixture *f, uint32_t at, const uint8_t *bytes, uint32_t length)
{
    g_assert_true(gmem_write(&f->gmem, at, bytes, length));
}

void tlf_poll_tx(struct tulip_fixture *f)
{
    tlf_out(f, 1, 0);
}

void tlf_expect_silence(struct tulip_fixture *f)
{
    uint8_t bytes[2048];

    g_assert_cmpuint(tlf_sent(f, bytes, NULL), ==, 0);
}

void tlf_expect_sent(struct tulip_fixture *f, const uint8_t *frame, uint32_t length)
{
    uint8_t bytes[2048];

    g_assert_cmpuint(tlf_sent(f, bytes, NULL), ==, length);
    g_assert_cmpmem(bytes, length, frame, length);
}

void tlf_expect_received(struct tulip_fixture *f, unsigned index, const uint8_t *frame,
                         uint32_t length)
{
    uint8_t bytes[2048];
    uint32_t status = tlf_status(f, TLF_RX + 16 * index), whole = MAX(length, 60) + 4, fcs;

    g_assert_cmphex(status & 0xbfff0300, ==, whole << 16 | 0x300);
    g_assert_true(gmem_read(&f->gmem, TLF_INTO + 2048 * index, bytes, whole));
    g_assert_cmpmem(bytes, length, frame, length);
    for (uint32_t i = length; i < whole - 4; i++)
        g_assert_cmpuint(bytes[i], ==, 0);
    memcpy(&fcs, bytes + whole - 4, 4);
    g_assert_cmphex(fcs, ==, ~tulip_crc(bytes, whole - 4));
}

bool tlf_comes(struct tulip_fixture *f, const uint8_t *mac)
{
    uint8_t frame[60];

    tlf_put(f, TLF_RX, TLF_OWN, TLF_END | 1536, TLF_INTO, 0);
    tlf_frame(frame, sizeof(frame), mac, 1);
    tlf_arrive(f, frame, sizeof(frame));
    return !(tlf_status(f, TLF_RX) & TLF_OWN);
}
