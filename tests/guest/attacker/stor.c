/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small storvsc that trusts nothing of itself: rings, handshake, commands. Facts: sections 5 and
 * 6.1; Linux drivers/scsi/storvsc_drv.c.
 *
 * One request or a batch is written, shown and signalled; completions are polled.
 */
#include "tests/guest/attacker/guest.h"

#define OPEN_CHANNEL   5u
#define OPEN_RESULT    6u
#define CLOSE_CHANNEL  7u
#define GPADL_TEARDOWN 11u
#define GPADL_TORNDOWN 12u

#define PACKET_IN_BAND    6u
#define PACKET_GPA_DIRECT 9u
#define WANT_COMPLETION   1u

#define STOR_EXECUTE_SRB      3u
#define STOR_BEGIN            7u
#define STOR_END              8u
#define STOR_QUERY_VERSION    9u
#define STOR_QUERY_PROPERTIES 10u
#define STOR_VERSION_6_0      0x600u

#define ANSWER_TIME 10000000u

uint8_t ring_memory[2 * RING_PAGES * PAGE] __attribute__((aligned(4096)));
uint8_t arena[ARENA_PAGES * PAGE] __attribute__((aligned(4096)));
struct ring_page *const ring_out = (struct ring_page *)ring_memory;
struct ring_page *const ring_in = (struct ring_page *)(ring_memory + RING_PAGES * PAGE);
struct stor_packet stor_answer;
uint64_t stor_answered;

static uint32_t gpadl = 0xe1e10;
static uint32_t write_index, read_index;
static uint64_t next_id;

/* --- The rings
 * ------------------------------------------------------------------------------------ */

static void copy_in(uint32_t at, const void *bytes, uint32_t length)
{
    uint8_t *data = (uint8_t *)ring_out + PAGE;
    uint32_t first = RING_SIZE - at < length ? RING_SIZE - at : length;

    memcpy(data + at, bytes, first);
    memcpy(data, (const uint8_t *)bytes + first, length - first);
}

static void copy_out(uint32_t at, void *bytes, uint32_t length)
{
    const uint8_t *data = (const uint8_t *)ring_in + PAGE;
    uint32_t first = RING_SIZE - at < length ? RING_SIZE - at : length;

    memcpy(bytes, data + at, first);
    memcpy((uint8_t *)bytes + first, data, length - first);
}

bool ring_put(const void *bytes, uint32_t length)
{
    uint32_t used = (write_index - ring_out->read + RING_SIZE) % RING_SIZE;
    uint64_t trailer = (uint64_t)write_index << 32;

    if (RING_SIZE - used - 8 < length + 8)
        return false;
    copy_in(write_index, bytes, length);
    copy_in((write_index + length) % RING_SIZE, &trailer, 8);
    write_index = (write_index + length + 8) % RING_SIZE;
    return true;
}

void ring_show(void)
{
    __atomic_store_n(&ring_out->write, write_index, __ATOMIC_SEQ_CST);
}

void ring_signal(void)
{
    ring_show();
    signal_event(scsi_connection);
}

void stor_reap(void)
{
    struct {
        uint16_t type, header8, total8, flags;
        uint64_t id;
    } descriptor;
    uint32_t before = read_index;

    /* Bounded: an attack may have let the disk write over the ring. */
    for (unsigned i = 0; i < RING_SIZE / 8 && read_index != ring_in->write; i++) {
        copy_out(read_index, &descriptor, sizeof(descriptor));
        copy_out((read_index + descriptor.header8 * 8u) % RING_SIZE, &stor_answer,
                 sizeof(stor_answer));
        read_index = (read_index + descriptor.total8 * 8u + 8) % RING_SIZE;
        stor_answered++;
    }
    if (read_index == before)
        return;
    __atomic_store_n(&ring_in->read, read_index, __ATOMIC_SEQ_CST);
    if (ring_in->pending)
        signal_event(scsi_connection);
}

bool stor_wait(uint64_t answered, uint64_t time)
{
    uint64_t end = now() + time;

    for (;;) {
        for (unsigned i = 0; i < 100; i++) {
            stor_reap();
            if (stor_answered >= answered)
                return true;
            pause();
        }
        if (now() >= end)
            return false;
    }
}

/* --- Packets
 * -------------------------------------------------------------------------------------- */

void arena_pfns(uint64_t pfn[ARENA_PAGES])
{
    for (unsigned i = 0; i < ARENA_PAGES; i++)
        pfn[i] = ((uintptr_t)arena >> 12) + i;
}

bool stor_put(const struct stor_packet *packet, uint32_t bytes, uint32_t offset,
              const uint64_t *pfn)
{
    static struct {
        struct stor_frame frame;
        struct stor_packet room;
    } __attribute__((packed)) out;
    uint32_t pages = (offset + bytes + PAGE - 1) / PAGE;
    uint32_t header = bytes ? 32 + pages * 8 : 16;

    out.frame = (struct stor_frame){.type = bytes ? PACKET_GPA_DIRECT : PACKET_IN_BAND,
                                    .header8 = (uint16_t)(header / 8),
                                    .total8 = (uint16_t)((header + sizeof(*packet)) / 8),
                                    .flags = WANT_COMPLETION,
                                    .id = ++next_id,
                                    .range_count = 1,
                                    .bytes = bytes,
                                    .offset = offset};
    if (bytes)
        memcpy(out.frame.pfn, pfn, pages * 8);
    memcpy((uint8_t *)&out + header, packet, sizeof(*packet));
    return ring_put(&out, header + (uint32_t)sizeof(*packet));
}

