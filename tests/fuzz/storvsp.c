/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: storvsp behind a real bus and real rings, against a guest that does anything in any
 * order.
 *
 * The input is a script: packets of any type with any range list and body, handshakes, commands
 * that are held by the disk and released later, close and open, resets of the bus, turns of the
 * lane. Beyond what the sanitizers see it checks that every answer is one that was asked for, of
 * the right length, and that nothing is left over at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/log.h"
#include "tests/fuzz/script.h"
#include "tests/unit/stor_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#define RING_PAGES 2u
#define STEPS      200u

enum step {
    STEP_HANDSHAKE,
    STEP_CONTROL,
    STEP_COMMAND,
    STEP_PACKET,
    STEP_RAW,
    STEP_TURN,
    STEP_HOLD,
    STEP_RELEASE,
    STEP_FAIL,
    STEP_REOPEN,
    STEP_RECONNECT,
    STEP_COUNT,
};

static void read_answers(struct stor_guest *stor)
{
    struct stor_packet answer;
    uint16_t type;
    int len;

    /* A guest that let the disk write over its ring finds nonsense there: it looks no further. */
    uint32_t write = *sg_ring_word(stor->channel.in, SG_WRITE);
    if (write % 8 || write >= stor->channel.ring_bytes)
        return;
    while ((len = sg_receive(&stor->channel, &type, NULL, &answer, sizeof(answer))) >= 0) {
        CHECK(type == VMBUS_PACKET_COMPLETION);
        CHECK(len >= (int)STOR_PACKET_OLD && len <= (int)sizeof(answer));
        CHECK(answer.operation == STOR_COMPLETE_IO);
    }
}

/* One of the right requests, with a body of the script's. */
static void control(struct stor_guest *stor, struct script *script)
{
    struct stor_packet packet = {.operation = script_next(script) % 16u, .flags = 1};

    script_take(script, (uint8_t *)&packet + 12, script_next(script) % 53u);
    sg_send_inband(&stor->channel, stor->next_id++, &packet, 48 + 16 * (script_next(script) & 1));
}

static void handshake(struct stor_guest *stor, struct script *script)
{
    static const uint16_t versions[] = {STOR_VERSION_2_0, STOR_VERSION_4_2, STOR_VERSION_5_1,
                                        STOR_VERSION_6_0};
    static const uint32_t steps[] = {STOR_BEGIN_INITIALIZATION, STOR_QUERY_PROTOCOL_VERSION,
                                     STOR_QUERY_PROPERTIES, STOR_END_INITIALIZATION};
    uint16_t version = versions[script_next(script) % 4];

    for (unsigned i = 0; i < 4; i++) {
        const struct stor_packet packet = {.operation = steps[i], .flags = 1, .version = version};
        sg_send_inband(&stor->channel, stor->next_id++, &packet, sizeof(packet));
    }
}

/* A command that is likely to get through: the disk's data is never aimed at the rings. */
static void command(struct stor_guest *stor, struct script *script)
{
    uint8_t cdb[16] = {0};
    uint8_t lun = script_next(script) % 4u;
    uint32_t length = script_next(script) * 64u;
    uint64_t gpa = stor->data + script_next(script) * 96u;

    script_take(script, cdb, 1 + script_next(script) % 16u);
    struct stor_packet packet = stor_command(lun, cdb, sizeof(cdb));
    packet.srb.transfer_length = length;
    if (length)
        sg_send_gpa(&stor->channel, stor->next_id++, gpa, length, &packet, sizeof(packet));
    else
        sg_send_inband(&stor->channel, stor->next_id++, &packet, sizeof(packet));
}

/* Any packet with any extension and body, in a well-formed frame. */
static void packet(struct stor_guest *stor, struct script *script)
{
    uint8_t extension[128] = {0}, body[96] = {0};
    uint16_t type = script_next(script) % 16u, flags = script_next(script) & 1;
    size_t extension_len = script_next(script) % (sizeof(extension) / 8) * 8u;
    size_t body_len = script_next(script) % sizeof(body);

    script_take(script, extension, extension_len);
    script_take(script, body, body_len);
    sg_send(&stor->channel, type, flags, stor->next_id++, extension, extension_len, body, body_len);
}

static void raw(struct stor_guest *stor, struct script *script)
{
    uint8_t bytes[64] = {0};
    size_t len = script_next(script) % 8u * 8;

    script_take(script, bytes, len);
    sg_send_raw(&stor->channel, bytes, len);
}

static void open_again(struct stor_guest *stor)
{
    CHECK(sg_open(&stor->channel, RING_PAGES, NULL, 0) == 0);
}

static void release_all(struct stor_guest *stor)
{
    do
        sg_run(stor->guest, 0);
    while (memory_disk_release(stor->disk, 1000) + memory_disk_release(stor->readonly, 1000));
}

static void reopen(struct stor_guest *stor, uint8_t in_flight)
{
    if (in_flight & 1)
        sg_tell_words(stor->guest, VMBUS_MSG_CLOSE, 1, stor->channel.relid, 0);
    release_all(stor);
    stor->disk->hold = stor->readonly->hold = false;
    release_all(stor);
    if (in_flight & 1) {
        sg_tell_words(stor->guest, VMBUS_MSG_GPADL_TEARDOWN, 2, stor->channel.relid,
                      stor->channel.gpadl);
        sg_pick(stor->guest, VMBUS_MSG_GPADL_TORNDOWN);
    } else {
        sg_close(&stor->channel);
    }
    open_again(stor);
}

static void reconnect(struct stor_guest *stor, uint32_t version)
{
    stor->disk->hold = stor->readonly->hold = false;
    release_all(stor);
    CHECK(sg_connect(stor->guest, version));
    CHECK(sg_find_offer(stor->guest, &storvsp_vsp(stor->storvsp)->class->interface, 0,
                        &stor->channel));
    open_again(stor);
}

static void run_step(struct stor_guest *stor, struct script *script)
{
    switch (script_next(script) % STEP_COUNT) {
    case STEP_HANDSHAKE:
        handshake(stor, script);
        break;
    case STEP_CONTROL:
        control(stor, script);
        break;
    case STEP_COMMAND:
        command(stor, script);
        break;
    case STEP_PACKET:
        packet(stor, script);
        break;
    case STEP_RAW:
        raw(stor, script);
        break;
    case STEP_TURN:
        sg_run(stor->guest, 0);
        read_answers(stor);
        break;
    case STEP_HOLD:
        stor->disk->hold = !stor->disk->hold;
        break;
    case STEP_RELEASE:
        memory_disk_release(stor->disk, script_next(script));
        break;
    case STEP_FAIL:
        stor->disk->fail = script_next(script) & 1 ? -28 : 0;
        break;
    case STEP_REOPEN:
        reopen(stor, script_next(script));
        break;
    default:
        reconnect(stor, VMBUS_V4_0);
        break;
    }
}

/* The machine is made once: a new connection is as good as a new machine, and a hundred times
 * faster. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stor_guest stor;
    static uint64_t first_page;
    struct script script = {data, size};

    if (!stor.guest) {
        log_set_level(LOG_LEVEL_ERROR);
        stor_guest_init(&stor, VMBUS_V5_2, 1, RING_PAGES);
        first_page = stor.guest->next_page;
    }
    stor.guest->next_page = first_page;
    stor.disk->fail = 0;
    reconnect(&stor, VMBUS_V5_2);
    for (unsigned i = 0; i < STEPS && script.size; i++)
        run_step(&stor, &script);
    stor.disk->hold = stor.readonly->hold = false;
    release_all(&stor);
    return 0;
}
