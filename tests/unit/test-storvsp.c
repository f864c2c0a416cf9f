/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp against a scripted guest: handshake of every version, subchannels, commands, a real file.
 */
#include "vmbus/storvsp.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/stor_guest.h"

static const struct guid scsi_interface =
    GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f);

static void set_up(struct stor_guest *stor)
{
    stor_guest_init(stor, VMBUS_V5_2, 1, STOR_RING_PAGES);
    stor_handshake(stor, STOR_VERSION_6_0);
}

static uint32_t ask_version(struct stor_guest *stor, uint16_t version)
{
    struct stor_packet packet = {
        .operation = STOR_QUERY_PROTOCOL_VERSION, .flags = 1, .version = version};

    return stor_ask(stor, &packet, sizeof(packet));
}

/* --- Handshake --- */

static void test_versions(void)
{
    static const uint16_t known[] = {STOR_VERSION_6_0, STOR_VERSION_5_1, STOR_VERSION_4_2,
                                     STOR_VERSION_2_0};
    static const uint16_t unknown[] = {0x0602, 0x0601, 0x0502, 0x0100, 0x0001, 0x0000, 0xffff};

    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        struct stor_guest stor;
        stor_guest_init(&stor, VMBUS_V5_2, 3, STOR_RING_PAGES);
        g_assert_cmphex(stor_ask_operation(&stor, STOR_BEGIN_INITIALIZATION), ==, STOR_SUCCESS);
        for (unsigned j = 0; j < G_N_ELEMENTS(unknown); j++)
            g_assert_cmphex(ask_version(&stor, unknown[j]), ==, STOR_REVISION_MISMATCH);
        g_assert_cmphex(storvsp_version(stor.storvsp), ==, 0);
        g_assert_cmphex(ask_version(&stor, known[i]), ==, STOR_SUCCESS);
        g_assert_cmphex(stor.reply.version, ==, known[i]);
        g_assert_cmphex(storvsp_version(stor.storvsp), ==, known[i]);
        g_assert_cmphex(stor_ask_operation(&stor, STOR_QUERY_PROPERTIES), ==, STOR_SUCCESS);
        bool multi = known[i] >= STOR_VERSION_5_1;
        g_assert_cmpuint(stor.reply.properties.max_subchannels, ==, multi ? 2 : 0);
        g_assert_cmpuint(stor.reply.properties.flags, ==, multi);
        g_assert_cmpuint(stor.reply.properties.max_transfer, ==, LIMIT_DISK_TRANSFER);
        g_assert_cmphex(stor_ask_operation(&stor, STOR_END_INITIALIZATION), ==, STOR_SUCCESS);
        stor_run(&stor, stor_io(0, false, 7, 1), stor.data, 512);
        stor_expect_done(&stor, 512);
        stor_guest_free(&stor);
    }
}

static void test_bus_versions(void)
{
    static const uint32_t versions[] = {VMBUS_V0_13, VMBUS_V1_1, VMBUS_V2_4, VMBUS_V3_0,
                                        VMBUS_V4_0,  VMBUS_V4_1, VMBUS_V5_0, VMBUS_V5_1,
                                        VMBUS_V5_2,  VMBUS_V5_3};

    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        struct stor_guest stor;
        stor_guest_init(&stor, versions[i], 1, STOR_RING_PAGES);
        stor_handshake(&stor, STOR_VERSION_2_0);
        stor_expect_alive(&stor);
        stor_guest_free(&stor);
    }
}

/* An answer is as long as its question, up to 64 bytes. */
static void test_completion_size(void)
{
    static const struct {
        size_t sent;
        int got;
    } cases[] = {{48, 48}, {56, 56}, {64, 64}, {72, 64}, {200, 64}};
    struct stor_guest stor;

    set_up(&stor);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t bytes[200] = {0};
        struct stor_packet packet = stor_io(0, false, 7, 1);
        packet.srb.transfer_length = 512;
        memcpy(bytes, &packet, cases[i].sent < 64 ? cases[i].sent : 64);
        g_assert_true(sg_send_gpa(&stor.channel, 9, stor.data, 512, bytes, cases[i].sent));
        g_assert_cmpuint(stor_answer(&stor, &stor.channel), ==, 9);
        g_assert_cmpint(stor.reply_len, ==, cases[i].got);
        stor_expect_done(&stor, 512);
    }
    stor_guest_free(&stor);
}

