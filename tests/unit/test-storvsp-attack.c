/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp and a hostile guest: commands, ranges and packets that lie, and channels that die with
 * I/O in flight.
 */
#include "vmbus/storvsp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "tests/unit/stor_guest.h"

static const struct guid scsi_interface =
    GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f);

static void set_up(struct stor_guest *stor)
{
    stor_guest_init(stor, VMBUS_V5_2, 1, STOR_RING_PAGES);
    stor_handshake(stor, STOR_VERSION_6_0);
}

/* --- Hostile commands --- */

static void test_cdb_length(void)
{
    static const uint8_t lengths[] = {0, 17, 20, 255};
    struct stor_guest stor;

    set_up(&stor);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct stor_packet packet = stor_io(0, false, 0, 1);
        packet.srb.cdb_length = lengths[i];
        g_assert_cmphex(stor_run(&stor, packet, stor.data, 512), ==, STOR_INVALID_PARAMETER);
        stor_expect_check(&stor, SRB_INVALID_REQUEST, 5, 0x24);
    }
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_sense_room(void)
{
    static const uint8_t unknown[6] = {0x1d};
    struct stor_guest stor;

    set_up(&stor);
    for (unsigned room = 0; room < 256; room++) {
        struct stor_packet packet = stor_command(0, unknown, 6);
        packet.srb.sense_length = (uint8_t)room;
        stor_run(&stor, packet, 0, 0);
        g_assert_cmpuint(stor.reply.srb.sense_length, ==, MIN(room, 18));
        g_assert_cmphex(stor.reply.srb.srb_status, ==, room ? 0x84 : 0x04);
        for (unsigned i = stor.reply.srb.sense_length; i < STOR_SENSE_SIZE; i++)
            g_assert_cmphex(stor.reply.srb.sense[i], ==, 0);
    }
    stor_guest_free(&stor);
}

/* More is asked for than there is buffer: nothing is moved. */
static void test_overrun(void)
{
    struct stor_guest stor;

    set_up(&stor);
    memset(sg_mem(stor.guest, stor.data), 0x77, GMEM_PAGE);
    g_assert_cmphex(stor_run(&stor, stor_io(0, false, 0, 2), stor.data, 1023), ==,
                    STOR_BUFFER_OVERFLOW);
    stor_expect_check(&stor, SRB_OVERRUN, 5, 0x1a);
    g_assert_cmphex(stor_run(&stor, stor_io(0, false, 0, 2), 0, 0), ==, STOR_BUFFER_OVERFLOW);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    g_assert_cmphex(*(uint8_t *)sg_mem(stor.guest, stor.data), ==, 0x77);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_transfer_length_against_range(void)
{
    struct stor_guest stor;
    struct stor_packet packet = stor_io(0, false, 0, 8);

    set_up(&stor);
    memset(sg_mem(stor.guest, stor.data), 0x77, 2 * GMEM_PAGE);
    packet.srb.transfer_length = 4096;
    g_assert_true(sg_send_gpa(&stor.channel, 1, stor.data, 4095, &packet, sizeof(packet)));
    stor_answer(&stor, &stor.channel);
    g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_PARAMETER);
    packet.srb.transfer_length = UINT32_MAX;
    g_assert_true(sg_send_gpa(&stor.channel, 2, stor.data, 4096, &packet, sizeof(packet)));
    stor_answer(&stor, &stor.channel);
    g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_PARAMETER);
    g_assert_true(sg_send_inband(&stor.channel, 3, &packet, sizeof(packet))); /* no range at all */
    stor_answer(&stor, &stor.channel);
    g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_PARAMETER);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    /* A shorter one is the buffer. */
    packet = stor_io(0, false, 0, 1);
    packet.srb.transfer_length = 512;
    g_assert_true(sg_send_gpa(&stor.channel, 4, stor.data, 8192, &packet, sizeof(packet)));
    stor_answer(&stor, &stor.channel);
    stor_expect_done(&stor, 512);
    g_assert_cmphex(*(uint8_t *)sg_mem(stor.guest, stor.data + 512), ==, 0x77);
    stor_guest_free(&stor);
}

/* --- Hostile ranges --- */

struct range {
    uint32_t reserved, ranges;
    uint32_t length, offset;
    uint64_t pfn[LIMIT_RANGE_PAGES];
};

static void send_range(struct stor_guest *stor, const struct range *range, unsigned pages,
                       struct stor_packet packet, uint32_t length)
{
    packet.srb.transfer_length = length;
    g_assert_true(sg_send(&stor->channel, VMBUS_PACKET_GPA_DIRECT,
                          VMBUS_PACKET_COMPLETION_REQUESTED, 77, range, 16 + 8 * pages, &packet,
                          sizeof(packet)));
}

