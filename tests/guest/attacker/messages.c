/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks with the bus's messages: floods, every type in every wrong size, GPADLs without end.
 */
#include "tests/guest/attacker/guest.h"

#define FLOOD            100000u
#define FLOOD_TIME       5000000u /* if that ends earlier: where an exit is slow */
#define TYPES            32u
#define GPADLS           2100u /* src/common/limits.h allows 2048 */
#define INITIATE_CONTACT 14u
#define GPADL_HEADER     8u
#define GPADL_BODY       9u
#define GPADL_CREATED    10u

static uint64_t pages[ARENA_PAGES];

/* As fast as the hypercall goes, answers taken as they come. */
static void flood(const char *name, uint32_t type, uint32_t version)
{
    struct message message;
    uint64_t accepted = 0, answers = 0;

    attack(name);
    uint64_t end = now() + FLOOD_TIME;
    for (unsigned i = 0; i < FLOOD && (i % 64 || now() < end); i++) {
        const uint32_t words[10] = {type, 0, version};
        unsigned status = post(words, sizeof(words));
        accepted += status == 0;
        require(status == 0 || status == HV_BUSY, "status", status);
        answers += slot_take(&message);
    }
    if (type == INITIATE_CONTACT)
        answers += count_answers(VERSION_RESPONSE, accepted - answers);
    require(accepted > 100, "hardly anything was accepted", accepted);
    require(answers == (type == INITIATE_CONTACT ? accepted : 0), "answers do not fit", answers);
    bus_works();
    done();
}

static void all_types(void)
{
    static const uint32_t sizes[] = {0, 1, 4, 7, 8, 9, 12, 16, 20, 28, 40, 148, 239, 240};
    uint64_t bytes[MESSAGE_MAX / 8];
    struct message message;

    attack("all types in all sizes, random contents");
    for (unsigned round = 0; round < 20; round++) {
        for (uint32_t type = 0; type < TYPES; type++)
            for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                for (unsigned j = 0; j < MESSAGE_MAX / 8; j++)
                    bytes[j] = round ? random64() : 0;
                bytes[0] = type;
                post(bytes, sizes[i]);
                slot_take(&message);
            }
        contact(VERSION_5_3);
        request_offers();
    }
    bus_works();
    done();
}

/* Plausible messages in no sensible order: what they name often exists. */
static void plausible(void)
{
    struct message message;

    attack("plausible messages in random order");
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t r = random64();
        uint32_t words[37] = {3 + r % 22, 0, r >> 8 & 7, 0x100 + (r >> 12 & 7),
                              0x100 + (r >> 16 & 7)};
        uint32_t length = sizeof(words);
        if (words[0] == GPADL_HEADER) {
            words[4] = 40 | 1 << 16;
            words[5] = 4 * PAGE;
            words[6] = 0;
            memcpy(&words[7], &pages[r >> 20 & 0xf0], 32);
        } else if (words[0] == GPADL_BODY) {
            memcpy(&words[4], pages, 64);
        } else if (words[0] == INITIATE_CONTACT) {
            words[2] = r & 1 << 20 ? VERSION_5_3 : 13;
            memset(&words[3], 0, 32);
            words[4] = (uint32_t)(uintptr_t)arena;
        } else if (words[0] == 5) {
            words[5] = r >> 24 & 1;
            words[6] = r >> 28 & 3;
        }
        if (i % 64 == 0) {
            words[0] = i % 128 ? 3 : INITIATE_CONTACT;
            words[2] = VERSION_5_3;
            length = 40;
        }
        post(words, length);
        slot_take(&message);
        if (i % 16 == 0)
            signal_event(0x2000 + (r >> 32 & 7));
    }
    bus_works();
    done();
}

