/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMBus rings with a well-behaved guest: formats, wraps, signalling, promises. Long random runs are
 * in test-ring-stress.c, what a hostile guest does is in test-ring-attack.c.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/ring_guest.h"
#include "vmbus/ring.h"

static void fill(uint8_t *bytes, uint32_t len, uint32_t seed)
{
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)((seed + i) * 2654435761u >> 24);
}

static int write_plain(struct ring *ring, uint64_t id, const void *payload, size_t len,
                       bool reserved)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)payload, .iov_len = len};

    return ring_write(ring, VMBUS_PACKET_IN_BAND, 0, id, NULL, 0, &iov, 1, reserved);
}

/* --- Opening --------------------------------------------------------------------------------- */

static void test_open_errors(void)
{
    struct ring_guest *guest = rg_new(4, RG_NEIGHBOURS);
    struct ring ring;

    g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, 1), ==, -EINVAL);
    g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, LIMIT_GPADL_PAGES + 1), ==,
                    -EINVAL);
    guest->pfn[3] = guest->ram_pages;
    g_assert_cmpint(ring_open_writer(&ring, &guest->gmem, guest->pfn, 5), ==, -EFAULT);
    guest->pfn[3] = UINT64_MAX;
    g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, 5), ==, -EFAULT);
    guest->pfn[0] = guest->ram_pages;
    g_assert_cmpint(ring_open_reader(&ring, &guest->gmem, guest->pfn, 3), ==, -EFAULT);
    ring_close(&ring);
    ring_close(&ring);
    rg_free(guest);
}

static void test_open_state(void)
{
    struct ring_guest *guest = rg_new(4, RG_NEIGHBOURS);
    struct ring in, out;

    guest->control[RG_FEATURES] = 0x10;
    guest->control[RG_MASK] = 1;
    guest->control[RG_PENDING] = 77;
    rg_open_reader(guest, &in);
    g_assert_cmpuint(guest->control[RG_MASK], ==, 0);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 77);
    g_assert_cmpuint(guest->control[RG_FEATURES], ==, 0x10);
    ring_close(&in);

    guest->control[RG_MASK] = 1;
    rg_open_writer(guest, &out);
    g_assert_cmpuint(guest->control[RG_MASK], ==, 1);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 0);
    g_assert_cmpuint(guest->control[RG_FEATURES], ==, 0x11);
    ring_close(&out);
    rg_free(guest);
}

/* --- Formats --------------------------------------------------------------------------------- */

static void test_packet_size(void)
{
    g_assert_cmpuint(ring_packet_size(0, 0), ==, 24);
    g_assert_cmpuint(ring_packet_size(0, 1), ==, 32);
    g_assert_cmpuint(ring_packet_size(0, 8), ==, 32);
    g_assert_cmpuint(ring_packet_size(16, 9), ==, 56);
    g_assert_cmpuint(ring_packet_size(0, UINT32_MAX), ==, UINT32_MAX);
    g_assert_cmpuint(ring_packet_size(UINT32_MAX, UINT32_MAX), ==, UINT32_MAX);
}

