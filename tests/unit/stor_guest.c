/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scripted guest's storage driver.
 */
#include "tests/unit/stor_guest.h"

#include <glib.h>
#include <string.h>

static const struct guid scsi_interface =
    GUID_INIT(0xba6163d9, 0x04a1, 0x4d29, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f);

void stor_guest_init(struct stor_guest *stor, uint32_t version, unsigned lanes, unsigned pages)
{
    struct storvsp_config config = {.instance = {{1, 2, 3}}, .lanes = lanes};

    memset(stor, 0, sizeof(*stor));
    stor->guest = sg_new(16u << 20, 1, VMBUS_V5_3);
    stor->disk = memory_disk_new(STOR_DISK_BYTES, false, true);
    stor->readonly = memory_disk_new(STOR_DISK_BYTES, true, false);
    for (unsigned i = 0; i < STOR_DISK_BYTES; i++)
        stor->disk->bytes[i] = stor->readonly->bytes[i] = (uint8_t)(i / 512 * 5 + i);
    config.lun[0] = (struct storvsp_lun){true, false, &stor->disk->disk, "disk-0"};
    config.lun[1] = (struct storvsp_lun){true, false, &stor->readonly->disk, "disk-1"};
    config.lun[2] = (struct storvsp_lun){true, true, NULL, "dvd-2"};
    for (unsigned i = 0; i < lanes; i++)
        config.lane[i] = stor->guest->lane;
    stor->storvsp = storvsp_new(&config);
    g_assert_nonnull(stor->storvsp);
    g_assert_cmpint(vmbus_bus_add(stor->guest->bus, storvsp_vsp(stor->storvsp)), ==, 0);
    g_assert_true(sg_connect(stor->guest, version));
    g_assert_true(sg_find_offer(stor->guest, &scsi_interface, 0, &stor->channel));
    g_assert_cmpuint(sg_open(&stor->channel, pages, NULL, 0), ==, 0);
    stor->data = sg_pages(stor->guest, STOR_DATA_PAGES) * GMEM_PAGE;
    stor->next_id = 0x100;
}

void stor_guest_free(struct stor_guest *stor)
{
    if (!stor->guest->stopped)
        sg_stop(stor->guest);
    storvsp_free(stor->storvsp);
    sg_free(stor->guest);
    memory_disk_free(stor->disk);
    memory_disk_free(stor->readonly);
}

uint64_t stor_answer(struct stor_guest *stor, struct sg_channel *channel)
{
    uint16_t type;
    uint64_t id;

    memset(&stor->reply, 0xee, sizeof(stor->reply));
    stor->reply_len = sg_wait(channel, &type, &id, &stor->reply, sizeof(stor->reply));
    g_assert_cmpuint(type, ==, VMBUS_PACKET_COMPLETION);
    g_assert_cmpint(stor->reply_len, >=, STOR_PACKET_OLD);
    g_assert_cmpint(stor->reply_len, <=, (int)sizeof(stor->reply));
    g_assert_cmpuint(stor->reply.operation, ==, STOR_COMPLETE_IO);
    g_assert_cmpuint(stor->reply.flags, ==, 0);
    return id;
}

uint32_t stor_ask(struct stor_guest *stor, const struct stor_packet *packet, size_t len)
{
    uint64_t id = stor->next_id++;

    g_assert_true(sg_send_inband(&stor->channel, id, packet, len));
    g_assert_cmpuint(stor_answer(stor, &stor->channel), ==, id);
    return stor->reply.status;
}

uint32_t stor_ask_operation(struct stor_guest *stor, uint32_t operation)
{
    struct stor_packet packet = {.operation = operation, .flags = 1};

    return stor_ask(stor, &packet, sizeof(packet));
}

void stor_handshake(struct stor_guest *stor, uint16_t version)
{
    struct stor_packet query = {
        .operation = STOR_QUERY_PROTOCOL_VERSION, .flags = 1, .version = version};

    g_assert_cmphex(stor_ask_operation(stor, STOR_BEGIN_INITIALIZATION), ==, STOR_SUCCESS);
    g_assert_cmphex(stor_ask(stor, &query, sizeof(query)), ==, STOR_SUCCESS);
    g_assert_cmphex(stor_ask_operation(stor, STOR_QUERY_PROPERTIES), ==, STOR_SUCCESS);
    g_assert_cmphex(stor_ask_operation(stor, STOR_END_INITIALIZATION), ==, STOR_SUCCESS);
}

