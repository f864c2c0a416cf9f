/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks on a channel with a device behind it (storvsp): rings, packets, ranges, closing in the
 * middle. The disk on LUN 0 is ours to spoil and ends with a known pattern; LUN 1 is read-only.
 */
#include "tests/guest/attacker/guest.h"

#define WANT_COMPLETION 1u
#define DISK_MIB        16u
#define RANDOM_SRBS     100000u
#define RANDOM_TIME     10000000u /* if that ends earlier */
#define SETTLE_TIME     2000u

#define STATUS_GOOD 1u /* SRB */

static uint64_t pages[ARENA_PAGES];

static const uint8_t read_1[10] = {0x28, 0, 0, 0, 0, 1, 0, 0, 1};
static const uint8_t test_ready[6] = {0};

/* Put raw bytes into a fresh, open channel's ring. */
static void put_raw(const void *bytes, uint32_t length)
{
    require(stor_restart(), "the controller does not open again", 0);
    ring_put(bytes, length);
    ring_signal();
    wait(SETTLE_TIME);
    stor_reap();
}

static void bad_descriptors(void)
{
    /* type, header / 8, total / 8, flags */
    static const uint16_t first[][4] = {
        {6, 0, 10, 1},   {6, 1, 10, 1},      {6, 2, 1, 1},           {6, 2, 0, 1},
        {6, 0, 0, 1},    {6, 2, 0xffff, 1},  {6, 0xffff, 0xffff, 1}, {6, 11, 10, 1},
        {9, 2, 10, 1},   {9, 3, 11, 1},      {7, 3, 11, 1},          {7, 2, 10, 1},
        {8, 3, 11, 1},   {0, 2, 10, 1},      {1, 2, 10, 1},          {5, 2, 10, 1},
        {0xc, 2, 10, 1}, {0xffff, 2, 10, 1}, {6, 2, 10, 2},          {6, 2, 10, 0xffff},
        {6, 2, 10, 0},   {6, 2, 7, 1},       {6, 2, 2, 1},           {0xa, 2, 2, 0},
        {0xb, 2, 10, 0}, {6, 2, 2561, 1},    {9, 2561, 2569, 1},
    };
    uint64_t packet[16];

    attack("malformed descriptors");
    for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        memset(packet, 0, sizeof(packet));
        memcpy(packet, first[i], sizeof(first[i]));
        put_raw(packet, 88);
        if (i % 2) /* by turns: closed by the guest, and found dead by the next negotiation */
            require(stor_close(), "a dead channel does not close", i);
    }
    stor_works();
    bus_works();
    done();
}

static void bad_ranges(void)
{
    /* range count, byte count, byte offset */
    static const uint32_t ranges[][3] = {
        {0, 512, 0},          {2, 512, 0},        {0xffffffff, 512, 0},
        {0x10000000, 512, 0}, {1, 0, 0},          {1, 512, PAGE},
        {1, PAGE, 1},         {1, 0xffffffff, 0}, {1, 512, 0xffffffff},
        {1, 2 * PAGE + 1, 0}, {1, 1 << 31, 0},    {1, 0xffffffff, 0xffffffff},
    };
    struct stor_packet packet;
    struct {
        uint16_t type, header8, total8, flags;
        uint64_t id;
        uint32_t reserved, range_count, bytes, offset;
        uint64_t pfn;
        struct stor_packet packet;
    } __attribute__((packed)) frame = {9, 5, 13, WANT_COMPLETION, 5, 0, 0, 0, 0, pages[0], {0}};

    attack("malformed range lists");
    stor_srb(&packet, read_1, sizeof(read_1), 1);
    packet.transfer = 512;
    frame.packet = packet;
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        frame.range_count = ranges[i][0];
        frame.bytes = ranges[i][1];
        frame.offset = ranges[i][2];
        put_raw(&frame, sizeof(frame));
    }
    stor_works();
    done();
}

static void bad_indices(void)
{
    static const uint32_t values[] = {RING_SIZE,  RING_SIZE + 8, 4,          1,
                                      0x7ffffff8, 0x80000000,    0xffffffff, 0xfffffff8};

    attack("indices out of range, moved back");
    for (unsigned i = 0; i < 4 * sizeof(values) / sizeof(values[0]); i++) {
        struct stor_packet packet;
        require(stor_restart(), "the controller does not open again", i);
        stor_srb(&packet, test_ready, sizeof(test_ready), 2);
        stor_put(&packet, 0, 0, NULL);
        ring_show();
        if (i % 4 == 0)
            ring_out->write = values[i / 4];
        else if (i % 4 == 1)
            ring_in->read = values[i / 4];
        else if (i % 4 == 2)
            ring_out->write = 0; /* back over what the host has read */
        ring_out->pending = ring_in->pending = values[i / 4];
        ring_out->mask = ring_in->mask = ring_in->features = values[i / 4];
        signal_event(scsi_connection);
        wait(SETTLE_TIME);
    }
    stor_works();
    done();
}