static void test_read_types(void)
{
    static const uint16_t plain[] = {VMBUS_PACKET_IN_BAND, VMBUS_PACKET_CANCEL,
                                     VMBUS_PACKET_COMPLETION};
    struct ring_guest *guest = rg_new(4, RG_NEIGHBOURS);
    struct vmbus_packet packet;
    uint64_t gpa[] = {1ull << 32 | 0xbeef, 100 | 1ull << 32, 0x1234};
    uint32_t xfer[] = {0xffffcafe, 2, 10, 20, 30, 40};
    struct ring ring;

    rg_open_reader(guest, &ring);
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        g_assert_true(rg_send(guest, plain[i], i == 0, 40 + i, NULL, 0, "eight by", 9));
    g_assert_true(rg_send(guest, VMBUS_PACKET_GPA_DIRECT, 1, 50, gpa, sizeof(gpa), "x", 1));
    g_assert_true(rg_send(guest, VMBUS_PACKET_TRANSFER_PAGES, 0, 51, xfer, sizeof(xfer), NULL, 0));
    g_assert_true(rg_write_commit(guest));

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
        g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
        g_assert_cmpuint(packet.type, ==, plain[i]);
        g_assert_cmpint(packet.completion_requested, ==, i == 0);
        g_assert_cmpuint(packet.transaction_id, ==, 40 + i);
        g_assert_cmpmem(packet.payload, packet.payload_len, "eight by\0\0\0\0\0\0\0\0", 16);
        g_assert_cmpuint(packet.range_count, ==, 0);
    }
    g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
    g_assert_cmpuint(packet.type, ==, VMBUS_PACKET_GPA_DIRECT);
    g_assert_cmpuint(packet.range_count, ==, 1);
    g_assert_cmpmem(packet.ranges, packet.ranges_len, gpa + 1, 16);
    g_assert_cmpmem(packet.payload, packet.payload_len, "x\0\0\0\0\0\0\0", 8);
    g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
    g_assert_cmpuint(packet.type, ==, VMBUS_PACKET_TRANSFER_PAGES);
    g_assert_cmpuint(packet.pageset, ==, 0xcafe);
    g_assert_cmpuint(packet.range_count, ==, 2);
    g_assert_cmpmem(packet.ranges, packet.ranges_len, xfer + 2, 16);
    g_assert_cmpuint(packet.payload_len, ==, 0);
    g_assert_cmpint(ring_read(&ring, &packet), ==, 0);
    g_assert_false(ring_readable(&ring));
    ring_close(&ring);
    rg_free(guest);
}

/* What the writer puts on the ring, byte for byte. */
static void test_write_bytes(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    struct iovec iov[] = {{(void *)(uintptr_t) "abc", 3}, {NULL, 0}, {(void *)(uintptr_t) "de", 2}};
    uint64_t extension = 0x1122334455667788, expect[5], found[5];
    struct ring ring;

    rg_start_at(guest, 4096 - 16);
    memset(guest->page[0], 0xee, GMEM_PAGE);
    rg_open_writer(guest, &ring);
    g_assert_cmpint(ring_write(&ring, 7, 1, 0xabcdef, &extension, 8, iov, 3, false), ==, 0);
    expect[0] = rg_word(7, 3, 4, 1);
    expect[1] = 0xabcdef;
    expect[2] = extension;
    expect[3] = 0x6564636261;
    expect[4] = (uint64_t)(4096 - 16) << 32;
    rg_get(guest, 4096 - 16, found, sizeof(found));
    g_assert_cmpmem(found, sizeof(found), expect, sizeof(expect));
    g_assert_cmpuint(guest->control[RG_WRITE], ==, 4096 - 16);
    g_assert_true(ring_write_commit(&ring));
    g_assert_cmpuint(guest->control[RG_WRITE], ==, 24);
    g_assert_cmpint(ring_write(&ring, 6, 0, 0, &extension, 4, NULL, 0, false), ==, -EINVAL);
    ring_close(&ring);
    rg_free(guest);
}

/* A packet of every type begins at every word of the last pages, so that descriptor, ranges,
 * payload and trailer are each split by the wrap and by a page end at every place possible. */