/* Each is answered; from the limit on with a failure. */
static void many_gpadls(void)
{
    unsigned made = 0;

    attack("GPADLs beyond the limit");
    require(contact(VERSION_5_3) && request_offers(), "no offers", 0);
    while (!failed() && made < GPADLS && gpadl_create(scsi_relid, 1 + made, pages, 2))
        made++;
    require(made > 100 && made < GPADLS, "there is no limit", made);
    struct message message;
    send((const uint32_t[]){11, 0, scsi_relid, 1}, 16);
    require(expect(12, &message) && message.word[2] == 1, "no teardown", 0);
    require(gpadl_create(scsi_relid, 1, pages, 2), "no room after a teardown", 0);
    bus_works();
    done();
}

static void unfinished_gpadls(void)
{
    struct message message;
    uint32_t words[60] = {GPADL_HEADER};
    unsigned refused = 0;

    attack("long GPADLs that never end");
    require(contact(VERSION_5_3) && request_offers(), "no offers", 0);
    for (unsigned i = 0; i < 500; i++) {
        words[2] = scsi_relid;
        words[3] = 0x1000 + i;
        words[4] = 0xfff8 | 1 << 16;
        words[5] = 8190 * PAGE;
        words[6] = 0;
        send(words, 240);
        refused += slot_take(&message) && message.type == GPADL_CREATED && message.word[4];
    }
    while (receive(&message, 200000))
        refused += message.type == GPADL_CREATED && message.word[4];
    require(refused > 400, "too many are kept", refused);
    bus_works();
    done();
}

/* One GPADL_HEADER, and what must come back: refused for all that is wrong. */
static void bad_gpadl(uint16_t bytes, uint16_t ranges, uint32_t range_bytes, uint32_t offset,
                      uint64_t pfn)
{
    struct {
        uint32_t type, reserved, relid, id;
        uint16_t bytes, ranges;
        uint32_t range_bytes, range_offset;
        uint64_t pfn[26];
    } __attribute__((packed))
    header = {GPADL_HEADER, 0, scsi_relid, 0x55, bytes, ranges, range_bytes, offset, {0}};
    struct message message;

    for (unsigned i = 0; i < 26; i++)
        header.pfn[i] = pfn;
    send(&header, sizeof(header) > MESSAGE_MAX ? MESSAGE_MAX : sizeof(header));
    require(expect(GPADL_CREATED, &message) && message.word[4], "not refused", bytes);
}

static void bad_gpadls(void)
{
    struct message message;

    attack("malformed GPADLs are refused");
    require(contact(VERSION_5_3) && request_offers(), "no offers", 0);
    bad_gpadl(0, 1, PAGE, 0, pages[0]);
    bad_gpadl(17, 1, PAGE, 0, pages[0]);
    bad_gpadl(16, 0, PAGE, 0, pages[0]);
    bad_gpadl(16, 2, PAGE, 0, pages[0]);
    bad_gpadl(16, 0xffff, PAGE, 0, pages[0]);
    bad_gpadl(16, 1, 0, 0, pages[0]);
    bad_gpadl(16, 1, 2 * PAGE, 0, pages[0]);
    bad_gpadl(16, 1, 0xffffffff, 0xffffffff, pages[0]);
    bad_gpadl(16, 1, PAGE, 1, pages[0]);
    bad_gpadl(16, 1, PAGE, PAGE, pages[0]);
    bad_gpadl(16, 1, PAGE, 0, GPA_NOTHING >> 12);
    bad_gpadl(16, 1, PAGE, 0, GPA_VMBUS >> 12);
    bad_gpadl(16, 1, PAGE, 0, 1ull << 52);
    bad_gpadl(16, 1, PAGE, 0, ~0ull);
    for (uint32_t id = 0; id < 50; id++) { /* bodies of nothing, teardowns of nothing */
        send((const uint32_t[60]){GPADL_BODY, 0, 0, id}, 240);
        send((const uint32_t[]){11, 0, scsi_relid, id}, 16);
        require(expect(12, &message) && message.word[2] == id, "teardown without answer", id);
    }
    require(gpadl_create(scsi_relid, 0, pages, 2), "id 0", 0);
    require(!gpadl_create(scsi_relid, 0, pages, 2), "the same id twice", 0);
    require(!gpadl_create(0x7ff, 9, pages, 2), "for a channel that is not there", 0);
    bus_works();
    done();
}