struct stor_packet stor_command(uint8_t lun, const uint8_t *cdb, uint8_t cdb_len)
{
    struct stor_packet packet = {
        .operation = STOR_EXECUTE_SRB,
        .flags = 1,
        .srb = {.length = sizeof(struct stor_srb),
                .port = 3, /* Linux's host number */
                .lun = lun,
                .cdb_length = cdb_len,
                .sense_length = STOR_SENSE_SIZE,
                .direction = 2},
    };

    memcpy(packet.srb.cdb, cdb, cdb_len < STOR_CDB_SIZE ? cdb_len : STOR_CDB_SIZE);
    return packet;
}

struct stor_packet stor_io(uint8_t lun, bool write, uint32_t lba, uint16_t count)
{
    const uint8_t cdb[10] = {
        write ? 0x2a : 0x28, 0, (uint8_t)(lba >> 24),  (uint8_t)(lba >> 16), (uint8_t)(lba >> 8),
        (uint8_t)lba,        0, (uint8_t)(count >> 8), (uint8_t)count,       0};
    struct stor_packet packet = stor_command(lun, cdb, sizeof(cdb));

    packet.srb.direction = !write;
    return packet;
}

uint64_t stor_send(struct stor_guest *stor, struct sg_channel *channel, struct stor_packet packet,
                   uint64_t gpa, uint32_t length)
{
    uint64_t id = stor->next_id++;

    packet.srb.transfer_length = length;
    if (gpa)
        g_assert_true(sg_send_gpa(channel, id, gpa, length, &packet, sizeof(packet)));
    else
        g_assert_true(sg_send_inband(channel, id, &packet, sizeof(packet)));
    return id;
}

static void add_faults(const struct vmbus_channel_info *info, void *context)
{
    *(uint64_t *)context += info->faults;
}

uint64_t stor_faults(const struct stor_guest *stor)
{
    uint64_t faults = 0;

    vmbus_bus_channels(stor->guest->bus, add_faults, &faults);
    return faults;
}

uint32_t stor_run(struct stor_guest *stor, struct stor_packet packet, uint64_t gpa, uint32_t length)
{
    uint64_t id = stor_send(stor, &stor->channel, packet, gpa, length);

    g_assert_cmpuint(stor_answer(stor, &stor->channel), ==, id);
    return stor->reply.status;
}

void stor_expect_check(const struct stor_guest *stor, uint8_t srb_status, uint8_t key, uint8_t code)
{
    const struct stor_srb *srb = &stor->reply.srb;

    g_assert_cmphex(srb->srb_status, ==, srb_status | SRB_SENSE_VALID);
    g_assert_cmphex(srb->scsi_status, ==, 2);
    g_assert_cmpuint(srb->sense_length, ==, 18);
    g_assert_cmpuint(srb->transfer_length, ==, 0);
    g_assert_cmphex(srb->sense[0], ==, 0x70);
    g_assert_cmphex(srb->sense[2], ==, key);
    g_assert_cmphex(srb->sense[12], ==, code);
}

void stor_expect_done(const struct stor_guest *stor, uint32_t moved)
{
    const struct stor_srb *srb = &stor->reply.srb;

    g_assert_cmphex(stor->reply.status, ==, STOR_SUCCESS);
    g_assert_cmphex(srb->srb_status, ==, SRB_SUCCESS);
    g_assert_cmphex(srb->scsi_status, ==, 0);
    g_assert_cmpuint(srb->length, ==, 0x34);
    g_assert_cmpuint(srb->cdb_length, ==, 16);
    g_assert_cmpuint(srb->sense_length, ==, 0);
    g_assert_cmpuint(srb->transfer_length, ==, moved);
}

void stor_expect_alive(struct stor_guest *stor)
{
    stor_run(stor, stor_io(0, false, 7, 1), stor->data, 512);
    stor_expect_done(stor, 512);
    g_assert_cmpmem(sg_mem(stor->guest, stor->data), 512, stor->disk->bytes + 7 * 512, 512);
    g_assert_cmpuint(stor_faults(stor), ==, 0);
}

void stor_expect_ended(struct stor_guest *stor)
{
    uint8_t payload[64];

    sg_run(stor->guest, 0);
    g_assert_cmpuint(stor_faults(stor), ==, 1);
    g_assert_cmpint(sg_receive(&stor->channel, NULL, NULL, payload, sizeof(payload)), ==, -1);
    sg_close(&stor->channel);
    g_assert_cmpuint(sg_open(&stor->channel, STOR_RING_PAGES, NULL, 0), ==, 0);
    stor_handshake(stor, STOR_VERSION_6_0);
    stor_run(stor, stor_io(0, false, 7, 1), stor->data, 512);
    stor_expect_done(stor, 512);
}