static void check_split(enum rg_layout layout, uint32_t start)
{
    struct ring_guest *guest = rg_new(2, layout);
    uint64_t gpa[] = {1ull << 32, 5 | 9ull << 32, 0x77};
    uint8_t payload[100], found[200];
    struct vmbus_packet packet;
    struct ring ring;

    fill(payload, sizeof(payload), start);
    rg_start_at(guest, start);
    rg_open_reader(guest, &ring);
    g_assert_true(rg_send(guest, 9, 1, start, gpa, sizeof(gpa), payload, sizeof(payload)));
    rg_write_commit(guest);
    g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
    g_assert_cmpuint(packet.transaction_id, ==, start);
    g_assert_cmpmem(packet.ranges, packet.ranges_len, gpa + 1, 16);
    g_assert_cmpuint(packet.payload_len, ==, 104);
    g_assert_cmpmem(packet.payload, sizeof(payload), payload, sizeof(payload));
    ring_read_commit(&ring);
    g_assert_cmpuint(guest->control[RG_READ], ==, guest->index);
    ring_close(&ring);

    struct iovec iov[] = {{payload, 7}, {payload + 7, sizeof(payload) - 7}};
    rg_start_at(guest, start);
    rg_open_writer(guest, &ring);
    g_assert_cmpint(ring_write(&ring, 9, 0, start, gpa, sizeof(gpa), iov, 2, false), ==, 0);
    ring_write_commit(&ring);
    g_assert_cmpuint(rg_receive(guest, found, sizeof(found)), ==, 16 + sizeof(gpa) + 104);
    g_assert_cmpmem(found + 16, sizeof(gpa), gpa, sizeof(gpa));
    g_assert_cmpmem(found + 40, sizeof(payload), payload, sizeof(payload));
    g_assert_cmpmem(found + 140, 4, "\0\0\0\0", 4);
    ring_close(&ring);
    rg_free(guest);
}

static void test_split(gconstpointer layout)
{
    for (uint32_t back = 8; back <= 176; back += 8) {
        check_split((enum rg_layout)GPOINTER_TO_INT(layout), 2 * GMEM_PAGE - back);
        check_split((enum rg_layout)GPOINTER_TO_INT(layout), GMEM_PAGE - back);
    }
}

/* --- Signalling ------------------------------------------------------------------------------ */

static void test_signal_data(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    uint8_t buffer[64];
    struct ring ring;

    rg_open_writer(guest, &ring);
    g_assert_false(ring_write_commit(&ring));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(write_plain(&ring, 1, "x", 1, false), ==, 0);
    g_assert_true(ring_write_commit(&ring)); /* empty before the batch */
    g_assert_false(ring_write_commit(&ring));
    g_assert_cmpint(write_plain(&ring, 2, "x", 1, false), ==, 0);
    g_assert_false(ring_write_commit(&ring)); /* still busy with the first */

    for (int i = 0; i < 4; i++)
        g_assert_cmpuint(rg_receive(guest, buffer, sizeof(buffer)), ==, 24);
    g_assert_cmpint(write_plain(&ring, 3, "x", 1, false), ==, 0);
    rg_read_commit(guest); /* caught up between write and commit: counts */
    g_assert_true(ring_write_commit(&ring));

    g_assert_cmpuint(rg_receive(guest, buffer, sizeof(buffer)), ==, 24);
    rg_read_commit(guest);
    rg_mask(guest);
    g_assert_cmpint(write_plain(&ring, 4, "x", 1, false), ==, 0);
    g_assert_false(ring_write_commit(&ring)); /* masked */
    g_assert_true(rg_unmask(guest));
    ring_close(&ring);
    rg_free(guest);
}