/* Each is answered with an error; the channel lives. */
static void pages_outside(void)
{
    static const uint64_t pfns[] = {
        GPA_NOTHING >> 12, GPA_PCI >> 12, GPA_VMBUS >> 12, GPA_IOAPIC >> 12,
        GPA_LAPIC >> 12,   0x9000000,     0xfffffffffffff, 0x10000000000000,
        0x10000000000001,  ~0ull,         1ull << 63};
    struct stor_packet packet;
    uint64_t pfn[4];

    attack("ranges outside RAM are refused");
    require(stor_restart(), "the controller does not open", 0);
    for (unsigned i = 0; i <= sizeof(pfns) / sizeof(pfns[0]); i++)
        for (unsigned second = 0; second < 2; second++) {
            uint64_t bad = i < sizeof(pfns) / sizeof(pfns[0]) ? pfns[i] : ram_end >> 12;
            pfn[0] = second ? (ram_end >> 12) - 1 : bad;
            pfn[1] = bad;
            stor_srb(&packet, (const uint8_t[10]){0x28, [8] = 16}, 10, 1);
            packet.transfer = 2 * PAGE;
            require(stor_run(&packet, 2 * PAGE, 0, pfn), "no answer", i);
            require(stor_answer.srb_status != STATUS_GOOD, "it succeeds", i);
        }
    require(stor_transfer(false, 0, 0, 1, arena), "the channel is dead", 0);
    done();
}

/* The disk writes over the SynIC's pages, the hypercall's input, the rings themselves. */
static void pages_in_use(void)
{
    uint64_t targets[] = {(uintptr_t)message_page,   (uintptr_t)event_page,
                          (uintptr_t)post_area,      (uintptr_t)ring_in,
                          (uintptr_t)ring_in + PAGE, (uintptr_t)ring_out,
                          (uintptr_t)ring_out + PAGE};
    struct stor_packet packet;

    attack("the disk reads over rings and SynIC pages");
    for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        uint64_t pfn[16];
        for (unsigned j = 0; j < 16; j++)
            pfn[j] = targets[i] >> 12;
        require(stor_restart(), "the controller does not open again", i);
        memset(arena, 0xff, PAGE);
        require(stor_transfer(true, 0, 0, 8, arena), "a write fails", i);
        stor_srb(&packet, (const uint8_t[10]){0x28, [8] = 8}, 10, 1);
        packet.transfer = PAGE;
        for (unsigned j = 0; j < 8; j++)
            stor_put(&packet, PAGE, 0, pfn);
        ring_signal();
        wait(SETTLE_TIME);
        synic_on();
    }
    stor_works();
    done();
}

/* Make a random CDB mean `blocks` blocks near the beginning of the disk, as far as its group has an
 * address and a count there. */
static void make_sensible(uint8_t cdb[16], uint8_t blocks)
{
    static const uint8_t count_at[8] = {4,  8, 8, 8,
                                        13, 9, 9, 9}; /* by group, the opcode's top bits */
    uint8_t at = count_at[cdb[0] >> 5], address = at < 9 ? 2 : at == 9 ? 3 : 6;

    memset(cdb + 1, 0, at == 4 ? 1 : address); /* READ(6): bits of the address from byte 1 on */
    if (at != 4)
        memset(cdb + at - 3 + (at == 8 || at == 9), 0, 2 + (at == 13));
    cdb[at == 4 ? 2 : address + 1] &= 0x3f;
    cdb[at] = blocks;
}

static void random_srb(struct stor_packet *packet, uint32_t *ret_bytes, uint32_t *ret_offset)
{
    static const uint8_t codes[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25,
                                    0x28, 0x28, 0x28, 0x2a, 0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42,
                                    0x43, 0x46, 0x4a, 0x51, 0x55, 0x5a, 0x83, 0x88, 0x8a, 0x8f,
                                    0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa};
    uint64_t r = random64(), bytes = random64();
    uint8_t cdb[16], blocks = bytes >> 32 & 31;

    memcpy(cdb, &bytes, 8);
    memcpy(cdb + 8, &r, 8);
    cdb[0] = r & 15 ? codes[(r >> 8) % sizeof(codes)] : (uint8_t)(r >> 8);
    if (r & 0x30)
        make_sensible(cdb, blocks);
    stor_srb(packet, cdb, r & 0xc0 ? 16 : r >> 16 & 15, (uint8_t)(r >> 24 & 3));
    packet->lun = r >> 32 & 7 ? 0 : r >> 36 & 3;
    packet->path = r >> 40 & 31 ? 0 : (uint8_t)(r >> 48);
    packet->target = r >> 45 & 31 ? 0 : (uint8_t)(r >> 50);
    packet->length = (uint16_t)(r >> 20 & 1 ? 52 : r);
    packet->sense_length = (uint8_t)(r >> 52);
    *ret_bytes = r >> 56 & 3 ? blocks * 512u : (uint32_t)(bytes >> 32 & 0x3fff);
    *ret_offset = r >> 58 & 1 ? (uint32_t)(bytes >> 48 & 0xfff) : 0;
    packet->transfer = r >> 59 & 7 ? *ret_bytes : (uint32_t)(bytes >> 40);
}