/* In every state, every request that is not the next one is refused and changes nothing. */
static void test_out_of_order(void)
{
    static const uint32_t order[] = {STOR_BEGIN_INITIALIZATION, STOR_QUERY_PROTOCOL_VERSION,
                                     STOR_QUERY_PROPERTIES, STOR_END_INITIALIZATION};
    struct stor_guest stor;

    stor_guest_init(&stor, VMBUS_V5_2, 1, STOR_RING_PAGES);
    for (unsigned state = 0; state <= G_N_ELEMENTS(order); state++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
            struct stor_packet packet = {
                .operation = order[i], .flags = 1, .version = STOR_VERSION_6_0};
            if (i != state)
                g_assert_cmphex(stor_ask(&stor, &packet, sizeof(packet)), ==,
                                STOR_INVALID_DEVICE_STATE);
        }
        if (state == G_N_ELEMENTS(order))
            break;
        for (uint32_t reset = STOR_RESET_LUN; reset <= STOR_RESET_BUS; reset++)
            g_assert_cmphex(stor_ask_operation(&stor, reset), ==, STOR_INVALID_DEVICE_STATE);
        g_assert_cmphex(stor_run(&stor, stor_io(0, false, 0, 1), stor.data, 512), ==,
                        STOR_INVALID_DEVICE_STATE);
        struct stor_packet next = {
            .operation = order[state], .flags = 1, .version = STOR_VERSION_6_0};
        g_assert_cmphex(stor_ask(&stor, &next, sizeof(next)), ==, STOR_SUCCESS);
    }
    g_assert_cmpuint(stor.disk->count[DISK_READ], ==, 0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_unknown_operations(void)
{
    struct stor_guest stor;

    set_up(&stor);
    for (uint32_t operation = 0; operation < 300; operation++) {
        if (operation >= STOR_EXECUTE_SRB && operation <= STOR_QUERY_PROPERTIES)
            continue;
        if (operation == STOR_CREATE_SUB_CHANNELS)
            continue;
        g_assert_cmphex(stor_ask_operation(&stor, operation), ==, STOR_INVALID_REQUEST);
    }
    g_assert_cmphex(stor_ask_operation(&stor, 0xffffffff), ==, STOR_INVALID_REQUEST);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_reconnect(void)
{
    struct stor_guest stor;

    set_up(&stor);
    for (unsigned i = 0; i < 3; i++) {
        sg_close(&stor.channel);
        g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
        /* A new driver: what the old one had agreed is gone. */
        g_assert_cmphex(stor_run(&stor, stor_io(0, false, 0, 1), stor.data, 512), ==,
                        STOR_INVALID_DEVICE_STATE);
        stor_handshake(&stor, STOR_VERSION_5_1);
        stor_expect_alive(&stor);
    }
    g_assert_true(sg_connect(stor.guest, VMBUS_V4_0));
    g_assert_cmphex(storvsp_version(stor.storvsp), ==, 0);
    g_assert_true(sg_find_offer(stor.guest, &scsi_interface, 0, &stor.channel));
    g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor_handshake(&stor, STOR_VERSION_6_0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

/* --- Subchannels --- */

static uint32_t ask_subchannels(struct stor_guest *stor, uint16_t count)
{
    struct stor_packet packet = {
        .operation = STOR_CREATE_SUB_CHANNELS, .flags = 1, .subchannels = count};

    return stor_ask(stor, &packet, sizeof(packet));
}

static void test_subchannels(void)
{
    struct stor_guest stor;
    struct sg_channel sub[2];

    stor_guest_init(&stor, VMBUS_V5_2, 3, STOR_RING_PAGES);
    stor_handshake(&stor, STOR_VERSION_6_0);
    g_assert_cmphex(ask_subchannels(&stor, 2), ==, STOR_SUCCESS);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(sg_find_offer(stor.guest, &scsi_interface, 1 + i, &sub[i]));
        g_assert_cmpuint(sg_open(&sub[i], STOR_RING_PAGES, NULL, 0), ==, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t id = stor_send(&stor, &sub[i], stor_io(0, false, i, 1), stor.data, 512);
        g_assert_cmpuint(stor_answer(&stor, &sub[i]), ==, id);
        stor_expect_done(&stor, 512);
        g_assert_cmpmem(sg_mem(stor.guest, stor.data), 512, stor.disk->bytes + i * 512, 512);
        /* No handshake there. */
        const struct stor_packet begin = {.operation = STOR_BEGIN_INITIALIZATION, .flags = 1};
        g_assert_true(sg_send_inband(&sub[i], 5, &begin, sizeof(begin)));
        stor_answer(&stor, &sub[i]);
        g_assert_cmphex(stor.reply.status, ==, STOR_INVALID_DEVICE_STATE);
        const struct stor_packet reset = {.operation = STOR_RESET_BUS, .flags = 1};
        g_assert_true(sg_send_inband(&sub[i], 6, &reset, sizeof(reset)));
        stor_answer(&stor, &sub[i]);
        g_assert_cmphex(stor.reply.status, ==, STOR_SUCCESS);
    }
    struct storvsp_stats stats;
    storvsp_stats(stor.storvsp, &stats);
    g_assert_cmpuint(stats.reads, ==, 2);
    g_assert_cmpuint(stats.bytes_read, ==, 1024);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

static void test_subchannel_counts(void)
{
    static const uint16_t wrong[] = {0, 3, 4, 0x7fff, 0xffff};
    struct stor_guest stor;
    struct sg_channel sub;

    stor_guest_init(&stor, VMBUS_V5_2, 3, STOR_RING_PAGES);
    g_assert_cmphex(ask_subchannels(&stor, 1), ==, STOR_INVALID_DEVICE_STATE);
    g_assert_cmphex(stor_ask_operation(&stor, STOR_BEGIN_INITIALIZATION), ==, STOR_SUCCESS);
    g_assert_cmphex(ask_version(&stor, STOR_VERSION_6_0), ==, STOR_SUCCESS);
    g_assert_cmphex(stor_ask_operation(&stor, STOR_QUERY_PROPERTIES), ==, STOR_SUCCESS);
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_cmphex(ask_subchannels(&stor, wrong[i]), ==, STOR_INVALID_PARAMETER);
    /* Windows asks before the end of the handshake: they are offered after it. */
    g_assert_cmphex(ask_subchannels(&stor, 1), ==, STOR_SUCCESS);
    g_assert_false(sg_find_offer(stor.guest, &scsi_interface, 1, &sub));
    g_assert_cmphex(stor_ask_operation(&stor, STOR_END_INITIALIZATION), ==, STOR_SUCCESS);
    g_assert_true(sg_find_offer(stor.guest, &scsi_interface, 1, &sub));
    g_assert_cmphex(ask_subchannels(&stor, 1), ==, STOR_INVALID_DEVICE_STATE);
    stor_guest_free(&stor);

    stor_guest_init(&stor, VMBUS_V5_2, 3, STOR_RING_PAGES);
    stor_handshake(&stor, STOR_VERSION_4_2); /* has none */
    g_assert_cmphex(ask_subchannels(&stor, 1), ==, STOR_INVALID_PARAMETER);
    stor_guest_free(&stor);
}

/* --- Data --- */

static void test_written_data_is_on_disk(void)
{
    struct stor_guest stor;
    static const uint32_t offsets[] = {0, 512, 4095, 2048 + 8};

    set_up(&stor);
    for (unsigned i = 0; i < G_N_ELEMENTS(offsets); i++) {
        uint64_t gpa = stor.data + offsets[i];
        uint32_t len = 96 * 512;
        uint8_t *p = sg_mem(stor.guest, gpa);
        for (uint32_t j = 0; j < len; j++)
            p[j] = (uint8_t)(j * 13 + i + j / 512);
        stor_run(&stor, stor_io(0, true, 100, 96), gpa, len);
        stor_expect_done(&stor, len);
        g_assert_cmpmem(stor.disk->bytes + 100 * 512, len, p, len);
        memset(p, 0, len);
        stor_run(&stor, stor_io(0, false, 100, 96), gpa, len);
        stor_expect_done(&stor, len);
        g_assert_cmpmem(p, len, stor.disk->bytes + 100 * 512, len);
    }
    stor_guest_free(&stor);
}

static void test_largest_transfer(void)
{
    struct stor_guest stor;
    uint16_t sectors = STOR_DISK_BYTES / 512;

    _Static_assert(LIMIT_DISK_TRANSFER == STOR_DISK_BYTES, "the whole disk at once");
    set_up(&stor);
    stor_run(&stor, stor_io(0, false, 0, sectors), stor.data + 512, LIMIT_DISK_TRANSFER);
    stor_expect_done(&stor, LIMIT_DISK_TRANSFER);
    g_assert_cmpmem(sg_mem(stor.guest, stor.data + 512), LIMIT_DISK_TRANSFER, stor.disk->bytes,
                    STOR_DISK_BYTES);
    stor_guest_free(&stor);
}

static bool is_dirty(const unsigned long *bitmap, uint64_t gpa)
{
    return bitmap[gpa / GMEM_PAGE / 64] & 1ul << gpa / GMEM_PAGE % 64;
}

static void test_dirty_pages(void)
{
    struct stor_guest stor;
    g_autofree unsigned long *bitmap = g_new0(unsigned long, (16u << 20) / GMEM_PAGE / 64);
    static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};

    set_up(&stor);
    stor.guest->gmem.dirty[0] = bitmap;
    stor_run(&stor, stor_io(0, true, 0, 8), stor.data, 4096);
    g_assert_false(is_dirty(bitmap, stor.data));
    stor_run(&stor, stor_io(0, false, 0, 8), stor.data + GMEM_PAGE, 4096);
    g_assert_true(is_dirty(bitmap, stor.data + GMEM_PAGE));
    g_assert_false(is_dirty(bitmap, stor.data + 2 * GMEM_PAGE));
    stor_run(&stor, stor_command(0, inquiry, 6), stor.data + 3 * GMEM_PAGE, 36);
    g_assert_true(is_dirty(bitmap, stor.data + 3 * GMEM_PAGE));
    /* A read that failed may have written a part. */
    stor.disk->fail = -EIO;
    stor_run(&stor, stor_io(0, false, 0, 8), stor.data + 4 * GMEM_PAGE, 4096);
    g_assert_true(is_dirty(bitmap, stor.data + 4 * GMEM_PAGE));
    stor.guest->gmem.dirty[0] = NULL;
    stor_guest_free(&stor);
}

static void test_underrun(void)
{
    struct stor_guest stor;
    static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 255, 0};

    set_up(&stor);
    stor_run(&stor, stor_command(0, inquiry, 6), stor.data, 255);
    stor_expect_done(&stor, 36);
    stor_run(&stor, stor_io(0, false, 0, 1), stor.data, 4096);
    stor_expect_done(&stor, 512);
    stor_guest_free(&stor);
}

static void test_fua_and_flush(void)
{
    static const uint8_t fua[10] = {0x2a, 0x08, [8] = 1};
    static const uint8_t flush[10] = {0x35};
    struct stor_guest stor;

    set_up(&stor);
    stor_run(&stor, stor_io(0, true, 0, 1), stor.data, 512);
    g_assert_cmpuint(stor.disk->fua, ==, 0);
    stor_run(&stor, stor_command(0, fua, 10), stor.data, 512);
    stor_expect_done(&stor, 512);
    g_assert_cmpuint(stor.disk->fua, ==, 1);
    /* The flush is answered when the disk has flushed, not before. */
    stor.disk->hold = true;
    uint64_t id = stor_send(&stor, &stor.channel, stor_command(0, flush, 10), 0, 0);
    uint8_t payload[64];
    sg_run(stor.guest, 0);
    g_assert_cmpint(sg_receive(&stor.channel, NULL, NULL, payload, sizeof(payload)), ==, -1);
    g_assert_cmpuint(stor.disk->count[DISK_FLUSH], ==, 1);
    memory_disk_release(stor.disk, 1);
    g_assert_cmpuint(stor_answer(&stor, &stor.channel), ==, id);
    stor_expect_done(&stor, 0);
    stor_guest_free(&stor);
}

static void test_readonly_refuses_writes(void)
{
    struct stor_guest stor;
    g_autofree uint8_t *before = NULL;

    set_up(&stor);
    before = g_memdup2(stor.readonly->bytes, STOR_DISK_BYTES);
    g_assert_cmphex(stor_run(&stor, stor_io(1, true, 0, 8), stor.data, 4096), ==, STOR_IO_ERROR);
    stor_expect_check(&stor, SRB_ERROR, 7, 0x27);
    g_assert_cmpmem(stor.readonly->bytes, STOR_DISK_BYTES, before, STOR_DISK_BYTES);
    stor_run(&stor, stor_io(1, false, 0, 8), stor.data, 4096);
    stor_expect_done(&stor, 4096);
    stor_guest_free(&stor);
}

static void test_disk_error(void)
{
    struct stor_guest stor;
    struct storvsp_stats stats;

    set_up(&stor);
    stor.disk->fail = -ENOSPC;
    g_assert_cmphex(stor_run(&stor, stor_io(0, true, 0, 8), stor.data, 4096), ==, STOR_IO_ERROR);
    stor_expect_check(&stor, SRB_ERROR, 7, 0x27);
    stor.disk->fail = 0;
    storvsp_stats(stor.storvsp, &stats);
    g_assert_cmpuint(stats.errors, ==, 1);
    g_assert_cmpuint(stats.bytes_written, ==, 0);
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

/* --- Addresses --- */

static void test_absent_addresses(void)
{
    static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};
    static const uint8_t report[12] = {0xa0, [9] = 64};
    static const uint8_t ready[6] = {0};
    static const struct {
        uint8_t path, target, lun;
    } addresses[] = {{0, 0, 3}, {0, 0, 63}, {0, 0, 64},  {0, 0, 255}, {0, 1, 0},
                     {1, 0, 0}, {7, 1, 0},  {255, 0, 0}, {0, 255, 0}, {255, 255, 255}};
    struct stor_guest stor;

    set_up(&stor);
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        bool target = addresses[i].path == 0 && addresses[i].target == 0;
        struct stor_packet packet = stor_command(addresses[i].lun, inquiry, 6);
        packet.srb.path = addresses[i].path;
        packet.srb.target = addresses[i].target;
        stor_run(&stor, packet, stor.data, 36);
        stor_expect_done(&stor, 36);
        g_assert_cmphex(*(uint8_t *)sg_mem(stor.guest, stor.data), ==, 0x7f);

        memset(packet.srb.cdb, 0, sizeof(packet.srb.cdb));
        memcpy(packet.srb.cdb, report, sizeof(report));
        packet.srb.cdb_length = sizeof(report);
        stor_run(&stor, packet, stor.data, 64);
        stor_expect_done(&stor, target ? 32 : 8);

        memcpy(packet.srb.cdb, ready, sizeof(ready));
        packet.srb.cdb_length = sizeof(ready);
        g_assert_cmphex(stor_run(&stor, packet, 0, 0), ==, STOR_NO_SUCH_DEVICE);
        stor_expect_check(&stor, SRB_INVALID_LUN, 5, 0x25);
    }
    stor_expect_alive(&stor);
    stor_guest_free(&stor);
}

/* --- On a real file --- */

static void test_raw_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("test-storvsp-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "disk.img", NULL);
    g_autofree uint8_t *zeroes = g_malloc0(STOR_DISK_BYTES);
    struct storvsp_config config = {.instance = {{9}}, .lanes = 1};
    const struct disk_params params = {.path = path, .fd = -1, .direct = true};
    static const uint8_t flush[10] = {0x35};
    struct stor_guest stor;

    g_assert_true(g_file_set_contents(path, (char *)zeroes, STOR_DISK_BYTES, NULL));
    struct disk *disk = disk_open(&disk_raw_class, &params, NULL);
    g_assert_nonnull(disk);
    set_up(&stor);
    config.lane[0] = stor.guest->lane;
    config.lun[0] = (struct storvsp_lun){true, false, disk, "raw"};
    struct storvsp *second = storvsp_new(&config);
    g_assert_nonnull(second);
    g_assert_cmpint(vmbus_bus_add(stor.guest->bus, storvsp_vsp(second)), ==, 0);
    g_assert_true(sg_connect(stor.guest, VMBUS_V5_2));
    g_assert_true(sg_find_offer(stor.guest, &scsi_interface, 1, &stor.channel));
    g_assert_cmpuint(sg_open(&stor.channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor_handshake(&stor, STOR_VERSION_6_0);
    uint8_t *p = sg_mem(stor.guest, stor.data);
    for (unsigned i = 0; i < 65536; i++)
        p[i] = (uint8_t)(i * 31 + i / 512);
    stor_run(&stor, stor_io(0, true, 128, 128), stor.data, 65536);
    stor_expect_done(&stor, 65536);
    stor_run(&stor, stor_command(0, flush, 10), 0, 0);
    stor_expect_done(&stor, 0);
    g_autofree char *file = NULL;
    gsize len;
    g_assert_true(g_file_get_contents(path, &file, &len, NULL));
    g_assert_cmpuint(len, ==, STOR_DISK_BYTES);
    g_assert_cmpmem(file + 65536, 65536, p, 65536);
    stor_run(&stor, stor_io(0, false, 128, 128), stor.data + 65536 + 512, 65536);
    stor_expect_done(&stor, 65536);
    g_assert_cmpmem(p + 65536 + 512, 65536, p, 65536);
    sg_stop(stor.guest);
    storvsp_free(second);
    stor_guest_free(&stor);
    disk_close(disk);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_config(void)
{
    struct lane *lane = lane_new("test");
    struct storvsp_config config = {.lane = {lane}, .lanes = 1, .lun[5] = {.present = true}};

    g_assert_null(storvsp_new(&config)); /* a disk without a disk */
    g_assert_cmpint(errno, ==, EINVAL);
    config.lun[5].present = false;
    config.lanes = 0;
    g_assert_null(storvsp_new(&config));
    config.lanes = LIMIT_LANES + 1;
    g_assert_null(storvsp_new(&config));
    storvsp_free(NULL);
    lane_free(lane);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storvsp/versions", test_versions);
    g_test_add_func("/storvsp/bus-versions", test_bus_versions);
    g_test_add_func("/storvsp/completion-size", test_completion_size);
    g_test_add_func("/storvsp/out-of-order", test_out_of_order);
    g_test_add_func("/storvsp/unknown-operations", test_unknown_operations);
    g_test_add_func("/storvsp/reconnect", test_reconnect);
    g_test_add_func("/storvsp/subchannels", test_subchannels);
    g_test_add_func("/storvsp/subchannel-counts", test_subchannel_counts);
    g_test_add_func("/storvsp/written-data-is-on-disk", test_written_data_is_on_disk);
    g_test_add_func("/storvsp/largest-transfer", test_largest_transfer);
    g_test_add_func("/storvsp/dirty-pages", test_dirty_pages);
    g_test_add_func("/storvsp/underrun", test_underrun);
    g_test_add_func("/storvsp/fua-and-flush", test_fua_and_flush);
    g_test_add_func("/storvsp/readonly-refuses-writes", test_readonly_refuses_writes);
    g_test_add_func("/storvsp/disk-error", test_disk_error);
    g_test_add_func("/storvsp/absent-addresses", test_absent_addresses);
    g_test_add_func("/storvsp/raw-file", test_raw_file);
    g_test_add_func("/storvsp/config", test_config);
    return g_test_run();
}