static void test_pages_outside_ram(void)
{
    struct stor_guest stor;
    /* Beyond RAM, VMBus's MMIO window, the APICs, firmware, and numbers whose address overflows. */
    static const uint64_t pfns[] = {(16u << 20) / GMEM_PAGE,
                                    GMEM_VMBUS_BASE / GMEM_PAGE,
                                    GMEM_IOAPIC / GMEM_PAGE,
                                    GMEM_LAPIC / GMEM_PAGE,
                                    0xfffff,
                                    1ull << 52,
                                    (1ull << 52) + 16,
                                    UINT64_MAX};

    set_up(&stor);
    for (unsigned i = 0; i < G_N_ELEMENTS(pfns); i++)
        for (unsigned bad = 0; bad < 2; bad++) {
            struct range range = {.ranges = 1, .length = 8192};
            range.pfn[0] = range.pfn[1] = stor.data / GMEM_PAGE;
            range.pfn[bad] = pfns[i];
            send_range(&stor, &range, 2, stor_io(0, false, 0, 16), 8192);
            g_assert_cmpuint(stor_answer(&stor, &stor.channel), ==, 77);
            g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_PARAMETER);
            stor_expect_check(&stor, SRB_INVALID_REQUEST, 5, 0x24);
        }
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_too_many_pieces(void)
{
    struct stor_guest stor;
    struct range range = {.ranges = 1};
    unsigned pages = LIMIT_IOVECS + 1;

    set_up(&stor);
    range.length = pages * GMEM_PAGE;
    for (unsigned i = 0; i < pages; i++) /* backwards, so that none join */
        range.pfn[i] = stor.data / GMEM_PAGE + pages - i;
    send_range(&stor, &range, pages, stor_io(0, false, 0, 8), range.length);
    stor_answer(&stor, &stor.channel);
    g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_PARAMETER);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_malformed_ranges(void)
{
    static const struct {
        uint32_t ranges, length, offset;
        unsigned pages;
    } cases[] = {
        {0, 512, 0, 1},
        {2, 512, 0, 1},
        {2, 512, 0, 4},
        {UINT32_MAX, 512, 0, 1},
        {1, 0, 0, 1},
        {1, 512, 4096, 1},
        {1, 512, 512, 0},
        {1, 512, UINT32_MAX, 1},
        {1, UINT32_MAX, 4095, 1},
        {1, 4097, 0, 1},
        {1, 2, 4095, 1},
        {1, (LIMIT_RANGE_PAGES + 1) * GMEM_PAGE, 0, LIMIT_RANGE_PAGES},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stor_guest stor;
        struct range range = {
            .ranges = cases[i].ranges, .length = cases[i].length, .offset = cases[i].offset};
        set_up(&stor);
        for (unsigned j = 0; j < cases[i].pages; j++)
            range.pfn[j] = stor.data / GMEM_PAGE;
        send_range(&stor, &range, cases[i].pages, stor_io(0, false, 0, 1), 512);
        stor_expect_ended(&stor);
        stor_guest_free(&stor);
    }
}

/* The buffer is the ring itself: the guest spoils its own channel, and that is all. */
static void test_buffer_in_ring(void)
{
    struct stor_guest stor;

    set_up(&stor);
    memset(stor.disk->bytes, 0xff, STOR_DISK_BYTES);
    const uint64_t pfns[] = {stor.channel.in_pfn, stor.channel.out_pfn, stor.channel.in_pfn + 1,
                             stor.channel.out_pfn + 1};
    for (unsigned i = 0; i < G_N_ELEMENTS(pfns); i++) {
        stor_send(&stor, &stor.channel, stor_io(0, false, 0, 8), pfns[i] * GMEM_PAGE, 4096);
        sg_run(stor.guest, 0);
        sg_close(&stor.channel);
        g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
        stor_handshake(&stor, STOR_VERSION_6_0);
    }
    stor_run(&stor, stor_io(0, false, 7, 1), stor.data, 512);
    stor_expect_done(&stor, 512);
    stor_guest_free(&stor);
}

/* --- Hostile packets --- */

static void test_no_completion_requested(void)
{
    struct stor_guest stor;
    const struct stor_packet packet = stor_io(0, false, 0, 1);

    set_up(&stor);
    g_assert_true(
        sg_send(&stor.channel, VMBUS_PACKET_IN_BAND, 0, 1, NULL, 0, &packet, sizeof(packet)));
    stor_expect_ended(&stor);
    stor_guest_free(&stor);
}