bool stor_run(const struct stor_packet *packet, uint32_t bytes, uint32_t offset,
              const uint64_t *pfn)
{
    uint64_t before = stor_answered;

    if (!stor_put(packet, bytes, offset, pfn))
        return false;
    ring_signal();
    return stor_wait(before + 1, ANSWER_TIME);
}

void stor_srb(struct stor_packet *packet, const uint8_t *cdb, unsigned length, uint8_t direction)
{
    *packet = (struct stor_packet){.operation = STOR_EXECUTE_SRB,
                                   .flags = 1,
                                   .length = 52,
                                   .cdb_length = (uint8_t)length,
                                   .sense_length = 20,
                                   .direction = direction};
    memcpy(packet->cdb, cdb, length);
}

bool stor_transfer(bool write, uint8_t lun, uint32_t lba, uint32_t blocks, const void *buffer)
{
    const uint8_t cdb[10] = {
        write ? 0x2a : 0x28, 0, (uint8_t)(lba >> 24),   (uint8_t)(lba >> 16), (uint8_t)(lba >> 8),
        (uint8_t)lba,        0, (uint8_t)(blocks >> 8), (uint8_t)blocks};
    uint32_t offset = (uintptr_t)buffer % PAGE;
    uint64_t pfn[ARENA_PAGES];
    struct stor_packet packet;

    for (unsigned i = 0; i < ARENA_PAGES; i++)
        pfn[i] = ((uintptr_t)buffer >> 12) + i;
    stor_srb(&packet, cdb, sizeof(cdb), !write);
    packet.lun = lun;
    packet.transfer = blocks * 512;
    return stor_run(&packet, blocks * 512, offset, pfn) && stor_answer.srb_status == 1;
}

/* --- Opening and closing
 * -------------------------------------------------------------------------- */

bool stor_send_open(uint32_t id, uint32_t downstream, uint32_t vp, uint32_t *ret_status)
{
    const uint32_t words[37] = {OPEN_CHANNEL, 0, scsi_relid, 0x77, id, vp, downstream};
    struct message answer;

    if (!send(words, sizeof(words)) || !expect(OPEN_RESULT, &answer))
        return false;
    *ret_status = answer.word[4];
    return true;
}

/* One step of the handshake: operation, and the version where it wants one. */
static bool step(uint32_t operation, uint16_t value)
{
    const struct stor_packet packet = {.operation = operation, .flags = 1, .length = value};

    return stor_run(&packet, 0, 0, NULL) && stor_answer.status == 0;
}

bool channel_open(void)
{
    uint64_t pfn[2 * RING_PAGES];
    uint32_t status = 1;

    memset(ring_memory, 0, sizeof(ring_memory));
    for (unsigned i = 0; i < 2 * RING_PAGES; i++)
        pfn[i] = ((uintptr_t)ring_memory >> 12) + i;
    ring_in->features = 1;
    write_index = read_index = 0;
    stor_answered = 0;
    return gpadl_create(scsi_relid, ++gpadl, pfn, 2 * RING_PAGES) &&
           stor_send_open(gpadl, RING_PAGES, 0, &status) && !status;
}

bool stor_open(void)
{
    return channel_open() && step(STOR_BEGIN, 0) && step(STOR_QUERY_VERSION, STOR_VERSION_6_0) &&
           step(STOR_QUERY_PROPERTIES, 0) && step(STOR_END, 0);
}

bool stor_close(void)
{
    const uint32_t close[] = {CLOSE_CHANNEL, 0, scsi_relid};
    const uint32_t teardown[] = {GPADL_TEARDOWN, 0, scsi_relid, gpadl};
    struct message answer;

    return send(close, sizeof(close)) && send(teardown, sizeof(teardown)) &&
           expect(GPADL_TORNDOWN, &answer) && answer.word[2] == gpadl;
}

bool stor_restart(void)
{
    return contact(VERSION_5_3) && request_offers() && stor_open();
}

void stor_works(void)
{
    uint64_t mark = random64();

    require(stor_restart(), "the controller does not open again, answers", stor_answered);
    if (failed())
        return;
    for (unsigned i = 0; i < 64; i++)
        ((uint64_t *)(void *)arena)[i] = mark + i;
    require(stor_transfer(true, 0, 77, 1, arena), "a write fails", stor_answer.srb_status);
    memset(arena, 0, 512);
    require(stor_transfer(false, 0, 77, 1, arena), "a read fails", stor_answer.srb_status);
    for (unsigned i = 0; i < 64; i++)
        require(((uint64_t *)(void *)arena)[i] == mark + i, "other bytes come back", i);
}