/* The reader's signal for room, for pending sizes and free bytes on both sides of each limit. */
static void test_signal_room(void)
{
    static const struct {
        uint32_t pending, packets, read; /* 32-byte packets in a ring of 4096; 127 fill it */
        bool signal;
    } row[] = {
        {0, 127, 127, false},          {7, 127, 127, false}, {32, 127, 1, true},
        {64, 127, 1, false},           {64, 127, 2, true},   {64, 126, 1, true},
        {32, 126, 1, false},           {64, 125, 1, false},  {4095, 127, 126, false},
        {4095, 127, 127, true},        {4088, 1, 1, true},   {4096, 127, 127, false},
        {0xffffffff, 127, 127, false}, {56, 126, 1, false},  {4056, 127, 126, true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(row); i++) {
        struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
        struct vmbus_packet packet;
        struct ring ring;

        g_test_message("row %zu", i);
        rg_open_reader(guest, &ring);
        for (uint32_t n = 0; n < row[i].packets; n++)
            g_assert_true(rg_send(guest, 6, 0, n, NULL, 0, "x", 1));
        rg_write_commit(guest);
        guest->control[RG_PENDING] = row[i].pending;
        for (uint32_t n = 0; n < row[i].read; n++)
            g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
        g_assert_cmpint(ring_read_commit(&ring), ==, row[i].signal);
        g_assert_false(ring_read_commit(&ring)); /* nothing new: no second signal */
        ring_close(&ring);
        rg_free(guest);
    }
}

static void test_mask(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    struct vmbus_packet packet;
    struct ring ring;

    rg_open_reader(guest, &ring);
    ring_mask(&ring);
    g_assert_cmpuint(guest->control[RG_MASK], ==, 1);
    g_assert_true(rg_send(guest, 6, 0, 1, NULL, 0, NULL, 0));
    g_assert_false(rg_write_commit(guest));
    g_assert_true(ring_unmask(&ring));
    g_assert_cmpuint(guest->control[RG_MASK], ==, 0);
    g_assert_cmpint(ring_read(&ring, &packet), ==, 1);
    g_assert_false(ring_unmask(&ring));
    ring_read_commit(&ring);
    g_assert_true(rg_send(guest, 6, 0, 1, NULL, 0, NULL, 0));
    g_assert_true(rg_write_commit(guest));
    ring_close(&ring);
    rg_free(guest);
}

/* --- Room and promises ----------------------------------------------------------------------- */

static void test_pending(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    uint8_t payload[4096] = {0}, buffer[4096];
    struct ring ring;

    rg_open_writer(guest, &ring);
    g_assert_cmpint(write_plain(&ring, 1, payload, 4088 - 24, false), ==, 0); /* exactly full */
    g_assert_true(ring_write_commit(&ring));
    g_assert_cmpuint(ring_writable(&ring), ==, 0);
    g_assert_cmpint(write_plain(&ring, 2, payload, 1000, false), ==, -EAGAIN);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 1024);
    g_assert_cmpuint(rg_receive(guest, buffer, sizeof(buffer)), ==, 4080);
    g_assert_true(rg_read_commit(guest));
    g_assert_cmpuint(ring_writable(&ring), ==, 4088);

    g_assert_cmpint(write_plain(&ring, 3, payload, 8, false), ==, 0);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 1024); /* the other still waits */
    g_assert_cmpint(write_plain(&ring, 2, payload, 1000, false), ==, 0);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 0);

    g_assert_cmpint(write_plain(&ring, 4, payload, 4088 - 23, false), ==, -EMSGSIZE);
    g_assert_cmpint(ring_reserve(&ring, 4096), ==, -EMSGSIZE);
    g_assert_cmpint(ring_reserve(&ring, UINT32_MAX), ==, -EMSGSIZE);
    ring_close(&ring);
    rg_free(guest);
}

/* The guest compares its free count with the pending size; were part of a batch not published when
 * that is set, the count would run ahead of ours and the signal never come. */
static void test_pending_publishes(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    uint8_t payload[2048] = {0}, buffer[4096];
    struct ring ring;

    rg_open_writer(guest, &ring);
    g_assert_cmpint(write_plain(&ring, 1, payload, 2000, false), ==, 0);
    g_assert_cmpint(write_plain(&ring, 2, payload, 1000, false), ==, 0);
    g_assert_cmpuint(guest->control[RG_WRITE], ==, 0);
    g_assert_cmpint(write_plain(&ring, 3, payload, 2000, false), ==, -EAGAIN);
    g_assert_cmpuint(guest->control[RG_WRITE], ==, 2024 + 1024);
    g_assert_true(ring_write_commit(&ring)); /* said once */
    g_assert_false(ring_write_commit(&ring));
    g_assert_cmpuint(rg_receive(guest, buffer, sizeof(buffer)), ==, 2016);
    g_assert_true(rg_read_commit(guest));
    g_assert_cmpint(write_plain(&ring, 3, payload, 2000, false), ==, 0);
    ring_close(&ring);
    rg_free(guest);
}