static void test_short_packets(void)
{
    static const size_t lengths[] = {0, 4, 8, 12, 40};

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        struct stor_guest stor;
        const struct stor_packet packet = stor_io(0, false, 0, 1);
        set_up(&stor);
        g_assert_true(sg_send_inband(&stor.channel, 1, &packet, lengths[i]));
        stor_expect_ended(&stor);
        stor_guest_free(&stor);
    }
}

static void test_wrong_packet_types(void)
{
    static const struct {
        uint16_t type, pageset;
    } cases[] = {{VMBUS_PACKET_COMPLETION, 0}, {VMBUS_PACKET_TRANSFER_PAGES, 1}};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stor_guest stor;
        const struct stor_packet packet = stor_io(0, false, 0, 1);
        const uint32_t pages[4] = {1, 1, 512, 0};
        set_up(&stor);
        g_assert_true(sg_send(&stor.channel, cases[i].type, 1, 1, pages,
                              cases[i].pageset ? sizeof(pages) : 0, &packet, sizeof(packet)));
        stor_expect_ended(&stor);
        stor_guest_free(&stor);
    }
}

/* --- In flight --- */

/* More commands than requests: the rest waits in the ring, and none is lost. */
static void test_more_than_requests(void)
{
    struct stor_guest stor;
    unsigned total = LIMIT_DISK_INFLIGHT + 100;

    stor_guest_init(&stor, VMBUS_V5_2, 1, 60);
    stor_handshake(&stor, STOR_VERSION_6_0);
    stor.disk->hold = true;
    for (unsigned i = 0; i < total; i++)
        stor_send(&stor, &stor.channel, stor_io(0, false, i, 1), stor.data + 512 * i, 512);
    sg_run(stor.guest, 0);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, LIMIT_DISK_INFLIGHT);
    g_assert_cmpuint(memory_disk_release(stor.disk, 10), ==, 10);
    sg_run(stor.guest, 0);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, LIMIT_DISK_INFLIGHT + 10);
    stor.disk->hold = false;
    memory_disk_release(stor.disk, total);
    for (unsigned i = 0; i < total; i++) {
        stor_answer(&stor, &stor.channel);
        stor_expect_done(&stor, 512);
    }
    g_assert_cmpmem(sg_mem(stor.guest, stor.data), 512 * total, stor.disk->bytes, 512 * total);
    stor_guest_free(&stor);
}

/* The guest does not read its answers: room was kept for each, so commands wait, none is lost. */
static void test_unread_answers(void)
{
    struct stor_guest stor;
    unsigned sent = 0, answered = 0;

    stor_guest_init(&stor, VMBUS_V5_2, 1, 1);
    stor_handshake(&stor, STOR_VERSION_6_0);
    while (sent < 500) {
        struct stor_packet packet = stor_io(0, false, 1, 1);
        packet.srb.transfer_length = 512;
        while (sent < 500 &&
               sg_send_gpa(&stor.channel, sent, stor.data, 512, &packet, sizeof(packet)))
            sent++;
        sg_run(stor.guest, 0);
        while (sg_receive(&stor.channel, NULL, NULL, &packet, sizeof(packet)) >= 0) {
            g_assert_cmphex(packet.status, ==, STOR_SUCCESS);
            answered++;
        }
    }
    while (answered < sent) {
        stor_answer(&stor, &stor.channel);
        answered++;
    }
    g_assert_cmpuint(stor_faults(&stor), ==, 0);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 500);
    stor_guest_free(&stor);
}

