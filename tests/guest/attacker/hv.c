/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hyper-V's interface as a polling guest uses it: hypercalls, the SynIC's message slot, the bus's
 * control messages. Facts: Hyper-V TLFS; Linux drivers/hv.
 *
 * Interrupts stay off: the slot of SINT 2 is polled, and every message is ended with EOM.
 */
#include "tests/guest/attacker/guest.h"

#define SINT         2u
#define MESSAGE_TYPE 1u
#define INBOX        256u

#define OFFER_CHANNEL      1u
#define REQUEST_OFFERS     3u
#define ALL_OFFERS         4u
#define GPADL_HEADER       8u
#define GPADL_BODY         9u
#define GPADL_CREATED      10u
#define INITIATE_CONTACT   14u
#define CONNECTION_MESSAGE 1u

#define HEADER_PFNS 26u
#define BODY_PFNS   28u

#define ANSWER_TIME 10000000u
#define QUIET_TIME  100000u

struct slot {
    volatile uint32_t type;
    volatile uint8_t length, flags;
    uint16_t reserved;
    uint64_t sender;
    uint8_t payload[MESSAGE_MAX];
};
_Static_assert(sizeof(struct slot) == 256, "wire size");

uint8_t message_page[PAGE] __attribute__((aligned(4096)));
uint8_t event_page[PAGE] __attribute__((aligned(4096)));
uint8_t post_area[2 * PAGE] __attribute__((aligned(4096)));
uint32_t scsi_relid, scsi_connection;

/* Messages that came while a post had to be tried again. */
static struct message inbox[INBOX];
static unsigned inbox_first, inbox_count;

static bool is_amd(void)
{
    uint32_t eax = 0, ebx, ecx, edx;

    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    return ebx == 0x68747541 || ebx == 0x6f677948; /* "Auth", "Hygo" */
}

uint64_t hypercall(uint64_t control, uint64_t input, uint64_t output)
{
    static int amd = -1;
    register uint64_t r8 asm("r8") = output;
    uint64_t result = HV_NEVER;

    if (amd < 0)
        amd = is_amd();
    if (amd)
        asm volatile("vmmcall" : "+a"(result), "+c"(control), "+d"(input), "+r"(r8) : : "memory");
    else
        asm volatile("vmcall" : "+a"(result), "+c"(control), "+d"(input), "+r"(r8) : : "memory");
    return result & 0xffff;
}

unsigned post_from(uint8_t *at, uint32_t connection, uint32_t type, uint32_t length,
                   const void *payload, uint32_t copied)
{
    const uint32_t header[] = {connection, 0, type, length};

    memcpy(at, header, sizeof(header));
    memcpy(at + sizeof(header), payload, copied);
    return (unsigned)hypercall(HV_POST, (uintptr_t)at, 0);
}

unsigned post(const void *message, uint32_t length)
{
    return post_from(post_area, CONNECTION_MESSAGE, MESSAGE_TYPE, length, message, length);
}

unsigned signal_event(uint32_t connection)
{
    return (unsigned)hypercall(HV_SIGNAL | HV_FAST, connection, 0);
}

void synic_on(void)
{
    wrmsr(MSR_GUEST_OS_ID, OS_ID);
    wrmsr(MSR_SCONTROL, 0);
    wrmsr(MSR_SIMP, 0);
    wrmsr(MSR_SIEFP, 0);
    wrmsr(MSR_SIMP, (uintptr_t)message_page | 1);
    wrmsr(MSR_SIEFP, (uintptr_t)event_page | 1);
    wrmsr(MSR_SINT0 + SINT, SINT_VECTOR + SINT);
    wrmsr(MSR_SCONTROL, 1);
}

bool slot_take(struct message *message)
{
    struct slot *slot = (struct slot *)(message_page + SINT * sizeof(*slot));

    if (!slot->type)
        return false;
    message->length = slot->length;
    memset(message->byte, 0, sizeof(message->byte));
    memcpy(message->byte, slot->payload, slot->length <= MESSAGE_MAX ? slot->length : MESSAGE_MAX);
    message->type = message->word[0];
    __atomic_store_n(&slot->type, 0, __ATOMIC_SEQ_CST);
    wrmsr(MSR_EOM, 0);
    return true;
}

bool receive(struct message *message, uint64_t time)
{
    if (inbox_count) {
        *message = inbox[inbox_first];
        inbox_first = (inbox_first + 1) % INBOX;
        inbox_count--;
        return true;
    }
    for (uint64_t end = now() + time;;) {
        for (unsigned i = 0; i < 100; i++) {
            if (slot_take(message))
                return true;
            pause();
        }
        if (now() >= end)
            return false;
    }
}