/* INITIATE_CONTACT with something wrong: answered, refused. */
static void bad_contact(uint32_t version, uint32_t vp, uint64_t interrupt_page, uint64_t out,
                        uint64_t in)
{
    uint32_t words[10] = {INITIATE_CONTACT, 0, version, vp};
    struct message message;

    memcpy(&words[4], &interrupt_page, 8);
    memcpy(&words[6], &out, 8);
    memcpy(&words[8], &in, 8);
    send(words, sizeof(words));
    require(expect(VERSION_RESPONSE, &message), "no answer to version", version);
    /* From 2.4 on a bad monitor page is told by the state. */
    require(!message.byte[8] || message.byte[9], "accepted, version", version);
}

static void bad_contacts(void)
{
    static const uint32_t versions[] = {0, 1, 0x10000, 0x20000, 0x60000, 0x7fffffff, 0xffffffff};

    attack("negotiations that must be refused");
    drain();
    for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        bad_contact(versions[i], 0, (uintptr_t)arena, 0, 0);
    bad_contact(13, 0, 0, 0, 0);
    bad_contact(13, 0, GPA_VMBUS, 0, 0);
    bad_contact(13, 0, ~0ull, 0, 0);
    bad_contact(13, 0, (uintptr_t)arena + 8, 0, 0);
    bad_contact(13, 0, (uintptr_t)arena, (uintptr_t)arena, 0);
    bad_contact(VERSION_5_3, 1, 0, 0, 0);
    bad_contact(VERSION_5_3, 0xffffffff, 0, 0, 0);
    bad_contact(VERSION_5_3, 0, 0, (uintptr_t)arena, 0);
    bad_contact(VERSION_5_3, 0, 0, 0, (uintptr_t)arena);
    bad_contact(VERSION_5_3, 0, 0, (uintptr_t)arena + 1, (uintptr_t)arena + PAGE);
    bus_works();
    done();
}

/* Random packets to each device that is offered; bytes that are not zero make a format now and
 * then. */
static void garbage_packets(void)
{
    attack("garbage to every channel");
    for (unsigned round = 0; round < 50 && !failed(); round++) {
        uint64_t packet[32];
        require(contact(VERSION_5_3) && request_offers() == OFFERS, "no offers", round);
        scsi_relid = 1 + round % OFFERS;
        scsi_connection = 0x2000 + scsi_relid;
        require(channel_open(), "the channel does not open", scsi_relid);
        for (unsigned i = 0; i < 50; i++) {
            uint64_t r = random64(), length = 3 + (r & 15);
            for (unsigned j = 0; j < 32; j++)
                packet[j] = random64() & random64() & random64();
            packet[0] =
                (r & 0x10 ? 6 : 0xb) | 2ull << 16 | length << 32 | (r & 0x20 ? 1ull << 48 : 0);
            packet[1] = r >> 8;
            if (r & 0x40) /* pipe header; an integration service's message type */
                packet[2] = 1 | (length * 8 - 24) << 32, packet[3] = (r >> 32 & 7) << 40 | 3 << 16;
            if (!ring_put(packet, (uint32_t)length * 8))
                break;
        }
        ring_signal();
        wait(1000);
    }
    bus_works();
    done();
}

void attack_messages(void)
{
    synic_on();
    arena_pfns(pages);
    flood("flood of INITIATE_CONTACT", INITIATE_CONTACT, VERSION_5_3);
    flood("flood of an unknown type", 0x7777, 0);
    all_types();
    plausible();
    bad_contacts();
    garbage_packets();
    bad_gpadls();
    many_gpadls();
    unfinished_gpadls();
}