/* Resets answer at once; what runs comes to its end, once. */
static void test_reset_in_flight(void)
{
    struct stor_guest stor;

    set_up(&stor);
    stor.disk->hold = true;
    uint64_t id = stor_send(&stor, &stor.channel, stor_io(0, false, 7, 1), stor.data, 512);
    for (unsigned storm = 0; storm < 100; storm++)
        for (uint32_t reset = STOR_RESET_LUN; reset <= STOR_RESET_BUS; reset++)
            g_assert_cmphex(stor_ask_operation(&stor, reset), ==, STOR_SUCCESS);
    stor.disk->hold = false;
    memory_disk_release(stor.disk, 1);
    g_assert_cmpuint(stor_answer(&stor, &stor.channel), ==, id);
    stor_expect_done(&stor, 512);
    uint8_t payload[64];
    g_assert_cmpint(sg_receive(&stor.channel, NULL, NULL, payload, sizeof(payload)), ==, -1);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

/* The guest closes while the disk writes into its pages: the channel lasts until it is done. */
static void test_close_in_flight(void)
{
    struct stor_guest stor;

    set_up(&stor);
    stor.disk->hold = true;
    for (unsigned i = 0; i < 20; i++)
        stor_send(&stor, &stor.channel, stor_io(0, false, i, 1), stor.data + 512 * i, 512);
    sg_run(stor.guest, 0);
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 20);
    sg_drop(stor.guest);
    sg_tell_words(stor.guest, VMBUS_MSG_CLOSE, 1, stor.channel.relid, 0);
    sg_tell_words(stor.guest, VMBUS_MSG_GPADL_TEARDOWN, 2, stor.channel.relid, stor.channel.gpadl);
    sg_run(stor.guest, 0);
    g_assert_cmpuint(memory_disk_release(stor.disk, 19), ==, 19);
    sg_run(stor.guest, 0);
    g_assert_null(sg_take(stor.guest)); /* no TORNDOWN yet */
    g_assert_cmpuint(memory_disk_release(stor.disk, 1), ==, 1);
    sg_expect(stor.guest, VMBUS_MSG_GPADL_TORNDOWN);
    stor.disk->hold = false;
    g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor_handshake(&stor, STOR_VERSION_6_0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void on_reset(void *context)
{
    *(bool *)context = true;
}

/* The VM is reset, or the guest unloads, with I/O in flight. */
static void test_bus_reset_in_flight(void)
{
    struct stor_guest stor;
    bool finished = false;

    set_up(&stor);
    stor.disk->hold = true;
    for (unsigned i = 0; i < 20; i++)
        stor_send(&stor, &stor.channel, stor_io(0, true, i, 1), stor.data + 512 * i, 512);
    sg_run(stor.guest, 0);
    vmbus_bus_reset(stor.guest->bus, on_reset, &finished);
    sg_run(stor.guest, 0);
    memory_disk_release(stor.disk, 19);
    sg_run(stor.guest, 0);
    g_assert_false(finished);
    memory_disk_release(stor.disk, 1);
    sg_run(stor.guest, 0);
    g_assert_true(finished);
    stor.disk->hold = false;
    g_assert_true(sg_connect(stor.guest, VMBUS_V5_2));
    g_assert_true(sg_find_offer(stor.guest, &scsi_interface, 0, &stor.channel));
    g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor_handshake(&stor, STOR_VERSION_6_0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

/* The guest breaks the format while I/O is in flight. */
static void test_fault_in_flight(void)
{
    struct stor_guest stor;
    const struct stor_packet packet = stor_io(0, false, 0, 1);

    set_up(&stor);
    stor.disk->hold = true;
    for (unsigned i = 0; i < 20; i++)
        stor_send(&stor, &stor.channel, stor_io(0, false, i, 1), stor.data + 512 * i, 512);
    g_assert_true(sg_send_inband(&stor.channel, 1, &packet, 8));
    sg_run(stor.guest, 0);
    g_assert_cmpuint(stor_faults(&stor), ==, 1);
    stor.disk->hold = false;
    g_assert_cmpuint(memory_disk_release(stor.disk, 100), ==, 20);
    stor_expect_ended(&stor);
    stor_guest_free(&stor);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storvsp-attack/cdb-length", test_cdb_length);
    g_test_add_func("/storvsp-attack/sense-room", test_sense_room);
    g_test_add_func("/storvsp-attack/overrun", test_overrun);
    g_test_add_func("/storvsp-attack/transfer-length-against-range",
                    test_transfer_length_against_range);
    g_test_add_func("/storvsp-attack/pages-outside-ram", test_pages_outside_ram);
    g_test_add_func("/storvsp-attack/too-many-pieces", test_too_many_pieces);
    g_test_add_func("/storvsp-attack/malformed-ranges", test_malformed_ranges);
    g_test_add_func("/storvsp-attack/buffer-in-ring", test_buffer_in_ring);
    g_test_add_func("/storvsp-attack/no-completion-requested", test_no_completion_requested);
    g_test_add_func("/storvsp-attack/short-packets", test_short_packets);
    g_test_add_func("/storvsp-attack/wrong-packet-types", test_wrong_packet_types);
    g_test_add_func("/storvsp-attack/more-than-requests", test_more_than_requests);
    g_test_add_func("/storvsp-attack/unread-answers", test_unread_answers);
    g_test_add_func("/storvsp-attack/reset-in-flight", test_reset_in_flight);
    g_test_add_func("/storvsp-attack/close-in-flight", test_close_in_flight);
    g_test_add_func("/storvsp-attack/bus-reset-in-flight", test_bus_reset_in_flight);
    g_test_add_func("/storvsp-attack/fault-in-flight", test_fault_in_flight);
    return g_test_run();
}