bool expect(uint32_t type, struct message *message)
{
    uint64_t end = now() + ANSWER_TIME;

    for (uint64_t at = now(); at < end; at = now())
        if (receive(message, end - at) && message->type == type)
            return true;
    return false;
}

void drain(void)
{
    struct message message;
    uint64_t end = now() + ANSWER_TIME;

    while (now() < end && receive(&message, QUIET_TIME))
        continue;
}

bool send(const void *message, uint32_t length)
{
    for (uint64_t end = now() + ANSWER_TIME; now() < end;) {
        unsigned status = post(message, length);
        if (status != HV_BUSY)
            return status == 0;
        if (inbox_count < INBOX && slot_take(&inbox[(inbox_first + inbox_count) % INBOX]))
            inbox_count++;
    }
    return false;
}

/* --- Negotiation
 * ---------------------------------------------------------------------------------- */

/* The answer to INITIATE_CONTACT: supported, connection word. */
static bool ask_version(uint32_t version, bool *ret_supported, uint32_t *ret_connection)
{
    const uint32_t words[10] = {INITIATE_CONTACT, 0, version};
    struct message answer;

    if (!send(words, sizeof(words)) || !expect(VERSION_RESPONSE, &answer))
        return false;
    *ret_supported = answer.byte[8];
    *ret_connection = answer.word[3];
    return true;
}

bool contact(uint32_t version)
{
    bool supported = false;
    uint32_t connection;

    return ask_version(version, &supported, &connection) && supported;
}

/* Below 5.0 the answer repeats the version, which tells it from those that an attack has left. */
void bus_works(void)
{
    const uint32_t words[10] = {INITIATE_CONTACT, 0, VERSION_2_4};
    struct message answer = {0};
    bool supported = false;
    uint32_t connection = 0;

    drain();
    require(send(words, sizeof(words)), "no new negotiation", 0);
    while (answer.word[3] != VERSION_2_4 && expect(VERSION_RESPONSE, &answer))
        continue;
    require(answer.byte[8] && answer.word[3] == VERSION_2_4, "no answer to it", answer.word[3]);
    require(ask_version(0x7777, &supported, &connection), "no answer to an unknown version", 0);
    require(!supported, "an unknown version is supported", connection);
    require(ask_version(VERSION_5_3, &supported, &connection), "no answer to version 5.3", 0);
    require(supported && connection == 4, "wrong answer to version 5.3", connection);
}

uint64_t count_answers(uint32_t type, uint64_t wanted)
{
    struct message message;
    uint64_t answers = 0;

    while (receive(&message, answers < wanted ? ANSWER_TIME : QUIET_TIME))
        answers += message.type == type;
    return answers;
}

unsigned request_offers(void)
{
    static const uint8_t scsi[] = {0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d};
    const uint32_t words[] = {REQUEST_OFFERS, 0};
    struct message message;
    unsigned offers = 0;

    if (!send(words, sizeof(words)))
        return 0;
    while (receive(&message, ANSWER_TIME) && message.type != ALL_OFFERS) {
        if (message.type != OFFER_CHANNEL)
            continue;
        offers++;
        if (*(const uint64_t *)&message.word[2] != *(const uint64_t *)(const void *)scsi)
            continue;
        scsi_relid = message.word[46];
        scsi_connection = message.word[48];
    }
    return message.type == ALL_OFFERS ? offers : 0;
}

bool gpadl_create(uint32_t relid, uint32_t id, const uint64_t *pfn, unsigned pages)
{
    struct {
        uint32_t type, reserved, relid, id;
        uint16_t bytes, ranges;
        uint32_t range_bytes, range_offset;
        uint64_t pfn[HEADER_PFNS];
    } __attribute__((packed)) header = {.type = GPADL_HEADER,
                                        .relid = relid,
                                        .id = id,
                                        .bytes = (uint16_t)(8 + pages * 8),
                                        .ranges = 1,
                                        .range_bytes = pages * PAGE};
    struct {
        uint32_t type, reserved, number, id;
        uint64_t pfn[BODY_PFNS];
    } body = {.type = GPADL_BODY, .id = id};
    struct message answer = {0};
    unsigned done = pages < HEADER_PFNS ? pages : HEADER_PFNS;

    memcpy(header.pfn, pfn, done * 8);
    if (!send(&header, 28 + done * 8))
        return false;
    while (done < pages) {
        unsigned part = pages - done < BODY_PFNS ? pages - done : BODY_PFNS;
        memcpy(body.pfn, pfn + done, part * 8);
        if (!send(&body, 16 + part * 8))
            return false;
        done += part;
    }
    while (expect(GPADL_CREATED, &answer))
        if (answer.word[3] == id)
            return answer.word[4] == 0;
    return false;
}