/* Well-formed packets, so every one must be answered. */
static void random_srbs(void)
{
    uint64_t sent = 0, good = 0;

    attack("random SRBs are all answered");
    require(stor_restart(), "the controller does not open", 0);
    uint64_t base = stor_answered;
    uint64_t end = now() + RANDOM_TIME;
    while (sent < RANDOM_SRBS && (sent % 64 || now() < end) && !failed()) {
        struct stor_packet packet;
        uint32_t bytes, offset;
        random_srb(&packet, &bytes, &offset);
        if (stor_put(&packet, bytes, offset, pages + (random64() & 0x7f))) {
            sent++;
            continue;
        }
        ring_signal();
        require(stor_wait(base + sent - 64, 5000000), "answers stop at", stor_answered - base);
        good += stor_answer.srb_status == STATUS_GOOD;
    }
    require(good > 10, "hardly any is good", good);
    ring_signal();
    require(stor_wait(base + sent, 10000000), "answers are missing", base + sent - stor_answered);
    require(stor_answered == base + sent, "more answers than questions", stor_answered);
    stor_works();
    done();
}

/* Fill the guest->host ring until the host has stopped taking, because its answers find no room. */
static void answers_unread(void)
{
    struct stor_packet packet;
    uint64_t sent = 0;

    attack("answers not read until both rings are full");
    require(stor_restart(), "the controller does not open", 0);
    uint64_t base = stor_answered;
    stor_srb(&packet, test_ready, sizeof(test_ready), 2);
    for (unsigned idle = 0; idle < 20;) {
        if (stor_put(&packet, 0, 0, NULL)) {
            sent++;
            idle = 0;
        } else {
            ring_signal();
            wait(SETTLE_TIME);
            idle++;
        }
    }
    require(sent > 1000 && sent < 2000, "the rings never fill", sent);
    require(stor_wait(base + sent, 10000000), "answers are missing", base + sent - stor_answered);
    stor_works();
    done();
}

/* --- Ends in the middle of I/O
 * -------------------------------------------------------------------- */

static void start_io(void)
{
    struct stor_packet packet;

    require(stor_restart(), "the controller does not open", 0);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t cdb[10] = {i % 4 ? 0x28 : 0x2a, [4] = (uint8_t)i, [8] = 128};
        stor_srb(&packet, cdb, sizeof(cdb), i % 4 ? 1 : 0);
        packet.transfer = 16 * PAGE;
        if (!stor_put(&packet, 16 * PAGE, 0, pages + i % 8 * 16))
            break;
    }
    ring_signal();
}

/* The host has said that it uses nothing of ours any more: nothing may change. */
static void host_is_gone(const char *what)
{
    memset(arena, 0x5a, sizeof(arena));
    memset(ring_memory, 0xa5, sizeof(ring_memory));
    wait(30000);
    for (unsigned i = 0; i < sizeof(arena) / 8; i++)
        require(((uint64_t *)(void *)arena)[i] == 0x5a5a5a5a5a5a5a5a, what, i);
    for (unsigned i = 0; i < sizeof(ring_memory) / 8; i++)
        require(((uint64_t *)(void *)ring_memory)[i] == 0xa5a5a5a5a5a5a5a5, what, i);
}

static void ends_with_io(void)
{
    struct message message;

    attack("close with I/O in flight");
    for (unsigned i = 0; i < 5; i++) {
        start_io();
        require(stor_close(), "it does not close", i);
        host_is_gone("memory changes after TORNDOWN");
    }
    stor_works();
    done();

    attack("new negotiation with I/O in flight");
    for (unsigned i = 0; i < 5; i++) {
        start_io();
        require(contact(VERSION_5_3), "no answer", i);
        host_is_gone("memory changes after VERSION_RESPONSE");
    }
    stor_works();
    done();

    attack("UNLOAD with I/O in flight");
    for (unsigned i = 0; i < 5; i++) {
        start_io();
        send((const uint32_t[]){16, 0}, 8);
        require(expect(17, &message), "no answer", i);
        host_is_gone("memory changes after UNLOAD_RESPONSE");
    }
    stor_works();
    done();
}

