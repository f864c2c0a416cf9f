/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the attacks of the hostile guest have in common: console, processor, Hyper-V's interface, a
 * small storvsc.
 *
 * A freestanding program on one processor, in ring 0, interrupts off unless an attack wants them.
 * All memory is mapped onto itself. Times are in microseconds.
 */
#ifndef VMBUSD_TESTS_ATTACKER_GUEST_H
#define VMBUSD_TESTS_ATTACKER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096u

/* Where no RAM is (src/kvm/gmem.h has the map; the guest has 64 MiB). */
#define GPA_NOTHING 0x40000000ull
#define GPA_PCI     0xc0000000ull
#define GPA_VMBUS   0xf8000000ull
#define GPA_IOAPIC  0xfec00000ull
#define GPA_LAPIC   0xfee00000ull

extern uint64_t ram_end; /* first byte after RAM */

/* --- console.c: the only voice, COM1 -------------------------------------------------------------
 */

void console_init(void);
void say(const char *text);
void say_hex(uint64_t value);

/* An attack: attack("name"), any number of require(), done(). done() prints "GUEST ok name", or
 * "GUEST fail name: what value" with the first requirement that was not met. */
void attack(const char *name);
void require(bool met, const char *what, uint64_t value);
bool failed(void);
void done(void);

void power_off(void) __attribute__((noreturn));
void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
bool same_text(const char *a, const char *b);

/* --- cpu.c
 * ---------------------------------------------------------------------------------------- */

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

extern volatile uint64_t interrupts; /* taken so far */
extern volatile uint64_t faults;     /* instructions skipped because they faulted */

void cpu_init(void);
void trap(struct trap_frame *frame);
void user_call(void (*function)(void), void *stack_end);
void user_init(void); /* make memory and segments fit for user_call() */
uint64_t random64(void);
uint64_t now(void);
void wait(uint64_t time);
void *window(uint64_t gpa); /* any physical address, mapped; good until the next call */