static void test_reserve(void)
{
    struct ring_guest *guest = rg_new(1, RG_NEIGHBOURS);
    uint32_t size = ring_packet_size(0, 64), promises = 4088 / size;
    uint8_t payload[4096] = {0};
    struct ring ring;

    rg_open_writer(guest, &ring);
    for (uint32_t i = 0; i < promises; i++)
        g_assert_cmpint(ring_reserve(&ring, size), ==, 0);
    g_assert_cmpint(ring_reserve(&ring, size), ==, -EAGAIN);
    g_assert_cmpuint(guest->control[RG_PENDING], ==, 4088); /* most that can be waited for */
    g_assert_cmpuint(ring_writable(&ring), ==, 4088 % size);
    g_assert_cmpint(write_plain(&ring, 1, payload, 64, false), ==, -EAGAIN);
    ring_unreserve(&ring, size);
    g_assert_cmpint(write_plain(&ring, 1, payload, 64, false), ==, 0);
    for (uint32_t i = 1; i < promises; i++) {
        g_assert_cmpint(write_plain(&ring, 1, payload, 64, false), ==, -EAGAIN);
        g_assert_cmpint(write_plain(&ring, 1, payload, 64, true), ==, 0);
    }
    g_assert_cmpuint(ring.reserved, ==, 0);
    ring_unreserve(&ring, 8); /* more than was promised: harmless */
    g_assert_cmpuint(ring.reserved, ==, 0);
    ring_close(&ring);
    rg_free(guest);
}

static void test_dirty(void)
{
    struct ring_guest *guest = rg_new(4, RG_SCATTERED);
    unsigned long bits[2] = {0};
    uint8_t payload[5000] = {0};
    struct ring ring;

    g_assert_cmpuint(guest->ram_pages, <=, 64);
    guest->gmem.dirty[0] = bits;
    rg_start_at(guest, 2 * GMEM_PAGE + 8);
    rg_open_writer(guest, &ring);
    g_assert_cmphex(bits[0], ==, 1ul << guest->pfn[0]);
    bits[0] = 0;
    g_assert_cmpint(write_plain(&ring, 1, payload, 5000, false), ==, 0);
    g_assert_cmpint(write_plain(&ring, 1, payload, 3200, false), ==, 0);
    g_assert_cmphex(bits[0], ==, 0);
    ring_write_commit(&ring); /* from the third page over the end into the first */
    g_assert_cmphex(bits[0], ==,
                    1ul << guest->pfn[0] | 1ul << guest->pfn[3] | 1ul << guest->pfn[4] |
                        1ul << guest->pfn[1]);
    ring_close(&ring);
    guest->gmem.dirty[0] = NULL;
    rg_free(guest);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ring/open/errors", test_open_errors);
    g_test_add_func("/ring/open/state", test_open_state);
    g_test_add_func("/ring/packet-size", test_packet_size);
    g_test_add_func("/ring/read/types", test_read_types);
    g_test_add_func("/ring/write/bytes", test_write_bytes);
    g_test_add_data_func("/ring/split/neighbours", GINT_TO_POINTER(RG_NEIGHBOURS), test_split);
    g_test_add_data_func("/ring/split/scattered", GINT_TO_POINTER(RG_SCATTERED), test_split);
    g_test_add_func("/ring/signal/data", test_signal_data);
    g_test_add_func("/ring/signal/room", test_signal_room);
    g_test_add_func("/ring/mask", test_mask);
    g_test_add_func("/ring/room/pending", test_pending);
    g_test_add_func("/ring/room/pending-publishes", test_pending_publishes);
    g_test_add_func("/ring/room/reserve", test_reserve);
    g_test_add_func("/ring/dirty", test_dirty);
    return g_test_run();
}