/* --- Races
 * ------------------------------------------------------------------------------------------ */

/* Change what the host is about to read while it reads. */
static void racing(const char *name, volatile uint32_t *word, bool index)
{
    attack(name);
    for (unsigned i = 0; i < 15; i++) {
        struct stor_packet packet;
        require(stor_restart(), "the controller does not open again", i);
        stor_srb(&packet, test_ready, sizeof(test_ready), 2);
        for (unsigned j = 0; j < 100; j++)
            stor_put(&packet, 0, 0, NULL);
        ring_signal();
        for (unsigned j = 0; j < 20000; j++)
            *word = (uint32_t)(index ? random64() % (RING_SIZE + 16) : random64() & 0xffff001f);
        signal_event(scsi_connection);
    }
    stor_works();
    done();
}

static void races(void)
{
    volatile uint32_t *data = (volatile uint32_t *)(void *)(ring_memory + PAGE);

    racing("racing write index", &ring_out->write, true);
    racing("racing read index", &ring_in->read, true);
    racing("racing pending size", &ring_out->pending, true);
    racing("racing packet length", data + 5 * 88 / 4 + 1, false);
}

/* --- Opening and the handshake
 * ---------------------------------------------------------------------- */

static void bad_opens(void)
{
    static const uint32_t splits[] = {0, 1, 31, 32, 33, 0x7fffffff, 0xffffffff};
    uint32_t status = 0;

    attack("OPEN refused for all that is wrong");
    require(contact(VERSION_5_3) && request_offers(), "no offers", 0);
    require(stor_send_open(0x1234, 2, 0, &status) && status, "no GPADL", status);
    require(gpadl_create(scsi_relid, 7, pages, 32), "GPADL", 0);
    require(gpadl_create(scsi_relid + 1, 8, pages, 32) ||
                gpadl_create(scsi_relid - 1, 8, pages, 32),
            "GPADL", 0);
    require(stor_send_open(8, 16, 0, &status) && status, "foreign GPADL", status);
    for (unsigned i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
        require(stor_send_open(7, splits[i], 0, &status) && status, "split", splits[i]);
    require(stor_send_open(7, 16, 1, &status) && status, "target VP", 1);
    memset(arena, 0xff, sizeof(arena));
    require(stor_send_open(7, 16, 0, &status) && status, "bad indices", status);
    require(stor_restart(), "the controller does not open", 0);
    require(stor_send_open(7, 16, 0, &status) && status, "open twice", status);
    for (unsigned i = 0; i < 10; i++) /* not open, not there */
        send((const uint32_t[]){7, 0, i * 0x100}, 12);
    stor_works();
    done();
}

static void handshake_disorder(void)
{
    attack("handshake in random order");
    for (unsigned round = 0; round < 5; round++) {
        require(stor_restart(), "the controller does not open", 0);
        for (unsigned i = 0; i < 100; i++) {
            struct stor_packet packet = {.operation = (uint32_t)(random64() % 16), .flags = 1};
            packet.length = (uint16_t)random64();
            if (i % 16 == 0)
                packet.operation = (uint32_t)random64();
            require(stor_run(&packet, 0, 0, NULL), "no answer to operation", packet.operation);
        }
    }
    stor_works();
    done();
}

/* What the host will find: each 8 bytes hold their number. */
static void known_pattern(void)
{
    uint64_t *words = (uint64_t *)(void *)arena;
    const uint32_t per_mib = (1 << 20) / 8;

    attack("the disk takes a pattern, the read-only one nothing");
    require(stor_restart(), "the controller does not open", 0);
    require(!stor_transfer(true, 1, 0, 1, arena), "a read-only disk is written", 0);
    require(!stor_transfer(true, 0, DISK_MIB * 2048, 1, arena), "a write after the end", 0);
    require(!stor_transfer(true, 0, DISK_MIB * 2048 - 1, 2, arena), "a write across the end", 0);
    for (uint32_t mib = 0; mib < DISK_MIB; mib++) {
        for (uint32_t i = 0; i < per_mib; i++)
            words[i] = mib * per_mib + i;
        require(stor_transfer(true, 0, mib * 2048, 2048, arena), "a write fails", mib);
    }
    bus_works();
    done();
}

void attack_storage(void)
{
    synic_on();
    arena_pfns(pages);
    bad_descriptors();
    bad_ranges();
    bad_indices();
    pages_outside();
    pages_in_use();
    random_srbs();
    answers_unread();
    ends_with_io();
    races();
    bad_opens();
    handshake_disorder();
    known_pattern();
}