static inline void out8(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;

    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* A register that refuses is skipped by trap(), which counts it in `faults`. */
static inline void wrmsr(uint32_t msr, uint64_t value)
{
    asm volatile("wrmsr"
                 :
                 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                 : "memory");
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low = 0, high = 0;

    asm volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void pause(void)
{
    asm volatile("pause" : : : "memory");
}

/* --- hv.c: hypercalls, SynIC, messages
 * ------------------------------------------------------------ */

#define MSR_GUEST_OS_ID   0x40000000u
#define MSR_HYPERCALL     0x40000001u
#define MSR_RESET         0x40000003u
#define MSR_TIME          0x40000020u
#define MSR_EOI           0x40000070u
#define MSR_ICR           0x40000071u
#define MSR_SCONTROL      0x40000080u
#define MSR_SIEFP         0x40000082u
#define MSR_SIMP          0x40000083u
#define MSR_EOM           0x40000084u
#define MSR_SINT0         0x40000090u
#define MSR_STIMER0       0x400000b0u /* configuration; count is the next */
#define MSR_CRASH_P0      0x40000100u
#define MSR_CRASH_CONTROL 0x40000105u

#define OS_ID       0x8100000000000000ull
#define SINT_VECTOR 0x60u
#define SINT_MASKED 0x10000u

#define HV_POST       0x5cu
#define HV_SIGNAL     0x5du
#define HV_FAST       0x10000u
#define HV_BUSY       19u
#define HV_NO_SUCH_ID 18u
#define HV_NEVER      0xffffu /* no status: the call came to nothing */

#define VERSION_RESPONSE 15u

#define VERSION_2_4 0x00020004u
#define VERSION_5_3 0x00050003u

#define MESSAGE_MAX 240u
#define OFFERS      5u /* SCSI and four integration services */

struct message {
    uint32_t type; /* of the VMBus message; 0: none */
    uint32_t length;
    union {
        uint8_t byte[MESSAGE_MAX];
        uint32_t word[MESSAGE_MAX / 4]; /* word[2] is the first after the header */
    };
};

extern uint8_t message_page[PAGE], event_page[PAGE]; /* where synic_on() puts them */
extern uint8_t post_area[2 * PAGE];                  /* input of HvPostMessage, at its beginning */

/* 64-bit hypercall; returns the status. */
uint64_t hypercall(uint64_t control, uint64_t input, uint64_t output);

/* HvPostMessage with a header of the caller's choice, from `at` (any address that can be written).
 */
unsigned post_from(uint8_t *at, uint32_t connection, uint32_t type, uint32_t length,
                   const void *payload, uint32_t copied);
unsigned post(const void *message, uint32_t length);
unsigned signal_event(uint32_t connection);

void synic_on(void); /* both pages, SINT 2 unmasked, no message pending in the slot */
bool slot_take(struct message *message);              /* what is in the slot, if anything */
bool receive(struct message *message, uint64_t time); /* the next message, or none in that time */
bool expect(uint32_t type, struct message *message);  /* the next of that type, in 10 seconds */
void drain(void);                                     /* until nothing has come for a while */
bool send(const void *message, uint32_t length);      /* posts again while the host is busy */

/* INITIATE_CONTACT and its answer; false if there is none or it is a refusal. */
bool contact(uint32_t version);
/* A new negotiation, its answers checked, as a requirement of the attack. Then connected with 5.3.
 */
void bus_works(void);
/* How many messages of that type come, until `wanted` have and then none for a while. */
uint64_t count_answers(uint32_t type, uint64_t wanted);
/* REQUEST_OFFERS: how many came before the end; SCSI's relid and connection id are kept. 0: none.
 */
unsigned request_offers(void);
extern uint32_t scsi_relid, scsi_connection;

/* The first `pages` of `pfn` as a GPADL; false unless GPADL_CREATED says success. */
bool gpadl_create(uint32_t relid, uint32_t id, const uint64_t *pfn, unsigned pages);

/* --- stor.c: enough of storvsc
 * -------------------------------------------------------------------- */

#define RING_PAGES  16u /* each way, control page included */
#define RING_SIZE   ((RING_PAGES - 1) * PAGE)
#define ARENA_PAGES 256u

struct ring_page {
    volatile uint32_t write, read, mask, pending;
    uint8_t reserved[48];
    volatile uint32_t features;
    uint8_t rest[PAGE - 68];
};

/* A storvsp packet as sent and as answered. */
struct stor_packet {
    uint32_t operation, flags, status;
    uint16_t length;
    uint8_t srb_status, scsi_status, port, path, target, lun, cdb_length, sense_length, direction,
        reserved;
    uint32_t transfer;
    uint8_t cdb[20];
    uint8_t tail[16];
} __attribute__((packed));
_Static_assert(sizeof(struct stor_packet) == 64, "wire size");

/* What goes before a packet's payload. */
struct stor_frame {
    uint16_t type, header8, total8, flags;
    uint64_t id;
    uint32_t reserved, range_count;
    uint32_t bytes, offset;
    uint64_t pfn[ARENA_PAGES];
} __attribute__((packed));

extern struct ring_page *const ring_out, *const ring_in; /* guest->host, host->guest */
extern uint8_t ring_memory[2 * RING_PAGES * PAGE];
extern uint8_t arena[ARENA_PAGES * PAGE];
extern struct stor_packet stor_answer; /* the last */
extern uint64_t stor_answered;         /* since stor_open() */

bool channel_open(void); /* fresh rings, GPADL, OPEN; connected and offered before */
bool stor_open(void);    /* that, and storvsp's handshake */
bool stor_close(void);   /* CLOSE, teardown, until the host has let go */
bool stor_restart(void); /* negotiate, find the controller, open it */
bool stor_send_open(uint32_t gpadl, uint32_t downstream, uint32_t vp, uint32_t *ret_status);

/* Bytes and trailer into the ring, not yet shown; false if they do not fit. */
bool ring_put(const void *bytes, uint32_t length);
void ring_show(void);   /* publish the write index */
void ring_signal(void); /* publish and signal */
void stor_reap(void);   /* take completions */
bool stor_wait(uint64_t answered, uint64_t time);

/* An SRB with `bytes` of the pages `pfn`, or in band if there are none. */
void stor_srb(struct stor_packet *packet, const uint8_t *cdb, unsigned length, uint8_t direction);
bool stor_put(const struct stor_packet *packet, uint32_t bytes, uint32_t offset,
              const uint64_t *pfn);
bool stor_run(const struct stor_packet *packet, uint32_t bytes, uint32_t offset,
              const uint64_t *pfn);
bool stor_transfer(bool write, uint8_t lun, uint32_t lba, uint32_t blocks, const void *buffer);
void arena_pfns(uint64_t pfn[ARENA_PAGES]);
/* A sector written and read back, through a new connection, as a requirement of the attack. */
void stor_works(void);

/* --- The groups
 * ------------------------------------------------------------------------------------ */

void attack_hypercalls(void);
void attack_synic(void);
void attack_messages(void);
void attack_storage(void);
void attack_ports(void);
void attack_processor(void);
void attack_crash(void);
void attack_triple_fault(void);
void attack_wild(const char *how);

#endif
